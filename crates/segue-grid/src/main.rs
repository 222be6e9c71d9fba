//! Measurements over a grid of paths: `cargo xtask grid`.
//!
//! Decides what is measured when nothing is said, and how it ends: 0, or 1 when something got worse than the committed
//! table, or could not be measured.

/// A line on standard output. A reader that has left (`| head`) ends no measurement: rows are kept in files, too.
macro_rules! println {
    ($($argument:tt)*) => {
        _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{}\n", format_args!($($argument)*)))
    };
}

mod accuracy;
mod fairness;
mod lab;
mod plan;
mod point;
mod real;
mod real_grid;
mod record;
mod side_by_side;
mod table;
mod virtual_grid;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use plan::Plan;
use point::{Kind, Point};
use real::{Flow, Pair};
use segue_link::{ProcessorsAwake, keep_processors_awake, parse_duration};

/// Measure bulk transfers over a grid of paths: Segue in virtual time, and beside this machine's kernel in real time.
///
/// In virtual time both ends are Segue and the figures are the same on every machine. In real time (root) Linux sends to
/// Linux, Segue to Linux and Linux to Segue over the same emulated paths with the same seeds; ratios are against
/// Linux to Linux.
#[derive(Parser)]
#[command(name = "cargo xtask grid", after_help = EXAMPLES)]
struct Arguments {
    /// Measure in virtual time. Default: both, real time only as root.
    #[arg(long)]
    r#virtual: bool,

    /// Measure in real time.
    #[arg(long)]
    real: bool,

    /// Measure how several flows share a bottleneck, instead of the grid.
    #[arg(long)]
    fairness: bool,

    /// With --fairness: only Segue's flows beside as many of Linux's in one bottleneck, in real time, --repeats times each.
    #[arg(long, requires = "fairness")]
    beside: bool,

    /// Measure how exact the emulated path is, instead of the grid (root, on a machine that does nothing else): 1 unless 99 of
    /// 100 datagrams are within 0.1 ms of their delay. How many datagrams for each path.
    #[arg(long, value_name = "DATAGRAMS", num_args = 0..=1, default_missing_value = "2000", conflicts_with = "fairness")]
    accuracy: Option<u32>,

    /// Runs in virtual time with different seeds of which the median is taken. Default: the committed table's, 3 or, where
    /// packets are lost, 15.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,

    /// Only points whose name contains one of these, e.g. 100mbit-30ms or burst. May be given several times.
    #[arg(long, value_name = "TEXT")]
    point: Vec<String>,

    /// With the buffers that both ends have when nothing is said, instead of ones that no path fills.
    #[arg(long, conflicts_with_all = ["write", "check", "rows"])]
    default_buffers: bool,

    /// Congestion controls, e.g. cubic,bbr.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "cubic,bbr,reno")]
    cc: Vec<String>,

    /// Who sends to whom in real time: linux-linux, segue-linux, linux-segue.
    #[arg(long, value_name = "PAIRS", value_delimiter = ',', value_parser = pair)]
    pairs: Vec<Pair>,

    /// Runs of each kind in real time, of which the median is taken.
    #[arg(long, value_name = "N", default_value_t = 3)]
    repeats: usize,

    /// Rows of paths up to 100 Mbit/s that are measured at the same time in real time, each over a path of its own.
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,

    /// Keep rows of real time in this file: what it has is not measured again, what is measured is added. The table of
    /// --fairness is kept beside it, with the ending .fairness.
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,

    /// Measure anew what the file of rows has from other sources (another commit of the crates that are measured) than these; the new row counts.
    #[arg(long, requires = "rows")]
    anew: bool,

    /// Measure nothing in real time: show what the file of rows has, and with --write make the document of it.
    #[arg(long, requires = "rows")]
    known: bool,

    /// How long the whole may take in real time, e.g. 20min; repeats, seconds and points are given up for it, in this order.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    time: Option<Duration>,

    /// Compare with the committed table of virtual time (docs/loss-grid.txt) and fail when a figure is 5% lower.
    #[arg(long)]
    check: bool,

    /// Write docs/loss-grid.txt (virtual time) and docs/recovery.md (real time).
    #[arg(long)]
    write: bool,

    /// Name the points and end.
    #[arg(long)]
    list: bool,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask grid --virtual --check
  cargo xtask grid --virtual --point 100mbit-30ms --cc cubic
  sudo cargo xtask grid --real --point 100mbit-30ms-1% --cc cubic --repeats 1
  sudo cargo xtask grid --real --jobs 8 --rows /tmp/rows --write
  sudo cargo xtask grid --fairness --jobs 4
  sudo cargo xtask grid --accuracy";

fn pair(text: &str) -> Result<Pair, String> {
    let known = Pair::ALL.into_iter().find(|pair| pair.name() == text);
    known.ok_or_else(|| format!("'{text}' is no pair; there are linux-linux, segue-linux and linux-segue"))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("grid: {message}");
            ExitCode::FAILURE
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn measure(arguments: &Arguments) -> Result<bool, String> {
    let wanted = |point: &Point| {
        arguments.point.is_empty() || arguments.point.iter().any(|text| point.name.contains(text.as_str()))
    };
    let mut points: Vec<Point> = point::points().into_iter().filter(wanted).collect();
    if points.is_empty() {
        return Err(format!("no point's name contains {}; see --list", arguments.point.join(" or ")));
    }
    if arguments.default_buffers {
        points = points.into_iter().map(Point::with_default_buffers).collect();
    }
    if arguments.list {
        points.iter().for_each(|point| println!("{}", point.name));
        return Ok(true);
    }
    for name in &arguments.cc {
        if !["cubic", "bbr", "reno"].contains(&name.as_str()) {
            return Err(format!("'{name}' is no congestion control of this grid; there are cubic, bbr and reno"));
        }
    }
    if arguments.real && !is_root() {
        return Err("measuring in real time makes network namespaces and devices: run it as root".to_owned());
    }
    if (arguments.check || arguments.write) && arguments.seeds.is_some() {
        return Err("docs/loss-grid.txt has its own number of seeds: leave out --seeds".to_owned());
    }
    if arguments.beside && !is_root() {
        return Err("--beside measures in real time, with network namespaces and devices: run it as root".to_owned());
    }
    if let Some(count) = arguments.accuracy {
        if !is_root() {
            return Err("--accuracy makes network namespaces and devices: run it as root".to_owned());
        }
        let _awake = run_first();
        return accuracy::measure(count.max(1), &mut |line| println!("{line}"));
    }
    let neither = !arguments.r#virtual && !arguments.real;
    let (in_virtual, in_real) = (arguments.r#virtual || neither, arguments.real || (neither && is_root()));
    if arguments.fairness {
        let mut text = String::new();
        fair(arguments, in_virtual, in_real, &mut |line| {
            println!("{line}");
            text.push_str(line);
            text.push('\n');
        })?;
        if let Some(file) = arguments.rows.as_ref().filter(|_| !in_virtual) {
            let file = file.with_extension("fairness");
            std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        return Ok(true);
    }
    let mut good = true;
    if in_virtual {
        good &= in_virtual_time(arguments, points.clone())?;
    }
    if in_real {
        let _awake = run_first();
        in_real_time(arguments, points)?;
    }
    Ok(good)
}

/// Everybody's threads alike, Linux's programs and Segue's: what else the machine does is not to be measured, and not how
/// long its processors take to wake up, which a kernel that sends from the thread that brings it the acknowledgment never
/// has to wait for; as long as what is given back lives.
#[must_use]
fn run_first() -> Option<ProcessorsAwake> {
    if let Err(error) = segue_link::run_before_others() {
        eprintln!("grid: {error}: figures depend on what else this machine does");
    }
    let awake = keep_processors_awake();
    if let Err(error) = &awake {
        eprintln!("grid: {error}: figures depend on how fast this machine's processors wake up");
    }
    awake.ok()
}

/// The documentation's folder, wherever the command is started.
fn docs(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file)
}

fn in_virtual_time(arguments: &Arguments, points: Vec<Point>) -> Result<bool, String> {
    let points = match arguments.check || arguments.write {
        true => virtual_grid::committed_points(points),
        false => points,
    };
    let known: Vec<String> = arguments.cc.iter().filter(|name| lab::knows(name)).cloned().collect();
    println!("{}", virtual_grid::HEAD);
    let lines = virtual_grid::measure(&points, &known, arguments.seeds, |point, name, line| {
        println!("{}", virtual_grid::written(point, name, line));
    })?;
    let table = docs("loss-grid.txt");
    if arguments.write {
        if !arguments.point.is_empty() {
            return Err("--write wants the whole table: leave out --point".to_owned());
        }
        std::fs::write(&table, virtual_grid::page(&points, &lines))
            .map_err(|error| format!("{}: {error}", table.display()))?;
    }
    if !arguments.check {
        return Ok(true);
    }
    let worse = virtual_grid::regressions(&table, &lines)?;
    for regression in &worse {
        eprintln!("worse: {regression}");
    }
    println!("{} figures, {} worse than docs/loss-grid.txt", lines.len(), worse.len());
    Ok(worse.is_empty())
}

fn in_real_time(arguments: &Arguments, points: Vec<Point>) -> Result<(), String> {
    let (points, left_out): (Vec<_>, Vec<_>) = points.into_iter().partition(|point| point.kind != Kind::VirtualOnly);
    if !left_out.is_empty() {
        println!(
            "{} points above 1gbit are measured in virtual time only: this emulator does not carry them exactly",
            left_out.len()
        );
    }
    let pairs = if arguments.pairs.is_empty() { Pair::ALL.to_vec() } else { arguments.pairs.clone() };
    let runs = pairs.len() * arguments.cc.len();
    let tree = tree();
    let plan = Plan::new(points, runs, arguments.repeats, arguments.time, arguments.jobs);
    println!(
        "{} points of sources {tree}, about {:.0} min if nothing of them is known{}",
        plan.points.len(),
        plan.takes(runs).as_secs_f64() / 60.0,
        if plan.given_up.is_empty() { String::new() } else { format!("; for the time: {}", plan.given_up) }
    );
    let of_plan: Vec<Point> = plan.points.iter().map(|(point, _)| point.clone()).collect();
    let mut known = arguments.rows.as_ref().map_or(Ok(Vec::new()), |file| record::read(file, &of_plan))?;
    if arguments.anew {
        known.retain(|(_, congestion, row)| row.tree == tree || !arguments.cc.contains(congestion));
    }
    let rows = if arguments.known { known } else { measure_rows(arguments, &plan, (&pairs, &tree), known, &of_plan) };
    print!("{}", real_grid::summary(&rows));
    if !arguments.write {
        return Ok(());
    }
    if !arguments.point.is_empty() || !arguments.pairs.is_empty() {
        return Err("--write wants the whole table: leave out --point and --pairs".to_owned());
    }
    let file = docs("recovery.md");
    std::fs::write(&file, real_grid::page(&rows, &plan, &arguments.cc, (&machine(), &tree), &sharing(arguments)?))
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// The crates that a row's figures are made of.
const MEASURED: [&str; 8] =
    ["segue", "segue-grid", "segue-kernel", "segue-lab", "segue-link", "segue-stack", "segue-tcp", "segue-wire"];

/// The sources that are measured: the commit that changed their crates last, with a + when they have been changed since.
fn tree() -> String {
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(docs("../crates")).args(arguments).arg("--").args(MEASURED);
        let output = command.output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["log", "-1", "--format=%h"]).unwrap_or_default();
    let changed = git(&["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty());
    if changed { commit + "+" } else { commit }
}

/// Measures what is not known; keeps what is measured. What is known of other congestion controls stays in the table.
fn measure_rows(
    arguments: &Arguments,
    plan: &Plan,
    (pairs, tree): (&[Pair], &str),
    known: real_grid::Rows,
    points: &[Point],
) -> real_grid::Rows {
    println!("{}", real_grid::HEAD);
    let mut rows = real_grid::measure(plan, &arguments.cc, pairs, &known, tree, |point, name, row| {
        println!("{}\n{}", real_grid::written(point, name, row), real_grid::seen_by_senders(row));
        if let Some(file) = &arguments.rows
            && let Err(error) = record::append(file, point, name, row)
        {
            eprintln!("grid: {}: {error}: this row is not kept", file.display());
        }
    });
    rows.extend(known.into_iter().filter(|(_, congestion, _)| !arguments.cc.contains(congestion)));
    record::sort(&mut rows, points);
    rows
}

/// The table of how flows share a bottleneck: the one kept beside the file of rows, or measured now.
fn sharing(arguments: &Arguments) -> Result<String, String> {
    let kept = arguments.rows.as_ref().map(|file| file.with_extension("fairness"));
    if let Some(text) = kept.and_then(|file| std::fs::read_to_string(file).ok()) {
        return Ok(text);
    }
    let mut text = String::new();
    fair(arguments, false, true, &mut |line| {
        println!("{line}");
        text.push_str(line);
        text.push('\n');
    })?;
    Ok(text)
}

/// The machine in a few words.
fn machine() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').nth(2).unwrap_or("unknown").to_owned();
    let date = std::process::Command::new("date").args(["-u", "+%F"]).output();
    let date = date.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!("{date}, Linux {}, {processors} processors, other load {load} (15 minutes)", kernel.trim())
}

/// Measures how flows share, and hands over the lines.
fn fair(arguments: &Arguments, in_virtual: bool, in_real: bool, say: &mut dyn FnMut(&str)) -> Result<(), String> {
    let in_virtual = in_virtual && !arguments.beside;
    if in_virtual {
        say("Segue to Segue in virtual time, 60 s: flows, congestion control, Jain's index, use of the bottleneck");
        for name in arguments.cc.iter().filter(|name| lab::knows(name)) {
            for flows in fairness::FLOWS {
                let (jain, used) = fairness::in_virtual_time(flows, name, 1)?;
                say(&format!("{flows:>3} {name:<6} {jain:.3} {:>4.0}%", used * 100.0));
            }
        }
    }
    if in_virtual && arguments.cc.iter().any(|name| name == "bbr") {
        say(
            "bbr beside cubic, Segue to Segue in virtual time, 60 s: flows of each, what bbr's get of their fair share, use",
        );
        for point in fairness::MIXED {
            for each in [1, 4] {
                let (share, used) = fairness::bbr_beside_cubic(point, each, 1)?;
                say(&format!("{each:>3} {point:<24} {share:.2} {:>4.0}%", used * 100.0));
            }
        }
    }
    if in_real || arguments.beside {
        let _awake = run_first();
        fair_in_real_time(arguments, say)?;
    }
    Ok(())
}

/// A measurement of how flows share in real time.
#[derive(Clone, Copy)]
enum Sharing {
    /// Jain's index and use for so many flows of one kind.
    Alike { flows: usize, by_segue: bool },
    /// What Segue's get of their fair share beside as many of Linux's, and use.
    Beside { each: usize },
}

fn fair_in_real_time(arguments: &Arguments, say: &mut dyn FnMut(&str)) -> Result<(), String> {
    let time = arguments.time.map_or(Duration::from_secs(30), |time| time / 40 * arguments.jobs.max(1) as u32);
    let time = time.clamp(Duration::from_secs(3), Duration::from_secs(30));
    let mut kinds: Vec<Sharing> = Vec::new();
    for flows in fairness::FLOWS.into_iter().filter(|_| !arguments.beside) {
        kinds.extend([false, true].map(|by_segue| Sharing::Alike { flows, by_segue }));
    }
    kinds.extend(fairness::EACH.map(|each| Sharing::Beside { each }));
    let known = arguments.cc.iter().filter(|name| lab::knows(name));
    let tasks: Vec<(&String, Sharing)> = known.flat_map(|name| kinds.iter().map(move |kind| (name, *kind))).collect();
    let figures = side_by_side::each(tasks.clone(), arguments.jobs, |(name, kind)| match kind {
        Sharing::Alike { flows, by_segue } => {
            fairness::in_real_time(flows, Flow { by_segue, congestion: name }, time, 1)
        }
        Sharing::Beside { each } => fairness::beside_linux(each, name, time, arguments.repeats as u64),
    });
    let seconds = time.as_secs();
    let mut alike = String::new();
    if !arguments.beside {
        alike = format!(
            "To Linux in real time, {seconds} s: flows, congestion control, Jain's index and use of the bottleneck"
        );
    }
    let mut beside = format!(
        "Beside Linux in one bottleneck of 10 Mbit/s, 30 ms, {seconds} s, medians of {}: flows of each, congestion control, what \
         Segue's get of their fair share (the least and the most), use",
        arguments.repeats
    );
    for ((name, kind), figure) in tasks.into_iter().zip(figures) {
        let figure = figure?;
        let (share, used) = (figure.share, figure.used * 100.0);
        match kind {
            Sharing::Alike { flows, by_segue: false } => {
                alike.push_str(&format!("\n{flows:>3} {name:<6} Linux {share:.3} {used:>4.0}%"));
            }
            Sharing::Alike { by_segue: true, .. } => alike.push_str(&format!("   Segue {share:.3} {used:>4.0}%")),
            Sharing::Beside { each } => {
                let (least, most) = figure.range;
                beside.push_str(&format!("\n{each:>3} {name:<6} {share:.2} ({least:.2}-{most:.2}) {used:>4.0}%"));
            }
        }
    }
    alike.lines().chain(beside.lines()).for_each(say);
    Ok(())
}
