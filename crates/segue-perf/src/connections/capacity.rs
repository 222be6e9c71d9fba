//! How many connections a memory budget holds, and whether those that are there work while others are refused.
//!
//! Decides when a budget is full: the first connection was refused for want of memory.
use super::{BATCH, Cost, Held, Reading};
use crate::error::PerfError;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct CapacityConfig {
    /// How many connections are asked for, 10 to 100 million.
    pub count: u32,
    /// What the stack may take in all, in bytes.
    pub memory: u64,
    /// Every connection moves a request and its answer before the next ones are opened.
    pub is_active: bool,
    /// Requests, each on a random one of the connections that were let in, while the budget is full.
    pub requests: u32,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct CapacityReport {
    /// Connections that were let in, and what they cost together.
    pub established: Cost,
    /// Segments in and out for the requests.
    pub segments: u64,
    /// Counters of what found no memory.
    pub refused: Vec<(&'static str, u64)>,
    /// Each bar that was missed, as a sentence; none: all is well.
    pub failures: Vec<String>,
}

/// Fills a budget.
///
/// # Errors
/// A count that cannot be; the machine does not tell what is asked of it.
pub fn capacity(config: &CapacityConfig) -> Result<CapacityReport, PerfError> {
    super::check_count(config.count)?;
    let mut held = Held::new(config.count, Some(config.memory))?;
    let before = Reading::take()?;
    let is_full = |held: &Held| held.server.stack.counters().by_name("SegueMemorySockets").unwrap_or(0) > 0;
    let mut whole = 0;
    while held.count < config.count && !is_full(&held) {
        whole = held.count;
        held.open_up_to((held.count + BATCH).min(config.count), config.is_active)?;
    }
    if !is_full(&held) {
        whole = held.count;
    }
    let established = before.grown(held.accepted.len() as u32)?;
    // Those of the last batch may have been refused.
    held.count = whole.max(1);
    let resets = held.peers.resets;
    let segments = held.exchange(config.requests)?.segments;
    let refused: Vec<(&str, u64)> =
        held.server.stack.counters().nonzero().filter(|(name, _)| name.starts_with("SegueMemory")).collect();
    let mut report = CapacityReport { established, segments, refused, failures: Vec::new() };
    for (what, grown) in [("heap", established.heap), ("resident set", Some(established.resident))] {
        if let Some(grown) = grown.filter(|grown| *grown > config.memory) {
            report.failures.push(format!("the {what} grew by {grown} bytes; the stack may take {}", config.memory));
        }
    }
    let resets = held.peers.resets - resets;
    if resets > 0 || segments < 2 * u64::from(config.requests) {
        report.failures.push(format!(
            "{resets} resets; {segments} segments for {} requests and answers: connections that are there do not work",
            config.requests
        ));
    }
    Ok(report)
}
