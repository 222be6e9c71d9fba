//! Instructions per segment, counted by valgrind's callgrind: the same on every machine.
//!
//! What the exchange of segments costs is the difference between a run with more of it and one with less: nothing needs to be
//! known of the program, not even its symbols.

use std::process::{Command, ExitCode};

use segue_perf::connections::{FEW, SEGMENT_RATIO};
use serde_json::{Value, json};

use super::BROKEN;
use crate::fail::Fail;

/// Requests of the run with less, and of the one with more.
const REQUESTS: [u32; 2] = [1000, 3000];

/// What was counted in a run: instructions, and segments of its two measurements, among few and among many connections.
struct Counted {
    instructions: f64,
    segments: [f64; 2],
}

impl Counted {
    /// What `more` has beyond this.
    fn up_to(&self, more: &Counted) -> Counted {
        let segments = [0, 1].map(|at| more.segments[at] - self.segments[at]);
        Counted { instructions: more.instructions - self.instructions, segments }
    }
}

/// Counts among few connections and among `count`, and compares.
pub(crate) fn run(count: u32, as_json: bool) -> Result<ExitCode, Fail> {
    let difference = |connections| -> Result<Counted, Fail> {
        let [less, more] = REQUESTS;
        Ok(count_run(connections, less)?.up_to(&count_run(connections, more)?))
    };
    let Counted { instructions, segments: [first, second] } = difference(FEW)?;
    let few = instructions / (first + second);
    let Counted { instructions, segments: [first, second] } = difference(count)?;
    let many = (instructions - first * few) / second;
    let ratio = many / few;
    if as_json {
        let entry =
            |connections: u32, each: f64| json!({ "connections": connections, "instructions_each": each.round() });
        println!("{}", json!({ "instructions": [entry(FEW, few), entry(count, many)], "ratio": ratio }));
    } else {
        println!("among {FEW:>9} connections {few:>6.0} instructions per segment, both ends");
        println!("among {count:>9} connections {many:>6.0}; ratio {ratio:.3}");
    }
    let missed = (ratio > SEGMENT_RATIO).then(|| {
        format!(
            "a segment costs {ratio:.2} times as many instructions among {count} connections; the bar is {SEGMENT_RATIO}"
        )
    });
    Ok(super::verdict(missed.as_slice()))
}

fn count_run(connections: u32, requests: u32) -> Result<Counted, Fail> {
    let broken = |message: String| Fail::new(BROKEN, message);
    let own = std::env::current_exe().map_err(|error| broken(format!("cannot find this program: {error}")))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .args(["perf", "connections", "--idle", "--established-only", "--json"])
        .args(["--count", &connections.to_string(), "--requests", &requests.to_string()])
        .output()
        .map_err(|error| broken(format!("cannot run valgrind, which counts instructions: {error}")))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let instructions = errors
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, number)| number.trim().parse::<f64>().ok())
        .ok_or_else(|| broken(format!("valgrind has counted nothing:\n{errors}")))?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| broken(format!("the measured run did not report: {error}\n{errors}")))?;
    let segments = |at: usize| {
        let segments = report["segments"][at]["segments"].as_f64();
        segments.ok_or_else(|| broken("the measured run did not say how many segments it exchanged".to_owned()))
    };
    Ok(Counted { instructions, segments: [segments(0)?, segments(1)?] })
}
