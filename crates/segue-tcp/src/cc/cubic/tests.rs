//! The algorithm against RFC 9438 in floating point, and against its own closed forms.

use super::super::tests::{acked, congestion, loss};
use super::super::{Algorithm, Congestion};
use core::time::Duration;

use super::*;
use crate::options::CongestionName;
use crate::units::Seq;

const RTT: Duration = Duration::from_millis(50);

fn at(now: Instant, segments: u32) -> AckSample {
    AckSample { now, rtt: Some(RTT), srtt: Some(RTT), ..acked(segments) }
}

fn lose(cubic: &mut Congestion, now: Instant) {
    let _ = cubic.on_loss(&LossSample { now, ..loss(0) });
    cubic.on_recovered(now);
}

fn grown(cubic: &mut Congestion, now: &mut Instant, rounds: u32) {
    for _ in 0..rounds {
        *now += RTT;
        cubic.on_ack(&at(*now, cubic.cwnd().0));
    }
}

fn memory(cubic: &Congestion) -> &Memory {
    match cubic.flow().map(|flow| &flow.algorithm) {
        Some(Algorithm::Cubic(Cubic(Some(memory)))) => memory,
        _ => panic!("cubic has no memory"),
    }
}

fn stage(cubic: &Congestion) -> Stage {
    let memory = memory(cubic);
    memory.past.stage.expect("congestion avoidance")
}

/// RFC 9438 section 4.2 as it is printed, in seconds; C in Linux's binary fraction.
fn curve(w_max: f64, from: f64, t: f64) -> f64 {
    const C: f64 = 410.0 / 1024.0;
    C * (t - ((w_max - from) / C).cbrt()).powi(3) + w_max
}

// The window is where the curve is: not beyond where it will be a round trip later, not before where it was one earlier; or
// where Reno's model is.
#[test]
fn the_window_follows_the_curve_in_floating_point() {
    for start in [20, 100, 1_000, 20_000] {
        for rtt in [RTT / 2, RTT, RTT * 3] {
            let mut cubic = congestion(CongestionName::Cubic, start);
            let mut now = Instant::from_secs(1);
            lose(&mut cubic, now);
            let from = f64::from(cubic.cwnd().0);
            let sample = |now, acked| AckSample { rtt: Some(rtt), ..at(now, acked) };
            now += rtt;
            let epoch = now;
            // A little longer than K.
            let k = ((f64::from(start) - from) / 0.4).cbrt();
            let rounds = (1.4 * k / rtt.as_secs_f64()) as u32;
            for round in 0..rounds {
                let (t, rtt_s) = ((now - epoch).as_secs_f64(), rtt.as_secs_f64());
                let at = |t: f64| curve(f64::from(start), from, t);
                let reno = from + f64::from(round) * 8.0 / 15.0;
                let most = at(t + rtt_s).max(reno) * 1.002 + 2.0;
                let least = at(t - 2.0 * rtt_s).max(from).min(at(t)) * 0.998 - 2.0;
                let got = f64::from(cubic.cwnd().0);
                assert!((least..=most).contains(&got), "{start}, {rtt:?} at {t}: {got} not in {least}..{most}");
                let (pieces, cwnd) = (10, cubic.cwnd().0);
                for piece in 0..pieces {
                    now += rtt / pieces;
                    cubic.on_ack(&sample(now, (cwnd + piece) / pieces));
                }
            }
            assert!(cubic.cwnd().0 > start);
        }
    }
}

// Linux's integers: the curve is at 10 - 0.4 (1.957 - 0.1)³ = 7.44 a round trip ahead, of which what lies below a segment
// does not count: 8, so that seven segments acknowledged are worth one.
#[test]
fn a_window_of_ten_that_fell_to_seven_is_eight_with_the_next_seven_segments() {
    let mut cubic = congestion(CongestionName::Cubic, 10);
    let now = Instant::from_secs(1);
    cubic.on_ack(&AckSample { credit: Packets(0), rtt: Some(RTT * 2), ..at(now, 1) });
    lose(&mut cubic, now);
    cubic.on_ack(&AckSample { rtt: Some(RTT * 2), ..at(now, 6) });
    assert_eq!(cubic.cwnd(), Packets(7));
    cubic.on_ack(&AckSample { rtt: Some(RTT * 2), ..at(now, 1) });
    assert_eq!(cubic.cwnd(), Packets(8));
}

fn plateau(cubic: &Congestion) -> f64 {
    let memory = memory(cubic);
    f64::from(memory.past.plateau.map_or(0, |plateau| plateau.0))
}

#[test]
fn a_reduction_leaves_seven_tenths_and_two_segments_at_least() {
    for (cwnd, expected) in [(10, 7), (20, 14), (100, 70), (1_000_000, 700_195), (3, 2), (1, 2)] {
        let mut cubic = congestion(CongestionName::Cubic, cwnd);
        let _ = cubic.on_loss(&loss(cwnd));
        assert_eq!((cubic.cwnd(), cubic.ssthresh()), (Packets(cwnd), Packets(expected)));
    }
}

// Section 4.2: K seconds after the reduction the window is W_max again, for a window of 1000 segments
// cbrt(299.8 / 0.4) = 9.08 s. The curve is flat there, and what lies below a segment does not count: n segments below W_max
// are aimed at from cbrt((n + 1) / 0.4) s before K on. The window comes up to two round trips later; or earlier, but not
// before one segment less is aimed at, since acknowledgments saved up while it stood are worth a segment, as on Linux.
#[test]
fn the_window_is_back_after_k_seconds() {
    for missing in [10, 1, 0] {
        let mut cubic = congestion(CongestionName::Cubic, 1_000);
        let mut now = Instant::from_secs(1);
        lose(&mut cubic, now);
        let mut rounds = 0;
        while cubic.cwnd() < Packets(1_000 - missing) {
            grown(&mut cubic, &mut now, 1);
            rounds += 1;
            assert!(rounds < 1_000);
        }
        let took = (RTT * rounds).as_secs_f64();
        let aimed_at = |missing: u32| 9.08 - (f64::from(missing + 1) / 0.4).cbrt();
        let expected = aimed_at(missing + 1)..=aimed_at(missing) + 2.0 * RTT.as_secs_f64();
        assert!(expected.contains(&took), "{missing} missing: {took} not in {expected:?}");
    }
}

// Section 4.3 with closed form: in the Reno-friendly region the window gains alpha = 8/15 per round trip, of which up to
// 31 ms, six round trips, may not have been looked at.
#[test]
fn a_small_window_grows_as_reno_would() {
    let mut cubic = congestion(CongestionName::Cubic, 20);
    let mut now = Instant::from_secs(1);
    lose(&mut cubic, now);
    assert_eq!(cubic.cwnd(), Packets(14));
    // 5 ms: the curve hardly moves.
    let rtt = Duration::from_millis(5);
    for round in 1..=60 {
        now += rtt;
        cubic.on_ack(&AckSample { rtt: Some(rtt), ..at(now, cubic.cwnd().0) });
        let reno = 14 + round * 8 / 15;
        assert!((reno.max(18) - 4..=reno + 1).contains(&cubic.cwnd().0), "{} for {reno}", cubic.cwnd().0);
    }
}

#[test]
fn a_flow_that_did_not_come_back_makes_room() {
    let mut cubic = congestion(CongestionName::Cubic, 1_000);
    let now = Instant::from_secs(1);
    lose(&mut cubic, now);
    assert_eq!(plateau(&cubic), 1_000.0);
    lose(&mut cubic, now);
    // (1 + beta) / 2 of 700.
    assert_eq!(plateau(&cubic), 595.0);
}

#[test]
fn time_in_which_the_application_was_the_limit_is_not_counted() {
    let mut cubic = congestion(CongestionName::Cubic, 1_000);
    let mut now = Instant::from_secs(1);
    lose(&mut cubic, now);
    grown(&mut cubic, &mut now, 10);
    let before = (cubic.cwnd(), now - stage(&cubic).epoch);
    for _ in 0..100 {
        now += RTT;
        cubic.on_ack(&AckSample { cwnd_limited: false, ..at(now, 20) });
    }
    now += Duration::from_secs(30);
    cubic.on_restart(&Restart { now, app_limited: true, srtt: Some(RTT), mss: 1000 });
    assert_eq!((cubic.cwnd(), now - stage(&cubic).epoch), before);
    grown(&mut cubic, &mut now, 1);
    assert_eq!(now - stage(&cubic).epoch, before.1 + RTT);
}

#[test]
fn after_a_timeout_the_curve_starts_where_slow_start_ends() {
    let mut cubic = congestion(CongestionName::Cubic, 1_000);
    let mut now = Instant::from_secs(1);
    lose(&mut cubic, now);
    let _ = cubic.on_rto(&loss(0), true);
    assert_eq!((cubic.cwnd(), cubic.ssthresh()), (Packets(1), Packets(490)));
    grown(&mut cubic, &mut now, 9);
    // With one for those acknowledged beyond: nothing is known of the path.
    assert_eq!(cubic.cwnd().0, 491);
    grown(&mut cubic, &mut now, 1);
    assert_eq!(stage(&cubic).curve, Curve::new(Packets(490), Packets(490)));
}

#[test]
fn a_mistaken_reduction_brings_the_curve_back() {
    let mut cubic = congestion(CongestionName::Cubic, 1_000);
    let mut now = Instant::from_secs(1);
    lose(&mut cubic, now);
    grown(&mut cubic, &mut now, 20);
    let (window, curve) = (cubic.window(), stage(&cubic));
    let before = cubic.on_loss(&loss(900));
    cubic.set_cwnd(Packets(cubic.ssthresh().0));
    let _ = cubic.on_rto(&loss(0), false);
    cubic.undo(now, &before);
    assert_eq!(cubic.cwnd(), window.cwnd);
    assert_eq!((stage(&cubic).curve, stage(&cubic).epoch), (curve.curve, curve.epoch));
}

// RFC 9438 section 4.10, RFC 9406: ssthresh becomes the window, and the curve starts on its plateau.
#[test]
fn a_growing_queue_ends_slow_start_without_loss() {
    let mut cubic = congestion(CongestionName::Cubic, 10);
    let mut now = Instant::from_secs(1);
    let mut una = 0u32;
    let mut rounds = 0;
    while cubic.ssthresh() == INFINITE {
        let window = cubic.cwnd().0;
        // 100 segments fit in 40 ms, more wait.
        let rtt = Duration::from_micros(40_000 * u64::from(window.max(100)) / 100);
        now += rtt;
        for _ in 0..window {
            una += 1;
            let nxt = Seq::new(una + cubic.cwnd().0);
            cubic.on_ack(&AckSample { una: Seq::new(una), nxt, rtt: Some(rtt), ..at(now, 1) });
        }
        rounds += 1;
        assert!(rounds < 30);
    }
    // What is acknowledged in the rest of the round counts for the curve.
    assert!(cubic.cwnd() >= cubic.ssthresh() && cubic.cwnd().0 <= cubic.ssthresh().0 * 21 / 20, "{:?}", cubic.window());
    // 10, 20, 40, 80, 160: the queue shows after eight acknowledgments of the round of 160. The others count a quarter:
    // 168 + 152 / 4 = 206. That round trip is longer by another quarter, which eight more acknowledgments show.
    assert!((206..=208).contains(&cubic.ssthresh().0), "{:?}", cubic.window());
}
