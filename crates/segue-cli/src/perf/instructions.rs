//! Instructions per segment, counted by valgrind's callgrind in the server's own functions: the same on every machine.

use std::process::{Command, ExitCode};

use segue_perf::connections::{FEW, SEGMENT_RATIO};
use serde_json::{Value, json};

use super::BROKEN;
use crate::fail::Fail;

/// Exchanges that are counted.
const REQUESTS: u32 = 2000;
/// The functions in which it is counted: all that the server does while segments are exchanged.
const COUNTED: &str = "--toggle-collect=*connections*Held*exchange*";

/// Counts among few connections and among `count`, and compares.
pub(crate) fn run(count: u32, as_json: bool) -> Result<ExitCode, Fail> {
    let (instructions, [first, second]) = count_run(FEW)?;
    let few = instructions / (first + second);
    let (instructions, [first, second]) = count_run(count)?;
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
        format!("a segment costs {ratio:.2} times as many instructions among {count} connections; the bar is {SEGMENT_RATIO}")
    });
    Ok(super::verdict(missed.as_slice()))
}

/// Instructions of one run, and the segments of its two measurements: among few connections and among so many.
fn count_run(connections: u32) -> Result<(f64, [f64; 2]), Fail> {
    let broken = |message: String| Fail::new(BROKEN, message);
    let own = std::env::current_exe().map_err(|error| broken(format!("cannot find this program: {error}")))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", COUNTED])
        .arg(own)
        .args(["perf", "connections", "--idle", "--established-only", "--json"])
        .args(["--count", &connections.to_string(), "--requests", &REQUESTS.to_string()])
        .output()
        .map_err(|error| broken(format!("cannot run valgrind, which counts instructions: {error}")))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let counted = errors
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, number)| number.trim().parse::<f64>().ok())
        .ok_or_else(|| broken(format!("valgrind has counted nothing:\n{errors}")))?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| broken(format!("the measured run did not report: {error}\n{errors}")))?;
    let segments = |at: usize| report["segments"][at]["segments"].as_f64().filter(|segments| *segments > 0.0);
    match (segments(0), segments(1)) {
        (Some(first), Some(second)) if counted > 0.0 => Ok((counted, [first, second])),
        _ => Err(broken("valgrind did not find the functions to count in: is this program stripped?".to_owned())),
    }
}
