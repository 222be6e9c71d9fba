//! Options about multicast: joining and leaving groups, sources, and how datagrams to groups leave.
//!
//! Decides how the structures of both levels are read (ip(7), RFC 3678) and which interface they mean. What a membership
//! does is in `socket::groups`.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ip::byte_or;
use super::numbers::{ip, ipv6};
use super::{OptionValue, int};
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::socket::groups::{Filter, Membership, SourceChange};
use crate::stack::{Result, Stack};
use crate::{Domain, Errno, IfaceId, SocketId};

/// `struct ip_mreq`, `struct ip_mreqn`, `struct ip_mreq_source`, `struct ipv6_mreq`.
const MREQ: usize = 8;
const MREQN: usize = 12;
const MREQ_SOURCE: usize = 12;
const MREQ6: usize = 20;
/// `struct group_req` and `struct group_source_req`: a number, then addresses of 128 bytes each at multiples of 8.
const GROUP_REQ: usize = 136;
const GROUP_SOURCE_REQ: usize = 264;
pub(super) const STORAGE: usize = 128;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
/// `MCAST_EXCLUDE` and `MCAST_INCLUDE`.
const EXCLUDE: u32 = 0;
const INCLUDE: u32 = 1;

/// How an option names an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Number(u32),
    Address(Ipv4Addr),
}

fn v4_at(value: &[u8], at: usize) -> Option<Ipv4Addr> {
    value.get(at..at + 4)?.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets))
}

fn number_at(value: &[u8], at: usize) -> Option<u32> {
    value.get(at..at + 4)?.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes))
}

/// The address in a `struct sockaddr_storage`.
pub(super) fn storage_at(value: &[u8], at: usize) -> Option<IpAddr> {
    let storage = value.get(at..at + STORAGE)?;
    match storage.first_chunk::<2>().map(|family| u16::from_ne_bytes(*family))? {
        AF_INET => v4_at(storage, 4).map(IpAddr::V4),
        AF_INET6 => storage.get(8..24)?.first_chunk::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(*octets))),
        _ => None,
    }
}

/// `struct ip_mreq` or the longer `struct ip_mreqn`: group and place.
fn mreq(value: &[u8]) -> Option<(Ipv4Addr, Place)> {
    let (group, address) = (v4_at(value, 0)?, v4_at(value, 4)?);
    let number = if value.len() >= MREQN { number_at(value, 8)? } else { 0 };
    Some((group, if number != 0 { Place::Number(number) } else { Place::Address(address) }))
}

/// What the protocol-independent source options and those of IPv4 do.
fn source_change(name: i32) -> Option<SourceChange> {
    Some(match name {
        ip::BLOCK_SOURCE | ip::MCAST_BLOCK_SOURCE => SourceChange::Block,
        ip::UNBLOCK_SOURCE | ip::MCAST_UNBLOCK_SOURCE => SourceChange::Unblock,
        ip::ADD_SOURCE_MEMBERSHIP | ip::MCAST_JOIN_SOURCE_GROUP => SourceChange::Join,
        ip::DROP_SOURCE_MEMBERSHIP | ip::MCAST_LEAVE_SOURCE_GROUP => SourceChange::Leave,
        _ => return None,
    })
}

impl Stack {
    /// `None`: the option is about something else.
    pub(super) fn set_v4_group_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Option<Result<()>> {
        let is_stream = matches!(self.live(id), Ok(Socket::Stream(_)));
        let byte = || int(value).ok().or_else(|| value.first().map(|byte| i32::from(*byte)));
        Some(match name {
            ip::MULTICAST_IF | ip::MULTICAST_TTL if is_stream => Err(Errno::EINVAL),
            ip::MULTICAST_IF => self.set_v4_sender(id, value),
            ip::MULTICAST_TTL => byte()
                .ok_or(Errno::EINVAL)
                .and_then(|ttl| byte_or(ttl, 1))
                .and_then(|ttl| self.change_rare(id, |rare| rare.multicast_ttl = ttl)),
            ip::MULTICAST_LOOP => {
                byte().ok_or(Errno::EINVAL).and_then(|on| self.set_flag(id, Flags::MULTICAST_LOOP_OFF, on == 0))
            }
            // As Linux: TCP has no groups.
            ip::ADD_MEMBERSHIP | ip::DROP_MEMBERSHIP if is_stream => Err(Errno::EPROTO),
            ip::ADD_MEMBERSHIP => self.join_v4(id, value),
            ip::DROP_MEMBERSHIP => self.leave_v4(id, value),
            ip::BLOCK_SOURCE | ip::UNBLOCK_SOURCE | ip::ADD_SOURCE_MEMBERSHIP | ip::DROP_SOURCE_MEMBERSHIP => {
                self.change_v4_source(id, name, value)
            }
            ip::MSFILTER => self.set_v4_filter(id, value),
            ip::MCAST_MSFILTER => self.set_filter(id, Domain::Inet, value),
            _ => return self.set_group_option(id, Domain::Inet, name, value),
        })
    }

    /// `None`: the option is about something else.
    pub(super) fn set_v6_group_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Option<Result<()>> {
        let is_stream = matches!(self.live(id), Ok(Socket::Stream(_)));
        Some(match name {
            ipv6::MULTICAST_IF | ipv6::MULTICAST_HOPS if is_stream => Err(Errno::ENOPROTOOPT),
            ipv6::MULTICAST_IF => int(value).and_then(|number| {
                let iface = IfaceId::from_number(number as u32);
                if iface.is_some_and(|iface| self.net.iface(iface).is_none()) {
                    return Err(Errno::ENODEV);
                }
                self.change_rare(id, |rare| rare.multicast_if6 = iface)
            }),
            ipv6::MULTICAST_HOPS => int(value)
                .and_then(|hops| byte_or(hops, 1))
                .and_then(|hops| self.change_rare(id, |rare| rare.multicast_hops = hops)),
            ipv6::JOIN_GROUP | ipv6::LEAVE_GROUP => {
                self.change_v6_group(id, name == ipv6::JOIN_GROUP, is_stream, value)
            }
            ipv6::MCAST_MSFILTER => self.set_filter(id, Domain::Inet6, value),
            _ => return self.set_group_option(id, Domain::Inet6, name, value),
        })
    }

    /// The protocol-independent options of RFC 3678, whose numbers are the same at both levels.
    fn set_group_option(&mut self, id: SocketId, domain: Domain, name: i32, value: &[u8]) -> Option<Result<()>> {
        let is_group = matches!(name, ip::MCAST_JOIN_GROUP | ip::MCAST_LEAVE_GROUP);
        let change = source_change(name);
        if !is_group && change.is_none() {
            return None;
        }
        let needed = if is_group { GROUP_REQ } else { GROUP_SOURCE_REQ };
        let group = storage_at(value, 8).filter(|group| group.is_ipv4() == (domain == Domain::Inet));
        let (Some(number), Some(group), true) = (number_at(value, 0), group, value.len() >= needed) else {
            return Some(Err(Errno::EINVAL));
        };
        let place = self.iface_at(Place::Number(number), group);
        Some(match (change, place) {
            (None, _) if matches!(self.live(id), Ok(Socket::Stream(_))) => Err(Errno::EPROTO),
            (None, Some(iface)) if name == ip::MCAST_JOIN_GROUP => self.join_group(id, group, iface),
            (None, place) if name == ip::MCAST_LEAVE_GROUP => self.leave_group(id, group, place),
            (Some(change), Some(iface)) => match storage_at(value, 8 + STORAGE) {
                Some(source) if source.is_ipv4() == group.is_ipv4() => {
                    self.change_group_source(id, group, iface, source, change)
                }
                _ => Err(Errno::EADDRNOTAVAIL),
            },
            (_, None) => Err(Errno::ENODEV),
            (None, Some(_)) => Err(Errno::EINVAL),
        })
    }

    /// The interface that a place names; without a name the one that a route to the group leads to.
    fn iface_at(&self, place: Place, group: IpAddr) -> Option<IfaceId> {
        match place {
            Place::Number(0) => self.net.iface_towards(group),
            Place::Number(number) => IfaceId::from_number(number).filter(|iface| self.net.iface(*iface).is_some()),
            Place::Address(address) if address.is_unspecified() => self.net.iface_towards(group),
            Place::Address(address) => self.net.iface_of(address.into()),
        }
    }

    /// `IP_MULTICAST_IF`: by which interface, and from which address, datagrams to groups leave.
    fn set_v4_sender(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let (address, number) = match value.len() {
            0..4 => return Err(Errno::EINVAL),
            4..MREQ => (v4_at(value, 0), 0),
            MREQ..MREQN => (v4_at(value, 4), 0),
            _ => (v4_at(value, 4), number_at(value, 8).unwrap_or(0)),
        };
        let address = address.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let iface = match number {
            0 if address.is_unspecified() => None,
            0 => Some(self.net.iface_of(address.into()).ok_or(Errno::EADDRNOTAVAIL)?),
            number => {
                let iface = IfaceId::from_number(number).filter(|iface| self.net.iface(*iface).is_some());
                Some(iface.ok_or(Errno::EADDRNOTAVAIL)?)
            }
        };
        self.change_rare(id, |rare| rare.multicast_if = (iface, address))
    }

    fn join_v4(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let (group, place) = mreq(value).ok_or(Errno::EINVAL)?;
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let iface = self.iface_at(place, group.into()).ok_or(Errno::ENODEV)?;
        self.join_group(id, group.into(), iface)
    }

    fn leave_v4(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let (group, place) = mreq(value).ok_or(Errno::EINVAL)?;
        let iface = self.iface_at(place, group.into());
        if iface.is_none() && matches!(place, Place::Address(address) if address.is_unspecified()) {
            return Err(Errno::ENODEV);
        }
        self.leave_group(id, group.into(), iface)
    }

    fn change_v6_group(&mut self, id: SocketId, is_join: bool, is_stream: bool, value: &[u8]) -> Result<()> {
        let group = value.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets)).filter(|_| value.len() >= MREQ6);
        let group = group.ok_or(Errno::EINVAL)?;
        if is_stream {
            return Err(Errno::EPROTO);
        }
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let number = number_at(value, 16).unwrap_or(0);
        let iface = self.iface_at(Place::Number(number), group.into());
        match (is_join, iface) {
            (true, Some(iface)) => self.join_group(id, group.into(), iface),
            (true, None) => Err(Errno::ENODEV),
            (false, _) => self.leave_group(id, group.into(), IfaceId::from_number(number)),
        }
    }

    fn change_v4_source(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let (Some(group), Some(place), Some(source), MREQ_SOURCE) =
            (v4_at(value, 0), v4_at(value, 4), v4_at(value, 8), value.len())
        else {
            return Err(Errno::EINVAL);
        };
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let iface = self.iface_at(Place::Address(place), group.into()).ok_or(Errno::ENODEV)?;
        let change = source_change(name).ok_or(Errno::EINVAL)?;
        self.change_group_source(id, group.into(), iface, source.into(), change)
    }

    fn join_group(&mut self, id: SocketId, group: IpAddr, iface: IfaceId) -> Result<()> {
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        self.live_mut(id)?.common_mut().rare_mut().groups.join(group, iface)?;
        self.net.join(group, iface);
        Ok(())
    }

    fn leave_group(&mut self, id: SocketId, group: IpAddr, iface: Option<IfaceId>) -> Result<()> {
        let left = self.live_mut(id)?.common_mut().rare_mut().groups.leave(group, iface)?;
        self.net.leave(left.group, left.iface);
        Ok(())
    }

    fn change_group_source(
        &mut self,
        id: SocketId,
        group: IpAddr,
        iface: IfaceId,
        source: IpAddr,
        change: SourceChange,
    ) -> Result<()> {
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let groups = &mut self.live_mut(id)?.common_mut().rare_mut().groups;
        let before = groups.iter().count();
        groups.change_source(group, iface, source, change)?;
        match groups.iter().count() {
            after if after > before => self.net.join(group, iface),
            after if after < before => self.net.leave(group, iface),
            _ => {}
        }
        Ok(())
    }

    /// A socket goes away, and with it what it has joined.
    pub(crate) fn leave_all_groups(&mut self, index: u32) {
        let Some(socket) = self.sockets.at_mut(index) else { return };
        let Some(rare) = &mut socket.common_mut().rare else { return };
        for Membership { group, iface, .. } in rare.groups.take() {
            self.net.leave(group, iface);
        }
    }

    /// `struct ip_msfilter`: group, interface's address, mode, number of sources, sources.
    fn set_v4_filter(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        const HEADER: usize = OLD_FILTER;
        let header = (v4_at(value, 0), v4_at(value, 4), number_at(value, 8), number_at(value, 12));
        let (Some(group), Some(place), Some(mode), Some(count)) = header else { return Err(Errno::EINVAL) };
        let sources: Option<Vec<IpAddr>> =
            (0..count as usize).take(MAX_NAMED).map(|n| v4_at(value, HEADER + 4 * n).map(IpAddr::V4)).collect();
        let sources = sources.ok_or(Errno::EINVAL)?;
        self.replace_filter(id, group.into(), Place::Address(place), mode, sources, count as usize)
    }

    /// `struct group_filter`: interface's number, group, mode, number of sources, sources.
    fn set_filter(&mut self, id: SocketId, domain: Domain, value: &[u8]) -> Result<()> {
        const HEADER: usize = FILTER;
        let header =
            (number_at(value, 0), number_at(value, 8 + STORAGE), number_at(value, 12 + STORAGE), value.len() >= HEADER);
        let (Some(number), Some(mode), Some(count), true) = header else { return Err(Errno::EINVAL) };
        let group = storage_at(value, 8).filter(|group| group.is_ipv4() == (domain == Domain::Inet));
        let sources: Option<Vec<IpAddr>> =
            (0..count as usize).take(MAX_NAMED).map(|n| storage_at(value, HEADER + STORAGE * n)).collect();
        let (Some(group), Some(sources)) = (group, sources) else { return Err(Errno::EINVAL) };
        self.replace_filter(id, group, Place::Number(number), mode, sources, count as usize)
    }

    fn replace_filter(
        &mut self,
        id: SocketId,
        group: IpAddr,
        place: Place,
        mode: u32,
        sources: Vec<IpAddr>,
        count: usize,
    ) -> Result<()> {
        if count > MAX_NAMED {
            return Err(Errno::ENOBUFS);
        }
        if !group.is_multicast() || mode > INCLUDE {
            return Err(Errno::EINVAL);
        }
        let iface = self.iface_at(place, group).ok_or(Errno::ENODEV)?;
        // Including nobody is leaving.
        if mode == INCLUDE && sources.is_empty() {
            return self.leave_group(id, group, Some(iface));
        }
        let filter = if mode == INCLUDE { Filter::Include(sources) } else { Filter::Exclude(sources) };
        let groups = &mut self.live_mut(id)?.common_mut().rare_mut().groups;
        groups.replace(group, iface, filter)
    }

    /// `struct ip_msfilter` or `struct group_filter`: the caller names group, interface and room, and gets mode and sources.
    pub(super) fn get_source_filter(
        &self,
        id: SocketId,
        domain: Domain,
        name: i32,
        given: &[u8],
    ) -> Result<OptionValue> {
        let is_old = name == ip::MSFILTER;
        let (group, place, room, header) = match is_old {
            true => {
                (v4_at(given, 0).map(IpAddr::V4), v4_at(given, 4).map(Place::Address), number_at(given, 12), OLD_FILTER)
            }
            false => (
                storage_at(given, 8).filter(|group| group.is_ipv4() == (domain == Domain::Inet)),
                number_at(given, 0).map(Place::Number),
                number_at(given, 12 + STORAGE),
                FILTER,
            ),
        };
        let (Some(group), Some(place), Some(room)) = (group, place, room) else { return Err(Errno::EINVAL) };
        if !group.is_multicast() || given.len() < header {
            return Err(Errno::EINVAL);
        }
        let iface = self.iface_at(place, group).ok_or(Errno::ENODEV)?;
        let groups = &self.live(id)?.common().rare().groups;
        let joined = groups.iter().find(|joined| joined.group == group && joined.iface == iface);
        let (mode, sources) = match &joined.ok_or(Errno::EADDRNOTAVAIL)?.filter {
            Filter::Exclude(sources) => (EXCLUDE, sources),
            Filter::Include(sources) => (INCLUDE, sources),
        };
        let mut out = given[..header].to_vec();
        out[header - 8..header - 4].copy_from_slice(&mode.to_ne_bytes());
        out[header - 4..].copy_from_slice(&(sources.len() as u32).to_ne_bytes());
        for source in sources.iter().take(room as usize) {
            match (source, is_old) {
                (IpAddr::V4(source), true) => out.extend(source.octets()),
                _ => out.extend(storage(*source)),
            }
        }
        Ok(OptionValue::Bytes(out))
    }
}

/// Most sources of one membership.
const MAX_NAMED: usize = 10;
/// Lengths of `struct ip_msfilter` and of `struct group_filter` without sources; both end in mode and number.
const OLD_FILTER: usize = 16;
const FILTER: usize = 8 + STORAGE + 8;

/// `struct sockaddr_storage` without a port.
fn storage(address: IpAddr) -> Vec<u8> {
    let mut out = match address {
        IpAddr::V4(v4) => [&AF_INET.to_ne_bytes()[..], &[0; 2], &v4.octets()].concat(),
        IpAddr::V6(v6) => [&AF_INET6.to_ne_bytes()[..], &[0; 6], &v6.octets()].concat(),
    };
    out.resize(STORAGE, 0);
    out
}
