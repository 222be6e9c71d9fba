//! epoll, from level readiness and the stack's edges.
use segue_wire::Instant;

use super::poll::{ALWAYS, bits};
use super::value::{arguments, field};
use super::{Descriptor, Operation, Outcome};
use crate::ast::{Expression, SystemCall, Value};
use crate::run::Interpreter;
use crate::source::Diagnostic;

const EDGE: i64 = 1 << 31;
const ONESHOT: i64 = 1 << 30;
const EEXIST: i32 = 17;
const ENOENT: i32 = 2;
const EINVAL: i32 = 22;

/// The interest list, in order of registration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Epoll {
    entries: Vec<Interest>,
}

impl Epoll {
    /// A closed descriptor leaves the list.
    pub(super) fn forget(&mut self, fd: i64) {
        self.entries.retain(|entry| entry.fd != fd);
    }
}

#[derive(Clone, Debug)]
struct Interest {
    fd: i64,
    events: i64,
    data: i64,
    /// The edge that was told last; `None`: none was.
    told: Option<u64>,
    is_spent: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Wait {
    epoll: i64,
    expected: (i64, i64),
    max: usize,
    pub(super) deadline: Option<Instant>,
}

impl Interpreter<'_> {
    /// Events and data of `{events=E, fd=N}`.
    fn epoll_event(&self, event: &Expression) -> Result<(i64, i64), Diagnostic> {
        let wrong = || Diagnostic::at(event.span, "expected {events=…, fd=…} (or ptr=, u32=, u64=)");
        let Value::Structure(fields) = &event.value else { return Err(wrong()) };
        let events = self.integer(&field(fields, "events").ok_or_else(wrong)?.value)?;
        let data = ["fd", "ptr", "u32", "u64"].into_iter().find_map(|name| field(fields, name)).ok_or_else(wrong)?;
        Ok((events & 0xffff_ffff, self.integer(&data.value)?))
    }

    fn epoll_argument(&self, expression: &Expression) -> Result<i64, Diagnostic> {
        let fd = self.descriptor_number(expression)?;
        match self.descriptors.get(&fd) {
            Some(Descriptor::Epoll(_)) => Ok(fd),
            _ => Err(Diagnostic::at(expression.span, format!("descriptor {fd} was not made by epoll_create()"))),
        }
    }

    pub(super) fn call_epoll_ctl(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let arguments = arguments(call, 4, 4)?;
        let epoll = self.epoll_argument(&arguments[0])?;
        let operation = self.integer(&arguments[1])?;
        let fd = self.descriptor_number(&arguments[2])?;
        let (events, data) = match (operation, &arguments[3].value) {
            (2, _) => (0, 0),
            _ => self.epoll_event(&arguments[3])?,
        };
        let interest = Interest { fd, events, data, told: None, is_spent: false };
        let Some(Descriptor::Epoll(epoll)) = self.descriptors.get_mut(&epoll) else {
            return Ok(Outcome::error(EINVAL));
        };
        let at = epoll.entries.iter().position(|entry| entry.fd == fd);
        match (operation, at) {
            (1, None) => epoll.entries.push(interest),
            (1, Some(_)) => return Ok(Outcome::error(EEXIST)),
            (2, Some(at)) => _ = epoll.entries.remove(at),
            (3, Some(at)) => epoll.entries[at] = interest,
            (2 | 3, None) => return Ok(Outcome::error(ENOENT)),
            _ => return Ok(Outcome::error(EINVAL)),
        }
        Ok(Outcome::ok(0))
    }

    pub(super) fn prepare_epoll_wait(&mut self, call: &SystemCall) -> Result<Operation, Diagnostic> {
        let arguments = arguments(call, 4, 4)?;
        let epoll = self.epoll_argument(&arguments[0])?;
        let expected = self.epoll_event(&arguments[1])?;
        let max = self.size(&arguments[2])?;
        let timeout = self.integer(&arguments[3])?;
        Ok(Operation::EpollWait(Wait { epoll, expected, max, deadline: self.deadline_in(timeout) }))
    }

    pub(super) fn attempt_epoll_wait(&mut self, wait: &mut Wait) -> Option<Outcome> {
        let Some(Descriptor::Epoll(epoll)) = self.descriptors.get(&wait.epoll) else {
            return Some(Outcome::error(EINVAL));
        };
        self.machine.drain();
        let mut epoll = epoll.clone();
        let mut told = Vec::new();
        for interest in &mut epoll.entries {
            let Some(socket) = self.socket(interest.fd) else { continue };
            let ready = bits(self.machine.stack.readiness(socket.id)) & (interest.events | ALWAYS);
            let edge = self.machine.edges.get(&socket.id).copied().unwrap_or(0);
            let is_old = interest.events & EDGE != 0 && interest.told == Some(edge);
            if ready == 0 || interest.is_spent || is_old || told.len() >= wait.max {
                continue;
            }
            interest.told = Some(edge);
            interest.is_spent = interest.events & ONESHOT != 0;
            told.push((ready, interest.data));
        }
        self.descriptors.insert(wait.epoll, Descriptor::Epoll(epoll));
        let is_over = wait.deadline.is_some_and(|deadline| self.machine.now >= deadline);
        if told.is_empty() && !is_over {
            return None;
        }
        let got = told.first().copied().unwrap_or((0, 0));
        let (expected, data) = wait.expected;
        let mismatch = (got != wait.expected).then(|| {
            format!(
                "the event is {{events={:#x}, data={:#x}}}, expected {{events={expected:#x}, data={data:#x}}}",
                got.0, got.1
            )
        });
        Some(Outcome { mismatch, ..Outcome::ok(told.len() as i64) })
    }
}
