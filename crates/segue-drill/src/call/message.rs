//! `msghdr` and `iovec` of a script.
use super::control::{ControlSpec, first_difference};
use super::value::field;
use crate::ast::{Expression, Field, Value};
use crate::host::Control;
use crate::run::Interpreter;
use crate::source::Diagnostic;

/// What a script says about a message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) pieces: Vec<usize>,
    pub(super) expected: Expected,
}

/// What recvmsg() must give beside the bytes, and what sendmsg() is given.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(super) flags: i64,
    /// `None`: no room is offered for control messages.
    pub(super) control: Option<Vec<ControlSpec>>,
}

impl Expected {
    /// What differs.
    pub(super) fn mismatch(&self, flags: i32, control: &[Control]) -> Option<String> {
        if self.flags != i64::from(flags) {
            return Some(format!("msg_flags is {flags:#x}, expected {:#x}", self.flags));
        }
        first_difference(self.control.as_deref().unwrap_or_default(), control)
    }
}

impl Interpreter<'_> {
    /// The lengths of `[{..., 30}, {..., 12}]`; `count` is the number of elements that is claimed.
    pub(super) fn vector(&self, vector: &Expression, count: Option<&Expression>) -> Result<Vec<usize>, Diagnostic> {
        let Value::List(parts) = &vector.value else {
            return Err(Diagnostic::at(vector.span, "expected [{..., length}, …]"));
        };
        if let Some(count) = count {
            let claimed = self.integer(count)?;
            if claimed != parts.len() as i64 {
                let message = format!("the number of elements is {}, found {claimed}", parts.len());
                return Err(Diagnostic::at(count.span, message));
            }
        }
        let length = |part: &Expression| match &part.value {
            Value::Group(pair) if pair.len() == 2 => self.size(&pair[1]),
            _ => Err(Diagnostic::at(part.span, "expected {..., length}")),
        };
        parts.iter().map(length).collect()
    }

    pub(super) fn message(&self, message: &Expression) -> Result<Message, Diagnostic> {
        let expected =
            "expected {msg_name(...)=..., msg_iov(N)=[{..., length}], msg_flags=F}, and msg_control=[…] if wanted";
        let Value::Structure(fields) = &message.value else { return Err(Diagnostic::at(message.span, expected)) };
        let known = ["msg_name", "msg_iov", "msg_flags", "msg_control"];
        if let Some(Field { name, value, .. }) = fields.iter().find(|field| !known.contains(&field.name.as_str())) {
            return Err(Diagnostic::at(value.span, format!("`{name}` is no field of a message: {expected}")));
        }
        let Some(Field { size, value, .. }) = field(fields, "msg_iov") else {
            return Err(Diagnostic::at(message.span, expected));
        };
        let pieces = self.vector(value, size.as_ref())?;
        let flags = field(fields, "msg_flags").map_or(Ok(0), |field| self.integer(&field.value))?;
        let control = field(fields, "msg_control").map(|field| self.control_messages(&field.value)).transpose()?;
        Ok(Message { pieces, expected: Expected { flags, control } })
    }
}
