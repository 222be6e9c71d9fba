//! Selective acknowledgment as the receiver sends it: RFC 2018, RFC 2883 and Linux's compression.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::peer::{self, *};
use segue_tcp::*;

fn plain() -> Config {
    Config { sack: true, ..peer::plain() }
}

/// What the acknowledgments that leave now tell: number and blocks, relative.
fn told(peer: &mut Peer) -> Vec<(i32, Vec<(i32, i32)>)> {
    let first = IRS.wrapping_add(1);
    peer.sent()
        .iter()
        .map(|transmit| (transmit.header.acknowledgment.wrapping_sub(first) as i32, sacks(transmit)))
        .collect()
}

/// The bytes `from..to` of the peer's stream.
fn piece(peer: &Peer, from: u32, to: u32) -> Inject {
    let mut text = peer.bare();
    text.sequence = IRS.wrapping_add(1).wrapping_add(from);
    text.payload = vec![7; (to - from) as usize];
    text
}

fn take(peer: &mut Peer, from: u32, to: u32) -> Vec<(i32, Vec<(i32, i32)>)> {
    let text = piece(peer, from, to);
    peer.inject(text);
    told(peer)
}

/// Past the quick start, with everything up to the number returned in order.
fn calm(config: Config) -> (Peer, u32) {
    let mut peer = Peer::sacking_with(config, SocketOptions::default());
    for i in 0..40 {
        take(&mut peer, i * 1_000, (i + 1) * 1_000);
        let _ = peer.read();
    }
    peer.pass(Duration::from_millis(100));
    (peer, 40_000)
}

#[test]
fn the_block_of_the_newest_segment_comes_first_then_those_told_before() {
    let config = Config { comp_sack_nr: 0, ..plain() };
    let mut peer = Peer::sacking_with(config, SocketOptions::default());
    assert_eq!(take(&mut peer, 1_000, 2_000), [(0, vec![(1_000, 2_000)])]);
    assert_eq!(take(&mut peer, 3_000, 4_000), [(0, vec![(3_000, 4_000), (1_000, 2_000)])]);
    assert_eq!(take(&mut peer, 5_000, 6_000), [(0, vec![(5_000, 6_000), (3_000, 4_000), (1_000, 2_000)])]);
    // It grows to the left and to the right, and comes first.
    assert_eq!(take(&mut peer, 2_000, 3_000), [(0, vec![(1_000, 4_000), (5_000, 6_000)])]);
    assert_eq!(take(&mut peer, 0, 1_000), [(4_000, vec![(5_000, 6_000)])]);
    assert_eq!(take(&mut peer, 4_000, 5_000), [(6_000, vec![])]);
}

#[test]
fn four_blocks_fit_and_three_beside_timestamps() {
    for (config, most) in [(plain(), 4), (Config { window_scaling: false, sack: true, ..Config::default() }, 3)] {
        let config = Config { comp_sack_nr: 0, ..config };
        let stamped = config.timestamps != Timestamping::Off;
        let mut peer = Peer::syn_sent(config, SocketOptions::default());
        peer.stamp = stamped.then_some(1);
        let mut syn_ack = peer.bare();
        syn_ack.flags |= TcpFlags::SYN;
        syn_ack.options.sack_permitted = true;
        peer.inject(syn_ack);
        peer.seq = IRS.wrapping_add(1);
        peer.sent();
        for i in 0..6 {
            let blocks = take(&mut peer, 1_000 + i * 2_000, 2_000 + i * 2_000);
            assert_eq!(blocks[0].1.len(), most.min(i as usize + 1));
            assert_eq!(blocks[0].1[0], (1_000 + i as i32 * 2_000, 2_000 + i as i32 * 2_000));
        }
    }
}

#[test]
fn a_peer_that_did_not_ask_gets_no_blocks_and_neither_does_one_that_is_refused() {
    let mut peer = Peer::established();
    assert_eq!(take(&mut peer, 1_000, 2_000), [(0, vec![])]);
    let mut peer = Peer::sacking_with(Config { sack: false, ..plain() }, SocketOptions::default());
    assert_eq!(take(&mut peer, 1_000, 2_000), [(0, vec![])]);
    assert_eq!(take(&mut peer, 1_000, 2_000), [(0, vec![])], "nor of a duplicate");
}

// RFC 2883 section 4.
#[test]
fn a_duplicate_is_told_once_in_front_of_the_other_blocks() {
    let mut peer = Peer::sacking_with(plain(), SocketOptions::default());
    take(&mut peer, 0, 2_000);
    take(&mut peer, 3_000, 4_000);
    // Below RCV.NXT, wholly.
    assert_eq!(take(&mut peer, 500, 1_500), [(2_000, vec![(500, 1_500), (3_000, 4_000)])]);
    // Below RCV.NXT in part: only that part came twice.
    assert_eq!(take(&mut peer, 1_500, 2_500), [(2_500, vec![(1_500, 2_000), (3_000, 4_000)])]);
    // Out of order: the larger block it lies in comes second.
    assert_eq!(take(&mut peer, 3_200, 3_300), [(2_500, vec![(3_200, 3_300), (3_000, 4_000)])]);
    // In part: the first stretch that came twice, and the block as it is now.
    assert_eq!(take(&mut peer, 3_900, 4_500), [(2_500, vec![(3_900, 4_000), (3_000, 4_500)])]);
    assert_eq!(take(&mut peer, 6_000, 7_000), [(2_500, vec![(6_000, 7_000), (3_000, 4_500)])], "not again");
    // In order, but reaching into what waited.
    assert_eq!(take(&mut peer, 2_500, 3_100), [(4_500, vec![(3_000, 3_100), (6_000, 7_000)])]);
}

#[test]
fn without_dsack_duplicates_are_not_told() {
    let mut peer = Peer::sacking_with(Config { dsack: false, ..plain() }, SocketOptions::default());
    take(&mut peer, 0, 2_000);
    assert_eq!(take(&mut peer, 500, 1_500), [(2_000, vec![])]);
    take(&mut peer, 3_000, 4_000);
    assert_eq!(take(&mut peer, 3_000, 4_000), [(2_000, vec![(3_000, 4_000)])]);
}

#[test]
fn a_fin_that_came_early_takes_its_number_in_the_block_and_a_repeated_one_is_a_duplicate() {
    let mut peer = Peer::sacking_with(plain(), SocketOptions::default());
    let mut last = piece(&peer, 1_000, 2_000);
    last.flags |= TcpFlags::FIN;
    peer.inject(last.clone());
    assert_eq!(told(&mut peer), [(0, vec![(1_000, 2_001)])]);
    take(&mut peer, 0, 1_000);
    peer.pass(Duration::from_millis(250));
    peer.inject(last);
    assert_eq!(told(&mut peer), [(2_001, vec![(1_000, 2_001)])]);
}

#[test]
fn blocks_of_data_that_memory_had_no_room_for_are_not_told() {
    let options = SocketOptions { rcvbuf: Some(8_000), ..SocketOptions::default() };
    let mut peer = Peer::sacking_with(plain(), options);
    // Small pieces with holes cost more than their bytes.
    let pieces = (0..60u32).map(|i| (20 + i * 40, 40 + i * 40));
    let mut answers: Vec<_> = pieces.clone().flat_map(|(left, right)| take(&mut peer, left, right)).collect();
    answers.extend(peer.pass(Duration::from_millis(50)).iter().map(|(_, transmit)| (0, sacks(transmit))));
    let memory = peer.connection.memory();
    // The buffer, and the one packet that may exceed it.
    assert!(memory <= 8_000 + 832, "{memory} bytes held");
    let told: BTreeSet<(u32, u32)> = answers
        .iter()
        .flat_map(|(_, blocks)| blocks.iter().map(|(left, right)| (*left as u32, *right as u32)))
        .collect();
    assert!(told.len() > 5 && told.len() < 20, "{told:?}");
    // What was told is there: each hole that is filled takes in the piece behind it. What was not is to be sent again.
    // (The holes' own text gets room, lest it push out what waits.)
    let now = peer.now;
    let _ = peer.connection.set_options(now, SocketOptions { rcvbuf: Some(64_000), ..SocketOptions::default() });
    for (left, right) in pieces {
        let hole = piece(&peer, left - 20, left);
        peer.inject(hole);
        // Where nothing out of order is left the ACK may be delayed.
        let answers = peer.pass(Duration::from_millis(250));
        let first = IRS.wrapping_add(1);
        let acknowledged = answers.last().map(|(_, answer)| answer.header.acknowledgment.wrapping_sub(first));
        assert_eq!(acknowledged, Some(if told.contains(&(left, right)) { right } else { left }), "{left}:{right}");
        if !told.contains(&(left, right)) {
            break;
        }
        peer.read().expect("text in order");
    }
}

// Linux: three duplicates leave at once, which is what a sender without RACK counts; later ones are joined.
#[test]
fn after_three_duplicates_the_next_ones_are_told_by_one_within_a_millisecond() {
    let (mut peer, base) = calm(plain());
    let mut at_once = 0;
    for i in 1..=20 {
        at_once += take(&mut peer, base + i * 1_000, base + (i + 1) * 1_000).len();
    }
    assert_eq!(at_once, 3);
    let sent = peer.pass(Duration::from_millis(50));
    assert_eq!(sent.len(), 1);
    assert!(sent[0].0 <= Duration::from_micros(1_100), "after {:?}", sent[0].0);
    let base = base as i32;
    assert_eq!(sacks(&sent[0].1), [(base + 1_000, base + 21_000)]);
    let compressed: u32 = peer
        .connection
        .take_statistics()
        .iter()
        .filter(|(statistic, _)| *statistic == Statistic::AckCompressed)
        .map(|(_, n)| *n)
        .sum();
    assert_eq!(compressed, 16, "17 were held back and one left");
}

#[test]
fn without_compression_each_segment_out_of_order_is_answered() {
    let (mut peer, base) = calm(Config { comp_sack_nr: 0, ..plain() });
    for i in 1..=20 {
        assert_eq!(take(&mut peer, base + i * 1_000, base + (i + 1) * 1_000).len(), 1);
    }
}

#[test]
fn filling_a_gap_is_answered_at_once_and_the_count_of_duplicates_begins_anew() {
    let (mut peer, base) = calm(plain());
    for i in [1, 2, 3, 4, 5, 7, 8] {
        take(&mut peer, base + i * 1_000, base + (i + 1) * 1_000);
    }
    peer.pass(Duration::from_millis(2));
    let at = base as i32;
    assert_eq!(take(&mut peer, base, base + 1_000), [(at + 6_000, vec![(at + 7_000, at + 9_000)])]);
    assert_eq!(take(&mut peer, base + 9_000, base + 10_000).len(), 1);
}

// The segments of the data that carry blocks are shorter, so that no packet is too long.
#[test]
fn blocks_ride_on_data_that_leave_anyway_and_make_them_shorter() {
    let mut peer = Peer::sacking_with(plain(), SocketOptions::default());
    let text = piece(&peer, 1_000, 2_000);
    peer.inject(text);
    peer.write(3_000).expect("room");
    let sent = peer.sent();
    assert_eq!(sacks(&sent[0]), [(1_000, 2_000)]);
    let lens: Vec<usize> = sent.iter().map(|transmit| transmit.payload.len()).collect();
    assert_eq!(lens, [988, 988, 988, 36]);
    assert!(sent.iter().all(|transmit| transmit.options.len() == 12), "every one tells the block");
}

#[test]
fn a_segment_sent_again_keeps_its_size_and_leaves_the_blocks_to_an_acknowledgment() {
    let mut peer = Peer::sacking_with(plain(), SocketOptions::default());
    peer.write(2_000).expect("room");
    assert_eq!(peer.sent().len(), 2);
    peer.pass(Duration::from_millis(150));
    let text = piece(&peer, 1_000, 2_000);
    peer.inject(text);
    peer.sent();
    let again = peer.pass(Duration::from_secs(1));
    let (_, first) = again.iter().find(|(_, again)| !again.payload.is_empty()).expect("sent again");
    assert_eq!((first.payload.len(), sacks(first).len()), (1_000, 0));
}

// RFC 5961 section 3.2 as Linux reads it: the number behind the furthest block is exact, too.
#[test]
fn a_reset_numbered_behind_the_furthest_block_ends_the_connection() {
    let mut peer = Peer::sacking_with(plain(), SocketOptions::default());
    take(&mut peer, 1_000, 2_000);
    let mut reset = peer.bare();
    reset.flags = TcpFlags::RST;
    reset.sequence = IRS.wrapping_add(1).wrapping_add(1_500);
    assert_eq!(peer.inject(reset.clone()).drop, Some(DropReason::ChallengedReset));
    reset.sequence = IRS.wrapping_add(1).wrapping_add(2_000);
    assert_eq!(peer.inject(reset).drop, Some(DropReason::Reset));
}

/// RFC 5961 section 3.2. A block that has been filled up says nothing of where a reset may be numbered.
#[test]
fn a_reset_behind_a_block_that_is_filled_up_is_challenged() {
    let mut peer = Peer::sacking_with(plain(), SocketOptions::default());
    let (first, second, third) = (peer.text(1_000), peer.text(1_000), peer.text(1_000));
    let end_of_second = third.sequence;
    peer.inject(second);
    assert_eq!(peer.sent().len(), 1, "a block is told");
    peer.inject(first);
    peer.inject(third);
    let mut reset = peer.bare();
    (reset.flags, reset.sequence) = (TcpFlags::RST, peer.seq.wrapping_add(1));
    assert_eq!(peer.inject(reset.clone()).drop, Some(DropReason::ChallengedReset));
    reset.sequence = end_of_second;
    let _ = peer.inject(reset);
    assert_eq!(peer.connection.state(), State::Established);
}
