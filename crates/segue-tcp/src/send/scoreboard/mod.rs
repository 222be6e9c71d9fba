//! The scoreboard: what was sent, when, and what is thought to have become of it.
//!
//! One mark per wire segment in sequence order, from SND.UNA to SND.NXT. Decides nothing; loss
//! detection says what is lost, recovery asks what to resend. Marks are reached by sequence number (a
//! binary search), by the time they left (`order`), and when they are to be sent again (`lost`); no
//! acknowledgment walks over marks that it does not change, so the cost is amortised over what was sent.
//! Counts are kept, not computed: in flight = sent - sacked - lost + resent (RFC 9937 section 6.2).

mod arrived;
mod departed;
mod lost;
mod order;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use bitflags::bitflags;
use segue_wire::Instant;

use super::rack::Rack;
use super::rate::Sent;
use crate::units::{Local, Packets, Seq};
pub(crate) use arrived::{Arrival, Harvest};
pub(crate) use departed::Departure;
use lost::Runs;
pub(crate) use lost::{Detected, Resend};
use order::Order;

bitflags! {
    /// What is known of a segment. As on Linux a lost segment stays lost when it is sent again; it is in
    /// flight then by its retransmission.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    struct Tags: u16 {
        /// The peer holds it out of order.
        const SACKED = 1;
        /// Its first copy, or a later one, left the network without arriving.
        const LOST = 2;
        /// A retransmission of it is in the network.
        const RESENT = 4;
        /// It was sent more than once; its acknowledgment is ambiguous (Karn).
        const EVER_RESENT = 8;
        /// It ended a write.
        const PUSH = 16;
        /// It stands in the order of sending: neither sacked, nor lost and waiting to be sent again.
        const LISTED = 32;
        /// It left as the first of one transmission.
        const FIRST = 64;
        /// RACK has found it lost, and follows it no more until it is sent again, whatever is thought of it then.
        const OVERDUE = 128;
        /// It ended a record (`MSG_EOR`): nothing behind it leaves in one segment with it.
        const RECORD = 256;
        /// A part of it was acknowledged before.
        const PARTIAL = 512;
    }
}

/// One sent segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    start: Seq<Local>,
    /// Sequence numbers it occupies: bytes, and one for a FIN.
    len: u32,
    /// When it was last sent.
    sent_at: Instant,
    /// Snapshot of the delivery rate when it was last sent.
    sent: Sent,
    /// Neighbours in the order of sending; itself at either end. For a sacked mark `newer` is a mark at or
    /// before which the run of sacked marks that it lies in does not end.
    older: u32,
    newer: u32,
    tags: Tags,
}

impl Mark {
    pub(crate) fn end(&self) -> Seq<Local> {
        self.start + self.len
    }

    pub(crate) fn sent_at(&self) -> Instant {
        self.sent_at
    }

    pub(crate) fn start(&self) -> Seq<Local> {
        self.start
    }

    /// Whether it left together with `next`, which follows it, and the same became of both.
    fn left_with(&self, next: &Mark) -> bool {
        let own = Tags::PUSH | Tags::FIRST | Tags::RECORD;
        self.sent_at == next.sent_at && self.tags - own == next.tags - own && !next.tags.contains(Tags::FIRST)
    }

    /// Snapshot of its last sending.
    pub(crate) fn snapshot(&self) -> &Sent {
        &self.sent
    }
}

/// Marks by number: each has its own, counted from the first that was ever made.
#[derive(Debug, Default)]
struct Marks {
    queue: VecDeque<Mark>,
    /// Number of the first mark.
    first: u64,
    /// How often a mark was looked at by its number: what an acknowledgment costs.
    #[cfg(test)]
    looks: core::cell::Cell<u64>,
}

impl Marks {
    fn get(&self, number: u64) -> Option<&Mark> {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        self.queue.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Mark> {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        self.queue.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// One past the last number.
    fn end(&self) -> u64 {
        self.first + self.queue.len() as u64
    }

    /// The number whose low half is `low`; marks are never further apart than that can tell.
    fn number(&self, low: u32) -> u64 {
        self.first + u64::from(low.wrapping_sub(self.first as u32))
    }

    /// The first mark that does not begin before `sequence`.
    fn from(&self, sequence: Seq<Local>) -> u64 {
        self.first + self.queue.partition_point(|mark| mark.start.before(sequence)) as u64
    }
}

/// What a scoreboard that is not empty owns.
#[derive(Debug, Default)]
struct Board {
    marks: Marks,
    order: Order,
    /// Lost marks that wait to be sent again.
    waiting: Runs,
    rack: Rack,
    /// Segments that the peer holds out of order: told by SACK, or supposed from duplicates.
    sacked: u32,
    lost: u32,
    resent: u32,
    /// End of the furthest sacked mark, while there is one.
    fack: Option<Seq<Local>>,
}

/// The scoreboard; empty it owns no memory.
#[derive(Debug, Default)]
pub(crate) struct Scoreboard(Option<Box<Board>>);

impl Scoreboard {
    fn count(&self, of: impl Fn(&Board) -> u32) -> Packets {
        Packets(self.0.as_deref().map_or(0, of))
    }

    /// RACK.rtt: the round trip of what was delivered last, of what is outstanding or left with it.
    pub(crate) fn newest_rtt(&self) -> Option<Duration> {
        self.0.as_deref().and_then(|board| board.rack.rtt())
    }

    /// Segments sent and not acknowledged (Linux's packets_out).
    pub(crate) fn sent(&self) -> Packets {
        self.count(|board| board.marks.queue.len() as u32)
    }

    /// Segments that have arrived out of order.
    pub(crate) fn sacked(&self) -> Packets {
        self.count(|board| board.sacked)
    }

    /// Segments lost, whether sent again or not.
    pub(crate) fn lost(&self) -> Packets {
        self.count(|board| board.lost)
    }

    /// Retransmissions in the network.
    pub(crate) fn resent(&self) -> Packets {
        self.count(|board| board.resent)
    }

    /// RFC 9937 section 6.2, as Linux counts: what is thought to be in the network.
    pub(crate) fn in_flight(&self) -> Packets {
        self.count(|board| (board.marks.queue.len() as u32 + board.resent).saturating_sub(board.sacked + board.lost))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// When the earliest unacknowledged segment was last sent.
    pub(crate) fn head_sent_at(&self) -> Option<Instant> {
        self.0.as_ref()?.marks.queue.front().map(Mark::sent_at)
    }

    /// Whether the peer has dropped what it said it held (RFC 2018 section 8): the segment at SND.UNA is sacked.
    pub(crate) fn is_reneged(&self) -> bool {
        self.0.as_ref().and_then(|board| board.marks.queue.front()).is_some_and(|mark| mark.tags.contains(Tags::SACKED))
    }

    /// Whether a retransmission is in the network, or the segment at SND.UNA was ever sent again.
    pub(crate) fn any_resent(&self) -> bool {
        self.0.as_ref().is_some_and(|board| {
            let head = board.marks.queue.front();
            board.resent > 0 || head.is_some_and(|mark| mark.tags.contains(Tags::EVER_RESENT))
        })
    }

    /// Highest sequence number that the peer has told of; `una` when it holds nothing out of order.
    pub(crate) fn highest_sacked(&self, una: Seq<Local>) -> Seq<Local> {
        match self.0.as_ref().and_then(|board| board.fack) {
            Some(fack) if fack.after(una) => fack,
            _ => una,
        }
    }

    /// Without SACK: `count` segments are supposed to have arrived out of order (Linux's tcp_add_reno_sack).
    /// Never more than leave room for what is lost, and for one hole at least.
    pub(crate) fn suppose(&mut self, count: u32) -> u32 {
        let Some(board) = &mut self.0 else { return 0 };
        let sent = board.marks.queue.len() as u32;
        let holes = board.lost.max(1).min(sent);
        board.sacked = count.min(sent - holes);
        board.sacked
    }

    /// Segments have at most `mss` bytes now: those that are longer are cut, as they will be sent again; what left as
    /// one super-segment is cut as one, as on Linux. `lost`: they have not arrived and will not. Whether there was one. Rare, so linear.
    pub(crate) fn recut(&mut self, mss: u32, lost: bool) -> bool {
        let Some(board) = &mut self.0 else { return false };
        let too_long = |mark: &Mark| mark.len > mss && !mark.tags.contains(Tags::SACKED);
        if !board.marks.queue.iter().any(too_long) {
            return false;
        }
        let old = core::mem::take(&mut board.marks.queue);
        // Numbers begin anew behind all that were given.
        board.marks.first += old.len() as u64;
        let mut run: Option<Mark> = None;
        for mut mark in old {
            if lost && too_long(&mark) {
                mark.tags.remove(Tags::RESENT);
                mark.tags.insert(Tags::LOST);
            }
            match &mut run {
                Some(run) if too_long(run) && run.left_with(&mark) => {
                    run.len += mark.len;
                    run.tags |= mark.tags;
                }
                _ => board.cut(run.replace(mark), mss),
            }
        }
        board.cut(run, mss);
        board.recount();
        true
    }

    /// A mark that `at` lies inside becomes two. Rare (the peer has shrunk its window, segments are smaller than they were), so
    /// linear.
    pub(crate) fn cut_at(&mut self, at: Seq<Local>) {
        let Some(board) = &mut self.0 else { return };
        let queue = &mut board.marks.queue;
        let behind = queue.partition_point(|mark| mark.start.before(at));
        let Some(mark) = behind.checked_sub(1).and_then(|place| queue.get_mut(place)) else { return };
        if !at.before(mark.end()) {
            return;
        }
        let rest = Mark { start: at, len: mark.end().since(at), tags: mark.tags - Tags::FIRST, ..*mark };
        mark.len = at.since(mark.start);
        mark.tags.remove(Tags::PUSH | Tags::RECORD);
        // Numbers begin anew behind all that were given.
        board.marks.first += board.marks.queue.len() as u64;
        board.marks.queue.insert(behind, rest);
        board.recount();
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, |board| {
            board.marks.queue.capacity() * size_of::<Mark>() + board.waiting.memory() + size_of::<Board>()
        })
    }
}

impl Board {
    /// Appends the pieces of what was one mark, or several.
    fn cut(&mut self, mark: Option<Mark>, mss: u32) {
        let Some(mut mark) = mark else { return };
        while mark.len > mss && !mark.tags.contains(Tags::SACKED) {
            self.marks.queue.push_back(Mark { len: mss, tags: mark.tags - Tags::PUSH - Tags::RECORD, ..mark });
            mark.start += mss;
            mark.len -= mss;
            mark.tags.remove(Tags::FIRST);
        }
        self.marks.queue.push_back(mark);
    }

    /// Makes counts and orders from the tags. Linear; after what is rare.
    fn recount(&mut self) {
        // Without SACK what is supposed to have arrived is not in the tags.
        let supposed = if self.fack.is_none() { self.sacked } else { 0 };
        (self.sacked, self.lost, self.resent, self.fack) = (0, 0, 0, None);
        self.waiting = Runs::default();
        for (i, mark) in self.marks.queue.iter_mut().enumerate() {
            let number = self.marks.first + i as u64;
            mark.newer = number as u32;
            self.lost += u32::from(mark.tags.contains(Tags::LOST));
            self.resent += u32::from(mark.tags.contains(Tags::RESENT));
            if mark.tags.contains(Tags::SACKED) {
                self.sacked += 1;
                self.fack = Some(mark.end());
            } else if mark.tags.intersection(Tags::LOST | Tags::RESENT) == Tags::LOST {
                self.waiting.insert(number);
            }
        }
        if self.sacked == 0 {
            let sent = self.marks.queue.len() as u32;
            self.sacked = supposed.min(sent - self.lost.max(1).min(sent));
        }
        self.order.rebuild(&mut self.marks);
    }
}

#[cfg(test)]
mod tests;
