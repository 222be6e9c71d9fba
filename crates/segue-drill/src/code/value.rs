//! Values of `%{ }%` code and what the operators make of them, as in Python.
use std::cmp::Ordering;
use std::fmt;

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Tuple(Vec<Value>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::None => f.write_str("None"),
            Value::Bool(true) => f.write_str("True"),
            Value::Bool(false) => f.write_str("False"),
            Value::Integer(number) => number.fmt(f),
            Value::Float(number) if number.fract() == 0.0 => write!(f, "{number:.1}"),
            Value::Float(number) => number.fmt(f),
            Value::Text(text) => f.write_str(text),
            Value::Tuple(values) => {
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                write!(f, "({})", values.join(", "))
            }
        }
    }
}

impl Value {
    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::None => false,
            Value::Bool(value) => *value,
            Value::Integer(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Tuple(values) => !values.is_empty(),
        }
    }

    fn integer(&self) -> Option<i128> {
        match self {
            Value::Integer(number) => Some(*number),
            Value::Bool(value) => Some((*value).into()),
            _ => None,
        }
    }

    pub(super) fn float(&self) -> Option<f64> {
        if let Value::Float(number) = self { Some(*number) } else { self.integer().map(|number| number as f64) }
    }

    pub(super) fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            _ => match (self.integer(), other.integer()) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                _ => self.float()?.partial_cmp(&other.float()?),
            },
        }
    }

    pub(super) fn is_equal(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Tuple(a), Value::Tuple(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_equal(b)),
            (Value::None, Value::None) => true,
            _ => self.compare(other) == Some(Ordering::Equal),
        }
    }

    /// One of several, counted from 0, or from the end when it is negative.
    pub(super) fn item(&self, index: &Value) -> Result<Value, String> {
        let Value::Tuple(values) = self else { return Err(format!("{self} is no list")) };
        let number = index.integer().ok_or_else(|| format!("{index} is no place in a list"))?;
        let place = if number < 0 { number + values.len() as i128 } else { number };
        let value = usize::try_from(place).ok().and_then(|place| values.get(place));
        value.cloned().ok_or_else(|| format!("the list has {} values, and none at {number}", values.len()))
    }

    /// A binary operator; the error says what does not fit.
    pub(super) fn binary(&self, operator: &str, other: &Value) -> Result<Value, String> {
        if let (Value::Text(text), "%") = (self, operator) {
            return format(text, other);
        }
        if let (Value::Text(a), "+", Value::Text(b)) = (self, operator, other) {
            return Ok(Value::Text(format!("{a}{b}")));
        }
        let wrong = || format!("`{operator}` cannot be used with {self} and {other}");
        let whole = match (self.integer(), other.integer()) {
            (Some(a), Some(b)) => integers(a, operator, b).ok_or_else(wrong)?,
            _ => None,
        };
        match whole {
            Some(value) => Ok(value),
            None => {
                floats(self.float().ok_or_else(wrong)?, operator, other.float().ok_or_else(wrong)?).ok_or_else(wrong)
            }
        }
    }
}

/// `Some(None)`: calculate with floats; `None`: there is no result.
#[allow(clippy::option_option)]
fn integers(a: i128, operator: &str, b: i128) -> Option<Option<Value>> {
    let shift = u32::try_from(b).ok().filter(|bits| *bits < 100);
    let number = match operator {
        "+" => a.checked_add(b)?,
        "-" => a.checked_sub(b)?,
        "*" => a.checked_mul(b)?,
        "&" => a & b,
        "|" => a | b,
        "^" => a ^ b,
        "<<" => a.checked_mul(1i128.checked_shl(shift?)?)?,
        ">>" => a >> shift?,
        // As Python: the quotient goes down, the remainder has the divisor's sign.
        "//" => a.checked_div_euclid(b).map(|q| if b < 0 && a.rem_euclid(b) != 0 { q - 1 } else { q })?,
        "%" => a.checked_rem(b).map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r })?,
        "**" => a.checked_pow(u32::try_from(b).ok()?)?,
        _ => return Some(None),
    };
    Some(Some(Value::Integer(number)))
}

fn floats(a: f64, operator: &str, b: f64) -> Option<Value> {
    Some(Value::Float(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" if b != 0.0 => a / b,
        "//" if b != 0.0 => (a / b).floor(),
        "**" => a.powf(b),
        _ => return None,
    }))
}

/// `"%d of %s" % (1, "x")`.
fn format(text: &str, arguments: &Value) -> Result<Value, String> {
    let single = [arguments.clone()];
    let mut values = match arguments {
        Value::Tuple(values) => values.iter(),
        _ => single.iter(),
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix('%') {
            out.push('%');
            rest = tail;
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or("this format ends in `%`")?;
        let value = values.next().ok_or("not enough values for this format")?;
        let precision = rest[..end].split_once('.').and_then(|(_, digits)| digits.parse().ok()).unwrap_or(6);
        match (&rest[end..=end], value.integer(), value.float()) {
            ("s" | "r", ..) => out.push_str(&value.to_string()),
            ("d" | "i" | "u", Some(number), _) => out.push_str(&number.to_string()),
            ("d" | "i" | "u", None, Some(number)) => out.push_str(&format!("{number:.0}")),
            ("x", Some(number), _) => out.push_str(&format!("{number:x}")),
            ("f", _, Some(number)) => out.push_str(&format!("{number:.precision$}")),
            (letter, ..) => return Err(format!("%{letter} cannot show {value}")),
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(Value::Text(out))
}
