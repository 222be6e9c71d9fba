//! Text and FIN of a segment that overlaps the window: RFC 9293 section 3.10.7.4, seventh and eighth.
//!
//! Decides what of it is new, whether it can be read now or waits, and what acknowledgment it calls for (RFC 5681 section 4.2,
//! RFC 2883). Memory for it is `room`'s, what is learned from it `growth`'s.

use segue_wire::{Chunks, Instant};

use super::ack::{Length, Standing, longest_delay};
use super::growth::Seen;
use super::inbox::Inbox;
use super::sack::Answer;
use super::{Cost, Pace, Receiver, slices};
use crate::config::Config;
use crate::drop::DropReason;
use crate::journal::{Journal, Statistic};
use crate::state::synced::Rules;
use crate::units::{Peer, Seq};

/// Blocks of selective acknowledgment that are told without hurry (Linux's TCP_SACK_BLOCKS_EXPECTED).
const FEW_BLOCKS: usize = 2;

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
    /// Bytes of it as it came, those among them that were taken before.
    pub(crate) whole: u32,
    pub(crate) fin: bool,
    /// Wire segments inside, and what the size of each shows.
    pub(crate) segments: u32,
    pub(crate) length: Length,
    /// What the packet is charged for.
    pub(crate) cost: Cost,
}

impl Receiver {
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

    /// Where the stream is known to end.
    fn known_end(&self) -> Option<u64> {
        self.waiting.as_ref().and_then(|waiting| waiting.fin)
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
        }
        if text.whole > 0 {
            // As Linux: of what was taken before something is learned, too, when something new comes with it.
            let seen = Seen { len: text.whole, cost: text.cost, length: text.length };
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
        if self.ack.learn_size(text.length, self.advertised_mss) {
            self.learn_ratio(length, charge, rules);
        }
        self.out_of_order = self.out_of_order.wrapping_add(text.segments);
        journal.count(Statistic::OutOfOrderQueued);
        let len = text.payload.len() as u64;
        let waiting = self.waiting.get_or_insert_default();
        // One in the midst of text that waits is no end: it comes again if it is one.
        let end = offset + len;
        if text.fin && waiting.fin.is_none_or(|fin| end < fin) && !waiting.runs.holds(end) {
            waiting.fin = Some(end);
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
            self.ack.owe_duplicate(text.segments);
        } else if crowded {
            self.ack.owe_now();
        } else {
            self.answer_gap(now, inbox, pace, rules);
        }
        effect
    }
}
