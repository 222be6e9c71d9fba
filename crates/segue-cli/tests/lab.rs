//! `segue lab transfer` and `segue ping` as a user types them.

mod common;

use std::time::Duration;

use common::{assert_success, finish, segue, text};

const SOON: Duration = Duration::from_secs(120);

fn transfer(arguments: &str) -> serde_json::Value {
    let output = finish(segue().args(["lab", "transfer", "--json"]).args(arguments.split_whitespace()), SOON);
    assert_success(&output);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

#[test]
fn a_transfer_reports_what_it_moved_and_that_the_hash_is_right() {
    let report = transfer("--bytes 2MiB --delay 10ms --loss 1% --seed 4");
    assert_eq!(report["bytes"], 2 << 20);
    assert_eq!(report["sha256_ok"], true);
    assert!(report["retransmits"].as_u64().expect("a count") > 0, "{report}");
    let seconds = report["seconds"].as_f64().expect("seconds");
    let goodput = report["goodput_bps"].as_f64().expect("goodput");
    let expected = (2_u64 << 20) as f64 * 8.0 / seconds;
    assert!((goodput - expected).abs() < expected * 0.01, "{report}");
}

#[test]
fn the_same_seed_gives_the_same_report_and_another_seed_another() {
    let options = "--bytes 1MiB --delay 10ms --loss 2% --reorder 5% --duplicate 5% --corrupt 5%";
    let first = transfer(&format!("{options} --seed 9"));
    assert_eq!(first, transfer(&format!("{options} --seed 9")));
    assert_ne!(first, transfer(&format!("{options} --seed 10")));
}

#[test]
fn a_transfer_without_loss_takes_no_less_than_its_rate_allows() {
    let report = transfer("--bytes 1MiB --rate 10mbit --delay 5ms");
    assert!(report["seconds"].as_f64().expect("seconds") > 0.83, "{report}");
    assert_eq!(report["sha256_ok"], true);
}

#[test]
fn ping_counts_what_comes_back_across_the_path() {
    let output = finish(segue().args(["ping", "-c", "3", "-i", "10ms", "--delay", "5ms", "segue.test"]), SOON);
    assert_success(&output);
    let words = text(&output.stdout);
    assert!(words.contains("3 sent, 3 received, 0% loss"), "{words}");
}

#[test]
fn ping_with_no_answer_says_so_and_fails() {
    let output =
        finish(segue().args(["ping", "-c", "2", "-i", "10ms", "-W", "200ms", "--loss", "100%", "segue.test"]), SOON);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("2 sent, 0 received, 100% loss"));
}

#[test]
fn every_story_that_is_listed_can_be_played_by_its_name() {
    let listed = finish(segue().args(["lab", "list", "--json"]), SOON);
    let text = String::from_utf8(listed.stdout).unwrap();
    let names: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.len() > 40, "{names:?}");
    for name in &names {
        let output = finish(segue().args(["lab", name]), SOON);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains(name), "{name}");
    }
}

#[test]
fn a_story_that_does_not_exist_is_answered_with_ones_that_do() {
    let output = finish(segue().args(["lab", "handshakes"]), SOON);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("did you mean handshake?") && words.contains("segue lab list"), "{words}");
}

#[test]
fn torture_counts_what_survives_and_says_how_long_anybody_stood_still() {
    let output =
        finish(segue().args(["lab", "torture", "--seeds", "20", "--first", "1", "--jobs", "2", "--json"]), SOON);
    assert_success(&output);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    assert_eq!(report["survived"], 20);
    assert_eq!(report["failed"], serde_json::json!([]));
    let gap = &report["longest_gap"];
    assert!(gap["seconds"].as_f64() <= gap["explained"].as_f64(), "{report}");
}
