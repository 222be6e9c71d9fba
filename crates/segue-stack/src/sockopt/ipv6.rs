//! Options of `IPPROTO_IPV6`.
use core::net::{IpAddr, Ipv6Addr};

use segue_tcp::Instant;

use super::ip::{ECN_BITS, byte_or};
use super::numbers::ipv6;
use super::{OptionValue, int};
use crate::ip::flow_label::is_automatic;
use crate::message::decode_control;
use crate::socket::Socket;
use crate::socket::common::{Flags, MtuDiscovery};
use crate::socket::datagram::DatagramKind;
use crate::socket::rare::RareFlags;
use crate::socket::send_control::SendControl;
use crate::stack::{Result, Stack};
use crate::{Domain, Errno, IfaceId, SocketId};

/// RFC 8200 section 5.
const MIN_MTU: u32 = 1280;
/// `struct in6_pktinfo`.
const PACKET_INFO: usize = 20;
/// `IPV6_PREFER_SRC_*`: groups of which each value names at most one bit.
const PREFERENCES: [i32; 2] = [1 | 2 | 0x100, 4 | 0x400];
const GENERATED: i32 = 8 | 0x800;

/// Options that are a yes or no and nothing else.
enum Switch {
    Common(Flags),
    Rare(RareFlags),
    /// On unless it is switched off.
    Off(RareFlags),
    /// On or off, as the sysctl says, until it is switched.
    AutomaticLabel,
}

fn switch(name: i32) -> Option<Switch> {
    Some(match name {
        ipv6::RECVERR => Switch::Common(Flags::RECV_ERR6),
        ipv6::RECVPKTINFO => Switch::Common(Flags::RECV_PKT_INFO6),
        ipv6::RECVHOPLIMIT => Switch::Common(Flags::RECV_HOPLIMIT),
        ipv6::RECVTCLASS => Switch::Common(Flags::RECV_TCLASS),
        ipv6::RECVORIGDSTADDR => Switch::Common(Flags::RECV_ORIGINAL6),
        ipv6::RECVFRAGSIZE => Switch::Common(Flags::RECV_FRAGMENT_SIZE6),
        ipv6::FLOWINFO => Switch::Common(Flags::RECV_FLOW_INFO),
        ipv6::FREEBIND => Switch::Common(Flags::FREE_BIND),
        ipv6::TRANSPARENT => Switch::Common(Flags::TRANSPARENT),
        ipv6::OLD_PKTINFO => Switch::Rare(RareFlags::OLD_PACKET_INFO),
        ipv6::OLD_HOPLIMIT => Switch::Rare(RareFlags::OLD_HOP_LIMIT),
        ipv6::OLD_HOPOPTS => Switch::Rare(RareFlags::OLD_HOP_BY_HOP),
        ipv6::OLD_DSTOPTS => Switch::Rare(RareFlags::OLD_DESTINATION),
        ipv6::OLD_RTHDR => Switch::Rare(RareFlags::OLD_ROUTING),
        ipv6::RECVHOPOPTS => Switch::Rare(RareFlags::RECV_HOP_BY_HOP),
        ipv6::RECVDSTOPTS => Switch::Rare(RareFlags::RECV_DESTINATION),
        ipv6::RECVRTHDR => Switch::Rare(RareFlags::RECV_ROUTING),
        ipv6::RECVPATHMTU => Switch::Rare(RareFlags::RECV_PATH_MTU),
        ipv6::DONTFRAG => Switch::Rare(RareFlags::DONT_FRAGMENT6),
        ipv6::FLOWINFO_SEND => Switch::Rare(RareFlags::FLOW_INFO_SEND),
        ipv6::ROUTER_ALERT_ISOLATE => Switch::Rare(RareFlags::ROUTER_ALERT_ISOLATE),
        ipv6::RECVERR_RFC4884 => Switch::Rare(RareFlags::ERROR_STRUCTURE6),
        ipv6::MULTICAST_ALL => Switch::Off(RareFlags::MULTICAST_ALL6_OFF),
        ipv6::MULTICAST_LOOP => Switch::Off(RareFlags::MULTICAST_LOOP6_OFF),
        ipv6::AUTOFLOWLABEL => Switch::AutomaticLabel,
        _ => return None,
    })
}

/// Switches that take 0 and 1 and nothing else.
fn is_strict(name: i32) -> bool {
    matches!(name, ipv6::RECVERR_RFC4884 | ipv6::MULTICAST_LOOP)
}

/// Switches that take a short value for 0.
fn may_be_short(name: i32) -> bool {
    matches!(name, ipv6::DONTFRAG | ipv6::AUTOFLOWLABEL | ipv6::RECVFRAGSIZE)
}

impl Stack {
    pub(super) fn set_ipv6_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        if let Some(switch) = switch(name) {
            let given = match int(value) {
                Err(_) if may_be_short(name) => 0,
                given => given?,
            };
            if is_strict(name) && !(0..=1).contains(&given) {
                return Err(Errno::EINVAL);
            }
            let on = given != 0;
            return match switch {
                Switch::Common(flag) => {
                    if flag == Flags::RECV_ERR6 && !on {
                        self.purge_errors(id)?;
                    }
                    self.set_flag(id, flag, on)
                }
                Switch::Rare(flag) => self.change_rare(id, |rare| rare.flags.set(flag, on)),
                Switch::Off(flag) => self.change_rare(id, |rare| rare.flags.set(flag, !on)),
                Switch::AutomaticLabel => self.change_rare(id, |rare| {
                    rare.flags.set(RareFlags::AUTO_FLOW_LABEL_ON, on);
                    rare.flags.set(RareFlags::AUTO_FLOW_LABEL_OFF, !on);
                }),
            };
        }
        match self.set_v6_group_option(id, name, value) {
            Some(result) => result,
            None => self.set_ipv6_value(id, name, value),
        }
    }

    fn set_ipv6_value(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let is_stream = matches!(self.live(id)?, Socket::Stream(_));
        let common = self.live_mut(id)?.common_mut();
        match name {
            ipv6::V6ONLY => {
                // As Linux: only before the socket has a port.
                let on = int(value)? != 0;
                if common.port != 0 {
                    return Err(Errno::EINVAL);
                }
                common.flags.set(Flags::V6_ONLY, on);
                Ok(())
            }
            ipv6::UNICAST_HOPS => {
                common.hops = match int(value)? {
                    -1 => None,
                    hops => Some(byte_or(hops, 0)?),
                };
                Ok(())
            }
            ipv6::TCLASS => {
                let class = byte_or(int(value)?, 0)?;
                common.traffic_class =
                    if is_stream { class & !ECN_BITS | common.traffic_class & ECN_BITS } else { class };
                Ok(())
            }
            ipv6::MTU_DISCOVER => {
                common.discovery6 = MtuDiscovery::from_number(int(value)?).ok_or(Errno::EINVAL)?;
                Ok(())
            }
            ipv6::MTU => {
                let mtu = u32::try_from(int(value)?).map_err(|_| Errno::EINVAL)?;
                if mtu != 0 && mtu < MIN_MTU {
                    return Err(Errno::EINVAL);
                }
                self.change_rare(id, |rare| rare.fragment_size = mtu)
            }
            ipv6::MINHOPCOUNT => {
                let hops = u8::try_from(int(value)?).map_err(|_| Errno::EINVAL)?;
                self.change_rare(id, |rare| rare.min_hops = hops)
            }
            ipv6::UNICAST_IF => {
                let iface = self.iface_in_network_order(value)?;
                self.change_rare(id, |rare| rare.unicast_if6 = iface)
            }
            ipv6::ADDR_PREFERENCES => self.set_preferences(id, int(value)?),
            ipv6::PKTINFO => self.set_sticky_source(id, value),
            ipv6::ADDRFORM => self.set_address_form(id, int(value)?),
            ipv6::OLD_PKTOPTIONS => self.set_old_options(id, value),
            ipv6::HOPOPTS | ipv6::RTHDRDSTOPTS | ipv6::DSTOPTS | ipv6::RTHDR => match value {
                [] => Ok(()),
                // Packets are sent without extension headers: what cannot be done is not promised.
                [..] if value.len().is_multiple_of(8) && name != ipv6::RTHDR => Err(Errno::EPERM),
                [..] => Err(Errno::EINVAL),
            },
            // There is no IPsec; what Linux answers to what is no policy.
            ipv6::IPSEC_POLICY | ipv6::XFRM_POLICY if value.is_empty() => Err(Errno::EMSGSIZE),
            ipv6::IPSEC_POLICY => Err(Errno::EOPNOTSUPP),
            ipv6::XFRM_POLICY => Err(Errno::EINVAL),
            ipv6::ROUTER_ALERT => int(value).and(Err(Errno::ENOPROTOOPT)),
            ipv6::JOIN_ANYCAST | ipv6::LEAVE_ANYCAST | ipv6::FLOWLABEL_MGR => Err(Errno::EINVAL),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    /// RFC 2292 section 4: control messages for all that is sent. As on Linux those that name source or hop limit hold for
    /// one call only; the others are refused like the options of their own.
    fn set_old_options(&self, id: SocketId, value: &[u8]) -> Result<()> {
        let messages = decode_control(value).map_err(|_| Errno::EINVAL)?;
        SendControl::check_sticky(self, id, &messages)
    }

    fn set_preferences(&mut self, id: SocketId, asked: i32) -> Result<()> {
        let mut preferences = self.live(id)?.common().rare().source_preferences;
        for group in PREFERENCES {
            let chosen = asked & group;
            if chosen.count_ones() > 1 {
                return Err(Errno::EINVAL);
            }
            if chosen != 0 {
                preferences = preferences & !group | chosen;
            }
        }
        // As Linux: generated addresses are neither sought nor avoided.
        if (asked & GENERATED).count_ones() > 1 {
            return Err(Errno::EINVAL);
        }
        self.change_rare(id, |rare| rare.source_preferences = preferences)
    }

    fn set_sticky_source(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let (Some(octets), PACKET_INFO) = (value.first_chunk::<16>(), value.len()) else { return Err(Errno::EINVAL) };
        let address = Ipv6Addr::from(*octets);
        let iface = IfaceId::from_number(int(&value[16..])? as u32);
        let sticky = (!address.is_unspecified() || iface.is_some()).then_some((address, iface));
        self.change_rare(id, |rare| rare.sticky_source = sticky)
    }

    /// Turning a socket into one of `AF_INET` is not done; what else Linux answers.
    fn set_address_form(&mut self, id: SocketId, family: i32) -> Result<()> {
        const AF_INET: i32 = 2;
        let peer = self.peer_name(id);
        match (self.live(id)?, family) {
            (_, family) if family != AF_INET => Err(Errno::EINVAL),
            (Socket::Datagram(datagram), _) if datagram.kind == DatagramKind::Ping => Err(Errno::ENOPROTOOPT),
            _ => match peer?.ip() {
                IpAddr::V6(peer) if peer.to_ipv4_mapped().is_some() => Err(Errno::EBUSY),
                _ => Err(Errno::EADDRNOTAVAIL),
            },
        }
    }

    pub(super) fn get_ipv6_option(
        &mut self,
        now: Instant,
        id: SocketId,
        name: i32,
        given: &[u8],
    ) -> Result<OptionValue> {
        let (hop_limit, auto_flow_labels) = (self.settings.ip.hop_limit, self.settings.ip.auto_flow_labels);
        let socket = self.live(id)?;
        let is_stream = matches!(socket, Socket::Stream(_));
        let common = socket.common();
        let rare = common.rare();
        if let Some(switch) = switch(name) {
            return Ok(match switch {
                Switch::Common(flag) => common.has(flag).into(),
                Switch::Rare(flag) => rare.flags.contains(flag).into(),
                Switch::Off(flag) => (!rare.flags.contains(flag)).into(),
                Switch::AutomaticLabel => is_automatic(common, auto_flow_labels).into(),
            });
        }
        let number = |iface: Option<IfaceId>| iface.map_or(0, IfaceId::number);
        Ok(match name {
            ipv6::V6ONLY => common.has(Flags::V6_ONLY).into(),
            ipv6::UNICAST_HOPS => OptionValue::Int(common.hops.unwrap_or(hop_limit).into()),
            ipv6::TCLASS => OptionValue::Int(common.traffic_class.into()),
            ipv6::MTU_DISCOVER => OptionValue::Int(common.discovery6.number()),
            ipv6::MTU => OptionValue::Int(self.path_mtu(now, id)?),
            ipv6::PATHMTU => self.path_mtu_info(now, id, given.len())?,
            ipv6::MULTICAST_HOPS => OptionValue::Int(rare.multicast_hops.into()),
            ipv6::MULTICAST_IF => OptionValue::Int(number(rare.multicast_if6) as i32),
            ipv6::MCAST_MSFILTER => self.get_source_filter(id, Domain::Inet6, name, given)?,
            ipv6::MINHOPCOUNT => OptionValue::Int(rare.min_hops.into()),
            ipv6::UNICAST_IF => OptionValue::Int(number(rare.unicast_if6).swap_bytes() as i32),
            ipv6::ADDR_PREFERENCES => OptionValue::Int(rare.source_preferences),
            ipv6::ADDRFORM => {
                let is_ping = matches!(socket, Socket::Datagram(datagram) if datagram.kind == DatagramKind::Ping);
                if is_ping {
                    return Err(Errno::ENOPROTOOPT);
                }
                self.peer_name(id)?;
                OptionValue::Int(10)
            }
            ipv6::HOPOPTS | ipv6::RTHDRDSTOPTS | ipv6::RTHDR | ipv6::DSTOPTS => OptionValue::Bytes(Vec::new()),
            ipv6::OLD_PKTOPTIONS if is_stream => OptionValue::Bytes(Vec::new()),
            ipv6::ROUTER_ALERT => OptionValue::Int(0),
            ipv6::FLOWLABEL_MGR => return Err(Errno::EINVAL),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    /// `struct ip6_mtuinfo`: no address, the path's MTU.
    fn path_mtu_info(&self, now: Instant, id: SocketId, room: usize) -> Result<OptionValue> {
        const LEN: usize = 32;
        if room < LEN {
            return Err(Errno::EINVAL);
        }
        let mtu = self.path_mtu(now, id)? as u32;
        let mut info = vec![0; LEN];
        info[LEN - 4..].copy_from_slice(&mtu.to_ne_bytes());
        Ok(OptionValue::Bytes(info))
    }
}
