//! What is left of a connection that nobody holds: a few numbers and a deadline.
//!
//! TIME-WAIT, and, as on Linux, the FIN-WAIT-2 of an orphan: its FIN is acknowledged, and all it can
//! still do is wait for the peer's. Owns RFC 9293 sections 3.4.2, 3.6.1 and 3.10.7.4 for TIME-WAIT, RFC 6191
//! (a new SYN), RFC 1337. In FIN-WAIT-2 text is reset (RFC 9293 section 3.6.1, SHLD-3) and resets and SYNs
//! are challenged (RFC 5961) where Linux would end the entry.

use core::time::Duration;

use segue_wire::Instant;
use segue_wire::tcp::{TcpFlags, TcpOptions};

use crate::config::Config;
use crate::drop::DropReason;
use crate::info::{Timer, TimerKind};
use crate::segment::{Segment, Transmit};
use crate::state::State;
use crate::state::challenge::AnswerLimit;
use crate::state::handshake::is_in_window;
use crate::state::reset::{bare, reset_for};
use crate::state::synced::Synced;
use crate::timestamps::Clocks;
use crate::units::{Local, Peer, Seq, WireWindow};

/// How far beyond the old connection's last number a new one starts (Linux's choice).
const ISS_STEP: u32 = 65_535 + 2;

/// What an entry waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaits {
    /// FIN-WAIT-2: the peer's FIN.
    PeerFin,
    /// TIME-WAIT: that nothing of the connection is under way any more (2 MSL).
    Silence,
}

/// What is known of the peer's timestamps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stamps {
    /// The option is not in use.
    Unused,
    /// RFC 7323 section 5.3, R1 holds for the newest one.
    Fresh,
    /// The newest one is so old that it proves nothing (section 5.5).
    Stale,
}

/// A connection in TIME-WAIT, or in FIN-WAIT-2 without an application: a few numbers and a deadline.
#[derive(Clone, Debug)]
pub struct TimeWait {
    awaits: Awaits,
    stamps: Stamps,
    /// What our clock is shifted by, and TS.Recent; an entry ends long before that is stale.
    offset: u32,
    recent: u32,
    snd_nxt: Seq<Local>,
    rcv_nxt: Seq<Peer>,
    /// RCV.WND in bytes and as it stands in a header.
    room: u32,
    window: WireWindow,
    deadline: Instant,
    since: Instant,
    answers: AnswerLimit,
}

/// What a segment did to an entry.
#[derive(Debug)]
#[must_use]
pub enum TimeWaitOutcome {
    /// Nothing to do.
    Nothing,
    /// Send this.
    Ack(Transmit),
    /// The deadline has moved; send this, if there is anything to send.
    Restarted(Option<Transmit>),
    /// A new connection may reuse the 4-tuple (RFC 6191): remove the entry and give the SYN to
    /// the listener, with an initial sequence number above this.
    NewSyn {
        /// Lowest initial sequence number for our side.
        iss_floor: u32,
    },
    /// Send this reset and remove the entry: text for an application that has gone.
    Reset(Transmit),
    /// Remove the entry.
    Remove,
    /// The segment was dropped.
    Drop(DropReason),
}

/// A segment on its way through the checks.
struct Arrival<'a> {
    now: Instant,
    segment: &'a Segment,
    sequence: Seq<Peer>,
    /// One past its last number.
    end: Seq<Peer>,
    /// Its timestamp, where both sides use the option.
    stamp: Option<u32>,
    /// PAWS refuses it.
    old: bool,
}

impl Arrival<'_> {
    fn has(&self, flag: TcpFlags) -> bool {
        self.segment.has(flag)
    }
}

impl TimeWait {
    /// Both FINs are acknowledged, ours first: `time` (2 MSL) from now on.
    pub(crate) fn silent(now: Instant, synced: &Synced, time: Duration) -> TimeWait {
        TimeWait::new(now, synced, Awaits::Silence, time)
    }

    /// Our FIN is acknowledged and no application waits for the peer's: for so long at most.
    pub(crate) fn fin_wait_2(now: Instant, synced: &Synced, patience: Duration) -> TimeWait {
        TimeWait::new(now, synced, Awaits::PeerFin, patience)
    }

    fn new(now: Instant, synced: &Synced, awaits: Awaits, time: Duration) -> TimeWait {
        let window = &synced.recv.window;
        // Rounded up: what was offered is not taken back.
        let room = window.left(synced.recv.nxt).next_multiple_of(window.scale.step());
        let clocks = synced.recv.clocks;
        let stamps = match clocks {
            None => Stamps::Unused,
            Some(clocks) if clocks.is_stale(now) => Stamps::Stale,
            Some(_) => Stamps::Fresh,
        };
        TimeWait {
            awaits,
            stamps,
            offset: clocks.map_or(0, |clocks| clocks.offset()),
            recent: clocks.map_or(0, |clocks| clocks.recent),
            snd_nxt: synced.send.nxt,
            rcv_nxt: synced.recv.nxt,
            room,
            window: WireWindow::of(room, window.scale),
            deadline: now + time,
            since: now,
            answers: AnswerLimit::new(),
        }
    }

    /// The RFC's name of the state: TIME-WAIT or FIN-WAIT-2.
    pub fn state(&self) -> State {
        match self.awaits {
            Awaits::PeerFin => State::FinWait2,
            Awaits::Silence => State::TimeWait,
        }
    }

    /// A segment for this 4-tuple has arrived.
    pub fn on_segment(&mut self, now: Instant, config: &Config, segment: &Segment) -> TimeWaitOutcome {
        let sequence = Seq::<Peer>::new(segment.header.sequence);
        let stamp = self.clocks().and(segment.options.timestamps).map(|stamp| stamp.value);
        let fresh = self.clocks().filter(|_| self.stamps == Stamps::Fresh);
        let old = fresh.zip(stamp).is_some_and(|(clocks, value)| clocks.is_old(now, value, 0));
        let arrival = Arrival { now, segment, sequence, end: sequence + segment.sequence_len(), stamp, old };
        match self.awaits {
            Awaits::PeerFin => self.on_segment_fin_wait_2(&arrival, config),
            Awaits::Silence => self.on_segment_time_wait(&arrival, config),
        }
    }

    /// The steps of RFC 9293 section 3.10.7.4, for an entry that takes nothing but a FIN.
    fn on_segment_fin_wait_2(&mut self, arrival: &Arrival<'_>, config: &Config) -> TimeWaitOutcome {
        let edge = self.rcv_nxt + self.room;
        let outside = !is_in_window(arrival.sequence, arrival.end, self.rcv_nxt, edge);
        if arrival.has(TcpFlags::RST) {
            // RFC 5961 section 3.2.
            return match outside || arrival.old {
                true => TimeWaitOutcome::Drop(DropReason::InvalidReset),
                false if arrival.sequence == self.rcv_nxt => TimeWaitOutcome::Remove,
                false => self.answer(arrival, config, DropReason::ChallengedReset),
            };
        }
        if arrival.old {
            return self.answer(arrival, config, DropReason::Paws);
        }
        if outside {
            let early = arrival.sequence.before(self.rcv_nxt);
            return self.answer(
                arrival,
                config,
                if early { DropReason::OldSequence } else { DropReason::BeyondWindow },
            );
        }
        if arrival.has(TcpFlags::SYN) {
            // RFC 5961 section 4.2.
            return self.answer(arrival, config, DropReason::ChallengedSyn);
        }
        if !arrival.has(TcpFlags::ACK) {
            return TimeWaitOutcome::Drop(DropReason::NoAck);
        }
        if !arrival.end.after(self.rcv_nxt) || arrival.end == arrival.sequence {
            return TimeWaitOutcome::Nothing;
        }
        if !arrival.has(TcpFlags::FIN) || arrival.end != self.rcv_nxt + 1 {
            // Text, which nobody will read, before the FIN.
            return match reset_for(arrival.segment) {
                Some(reset) => TimeWaitOutcome::Reset(reset),
                None => TimeWaitOutcome::Remove,
            };
        }
        self.awaits = Awaits::Silence;
        self.rcv_nxt = arrival.end;
        self.since = arrival.now;
        self.note_stamp(arrival);
        self.restart(arrival.now, config);
        TimeWaitOutcome::Restarted(Some(self.acknowledge(arrival.now)))
    }

    fn on_segment_time_wait(&mut self, arrival: &Arrival<'_>, config: &Config) -> TimeWaitOutcome {
        if arrival.has(TcpFlags::RST) {
            // RFC 1337: a reset may come from an old incarnation; RFC 5961: it must be exact.
            let refused = config.rfc1337 || arrival.old || arrival.sequence != self.rcv_nxt;
            return if refused { TimeWaitOutcome::Drop(DropReason::InvalidReset) } else { TimeWaitOutcome::Remove };
        }
        if !arrival.old && arrival.sequence == self.rcv_nxt && arrival.end == self.rcv_nxt {
            // A bare acknowledgment in its place: the peer is still there. As on Linux, wait anew.
            self.note_stamp(arrival);
            self.restart(arrival.now, config);
            return TimeWaitOutcome::Restarted(None);
        }
        let (syn, ack) = (arrival.has(TcpFlags::SYN), arrival.has(TcpFlags::ACK));
        if syn && !ack && !arrival.old && self.is_new_incarnation(arrival) {
            return TimeWaitOutcome::NewSyn { iss_floor: (self.snd_nxt + ISS_STEP).raw() };
        }
        let reason = if arrival.old { DropReason::Paws } else { DropReason::TimeWait };
        // "The only thing that can arrive is a retransmission of the remote FIN. Acknowledge it, and
        // restart the 2 MSL timeout." A SYN may be of a new incarnation: it restarts nothing.
        let restarts = ack || arrival.old;
        if restarts {
            self.restart(arrival.now, config);
        }
        match self.answer(arrival, config, reason) {
            TimeWaitOutcome::Ack(reply) if restarts => TimeWaitOutcome::Restarted(Some(reply)),
            TimeWaitOutcome::Drop(_) if restarts => TimeWaitOutcome::Restarted(None),
            outcome => outcome,
        }
    }

    /// RFC 6191 section 2: newer by timestamp, or by sequence number.
    fn is_new_incarnation(&self, arrival: &Arrival<'_>) -> bool {
        let newer = |(clocks, value): (Clocks, u32)| (value.wrapping_sub(clocks.recent) as i32) > 0;
        arrival.sequence.after(self.rcv_nxt) || self.clocks().zip(arrival.stamp).is_some_and(newer)
    }

    /// The timestamps, as far as they are in use.
    fn clocks(&self) -> Option<Clocks> {
        (self.stamps != Stamps::Unused).then(|| Clocks::new(self.since, self.offset, self.recent))
    }

    fn restart(&mut self, now: Instant, config: &Config) {
        self.deadline = now + config.time_wait;
    }

    fn note_stamp(&mut self, arrival: &Arrival<'_>) {
        let Some(value) = arrival.stamp.filter(|_| !arrival.old) else { return };
        (self.stamps, self.recent) = (Stamps::Fresh, value);
    }

    /// An acknowledgment that puts the peer right. Rate-limited, but for text and FINs: they are no
    /// acknowledgment loop, and their sender waits.
    fn answer(&mut self, arrival: &Arrival<'_>, config: &Config, reason: DropReason) -> TimeWaitOutcome {
        let loops = arrival.end == arrival.sequence || arrival.has(TcpFlags::SYN);
        if loops && !self.answers.allows(arrival.now, config.invalid_ratelimit) {
            return TimeWaitOutcome::Drop(reason);
        }
        TimeWaitOutcome::Ack(self.acknowledge(arrival.now))
    }

    fn acknowledge(&self, now: Instant) -> Transmit {
        let options = TcpOptions { timestamps: self.clocks().map(|clocks| clocks.stamp(now)), ..TcpOptions::default() };
        bare(self.snd_nxt, Some(self.rcv_nxt), TcpFlags::ACK, self.window.0, options.emit())
    }

    /// As `ss -o` shows it.
    pub fn timer(&self) -> Option<Timer> {
        let kind = match self.awaits {
            Awaits::PeerFin => TimerKind::KeepAlive,
            Awaits::Silence => TimerKind::TimeWait,
        };
        Some(Timer { kind, at: self.deadline(), expired: 0 })
    }

    /// When the entry ends.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether an active open may take the 4-tuple over (`tcp_tw_reuse`, RFC 6191 section 2): the peer has
    /// finished, timestamps were in use and at least `age` has passed since the entry was made.
    /// Gives the lowest initial sequence number.
    pub fn reusable(&self, now: Instant, age: Duration) -> Option<u32> {
        let ready = self.awaits == Awaits::Silence && self.clocks().is_some() && now - self.since >= age;
        ready.then(|| (self.snd_nxt + ISS_STEP).raw())
    }
}
