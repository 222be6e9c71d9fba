//! Rates that change over time, and the two text formats they are read from.
//!
//! Decides what a line means and the words for one that means nothing. How a packet is sent
//! at such a rate is decided by `server`.

use std::fmt;
use std::sync::Arc;

use crate::units::{Rate, parse_duration};

/// Bytes that one delivery opportunity carries: a full Ethernet payload, as in mahimahi.
pub(super) const OPPORTUNITY: u64 = 1500;

/// Most lines that mean something in a trace.
const MAX_ENTRIES: usize = 10_000_000;

/// From a time on, a rate in bits per second; 0 is an outage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Step {
    /// Nanoseconds from the start.
    pub(super) from: u64,
    pub(super) rate: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Schedule {
    /// Times in nanoseconds, rising, at each of which [`OPPORTUNITY`] bytes may leave. Starts again after the last, which
    /// is not 0.
    Opportunities(Arc<[u64]>),
    /// Rates, the first from 0 on. Starts again after `period` nanoseconds; without one the last rate, which is not 0,
    /// holds for ever. Some rate is not 0.
    Steps { steps: Arc<[Step]>, period: Option<u64> },
}

/// A bottleneck whose rate changes over time. Made by [`RateTrace::parse`].
///
/// Two formats are understood; which one it is shows the first line. Empty lines and what follows a `#` are skipped.
///
/// - *Delivery opportunities*, as recorded by mahimahi: a line is a time in whole milliseconds at which 1500 bytes may
///   leave. An opportunity that nobody waits for is lost. After the last line the trace starts again, so the last time is
///   its length.
/// - *Rates*: a line is a time and the rate that holds from then on, `2.5s 10mbit`; `0` is an outage. The first time is
///   `0`. A last line `20s repeat` starts the trace again after that time; without it the last rate stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RateTrace {
    pub(super) schedule: Schedule,
}

/// Why a text is not a trace: which line, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// Number of the line, from 1; `None` when it is about the whole.
    pub line: Option<usize>,
    problem: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for TraceError {}

/// What a line says without its comment, with its number; nothing if it says nothing.
fn content((index, line): (usize, &str)) -> Option<(usize, &str)> {
    let content = line.split('#').next().unwrap_or_default().trim();
    (!content.is_empty()).then_some((index + 1, content))
}

fn whole(problem: &str) -> TraceError {
    TraceError { line: None, problem: problem.to_owned() }
}

impl RateTrace {
    /// Reads a trace in either format.
    ///
    /// # Errors
    /// [`TraceError`] with the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<RateTrace, TraceError> {
        let mut lines = text.lines().enumerate().filter_map(content).peekable();
        let Some(&(_, first)) = lines.peek() else {
            return Err(whole(
                "the trace is empty; write one time in milliseconds per line for 1500 bytes each, \
                 or lines of a time and a rate such as '0s 10mbit'",
            ));
        };
        let schedule =
            if first.contains(char::is_whitespace) { read_steps(&mut lines)? } else { read_opportunities(&mut lines)? };
        Ok(RateTrace { schedule })
    }

    /// The mean rate in bits per second; of a trace that does not repeat, its last rate.
    pub fn mean_bits_per_second(&self) -> u64 {
        match &self.schedule {
            Schedule::Opportunities(times) => {
                let bits = times.len() as u128 * u128::from(OPPORTUNITY) * 8 * 1_000_000_000;
                (bits / u128::from(times.last().copied().unwrap_or(1).max(1))) as u64
            }
            Schedule::Steps { steps, period: None } => steps.last().map_or(0, |step| step.rate),
            Schedule::Steps { steps, period: Some(period) } => {
                (work_of_period(steps, *period) / u128::from((*period).max(1))) as u64
            }
        }
    }
}

/// What one round of a repeating trace sends, in bits times 10^9.
pub(super) fn work_of_period(steps: &[Step], period: u64) -> u128 {
    let ends = steps.iter().skip(1).map(|step| step.from).chain([period]);
    steps.iter().zip(ends).map(|(step, end)| u128::from(step.rate) * u128::from(end - step.from)).sum()
}

fn read_opportunities(lines: &mut dyn Iterator<Item = (usize, &str)>) -> Result<Schedule, TraceError> {
    let mut times: Vec<u64> = Vec::new();
    for (number, line) in lines {
        let fail = |problem: String| TraceError { line: Some(number), problem };
        let millis: u64 = line.parse().map_err(|_| {
            fail(format!(
                "'{line}' is not a whole number of milliseconds; each line of a trace of delivery opportunities is one, \
                 and rates are written with their time, such as '0s 10mbit'"
            ))
        })?;
        // A year, and far from overflowing.
        if millis > 31_536_000_000 {
            return Err(fail(format!("{millis} ms is more than a year")));
        }
        let nanos = millis * 1_000_000;
        if let Some(&last) = times.last()
            && nanos < last
        {
            return Err(fail(format!("{millis} ms comes after {} ms; times must not go back", last / 1_000_000)));
        }
        bounded(times.len(), number)?;
        times.push(nanos);
    }
    if times.last() == Some(&0) {
        return Err(whole(
            "the last time is 0 ms: a trace that takes no time cannot start again; end it with its length",
        ));
    }
    Ok(Schedule::Opportunities(times.into()))
}

fn read_steps(lines: &mut dyn Iterator<Item = (usize, &str)>) -> Result<Schedule, TraceError> {
    let mut steps: Vec<Step> = Vec::new();
    let mut period = None;
    for (number, line) in lines {
        let fail = |problem: String| TraceError { line: Some(number), problem };
        if period.is_some() {
            return Err(fail("nothing may follow 'repeat'".to_owned()));
        }
        let mut words = line.split_whitespace();
        let (Some(time), Some(rate), None) = (words.next(), words.next(), words.next()) else {
            return Err(fail(format!("'{line}' is not a time and a rate, such as '2.5s 10mbit'")));
        };
        let from = parse_duration(time).map_err(|error| fail(error.to_string()))?.as_nanos() as u64;
        let last = steps.last().map(|step| step.from);
        if last.is_none() && from != 0 {
            return Err(fail(format!(
                "the first time is {time}; it must be 0, so that there is a rate from the start"
            )));
        }
        if last.is_some_and(|last| from <= last) {
            return Err(fail(format!("{time} does not come after the time before it")));
        }
        if rate == "repeat" {
            if last.is_none() {
                return Err(fail("there is nothing to repeat yet".to_owned()));
            }
            period = Some(from);
            continue;
        }
        bounded(steps.len(), number)?;
        steps.push(Step { from, rate: rate_of(rate).map_err(fail)? });
    }
    let never = match period {
        Some(_) => steps.iter().all(|step| step.rate == 0),
        None => steps.last().is_some_and(|step| step.rate == 0),
    };
    if never {
        return Err(whole(match period {
            Some(_) => "every rate is 0: nothing would ever be sent",
            None => "the last rate is 0 and would stay so for ever; add a rate, or '20s repeat' to start again",
        }));
    }
    Ok(Schedule::Steps { steps: steps.into(), period })
}

/// A rate, or an outage.
fn rate_of(text: &str) -> Result<u64, String> {
    if matches!(text, "0" | "0bit" | "0kbit" | "0mbit" | "0gbit") {
        return Ok(0);
    }
    text.parse::<Rate>().map(Rate::bits_per_second).map_err(|error| error.to_string())
}

fn bounded(entries: usize, number: usize) -> Result<(), TraceError> {
    if entries < MAX_ENTRIES {
        return Ok(());
    }
    Err(TraceError { line: Some(number), problem: format!("a trace has at most {MAX_ENTRIES} entries; let it repeat") })
}
