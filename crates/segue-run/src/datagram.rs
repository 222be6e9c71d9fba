//! A UDP (or ping) socket of the program.
//!
//! Theirs is an AF_UNIX datagram socket. Each datagram that arrives is put
//! into it from a socket whose own name says who the sender is, so native
//! recv, read, poll and MSG_PEEK are right, and a receive that wants the
//! address finds it with the data. Connected, theirs and ours hear only each
//! other, and native send and write go straight through.
//! The queue is the stack's: the kernel's takes a handful, and what does not
//! fit stays (and is bounded, and dropped) there. Outwards nothing is dropped:
//! when the stack's send buffer is full, sends wait, as on the kernel's sockets.
//! Control messages (IP_PKTINFO, IP_TTL, timestamps) are kept here, by the
//! number of a speaker that says this one datagram; a connected socket, which
//! hears one speaker alone, stamps what it is sent, and the stamp tells which
//! datagram it was.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use segue::{ControlMessage, MsgFlags, Ready, Socket};

use crate::address;
use crate::calls::message::{ReceiveCall, Taken};
use crate::holder::{Holder, borrow_from_anyone};
use crate::supervisor::{Parked, Sock, Stats, Supervisor, Verdict};
use crate::sys::errno;
use crate::sys::unix;

/// Remotes that keep their speaker; the oldest makes room.
const SPEAKERS: usize = 64;
/// Datagrams each way before other sockets get their turn.
const TURN: usize = 256;
/// Datagrams whose control messages are kept: more than theirs has room for.
const TOLD: usize = 1024;
/// The largest datagram.
pub(crate) const LARGEST: usize = 65_535;
/// What an IP packet has room for behind UDP's header.
const LARGEST_PAYLOAD_V4: i32 = 65_535 - 20 - 8;
const LARGEST_PAYLOAD_V6: i32 = 65_535 - 8;

/// A send with an address that waits for room.
#[derive(Debug)]
pub(crate) struct SendCall {
    pub(crate) parked: Parked,
    pub(crate) data: Vec<u8>,
    /// `None`: to the peer.
    pub(crate) to: Option<SocketAddr>,
    pub(crate) control: Vec<ControlMessage>,
}

struct Speaker {
    remote: SocketAddr,
    fd: OwnedFd,
}

/// A datagram on its way in, waiting for room.
struct Held {
    from: SocketAddr,
    data: Vec<u8>,
    control: Vec<ControlMessage>,
}

/// By what a datagram in theirs is known again.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// The number of the speaker that said it and nothing else.
    Speaker(u64),
    /// When it was put there: between these two.
    Sent(Duration, Duration),
}

/// See the module.
pub(crate) struct Datagram {
    endpoint: Socket,
    /// A way to connect to theirs, without holding it.
    path: OwnedFd,
    speakers: VecDeque<Speaker>,
    /// Control messages of the datagrams in theirs; the oldest makes room.
    told: VecDeque<(Mark, Vec<ControlMessage>)>,
    /// Speaks for the datagram that is held, when that has control messages.
    waiting_speaker: Option<(OwnedFd, u64)>,
    /// Our end of a connected socket, and its peer.
    connected: Option<(OwnedFd, SocketAddr)>,
    held: Option<Held>,
    /// What the program wrote natively and the stack has no room for yet.
    outgoing: Option<Vec<u8>>,
    waiting: VecDeque<ReceiveCall>,
    sending: VecDeque<SendCall>,
    /// What ICMP said, until a call or SO_ERROR takes it.
    error: Option<i32>,
    holder: Holder,
    closed: bool,
}

impl Datagram {
    pub(crate) fn new(endpoint: Socket, path: OwnedFd, holder: Holder) -> Datagram {
        Datagram {
            endpoint,
            path,
            speakers: VecDeque::new(),
            told: VecDeque::new(),
            waiting_speaker: None,
            connected: None,
            held: None,
            outgoing: None,
            waiting: VecDeque::new(),
            sending: VecDeque::new(),
            error: None,
            holder,
            closed: false,
        }
    }

    pub(crate) fn set_holder(&mut self, holder: Holder) {
        self.holder = holder;
    }

    /// SO_ERROR, or the error a call reports: taken here and from theirs.
    pub(crate) fn take_error(&mut self, theirs: BorrowedFd<'_>) -> i32 {
        match self.error.take() {
            Some(error) => {
                let _ = unix::take_error(theirs);
                error
            }
            None => 0,
        }
    }

    pub(crate) fn endpoint(&self) -> &Socket {
        &self.endpoint
    }

    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.connected.as_ref().map(|(_, peer)| *peer)
    }

    /// Who sent a datagram, by the name it came with, and its control messages.
    fn sender(&self, sup: &Supervisor, taken: &Taken) -> (Option<SocketAddr>, Vec<ControlMessage>) {
        let known = sup.names.sender(&taken.name);
        let serial = known.map(|(serial, _)| serial);
        let is_it = |mark: &Mark| match *mark {
            Mark::Speaker(number) => serial == Some(number),
            Mark::Sent(from, to) => taken.at.is_some_and(|at| (from..=to).contains(&at)),
        };
        let told = self.told.iter().find(|(mark, _)| is_it(mark));
        let from = known.map(|(_, from)| from).or(self.peer());
        (from, told.map(|(_, control)| control.clone()).unwrap_or_default())
    }

    /// connect(2); `None` undoes it.
    pub(crate) fn connect(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        theirs: BorrowedFd<'_>,
        to: Option<SocketAddr>,
    ) -> Result<(), i32> {
        let failed = |error: std::io::Error| errno(&error);
        let Some(to) = to else {
            if self.connected.take().is_some() {
                self.endpoint.disconnect().map_err(failed)?;
                unix::disconnect(theirs).map_err(failed)?;
            }
            return Ok(());
        };
        self.endpoint.start_connect(to).map_err(failed)?;
        let peer = self.endpoint.peer_addr().unwrap_or(to);
        let ours = sup.names.speaker(peer).map_err(failed)?;
        sup.names.join(theirs, ours.as_fd()).map_err(failed)?;
        let back = unix::through(self.path.as_fd()).map_err(failed)?;
        unix::connect(ours.as_fd(), &back).map_err(failed)?;
        // Native sends are refused with EMSGSIZE above 32 bytes less than the buffer, which is twice what is asked for:
        // the largest datagram goes, and one byte more than it, because that is an even number.
        let largest = if peer.is_ipv4() { LARGEST_PAYLOAD_V4 } else { LARGEST_PAYLOAD_V6 };
        unix::set_int(theirs, libc::SO_SNDBUF, (largest + 1 + 32) / 2).map_err(failed)?;
        unix::tell_times(theirs).map_err(failed)?;
        sup.watch_end(ours.as_fd(), sock.cookie).map_err(failed)?;
        self.connected = Some((ours, peer));
        self.speakers.clear();
        self.waiting_speaker = None;
        sock.wake();
        Ok(())
    }

    /// sendto(2) with an address. `EAGAIN`: there is no room; [`wait_to_send`](Self::wait_to_send) waits for it.
    pub(crate) fn send_to(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        data: &[u8],
        to: Option<SocketAddr>,
        control: &[ControlMessage],
    ) -> Result<usize, i32> {
        let to = to.or(self.peer()).ok_or(libc::EDESTADDRREQ)?;
        if !self.sending.is_empty() {
            return Err(libc::EAGAIN);
        }
        let result = self.endpoint.try_send_message(data, MsgFlags::empty(), Some(to), control);
        // The first send binds; from now on answers may come.
        sock.wake();
        if result.is_ok() {
            sup.stats.note_datagram(Some(to));
        }
        result.map_err(|error| errno(&error))
    }

    /// A send for which there is no room: answered when there is.
    pub(crate) fn wait_to_send(&mut self, sup: &Supervisor, sock: &Sock, call: SendCall) {
        self.sending.push_back(call);
        sup.note_parked(sock.cookie);
        sock.wake();
    }

    /// Sends that wait for room, in their order.
    fn serve_sending(&mut self, sup: &Supervisor, sock: &Sock) {
        while let Some(call) = self.sending.front() {
            let to = call.to.or(self.peer());
            let result = self.endpoint.try_send_message(&call.data, MsgFlags::empty(), to, &call.control);
            let result = match result.map_err(|error| errno(&error)) {
                Err(libc::EAGAIN) if self.has_room(sock) => continue,
                Err(libc::EAGAIN) => return,
                result => result,
            };
            if result.is_ok() {
                sup.stats.note_datagram(to);
            }
            if let Some(call) = self.sending.pop_front() {
                let _ = sup.listener.answer(call.parked.id, result.map(|len| len as i64));
            }
        }
    }

    /// Whether the stack takes datagrams; if not, the socket has its turn when it does.
    fn has_room(&self, sock: &Sock) -> bool {
        let waker = sock.waker();
        let mut cx = Context::from_waker(&waker);
        matches!(self.endpoint.poll_ready(&mut cx, Ready::OUT), Poll::Ready(Ok(ready)) if ready.contains(Ready::OUT))
    }

    /// A receive that wants the address; without a datagram it waits.
    pub(crate) fn receive(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        call: ReceiveCall,
        may_wait: bool,
    ) -> Result<Option<i64>, i32> {
        let pending = self.take_error(call.theirs.as_fd());
        if pending != 0 {
            return Err(pending);
        }
        match self.try_receive(sup, sock, &call) {
            Err(libc::EAGAIN) if may_wait => {
                self.waiting.push_back(call);
                sup.note_parked(sock.cookie);
                sock.wake();
                Ok(None)
            }
            Ok(value) => {
                // Room for what the stack still holds.
                if self.held.is_some() {
                    sock.wake();
                }
                Ok(Some(value))
            }
            Err(error) => Err(error),
        }
    }

    fn try_receive(&self, sup: &Supervisor, sock: &Sock, call: &ReceiveCall) -> Result<i64, i32> {
        call.target.receive(call.parked.tid, call.theirs.as_fd(), call.flags, |taken| {
            let (from, control) = self.sender(sup, taken);
            (from.map(|from| address::emit(from, sock.domain)).unwrap_or_default(), control)
        })
    }

    /// The engine's turn. `buffer` has room for the largest datagram.
    pub(crate) fn pump(&mut self, sup: &Supervisor, sock: &Sock, buffer: &mut [u8]) -> Verdict {
        if self.closed {
            return self.last_words(sup, sock, buffer);
        }
        let known = self.error;
        self.serve_sending(sup, sock);
        let outward = self.pump_out(sup, sock, buffer);
        let inward = self.pump_in(sup, sock, buffer);
        self.serve_waiting(sup, sock);
        if self.error != known {
            self.show_error(sup, sock, buffer);
        }
        if outward || inward { Verdict::Again } else { Verdict::Keep }
    }

    /// Sends what the program wrote to its connected socket; whether more is there.
    fn pump_out(&mut self, sup: &Supervisor, sock: &Sock, buffer: &mut [u8]) -> bool {
        let Some((ours, _)) = &self.connected else { return false };
        for _ in 0..TURN {
            let data = match self.outgoing.take() {
                Some(data) => Cow::Owned(data),
                None => {
                    let Ok(datagram) = unix::receive_from(ours.as_fd(), buffer, 0) else { return false };
                    Cow::Borrowed(buffer.get(..datagram.len).unwrap_or_default())
                }
            };
            match self.endpoint.try_send(&data, MsgFlags::empty()) {
                Ok(_) => sup.stats.note_datagram(self.peer()),
                // It waits, and with it, when the kernel's queue is full, the program.
                Err(error) if errno(&error) == libc::EAGAIN => {
                    self.outgoing = Some(data.into_owned());
                    if !self.has_room(sock) {
                        return false;
                    }
                }
                Err(error) => self.error = Some(errno(&error)),
            }
        }
        true
    }

    /// Closed: what the program sent last still leaves, then nothing is left of the socket.
    fn last_words(&mut self, sup: &Supervisor, sock: &Sock, buffer: &mut [u8]) -> Verdict {
        while self.pump_out(sup, sock, buffer) {}
        if self.outgoing.is_some() { Verdict::Keep } else { Verdict::Remove }
    }

    /// Puts what has arrived into theirs; whether more is there.
    fn pump_in(&mut self, sup: &Supervisor, sock: &Sock, buffer: &mut [u8]) -> bool {
        for _ in 0..TURN {
            let (from, data, control) = match self.held.take() {
                Some(held) => (held.from, Cow::Owned(held.data), held.control),
                None => match self.endpoint.try_recv_message(buffer, MsgFlags::empty()) {
                    Ok(received) => {
                        let data = buffer.get(..received.len).unwrap_or_default();
                        // A datagram comes from somewhere; what has no sender is the end of a socket that was shut.
                        let Some(from) = received.from else { return false };
                        (from, Cow::Borrowed(data), received.control)
                    }
                    Err(error) if errno(&error) == libc::EAGAIN => {
                        let waker = sock.waker();
                        let mut cx = Context::from_waker(&waker);
                        match self.endpoint.poll_ready(&mut cx, Ready::IN) {
                            Poll::Ready(Ok(ready)) if ready.contains(Ready::IN) => continue,
                            _ => return false,
                        }
                    }
                    Err(error) => {
                        self.error = Some(errno(&error));
                        continue;
                    }
                },
            };
            match self.put(sup, sock, from, &data, &control) {
                Ok(()) => Stats::add(&sup.stats.datagrams_in, 1),
                Err(libc::EAGAIN) => {
                    self.held = Some(Held { from, data: data.into_owned(), control });
                    return false;
                }
                // The program has closed it, or it is connected elsewhere by now.
                Err(_) => {}
            }
            self.serve_waiting(sup, sock);
        }
        true
    }

    /// Lets the program know of an error: who waits with an address is told
    /// it; theirs gets one of its own (ECONNRESET: the only one that an AF_UNIX
    /// peer can cause), so that poll and native calls wake up.
    fn show_error(&mut self, sup: &Supervisor, sock: &Sock, buffer: &mut [u8]) {
        let Some(error) = self.error else { return };
        if let Some(call) = self.waiting.pop_front() {
            self.error = None;
            let _ = sup.listener.answer(call.parked.id, Err(error));
            return;
        }
        while self.pump_out(sup, sock, buffer) {}
        let Some((ours, _)) = &self.connected else { return };
        let Some((theirs, holder)) = borrow_from_anyone(self.holder, sock.cookie) else { return };
        self.holder = holder;
        // A peer that turns away with something of ours unread says so.
        let _ = unix::send(theirs.as_fd(), &[], 0);
        let _ = unix::disconnect(ours.as_fd());
        if let Ok(back) = unix::through(self.path.as_fd()) {
            let _ = unix::connect(ours.as_fd(), &back);
        }
    }

    fn put(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        from: SocketAddr,
        data: &[u8],
        control: &[ControlMessage],
    ) -> Result<(), i32> {
        if !control.is_empty() && self.connected.is_none() {
            return self.put_with_control(sup, sock, from, data, control);
        }
        let Some((ours, _)) = &self.connected else {
            let speaker = self.speaker(sup, sock, from)?;
            return unix::send(speaker, data, 0).map(drop).map_err(|error| errno(&error));
        };
        let before = unix::wall_clock();
        unix::send(ours.as_fd(), data, 0).map_err(|error| errno(&error))?;
        if !control.is_empty() {
            self.note_told(Mark::Sent(before, unix::wall_clock()), control);
        }
        Ok(())
    }

    fn note_told(&mut self, mark: Mark, control: &[ControlMessage]) {
        self.told.truncate(TOLD - 1);
        self.told.push_front((mark, control.to_vec()));
    }

    /// Puts a datagram into theirs by a speaker of its own.
    fn put_with_control(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        from: SocketAddr,
        data: &[u8],
        control: &[ControlMessage],
    ) -> Result<(), i32> {
        let failed = |error: std::io::Error| errno(&error);
        let (fd, serial, is_watched) = match self.waiting_speaker.take() {
            Some((fd, serial)) => (fd, serial, true),
            None => {
                let (fd, serial) = sup.names.numbered_speaker(from).map_err(failed)?;
                let theirs = unix::through(self.path.as_fd()).map_err(failed)?;
                unix::connect(fd.as_fd(), &theirs).map_err(failed)?;
                (fd, serial, false)
            }
        };
        if let Err(error) = unix::send(fd.as_fd(), data, 0).map_err(failed) {
            // Who was refused is told of room.
            if !is_watched {
                sup.watch_end(fd.as_fd(), sock.cookie).map_err(failed)?;
            }
            self.waiting_speaker = Some((fd, serial));
            return Err(error);
        }
        self.note_told(Mark::Speaker(serial), control);
        Ok(())
    }

    /// The socket that speaks for a remote.
    fn speaker(&mut self, sup: &Supervisor, sock: &Sock, remote: SocketAddr) -> Result<BorrowedFd<'_>, i32> {
        let failed = |error: std::io::Error| errno(&error);
        match self.speakers.iter().position(|speaker| speaker.remote == remote) {
            // Most datagrams come from the one who sent the last.
            Some(0) => {}
            Some(at) => self.speakers.swap(0, at),
            None => {
                let fd = sup.names.speaker(remote).map_err(failed)?;
                let theirs = unix::through(self.path.as_fd()).map_err(failed)?;
                unix::connect(fd.as_fd(), &theirs).map_err(failed)?;
                sup.watch_end(fd.as_fd(), sock.cookie).map_err(failed)?;
                if self.speakers.len() >= SPEAKERS {
                    self.speakers.pop_back();
                }
                self.speakers.push_front(Speaker { remote, fd });
            }
        }
        self.speakers.front().map(|speaker| speaker.fd.as_fd()).ok_or(libc::ENOMEM)
    }

    fn serve_waiting(&mut self, sup: &Supervisor, sock: &Sock) {
        while let Some(call) = self.waiting.pop_front() {
            match self.try_receive(sup, sock, &call) {
                Err(libc::EAGAIN) => {
                    self.waiting.push_front(call);
                    return;
                }
                result => {
                    let _ = sup.listener.answer(call.parked.id, result);
                }
            }
        }
    }

    /// See [`crate::stream::Stream::check_parked`].
    pub(crate) fn check_parked(&mut self, sup: &Supervisor, now: Instant) -> bool {
        self.waiting.retain(|call| call.parked.waits_on(&sup.listener, now, Err(libc::EAGAIN)));
        self.sending.retain(|call| call.parked.waits_on(&sup.listener, now, Err(libc::EAGAIN)));
        !self.waiting.is_empty() || !self.sending.is_empty()
    }

    /// The last descriptor of it has been closed: what it sent last is sent.
    pub(crate) fn on_closed(&mut self, sup: &Supervisor, sock: &Sock) -> Verdict {
        self.closed = true;
        if self.connected.is_none() {
            return Verdict::Remove;
        }
        self.last_words(sup, sock, &mut vec![0; LARGEST])
    }
}
