//! Expressions: read and evaluated in one pass, loosest operator first.
use std::cmp::Ordering;
use std::collections::HashMap;

use super::token::tokens;
use super::{Fault, Token, Value};

type Evaluated = Result<Value, Fault>;

/// Parentheses and signs inside each other are bounded.
const MAX_DEPTH: usize = 64;

pub(super) struct Parser<'a> {
    tokens: &'a [(Token, usize)],
    text: &'a str,
    at: usize,
    depth: usize,
    /// What is read now does not count: the other side of an `and`, `or` or `if` has decided.
    skipping: usize,
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
        Parser { tokens, text, at: 0, depth: 0, skipping: 0, variables }
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

    pub(super) fn expect_end(&self) -> Result<(), Fault> {
        if self.at >= self.tokens.len() {
            return Ok(());
        }
        Err(Fault::new(self.offset(), "expected the end of the statement (a new line or `;`)".into()))
    }

    /// `NAME in`, of a loop.
    pub(super) fn loop_variable(&mut self) -> Result<String, Fault> {
        let name = self.peek_name().map(str::to_owned);
        self.next();
        match name {
            Some(name) if self.eat_name("in") => Ok(name),
            _ => Err(Fault::new(self.offset(), "expected `for NAME in LIST:`".into())),
        }
    }

    pub(super) fn is_assignment(&self) -> bool {
        matches!(
            self.tokens.get(self.at + 1),
            Some((Token::Operator("=" | "+=" | "-=" | "*=" | "/=" | "|=" | "&="), _))
        )
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
        if self.skipping > 0 {
            return Ok(Value::None);
        }
        self.variables.get(name).cloned().ok_or_else(|| Fault::new(offset, format!("there is no variable `{name}`")))
    }

    /// An expression.
    pub(super) fn expression(&mut self) -> Evaluated {
        if !self.is_conditional() {
            return self.or();
        }
        // `first if condition else second`: the condition decides which of them counts.
        let begin = self.at;
        self.skip(Parser::or)?;
        if !self.eat_name("if") {
            return Err(Fault::new(self.offset(), "expected `if`".into()));
        }
        let is_first = self.or()?.is_true();
        if !self.eat_name("else") {
            return Err(Fault::new(self.offset(), "expected `else`".into()));
        }
        if !is_first {
            return self.expression();
        }
        self.skip(Parser::expression)?;
        let end = std::mem::replace(&mut self.at, begin);
        let first = self.or()?;
        self.at = end;
        Ok(first)
    }

    /// Whether an `if` follows in this expression, outside its parentheses.
    fn is_conditional(&self) -> bool {
        let mut depth = 0i32;
        for (token, _) in &self.tokens[self.at.min(self.tokens.len())..] {
            match token {
                Token::Operator("(" | "[") => depth += 1,
                Token::Operator(")" | "]") if depth == 0 => return false,
                Token::Operator(")" | "]") => depth -= 1,
                Token::Operator("," | ":") | Token::End if depth == 0 => return false,
                Token::Name(name) if depth == 0 && name == "if" => return true,
                Token::Name(name) if depth == 0 && name == "else" => return false,
                _ => {}
            }
        }
        false
    }

    /// Reads something that does not count.
    fn skip(&mut self, read: fn(&mut Self) -> Evaluated) -> Result<(), Fault> {
        self.skipping += 1;
        let skipped = read(self);
        self.skipping -= 1;
        skipped.map(drop)
    }

    fn or(&mut self) -> Evaluated {
        let mut value = self.and()?;
        while self.eat_name("or") {
            if value.is_true() {
                self.skip(Parser::and)?;
            } else {
                value = self.and()?;
            }
        }
        Ok(value)
    }

    fn and(&mut self) -> Evaluated {
        let mut value = self.not()?;
        while self.eat_name("and") {
            if value.is_true() {
                value = self.not()?;
            } else {
                self.skip(Parser::not)?;
            }
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
            let holds = match self.skipping {
                0 => compare(&left, operator, &right).map_err(|message| Fault::new(offset, message))?,
                _ => false,
            };
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
            value = self.apply(&value, operator, &other, offset)?;
        }
        Ok(value)
    }

    /// What a binary operator gives.
    fn apply(&self, left: &Value, operator: &str, right: &Value, offset: usize) -> Evaluated {
        if self.skipping > 0 {
            return Ok(Value::None);
        }
        left.binary(operator, right).map_err(|message| Fault::new(offset, message))
    }

    fn unary(&mut self) -> Evaluated {
        let offset = self.offset();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(offset, format!("more than {MAX_DEPTH} levels of nesting")));
        }
        let value = if self.eat("-") {
            self.unary().and_then(|value| self.apply(&Value::Integer(0), "-", &value, offset))
        } else if self.eat("+") {
            self.unary()
        } else if self.eat("~") {
            self.unary().and_then(|value| self.apply(&Value::Integer(-1), "-", &value, offset))
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
        let exponent = self.unary()?;
        self.apply(&base, "**", &exponent, offset)
    }

    /// A value, with what is picked out of it.
    fn primary(&mut self) -> Evaluated {
        let mut value = self.atom()?;
        loop {
            let offset = self.offset();
            if !self.eat("[") {
                return Ok(value);
            }
            let index = self.expression()?;
            if !self.eat("]") {
                return Err(Fault::new(self.offset(), "expected `]`".into()));
            }
            if self.skipping == 0 {
                value = value.item(&index).map_err(|message| Fault::new(offset, message))?;
            }
        }
    }

    fn atom(&mut self) -> Evaluated {
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
            Some(Token::Template(text)) => self.template(&text, offset),
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
        if self.skipping > 0 {
            return Ok(Value::None);
        }
        function(name, &arguments).ok_or_else(|| {
            Fault::new(offset, format!("{name}() cannot be used here: expected one of {}", FUNCTIONS.join(", ")))
        })
    }

    /// `f"…{expression}…"`: each expression as `%` would show it.
    fn template(&mut self, text: &str, offset: usize) -> Evaluated {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let (brace, tail) = rest[at..].split_at(1);
            rest = tail;
            if let Some(tail) = rest.strip_prefix(brace) {
                out.push_str(brace);
                rest = tail;
                continue;
            }
            let end = rest.find('}').filter(|_| brace == "{");
            let end = end.ok_or_else(|| Fault::new(offset, "a brace in this string has no partner".into()))?;
            let inside = rest[..end].trim_end_matches(['=']);
            let (source, form) = inside.rsplit_once(':').unwrap_or((inside, "s"));
            let source = source.trim_end_matches("!r").trim_end_matches("!s");
            rest = &rest[end + 1..];
            if self.skipping > 0 {
                continue;
            }
            let moved = |fault: Fault| Fault::new(offset, fault.message);
            let tokens = tokens(source).map_err(moved)?;
            let tokens = &tokens[..tokens.len().saturating_sub(1)];
            let mut inner = Parser::new(tokens, source, self.variables);
            let value = inner.expression().and_then(|value| inner.expect_end().map(|()| value)).map_err(moved)?;
            let shown = Value::Text(format!("%{form}")).binary("%", &value);
            out.push_str(&shown.map_err(|message| Fault::new(offset, message))?.to_string());
        }
        out.push_str(rest);
        Ok(Value::Text(out))
    }
}

const FUNCTIONS: &[&str] = &[
    "abs", "all", "any", "bool", "float", "hex", "int", "len", "max", "min", "range", "repr", "round", "sorted", "str",
    "sum",
];

/// Longest list that range() makes.
const MAX_RANGE: i128 = 100_000;

/// What a function gives; `None`: there is none of this name for these arguments.
fn function(name: &str, arguments: &[Value]) -> Option<Value> {
    // min(a, b) and min([a, b]) are the same.
    let items = match arguments {
        [Value::Tuple(values)] => values.as_slice(),
        values => values,
    };
    let extreme = |wanted: Ordering| {
        let mut best = items.first().cloned()?;
        for value in items {
            if value.compare(&best)? == wanted {
                best = value.clone();
            }
        }
        Some(best)
    };
    match (name, arguments) {
        ("abs", [value]) if value.compare(&Value::Integer(0)) == Some(Ordering::Less) => {
            Value::Integer(0).binary("-", value).ok()
        }
        ("abs", [value]) => value.float().map(|_| value.clone()),
        ("int", [value]) => value.float().map(|number| match value {
            Value::Integer(number) => Value::Integer(*number),
            _ => Value::Integer(number as i128),
        }),
        ("round", [value]) => value.float().map(|number| Value::Integer(number.round_ties_even() as i128)),
        ("float", [value]) => value.float().map(Value::Float),
        ("bool", [value]) => Some(Value::Bool(value.is_true())),
        ("str" | "repr", [value]) => Some(Value::Text(value.to_string())),
        ("hex", [Value::Integer(number)]) => Some(Value::Text(format!("{number:#x}"))),
        ("len", [Value::Text(text)]) => Some(Value::Integer(text.chars().count() as i128)),
        ("len", [Value::Tuple(values)]) => Some(Value::Integer(values.len() as i128)),
        ("sum", [Value::Tuple(values)]) => {
            values.iter().try_fold(Value::Integer(0), |sum, value| sum.binary("+", value).ok())
        }
        ("any", [Value::Tuple(values)]) => Some(Value::Bool(values.iter().any(Value::is_true))),
        ("all", [Value::Tuple(values)]) => Some(Value::Bool(values.iter().all(Value::is_true))),
        ("sorted", [Value::Tuple(values)]) => {
            let mut sorted = values.clone();
            sorted.sort_by(|a, b| a.compare(b).unwrap_or(Ordering::Equal));
            Some(Value::Tuple(sorted))
        }
        ("range", _) => range(arguments),
        ("min", _) => extreme(Ordering::Less),
        ("max", _) => extreme(Ordering::Greater),
        _ => None,
    }
}

fn range(arguments: &[Value]) -> Option<Value> {
    let (first, end, step) = match arguments {
        [Value::Integer(end)] => (0, *end, 1),
        [Value::Integer(first), Value::Integer(end)] => (*first, *end, 1),
        [Value::Integer(first), Value::Integer(end), Value::Integer(step)] if *step != 0 => (*first, *end, *step),
        _ => return None,
    };
    let mut values = Vec::new();
    let mut at = first;
    while if step > 0 { at < end } else { at > end } {
        if values.len() as i128 >= MAX_RANGE {
            return None;
        }
        values.push(Value::Integer(at));
        at = at.checked_add(step)?;
    }
    Some(Value::Tuple(values))
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
