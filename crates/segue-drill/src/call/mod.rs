//! System calls of a script, as calls on the host under test.
//!
//! Decides which calls exist, what their arguments mean, and what is compared afterwards. What a call does is the host's.
mod control;
mod data;
mod file;
mod message;
mod open;
mod option;
mod poll;
mod structure;
mod value;

use crate::ast::{SystemCall, Value};
use crate::host::{Call, Fd, Output, Returned};
use crate::run::{Interpreter, KeyChange, Window};
use crate::source::Diagnostic;
use crate::structure::Layout;
use crate::symbols;

const ENOPROTOOPT: i32 = 92;

/// What a script's descriptor stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptor {
    /// The host's number for it.
    pub(crate) live: Fd,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Socket {
        endpoint: usize,
        is_v6: bool,
        is_stream: bool,
    },
    Epoll,
    /// A pipe's end or a file.
    File,
}

/// What is to be done and compared when a call has returned.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// The result only.
    Result,
    /// socket(): what kind of socket it is.
    Socket {
        is_v6: bool,
        is_stream: bool,
    },
    /// epoll_create(), open().
    Opened(Kind),
    /// pipe(): the names of both ends.
    Pipe((i64, i64)),
    /// accept() on a listener of this family.
    Accepted {
        is_v6: bool,
    },
    /// bind() to this port.
    Bound {
        endpoint: usize,
        port: u16,
    },
    Listening {
        endpoint: usize,
        live: Fd,
    },
    /// connect() of a datagram socket: it has a port then.
    Connected {
        endpoint: usize,
        live: Fd,
    },
    Option(option::Expected),
    /// getsockopt(): fields of a structure.
    Fields(structure::ExpectedFields),
    /// setsockopt(): what it does to the keys of this socket.
    Keys {
        endpoint: usize,
        change: KeyChange,
    },
    /// The integer of ioctl().
    Integer(Option<i64>),
    Message(message::Expected),
    /// Script descriptors and their expected `revents`.
    Revents(Vec<(i64, i64)>),
    /// The first event and its data.
    Event(u32, u64),
}

/// A call that has not returned.
#[derive(Clone, Debug)]
pub(crate) struct Blocked {
    pub(crate) check: Check,
    pub(crate) call: SystemCall,
    pub(crate) window: Option<Window>,
}

const CALLS: &str = "socket bind listen accept accept4 connect shutdown close read write recv send recvfrom sendto readv \
                     writev recvmsg sendmsg fcntl ioctl getsockopt setsockopt poll epoll_create epoll_ctl epoll_wait \
                     pipe splice open sendfile cap_set";

/// `-1 EAGAIN`, or the value.
pub(crate) fn describe(result: Result<i64, i32>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(errno) => format!("-1 {}", symbols::errno_name(errno)),
    }
}

impl Interpreter<'_> {
    /// Look at a call's arguments.
    pub(crate) fn prepare(&mut self, call: &SystemCall) -> Result<(Call, Check), Diagnostic> {
        Ok(match call.name.as_str() {
            "socket" => self.call_socket(call)?,
            "bind" => self.call_bind(call)?,
            "listen" => self.call_listen(call)?,
            "accept" | "accept4" => self.call_accept(call)?,
            "connect" => self.call_connect(call)?,
            "shutdown" => self.call_shutdown(call)?,
            "close" => self.call_close(call)?,
            "read" | "recv" | "recvfrom" | "readv" | "recvmsg" => self.call_receive(call)?,
            "write" | "send" | "sendto" | "writev" | "sendmsg" => self.call_send(call)?,
            "fcntl" => self.call_fcntl(call)?,
            "ioctl" => self.call_ioctl(call)?,
            "setsockopt" => self.call_setsockopt(call)?,
            "getsockopt" => self.call_getsockopt(call)?,
            "poll" => self.call_poll(call)?,
            "epoll_create" | "epoll_create1" => (Call::EpollCreate { flags: 0 }, Check::Opened(Kind::Epoll)),
            "epoll_ctl" => self.call_epoll_control(call)?,
            "epoll_wait" => self.call_epoll_wait(call)?,
            "pipe" | "pipe2" => self.call_pipe(call)?,
            "open" => self.call_open(call)?,
            "splice" => self.call_splice(call)?,
            "sendfile" => self.call_sendfile(call)?,
            "cap_set" => self.call_capability(call)?,
            name => {
                return Err(Diagnostic::at(call.name_span, format!("unknown system call {name}()"))
                    .note(format!("known: {CALLS}")));
            }
        })
    }

    /// Compare what a call gave with what the script says, and give a new descriptor its name.
    pub(crate) fn check_result(
        &mut self,
        call: &SystemCall,
        check: &Check,
        returned: Returned,
    ) -> Result<(), Diagnostic> {
        let Returned { result, output, .. } = returned;
        let made = self.take_note(check, result, &output);
        if result == Err(ENOPROTOOPT) && call.errno.as_deref() != Some("ENOPROTOOPT") && self.may_be_absent(call) {
            // A kernel can be built without either signature; then nothing can be said of the script.
            let option = self.source_of(call.arguments[2].span);
            let message = format!("{}(): this host has no {option} (ENOPROTOOPT)", call.name);
            self.lacks = Some(option);
            return Err(Diagnostic::at(call.span, message));
        }
        let value = result.unwrap_or(-1);
        let is_any = call.result.value == Value::Ellipsis;
        let expected = if is_any { value } else { self.integer(&call.result)? };
        let is_made = made.is_some() && expected >= 0;
        let errno_text = call.errno.as_deref().map(|errno| format!(" {errno}")).unwrap_or_default();
        let wrong = || {
            let message = format!("{}() returned {}, expected {expected}{errno_text}", call.name, describe(result));
            Err(Diagnostic::at(call.span, message))
        };
        if !is_made && expected != value {
            return wrong();
        }
        if let Some(name) = &call.errno {
            let errno = symbols::errno(name)
                .ok_or_else(|| Diagnostic::at(call.span, format!("`{name}` is no errno of Linux")))?;
            if result != Err(errno) {
                return wrong();
            }
        }
        if let Some(mismatch) = mismatch(check, result, &output) {
            return Err(Diagnostic::at(call.span, format!("{}(): {mismatch}", call.name)));
        }
        if let Some(made) = made {
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

impl Interpreter<'_> {
    /// Whether a call sets an option that not every host has: those of signatures.
    fn may_be_absent(&self, call: &SystemCall) -> bool {
        let number = |at: usize| Some(self.integer(call.arguments.get(at)?).ok()? as i32);
        let option = number(1).zip(number(2)).and_then(|(level, name)| Layout::of_option(level, name));
        call.name == "setsockopt" && option.is_some()
    }
}

/// What differs beside the result.
fn mismatch(check: &Check, result: Result<i64, i32>, output: &Output) -> Option<String> {
    match (check, output) {
        (Check::Option(expected), Output::Bytes(got)) => expected.mismatch(got),
        (Check::Fields(expected), Output::Bytes(got)) if result.is_ok() => expected.mismatch(got),
        (Check::Integer(Some(expected)), Output::Integer(got)) if *expected != i64::from(*got) => {
            Some(format!("the value is {got}, expected {expected}"))
        }
        (Check::Message(expected), Output::Received { flags, control, .. }) => expected.mismatch(*flags, control),
        (Check::Revents(expected), Output::Revents(got)) => {
            let wrong = expected.iter().zip(got).find(|((_, expected), got)| *expected != i64::from(**got));
            wrong.map(|((fd, expected), got)| format!("revents of descriptor {fd} is {got:#x}, expected {expected:#x}"))
        }
        (Check::Event(events, data), Output::Events(got)) if result.is_ok() => {
            let first = got.first().copied().unwrap_or((0, 0));
            (first != (*events, *data)).then(|| {
                format!(
                    "the event is {{events={:#x}, data={:#x}}}, expected {{events={events:#x}, data={data:#x}}}",
                    first.0, first.1
                )
            })
        }
        _ => None,
    }
}
