//! Options of `IPPROTO_UDP`.
use segue_tcp::Instant;

use super::numbers::udp;
use super::{OptionValue, int};
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::socket::datagram::DatagramKind;
use crate::socket::rare::RareFlags;
use crate::stack::{Result, Stack};
use crate::{Errno, SocketId};

impl Stack {
    pub(super) fn is_udp(&self, id: SocketId) -> bool {
        matches!(self.live(id), Ok(Socket::Datagram(datagram)) if datagram.kind == DatagramKind::Udp)
    }

    pub(super) fn set_udp_option(&mut self, now: Instant, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let number = int(value)?;
        match name {
            udp::CORK => {
                self.set_flag(id, Flags::CORK, number != 0)?;
                if number == 0 { self.flush_cork(now, id) } else { Ok(()) }
            }
            udp::SEGMENT => {
                let size = u16::try_from(number).map_err(|_| Errno::EINVAL)?;
                self.change_rare(id, |rare| rare.udp_segment = size)
            }
            udp::GRO => self.set_flag(id, Flags::GRO, number != 0),
            udp::NO_CHECK6_TX => self.change_rare(id, |rare| rare.flags.set(RareFlags::NO_CHECK6_TX, number != 0)),
            udp::NO_CHECK6_RX => self.change_rare(id, |rare| rare.flags.set(RareFlags::NO_CHECK6_RX, number != 0)),
            udp::ENCAP if number == 0 => Ok(()),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    pub(super) fn get_udp_option(&mut self, id: SocketId, name: i32) -> Result<OptionValue> {
        let common = self.live(id)?.common();
        Ok(match name {
            udp::CORK => common.has(Flags::CORK).into(),
            udp::SEGMENT => OptionValue::Int(common.rare().udp_segment.into()),
            udp::GRO => common.has(Flags::GRO).into(),
            udp::NO_CHECK6_TX => common.rare().flags.contains(RareFlags::NO_CHECK6_TX).into(),
            udp::NO_CHECK6_RX => common.rare().flags.contains(RareFlags::NO_CHECK6_RX).into(),
            // Nothing is carried in UDP but datagrams, and they are covered whole by their checksum.
            udp::ENCAP | udp::LITE_SEND_CSCOV | udp::LITE_RECV_CSCOV => OptionValue::Int(0),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }
}
