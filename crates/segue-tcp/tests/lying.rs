//! Peers that lie in their acknowledgments: what they tell costs them, not us, and is counted under Linux's names.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::peer::*;
use segue_tcp::*;
use segue_wire::tcp::SackBlocks;

const FIRST: u32 = ISS.wrapping_add(1);
const MSS: u32 = 1_000;

/// A sender that does SACK, with `segments` of 1000 bytes in flight.
fn sending(segments: u32) -> Peer {
    let config = Config { sack: true, initial_cwnd: segments, early_retrans: 0, ..plain() };
    let mut peer = Peer::sacking_with(config, SocketOptions::default());
    peer.write((segments * MSS) as usize).expect("room");
    peer.sent();
    // A round trip, so that what is overtaken has had its time.
    assert!(peer.pass(Duration::from_millis(20)).is_empty());
    assert_eq!(peer.connection.info(peer.now).unacked, segments);
    peer
}

fn blocks(ranges: &[(u32, u32)]) -> SackBlocks {
    let mut blocks = SackBlocks::new();
    for (start, end) in ranges {
        let _ = blocks.push(FIRST.wrapping_add(*start), FIRST.wrapping_add(*end));
    }
    blocks
}

/// An acknowledgment of `number` bytes with blocks.
fn tell(peer: &mut Peer, number: u32, ranges: &[(u32, u32)]) {
    let mut ack = peer.bare();
    ack.acknowledgment = FIRST.wrapping_add(number);
    ack.options.sack = blocks(ranges);
    let _ = peer.inject(ack);
}

fn counted(peer: &mut Peer) -> BTreeMap<&'static str, u32> {
    let counts = peer.connection.take_statistics();
    counts.into_iter().map(|(statistic, n)| (statistic.counter(), n)).collect()
}

fn info(peer: &Peer) -> Info {
    peer.connection.info(peer.now)
}

// RFC 2018 section 5: blocks only advise. Linux's tcp_is_sackblock_valid.
#[test]
fn blocks_that_cannot_be_true_are_discarded_and_counted() {
    for (name, range) in [
        ("never sent", (20_000, 30_000)),
        ("reaching beyond what was sent", (9_000, 11_000)),
        ("reversed", (5_000, 2_000)),
        ("empty", (3_000, 3_000)),
        ("half the sequence space away", (0x8000_0000, 0x8000_1000)),
    ] {
        let mut peer = sending(10);
        tell(&mut peer, 0, &[range]);
        assert_eq!((info(&peer).sacked, info(&peer).lost), (0, 0), "{name}");
        assert_eq!(counted(&mut peer).get("TcpExtTCPSACKDiscard"), Some(&1), "{name}");
        assert!(peer.sent().is_empty(), "{name}");
    }
}

#[test]
fn overlapping_and_repeated_blocks_count_each_segment_once() {
    let mut peer = sending(10);
    tell(&mut peer, 0, &[(1_000, 5_000), (2_000, 7_000), (4_000, 6_000)]);
    tell(&mut peer, 0, &[(2_000, 7_000), (1_000, 5_000)]);
    assert_eq!(info(&peer).sacked, 6);
    tell(&mut peer, 10_000, &[]);
    assert_eq!((info(&peer).unacked, info(&peer).sacked), (0, 0));
}

#[test]
fn dsacks_for_what_was_never_sent_again_are_dubious() {
    let mut peer = sending(10);
    tell(&mut peer, 10_000, &[]);
    for _ in 0..1_000 {
        tell(&mut peer, 10_000, &[(0, 1_000)]);
    }
    let counts = counted(&mut peer);
    assert_eq!(counts.get("TcpExtTCPDSACKRecv"), Some(&1_000), "{counts:?}");
    assert_eq!(counts.get("TcpExtTCPDSACKIgnoredDubious"), Some(&1_000), "{counts:?}");
    assert_eq!(info(&peer).ca_state, 0);
}

// RFC 3708: a reduction is taken back once, and only by as many D-SACKs as there were retransmissions.
#[test]
fn a_flood_of_dsacks_takes_back_one_reduction_and_no_more() {
    let mut peer = sending(10);
    tell(&mut peer, 0, &[(1_000, 4_000)]);
    assert_eq!(peer.sent().len(), 1);
    assert_eq!(info(&peer).ca_state, 3);
    tell(&mut peer, 4_000, &[]);
    for _ in 0..1_000 {
        tell(&mut peer, 4_000, &[(0, 1_000)]);
    }
    let counts = counted(&mut peer);
    assert_eq!(counts.get("TcpExtTCPDSACKUndo"), Some(&1), "{counts:?}");
    assert_eq!(counts.get("TcpExtTCPDSACKIgnoredDubious"), Some(&999), "{counts:?}");
    assert!(info(&peer).snd_cwnd <= 14, "{}", info(&peer).snd_cwnd);
}

#[test]
fn a_dsack_from_before_the_current_recovery_is_old() {
    let mut peer = sending(20);
    tell(&mut peer, 0, &[(1_000, 4_000)]);
    peer.sent();
    tell(&mut peer, 5_000, &[(6_000, 9_000)]);
    tell(&mut peer, 20_000, &[]);
    peer.sent();
    peer.write(10_000).expect("room");
    peer.sent();
    tell(&mut peer, 20_000, &[(21_000, 24_000)]);
    let _ = peer.pass(Duration::from_millis(20));
    let _ = counted(&mut peer);
    tell(&mut peer, 20_000, &[(5_000, 6_000), (21_000, 24_000)]);
    let counts = counted(&mut peer);
    assert_eq!(counts.get("TcpExtTCPDSACKIgnoredOld"), Some(&1), "{counts:?}");
}

// RFC 5961 section 5.2: what was never sent is not acknowledged.
#[test]
fn an_optimistic_acknowledgment_moves_nothing() {
    let mut peer = sending(10);
    for beyond in [1, 1_000, 100_000, 0x7000_0000] {
        let mut ack = peer.bare();
        ack.acknowledgment = FIRST.wrapping_add(10_000 + beyond);
        assert!(peer.inject(ack).drop.is_some(), "{beyond}");
        peer.sent();
        assert_eq!((info(&peer).unacked, info(&peer).snd_cwnd), (10, 10), "{beyond}");
    }
}

// RFC 3465's attack: an acknowledgment of a part of a segment must not count as one of a segment.
#[test]
fn dividing_acknowledgments_does_not_open_the_window_faster() {
    let mut peer = sending(10);
    for byte in 1..=1_000 {
        tell(&mut peer, byte, &[]);
    }
    assert!(info(&peer).snd_cwnd <= 11, "{}", info(&peer).snd_cwnd);
}

// RFC 2018 section 8: everything that was sacked is taken back by silence; it is sent again.
#[test]
fn a_peer_that_reneges_on_everything_gets_everything_again() {
    let mut peer = sending(10);
    tell(&mut peer, 0, &[(1_000, 10_000)]);
    peer.sent();
    tell(&mut peer, 1_000, &[]);
    let mut number = 1_000;
    let mut again = Vec::new();
    // Everything is sent again, so nothing gives a sample and the back-off stays (RFC 6298 section 5).
    for _ in 0..400 {
        let sent = peer.pass(Duration::from_millis(100));
        again.extend(sent.iter().map(|(_, transmit)| transmit.header.sequence.wrapping_sub(FIRST)));
        if sent.iter().any(|(_, transmit)| transmit.header.sequence == FIRST.wrapping_add(number)) {
            number += MSS;
            tell(&mut peer, number.min(10_000), &[]);
        }
    }
    assert_eq!(info(&peer).unacked, 0, "{again:?}");
    assert_eq!(counted(&mut peer).get("TcpExtTCPSACKReneging"), Some(&1));
    assert!((1..10).all(|segment| again.contains(&(segment * MSS))), "{again:?}");
}

// RFC 7323 section 4: an echo of what was never sent measures nothing.
#[test]
fn an_echo_of_a_timestamp_that_was_never_sent_does_not_shorten_the_timeout() {
    let mut peer = Peer::stamped(1_000);
    peer.write(1_000).expect("room");
    peer.sent();
    let before = info(&peer).rto;
    peer.pass(Duration::from_millis(50));
    peer.ack = peer.ack.wrapping_add(1_000);
    let mut ack = peer.bare();
    if let Some(timestamps) = &mut ack.options.timestamps {
        timestamps.echo = timestamps.echo.wrapping_add(0x4000_0000);
    }
    let _ = peer.inject(ack);
    let after = info(&peer);
    assert!(after.rto >= 200_000 && after.rto <= before.max(1_200_000), "{} after {before}", after.rto);
}

// RFC 3168 section 6.1.2: however often congestion is echoed, one reduction for a window.
#[test]
fn echoes_of_congestion_without_end_reduce_once_in_a_window() {
    let mut peer = sending(10);
    for _ in 0..100 {
        let mut ack = peer.bare();
        ack.flags |= TcpFlags::ECE;
        let _ = peer.inject(ack);
    }
    // ECN was not agreed: nothing is reduced at all.
    assert_eq!((info(&peer).ca_state, info(&peer).snd_cwnd), (0, 10));
}
