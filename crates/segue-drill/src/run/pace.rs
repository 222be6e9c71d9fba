//! How far the player itself keeps to the times of a script, where time is real.
//!
//! Decides what of a lateness is not the host's: the host is not blamed for it, and what follows is measured from it.
use std::time::Duration;

use segue_wire::Instant;

/// A lateness that no script asks more of: as much as a packet may be off by default.
pub(crate) const PUNCTUAL: Duration = Duration::from_millis(4);

/// How late the player was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Pace {
    /// At the event before, for reasons that are not the host's, or by the host's design.
    late: Duration,
    /// At worst, for reasons that are not the host's.
    worst: Duration,
}

impl Pace {
    /// What the next event may be late by on top of its tolerance.
    pub(super) fn late(&self) -> Duration {
        self.late
    }

    /// The player was to do something `at` a time, had nothing else to do until then, and does it now.
    pub(super) fn on_wake(&mut self, at: Instant, now: Instant) {
        self.late = now.saturating_duration_since(at);
        self.worst = self.worst.max(self.late);
    }

    /// What came before has lasted so long that an event is `late`: what was excused of it is excused of this one.
    pub(super) fn on_overrun(&mut self, late: Duration) {
        self.late = self.late.min(late);
    }

    /// A packet was sent `at` a time for which the player was waiting, and is seen now.
    pub(super) fn on_seen(&mut self, at: Instant, now: Instant) {
        let lag = now.saturating_duration_since(at);
        self.late = self.late.max(lag);
        self.worst = self.worst.max(lag);
    }

    /// A packet of the host has come, later than it was due by this much of what the host's design permits.
    pub(super) fn on_packet(&mut self, behind: Duration, slack: Duration) {
        self.late = self.late.max(behind.min(slack));
    }

    /// Whether the host was told the script at its times: how it answered is its own doing then.
    pub(super) fn was_kept(&self) -> bool {
        self.worst <= PUNCTUAL
    }
}
