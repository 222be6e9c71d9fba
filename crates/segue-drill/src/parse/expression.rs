//! System calls and the values in them.
use super::cursor::{Cursor, Define, Parsed};
use crate::ast::{Expression, Field, SystemCall, Value};
use crate::source::{Diagnostic, Span};

/// Nesting is bounded so that no script can exhaust the interpreter's own stack.
const MAX_DEPTH: usize = 32;

pub(super) fn system_call(cursor: &mut Cursor<'_>) -> Parsed<SystemCall> {
    let (name, name_span) = cursor.defined_word("the name of a system call")?;
    cursor.expect("(", &format!("and the arguments of {name}"))?;
    let arguments = sequence(cursor, ")", 0)?;
    cursor.expect("=", "and the result of the call")?;
    let result = expression(cursor, 0)?;
    let mut errno = None;
    if cursor.peek_char()?.is_some_and(|c| c.is_ascii_alphabetic()) {
        errno = Some(cursor.defined_word("an errno name")?.0);
        if !cursor.peek("(")? {
            return Err(cursor.unexpected("a note in parentheses after the errno, such as `EAGAIN (would block)`"));
        }
    }
    while cursor.peek("(")? {
        note(cursor)?;
    }
    Ok(SystemCall {
        name,
        name_span,
        arguments,
        result,
        errno,
        span: Span { start: name_span.start, end: cursor.last_end },
    })
}

/// Free text that nobody looks at.
fn note(cursor: &mut Cursor<'_>) -> Parsed<()> {
    let (text, span) = cursor.delimited("(", ")", "note")?;
    if text.contains(['(', ';', '{', '`', '"']) {
        return Err(Diagnostic::at(span, "a note is made of words"));
    }
    Ok(())
}

/// Values separated by commas, up to and with the closing token.
fn sequence(cursor: &mut Cursor<'_>, close: &str, depth: usize) -> Parsed<Vec<Expression>> {
    let mut values = Vec::new();
    if cursor.eat(close)? {
        return Ok(values);
    }
    loop {
        values.push(expression(cursor, depth + 1)?);
        if cursor.eat(close)? {
            return Ok(values);
        }
        if !cursor.eat(",")? {
            return Err(cursor.unexpected(&format!("`,` or `{close}`")));
        }
    }
}

fn expression(cursor: &mut Cursor<'_>, depth: usize) -> Parsed<Expression> {
    if depth > MAX_DEPTH {
        return Err(cursor.unexpected(&format!("at most {MAX_DEPTH} levels of nesting")));
    }
    let first = primary(cursor, depth)?;
    if !cursor.peek("|")? {
        return Ok(first);
    }
    let mut terms = vec![first];
    while cursor.eat("|")? {
        terms.push(primary(cursor, depth)?);
    }
    let span = Span { start: terms[0].span.start, end: cursor.last_end };
    Ok(Expression { value: Value::Or(terms), span })
}

fn primary(cursor: &mut Cursor<'_>, depth: usize) -> Parsed<Expression> {
    cursor.skip()?;
    let start = cursor.at;
    let value = match cursor.peek_char()? {
        _ if cursor.eat("...")? => Value::Ellipsis,
        Some('"') => Value::Text(strings(cursor)?),
        Some('[') => {
            cursor.eat("[")?;
            Value::List(sequence(cursor, "]", depth)?)
        }
        Some('{') => braces(cursor, depth)?,
        Some('-') => {
            cursor.eat("-")?;
            Value::Integer(-integer(cursor)?)
        }
        Some(c) if c.is_ascii_digit() => Value::Integer(integer(cursor)?),
        Some(c) if c.is_ascii_alphabetic() || c == '_' => word(cursor, depth)?,
        _ => return Err(cursor.unexpected("a value")),
    };
    Ok(Expression { value, span: Span { start, end: cursor.last_end } })
}

fn integer(cursor: &mut Cursor<'_>) -> Parsed<i64> {
    let (word, span) = cursor.word("a number")?;
    number(word).ok_or_else(|| Diagnostic::at(span, format!("expected a number of at most 64 bits, found `{word}`")))
}

fn number(word: &str) -> Option<i64> {
    match word.strip_prefix("0x") {
        // As in C: the topmost bit may be set.
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|number| number as i64),
        None => word.parse().ok(),
    }
}

fn word(cursor: &mut Cursor<'_>, depth: usize) -> Parsed<Value> {
    let (name, _) = cursor.word("a word")?;
    match cursor.defines.get(name) {
        Some(Define::Text(text)) => return Ok(Value::Text(text.clone())),
        Some(Define::Plain(text)) => {
            return Ok(number(text).map_or_else(|| Value::Word(text.clone()), Value::Integer));
        }
        _ => {}
    }
    if cursor.peek("(")? && matches!(name, "htons" | "htonl" | "inet_addr" | "inet6_addr") {
        cursor.eat("(")?;
        return Ok(Value::Call(name.to_owned(), sequence(cursor, ")", depth)?));
    }
    Ok(Value::Word(name.to_owned()))
}

/// `{name=…, …}` or `{a, b}`.
fn braces(cursor: &mut Cursor<'_>, depth: usize) -> Parsed<Value> {
    cursor.expect("{", "")?;
    if !is_field_next(cursor)? {
        return Ok(Value::Group(sequence(cursor, "}", depth)?));
    }
    let mut fields = Vec::new();
    loop {
        let (name, _) = cursor.defined_word("the name of a field")?;
        let size = if cursor.eat("(")? {
            let size = expression(cursor, depth + 1)?;
            cursor.expect(")", "after the size of the field")?;
            Some(size)
        } else {
            None
        };
        cursor.expect("=", &format!("and the value of {name}"))?;
        fields.push(Field { name, size, value: expression(cursor, depth + 1)? });
        if cursor.eat("}")? {
            return Ok(Value::Structure(fields));
        }
        if !cursor.eat(",")? {
            return Err(cursor.unexpected("`,` or `}` after a field"));
        }
    }
}

fn is_field_next(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    let Some(word) = cursor.peek_word()? else { return Ok(false) };
    if matches!(word, "inet_addr" | "inet6_addr" | "htons" | "htonl") {
        return Ok(false);
    }
    let after = cursor.rest()[word.len()..].trim_start();
    Ok(word.starts_with(|c: char| c.is_ascii_alphabetic()) && after.starts_with(['=', '(']))
}

/// Adjacent strings are one.
pub(super) fn strings(cursor: &mut Cursor<'_>) -> Parsed<Vec<u8>> {
    let mut bytes = Vec::new();
    while cursor.peek("\"")? {
        let (text, span) = cursor.delimited("\"", "\"", "string")?;
        unescape(text, span, &mut bytes)?;
    }
    Ok(bytes)
}

fn unescape(text: &str, span: Span, out: &mut Vec<u8>) -> Parsed<()> {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let letter = escape.chars().next();
        let mut used = 1;
        out.push(match letter {
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('f') => 0x0c,
            Some('v') => 0x0b,
            Some('x') => {
                used = 3;
                let digits = escape.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                digits.ok_or_else(|| Diagnostic::at(span, "expected two hexadecimal digits after `\\x`"))?
            }
            other => {
                let other = other.map(String::from).unwrap_or_default();
                let message = format!("unknown escape `\\{other}`: expected \\n \\r \\t \\f \\v or \\xHH");
                return Err(Diagnostic::at(span, message));
            }
        });
        rest = &escape[used..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(())
}
