//! From a word as it is written to the word that a program gets: quotes, `$NAME`, `${NAME}`, `$((…))`, `$(…)`.
use std::collections::HashMap;

/// What a word can ask for.
pub(super) trait Values {
    /// The value of a variable; empty when it has none.
    fn variable(&self, name: &str) -> String;

    /// What a command says, without its last line ends.
    fn output(&mut self, command: &str) -> Result<String, String>;
}

/// The words that one written word becomes: none when it was nothing but an empty variable, several when an unquoted one held
/// blanks.
pub(super) fn expand(word: &str, values: &mut dyn Values) -> Result<Vec<String>, String> {
    let mut out: Vec<String> = Vec::new();
    let mut current: Option<String> = None;
    let mut rest = word;
    let mut is_quoted = false;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        match c {
            '\'' if !is_quoted => {
                let end = tail.find('\'').unwrap_or(tail.len());
                current.get_or_insert_default().push_str(&tail[..end]);
                rest = tail.get(end + 1..).unwrap_or_default();
            }
            '"' => {
                is_quoted = !is_quoted;
                current.get_or_insert_default();
                rest = tail;
            }
            '\\' => {
                let escaped = tail.chars().next();
                // Within quotes only these lose their backslash.
                if is_quoted && !matches!(escaped, Some('$' | '"' | '\\' | '`' | '\n')) {
                    current.get_or_insert_default().push('\\');
                }
                current.get_or_insert_default().extend(escaped.filter(|c| *c != '\n'));
                rest = &tail[escaped.map_or(0, char::len_utf8)..];
            }
            '$' => {
                let (text, used) = dollar(tail, values)?;
                rest = &tail[used..];
                if used == 0 {
                    current.get_or_insert_default().push('$');
                } else if is_quoted {
                    current.get_or_insert_default().push_str(&text);
                } else {
                    add_split(&text, &mut current, &mut out);
                }
            }
            c => {
                current.get_or_insert_default().push(c);
                rest = tail;
            }
        }
    }
    out.extend(current);
    Ok(out)
}

/// Text without quotes around it: blanks end words.
fn add_split(text: &str, current: &mut Option<String>, out: &mut Vec<String>) {
    if text.starts_with(char::is_whitespace) {
        out.extend(current.take());
    }
    let mut pieces = text.split_whitespace().peekable();
    while let Some(piece) = pieces.next() {
        current.get_or_insert_default().push_str(piece);
        if pieces.peek().is_some() || text.ends_with(char::is_whitespace) {
            out.extend(current.take());
        }
    }
}

/// What stands behind `$`: its value, and how many bytes of text it took.
fn dollar(text: &str, values: &mut dyn Values) -> Result<(String, usize), String> {
    if let Some(inside) = text.strip_prefix("((") {
        let end = closing(inside).filter(|end| inside[end + 1..].starts_with(')')).ok_or("`$((` has no end")?;
        let formula = expand_dollars(&inside[..end], values)?;
        return Ok((arithmetic(&formula, values)?.to_string(), end + 4));
    }
    if let Some(inside) = text.strip_prefix('(') {
        let end = closing(inside).ok_or("`$(` has no end")?;
        return Ok((values.output(&inside[..end])?, end + 2));
    }
    if let Some(inside) = text.strip_prefix('{') {
        let end = inside.find('}').ok_or("`${` has no end")?;
        let (name, default) = match inside[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&inside[..end], None),
        };
        let value = values.variable(name);
        let value = default.filter(|_| value.is_empty()).map_or(value, str::to_owned);
        return Ok((value, end + 2));
    }
    let length = match text.chars().next() {
        Some('$' | '?' | '@' | '*' | '#' | '!' | '0'..='9') => 1,
        _ => text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len()),
    };
    Ok((values.variable(&text[..length]), length))
}

/// Where the parenthesis that is open here is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1usize;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

/// What begins with `$` inside `$((…))`.
fn expand_dollars(text: &str, values: &mut dyn Values) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let (value, used) = dollar(&rest[at + 1..], values)?;
        out.push_str(&value);
        rest = &rest[at + 1 + used..];
    }
    Ok(out + rest)
}

/// Integers, names, `+ - * / % << >> & |`, parentheses; operators of one line bind as in C.
fn arithmetic(text: &str, values: &dyn Values) -> Result<i64, String> {
    let names: HashMap<String, i64> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
        .map(|name| (name.to_owned(), values.variable(name).trim().parse().unwrap_or(0)))
        .collect();
    let mut scope = crate::code::Scope::default();
    scope.variables.extend(names.into_iter().map(|(name, value)| (name, crate::code::Value::Integer(value.into()))));
    // The shell divides integers.
    let source = format!("shell_result = ({})", text.replace('/', "//").replace('\n', " "));
    scope.run(&source).map_err(|fault| format!("$(({text})): {}", fault.message))?;
    match scope.variables.get("shell_result") {
        Some(crate::code::Value::Integer(number)) => {
            i64::try_from(*number).map_err(|_| format!("$(({text})) is too large"))
        }
        Some(crate::code::Value::Bool(value)) => Ok((*value).into()),
        _ => Err(format!("$(({text})) is no integer")),
    }
}
