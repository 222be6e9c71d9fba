//! A path as two links: who is woken and when.

use super::*;
use crate::link::Link;
use crate::testing::{Bell, V4, tcp_packet};

const MS: Duration = Duration::from_millis(1);

#[test]
fn the_receiver_is_woken_when_something_arrives_earlier_than_it_knew() {
    let (mut a, mut b) = path_pair(path(Impairments { delay: 20 * MS, ..Impairments::default() }, 0));
    let (bell, waker) = Bell::new();
    b.set_waker(waker);
    assert_eq!((a.next_deadline(), b.next_deadline(), bell.rung()), (None, None, 0));
    let start = Instant::from_secs(1);
    a.send(start, numbered(1, 100)).expect("a path never refuses");
    assert_eq!((bell.rung(), b.next_deadline()), (1, Some(start + 20 * MS)));
    a.send(start + MS, numbered(2, 100)).expect("a path never refuses");
    assert_eq!(bell.rung(), 0, "it sleeps until the first already");
    let mut out = Vec::new();
    assert_eq!(b.recv(start + 20 * MS, &mut out, 10).expect("alive"), 1);
    assert_eq!(b.next_deadline(), Some(start + 21 * MS));
    assert_eq!(b.recv(start + 30 * MS, &mut out, 10).expect("alive"), 1);
    assert_eq!(b.next_deadline(), None);
    assert_eq!(a.stats().a_to_b.packets_out, 2);
}

#[test]
fn the_budget_bounds_a_call_and_the_rest_is_due_at_once() {
    let (mut a, mut b) = path_pair(path(Impairments::default(), 0));
    for index in 0..5 {
        a.send(Instant::ZERO, numbered(index, 100)).expect("a path never refuses");
    }
    let mut out = Vec::new();
    assert_eq!(b.recv(Instant::ZERO, &mut out, 3).expect("alive"), 3);
    assert!(b.next_deadline().is_some_and(|at| at <= Instant::ZERO));
    assert_eq!(b.recv(Instant::ZERO, &mut out, 3).expect("alive"), 2);
}

#[test]
fn the_sender_is_woken_for_the_answer_to_a_packet_that_is_too_big() {
    let (mut a, _b) = path_pair(path(Impairments { mtu: Some(1000), ..Impairments::default() }, 0));
    let (bell, waker) = Bell::new();
    a.set_waker(waker);
    a.send(Instant::ZERO, tcp_packet(V4, 1200)).expect("a path never refuses");
    assert_eq!(bell.rung(), 1);
    assert_eq!(a.recv(Instant::ZERO, &mut Vec::new(), 1).expect("alive"), 1);
}

#[test]
fn a_waker_that_comes_late_is_called_at_once() {
    let (mut a, mut b) = path_pair(path(Impairments { delay: MS, ..Impairments::default() }, 0));
    a.send(Instant::ZERO, numbered(1, 100)).expect("a path never refuses");
    let (bell, waker) = Bell::new();
    b.set_waker(waker);
    assert_eq!(bell.rung(), 1);
}
