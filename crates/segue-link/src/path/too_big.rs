//! What the narrowest hop does to a packet that is too long for it.
//!
//! Decides who is fragmented (RFC 791 section 3.2: IPv4 without the don't-fragment bit), who
//! is answered (RFC 1191 section 4, RFC 4443 section 3.2) and who never is
//! (RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e)). Answers come from the path's own
//! address and quote as much as fits (RFC 1812 section 4.3.2.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use segue_wire::icmpv4::{self, UnreachableCode};
use segue_wire::{
    ChecksumState, Chunks, Icmpv4Message, Icmpv6Message, IpVersion, IpView, Ipv4Header, Ipv6Header, Packet, Protocol,
    icmpv6, ipv4, ipv6,
};

/// The node of the path that answers.
pub(super) struct Router {
    v4: Ipv4Addr,
    v6: Ipv6Addr,
    identification: u16,
}

impl Router {
    pub(super) fn new(v4: Ipv4Addr, v6: Ipv6Addr) -> Router {
        Router { v4, v6, identification: 0 }
    }

    /// "Fragmentation needed" or "packet too big" for a packet that did not fit, unless it must not be answered.
    pub(super) fn answer(&mut self, packet: &Packet, mtu: usize) -> Option<Packet> {
        let view = IpView::parse(packet).ok()?;
        match (view.source, view.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => self.answer_v4(packet, &view, source, destination, mtu),
            (IpAddr::V6(source), IpAddr::V6(_)) => self.answer_v6(packet, &view, source, mtu),
            _ => None,
        }
    }

    fn answer_v4(
        &mut self,
        packet: &Packet,
        view: &IpView,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        mtu: usize,
    ) -> Option<Packet> {
        let quoted = packet.to_bytes();
        let later_fragment = view.fragment.is_some_and(|fragment| fragment.offset > 0);
        let message = quoted.get(view.transport..).unwrap_or_default();
        let is_error = view.protocol == Protocol::ICMPV4
            && Icmpv4Message::parse_unverified(message).map_or(true, |message| message.is_error());
        let group = |address: Ipv4Addr| address.is_multicast() || address.is_broadcast() || address.is_unspecified();
        if later_fragment || is_error || group(source) || group(destination) {
            return None;
        }
        let room = ipv4::MIN_REASSEMBLY - ipv4::MIN_HEADER_LEN - icmpv4::HEADER_LEN;
        let answer = Icmpv4Message::DestinationUnreachable {
            code: UnreachableCode::FRAGMENTATION_NEEDED,
            next_hop_mtu: mtu as u16,
            quoted: &quoted[..quoted.len().min(room)],
        };
        let header = Ipv4Header {
            // Internetwork control, as RFC 1812 section 4.3.2.5 asks of routers.
            traffic_class: 0xc0,
            total_length: (ipv4::MIN_HEADER_LEN + answer.message_len()) as u16,
            identification: self.identification,
            protocol: Protocol::ICMPV4,
            source: self.v4,
            destination: source,
            ..Ipv4Header::default()
        };
        self.identification = self.identification.wrapping_add(1);
        let mut bytes = vec![0; usize::from(header.total_length)];
        header.emit(&mut bytes);
        answer.emit(&mut bytes[ipv4::MIN_HEADER_LEN..]);
        Some(Packet::from_bytes(bytes.into()))
    }

    fn answer_v6(&self, packet: &Packet, view: &IpView, source: Ipv6Addr, mtu: usize) -> Option<Packet> {
        let quoted = packet.to_bytes();
        let message = quoted.get(view.transport..).unwrap_or_default();
        let is_error = view.protocol == Protocol::ICMPV6
            && Icmpv6Message::parse_unverified(message).map_or(true, |message| message.is_error());
        // Too big is answered even for a packet to a group: path MTU discovery needs it.
        if is_error || source.is_multicast() || source.is_unspecified() {
            return None;
        }
        let room = ipv6::MIN_MTU - ipv6::HEADER_LEN - icmpv6::HEADER_LEN;
        let answer = Icmpv6Message::PacketTooBig { mtu: mtu as u32, quoted: &quoted[..quoted.len().min(room)] };
        let header = Ipv6Header {
            payload_length: answer.message_len() as u16,
            next_header: Protocol::ICMPV6,
            source: self.v6,
            destination: source,
            ..Ipv6Header::default()
        };
        let mut bytes = vec![0; ipv6::HEADER_LEN + answer.message_len()];
        header.emit(&mut bytes);
        answer.emit(self.v6, source, &mut bytes[ipv6::HEADER_LEN..]);
        Some(Packet::from_bytes(bytes.into()))
    }
}

/// Fragments that fit, if this is an IPv4 packet that may be cut.
pub(super) fn fragment(packet: &Packet, mtu: usize) -> Option<Vec<Packet>> {
    if packet.version() != Some(IpVersion::V4) {
        return None;
    }
    let whole = packet.to_bytes();
    let (header, header_len) = Ipv4Header::parse(&whole).ok()?;
    let payload_len = header.payload_len(header_len, whole.len()).ok()?;
    let end = usize::from(header.fragment_offset) + payload_len;
    if header.dont_fragment || end > usize::from(u16::MAX) {
        return None;
    }
    let options = &whole[ipv4::MIN_HEADER_LEN..header_len];
    let later_options = copied_options(options);
    let payload = whole.slice(header_len..header_len + payload_len);
    let mut fragments = Vec::new();
    let mut at = 0;
    while at < payload_len {
        let options = if at == 0 { options } else { &later_options };
        let front = ipv4::MIN_HEADER_LEN + options.len().next_multiple_of(4);
        // Offsets count in units of eight bytes.
        let room = (mtu - front) / 8 * 8;
        let last = payload_len - at <= mtu - front;
        let take = if last { payload_len - at } else { room };
        let mut bytes = [0; ipv4::MAX_HEADER_LEN];
        let piece = Ipv4Header {
            total_length: (front + take) as u16,
            fragment_offset: header.fragment_offset + at as u16,
            more_fragments: header.more_fragments || !last,
            ..header
        };
        let front = piece.emit_with_options(options, &mut bytes);
        let body = Chunks::from(payload.slice(at..at + take));
        fragments.push(Packet::from_headers(&bytes[..front], body, ChecksumState::Complete, None));
        at += take;
    }
    Some(fragments)
}

/// The options that every fragment carries: those with the copied bit (RFC 791 section 3.1).
fn copied_options(mut options: &[u8]) -> Vec<u8> {
    let mut copied = Vec::new();
    while let Some(&kind) = options.first() {
        let len = match kind {
            0 => break,
            1 => 1,
            _ => options.get(1).map_or(0, |&len| usize::from(len)),
        };
        if len == 0 || len > options.len() || (len < 2 && kind != 1) {
            break;
        }
        if kind & 0x80 != 0 {
            copied.extend_from_slice(&options[..len]);
        }
        options = &options[len..];
    }
    copied
}
