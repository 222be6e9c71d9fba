//! Readiness.
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use super::check;

/// poll(2): events that were asked for, and those that came; a descriptor of `None` is one that is not open.
///
/// # Errors
/// The kernel's.
pub fn poll(entries: &[(Option<BorrowedFd<'_>>, i16)], timeout: i32) -> io::Result<(usize, Vec<i16>)> {
    // No process has this many descriptors open: POLLNVAL.
    const NOT_OPEN: RawFd = i32::MAX;
    let mut raw: Vec<libc::pollfd> = entries
        .iter()
        .map(|(fd, events)| libc::pollfd { fd: fd.map_or(NOT_OPEN, |fd| fd.as_raw_fd()), events: *events, revents: 0 })
        .collect();
    // SAFETY: pointer and length describe `raw`.
    let count = check(unsafe { libc::poll(raw.as_mut_ptr(), raw.len() as libc::nfds_t, timeout) })?;
    Ok((count as usize, raw.iter().map(|entry| entry.revents).collect()))
}

/// Waits until one of these can be read, or the time is over; which ones can.
///
/// # Errors
/// The kernel's; an interruption counts as nothing being readable.
pub fn wait_readable<const N: usize>(fds: [BorrowedFd<'_>; N], timeout: Duration) -> io::Result<[bool; N]> {
    let mut raw = fds.map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    let timeout = libc::timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    };
    // SAFETY: pointer and length describe `raw`; the time outlives the call; no signal mask is given.
    let result = unsafe { libc::ppoll(raw.as_mut_ptr(), N as libc::nfds_t, &raw const timeout, std::ptr::null()) };
    match check(result) {
        Ok(_) => Ok(raw.map(|entry| entry.revents != 0)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok([false; N]),
        Err(error) => Err(error),
    }
}

/// epoll_create1(2), closed on exec.
///
/// # Errors
/// The kernel's.
pub fn epoll_create(flags: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::epoll_create1(flags | libc::EPOLL_CLOEXEC) })?;
    // SAFETY: the descriptor is new, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// epoll_ctl(2).
///
/// # Errors
/// The kernel's.
pub fn epoll_control(
    epoll: BorrowedFd<'_>,
    operation: i32,
    fd: BorrowedFd<'_>,
    events: u32,
    data: u64,
) -> io::Result<()> {
    let mut event = libc::epoll_event { events, u64: data };
    // SAFETY: the pointer points to one event that outlives the call.
    check(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), operation, fd.as_raw_fd(), &raw mut event) }).map(drop)
}

/// epoll_wait(2): at most `max` events with their data.
///
/// # Errors
/// The kernel's.
pub fn epoll_wait(epoll: BorrowedFd<'_>, max: i32, timeout: i32) -> io::Result<Vec<(u32, u64)>> {
    let room = usize::try_from(max).unwrap_or(0).clamp(1, 1024);
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; room];
    // SAFETY: pointer and length describe `events`; more than that is never asked for.
    let count =
        check(unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), max.min(room as i32), timeout) })?;
    Ok(events.iter().take(count as usize).map(|event| (event.events, event.u64)).collect())
}
