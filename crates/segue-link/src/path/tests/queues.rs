//! Queue disciplines: who is dropped, who is marked, who waits how long.

use segue_wire::{Ipv4Header, Protocol};

use super::*;

fn behind(rate: &str, queue: &str) -> Impairments {
    Impairments {
        rate: Some(rate.parse().expect("a rate")),
        queue: Some(queue.parse().unwrap_or_else(|error| panic!("{queue}: {error}"))),
        ..Impairments::default()
    }
}

/// A UDP packet of 1000 bytes from a port, with a number and an ECN codepoint.
fn datagram(port: u16, number: u32, ecn: u8) -> Packet {
    let mut bytes = vec![0; 1000];
    let header =
        Ipv4Header { total_length: 1000, traffic_class: ecn, protocol: Protocol::UDP, ..Ipv4Header::default() };
    header.emit(&mut bytes);
    // Where a port would be, and where the tests look for a number.
    bytes[20..22].copy_from_slice(&port.to_be_bytes());
    bytes[24..28].copy_from_slice(&number.to_be_bytes());
    Packet::from_bytes(Bytes::from(bytes))
}

fn port_and_number(packet: &Packet) -> (u16, u32) {
    let bytes = packet.to_bytes();
    (u16::from_be_bytes([bytes[20], bytes[21]]), u32::from_be_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]))
}

/// One packet every `gap` for `time`; what comes out, with how long it was inside.
fn flood(path: &mut Path, gap: Duration, time: Duration, ecn: u8) -> Vec<(Instant, Duration, Packet)> {
    let start = Instant::from_secs(1);
    let count = (time.as_nanos() / gap.as_nanos()) as u32;
    let mut out = Vec::new();
    for index in 0..count {
        let now = start + gap * index;
        while let Some(at) = path.next_deadline(End::B).filter(|&at| at <= now) {
            out.extend(std::iter::from_fn(|| path.pop(at, End::B)).map(|packet| (at, packet)));
        }
        path.push(now, End::A, datagram(1, index, ecn));
    }
    out.extend(drain(path));
    assert_conserved(&path.stats().a_to_b);
    let inside = |(at, packet): (Instant, Packet)| (at, at - (start + gap * port_and_number(&packet).1), packet);
    out.into_iter().map(inside).collect()
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_queue_may_be_limited_in_packets() {
    let mut path = path(behind("1mbit", "10pkt"), 0);
    for index in 0..100 {
        path.push(Instant::ZERO, End::A, numbered(index, if index % 2 == 0 { 40 } else { 1500 }));
    }
    assert_eq!(numbers(&drain(&mut path)), (0..11).collect::<Vec<_>>());
    assert_eq!(path.stats().a_to_b.queue_dropped, 89);
}

#[test]
fn codel_leaves_a_queue_alone_that_empties_in_time() {
    // 1000 bytes at 8 Mbit/s take 1 ms: a burst of 80 stays at most 80 ms, less than an interval.
    let mut path = path(behind("8mbit", "codel"), 0);
    for index in 0..80 {
        path.push(Instant::from_secs(1), End::A, datagram(1, index, 0));
    }
    assert_eq!(drain(&mut path).len(), 80);
    // And one that stays for ever below the target.
    assert_eq!(flood(&mut self::path(behind("8mbit", "codel"), 0), MS, 1000 * MS, 0).len(), 1000);
}

#[test]
fn codel_drops_after_an_interval_and_then_by_the_square_root_law() {
    // Twice the rate and nobody who reacts: once dropping, CoDel never stops.
    let mut path = path(behind("8mbit", "codel:limit=100000pkt"), 0);
    let out = flood(&mut path, MS / 2, 4000 * MS, 0);
    let mut missing: Vec<u32> = (0..8000).collect();
    let here: std::collections::BTreeSet<u32> = out.iter().map(|(_, _, packet)| port_and_number(packet).1).collect();
    missing.retain(|number| !here.contains(number));
    assert_eq!(missing.len() as u64, path.stats().a_to_b.codel_dropped);
    // When each drop happened: its successor in the queue left then. Times by the law, worked out in floating point.
    let mut law = 0.0;
    let mut expected = 0;
    for count in 1..=missing.len() as u32 {
        law = if count == 1 { 0.0 } else { law + 0.1 / f64::from(count - 1).sqrt() };
        expected += u32::from(law <= 3.8);
    }
    // The first stays above 5 ms after about 10 ms; another interval passes before the first drop.
    let first = out.iter().find(|(_, _, packet)| port_and_number(packet).1 > missing[0]).expect("a successor").0;
    let waited = (first - Instant::from_secs(1)).as_secs_f64();
    assert!((0.105..0.125).contains(&waited), "first drop after {waited} s");
    // Until the senders stop, 4 s: law <= 3.88 s after the first; the queue then drains under the same law.
    assert!(missing.len() as u32 >= expected && expected > 300, "{} drops, {expected} by the law", missing.len());
}

#[test]
fn codel_marks_who_takes_part_and_drops_the_others() {
    for (ecn, queue, dropped, marked) in [
        (2, "codel:ecn", false, true),
        (1, "codel:ecn", false, true),
        (0, "codel:ecn", true, false),
        (2, "codel", true, false),
    ] {
        let mut path = path(behind("8mbit", queue), 0);
        let out = flood(&mut path, Duration::from_micros(900), 1000 * MS, ecn);
        let stats = path.stats().a_to_b;
        assert_eq!((stats.codel_dropped > 0, stats.marked > 0), (dropped, marked), "{queue} {ecn}: {stats:?}");
        let ce = out.iter().filter(|(_, _, packet)| packet.ecn() == Some(segue_wire::Ecn::Ce)).count();
        assert_eq!(ce as u64, stats.marked);
    }
}

#[test]
fn above_the_threshold_codel_marks_at_once() {
    // A burst of 40: those that waited longer than 10 ms are marked, long before CoDel would act.
    let mut path = path(behind("8mbit", "codel:ce_threshold=10ms"), 0);
    for index in 0..40 {
        path.push(Instant::from_secs(1), End::A, datagram(1, index, 2));
    }
    let marked: Vec<u32> = drain(&mut path)
        .iter()
        .filter(|(_, packet)| packet.ecn() == Some(segue_wire::Ecn::Ce))
        .map(|(_, packet)| port_and_number(packet).1)
        .collect();
    // The nth leaves the queue after n ms.
    assert_eq!(marked, (11..40).collect::<Vec<_>>());
}

#[test]
fn fq_codel_lets_a_thin_flow_past_a_fat_one_and_shares_among_fat_ones() {
    let mut path = path(behind("8mbit", "fq_codel"), 5);
    let start = Instant::from_secs(1);
    for index in 0..300 {
        path.push(start, End::A, datagram(1, index, 0));
        path.push(start, End::A, datagram(2, index, 0));
    }
    path.push(start + 20 * MS, End::A, datagram(3, 0, 0));
    let out = drain(&mut path);
    let thin = out.iter().find(|(_, packet)| port_and_number(packet).0 == 3).expect("it arrived").0;
    assert!(thin - start <= 23 * MS, "the thin flow waited {:?}", thin - start);
    let first = |port| out.iter().take(101).filter(|(_, packet)| port_and_number(packet).0 == port).count();
    assert!(first(1).abs_diff(first(2)) <= 2, "{} and {}", first(1), first(2));
    assert_conserved(&path.stats().a_to_b);
}

#[test]
fn fq_codel_takes_from_the_fattest_when_it_is_full() {
    let mut path = path(behind("8mbit", "fq_codel:limit=100pkt"), 5);
    let start = Instant::from_secs(1);
    for index in 0..50 {
        path.push(start, End::A, datagram(2, index, 0));
    }
    for index in 0..500 {
        path.push(start, End::A, datagram(1, index, 0));
    }
    let out = drain(&mut path);
    assert_eq!(out.iter().filter(|(_, packet)| port_and_number(packet).0 == 2).count(), 50);
    assert!(path.stats().a_to_b.queue_dropped >= 400);
    assert_conserved(&path.stats().a_to_b);
}

#[test]
fn red_drops_nothing_below_min_some_between_and_all_above_max() {
    // 1000 bytes at 8 Mbit/s: 1 ms each. A queue of a steady length: 40 at once, then one per ms.
    let steady = |queue: &str, length: u32, ecn: u8| {
        let mut path = path(behind("8mbit", queue), 9);
        let start = Instant::from_secs(1);
        let mut number = 0;
        for step in 0..5000 {
            let now = start + MS * step;
            while path.pop(now, End::B).is_some() {}
            // Whatever RED refuses is sent again, so that the queue keeps its length.
            while path.stats().a_to_b.inside < u64::from(length) {
                let before = path.stats().a_to_b.inside;
                path.push(now, End::A, datagram(1, number, ecn));
                number += 1;
                if path.stats().a_to_b.inside == before && number % 50 == 0 {
                    break;
                }
            }
        }
        drain(&mut path);
        let stats = path.stats().a_to_b;
        assert_conserved(&stats);
        (stats.queue_dropped as f64 / stats.packets_in as f64, stats.marked as f64 / stats.packets_in as f64)
    };
    let queue = "red:min=20kB,max=60kB,probability=10%";
    assert_eq!(steady(queue, 15, 0).0, 0.0);
    // In the middle half of 10 %; even spacing makes that about every tenth: 2 / (1/0.05 + 1).
    let (middle, _) = steady(queue, 41, 0);
    assert!((0.06..0.12).contains(&middle), "{middle}");
    let (little, _) = steady(queue, 26, 0);
    assert!(little > 0.01 && little < middle / 2.0, "{little}");
    let (above, _) = steady(queue, 90, 0);
    assert!(above > middle * 2.0, "{above}");
    let (dropped, marked) = steady(&format!("{queue},ecn"), 41, 2);
    assert!(dropped == 0.0 && (marked - middle).abs() < 0.02, "{dropped} {marked}");
}

#[test]
fn impossible_queues_are_refused_with_what_to_write() {
    for (text, words) in [
        ("sfq", "fq_codel"),
        ("64", "unit"),
        ("0pkt", "at least 1"),
        ("-5pkt", "whole number"),
        ("codel:target", "target="),
        ("codel:target=5", "ms"),
        ("codel:speed=3", "interval="),
        ("red", "min=30kB"),
        ("red:min=30kB,probability=200%", "100%"),
        ("fq_codel:limit=64KiB", "packets"),
        ("fq_codel:flows=0", "at least 1"),
    ] {
        let error = text.parse::<QueueDiscipline>().expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    for (text, words) in [
        ("100B", "cannot hold one packet of 1500B"),
        ("codel:target=0ms", "5ms"),
        ("codel:target=5ms,interval=5ms", "longer"),
        ("red:min=30kB,max=20kB", "less than max"),
        ("red:min=30kB,max=90kB,limit=50kB", "must hold max"),
        ("red:min=30kB,probability=0%", "never"),
        ("fq_codel:flows=70000", "65536"),
        ("fq_codel:quantum=10B", "256B"),
    ] {
        let bad = Impairments { queue: text.parse().ok(), rate: "1mbit".parse().ok(), ..Impairments::default() };
        let error = PathConfig::symmetric(bad).expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}
