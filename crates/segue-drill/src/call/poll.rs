//! poll() and epoll.
use super::value::{arguments, field};
use super::{Check, Kind};
use crate::ast::{Expression, SystemCall, Value};
use crate::host::{Call, Fd};
use crate::run::Interpreter;
use crate::source::Diagnostic;

impl Interpreter<'_> {
    pub(super) fn call_poll(&mut self, call: &SystemCall) -> Result<(Call, Check), Diagnostic> {
        let arguments = arguments(call, 3, 3)?;
        let Value::List(list) = &arguments[0].value else {
            return Err(Diagnostic::at(arguments[0].span, "expected [{fd=…, events=…, revents=…}, …]"));
        };
        let (mut entries, mut expected) = (Vec::new(), Vec::new());
        for entry in list {
            let wrong = || Diagnostic::at(entry.span, "expected {fd=…, events=…, revents=…}");
            let Value::Structure(fields) = &entry.value else { return Err(wrong()) };
            let number = |name: &str| field(fields, name).map(|field| self.integer(&field.value)).transpose();
            let fd = number("fd")?.ok_or_else(wrong)?;
            let live = self.descriptors.get(&fd).map(|descriptor| descriptor.live);
            entries.push((live, number("events")?.ok_or_else(wrong)? as i16));
            expected.push((fd, number("revents")?.unwrap_or(0)));
        }
        let count = self.integer(&arguments[1])?;
        if count != entries.len() as i64 {
            let message = format!("the number of descriptors is {}, found {count}", entries.len());
            return Err(Diagnostic::at(arguments[1].span, message));
        }
        let timeout = self.integer(&arguments[2])? as i32;
        Ok((Call::Poll { entries, timeout }, Check::Revents(expected)))
    }

    /// Events and data of `{events=E, fd=N}`.
    fn epoll_event(&self, event: &Expression) -> Result<(u32, u64), Diagnostic> {
        let wrong = || Diagnostic::at(event.span, "expected {events=…, fd=…} (or ptr=, u32=, u64=)");
        let Value::Structure(fields) = &event.value else { return Err(wrong()) };
        let events = self.integer(&field(fields, "events").ok_or_else(wrong)?.value)?;
        let data = ["fd", "ptr", "u32", "u64"].into_iter().find_map(|name| field(fields, name)).ok_or_else(wrong)?;
        Ok((events as u32, self.integer(&data.value)? as u64))
    }

    fn epoll_argument(&self, expression: &Expression) -> Result<Fd, Diagnostic> {
        let (name, descriptor) = self.descriptor_argument(expression)?;
        match descriptor.kind {
            Kind::Epoll => Ok(descriptor.live),
            _ => Err(Diagnostic::at(expression.span, format!("descriptor {name} was not made by epoll_create()"))),
        }
    }

    pub(super) fn call_epoll_control(&mut self, call: &SystemCall) -> Result<(Call, Check), Diagnostic> {
        let arguments = arguments(call, 4, 4)?;
        let epoll = self.epoll_argument(&arguments[0])?;
        let operation = self.integer(&arguments[1])? as i32;
        let fd = self.descriptor_argument(&arguments[2])?.1.live;
        let (events, data) = match (operation, &arguments[3].value) {
            (2, _) => (0, 0),
            _ => self.epoll_event(&arguments[3])?,
        };
        Ok((Call::EpollControl { epoll, operation, fd, events, data }, Check::Result))
    }

    pub(super) fn call_epoll_wait(&mut self, call: &SystemCall) -> Result<(Call, Check), Diagnostic> {
        let arguments = arguments(call, 4, 4)?;
        let epoll = self.epoll_argument(&arguments[0])?;
        let (events, data) = self.epoll_event(&arguments[1])?;
        let max = self.integer(&arguments[2])? as i32;
        let timeout = self.integer(&arguments[3])? as i32;
        Ok((Call::EpollWait { epoll, max, timeout }, Check::Event(events, data)))
    }
}
