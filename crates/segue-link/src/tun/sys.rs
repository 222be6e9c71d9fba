//! The system calls that the standard library does not have. All unsafe code of this crate is here.

use std::ffi::c_int;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

/// Opens the TUN driver, non-blocking and closed on exec.
pub(super) fn open_tun() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")
}

/// A socket that is only good for asking about interfaces.
pub(super) fn control_socket() -> io::Result<OwnedFd> {
    socket(libc::AF_INET, libc::SOCK_DGRAM, 0)
}

/// A route-netlink socket; as a file, because writes go to the kernel and reads come from it.
pub(super) fn netlink_socket() -> io::Result<File> {
    socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE).map(File::from)
}

fn socket(domain: c_int, kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) };
    check(fd)?;
    // SAFETY: the descriptor is new, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// An interface request: a name, and a union of which each request uses one member.
pub(super) struct InterfaceRequest(libc::ifreq);

impl InterfaceRequest {
    /// For the interface of this name, at most 15 bytes.
    pub(super) fn new(name: &str) -> InterfaceRequest {
        // SAFETY: ifreq consists of integers, arrays of them and a nullable pointer; all zero is valid for each.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        let room = request.ifr_name.len() - 1;
        for (to, from) in request.ifr_name[..room].iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        InterfaceRequest(request)
    }

    /// The name; the kernel fills in the number for `%d`.
    pub(super) fn name(&self) -> String {
        let bytes: Vec<u8> = self.0.ifr_name.iter().take_while(|&&c| c != 0).map(|&c| c as u8).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// `TUNSETIFF`: makes `tun` this interface, with these flags.
    pub(super) fn attach(&mut self, tun: &File, flags: c_int) -> io::Result<()> {
        self.0.ifr_ifru.ifru_flags = flags as libc::c_short;
        // SAFETY: TUNSETIFF reads and writes one ifreq, and that is what the pointer points to.
        check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut self.0) })
    }

    /// `SIOCGIFMTU`.
    pub(super) fn mtu(&mut self, socket: &OwnedFd) -> io::Result<usize> {
        self.ask(socket, libc::SIOCGIFMTU)?;
        // SAFETY: the request succeeded, so this member was written; any bits are an integer.
        Ok(unsafe { self.0.ifr_ifru.ifru_mtu } as usize)
    }

    /// `SIOCGIFINDEX`.
    pub(super) fn index(&mut self, socket: &OwnedFd) -> io::Result<u32> {
        self.ask(socket, libc::SIOCGIFINDEX)?;
        // SAFETY: as in `mtu`.
        Ok(unsafe { self.0.ifr_ifru.ifru_ifindex } as u32)
    }

    /// `SIOCGIFFLAGS`: whether the interface is up.
    pub(super) fn is_up(&mut self, socket: &OwnedFd) -> io::Result<bool> {
        self.ask(socket, libc::SIOCGIFFLAGS)?;
        // SAFETY: as in `mtu`.
        let flags = c_int::from(unsafe { self.0.ifr_ifru.ifru_flags });
        Ok(flags & libc::IFF_UP != 0)
    }

    fn ask(&mut self, socket: &OwnedFd, what: libc::Ioctl) -> io::Result<()> {
        // SAFETY: the requests above read and write one ifreq, and that is what the pointer points to.
        check(unsafe { libc::ioctl(socket.as_raw_fd(), what, &raw mut self.0) })
    }
}

/// `setns`: this thread's sockets and interfaces are from now on those of the namespace.
pub(super) fn enter_network(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) })
}

/// `unshare`: this thread gets a network namespace of its own, with nothing in it.
pub(super) fn leave_network() -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET) })
}

/// `sched_setscheduler`: this thread, and those that it starts, by turns before all ordinary ones, at the least priority
/// of that kind.
pub(super) fn schedule_first() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: 1 };
    // SAFETY: the pointer is to parameters that live through the call; 0 is the calling thread.
    check(unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const parameters) })
}

/// `TUNSETOFFLOAD`: what the kernel may hand over unfinished.
pub(super) fn set_offload(tun: &File, features: u32) -> io::Result<()> {
    // SAFETY: this request takes its argument by value.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETOFFLOAD, libc::c_ulong::from(features)) })
}

/// Reads once into the unused capacity of an empty buffer, which is not zeroed first.
pub(super) fn read(fd: RawFd, buffer: &mut Vec<u8>) -> io::Result<usize> {
    buffer.clear();
    let room = buffer.spare_capacity_mut();
    // SAFETY: the pointer and the length describe memory that `buffer` owns and nobody reads.
    let count = unsafe { libc::read(fd, room.as_mut_ptr().cast(), room.len()) };
    if count < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has written `count` bytes from the start, and no more than there was room.
    unsafe { buffer.set_len(count as usize) };
    Ok(count as usize)
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
