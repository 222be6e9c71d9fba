//! Reading and writing.
use std::net::SocketAddr;
use std::time::Duration;

use segue_stack::{ControlMessage, MsgFlags, Ready, ReceivedMessage, SocketId, decode_control, encode_control};
use segue_wire::Instant;

use super::SegueHost;
use super::descriptor::{EAGAIN, ENOTSOCK, Operation, Outcome};
use crate::host::{Control, Fd, Output, Shape};

const EINPROGRESS: i32 = 115;
const FASTOPEN: i32 = 0x2000_0000;
const SOL_SOCKET: i32 = 1;
const RCVLOWAT: i32 = 18;
const RCVTIMEO: i32 = 20;
const SNDTIMEO: i32 = 21;

#[derive(Clone, Debug)]
pub(super) struct Receive {
    fd: Fd,
    want: usize,
    /// The bytes so far, and how many count as read.
    data: Vec<u8>,
    got: usize,
    flags: MsgFlags,
    shape: Shape,
    control_room: usize,
    pub(super) deadline: Option<Instant>,
    /// It has found too little once.
    sleeps: bool,
}

/// What recvmsg() writes; the other calls leave flags and control messages out.
fn received(receive: &mut Receive, message: Option<&ReceivedMessage>) -> Outcome {
    let data = std::mem::take(&mut receive.data);
    let (mut flags, mut control, mut from) = (0, Vec::new(), None);
    if let Some(message) = message {
        from = message.from;
        if receive.shape == Shape::Message {
            let (bytes, is_cut) = encode_control(&message.control, receive.control_room);
            // Own bytes can always be read.
            let messages = decode_control(&bytes).unwrap_or_default();
            control = messages
                .into_iter()
                .map(|message| {
                    let (level, kind) = message.name();
                    Control { level, kind, data: message.data() }
                })
                .collect();
            flags = message.flags.bits() | if is_cut { MsgFlags::CTRUNC.bits() } else { 0 };
        }
    }
    Outcome::with(receive.got as i64, Output::Received { data, flags, control, from })
}

#[derive(Clone, Debug)]
pub(super) struct Send {
    fd: Fd,
    total: usize,
    sent: usize,
    flags: MsgFlags,
    to: Option<SocketAddr>,
    /// The first attempt opens the connection (`MSG_FASTOPEN`).
    connects: bool,
    /// write() or writev(), which other things than sockets know, too.
    is_plain: bool,
    awaits_handshake: bool,
    control: Vec<ControlMessage>,
    pub(super) deadline: Option<Instant>,
}

impl SegueHost {
    pub(super) fn begin_receive(
        &mut self,
        fd: Fd,
        shape: Shape,
        pieces: &[usize],
        flags: i32,
        control_room: usize,
    ) -> Result<Operation, i32> {
        let deadline = match self.socket_at(fd) {
            Err(ENOTSOCK) if matches!(shape, Shape::Plain | Shape::Vector) => None,
            socket => self.time_limit(socket?.id, RCVTIMEO),
        };
        let flags = MsgFlags::from_bits_retain(flags);
        let want = pieces.iter().sum();
        Ok(Operation::Receive(Receive {
            fd,
            want,
            data: Vec::new(),
            got: 0,
            flags,
            shape,
            control_room,
            deadline,
            sleeps: false,
        }))
    }

    /// `SO_RCVTIMEO` or `SO_SNDTIMEO`, if it is set.
    fn time_limit(&mut self, id: SocketId, name: i32) -> Option<Instant> {
        let mut raw = [0; 16];
        if self.stack.getsockopt(self.now, id, SOL_SOCKET, name, &mut raw).ok()? < 16 {
            return None;
        }
        let (seconds, micros) = raw.split_at(8);
        let long =
            |half: &[u8]| half.try_into().map(i64::from_ne_bytes).ok().and_then(|number| u64::try_from(number).ok());
        let time = Duration::from_secs(long(seconds)?) + Duration::from_micros(long(micros)?);
        (!time.is_zero()).then(|| self.now + time)
    }

    /// `SO_RCVLOWAT`.
    fn low_mark(&mut self, id: SocketId) -> usize {
        let mut raw = [0; 4];
        match self.stack.getsockopt(self.now, id, SOL_SOCKET, RCVLOWAT, &mut raw) {
            Ok(4) => usize::try_from(i32::from_ne_bytes(raw)).unwrap_or(1),
            _ => 1,
        }
    }

    pub(super) fn attempt_receive(&mut self, receive: &mut Receive) -> Option<Outcome> {
        let socket = match self.socket_at(receive.fd) {
            Ok(socket) => socket,
            Err(ENOTSOCK) if matches!(receive.shape, Shape::Plain | Shape::Vector) => {
                return self.read_object(receive.fd, receive.want);
            }
            Err(errno) => return Some(errno.into()),
        };
        let is_over = receive.deadline.is_some_and(|deadline| self.now >= deadline);
        let may_block =
            !socket.is_nonblocking && !receive.flags.intersects(MsgFlags::DONTWAIT | MsgFlags::ERRQUEUE) && !is_over;
        // As Linux's sock_rcvlowat: what a call that blocks waits for.
        let least = match socket.is_stream && may_block {
            false => 1,
            true if receive.flags.contains(MsgFlags::WAITALL) => receive.want,
            true if receive.flags.contains(MsgFlags::PEEK) => 1,
            true => self.low_mark(socket.id).min(receive.want),
        };
        // As Linux: a reader that sleeps is woken by what poll() would tell him, which SO_RCVLOWAT bounds.
        let wakes = Ready::IN | Ready::ERR | Ready::HUP;
        if receive.sleeps && socket.is_stream && may_block && !self.stack.readiness(socket.id).intersects(wakes) {
            return None;
        }
        loop {
            let mut buffer = vec![0; receive.want - receive.data.len()];
            match self.stack.recv_message(self.now, socket.id, &mut buffer, receive.flags) {
                Ok(message) => {
                    let is_truncated = receive.flags.contains(MsgFlags::TRUNC);
                    let count = if is_truncated { message.full_len } else { message.len };
                    receive.got += count;
                    receive.data.extend_from_slice(&buffer[..message.len.min(buffer.len())]);
                    if count > 0 && receive.got < least {
                        continue;
                    }
                    return Some(received(receive, Some(&message)));
                }
                Err(errno) if errno.0 == EAGAIN && may_block => {
                    receive.sleeps = true;
                    return None;
                }
                Err(_) if receive.got > 0 => return Some(received(receive, None)),
                Err(errno) => return Some(Outcome::error(errno.0)),
            }
        }
    }

    pub(super) fn begin_send(
        &mut self,
        fd: Fd,
        shape: Shape,
        pieces: &[usize],
        flags: i32,
        to: Option<SocketAddr>,
        control: &[Control],
    ) -> Result<Operation, i32> {
        let is_plain = matches!(shape, Shape::Plain | Shape::Vector);
        let (deadline, is_stream) = match self.socket_at(fd) {
            Err(ENOTSOCK) if is_plain => (None, false),
            socket => {
                let socket = socket?;
                (self.time_limit(socket.id, SNDTIMEO), socket.is_stream)
            }
        };
        // On a stream an address has a meaning with Fast Open only.
        let to = to.filter(|_| matches!(shape, Shape::Address | Shape::Message));
        let to = to.filter(|_| !is_stream || flags & FASTOPEN != 0);
        let total = pieces.iter().sum();
        let flags = MsgFlags::from_bits_retain(flags);
        let connects = is_stream && flags.contains(MsgFlags::FASTOPEN);
        let control = control.iter().map(|spec| ControlMessage::sent(spec.level, spec.kind, &spec.data)).collect();
        Ok(Operation::Send(Send {
            fd,
            total,
            sent: 0,
            flags,
            to,
            control,
            is_plain,
            connects,
            awaits_handshake: false,
            deadline,
        }))
    }

    pub(super) fn attempt_send(&mut self, send: &mut Send) -> Option<Outcome> {
        let socket = match self.socket_at(send.fd) {
            Ok(socket) => socket,
            Err(ENOTSOCK) if send.is_plain => return self.write_object(send.fd, send.total),
            Err(errno) => return Some(errno.into()),
        };
        let is_over = send.deadline.is_some_and(|deadline| self.now >= deadline);
        let may_block = !socket.is_nonblocking && !send.flags.contains(MsgFlags::DONTWAIT) && !is_over;
        if send.awaits_handshake {
            let ready = self.stack.readiness(socket.id);
            if !ready.intersects(Ready::OUT | Ready::ERR | Ready::HUP) {
                return None;
            }
            send.awaits_handshake = false;
            if send.sent == send.total && !ready.contains(Ready::ERR) {
                return Some(Outcome::ok(send.sent as i64));
            }
        }
        loop {
            let data = vec![0; send.total - send.sent];
            let result = match (send.to, send.control.as_slice()) {
                (None, []) => self.stack.send(self.now, socket.id, &data, send.flags),
                (Some(to), []) => self.stack.send_to(self.now, socket.id, &data, send.flags, to, None),
                (to, control) => self.stack.send_message(self.now, socket.id, &data, send.flags, to, control),
            };
            // Fast Open connects once; a blocking call then waits for the handshake.
            let connects = std::mem::take(&mut send.connects);
            send.flags.remove(MsgFlags::FASTOPEN);
            match result {
                Ok(count) if connects && may_block => {
                    send.sent += count;
                    send.awaits_handshake = true;
                    return None;
                }
                Err(errno) if connects && may_block && errno.0 == EINPROGRESS => {
                    send.awaits_handshake = true;
                    return None;
                }
                Ok(count) if connects => return Some(Outcome::ok(count as i64)),
                Ok(count) => {
                    send.sent += count;
                    if socket.is_stream && may_block && count > 0 && send.sent < send.total {
                        // Room was made, or there is none: the next attempt tells.
                        self.drain();
                        continue;
                    }
                    return Some(Outcome::ok(send.sent as i64));
                }
                Err(errno) if errno.0 == EAGAIN && may_block => return None,
                Err(_) if send.sent > 0 => return Some(Outcome::ok(send.sent as i64)),
                Err(errno) => return Some(Outcome::error(errno.0)),
            }
        }
    }
}
