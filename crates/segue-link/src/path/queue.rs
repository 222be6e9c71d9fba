//! The bottleneck: a queue, and a server that sends at a rate.
//!
//! Decides when a packet has been sent and which packets the queue refuses. The
//! server is caught up with lazily: it is exact however late it is looked at. A
//! discipline that drops on the way out (CoDel) decides in [`Bottleneck::advance`],
//! one that drops on the way in (tail drop, RED) in [`QueueDiscipline::admits`].
//! Invariant: no more bytes wait than the discipline's limit.

use std::collections::VecDeque;
use std::time::Duration;

use segue_wire::Packet;

use crate::units::Rate;

/// Which packets a full (or filling) queue refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum QueueDiscipline {
    /// First in, first out; a packet that does not fit is dropped.
    TailDrop {
        /// Bytes of waiting packets, IP headers included; the packet that is being sent has left the queue. At least one packet.
        limit: u64,
    },
}

impl QueueDiscipline {
    /// The most bytes that may wait.
    pub fn limit(&self) -> u64 {
        match self {
            QueueDiscipline::TailDrop { limit } => *limit,
        }
    }

    /// What a bottleneck gets that was told nothing: what it sends in 100 ms, at least 16 packets.
    pub(crate) fn default_for(rate: Rate, packet: usize) -> QueueDiscipline {
        let time = Duration::from_millis(100).as_millis() as u64;
        let bytes = rate.bits_per_second() / 8 * time / 1000;
        QueueDiscipline::TailDrop { limit: bytes.max(16 * packet as u64) }
    }

    fn admits(&self, waiting: u64, packet: u64) -> bool {
        match self {
            QueueDiscipline::TailDrop { limit } => waiting + packet <= *limit,
        }
    }
}

/// A packet whose fate is decided already.
pub(crate) struct Fated {
    pub(crate) packet: Packet,
    /// From having been sent to arriving, in nanoseconds.
    pub(crate) lag: u64,
    /// Exempt from keeping order.
    pub(crate) reordered: bool,
}

/// A rate and the queue in front of it. Times are nanoseconds.
pub(crate) struct Bottleneck {
    rate: u64,
    discipline: QueueDiscipline,
    waiting: VecDeque<Fated>,
    waiting_bytes: u64,
    /// When the packet that is being sent will have been sent.
    free_at: u64,
    /// What rounding to nanoseconds left over, in bits times 10^9, less than the rate.
    remainder: u64,
}

impl Bottleneck {
    pub(crate) fn new(rate: Rate, discipline: QueueDiscipline) -> Bottleneck {
        Bottleneck {
            rate: rate.bits_per_second(),
            discipline,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            free_at: 0,
            remainder: 0,
        }
    }

    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes
    }

    pub(crate) fn waiting_packets(&self) -> usize {
        self.waiting.len()
    }

    /// Sends what was due by `now`; `sent` gets every packet with the time at which its last bit left.
    pub(crate) fn advance(&mut self, now: u64, mut sent: impl FnMut(u64, Fated)) {
        while self.free_at <= now {
            let Some(next) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= next.packet.len() as u64;
            let finish = self.serve(self.free_at, next.packet.len());
            sent(finish, next);
        }
    }

    /// Takes a packet; [`Bottleneck::advance`] to `now` came before. Says when it will have been sent if
    /// the server was idle; `None` when it waits. `Err`: refused.
    pub(crate) fn offer(&mut self, now: u64, packet: Fated) -> Result<Option<(u64, Fated)>, Fated> {
        let len = packet.packet.len();
        if self.free_at <= now && self.waiting.is_empty() {
            // An idle server owes nothing.
            self.remainder = 0;
            return Ok(Some((self.serve(now, len), packet)));
        }
        if !self.discipline.admits(self.waiting_bytes, len as u64) {
            return Err(packet);
        }
        self.waiting_bytes += len as u64;
        self.waiting.push_back(packet);
        Ok(None)
    }

    /// The earliest time at which a packet that waits now can have been sent.
    pub(crate) fn next_sent(&self) -> Option<u64> {
        let first = self.waiting.front()?;
        Some(self.free_at.saturating_add(self.cost(first.packet.len()) / self.rate))
    }

    fn serve(&mut self, start: u64, len: usize) -> u64 {
        let cost = self.cost(len);
        self.remainder = cost % self.rate;
        self.free_at = start.saturating_add(cost / self.rate);
        self.free_at
    }

    /// Bits times 10^9. 65 535 bytes make 5.2e14, and the remainder is below 1e12: no overflow.
    fn cost(&self, len: usize) -> u64 {
        len as u64 * 8 * 1_000_000_000 + self.remainder
    }
}
