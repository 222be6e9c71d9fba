//! Segment cutting: super-segments into wire packets, in software.
//!
//! Decides what each cut packet's headers say. IPv4 identification counts up
//! from the super-segment's, so that fragments of two pieces never mix (RFC
//! 6864). FIN and PSH are on the last piece, CWR on the first (RFC 3168 section
//! 6.1.2) unless it is part of the AccECN counter (RFC 9768 section 3.2). The
//! payload is shared, never copied. A packet that claims to be a super-segment
//! but whose headers say otherwise leaves as it is.

use crate::bytes_at::{be16, be32, byte, put, put16};
use crate::checksum::{self, Sum};
use crate::chunks::Chunks;
use crate::ip::{IpVersion, Protocol};
use crate::ipv4::Ipv4Header;
use crate::ipv6::{self, Ipv6Header};
use crate::packet::{ChecksumState, Packet, Segmentation, SegmentationKind};
use crate::tcp::TcpFlags;
use crate::udp;
use alloc::vec::Vec;

/// Where the headers of a super-segment lie.
#[derive(Clone, Copy, Debug)]
struct Layout {
    version: IpVersion,
    /// Offset of the transport header.
    transport: usize,
    /// Offset of the payload.
    payload: usize,
    /// Offset of the checksum field.
    checksum: usize,
}

/// The wire packets of a super-segment, in order. See [`Packet::segments`].
#[derive(Debug)]
pub struct Segments {
    /// A packet that is not cut.
    whole: Option<Packet>,
    cut: Option<Cut>,
}

#[derive(Debug)]
struct Cut {
    headers: Vec<u8>,
    layout: Layout,
    kind: SegmentationKind,
    size: usize,
    rest: Chunks,
    /// The pseudo-header's sum without the length, and the damage of a checksum that was wrong
    /// already; `None` for UDP without checksum.
    base: Option<Sum>,
    sequence: u32,
    /// Data offset, reserved bits and flags as the super-segment has them.
    control: u16,
    identification: u16,
    first: bool,
}

/// Where the headers lie, or `None` when this is no super-segment that could be cut.
fn layout(packet: &Packet, kind: SegmentationKind) -> Option<Layout> {
    let head = packet.head();
    let version = packet.version()?;
    let (transport, protocol) = match version {
        IpVersion::V4 => {
            let (header, len) = Ipv4Header::parse_quoted(head).ok()?;
            (!header.is_fragment()).then_some((len, header.protocol))?
        }
        IpVersion::V6 => {
            let (header, _) = Ipv6Header::parse(head).ok()?;
            let chain = ipv6::walk(header.next_header, head, packet.len()).ok()?;
            chain.fragment.is_none().then_some((chain.offset, chain.protocol))?
        }
    };
    let (wanted, len, field) = match kind {
        SegmentationKind::Udp => (Protocol::UDP, udp::HEADER_LEN, 6),
        _ => (Protocol::TCP, usize::from(byte(head, transport + 12) >> 4) * 4, 16),
    };
    let payload = transport + len;
    let fits = protocol == wanted && payload <= head.len() && len > field;
    fits.then_some(Layout { version, transport, payload, checksum: transport + field })
}

/// The sum that every piece's checksum starts from.
fn base_sum(packet: &Packet, layout: Layout, kind: SegmentationKind) -> Option<Sum> {
    let head = packet.head();
    let length = packet.len() - layout.transport;
    let field = be16(head, layout.checksum);
    let mut base = match packet.checksum {
        // The field is the pseudo-header's sum, length of the whole included.
        ChecksumState::Partial { .. } => Sum::from_folded(field),
        _ if field == 0 && kind == SegmentationKind::Udp => return None,
        // All bytes with a right checksum sum up to minus the pseudo-header. Taken from there,
        // what was damaged before stays damaged in every piece.
        ChecksumState::Complete => Sum::from_folded(packet.sum_from(layout.transport).checksum()),
        // The device looked at the pieces; the field may be stale.
        ChecksumState::Verified => match layout.version {
            IpVersion::V4 => {
                let (header, _) = Ipv4Header::parse_quoted(head).ok()?;
                checksum::pseudo_header_v4(header.source, header.destination, header.protocol, length)
            }
            IpVersion::V6 => {
                let (header, _) = Ipv6Header::parse(head).ok()?;
                let protocol = if kind == SegmentationKind::Udp { Protocol::UDP } else { Protocol::TCP };
                checksum::pseudo_header_v6(header.source, header.destination, protocol, length)
            }
        },
    };
    base.add_u32(!(length as u32));
    Some(base)
}

/// Longest IP packet, bytes.
const MAX_PACKET: usize = 65_535;

/// How a super-segment is cut.
struct Plan {
    layout: Layout,
    kind: SegmentationKind,
    /// Payload bytes per piece.
    size: usize,
    payload: usize,
}

/// The plan, when `packet` is a super-segment that more than one piece makes up.
fn plan(packet: &Packet) -> Option<Plan> {
    let Segmentation { size, kind } = packet.segmentation?;
    let layout = layout(packet, kind)?;
    // A piece and its headers must fit the length fields.
    let size = usize::from(size).min(MAX_PACKET.checked_sub(layout.payload)?);
    let payload = packet.len() - layout.payload;
    (size > 0 && payload > size).then_some(Plan { layout, kind, size, payload })
}

pub(crate) fn count(packet: &Packet) -> usize {
    plan(packet).map_or(1, |plan| plan.payload.div_ceil(plan.size))
}

/// Where a super-segment would be cut. From [`Packet::cuts`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cuts {
    headers: usize,
    size: usize,
    payload: usize,
}

impl Cuts {
    /// How many wire packets there would be; at least 2.
    pub fn pieces(&self) -> usize {
        self.payload.div_ceil(self.size)
    }

    /// Bytes that a run of pieces has on a wire, each with its headers.
    pub fn wire_len(&self, first: usize, count: usize) -> usize {
        let (from, to) = self.range(first, count);
        to - from + (to - from).div_ceil(self.size) * self.headers
    }

    /// The payload of a run of pieces, from where to where.
    fn range(&self, first: usize, count: usize) -> (usize, usize) {
        let at = |piece: usize| piece.saturating_mul(self.size).min(self.payload);
        (at(first), at(first.saturating_add(count)))
    }
}

pub(crate) fn cuts(packet: &Packet) -> Option<Cuts> {
    let Plan { layout, size, payload, .. } = plan(packet)?;
    Some(Cuts { headers: layout.payload, size, payload })
}

/// A run of pieces as one packet, its checksum owed as the whole's was. See [`Packet::pieces`].
pub(crate) fn pieces(packet: &Packet, first: usize, count: usize) -> Option<Packet> {
    let ChecksumState::Partial { .. } = packet.checksum else { return None };
    let Plan { layout, kind, size, payload } = plan(packet)?;
    let cuts = Cuts { headers: layout.payload, size, payload };
    let (from, to) = cuts.range(first, count);
    if from >= to {
        return None;
    }
    if to - from == payload {
        return Some(packet.clone());
    }
    let Layout { version, transport, .. } = layout;
    let mut headers = packet.head()[..layout.payload].to_vec();
    let old_len = layout.payload - transport + payload;
    let len = layout.payload - transport + (to - from);
    match version {
        IpVersion::V4 => {
            let identification = be16(&headers, 4).wrapping_add(first as u16);
            write_ipv4(&mut headers, transport, transport + len, identification);
        }
        IpVersion::V6 => put16(&mut headers, 4, (transport + len - ipv6::HEADER_LEN) as u16),
    }
    if kind == SegmentationKind::Udp {
        put16(&mut headers, transport + 4, len as u16);
    } else {
        let sequence = be32(&headers, transport + 4).wrapping_add(from as u32);
        put(&mut headers, transport + 4, &sequence.to_be_bytes());
        let kept = kept_flags(kind, from == 0, to == payload);
        let control = be16(&headers, transport + 12);
        put16(&mut headers, transport + 12, control & kept);
    }
    // The field holds the pseudo-header's sum; of that only the length changes.
    let mut pseudo = Sum::from_folded(be16(&headers, layout.checksum));
    pseudo.add_u32(!(old_len as u32));
    pseudo.add_u32(len as u32);
    put16(&mut headers, layout.checksum, pseudo.fold());
    let body = payload_of(packet, layout.payload + from, to - from);
    let segmentation = (to - from > size).then_some(Segmentation { size: size as u16, kind });
    Some(Packet::from_headers(&headers, body, packet.checksum, segmentation))
}

/// `len` bytes from `at` on, shared. Not from the headers, which may lie in the packet itself.
fn payload_of(packet: &Packet, at: usize, len: usize) -> Chunks {
    match at.checked_sub(packet.head().len()) {
        Some(offset) => packet.body().slice(offset, len),
        None => {
            let mut payload = packet.clone().into_payload(at);
            payload.truncate(len);
            payload
        }
    }
}

/// The control bits that a piece or a run of them keeps.
fn kept_flags(kind: SegmentationKind, first: bool, last: bool) -> u16 {
    let mut kept = !TcpFlags::empty().bits();
    if !last {
        kept &= !(TcpFlags::FIN | TcpFlags::PSH).bits();
    }
    // RFC 3168 section 6.1.2: one reduction, said once.
    if !first && kind == SegmentationKind::Tcp {
        kept &= !TcpFlags::CWR.bits();
    }
    kept
}

/// IPv4 length, identification and header checksum.
fn write_ipv4(headers: &mut [u8], header_len: usize, total: usize, identification: u16) {
    put16(headers, 2, total as u16);
    put16(headers, 4, identification);
    put16(headers, 10, 0);
    let sum = checksum::checksum(headers.get(..header_len).unwrap_or_default());
    put16(headers, 10, sum);
}

pub(crate) fn cut(mut packet: Packet) -> Segments {
    let Some(Plan { layout, kind, size, .. }) = plan(&packet) else {
        packet.segmentation = None;
        packet.finish_checksum();
        return Segments { whole: Some(packet), cut: None };
    };
    let headers = packet.head()[..layout.payload].to_vec();
    let cut = Cut {
        base: base_sum(&packet, layout, kind),
        sequence: be32(&headers, layout.transport + 4),
        control: be16(&headers, layout.transport + 12),
        identification: be16(&headers, 4),
        headers,
        layout,
        kind,
        size,
        rest: packet.into_payload(layout.payload),
        first: true,
    };
    Segments { whole: None, cut: Some(cut) }
}

impl Iterator for Segments {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        match &mut self.cut {
            Some(cut) => cut.next(),
            None => self.whole.take(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.cut {
            Some(cut) => cut.rest.len().div_ceil(cut.size),
            None => usize::from(self.whole.is_some()),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Segments {}

impl Cut {
    fn next(&mut self) -> Option<Packet> {
        if self.rest.is_empty() {
            return None;
        }
        let payload = self.rest.split_to(self.size);
        let length = self.layout.payload - self.layout.transport + payload.len();
        self.write_ip(length);
        match self.kind {
            SegmentationKind::Udp => put16(&mut self.headers, self.layout.transport + 4, length as u16),
            SegmentationKind::Tcp | SegmentationKind::TcpAccEcn => self.write_tcp(payload.len()),
        }
        self.write_checksum(length, &payload);
        self.first = false;
        Some(Packet::from_headers(&self.headers, payload, ChecksumState::Complete, None))
    }

    /// Lengths; IPv4 identification and header checksum.
    fn write_ip(&mut self, transport_len: usize) {
        let total = self.layout.transport + transport_len;
        match self.layout.version {
            IpVersion::V4 => {
                write_ipv4(&mut self.headers, self.layout.transport, total, self.identification);
                self.identification = self.identification.wrapping_add(1);
            }
            IpVersion::V6 => put16(&mut self.headers, 4, (total - ipv6::HEADER_LEN) as u16),
        }
    }

    fn write_tcp(&mut self, payload_len: usize) {
        let at = self.layout.transport;
        put(&mut self.headers, at + 4, &self.sequence.to_be_bytes());
        self.sequence = self.sequence.wrapping_add(payload_len as u32);
        let kept = kept_flags(self.kind, self.first, self.rest.is_empty());
        put16(&mut self.headers, at + 12, self.control & kept);
    }

    fn write_checksum(&mut self, length: usize, payload: &Chunks) {
        let Some(mut sum) = self.base else { return };
        put16(&mut self.headers, self.layout.checksum, 0);
        sum.add_u32(length as u32);
        sum.add_slice(self.headers.get(self.layout.transport..).unwrap_or_default());
        sum.add_chunks(payload);
        put16(&mut self.headers, self.layout.checksum, udp::checksum_field(sum));
    }
}
