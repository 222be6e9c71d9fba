//! Lines and blocks: which statement runs next.
//!
//! Decides what indentation means, `if`, `for`, `while` and their kin; what stands in one line is `statement`'s. Code that
//! does not come to an end is ended.
use std::collections::HashMap;

use super::expression::Parser;
use super::statement::statement;
use super::{Fault, Token, Value};

/// Lines that one block of code may run in all.
const MAX_LINES: usize = 100_000;
const MAX_DEPTH: usize = 50;

/// A logical line: what stands between two ends of statements.
struct Line {
    /// Tokens from here to there, the end not among them.
    first: usize,
    end: usize,
    /// Column of its first token when it begins a line of text; `None`: it follows a `;`.
    indent: Option<usize>,
}

/// What the lines of a block came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

pub(super) struct Runner<'a> {
    text: &'a str,
    tokens: &'a [(Token, usize)],
    lines: Vec<Line>,
    variables: &'a mut HashMap<String, Value>,
    printed: &'a mut Vec<String>,
    left: usize,
    depth: usize,
}

/// Run a text's tokens.
pub(super) fn run(
    text: &str,
    tokens: &[(Token, usize)],
    variables: &mut HashMap<String, Value>,
    printed: &mut Vec<String>,
) -> Result<(), Fault> {
    let lines = lines(text, tokens);
    let count = lines.len();
    let mut runner = Runner { text, tokens, lines, variables, printed, left: MAX_LINES, depth: 0 };
    match runner.block(0, count)? {
        Flow::On => Ok(()),
        _ => Err(Fault::new(0, "`break` and `continue` stand in loops only".into())),
    }
}

fn lines(text: &str, tokens: &[(Token, usize)]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut first = 0;
    let mut begins_line = true;
    for (at, (token, offset)) in tokens.iter().enumerate() {
        if *token != Token::End {
            continue;
        }
        if at > first {
            let start = tokens[first].1;
            let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
            let indent = begins_line.then(|| indent_of(&text[line_start..start]));
            lines.push(Line { first, end: at, indent });
        }
        begins_line = !text[*offset..].starts_with(';');
        first = at + 1;
    }
    lines
}

/// As Python: a tab goes on to the next multiple of eight.
fn indent_of(blanks: &str) -> usize {
    blanks.chars().fold(0, |column, c| if c == '\t' { (column / 8 + 1) * 8 } else { column + 1 })
}

impl Runner<'_> {
    /// Runs the lines from `at` to `end`, which belong to one block.
    fn block(&mut self, mut at: usize, end: usize) -> Result<Flow, Fault> {
        let indent = self.lines.get(at).and_then(|line| line.indent);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(at, format!("more than {MAX_DEPTH} blocks inside each other")));
        }
        let mut flow = Flow::On;
        while at < end && flow == Flow::On {
            let column = self.lines[at].indent;
            if at > 0 && column.is_some() && indent.is_some() && column != indent {
                return Err(self.fault(at, "this line is indented differently from its block".into()));
            }
            self.left =
                self.left.checked_sub(1).ok_or_else(|| self.fault(at, "this code does not come to an end".into()))?;
            (flow, at) = self.line(at, end)?;
        }
        self.depth -= 1;
        Ok(flow)
    }

    fn fault(&self, line: usize, message: String) -> Fault {
        Fault::new(self.lines.get(line).map_or(0, |line| self.tokens[line.first].1), message)
    }

    fn word(&self, line: usize) -> &str {
        match self.lines.get(line).map(|line| &self.tokens[line.first].0) {
            Some(Token::Name(name)) => name,
            _ => "",
        }
    }

    /// Runs one line with all that belongs to it; the next one's number.
    fn line(&mut self, at: usize, end: usize) -> Result<(Flow, usize), Fault> {
        match self.word(at) {
            "if" => self.choose(at, end),
            "while" => self.repeat_while(at, end),
            "for" => self.repeat_for(at, end),
            "break" => Ok((Flow::Break, at + 1)),
            "continue" => Ok((Flow::Continue, at + 1)),
            "elif" | "else" => Err(self.fault(at, "there is no `if` before this".into())),
            _ => self.simple(self.lines[at].first, self.lines[at].end).map(|()| (Flow::On, at + 1)),
        }
    }

    /// A statement without blocks.
    fn simple(&mut self, first: usize, end: usize) -> Result<(), Fault> {
        let mut parser = self.parser(first, end);
        let printed = statement(&mut parser)?;
        self.printed.extend(printed);
        Ok(())
    }

    fn parser(&mut self, first: usize, end: usize) -> Parser<'_> {
        let after = self.tokens.get(end).map_or(self.text.len(), |(_, offset)| *offset);
        Parser::new(&self.tokens[first..end], &self.text[..after], self.variables)
    }

    /// The place of the colon that ends a line's head.
    fn colon(&self, at: usize) -> Result<usize, Fault> {
        let line = &self.lines[at];
        let mut depth = 0i32;
        for (place, (token, _)) in self.tokens[..line.end].iter().enumerate().skip(line.first) {
            match token {
                Token::Operator("(" | "[") => depth += 1,
                Token::Operator(")" | "]") => depth -= 1,
                Token::Operator(":") if depth == 0 => return Ok(place),
                _ => {}
            }
        }
        Err(self.fault(at, "expected `:` at the end of this line".into()))
    }

    /// The lines that belong to the head in line `at`: those behind it that are indented more. With statements behind its
    /// colon it has no lines of its own but those that follow a `;`.
    fn body(&self, at: usize, end: usize, colon: usize) -> Result<usize, Fault> {
        let is_inline = colon + 1 < self.lines[at].end;
        let indent = self.lines[at].indent.unwrap_or(0);
        let is_inside = |line: &Line| match line.indent {
            None => is_inline,
            Some(column) => !is_inline && column > indent,
        };
        let count = self.lines[at + 1..end].iter().take_while(|line| is_inside(line)).count();
        // Lines that follow a `;` inside the block belong to it, too.
        let count = if is_inline {
            count
        } else {
            self.lines[at + 1..end].iter().take_while(|line| line.indent.is_none_or(|column| column > indent)).count()
        };
        if count == 0 && !is_inline {
            return Err(self.fault(at, "expected indented lines after this one".into()));
        }
        Ok(at + 1 + count)
    }

    fn run_body(&mut self, at: usize, body_end: usize, colon: usize) -> Result<Flow, Fault> {
        let (first, end) = (colon + 1, self.lines[at].end);
        if first < end {
            match &self.tokens[first].0 {
                Token::Name(name) if name == "break" => return Ok(Flow::Break),
                Token::Name(name) if name == "continue" => return Ok(Flow::Continue),
                _ => self.simple(first, end)?,
            }
        }
        if at + 1 < body_end { self.block(at + 1, body_end) } else { Ok(Flow::On) }
    }

    fn condition(&mut self, at: usize, colon: usize) -> Result<bool, Fault> {
        let first = self.lines[at].first + 1;
        let mut parser = self.parser(first, colon);
        let is_true = parser.expression()?.is_true();
        parser.expect_end()?;
        Ok(is_true)
    }

    fn choose(&mut self, mut at: usize, end: usize) -> Result<(Flow, usize), Fault> {
        let mut flow = None;
        loop {
            let colon = self.colon(at)?;
            let body_end = self.body(at, end, colon)?;
            let is_else = self.word(at) == "else";
            let is_taken = flow.is_none() && (is_else || self.condition(at, colon)?);
            if is_taken {
                flow = Some(self.run_body(at, body_end, colon)?);
            }
            at = body_end;
            let goes_on = !is_else && at < end && matches!(self.word(at), "elif" | "else");
            if !goes_on {
                return Ok((flow.unwrap_or(Flow::On), at));
            }
        }
    }

    fn repeat_while(&mut self, at: usize, end: usize) -> Result<(Flow, usize), Fault> {
        let colon = self.colon(at)?;
        let body_end = self.body(at, end, colon)?;
        while self.condition(at, colon)? {
            self.tick(at)?;
            if self.run_body(at, body_end, colon)? == Flow::Break {
                break;
            }
        }
        Ok((Flow::On, body_end))
    }

    fn repeat_for(&mut self, at: usize, end: usize) -> Result<(Flow, usize), Fault> {
        let colon = self.colon(at)?;
        let body_end = self.body(at, end, colon)?;
        let first = self.lines[at].first + 1;
        let mut parser = self.parser(first, colon);
        let name = parser.loop_variable()?;
        let Value::Tuple(values) = parser.expression()? else {
            return Err(self.fault(at, "`for` needs a list or range()".into()));
        };
        for value in values {
            self.tick(at)?;
            self.variables.insert(name.clone(), value);
            if self.run_body(at, body_end, colon)? == Flow::Break {
                break;
            }
        }
        Ok((Flow::On, body_end))
    }

    fn tick(&mut self, at: usize) -> Result<(), Fault> {
        self.left =
            self.left.checked_sub(1).ok_or_else(|| self.fault(at, "this code does not come to an end".into()))?;
        Ok(())
    }
}
