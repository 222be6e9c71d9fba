//! A deadline has come: whose it is, and when waiting is over.

use segue_wire::Instant;

use super::{Connection, DEFAULT_OPTIONS, Phase};
use crate::error::ConnError;
use crate::event::{Events, Outcome};
use crate::journal::Statistic;
use crate::send::timeout::{Expiry, Patience};
use crate::state::synced::Rules;

impl Connection {
    /// `next_deadline` has come.
    pub fn on_deadline(&mut self, now: Instant) -> Outcome {
        self.run_timers(now);
        self.finish(now, None)
    }

    /// Whatever is due happens; nothing else does.
    pub(super) fn run_timers(&mut self, now: Instant) {
        self.on_fast_syn_ack_deadline(now);
        match &mut self.phase {
            Phase::SynSent(_) | Phase::SynReceived(_) => self.on_syn_deadline(now),
            Phase::Synced(_) => self.on_synced_deadline(now),
            Phase::TimeWait(time_wait) if time_wait.deadline() <= now => self.close_phase(now),
            Phase::TimeWait(_) | Phase::Closed => {}
        }
    }

    /// The SYN (or SYN-ACK) went unanswered: again, or no more.
    fn on_syn_deadline(&mut self, now: Instant) {
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let (offer, limit) = match &mut self.phase {
            Phase::SynSent(open) => {
                let retries = options.syn_cnt.unwrap_or(self.config.syn_retries);
                (&mut open.offer, retries.saturating_add(self.config.syn_linear_timeouts))
            }
            Phase::SynReceived(open) => (&mut open.offer, self.config.synack_retries),
            _ => return,
        };
        if !offer.timer.is_due(now) {
            return;
        }
        let overdue = options.user_timeout.is_some_and(|limit| !limit.is_zero() && now - offer.since() >= limit);
        let (timeouts, over) = (offer.retransmits, offer.retransmits >= limit || overdue);
        if !over {
            offer.retransmits += 1;
            offer.repeat();
        }
        self.doubt_fast_path(timeouts, over);
        if over {
            let error = self.soft_error.unwrap_or(ConnError::TimedOut);
            self.fail(now, error);
        }
    }

    fn on_synced_deadline(&mut self, now: Instant) {
        let Phase::Synced(synced) = &mut self.phase else { return };
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let rules = Rules { config: &self.config, options, held: self.inbox.held };
        let rto = synced.pace(rules.config).rto;
        if synced.recv.ack.on_deadline(now, rto) {
            synced.send.journal.count(Statistic::DelayedAcks);
        }
        if synced.orphan_deadline().is_due(now) {
            return self.let_orphan_go(now);
        }
        if !synced.send.timer.deadline().is_due(now) {
            return;
        }
        if self.orphan && synced.send.timer.repeats() && synced.is_one_too_many(now, self.soft_error.is_some(), rules) {
            return self.give_way(now);
        }
        let who = Patience { orphan: self.orphan, doubted: self.soft_error.is_some() };
        let error = self.soft_error.unwrap_or(ConnError::TimedOut);
        let timeouts = synced.send.retransmits;
        let expiry = synced.send.on_timer(now, rules.config, rules.options, who);
        let is_timeout = synced.send.retransmits > timeouts;
        let over = matches!(expiry, Expiry::GiveUp | Expiry::GiveUpWithReset);
        if is_timeout || over {
            self.doubt_fast_path(timeouts, over);
        }
        match expiry {
            Expiry::GoOn => {}
            Expiry::DoubtRoute => self.events |= Events::ROUTE_DOUBTED,
            Expiry::GiveUp => self.fail(now, error),
            Expiry::GiveUpWithReset => {
                self.say_reset(now);
                self.fail(now, error);
            }
        }
    }
}
