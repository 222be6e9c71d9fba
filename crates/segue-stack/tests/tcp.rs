//! TCP between two hosts: connections, data, closing, queues, reuse, errors.
mod common;

use core::time::Duration;

use common::*;
use segue_stack::{Domain, Errno, IfaceConfig, MsgFlags, Ready, Route, Shutdown, SocketId, SocketOption, SocketType};

fn world() -> World {
    World::new(Wire::default())
}

/// A stream of bytes that no misplaced piece can pass for.
fn pattern(offset: usize, len: usize) -> Vec<u8> {
    (offset..offset + len).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

fn fnv(hash: u64, data: &[u8]) -> u64 {
    data.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

const FNV: u64 = 0xcbf2_9ce4_8422_2325;

/// Send `len` bytes from `from`, close the direction, and compare the hash of what comes out at the other end.
fn transfer(w: &mut World, from: (usize, SocketId), to: (usize, SocketId), len: usize, limit: Duration) {
    let (mut sent, mut got, mut hash, mut expected) = (0, 0, FNV, FNV);
    let mut is_shut = false;
    let until = w.now + limit;
    loop {
        while sent < len {
            let data = pattern(sent, (len - sent).min(30_000));
            match w.write(from.0, from.1, &data) {
                Ok(n) => {
                    expected = fnv(expected, &data[..n]);
                    sent += n;
                }
                Err(Errno::EAGAIN) => break,
                Err(error) => panic!("seed {}: {error}", w.seed),
            }
        }
        if sent == len && !is_shut {
            w.stacks[from.0].shutdown(w.now, from.1, Shutdown::Write).unwrap();
            is_shut = true;
        }
        loop {
            match w.read(to.0, to.1) {
                Ok(data) if data.is_empty() => {
                    assert_eq!((got, hash), (len, expected), "seed {}", w.seed);
                    return;
                }
                Ok(data) => {
                    got += data.len();
                    hash = fnv(hash, &data);
                }
                Err(Errno::EAGAIN) => break,
                Err(error) => panic!("seed {}: {error}", w.seed),
            }
        }
        assert!(w.step(until), "seed {}: {got} of {len} bytes at {:?}", w.seed, w.now);
    }
}

#[test]
fn a_connection_is_made_carries_bytes_both_ways_and_ends_over_both_families() {
    for to in ["10.0.0.2:80", "[fd00::2]:80"] {
        let mut w = world();
        let (client, server) = w.connected(to);
        assert_eq!(w.ready(A, client), Ready::OUT);
        assert_eq!(w.stacks[A].peer_addr(client), Ok(addr(to)));
        assert_eq!(w.stacks[B].local_addr(server), Ok(addr(to)));
        assert_eq!(w.write(A, client, b"ping"), Ok(4));
        w.settle();
        assert_eq!(w.read(B, server).unwrap(), b"ping");
        assert_eq!(w.write(B, server, b"pong"), Ok(4));
        w.settle();
        assert_eq!(w.read(A, client).unwrap(), b"pong");
        w.close(A, client);
        w.settle();
        assert_eq!(w.ready(B, server), Ready::IN | Ready::OUT | Ready::RDHUP);
        assert_eq!(w.read(B, server).unwrap(), b"");
        w.close(B, server);
        w.settle();
        assert_eq!(w.stacks[A].usage().time_wait, 1);
        assert_eq!(w.stacks[B].usage().flows, 0);
        w.run(Duration::from_secs(61));
        for host in [A, B] {
            let usage = w.stacks[host].usage();
            assert_eq!((usage.sockets, usage.flows, usage.tcp_ports, usage.timers), (0, 0, 0, 0), "{host}");
        }
    }
}

#[test]
fn what_is_sent_arrives_whatever_the_wire_does_in_both_directions_at_once() {
    for seed in 1..=12 {
        let wire = Wire {
            loss: 20 * (seed as u32 % 4),
            duplicate: 20,
            jitter: Duration::from_millis(seed % 3 * 5),
            is_super: seed % 2 == 0,
            ..Wire::default()
        };
        let mut w = World::new(wire).seeded(seed);
        let listener = w.listener(B, "10.0.0.2:80", 16);
        let client = w.tcp(A);
        let _ = w.connect(A, client, "10.0.0.2:80");
        w.until(Duration::from_secs(200), "the connection", |w| !w.ready(B, listener).is_empty());
        let (server, _) = w.accept(B, listener).unwrap();
        w.until(Duration::from_secs(200), "connect", |w| w.ready(A, client).contains(Ready::OUT));
        transfer(&mut w, (A, client), (B, server), 700_000, Duration::from_secs(3000));
        transfer(&mut w, (B, server), (A, client), 300_000, Duration::from_secs(3000));
        w.close(A, client);
        w.close(B, server);
        w.close(B, listener);
        w.run(Duration::from_secs(2000));
        for host in [A, B] {
            let usage = w.stacks[host].usage();
            assert_eq!(
                (usage.sockets, usage.flows, usage.timers, usage.queued_bytes),
                (0, 0, 0, 0),
                "seed {seed} host {host}"
            );
        }
    }
}

#[test]
fn super_segments_cross_a_wire_that_takes_them_whole() {
    let mut w = World::new(Wire { is_super: true, ..Wire::default() });
    w.keeps_log = true;
    let (client, server) = w.connected("10.0.0.2:80");
    transfer(&mut w, (A, client), (B, server), 4_000_000, Duration::from_secs(60));
    let largest = w.log.iter().map(|(_, _, packet)| packet.len()).max().unwrap();
    assert!(largest > 20_000, "{largest}");
}

#[test]
fn a_connection_inside_the_host_never_touches_the_wire() {
    let mut w = world();
    w.keeps_log = true;
    for to in ["127.0.0.1:80", "10.0.0.1:80", "[::1]:80", "[fd00::1]:80"] {
        let listener = w.listener(A, to, 1);
        let client = if to.starts_with('[') { w.tcp6(A) } else { w.tcp(A) };
        assert_eq!(w.connect(A, client, to), Err(Errno::EINPROGRESS));
        w.pump();
        let (server, _) = w.accept(A, listener).unwrap();
        transfer(&mut w, (A, client), (A, server), 1_000_000, Duration::from_secs(10));
        w.close(A, client);
        w.close(A, server);
        w.close(A, listener);
    }
    w.settle();
    assert!(w.log.is_empty());
}

#[test]
fn a_hundred_connections_share_the_link_fairly() {
    let mut w = World::new(Wire { is_super: true, ..Wire::default() });
    let listener = w.listener(B, "10.0.0.2:80", 200);
    let clients: Vec<SocketId> = (0..100)
        .map(|_| {
            let client = w.tcp(A);
            let _ = w.connect(A, client, "10.0.0.2:80");
            client
        })
        .collect();
    w.settle();
    let servers: Vec<SocketId> = (0..100).map(|_| w.accept(B, listener).unwrap().0).collect();
    for _ in 0..8 {
        for client in &clients {
            while w.write(A, *client, &[7; 16_384]).is_ok() {}
        }
        w.run(Duration::from_millis(20));
        for server in &servers {
            while w.read(B, *server).is_ok() {}
        }
    }
    let received: Vec<u64> =
        servers.iter().map(|server| w.stacks[B].tcp_info(w.now, *server).unwrap().bytes_received).collect();
    let (least, most) = (*received.iter().min().unwrap(), *received.iter().max().unwrap());
    assert!(least * 2 > most, "{least} against {most}");
}

#[test]
fn half_close_leaves_the_other_direction_open() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.write(A, client, b"request").unwrap();
    w.stacks[A].shutdown(w.now, client, Shutdown::Write).unwrap();
    assert_eq!(w.write(A, client, b"x"), Err(Errno::EPIPE));
    w.settle();
    assert_eq!(w.read(B, server).unwrap(), b"request");
    assert_eq!(w.read(B, server).unwrap(), b"");
    transfer(&mut w, (B, server), (A, client), 200_000, Duration::from_secs(60));
    assert_eq!(w.ready(A, client), Ready::IN | Ready::OUT | Ready::RDHUP | Ready::HUP);
}

#[test]
fn linger_zero_resets_and_the_peer_sees_it_as_a_reset() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.stacks[A].set_option(w.now, client, SocketOption::Linger(Some(Duration::ZERO))).unwrap();
    w.close(A, client);
    w.settle();
    assert_eq!(w.stacks[A].usage().flows, 0);
    assert_eq!(w.stacks[A].usage().sockets, 0);
    assert!(w.ready(B, server).contains(Ready::ERR | Ready::HUP));
    assert_eq!(w.read(B, server), Err(Errno::ECONNRESET));
    assert_eq!(w.write(B, server, b"x"), Err(Errno::EPIPE));
}

#[test]
fn closing_with_unread_data_resets() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.write(B, server, b"never read").unwrap();
    w.settle();
    w.close(A, client);
    w.settle();
    assert_eq!(w.read(B, server), Err(Errno::ECONNRESET));
    assert_eq!(w.stacks[A].usage().time_wait, 0);
}

#[test]
fn writing_to_a_peer_that_has_gone_gives_a_reset_and_then_a_broken_pipe() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.close(B, server);
    w.settle();
    assert_eq!(w.write(A, client, b"first"), Ok(5));
    w.settle();
    assert_eq!(w.write(A, client, b"second"), Err(Errno::EPIPE));
}

#[test]
fn abort_sends_a_reset_at_once() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.write(A, client, &[1; 5000]).unwrap();
    w.stacks[A].abort(w.now, client).unwrap();
    assert_eq!(w.write(A, client, b"x"), Err(Errno::EBADF));
    w.settle();
    assert_eq!(w.read(B, server), Err(Errno::ECONNRESET));
    assert_eq!(w.stacks[A].usage().sockets, 0);
}

#[test]
fn nobody_listening_refuses_and_silence_times_out() {
    let mut w = world();
    let client = w.tcp(A);
    assert_eq!(w.connect(A, client, "10.0.0.2:81"), Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.stacks[A].take_error(w.now, client), Ok(Some(Errno::ECONNREFUSED)));

    w.wire.loss = 1000;
    let client = w.tcp(A);
    assert_eq!(w.connect(A, client, "10.0.0.2:80"), Err(Errno::EINPROGRESS));
    w.run(Duration::from_secs(130));
    assert!(w.ready(A, client).is_empty());
    w.run(Duration::from_secs(2));
    assert_eq!(w.stacks[A].take_error(w.now, client), Ok(Some(Errno::ETIMEDOUT)));
    assert_eq!(w.stacks[A].usage().flows, 0);
}

#[test]
fn destinations_that_tcp_cannot_talk_to_are_refused_with_linuxs_number() {
    let mut w = world();
    for (to, expected) in [
        ("192.0.2.1:80", Errno::ENETUNREACH),
        ("224.0.0.1:80", Errno::ENETUNREACH),
        ("255.255.255.255:80", Errno::ENETUNREACH),
        ("10.0.0.255:80", Errno::ENETUNREACH),
        ("[fd00::2]:80", Errno::EAFNOSUPPORT),
    ] {
        let socket = w.tcp(A);
        assert_eq!(w.connect(A, socket, to), Err(expected), "{to}");
        assert_eq!(w.ready(A, socket), Ready::OUT | Ready::HUP);
    }
    let six = w.tcp6(A);
    assert_eq!(w.connect(A, six, "[ff02::1]:80"), Err(Errno::ENETUNREACH));
    w.stacks[A].set_option(w.now, six, SocketOption::V6Only(true)).unwrap();
    assert_eq!(w.connect(A, six, "[::ffff:10.0.0.2]:80"), Err(Errno::ENETUNREACH));
    let bound = w.tcp(A);
    w.bind(A, bound, "127.0.0.1:0").unwrap();
    assert_eq!(w.connect(A, bound, "10.0.0.2:80"), Err(Errno::EINVAL));
}

#[test]
fn connecting_to_nowhere_in_particular_is_connecting_to_oneself() {
    let mut w = world();
    for (on, to) in [("127.0.0.1:80", "0.0.0.0:80"), ("[::1]:81", "[::]:81")] {
        let listener = w.listener(A, on, 1);
        let client = if on.starts_with('[') { w.tcp6(A) } else { w.tcp(A) };
        assert_eq!(w.connect(A, client, to), Err(Errno::EINPROGRESS));
        w.pump();
        assert_eq!(w.stacks[A].peer_addr(client), Ok(addr(on)));
        assert!(w.accept(A, listener).is_ok());
    }
}

#[test]
fn a_dual_stack_listener_takes_ipv4_as_mapped_and_a_v6_only_one_does_not() {
    let mut w = world();
    let dual = w.listener(B, "[::]:80", 4);
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    let (server, peer) = w.accept(B, dual).unwrap();
    assert_eq!(peer.ip(), ip("::ffff:10.0.0.1"));
    assert_eq!(w.stacks[B].local_addr(server).unwrap(), addr("[::ffff:10.0.0.2]:80"));

    let only = w.tcp6(B);
    w.stacks[B].set_option(w.now, only, SocketOption::V6Only(true)).unwrap();
    w.bind(B, only, "[::]:81").unwrap();
    w.stacks[B].listen(only, 4).unwrap();
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:81");
    w.settle();
    assert_eq!(w.stacks[A].take_error(w.now, client), Ok(Some(Errno::ECONNREFUSED)));

    let mapped = w.tcp6(A);
    assert_eq!(w.connect(A, mapped, "[::ffff:10.0.0.2]:80"), Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.stacks[A].local_addr(mapped).unwrap().ip(), ip("::ffff:10.0.0.1"));
    assert_eq!(w.stacks[A].peer_addr(mapped), Ok(addr("[::ffff:10.0.0.2]:80")));
}

#[test]
fn the_more_specific_listener_gets_the_connection() {
    let mut w = world();
    let reuse = |w: &mut World, on: &str| {
        let id = w.tcp(B);
        w.stacks[B].set_option(w.now, id, SocketOption::ReusePort(true)).unwrap();
        w.bind(B, id, on).unwrap();
        w.stacks[B].listen(id, 4).unwrap();
        id
    };
    let any = reuse(&mut w, "0.0.0.0:80");
    let specific = reuse(&mut w, "10.0.0.2:80");
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    assert_eq!(w.accept(B, any), Err(Errno::EAGAIN));
    assert!(w.accept(B, specific).is_ok());
}

#[test]
fn reuse_port_listeners_share_the_connections() {
    let mut w = world();
    let group: Vec<SocketId> = (0..4)
        .map(|_| {
            let id = w.tcp(B);
            w.stacks[B].set_option(w.now, id, SocketOption::ReusePort(true)).unwrap();
            w.bind(B, id, "0.0.0.0:80").unwrap();
            w.stacks[B].listen(id, 100).unwrap();
            id
        })
        .collect();
    for _ in 0..80 {
        let client = w.tcp(A);
        let _ = w.connect(A, client, "10.0.0.2:80");
    }
    w.settle();
    let shares: Vec<usize> = group.iter().map(|id| core::iter::from_fn(|| w.accept(B, *id).ok()).count()).collect();
    assert_eq!(shares.iter().sum::<usize>(), 80);
    assert!(shares.iter().all(|share| *share >= 8), "{shares:?}");
}

#[test]
fn a_full_accept_queue_makes_clients_wait_and_they_get_in_when_there_is_room() {
    let mut w = world();
    // Whoever has a cookie and nothing to send would not notice.
    w.stacks[B].set_sysctl(w.now, "tcp_syncookies", "0").unwrap();
    let listener = w.listener(B, "10.0.0.2:80", 1);
    let clients: Vec<SocketId> = (0..4)
        .map(|_| {
            let client = w.tcp(A);
            let _ = w.connect(A, client, "10.0.0.2:80");
            client
        })
        .collect();
    w.settle();
    // As Linux: a backlog of one lets two wait.
    assert_eq!(w.stacks[B].sockets(w.now).find(|s| s.socket == Some(listener)).unwrap().receive_queue, 2);
    assert_eq!(w.counter(B, "TcpExtListenDrops"), 2);
    assert!(w.accept(B, listener).is_ok());
    assert!(w.accept(B, listener).is_ok());
    assert_eq!(w.accept(B, listener), Err(Errno::EAGAIN));
    w.run(Duration::from_secs(10));
    assert!(w.accept(B, listener).is_ok());
    assert!(w.accept(B, listener).is_ok());
    for client in clients {
        assert!(w.ready(A, client).contains(Ready::OUT));
    }
}

#[test]
fn abort_on_overflow_resets_who_finds_the_accept_queue_full() {
    let mut w = world();
    w.stacks[B].set_sysctl(w.now, "tcp_abort_on_overflow", "1").unwrap();
    let listener = w.listener(B, "10.0.0.2:80", 5);
    let clients: Vec<SocketId> = (0..3)
        .map(|_| {
            let client = w.tcp(A);
            let _ = w.connect(A, client, "10.0.0.2:80");
            client
        })
        .collect();
    // The handshakes begin with a longer queue than they end with.
    w.run(Duration::from_millis(15));
    w.stacks[B].listen(listener, 0).unwrap();
    w.settle();
    let refused =
        clients.iter().filter(|client| w.stacks[A].take_error(w.now, **client) == Ok(Some(Errno::ECONNRESET)));
    assert_eq!(refused.count(), 2);
    assert!(w.accept(B, listener).is_ok());
    assert_eq!(w.counter(B, "TcpExtTCPAbortOnOverflow"), 2);
}

#[test]
fn the_syn_queue_is_bounded_and_half_open_connections_are_given_up() {
    let mut w = world();
    w.stacks[B].set_sysctl(w.now, "tcp_syncookies", "0").unwrap();
    let listener = w.listener(B, "10.0.0.2:80", 9);
    w.keeps_log = true;
    for _ in 0..30 {
        let client = w.tcp(A);
        let _ = w.connect(A, client, "10.0.0.2:80");
    }
    w.pump();
    w.run(Duration::from_millis(11));
    // The clients are silenced before the SYN-ACKs reach them.
    let before = w.stacks[B].usage();
    assert_eq!(before.opening, 10);
    assert_eq!(w.counter(B, "TcpExtTCPReqQFullDrop"), 20);
    w.wire.loss = 1000;
    w.stacks[A] = host(9, A4, A6, &w.wire.clone(), |_, _| {}).0;
    w.run(Duration::from_secs(70));
    let after = w.stacks[B].usage();
    assert_eq!((after.opening, after.flows, after.timers), (0, 0, 0));
    w.close(B, listener);
}

#[test]
fn closing_a_listener_resets_who_waits_in_its_queues() {
    let mut w = world();
    let listener = w.listener(B, "10.0.0.2:80", 10);
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    w.close(B, listener);
    w.settle();
    assert_eq!(w.read(A, client), Err(Errno::ECONNRESET));
    let usage = w.stacks[B].usage();
    assert_eq!((usage.sockets, usage.flows, usage.tcp_ports), (0, 0, 0));
}

#[test]
fn a_connection_that_is_reset_while_it_waits_is_accepted_with_its_error() {
    let mut w = world();
    let listener = w.listener(B, "10.0.0.2:80", 10);
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    w.stacks[A].abort(w.now, client).unwrap();
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    assert_eq!(w.read(B, server), Err(Errno::ECONNRESET));
}

#[test]
fn data_that_came_before_accept_is_there_and_an_event_says_so() {
    let mut w = world();
    let listener = w.listener(B, "10.0.0.2:80", 10);
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    w.write(A, client, b"early").unwrap();
    w.settle();
    let events: Vec<_> = core::iter::from_fn(|| w.stacks[B].poll_event()).collect();
    assert_eq!(events.iter().map(|event| event.socket).collect::<Vec<_>>(), [listener]);
    let (server, _) = w.accept(B, listener).unwrap();
    let event = w.stacks[B].poll_event().unwrap();
    assert_eq!((event.socket, event.ready), (server, Ready::IN | Ready::OUT));
    assert_eq!(w.read(B, server).unwrap(), b"early");
}

#[test]
fn every_arrival_is_an_event_and_a_socket_stands_in_the_queue_once() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    while w.stacks[B].poll_event().is_some() {}
    for _ in 0..5 {
        w.write(A, client, b"more").unwrap();
        w.settle();
    }
    assert_eq!(w.stacks[B].poll_event().map(|event| event.socket), Some(server));
    assert_eq!(w.stacks[B].poll_event(), None);
    w.write(A, client, b"again").unwrap();
    w.settle();
    assert_eq!(w.stacks[B].poll_event().map(|event| event.socket), Some(server));
}

#[test]
fn a_port_in_time_wait_is_blocked_for_bind_without_reuse_and_taken_with_it() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    // The server closes first, so its side is the one that waits.
    w.close(B, server);
    w.settle();
    w.close(A, client);
    w.settle();
    assert_eq!(w.stacks[B].usage().time_wait, 1);
    let strict = w.tcp(B);
    assert_eq!(w.bind(B, strict, "0.0.0.0:80"), Err(Errno::EADDRINUSE));

    w.run(Duration::from_secs(60));
    assert_eq!(w.bind(B, strict, "0.0.0.0:80"), Ok(()));
    w.close(B, strict);
}

#[test]
fn a_server_restarts_on_its_port_with_address_reuse_while_old_connections_linger() {
    let mut w = world();
    let serve = |w: &mut World| {
        let id = w.tcp(B);
        w.stacks[B].set_option(w.now, id, SocketOption::ReuseAddress(true)).unwrap();
        w.bind(B, id, "0.0.0.0:80").unwrap();
        w.stacks[B].listen(id, 10).unwrap();
        id
    };
    let listener = serve(&mut w);
    let clients: Vec<SocketId> = (0..3)
        .map(|_| {
            let client = w.tcp(A);
            let _ = w.connect(A, client, "10.0.0.2:80");
            client
        })
        .collect();
    w.settle();
    for _ in 0..2 {
        let (server, _) = w.accept(B, listener).unwrap();
        w.close(B, server);
    }
    w.close(B, listener);
    w.close(A, clients[0]);
    w.settle();
    let again = serve(&mut w);
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    assert!(w.accept(B, again).is_ok());
}

#[test]
fn the_time_wait_table_is_bounded() {
    let mut w = world();
    w.stacks[A].set_sysctl(w.now, "tcp_max_tw_buckets", "3").unwrap();
    let listener = w.listener(B, "10.0.0.2:80", 10);
    for _ in 0..8 {
        let client = w.tcp(A);
        let _ = w.connect(A, client, "10.0.0.2:80");
        w.settle();
        let (server, _) = w.accept(B, listener).unwrap();
        w.close(A, client);
        w.settle();
        w.close(B, server);
        w.settle();
    }
    let usage = w.stacks[A].usage();
    assert_eq!((usage.time_wait, usage.flows, usage.tcp_ports), (3, 3, 3));
    assert_eq!(w.counter(A, "TcpExtTCPTimeWaitOverflow"), 5);
}

/// A client's socket that has named port 5000, or must choose it because there is no other.
fn from_port_5000(w: &mut World, names_it: bool) -> SocketId {
    let client = w.tcp(A);
    if names_it {
        w.stacks[A].set_option(w.now, client, SocketOption::ReuseAddress(true)).unwrap();
        w.bind(A, client, "0.0.0.0:5000").unwrap();
    } else {
        w.stacks[A].set_sysctl(w.now, "ip_local_port_range", "5000 5000").unwrap();
    }
    client
}

/// Close a connection from port 5000 so that A's side is in TIME-WAIT.
fn leave_time_wait(w: &mut World, listener: SocketId, names_it: bool) {
    let client = from_port_5000(w, names_it);
    assert_eq!(w.connect(A, client, "10.0.0.2:80"), Err(Errno::EINPROGRESS));
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    w.close(A, client);
    w.settle();
    w.close(B, server);
    w.settle();
    assert_eq!(w.stacks[A].usage().time_wait, 1);
}

#[test]
fn a_four_tuple_in_time_wait_is_blocked_unless_tw_reuse_lets_it_go() {
    for (names_it, tw_reuse, wait, expected) in [
        (false, "0", 5, Err(Errno::EADDRNOTAVAIL)),
        (false, "2", 5, Err(Errno::EADDRNOTAVAIL)),
        (false, "1", 0, Err(Errno::EADDRNOTAVAIL)),
        (false, "1", 5, Err(Errno::EINPROGRESS)),
        (false, "0", 61, Err(Errno::EINPROGRESS)),
        // As on Linux 6.18: whoever names the port may have it, if there were timestamps.
        (true, "0", 0, Err(Errno::EINPROGRESS)),
    ] {
        let mut w = world();
        w.stacks[A].set_sysctl(w.now, "tcp_tw_reuse", tw_reuse).unwrap();
        let listener = w.listener(B, "10.0.0.2:80", 10);
        leave_time_wait(&mut w, listener, names_it);
        w.run(Duration::from_secs(wait));
        let client = from_port_5000(&mut w, names_it);
        assert_eq!(w.connect(A, client, "10.0.0.2:80"), expected, "tcp_tw_reuse {tw_reuse} after {wait} s");
        if expected == Err(Errno::EINPROGRESS) {
            w.settle();
            assert!(w.accept(B, listener).is_ok());
        }
    }
}

#[test]
fn a_new_syn_takes_over_the_time_wait_of_a_server() {
    let mut w = world();
    let listener = w.listener(B, "10.0.0.2:80", 10);
    for round in 0..3 {
        let client = w.tcp(A);
        w.stacks[A].set_option(w.now, client, SocketOption::ReuseAddress(true)).unwrap();
        w.bind(A, client, "0.0.0.0:5000").unwrap();
        assert_eq!(w.connect(A, client, "10.0.0.2:80"), Err(Errno::EINPROGRESS), "round {round}");
        w.settle();
        let (server, _) = w.accept(B, listener).unwrap();
        // The server closes first and remembers the flow; the client's side is gone at once.
        w.close(B, server);
        w.settle();
        w.close(A, client);
        w.settle();
        assert_eq!((w.stacks[A].usage().time_wait, w.stacks[B].usage().time_wait), (0, 1));
        w.run(Duration::from_secs(2));
    }
    assert_eq!(w.counter(B, "TcpExtTWRecycled"), 2);
}

#[test]
fn ephemeral_ports_are_shared_between_destinations_and_run_out_per_destination() {
    let mut w = world();
    w.stacks[A].set_sysctl(w.now, "ip_local_port_range", "40000 40003").unwrap();
    for port in [80, 81] {
        let to = format!("10.0.0.2:{port}");
        w.listener(B, &to, 10);
        for _ in 0..4 {
            let client = w.tcp(A);
            assert_eq!(w.connect(A, client, &to), Err(Errno::EINPROGRESS));
        }
        let one_more = w.tcp(A);
        assert_eq!(w.connect(A, one_more, &to), Err(Errno::EADDRNOTAVAIL));
    }
    w.settle();
    assert_eq!(w.stacks[A].usage().tcp_ports, 4);
}

#[test]
fn a_bound_port_is_not_lent_to_connections() {
    let mut w = world();
    w.stacks[A].set_sysctl(w.now, "ip_local_port_range", "40000 40001").unwrap();
    let bound = w.tcp(A);
    w.bind(A, bound, "0.0.0.0:40000").unwrap();
    let client = w.tcp(A);
    assert_eq!(w.connect(A, client, "10.0.0.2:80"), Err(Errno::EINPROGRESS));
    assert_eq!(w.stacks[A].local_addr(client).unwrap().port(), 40001);
    let other = w.tcp(A);
    assert_eq!(w.connect(A, other, "10.0.0.2:80"), Err(Errno::EADDRNOTAVAIL));
}

/// So many clients of A, whose connections B has accepted.
fn connected_clients(w: &mut World, count: usize) -> Vec<SocketId> {
    let listener = w.listener(B, "10.0.0.2:80", 10);
    let mut connected = || {
        let client = w.tcp(A);
        let _ = w.connect(A, client, "10.0.0.2:80");
        w.settle();
        w.accept(B, listener).unwrap();
        client
    };
    (0..count).map(|_| connected()).collect()
}

#[test]
fn too_many_orphans_are_reset() {
    let mut w = world();
    w.stacks[A].set_sysctl(w.now, "tcp_max_orphans", "2").unwrap();
    let clients = connected_clients(&mut w, 5);
    // Nobody acknowledges the FINs, so the orphans stay in FIN-WAIT-1.
    w.wire.loss = 1000;
    for client in clients {
        w.close(A, client);
        w.pump();
    }
    assert_eq!(w.stacks[A].usage().orphans, 2);
    assert_eq!(w.counter(A, "TcpExtTCPAbortOnMemory"), 3);
    w.run(Duration::from_secs(200));
    let usage = w.stacks[A].usage();
    assert_eq!((usage.orphans, usage.sockets), (0, 0));
}

/// Clients that have closed with so many bytes each under way, which are all lost.
fn orphans_with(w: &mut World, queued: &[usize]) {
    let clients = connected_clients(w, queued.len());
    w.wire.loss = 1000;
    for (client, queued) in clients.into_iter().zip(queued) {
        assert_eq!(w.write(A, client, &vec![7; *queued]), Ok(*queued));
        w.close(A, client);
        w.pump();
    }
}

#[test]
fn while_tcp_mem_is_used_up_an_orphan_with_much_to_send_is_reset_when_it_would_send_again() {
    let mut w = world();
    orphans_with(&mut w, &[10_000, 100, 10_000]);
    assert_eq!((w.stacks[A].usage().orphans, w.counter(A, "TcpExtTCPAbortOnMemory")), (3, 0));
    let resets = w.counter(A, "TcpOutRsts");
    w.stacks[A].set_sysctl(w.now, "tcp_mem", "1 1 1").unwrap();
    assert_eq!(w.stacks[A].usage().orphans, 3, "nothing happens before a timer runs out");
    w.run(Duration::from_secs(3));
    // As Linux's tcp_check_oom: what has little to send costs too little to be worth a reset.
    assert_eq!((w.stacks[A].usage().orphans, w.counter(A, "TcpExtTCPAbortOnMemory")), (1, 2));
    assert_eq!(w.counter(A, "TcpOutRsts"), resets + 2);
}

#[test]
fn an_orphan_in_fin_wait_2_is_a_small_entry_that_the_peers_fin_moves_to_time_wait() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.close(A, client);
    w.settle();
    let usage = w.stacks[A].usage();
    assert_eq!((usage.sockets, usage.orphans, usage.time_wait), (0, 0, 1));
    let states = |w: &World| -> Vec<String> {
        w.stacks[A].sockets(w.now).filter_map(|socket| socket.state.map(|state| format!("{state:?}"))).collect()
    };
    assert_eq!(states(&w), ["Connection(FinWait2)"]);
    w.close(B, server);
    w.settle();
    assert_eq!(states(&w), ["Connection(TimeWait)"]);
    w.run(Duration::from_secs(61));
    assert_eq!(states(&w), [""; 0]);
}

#[test]
fn text_for_an_orphan_ends_both_sides() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.close(A, client);
    w.settle();
    w.write(B, server, b"too late").unwrap();
    w.settle();
    assert_eq!((w.stacks[A].usage().time_wait, w.counter(A, "TcpExtTCPAbortOnData")), (0, 1));
    assert_eq!(w.read(B, server), Ok(vec![]), "the FIN came first");
    assert_eq!(w.write(B, server, b"x"), Err(Errno::EPIPE));
}

#[test]
fn an_urgent_byte_is_read_out_of_band_and_polled_as_such() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.stacks[A].send(w.now, client, b"abc!", MsgFlags::OOB).unwrap();
    w.settle();
    assert_eq!(w.ready(B, server), Ready::IN | Ready::OUT | Ready::PRI);
    let mut byte = [0];
    assert_eq!(w.stacks[B].recv(w.now, server, &mut byte, MsgFlags::OOB), Ok(1));
    assert_eq!(&byte, b"!");
    assert_eq!(w.read(B, server).unwrap(), b"abc");
    assert_eq!(w.read(B, server), Err(Errno::EAGAIN));
}

#[test]
fn peek_leaves_and_trunc_throws_away() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.write(A, client, b"0123456789").unwrap();
    w.settle();
    let mut buffer = [0; 4];
    assert_eq!(w.stacks[B].recv(w.now, server, &mut buffer, MsgFlags::PEEK), Ok(4));
    assert_eq!(&buffer, b"0123");
    assert_eq!(w.stacks[B].recv(w.now, server, &mut buffer, MsgFlags::TRUNC), Ok(4));
    assert_eq!(w.stacks[B].recv_bytes(w.now, server, 100).unwrap().to_vec(), b"456789");
}

#[test]
fn a_router_that_says_too_big_makes_segments_smaller_and_all_arrives() {
    let mut w = world();
    w.keeps_log = true;
    let (client, server) = w.connected("10.0.0.2:80");
    // From now on the path carries 1000 bytes, and somebody on the way says so.
    w.wire.loss = 1000;
    w.write(A, client, &pattern(0, 5000)).unwrap();
    w.pump();
    w.wire.loss = 0;
    let data = w.log.iter().rev().find(|(_, from, packet)| *from == A && packet.len() > 1000).unwrap().2.to_vec();
    let message = segue_wire::icmpv4::Icmpv4Message::DestinationUnreachable {
        code: segue_wire::icmpv4::UnreachableCode::FRAGMENTATION_NEEDED,
        next_hop_mtu: 1000,
        quoted: &data[..28],
    };
    let mut icmp = vec![0; message.message_len()];
    message.emit(&mut icmp);
    let mut bytes = vec![0; 20];
    segue_wire::Ipv4Header {
        total_length: (20 + icmp.len()) as u16,
        protocol: segue_wire::Protocol::ICMPV4,
        source: "10.0.0.9".parse().unwrap(),
        destination: "10.0.0.1".parse().unwrap(),
        ..segue_wire::Ipv4Header::default()
    }
    .emit(&mut bytes);
    bytes.extend(icmp);
    w.inject(A, segue_stack::Packet::from_bytes(bytes.into()));
    w.log.clear();
    w.run(Duration::from_secs(5));
    let longest = w.log.iter().filter(|(_, from, _)| *from == A).map(|(_, _, packet)| packet.len()).max().unwrap();
    assert!(longest > 900 && longest <= 1000, "{longest}");
    let got: Vec<u8> = core::iter::from_fn(|| w.read(B, server).ok()).flatten().collect();
    assert_eq!(got, pattern(0, 5000));
}

#[test]
fn segments_to_and_from_groups_are_ignored() {
    let mut w = world();
    w.keeps_log = true;
    w.listener(B, "0.0.0.0:80", 10);
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.wire.loss = 1000;
    w.pump();
    w.wire.loss = 0;
    let syn = w.log[0].2.to_vec();
    w.log.clear();
    for (at, address) in [(16, [10, 0, 0, 255]), (16, [224, 0, 0, 1]), (12, [10, 0, 0, 255]), (12, [0, 0, 0, 0])] {
        let mut bytes = syn.clone();
        bytes[at..at + 4].copy_from_slice(&address);
        bytes[10..12].fill(0);
        let sum = segue_wire::checksum::checksum(&bytes[..20]);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        let mut packet = segue_stack::Packet::from_bytes(bytes.into());
        packet.checksum = segue_wire::ChecksumState::Verified;
        w.inject(B, packet);
    }
    w.run(Duration::from_millis(100));
    assert!(w.log.iter().all(|(_, from, _)| *from == A));
    assert_eq!(w.stacks[B].usage().opening, 0);
    assert_eq!(w.counter(B, "SegueTcpNotUnicast"), 2);
}

#[test]
fn sysctls_act_on_connections_that_are_opened_afterwards() {
    let mut w = world();
    w.stacks[A].set_sysctl(w.now, "net.ipv4.tcp_syn_retries", "1").unwrap();
    w.stacks[A].set_sysctl(w.now, "net.ipv4.tcp_syn_linear_timeouts", "0").unwrap();
    w.wire.loss = 1000;
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.run(Duration::from_millis(3100));
    assert_eq!(w.stacks[A].take_error(w.now, client), Ok(Some(Errno::ETIMEDOUT)));
    let error = w.stacks[A].set_sysctl(w.now, "tcp_syn_retrys", "1").unwrap_err();
    assert!(error.to_string().contains("tcp_syn_retries"), "{error}");
    assert!(w.stacks[A].sysctl_names().any(|name| name == "net.ipv4.tcp_rmem"));
}

#[test]
fn a_routes_initial_window_is_the_connections() {
    let mut w = world();
    let route = Route { initcwnd: Some(2), ..Route::on_link(cidr("10.0.0.0/24"), w.ifaces[A]) };
    w.stacks[A].add_route(route).unwrap();
    let (client, _server) = w.connected("10.0.0.2:80");
    assert_eq!(w.stacks[A].tcp_info(w.now, client).unwrap().snd_cwnd, 2);
}

/// A client behind A, a gateway B that takes packets to any destination.
fn gateway() -> (World, SocketId) {
    let mut w = World::with(Wire::default(), |host, _, iface: &mut IfaceConfig| {
        iface.accept_any = host == B;
        iface.loopback_fallback = host == A;
    });
    w.stacks[A].add_route(Route::on_link(cidr("0.0.0.0/0"), w.ifaces[A])).unwrap();
    w.stacks[A].add_route(Route::on_link(cidr("::/0"), w.ifaces[A])).unwrap();
    let any = w.stacks[B].listen_any(w.now, w.ifaces[B]).unwrap();
    (w, any)
}

#[test]
fn a_gateway_holds_a_syn_until_it_has_decided_and_then_the_connection_is_there() {
    for to in ["192.0.2.7:443", "[2001:db8::7]:443", "127.0.0.1:443", "[::1]:443", "10.0.0.2:443"] {
        let (mut w, any) = gateway();
        w.keeps_log = true;
        let domain = if to.starts_with('[') { Domain::Inet6 } else { Domain::Inet };
        let client = w.stacks[A].socket(domain, SocketType::Stream).unwrap();
        assert_eq!(w.connect(A, client, to), Err(Errno::EINPROGRESS), "{to}");
        // Two repeats are absorbed.
        w.run(Duration::from_millis(2500));
        assert_eq!(w.ready(B, any), Ready::IN);
        let held = w.stacks[B].take_held(any).unwrap();
        assert_eq!((held.local, held.peer), (addr(to), w.stacks[A].local_addr(client).unwrap()));
        assert_eq!(w.stacks[B].take_held(any), None);
        assert!(w.log.iter().all(|(_, from, _)| *from == A));
        w.stacks[B].held_accept(w.now, held.id).unwrap();
        w.settle();
        let (server, peer) = w.accept(B, any).unwrap();
        assert_eq!(peer, held.peer);
        assert_eq!(w.stacks[B].local_addr(server), Ok(addr(to)));
        assert_eq!(w.connect(A, client, to), Ok(()));
        w.write(A, client, b"hello").unwrap();
        w.settle();
        assert_eq!(w.read(B, server).unwrap(), b"hello");
        w.close(B, server);
        w.close(A, client);
        w.settle();
        w.run(Duration::from_secs(130));
        let usage = w.stacks[B].usage();
        assert_eq!((usage.sockets, usage.flows, usage.held, usage.timers), (1, 0, 0, 0), "{to}");
    }
}

#[test]
fn a_gateway_refuses_in_the_way_it_wants() {
    use segue_stack::{Reject, Unreachable};
    for (how, expected) in [
        (Reject::Reset, Some(Errno::ECONNREFUSED)),
        (Reject::Unreachable(Unreachable::Host), Some(Errno::EHOSTUNREACH)),
        (Reject::Unreachable(Unreachable::Port), Some(Errno::ECONNREFUSED)),
        (Reject::Unreachable(Unreachable::Prohibited), Some(Errno::EHOSTUNREACH)),
        (Reject::Drop, None),
    ] {
        let (mut w, any) = gateway();
        let client = w.tcp(A);
        let _ = w.connect(A, client, "192.0.2.7:443");
        w.settle();
        let held = w.stacks[B].take_held(any).unwrap();
        w.stacks[B].held_reject(w.now, held.id, how);
        w.settle();
        assert_eq!(w.stacks[A].take_error(w.now, client), Ok(expected), "{how:?}");
        if how == Reject::Drop {
            // Its repeats are absorbed, not asked about again.
            w.run(Duration::from_secs(10));
            assert_eq!(w.stacks[B].take_held(any), None);
            w.run(Duration::from_secs(300));
        }
        w.run(Duration::from_secs(300));
        assert_eq!(w.stacks[B].usage().held, 0);
    }
}

#[test]
fn held_syns_are_bounded_and_expire_and_a_gone_one_is_told() {
    let (mut w, any) = gateway();
    w.stacks[B].set_sysctl(w.now, "tcp_max_syn_backlog", "5").unwrap();
    for port in 1..=8 {
        let client = w.tcp(A);
        let _ = w.connect(A, client, &format!("192.0.2.7:{port}"));
    }
    w.run(Duration::from_millis(500));
    assert_eq!(w.stacks[B].usage().held, 5);
    assert_eq!(w.counter(B, "SegueTcpHeldSynsFull"), 3);
    let held = w.stacks[B].take_held(any).unwrap();
    w.run(Duration::from_secs(400));
    assert_eq!(w.stacks[B].usage().held, 0);
    assert_eq!(w.stacks[B].held_accept(w.now, held.id), Err(Errno::ECONNABORTED));
    assert_eq!(w.stacks[B].take_held(any), None);
}

#[test]
fn a_loopback_listener_inside_is_preferred_to_the_fallback() {
    let (mut w, any) = gateway();
    let inside = w.listener(A, "127.0.0.1:80", 1);
    let client = w.tcp(A);
    let _ = w.connect(A, client, "127.0.0.1:80");
    w.settle();
    assert!(w.accept(A, inside).is_ok());
    assert_eq!(w.stacks[B].take_held(any), None);
    // From outside nobody opens a connection to a loopback address.
    let intruder = w.stacks[B].socket(Domain::Inet, SocketType::Stream).unwrap();
    w.bind(B, intruder, "127.0.0.1:0").unwrap();
    assert_eq!(w.connect(B, intruder, "10.0.0.1:80"), Err(Errno::EINVAL));
}

#[test]
fn disconnect_dissolves_a_connection_and_the_socket_can_connect_again() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.stacks[A].disconnect(w.now, client).unwrap();
    w.settle();
    assert_eq!(w.read(B, server), Err(Errno::ECONNRESET));
    assert_eq!(w.stacks[A].take_error(w.now, client), Ok(Some(Errno::ECONNRESET)));
    let listener = w.listener(B, "10.0.0.2:81", 1);
    assert_eq!(w.connect(A, client, "10.0.0.2:81"), Err(Errno::EINPROGRESS));
    w.settle();
    assert!(w.accept(B, listener).is_ok());
}
