//! `segue perf flood`: real clients at a server that is attacked.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use segue_perf::flood::{Attack, FloodConfig, FloodReport, Rate, flood};
use serde_json::{Value, json};

use crate::fail::Fail;

/// Attack a server while real clients use it: do they all get what they ask for, how late, in how much memory?
///
/// Attackers, clients and server share one processor, and time is processor time: 2 s may take longer on a busy machine.
/// Attacks: syn, ack, rst (spoofed), fragments (whose rest never comes), tiny (single bytes with gaps), zero-window and
/// slow-reader (ask for a megabyte and do not read it), tails (full segments, never the first), unread (send to a program
/// that does not read), half-closed and idle (connections without number: with --memory only). Every client must be served
/// and memory must stay flat; idle connections keep newcomers out, and clients that are connected are served.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue perf flood --rate max --seconds 10
  segue perf flood --rate max --seconds 10 --attack syn,ack --json
  segue perf flood --rate max --overload 25 --seconds 10
  segue perf flood --attack all --memory 50MB --seconds 10
  segue perf flood --rate 50000 --seconds 10 --sysctl tcp_syncookies=2")]
pub(crate) struct FloodArgs {
    /// Packets of the attackers per second, or max: as many as the server takes.
    #[arg(long, value_name = "N", default_value = "max", value_parser = pace)]
    rate: Pace,

    /// With --rate max, send so many per cent more: these are dropped before the stack sees them, and clients lose the same
    /// share of their packets. 0 to 100.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = crate::number::whole::<u32>(0..=100))]
    overload: u32,

    /// How long, in seconds of processor time, 1 to 86400.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = crate::number::whole::<u64>(1..=86_400))]
    seconds: u64,

    /// Which attacks, all at once, or all: without idle, and without half-closed unless --memory is given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "all", value_parser = attack_names())]
    attack: Vec<String>,

    /// Set a parameter of the server by Linux's name, e.g. tcp_syncookies=2.
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::run::parse_sysctl)]
    sysctl: Vec<(String, String)>,

    /// Bytes of memory that the server's stack may take in all, e.g. 50MB; at least 1MiB. Growth beyond it is a bar missed.
    #[arg(long, value_name = "SIZE", value_parser = crate::run::parse_memory)]
    memory: Option<u64>,

    /// Seed of everything that is random.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = crate::number::whole::<u64>(0..=u64::MAX))]
    seed: u64,

    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// How fast attackers send.
#[derive(Clone, Copy)]
enum Pace {
    /// As fast as the server takes it.
    Max,
    PerSecond(u64),
}

fn pace(text: &str) -> Result<Pace, String> {
    if text == "max" {
        return Ok(Pace::Max);
    }
    match text.parse() {
        Ok(rate) if rate > 0 => Ok(Pace::PerSecond(rate)),
        _ => Err("give packets per second, at least 1, or max".to_owned()),
    }
}

/// What `--attack` takes: whoever misspells one is told the nearest.
fn attack_names() -> PossibleValuesParser {
    PossibleValuesParser::new(Attack::ALL.map(Attack::name).into_iter().chain(["all"]))
}

fn attacks(names: &[String], has_budget: bool) -> Result<Vec<Attack>, Fail> {
    let mut attacks = Vec::new();
    for name in names {
        let named = match name.as_str() {
            "all" => Attack::all(has_budget),
            name => vec![name.parse().map_err(Fail::usage)?],
        };
        attacks.extend(named);
    }
    Ok(attacks)
}

/// Attacks and prints.
pub(crate) fn run(args: &FloodArgs) -> Result<ExitCode, Fail> {
    let config = FloodConfig {
        attacks: attacks(&args.attack, args.memory.is_some())?,
        rate: match args.rate {
            Pace::Max => Rate::Max { overload_percent: args.overload },
            Pace::PerSecond(rate) => Rate::PerSecond(rate),
        },
        duration: Duration::from_secs(args.seconds),
        sysctls: args.sysctl.clone(),
        memory: args.memory,
        seed: args.seed,
    };
    let report = flood(&config).map_err(super::broken)?;
    if args.json {
        println!("{}", as_json(&config, &report));
    } else {
        print(&config, &report);
    }
    Ok(super::verdict(&report.failures))
}

fn names(config: &FloodConfig) -> Vec<&'static str> {
    config.attacks.iter().map(|attack| attack.name()).collect()
}

fn rate_of(report: &FloodReport) -> f64 {
    (report.attack_packets as f64 / report.time.as_secs_f64().max(1e-9)).round()
}

fn as_json(config: &FloodConfig, report: &FloodReport) -> Value {
    let [median, p99, longest] = report.latency.map(|time| time.as_micros() as u64);
    let counters: serde_json::Map<String, Value> =
        report.counters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let usage = &report.usage;
    json!({
        "attacks": names(config),
        "seconds": report.time.as_secs_f64(),
        "attack_packets": report.attack_packets,
        "attack_packets_per_second": rate_of(report),
        "clients_served": report.clients_served,
        "clients_failed": report.clients_failed,
        "clients_refused": report.clients_refused,
        "latency_us": { "median": median, "p99": p99, "longest": longest },
        "heap_bytes": report.heap,
        "resident_bytes": report.resident,
        "grown": { "heap": report.grown.heap, "resident": report.grown.resident, "budget": config.memory },
        "entries": {
            "sockets": usage.sockets,
            "syn_received": usage.opening,
            "time_wait": usage.time_wait,
            "orphans": usage.orphans,
            "fragment_bytes": usage.fragment_bytes,
            "queued_bytes": usage.queued_bytes,
        },
        "counters": counters,
        "missed": report.failures,
    })
}

/// Of samples at even distances, those after a quarter, half, three quarters and all of the time.
fn quarters(samples: &[u64]) -> impl Iterator<Item = u64> {
    let last = samples.len().checked_sub(1);
    last.into_iter().flat_map(move |last| (1..=4).map(move |n| samples[last * n / 4]))
}

fn print(config: &FloodConfig, report: &FloodReport) {
    let [median, p99, longest] = report.latency;
    println!(
        "{}: {} packets in {:.1} s of processor time, {:.0} per second",
        names(config).join(" + "),
        report.attack_packets,
        report.time.as_secs_f64(),
        rate_of(report)
    );
    println!(
        "clients: {} served, {} failed, {} newcomers refused; median {median:.1?}, p99 {p99:.1?}, longest {longest:.1?}",
        report.clients_served,
        report.clients_failed.len(),
        report.clients_refused
    );
    for (what, samples) in [("heap", &report.heap), ("resident set", &report.resident)] {
        let at: Vec<String> = quarters(samples).map(|bytes| format!("{:.2}", bytes as f64 / 1e6)).collect();
        if !at.is_empty() {
            println!("{what}: {} MB after each quarter of the attack", at.join(", "));
        }
    }
    if let Some(memory) = config.memory {
        let heap = report.grown.heap.map_or_else(|| "?".to_owned(), |heap| heap.to_string());
        println!("grown by at most: heap {heap} bytes, resident set {}; budget {memory}", report.grown.resident);
    }
    for (name, value) in &report.counters {
        println!("{name:<34} {value:>12}");
    }
}
