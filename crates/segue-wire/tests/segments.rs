//! Segment cutting: the pieces put together again are what was cut, and each
//! would be taken by a receiver that knows nothing of super-segments.

mod common;

use common::{cut, naive_checksum, pattern};
use proptest::prelude::*;
use segue_wire::tcp::{OptionBytes, TcpFlags, TcpHeader};
use segue_wire::{
    ChecksumState, Chunks, Ecn, IpVersion, IpView, Ipv4Header, Ipv6Header, Packet, Protocol, Segmentation,
    SegmentationKind, UdpHeader, checksum, tcp,
};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const A4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const A6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
const B6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);

fn addresses(version: IpVersion) -> (IpAddr, IpAddr) {
    match version {
        IpVersion::V4 => (A4.into(), B4.into()),
        IpVersion::V6 => (A6.into(), B6.into()),
    }
}

/// An IP header in front of `transport`; IPv6 with `extensions` bytes of destination options (a multiple of 8).
fn ip_header(version: IpVersion, protocol: Protocol, extensions: usize, length: usize) -> Vec<u8> {
    match version {
        IpVersion::V4 => {
            let mut out = vec![0; 20];
            let header = Ipv4Header {
                total_length: (20 + length) as u16,
                identification: 0xfffe,
                protocol,
                source: A4,
                destination: B4,
                ..Ipv4Header::default()
            };
            header.emit(&mut out);
            out
        }
        IpVersion::V6 => {
            let mut out = vec![0; 40 + extensions];
            let first = if extensions > 0 { Protocol::DESTINATION_OPTIONS } else { protocol };
            let header = Ipv6Header {
                payload_length: (extensions + length) as u16,
                next_header: first,
                source: A6,
                destination: B6,
                ..Ipv6Header::default()
            };
            header.emit(&mut out);
            if extensions > 0 {
                out[40] = protocol.0;
                out[41] = (extensions / 8 - 1) as u8;
                // An unknown option that asks to be skipped fills the header.
                out[42] = 0x1e;
                out[43] = (extensions - 4) as u8;
            }
            out
        }
    }
}

struct Shape {
    version: IpVersion,
    extensions: usize,
    kind: SegmentationKind,
    size: u16,
    payload: Chunks,
    flags: TcpFlags,
    partial: bool,
}

const SEQUENCE: u32 = u32::MAX - 1000;

fn super_segment(shape: &Shape) -> Packet {
    let (source, destination) = addresses(shape.version);
    let udp = shape.kind == SegmentationKind::Udp;
    let protocol = if udp { Protocol::UDP } else { Protocol::TCP };
    let options = OptionBytes::from_slice(&[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]).expect("12 bytes");
    let header_len = if udp { 8 } else { 32 };
    let length = header_len + shape.payload.len();
    let mut front = vec![0; header_len];
    if udp {
        UdpHeader { source_port: 53, destination_port: 4000, length: length as u16, checksum: 0 }.emit(&mut front);
    } else {
        let header = TcpHeader {
            source_port: 80,
            destination_port: 4000,
            sequence: SEQUENCE,
            acknowledgment: 7,
            flags: shape.flags,
            window: 512,
            ..TcpHeader::default()
        };
        tcp::emit(&header, &options, &mut front);
    }
    let field = if udp { 6 } else { 16 };
    let mut sum = checksum::pseudo_header(source, destination, protocol, length).expect("one version");
    if !shape.partial {
        sum.add_slice(&front);
        sum.add_chunks(&shape.payload);
    }
    let value = match (shape.partial, udp) {
        (true, _) => sum.fold(),
        (false, true) => segue_wire::udp::checksum_field(sum),
        (false, false) => sum.checksum(),
    };
    front[field..field + 2].copy_from_slice(&value.to_be_bytes());
    let mut headers = ip_header(shape.version, protocol, shape.extensions, length);
    let start = headers.len() as u16;
    headers.extend_from_slice(&front);
    let state = match shape.partial {
        true => ChecksumState::Partial { start, field: field as u16 },
        false => ChecksumState::Complete,
    };
    let segmentation = Segmentation { size: shape.size, kind: shape.kind };
    Packet::from_headers(&headers, shape.payload.clone(), state, Some(segmentation))
}

/// The transport checksum of a whole wire packet, summed the slow way; zero when right.
fn slow_transport_checksum(packet: &Packet, view: &IpView) -> u16 {
    let bytes = packet.to_vec();
    let mut all = Vec::new();
    match (view.source, view.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            all.extend(source.octets());
            all.extend(destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            all.extend(source.octets());
            all.extend(destination.octets());
        }
        _ => panic!("two versions in one packet"),
    }
    all.extend((view.transport_len() as u32).to_be_bytes());
    all.extend([0, 0, 0, view.protocol.0]);
    all.extend(&bytes[view.transport..view.length]);
    naive_checksum(&all)
}

fn shapes() -> impl Strategy<Value = Shape> {
    (
        (any::<bool>(), 0usize..12, 0u8..3, 1u16..400, any::<bool>()),
        (0usize..3000, any::<u64>(), prop::collection::vec(any::<usize>(), 0..6), any::<u16>()),
    )
        .prop_map(|((v6, extensions, kind, size, partial), (len, seed, cuts, flags))| Shape {
            version: if v6 { IpVersion::V6 } else { IpVersion::V4 },
            extensions: extensions * 8,
            kind: [SegmentationKind::Tcp, SegmentationKind::TcpAccEcn, SegmentationKind::Udp][usize::from(kind)],
            size,
            payload: cut(&pattern(len, seed), &cuts),
            flags: TcpFlags::from_bits_truncate(flags),
            partial,
        })
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?} +{} {:?} size {} payload {} in {} slices, {:?}, partial {}",
            self.version,
            self.extensions,
            self.kind,
            self.size,
            self.payload.len(),
            self.payload.slices(),
            self.flags,
            self.partial
        )
    }
}

proptest! {
    #[test]
    fn pieces_carry_every_byte_once_in_order_under_right_checksums(shape in shapes()) {
        let whole = super_segment(&shape);
        let expected = whole.wire_packets();
        let pieces: Vec<Packet> = whole.segments().collect();
        prop_assert_eq!(pieces.len(), expected);
        prop_assert_eq!(expected, shape.payload.len().div_ceil(usize::from(shape.size)).max(1));
        let mut hash = Sha256::new();
        let mut sent = 0;
        for (index, piece) in pieces.into_iter().enumerate() {
            let last = index + 1 == expected;
            let view = IpView::parse(&piece).expect("an IP header with right lengths and checksum");
            prop_assert_eq!(view.length, piece.len());
            prop_assert_eq!(slow_transport_checksum(&piece, &view), 0, "piece {}", index);
            prop_assert_eq!(piece.checksum, ChecksumState::Complete);
            prop_assert_eq!(piece.segmentation, None);
            let head = piece.head()[view.transport..].to_vec();
            let header_len = if shape.kind == SegmentationKind::Udp {
                let (header, len) = UdpHeader::parse(&head).expect("a UDP header");
                prop_assert_eq!(usize::from(header.length), view.transport_len());
                len
            } else {
                let (header, _, len) = TcpHeader::parse(&head).expect("a TCP header");
                prop_assert_eq!(header.sequence, SEQUENCE.wrapping_add(sent as u32));
                let mut flags = shape.flags;
                flags.set(TcpFlags::FIN, last && flags.contains(TcpFlags::FIN));
                flags.set(TcpFlags::PSH, last && flags.contains(TcpFlags::PSH));
                if shape.kind == SegmentationKind::Tcp {
                    flags.set(TcpFlags::CWR, index == 0 && flags.contains(TcpFlags::CWR));
                }
                prop_assert_eq!(header.flags, flags, "piece {} of {}", index, expected);
                len
            };
            if shape.version == IpVersion::V4 {
                let (header, _) = Ipv4Header::parse(piece.head()).expect("an IPv4 header");
                prop_assert_eq!(header.identification, 0xfffeu16.wrapping_add(index as u16));
            }
            let payload = piece.into_payload(view.transport + header_len);
            prop_assert!(payload.len() <= usize::from(shape.size));
            prop_assert!(last || payload.len() == usize::from(shape.size));
            sent += payload.len();
            hash.update(payload.to_vec());
        }
        prop_assert_eq!(sent, shape.payload.len());
        prop_assert_eq!(hash.finalize(), Sha256::digest(shape.payload.to_vec()));
    }

    #[test]
    fn a_run_of_pieces_is_cut_into_the_same_packets_as_the_whole(shape in shapes(), first in 0usize..12, count in 0usize..12) {
        let whole = super_segment(&shape);
        let Some(cuts) = whole.cuts() else { return Ok(()) };
        let all: Vec<Packet> = whole.clone().segments().collect();
        prop_assert_eq!(cuts.pieces(), all.len());
        let wanted = all.get(first..).map_or(&[][..], |rest| &rest[..count.min(rest.len())]);
        prop_assert_eq!(cuts.wire_len(first, count), wanted.iter().map(Packet::len).sum::<usize>());
        let Some(run) = whole.pieces(first, count) else {
            prop_assert!(wanted.is_empty() || !shape.partial);
            return Ok(());
        };
        prop_assert_eq!(run.checksum, whole.checksum);
        prop_assert_eq!(run.segmentation.is_some(), wanted.len() > 1);
        let got: Vec<Vec<u8>> = run.segments().map(|piece| piece.to_vec()).collect();
        prop_assert_eq!(got, wanted.iter().map(Packet::to_vec).collect::<Vec<_>>());
    }

    #[test]
    fn only_packets_that_take_part_in_ecn_are_marked_and_their_checksum_stays_right(mut shape in shapes(), class: u8) {
        shape.partial = true;
        let whole = super_segment(&shape);
        let mut head = whole.head().to_vec();
        match shape.version {
            IpVersion::V4 => {
                head[1] = class;
                head[10..12].fill(0);
                let sum = naive_checksum(&head[..20]);
                head[10..12].copy_from_slice(&sum.to_be_bytes());
            }
            IpVersion::V6 => {
                head[0] = 0x60 | class >> 4;
                head[1] = class << 4;
            }
        }
        let mut packet = Packet::from_headers(&head, shape.payload.clone(), whole.checksum, whole.segmentation);
        prop_assert_eq!(packet.ecn(), Some(Ecn::from_traffic_class(class)));
        let marked = packet.mark_congestion();
        prop_assert_eq!(marked, class & 3 != 0);
        let view = IpView::parse(&packet).expect("the header checksum is right");
        prop_assert_eq!(view.traffic_class, if marked { class | 3 } else { class });
        prop_assert_eq!(packet.len(), whole.len());
    }

    /// A damaged super-segment must not become undamaged by being cut.
    #[test]
    fn damage_before_the_cut_is_still_found_in_every_piece(seed: u64, at in 0usize..2000, bit in 0u32..8) {
        let mut payload = pattern(2000, seed);
        let shape = Shape {
            version: IpVersion::V4,
            extensions: 0,
            kind: SegmentationKind::Tcp,
            size: 700,
            payload: Chunks::from(payload.clone()),
            flags: TcpFlags::ACK,
            partial: false,
        };
        let good = super_segment(&shape);
        payload[at] ^= 1 << bit;
        let head = good.head().to_vec();
        let bad = Packet::from_headers(&head, Chunks::from(payload), ChecksumState::Complete, good.segmentation);
        for piece in bad.segments() {
            let view = IpView::parse(&piece).expect("the IP header is right");
            prop_assert_ne!(slow_transport_checksum(&piece, &view), 0);
        }
    }

    #[test]
    fn bytes_that_claim_to_be_a_super_segment_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        first in prop_oneof![Just(0x45u8), Just(0x60), any::<u8>()],
        protocol in prop_oneof![Just(6u8), Just(17), any::<u8>()],
        size: u16,
        kind in 0usize..3,
        start: u16,
        field: u16,
        state in 0u8..3,
    ) {
        let mut bytes = bytes;
        for (at, value) in [(0, first), (9, protocol), (6, protocol)] {
            if let Some(slot) = bytes.get_mut(at) {
                *slot = value;
            }
        }
        let len = bytes.len();
        let mut packet = Packet::from_bytes(bytes.into());
        packet.checksum = match state {
            0 => ChecksumState::Complete,
            1 => ChecksumState::Verified,
            _ => ChecksumState::Partial { start: start % 300, field: field % 40 },
        };
        let kind = [SegmentationKind::Tcp, SegmentationKind::TcpAccEcn, SegmentationKind::Udp][kind];
        packet.segmentation = Some(Segmentation { size, kind });
        let count = packet.wire_packets();
        let pieces: Vec<Packet> = packet.segments().collect();
        prop_assert_eq!(pieces.len(), count);
        prop_assert!(pieces.iter().all(|piece| piece.len() <= len));
    }
}

#[test]
fn a_datagram_without_checksum_is_cut_into_datagrams_without_checksum() {
    let shape = Shape {
        version: IpVersion::V4,
        extensions: 0,
        kind: SegmentationKind::Udp,
        size: 100,
        payload: Chunks::from(pattern(250, 3)),
        flags: TcpFlags::empty(),
        partial: false,
    };
    let mut whole = super_segment(&shape);
    assert!(whole.write_head(26, &[0, 0]));
    let fields: Vec<u16> =
        whole.segments().map(|piece| UdpHeader::parse(&piece.head()[20..]).expect("a UDP header").0.checksum).collect();
    assert_eq!(fields, [0, 0, 0]);
}

#[test]
fn finishing_a_partial_checksum_gives_the_one_computed_whole() {
    for version in [IpVersion::V4, IpVersion::V6] {
        for kind in [SegmentationKind::Tcp, SegmentationKind::Udp] {
            let shape = |partial| Shape {
                version,
                extensions: 0,
                kind,
                size: 1000,
                payload: cut(&pattern(77, 5), &[3, 10]),
                flags: TcpFlags::ACK,
                partial,
            };
            let mut partial = super_segment(&shape(true));
            partial.finish_checksum();
            assert_eq!(partial, super_segment(&shape(false)), "{version:?} {kind:?}");
        }
    }
}

#[test]
fn a_shared_head_is_not_changed_under_others() {
    let bytes = segue_wire::Bytes::from(vec![0x45; 40]);
    let mut packet = Packet::from_bytes(bytes.clone());
    assert!(packet.write_head(4, &[1, 2]));
    assert!(!packet.write_head(39, &[1, 2]), "a write over the end of the head");
    assert_eq!(bytes[4], 0x45);
    assert_eq!(packet.head()[4..6], [1, 2]);
}

#[test]
fn a_payload_taken_from_a_device_packet_is_not_copied() {
    let bytes = segue_wire::Bytes::from(pattern(1500, 9));
    let at = bytes.as_ptr() as usize;
    let payload = Packet::from_bytes(bytes).into_payload(52).into_contiguous();
    assert_eq!(payload.as_ptr() as usize, at + 52);
}

#[test]
fn a_piece_never_outgrows_the_length_field() {
    for version in [IpVersion::V4, IpVersion::V6] {
        let shape = Shape {
            version,
            extensions: 0,
            kind: SegmentationKind::Tcp,
            size: u16::MAX,
            payload: Chunks::from(pattern(70_000, 11)),
            flags: TcpFlags::ACK,
            partial: true,
        };
        let whole = super_segment(&shape);
        assert_eq!(whole.wire_packets(), 2);
        for piece in whole.segments() {
            let view = IpView::parse(&piece).unwrap_or_else(|error| panic!("{version:?}: {error}"));
            assert_eq!(view.length, piece.len());
        }
    }
}

/// RFC 768: zero in the field would say that there is no checksum.
#[test]
fn a_udp_checksum_that_comes_out_as_zero_leaves_as_all_ones() {
    let shape = |payload: Vec<u8>, size| Shape {
        version: IpVersion::V6,
        extensions: 0,
        kind: SegmentationKind::Udp,
        size,
        payload: Chunks::from(payload),
        flags: TcpFlags::empty(),
        partial: true,
    };
    let field = |packet: &Packet| packet.head()[46..48].to_vec();
    let mut packet = super_segment(&shape(vec![0, 0], 2));
    packet.finish_checksum();
    // What makes the sum full is the complement of what it was.
    let word = field(&packet);
    let mut packet = super_segment(&shape(word.clone(), 2));
    packet.finish_checksum();
    assert_eq!(field(&packet), [0xff, 0xff]);
    let pieces: Vec<Packet> = super_segment(&shape([&word[..], &word[..]].concat(), 2)).segments().collect();
    assert_eq!(pieces.iter().map(field).collect::<Vec<_>>(), [[0xff, 0xff], [0xff, 0xff]]);
}
