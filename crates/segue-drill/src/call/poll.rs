//! poll(2), from the stack's level readiness.
use std::time::Duration;

use segue_stack::Ready;
use segue_wire::Instant;

use super::value::{arguments, field};
use super::{Operation, Outcome};
use crate::ast::{SystemCall, Value};
use crate::run::Interpreter;
use crate::source::Diagnostic;

#[derive(Clone, Debug)]
pub(crate) struct Poll {
    entries: Vec<Entry>,
    pub(super) deadline: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Entry {
    fd: i64,
    events: i64,
    expected: i64,
}

const POLLNVAL: i64 = 0x20;

/// `POLL*` (and `EPOLL*`) bits of a readiness.
pub(super) fn bits(ready: Ready) -> i64 {
    let table = [
        (Ready::IN, 0x1 | 0x40),
        (Ready::PRI, 0x2),
        (Ready::OUT, 0x4 | 0x100),
        (Ready::ERR, 0x8),
        (Ready::HUP, 0x10),
        (Ready::RDHUP, 0x2000),
    ];
    table.into_iter().filter(|(flag, _)| ready.contains(*flag)).fold(0, |sum, (_, bits)| sum | bits)
}

/// What is told whether it was asked for or not: `POLLERR`, `POLLHUP`.
pub(super) const ALWAYS: i64 = 0x8 | 0x10;

impl Interpreter<'_> {
    pub(super) fn deadline_in(&self, millis: i64) -> Option<Instant> {
        u64::try_from(millis).ok().map(|millis| self.machine.now + Duration::from_millis(millis))
    }

    pub(super) fn prepare_poll(&mut self, call: &SystemCall) -> Result<Operation, Diagnostic> {
        let arguments = arguments(call, 3, 3)?;
        let Value::List(list) = &arguments[0].value else {
            return Err(Diagnostic::at(arguments[0].span, "expected [{fd=…, events=…, revents=…}, …]"));
        };
        let mut entries = Vec::new();
        for entry in list {
            let wrong = || Diagnostic::at(entry.span, "expected {fd=…, events=…, revents=…}");
            let Value::Structure(fields) = &entry.value else { return Err(wrong()) };
            let number = |name: &str| field(fields, name).map(|field| self.integer(&field.value)).transpose();
            entries.push(Entry {
                fd: number("fd")?.ok_or_else(wrong)?,
                events: number("events")?.ok_or_else(wrong)?,
                expected: number("revents")?.unwrap_or(0),
            });
        }
        let count = self.integer(&arguments[1])?;
        if count != entries.len() as i64 {
            let message = format!("the number of descriptors is {}, found {count}", entries.len());
            return Err(Diagnostic::at(arguments[1].span, message));
        }
        let timeout = self.integer(&arguments[2])?;
        Ok(Operation::Poll(Poll { entries, deadline: self.deadline_in(timeout) }))
    }

    pub(super) fn attempt_poll(&mut self, poll: &mut Poll) -> Option<Outcome> {
        let mut count = 0;
        let mut mismatch = None;
        for Entry { fd, events, expected } in &poll.entries {
            let got = match self.socket(*fd) {
                Some(socket) => bits(self.machine.stack.readiness(socket.id)) & (events | ALWAYS),
                None => POLLNVAL,
            };
            count += i64::from(got != 0);
            if got != *expected && mismatch.is_none() {
                mismatch = Some(format!("revents of descriptor {fd} is {got:#x}, expected {expected:#x}"));
            }
        }
        let is_over = poll.deadline.is_some_and(|deadline| self.machine.now >= deadline);
        (count > 0 || is_over).then(|| Outcome { mismatch, ..Outcome::ok(count) })
    }
}
