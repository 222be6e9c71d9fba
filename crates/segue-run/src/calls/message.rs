//! Sends and receives that carry an address: sendto, recvfrom, sendmsg,
//! recvmsg and their plural forms, on datagram sockets; on streams those that
//! carry more than bytes. The others, and those on sockets that are not ours,
//! are performed by the kernel.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use segue::{ControlMessage, Domain, MsgFlags, ReceivedMessage, Socket, decode_control, encode_control};

use crate::address::{self, Given};
use crate::caller::{Answer, Caller, Reply, Target as Descriptor, give_address};
use crate::datagram::SendCall;
use crate::lock;
use crate::stream::{self, Stream};
use crate::supervisor::{Parked, Sock, State};
use crate::sys::{self, errno, memory, unix};

/// Largest datagram, and so the most that is read for one.
const LARGEST: usize = 65_535;
/// The kernel's limits: UIO_MAXIOV.
const MOST_VECTORS: usize = 1024;
const MOST_MESSAGES: u32 = 1024;
/// `optmem_max`: control bytes of one send.
const MOST_CONTROL: usize = 131_072;

/// A receive that says more than bytes: the sender's address, control messages.
#[derive(Debug)]
pub(crate) struct ReceiveCall {
    pub(crate) parked: Parked,
    /// Held while the call waits.
    pub(crate) theirs: OwnedFd,
    pub(crate) flags: i32,
    pub(crate) target: Target,
}

/// What a receive has taken from theirs.
pub(crate) struct Taken {
    data: Vec<u8>,
    full: usize,
    /// The sender's AF_UNIX name.
    pub(crate) name: Vec<u8>,
    /// When it was put there, by the wall clock; only where theirs is told to tell.
    pub(crate) at: Option<Duration>,
}

impl Taken {
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }
}

/// Where a receive puts what it gets, in the caller's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Flat {
        buffer: u64,
        len: u64,
        address: u64,
        address_len: u64,
    },
    /// `struct msghdr`.
    Message(u64),
    /// An array of `struct mmsghdr`.
    Messages {
        first: u64,
        count: u32,
    },
}

/// `struct msghdr` of a 64-bit program.
struct Header {
    at: u64,
    name: u64,
    name_len: u32,
    vectors: Vec<(u64, usize)>,
    control: u64,
    control_len: u64,
}

const HEADER: usize = 56;
const NAME_LEN_AT: u64 = 8;
const CONTROL_LEN_AT: u64 = 40;
const FLAGS_AT: u64 = 48;
/// A `struct mmsghdr`, and where its length lies in it.
const MESSAGE: u64 = 64;
const MESSAGE_LEN_AT: u64 = 56;

fn word(bytes: &[u8], at: usize) -> u64 {
    let part = bytes.get(at..at + 8).and_then(|part| part.try_into().ok());
    part.map(u64::from_ne_bytes).unwrap_or(0)
}

impl Header {
    fn read(tid: u32, at: u64) -> Result<Header, i32> {
        let failed = |error: std::io::Error| errno(&error);
        let mut raw = [0; HEADER];
        memory::read(tid, at, &mut raw).map_err(failed)?;
        let count = usize::try_from(word(&raw, 24)).unwrap_or(usize::MAX);
        if count > MOST_VECTORS {
            return Err(libc::EMSGSIZE);
        }
        let mut vectors = vec![0; count * 16];
        memory::read(tid, word(&raw, 16), &mut vectors).map_err(failed)?;
        let vectors = vectors
            .chunks_exact(16)
            .map(|entry| (word(entry, 0), word(entry, 8).try_into().unwrap_or(usize::MAX)))
            .collect();
        let (control, control_len) = (word(&raw, 32), word(&raw, 40));
        Ok(Header { at, name: word(&raw, 0), name_len: word(&raw, 8) as u32, vectors, control, control_len })
    }

    fn len(&self) -> usize {
        self.vectors.iter().fold(0, |sum: usize, (_, len)| sum.saturating_add(*len))
    }

    fn gather(&self, tid: u32) -> Result<Vec<u8>, i32> {
        if self.len() > LARGEST {
            return Err(libc::EMSGSIZE);
        }
        let mut data = vec![0; self.len()];
        let mut rest = data.as_mut_slice();
        for (address, len) in &self.vectors {
            let (part, after) = rest.split_at_mut((*len).min(rest.len()));
            memory::read(tid, *address, part).map_err(|error| errno(&error))?;
            rest = after;
        }
        Ok(data)
    }

    fn scatter(&self, tid: u32, data: &[u8]) -> Result<(), i32> {
        let mut rest = data;
        for (address, len) in &self.vectors {
            let (part, after) = rest.split_at((*len).min(rest.len()));
            memory::write(tid, *address, part).map_err(|error| errno(&error))?;
            rest = after;
        }
        Ok(())
    }

    /// The control messages that a sender gives. `EINVAL`: not well-formed, `ENOBUFS`: more than the kernel takes.
    fn control_messages(&self, tid: u32) -> Result<Vec<ControlMessage>, i32> {
        if self.control == 0 || self.control_len == 0 {
            return Ok(Vec::new());
        }
        let len = usize::try_from(self.control_len).ok().filter(|len| *len <= MOST_CONTROL).ok_or(libc::ENOBUFS)?;
        let mut bytes = vec![0; len];
        memory::read(tid, self.control, &mut bytes).map_err(|error| errno(&error))?;
        decode_control(&bytes).map_err(|_| libc::EINVAL)
    }

    /// Tells the sender, the control messages as far as there is room, and the flags.
    fn tell(&self, tid: u32, from: &[u8], control: &[ControlMessage], flags: i32) -> Result<(), i32> {
        let room = if self.control == 0 { 0 } else { usize::try_from(self.control_len).unwrap_or(usize::MAX) };
        let (control, is_cut) = encode_control(control, room);
        let flags = flags | if is_cut { libc::MSG_CTRUNC } else { 0 };
        let failed = |error: std::io::Error| errno(&error);
        if self.name != 0 {
            let room = self.name_len as usize;
            memory::write(tid, self.name, from.get(..room).unwrap_or(from)).map_err(failed)?;
            let len = (from.len() as u32).to_ne_bytes();
            memory::write(tid, self.at + NAME_LEN_AT, &len).map_err(failed)?;
        }
        memory::write(tid, self.control, &control).map_err(failed)?;
        memory::write(tid, self.at + CONTROL_LEN_AT, &(control.len() as u64).to_ne_bytes()).map_err(failed)?;
        memory::write(tid, self.at + FLAGS_AT, &flags.to_ne_bytes()).map_err(failed)
    }
}

impl Target {
    /// Receives from theirs without waiting; `encode` knows the sender's
    /// address and the control messages of what was taken.
    pub(crate) fn receive(
        &self,
        tid: u32,
        theirs: BorrowedFd<'_>,
        flags: i32,
        mut encode: impl FnMut(&Taken) -> (Vec<u8>, Vec<ControlMessage>),
    ) -> Result<i64, i32> {
        match *self {
            Target::Flat { buffer, len, address, address_len } => {
                let room = usize::try_from(len).unwrap_or(usize::MAX).min(LARGEST);
                let taken = take(theirs, room, flags)?;
                memory::write(tid, buffer, &taken.data).map_err(|error| errno(&error))?;
                if address != 0 {
                    give_address(tid, address, address_len, &encode(&taken).0)?;
                }
                Ok(if flags & libc::MSG_TRUNC != 0 { taken.full as i64 } else { taken.len() as i64 })
            }
            Target::Message(at) => receive_message(tid, theirs, flags, at, &mut encode),
            Target::Messages { first, count } => {
                let mut received = 0;
                for index in 0..u64::from(count) {
                    let at = first + index * MESSAGE;
                    match receive_message(tid, theirs, flags, at, &mut encode) {
                        Ok(len) => {
                            let len = (len as u32).to_ne_bytes();
                            memory::write(tid, at + MESSAGE_LEN_AT, &len).map_err(|error| errno(&error))?;
                            received += 1;
                        }
                        Err(_) if received > 0 => break,
                        Err(error) => return Err(error),
                    }
                }
                Ok(received)
            }
        }
    }
}

fn receive_message(
    tid: u32,
    theirs: BorrowedFd<'_>,
    flags: i32,
    at: u64,
    encode: &mut impl FnMut(&Taken) -> (Vec<u8>, Vec<ControlMessage>),
) -> Result<i64, i32> {
    let header = Header::read(tid, at)?;
    let taken = take(theirs, header.len().min(LARGEST), flags)?;
    header.scatter(tid, &taken.data)?;
    let cut = if taken.full > taken.len() { libc::MSG_TRUNC } else { 0 };
    let (from, control) = encode(&taken);
    header.tell(tid, &from, &control, cut)?;
    Ok(if flags & libc::MSG_TRUNC != 0 { taken.full as i64 } else { taken.len() as i64 })
}

/// One datagram, or what there is of a stream, cut to `room`.
fn take(theirs: BorrowedFd<'_>, room: usize, flags: i32) -> Result<Taken, i32> {
    let wanted = flags & libc::MSG_PEEK;
    let mut data = vec![0; room];
    let got = unix::receive_from(theirs, &mut data, wanted | libc::MSG_TRUNC).map_err(|error| errno(&error))?;
    data.truncate(got.len);
    Ok(Taken { data, full: got.len, name: got.name, at: got.at })
}

/// Where a notified receive wants what it gets, and its flags.
pub(crate) fn receive_target(caller: &Caller<'_>) -> (Target, i32) {
    let word = |index| caller.call.word(index);
    match i64::from(caller.call.call.nr) {
        libc::SYS_recvfrom => {
            (Target::Flat { buffer: word(1), len: word(2), address: word(4), address_len: word(5) }, caller.call.int(3))
        }
        libc::SYS_recvmsg => (Target::Message(word(1)), caller.call.int(2)),
        _ => {
            let count = (word(2) as u32).min(MOST_MESSAGES);
            (Target::Messages { first: word(1), count }, caller.call.int(3))
        }
    }
}

/// The bytes of a notified sendto or sendmsg.
pub(crate) fn sent_bytes(caller: &Caller<'_>) -> Result<Vec<u8>, i32> {
    if i64::from(caller.call.call.nr) == libc::SYS_sendmsg {
        return Header::read(caller.tid(), caller.call.word(1))?.gather(caller.tid());
    }
    let len = usize::try_from(caller.call.word(2)).ok().filter(|len| *len <= LARGEST).ok_or(libc::EMSGSIZE)?;
    caller.read(caller.call.word(1), len)
}

/// recvfrom, recvmsg, recvmmsg.
pub(super) fn receive(caller: &mut Caller<'_>) -> Reply {
    let Some(Descriptor { fd, sock: Some(sock), .. }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    let number = i64::from(caller.call.call.nr);
    let (target, flags) = receive_target(caller);
    match &mut *lock(&sock.state) {
        State::Stream(_) if number == libc::SYS_recvfrom && flags & libc::MSG_TRUNC != 0 => {
            discard(fd.as_fd(), caller.call.word(2), flags)
        }
        state if flags & libc::MSG_ERRQUEUE != 0 => match target {
            Target::Message(at) => receive_error(caller.tid(), at, state.endpoint(), sock.domain),
            // An error without its control message says nothing.
            Target::Flat { .. } | Target::Messages { .. } => Err(libc::EAGAIN),
        },
        State::Stream(stream) if is_for_the_kernel(stream, &target, flags) => Ok(Answer::LetThrough),
        State::Stream(stream) => {
            let may_wait = flags & libc::MSG_DONTWAIT == 0 && !sys::is_nonblocking(fd.as_fd());
            let parked = caller.park(wait_limit(caller, number, fd.as_fd())?);
            let call = ReceiveCall { parked, theirs: fd, flags, target };
            match stream.receive(caller.sup, &sock, call, may_wait)? {
                Some(value) => Ok(Answer::Value(value)),
                None => Ok(Answer::Elsewhere),
            }
        }
        State::Datagram(datagram) => {
            let may_wait = flags & libc::MSG_DONTWAIT == 0 && !sys::is_nonblocking(fd.as_fd());
            let deadline = wait_limit(caller, number, fd.as_fd())?;
            let parked = caller.park(deadline);
            let call = ReceiveCall { parked, theirs: fd, flags, target };
            match datagram.receive(caller.sup, &sock, call, may_wait)? {
                Some(value) => Ok(Answer::Value(value)),
                None => Ok(Answer::Elsewhere),
            }
        }
    }
}

/// The next entry of the error queue: the packet's front, where it went, and what became of it.
fn receive_error(tid: u32, at: u64, endpoint: &Socket, domain: Domain) -> Reply {
    let header = Header::read(tid, at)?;
    let (data, message) = take_queued_error(endpoint, header.len())?;
    header.scatter(tid, &data)?;
    let name = message.from.map(|from| address::emit(from, domain)).unwrap_or_default();
    let cut = if message.full_len > message.len { libc::MSG_TRUNC } else { 0 };
    header.tell(tid, &name, &message.control, libc::MSG_ERRQUEUE | cut)?;
    Ok(Answer::Value(data.len() as i64))
}

fn take_queued_error(endpoint: &Socket, room: usize) -> Result<(Vec<u8>, ReceivedMessage), i32> {
    let mut buffer = vec![0; room.min(LARGEST)];
    let message = endpoint.try_recv_message(&mut buffer, MsgFlags::ERRQUEUE).map_err(|error| errno(&error))?;
    buffer.truncate(message.len);
    Ok((buffer, message))
}

/// A receive on a stream that is only about bytes. All of them (MSG_WAITALL) may be more than theirs holds at once, and an
/// urgent byte lies apart: there nothing is told.
fn is_for_the_kernel(stream: &Stream, target: &Target, flags: i32) -> bool {
    matches!(target, Target::Flat { .. }) || flags & (libc::MSG_WAITALL | libc::MSG_OOB) != 0 || !stream.tells()
}

/// MSG_TRUNC on TCP throws bytes away; an AF_UNIX stream would copy them.
fn discard(theirs: BorrowedFd<'_>, len: u64, flags: i32) -> Reply {
    let mut buffer = vec![std::mem::MaybeUninit::uninit(); usize::try_from(len).unwrap_or(LARGEST).min(1 << 20)];
    // Never waits: a program that throws bytes away knows that they are there.
    unix::receive(theirs, &mut buffer, flags & libc::MSG_PEEK)
        .map(|len| Answer::Value(len as i64))
        .map_err(|error| errno(&error))
}

/// SO_RCVTIMEO, and recvmmsg's own time-out.
fn wait_limit(caller: &Caller<'_>, number: i64, theirs: BorrowedFd<'_>) -> Result<Option<Instant>, i32> {
    let own = match caller.call.word(4) {
        at if number == libc::SYS_recvmmsg && at != 0 => {
            let raw = caller.read(at, 16)?;
            Some(Duration::new(word(&raw, 0), (word(&raw, 8) as u32).min(999_999_999)))
        }
        _ => None,
    };
    let limit = own.into_iter().chain(unix::timeout(theirs, libc::SO_RCVTIMEO)).min();
    Ok(limit.and_then(|limit| Instant::now().checked_add(limit)))
}

/// sendto, sendmsg, sendmmsg.
pub(super) fn send(caller: &mut Caller<'_>) -> Reply {
    let Some(Descriptor { fd, sock: Some(sock), .. }) = caller.target()? else {
        note_passing(caller);
        return Ok(Answer::LetThrough);
    };
    let mut state = lock(&sock.state);
    let datagram = match &mut *state {
        State::Stream(stream) => return stream_send(caller, stream, &sock, fd.as_fd()),
        State::Datagram(datagram) => datagram,
    };
    // A send that finds no room waits, unless it must not; several at once stop where one would wait.
    let mut send_one = |data: Vec<u8>, to, control: Vec<ControlMessage>, flags: i32| match datagram
        .send_to(caller.sup, &sock, &data, to, &control)
    {
        Err(libc::EAGAIN) if flags & libc::MSG_DONTWAIT == 0 && !sys::is_nonblocking(fd.as_fd()) => {
            let limit = unix::timeout(fd.as_fd(), libc::SO_SNDTIMEO);
            let parked = caller.park(limit.and_then(|limit| Instant::now().checked_add(limit)));
            datagram.wait_to_send(caller.sup, &sock, SendCall { parked, data, to, control });
            Ok(Answer::Elsewhere)
        }
        result => result.map(|len| Answer::Value(len as i64)),
    };
    match i64::from(caller.call.call.nr) {
        libc::SYS_sendto => {
            let len = usize::try_from(caller.call.word(2)).unwrap_or(usize::MAX);
            if len > LARGEST {
                return Err(libc::EMSGSIZE);
            }
            let data = caller.read(caller.call.word(1), len)?;
            let to = destination(caller, &sock, caller.call.word(4), caller.call.int(5))?;
            send_one(data, to, Vec::new(), caller.call.int(3))
        }
        libc::SYS_sendmsg => {
            let header = Header::read(caller.tid(), caller.call.word(1))?;
            let to = destination(caller, &sock, header.name, header.name_len as i32)?;
            let control = header.control_messages(caller.tid())?;
            send_one(header.gather(caller.tid())?, to, control, caller.call.int(2))
        }
        _ => {
            let count = (caller.call.word(2) as u32).min(MOST_MESSAGES);
            let mut sent = 0;
            for index in 0..u64::from(count) {
                let at = caller.call.word(1) + index * MESSAGE;
                let one = Header::read(caller.tid(), at).and_then(|header| {
                    let to = destination(caller, &sock, header.name, header.name_len as i32)?;
                    let control = header.control_messages(caller.tid())?;
                    let len = datagram.send_to(caller.sup, &sock, &header.gather(caller.tid())?, to, &control)?;
                    caller.write(at + MESSAGE_LEN_AT, &(len as u32).to_ne_bytes())
                });
                match one {
                    Ok(()) => sent += 1,
                    Err(_) if sent > 0 => break,
                    Err(error) => return Err(error),
                }
            }
            Ok(Answer::Value(sent))
        }
    }
}

/// Sends on a stream are the kernel's, except those whose flags it would misread, and those that carry more than bytes.
fn stream_send(caller: &Caller<'_>, stream: &mut Stream, sock: &Sock, theirs: BorrowedFd<'_>) -> Reply {
    let connected = stream.is_connected();
    let number = i64::from(caller.call.call.nr);
    let sendto = number == libc::SYS_sendto;
    if connected && number != libc::SYS_sendmmsg {
        let (flags, header) = if sendto {
            (caller.call.int(3), None)
        } else {
            (caller.call.int(2), Some(Header::read(caller.tid(), caller.call.word(1))?))
        };
        let control = header.as_ref().map_or(Ok(Vec::new()), |header| header.control_messages(caller.tid()))?;
        let has_control = header.as_ref().is_some_and(|header| header.control != 0 && header.control_len != 0);
        if has_control || flags & libc::MSG_ZEROCOPY != 0 {
            let data = match header {
                Some(header) => header.gather(caller.tid())?,
                None => {
                    let len = usize::try_from(caller.call.word(2)).unwrap_or(usize::MAX).min(LARGEST);
                    caller.read(caller.call.word(1), len)?
                }
            };
            return send_at_once(caller, stream, sock, theirs, (data, control, flags));
        }
    }
    if sendto && caller.call.int(3) & libc::MSG_FASTOPEN != 0 {
        return Err(if connected { libc::EISCONN } else { libc::EOPNOTSUPP });
    }
    if sendto && caller.call.word(4) != 0 && connected {
        return send_ignoring_address(caller, theirs);
    }
    Ok(Answer::LetThrough)
}

/// A send with control messages, or of memory that is lent: to the stack itself.
fn send_at_once(
    caller: &Caller<'_>,
    stream: &mut Stream,
    sock: &Sock,
    theirs: BorrowedFd<'_>,
    (data, control, flags): (Vec<u8>, Vec<ControlMessage>, i32),
) -> Reply {
    let limit = unix::timeout(theirs, libc::SO_SNDTIMEO);
    let parked = caller.park(limit.and_then(|limit| Instant::now().checked_add(limit)));
    let may_wait = flags & libc::MSG_DONTWAIT == 0 && !sys::is_nonblocking(theirs);
    let mut call = stream::SendCall { parked, data, flags: MsgFlags::from_bits_truncate(flags), control, sent: 0 };
    match stream.send_at_once(sock, &caller.sup.stats, &mut call) {
        Err(libc::EAGAIN) if may_wait => {
            stream.wait_to_send(caller.sup, sock, call);
            Ok(Answer::Elsewhere)
        }
        Err(error) => Stream::send_cut_short(&call, error).map(Answer::Value),
        Ok(sent) => Ok(Answer::Value(sent)),
    }
}

/// TCP ignores the address of a connected socket's sendto; AF_UNIX would
/// refuse it. Sent in the program's name, as much as fits: this call cannot wait.
/// Control messages on other sockets may carry descriptors.
fn note_passing(caller: &Caller<'_>) {
    let has_control = match i64::from(caller.call.call.nr) {
        libc::SYS_sendmsg => {
            caller.read(caller.call.word(1).wrapping_add(CONTROL_LEN_AT), 8).is_ok_and(|len| len != [0; 8])
        }
        libc::SYS_sendmmsg => true,
        _ => false,
    };
    if has_control {
        caller.sup.note_passing();
    }
}

fn send_ignoring_address(caller: &Caller<'_>, theirs: BorrowedFd<'_>) -> Reply {
    let len = usize::try_from(caller.call.word(2)).unwrap_or(usize::MAX).min(LARGEST);
    let data = caller.read(caller.call.word(1), len)?;
    unix::send(theirs, &data, 0).map(|sent| Answer::Value(sent as i64)).map_err(|error| errno(&error))
}

fn destination(caller: &Caller<'_>, sock: &Sock, pointer: u64, len: i32) -> Result<Option<SocketAddr>, i32> {
    if pointer == 0 {
        return Ok(None);
    }
    match address::parse(&caller.raw_address(pointer, len)?, sock.domain)? {
        Given::Internet(to) => Ok(Some(to)),
        Given::Unspecified => Ok(None),
    }
}
