//! Listening sockets: listen(2) and accept(2).
//!
//! Theirs is a real unix listener, so poll and epoll on it are native: it is
//! readable exactly while a connection waits, because then the supervisor has
//! connected one marker to it. The connections themselves stay in the stack's
//! accept queue, with its bound, until the program accepts.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll};
use std::time::Instant;

use segue::{Ready, Socket};

use super::{Phase, Stream, low_mark};
use crate::address;
use crate::caller::give_address;
use crate::holder::Holder;
use crate::supervisor::{Parked, Sock, State, Supervisor};
use crate::sys::unix::{self, Kind};
use crate::sys::{self, errno};

/// Room for markers on the native listener; one is in use at a time.
const MARKERS: i32 = 4;

/// An accept(2): where the address goes and how the new descriptor is made.
#[derive(Debug)]
pub(crate) struct AcceptCall {
    pub(crate) parked: Parked,
    pub(crate) address: u64,
    pub(crate) address_len: u64,
    pub(crate) nonblocking: bool,
    pub(crate) close_on_exec: bool,
}

pub(super) struct Listening {
    /// A way to connect to theirs, without holding it.
    path: OwnedFd,
    waiting: VecDeque<AcceptCall>,
    /// Accepted from the stack for a caller that was gone.
    returned: VecDeque<(Socket, SocketAddr)>,
    marked: bool,
}

impl Listening {
    /// Ends the waiting calls as shutdown(2) does.
    pub(super) fn end(&mut self, sup: &Supervisor) {
        for call in self.waiting.drain(..) {
            let _ = sup.listener.answer(call.parked.id, Err(libc::EINVAL));
        }
        self.returned.clear();
    }

    pub(super) fn check_parked(&mut self, sup: &Supervisor, now: Instant) -> bool {
        self.waiting.retain(|call| call.parked.waits_on(&sup.listener, now, Err(libc::EAGAIN)));
        !self.waiting.is_empty()
    }

    /// Gives a connection to a caller, or keeps it for the next one.
    fn hand_over(&mut self, sup: &Supervisor, sock: &Sock, call: &AcceptCall, connection: (Socket, SocketAddr)) {
        let Err((error, connection)) = hand_over(sup, sock, call, connection) else { return };
        self.returned.push_front(connection);
        self.mark();
        if let Some(error) = error {
            let _ = sup.listener.answer(call.parked.id, Err(error));
        }
    }

    /// Makes theirs readable.
    fn mark(&mut self) {
        if self.marked {
            return;
        }
        let marker = unix::through(self.path.as_fd()).and_then(|address| {
            let marker = unix::socket(Kind::Stream, true)?;
            unix::connect(marker.as_fd(), &address)
        });
        self.marked = marker.is_ok();
    }

    /// Makes theirs unreadable. Every accept goes through the supervisor and
    /// holds this socket's lock, so none of the markers can be lost to another.
    fn unmark(&mut self, theirs: BorrowedFd<'_>) {
        while unix::poll_now(theirs, libc::POLLIN) & libc::POLLIN != 0 {
            if unix::accept(theirs).is_err() {
                break;
            }
        }
        self.marked = false;
    }
}

impl Stream {
    /// listen(2).
    pub(crate) fn listen(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        theirs: BorrowedFd<'_>,
        backlog: i32,
    ) -> Result<(), i32> {
        match self.phase {
            Phase::Listening(_) => {
                return self.endpoint.listen(backlog).map_err(|error| errno(&error));
            }
            Phase::Idle => {}
            _ => return Err(libc::EINVAL),
        }
        self.endpoint.listen(backlog).map_err(|error| errno(&error))?;
        let native = sup.names.bind_privately(theirs).and_then(|path| {
            unix::listen(theirs, MARKERS)?;
            Ok(path)
        });
        let path = native.map_err(|error| errno(&error))?;
        self.phase =
            Phase::Listening(Listening { path, waiting: VecDeque::new(), returned: VecDeque::new(), marked: false });
        sock.wake();
        Ok(())
    }

    /// accept(2). `Ok`: it has been answered, or waits.
    pub(crate) fn accept(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        theirs: BorrowedFd<'_>,
        call: AcceptCall,
        may_wait: bool,
    ) -> Result<(), i32> {
        let Phase::Listening(listening) = &mut self.phase else { return Err(libc::EINVAL) };
        match next(listening, &self.endpoint) {
            Ok(connection) => {
                // Before the answer: the caller may poll at once.
                if waits(listening, &self.endpoint) {
                    listening.mark();
                } else {
                    listening.unmark(theirs);
                    sock.wake();
                }
                listening.hand_over(sup, sock, &call, connection);
                Ok(())
            }
            Err(libc::EAGAIN) => {
                // A marker without a connection: the peer was gone before.
                listening.unmark(theirs);
                sock.wake();
                if !may_wait {
                    return Err(libc::EAGAIN);
                }
                listening.waiting.push_back(call);
                sup.note_parked(sock.cookie);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// A connection may wait: serves who waits for one, shows what is left.
    pub(super) fn serve_accepts(&mut self, sup: &Supervisor, sock: &Sock) {
        let Phase::Listening(listening) = &mut self.phase else { return };
        loop {
            while let Some(call) = listening.waiting.pop_front() {
                match next(listening, &self.endpoint) {
                    Ok(connection) => listening.hand_over(sup, sock, &call, connection),
                    Err(_) => {
                        listening.waiting.push_front(call);
                        break;
                    }
                }
            }
            if !listening.returned.is_empty() {
                listening.mark();
                return;
            }
            let waker = sock.waker();
            match self.endpoint.poll_ready(&mut Context::from_waker(&waker), Ready::IN) {
                Poll::Pending => return,
                Poll::Ready(Ok(ready)) if ready.contains(Ready::IN) => {
                    if listening.waiting.is_empty() {
                        listening.mark();
                        return;
                    }
                }
                Poll::Ready(_) => return,
            }
        }
    }
}

fn next(listening: &mut Listening, endpoint: &Socket) -> Result<(Socket, SocketAddr), i32> {
    match listening.returned.pop_front() {
        Some(connection) => Ok(connection),
        None => endpoint.try_accept().map_err(|error| errno(&error)),
    }
}

fn waits(listening: &Listening, endpoint: &Socket) -> bool {
    !listening.returned.is_empty() || endpoint.readiness().contains(Ready::IN)
}

/// Makes the descriptor of a connection and answers the call with it. When
/// that fails the connection comes back, with the errno the caller gets, if it
/// still waits.
fn hand_over(
    sup: &Supervisor,
    listener: &Sock,
    call: &AcceptCall,
    connection: (Socket, SocketAddr),
) -> Result<(), (Option<i32>, (Socket, SocketAddr))> {
    let (endpoint, peer) = connection;
    let id = call.parked.id;
    if !sup.listener.is_waiting(id) {
        return Err((None, (endpoint, peer)));
    }
    if call.address != 0 {
        let bytes = address::emit(peer, listener.domain);
        if let Err(error) = give_address(call.parked.tid, call.address, call.address_len, &bytes) {
            return Err((Some(error), (endpoint, peer)));
        }
    }
    // As on Linux: who accepts owns the connection, not who listens.
    if let Err(error) = endpoint.fchown(sys::user(call.parked.tid)) {
        return Err((Some(errno(&error)), (endpoint, peer)));
    }
    let made = unix::pair(Kind::Stream, call.nonblocking)
        .and_then(|(ours, theirs)| Ok((unix::cookie(theirs.as_fd())?, ours, theirs)));
    let (cookie, ours, theirs) = match made {
        Ok(made) => made,
        Err(error) => return Err((Some(errno(&error)), (endpoint, peer))),
    };
    if let Err(error) = sup.watch_end(ours.as_fd(), cookie) {
        return Err((Some(errno(&error)), (endpoint, peer)));
    }
    let holder = Holder::unknown(call.parked.tid);
    let stream = Stream::accepted(endpoint, ours, holder);
    let state = State::Stream(Box::new(stream));
    let new = match sup.adopt(cookie, theirs.as_fd(), listener.domain, state) {
        Ok(new) => new,
        // The connection went down with the entry.
        Err(_) => {
            let _ = sup.listener.answer(id, Err(libc::ENOMEM));
            return Ok(());
        }
    };
    match sup.listener.answer_with_descriptor(id, theirs.as_fd(), call.close_on_exec) {
        Ok(number) => {
            if let State::Stream(stream) = &mut *crate::lock(&new.state) {
                stream.set_holder(Holder { tid: call.parked.tid, number });
                low_mark::inherit(sup, cookie, stream.endpoint(), theirs.as_fd());
            }
            sup.stats.connections.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            new.wake();
            Ok(())
        }
        Err(error) => {
            let error = match errno(&error) {
                libc::ENOENT => None,
                errno => Some(errno),
            };
            let back = take_back(&new, sup);
            sup.remove(cookie);
            match back {
                Some(endpoint) => Err((error, (endpoint, peer))),
                None => Ok(()),
            }
        }
    }
}

/// The stack's socket of a connection that could not be handed over.
fn take_back(sock: &Sock, sup: &Supervisor) -> Option<Socket> {
    match &mut *crate::lock(&sock.state) {
        State::Stream(stream) => {
            let spare = Socket::new(&sup.host, sock.domain, segue::SocketType::Stream).ok()?;
            Some(std::mem::replace(&mut stream.endpoint, spare))
        }
        State::Datagram(_) => None,
    }
}
