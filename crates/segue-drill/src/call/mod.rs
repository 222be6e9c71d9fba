//! System calls of a script, on the sockets of the stack under test.
//!
//! Decides which calls exist and what their arguments mean. What a call does is the stack's.
mod data;
mod epoll;
mod message;
mod open;
mod option;
mod poll;
mod value;

use segue_stack::SocketId;
use segue_wire::Instant;

use crate::ast::{SystemCall, Value};
use crate::run::{Interpreter, Window};
use crate::source::Diagnostic;
use crate::symbols;
pub(crate) use epoll::Epoll;

/// What a script's descriptor stands for.
#[derive(Clone, Debug)]
pub(crate) enum Descriptor {
    Socket { id: SocketId, endpoint: usize, is_nonblocking: bool, is_v6: bool, is_stream: bool },
    Epoll(Epoll),
}

/// A call that is being performed.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Nothing to wait for.
    Over(Outcome),
    Accept {
        listener: i64,
        flags: i64,
    },
    Connect {
        fd: i64,
        started: bool,
    },
    Receive(data::Receive),
    Send(data::Send),
    Poll(poll::Poll),
    EpollWait(epoll::Wait),
}

/// A call that has not returned.
#[derive(Clone, Debug)]
pub(crate) struct Blocked {
    pub(crate) operation: Operation,
    pub(crate) call: SystemCall,
    pub(crate) window: Option<Window>,
}

impl Blocked {
    /// When the call gives up by itself.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.operation {
            Operation::Poll(poll) => poll.deadline,
            Operation::EpollWait(wait) => wait.deadline,
            Operation::Receive(receive) => receive.deadline,
            Operation::Send(send) => send.deadline,
            _ => None,
        }
    }
}

/// What a call returned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) value: i64,
    pub(crate) errno: Option<i32>,
    /// A descriptor that was made.
    pub(crate) made: Option<Descriptor>,
    /// What differs beside the result.
    pub(crate) mismatch: Option<String>,
}

impl Outcome {
    pub(crate) fn ok(value: i64) -> Outcome {
        Outcome { value, ..Outcome::default() }
    }

    pub(crate) fn error(errno: i32) -> Outcome {
        Outcome { value: -1, errno: Some(errno), ..Outcome::default() }
    }

    fn of<T>(result: segue_stack::Result<T>, value: impl FnOnce(T) -> i64) -> Outcome {
        match result {
            Ok(given) => Outcome::ok(value(given)),
            Err(errno) => Outcome::error(errno.0),
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self.errno {
            Some(errno) => format!("-1 {}", symbols::errno_name(errno)),
            None => self.value.to_string(),
        }
    }
}

const CALLS: &str = "socket bind listen accept connect shutdown close read write recv send recvfrom sendto readv writev \
                     recvmsg sendmsg fcntl ioctl getsockopt setsockopt poll epoll_create epoll_ctl epoll_wait cap_set";

impl Interpreter<'_> {
    /// Look at a call's arguments; what needs no waiting is done at once.
    pub(crate) fn prepare(&mut self, call: &SystemCall) -> Result<Operation, Diagnostic> {
        let over = |outcome: Result<Outcome, Diagnostic>| outcome.map(Operation::Over);
        match call.name.as_str() {
            "socket" => over(self.call_socket(call)),
            "bind" => over(self.call_bind(call)),
            "listen" => over(self.call_listen(call)),
            "accept" | "accept4" => self.prepare_accept(call),
            "connect" => self.prepare_connect(call),
            "shutdown" => over(self.call_shutdown(call)),
            "close" => over(self.call_close(call)),
            "read" | "recv" | "recvfrom" | "readv" | "recvmsg" => self.prepare_receive(call),
            "write" | "send" | "sendto" | "writev" | "sendmsg" => self.prepare_send(call),
            "fcntl" => over(self.call_fcntl(call)),
            "ioctl" => over(self.call_ioctl(call)),
            "setsockopt" => over(self.call_setsockopt(call)),
            "getsockopt" => over(self.call_getsockopt(call)),
            "poll" => self.prepare_poll(call),
            "epoll_create" | "epoll_create1" => {
                over(Ok(Outcome { made: Some(Descriptor::Epoll(Epoll::default())), ..Outcome::ok(0) }))
            }
            "epoll_ctl" => over(self.call_epoll_ctl(call)),
            "epoll_wait" => self.prepare_epoll_wait(call),
            "cap_set" => over(Ok(Outcome::ok(0))),
            "pipe" | "splice" | "open" | "sendfile" => Err(Diagnostic::at(
                call.name_span,
                format!(
                    "{}() is not available in virtual time: a script cannot reach files of this machine",
                    call.name
                ),
            )),
            name => {
                Err(Diagnostic::at(call.name_span, format!("unknown system call {name}()"))
                    .note(format!("known: {CALLS}")))
            }
        }
    }

    /// Try to do it; `None` while it would block.
    pub(crate) fn attempt(&mut self, operation: &mut Operation) -> Result<Option<Outcome>, Diagnostic> {
        Ok(match operation {
            Operation::Over(outcome) => Some(outcome.clone()),
            Operation::Accept { listener, flags } => self.attempt_accept(*listener, *flags),
            Operation::Connect { fd, started } => self.attempt_connect(*fd, started),
            Operation::Receive(receive) => self.attempt_receive(receive),
            Operation::Send(send) => self.attempt_send(send),
            Operation::Poll(poll) => self.attempt_poll(poll),
            Operation::EpollWait(wait) => self.attempt_epoll_wait(wait),
        })
    }

    /// Compare what a call returned with what the script says, and give a new descriptor its name.
    pub(crate) fn check_result(&mut self, call: &SystemCall, outcome: Outcome) -> Result<(), Diagnostic> {
        let is_any = call.result.value == Value::Ellipsis;
        let expected = if is_any { outcome.value } else { self.integer(&call.result)? };
        let is_made = outcome.made.is_some() && expected >= 0;
        let wrong = |expected: String| {
            let message = format!("{}() returned {}, expected {expected}", call.name, outcome.describe());
            Err(Diagnostic::at(call.span, message))
        };
        let errno_text = call.errno.as_deref().map(|errno| format!(" {errno}")).unwrap_or_default();
        if !is_made && expected != outcome.value {
            return wrong(format!("{expected}{errno_text}"));
        }
        if let Some(name) = &call.errno {
            let errno = symbols::errno(name)
                .ok_or_else(|| Diagnostic::at(call.span, format!("`{name}` is no errno of Linux")))?;
            if outcome.errno != Some(errno) {
                return wrong(format!("{expected}{errno_text}"));
            }
        }
        if let Some(mismatch) = outcome.mismatch {
            return Err(Diagnostic::at(call.span, format!("{}(): {mismatch}", call.name)));
        }
        if let Some(made) = outcome.made {
            if self.descriptors.contains_key(&expected) {
                let message =
                    format!("descriptor {expected} is in use already: close({expected}) first or use another number");
                return Err(Diagnostic::at(call.span, message));
            }
            self.descriptors.insert(expected, made);
        }
        Ok(())
    }
}
