//! The values of arguments.
use segue_stack::SocketId;

use super::Descriptor;
use crate::ast::{Expression, Field, SystemCall, Value};
use crate::run::Interpreter;
use crate::source::Diagnostic;
use crate::symbols;

/// A socket that a descriptor stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct SocketRef {
    pub(super) id: SocketId,
    pub(super) endpoint: usize,
    pub(super) is_nonblocking: bool,
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

    pub(super) fn descriptor_number(&self, expression: &Expression) -> Result<i64, Diagnostic> {
        let fd = self.integer(expression)?;
        if self.descriptors.contains_key(&fd) {
            return Ok(fd);
        }
        Err(Diagnostic::at(expression.span, format!("there is no open descriptor {fd} in this script")))
    }

    /// The number of a descriptor that is a socket, and the socket.
    pub(super) fn socket_argument(&self, expression: &Expression) -> Result<(i64, SocketRef), Diagnostic> {
        let fd = self.descriptor_number(expression)?;
        let socket = self.socket(fd);
        socket
            .map(|socket| (fd, socket))
            .ok_or_else(|| Diagnostic::at(expression.span, format!("descriptor {fd} is no socket")))
    }

    pub(super) fn socket(&self, fd: i64) -> Option<SocketRef> {
        match self.descriptors.get(&fd)? {
            Descriptor::Socket { id, endpoint, is_nonblocking, is_v6, is_stream } => Some(SocketRef {
                id: *id,
                endpoint: *endpoint,
                is_nonblocking: *is_nonblocking,
                is_v6: *is_v6,
                is_stream: *is_stream,
            }),
            Descriptor::Epoll(_) => None,
        }
    }
}
