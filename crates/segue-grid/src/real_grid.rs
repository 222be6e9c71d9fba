//! The grid in real time: Segue's sender and receiver beside Linux's over the same paths.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use crate::plan::Plan;
use crate::point::Point;
use crate::real::{self, Pair, RealRun, keeps_awake};
use crate::{side_by_side, table};

/// Medians of one congestion control at one point.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) goodput: BTreeMap<Pair, f64>,
    /// Segments that the sender sent again.
    pub(crate) again: BTreeMap<Pair, f64>,
    /// D-SACKs that it got.
    pub(crate) needless: BTreeMap<Pair, f64>,
    /// The round trip that it measured, in microseconds.
    pub(crate) round_trip: BTreeMap<Pair, f64>,
    pub(crate) late: Duration,
    /// Runs that were repeated because the emulator was late, and were late again.
    pub(crate) inexact: usize,
    /// Why runs gave no figure.
    pub(crate) failures: Vec<String>,
    /// Which sources were measured (`tree`); empty: an older file did not say.
    pub(crate) tree: String,
}

impl Row {
    /// What Segue's sender gets of what Linux's gets.
    pub(crate) fn sender(&self) -> Option<f64> {
        Some(self.goodput.get(&Pair::SegueToLinux)? / self.goodput.get(&Pair::LinuxToLinux)?.max(1.0))
    }

    /// What Linux's sender gets with Segue's receiver of what it gets with Linux's.
    pub(crate) fn receiver(&self) -> Option<f64> {
        Some(self.goodput.get(&Pair::LinuxToSegue)? / self.goodput.get(&Pair::LinuxToLinux)?.max(1.0))
    }
}

/// A ratio below which a sender is behind.
const BEHIND: f64 = 0.9;

/// What was measured, in the order of the plan.
pub(crate) type Rows = Vec<(Point, String, Row)>;

/// A row that is to be measured.
struct Task<'a> {
    place: usize,
    point: &'a Point,
    congestion: &'a str,
    seconds: Duration,
    repeats: usize,
}

impl Task<'_> {
    /// Whether it wants the machine for itself: its emulator takes a processor, or its rate is high, and neither loss nor a
    /// cautious algorithm keeps it low.
    fn is_alone(&self) -> bool {
        let cautious = self.congestion != "bbr" && !self.point.is_without_loss();
        keeps_awake(self.point) || (self.point.is_fast() && !cautious)
    }
}

/// Measures what `known` does not have, slow rows `jobs` at a time, and calls `say` after each row. A run that fails
/// leaves its reason in the row, and the others go on.
pub(crate) fn measure(
    plan: &Plan,
    congestion: &[String],
    pairs: &[Pair],
    known: &Rows,
    tree: &str,
    say: impl Fn(&Point, &str, &Row) + Sync,
) -> Rows {
    let mut rows: BTreeMap<usize, (Point, String, Row)> = BTreeMap::new();
    let mut tasks = Vec::new();
    let names = congestion.iter().map(String::as_str);
    let whole = plan.points.iter().flat_map(|(point, seconds)| names.clone().map(move |name| (point, *seconds, name)));
    for (place, (point, seconds, congestion)) in whole.enumerate() {
        let same = |row: &&(Point, String, Row)| row.0.name == point.name && row.1 == congestion;
        match known.iter().find(same) {
            Some(row) => drop(rows.insert(place, row.clone())),
            None => tasks.push(Task { place, point, congestion, seconds, repeats: plan.repeats_at(point) }),
        }
    }
    // What wants the machine for itself comes last.
    let (alone, together): (Vec<_>, Vec<_>) = tasks.into_iter().partition(Task::is_alone);
    for (tasks, jobs) in [(together, plan.jobs), (alone, 1)] {
        let work = |task: Task<'_>| {
            let row = Row { tree: tree.to_owned(), ..measure_row(&task, pairs) };
            say(task.point, task.congestion, &row);
            (task.place, (task.point.clone(), task.congestion.to_owned(), row))
        };
        rows.extend(side_by_side::each(tasks, jobs, work));
    }
    rows.into_values().collect()
}

fn measure_row(task: &Task<'_>, pairs: &[Pair]) -> Row {
    let mut runs: BTreeMap<Pair, Vec<RealRun>> = BTreeMap::new();
    let mut row = Row::default();
    for repeat in 1..=task.repeats as u64 {
        // Side by side in time, so that what else the machine does meets all alike.
        for &pair in pairs {
            if pair == Pair::SegueToLinux && !crate::lab::knows(task.congestion) {
                continue;
            }
            match exact_run(task, pair, repeat) {
                Ok(run) => {
                    row.late = row.late.max(run.late);
                    row.inexact += usize::from(!run.exact);
                    runs.entry(pair).or_default().push(run);
                }
                Err(error) => row.failures.push(format!("{} with seed {repeat}: {error}", pair.name())),
            }
        }
    }
    let of = |figure: &dyn Fn(&RealRun) -> f64| {
        let median = |runs: &Vec<RealRun>| table::median(&runs.iter().map(figure).collect::<Vec<_>>());
        runs.iter().filter_map(|(pair, runs)| Some((*pair, median(runs)?))).collect()
    };
    row.goodput = of(&RealRun::goodput);
    row.again = of(&|run| run.retransmitted as f64);
    row.needless = of(&|run| run.needless as f64);
    row.round_trip = of(&|run| run.round_trip.as_secs_f64() * 1e6);
    row
}

/// A run; once more when the emulator was late.
fn exact_run(task: &Task<'_>, pair: Pair, seed: u64) -> std::io::Result<RealRun> {
    let run = || real::run(task.point, pair, task.congestion, task.seconds, seed);
    let first = run()?;
    if first.exact { Ok(first) } else { run() }
}

pub(crate) const HEAD: &str = "point                          cc     Linux→Linux   again  Segue→Linux   again  ratio  Linux→Segue  ratio   late µs  tree";

/// One row for a terminal.
pub(crate) fn written(point: &Point, congestion: &str, row: &Row) -> String {
    let figure = |pair| row.goodput.get(&pair).map_or("–".to_owned(), |bits| table::rate(*bits));
    let again = |pair| row.again.get(&pair).map_or("–".to_owned(), |segments| format!("{segments:.0}"));
    let ratio = |ratio: Option<f64>| ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
    format!(
        "{:<30} {congestion:<6} {:>11} {:>7} {:>12} {:>7} {:>6} {:>12} {:>6} {:>9.0}  {}{}",
        point.name,
        figure(Pair::LinuxToLinux),
        again(Pair::LinuxToLinux),
        figure(Pair::SegueToLinux),
        again(Pair::SegueToLinux),
        ratio(row.sender()),
        figure(Pair::LinuxToSegue),
        ratio(row.receiver()),
        row.late.as_secs_f64() * 1e6,
        if row.tree.is_empty() { "–" } else { &row.tree },
        remarks(point, row)
    )
}

/// What the senders saw of their path, for a terminal: round trips, and what was sent again without need.
pub(crate) fn seen_by_senders(row: &Row) -> String {
    let seen = |pair: &Pair| {
        let (trip, needless) = (row.round_trip.get(pair)?, row.needless.get(pair)?);
        Some(format!("{} {:.2} ms, {needless:.0} D-SACKs", pair.name(), trip / 1000.0))
    };
    format!("    round trips: {}", Pair::ALL.iter().filter_map(seen).collect::<Vec<_>>().join("; "))
}

/// What a reader must know of a row.
fn remarks(point: &Point, row: &Row) -> String {
    let mut remarks = String::new();
    if row.inexact > 0 {
        remarks.push_str(" (late)");
    }
    if is_held_by_machine(point, row) {
        remarks.push_str(" (machine)");
    }
    for failure in &row.failures {
        let _ = write!(remarks, " (failed: {failure})");
    }
    remarks
}

/// Whether Linux to Linux leaves a tenth of a fast path without loss unused: then this machine's processors are measured.
fn is_held_by_machine(point: &Point, row: &Row) -> bool {
    let best = point.best_bits_per_second() * 0.9;
    point.is_fast() && point.is_without_loss() && row.goodput.get(&Pair::LinuxToLinux).is_some_and(|got| *got < best)
}

/// Means and minima by congestion control, and where Segue's sender is behind.
pub(crate) fn summary(rows: &Rows) -> String {
    let mut names: Vec<&String> = rows.iter().map(|(_, name, _)| name).collect();
    names.sort();
    names.dedup();
    let mut page = String::new();
    for name in names {
        let of = |ratio: &dyn Fn(&Row) -> Option<f64>, wanted: &dyn Fn(&Point) -> bool| {
            let ratios: Vec<f64> = rows
                .iter()
                .filter(|(point, congestion, _)| congestion == name && wanted(point))
                .filter_map(|(_, _, row)| ratio(row))
                .collect();
            let words = |(mean, least): (f64, f64)| {
                format!("{mean:.2} in the (geometric) mean, {least:.2} at least, over {} points", ratios.len())
            };
            table::mean_and_least(&ratios).map_or("not measured".to_owned(), words)
        };
        let all = |_: &Point| true;
        let _ = writeln!(page, "{name}: sender {}; receiver {}", of(&Row::sender, &all), of(&Row::receiver, &all));
        if name == "bbr" {
            let _ =
                writeln!(page, "bbr with less loss than 5%: sender {}", of(&Row::sender, &|point| !point.is_lossy()));
        }
    }
    for (point, name, row) in rows {
        if let Some(ratio) = row.sender().filter(|ratio| *ratio < BEHIND) {
            let _ = writeln!(page, "behind: {name} at {}: {ratio:.2}", point.name);
        }
    }
    page
}

/// The document: what was measured where, means, the table, the shares of a bottleneck.
pub(crate) fn page(
    rows: &Rows,
    plan: &Plan,
    congestion: &[String],
    (machine, tree): (&str, &str),
    fairness: &str,
) -> String {
    let mut page = String::from(
        "# Recovery beside Linux\n\n\
         Bulk transfers over emulated paths in real time: from Linux to Linux, from Segue to Linux, from Linux to Segue. The same\n\
         emulator (`segue path`'s), the same seeds, the same buffers, nothing remembered between connections. Goodput is what the\n\
         receiving program had read when the time was over, counted from the SYN on; *again* is how many segments the sender sent\n\
         again. Ratios are against Linux to Linux. A name says rate, round trip and what goes wrong on the way of the data; queues hold\n\
         what fills the path, at least 32 packets, unless the name says otherwise.\n\n\
         Written by `cargo xtask grid --real --write` (root); one point takes seconds:\n\
         `cargo xtask grid --real --point 100mbit-30ms-1% --cc cubic --repeats 1`.\n\n",
    );
    let _ = writeln!(
        page,
        "{machine}; medians of {} ({} above 100 Mbit/s), up to {} rows at the same time where the path is slow{}.\n",
        plan.repeats,
        plan.fast_repeats(),
        plan.jobs,
        given_up(plan)
    );
    let _ = writeln!(
        page,
        "Rates above 1 Gbit/s are measured in virtual time only (`docs/loss-grid.txt`): two kernels, two programs and the emulator\n\
         share this machine's processors, and above that rate they, not the path, would be measured.\n"
    );
    let older = older(rows, tree);
    if !older.is_empty() {
        let _ = writeln!(page, "Written with sources of {tree}; of older ones, to be measured again: {older}.\n");
    }
    page.push_str("## In one line each\n\n");
    for line in summary(rows).lines() {
        let _ = writeln!(page, "- {line}");
    }
    page.push_str(REASONS);
    let missing = missing(rows, plan, congestion);
    if !missing.is_empty() {
        let _ = writeln!(page, "\nNot measured yet: {missing}; what is not in the table.");
    }
    page.push_str("\n## Sharing a bottleneck\n\n```\n");
    page.push_str(fairness);
    page.push_str("```\n\n## All points\n\n```\n");
    let _ = writeln!(page, "{HEAD}");
    for (point, name, row) in rows {
        let _ = writeln!(page, "{}", written(point, name, row));
    }
    page.push_str(
        "```\n\n*late*: 99 % of what left the emulator left no later than this after its time, in the worst run of the row; *(late)*: more\n\
         than a millisecond or 2 % of the round trip, twice. *(machine)*: Linux to Linux left a tenth of a path without loss unused;\n\
         the processors are measured, not the senders. *tree*: the commit that changed the crates it is made of last before it was\n\
         measured; +: and changes beside it.\n",
    );
    page
}

/// Why a sender may be behind and stays so.
const REASONS: &str = "\nWhere Segue is behind, or nearly:\n\n\
    - **Sender, bbr at 5 % loss: 0.91 and more.** Linux's bbr is version 1, which does not answer to loss; Segue's is the draft's version 3, which tells\n\
    \x20 the loss of the path from its own and probes for the round trip every five seconds. 1 Gbit/s and 30 ms gave 0.67 (a single run) while one\n\
    \x20 Startup in eight ended far too early ([bbr-loss](decisions/bbr-loss.md)); 0.93 since (median of 5).\n\
    - **Sender, bbr, the mean of 1.29.** At six points of 1 Gbit/s and 100 ms and more Linux's bbr stands nearly still and Segue's gets\n\
    \x20 9 to 136 times as much (single runs); without them the mean over the other 82 is 0.99.\n\
    - **Sender, cubic at 1 ms with loss.** 0.64, 0.74 and 0.89 until the curve was looked at once in a jiffy of 4 ms, as Linux does\n\
    \x20 ([cubic-segments](decisions/cubic-segments.md)); nothing was sent again without need. On paths\n\
    \x20 below 10 ms processors and emulator stay awake, so that both senders have the same round trip (1.2 ms at 1 Gbit/s; printed\n\
    \x20 beside each row that is measured): a kernel sends from the thread that brings it the acknowledgment, a program has to be woken first.\n\
    - **Sender, cubic with CoDel.** 0.88 while slow start always went on for five round trips after the first rise. Since a second rise ends it, it\n\
    \x20 is 90 Mbit/s in four runs of five and 77 in one, beside 88 of Linux: whether 34.3 or 34.5 ms are measured when the window is 900, where the rule asks for\n\
    \x20 34.4, decides between four and five reductions in a row ([slow-start](decisions/slow-start.md)).\n\
    - **What is sent again without loss on the path, cubic.** Not reordering but the end of slow start: HyStart++ (RFC 9406) finds a queue\n\
    \x20 that stays for a round trip, which is one doubling after it began; Linux's own HyStart also counts how long a train of\n\
    \x20 acknowledgments lasts, and leaves when that is half of the round trip; what that gains and costs: [slow-start](decisions/slow-start.md).\n\
    - **Receiver, bbr at 100 ms and more with 1 % loss and more.** A sender that goes on in spite of loss needs a receive window that grows\n\
    \x20 while segments are missing.\n";

/// Of which sources the rows are, where they are not all of `tree`.
fn older(rows: &Rows, tree: &str) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (_, congestion, row) in rows.iter().filter(|(_, _, row)| row.tree != tree) {
        *counts.entry((row.tree.as_str(), congestion)).or_default() += 1;
    }
    let of = |((tree, congestion), count): ((&str, &str), usize)| {
        let tree = if tree.is_empty() { "sources before trees were noted" } else { tree };
        format!("{count} rows of {congestion} ({tree})")
    };
    counts.into_iter().map(of).collect::<Vec<_>>().join(", ")
}

/// How many points the table would have and does not, by congestion control.
fn missing(rows: &Rows, plan: &Plan, congestion: &[String]) -> String {
    let mut counts = Vec::new();
    for name in congestion {
        let has = |point: &Point| rows.iter().any(|(other, cc, _)| other.name == point.name && cc == name);
        let without = plan.points.iter().filter(|(point, _)| !has(point)).count();
        if without > 0 {
            counts.push(format!("{name} at {without} of {} points", plan.points.len()));
        }
    }
    counts.join(", ")
}

fn given_up(plan: &Plan) -> String {
    if plan.given_up.is_empty() { String::new() } else { format!("; for the time that there was: {}", plan.given_up) }
}
