//! The receiving half of a synchronised connection.
//!
//! Decides what text means for the receive variables of RFC 9293 section 3.3.1, and stamps
//! acknowledgment, window and timestamp on every segment that leaves, in one place.
//! Invariants: the advertised right edge never moves left; RCV.NXT ≤ edge (+1 for a FIN);
//! `offset` is the stream offset of RCV.NXT.

pub(crate) mod ack;
pub(crate) mod inbox;
mod memory;
mod reassembly;
mod sack;
mod slices;
mod tuning;
pub(crate) mod window;

use alloc::boxed::Box;
use core::time::Duration;

use segue_wire::tcp::{MAX_OPTIONS_LEN, SackBlocks, Timestamps};
use segue_wire::{Chunks, Instant};

use crate::auth::Signature;
use crate::config::Config;
use crate::drop::DropReason;
use crate::ecn::Haste;
use crate::journal::{Journal, Statistic};
use crate::memory::Wish;
use crate::options::SocketOptions;
use crate::state::halves::PeerHalf;
use crate::state::handshake::TIMESTAMPS_LEN;
use crate::state::syn_sent::Heard;
use crate::state::synced::Rules;
use crate::timestamps::Clocks;
use crate::units::{Peer, Seq, WindowScale, WireWindow};
use ack::{AckPolicy, Owed, Standing, longest_delay};
use inbox::Inbox;
pub(crate) use memory::Cost;
use reassembly::Reassembly;
use sack::{Answer, Told};
use tuning::Tuning;
use window::{Space, Window};

/// Blocks of selective acknowledgment that are told without hurry (Linux's TCP_SACK_BLOCKS_EXPECTED).
const FEW_BLOCKS: usize = 2;

/// Headers of a SYN, for what its text is charged.
const SYN_HEADERS: u16 = 60;
/// Less text than this lets no window grow.
const LEAST_TO_GROW: u32 = 128;

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
    /// What the packet is charged for.
    pub(crate) cost: Cost,
}

/// What text needs of memory.
#[derive(Clone, Copy, Debug)]
struct Need {
    cost: usize,
    /// What the sending half is charged.
    others: usize,
    /// Where the text begins.
    at: Seq<Peer>,
}

/// What is learned from text in order.
#[derive(Clone, Copy, Debug)]
struct Seen {
    len: u32,
    cost: Cost,
    segment_size: u16,
    push: bool,
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
    /// Text or FIN once more. It was cut before there were blocks to tell: each segment has so many bytes left for them.
    OldText { room: u16 },
}

impl Cargo {
    /// Whether `len` bytes of blocks can be told with it.
    fn has_room(self, len: u16) -> bool {
        !matches!(self, Cargo::OldText { room } if room < len)
    }
}

/// What the receiver needs to know of the sending side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) srtt: Option<Duration>,
    pub(crate) rto: Duration,
    /// Memory that it is charged.
    pub(crate) charge: usize,
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
    /// Nothing waits out of order.
    pub(crate) fn is_in_order(&self) -> bool {
        self.waiting.as_ref().is_none_or(|waiting| waiting.runs.is_empty() && waiting.fin.is_none())
    }

    pub(crate) fn new(now: Instant, config: &Config, options: &SocketOptions, start: &ReceiverStart) -> Receiver {
        let nxt = start.irs + 1;
        let window = Window::new(config, options, nxt, start.window, start.scale, start.advertised_mss);
        Receiver {
            half: PeerHalf::Open,
            nxt,
            offset: 0,
            window,
            waiting: None,
            ack: AckPolicy::new(now, config, start.advertised_mss.min(start.size_hint), start.window),
            clocks: start.clocks,
            tuning: Tuning::new(now, start.window.min(window.limit), start.advertised_mss),
            advertised_mss: start.advertised_mss,
            sack: start.sack,
            data_segments: 0,
            segments: start.segments,
            out_of_order: 0,
        }
    }

    /// What out-of-order data are charged.
    pub(crate) fn waiting_charge(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.runs.charge())
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

    /// Memory that counts against the buffer.
    pub(crate) fn charge(&self, inbox: &Inbox) -> usize {
        self.waiting_charge() + inbox.charge()
    }

    fn space_for(&self, inbox: &Inbox, config: &Config) -> Space {
        Space {
            nxt: self.nxt,
            charge: self.charge(inbox),
            segment: self.ack.segment_size,
            mss: self.advertised_mss,
            pressed: config.memory.is_pressed(),
            may_shrink: config.shrink_window,
            signed: config.workaround_signed_windows,
        }
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
        inbox.push(payload, Cost::of(SYN_HEADERS, payload.len()));
        self.advance(payload.len() as u32);
        self.data_segments = 1;
        self.window.acked = self.nxt;
        true
    }

    /// A FIN came before everything in front of it, and nothing else did.
    pub(crate) fn only_fin_waits(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.fin.is_some() && waiting.runs.is_empty())
    }

    /// Counts what came before the connection was open.
    pub(crate) fn add_heard(&mut self, heard: Heard) {
        self.segments = self.segments.wrapping_add(heard.segments);
        self.data_segments = self.data_segments.wrapping_add(heard.with_text);
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
        if let Some(drop) = self.trim(&mut text) {
            // An old duplicate or text for a shut window: the peer needs our acknowledgment.
            self.ack.on_trouble(advertised);
            self.ack.owe_now();
            return TextEffect { drop: Some(drop), ..TextEffect::default() };
        }
        if had_text && let Some(drop) = self.check_room(&text, inbox, pace, rules, journal) {
            return TextEffect { drop: Some(drop), ..TextEffect::default() };
        }
        text.payload = slices::compact(text.payload, whole);
        if let (true, Some(start)) = (text.sequence.after(self.nxt), self.offset_of(text.sequence)) {
            inbox.find_urgent_early(start, &text.payload);
        }
        match text.sequence == self.nxt {
            true => self.take_in_order(now, text, inbox, pace, rules, journal),
            false => self.take_out_of_order(now, text, inbox, pace, rules, journal),
        }
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

    /// Whether there is memory for text: as on Linux what is in use must not exceed the buffer, and an empty queue always
    /// takes one packet. What the window promised there is room for, but a sender of small packets uses more than that.
    fn check_room(
        &mut self,
        text: &Text,
        inbox: &mut Inbox,
        pace: Pace,
        rules: Rules<'_>,
        journal: &mut Journal,
    ) -> Option<DropReason> {
        let in_order = text.sequence == self.nxt;
        let need = Need { cost: text.cost.charge as usize, others: pace.charge, at: text.sequence };
        if self.make_room(&need, inbox, rules, journal) {
            return None;
        }
        if !in_order {
            return Some(DropReason::OutOfMemory);
        }
        if inbox.len() == 0 && rules.config.memory.allows(need.cost) {
            // Whoever has nothing would stand still without.
            return None;
        }
        // The peer must not go on sending what cannot be kept.
        self.ack.no_memory = true;
        self.ack.owe_now();
        Some(DropReason::QueueFull)
    }

    /// Makes room for text: in the buffer, then in the stack's memory, for which what is out of order behind it is given
    /// up. Whether there is.
    fn make_room(&mut self, need: &Need, inbox: &mut Inbox, rules: Rules<'_>, journal: &mut Journal) -> bool {
        if self.fits(inbox) && self.is_granted(need, inbox, rules) {
            return true;
        }
        journal.count(Statistic::PruneCalled);
        if !self.fits(inbox) {
            if !self.make_fit(need.at, inbox, rules, journal) {
                return false;
            }
        } else if rules.config.memory.is_pressed() {
            self.window.press(self.advertised_mss);
        }
        while !self.is_granted(need, inbox, rules) {
            if !self.prune(need.at, inbox, rules, journal) {
                return false;
            }
        }
        true
    }

    /// As Linux: what is in use must not exceed the buffer; what comes is not counted.
    fn fits(&self, inbox: &Inbox) -> bool {
        self.charge(inbox) <= self.window.buffer as usize
    }

    /// Whether the stack has memory for text.
    fn is_granted(&self, need: &Need, inbox: &Inbox, rules: Rules<'_>) -> bool {
        let own = self.charge(inbox);
        let total = own + need.others + need.cost;
        rules.config.memory.grants(&Wish { held: rules.held, total, own, least: rules.config.rmem[0] })
    }

    /// Makes what waits fit into the buffer: by a larger buffer, by fewer and fuller packets, by dropping what is out of
    /// order behind `incoming`; its sender still has it. Whether it fits.
    fn make_fit(&mut self, incoming: Seq<Peer>, inbox: &mut Inbox, rules: Rules<'_>, journal: &mut Journal) -> bool {
        self.ack.on_tight();
        let memory = &rules.config.memory;
        let may_grow = rules.options.rcvbuf.is_none() && !memory.is_pressed() && memory.is_plenty();
        self.window.on_overflow(self.charge(inbox), may_grow.then_some(rules.config.rmem[2]), self.advertised_mss);
        if self.fits(inbox) {
            return true;
        }
        let saved = self.waiting.as_mut().map_or(0, |waiting| waiting.runs.collapse()) + inbox.collapse();
        journal.add(Statistic::ReceiveCollapsed, saved as u32);
        if self.fits(inbox) {
            return true;
        }
        self.prune(incoming, inbox, rules, journal);
        let fits = self.fits(inbox);
        if !fits {
            journal.count(Statistic::ReceivePruned);
        }
        fits
    }

    /// Drops what is out of order behind `incoming`, from the far end, an eighth of the buffer or until all is well.
    /// Whether anything was dropped.
    fn prune(&mut self, incoming: Seq<Peer>, inbox: &Inbox, rules: Rules<'_>, journal: &mut Journal) -> bool {
        let (buffer, in_order) = (self.window.buffer as usize, inbox.charge());
        let pressed = rules.config.memory.is_pressed();
        let Some(incoming) = self.offset_of(incoming) else { return false };
        let Some(waiting) = &mut self.waiting else { return false };
        if !waiting.runs.prune(incoming, buffer / 8, |charge| charge + in_order <= buffer && !pressed) {
            return false;
        }
        journal.count(Statistic::OutOfOrderPruned);
        // As Linux: blocks are told anew as more comes; RFC 2018 section 8 lets a receiver take its word back.
        waiting.told.blocks.retain(|_| false);
        true
    }

    /// Where the stream is known to end.
    fn known_end(&self) -> Option<u64> {
        self.waiting.as_ref().and_then(|waiting| waiting.fin)
    }

    /// Learns size, pace and round trip from text that was taken in order, and lets the window grow.
    fn learn(&mut self, now: Instant, seen: &Seen, inbox: &Inbox, pace: Pace, rules: Rules<'_>) {
        let (len, charge) = (seen.len, seen.cost.charge);
        let advertised = self.window.advertised;
        if self.ack.on_data(now, seen.segment_size, seen.push, self.advertised_mss, advertised, pace.rto) {
            self.learn_ratio(len, charge, rules);
        }
        self.tuning.on_window(now, self.nxt, advertised);
        if len >= LEAST_TO_GROW {
            self.grow(len, charge, inbox, rules);
        }
    }

    /// A larger segment has come: what memory payload takes.
    fn learn_ratio(&mut self, len: u32, charge: u32, rules: Rules<'_>) {
        self.window.learn_ratio(len, charge, rules.options);
        self.tuning.on_clamp(self.window.clamp);
    }

    fn grow(&mut self, len: u32, charge: u32, inbox: &Inbox, rules: Rules<'_>) {
        let (used, segment, mss) = (self.charge(inbox), self.ack.segment_size, self.advertised_mss);
        if rules.config.memory.is_pressed() {
            return self.window.press(mss);
        }
        if self.window.grow(len, charge, used, segment, mss, rules.config.rmem[2]) {
            self.ack.on_growth();
        }
    }

    /// The echo of our clock that came with a full segment, for the receiver's own round trip.
    pub(crate) fn on_echo(&mut self, now: Instant, echo: Option<u32>, size: u16, inbox: &Inbox) {
        if let (Some(clocks), Some(echo)) = (&self.clocks, echo)
            && size >= self.ack.segment_size
            && let Some(age) = clocks.age(now, echo)
        {
            self.tuning.on_echo(echo, age, inbox.len() > 0);
        }
    }

    fn take_in_order(
        &mut self,
        now: Instant,
        text: Text,
        inbox: &mut Inbox,
        pace: Pace,
        rules: Rules<'_>,
        journal: &mut Journal,
    ) -> TextEffect {
        let mut effect = TextEffect { fin: text.fin, ..TextEffect::default() };
        let len = text.payload.len() as u32;
        if len > 0 {
            inbox.push(&text.payload, text.cost);
            self.advance(len);
            effect.readable = true;
            let seen = Seen { len, cost: text.cost, segment_size: text.segment_size, push: text.push };
            self.learn(now, &seen, inbox, pace, rules);
        }
        if text.fin {
            // The stream ends here: what came early with higher numbers is no part of it.
            self.waiting = None;
        }
        let had_holes = self.holes() > 0;
        if had_holes {
            self.tell_overlap(rules.config, journal);
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
            self.answer_gap(now, inbox, pace, rules);
        } else if had_holes {
            // RFC 5681 section 4.2: at once when a gap is filled.
            self.ack.owe_now();
        } else if len > 0 {
            let standing = self.standing(inbox, pace, rules);
            self.ack.owe_for_data(now, standing);
        }
        effect
    }

    /// Whether an acknowledgment would do the peer good now. As on Linux: while the reader is behind, so that the window's
    /// edge would stay, it waits for the reader, unless he wants more than there is.
    fn standing(&self, inbox: &Inbox, pace: Pace, rules: Rules<'_>) -> Standing {
        let second = self.unacknowledged() > u32::from(self.ack.segment_size);
        let advances = second
            && ((inbox.len() as u64) < u64::from(rules.options.rcvlowat)
                || self.window.wanted(&self.space_for(inbox, rules.config)) >= self.window.advertised);
        Standing { advances, srtt: pace.srtt, longest: longest_delay(rules.config) }
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
    fn answer_gap(&mut self, now: Instant, inbox: &Inbox, pace: Pace, rules: Rules<'_>) {
        let rtt = [self.rtt(), pace.srtt].into_iter().flatten().min();
        let at_once = self.ack.is_quick() || self.standing(inbox, pace, rules).advances;
        match &mut self.waiting {
            Some(waiting) if self.sack && !at_once => {
                match waiting.told.compression.answer(self.nxt, rtt, rules.config) {
                    Answer::Now => self.ack.owe_now(),
                    Answer::Within(time) => self.ack.owe_within(now + time),
                }
            }
            _ => self.ack.owe_now(),
        }
    }

    fn take_out_of_order(
        &mut self,
        now: Instant,
        text: Text,
        inbox: &Inbox,
        pace: Pace,
        rules: Rules<'_>,
        journal: &mut Journal,
    ) -> TextEffect {
        let config = rules.config;
        let Some(offset) = self.offset_of(text.sequence) else { return TextEffect::default() };
        let (length, charge) = (text.payload.len() as u32, text.cost.charge);
        // As Linux since 6.15: what is out of order tells the peer's segment size, too.
        if self.ack.learn_size(if length > 0 { text.segment_size } else { 0 }, text.push, self.advertised_mss) {
            self.learn_ratio(length, charge, rules);
        }
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
            let inserted = waiting.runs.insert(offset, text.payload, text.cost);
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
        self.grow_behind_gap(len as u32, charge, inbox, rules);
        if !self.sack {
            self.ack.owe_duplicate(text.segments, fresh);
        } else if crowded {
            self.ack.owe_now();
        } else {
            self.answer_gap(now, inbox, pace, rules);
        }
        effect
    }

    /// As Linux: text behind a gap lets window and buffer grow, too, or a sender that goes on in spite of loss would meet the
    /// window's end in each recovery. Without SACK the window stays, so that duplicates count as such (RFC 5681 section 2).
    fn grow_behind_gap(&mut self, len: u32, charge: u32, inbox: &Inbox, rules: Rules<'_>) {
        if self.sack && len > 0 {
            self.grow(len, charge, inbox, rules);
        }
        if rules.config.moderate_rcvbuf && rules.options.rcvbuf.is_none() {
            let window = 2 * u64::from(self.tuning.space) + self.ahead();
            self.window.grow_buffer(window, rules.config.rmem[2], rules.options);
        }
    }

    /// Bytes from RCV.NXT to the end of what waits out of order.
    fn ahead(&self) -> u64 {
        let end = self.waiting.as_ref().and_then(|waiting| waiting.runs.end());
        end.map_or(0, |end| end.saturating_sub(self.offset))
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
    pub(crate) fn on_read(&mut self, now: Instant, inbox: &Inbox, rules: Rules<'_>) {
        let (config, options) = (rules.config, rules.options);
        // Linux looks after every packet of a read, and takes those that follow in the same read for late; as many come
        // at once here, that would see no more than the first of them in a round trip.
        let read = inbox.read_offset();
        let unread = self.offset.saturating_sub(read);
        if let Some(window) = self.tuning.on_read(now, read, unread)
            && config.moderate_rcvbuf
            && options.rcvbuf.is_none()
        {
            self.window.grow_buffer(window + self.ahead(), config.rmem[2], options);
        }
        self.ack.on_read(self.unacknowledged(), self.charge(inbox) == 0);
        self.tell_of_room(inbox, config);
    }

    /// A window update once the window would double, as on Linux: not for every read.
    fn tell_of_room(&mut self, inbox: &Inbox, config: &Config) {
        let left = self.window.left(self.nxt);
        if self.half == PeerHalf::Open && u64::from(left) * 2 <= u64::from(self.window.clamp) {
            let wanted = self.window.wanted(&self.space_for(inbox, config));
            if wanted > 0 && u64::from(wanted) >= 2 * u64::from(left) {
                self.ack.owe_now();
            }
        }
    }

    /// What is left of the window takes no other segment, or memory is short: nothing is gained by waiting for more.
    pub(crate) fn is_full(&self, inbox: &Inbox, config: &Config) -> bool {
        let buffer = self.window.buffer as usize;
        config.memory.is_pressed()
            || self.charge(inbox) > buffer - buffer / 8
            || self.window.left(self.nxt) <= u32::from(self.ack.segment_size)
    }

    /// Options have changed: pinned buffer, clamp.
    pub(crate) fn on_options(&mut self, options: &SocketOptions) {
        self.window.on_options(options);
    }

    /// Blocks of selective acknowledgment that fit beside the other options.
    fn most_blocks(&self, signature: Signature) -> usize {
        let stamps = if self.clocks.is_some() { usize::from(TIMESTAMPS_LEN) } else { 0 };
        let room = MAX_OPTIONS_LEN.saturating_sub(stamps + usize::from(signature.len()));
        // RFC 2018 section 3: two bytes of head, aligned.
        (room.saturating_sub(4) / 8).min(SackBlocks::MAX)
    }

    /// Bytes of options that the blocks waiting to be told take, for a segment that carries data, too.
    pub(crate) fn sack_len(&self, signature: Signature) -> u16 {
        let count = match &self.waiting {
            Some(waiting) if self.sack => waiting.told.count(self.most_blocks(signature)),
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
    fn take_blocks(&mut self, cargo: Cargo, signature: Signature, journal: &mut Journal) -> SackBlocks {
        let most = self.most_blocks(signature);
        let has_room = cargo.has_room(self.sack_len(signature));
        let Some(waiting) = &mut self.waiting else { return SackBlocks::new() };
        let held = core::mem::take(&mut waiting.told.compression.held);
        // The one that leaves because the time is up is not one that was saved.
        let due = matches!(self.ack.owed, Owed::Compressed(_)) && cargo == Cargo::None;
        journal.add(Statistic::AckCompressed, u32::from(held).saturating_sub(u32::from(due)));
        if !self.sack || !has_room {
            return SackBlocks::new();
        }
        let blocks = waiting.told.option(self.nxt, self.offset, most);
        waiting.told.duplicate = None;
        if waiting.is_over() {
            self.waiting = None;
        }
        blocks
    }

    /// The window that a segment leaving now offers.
    fn advertise(&mut self, inbox: &Inbox, config: &Config, journal: &mut Journal) -> WireWindow {
        let before = self.window.advertised;
        if core::mem::take(&mut self.ack.no_memory) {
            return self.window.shut(self.nxt);
        }
        let space = self.space_for(inbox, config);
        let wanted = self.window.wanted(&space);
        let (window, tight) = self.window.advertise(&space);
        if tight {
            self.ack.on_tight();
        }
        match (before, window.0) {
            (0, 0) => {}
            (0, _) => journal.count(Statistic::FromZeroWindow),
            (_, 0) => journal.count(Statistic::ToZeroWindow),
            _ if wanted == 0 => journal.count(Statistic::WantZeroWindow),
            _ => {}
        }
        window
    }

    /// A segment leaves: what it says about this half.
    pub(crate) fn stamp(
        &mut self,
        now: Instant,
        inbox: &Inbox,
        cargo: Cargo,
        rules: Rules<'_>,
        journal: &mut Journal,
    ) -> Stamp {
        let signature = rules.options.signature;
        // RFC 5681 section 2 (e): a duplicate has the window of the one before.
        let bare = cargo == Cargo::None;
        let duplicate = bare && matches!(self.ack.owed, Owed::Duplicates(_)) && self.nxt == self.window.acked;
        let window = match duplicate {
            true => self.window.again(),
            false => self.advertise(inbox, rules.config, journal),
        };
        let untold = !cargo.has_room(self.sack_len(signature));
        let sack = self.take_blocks(cargo, signature, journal);
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
