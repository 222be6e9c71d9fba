//! RACK: what was sent before something that has arrived should have arrived, too, after a while.
//!
//! Owns RFC 8985 sections 6.2 steps 2 to 4 (the newest delivered segment, reordering, the reordering
//! window) as Linux has them: reordering counts in segments as well (`tcp_reordering`), and shows by
//! time or by how far a segment was overtaken. Which segments are lost is the scoreboard's to find
//! by what is decided here.

use core::time::Duration;

use segue_wire::Instant;

use crate::config::Config;
use crate::units::{Local, Packets, Seq};

/// Recoveries that a widened reordering window outlives (RFC 8985 section 6.2 step 4).
const PERSISTENCE: u8 = 16;

/// From one moment to the other as both are told in microseconds, one at least: what left together takes equally long, or
/// what is lost would be found a timer later.
pub(crate) fn micros_between(from: Instant, to: Instant) -> u64 {
    to.as_micros().saturating_sub(from.as_micros()).max(1)
}

/// The newest delivered segment (RACK.segment) and the round trip that it took; of interest as long as something
/// is outstanding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rack {
    sent_at: Instant,
    end: Seq<Local>,
    /// Round-trip time of the segment delivered last, in microseconds ([`micros_between`]); 0 before the first.
    rtt: u32,
}

impl Default for Rack {
    fn default() -> Rack {
        Rack { sent_at: Instant::ZERO, end: Seq::new(0), rtt: 0 }
    }
}

impl Rack {
    /// `None` before anything was delivered.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        (self.rtt > 0).then(|| Duration::from_micros(u64::from(self.rtt)))
    }

    /// RACK_sent_after: whether the newest delivered segment left after this one.
    pub(crate) fn left_after(&self, sent_at: Instant, end: Seq<Local>) -> bool {
        self.rtt > 0 && (self.sent_at > sent_at || (self.sent_at == sent_at && self.end.after(end)))
    }

    /// Step 2. `resent`: it was sent more than once, and may have arrived by an earlier copy. Whether there is
    /// reason to look for loss now.
    pub(crate) fn on_delivered(
        &mut self,
        now: Instant,
        sent_at: Instant,
        end: Seq<Local>,
        resent: bool,
        min_rtt: Option<Duration>,
    ) -> bool {
        let rtt = now - sent_at;
        if resent && min_rtt.is_some_and(|min| rtt < min) {
            return false;
        }
        if !self.left_after(sent_at, end) {
            (self.sent_at, self.end) = (sent_at, end);
        }
        self.rtt = u32::try_from(micros_between(sent_at, now)).unwrap_or(u32::MAX);
        true
    }
}

/// What is known of reordering on the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reordering {
    /// By how many segments one may be overtaken without being lost.
    pub(crate) degree: u16,
    /// How often reordering was seen.
    pub(crate) seen: u32,
    /// The reordering window in quarters of the least round-trip time.
    steps: u8,
    /// Recoveries until it is narrow again.
    persist: u8,
    /// A D-SACK came that the window may have been too narrow for.
    duplicate: bool,
    /// Segments delivered when the window was last widened, modulo 2^32: not again before one arrives that left later, once
    /// per round trip.
    widened_at: u32,
}

impl Reordering {
    pub(crate) fn new(config: &Config) -> Reordering {
        Reordering { degree: config.reordering.into(), seen: 0, steps: 1, persist: 0, duplicate: false, widened_at: 0 }
    }

    /// `low` has arrived, sent once, when `fack` had: Linux's measure of how far it was overtaken.
    /// Whether that is reordering.
    pub(crate) fn on_late(&mut self, low: Seq<Local>, fack: Seq<Local>, mss: u32, config: &Config) -> bool {
        if !low.before(fack) {
            return false;
        }
        let distance = fack.since(low).div_ceil(mss.max(1));
        if distance > u32::from(self.degree) {
            self.degree = u16::try_from(distance).unwrap_or(u16::MAX).min(config.max_reordering);
        }
        self.seen = self.seen.saturating_add(1);
        true
    }

    /// Without SACK: more duplicates came than loss explains.
    pub(crate) fn on_surplus(&mut self, segments: Packets, config: &Config) {
        self.degree = u16::try_from(segments.0).unwrap_or(u16::MAX).min(config.max_reordering);
        self.seen = self.seen.saturating_add(1);
    }

    /// A timeout after enough duplicates: the degree was estimated too high.
    pub(crate) fn on_timeout(&mut self, config: &Config) {
        self.degree = self.degree.min(config.reordering.into());
    }

    /// A D-SACK for something that a probe did not send: RACK may have been hasty.
    pub(crate) fn on_duplicate(&mut self) {
        self.duplicate |= self.seen > 0;
    }

    /// Step 4, first part: once per round trip with a D-SACK the window becomes wider. As Linux counts round trips: `prior`
    /// segments had been delivered when the newest of those left that an acknowledgment delivers, `delivered` have been now. A
    /// D-SACK of the round trip in which it was widened is forgotten.
    pub(crate) fn widen(&mut self, prior: u32, delivered: u32, config: &Config) {
        if config.recovery & STATIC_WINDOW != 0 {
            return;
        }
        if (prior.wrapping_sub(self.widened_at) as i32) < 0 {
            self.duplicate = false;
        }
        if core::mem::take(&mut self.duplicate) {
            self.widened_at = delivered;
            self.steps = self.steps.saturating_add(1);
            self.persist = PERSISTENCE;
        } else if self.persist == 0 {
            self.steps = 1;
        }
    }

    /// A recovery has ended that was not needless.
    pub(crate) fn on_recovered(&mut self) {
        self.persist = self.persist.saturating_sub(1);
    }

    /// A recovery was needless, as D-SACKs say: it does not count.
    pub(crate) fn on_undone(&mut self) {
        self.persist = (self.persist + 1).min(PERSISTENCE);
    }

    /// Whether so many segments behind a hole are enough to count it as lost at once: nothing was ever reordered.
    pub(crate) fn is_enough(&self, sacked: Packets, config: &Config) -> bool {
        self.seen == 0 && sacked.0 >= u32::from(self.degree) && config.recovery & NO_DUPLICATE_THRESHOLD == 0
    }

    /// Step 4, second part: the reordering window. `recovering`: in fast recovery or after a timeout.
    pub(crate) fn window(
        &self,
        recovering: bool,
        sacked: Packets,
        min_rtt: Option<Duration>,
        srtt: Option<Duration>,
        config: &Config,
    ) -> Duration {
        if (recovering && self.seen == 0) || self.is_enough(sacked, config) {
            return Duration::ZERO;
        }
        let (Some(min), Some(srtt)) = (min_rtt, srtt) else { return Duration::ZERO };
        (min / 4 * u32::from(self.steps)).min(srtt)
    }
}

/// `tcp_recovery` bit: the reordering window keeps its width.
const STATIC_WINDOW: u8 = 2;
/// `tcp_recovery` bit: enough segments sacked are no reason to do without the window.
const NO_DUPLICATE_THRESHOLD: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn seq(n: u32) -> Seq<Local> {
        Seq::new(u32::MAX - 500) + n
    }

    #[test]
    fn the_newest_delivered_segment_is_the_one_sent_last_whatever_the_order_of_arrival() {
        let mut rack = Rack::default();
        let at = Instant::from_millis;
        assert!(rack.on_delivered(at(100), at(20), seq(2_000), false, None));
        assert!(rack.on_delivered(at(101), at(10), seq(9_000), false, None));
        assert!(rack.left_after(at(20), seq(1_000)) && !rack.left_after(at(20), seq(2_000)));
        assert_eq!(rack.rtt(), Some(91 * MS));
        // Sent again 5 ms ago on a path of 50: an earlier copy has arrived.
        assert!(!rack.on_delivered(at(105), at(100), seq(500), true, Some(50 * MS)));
        assert!(!rack.left_after(at(20), seq(2_000)));
        assert!(rack.on_delivered(at(150), at(100), seq(500), true, Some(50 * MS)));
        assert!(rack.left_after(at(99), seq(9_000)));
    }

    // RFC 8985 section 6.2 step 4 as it is printed.
    #[test]
    fn the_window_is_nothing_until_reordering_is_seen_and_then_a_quarter_of_the_least_round_trip() {
        let config = Config::default();
        let mut reordering = Reordering::new(&config);
        let (min, srtt) = (Some(40 * MS), Some(50 * MS));
        let window = |r: &Reordering, recovering, sacked| r.window(recovering, Packets(sacked), min, srtt, &config);
        assert_eq!(window(&reordering, false, 2), 10 * MS);
        assert_eq!(window(&reordering, false, 3), Duration::ZERO);
        assert_eq!(window(&reordering, true, 0), Duration::ZERO);
        let by_time = Config { recovery: 5, ..Config::default() };
        assert_eq!(reordering.window(false, Packets(3), min, srtt, &by_time), 10 * MS);
        assert!(reordering.on_late(seq(0), seq(5_500), 1_000, &config));
        assert_eq!((reordering.degree, reordering.seen), (6, 1));
        assert_eq!(window(&reordering, true, 9), 10 * MS);
        assert!(!reordering.on_late(seq(10), seq(10), 1_000, &config));
        assert!(reordering.on_late(seq(0), seq(900_000), 1_000, &config));
        assert_eq!(reordering.degree, config.max_reordering);
    }

    #[test]
    fn each_round_trip_with_a_dsack_widens_the_window_by_a_quarter_up_to_srtt_for_sixteen_recoveries() {
        let config = Config::default();
        let mut reordering = Reordering::new(&config);
        let window = |r: &Reordering| r.window(true, Packets(0), Some(40 * MS), Some(50 * MS), &config);
        // Without reordering seen a D-SACK says nothing about the window.
        reordering.on_duplicate();
        reordering.widen(1, 2, &config);
        reordering.on_late(seq(0), seq(5), 1, &config);
        assert_eq!(window(&reordering), 10 * MS);
        for (prior, delivered, expected) in
            [(2, 10, 20), (9, 15, 20), (10, 20, 30), (20, 30, 40), (29, 31, 40), (30, 40, 50), (40, 50, 50)]
        {
            reordering.on_duplicate();
            reordering.widen(prior, delivered, &config);
            assert_eq!(window(&reordering), expected * MS, "{prior} were delivered");
        }
        // What came too early for the round trip is forgotten, not kept for the next.
        reordering.on_duplicate();
        reordering.widen(49, 55, &config);
        reordering.widen(55, 60, &config);
        for _ in 0..15 {
            reordering.on_recovered();
            reordering.widen(60, 61, &config);
        }
        assert_eq!(window(&reordering), 50 * MS);
        reordering.on_recovered();
        reordering.widen(70, 71, &config);
        assert_eq!(window(&reordering), 10 * MS);
        let fixed = Config { recovery: 3, ..Config::default() };
        reordering.on_duplicate();
        reordering.widen(90, 91, &fixed);
        assert_eq!(window(&reordering), 10 * MS);
    }
}
