//! Answers to segments that are not acceptable.
//!
//! Decides which of them are answered and how often. Owns RFC 9293 section 3.10.7.4 (first: an acknowledgment
//! in reply), RFC 5961 (challenge ACKs) and the limits on both: `tcp_invalid_ratelimit` for each connection
//! here, `tcp_challenge_ack_limit` for the host, which may take a challenge back before it leaves.

use core::time::Duration;

use segue_wire::Instant;
use segue_wire::tcp::TcpFlags;

use crate::event::Events;
use crate::journal::Statistic;
use crate::state::arrival::Arrival;
use crate::state::synced::Synced;
use crate::units::Deadline;

/// How often a connection answers what may be an acknowledgment loop (`tcp_invalid_ratelimit`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerLimit {
    quiet_until: Deadline,
}

impl AnswerLimit {
    pub(crate) const fn new() -> AnswerLimit {
        AnswerLimit { quiet_until: Deadline::NEVER }
    }

    /// Whether an answer may be given now; then none may for `interval`. Zero: no limit.
    pub(crate) fn allows(&mut self, now: Instant, interval: Duration) -> bool {
        if self.quiet_until.is_set() && !self.quiet_until.is_due(now) {
            return false;
        }
        if !interval.is_zero() {
            self.quiet_until = Deadline::at(now + interval);
        }
        true
    }
}

impl Synced {
    /// An acknowledgment that puts the peer right. Rate-limited, except for text: text is not an acknowledgment
    /// loop, and its sender waits. `skipped` is counted when the limit holds it back.
    pub(super) fn answer(&mut self, arrival: &Arrival<'_>, skipped: Statistic) {
        let len = arrival.segment.sequence_len();
        let loops = len == 0 || arrival.has(TcpFlags::SYN);
        let interval = arrival.rules.config.invalid_ratelimit;
        if loops && !self.answers.allows(arrival.now, interval) {
            return self.send.journal.count(skipped);
        }
        if len > 0 && arrival.sequence().before(self.recv.nxt) {
            self.recv.ack.on_trouble(self.recv.window.advertised);
            self.note_old_text(arrival);
        }
        self.recv.ack.owe_now();
    }

    /// RFC 5961 section 7: a challenge ACK, which makes the peer show that it knows our numbers.
    pub(super) fn challenge(&mut self, arrival: &mut Arrival<'_>) {
        if self.answers.allows(arrival.now, arrival.rules.config.invalid_ratelimit) {
            self.recv.ack.challenge = true;
            *arrival.events |= Events::CHALLENGE;
        } else {
            self.send.journal.count(Statistic::ChallengeSkipped);
        }
    }

    /// RFC 2883: text from below RCV.NXT is told as a duplicate whatever else is wrong with its segment.
    pub(super) fn note_old_text(&mut self, arrival: &Arrival<'_>) {
        let (start, end) = (arrival.sequence(), arrival.end());
        if start.before(self.recv.nxt) {
            self.send.journal.count(Statistic::DelayedAckLost);
            self.ecn.on_duplicate(start);
            self.recv.on_duplicate(start, end, arrival.rules.config, &mut self.send.journal);
        }
    }
}
