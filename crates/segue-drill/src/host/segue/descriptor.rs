//! What a descriptor stands for, and a call that is being made.
use segue_stack::{Errno, SocketId, Stack};
use segue_wire::Instant;

use super::file::{Move, OpenFile, PipeEnd};
use super::poll::Epoll;
use super::{SegueHost, data, poll};
use crate::host::{Call, Fd, Output};

pub(super) const EBADF: i32 = 9;
pub(super) const EAGAIN: i32 = 11;
pub(super) const EINVAL: i32 = 22;
pub(super) const ENOTSOCK: i32 = 88;

/// What a descriptor stands for.
#[derive(Clone, Debug)]
pub(super) enum Object {
    Socket(SocketObject),
    Epoll(Epoll),
    Pipe(PipeEnd),
    File(OpenFile),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct SocketObject {
    pub(super) id: SocketId,
    pub(super) is_nonblocking: bool,
    pub(super) is_stream: bool,
}

/// A call that is being made.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Nothing to wait for.
    Over(Outcome),
    Accept {
        listener: Fd,
        flags: i32,
    },
    Connecting {
        fd: Fd,
    },
    Receive(data::Receive),
    Send(data::Send),
    Poll(poll::Poll),
    EpollWait(poll::EpollWait),
    Move(Move),
}

impl Operation {
    /// When the call gives up by itself.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Operation::Poll(poll) => poll.deadline,
            Operation::EpollWait(wait) => wait.deadline,
            Operation::Receive(receive) => receive.deadline,
            Operation::Send(send) => send.deadline,
            _ => None,
        }
    }
}

/// What a call gave.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) result: Result<i64, i32>,
    pub(super) output: Output,
    /// What was made and needs a number.
    pub(super) made: Option<Object>,
}

impl Outcome {
    pub(super) fn ok(value: i64) -> Outcome {
        Outcome { result: Ok(value), output: Output::Nothing, made: None }
    }

    pub(super) fn with(value: i64, output: Output) -> Outcome {
        Outcome { output, ..Outcome::ok(value) }
    }

    pub(super) fn made(object: Object) -> Outcome {
        Outcome { made: Some(object), ..Outcome::ok(0) }
    }

    pub(super) fn error(errno: i32) -> Outcome {
        Outcome { result: Err(errno), output: Output::Nothing, made: None }
    }

    pub(super) fn of(result: Result<(), Errno>) -> Outcome {
        result.map_or_else(|errno| Outcome::error(errno.0), |()| Outcome::ok(0))
    }
}

/// An errno ends a call.
impl From<i32> for Outcome {
    fn from(errno: i32) -> Outcome {
        Outcome::error(errno)
    }
}

impl SegueHost {
    pub(super) fn socket_at(&self, fd: Fd) -> Result<SocketObject, i32> {
        match self.descriptors.get(&fd) {
            Some(Object::Socket(socket)) => Ok(*socket),
            Some(_) => Err(ENOTSOCK),
            None => Err(EBADF),
        }
    }

    /// Look at a call; what needs no waiting is done at once.
    pub(super) fn prepare(&mut self, call: Call) -> Operation {
        let begun = match call {
            Call::Socket { domain, kind, protocol } => self.call_socket(domain, kind, protocol).map(Operation::Over),
            Call::Bind { fd, address } => self.call_bind(fd, address).map(Operation::Over),
            Call::Listen { fd, backlog } => self.call_listen(fd, backlog).map(Operation::Over),
            Call::Accept { fd, flags } => Ok(Operation::Accept { listener: fd, flags }),
            Call::Connect { fd, to } => self.begin_connect(fd, to),
            Call::Shutdown { fd, how } => self.call_shutdown(fd, how).map(Operation::Over),
            Call::Close { fd } => self.call_close(fd).map(Operation::Over),
            Call::LocalAddress { fd } => self.call_name(fd, Stack::local_addr).map(Operation::Over),
            Call::PeerAddress { fd } => self.call_name(fd, Stack::peer_addr).map(Operation::Over),
            Call::Receive { fd, shape, pieces, flags, control_room } => {
                self.begin_receive(fd, shape, &pieces, flags, control_room)
            }
            Call::Send { fd, shape, pieces, flags, to, control } => {
                self.begin_send(fd, shape, &pieces, flags, to, &control)
            }
            Call::GetOption { fd, level, name, value } => self.call_getsockopt(fd, level, name, value),
            Call::SetOption { fd, level, name, value } => {
                self.call_setsockopt(fd, level, name, &value).map(Operation::Over)
            }
            Call::Ioctl { fd, request, argument } => self.call_ioctl(fd, request, argument).map(Operation::Over),
            Call::Fcntl { fd, command, argument } => self.call_fcntl(fd, command, argument).map(Operation::Over),
            Call::Poll { entries, timeout } => Ok(self.begin_poll(entries, timeout)),
            Call::EpollCreate { .. } => Ok(Operation::Over(Outcome::made(Object::Epoll(Epoll::default())))),
            Call::EpollControl { epoll, operation, fd, events, data } => {
                self.call_epoll_control(epoll, operation, fd, events, data).map(Operation::Over)
            }
            Call::EpollWait { epoll, max, timeout } => self.begin_epoll_wait(epoll, max, timeout),
            Call::Pipe { flags } => Ok(Operation::Over(self.call_pipe(flags))),
            Call::Open { path, flags } => self.call_open(&path, flags).map(Operation::Over),
            Call::Splice { input, output, length, flags } => self.begin_splice(input, output, length, flags),
            Call::SendFile { output, input, offset, count } => self.begin_sendfile(output, input, offset, count),
            // The stack has no privileges to give up.
            Call::Capability { .. } => Ok(Operation::Over(Outcome::ok(0))),
        };
        begun.unwrap_or_else(|errno| Operation::Over(Outcome::error(errno)))
    }

    /// Try to do it; `None` while it would block.
    pub(super) fn attempt(&mut self, operation: &mut Operation) -> Option<Outcome> {
        match operation {
            Operation::Over(outcome) => Some(outcome.clone()),
            Operation::Accept { listener, flags } => self.attempt_accept(*listener, *flags),
            Operation::Connecting { fd } => self.attempt_connect(*fd),
            Operation::Receive(receive) => self.attempt_receive(receive),
            Operation::Send(send) => self.attempt_send(send),
            Operation::Poll(poll) => self.attempt_poll(poll),
            Operation::EpollWait(wait) => self.attempt_epoll_wait(wait),
            Operation::Move(operation) => self.attempt_move(operation),
        }
    }
}
