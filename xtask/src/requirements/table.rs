//! One RFC's table: its list of numbers and what is said to each.
//!
//! Decides what a well-formed table is: it says something to every number of the list and to no other,
//! and everything has a test, or the reason why it was declined or is done otherwise.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// How much a requirement binds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    Must,
    Should,
    May,
    Recommended,
}

impl Level {
    /// By the first part of a number, as RFC 9293 names them.
    pub(crate) fn of(id: &str) -> Option<Level> {
        match id.split_once('-')?.0 {
            "MUST" => Some(Level::Must),
            "SHLD" => Some(Level::Should),
            "MAY" => Some(Level::May),
            "REC" => Some(Level::Recommended),
            _ => None,
        }
    }
}

/// What was decided about a requirement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    /// What may be done is done.
    Taken,
    /// What may be done is not done.
    Declined,
    /// What must or should be done is not done, or not as the RFC has it.
    Otherwise,
}

/// What is said to one number.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requirement {
    /// What it asks, in a few words.
    pub(crate) words: String,
    /// The tests that prove it; of what is done otherwise: that show what is done.
    #[serde(default)]
    pub(crate) tests: Vec<String>,
    /// Always there for what may be done.
    pub(crate) decision: Option<Decision>,
    /// Why it is not done, or how it was read.
    pub(crate) note: Option<String>,
}

impl Requirement {
    pub(crate) fn declined(&self) -> bool {
        self.decision == Some(Decision::Declined)
    }

    pub(crate) fn is_done_otherwise(&self) -> bool {
        self.decision == Some(Decision::Otherwise)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    requirement: BTreeMap<String, Requirement>,
}

/// One RFC's requirements.
#[derive(Debug)]
pub(crate) struct Table {
    /// The name of its files, `rfc9293`.
    pub(crate) name: String,
    pub(crate) title: String,
    /// Numbers and their sections, in order.
    list: Vec<(String, String)>,
    said: BTreeMap<String, Requirement>,
}

/// Every table of a folder, by name.
///
/// # Errors
/// A file that cannot be read, or is none of ours.
pub(crate) fn load_all(folder: &Path) -> Result<Vec<Table>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    if paths.is_empty() {
        return Err(format!("{}: no requirement table here", folder.display()));
    }
    paths
        .iter()
        .map(|path| {
            let list = super::read(&path.with_extension("list"))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            Table::parse(&name, &list, &super::read(path)?).map_err(|error| format!("{}: {error}", path.display()))
        })
        .collect()
}

impl Table {
    /// A table from the text of its two files.
    ///
    /// # Errors
    /// What is not in the form of one.
    fn parse(name: &str, list: &str, said: &str) -> Result<Table, String> {
        let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let list = lines
            .map(|line| {
                let (id, sections) = line.split_once(' ').ok_or(format!("the list has no section in {line:?}"))?;
                Level::of(id).ok_or(format!("the list has {id:?}; a number begins with MUST, SHLD, MAY or REC"))?;
                Ok((id.to_owned(), sections.replace(' ', ", ")))
            })
            .collect::<Result<Vec<_>, String>>()?;
        let file: File = toml::from_str(said).map_err(|error| error.to_string())?;
        Ok(Table { name: name.to_owned(), title: file.title, list, said: file.requirement })
    }

    /// The numbers, in the list's order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(id, _)| id.as_str())
    }

    /// The sections that state a requirement.
    pub(crate) fn section(&self, id: &str) -> &str {
        self.list.iter().find(|(known, _)| known == id).map_or("", |(_, section)| section)
    }

    /// What is said, in the list's order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Requirement)> {
        self.ids().filter_map(|id| Some((id, self.said.get(id)?)))
    }

    /// What is wrong with the table by itself.
    pub(crate) fn problems(&self) -> Vec<String> {
        let name = &self.name;
        let mut problems = Vec::new();
        for (at, id) in self.ids().enumerate() {
            if self.ids().skip(at + 1).any(|other| other == id) {
                problems.push(format!("{name}.list: {id} is there twice"));
            }
            match self.said.get(id) {
                None => problems.push(format!("{name}.toml: nothing is said to {id}: add [requirement.{id}]")),
                Some(requirement) => {
                    problems.extend(flaw(id, requirement).map(|flaw| format!("{name}.toml: {id}: {flaw}")));
                }
            }
        }
        let unknown = self.said.keys().filter(|id| self.ids().all(|known| known != *id));
        problems.extend(unknown.map(|id| format!("{name}.toml: {id} is not in {name}.list")));
        problems
    }
}

/// What is wrong with what is said to a number.
fn flaw(id: &str, requirement: &Requirement) -> Option<&'static str> {
    let may = Level::of(id) == Some(Level::May);
    if requirement.words.trim().is_empty() {
        Some("say in a few words what it asks")
    } else if requirement.declined() && !may {
        Some("only a MAY can be declined; of what must or should be done say decision = \"otherwise\"")
    } else if requirement.is_done_otherwise() && may {
        Some("a MAY is \"taken\" or \"declined\"")
    } else if may && requirement.decision.is_none() {
        Some("decide: decision = \"taken\" or \"declined\"")
    } else if requirement.declined() && requirement.note.is_none() {
        Some("say in note why it is declined")
    } else if requirement.is_done_otherwise() && requirement.note.is_none() {
        Some("say in note what is done otherwise, and why")
    } else if !requirement.declined() && !requirement.is_done_otherwise() && requirement.tests.is_empty() {
        Some("no test proves it")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(said: &str) -> Vec<String> {
        let list = "# numbers\nMUST-1 3.1\nMAY-2 3.2 3.3\n";
        Table::parse("rfc1", list, &format!("title = \"RFC 1\"\n{said}")).expect("a table").problems()
    }

    const WHOLE: &str = "[requirement.MUST-1]\nwords = \"a\"\ntests = [\"x::y::z\"]\n\
                         [requirement.MAY-2]\nwords = \"b\"\ndecision = \"declined\"\nnote = \"c\"\n";

    #[test]
    fn a_whole_table_has_no_problem() {
        assert_eq!(problems(WHOLE), [""; 0]);
    }

    #[test]
    fn every_gap_in_a_table_is_found() {
        for (from, to, expected) in [
            ("[requirement.MUST-1]", "[requirement.MUST-9]", "nothing is said to MUST-1"),
            ("[requirement.MUST-1]", "[requirement.MUST-9]", "MUST-9 is not in rfc1.list"),
            ("words = \"a\"", "words = \" \"", "in a few words"),
            ("tests = [\"x::y::z\"]", "tests = []", "no test proves it"),
            ("tests = [\"x::y::z\"]", "decision = \"declined\"\nnote = \"d\"", "only a MAY can be declined"),
            ("decision = \"declined\"\nnote = \"c\"", "", "decide"),
            ("note = \"c\"", "", "why it is declined"),
            ("decision = \"declined\"", "decision = \"taken\"", "no test proves it"),
            ("decision = \"declined\"", "decision = \"otherwise\"", "taken"),
            ("tests = [\"x::y::z\"]", "decision = \"otherwise\"", "what is done otherwise"),
        ] {
            let found = problems(&WHOLE.replace(from, to));
            assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
        }
    }

    #[test]
    fn what_is_done_otherwise_needs_a_reason_and_no_test() {
        let said = "decision = \"otherwise\"\nnote = \"d\"";
        assert_eq!(problems(&WHOLE.replace("tests = [\"x::y::z\"]", said)), [""; 0]);
    }

    #[test]
    fn a_number_that_is_listed_twice_is_found() {
        let table =
            Table::parse("rfc1", "MUST-1 3.1\nMUST-1 3.2\n", &format!("title = \"\"\n{WHOLE}")).expect("a table");
        assert!(table.problems().iter().any(|problem| problem.contains("twice")));
    }

    #[test]
    fn what_is_no_table_is_refused_with_the_reason() {
        for (list, said, expected) in [
            ("MUST-1", WHOLE, "no section"),
            ("SHALL-1 3", WHOLE, "begins with MUST"),
            ("MUST-1 3", "[requirement.MUST-1]\nword = \"a\"", "word"),
        ] {
            let error = Table::parse("rfc1", list, &format!("title = \"\"\n{said}")).expect_err("no table");
            assert!(error.contains(expected), "{error}");
        }
    }
}
