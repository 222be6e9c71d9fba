//! Building IP packets: header, transport header, and the checksum that is left to the link.
//!
//! Decides every field of an outgoing IP header, here and nowhere else. Does not decide where a packet goes.
//! RFC 791, RFC 8200, RFC 6864 (identification: unique only where a router may cut the packet).
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use segue_wire::packet::INLINE_HEADER;
use segue_wire::{
    Bytes, ChecksumState, Chunks, Instant, IpVersion, Ipv4Header, Ipv6Header, Packet, Protocol, Segmentation,
    SourceRoute, checksum,
};

use super::fragment::fragment;
use crate::net::Way;
use crate::outbox::Queued;
use crate::socket::Socket;
use crate::stack::Stack;
use crate::{Counter, IfaceId, SocketId};

/// Length of an IPv4 header without options.
pub(crate) const HEADER_V4: usize = 20;
/// Length of an IPv6 header without extensions.
pub(crate) const HEADER_V6: usize = 40;

/// Everything an IP header says except lengths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IpFields {
    /// Same family as `destination`, or the packet is built as if it were sent from the unspecified address.
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: Protocol,
    /// TTL or hop limit.
    pub(crate) ttl: u8,
    /// DSCP and ECN.
    pub(crate) tos: u8,
    /// IPv6.
    pub(crate) flow_label: u32,
    /// IPv4: no router may cut it.
    pub(crate) dont_fragment: bool,
    /// IPv4 identification. May repeat when `dont_fragment` is set.
    pub(crate) identification: u16,
}

/// The counter of packets that found no room on their way out.
pub(crate) fn discards(address: IpAddr) -> Counter {
    if address.is_ipv4() { Counter::IpOutDiscards } else { Counter::Ip6OutDiscards }
}

/// The counter of packets that found no way out.
pub(crate) fn no_routes(address: IpAddr) -> Counter {
    if address.is_ipv4() { Counter::IpOutNoRoutes } else { Counter::Ip6OutNoRoutes }
}

/// Source and destination of a packet that the stack built.
fn addresses(packet: &Packet) -> (IpAddr, IpAddr) {
    match packet.version() {
        Some(IpVersion::V6) => {
            Ipv6Header::parse(packet.head()).ok().map(|(h, _)| (h.source.into(), h.destination.into()))
        }
        _ => Ipv4Header::parse_quoted(packet.head()).ok().map(|(h, _)| (h.source.into(), h.destination.into())),
    }
    .unwrap_or((IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}

/// The length of the IP header towards an address.
pub(crate) fn header_len(address: IpAddr) -> usize {
    if address.is_ipv4() { HEADER_V4 } else { HEADER_V6 }
}

impl IpFields {
    /// The header for `payload` bytes behind its fixed part.
    fn header_v4(&self, destination: Ipv4Addr, payload: usize) -> Ipv4Header {
        let source = match self.source {
            IpAddr::V4(source) => source,
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        };
        Ipv4Header {
            traffic_class: self.tos,
            // A super-segment may be longer than the field can say; the link that cuts it sets the lengths.
            total_length: u16::try_from(HEADER_V4 + payload).unwrap_or(0),
            identification: self.identification,
            dont_fragment: self.dont_fragment,
            ttl: self.ttl,
            protocol: self.protocol,
            source,
            destination,
            ..Ipv4Header::default()
        }
    }

    /// Write the IP header for `payload` bytes after it; gives its length. `out` has room for 40 bytes.
    fn emit(&self, payload: usize, out: &mut [u8]) -> usize {
        match self.destination {
            IpAddr::V4(destination) => {
                self.header_v4(destination, payload).emit(out);
                HEADER_V4
            }
            IpAddr::V6(destination) => {
                let source = match self.source {
                    IpAddr::V6(source) => source,
                    IpAddr::V4(_) => core::net::Ipv6Addr::UNSPECIFIED,
                };
                Ipv6Header {
                    traffic_class: self.tos,
                    flow_label: self.flow_label,
                    payload_length: u16::try_from(payload).unwrap_or(0),
                    next_header: self.protocol,
                    hop_limit: self.ttl,
                    source,
                    destination,
                }
                .emit(out);
                HEADER_V6
            }
        }
    }

    /// As [`packet`](Self::packet) for a whole segment, along a source route (IPv4 only). The checksum is that of the
    /// destination, not of the first hop (RFC 9293 3.9.2.1).
    pub(crate) fn routed_packet(&self, route: &SourceRoute, transport: &[u8], field: usize, payload: Chunks) -> Packet {
        let IpAddr::V4(destination) = self.destination else { return self.packet(transport, field, payload, None) };
        let length = transport.len() + payload.len();
        let (options, options_len) = route.options(destination);
        let mut headers = [0; INLINE_HEADER];
        let mut header = self.header_v4(destination, options_len + length);
        header.destination = route.first_hop();
        let start = header.emit_with_options(&options[..options_len], &mut headers);
        let end = start + transport.len();
        headers[start..end].copy_from_slice(transport);
        headers[start + field..start + field + 2].copy_from_slice(&self.pseudo_sum(length).to_be_bytes());
        let checksum = ChecksumState::Partial { start: start as u16, field: field as u16 };
        Packet::from_headers(&headers[..end], payload, checksum, None)
    }

    /// The folded sum of the pseudo-header over a transport packet of `length` bytes.
    pub(crate) fn pseudo_sum(&self, length: usize) -> u16 {
        checksum::pseudo_header(self.source, self.destination, self.protocol, length).map_or(0, checksum::Sum::fold)
    }

    /// A packet whose transport checksum is left to the link. `transport` is the transport header (at most 60 bytes) with
    /// the checksum field `field` bytes from its start.
    pub(crate) fn packet(
        &self,
        transport: &[u8],
        field: usize,
        payload: Chunks,
        segmentation: Option<Segmentation>,
    ) -> Packet {
        let length = transport.len() + payload.len();
        let mut headers = [0; INLINE_HEADER];
        let start = self.emit(length, &mut headers);
        let end = start + transport.len();
        debug_assert!(end <= INLINE_HEADER && field + 2 <= transport.len());
        headers[start..end].copy_from_slice(transport);
        let sum = self.pseudo_sum(length);
        headers[start + field..start + field + 2].copy_from_slice(&sum.to_be_bytes());
        let checksum = ChecksumState::Partial { start: start as u16, field: field as u16 };
        Packet::from_headers(&headers[..end], payload, checksum, segmentation)
    }

    /// A packet whose transport header is final, and says that there is no checksum.
    pub(crate) fn unchecked_packet(&self, transport: &[u8], payload: Chunks) -> Packet {
        let mut headers = [0; INLINE_HEADER];
        let start = self.emit(transport.len() + payload.len(), &mut headers);
        let end = start + transport.len();
        headers[start..end].copy_from_slice(transport);
        Packet::from_headers(&headers[..end], payload, ChecksumState::Complete, None)
    }

    /// A packet whose transport part is final, checksum and all.
    pub(crate) fn complete_packet(&self, transport: Bytes) -> Packet {
        let mut headers = [0; HEADER_V6];
        let len = self.emit(transport.len(), &mut headers);
        Packet::from_headers(&headers[..len], Chunks::from(transport), ChecksumState::Complete, None)
    }
}

impl Stack {
    /// TTL or hop limit of packets whose socket has none of its own.
    pub(crate) fn default_ttl(&self, destination: IpAddr) -> u8 {
        if destination.is_ipv4() { self.settings.ip.default_ttl } else { self.settings.ip.hop_limit }
    }

    /// An identification for a packet that may be cut: it does not repeat soon between the same two hosts, and tells
    /// neither of them how much is sent to others (RFC 7739).
    pub(crate) fn next_identification(&mut self, source: IpAddr, destination: IpAddr) -> u32 {
        self.identification = self.identification.wrapping_add(1);
        let pair = self.secrets.flow_hash(SocketAddr::new(source, 0), SocketAddr::new(destination, 0));
        self.identification.wrapping_add(pair as u32)
    }

    /// A packet has left, whole or as a fragment.
    pub(crate) fn count_transmitted(&mut self, packet: &Packet) {
        let bytes = packet.len() as u64;
        let head = packet.head();
        if packet.version() == Some(IpVersion::V6) {
            self.counters.inc(Counter::Ip6OutTransmits);
            self.counters.add(Counter::Ip6OutOctets, bytes);
            if head.get(24) == Some(&0xff) {
                self.counters.inc(Counter::Ip6OutMcastPkts);
                self.counters.add(Counter::Ip6OutMcastOctets, bytes);
            }
            return;
        }
        self.counters.inc(Counter::IpOutTransmits);
        self.counters.add(Counter::IpExtOutOctets, bytes);
        // Nothing that is sent to one host alone has a first byte like this.
        let Some(&[first @ 224..=255, b, c, d]) = head.get(16..20) else { return };
        if first < 240 {
            self.counters.inc(Counter::IpExtOutMcastPkts);
            self.counters.add(Counter::IpExtOutMcastOctets, bytes);
        } else if [first, b, c, d] == [255; 4] {
            self.counters.inc(Counter::IpExtOutBcastPkts);
            self.counters.add(Counter::IpExtOutBcastOctets, bytes);
        }
    }

    pub(crate) fn count_ip_out(&mut self, packet: &Packet) {
        let counter = match packet.version() {
            Some(IpVersion::V6) => Counter::Ip6OutRequests,
            _ => Counter::IpOutRequests,
        };
        self.counters.inc(counter);
    }

    /// Queue an answer to a stranger, cut if it must be.
    pub(crate) fn push_reply(&mut self, way: &Way, packet: Packet) {
        self.count_ip_out(&packet);
        for packet in self.fit(packet, way.iface, way.mtu) {
            if !self.outbox.push_reply(way.iface, packet) {
                self.counters.inc(discards(way.source));
            }
        }
    }

    /// Queue a socket's packet, cut if it must be; its send buffer is free again when the last piece has left.
    pub(crate) fn push_charged(
        &mut self,
        way: &Way,
        packet: Packet,
        mtu: usize,
        (id, charge): (SocketId, usize),
        departs: Option<Instant>,
    ) {
        self.count_ip_out(&packet);
        let mut pieces = self.fit(packet, way.iface, mtu);
        let last = pieces.pop();
        for piece in pieces {
            self.push_piece(departs, Queued { iface: way.iface, packet: piece, charged: Some((id, 0)) });
        }
        match last {
            Some(last) => {
                self.push_piece(departs, Queued { iface: way.iface, packet: last, charged: Some((id, charge)) });
            }
            None => self.release_charge(id, charge),
        }
    }

    /// Queue a packet for the link, or until its time has come.
    fn push_piece(&mut self, departs: Option<Instant>, queued: Queued) {
        let Some(at) = departs else { return self.outbox.push_queued(queued) };
        let (charged, is_v4) = (queued.charged, queued.packet.version() == Some(IpVersion::V4));
        if !self.departures.push_queued(at, queued) {
            self.counters.inc(if is_v4 { Counter::IpOutDiscards } else { Counter::Ip6OutDiscards });
            if let Some((id, charge)) = charged {
                self.release_charge(id, charge);
            }
        }
    }

    /// The packet in pieces of at most `mtu` bytes.
    fn fit(&mut self, packet: Packet, iface: IfaceId, mtu: usize) -> Vec<Packet> {
        if packet.segmentation.is_some() {
            let is_taken_whole = self.net.iface(iface).is_some_and(|iface| packet.len() <= iface.gso_max);
            return if is_taken_whole { vec![packet] } else { packet.segments().collect() };
        }
        if packet.len() <= mtu {
            return vec![packet];
        }
        let is_v4 = packet.version() == Some(IpVersion::V4);
        let pick = |v4, v6| if is_v4 { v4 } else { v6 };
        let (source, destination) = addresses(&packet);
        let identification = self.next_identification(source, destination);
        let pieces = fragment(packet, mtu, identification);
        if pieces.is_empty() {
            self.counters.inc(pick(Counter::IpFragFails, Counter::Ip6FragFails));
        } else {
            self.counters.inc(pick(Counter::IpFragOKs, Counter::Ip6FragOKs));
            self.counters.add(pick(Counter::IpFragCreates, Counter::Ip6FragCreates), pieces.len() as u64);
        }
        pieces
    }

    /// A packet of a socket has left.
    pub(crate) fn release_charge(&mut self, id: SocketId, charge: usize) {
        if let Some(Socket::Datagram(socket)) = self.sockets.get_mut(id.index, id.generation)
            && socket.uncharge(charge)
        {
            self.notify(id.index);
        }
    }
}
