//! docs/conformance.md: the tables for people.
//!
//! Decides what stands between the page's markers, a pair for each part; the rest of the page is written by hand.

use super::table::{Decision, Requirement, Table};

/// The page with its tables, and the other parts by their names, as they are now.
///
/// # Errors
/// A page without the markers.
pub(crate) fn renew(page: &str, tables: &[Table], rest: &[(&str, String)]) -> Result<String, String> {
    let requirements = tables.iter().map(section).collect();
    let page = part(page, "requirements", requirements)?;
    rest.iter().try_fold(page, |page, (name, body)| part(&page, name, body.clone()))
}

/// The page with another body between one pair of markers.
fn part(page: &str, name: &str, body: String) -> Result<String, String> {
    let begin = format!("<!-- {name}: begin (cargo xtask requirements --write) -->");
    let end = format!("<!-- {name}: end -->");
    let missing = || format!("the lines {begin:?} and {end:?} are missing");
    let (before, rest) = page.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}\n{body}{end}{after}"))
}

fn section(table: &Table) -> String {
    let mut text = format!("\n## {}\n\n| | section | what is asked | proof |\n|---|---|---|---|\n", table.title);
    for (id, requirement) in table.entries() {
        let words = cell(&requirement.words);
        text += &format!("| {id} | {} | {words} | {} |\n", table.section(id), proof(requirement));
    }
    text + "\n"
}

/// The tests, or why there are none; and how the requirement was read.
fn proof(requirement: &Requirement) -> String {
    let mut lines: Vec<String> = requirement.tests.iter().map(|test| format!("`{test}`")).collect();
    let note = requirement.note.as_deref().map(cell);
    match requirement.decision {
        Some(Decision::Declined) => return format!("declined: {}", note.unwrap_or_default()),
        Some(Decision::Otherwise) => lines.push(format!("otherwise: {}", note.unwrap_or_default())),
        Some(Decision::Taken) | None => lines.extend(note),
    }
    lines.join("<br>")
}

/// One line, and no bar that would end the cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let begin = |name| format!("<!-- {name}: begin (cargo xtask requirements --write) -->");
        let (tables, scripts) = (begin("requirements"), begin("scripts"));
        let page = |old: &str, new: &str| {
            format!(
                "# Page\nhand\n{tables}\n{old}<!-- requirements: end -->\nmore\n{scripts}\n{new}<!-- scripts: end -->\n"
            )
        };
        let rest = [("scripts", "two\n".to_owned())];
        let new = renew(&page("old\n", "one\n"), &[], &rest).expect("a page");
        assert_eq!(new, page("", "two\n"));
        assert_eq!(renew(&new, &[], &rest), Ok(new.clone()), "writing twice changes nothing");
        assert!(renew("# Page", &[], &[]).is_err());
    }

    #[test]
    fn what_is_done_otherwise_says_so_behind_the_tests_that_show_it() {
        let mut requirement = Requirement {
            words: "a".into(),
            tests: vec!["x::y::z".into()],
            decision: Some(Decision::Otherwise),
            note: Some("b".into()),
        };
        assert_eq!(proof(&requirement), "`x::y::z`<br>otherwise: b");
        requirement.decision = None;
        assert_eq!(proof(&requirement), "`x::y::z`<br>b");
        requirement.decision = Some(Decision::Declined);
        assert_eq!(proof(&requirement), "declined: b");
    }

    #[test]
    fn a_cell_is_one_line_without_bars() {
        assert_eq!(cell("a\n  b | c"), "a b \\| c");
    }
}
