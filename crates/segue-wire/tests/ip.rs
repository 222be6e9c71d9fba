//! IP headers of both versions and the walk over IPv6 extension headers.

mod common;

use common::captured::{LINUX, unhex};
use common::naive_checksum;
use proptest::prelude::*;
use segue_wire::ipv4::Ipv4Error;
use segue_wire::ipv6::{self, ExtensionError, FragmentHeader, Ipv6Error, OptionAction, ParameterProblemCode, walk};
use segue_wire::view::IpError;
use segue_wire::{Ecn, IpView, Ipv4Header, Ipv6Header, Packet, Protocol};

fn v4_header() -> impl Strategy<Value = Ipv4Header> {
    (any::<(u8, u16, bool, bool, bool)>(), 0u16..0x2000, 60u16.., any::<(u8, u8, u32, u32)>()).prop_map(
        |((traffic_class, identification, reserved, df, mf), offset, total_length, (ttl, protocol, source, to))| {
            Ipv4Header {
                traffic_class,
                total_length,
                identification,
                reserved,
                dont_fragment: df,
                more_fragments: mf,
                fragment_offset: offset * 8,
                ttl,
                protocol: Protocol(protocol),
                checksum: 0,
                source: source.into(),
                destination: to.into(),
            }
        },
    )
}

fn v6_header() -> impl Strategy<Value = Ipv6Header> {
    (any::<(u8, u16, u8, u8, u128, u128)>(), 0u32..1 << 20).prop_map(
        |((traffic_class, payload_length, next, hop_limit, source, to), flow_label)| Ipv6Header {
            traffic_class,
            flow_label,
            payload_length,
            next_header: Protocol(next),
            hop_limit,
            source: source.into(),
            destination: to.into(),
        },
    )
}

proptest! {
    #[test]
    fn an_ipv4_header_is_read_as_it_was_written(
        header in v4_header(),
        options in prop::collection::vec(any::<u8>(), 0..41),
    ) {
        let mut out = [0xaa; 64];
        let len = header.emit_with_options(&options, &mut out);
        prop_assert_eq!(len, 20 + options.len().next_multiple_of(4));
        prop_assert_eq!(naive_checksum(&out[..len]), 0);
        let (read, read_len) = Ipv4Header::parse(&out).expect("a header");
        prop_assert_eq!(read_len, len);
        prop_assert_eq!(&out[20..20 + options.len()], &options[..]);
        prop_assert_eq!(Ipv4Header { checksum: 0, ..read }, header);
        prop_assert_eq!(out[len], 0xaa, "written beyond the end");
    }

    #[test]
    fn any_damage_of_one_bit_to_an_ipv4_header_is_found(header in v4_header(), bit in 0usize..160) {
        let mut out = [0; 20];
        header.emit(&mut out);
        out[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Ipv4Header::parse(&out).is_err());
    }

    #[test]
    fn an_ipv6_header_is_read_as_it_was_written(header in v6_header()) {
        let mut out = [0xaa; 41];
        header.emit(&mut out);
        prop_assert_eq!(Ipv6Header::parse(&out), Ok((header, 40)));
        prop_assert_eq!(out[40], 0xaa);
    }

    #[test]
    fn a_fragment_header_is_read_as_it_was_written(next: u8, offset in 0u16..0x2000, more: bool, identification: u32) {
        let header =
            FragmentHeader { next_header: Protocol(next), offset: offset * 8, more_fragments: more, identification };
        let mut out = [0; 8];
        header.emit(&mut out);
        prop_assert_eq!(FragmentHeader::parse(&out), Some(header));
    }

    #[test]
    fn any_bytes_can_be_looked_at(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        first in prop_oneof![Just(0x45u8), Just(0x4f), Just(0x60)],
        next in prop_oneof![Just(0u8), Just(43), Just(44), Just(60), any::<u8>()],
    ) {
        for (at, value) in [(0, first), (6, next)] {
            if let Some(slot) = bytes.get_mut(at) {
                *slot = value;
            }
        }
        let len = bytes.len();
        if let Ok(view) = IpView::parse(&Packet::from_bytes(bytes.into())) {
            prop_assert!(view.length <= len);
            prop_assert!(view.transport <= view.length);
        }
    }

    /// A chain of headers all of which are there ends where they end, whatever they are.
    #[test]
    fn a_walk_ends_behind_the_last_header(
        kinds in prop::collection::vec(prop::sample::select(vec![60u8, 43, 44]), 0..6),
        hop_by_hop: bool,
        units in prop::collection::vec(0u8..3, 7),
        last in prop::sample::select(vec![6u8, 17, 58, 59, 50, 51, 200]),
    ) {
        let mut chain: Vec<u8> = if hop_by_hop { vec![0] } else { vec![] };
        let mut fragment = false;
        // A second fragment header is refused; the first, atomic, is passed.
        chain.extend(kinds.into_iter().filter(|kind| *kind != 44 || !std::mem::replace(&mut fragment, true)));
        let mut packet = vec![0u8; 40];
        packet[0] = 0x60;
        let mut next: Vec<u8> = chain.clone();
        next.push(last);
        packet[6] = next[0];
        for (index, kind) in chain.iter().enumerate() {
            let units = if *kind == 44 { 0 } else { units[index % units.len()] };
            let at = packet.len();
            packet.resize(at + 8 * (usize::from(units) + 1), 0);
            packet[at] = next[index + 1];
            if *kind != 44 {
                packet[at + 1] = units;
            }
            if *kind == 0 || *kind == 60 {
                // One unknown option that asks to be skipped fills it.
                packet[at + 2] = 0x1e;
                packet[at + 3] = units * 8 + 4;
            }
        }
        let end = packet.len();
        let found = walk(Protocol(packet[6]), &packet, end).expect("a chain within the limits");
        prop_assert_eq!((found.protocol, found.offset), (Protocol(last), end));
        prop_assert_eq!(packet[found.next_header_at], last);
        prop_assert_eq!(found.fragment.is_some(), fragment);
        for cut in 40..end {
            let cut_short = walk(Protocol(packet[6]), &packet[..cut], cut);
            prop_assert!(cut_short.is_err(), "cut at {} of {}", cut, end);
        }
    }
}

#[test]
fn packets_of_a_linux_kernel_are_read_and_written_alike() {
    for (name, digits) in LINUX {
        let bytes = unhex(digits);
        if bytes[0] >> 4 == 4 {
            let (header, len) = Ipv4Header::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(header.payload_len(len, bytes.len()), Ok(bytes.len() - 20));
            let mut out = [0; 20];
            header.emit(&mut out);
            assert_eq!(out, bytes[..20], "{name}");
        } else {
            let (header, len) = Ipv6Header::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(header.payload_len(bytes.len()), Ok(bytes.len() - len));
            let mut out = [0; 40];
            header.emit(&mut out);
            assert_eq!(out, bytes[..40], "{name}");
        }
    }
}

fn v4(edit: impl Fn(&mut Ipv4Header)) -> [u8; 20] {
    let mut header = Ipv4Header { total_length: 20, protocol: Protocol::TCP, ..Ipv4Header::default() };
    edit(&mut header);
    let mut out = [0; 20];
    header.emit(&mut out);
    out
}

#[test]
fn each_reason_to_refuse_an_ipv4_header_has_its_name() {
    let good = v4(|_| {});
    assert!(Ipv4Header::parse(&good).is_ok());
    assert_eq!(Ipv4Header::parse(&good[..19]), Err(Ipv4Error::Truncated));
    let edited = |at: usize, value: u8| {
        let mut bytes = good;
        bytes[at] = value;
        Ipv4Header::parse(&bytes)
    };
    assert_eq!(edited(0, 0x55), Err(Ipv4Error::BadVersion));
    assert_eq!(edited(0, 0x44), Err(Ipv4Error::BadHeaderLength));
    assert_eq!(edited(0, 0x46), Err(Ipv4Error::Truncated));
    assert_eq!(edited(10, good[10] ^ 1), Err(Ipv4Error::BadChecksum));
    assert_eq!(Ipv4Header::parse(&v4(|header| header.total_length = 19)), Err(Ipv4Error::BadTotalLength));
    let (longer, len) = Ipv4Header::parse(&v4(|header| header.total_length = 21)).expect("the header is right");
    assert_eq!(longer.payload_len(len, 20), Err(Ipv4Error::BadTotalLength));
    assert_eq!(longer.payload_len(len, 46), Ok(1), "padding of the link is not payload");
}

#[test]
fn fragments_and_congestion_marks_are_seen() {
    let read = |edit: &dyn Fn(&mut Ipv4Header)| Ipv4Header::parse(&v4(edit)).expect("a header").0;
    assert!(!read(&|_| {}).is_fragment());
    assert!(read(&|header| header.more_fragments = true).is_fragment());
    assert!(read(&|header| header.fragment_offset = 8).is_fragment());
    assert_eq!(read(&|header| header.traffic_class = 0xb9).ecn(), Ecn::Ect1);
}

#[test]
fn each_reason_to_refuse_an_ipv6_header_has_its_name() {
    let mut bytes = [0; 40];
    Ipv6Header { payload_length: 1, ..Ipv6Header::default() }.emit(&mut bytes);
    assert_eq!(Ipv6Header::parse(&bytes[..39]), Err(Ipv6Error::Truncated));
    let (header, _) = Ipv6Header::parse(&bytes).expect("a header");
    assert_eq!(header.payload_len(40), Err(Ipv6Error::BadPayloadLength));
    assert_eq!(header.payload_len(60), Ok(1), "padding of the link is not payload");
    bytes[0] = 0x45;
    assert_eq!(Ipv6Header::parse(&bytes), Err(Ipv6Error::BadVersion));
}

#[test]
fn a_packet_of_neither_version_is_refused() {
    for first in [0x00, 0x50, 0xf0] {
        let packet = Packet::from_bytes(vec![first; 40].into());
        assert_eq!(IpView::parse(&packet), Err(IpError::BadVersion));
    }
    assert_eq!(IpView::parse(&Packet::from_bytes(Vec::new().into())), Err(IpError::BadVersion));
}

/// A packet with the given bytes behind the fixed header, and a walk over it.
fn walk_over(first: Protocol, rest: &[u8]) -> Result<ipv6::Chain, ExtensionError> {
    let mut packet = vec![0; 40];
    packet[0] = 0x60;
    packet[6] = first.0;
    packet.extend_from_slice(rest);
    walk(first, &packet, packet.len())
}

#[test]
fn an_unknown_option_does_what_its_high_bits_ask_for() {
    let with = |option: u8| walk_over(Protocol::DESTINATION_OPTIONS, &[6, 0, option, 2, 0, 0, 1, 0]);
    assert_eq!(with(0x1e).map(|chain| chain.offset), Ok(48));
    for (option, action, unicast, multicast) in [
        (0x5e, OptionAction::Discard, false, false),
        (0x9e, OptionAction::DiscardReport, true, true),
        (0xde, OptionAction::DiscardReportUnicast, true, false),
    ] {
        let error = with(option).expect_err("not to be skipped");
        assert_eq!(error, ExtensionError::UnknownOption { action, pointer: 42 });
        let report = Some((ParameterProblemCode::UnrecognizedOption, 42));
        assert_eq!(error.parameter_problem(false), report.filter(|_| unicast));
        assert_eq!(error.parameter_problem(true), report.filter(|_| multicast));
    }
}

#[test]
fn a_jumbogram_is_refused() {
    let error = walk_over(Protocol::HOP_BY_HOP, &[6, 0, 0xc2, 4, 0, 1, 0, 0]).expect_err("a jumbogram");
    assert_eq!(error, ExtensionError::Jumbogram { pointer: 42 });
}

#[test]
fn hop_by_hop_options_stand_only_behind_the_fixed_header() {
    let padding = [1, 4, 0, 0, 0, 0];
    let rest = [&[0, 0][..], &padding, &[6, 0], &padding].concat();
    let error = walk_over(Protocol::DESTINATION_OPTIONS, &rest).expect_err("misplaced");
    assert_eq!(error, ExtensionError::MisplacedHopByHop { pointer: 40 });
    assert_eq!(error.parameter_problem(false), Some((ParameterProblemCode::UnrecognizedNextHeader, 40)));
}

#[test]
fn a_routing_header_with_something_left_is_refused_and_told() {
    let with_left = |left: u8| walk_over(Protocol::ROUTING, &[6, 0, 0, left, 0, 0, 0, 0]);
    assert_eq!(with_left(0).map(|chain| chain.protocol), Ok(Protocol::TCP));
    let error = with_left(1).expect_err("not followed");
    assert_eq!(error.parameter_problem(false), Some((ParameterProblemCode::ErroneousField, 42)));
}

#[test]
fn a_chain_has_a_limited_number_of_headers_options_and_padding() {
    let headers = |count: usize| {
        let one = [60, 0, 1, 4, 0, 0, 0, 0];
        let mut rest = one.repeat(count);
        rest[(count - 1) * 8] = 6;
        walk_over(Protocol::DESTINATION_OPTIONS, &rest)
    };
    assert!(headers(8).is_ok());
    assert_eq!(headers(9), Err(ExtensionError::TooMany));
    let options = |count: usize| {
        let mut rest = [&[6, 0][..], &[0x1e, 0].repeat(count)].concat();
        rest[1] = (rest.len().div_ceil(8) - 1) as u8;
        rest.resize(rest.len().next_multiple_of(8), 0);
        walk_over(Protocol::DESTINATION_OPTIONS, &rest)
    };
    assert!(options(8).is_ok());
    assert_eq!(options(9), Err(ExtensionError::TooMany));
    let mut padding = vec![6, 1];
    padding.resize(16, 0);
    assert_eq!(walk_over(Protocol::DESTINATION_OPTIONS, &padding), Err(ExtensionError::TooMany));
}

#[test]
fn an_option_that_ends_beyond_its_header_is_refused() {
    let error = walk_over(Protocol::DESTINATION_OPTIONS, &[6, 0, 0x1e, 5, 0, 0, 0, 0]).expect_err("too long");
    assert_eq!(error, ExtensionError::BadOptionLength { pointer: 43 });
    let error = walk_over(Protocol::DESTINATION_OPTIONS, &[6, 0, 1, 3, 0, 0, 0, 9]).expect_err("no length");
    assert_eq!(error, ExtensionError::BadOptionLength { pointer: 47 });
}

fn fragment(offset: u16, more_fragments: bool, payload: usize) -> Result<ipv6::Chain, ExtensionError> {
    let header = FragmentHeader { next_header: Protocol::UDP, offset, more_fragments, identification: 7 };
    let mut rest = vec![0; 8 + payload];
    header.emit(&mut rest);
    walk_over(Protocol::FRAGMENT, &rest)
}

#[test]
fn fragments_are_checked_for_their_length_and_place() {
    let whole = fragment(0, false, 5).expect("an atomic fragment");
    assert!(whole.fragment.is_some_and(|(header, at)| header.is_atomic() && at == 40));
    assert_eq!(whole.offset, 48);
    assert!(fragment(0, true, 16).is_ok());
    assert!(fragment(16, false, 5).is_ok());
    assert_eq!(fragment(0, true, 15), Err(ExtensionError::BadFragmentLength));
    assert_eq!(
        fragment(0, true, 15).map_err(|error| error.parameter_problem(false)),
        Err(Some((ParameterProblemCode::ErroneousField, 4)))
    );
    assert!(fragment(65_528, false, 7).is_ok());
    assert_eq!(fragment(65_528, false, 8), Err(ExtensionError::FragmentTooLong { pointer: 42 }));
}

#[test]
fn a_first_fragment_without_the_whole_chain_is_refused() {
    // UDP needs eight bytes behind the fragment header.
    assert_eq!(fragment(0, true, 0), Err(ExtensionError::IncompleteFirstFragment));
    // Destination options that go on in the next fragment.
    let rest = [60, 0, 0, 1, 0, 0, 0, 7, 17, 3, 1, 4, 0, 0, 0, 0];
    assert_eq!(walk_over(Protocol::FRAGMENT, &rest), Err(ExtensionError::IncompleteFirstFragment));
}

#[test]
fn a_later_fragment_is_not_read_as_headers() {
    // What looks like a hop-by-hop header in the middle of a packet is data.
    let mut rest = vec![0, 0, 0, 9, 0, 0, 0, 7];
    rest.extend([0xff; 16]);
    let chain = walk_over(Protocol::FRAGMENT, &rest).expect("data");
    assert_eq!((chain.protocol, chain.offset), (Protocol::HOP_BY_HOP, 48));
}

#[test]
fn the_headers_are_enough_for_a_walk_when_the_payload_lies_elsewhere() {
    let mut head = vec![0; 48];
    head[0] = 0x60;
    head[6] = 60;
    head[40..48].copy_from_slice(&[6, 0, 1, 4, 0, 0, 0, 0]);
    assert_eq!(walk(Protocol::DESTINATION_OPTIONS, &head, 1500).map(|chain| chain.offset), Ok(48));
}
