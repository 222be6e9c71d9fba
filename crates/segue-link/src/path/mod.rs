//! The emulated path: a network that is bad on purpose, between two ends.
//!
//! Decides what becomes of each packet: when it arrives, how often, damaged or not at
//! all. No clock and no I/O: packets and times go in, packets come out. The same seed,
//! configuration and calls give the same run. Directions share nothing but the
//! configuration, except that a direction's answers to packets that are too big
//! travel in the other one, like any packet.

pub mod config;
mod direction;
mod ends;
mod flight;
mod impaired;
mod jitter;
mod loss;
mod packet_list;
mod queue;
mod random;
mod run;
mod server;
mod spec;
mod stats;
#[cfg(test)]
mod tests;
mod too_big;
mod trace;

pub use config::{Impairments, PathConfig, PathConfigError};
pub use ends::{PathEnd, PathMonitor, path_pair};
pub use impaired::ImpairedLink;
pub use jitter::JitterShape;
pub use loss::{GilbertElliott, LossModel};
pub use packet_list::PacketList;
pub use queue::{CodelConfig, FqCodelConfig, QueueDiscipline, QueueLimit, RedConfig};
pub use spec::SpecError;
pub use stats::{DirectionStats, PathStats};
pub use trace::{RateTrace, TraceError};

use direction::Direction;
use segue_wire::{Instant, Packet};
use too_big::Router;

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

/// An emulated path between two ends.
///
/// ```
/// use segue_link::{End, Impairments, Instant, Packet, Path, PathConfig};
/// use std::time::Duration;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let slow = Impairments { delay: Duration::from_millis(20), ..Impairments::default() };
/// let mut path = Path::new(PathConfig::symmetric(slow)?);
/// path.push(Instant::ZERO, End::A, Packet::from_bytes(vec![0x45; 40].into()));
/// assert_eq!(path.next_deadline(End::B), Some(Instant::from_millis(20)));
/// assert!(path.pop(Instant::from_millis(19), End::B).is_none());
/// assert!(path.pop(Instant::from_millis(20), End::B).is_some());
/// # Ok(())
/// # }
/// ```
pub struct Path {
    config: PathConfig,
    a_to_b: Direction,
    b_to_a: Direction,
    router: Router,
    started: bool,
}

impl Path {
    /// A path; every random choice follows from the configuration's seed.
    pub fn new(config: PathConfig) -> Path {
        Path {
            a_to_b: Direction::new(&config, config.a_to_b(), 0),
            b_to_a: Direction::new(&config, config.b_to_a(), 1),
            router: Router::new(config.router_v4(), config.router_v6()),
            config,
            started: false,
        }
    }

    /// What this path was built from.
    pub fn config(&self) -> &PathConfig {
        &self.config
    }

    /// Gives the path a packet or super-segment at one end. It never refuses; what it drops it counts.
    pub fn push(&mut self, now: Instant, from: End, packet: Packet) {
        let now = now.as_nanos();
        if !self.started {
            self.started = true;
            self.a_to_b.start(now);
            self.b_to_a.start(now);
        }
        let (forth, back) = match from {
            End::A => (&mut self.a_to_b, &mut self.b_to_a),
            End::B => (&mut self.b_to_a, &mut self.a_to_b),
        };
        if let Some(answer) = forth.push(now, packet, &mut self.router) {
            // Small enough for any hop and itself an error, so it is never answered.
            let _none = back.push(now, answer, &mut self.router);
        }
    }

    /// Takes the next packet that has arrived at an end by now.
    pub fn pop(&mut self, now: Instant, at: End) -> Option<Packet> {
        self.towards_mut(at).pop(now.as_nanos())
    }

    /// As [`Path::pop`]; neighbours of one super-segment that have all arrived come out as one super-segment again, as a
    /// network card with GRO hands them over.
    pub fn pop_joined(&mut self, now: Instant, at: End) -> Option<Packet> {
        self.towards_mut(at).pop_joined(now.as_nanos())
    }

    /// When [`Path::pop`] at this end may give something; `None` when nothing is under way to it.
    ///
    /// Never too late. With jitter behind a bottleneck, or with CoDel, it may be early; `pop` then
    /// gives nothing, and the next answer is later.
    pub fn next_deadline(&self, at: End) -> Option<Instant> {
        self.towards(at).next_deadline().map(Instant::from_nanos)
    }

    /// Bytes of places for packets that it holds, taken or not: they grow with the most packets there ever were at once.
    pub fn room(&self) -> usize {
        self.a_to_b.room() + self.b_to_a.room()
    }

    /// What has happened so far.
    pub fn stats(&self) -> PathStats {
        PathStats { a_to_b: self.a_to_b.stats(), b_to_a: self.b_to_a.stats() }
    }

    fn towards(&self, at: End) -> &Direction {
        match at {
            End::A => &self.b_to_a,
            End::B => &self.a_to_b,
        }
    }

    fn towards_mut(&mut self, at: End) -> &mut Direction {
        match at {
            End::A => &mut self.b_to_a,
            End::B => &mut self.a_to_b,
        }
    }
}
