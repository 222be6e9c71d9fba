//! `segue lab`: experiments between two hosts in virtual time.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use segue_lab::{
    Direction, Family, LabError, PlotError, Recording, Story, StoryConfig, TransferConfig, TransferReport,
};
use segue_link::units::{parse_bytes, parse_duration};
use segue_link::{Capture, CaptureEpoch, CaptureOptions, LineLog};
use serde_json::json;

use crate::fail::Fail;
use crate::path::{PathArgs, SeedArg};
use crate::progress::Progress;
use crate::torture::TortureArgs;

/// Experiments in virtual time: nothing sleeps, and the same seed gives the same run.
///
/// `segue lab NAME` plays a story: what the books tell about TCP, as a ladder of segments with the states of both sides.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  segue lab list
  segue lab handshake
  segue lab half-open-reconnect --pcap story.pcapng
  segue lab transfer --bytes 64MiB --delay 20ms --loss 1%
  segue lab torture --seeds 1000")]
pub(crate) enum LabCommand {
    List(ListArgs),
    Transfer(Box<TransferArgs>),
    Torture(TortureArgs),
    /// Play the story NAME.
    #[command(external_subcommand)]
    Story(Vec<OsString>),
}

/// Name every story: what happens, and where it is written down.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Print one line of JSON per story.
    #[arg(long)]
    json: bool,
}

/// Play a story: two hosts 10 ms apart in virtual time, every segment a line, the states of both sides beside it.
///
/// A story checks itself. Exit status: 0 when it went as it is told, 1 when not, 2 when there is no such story.
#[derive(Parser)]
#[command(name = "segue lab", disable_version_flag = true)]
struct StoryArgs {
    /// Which one; `segue lab list` names them.
    name: String,

    /// Seed of sequence numbers and ports.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = crate::number::whole::<u64>(0..=u64::MAX))]
    seed: u64,

    /// Write the packets of both sides to a pcapng file.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

/// Move bytes between two hosts over an emulated path and say how long it took.
///
/// Both ends run Segue's TCP as it runs in production; the clock is virtual, so an hour of waiting costs nothing. Every
/// byte is hashed when it is written and when it is read. Exit status: 0 when everything arrived as it was sent, 1 when
/// not.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue lab transfer --bytes 64MiB --delay 20ms --loss 1% --seed 7
  segue lab transfer --bytes 1MiB --rate 10mbit --delay 30ms --queue 64KiB --json
  segue lab transfer --bytes 20kB --loss 10% --ladder
  segue lab transfer --bytes 4MiB --rate 20mbit --delay 20ms --loss 1% --plot transfer.svg")]
pub(crate) struct TransferArgs {
    /// How much, e.g. 64MiB; in each direction that is used.
    #[arg(long, value_name = "BYTES", default_value = "16MiB", value_parser = parse_bytes)]
    bytes: u64,

    #[command(flatten)]
    path: PathArgs,

    #[command(flatten)]
    seed: SeedArg,

    /// Which way the bytes go, seen from the side that connects.
    #[arg(long, value_enum, default_value_t = Way::Up)]
    direction: Way,

    /// Over IPv6.
    #[arg(short = '6', long)]
    ipv6: bool,

    /// The stacks cut super-segments themselves.
    #[arg(long)]
    no_offload: bool,

    /// Congestion control of both stacks: cubic, reno or bbr.
    #[arg(long, value_name = "NAME")]
    congestion: Option<String>,

    /// Set a parameter of both stacks by Linux's name, e.g. tcp_timestamps=0.
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::run::parse_sysctl)]
    sysctl: Vec<(String, String)>,

    /// Longest virtual time.
    #[arg(long, value_name = "TIME", default_value = "1440min", value_parser = parse_duration)]
    limit: Duration,

    /// Write every packet at both ends to a pcapng file.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,

    /// Write what both ends decide about loss and congestion to a file, one line of JSON each (docs/events.md).
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,

    /// Draw the transfer as SVG: sequence numbers over time, windows, pacing rate, round-trip time.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,

    /// Print the ladder of segments as they pass.
    #[arg(long, conflicts_with = "json")]
    ladder: bool,

    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,

    /// Say how much processor time it took.
    #[arg(long, conflicts_with = "json")]
    timing: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Way {
    /// From the side that connects to the other.
    Up,
    /// From the other side to the one that connects.
    Down,
    /// Both at once.
    Both,
}

/// Runs the experiment that was asked for.
pub(crate) fn lab(command: LabCommand) -> Result<ExitCode, Fail> {
    match command {
        LabCommand::List(args) => Ok(list(&args)),
        LabCommand::Transfer(args) => transfer(&args),
        LabCommand::Torture(args) => crate::torture::run(&args),
        LabCommand::Story(words) => {
            let name = OsString::from("segue lab");
            play(&StoryArgs::try_parse_from(std::iter::once(name).chain(words)).unwrap_or_else(|error| error.exit()))
        }
    }
}

fn list(args: &ListArgs) -> ExitCode {
    let mut chapter = "";
    for &Story { name, chapter: now, title, source, .. } in segue_lab::stories() {
        if args.json {
            println!("{}", json!({ "name": name, "chapter": now, "title": title, "source": source }));
            continue;
        }
        if now != chapter {
            println!("{}{now}", if chapter.is_empty() { "" } else { "\n" });
            chapter = now;
        }
        println!("  {name:<22}  {title}\n  {:<22}  ({source})", "");
    }
    ExitCode::SUCCESS
}

fn play(args: &StoryArgs) -> Result<ExitCode, Fail> {
    let Some(story) = segue_lab::story(&args.name) else { return Err(unknown_story(&args.name)) };
    println!("{}: {}\n({})", story.name, story.title, story.source);
    let capture = args.pcap.as_ref().map(|file| {
        let comment = Some(format!("segue lab {}, seed {}", story.name, args.seed));
        let options = CaptureOptions { epoch: CaptureEpoch::At(Duration::ZERO), comment, ..CaptureOptions::default() };
        Capture::create(file, options).map_err(|error| Fail::new(1, error))
    });
    let print = Box::new(|line: &str| println!("{line}"));
    let config = StoryConfig { print, seed: args.seed, capture: capture.transpose()? };
    match segue_lab::play(story, config) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error @ LabError::Story { .. }) => Err(Fail::new(1, error)),
        Err(error) => Err(Fail::new(1, format!("the story could not be played: {error}"))),
    }
}

fn unknown_story(name: &str) -> Fail {
    let near: Vec<_> = segue_lab::stories().map(|story| story.name).filter(|known| resembles(known, name)).collect();
    let hint = match near.as_slice() {
        [] => String::new(),
        near => format!(" (did you mean {}?)", near.join(" or ")),
    };
    Fail::usage(format!("there is no story {name:?}{hint}; `segue lab list` names them all"))
}

/// Shares a word, differs in one letter, or has two neighbours in the wrong order.
fn resembles(known: &str, name: &str) -> bool {
    let shares = || name.split('-').any(|word| word.len() > 2 && known.split('-').any(|other| other == word));
    let typo = || {
        known.len().abs_diff(name.len()) <= 1 && {
            let front = known.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
            let back = known.bytes().rev().zip(name.bytes().rev()).take_while(|(a, b)| a == b).count();
            let middle = |text: &str| text.bytes().skip(front).take(2).collect::<Vec<u8>>();
            let is_swapped = || {
                let (mut ours, theirs) = (middle(known), middle(name));
                ours.reverse();
                known.len() == name.len() && front + back + 2 == known.len() && ours == theirs
            };
            front + back + 1 >= known.len().max(name.len()) || is_swapped()
        }
    };
    shares() || typo()
}

fn config(args: &TransferArgs) -> Result<TransferConfig, Fail> {
    let seed = args.seed.value();
    let mut config = TransferConfig::new(args.bytes, args.path.config(seed)?);
    config.seed = seed;
    config.direction = match args.direction {
        Way::Up => Direction::Upload,
        Way::Down => Direction::Download,
        Way::Both => Direction::Both,
    };
    config.family = if args.ipv6 { Family::V6 } else { Family::V4 };
    config.offload = !args.no_offload;
    config.sysctls.clone_from(&args.sysctl);
    if let Some(name) = &args.congestion {
        config.sysctls.push(("tcp_congestion_control".into(), name.clone()));
    }
    config.limit = args.limit;
    if let Some(file) = &args.pcap {
        let options = CaptureOptions {
            // Virtual time: the same run gives the same file.
            epoch: CaptureEpoch::At(Duration::ZERO),
            comment: Some(format!("segue lab transfer, seed {seed}")),
            ..CaptureOptions::default()
        };
        let capture = Capture::create(file, options).map_err(|error| Fail::new(1, error))?;
        config.capture = Some(capture);
    }
    if let Some(file) = &args.events {
        let on_error = Box::new(|error| eprintln!("segue: {error}"));
        let log = LineLog::create(file, on_error).map_err(|error| Fail::new(1, error))?;
        config.decisions = Some(Box::new(move |host, decision| log.line(&decision.json(Duration::ZERO, host))));
    }
    config.recording = args.plot.as_ref().map(|_| Recording::new());
    if args.ladder {
        config.ladder = Some(Box::new(|line| println!("{line}")));
    } else {
        config.progress = Some(progress());
    }
    Ok(config)
}

fn progress() -> Box<dyn FnMut(segue_lab::Progress)> {
    let mut line = Progress::new();
    Box::new(move |now| {
        line.show(|| {
            let share = now.received as f64 / now.total.max(1) as f64 * 100.0;
            format!(
                "{share:5.1}%  {} of {} bytes, {:.3} s of virtual time",
                now.received,
                now.total,
                now.elapsed.as_secs_f64()
            )
        });
    })
}

fn transfer(args: &TransferArgs) -> Result<ExitCode, Fail> {
    let config = config(args)?;
    let recording = config.recording.clone();
    let before = processor_time();
    let report = segue_lab::transfer(config);
    let spent = processor_time().saturating_sub(before);
    // A transfer that failed is the one whose picture is wanted most.
    let drawn = match (&args.plot, recording) {
        (Some(file), Some(recording)) => recording.save(file).map_err(|error| match error {
            PlotError::Io(error) => Fail::new(1, format!("cannot write {}: {error}", file.display())),
            other => Fail::new(1, other),
        }),
        _ => Ok(()),
    };
    let report = report.map_err(|error| Fail::new(1, error))?;
    drawn?;
    if args.json {
        println!("{}", as_json(&report));
    } else {
        print(&report);
    }
    if args.timing {
        let gbit = report.bytes as f64 * 8.0 / spent.as_secs_f64().max(1e-9) / 1e9;
        println!(
            "{:.2} s of processor time for both ends, the path and the hashes ({gbit:.2} Gbit/s per core)",
            spent.as_secs_f64()
        );
    }
    Ok(if report.sha256_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

fn as_json(report: &TransferReport) -> serde_json::Value {
    let drops: serde_json::Map<_, _> =
        report.drops.iter().map(|(reason, count)| (reason.clone(), json!(count))).collect();
    json!({
        "bytes": report.bytes,
        "seconds": report.seconds,
        "goodput_bps": report.goodput_bps,
        "retransmits": report.retransmits,
        "segments": report.segments,
        "sha256_ok": report.sha256_ok,
        "closed_after": report.closed_after.as_secs_f64(),
        "drops": drops,
        "seed": report.seed,
    })
}

fn print(report: &TransferReport) {
    println!(
        "{} bytes in {:.3} s: {:.3} Mbit/s; {} segments, {} of them sent again; SHA-256 {}; seed {}",
        report.bytes,
        report.seconds,
        report.goodput_bps / 1e6,
        report.segments,
        report.retransmits,
        if report.sha256_ok { "right" } else { "WRONG" },
        report.seed
    );
    for (reason, count) in &report.drops {
        println!("  {count:>8}  {reason}");
    }
}
