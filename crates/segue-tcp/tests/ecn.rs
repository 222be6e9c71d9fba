//! Congestion that is marked instead of lost: who asks, who grants, what is fed back (RFC 3168).

mod common;

use std::time::Duration;

use common::peer::{Inject, Peer, plain};
use common::{Path, World, established};
use segue_tcp::*;

fn asking() -> Config {
    Config { ecn: EcnPolicy::On, ..Config::default() }
}

fn options(world: &mut World, end: usize) -> u8 {
    let now = world.now;
    world.connection(end).info(now).options
}

#[test]
fn both_ends_agree_when_one_asks_and_the_other_grants() {
    for (client, server, agreed) in [
        (EcnPolicy::On, EcnPolicy::Grant, true),
        (EcnPolicy::On, EcnPolicy::On, true),
        (EcnPolicy::On, EcnPolicy::Off, false),
        (EcnPolicy::Grant, EcnPolicy::On, false),
    ] {
        let mut world = World::new(1, Path::default(), Config { ecn: client, ..Config::default() });
        world.ends[1].config = std::sync::Arc::new(Config { ecn: server, ..Config::default() });
        world.ends.iter_mut().for_each(|end| end.app.half_close = false);
        world.pass(Duration::from_millis(100));
        for end in 0..2 {
            assert_eq!(options(&mut world, end) & 8 != 0, agreed, "{client:?} {server:?}");
        }
    }
}

#[test]
fn a_stream_over_a_path_that_marks_arrives_slower_and_whole_without_one_retransmission() {
    let mut elapsed = Vec::new();
    for mark in [0, 20] {
        let path = Path { mark, rate: 200_000_000, ..Path::default() };
        let mut world = established(3, path, asking());
        world.ends[0].app.to_send = 3_000_000;
        world.ends[0].app.half_close = true;
        world.ends[1].app.half_close = true;
        let begun = world.now;
        let mut reduced = false;
        let done = world.run_until(Duration::from_secs(60), |world| {
            let now = world.now;
            reduced |= world.connection(0).info(now).ca_state == 2;
            world.is_complete()
        });
        assert!(done);
        world.assert_intact("marked");
        assert_eq!(world.ends[0].resent, 0);
        assert_eq!(reduced, mark > 0);
        elapsed.push(world.now - begun);
    }
    assert!(elapsed[1] > elapsed[0] * 2, "{elapsed:?}");
}

/// ESTABLISHED by an active open that asked, with a peer that grants.
fn agreed() -> Peer {
    let config = Config { ecn: EcnPolicy::On, ..plain() };
    let mut peer = Peer::syn_sent(config, SocketOptions::default());
    let mut syn_ack = peer.bare();
    syn_ack.flags |= TcpFlags::SYN | TcpFlags::ECE;
    syn_ack.options.mss = Some(1000);
    peer.inject(syn_ack);
    peer.seq = peer.seq.wrapping_add(1);
    assert_eq!(peer.sent().len(), 1);
    peer
}

fn echo(peer: &Peer, acknowledgment: u32) -> Inject {
    let mut echo = peer.bare();
    echo.flags |= TcpFlags::ECE;
    echo.acknowledgment = acknowledgment;
    echo
}

#[test]
fn an_echo_reduces_once_until_something_sent_after_it_is_acknowledged() {
    let mut peer = agreed();
    let start = peer.ack;
    peer.connection.send(peer.now, &[7; 14_000], SendFlags::empty()).unwrap();
    let sent = peer.sent();
    assert!(sent.iter().all(|transmit| transmit.ecn == Ecn::Ect0));
    let info = |peer: &Peer| peer.connection.info(peer.now);
    assert_eq!((info(&peer).snd_cwnd, info(&peer).ca_state), (10, 0));
    for (acked, ca_state) in [(1_000, 2), (5_000, 2), (10_000, 2)] {
        peer.inject(echo(&peer, start.wrapping_add(acked)));
        let _ = peer.sent();
        assert_eq!((info(&peer).snd_ssthresh, info(&peer).ca_state), (5, ca_state), "{acked}");
    }
    // Beyond what was outstanding when the window fell, and marked again: the next reduction.
    peer.inject(echo(&peer, start.wrapping_add(11_000)));
    assert_eq!(info(&peer).ca_state, 2);
    assert!(info(&peer).snd_ssthresh < 5);
}

#[test]
fn an_echo_for_nothing_outstanding_changes_nothing() {
    let mut peer = agreed();
    peer.inject(echo(&peer, peer.ack));
    assert_eq!(peer.connection.info(peer.now).ca_state, 0);
}

#[test]
fn without_an_agreement_marks_and_echoes_mean_nothing() {
    let mut peer = Peer::established();
    peer.connection.send(peer.now, &[7; 4_000], SendFlags::empty()).unwrap();
    let start = peer.ack;
    assert!(peer.sent().iter().all(|transmit| transmit.ecn == Ecn::NotEct));
    peer.inject(echo(&peer, start.wrapping_add(1_000)));
    assert_eq!(peer.connection.info(peer.now).ca_state, 0);
    assert_eq!(peer.connection.info(peer.now).options & 24, 0);
}
