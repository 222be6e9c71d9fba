//! Reading and writing.
use std::net::SocketAddr;
use std::time::Duration;

use segue_stack::MsgFlags;
use segue_wire::Instant;

use super::message::{Expected, Message};
use super::value::{SocketRef, arguments};
use super::{Operation, Outcome};
use crate::ast::{SystemCall, Value};
use crate::run::Interpreter;
use crate::source::Diagnostic;

const EAGAIN: i32 = 11;
const FASTOPEN: i32 = 0x2000_0000;
const SOL_SOCKET: i32 = 1;
const RCVTIMEO: i32 = 20;
const SNDTIMEO: i32 = 21;

#[derive(Clone, Debug)]
pub(crate) struct Receive {
    fd: i64,
    want: usize,
    got: usize,
    flags: MsgFlags,
    expected: Option<Expected>,
    pub(super) deadline: Option<Instant>,
}

#[derive(Clone, Debug)]
pub(crate) struct Send {
    fd: i64,
    total: usize,
    sent: usize,
    flags: MsgFlags,
    to: Option<SocketAddr>,
    pub(super) deadline: Option<Instant>,
}

impl Interpreter<'_> {
    fn flags(&self, call: &SystemCall, at: usize) -> Result<i64, Diagnostic> {
        call.arguments.get(at).map_or(Ok(0), |flags| self.integer(flags))
    }

    pub(super) fn prepare_receive(&mut self, call: &SystemCall) -> Result<Operation, Diagnostic> {
        let mut expected = None;
        let (want, flags) = match call.name.as_str() {
            "read" => (self.size(&arguments(call, 3, 3)?[2])?, 0),
            "recv" => (self.size(&arguments(call, 4, 4)?[2])?, self.flags(call, 3)?),
            "recvfrom" => (self.size(&arguments(call, 6, 6)?[2])?, self.flags(call, 3)?),
            "readv" => (self.vector(&arguments(call, 3, 3)?[1], Some(&call.arguments[2]))?, 0),
            _ => {
                let message = self.message(&arguments(call, 3, 3)?[1])?;
                let Message { length, expected: wanted } = message;
                expected = Some(wanted);
                (length, self.flags(call, 2)?)
            }
        };
        let (fd, socket) = self.socket_argument(&call.arguments[0])?;
        let flags = MsgFlags::from_bits_retain(flags as i32);
        let deadline = self.time_limit(socket, RCVTIMEO);
        Ok(Operation::Receive(Receive { fd, want, got: 0, flags, expected, deadline }))
    }

    /// `SO_RCVTIMEO` or `SO_SNDTIMEO`, if it is set.
    fn time_limit(&mut self, socket: SocketRef, name: i32) -> Option<Instant> {
        let mut raw = [0; 16];
        let now = self.machine.now;
        if self.machine.stack.getsockopt(now, socket.id, SOL_SOCKET, name, &mut raw).ok()? < 16 {
            return None;
        }
        let (seconds, micros) = raw.split_at(8);
        let long =
            |half: &[u8]| half.try_into().map(i64::from_ne_bytes).ok().and_then(|number| u64::try_from(number).ok());
        let time = Duration::from_secs(long(seconds)?) + Duration::from_micros(long(micros)?);
        (!time.is_zero()).then(|| now + time)
    }

    pub(super) fn attempt_receive(&mut self, receive: &mut Receive) -> Option<Outcome> {
        let socket = self.socket(receive.fd)?;
        let now = self.machine.now;
        let is_over = receive.deadline.is_some_and(|deadline| now >= deadline);
        let may_block = !socket.is_nonblocking && !receive.flags.contains(MsgFlags::DONTWAIT) && !is_over;
        let is_whole = receive.flags.contains(MsgFlags::WAITALL) && socket.is_stream && may_block;
        loop {
            let mut buffer = vec![0; receive.want - receive.got];
            let result = self.machine.stack.recv_from(now, socket.id, &mut buffer, receive.flags);
            match result {
                Ok(received) => {
                    let count = if receive.flags.contains(MsgFlags::TRUNC) { received.full_len } else { received.len };
                    receive.got += count;
                    if is_whole && count > 0 && receive.got < receive.want {
                        continue;
                    }
                    let is_cut = !socket.is_stream && received.full_len > received.len;
                    let mismatch = receive.expected.as_ref().and_then(|expected| expected.mismatch(is_cut));
                    return Some(Outcome { mismatch, ..Outcome::ok(receive.got as i64) });
                }
                Err(errno) if errno.0 == EAGAIN && may_block => return None,
                Err(_) if receive.got > 0 => return Some(Outcome::ok(receive.got as i64)),
                Err(errno) => return Some(Outcome::error(errno.0)),
            }
        }
    }

    pub(super) fn prepare_send(&mut self, call: &SystemCall) -> Result<Operation, Diagnostic> {
        let mut to = None;
        let (total, flags) = match call.name.as_str() {
            "write" => (self.size(&arguments(call, 3, 3)?[2])?, 0),
            "send" => (self.size(&arguments(call, 4, 4)?[2])?, self.flags(call, 3)?),
            "sendto" => {
                to = Some(&arguments(call, 6, 6)?[4]);
                (self.size(&call.arguments[2])?, self.flags(call, 3)?)
            }
            "writev" => (self.vector(&arguments(call, 3, 3)?[1], Some(&call.arguments[2]))?, 0),
            _ => (self.message(&arguments(call, 3, 3)?[1])?.length, self.flags(call, 2)?),
        };
        let (fd, socket) = self.socket_argument(&call.arguments[0])?;
        let is_unconnected = self.machine.stack.peer_addr(socket.id).is_err();
        let is_addressed = to.is_some_and(|to| matches!(to.value, Value::Ellipsis | Value::Structure(_)));
        let to = (is_addressed || (call.name == "sendmsg" && is_unconnected && !socket.is_stream))
            .then(|| self.peer_address(socket.is_v6));
        if to.is_some() {
            self.begin_connecting(socket.endpoint);
        }
        let flags = MsgFlags::from_bits_retain(flags as i32);
        let deadline = self.time_limit(socket, SNDTIMEO);
        Ok(Operation::Send(Send { fd, total, sent: 0, flags, to, deadline }))
    }

    pub(super) fn attempt_send(&mut self, send: &mut Send) -> Option<Outcome> {
        let socket = self.socket(send.fd)?;
        let now = self.machine.now;
        let is_over = send.deadline.is_some_and(|deadline| now >= deadline);
        let may_block = !socket.is_nonblocking && !send.flags.contains(MsgFlags::DONTWAIT) && !is_over;
        loop {
            let data = vec![0; send.total - send.sent];
            // On a stream an address has a meaning with Fast Open only.
            let to = send.to.filter(|_| !socket.is_stream || send.flags.bits() & FASTOPEN != 0);
            let result = match to {
                Some(to) => self.machine.stack.send_to(now, socket.id, &data, send.flags, to, None),
                None => self.machine.stack.send(now, socket.id, &data, send.flags),
            };
            match result {
                Ok(count) => {
                    send.sent += count;
                    if socket.is_stream && count > 0 && send.sent < send.total {
                        // Room was made, or there is none: the next attempt tells.
                        self.machine.drain();
                        continue;
                    }
                    return Some(Outcome::ok(send.sent as i64));
                }
                Err(errno) if errno.0 == EAGAIN && may_block => return None,
                Err(_) if send.sent > 0 => return Some(Outcome::ok(send.sent as i64)),
                Err(errno) => return Some(Outcome::error(errno.0)),
            }
        }
    }
}
