//! Where something stands in a script, and how a complaint about it is shown.
//!
//! Decides positions (line and column, both from 1, columns in characters) and the look of a message.
use std::fmt::{self, Write as _};

/// A range of bytes in the text of a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// What is wrong with a script, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// The place in the script; `None` when it is about the script as a whole.
    pub span: Option<Span>,
    /// What was expected and what came.
    pub message: String,
    /// More lines: the packet that came, the trace around it, what to do.
    pub notes: Vec<String>,
}

impl Diagnostic {
    pub(crate) fn at(span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { span: Some(span), message: message.into(), notes: Vec::new() }
    }

    pub(crate) fn whole(message: impl Into<String>) -> Diagnostic {
        Diagnostic { span: None, message: message.into(), notes: Vec::new() }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    pub(crate) fn or_at(mut self, span: Span) -> Diagnostic {
        self.span.get_or_insert(span);
        self
    }

    /// The message with the script's name, line, column and the line itself.
    pub fn render(&self, name: &str, text: &str) -> String {
        let mut out = String::new();
        match self.span {
            Some(span) => render_at(&mut out, name, text, span, &self.message),
            None => _ = writeln!(out, "{name}: error: {}", self.message),
        }
        for note in &self.notes {
            for (index, line) in note.lines().enumerate() {
                _ = writeln!(out, "  {} {line}", if index == 0 { "=" } else { " " });
            }
        }
        out
    }
}

fn render_at(out: &mut String, name: &str, text: &str, span: Span, message: &str) {
    let (line, column) = position(text, span.start);
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    let number = line.to_string();
    let pad = " ".repeat(number.len());
    let rest = shown.chars().count().saturating_sub(column - 1).max(1);
    let width = text.get(span.start..span.end).map_or(1, |piece| piece.lines().next().unwrap_or("").chars().count());
    _ = writeln!(out, "{name}:{line}:{column}: error: {message}");
    _ = writeln!(out, "{pad} |");
    _ = writeln!(out, "{number} | {}", shown.replace('\t', " "));
    _ = writeln!(out, "{pad} | {}{}", " ".repeat(column - 1), "^".repeat(width.clamp(1, rest)));
}

/// Line and column of a byte, both from 1.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before[start..].chars().count() + 1)
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.notes.iter().try_for_each(|note| write!(f, "\n  = {note}"))
    }
}

impl std::error::Error for Diagnostic {}
