//! UDP sockets between two hosts and inside one.
mod common;

use common::*;
use segue_stack::{Counter, Domain, Errno, IfaceConfig, MsgFlags, Ready, Shutdown, SocketType};

fn world() -> World {
    World::new(Wire::default())
}

#[test]
fn a_datagram_arrives_whole_with_its_addresses_and_the_answer_finds_back() {
    let mut w = world();
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:53").unwrap();
    let client = w.udp(A);
    assert_eq!(w.send_to(A, client, b"question", "10.0.0.2:53"), Ok(8));
    w.settle();
    let mut buffer = [0; 100];
    let got = w.stacks[B].recv_from(w.now, server, &mut buffer, MsgFlags::empty()).unwrap();
    assert_eq!((&buffer[..got.len], got.full_len), (&b"question"[..], 8));
    assert_eq!(got.from.ip(), ip(A4));
    assert_eq!(got.to, addr("10.0.0.2:53"));
    assert_eq!(got.from.port(), w.stacks[A].local_addr(client).unwrap().port());
    assert_eq!(got.ttl, 64);
    w.stacks[B].send_to(w.now, server, b"answer", MsgFlags::empty(), got.from, None).unwrap();
    w.settle();
    assert_eq!(w.read(A, client).unwrap(), b"answer");
    assert_eq!(w.read(A, client), Err(Errno::EAGAIN));
}

#[test]
fn an_empty_datagram_is_a_datagram() {
    let mut w = world();
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    let client = w.udp(A);
    assert_eq!(w.send_to(A, client, b"", "10.0.0.2:7"), Ok(0));
    w.settle();
    assert!(w.ready(B, server).contains(Ready::IN));
    assert_eq!(w.read(B, server).unwrap(), b"");
    assert!(!w.ready(B, server).contains(Ready::IN));
}

#[test]
fn a_short_buffer_cuts_the_datagram_and_trunc_tells_its_length() {
    let mut w = world();
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    let client = w.udp(A);
    for _ in 0..3 {
        w.send_to(A, client, b"0123456789", "10.0.0.2:7").unwrap();
    }
    w.settle();
    let mut buffer = [0; 4];
    assert_eq!(w.stacks[B].recv(w.now, server, &mut buffer, MsgFlags::PEEK), Ok(4));
    assert_eq!(w.stacks[B].recv(w.now, server, &mut buffer, MsgFlags::TRUNC), Ok(10));
    assert_eq!(w.stacks[B].recv(w.now, server, &mut buffer, MsgFlags::empty()), Ok(4));
    assert_eq!(w.stacks[B].recv_bytes(w.now, server, 100).unwrap().to_vec(), b"0123456789");
    assert_eq!(w.stacks[B].recv_bytes(w.now, server, 100), Err(Errno::EAGAIN));
}

#[test]
fn a_connected_socket_hears_its_peer_only_and_learns_that_nobody_is_there() {
    let mut w = world();
    let client = w.udp(A);
    w.connect(A, client, "10.0.0.2:9").unwrap();
    assert_eq!(w.stacks[A].peer_addr(client), Ok(addr("10.0.0.2:9")));
    assert_eq!(w.stacks[A].local_addr(client).unwrap().ip(), ip(A4));
    let port = w.stacks[A].local_addr(client).unwrap().port();
    let stranger = w.udp(B);
    w.bind(B, stranger, "10.0.0.2:1000").unwrap();
    w.stacks[B].send_to(w.now, stranger, b"psst", MsgFlags::empty(), at(A4, port), None).unwrap();
    w.settle();
    assert_eq!(w.read(A, client), Err(Errno::EAGAIN));

    w.write(A, client, b"anybody?").unwrap();
    w.settle();
    assert!(w.ready(A, client).contains(Ready::ERR));
    assert_eq!(w.read(A, client), Err(Errno::ECONNREFUSED));
    assert_eq!(w.ready(A, client), Ready::OUT);
    assert_eq!(w.counter(B, "UdpNoPorts"), 1);
}

#[test]
fn an_unconnected_socket_hears_of_errors_only_with_recverr() {
    const IPPROTO_IP: i32 = 0;
    const IP_RECVERR: i32 = 11;
    let mut w = world();
    let quiet = w.udp(A);
    let curious = w.udp(A);
    w.stacks[A].setsockopt(w.now, curious, IPPROTO_IP, IP_RECVERR, &1i32.to_ne_bytes()).unwrap();
    w.send_to(A, quiet, b"x", "10.0.0.2:9").unwrap();
    w.send_to(A, curious, b"x", "10.0.0.2:9").unwrap();
    w.settle();
    assert_eq!(w.stacks[A].take_error(w.now, quiet), Ok(None));
    assert_eq!(w.stacks[A].take_error(w.now, curious), Ok(Some(Errno::ECONNREFUSED)));
    assert_eq!(w.stacks[A].take_error(w.now, curious), Ok(None));
}

#[test]
fn sends_that_cannot_be_are_refused_with_linuxs_numbers() {
    let mut w = world();
    let socket = w.udp(A);
    assert_eq!(w.write(A, socket, b"x"), Err(Errno::EDESTADDRREQ));
    assert_eq!(w.send_to(A, socket, b"x", "10.0.0.2:0"), Err(Errno::EINVAL));
    assert_eq!(w.send_to(A, socket, b"x", "192.0.2.1:9"), Err(Errno::ENETUNREACH));
    assert_eq!(w.send_to(A, socket, b"x", "10.0.0.255:9"), Err(Errno::EACCES));
    assert_eq!(w.send_to(A, socket, b"x", "255.255.255.255:9"), Err(Errno::EACCES));
    assert_eq!(w.send_to(A, socket, &[0; 65508], "10.0.0.2:9"), Err(Errno::EMSGSIZE));
    assert_eq!(w.send_to(A, socket, b"x", "[fd00::2]:9"), Err(Errno::EAFNOSUPPORT));
    assert_eq!(w.stacks[A].send(w.now, socket, b"x", MsgFlags::OOB), Err(Errno::EOPNOTSUPP));
    assert_eq!(w.stacks[A].shutdown(w.now, socket, Shutdown::Both), Err(Errno::ENOTCONN));
    assert_eq!(w.stacks[A].listen(socket, 1), Err(Errno::EOPNOTSUPP));
    assert_eq!(w.stacks[A].accept(w.now, socket), Err(Errno::EOPNOTSUPP));
    w.close(A, socket);
    assert_eq!(w.write(A, socket, b"x"), Err(Errno::EBADF));
}

#[test]
fn a_large_datagram_is_cut_and_put_together_again_over_both_families() {
    for (host, on) in [("10.0.0.2", "0.0.0.0:7"), ("[fd00::2]", "[::]:7")] {
        let mut w = world();
        let server = if on.starts_with('[') { w.udp6(B) } else { w.udp(B) };
        w.bind(B, server, on).unwrap();
        let client = if on.starts_with('[') { w.udp6(A) } else { w.udp(A) };
        let data: Vec<u8> = (0..65_000u32).map(|n| (n * 7) as u8).collect();
        assert_eq!(w.send_to(A, client, &data, &format!("{host}:7")), Ok(data.len()));
        w.settle();
        assert_eq!(w.read(B, server).unwrap(), data, "{host}");
        let made = if on.starts_with('[') { "Ip6FragCreates" } else { "IpFragCreates" };
        assert!(w.counter(A, made) > 40);
    }
}

#[test]
fn a_socket_that_forbids_cutting_is_told_that_the_datagram_is_too_long() {
    const IPPROTO_IP: i32 = 0;
    const IP_MTU_DISCOVER: i32 = 10;
    const IP_PMTUDISC_DO: i32 = 2;
    let mut w = world();
    let socket = w.udp(A);
    w.stacks[A].setsockopt(w.now, socket, IPPROTO_IP, IP_MTU_DISCOVER, &IP_PMTUDISC_DO.to_ne_bytes()).unwrap();
    assert_eq!(w.send_to(A, socket, &[0; 1473], "10.0.0.2:9"), Err(Errno::EMSGSIZE));
    assert_eq!(w.send_to(A, socket, &[0; 1472], "10.0.0.2:9"), Ok(1472));
}

#[test]
fn a_broadcast_reaches_every_socket_on_the_port_and_makes_no_error() {
    let mut w = world();
    let mut listeners = Vec::new();
    for _ in 0..2 {
        let socket = w.udp(B);
        w.stacks[B].set_option(w.now, socket, segue_stack::SocketOption::ReuseAddress(true)).unwrap();
        w.bind(B, socket, "0.0.0.0:67").unwrap();
        listeners.push(socket);
    }
    let client = w.udp(A);
    w.stacks[A].set_option(w.now, client, segue_stack::SocketOption::Broadcast(true)).unwrap();
    w.send_to(A, client, b"who is there?", "10.0.0.255:67").unwrap();
    w.send_to(A, client, b"nobody", "10.0.0.255:68").unwrap();
    w.settle();
    for socket in listeners {
        assert_eq!(w.read(B, socket).unwrap(), b"who is there?");
    }
    assert_eq!(w.counter(B, "IcmpOutDestUnreachs"), 0);
}

#[test]
fn a_dual_stack_socket_shows_ipv4_peers_as_mapped_and_answers_them() {
    let mut w = world();
    let server = w.udp6(B);
    w.bind(B, server, "[::]:7").unwrap();
    let client = w.udp(A);
    w.send_to(A, client, b"v4", "10.0.0.2:7").unwrap();
    w.settle();
    let mut buffer = [0; 10];
    let got = w.stacks[B].recv_from(w.now, server, &mut buffer, MsgFlags::empty()).unwrap();
    assert_eq!(got.from.ip(), ip("::ffff:10.0.0.1"));
    assert_eq!(got.to.ip(), ip("::ffff:10.0.0.2"));
    w.stacks[B].send_to(w.now, server, b"back", MsgFlags::empty(), got.from, None).unwrap();
    w.settle();
    assert_eq!(w.read(A, client).unwrap(), b"back");

    let only = w.udp6(B);
    w.stacks[B].set_option(w.now, only, segue_stack::SocketOption::V6Only(true)).unwrap();
    assert_eq!(w.send_to(B, only, b"x", "[::ffff:10.0.0.1]:7"), Err(Errno::ENETUNREACH));
}

#[test]
fn more_holds_a_datagram_back_until_its_last_part() {
    let mut w = world();
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    let client = w.udp(A);
    w.connect(A, client, "10.0.0.2:7").unwrap();
    w.stacks[A].send(w.now, client, b"one ", MsgFlags::MORE).unwrap();
    w.stacks[A].send(w.now, client, b"two ", MsgFlags::MORE).unwrap();
    w.settle();
    assert_eq!(w.read(B, server), Err(Errno::EAGAIN));
    w.stacks[A].send(w.now, client, b"three", MsgFlags::empty()).unwrap();
    w.settle();
    assert_eq!(w.read(B, server).unwrap(), b"one two three");
}

#[test]
fn the_receive_buffer_bounds_what_waits_and_the_rest_is_counted() {
    let mut w = world();
    let server = w.udp(B);
    w.stacks[B].set_option(w.now, server, segue_stack::SocketOption::ReceiveBuffer(5000)).unwrap();
    w.bind(B, server, "0.0.0.0:7").unwrap();
    let client = w.udp(A);
    for _ in 0..100 {
        w.send_to(A, client, &[0; 100], "10.0.0.2:7").unwrap();
        w.settle();
    }
    let waiting = core::iter::from_fn(|| w.read(B, server).ok()).count();
    assert_eq!(waiting, 10_000 / (100 + 768));
    assert_eq!(w.counter(B, "UdpRcvbufErrors"), 100 - waiting as u64);
}

#[test]
fn the_send_buffer_bounds_what_waits_for_the_link() {
    let mut w = world();
    let client = w.udp(A);
    let mut sent = 0;
    while w.send_to(A, client, &[0; 1000], "10.0.0.2:7").is_ok() {
        sent += 1;
        assert!(sent < 1000);
    }
    assert_eq!(w.send_to(A, client, &[0; 1000], "10.0.0.2:7"), Err(Errno::EAGAIN));
    assert!(!w.ready(A, client).contains(Ready::OUT));
    while w.stacks[A].poll_event().is_some() {}
    w.settle();
    let event = w.stacks[A].poll_event().expect("room again");
    assert_eq!(event.socket, client);
    assert!(event.ready.contains(Ready::OUT));
}

#[test]
fn a_datagram_with_a_wrong_checksum_is_dropped_and_counted() {
    let mut w = world();
    w.keeps_log = true;
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    let client = w.udp(A);
    w.wire.loss = 1000;
    w.send_to(A, client, b"hello", "10.0.0.2:7").unwrap();
    w.settle();
    w.wire.loss = 0;
    let mut bytes = w.log[0].2.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    w.inject(B, segue_stack::Packet::from_bytes(bytes.into()));
    w.settle();
    assert_eq!(w.read(B, server), Err(Errno::EAGAIN));
    assert_eq!(w.counter(B, "UdpInCsumErrors"), 1);
}

#[test]
fn loopback_datagrams_never_leave_and_find_the_socket_inside() {
    let mut w = world();
    w.keeps_log = true;
    let server = w.udp(A);
    w.bind(A, server, "127.0.0.1:7").unwrap();
    let client = w.udp(A);
    let data = vec![7; 60_000];
    w.send_to(A, client, &data, "127.0.0.1:7").unwrap();
    w.pump();
    assert_eq!(w.read(A, server).unwrap(), data);
    w.send_to(A, client, b"own address", "10.0.0.1:7").unwrap();
    w.connect(A, client, "127.0.0.1:8").unwrap();
    w.write(A, client, b"nobody").unwrap();
    w.pump();
    assert_eq!(w.stacks[A].take_error(w.now, client), Ok(Some(Errno::ECONNREFUSED)));
    assert!(w.log.is_empty());
}

#[test]
fn a_loopback_source_from_outside_is_a_lie() {
    let mut w = world();
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    w.keeps_log = true;
    let client = w.udp(A);
    w.send_to(A, client, b"x", "10.0.0.2:7").unwrap();
    w.settle();
    w.read(B, server).unwrap();
    let packet = w.log[0].2.clone();
    for (at, lie) in [(12, [127, 0, 0, 1]), (12, [10, 0, 0, 2]), (12, [224, 0, 0, 1]), (16, [127, 0, 0, 1])] {
        let mut bytes = packet.to_vec();
        bytes[at..at + 4].copy_from_slice(&lie);
        bytes[10..12].fill(0);
        let sum = segue_wire::checksum::checksum(&bytes[..20]);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        // No UDP checksum: only the address is wrong.
        bytes[26..28].fill(0);
        w.inject(B, segue_stack::Packet::from_bytes(bytes.into()));
        w.settle();
        assert_eq!(w.read(B, server), Err(Errno::EAGAIN), "{at} {lie:?}");
    }
    assert_eq!(w.counter(B, "IpInAddrErrors"), 4);
}

#[test]
fn reuse_port_spreads_peers_over_the_group_and_keeps_each_at_its_socket() {
    let mut w = world();
    let mut group = Vec::new();
    for _ in 0..4 {
        let socket = w.udp(B);
        w.stacks[B].set_option(w.now, socket, segue_stack::SocketOption::ReusePort(true)).unwrap();
        w.bind(B, socket, "0.0.0.0:7").unwrap();
        group.push(socket);
    }
    let mut seen = vec![0; 4];
    for _ in 0..64 {
        let client = w.udp(A);
        for _ in 0..2 {
            w.send_to(A, client, b"x", "10.0.0.2:7").unwrap();
        }
        w.settle();
        for (n, socket) in group.iter().enumerate() {
            match (w.read(B, *socket), w.read(B, *socket)) {
                (Ok(_), Ok(_)) => seen[n] += 1,
                (Err(Errno::EAGAIN), Err(Errno::EAGAIN)) => {}
                other => panic!("one peer's datagrams were spread: {other:?}"),
            }
        }
    }
    assert_eq!(seen.iter().sum::<u32>(), 64);
    assert!(seen.iter().all(|count| *count > 4), "{seen:?}");
}

#[test]
fn a_gateway_socket_takes_what_nobody_else_takes_and_answers_from_the_address_that_was_asked() {
    let mut w = World::with(Wire::default(), |host, _, iface: &mut IfaceConfig| iface.accept_any = host == B);
    w.stacks[A].add_route(segue_stack::Route::on_link(cidr("0.0.0.0/0"), w.ifaces[A])).unwrap();
    w.stacks[A].add_route(segue_stack::Route::on_link(cidr("::/0"), w.ifaces[A])).unwrap();
    let any = w.udp6(B);
    w.stacks[B].bind_any(w.now, any, w.ifaces[B]).unwrap();
    let own = w.udp(B);
    w.bind(B, own, "10.0.0.2:53").unwrap();
    for to in ["192.0.2.7:53", "[2001:db8::7]:53"] {
        let client = w.stacks[A]
            .socket(if to.starts_with('[') { Domain::Inet6 } else { Domain::Inet }, SocketType::Datagram)
            .unwrap();
        w.connect(A, client, to).unwrap();
        w.write(A, client, b"ask").unwrap();
        w.settle();
        let mut buffer = [0; 10];
        let got = w.stacks[B].recv_from(w.now, any, &mut buffer, MsgFlags::empty()).unwrap();
        assert_eq!(got.to, addr(to));
        w.stacks[B].send_to(w.now, any, b"told", MsgFlags::empty(), got.from, Some(got.to)).unwrap();
        w.settle();
        assert_eq!(w.read(A, client).unwrap(), b"told");
    }
    let client = w.udp(A);
    w.send_to(A, client, b"yours", "10.0.0.2:53").unwrap();
    w.settle();
    assert_eq!(w.read(B, own).unwrap(), b"yours");
    assert_eq!(w.stacks[B].counters().get(Counter::UdpNoPorts), 0);
}

#[test]
fn a_loopback_datagram_that_nobody_inside_takes_leaves_by_the_fallback_and_its_answer_comes_back() {
    let mut w = World::with(Wire::default(), |host, _, iface: &mut IfaceConfig| {
        iface.loopback_fallback = host == A;
        iface.accept_any = host == B;
    });
    let any = w.udp(B);
    w.stacks[B].bind_any(w.now, any, w.ifaces[B]).unwrap();
    let client = w.udp(A);
    w.send_to(A, client, b"outside?", "127.0.0.1:53").unwrap();
    w.settle();
    let mut buffer = [0; 10];
    let got = w.stacks[B].recv_from(w.now, any, &mut buffer, MsgFlags::empty()).unwrap();
    assert_eq!((got.from.ip(), got.to), (ip("127.0.0.1"), addr("127.0.0.1:53")));
    w.stacks[B].send_to(w.now, any, b"yes", MsgFlags::empty(), got.from, Some(got.to)).unwrap();
    w.settle();
    assert_eq!(w.read(A, client).unwrap(), b"yes");

    let inside = w.udp(A);
    w.bind(A, inside, "127.0.0.1:53").unwrap();
    w.send_to(A, client, b"inside?", "127.0.0.1:53").unwrap();
    w.settle();
    assert_eq!(w.read(A, inside).unwrap(), b"inside?");
    assert_eq!(w.read(B, any), Err(Errno::EAGAIN));
}
