//! Expressions: read and evaluated in one pass, loosest operator first.
use std::cmp::Ordering;
use std::collections::HashMap;

use super::{Fault, Token, Value};

type Evaluated = Result<Value, Fault>;

/// Parentheses and signs inside each other are bounded.
const MAX_DEPTH: usize = 64;

pub(super) struct Parser<'a> {
    tokens: &'a [(Token, usize)],
    text: &'a str,
    at: usize,
    depth: usize,
    variables: &'a mut HashMap<String, Value>,
}

/// Binary operators by binding, loosest first; comparisons and the words `and or not` come before them.
const LEVELS: &[&[&str]] = &[&["|"], &["^"], &["&"], &["<<", ">>"], &["+", "-"], &["*", "/", "//", "%"]];

impl<'a> Parser<'a> {
    pub(super) fn new(
        tokens: &'a [(Token, usize)],
        text: &'a str,
        variables: &'a mut HashMap<String, Value>,
    ) -> Parser<'a> {
        Parser { tokens, text, at: 0, depth: 0, variables }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    pub(super) fn next(&mut self) {
        self.at += 1;
    }

    pub(super) fn offset(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |(_, offset)| *offset)
    }

    /// The text from an offset to here.
    pub(super) fn source(&self, from: usize) -> String {
        let text = self.text.get(from..self.offset()).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(super) fn peek_name(&self) -> Option<&'a str> {
        if let Some(Token::Name(name)) = self.peek() { Some(name) } else { None }
    }

    fn peek_operator(&self) -> Option<&'static str> {
        if let Some(Token::Operator(operator)) = self.peek() { Some(operator) } else { None }
    }

    pub(super) fn eat(&mut self, operator: &str) -> bool {
        let is_next = self.peek_operator() == Some(operator);
        self.at += usize::from(is_next);
        is_next
    }

    fn eat_name(&mut self, name: &str) -> bool {
        let is_next = self.peek_name() == Some(name);
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn eat_end(&mut self) -> bool {
        let is_end = matches!(self.peek(), Some(Token::End));
        self.at += usize::from(is_end);
        is_end
    }

    pub(super) fn skip_statement(&mut self) {
        while !matches!(self.peek(), Some(Token::End) | None) {
            self.at += 1;
        }
    }

    pub(super) fn is_assignment(&self) -> bool {
        matches!(self.tokens.get(self.at + 1), Some((Token::Operator("=" | "+=" | "-="), _)))
    }

    pub(super) fn assign(&mut self, name: String) -> Result<(), Fault> {
        let offset = self.offset();
        self.next();
        let operator = self.peek_operator().unwrap_or("=");
        self.next();
        let mut value = self.expression()?;
        if let Some(operator) = operator.strip_suffix('=').filter(|operator| !operator.is_empty()) {
            let old = self.variable(&name, offset)?;
            value = old.binary(operator, &value).map_err(|message| Fault::new(offset, message))?;
        }
        self.variables.insert(name, value);
        Ok(())
    }

    /// Names in a condition with their values, for a failed assertion.
    pub(super) fn operands(&self, condition: &str) -> String {
        let mut shown: Vec<String> = Vec::new();
        for name in condition.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            let Some(value) = self.variables.get(name) else { continue };
            let text = format!("{name} is {value}");
            if !shown.contains(&text) {
                shown.push(text);
            }
        }
        if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) }
    }

    fn variable(&self, name: &str, offset: usize) -> Evaluated {
        self.variables.get(name).cloned().ok_or_else(|| Fault::new(offset, format!("there is no variable `{name}`")))
    }

    /// An expression, or several with commas between them inside parentheses.
    pub(super) fn expression(&mut self) -> Evaluated {
        let condition_first = self.or()?;
        if !self.eat_name("if") {
            return Ok(condition_first);
        }
        let is_first = self.or()?.is_true();
        if !self.eat_name("else") {
            return Err(Fault::new(self.offset(), "expected `else`".into()));
        }
        let second = self.expression()?;
        Ok(if is_first { condition_first } else { second })
    }

    fn or(&mut self) -> Evaluated {
        let mut value = self.and()?;
        while self.eat_name("or") {
            let other = self.and()?;
            value = if value.is_true() { value } else { other };
        }
        Ok(value)
    }

    fn and(&mut self) -> Evaluated {
        let mut value = self.not()?;
        while self.eat_name("and") {
            let other = self.not()?;
            value = if value.is_true() { other } else { value };
        }
        Ok(value)
    }

    fn not(&mut self) -> Evaluated {
        let mut is_negated = false;
        let mut is_bool = false;
        while self.eat_name("not") {
            is_negated = !is_negated;
            is_bool = true;
        }
        let value = self.comparison()?;
        Ok(if is_bool { Value::Bool(value.is_true() != is_negated) } else { value })
    }

    /// `a < b < c` is `a < b and b < c`.
    fn comparison(&mut self) -> Evaluated {
        let mut left = self.binary(0)?;
        let mut result = None;
        while let Some(operator) = self.comparator() {
            let offset = self.offset();
            let right = self.binary(0)?;
            let holds = compare(&left, operator, &right).map_err(|message| Fault::new(offset, message))?;
            result = Some(result.unwrap_or(true) && holds);
            left = right;
        }
        Ok(result.map_or(left, Value::Bool))
    }

    fn comparator(&mut self) -> Option<&'static str> {
        if self.eat_name("in") {
            return Some("in");
        }
        let is_not_in = self.peek_name() == Some("not")
            && matches!(self.tokens.get(self.at + 1), Some((Token::Name(name), _)) if name == "in");
        if is_not_in {
            self.at += 2;
            return Some("not in");
        }
        let operator = self.peek_operator().filter(|o| matches!(*o, "==" | "!=" | "<" | "<=" | ">" | ">="))?;
        self.next();
        Some(operator)
    }

    fn binary(&mut self, level: usize) -> Evaluated {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut value = self.binary(level + 1)?;
        while let Some(operator) = self.peek_operator().filter(|operator| operators.contains(operator)) {
            let offset = self.offset();
            self.next();
            let other = self.binary(level + 1)?;
            value = value.binary(operator, &other).map_err(|message| Fault::new(offset, message))?;
        }
        Ok(value)
    }

    fn unary(&mut self) -> Evaluated {
        let offset = self.offset();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(offset, format!("more than {MAX_DEPTH} levels of nesting")));
        }
        let value = if self.eat("-") {
            Value::Integer(0).binary("-", &self.unary()?).map_err(|message| Fault::new(offset, message))
        } else if self.eat("+") {
            self.unary()
        } else if self.eat("~") {
            Value::Integer(-1).binary("-", &self.unary()?).map_err(|message| Fault::new(offset, message))
        } else {
            self.power()
        };
        self.depth -= 1;
        value
    }

    fn power(&mut self) -> Evaluated {
        let base = self.primary()?;
        let offset = self.offset();
        if !self.eat("**") {
            return Ok(base);
        }
        base.binary("**", &self.unary()?).map_err(|message| Fault::new(offset, message))
    }

    fn primary(&mut self) -> Evaluated {
        let offset = self.offset();
        let token = self.peek().cloned();
        self.next();
        match token {
            Some(Token::Integer(number)) => Ok(Value::Integer(number)),
            Some(Token::Float(number)) => Ok(Value::Float(number)),
            Some(Token::Text(mut text)) => {
                while let Some(Token::Text(more)) = self.peek() {
                    text.push_str(more);
                    self.next();
                }
                Ok(Value::Text(text))
            }
            Some(Token::Operator("(")) => self.group(")"),
            Some(Token::Operator("[")) => self.group("]").map(|value| match value {
                Value::Tuple(_) => value,
                value => Value::Tuple(vec![value]),
            }),
            Some(Token::Name(name)) if self.eat("(") => self.call(&name, offset),
            Some(Token::Name(name)) => match name.as_str() {
                "True" => Ok(Value::Bool(true)),
                "False" => Ok(Value::Bool(false)),
                "None" => Ok(Value::None),
                _ => self.variable(&name, offset),
            },
            _ => {
                self.at -= 1;
                Err(Fault::new(offset, "expected a value".into()))
            }
        }
    }

    /// The inside of parentheses: one value, or a tuple.
    fn group(&mut self, close: &str) -> Evaluated {
        let mut values = Vec::new();
        let mut is_tuple = false;
        while !self.eat(close) {
            values.push(self.expression()?);
            if self.eat(",") {
                is_tuple = true;
            } else if !self.eat(close) {
                return Err(Fault::new(self.offset(), format!("expected `,` or `{close}`")));
            } else {
                break;
            }
        }
        Ok(if values.len() == 1 && !is_tuple { values.remove(0) } else { Value::Tuple(values) })
    }

    fn call(&mut self, name: &str, offset: usize) -> Evaluated {
        let arguments = match self.group(")")? {
            Value::Tuple(values) => values,
            value => vec![value],
        };
        let wrong =
            || Fault::new(offset, format!("{name}() cannot be used here: expected abs, min, max, int, float or str"));
        let extreme = |wanted: Ordering| {
            let mut best = arguments.first().cloned()?;
            for value in &arguments {
                if value.compare(&best)? == wanted {
                    best = value.clone();
                }
            }
            Some(best)
        };
        let value = match (name, arguments.as_slice()) {
            ("abs", [value]) if value.compare(&Value::Integer(0)) == Some(Ordering::Less) => {
                Value::Integer(0).binary("-", value).ok()
            }
            ("abs", [value]) => Some(value.clone()),
            ("int", [value]) => value.float().map(|number| match value {
                Value::Integer(number) => Value::Integer(*number),
                _ => Value::Integer(number as i128),
            }),
            ("float", [value]) => value.float().map(Value::Float),
            ("str", [value]) => Some(Value::Text(value.to_string())),
            ("min", _) => extreme(Ordering::Less),
            ("max", _) => extreme(Ordering::Greater),
            _ => None,
        };
        value.ok_or_else(wrong)
    }
}

fn compare(left: &Value, operator: &str, right: &Value) -> Result<bool, String> {
    let is_in = || match right {
        Value::Tuple(values) => Ok(values.iter().any(|value| value.is_equal(left))),
        _ => Err(format!("`in` needs a list, found {right}")),
    };
    match operator {
        "==" => return Ok(left.is_equal(right)),
        "!=" => return Ok(!left.is_equal(right)),
        "in" => return is_in(),
        "not in" => return is_in().map(|is_in| !is_in),
        _ => {}
    }
    let order = left.compare(right).ok_or_else(|| format!("{left} and {right} cannot be compared"))?;
    Ok(match operator {
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}
