//! The `segue` command: reads the command line, calls the rooms, says how it ended.
//!
//! Decides names of options, words and exit statuses; decides nothing about
//! networks. Messages go to standard error and begin with `segue:`; what a
//! command is asked for goes to standard output.

#![allow(rustdoc::broken_intra_doc_links, reason = "doc comments of options are their help texts")]

#[macro_use]
mod out;

mod drill;
mod emulator;
mod fail;
mod lab;
mod look;
mod number;
mod path;
mod perf;
mod ping;
mod progress;
mod report;
mod run;
mod serve;
mod torture;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use segue_kernel::allocation::Counted;

use crate::fail::Fail;

/// Blocks of a size lie together, whoever holds them and for how long: among a million connections, what a request needs for a
/// moment is found at once (docs/scale.md). And what is in use is known, which `segue perf` reports.
#[global_allocator]
static ALLOCATOR: Counted<MiMalloc> = Counted(MiMalloc);

/// TCP/IP in your process: run programs on a bad network, without root.
#[derive(Parser)]
#[command(name = "segue", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  segue run --delay 60ms --loss 1% -- curl -O http://segue.test/64MiB
  segue run -p 8080:80 --rate 2mbit -- ./my-server
  segue ping --delay 30ms --loss 5% segue.test
  segue lab transfer --bytes 64MiB --delay 20ms --loss 1%
  segue path --a sga --netns-a left --b sgb --netns-b right --delay 20ms --rate 20mbit
  segue serve --tun segue0 --addr 10.7.0.2/24

Each command explains its options: segue run --help";

#[derive(Subcommand)]
enum Command {
    Run(run::RunArgs),
    Serve(serve::ServeArgs),
    Ping(ping::PingArgs),
    Path(Box<emulator::EmulatorArgs>),
    #[command(subcommand)]
    Lab(lab::LabCommand),
    #[command(subcommand)]
    Perf(perf::PerfCommand),
    Drill(drill::DrillArgs),
    Ss(look::SsArgs),
    Nstat(look::NstatArgs),
    Sysctl(look::SysctlArgs),
}

fn main() -> ExitCode {
    let arguments = drill::with_language_options(std::env::args_os());
    let outcome = match Cli::parse_from(arguments).command {
        Command::Run(args) => run::run(args),
        Command::Serve(args) => serve::serve(args),
        Command::Ping(args) => ping::ping(args),
        Command::Path(args) => emulator::path(*args),
        Command::Lab(command) => lab::lab(command),
        Command::Perf(command) => perf::perf(command),
        Command::Drill(args) => drill::drill(args),
        Command::Ss(args) => look::ss(&args),
        Command::Nstat(args) => look::nstat(&args),
        Command::Sysctl(args) => look::sysctl(&args),
    };
    outcome.unwrap_or_else(Fail::report)
}
