//! A listener's queues: how many may wait in each, what overflow does, and that a flood of SYNs costs no client its connection.

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::forge::{Forged, ask};
use common::*;
use segue_stack::{Domain, Errno, Instant, Ready, SocketId, SocketType, Stack, StackConfig};
use segue_wire::tcp::{TcpFlags, TcpHeader};

const SYN_ACK: TcpFlags = TcpFlags::SYN.union(TcpFlags::ACK);

/// A host with a listener, driven by hand.
struct Host {
    stack: Stack,
    iface: segue_stack::IfaceId,
    now: Instant,
    listener: SocketId,
}

impl Host {
    fn new(backlog: i32, sysctls: &[(&str, &str)]) -> Host {
        Host::with(backlog, sysctls, |_| {})
    }

    fn with(backlog: i32, sysctls: &[(&str, &str)], change: impl FnOnce(&mut StackConfig)) -> Host {
        let (mut stack, iface) = host(5, B4, B6, &Wire::default(), |config, _| change(config));
        let now = Instant::from_secs(1_000);
        for (name, value) in sysctls {
            stack.set_sysctl(now, name, value).unwrap();
        }
        let listener = stack.socket(Domain::Inet6, SocketType::Stream).unwrap();
        stack.bind(now, listener, addr("[::]:80")).unwrap();
        stack.listen(listener, backlog).unwrap();
        Host { stack, iface, now, listener }
    }

    fn ask(&mut self, forged: &Forged) -> Vec<TcpHeader> {
        ask(&mut self.stack, self.iface, self.now, forged).into_iter().map(|(header, _)| header).collect()
    }

    /// A SYN of client number `n`.
    fn syn(n: u32) -> Forged {
        let from = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 10 + (n % 200) as u8), 1_024 + (n / 200) as u16));
        Forged::syn(from, addr("10.0.0.2:80"))
    }

    fn connect(&mut self, n: u32) -> bool {
        let syn = Host::syn(n);
        let Some(answer) = self.ask(&syn).into_iter().find(|header| header.flags.contains(SYN_ACK)) else {
            return false;
        };
        self.ask(&syn.third(&answer)).is_empty()
    }

    fn counter(&self, name: &str) -> u64 {
        self.stack.counters().by_name(name).unwrap_or_else(|| panic!("no counter {name}"))
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) = self.stack.next_deadline()
            && next <= until
        {
            self.now = self.now.max(next);
            self.stack.on_deadline(self.now);
            while self.stack.poll_transmit(self.now).is_some() {}
        }
        self.now = until;
    }

    fn accept_all(&mut self) -> usize {
        core::iter::from_fn(|| self.stack.accept(self.now, self.listener).ok()).count()
    }
}

// What Linux 6.18 answers to SYN after SYN, with the same backlog.
#[test]
fn one_handshake_more_than_the_backlog_is_remembered_then_come_drops_or_cookies() {
    for (cookies, backlog, remembered) in [("0", 1, 2), ("0", 4, 5), ("1", 1, 2), ("1", 4, 5), ("2", 4, 0)] {
        let mut host = Host::new(backlog, &[("tcp_syncookies", cookies)]);
        let answered = (0..8).filter(|n| !host.ask(&Host::syn(*n)).is_empty()).count();
        assert_eq!(host.stack.usage().opening, remembered, "cookies {cookies}, backlog {backlog}");
        assert_eq!(answered, if cookies == "0" { remembered } else { 8 });
        let rest = 8 - remembered as u64;
        let (drops, sent) = if cookies == "0" { (rest, 0) } else { (0, rest) };
        assert_eq!(host.counter("TcpExtTCPReqQFullDrop"), drops);
        assert_eq!(host.counter("TcpExtListenDrops"), drops);
        assert_eq!(host.counter("TcpExtTCPReqQFullDoCookies"), sent);
        assert_eq!(host.counter("TcpExtSyncookiesSent"), sent);
    }
}

#[test]
fn without_cookies_the_last_quarter_of_tcp_max_syn_backlog_stays_free() {
    let mut host = Host::new(1_000, &[("tcp_syncookies", "0"), ("tcp_max_syn_backlog", "100")]);
    for n in 0..200 {
        host.ask(&Host::syn(n));
    }
    // The rest is 25 at 75, and less than a quarter at 76.
    assert_eq!(host.stack.usage().opening, 76);
    assert_eq!(host.counter("TcpExtListenDrops"), 124);
    assert_eq!(host.counter("TcpExtTCPReqQFullDrop"), 0);
}

#[test]
fn a_full_accept_queue_lets_no_syn_in_and_drops_third_segments_until_one_is_accepted() {
    let mut host = Host::new(2, &[]);
    // The handshake of the fourth begins while there is still room.
    let late = Host::syn(99);
    let late_syn_ack = host.ask(&late)[0];
    for n in 0..3 {
        assert!(host.connect(n), "one more than the backlog, client {n}");
    }
    assert_eq!(host.ask(&Host::syn(3)), []);
    assert_eq!((host.counter("TcpExtListenOverflows"), host.counter("TcpExtListenDrops")), (1, 1));
    assert_eq!(host.ask(&late.third(&late_syn_ack)), []);
    assert_eq!((host.counter("TcpExtListenOverflows"), host.counter("TcpExtListenDrops")), (2, 2));
    assert_eq!(host.accept_all(), 3);
    assert_eq!(host.ask(&late.third(&late_syn_ack)), [], "the repeated third segment is in time");
    assert_eq!(host.accept_all(), 1);
}

#[test]
fn with_tcp_abort_on_overflow_a_third_segment_without_room_is_reset() {
    let mut host = Host::new(0, &[("tcp_abort_on_overflow", "1")]);
    let late = Host::syn(99);
    let late_syn_ack = host.ask(&late)[0];
    assert!(host.connect(0));
    let answers = host.ask(&late.third(&late_syn_ack));
    assert!(answers[0].flags.contains(TcpFlags::RST));
    assert_eq!(host.counter("TcpExtTCPAbortOnOverflow"), 1);
    assert_eq!(host.stack.usage().opening, 0);
}

#[test]
fn listen_again_changes_the_backlog() {
    let mut host = Host::new(0, &[]);
    assert!(host.connect(0));
    assert!(!host.connect(1));
    host.stack.listen(host.listener, 5).unwrap();
    for n in 1..6 {
        assert!(host.connect(n));
    }
    assert!(!host.connect(6));
    host.stack.set_sysctl(host.now, "somaxconn", "3").unwrap();
    host.stack.listen(host.listener, 1_000).unwrap();
    assert_eq!(host.accept_all(), 6);
    let let_in = (10..20).filter(|n| host.connect(*n)).count();
    assert_eq!(let_in, 4, "somaxconn, and one more");
}

#[test]
fn a_cookie_opens_a_connection_and_nothing_is_kept_before_it_comes_back() {
    let mut host = Host::new(16, &[("tcp_syncookies", "2")]);
    let syn = Host::syn(0);
    let before = host.stack.usage();
    let syn_ack = host.ask(&syn)[0];
    assert_eq!(host.stack.usage(), before);
    assert_eq!(syn_ack.flags & SYN_ACK, SYN_ACK);
    let mut third = syn.third(&syn_ack);
    third.payload = b"hello".to_vec();
    host.ask(&third);
    let (socket, peer) = host.stack.accept(host.now, host.listener).unwrap();
    assert_eq!(peer, addr(&format!("[::ffff:{}]:{}", syn.from.ip(), syn.from.port())));
    let mut buffer = [0; 10];
    assert_eq!(host.stack.recv(host.now, socket, &mut buffer, segue_stack::MsgFlags::empty()), Ok(5));
    assert_eq!((host.counter("TcpExtSyncookiesRecv"), host.counter("TcpExtSyncookiesFailed")), (1, 0));
}

#[test]
fn forged_and_stale_cookies_are_reset_and_make_nothing() {
    let mut host = Host::new(16, &[("tcp_syncookies", "2")]);
    let syn = Host::syn(0);
    let syn_ack = host.ask(&syn)[0];
    let good = syn.third(&syn_ack);
    for change in [
        |third: &mut Forged| third.acknowledgment = third.acknowledgment.wrapping_add(1),
        |third: &mut Forged| third.sequence = third.sequence.wrapping_add(1),
        |third: &mut Forged| third.from.set_port(9),
    ] {
        let mut forged = good.clone();
        change(&mut forged);
        let answers = host.ask(&forged);
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].flags, TcpFlags::RST, "{forged:?}");
        assert_eq!(answers[0].sequence, forged.acknowledgment);
    }
    assert_eq!(host.counter("TcpExtSyncookiesFailed"), 3);
    // Two minutes later the counter has moved on, but cookies are still looked at.
    host.pass(Duration::from_secs(119));
    assert_eq!(host.ask(&good)[0].flags, TcpFlags::RST);
    assert_eq!(host.counter("TcpExtSyncookiesFailed"), 4);
    // And when none was sent for two minutes they are not even looked at.
    host.pass(Duration::from_secs(10));
    assert_eq!(host.ask(&good)[0].flags, TcpFlags::RST);
    assert_eq!(host.counter("TcpExtSyncookiesFailed"), 4);
    assert_eq!(host.stack.usage().sockets, 1, "the listener alone");
}

#[test]
fn an_acknowledgment_is_no_cookie_when_none_was_sent() {
    let mut host = Host::new(16, &[]);
    let stray = Forged { flags: TcpFlags::ACK, acknowledgment: 77, ..Host::syn(0) };
    assert_eq!(host.ask(&stray)[0].flags, TcpFlags::RST);
    assert_eq!(host.counter("TcpExtSyncookiesFailed"), 0);
}

#[test]
fn a_good_cookie_waits_outside_while_the_accept_queue_is_full() {
    let mut host = Host::new(0, &[("tcp_syncookies", "2")]);
    let (first, second) = (Host::syn(0), Host::syn(1));
    let syn_acks = [host.ask(&first)[0], host.ask(&second)[0]];
    assert_eq!(host.ask(&first.third(&syn_acks[0])), []);
    assert_eq!(host.ask(&second.third(&syn_acks[1])), [], "dropped, so that the client tries again");
    assert_eq!(host.counter("TcpExtListenOverflows"), 1);
    assert_eq!(host.accept_all(), 1);
    assert_eq!(host.ask(&second.third(&syn_acks[1])), []);
    assert_eq!(host.accept_all(), 1);
}

#[test]
fn clients_connect_through_a_flood_of_a_hundred_thousand_syns_in_memory_that_does_not_grow() {
    let mut host = Host::new(128, &[]);
    let mut most = 0;
    let mut connected = 0;
    for n in 0..100_000 {
        host.ask(&Host::syn(n));
        most = most.max(host.stack.usage().opening);
        if n % 1_000 == 999 {
            // A client somewhere else, over IPv6 and with all options.
            let mut syn = Forged::syn(addr(&format!("[fd00::77]:{}", 1_024 + n / 1_000)), addr("[fd00::2]:80"));
            syn.options.window_scale = Some(7);
            let syn_ack = host.ask(&syn)[0];
            let mut third = syn.third(&syn_ack);
            third.payload = vec![1; 100];
            host.ask(&third);
            connected += host.accept_all();
            host.pass(Duration::from_millis(100));
        }
    }
    assert_eq!(connected, 100);
    assert_eq!(most, 129, "the backlog and one more");
    assert!(host.counter("TcpExtSyncookiesSent") > 90_000);
    assert_eq!(host.counter("TcpExtListenDrops"), 0);
    host.pass(Duration::from_secs(100));
    assert_eq!(host.stack.usage().opening, 0);
}

#[test]
fn old_handshakes_make_room_for_young_ones() {
    // Linux: reqsk_timer_handler gives the old ones fewer tries when more than half of the queue is taken.
    for (count, after_two_tries) in [(10, 10), (11, 10), (20, 10)] {
        let mut host = Host::new(20, &[]);
        for n in 0..count {
            host.ask(&Host::syn(n));
        }
        host.pass(Duration::from_secs(6));
        assert_eq!(host.stack.usage().opening, count as usize);
        host.pass(Duration::from_secs(2));
        assert_eq!(host.stack.usage().opening, after_two_tries, "of {count}");
        host.pass(Duration::from_secs(54));
        assert_eq!(host.stack.usage().opening, after_two_tries, "half of the queue may stay for five tries");
        host.pass(Duration::from_secs(2));
        assert_eq!(host.stack.usage().opening, 0);
    }
}

#[test]
fn connections_that_wait_move_to_another_listener_of_the_group() {
    for migrate in [false, true] {
        let mut w = World::new(Wire::default());
        w.stacks[B].set_sysctl(w.now, "tcp_migrate_req", if migrate { "1" } else { "0" }).unwrap();
        let listeners: Vec<SocketId> = (0..2)
            .map(|_| {
                let id = w.tcp(B);
                w.stacks[B].setsockopt(w.now, id, 1, 15, &1i32.to_ne_bytes()).unwrap();
                w.bind(B, id, "10.0.0.2:80").unwrap();
                w.stacks[B].listen(id, 100).unwrap();
                id
            })
            .collect();
        let clients: Vec<SocketId> = (0..40)
            .map(|_| {
                let id = w.tcp(A);
                assert_eq!(w.connect(A, id, "10.0.0.2:80"), Err(Errno::EINPROGRESS));
                id
            })
            .collect();
        // Half of the handshakes are over when the first listener ends, half are under way.
        w.run(Duration::from_millis(40));
        for _ in 0..40 {
            let id = w.tcp(A);
            let _ = w.connect(A, id, "10.0.0.2:80");
        }
        w.run(Duration::from_millis(25));
        w.close(B, listeners[0]);
        w.settle();
        let accepted = core::iter::from_fn(|| w.accept(B, listeners[1]).ok()).count();
        let reset = clients.iter().filter(|id| w.ready(A, **id).contains(Ready::ERR)).count();
        if migrate {
            assert_eq!((accepted, reset), (80, 0));
            assert!(w.counter(B, "TcpExtTCPMigrateReqSuccess") > 10);
        } else {
            assert!(accepted < 80 && reset > 0, "{accepted} accepted, {reset} reset");
        }
    }
}
