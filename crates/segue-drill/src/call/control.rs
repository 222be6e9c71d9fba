//! Control messages of a script: `{cmsg_level=L, cmsg_type=T, cmsg_data=D}`.
//!
//! Decides the forms of the data, their bytes when they are sent, and what is compared when they are received: the number of
//! messages, their order, level, type, and the data as far as the script says it.
use std::time::Duration;

use super::value::field;
use crate::ast::{Expression, Field, Value};
use crate::host::Control;
use crate::run::Interpreter;
use crate::source::Diagnostic;
use crate::symbols;

#[derive(Clone, Debug)]
pub(crate) struct ControlSpec {
    level: i32,
    kind: i32,
    data: Data,
    /// As the script says it, for messages.
    text: String,
}

#[derive(Clone, Debug)]
enum Data {
    Integer(i64),
    Bytes(Vec<u8>),
    /// A time of the host's wall clock, and how far off it may be.
    Time {
        wall: Duration,
        tolerance: Duration,
    },
    /// Some time: 0/0 in a script.
    AnyTime,
    /// `struct sock_extended_err`: the fields that are given, with offset and size.
    Error(Vec<(&'static str, usize, usize, i64)>),
    /// `TCP_NLA_*` with their values.
    Statistics(Vec<(String, u16, i64)>),
}

/// Fields of `struct sock_extended_err` (linux/errqueue.h).
const ERROR_FIELDS: &[(&str, usize, usize)] = &[
    ("ee_errno", 0, 4),
    ("ee_origin", 4, 1),
    ("ee_type", 5, 1),
    ("ee_code", 6, 1),
    ("ee_pad", 7, 1),
    ("ee_info", 8, 4),
    ("ee_data", 12, 4),
];

impl Interpreter<'_> {
    /// `[{cmsg…}, …]`.
    pub(super) fn control_messages(&self, list: &Expression) -> Result<Vec<ControlSpec>, Diagnostic> {
        match &list.value {
            Value::List(messages) => messages.iter().map(|message| self.control_message(message)).collect(),
            _ => Err(Diagnostic::at(list.span, "expected [{cmsg_level=…, cmsg_type=…, cmsg_data=…}, …]")),
        }
    }

    fn control_message(&self, message: &Expression) -> Result<ControlSpec, Diagnostic> {
        let wrong = || Diagnostic::at(message.span, "expected {cmsg_level=…, cmsg_type=…, cmsg_data=…}");
        let Value::Structure(fields) = &message.value else { return Err(wrong()) };
        let part = |name: &str| field(fields, name).map(|field| &field.value).ok_or_else(wrong);
        Ok(ControlSpec {
            level: self.integer(part("cmsg_level")?)? as i32,
            kind: self.integer(part("cmsg_type")?)? as i32,
            data: self.control_data(part("cmsg_data")?)?,
            text: self.source_of(message.span),
        })
    }

    fn control_data(&self, data: &Expression) -> Result<Data, Diagnostic> {
        let fields = match &data.value {
            Value::Text(bytes) => return Ok(Data::Bytes(bytes.clone())),
            Value::Structure(fields) => fields,
            _ => return self.integer(data).map(Data::Integer),
        };
        let value = |name: &str| field(fields, name).map(|field| self.integer(&field.value)).transpose();
        if let (Some(seconds), Some(nanos)) = (value("scm_sec")?, value("scm_nsec")?) {
            return self.control_time(data, seconds, nanos);
        }
        if fields.iter().all(|field| field.name.starts_with("TCP_NLA_")) {
            return self.statistics(fields).map(Data::Statistics);
        }
        let error = |field: &Field| {
            let known = ERROR_FIELDS.iter().find(|(name, ..)| *name == field.name);
            let &(name, at, size) = known.ok_or_else(|| {
                let message = format!(
                    "`{}` is no field of control data: expected ee_errno, ee_origin, ee_type, ee_code, \
                                       ee_info, ee_data; scm_sec, scm_nsec; or TCP_NLA_…",
                    field.name
                );
                Diagnostic::at(field.value.span, message)
            })?;
            Ok((name, at, size, self.integer(&field.value)?))
        };
        fields.iter().map(error).collect::<Result<_, _>>().map(Data::Error)
    }

    /// A time since the start of the test.
    fn control_time(&self, data: &Expression, seconds: i64, nanos: i64) -> Result<Data, Diagnostic> {
        if (seconds, nanos) == (0, 0) {
            return Ok(Data::AnyTime);
        }
        let wrong = || Diagnostic::at(data.span, "scm_sec is 0 or more, scm_nsec is 0 to 999999999");
        let seconds = u64::try_from(seconds).map_err(|_| wrong())?;
        let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000).ok_or_else(wrong)?;
        let wall = self.host.wall_time(self.start).saturating_add(Duration::new(seconds, nanos));
        Ok(Data::Time { wall, tolerance: self.tolerance(Duration::ZERO) })
    }

    fn statistics(&self, fields: &[Field]) -> Result<Vec<(String, u16, i64)>, Diagnostic> {
        let statistic = |field: &Field| {
            let unknown = || Diagnostic::at(field.value.span, format!("unknown symbol `{}`", field.name));
            let kind = symbols::lookup(&field.name).ok_or_else(unknown)?;
            Ok((field.name.clone(), kind as u16, self.integer(&field.value)?))
        };
        fields.iter().map(statistic).collect()
    }
}

impl ControlSpec {
    /// The message as it is sent; `None` for data that have a meaning only when received.
    pub(super) fn to_sent(&self) -> Option<Control> {
        let data = match &self.data {
            Data::Integer(number) => (*number as i32).to_ne_bytes().to_vec(),
            Data::Bytes(bytes) => bytes.clone(),
            _ => return None,
        };
        Some(Control { level: self.level, kind: self.kind, data })
    }

    fn difference(&self, got: &Control) -> Option<String> {
        if (self.level, self.kind) != (got.level, got.kind) {
            let (level, kind) = (got.level, got.kind);
            return Some(format!("the control message has level {level} and type {kind}, expected {}", self.text));
        }
        let differs = |what: String| Some(format!("{what}, expected {}", self.text));
        let data = got.data.as_slice();
        match &self.data {
            Data::Integer(expected) => match integer(data) {
                // A field of fewer bits than the script's integer may have its sign either way.
                Some((got, bits)) if (expected ^ got) << (64 - bits) == 0 => None,
                Some((got, _)) => differs(format!("the control message's data is {got}")),
                None => differs(format!("the control message has {} bytes of data", data.len())),
            },
            Data::Bytes(expected) if expected != data => {
                differs(format!("the control message's data is \"{}\"", data.escape_ascii()))
            }
            Data::Bytes(_) => None,
            Data::AnyTime | Data::Time { .. } => self.time_difference(data),
            Data::Error(fields) => fields.iter().find_map(|&(name, at, size, expected)| {
                let Some((got, bits)) = data.get(at..at + size).and_then(integer) else {
                    return differs(format!("the control message has {} bytes of data", data.len()));
                };
                let is_same = (expected ^ got) << (64 - bits) == 0;
                if is_same { None } else { differs(format!("{name} is {got}")) }
            }),
            Data::Statistics(expected) => {
                expected.iter().find_map(|(name, kind, value)| match attribute(data, *kind) {
                    Some(got) if got == *value => None,
                    Some(got) => differs(format!("{name} is {got}")),
                    None => differs(format!("there is no {name}")),
                })
            }
        }
    }

    /// Times are `timespec` (or, by its type, `timeval`); `SCM_TIMESTAMPING` has three, the first from software.
    fn time_difference(&self, data: &[u8]) -> Option<String> {
        const SCM_TIMESTAMP: i32 = 29;
        let word = |at: usize| data.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(i64::from_ne_bytes);
        let scale = if self.kind == SCM_TIMESTAMP { 1000 } else { 1 };
        let got = word(0).zip(word(8)).and_then(|(seconds, part)| {
            Some(Duration::new(u64::try_from(seconds).ok()?, u32::try_from(part.checked_mul(scale)?).ok()?))
        });
        let Some(got) = got else {
            return Some(format!("the control message has {} bytes and no time, expected {}", data.len(), self.text));
        };
        let Data::Time { wall, tolerance } = self.data else { return None };
        let off = got.abs_diff(wall);
        (off > tolerance).then(|| {
            let (word, off) = (if got < wall { "before" } else { "after" }, off.as_secs_f64());
            let tolerance = tolerance.as_secs_f64();
            format!("the time is {off:.6} s {word} the expected one (± {tolerance:.6} s), expected {}", self.text)
        })
    }
}

/// A number in its own size, and its bits.
fn integer(bytes: &[u8]) -> Option<(i64, u32)> {
    let number = match bytes.len() {
        1 => i64::from(bytes[0]),
        2 => i64::from(u16::from_ne_bytes(bytes.try_into().ok()?)),
        4 => i64::from(u32::from_ne_bytes(bytes.try_into().ok()?)),
        8 => i64::from_ne_bytes(bytes.try_into().ok()?),
        _ => return None,
    };
    Some((number, bytes.len() as u32 * 8))
}

/// The value of one netlink attribute (`struct nlattr`: length, type, value, padded to four bytes).
fn attribute(mut data: &[u8], kind: u16) -> Option<i64> {
    while let Some(&[a, b, c, d]) = data.first_chunk::<4>() {
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = data.get(4..length)?;
        if u16::from_ne_bytes([c, d]) == kind {
            return integer(value).map(|(number, _)| number);
        }
        data = data.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// What is different between the messages that a script expects and those that came.
pub(super) fn first_difference(expected: &[ControlSpec], got: &[Control]) -> Option<String> {
    let different = expected.iter().zip(got).find_map(|(expected, got)| expected.difference(got));
    different.or_else(|| match (expected.get(got.len()), got.get(expected.len())) {
        (Some(missing), _) => Some(format!("there is no control message, expected {}", missing.text)),
        (None, Some(Control { level, kind, .. })) => {
            Some(format!("there is a control message of level {level} and type {kind} that was not expected"))
        }
        (None, None) => None,
    })
}
