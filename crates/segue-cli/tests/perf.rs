//! `segue perf`: each measurement runs, shortly, and its report is one line of JSON.

mod common;

use std::time::Duration;

use common::{assert_success, finish, segue, text};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(300);

fn report(arguments: &[&str]) -> Value {
    let output = finish(segue().arg("perf").args(arguments).arg("--json"), SOON);
    assert_success(&output);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

#[test]
fn connections_tells_what_each_kind_costs() {
    let report = report(&["connections", "--count", "10000", "--requests", "200", "--beside-table"]);
    for kind in ["established", "syn_received", "time_wait"] {
        let cost = &report["memory"][kind];
        assert_eq!(cost["count"], 10_000, "{report}");
        assert!(cost["resident_bytes_each"].as_u64().is_some_and(|bytes| (100..=1200).contains(&bytes)), "{report}");
        assert!(cost["heap_bytes_each"].as_u64().is_some_and(|bytes| (100..=1000).contains(&bytes)), "{report}");
    }
    for opening in report["opening"].as_array().expect("a list") {
        assert!(opening["per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{report}");
        assert!(opening["table_per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{report}");
    }
    assert_eq!(report["segments"].as_array().map(Vec::len), Some(2), "{report}");
    assert_eq!(report["missed"].as_array().map(Vec::len), Some(0), "{report}");
}

#[test]
fn flood_serves_every_client() {
    let report = report(&["flood", "--rate", "max", "--seconds", "1", "--attack", "syn,rst"]);
    assert!(report["clients_served"].as_u64().is_some_and(|served| served > 0), "{report}");
    assert_eq!(report["clients_failed"].as_array().map(Vec::len), Some(0), "{report}");
    assert!(report["counters"]["TcpExtSyncookiesSent"].as_u64().is_some_and(|sent| sent > 0), "{report}");
}

#[test]
fn soak_repeats_with_its_seed() {
    let run = || report(&["soak", "--epochs", "1", "--connections", "100", "--seed", "5"]);
    let (first, second) = (run(), run());
    assert_eq!(first["complete"].as_u64().zip(first["broken_off"].as_u64()).map(|(a, b)| a + b), Some(100), "{first}");
    assert_eq!((&first["counters"], &first["bytes_compared"]), (&second["counters"], &second["bytes_compared"]));
}

#[test]
fn what_cannot_be_measured_is_a_usage_error_that_says_what_can() {
    for (arguments, word) in [
        (["connections", "--count", "3"], "from 10"),
        (["flood", "--attack", "nukes"], "zero-window"),
        (["flood", "--attack", "slow-readers"], "similar value exists: 'slow-reader'"),
        (["flood", "--rate", "0"], "max"),
    ] {
        let output = finish(segue().arg("perf").args(arguments), SOON);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(word), "{arguments:?}: {}", text(&output.stderr));
    }
}
