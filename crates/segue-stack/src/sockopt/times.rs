//! `SO_TIMESTAMP` and its kind, `SO_TIMESTAMPING`, `SO_ZEROCOPY`.
//!
//! Decides which requests are refused, as Linux does (`sock_set_timestamping`), and what a later one does to an earlier.
use super::numbers::sol;
use super::{OptionValue, int};
use crate::socket::Socket;
use crate::socket::common::{Common, Flags};
use crate::socket::datagram::DatagramKind;
use crate::socket::timestamping::TimestampingFlags;
use crate::stack::{Result, Stack};
use crate::{Errno, SocketId};

/// Which of the four options is on: each switches the others off.
pub(super) fn timestamp_name(common: &Common) -> Option<i32> {
    let flags = [Flags::TIMESTAMP, Flags::TIMESTAMP_NS, Flags::TIMESTAMP_NEW].map(|flag| common.has(flag));
    match flags {
        [false, ..] => None,
        [true, false, false] => Some(sol::TIMESTAMP),
        [true, true, false] => Some(sol::TIMESTAMPNS),
        [true, false, true] => Some(sol::TIMESTAMP_NEW),
        [true, true, true] => Some(sol::TIMESTAMPNS_NEW),
    }
}

/// `struct so_timestamping`: the flags, and no clock of a device.
pub(super) fn timestamping_value(common: &Common, name: i32) -> OptionValue {
    // As Linux: the newer number shows the flags only if they were set by it.
    let is_shown = name == sol::TIMESTAMPING || common.has(Flags::TIMESTAMP_NEW);
    let flags = if is_shown { common.rare().timestamping } else { TimestampingFlags::empty() };
    OptionValue::Bytes([flags.bits().to_ne_bytes(), [0; 4]].concat())
}

impl Stack {
    pub(super) fn set_timestamp(&mut self, id: SocketId, name: i32, on: bool) -> Result<()> {
        let flags = &mut self.live_mut(id)?.common_mut().flags;
        flags.set(Flags::TIMESTAMP, on);
        // As Linux: switching it off leaves the numbering as it is.
        if on {
            flags.set(Flags::TIMESTAMP_NS, matches!(name, sol::TIMESTAMPNS | sol::TIMESTAMPNS_NEW));
            flags.set(Flags::TIMESTAMP_NEW, matches!(name, sol::TIMESTAMP_NEW | sol::TIMESTAMPNS_NEW));
        } else {
            flags.remove(Flags::TIMESTAMP_NS);
        }
        Ok(())
    }

    pub(super) fn set_timestamping(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let asked = TimestampingFlags::from_bits(int(value)? as u32).ok_or(Errno::EINVAL)?;
        let socket = self.live_mut(id)?;
        let old = socket.common().rare().timestamping;
        let is_stream = matches!(socket, Socket::Stream(_));
        let wants = |flag| asked.contains(flag);
        // Keys of a stream count bytes of a connection.
        if wants(TimestampingFlags::OPT_ID_TCP) && !wants(TimestampingFlags::OPT_ID) {
            return Err(Errno::EINVAL);
        }
        let is_first = wants(TimestampingFlags::OPT_ID) && !old.contains(TimestampingFlags::OPT_ID);
        if is_first && is_stream {
            let Socket::Stream(stream) = socket else { return Err(Errno::EINVAL) };
            let flow = stream.flow_mut().filter(|flow| !flow.is_over).ok_or(Errno::EINVAL)?;
            flow.count_keys(wants(TimestampingFlags::OPT_ID_TCP));
        }
        let socket = self.live_mut(id)?;
        // What is told about a connection has no place beside a packet's bytes.
        if wants(TimestampingFlags::OPT_STATS) && !wants(TimestampingFlags::OPT_TSONLY) {
            return Err(Errno::EINVAL);
        }
        // There is no clock of a device.
        if wants(TimestampingFlags::BIND_PHC) {
            return Err(Errno::EOPNOTSUPP);
        }
        let common = socket.common_mut();
        common.flags.set(Flags::TIMESTAMP_NEW, name == sol::TIMESTAMPING_NEW);
        let rare = common.rare_mut();
        rare.timestamping = asked;
        if is_first {
            rare.timestamp_key = 0;
        }
        Ok(())
    }

    pub(super) fn set_zerocopy(&mut self, id: SocketId, on: i32) -> Result<()> {
        let socket = self.live_mut(id)?;
        if matches!(socket, Socket::Datagram(datagram) if datagram.kind == DatagramKind::Ping) {
            return Err(Errno::EOPNOTSUPP);
        }
        if !(0..=1).contains(&on) {
            return Err(Errno::EINVAL);
        }
        socket.common_mut().flags.set(Flags::ZEROCOPY, on == 1);
        Ok(())
    }
}
