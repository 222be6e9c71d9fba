//! Devices: the loopback interface, offloads, and packets seen as they leave.
use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::{check, check_size, setsockopt, socket};

fn request(name: &str) -> libc::ifreq {
    // SAFETY: ifreq consists of integers, arrays of them and a nullable pointer; all zero is valid for each.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name[..room].iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request
}

fn control_socket() -> io::Result<OwnedFd> {
    socket(libc::AF_INET, libc::SOCK_DGRAM, 0)
}

/// A socket to ask about connections; as a file, because questions are written and answers read.
pub(crate) fn diag_socket() -> io::Result<File> {
    socket(libc::AF_NETLINK, libc::SOCK_DGRAM, libc::NETLINK_SOCK_DIAG).map(File::from)
}

/// Brings `lo` up.
pub(crate) fn set_loopback_up() -> io::Result<()> {
    let mut request = request("lo");
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_LOOPBACK | libc::IFF_RUNNING) as libc::c_short;
    let control = control_socket()?;
    // SAFETY: the request reads one ifreq, and that is what the pointer points to.
    check(unsafe { libc::ioctl(control.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request) }).map(drop)
}

/// `struct ethtool_value`.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

const ETHTOOL_STSO: u32 = 0x1f;
const ETHTOOL_SGSO: u32 = 0x24;

/// `ethtool -K NAME tso|gso on|off`; what is `None` stays.
pub(crate) fn set_offload(name: &str, tso: Option<bool>, gso: Option<bool>) -> io::Result<()> {
    let control = control_socket()?;
    for (command, wanted) in [(ETHTOOL_STSO, tso), (ETHTOOL_SGSO, gso)] {
        let Some(wanted) = wanted else { continue };
        let mut value = EthtoolValue { command, data: wanted.into() };
        let mut request = request(name);
        request.ifr_ifru.ifru_data = (&raw mut value).cast();
        // SAFETY: the request reads one ifreq whose data points to the value of this command.
        check(unsafe { libc::ioctl(control.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) })?;
    }
    Ok(())
}

/// A socket that sees all packets of an interface, each stamped by the kernel.
pub(crate) fn packet_tap(name: &str) -> io::Result<OwnedFd> {
    let every = (libc::ETH_P_ALL as u16).to_be();
    // Without a protocol it sees nothing until it is bound to the one interface.
    let tap = socket(libc::AF_PACKET, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, 0)?;
    let borrowed = std::os::fd::AsFd::as_fd(&tap);
    setsockopt(borrowed, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1i32.to_ne_bytes())?;
    // Room for a burst of super-segments. Without the privilege the ordinary limit has to do.
    let room = (64i32 << 20).to_ne_bytes();
    if setsockopt(borrowed, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &room).is_err() {
        setsockopt(borrowed, libc::SOL_SOCKET, libc::SO_RCVBUF, &room)?;
    }
    let mut request = request(name);
    // SAFETY: the request reads and writes one ifreq, and that is what the pointer points to.
    check(unsafe { libc::ioctl(tap.as_raw_fd(), libc::SIOCGIFINDEX, &raw mut request) })?;
    // SAFETY: sockaddr_ll consists of integers and arrays of them; all zero is valid for each.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = every;
    // SAFETY: the request succeeded, so this member was written; any bits are an integer.
    address.sll_ifindex = unsafe { request.ifr_ifru.ifru_ifindex };
    // SAFETY: pointer and length describe `address`.
    check(unsafe { libc::bind(tap.as_raw_fd(), (&raw const address).cast(), size_of::<libc::sockaddr_ll>() as u32) })?;
    Ok(tap)
}

/// A packet from [`packet_tap`]: its length in `buffer`, whether it left (or came in), and when, by the wall clock. `None` when
/// there is none now.
pub(crate) fn stamped_packet(
    tap: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> io::Result<Option<(usize, bool, Option<Duration>)>> {
    // SAFETY: sockaddr_ll and msghdr consist of integers, arrays of them and nullable pointers; all zero is valid for each.
    let (mut from, mut header): (libc::sockaddr_ll, libc::msghdr) = unsafe { (mem::zeroed(), mem::zeroed()) };
    let mut control = [0u64; 16];
    let mut vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    header.msg_name = (&raw mut from).cast();
    header.msg_namelen = size_of::<libc::sockaddr_ll>() as u32;
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control);
    // SAFETY: every pointer of the header describes memory that outlives the call, with its length.
    let count = unsafe { libc::recvmsg(tap.as_raw_fd(), &raw mut header, 0) };
    let count = match check_size(count) {
        Ok(count) => count,
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let is_leaving = from.sll_pkttype == libc::PACKET_OUTGOING;
    Ok(Some((count, is_leaving, stamp(&header))))
}

/// The time in the control messages.
fn stamp(header: &libc::msghdr) -> Option<Duration> {
    // SAFETY: the header was filled in by the kernel; these walk its control messages within their length.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(found) = message.as_ref() {
            if (found.cmsg_level, found.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS as c_int) {
                let time: libc::timespec = libc::CMSG_DATA(message).cast::<libc::timespec>().read_unaligned();
                return Some(Duration::new(time.tv_sec as u64, time.tv_nsec as u32));
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    None
}
