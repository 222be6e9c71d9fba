//! Options of `IPPROTO_IP`. As Linux, they also apply to `AF_INET6` sockets, for their IPv4.
use segue_tcp::Instant;

use super::numbers::ip;
use super::{OptionValue, int};
use crate::socket::Socket;
use crate::socket::common::{Flags, MtuDiscovery};
use crate::socket::rare::RareFlags;
use crate::stack::{Result, Stack};
use crate::{Domain, Errno, IfaceId, SocketId};

/// The two bits of TOS that belong to ECN (RFC 3168), which a TCP socket's owner cannot set.
pub(super) const ECN_BITS: u8 = 3;
/// The largest value of `IP_OPTIONS` (RFC 791: the header has at most 60 bytes).
const MAX_OPTIONS: usize = 40;

/// Options that are a yes or no and nothing else.
enum Switch {
    Common(Flags),
    Rare(RareFlags),
    /// On at first on `AF_INET`, off on `AF_INET6`; the flag says that it was changed.
    Changed(RareFlags),
}

/// What a switch does; `true`: it takes a value of no bytes for 0.
fn switch(name: i32) -> Option<(Switch, bool)> {
    Some(match name {
        ip::PKTINFO => (Switch::Common(Flags::PKT_INFO), true),
        ip::RECVERR => (Switch::Common(Flags::RECV_ERR), true),
        ip::RECVTTL => (Switch::Common(Flags::RECV_TTL), true),
        ip::RECVTOS => (Switch::Common(Flags::RECV_TOS), true),
        ip::RECVORIGDSTADDR => (Switch::Common(Flags::RECV_ORIGINAL), true),
        ip::RECVFRAGSIZE => (Switch::Common(Flags::RECV_FRAGMENT_SIZE), true),
        ip::BIND_ADDRESS_NO_PORT => (Switch::Common(Flags::BIND_ADDRESS_NO_PORT), true),
        ip::FREEBIND => (Switch::Common(Flags::FREE_BIND), false),
        ip::TRANSPARENT => (Switch::Common(Flags::TRANSPARENT), false),
        ip::RECVOPTS => (Switch::Rare(RareFlags::RECV_OPTIONS), true),
        ip::PASSSEC => (Switch::Rare(RareFlags::PASS_SECURITY), true),
        ip::CHECKSUM => (Switch::Rare(RareFlags::CHECKSUM), true),
        ip::RECVERR_RFC4884 => (Switch::Rare(RareFlags::ERROR_STRUCTURE), true),
        ip::MULTICAST_ALL => (Switch::Changed(RareFlags::MULTICAST_ALL_CHANGED), false),
        _ => return None,
    })
}

/// As Linux at this level: an `int`, or one byte in its place.
fn number(value: &[u8]) -> Option<i32> {
    int(value).ok().or_else(|| value.first().map(|byte| i32::from(*byte)))
}

/// One byte; -1: what it was at first.
pub(super) fn byte_or(number: i32, default: u8) -> Result<u8> {
    match number {
        -1 => Ok(default),
        0..=255 => Ok(number as u8),
        _ => Err(Errno::EINVAL),
    }
}

impl Stack {
    pub(super) fn set_ip_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let is_stream = matches!(self.live(id)?, Socket::Stream(_));
        if let Some((switch, may_be_empty)) = switch(name) {
            return self.set_ip_switch(id, name, switch, may_be_empty, value);
        }
        if let Some(result) = self.set_v4_group_option(id, name, value) {
            return result;
        }
        if name == ip::OPTIONS && is_stream {
            return self.set_ip_options(id, value);
        }
        let given = number(value);
        let common = self.live_mut(id)?.common_mut();
        match name {
            ip::TOS => {
                let tos = given.unwrap_or(0) as u8;
                common.tos = if is_stream { tos & !ECN_BITS | common.tos & ECN_BITS } else { tos };
                Ok(())
            }
            ip::TTL => {
                common.ttl = match given.unwrap_or(0) {
                    -1 => None,
                    ttl @ 1..=255 => Some(ttl as u8),
                    _ => return Err(Errno::EINVAL),
                };
                Ok(())
            }
            ip::MTU_DISCOVER => {
                common.discovery = MtuDiscovery::from_number(given.unwrap_or(0)).ok_or(Errno::EINVAL)?;
                Ok(())
            }
            ip::MINTTL => {
                let ttl = u8::try_from(given.ok_or(Errno::EINVAL)?).map_err(|_| Errno::EINVAL)?;
                self.change_rare(id, |rare| rare.min_ttl = ttl)
            }
            ip::UNICAST_IF => {
                let iface = self.iface_in_network_order(value)?;
                self.change_rare(id, |rare| rare.unicast_if = iface)
            }
            ip::LOCAL_PORT_RANGE => self.set_port_range(id, value),
            ip::OPTIONS => match value.len() {
                0 => Ok(()),
                // Packets are sent without options: what cannot be done is not promised.
                1..=MAX_OPTIONS => Err(Errno::EPERM),
                _ => Err(Errno::EINVAL),
            },
            // There is no IPsec; what Linux answers to what is no policy.
            ip::IPSEC_POLICY | ip::XFRM_POLICY if value.is_empty() => Err(Errno::EMSGSIZE),
            ip::XFRM_POLICY if common.domain == Domain::Inet => Err(Errno::EINVAL),
            ip::IPSEC_POLICY | ip::XFRM_POLICY => Err(Errno::EOPNOTSUPP),
            // They would be for IP_OPTIONS, which datagrams leave without.
            ip::RETOPTS => Err(Errno::ENOPROTOOPT),
            // Only for raw sockets.
            ip::ROUTER_ALERT => Err(Errno::EINVAL),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    fn set_ip_switch(
        &mut self,
        id: SocketId,
        name: i32,
        switch: Switch,
        may_be_empty: bool,
        value: &[u8],
    ) -> Result<()> {
        let given = number(value);
        if given.is_none() && !may_be_empty {
            return Err(Errno::EINVAL);
        }
        let given = given.unwrap_or(0);
        let is_strict = matches!(name, ip::RECVERR_RFC4884 | ip::MULTICAST_ALL);
        let is_stream = matches!(self.live(id)?, Socket::Stream(_));
        if (is_strict && !(0..=1).contains(&given)) || (name == ip::RECVFRAGSIZE && is_stream) {
            return Err(Errno::EINVAL);
        }
        let on = given != 0;
        match switch {
            Switch::Common(flag) => {
                // As Linux: whoever wants no errors any more has no use for those that wait.
                if flag == Flags::RECV_ERR && !on {
                    self.purge_errors(id)?;
                }
                self.set_flag(id, flag, on)
            }
            Switch::Rare(flag) => self.change_rare(id, |rare| rare.flags.set(flag, on)),
            Switch::Changed(flag) => {
                let is_first = self.live(id)?.common().domain == Domain::Inet;
                self.change_rare(id, |rare| rare.flags.set(flag, on != is_first))
            }
        }
    }

    /// `IP_RECVERR` is switched off: what waits in the error queue is thrown away.
    pub(super) fn purge_errors(&mut self, id: SocketId) -> Result<()> {
        if let Some(rare) = &mut self.live_mut(id)?.common_mut().rare {
            rare.errors = crate::socket::error_queue::ErrorQueue::new();
        }
        Ok(())
    }

    /// The interface that a number in network byte order names; 0: none.
    pub(super) fn iface_in_network_order(&self, value: &[u8]) -> Result<Option<IfaceId>> {
        let [a, b, c, d] = *value else { return Err(Errno::EINVAL) };
        let iface = IfaceId::from_number(u32::from_be_bytes([a, b, c, d]));
        match iface {
            Some(iface) if self.net.iface(iface).is_none() => Err(Errno::EADDRNOTAVAIL),
            iface => Ok(iface),
        }
    }

    fn set_port_range(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let &[a, b, c, d] = value else { return Err(Errno::EINVAL) };
        let (low, high) = (u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d]));
        if low != 0 && high != 0 && low > high {
            return Err(Errno::EINVAL);
        }
        self.change_rare(id, |rare| rare.port_range = (low, high))
    }

    pub(super) fn get_ip_option(&mut self, now: Instant, id: SocketId, name: i32, given: &[u8]) -> Result<OptionValue> {
        let default_ttl = self.settings.ip.default_ttl;
        let socket = self.live(id)?;
        let is_stream = matches!(socket, Socket::Stream(_));
        let common = socket.common();
        let rare = common.rare();
        if let Some((switch, _)) = switch(name) {
            return Ok(match switch {
                Switch::Common(flag) => common.has(flag).into(),
                Switch::Rare(flag) => rare.flags.contains(flag).into(),
                Switch::Changed(flag) => (rare.flags.contains(flag) != (common.domain == Domain::Inet)).into(),
            });
        }
        let index = |iface: Option<IfaceId>| OptionValue::Int(iface.map_or(0, IfaceId::number).swap_bytes() as i32);
        Ok(match name {
            ip::OPTIONS if is_stream => OptionValue::Bytes(self.ip_options(id)?),
            ip::TOS => OptionValue::Int(common.tos.into()),
            ip::TTL => OptionValue::Int(common.ttl.unwrap_or(default_ttl).into()),
            ip::MTU_DISCOVER => OptionValue::Int(common.discovery.number()),
            ip::MTU => OptionValue::Int(self.path_mtu(now, id)?),
            ip::MINTTL => OptionValue::Int(rare.min_ttl.into()),
            ip::MULTICAST_TTL => OptionValue::Int(rare.multicast_ttl.into()),
            ip::MULTICAST_LOOP => (!common.has(Flags::MULTICAST_LOOP_OFF)).into(),
            ip::MULTICAST_IF => OptionValue::Bytes(rare.multicast_if.1.octets().to_vec()),
            ip::MSFILTER | ip::MCAST_MSFILTER => self.get_source_filter(id, Domain::Inet, name, given)?,
            ip::UNICAST_IF => index(rare.unicast_if),
            ip::LOCAL_PORT_RANGE => {
                let (low, high) = rare.port_range;
                OptionValue::Int((u32::from(low) | u32::from(high) << 16) as i32)
            }
            // Of raw sockets only.
            ip::HDRINCL | ip::ROUTER_ALERT | ip::NODEFRAG => OptionValue::Int(0),
            ip::PROTOCOL => OptionValue::Int(common.port.into()),
            ip::OPTIONS => OptionValue::Bytes(Vec::new()),
            ip::PKTOPTIONS if is_stream => OptionValue::Bytes(Vec::new()),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    /// What is known of the path to the peer; without a peer `ENOTCONN`.
    pub(super) fn path_mtu(&self, now: Instant, id: SocketId) -> Result<i32> {
        let socket = self.live(id)?;
        let peer = match socket {
            Socket::Stream(stream) => stream.flow().map(|flow| flow.tuple.peer),
            Socket::Datagram(datagram) => datagram.peer.map(|peer| peer.ip()),
        };
        let peer = peer.ok_or(Errno::ENOTCONN)?;
        let way = self.net.way_without_source(now, peer, socket.common().leaves_by(&self.net, peer))?;
        Ok(way.mtu as i32)
    }
}
