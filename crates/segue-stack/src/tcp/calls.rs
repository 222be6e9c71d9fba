//! The calls on stream sockets, but for connect(): listen, accept, send, recv, shutdown, close.
//!
//! Decides which errno a call gives in which role of the socket, as Linux does; what happens on the wire is the
//! connection's affair. RFC 9293 3.9.1 (the user calls). Nothing here waits: where Linux would, the answer is `EAGAIN`.
use core::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use segue_tcp::{Chunks, Events, Instant, Outcome, RecvError, SendError, SendFlags, State};

use super::errno_of;
use super::listener::Listener;
use super::listeners::Place;
use super::stream::{Role, StreamSocket};
use super::watching::Asking;
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::socket::timestamping::TimestampingFlags;
use crate::stack::{Result, Stack};
use crate::{Counter, Errno, IfaceId, MsgFlags, Shutdown, SocketId};

impl Stack {
    pub(crate) fn stream_mut(&mut self, id: SocketId) -> Result<&mut StreamSocket> {
        self.refresh(id.index);
        match self.live_mut(id)? {
            Socket::Stream(stream) => Ok(stream),
            Socket::Datagram(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    pub(crate) fn listen_stream(&mut self, id: SocketId, backlog: i32) -> Result<()> {
        // As Linux: a negative backlog is a huge one, and both are capped.
        let backlog = u32::try_from(backlog).unwrap_or(u32::MAX).min(self.settings.core.somaxconn);
        let stream = self.stream_mut(id)?;
        match &mut stream.role {
            Role::Listener(listener) => {
                listener.backlog = backlog;
                self.offer_fast_open(id, backlog);
                return Ok(());
            }
            Role::Connected(_) => return Err(Errno::EINVAL),
            Role::Idle(_) => {}
        }
        if stream.common.port == 0 {
            self.bind_ephemeral(id, true).map_err(|_| Errno::EADDRINUSE)?;
        } else if !self.may_listen(id.index) {
            return Err(Errno::EADDRINUSE);
        }
        self.change_claim(id.index, |common| common.flags.insert(Flags::CLAIM_LISTENING | Flags::CLAIM_BOUND));
        self.note_taken(id.index);
        let stream = self.stream_mut(id)?;
        stream.common.flags.remove(Flags::SHUT_READ | Flags::SHUT_WRITE);
        let (port, place) = (stream.common.port, Place::of(&stream.common));
        stream.role =
            Role::Listener(Box::new(Listener::new(stream.options().clone(), Arc::clone(stream.config()), backlog)));
        self.tcp.listeners.add(port, place, id.index);
        self.offer_fast_open(id, backlog);
        Ok(())
    }

    /// Two sockets may be bound to one address with `SO_REUSEADDR`; only one of them may listen.
    fn may_listen(&mut self, index: u32) -> bool {
        let Some(claim) = self.unclaim_port(index) else { return false };
        let may = self.sockets.at(index).is_some_and(|socket| self.tcp.ports.may_bind(socket.common().port, &claim));
        self.claim_stream_port(index);
        may
    }

    pub(crate) fn listen_on_any(&mut self, id: SocketId, iface: IfaceId) -> Result<()> {
        self.net.iface(iface).ok_or(Errno::ENODEV)?;
        if self.tcp.any.contains_key(&iface) {
            return Err(Errno::EADDRINUSE);
        }
        let backlog = self.settings.core.somaxconn;
        let stream = self.stream_mut(id)?;
        let mut listener = Listener::new(stream.options().clone(), Arc::clone(stream.config()), backlog);
        listener.any = Some(iface);
        stream.role = Role::Listener(Box::new(listener));
        stream.common.pinned = Some(iface);
        self.tcp.any.insert(iface, id.index);
        Ok(())
    }

    pub(crate) fn accept_stream(&mut self, id: SocketId) -> Result<(SocketId, SocketAddr)> {
        let stream = self.stream_mut(id)?;
        let listener = stream.listener_mut().ok_or(Errno::EINVAL)?;
        let index = listener.accept_queue.pop_front().ok_or(Errno::EAGAIN)?;
        let generation = self.sockets.generation(index).ok_or(Errno::ECONNABORTED)?;
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return Err(Errno::ECONNABORTED) };
        stream.common.flags.remove(Flags::DETACHED);
        let flow = stream.flow_mut().ok_or(Errno::ECONNABORTED)?;
        flow.listener = None;
        let peer = flow.tuple.peer_addr();
        let peer = stream.common.show(peer);
        // What arrived while it waited in the queue is news to its new owner.
        self.notify(index);
        Ok((SocketId { index, generation }, peer))
    }

    pub(crate) fn send_stream(
        &mut self,
        now: Instant,
        id: SocketId,
        data: Sending<'_>,
        flags: MsgFlags,
        to: Option<SocketAddr>,
    ) -> Result<usize> {
        self.send_stream_asking(now, id, data, flags, None, to)
    }

    /// As [`send_stream`](Self::send_stream), with times for this call in place of the socket's.
    pub(crate) fn send_stream_asking(
        &mut self,
        now: Instant,
        id: SocketId,
        data: Sending<'_>,
        flags: MsgFlags,
        asked: Option<TimestampingFlags>,
        to: Option<SocketAddr>,
    ) -> Result<usize> {
        let stream = self.stream_mut(id)?;
        if let Some(error) = stream.common.error.take() {
            return Err(error);
        }
        if (flags.contains(MsgFlags::FASTOPEN) || self.syn_waits(id))
            && let Some(sent) = self.send_in_syn(now, id, &data, to)?
        {
            return Ok(sent);
        }
        let stream = self.stream_mut(id)?;
        let asking = Asking::of(stream, flags, asked, matches!(data, Sending::Copy(_)));
        let mut how = SendFlags::empty();
        how.set(SendFlags::MORE, flags.contains(MsgFlags::MORE));
        how.set(SendFlags::OOB, flags.contains(MsgFlags::OOB));
        how.set(SendFlags::EOR, flags.contains(MsgFlags::EOR));
        let flow = stream.flow_mut().ok_or(Errno::EPIPE)?;
        let sent = match data {
            Sending::Copy(data) => flow.connection.send(now, data, how),
            Sending::Move(data) => flow.connection.send_bytes(now, data, how),
        };
        if let (Some(asking), Ok(len @ 1..)) = (asking, &sent) {
            stream.watch_write(&asking, *len);
        }
        self.settle_call(now, id.index);
        sent.map_err(|error| match error {
            SendError::WouldBlock => Errno::EAGAIN,
            SendError::BrokenPipe | SendError::NotConnected => Errno::EPIPE,
            SendError::Failed(error) => errno_of(error),
        })
    }

    pub(crate) fn recv_stream(
        &mut self,
        now: Instant,
        id: SocketId,
        buffer: &mut [u8],
        flags: MsgFlags,
    ) -> Result<usize> {
        if self.is_shut_idle(id)? {
            return Ok(0);
        }
        let peek_offset = usize::try_from(self.stream_mut(id)?.common.rare().peek_offset).ok();
        let flow = self.readable_flow(id, flags)?;
        let received = if flags.contains(MsgFlags::OOB) {
            let taken = flow.connection.recv_urgent(now, !flags.contains(MsgFlags::PEEK));
            taken.map(|byte| {
                byte.zip(buffer.first_mut()).map_or(0, |(byte, first)| {
                    *first = byte;
                    1
                })
            })
        } else if flags.contains(MsgFlags::PEEK) {
            flow.connection.peek(now, peek_offset.unwrap_or(0), buffer)
        } else if flags.contains(MsgFlags::TRUNC) {
            // tcp(7): the bytes are thrown away.
            flow.connection.recv_chunks(now, buffer.len()).map(|chunks| chunks.len())
        } else {
            flow.connection.recv(now, buffer)
        };
        if let (Some(offset), Ok(len)) = (peek_offset, &received)
            && !flags.contains(MsgFlags::OOB)
        {
            // SO_PEEK_OFF: the next look begins where this one ended; what is taken moves it back.
            let is_look = flags.contains(MsgFlags::PEEK);
            let moved = if is_look { offset + len } else { offset.saturating_sub(*len) };
            self.stream_mut(id)?.common.rare_mut().peek_offset = i32::try_from(moved).unwrap_or(i32::MAX);
        }
        self.settle_call(now, id.index);
        match received {
            // As Linux: an attempt that failed leaves a socket shut in both directions, which reads end of file.
            Err(RecvError::NotConnected) if !flags.contains(MsgFlags::OOB) => Ok(0),
            other => other.map_err(recv_errno),
        }
    }

    pub(crate) fn recv_stream_chunks(&mut self, now: Instant, id: SocketId, max: usize) -> Result<Chunks> {
        if self.is_shut_idle(id)? {
            return Ok(Chunks::new());
        }
        let flow = self.readable_flow(id, MsgFlags::empty())?;
        let received = flow.connection.recv_chunks(now, max);
        self.settle_call(now, id.index);
        match received {
            Err(RecvError::NotConnected) => Ok(Chunks::new()),
            other => other.map_err(recv_errno),
        }
    }

    /// A socket that was shut before it was ever connected reads end of file, as on Linux.
    fn is_shut_idle(&mut self, id: SocketId) -> Result<bool> {
        let stream = self.stream_mut(id)?;
        let is_idle = matches!(stream.role, Role::Idle(_)) && stream.common.error.is_none();
        Ok(is_idle && stream.common.has(Flags::SHUT_READ))
    }

    /// The connection that a read is about, or why there is none.
    pub(crate) fn stream_at_mark(&self, id: SocketId) -> bool {
        match self.live(id) {
            Ok(Socket::Stream(stream)) => match &stream.role {
                Role::Connected(flow) => flow.connection.at_mark(),
                Role::Idle(_) | Role::Listener(_) => false,
            },
            Ok(Socket::Datagram(_)) | Err(_) => false,
        }
    }

    fn readable_flow(&mut self, id: SocketId, flags: MsgFlags) -> Result<&mut super::stream::Flow> {
        let stream = self.stream_mut(id)?;
        if flags.contains(MsgFlags::ERRQUEUE) {
            return Err(Errno::EAGAIN);
        }
        if let Some(error) = stream.common.error.take() {
            return Err(error);
        }
        match &mut stream.role {
            // As Linux: out-of-band data are asked for first, and there are none.
            Role::Connected(flow) if flow.connection.state() == State::SynSent && !flags.contains(MsgFlags::OOB) => {
                Err(Errno::EAGAIN)
            }
            Role::Connected(flow) => Ok(flow),
            Role::Idle(_) if flags.contains(MsgFlags::OOB) => Err(Errno::EINVAL),
            Role::Idle(_) | Role::Listener(_) => Err(Errno::ENOTCONN),
        }
    }

    /// A call that answers with a result of its own has left its events with the connection.
    pub(crate) fn settle_call(&mut self, now: Instant, index: u32) {
        self.settle(now, index, Outcome { events: Events::empty(), drop: None });
    }

    pub(crate) fn shutdown_stream(&mut self, now: Instant, id: SocketId, how: Shutdown) -> Result<()> {
        let stream = self.stream_mut(id)?;
        match &mut stream.role {
            Role::Idle(_) => {
                stream.common.shut(how);
                self.notify(id.index);
                Err(Errno::ENOTCONN)
            }
            Role::Listener(_) => {
                // As Linux: shutting the reading side of a listener ends it.
                if how != Shutdown::Write {
                    self.stop_listening(now, id.index);
                }
                Ok(())
            }
            Role::Connected(flow) if flow.connection.state() == State::SynSent => self.disconnect_stream(now, id),
            Role::Connected(flow) => {
                let state = flow.connection.state();
                if state == State::Closed || state == State::TimeWait {
                    return Err(Errno::ENOTCONN);
                }
                let mut outcome = Outcome::default();
                if how != Shutdown::Write {
                    outcome.events |= flow.connection.shutdown_read(now).events;
                }
                if how != Shutdown::Read {
                    outcome.events |= flow.connection.shutdown_write(now).events;
                }
                // Linux wakes whoever polls, whatever changed.
                outcome.events |= Events::READABLE;
                self.settle(now, id.index, outcome);
                Ok(())
            }
        }
    }

    pub(crate) fn close_stream(&mut self, now: Instant, id: SocketId) -> Result<()> {
        let stream = self.stream_mut(id)?;
        stream.common.flags.insert(Flags::DETACHED);
        match &mut stream.role {
            Role::Idle(_) => self.free_stream(id.index),
            Role::Listener(_) => {
                self.stop_listening(now, id.index);
                self.free_stream(id.index);
            }
            Role::Connected(flow) => {
                let outcome = flow.connection.close(now);
                self.orphan(now, id.index, outcome);
            }
        }
        Ok(())
    }

    /// The application has gone from a connection; it ends by itself, unless there are too many such.
    fn orphan(&mut self, now: Instant, index: u32, outcome: Outcome) {
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let Some(flow) = stream.flow_mut() else { return };
        if flow.is_over {
            self.settle(now, index, outcome);
            return self.release_if_unheld(index);
        }
        let queued = flow.connection.memory_use().queued as usize;
        if !core::mem::replace(&mut flow.is_orphan, true) {
            self.count_orphans(1);
        }
        self.settle(now, index, outcome);
        let too_many = self.tcp.config.memory.is_out(queued, 0);
        let is_left = self.sockets.at(index).is_some_and(|socket| match socket {
            Socket::Stream(stream) => stream.flow().is_some_and(|flow| !flow.is_over),
            Socket::Datagram(_) => false,
        });
        if too_many && is_left {
            self.counters.inc(Counter::TcpExtTCPAbortOnMemory);
            self.abort_flow(now, index);
        }
    }

    fn abort_flow(&mut self, now: Instant, index: u32) {
        if let Some(Socket::Stream(stream)) = self.sockets.at_mut(index)
            && let Some(flow) = stream.flow_mut()
        {
            let outcome = flow.connection.abort(now);
            self.settle(now, index, outcome);
        }
    }

    /// close() with a reset, whatever the options say.
    pub(crate) fn abort_stream(&mut self, now: Instant, id: SocketId) -> Result<()> {
        let stream = self.stream_mut(id)?;
        if stream.flow().is_some() {
            self.abort_flow(now, id.index);
        }
        self.close_stream(now, id)
    }

    /// A listener ends: who waits in its queues is reset, as Linux does.
    pub(crate) fn stop_listening(&mut self, now: Instant, index: u32) {
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let idle = stream.idle();
        let Role::Listener(listener) = core::mem::replace(&mut stream.role, idle) else { return };
        if let Some(iface) = listener.any {
            self.tcp.any.remove(&iface);
            stream.common.pinned = None;
        }
        let port = stream.common.port;
        let is_locked = stream.common.has(Flags::PORT_LOCKED);
        self.tcp.listeners.remove(port, index);
        self.change_claim(index, |common| common.flags.remove(Flags::CLAIM_LISTENING));
        if !is_locked {
            self.unclaim_port(index);
            if let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) {
                stream.common.port = 0;
                stream.common.flags.remove(Flags::CLAIM_BOUND);
            }
        }
        for child in listener.accept_queue {
            if self.migrate_child(child) {
                continue;
            }
            if let Some(Socket::Stream(stream)) = self.sockets.at_mut(child)
                && let Some(flow) = stream.flow_mut()
            {
                flow.listener = None;
                if flow.is_over {
                    self.release_if_unheld(child);
                } else {
                    self.abort_flow(now, child);
                }
            }
        }
        self.notify(index);
    }
}

/// What send() is given.
pub(crate) enum Sending<'a> {
    Copy(&'a [u8]),
    Move(Bytes),
}

impl Sending<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Sending::Copy(bytes) => bytes,
            Sending::Move(bytes) => bytes,
        }
    }
}

fn recv_errno(error: RecvError) -> Errno {
    match error {
        RecvError::WouldBlock => Errno::EAGAIN,
        RecvError::NotConnected => Errno::ENOTCONN,
        RecvError::NoUrgentData => Errno::EINVAL,
        RecvError::Failed(error) => errno_of(error),
    }
}
