//! The scanner: what the next token is depends on what the grammar asks for (`.5` is a time, or an ACK with ACE 5).
//!
//! Skips blanks and comments in front of every token. Never goes back over a token it has given.
use std::collections::HashMap;

use crate::source::{Diagnostic, Span};

pub(crate) type Parsed<T> = Result<T, Diagnostic>;

/// What a name given with `-D` or `--define` stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Define {
    /// An integer or a word, as it is.
    Plain(String),
    Text(Vec<u8>),
    Command(String),
}

/// Names and what they stand for.
pub(crate) type Defines = HashMap<String, Define>;

pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
    pub(crate) defines: Defines,
    /// Where the last token ended.
    pub(crate) last_end: usize,
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, defines: Defines) -> Cursor<'a> {
        Cursor { text, at: 0, defines, last_end: 0 }
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skip blanks and comments.
    pub(crate) fn skip(&mut self) -> Parsed<()> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                let Some(end) = trimmed.find("*/") else {
                    let span = Span { start: self.at, end: self.at + 2 };
                    return Err(Diagnostic::at(
                        span,
                        "this comment has no end: expected `*/` before the end of the file",
                    ));
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    pub(crate) fn is_end(&mut self) -> Parsed<bool> {
        self.skip()?;
        Ok(self.rest().is_empty())
    }

    pub(crate) fn span_from(&self, start: usize) -> Span {
        Span { start, end: self.at.max(start) }
    }

    /// Whether this text comes next.
    pub(crate) fn peek(&mut self, token: &str) -> Parsed<bool> {
        self.skip()?;
        Ok(self.rest().starts_with(token))
    }

    pub(crate) fn peek_char(&mut self) -> Parsed<Option<char>> {
        self.skip()?;
        Ok(self.rest().chars().next())
    }

    /// Take this text if it comes next.
    pub(crate) fn eat(&mut self, token: &str) -> Parsed<bool> {
        let is_next = self.peek(token)?;
        if is_next {
            self.at += token.len();
            self.last_end = self.at;
        }
        Ok(is_next)
    }

    pub(crate) fn expect(&mut self, token: &str, what: &str) -> Parsed<Span> {
        self.skip()?;
        let start = self.at;
        if self.eat(token)? { Ok(self.span_from(start)) } else { Err(self.unexpected(&format!("`{token}` {what}"))) }
    }

    /// A complaint about what comes next.
    pub(crate) fn unexpected(&mut self, expected: &str) -> Diagnostic {
        if let Err(error) = self.skip() {
            return error;
        }
        let (what, length) = match self.rest().chars().next() {
            None => ("the end of the file".to_owned(), 0),
            Some(c) if is_word(c) => {
                let word: String = self.rest().chars().take_while(|c| is_word(*c)).collect();
                (format!("`{word}`"), word.len())
            }
            Some(c) => (format!("`{c}`"), c.len_utf8()),
        };
        let error = Diagnostic::at(
            Span { start: self.at, end: self.at + length },
            format!("expected {expected}, found {what}"),
        );
        if self.rest().starts_with('#') { error.note("comments start with `//` or `/*`") } else { error }
    }

    /// The word that comes next, without taking it.
    pub(crate) fn peek_word(&mut self) -> Parsed<Option<&'a str>> {
        self.skip()?;
        let rest = self.rest();
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        Ok((length > 0).then(|| &rest[..length]))
    }

    pub(crate) fn word(&mut self, what: &str) -> Parsed<(&'a str, Span)> {
        let Some(word) = self.peek_word()? else { return Err(self.unexpected(what)) };
        let start = self.at;
        self.at += word.len();
        self.last_end = self.at;
        Ok((word, self.span_from(start)))
    }

    /// Take this word if it comes next as a whole word.
    pub(crate) fn eat_word(&mut self, word: &str) -> Parsed<bool> {
        if self.peek_word()? != Some(word) {
            return Ok(false);
        }
        self.at += word.len();
        self.last_end = self.at;
        Ok(true)
    }

    /// A word, or what a define makes of it.
    pub(crate) fn defined_word(&mut self, what: &str) -> Parsed<(String, Span)> {
        let (word, span) = self.word(what)?;
        match self.defines.get(word) {
            None => Ok((word.to_owned(), span)),
            Some(Define::Plain(text)) => Ok((text.clone(), span)),
            Some(_) => {
                Err(Diagnostic::at(span, format!("expected {what}; `{word}` is defined as a string or a command")))
            }
        }
    }

    /// An unsigned decimal within `0..=max`. Hexadecimal is refused, a defined name is taken.
    pub(crate) fn decimal(&mut self, what: &str, max: u64) -> Parsed<u64> {
        self.skip()?;
        if self.rest().starts_with('-') {
            return Err(self.unexpected(&format!("{what} (0 to {max}, not negative)")));
        }
        let (word, span) = self.defined_word(&format!("{what}, a decimal number"))?;
        if word.starts_with("0x") || word.starts_with("0X") {
            return Err(Diagnostic::at(
                span,
                format!("expected {what} as a decimal number, found hexadecimal `{word}`"),
            ));
        }
        if !word.chars().all(|c| c.is_ascii_digit()) {
            return Err(Diagnostic::at(span, format!("expected {what}, a decimal number, found `{word}`")));
        }
        in_range(word.parse().ok(), &word, span, what, max)
    }

    /// An unsigned hexadecimal number `0x…` within `0..=max`.
    pub(crate) fn hexadecimal(&mut self, what: &str, max: u64) -> Parsed<u64> {
        let (word, span) = self.defined_word(&format!("{what}, a hexadecimal number such as 0x2c"))?;
        let Some(digits) = word.strip_prefix("0x").filter(|digits| !digits.is_empty()) else {
            let message = format!("expected {what}, a hexadecimal number such as 0x2c, found `{word}`");
            return Err(Diagnostic::at(span, message));
        };
        in_range(u64::from_str_radix(digits, 16).ok(), &word, span, what, max)
    }

    /// Text between two delimiters that may span lines; the opening one comes next.
    pub(crate) fn delimited(&mut self, open: &str, close: &str, what: &str) -> Parsed<(&'a str, Span)> {
        let opening = self.expect(open, what)?;
        let Some(length) = self.rest().find(close) else {
            return Err(Diagnostic::at(opening, format!("this {what} has no end: expected `{close}`")));
        };
        let inner = Span { start: self.at, end: self.at + length };
        self.at = inner.end + close.len();
        self.last_end = self.at;
        Ok((&self.text[inner.start..inner.end], inner))
    }
}

fn in_range(number: Option<u64>, word: &str, span: Span, what: &str, max: u64) -> Parsed<u64> {
    number
        .filter(|number| *number <= max)
        .ok_or_else(|| Diagnostic::at(span, format!("{what} must be at most {max}, found {word}")))
}
