//! What is lost: found, waiting to be sent again, sent again.
//!
//! Decides how lost segments are joined when they are sent again (`tcp_retrans_collapse`). Those that
//! wait are kept as runs of mark numbers, so that the next one is found without a search.

use alloc::collections::BTreeMap;
use core::time::Duration;

use segue_wire::Instant;

use super::{Mark, Scoreboard, Tags};
use crate::send::rack::micros_between;
use crate::send::rate::Sent;
use crate::units::{Local, Seq};

/// A set of numbers as runs: first number and length.
#[derive(Debug, Default)]
pub(super) struct Runs(BTreeMap<u64, u64>);

impl Runs {
    pub(super) fn first(&self) -> Option<(u64, u64)> {
        self.0.first_key_value().map(|(start, len)| (*start, *len))
    }

    pub(super) fn insert(&mut self, number: u64) {
        let mut start = number;
        let mut len = 1;
        if let Some((&before, before_len)) = self.0.range_mut(..=number).next_back() {
            if before + *before_len > number {
                return;
            }
            if before + *before_len == number {
                *before_len += 1;
                (start, len) = (before, *before_len);
            }
        }
        if let Some(behind) = self.0.remove(&(number + 1)) {
            len += behind;
        }
        self.0.insert(start, len);
    }

    pub(super) fn remove(&mut self, number: u64) {
        let Some((&start, &len)) = self.0.range(..=number).next_back() else { return };
        let end = start + len;
        if end <= number {
            return;
        }
        if start == number {
            self.0.remove(&start);
        } else {
            self.0.insert(start, number - start);
        }
        if end > number + 1 {
            self.0.insert(number + 1, end - number - 1);
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.0.len() * 2 * size_of::<u64>()
    }
}

/// A stretch to send again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Resend {
    pub(crate) start: Seq<Local>,
    pub(crate) len: u32,
    /// Marks it covers.
    pub(crate) marks: u32,
    pub(crate) push: bool,
    /// Most bytes of each segment.
    pub(crate) size: u32,
}

/// What loss detection by time has found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Detected {
    /// Retransmissions among what was found lost.
    pub(crate) lost_again: u32,
    /// Something else is lost if it is not acknowledged within so long.
    pub(crate) wait: Option<Duration>,
}

impl Scoreboard {
    /// Whether there is a mark to lose, and whether losing it is news: Linux's tcp_mark_skb_lost. Calls
    /// `found` with the mark and whether its retransmission is lost.
    fn lose(&mut self, number: u64, found: &mut impl FnMut(&Mark, bool)) {
        let Some(board) = &mut self.0 else { return };
        let Some(mark) = board.marks.get_mut(number) else { return };
        let again = mark.tags.contains(Tags::LOST | Tags::RESENT);
        if mark.tags.contains(Tags::SACKED) || (mark.tags.contains(Tags::LOST) && !again) {
            return;
        }
        if again {
            mark.tags.remove(Tags::RESENT);
            board.resent -= 1;
        } else {
            mark.tags.insert(Tags::LOST);
            board.lost += 1;
        }
        found(mark, again);
        // One that a needless retransmission still stands for is not sent once more (Linux's R without L).
        if !mark.tags.contains(Tags::RESENT) {
            board.order.remove(&mut board.marks, number);
            board.waiting.insert(number);
        }
    }

    /// RFC 8985 section 6.2 step 5: what left before the newest delivered segment, by more than a round trip
    /// and the reordering window, is lost. What is not yet may be when `wait` is over.
    pub(crate) fn detect(&mut self, now: Instant, window: Duration, mut found: impl FnMut(&Mark, bool)) -> Detected {
        let mut detected = Detected { lost_again: 0, wait: None };
        let Some(rack) = self.0.as_ref().map(|board| board.rack) else { return detected };
        let patience = rack.rtt().unwrap_or_default() + window;
        let age = |mark: &Mark| Duration::from_micros(micros_between(mark.sent_at, now));
        let left = |mark: &Mark| patience.checked_sub(age(mark)).filter(|left| !left.is_zero());
        if let Some(board) = &mut self.0 {
            board.order.advance_edge(&board.marks, |mark| rack.left_after(mark.sent_at, mark.end()));
        }
        loop {
            let Some(board) = &mut self.0 else { return detected };
            let (Some(edge), Some(oldest)) = (board.order.edge(), board.order.oldest()) else { return detected };
            if board.marks.get(oldest).is_some_and(|mark| left(mark).is_some()) {
                detected.wait = board.marks.get(edge).and_then(left);
                return detected;
            }
            self.lose(oldest, &mut |mark, again| {
                detected.lost_again += u32::from(again);
                found(mark, again);
            });
            self.drop_from_order(oldest);
        }
    }

    /// A mark that is lost without waiting to be sent again would be found for ever.
    fn drop_from_order(&mut self, number: u64) {
        if let Some(board) = &mut self.0 {
            board.order.remove(&mut board.marks, number);
            if let Some(mark) = board.marks.get_mut(number) {
                mark.tags.insert(Tags::OVERDUE);
            }
        }
    }

    /// The earliest segment is lost.
    pub(crate) fn lose_head(&mut self, mut found: impl FnMut(&Mark, bool)) {
        if let Some(first) = self.0.as_ref().map(|board| board.marks.first) {
            self.lose(first, &mut found);
        }
    }

    /// RFC 8985 section 6.3: the retransmission timer has expired. The earliest segment is lost, and
    /// what left longer ago than `keep` says; the rest may still be under way. `renege`: what the peer
    /// said it held it does not (RFC 2018 section 8).
    pub(crate) fn lose_on_timeout(
        &mut self,
        renege: bool,
        keep: impl Fn(&Mark) -> bool,
        mut found: impl FnMut(&Mark, bool),
    ) {
        let Some(board) = &mut self.0 else { return };
        if renege {
            (board.sacked, board.fack) = (0, None);
            board.marks.queue.iter_mut().for_each(|mark| mark.tags.remove(Tags::SACKED));
        }
        let (first, end) = (board.marks.first, board.marks.end());
        for number in first..end {
            let Some(mark) = self.0.as_ref().and_then(|board| board.marks.get(number)) else { return };
            if number == first || renege || !keep(mark) {
                self.lose(number, &mut found);
            }
        }
    }

    /// Nothing is lost after all; what was sent again is in the network twice. As on Linux what RACK had found is left to the
    /// timer from now on: time was misleading.
    pub(crate) fn lose_nothing(&mut self) {
        let Some(board) = &mut self.0 else { return };
        if board.lost > 0 {
            board.marks.queue.iter_mut().for_each(|mark| mark.tags.remove(Tags::LOST));
            board.recount();
        }
    }

    /// Whether the earliest segment is to be sent again next.
    pub(crate) fn head_waits(&self) -> bool {
        let Some(board) = &self.0 else { return false };
        board.waiting.first().is_some_and(|(start, _)| start == board.marks.first)
    }

    /// Length of the segment that is to be sent again next.
    pub(crate) fn next_resend_len(&self) -> Option<u32> {
        let board = self.0.as_ref()?;
        board.waiting.first().and_then(|(start, _)| board.marks.get(start)).map(|mark| mark.len)
    }

    /// What to send again next: the first that waits, joined with those behind it into full segments of
    /// `mss`, or into one segment of at most `mss` when they are smaller. At most `max` bytes; `join` is
    /// `tcp_retrans_collapse`.
    pub(crate) fn next_resend(&self, mss: u32, max: u32, join: bool) -> Option<Resend> {
        let board = self.0.as_ref()?;
        let (start, run) = board.waiting.first()?;
        let first = board.marks.get(start)?;
        let push = first.tags.contains(Tags::PUSH);
        let mut resend = Resend { start: first.start, len: first.len, marks: 1, push, size: mss };
        let full = first.len == mss;
        let mut ends_record = first.tags.contains(Tags::RECORD);
        if !full && !join {
            return Some(resend);
        }
        for number in start + 1..start + run {
            // A pushed segment keeps its PSH: what follows leaves by itself.
            if ends_record || (full && resend.push) {
                break;
            }
            let Some(mark) = board.marks.get(number) else { break };
            // As on Linux: what left as one ends where it ended.
            if full && mark.tags.contains(Tags::FIRST) {
                break;
            }
            let len = resend.len + mark.len;
            let fits = if full { mark.len <= mss && len <= max } else { len <= mss };
            if !fits {
                break;
            }
            resend.len = len;
            resend.marks += 1;
            resend.push |= mark.tags.contains(Tags::PUSH);
            ends_record = mark.tags.contains(Tags::RECORD);
            if full && mark.len < mss {
                break;
            }
        }
        Some(resend)
    }

    /// `resend` leaves; `snapshot` is asked for each of its marks.
    pub(crate) fn on_resent(&mut self, resend: &Resend, now: Instant, mut snapshot: impl FnMut(u32) -> Sent) {
        let Some(board) = &mut self.0 else { return };
        let Some((start, _)) = board.waiting.first() else { return };
        let end = start + u64::from(resend.marks);
        for number in start..end {
            board.waiting.remove(number);
            board.resent += 1;
            let in_flight = (board.marks.queue.len() as u32 + board.resent).saturating_sub(board.sacked + board.lost);
            if let Some(mark) = board.marks.get_mut(number) {
                mark.tags.insert(Tags::RESENT | Tags::EVER_RESENT);
                mark.tags.remove(Tags::OVERDUE);
                mark.tags.set(Tags::FIRST, number == start);
                mark.sent_at = now;
                mark.sent = snapshot(in_flight);
            }
            board.order.append(&mut board.marks, number);
        }
        // What they were cut off begins anew behind them.
        if let Some(mark) = board.marks.get_mut(end) {
            mark.tags.insert(Tags::FIRST);
        }
    }

    /// The last segment, which a probe sends again (RFC 8985 section 7.3).
    pub(crate) fn tail(&self) -> Option<Resend> {
        let mark = self.0.as_ref()?.marks.queue.back()?;
        let push = mark.tags.contains(Tags::PUSH);
        Some(Resend { start: mark.start, len: mark.len, marks: 1, push, size: mark.len.max(1) })
    }

    /// The segment at `start`, the last or what the peer's window holds of it, has left as a probe: it is not thought lost, and
    /// not in the network twice.
    pub(crate) fn on_tail_probed(&mut self, now: Instant, start: Seq<Local>, sent: Sent) {
        let Some(board) = &mut self.0 else { return };
        let probed = board.marks.from(start);
        let Some(mark) = board.marks.get_mut(probed) else { return };
        mark.tags.insert(Tags::EVER_RESENT);
        mark.sent_at = now;
        mark.sent = sent;
        let was_overdue = mark.tags.contains(Tags::OVERDUE) && !mark.tags.intersects(Tags::LOST | Tags::SACKED);
        if was_overdue {
            mark.tags.remove(Tags::OVERDUE);
        }
        if was_overdue || mark.tags.contains(Tags::LISTED) {
            board.order.remove(&mut board.marks, probed);
            board.order.append(&mut board.marks, probed);
        }
    }
}
