//! System calls with raw arguments. All unsafe code of this crate is here.
//!
//! Decides layouts (socket addresses, messages, control messages) and nothing else: numbers go to the kernel as they are, and
//! errors come back as it gives them.
mod address;
mod descriptor;
mod device;
mod message;
mod socket;
mod thread;
mod wait;

use std::ffi::c_int;
use std::io;

pub use descriptor::{close, duplicate, eventless_ioctl, fcntl, memory_file, open, pipe, sendfile, splice};
pub(crate) use device::{diag_socket, packet_tap, set_loopback_up, set_offload, stamped_packet};
pub use message::{Control, Received, Sending, Shape, receive, send};
pub use socket::{
    accept, bind, connect, getsockopt, listen, local_address, peer_address, setsockopt, shutdown, socket,
};
pub(crate) use thread::{ThreadHandle, enter_new_user_and_network, install_interruption};
pub use thread::{raise_priority, set_capability, tick};
pub use wait::{epoll_control, epoll_create, epoll_wait, poll, wait_readable};

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn check_size(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
