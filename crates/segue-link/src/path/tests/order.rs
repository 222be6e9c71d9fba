//! Delay, jitter, reordering, duplication: when packets arrive, and in which order.

use super::*;
use crate::testing::{V4, tcp_packet};

const MS: Duration = Duration::from_millis(1);

#[test]
fn delay_is_exact_and_one_way() {
    let slow = Impairments { delay: 20 * MS, ..Impairments::default() };
    let config = PathConfig::new(slow, Impairments::default()).expect("valid");
    let mut path = Path::new(config);
    let start = Instant::from_secs(5);
    path.push(start, End::A, numbered(1, 100));
    path.push(start, End::B, numbered(2, 100));
    assert_eq!(path.next_deadline(End::A), Some(start), "nothing delays the way back");
    assert!(path.pop(start, End::A).is_some_and(|packet| number(&packet) == 2));
    assert_eq!(path.next_deadline(End::B), Some(start + 20 * MS));
    assert!(path.pop(start + 20 * MS - Duration::from_nanos(1), End::B).is_none());
    assert!(path.pop(start + 20 * MS, End::B).is_some());
    assert_eq!((path.next_deadline(End::A), path.next_deadline(End::B)), (None, None));
}

#[test]
fn a_path_that_only_delays_carries_super_segments_whole_and_checksums_unfinished() {
    let mut path = path(Impairments { delay: MS, ..Impairments::default() }, 0);
    let packet = tcp_packet(V4, 50_000);
    path.push(Instant::ZERO, End::A, packet.clone());
    assert!(path.pop(Instant::from_millis(1), End::B).is_some_and(|out| out == packet));
    let stats = path.stats().a_to_b;
    assert_eq!((stats.packets_in, stats.packets_out), (35, 35), "counted as wire packets");
    assert_eq!((stats.bytes_in, stats.bytes_out), (50_000 + 35 * 40, 50_000 + 35 * 40));
}

#[test]
fn jitter_reorders_as_in_netem_unless_a_rate_keeps_order() {
    let shaky = Impairments { delay: 20 * MS, jitter: 5 * MS, ..Impairments::default() };
    let received = numbers(&send(&mut path(shaky.clone(), 1), 500, 100, MS));
    assert!(!received.is_sorted(), "nobody overtook");
    assert_eq!(received.len(), 500);
    let behind = Impairments { rate: Some("100mbit".parse().expect("a rate")), ..shaky };
    let out = send(&mut path(behind, 1), 500, 100, MS);
    assert!(numbers(&out).is_sorted(), "somebody overtook behind a bottleneck");
    assert!(out.is_sorted_by_key(|(at, _)| *at));
}

#[test]
fn jitter_greater_than_the_delay_never_delivers_before_sending() {
    let shaky = Impairments { delay: MS, jitter: 50 * MS, ..Impairments::default() };
    let out = send(&mut path(shaky, 1), 1000, 100, MS);
    assert!(out.iter().all(|(at, packet)| *at >= Instant::from_secs(1) + MS * number(packet)));
    assert_eq!(out.len(), 1000);
}

#[test]
fn a_reordered_packet_is_held_back_by_the_configured_time_and_holds_up_nobody() {
    for (reorder_by, delay, held) in [(Some(7 * MS), 2 * MS, 7 * MS), (None, 40 * MS, 10 * MS), (None, MS, MS)] {
        let bad = Impairments { delay, reorder: percent("10%"), reorder_by, ..Impairments::default() };
        let mut path = path(bad, 3);
        let out = send(&mut path, 1000, 100, MS);
        let late = out
            .iter()
            .filter(|(at, packet)| {
                let lag = *at - (Instant::from_secs(1) + MS * number(packet));
                assert!(lag == delay || lag == delay + held, "{lag:?}");
                lag == delay + held
            })
            .count();
        assert_eq!(late as u64, path.stats().a_to_b.reordered);
        assert!(late > 50);
    }
}

#[test]
fn a_duplicate_follows_its_original() {
    let mut path = path(Impairments { duplicate: percent("100%"), delay: MS, ..Impairments::default() }, 0);
    assert_eq!(numbers(&send(&mut path, 3, 100, MS)), [0, 0, 1, 1, 2, 2]);
    assert_conserved(&path.stats().a_to_b);
}

#[test]
fn loss_hits_segments_of_a_super_segment_one_by_one() {
    let mut path = path(Impairments { loss: percent("20%").into(), ..Impairments::default() }, 8);
    for _ in 0..20 {
        path.push(Instant::ZERO, End::A, tcp_packet(V4, 50_000));
    }
    let out = drain(&mut path);
    let stats = path.stats().a_to_b;
    assert_eq!(stats.packets_in, 20 * 35);
    assert_eq!(stats.lost + out.len() as u64, 20 * 35);
    assert!(stats.lost > 90 && stats.lost < 190, "{stats:?}");
    assert!(out.iter().all(|(_, packet)| packet.segmentation.is_none() && packet.len() <= 1500));
    assert!(out.iter().all(|(_, packet)| crate::testing::checksum_is_valid(&on_the_wire(packet))));
}

#[test]
fn packets_come_out_by_arrival_time_and_then_by_entry() {
    let mut flight = flight::Flight::default();
    let times = [5, 3, 9, 3, 5, 1, 9, 9, 2];
    for (index, at) in times.into_iter().enumerate() {
        assert!(flight.insert(at, run::Run::new(numbered(index as u32, 60))).is_ok());
    }
    let mut expected: Vec<(u64, u32)> = times.iter().copied().zip(0..).collect();
    expected.sort_unstable();
    let mut got = Vec::new();
    while let Some(at) = flight.next_at() {
        assert!(flight.pop(at - 1).is_none());
        got.push((at, number(&flight.pop(at).expect("due").into_packet())));
    }
    assert_eq!(got, expected);
}

#[test]
fn a_flood_into_a_long_delay_is_bounded_and_counted() {
    let mut path = path(Impairments { delay: Duration::from_secs(3600), ..Impairments::default() }, 0);
    let big = Packet::from_bytes(Bytes::from(vec![0x45; 1500]));
    for _ in 0..400_000 {
        path.push(Instant::ZERO, End::A, big.clone());
    }
    let stats = path.stats().a_to_b;
    assert!(stats.overflow > 0 && stats.inside * 1500 <= 512 << 20, "{stats:?}");
    assert_conserved(&stats);
}
