//! The impairments of an emulated path, as options that `run`, `ping` and `lab`
//! share. Decides their spelling; ranges and meaning are `segue-link`'s.

use std::fmt::Display;
use std::sync::OnceLock;
use std::time::Duration;

use clap::Args;
use segue_link::units::{parse_bytes, parse_duration};
use segue_link::{Impairments, LossModel, PathConfig, Probability, QueueDiscipline, Rate};

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

fn probability(text: &str) -> Result<Both<Probability>, String> {
    both(str::parse::<Probability>)(text)
}

fn loss(text: &str) -> Result<Both<LossModel>, String> {
    both(str::parse::<LossModel>)(text)
}

fn rate(text: &str) -> Result<Both<Rate>, String> {
    both(str::parse::<Rate>)(text)
}

fn bytes(text: &str) -> Result<Both<u64>, String> {
    both(parse_bytes)(text)
}

/// What the path does. Each value holds for both directions, or is written UP/DOWN (up: away from the program).
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

    /// Share of packets lost, e.g. 1%.
    #[arg(long, value_name = "SHARE", value_parser = loss, allow_hyphen_values = true)]
    loss: Option<Both<LossModel>>,

    /// Share of packets that arrive twice, e.g. 0.5%.
    #[arg(long, value_name = "SHARE", value_parser = probability, allow_hyphen_values = true)]
    duplicate: Option<Both<Probability>>,

    /// Share of packets held back so that later ones overtake them, e.g. 5%.
    #[arg(long, value_name = "SHARE", value_parser = probability, allow_hyphen_values = true)]
    reorder: Option<Both<Probability>>,

    /// Share of packets with one bit flipped, e.g. 1%. Checksums catch nearly all of them.
    #[arg(long, value_name = "SHARE", value_parser = probability, allow_hyphen_values = true)]
    corrupt: Option<Both<Probability>>,

    /// Bottleneck in bits per second, e.g. 10mbit.
    #[arg(long, value_name = "RATE", value_parser = rate, allow_hyphen_values = true)]
    rate: Option<Both<Rate>>,

    /// Queue in front of the bottleneck, e.g. 64KiB. Default: 100 ms of the rate.
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_hyphen_values = true, requires = "rate")]
    queue: Option<Both<u64>>,

    /// Largest IP packet in bytes, 576 to 65535.
    #[arg(long, value_name = "BYTES", default_value_t = 1500)]
    mtu: usize,
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
    /// The path these options describe.
    pub(crate) fn config(&self, seed: u64) -> Result<PathConfig, Fail> {
        PathConfig::new(self.impairments(Direction::Up), self.impairments(Direction::Down))
            .and_then(|config| config.with_mtu(self.mtu))
            .map(|config| config.with_seed(seed))
            .map_err(Fail::usage)
    }

    fn impairments(&self, direction: Direction) -> Impairments {
        Impairments {
            delay: Both::of(&self.delay, direction).unwrap_or_default(),
            jitter: Both::of(&self.jitter, direction).unwrap_or_default(),
            loss: Both::of(&self.loss, direction).unwrap_or_default(),
            duplicate: Both::of(&self.duplicate, direction).unwrap_or_default(),
            reorder: Both::of(&self.reorder, direction).unwrap_or_default(),
            corrupt: Both::of(&self.corrupt, direction).unwrap_or_default(),
            rate: Both::of(&self.rate, direction),
            queue: Both::of(&self.queue, direction).map(|limit| QueueDiscipline::TailDrop { limit }),
            ..Impairments::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

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
        assert_eq!(config.a_to_b().queue.as_ref().map(QueueDiscipline::limit), Some(65_536));
        assert_eq!(config.b_to_a().queue.as_ref().map(QueueDiscipline::limit), Some(20_000));
    }

    #[test]
    fn a_wrong_half_is_refused_with_its_own_words() {
        let error = loss("1%/many").expect_err("not a share");
        assert!(error.contains("many"), "{error}");
    }
}
