//! SO_RCVLOWAT: from how many bytes on a stream is readable.
//!
//! An AF_UNIX stream obeys it in reads that block, but not in poll. So bytes stay in the stack, which counts them and
//! opens its window for as many, until there are enough; then theirs is readable and has them.
//! A read that blocks and wants less than the mark is content with less, and nobody sees it: where theirs blocks, bytes
//! below the mark follow with the next tick, and the mark that theirs has been told, too, decides.

use std::os::fd::{AsFd, BorrowedFd};

use segue::{MsgFlags, Ready, Socket};

use super::{Phase, Stream};
use crate::holder::borrow_from_anyone;
use crate::supervisor::{Sock, Supervisor};
use crate::sys::{self, unix};

/// Whether a stream is readable from more than one byte on.
pub(super) fn is_set(sup: &Supervisor, endpoint: &Socket) -> bool {
    sup.has_low_marks() && low_mark(endpoint) > 1
}

fn low_mark(endpoint: &Socket) -> i32 {
    endpoint.getsockopt_int(libc::SOL_SOCKET, libc::SO_RCVLOWAT).unwrap_or(1)
}

/// What an accepted socket has from its listener.
pub(super) fn inherit(sup: &Supervisor, cookie: u64, endpoint: &Socket, theirs: BorrowedFd<'_>) {
    if is_set(sup, endpoint) {
        let _ = unix::set_int(theirs, libc::SO_RCVLOWAT, low_mark(endpoint));
        sup.note_parked(cookie);
    }
}

impl Stream {
    /// The mark has been set: theirs has it, too, and what waits is looked at again.
    pub(crate) fn show_low_mark(&self, sup: &Supervisor, sock: &Sock, theirs: BorrowedFd<'_>) {
        let _ = unix::set_int(theirs, libc::SO_RCVLOWAT, low_mark(&self.endpoint));
        sup.note_parked(sock.cookie);
        sock.wake();
    }

    /// Lets go of what waits below the mark, if theirs blocks; whether there is a mark.
    pub(super) fn check_low_mark(&mut self, sup: &Supervisor, sock: &Sock) -> bool {
        if self.closed || !is_set(sup, &self.endpoint) {
            return false;
        }
        let relay = match &mut self.phase {
            Phase::Connected(relay) => relay,
            Phase::Idle | Phase::Connecting(_) => return true,
            Phase::Listening(_) | Phase::Failed { .. } | Phase::Over => return false,
        };
        let id = self.endpoint.id();
        let is_waiting = self.endpoint.host().with_stack(|stack, now| {
            let is_held = !stack.readiness(id).contains(Ready::IN);
            is_held && stack.recv(now, id, &mut [0], MsgFlags::PEEK) == Ok(1)
        });
        if is_waiting && let Some((theirs, holder)) = borrow_from_anyone(self.holder, sock.cookie) {
            self.holder = holder;
            if !sys::is_nonblocking(theirs.as_fd()) {
                relay.release();
                sock.wake();
            }
        }
        true
    }
}
