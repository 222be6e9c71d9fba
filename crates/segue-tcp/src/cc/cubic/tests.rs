//! The algorithm against RFC 9438 in floating point, and against its own closed forms.

use super::super::tests::{acked, congestion, loss};
use super::super::{Algorithm, Congestion};
use core::time::Duration;

use super::*;
use crate::options::CongestionName;
use crate::units::Seq;

const RTT: Duration = Duration::from_millis(50);

/// RFC 9438 section 4 as it is printed, windows in segments, times in seconds.
#[derive(Default)]
struct Reference {
    cwnd: f64,
    ssthresh: f64,
    w_max: Option<f64>,
    prior: f64,
    /// t, W_max, K, W_est.
    stage: Option<(f64, f64, f64, f64)>,
}

impl Reference {
    fn ack(&mut self, mut acked: f64, since: f64, rtt: f64) {
        if self.cwnd < self.ssthresh {
            let slow = acked.min(self.ssthresh - self.cwnd);
            self.cwnd += slow;
            acked -= slow;
        }
        if acked == 0.0 {
            return;
        }
        let cwnd = self.cwnd;
        let fresh = self.stage.is_none();
        let (t, w_max, k, w_est) = self.stage.get_or_insert_with(|| {
            let w_max = self.w_max.unwrap_or(cwnd).max(cwnd);
            (0.0, w_max, ((w_max - cwnd) / 0.4).cbrt(), cwnd)
        });
        if !fresh {
            *t += since;
        }
        let alpha = if *w_est >= self.prior { 1.0 } else { 3.0 * 0.3 / 1.7 };
        *w_est += alpha * acked / cwnd;
        let w = |t: f64| 0.4 * (t - *k).powi(3) + *w_max;
        if w(*t) < *w_est {
            self.cwnd = w_est.max(cwnd);
        } else {
            let target = w(*t + rtt).clamp(cwnd, 1.5 * cwnd);
            self.cwnd += (target - cwnd) / cwnd * acked;
        }
    }

    fn lose(&mut self) {
        let cwnd = self.cwnd.floor();
        self.w_max =
            Some(if self.w_max.is_some_and(|w_max| cwnd < w_max) { (cwnd * 1741.0 / 2048.0).floor() } else { cwnd });
        self.prior = cwnd;
        self.ssthresh = (cwnd * 717.0 / 1024.0).floor().max(2.0);
        self.cwnd = self.ssthresh;
        self.stage = None;
    }
}

fn at(now: Instant, segments: u32) -> AckSample {
    AckSample { now, srtt: Some(RTT), ..acked(segments) }
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

#[test]
fn growth_and_reductions_agree_with_floating_point_over_thousands_of_acknowledgments() {
    for seed in 1..60u64 {
        let mut random = seed;
        let mut next = move || {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (random >> 33) as u32
        };
        let start = 10 + next() % 3_000;
        let mut cubic = congestion(CongestionName::Cubic, start);
        let mut reference = Reference { cwnd: f64::from(start), ssthresh: 1e9, ..Reference::default() };
        let mut now = Instant::from_secs(1);
        lose(&mut cubic, now);
        reference.lose();
        for step in 0..4_000 {
            if step % (700 + seed) == 699 {
                // Both start from the same whole window, so that rounding does not add up.
                reference.cwnd = f64::from(cubic.cwnd().0);
                lose(&mut cubic, now);
                reference.lose();
                assert_eq!((plateau(&cubic), f64::from(cubic.cwnd().0)), (reference.w_max.unwrap(), reference.cwnd));
            }
            let (acked, gap) = (1 + next() % 4, 1 + next() % 30);
            now += Duration::from_millis(u64::from(gap));
            cubic.on_ack(&at(now, acked));
            reference.ack(f64::from(acked), f64::from(gap) / 1000.0, RTT.as_secs_f64());
            let got = f64::from(cubic.cwnd().0) + f64::from(stage(&cubic).fraction) / 2f64.powi(32);
            let slack = 0.002 * reference.cwnd + 0.02;
            assert!((got - reference.cwnd).abs() < slack, "seed {seed}, step {step}: {got} for {}", reference.cwnd);
        }
    }
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
// cbrt(299.8 / 0.4) = 9.08 s; one round trip early, since the window aims a round trip ahead.
#[test]
fn the_window_is_back_after_k_seconds() {
    let mut cubic = congestion(CongestionName::Cubic, 1_000);
    let mut now = Instant::from_secs(1);
    lose(&mut cubic, now);
    let mut rounds = 0;
    while cubic.cwnd() < Packets(999) {
        grown(&mut cubic, &mut now, 1);
        rounds += 1;
        assert!(rounds < 1_000);
    }
    let took = RTT * rounds;
    // The curve is flat there: within a segment of W_max means within cbrt(1 / 0.4) = 1.36 s of K.
    assert!((7.5..=9.2).contains(&took.as_secs_f64()), "{took:?}");
}

// Section 4.3 with closed form: in the Reno-friendly region the window gains alpha = 9/17 per round trip.
#[test]
fn a_small_window_grows_as_reno_would() {
    let mut cubic = congestion(CongestionName::Cubic, 20);
    let mut now = Instant::from_secs(1);
    lose(&mut cubic, now);
    assert_eq!(cubic.cwnd(), Packets(14));
    // 5 ms: the curve hardly moves.
    for _ in 0..8 {
        now += Duration::from_millis(5);
        cubic.on_ack(&AckSample { srtt: Some(Duration::from_millis(5)), ..at(now, cubic.cwnd().0) });
    }
    assert_eq!(cubic.cwnd(), Packets(14 + 8 * 9 / 17));
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
    assert_eq!(cubic.cwnd().0, 490);
    grown(&mut cubic, &mut now, 1);
    assert_eq!(stage(&cubic).curve, Curve::new(Segments::whole(490), Segments::whole(490)));
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
    assert_eq!(cubic.cwnd(), cubic.ssthresh());
    // 10, 20, 40, 80, 160: the queue shows after eight acknowledgments of the round of 160. The others
    // count a quarter, and four more rounds grow by a quarter: (168 + 152 / 4) · 1.25⁴ = 503.
    assert!((495..=503).contains(&cubic.cwnd().0), "{:?}", cubic.cwnd());
}
