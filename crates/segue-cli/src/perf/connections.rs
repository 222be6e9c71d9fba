//! `segue perf connections`: what a connection costs when there are many.

use std::process::ExitCode;

use clap::Args;
use segue_perf::connections::{
    CapacityConfig, CapacityReport, ConnectionsConfig, ConnectionsReport, Cost, ENTRY, Listing, Opening, Round,
    SegmentCost, capacity, connections as measure,
};
use serde_json::{Value, json};

use super::instructions;
use crate::fail::Fail;

/// Hold many connections on one stack: bytes for each, how fast they open, what a segment costs.
///
/// The peers are simulated in twelve bytes each, taken beforehand, so that what grows is the server's. Rates are per second
/// of processor time.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue perf connections --count 1000000
  segue perf connections --count 1000000 --idle --json
  segue perf connections --count 1000000 --instructions
  segue perf connections --count 100000 --memory 50MB")]
pub(crate) struct ConnectionsArgs {
    /// How many, 10 to 100000000. A million needs 1.4 GB, of one kind 0.9 GB.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = crate::number::whole::<u32>(10..=100_000_000))]
    count: u32,

    /// Connections move nothing before they are weighed.
    #[arg(long, conflicts_with = "active")]
    idle: bool,

    /// Every connection moves a request and an answer before it rests and is weighed. The default.
    #[arg(long)]
    active: bool,

    /// Requests on connections drawn at random by which the cost of a segment is measured.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = crate::number::whole::<u32>(0..=u32::MAX.into()))]
    requests: u32,

    /// Leave out half-open connections and TIME-WAIT.
    #[arg(long)]
    established_only: bool,

    /// Open as many connections so many times more, and tell the longest round of what each round took at least: what the machine
    /// was busy with is not in it. 0 to 100.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = crate::number::whole::<u32>(0..=100))]
    repeat: u32,

    /// Fill a bare hash table with as many entries of 800 bytes beside, to tell what memory costs on this machine.
    #[arg(long)]
    beside_table: bool,

    /// Count the server's instructions per segment among 10 and among all connections, with valgrind: slow.
    #[arg(long)]
    instructions: bool,

    /// Give the stack so many bytes in all, e.g. 50MB, at least 1MiB, and open connections until one is refused: how many are
    /// let in, do they go on working, and does the stack stay within?
    #[arg(long, value_name = "SIZE", value_parser = crate::run::parse_memory, conflicts_with_all = ["instructions", "beside_table"])]
    memory: Option<u64>,

    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(crate) fn run(args: &ConnectionsArgs) -> Result<ExitCode, Fail> {
    if args.instructions {
        return instructions::run(args.count, args.json);
    }
    if let Some(memory) = args.memory {
        let config = CapacityConfig { count: args.count, memory, is_active: !args.idle, requests: args.requests };
        return fill(&config, args.json).map_err(super::broken);
    }
    let config = ConnectionsConfig {
        count: args.count,
        is_active: !args.idle,
        requests: args.requests,
        all_kinds: !args.established_only,
        repeat: args.repeat,
        beside_table: args.beside_table,
    };
    let report = measure(&config).map_err(super::broken)?;
    if args.json {
        println!("{}", as_json(&report));
    } else {
        print(&report);
    }
    Ok(super::verdict(&report.failures))
}

/// Fills a memory budget and prints.
fn fill(config: &CapacityConfig, as_json: bool) -> Result<ExitCode, segue_perf::PerfError> {
    let CapacityReport { established, segments, refused, failures } = capacity(config)?;
    if as_json {
        let counters: serde_json::Map<String, Value> =
            refused.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        println!(
            "{}",
            json!({
                "connections": established.count,
                "budget": config.memory,
                "heap_bytes": established.heap,
                "resident_bytes": established.resident,
                "segments": segments,
                "refused": counters,
                "missed": failures,
            })
        );
        return Ok(super::verdict(&failures));
    }
    let heap = established.heap.map_or_else(|| "?".to_owned(), |heap| heap.to_string());
    println!(
        "{} connections let in; heap {heap} bytes, resident set {}; budget {}",
        established.count, established.resident, config.memory
    );
    println!("{} requests on connections that are there: {segments} segments", config.requests);
    for (name, value) in refused {
        println!("{name:<34} {value:>12}");
    }
    Ok(super::verdict(&failures))
}

fn kinds(report: &ConnectionsReport) -> impl Iterator<Item = (&'static str, &Cost)> {
    let kinds = [
        ("established", Some(&report.established)),
        ("syn_received", report.syn_received.as_ref()),
        ("time_wait", report.time_wait.as_ref()),
    ];
    kinds.into_iter().filter_map(|(name, cost)| Some((name, cost?)))
}

fn as_json(report: &ConnectionsReport) -> Value {
    let cost = |cost: &Cost| {
        json!({
            "count": cost.count,
            "heap_bytes_each": cost.heap.map(|heap| heap / u64::from(cost.count)),
            "resident_bytes_each": cost.each(),
            "resident_bytes": cost.resident,
        })
    };
    let opening = |opening: &Opening| {
        json!({
            "connections": opening.connections,
            "per_second": opening.per_second.round(),
            "longest_round": round(&opening.longest),
            "longest_round_repeated": opening.longest_repeated.as_ref().map(round),
            "table_per_second": opening.table_per_second.map(f64::round),
        })
    };
    let segment = |cost: &SegmentCost| json!({ "connections": cost.connections, "segments": cost.segments, "nanoseconds_each": nanoseconds(cost) });
    let memory: serde_json::Map<String, Value> =
        kinds(report).map(|(name, of_kind)| (name.to_owned(), cost(of_kind))).collect();
    json!({
        "memory": memory,
        "opening": report.opening.iter().map(opening).collect::<Vec<_>>(),
        "segments": report.segments.iter().map(segment).collect::<Vec<_>>(),
        "listing": {
            "sockets": report.listing.sockets,
            "us": report.listing.time.as_micros() as u64,
            "longest_part_us": report.listing.longest.as_micros() as u64,
        },
        "missed": report.failures,
    })
}

fn round(round: &Round) -> Value {
    json!({
        "us": round.time.as_micros() as u64,
        "page_faults": round.page_faults,
        "switches": round.switches,
        "heap_bytes": round.heap,
    })
}

fn nanoseconds(cost: &SegmentCost) -> f64 {
    (cost.time.as_nanos() as f64 / cost.segments.max(1) as f64).round()
}

fn print(report: &ConnectionsReport) {
    for (name, cost) in kinds(report) {
        let heap = cost.heap.map_or_else(|| "?".to_owned(), |heap| (heap / u64::from(cost.count)).to_string());
        println!("{name:<13} {:>9}  {heap:>5} bytes each on the heap, {:>5} resident", cost.count, cost.each());
    }
    for opening in &report.opening {
        println!(
            "up to {:>15}  {:>9.0} connections opened per second, {} µs the longest round of 256",
            opening.connections,
            opening.per_second,
            opening.longest.time.as_micros()
        );
        for (what, round) in [("once", Some(opening.longest)), ("at least", opening.longest_repeated)] {
            let Some(Round { time, page_faults, switches, heap }) = round else { continue };
            println!(
                "{:<21}  {:>9} µs {what}, {page_faults} page faults, {switches} switches, {heap} bytes taken",
                "",
                time.as_micros()
            );
        }
        if let Some(per_second) = opening.table_per_second {
            println!("{:<21}  {per_second:>9.0} entries of {ENTRY} bytes put into a bare hash table per second", "");
        }
    }
    for cost in &report.segments {
        println!("among {:>15}  {:>9.0} ns of the server per segment", cost.connections, nanoseconds(cost));
    }
    let Listing { sockets, time, longest } = report.listing;
    println!("listed {sockets:>14}  in {time:.1?}, in parts of which the longest took {longest:.1?}");
}
