//! Values of `SOL_SOCKET` that are more than a flag or a number: buffers, lingering, waiting, pacing.
use core::time::Duration;

use segue_tcp::{Instant, Linger, SocketOptions};

use super::numbers::sol;
use super::{OptionValue, flag, int};
use crate::socket::Socket;
use crate::socket::common::{Common, Flags};
use crate::stack::{Result, Stack};
use crate::{Errno, SocketId};

/// Linux's `SOCK_MIN_RCVBUF` and `SOCK_MIN_SNDBUF`.
const MIN_RCVBUF: u32 = 2304;
const MIN_SNDBUF: u32 = 4608;
const MICROS: i64 = 1_000_000;
/// `SOCK_SNDBUF_LOCK` and `SOCK_RCVBUF_LOCK`.
const SEND_LOCK: i32 = 1;
const RECEIVE_LOCK: i32 = 2;

impl Stack {
    /// Options that mean something to TCP only, but that Linux remembers on every socket.
    fn change_tcp_or(
        &mut self,
        now: Instant,
        id: SocketId,
        tcp: impl FnOnce(&mut SocketOptions),
        other: impl FnOnce(&mut Common),
    ) -> Result<()> {
        match self.live_mut(id)? {
            Socket::Stream(_) => self.change_tcp_options(now, id, tcp),
            Socket::Datagram(datagram) => {
                other(&mut datagram.common);
                Ok(())
            }
        }
    }

    pub(super) fn set_keep_alive(&mut self, now: Instant, id: SocketId, on: bool) -> Result<()> {
        let other = |common: &mut Common| common.flags.set(Flags::KEEP_ALIVE, on);
        self.change_tcp_or(now, id, |options| options.keepalive = on, other)
    }

    pub(super) fn set_urgent_inline(&mut self, now: Instant, id: SocketId, on: bool) -> Result<()> {
        let other = |common: &mut Common| common.flags.set(Flags::OOB_INLINE, on);
        self.change_tcp_or(now, id, |options| options.oob_inline = on, other)
    }

    pub(super) fn set_rcvlowat(&mut self, now: Instant, id: SocketId, lowat: i32) -> Result<()> {
        // As Linux: zero means one, a negative number as much as there can be, which for a stream is half of its buffer.
        let most = match self.live(id)? {
            Socket::Stream(stream) => stream.options().rcvbuf.unwrap_or(self.settings.tcp.rmem[2]) / 2,
            Socket::Datagram(_) => i32::MAX as u32,
        };
        let lowat = u32::try_from(lowat).unwrap_or(i32::MAX as u32).max(1).min(most);
        let other = |common: &mut Common| common.rare_mut().rcvlowat = lowat;
        self.change_tcp_or(now, id, |options| options.rcvlowat = lowat, other)?;
        // What is there may have become enough.
        self.notify(id.index);
        Ok(())
    }

    pub(super) fn set_linger(&mut self, now: Instant, id: SocketId, value: &[u8]) -> Result<()> {
        let on = flag(value)?;
        let seconds = value.get(4..).map_or(Err(Errno::EINVAL), int)?;
        let linger = if on { Linger::On(Duration::from_secs(seconds.max(0) as u64)) } else { Linger::Off };
        self.change_tcp_or(now, id, |options| options.linger = linger, |common| common.rare_mut().linger = linger)
    }

    /// `SO_RCVBUF` and its kind. socket(7): what is asked for is doubled, for the bookkeeping.
    pub(super) fn set_buffer(&mut self, now: Instant, id: SocketId, name: i32, asked: i32) -> Result<()> {
        let core = &self.settings.core;
        let asked = match name {
            sol::RCVBUF => (asked as u32).min(core.rmem_max),
            sol::SNDBUF => (asked as u32).min(core.wmem_max),
            _ => asked.max(0) as u32,
        };
        let doubled = asked.min(i32::MAX as u32 / 2).saturating_mul(2);
        let is_receive = matches!(name, sol::RCVBUF | sol::RCVBUFFORCE);
        let bytes = doubled.max(if is_receive { MIN_RCVBUF } else { MIN_SNDBUF });
        match (self.live_mut(id)?, is_receive) {
            (Socket::Stream(_), true) => self.change_tcp_options(now, id, |options| options.rcvbuf = Some(bytes)),
            (Socket::Stream(_), false) => self.change_tcp_options(now, id, |options| options.sndbuf = Some(bytes)),
            (Socket::Datagram(datagram), true) => {
                datagram.rcvbuf = bytes;
                datagram.common.rare_mut().buffer_lock |= RECEIVE_LOCK as u8;
                Ok(())
            }
            (Socket::Datagram(datagram), false) => {
                datagram.sndbuf = bytes;
                datagram.common.rare_mut().buffer_lock |= SEND_LOCK as u8;
                self.notify(id.index);
                Ok(())
            }
        }
    }

    /// `SO_BUF_LOCK`: which buffers keep their size.
    pub(super) fn buffer_lock(&self, id: SocketId) -> Result<i32> {
        Ok(match self.live(id)? {
            Socket::Datagram(datagram) => datagram.common.rare().buffer_lock.into(),
            Socket::Stream(stream) => {
                let options = stream.options();
                let send = if options.sndbuf.is_some() { SEND_LOCK } else { 0 };
                send + if options.rcvbuf.is_some() { RECEIVE_LOCK } else { 0 }
            }
        })
    }

    pub(super) fn set_buffer_lock(&mut self, now: Instant, id: SocketId, lock: i32) -> Result<()> {
        if lock & !(SEND_LOCK | RECEIVE_LOCK) != 0 {
            return Err(Errno::EINVAL);
        }
        let (receive, send) = buffers(self.live(id)?);
        let pinned = |is_locked: bool, size: u32| is_locked.then_some(size);
        let change = |options: &mut SocketOptions| {
            options.rcvbuf = pinned(lock & RECEIVE_LOCK != 0, receive);
            options.sndbuf = pinned(lock & SEND_LOCK != 0, send);
        };
        self.change_tcp_or(now, id, change, |common| common.rare_mut().buffer_lock = lock as u8)
    }

    /// `SO_MAX_PACING_RATE`: bytes per second, as a word or as a long.
    pub(super) fn set_max_pacing_rate(&mut self, now: Instant, id: SocketId, value: &[u8]) -> Result<()> {
        let rate = match value.try_into().map(u64::from_ne_bytes) {
            Ok(rate) => rate,
            Err(_) => match int(value)? {
                -1 => u64::MAX,
                rate => u64::from(rate as u32),
            },
        };
        let limit = (rate != u64::MAX).then_some(rate);
        let other = |common: &mut Common| common.rare_mut().max_pacing_rate = rate;
        // As Linux: pacing that has begun stays, without a limit.
        let change =
            |options: &mut SocketOptions| options.max_pacing_rate = limit.or(options.max_pacing_rate.map(|_| u64::MAX));
        self.change_tcp_or(now, id, change, other)
    }
}

/// Receive and send buffer in bytes, as Linux reports them.
pub(super) fn buffers(socket: &Socket) -> (u32, u32) {
    match socket {
        Socket::Datagram(datagram) => (datagram.rcvbuf, datagram.sndbuf),
        Socket::Stream(stream) => {
            let initial = stream.config().kept();
            stream.flow().and_then(|flow| flow.connection.buffers()).unwrap_or_else(|| {
                let options = stream.options();
                (options.rcvbuf.unwrap_or(initial.receive_buffer), options.sndbuf.unwrap_or(initial.send_buffer))
            })
        }
    }
}

/// `SO_MEMINFO`, `ss -m`: RMEM_ALLOC, RCVBUF, WMEM_ALLOC, SNDBUF, FWD_ALLOC, WMEM_QUEUED, OPTMEM, BACKLOG, DROPS.
pub(crate) fn memory_info(socket: &Socket) -> [u32; 9] {
    let (receive, send) = buffers(socket);
    match socket {
        Socket::Datagram(datagram) => {
            let (received, sending) = (datagram.receive_queue() as u32, datagram.send_queue() as u32);
            [received, receive, sending, send, 0, 0, 0, 0, datagram.dropped()]
        }
        Socket::Stream(stream) => {
            // Packets on their way to the link hold no buffer here.
            let used = stream.flow().map(|flow| flow.connection.memory_use()).unwrap_or_default();
            [used.received, receive, 0, send, used.ahead, used.queued, 0, 0, 0]
        }
    }
}

/// `SO_MAX_PACING_RATE` in the room there is.
pub(super) fn pacing_value(rate: u64, room: usize) -> OptionValue {
    match room {
        8.. => OptionValue::Bytes(rate.to_ne_bytes().to_vec()),
        _ => OptionValue::Int(u32::try_from(rate).unwrap_or(u32::MAX) as i32),
    }
}

pub(super) fn linger_value(linger: Linger) -> OptionValue {
    let (on, seconds) = match linger {
        Linger::Off => (0i32, 0i32),
        Linger::On(time) => (1, time.as_secs().min(i32::MAX as u64) as i32),
    };
    OptionValue::Bytes([on.to_ne_bytes(), seconds.to_ne_bytes()].concat())
}

/// A `struct timeval` in microseconds; 0: for ever, `u64::MAX`: not at all, which is shown as 0, too.
pub(super) fn timeval(value: &[u8]) -> Result<u64> {
    let seconds = value.first_chunk::<8>().map(|bytes| i64::from_ne_bytes(*bytes)).ok_or(Errno::EINVAL)?;
    let micros = value.get(8..).and_then(|rest| rest.first_chunk::<8>()).ok_or(Errno::EINVAL)?;
    let micros = i64::from_ne_bytes(*micros);
    if !(0..MICROS).contains(&micros) {
        return Err(Errno::EDOM);
    }
    // As Linux: a negative time is none at all.
    if seconds < 0 {
        return Ok(u64::MAX);
    }
    Ok((seconds as u64).saturating_mul(MICROS as u64).saturating_add(micros as u64).min(u64::MAX - 1))
}

pub(super) fn timeval_value(micros: u64) -> OptionValue {
    let micros = if micros == u64::MAX { 0 } else { micros };
    let (seconds, micros) = ((micros / MICROS as u64) as i64, (micros % MICROS as u64) as i64);
    OptionValue::Bytes([seconds.to_ne_bytes(), micros.to_ne_bytes()].concat())
}
