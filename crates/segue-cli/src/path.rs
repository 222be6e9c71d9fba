//! The impairments of an emulated path, as options that `run`, `ping` and `lab`
//! share. Decides their spelling; ranges and meaning are `segue-link`'s.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use clap::Args;
use segue_link::units::parse_duration;
use segue_link::{
    Impairments, JitterShape, LossModel, PacketList, PathConfig, Probability, QueueDiscipline, Rate, RateTrace,
};

use crate::fail::Fail;

/// A value for each direction of a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Both<T> {
    up: T,
    down: T,
}

/// Reads `VALUE` or `UP/DOWN`.
fn both<T: Clone, E: Display>(
    parse: impl Fn(&str) -> Result<T, E> + Clone,
) -> impl Fn(&str) -> Result<Both<T>, String> + Clone {
    move |text| {
        let one = |text: &str| parse(text).map_err(|error| error.to_string());
        match text.split_once('/') {
            None => one(text).map(|value| Both { up: value.clone(), down: value }),
            Some((up, down)) => Ok(Both { up: one(up)?, down: one(down)? }),
        }
    }
}

fn duration(text: &str) -> Result<Both<Duration>, String> {
    both(parse_duration)(text)
}

fn parsed<T: FromStr<Err: Display> + Clone>(text: &str) -> Result<Both<T>, String> {
    both(str::parse::<T>)(text)
}

fn number(text: &str) -> Result<Both<u64>, String> {
    both(|text: &str| text.parse().map_err(|_| format!("'{text}' is not a whole number of packets, e.g. 5")))(text)
}

fn size(text: &str) -> Result<Both<usize>, String> {
    both(|text: &str| text.parse().map_err(|_| format!("'{text}' is not a whole number of bytes, e.g. 1400")))(text)
}

/// What the path does. Each value holds for both directions, or is written UP/DOWN (up: away from the program, or from A
/// to B).
#[derive(Args, Clone, Debug, Default)]
#[group(id = "impairments", multiple = true)]
#[command(next_help_heading = "The path (VALUE for both directions, or UP/DOWN)")]
pub(crate) struct PathArgs {
    /// One-way delay, e.g. 20ms; the round trip takes both.
    #[arg(long, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    delay: Option<Both<Duration>>,

    /// Variation around the delay, e.g. 5ms. Packets overtake each other unless there is a rate.
    #[arg(long, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    jitter: Option<Both<Duration>>,

    /// How the jitter is spread: uniform, normal, pareto or paretonormal, as netem's distributions. Default: uniform.
    #[arg(long, value_name = "SHAPE", value_parser = parsed::<JitterShape>, requires = "jitter")]
    jitter_shape: Option<Both<JitterShape>>,

    /// Packets lost: a share such as 1%, or burst:1%,4, ge:0.5%,25%, every:100.
    ///
    /// 1% loses each packet with that chance. burst:1%,4 loses as many, but four in a row on average.
    /// ge:P,R[,BAD[,GOOD]] is netem's gemodel (Gilbert-Elliott): P from good to bad, R back, BAD the loss in the bad state
    /// (100%), GOOD in the good one (0%). every:100 loses the hundredth, the two hundredth and so on. Loss of ACKs only:
    /// 0%/5%.
    #[arg(long, value_name = "LOSS", value_parser = parsed::<LossModel>, allow_hyphen_values = true)]
    loss: Option<Both<LossModel>>,

    /// Packets lost by number, e.g. 5,7-9 or 5/none, counted from 1 in each direction.
    #[arg(long, value_name = "PACKETS", value_parser = parsed::<PacketList>)]
    drop: Option<Both<PacketList>>,

    /// Share of packets that arrive twice, e.g. 0.5%.
    #[arg(long, value_name = "SHARE", value_parser = parsed::<Probability>, allow_hyphen_values = true)]
    duplicate: Option<Both<Probability>>,

    /// Share of packets held back so that later ones overtake them, e.g. 5%.
    #[arg(long, value_name = "SHARE", value_parser = parsed::<Probability>, allow_hyphen_values = true)]
    reorder: Option<Both<Probability>>,

    /// How long a reordered packet is held back, e.g. 10ms. Default: a quarter of the delay, at least 1ms.
    #[arg(long, value_name = "TIME", value_parser = duration, allow_hyphen_values = true, requires = "reorder")]
    reorder_by: Option<Both<Duration>>,

    /// At most one of this many packets in a row is reordered (netem's gap), e.g. 5.
    #[arg(long, value_name = "PACKETS", value_parser = number, requires = "reorder")]
    reorder_gap: Option<Both<u64>>,

    /// Share of packets with one bit flipped, e.g. 1%. Checksums catch nearly all of them.
    #[arg(long, value_name = "SHARE", value_parser = parsed::<Probability>, allow_hyphen_values = true)]
    corrupt: Option<Both<Probability>>,

    /// Share of packets marked as having met congestion (CE), of those whose sender takes part in ECN, e.g. 1%.
    #[arg(long, value_name = "SHARE", value_parser = parsed::<Probability>, allow_hyphen_values = true)]
    mark: Option<Both<Probability>>,

    /// Bottleneck in bits per second, e.g. 10mbit.
    #[arg(long, value_name = "RATE", value_parser = parsed::<Rate>, allow_hyphen_values = true)]
    rate: Option<Both<Rate>>,

    /// Bottleneck whose rate changes over time, from a file; starts with the first packet.
    ///
    /// Either lines of milliseconds at which 1500 bytes may leave (mahimahi's format; repeats after the last line), or
    /// lines of a time and a rate: '0s 10mbit', '5s 2mbit', '8s 0' (outage), and perhaps '10s repeat' at the end.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "trace_up", "trace_down"])]
    trace: Option<PathBuf>,

    /// A trace for the way up only; it takes the place of --rate there.
    #[arg(long, value_name = "FILE")]
    trace_up: Option<PathBuf>,

    /// A trace for the way down only; it takes the place of --rate there.
    #[arg(long, value_name = "FILE")]
    trace_down: Option<PathBuf>,

    /// Queue in front of the bottleneck: 64KiB, 100pkt, codel, fq_codel or red:min=30kB. Default: 100 ms of the rate.
    ///
    /// A size drops what does not fit. codel[:limit=1000pkt,target=5ms,interval=100ms,ecn,ce_threshold=1ms] (RFC 8289)
    /// drops or, with ecn, marks when packets wait too long. fq_codel[:flows=1024,quantum=1500B,limit=10240pkt,noecn] (RFC
    /// 8290) does so per flow. red:min=30kB[,max=90kB,limit=360kB,probability=2%,ecn] drops early. Settings left out are
    /// Linux's.
    #[arg(long, value_name = "QUEUE", value_parser = parsed::<QueueDiscipline>, allow_hyphen_values = true)]
    queue: Option<Both<QueueDiscipline>>,

    /// Largest IP packet in bytes at both ends, 576 to 65535.
    #[arg(long, value_name = "BYTES", default_value_t = 1500, value_parser = crate::number::whole::<usize>(576..=65_535))]
    mtu: usize,

    /// Largest IP packet in bytes in the middle of the path; longer ones are fragmented or answered with ICMP.
    #[arg(long, value_name = "BYTES", value_parser = size)]
    path_mtu: Option<Both<usize>>,

    /// Packets above --path-mtu vanish without an answer, as behind a firewall that filters ICMP.
    #[arg(long, requires = "path_mtu")]
    blackhole: bool,
}

/// The seed of all random choices. The same seed, options and traffic give the same run.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SeedArg {
    /// Seed of every random choice; the same seed loses the same packets. Default: drawn anew; `run` and `lab` say it at the end.
    #[arg(long, value_name = "NUMBER", value_parser = seed)]
    seed: Option<u64>,

    #[arg(skip)]
    drawn: OnceLock<u64>,
}

impl SeedArg {
    /// The seed that was asked for.
    pub(crate) fn chosen(&self) -> Option<u64> {
        self.seed
    }

    /// The seed that was asked for, or one drawn once.
    pub(crate) fn value(&self) -> u64 {
        self.seed.unwrap_or_else(|| *self.drawn.get_or_init(draw))
    }
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

/// 32 bits are enough to name a run and short enough to type again.
fn draw() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    u64::from(std::hash::RandomState::new().build_hasher().finish() as u32)
}

/// Which way a packet goes.
#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}

impl<T: Clone> Both<T> {
    fn of(both: &Option<Both<T>>, direction: Direction) -> Option<T> {
        let both = both.as_ref()?;
        Some(match direction {
            Direction::Up => both.up.clone(),
            Direction::Down => both.down.clone(),
        })
    }
}

impl PathArgs {
    /// The path these options describe; reads the traces.
    pub(crate) fn config(&self, seed: u64) -> Result<PathConfig, Fail> {
        PathConfig::new(self.impairments(Direction::Up)?, self.impairments(Direction::Down)?)
            .and_then(|config| config.with_mtu(self.mtu))
            .map(|config| config.with_seed(seed))
            .map_err(Fail::usage)
    }

    /// The path, if it was asked to do anything.
    pub(crate) fn given(&self, seed: u64) -> Result<Option<PathConfig>, Fail> {
        let config = self.config(seed)?;
        let nothing = Impairments::default();
        Ok((*config.a_to_b() != nothing || *config.b_to_a() != nothing).then_some(config))
    }

    /// Largest IP packet at both ends, in bytes.
    pub(crate) fn mtu(&self) -> usize {
        self.mtu
    }

    fn impairments(&self, direction: Direction) -> Result<Impairments, Fail> {
        let own_trace = match direction {
            Direction::Up => &self.trace_up,
            Direction::Down => &self.trace_down,
        };
        let trace = own_trace.as_ref().or(self.trace.as_ref()).map(|file| read_trace(file)).transpose()?;
        Ok(Impairments {
            delay: Both::of(&self.delay, direction).unwrap_or_default(),
            jitter: Both::of(&self.jitter, direction).unwrap_or_default(),
            jitter_shape: Both::of(&self.jitter_shape, direction).unwrap_or_default(),
            loss: Both::of(&self.loss, direction).unwrap_or_default(),
            drop: Both::of(&self.drop, direction).unwrap_or_default(),
            duplicate: Both::of(&self.duplicate, direction).unwrap_or_default(),
            reorder: Both::of(&self.reorder, direction).unwrap_or_default(),
            reorder_by: Both::of(&self.reorder_by, direction),
            reorder_gap: Both::of(&self.reorder_gap, direction).unwrap_or_default(),
            corrupt: Both::of(&self.corrupt, direction).unwrap_or_default(),
            mark: Both::of(&self.mark, direction).unwrap_or_default(),
            rate: Both::of(&self.rate, direction).filter(|_| trace.is_none()),
            trace,
            queue: Both::of(&self.queue, direction),
            mtu: Both::of(&self.path_mtu, direction),
            blackhole: self.blackhole,
        })
    }
}

/// Longest trace file, in bytes.
const MAX_TRACE: u64 = 256 << 20;

fn read_trace(file: &std::path::Path) -> Result<RateTrace, Fail> {
    let shown = file.display();
    let unreadable = |error| Fail::usage(format!("cannot read the trace {shown}: {error}"));
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > MAX_TRACE {
        return Err(Fail::usage(format!("the trace {shown} has {size} bytes; the most is {MAX_TRACE}: let it repeat")));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    RateTrace::parse(&text).map_err(|error| Fail::usage(format!("trace {shown}: {error}")))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use segue_link::QueueLimit;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        path: PathArgs,
    }

    fn config(line: &str) -> PathConfig {
        let line = Line::try_parse_from(std::iter::once("segue").chain(line.split_whitespace())).expect("a good line");
        line.path.config(3).expect("a good path")
    }

    #[test]
    fn one_value_holds_in_both_directions() {
        let config = config("--delay 20ms --loss 1%");
        assert_eq!(config.a_to_b(), config.b_to_a());
        assert_eq!(config.a_to_b().delay, Duration::from_millis(20));
        assert_eq!(config.seed(), 3);
    }

    #[test]
    fn up_and_down_are_told_apart_by_a_slash() {
        let config = config("--rate 2mbit/512kbit --queue 64KiB/20kB");
        assert_eq!(config.a_to_b().rate.map(Rate::bits_per_second), Some(2_000_000));
        assert_eq!(config.b_to_a().rate.map(Rate::bits_per_second), Some(512_000));
        let queue = |bytes| Some(QueueDiscipline::TailDrop { limit: QueueLimit::Bytes(bytes) });
        assert_eq!(config.a_to_b().queue, queue(65_536));
        assert_eq!(config.b_to_a().queue, queue(20_000));
    }

    #[test]
    fn a_wrong_half_is_refused_with_its_own_words() {
        let error = parsed::<LossModel>("1%/many").expect_err("not a share");
        assert!(error.contains("many"), "{error}");
    }
}
