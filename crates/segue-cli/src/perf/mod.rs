//! `segue perf`: what a server of this stack bears, measured on this machine and judged.

mod connections;
mod flood;
mod instructions;
mod soak;

use std::process::ExitCode;

use clap::Subcommand;

use crate::fail::Fail;

/// Measure a server under load: how many connections it holds, what each costs, what attacks do to it.
///
/// Everything happens in this process, over a link in memory; no privileges are needed. Each measurement has a bar. Exit
/// status: 0 when every bar was passed, 1 when one was missed.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  segue perf connections --count 1000000 --json
  segue perf flood --rate max --seconds 10
  segue perf soak --minutes 30
  segue perf connections --count 100000 --instructions")]
pub(crate) enum PerfCommand {
    Connections(connections::ConnectionsArgs),
    Flood(flood::FloodArgs),
    Soak(soak::SoakArgs),
}

/// The status of a command whose bar was missed.
const MISSED: u8 = 1;
/// The status of a command that could not measure.
const BROKEN: u8 = 125;

/// Runs one of them.
pub(crate) fn perf(command: PerfCommand) -> Result<ExitCode, Fail> {
    match command {
        PerfCommand::Connections(args) => connections::run(&args),
        PerfCommand::Flood(args) => flood::run(&args),
        PerfCommand::Soak(args) => soak::run(&args),
    }
}

/// Says which bars were missed, and ends accordingly.
fn verdict(failures: &[String]) -> ExitCode {
    for failure in failures {
        eprintln!("segue: missed: {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(MISSED) }
}

/// An experiment that could not be made.
fn broken(error: segue_perf::PerfError) -> Fail {
    match error {
        segue_perf::PerfError::Usage(message) => Fail::usage(message),
        other => Fail::new(BROKEN, other),
    }
}
