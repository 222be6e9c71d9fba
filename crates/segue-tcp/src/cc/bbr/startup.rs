//! Startup and Drain: finding the bandwidth of the path, and letting out the queue that this built.
//!
//! Owns sections 5.3.1 and 5.3.2.

use super::bandwidth::{Bandwidth, Gain};
use super::{Bbr, Sample, State};
use crate::cc::Window;
use crate::cc::controller::LossSample;

/// Rounds without growth by a quarter that mean a full pipe.
const FULL_ROUNDS: u8 = 3;
const GROWTH: Gain = Gain(125);
/// StartupFullLossCnt.
const FULL_LOSSES: u8 = 6;
/// Drain gives up after this many rounds.
const DRAIN_ROUNDS: u32 = 3;
/// A window that stays shut for longer than lost retransmissions explain is what the peer has.
const HELD_ROUNDS: u8 = 8;

/// What showed that the pipe was full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FullBy {
    /// Section 5.3.1.2: the rate grew no more.
    Rate,
    /// Section 5.3.1.3: loss. It may prove to be the path's own.
    Loss,
}

/// The "full pipe" estimator (section 5.3.1.2).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FullPipe {
    /// full_bw: the rate that the next must exceed by a quarter.
    pub(super) rate: Bandwidth,
    rounds: u8,
    /// full_bw_now.
    pub(super) now: bool,
    /// full_bw_reached: it has been full once, and how that showed.
    pub(super) by: Option<FullBy>,
    /// Findings of loss in the current loss round.
    losses: u8,
    /// While something lost was missing, the peer's window held the sender back: in this round, in the one before.
    held: [bool; 2],
    /// Rounds without growth that this excused.
    excused: u8,
}

impl FullPipe {
    /// ResetFullBW.
    pub(super) fn reset(&mut self) {
        self.rate = Bandwidth::ZERO;
        self.rounds = 0;
        self.excused = 0;
        self.now = false;
    }

    /// full_bw_reached.
    pub(super) fn was_reached(&self) -> bool {
        self.by.is_some()
    }

    /// CheckFullBWReached. A rate that cannot be told proves nothing.
    /// `queue_low`: none stood in the last round that has ended.
    pub(super) fn check(&mut self, sample: &Sample, round_start: bool, queue_low: bool) {
        self.held[0] |= sample.peer_limited && sample.recovering;
        if !round_start {
            return;
        }
        let held = self.held[0] || self.held[1];
        self.held = [false, self.held[0]];
        if self.now || sample.app_limited || sample.rate == Bandwidth::ZERO {
            return;
        }
        if sample.rate >= self.rate.times(GROWTH) {
            self.reset();
            self.rate = sample.rate;
            return;
        }
        // What is missing keeps the peer's window shut, and the path is empty: it opens with what is sent again.
        if held && queue_low && self.excused < HELD_ROUNDS {
            self.excused += 1;
            return;
        }
        self.rounds += 1;
        self.now = self.rounds >= FULL_ROUNDS;
        if self.now {
            self.by = Some(FullBy::Rate);
        }
    }
}

impl Bbr {
    /// Acknowledgments that found loss stand for ranges lost, as on Linux: one finds what lies between
    /// what it acknowledges.
    pub(super) fn count_startup_loss(&mut self, sample: &Sample) {
        if sample.finds_loss {
            self.full.losses = self.full.losses.saturating_add(1);
        }
    }

    /// CheckStartupDone.
    pub(super) fn check_startup_done(&mut self, window: &Window, sample: &Sample) {
        self.check_startup_high_loss(window, sample);
        if self.state == State::Startup && self.full.was_reached() {
            self.enter(State::Drain { since: self.model.round_count });
        }
    }

    /// CheckStartupHighLoss (section 5.3.1.3).
    fn check_startup_high_loss(&mut self, window: &Window, sample: &Sample) {
        if self.state == State::Startup
            && !self.full.was_reached()
            && let Some(since) = self.recovering
        {
            let whole_round = self.model.loss_round_start && self.model.round_count != since;
            // Whatever it loses, a path is not full that delivers a quarter more each round, or on which no queue stands.
            let is_full = self.full.rounds > 0 && !self.path_loss.queue_was_low;
            let high = whole_round && is_full && self.full.losses >= FULL_LOSSES && self.is_too_high(sample);
            if high || (!sample.sack && sample.lost > 0) {
                self.leave_startup(window);
            }
        }
        if self.model.loss_round_start {
            self.full.losses = 0;
        }
    }

    /// The path has answered the search with loss: what it carried is what it can.
    fn leave_startup(&mut self, window: &Window) {
        self.saved.state = Some(State::Startup);
        self.full.by = Some(FullBy::Loss);
        let bdp = self.model.bdp().unwrap_or(window.cwnd.0);
        self.model.inflight_longterm = bdp.max(self.model.inflight_latest);
    }

    /// The loss that ended Startup was the path's own: it goes on where it was.
    pub(super) fn resume_startup(&mut self) {
        self.full.by = None;
        self.full.reset();
        // ProbeRTT goes there when it is over.
        if self.state != State::ProbeRtt {
            self.enter(State::Startup);
        }
    }

    /// Section 3.7: the network marked instead of dropping. The draft leaves the response open; here a
    /// round with marks is a round with loss: it ends Startup, is the answer to a probe, and lowers the
    /// short-term bounds otherwise.
    pub(super) fn on_mark(&mut self, window: &Window, sample: &LossSample) {
        self.note_loss(window);
        self.model.marks_in_round = true;
        if self.state == State::Startup {
            self.leave_startup(window);
        } else if self.cycle.probe_sample {
            self.handle_inflight_too_high(window, sample.now, sample.in_flight.0, false);
        }
    }

    /// CheckDrainDone (section 5.3.2).
    pub(super) fn check_drain_done(&mut self, sample: &Sample) {
        if let State::Drain { since } = self.state {
            let overdue = self.model.round_count.wrapping_sub(since) > DRAIN_ROUNDS;
            if overdue || sample.in_flight <= self.inflight(Gain::ONE) {
                self.start_down(sample.now);
            }
        }
    }
}
