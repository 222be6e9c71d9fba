//! The values of arguments.
use super::{Descriptor, Kind};
use crate::ast::{Expression, Field, SystemCall, Value};
use crate::host::Fd;
use crate::run::Interpreter;
use crate::source::Diagnostic;
use crate::symbols;

/// A socket that a descriptor stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct SocketRef {
    pub(super) live: Fd,
    pub(super) endpoint: usize,
    pub(super) is_v6: bool,
    pub(super) is_stream: bool,
}

pub(super) fn arguments(call: &SystemCall, least: usize, most: usize) -> Result<&[Expression], Diagnostic> {
    let count = call.arguments.len();
    if (least..=most).contains(&count) {
        return Ok(&call.arguments);
    }
    let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
    Err(Diagnostic::at(call.span, format!("{}() takes {wanted} arguments, found {count}", call.name)))
}

/// A field of a structure.
pub(super) fn field<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.name == name)
}

impl Interpreter<'_> {
    pub(crate) fn integer(&self, expression: &Expression) -> Result<i64, Diagnostic> {
        match &expression.value {
            Value::Integer(number) => Ok(*number),
            Value::Word(word) => {
                symbols::lookup(word).ok_or_else(|| Diagnostic::at(expression.span, format!("unknown symbol `{word}`")))
            }
            Value::Or(terms) => terms.iter().try_fold(0, |sum, term| Ok(sum | self.integer(term)?)),
            Value::Call(name, arguments) if name == "htons" => match arguments.as_slice() {
                [port] => Ok((self.integer(port)? as u16).swap_bytes().into()),
                _ => Err(Diagnostic::at(expression.span, "htons() takes one argument")),
            },
            _ => Err(Diagnostic::at(expression.span, "expected a number or a symbol here")),
        }
    }

    /// A size of at most 64 MiB, so that no script can ask for all of this machine's memory.
    pub(super) fn size(&self, expression: &Expression) -> Result<usize, Diagnostic> {
        let number = self.integer(expression)?;
        usize::try_from(number)
            .ok()
            .filter(|size| *size <= 64 << 20)
            .ok_or_else(|| Diagnostic::at(expression.span, format!("a size is from 0 to 67108864, found {number}")))
    }

    /// An open descriptor, by its name in the script.
    pub(super) fn descriptor_argument(&self, expression: &Expression) -> Result<(i64, Descriptor), Diagnostic> {
        let name = self.integer(expression)?;
        match self.descriptors.get(&name) {
            Some(descriptor) => Ok((name, *descriptor)),
            None => Err(Diagnostic::at(expression.span, format!("there is no open descriptor {name} in this script"))),
        }
    }

    /// A descriptor that is a socket.
    pub(super) fn socket_argument(&self, expression: &Expression) -> Result<SocketRef, Diagnostic> {
        let (name, Descriptor { live, kind }) = self.descriptor_argument(expression)?;
        match kind {
            Kind::Socket { endpoint, is_v6, is_stream } => Ok(SocketRef { live, endpoint, is_v6, is_stream }),
            Kind::Epoll | Kind::File => Err(Diagnostic::at(expression.span, format!("descriptor {name} is no socket"))),
        }
    }
}
