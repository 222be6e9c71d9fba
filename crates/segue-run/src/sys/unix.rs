//! AF_UNIX sockets as the supervisor uses them: made, connected, named, read
//! and written without ever waiting.

use std::io::{self, IoSlice};
use std::mem::{MaybeUninit, offset_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::{check, check_size, owned};

/// Stream or datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Stream,
    Datagram,
}

impl Kind {
    fn number(self) -> i32 {
        match self {
            Kind::Stream => libc::SOCK_STREAM,
            Kind::Datagram => libc::SOCK_DGRAM,
        }
    }
}

/// A fresh socket, closed on exec.
pub(crate) fn socket(kind: Kind, nonblocking: bool) -> io::Result<OwnedFd> {
    let nonblock = if nonblocking { libc::SOCK_NONBLOCK } else { 0 };
    // SAFETY: no pointers are passed.
    owned(unsafe { libc::socket(libc::AF_UNIX, kind.number() | libc::SOCK_CLOEXEC | nonblock, 0) }.into())
}

/// Two connected sockets. The first is the supervisor's (never waits).
pub(crate) fn pair(kind: Kind, second_nonblocking: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut pair = [0; 2];
    // SAFETY: `pair` has room for the two descriptors.
    check(unsafe {
        libc::socketpair(libc::AF_UNIX, kind.number() | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0, pair.as_mut_ptr())
    })?;
    // SAFETY: both were just made and are owned by nobody else.
    let (ours, theirs) = unsafe { (OwnedFd::from_raw_fd(pair[0]), OwnedFd::from_raw_fd(pair[1])) };
    if !second_nonblocking {
        // SAFETY: F_SETFL takes an int.
        check(unsafe { libc::fcntl(theirs.as_raw_fd(), libc::F_SETFL, 0) })?;
    }
    Ok((ours, theirs))
}

/// The identity of an open socket: never reused while this kernel runs.
pub(crate) fn cookie(fd: BorrowedFd<'_>) -> io::Result<u64> {
    let mut value = [0; 8];
    get_option(fd, libc::SOL_SOCKET, libc::SO_COOKIE, &mut value)?;
    Ok(u64::from_ne_bytes(value))
}

pub(crate) fn get_option(fd: BorrowedFd<'_>, level: i32, name: i32, value: &mut [u8]) -> io::Result<usize> {
    let mut len = value.len() as libc::socklen_t;
    // SAFETY: `value` is valid for `len` bytes.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &mut len) })?;
    Ok(len as usize)
}

pub(crate) fn get_int(fd: BorrowedFd<'_>, name: i32) -> io::Result<i32> {
    let mut value = [0; 4];
    get_option(fd, libc::SOL_SOCKET, name, &mut value)?;
    Ok(i32::from_ne_bytes(value))
}

pub(crate) fn set_int(fd: BorrowedFd<'_>, name: i32, value: i32) -> io::Result<()> {
    // SAFETY: the value is an int, as these options want.
    check(unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    })
    .map(drop)
}

/// Gives a socket the value that another one has for an option of SOL_SOCKET.
pub(crate) fn copy_option(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: i32) -> io::Result<()> {
    let mut value = [0; 16];
    let len = get_option(from, libc::SOL_SOCKET, name, &mut value)?;
    // SAFETY: `value` is valid for `len` bytes, as the kernel has just told.
    check(unsafe {
        libc::setsockopt(
            to.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            value.as_ptr().cast(),
            len.min(value.len()) as libc::socklen_t,
        )
    })
    .map(drop)
}

/// SO_RCVTIMEO or SO_SNDTIMEO; `None` when calls wait for ever.
pub(crate) fn timeout(fd: BorrowedFd<'_>, name: i32) -> Option<Duration> {
    let mut value = [0; size_of::<libc::timeval>()];
    get_option(fd, libc::SOL_SOCKET, name, &mut value).ok()?;
    let (seconds, micros) = value.split_at(size_of::<libc::time_t>());
    let seconds = libc::time_t::from_ne_bytes(seconds.try_into().ok()?);
    let micros = libc::suseconds_t::from_ne_bytes(micros.try_into().ok()?);
    let time = Duration::from_secs(seconds.try_into().ok()?) + Duration::from_micros(micros.try_into().ok()?);
    (!time.is_zero()).then_some(time)
}

/// A unix address: a path, or with a leading NUL an abstract name.
pub(crate) struct Address {
    raw: libc::sockaddr_un,
    len: libc::socklen_t,
}

impl Address {
    /// # Errors
    /// ENAMETOOLONG: more than 107 bytes.
    pub(crate) fn new(name: &[u8]) -> io::Result<Address> {
        // SAFETY: all-zero is a valid sockaddr_un.
        let mut raw: libc::sockaddr_un = unsafe { std::mem::zeroed() };
        raw.sun_family = libc::AF_UNIX as libc::sa_family_t;
        if name.len() >= raw.sun_path.len() {
            return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
        }
        for (to, from) in raw.sun_path.iter_mut().zip(name) {
            *to = *from as libc::c_char;
        }
        let terminator = usize::from(name.first() != Some(&0));
        let len = offset_of!(libc::sockaddr_un, sun_path) + name.len() + terminator;
        Ok(Address { raw, len: len as libc::socklen_t })
    }
}

/// A connectable or sendable name of an open socket file: /proc/self/fd/N of
/// an O_PATH descriptor works after the path itself is gone.
pub(crate) fn through(path: BorrowedFd<'_>) -> io::Result<Address> {
    Address::new(super::own_fd_path(path).as_bytes())
}

pub(crate) fn bind(fd: BorrowedFd<'_>, address: &Address) -> io::Result<()> {
    // SAFETY: the address is valid for `len` bytes.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address.raw).cast(), address.len) }).map(drop)
}

pub(crate) fn connect(fd: BorrowedFd<'_>, address: &Address) -> io::Result<()> {
    // SAFETY: the address is valid for `len` bytes.
    check(unsafe { libc::connect(fd.as_raw_fd(), (&raw const address.raw).cast(), address.len) }).map(drop)
}

/// Undoes the connect of a datagram socket.
pub(crate) fn disconnect(fd: BorrowedFd<'_>) -> io::Result<()> {
    let unspecified = libc::sockaddr { sa_family: libc::AF_UNSPEC as _, sa_data: [0; 14] };
    // SAFETY: the address is valid for its whole size.
    check(unsafe { libc::connect(fd.as_raw_fd(), &unspecified, size_of::<libc::sockaddr>() as libc::socklen_t) })
        .map(drop)
}

pub(crate) fn listen(fd: BorrowedFd<'_>, backlog: i32) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::listen(fd.as_raw_fd(), backlog) }).map(drop)
}

/// Accepts; the new socket never waits and is closed on exec.
pub(crate) fn accept(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: a null address is allowed.
    owned(
        unsafe {
            libc::accept4(
                fd.as_raw_fd(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
            )
        }
        .into(),
    )
}

pub(crate) fn shutdown(fd: BorrowedFd<'_>, how: i32) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::shutdown(fd.as_raw_fd(), how) }).map(drop)
}

const QUIET: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

pub(crate) fn send(fd: BorrowedFd<'_>, data: &[u8], flags: i32) -> io::Result<usize> {
    // SAFETY: `data` is valid for its length.
    check_size(unsafe { libc::send(fd.as_raw_fd(), data.as_ptr().cast(), data.len(), QUIET | flags) })
}

/// Sends one datagram to a named socket.
pub(crate) fn send_gather(fd: BorrowedFd<'_>, slices: &[IoSlice<'_>], flags: i32) -> io::Result<usize> {
    // SAFETY: all-zero is a valid msghdr.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = slices.as_ptr().cast_mut().cast();
    header.msg_iovlen = slices.len().min(1024) as _;
    // SAFETY: IoSlice has the layout of iovec; every slice outlives the call,
    // which only reads.
    check_size(unsafe { libc::sendmsg(fd.as_raw_fd(), &header, QUIET | flags) })
}

/// Receives into memory that need not be initialised. No control buffer is
/// given, so descriptors a program tries to pass over "TCP" are dropped.
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [MaybeUninit<u8>], flags: i32) -> io::Result<usize> {
    // SAFETY: `buffer` is valid for its length; the kernel only writes.
    check_size(unsafe {
        libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_DONTWAIT | flags)
    })
}

/// Bytes that can be read now (FIONREAD).
pub(crate) fn waiting(fd: BorrowedFd<'_>) -> io::Result<usize> {
    let mut count: libc::c_int = 0;
    // SAFETY: FIONREAD fills an int.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONREAD, &mut count) })?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Whether the next read would be of the out-of-band byte (SIOCATMARK).
pub(crate) fn at_mark(fd: BorrowedFd<'_>) -> bool {
    const SIOCATMARK: libc::c_ulong = 0x8905;
    let mut mark: libc::c_int = 0;
    // SAFETY: SIOCATMARK fills an int.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), SIOCATMARK as _, &mut mark) };
    result == 0 && mark != 0
}

/// One datagram with its sender's name, and its full length when cut.
pub(crate) struct Datagram {
    pub(crate) len: usize,
    pub(crate) name: Vec<u8>,
    /// When it was sent, by the wall clock, if the socket tells times (SO_TIMESTAMPNS).
    pub(crate) at: Option<Duration>,
}

/// Lets a datagram socket tell when each was sent.
pub(crate) fn tell_times(fd: BorrowedFd<'_>) -> io::Result<()> {
    set_int(fd, SO_TIMESTAMPNS, 1)
}

/// By its older number: two machine words.
const SO_TIMESTAMPNS: i32 = 35;

/// The wall clock, which stamps what is sent.
pub(crate) fn wall_clock() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// The time among the control messages.
fn time_of(header: &libc::msghdr) -> Option<Duration> {
    // SAFETY: the header is as the kernel has filled it.
    let first = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: null, or a header of a control message in the buffer that belongs to `header`.
    let message = unsafe { first.as_ref() }?;
    if (message.cmsg_level, message.cmsg_type) != (libc::SOL_SOCKET, SO_TIMESTAMPNS) {
        return None;
    }
    // SAFETY: a message of this kind carries a timespec.
    let time: libc::timespec = unsafe { libc::CMSG_DATA(message).cast::<libc::timespec>().read_unaligned() };
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

/// Receives one datagram. With MSG_TRUNC in `flags`, `len` may exceed the buffer.
pub(crate) fn receive_from(fd: BorrowedFd<'_>, buffer: &mut [u8], flags: i32) -> io::Result<Datagram> {
    // SAFETY: all-zero is a valid sockaddr_un.
    let mut raw: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    // No room for descriptors: those that a program tries to pass are dropped.
    let mut control = [0_u64; 4];
    let mut vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: all-zero is a valid msghdr.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = (&raw mut raw).cast();
    header.msg_namelen = size_of::<libc::sockaddr_un>() as libc::socklen_t;
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC | flags;
    // SAFETY: buffer, address and control are valid for their lengths.
    let received = check_size(unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, flags) })?;
    Ok(Datagram { len: received, name: path_of(&raw, header.msg_namelen), at: time_of(&header) })
}

/// The name a socket is bound to.
pub(crate) fn own_name(fd: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    // SAFETY: all-zero is a valid sockaddr_un.
    let mut raw: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    let mut len = size_of::<libc::sockaddr_un>() as libc::socklen_t;
    // SAFETY: the address is valid for its length.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), (&raw mut raw).cast(), &mut len) })?;
    Ok(path_of(&raw, len))
}

fn path_of(raw: &libc::sockaddr_un, len: libc::socklen_t) -> Vec<u8> {
    let named = (len as usize).saturating_sub(offset_of!(libc::sockaddr_un, sun_path)).min(raw.sun_path.len());
    raw.sun_path.iter().take(named).map(|byte| *byte as u8).collect()
}

/// Takes the pending error of a socket.
pub(crate) fn take_error(fd: impl AsFd) -> i32 {
    get_int(fd.as_fd(), libc::SO_ERROR).unwrap_or(0)
}

/// Which of the asked poll events hold now.
pub(crate) fn poll_now(fd: BorrowedFd<'_>, events: i16) -> i16 {
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    // SAFETY: one valid entry.
    unsafe { libc::poll(&mut entry, 1, 0) };
    entry.revents
}
