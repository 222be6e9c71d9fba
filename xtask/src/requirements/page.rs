//! docs/conformance.md: the tables for people.
//!
//! Decides what stands between the page's two markers; the rest of the page is written by hand.

use super::table::{Requirement, Table};

const BEGIN: &str = "<!-- requirements: begin (cargo xtask requirements --write) -->";
const END: &str = "<!-- requirements: end -->";

/// The page with its tables as they are now.
///
/// # Errors
/// A page without the markers.
pub(crate) fn renew(page: &str, tables: &[Table]) -> Result<String, String> {
    let missing = || format!("the lines {BEGIN:?} and {END:?} are missing");
    let (before, rest) = page.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    let body: String = tables.iter().map(section).collect();
    Ok(format!("{before}{BEGIN}\n{body}{END}{after}"))
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
    let tests: Vec<String> = requirement.tests.iter().map(|test| format!("`{test}`")).collect();
    let note = requirement.note.as_deref().map(cell);
    match (requirement.declined(), note) {
        (true, note) => format!("declined: {}", note.unwrap_or_default()),
        (false, Some(note)) => format!("{}<br>{note}", tests.join("<br>")),
        (false, None) => tests.join("<br>"),
    }
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
        let page = format!("# Page\nhand\n{BEGIN}\nold\n{END}\nmore\n");
        let new = renew(&page, &[]).expect("a page");
        assert_eq!(new, format!("# Page\nhand\n{BEGIN}\n{END}\nmore\n"));
        assert_eq!(renew(&new, &[]), Ok(new.clone()), "writing twice changes nothing");
        assert!(renew("# Page", &[]).is_err());
    }

    #[test]
    fn a_cell_is_one_line_without_bars() {
        assert_eq!(cell("a\n  b | c"), "a b \\| c");
    }
}
