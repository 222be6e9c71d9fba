//! IP packets that have arrived: verified, put together, and handed to the protocol they carry.
//!
//! Decides whether a packet is for this host and believable as to where it comes from. RFC 791, RFC 1122 3.2.1, RFC 8200.
//! Not decided here: reassembly (`reassembly`), what the protocols do. Invariant: a packet is handed on or counted.
use core::net::IpAddr;

use segue_wire::ipv6::ExtensionError;
use segue_wire::source_route::Travelled;
use segue_wire::{
    Ecn, Instant, IpVersion, Ipv4Header, Ipv6Header, Packet, Protocol, SegmentationKind, SourceRoute, ipv6,
};

use crate::icmp::errors::Complaint;
use crate::net::Destination;
use crate::reassembly::{FragmentDrop, Reassembled};
use crate::stack::Stack;
use crate::{Counter, IfaceId};

/// Whom a packet was sent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cast {
    Unicast,
    Broadcast,
    Multicast,
}

/// What is known of an arrived packet beside its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) iface: IfaceId,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) cast: Cast,
    /// The destination is an address of this host, not one that a gateway takes packets for.
    pub(crate) is_own: bool,
    /// From outside back to a loopback address (`loopback_fallback`): for flows and sockets that exist, for nobody else.
    pub(crate) is_returning: bool,
    /// Answers leave by this interface, because the routes would not lead them back.
    pub(crate) pinned: Option<IfaceId>,
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
    /// IPv6.
    pub(crate) flow_label: u32,
    /// Bytes of the largest fragment, headers and all, that it was put together from; 0: it came whole.
    pub(crate) largest_fragment: u32,
    /// It came along a source route; this one leads back.
    pub(crate) route: Option<SourceRoute>,
}

impl Stack {
    /// A packet has arrived on an interface.
    pub(crate) fn ip_input(&mut self, now: Instant, iface: IfaceId, packet: Packet) {
        match packet.version() {
            Some(IpVersion::V4) => self.ip_v4_input(now, iface, packet, 0),
            Some(IpVersion::V6) => self.ip_v6_input(now, iface, packet, 0),
            None => self.counters.inc(Counter::IpInHdrErrors),
        }
    }

    /// What came for more than this host.
    fn count_cast(&mut self, arrival: &Arrival, bytes: usize) {
        if arrival.largest_fragment != 0 {
            return;
        }
        let (packets, octets) = match (arrival.cast, arrival.destination.is_ipv4()) {
            (Cast::Unicast, _) | (Cast::Broadcast, false) => return,
            (Cast::Broadcast, true) => (Counter::IpExtInBcastPkts, Counter::IpExtInBcastOctets),
            (Cast::Multicast, true) => (Counter::IpExtInMcastPkts, Counter::IpExtInMcastOctets),
            (Cast::Multicast, false) => (Counter::Ip6InMcastPkts, Counter::Ip6InMcastOctets),
        };
        self.counters.inc(packets);
        self.counters.add(octets, bytes as u64);
    }

    /// `largest`: of the fragments that it was put together from, or 0.
    fn ip_v4_input(&mut self, now: Instant, iface: IfaceId, mut packet: Packet, largest: u32) {
        let wire_packets = packet.wire_packets() as u64;
        // Fragments were counted one by one.
        if largest == 0 {
            self.counters.add(Counter::IpInReceives, wire_packets);
            self.counters.add(Counter::IpExtInOctets, packet.len() as u64);
        }
        let (header, header_len) = match Ipv4Header::parse(packet.head()) {
            Ok(parsed) => parsed,
            Err(error) => {
                if error == segue_wire::ipv4::Ipv4Error::BadChecksum {
                    self.counters.inc(Counter::IpExtInCsumErrors);
                }
                return self.counters.inc(Counter::IpInHdrErrors);
            }
        };
        if largest == 0 {
            self.counters.add(ecn_counter(IpVersion::V4, header.ecn()), wire_packets);
        }
        if header.payload_len(header_len, packet.len()).is_err() {
            return self.counters.inc(Counter::IpExtInTruncatedPkts);
        }
        packet.truncate(usize::from(header.total_length));
        let route = match packet.head().get(segue_wire::ipv4::MIN_HEADER_LEN..header_len) {
            Some(options) if !options.is_empty() => SourceRoute::travelled(options, header.source),
            _ => Travelled::Unrouted,
        };
        if route != Travelled::Unrouted && !self.settings.ip.accept_source_route {
            return self.counters.inc(Counter::IpInHdrErrors);
        }
        let Some(mut arrival) = self.arrival(
            now,
            iface,
            IpAddr::V4(header.source),
            IpAddr::V4(header.destination),
            header.ttl,
            header.traffic_class,
        ) else {
            return self.counters.inc(Counter::IpInAddrErrors);
        };
        arrival.largest_fragment = largest;
        self.count_cast(&arrival, packet.len());
        match route {
            Travelled::Unrouted => {}
            Travelled::Complete(back) => arrival.route = Some(back),
            // A host is no router (RFC 1122 3.2.1.8); what has not arrived yet is not for it.
            Travelled::OnTheWay => return self.counters.inc(Counter::IpInAddrErrors),
            Travelled::Malformed => return self.counters.inc(Counter::IpInHdrErrors),
        }
        if header.is_fragment() {
            let Stack { reassembler, counters, .. } = self;
            if let Reassembled::Complete { packet, largest } =
                reassembler.on_fragment_v4(now, iface, &header, header_len, packet, counters)
            {
                self.ip_v4_input(now, iface, packet, largest);
            }
            return;
        }
        self.deliver(now, &arrival, header.protocol, header_len, packet, 9);
    }

    fn ip_v6_input(&mut self, now: Instant, iface: IfaceId, mut packet: Packet, largest: u32) {
        let wire_packets = packet.wire_packets() as u64;
        if largest == 0 {
            self.counters.add(Counter::Ip6InReceives, wire_packets);
            self.counters.add(Counter::Ip6InOctets, packet.len() as u64);
        }
        let Ok((header, header_len)) = Ipv6Header::parse(packet.head()) else {
            return self.counters.inc(Counter::Ip6InHdrErrors);
        };
        if largest == 0 {
            self.counters.add(ecn_counter(IpVersion::V6, header.ecn()), wire_packets);
        }
        let Ok(payload) = header.payload_len(packet.len()) else {
            return self.counters.inc(Counter::Ip6InTruncatedPkts);
        };
        let total = header_len + payload;
        packet.truncate(total);
        let Some(mut arrival) = self.arrival(
            now,
            iface,
            IpAddr::V6(header.source),
            IpAddr::V6(header.destination),
            header.hop_limit,
            header.traffic_class,
        ) else {
            return self.counters.inc(Counter::Ip6InAddrErrors);
        };
        (arrival.flow_label, arrival.largest_fragment) = (header.flow_label, largest);
        self.count_cast(&arrival, packet.len());
        let chain = match ipv6::walk(header.next_header, packet.head(), total) {
            Ok(chain) => chain,
            Err(error) => {
                self.counters.inc(Counter::Ip6InHdrErrors);
                if let Some(complaint) = complaint_of(error, arrival.cast) {
                    self.send_error(now, complaint, arrival.destination, arrival.pinned, &packet);
                }
                return;
            }
        };
        match chain.fragment {
            Some((fragment, _)) if !fragment.is_atomic() => {
                return self.fragment_v6_input(now, &arrival, &header, &chain, packet);
            }
            // RFC 6946: a fragment that is the whole.
            Some(_) => arrival.largest_fragment = total as u32,
            None => {}
        }
        self.deliver(now, &arrival, chain.protocol, chain.offset, packet, chain.next_header_at as u32);
    }

    /// Whether a packet is for this host and may come from where it says it does.
    fn arrival(
        &self,
        now: Instant,
        iface: IfaceId,
        source: IpAddr,
        destination: IpAddr,
        ttl: u8,
        tos: u8,
    ) -> Option<Arrival> {
        let config = self.net.iface(iface)?;
        let to = self.net.destination(destination);
        let mut arrival = Arrival {
            at: now,
            iface,
            source,
            destination,
            cast: Cast::Unicast,
            is_own: to == Destination::Local,
            is_returning: false,
            pinned: None,
            ttl,
            tos,
            flow_label: 0,
            largest_fragment: 0,
            route: None,
        };
        // An IPv6 packet with v4-mapped addresses would be taken for IPv4 further up.
        if is_mapped(source) || is_mapped(destination) {
            return None;
        }
        // RFC 1122 3.2.1.3: what is no single host's address cannot be a source.
        let from = self.net.destination(source);
        if matches!(from, Destination::Broadcast | Destination::Multicast | Destination::Unspecified) {
            return None;
        }
        arrival.cast = match to {
            Destination::Local | Destination::Remote => Cast::Unicast,
            Destination::Broadcast => Cast::Broadcast,
            Destination::Multicast if is_all_hosts(destination) || self.net.has_joined(destination, iface) => {
                Cast::Multicast
            }
            Destination::Multicast | Destination::Unspecified => return None,
        };
        if iface == IfaceId::LOOPBACK {
            return arrival.is_own.then_some(arrival).or_else(|| (arrival.cast != Cast::Unicast).then_some(arrival));
        }
        let is_loopback = source.is_loopback() || destination.is_loopback();
        if config.accept_any {
            if !arrival.is_own || is_loopback {
                arrival.pinned = Some(iface);
                arrival.is_own = false;
            }
            return Some(arrival);
        }
        if is_loopback {
            // RFC 1122 3.2.1.3 (g): loopback addresses do not travel — but for answers to what left by the fallback.
            arrival.is_returning = true;
            let both = source.is_loopback() && destination.is_loopback();
            return (config.loopback_fallback && both).then_some(arrival);
        }
        // Nobody else sends from our own address.
        let is_ours = arrival.is_own || arrival.cast != Cast::Unicast;
        (is_ours && from != Destination::Local).then_some(arrival)
    }

    fn fragment_v6_input(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        header: &Ipv6Header,
        chain: &ipv6::Chain,
        packet: Packet,
    ) {
        let about = packet.clone();
        let Stack { reassembler, counters, .. } = self;
        // RFC 8200 section 4.5 names the field that is wrong: the payload length, or the fragment's offset.
        let offset_at = chain.fragment.map_or(0, |(_, at)| at as u32 + 2);
        let pointer = match reassembler.on_fragment_v6(now, arrival.iface, header, chain, packet, counters) {
            Reassembled::Complete { packet, largest } => return self.ip_v6_input(now, arrival.iface, packet, largest),
            Reassembled::Dropped(FragmentDrop::Tiny) => 4,
            Reassembled::Dropped(FragmentDrop::TooLong) => offset_at,
            Reassembled::Pending | Reassembled::Dropped(_) => return,
        };
        self.send_error(now, Complaint::Parameter { code: 0, pointer }, arrival.destination, arrival.pinned, &about);
    }

    /// Hand a whole packet to its protocol, whose header starts at `offset`.
    fn deliver(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        protocol: Protocol,
        offset: usize,
        packet: Packet,
        named_at: u32,
    ) {
        let is_v4 = arrival.destination.is_ipv4();
        let delivered = if is_v4 { Counter::IpInDelivers } else { Counter::Ip6InDelivers };
        match protocol {
            Protocol::TCP => {
                self.counters.inc(delivered);
                self.tcp_input(now, arrival, packet, offset);
            }
            Protocol::UDP => {
                self.counters.inc(delivered);
                match packet.segmentation {
                    Some(segmentation) if segmentation.kind == SegmentationKind::Udp => {
                        for mut datagram in packet.segments() {
                            // What was trusted as a whole is trusted in pieces.
                            datagram.checksum = segue_wire::ChecksumState::Verified;
                            self.udp_input(now, arrival, datagram, offset);
                        }
                    }
                    _ => self.udp_input(now, arrival, packet, offset),
                }
            }
            Protocol::ICMPV4 if is_v4 => {
                self.counters.inc(delivered);
                self.icmp_v4_input(now, arrival, packet, offset);
            }
            Protocol::ICMPV6 if !is_v4 => {
                self.counters.inc(delivered);
                self.icmp_v6_input(now, arrival, packet, offset);
            }
            // RFC 8200 section 4.7: nothing follows, nothing is done.
            Protocol::NO_NEXT_HEADER if !is_v4 => {}
            _ => {
                self.counters.inc(if is_v4 { Counter::IpInUnknownProtos } else { Counter::Ip6InUnknownProtos });
                let complaint = Complaint::Protocol { pointer: named_at };
                self.send_error(now, complaint, arrival.destination, arrival.pinned, &packet);
            }
        }
    }

    /// Datagrams whose fragments did not all come in time.
    pub(crate) fn expire_fragments(&mut self, now: Instant) {
        while let Some(expired) = self.reassembler.poll_expired(now, &mut self.counters) {
            // RFC 792, RFC 4443 section 3.3: without the first fragment no error is sent.
            let Some(first) = expired.first_fragment else { continue };
            let (source, destination) = match first.version() {
                Some(IpVersion::V4) => match Ipv4Header::parse_quoted(first.head()) {
                    Ok((header, _)) => (IpAddr::V4(header.source), IpAddr::V4(header.destination)),
                    Err(_) => continue,
                },
                Some(IpVersion::V6) => match Ipv6Header::parse(first.head()) {
                    Ok((header, _)) => (IpAddr::V6(header.source), IpAddr::V6(header.destination)),
                    Err(_) => continue,
                },
                None => continue,
            };
            let pinned = self.arrival(now, expired.iface, source, destination, 0, 0).and_then(|arrival| arrival.pinned);
            self.send_error(now, Complaint::ReassemblyTime, destination, pinned, &first);
        }
    }
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some())
}

/// The one group that every host belongs to.
fn is_all_hosts(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets() == [224, 0, 0, 1],
        IpAddr::V6(v6) => v6.segments() == [0xff02, 0, 0, 0, 0, 0, 0, 1],
    }
}

/// What RFC 8200 section 4 asks to be said about a chain of headers.
fn complaint_of(error: ExtensionError, cast: Cast) -> Option<Complaint> {
    let parameter = |code, pointer: usize| Some(Complaint::Parameter { code, pointer: pointer as u32 });
    match error {
        ExtensionError::MisplacedHopByHop { pointer } => parameter(1, pointer),
        ExtensionError::RoutingHeader { pointer }
        | ExtensionError::Jumbogram { pointer }
        | ExtensionError::BadOptionLength { pointer }
        | ExtensionError::FragmentTooLong { pointer } => parameter(0, pointer),
        ExtensionError::UnknownOption { action, pointer } => match action {
            ipv6::OptionAction::DiscardReport => parameter(2, pointer),
            ipv6::OptionAction::DiscardReportUnicast if cast == Cast::Unicast => parameter(2, pointer),
            _ => None,
        },
        // Payload length field, RFC 8200 section 4.5.
        ExtensionError::BadFragmentLength => parameter(0, 4),
        ExtensionError::IncompleteFirstFragment => parameter(3, 0),
        _ => None,
    }
}

/// The counter of packets with an ECN codepoint.
fn ecn_counter(version: IpVersion, ecn: Ecn) -> Counter {
    match (version, ecn) {
        (IpVersion::V4, Ecn::NotEct) => Counter::IpExtInNoECTPkts,
        (IpVersion::V4, Ecn::Ect1) => Counter::IpExtInECT1Pkts,
        (IpVersion::V4, Ecn::Ect0) => Counter::IpExtInECT0Pkts,
        (IpVersion::V4, Ecn::Ce) => Counter::IpExtInCEPkts,
        (IpVersion::V6, Ecn::NotEct) => Counter::Ip6InNoECTPkts,
        (IpVersion::V6, Ecn::Ect1) => Counter::Ip6InECT1Pkts,
        (IpVersion::V6, Ecn::Ect0) => Counter::Ip6InECT0Pkts,
        (IpVersion::V6, Ecn::Ce) => Counter::Ip6InCEPkts,
    }
}
