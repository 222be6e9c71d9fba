//! One notified call as its handler sees it: the caller's arguments, memory
//! and descriptors, and the ways to answer.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use segue::Domain;

use crate::address::{self, Given};
use crate::supervisor::{Parked, Sock, Supervisor};
use crate::sys::seccomp::Notification;
use crate::sys::{self, errno, memory, unix};

/// How a call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Answer {
    /// It returns this value.
    Value(i64),
    /// The kernel performs it.
    LetThrough,
    /// It has been answered, or is parked and will be.
    Elsewhere,
}

/// An answer, or the errno the call fails with.
pub(crate) type Reply = Result<Answer, i32>;

/// Success without a value.
pub(crate) const DONE: Reply = Ok(Answer::Value(0));

/// Handles of the tasks that called lately; opening one costs as much as the
/// rest of a short call.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    open: HashMap<u32, OwnedFd>,
}

impl Tasks {
    const LIMIT: usize = 256;

    fn descriptor(&mut self, tid: u32, fd: i32) -> io::Result<OwnedFd> {
        if let Some(pidfd) = self.open.get(&tid) {
            match sys::pidfd_getfd(pidfd.as_fd(), fd) {
                // The number may belong to another task by now.
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                result => return result,
            }
        }
        if self.open.len() >= Tasks::LIMIT {
            self.open.clear();
        }
        let pidfd = sys::pidfd_open(tid)?;
        let result = sys::pidfd_getfd(pidfd.as_fd(), fd);
        self.open.insert(tid, pidfd);
        result
    }
}

/// A call on a descriptor: the supervisor's duplicate, and the socket if it is one of ours.
pub(crate) struct Target {
    /// The program's number for it.
    pub(crate) number: i32,
    pub(crate) fd: OwnedFd,
    pub(crate) sock: Option<Arc<Sock>>,
}

pub(crate) struct Caller<'a> {
    pub(crate) sup: &'a Arc<Supervisor>,
    pub(crate) call: Notification,
    pub(crate) tasks: &'a mut Tasks,
}

impl Caller<'_> {
    /// The descriptor in argument 0. `None`: there is no such descriptor, let
    /// the kernel say so.
    ///
    /// # Errors
    /// EACCES: the program may not be inspected.
    pub(crate) fn target(&mut self) -> Result<Option<Target>, i32> {
        let number = self.call.int(0);
        let fd = match self.tasks.descriptor(self.call.tid, number) {
            Ok(fd) => fd,
            Err(error) => {
                return match error.raw_os_error() {
                    Some(libc::EPERM | libc::EACCES) => {
                        // A plain CONTINUE would give the program a nonsense
                        // answer from an AF_UNIX socket it takes for another.
                        self.sup.complain_about_protection(self.call.tid);
                        Err(libc::EACCES)
                    }
                    _ => Ok(None),
                };
            }
        };
        let sock = unix::cookie(fd.as_fd()).ok().and_then(|cookie| self.sup.find(cookie));
        Ok(Some(Target { number, fd, sock }))
    }

    pub(crate) fn tid(&self) -> u32 {
        self.call.tid
    }

    pub(crate) fn read(&self, address: u64, len: usize) -> Result<Vec<u8>, i32> {
        let mut buffer = vec![0; len];
        memory::read(self.tid(), address, &mut buffer).map_err(|error| errno(&error))?;
        Ok(buffer)
    }

    pub(crate) fn read_int(&self, address: u64) -> Result<i32, i32> {
        memory::read_int(self.tid(), address).map_err(|error| errno(&error))
    }

    pub(crate) fn write(&self, address: u64, data: &[u8]) -> Result<(), i32> {
        memory::write(self.tid(), address, data).map_err(|error| errno(&error))
    }

    /// The raw address in a (pointer, length) pair of arguments.
    pub(crate) fn raw_address(&self, pointer: u64, len: i32) -> Result<Vec<u8>, i32> {
        let len = usize::try_from(len).map_err(|_| libc::EINVAL)?;
        if len > address::MAX {
            return Err(libc::EINVAL);
        }
        self.read(pointer, len)
    }

    pub(crate) fn address(&self, pointer: u64, len: i32, domain: Domain) -> Result<Given, i32> {
        address::parse(&self.raw_address(pointer, len)?, domain)
    }

    /// Writes an address as the kernel does: cut to the room there is, its
    /// real length told.
    pub(crate) fn give_address(&self, pointer: u64, len_pointer: u64, bytes: &[u8]) -> Result<(), i32> {
        give_address(self.tid(), pointer, len_pointer, bytes)
    }

    /// This call, to be answered later.
    pub(crate) fn park(&self, deadline: Option<std::time::Instant>) -> Parked {
        Parked { id: self.call.id, tid: self.call.tid, deadline }
    }
}

/// See [`Caller::give_address`].
pub(crate) fn give_address(tid: u32, pointer: u64, len_pointer: u64, bytes: &[u8]) -> Result<(), i32> {
    let failed = |error: io::Error| errno(&error);
    let room = memory::read_int(tid, len_pointer).map_err(failed)?;
    let room = usize::try_from(room).map_err(|_| libc::EINVAL)?;
    let part = bytes.get(..room).unwrap_or(bytes);
    memory::write(tid, pointer, part).map_err(failed)?;
    memory::write(tid, len_pointer, &(bytes.len() as i32).to_ne_bytes()).map_err(failed)
}
