//! The emulated path.
pub mod config;
mod ends;
mod loss;
mod queue;
mod random;
pub use config::{Impairments, JitterShape, PathConfig, PathConfigError};
pub use ends::{PathEnd, path_pair};
pub use loss::LossModel;
pub use queue::QueueDiscipline;
use segue_wire::{Instant, Packet};

/// One of the two ends of a path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// The first end.
    A,
    /// The second end.
    B,
}

impl End {
    /// The end across.
    #[must_use]
    pub fn other(self) -> End {
        match self {
            End::A => End::B,
            End::B => End::A,
        }
    }
}

/// What one direction has done, in wire packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DirectionStats {
    /// Wire packets that were given to this direction.
    pub packets_in: u64,
    /// Their bytes, IP headers included.
    pub bytes_in: u64,
    /// Wire packets that came out.
    pub packets_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// Lost by the loss model.
    pub lost: u64,
    /// Copies made.
    pub duplicated: u64,
    /// Held back so that others overtake.
    pub reordered: u64,
    /// Delivered (or dropped later) with a flipped bit.
    pub corrupted: u64,
    /// Dropped because the queue was full.
    pub queue_dropped: u64,
    /// Dropped because they were longer than the narrowest hop.
    pub too_big: u64,
    /// Of those, how many were answered with ICMP.
    pub too_big_answered: u64,
    /// IPv4 packets that were cut into fragments.
    pub fragmented: u64,
    /// Fragments that those became.
    pub fragments: u64,
    /// Dropped because more bytes were under way than a path holds (512 MiB).
    pub overflow: u64,
    /// Wire packets inside now: queued or under way.
    pub inside: u64,
    /// Bytes waiting for the bottleneck now.
    pub queue_bytes: u64,
}

/// What a path has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PathStats {
    /// From A to B.
    pub a_to_b: DirectionStats,
    /// From B to A.
    pub b_to_a: DirectionStats,
}

/// An emulated path between two ends; no clock, no I/O.
pub struct Path {
    config: PathConfig,
}

impl Path {
    /// A path; every random choice follows from the configuration's seed.
    pub fn new(config: PathConfig) -> Path {
        Path { config }
    }

    /// What this path was built from.
    pub fn config(&self) -> &PathConfig {
        &self.config
    }

    /// Gives the path a packet at one end.
    pub fn push(&mut self, _now: Instant, _from: End, _packet: Packet) {
        todo!()
    }

    /// Takes the next packet that has arrived at an end by now.
    pub fn pop(&mut self, _now: Instant, _at: End) -> Option<Packet> {
        todo!()
    }

    /// When [`Path::pop`] at this end may give something. Never too late.
    pub fn next_deadline(&self, _at: End) -> Option<Instant> {
        todo!()
    }

    /// What has happened so far.
    pub fn stats(&self) -> PathStats {
        todo!()
    }
}
