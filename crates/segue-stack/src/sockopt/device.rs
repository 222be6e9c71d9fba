//! `SO_BINDTODEVICE` and its kind: which interface a socket is confined to; and `SO_PEERNAME`, `SO_TXTIME`.
use core::net::SocketAddr;

use super::{OptionValue, int};
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::stack::{Result, Stack};
use crate::tcp::listeners::Place;
use crate::{Errno, IfaceId, SocketId};

/// Room for an interface's name with its zero.
const NAME: usize = 16;
/// `SOF_TXTIME_*`.
const TX_TIME_FLAGS: u32 = 3;
/// `CLOCK_REALTIME`, `CLOCK_MONOTONIC`, `CLOCK_TAI`.
const CLOCKS: [i32; 3] = [0, 1, 11];

impl Stack {
    /// The name of an interface; no name: any.
    pub(super) fn bind_to_device(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let name = value.get(..NAME - 1).unwrap_or(value).split(|byte| *byte == 0).next().unwrap_or_default();
        let iface = match name {
            [] => None,
            name => Some(self.net.iface_named(name).ok_or(Errno::ENODEV)?),
        };
        self.confine(id, iface)
    }

    /// The number of an interface; 0: any.
    pub(super) fn bind_to_interface(&mut self, id: SocketId, number: i32) -> Result<()> {
        let number = u32::try_from(number).map_err(|_| Errno::EINVAL)?;
        self.confine(id, IfaceId::from_number(number))
    }

    fn confine(&mut self, id: SocketId, iface: Option<IfaceId>) -> Result<()> {
        self.live(id)?;
        self.change_claim(id.index, |common| {
            common.rare_mut().device = iface;
            common.flags.set(Flags::CONFINED, iface.is_some());
        });
        if let Socket::Stream(stream) = self.live(id)?
            && stream.listener().is_some()
        {
            let (port, place) = (stream.common.port, Place::of(&stream.common));
            self.tcp.listeners.remove(port, id.index);
            self.tcp.listeners.add(port, place, id.index);
        }
        Ok(())
    }

    pub(super) fn device_name(&self, id: SocketId, room: usize) -> Result<OptionValue> {
        let Some(iface) = self.live(id)?.common().rare().device else { return Ok(OptionValue::Bytes(Vec::new())) };
        if room < NAME {
            return Err(Errno::EINVAL);
        }
        let config = self.net.iface(iface).ok_or(Errno::ENODEV)?;
        let mut name = config.name.as_bytes().to_vec();
        name.truncate(NAME - 1);
        name.push(0);
        Ok(OptionValue::Bytes(name))
    }

    /// `SO_PEERNAME`: as getpeername(2), but with room for no more than there is.
    pub(super) fn peer_name_bytes(&self, id: SocketId, room: usize) -> Result<OptionValue> {
        let name = match self.peer_name(id)? {
            SocketAddr::V4(peer) => {
                [&2u16.to_ne_bytes()[..], &peer.port().to_be_bytes(), &peer.ip().octets(), &[0; 8]].concat()
            }
            SocketAddr::V6(peer) => [
                &10u16.to_ne_bytes()[..],
                &peer.port().to_be_bytes(),
                &peer.flowinfo().to_be_bytes(),
                &peer.ip().octets(),
                &peer.scope_id().to_ne_bytes(),
            ]
            .concat(),
        };
        if room > name.len() {
            return Err(Errno::EINVAL);
        }
        Ok(OptionValue::Bytes(name))
    }

    /// `struct sock_txtime`: the clock of `SCM_TXTIME`, and flags, which are kept: as on Linux, whose fair queue (fq) sends in
    /// time and knows of no deadlines to be missed.
    pub(super) fn set_tx_time(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        if value.len() != 8 {
            return Err(Errno::EINVAL);
        }
        let (clock, flags) = (int(value)?, int(&value[4..])? as u32);
        if flags & !TX_TIME_FLAGS != 0 || !CLOCKS.contains(&clock) {
            return Err(Errno::EINVAL);
        }
        self.set_flag(id, Flags::TX_TIME, true)?;
        self.change_rare(id, |rare| rare.tx_time = (clock, flags))
    }
}
