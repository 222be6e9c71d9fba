//! What the send timer's expiry means, and when the peer counts as gone.
//!
//! Owns RFC 6298 5.4 to 5.7, RFC 9293 sections 3.8.3 (R1, R2), 3.8.4 (keep-alive) and 3.8.6.1
//! (zero-window probing). Giving up is a matter of time, as on Linux: as long as `tcp_retries2`
//! doubling timeouts from 200 ms would take, or `TCP_USER_TIMEOUT`.

use core::time::Duration;

use segue_wire::Instant;

use super::Sender;
use super::frto::Frto;
use super::recovery::Recovery;
use super::scoreboard::Mark;
use super::timer::{Nudge, SendTimer};
use crate::cc::LossSample;
use crate::config::Config;
use crate::journal::{CaState, Decision, LossReason, ReductionReason, Statistic};
use crate::options::SocketOptions;
use crate::units::{Deadline, Local, Packets, Seq};

/// Who waits for the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// No application holds it any more.
    pub(crate) orphan: bool,
    /// An ICMP error says that the peer is not reachable at present.
    pub(crate) doubted: bool,
}

/// What came of an expiry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) enum Expiry {
    /// The connection goes on; `plan` knows what to send.
    GoOn,
    /// It goes on, but the route is in doubt.
    DoubtRoute,
    /// The peer is gone.
    GiveUp,
    /// The peer is gone; tell it in case it hears (keep-alive).
    GiveUpWithReset,
}

/// What Linux counts retries from, whatever `tcp_rto_min_us` says: TCP_RTO_MIN.
const MODEL_RTO: Duration = Duration::from_millis(200);
/// Linux's bound of a thin stream, and how many of its timeouts are linear.
const THIN: Packets = Packets(4);
const THIN_RETRIES: u8 = 6;
/// Retries of an orphan when `tcp_orphan_retries` is 0.
const ORPHAN_RETRIES: u8 = 8;

/// How long `retries` timeouts doubling from `base` up to `ceiling` take.
pub(crate) fn patience(retries: u8, base: Duration, ceiling: Duration) -> Duration {
    let mut total = Duration::ZERO;
    let mut timeout = base.min(ceiling);
    for _ in 0..=retries {
        total += timeout;
        timeout = (timeout * 2).min(ceiling);
    }
    total
}

/// How long data may stay unacknowledged when nobody has said: what `tcp_retries2` means.
pub(crate) fn default_user_timeout(config: &Config) -> Duration {
    patience(config.retries2, MODEL_RTO, config.rto_max)
}

impl Sender {
    /// The send timer is due.
    pub(crate) fn on_timer(&mut self, now: Instant, config: &Config, options: &SocketOptions, who: Patience) -> Expiry {
        self.let_anything_leave();
        // As Linux: a probe that is put off lets nothing out that waits to leave with more.
        if !matches!(self.timer, SendTimer::Probe { .. }) {
            self.reconsider();
        }
        match self.timer {
            SendTimer::Idle => Expiry::GoOn,
            SendTimer::Retransmit { .. } => self.on_retransmission_timeout(now, config, options, who),
            SendTimer::Probe { .. } => {
                self.on_probe_timeout(now, config);
                Expiry::GoOn
            }
            SendTimer::Reorder { .. } => {
                self.on_reorder_timeout(now, config);
                Expiry::GoOn
            }
            SendTimer::Persist { doublings, .. } => self.on_persist_timeout(now, doublings, config, options, who),
            SendTimer::KeepAlive { probes, .. } => self.on_keep_alive_timeout(now, probes, config, options),
        }
    }

    fn on_retransmission_timeout(
        &mut self,
        now: Instant,
        config: &Config,
        options: &SocketOptions,
        who: Patience,
    ) -> Expiry {
        // RFC 9293 section 3.8.6.1: a peer that has shrunk its window to nothing and still answers
        // keeps the connection; what is sent again serves as a probe.
        let shut = self.wnd == 0 && !who.orphan;
        let is_gone = match shut {
            true => self.is_shut_out_for_good(now, config, options),
            false => self.has_given_up(now, config, options, who),
        };
        if is_gone {
            return Expiry::GiveUp;
        }
        let route_is_doubtful = self.is_route_doubtful(now, config);
        if route_is_doubtful {
            self.on_black_hole(now, config);
        }
        self.count_failure();
        // As Linux: what serves as a probe is no retry.
        let (rto, in_a_row) = (self.rto(config), self.retransmits.saturating_add(u8::from(!shut)));
        self.journal.decide(now, || Decision::Timeout { rto, in_a_row });
        self.enter_loss(now, config);
        self.retransmits = in_a_row;
        self.counts.timeouts = self.counts.timeouts.saturating_add(1);
        // RFC 6298 5.5, 5.6.
        if self.is_thin(config, options) {
            self.rtt.collapse_backoff();
        } else {
            self.rtt.back_off();
        }
        if !self.trouble_since.is_set() {
            self.trouble_since = Deadline::at(now);
        }
        let at = now + self.rto(config);
        self.timer = SendTimer::Retransmit { at: self.clamp_to_user_timeout(now, at, options) };
        if route_is_doubtful { Expiry::DoubtRoute } else { Expiry::GoOn }
    }

    /// RFC 6069 section 4.2 (TCP-LCD), as Linux keeps it: a router has no way for what the timer sent again. That a link is
    /// down is no congestion, so the last doubling is taken back; what is overdue by the shorter timeout is sent at once.
    pub(crate) fn revert_backoff(&mut self, now: Instant, quoted: Seq<Local>, config: &Config) {
        let timed_out = self.retransmits > 0 && self.rtt.backoff() > 0;
        let SendTimer::Retransmit { .. } = self.timer else { return };
        if quoted != self.una || !timed_out {
            return;
        }
        self.rtt.revert_back_off();
        if let Some(at) = self.rto_at(config) {
            self.timer = SendTimer::Retransmit { at: at.max(now) };
        }
    }

    /// `tcp_thin_linear_timeouts`, `TCP_THIN_LINEAR_TIMEOUTS`: a stream with few segments in flight cannot be recovered by
    /// acknowledgments; its first timeouts do not back off.
    fn is_thin(&self, config: &Config, options: &SocketOptions) -> bool {
        let is_asked = config.thin_linear_timeouts || options.thin_linear;
        is_asked && self.scoreboard.sent() < THIN && self.retransmits <= THIN_RETRIES
    }

    /// What the timeout is the failure of, the first time.
    fn count_failure(&mut self) {
        if self.retransmits > 0 {
            return;
        }
        let out_of_order = self.scoreboard.sacked().0 > 0;
        let failure = match (self.recovery.state, self.sack) {
            (CaState::Recovery, true) => Statistic::SackRecoveryFail,
            (CaState::Recovery, false) => Statistic::RenoRecoveryFail,
            (CaState::Loss, _) => Statistic::LossFailures,
            (state, true) if state == CaState::Disorder || out_of_order => Statistic::SackFailures,
            (state, false) if state == CaState::Disorder || out_of_order => Statistic::RenoFailures,
            _ => return,
        };
        self.journal.count(failure);
    }

    /// What is outstanding counts as lost, but for what left a moment ago (RFC 8985 section 6.3), and is
    /// sent again in slow start: Linux's tcp_enter_loss.
    pub(super) fn enter_loss(&mut self, now: Instant, config: &Config) {
        self.give_up_mtu_probe();
        let Recovery { state, high, .. } = self.recovery;
        let reneged = self.scoreboard.is_reneged();
        let enough = self.scoreboard.sacked().0 >= u32::from(config.reordering);
        let round_trip = self.last_round_trip().filter(|_| self.sack).unwrap_or_default();
        if reneged {
            self.journal.count(Statistic::SackReneging);
            self.journal.decide(now, || Decision::Reneged);
            self.repair(config).reneging = true;
        }
        self.forget_duplicates();
        let keep = |mark: &Mark| round_trip > now - mark.sent_at();
        let mut losses = self.losses(now, LossReason::Timeout);
        losses.board.lose_on_timeout(reneged, keep, |mark, again| losses.ledger.enter(mark, again));
        // RFC 5681 section 3.1: once for the same trouble.
        let first =
            state <= CaState::Disorder || !high.after(self.una) || (state == CaState::Loss && self.retransmits == 0);
        let before = self.reducing(now, ReductionReason::Timeout, config, |it| {
            it.cc.on_rto(&LossSample { now, in_flight: it.scoreboard.in_flight() }, first)
        });
        let again = self.retransmits > 0;
        if let Some(before) = before {
            self.begin_undo(config);
            self.repair(config).undo.before = Some(before);
        }
        let repair = self.repair(config);
        if state <= CaState::Disorder && enough {
            repair.reordering.on_timeout(config);
        }
        repair.probe.forget();
        // RFC 5682 section 3.1 step 1: not within another recovery, but for repeated timeouts (section 3.2).
        let watches = config.frto != 0 && (state < CaState::Recovery || again);
        repair.frto = if watches { Frto::Watching } else { Frto::Off };
        self.recovery.high = self.nxt;
        self.reduced = true;
        self.set_state(now, CaState::Loss);
    }

    /// RACK.rtt; it is forgotten with what it was measured by, and what follows is like it. Before any data were
    /// delivered there is none.
    fn last_round_trip(&self) -> Option<Duration> {
        let delivered = self.bytes_acked() > 0;
        self.scoreboard.newest_rtt().or(self.rtt.smoothed().filter(|_| delivered))
    }

    /// When the retransmission timer expires if it runs since the earliest segment last left.
    pub(super) fn rto_at(&self, config: &Config) -> Option<Instant> {
        Some(self.scoreboard.head_sent_at()? + self.rto(config))
    }

    /// RFC 6298 5.1 to 5.3: the retransmission timer starts over; behind one that ran in its place, it has been
    /// running since the earliest segment left.
    pub(super) fn rearm(&mut self, now: Instant, config: &Config) {
        let since_head = self.rto_at(config);
        self.timer = match (since_head, self.timer) {
            (None, _) => SendTimer::Idle,
            (Some(at), SendTimer::Probe { .. } | SendTimer::Reorder { .. }) => {
                SendTimer::Retransmit { at: at.max(now + Duration::from_micros(1)) }
            }
            (Some(_), _) => SendTimer::Retransmit { at: now + self.rto(config) },
        };
    }

    /// RFC 9293 section 3.8.3, R1; as on Linux a matter of time, too, and true of every timeout from then on.
    fn is_route_doubtful(&self, now: Instant, config: &Config) -> bool {
        let since = self.trouble_since.instant().filter(|_| self.retransmits > 0);
        since.is_some_and(|since| now - since >= patience(config.retries1, MODEL_RTO, config.rto_max))
    }

    fn has_given_up(&self, now: Instant, config: &Config, options: &SocketOptions, who: Patience) -> bool {
        let Some(since) = self.trouble_since.instant() else { return false };
        if self.retransmits == 0 {
            return false;
        }
        let retries = match who.orphan {
            true => orphan_retries(config, who, self.rto(config) < config.rto_max),
            false => config.retries2,
        };
        let limit = options.user_timeout();
        now - since >= limit.unwrap_or_else(|| patience(retries, MODEL_RTO, config.rto_max))
    }

    /// As Linux: a peer that has shrunk its window to nothing is gone when it was not heard for two of the longest timeouts; and
    /// with `TCP_USER_TIMEOUT` when it took nothing for so long, heard or not.
    fn is_shut_out_for_good(&self, now: Instant, config: &Config, options: &SocketOptions) -> bool {
        let Some(since) = self.trouble_since.instant() else { return false };
        let (stalled, silent) = (now - since, now - self.last_heard);
        let user = options.user_timeout();
        let limit = user.unwrap_or(Duration::MAX).min(config.rto_max * 2);
        user.is_some_and(|user| stalled >= user) || (stalled > limit && silent > limit)
    }

    /// The timer must not sleep past the moment the user has set.
    fn clamp_to_user_timeout(&self, now: Instant, at: Instant, options: &SocketOptions) -> Instant {
        match (options.user_timeout(), self.trouble_since.instant()) {
            (Some(limit), Some(since)) => at.min((since + limit).max(now + Duration::from_millis(1))),
            _ => at,
        }
    }

    fn on_persist_timeout(
        &mut self,
        now: Instant,
        doublings: u8,
        config: &Config,
        options: &SocketOptions,
        who: Patience,
    ) -> Expiry {
        let limit = options.user_timeout();
        let overdue = match (limit, self.trouble_since.instant()) {
            (Some(limit), Some(since)) => now - since >= limit,
            _ => false,
        };
        let backed_off = self.rtt.backed_off(doublings, config.rto_max);
        let most = match who.orphan {
            true => orphan_retries(config, who, backed_off < config.rto_max),
            false => config.retries2,
        };
        // RFC 9293 section 3.8.6.1: for ever while the peer answers; `heard` resets the count.
        if overdue || self.probes >= most {
            return Expiry::GiveUp;
        }
        self.nudge = match self.window_room() > 0 && self.has_unsent() {
            true => Nudge::Partial,
            false if self.urgent_is_near() => Nudge::UrgentProbe,
            false => Nudge::Probe,
        };
        self.probes = self.probes.saturating_add(1);
        if !self.trouble_since.is_set() {
            self.trouble_since = Deadline::at(now);
        }
        let doublings = doublings.saturating_add(1);
        let at = now + self.rtt.backed_off(doublings, config.rto_max).max(config.rto_min);
        self.timer = SendTimer::Persist { at: self.clamp_to_user_timeout(now, at, options), doublings };
        Expiry::GoOn
    }

    /// The peer has answered while data may not leave: as on Linux the next probe waits from now on. A window that
    /// has just opened, too little to be used, waits no longer than the first time (RFC 9293 section 3.8.6.2.1:
    /// an override timeout of 0.1 to 1 second), however long it was shut.
    pub(super) fn restart_persist(&mut self, now: Instant, opened: bool, config: &Config, options: &SocketOptions) {
        let SendTimer::Persist { doublings, .. } = self.timer else { return };
        let doublings = if opened { 0 } else { doublings };
        let at = now + self.rtt.backed_off(doublings, config.rto_max).max(config.rto_min);
        self.timer = SendTimer::Persist { at: self.clamp_to_user_timeout(now, at, options), doublings };
    }

    fn on_keep_alive_timeout(&mut self, now: Instant, probes: u8, config: &Config, options: &SocketOptions) -> Expiry {
        let idle = options.keep_idle(config.keepalive_time);
        let silent = now - self.last_heard;
        if silent < idle {
            self.timer = SendTimer::KeepAlive { at: self.last_heard + idle, probes: 0 };
            return Expiry::GoOn;
        }
        let gone = match options.user_timeout.filter(|limit| !limit.is_zero()) {
            Some(limit) => probes > 0 && silent >= limit,
            None => probes >= options.keep_cnt.unwrap_or(config.keepalive_probes),
        };
        if gone {
            return Expiry::GiveUpWithReset;
        }
        self.nudge = Nudge::Probe;
        self.probes = self.probes.saturating_add(1);
        let at = now + options.keep_intvl.unwrap_or(config.keepalive_intvl);
        self.timer = SendTimer::KeepAlive { at, probes: probes.saturating_add(1) };
        Expiry::GoOn
    }

    /// Chooses the timer for what is outstanding now. Called after everything that may change it.
    /// `overhead`: as [`Room`](super::plan::Room) has it.
    pub(crate) fn arm(&mut self, now: Instant, overhead: u16, config: &Config, options: &SocketOptions) {
        if !self.scoreboard.is_empty() {
            // RFC 6298 5.1.
            let guarded = matches!(
                self.timer,
                SendTimer::Retransmit { .. } | SendTimer::Probe { .. } | SendTimer::Reorder { .. }
            );
            if !guarded {
                self.timer = SendTimer::Retransmit { at: now + self.rto(config) };
            }
            return;
        }
        if self.has_unsent() {
            if self.can_send_new(now, overhead, config, options) {
                self.timer = SendTimer::Idle;
            } else if !matches!(self.timer, SendTimer::Persist { .. }) {
                // A shut window is probed after an RTO (SHLD-29); as on Linux a partial segment that is held back
                // waits as long.
                let wait = self.rto(config).max(config.rto_min);
                self.timer = SendTimer::Persist { at: now + wait, doublings: 0 };
            }
            return;
        }
        match self.timer {
            SendTimer::KeepAlive { .. } if options.keepalive => {}
            _ if options.keepalive => {
                let idle = options.keep_idle(config.keepalive_time);
                self.timer = SendTimer::KeepAlive { at: self.last_heard + idle, probes: 0 };
            }
            _ => self.timer = SendTimer::Idle,
        }
    }

    /// Doublings of the timeout, or of the time between probes of a shut window.
    pub(crate) fn shown_backoff(&self) -> u8 {
        match self.timer {
            SendTimer::Persist { doublings, .. } => doublings,
            _ => self.rtt.backoff(),
        }
    }

    /// Keep-alive parameters have changed: start over from when the peer was last heard.
    pub(crate) fn restart_keep_alive(&mut self) {
        if matches!(self.timer, SendTimer::KeepAlive { .. }) {
            self.timer = SendTimer::Idle;
        }
    }
}

fn orphan_retries(config: &Config, who: Patience, alive: bool) -> u8 {
    match config.orphan_retries {
        _ if who.doubted && !alive => 0,
        0 if alive => ORPHAN_RETRIES,
        retries => retries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_retries_from_200_ms_take_924_6_seconds() {
        let (base, ceiling) = (Duration::from_millis(200), Duration::from_secs(120));
        assert_eq!(patience(15, base, ceiling), Duration::from_millis(924_600));
        assert_eq!(patience(0, base, ceiling), base);
        // RFC 9293 section 3.8.3: R2 of 100 s at least; eight doublings reach it.
        assert!(patience(8, base, ceiling) >= Duration::from_secs(100));
    }
}
