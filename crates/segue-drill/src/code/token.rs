//! Tokens of `%{ }%` code: the Python that assertions are made of.
use super::Fault;

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    Integer(i128),
    Float(f64),
    Text(String),
    /// `f"…"`
    Template(String),
    Name(String),
    Operator(&'static str),
    /// A newline outside parentheses, or `;`.
    End,
}

/// Longest first.
const OPERATORS: &[&str] = &[
    "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "+=", "-=", "*=", "/=", "|=", "&=", "<", ">", "=", "+", "-", "*",
    "/", "%", "&", "|", "^", "~", "(", ")", "[", "]", ",", ":", ".",
];

/// Tokens with their offsets in the text.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Fault> {
    let mut tokens: Vec<(Token, usize)> = Vec::new();
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let start = at;
        let token = if c == '\n' || c == ';' {
            at += 1;
            if depth == 0 { Token::End } else { continue }
        } else if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if c == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        } else if rest.starts_with("\\\n") {
            at += 2;
            continue;
        } else if c == '"' || c == '\'' {
            let (value, length) = string(rest, c, start)?;
            at += length;
            Token::Text(value)
        } else if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
            let (value, length) = number(rest, start)?;
            at += length;
            value
        } else if let Some((prefix, quote)) = quoted(rest) {
            let (value, length) = string(&rest[1..], quote, start)?;
            at += 1 + length;
            if prefix.eq_ignore_ascii_case(&'f') { Token::Template(value) } else { Token::Text(value) }
        } else if c.is_ascii_alphabetic() || c == '_' {
            let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            at += length;
            Token::Name(rest[..length].to_owned())
        } else if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            match *operator {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += operator.len();
            Token::Operator(operator)
        } else {
            return Err(Fault::new(start, format!("`{c}` is not understood in code")));
        };
        tokens.push((token, start));
    }
    tokens.push((Token::End, text.len()));
    Ok(tokens)
}

/// A letter in front of a string, and the quote.
fn quoted(rest: &str) -> Option<(char, char)> {
    let mut chars = rest.chars();
    let (prefix, quote) = (chars.next()?, chars.next()?);
    ("fFbBrRuU".contains(prefix) && matches!(quote, '"' | '\'')).then_some((prefix, quote))
}

fn string(rest: &str, quote: char, start: usize) -> Result<(String, usize), Fault> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, other)) => value.push(other),
                None => break,
            },
            '\n' => break,
            c if c == quote => return Ok((value, at + 1)),
            c => value.push(c),
        }
    }
    Err(Fault::new(start, "this string has no end".into()))
}

fn number(rest: &str, start: usize) -> Result<(Token, usize), Fault> {
    let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_')).unwrap_or(rest.len());
    let text = rest[..length].replace('_', "");
    let token = match text.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16).ok().map(Token::Integer),
        None if text.contains(['.', 'e']) => text.parse().ok().map(Token::Float),
        None => text.parse().ok().map(Token::Integer),
    };
    token.map(|token| (token, length)).ok_or_else(|| Fault::new(start, format!("`{text}` is no number")))
}
