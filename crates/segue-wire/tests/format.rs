//! Lines as a reader of tcpdump expects them.

mod common;

use common::captured::{RFC9235, linux, unhex};
use proptest::prelude::*;
use segue_wire::format::{self, Relative};
use segue_wire::icmpv4::{Icmpv4Message, UnreachableCode};
use segue_wire::tcp::{OptionBytes, TcpFlags, TcpHeader, TcpOptions, Timestamps, emit};
use segue_wire::{
    ChecksumState, Chunks, Icmpv6Message, Ipv4Header, Ipv6Header, Packet, Protocol, Segmentation, SegmentationKind, tcp,
};
use std::net::{Ipv4Addr, Ipv6Addr};

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol, traffic_class: u8, payload: &[u8]) -> Packet {
    let mut bytes = vec![0; 20];
    let header = Ipv4Header {
        traffic_class,
        total_length: (20 + payload.len()) as u16,
        protocol,
        source,
        destination,
        ..Ipv4Header::default()
    };
    header.emit(&mut bytes);
    bytes.extend_from_slice(payload);
    Packet::from_bytes(bytes.into())
}

/// A TCP packet between port 80 of A and port 3345 of B, in the direction of the ports.
fn tcp_packet(header: TcpHeader, options: &TcpOptions, payload: usize) -> Packet {
    let mut segment = vec![0; 60];
    let raw: OptionBytes = options.emit();
    let len = emit(&header, &raw, &mut segment);
    segment.truncate(len);
    segment.resize(len + payload, b'x');
    let (from, to) = if header.source_port == 80 { (A, B) } else { (B, A) };
    let mut sum = tcp::pseudo_sum(from.into(), to.into(), segment.len()).expect("one version");
    sum.add_slice(&segment);
    segment[16..18].copy_from_slice(&sum.checksum().to_be_bytes());
    v4(from, to, Protocol::TCP, 0, &segment)
}

fn from_a(flags: TcpFlags, sequence: u32, acknowledgment: u32) -> TcpHeader {
    TcpHeader {
        source_port: 80,
        destination_port: 3345,
        sequence,
        acknowledgment,
        flags,
        window: 65535,
        ..TcpHeader::default()
    }
}

fn from_b(flags: TcpFlags, sequence: u32, acknowledgment: u32) -> TcpHeader {
    TcpHeader { source_port: 3345, destination_port: 80, ..from_a(flags, sequence, acknowledgment) }
}

#[test]
fn a_connection_reads_as_in_tcpdump_with_numbers_relative_to_its_syns() {
    let none = TcpOptions::default();
    let syn = TcpOptions {
        mss: Some(1460),
        sack_permitted: true,
        timestamps: Some(Timestamps { value: 1, echo: 0 }),
        window_scale: Some(7),
        ..none
    };
    let mut blocks = TcpOptions { timestamps: Some(Timestamps { value: 3, echo: 1 }), ..none };
    blocks.sack.push(1000 + 2921, 1000 + 4381);
    let ack = TcpFlags::ACK;
    let packets = [
        tcp_packet(from_b(TcpFlags::SYN, 500, 0), &syn, 0),
        tcp_packet(from_a(TcpFlags::SYN | ack, 1000, 501), &TcpOptions { mss: Some(1460), ..none }, 0),
        tcp_packet(from_b(ack, 501, 1001), &none, 0),
        tcp_packet(from_a(ack | TcpFlags::PSH, 1001, 501), &none, 1460),
        tcp_packet(from_b(ack, 501, 2461), &blocks, 0),
        tcp_packet(from_a(ack | TcpFlags::FIN, 2461, 501), &none, 0),
        tcp_packet(from_b(TcpFlags::RST, 501, 0), &none, 0),
    ];
    let mut relative = Relative::new();
    let lines: Vec<String> = packets.iter().map(|packet| relative.line(packet).to_string()).collect();
    let expected = [
        "IP 10.0.0.2.3345 > 10.0.0.1.80: Flags [S], seq 500, win 65535, \
         options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0",
        "IP 10.0.0.1.80 > 10.0.0.2.3345: Flags [S.], seq 1000, ack 501, win 65535, options [mss 1460], length 0",
        "IP 10.0.0.2.3345 > 10.0.0.1.80: Flags [.], ack 1, win 65535, length 0",
        "IP 10.0.0.1.80 > 10.0.0.2.3345: Flags [P.], seq 1:1461, ack 1, win 65535, length 1460",
        "IP 10.0.0.2.3345 > 10.0.0.1.80: Flags [.], ack 1461, win 65535, \
         options [nop,nop,TS val 3 ecr 1,nop,nop,sack 1 {2921:4381}], length 0",
        "IP 10.0.0.1.80 > 10.0.0.2.3345: Flags [F.], seq 1461, ack 1, win 65535, length 0",
        "IP 10.0.0.2.3345 > 10.0.0.1.80: Flags [R], seq 1, win 65535, length 0",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_connection_seen_in_its_middle_counts_from_what_was_seen_first() {
    let mut relative = Relative::new();
    let data = tcp_packet(from_a(TcpFlags::ACK, 70_000, 9_000), &TcpOptions::default(), 10);
    let answer = tcp_packet(from_b(TcpFlags::ACK, 9_000, 70_010), &TcpOptions::default(), 0);
    assert!(relative.line(&data).to_string().contains("seq 1:11, ack 1,"));
    assert!(relative.line(&answer).to_string().contains("ack 11,"));
}

#[test]
fn packets_of_a_linux_kernel_read_as_tcpdump_prints_them() {
    let line = |name: &str| format::line(&Packet::from_bytes(linux(name).into())).to_string();
    assert!(line("tcp4").starts_with("IP 192.0.2.1."), "{}", line("tcp4"));
    assert!(line("tcp4").contains(" > 192.0.2.2.80: Flags [S], seq "));
    assert!(line("tcp6").starts_with("IP6 2001:db8::1."));
    assert!(line("tcp6").contains("options [mss 1440,sackOK,TS val "));
    assert!(line("tfo4").ends_with("nop,wscale 10,tfo cookiereq,nop,nop], length 0"), "{}", line("tfo4"));
    assert!(line("udp4").ends_with(".53: UDP, length 5"));
    assert!(line("udp6").ends_with(".53: UDP, length 5"));
    assert!(line("ping4").starts_with("IP 192.0.2.1 > 192.0.2.2: ICMP echo request, id "));
    assert!(line("ping4").ends_with(", seq 1, length 64"));
    assert!(line("ping6").starts_with("IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id "));
    assert!(line("boot").ends_with("> ff02::2: ICMP6, router solicitation, length 8"));
    assert!(!line("tcp4").contains("bad checksum"));
}

#[test]
fn a_signature_is_shown_with_its_keys() {
    let (_, mac, digits) = RFC9235[16];
    let line = format::line(&Packet::from_bytes(unhex(digits).into())).to_string();
    assert!(line.contains(&format!("tcp-ao keyid 61 rnextkeyid 84 mac 0x{mac}]")), "{line}");
}

#[test]
fn errors_say_what_they_are_about() {
    let quoted = linux("udp4");
    let line = |message: Icmpv4Message<'_>| {
        let mut bytes = vec![0; message.message_len()];
        message.emit(&mut bytes);
        format::line(&v4(B, A, Protocol::ICMPV4, 0, &bytes)).to_string()
    };
    let unreachable =
        |code, next_hop_mtu| Icmpv4Message::DestinationUnreachable { code, next_hop_mtu, quoted: &quoted };
    assert_eq!(
        line(unreachable(UnreachableCode::PORT, 0)),
        "IP 10.0.0.2 > 10.0.0.1: ICMP 192.0.2.2 udp port 53 unreachable, length 41"
    );
    assert_eq!(
        line(unreachable(UnreachableCode::FRAGMENTATION_NEEDED, 1400)),
        "IP 10.0.0.2 > 10.0.0.1: ICMP 192.0.2.2 unreachable - need to frag (mtu 1400), length 41"
    );
    let (source, destination) = (Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
    let quoted = linux("tcp6");
    let message = Icmpv6Message::PacketTooBig { mtu: 1280, quoted: &quoted };
    let mut bytes = vec![0; 40 + message.message_len()];
    Ipv6Header {
        payload_length: message.message_len() as u16,
        next_header: Protocol::ICMPV6,
        source,
        destination,
        ..Ipv6Header::default()
    }
    .emit(&mut bytes);
    message.emit(source, destination, &mut bytes[40..]);
    let line = format::line(&Packet::from_bytes(bytes.into())).to_string();
    assert_eq!(line, "IP6 ::1 > ::1: ICMP6, packet too big, mtu 1280, length 88");
}

#[test]
fn damage_marks_and_super_segments_are_told() {
    let mut bytes = tcp_packet(from_a(TcpFlags::ACK, 1, 1), &TcpOptions::default(), 4).to_vec();
    bytes[43] ^= 1;
    assert!(format::line(&Packet::from_bytes(bytes.into())).to_string().ends_with("length 4 [bad checksum]"));

    let segment = &tcp_packet(from_a(TcpFlags::ACK, 1, 1), &TcpOptions::default(), 0).to_vec()[20..];
    assert!(format::line(&v4(A, B, Protocol::TCP, 3, segment)).to_string().starts_with("IP (CE) 10.0.0.1.80 > "));

    let whole = tcp_packet(from_a(TcpFlags::ACK, 1, 1), &TcpOptions::default(), 3000).to_vec();
    let packet = Packet::from_headers(
        &whole[..40],
        Chunks::from(whole[40..].to_vec()),
        ChecksumState::Partial { start: 20, field: 16 },
        Some(Segmentation { size: 1460, kind: SegmentationKind::Tcp }),
    );
    assert!(format::line(&packet).to_string().ends_with("seq 1:3001, ack 1, win 65535, length 3000 (3 x 1460)"));
}

#[test]
fn fragments_tell_where_they_belong() {
    let mut packet = vec![0; 20];
    let header = Ipv4Header {
        total_length: 28,
        identification: 77,
        dont_fragment: false,
        fragment_offset: 1480,
        protocol: Protocol::UDP,
        source: A,
        destination: B,
        ..Ipv4Header::default()
    };
    header.emit(&mut packet);
    packet.resize(28, 0);
    let line = format::line(&Packet::from_bytes(packet.into())).to_string();
    assert_eq!(line, "IP 10.0.0.1 > 10.0.0.2: UDP (frag 77:8@1480)");
}

#[test]
fn flags_have_the_letters_of_tcpdump() {
    assert_eq!(TcpFlags::empty().to_string(), "none");
    assert_eq!((TcpFlags::SYN | TcpFlags::ECE | TcpFlags::CWR).to_string(), "SEW");
    assert_eq!(TcpFlags::all().to_string(), "FSRP.UEWe");
}

proptest! {
    /// What a stranger sent can always be shown: the line is one line and no panic.
    #[test]
    fn any_bytes_give_one_line(
        mut bytes in prop::collection::vec(any::<u8>(), 0..140),
        name in prop::sample::select(vec!["tcp4", "tcp6", "tfo4", "udp4", "udp6", "ping4", "ping6", "boot"]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        from_scratch: bool,
    ) {
        if !from_scratch {
            bytes = linux(name);
            for (at, value) in damage {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if bytes[0] >> 4 == 4 {
                // So that the walk gets further than the header.
                bytes[10..12].fill(0);
                let sum = common::naive_checksum(&bytes[..20]);
                bytes[10..12].copy_from_slice(&sum.to_be_bytes());
            }
        }
        let packet = Packet::from_bytes(bytes.into());
        let line = Relative::new().line(&packet).to_string();
        prop_assert!(!line.is_empty() && !line.contains('\n'));
    }
}
