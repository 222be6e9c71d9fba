//! HyStart++: when slow start has gone far enough.
//!
//! Decides, by round-trip times, when to grow slowly (Conservative Slow Start), when that was a
//! mistake, and when slow start is over. Owns RFC 9406 section 4. Only for the first slow start,
//! while ssthresh is infinite. Beyond it: a round trip that rises as much again ends slow start at once
//! (docs/decisions/slow-start.md). No limit L on growth per acknowledgment, as on Linux: one that
//! covers a super-segment counts for all of it, and bursts are bounded by super-segments' size.

use core::time::Duration;

use crate::units::{Local, Seq};

// Section 4.3.
const MIN_RTT_THRESH: u32 = 4_000;
const MAX_RTT_THRESH: u32 = 16_000;
const MIN_RTT_DIVISOR: u32 = 8;
const N_RTT_SAMPLE: u8 = 8;
const CSS_GROWTH_DIVISOR: u32 = 4;
const CSS_ROUNDS: u8 = 5;

/// "Infinite" in microseconds.
const NO_RTT: u32 = u32::MAX;

/// What is known of the first slow start. Round-trip times in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct HyStart {
    /// The current round ends when this is acknowledged.
    window_end: Seq<Local>,
    last_round_min: u32,
    current_round_min: u32,
    /// Least round trip when Conservative Slow Start began; infinite outside it.
    css_baseline: u32,
    samples: u8,
    /// Rounds of Conservative Slow Start that are over, or have begun.
    css_rounds: u8,
    /// Segments acknowledged in Conservative Slow Start that the window has not grown by yet.
    remainder: u8,
}

impl HyStart {
    pub(super) fn new(nxt: Seq<Local>) -> HyStart {
        HyStart {
            window_end: nxt,
            last_round_min: NO_RTT,
            current_round_min: NO_RTT,
            css_baseline: NO_RTT,
            samples: 0,
            css_rounds: 0,
            remainder: 0,
        }
    }

    fn is_conservative(&self) -> bool {
        self.css_baseline != NO_RTT
    }

    /// An acknowledgment of data has arrived. Whether slow start is over.
    #[must_use]
    pub(super) fn on_ack(&mut self, una: Seq<Local>, nxt: Seq<Local>, rtt: Option<Duration>) -> bool {
        if let Some(rtt) = rtt {
            let rtt = u32::try_from(rtt.as_micros()).unwrap_or(NO_RTT - 1);
            self.current_round_min = self.current_round_min.min(rtt);
            self.samples = self.samples.saturating_add(1);
            if self.judge() {
                return true;
            }
        }
        if una.before(self.window_end) {
            return false;
        }
        // A round ends, the next begins.
        self.window_end = nxt;
        self.last_round_min = self.current_round_min;
        self.current_round_min = NO_RTT;
        self.samples = 0;
        if self.is_conservative() {
            self.css_rounds += 1;
        }
        self.is_conservative() && self.css_rounds >= CSS_ROUNDS
    }

    /// Section 4.2. Whether there can be no doubt any more: the round trip has risen again since Conservative Slow Start began.
    fn judge(&mut self) -> bool {
        if self.samples < N_RTT_SAMPLE {
            return false;
        }
        if self.is_conservative() {
            // The rise was jitter, not a queue: back to slow start.
            if self.current_round_min < self.css_baseline {
                self.css_baseline = NO_RTT;
                self.remainder = 0;
            }
            self.is_conservative() && self.has_risen_from(self.css_baseline)
        } else {
            if self.last_round_min != NO_RTT && self.has_risen_from(self.last_round_min) {
                self.css_baseline = self.current_round_min;
                self.css_rounds = 0;
            }
            false
        }
    }

    /// By RttThresh.
    fn has_risen_from(&self, base: u32) -> bool {
        let threshold = (base / MIN_RTT_DIVISOR).clamp(MIN_RTT_THRESH, MAX_RTT_THRESH);
        self.current_round_min >= base.saturating_add(threshold)
    }

    /// By how much the window may grow for `acked` segments.
    pub(super) fn growth(&mut self, acked: u32) -> u32 {
        if !self.is_conservative() {
            return acked;
        }
        let acked = acked.saturating_add(u32::from(self.remainder));
        self.remainder = (acked % CSS_GROWTH_DIVISOR) as u8;
        acked / CSS_GROWTH_DIVISOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty acknowledgments in each round.
    const ROUND: u32 = 20;

    struct Flow {
        hystart: HyStart,
        una: u32,
    }

    impl Flow {
        fn new() -> Flow {
            Flow { hystart: HyStart::new(Seq::new(ROUND)), una: 0 }
        }

        /// A round with these round-trip times in milliseconds. Each acknowledgment lets a segment out.
        fn round(&mut self, rtts: &[u64; ROUND as usize]) -> bool {
            rtts.iter().fold(false, |over, rtt| {
                self.una += 1;
                let rtt = (*rtt > 0).then(|| Duration::from_millis(*rtt));
                over | self.hystart.on_ack(Seq::new(self.una), Seq::new(self.una + ROUND), rtt)
            })
        }
    }

    #[test]
    fn a_queue_that_stays_ends_slow_start_after_five_conservative_rounds() {
        let mut flow = Flow::new();
        assert!(!flow.round(&[40; 20]));
        assert!(!flow.round(&[44; 20]), "4 ms is below an eighth of 40");
        assert!(!flow.hystart.is_conservative());
        // Threshold 44 / 8 = 5.5 ms.
        let mut rounds = 0;
        while !flow.round(&[50 + rounds; 20]) {
            assert!(flow.hystart.is_conservative());
            rounds += 1;
            assert!(rounds < 10);
        }
        assert_eq!(rounds + 1, u64::from(CSS_ROUNDS), "the round in which it began counts");
    }

    // Not the RFC's: the queue grows by growing conservatively, and soon somebody drops.
    #[test]
    fn a_round_trip_that_rises_again_ends_slow_start_at_once() {
        for (again, over) in [(57, true), (56, false)] {
            let mut flow = Flow::new();
            let _ = flow.round(&[40; 20]);
            assert!(!flow.round(&[50; 20]), "the first rise may be jitter");
            // Threshold 50 / 8 = 6.25 ms.
            assert_eq!(flow.round(&[again; 20]), over, "{again} ms");
        }
    }

    #[test]
    fn jitter_that_passes_brings_slow_start_back() {
        let mut flow = Flow::new();
        let _ = flow.round(&[40; 20]);
        let _ = flow.round(&[60; 20]);
        assert!(flow.hystart.is_conservative());
        let mut better = [65; 20];
        better[9] = 41;
        assert!(!flow.round(&better));
        assert!(!flow.hystart.is_conservative());
    }

    #[test]
    fn fewer_than_eight_samples_in_a_round_prove_nothing() {
        let mut flow = Flow::new();
        let _ = flow.round(&[40; 20]);
        let mut few = [0; 20];
        few[..7].fill(90);
        let _ = flow.round(&few);
        assert!(!flow.hystart.is_conservative());
    }

    #[test]
    fn thresholds_are_an_eighth_between_4_and_16_ms() {
        for (rtt, threshold) in [(8, 4), (32, 4), (64, 8), (128, 16), (600, 16)] {
            let mut below = Flow::new();
            let _ = below.round(&[rtt; 20]);
            let _ = below.round(&[rtt + threshold - 1; 20]);
            assert!(!below.hystart.is_conservative(), "{rtt} ms");
            let mut at = Flow::new();
            let _ = at.round(&[rtt; 20]);
            let _ = at.round(&[rtt + threshold; 20]);
            assert!(at.hystart.is_conservative(), "{rtt} ms");
        }
    }

    #[test]
    fn conservative_growth_is_a_quarter_and_loses_nothing() {
        let mut flow = Flow::new();
        assert_eq!(flow.hystart.growth(7), 7);
        let _ = flow.round(&[40; 20]);
        let _ = flow.round(&[60; 20]);
        let grown: u32 = (0..100).map(|n| flow.hystart.growth(n % 7)).sum();
        assert_eq!(grown, (0..100).map(|n| n % 7).sum::<u32>() / 4);
    }
}
