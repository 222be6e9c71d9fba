//! A path that swallows what begins with Fast Open: when it is switched off everywhere, and for how long.
//!
//! Owns `tcp_fastopen_blackhole_timeout_sec` as Linux has it: the pause doubles with every detection, up to 64 times, and
//! ends the series when a connection that tried again receives data. RFC 7413 section 7.1 (interference by middleboxes).
use core::time::Duration;

use segue_tcp::Instant;

/// Doublings of the pause.
const MAX_DOUBLINGS: u32 = 6;

/// Detections of a black hole in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BlackHole {
    detections: u32,
    last: Instant,
}

/// Whether Fast Open may be tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Open,
    /// It is paused.
    Paused,
    /// The pause is over; whoever goes first shows whether the path works now.
    Probing,
}

impl BlackHole {
    /// `pause` of zero: nothing is detected and nothing paused. Whether this counts as a detection.
    pub(super) fn on_detection(&mut self, now: Instant, pause: Duration) -> bool {
        if pause.is_zero() {
            return false;
        }
        self.detections = self.detections.saturating_add(1);
        self.last = now;
        true
    }

    pub(super) fn on_success(&mut self) {
        self.detections = 0;
    }

    pub(super) fn verdict(&self, now: Instant, pause: Duration) -> Verdict {
        if pause.is_zero() || self.detections == 0 {
            return Verdict::Open;
        }
        let pause = pause.saturating_mul(1 << (self.detections - 1).min(MAX_DOUBLINGS));
        if now < self.last + pause { Verdict::Paused } else { Verdict::Probing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_sixty_four_times_and_ends_with_a_success() {
        let pause = Duration::from_secs(10);
        let at = Instant::from_secs(5);
        let mut hole = BlackHole::default();
        assert_eq!(hole.verdict(at, pause), Verdict::Open);
        for seconds in [10, 20, 40, 80, 160, 320, 640, 640] {
            assert!(hole.on_detection(at, pause));
            assert_eq!(hole.verdict(at + Duration::from_secs(seconds - 1), pause), Verdict::Paused);
            assert_eq!(hole.verdict(at + Duration::from_secs(seconds), pause), Verdict::Probing);
        }
        hole.on_success();
        assert_eq!(hole.verdict(at, pause), Verdict::Open);
    }

    #[test]
    fn a_pause_of_zero_switches_detection_off() {
        let mut hole = BlackHole::default();
        assert!(!hole.on_detection(Instant::ZERO, Duration::ZERO));
        assert_eq!(hole.verdict(Instant::ZERO, Duration::from_secs(9)), Verdict::Open);
    }
}
