//! Loss in bursts, by count and by number; long-tailed jitter; gaps between reorderings; marks.

use super::*;
use crate::testing::{V4, V6, tcp_packet};

const GAP: Duration = Duration::from_micros(10);

fn lossy(loss: &str) -> Impairments {
    Impairments { loss: loss.parse().unwrap_or_else(|error| panic!("{loss}: {error}")), ..Impairments::default() }
}

/// Which of `count` packets were lost.
fn lost(impairments: Impairments, seed: u64, count: u32) -> Vec<bool> {
    let mut path = path(impairments, seed);
    let mut lost = vec![true; count as usize];
    numbers(&send(&mut path, count, 60, GAP)).iter().for_each(|&number| lost[number as usize] = false);
    let stats = path.stats().a_to_b;
    assert_eq!(stats.lost, lost.iter().filter(|&&lost| lost).count() as u64);
    assert_conserved(&stats);
    lost
}

fn share(lost: &[bool]) -> f64 {
    lost.iter().filter(|&&lost| lost).count() as f64 / lost.len() as f64
}

/// Mean length of the runs of losses.
fn burst(lost: &[bool]) -> f64 {
    let starts = (0..lost.len()).filter(|&at| lost[at] && (at == 0 || !lost[at - 1])).count();
    lost.iter().filter(|&&lost| lost).count() as f64 / starts.max(1) as f64
}

#[test]
fn bursts_have_the_share_and_the_length_that_were_asked_for() {
    for (text, wanted_share, wanted_burst) in
        [("burst:1%,4", 0.01, 4.0), ("burst:10%,2.5", 0.1, 2.5), ("burst:5%,50", 0.05, 50.0), ("burst:2%,1", 0.02, 1.0)]
    {
        let lost = lost(lossy(text), 3, 1_000_000);
        // About 10 000 bursts or 1000 of the long ones: four standard deviations of their mean.
        let bursts = 1e6 * wanted_share / wanted_burst;
        let tolerance = 4.0 / f64::sqrt(bursts);
        assert!((share(&lost) / wanted_share - 1.0).abs() < 1.5 * tolerance, "{text}: {}", share(&lost));
        assert!((burst(&lost) / wanted_burst - 1.0).abs() < tolerance, "{text}: {}", burst(&lost));
    }
}

#[test]
fn the_four_parameters_of_gilbert_and_elliott_are_netems() {
    // In the bad state one packet in ten in the long run: p / (p + r); half of those are lost, and 1 % of the others.
    let lost = lost(lossy("ge:1%,9%,50%,1%"), 8, 1_000_000);
    let wanted = 0.1 * 0.5 + 0.9 * 0.01;
    assert!((share(&lost) / wanted - 1.0).abs() < 0.05, "{}", share(&lost));
    // One parameter: every bad time is left with the rest of the probability, and loses everything.
    let GilbertElliott { to_good, loss_bad, loss_good, .. } = match "ge:30%".parse().expect("one parameter") {
        LossModel::GilbertElliott(model) => model,
        other => panic!("{other:?}"),
    };
    assert_eq!([to_good, loss_bad, loss_good].map(|p| p.to_string()), ["70%", "100%", "0%"]);
}

#[test]
fn every_nth_packet_is_lost_and_no_other() {
    let lost = lost(lossy("every:7"), 1, 1000);
    assert!(lost.iter().enumerate().all(|(at, &lost)| lost == ((at + 1) % 7 == 0)));
}

#[test]
fn listed_packets_are_lost_by_their_number_in_each_direction() {
    let drop: PacketList = "7-9,5,2,3".parse().expect("a list");
    assert_eq!(drop.to_string(), "2-3,5,7-9");
    let listed = Impairments { drop, ..Impairments::default() };
    let there = lost(listed.clone(), 1, 12);
    assert_eq!((1..=12).filter(|at| there[at - 1]).collect::<Vec<_>>(), [2, 3, 5, 7, 8, 9]);
    // The other direction has its own count, and pieces of a super-segment have numbers of their own.
    let mut path = Path::new(PathConfig::new(Impairments::default(), listed).expect("valid"));
    path.push(Instant::ZERO, End::A, tcp_packet(V4, 14_480));
    path.push(Instant::ZERO, End::B, tcp_packet(V4, 14_480));
    let out: Vec<Packet> = std::iter::from_fn(|| path.pop(Instant::ZERO, End::A)).collect();
    assert_eq!((path.stats().a_to_b.lost, path.stats().b_to_a.lost, out.len()), (0, 6, 4));
}

#[test]
fn impossible_losses_are_refused_with_what_to_write() {
    for (text, words) in [
        ("burst:1%", "burst:1%,4"),
        ("burst:1%,0.5", "1 to"),
        ("burst:90%,2", "at least 9 long"),
        ("burst:100%,2", "no end"),
        ("burst:101%,2", "100%"),
        ("burst:-1%,2", "negative"),
        ("burst:1%,many", "'many'"),
        ("ge:1%,2%,3%,4%,5%", "ge:P,R"),
        ("ge:1%,2%,300%", "loss when bad"),
        ("ge", "not complete"),
        ("every:0", "at least 1"),
        ("every:-3", "whole number"),
        ("gilbert:1%", "burst:1%,4"),
        ("1% 2%", "unit"),
    ] {
        let error = text.parse::<LossModel>().expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    for (text, words) in [("0", "from 1"), ("5,", "''"), ("9-7", "7-9"), ("1-2-3", "'2-3'"), ("x", "'x'"), ("-3", "''")]
    {
        let error = text.parse::<PacketList>().expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn long_tailed_jitter_is_early_often_and_late_seldom() {
    let ms = Duration::from_millis;
    // Pareto: below the mean 1 - 1.5^-3, beyond two jitters 3^-3. With a quarter of a normal one the quantile function
    // z(u) / 4 + (1 - u)^(-1/3) - 1.5 crosses 0 at 0.643 and 2 at 0.9647.
    let shapes = [
        (JitterShape::Pareto, 2.0 / 3.0, 0.7037, 0.0370),
        (JitterShape::ParetoNormal, 0.5 + 0.26 * 4.0, 0.643, 0.0353),
    ];
    for (shape, early, below_mean, far_beyond) in shapes {
        let shaky = Impairments { delay: ms(100), jitter: ms(10), jitter_shape: shape, ..Impairments::default() };
        let out = send(&mut path(shaky, 3), 100_000, 60, ms(1));
        let mut lags: Vec<f64> = out
            .iter()
            .map(|(at, packet)| (*at - (Instant::from_secs(1) + ms(1) * number(packet))).as_secs_f64() * 100.0 - 10.0)
            .collect();
        lags.sort_by(f64::total_cmp);
        assert!(lags[0] >= -early - 0.001 && *lags.last().expect("some") <= 4.001, "{shape:?} {}", lags[0]);
        let below = lags.iter().filter(|&&lag| lag < 0.0).count() as f64 / 1e5;
        let beyond = lags.iter().filter(|&&lag| lag > 2.0).count() as f64 / 1e5;
        assert!((below - below_mean).abs() < 0.01, "{shape:?}: {below} early");
        assert!((beyond - far_beyond).abs() < 0.003, "{shape:?}: {beyond} very late");
    }
}

#[test]
fn a_gap_keeps_packets_in_order_between_two_that_are_not() {
    let bad = Impairments { reorder: percent("100%"), reorder_gap: 5, ..Impairments::default() };
    let mut path = path(bad, 1);
    let out = send(&mut path, 100, 60, Duration::from_micros(100));
    assert_eq!(path.stats().a_to_b.reordered, 20);
    let late: Vec<u32> = out
        .iter()
        .filter(|(at, packet)| *at > Instant::from_secs(1) + Duration::from_micros(100) * number(packet))
        .map(|(_, packet)| number(packet))
        .collect();
    assert!(late.iter().all(|number| (number + 1).is_multiple_of(5)), "{late:?}");
}

#[test]
fn marks_reach_those_who_take_part_in_ecn_and_nobody_else() {
    for whole in [V4, V6].map(|family| tcp_packet(family, 14_480)) {
        for codepoint in 0..4_u8 {
            let mut path = path(Impairments { mark: percent("100%"), ..Impairments::default() }, 1);
            path.push(Instant::ZERO, End::A, with_ecn(&whole, codepoint));
            let out = drain(&mut path);
            let capable = codepoint != 0;
            assert_eq!(path.stats().a_to_b.marked, if capable { whole.wire_packets() as u64 } else { 0 });
            for (_, packet) in out {
                assert_eq!(packet.ecn().map(|ecn| ecn as u8), Some(if capable { 3 } else { 0 }));
                assert!(crate::testing::checksum_is_valid(&on_the_wire(&packet)), "the IP header is wrong");
            }
        }
    }
}
