//! Moves the bytes of one connection between the program's unix socket and
//! the stack, both ways, with backpressure both ways.
//!
//! Outwards no more is read from the program than the stack takes, but for one
//! read; inwards no more is taken from the stack than the program's socket
//! takes, but for one piece. So a full TCP window stops the program, and a
//! program that does not read closes TCP's window.
//! Everything is edge-triggered: a direction that met EAGAIN waits for its
//! edge (unix side) or its waker (stack side).

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use segue::{Chunks, ControlMessage, Errno, MsgFlags, Ready, Shutdown, Socket};

use super::Shut;
use crate::supervisor::{Sock, Stats};
use crate::sys::{errno, unix};

/// What one read from the program asks for.
const READ: usize = 64 * 1024;
/// Reads up to this size are copied into the stack: a few bytes must not pin
/// a whole block until they are acknowledged.
const COPY_BREAK: usize = 4096;
/// Bytes each way before other sockets get their turn.
const TURN: usize = 512 * 1024;
/// Stretches of received bytes that something is kept of: more than theirs has room for.
const TOLD: usize = 1024;
/// Gather entries of one write.
const SLICES: usize = 64;

/// What has to happen after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Step {
    /// Wait for an edge or a waker.
    Idle,
    /// Come again soon.
    More,
    /// The program has closed its end.
    GuestGone,
    /// Closed by the program and everything handed to TCP: close, with FIN.
    Finished,
    /// Closed by the program with data unread: RST, as TCP does.
    Abort,
    /// TCP ended the connection with this error.
    Reset(i32),
}

pub(super) struct Relay {
    ours: OwnedFd,
    readable: bool,
    writable: bool,
    hung_up: bool,
    /// Read from the program, not yet taken by TCP.
    outgoing: Bytes,
    /// Received, not yet taken by the program.
    incoming: Chunks,
    /// Bytes that theirs has been given.
    delivered: u64,
    /// Bytes that the stack has given.
    received: u64,
    /// What there is to tell of received bytes: up to where in the stream it holds.
    told: VecDeque<(u64, Vec<ControlMessage>)>,
    /// Some socket of the run asks when its bytes arrived.
    is_telling: bool,
    /// The socket is readable from some number of bytes on (SO_RCVLOWAT), which the stack counts.
    has_low_mark: bool,
    /// There were as many: what the stack has is taken until nothing is left.
    is_due: bool,
    /// The program's end of the stream has been passed to TCP.
    out_done: bool,
    /// The peer's end of the stream has been passed to the program.
    in_done: bool,
    /// Theirs was closed with data unread.
    unread: bool,
    /// The last byte in our queue was put there by the supervisor, behind the
    /// program's own shutdown of this direction.
    planted: bool,
}

/// What a read from the program gave.
enum Read {
    Data(usize),
    Later,
    /// The program writes no more.
    End,
    /// Theirs was closed with data unread in it.
    ClosedUnread,
}

/// What a read from the stack gave.
enum Received {
    Data(Chunks, Vec<ControlMessage>),
    /// The out-of-band byte; everything before it has been read.
    Urgent(u8),
    End,
    /// Nothing until the socket is ready for one of these.
    Later(Ready),
    Failed(i32),
}

/// One read from the stack. The look for the urgent byte and the read happen
/// under one lock: a read that starts at the mark would skip the byte.
fn receive(endpoint: &Socket, is_telling: bool) -> Received {
    let id = endpoint.id();
    endpoint.host().with_stack(|stack, now| {
        let urgent = stack.readiness(id).contains(Ready::PRI);
        if urgent && stack.at_mark(id) {
            let mut byte = [0];
            if let Ok(1) = stack.recv(now, id, &mut byte, MsgFlags::OOB) {
                return Received::Urgent(byte[0]);
            }
        }
        let taken = if is_telling {
            let mut buffer = vec![0; READ];
            stack.recv_message(now, id, &mut buffer, MsgFlags::empty()).map(|message| {
                buffer.truncate(message.len);
                (Chunks::from(buffer), message.control)
            })
        } else {
            stack.recv_bytes(now, id, READ).map(|chunks| (chunks, Vec::new()))
        };
        match taken {
            Ok((chunks, _)) if chunks.is_empty() => Received::End,
            Ok((chunks, control)) => Received::Data(chunks, control),
            // An urgent byte that stays in line is nothing to wait for.
            Err(Errno::EAGAIN) if urgent => Received::Later(Ready::IN),
            Err(Errno::EAGAIN) => Received::Later(Ready::IN | Ready::PRI),
            Err(error) => Received::Failed(error.0),
        }
    })
}

/// Why a direction stopped.
enum Stop {
    /// Nothing to do until something happens.
    Dry,
    /// Its turn is over.
    Turn,
    Step(Step),
}

impl Relay {
    pub(super) fn new(ours: OwnedFd) -> Relay {
        // In line: a read that meets the program's out-of-band byte unawares
        // must not skip it. A kernel without it has no such bytes.
        let _ = unix::set_int(ours.as_fd(), libc::SO_OOBINLINE, 1);
        Relay {
            ours,
            readable: true,
            writable: true,
            hung_up: false,
            outgoing: Bytes::new(),
            incoming: Chunks::new(),
            delivered: 0,
            received: 0,
            told: VecDeque::new(),
            is_telling: false,
            has_low_mark: false,
            is_due: false,
            out_done: false,
            in_done: false,
            unread: false,
            planted: false,
        }
    }

    /// Takes note of edges of our end.
    pub(super) fn note(&mut self, events: u32) {
        let has = |event: i32| events & event as u32 != 0;
        self.readable |= has(libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR);
        self.writable |= has(libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR);
        self.hung_up |= has(libc::EPOLLHUP);
    }

    /// Whether the hang-up is the program's last close, or just both
    /// directions shut one by one; then its close is told by its liveness.
    pub(super) fn hang_up_is_close(&self, shut: Shut) -> bool {
        self.hung_up && !(shut.write && (self.in_done || shut.read))
    }

    /// Whether closing our end now reads as a reset in theirs.
    pub(super) fn has_unread(&self) -> bool {
        let mut buffer = [const { std::mem::MaybeUninit::uninit() }; 1];
        matches!(unix::receive(self.ours.as_fd(), &mut buffer, libc::MSG_PEEK), Ok(1))
    }

    /// From now on what arrives is told of, if its socket asks for that.
    pub(super) fn set_telling(&mut self, on: bool) {
        self.is_telling = on;
    }

    /// From now on bytes stay in the stack until there are enough of them, or no longer.
    pub(super) fn set_low_mark(&mut self, on: bool) {
        self.has_low_mark = on;
    }

    /// What the stack holds back goes to the program, enough or not.
    pub(super) fn release(&mut self) {
        self.is_due = true;
    }

    /// Bytes received that theirs has yet to be given.
    pub(super) fn undelivered(&self) -> usize {
        self.incoming.len()
    }

    /// Everything that the program has written so far is the stack's.
    pub(super) fn is_drained(&self) -> bool {
        self.outgoing.is_empty() && unix::waiting(self.ours.as_fd()).is_ok_and(|waiting| waiting == 0)
    }

    /// What holds of everything received up to here; how much is in the queue is counted when it is asked for.
    fn note_told(&mut self, mut control: Vec<ControlMessage>) {
        control.retain(|message| !matches!(message, ControlMessage::InQueue(_)));
        if control.is_empty() {
            return;
        }
        // What native reads have taken is told to nobody.
        if self.told.len() >= TOLD {
            self.told.pop_front();
        }
        self.told.push_back((self.received, control));
    }

    /// What there is to tell of the last of `len` bytes that were read, or looked at, while `unread` stay in theirs.
    pub(super) fn told_of(&mut self, unread: usize, len: usize, is_taken: bool) -> Vec<ControlMessage> {
        let read = self.delivered.saturating_sub(unread as u64);
        let last = if is_taken { read } else { read + len as u64 };
        if len == 0 {
            return Vec::new();
        }
        self.told.retain(|(end, _)| *end >= read);
        self.told.iter().find(|(end, _)| *end >= last).map(|(_, control)| control.clone()).unwrap_or_default()
    }

    /// Whether something of what the program wrote, or its end, has yet to reach the stack.
    pub(super) fn is_sending(&self) -> bool {
        !self.out_done
    }

    /// Does all that can be done now.
    pub(super) fn pump(
        &mut self,
        endpoint: &Socket,
        sock: &Sock,
        shut: Shut,
        closed: bool,
        stats: &Stats,
        scratch: &mut BytesMut,
    ) -> Step {
        let waker = sock.waker();
        let out = self.pump_out(endpoint, &waker, shut, closed, stats, scratch);
        if let Stop::Step(step) = out {
            return step;
        }
        if closed {
            return self.finish(matches!(out, Stop::Turn));
        }
        let inward = self.pump_in(endpoint, &waker, shut, stats);
        match (out, inward) {
            (_, Stop::Step(step)) => step,
            (Stop::Turn, _) | (_, Stop::Turn) => Step::More,
            _ => Step::Idle,
        }
    }

    /// The program has gone: what it wrote is delivered, what it has not read
    /// turns the close into a reset.
    fn finish(&self, more: bool) -> Step {
        if self.unread || !self.incoming.is_empty() || unix::take_error(&self.ours) == libc::ECONNRESET {
            Step::Abort
        } else if more {
            Step::More
        } else if self.out_done {
            Step::Finished
        } else {
            Step::Idle
        }
    }

    fn pump_out(
        &mut self,
        endpoint: &Socket,
        waker: &Waker,
        shut: Shut,
        closed: bool,
        stats: &Stats,
        scratch: &mut BytesMut,
    ) -> Stop {
        let mut moved = 0;
        while !self.out_done {
            if let Some(stop) = self.flush_out(endpoint, waker, closed, stats) {
                return stop;
            }
            if !self.readable {
                return Stop::Dry;
            }
            if moved >= TURN {
                return Stop::Turn;
            }
            if self.pass_urgent_out(endpoint) {
                continue;
            }
            match self.read(scratch, closed) {
                Read::Data(read) => {
                    moved += read;
                    if let Some(stop) = self.pass_on(endpoint, scratch, stats, closed) {
                        return stop;
                    }
                }
                Read::Later => self.readable = false,
                Read::End => {
                    self.out_done = true;
                    if closed {
                        // The close itself sends the FIN, or the RST that
                        // SO_LINGER asks for.
                        return Stop::Dry;
                    }
                    // The close may be newer than the edges.
                    self.hung_up |= unix::poll_now(self.ours.as_fd(), 0) & libc::POLLHUP != 0;
                    if self.hang_up_is_close(shut) {
                        return Stop::Step(Step::GuestGone);
                    }
                    let _ = endpoint.shutdown(Shutdown::Write);
                }
                Read::ClosedUnread => {
                    self.unread = true;
                    return Stop::Step(if closed { Step::Abort } else { Step::GuestGone });
                }
            }
        }
        Stop::Dry
    }

    /// Gives the stack what an earlier read has left over.
    fn flush_out(&mut self, endpoint: &Socket, waker: &Waker, closed: bool, stats: &Stats) -> Option<Stop> {
        while !self.outgoing.is_empty() {
            match endpoint.try_send_bytes(self.outgoing.clone(), MsgFlags::empty()) {
                Ok(sent) => {
                    let _ = self.outgoing.split_to(sent);
                    Stats::add(&stats.bytes_out, sent);
                }
                Err(error) if errno(&error) == libc::EAGAIN => {
                    let mut cx = Context::from_waker(waker);
                    if endpoint.poll_ready(&mut cx, Ready::OUT).is_pending() {
                        return Some(Stop::Dry);
                    }
                }
                Err(error) => return Some(self.out_failed(errno(&error), closed)),
            }
        }
        None
    }

    /// The program's out-of-band byte, when the reads (which stop there) have
    /// come to it; whether it was.
    fn pass_urgent_out(&mut self, endpoint: &Socket) -> bool {
        if !unix::at_mark(self.ours.as_fd()) {
            return false;
        }
        let mut byte = [const { std::mem::MaybeUninit::uninit() }; 1];
        let Ok(1) = unix::receive(self.ours.as_fd(), &mut byte, 0) else { return false };
        // SAFETY: the kernel has filled the byte.
        let byte = [unsafe { byte[0].assume_init() }];
        // With a full send buffer it is lost as urgent, but not as a byte.
        if endpoint.try_send(&byte, MsgFlags::OOB).is_err() {
            self.outgoing = Bytes::copy_from_slice(&byte);
        }
        true
    }

    /// One read from the program.
    fn read(&self, scratch: &mut BytesMut, closed: bool) -> Read {
        scratch.clear();
        scratch.reserve(READ);
        let mut room = READ;
        if self.planted {
            // The planted byte stays behind; it is the last one.
            let Ok(waiting @ 2..) = unix::waiting(self.ours.as_fd()) else {
                return if closed && unix::take_error(&self.ours) != 0 { Read::ClosedUnread } else { Read::End };
            };
            room = room.min(waiting - 1);
        }
        let spare = scratch.spare_capacity_mut();
        let room = room.min(spare.len());
        let Some(part) = spare.get_mut(..room) else { return Read::Later };
        loop {
            match unix::receive(self.ours.as_fd(), part, 0) {
                Ok(0) => return Read::End,
                Ok(read) => {
                    // SAFETY: the kernel has filled this many bytes.
                    unsafe { scratch.set_len(read) };
                    return Read::Data(read);
                }
                Err(error) => match errno(&error) {
                    libc::EAGAIN => return Read::Later,
                    libc::EINTR => {}
                    _ => return Read::ClosedUnread,
                },
            }
        }
    }

    /// From now on the last byte that can be read is not the program's.
    pub(super) fn note_planted(&mut self) {
        self.planted = true;
        self.readable = true;
    }

    /// Gives what was read to the stack: small pieces by copy, large ones as they are.
    fn pass_on(&mut self, endpoint: &Socket, scratch: &mut BytesMut, stats: &Stats, closed: bool) -> Option<Stop> {
        if scratch.len() > COPY_BREAK {
            self.outgoing = scratch.split().freeze();
            return None;
        }
        let sent = match endpoint.try_send(scratch, MsgFlags::empty()) {
            Ok(sent) => sent,
            Err(error) if errno(&error) == libc::EAGAIN => 0,
            Err(error) => return Some(self.out_failed(errno(&error), closed)),
        };
        Stats::add(&stats.bytes_out, sent);
        if let Some(rest @ [_, ..]) = scratch.get(sent..) {
            self.outgoing = Bytes::copy_from_slice(rest);
        }
        None
    }

    /// TCP takes no more. What it has received is still to be read, and its
    /// error comes after that.
    fn out_failed(&mut self, error: i32, closed: bool) -> Stop {
        self.out_done = true;
        self.outgoing = Bytes::new();
        if closed {
            return Stop::Step(Step::Finished);
        }
        if self.in_done {
            return Stop::Step(Step::Reset(error));
        }
        Stop::Dry
    }

    fn pump_in(&mut self, endpoint: &Socket, waker: &Waker, shut: Shut, stats: &Stats) -> Stop {
        let mut moved = 0;
        loop {
            if shut.read {
                // Linux goes on taking and acknowledging what nobody will read.
                self.incoming = Chunks::new();
            }
            if let Some(stop) = self.deliver(&mut moved, stats) {
                return stop;
            }
            if self.in_done {
                return self.watch_for_reset(endpoint, waker);
            }
            if moved >= TURN {
                return Stop::Turn;
            }
            match self.receive(endpoint) {
                Received::End => {
                    self.in_done = true;
                    let _ = unix::shutdown(self.ours.as_fd(), libc::SHUT_WR);
                }
                Received::Data(chunks, control) => {
                    if shut.read {
                        moved += chunks.len();
                    }
                    self.received += chunks.len() as u64;
                    self.note_told(control);
                    self.incoming = chunks;
                }
                Received::Urgent(byte) => {
                    let _ = unix::send(self.ours.as_fd(), &[byte], libc::MSG_OOB);
                }
                Received::Later(interest) => match endpoint.poll_ready(&mut Context::from_waker(waker), interest) {
                    Poll::Pending => return Stop::Dry,
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Stop::Step(Step::Reset(errno(&error))),
                },
                Received::Failed(error) => return Stop::Step(Step::Reset(error)),
            }
        }
    }

    /// A read from the stack, if it is time for one.
    fn receive(&mut self, endpoint: &Socket) -> Received {
        if self.has_low_mark && !self.is_due {
            let ready = endpoint.host().with_stack(|stack, _| stack.readiness(endpoint.id()));
            if !ready.intersects(Ready::IN | Ready::PRI) {
                return Received::Later(Ready::IN | Ready::PRI);
            }
            self.is_due = true;
        }
        let received = receive(endpoint, self.is_telling);
        self.is_due &= !matches!(received, Received::Later(_));
        received
    }

    /// Writes what has been received to the program.
    fn deliver(&mut self, moved: &mut usize, stats: &Stats) -> Option<Stop> {
        while !self.incoming.is_empty() {
            if !self.writable {
                return Some(Stop::Dry);
            }
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut used = 0;
            for (slice, bytes) in slices.iter_mut().zip(self.incoming.iter()) {
                *slice = IoSlice::new(bytes);
                used += 1;
            }
            let filled = slices.get(..used).unwrap_or_default();
            match unix::send_gather(self.ours.as_fd(), filled, 0) {
                Ok(sent) => {
                    self.incoming.advance(sent);
                    self.delivered += sent as u64;
                    *moved += sent;
                    Stats::add(&stats.bytes_in, sent);
                }
                Err(error) => match errno(&error) {
                    libc::EAGAIN => self.writable = false,
                    libc::EINTR => {}
                    // Nobody can read it any more: closed (a shut reading side
                    // is known and dealt with above).
                    _ => return Some(Stop::Step(Step::GuestGone)),
                },
            }
        }
        None
    }

    /// After the peer's end of stream a reset can still come while the program writes.
    fn watch_for_reset(&self, endpoint: &Socket, waker: &Waker) -> Stop {
        if self.out_done {
            return Stop::Dry;
        }
        match endpoint.poll_ready(&mut Context::from_waker(waker), Ready::empty()) {
            Poll::Ready(Ok(ready)) if ready.contains(Ready::ERR) => match endpoint.take_error() {
                Ok(Some(error)) | Err(error) => Stop::Step(Step::Reset(errno(&error))),
                Ok(None) => Stop::Dry,
            },
            _ => Stop::Dry,
        }
    }
}
