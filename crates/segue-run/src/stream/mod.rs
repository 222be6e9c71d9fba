//! A TCP socket of the program: which phase it is in, and what the program's
//! calls and the stack's events do to it.
//!
//! The program holds an AF_UNIX stream socket ("theirs"). Until a connection
//! exists there is no other end; then the supervisor holds one ("ours") and the
//! relay moves the bytes. No duplicate of theirs is kept, except while a call
//! on it waits: it would hide the program's close.

mod accept;
mod connect;
mod hidden;
mod linger;
mod low_mark;
mod message;
mod relay;

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::BytesMut;
use segue::Socket;

use crate::calls::message::ReceiveCall;
use crate::holder::{Holder, borrow_from_anyone};
use crate::supervisor::{Parked, Sock, Supervisor, Verdict};
use crate::sys::{errno, unix};

pub(crate) use accept::AcceptCall;
use accept::Listening;
use connect::Connecting;
pub(crate) use connect::{ConnectCall, Started};
pub(crate) use message::{SendCall, TIMES};
use relay::{Relay, Step};

/// What the program has shut by shutdown(2).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shut {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

enum Phase {
    /// Fresh or bound.
    Idle,
    Connecting(Connecting),
    Connected(Relay),
    Listening(Listening),
    /// A non-blocking connect failed; theirs is used up. Linux tells the error
    /// to one more connect before a new attempt may start.
    Failed {
        told: bool,
    },
    /// The connection has been reset; the program still holds the descriptor.
    Over,
}

/// See the module.
pub(crate) struct Stream {
    endpoint: Socket,
    phase: Phase,
    /// For SO_ERROR: what ended the connection or the attempt.
    error: Option<i32>,
    holder: Holder,
    shut: Shut,
    /// The program has closed it everywhere.
    closed: bool,
    /// A close(2) that waits, as SO_LINGER asks.
    lingering: Option<Parked>,
    /// Receives that want to be told of their bytes, and wait for some.
    receiving: VecDeque<ReceiveCall>,
    /// Sends that a unix socket cannot carry, and wait for room.
    sending: VecDeque<SendCall>,
    /// The next connect(2) answers 0 once (the attempt ended unobserved).
    success_untold: bool,
}

impl Stream {
    pub(crate) fn new(endpoint: Socket, holder: Holder) -> Stream {
        Stream {
            endpoint,
            phase: Phase::Idle,
            error: None,
            holder,
            shut: Shut::default(),
            closed: false,
            lingering: None,
            receiving: VecDeque::new(),
            sending: VecDeque::new(),
            success_untold: false,
        }
    }

    /// An accepted connection whose ends exist already.
    fn accepted(endpoint: Socket, ours: OwnedFd, holder: Holder) -> Stream {
        Stream { phase: Phase::Connected(Relay::new(ours)), ..Stream::new(endpoint, holder) }
    }

    pub(crate) fn endpoint(&self) -> &Socket {
        &self.endpoint
    }

    pub(crate) fn set_holder(&mut self, holder: Holder) {
        self.holder = holder;
    }

    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected(_))
    }

    /// From here on the relay runs.
    fn connected(&mut self, sup: &Supervisor, sock: &Sock, ours: OwnedFd) {
        sup.stats.connections.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = sup.watch_end(ours.as_fd(), sock.cookie) {
            // Out of watches: as good as a reset.
            self.error = Some(errno(&error));
            self.phase = Phase::Over;
            return;
        }
        self.phase = Phase::Connected(Relay::new(ours));
        sock.wake();
    }

    /// The engine's turn: everything that can be done now is done.
    pub(crate) fn pump(&mut self, sup: &Supervisor, sock: &Sock, events: u32, scratch: &mut BytesMut) -> Verdict {
        match &mut self.phase {
            Phase::Connecting(_) => {
                self.check_connecting(sup, sock);
                if self.closed { Verdict::Remove } else { Verdict::Keep }
            }
            Phase::Listening(_) => {
                self.serve_accepts(sup, sock);
                Verdict::Keep
            }
            Phase::Connected(relay) => {
                relay.note(events);
                if relay.hang_up_is_close(self.shut) {
                    self.closed = true;
                }
                relay.set_telling(sup.tells_arrivals());
                relay.set_low_mark(low_mark::is_set(sup, &self.endpoint));
                let step = relay.pump(&self.endpoint, sock, self.shut, self.closed, &sup.stats, scratch);
                let verdict = self.after(step, sock);
                self.serve_messages(sup, sock);
                self.check_lingering(sup, sock, Instant::now());
                verdict
            }
            Phase::Idle | Phase::Failed { .. } | Phase::Over if self.closed => Verdict::Remove,
            Phase::Idle | Phase::Failed { .. } | Phase::Over => Verdict::Keep,
        }
    }

    fn after(&mut self, step: Step, sock: &Sock) -> Verdict {
        match step {
            Step::Idle => Verdict::Keep,
            Step::More => Verdict::Again,
            Step::GuestGone => {
                self.closed = true;
                Verdict::Again
            }
            Step::Finished => Verdict::Remove,
            Step::Abort => {
                let id = self.endpoint.id();
                // The socket itself is closed when the entry goes.
                self.endpoint.host().with_stack(|stack, now| {
                    let _ = stack.abort(now, id);
                });
                Verdict::Remove
            }
            Step::Reset(_) if self.closed => Verdict::Remove,
            Step::Reset(error) => {
                self.reset(error, sock);
                Verdict::Keep
            }
        }
    }

    /// The connection is no more: the program's reads and polls shall say so.
    ///
    /// Closing our end with a byte unread in it gives theirs ECONNRESET, behind
    /// the data it has not read yet, just as TCP. The byte is put there through
    /// the program's own descriptor.
    fn reset(&mut self, error: i32, sock: &Sock) {
        let Phase::Connected(relay) = std::mem::replace(&mut self.phase, Phase::Over) else { return };
        self.error = Some(error);
        if !relay.has_unread() {
            let found = borrow_from_anyone(self.holder, sock.cookie);
            if let Some((theirs, holder)) = found {
                self.holder = holder;
                hidden::plant(theirs.as_fd());
            }
        }
        drop(relay);
    }

    /// The last descriptor of it, anywhere, has been closed.
    pub(crate) fn on_closed(&mut self, sup: &Supervisor, _sock: &Sock) -> Verdict {
        self.closed = true;
        match &mut self.phase {
            // What was written is still delivered.
            Phase::Connected(_) => Verdict::Again,
            Phase::Listening(listening) => {
                listening.end(sup);
                Verdict::Remove
            }
            Phase::Idle | Phase::Connecting(_) | Phase::Failed { .. } | Phase::Over => Verdict::Remove,
        }
    }

    /// shutdown(2).
    pub(crate) fn shutdown(
        &mut self,
        sup: &Supervisor,
        theirs: BorrowedFd<'_>,
        how: i32,
        sock: &Sock,
    ) -> Result<(), i32> {
        let (read, write) = match how {
            libc::SHUT_RD => (true, false),
            libc::SHUT_WR => (false, true),
            libc::SHUT_RDWR => (true, true),
            _ => return Err(libc::EINVAL),
        };
        match &mut self.phase {
            Phase::Connected(relay) => {
                if write && !self.shut.write && hidden::plant(theirs) {
                    relay.note_planted();
                }
                self.shut.read |= read;
                self.shut.write |= write;
                unix::shutdown(theirs, how).map_err(|error| errno(&error))?;
                sock.wake();
                Ok(())
            }
            Phase::Listening(listening) if read => {
                listening.end(sup);
                let result = self.endpoint.shutdown(segue::Shutdown::Both);
                // Wakes who polls the descriptor.
                let _ = unix::shutdown(theirs, libc::SHUT_RDWR);
                result.map_err(|error| errno(&error))
            }
            Phase::Listening(_) => Ok(()),
            Phase::Idle | Phase::Connecting(_) | Phase::Failed { .. } | Phase::Over => Err(libc::ENOTCONN),
        }
    }

    /// SO_ERROR: taken from the stack, from what the relay has met, and from
    /// theirs, so that POLLERR goes away with it.
    pub(crate) fn take_error(&mut self, theirs: BorrowedFd<'_>) -> i32 {
        let native = unix::take_error(theirs);
        if let Some(error) = self.error.take() {
            return error;
        }
        match &self.phase {
            // The attempt's outcome is decided in one place only.
            Phase::Connecting(_) => 0,
            _ if native != 0 => native,
            _ => match self.endpoint.take_error() {
                Ok(Some(error)) => errno(&error),
                _ => 0,
            },
        }
    }

    /// getpeername(2) is an error without a connection.
    pub(crate) fn peer(&self) -> Result<std::net::SocketAddr, i32> {
        match &self.phase {
            Phase::Connected(_) => self.endpoint.peer_addr().map_err(|error| errno(&error)),
            _ => Err(libc::ENOTCONN),
        }
    }

    /// Forgets calls whose callers were interrupted and ends those whose time
    /// is over; whether any are left.
    pub(crate) fn check_parked(&mut self, sup: &Supervisor, sock: &Sock, now: Instant) -> bool {
        self.check_lingering(sup, sock, now);
        let has_messages = self.check_messages(sup, now);
        let has_low_mark = self.check_low_mark(sup, sock);
        if self.lingering.is_some() || has_messages || has_low_mark {
            return true;
        }
        match &mut self.phase {
            Phase::Connecting(_) => self.check_parked_connects(sup, now),
            Phase::Listening(listening) => listening.check_parked(sup, now),
            _ => false,
        }
    }
}
