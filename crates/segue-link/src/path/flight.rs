//! Packets under way: they come out in the order of their arrival times.
//!
//! Decides that order and the bound on what may be under way. Packets whose
//! arrival times rise, which is nearly all of them, lie in a plain queue; only those that
//! overtake or are overtaken cost a heap operation.
//! Invariant: equal arrival times come out in the order they went in.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::run::Run;

/// Bytes that may be under way in one direction. A stranger's flood into a long delay ends here.
pub(crate) const LIMIT: usize = 512 << 20;

/// What a packet costs besides its bytes, about.
const OVERHEAD: usize = 256;

struct Arrival {
    at: u64,
    order: u64,
    run: Run,
}

impl Arrival {
    fn key(&self) -> (u64, u64) {
        (self.at, self.order)
    }
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Arrival) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Arrival {}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Arrival) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arrival {
    fn cmp(&self, other: &Arrival) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// What is under way in one direction. Times are nanoseconds.
#[derive(Default)]
pub(crate) struct Flight {
    rising: VecDeque<Arrival>,
    others: BinaryHeap<Reverse<Arrival>>,
    order: u64,
    bytes: usize,
    wire_packets: u64,
}

impl Flight {
    /// Puts a run on its way; hands it back when too much is under way.
    pub(crate) fn insert(&mut self, at: u64, run: Run) -> Result<(), Run> {
        let size = run.len() + OVERHEAD;
        if self.bytes + size > LIMIT {
            return Err(run);
        }
        self.bytes += size;
        self.wire_packets += run.wire_packets();
        self.order += 1;
        let arrival = Arrival { at, order: self.order, run };
        if self.rising.back().is_none_or(|last| last.at <= at) {
            self.rising.push_back(arrival);
        } else {
            self.others.push(Reverse(arrival));
        }
        Ok(())
    }

    /// The next run that has arrived by `now`.
    pub(crate) fn pop(&mut self, now: u64) -> Option<Run> {
        self.first().filter(|first| first.at <= now)?;
        self.take_first()
    }

    /// The next run that has arrived by `now`, with those that have, too, and follow it directly.
    pub(crate) fn pop_joined(&mut self, now: u64) -> Option<Run> {
        let mut run = self.pop(now)?;
        while self.first().is_some_and(|next| next.at <= now && run.join(&next.run)) {
            self.take_first();
        }
        Some(run)
    }

    /// When the next packet arrives.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.first().map(|first| first.at)
    }

    /// Bytes of places for packets, taken or not.
    pub(crate) fn room(&self) -> usize {
        (self.rising.capacity() + self.others.capacity()) * size_of::<Arrival>()
    }

    /// Wire packets under way.
    pub(crate) fn wire_packets(&self) -> u64 {
        self.wire_packets
    }

    fn overtakes(&self) -> bool {
        match (self.rising.front(), self.others.peek()) {
            (Some(rising), Some(other)) => other.0.key() < rising.key(),
            (rising, _) => rising.is_none(),
        }
    }

    fn first(&self) -> Option<&Arrival> {
        if self.overtakes() { self.others.peek().map(|other| &other.0) } else { self.rising.front() }
    }

    fn take_first(&mut self) -> Option<Run> {
        let first = if self.overtakes() { self.others.pop().map(|other| other.0) } else { self.rising.pop_front() };
        let run = first?.run;
        self.bytes -= run.len() + OVERHEAD;
        self.wire_packets -= run.wire_packets();
        Some(run)
    }
}
