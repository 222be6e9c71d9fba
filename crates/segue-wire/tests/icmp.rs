//! ICMP of both versions, neighbour discovery, and the packets that errors quote.

mod common;

use common::captured::{linux, unhex};
use common::naive_checksum;
use proptest::prelude::*;
use segue_wire::icmpv4::{IcmpError, TimeExceededCode, UnreachableCode};
use segue_wire::icmpv6::ndp::{self, NdpError, NdpMessage, NdpOptions, PrefixInformation};
use segue_wire::{Icmpv4Message, Icmpv6Message, Protocol, Quoted, QuotedTransport, icmpv6};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

const A: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const B: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

fn v4_messages(payload: &[u8], word: u32, code: u8) -> Vec<Icmpv4Message<'_>> {
    let (identifier, sequence) = ((word >> 16) as u16, word as u16);
    let mtu = |code| if code == 4 { sequence } else { 0 };
    let mut all = vec![
        Icmpv4Message::EchoRequest { identifier, sequence, payload },
        Icmpv4Message::EchoReply { identifier, sequence, payload },
        Icmpv4Message::SourceQuench { quoted: payload },
        Icmpv4Message::Redirect { code: code & 3, gateway: Ipv4Addr::from(word), quoted: payload },
        Icmpv4Message::TimeExceeded { code: TimeExceededCode(code & 1), quoted: payload },
        Icmpv4Message::ParameterProblem { code: code % 3, pointer: word as u8, quoted: payload },
        Icmpv4Message::Other { kind: 13 + (code & 7), code, rest_of_header: word, payload },
    ];
    all.extend((0..16).map(|code| Icmpv4Message::DestinationUnreachable {
        code: UnreachableCode(code),
        next_hop_mtu: mtu(code),
        quoted: payload,
    }));
    all
}

fn v6_messages(payload: &[u8], word: u32, code: u8) -> Vec<Icmpv6Message<'_>> {
    let (identifier, sequence) = ((word >> 16) as u16, word as u16);
    let mut all = vec![
        Icmpv6Message::EchoRequest { identifier, sequence, payload },
        Icmpv6Message::EchoReply { identifier, sequence, payload },
        Icmpv6Message::PacketTooBig { mtu: word, quoted: payload },
        Icmpv6Message::TimeExceeded { code: icmpv6::TimeExceededCode(code & 1), quoted: payload },
        Icmpv6Message::ParameterProblem { code: code & 3, pointer: word, quoted: payload },
        Icmpv6Message::Other { kind: 130 + (code & 15), code, rest_of_header: word, payload },
        Icmpv6Message::Other { kind: 100, code, rest_of_header: word, payload },
    ];
    all.extend(
        (0..8)
            .map(|code| Icmpv6Message::DestinationUnreachable { code: icmpv6::UnreachableCode(code), quoted: payload }),
    );
    all
}

fn ndp_options() -> impl Strategy<Value = NdpOptions> {
    let lifetime = || prop::option::of((0u64..u64::from(u32::MAX)).prop_map(Duration::from_secs));
    let prefix = (0u8..129, any::<(bool, bool, u128)>(), lifetime(), lifetime()).prop_map(
        |(prefix_len, (on_link, autonomous, prefix), valid_lifetime, preferred_lifetime)| PrefixInformation {
            prefix_len,
            on_link,
            autonomous,
            valid_lifetime,
            preferred_lifetime,
            prefix: prefix.into(),
        },
    );
    (
        prop::option::of(any::<[u8; 6]>()),
        prop::option::of(any::<[u8; 6]>()),
        prop::collection::vec(prefix, 0..4),
        prop::option::of(any::<u32>()),
        prop::collection::vec(any::<u128>().prop_map(Ipv6Addr::from), 0..4),
    )
        .prop_map(|(source_link, target_link, prefixes, mtu, dns_servers)| NdpOptions {
            source_link,
            target_link,
            prefixes,
            mtu,
            dns_servers,
        })
}

fn ndp_message() -> impl Strategy<Value = NdpMessage> {
    let target = || any::<u128>().prop_map(|bits| Ipv6Addr::from(bits & !(0xff << 120)));
    prop_oneof![
        ndp_options().prop_map(|options| NdpMessage::RouterSolicitation { options }),
        (target(), ndp_options()).prop_map(|(target, options)| NdpMessage::NeighborSolicitation { target, options }),
        (any::<(bool, bool, bool)>(), target(), ndp_options()).prop_map(
            |((router, solicited, override_known), target, options)| NdpMessage::NeighborAdvertisement {
                router,
                solicited,
                override_known,
                target,
                options,
            }
        ),
        (any::<(u8, bool, bool, u16, u32, u32)>(), ndp_options()).prop_map(
            |((hop_limit, managed, other_config, lifetime, reachable, retransmit), options)| {
                NdpMessage::RouterAdvertisement {
                    hop_limit,
                    managed,
                    other_config,
                    lifetime: Duration::from_secs(lifetime.into()),
                    reachable_time: Duration::from_millis(reachable.into()),
                    retransmit_time: Duration::from_millis(retransmit.into()),
                    options,
                }
            }
        ),
    ]
}

proptest! {
    #[test]
    fn every_icmpv4_message_is_read_as_it_was_written(
        payload in prop::collection::vec(any::<u8>(), 0..70),
        word: u32,
        code: u8,
    ) {
        for message in v4_messages(&payload, word, code) {
            let mut out = vec![0; message.message_len()];
            prop_assert_eq!(message.emit(&mut out), out.len());
            prop_assert_eq!(naive_checksum(&out), 0);
            prop_assert_eq!(Icmpv4Message::parse(&out), Ok(message));
            out[0] ^= 0x20;
            prop_assert_eq!(Icmpv4Message::parse(&out), Err(IcmpError::BadChecksum));
        }
    }

    #[test]
    fn every_icmpv6_message_is_read_as_it_was_written(
        payload in prop::collection::vec(any::<u8>(), 0..70),
        word: u32,
        code: u8,
    ) {
        for message in v6_messages(&payload, word, code) {
            let mut out = vec![0; message.message_len()];
            prop_assert_eq!(message.emit(A, B, &mut out), out.len());
            prop_assert_eq!(Icmpv6Message::parse(A, B, &out), Ok(message));
            let other = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 3);
            prop_assert_eq!(Icmpv6Message::parse(A, other, &out), Err(IcmpError::BadChecksum));
        }
    }

    #[test]
    fn every_neighbour_discovery_message_is_read_as_it_was_written(message in ndp_message()) {
        let bytes = message.to_vec(A, B);
        prop_assert_eq!(bytes.len() % 8, 0);
        prop_assert_eq!(NdpMessage::parse(A, B, 255, &bytes), Ok(message));
        prop_assert_eq!(NdpMessage::parse(A, B, 64, &bytes), Err(NdpError::BadHopLimit));
    }

    #[test]
    fn any_bytes_can_be_read_as_messages_and_quotes(
        mut bytes in prop::collection::vec(any::<u8>(), 0..120),
        kind in prop_oneof![Just(0u8), 1u8..18, 128u8..140],
    ) {
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        if let Ok(message) = Icmpv4Message::parse_unverified(&bytes) {
            prop_assert!(message.message_len() <= bytes.len());
            let _ = message.quoted();
        }
        if let Ok(message) = Icmpv6Message::parse_unverified(&bytes) {
            prop_assert!(message.message_len() <= bytes.len());
            let _ = message.quoted();
        }
        let _ = NdpMessage::parse(A, B, 255, &bytes);
        let _ = Quoted::parse(&bytes);
    }
}

#[test]
fn a_ping_of_a_linux_kernel_is_read() {
    let packet = linux("ping4");
    let Ok(Icmpv4Message::EchoRequest { sequence: 1, payload, .. }) = Icmpv4Message::parse(&packet[20..]) else {
        panic!("an echo request");
    };
    assert_eq!(payload.len(), 56);
    let packet = linux("ping6");
    let Ok(Icmpv6Message::EchoRequest { sequence: 1, payload, .. }) = Icmpv6Message::parse(A, B, &packet[40..]) else {
        panic!("an echo request");
    };
    assert_eq!(payload.len(), 56);
}

#[test]
fn a_router_solicitation_of_a_linux_kernel_is_read() {
    let packet = linux("boot");
    let source = Ipv6Addr::from(<[u8; 16]>::try_from(&packet[8..24]).expect("16 bytes"));
    let destination: Ipv6Addr = "ff02::2".parse().expect("an address");
    let message = NdpMessage::parse(source, destination, packet[7], &packet[40..]);
    assert_eq!(message, Ok(NdpMessage::RouterSolicitation { options: NdpOptions::default() }));
}

#[test]
fn an_error_tells_whose_packet_it_is_about() {
    for (name, cut) in [("tcp4", 28), ("tcp4", 60), ("tcp6", 48), ("tcp6", 80)] {
        let packet = linux(name);
        let quoted = Quoted::parse(&packet[..cut]).expect("a readable quote");
        let transport = if packet[0] >> 4 == 4 { 20 } else { 40 };
        let sequence = u32::from_be_bytes(packet[transport + 4..transport + 8].try_into().expect("4 bytes"));
        let (from, to) = quoted.sockets().expect("ports");
        assert_eq!(to.port(), 80, "{name}");
        assert_eq!(from.port(), u16::from_be_bytes([packet[transport], packet[transport + 1]]));
        assert_eq!(quoted.total_length, packet.len());
        let QuotedTransport::Tcp { sequence: quoted_sequence, .. } = quoted.transport else {
            panic!("{name}: quotes {:?}", quoted.transport);
        };
        assert_eq!(quoted_sequence, sequence);
    }
    let ping = Quoted::parse(&linux("ping4")[..28]).expect("a readable quote");
    assert!(matches!(ping.transport, QuotedTransport::Echo { request: true, sequence: 1, .. }));
    assert_eq!(ping.sockets(), None);
}

#[test]
fn a_quote_too_short_for_ports_gives_the_addresses_only() {
    let quoted = Quoted::parse(&linux("tcp4")[..27]).expect("an IP header");
    assert_eq!((quoted.protocol, quoted.transport), (Protocol::TCP, QuotedTransport::Other));
    assert_eq!(Quoted::parse(&linux("tcp4")[..19]), None);
}

#[test]
fn a_later_fragment_has_no_ports() {
    let mut packet = linux("udp4");
    packet[7] = 1;
    let quoted = Quoted::parse(&packet).expect("an IP header");
    assert!(quoted.is_later_fragment);
    assert_eq!(quoted.transport, QuotedTransport::Other);
}

#[test]
fn extensions_behind_the_quote_are_not_part_of_it() {
    // RFC 4884: the length field says how many words of the packet are quoted.
    let mut payload = linux("udp4");
    payload.resize(128, 0);
    payload.extend([0x20, 0, 0, 0]);
    let message = Icmpv4Message::TimeExceeded { code: TimeExceededCode::TTL, quoted: &payload };
    let mut out = vec![0; message.message_len()];
    message.emit(&mut out);
    out[5] = 32;
    out[2..4].fill(0);
    let sum = naive_checksum(&out);
    out[2..4].copy_from_slice(&sum.to_be_bytes());
    let Ok(Icmpv4Message::TimeExceeded { quoted, .. }) = Icmpv4Message::parse(&out) else { panic!("time exceeded") };
    assert_eq!(quoted.len(), 128);
}

#[test]
fn errors_and_redirects_are_never_to_be_answered_with_errors() {
    for message in v4_messages(&[], 0, 0) {
        let (kind, _) = message.type_and_code();
        assert_eq!(message.is_error(), matches!(kind, 3 | 4 | 5 | 11 | 12), "type {kind}");
    }
    for message in v6_messages(&[], 0, 7) {
        let (kind, _) = message.type_and_code();
        assert_eq!(message.is_error(), kind < 128 || kind == 137, "type {kind}");
    }
}

#[test]
fn broken_neighbour_discovery_is_refused_with_its_reason() {
    let sum = |mut bytes: Vec<u8>| {
        bytes[2..4].fill(0);
        let message = Icmpv6Message::parse_unverified(&bytes).expect("a message");
        let header = message.header(A, B);
        bytes[2..4].copy_from_slice(&header[2..4]);
        bytes
    };
    let good = NdpMessage::NeighborSolicitation { target: B, options: NdpOptions::default() }.to_vec(A, B);
    let parse = |bytes: &[u8]| NdpMessage::parse(A, B, 255, bytes).map(|_| ());
    assert_eq!(parse(&good), Ok(()));
    assert_eq!(parse(&good[..20]), Err(NdpError::Truncated));
    assert_eq!(parse(&[]), Err(NdpError::Truncated));
    assert_eq!(parse(&[128, 0, 0, 0, 0, 0, 0, 0]), Err(NdpError::UnknownType));
    let edit = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    assert_eq!(parse(&edit(9, 2)), Err(NdpError::BadChecksum));
    assert_eq!(parse(&sum(edit(1, 1))), Err(NdpError::BadCode));
    assert_eq!(parse(&sum(edit(8, 0xff))), Err(NdpError::MulticastTarget));
    let with = |option: &[u8]| sum([&good[..], option].concat());
    assert_eq!(parse(&with(&[1, 0, 0, 0, 0, 0, 0, 0])), Err(NdpError::BadOptionLength));
    assert_eq!(parse(&with(&[1, 2, 0, 0, 0, 0, 0, 0])), Err(NdpError::BadOptionLength));
    assert_eq!(parse(&with(&[1])), Err(NdpError::BadOptionLength));
    assert_eq!(parse(&with(&[99, 1, 0, 0, 0, 0, 0, 0])), Ok(()), "an unknown option is skipped");
}

#[test]
fn the_solicited_node_address_ends_like_the_address() {
    let address: Ipv6Addr = "2001:db8::1:800:200e:8c6c".parse().expect("an address");
    assert_eq!(ndp::solicited_node(address).to_string(), "ff02::1:ff0e:8c6c");
}

#[test]
fn too_big_and_fragmentation_needed_carry_their_mtu() {
    let bytes = unhex("0304000000000578");
    let message = Icmpv4Message::parse_unverified(&bytes).expect("a message");
    assert!(matches!(message, Icmpv4Message::DestinationUnreachable { next_hop_mtu: 1400, .. }));
    let bytes = unhex("0301000000000578");
    let message = Icmpv4Message::parse_unverified(&bytes).expect("a message");
    assert!(matches!(message, Icmpv4Message::DestinationUnreachable { next_hop_mtu: 0, .. }));
}
