//! What recvmsg(2) tells of how a packet arrived.
//!
//! Decides which control messages a packet comes with, as far as its socket has asked, in Linux's order.
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use segue_tcp::Instant;
use segue_wire::checksum::Sum;
use segue_wire::{Chunks, Protocol};

use super::Domain;
use super::arrived::{ArrivedHeaders, Extension};
use super::common::{Common, Flags};
use super::datagram::Ancillary;
use super::rare::RareFlags;
use super::timestamping::TimestampingFlags;
use crate::message::{ControlMessage, PacketInfo};
use crate::net::Destination;
use crate::stack::Stack;

const SOL_IPV6: i32 = 41;
/// `IPV6_2292*`, the numbers that RFC 2292 gave.
const OLD_PKTINFO: i32 = 2;
const OLD_HOPOPTS: i32 = 3;
const OLD_DSTOPTS: i32 = 4;
const OLD_RTHDR: i32 = 5;
const OLD_HOPLIMIT: i32 = 8;

impl Stack {
    /// What the wall clock says at `at`.
    pub(super) fn wall_time(&self, at: Instant) -> Duration {
        let (known_at, known) = self.wall_clock;
        if at >= known_at { known + (at - known_at) } else { known.saturating_sub(known_at - at) }
    }

    /// Control messages of `SOL_SOCKET` of a packet that has arrived.
    pub(super) fn general_control(&self, common: &Common, arrival: &Ancillary, dropped: u32) -> Vec<ControlMessage> {
        let mut control = self.time_control(common, arrival.at);
        if common.has(Flags::DROP_COUNT) && dropped > 0 {
            control.push(ControlMessage::Dropped(dropped));
        }
        // Packets have neither mark nor priority inside this host.
        control.extend(common.has(Flags::RECV_MARK).then_some(ControlMessage::Mark(0)));
        control.extend(common.has(Flags::RECV_PRIORITY).then_some(ControlMessage::Priority(0)));
        control
    }

    /// When a packet arrived, as `SO_TIMESTAMP` and its kind ask.
    pub(crate) fn time_control(&self, common: &Common, at: Instant) -> Vec<ControlMessage> {
        let time = self.wall_time(at);
        let wanted = common.rare().timestamping;
        let mut control = Vec::new();
        if common.has(Flags::TIMESTAMP) {
            control.push(match common.has(Flags::TIMESTAMP_NS) {
                true => ControlMessage::TimestampNs(time),
                false => ControlMessage::Timestamp(time),
            });
        }
        let is_taken = wanted.contains(TimestampingFlags::RX_SOFTWARE) || common.has(Flags::TIMESTAMP);
        if wanted.contains(TimestampingFlags::SOFTWARE) && is_taken {
            control.push(ControlMessage::Timestamping(time));
        }
        renumber(common, control)
    }

    /// Control messages of the IP level the packet came by; `headers` are those beyond the fixed one, `sum` what
    /// `IP_CHECKSUM` tells, as far as the socket has asked for them.
    pub(super) fn ip_control(
        &self,
        common: &Common,
        arrival: &Ancillary,
        headers: Option<&ArrivedHeaders>,
        sum: Option<ControlMessage>,
    ) -> Vec<ControlMessage> {
        let interface = arrival.iface.number();
        match (arrival.to.ip(), common.domain) {
            (IpAddr::V4(destination), domain) => {
                let mut control = Vec::new();
                if domain == Domain::Inet6 && common.has(Flags::RECV_PKT_INFO6) {
                    let address = destination.to_ipv6_mapped();
                    control.push(ControlMessage::PacketInfo6 { address, interface });
                }
                let local = self.own_address_for(arrival);
                let info = PacketInfo { interface, local, destination };
                control.extend(v4_control(common, arrival, info, (headers, sum)));
                control
            }
            (IpAddr::V6(address), _) => {
                let mut control = v6_control(common, arrival, address);
                let rare = common.rare().flags;
                control.extend(headers.into_iter().flat_map(|headers| extension_control(rare, headers)));
                control.extend(old_control(rare, arrival, address, headers));
                if common.has(Flags::RECV_ORIGINAL6) {
                    control.push(ControlMessage::OriginalDestination(arrival.to));
                }
                control.extend(fragment_size(common, Flags::RECV_FRAGMENT_SIZE6, arrival));
                control
            }
        }
    }

    /// `IP_CHECKSUM`: the sum over the bytes of a datagram that came over IPv4.
    pub(super) fn sum_control(common: &Common, arrival: &Ancillary, payload: &Chunks) -> Option<ControlMessage> {
        if !arrival.to.is_ipv4() || !common.rare().flags.contains(RareFlags::CHECKSUM) {
            return None;
        }
        let mut sum = Sum::new();
        for slice in payload.iter() {
            sum.add_slice(slice);
        }
        Some(ControlMessage::PayloadSum(sum.fold()))
    }

    /// `ipi_spec_dst`: the address to answer from; a group has none of its own.
    fn own_address_for(&self, arrival: &Ancillary) -> core::net::Ipv4Addr {
        let IpAddr::V4(destination) = arrival.to.ip() else { return core::net::Ipv4Addr::UNSPECIFIED };
        if matches!(self.net.destination(arrival.to.ip()), Destination::Local | Destination::Remote) {
            return destination;
        }
        let own = self.net.iface(arrival.iface).into_iter().flat_map(|iface| &iface.addresses);
        let mut own = own.filter_map(|cidr| match cidr.address() {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        });
        own.next().unwrap_or(destination)
    }
}

fn v4_control(
    common: &Common,
    arrival: &Ancillary,
    info: PacketInfo,
    (headers, sum): (Option<&ArrivedHeaders>, Option<ControlMessage>),
) -> impl Iterator<Item = ControlMessage> {
    let asked = |flag, message: ControlMessage| common.has(flag).then_some(message);
    [
        asked(Flags::PKT_INFO, ControlMessage::PacketInfo(info)),
        asked(Flags::RECV_TTL, ControlMessage::Ttl(arrival.ttl.into())),
        asked(Flags::RECV_TOS, ControlMessage::Tos(arrival.tos)),
        headers.map(|headers| ControlMessage::Options(headers.options().to_vec())),
        asked(Flags::RECV_ORIGINAL, ControlMessage::OriginalDestination(arrival.to)),
        sum,
        fragment_size(common, Flags::RECV_FRAGMENT_SIZE, arrival),
    ]
    .into_iter()
    .flatten()
}

/// What the fixed header says.
fn v6_control(common: &Common, arrival: &Ancillary, address: Ipv6Addr) -> Vec<ControlMessage> {
    let interface = arrival.iface.number();
    let flow_info = u32::from(arrival.tos) << 20 | arrival.flow_label;
    let asked = |flag, message: ControlMessage| common.has(flag).then_some(message);
    [
        asked(Flags::RECV_PKT_INFO6, ControlMessage::PacketInfo6 { address, interface }),
        asked(Flags::RECV_HOPLIMIT, ControlMessage::HopLimit(arrival.ttl.into())),
        asked(Flags::RECV_TCLASS, ControlMessage::TrafficClass(arrival.tos.into())),
        asked(Flags::RECV_FLOW_INFO, ControlMessage::FlowInfo(flow_info)).filter(|_| flow_info != 0),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// RFC 3542 section 6: the extension headers that were asked for, in their order; the hop-by-hop options are first by
/// themselves.
fn extension_control(rare: RareFlags, headers: &ArrivedHeaders) -> impl Iterator<Item = ControlMessage> {
    headers.extensions().filter_map(move |Extension { kind, bytes }| {
        let flag = match kind {
            Protocol::HOP_BY_HOP => RareFlags::RECV_HOP_BY_HOP,
            Protocol::DESTINATION_OPTIONS => RareFlags::RECV_DESTINATION,
            Protocol::ROUTING => RareFlags::RECV_ROUTING,
            _ => return None,
        };
        rare.contains(flag).then(|| ControlMessage::Extension { kind: kind.0, bytes: bytes.to_vec() })
    })
}

/// The same by RFC 2292's numbers, in Linux's order: destination options stand before and behind the routing header.
fn old_control(
    rare: RareFlags,
    arrival: &Ancillary,
    address: Ipv6Addr,
    headers: Option<&ArrivedHeaders>,
) -> Vec<ControlMessage> {
    let old = |kind, data: Vec<u8>| ControlMessage::Other { level: SOL_IPV6, kind, data };
    let mut control = Vec::new();
    if rare.contains(RareFlags::OLD_PACKET_INFO) {
        control
            .push(old(OLD_PKTINFO, ControlMessage::PacketInfo6 { address, interface: arrival.iface.number() }.data()));
    }
    if rare.contains(RareFlags::OLD_HOP_LIMIT) {
        control.push(old(OLD_HOPLIMIT, i32::from(arrival.ttl).to_ne_bytes().to_vec()));
    }
    let Some(headers) = headers else { return control };
    for Extension { kind, bytes } in headers.extensions() {
        let (flag, number) = match kind {
            Protocol::HOP_BY_HOP => (RareFlags::OLD_HOP_BY_HOP, OLD_HOPOPTS),
            Protocol::DESTINATION_OPTIONS => (RareFlags::OLD_DESTINATION, OLD_DSTOPTS),
            Protocol::ROUTING => (RareFlags::OLD_ROUTING, OLD_RTHDR),
            _ => continue,
        };
        if rare.contains(flag) {
            control.push(old(number, bytes.to_vec()));
        }
    }
    control
}

/// Only of what did not come whole.
fn fragment_size(common: &Common, flag: Flags, arrival: &Ancillary) -> Option<ControlMessage> {
    let size = i32::try_from(arrival.largest_fragment).ok().filter(|size| *size > 0)?;
    common.has(flag).then_some(ControlMessage::FragmentSize { v6: arrival.to.is_ipv6(), size })
}

/// Programs that asked by the newer numbers are answered by them.
pub(super) fn renumber(common: &Common, control: Vec<ControlMessage>) -> Vec<ControlMessage> {
    if !common.has(Flags::TIMESTAMP_NEW) {
        return control;
    }
    let newer = |message: ControlMessage| {
        let kind = match message {
            ControlMessage::Timestamp(_) => 63,
            ControlMessage::TimestampNs(_) => 64,
            ControlMessage::Timestamping(_) => 65,
            other => return other,
        };
        ControlMessage::Other { level: 1, kind, data: message.data() }
    };
    control.into_iter().map(newer).collect()
}
