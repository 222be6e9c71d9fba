//! Reno: slow start, congestion avoidance, halving.
//!
//! Owns RFC 5681 section 3.1. Counts segments as Linux does: an acknowledgment of n segments
//! counts n. ssthresh is half of cwnd, not of FlightSize, as on Linux: cwnd never grows beyond
//! what is used, and shrinks when it is not (`validation`).

use super::Window;
use super::controller::{AckSample, Controller, LossSample, Reason};
use crate::units::Packets;

/// RFC 5681 equation 4: never below two segments.
const LEAST_SSTHRESH: u32 = 2;

/// Segments acknowledged since cwnd last grew in congestion avoidance.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Credit(u32);

impl Credit {
    /// The window grows by one for each `per` segments acknowledged.
    pub(super) fn grow(&mut self, window: &mut Window, per: u32, acked: u32) {
        let per = per.max(1);
        // As Linux: what was saved up when more were asked for counts for one segment.
        let mut growth = 0;
        if self.0 >= per {
            self.0 = 0;
            growth = 1;
        }
        self.0 = self.0.saturating_add(acked);
        growth += self.0 / per;
        self.0 %= per;
        window.cwnd = window.cwnd.saturating_add(Packets(growth)).min(super::INFINITE);
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reno {
    credit: Credit,
}

impl Controller for Reno {
    fn on_ack(&mut self, window: &mut Window, ack: &AckSample) {
        let mut acked = ack.credit.0;
        if !ack.cwnd_limited || acked == 0 {
            return;
        }
        if window.in_slow_start() {
            acked = window.slow_start(acked);
        }
        if acked > 0 {
            // RFC 5681 section 3.1, equation 3: one segment per window acknowledged.
            self.credit.grow(window, window.cwnd.0, acked);
        }
    }

    fn reduced(&mut self, window: &Window, _sample: &LossSample, _reason: Reason) -> Packets {
        self.credit = Credit::default();
        Packets((window.cwnd.0 / 2).max(LEAST_SSTHRESH))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{acked, congestion, loss};
    use super::*;
    use crate::options::CongestionName;

    #[test]
    fn slow_start_doubles_per_round_and_stops_at_ssthresh() {
        let mut reno = congestion(CongestionName::Reno, 10);
        for _ in 0..10 {
            reno.on_ack(&acked(1));
        }
        assert_eq!(reno.cwnd(), Packets(20));
        reno.window.ssthresh = Packets(25);
        reno.on_ack(&acked(20));
        // 5 to ssthresh, then 15 towards the next segment of congestion avoidance.
        assert_eq!(reno.cwnd(), Packets(25));
        reno.on_ack(&acked(10));
        assert_eq!(reno.cwnd(), Packets(26));
    }

    #[test]
    fn congestion_avoidance_grows_one_segment_per_window() {
        let mut reno = congestion(CongestionName::Reno, 40);
        let _ = reno.on_loss(&loss(40));
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(40), Packets(20)));
        reno.on_recovered(acked(0).now);
        assert_eq!(reno.cwnd(), Packets(20));
        for _ in 0..20 {
            reno.on_ack(&acked(1));
        }
        assert_eq!(reno.cwnd(), Packets(21));
        reno.on_ack(&acked(21));
        assert_eq!(reno.cwnd(), Packets(22));
    }

    #[test]
    fn a_timeout_halves_once_and_restarts_from_one_segment() {
        let mut reno = congestion(CongestionName::Reno, 64);
        assert!(reno.on_rto(&loss(0), true).is_some());
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(1), Packets(32)));
        assert!(reno.on_rto(&loss(0), false).is_none());
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(1), Packets(32)));
        let _ = reno.on_rto(&loss(3), true);
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(4), Packets(2)));
    }

    #[test]
    fn a_window_that_was_not_used_does_not_grow() {
        let mut reno = congestion(CongestionName::Reno, 10);
        reno.on_ack(&AckSample { cwnd_limited: false, ..acked(10) });
        assert_eq!(reno.cwnd(), Packets(10));
    }
}
