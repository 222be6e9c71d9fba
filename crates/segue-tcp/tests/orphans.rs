//! FIN-WAIT-2 without an application: a small entry that waits for the peer's FIN.
#![allow(missing_docs, unreachable_pub, reason = "tests say what they do by their names")]

mod common;

use std::time::Duration;

use common::peer::{IRS, Inject, Peer, plain, show};
use segue_tcp::*;

/// The entry of an orphan whose FIN has just been acknowledged, and the peer that has acknowledged it.
fn entry(options: SocketOptions) -> (Peer, TimeWait) {
    let mut peer = Peer::established_with(plain(), options);
    let now = peer.now;
    let _ = peer.connection.close(now);
    assert_eq!(peer.shown(), ["F. 0:0(0) ack 0"]);
    peer.ack = peer.ack.wrapping_add(1);
    let seen = peer.inject(peer.bare());
    assert!(seen.events.contains(Events::TIME_WAIT));
    let entry = peer.connection.take_time_wait().expect("an entry");
    assert_eq!(peer.connection.state(), State::Closed);
    assert_eq!((entry.state(), peer.shown()), (State::FinWait2, vec![]));
    (peer, entry)
}

fn arrive(entry: &mut TimeWait, now: Instant, segment: &Inject) -> TimeWaitOutcome {
    entry.on_segment(now, &plain(), &segment.segment())
}

#[test]
fn the_peers_fin_leads_to_time_wait_and_is_acknowledged_there_again() {
    let (peer, mut entry) = entry(SocketOptions::default());
    let mut fin = peer.bare();
    fin.flags |= TcpFlags::FIN;
    let later = peer.now + Duration::from_secs(30);
    for (at, state) in [(later, State::FinWait2), (later + Duration::from_secs(5), State::TimeWait)] {
        assert_eq!(entry.state(), state);
        match arrive(&mut entry, at, &fin) {
            TimeWaitOutcome::Restarted(Some(reply)) => assert_eq!(show(&reply), ". 1:1(0) ack 1"),
            outcome => panic!("{outcome:?}"),
        }
        assert_eq!((entry.state(), entry.deadline()), (State::TimeWait, at + Duration::from_secs(60)));
    }
}

/// RFC 9293 section 3.6.1 (SHLD-3); a FIN behind text says the same.
#[test]
fn text_is_reset_and_ends_the_entry() {
    for flags in [TcpFlags::ACK, TcpFlags::ACK | TcpFlags::PSH, TcpFlags::ACK | TcpFlags::FIN] {
        let (mut peer, mut entry) = entry(SocketOptions::default());
        let mut text = peer.text(10);
        text.flags = flags;
        match arrive(&mut entry, peer.now, &text) {
            TimeWaitOutcome::Reset(reset) => assert_eq!(show(&reset), "R 1:1(0)"),
            outcome => panic!("{flags:?}: {outcome:?}"),
        }
    }
}

/// RFC 5961 sections 3 and 4, RFC 9293 section 3.10.7.4.
#[test]
fn nothing_else_ends_it_but_an_exact_reset() {
    let at = |offset: i32, flags: TcpFlags, len: usize| {
        move |segment: &mut Inject| {
            segment.sequence = segment.sequence.wrapping_add_signed(offset);
            segment.flags = flags;
            segment.payload = vec![1; len];
        }
    };
    let (ack, rst, syn) = (TcpFlags::ACK, TcpFlags::RST, TcpFlags::SYN);
    type Change = Box<dyn Fn(&mut Inject)>;
    let cases: [(&str, Change, &str); 9] = [
        ("exact reset", Box::new(at(0, rst, 0)), "removed"),
        ("reset in the window", Box::new(at(5, rst, 0)), "acknowledged"),
        ("reset before the window", Box::new(at(-1, rst, 0)), "dropped"),
        ("reset behind the window", Box::new(at(70_000, rst, 0)), "dropped"),
        ("SYN in the window", Box::new(at(0, syn, 0)), "acknowledged"),
        ("a bare acknowledgment", Box::new(at(0, ack, 0)), "nothing"),
        ("old text", Box::new(at(-20, ack, 10)), "acknowledged"),
        ("text beyond the window", Box::new(at(70_000, ack, 10)), "acknowledged"),
        ("text without ACK", Box::new(at(0, TcpFlags::PSH, 10)), "dropped"),
    ];
    for (name, change, expected) in cases {
        let (peer, mut entry) = entry(SocketOptions::default());
        let deadline = entry.deadline();
        let mut segment = peer.bare();
        change(&mut segment);
        let got = match arrive(&mut entry, peer.now, &segment) {
            TimeWaitOutcome::Nothing => "nothing",
            TimeWaitOutcome::Ack(reply) => {
                assert_eq!(show(&reply), ". 1:1(0) ack 0", "{name}");
                "acknowledged"
            }
            TimeWaitOutcome::Remove => "removed",
            TimeWaitOutcome::Drop(_) => "dropped",
            outcome => panic!("{name}: {outcome:?}"),
        };
        assert_eq!(got, expected, "{name}");
        assert_eq!((entry.state(), entry.deadline()), (State::FinWait2, deadline), "{name}");
    }
}

#[test]
fn answers_to_what_may_be_a_loop_are_limited() {
    let (peer, mut entry) = entry(SocketOptions::default());
    let mut old = peer.bare();
    old.sequence = IRS.wrapping_sub(100);
    assert!(matches!(arrive(&mut entry, peer.now, &old), TimeWaitOutcome::Ack(_)));
    assert!(matches!(arrive(&mut entry, peer.now, &old), TimeWaitOutcome::Drop(DropReason::OldSequence)));
    let later = peer.now + Duration::from_millis(500);
    assert!(matches!(arrive(&mut entry, later, &old), TimeWaitOutcome::Ack(_)));
}

#[test]
fn only_what_is_longer_than_time_wait_is_waited_for_by_the_connection_itself() {
    let (peer, short) = entry(SocketOptions { fin_timeout: Some(20), ..SocketOptions::default() });
    assert_eq!(short.deadline(), peer.now + Duration::from_secs(20));
    let mut peer =
        Peer::established_with(plain(), SocketOptions { fin_timeout: Some(100), ..SocketOptions::default() });
    let now = peer.now;
    let _ = peer.connection.close(now);
    peer.sent();
    peer.ack = peer.ack.wrapping_add(1);
    let start = peer.now;
    peer.inject(peer.bare());
    peer.pass(Duration::from_secs(39));
    assert!(peer.connection.take_time_wait().is_none());
    peer.pass(Duration::from_secs(1));
    let late = peer.connection.take_time_wait().expect("an entry after 40 seconds");
    assert_eq!((late.state(), late.deadline()), (State::FinWait2, start + Duration::from_secs(100)));
}

/// Linux: 3.5 timeouts at least, lest a FIN sent again finds nobody.
#[test]
fn a_slow_path_is_given_more_time() {
    let finished = |held: bool| {
        let mut peer = Peer::syn_sent(plain(), SocketOptions { fin_timeout: Some(1), ..SocketOptions::default() });
        peer.pass(Duration::from_millis(900));
        let mut syn_ack = peer.bare();
        syn_ack.flags |= TcpFlags::SYN;
        peer.inject(syn_ack);
        peer.seq = IRS.wrapping_add(1);
        let now = peer.now;
        let _ = if held { peer.connection.shutdown_write(now) } else { peer.connection.close(now) };
        peer.pass(Duration::from_millis(900));
        peer.ack = peer.ack.wrapping_add(1);
        peer.inject(peer.bare());
        peer
    };
    let held = finished(true);
    let rto = Duration::from_micros(u64::from(held.connection.info(held.now).rto));
    assert!(rto > Duration::from_millis(900), "{rto:?}");
    let mut orphan = finished(false);
    let entry = orphan.connection.take_time_wait().expect("an entry");
    assert_eq!((entry.deadline() - orphan.now).as_micros(), (rto * 7 / 2).as_micros());
}

/// RFC 6191 speaks of TIME-WAIT: here the peer has not even finished.
#[test]
fn an_active_open_may_not_take_it_over() {
    let mut peer = Peer::stamped(1_000);
    let now = peer.now;
    let _ = peer.connection.close(now);
    peer.sent();
    peer.ack = peer.ack.wrapping_add(1);
    peer.inject(peer.bare());
    let mut entry = peer.connection.take_time_wait().expect("an entry");
    assert_eq!(entry.reusable(peer.now + Duration::from_secs(2), Duration::from_secs(1)), None);
    let mut fin = peer.bare();
    fin.flags |= TcpFlags::FIN;
    assert!(matches!(arrive(&mut entry, peer.now, &fin), TimeWaitOutcome::Restarted(Some(_))));
    assert!(entry.reusable(peer.now + Duration::from_secs(2), Duration::from_secs(1)).is_some());
}
