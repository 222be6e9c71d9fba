//! Options of `SOL_SOCKET`.
use core::time::Duration;

use segue_tcp::{Instant, Linger, SocketOptions};

use super::numbers::sol;
use super::times::{timestamp_name, timestamping_value};
use super::{OptionValue, flag, int};
use crate::socket::Socket;
use crate::socket::common::{Common, Flags};
use crate::socket::datagram::DatagramKind;
use crate::socket::rare::RareOptions;
use crate::stack::{Result, Stack};
use crate::{Domain, Errno, SocketId};

/// Linux's `SOCK_MIN_RCVBUF` and `SOCK_MIN_SNDBUF`.
const MIN_RCVBUF: u32 = 2304;
const MIN_SNDBUF: u32 = 4608;
const MICROS: i64 = 1_000_000;

impl Stack {
    pub(super) fn set_socket_option(&mut self, now: Instant, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        // As Linux: before the option is even looked at.
        if value.len() < size_of::<i32>() {
            return Err(Errno::EINVAL);
        }
        let core = (self.settings.core.rmem_max, self.settings.core.wmem_max);
        match name {
            sol::REUSEADDR => self.set_claim_flag(id, Flags::REUSE_ADDRESS, flag(value)?),
            sol::REUSEPORT => self.set_claim_flag(id, Flags::REUSE_PORT, flag(value)?),
            sol::BROADCAST => self.set_flag(id, Flags::BROADCAST, flag(value)?),
            sol::DONTROUTE => self.set_flag(id, Flags::DONT_ROUTE, flag(value)?),
            sol::NO_CHECK => self.set_flag(id, Flags::NO_CHECK, flag(value)?),
            sol::RXQ_OVFL => self.set_flag(id, Flags::DROP_COUNT, flag(value)?),
            sol::SELECT_ERR_QUEUE => self.set_flag(id, Flags::ERROR_QUEUE_IS_PRIORITY, flag(value)?),
            sol::RCVMARK => self.set_flag(id, Flags::RECV_MARK, flag(value)?),
            sol::RCVPRIORITY => self.set_flag(id, Flags::RECV_PRIORITY, flag(value)?),
            sol::TIMESTAMP | sol::TIMESTAMPNS | sol::TIMESTAMP_NEW | sol::TIMESTAMPNS_NEW => {
                self.set_timestamp(id, name, flag(value)?)
            }
            sol::TIMESTAMPING | sol::TIMESTAMPING_NEW => self.set_timestamping(id, name, value),
            sol::ZEROCOPY => self.set_zerocopy(id, int(value)?),
            sol::DEBUG => self.set_flag(id, Flags::DEBUG, flag(value)?),
            sol::KEEPALIVE => {
                let on = flag(value)?;
                self.change_tcp_or(
                    now,
                    id,
                    |options| options.keepalive = on,
                    |common| common.flags.set(Flags::KEEP_ALIVE, on),
                )
            }
            sol::OOBINLINE => {
                let on = flag(value)?;
                self.change_tcp_or(
                    now,
                    id,
                    |options| options.oob_inline = on,
                    |common| common.flags.set(Flags::OOB_INLINE, on),
                )
            }
            sol::MAX_PACING_RATE => {
                let rate = pacing_rate(value)?;
                self.change_tcp_or(
                    now,
                    id,
                    // As Linux: pacing that has begun stays, without a limit.
                    |options| options.max_pacing_rate = rate.or(options.max_pacing_rate.map(|_| u64::MAX)),
                    |common| common.rare_mut().max_pacing_rate = rate.unwrap_or(u64::MAX),
                )
            }
            sol::LINGER => self.set_linger(now, id, value),
            sol::RCVBUF => self.set_rcvbuf(now, id, (int(value)? as u32).min(core.0)),
            sol::RCVBUFFORCE => self.set_rcvbuf(now, id, int(value)?.max(0) as u32),
            sol::SNDBUF => self.set_sndbuf(now, id, (int(value)? as u32).min(core.1)),
            sol::SNDBUFFORCE => self.set_sndbuf(now, id, int(value)?.max(0) as u32),
            sol::RCVLOWAT => self.set_rcvlowat(id, int(value)?),
            sol::RCVTIMEO | sol::RCVTIMEO_NEW => {
                let time = timeval(value)?;
                self.change_rare(id, |rare| rare.receive_timeout = time)
            }
            sol::SNDTIMEO | sol::SNDTIMEO_NEW => {
                let time = timeval(value)?;
                self.change_rare(id, |rare| rare.send_timeout = time)
            }
            sol::PRIORITY => {
                let priority = int(value)?;
                self.change_rare(id, |rare| rare.priority = priority)
            }
            sol::MARK => {
                let mark = int(value)? as u32;
                self.change_rare(id, |rare| rare.mark = mark)
            }
            sol::BUSY_POLL => {
                let micros = int(value)?;
                if micros < 0 {
                    return Err(Errno::EINVAL);
                }
                self.change_rare(id, |rare| rare.busy_poll = micros)
            }
            sol::INCOMING_CPU => {
                let cpu = int(value)?;
                self.change_rare(id, |rare| rare.incoming_cpu = cpu)
            }
            sol::TYPE | sol::PROTOCOL | sol::DOMAIN | sol::ERROR | sol::ACCEPTCONN | sol::SNDLOWAT | sol::COOKIE => {
                Err(Errno::ENOPROTOOPT)
            }
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    pub(super) fn get_socket_option(
        &mut self,
        now: Instant,
        id: SocketId,
        name: i32,
        room: usize,
    ) -> Result<OptionValue> {
        if name == sol::ERROR {
            return Ok(OptionValue::Int(self.take_error(now, id)?.map_or(0, |error| error.0)));
        }
        let socket = self.live(id)?;
        let common = socket.common();
        let has = |flags| OptionValue::from(common.has(flags));
        let tcp = match socket {
            Socket::Stream(stream) => Some(stream.options()),
            Socket::Datagram(_) => None,
        };
        Ok(match name {
            sol::REUSEADDR => has(Flags::REUSE_ADDRESS),
            sol::REUSEPORT => has(Flags::REUSE_PORT),
            sol::BROADCAST => has(Flags::BROADCAST),
            sol::DONTROUTE => has(Flags::DONT_ROUTE),
            sol::NO_CHECK => has(Flags::NO_CHECK),
            sol::RXQ_OVFL => has(Flags::DROP_COUNT),
            sol::SELECT_ERR_QUEUE => has(Flags::ERROR_QUEUE_IS_PRIORITY),
            sol::RCVMARK => has(Flags::RECV_MARK),
            sol::RCVPRIORITY => has(Flags::RECV_PRIORITY),
            sol::TIMESTAMP | sol::TIMESTAMPNS | sol::TIMESTAMP_NEW | sol::TIMESTAMPNS_NEW => {
                (timestamp_name(common) == Some(name)).into()
            }
            sol::TIMESTAMPING | sol::TIMESTAMPING_NEW => timestamping_value(common, name),
            sol::ZEROCOPY => has(Flags::ZEROCOPY),
            sol::DEBUG => has(Flags::DEBUG),
            sol::KEEPALIVE => tcp.map_or(has(Flags::KEEP_ALIVE), |options| options.keepalive.into()),
            sol::OOBINLINE => tcp.map_or(has(Flags::OOB_INLINE), |options| options.oob_inline.into()),
            sol::LINGER => linger_value(tcp.map_or(common.rare().linger, |options| options.linger)),
            sol::RCVBUF => OptionValue::Int(buffers(socket).0 as i32),
            sol::SNDBUF => OptionValue::Int(buffers(socket).1 as i32),
            sol::RCVLOWAT => OptionValue::Int(common.rcvlowat as i32),
            sol::SNDLOWAT => OptionValue::Int(1),
            sol::RCVTIMEO | sol::RCVTIMEO_NEW => timeval_value(common.rare().receive_timeout),
            sol::SNDTIMEO | sol::SNDTIMEO_NEW => timeval_value(common.rare().send_timeout),
            sol::PRIORITY => OptionValue::Int(common.rare().priority),
            sol::MARK => OptionValue::Int(common.rare().mark as i32),
            sol::BUSY_POLL => OptionValue::Int(common.rare().busy_poll),
            sol::INCOMING_CPU => OptionValue::Int(common.rare().incoming_cpu),
            sol::MAX_PACING_RATE => {
                let rate = tcp.map_or(common.rare().max_pacing_rate, |tcp| tcp.max_pacing_rate.unwrap_or(u64::MAX));
                match room {
                    8.. => OptionValue::Bytes(rate.to_ne_bytes().to_vec()),
                    _ => OptionValue::Int(u32::try_from(rate).unwrap_or(u32::MAX) as i32),
                }
            }
            sol::ACCEPTCONN => matches!(socket, Socket::Stream(stream) if stream.listener().is_some()).into(),
            sol::TYPE => OptionValue::Int(if tcp.is_some() { 1 } else { 2 }),
            sol::DOMAIN => OptionValue::Int(if common.domain == Domain::Inet { 2 } else { 10 }),
            sol::PROTOCOL => OptionValue::Int(protocol_number(socket)),
            sol::COOKIE if room < 8 => return Err(Errno::EINVAL),
            sol::COOKIE => OptionValue::Bytes(id.as_u64().to_ne_bytes().to_vec()),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    pub(super) fn set_flag(&mut self, id: SocketId, flag: Flags, on: bool) -> Result<()> {
        self.live_mut(id)?.common_mut().flags.set(flag, on);
        Ok(())
    }

    /// A flag that the port tables know of.
    fn set_claim_flag(&mut self, id: SocketId, flag: Flags, on: bool) -> Result<()> {
        self.live(id)?;
        self.change_claim(id.index, |common: &mut Common| common.flags.set(flag, on));
        Ok(())
    }

    pub(super) fn change_rare(&mut self, id: SocketId, change: impl FnOnce(&mut RareOptions)) -> Result<()> {
        change(self.live_mut(id)?.common_mut().rare_mut());
        Ok(())
    }

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

    fn set_rcvlowat(&mut self, id: SocketId, lowat: i32) -> Result<()> {
        // As Linux: zero means one, a negative number as much as there can be, which for a stream is half of its buffer.
        let most = match self.live(id)? {
            Socket::Stream(stream) => stream.options().rcvbuf.unwrap_or(self.settings.tcp.rmem[2]) / 2,
            Socket::Datagram(_) => i32::MAX as u32,
        };
        let lowat = u32::try_from(lowat).unwrap_or(i32::MAX as u32).max(1).min(most);
        self.live_mut(id)?.common_mut().rcvlowat = lowat;
        Ok(())
    }

    fn set_linger(&mut self, now: Instant, id: SocketId, value: &[u8]) -> Result<()> {
        let on = flag(value)?;
        let seconds = value.get(4..).map_or(Err(Errno::EINVAL), int)?;
        let linger = if on { Linger::On(Duration::from_secs(seconds.max(0) as u64)) } else { Linger::Off };
        self.change_tcp_or(now, id, |options| options.linger = linger, |common| common.rare_mut().linger = linger)
    }

    fn set_rcvbuf(&mut self, now: Instant, id: SocketId, bytes: u32) -> Result<()> {
        // socket(7): doubled, for the bookkeeping.
        let bytes = bytes.min(i32::MAX as u32 / 2).saturating_mul(2).max(MIN_RCVBUF);
        match self.live_mut(id)? {
            Socket::Datagram(datagram) => {
                datagram.rcvbuf = bytes;
                Ok(())
            }
            Socket::Stream(_) => self.change_tcp_options(now, id, |options| options.rcvbuf = Some(bytes)),
        }
    }

    fn set_sndbuf(&mut self, now: Instant, id: SocketId, bytes: u32) -> Result<()> {
        let bytes = bytes.min(i32::MAX as u32 / 2).saturating_mul(2).max(MIN_SNDBUF);
        match self.live_mut(id)? {
            Socket::Datagram(datagram) => {
                datagram.sndbuf = bytes;
                self.notify(id.index);
                Ok(())
            }
            Socket::Stream(_) => self.change_tcp_options(now, id, |options| options.sndbuf = Some(bytes)),
        }
    }
}

/// Receive and send buffer in bytes, as Linux reports them.
fn buffers(socket: &Socket) -> (u32, u32) {
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

fn protocol_number(socket: &Socket) -> i32 {
    match socket {
        Socket::Stream(_) => 6,
        Socket::Datagram(datagram) => match (datagram.kind, datagram.common.domain) {
            (DatagramKind::Udp, _) => 17,
            (DatagramKind::Ping, Domain::Inet) => 1,
            (DatagramKind::Ping, Domain::Inet6) => 58,
        },
    }
}

fn linger_value(linger: Linger) -> OptionValue {
    let (on, seconds) = match linger {
        Linger::Off => (0i32, 0i32),
        Linger::On(time) => (1, time.as_secs().min(i32::MAX as u64) as i32),
    };
    OptionValue::Bytes([on.to_ne_bytes(), seconds.to_ne_bytes()].concat())
}

/// A `struct timeval` in microseconds; 0: for ever.
fn timeval(value: &[u8]) -> Result<u64> {
    let seconds = value.first_chunk::<8>().map(|bytes| i64::from_ne_bytes(*bytes)).ok_or(Errno::EINVAL)?;
    let micros = value.get(8..).and_then(|rest| rest.first_chunk::<8>()).ok_or(Errno::EINVAL)?;
    let micros = i64::from_ne_bytes(*micros);
    if !(0..MICROS).contains(&micros) {
        return Err(Errno::EDOM);
    }
    // As Linux: a negative time is none at all, the shortest there is.
    if seconds < 0 {
        return Ok(1);
    }
    Ok((seconds as u64).saturating_mul(MICROS as u64).saturating_add(micros as u64))
}

fn timeval_value(micros: u64) -> OptionValue {
    let (seconds, micros) = ((micros / MICROS as u64) as i64, (micros % MICROS as u64) as i64);
    OptionValue::Bytes([seconds.to_ne_bytes(), micros.to_ne_bytes()].concat())
}

/// Bytes per second: 32 bits, or 64 when there is room; all ones mean no limit.
fn pacing_rate(value: &[u8]) -> Result<Option<u64>> {
    let short = int(value)? as u32;
    let rate = match value.first_chunk::<8>() {
        Some(long) => u64::from_ne_bytes(*long),
        None if short == u32::MAX => u64::MAX,
        None => short.into(),
    };
    Ok((rate != u64::MAX).then_some(rate))
}
