//! Queue disciplines as settings: ranges, Linux's defaults, and how they are written.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::super::spec::{self, SpecError};
use super::fifo::Fifo;
use crate::units::{Probability, parse_bytes, parse_duration};

/// How much may wait. Written `64KiB` or `100pkt`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueLimit {
    /// Bytes, IP headers included; at least the longest packet.
    Bytes(u64),
    /// Packets, at least 1.
    Packets(u64),
}

impl QueueLimit {
    pub(super) fn admits(&self, fifo: &Fifo, packet: u64) -> bool {
        match self {
            QueueLimit::Bytes(limit) => fifo.bytes() + packet <= *limit,
            QueueLimit::Packets(limit) => fifo.len() < *limit,
        }
    }
}

impl fmt::Display for QueueLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueueLimit::Bytes(bytes) => write!(f, "{bytes}B"),
            QueueLimit::Packets(packets) => write!(f, "{packets}pkt"),
        }
    }
}

impl FromStr for QueueLimit {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<QueueLimit, SpecError> {
        match text.trim().strip_suffix("pkt") {
            Some(number) => spec::count("queue", number.trim()).map(QueueLimit::Packets),
            None => parse_bytes(text)
                .map(QueueLimit::Bytes)
                .map_err(|error| SpecError::new(format!("{error}, or packets: 100pkt"))),
        }
    }
}

/// Which packets a full (or filling) queue refuses.
///
/// Written `64KiB` or `100pkt` (tail drop), `codel:target=5ms,ecn`, `fq_codel` or `red:min=30kB,max=90kB`; settings that
/// are left out have Linux's defaults.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum QueueDiscipline {
    /// First in, first out; a packet that does not fit is dropped.
    TailDrop {
        /// What may wait; the packet that is being sent has left the queue.
        limit: QueueLimit,
    },
    /// CoDel (RFC 8289): one queue whose packets do not stay long.
    Codel(CodelConfig),
    /// RED (Floyd and Jacobson 1993): early drops, the more the longer the mean queue.
    Red(RedConfig),
    /// FQ-CoDel (RFC 8290): a CoDel queue per flow, served in turn.
    FqCodel(FqCodelConfig),
}

/// Settings of CoDel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodelConfig {
    /// What may wait at most. Default 1000 packets.
    pub limit: QueueLimit,
    /// How long packets may stay for good, more than 0. Default 5 ms.
    pub target: Duration,
    /// How long they may stay longer than that before the first drop; longer than the target, at most one hour. About
    /// the longest round trip through the queue. Default 100 ms.
    pub interval: Duration,
    /// Mark packets that take part in ECN instead of dropping them. Default off.
    pub ecn: bool,
    /// Mark packets that take part in ECN and stayed longer than this, whatever else happens. Default never.
    pub ce_threshold: Option<Duration>,
}

impl Default for CodelConfig {
    fn default() -> CodelConfig {
        CodelConfig {
            limit: QueueLimit::Packets(1000),
            target: Duration::from_millis(5),
            interval: Duration::from_millis(100),
            ecn: false,
            ce_threshold: None,
        }
    }
}

/// Settings of FQ-CoDel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FqCodelConfig {
    /// The queue of each flow; ECN is on by default. Its own limit is not used.
    pub codel: CodelConfig,
    /// Packets that may wait in all queues together. Default 10 240.
    pub limit: u64,
    /// Queues that flows are spread over, 1 to 65 536. Default 1024.
    pub flows: u32,
    /// Bytes that a flow may send before it is the next one's turn, at least 256. Default: the longest packet.
    pub quantum: Option<u32>,
}

impl Default for FqCodelConfig {
    fn default() -> FqCodelConfig {
        FqCodelConfig {
            codel: CodelConfig { ecn: true, ..CodelConfig::default() },
            limit: 10_240,
            flows: 1024,
            quantum: None,
        }
    }
}

/// Settings of RED. The weight of the mean follows from the thresholds as in tc, for packets of 1000 bytes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RedConfig {
    /// Mean length in bytes from which packets are dropped; less than `max`.
    pub min: u64,
    /// Mean length in bytes from which every packet is dropped.
    pub max: u64,
    /// Bytes that may wait at most; at least `max` and the longest packet.
    pub limit: u64,
    /// Share that is dropped when the mean is just below `max`; more than 0.
    pub probability: Probability,
    /// Mark packets that take part in ECN instead of dropping them. Default off.
    pub ecn: bool,
}

impl QueueDiscipline {
    /// What a bottleneck gets that was told nothing: what it sends in 100 ms, at least 16 packets.
    pub(crate) fn default_for(bits_per_second: u64, packet: usize) -> QueueDiscipline {
        let time = Duration::from_millis(100).as_millis() as u64;
        let bytes = bits_per_second / 8 * time / 1000;
        QueueDiscipline::TailDrop { limit: QueueLimit::Bytes(bytes.max(16 * packet as u64)) }
    }

    /// What cannot work, in words; `packet` is the longest packet in bytes.
    pub(crate) fn check(&self, packet: usize) -> Result<(), String> {
        match self {
            QueueDiscipline::TailDrop { limit } => check_limit(limit, packet),
            QueueDiscipline::Codel(codel) => check_limit(&codel.limit, packet).and_then(|()| codel.check()),
            QueueDiscipline::FqCodel(fq) => fq.check(),
            QueueDiscipline::Red(red) => red.check(packet),
        }
    }
}

fn check_limit(limit: &QueueLimit, packet: usize) -> Result<(), String> {
    let enough = match limit {
        QueueLimit::Bytes(bytes) => *bytes >= packet as u64,
        QueueLimit::Packets(packets) => *packets > 0,
    };
    if enough {
        return Ok(());
    }
    Err(format!(
        "a queue of {limit} cannot hold one packet of {packet}B; give it at least that, or a few times as much to let a \
         burst in"
    ))
}

impl CodelConfig {
    fn check(&self) -> Result<(), String> {
        let CodelConfig { target, interval, .. } = self;
        if target.is_zero() {
            return Err("a CoDel target of 0 would drop every packet that waits; Linux's is 5ms".to_owned());
        }
        if interval <= target || *interval > Duration::from_secs(3600) {
            return Err(format!(
                "a CoDel interval of {interval:?} does not go with a target of {target:?}; it must be longer, and at most \
                 one hour"
            ));
        }
        Ok(())
    }
}

impl FqCodelConfig {
    fn check(&self) -> Result<(), String> {
        if !(1..=65_536).contains(&self.flows) {
            return Err(format!("fq_codel over {} queues is out of range; flows must be 1 to 65536", self.flows));
        }
        if let Some(quantum) = self.quantum
            && !(256..=1 << 20).contains(&quantum)
        {
            return Err(format!("a quantum of {quantum}B is out of range; it must be 256B to 1MiB"));
        }
        if self.limit == 0 {
            return Err("an fq_codel limit of 0 packets would drop everything".to_owned());
        }
        self.codel.check()
    }
}

impl RedConfig {
    fn check(&self, packet: usize) -> Result<(), String> {
        let RedConfig { min, max, limit, probability, .. } = self;
        if min >= max {
            return Err(format!("RED drops between min and max, so min ({min}B) must be less than max ({max}B)"));
        }
        if limit < max || *limit < packet as u64 {
            return Err(format!(
                "a RED limit of {limit}B is too small; it must hold max ({max}B) and one packet of {packet}B"
            ));
        }
        if probability.is_never() {
            return Err("a RED probability of 0 would never drop early; tc's is 2%".to_owned());
        }
        Ok(())
    }
}

const FORMS: &str = "write 64KiB or 100pkt (tail drop), codel, fq_codel or red:min=30kB,max=90kB";

impl FromStr for QueueDiscipline {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<QueueDiscipline, SpecError> {
        let (kind, parts) = spec::split(text);
        match kind {
            "codel" => parse_codel(CodelConfig::default(), &parts, &mut |_, _| Ok(false)).map(QueueDiscipline::Codel),
            "fq_codel" => parse_fq_codel(&parts),
            "red" => parse_red(&parts),
            _ if parts.is_empty() && kind.starts_with(|first: char| first.is_ascii_digit() || "+-".contains(first)) => {
                text.parse().map(|limit| QueueDiscipline::TailDrop { limit })
            }
            _ => Err(SpecError::new(format!("'{text}' is not a queue; {FORMS}"))),
        }
    }
}

/// Reads `name=value` or a bare name.
fn named(part: &str) -> (&str, Option<&str>) {
    match part.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (part, None),
    }
}

fn unknown(kind: &str, part: &str, there: &str) -> SpecError {
    SpecError::new(format!("{kind} has no setting '{part}'; there are {there}"))
}

fn time(name: &str, text: &str) -> Result<Duration, SpecError> {
    parse_duration(text).map_err(|error| SpecError::new(format!("{name}: {error}")))
}

fn size(name: &str, text: &str) -> Result<u64, SpecError> {
    parse_bytes(text).map_err(|error| SpecError::new(format!("{name}: {error}")))
}

/// Takes a setting if it knows it, and says whether it did.
type TakesSetting<'a> = dyn FnMut(&str, Option<&str>) -> Result<bool, SpecError> + 'a;

/// Reads CoDel's settings; `other` takes those that it knows itself and says whether it did.
fn parse_codel(mut codel: CodelConfig, parts: &[&str], other: &mut TakesSetting<'_>) -> Result<CodelConfig, SpecError> {
    for part in parts {
        let (name, text) = named(part);
        if other(name, text)? {
            continue;
        }
        match (name, text) {
            ("target", Some(text)) => codel.target = time("target", text)?,
            ("interval", Some(text)) => codel.interval = time("interval", text)?,
            ("ce_threshold", Some(text)) => codel.ce_threshold = Some(time("ce_threshold", text)?),
            ("limit", Some(text)) => codel.limit = spec::value("limit", text)?,
            ("ecn", None) => codel.ecn = true,
            ("noecn", None) => codel.ecn = false,
            _ => {
                let there = "limit=, target=, interval=, ce_threshold=, ecn, noecn (fq_codel also flows=, quantum=)";
                return Err(unknown("codel", part, there));
            }
        }
    }
    Ok(codel)
}

fn parse_fq_codel(parts: &[&str]) -> Result<QueueDiscipline, SpecError> {
    let mut fq = FqCodelConfig::default();
    let codel = parse_codel(fq.codel, parts, &mut |name, text| {
        match (name, text) {
            ("flows", Some(text)) => fq.flows = u32::try_from(spec::count("flows", text)?).unwrap_or(u32::MAX),
            ("quantum", Some(text)) => fq.quantum = Some(u32::try_from(size("quantum", text)?).unwrap_or(u32::MAX)),
            ("limit", Some(text)) => match spec::value("limit", text)? {
                QueueLimit::Packets(packets) => fq.limit = packets,
                QueueLimit::Bytes(_) => return Err(SpecError::new("fq_codel counts packets: write limit=10240pkt")),
            },
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(QueueDiscipline::FqCodel(FqCodelConfig { codel, ..fq }))
}

fn parse_red(parts: &[&str]) -> Result<QueueDiscipline, SpecError> {
    let (mut min, mut max, mut limit, mut ecn) = (None, None, None, false);
    let mut probability = Probability::from_fraction(0.02).unwrap_or_default();
    for part in parts {
        match named(part) {
            ("min", Some(text)) => min = Some(size("min", text)?),
            ("max", Some(text)) => max = Some(size("max", text)?),
            ("limit", Some(text)) => limit = Some(size("limit", text)?),
            ("probability", Some(text)) => probability = spec::value("probability", text)?,
            ("ecn", None) => ecn = true,
            _ => return Err(unknown("red", part, "min=, max=, limit=, probability=, ecn")),
        }
    }
    let Some(min) = min else {
        return Err(SpecError::new("red needs the mean queue from which it drops: red:min=30kB,max=90kB"));
    };
    // The usual choice (Floyd 1997): three times the lower threshold; and room for bursts above it.
    let max = max.unwrap_or(3 * min);
    let limit = limit.unwrap_or(4 * max);
    Ok(QueueDiscipline::Red(RedConfig { min, max, limit, probability, ecn }))
}
