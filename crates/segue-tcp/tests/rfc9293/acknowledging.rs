//! Section 3.10.7.4: how acknowledgments are put together.

use segue_tcp::*;

use crate::common::peer::{Peer, plain};

/// MUST-58, MUST-59: what has arrived is processed before anything leaves.
#[test]
fn segments_that_arrive_together_get_one_acknowledgment() {
    let mut peer = Peer::established();
    for _ in 0..8 {
        let text = peer.text(1_000);
        peer.inject(text);
    }
    assert_eq!(peer.shown(), [". 0:0(0) ack 8000"]);
    // The answer carries it, if there is one.
    for _ in 0..3 {
        let text = peer.text(1_000);
        peer.inject(text);
    }
    peer.write(10).expect("room");
    assert_eq!(peer.shown(), ["P. 0:10(10) ack 11000"]);
}

/// SHLD-31, MAY-13: text beyond a gap is held, and the gap is told at once.
#[test]
fn segments_out_of_order_are_held_and_told() {
    let config = Config { sack: false, ..plain() };
    let mut peer = Peer::established_with(config, SocketOptions::default());
    let first = peer.text(1_000);
    for n in 1..=3 {
        let later = peer.text(1_000);
        peer.inject(later);
        assert_eq!(peer.shown(), [". 0:0(0) ack 0"], "{n}");
    }
    peer.inject(first);
    assert_eq!(peer.shown(), [". 0:0(0) ack 4000"]);
    assert_eq!(peer.connection.unread(), 4_000);
}
