//! Reno: slow start, congestion avoidance, halving.
//!
//! Owns RFC 5681 section 3 (windows), RFC 6928 (the initial window is given), RFC 2861
//! (after idle). Counts segments as Linux does: an acknowledgment of n segments counts n.

use core::time::Duration;

use segue_wire::Instant;

use super::{AckSample, Controller, LossSample};
use crate::units::Packets;

/// "Arbitrarily high" (RFC 5681 section 3.1), and what Linux shows for it.
const INFINITE: Packets = Packets(0x7fff_ffff);
/// RFC 5681 equation 4: never below two segments.
const LEAST_SSTHRESH: u32 = 2;

#[derive(Clone, Debug)]
pub(crate) struct Reno {
    cwnd: Packets,
    ssthresh: Packets,
    /// Segments acknowledged since cwnd last grew in congestion avoidance.
    credit: u32,
}

impl Reno {
    pub(crate) fn new(initial: Packets) -> Reno {
        Reno { cwnd: Packets(initial.0.max(1)), ssthresh: INFINITE, credit: 0 }
    }

    /// RFC 5681 section 3.1, equation 2; returns what is left of `acked` beyond ssthresh.
    fn slow_start(&mut self, acked: u32) -> u32 {
        let target = self.cwnd.saturating_add(Packets(acked)).min(self.ssthresh);
        let used = target.saturating_sub(self.cwnd).0;
        self.cwnd = target;
        acked - used
    }

    /// Equation 3: one segment per window acknowledged.
    fn avoid_congestion(&mut self, acked: u32) {
        self.credit = self.credit.saturating_add(acked);
        if self.credit >= self.cwnd.0 {
            let growth = self.credit / self.cwnd.0;
            self.credit -= growth * self.cwnd.0;
            self.cwnd = self.cwnd.saturating_add(Packets(growth)).min(INFINITE);
        }
    }

    /// Equation 4. FlightSize, not cwnd: a window that was not used is not what the path carried.
    fn half(in_flight: Packets) -> Packets {
        Packets((in_flight.0 / 2).max(LEAST_SSTHRESH))
    }
}

impl Controller for Reno {
    fn cwnd(&self) -> Packets {
        self.cwnd
    }

    fn ssthresh(&self) -> Packets {
        self.ssthresh
    }

    fn pacing_rate(&self) -> Option<u64> {
        None
    }

    fn on_ack(&mut self, sample: &AckSample) {
        if !sample.cwnd_limited {
            return;
        }
        let mut acked = sample.acked.0;
        if self.cwnd < self.ssthresh {
            acked = self.slow_start(acked);
        }
        if acked > 0 && self.cwnd >= self.ssthresh {
            self.avoid_congestion(acked);
        }
    }

    fn on_loss(&mut self, sample: &LossSample) {
        self.ssthresh = Reno::half(sample.in_flight);
        self.cwnd = self.ssthresh;
        self.credit = 0;
    }

    fn on_recovered(&mut self, _now: Instant) {
        self.cwnd = self.cwnd.min(self.ssthresh);
    }

    fn on_rto(&mut self, sample: &LossSample, first: bool) {
        // RFC 5681 section 3.1: halve for the first timeout of a segment, not for its repetitions.
        if first {
            self.ssthresh = Reno::half(sample.in_flight);
        }
        self.cwnd = Packets(1);
        self.credit = 0;
    }

    fn on_idle(&mut self, idle: Duration, rto: Duration, restart: Packets) {
        // RFC 2861: remember three quarters of the window, halve it once per RTO idle,
        // not below the restart window.
        self.ssthresh = self.ssthresh.max(Packets(self.cwnd.0 / 4 * 3));
        let floor = restart.min(self.cwnd);
        let mut left = idle.saturating_sub(rto);
        while self.cwnd > floor {
            self.cwnd = Packets(self.cwnd.0 / 2).max(floor);
            if left < rto || rto.is_zero() {
                break;
            }
            left -= rto;
        }
        self.credit = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(reno: &mut Reno, acked: u32) {
        reno.on_ack(&AckSample {
            now: Instant::ZERO,
            acked: Packets(acked),
            rtt: None,
            in_flight: reno.cwnd,
            cwnd_limited: true,
        });
    }

    fn loss(in_flight: u32) -> LossSample {
        LossSample { now: Instant::ZERO, in_flight: Packets(in_flight) }
    }

    #[test]
    fn slow_start_doubles_per_round_and_stops_at_ssthresh() {
        let mut reno = Reno::new(Packets(10));
        for _ in 0..10 {
            ack(&mut reno, 1);
        }
        assert_eq!(reno.cwnd(), Packets(20));
        reno.ssthresh = Packets(25);
        ack(&mut reno, 20);
        // 5 to ssthresh, then 15 towards the next segment of congestion avoidance.
        assert_eq!((reno.cwnd(), reno.credit), (Packets(25), 15));
    }

    #[test]
    fn congestion_avoidance_grows_one_segment_per_window() {
        let mut reno = Reno::new(Packets(10));
        reno.on_loss(&loss(40));
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(20), Packets(20)));
        for _ in 0..20 {
            ack(&mut reno, 1);
        }
        assert_eq!(reno.cwnd(), Packets(21));
        ack(&mut reno, 21);
        assert_eq!(reno.cwnd(), Packets(22));
    }

    #[test]
    fn a_timeout_halves_once_and_restarts_from_one_segment() {
        let mut reno = Reno::new(Packets(64));
        reno.on_rto(&loss(64), true);
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(1), Packets(32)));
        reno.on_rto(&loss(1), false);
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(1), Packets(32)));
        reno.on_rto(&loss(1), true);
        assert_eq!(reno.ssthresh(), Packets(2));
    }

    #[test]
    fn a_window_that_was_not_used_does_not_grow() {
        let mut reno = Reno::new(Packets(10));
        reno.on_ack(&AckSample {
            now: Instant::ZERO,
            acked: Packets(5),
            rtt: None,
            in_flight: Packets(5),
            cwnd_limited: false,
        });
        assert_eq!(reno.cwnd(), Packets(10));
    }

    #[test]
    fn idling_halves_once_per_timeout_down_to_the_restart_window() {
        let rto = Duration::from_millis(300);
        for (idle, expected) in [(1, 50), (2, 25), (3, 12), (4, 10), (100, 10)] {
            let mut reno = Reno::new(Packets(100));
            reno.on_idle(rto * idle, rto, Packets(10));
            assert_eq!(reno.cwnd(), Packets(expected), "{idle} timeouts");
        }
        let mut small = Reno::new(Packets(4));
        small.on_idle(rto * 9, rto, Packets(10));
        assert_eq!(small.cwnd(), Packets(4));
    }
}
