//! Packets that are too long for the narrowest hop.

use std::net::{IpAddr, Ipv4Addr};

use segue_wire::icmpv4::UnreachableCode;
use segue_wire::{Icmpv4Message, Icmpv6Message, IpView, Ipv4Header, Protocol, QuotedTransport};

use super::*;
use crate::testing::{V4, V6, checksum_is_valid, tcp_packet};

fn narrow(mtu: usize) -> Impairments {
    Impairments { mtu: Some(mtu), ..Impairments::default() }
}

fn answer(path: &mut Path, at: Instant) -> Option<(IpView, Bytes)> {
    let packet = path.pop(at, End::A)?;
    Some((IpView::parse(&packet).expect("an IP packet"), packet.to_bytes()))
}

#[test]
fn an_ipv4_packet_is_answered_with_fragmentation_needed_from_the_path_itself() {
    let back = Impairments { delay: Duration::from_millis(30), ..Impairments::default() };
    let mut path = Path::new(PathConfig::new(narrow(1000), back).expect("valid"));
    path.push(Instant::ZERO, End::A, tcp_packet(V4, 1200));
    assert!(path.pop(Instant::from_secs(1), End::B).is_none());
    assert!(answer(&mut path, Instant::from_millis(29)).is_none(), "it travels back like any packet");
    let (view, bytes) = answer(&mut path, Instant::from_millis(30)).expect("an answer");
    assert_eq!((view.source, view.destination), (IpAddr::V4(Ipv4Addr::new(192, 0, 0, 8)), V4.0));
    let message = Icmpv4Message::parse(&bytes[view.transport..]).expect("a good checksum");
    let Icmpv4Message::DestinationUnreachable { code, next_hop_mtu, .. } = message else { panic!("{message:?}") };
    assert_eq!((code, next_hop_mtu), (UnreachableCode::FRAGMENTATION_NEEDED, 1000));
    let quoted = message.quoted().expect("it quotes the packet");
    assert_eq!((quoted.source, quoted.destination, quoted.total_length), (V4.0, V4.1, 1240));
    assert!(matches!(quoted.transport, QuotedTransport::Tcp { sequence: 1000, .. }));
    assert!(bytes.len() <= 576);
    let stats = path.stats().a_to_b;
    assert_eq!((stats.too_big, stats.too_big_answered), (1, 1));
    assert_conserved(&stats);
}

#[test]
fn an_ipv6_packet_is_answered_with_packet_too_big() {
    let mut path = path(narrow(1280), 0);
    path.push(Instant::ZERO, End::A, tcp_packet(V6, 1300));
    let (view, bytes) = answer(&mut path, Instant::ZERO).expect("an answer");
    let (IpAddr::V6(source), IpAddr::V6(destination)) = (view.source, view.destination) else { panic!("{view:?}") };
    assert_eq!(IpAddr::V6(destination), V6.0);
    let message = Icmpv6Message::parse(source, destination, &bytes[view.transport..]).expect("a good checksum");
    let Icmpv6Message::PacketTooBig { mtu, .. } = message else { panic!("{message:?}") };
    assert_eq!(mtu, 1280);
    assert_eq!(message.quoted().map(|quoted| quoted.destination), Some(V6.1));
    assert_eq!(bytes.len(), 1280, "as much as fits is quoted");
}

#[test]
fn a_super_segment_of_long_segments_is_answered_once_and_one_that_fits_stays_whole() {
    let mut path = path(narrow(1400), 0);
    path.push(Instant::ZERO, End::A, tcp_packet(V4, 20_000));
    assert!(answer(&mut path, Instant::ZERO).is_some());
    assert!(answer(&mut path, Instant::ZERO).is_none());
    // The last segment is short enough.
    assert_eq!((path.stats().a_to_b.too_big, drain(&mut path).len()), (13, 1));
    let mut fitting = tcp_packet(V4, 20_000);
    fitting.segmentation = fitting.segmentation.map(|cut| segue_wire::Segmentation { size: 1360, ..cut });
    path.push(Instant::ZERO, End::A, fitting.clone());
    assert!(path.pop(Instant::ZERO, End::B).is_some_and(|packet| packet == fitting));
}

#[test]
fn a_black_hole_answers_nothing() {
    let mut path = path(Impairments { blackhole: true, ..narrow(1000) }, 0);
    path.push(Instant::ZERO, End::A, tcp_packet(V4, 1200));
    path.push(Instant::ZERO, End::A, tcp_packet(V6, 1200));
    assert_eq!((path.next_deadline(End::A), path.next_deadline(End::B)), (None, None));
    assert_eq!(path.stats().a_to_b.too_big, 2);
}

#[test]
fn errors_groups_and_nonsense_are_never_answered() {
    let mut path = path(narrow(600), 0);
    let long = |header: Ipv4Header, first: u8| {
        let mut bytes = vec![0; 700];
        Ipv4Header { total_length: 700, dont_fragment: true, ..header }.emit(&mut bytes);
        bytes[20] = first;
        Packet::from_bytes(Bytes::from(bytes))
    };
    let [here, there] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
    let plain = Ipv4Header { source: here, destination: there, protocol: Protocol::UDP, ..Ipv4Header::default() };
    for header in [
        Ipv4Header { destination: Ipv4Addr::new(224, 0, 0, 1), ..plain },
        Ipv4Header { destination: Ipv4Addr::BROADCAST, ..plain },
        Ipv4Header { source: Ipv4Addr::UNSPECIFIED, ..plain },
        Ipv4Header { fragment_offset: 1480, ..plain },
    ] {
        path.push(Instant::ZERO, End::A, long(header, 0));
    }
    // An ICMP error, and an ICMP message of no known type.
    let icmp = Ipv4Header { protocol: Protocol::ICMPV4, ..plain };
    path.push(Instant::ZERO, End::A, long(icmp, 3));
    path.push(Instant::ZERO, End::A, Packet::from_bytes(Bytes::from(vec![0xff; 700])));
    assert_eq!(path.next_deadline(End::A), None);
    // The same packet without any of that is answered.
    path.push(Instant::ZERO, End::A, long(plain, 0));
    path.push(Instant::ZERO, End::A, long(icmp, 8));
    assert!(answer(&mut path, Instant::ZERO).is_some() && answer(&mut path, Instant::ZERO).is_some());
}

#[test]
fn an_ipv4_packet_that_allows_it_is_fragmented_and_fits_together_again() {
    let mut whole = tcp_packet(V4, 1400).to_bytes().to_vec();
    let (header, _) = Ipv4Header::parse(&whole).expect("a header");
    Ipv4Header { dont_fragment: false, identification: 77, ..header }.emit(&mut whole);
    let mut path = path(narrow(600), 0);
    path.push(Instant::ZERO, End::A, Packet::from_bytes(Bytes::from(whole.clone())));
    let fragments = drain(&mut path);
    assert_eq!(fragments.len(), 3);
    let mut payload = vec![0; whole.len() - 20];
    for (index, (_, packet)) in fragments.iter().enumerate() {
        assert!(packet.len() <= 600);
        let bytes = packet.to_bytes();
        let (header, len) = Ipv4Header::parse(&bytes).expect("a good header checksum");
        assert_eq!((header.identification, header.more_fragments), (77, index < 2));
        let at = usize::from(header.fragment_offset);
        payload[at..at + bytes.len() - len].copy_from_slice(&bytes[len..]);
    }
    assert!(payload == whole[20..]);
    let stats = path.stats().a_to_b;
    assert_eq!((stats.fragmented, stats.fragments), (1, 3));
    assert_conserved(&stats);
}

#[test]
fn a_partial_checksum_is_finished_before_a_packet_is_fragmented() {
    let mut packet = tcp_packet(V4, 1400);
    let mut header = [0; 20];
    let (parsed, _) = Ipv4Header::parse(packet.head()).expect("a header");
    Ipv4Header { dont_fragment: false, ..parsed }.emit(&mut header);
    assert!(packet.write_head(0, &header));
    let mut path = path(narrow(1000), 0);
    path.push(Instant::ZERO, End::A, packet);
    let fragments = drain(&mut path);
    let mut whole = fragments[0].1.to_bytes()[..20].to_vec();
    Ipv4Header { more_fragments: false, dont_fragment: false, ..parsed }.emit(&mut whole);
    fragments.iter().for_each(|(_, packet)| whole.extend_from_slice(&packet.to_bytes()[20..]));
    assert!(checksum_is_valid(&whole));
}

#[test]
fn garbage_of_any_kind_passes_without_a_panic() {
    let bad = Impairments { loss: percent("1%").into(), ..narrow(576) };
    let mut path = path(bad, 0);
    let mut state = 1_u64;
    for length in 0..2000 {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        for first in [0x45, 0x4f, 0x60, 0x00] {
            let mut bytes = bytes.clone();
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
            let mut packet = Packet::from_bytes(Bytes::from(bytes));
            packet.segmentation = Some(segue_wire::Segmentation { size: 1, kind: segue_wire::SegmentationKind::Tcp });
            packet.checksum = segue_wire::ChecksumState::Partial { start: length as u16, field: 9 };
            path.push(Instant::ZERO, End::A, packet);
        }
    }
    assert_conserved(&path.stats().a_to_b);
}

#[test]
fn what_makes_no_sense_is_refused_when_the_path_is_configured() {
    let refused = |impairments: Impairments, word: &str| {
        let error = PathConfig::symmetric(impairments).expect_err("must be refused").to_string();
        assert!(error.contains(word), "{error}");
    };
    let rate = Some("1mbit".parse().expect("a rate"));
    let queue = |limit| Some(QueueDiscipline::TailDrop { limit: QueueLimit::Bytes(limit) });
    refused(Impairments { rate, queue: queue(10), ..Impairments::default() }, "10B cannot hold one packet of 1500B");
    refused(Impairments { queue: queue(10_000), ..Impairments::default() }, "set a rate or a trace");
    refused(narrow(500), "576");
    refused(narrow(70_000), "65535");
    refused(Impairments { delay: Duration::from_secs(4000), ..Impairments::default() }, "one hour");
    let fitting = Impairments { rate, queue: queue(1500), ..Impairments::default() };
    let config = PathConfig::symmetric(fitting).expect("one packet fits");
    assert!(config.with_mtu(9000).is_err(), "a larger packet does not");
}
