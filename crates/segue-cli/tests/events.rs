//! `--events FILE`: what connections decide, as lines of JSON.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::{assert_success, finish, open_folder, segue, text};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(120);
const FORMAT: &str = include_str!("../../../docs/events.md");

fn events(arguments: &str) -> Vec<Value> {
    let folder = open_folder();
    let file = folder.path().join("events.jsonl");
    let mut command = segue();
    let output =
        finish(command.args(["lab", "transfer", "--events"]).arg(&file).args(arguments.split_whitespace()), SOON);
    assert_success(&output);
    let lines = std::fs::read_to_string(&file).expect("the file");
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    lines.lines().map(parse).collect()
}

fn number(event: &Value, field: &str) -> u64 {
    event[field].as_u64().unwrap_or_else(|| panic!("no {field}: {event}"))
}

#[test]
fn every_line_says_when_who_and_what_and_every_kind_is_described() {
    let mut kinds = BTreeSet::new();
    for path in [
        "--bytes 2MiB --delay 20ms --loss 3% --reorder 5% --duplicate 2% --seed 7",
        "--bytes 200kB --delay 20ms --loss 40% --seed 3",
        "--bytes 4MiB --delay 20ms --rate 20mbit --queue 64KiB --seed 5",
        "--bytes 4MiB --delay 20ms --rate 20mbit --queue codel --sysctl tcp_ecn=1 --seed 5",
    ] {
        for event in events(path) {
            assert!(event["time"].as_f64().is_some_and(|time| time >= 0.0), "{event}");
            assert!(["client", "server"].contains(&event["host"].as_str().expect("a host")), "{event}");
            for end in ["local", "peer"] {
                let address = event[end].as_str().expect("an address");
                assert!(address.parse::<std::net::SocketAddr>().is_ok(), "{event}");
            }
            let kind = event["event"].as_str().expect("a kind").to_owned();
            let row = FORMAT.lines().find(|line| line.starts_with(&format!("| `{kind}` |")));
            let row = row.unwrap_or_else(|| panic!("docs/events.md does not describe {kind}"));
            for field in event.as_object().expect("an object").keys() {
                let common = ["time", "host", "local", "peer", "event"].contains(&field.as_str());
                assert!(common || row.contains(&format!("`{field}`")), "docs/events.md: {field} of {kind}");
            }
            kinds.insert(kind);
        }
    }
    for kind in ["lost", "retransmit", "state", "reduced", "undo", "controller", "rto", "probe", "reordering", "dsack"]
    {
        assert!(kinds.contains(kind), "{kind} did not happen: {kinds:?}");
    }
}

#[test]
fn states_follow_on_each_other_and_whatever_is_sent_again_was_lost_before() {
    let mut states: BTreeMap<String, String> = BTreeMap::new();
    let mut lost: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let events = events("--bytes 2MiB --delay 20ms --loss 2% --direction both --seed 11");
    let mut resent = 0;
    for event in &events {
        let host = event["host"].as_str().expect("a host").to_owned();
        match event["event"].as_str().expect("a kind") {
            "state" => {
                let state = states.entry(host).or_insert_with(|| "open".to_owned());
                assert_eq!(event["from"], state.as_str(), "{event}");
                *state = event["to"].as_str().expect("a state").to_owned();
            }
            "lost" => {
                lost.entry(host).or_default().insert(number(event, "seq"));
            }
            "retransmit" => {
                resent += 1;
                assert!(lost[&host].contains(&number(event, "seq")), "{event}");
            }
            "reduced" => assert!(event["after"]["ssthresh"].as_u64().is_some(), "{event}"),
            _ => {}
        }
    }
    assert!(resent > 10, "{resent}");
    assert!(events.iter().any(|event| event["event"] == "lost" && event["why"] == "dupthresh"));
}

#[test]
fn the_transfer_is_the_same_with_and_without() {
    let run = |more: &[&str]| {
        let arguments =
            ["lab", "transfer", "--bytes", "500kB", "--loss", "5%", "--delay", "9ms", "--seed", "2", "--json"];
        let output = finish(segue().args(arguments).args(more), SOON);
        assert_success(&output);
        text(&output.stdout)
    };
    assert_eq!(run(&[]), run(&["--events", "/dev/null"]));
}

#[test]
fn a_full_disk_is_told_and_the_transfer_goes_on() {
    let arguments = ["lab", "transfer", "--bytes", "4MiB", "--loss", "5%", "--delay", "9ms", "--events", "/dev/full"];
    let output = finish(segue().args(arguments), SOON);
    assert_success(&output);
    let words = text(&output.stderr);
    assert_eq!(words.matches("/dev/full").count(), 1, "{words}");
    assert!(words.contains("No space left") && words.contains("the traffic goes on"), "{words}");
}

#[test]
fn a_run_tells_what_its_program_and_its_gateway_decide() {
    need!("curl");
    let folder = open_folder();
    let file = folder.path().join("events.jsonl");
    let mut command = segue();
    command.args(["run", "--quiet", "--delay", "5ms", "--loss", "3%", "--seed", "7", "--events"]).arg(&file);
    let output = finish(command.args(["--", "curl", "-sS", "-o", "/dev/null", "http://segue.test/4MiB"]), SOON);
    assert_success(&output);
    let lines = std::fs::read_to_string(&file).expect("the file");
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    // The gateway's host sends the file.
    let resent = |event: &&Value| event["host"] == "gateway" && event["event"] == "retransmit";
    assert!(events.iter().any(|event| resent(&event)), "{} events", events.len());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    assert!(events.iter().all(|event| (now - event["time"].as_f64().expect("seconds")).abs() < 120.0));
}

#[test]
fn a_file_that_cannot_be_made_is_refused_before_anything_starts() {
    for command in [&["lab", "transfer"][..], &["run"]] {
        let mut segue = segue();
        segue.args(command).args(["--events", "/no/such/folder/x"]);
        if command == ["run"] {
            segue.args(["--", "true"]);
        }
        let output = finish(&mut segue, SOON);
        assert!(!output.status.success());
        assert!(text(&output.stderr).contains("/no/such/folder/x"), "{}", text(&output.stderr));
    }
}
