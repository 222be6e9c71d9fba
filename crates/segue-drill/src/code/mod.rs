//! Evaluates `%{ }%`: assertions over `TCP_INFO`, in the small part of Python that they are written in.
//!
//! Decides statements (assert, print, assignment) and expressions. Variables live on from block to block.
mod expression;
#[cfg(test)]
mod tests;
mod token;
mod value;

use std::collections::HashMap;

use expression::Parser;
use token::{Token, tokens};
pub(crate) use value::Value;

/// What is wrong, and at which byte of the code.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(at: usize, message: String) -> Fault {
        Fault { at, message }
    }
}

/// The variables of a script's code.
#[derive(Clone, Default, Debug)]
pub(crate) struct Scope {
    pub(crate) variables: HashMap<String, Value>,
    /// What was printed.
    pub(crate) printed: Vec<String>,
}

impl Scope {
    /// Run one block.
    pub(crate) fn run(&mut self, text: &str) -> Result<(), Fault> {
        let tokens = tokens(text)?;
        let mut parser = Parser::new(&tokens, text, &mut self.variables);
        while !parser.is_done() {
            if parser.eat_end() {
                continue;
            }
            if let Some(line) = statement(&mut parser)? {
                self.printed.push(line);
            }
        }
        Ok(())
    }
}

/// One statement; what it prints, if it does.
fn statement(parser: &mut Parser<'_>) -> Result<Option<String>, Fault> {
    let start = parser.offset();
    let mut printed = None;
    match parser.peek_name() {
        Some("assert") => {
            parser.next();
            let from = parser.offset();
            let is_true = parser.expression()?.is_true();
            let condition = parser.source(from);
            let message = if parser.eat(",") { Some(parser.expression()?) } else { None };
            if !is_true {
                let shown = parser.operands(&condition);
                let message = message.map(|message| format!(": {message}")).unwrap_or_default();
                return Err(Fault::new(start, format!("assertion failed: {condition}{message}{shown}")));
            }
        }
        Some("print") => {
            parser.next();
            printed = Some(match parser.expression()? {
                Value::Tuple(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
                value => value.to_string(),
            });
        }
        Some("import" | "from" | "pass" | "global") => parser.skip_statement(),
        Some(word @ ("if" | "for" | "while" | "def" | "class" | "try" | "with" | "del" | "lambda")) => {
            let message = format!("`{word}` is not understood: code is made of assert, print and assignments");
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
    if !parser.eat_end() {
        return Err(Fault::new(parser.offset(), "expected the end of the statement (a new line or `;`)".into()));
    }
    Ok(printed)
}
