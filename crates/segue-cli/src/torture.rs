//! `segue lab torture`: many seeds, each a path as bad as chance makes it.
//!
//! Decides how seeds are spread over threads and what is said of them; what a seed stands for and how long anybody
//! may stand still is the lab's.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use segue_lab::{Ordeal, describe, torture};
use serde_json::json;

use crate::fail::Fail;

/// Send 1 MiB each way over random paths: rate, delay, loss, bursts, reordering, duplicates, corruption, queues.
///
/// Time is virtual and every seed repeats itself. A seed fails when a hash is wrong, a connection breaks, or a direction
/// stands still for longer than the timeouts that its lost packets may have cost. The path of every eighth seed is then cut
/// for good: both ends have to give up (ETIMEDOUT) in the time that the default of tcp_retries2 means, and keep nothing. Exit status: 0 when all are survived,
/// 1 when not; what failed is named with the command that repeats it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue lab torture --seeds 100
  segue lab torture --seeds 10000 --jobs 2 --json
  segue lab torture --first 4711 --seeds 1")]
pub(crate) struct TortureArgs {
    /// How many seeds.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = crate::number::whole::<u64>(0..=u64::MAX))]
    seeds: u64,

    /// The first one; each next one is higher by one.
    #[arg(long, value_name = "SEED", default_value_t = 1, value_parser = crate::number::whole::<u64>(0..=u64::MAX))]
    first: u64,

    /// Seeds at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = crate::number::whole::<u64>(1..=1024))]
    jobs: u64,

    /// Print one line of JSON per failure, and one at the end.
    #[arg(long)]
    json: bool,
}

#[derive(Default)]
struct Tally {
    survived: u64,
    failed: Vec<u64>,
    seconds: f64,
    retransmits: u64,
    /// Which seed stood still longest, how long, and how long it might have.
    longest: Option<(u64, Duration, Duration)>,
}

/// Runs all seeds.
pub(crate) fn run(args: &TortureArgs) -> Result<ExitCode, Fail> {
    let Some(end) = args.first.checked_add(args.seeds) else {
        return Err(Fail::usage(format!("there are no {} seeds from {} on", args.seeds, args.first)));
    };
    let next = AtomicU64::new(args.first);
    let tally = Mutex::new(Tally::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let outcome = torture(seed).map_err(|error| error.to_string());
            let mut tally = tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            tally.note(seed, outcome, args.json);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(work);
        }
    });
    let tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    tally.sum_up(args);
    Ok(if tally.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Tally {
    fn note(&mut self, seed: u64, outcome: Result<Ordeal, String>, as_json: bool) {
        let why = match outcome {
            Ok(Ordeal { report, longest_gap, explained }) => {
                self.seconds += report.closed_after.as_secs_f64();
                self.retransmits += report.retransmits;
                if self.longest.is_none_or(|(_, gap, _)| gap < longest_gap) {
                    self.longest = Some((seed, longest_gap, explained));
                }
                if report.sha256_ok {
                    self.survived += 1;
                    return;
                }
                "what was read is not what was written".to_owned()
            }
            Err(error) => error,
        };
        self.failed.push(seed);
        if as_json {
            println!("{}", json!({ "seed": seed, "error": why, "path": describe(seed) }));
        } else {
            println!("seed {seed}: {why}\n  {}\n  again: segue lab torture --first {seed} --seeds 1", describe(seed));
        }
    }

    fn sum_up(&self, args: &TortureArgs) {
        let (seed, gap, explained) = self.longest.unwrap_or_default();
        let (gap, explained) = (gap.as_secs_f64(), explained.as_secs_f64());
        if args.json {
            let line = json!({
                "seeds": args.seeds,
                "first": args.first,
                "survived": self.survived,
                "failed": self.failed,
                "virtual_seconds": self.seconds,
                "retransmits": self.retransmits,
                "longest_gap": { "seed": seed, "seconds": gap, "explained": explained },
            });
            println!("{line}");
            return;
        }
        println!(
            "{} of {} seeds survived in {:.0} s of virtual time; {} segments sent again",
            self.survived, args.seeds, self.seconds, self.retransmits
        );
        println!("longest time without progress: {gap:.3} s (seed {seed}; its losses explain {explained:.3} s)");
    }
}
