//! ICMP and ICMPv6: ping, errors sent, errors received, path MTU.
mod common;

use core::time::Duration;

use common::*;
use segue_stack::{Domain, Errno, IfaceConfig, MsgFlags, Packet, Ready, SocketId, SocketType};
use segue_wire::icmpv4::{Icmpv4Message, UnreachableCode};
use segue_wire::icmpv6::Icmpv6Message;
use segue_wire::{Ipv4Header, Ipv6Header, Protocol};

fn world() -> World {
    World::new(Wire::default())
}

fn ping_socket(w: &mut World, host: usize, domain: Domain) -> SocketId {
    w.stacks[host].socket(domain, SocketType::Icmp).unwrap()
}

/// An echo request as a ping program writes it.
fn request(is_v6: bool, sequence: u16, data: &[u8]) -> Vec<u8> {
    let mut message = vec![if is_v6 { 128 } else { 8 }, 0, 0, 0, 0, 0];
    message.extend(sequence.to_be_bytes());
    message.extend(data);
    message
}

fn v4_packet(source: &str, destination: &str, protocol: Protocol, payload: &[u8]) -> Packet {
    let mut bytes = vec![0; 20];
    let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
    let total_length = (20 + payload.len()) as u16;
    Ipv4Header { total_length, protocol, source, destination, ..Ipv4Header::default() }.emit(&mut bytes);
    bytes.extend_from_slice(payload);
    Packet::from_bytes(bytes.into())
}

/// The last fragment of a datagram, which begins so many bytes into it.
fn v4_fragment(source: &str, destination: &str, offset: u16, payload: &[u8]) -> Packet {
    let mut bytes = v4_packet(source, destination, Protocol(99), payload).to_vec();
    let (header, _) = Ipv4Header::parse(&bytes).unwrap();
    Ipv4Header { dont_fragment: false, fragment_offset: offset, ..header }.emit(&mut bytes);
    Packet::from_bytes(bytes.into())
}

fn v6_packet(source: &str, destination: &str, next_header: Protocol, payload: &[u8]) -> Packet {
    let mut bytes = vec![0; 40];
    let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
    let payload_length = payload.len() as u16;
    Ipv6Header { payload_length, next_header, source, destination, ..Ipv6Header::default() }.emit(&mut bytes);
    bytes.extend_from_slice(payload);
    Packet::from_bytes(bytes.into())
}

fn icmp_v4(message: Icmpv4Message<'_>) -> Vec<u8> {
    let mut bytes = vec![0; message.message_len()];
    message.emit(&mut bytes);
    bytes
}

/// What B has put on the wire, newest last.
fn sent_by_b(w: &World) -> Vec<Packet> {
    w.log.iter().filter(|(_, from, _)| *from == B).map(|(_, _, packet)| packet.clone()).collect()
}

#[test]
fn a_ping_socket_gets_the_answer_to_its_request_over_both_families() {
    for (domain, to) in [(Domain::Inet, "10.0.0.2:0"), (Domain::Inet6, "[fd00::2]:0")] {
        let mut w = world();
        let is_v6 = domain == Domain::Inet6;
        let socket = ping_socket(&mut w, A, domain);
        let sent = request(is_v6, 7, b"how are you");
        assert_eq!(w.send_to(A, socket, &sent, to), Ok(sent.len()));
        w.settle();
        assert!(w.ready(A, socket).contains(Ready::IN));
        let mut buffer = [0; 100];
        let got = w.stacks[A].recv_from(w.now, socket, &mut buffer, MsgFlags::empty()).unwrap();
        assert_eq!(got.from.ip(), addr(to).ip());
        assert_eq!(buffer[0], if is_v6 { 129 } else { 0 });
        let identifier = w.stacks[A].local_addr(socket).unwrap().port();
        assert_eq!(u16::from_be_bytes([buffer[4], buffer[5]]), identifier);
        assert_eq!(&buffer[6..got.len], &sent[6..]);
    }
}

#[test]
fn a_huge_ping_travels_in_fragments_both_ways() {
    let mut w = world();
    let socket = ping_socket(&mut w, A, Domain::Inet);
    let sent = request(false, 1, &vec![0x5a; 20_000]);
    w.send_to(A, socket, &sent, "10.0.0.2:0").unwrap();
    w.settle();
    let reply = w.read(A, socket).unwrap();
    assert_eq!(&reply[8..], &sent[8..]);
    assert!(w.counter(B, "IpFragCreates") > 10);
}

#[test]
fn a_ping_socket_sends_requests_only_and_two_share_no_identifier() {
    let mut w = world();
    let first = ping_socket(&mut w, A, Domain::Inet);
    w.bind(A, first, "0.0.0.0:77").unwrap();
    let second = ping_socket(&mut w, A, Domain::Inet);
    assert_eq!(w.bind(A, second, "0.0.0.0:77"), Err(Errno::EADDRINUSE));
    let mut reply = request(false, 1, b"");
    reply[0] = 0;
    assert_eq!(w.send_to(A, first, &reply, "10.0.0.2:0"), Err(Errno::EINVAL));
    assert_eq!(w.send_to(A, first, &[8, 0, 0], "10.0.0.2:0"), Err(Errno::EINVAL));
    assert_eq!(w.send_to(A, first, &request(false, 1, b""), "[fd00::2]:0"), Err(Errno::EAFNOSUPPORT));
}

#[test]
fn a_host_told_to_ignore_pings_ignores_them() {
    let mut w = world();
    w.stacks[B].set_sysctl(w.now, "net.ipv4.icmp_echo_ignore_all", "1").unwrap();
    let socket = ping_socket(&mut w, A, Domain::Inet);
    w.send_to(A, socket, &request(false, 1, b""), "10.0.0.2:0").unwrap();
    w.settle();
    assert_eq!(w.read(A, socket), Err(Errno::EAGAIN));
    assert_eq!(w.counter(B, "IcmpInEchos"), 1);
}

#[test]
fn pinging_oneself_stays_inside() {
    let mut w = world();
    w.keeps_log = true;
    for to in ["127.0.0.1:0", "10.0.0.1:0"] {
        let socket = ping_socket(&mut w, A, Domain::Inet);
        w.send_to(A, socket, &request(false, 1, b"me"), to).unwrap();
        w.pump();
        assert_eq!(&w.read(A, socket).unwrap()[8..], b"me");
    }
    assert!(w.log.is_empty());
}

#[test]
fn a_gateways_ping_socket_answers_for_everybody_but_not_for_the_gateway_itself() {
    let mut w = World::with(Wire::default(), |host, _, iface: &mut IfaceConfig| iface.accept_any = host == B);
    w.stacks[A].add_route(segue_stack::Route::on_link(cidr("0.0.0.0/0"), w.ifaces[A])).unwrap();
    w.stacks[A].add_route(segue_stack::Route::on_link(cidr("::/0"), w.ifaces[A])).unwrap();
    let any = ping_socket(&mut w, B, Domain::Inet);
    w.stacks[B].bind_any(w.now, any, w.ifaces[B]).unwrap();
    for (domain, to) in [(Domain::Inet, "192.0.2.9:0"), (Domain::Inet6, "[2001:db8::9]:0")] {
        let is_v6 = domain == Domain::Inet6;
        let socket = ping_socket(&mut w, A, domain);
        w.send_to(A, socket, &request(is_v6, 3, b"far"), to).unwrap();
        w.settle();
        let mut buffer = [0; 100];
        let got = w.stacks[B].recv_from(w.now, any, &mut buffer, MsgFlags::empty()).unwrap();
        assert_eq!(got.to.ip(), addr(to).ip());
        let mut reply = buffer[..got.len].to_vec();
        reply[0] = if is_v6 { 129 } else { 0 };
        w.stacks[B].send_to(w.now, any, &reply, MsgFlags::empty(), got.from, Some(got.to)).unwrap();
        w.settle();
        assert_eq!(&w.read(A, socket).unwrap()[8..], b"far");
    }
    let socket = ping_socket(&mut w, A, Domain::Inet);
    w.send_to(A, socket, &request(false, 3, b"near"), "10.0.0.2:0").unwrap();
    w.settle();
    assert_eq!(w.read(B, any), Err(Errno::EAGAIN));
    assert_eq!(&w.read(A, socket).unwrap()[8..], b"near");
}

#[test]
fn a_closed_port_is_answered_with_the_packet_quoted_over_both_families() {
    for to in ["10.0.0.2:9", "[fd00::2]:9"] {
        let mut w = world();
        w.keeps_log = true;
        let socket = if to.starts_with('[') { w.udp6(A) } else { w.udp(A) };
        w.send_to(A, socket, b"hello", to).unwrap();
        w.settle();
        let sent = &w.log[0].2.to_vec();
        let answer = &sent_by_b(&w)[0].to_vec();
        if to.starts_with('[') {
            let (source, destination) = ("fd00::2".parse().unwrap(), "fd00::1".parse().unwrap());
            let message = Icmpv6Message::parse(source, destination, &answer[40..]).unwrap();
            assert_eq!(message.type_and_code(), (1, 4));
            assert_eq!(message.payload(), sent);
        } else {
            let message = Icmpv4Message::parse(&answer[20..]).unwrap();
            assert_eq!(message.type_and_code(), (3, 3));
            assert_eq!(message.payload(), sent);
        }
    }
}

#[test]
fn a_protocol_nobody_speaks_is_answered_and_nothing_is_said_about_errors_fragments_and_groups() {
    let mut w = world();
    w.keeps_log = true;
    w.inject(B, v4_packet(A4, B4, Protocol(99), b"........"));
    w.settle();
    let answers = sent_by_b(&w);
    assert_eq!(Icmpv4Message::parse(&answers[0].to_vec()[20..]).unwrap().type_and_code(), (3, 2));

    let quoted = v4_packet(B4, A4, Protocol(99), b"........").to_vec();
    let error = icmp_v4(Icmpv4Message::DestinationUnreachable {
        code: UnreachableCode::HOST,
        next_hop_mtu: 0,
        quoted: &quoted,
    });
    w.inject(B, v4_packet(A4, B4, Protocol::ICMPV4, &error));
    w.inject(B, v4_packet(A4, "10.0.0.255", Protocol(99), b"........"));
    w.inject(B, v4_packet(A4, "224.0.0.1", Protocol(99), b"........"));
    w.inject(B, v4_packet("10.0.0.255", B4, Protocol(99), b"........"));
    w.inject(B, v4_packet("0.0.0.0", B4, Protocol(99), b"........"));
    w.inject(B, v4_fragment(A4, B4, 8, b"........"));
    w.settle();
    assert_eq!(sent_by_b(&w).len(), 1);
    // Given up without its first fragment, which alone would say who is to be told (RFC 1122 section 3.3.2).
    w.run(Duration::from_secs(31));
    assert_eq!(w.counter(B, "IpReasmTimeout"), 1);
    assert_eq!(sent_by_b(&w).len(), 1);
}

#[test]
fn an_unknown_next_header_is_a_parameter_problem_that_points_at_it() {
    let mut w = world();
    w.keeps_log = true;
    w.inject(B, v6_packet(A6, B6, Protocol(99), b"........"));
    w.settle();
    let answer = sent_by_b(&w)[0].to_vec();
    let message = Icmpv6Message::parse("fd00::2".parse().unwrap(), "fd00::1".parse().unwrap(), &answer[40..]).unwrap();
    assert!(matches!(message, Icmpv6Message::ParameterProblem { code: 1, pointer: 6, .. }), "{message:?}");
}

#[test]
fn a_datagram_whose_fragments_do_not_all_come_is_given_up_and_its_sender_told() {
    let mut w = world();
    w.keeps_log = true;
    let client = w.udp(A);
    w.wire.loss = 1000;
    w.send_to(A, client, &[7; 3000], "10.0.0.2:9").unwrap();
    w.settle();
    w.wire.loss = 0;
    let pieces: Vec<Packet> = w.log.iter().map(|(_, _, packet)| packet.clone()).collect();
    assert_eq!(pieces.len(), 3);
    w.inject(B, pieces[0].clone());
    w.inject(B, pieces[1].clone());
    w.run(Duration::from_secs(29));
    assert_eq!(sent_by_b(&w).len(), 0);
    w.run(Duration::from_secs(2));
    let answer = sent_by_b(&w)[0].to_vec();
    assert_eq!(Icmpv4Message::parse(&answer[20..]).unwrap().type_and_code(), (11, 1));
    assert_eq!(w.counter(B, "IpReasmTimeout"), 1);
}

#[test]
fn a_too_big_message_narrows_the_path_for_datagrams_until_it_is_forgotten() {
    let mut w = world();
    w.keeps_log = true;
    let client = w.udp(A);
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:9").unwrap();
    w.connect(A, client, "10.0.0.2:9").unwrap();
    w.write(A, client, &[1; 1400]).unwrap();
    w.settle();
    let quoted = w.log[0].2.to_vec();
    let error = icmp_v4(Icmpv4Message::DestinationUnreachable {
        code: UnreachableCode::FRAGMENTATION_NEEDED,
        next_hop_mtu: 1000,
        quoted: &quoted[..28],
    });
    w.inject(A, v4_packet("10.0.0.9", A4, Protocol::ICMPV4, &error));
    w.settle();
    w.log.clear();
    // As Linux: a connected socket is told, once, although its datagrams may be cut.
    assert_eq!(w.write(A, client, &[2; 1400]), Err(Errno::EMSGSIZE));
    w.write(A, client, &[2; 1400]).unwrap();
    w.settle();
    assert_eq!(w.log.len(), 2);
    assert!(w.log.iter().all(|(_, _, packet)| packet.len() <= 1000));
    assert_eq!(w.read(B, server).unwrap(), [1; 1400]);
    assert_eq!(w.read(B, server).unwrap(), [2; 1400]);

    w.run(Duration::from_secs(600));
    w.log.clear();
    w.write(A, client, &[3; 1400]).unwrap();
    w.settle();
    assert_eq!(w.log.len(), 1);
}

#[test]
fn a_too_big_message_about_nothing_that_was_sent_changes_nothing() {
    let mut w = world();
    w.keeps_log = true;
    let client = w.udp(A);
    w.connect(A, client, "10.0.0.2:9").unwrap();
    let mut udp = vec![0; 8];
    udp[0..2].copy_from_slice(&5u16.to_be_bytes());
    udp[2..4].copy_from_slice(&9u16.to_be_bytes());
    let quoted = v4_packet(A4, B4, Protocol::UDP, &udp).to_vec();
    let error = icmp_v4(Icmpv4Message::DestinationUnreachable {
        code: UnreachableCode::FRAGMENTATION_NEEDED,
        next_hop_mtu: 600,
        quoted: &quoted,
    });
    w.inject(A, v4_packet("10.0.0.9", A4, Protocol::ICMPV4, &error));
    w.settle();
    w.write(A, client, &[2; 1400]).unwrap();
    w.settle();
    assert_eq!(w.log[0].2.len(), 1428);
}

#[test]
fn soft_errors_do_not_disturb_a_connected_datagram_socket_and_hard_ones_do() {
    let mut w = world();
    w.keeps_log = true;
    let client = w.udp(A);
    w.connect(A, client, "10.0.0.2:9").unwrap();
    w.wire.loss = 1000;
    w.write(A, client, b"x").unwrap();
    w.settle();
    w.wire.loss = 0;
    let quoted = w.log[0].2.to_vec();
    let tell = |w: &mut World, code| {
        let error = icmp_v4(Icmpv4Message::DestinationUnreachable { code, next_hop_mtu: 0, quoted: &quoted });
        w.inject(A, v4_packet("10.0.0.9", A4, Protocol::ICMPV4, &error));
        w.settle();
        w.stacks[A].take_error(w.now, client).unwrap()
    };
    assert_eq!(tell(&mut w, UnreachableCode::NETWORK), None);
    assert_eq!(tell(&mut w, UnreachableCode::HOST), None);
    assert_eq!(tell(&mut w, UnreachableCode::PROTOCOL), Some(Errno::ENOPROTOOPT));
    assert_eq!(tell(&mut w, UnreachableCode::ADMINISTRATIVELY_PROHIBITED), Some(Errno::EHOSTUNREACH));
}

/// How many ICMP errors B sends about `count` datagrams to a port nobody has, sent by A as fast as it can.
fn refusals(w: &mut World, to: &str, count: usize) -> usize {
    let domain = if addr(to).is_ipv4() { Domain::Inet } else { Domain::Inet6 };
    let socket = w.stacks[A].socket(domain, SocketType::Datagram).unwrap();
    let before = sent_by_b(w).len();
    w.keeps_log = true;
    for _ in 0..count {
        let _ = w.send_to(A, socket, b"hello", to);
    }
    w.settle();
    sent_by_b(w).len() - before
}

#[test]
fn a_host_is_told_of_six_closed_ports_at_once_then_of_one_a_second() {
    let mut w = world();
    assert_eq!(refusals(&mut w, "10.0.0.2:9999", 50), 6);
    assert_eq!(w.counter(B, "IcmpOutRateLimitHost"), 44);
    w.run(Duration::from_millis(1100));
    assert_eq!(refusals(&mut w, "10.0.0.2:9999", 50), 1);
    w.stacks[B].set_sysctl(w.now, "icmp_ratelimit", "0").unwrap();
    let together = refusals(&mut w, "10.0.0.2:9999", 300);
    assert!(
        (30..120).contains(&together),
        "icmp_msgs_burst is left, which a message costs one of on average: {together}"
    );
    assert!(w.counter(B, "IcmpOutRateLimitGlobal") > 100);
    w.stacks[B].set_sysctl(w.now, "icmp_ratemask", "0").unwrap();
    assert_eq!(refusals(&mut w, "10.0.0.2:9999", 200), 200);
}

#[test]
fn over_ipv6_a_host_is_told_of_one_closed_port_every_tenth_of_a_second() {
    let mut w = world();
    assert_eq!(refusals(&mut w, "[fd00::2]:9999", 50), 6);
    assert_eq!(w.counter(B, "Icmp6OutRateLimitHost"), 44);
    // Each batch is looked at 200 ms after it was sent.
    w.run(Duration::from_millis(120));
    assert_eq!(refusals(&mut w, "[fd00::2]:9999", 50), 3);
    w.stacks[B].set_sysctl(w.now, "net.ipv6.icmp.ratemask", "0,2-127").unwrap();
    assert_eq!(refusals(&mut w, "[fd00::2]:9999", 200), 200);
}

#[test]
fn echo_replies_are_limited_when_the_mask_says_so() {
    let mut w = world();
    w.keeps_log = true;
    let socket = ping_socket(&mut w, A, Domain::Inet);
    let ping = |w: &mut World| {
        let before = sent_by_b(w).len();
        for sequence in 0..20 {
            w.send_to(A, socket, &request(false, sequence, b""), "10.0.0.2:0").unwrap();
        }
        w.settle();
        sent_by_b(w).len() - before
    };
    assert_eq!(ping(&mut w), 20);
    w.stacks[B].set_sysctl(w.now, "icmp_ratemask", "1").unwrap();
    assert_eq!(ping(&mut w), 6);
}
