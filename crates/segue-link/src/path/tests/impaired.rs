//! A link across a path: both ways delayed, nothing forgotten.

use super::*;
use crate::link::{Link, SendError};
use crate::memory_pair;
use crate::testing::{Bell, V4, tcp_packet};

const MS: Duration = Duration::from_millis(1);

#[test]
fn both_ways_take_their_delay_and_deadlines_lead_there() {
    let (near, mut far) = memory_pair(1500, 100);
    let slow = |ms| Impairments { delay: ms * MS, ..Impairments::default() };
    let config = PathConfig::new(slow(20), slow(5)).expect("valid");
    let mut link = ImpairedLink::new(Path::new(config), near);
    let start = Instant::from_secs(1);
    link.send(start, tcp_packet(V4, 100)).expect("a path never refuses");
    link.flush(start).expect("alive");
    far.send(start, tcp_packet(V4, 200)).expect("room");
    let mut out = Vec::new();
    assert_eq!(link.recv(start, &mut out, 10).expect("alive"), 0);
    assert_eq!(link.next_deadline(), Some(start + 5 * MS));
    assert_eq!(link.recv(start + 5 * MS, &mut out, 10).expect("alive"), 1);
    assert_eq!(out[0].len(), 240);
    assert_eq!(link.next_deadline(), Some(start + 20 * MS));
    assert_eq!(link.recv(start + 20 * MS, &mut out, 10).expect("alive"), 0);
    assert_eq!(far.recv(start + 20 * MS, &mut out, 10).expect("alive"), 1);
    assert_eq!((out[1].len(), link.next_deadline()), (140, None));
    assert_eq!(link.monitor().stats().a_to_b.packets_out, 1);
}

#[test]
fn what_finds_no_room_at_the_link_waits_in_order() {
    let (near, mut far) = memory_pair(1500, 2);
    let mut link = ImpairedLink::new(Path::new(PathConfig::default()), near);
    let (bell, waker) = Bell::new();
    link.set_waker(waker);
    let now = Instant::from_secs(1);
    for len in 1..=5 {
        link.send(now, tcp_packet(V4, len)).expect("a path never refuses");
    }
    link.flush(now).expect("alive");
    let mut out = Vec::new();
    let mut got = Vec::new();
    for _ in 0..3 {
        far.recv(now, &mut out, 10).expect("alive");
        got.extend(out.drain(..).map(|packet| packet.len() - 40));
        link.flush(now).expect("alive");
    }
    assert_eq!(got, [1, 2, 3, 4, 5]);
    assert!(bell.rung() > 0, "the driver is told that there is room");
}

#[test]
fn packets_left_in_the_link_are_due_at_once() {
    let (near, mut far) = memory_pair(1500, 1000);
    let mut link = ImpairedLink::new(Path::new(PathConfig::default()), near);
    let now = Instant::from_secs(1);
    for _ in 0..300 {
        match far.send(now, tcp_packet(V4, 100)) {
            Ok(()) => {}
            Err(SendError::Full(_)) => unreachable!("room for a thousand"),
            Err(error) => panic!("{error}"),
        }
    }
    let mut out = Vec::new();
    while link.recv(now, &mut out, 10).expect("alive") > 0 || link.next_deadline().is_some_and(|at| at <= now) {}
    assert_eq!(out.len(), 300);
}
