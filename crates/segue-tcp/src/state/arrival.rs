//! A segment arrives in the synchronised phase: the steps of RFC 9293 section 3.10.7.4, in order.
//!
//! One function per step: sequence, RST, SYN, ACK, URG, text, FIN (the third, security, is not
//! used by anyone). Each goes on or gives the verdict. Also owns RFC 5961 (challenges),
//! RFC 7323 section 5.3 (PAWS comes first) and 3.6.1 (text for a reader that has gone).

use core::ops::ControlFlow;

use segue_wire::Instant;
use segue_wire::tcp::{SackBlocks, TcpFlags, TcpOptions};

use crate::conn::fin_patience;
use crate::drop::DropReason;
use crate::ecn::Haste;
use crate::error::ConnError;
use crate::event::Events;
use crate::journal::Statistic;
use crate::options::SocketOptions;
use crate::recv::ack::{Length, longest_delay};
use crate::recv::inbox::Inbox;
use crate::recv::{Cost, Text};
use crate::segment::Segment;
use crate::send::ack::Ack;
use crate::state::State;
use crate::state::halves::{FirstToClose, LocalHalf, PeerHalf};
use crate::state::handshake::TIMESTAMPS_LEN;
use crate::state::synced::{Rules, Synced};
use crate::timestamps::{Clocks, TOLERANCE};
use crate::units::{Local, Peer, Seq};

/// What became of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) enum Verdict {
    Taken,
    Drop(DropReason),
    /// The peer has reset the connection.
    Reset(ConnError),
    /// Nobody will read this text: the connection is over, and its sender hears so by a reset with the
    /// number it acknowledged.
    Abort {
        reason: DropReason,
        number: Seq<Local>,
    },
    /// Both directions are finished, and the peer's FIN needs our acknowledgment for a while.
    TimeWait,
    /// Both directions are finished and acknowledged.
    Closed,
}

type Step = ControlFlow<Verdict>;

const GO_ON: Step = ControlFlow::Continue(());

fn stop(verdict: Verdict) -> Step {
    ControlFlow::Break(verdict)
}

/// A segment on its way through the steps.
pub(crate) struct Arrival<'a> {
    pub(crate) now: Instant,
    pub(crate) rules: Rules<'a>,
    pub(crate) inbox: &'a mut Inbox,
    pub(crate) events: &'a mut Events,
    /// No application holds the connection.
    pub(crate) orphan: bool,
    /// How soon what its ECN bits say must be told.
    pub(crate) haste: Haste,
    /// SEG.WND in bytes; the caller knows whether it came with a SYN and is not scaled.
    pub(crate) window: u32,
    pub(crate) segment: &'a mut Segment,
}

impl Arrival<'_> {
    pub(super) fn sequence(&self) -> Seq<Peer> {
        Seq::new(self.segment.header.sequence)
    }

    /// One past the last sequence number.
    pub(super) fn end(&self) -> Seq<Peer> {
        self.sequence() + self.segment.sequence_len()
    }

    pub(super) fn has(&self, flag: TcpFlags) -> bool {
        self.segment.has(flag)
    }

    fn acknowledgment(&self) -> Seq<Local> {
        Seq::new(self.segment.header.acknowledgment)
    }
}

impl Synced {
    /// RFC 9293 section 3.10.7.4.
    pub(crate) fn on_segment(&mut self, mut arrival: Arrival<'_>) -> Verdict {
        let segments = arrival.segment.wire_segments();
        self.recv.segments = self.recv.segments.wrapping_add(segments);
        if !arrival.segment.payload.is_empty() {
            self.recv.data_segments = self.recv.data_segments.wrapping_add(segments);
        }
        let outcome = self.steps(&mut arrival);
        self.recv.hasten(arrival.haste);
        match outcome {
            ControlFlow::Break(verdict) => verdict,
            ControlFlow::Continue(()) => Verdict::Taken,
        }
    }

    fn steps(&mut self, arrival: &mut Arrival<'_>) -> Step {
        if !arrival.segment.header.flags.intersects(TcpFlags::ACK | TcpFlags::RST | TcpFlags::SYN) {
            // Fifth comes first here, as on Linux: what would be dropped for want of an ACK is not answered either.
            return stop(Verdict::Drop(DropReason::NoAck));
        }
        self.check_timestamp(arrival)?;
        self.check_sequence(arrival)?;
        self.check_reset(arrival)?;
        self.check_syn(arrival)?;
        arrival.haste = self.ecn.on_segment(arrival.segment);
        self.on_acknowledgment(arrival)?;
        self.on_urgent(arrival);
        self.on_text_and_fin(arrival)
    }

    /// RFC 7323 section 5.3, R1. Resets pass whatever their timestamp says.
    fn check_timestamp(&mut self, arrival: &mut Arrival<'_>) -> Step {
        let (Some(clocks), Some(stamp)) = (self.recv.clocks, arrival.segment.options.timestamps) else { return GO_ON };
        if arrival.has(TcpFlags::RST) || !clocks.is_old(arrival.now, stamp.value, TOLERANCE) {
            return GO_ON;
        }
        let bare = arrival.has(TcpFlags::ACK) && arrival.segment.sequence_len() == 0;
        let sequence = arrival.sequence();
        if bare && sequence == self.recv.nxt && self.is_harmless(arrival, stamp.value, &clocks) {
            return GO_ON;
        }
        if arrival.has(TcpFlags::SYN) {
            self.challenge(arrival);
            return stop(Verdict::Drop(DropReason::ChallengedSyn));
        }
        if bare && sequence.before(self.recv.nxt) {
            // As Linux: an overtaken acknowledgment is common and needs no answer.
            return stop(Verdict::Drop(DropReason::PawsOldAck));
        }
        self.answer(arrival, Statistic::PawsSkipped);
        stop(Verdict::Drop(DropReason::Paws))
    }

    /// A bare acknowledgment that was overtaken not long ago and changes nothing (Linux's tcp_disordered_ack): it
    /// may still be a duplicate that counts.
    fn is_harmless(&self, arrival: &Arrival<'_>, value: u32, clocks: &Clocks) -> bool {
        let number = arrival.acknowledgment();
        let replay = self.send.rtt.rto(arrival.rules.config.rto_max).as_millis() * 12 / 10;
        number == self.send.una
            && !self.send.may_take_window(number, arrival.sequence(), arrival.window)
            && !clocks.is_behind(value, u32::try_from(replay).unwrap_or(u32::MAX))
    }

    /// First: the sequence number. As on Linux the left edge is what we last acknowledged, not RCV.NXT, so
    /// that a segment we were about to acknowledge anyway is not answered twice; and text that begins in
    /// the window and ends beyond it is taken whole while nothing else waits to be read, and not at all
    /// otherwise. A FIN may stand one number beyond.
    fn check_sequence(&mut self, arrival: &mut Arrival<'_>) -> Step {
        let (sequence, end) = (arrival.sequence(), arrival.end());
        let edge = self.recv.nxt + self.recv.window.left(self.recv.nxt);
        let text_end = end - u32::from(arrival.has(TcpFlags::FIN));
        let old = end.before(self.recv.window.acked);
        // A FIN that was not read waits, too.
        let waits = arrival.inbox.len() > 0 || self.recv.half != PeerHalf::Open;
        let beyond = sequence.after(edge) || (text_end.after(edge) && waits);
        if !old && !beyond {
            return GO_ON;
        }
        if arrival.has(TcpFlags::RST) {
            let last = self.is_numbered_by_fin(sequence);
            return if last { GO_ON } else { stop(Verdict::Drop(DropReason::InvalidReset)) };
        }
        if arrival.has(TcpFlags::SYN) {
            self.challenge(arrival);
            return stop(Verdict::Drop(DropReason::ChallengedSyn));
        }
        self.answer(arrival, Statistic::SequenceSkipped);
        stop(Verdict::Drop(if old { DropReason::OldSequence } else { DropReason::BeyondWindow }))
    }

    /// A peer that has sent its FIN may number its reset by it.
    fn is_numbered_by_fin(&self, sequence: Seq<Peer>) -> bool {
        matches!(self.recv.half, PeerHalf::FinReceived { .. }) && sequence + 1 == self.recv.nxt
    }

    /// Second: RST. RFC 5961 section 3.2: only the exact number resets, others are challenged.
    fn check_reset(&mut self, arrival: &mut Arrival<'_>) -> Step {
        if !arrival.has(TcpFlags::RST) {
            return GO_ON;
        }
        let sequence = arrival.sequence();
        let finished = matches!(self.recv.half, PeerHalf::FinReceived { .. });
        // As on Linux, one numbered behind all that is held is exact, too: what lies between was lost.
        let exact = sequence == self.recv.nxt || Some(sequence) == self.recv.highest_block_end();
        if exact || self.is_numbered_by_fin(sequence) {
            let error = match (self.send.half, finished) {
                (LocalHalf::Open, true) => ConnError::BrokenPipe,
                _ => ConnError::Reset,
            };
            return stop(Verdict::Reset(error));
        }
        self.challenge(arrival);
        stop(Verdict::Drop(DropReason::ChallengedReset))
    }

    /// Fourth: SYN. RFC 5961 section 4.2: challenged, wherever it is numbered.
    fn check_syn(&mut self, arrival: &mut Arrival<'_>) -> Step {
        if !arrival.has(TcpFlags::SYN) {
            return GO_ON;
        }
        if arrival.has(TcpFlags::ACK) {
            self.ecn.on_repeated_syn_ack(arrival.segment);
        }
        self.challenge(arrival);
        stop(Verdict::Drop(DropReason::ChallengedSyn))
    }

    /// Fifth: ACK.
    fn on_acknowledgment(&mut self, arrival: &mut Arrival<'_>) -> Step {
        if !arrival.has(TcpFlags::ACK) {
            return stop(Verdict::Drop(DropReason::NoAck));
        }
        let number = arrival.acknowledgment();
        if number.after(self.send.nxt) {
            // "If the ACK acks something not yet sent, then send an ACK, drop the segment."
            self.challenge(arrival);
            return stop(Verdict::Drop(DropReason::AckUnsent));
        }
        let is_too_old = number.before(self.send.oldest_honest_ack());
        let is_bare = arrival.segment.payload.is_empty();
        // As Linux: what others have overtaken changes nothing, unless it is just what was expected.
        let takes_stamp = !number.before(self.send.una) || (is_bare && self.is_predicted(arrival));
        let is_heard = |it: &Synced| match is_too_old {
            true => is_bare && it.is_predicted(arrival),
            false => is_bare || number != it.send.una || !it.is_predicted(arrival),
        };
        if is_heard(self) {
            // As Linux: what MSG_MORE holds back leaves when the peer is heard, if nothing else is in the way.
            self.send.more = false;
            self.send.reconsider();
        }
        let stamp = arrival.segment.options.timestamps;
        let mut newer = false;
        if let (Some(clocks), Some(stamp)) = (&mut self.recv.clocks, stamp)
            && !arrival.sequence().after(self.recv.window.acked)
            && takes_stamp
        {
            // RFC 7323 section 4.3.
            newer = clocks.update(arrival.now, stamp.value);
        }
        if is_too_old {
            // RFC 5961 section 5.2.
            self.challenge(arrival);
            return stop(Verdict::Drop(DropReason::AckTooOld));
        }
        self.send.heard(arrival.now);
        let (echo, echo_of) = match (&self.recv.clocks, stamp) {
            (Some(clocks), Some(stamp)) => (
                Clocks::elapsed(clocks.offset(), arrival.now, stamp.echo),
                Clocks::shown_at(clocks.offset(), arrival.now, stamp.echo),
            ),
            _ => (None, None),
        };
        let ack = Ack {
            number,
            sequence: arrival.sequence(),
            window: arrival.window,
            bare: arrival.segment.sequence_len() == 0,
            flags: arrival.segment.header.flags,
            accecn: arrival.segment.options.accecn,
            newer,
            sack: if self.send.sack { arrival.segment.options.sack } else { SackBlocks::new() },
            echo,
            echo_of,
        };
        if number.before(self.send.una) {
            // An old one: its blocks and its text may be news.
            self.send.on_old_ack(arrival.now, &ack, arrival.rules.config);
            return GO_ON;
        }
        let effect = self.send.on_ack(arrival.now, &ack, &mut self.ecn, arrival.rules);
        if effect.writable {
            *arrival.events |= Events::WRITABLE;
        }
        if effect.fin {
            // As Linux: who waits for the end of a lingering close, or polls, looks again.
            *arrival.events |= Events::WRITABLE;
            return self.on_fin_acknowledged(arrival);
        }
        GO_ON
    }

    /// Linux's header prediction: established, everything in order, the window that was known, timestamps and no other
    /// option.
    fn is_predicted(&self, arrival: &Arrival<'_>) -> bool {
        let options = TcpOptions { timestamps: arrival.segment.options.timestamps, ..TcpOptions::default() };
        self.state() == State::Established
            && arrival.segment.header.flags - TcpFlags::PSH == TcpFlags::ACK
            && arrival.segment.options == options
            && arrival.sequence() == self.recv.nxt
            && self.recv.nxt == self.recv.window.acked
            && arrival.window == self.send.wnd
            && self.recv.is_in_order()
            && !arrival.inbox.has_mark()
    }

    /// "If the FIN segment is now acknowledged": FIN-WAIT-1 → FIN-WAIT-2, CLOSING → TIME-WAIT, LAST-ACK → CLOSED.
    fn on_fin_acknowledged(&mut self, arrival: &Arrival<'_>) -> Step {
        match self.recv.half {
            PeerHalf::Open if self.leaves_orphan(arrival) => stop(Verdict::Taken),
            PeerHalf::Open => GO_ON,
            PeerHalf::FinReceived { first: FirstToClose::Local } => stop(Verdict::TimeWait),
            PeerHalf::FinReceived { first: FirstToClose::Peer } => stop(Verdict::Closed),
        }
    }

    /// As Linux: an orphan becomes a small entry at once when its FIN is acknowledged, and what else the segment says is
    /// not heard, unless it finishes, too, or has text that nobody will read.
    fn leaves_orphan(&self, arrival: &Arrival<'_>) -> bool {
        let Rules { config, options, .. } = arrival.rules;
        let text_end = arrival.sequence() + arrival.segment.payload.len() as u32;
        let is_news = !arrival.segment.payload.is_empty() && text_end.after(self.recv.nxt);
        let rto = self.send.rtt.rto(config.rto_max);
        arrival.orphan
            && !arrival.has(TcpFlags::FIN)
            && !is_news
            && fin_patience(config, options, rto).is_none_or(|patience| patience <= config.time_wait)
    }

    /// Sixth: URG.
    fn on_urgent(&mut self, arrival: &mut Arrival<'_>) {
        if !arrival.has(TcpFlags::URG) || self.recv.half != PeerHalf::Open {
            return;
        }
        let (sequence, pointer) = (arrival.sequence(), arrival.segment.header.urgent);
        if let Some(at) = self.recv.urgent_offset(sequence, pointer, arrival.rules.config.stdurg)
            && arrival.inbox.announce_urgent(at, arrival.rules.options.oob_inline)
        {
            *arrival.events |= Events::URGENT;
        }
    }

    /// Seventh and eighth: text, then FIN.
    fn on_text_and_fin(&mut self, arrival: &mut Arrival<'_>) -> Step {
        let fin = arrival.has(TcpFlags::FIN);
        if arrival.segment.payload.is_empty() && !fin {
            return GO_ON;
        }
        let text_end = arrival.sequence() + arrival.segment.payload.len() as u32;
        if self.recv.half != PeerHalf::Open {
            // Text behind a FIN cannot be. As on Linux, alone it is ignored, and with old text it ends the connection.
            let behind = text_end.after(self.recv.nxt) && !arrival.segment.payload.is_empty();
            if behind && (!self.send.half.is_open() || !arrival.sequence().before(self.recv.nxt)) {
                return stop(Verdict::Drop(DropReason::BehindFin));
            }
            if behind {
                return stop(Verdict::Abort { reason: DropReason::BehindFin, number: arrival.acknowledgment() });
            }
            // A repeated FIN wants its acknowledgment.
            self.recv.ack.owe_now();
            self.note_old_text(arrival);
            return stop(Verdict::Drop(DropReason::OldSequence));
        }
        // RFC 9293 section 3.6.1, SHLD-3: new text after CLOSE is reset.
        let reader_gone = arrival.orphan || (arrival.inbox.shut && !self.send.half.is_open());
        if reader_gone && !arrival.segment.payload.is_empty() && text_end.after(self.recv.nxt) {
            return stop(Verdict::Abort { reason: DropReason::AfterClose, number: arrival.acknowledgment() });
        }
        let (flags, codepoint) = (arrival.segment.header.flags, arrival.segment.ecn);
        let (sequence, nxt) = (arrival.sequence(), self.recv.nxt);
        let length = self.length_of(arrival.segment, arrival.rules.options);
        let segment = &mut *arrival.segment;
        let text = Text {
            length,
            whole: segment.payload.len() as u32,
            sequence: Seq::new(segment.header.sequence),
            segments: segment.wire_segments(),
            cost: Cost::of(segment.headers, segment.payload.len()),
            payload: core::mem::take(&mut segment.payload),
            fin,
        };
        self.recv.on_echo(arrival.now, segment.options.timestamps.map(|stamp| stamp.echo), length.text, arrival.inbox);
        let had_text = !text.payload.is_empty();
        let had_urgent = arrival.inbox.has_urgent();
        if fin && self.send.half.is_open() && !text.sequence.after(self.recv.nxt) {
            // As Linux: what the application now sends will carry the acknowledgment.
            self.recv.ack.on_fin();
        }
        let pace = self.pace(arrival.rules.config);
        let journal = &mut self.send.journal;
        let effect = self.recv.on_text(arrival.now, text, arrival.inbox, pace, arrival.rules, journal);
        if effect.readable {
            *arrival.events |= Events::READABLE;
        }
        if sequence.before(nxt) {
            self.ecn.on_duplicate(sequence);
        }
        let haste = self.ecn.on_text_flags(flags);
        self.recv.hasten(haste);
        if had_text && matches!(effect.drop, None | Some(DropReason::Duplicate)) {
            // What was refused says nothing about congestion: anybody can send it (RFC 3168 section 6.1.5).
            let haste = self.ecn.on_text(codepoint);
            self.recv.hasten(haste);
        }
        if arrival.inbox.has_urgent() && !had_urgent {
            *arrival.events |= Events::URGENT;
        }
        if effect.fin {
            return self.on_fin(arrival);
        }
        match effect.drop {
            Some(reason) => stop(Verdict::Drop(reason)),
            None => GO_ON,
        }
    }

    /// What the length of a segment shows.
    fn length_of(&self, segment: &Segment, options: &SocketOptions) -> Length {
        let stamps = if self.recv.clocks.is_some() { TIMESTAMPS_LEN as u8 } else { 0 };
        let text = segment.segment_size.min(u16::try_from(segment.payload.len()).unwrap_or(u16::MAX));
        // One that is as long as any before needs no closer look.
        let is_short = text < self.recv.ack.segment_size;
        Length {
            text,
            options: if is_short { segment.options.emit().len() as u8 } else { 0 },
            usual: stamps + options.signature.len() as u8,
            pushed: segment.has(TcpFlags::PSH),
            is_rest: segment.header.flags.intersects(TcpFlags::PSH | TcpFlags::URG | TcpFlags::FIN),
        }
    }

    /// Eighth: the peer's FIN is in order.
    fn on_fin(&mut self, arrival: &mut Arrival<'_>) -> Step {
        *arrival.events |= Events::PEER_CLOSED | Events::READABLE;
        arrival.inbox.finished = true;
        let open = self.send.half.is_open();
        self.recv.half = PeerHalf::FinReceived { first: if open { FirstToClose::Peer } else { FirstToClose::Local } };
        if matches!(self.send.half, LocalHalf::FinAcked { .. }) {
            self.recv.ack.owe_now();
            return stop(Verdict::TimeWait);
        }
        if open {
            // The application will probably close, too: the acknowledgment may ride on its FIN.
            self.recv.ack.on_fin();
            let srtt = self.send.rtt.smoothed();
            self.recv.ack.owe_later(arrival.now, srtt, longest_delay(arrival.rules.config));
        } else {
            self.recv.ack.owe_alone();
        }
        GO_ON
    }
}
