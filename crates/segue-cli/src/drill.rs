//! `segue drill`: packetdrill's script language against Segue's stack or this machine's kernel.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use segue_drill::{Against, Options, prepare_namespaces, run_files};

use crate::fail::Fail;

/// Play packetdrill scripts against the stack, in virtual time and without privileges; or against this machine's kernel.
///
/// Folders are searched for *.pkt. A script cannot touch this machine: its shell commands that set parameters act on the
/// stack under test, others are errors. Against Linux every script has a network namespace of its own, in which all that it
/// does stays, and time is real. Exit status: 0 when all passed, 1 when some failed, 2 when some are malformed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue drill crates/segue-drill/scripts
  segue drill --against linux crates/segue-drill/scripts/B1
  segue drill --set tolerance_usecs=10000 -D PEERMSS=1234 script.pkt --format junit")]
pub(crate) struct DrillArgs {
    /// Scripts, or folders of them.
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,

    /// An option of the language, as --NAME=VALUE would say in a script; this one wins.
    #[arg(long, value_name = "NAME[=VALUE]")]
    set: Vec<String>,

    /// Replace a word in the scripts.
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUE")]
    define: Vec<String>,

    /// What the scripts examine.
    #[arg(long, value_enum, default_value_t = Host::Segue, value_name = "HOST")]
    against: Host,

    /// Scripts played at the same time. Default: one per processor, sixteen against Linux.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,

    /// Read the scripts, and play nothing.
    #[arg(long)]
    dry_run: bool,

    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Host {
    /// Segue's stack, in virtual time.
    Segue,
    /// This machine's kernel, in real time. Needs root, or user namespaces and access to /dev/net/tun.
    Linux,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// What failed, and a count.
    Text,
    /// One JSON document.
    Json,
    /// JUnit's XML.
    Junit,
}

/// Plays them all.
pub(crate) fn drill(args: DrillArgs) -> Result<ExitCode, Fail> {
    let setting = |text: String| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (text, None),
    };
    if args.against == Host::Linux && !args.dry_run {
        prepare_namespaces().map_err(Fail::usage)?;
    }
    let options = Options {
        against: match args.against {
            Host::Segue => Against::Segue,
            Host::Linux => Against::Linux,
        },
        jobs: args.jobs,
        settings: args.set.into_iter().map(setting).collect(),
        defines: args.define,
        dry_run: args.dry_run,
        ..Options::default()
    };
    let report = run_files(&args.paths, &options).map_err(Fail::usage)?;
    let text = match args.format {
        Form::Text => report.to_text(),
        Form::Json => report.to_json(),
        Form::Junit => report.to_junit(),
    };
    println!("{}", text.trim_end());
    Ok(ExitCode::from(report.exit_status()))
}
