//! What an application wants to be told of bytes of a stream: when they left, when they were acknowledged, when their
//! memory is its own again (`MSG_ZEROCOPY`), when the ones it reads arrived.
//!
//! Decides which bytes a request is about and when it is fulfilled; as on Linux, a write that joins the buffer of an
//! unsent one takes over its request. Sockets that never ask have none of this.
use std::collections::VecDeque;

use bytes::Bytes;
use segue_tcp::{Instant, SendOffsets};
use segue_wire::Chunks;

use crate::message::ExtendedError;
use crate::socket::timestamping::TimestampingFlags;

/// Arrivals that are remembered one by one; beyond, neighbours share the later time.
const MAX_ARRIVALS: usize = 1024;

/// A request for times: about the byte before `end`.
#[derive(Clone, Debug)]
struct Mark {
    end: u64,
    wants: TimestampingFlags,
    /// The text that it left with, from an offset of the stream on, where its acknowledgment is to be told.
    text: Option<(u64, Chunks)>,
}

/// Bytes that the application has lent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Lent {
    end: u64,
    /// The first call that lent them, and how many in a row did.
    first: u32,
    calls: u32,
    is_copied: bool,
}

/// Bytes that arrived together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Arrived {
    start: u64,
    end: u64,
    at: Instant,
}

/// What has happened to watched bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// A time for the byte with this key: [`ExtendedError::SENT`] and its kind. `text`: for an acknowledgment, what of the
    /// text that it left with was not acknowledged before.
    Time { which: u32, key: u32, text: Bytes },
    /// Calls whose memory is the application's again.
    Returned { first: u32, last: u32, is_copied: bool },
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Stream offset of the byte with key 0 (`SOF_TIMESTAMPING_OPT_ID`).
    key_base: Option<u64>,
    marks: VecDeque<Mark>,
    lent: VecDeque<Lent>,
    /// Where the last buffer of written bytes begins, and whether nothing may join it.
    tail_start: u64,
    tail_is_closed: bool,
    /// The peer has everything before.
    acked: u64,
    arrivals: VecDeque<Arrived>,
}

/// A write, as the watch sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write {
    pub(crate) before: SendOffsets,
    pub(crate) len: u64,
    pub(crate) size_goal: u32,
    pub(crate) wants: TimestampingFlags,
    /// `MSG_EOR`.
    pub(crate) ends_record: bool,
    /// `MSG_ZEROCOPY`: number of the call, and whether the bytes were copied.
    pub(crate) lent: Option<(u32, bool)>,
}

impl Watch {
    /// Keys count from this stream offset on.
    pub(crate) fn count_keys_from(&mut self, offset: u64) {
        self.key_base = Some(offset);
    }

    /// The application has written.
    pub(crate) fn on_write(&mut self, write: &Write) {
        let start = write.before.written;
        let old_tail = self.tail_start.max(write.before.sent);
        let goal = u64::from(write.size_goal.max(1));
        let joins = start > write.before.sent && !self.tail_is_closed && start - old_tail < goal;
        let end = start + write.len;
        let chunk = if joins { old_tail } else { start };
        // The last of the buffers that the bytes fill.
        self.tail_start = chunk + (end - chunk).saturating_sub(1) / goal * goal;
        self.tail_is_closed = write.ends_record;
        let is_same = joins && self.tail_start == old_tail;
        if !write.wants.is_empty() {
            let mut wants = write.wants;
            while is_same && self.marks.back().is_some_and(|mark| mark.end > old_tail) {
                wants |= self.marks.pop_back().map_or(wants, |mark| mark.wants);
            }
            self.marks.push_back(Mark { end, wants, text: None });
        }
        if let Some((call, is_copied)) = write.lent {
            match self.lent.back_mut() {
                Some(last) if joins && last.end > old_tail && last.first.wrapping_add(last.calls) == call => {
                    (last.end, last.calls) = (end, last.calls + 1);
                    last.is_copied |= is_copied;
                }
                _ => self.lent.push_back(Lent { end, first: call, calls: 1, is_copied }),
            }
        }
    }

    /// `text`, which is the stream's from `start` on, leaves now.
    pub(crate) fn on_sent(&mut self, start: u64, text: &Chunks, mut tell: impl FnMut(Seen)) {
        let end = start + text.len() as u64;
        for mark in &mut self.marks {
            if mark.end <= start || mark.end > end {
                continue;
            }
            let key = key(self.key_base, mark.end);
            for (flag, which) in [
                (TimestampingFlags::TX_SCHED, ExtendedError::SCHEDULED),
                (TimestampingFlags::TX_SOFTWARE, ExtendedError::SENT),
            ] {
                if mark.wants.contains(flag) {
                    mark.wants.remove(flag);
                    tell(Seen::Time { which, key, text: Bytes::new() });
                }
            }
            if mark.wants.contains(TimestampingFlags::TX_ACK) {
                mark.text = Some((start, text.clone()));
            }
        }
        self.marks.retain(|mark| !mark.wants.is_empty());
    }

    /// The peer has everything before `acked`.
    pub(crate) fn on_acked(&mut self, acked: u64, mut tell: impl FnMut(Seen)) {
        let before = core::mem::replace(&mut self.acked, acked);
        while self.marks.front().is_some_and(|mark| mark.end <= acked) {
            let Some(mark) = self.marks.pop_front() else { break };
            if mark.wants.contains(TimestampingFlags::TX_ACK) {
                let key = key(self.key_base, mark.end);
                tell(Seen::Time { which: ExtendedError::ACKNOWLEDGED, key, text: mark.text_from(before) });
            }
        }
        while let Some(lent) = self.lent.front().copied().filter(|lent| lent.end <= acked) {
            self.lent.pop_front();
            tell(lent.returned());
        }
    }

    /// The stream has ended: what was lent comes back, and there are no times any more.
    pub(crate) fn on_over(&mut self, tell: impl FnMut(Seen)) {
        self.marks.clear();
        self.lent.drain(..).map(|lent| lent.returned()).for_each(tell);
    }

    /// Bytes `start..end` of the peer's stream have arrived.
    pub(crate) fn on_arrival(&mut self, start: u64, end: u64, at: Instant) {
        let is_full = self.arrivals.len() >= MAX_ARRIVALS;
        match self.arrivals.back_mut() {
            Some(last) if last.at == at && last.end == start => last.end = end,
            Some(last) if is_full => {
                (last.start, last.end, last.at) = (last.start.min(start), last.end.max(end), at);
            }
            _ => self.arrivals.push_back(Arrived { start, end, at }),
        }
    }

    /// When the byte before `offset` arrived. What lies before is forgotten if it was taken, not only looked at.
    pub(crate) fn on_read(&mut self, offset: u64, is_taken: bool) -> Option<Instant> {
        let last = offset.checked_sub(1)?;
        let at = self.arrivals.iter().find(|arrived| (arrived.start..arrived.end).contains(&last))?.at;
        if is_taken {
            self.arrivals.retain(|arrived| arrived.end > offset);
        }
        Some(at)
    }
}

impl Mark {
    /// What is left of its text behind `acked`.
    fn text_from(self, acked: u64) -> Bytes {
        let Some((start, text)) = self.text else { return Bytes::new() };
        let text = text.into_contiguous();
        text.slice(text.len().min(acked.saturating_sub(start) as usize)..)
    }
}

impl Lent {
    fn returned(&self) -> Seen {
        let last = self.first.wrapping_add(self.calls - 1);
        Seen::Returned { first: self.first, last, is_copied: self.is_copied }
    }
}

/// `ee_data` of a time: with `SOF_TIMESTAMPING_OPT_ID` the place of the byte among those written since.
fn key(base: Option<u64>, end: u64) -> u32 {
    base.map_or(0, |base| (end - 1).wrapping_sub(base) as u32)
}
