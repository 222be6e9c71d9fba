//! `segue path`: the emulated path between two TUN devices of this machine, in real time.
//!
//! Decides which devices are made, what is refused, and what is said while it runs and at the end.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use segue::{Bridge, BridgePause};
use segue_link::units::parse_duration;
use segue_link::{
    Capture, CaptureOptions, Link, NetNamespace, Path, PathConfig, PathStats, Prefix, TunConfig, TunLink,
};
use serde_json::json;

use crate::fail::Fail;
use crate::path::{PathArgs, SeedArg};
use crate::report;

/// Join two TUN devices by an emulated path: two network namespaces, or a namespace and this machine.
///
/// Devices that are not there are made, given their addresses, and are gone at the end; devices that are there (ip
/// tuntap add dev NAME mode tun) are used as they are and stay. Whatever two kernels say to each other then meets the
/// delay, loss and rate asked for; "up" is from A to B. Ctrl-C ends it and says what the path did. Needs CAP_NET_ADMIN
/// for making devices, root for namespaces. Exit status: 0 when it was asked to end; 1 when a device went away; 125
/// when it could not start; 2 for a wrong command line.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EmulatorArgs {
    /// Device at end A, at most 15 bytes.
    #[arg(long, value_name = "DEVICE")]
    a: String,

    /// Device at end B.
    #[arg(long, value_name = "DEVICE")]
    b: String,

    /// Network namespace of device A: a name of 'ip netns', or a path such as /proc/1234/ns/net. Default: the current one.
    #[arg(long, value_name = "NAME")]
    netns_a: Option<String>,

    /// Network namespace of device B.
    #[arg(long, value_name = "NAME")]
    netns_b: Option<String>,

    /// Address and prefix of the kernel at A, e.g. 10.0.0.1/24 or fd00::1/64. May be given several times.
    #[arg(long, value_name = "CIDR", value_parser = prefix)]
    addr_a: Vec<Prefix>,

    /// Address and prefix of the kernel at B.
    #[arg(long, value_name = "CIDR", value_parser = prefix)]
    addr_b: Vec<Prefix>,

    #[command(flatten)]
    path: PathArgs,

    #[command(flatten)]
    seed: SeedArg,

    /// Exchange only wire packets with finished checksums with the kernels. Slower.
    #[arg(long)]
    no_offload: bool,

    /// End by itself after this time.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    duration: Option<Duration>,

    /// Say every so often what the path did, e.g. 1s.
    #[arg(long, value_name = "TIME", value_parser = interval)]
    stats_interval: Option<Duration>,

    /// Say it on standard output, as one line of JSON each time.
    #[arg(long)]
    json: bool,

    /// Be awake this long before a packet is due and after one has come: longer is more exact and takes more processor time.
    ///
    /// As root, idle processors of this machine wait awake, too, as long as this runs: one that has gone to sleep takes longer to
    /// wake than a short path. 0 only sleeps, and lets them sleep.
    #[arg(long, value_name = "TIME", default_value = "60us", value_parser = parse_duration)]
    awake: Duration,

    /// Run like any other process. Default: before all ordinary ones, if allowed, so that a busy machine delays no packet.
    #[arg(long)]
    ordinary_priority: bool,

    /// Write every packet at both devices to a pcapng file.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Example (as root), two kernels 40 ms apart behind 20 Mbit/s:
  ip netns add left; ip netns add right
  segue path --a sga --netns-a left --addr-a 10.0.0.1/24 --b sgb --netns-b right --addr-b 10.0.0.2/24 \\
    --delay 20ms --rate 20mbit --queue codel --loss burst:0.5%,3 --seed 7 &
  ip netns exec left ping 10.0.0.2

A kernel and Segue: make sgb in this namespace and attach to it from a program with TunLink::attach.";

fn prefix(text: &str) -> Result<Prefix, String> {
    text.parse().map_err(|error: std::io::Error| error.to_string())
}

fn interval(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).map_err(|error| error.to_string())?;
    if time < Duration::from_millis(1) {
        return Err(format!("'{text}' is too often; the least is 1ms"));
    }
    Ok(time)
}

/// One end as it was asked for.
struct Wanted<'a> {
    option: char,
    device: &'a str,
    namespace: Option<NetNamespace>,
    addresses: &'a [Prefix],
}

impl Wanted<'_> {
    /// Attaches to the device, or makes it.
    fn open(&self, mtu: usize, offload: bool) -> std::io::Result<TunLink> {
        let open = || match TunLink::attach(self.device, offload) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => TunLink::create(&TunConfig {
                name: self.device.to_owned(),
                mtu,
                addresses: self.addresses.to_vec(),
                routes: Vec::new(),
                offload,
            }),
            Ok(_) if !self.addresses.is_empty() => Err(std::io::Error::new(
                std::io::ErrorKind::AlreadyExists,
                format!(
                    "device {0} is there already and keeps its addresses: leave out --addr-{1}, or remove the device (ip \
                     link delete {0})",
                    self.device, self.option
                ),
            )),
            other => other,
        };
        match &self.namespace {
            Some(namespace) => namespace.within(open)?,
            None => open(),
        }
    }

    /// Packets that did not get into the device because nobody took them out in time, as its kernel counts them.
    fn dropped_by_device(&self) -> Option<u64> {
        let read = || std::fs::read_to_string("/proc/thread-self/net/dev");
        let table = match &self.namespace {
            Some(namespace) => namespace.within(read).ok()?.ok()?,
            None => read().ok()?,
        };
        let line = table.lines().find_map(|line| line.trim().strip_prefix(self.device)?.strip_prefix(':'))?;
        // Eight columns of what was received, then bytes, packets, errors and drops of what was sent.
        line.split_whitespace().nth(11)?.parse().ok()
    }

    fn describe(&self) -> String {
        let place = self.namespace.as_ref().map(|namespace| format!(" in {}", namespace.name())).unwrap_or_default();
        let addresses: Vec<_> = self.addresses.iter().map(Prefix::to_string).collect();
        let addresses = if addresses.is_empty() { String::new() } else { format!(" ({})", addresses.join(", ")) };
        format!("{}{place}{addresses}", self.device)
    }
}

/// Both ends, or why they cannot be.
fn wanted(args: &EmulatorArgs) -> Result<[Wanted<'_>; 2], Fail> {
    let open = |name: &Option<String>| name.as_deref().map(NetNamespace::open).transpose().map_err(Fail::usage);
    let (in_a, in_b) = (open(&args.netns_a)?, open(&args.netns_b)?);
    let same = match (&in_a, &in_b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.is(b),
        (Some(one), None) | (None, Some(one)) => NetNamespace::current().is_ok_and(|current| current.is(one)),
    };
    if same && args.a == args.b {
        return Err(Fail::usage(format!("--a and --b are both {}: a path has two ends", args.a)));
    }
    if same && !args.addr_a.is_empty() && !args.addr_b.is_empty() {
        return Err(Fail::usage(
            "both ends would have their addresses in one network namespace, whose kernel talks to itself without any \
             device; put one end elsewhere: ip netns add right, then --netns-b right",
        ));
    }
    let kinds = [(&args.addr_a, 'a'), (&args.addr_b, 'b')];
    if let Some(((address, _), option)) =
        kinds.iter().find_map(|(addresses, option)| Some((taken_twice(addresses)?, option)))
    {
        return Err(Fail::usage(format!("{address} is given twice for --addr-{option}")));
    }
    Ok([
        Wanted { option: 'a', device: &args.a, namespace: in_a, addresses: &args.addr_a },
        Wanted { option: 'b', device: &args.b, namespace: in_b, addresses: &args.addr_b },
    ])
}

fn taken_twice(addresses: &[Prefix]) -> Option<(IpAddr, usize)> {
    let twice = |(at, prefix): (usize, &Prefix)| {
        addresses.iter().take(at).any(|earlier| earlier.address == prefix.address).then_some((prefix.address, at))
    };
    addresses.iter().enumerate().find_map(twice)
}

/// Carries packets until it is told to end.
pub(crate) fn path(args: EmulatorArgs) -> Result<ExitCode, Fail> {
    let config = args.path.config(args.seed.value())?;
    let ends = wanted(&args)?;
    let capture = match &args.pcap {
        Some(file) => Some(capture(file, args.seed.value())?),
        None => None,
    };
    let mut links = Vec::new();
    for end in &ends {
        let link = end.open(config.mtu(), !args.no_offload).map_err(|error| Fail::new(125, error))?;
        links.push(match &capture {
            Some(capture) => Box::new(capture.tee(end.device, link)) as Box<dyn Link>,
            None => Box::new(link),
        });
    }
    let (Some(b), Some(a)) = (links.pop(), links.pop()) else { return Err(Fail::new(125, "a path has two ends")) };
    let before = ends.each_ref().map(Wanted::dropped_by_device);
    let bridge = Bridge::new(Path::new(config.clone()), a, b).map_err(|error| Fail::new(125, error))?;
    let bridge = bridge.with_awake(args.awake);
    let stop = stop_at_signals()?;
    if !args.ordinary_priority {
        // A busy machine would make packets late. Where this is not allowed they may be; the summary says how much.
        let _ = segue_link::run_before_others();
    }
    // Only root may ask for this.
    let _awake = (!args.awake.is_zero()).then(segue_link::keep_processors_awake).and_then(Result::ok);
    let [a, b] = ends.each_ref().map(Wanted::describe);
    eprintln!("segue: path between {a} and {b}; seed {}; Ctrl-C ends it", config.seed());
    let mut run = Emulation { bridge, args: &args, config, started: Instant::now(), said: PathStats::default() };
    let ended = run.carry(&stop);
    let after = ends.each_ref().map(Wanted::dropped_by_device);
    let missed = [0, 1].map(|at| after[at].unwrap_or_default().saturating_sub(before[at].unwrap_or_default()));
    run.sum_up(&ends, missed);
    ended.map(|()| ExitCode::SUCCESS).map_err(|error| Fail::new(1, error))
}

fn capture(file: &std::path::Path, seed: u64) -> Result<Capture, Fail> {
    let options = CaptureOptions {
        comment: Some(format!("segue path, seed {seed}")),
        on_error: Some(Box::new(|error| eprintln!("segue: {error}"))),
        ..CaptureOptions::default()
    };
    Capture::create(file, options).map_err(|error| Fail::new(125, error))
}

/// A descriptor that becomes readable at the first SIGINT or SIGTERM.
fn stop_at_signals() -> Result<std::os::fd::OwnedFd, Fail> {
    let cannot = |error: std::io::Error| Fail::new(125, format!("cannot wait for signals: {error}"));
    let (stop, stopper) = segue::stop_signal().map_err(cannot)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(cannot)?;
    // The handlers are in place when this returns: a signal sent from then on ends the run in order.
    let signals = runtime.block_on(async { crate::serve::interruption() }).map_err(cannot)?;
    std::thread::spawn(move || {
        runtime.block_on(signals);
        drop(stopper);
    });
    Ok(stop)
}

struct Emulation<'a> {
    bridge: Bridge,
    args: &'a EmulatorArgs,
    config: PathConfig,
    started: Instant,
    /// What the last line already said.
    said: PathStats,
}

impl Emulation<'_> {
    fn carry(&mut self, stop: &std::os::fd::OwnedFd) -> std::io::Result<()> {
        use std::os::fd::AsFd;
        let begin = segue::now();
        let end = self.args.duration.map(|duration| begin + duration);
        let mut next = self.args.stats_interval.map(|interval| begin + interval);
        loop {
            let until = end.into_iter().chain(next).min();
            if self.bridge.run(until, stop.as_fd())? == BridgePause::Stopped || until == end {
                return Ok(());
            }
            if let (Some(at), Some(interval)) = (next, self.args.stats_interval) {
                next = Some(at + interval);
                if self.say().is_err() {
                    // Nobody reads any more.
                    return Ok(());
                }
            }
        }
    }

    /// A line about what happened since the last one.
    fn say(&mut self) -> std::io::Result<()> {
        let stats = self.bridge.stats();
        let seconds = self.started.elapsed().as_secs_f64();
        let mut out = std::io::stdout().lock();
        if self.args.json {
            writeln!(out, "{}", self.as_json(&stats, seconds))
        } else {
            let way = |now: &segue_link::DirectionStats, then: &segue_link::DirectionStats| {
                let rate = (now.bytes_out - then.bytes_out) as f64 * 8.0
                    / self.args.stats_interval.unwrap_or_default().as_secs_f64().max(1e-9)
                    / 1e6;
                format!(
                    "{rate:.3} Mbit/s, {} packets, {} dropped, {} bytes queued",
                    now.packets_out - then.packets_out,
                    now.dropped() - then.dropped(),
                    now.queue_bytes
                )
            };
            let line = format!(
                "{seconds:.1} s  up: {}; down: {}",
                way(&stats.a_to_b, &self.said.a_to_b),
                way(&stats.b_to_a, &self.said.b_to_a)
            );
            self.said = stats;
            writeln!(out, "{line}")
        }
    }

    fn as_json(&self, stats: &PathStats, seconds: f64) -> serde_json::Value {
        json!({
            "seconds": seconds,
            "seed": self.config.seed(),
            "a_to_b": report::direction_as_json(&stats.a_to_b),
            "b_to_a": report::direction_as_json(&stats.b_to_a),
            "late_us": {
                "p50": self.bridge.lateness().quantile(0.5).as_secs_f64() * 1e6,
                "p99": self.bridge.lateness().quantile(0.99).as_secs_f64() * 1e6,
                "most": self.bridge.lateness().most().as_secs_f64() * 1e6,
            },
        })
    }

    fn sum_up(&self, ends: &[Wanted<'_>; 2], missed: [u64; 2]) {
        let stats = self.bridge.stats();
        let seconds = self.started.elapsed().as_secs_f64();
        if self.args.json {
            let _ = writeln!(std::io::stdout(), "{}", self.as_json(&stats, seconds));
        }
        let capture = self.args.pcap.as_ref().map(|file| format!("; packets in {}", file.display()));
        eprintln!(
            "segue: {seconds:.3} s; path up: {}; down: {}; seed {}{}",
            report::direction(&stats.a_to_b),
            report::direction(&stats.b_to_a),
            self.config.seed(),
            capture.unwrap_or_default()
        );
        let late = self.bridge.lateness();
        let [half, most, all] =
            [late.quantile(0.5), late.quantile(0.99), late.most()].map(|late| late.as_secs_f64() * 1e6);
        eprintln!("segue: packets left late by {half:.0} us (median), {most:.0} us (99%), {all:.0} us (most)");
        for (end, missed) in ends.iter().zip(missed) {
            if missed > 0 {
                eprintln!(
                    "segue: {missed} packets did not get into {}: its queue was full, because this process was too slow",
                    end.device
                );
            }
        }
        if self.bridge.not_taken() > 0 {
            eprintln!("segue: {} packets came out and were refused by a device that is down", self.bridge.not_taken());
        }
    }
}
