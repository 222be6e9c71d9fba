//! Validation of the congestion window: whether it is used.
//!
//! Decides whether cwnd may grow, and when a part of it that is not used is given up. A window
//! that the application, or the peer's window, leaves unfilled says nothing about the path. Owns
//! RFC 2861 (RFC 7661's concern) with Linux's rules: limited is what was limited at any time in the
//! current round trip; in slow start cwnd may reach twice what was outstanding.

use core::time::Duration;

use segue_wire::Instant;

use super::Window;
use crate::units::{Local, Packets, Seq};

/// How the window was used of late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// When the window was last full, might have grown, or was cut for not being so.
    full_at: Instant,
    /// The current round trip ends when this is acknowledged. Of no effect while `most` is 0.
    round_end: Seq<Local>,
    /// Most segments outstanding in the current round trip.
    most: Packets,
    /// Most segments outstanding since `full_at`.
    used: Packets,
    /// The window was full at some time in the current round trip.
    limited: bool,
}

/// What is outstanding after sending has stopped for now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outstanding {
    pub(crate) una: Seq<Local>,
    pub(crate) nxt: Seq<Local>,
    /// Segments sent and not acknowledged.
    pub(crate) segments: Packets,
    /// Of these, what is thought to be in the network, fills the window.
    pub(crate) fills_window: bool,
}

/// Whether the window must follow what is used of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) enum Verdict {
    Keep,
    /// For an RTO no more than this was used.
    Unused(Packets),
}

impl Usage {
    pub(crate) fn new(now: Instant) -> Usage {
        Usage { full_at: now, round_end: Seq::new(0), most: Packets(0), used: Packets(0), limited: false }
    }

    /// Whether the window, and nothing else, held the sender back.
    /// `strictly`: slow start's extra does not count, the algorithm has none.
    pub(crate) fn is_limited(&self, window: Window, strictly: bool) -> bool {
        // RFC 5681 section 3.1 has nothing to say to an application that sends less than it may; in slow
        // start a window of twice what was used cannot become a burst that was never tried.
        self.limited || (!strictly && window.in_slow_start() && window.cwnd.0 < self.most.0.saturating_mul(2))
    }

    /// Something was sent, or could not be because the window was full.
    pub(crate) fn on_sent(&mut self, now: Instant, out: &Outstanding, window: Window, rto: Duration) -> Verdict {
        let new_round = self.most == Packets(0) || !out.una.before(self.round_end);
        if new_round || out.fills_window || (!self.limited && out.segments > self.most) {
            self.limited = out.fills_window;
            self.most = out.segments;
            self.round_end = out.nxt;
        }
        if self.is_limited(window, false) {
            self.used = Packets(0);
            self.full_at = now;
            return Verdict::Keep;
        }
        self.used = self.used.max(out.segments);
        if now - self.full_at < rto {
            return Verdict::Keep;
        }
        self.full_at = now;
        Verdict::Unused(core::mem::take(&mut self.used))
    }

    /// Acknowledgments come: whatever is used, is used well.
    pub(crate) fn on_growth(&mut self, now: Instant) {
        self.full_at = now;
    }

    /// Sending starts anew after a time of silence.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.full_at = now;
        self.used = Packets(0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::INFINITE;
    use super::*;

    const RTO: Duration = Duration::from_millis(300);

    fn out(una: u32, segments: u32, fills_window: bool) -> Outstanding {
        Outstanding { una: Seq::new(una), nxt: Seq::new(una + segments), segments: Packets(segments), fills_window }
    }

    fn starting(cwnd: u32) -> Window {
        Window { cwnd: Packets(cwnd), ssthresh: INFINITE }
    }

    fn usage() -> Usage {
        Usage::new(Instant::ZERO)
    }

    #[test]
    fn slow_start_goes_on_to_twice_what_was_outstanding_and_no_further() {
        let mut usage = usage();
        let ten = starting(10);
        assert_eq!(usage.on_sent(Instant::ZERO, &out(0, 6, false), ten, RTO), Verdict::Keep);
        assert!(usage.is_limited(ten, false));
        assert!(usage.is_limited(starting(11), false));
        assert!(!usage.is_limited(starting(12), false));
    }

    #[test]
    fn congestion_avoidance_grows_only_in_a_round_trip_in_which_the_window_was_full() {
        let mut usage = usage();
        let window = Window { cwnd: Packets(10), ssthresh: Packets(10) };
        let _ = usage.on_sent(Instant::ZERO, &out(0, 10, true), window, RTO);
        // Less is outstanding later in the same round trip.
        let _ = usage.on_sent(Instant::ZERO, &out(5, 7, false), window, RTO);
        assert!(usage.is_limited(window, false));
        // The next one is not full.
        let _ = usage.on_sent(Instant::ZERO, &out(10, 9, false), window, RTO);
        assert!(!usage.is_limited(window, false));
    }

    #[test]
    fn what_was_not_used_for_an_rto_is_told_with_the_most_that_was_used() {
        let mut usage = usage();
        let window = Window { cwnd: Packets(100), ssthresh: Packets(50) };
        let at = Instant::from_millis;
        assert_eq!(usage.on_sent(at(100), &out(0, 20, false), window, RTO), Verdict::Keep);
        assert_eq!(usage.on_sent(at(299), &out(30, 12, false), window, RTO), Verdict::Keep);
        assert_eq!(usage.on_sent(at(300), &out(60, 3, false), window, RTO), Verdict::Unused(Packets(20)));
        assert_eq!(usage.on_sent(at(301), &out(60, 4, false), window, RTO), Verdict::Keep);
    }
}
