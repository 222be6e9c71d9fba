//! System calls the standard library has no safe form for, each wrapped so
//! that the rest of the crate holds descriptors as owned values and errors as
//! `io::Error`. Nothing here knows about the supervisor.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

pub(crate) mod epoll;
pub(crate) mod liveness;
pub(crate) mod memory;
pub(crate) mod seccomp;
pub(crate) mod unix;

/// The result of a call that answers -1 on failure.
pub(crate) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// As [`check`], for calls that answer a size.
pub(crate) fn check_size(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Takes a descriptor the kernel has just made.
pub(crate) fn owned(result: libc::c_long) -> io::Result<OwnedFd> {
    match RawFd::try_from(result) {
        // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The errno of an error, `EIO` when it has none.
pub(crate) fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// What /proc says of another task's descriptor.
pub(crate) fn descriptor_info(tid: u32, number: i32) -> io::Result<String> {
    std::fs::read_to_string(format!("/proc/{tid}/fdinfo/{number}"))
}

/// A handle on one task (a thread, not only a process). Kernels before 6.9
/// know processes only; there the thread group stands for its thread.
pub(crate) fn pidfd_open(tid: u32) -> io::Result<OwnedFd> {
    const PIDFD_THREAD: libc::c_uint = libc::O_EXCL as libc::c_uint;
    // SAFETY: no pointers are passed.
    let thread = owned(unsafe { libc::syscall(libc::SYS_pidfd_open, tid, PIDFD_THREAD) });
    match thread {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            let group = thread_group(tid)?;
            // SAFETY: no pointers are passed.
            owned(unsafe { libc::syscall(libc::SYS_pidfd_open, group, 0) })
        }
        other => other,
    }
}

/// The process a thread belongs to.
pub(crate) fn thread_group(tid: u32) -> io::Result<u32> {
    let status = std::fs::read_to_string(format!("/proc/{tid}/status"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("Tgid:"))
        .and_then(|rest| rest.trim().parse().ok())
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

/// Whose user's a socket is that a task makes: that of its file accesses, as in the kernel.
///
/// Without privileges there is but one: nothing that a task under the filter executes has more than it (no_new_privs).
pub(crate) fn user(tid: u32) -> u32 {
    // SAFETY: takes nothing, cannot fail.
    let own = unsafe { libc::geteuid() };
    if own != 0 {
        return own;
    }
    // Real, effective, saved, for files. A task that is gone needs no answer.
    let status = std::fs::read_to_string(format!("/proc/{tid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.and_then(|users| users.split_whitespace().nth(3)?.parse().ok()).unwrap_or(own)
}

/// A duplicate, in this process, of another task's descriptor.
pub(crate) fn pidfd_getfd(pidfd: BorrowedFd<'_>, fd: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), fd, 0) })
}

/// The file status flags of a descriptor (O_NONBLOCK …).
pub(crate) fn status_flags(fd: BorrowedFd<'_>) -> io::Result<i32> {
    // SAFETY: F_GETFL takes no argument.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })
}

/// Whether calls on this descriptor may wait.
pub(crate) fn is_nonblocking(fd: BorrowedFd<'_>) -> bool {
    status_flags(fd).is_ok_and(|flags| flags & libc::O_NONBLOCK != 0)
}

/// A pipe whose ends are closed on exec.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for the two descriptors.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    // SAFETY: both were just made and are owned by nobody else.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// A path to one of this process's own descriptors.
pub(crate) fn own_fd_path(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// A C string; an embedded NUL is an invalid argument.
pub(crate) fn c_string(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Raises this process's descriptor limit to what it is allowed and returns
/// the limit as it was.
pub(crate) fn raise_descriptor_limit() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit for the call to fill.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    let before = limit;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is a valid rlimit.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) })?;
    Ok(before)
}

/// The number of an open file.
pub(crate) fn inode(fd: BorrowedFd<'_>) -> io::Result<u64> {
    // SAFETY: all-zero is a valid stat.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `stat` is valid for the call to fill.
    check(unsafe { libc::fstat(fd.as_raw_fd(), &mut stat) })?;
    Ok(stat.st_ino)
}
