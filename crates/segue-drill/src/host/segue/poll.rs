//! poll(2) and epoll(7), from level readiness and the stack's edges.
use std::time::Duration;

use segue_stack::Ready;
use segue_wire::Instant;

use super::SegueHost;
use super::descriptor::{EBADF, EINVAL, Object, Operation, Outcome};
use crate::host::{Fd, Output};

const POLLNVAL: i16 = 0x20;
const EDGE: u32 = 1 << 31;
const ONESHOT: u32 = 1 << 30;
const EEXIST: i32 = 17;
const ENOENT: i32 = 2;

#[derive(Clone, Debug)]
pub(super) struct Poll {
    entries: Vec<(Option<Fd>, i16)>,
    pub(super) deadline: Option<Instant>,
}

#[derive(Clone, Debug)]
pub(super) struct EpollWait {
    epoll: Fd,
    max: usize,
    pub(super) deadline: Option<Instant>,
}

/// The interest list, in order of registration.
#[derive(Clone, Debug, Default)]
pub(super) struct Epoll {
    entries: Vec<Interest>,
}

impl Epoll {
    /// A closed descriptor leaves the list.
    pub(super) fn forget(&mut self, fd: Fd) {
        self.entries.retain(|entry| entry.fd != fd);
    }
}

#[derive(Clone, Debug)]
struct Interest {
    fd: Fd,
    events: u32,
    data: u64,
    /// The edge that was told last; `None`: none was.
    told: Option<u64>,
    is_spent: bool,
}

/// `POLL*` (and `EPOLL*`) bits of a readiness.
fn bits(ready: Ready) -> u32 {
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
const ALWAYS: u32 = 0x8 | 0x10;

impl SegueHost {
    fn deadline_in(&self, millis: i32) -> Option<Instant> {
        u64::try_from(millis).ok().map(|millis| self.now + Duration::from_millis(millis))
    }

    pub(super) fn begin_poll(&self, entries: Vec<(Option<Fd>, i16)>, timeout: i32) -> Operation {
        Operation::Poll(Poll { entries, deadline: self.deadline_in(timeout) })
    }

    /// `POLL*` bits of whatever a descriptor stands for; `None`: it is not open.
    fn object_readiness(&self, fd: Fd) -> Option<u32> {
        Some(match self.descriptors.get(&fd)? {
            Object::Socket(socket) => bits(self.stack.readiness(socket.id)),
            Object::Pipe(end) => self.end_readiness(*end),
            // A file is always ready; what epoll has to tell is asked by epoll_wait.
            Object::File(_) => 0x1 | 0x4,
            Object::Epoll(_) => 0,
        })
    }

    pub(super) fn attempt_poll(&mut self, poll: &Poll) -> Option<Outcome> {
        let ready = |(fd, events): &(Option<Fd>, i16)| match fd.and_then(|fd| self.object_readiness(fd)) {
            Some(ready) => (ready & (*events as u16 as u32 | ALWAYS)) as i16,
            _ => POLLNVAL,
        };
        let revents: Vec<i16> = poll.entries.iter().map(ready).collect();
        let count = revents.iter().filter(|events| **events != 0).count();
        let is_over = poll.deadline.is_some_and(|deadline| self.now >= deadline);
        (count > 0 || is_over).then(|| Outcome::with(count as i64, Output::Revents(revents)))
    }

    pub(super) fn call_epoll_control(
        &mut self,
        epoll: Fd,
        operation: i32,
        fd: Fd,
        events: u32,
        data: u64,
    ) -> Result<Outcome, i32> {
        if !self.descriptors.contains_key(&fd) {
            return Err(EBADF);
        }
        let interest = Interest { fd, events, data, told: None, is_spent: false };
        let Some(Object::Epoll(epoll)) = self.descriptors.get_mut(&epoll) else { return Err(EINVAL) };
        let at = epoll.entries.iter().position(|entry| entry.fd == fd);
        match (operation, at) {
            (1, None) => epoll.entries.push(interest),
            (1, Some(_)) => return Err(EEXIST),
            (2, Some(at)) => _ = epoll.entries.remove(at),
            (3, Some(at)) => epoll.entries[at] = interest,
            (2 | 3, None) => return Err(ENOENT),
            _ => return Err(EINVAL),
        }
        Ok(Outcome::ok(0))
    }

    pub(super) fn begin_epoll_wait(&mut self, epoll: Fd, max: i32, timeout: i32) -> Result<Operation, i32> {
        match self.descriptors.get(&epoll) {
            Some(Object::Epoll(_)) => {}
            Some(_) => return Err(EINVAL),
            None => return Err(EBADF),
        }
        let max = usize::try_from(max).ok().filter(|max| *max > 0).ok_or(EINVAL)?;
        Ok(Operation::EpollWait(EpollWait { epoll, max, deadline: self.deadline_in(timeout) }))
    }

    pub(super) fn attempt_epoll_wait(&mut self, wait: &EpollWait) -> Option<Outcome> {
        self.drain();
        let Some(Object::Epoll(epoll)) = self.descriptors.get(&wait.epoll) else { return Some(EBADF.into()) };
        let mut epoll = epoll.clone();
        let mut told = Vec::new();
        for interest in &mut epoll.entries {
            let Ok(socket) = self.socket_at(interest.fd) else { continue };
            let ready = bits(self.stack.readiness(socket.id)) & (interest.events | ALWAYS);
            let edge = self.edges.get(&socket.id).copied().unwrap_or(0);
            let is_old = interest.events & EDGE != 0 && interest.told == Some(edge);
            if ready == 0 || interest.is_spent || is_old || told.len() >= wait.max {
                continue;
            }
            interest.told = Some(edge);
            interest.is_spent = interest.events & ONESHOT != 0;
            told.push((ready, interest.data));
        }
        self.descriptors.insert(wait.epoll, Object::Epoll(epoll));
        let is_over = wait.deadline.is_some_and(|deadline| self.now >= deadline);
        (!told.is_empty() || is_over).then(|| Outcome::with(told.len() as i64, Output::Events(told)))
    }
}
