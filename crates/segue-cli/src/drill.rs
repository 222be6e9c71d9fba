//! `segue drill`: packetdrill's script language against Segue's stack or this machine's kernel.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use segue_drill::{Against, Options, option_names, prepare_namespaces, run_files};

use crate::fail::Fail;

/// Play packetdrill scripts against the stack, in virtual time and without privileges; or against this machine's kernel.
///
/// Folders are searched for *.pkt. A script cannot touch this machine: its shell commands that set parameters act on the
/// host under test, others are errors. Against Linux every script has a network namespace of its own, in which all that it
/// does stays, and time is real. Exit status: 0 when all passed, 1 when some failed, 2 when some are malformed.
///
/// Options of the language may stand here as on packetdrill's own command line (--ip_version=ipv6, --tolerance_usecs=10000);
/// they win over those in a script.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue drill crates/segue-drill/scripts
  segue drill --against linux crates/segue-drill/scripts/B1
  segue drill --ip_version=ipv6 --mtu=1520 -D PEERMSS=1234 --json script.pkt
  segue drill --sysctl net.ipv4.tcp_congestion_control=reno --hz 250 --verbose script.pkt

A file of settings (--config) has lines such as
  hz = 250
  initcwnd = 4
  net.ipv4.tcp_rmem = 4096 131072 6291456
  tolerance_usecs = 9000")]
pub(crate) struct DrillArgs {
    /// Scripts, folders of them, or patterns ('tests/*/sack*.pkt').
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,

    /// What the scripts examine.
    #[arg(long, value_enum, default_value_t = Host::Segue, value_name = "HOST")]
    against: Host,

    /// Replace a word in the scripts.
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUE")]
    define: Vec<String>,

    /// An option of the language, as --NAME=VALUE would say in a script; this one wins.
    #[arg(long, value_name = "NAME[=VALUE]")]
    set: Vec<String>,

    /// Tolerance of all times, in microseconds. Default: 4000, or what a script says.
    #[arg(long, value_name = "MICROSECONDS")]
    tolerance: Option<u64>,

    /// Settings of the machine under test, and options of the language where a script does not say otherwise.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// A sysctl of the machine under test, before a script begins.
    #[arg(long, value_name = "NAME=VALUE")]
    sysctl: Vec<String>,

    /// Ticks of the stack's timers per second. Default: timers are exact.
    #[arg(long, value_name = "N")]
    hz: Option<u32>,

    /// Initial congestion window of the route to the peer, in segments. Default: 10.
    #[arg(long, value_name = "N")]
    initcwnd: Option<u32>,

    /// Scripts played at the same time. Default: one per processor, sixteen against Linux.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = crate::number::whole::<usize>(0..=1024))]
    jobs: usize,

    /// How often a script that fails against Linux is played again if this machine was too busy to play it in time.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = crate::number::whole::<u32>(0..=1000))]
    retries: u32,

    /// Read the scripts, and play nothing.
    #[arg(long)]
    dry_run: bool,

    /// Show every packet.
    #[arg(short, long)]
    verbose: bool,

    /// Answer with one JSON document.
    #[arg(long)]
    json: bool,

    /// Write the results to a file in JUnit's XML, too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Host {
    /// Segue's stack, in virtual time.
    Segue,
    /// This machine's kernel, in real time. Needs root, or user namespaces and access to /dev/net/tun.
    Linux,
}

/// The command line with options of the language (`--ip_version=ipv6`) as `--set` has them.
pub(crate) fn with_language_options(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_none_or(|command| command != "drill") {
        return arguments;
    }
    for argument in &mut arguments[2..] {
        let Some(option) = argument.to_str().and_then(|text| text.strip_prefix("--")) else { continue };
        let name = option.split('=').next().unwrap_or_default();
        // The command has its own of these.
        if !matches!(name, "define" | "verbose") && option_names().any(|known| known == name) {
            *argument = format!("--set={option}").into();
        }
    }
    arguments
}

fn pair(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    }
}

fn options(args: &DrillArgs) -> Result<Options, Fail> {
    let mut options = Options {
        settings: args.set.iter().map(|text| pair(text)).collect(),
        defines: args.define.clone(),
        against: match args.against {
            Host::Segue => Against::Segue,
            Host::Linux => Against::Linux,
        },
        jobs: args.jobs,
        retries: args.retries,
        verbose: args.verbose,
        dry_run: args.dry_run,
        ..Options::default()
    };
    if let Some(path) = &args.config {
        options.read_file(path).map_err(Fail::usage)?;
    }
    let tolerance = args.tolerance.map(|micros| ("tolerance_usecs".to_owned(), Some(micros.to_string())));
    options.settings.extend(tolerance);
    for text in &args.sysctl {
        let (name, value) =
            text.split_once('=').ok_or_else(|| Fail::usage(format!("--sysctl needs NAME=VALUE, not `{text}`")))?;
        options.machine.sysctls.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    options.machine.hz = args.hz.or(options.machine.hz);
    options.machine.initcwnd = args.initcwnd.or(options.machine.initcwnd);
    Ok(options)
}

/// Plays them all.
pub(crate) fn drill(args: DrillArgs) -> Result<ExitCode, Fail> {
    let options = options(&args)?;
    if args.against == Host::Linux && !args.dry_run {
        prepare_namespaces().map_err(Fail::usage)?;
    }
    let report = run_files(&args.paths, &options).map_err(Fail::usage)?;
    if let Some(path) = &args.junit {
        std::fs::write(path, report.to_junit())
            .map_err(|error| Fail::new(1, format!("cannot write {}: {error}", path.display())))?;
    }
    let text = match (args.json, args.verbose) {
        (true, _) => report.to_json(),
        (false, true) => report.to_verbose_text(),
        (false, false) => report.to_text(),
    };
    println!("{}", text.trim_end());
    Ok(ExitCode::from(report.exit_status()))
}

#[cfg(test)]
mod tests {
    use super::with_language_options;

    fn rewrite(arguments: &[&str]) -> Vec<String> {
        let rewritten = with_language_options(arguments.iter().map(Into::into));
        rewritten.into_iter().map(|argument| argument.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn options_of_the_language_may_stand_on_the_command_line() {
        assert_eq!(
            rewrite(&["segue", "drill", "--ip_version=ipv6", "--strict_segments", "--json", "-D", "X=1", "a.pkt"]),
            ["segue", "drill", "--set=ip_version=ipv6", "--set=strict_segments", "--json", "-D", "X=1", "a.pkt"]
        );
        assert_eq!(rewrite(&["segue", "path", "--mtu=9000"]), ["segue", "path", "--mtu=9000"]);
    }
}
