//! The scripts of segue-drill on the page: how many there are of each feature row, and what comes of them on both hosts.
//!
//! Decides the table and the list of differences. Segue plays them here and now; that Linux does what is written here is what
//! the test `segue-drill::corpus_linux` proves.

use std::collections::BTreeMap;
use std::path::Path;

use segue_drill::{Against, Options, Verdict, declared_difference, run_files};

/// Below the workspace.
const FOLDER: &str = "crates/segue-drill/scripts";

#[derive(Default)]
struct Row {
    scripts: usize,
    passed: usize,
    linux_differs: usize,
    unplayed: usize,
}

/// What Linux's kernels are seldom built with: scripts that need it were not played there.
const SELDOM_BUILT: &str = "TCP_AO_ADD_KEY";

/// # Errors
/// A script that cannot be read.
pub(super) fn section(root: &Path) -> Result<String, String> {
    let folder = root.join(FOLDER);
    let report = run_files(&[folder], &Options::default()).map_err(|error| error.to_string())?;
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut differences = String::new();
    for script in &report.scripts {
        let path = Path::new(&script.name);
        let part =
            |path: Option<&Path>| path.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let row = rows.entry(part(path.parent())).or_default();
        row.scripts += 1;
        row.passed += usize::from(script.verdict == Verdict::Passed);
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", script.name))?;
        let declared = declared_difference(&text).map_err(|error| format!("{}: {error}", script.name))?;
        row.unplayed += usize::from(text.contains(SELDOM_BUILT));
        if let Some((host, reason)) = declared {
            row.linux_differs += usize::from(host == Against::Linux);
            let host = if host == Against::Linux { "Linux" } else { "Segue" };
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            differences += &format!("- `drill::{}/{name}`: {host}: {reason}\n", part(path.parent()));
        }
    }
    let mut text = "\n## Scripts by feature row\n\n| row | scripts | pass on Segue | Linux agrees | Linux differs | not played on Linux |\n|---|---|---|---|---|---|\n".to_owned();
    let mut total = Row::default();
    for (name, row) in &rows {
        text += &line(name, row);
        total.scripts += row.scripts;
        total.passed += row.passed;
        total.linux_differs += row.linux_differs;
        total.unplayed += row.unplayed;
    }
    text += &line("all", &total);
    text += "\nWhat Linux does is what the scripts' headers say, and `segue-drill::corpus_linux` plays them on this machine's kernel; a \
             script that sets what that kernel lacks (TCP-AO) is not played there, and told.\n\nScripts that one host fails on purpose, by \
             their own headers:\n\n";
    Ok(text + &differences + "\n")
}

fn line(name: &str, row: &Row) -> String {
    let Row { scripts, passed, linux_differs, unplayed } = row;
    let agrees = scripts - linux_differs - unplayed;
    format!("| {name} | {scripts} | {passed} | {agrees} | {linux_differs} | {unplayed} |\n")
}
