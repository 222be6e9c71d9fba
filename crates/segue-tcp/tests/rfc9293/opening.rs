//! Sections 3.5, 3.7.1 and 3.8.3: what SYNs say, and for how long they are repeated.

use std::sync::Arc;

use segue_tcp::*;

use crate::SECOND;
use crate::common::peer::{ISS, Peer, open, plain};
use crate::common::{Path, World, established};

/// MUST-15.
#[test]
fn a_peer_that_names_no_mss_gets_the_default_of_its_family() {
    for family in [Family::V4, Family::V6] {
        let now = Instant::from_secs(100);
        let open = Open { family, ..open() };
        let connection = Connection::connect(now, Arc::new(plain()), SocketOptions::default(), open);
        let mut peer = Peer::syn_sent(plain(), SocketOptions::default());
        (peer.connection, peer.now) = (connection, now);
        peer.sent();
        let mut syn_ack = peer.bare();
        syn_ack.flags |= TcpFlags::SYN;
        peer.inject(syn_ack);
        peer.write(5_000).expect("room");
        let longest = peer.sent().iter().map(|transmit| transmit.payload.len()).max();
        assert_eq!(longest, Some(family.default_mss().into()));
    }
    assert_eq!((Family::V4.default_mss(), Family::V6.default_mss()), (576 - 40, 1280 - 60));
}

/// MUST-22, MUST-23. Linux's defaults, which are ours, give 131 seconds; one retry more passes three minutes.
#[test]
fn syns_can_be_repeated_for_three_minutes_and_more() {
    for (config, option, seconds) in
        [(plain(), None, 131), (Config { syn_retries: 7, ..plain() }, None, 251), (plain(), Some(7), 251)]
    {
        let mut peer = Peer::syn_sent(config, SocketOptions { syn_cnt: option, ..SocketOptions::default() });
        peer.pass((seconds - 1) * SECOND);
        assert_eq!(peer.connection.state(), State::SynSent, "{option:?}");
        peer.pass(2 * SECOND);
        assert_eq!(peer.connection.take_error(), Some(ConnError::TimedOut), "{option:?}");
    }
}

/// MUST-65, MUST-14, SHLD-5, MAY-3: a whole connection's segments.
#[test]
fn the_mss_option_is_on_every_syn_and_on_nothing_else() {
    let mut world = World::new(1, Path { loss: 20, ..Path::default() }, Config::default());
    for end in 0..2 {
        world.ends[end].app.to_send = 100_000;
    }
    let seen = std::rc::Rc::new(std::cell::Cell::new([0; 2]));
    let counts = seen.clone();
    world.filter = Some(Box::new(move |_, segment: &Segment| {
        let syn = segment.header.flags.contains(TcpFlags::SYN);
        assert_eq!(segment.options.mss.is_some(), syn);
        let mut count = counts.get();
        count[usize::from(syn)] += 1;
        counts.set(count);
        false
    }));
    assert!(world.run_until(60 * SECOND, |world| world.is_complete()));
    let [others, syns] = seen.get();
    assert!(syns >= 2 && others > 100, "{syns} SYNs, {others} others");
}

/// MUST-67: what our SYN offers fits the MTU with a header of 20 bytes, whatever else was asked for.
#[test]
fn the_mss_offered_fits_the_largest_message_ip_can_take() {
    for (mtu_payload, max_seg, expected) in [(1_480, None, 1_460), (1_480, Some(9_000), 1_460), (556, Some(500), 500)] {
        let now = Instant::from_secs(100);
        let options = SocketOptions { max_seg, ..SocketOptions::default() };
        let open = Open { mtu_payload, ..open() };
        let mut connection = Connection::connect(now, Arc::new(plain()), options, open);
        let syn = connection.poll_transmit(now, 0).expect("a SYN");
        assert_eq!(TcpOptions::parse(&syn.options).mss, Some(expected));
    }
}

/// MUST-11: a reset in SYN-RECEIVED refuses an active open; a passive one goes back to LISTEN (its entry ends).
#[test]
fn an_active_open_is_refused_in_syn_received() {
    let mut peer = Peer::in_state(State::SynReceived);
    let mut reset = peer.bare();
    reset.flags = TcpFlags::RST;
    peer.inject(reset);
    assert_eq!(peer.connection.take_error(), Some(ConnError::Refused));
}

/// SHLD-2.
#[test]
fn a_reset_may_carry_data() {
    let mut peer = Peer::established();
    let mut reset = peer.text(20);
    reset.flags = TcpFlags::RST | TcpFlags::ACK;
    peer.inject(reset);
    assert_eq!((peer.connection.state(), peer.connection.take_error()), (State::Closed, Some(ConnError::Reset)));
    assert_eq!(peer.connection.unread(), 0, "they say why, and are no part of the stream");
}

/// MUST-12, MUST-10 and the rest of figure 5 are walked in the other files; here both ends agree on it.
#[test]
fn both_ends_are_established_with_the_numbers_that_their_syns_named() {
    let mut world = established(7, Path::default(), Config::default());
    for end in 0..2 {
        assert_eq!(world.state(end), State::Established);
        assert_eq!(world.connection(end).unacked(), 0);
    }
    assert_ne!(world.ends[0].iss, ISS);
}
