//! What is told of every segment that is found lost: to the rate estimator, the controller, the journal.

use segue_wire::Instant;

use super::Sender;
use super::scoreboard::{Mark, Scoreboard};
use crate::cc::{Congestion, LostSegment};
use crate::journal::{Decision, Journal, LossReason, Statistic};
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
    pub(super) fn losses(&mut self, now: Instant, why: LossReason) -> Losses<'_> {
        Losses {
            board: &mut self.scoreboard,
            ledger: Ledger { now, why, cc: &mut self.cc, journal: &mut self.journal },
        }
    }
}
