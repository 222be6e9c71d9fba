//! Options of `IPPROTO_IP` and `IPPROTO_IPV6`. As Linux, the former also apply to `AF_INET6` sockets, for their IPv4.
use segue_tcp::Instant;

use super::numbers::{ip, ipv6};
use super::{OptionValue, flag, int, int_or_byte};
use crate::socket::Socket;
use crate::socket::common::{Flags, MtuDiscovery};
use crate::stack::{Result, Stack};
use crate::{Errno, SocketId};

/// The two bits of TOS that belong to ECN (RFC 3168), which a TCP socket's owner cannot set.
const ECN_BITS: u8 = 3;
/// RFC 8200 section 5.
const MIN_MTU_V6: u32 = 1280;

impl Stack {
    pub(super) fn set_ip_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let is_stream = matches!(self.live(id)?, Socket::Stream(_));
        let number = int_or_byte(value)?;
        let common = self.live_mut(id)?.common_mut();
        match name {
            ip::TOS => {
                let tos = number as u8;
                common.tos = if is_stream { tos & !ECN_BITS | common.tos & ECN_BITS } else { tos };
                Ok(())
            }
            ip::TTL => {
                common.ttl = match number {
                    -1 => None,
                    1..=255 => Some(number as u8),
                    _ => return Err(Errno::EINVAL),
                };
                Ok(())
            }
            ip::MTU_DISCOVER => {
                common.discovery = MtuDiscovery::from_number(number).ok_or(Errno::EINVAL)?;
                Ok(())
            }
            ip::MULTICAST_TTL if is_stream => Err(Errno::EINVAL),
            ip::MULTICAST_TTL => {
                let ttl = match number {
                    -1 => 1,
                    0..=255 => number as u8,
                    _ => return Err(Errno::EINVAL),
                };
                self.change_rare(id, |rare| rare.multicast_ttl = ttl)
            }
            ip::MULTICAST_LOOP => self.set_flag(id, Flags::MULTICAST_LOOP_OFF, number == 0),
            _ => self.set_flag(id, ip_flag(name).ok_or(Errno::ENOPROTOOPT)?, number != 0),
        }
    }

    pub(super) fn get_ip_option(&mut self, now: Instant, id: SocketId, name: i32) -> Result<OptionValue> {
        let default_ttl = self.settings.ip.default_ttl;
        let common = self.live(id)?.common();
        Ok(match name {
            ip::TOS => OptionValue::Int(common.tos.into()),
            ip::TTL => OptionValue::Int(common.ttl.unwrap_or(default_ttl).into()),
            ip::MTU_DISCOVER => OptionValue::Int(common.discovery.number()),
            ip::MTU => OptionValue::Int(self.path_mtu(now, id)?),
            ip::MULTICAST_TTL => OptionValue::Int(common.rare().multicast_ttl.into()),
            ip::MULTICAST_LOOP => (!common.has(Flags::MULTICAST_LOOP_OFF)).into(),
            _ => common.has(ip_flag(name).ok_or(Errno::ENOPROTOOPT)?).into(),
        })
    }

    pub(super) fn set_ipv6_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let is_stream = matches!(self.live(id)?, Socket::Stream(_));
        let is_known = is_ipv6_number(name) || ipv6_flag(name).is_some();
        if !is_known || (is_stream && name == ipv6::MULTICAST_HOPS) {
            return Err(Errno::ENOPROTOOPT);
        }
        let number = int(value)?;
        let common = self.live_mut(id)?.common_mut();
        match name {
            ipv6::V6ONLY => {
                // As Linux: only before the socket has a port.
                if common.port != 0 {
                    return Err(Errno::EINVAL);
                }
                common.flags.set(Flags::V6_ONLY, flag(value)?);
                Ok(())
            }
            ipv6::UNICAST_HOPS => {
                common.hops = match number {
                    -1 => None,
                    0..=255 => Some(number as u8),
                    _ => return Err(Errno::EINVAL),
                };
                Ok(())
            }
            ipv6::TCLASS => {
                let class = match number {
                    -1 => 0,
                    0..=255 => number as u8,
                    _ => return Err(Errno::EINVAL),
                };
                common.traffic_class =
                    if is_stream { class & !ECN_BITS | common.traffic_class & ECN_BITS } else { class };
                Ok(())
            }
            ipv6::MTU_DISCOVER => {
                common.discovery6 = MtuDiscovery::from_number(number).ok_or(Errno::EINVAL)?;
                Ok(())
            }
            ipv6::MULTICAST_HOPS => {
                let hops = match number {
                    -1 => 1,
                    0..=255 => number as u8,
                    _ => return Err(Errno::EINVAL),
                };
                self.change_rare(id, |rare| rare.multicast_ttl = hops)
            }
            ipv6::MULTICAST_LOOP if !(0..=1).contains(&number) => Err(Errno::EINVAL),
            ipv6::MULTICAST_LOOP => self.set_flag(id, Flags::MULTICAST_LOOP_OFF, number == 0),
            ipv6::MTU => {
                let mtu = u32::try_from(number).map_err(|_| Errno::EINVAL)?;
                if mtu != 0 && mtu < MIN_MTU_V6 {
                    return Err(Errno::EINVAL);
                }
                self.change_rare(id, |rare| rare.fragment_size = mtu)
            }
            _ => self.set_flag(id, ipv6_flag(name).ok_or(Errno::ENOPROTOOPT)?, number != 0),
        }
    }

    pub(super) fn get_ipv6_option(&mut self, now: Instant, id: SocketId, name: i32) -> Result<OptionValue> {
        let hop_limit = self.settings.ip.hop_limit;
        let common = self.live(id)?.common();
        Ok(match name {
            ipv6::V6ONLY => common.has(Flags::V6_ONLY).into(),
            ipv6::UNICAST_HOPS => OptionValue::Int(common.hops.unwrap_or(hop_limit).into()),
            ipv6::TCLASS => OptionValue::Int(common.traffic_class.into()),
            ipv6::MTU_DISCOVER => OptionValue::Int(common.discovery6.number()),
            ipv6::MTU => OptionValue::Int(self.path_mtu(now, id)?),
            ipv6::MULTICAST_HOPS => OptionValue::Int(common.rare().multicast_ttl.into()),
            ipv6::MULTICAST_LOOP => (!common.has(Flags::MULTICAST_LOOP_OFF)).into(),
            _ => common.has(ipv6_flag(name).ok_or(Errno::ENOPROTOOPT)?).into(),
        })
    }

    /// What is known of the path to the peer; without a peer `ENOTCONN`.
    fn path_mtu(&self, now: Instant, id: SocketId) -> Result<i32> {
        let socket = self.live(id)?;
        let peer = match socket {
            Socket::Stream(stream) => stream.flow().map(|flow| flow.tuple.peer),
            Socket::Datagram(datagram) => datagram.peer.map(|peer| peer.ip()),
        };
        let way = self.net.way_without_source(now, peer.ok_or(Errno::ENOTCONN)?, socket.common().pinned)?;
        Ok(way.mtu as i32)
    }
}

/// Options that are a yes or no and nothing else.
fn ip_flag(name: i32) -> Option<Flags> {
    Some(match name {
        ip::PKTINFO => Flags::PKT_INFO,
        ip::RECVERR => Flags::RECV_ERR,
        ip::RECVTTL => Flags::RECV_TTL,
        ip::RECVTOS => Flags::RECV_TOS,
        ip::RECVORIGDSTADDR => Flags::RECV_ORIGINAL,
        ip::FREEBIND => Flags::FREE_BIND,
        ip::TRANSPARENT => Flags::TRANSPARENT,
        ip::BIND_ADDRESS_NO_PORT => Flags::BIND_ADDRESS_NO_PORT,
        _ => return None,
    })
}

/// Options that are more than a yes or no.
fn is_ipv6_number(name: i32) -> bool {
    matches!(
        name,
        ipv6::V6ONLY
            | ipv6::UNICAST_HOPS
            | ipv6::TCLASS
            | ipv6::MTU_DISCOVER
            | ipv6::MTU
            | ipv6::MULTICAST_HOPS
            | ipv6::MULTICAST_LOOP
    )
}

fn ipv6_flag(name: i32) -> Option<Flags> {
    Some(match name {
        ipv6::RECVERR => Flags::RECV_ERR6,
        ipv6::RECVPKTINFO => Flags::RECV_PKT_INFO6,
        ipv6::RECVHOPLIMIT => Flags::RECV_HOPLIMIT,
        ipv6::RECVTCLASS => Flags::RECV_TCLASS,
        ipv6::RECVORIGDSTADDR => Flags::RECV_ORIGINAL6,
        ipv6::FREEBIND => Flags::FREE_BIND,
        ipv6::TRANSPARENT => Flags::TRANSPARENT,
        _ => return None,
    })
}
