//! Reading and writing.
use super::Check;
use super::message::Message;
use super::value::arguments;
use crate::ast::{SystemCall, Value};
use crate::host::{Call, Fd, Shape};
use crate::run::Interpreter;
use crate::source::Diagnostic;

/// `MSG_FASTOPEN`: a stream is connected by the same call.
const FASTOPEN: i32 = 0x2000_0000;
/// Room for control messages, in bytes.
const CONTROL_ROOM: usize = 4096;

impl Interpreter<'_> {
    fn flags(&self, call: &SystemCall, at: usize) -> Result<i32, Diagnostic> {
        call.arguments.get(at).map_or(Ok(0), |flags| self.integer(flags)).map(|flags| flags as i32)
    }

    /// The descriptor of a call: a socket, and for read(), write() and their kin anything else, too.
    fn readable_argument(&self, call: &SystemCall, shape: Shape) -> Result<Fd, Diagnostic> {
        match shape {
            Shape::Plain | Shape::Vector => self.descriptor_argument(&call.arguments[0]).map(|(_, made)| made.live),
            _ => self.socket_argument(&call.arguments[0]).map(|socket| socket.live),
        }
    }

    pub(super) fn call_receive(&mut self, call: &SystemCall) -> Result<(Call, Check), Diagnostic> {
        let mut check = Check::Result;
        let mut control_room = 0;
        let (shape, pieces, flags) = match call.name.as_str() {
            "read" => (Shape::Plain, vec![self.size(&arguments(call, 3, 3)?[2])?], 0),
            "recv" => (Shape::Flags, vec![self.size(&arguments(call, 4, 4)?[2])?], self.flags(call, 3)?),
            "recvfrom" => (Shape::Address, vec![self.size(&arguments(call, 6, 6)?[2])?], self.flags(call, 3)?),
            "readv" => (Shape::Vector, self.vector(&arguments(call, 3, 3)?[1], Some(&call.arguments[2]))?, 0),
            _ => {
                let Message { pieces, expected, .. } = self.message(&arguments(call, 3, 3)?[1])?;
                control_room = if expected.control.is_some() { CONTROL_ROOM } else { 0 };
                check = Check::Message(expected);
                (Shape::Message, pieces, self.flags(call, 2)?)
            }
        };
        let fd = self.readable_argument(call, shape)?;
        Ok((Call::Receive { fd, shape, pieces, flags, control_room }, check))
    }

    pub(super) fn call_send(&mut self, call: &SystemCall) -> Result<(Call, Check), Diagnostic> {
        let mut is_addressed = false;
        let mut control = Vec::new();
        let (shape, pieces, flags) = match call.name.as_str() {
            "write" => (Shape::Plain, vec![self.size(&arguments(call, 3, 3)?[2])?], 0),
            "send" => (Shape::Flags, vec![self.size(&arguments(call, 4, 4)?[2])?], self.flags(call, 3)?),
            "sendto" => {
                let to = &arguments(call, 6, 6)?[4];
                is_addressed = matches!(to.value, Value::Ellipsis | Value::Structure(_));
                (Shape::Address, vec![self.size(&call.arguments[2])?], self.flags(call, 3)?)
            }
            "writev" => (Shape::Vector, self.vector(&arguments(call, 3, 3)?[1], Some(&call.arguments[2]))?, 0),
            _ => {
                let Message { pieces, expected } = self.message(&arguments(call, 3, 3)?[1])?;
                let cannot =
                    || Diagnostic::at(call.arguments[1].span, "this control data cannot be sent, only received");
                let sent = expected.control.iter().flatten().map(|spec| spec.to_sent().ok_or_else(cannot));
                control = sent.collect::<Result<_, _>>()?;
                (Shape::Message, pieces, self.flags(call, 2)?)
            }
        };
        if matches!(shape, Shape::Plain | Shape::Vector) {
            let fd = self.readable_argument(call, shape)?;
            return Ok((Call::Send { fd, shape, pieces, flags, to: None, control }, Check::Result));
        }
        let socket = self.socket_argument(&call.arguments[0])?;
        if call.name == "sendmsg" && (!socket.is_stream || flags & FASTOPEN != 0) {
            is_addressed = self.host.ask(Call::PeerAddress { fd: socket.live }).result.is_err();
        }
        let to = is_addressed.then(|| self.peer_address(socket.is_v6));
        if is_addressed {
            self.begin_connecting(socket.endpoint);
        }
        let call = Call::Send { fd: socket.live, shape, pieces, flags, to, control };
        Ok((call, Check::Result))
    }
}
