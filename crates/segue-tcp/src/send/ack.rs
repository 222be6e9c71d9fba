//! What an acceptable acknowledgment does to the sending half.
//!
//! Order, fixed, as on Linux: window, blocks, release of bytes and marks, RTT sample, tail-loss probe, loss
//! detection and recovery, timer, congestion control. Owns the SND.WND rule of RFC 9293
//! section 3.10.7.4, RFC 6298 5.2 and 5.3, and RFC 5681 section 2 (what a duplicate is).

use core::time::Duration;

use segue_wire::Instant;
use segue_wire::tcp::{AccEcn, SackBlocks, TcpFlags};

use super::Sender;
use super::frto::Frto;
use super::recovery::{Reaction, Shown};
use super::rtt::{Progress, is_of_last};
use super::sack::Told;
use super::scoreboard::{Arrival, Harvest};
use super::timer::{Nudge, SendTimer};
use super::undo::Undo;
use crate::cc::AckSample;
use crate::config::Config;
use crate::ecn::{EcnAck, Feedback, Marks};
use crate::journal::{CaState, Decision, Statistic};
use crate::state::halves::LocalHalf;
use crate::state::synced::Rules;
use crate::units::{Deadline, Local, Packets, Peer, Seq};

/// An acknowledgment that is not beyond SND.NXT.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ack {
    pub(crate) number: Seq<Local>,
    /// SEG.SEQ.
    pub(crate) sequence: Seq<Peer>,
    /// SEG.WND in bytes.
    pub(crate) window: u32,
    /// The segment carries nothing but the acknowledgment.
    pub(crate) bare: bool,
    /// Its flags and AccECN option: what we sent may have met congestion.
    pub(crate) flags: TcpFlags,
    pub(crate) accecn: Option<AccEcn>,
    /// Its timestamp is newer than any before.
    pub(crate) newer: bool,
    /// What the peer says it holds out of order.
    pub(crate) sack: SackBlocks,
    /// Round-trip time that its timestamp echo shows.
    pub(crate) echo: Option<Duration>,
    /// When what it echoes left, in milliseconds.
    pub(crate) echo_of: Option<u64>,
}

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct AckEffect {
    /// SND.UNA moved.
    pub(crate) advanced: bool,
    /// Our FIN is acknowledged now.
    pub(crate) fin: bool,
    /// A waiting writer should be told.
    pub(crate) writable: bool,
}

/// What was so before the acknowledgment.
#[derive(Clone, Copy, Debug)]
struct Before {
    una: Seq<Local>,
    /// Sent and not known to have arrived.
    flight: Packets,
    fack: Seq<Local>,
    /// Segments found lost since the beginning, modulo 2^32.
    lost: u32,
    /// Something was outstanding.
    outstanding: bool,
    /// The peer's window, and neither cwnd nor the application, held the sender back.
    peer_limited: bool,
}

/// An acknowledgment, and what it is to the sender.
#[derive(Clone, Copy, Debug)]
struct News<'a> {
    ack: &'a Ack,
    before: Before,
    /// SND.UNA moved.
    advanced: bool,
    /// A duplicate by RFC 5681's definition.
    duplicate: bool,
}

impl Sender {
    pub(crate) fn on_ack(&mut self, now: Instant, ack: &Ack, ecn: &mut Feedback, rules: Rules<'_>) -> AckEffect {
        let (config, options) = (rules.config, rules.options);
        self.check_app_limited(now);
        let before = self.before_ack();
        let advanced = ack.number.after(self.una);
        let old_window = self.wnd;
        self.take_window(ack, config);
        self.restart_persist(now, old_window == 0 && self.wnd > 0, config, options);
        // RFC 5681 section 2; a window that is shut, or opens, is an update.
        let duplicate = !advanced && ack.bare && ack.window == old_window && ack.window != 0;
        if advanced {
            self.una = ack.number;
            self.retransmits = 0;
            self.trouble_since = Deadline::NEVER;
        }
        if before.outstanding || !ack.sack.is_empty() {
            let news = News { ack, before, advanced, duplicate: duplicate && before.outstanding };
            self.digest(now, &news, ecn, config);
        } else {
            let _ = self.read_marks(ack, ecn, ack.newer, 0, 0);
        }
        let mut effect = AckEffect { advanced, ..AckEffect::default() };
        if advanced {
            effect.fin = self.release();
        }
        effect.writable = self.make_space(now, rules);
        self.note_full_window(now, config);
        effect
    }

    /// An acknowledgment that others have overtaken: its blocks may be news.
    pub(crate) fn on_old_ack(&mut self, now: Instant, ack: &Ack, config: &Config) {
        if ack.sack.is_empty() {
            return;
        }
        let news = News { ack, before: self.before_ack(), advanced: false, duplicate: false };
        let mut arrival = self.arrival(now, ack);
        let told = self.take_blocks(ack, news.before.una, &mut arrival, config);
        let harvest = self.keep(arrival, config);
        let min_rtt = self.rtt.min();
        let rate = &mut self.cc.flow_mut(now).rate;
        rate.count_delivered(harvest.newly(), harvest.delivered.segments);
        let _ = rate.sample(now, &harvest.delivered, min_rtt);
        let _ = self.on_alert(now, &news.shown(&harvest, told, false), config);
    }

    fn before_ack(&self) -> Before {
        let board = &self.scoreboard;
        Before {
            una: self.una,
            flight: board.sent().saturating_sub(board.sacked()),
            fack: board.highest_sacked(self.una),
            lost: self.lost_so_far(),
            outstanding: !board.is_empty(),
            peer_limited: self.window_room() < self.unsent().min(self.mss.into()) && board.in_flight() < self.cc.cwnd(),
        }
    }

    fn lost_so_far(&self) -> u32 {
        self.cc.flow().map_or(0, |flow| flow.rate.lost())
    }

    fn arrival(&self, now: Instant, ack: &Ack) -> Arrival {
        Arrival {
            now,
            una: self.una,
            high: self.recovery.high,
            echo: ack.echo_of,
            min_rtt: self.rtt.min(),
            sack: self.sack,
            look: self.recovery.look,
            undo: self.repair.as_ref().map_or(Undo::default(), |repair| repair.undo),
            harvest: Harvest::default(),
        }
    }

    /// What marks have taught goes where it is kept.
    fn keep(&mut self, arrival: Arrival, config: &Config) -> Harvest {
        self.recovery.look = arrival.look;
        if let Some(repair) = &mut self.repair {
            repair.undo = arrival.undo;
        }
        if arrival.harvest.sacked {
            // Reordering and undo are asked from now on.
            let _ = self.repair(config);
        }
        arrival.harvest
    }

    /// What the acknowledgment says of congestion. `packets` and `bytes`: what it newly shows to have arrived.
    fn read_marks(&mut self, ack: &Ack, ecn: &mut Feedback, progress: bool, packets: u32, bytes: u32) -> Marks {
        let about = EcnAck {
            flags: ack.flags,
            option: ack.accecn,
            progress,
            packets,
            bytes,
            mss: u32::from(self.mss),
            sent: self.counts.bytes_sent,
            exact: self.recovery.state < CaState::Recovery,
        };
        let marks = ecn.on_ack(&about);
        self.journal.add(Statistic::DeliveredCe, marks.packets);
        marks
    }

    /// Scoreboard, round trip, recovery, timer, congestion control.
    fn digest(&mut self, now: Instant, news: &News<'_>, ecn: &mut Feedback, config: &Config) {
        let News { ack, before, advanced, .. } = *news;
        self.let_anything_leave();
        if self.nudge == Nudge::Trial {
            self.nudge = Nudge::Nothing;
        }
        if let Some(repair) = &mut self.repair
            && repair.frto == Frto::SendNew
        {
            repair.frto = Frto::Watching;
        }
        let mut arrival = self.arrival(now, ack);
        let mut told = Told::default();
        if self.sack && !ack.sack.is_empty() {
            told = self.take_blocks(ack, before.una, &mut arrival, config);
            self.note_sacked_late(now, &arrival.harvest, config);
        }
        let supposed = self.scoreboard.sacked().0;
        self.scoreboard.acknowledge(&mut arrival);
        let mut harvest = self.keep(arrival, config);
        // As Linux: without SACK an original cannot be told from what was sent again beside it.
        harvest.original &= self.sack || !harvest.acked_resent;
        let mut newly = harvest.newly();
        if !self.sack && advanced {
            newly = self.eat_duplicates(now, harvest.acked, supposed, config);
        }
        let progress = advanced || harvest.sacked || ack.newer;
        let marks = self.read_marks(ack, ecn, progress, newly, harvest.bytes);
        let shown = news.shown(&harvest, told, marks.congested);
        if !before.outstanding {
            // Nothing to acknowledge, but a reduction may prove to be needless.
            if told.duplicate {
                self.cc.flow_mut(now).rate.count_delivered(newly, 0);
                let _ = self.on_alert(now, &shown, config);
            }
            return self.on_probe_ack(now, &shown, config);
        }
        let rtt = self.sample_rtt(now, ack, &harvest, config);
        if harvest.acked > 0 {
            self.on_mtu_probe_acked(now, config);
        }
        if self.sack {
            self.note_acked_late(now, &harvest, before.fack, config);
            let delivered = self.cc.flow().map_or(0, |flow| flow.rate.delivered()).wrapping_add(newly);
            if let (Some(repair), Some(prior)) = (&mut self.repair, harvest.delivered.prior()) {
                repair.reordering.widen(prior, delivered, config);
            }
        }
        self.on_probe_ack(now, &shown, config);
        let mut reaction = Reaction::default();
        let dubious = shown.duplicate || harvest.sacked || told.duplicate || marks.congested;
        if dubious || self.recovery.state != CaState::Open || (advanced && self.scoreboard.is_reneged()) {
            reaction = self.on_alert(now, &shown, config);
            newly += reaction.supposed;
        }
        self.settle_timer(now, &harvest, rtt, reaction, config);
        self.control(now, news, &harvest, Outcome { newly, rtt }, config);
        if reaction.send_new {
            self.let_new_data_out(config);
        }
    }

    /// RFC 5682 step 2.b, unless the window holds new data back.
    fn let_new_data_out(&mut self, config: &Config) {
        let may = self.cc.cwnd() > self.scoreboard.in_flight();
        self.repair(config).frto = if may { Frto::SendNew } else { Frto::Off };
        if may {
            self.nudge = Nudge::Trial;
        }
    }

    fn note_sacked_late(&mut self, now: Instant, harvest: &Harvest, config: &Config) {
        // After a timeout what was sent again cannot be told from what was late, unless it may be undone.
        let open = self.repair.as_ref().is_some_and(|repair| repair.undo.is_open());
        if let Some(low) = harvest.late_sacked
            && (self.recovery.state != CaState::Loss || open)
        {
            self.note_late(now, low, Statistic::SackReorder, config);
        }
    }

    fn note_acked_late(&mut self, now: Instant, harvest: &Harvest, fack: Seq<Local>, config: &Config) {
        if let Some(low) = harvest.late_acked
            && low.before(fack)
        {
            self.note_late(now, low, Statistic::SackReorder, config);
        }
    }

    /// SND.WL1 is the number of the SYN itself: the next segment may shrink the window that the SYN-ACK offered.
    pub(crate) fn window_came_with_syn(&mut self, irs: Seq<Peer>) {
        self.wl1 = irs;
    }

    /// Whether the window that comes with these numbers is news.
    pub(crate) fn may_take_window(&self, number: Seq<Local>, sequence: Seq<Peer>, window: u32) -> bool {
        let newer = number.after(self.una) || sequence.after(self.wl1);
        newer || (sequence == self.wl1 && (window > self.wnd || window == 0))
    }

    /// RFC 9293 section 3.10.7.4: SND.WND follows the newest segment. As on Linux, a window that
    /// comes with nothing new may open or close wholly, so that a reordered acknowledgment cannot shrink it.
    fn take_window(&mut self, ack: &Ack, config: &Config) {
        if !self.may_take_window(ack.number, ack.sequence, ack.window) {
            return;
        }
        self.wl1 = ack.sequence;
        if self.wnd == 0 && ack.window > 0 && self.scoreboard.is_empty() {
            // As Linux: of probes only, what was sent again waits for a measurement.
            self.rtt.collapse_backoff();
        }
        if ack.window > self.wnd && matches!(self.timer, SendTimer::Persist { .. }) {
            // Only room is progress: TCP_USER_TIMEOUT also bounds how long a shut window holds data
            // back, answered probes or not, as on Linux.
            self.trouble_since = Deadline::NEVER;
        }
        if ack.window != self.wnd {
            self.queue.end_burst();
        }
        self.wnd = ack.window;
        if ack.window > self.max_window {
            self.max_window = ack.window;
            self.sync_mss(config);
        }
    }

    /// Bytes that are acknowledged leave the queue. Whether our FIN is acknowledged now.
    fn release(&mut self) -> bool {
        self.queue.release(self.una);
        if self.urgent_end.is_some_and(|end| !end.after(self.una)) {
            self.urgent_end = None;
        }
        if self.partial_end.before(self.una) {
            self.partial_end = self.una;
        }
        let fin = matches!(self.half, LocalHalf::FinSent { fin } if self.una == fin + 1);
        if fin {
            self.half = LocalHalf::FinAcked { until: Deadline::NEVER };
        }
        fin
    }

    /// RFC 6298 section 3 (Karn): what was sent twice gives a sample only by its timestamp (RFC 7323 section 4.1). As on
    /// Linux an earlier transmission that arrived late gives one, too. But an old echo also comes when the earlier one
    /// had arrived and its acknowledgment was lost; then the peer says that the later one came twice, if it can. That
    /// measures the timeout, not the path, and every timeout sampled so would nearly double the next. The earliest
    /// of what arrived counts: the timeout must cover it.
    fn sample_rtt(&mut self, now: Instant, ack: &Ack, harvest: &Harvest, config: &Config) -> Option<Measured> {
        let resent = harvest.first_sent_at.filter(|_| harvest.acked_resent);
        let clean = harvest.clean.filter(|_| !harvest.acked_resent);
        let is_believed = !self.sack || harvest.duplicates == 0;
        let of_last = |echo: Duration| resent.is_some_and(|first| is_of_last(echo, now - first));
        let echo = ack.echo.filter(|echo| harvest.acked > 0 && (is_believed || of_last(*echo)));
        // What is sacked beside something that was sent again later may have arrived long before: the
        // acknowledgment that told so was lost.
        let sacked = harvest.clean_sacked.filter(|(_, last)| resent.is_none_or(|first| *last >= first));
        let newest = sacked.or(clean).map(|(_, last)| now - last);
        let earliest = |sent: (Instant, Instant)| now - sent.0;
        // Section 5: only a sample ends the back-off, as on Linux.
        let sample = clean.map(earliest).or(sacked.map(earliest)).or(echo)?;
        let newest = newest.unwrap_or(sample).min(sample);
        self.rtt.sample(sample, Progress { una: self.una, nxt: self.nxt }, config.rto_min, config.rto_max);
        self.rtt.note_least(newest);
        if let Some(repair) = &mut self.repair {
            repair.probe.on_measured();
        }
        Some(Measured { sample, newest, from_block: clean.is_none() && sacked.is_some() })
    }

    /// RFC 6298 5.2 and 5.3, RFC 8985 section 7.2.
    fn settle_timer(
        &mut self,
        now: Instant,
        harvest: &Harvest,
        rtt: Option<Measured>,
        reaction: Reaction,
        config: &Config,
    ) {
        if self.scoreboard.is_empty() {
            self.timer = SendTimer::Idle;
            return;
        }
        // As Linux: a block restarts the timer if what it tells of left after the segment at SND.UNA last did.
        let since_head = self.scoreboard.head_sent_at().map(|sent_at| now - sent_at);
        let by_block = rtt.is_some_and(|rtt| rtt.from_block && since_head.is_some_and(|since| rtt.sample > since));
        if (harvest.acked > 0 || by_block) && !reaction.timer_is_set {
            self.restart_timer(now, config);
        }
    }

    /// Congestion control: PRR while the window comes down, the controller always.
    fn control(&mut self, now: Instant, news: &News<'_>, harvest: &Harvest, outcome: Outcome, config: &Config) {
        let Outcome { newly, rtt } = outcome;
        let lost = self.lost_so_far().wrapping_sub(news.before.lost);
        let reducing = self.recovery.is_reducing();
        if reducing {
            self.reduce_window(newly, news.advanced && lost == 0, config);
        }
        if newly != harvest.delivered.segments {
            self.cc.flow_mut(now).rate.count_delivered(newly, harvest.delivered.segments);
        }
        if newly == 0 && lost == 0 {
            return;
        }
        // Linux's tcp_may_raise_cwnd: where much is reordered, what arrives out of order counts, too.
        let reordered = self.reordering_degree(config) > config.reordering.into();
        let raises = !reducing && (harvest.acked > 0 || (reordered && harvest.sacked));
        let reneging = self.repair.as_ref().is_some_and(|repair| repair.reneging);
        let min_rtt = self.rtt.min();
        let rate = self.cc.flow_mut(now).rate.sample(now, &harvest.delivered, min_rtt);
        let sample = AckSample {
            now,
            una: self.una,
            nxt: self.nxt,
            mss: u32::from(self.mss),
            delivered: Packets(newly),
            lost: Packets(lost),
            credit: if raises { Packets(newly) } else { Packets(0) },
            cwnd_limited: self.cc.is_limiting(),
            peer_limited: news.before.peer_limited,
            in_flight: self.scoreboard.in_flight(),
            rtt: rtt.map(|rtt| rtt.newest),
            srtt: self.rtt.smoothed(),
            rate: rate.filter(|_| !reneging),
            selective: self.sack,
        };
        let from = self.cc.phase();
        self.cc.on_ack(&sample);
        let to = self.cc.phase();
        if from != to && self.journal.is_traced() {
            let state = self.flow_state(config);
            self.journal.decide(now, || Decision::Controller { from, to, now: state });
        }
    }
}

impl News<'_> {
    fn shown<'a>(&self, harvest: &'a Harvest, told: Told, congested: bool) -> Shown<'a> {
        Shown {
            number: self.ack.number,
            prior: self.before.una,
            advanced: self.advanced,
            duplicate: self.duplicate && !told.duplicate,
            congested,
            echo: self.ack.echo_of,
            flight: self.before.flight,
            told,
            harvest,
        }
    }
}

/// What loss detection and recovery made of an acknowledgment, as far as congestion control cares.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    /// Segments that have arrived, copies included, or are supposed to have.
    newly: u32,
    rtt: Option<Measured>,
}

/// What an acknowledgment measured of the round trip.
#[derive(Clone, Copy, Debug)]
struct Measured {
    /// Of the earliest segment that it shows to have arrived: for the timeout.
    sample: Duration,
    /// Of the newest: for congestion control.
    newest: Duration,
    /// Only blocks gave it.
    from_block: bool,
}
