//! Evaluates `%{ }%`: assertions over `TCP_INFO`, in the small part of Python that they are written in.
//!
//! Decides blocks (`block`), statements (`statement`) and expressions (`expression`). Variables live on from one code to the
//! next.
mod block;
mod expression;
mod statement;
#[cfg(test)]
mod tests;
mod token;
mod value;

use std::collections::HashMap;

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
        block::run(text, &tokens, &mut self.variables, &mut self.printed)
    }
}
