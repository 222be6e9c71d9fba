//! For tests: the same numbers as Linux, segment by segment.
//!
//! The reference is written from what Linux's tcp_cubic keeps and does, in its units (250 jiffies a second, 32-bit
//! windows, its own fields), and shares nothing with the algorithm under test but samples.

use core::time::Duration;

use super::super::Congestion;
use super::super::tests::{acked, congestion, loss};
use super::{AckSample, Instant, LossSample};
use crate::options::CongestionName;

/// What Linux keeps of a flow. Zero is "not known" where it is there.
#[derive(Clone, Debug, Default)]
struct Reference {
    cwnd: u32,
    ssthresh: u32,
    saved_up: u32,
    cnt: u32,
    last_max: u32,
    last_cwnd: u32,
    last_time: u64,
    origin: u32,
    k: f64,
    delay_min: u64,
    epoch: Option<u64>,
    acks: u32,
    reno: u32,
}

impl Reference {
    fn on_ack(&mut self, now: u64, mut acked: u32, rtt_us: u64) {
        if self.epoch.is_none_or(|epoch| now - epoch >= 250) && (self.delay_min == 0 || rtt_us < self.delay_min) {
            self.delay_min = rtt_us;
        }
        if self.cwnd < self.ssthresh {
            let room = acked.min(self.ssthresh - self.cwnd);
            self.cwnd += room;
            acked -= room;
        }
        if acked > 0 {
            self.update(now, acked);
            if self.saved_up >= self.cnt {
                self.saved_up = 0;
                self.cwnd += 1;
            }
            self.saved_up += acked;
            self.cwnd += self.saved_up / self.cnt;
            self.saved_up %= self.cnt;
        }
    }

    fn update(&mut self, now: u64, acked: u32) {
        self.acks += acked;
        if self.last_cwnd == self.cwnd && now - self.last_time <= 7 {
            return;
        }
        if self.epoch.is_none() || now != self.last_time {
            (self.last_cwnd, self.last_time) = (self.cwnd, now);
            if self.epoch.is_none() {
                (self.epoch, self.acks, self.reno) = (Some(now), acked, self.cwnd);
                self.origin = self.last_max.max(self.cwnd);
                let gap = f64::from(self.origin - self.cwnd);
                self.k = (gap * (1u64 << 40) as f64 / 410.0).cbrt().floor();
            }
            let t = (((now - self.epoch.unwrap_or(now) + self.delay_min.div_ceil(4000)) << 10) / 250) as f64;
            let delta = (410.0 * (t - self.k).abs().powi(3) / (1u64 << 40) as f64).floor() as u32;
            let target = if t < self.k { self.origin - delta } else { self.origin + delta };
            self.cnt = if target > self.cwnd { self.cwnd / (target - self.cwnd) } else { 100 * self.cwnd };
            if self.last_max == 0 {
                self.cnt = self.cnt.min(20);
            }
        }
        while self.acks > self.cwnd * 15 / 8 {
            self.acks -= self.cwnd * 15 / 8;
            self.reno += 1;
        }
        if self.reno > self.cwnd {
            self.cnt = self.cnt.min(self.cwnd / (self.reno - self.cwnd));
        }
        self.cnt = self.cnt.max(2);
    }

    fn on_congestion(&mut self) {
        self.epoch = None;
        self.last_max = if self.cwnd < self.last_max { self.cwnd * (1024 + 717) / 2048 } else { self.cwnd };
        self.ssthresh = (self.cwnd * 717 / 1024).max(2);
        self.saved_up = 0;
    }

    fn on_loss(&mut self) {
        self.on_congestion();
        self.cwnd = self.ssthresh;
    }

    fn on_timeout(&mut self) {
        self.on_congestion();
        let kept = Reference { cwnd: 1, ssthresh: self.ssthresh, ..Reference::default() };
        *self = kept;
    }
}

/// A flow and its reference, at the same events.
struct Pair {
    flow: Congestion,
    reference: Reference,
    now: Instant,
}

impl Pair {
    /// The first reduction of a window of `cwnd`, so that slow start is not the first one, which has HyStart++.
    fn reduced(cwnd: u32) -> Pair {
        let reference = Reference { cwnd, ssthresh: cwnd, ..Reference::default() };
        let mut pair = Pair { flow: congestion(CongestionName::Cubic, cwnd), reference, now: Instant::from_secs(1) };
        pair.lose();
        pair
    }

    fn acked(&mut self, segments: u32, rtt: Duration) {
        self.flow.on_ack(&AckSample { now: self.now, rtt: Some(rtt), srtt: Some(rtt), ..acked(segments) });
        self.reference.on_ack(self.now.as_millis() / 4, segments, rtt.as_micros() as u64);
    }

    fn lose(&mut self) {
        let _ = self.flow.on_loss(&LossSample { now: self.now, ..loss(0) });
        self.flow.on_recovered(self.now);
        self.reference.on_loss();
    }

    fn time_out(&mut self) {
        let _ = self.flow.on_rto(&LossSample { now: self.now, ..loss(0) }, true);
        self.reference.on_timeout();
    }
}

/// Uniform below `n`.
fn below(state: &mut u64, n: u64) -> u64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 33) % n
}

// Round trips of 0.3 to 400 ms, windows of 2 to some thousands, acknowledgments of one segment and of many, losses soon and
// late, timeouts. Linux takes the cube root by a table and one step of Newton's, 0.2 % off; here both take it as it is.
#[test]
fn the_window_is_linuxs_after_every_acknowledgment() {
    for seed in 0..300 {
        let mut state = seed;
        let mut pair = Pair::reduced(2 + below(&mut state, 1 << (2 + seed % 10)) as u32);
        let rtt = Duration::from_micros(300 + below(&mut state, 1_000 << (seed % 9)) * 8 / 5);
        let most_acked = 1 + below(&mut state, 1 + seed % 44) as u32;
        let losses = 1 + below(&mut state, 100 << (seed % 7));
        for step in 0..5_000 {
            let acked = (1 + below(&mut state, u64::from(most_acked)) as u32).min(pair.reference.cwnd);
            pair.now += rtt * acked / pair.reference.cwnd;
            if below(&mut state, losses) == 0 {
                // Recovery takes a round trip, or next to none.
                pair.lose();
                pair.now += rtt * below(&mut state, 2) as u32;
            } else if below(&mut state, losses * 20) == 0 {
                pair.time_out();
                pair.now += rtt + Duration::from_millis(200);
            }
            pair.acked(acked, rtt + Duration::from_micros(below(&mut state, 1 + rtt.as_micros() as u64 / 4)));
            let got = (pair.flow.cwnd().0, pair.flow.ssthresh().0);
            assert_eq!(got, (pair.reference.cwnd, pair.reference.ssthresh), "seed {seed}, step {step}, {rtt:?}");
            if pair.reference.cwnd > 100_000 {
                break;
            }
        }
    }
}
