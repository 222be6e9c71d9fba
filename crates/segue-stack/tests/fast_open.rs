//! Fast Open between two hosts: cookies are asked for, shown, replaced and refused; queues and what is remembered are bounded.

mod common;

use std::time::Duration;

use common::*;
use segue_stack::{Errno, MsgFlags, Ready, SocketId};
use segue_wire::tcp::TcpHeader;

const TCP: i32 = 6;
const FASTOPEN: i32 = 23;
const FASTOPEN_CONNECT: i32 = 30;
const FASTOPEN_NO_COOKIE: i32 = 34;

fn set(w: &mut World, host: usize, id: SocketId, name: i32, value: i32) -> Result<(), Errno> {
    w.stacks[host].setsockopt(w.now, id, TCP, name, &value.to_ne_bytes())
}

fn sysctl(w: &mut World, host: usize, name: &str, value: &str) {
    w.stacks[host].set_sysctl(w.now, name, value).unwrap();
}

/// B listens with Fast Open, A may use it.
fn world(queue: i32) -> (World, SocketId) {
    let mut w = World::new(Wire::default());
    for host in [A, B] {
        sysctl(&mut w, host, "tcp_fastopen", "3");
    }
    let listener = w.tcp(B);
    w.bind(B, listener, "10.0.0.2:80").unwrap();
    set(&mut w, B, listener, FASTOPEN, queue).unwrap();
    w.stacks[B].listen(listener, 16).unwrap();
    (w, listener)
}

fn send_fast(w: &mut World, data: &[u8]) -> (SocketId, Result<usize, Errno>) {
    let client = w.tcp(A);
    let sent = w.stacks[A].send_to(w.now, client, data, MsgFlags::FASTOPEN, addr("10.0.0.2:80"), None);
    (client, sent)
}

/// A has a cookie of B.
fn acquainted(queue: i32) -> (World, SocketId) {
    let (mut w, listener) = world(queue);
    let (client, sent) = send_fast(&mut w, b"too early");
    assert_eq!(sent, Err(Errno::EINPROGRESS));
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    w.close(A, client);
    w.settle();
    w.close(B, server);
    w.settle();
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenCookieReqd"), 1);
    (w, listener)
}

#[test]
fn the_second_connection_delivers_its_data_half_a_round_trip_after_the_call() {
    let (mut w, listener) = acquainted(5);
    let start = w.now;
    let (client, sent) = send_fast(&mut w, b"hello");
    assert_eq!(sent, Ok(5));
    w.until(Duration::from_secs(1), "the data", |w| w.ready(B, listener).contains(Ready::IN));
    let (server, peer) = w.accept(B, listener).unwrap();
    assert_eq!(w.now - start, Duration::from_millis(10), "one way, not three");
    assert_eq!(peer, w.stacks[A].local_addr(client).unwrap());
    assert_eq!(w.read(B, server).unwrap(), b"hello");
    w.write(B, server, b"welcome").unwrap();
    w.until(Duration::from_secs(1), "the answer", |w| w.ready(A, client).contains(Ready::IN));
    assert_eq!(w.now - start, Duration::from_millis(20), "there and back, once");
    assert_eq!(w.read(A, client).unwrap(), b"welcome");
    assert_eq!(w.counter(A, "TcpExtTCPFastOpenActive"), 1);
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassive"), 1);
    assert_eq!(w.counter(A, "TcpExtTCPFastOpenActiveFail") + w.counter(B, "TcpExtTCPFastOpenPassiveFail"), 0);
}

#[test]
fn data_of_any_size_arrive_whole_however_much_of_them_the_syn_took() {
    for size in [1, 100, 1_419, 1_420, 1_421, 100_000] {
        let (mut w, listener) = acquainted(5);
        let data: Vec<u8> = (0..size).map(|n| (n * 7 % 251) as u8).collect();
        let (client, sent) = send_fast(&mut w, &data);
        let mut sent = sent.unwrap();
        // 1460 of MSS less 40 for options.
        assert_eq!(sent, size.min(1_420));
        let mut got = Vec::new();
        let mut server = None;
        w.until(Duration::from_secs(20), "everything", |w| {
            if sent < size {
                sent += w.write(A, client, &data[sent..]).unwrap_or(0);
            }
            if server.is_none() {
                server = w.accept(B, listener).ok().map(|(server, _)| server);
            }
            if let Some(server) = server {
                while let Ok(more) = w.read(B, server) {
                    got.extend(more);
                }
            }
            got.len() == size
        });
        assert_eq!(got, data);
    }
}

#[test]
fn lost_syns_and_syn_acks_cost_time_but_no_data_and_bring_none_twice() {
    for seed in 1..60 {
        let (mut w, listener) = acquainted(5);
        w = w.seeded(seed);
        w.wire.loss = 300;
        w.wire.duplicate = 200;
        w.wire.jitter = Duration::from_millis(30);
        let (client, sent) = send_fast(&mut w, &[7; 700]);
        // After a SYN was lost twice the client may have stopped using it.
        let mut sent = sent.unwrap_or(0);
        let mut got = Vec::new();
        let mut server = None;
        w.until(Duration::from_secs(600), "everything", |w| {
            if sent < 700 {
                sent += w.write(A, client, &[7; 700][sent..]).unwrap_or(0);
            }
            if server.is_none() {
                server = w.accept(B, listener).ok().map(|(server, _)| server);
            }
            if let Some(server) = server {
                while let Ok(more) = w.read(B, server) {
                    got.extend(more);
                }
            }
            got.len() >= 700
        });
        w.run(Duration::from_secs(5));
        if let Some(server) = server {
            assert_eq!(w.read(B, server), Err(Errno::EAGAIN), "seed {seed}: more than was sent");
        }
        assert_eq!(got, [7; 700], "seed {seed}");
    }
}

#[test]
fn connections_beyond_the_queue_get_a_plain_handshake_until_one_is_acknowledged() {
    let (mut w, listener) = acquainted(1);
    // Nothing from B reaches A: the first one is not acknowledged.
    let (first, _) = send_fast(&mut w, b"one");
    let (second, _) = send_fast(&mut w, b"two");
    w.run(Duration::from_millis(10));
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassive"), 1);
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenListenOverflow"), 1);
    w.settle();
    // Both arrive all the same.
    for _ in 0..2 {
        let (server, peer) = w.accept(B, listener).unwrap();
        let expected: &[u8] = if peer == w.stacks[A].local_addr(first).unwrap() { b"one" } else { b"two" };
        assert_eq!(w.read(B, server).unwrap(), expected);
    }
    assert_eq!(w.counter(A, "TcpExtTCPFastOpenActiveFail"), 1);
    w.close(A, second);
    let (_, sent) = send_fast(&mut w, b"three");
    assert_eq!(sent, Ok(5));
    w.settle();
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassive"), 2, "there is room again");
}

#[test]
fn a_reset_before_the_acknowledgment_counts_for_a_minute() {
    let (mut w, listener) = acquainted(1);
    let forge = |w: &mut World| {
        let (client, sent) = send_fast(w, b"spoof");
        assert_eq!(sent, Ok(5));
        w.run(Duration::from_millis(10));
        // The connection is accepted, and then the peer's host says that it knows nothing of it.
        let server = w.accept(B, listener).ok();
        w.stacks[A].abort(w.now, client).unwrap();
        w.settle();
        server
    };
    assert!(forge(&mut w).is_some());
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassive"), 1);
    assert!(forge(&mut w).is_none(), "a plain handshake that came to nothing");
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenListenOverflow"), 1);
    w.run(Duration::from_secs(61));
    assert!(forge(&mut w).is_some());
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassive"), 2);
}

#[test]
fn a_server_with_another_key_gives_a_new_cookie_and_takes_the_data_later() {
    let (mut w, listener) = acquainted(5);
    sysctl(&mut w, B, "tcp_fastopen_key", "1-2-3-4");
    let (_, sent) = send_fast(&mut w, b"stale");
    assert_eq!(sent, Ok(5));
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    assert_eq!(w.read(B, server).unwrap(), b"stale");
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassiveFail"), 1);
    assert_eq!(w.counter(A, "TcpExtTCPFastOpenActiveFail"), 1);
    let (_, sent) = send_fast(&mut w, b"fresh");
    assert_eq!(sent, Ok(5));
    w.settle();
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassive"), 1);
}

#[test]
fn a_key_that_was_replaced_serves_as_backup_and_clients_move_on() {
    let (mut w, _) = acquainted(5);
    let old = w.stacks[B].sysctl("tcp_fastopen_key").unwrap();
    sysctl(&mut w, B, "tcp_fastopen_key", &format!("1-2-3-4,{old}"));
    let _ = send_fast(&mut w, b"old cookie");
    w.settle();
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassiveAltKey"), 1);
    sysctl(&mut w, B, "tcp_fastopen_key", "1-2-3-4");
    let _ = send_fast(&mut w, b"new cookie");
    w.settle();
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassive"), 2);
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassiveFail"), 0);
}

#[test]
fn flushed_metrics_ask_for_a_cookie_again() {
    let (mut w, _) = acquainted(5);
    w.stacks[A].flush_tcp_metrics();
    let (_, sent) = send_fast(&mut w, b"forgotten");
    assert_eq!(sent, Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenCookieReqd"), 2);
}

#[test]
fn over_ipv6_and_by_v4_mapped_addresses_it_works_alike() {
    let mut w = World::new(Wire::default());
    for host in [A, B] {
        sysctl(&mut w, host, "tcp_fastopen", "0x403");
    }
    let listener = w.listener(B, "[::]:80", 16);
    for to in ["[fd00::2]:80", "[::ffff:10.0.0.2]:80"] {
        for round in 0..2 {
            let client = w.tcp6(A);
            let sent = w.stacks[A].send_to(w.now, client, b"hello", MsgFlags::FASTOPEN, addr(to), None);
            assert_eq!(sent, if round == 0 { Err(Errno::EINPROGRESS) } else { Ok(5) }, "{to}");
            w.settle();
            let (server, _) = w.accept(B, listener).unwrap();
            if round == 1 {
                assert_eq!(w.read(B, server).unwrap(), b"hello", "{to}");
            }
        }
    }
    assert_eq!(w.counter(B, "TcpExtTCPFastOpenPassive"), 2);
}

#[test]
fn a_path_that_swallows_syns_with_data_is_left_alone_after_the_second_time() {
    let (mut w, _) = acquainted(5);
    w.keeps_log = true;
    for round in 0..3 {
        w.log.clear();
        let (client, _) = send_fast(&mut w, b"hello");
        w.pump();
        let syn_len = w.log.first().map_or(0, |(_, _, packet)| packet.len());
        assert_eq!(syn_len > 60, round < 2, "round {round}: {syn_len} bytes");
        // The SYN with data is lost; the plain one gets through.
        w.lose_everything();
        w.run(Duration::from_secs(3));
        w.close(A, client);
        w.run(Duration::from_secs(3));
    }
}

#[test]
fn no_tcp_fastopen_option_is_taken_where_linux_refuses_it() {
    let mut w = World::new(Wire::default());
    let client = w.tcp(A);
    assert_eq!(set(&mut w, A, client, FASTOPEN, -1), Err(Errno::EINVAL));
    assert_eq!(set(&mut w, A, client, FASTOPEN_CONNECT, 2), Err(Errno::EINVAL));
    assert_eq!(set(&mut w, A, client, FASTOPEN_NO_COOKIE, -1), Err(Errno::EINVAL));
    sysctl(&mut w, A, "tcp_fastopen", "2");
    assert_eq!(set(&mut w, A, client, FASTOPEN_CONNECT, 1), Err(Errno::EOPNOTSUPP));
    sysctl(&mut w, A, "tcp_fastopen", "1");
    assert_eq!(set(&mut w, A, client, FASTOPEN_CONNECT, 1), Ok(()));
    let (client, _) = w.connected("10.0.0.2:80");
    for name in [FASTOPEN, FASTOPEN_CONNECT, FASTOPEN_NO_COOKIE] {
        assert_eq!(set(&mut w, A, client, name, 1), Err(Errno::EINVAL), "option {name} of a connected socket");
    }
}

#[test]
fn closing_a_socket_whose_syn_waits_sends_nothing() {
    let (mut w, _) = acquainted(5);
    let client = w.tcp(A);
    set(&mut w, A, client, FASTOPEN_CONNECT, 1).unwrap();
    assert_eq!(w.connect(A, client, "10.0.0.2:80"), Ok(()));
    let before = w.counter(A, "TcpOutSegs");
    w.run(Duration::from_secs(10));
    w.close(A, client);
    w.run(Duration::from_secs(1));
    assert_eq!(w.counter(A, "TcpOutSegs"), before);
    assert_eq!(w.stacks[A].usage().sockets, 0);
}

#[test]
fn the_option_stands_behind_all_others_in_the_syn() {
    let (mut w, _) = acquainted(5);
    w.keeps_log = true;
    let _ = send_fast(&mut w, b"hello");
    w.settle();
    let (_, _, syn) = &w.log[0];
    let (_, options, _) = TcpHeader::parse(&syn.head()[20..]).unwrap();
    // mss 4, SACK or padding and timestamps 12, window scale 4, Fast Open 12.
    assert_eq!(options.len(), 32, "{options:?}");
    assert_eq!(options[20..22], [34, 10]);
}
