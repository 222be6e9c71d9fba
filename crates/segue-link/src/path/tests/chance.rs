//! How often impairments happen, and that a seed means the same run for ever.

use sha2::{Digest, Sha256};

use super::*;
use crate::testing::{V6, checksum_is_valid, tcp_packet};

const COUNT: u32 = 100_000;
const GAP: Duration = Duration::from_micros(10);

/// Five standard deviations of a binomial distribution: a fair generator fails once in 1.7 million seeds.
fn assert_binomial(happened: u64, count: u32, probability: f64, what: &str) {
    let expected = f64::from(count) * probability;
    let deviation = (expected * (1.0 - probability)).sqrt();
    let distance = (happened as f64 - expected).abs();
    assert!(distance <= 5.0 * deviation, "{what}: {happened} of {count}, expected {expected} ± {deviation}");
}

#[test]
fn losses_are_as_frequent_as_they_should_be_and_independent() {
    for (text, seed) in [("0.1%", 1), ("1%", 2), ("10%", 3), ("50%", 4)] {
        let probability = percent(text);
        let mut path = path(Impairments { loss: probability.into(), ..Impairments::default() }, seed);
        let received = numbers(&send(&mut path, COUNT, 100, GAP));
        let stats = path.stats().a_to_b;
        assert_binomial(stats.lost, COUNT, probability.fraction(), text);
        assert_eq!(stats.lost + received.len() as u64, u64::from(COUNT));
        assert_conserved(&stats);
        // A loss that follows a loss is as likely as any.
        let mut here = vec![false; COUNT as usize];
        received.iter().for_each(|&number| here[number as usize] = true);
        let pairs = here.windows(2).filter(|pair| !pair[0] && !pair[1]).count() as u64;
        assert_binomial(pairs, COUNT - 1, probability.fraction().powi(2), "two in a row");
    }
}

#[test]
fn duplicates_reorderings_and_corruptions_are_as_frequent_as_they_should_be() {
    for seed in 1..4 {
        let bad = Impairments {
            duplicate: percent("2%"),
            reorder: percent("5%"),
            corrupt: percent("1%"),
            ..Impairments::default()
        };
        let mut path = path(bad, seed);
        let out = send(&mut path, COUNT, 100, GAP);
        let stats = path.stats().a_to_b;
        assert_binomial(stats.duplicated, COUNT, 0.02, "duplicates");
        // Copies have a fate of their own.
        let copies = COUNT + stats.duplicated as u32;
        assert_eq!(out.len() as u32, copies);
        assert_binomial(stats.reordered, copies, 0.05, "reorderings");
        assert_binomial(stats.corrupted, copies, 0.01, "corruptions");
        assert_conserved(&stats);
    }
}

#[test]
fn corruption_flips_exactly_one_bit_anywhere_in_the_packet() {
    let len = 50;
    let mut path = path(Impairments { corrupt: percent("100%"), ..Impairments::default() }, 9);
    let mut hits = vec![0_u64; len * 8];
    for _ in 0..COUNT {
        path.push(Instant::ZERO, End::A, numbered(7, len));
        let damaged = path.pop(Instant::ZERO, End::B).expect("nothing delays it").to_bytes();
        let original = numbered(7, len).to_bytes();
        let differing: Vec<usize> =
            (0..len * 8).filter(|bit| (damaged[bit / 8] ^ original[bit / 8]) & (1 << (bit % 8)) != 0).collect();
        assert_eq!(differing.len(), 1);
        hits[differing[0]] += 1;
    }
    for (bit, &count) in hits.iter().enumerate() {
        assert_binomial(count, COUNT, 1.0 / hits.len() as f64, &format!("bit {bit}"));
    }
}

#[test]
fn a_corrupted_tcp_packet_never_passes_verification_and_the_others_always_do() {
    let mut path = path(Impairments { corrupt: percent("30%"), ..Impairments::default() }, 2);
    let (mut bad, mut harmless) = (0, 0);
    for _ in 0..200 {
        path.push(Instant::ZERO, End::A, tcp_packet(V6, 20_000));
    }
    let clean: Vec<_> = tcp_packet(V6, 20_000).segments().map(|segment| segment.to_bytes()).collect();
    for (_, packet) in drain(&mut path) {
        let bytes = on_the_wire(&packet);
        if clean.contains(&bytes) {
            assert!(checksum_is_valid(&bytes));
            continue;
        }
        assert_eq!(packet.checksum, segue_wire::ChecksumState::Complete, "somebody vouches for a damaged packet");
        // IPv6 protects neither traffic class, flow label nor hop limit; nothing depends on them.
        let protected = |bytes: &[u8]| [&bytes[4..7], &bytes[8..]].concat();
        let same = bytes[0] >> 4 == 6 && clean.iter().any(|clean| protected(clean) == protected(&bytes));
        if same {
            harmless += 1;
        } else {
            bad += 1;
            assert!(!checksum_is_valid(&bytes), "a damaged packet would have been taken");
        }
    }
    assert!(bad > 500 && harmless < 50, "{bad} {harmless}");
}

fn delays(shape: JitterShape, seed: u64) -> Vec<f64> {
    let ms = Duration::from_millis;
    let shaky = Impairments { delay: ms(100), jitter: ms(10), jitter_shape: shape, ..Impairments::default() };
    let mut path = path(shaky, seed);
    let gap = Duration::from_millis(1);
    let out = send(&mut path, COUNT, 60, gap);
    out.iter()
        .map(|(at, packet)| {
            let sent = Instant::from_secs(1) + gap * number(packet);
            (*at - sent).as_secs_f64() * 1000.0 - 100.0
        })
        .collect()
}

#[test]
fn uniform_jitter_fills_its_range_evenly() {
    let jitter = delays(JitterShape::Uniform, 5);
    assert_eq!(jitter.len() as u32, COUNT);
    assert!(jitter.iter().all(|value| value.abs() <= 10.000_001));
    for tenth in 0..10 {
        let from = -10.0 + 2.0 * f64::from(tenth);
        let inside = jitter.iter().filter(|&&value| value >= from && value < from + 2.0).count();
        assert_binomial(inside as u64, COUNT, 0.1, &format!("from {from} ms"));
    }
}

#[test]
fn normal_jitter_is_bell_shaped() {
    let jitter = delays(JitterShape::Normal, 6);
    let mean = jitter.iter().sum::<f64>() / f64::from(COUNT);
    let variance = jitter.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / f64::from(COUNT);
    assert!(mean.abs() < 5.0 * 10.0 / f64::from(COUNT).sqrt(), "mean {mean}");
    assert!((variance.sqrt() - 10.0).abs() < 0.15, "deviation {}", variance.sqrt());
    // Shares of the sum of twelve uniform values, from its exact distribution; the normal one has 0.6827 and 0.9545.
    for (deviations, share) in [(1.0, irwin_hall(1.0)), (2.0, irwin_hall(2.0))] {
        let inside = jitter.iter().filter(|value| value.abs() <= 10.0 * deviations).count();
        assert_binomial(inside as u64, COUNT, share, &format!("within {deviations} deviations"));
    }
    assert!((irwin_hall(1.0) - 0.6827).abs() < 0.01 && (irwin_hall(2.0) - 0.9545).abs() < 0.01);
}

/// Probability that twelve uniform values in ±1/2 sum up to within ±x, by the Irwin-Hall formula.
fn irwin_hall(x: f64) -> f64 {
    let below = |y: f64| {
        let mut sum = 0.0;
        let (mut sign, mut choose) = (1.0, 1.0);
        for k in 0..=y.floor() as i32 {
            sum += sign * choose * (y - f64::from(k)).powi(12);
            sign = -sign;
            choose = choose * f64::from(12 - k) / f64::from(k + 1);
        }
        sum / 479_001_600.0
    };
    below(6.0 + x) - below(6.0 - x)
}

fn everything() -> Impairments {
    Impairments {
        delay: Duration::from_millis(3),
        jitter: Duration::from_millis(1),
        jitter_shape: JitterShape::Normal,
        loss: percent("5%").into(),
        duplicate: percent("5%"),
        reorder: percent("5%"),
        corrupt: percent("5%"),
        rate: Some("100mbit".parse().expect("a rate")),
        ..Impairments::default()
    }
}

/// A hash over when what came out.
fn trace(impairments: Impairments, seed: u64) -> String {
    let mut path = path(impairments, seed);
    let mut hash = Sha256::new();
    for (at, packet) in send(&mut path, 2_000, 200, GAP) {
        hash.update(at.as_nanos().to_be_bytes());
        hash.update(packet.to_bytes());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_seed_means_the_same_run_for_ever() {
    assert_eq!(trace(everything(), 1), "342fb827876670c5");
    assert_eq!(trace(Impairments { rate: None, ..everything() }, 2), "3b102bd045bcc357");
    assert_ne!(trace(everything(), 1), trace(everything(), 3));
}

#[test]
fn turning_one_impairment_on_moves_no_other() {
    let run = |impairments: Impairments| {
        let mut path = path(impairments, 11);
        let out = send(&mut path, 20_000, 100, GAP);
        let mut here = vec![0_u8; 20_000];
        let mut damaged = Vec::new();
        for (_, packet) in &out {
            let Some(count) = here.get_mut(number(packet) as usize) else { continue };
            *count += 1;
            if packet.to_bytes() != numbered(number(packet), 100).to_bytes() {
                damaged.push(packet.to_bytes());
            }
        }
        let lost: Vec<usize> = (0..20_000).filter(|&index| here[index] == 0).collect();
        (lost, damaged, out)
    };
    let loss = Impairments { loss: percent("3%").into(), ..Impairments::default() };
    let (lost, ..) = run(loss.clone());
    let more = Impairments {
        duplicate: percent("10%"),
        reorder: percent("10%"),
        jitter: Duration::from_millis(1),
        delay: Duration::from_millis(5),
        ..loss.clone()
    };
    assert_eq!(run(more).0, lost, "losses moved");

    let corrupt = Impairments { corrupt: percent("3%"), ..Impairments::default() };
    let damaged = run(corrupt.clone()).1;
    let with_loss = run(Impairments { loss: percent("3%").into(), ..corrupt }).1;
    assert!(damaged.len() > 400 && with_loss.len() < damaged.len());
    assert!(with_loss.iter().all(|packet| damaged.contains(packet)), "corruptions moved");
}

#[test]
fn directions_have_streams_of_their_own() {
    let lossy = Impairments { loss: percent("50%").into(), ..Impairments::default() };
    let fates = |from: End, other_traffic: bool| {
        let mut path = path(lossy.clone(), 4);
        let mut fates = Vec::new();
        for index in 0..200 {
            path.push(Instant::ZERO, from, numbered(index, 60));
            fates.push(path.pop(Instant::ZERO, from.other()).is_some());
            if other_traffic {
                path.push(Instant::ZERO, from.other(), numbered(index, 60));
            }
        }
        fates
    };
    assert_ne!(fates(End::A, false), fates(End::B, false));
    assert_eq!(fates(End::A, false), fates(End::A, true));
}
