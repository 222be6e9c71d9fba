//! Segments at the edges of what is acceptable: by number, by timestamp, by what they acknowledge.
#![allow(missing_docs, unreachable_pub, reason = "tests say what they do by their names")]

mod common;

use std::time::Duration;

use common::peer::{Peer, plain};
use segue_tcp::*;

const MS: Duration = Duration::from_millis(1);

/// With a small pinned buffer, and the window it offers.
fn small() -> (Peer, usize) {
    let peer = Peer::established_with(plain(), SocketOptions { rcvbuf: Some(8_000), ..SocketOptions::default() });
    let window = peer.connection.info(peer.now).rcv_wnd as usize;
    (peer, window)
}

/// Linux: a peer that cannot count is not left hanging, but it gets no more than one segment for its error.
#[test]
fn text_that_ends_beyond_the_window_is_taken_whole_only_while_nothing_waits() {
    let (mut peer, window) = small();
    let text = peer.text(window + 500);
    assert_eq!(peer.inject(text).drop, None);
    assert_eq!(peer.connection.unread(), window + 500);
    peer.sent();

    let (mut peer, _) = small();
    let first = peer.text(100);
    peer.inject(first);
    peer.pass(250 * MS);
    let left = peer.connection.info(peer.now).rcv_wnd as usize;
    let beyond = peer.text(left + 1);
    assert_eq!(peer.inject(beyond).drop, Some(DropReason::BeyondWindow));
    assert_eq!((peer.connection.unread(), peer.shown()), (100, vec![". 0:0(0) ack 100".into()]));
}

#[test]
fn text_that_begins_at_the_edge_of_the_window_is_not_taken() {
    let (mut peer, window) = small();
    let mut text = peer.text(10);
    text.sequence = text.sequence.wrapping_add(window as u32);
    assert_eq!(peer.inject(text).drop, Some(DropReason::BeyondWindow));
    assert_eq!(peer.shown(), [". 0:0(0) ack 0"]);
}

#[test]
fn a_fin_may_stand_one_number_beyond_the_window() {
    let (mut peer, window) = small();
    let first = peer.text(window / 2);
    peer.inject(first);
    peer.pass(250 * MS);
    let left = peer.connection.info(peer.now).rcv_wnd as usize;
    let mut last = peer.text(left);
    last.flags |= TcpFlags::FIN;
    assert_eq!(peer.inject(last).drop, None);
    assert_eq!((peer.connection.state(), peer.connection.unread()), (State::CloseWait, window / 2 + left));
}

#[test]
fn a_lone_fin_in_its_place_is_taken_while_the_window_is_shut() {
    let (mut peer, _) = small();
    while peer.connection.info(peer.now).rcv_wnd > 0 {
        let n = peer.connection.info(peer.now).rcv_wnd.min(1_000) as usize;
        let text = peer.text(n);
        peer.inject(text);
        peer.pass(250 * MS);
    }
    let mut fin = peer.bare();
    fin.flags |= TcpFlags::FIN;
    assert_eq!(peer.inject(fin).drop, None);
    assert_eq!(peer.connection.state(), State::CloseWait);
}

/// RFC 9293 section 3.10.7.4: a repeated FIN is acknowledged; RFC 5961 section 3.2, as Linux reads it: whoever has
/// sent a FIN numbers its reset by it.
#[test]
fn a_reset_numbered_by_the_peers_fin_counts() {
    for state in [State::CloseWait, State::LastAck, State::Closing] {
        let mut peer = Peer::in_state(state);
        let mut reset = peer.bare();
        (reset.flags, reset.sequence) = (TcpFlags::RST, peer.seq.wrapping_sub(1));
        peer.inject(reset);
        assert_eq!(peer.connection.state(), State::Closed, "{state}");
    }
}

#[test]
fn an_overtaken_acknowledgment_is_dropped_in_silence_and_old_text_is_answered() {
    let mut peer = Peer::stamped(1_000);
    let text = peer.text(100);
    peer.stamp = Some(1_100);
    let mut text = text;
    text.options = peer.bare().options;
    peer.inject(text);
    peer.pass(250 * MS);
    peer.inject(peer.bare());
    peer.stamp = Some(1_050);
    // Behind RCV.NXT: silence.
    let mut overtaken = peer.bare();
    overtaken.sequence = overtaken.sequence.wrapping_sub(100);
    assert_eq!(peer.inject(overtaken).drop, Some(DropReason::PawsOldAck));
    assert_eq!(peer.sent().len(), 0);
    // In its place and no older than a timeout: it may count as a duplicate.
    assert_eq!(peer.inject(peer.bare()).drop, None);
    // In its place and much older, or with another window: refused.
    peer.stamp = Some(1_100u32.wrapping_sub(2_000));
    assert_eq!(peer.inject(peer.bare()).drop, Some(DropReason::Paws));
    peer.stamp = Some(1_050);
    peer.window += 1;
    assert_eq!(peer.inject(peer.bare()).drop, Some(DropReason::Paws));
    peer.window -= 1;
    // Text: refused and answered, however often.
    peer.pass(Duration::from_secs(1));
    for _ in 0..3 {
        let mut old = peer.bare();
        (old.payload, old.flags) = (vec![1; 10], TcpFlags::ACK | TcpFlags::PSH);
        assert_eq!(peer.inject(old).drop, Some(DropReason::Paws));
        assert_eq!(peer.sent().len(), 1);
    }
    // A SYN is challenged.
    peer.pass(Duration::from_secs(1));
    let mut syn = peer.bare();
    syn.flags = TcpFlags::SYN;
    assert_eq!(peer.inject(syn).drop, Some(DropReason::ChallengedSyn));
    assert_eq!(peer.sent().len(), 1);
}

/// RFC 5961 section 5.2; as Linux not before the connection's first number either.
#[test]
fn an_acknowledgment_from_before_the_connection_is_challenged() {
    let mut peer = Peer::sending(3_000);
    peer.ack = peer.ack.wrapping_add(2_000);
    peer.inject(peer.bare());
    for (back, drop) in [(0, None), (2_001, None), (2_002, Some(DropReason::AckTooOld))] {
        let mut old = peer.bare();
        old.acknowledgment = old.acknowledgment.wrapping_sub(back);
        let seen = peer.inject(old);
        assert_eq!((seen.drop, seen.events.contains(Events::CHALLENGE)), (drop, drop.is_some()), "{back}");
    }
}

#[test]
fn the_host_may_take_a_challenge_back_and_what_was_owed_stays() {
    for withdrawn in [true, false] {
        let mut peer = Peer::established();
        for _ in 0..40 {
            let text = peer.text(1_000);
            peer.inject(text);
            let _ = peer.read();
            peer.sent();
        }
        let text = peer.text(1_000);
        peer.inject(text);
        assert_eq!(peer.sent().len(), 0, "the acknowledgment is delayed");
        let mut syn = peer.bare();
        syn.flags = TcpFlags::SYN;
        assert!(peer.inject(syn).events.contains(Events::CHALLENGE));
        if withdrawn {
            let now = peer.now;
            let _ = peer.connection.withdraw_challenge(now);
        }
        assert_eq!(peer.sent().len(), usize::from(!withdrawn));
        assert_eq!(peer.pass(200 * MS).len(), usize::from(withdrawn), "the delayed acknowledgment");
    }
}

#[test]
fn what_the_limits_hold_back_is_counted() {
    let mut peer = Peer::stamped(5_000);
    let counted = |peer: &mut Peer, statistic: Statistic| {
        let all = peer.connection.take_statistics();
        all.iter().find(|(known, _)| *known == statistic).map_or(0, |(_, n)| *n)
    };
    for _ in 0..3 {
        let mut syn = peer.bare();
        syn.flags = TcpFlags::SYN;
        peer.inject(syn);
    }
    assert_eq!(counted(&mut peer, Statistic::ChallengeSkipped), 2);
    let mut outside = peer.bare();
    outside.sequence = outside.sequence.wrapping_sub(1_000);
    peer.inject(outside);
    assert_eq!(counted(&mut peer, Statistic::SequenceSkipped), 1);
    peer.stamp = Some(1);
    peer.inject(peer.bare());
    assert_eq!(counted(&mut peer, Statistic::PawsSkipped), 1);
    assert_eq!(peer.sent().len(), 1);
}
