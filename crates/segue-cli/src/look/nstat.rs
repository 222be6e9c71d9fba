//! `segue nstat`: the counters of running hosts, as nstat(8) shows the kernel's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use segue::control::{Answer, CounterLine, Endpoint, Request};
use serde_json::json;

use super::{Which, ask, strange, title};
use crate::fail::Fail;

/// Show what happened how often on running hosts, by Linux's names (TcpExtTCPLossProbes …).
///
/// Shows what has been added since the last time, and remembers; -a shows everything since the host began. Counters that
/// Linux has no name for begin with Segue.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue nstat                                  # since the last time
  segue nstat -as 'Tcp*Retrans*'               # since the beginning, and remember nothing
  segue nstat --json")]
pub(crate) struct NstatArgs {
    #[command(flatten)]
    which: Which,

    /// Since the host began.
    #[arg(short, long)]
    absolute: bool,

    /// Also what never happened.
    #[arg(short, long)]
    zeros: bool,

    /// Remember nothing.
    #[arg(short = 's', long)]
    noupdate: bool,

    /// Print nothing, only remember.
    #[arg(short, long, conflicts_with = "noupdate")]
    nooutput: bool,

    /// Forget what was remembered.
    #[arg(short, long)]
    reset: bool,

    /// One line of JSON per host.
    #[arg(short, long)]
    json: bool,

    /// Only these; * stands for anything, ? for one character.
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
}

pub(crate) fn nstat(args: &NstatArgs) -> Result<ExitCode, Fail> {
    let endpoints = args.which.find()?;
    let several = endpoints.len() > 1;
    for endpoint in &endpoints {
        let Answer::Counters { lines } = ask(endpoint, &Request::Counters)? else { return Err(strange(endpoint)) };
        let memory = Memory::of(endpoint)?;
        let before = if args.absolute || args.reset { BTreeMap::new() } else { memory.recall() };
        if !args.noupdate {
            memory.remember(&lines)?;
        }
        if !args.nooutput {
            print(args, endpoint, several, &lines, &before);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(args: &NstatArgs, endpoint: &Endpoint, several: bool, lines: &[CounterLine], before: &BTreeMap<String, u64>) {
    let wanted = |name: &str| args.patterns.is_empty() || args.patterns.iter().any(|pattern| matches(pattern, name));
    let shown = lines.iter().filter(|line| wanted(&line.name)).filter_map(|line| {
        let value = line.value.saturating_sub(before.get(&line.name).copied().unwrap_or(0));
        (args.zeros || value > 0).then_some((line.name.as_str(), value))
    });
    if args.json {
        let counters: serde_json::Map<_, _> = shown.map(|(name, value)| (name.to_owned(), value.into())).collect();
        println!("{}", json!({ "pid": endpoint.pid, "host": endpoint.name, "counters": counters }));
        return;
    }
    if several {
        println!("# {}", title(endpoint));
    }
    for (name, value) in shown {
        println!("{name:<32}{value:<16}");
    }
}

/// `*` and `?`, as a shell has them; upper and lower case are the same, as for nstat.
fn matches(pattern: &str, name: &str) -> bool {
    fn rest(pattern: &[u8], name: &[u8]) -> bool {
        // The last star and where it was tried: enough to try again, without recursion.
        let (mut p, mut n, mut star) = (0, 0, None);
        while n < name.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some((p, n));
                    p += 1;
                }
                Some(c) if *c == b'?' || c.eq_ignore_ascii_case(&name[n]) => (p, n) = (p + 1, n + 1),
                _ => match star {
                    Some((at, tried)) => {
                        star = Some((at, tried + 1));
                        (p, n) = (at + 1, tried + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|c| *c == b'*')
    }
    rest(pattern.as_bytes(), name.as_bytes())
}

/// What was shown of a host last time.
struct Memory(PathBuf);

impl Memory {
    fn of(endpoint: &Endpoint) -> Result<Memory, Fail> {
        let directory = segue::control::directory().map_err(|error| Fail::new(1, error))?;
        Ok(Memory(directory.join(format!("{}-{}.nstat", endpoint.pid, endpoint.name))))
    }

    /// Nothing, when there is nothing that can be read: then everything is new.
    fn recall(&self) -> BTreeMap<String, u64> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn remember(&self, lines: &[CounterLine]) -> Result<(), Fail> {
        let values: BTreeMap<&str, u64> = lines.iter().map(|line| (line.name.as_str(), line.value)).collect();
        let write = || std::fs::write(&self.0, serde_json::to_vec(&values)?);
        write().map_err(|error| Fail::new(1, format!("cannot remember in {}: {error}; use -s", self.0.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_a_shells_do() {
        for (pattern, name, fits) in [
            ("TcpRetransSegs", "TcpRetransSegs", true),
            ("tcpretranssegs", "TcpRetransSegs", true),
            ("Tcp*", "TcpRetransSegs", true),
            ("*Segs", "TcpRetransSegs", true),
            ("*Ret*Segs", "TcpRetransSegs", true),
            ("Tcp?etransSegs", "TcpRetransSegs", true),
            ("Tcp", "TcpRetransSegs", false),
            ("*x*", "TcpRetransSegs", false),
            ("*", "", true),
            ("?", "", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
