//! Calls on any descriptor, and those that make descriptors of other kinds.
use std::ffi::{CString, c_int};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

use super::{check, check_size};

/// close(2), with its error.
///
/// # Errors
/// The kernel's; the descriptor is gone all the same.
pub fn close(fd: OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptor was owned here and is given up.
    check(unsafe { libc::close(fd.into_raw_fd()) }).map(drop)
}

/// Another descriptor for the same open file.
///
/// # Errors
/// The kernel's.
pub fn duplicate(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    fd.try_clone_to_owned()
}

/// fcntl(2) for `F_GETFD`, `F_SETFD`, `F_GETFL` and `F_SETFL`.
///
/// # Errors
/// The kernel's; `EINVAL` for every other command.
pub fn fcntl(fd: BorrowedFd<'_>, command: i32, argument: i32) -> io::Result<i32> {
    if !matches!(command, libc::F_GETFD | libc::F_SETFD | libc::F_GETFL | libc::F_SETFL) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: these commands take an integer and make no descriptor.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), command, argument) })
}

/// ioctl(2) for the requests whose argument is one integer: `FIONREAD`, `TIOCOUTQ`, `SIOCOUTQNSD`, `SIOCATMARK`, `FIONBIO`.
/// The answer is what stands in the argument afterwards.
///
/// # Errors
/// The kernel's; `ENOTTY` for every other request.
pub fn eventless_ioctl(fd: BorrowedFd<'_>, request: u64, argument: i32) -> io::Result<i32> {
    const SIOCOUTQNSD: u64 = 0x894b;
    const SIOCATMARK: u64 = 0x8905;
    if ![libc::FIONREAD, libc::TIOCOUTQ, SIOCOUTQNSD, SIOCATMARK, libc::FIONBIO].contains(&request) {
        return Err(io::Error::from_raw_os_error(libc::ENOTTY));
    }
    let mut value: c_int = argument;
    // SAFETY: these requests read or write one int, and that is what the pointer points to.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), request as libc::Ioctl, &raw mut value) })?;
    Ok(value)
}

/// pipe2(2): the reading and the writing end, closed on exec.
///
/// # Errors
/// The kernel's.
pub fn pipe(flags: i32) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends: [c_int; 2] = [-1; 2];
    // SAFETY: the pointer points to two ints.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), flags | libc::O_CLOEXEC) })?;
    // SAFETY: the descriptors are new, so nobody else owns them.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// open(2) of a file that exists, closed on exec.
///
/// # Errors
/// The kernel's; `EINVAL` for a path with a zero byte or flags that would make or cut a file.
pub fn open(path: &str, flags: i32) -> io::Result<OwnedFd> {
    let refused = || io::Error::from_raw_os_error(libc::EINVAL);
    if flags & (libc::O_CREAT | libc::O_TRUNC | libc::O_TMPFILE) != 0 {
        return Err(refused());
    }
    let path = CString::new(path).map_err(|_| refused())?;
    // SAFETY: the path ends in a zero byte and outlives the call.
    let fd = check(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC) })?;
    // SAFETY: the descriptor is new, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A file in memory, of so many zeros, that has no name.
///
/// # Errors
/// The kernel's.
pub fn memory_file(length: u64) -> io::Result<OwnedFd> {
    // SAFETY: the name ends in a zero byte and outlives the call.
    let fd = check(unsafe { libc::memfd_create(c"segue".as_ptr(), libc::MFD_CLOEXEC) })?;
    // SAFETY: the descriptor is new, so nobody else owns it.
    let file = unsafe { File::from_raw_fd(fd) };
    file.set_len(length)?;
    Ok(file.into())
}

/// splice(2); offsets are moved on.
///
/// # Errors
/// The kernel's.
pub fn splice(
    input: (BorrowedFd<'_>, Option<&mut i64>),
    output: (BorrowedFd<'_>, Option<&mut i64>),
    length: usize,
    flags: u32,
) -> io::Result<usize> {
    let pointer = |offset: Option<&mut i64>| offset.map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let (input, output) = ((input.0, pointer(input.1)), (output.0, pointer(output.1)));
    // SAFETY: the offsets are null or point to integers that outlive the call.
    let moved = unsafe { libc::splice(input.0.as_raw_fd(), input.1, output.0.as_raw_fd(), output.1, length, flags) };
    check_size(moved)
}

/// sendfile(2); the offset is moved on.
///
/// # Errors
/// The kernel's.
pub fn sendfile(
    output: BorrowedFd<'_>,
    input: BorrowedFd<'_>,
    offset: Option<&mut i64>,
    count: usize,
) -> io::Result<usize> {
    let offset = offset.map_or(std::ptr::null_mut(), std::ptr::from_mut);
    // SAFETY: the offset is null or points to an integer that outlives the call.
    check_size(unsafe { libc::sendfile(output.as_raw_fd(), input.as_raw_fd(), offset, count) })
}
