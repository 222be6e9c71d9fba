//! Making, naming and ending sockets, and their options.
use std::ffi::c_int;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::{address, check};

/// socket(2), closed on exec.
///
/// # Errors
/// The kernel's.
pub fn socket(domain: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the descriptor is new, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// bind(2).
///
/// # Errors
/// The kernel's.
pub fn bind(fd: BorrowedFd<'_>, to: &SocketAddr) -> io::Result<()> {
    let address = address::encode(to);
    // SAFETY: pointer and length describe `address`.
    check(unsafe { libc::bind(fd.as_raw_fd(), address.as_ptr().cast(), address.len() as u32) }).map(drop)
}

/// connect(2); `None` disconnects (`AF_UNSPEC`).
///
/// # Errors
/// The kernel's.
pub fn connect(fd: BorrowedFd<'_>, to: Option<&SocketAddr>) -> io::Result<()> {
    let address = to.map_or_else(address::unspecified, address::encode);
    // SAFETY: pointer and length describe `address`.
    check(unsafe { libc::connect(fd.as_raw_fd(), address.as_ptr().cast(), address.len() as u32) }).map(drop)
}

/// listen(2).
///
/// # Errors
/// The kernel's.
pub fn listen(fd: BorrowedFd<'_>, backlog: i32) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::listen(fd.as_raw_fd(), backlog) }).map(drop)
}

/// accept4(2), closed on exec, with the peer's address.
///
/// # Errors
/// The kernel's.
pub fn accept(fd: BorrowedFd<'_>, flags: i32) -> io::Result<(OwnedFd, Option<SocketAddr>)> {
    let mut name = [0u8; address::ROOM];
    let mut length = name.len() as u32;
    // SAFETY: pointer and length describe `name`; the kernel writes no more than that and the length.
    let made =
        unsafe { libc::accept4(fd.as_raw_fd(), name.as_mut_ptr().cast(), &raw mut length, flags | libc::SOCK_CLOEXEC) };
    check(made)?;
    // SAFETY: the descriptor is new, so nobody else owns it.
    let made = unsafe { OwnedFd::from_raw_fd(made) };
    Ok((made, address::decode(&name)))
}

/// shutdown(2).
///
/// # Errors
/// The kernel's.
pub fn shutdown(fd: BorrowedFd<'_>, how: i32) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::shutdown(fd.as_raw_fd(), how) }).map(drop)
}

/// getsockname(2).
///
/// # Errors
/// The kernel's, or `EAFNOSUPPORT` for an address that is not IP.
pub fn local_address(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let mut name = [0u8; address::ROOM];
    let mut length = name.len() as u32;
    // SAFETY: pointer and length describe `name`; the kernel writes no more than that and the length.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), name.as_mut_ptr().cast(), &raw mut length) })?;
    address::decode(&name).ok_or_else(|| io::Error::from_raw_os_error(libc::EAFNOSUPPORT))
}

/// getpeername(2).
///
/// # Errors
/// The kernel's, or `EAFNOSUPPORT` for an address that is not IP.
pub fn peer_address(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let mut name = [0u8; address::ROOM];
    let mut length = name.len() as u32;
    // SAFETY: pointer and length describe `name`; the kernel writes no more than that and the length.
    check(unsafe { libc::getpeername(fd.as_raw_fd(), name.as_mut_ptr().cast(), &raw mut length) })?;
    address::decode(&name).ok_or_else(|| io::Error::from_raw_os_error(libc::EAFNOSUPPORT))
}

/// setsockopt(2).
///
/// # Errors
/// The kernel's.
pub fn setsockopt(fd: BorrowedFd<'_>, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
    let length = value.len() as u32;
    // SAFETY: pointer and length describe `value`, which the kernel only reads.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), length) }).map(drop)
}

/// getsockopt(2) with room for `value`; the answer is how much of it was written. The room may hold an argument.
///
/// # Errors
/// The kernel's.
pub fn getsockopt(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: &mut [u8]) -> io::Result<usize> {
    // One option takes an address in its argument and writes there.
    if (level, name) == (libc::IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE) {
        return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
    }
    let mut length = value.len() as u32;
    // SAFETY: pointer and length describe `value`; the kernel writes no more than that and the length. The option above, whose
    // argument holds a pointer, is refused.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut length) })?;
    Ok((length as usize).min(value.len()))
}

const TCP_ZEROCOPY_RECEIVE: c_int = 35;
