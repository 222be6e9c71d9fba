//! Packets under way: they come out in the order of their arrival times.
//!
//! Decides that order and the bound on what may be under way. Packets whose
//! arrival times rise, which is nearly all of them, lie in a plain queue; only those that
//! overtake or are overtaken cost a heap operation.
//! Invariant: equal arrival times come out in the order they went in.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use segue_wire::Packet;

/// Bytes that may be under way in one direction. A stranger's flood into a long delay ends here.
pub(crate) const LIMIT: usize = 512 << 20;

/// What a packet costs besides its bytes, about.
const OVERHEAD: usize = 256;

struct Arrival {
    at: u64,
    order: u64,
    packet: Packet,
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
}

impl Flight {
    /// Puts a packet on its way; hands it back when too much is under way.
    pub(crate) fn insert(&mut self, at: u64, packet: Packet) -> Result<(), Packet> {
        let size = packet.len() + OVERHEAD;
        if self.bytes + size > LIMIT {
            return Err(packet);
        }
        self.bytes += size;
        self.order += 1;
        let arrival = Arrival { at, order: self.order, packet };
        if self.rising.back().is_none_or(|last| last.at <= at) {
            self.rising.push_back(arrival);
        } else {
            self.others.push(Reverse(arrival));
        }
        Ok(())
    }

    /// The next packet that has arrived by `now`.
    pub(crate) fn pop(&mut self, now: u64) -> Option<Packet> {
        if self.next_at()? > now {
            return None;
        }
        let rising = self.rising.front().map(Arrival::key);
        let other = self.others.peek().map(|other| other.0.key());
        let from_others = match (rising, other) {
            (Some(rising), Some(other)) => other < rising,
            (rising, _) => rising.is_none(),
        };
        let packet = if from_others { self.others.pop()?.0.packet } else { self.rising.pop_front()?.packet };
        self.bytes -= packet.len() + OVERHEAD;
        Some(packet)
    }

    /// When the next packet arrives.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let rising = self.rising.front().map(|first| first.at);
        let other = self.others.peek().map(|other| other.0.at);
        match (rising, other) {
            (Some(rising), Some(other)) => Some(rising.min(other)),
            (rising, other) => rising.or(other),
        }
    }

    /// Wire packets under way.
    pub(crate) fn wire_packets(&self) -> u64 {
        let rising = self.rising.iter().map(|arrival| &arrival.packet);
        let others = self.others.iter().map(|other| &other.0.packet);
        rising.chain(others).map(|packet| packet.wire_packets() as u64).sum()
    }
}
