//! The pieces of one datagram: which bytes are there, which are missing, and when pieces contradict each other.
//!
//! Decides what an overlap, a duplicate and a second end mean; knows no headers, no limits and no time.
//! Invariants: pieces do not overlap, none is empty, none lies beyond the end once the end is known; `received` is the
//! sum of their lengths.
use std::collections::BTreeMap;

use segue_wire::Chunks;

/// What counts as a harmless repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repetition {
    /// Linux for IPv4: bytes that are all there already, however they had been cut.
    Contained,
    /// RFC 8200 section 4.5 for IPv6: the same range again; every other overlap ends the datagram (RFC 5722).
    Exact,
}

/// What became of a piece.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// Kept; bytes are missing.
    Incomplete,
    /// Kept, and now every byte is there.
    Complete,
    /// It was there before; nothing changed.
    Repeated,
    /// It overlaps another piece or contradicts the end: the datagram cannot be trusted any more.
    Contradiction,
}

#[derive(Debug, Default)]
pub(super) struct Pieces {
    by_start: BTreeMap<u32, Chunks>,
    received: u32,
    /// One past the highest byte seen.
    highest: u32,
    /// Whether `highest` is the end of the datagram: the last piece has come.
    end_known: bool,
}

impl Pieces {
    /// Adds the bytes from `start` on. `last`: nothing follows them. `data` must not be empty.
    pub(super) fn add(&mut self, start: u32, data: Chunks, last: bool, repetition: Repetition) -> Added {
        let end = start + data.len() as u32;
        let contradicts_end = match (last, self.end_known) {
            (true, true) => end != self.highest,
            (true, false) => end < self.highest,
            (false, true) => end > self.highest,
            (false, false) => false,
        };
        if contradicts_end || data.is_empty() {
            return Added::Contradiction;
        }
        if self.repeats(start, end, repetition) {
            return Added::Repeated;
        }
        if self.overlaps(start, end) {
            return Added::Contradiction;
        }
        self.received += data.len() as u32;
        self.by_start.insert(start, data);
        self.highest = self.highest.max(end);
        self.end_known |= last;
        // Without overlaps, as many bytes as the datagram has can only be all of them.
        if self.end_known && self.received == self.highest { Added::Complete } else { Added::Incomplete }
    }

    fn repeats(&self, start: u32, end: u32, repetition: Repetition) -> bool {
        if repetition == Repetition::Exact {
            return self.by_start.get(&start).is_some_and(|data| start + data.len() as u32 == end);
        }
        let Some((&first, _)) = self.by_start.range(..=start).next_back() else {
            return false;
        };
        let mut covered = first;
        for (piece, data) in self.by_start.range(first..end) {
            if *piece != covered {
                return false;
            }
            covered = piece + data.len() as u32;
        }
        covered >= end
    }

    fn overlaps(&self, start: u32, end: u32) -> bool {
        // The nearest piece that begins before our end; those before it end even earlier.
        let before = self.by_start.range(..end).next_back();
        before.is_some_and(|(piece, data)| piece + data.len() as u32 > start)
    }

    /// Length of the datagram as far as it is known, in bytes.
    pub(super) fn highest(&self) -> u32 {
        self.highest
    }

    /// The piece at the front, if it is there.
    pub(super) fn front(&self) -> Option<&Chunks> {
        self.by_start.get(&0)
    }

    /// All bytes in order. Meaningful once complete.
    pub(super) fn into_payload(self) -> Chunks {
        let mut all = Chunks::new();
        for data in self.by_start.into_values() {
            all.extend(data);
        }
        all
    }
}
