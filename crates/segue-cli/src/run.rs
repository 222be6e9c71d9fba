//! `segue run`: a program's sockets become Segue's.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use segue::Cidr;
use segue_link::units::{parse_bytes, parse_duration};
use segue_run::{Closing, Descendants, Network, NetworkConfig, ProcNet, Publish, RunConfig, RunError};

use crate::fail::Fail;
use crate::path::{PathArgs, SeedArg};
use crate::report;

/// Run a program with its TCP and UDP sockets on Segue, across an emulated path.
///
/// The program is unmodified and needs no privilege; what it starts is inside, too. Its packets cross the path to a
/// gateway in this process, which continues each flow as an ordinary socket of this machine. Exit status: the program's;
/// 128+n when signal n ended it; 126 or 127 when it could not be executed or found; 125 when Segue could not start; 2
/// for a wrong command line. What went over the network is said on standard error at the end.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    path: PathArgs,

    #[command(flatten)]
    seed: SeedArg,

    /// Publish a port of the program: [ADDRESS:]HOST:GUEST[/udp].
    ///
    /// Without an address this machine's 127.0.0.1 is used. May be given several times.
    #[arg(short = 'p', long = "publish", value_name = "PORTS", value_parser = parse_publish)]
    publish: Vec<Publish>,

    /// Set a parameter of the program's stack by Linux's name, e.g. tcp_rmem="4096 131072 6291456".
    ///
    /// May be given several times. Numbers of a list may be separated by commas.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_sysctl)]
    sysctl: Vec<(String, String)>,

    /// Bytes of memory that the stack may take in all, e.g. 50MB; at least 1MiB.
    ///
    /// What does not fit is refused by kind, counted, and told at the end. Default: no bound.
    #[arg(long, value_name = "SIZE", value_parser = parse_memory)]
    memory: Option<u64>,

    /// Write every packet at the program's end of the path to a pcapng file.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,

    /// Write what connections decide about loss and congestion to a file, one line of JSON each (docs/events.md).
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,

    /// Put the program on a real TUN device of this name instead of the built-in network (needs CAP_NET_ADMIN).
    ///
    /// The device is made, given the program's network, and removed at the end. What the path is told to do happens
    /// between the program and the device.
    #[arg(long, value_name = "NAME", requires = "addr")]
    tun: Option<String>,

    /// With --tun: address and prefix of the program's host, e.g. 10.7.0.2/24 or fd07::2/64. One of each family.
    #[arg(long, value_name = "CIDR", requires = "tun")]
    addr: Vec<Cidr>,

    /// With --tun: address of the kernel's end. Default: the first other host address of the prefix.
    #[arg(long, value_name = "IP", requires = "tun")]
    peer: Option<IpAddr>,

    /// With --tun: leave checksums and segmentation to no one but Segue.
    #[arg(long, requires = "tun")]
    no_offload: bool,

    /// How long what was written may still take to arrive when the program has ended.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    linger: Duration,

    /// close() waits where SO_LINGER names a time, as on Linux. Every close() of the program then takes some microseconds
    /// more. Without it close() returns at once, and the rest is delivered in the background.
    #[arg(long)]
    wait_on_close: bool,

    /// Programs find the sockets, counters, interfaces and routes of their own network in /proc/net (tcp, udp, snmp,
    /// netstat, sockstat, dev, route, igmp, arp and those of IPv6), not this machine's: for ss, netstat, ifconfig, route,
    /// node_exporter. Every file that the program opens for reading
    /// then takes some microseconds more.
    #[arg(long)]
    proc_net: bool,

    /// End what the program left running in the background, instead of waiting for it.
    #[arg(long)]
    end_background: bool,

    /// Say what the gateway refuses, and why, as it happens.
    #[arg(short, long)]
    verbose: bool,

    /// Say nothing at the end about what went over the network.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  segue run --delay 20ms --loss 1% --seed 7 --pcap run.pcapng -- curl -o 64MiB.bin http://segue.test/64MiB
  segue run --rate 2mbit/512kbit --queue 64KiB -- wget https://example.org/
  segue run -p 8080:80 --loss 2% --reorder 5% -- ./my-server --port 80
  segue run --sysctl tcp_timestamps=0 -- ./my-program
  segue run --tun segue0 --addr 10.7.0.2/24 -- curl http://10.7.0.1/

segue.test is built in: echo 7, discard 9, chargen 19, HTTP 80 (GET /64MiB, PUT /).";

fn parse_publish(text: &str) -> Result<Publish, String> {
    text.parse().map_err(|error: segue_run::PublishError| error.to_string())
}

pub(crate) fn parse_sysctl(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.trim().to_owned(), value.trim().replace(',', " ")))
        }
        _ => Err(format!("'{text}' sets nothing; write NAME=VALUE, e.g. tcp_timestamps=0")),
    }
}

impl RunArgs {
    fn network(&self) -> Result<Network, Fail> {
        match &self.tun {
            None => Ok(Network::Embedded { path: self.path.config(self.seed.value())? }),
            Some(name) => Ok(Network::Tun {
                name: name.clone(),
                addresses: self.addr.clone(),
                peer: self.peer,
                mtu: self.path.mtu(),
                offload: !self.no_offload,
                path: self.path.given(self.seed.value())?,
            }),
        }
    }
}

/// Least that a stack can live in.
const LEAST_MEMORY: u64 = 1 << 20;

/// The value of `--memory`.
pub(crate) fn parse_memory(text: &str) -> Result<u64, String> {
    match parse_bytes(text) {
        Ok(bytes) if bytes < LEAST_MEMORY => Err(format!("{text} is too little for a stack: give at least 1MiB")),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs the program and gives its exit status.
pub(crate) fn run(args: RunArgs) -> Result<ExitCode, Fail> {
    let pcap = args.pcap.clone();
    let words: Vec<_> = args.program.iter().map(|word| word.to_string_lossy()).collect();
    let network = NetworkConfig {
        verbose: args.verbose,
        network: args.network()?,
        seed: args.seed.chosen(),
        comment: format!("segue run, seed {}: {}", args.seed.value(), words.join(" ")),
        sysctls: args.sysctl,
        memory: args.memory,
        pcap: args.pcap,
        events: args.events,
    };
    let mut config = RunConfig::new(args.program);
    config.network = network;
    config.publish = args.publish;
    config.linger = args.linger;
    if args.wait_on_close {
        config.closing = Closing::Lingering;
    }
    if args.proc_net {
        config.proc_net = ProcNet::Host;
    }
    if args.end_background {
        config.descendants = Descendants::End;
    }
    let started = Instant::now();
    let finished =
        segue_run::run_with_summary(config).map_err(|error: RunError| Fail::new(error.exit_status(), error))?;
    if let Some(summary) = finished.summary.filter(|_| !args.quiet) {
        report::print(&summary, started.elapsed(), args.seed.value(), pcap.as_deref());
    }
    Ok(ExitCode::from(finished.exit.status()))
}
