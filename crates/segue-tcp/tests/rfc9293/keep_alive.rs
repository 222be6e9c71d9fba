//! Section 3.8.4: keep-alives, beside what the sending tests say of them.

use std::time::Duration;

use segue_tcp::*;

use crate::SECOND;
use crate::common::peer::{Peer, plain, show};

fn with_keep_alive() -> Peer {
    Peer::established_with(plain(), SocketOptions { keepalive: true, ..SocketOptions::default() })
}

/// MUST-26: data or an acknowledgment from the peer put it off; while data are under way there is none.
#[test]
fn probes_are_sent_only_on_an_idle_connection() {
    let mut peer = with_keep_alive();
    for kind in 0..4 {
        peer.pass(7_000 * SECOND);
        let segment = if kind % 2 == 0 { peer.text(10) } else { peer.bare() };
        peer.inject(segment);
        let _ = peer.read();
        assert!(peer.pass(SECOND).iter().all(|(_, transmit)| !show(transmit).contains("-1:-1")), "{kind}");
    }
    peer.write(100).expect("room");
    let sent = peer.pass(900 * SECOND);
    assert!(sent.iter().all(|(_, transmit)| !transmit.payload.is_empty()), "only what was not acknowledged");
}

/// MUST-29: eight probes are lost, the ninth is answered.
#[test]
fn a_lost_probe_is_not_a_dead_peer() {
    let mut peer = with_keep_alive();
    let mut probes = 0;
    while probes < 9 {
        let next = peer.connection.next_deadline().expect("a probe is due");
        peer.now = next;
        let _ = peer.connection.on_deadline(next);
        probes += peer.sent().len();
    }
    peer.inject(peer.bare());
    assert_eq!(peer.pass(7_199 * SECOND).len(), 0, "the interval starts over");
    assert_eq!(peer.connection.state(), State::Established);
}

/// MUST-24, MUST-27, SHLD-12: on and off at any time, each connection with its own times; no data in a probe.
#[test]
fn an_application_turns_them_on_and_off_and_sets_their_times() {
    let mut peer = Peer::established();
    let now = peer.now;
    let asked = SocketOptions {
        keepalive: true,
        keep_idle: Some(5 * SECOND),
        keep_intvl: Some(2 * SECOND),
        keep_cnt: Some(3),
        ..SocketOptions::default()
    };
    let _ = peer.connection.set_options(now, asked.clone());
    let sent = peer.pass(8 * SECOND);
    let times: Vec<Duration> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [5 * SECOND, 7 * SECOND]);
    assert!(sent.iter().all(|(_, probe)| show(probe) == ". -1:-1(0) ack 0"));
    let now = peer.now;
    let _ = peer.connection.set_options(now, SocketOptions { keepalive: false, ..asked });
    assert_eq!(peer.pass(100_000 * SECOND).len(), 0);
    assert_eq!(peer.connection.state(), State::Established);
}
