//! The requirement tables: what the RFCs ask, and the tests that prove it.
//!
//! `docs/requirements/NAME.list` has the numbers of an RFC's requirements, `NAME.toml` what each one
//! says and the tests that prove it. Decides whether the tables hold; `table` reads
//! them, `proof` runs the tests, `page` writes docs/conformance.md, with what came of the scripts (`scripts`) and of the random
//! stories (`stories`).

mod page;
mod proof;
mod scripts;
mod stories;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proof::{Proof, TestName, Verdict};
use table::{Decision, Level, Table};

/// Options of `cargo xtask requirements`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write the tables into docs/conformance.md.
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Fail when docs/conformance.md is not what --write would make of it.
    #[arg(long)]
    check: bool,
    /// Print only what is wrong.
    #[arg(long)]
    quiet: bool,
}

/// Proves the tables. The number of problems found, each of them printed.
///
/// # Errors
/// A file that cannot be read, or tests that cannot be built.
pub(crate) fn run(arguments: &Arguments) -> Result<usize, String> {
    let root = root();
    let tables = table::load_all(&root.join("docs/requirements"))?;
    let mut problems: Vec<String> = tables.iter().flat_map(Table::problems).collect();
    let (names, misnamed) = named_tests(&tables);
    problems.extend(misnamed);
    // What the page says does not depend on what the tests say.
    let page_path = root.join("docs/conformance.md");
    if arguments.write || arguments.check {
        let old = read(&page_path)?;
        let rest = [("scripts", scripts::section(&root)?), ("stories", stories::section(&root)?)];
        let new = page::renew(&old, &tables, &rest).map_err(|message| format!("{}: {message}", page_path.display()))?;
        if arguments.write && new != old {
            std::fs::write(&page_path, new).map_err(|error| format!("{}: {error}", page_path.display()))?;
        } else if arguments.check && new != old {
            problems.push("docs/conformance.md is stale: run cargo xtask requirements --write".to_owned());
        }
    }
    let proof = proof::run(&root, &names)?;
    problems.extend(tables.iter().flat_map(|table| unproven(table, &proof)));
    if !arguments.quiet {
        tables.iter().for_each(|table| print(table, &proof));
    }
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    Ok(problems.len())
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Every test that a table names, and what is wrong with names that are none.
fn named_tests(tables: &[Table]) -> (BTreeSet<TestName>, Vec<String>) {
    let (mut names, mut problems) = (BTreeSet::new(), Vec::new());
    for table in tables {
        for (id, requirement) in table.entries() {
            for test in &requirement.tests {
                match test.parse() {
                    Ok(name) => _ = names.insert(name),
                    Err(message) => problems.push(format!("{}: {id}: {test}: {message}", table.name)),
                }
            }
        }
    }
    (names, problems)
}

/// Tests of a table that do not prove anything: missing, ignored, failed.
fn unproven(table: &Table, proof: &Proof) -> Vec<String> {
    let mut problems = Vec::new();
    for (id, requirement) in table.entries() {
        for test in &requirement.tests {
            let Ok(name) = test.parse::<TestName>() else { continue };
            let words = match proof.verdict(&name) {
                Verdict::Passed => continue,
                Verdict::Failed => "failed",
                Verdict::Ignored => "is ignored; it must run",
                Verdict::Missing => "does not exist, or did not run",
            };
            problems.push(format!("{}: {id}: {test} {words}", table.name));
        }
    }
    problems
}

fn print(table: &Table, proof: &Proof) {
    println!("{}", table.title);
    for (id, requirement) in table.entries() {
        let passed = |test: &&String| test.parse().is_ok_and(|name| proof.verdict(&name) == Verdict::Passed);
        let proven = requirement.tests.iter().filter(passed).count();
        let state = match (requirement.decision, requirement.tests.len()) {
            (Some(Decision::Declined), _) => "declined".to_owned(),
            (Some(Decision::Otherwise), _) => "otherwise".to_owned(),
            (_, 0) => "UNPROVEN".to_owned(),
            (_, all) => format!("{proven}/{all} pass"),
        };
        println!("  {id:8} {:12} {state:10} {}", table.section(id), requirement.words);
    }
    let count = |level| table.ids().filter(|id| Level::of(id) == Some(level)).count();
    let otherwise = table.entries().filter(|(_, requirement)| requirement.is_done_otherwise()).count();
    println!(
        "  {} MUST, {} SHOULD, {} MAY, {} RECOMMENDED; {otherwise} done otherwise\n",
        count(Level::Must),
        count(Level::Should),
        count(Level::May),
        count(Level::Recommended)
    );
}
