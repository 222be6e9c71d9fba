//! `--name=value` lines in front of a script, and defines.
use super::cursor::{Cursor, Define, Parsed};
use crate::ast::ScriptOption;
use crate::source::{Diagnostic, Span};

pub(crate) fn parse_options(cursor: &mut Cursor<'_>) -> Parsed<Vec<ScriptOption>> {
    let mut options = Vec::new();
    while cursor.peek("--")? {
        let start = cursor.at;
        cursor.at += 2;
        let rest = cursor.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        let name = rest[..length].to_owned();
        if name.is_empty() {
            return Err(cursor.unexpected("the name of an option after `--`"));
        }
        cursor.at += length;
        let value = if cursor.rest().starts_with('=') {
            cursor.at += 1;
            Some(option_value(cursor)?)
        } else {
            None
        };
        cursor.last_end = cursor.at;
        let option = ScriptOption { name, value, span: cursor.span_from(start) };
        if option.name == "define" {
            let (name, define) = file_define(&option)?;
            cursor.defines.insert(name, define);
        }
        options.push(option);
    }
    Ok(options)
}

/// Up to the next blank; quotes and back-quotes hold blanks.
fn option_value(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let start = cursor.at;
    let mut quote: Option<char> = None;
    let mut length = 0;
    for c in cursor.rest().chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None if c.is_whitespace() => break,
            None => {}
        }
        length += c.len_utf8();
    }
    cursor.at += length;
    if let Some(open) = quote {
        return Err(Diagnostic::at(
            Span { start, end: start + 1 },
            format!("this value has no end: expected `{open}`"),
        ));
    }
    Ok(cursor.text[start..cursor.at].to_owned())
}

/// In a file a define stands for a word, a string or a command.
fn file_define(option: &ScriptOption) -> Parsed<(String, Define)> {
    let value = option.value.as_deref().unwrap_or_default();
    let (name, define) = parse_define(value).map_err(|message| Diagnostic::at(option.span, message))?;
    match &define {
        Define::Plain(word) if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Err(Diagnostic::at(
            option.span,
            format!("--define in a file takes a word, a \"string\" or a `command`, not the number {word}"),
        )
        .note(format!("numbers can be defined on the command line: -D {name}={word}"))),
        _ => Ok((name, define)),
    }
}

/// `NAME=value` of a command line, where numbers are allowed too.
pub(crate) fn parse_command_line_define(text: &str) -> Result<(String, Define), String> {
    parse_define(text)
}

fn parse_define(text: &str) -> Result<(String, Define), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("expected NAME=value, found `{text}`"))?;
    let is_word = |word: &str| !word.is_empty() && word.chars().all(super::cursor::is_word);
    if !is_word(name) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("expected a name of letters, digits and `_` in front of `=`, found `{name}`"));
    }
    let inside = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let define = if let Some(text) = inside('"') {
        Define::Text(text.as_bytes().to_vec())
    } else if let Some(command) = inside('`') {
        Define::Command(command.to_owned())
    } else if is_word(value.strip_prefix('-').unwrap_or(value)) {
        Define::Plain(value.to_owned())
    } else {
        return Err(format!("expected a word, a \"string\" or a `command` after `{name}=`, found `{value}`"));
    };
    Ok((name.to_owned(), define))
}
