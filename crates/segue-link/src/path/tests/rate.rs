//! The bottleneck: exact in virtual time, bounded, and the same however it is looked at.

use super::*;
use crate::testing::{V4, tcp_packet};

fn limited(rate: &str, queue: Option<u64>) -> Impairments {
    Impairments {
        rate: Some(rate.parse().expect("a rate")),
        queue: queue.map(|limit| QueueDiscipline::TailDrop { limit: QueueLimit::Bytes(limit) }),
        ..Impairments::default()
    }
}

#[test]
fn packets_leave_at_the_rate_to_the_nanosecond() {
    for (rate, bits, len) in
        [("10mbit", 10e6, 1500), ("7mbit", 7e6, 333), ("9999bit", 9999.0, 61), ("10gbit", 10e9, 64)]
    {
        let mut path = path(Impairments { delay: Duration::from_millis(5), ..limited(rate, Some(10 << 20)) }, 0);
        let out = send(&mut path, 1000, len, Duration::ZERO);
        assert_eq!(out.len(), 1000);
        for (index, (at, packet)) in out.iter().enumerate() {
            assert_eq!(number(packet), index as u32);
            let exact = (index + 1) as f64 * len as f64 * 8.0 / bits + 0.005;
            let taken = (*at - Instant::from_secs(1)).as_secs_f64();
            assert!((taken - exact).abs() < 2e-9, "{rate}: packet {index} after {taken}, not {exact}");
        }
    }
}

#[test]
fn an_idle_bottleneck_has_saved_nothing_up() {
    let mut path = path(limited("8mbit", None), 0);
    for second in [1, 5] {
        let start = Instant::from_secs(second);
        path.push(start, End::A, numbered(1, 1000));
        path.push(start, End::A, numbered(2, 1000));
        let times: Vec<_> = drain(&mut path).iter().map(|(at, _)| (*at - start).as_micros()).collect();
        assert_eq!(times, [1000, 2000]);
    }
}

#[test]
fn a_full_queue_drops_at_the_tail_and_counts() {
    let mut path = path(limited("1mbit", Some(10 * 1500)), 0);
    for index in 0..100 {
        path.push(Instant::ZERO, End::A, numbered(index, 1500));
        assert!(path.stats().a_to_b.queue_bytes <= 10 * 1500);
    }
    assert_eq!(path.stats().a_to_b.queue_bytes, 10 * 1500);
    // One is being sent, ten wait.
    assert_eq!(numbers(&drain(&mut path)), (0..11).collect::<Vec<_>>());
    let stats = path.stats().a_to_b;
    assert_eq!((stats.queue_dropped, stats.queue_bytes), (89, 0));
    assert_conserved(&stats);
}

#[test]
fn room_in_the_queue_comes_back_when_a_packet_starts_to_be_sent() {
    let mut path = path(limited("12mbit", Some(1500)), 0);
    for index in 0..2 {
        path.push(Instant::ZERO, End::A, numbered(index, 1500));
    }
    let before = Instant::from_nanos(999_999);
    path.push(before, End::A, numbered(2, 1500));
    path.push(Instant::from_millis(1), End::A, numbered(3, 1500));
    assert_eq!(numbers(&drain(&mut path)), [0, 1, 3]);
}

#[test]
fn super_segments_are_sent_packet_by_packet() {
    let mut path = path(limited("12mbit", Some(1 << 20)), 0);
    path.push(Instant::ZERO, End::A, tcp_packet(V4, 14_480));
    let times: Vec<_> = drain(&mut path).iter().map(|(at, _)| at.as_nanos()).collect();
    // 1488 bytes at 12 Mbit/s.
    let expected: Vec<_> = (1..=10).map(|index| index * 992_000).collect();
    assert_eq!(times, expected);
}

#[test]
fn a_default_queue_holds_a_tenth_of_a_second_but_sixteen_packets_at_least() {
    for (rate, bytes) in [("100mbit", 1_250_000), ("1mbit", 24_000)] {
        let mut path = path(limited(rate, None), 0);
        for index in 0..2000 {
            path.push(Instant::ZERO, End::A, numbered(index, 1000));
        }
        assert_eq!(path.stats().a_to_b.queue_bytes, bytes);
    }
}

#[test]
fn how_often_a_path_is_looked_at_changes_nothing() {
    let bad = Impairments {
        delay: Duration::from_millis(4),
        jitter: Duration::from_millis(3),
        loss: percent("3%").into(),
        duplicate: percent("5%"),
        reorder: percent("5%"),
        ..limited("5mbit", Some(20_000))
    };
    for seed in 0..20 {
        let exact = send(&mut path(bad.clone(), seed), 400, 700, Duration::from_micros(900));
        let mut lazy = path(bad.clone(), seed);
        let mut now = Instant::from_secs(1);
        for index in 0..400 {
            lazy.push(now, End::A, numbered(index, 700));
            now += Duration::from_micros(900);
        }
        let later = now + Duration::from_secs(60);
        let all: Vec<u32> = std::iter::from_fn(|| lazy.pop(later, End::B)).map(|packet| number(&packet)).collect();
        assert_eq!(numbers(&exact), all, "seed {seed}");
        assert_conserved(&lazy.stats().a_to_b);
    }
}
