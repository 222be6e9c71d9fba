//! What the sending half would send now: a pure function, and its commitment.
//!
//! `plan` looks, `commit` acts; both `poll_transmit` and `next_deadline` ask the same `plan`.
//! Owns RFC 9293 section 3.8.6.2.1 (sender's silly-window avoidance) and the choice among
//! retransmission, new data, FIN and probe. Retransmissions come first.

use core::cell::OnceCell;

use segue_wire::tcp::TcpFlags;
use segue_wire::{Chunks, Instant};

use super::Sender;
use super::frto::Frto;
use super::nagle::Hold;
use super::path_mtu::ProbePlan;
use super::repair::Leave;
use super::scoreboard::{Departure, Resend};
use super::timer::{Nudge, SendTimer};
use crate::cc::Restart;
use crate::cc::validation::Outstanding;
use crate::config::Config;
use crate::journal::{CaState, Decision, Statistic};
use crate::options::SocketOptions;
use crate::state::halves::LocalHalf;
use crate::units::{Deadline, Local, Packets, Seq};

/// What to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SendPlan {
    Nothing,
    /// Not before then (pacing).
    Wait(Instant),
    /// New data wait to leave with more, until something happens.
    Deferred,
    /// Sent before, thought lost.
    Again(Resend),
    /// The last segment again, as a probe.
    Tail(Resend),
    /// New bytes in one segment that is larger than the others: does it arrive?
    MtuProbe(u32),
    /// For the first time: bytes and, with the last of them or alone, the FIN.
    New {
        len: u32,
        fin: bool,
        /// Bytes of each full segment.
        size: u32,
        /// Bytes that leave as one where a link can carry them.
        most: u32,
    },
    /// An old sequence number, so that the peer answers with its acknowledgment and window.
    Probe,
}

/// New data that leave.
#[derive(Clone, Copy, Debug)]
struct New {
    len: u32,
    fin: bool,
    /// Bytes of each full segment.
    size: u32,
    /// Bytes that leave as one where a link can carry them.
    most: u32,
}

/// What the segment that is planned may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Most payload of a super-segment; one segment is always allowed.
    pub(crate) max_payload: usize,
    /// Bytes of options beside those of every segment: selective acknowledgments that ride on data.
    pub(crate) overhead: u16,
    /// Selective acknowledgments are among them.
    pub(crate) blocks: bool,
}

/// The sender's part of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) sequence: Seq<Local>,
    pub(crate) payload: Chunks,
    pub(crate) segment_size: u32,
    pub(crate) flags: TcpFlags,
    pub(crate) urgent: u16,
}

impl Sender {
    /// Bytes (and FIN) that the peer's window lets us send beyond SND.NXT.
    pub(crate) fn window_room(&self) -> u32 {
        let edge = self.una + self.wnd;
        if edge.after(self.nxt) { edge.since(self.nxt) } else { 0 }
    }

    /// RFC 5961 section 5.2: SND.UNA - MAX.SND.WND; what acknowledges less is not from our peer. As on Linux
    /// nor is what acknowledges less than was acknowledged at all.
    pub(crate) fn oldest_honest_ack(&self) -> Seq<Local> {
        let acked = u32::try_from(self.bytes_acked() + u64::from(self.counts.syn)).unwrap_or(u32::MAX);
        self.una - self.max_window.min(acked)
    }

    /// Segments that the congestion window lets us send.
    pub(super) fn quota(&self) -> u32 {
        self.cc.cwnd().saturating_sub(self.in_flight()).0
    }

    pub(crate) fn plan(&self, now: Instant, room: Room, config: &Config, options: &SocketOptions) -> SendPlan {
        let size = self.segment_size().saturating_sub(u32::from(room.overhead)).max(1);
        // Asked for only by who has something to send, and once: the rate behind it costs divisions.
        let kept = OnceCell::new();
        let segments = || *kept.get_or_init(|| self.tso_segments(size, config, options));
        let bytes = |segments: u32| segments.saturating_mul(size);
        let burst = || bytes(segments().min(self.half_window()));
        let fits = |bytes: u32| match u32::try_from(room.max_payload).unwrap_or(u32::MAX).min(0xffff) {
            max if max > size => max.min(bytes).max(size),
            _ => size,
        };
        if self.nudge == Nudge::LossProbe
            && let Some(probe) = self.plan_loss_probe(size, burst)
        {
            return probe;
        }
        if let Some(resend) = self.plan_resend(size, || fits(bytes(segments())), config) {
            return match self.held_until(now, config, options) {
                Some(at) => SendPlan::Wait(at),
                None => SendPlan::Again(resend),
            };
        }
        let probe = self.plan_mtu_probe(room.blocks, config);
        if let ProbePlan::Now(len) = probe {
            return SendPlan::MtuProbe(len);
        }
        if probe == ProbePlan::Not
            && self.nudge != Nudge::Deferred
            && let Some((len, fin)) = self.plan_new(now, size, burst, || fits(burst()), options)
        {
            if self.defers(now, size, bytes(segments()), config) {
                return SendPlan::Deferred;
            }
            return match self.held_until(now, config, options) {
                Some(at) => SendPlan::Wait(at),
                None => SendPlan::New { len, fin, size, most: burst() },
            };
        }
        match self.nudge {
            Nudge::Probe | Nudge::UrgentProbe => SendPlan::Probe,
            Nudge::Nothing | Nudge::Deferred | Nudge::Partial | Nudge::Trial | Nudge::LossProbe => SendPlan::Nothing,
        }
    }

    pub(crate) fn can_send_new(&self, now: Instant, overhead: u16, config: &Config, options: &SocketOptions) -> bool {
        let room = Room { max_payload: 0, overhead, blocks: false };
        let plan = self.plan(now, room, config, options);
        matches!(plan, SendPlan::New { .. } | SendPlan::MtuProbe(_) | SendPlan::Wait(_))
    }

    /// RFC 8985 section 7.3: a new segment whatever the congestion window says, or the last one again.
    pub(super) fn plan_loss_probe(&self, size: u32, burst: impl Fn() -> u32) -> Option<SendPlan> {
        if self.unsent() == 0 && self.half == LocalHalf::FinQueued && self.window_room() > 0 {
            return Some(SendPlan::New { len: 0, fin: true, size, most: burst() });
        }
        let len = self.unsent_parcel().min(size);
        if len > 0 && self.window_room() >= len {
            let fin = self.half == LocalHalf::FinQueued && len == self.unsent() && self.window_room() > len;
            return Some(SendPlan::New { len, fin, size, most: burst() });
        }
        let mut tail = self.scoreboard.tail()?;
        let skipped = self.bytes_of(&tail).saturating_sub(self.segment_size());
        tail.start += skipped;
        tail.len -= skipped;
        // As Linux: what the peer's window holds of it.
        self.within_window(tail).map(SendPlan::Tail)
    }

    /// `size`: most new text beside the options of now; `most`: of the payload of a super-segment.
    fn plan_resend(&self, size: u32, most: impl Fn() -> u32, config: &Config) -> Option<Resend> {
        let quota = self.quota();
        // RFC 5682 step 2: new data first, and nothing again before they are answered.
        let held = self.repair.as_ref().is_some_and(|repair| repair.frto == Frto::SendNew);
        // As Linux: a needless retransmission that is still under way stands for one that is lost. Not for the earliest one after
        // a timeout (RFC 6298 5.4): what stands for it may never be accounted for.
        let timed_out = self.recovery.state == CaState::Loss && self.scoreboard.head_waits();
        let stood_for = self.scoreboard.resent() >= self.scoreboard.lost() && !timed_out;
        if quota == 0 || held || stood_for || !self.recovery.resends() || !self.may_leave(Leave::Again) {
            return None;
        }
        // What left beside the same options leaves again as it did.
        let mss = if self.scoreboard.next_resend_len() == Some(size) { size } else { self.segment_size() };
        // In urgent mode each segment has its own pointer.
        let most = if self.urgent_end.is_some() { mss } else { most() };
        let most = most.min(quota.saturating_mul(mss));
        let resend = self.scoreboard.next_resend(mss, most, config.retrans_collapse)?;
        if resend.marks == 1 && self.bytes_of(&resend) > mss {
            // Segments are smaller now than when it left: it is cut as it leaves, as on Linux.
            return self.within_window(Resend { len: mss, push: false, ..resend });
        }
        if self.within_window(resend) == Some(resend) {
            return Some(resend);
        }
        self.within_window(self.scoreboard.next_resend(mss, 0, false)?)
    }

    /// Without the FIN.
    fn bytes_of(&self, resend: &Resend) -> u32 {
        resend.len.min(self.queue.end().since(resend.start))
    }

    /// SHLD-15, SHLD-16: a peer that shrinks its window gets what is inside, and nothing beyond the edge but what is at
    /// SND.UNA.
    fn within_window(&self, resend: Resend) -> Option<Resend> {
        let edge = self.una + self.wnd;
        if !(resend.start + resend.len).after(edge) {
            Some(resend)
        } else if resend.start.before(edge) {
            Some(Resend { len: edge.since(resend.start), push: false, ..resend })
        } else {
            (resend.start == self.una).then_some(resend)
        }
    }

    /// New bytes and whether the FIN goes with them. `burst`: what may leave at once; `most`: of which a link takes as one.
    fn plan_new(
        &self,
        now: Instant,
        size: u32,
        burst: impl Fn() -> u32,
        most: impl Fn() -> u32,
        options: &SocketOptions,
    ) -> Option<(u32, bool)> {
        if !self.has_unsent() || !self.may_leave(Leave::New) {
            return None;
        }
        let (unsent, room, quota) = (self.unsent(), self.window_room(), self.quota());
        let fin_waits = self.half == LocalHalf::FinQueued;
        if unsent == 0 {
            // As Linux since 6.8 the congestion window holds a lone FIN, too.
            return (room >= 1 && quota > 0).then_some((0, true));
        }
        if room == 0 || quota == 0 {
            return None;
        }
        let max = most();
        // In urgent mode each segment has its own pointer.
        let most = if self.urgent_end.is_some() { 1 } else { (max / size).max(1) };
        let parcel = self.unsent_parcel();
        let full = (parcel / size).min(room / size).min(quota).min(most);
        let rest = parcel - full * size;
        let len = if full > 0 && rest == 0 {
            full * size
        } else if full < quota && full < most && full * size + rest.min(size) <= max.max(size) {
            // As Linux: what cannot be joined by what is behind it has nothing to wait for.
            let is_last = parcel == unsent && !fin_waits;
            match room - full * size {
                left if left < rest.min(size) => {
                    let joins = |len: u32| len.div_ceil(size) < burst() / size;
                    let follows = full > 0 || self.queue.left_together(now).is_some_and(joins);
                    full * size + self.plan_fragment(follows, left, options)
                }
                _ => full * size + self.plan_partial(rest.min(size), !is_last, options),
            }
        } else {
            full * size
        };
        if len == 0 {
            return None;
        }
        Some((len, fin_waits && len == unsent && room > len))
    }

    /// RFC 9293 section 3.8.6.2.1: how much may leave of a segment of which only `left` bytes are in the peer's window.
    /// Nothing until all of it is (segments are no longer than half the largest window ever offered), or the override
    /// timer says so. As on Linux what `follows` full segments at once fills the window: the next ones wait again.
    fn plan_fragment(&self, follows: bool, left: u32, options: &SocketOptions) -> u32 {
        let forced = matches!(self.nudge, Nudge::Partial | Nudge::Trial);
        let fills = follows && !Hold::of(options, self.more, false).holds(self.una, self.partial_end);
        if forced || fills { left } else { 0 }
    }

    /// How much of a last segment of `len` bytes may leave: all or nothing.
    /// `ends`: nothing that is written later can fill it.
    fn plan_partial(&self, len: u32, ends: bool, options: &SocketOptions) -> u32 {
        let forced = matches!(self.nudge, Nudge::Partial | Nudge::Trial);
        let hold = Hold::of(options, self.more, ends || self.urgent_end.is_some());
        if !forced && hold.holds(self.una, self.partial_end) { 0 } else { len }
    }

    /// Makes `plan` so. `None` for plans that send nothing.
    pub(crate) fn commit(&mut self, now: Instant, plan: SendPlan, config: &Config) -> Option<Outgoing> {
        match plan {
            SendPlan::Nothing | SendPlan::Wait(_) | SendPlan::Deferred => None,
            SendPlan::Again(resend) => Some(self.commit_resend(now, &resend, config)),
            SendPlan::Tail(resend) => Some(self.commit_tail(now, &resend, config)),
            SendPlan::New { len, fin, size, most } => {
                self.reopen_search(now, config);
                Some(self.commit_new(now, New { len, fin, size, most }, config))
            }
            SendPlan::MtuProbe(len) => {
                self.on_mtu_probe_sent(now, self.nxt, len);
                Some(self.commit_new(now, New { len, fin: false, size: len, most: len }, config))
            }
            SendPlan::Probe => {
                let kept_alive = matches!(self.timer, SendTimer::KeepAlive { .. });
                self.journal.count(if kept_alive { Statistic::KeepAliveProbes } else { Statistic::WindowProbes });
                Some(self.commit_probe())
            }
        }
    }

    fn commit_resend(&mut self, now: Instant, resend: &Resend, config: &Config) -> Outgoing {
        let first = resend.start == self.una;
        self.scoreboard.cut_at(resend.start + resend.len);
        let rate = &mut self.cc.flow_mut(now).rate;
        self.scoreboard.on_resent(resend, now, |in_flight| rate.on_send(now, false, Packets(in_flight)));
        let slow = self.recovery.state == CaState::Loss;
        self.journal.add(if slow { Statistic::SlowStartRetransmit } else { Statistic::FastRetransmit }, resend.marks);
        let &Resend { start, len, marks: segments, .. } = resend;
        let state = self.recovery.state;
        self.journal.decide(now, || Decision::Resent { start: start.raw(), len, segments, state });
        self.note_sent(resend.marks);
        self.repair(config).undo.on_resent(now, resend.marks);
        if !self.trouble_since.is_set() {
            self.trouble_since = Deadline::at(now);
        }
        // The earliest segment has left once more: its timeout begins anew. What the timeout itself sends has its timer.
        let is_timeout = slow && self.retransmits > 0;
        if first && !matches!(self.timer, SendTimer::Reorder { .. }) && !is_timeout {
            self.timer = SendTimer::Retransmit { at: now + self.rto(config) };
        }
        self.again(now, resend)
    }

    /// The last segment leaves as a probe.
    fn commit_tail(&mut self, now: Instant, resend: &Resend, config: &Config) -> Outgoing {
        self.nudge = Nudge::Nothing;
        self.scoreboard.cut_at(resend.start);
        self.scoreboard.cut_at(resend.start + resend.len);
        let in_flight = self.scoreboard.in_flight();
        let sent = self.cc.flow_mut(now).rate.on_send(now, false, in_flight);
        self.scoreboard.on_tail_probed(now, resend.start, sent);
        self.on_probe_sent(now, resend.start, resend.len, false, config);
        self.again(now, resend)
    }

    /// Segments that were sent before leave.
    fn again(&mut self, now: Instant, resend: &Resend) -> Outgoing {
        let mss = resend.size;
        let bytes = self.bytes_of(resend);
        let fin = resend.len > bytes;
        self.counts.bytes_resent += u64::from(bytes);
        self.counts.resent = self.counts.resent.wrapping_add(bytes.div_ceil(mss).max(1));
        // Pushed like new data, see `commit_new`.
        self.outgoing(now, resend.start, bytes, mss, fin, resend.push || bytes > mss)
    }

    /// RFC 9937 section 6.3.
    fn note_sent(&mut self, segments: u32) {
        if self.recovery.is_reducing()
            && let Some(repair) = &mut self.repair
        {
            repair.prr.on_sent(segments);
        }
    }

    fn commit_new(&mut self, now: Instant, new: New, config: &Config) -> Outgoing {
        let New { len, fin, size, most } = new;
        let start = self.nxt;
        let data_end = start + len;
        if self.in_flight() == Packets(0) {
            let mss = u32::from(self.mss);
            let app_limited = self.cc.flow().is_some_and(|flow| flow.rate.is_app_limited());
            self.cc.on_restart(&Restart { now, app_limited, srtt: self.rtt.smoothed(), mss });
        }
        // What leaves now is the probe, and its acknowledgment is an ordinary one.
        self.probes = 0;
        let was_empty = self.scoreboard.is_empty();
        // As Linux: what the timer forces out is pushed.
        let nudge = core::mem::replace(&mut self.nudge, Nudge::Nothing);
        if nudge == Nudge::Trial && data_end != self.queue.end() {
            // All that the windows let out goes the same way.
            self.nudge = nudge;
        }
        // As Linux: urgent segments are cut apart.
        let left = self.queue.on_sent(now, data_end, len, if self.urgent_end.is_some() { size } else { most });
        let push = left.push || nudge == Nudge::Partial;
        self.mark_new(now, &Departure { start, len, size, fin, push, ends_record: left.ends_record });
        if !len.is_multiple_of(size) {
            self.partial_end = data_end;
        }
        self.nxt = data_end;
        if fin {
            self.half = LocalHalf::FinSent { fin: data_end };
            self.nxt += 1;
        }
        if nudge != Nudge::Partial {
            // As Linux: what the timer forces out says nothing about the window.
            self.note_usage(now, config);
        }
        // RFC 6298 5.1; the timer has been running since the earliest segment left.
        if was_empty || matches!(self.timer, SendTimer::Probe { .. }) {
            self.rearm(now, config);
        }
        match nudge {
            Nudge::LossProbe => self.on_probe_sent(now, start, len, true, config),
            // As Linux: what the timer forces out has its timeout only.
            Nudge::Partial => {}
            _ => self.schedule_probe(now, config),
        }
        self.join_first(most, size);
        // As Linux: new data that leaves as several segments at once is pushed this once, so that a receiver that
        // collects segments hands them on when the last has come.
        self.outgoing(now, start, len, size, fin, push || len > size)
    }

    /// A mark for each segment.
    fn mark_new(&mut self, now: Instant, departure: &Departure) {
        let idle = self.scoreboard.is_empty();
        let in_flight = self.scoreboard.in_flight().saturating_add(Packets(1));
        let sent = self.cc.flow_mut(now).rate.on_send(now, idle, in_flight);
        self.scoreboard.push(departure, now, sent);
        self.note_sent(departure.segments());
    }

    /// As Linux, after a write and an acknowledgment: something waits, and the congestion window is full. It is what holds the
    /// sender back, whatever fills it.
    pub(crate) fn note_full_window(&mut self, now: Instant, config: &Config) {
        if !self.scoreboard.is_empty() && self.has_unsent() && self.in_flight() >= self.cc.cwnd() {
            self.note_usage(now, config);
        }
    }

    /// Remembers how full the congestion window is: one that is not used must not grow.
    fn note_usage(&mut self, now: Instant, config: &Config) {
        let out = Outstanding {
            una: self.una,
            nxt: self.nxt,
            segments: self.scoreboard.sent(),
            fills_window: self.in_flight() >= self.cc.cwnd() || self.waits_for_window(),
        };
        let validates = config.slow_start_after_idle && self.recovery.state == CaState::Open;
        let restart = validates.then_some(Packets(config.initial_cwnd));
        let rto = self.rto(config);
        self.perhaps_idle(now, config, |it| it.cc.on_sent(now, &out, rto, restart));
    }

    /// RFC 9293 section 3.8.4, 3.8.6.1: SEG.SEQ = SND.UNA-1 and no text, which every receiver must answer. As on Linux
    /// an acceptable segment tells of urgent data first: an unacceptable one's pointer is not looked at.
    fn commit_probe(&mut self) -> Outgoing {
        let urgent = self.nudge == Nudge::UrgentProbe;
        self.nudge = if urgent { Nudge::Probe } else { Nudge::Nothing };
        self.empty(if urgent { self.una } else { self.una - 1 })
    }

    /// A bare acknowledgment.
    pub(crate) fn acknowledgment(&self) -> Outgoing {
        self.empty(self.ack_sequence())
    }

    fn empty(&self, sequence: Seq<Local>) -> Outgoing {
        let mut outgoing =
            Outgoing { sequence, payload: Chunks::new(), segment_size: 0, flags: TcpFlags::ACK, urgent: 0 };
        self.point_at_urgent(&mut outgoing);
        outgoing
    }

    /// Whether a probe can say where the urgent data end.
    pub(super) fn urgent_is_near(&self) -> bool {
        self.urgent_end.is_some_and(|end| end.after(self.una) && end.since(self.una) <= u32::from(u16::MAX))
    }

    fn outgoing(&mut self, now: Instant, start: Seq<Local>, len: u32, size: u32, fin: bool, push: bool) -> Outgoing {
        let mut flags = TcpFlags::ACK;
        flags.set(TcpFlags::FIN, fin);
        flags.set(TcpFlags::PSH, push && len > 0);
        if len > 0 {
            self.last_sent = now;
            self.counts.bytes_sent += u64::from(len);
            self.counts.data_segments = self.counts.data_segments.wrapping_add(len.div_ceil(size));
        }
        let payload = self.queue.gather(start, len);
        let mut outgoing = Outgoing { sequence: start, payload, segment_size: size, flags, urgent: 0 };
        self.point_at_urgent(&mut outgoing);
        outgoing
    }

    /// RFC 6093 section 3.1: the pointer is the number of the byte behind the urgent one. One too far away to be told is
    /// told as the furthest, as on Linux only on the newest segments: the pointer never goes back.
    fn point_at_urgent(&self, outgoing: &mut Outgoing) {
        let Some(end) = self.urgent_end else { return };
        if !end.after(outgoing.sequence) {
            return;
        }
        let furthest = outgoing.sequence + u32::from(u16::MAX);
        outgoing.urgent = match u16::try_from(end.since(outgoing.sequence)) {
            Ok(distance) => distance,
            Err(_) if furthest.after(self.nxt) => u16::MAX,
            Err(_) => return,
        };
        outgoing.flags |= TcpFlags::URG;
    }

    /// Where a segment without text is numbered: SND.NXT, but not beyond the peer's window
    /// when that has shrunk, lest it be unacceptable.
    pub(crate) fn ack_sequence(&self) -> Seq<Local> {
        let edge = self.una + self.wnd;
        let rounding = self.scale.step();
        if edge.before(self.nxt) && self.nxt.since(edge) >= rounding { edge } else { self.nxt }
    }
}
