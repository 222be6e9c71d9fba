//! One statement in one line: assert, print, an assignment, or an expression for its own sake.
use super::expression::Parser;
use super::{Fault, Value};

/// Runs it; what it prints, if it does.
pub(super) fn statement(parser: &mut Parser<'_>) -> Result<Option<String>, Fault> {
    let start = parser.offset();
    let mut printed = None;
    match parser.peek_name() {
        Some("assert") => assert(parser, start)?,
        Some("print") => {
            parser.next();
            printed = Some(match parser.expression()? {
                Value::Tuple(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
                value => value.to_string(),
            });
        }
        Some("import" | "from" | "pass" | "global") => return Ok(None),
        Some(word @ ("def" | "class" | "try" | "with" | "del" | "lambda" | "return" | "raise" | "async")) => {
            let message =
                format!("`{word}` is not understood: code is made of assert, print, assignments, if, for and while");
            return Err(Fault::new(start, message));
        }
        Some(name) if parser.is_assignment() => {
            let name = name.to_owned();
            parser.assign(name)?;
        }
        _ => {
            parser.expression()?;
        }
    }
    parser.expect_end()?;
    Ok(printed)
}

fn assert(parser: &mut Parser<'_>, start: usize) -> Result<(), Fault> {
    parser.next();
    let from = parser.offset();
    let is_true = parser.expression()?.is_true();
    let condition = parser.source(from);
    let message = if parser.eat(",") { Some(parser.expression()?) } else { None };
    if is_true {
        return Ok(());
    }
    let shown = parser.operands(&condition);
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    Err(Fault::new(start, format!("assertion failed: {condition}{message}{shown}")))
}
