//! Packets in the order in which they came, and how much they are.

use std::collections::VecDeque;

use super::Fated;

/// A waiting packet.
pub(super) struct Queued {
    /// When it came, nanoseconds.
    pub(super) entered: u64,
    pub(super) packet: Fated,
}

impl Queued {
    pub(super) fn len(&self) -> u64 {
        self.packet.run.len() as u64
    }
}

#[derive(Default)]
pub(super) struct Fifo {
    packets: VecDeque<Queued>,
    bytes: u64,
}

impl Fifo {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn len(&self) -> u64 {
        self.packets.len() as u64
    }

    /// Bytes of places for packets, taken or not.
    pub(super) fn room(&self) -> usize {
        self.packets.capacity() * size_of::<Queued>()
    }

    pub(super) fn first_len(&self) -> Option<usize> {
        self.packets.front().map(|first| first.packet.run.len())
    }

    pub(super) fn push(&mut self, queued: Queued) {
        self.bytes += queued.len();
        self.packets.push_back(queued);
    }

    pub(super) fn pop(&mut self) -> Option<Queued> {
        let first = self.packets.pop_front()?;
        self.bytes -= first.len();
        Some(first)
    }
}
