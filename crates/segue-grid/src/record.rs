//! Rows on disk, so that a measurement of an hour may be interrupted and go on.
//!
//! Decides the file's form: a line of JSON for each row, in the order of measuring. What was measured is not measured again.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::point::Point;
use crate::real::Pair;
use crate::real_grid::{Row, Rows};

/// Adds a row.
pub(crate) fn append(file: &Path, point: &Point, congestion: &str, row: &Row) -> std::io::Result<()> {
    let figures = |figures: &std::collections::BTreeMap<Pair, f64>| -> Value {
        figures.iter().map(|(pair, figure)| (pair.name().to_owned(), json!(figure))).collect()
    };
    let line = json!({
        "point": point.name,
        "cc": congestion,
        "goodput": figures(&row.goodput),
        "again": figures(&row.again),
        "needless": figures(&row.needless),
        "round_trip_us": figures(&row.round_trip),
        "late_us": row.late.as_micros() as u64,
        "inexact": row.inexact,
        "failures": row.failures,
        "tree": row.tree,
    });
    // One write: rows that end at the same time must not run into each other.
    OpenOptions::new().create(true).append(true).open(file)?.write_all(format!("{line}\n").as_bytes())
}

/// The rows of a file at points that are known here; none when there is no file. The later of two for the same place counts.
pub(crate) fn read(file: &Path, points: &[Point]) -> Result<Rows, String> {
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(Rows::new()) };
    let mut rows = Rows::new();
    for (number, line) in text.lines().enumerate() {
        let value: Value = serde_json::from_str(line)
            .map_err(|error| format!("{}:{}: {error}; take the line out", file.display(), number + 1))?;
        let (name, congestion) = (text_of(&value["point"]), text_of(&value["cc"]));
        let Some(point) = points.iter().find(|point| point.name == name) else { continue };
        rows.retain(|(point, cc, _)| point.name != name || *cc != congestion);
        rows.push((point.clone(), congestion, row(&value)));
    }
    sort(&mut rows, points);
    Ok(rows)
}

/// In the order of the table, whichever was measured first.
pub(crate) fn sort(rows: &mut Rows, points: &[Point]) {
    let place = |name: &str| points.iter().position(|point| point.name == name);
    rows.sort_by_key(|(point, congestion, _)| (place(&point.name), congestion != "cubic", congestion.clone()));
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn row(value: &Value) -> Row {
    let figures = |value: &Value| {
        let figure = |pair: Pair| Some((pair, value[pair.name()].as_f64()?));
        Pair::ALL.into_iter().filter_map(figure).collect()
    };
    Row {
        goodput: figures(&value["goodput"]),
        again: figures(&value["again"]),
        needless: figures(&value["needless"]),
        round_trip: figures(&value["round_trip_us"]),
        late: Duration::from_micros(value["late_us"].as_u64().unwrap_or(0)),
        inexact: value["inexact"].as_u64().unwrap_or(0) as usize,
        failures: value["failures"].as_array().into_iter().flatten().map(text_of).collect(),
        tree: text_of(&value["tree"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_end_at_the_same_time_stay_apart() {
        let points = crate::point::points();
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rows");
        let row = Row { failures: vec!["x".repeat(300)], ..Row::default() };
        let each = |point: &Point| append(&file, point, "reno", &row).expect("written");
        crate::side_by_side::each(points.iter().collect(), 8, each);
        assert_eq!(read(&file, &points).expect("read").len(), points.len());
    }

    #[test]
    fn what_is_written_is_read_and_the_later_row_counts() {
        let points = crate::point::points();
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rows");
        assert!(read(&file, &points).expect("nothing yet").is_empty());
        let row = |goodput: f64| Row {
            goodput: [(Pair::LinuxToLinux, goodput), (Pair::SegueToLinux, 2.0 * goodput)].into(),
            again: [(Pair::LinuxToLinux, 3.0)].into(),
            needless: [(Pair::SegueToLinux, 4.0)].into(),
            round_trip: [(Pair::LinuxToSegue, 1500.0)].into(),
            late: Duration::from_micros(17),
            inexact: 1,
            failures: vec!["linux-segue with seed 1: no route".to_owned()],
            tree: "0123abc".to_owned(),
        };
        append(&file, &points[0], "cubic", &row(1e6)).expect("written");
        append(&file, &points[1], "cubic", &row(2e6)).expect("written");
        append(&file, &points[0], "cubic", &row(5e6)).expect("written");
        let rows = read(&file, &points).expect("read");
        let names: Vec<&str> = rows.iter().map(|(point, _, _)| point.name.as_str()).collect();
        assert_eq!(names, [points[0].name.as_str(), points[1].name.as_str()]);
        assert_eq!(rows[0].2.goodput, row(5e6).goodput);
        assert_eq!(
            (rows[0].2.needless.clone(), rows[0].2.round_trip.clone()),
            (row(0.0).needless, row(0.0).round_trip)
        );
        assert_eq!((rows[0].2.late, rows[0].2.inexact), (Duration::from_micros(17), 1));
        assert_eq!(rows[0].2.tree, "0123abc");
        assert_eq!((rows[0].2.sender(), rows[0].2.failures.len()), (Some(2.0), 1));
    }
}
