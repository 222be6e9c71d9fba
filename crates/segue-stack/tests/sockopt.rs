//! Socket options: what some of them do. Values, bounds and errnos of all of them are compared with Linux in `sockopt_table`.
mod common;

use core::time::Duration;

use common::*;
use segue_stack::{Errno, MsgFlags, Route, SocketId, SocketOption};

const SOL_SOCKET: i32 = 1;
const IPPROTO_IP: i32 = 0;
const IPPROTO_TCP: i32 = 6;

fn get(w: &mut World, id: SocketId, level: i32, name: i32) -> String {
    let mut value = [0; 4];
    match w.stacks[A].getsockopt(w.now, id, level, name, &mut value) {
        Ok(4) => i32::from_ne_bytes(value).to_string(),
        Ok(1) => value[0].to_string(),
        Ok(other) => panic!("level {level} option {name}: {other} bytes"),
        Err(error) => error.name().unwrap().to_owned(),
    }
}

#[test]
fn structures_and_texts_have_linuxs_layout() {
    const SO_LINGER: i32 = 13;
    const SO_RCVTIMEO: i32 = 20;
    const TCP_CONGESTION: i32 = 13;
    const TCP_INFO: i32 = 11;
    let mut w = World::new(Wire::default());
    let (client, _server) = w.connected("10.0.0.2:80");
    let mut value = [0xff; 400];

    w.stacks[A].set_option(w.now, client, SocketOption::Linger(Some(Duration::from_secs(7)))).unwrap();
    assert_eq!(w.stacks[A].getsockopt(w.now, client, SOL_SOCKET, SO_LINGER, &mut value), Ok(8));
    assert_eq!(value[..8], [1, 0, 0, 0, 7, 0, 0, 0]);

    let time: Vec<u8> = [3i64.to_ne_bytes(), 500_000i64.to_ne_bytes()].concat();
    w.stacks[A].setsockopt(w.now, client, SOL_SOCKET, SO_RCVTIMEO, &time).unwrap();
    assert_eq!(w.stacks[A].getsockopt(w.now, client, SOL_SOCKET, SO_RCVTIMEO, &mut value), Ok(16));
    assert_eq!(value[..16], time);
    let late: Vec<u8> = [3i64.to_ne_bytes(), 1_000_000i64.to_ne_bytes()].concat();
    assert_eq!(w.stacks[A].setsockopt(w.now, client, SOL_SOCKET, SO_RCVTIMEO, &late), Err(Errno::EDOM));

    assert_eq!(w.stacks[A].setsockopt(w.now, client, IPPROTO_TCP, TCP_CONGESTION, b"reno"), Ok(()));
    assert_eq!(w.stacks[A].setsockopt(w.now, client, IPPROTO_TCP, TCP_CONGESTION, b"nonesuch"), Err(Errno::ENOENT));
    assert_eq!(w.stacks[A].getsockopt(w.now, client, IPPROTO_TCP, TCP_CONGESTION, &mut value), Ok(16));
    assert_eq!(&value[..5], b"reno\0");

    w.write(A, client, &[1; 3000]).unwrap();
    w.settle();
    assert_eq!(w.stacks[A].getsockopt(w.now, client, IPPROTO_TCP, TCP_INFO, &mut value), Ok(280));
    let word = |at: usize| u32::from_ne_bytes(value[at..at + 4].try_into().unwrap());
    let long = |at: usize| u64::from_ne_bytes(value[at..at + 8].try_into().unwrap());
    let info = w.stacks[A].tcp_info(w.now, client).unwrap();
    assert_eq!(value[0], 1, "ESTABLISHED");
    // Offsets by hand from linux/tcp.h.
    assert_eq!(word(16), 1448, "tcpi_snd_mss");
    assert_eq!((word(60), word(80)), (1500, info.snd_cwnd), "tcpi_pmtu, tcpi_snd_cwnd");
    assert_eq!(word(68), info.rtt, "tcpi_rtt");
    assert!((19_000..25_000).contains(&info.rtt), "{} microseconds over a wire of 20 ms", info.rtt);
    assert_eq!(long(120), 3001, "tcpi_bytes_acked");
    assert_eq!(long(200), 3000, "tcpi_bytes_sent");
    assert_eq!(w.stacks[A].getsockopt(w.now, client, IPPROTO_TCP, TCP_INFO, &mut value[..10]), Ok(10));
}

#[test]
fn the_time_to_live_and_the_type_of_service_are_on_the_wire_and_at_the_receiver() {
    let mut w = World::new(Wire::default());
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    let client = w.udp(A);
    w.stacks[A].set_option(w.now, client, SocketOption::Ttl(7)).unwrap();
    w.stacks[A].set_option(w.now, client, SocketOption::Tos(0x28)).unwrap();
    w.send_to(A, client, b"x", "10.0.0.2:7").unwrap();
    w.settle();
    let mut buffer = [0; 4];
    let got = w.stacks[B].recv_from(w.now, server, &mut buffer, MsgFlags::empty()).unwrap();
    assert_eq!((got.ttl, got.tos), (7, 0x28));
}

#[test]
fn the_path_mtu_can_be_asked_of_a_connected_socket_only() {
    const IP_MTU: i32 = 14;
    let mut w = World::new(Wire::default());
    let socket = w.udp(A);
    assert_eq!(get(&mut w, socket, IPPROTO_IP, IP_MTU), "ENOTCONN");
    w.connect(A, socket, "10.0.0.2:7").unwrap();
    assert_eq!(get(&mut w, socket, IPPROTO_IP, IP_MTU), "1500");
    let other = w.udp(A);
    w.connect(A, other, "127.0.0.1:7").unwrap();
    assert_eq!(get(&mut w, other, IPPROTO_IP, IP_MTU), "65535");
}

#[test]
fn a_listeners_options_are_inherited() {
    let mut w = World::new(Wire::default());
    let listener = w.listener(B, "10.0.0.2:80", 4);
    w.stacks[B].set_option(w.now, listener, SocketOption::NoDelay(true)).unwrap();
    w.stacks[B].set_option(w.now, listener, SocketOption::KeepIdle(Duration::from_secs(11))).unwrap();
    w.stacks[B].set_option(w.now, listener, SocketOption::Ttl(9)).unwrap();
    w.keeps_log = true;
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    let mut value = [0; 4];
    for (level, name, expected) in [(IPPROTO_TCP, 1, 1), (IPPROTO_TCP, 4, 11), (IPPROTO_IP, 2, 9)] {
        w.stacks[B].getsockopt(w.now, server, level, name, &mut value).unwrap();
        assert_eq!(i32::from_ne_bytes(value), expected, "level {level} option {name}");
    }
    w.write(B, server, b"x").unwrap();
    w.settle();
    let last = w.log.iter().rev().find(|(_, from, packet)| *from == B && packet.len() > 52).unwrap();
    assert_eq!(last.2.to_vec()[8], 9);
}

fn set(w: &mut World, host: usize, id: SocketId, level: i32, name: i32, value: &[u8]) {
    w.stacks[host].setsockopt(w.now, id, level, name, value).unwrap();
}

#[test]
fn segments_from_further_away_than_the_least_ttl_allows_are_dropped() {
    let mut w = World::new(Wire::default());
    let (client, server) = w.connected("10.0.0.2:80");
    set(&mut w, B, server, IPPROTO_IP, 21, &65i32.to_ne_bytes());
    w.write(A, client, b"x").unwrap();
    w.settle();
    assert_eq!(w.read(B, server), Err(Errno::EAGAIN));
    assert!(w.counter(B, "TcpExtTCPMinTTLDrop") > 0);
    w.stacks[A].set_option(w.now, client, SocketOption::Ttl(65)).unwrap();
    w.run(Duration::from_secs(5));
    assert_eq!(w.read(B, server).unwrap(), b"x");
}

#[test]
fn a_stream_is_readable_when_as_much_is_there_as_was_asked_for_or_no_more_will_come() {
    let mut w = World::new(Wire::default());
    let (client, server) = w.connected("10.0.0.2:80");
    set(&mut w, B, server, SOL_SOCKET, 18, &10i32.to_ne_bytes());
    let readable = |w: &World| w.ready(B, server).contains(segue_stack::Ready::IN);
    w.write(A, client, b"123456789").unwrap();
    w.settle();
    assert!(!readable(&w));
    w.write(A, client, b"0").unwrap();
    w.settle();
    assert!(readable(&w));
    w.read(B, server).unwrap();
    w.write(A, client, b"1").unwrap();
    w.stacks[A].shutdown(w.now, client, segue_stack::Shutdown::Write).unwrap();
    w.settle();
    assert!(readable(&w));
}

#[test]
fn a_look_goes_on_where_the_last_one_ended() {
    let mut w = World::new(Wire::default());
    let (client, server) = w.connected("10.0.0.2:80");
    set(&mut w, B, server, SOL_SOCKET, 42, &0i32.to_ne_bytes());
    w.write(A, client, b"abcdefgh").unwrap();
    w.settle();
    let recv = |w: &mut World, len: usize, flags| {
        let mut buffer = vec![0; len];
        let len = w.stacks[B].recv(w.now, server, &mut buffer, flags).unwrap();
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    };
    assert_eq!(recv(&mut w, 3, MsgFlags::PEEK), "abc");
    assert_eq!(recv(&mut w, 2, MsgFlags::PEEK), "de");
    assert_eq!(recv(&mut w, 4, MsgFlags::empty()), "abcd");
    assert_eq!(recv(&mut w, 9, MsgFlags::PEEK), "fgh");
}

#[test]
fn a_group_is_heard_by_who_has_joined_it_and_no_longer_when_it_is_left() {
    let mut w = World::new(Wire::default());
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    let client = w.udp(A);
    let group = [224, 1, 2, 3, 10, 0, 0, 2];
    set(&mut w, A, client, IPPROTO_IP, 32, &[10, 0, 0, 1]);
    let heard = |w: &mut World| {
        w.send_to(A, client, b"x", "224.1.2.3:7").unwrap();
        w.settle();
        w.read(B, server).is_ok()
    };
    assert!(!heard(&mut w));
    set(&mut w, B, server, IPPROTO_IP, 35, &group);
    assert!(heard(&mut w));
    // From whom it was blocked it is not heard.
    set(&mut w, B, server, IPPROTO_IP, 38, &[224, 1, 2, 3, 10, 0, 0, 2, 10, 0, 0, 1]);
    assert!(!heard(&mut w));
    set(&mut w, B, server, IPPROTO_IP, 37, &[224, 1, 2, 3, 10, 0, 0, 2, 10, 0, 0, 1]);
    assert!(heard(&mut w));
    set(&mut w, B, server, IPPROTO_IP, 36, &group);
    assert!(!heard(&mut w));
}

#[test]
fn a_socket_that_is_confined_to_an_interface_hears_nothing_that_comes_by_another() {
    let mut w = World::new(Wire::default());
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    let client = w.udp(A);
    set(&mut w, B, server, SOL_SOCKET, 25, b"lo");
    w.send_to(A, client, b"x", "10.0.0.2:7").unwrap();
    w.settle();
    assert_eq!(w.read(B, server), Err(Errno::EAGAIN));
    set(&mut w, B, server, SOL_SOCKET, 25, b"eth0");
    w.send_to(A, client, b"y", "10.0.0.2:7").unwrap();
    w.settle();
    assert_eq!(w.read(B, server).unwrap(), b"y");
}

/// Every packet from A that opens a connection, as it was on the wire.
fn syns(w: &World) -> Vec<Vec<u8>> {
    let from_a = w.log.iter().filter(|(_, from, _)| *from == A).map(|(_, _, packet)| {
        let mut packet = packet.clone();
        packet.finish_checksum();
        packet.to_vec()
    });
    // SYN alone, behind an IPv4 header without options or an IPv6 header.
    from_a.filter(|bytes| bytes.get(if bytes[0] >> 4 == 4 { 33 } else { 53 }) == Some(&0x02)).collect()
}

fn saved_syn(w: &mut World, id: SocketId, room: usize) -> Result<Vec<u8>, Errno> {
    const TCP_SAVED_SYN: i32 = 28;
    let mut value = vec![0; room];
    let len = w.stacks[B].getsockopt(w.now, id, IPPROTO_TCP, TCP_SAVED_SYN, &mut value)?;
    value.truncate(len);
    Ok(value)
}

#[test]
fn the_headers_of_the_syn_are_saved_and_read_once() {
    const TCP_SAVE_SYN: i32 = 27;
    for (host, mode) in [("10.0.0.2", 0), ("10.0.0.2", 1), ("10.0.0.2", 2), ("fd00::2", 1)] {
        let mut w = World::new(Wire::default());
        w.keeps_log = true;
        let address = at(host, 80).to_string();
        let listener = w.listener(B, &address, 4);
        set(&mut w, B, listener, IPPROTO_TCP, TCP_SAVE_SYN, &i32::to_ne_bytes(mode));
        let client = if host.contains(':') { w.tcp6(A) } else { w.tcp(A) };
        let _ = w.connect(A, client, &address);
        w.settle();
        let (server, _) = w.accept(B, listener).unwrap();
        assert_eq!(saved_syn(&mut w, listener, 200), Ok(Vec::new()), "a listener has none");
        if mode == 0 {
            assert_eq!(saved_syn(&mut w, server, 200), Ok(Vec::new()), "nobody asked");
            continue;
        }
        let syn = syns(&w).remove(0);
        assert_eq!(saved_syn(&mut w, server, syn.len() - 1), Err(Errno::EINVAL), "{host}: what does not fit stays");
        assert_eq!(saved_syn(&mut w, server, syn.len()), Ok(syn), "{host}, mode {mode}");
        assert_eq!(saved_syn(&mut w, server, 200), Ok(Vec::new()), "{host}: read once");
    }
}

#[test]
fn a_syn_that_was_answered_with_a_cookie_is_not_saved() {
    const TCP_SAVE_SYN: i32 = 27;
    let mut w = World::new(Wire::default());
    w.stacks[B].set_sysctl(w.now, "tcp_syncookies", "2").unwrap();
    let listener = w.listener(B, "10.0.0.2:80", 4);
    set(&mut w, B, listener, IPPROTO_TCP, TCP_SAVE_SYN, &i32::to_ne_bytes(1));
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    assert_eq!(saved_syn(&mut w, server, 200), Ok(Vec::new()));
}

#[test]
fn a_traffic_class_is_reflected_over_ipv6() {
    const IPV6_TCLASS: i32 = 67;
    let mut w = World::new(Wire::default());
    w.stacks[B].set_sysctl(w.now, "tcp_reflect_tos", "1").unwrap();
    let listener = w.listener(B, "[fd00::2]:80", 4);
    let client = w.tcp6(A);
    set(&mut w, A, client, 41, IPV6_TCLASS, &i32::to_ne_bytes(0xb8));
    let _ = w.connect(A, client, "[fd00::2]:80");
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    let mut value = [0; 4];
    w.stacks[B].getsockopt(w.now, server, 41, IPV6_TCLASS, &mut value).unwrap();
    assert_eq!(i32::from_ne_bytes(value), 0xb8);
}

#[test]
fn what_is_sent_with_a_delay_leaves_later_in_its_order_and_the_round_trip_is_longer_by_it() {
    const TCP_TX_DELAY: i32 = 37;
    let delay = Duration::from_millis(40);
    let mut w = World::new(Wire { delay: Duration::from_millis(5), ..Wire::default() });
    w.keeps_log = true;
    let listener = w.listener(B, "10.0.0.2:80", 4);
    set(&mut w, B, listener, IPPROTO_TCP, TCP_TX_DELAY, &40_000i32.to_ne_bytes());
    let client = w.tcp(A);
    let start = w.now;
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    // SYN at 0, at B at 5 ms, the SYN-ACK leaves 40 ms later; the child has the delay, too.
    let first = w.log.iter().find(|(_, from, _)| *from == B).unwrap().0;
    assert_eq!(first - start, Duration::from_millis(5) + delay);
    w.log.clear();
    let written = w.now;
    w.write(B, server, &[7; 20_000]).unwrap();
    w.close(B, server);
    w.settle();
    let times: Vec<Duration> = w.log.iter().filter(|(_, from, _)| *from == B).map(|(at, ..)| *at - written).collect();
    assert_eq!(times[0], delay);
    assert!(times.is_sorted());
    let mut received = Vec::new();
    while let Ok(data) = w.read(A, client)
        && !data.is_empty()
    {
        received.extend(data);
    }
    assert_eq!(received, [7; 20_000]);
    // The last words of a connection that is over wait, too: FIN, and the acknowledgment of the peer's from TIME-WAIT.
    w.log.clear();
    let closed = w.now;
    w.close(A, client);
    w.settle();
    let fin_then_ack: Vec<(usize, Duration)> = w.log.iter().map(|(at, from, _)| (*from, *at - closed)).collect();
    assert_eq!(fin_then_ack, [(A, Duration::ZERO), (B, Duration::from_millis(5) + delay)]);
}

#[test]
fn the_round_trip_counts_the_delay_of_the_socket_itself() {
    const TCP_TX_DELAY: i32 = 37;
    let mut w = World::new(Wire { delay: Duration::from_millis(5), ..Wire::default() });
    let (client, _server) = w.connected("10.0.0.2:80");
    set(&mut w, A, client, IPPROTO_TCP, TCP_TX_DELAY, &40_000i32.to_ne_bytes());
    for _ in 0..30 {
        w.write(A, client, b"x").unwrap();
        w.settle();
    }
    let info = w.stacks[A].tcp_info(w.now, client).unwrap();
    // 10 ms of path, the peer's delayed acknowledgment, and 40 ms; without the delay 50 ms at most.
    assert!(info.rtt >= 50_000, "{} microseconds", info.rtt);
    assert!(info.min_rtt >= 10_000);
}

#[test]
fn who_does_not_want_to_be_routed_reaches_the_link_only() {
    const SO_DONTROUTE: i32 = 5;
    let mut w = World::new(Wire::default());
    let via = Route { via: Some(ip(B4)), ..Route::on_link(cidr("192.0.2.0/24"), w.ifaces[A]) };
    w.stacks[A].add_route(via).unwrap();
    let (direct, far) = ("10.0.0.2:7", "192.0.2.1:7");
    let tcp = w.tcp(A);
    set(&mut w, A, tcp, SOL_SOCKET, SO_DONTROUTE, &1i32.to_ne_bytes());
    assert_eq!(w.connect(A, tcp, far), Err(Errno::ENETUNREACH));
    assert_eq!(w.connect(A, tcp, direct), Err(Errno::EINPROGRESS));
    let udp = w.udp(A);
    assert_eq!(w.send_to(A, udp, b"x", far), Ok(1));
    let once = w.stacks[A].send_to(w.now, udp, b"x", MsgFlags::DONTROUTE, addr(far), None);
    assert_eq!(once, Err(Errno::ENETUNREACH));
    set(&mut w, A, udp, SOL_SOCKET, SO_DONTROUTE, &1i32.to_ne_bytes());
    assert_eq!(w.send_to(A, udp, b"x", far), Err(Errno::ENETUNREACH));
    assert_eq!(w.send_to(A, udp, b"x", direct), Ok(1));
}

#[test]
fn a_datagram_without_a_checksum_over_ipv6_is_taken_only_by_who_says_so() {
    const IPPROTO_UDP: i32 = 17;
    const UDP_NO_CHECK6_TX: i32 = 101;
    const UDP_NO_CHECK6_RX: i32 = 102;
    let mut w = World::new(Wire::default());
    let server = w.udp6(B);
    w.bind(B, server, "[fd00::2]:7").unwrap();
    let client = w.udp6(A);
    set(&mut w, A, client, IPPROTO_UDP, UDP_NO_CHECK6_TX, &1i32.to_ne_bytes());
    for (takes, errors, read) in [(0, 1, Err(Errno::EAGAIN)), (1, 1, Ok(b"x".to_vec()))] {
        set(&mut w, B, server, IPPROTO_UDP, UDP_NO_CHECK6_RX, &i32::to_ne_bytes(takes));
        w.send_to(A, client, b"x", "[fd00::2]:7").unwrap();
        w.settle();
        assert_eq!(w.counter(B, "Udp6InCsumErrors"), errors);
        assert_eq!(w.read(B, server), read);
    }
}
