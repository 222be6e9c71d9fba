//! The bottleneck: a queue, and a server that sends at a rate.
//!
//! Decides when packets enter and leave the queue. It is caught up with lazily: exact however late it is looked at,
//! because a packet leaves the queue at the time at which the server could take it, not at which
//! somebody asks. What a queue refuses, drops or marks is decided by its discipline.
//! Invariant: no more waits than the discipline's limit.

mod codel;
mod config;
mod fifo;
mod fq_codel;
mod red;

pub use config::{CodelConfig, FqCodelConfig, QueueDiscipline, QueueLimit, RedConfig};

use super::random::Random;
use super::run::Run;
use super::server::Server;
use codel::Codel;
use fifo::{Fifo, Queued};
use fq_codel::FqCodel;
use red::Red;

/// A packet whose fate behind the bottleneck is decided already.
pub(crate) struct Fated {
    pub(crate) run: Run,
    /// From having been sent to arriving, in nanoseconds.
    pub(crate) lag: u64,
    /// Exempt from keeping order.
    pub(crate) reordered: bool,
}

/// What a queue has done, in wire packets.
#[derive(Clone, Copy, Default)]
pub(crate) struct QueueCounts {
    /// Refused on the way in, or pushed out by another that came in.
    pub(crate) refused: u64,
    /// Dropped by CoDel on the way out.
    pub(crate) codel_dropped: u64,
    /// Marked instead of dropped.
    pub(crate) marked: u64,
}

enum Waiting {
    TailDrop(Fifo, QueueLimit),
    Codel(Fifo, Codel, CodelConfig),
    Red(Fifo, Red),
    FqCodel(Box<FqCodel>),
}

/// A server and the queue in front of it. Times are nanoseconds.
pub(crate) struct Bottleneck {
    server: Server,
    /// The server's own zero.
    origin: u64,
    waiting: Waiting,
    mtu: usize,
    counts: QueueCounts,
}

impl Bottleneck {
    /// `bits_per_second` is the mean rate, `random` is for a discipline that draws or hashes.
    pub(crate) fn new(
        server: Server,
        discipline: QueueDiscipline,
        mtu: usize,
        bits_per_second: u64,
        random: Random,
    ) -> Bottleneck {
        let waiting = match discipline {
            QueueDiscipline::TailDrop { limit } => Waiting::TailDrop(Fifo::default(), limit),
            QueueDiscipline::Codel(config) => Waiting::Codel(Fifo::default(), Codel::default(), config),
            QueueDiscipline::Red(config) => Waiting::Red(Fifo::default(), Red::new(config, bits_per_second, random)),
            QueueDiscipline::FqCodel(config) => Waiting::FqCodel(Box::new(FqCodel::new(config, mtu, random))),
        };
        Bottleneck { server, origin: 0, waiting, mtu, counts: QueueCounts::default() }
    }

    /// A trace starts now.
    pub(crate) fn start(&mut self, now: u64) {
        self.origin = now;
    }

    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.waiting.size().0
    }

    pub(crate) fn waiting_packets(&self) -> u64 {
        self.waiting.size().1
    }

    /// Bytes of places for packets, taken or not.
    pub(crate) fn room(&self) -> usize {
        match &self.waiting {
            Waiting::TailDrop(fifo, _) | Waiting::Codel(fifo, ..) | Waiting::Red(fifo, _) => fifo.room(),
            Waiting::FqCodel(queues) => queues.room(),
        }
    }

    pub(crate) fn counts(&self) -> QueueCounts {
        self.counts
    }

    /// Sends what was due by `now`; `sent` gets every packet with the time at which its last bit left.
    pub(crate) fn advance(&mut self, now: u64, mut sent: impl FnMut(u64, Fated)) {
        while self.waiting.size().1 > 0 {
            let start = self.origin.saturating_add(self.server.next_start());
            if start > now {
                break;
            }
            // CoDel may have dropped all there was.
            let Some(next) = self.waiting.leave(start, self.mtu, &mut self.counts) else { break };
            let finish = self.server.send(next.run.len());
            sent(self.origin.saturating_add(finish), next);
        }
    }

    /// Takes a packet; [`Bottleneck::advance`] to `now` came before, and comes after when the server may be free.
    pub(crate) fn enter(&mut self, now: u64, packet: Fated) {
        if self.waiting.size().1 == 0 {
            self.server.idle_until(now.saturating_sub(self.origin));
        }
        self.waiting.enter(now, packet, &mut self.counts);
    }

    /// The earliest time at which a packet that waits now can have been sent.
    pub(crate) fn next_sent(&self) -> Option<u64> {
        if self.waiting.size().1 == 0 {
            return None;
        }
        let sent = match self.waiting.next_len() {
            Some(len) => self.server.would_send(len),
            None => self.server.next_start(),
        };
        Some(self.origin.saturating_add(sent))
    }
}

impl Waiting {
    /// Bytes and packets.
    fn size(&self) -> (u64, u64) {
        match self {
            Waiting::TailDrop(fifo, _) | Waiting::Codel(fifo, ..) | Waiting::Red(fifo, _) => (fifo.bytes(), fifo.len()),
            Waiting::FqCodel(flows) => (flows.bytes(), flows.len()),
        }
    }

    /// Length of the packet that leaves next, if that is certain: CoDel may drop it.
    fn next_len(&self) -> Option<usize> {
        match self {
            Waiting::TailDrop(fifo, _) | Waiting::Red(fifo, _) => fifo.first_len(),
            Waiting::Codel(..) | Waiting::FqCodel(_) => None,
        }
    }

    fn enter(&mut self, now: u64, packet: Fated, counts: &mut QueueCounts) {
        let queued = Queued { entered: now, packet };
        match self {
            Waiting::TailDrop(fifo, limit) | Waiting::Codel(fifo, _, CodelConfig { limit, .. }) => {
                if limit.admits(fifo, queued.len()) {
                    fifo.push(queued);
                } else {
                    counts.refused += 1;
                }
            }
            Waiting::Red(fifo, red) => red.enter(fifo, queued, counts),
            Waiting::FqCodel(flows) => flows.enter(queued, counts),
        }
    }

    fn leave(&mut self, now: u64, mtu: usize, counts: &mut QueueCounts) -> Option<Fated> {
        match self {
            Waiting::TailDrop(fifo, _) => fifo.pop().map(|queued| queued.packet),
            Waiting::Codel(fifo, codel, config) => codel.leave(config, mtu, now, fifo, 0, counts),
            Waiting::Red(fifo, red) => {
                let packet = fifo.pop().map(|queued| queued.packet);
                if fifo.len() == 0 {
                    red.queue_is_empty(now);
                }
                packet
            }
            Waiting::FqCodel(flows) => flows.leave(now, counts),
        }
    }
}
