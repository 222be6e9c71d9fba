//! Instructions per segment and per connection opened, and how often memory is waited for, counted by valgrind's callgrind:
//! the same on every machine.
//!
//! What the exchange of segments costs is the difference between a run with more of it and one with less, what opening costs
//! that between a run with more connections and one with fewer: nothing needs to be known of the program, not even its
//! symbols. Misses are those of a simulated cache of fixed sizes.

use std::process::{Command, ExitCode};

use segue_perf::connections::{FEW, SEGMENT_RATIO};
use serde_json::{Value, json};

use super::BROKEN;
use crate::fail::Fail;

/// Requests of the run with less, and of the one with more.
const REQUESTS: [u32; 2] = [1000, 3000];

/// The caches that are simulated: size, ways and line of first and last level.
const CACHES: [&str; 4] = ["--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=33554432,16,64"];
/// Bar: how many times the instructions for opening a connection may be among all, of those among a thousand.
const OPENING_RATIO: f64 = 1.2;

/// What was counted in a run: instructions, data that no cache had, and segments of its two measurements, among few and among
/// many connections.
#[derive(Clone, Copy)]
struct Counted {
    instructions: f64,
    misses: f64,
    segments: [f64; 2],
}

/// What opening a connection costs while their number comes up to `connections`: handshake, accept(), and giving its memory back
/// in the end; both ends.
struct OpeningCost {
    connections: u32,
    instructions: f64,
    misses: f64,
}

impl Counted {
    /// What `more` has beyond this.
    fn up_to(&self, more: &Counted) -> Counted {
        let segments = [0, 1].map(|at| more.segments[at] - self.segments[at]);
        Counted { instructions: more.instructions - self.instructions, misses: more.misses - self.misses, segments }
    }
}

/// Counts among few connections and among `count`, and compares.
pub(crate) fn run(count: u32, as_json: bool) -> Result<ExitCode, Fail> {
    let [less, more] = REQUESTS;
    let few = count_run(FEW, less)?.up_to(&count_run(FEW, more)?);
    let few = few.instructions / (few.segments[0] + few.segments[1]);
    let (opening, all) = count_openings(count)?;
    let Counted { instructions, segments: [first, second], .. } = all.up_to(&count_run(count, more)?);
    let many = (instructions - first * few) / second;
    let ratio = many / few;
    let rise = opening.last().zip(opening.first()).map_or(1.0, |(last, first)| last.instructions / first.instructions);
    if as_json {
        let entry =
            |connections: u32, each: f64| json!({ "connections": connections, "instructions_each": each.round() });
        let opened = |cost: &OpeningCost| {
            json!({
                "connections": cost.connections,
                "instructions_each": cost.instructions.round(),
                "cache_misses_each": (cost.misses * 100.0).round() / 100.0,
            })
        };
        let opening: Vec<Value> = opening.iter().map(opened).collect();
        println!(
            "{}",
            json!({
                "instructions": [entry(FEW, few), entry(count, many)],
                "ratio": ratio,
                "opening": opening,
                "opening_ratio": rise,
            })
        );
    } else {
        println!("among {FEW:>9} connections {few:>6.0} instructions per segment, both ends");
        println!("among {count:>9} connections {many:>6.0}; ratio {ratio:.3}");
        for OpeningCost { connections, instructions, misses } in &opening {
            println!(
                "up to {connections:>9} connections {instructions:>6.0} instructions and {misses:.2} misses of a cache of 32 MiB to open one, both ends"
            );
        }
        println!("ratio {rise:.3}");
    }
    let mut missed = Vec::new();
    if ratio > SEGMENT_RATIO {
        missed.push(format!(
            "a segment costs {ratio:.2} times as many instructions among {count} connections; the bar is {SEGMENT_RATIO}"
        ));
    }
    if rise > OPENING_RATIO {
        missed.push(format!(
            "opening costs {rise:.2} times as many instructions up to {count} connections; the bar is {OPENING_RATIO}"
        ));
    }
    Ok(super::verdict(&missed))
}

/// What opening costs up to 1000 connections, 10 000, and so on; and the run with all of them.
fn count_openings(count: u32) -> Result<(Vec<OpeningCost>, Counted), Fail> {
    let mut before = (100.min(count / 2).max(FEW), None);
    let mut costs = Vec::new();
    loop {
        let (fewer, counted) = before;
        let counted = match counted {
            Some(counted) => counted,
            None => count_run(fewer, REQUESTS[0])?,
        };
        let connections = fewer.saturating_mul(10).min(count);
        let all = count_run(connections, REQUESTS[0])?;
        let Counted { instructions, misses, .. } = counted.up_to(&all);
        let opened = f64::from(connections - fewer);
        costs.push(OpeningCost { connections, instructions: instructions / opened, misses: misses / opened });
        if connections == count {
            return Ok((costs, all));
        }
        before = (connections, Some(all));
    }
}

fn count_run(connections: u32, requests: u32) -> Result<Counted, Fail> {
    let broken = |message: String| Fail::new(BROKEN, message);
    let own = std::env::current_exe().map_err(|error| broken(format!("cannot find this program: {error}")))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(CACHES)
        .arg(own)
        .args(["perf", "connections", "--idle", "--established-only", "--json"])
        .args(["--count", &connections.to_string(), "--requests", &requests.to_string()])
        .output()
        .map_err(|error| broken(format!("cannot run valgrind, which counts instructions: {error}")))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    // Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw.
    let collected: Option<Vec<f64>> = errors
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, numbers)| numbers.split_whitespace().map(|number| number.parse().ok()).collect());
    let Some([instructions, .., read, written]) = collected.as_deref() else {
        return Err(broken(format!("valgrind has counted nothing:\n{errors}")));
    };
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| broken(format!("the measured run did not report: {error}\n{errors}")))?;
    let segments = |at: usize| {
        let segments = report["segments"][at]["segments"].as_f64();
        segments.ok_or_else(|| broken("the measured run did not say how many segments it exchanged".to_owned()))
    };
    Ok(Counted { instructions: *instructions, misses: read + written, segments: [segments(0)?, segments(1)?] })
}
