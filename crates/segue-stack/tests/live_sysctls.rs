//! Sysctls while connections exist: what is read at use acts on them at once, what a socket was made with stays, as on Linux.
mod common;

use core::time::Duration;

use common::*;
use segue_stack::{Errno, Instant, SocketId, SocketOption};

const TCP: i32 = 6;
const SOCKET: i32 = 1;
const TCP_RTO_MAX_MS: i32 = 44;
const TCP_RTO_MIN_US: i32 = 45;
const TCP_DELACK_MAX_US: i32 = 46;

fn sysctl(w: &mut World, host: usize, name: &str, value: &str) {
    w.stacks[host].set_sysctl(w.now, name, value).unwrap();
}

fn number(w: &mut World, host: usize, id: SocketId, level: i32, name: i32) -> i32 {
    let mut value = [0; 4];
    w.stacks[host].getsockopt(w.now, id, level, name, &mut value).unwrap();
    i32::from_ne_bytes(value)
}

fn set(w: &mut World, id: SocketId, name: i32, value: i32) -> Result<(), Errno> {
    w.stacks[A].setsockopt(w.now, id, TCP, name, &value.to_ne_bytes())
}

/// How long a client whose peer has fallen silent goes on.
fn patience(w: &mut World, client: SocketId) -> Duration {
    w.wire.loss = 1000;
    let start = w.now;
    w.write(A, client, &[1; 10]).unwrap();
    w.until(Duration::from_secs(3000), "the end", |w| w.stacks[A].readiness(client).contains(segue_stack::Ready::ERR));
    assert_eq!(w.stacks[A].take_error(w.now, client), Ok(Some(Errno::ETIMEDOUT)));
    w.now - start
}

#[test]
fn fewer_retries_end_a_connection_that_was_opened_with_more() {
    let mut w = World::new(Wire::default());
    let (client, _server) = w.connected("10.0.0.2:80");
    sysctl(&mut w, A, "tcp_retries2", "3");
    // 0.2 s doubling: 3 s after the first loss is more than 0.2·(2⁴-1).
    let time = patience(&mut w, client);
    assert!(time > Duration::from_secs(3) && time < Duration::from_secs(8), "{time:?}");
}

#[test]
fn keep_alive_probes_follow_the_sysctls_of_the_moment() {
    let mut w = World::new(Wire::default());
    let (client, _server) = w.connected("10.0.0.2:80");
    w.stacks[A].set_option(w.now, client, SocketOption::KeepAlive(true)).unwrap();
    sysctl(&mut w, A, "tcp_keepalive_intvl", "5");
    sysctl(&mut w, A, "tcp_keepalive_probes", "2");
    w.wire.loss = 1000;
    let start = w.now;
    w.until(Duration::from_secs(8000), "the end", |w| w.stacks[A].readiness(client).contains(segue_stack::Ready::ERR));
    let time = (w.now - start).as_secs();
    assert!((7200..7215).contains(&time), "{time} s");
}

#[test]
fn a_socket_keeps_the_bounds_of_its_timeout_and_its_buffers() {
    let mut w = World::new(Wire::default());
    let (client, _server) = w.connected("10.0.0.2:80");
    let before = w.tcp(A);
    sysctl(&mut w, A, "tcp_rto_max_ms", "1000");
    sysctl(&mut w, A, "tcp_rmem", "4096 20000 33554432");
    let after = w.tcp(A);
    for (socket, rto_max, rcvbuf) in
        [(client, 120_000, None), (before, 120_000, Some(131_072)), (after, 1000, Some(20_000))]
    {
        assert_eq!(number(&mut w, A, socket, TCP, TCP_RTO_MAX_MS), rto_max);
        if let Some(bytes) = rcvbuf {
            assert_eq!(number(&mut w, A, socket, SOCKET, 8), bytes);
        }
    }
    sysctl(&mut w, A, "tcp_retries2", "8");
    // 0.2 s doubling to more than a second: 102 s with Linux's bound.
    assert!(patience(&mut w, client) > Duration::from_secs(60));
}

#[test]
fn a_socket_may_have_bounds_of_its_own() {
    let mut w = World::new(Wire::default());
    let (client, server) = w.connected("10.0.0.2:80");
    assert_eq!(set(&mut w, client, TCP_RTO_MAX_MS, 999), Err(Errno::EINVAL));
    assert_eq!(set(&mut w, client, TCP_RTO_MAX_MS, 120_001), Err(Errno::EINVAL));
    set(&mut w, client, TCP_RTO_MAX_MS, 1000).unwrap();
    set(&mut w, client, TCP_RTO_MIN_US, 50_000).unwrap();
    assert_eq!(number(&mut w, A, client, TCP, TCP_RTO_MIN_US), 50_000);
    sysctl(&mut w, A, "tcp_keepalive_probes", "4");
    assert_eq!(number(&mut w, A, client, TCP, TCP_RTO_MAX_MS), 1000, "a change of something else leaves it");

    // Acknowledgements are delayed by no more than the socket allows.
    w.stacks[B].setsockopt(w.now, server, TCP, TCP_DELACK_MAX_US, &5000i32.to_ne_bytes()).unwrap();
    w.stacks[B].setsockopt(w.now, server, TCP, 12, &0i32.to_ne_bytes()).unwrap();
    w.keeps_log = true;
    w.write(A, client, &[1; 100]).unwrap();
    let start = w.now;
    w.run(Duration::from_millis(100));
    let acknowledged = w.log.iter().find(|(_, host, _)| *host == B).map(|(at, ..)| *at).unwrap_or(Instant::ZERO);
    let late = acknowledged - start;
    assert!(late >= Duration::from_millis(10) && late <= Duration::from_millis(15), "{late:?}");
}

#[test]
fn accepted_connections_keep_what_their_listener_was_made_with() {
    let mut w = World::new(Wire::default());
    let listener = w.listener(B, "10.0.0.2:80", 4);
    w.stacks[B].setsockopt(w.now, listener, TCP, TCP_RTO_MIN_US, &30_000i32.to_ne_bytes()).unwrap();
    sysctl(&mut w, B, "tcp_rto_max_ms", "2000");
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    assert_eq!(number(&mut w, B, server, TCP, TCP_RTO_MAX_MS), 120_000);
    assert_eq!(number(&mut w, B, server, TCP, TCP_RTO_MIN_US), 30_000);
}
