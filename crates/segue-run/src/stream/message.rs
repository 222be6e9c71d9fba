//! Receives and sends of a stream that carry more than bytes: control messages, and memory that is lent (MSG_ZEROCOPY).
//!
//! Bytes for the program lie in theirs, so a receive takes them there; what it is told of them, the relay has noted by
//! their place in the stream, which holds however many of them native reads have taken. A send that a unix socket cannot
//! carry goes straight to the stack, behind everything that was written before it.

use std::os::fd::AsFd;
use std::task::Context;
use std::time::Instant;

use segue::{ControlMessage, MsgFlags, Ready};

use super::{Phase, Stream};
use crate::calls::message::ReceiveCall;
use crate::supervisor::{Parked, Sock, Stats, Supervisor};
use crate::sys::{errno, unix};

/// TCP_INQ (linux/tcp.h; no name in libc).
const TCP_INQ: i32 = 36;

/// SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING, by their older and newer numbers (asm-generic/socket.h).
pub(crate) const TIMES: [i32; 6] = [29, 35, 37, 63, 64, 65];

/// A send that goes straight to the stack.
#[derive(Debug)]
pub(crate) struct SendCall {
    pub(crate) parked: Parked,
    pub(crate) data: Vec<u8>,
    pub(crate) flags: MsgFlags,
    pub(crate) control: Vec<ControlMessage>,
    /// How much of it the stack has.
    pub(crate) sent: usize,
}

impl Stream {
    /// Whether recvmsg(2) tells more than bytes.
    pub(crate) fn tells(&self) -> bool {
        let is_on = |level, name| self.endpoint.getsockopt_int(level, name).is_ok_and(|on| on != 0);
        is_on(libc::IPPROTO_TCP, TCP_INQ) || TIMES[..3].iter().any(|name| is_on(libc::SOL_SOCKET, *name))
    }

    /// recvmsg(2) of a socket that tells of its bytes; `None`: it waits.
    pub(crate) fn receive(
        &mut self,
        sup: &Supervisor,
        sock: &Sock,
        call: ReceiveCall,
        may_wait: bool,
    ) -> Result<Option<i64>, i32> {
        match self.try_receive(&call) {
            Err(libc::EAGAIN) if may_wait => {
                self.receiving.push_back(call);
                sup.note_parked(sock.cookie);
                sock.wake();
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    fn try_receive(&mut self, call: &ReceiveCall) -> Result<i64, i32> {
        let theirs = call.theirs.as_fd();
        let wants_count = self.endpoint.getsockopt_int(libc::IPPROTO_TCP, TCP_INQ).is_ok_and(|on| on != 0);
        let in_stack = if wants_count { self.unread_in_stack() } else { 0 };
        let Phase::Connected(relay) = &mut self.phase else {
            return call.target.receive(call.parked.tid, theirs, call.flags, |_| Default::default());
        };
        let is_taken = call.flags & libc::MSG_PEEK == 0;
        call.target.receive(call.parked.tid, theirs, call.flags, |taken| {
            let unread = unix::waiting(theirs).unwrap_or(0);
            let mut control = relay.told_of(unread, taken.len(), is_taken);
            if wants_count {
                let count = unread + relay.undelivered() + in_stack;
                control.push(ControlMessage::InQueue(i32::try_from(count).unwrap_or(i32::MAX)));
            }
            (Vec::new(), control)
        })
    }

    /// Bytes that the relay has yet to take, and one more for the end of the stream, as TCP_INQ counts them.
    fn unread_in_stack(&self) -> usize {
        let looked = self.endpoint.try_recv_message(&mut [], MsgFlags::PEEK);
        let counted = looked.into_iter().flat_map(|message| message.control).find_map(|message| match message {
            ControlMessage::InQueue(count) => usize::try_from(count).ok(),
            _ => None,
        });
        counted.unwrap_or(0)
    }

    /// A send that a unix socket cannot carry. `EAGAIN`: there is no room, or what was written before is still on its way.
    pub(crate) fn send_at_once(&mut self, sock: &Sock, stats: &Stats, call: &mut SendCall) -> Result<i64, i32> {
        let Phase::Connected(relay) = &self.phase else { return Err(self.error.take().unwrap_or(libc::EPIPE)) };
        if self.shut.write {
            return Err(libc::EPIPE);
        }
        if !relay.is_drained() {
            sock.wake();
            return Err(libc::EAGAIN);
        }
        loop {
            let rest = call.data.get(call.sent..).unwrap_or_default();
            match self.endpoint.try_send_message(rest, call.flags, None, &call.control) {
                Ok(sent) => {
                    call.sent += sent;
                    Stats::add(&stats.bytes_out, sent);
                    if call.sent >= call.data.len() {
                        return Ok(call.sent as i64);
                    }
                }
                Err(error) if errno(&error) == libc::EAGAIN => {
                    let waker = sock.waker();
                    if self.endpoint.poll_ready(&mut Context::from_waker(&waker), Ready::OUT).is_pending() {
                        return Err(libc::EAGAIN);
                    }
                }
                Err(error) => return Err(errno(&error)),
            }
        }
    }

    /// What a send answers that cannot go on: its error, unless some of it has gone.
    pub(crate) fn send_cut_short(call: &SendCall, error: i32) -> Result<i64, i32> {
        if call.sent > 0 { Ok(call.sent as i64) } else { Err(error) }
    }

    /// A send that waits.
    pub(crate) fn wait_to_send(&mut self, sup: &Supervisor, sock: &Sock, call: SendCall) {
        self.sending.push_back(call);
        sup.note_parked(sock.cookie);
        sock.wake();
    }

    /// Calls that can go on now, in their order.
    pub(super) fn serve_messages(&mut self, sup: &Supervisor, sock: &Sock) {
        while let Some(mut call) = self.sending.pop_front() {
            match self.send_at_once(sock, &sup.stats, &mut call) {
                Err(libc::EAGAIN) => {
                    self.sending.push_front(call);
                    break;
                }
                Err(error) => {
                    let _ = sup.listener.answer(call.parked.id, Stream::send_cut_short(&call, error));
                }
                done => {
                    let _ = sup.listener.answer(call.parked.id, done);
                }
            }
        }
        while let Some(call) = self.receiving.pop_front() {
            match self.try_receive(&call) {
                Err(libc::EAGAIN) => {
                    self.receiving.push_front(call);
                    break;
                }
                result => {
                    let _ = sup.listener.answer(call.parked.id, result);
                }
            }
        }
    }

    /// Ends the waits whose time is over and forgets those whose callers were interrupted; whether any are left.
    pub(super) fn check_messages(&mut self, sup: &Supervisor, now: Instant) -> bool {
        self.receiving.retain(|call| call.parked.waits_on(&sup.listener, now, Err(libc::EAGAIN)));
        self.sending
            .retain(|call| call.parked.waits_on(&sup.listener, now, Stream::send_cut_short(call, libc::EAGAIN)));
        !self.receiving.is_empty() || !self.sending.is_empty()
    }
}
