//! What a path does to packets, and which combinations make sense.
//!
//! Decides ranges and defaults; a [`PathConfig`] that exists is valid, so nothing
//! behind it checks again. How an impairment works is decided by the module that
//! carries it out.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::jitter::JitterShape;
use super::loss::LossModel;
use super::packet_list::PacketList;
use super::queue::QueueDiscipline;
use super::trace::RateTrace;
use crate::units::{Probability, Rate};

/// Smallest MTU of a path, in bytes: what every IPv4 host must be able to receive (RFC 791), so that an ICMP answer always fits.
pub const MIN_MTU: usize = 576;
/// Largest MTU, in bytes: the IP length field has 16 bits.
pub const MAX_MTU: usize = 65_535;
/// MTU of a path that was told nothing else, in bytes.
pub const DEFAULT_MTU: usize = 1500;
/// Longest delay, jitter or reorder time.
const MAX_DELAY: Duration = Duration::from_secs(3600);

/// What one direction of a path does to packets. Default: nothing at all.
///
/// The order is: [`mtu`](Self::mtu), loss, duplication, marking, corruption, queue and
/// rate, delay with jitter, reordering. Every impairment looks at single wire
/// packets; super-segments are cut first. A path that only delays leaves them whole.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Impairments {
    /// One-way propagation delay. Default 0, at most one hour.
    pub delay: Duration,
    /// Variation of the delay, see [`JitterShape`]. Default 0, at most one hour.
    ///
    /// As in netem a packet with a smaller delay overtakes its predecessors, unless
    /// a [`rate`](Self::rate) is set: behind a bottleneck order is kept, and a packet
    /// arrives no earlier than the one before it. A delay is never below zero.
    pub jitter: Duration,
    /// How jitter is spread. Default uniform.
    pub jitter_shape: JitterShape,
    /// Which packets are lost. Default none.
    pub loss: LossModel,
    /// Packets that are lost besides, by their number in this direction, counted from 1 as they enter. Default none.
    pub drop: PacketList,
    /// Share of packets that arrive twice. The copy follows directly and meets
    /// corruption, queue, jitter and reordering on its own account. Default never.
    pub duplicate: Probability,
    /// Share of packets that are held back by [`reorder_by`](Self::reorder_by) on top
    /// of the delay, so that later ones overtake them. They hold up nobody. Default never.
    pub reorder: Probability,
    /// How long a reordered packet is held back. Default: a quarter of the delay, at least 1 ms. At most one hour.
    pub reorder_by: Option<Duration>,
    /// At least every so many packets one may be reordered: after one, this many less one stay in order, as netem's
    /// `gap`. Default 0: no such rule.
    pub reorder_gap: u64,
    /// Share of packets that take part in ECN that are marked as having met congestion (CE, RFC 3168). Default never.
    pub mark: Probability,
    /// Share of packets in which one random bit is flipped, checksums being
    /// final by then. It may hit any byte, headers included. Default never.
    pub corrupt: Probability,
    /// Bottleneck: a packet of n bytes (IP header included) takes 8n / rate
    /// to send. Default none: no bottleneck.
    pub rate: Option<Rate>,
    /// Bottleneck whose rate changes over time; instead of a rate. It starts with the first packet that enters the path
    /// at either end. Default none.
    pub trace: Option<RateTrace>,
    /// The queue in front of the bottleneck; only with a rate or trace. Default: drops
    /// at the tail, holds what the mean rate sends in 100 ms, at least 16 packets.
    pub queue: Option<QueueDiscipline>,
    /// Longest packet of the narrowest hop, in bytes: 576 to 65 535. Longer
    /// packets are fragmented (IPv4 that allows it) or dropped and answered from the
    /// path's own address. Default: the MTU of the path, so that nothing is too long.
    pub mtu: Option<usize>,
    /// Packets that are too long vanish without an answer, as behind a firewall
    /// that filters ICMP. Default false.
    pub blackhole: bool,
}

impl Impairments {
    /// Whether every wire packet meets the same fate, so that super-segments may stay whole.
    pub(crate) fn keep_super_segments(&self) -> bool {
        self.rate.is_none()
            && self.trace.is_none()
            && self.drop.is_empty()
            && self.mark.is_never()
            && self.jitter.is_zero()
            && self.loss.is_never()
            && self.duplicate.is_never()
            && self.reorder.is_never()
            && self.corrupt.is_never()
    }

    /// What the bottleneck sends in the long run.
    pub(crate) fn mean_bits_per_second(&self) -> Option<u64> {
        let trace = self.trace.as_ref().map(RateTrace::mean_bits_per_second);
        trace.or(self.rate.map(Rate::bits_per_second))
    }

    /// How long a reordered packet is held back.
    pub(crate) fn reorder_time(&self) -> Duration {
        self.reorder_by.unwrap_or_else(|| (self.delay / 4).max(Duration::from_millis(1)))
    }

    fn check(&self, mtu: usize) -> Result<(), PathConfigError> {
        for time in [self.delay, self.jitter, self.reorder_by.unwrap_or_default()] {
            if time > MAX_DELAY {
                return Err(PathConfigError::TooLong { time });
            }
        }
        let packet = match self.mtu {
            Some(narrow) if !(MIN_MTU..=MAX_MTU).contains(&narrow) => return Err(PathConfigError::Mtu { mtu: narrow }),
            Some(narrow) => narrow.min(mtu),
            None => mtu,
        };
        if self.rate.is_some() && self.trace.is_some() {
            return Err(PathConfigError::RateAndTrace);
        }
        match (&self.queue, self.mean_bits_per_second()) {
            (Some(_), None) => Err(PathConfigError::QueueWithoutRate),
            (Some(queue), Some(_)) => queue.check(packet).map_err(|problem| PathConfigError::Queue { problem }),
            _ => Ok(()),
        }
    }
}

/// A whole path: both directions, the MTU of the interfaces at its ends, and the seed. Always valid.
///
/// ```
/// use segue_link::{Impairments, PathConfig, parse_duration};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bad = Impairments {
///     delay: parse_duration("20ms")?,
///     loss: "1%".parse()?,
///     rate: Some("10mbit".parse()?),
///     ..Impairments::default()
/// };
/// let config = PathConfig::symmetric(bad)?.with_seed(7);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct PathConfig {
    a_to_b: Impairments,
    b_to_a: Impairments,
    mtu: usize,
    seed: u64,
    router_v4: Ipv4Addr,
    router_v6: Ipv6Addr,
}

impl Default for PathConfig {
    /// A perfect path: MTU 1500, seed 0.
    fn default() -> PathConfig {
        PathConfig {
            a_to_b: Impairments::default(),
            b_to_a: Impairments::default(),
            mtu: DEFAULT_MTU,
            seed: 0,
            // RFC 7600: an address that exists to be the source of ICMP messages of nodes that have no other.
            router_v4: Ipv4Addr::new(192, 0, 0, 8),
            router_v6: Ipv6Addr::new(0xfd53, 0x6567, 0x7565, 0, 0, 0, 0, 0xfffe),
        }
    }
}

impl PathConfig {
    /// A path with its own impairments in each direction; MTU 1500, seed 0.
    ///
    /// # Errors
    /// [`PathConfigError`] when an impairment is out of its range.
    pub fn new(a_to_b: Impairments, b_to_a: Impairments) -> Result<PathConfig, PathConfigError> {
        PathConfig { a_to_b, b_to_a, ..PathConfig::default() }.checked()
    }

    /// A path that is the same in both directions; MTU 1500, seed 0.
    ///
    /// # Errors
    /// As [`PathConfig::new`].
    pub fn symmetric(impairments: Impairments) -> Result<PathConfig, PathConfigError> {
        PathConfig::new(impairments.clone(), impairments)
    }

    /// With another MTU at both ends, in bytes: 576 to 65 535. Default 1500.
    ///
    /// # Errors
    /// [`PathConfigError`] when it is out of range or a queue cannot hold a packet of that size.
    pub fn with_mtu(mut self, mtu: usize) -> Result<PathConfig, PathConfigError> {
        self.mtu = mtu;
        self.checked()
    }

    /// With another seed. The same seed, configuration and packets give the same run for ever. Default 0.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> PathConfig {
        self.seed = seed;
        self
    }

    /// With other addresses for the path's own ICMP messages. Default 192.0.0.8 and fd53:6567:7565::fffe.
    #[must_use]
    pub fn with_router(mut self, v4: Ipv4Addr, v6: Ipv6Addr) -> PathConfig {
        self.router_v4 = v4;
        self.router_v6 = v6;
        self
    }

    /// What happens to packets from A to B.
    pub fn a_to_b(&self) -> &Impairments {
        &self.a_to_b
    }

    /// What happens to packets from B to A.
    pub fn b_to_a(&self) -> &Impairments {
        &self.b_to_a
    }

    /// MTU at both ends, in bytes.
    pub fn mtu(&self) -> usize {
        self.mtu
    }

    /// Seed of the random choices.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Where the path's own ICMPv4 messages come from.
    pub fn router_v4(&self) -> Ipv4Addr {
        self.router_v4
    }

    /// Where the path's own ICMPv6 messages come from.
    pub fn router_v6(&self) -> Ipv6Addr {
        self.router_v6
    }

    fn checked(self) -> Result<PathConfig, PathConfigError> {
        if !(MIN_MTU..=MAX_MTU).contains(&self.mtu) {
            return Err(PathConfigError::Mtu { mtu: self.mtu });
        }
        self.a_to_b.check(self.mtu)?;
        self.b_to_a.check(self.mtu)?;
        Ok(self)
    }
}

/// Why a path cannot be built like this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PathConfigError {
    /// A delay, jitter or reorder time above one hour.
    TooLong {
        /// The time that was asked for.
        time: Duration,
    },
    /// An MTU outside 576 to 65 535.
    Mtu {
        /// The MTU that was asked for, in bytes.
        mtu: usize,
    },
    /// A queue that cannot work.
    Queue {
        /// What is wrong and what to do.
        problem: String,
    },
    /// A rate and a trace at once.
    RateAndTrace,
    /// A queue where nothing can queue.
    QueueWithoutRate,
}

impl fmt::Display for PathConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathConfigError::TooLong { time } => write!(f, "a delay of {time:?} is too long; the longest is one hour"),
            PathConfigError::Mtu { mtu } => {
                write!(f, "an MTU of {mtu} is out of range; it must be {MIN_MTU} to {MAX_MTU} bytes")
            }
            PathConfigError::Queue { problem } => f.write_str(problem),
            PathConfigError::RateAndTrace => {
                f.write_str("a rate and a trace say both how fast the bottleneck is; give one of them")
            }
            PathConfigError::QueueWithoutRate => f.write_str(
                "a queue fills only in front of a bottleneck; set a rate or a trace as well, for example 10mbit",
            ),
        }
    }
}

impl std::error::Error for PathConfigError {}
