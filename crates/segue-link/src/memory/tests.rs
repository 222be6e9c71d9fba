use super::*;
use crate::testing::{Bell, V4, tcp_packet};

fn packet(number: usize) -> Packet {
    tcp_packet(V4, number)
}

fn receive(link: &mut MemoryLink, budget: usize) -> Vec<usize> {
    let mut out = Vec::new();
    assert_eq!(link.recv(Instant::ZERO, &mut out, budget).expect("alive"), out.len());
    out.iter().map(|packet| packet.len() - 40).collect()
}

#[test]
fn packets_cross_in_order_and_as_they_are() {
    let (mut a, mut b) = memory_pair(1500, 10);
    let sent = [packet(1), packet(30_000), packet(3)];
    for packet in &sent {
        a.send(Instant::ZERO, packet.clone()).expect("room");
    }
    let mut out = Vec::new();
    b.recv(Instant::ZERO, &mut out, 10).expect("alive");
    assert!(out == sent && out[1].segmentation.is_some());
    assert!(matches!(out[0].checksum, segue_wire::ChecksumState::Partial { .. }), "nobody needs to compute it");
    assert_eq!(receive(&mut a, 10), [0; 0], "directions are apart");
}

#[test]
fn a_full_queue_hands_the_packet_back_and_wakes_the_sender_once_there_is_room() {
    let (mut a, mut b) = memory_pair(1500, 2);
    let (bell, waker) = Bell::new();
    a.set_waker(waker);
    a.send(Instant::ZERO, packet(1)).expect("room");
    a.send(Instant::ZERO, packet(2)).expect("room");
    let Err(SendError::Full(back)) = a.send(Instant::ZERO, packet(3)) else { panic!("there is no room") };
    assert_eq!(back.len(), 43);
    assert_eq!(bell.rung(), 0);
    assert_eq!(receive(&mut b, 1), [1]);
    assert_eq!(bell.rung(), 1);
    a.send(Instant::ZERO, back).expect("room again");
    assert_eq!(receive(&mut b, 10), [2, 3]);
    assert_eq!(bell.rung(), 0, "nobody was refused since");
}

#[test]
fn the_receiver_is_woken_for_the_first_packet_and_while_some_are_left() {
    let (mut a, mut b) = memory_pair(1500, 10);
    let (bell, waker) = Bell::new();
    b.set_waker(waker);
    for number in 1..=3 {
        a.send(Instant::ZERO, packet(number)).expect("room");
    }
    assert_eq!(bell.rung(), 1);
    assert_eq!(receive(&mut b, 2), [1, 2]);
    assert_eq!(bell.rung(), 1, "one is left");
    assert_eq!(receive(&mut b, 2), [3]);
    assert_eq!(bell.rung(), 0);
}

#[test]
fn a_waker_that_comes_late_is_called_at_once() {
    let (mut a, mut b) = memory_pair(1500, 10);
    a.send(Instant::ZERO, packet(1)).expect("room");
    let (bell, waker) = Bell::new();
    b.set_waker(waker);
    assert_eq!(bell.rung(), 1);
}

#[test]
fn what_is_sent_to_an_end_that_is_gone_vanishes_and_a_waiting_sender_is_woken() {
    let (mut a, b) = memory_pair(1500, 1);
    let (bell, waker) = Bell::new();
    a.set_waker(waker);
    a.send(Instant::ZERO, packet(1)).expect("room");
    assert!(a.send(Instant::ZERO, packet(2)).is_err());
    drop(b);
    assert_eq!(bell.rung(), 1);
    for _ in 0..5 {
        a.send(Instant::ZERO, packet(3)).expect("nobody refuses");
    }
    assert_eq!(receive(&mut a, 5), [0; 0]);
}
