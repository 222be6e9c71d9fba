//! connect(2) on a stream socket, waiting and not.
//!
//! A blocking connect is parked; theirs is touched only on success, so that a
//! failed attempt leaves it as it was. A non-blocking one gets a hidden pair
//! at once, whose readiness appears when the outcome is known. A parked call
//! that is interrupted goes on as a non-blocking one, as in Linux; when the
//! kernel repeats it (SA_RESTART), it waits for the same attempt.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};
use std::time::Instant;

use segue::Ready;

use super::hidden::Hidden;
use super::{Phase, Stream};
use crate::holder::borrow_from_anyone;
use crate::supervisor::{Parked, Sock, Supervisor};
use crate::sys::seccomp::Delivery;
use crate::sys::{errno, unix};

/// An attempt whose outcome is open.
pub(super) struct Connecting {
    waiting: Vec<Parked>,
    /// Held only while a call waits on it.
    theirs: Option<OwnedFd>,
    hidden: Option<Hidden>,
}

/// How connect(2) goes on.
pub(crate) enum Started {
    /// The caller waits.
    Parked,
    /// It answers EINPROGRESS.
    InProgress,
    /// Theirs is used up by a failed attempt: it must be replaced before a
    /// fresh one.
    NeedsReplacement,
    /// The answer is 0.
    Connected,
}

impl Stream {
    /// connect(2) to an internet address.
    pub(crate) fn connect(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        theirs: OwnedFd,
        address: SocketAddr,
        parked: Option<Parked>,
    ) -> Result<Started, i32> {
        match &mut self.phase {
            Phase::Idle => self.start_connect(sup, sock, theirs, address, parked),
            Phase::Connecting(connecting) => match parked {
                None => Err(libc::EALREADY),
                Some(parked) => {
                    connecting.theirs = Some(theirs);
                    connecting.waiting.push(parked);
                    sup.note_parked(sock.cookie);
                    Ok(Started::Parked)
                }
            },
            Phase::Connected(_) if std::mem::take(&mut self.success_untold) => Ok(Started::Connected),
            Phase::Connected(_) | Phase::Listening(_) | Phase::Over => Err(libc::EISCONN),
            Phase::Failed { told: false } => {
                self.phase = Phase::Failed { told: true };
                let _ = unix::take_error(theirs.as_fd());
                Err(self.error.take().unwrap_or(libc::ECONNABORTED))
            }
            Phase::Failed { told: true } => Ok(Started::NeedsReplacement),
        }
    }

    fn start_connect(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        theirs: OwnedFd,
        address: SocketAddr,
        parked: Option<Parked>,
    ) -> Result<Started, i32> {
        let started = match self.endpoint.start_connect(address) {
            // The rest of a failed attempt, which its own connect has told already.
            Err(error) if errno(&error) == libc::ECONNABORTED => self.endpoint.start_connect(address),
            started => started,
        };
        match started {
            Ok(()) => {}
            Err(error) if errno(&error) == libc::EINPROGRESS => {}
            Err(error) => return Err(errno(&error)),
        }
        let mut connecting = Connecting { waiting: Vec::new(), theirs: None, hidden: None };
        let started = match parked {
            Some(parked) => {
                connecting.theirs = Some(theirs);
                connecting.waiting.push(parked);
                sup.note_parked(sock.cookie);
                Started::Parked
            }
            None => {
                let hidden = Hidden::new(&sup.names, theirs.as_fd());
                connecting.hidden = Some(hidden.map_err(|error| errno(&error))?);
                Started::InProgress
            }
        };
        self.phase = Phase::Connecting(connecting);
        sock.wake();
        Ok(started)
    }

    /// Looks whether the outcome is known, and acts on it.
    pub(super) fn check_connecting(&mut self, sup: &Supervisor, sock: &Sock) {
        let waker = sock.waker();
        let mut cx = Context::from_waker(&waker);
        match self.endpoint.poll_ready(&mut cx, Ready::OUT) {
            Poll::Pending => {}
            Poll::Ready(Err(error)) => self.connect_failed(sup, errno(&error)),
            Poll::Ready(Ok(_)) => match self.endpoint.take_error() {
                Ok(None) => self.connect_succeeded(sup, sock),
                Ok(Some(error)) | Err(error) => self.connect_failed(sup, errno(&error)),
            },
        }
    }

    fn connect_succeeded(&mut self, sup: &Supervisor, sock: &Sock) {
        let Phase::Connecting(connecting) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return;
        };
        let Connecting { waiting, theirs, hidden } = connecting;
        let ours = match (hidden, theirs) {
            (Some(hidden), Some(theirs)) => Ok(hidden.reveal(Some(&theirs))),
            (Some(hidden), None) => {
                let found = borrow_from_anyone(self.holder, sock.cookie);
                Ok(hidden.reveal(found.as_ref().map(|(theirs, _)| theirs)))
            }
            (None, Some(theirs)) => sup.names.meet(theirs.as_fd()),
            (None, None) => Err(std::io::Error::from_raw_os_error(libc::ECONNABORTED)),
        };
        match ours {
            Ok(ours) => {
                self.connected(sup, sock, ours);
                // Relayed first, answered then: an answered caller finds it ready.
                self.success_untold = answer_all(sup, waiting, Ok(0)) == 0;
            }
            Err(error) => {
                self.error = Some(errno(&error));
                self.phase = Phase::Failed { told: false };
                answer_all(sup, waiting, Err(errno(&error)));
            }
        }
    }

    fn connect_failed(&mut self, sup: &Supervisor, error: i32) {
        let Phase::Connecting(connecting) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return;
        };
        let Connecting { waiting, theirs, hidden } = connecting;
        // Our end closes with the filler unread: theirs polls as a failed connect.
        let was_hidden = hidden.is_some();
        drop((hidden, theirs));
        let told = answer_all(sup, waiting, Err(error)) > 0;
        if was_hidden {
            self.phase = Phase::Failed { told };
        }
        if !told {
            self.error = Some(error);
        }
    }

    pub(super) fn check_parked_connects(&mut self, sup: &Supervisor, sock: &Sock, now: Instant) -> bool {
        let Phase::Connecting(connecting) = &mut self.phase else { return false };
        connecting.waiting.retain(|parked| {
            if parked.expired(now) {
                // Linux: the time-out ends the wait, not the attempt.
                let _ = sup.listener.answer(parked.id, Err(libc::EINPROGRESS));
                return false;
            }
            sup.listener.is_waiting(parked.id)
        });
        if !connecting.waiting.is_empty() {
            return true;
        }
        if let Some(theirs) = connecting.theirs.take()
            && connecting.hidden.is_none()
        {
            match Hidden::new(&sup.names, theirs.as_fd()) {
                Ok(hidden) => connecting.hidden = Some(hidden),
                Err(error) => self.connect_failed(sup, errno(&error)),
            }
        }
        let _ = sock;
        false
    }
}

/// How many callers took the answer.
fn answer_all(sup: &Supervisor, waiting: Vec<Parked>, result: Result<i64, i32>) -> usize {
    waiting.into_iter().filter(|parked| sup.listener.answer(parked.id, result) == Delivery::Taken).count()
}
