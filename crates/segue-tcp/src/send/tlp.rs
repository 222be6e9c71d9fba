//! Tail-loss probes: a segment that draws an acknowledgment when the last ones may be lost.
//!
//! Owns RFC 8985 section 7: when a probe is due, what it carries, what its acknowledgment shows. What is
//! sent as a probe is planned in `plan`; that other segments are lost is found by RACK from the answer.

use core::time::Duration;

use segue_wire::Instant;

use super::Sender;
use super::recovery::Shown;
use super::timer::{Nudge, SendTimer};
use crate::config::Config;
use crate::journal::{CaState, Decision, Statistic};
use crate::units::{Local, Packets, Seq};

/// Before the round trip is known (section 7.2).
const UNMEASURED: Duration = Duration::from_secs(1);
/// What the times of a probe and of another look for loss are rounded up by: Linux's TCP_TIMEOUT_MIN.
pub(super) const MARGIN: Duration = Duration::from_millis(2);

/// The probe that is out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    /// SND.NXT when it was sent (TLP.end_seq); `None`: none is out.
    end: Option<Seq<Local>>,
    /// It was sent again, not new (TLP.is_retrans).
    resent: bool,
    /// The round trip was measured since the last one was sent.
    measured: bool,
}

impl Default for Probe {
    fn default() -> Probe {
        Probe { end: None, resent: false, measured: true }
    }
}

impl Probe {
    /// Whether the one that is out ends there.
    pub(crate) fn is_for(&self, end: Seq<Local>) -> bool {
        self.end == Some(end)
    }

    pub(crate) fn is_out(&self) -> bool {
        self.end.is_some()
    }

    /// One is out that was sent before.
    pub(crate) fn is_copy(&self) -> bool {
        self.is_out() && self.resent
    }

    /// Section 7.1: recovery begins.
    pub(crate) fn forget(&mut self) {
        self.end = None;
    }

    pub(crate) fn on_measured(&mut self) {
        self.measured = true;
    }

    fn on_sent(&mut self, nxt: Seq<Local>, resent: bool) {
        *self = Probe { end: Some(nxt), resent, measured: false };
    }
}

impl Sender {
    /// Section 7.2: when a probe is due instead of the retransmission timer. `restarted`: that timer would
    /// start over now.
    fn probe_at(&self, now: Instant, restarted: bool, config: &Config) -> Option<Instant> {
        let calm = matches!(self.recovery.state, CaState::Open | CaState::Cwr);
        let enabled = matches!(config.early_retrans, 3 | 4);
        if !enabled || !self.sack || !calm || self.scoreboard.is_empty() {
            return None;
        }
        let wait = match self.rtt.smoothed() {
            // One segment alone may meet a delayed acknowledgment.
            Some(srtt) if self.scoreboard.sent() == Packets(1) => srtt * 2 + config.rto_min,
            Some(srtt) => srtt * 2 + MARGIN,
            None => UNMEASURED,
        };
        let rto = if restarted { now + self.rto(config) } else { self.rto_at(config)? };
        let at = now + wait;
        Some(if rto > now { at.min(rto) } else { at })
    }

    /// Something was acknowledged: the timer for what is outstanding starts over.
    pub(super) fn restart_timer(&mut self, now: Instant, config: &Config) {
        match self.probe_at(now, true, config) {
            Some(at) => self.timer = SendTimer::Probe { at },
            None => self.rearm(now, config),
        }
    }

    /// New data have left.
    pub(super) fn schedule_probe(&mut self, now: Instant, config: &Config) {
        if let Some(at) = self.probe_at(now, false, config) {
            self.timer = SendTimer::Probe { at };
        }
    }

    /// Section 7.3: the probe is due. New data if there are any and the peer has room, the last segment
    /// otherwise; nothing if the last probe is unanswered, or taught nothing about the round trip.
    pub(super) fn on_probe_timeout(&mut self, now: Instant, config: &Config) {
        let probe = self.repair(config).probe;
        let has_none = self.plan_loss_probe(self.segment_size(), || 0).is_none();
        if probe.end.is_some() || !probe.measured || has_none {
            return self.rearm(now, config);
        }
        if self.scoreboard.tail().is_some_and(|tail| tail.len > u32::from(self.mss) + 1) {
            self.give_up_mtu_probe();
        }
        self.nudge = Nudge::LossProbe;
        self.timer = SendTimer::Retransmit { at: now + self.rto(config) };
    }

    /// The probe has left.
    pub(super) fn on_probe_sent(&mut self, now: Instant, start: Seq<Local>, len: u32, new: bool, config: &Config) {
        let nxt = self.nxt;
        self.repair(config).probe.on_sent(nxt, !new);
        self.journal.count(Statistic::LossProbes);
        self.journal.decide(now, || Decision::Probe { start: start.raw(), len, new });
    }

    /// Section 7.4.2.
    pub(super) fn on_probe_ack(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) {
        let Some(repair) = self.repair.as_deref_mut() else { return };
        let probe = &mut repair.probe;
        let Some(end) = probe.end.filter(|end| !shown.number.before(*end)) else { return };
        if !probe.resent || shown.told.of_probe {
            // New data, or both copies arrived: nothing was lost.
            probe.end = None;
        } else if shown.number.after(end) {
            // Something behind it arrived, and no duplicate was told of: the probe has repaired a loss.
            probe.end = None;
            self.journal.count(Statistic::LossProbeRecovery);
            self.journal.decide(now, || Decision::ProbeRecovered);
            self.reduce_at_once(now, shown.flight, config);
        } else if shown.duplicate && !shown.harvest.sacked {
            probe.end = None;
        }
    }
}
