//! The AF_UNIX tricks behind a connection: a connection that is there but not
//! writable yet, and reaching the program's end once more when it is needed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::names::Names;
use crate::sys::{errno, unix};

/// One write that fills a send buffer of the smallest size in a few steps.
const FILLER: [u8; 512] = [0; 512];

/// A connected pair whose program's end polls as a connecting TCP socket does:
/// neither readable nor writable nor hung up. Its send buffer is made as small
/// as possible and filled up.
pub(super) struct Hidden {
    ours: OwnedFd,
    filler: usize,
    send_buffer: i32,
}

impl Hidden {
    pub(super) fn new(names: &Names, theirs: BorrowedFd<'_>) -> io::Result<Hidden> {
        let send_buffer = unix::get_int(theirs, libc::SO_SNDBUF)?;
        unix::set_int(theirs, libc::SO_SNDBUF, 1)?;
        let ours = names.meet(theirs)?;
        let mut filler = 0;
        loop {
            match unix::send(theirs, &FILLER, 0) {
                Ok(sent) => filler += sent,
                Err(error) if errno(&error) == libc::EAGAIN => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Hidden { ours, filler, send_buffer })
    }

    /// The connection is up: theirs becomes writable. Exactly the filler is
    /// read; a writer that waited may already have put its data behind it.
    pub(super) fn reveal(self, theirs: Option<&OwnedFd>) -> OwnedFd {
        let mut buffer = [const { std::mem::MaybeUninit::uninit() }; FILLER.len()];
        let mut left = self.filler;
        while left > 0 {
            let want = left.min(buffer.len());
            let Some(part) = buffer.get_mut(..want) else { break };
            match unix::receive(self.ours.as_fd(), part, 0) {
                Ok(read @ 1..) => left -= read,
                _ => break,
            }
        }
        if let Some(theirs) = theirs {
            // The kernel tells twice what it was asked for.
            let _ = unix::set_int(theirs.as_fd(), libc::SO_SNDBUF, self.send_buffer / 2);
        }
        self.ours
    }
}

/// Puts one byte behind everything the program has written, just before its
/// shutdown(2) closes that direction: afterwards no byte could be put there,
/// and without one unread a reset would look like an end of stream.
pub(super) fn plant(theirs: BorrowedFd<'_>) -> bool {
    matches!(unix::send(theirs, &[0], 0), Ok(1))
}
