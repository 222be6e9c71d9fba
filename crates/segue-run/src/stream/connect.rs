//! connect(2) on a stream socket, waiting and not.
//!
//! Every attempt gets a hidden pair at once, whose readiness appears when the
//! outcome is known; a blocking call is parked besides. So a call that a signal
//! interrupts goes on by itself and polls rightly, as in Linux, and when the
//! kernel repeats it (SA_RESTART) it waits for the same attempt.
//! A failure uses theirs up. A blocking caller gets a fresh one in its place
//! together with the error, since on Linux it may try again at once.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};
use std::time::Instant;

use segue::{Ready, Socket, SocketType};

use super::hidden::Hidden;
use super::{Phase, Stream};
use crate::holder::{Holder, borrow_from_anyone};
use crate::supervisor::{Parked, Sock, State, Supervisor};
use crate::sys::seccomp::Delivery;
use crate::sys::unix::{self, Kind};
use crate::sys::{self, errno};

/// An attempt whose outcome is open.
pub(super) struct Connecting {
    waiting: Vec<Waiter>,
    /// Held only while a call waits on it.
    theirs: Option<OwnedFd>,
    hidden: Hidden,
}

/// A blocking connect(2), and the descriptor it is on.
struct Waiter {
    parked: Parked,
    number: i32,
}

/// How connect(2) goes on.
pub(crate) enum Started {
    /// The caller waits.
    Parked,
    /// It answers EINPROGRESS.
    InProgress,
    /// Theirs has been used up by a failed attempt and was replaced by a fresh
    /// socket: the call starts again on that.
    Replaced,
    /// The answer is 0.
    Connected,
}

/// The call as its handler sees it.
pub(crate) struct ConnectCall {
    /// The notification.
    pub(crate) id: u64,
    pub(crate) holder: Holder,
    pub(crate) theirs: OwnedFd,
    pub(crate) address: SocketAddr,
    /// Given for a blocking socket.
    pub(crate) parked: Option<Parked>,
}

impl Stream {
    /// connect(2) to an internet address.
    pub(crate) fn connect(&mut self, sup: &Supervisor, sock: &Sock, call: ConnectCall) -> Result<Started, i32> {
        self.holder = call.holder;
        match &mut self.phase {
            Phase::Idle => self.start_connect(sup, sock, call),
            Phase::Connecting(connecting) => match call.parked {
                None => Err(libc::EALREADY),
                Some(parked) => {
                    connecting.theirs = Some(call.theirs);
                    connecting.waiting.push(Waiter { parked, number: call.holder.number });
                    sup.note_parked(sock.cookie);
                    Ok(Started::Parked)
                }
            },
            Phase::Connected(_) if std::mem::take(&mut self.success_untold) => Ok(Started::Connected),
            Phase::Connected(_) | Phase::Listening(_) | Phase::Over => Err(libc::EISCONN),
            Phase::Failed { told: false } => {
                self.phase = Phase::Failed { told: true };
                let _ = unix::take_error(call.theirs.as_fd());
                Err(self.error.take().unwrap_or(libc::ECONNABORTED))
            }
            Phase::Failed { told: true } => {
                self.replace(sup, sock, call.id, call.holder, Some(&call.theirs))?;
                Ok(Started::Replaced)
            }
        }
    }

    fn start_connect(&mut self, sup: &Supervisor, sock: &Sock, call: ConnectCall) -> Result<Started, i32> {
        let started = match self.endpoint.start_connect(call.address) {
            // The rest of a failed attempt, which its own connect has told already.
            Err(error) if errno(&error) == libc::ECONNABORTED => self.endpoint.start_connect(call.address),
            started => started,
        };
        match started {
            Ok(()) => {}
            Err(error) if errno(&error) == libc::EINPROGRESS => {}
            Err(error) => return Err(errno(&error)),
        }
        let hidden = Hidden::new(&sup.names, call.theirs.as_fd()).map_err(|error| errno(&error))?;
        let mut connecting = Connecting { waiting: Vec::new(), theirs: None, hidden };
        let started = match call.parked {
            Some(parked) => {
                connecting.theirs = Some(call.theirs);
                connecting.waiting.push(Waiter { parked, number: call.holder.number });
                sup.note_parked(sock.cookie);
                Started::Parked
            }
            None => Started::InProgress,
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
            Poll::Ready(Err(error)) => self.connect_failed(sup, sock, errno(&error)),
            Poll::Ready(Ok(_)) => match self.endpoint.take_error() {
                Ok(None) => self.connect_succeeded(sup, sock),
                Ok(Some(error)) | Err(error) => self.connect_failed(sup, sock, errno(&error)),
            },
        }
    }

    fn connect_succeeded(&mut self, sup: &Supervisor, sock: &Sock) {
        let Phase::Connecting(connecting) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return;
        };
        let Connecting { waiting, theirs, hidden } = connecting;
        let theirs = theirs.or_else(|| borrow_from_anyone(self.holder, sock.cookie).map(|(theirs, _)| theirs));
        let ours = hidden.reveal(theirs.as_ref());
        drop(theirs);
        self.connected(sup, sock, ours);
        let told =
            waiting.iter().filter(|waiter| sup.listener.answer(waiter.parked.id, Ok(0)) == Delivery::Taken).count();
        self.success_untold = told == 0;
    }

    fn connect_failed(&mut self, sup: &Supervisor, sock: &Sock, error: i32) {
        let failed = Phase::Failed { told: false };
        let Phase::Connecting(connecting) = std::mem::replace(&mut self.phase, failed) else {
            return;
        };
        let Connecting { waiting, theirs, hidden } = connecting;
        // Our end closes with the filler unread: theirs polls as a failed connect.
        drop(hidden);
        self.error = Some(error);
        for waiter in waiting {
            let holder = Holder { tid: waiter.parked.tid, number: waiter.number };
            let is_first = matches!(self.phase, Phase::Failed { told: false });
            if is_first && self.replace(sup, sock, waiter.parked.id, holder, theirs.as_ref()).is_ok() {
                self.phase = Phase::Failed { told: true };
            }
            if sup.listener.answer(waiter.parked.id, Err(error)) == Delivery::Taken {
                self.error = None;
                self.phase = Phase::Failed { told: true };
            }
        }
    }

    /// Puts a fresh socket in the place of theirs, which a failed attempt has
    /// used up: the same socket of the stack, with its options and its port.
    /// Duplicates of the descriptor stay with what was used up.
    fn replace(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        id: u64,
        holder: Holder,
        used_up: Option<&OwnedFd>,
    ) -> Result<(), i32> {
        let failed = |error: std::io::Error| errno(&error);
        let flags = descriptor_flags(holder);
        let theirs = unix::socket(Kind::Stream, flags & libc::O_NONBLOCK != 0).map_err(failed)?;
        if let Some(used_up) = used_up {
            // The options that native calls obey.
            for name in [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO, libc::SO_OOBINLINE] {
                unix::copy_option(used_up.as_fd(), theirs.as_fd(), name).map_err(failed)?;
            }
        }
        let cookie = unix::cookie(theirs.as_fd()).map_err(failed)?;
        let spare = Socket::new(&sup.host, sock.domain, SocketType::Stream).map_err(failed)?;
        let endpoint = std::mem::replace(&mut self.endpoint, spare);
        let state = State::Stream(Box::new(Stream::new(endpoint, holder)));
        sup.adopt(cookie, theirs.as_fd(), sock.domain, state).map_err(failed)?;
        let close_on_exec = flags & libc::O_CLOEXEC != 0;
        sup.listener.replace_descriptor(id, theirs.as_fd(), holder.number, close_on_exec).map_err(|error| {
            sup.remove(cookie);
            errno(&error)
        })
    }

    pub(super) fn check_parked_connects(&mut self, sup: &Supervisor, now: Instant) -> bool {
        let Phase::Connecting(connecting) = &mut self.phase else { return false };
        // Linux: the time-out ends the wait, not the attempt.
        connecting.waiting.retain(|waiter| waiter.parked.waits_on(&sup.listener, now, Err(libc::EINPROGRESS)));
        if connecting.waiting.is_empty() {
            // Kept, it would hide the program's close.
            connecting.theirs = None;
        }
        !connecting.waiting.is_empty()
    }
}

/// O_NONBLOCK, O_CLOEXEC … of another task's descriptor; none when it is gone.
fn descriptor_flags(holder: Holder) -> i32 {
    sys::descriptor_info(holder.tid, holder.number)
        .ok()
        .and_then(|info| {
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
            i32::from_str_radix(flags.trim(), 8).ok()
        })
        .unwrap_or(0)
}
