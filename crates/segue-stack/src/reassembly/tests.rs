use super::*;
use proptest::prelude::*;
use segue_wire::Protocol;
use segue_wire::ipv6::FragmentHeader;
use std::net::{Ipv4Addr, Ipv6Addr};

const IFACE: IfaceId = IfaceId::at(1);
const V4_A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const V4_B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const V6_A: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
const V6_B: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);

/// One host's reassembly with its counters.
struct Bench {
    reassembler: Reassembler,
    counters: Counters,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u16,
    len: usize,
    more: bool,
}

fn piece(start: u16, len: usize, more: bool) -> Piece {
    Piece { start, len, more }
}

/// The byte at each place of the one true datagram.
fn byte_at(place: usize) -> u8 {
    (place * 31 + place / 251) as u8
}

fn content(start: usize, len: usize) -> Vec<u8> {
    (start..start + len).map(byte_at).collect()
}

fn bench_with(config: ReassemblyConfig) -> Bench {
    let hasher = crate::secrets::Secrets::from_seed(&[7; 32]).build_hasher();
    Bench { reassembler: Reassembler::new(config, hasher), counters: Counters::default() }
}

fn bench() -> Bench {
    bench_with(ReassemblyConfig::default())
}

fn packet_v4(id: u16, tos: u8, options: &[u8], piece: Piece, data: &[u8]) -> Packet {
    let header_len = 20 + options.len();
    let header = Ipv4Header {
        traffic_class: tos,
        total_length: (header_len + data.len()) as u16,
        identification: id,
        dont_fragment: false,
        more_fragments: piece.more,
        fragment_offset: piece.start,
        protocol: Protocol::UDP,
        source: V4_A,
        destination: V4_B,
        ..Ipv4Header::default()
    };
    let mut bytes = vec![0; header_len];
    header.emit_with_options(options, &mut bytes);
    bytes.extend_from_slice(data);
    Packet::from_bytes(bytes.into())
}

fn packet_v6(id: u32, piece: Piece, data: &[u8]) -> Packet {
    let header = Ipv6Header {
        payload_length: (8 + data.len()) as u16,
        next_header: Protocol::FRAGMENT,
        source: V6_A,
        destination: V6_B,
        ..Ipv6Header::default()
    };
    let mut bytes = vec![0; 48];
    header.emit(&mut bytes);
    let fragment = FragmentHeader {
        next_header: Protocol::UDP,
        offset: piece.start,
        more_fragments: piece.more,
        identification: id,
    };
    fragment.emit(&mut bytes[40..]);
    bytes.extend_from_slice(data);
    Packet::from_bytes(bytes.into())
}

impl Bench {
    fn packet(&mut self, now: Instant, iface: IfaceId, packet: Packet) -> Reassembled {
        if packet.version() == Some(segue_wire::IpVersion::V4) {
            let (header, header_len) = Ipv4Header::parse(packet.head()).unwrap();
            return self.reassembler.on_fragment_v4(now, iface, &header, header_len, packet, &mut self.counters);
        }
        let (header, _) = Ipv6Header::parse(packet.head()).unwrap();
        let fragment = FragmentHeader::parse(&packet.head()[40..]).unwrap();
        let chain =
            Chain { protocol: fragment.next_header, offset: 48, next_header_at: 40, fragment: Some((fragment, 40)) };
        self.reassembler.on_fragment_v6(now, iface, &header, &chain, packet, &mut self.counters)
    }

    fn v4(&mut self, id: u16, piece: Piece) -> Reassembled {
        let data = content(piece.start.into(), piece.len);
        self.packet(Instant::ZERO, IFACE, packet_v4(id, 0, &[], piece, &data))
    }

    fn v6(&mut self, id: u32, piece: Piece) -> Reassembled {
        let data = content(piece.start.into(), piece.len);
        self.packet(Instant::ZERO, IFACE, packet_v6(id, piece, &data))
    }

    fn expire(&mut self, now: Instant) -> Vec<Expired> {
        core::iter::from_fn(|| self.reassembler.poll_expired(now, &mut self.counters)).collect()
    }
}

fn pending(outcome: Reassembled) {
    assert!(matches!(outcome, Reassembled::Pending), "{outcome:?}");
}

fn dropped(outcome: Reassembled, why: FragmentDrop) {
    assert!(matches!(outcome, Reassembled::Dropped(reason) if reason == why), "{outcome:?}, expected {why:?}");
}

/// The payload of a completed packet, after its headers were checked.
fn complete(outcome: Reassembled) -> Vec<u8> {
    let Reassembled::Complete { packet, .. } = outcome else { panic!("not complete: {outcome:?}") };
    let front = packet.head().len();
    if packet.version() == Some(segue_wire::IpVersion::V4) {
        let (header, header_len) = Ipv4Header::parse(packet.head()).unwrap();
        assert!(!header.is_fragment());
        assert_eq!(usize::from(header.total_length), packet.len());
        assert!(front >= packet.len().min(header_len + 60), "transport header not in one piece");
        return packet.to_bytes()[header_len..].to_vec();
    }
    let (header, _) = Ipv6Header::parse(packet.head()).unwrap();
    assert_eq!(header.next_header, Protocol::UDP);
    assert_eq!(usize::from(header.payload_length) + 40, packet.len());
    assert!(front >= packet.len().min(100), "transport header not in one piece");
    packet.to_bytes()[40..].to_vec()
}

#[test]
fn fragments_in_any_order_give_the_datagram_back() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let pieces = [piece(0, 1480, true), piece(1480, 1480, true), piece(2960, 41, false)];
        let mut bench = bench();
        pending(bench.v4(1, pieces[order[0]]));
        pending(bench.v6(1, pieces[order[0]]));
        pending(bench.v4(1, pieces[order[1]]));
        pending(bench.v6(1, pieces[order[1]]));
        assert_eq!(complete(bench.v4(1, pieces[order[2]])), content(0, 3001), "{order:?}");
        assert_eq!(complete(bench.v6(1, pieces[order[2]])), content(0, 3001), "{order:?}");
        assert!(bench.reassembler.is_empty() && bench.reassembler.memory() == 0);
        assert_eq!(bench.reassembler.next_deadline(), None);
        assert_eq!(bench.counters.get(Counter::IpReasmReqds), 3);
        assert_eq!(bench.counters.get(Counter::IpReasmOKs), 1);
        assert_eq!(bench.counters.get(Counter::Ip6ReasmOKs), 1);
        assert_eq!(bench.counters.get(Counter::IpReasmFails), 0);
    }
}

#[test]
fn datagrams_do_not_mix_by_identification_protocol_interface_or_address() {
    let mut bench = bench();
    pending(bench.v4(1, piece(0, 8, true)));
    pending(bench.v4(2, piece(8, 8, false)));
    pending(bench.packet(Instant::ZERO, IfaceId::at(2), packet_v4(1, 0, &[], piece(8, 8, false), &content(8, 8))));
    pending(bench.v6(1, piece(8, 8, false)));
    assert_eq!(bench.reassembler.len(), 4);
    assert_eq!(complete(bench.v4(1, piece(8, 8, false))), content(0, 16));
}

#[test]
fn the_header_of_the_first_fragment_survives_with_its_options() {
    let mut bench = bench();
    let options = [1, 1, 1, 0];
    pending(bench.packet(Instant::ZERO, IFACE, packet_v4(1, 0x10, &[], piece(8, 9, false), &content(8, 9))));
    let first = packet_v4(1, 0x20, &options, piece(0, 8, true), &content(0, 8));
    let Reassembled::Complete { packet, .. } = bench.packet(Instant::ZERO, IFACE, first) else { panic!() };
    let (header, header_len) = Ipv4Header::parse(packet.head()).unwrap();
    assert_eq!(header_len, 24);
    assert_eq!(packet.head()[20..24], options);
    assert_eq!(header.traffic_class, 0x20);
    assert_eq!(packet.len(), 24 + 17);
}

#[test]
fn an_ipv4_fragment_whose_bytes_are_all_there_changes_nothing() {
    let mut bench = bench();
    pending(bench.v4(1, piece(0, 16, true)));
    pending(bench.v4(1, piece(16, 16, true)));
    let held = bench.reassembler.memory();
    pending(bench.v4(1, piece(8, 16, true)));
    pending(bench.v4(1, piece(0, 16, true)));
    assert_eq!(bench.reassembler.memory(), held);
    assert_eq!(complete(bench.v4(1, piece(32, 1, false))), content(0, 33));
}

#[test]
fn a_partial_overlap_ends_an_ipv4_datagram() {
    for overlapping in [piece(8, 16, true), piece(8, 24, true), piece(24, 16, true), piece(0, 48, true)] {
        let mut bench = bench();
        pending(bench.v4(1, piece(16, 16, true)));
        dropped(bench.v4(1, overlapping), FragmentDrop::Contradiction);
        assert!(bench.reassembler.is_empty() && bench.reassembler.memory() == 0, "{overlapping:?}");
        assert_eq!(bench.counters.get(Counter::IpExtReasmOverlaps), 1);
    }
}

#[test]
fn in_ipv6_only_the_same_range_again_is_harmless_and_any_other_overlap_ends_the_datagram() {
    let mut exact = bench();
    pending(exact.v6(1, piece(0, 32, true)));
    pending(exact.v6(1, piece(0, 32, true)));
    assert_eq!(complete(exact.v6(1, piece(32, 8, false))), content(0, 40));
    for overlapping in [piece(8, 8, true), piece(0, 16, true), piece(16, 32, true), piece(24, 8, false)] {
        let mut bench = bench();
        pending(bench.v6(1, piece(0, 32, true)));
        dropped(bench.v6(1, overlapping), FragmentDrop::Contradiction);
        assert!(bench.reassembler.is_empty());
        // RFC 5722: what was held is gone, so the rest alone completes nothing.
        pending(bench.v6(1, piece(32, 8, false)));
    }
}

#[test]
fn two_different_ends_or_bytes_beyond_the_end_are_a_contradiction() {
    for (first, second) in [
        (piece(16, 8, false), piece(24, 8, false)),
        (piece(16, 8, false), piece(24, 8, true)),
        (piece(32, 8, true), piece(16, 8, false)),
    ] {
        let mut bench = bench();
        pending(bench.v4(1, first));
        dropped(bench.v4(1, second), FragmentDrop::Contradiction);
        pending(bench.v6(1, first));
        dropped(bench.v6(1, second), FragmentDrop::Contradiction);
    }
}

#[test]
fn a_datagram_beyond_65535_bytes_is_refused_and_forgotten() {
    let mut bench = bench();
    pending(bench.v4(1, piece(0, 8, true)));
    dropped(bench.v4(1, piece(65_512, 100, false)), FragmentDrop::TooLong);
    assert!(bench.reassembler.is_empty());
    // Counting the header, 65515 bytes of payload are the most.
    pending(bench.v4(2, piece(0, 65_000, true)));
    dropped(bench.v4(2, piece(65_000, 516, false)), FragmentDrop::TooLong);
    pending(bench.v4(3, piece(0, 65_000, true)));
    assert_eq!(complete(bench.v4(3, piece(65_000, 515, false))).len(), 65_515);
    pending(bench.v6(3, piece(0, 65_000, true)));
    assert_eq!(complete(bench.v6(3, piece(65_000, 535, false))).len(), 65_535);
}

#[test]
fn options_of_the_first_fragment_count_even_when_it_comes_last() {
    let mut bench = bench();
    pending(bench.v4(1, piece(65_000, 515, false)));
    let first = packet_v4(1, 0, &[1, 1, 1, 0], piece(0, 32_000, true), &content(0, 32_000));
    pending(bench.packet(Instant::ZERO, IFACE, first));
    dropped(bench.v4(1, piece(32_000, 33_000, true)), FragmentDrop::TooLong);
    assert_eq!(bench.reassembler.memory(), 0);
}

#[test]
fn a_fragment_that_is_not_the_last_is_cut_at_eight_bytes_in_ipv4_and_refused_in_ipv6() {
    let mut bench = bench();
    pending(bench.v4(1, piece(0, 13, true)));
    assert_eq!(complete(bench.v4(1, piece(8, 8, false))), content(0, 16));
    dropped(bench.v4(2, piece(0, 7, true)), FragmentDrop::Tiny);
    dropped(bench.v6(1, piece(0, 13, true)), FragmentDrop::Tiny);
    dropped(bench.v6(1, piece(16, 0, false)), FragmentDrop::Tiny);
    assert!(bench.reassembler.is_empty());
    assert_eq!(bench.counters.get(Counter::SegueFragmentTiny), 3);
}

#[test]
fn an_atomic_ipv6_fragment_is_complete_and_meets_no_others() {
    let mut bench = bench();
    pending(bench.v6(9, piece(8, 8, false)));
    assert_eq!(complete(bench.v6(9, piece(0, 5, false))), content(0, 5));
    assert_eq!(bench.reassembler.len(), 1);
    assert_eq!(complete(bench.v6(9, piece(0, 8, true))), content(0, 16));
}

#[test]
fn a_datagram_is_given_up_after_its_time_and_quotes_its_first_fragment() {
    let mut bench = bench();
    let start = Instant::from_secs(5);
    let first = packet_v4(1, 0, &[], piece(0, 24, true), &content(0, 24));
    pending(bench.packet(start, IFACE, first.clone()));
    pending(bench.packet(start, IFACE, packet_v4(2, 0, &[], piece(24, 8, true), &content(24, 8))));
    let first_v6 = packet_v6(1, piece(0, 24, true), &content(0, 24));
    pending(bench.packet(start, IFACE, first_v6.clone()));
    // A later fragment does not put the deadline off.
    pending(bench.packet(
        start + Duration::from_secs(29),
        IFACE,
        packet_v4(1, 0, &[], piece(48, 8, true), &content(48, 8)),
    ));

    assert_eq!(bench.reassembler.next_deadline(), Some(start + Duration::from_secs(30)));
    assert!(bench.expire(start + Duration::from_nanos(29_999_999_999)).is_empty());
    let expired = bench.expire(start + Duration::from_secs(30));
    assert_eq!(expired.len(), 2);
    assert_eq!(expired[0].first_fragment.as_ref().map(Packet::to_bytes), Some(first.to_bytes()));
    assert!(expired[1].first_fragment.is_none(), "nothing to quote, so no error may be sent");
    assert_eq!(bench.reassembler.next_deadline(), Some(start + Duration::from_secs(60)));
    let expired = bench.expire(start + Duration::from_secs(60));
    assert_eq!(expired[0].first_fragment.as_ref().map(Packet::to_bytes), Some(first_v6.to_bytes()));
    assert!(bench.reassembler.is_empty() && bench.reassembler.memory() == 0);
    assert_eq!(bench.counters.get(Counter::IpReasmTimeout), 2);
    assert_eq!(bench.counters.get(Counter::Ip6ReasmTimeout), 1);
}

#[test]
fn congestion_marked_on_one_fragment_is_marked_on_the_whole() {
    let whole_tos = |first: u8, second: u8| {
        let mut bench = bench();
        pending(bench.packet(Instant::ZERO, IFACE, packet_v4(1, first, &[], piece(0, 8, true), &content(0, 8))));
        match bench.packet(Instant::ZERO, IFACE, packet_v4(1, second, &[], piece(8, 8, false), &content(8, 8))) {
            Reassembled::Complete { packet, .. } => Ok(packet.head()[1]),
            Reassembled::Dropped(why) => Err(why),
            Reassembled::Pending => panic!(),
        }
    };
    assert_eq!(whole_tos(2, 3), Ok(3));
    assert_eq!(whole_tos(3, 2), Ok(3));
    assert_eq!(whole_tos(0x88 | 2, 2), Ok(0x88 | 2));
    assert_eq!(whole_tos(0, 0), Ok(0));
    // RFC 3168 section 5.3: a mark on a fragment of a sender that does not take part must not be lost or invented.
    assert_eq!(whole_tos(0, 3), Err(FragmentDrop::Contradiction));
    assert_eq!(whole_tos(3, 0), Err(FragmentDrop::Contradiction));
}

#[test]
fn under_a_flood_the_oldest_go_and_the_newest_still_get_through() {
    let mut config = ReassemblyConfig::default();
    config.v4.high_thresh = 100_000;
    config.v4.max_datagrams = 50;
    let mut bench = bench_with(config);
    for id in 0..5000 {
        pending(bench.v4(id, piece(8, 1480, true)));
        assert!(bench.reassembler.memory() <= 100_000);
        assert!(bench.reassembler.len() <= 50);
    }
    pending(bench.v4(60_000, piece(0, 800, true)));
    assert_eq!(complete(bench.v4(60_000, piece(800, 800, false))), content(0, 1600));
    assert_eq!(bench.counters.get(Counter::IpReasmFails), 5000 - bench.reassembler.len() as u64);
}

#[test]
fn tiny_fragments_count_for_what_they_cost() {
    let mut config = ReassemblyConfig::default();
    config.v6.high_thresh = 10_000;
    let mut bench = bench_with(config);
    let kept = (1..1000u16).filter(|n| matches!(bench.v6(1, piece(n * 8, 8, true)), Reassembled::Pending)).count();
    assert!(kept < 10_000 / 128, "{kept} fragments in 10 kB");
    assert_eq!(bench.counters.get(Counter::SegueFragmentLimit), 999 - kept as u64);
}

#[test]
fn a_short_fragment_does_not_keep_a_large_buffer_alive() {
    let mut bench = bench();
    let mut buffer = vec![0; 65_536];
    let one = packet_v4(1, 0, &[], piece(8, 100, true), &content(8, 100)).to_bytes();
    buffer[..one.len()].copy_from_slice(&one);
    let buffer = Bytes::from(buffer);
    pending(bench.packet(Instant::ZERO, IFACE, Packet::from_bytes(buffer.slice(..one.len()))));
    assert!(buffer.is_unique());
}

#[test]
fn what_is_no_fragment_or_shorter_than_it_says_is_malformed() {
    let mut bench = bench();
    dropped(bench.v4(1, piece(0, 8, false)), FragmentDrop::Malformed);
    let short = packet_v4(1, 0, &[], piece(0, 16, true), &content(0, 16)).to_bytes().slice(..30);
    dropped(bench.packet(Instant::ZERO, IFACE, Packet::from_bytes(short)), FragmentDrop::Malformed);
    let short = packet_v6(1, piece(0, 16, true), &content(0, 16)).to_bytes().slice(..50);
    dropped(bench.packet(Instant::ZERO, IFACE, Packet::from_bytes(short)), FragmentDrop::Malformed);
    assert_eq!(bench.counters.get(Counter::SegueFragmentMalformed), 3);
}

/// Cuts a datagram of `len` bytes at these places (rounded to multiples of 8).
fn cut(len: usize, places: &[usize]) -> Vec<Piece> {
    let mut borders: Vec<usize> = places.iter().map(|p| p % len / 8 * 8).filter(|p| *p > 0).collect();
    borders.extend([0, len]);
    borders.sort_unstable();
    borders.dedup();
    borders.windows(2).map(|b| piece(b[0] as u16, b[1] - b[0], b[1] != len)).collect()
}

proptest! {
    #[test]
    fn however_a_datagram_is_cut_shuffled_and_repeated_it_comes_back(
        len in 9usize..9000,
        places in prop::collection::vec(any::<usize>(), 1..20),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let pieces = cut(len, &places);
        prop_assume!(pieces.len() > 1);
        // Random picks first (with repetitions), then whatever is still missing.
        let mut schedule: Vec<Piece> = order.iter().map(|index| pieces[index.index(pieces.len())]).collect();
        schedule.extend(&pieces);
        for v6 in [false, true] {
            let mut bench = bench();
            let result = schedule.iter().find_map(|piece| {
                let outcome = if v6 { bench.v6(5, *piece) } else { bench.v4(5, *piece) };
                matches!(outcome, Reassembled::Complete { .. }).then_some(outcome)
            });
            prop_assert_eq!(complete(result.expect("all pieces were given")), content(0, len));
            prop_assert_eq!(bench.reassembler.memory(), 0);
        }
    }

    /// Pieces at random, overlapping and contradictory: whatever completes must consist of true bytes only, limits
    /// must hold at every step and everything must be gone after the time-out.
    #[test]
    fn hostile_fragments_never_give_false_bytes_nor_exceed_the_limits(
        fragments in prop::collection::vec((0u16..4, 0u16..40, 0usize..100, any::<bool>(), any::<bool>(), 0u8..4), 1..120),
    ) {
        let mut config = ReassemblyConfig::default();
        for family in [&mut config.v4, &mut config.v6] {
            family.high_thresh = 3000;
            family.max_datagrams = 3;
        }
        let mut bench = bench_with(config);
        for (id, start, len, more, v6, tos) in fragments {
            let piece = piece(start * 8, len, more);
            let data = content(usize::from(piece.start), len);
            let packet = match v6 {
                false => packet_v4(id, tos, &[], piece, &data),
                true => packet_v6(id.into(), piece, &data),
            };
            if let outcome @ Reassembled::Complete { .. } = bench.packet(Instant::ZERO, IFACE, packet) {
                let payload = complete(outcome);
                prop_assert_eq!(&payload, &content(0, payload.len()));
            }
            prop_assert!(bench.reassembler.memory() <= 2 * 3000);
            prop_assert!(bench.reassembler.len() <= 6);
        }
        let waiting = bench.reassembler.len();
        prop_assert_eq!(bench.expire(Instant::from_secs(60)).len(), waiting);
        prop_assert_eq!(bench.reassembler.memory(), 0);
        prop_assert!(bench.reassembler.next_deadline().is_none());
    }

    #[test]
    fn no_bytes_make_it_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..120),
        v6: bool,
        length in 0u8..130,
        at in 0usize..130,
        offset in any::<u16>(),
        more: bool,
    ) {
        // Mostly believable versions and lengths, so that the bytes get past the first checks.
        for (place, value) in [(0, if v6 { 0x60 } else { 0x40 | (length % 16) }), (if v6 { 4 } else { 2 }, 0), (if v6 { 5 } else { 3 }, length)] {
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
        }
        let mut bench = bench();
        let packet = Packet::from_bytes(bytes.clone().into());
        if let Ok((header, header_len)) = Ipv4Header::parse_quoted(&bytes) {
            let _ = bench.reassembler.on_fragment_v4(Instant::ZERO, IFACE, &header, header_len, packet.clone(), &mut bench.counters);
        }
        if let Ok((header, _)) = Ipv6Header::parse(&bytes) {
            let fragment = FragmentHeader { next_header: Protocol::UDP, offset: offset & !7, more_fragments: more, identification: 1 };
            let chain = Chain { protocol: Protocol::UDP, offset: at, next_header_at: 6, fragment: Some((fragment, at)) };
            let _ = bench.reassembler.on_fragment_v6(Instant::ZERO, IFACE, &header, &chain, packet, &mut bench.counters);
        }
        let _ = bench.expire(Instant::from_secs(100));
        prop_assert!(bench.reassembler.is_empty());
    }
}
