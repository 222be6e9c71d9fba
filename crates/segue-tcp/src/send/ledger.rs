//! What is told of every segment that is found lost: to the rate estimator, the controller, the journal.

use segue_wire::Instant;

use super::Sender;
use super::scoreboard::{Mark, Scoreboard};
use crate::cc::{Congestion, LostSegment};
use crate::config::Config;
use crate::journal::{Decision, FlowState, Journal, LossReason, ReductionReason, Statistic};
use crate::units::Packets;

/// The scoreboard, and where its findings go.
pub(super) struct Losses<'a> {
    pub(super) board: &'a mut Scoreboard,
    pub(super) ledger: Ledger<'a>,
}

pub(super) struct Ledger<'a> {
    now: Instant,
    why: LossReason,
    cc: &'a mut Congestion,
    journal: &'a mut Journal,
}

impl Ledger<'_> {
    /// A segment is lost; `again`: its retransmission was.
    pub(super) fn enter(&mut self, mark: &Mark, again: bool) {
        let sent = *mark.snapshot();
        let rate = &mut self.cc.flow_mut(self.now).rate;
        rate.on_lost(Packets(1));
        let lost = rate.lost_since(&sent);
        self.cc.on_segment_lost(self.now, &LostSegment { sent, lost });
        if again {
            self.journal.count(Statistic::LostRetransmit);
        }
        let why = self.why;
        self.journal.decide(self.now, || Decision::Lost {
            start: mark.start().raw(),
            len: mark.end().since(mark.start()),
            why,
            again,
        });
    }
}

impl Sender {
    /// Does something to the window and tells the journal, if that wants to know, what came of it.
    pub(super) fn journalled<T>(
        &mut self,
        now: Instant,
        config: &Config,
        work: impl FnOnce(&mut Sender) -> T,
        tell: impl FnOnce(FlowState, FlowState) -> Option<Decision>,
    ) -> T {
        if !self.journal.is_traced() {
            return work(self);
        }
        let before = self.flow_state(config);
        let result = work(self);
        if let Some(decision) = tell(before, self.flow_state(config)) {
            self.journal.decide(now, || decision);
        }
        result
    }

    /// The same for a reduction.
    pub(super) fn reducing<T>(
        &mut self,
        now: Instant,
        why: ReductionReason,
        config: &Config,
        work: impl FnOnce(&mut Sender) -> T,
    ) -> T {
        self.journalled(now, config, work, |before, after| Some(Decision::Reduced { why, before, after }))
    }

    /// The same for what may be a reduction.
    pub(super) fn perhaps_idle<T>(&mut self, now: Instant, config: &Config, work: impl FnOnce(&mut Sender) -> T) -> T {
        let why = ReductionReason::Idle;
        self.journalled(now, config, work, |before, after| {
            (before.cwnd != after.cwnd).then_some(Decision::Reduced { why, before, after })
        })
    }

    pub(super) fn losses(&mut self, now: Instant, why: LossReason) -> Losses<'_> {
        Losses {
            board: &mut self.scoreboard,
            ledger: Ledger { now, why, cc: &mut self.cc, journal: &mut self.journal },
        }
    }
}
