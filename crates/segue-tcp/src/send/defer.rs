//! Whether new data wait a moment so that more can leave with them.
//!
//! Decides as Linux's tcp_tso_should_defer: what the congestion window lets out now is little, something left within
//! the last millisecond, and the next acknowledgment, which will let out more, is near. No timer is
//! needed: that acknowledgment sends, and if it does not come the timer of what is outstanding does.

use core::time::Duration;

use segue_wire::Instant;

use super::Sender;
use super::timer::Nudge;
use crate::config::Config;
use crate::journal::CaState;
use crate::state::halves::LocalHalf;

/// Only what follows on something is held back: a burst must not be made of what waited for nothing.
const RECENT: Duration = Duration::from_millis(1);

/// An acknowledgment that is expected later than this, or than half a round trip, is not waited for.
const NEAR: Duration = Duration::from_millis(1);
/// Segments that are enough without a divisor (Linux's tcp_max_tso_deferred_mss).
const FEW: u32 = 3;

impl Sender {
    /// `size`: bytes of a full segment; `burst`: most that could leave as one, whatever the window.
    pub(super) fn defers(&self, now: Instant, size: u32, burst: u32, config: &Config) -> bool {
        let Some(head_sent_at) = self.scoreboard.head_sent_at() else { return false };
        // What MSG_OOB writes is not joined to buffers that could become fuller.
        let urgent = self.urgent_end.is_some_and(|end| end.after(self.nxt));
        let calm = self.recovery.state < CaState::Recovery && self.nudge == Nudge::Nothing && !urgent;
        if !calm || now - self.last_sent > RECENT {
            return false;
        }
        // What would be one buffer of Linux's; a single segment has nothing to wait for but Nagle.
        let (unsent, buffer) = (self.unsent(), self.unsent_buffer());
        if buffer <= size {
            return false;
        }
        let quota = self.cc.cwnd().saturating_sub(self.in_flight()).0;
        let by_congestion = quota.saturating_mul(size);
        let by_peer = self.window_room();
        let limit = by_congestion.min(by_peer);
        if limit >= burst || (unsent > buffer && limit >= buffer) {
            return false;
        }
        let window = self.wnd.min(self.cc.cwnd().0.saturating_mul(size));
        let enough = match config.tso_win_divisor {
            0 => limit > FEW * size,
            divisor => limit >= window / u32::from(divisor),
        };
        if enough {
            return false;
        }
        let srtt = self.rtt.smoothed().unwrap_or_default();
        if head_sent_at + srtt > now + (srtt / 2).min(NEAR) {
            return false;
        }
        // What could leave whole, and gets no more, waits for nothing; a FIN alone does not hasten it.
        let ends = match self.queue.record() {
            Some(_) => self.unsent_record() == buffer,
            None => self.half == LocalHalf::FinQueued && unsent == buffer,
        };
        limit <= buffer || !ends
    }

    /// New data wait. As on Linux until there is a reason to look again, not until time has passed.
    pub(crate) fn put_off(&mut self) {
        if self.nudge == Nudge::Nothing {
            self.nudge = Nudge::Deferred;
        }
    }

    /// There is a reason to look again.
    pub(crate) fn reconsider(&mut self) {
        if self.nudge == Nudge::Deferred {
            self.nudge = Nudge::Nothing;
        }
    }

    /// Whether the congestion window is what lets no more out though there is room in it: the rest waits to leave with
    /// more (Linux's is_cwnd_limited).
    pub(super) fn waits_for_window(&self) -> bool {
        let (size, quota) = (self.segment_size(), self.cc.cwnd().saturating_sub(self.in_flight()).0);
        let by_congestion = quota.saturating_mul(size);
        let buffer = self.unsent_buffer();
        self.cc.pacing_rate().is_none()
            && buffer > size
            && by_congestion <= buffer
            && by_congestion < self.window_room()
    }
}
