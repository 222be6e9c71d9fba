//! The receiving half of a synchronised connection.
//!
//! Decides what text means for the receive variables of RFC 9293 section 3.3.1, and stamps
//! acknowledgment, window and timestamp on every segment that leaves, in one place.
//! Invariants: the advertised right edge never moves left; RCV.NXT ≤ edge (+1 for a FIN);
//! `offset` is the stream offset of RCV.NXT.

pub(crate) mod ack;
pub(crate) mod inbox;
mod reassembly;
mod sack;
mod slices;
mod tuning;
pub(crate) mod window;

use alloc::boxed::Box;
use core::time::Duration;

use segue_wire::tcp::{SackBlocks, Timestamps};
use segue_wire::{Chunks, Instant};

use crate::config::Config;
use crate::drop::DropReason;
use crate::ecn::Haste;
use crate::journal::{Journal, Statistic};
use crate::options::SocketOptions;
use crate::state::halves::PeerHalf;
use crate::state::synced::Rules;
use crate::timestamps::Clocks;
use crate::units::{Peer, Seq, WindowScale, WireWindow};
use ack::{AckPolicy, Owed};
use inbox::Inbox;
use reassembly::Reassembly;
use sack::{Answer, Told};
use tuning::Tuning;
use window::Window;

/// Blocks of selective acknowledgment that are told without hurry (Linux's TCP_SACK_BLOCKS_EXPECTED).
const FEW_BLOCKS: usize = 2;

/// What a handshake hands to the receiving half.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceiverStart {
    pub(crate) irs: Seq<Peer>,
    /// Window that our SYN offered, in bytes.
    pub(crate) window: u32,
    pub(crate) scale: WindowScale,
    pub(crate) advertised_mss: u16,
    /// How large the peer's segments may be expected to be, before there was one.
    pub(crate) size_hint: u16,
    /// Segments that came before the connection was there.
    pub(crate) segments: u32,
    /// Both sides do selective acknowledgments.
    pub(crate) sack: bool,
    pub(crate) clocks: Option<Clocks>,
}

/// Out-of-order data, where the stream ends, and what is to be told of them, while there is any.
#[derive(Debug, Default)]
struct Waiting {
    runs: Reassembly,
    /// Stream offset of a FIN that came before all data.
    fin: Option<u64>,
    told: Told,
}

impl Waiting {
    fn is_over(&self) -> bool {
        self.runs.is_empty() && self.fin.is_none() && self.told.duplicate.is_none()
    }

    /// What is told must be held.
    fn forget_lost_blocks(&mut self) {
        let (runs, fin) = (&self.runs, self.fin);
        self.told.blocks.retain(|start| runs.has_run_at(start) || fin == Some(start));
    }

    /// A run with the FIN that may stand behind it.
    fn with_fin(&self, run: (u64, u64)) -> (u64, u64) {
        if self.fin == Some(run.1) { (run.0, run.1 + 1) } else { run }
    }
}

/// What became of a segment's text and FIN.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct TextEffect {
    /// Bytes that can be read now.
    pub(crate) readable: bool,
    /// The peer's FIN is in order now.
    pub(crate) fin: bool,
    pub(crate) drop: Option<DropReason>,
}

/// Text as it arrives, SEG.SEQ already taken to a stream offset.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) sequence: Seq<Peer>,
    pub(crate) payload: Chunks,
    pub(crate) fin: bool,
    pub(crate) push: bool,
    /// Wire segments inside and the size of each.
    pub(crate) segments: u32,
    pub(crate) segment_size: u16,
}

/// What the receiver writes into every segment that leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) acknowledgment: Seq<Peer>,
    pub(crate) window: WireWindow,
    pub(crate) timestamps: Option<Timestamps>,
    pub(crate) sack: SackBlocks,
}

/// What a segment that leaves carries beside the stamp, as far as the receiver must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cargo {
    /// Nothing: it is an acknowledgment.
    None,
    /// Text or FIN; there is room for blocks.
    Text,
    /// Text that was cut before there were blocks to tell, and fills the path.
    OldText,
}

/// What the receiver needs to know of the sending side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) srtt: Option<Duration>,
    pub(crate) rto: Duration,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) half: PeerHalf,
    /// RCV.NXT.
    pub(crate) nxt: Seq<Peer>,
    /// Bytes received in order, which is the stream offset of `nxt`.
    pub(crate) offset: u64,
    pub(crate) window: Window,
    waiting: Option<Box<Waiting>>,
    pub(crate) ack: AckPolicy,
    pub(crate) clocks: Option<Clocks>,
    tuning: Tuning,
    pub(crate) advertised_mss: u16,
    pub(crate) sack: bool,
    pub(crate) data_segments: u32,
    pub(crate) segments: u32,
    pub(crate) out_of_order: u32,
}

impl Receiver {
    pub(crate) fn new(now: Instant, config: &Config, options: &SocketOptions, start: &ReceiverStart) -> Receiver {
        let nxt = start.irs + 1;
        let window = Window::new(config, options, nxt, start.window, start.scale);
        Receiver {
            half: PeerHalf::Open,
            nxt,
            offset: 0,
            window,
            waiting: None,
            ack: AckPolicy::new(now, config, start.advertised_mss.min(start.size_hint), start.window),
            clocks: start.clocks,
            tuning: Tuning::new(now, nxt, start.window, start.advertised_mss),
            advertised_mss: start.advertised_mss,
            sack: start.sack,
            data_segments: 0,
            segments: start.segments,
            out_of_order: 0,
        }
    }

    /// Bytes of memory held for out-of-order data.
    pub(crate) fn memory(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.runs.charge() + size_of::<Waiting>())
    }

    pub(crate) fn holes(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.runs.runs())
    }

    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.tuning.rtt()
    }

    /// What the reader takes in a round trip.
    pub(crate) fn space(&self) -> u32 {
        self.tuning.space
    }

    fn charge(&self, inbox: &Inbox) -> usize {
        self.memory() + inbox.charge()
    }

    /// Where the furthest block ends that the peer may have been told of.
    pub(crate) fn highest_block_end(&self) -> Option<Seq<Peer>> {
        let end = self.waiting.as_ref()?.told.blocks.end().filter(|_| self.sack)?;
        Some(self.nxt + (end - self.offset) as u32)
    }

    /// RFC 7413 section 4.2.2: text of the SYN, which its SYN-ACK will acknowledge. Whether there was any.
    pub(crate) fn take_syn_text(&mut self, payload: &Chunks, inbox: &mut Inbox) -> bool {
        if payload.is_empty() {
            return false;
        }
        inbox.push(payload);
        self.advance(payload.len() as u32);
        self.data_segments = 1;
        self.window.acked = self.nxt;
        true
    }

    /// A FIN came before everything in front of it, and nothing else did.
    pub(crate) fn only_fin_waits(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.fin.is_some() && waiting.runs.is_empty())
    }

    /// Bytes beyond what the last segment that left acknowledged.
    pub(crate) fn unacknowledged(&self) -> u32 {
        self.nxt.since(self.window.acked)
    }

    /// Stream offset of a sequence number that is near RCV.NXT; `None` before the stream's start.
    pub(crate) fn offset_of(&self, sequence: Seq<Peer>) -> Option<u64> {
        if sequence.before(self.nxt) {
            self.offset.checked_sub(u64::from(self.nxt.since(sequence)))
        } else {
            Some(self.offset + u64::from(sequence.since(self.nxt)))
        }
    }

    /// RFC 9293 section 3.10.7.4, seventh and eighth: text and FIN of a segment that overlaps the window.
    pub(crate) fn on_text(
        &mut self,
        now: Instant,
        mut text: Text,
        inbox: &mut Inbox,
        pace: Pace,
        rules: Rules<'_>,
        journal: &mut Journal,
    ) -> TextEffect {
        let advertised = self.window.advertised;
        let whole = text.payload.len();
        let had_text = whole > 0;
        if text.sequence.before(self.nxt) {
            let end = text.sequence + whole as u32 + u32::from(text.fin);
            if !end.after(self.nxt) {
                journal.count(Statistic::DelayedAckLost);
            }
            self.on_duplicate(text.sequence, end, rules.config, journal);
        }
        if let Some(drop) = self.trim(&mut text).or_else(|| self.check_room(&text, inbox)) {
            // An old duplicate or text for a shut window: the peer needs our acknowledgment.
            self.ack.on_trouble(advertised);
            self.ack.owe_now();
            return TextEffect { drop: Some(drop), ..TextEffect::default() };
        }
        text.payload = slices::compact(text.payload, whole);
        if had_text {
            self.learn(now, &text, pace, rules.options, inbox);
        }
        if let (true, Some(start)) = (text.sequence.after(self.nxt), self.offset_of(text.sequence)) {
            inbox.find_urgent_early(start, &text.payload);
        }
        let effect = match text.sequence == self.nxt {
            true => self.take_in_order(now, text, inbox, pace, rules.config, journal),
            false => self.take_out_of_order(now, text, pace, rules.config, journal),
        };
        // Memory is bounded: what is out of order goes first; its sender still has it.
        let room = (self.window.buffer as usize).saturating_sub(inbox.charge());
        if let Some(waiting) = &mut self.waiting
            && waiting.runs.charge() > room
            && waiting.runs.prune(room)
        {
            waiting.forget_lost_blocks();
            return TextEffect { drop: effect.drop.or(Some(DropReason::OutOfMemory)), ..effect };
        }
        effect
    }

    /// Cuts off what is left of RCV.NXT. The reason when nothing remains that can be taken.
    fn trim(&mut self, text: &mut Text) -> Option<DropReason> {
        if text.sequence.before(self.nxt) {
            let old = self.nxt.since(text.sequence);
            let len = text.payload.len() as u32;
            if old > len || (old == len && !text.fin) {
                return Some(DropReason::OldSequence);
            }
            text.payload.advance(old as usize);
            text.sequence = self.nxt;
        }
        let left = self.window.left(self.nxt);
        // A FIN alone needs no room: as on Linux it is taken in its place whatever the window.
        let lone_fin = text.payload.is_empty() && text.sequence == self.nxt;
        if !lone_fin && text.sequence.since(self.nxt) >= left {
            return Some(if left == 0 { DropReason::ZeroWindow } else { DropReason::BeyondWindow });
        }
        if let Some(fin) = self.known_end() {
            let start = self.offset_of(text.sequence)?;
            if start + text.payload.len() as u64 > fin {
                // Text behind the peer's own FIN: the stream ended there.
                text.payload.truncate(fin.saturating_sub(start) as usize);
                if text.payload.is_empty() {
                    return Some(DropReason::BehindFin);
                }
            }
        }
        None
    }

    /// Text in order is within the window, and what the window promised there is room for; but the
    /// window is rounded up to its step again and again, and a sender of segments below the step
    /// would live on that for ever. Twice the buffer is more than any promise.
    fn check_room(&self, text: &Text, inbox: &Inbox) -> Option<DropReason> {
        let most = self.window.buffer as usize * 2;
        let needed = inbox.charge() + slices::charge_of(&text.payload);
        let full = text.sequence == self.nxt && !text.payload.is_empty() && inbox.len() > 0 && needed > most;
        full.then_some(DropReason::QueueFull)
    }

    /// Where the stream is known to end.
    fn known_end(&self) -> Option<u64> {
        self.waiting.as_ref().and_then(|waiting| waiting.fin)
    }

    /// Learns size, pace and round trip from a segment with text, and lets the window grow.
    fn learn(&mut self, now: Instant, text: &Text, pace: Pace, options: &SocketOptions, inbox: &Inbox) {
        let old = self.ack.segment_size;
        self.ack.on_data(now, text.segment_size, text.push, self.advertised_mss, self.window.left(self.nxt), pace.rto);
        if text.segment_size >= old {
            let charge = slices::charge_of(&text.payload) as u32;
            self.window.learn_ratio(text.segment_size, charge.div_ceil(text.segments.max(1)), options);
        }
        self.window.grow(text.segments, self.advertised_mss, self.charge(inbox));
    }

    /// The echo of our clock that came with a segment, for the receiver's own round trip.
    pub(crate) fn on_echo(&mut self, now: Instant, echo: Option<u32>, size: u16) {
        match (&self.clocks, echo) {
            (Some(clocks), Some(echo)) if size >= self.ack.segment_size => {
                if let Some(elapsed) = Clocks::elapsed(clocks.offset(), now, echo) {
                    self.tuning.on_echo(echo, elapsed);
                }
            }
            (None, _) => {
                let (nxt, left) = (self.nxt, self.window.left(self.nxt));
                self.tuning.on_window(now, nxt, left);
            }
            _ => {}
        }
    }

    fn take_in_order(
        &mut self,
        now: Instant,
        text: Text,
        inbox: &mut Inbox,
        pace: Pace,
        config: &Config,
        journal: &mut Journal,
    ) -> TextEffect {
        let mut effect = TextEffect { fin: text.fin, ..TextEffect::default() };
        let len = text.payload.len() as u32;
        if len > 0 {
            inbox.push(&text.payload);
            self.advance(len);
            effect.readable = true;
        }
        let had_holes = self.holes() > 0;
        if had_holes {
            self.tell_overlap(config, journal);
        }
        if let Some(waiting) = &mut self.waiting {
            while let Some(run) = waiting.runs.take_ready(self.offset) {
                let len = run.len() as u32;
                inbox.append(run);
                self.nxt += len;
                self.offset += u64::from(len);
                effect.readable = true;
            }
            effect.fin |= waiting.fin == Some(self.offset);
            waiting.forget_lost_blocks();
            if effect.fin || waiting.is_over() {
                self.waiting = None;
            }
        }
        if effect.fin {
            self.nxt += 1;
            self.waiting = None;
        }
        if self.holes() > 0 {
            self.answer_gap(now, pace, config);
        } else if had_holes {
            // RFC 5681 section 4.2: at once when a gap is filled.
            self.ack.owe_for_data(now, u32::MAX, pace.srtt);
        } else if len > 0 {
            self.ack.owe_for_data(now, self.unacknowledged(), pace.srtt);
        }
        effect
    }

    fn advance(&mut self, len: u32) {
        self.nxt += len;
        self.offset += u64::from(len);
    }

    /// Text in order reaches into a run that waited: what both hold came twice.
    fn tell_overlap(&mut self, config: &Config, journal: &mut Journal) {
        let Some((start, end)) = self.waiting.as_ref().and_then(|waiting| waiting.runs.first()) else { return };
        if start < self.offset {
            let number = |at: u64| self.nxt - (self.offset - at) as u32;
            let (start, end) = (number(start), number(end.min(self.offset)));
            self.on_duplicate(start, end, config, journal);
        }
    }

    /// RFC 2883: the peer is told what came twice. Nothing beyond RCV.NXT unless it is held out of order.
    pub(crate) fn on_duplicate(&mut self, start: Seq<Peer>, end: Seq<Peer>, config: &Config, journal: &mut Journal) {
        let old = start.before(self.nxt);
        let end = if old && end.after(self.nxt) { self.nxt } else { end };
        if !self.sack || !config.dsack || start == end {
            return;
        }
        journal.count(if old { Statistic::DsackOldSent } else { Statistic::DsackOfoSent });
        self.waiting.get_or_insert_default().told.note_duplicate(start, end);
    }

    /// Out-of-order data wait, and a segment has come: the peer must hear of it.
    fn answer_gap(&mut self, now: Instant, pace: Pace, config: &Config) {
        let rtt = [self.rtt(), pace.srtt].into_iter().flatten().min();
        let at_once = self.ack.is_quick() || self.unacknowledged() > u32::from(self.ack.segment_size);
        match &mut self.waiting {
            Some(waiting) if self.sack && !at_once => match waiting.told.compression.answer(self.nxt, rtt, config) {
                Answer::Now => self.ack.owe_now(),
                Answer::Within(time) => self.ack.owe_within(now + time),
            },
            _ => self.ack.owe_now(),
        }
    }

    fn take_out_of_order(
        &mut self,
        now: Instant,
        text: Text,
        pace: Pace,
        config: &Config,
        journal: &mut Journal,
    ) -> TextEffect {
        let Some(offset) = self.offset_of(text.sequence) else { return TextEffect::default() };
        self.out_of_order = self.out_of_order.wrapping_add(text.segments);
        journal.count(Statistic::OutOfOrderQueued);
        let fresh = self.unacknowledged() > 0;
        let len = text.payload.len() as u64;
        let waiting = self.waiting.get_or_insert_default();
        if text.fin && waiting.fin.is_none() {
            waiting.fin = Some(offset + len);
        }
        let mut effect = TextEffect::default();
        let mut run = (offset, offset);
        let mut duplicate = None;
        if len > 0 {
            let inserted = waiting.runs.insert(offset, text.payload);
            (run, duplicate) = (inserted.run, inserted.duplicate);
            if inserted.new == 0 {
                journal.count(Statistic::OutOfOrderMerged);
                effect.drop = Some(DropReason::Duplicate);
            }
        }
        let before = waiting.told.blocks.len();
        let place = waiting.told.blocks.renew(waiting.with_fin(run));
        // As Linux: a block that two others stand in front of may be forgotten before it is told.
        let crowded = waiting.told.compression.held > 0 && place.unwrap_or(before) >= FEW_BLOCKS;
        if let Some((start, end)) = duplicate {
            let number = |at: u64| self.nxt + (at - self.offset) as u32;
            self.on_duplicate(number(start), number(end), config, journal);
        }
        if !self.sack {
            self.ack.owe_duplicate(text.segments, fresh);
        } else if crowded {
            self.ack.owe_now();
        } else {
            self.answer_gap(now, pace, config);
        }
        effect
    }

    /// What arrived has a bearing on the sender's congestion window: how soon it must hear.
    pub(crate) fn hasten(&mut self, haste: Haste) {
        match haste {
            Haste::None => {}
            Haste::Quick => self.ack.on_mark(self.window.left(self.nxt)),
            Haste::Now => self.ack.owe_now(),
        }
    }

    /// The application has read: size the buffer, and see whether the peer should hear of the room.
    pub(crate) fn on_read(&mut self, now: Instant, inbox: &Inbox, config: &Config, options: &SocketOptions) {
        let mss = self.advertised_mss;
        if let Some(window) = self.tuning.on_read(now, inbox.read_offset(), mss)
            && config.moderate_rcvbuf
            && options.rcvbuf.is_none()
        {
            let memory = self.window.memory_for(window).min(u64::from(config.rmem[2])) as u32;
            if memory > self.window.buffer {
                self.window.buffer = memory;
                self.window.follow_buffer(options);
            }
        }
        self.ack.on_read(self.unacknowledged(), inbox.len() == 0);
        // A window update once the window would double, as on Linux: not for every read.
        let left = self.window.left(self.nxt);
        if self.half == PeerHalf::Open && u64::from(left) * 2 <= u64::from(self.window.clamp) {
            let next = self.window.next(self.nxt, self.charge(inbox), self.ack.segment_size);
            if next > 0 && u64::from(next) >= 2 * u64::from(left) && next > left {
                self.ack.owe_now();
            }
        }
    }

    /// Options have changed: pinned buffer, clamp.
    pub(crate) fn on_options(&mut self, options: &SocketOptions) {
        if let Some(pinned) = options.rcvbuf {
            self.window.buffer = pinned.max(256);
        }
        self.window.follow_buffer(options);
    }

    /// Blocks of selective acknowledgment that fit beside the other options.
    fn most_blocks(&self) -> usize {
        SackBlocks::MAX - usize::from(self.clocks.is_some())
    }

    /// Bytes of options that the blocks waiting to be told take, for a segment that carries data, too.
    pub(crate) fn sack_len(&self) -> u16 {
        let count = match &self.waiting {
            Some(waiting) if self.sack => waiting.told.count(self.most_blocks()),
            _ => 0,
        };
        if count == 0 { 0 } else { 4 + 8 * count as u16 }
    }

    /// Where a duplicate begins that the next segment reports (RFC 2883).
    pub(crate) fn duplicate_to_tell(&self) -> Option<Seq<Peer>> {
        let waiting = self.waiting.as_ref().filter(|_| self.sack)?;
        waiting.told.duplicate.map(|(start, _)| start)
    }

    /// The blocks that leave now. A duplicate is told once (RFC 2883 section 4).
    fn take_blocks(&mut self, cargo: Cargo, journal: &mut Journal) -> SackBlocks {
        let most = self.most_blocks();
        let Some(waiting) = &mut self.waiting else { return SackBlocks::new() };
        let held = core::mem::take(&mut waiting.told.compression.held);
        // The one that leaves because the time is up is not one that was saved.
        let due = matches!(self.ack.owed, Owed::Compressed(_)) && cargo == Cargo::None;
        journal.add(Statistic::AckCompressed, u32::from(held).saturating_sub(u32::from(due)));
        if !self.sack || cargo == Cargo::OldText {
            return SackBlocks::new();
        }
        let blocks = waiting.told.option(self.nxt, self.offset, most);
        waiting.told.duplicate = None;
        if waiting.is_over() {
            self.waiting = None;
        }
        blocks
    }

    /// A segment leaves: what it says about this half.
    pub(crate) fn stamp(&mut self, now: Instant, inbox: &Inbox, cargo: Cargo, journal: &mut Journal) -> Stamp {
        let charge = self.charge(inbox);
        // RFC 5681 section 2 (e): a duplicate has the window of the one before.
        let bare = cargo == Cargo::None;
        let duplicate = bare && matches!(self.ack.owed, Owed::Duplicates(_)) && self.nxt == self.window.acked;
        let window = match duplicate {
            true => self.window.again(),
            false => self.window.advertise(self.nxt, charge, self.ack.segment_size),
        };
        let untold = cargo == Cargo::OldText && self.sack_len() > 0;
        let sack = self.take_blocks(cargo, journal);
        if !untold {
            self.ack.on_sent(bare);
        }
        Stamp { acknowledgment: self.nxt, window, timestamps: self.clocks.map(|clocks| clocks.stamp(now)), sack }
    }

    /// RFC 9293 section 3.10.7.4, sixth: stream offset of the urgent byte that `pointer` names.
    pub(crate) fn urgent_offset(&self, sequence: Seq<Peer>, pointer: u16, standard: bool) -> Option<u64> {
        // RFC 6093: everybody points behind the urgent byte; `tcp_stdurg` reads it as at the byte.
        let behind = if standard || pointer == 0 { 0 } else { 1 };
        self.offset_of(sequence + u32::from(pointer) - behind)
    }
}
