//! The calls that move bytes.
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{address, check_size};

/// Which of the calls is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// read(2) or write(2), as one piece.
    Plain,
    /// readv(2) or writev(2).
    Vector,
    /// recv(2) or send(2).
    Flags,
    /// recvfrom(2) or sendto(2).
    Address,
    /// recvmsg(2) or sendmsg(2).
    Message,
}

/// A control message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Control {
    /// `cmsg_level`.
    pub level: i32,
    /// `cmsg_type`.
    pub kind: i32,
    /// What follows the header.
    pub data: Vec<u8>,
}

/// What one of the reading calls gave.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Received {
    /// What the call returned; with `MSG_TRUNC` it may be more than there are bytes.
    pub count: usize,
    /// The bytes.
    pub data: Vec<u8>,
    /// `msg_flags`.
    pub flags: i32,
    /// Control messages, in order.
    pub control: Vec<Control>,
    /// Who sent it.
    pub from: Option<SocketAddr>,
}

/// Reads into pieces of these lengths, with room for so many bytes of control messages.
///
/// # Errors
/// The kernel's.
pub fn receive(
    fd: BorrowedFd<'_>,
    shape: Shape,
    pieces: &[usize],
    flags: i32,
    control_room: usize,
) -> io::Result<Received> {
    let mut data = vec![0u8; pieces.iter().sum()];
    let mut vectors = Vec::with_capacity(pieces.len());
    let mut rest = data.as_mut_slice();
    for length in pieces {
        let (piece, tail) = mem::take(&mut rest).split_at_mut(*length);
        vectors.push(libc::iovec { iov_base: piece.as_mut_ptr().cast(), iov_len: piece.len() });
        rest = tail;
    }
    let fd = fd.as_raw_fd();
    let mut name = [0u8; address::ROOM];
    let mut received = Received::default();
    let count = match shape {
        // SAFETY: the vectors describe disjoint parts of `data`, which outlives the call.
        Shape::Plain | Shape::Vector => unsafe { libc::readv(fd, vectors.as_ptr(), vectors.len() as i32) },
        Shape::Flags => {
            // SAFETY: pointer and length describe `data`.
            unsafe { libc::recv(fd, data.as_mut_ptr().cast(), data.len(), flags) }
        }
        Shape::Address | Shape::Message => {
            // Control messages are aligned like the kernel's longest integer.
            let mut control = vec![0u64; control_room.div_ceil(8)];
            // SAFETY: msghdr consists of integers and nullable pointers; all zero is valid for each.
            let mut header: libc::msghdr = unsafe { mem::zeroed() };
            header.msg_name = name.as_mut_ptr().cast();
            header.msg_namelen = name.len() as u32;
            header.msg_iov = vectors.as_mut_ptr();
            header.msg_iovlen = vectors.len();
            header.msg_control = control.as_mut_ptr().cast();
            header.msg_controllen = control.len() * 8;
            // SAFETY: every pointer of the header describes memory that outlives the call, with its length.
            let count = unsafe { libc::recvmsg(fd, &raw mut header, flags) };
            if count >= 0 {
                received.flags = header.msg_flags;
                received.from = address::decode(&name[..(header.msg_namelen as usize).min(name.len())]);
                let bytes: Vec<u8> = control.iter().flat_map(|word| word.to_ne_bytes()).collect();
                received.control = take_apart(&bytes[..header.msg_controllen.min(bytes.len())]);
            }
            count
        }
    };
    received.count = check_size(count)?;
    data.truncate(received.count);
    received.data = data;
    Ok(received)
}

/// Length of the header of a control message.
const HEADER: usize = size_of::<libc::cmsghdr>();

fn take_apart(mut bytes: &[u8]) -> Vec<Control> {
    let mut messages = Vec::new();
    while let Some(header) = bytes.first_chunk::<HEADER>() {
        let word = |at: usize| i32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let length = header.first_chunk().map_or(0, |length| usize::from_ne_bytes(*length));
        let Some(data) = bytes.get(HEADER..length) else { break };
        messages.push(Control { level: word(8), kind: word(12), data: data.to_vec() });
        bytes = bytes.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
    messages
}

/// What one of the writing calls is given; the bytes are zeros.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sending {
    /// Lengths of the pieces.
    pub pieces: Vec<usize>,
    /// `MSG_*`.
    pub flags: i32,
    /// To whom; only [`Shape::Address`] and [`Shape::Message`] have it.
    pub to: Option<SocketAddr>,
    /// Control messages; only [`Shape::Message`] has them.
    pub control: Vec<Control>,
}

/// Writes zeros; the answer is how many bytes were taken.
///
/// # Errors
/// The kernel's.
pub fn send(fd: BorrowedFd<'_>, shape: Shape, sending: &Sending) -> io::Result<usize> {
    let Sending { pieces, flags, to, control } = sending;
    let data = vec![0u8; pieces.iter().sum()];
    let mut vectors = Vec::with_capacity(pieces.len());
    let mut rest = data.as_slice();
    for length in pieces {
        let (piece, tail) = rest.split_at(*length);
        vectors.push(libc::iovec { iov_base: piece.as_ptr().cast_mut().cast(), iov_len: piece.len() });
        rest = tail;
    }
    let fd = fd.as_raw_fd();
    let count = match shape {
        // SAFETY: the vectors describe parts of `data`, which outlives the call and is only read.
        Shape::Plain | Shape::Vector => unsafe { libc::writev(fd, vectors.as_ptr(), vectors.len() as i32) },
        Shape::Flags => {
            // SAFETY: pointer and length describe `data`.
            unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), *flags) }
        }
        Shape::Address | Shape::Message => {
            let mut name = to.as_ref().map(address::encode).unwrap_or_default();
            let mut control = put_together(control);
            // SAFETY: msghdr consists of integers and nullable pointers; all zero is valid for each.
            let mut header: libc::msghdr = unsafe { mem::zeroed() };
            if !name.is_empty() {
                header.msg_name = name.as_mut_ptr().cast();
                header.msg_namelen = name.len() as u32;
            }
            header.msg_iov = vectors.as_mut_ptr();
            header.msg_iovlen = vectors.len();
            if !control.is_empty() {
                header.msg_control = control.as_mut_ptr().cast();
                header.msg_controllen = control.len() * 8;
            }
            // SAFETY: every pointer of the header describes memory that outlives the call, with its length.
            unsafe { libc::sendmsg(fd, &raw const header, *flags) }
        }
    };
    if flags & libc::MSG_ZEROCOPY != 0 {
        // The kernel sends these very bytes, now and when they must be sent again: they have to stay zero.
        mem::forget(data);
    }
    check_size(count)
}

fn put_together(messages: &[Control]) -> Vec<u64> {
    let mut bytes = Vec::new();
    for message in messages {
        bytes.extend_from_slice(&(HEADER + message.data.len()).to_ne_bytes());
        bytes.extend_from_slice(&message.level.to_ne_bytes());
        bytes.extend_from_slice(&message.kind.to_ne_bytes());
        bytes.extend_from_slice(&message.data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    bytes.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_ne_bytes)).collect()
}
