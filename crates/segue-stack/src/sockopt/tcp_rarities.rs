//! Options of `IPPROTO_TCP` that few programs use, and those that are refused.
use segue_tcp::Instant;

use super::OptionValue;
use super::numbers::tcp;
use crate::socket::Socket;
use crate::stack::{Result, Stack};
use crate::tcp::stream::Role;
use crate::{Errno, SocketId};

/// Longest `TCP_TX_DELAY`, in microseconds: Linux keeps eight times that in 31 bits.
const MAX_TX_DELAY: i32 = 1 << 28;

impl Stack {
    pub(super) fn set_tcp_rarity(&mut self, id: SocketId, name: i32, number: i32) -> Result<()> {
        let is_idle = matches!(self.stream_mut(id)?.role, Role::Idle(_));
        let within = |most: i32| if (0..=most).contains(&number) { Ok(number) } else { Err(Errno::EINVAL) };
        match name {
            tcp::SAVE_SYN => {
                let save = within(2)? as u8;
                self.change_rare(id, |rare| rare.save_syn = save)
            }
            tcp::TX_DELAY => {
                let delay = within(MAX_TX_DELAY - 1)? as u32;
                self.change_rare(id, |rare| rare.tx_delay = delay)
            }
            // Without effect since Linux 4.15: RACK does better for every stream.
            tcp::THIN_DUPACK => within(1).map(|_| ()),
            // A connection cannot be taken out of the stack and put into another.
            tcp::QUEUE_SEQ if is_idle => Err(Errno::EINVAL),
            tcp::REPAIR | tcp::REPAIR_QUEUE | tcp::QUEUE_SEQ | tcp::REPAIR_WINDOW | tcp::TIMESTAMP => Err(Errno::EPERM),
            tcp::REPAIR_OPTIONS => Err(Errno::EINVAL),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    pub(super) fn get_tcp_rarity(&mut self, now: Instant, id: SocketId, name: i32, room: usize) -> Result<OptionValue> {
        let Socket::Stream(stream) = self.live(id)? else { return Err(Errno::ENOPROTOOPT) };
        let rare = stream.common.rare();
        Ok(match name {
            tcp::SAVE_SYN => OptionValue::Int(rare.save_syn.into()),
            tcp::SAVED_SYN => return self.take_saved_syn(id, room),
            tcp::TX_DELAY => OptionValue::Int(rare.tx_delay as i32),
            tcp::TIMESTAMP => {
                let clock = stream.flow().and_then(|flow| flow.connection.timestamp(now));
                OptionValue::Int(clock.unwrap_or_else(|| (now - Instant::ZERO).as_millis() as u32) as i32)
            }
            tcp::THIN_DUPACK | tcp::IS_MPTCP | tcp::REPAIR => OptionValue::Int(0),
            tcp::ULP => OptionValue::Bytes(Vec::new()),
            tcp::REPAIR_QUEUE | tcp::QUEUE_SEQ | tcp::REPAIR_WINDOW => return Err(Errno::EINVAL),
            // As for an address where no such socket is mapped: there is no memory to map into.
            tcp::ZEROCOPY_RECEIVE => return Err(Errno::EINVAL),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    /// The headers of the SYN that opened the connection, once.
    fn take_saved_syn(&mut self, id: SocketId, room: usize) -> Result<OptionValue> {
        let stream = self.stream_mut(id)?;
        let Some(saved) = stream.common.rare.as_mut().and_then(|rare| rare.saved_syn.take()) else {
            return Ok(OptionValue::Bytes(Vec::new()));
        };
        if room < saved.len() {
            stream.common.rare_mut().saved_syn = Some(saved);
            return Err(Errno::EINVAL);
        }
        Ok(OptionValue::Bytes(saved.into_vec()))
    }
}
