//! `segue perf soak`: connections that come and go for as long as wanted.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use segue_perf::soak::{Limit, Rooms, SoakConfig, SoakReport, soak};
use serde_json::{Value, json};

use crate::fail::Fail;

/// Let connections come and go over bad paths: is every byte right, and is nothing left behind?
///
/// Two hosts, twelve paths that lose, repeat, reorder and corrupt, in virtual time, as fast as the processor goes. In each
/// epoch the settings are drawn anew; after each, tables, timers and queues must be empty and memory must be what it was.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue perf soak --minutes 30
  segue perf soak --epochs 5 --seed 3 --json")]
pub(crate) struct SoakArgs {
    /// How long, in minutes on the wall; the epoch that has begun is finished.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = crate::number::whole::<u64>(1..=100_000))]
    minutes: u64,

    /// Instead: how many epochs. The same number and seed give the same run.
    #[arg(long, value_name = "N", conflicts_with = "minutes", value_parser = crate::number::whole::<u32>(1..=u32::MAX.into()))]
    epochs: Option<u32>,

    /// Connections in an epoch.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = crate::number::whole::<u32>(1..=u32::MAX.into()))]
    connections: u32,

    /// Seed of everything that is random.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = crate::number::whole::<u64>(0..=u64::MAX))]
    seed: u64,

    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Soaks and prints.
pub(crate) fn run(args: &SoakArgs) -> Result<ExitCode, Fail> {
    let limit = args.epochs.map_or(Limit::Wall(Duration::from_secs(60 * args.minutes)), Limit::Epochs);
    let config = SoakConfig { limit, conversations: args.connections, seed: args.seed };
    let report = soak(&config).map_err(super::broken)?;
    if args.json {
        println!("{}", as_json(&report));
    } else {
        print(&report);
    }
    Ok(super::verdict(&report.failures))
}

fn as_json(report: &SoakReport) -> Value {
    let counters: serde_json::Map<String, Value> =
        report.counters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({
        "epochs": report.epochs,
        "complete": report.complete,
        "broken_off": report.broken_off,
        "bytes_compared": report.bytes,
        "virtual_seconds": report.virtual_time.as_secs_f64(),
        "heap_bytes": report.heap.map(|(first, last)| [first, last]),
        "heap_bytes_at": report.heap_at,
        "rooms_bytes": report.rooms.iter().map(rooms).collect::<Vec<_>>(),
        "descriptors": [report.descriptors.0, report.descriptors.1],
        "counters": counters,
        "missed": report.failures,
    })
}

fn rooms(rooms: &Rooms) -> Value {
    let tables: serde_json::Map<String, Value> =
        rooms.tables.iter().map(|(name, bytes)| ((*name).to_owned(), json!(bytes))).collect();
    json!({ "epoch": rooms.epoch, "tables": tables, "rest": rooms.rest })
}

/// What tables keep at the start, in the middle and at the end.
fn print_rooms(all: &[Rooms]) {
    let Some((first, last)) = all.first().zip(all.last()) else { return };
    let shown = [first, &all[all.len() / 2], last];
    println!(
        "bytes that tables keep   after epoch {:>10} {:>10} {:>10}",
        shown[0].epoch, shown[1].epoch, shown[2].epoch
    );
    let row = |name: &str, [a, b, c]: [u64; 3]| println!("  {name:<34} {a:>10} {b:>10} {c:>10}");
    for (at, (name, _)) in last.tables.iter().enumerate() {
        row(name, shown.map(|rooms| rooms.tables.get(at).map_or(0, |(_, bytes)| *bytes)));
    }
    row("everything else", shown.map(|rooms| rooms.rest));
}

fn print(report: &SoakReport) {
    println!(
        "{} epochs, {:.0} s of virtual time: {} connections complete, {} broken off on purpose, {} bytes compared",
        report.epochs,
        report.virtual_time.as_secs_f64(),
        report.complete,
        report.broken_off,
        report.bytes
    );
    if let Some((first, last)) = report.heap {
        println!("heap: {first} bytes after the second epoch, {last} after the last");
    }
    if !report.heap_at.is_empty() {
        let at: Vec<String> = report.heap_at.iter().map(|(epoch, heap)| format!("{epoch}: {heap}")).collect();
        println!("heap after epochs {}", at.join(", "));
    }
    print_rooms(&report.rooms);
    println!("descriptors: {} before, {} after", report.descriptors.0, report.descriptors.1);
}
