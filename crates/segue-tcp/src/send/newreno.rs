//! Without SACK: duplicates stand for segments that have arrived.
//!
//! Owns RFC 5681 section 3.2 and RFC 6582 as Linux does them: each duplicate acknowledgment takes one
//! segment off the flight (which is limited transmit, RFC 3042, and the inflation of the window), three
//! show the first segment to be lost, and in recovery a partial acknowledgment shows the next.

use segue_wire::Instant;

use super::Sender;
use crate::config::Config;
use crate::journal::{CaState, Decision, LossReason, Statistic};
use crate::units::Packets;

impl Sender {
    /// A duplicate acknowledgment. Segments that it shows to have arrived.
    pub(super) fn on_duplicate(&mut self, now: Instant, config: &Config) -> u32 {
        let before = self.scoreboard.sacked().0;
        let wanted = before + 1;
        let after = self.scoreboard.suppose(wanted);
        self.check_surplus(now, after < wanted, 0, config);
        after.saturating_sub(before)
    }

    /// `acked` segments were acknowledged: one of them was the hole, the others are those that duplicates had
    /// announced, `supposed` of them. Segments that are news.
    pub(super) fn eat_duplicates(&mut self, now: Instant, acked: u32, supposed: u32, config: &Config) -> u32 {
        let wanted = supposed.saturating_sub(acked.saturating_sub(1));
        let after = self.scoreboard.suppose(wanted);
        self.check_surplus(now, after < wanted, acked, config);
        if acked == 0 { 0 } else { acked.saturating_sub(supposed).max(1) }
    }

    /// What was supposed is forgotten.
    pub(super) fn forget_duplicates(&mut self) {
        if !self.sack {
            self.scoreboard.suppose(0);
        }
    }

    /// More duplicates than there are segments behind the hole: the network reorders (or duplicates).
    fn check_surplus(&mut self, now: Instant, surplus: bool, acked: u32, config: &Config) {
        if !surplus || self.scoreboard.is_empty() {
            return;
        }
        let segments = self.scoreboard.sent().saturating_add(Packets(acked));
        let reordering = &mut self.repair(config).reordering;
        reordering.on_surplus(segments, config);
        let (degree, seen) = (reordering.degree, reordering.seen);
        self.journal.count(Statistic::RenoReorder);
        self.journal.decide(now, || Decision::Reordered { degree, seen });
    }

    /// RFC 6582 section 3.2.
    pub(super) fn find_loss_by_count(&mut self, now: Instant, advanced: bool, config: &Config) {
        let state = self.recovery.state;
        let enough = self.scoreboard.sacked().0 >= u32::from(self.reordering_degree(config));
        let recovering = state == CaState::Recovery;
        if (state < CaState::Recovery && enough) || (recovering && advanced) {
            let mut losses = self.losses(now, LossReason::Duplicates);
            losses.board.lose_head(|mark, again| losses.ledger.enter(mark, again));
        }
    }
}
