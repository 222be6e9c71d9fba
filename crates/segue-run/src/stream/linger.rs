//! close(2) of a stream that lingers (SO_LINGER with a time).
//!
//! The last close waits until the peer has acknowledged everything, the FIN included, or the time is over; then the kernel
//! performs it. As on Linux it never fails, and data that were not read make it a reset, which waits for nothing.

use std::os::fd::BorrowedFd;
use std::task::Context;
use std::time::{Duration, Instant};

use super::{Phase, Stream};
use crate::supervisor::{Parked, Sock, Supervisor};
use crate::sys::unix;

impl Stream {
    /// How long the close of the last descriptor waits; `None`: not at all.
    pub(crate) fn lingers(&self, theirs: BorrowedFd<'_>) -> Option<Duration> {
        let Phase::Connected(_) = &self.phase else { return None };
        if unix::waiting(theirs).is_ok_and(|unread| unread > 0) {
            return None;
        }
        let id = self.endpoint.id();
        self.endpoint.host().with_stack(|stack, _| stack.close_waits(id)).ok().flatten()
    }

    /// Ends the sending direction and lets the call wait.
    pub(crate) fn linger(&mut self, sup: &Supervisor, theirs: BorrowedFd<'_>, sock: &Sock, call: Parked) {
        if !self.shut.write {
            // It is connected, so this cannot fail.
            let _ = self.shutdown(sup, theirs, libc::SHUT_WR, sock);
        }
        // One that a signal has interrupted goes on where it was.
        let deadline = self.lingering.take().map_or(call.deadline, |earlier| earlier.deadline);
        self.lingering = Some(Parked { deadline, ..call });
        sup.note_parked(sock.cookie);
        sock.wake();
    }

    /// Lets a close go on that has waited long enough, or for nothing any more.
    pub(super) fn check_lingering(&mut self, sup: &Supervisor, sock: &Sock, now: Instant) {
        if !self.lingering.as_ref().is_some_and(|call| call.expired(now) || !self.is_closing(sock)) {
            return;
        }
        if let Some(call) = self.lingering.take() {
            // A caller that is gone was interrupted, and asks again if it wants to.
            let _ = sup.listener.let_through(call.id);
        }
    }

    /// Whether the peer has yet to acknowledge something; the engine is woken when that changes.
    fn is_closing(&self, sock: &Sock) -> bool {
        let Phase::Connected(relay) = &self.phase else { return false };
        let waker = sock.waker();
        relay.is_sending() || self.endpoint.poll_closed(&mut Context::from_waker(&waker)).is_pending()
    }
}
