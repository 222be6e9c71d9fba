//! An edge-triggered epoll set keyed by a number of the caller's.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::{check, owned};

/// The set. A socket leaves it when it is closed.
#[derive(Debug)]
pub(crate) struct Epoll(OwnedFd);

impl AsRawFd for Epoll {
    fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Epoll {
    pub(crate) fn new() -> io::Result<Epoll> {
        // SAFETY: no pointers are passed.
        owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }.into()).map(Epoll)
    }

    /// Watches `fd` for `events`; edges carry `token`.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, events: i32, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: (events | libc::EPOLLET) as u32, u64: token };
        // SAFETY: `event` is valid for the call.
        check(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &mut event) }).map(drop)
    }

    /// The edges that are there now; empties `out` first.
    pub(crate) fn take(&self, out: &mut Vec<(u64, u32)>) -> io::Result<()> {
        const BATCH: usize = 128;
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; BATCH];
        out.clear();
        // SAFETY: `events` has room for BATCH entries.
        let count = check(unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), BATCH as i32, 0) })?;
        out.extend(events.iter().take(count as usize).map(|event| (event.u64, event.events)));
        Ok(())
    }
}
