//! Loss recovery: what the sender is doing about congestion, and when that is over.
//!
//! Decides the states of RFC 9293's "congestion" as Linux names them, their entry and exit: Open, Disorder,
//! CWR, Recovery, Loss. Owns RFC 6675 section 5 and RFC 6582 section 3.2 (entry, exit, what a partial
//! acknowledgment means), RFC 3168 section 6.1.2 (once per window), RFC 5682 (what F-RTO's verdict leads
//! to). What is lost is found elsewhere, what a reduction leaves is the controller's, how it is carried
//! out is PRR's.

use segue_wire::Instant;

use super::Sender;
use super::frto::Frto;
use super::prr::Prr;
use super::repair::Leave;
use super::sack::Told;
use super::scoreboard::{Detected, Harvest};
use super::timer::SendTimer;
use crate::cc::LossSample;
use crate::config::Config;
use crate::journal::{CaState, Decision, LossReason, ReductionReason, Statistic, UndoReason};
use crate::units::{Local, Packets, Seq};

/// The state, and what must be acknowledged to leave it: SND.NXT when it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Recovery {
    pub(crate) state: CaState,
    pub(crate) high: Seq<Local>,
    /// Something was delivered since loss was last looked for (RACK).
    pub(crate) look: bool,
}

impl Recovery {
    pub(crate) fn new(nxt: Seq<Local>) -> Recovery {
        Recovery { state: CaState::Open, high: nxt, look: false }
    }

    /// The window is on its way down to ssthresh.
    pub(crate) fn is_reducing(self) -> bool {
        matches!(self.state, CaState::Cwr | CaState::Recovery)
    }

    /// What is lost may be sent again.
    pub(crate) fn resends(self) -> bool {
        matches!(self.state, CaState::Recovery | CaState::Loss)
    }
}

/// What an acknowledgment shows to recovery.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) number: Seq<Local>,
    /// SND.UNA before it.
    pub(super) prior: Seq<Local>,
    /// SND.UNA moved.
    pub(super) advanced: bool,
    /// A duplicate by RFC 5681's definition, and no D-SACK.
    pub(super) duplicate: bool,
    /// It says that what we sent met congestion.
    pub(super) congested: bool,
    /// When what its timestamp echoes left, in milliseconds.
    pub(super) echo: Option<u64>,
    /// Segments sent and not known to have arrived before it (RFC 9937's RecoverFS).
    pub(super) flight: Packets,
    pub(super) told: Told,
    pub(super) harvest: &'a Harvest,
}

/// What recovery made of an acknowledgment, as far as the timer cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[must_use]
pub(super) struct Reaction {
    /// Loss detection has set the timer, or it must not be touched.
    pub(super) timer_is_set: bool,
    /// RFC 5682 step 2: new data shall leave.
    pub(super) send_new: bool,
    /// Segments that are supposed to have arrived, without SACK.
    pub(super) supposed: u32,
}

impl Sender {
    pub(super) fn set_state(&mut self, now: Instant, to: CaState) {
        let from = core::mem::replace(&mut self.recovery.state, to);
        if from != to {
            let (cwnd, ssthresh, until) = (self.cc.cwnd().0, self.cc.ssthresh().0, self.recovery.high.raw());
            self.journal.decide(now, || Decision::State { from, to, cwnd, ssthresh, until });
        }
    }

    /// Our SYN had to be sent again. As Linux: without SACK the state stays until something beyond is acknowledged.
    pub(crate) fn syn_was_lost(&mut self) {
        if !self.sack {
            self.recovery.state = CaState::Loss;
        }
    }

    /// Both SYNs have crossed: as on Linux ours counts once for its acknowledgment and once for the state.
    pub(crate) fn both_syns_delivered(&mut self, now: Instant) {
        self.cc.flow_mut(now).rate.count_delivered(1, 0);
    }

    /// An acknowledgment that is not wholly ordinary: Linux's tcp_fastretrans_alert.
    pub(super) fn on_alert(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) -> Reaction {
        // RFC 3168: a reduction that a mark asks for is not taken back.
        if shown.congested
            && let Some(repair) = &mut self.repair
        {
            repair.undo.before = None;
        }
        if self.hesitate_over_reneging(now, shown) {
            return Reaction { timer_is_set: true, ..Reaction::default() };
        }
        if self.recovery.state == CaState::Open {
            self.forget_first_resent();
        } else if !self.una.before(self.recovery.high) && self.leave(now, shown, config) {
            return Reaction::default();
        }
        match self.recovery.state {
            CaState::Recovery => self.go_on_recovering(now, shown, config),
            CaState::Loss => self.go_on_after_timeout(now, shown, config),
            CaState::Open | CaState::Disorder | CaState::Cwr => self.watch(now, shown, config),
        }
    }

    /// RFC 2018 section 8: the peer may have dropped what it said it held. It gets a little time to
    /// say otherwise before the timer forgets its blocks.
    fn hesitate_over_reneging(&mut self, now: Instant, shown: &Shown<'_>) -> bool {
        if !shown.advanced || !self.scoreboard.is_reneged() {
            return false;
        }
        let half = self.rtt.smoothed().unwrap_or_default() / 2;
        self.timer = SendTimer::Retransmit { at: now + half.max(core::time::Duration::from_millis(10)) };
        true
    }

    fn forget_first_resent(&mut self) {
        if let Some(repair) = &mut self.repair {
            repair.undo.first_resent = None;
        }
    }

    /// What was outstanding when the state began is acknowledged. Whether nothing more is to be done.
    fn leave(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) -> bool {
        match self.recovery.state {
            // RFC 3168 section 6.1.2: something beyond, so that CWR has reached the receiver.
            CaState::Cwr if self.una != self.recovery.high => {
                self.cc.on_recovered(now);
                self.set_state(now, CaState::Open);
            }
            CaState::Recovery => {
                self.forget_duplicates();
                return self.try_undo_at_end(now, shown, config);
            }
            _ => {}
        }
        false
    }

    fn go_on_recovering(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) -> Reaction {
        if shown.advanced && self.try_undo_partial(now, shown, config) {
            return Reaction::default();
        }
        let supposed = self.suppose_arrival(now, shown, config);
        if self.try_undo_by_duplicates(now, config) {
            self.keep_open(now);
        }
        let detected = self.find_loss(now, shown.advanced, config);
        if self.recovery.state != CaState::Recovery && self.scoreboard.lost().0 > 0 {
            // Taken back, and lost after all.
            self.on_loss(now, shown, config);
        }
        Reaction { timer_is_set: detected.wait.is_some(), supposed, ..Reaction::default() }
    }

    /// Without SACK a duplicate is a segment that has arrived.
    fn suppose_arrival(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) -> u32 {
        if self.sack || !shown.duplicate { 0 } else { self.on_duplicate(now, config) }
    }

    /// Linux's tcp_process_loss.
    fn go_on_after_timeout(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) -> Reaction {
        let mut reaction = self.judge_timeout(now, shown, config);
        let detected = self.find_loss(now, shown.advanced, config);
        reaction.timer_is_set = detected.wait.is_some();
        if self.recovery.state == CaState::Open || detected.lost_again > 0 {
            return self.watch_on(now, shown, reaction, config);
        }
        reaction
    }

    /// What the timeout was, and whether new data shall be tried instead of retransmissions.
    fn judge_timeout(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) -> Reaction {
        let mut reaction = Reaction::default();
        let recovered = !self.una.before(self.recovery.high);
        if shown.advanced && self.try_undo_timeout(now, shown, false, config) {
            return reaction;
        }
        if self.repair(config).frto != Frto::Off {
            // RFC 5682 section 3.1 step 3.b: what was sent once has arrived.
            if shown.harvest.original && self.try_undo_timeout(now, shown, true, config) {
                return reaction;
            }
            if self.nxt.after(self.recovery.high) {
                // Step 3.a: the loss was real.
                if shown.harvest.sacked || shown.duplicate {
                    self.repair(config).frto = Frto::Off;
                }
            } else if shown.advanced && !recovered {
                self.recovery.high = self.nxt;
                // Step 2.b.
                reaction.send_new = self.has_unsent() && self.window_room() > 0;
                if reaction.send_new {
                    return reaction;
                }
                self.repair(config).frto = Frto::Off;
            }
        }
        if recovered {
            // Step 2.a, and the end of slow start after a timeout.
            let _ = self.try_undo_at_end(now, shown, config);
        } else if self.nxt.after(self.recovery.high) && shown.duplicate {
            reaction.supposed = self.suppose_arrival(now, shown, config);
        } else if shown.advanced {
            self.forget_duplicates();
        }
        reaction
    }

    /// Open, Disorder or CWR: whether loss has to be recovered from.
    fn watch(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) -> Reaction {
        if shown.advanced {
            self.forget_duplicates();
        }
        let supposed = self.suppose_arrival(now, shown, config);
        self.watch_on(now, shown, Reaction { supposed, ..Reaction::default() }, config)
    }

    fn watch_on(&mut self, now: Instant, shown: &Shown<'_>, mut reaction: Reaction, config: &Config) -> Reaction {
        if self.recovery.state <= CaState::Disorder {
            self.try_undo_by_duplicates(now, config);
        }
        reaction.timer_is_set |= self.find_loss(now, shown.advanced, config).wait.is_some();
        if self.scoreboard.lost().0 > 0 {
            self.on_loss(now, shown, config);
        } else {
            self.try_open(now, shown, config);
        }
        reaction
    }

    /// Loss detection after an acknowledgment, by time or without SACK by count.
    fn find_loss(&mut self, now: Instant, advanced: bool, config: &Config) -> Detected {
        if self.scoreboard.is_empty() {
            return Detected::default();
        }
        if !self.sack {
            self.find_loss_by_count(now, advanced, config);
            return Detected::default();
        }
        match core::mem::take(&mut self.recovery.look) {
            true => self.find_loss_by_time(now, config),
            false => Detected::default(),
        }
    }

    /// RFC 8985 section 6.2 step 5; arms the reordering timer.
    fn find_loss_by_time(&mut self, now: Instant, config: &Config) -> Detected {
        let recovering = self.recovery.state >= CaState::Recovery;
        let (sacked, min_rtt, srtt) = (self.scoreboard.sacked(), self.rtt.min(), self.rtt.smoothed());
        let repair = self.repair(config);
        let window = repair.reordering.window(recovering, sacked, min_rtt, srtt, config);
        let why = match repair.probe.is_out() {
            true => LossReason::Probe,
            false if !recovering && repair.reordering.is_enough(sacked, config) => LossReason::Duplicates,
            false => LossReason::Time,
        };
        let mut losses = self.losses(now, why);
        let detected = losses.board.detect(now, window, |mark, again| losses.ledger.enter(mark, again));
        if let Some(wait) = detected.wait {
            let at = now + (wait + super::tlp::MARGIN).min(self.rto(config));
            self.timer = SendTimer::Reorder { at };
            self.journal.decide(now, || Decision::ReorderWait { until: at });
        }
        detected
    }

    /// The reordering timer is due: Linux's tcp_rack_reo_timeout.
    pub(super) fn on_reorder_timeout(&mut self, now: Instant, config: &Config) {
        let flight = self.scoreboard.sent().saturating_sub(self.scoreboard.sacked());
        let before = self.scoreboard.in_flight();
        let detected = self.find_loss_by_time(now, config);
        if self.scoreboard.in_flight() != before && self.recovery.state != CaState::Recovery {
            self.enter_recovery(now, flight, false, config);
            self.reduce_window(1, false, config);
        }
        self.repair(config).leave = Leave::Again;
        if detected.wait.is_none() {
            self.rearm(now, config);
        }
    }

    /// An acknowledgment showed a loss: of a probe of the path's MTU, which is no congestion, or of anything else.
    fn on_loss(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) {
        if !self.on_mtu_probe_lost() {
            self.enter_recovery(now, shown.flight, shown.congested, config);
        }
    }

    /// Loss was found by acknowledgments. A window that is on its way down already is not reduced twice.
    fn enter_recovery(&mut self, now: Instant, flight: Packets, congested: bool, config: &Config) {
        self.give_up_mtu_probe();
        self.journal.count(if self.sack { Statistic::SackRecovery } else { Statistic::RenoRecovery });
        let reducing = self.recovery.is_reducing();
        self.repair(config).undo.before = None;
        self.begin_undo(config);
        if !reducing {
            let in_flight = self.scoreboard.in_flight();
            let before =
                self.reducing(now, ReductionReason::Loss, config, |it| it.cc.on_loss(&LossSample { now, in_flight }));
            self.repair(config).undo.before = (!congested).then_some(before);
            self.begin_reduction(flight, config);
        }
        self.set_state(now, CaState::Recovery);
    }

    /// A reduction begins that may be taken back. What was sent again before, a loss probe among it, may come twice, too.
    pub(super) fn begin_undo(&mut self, config: &Config) {
        let (una, resent) = (self.una, self.scoreboard.resent());
        let repair = self.repair(config);
        let probe = Packets(u32::from(repair.probe.is_copy()));
        repair.undo.begin(una, resent.saturating_add(probe));
    }

    /// RFC 9937 section 6.1. ssthresh has fallen; the window follows.
    fn begin_reduction(&mut self, flight: Packets, config: &Config) {
        self.recovery.high = self.nxt;
        self.reduced = true;
        let repair = self.repair(config);
        repair.probe.forget();
        repair.prr = Prr::new(flight);
    }

    /// RFC 3168 section 6.1.2: congestion that was marked counts as loss does, once per window, and is not
    /// taken back.
    pub(crate) fn enter_cwr(&mut self, now: Instant, flight: Packets, config: &Config) {
        self.repair(config).undo.before = None;
        if self.recovery.state >= CaState::Cwr {
            return;
        }
        self.repair(config).undo.end();
        let in_flight = self.scoreboard.in_flight();
        let _ = self.reducing(now, ReductionReason::Mark, config, |it| it.cc.on_ecn(&LossSample { now, in_flight }));
        self.begin_reduction(flight, config);
        self.set_state(now, CaState::Cwr);
    }

    /// A loss that a probe has repaired: the window falls as in a recovery that is over at once.
    pub(super) fn reduce_at_once(&mut self, now: Instant, flight: Packets, config: &Config) {
        self.reducing(now, ReductionReason::Probe, config, |it| {
            let in_flight = it.scoreboard.in_flight();
            let _ = it.cc.on_loss(&LossSample { now, in_flight });
            it.begin_reduction(flight, config);
            it.set_state(now, CaState::Cwr);
            it.cc.on_recovered(now);
        });
        self.keep_open(now);
    }

    /// RFC 9937 section 6.2, for an acknowledgment that delivered `newly` segments.
    pub(super) fn reduce_window(&mut self, newly: u32, safe: bool, config: &Config) {
        let (in_flight, ssthresh) = (self.scoreboard.in_flight(), self.cc.ssthresh());
        if let Some(cwnd) = self.repair(config).prr.window(newly, in_flight, ssthresh, safe) {
            self.cc.set_cwnd(cwnd);
        }
    }

    /// Nothing is lost: whether something is out of order.
    fn keep_open(&mut self, now: Instant) {
        let left = self.scoreboard.sacked().0 + self.scoreboard.lost().0 > 0;
        let state = if left || self.scoreboard.any_resent() { CaState::Disorder } else { CaState::Open };
        if state != self.recovery.state {
            self.recovery.high = self.nxt;
            self.set_state(now, state);
        }
    }

    fn try_open(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) {
        if !self.scoreboard.any_resent() {
            self.forget_first_resent();
        }
        if shown.congested {
            self.enter_cwr(now, shown.flight, config);
        }
        if self.recovery.state != CaState::Cwr {
            self.keep_open(now);
        }
    }

    /// Whether an original has arrived that was sent again.
    fn is_needless(&self, shown: &Shown<'_>) -> bool {
        // Without SACK the first retransmission is forgotten when everything is acknowledged.
        let undo = self.repair.as_ref().map(|repair| repair.undo).unwrap_or_default();
        let forgotten = undo.first_resent.is_none() && !self.sack && !self.una.before(self.recovery.high);
        !forgotten && undo.came_before(shown.echo)
    }

    fn may_undo(&self, shown: &Shown<'_>) -> Option<UndoReason> {
        let undo = self.repair.as_ref()?.undo;
        if undo.all_needless() {
            return Some(UndoReason::Duplicates);
        }
        (undo.is_open() && self.is_needless(shown)).then_some(UndoReason::Original)
    }

    /// RFC 4015: the window is given back.
    fn undo_reduction(&mut self, now: Instant, why: UndoReason, nothing_lost: bool, config: &Config) {
        if nothing_lost {
            self.scoreboard.lose_nothing();
        }
        let undo = |it: &mut Sender| {
            if let Some(repair) = &mut it.repair {
                repair.undo.end();
                if let Some(before) = repair.undo.before {
                    it.cc.undo(now, &before);
                    it.reduced = false;
                }
            }
        };
        self.journalled(now, config, undo, |before, after| Some(Decision::Undone { why, before, after }));
        self.recovery.look = true;
    }

    /// RFC 6582 section 3.2 step 1: without SACK the state stays until something beyond is acknowledged, lest late
    /// duplicates begin another recovery.
    fn must_not_reopen(&mut self) -> bool {
        let stays = !self.sack && self.una == self.recovery.high;
        if stays && !self.scoreboard.any_resent() {
            self.forget_first_resent();
        }
        stays
    }

    /// Everything that was outstanding is acknowledged. Whether the state stays all the same.
    fn try_undo_at_end(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) -> bool {
        if let Some(why) = self.may_undo(shown) {
            let after_timeout = self.recovery.state == CaState::Loss;
            self.journal.count(if after_timeout { Statistic::LossUndo } else { Statistic::FullUndo });
            self.undo_reduction(now, why, false, config);
        } else {
            self.repair(config).reordering.on_recovered();
        }
        if self.must_not_reopen() {
            return true;
        }
        // RFC 9937 section 6.4. Taken back: the window stays as it was given back. After a timeout slow start has it.
        if self.recovery.state == CaState::Recovery && self.repair(config).undo.is_open() {
            self.cc.on_recovered(now);
        }
        self.reopen(now, config);
        false
    }

    /// RFC 3708: everything sent again had arrived.
    fn try_undo_by_duplicates(&mut self, now: Instant, config: &Config) -> bool {
        let needless = self.repair.as_ref().is_some_and(|repair| repair.undo.all_needless());
        if needless {
            self.repair(config).reordering.on_undone();
            self.journal.count(Statistic::DsackUndo);
            self.undo_reduction(now, UndoReason::Duplicates, false, config);
        }
        needless
    }

    /// RFC 4015 after a timeout; `frto`: by RFC 5682's verdict.
    fn try_undo_timeout(&mut self, now: Instant, shown: &Shown<'_>, frto: bool, config: &Config) -> bool {
        let why = if frto { Some(UndoReason::Frto) } else { self.may_undo(shown) };
        let Some(why) = why else { return false };
        self.undo_reduction(now, why, true, config);
        self.journal.count(Statistic::LossUndo);
        if frto {
            self.journal.count(Statistic::SpuriousTimeout);
        }
        self.retransmits = 0;
        if !self.must_not_reopen() && (frto || self.sack) {
            self.reopen(now, config);
        }
        true
    }

    fn reopen(&mut self, now: Instant, config: &Config) {
        let repair = self.repair(config);
        repair.reneging = false;
        repair.frto = Frto::Off;
        self.set_state(now, CaState::Open);
    }

    /// A partial acknowledgment by a delayed original: reordering, not loss. Whether nothing more is to be done.
    fn try_undo_partial(&mut self, now: Instant, shown: &Shown<'_>, config: &Config) -> bool {
        let open = self.repair.as_ref().is_some_and(|repair| repair.undo.is_open());
        if !open || !self.is_needless(shown) {
            return false;
        }
        self.note_late(now, shown.prior, Statistic::TimestampReorder, config);
        // Retransmissions that are under way may still turn out to have been needed: no more of them.
        if self.scoreboard.resent().0 > 0 {
            self.repair(config).leave = Leave::New;
            return true;
        }
        if !self.scoreboard.any_resent() {
            self.forget_first_resent();
        }
        self.undo_reduction(now, UndoReason::Original, true, config);
        self.journal.count(Statistic::PartialUndo);
        self.keep_open(now);
        false
    }

    /// `low` arrived late and was sent once.
    pub(super) fn note_late(&mut self, now: Instant, low: Seq<Local>, seen_by: Statistic, config: &Config) {
        let (fack, mss) = (self.scoreboard.highest_sacked(self.una), u32::from(self.mss));
        let reordering = &mut self.repair(config).reordering;
        if reordering.on_late(low, fack, mss, config) {
            let (degree, seen) = (reordering.degree, reordering.seen);
            self.journal.count(seen_by);
            self.journal.decide(now, || Decision::Reordered { degree, seen });
        }
    }
}
