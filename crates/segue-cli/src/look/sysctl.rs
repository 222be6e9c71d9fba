//! `segue sysctl`: reads and sets the parameters of running hosts, as sysctl(8) does the kernel's.

use std::process::ExitCode;

use clap::Args;
use segue::Settings;
use segue::control::{Answer, Endpoint, Request, SysctlLine};
use serde_json::json;

use super::{Which, ask, strange, title};
use crate::fail::Fail;

/// Read and set the parameters of running hosts, by Linux's names.
///
/// Names may be written net.ipv4.tcp_rmem, tcp_rmem, net/ipv4/tcp_rmem or as the path below /proc/sys. A change acts at
/// once, on the hosts it is made on and as long as they run.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue sysctl -a                              # every parameter of every running host
  segue sysctl tcp_rmem
  segue sysctl --describe tcp_rmem             # what it means, its range, unit and default; needs no running host
  segue sysctl -n --host program tcp_sack
  segue sysctl -w tcp_keepalive_time=60")]
pub(crate) struct SysctlArgs {
    #[command(flatten)]
    which: Which,

    /// Print every parameter.
    #[arg(short, long)]
    all: bool,

    /// Print values without names.
    #[arg(short = 'n', long, conflicts_with = "names")]
    values: bool,

    /// Print names without values.
    #[arg(short = 'N', long)]
    names: bool,

    /// Every argument sets a parameter.
    #[arg(short, long)]
    write: bool,

    /// Tell of each NAME what it means, its unit, default and range, and whom a change reaches; with -a of all.
    #[arg(long, conflicts_with_all = ["values", "names", "write", "quiet"])]
    describe: bool,

    /// Print nothing about what was set.
    #[arg(short, long)]
    quiet: bool,

    /// One line of JSON per host.
    #[arg(long)]
    json: bool,

    /// NAME, or NAME=VALUE to set it.
    #[arg(value_name = "NAME[=VALUE]", required_unless_present = "all")]
    parameters: Vec<String>,
}

pub(crate) fn sysctl(args: &SysctlArgs) -> Result<ExitCode, Fail> {
    if args.describe {
        return describe(args);
    }
    if let Some(bare) = args.parameters.iter().find(|parameter| args.write && !parameter.contains('=')) {
        return Err(Fail::usage(format!("-w sets, so {bare:?} needs a value: {bare}=VALUE")));
    }
    let endpoints = args.which.find()?;
    let several = endpoints.len() > 1;
    let mut failed = None;
    for endpoint in &endpoints {
        match lines(args, endpoint) {
            Ok(lines) => print(args, endpoint, several, &lines),
            // The others are still asked, and set.
            Err(fail) => failed = Some(fail),
        }
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

fn describe(args: &SysctlArgs) -> Result<ExitCode, Fail> {
    let all = Settings::names().filter(|_| args.all).map(str::to_owned);
    for (at, name) in all.chain(args.parameters.iter().cloned()).enumerate() {
        let about = Settings::describe(&name).map_err(|error| Fail::new(1, error))?;
        if args.json {
            let range = about.lowest.zip(about.highest).map(|(low, high)| json!([low, high]));
            println!(
                "{}",
                json!({
                    "name": about.name, "meaning": about.meaning, "unit": about.unit, "default": about.default,
                    "range": range, "reach": about.reach.to_string(), "fixed": about.why,
                })
            );
            continue;
        }
        if at > 0 {
            println!("");
        }
        println!("{}\n  {}", about.name, about.meaning);
        println!("  default  {}\n  takes    {}\n  reaches  {}", about.default, about.takes, about.reach);
        if let Some(why) = about.why {
            println!("  fixed    {why}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(args: &SysctlArgs, endpoint: &Endpoint) -> Result<Vec<SysctlLine>, Fail> {
    let mut lines = Vec::new();
    let mut take = |request: &Request, shown: bool| match ask(endpoint, request)? {
        Answer::Sysctls { lines: more } => {
            lines.extend(more.into_iter().filter(|_| shown));
            Ok(())
        }
        _ => Err(strange(endpoint)),
    };
    if args.all {
        take(&Request::Sysctls, true)?;
    }
    for parameter in &args.parameters {
        match parameter.split_once('=') {
            Some((name, value)) => {
                let request = Request::SetSysctl { name: name.trim().into(), value: value.trim().into() };
                take(&request, !args.quiet)?;
            }
            None => take(&Request::Sysctl { name: parameter.clone() }, true)?,
        }
    }
    Ok(lines)
}

fn print(args: &SysctlArgs, endpoint: &Endpoint, several: bool, lines: &[SysctlLine]) {
    if args.json {
        let values: serde_json::Map<_, _> =
            lines.iter().map(|line| (line.name.clone(), line.value.clone().into())).collect();
        println!("{}", json!({ "pid": endpoint.pid, "host": endpoint.name, "sysctls": values }));
        return;
    }
    if several && !lines.is_empty() {
        println!("# {}", title(endpoint));
    }
    for line in lines {
        match (args.values, args.names) {
            (true, _) => println!("{}", line.value),
            (_, true) => println!("{}", line.name),
            _ => println!("{} = {}", line.name, line.value),
        }
    }
}
