//! The grid in virtual time: a table that is committed, and what counts as a regression from it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::lab::{self, VirtualRun};
use crate::point::{Kind, Point};
use crate::table;

/// How many runs with different seeds each figure of the committed table is the median of: where nothing is lost at random, and
/// where it is. A short flow is at the mercy of when its first losses come: medians of three moved by a fifth with any change
/// of the sender, medians of 21 did not.
const SEEDS: u64 = 3;
const SEEDS_WITH_LOSS: u64 = 15;

fn seeds_at(point: &Point) -> u64 {
    if point.is_without_loss() { SEEDS } else { SEEDS_WITH_LOSS }
}

/// A figure that fell by more than this is a regression.
const TOLERANCE: f64 = 0.05;

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) goodput: f64,
    /// Of what the path can carry.
    pub(crate) used: f64,
    pub(crate) retransmitted: f64,
    pub(crate) timeouts: f64,
}

/// Lines by point and congestion control.
pub(crate) type Lines = BTreeMap<(String, String), Line>;

/// Measures points under congestion controls; calls `say` with each line as it comes.
pub(crate) fn measure(
    points: &[Point],
    congestion: &[String],
    seeds: Option<u64>,
    mut say: impl FnMut(&str, &str, &Line),
) -> Result<Lines, String> {
    let mut lines = Lines::new();
    for point in points {
        for name in congestion {
            let runs: Result<Vec<VirtualRun>, _> = (1..=seeds.unwrap_or_else(|| seeds_at(point)))
                .map(|seed| lab::run(point, &[name], point.virtual_time(), seed))
                .collect();
            let runs = runs.map_err(|error| format!("{} {name}: {error}", point.name))?;
            let of = |figure: &dyn Fn(&VirtualRun) -> f64| {
                table::median(&runs.iter().map(figure).collect::<Vec<_>>()).unwrap_or_default()
            };
            let goodput = of(&VirtualRun::goodput);
            let line = Line {
                goodput,
                used: goodput / point.best_bits_per_second(),
                retransmitted: of(&|run| run.retransmitted),
                timeouts: of(&|run| run.timeouts as f64),
            };
            say(&point.name, name, &line);
            lines.insert((point.name.clone(), name.clone()), line);
        }
    }
    Ok(lines)
}

pub(crate) const HEAD: &str = "# point                        cc      Mbit/s    used  sent again  timeouts";

/// A line as it is committed.
pub(crate) fn written(point: &str, congestion: &str, line: &Line) -> String {
    format!(
        "{point:<30} {congestion:<6} {:>8.3} {:>6.1}% {:>10.3}% {:>9.0}",
        line.goodput / 1e6,
        line.used * 100.0,
        line.retransmitted * 100.0,
        line.timeouts
    )
}

/// The whole table.
pub(crate) fn page(points: &[Point], lines: &Lines) -> String {
    let mut page = String::from(
        "# Bulk transfers between two Segue hosts in virtual time, medians of 3 seeds (15 with loss): goodput from the SYN on, share of\n\
         # what the path can carry, segments sent again, retransmission timeouts. The same on every machine.\n\
         # Written by `cargo xtask grid --virtual --write`, checked by `cargo xtask grid --virtual --check`.\n",
    );
    let _ = writeln!(page, "{HEAD}");
    for point in points {
        for ((_, congestion), line) in
            lines.range((point.name.clone(), String::new())..).take_while(|((name, _), _)| *name == point.name)
        {
            let _ = writeln!(page, "{}", written(&point.name, congestion, line));
        }
    }
    page
}

/// Bits per second by point and congestion control.
type Goodputs = BTreeMap<(String, String), f64>;

/// The goodputs of a committed table.
fn read(text: &str) -> Result<Goodputs, String> {
    let mut lines = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty())
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [point, congestion, goodput, _used, _again, _timeouts] = words[..] else {
            return Err(format!("line {} of the table has {} columns instead of 6", number + 1, words.len()));
        };
        let mbit: f64 = goodput.parse().map_err(|_| format!("line {}: '{goodput}' is no number", number + 1))?;
        lines.insert((point.to_owned(), congestion.to_owned()), mbit * 1e6);
    }
    Ok(lines)
}

/// What got worse than the committed table, in words.
pub(crate) fn regressions(table: &Path, lines: &Lines) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(table).map_err(|error| format!("{}: {error}", table.display()))?;
    let committed = read(&text).map_err(|problem| format!("{}: {problem}", table.display()))?;
    let mut worse = Vec::new();
    for ((point, congestion), line) in lines {
        let Some(goodput) = committed.get(&(point.clone(), congestion.clone())) else {
            worse.push(format!("{point} {congestion} is not in the table: write it with --write"));
            continue;
        };
        if line.goodput < goodput * (1.0 - TOLERANCE) {
            worse.push(format!(
                "{point} {congestion}: {} instead of {}, {:.1}% less",
                table::rate(line.goodput),
                table::rate(*goodput),
                (1.0 - line.goodput / goodput) * 100.0
            ));
        }
    }
    Ok(worse)
}

/// The points that the committed table has: those that take seconds, not minutes.
pub(crate) fn committed_points(points: Vec<Point>) -> Vec<Point> {
    let rates = [10_000_000, 100_000_000];
    points
        .into_iter()
        .filter(|point| match point.kind {
            Kind::Trouble => true,
            Kind::Loss => rates.contains(&point.rate.bits_per_second()) || point.name.starts_with("1gbit-30ms"),
            Kind::VirtualOnly => point.name == "10gbit-1ms-0%" || point.name == "10gbit-1ms-0.1%",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(goodput: f64) -> Line {
        Line { goodput, used: 0.5, retransmitted: 0.01, timeouts: 2.0 }
    }

    #[test]
    fn a_table_that_was_written_is_read_and_compared() {
        let points: Vec<Point> = crate::point::points().into_iter().take(2).collect();
        let key = |point: &Point| (point.name.clone(), "cubic".to_owned());
        let lines = |goodput| BTreeMap::from([(key(&points[0]), line(goodput)), (key(&points[1]), line(9e6))]);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("grid.txt");
        std::fs::write(&file, page(&points, &lines(5e6))).expect("written");
        assert_eq!(regressions(&file, &lines(5e6)), Ok(Vec::new()));
        assert_eq!(regressions(&file, &lines(4.8e6)), Ok(Vec::new()), "a little less is no regression");
        let worse = regressions(&file, &lines(4.7e6)).expect("read");
        assert!(worse.len() == 1 && worse[0].contains(&points[0].name) && worse[0].contains("6.0% less"), "{worse:?}");
        let mut more = lines(5e6);
        more.insert((points[0].name.clone(), "bbr".to_owned()), line(1.0));
        assert!(regressions(&file, &more).expect("read")[0].contains("--write"));
    }

    #[test]
    fn a_table_that_was_damaged_is_refused_with_the_line() {
        assert!(read("# head\nname cubic 1.0\n").expect_err("short").contains("line 2"));
        assert!(read("name cubic fast 1% 1% 2\n").expect_err("no number").contains("'fast'"));
    }
}
