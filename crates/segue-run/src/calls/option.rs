//! getsockopt and setsockopt: by number through the stack's table, except what
//! the kernel must keep for native reads and writes.

use std::os::fd::AsFd;

use crate::caller::{Answer, Caller, DONE, Reply, Target};
use crate::lock;
use crate::stream::TIMES;
use crate::supervisor::State;
use crate::sys::{errno, unix};

/// More than any option of ours takes.
const LARGEST: usize = 4096;
/// What it gives depends on what the buffer says (linux/tcp.h; no name in libc).
const TCP_AO_GET_KEYS: libc::c_int = 41;
/// The 64-bit time forms of the time-outs (SO_*TIMEO_NEW).
const SO_RCVTIMEO_NEW: i32 = 66;
const SO_SNDTIMEO_NEW: i32 = 67;

/// Options of SOL_SOCKET that act on native calls, or that only the kernel knows.
fn is_native(level: i32, name: i32) -> bool {
    level == libc::SOL_SOCKET
        && matches!(
            name,
            libc::SO_RCVTIMEO
                | libc::SO_SNDTIMEO
                | SO_RCVTIMEO_NEW
                | SO_SNDTIMEO_NEW
                | libc::SO_COOKIE
                | libc::SO_ACCEPTCONN
                | libc::SO_INCOMING_CPU
        )
}

pub(super) fn set(caller: &mut Caller<'_>) -> Reply {
    let Some(Target { fd, sock: Some(sock), .. }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    let (level, name) = (caller.call.int(1), caller.call.int(2));
    if is_native(level, name) {
        return Ok(Answer::LetThrough);
    }
    let len = usize::try_from(caller.call.int(4)).map_err(|_| libc::EINVAL)?;
    let value = caller.read(caller.call.word(3), len.min(LARGEST))?;
    lock(&sock.state).endpoint().setsockopt(level, name, &value).map_err(|error| errno(&error))?;
    if level == libc::SOL_SOCKET && TIMES.contains(&name) {
        caller.sup.note_telling();
    }
    if (level, name) == (libc::SOL_SOCKET, libc::SO_LINGER) {
        caller.sup.note_lingering();
    }
    if (level, name) == (libc::SOL_SOCKET, libc::SO_RCVLOWAT)
        && let State::Stream(stream) = &*lock(&sock.state)
    {
        caller.sup.note_low_mark();
        stream.show_low_mark(caller.sup, &sock, fd.as_fd());
    }
    if (level, name) == (libc::SOL_SOCKET, libc::SO_OOBINLINE)
        && let Some(Ok(flag)) = value.get(..4).map(<[u8; 4]>::try_from)
    {
        // The mark lies in theirs.
        let _ = unix::set_int(fd.as_fd(), name, i32::from_ne_bytes(flag));
    }
    DONE
}

/// Kept by the supervisor, who meets the errors.
const SO_ERROR: (i32, i32) = (libc::SOL_SOCKET, libc::SO_ERROR);

/// Writes an int into the room there is; how much that was.
fn put_int(room: &mut [u8], value: i32) -> usize {
    let bytes = value.to_ne_bytes();
    room.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    room.len().min(bytes.len())
}

pub(super) fn get(caller: &mut Caller<'_>) -> Reply {
    let Some(Target { fd, sock: Some(sock), .. }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    let (level, name) = (caller.call.int(1), caller.call.int(2));
    if is_native(level, name) {
        return Ok(Answer::LetThrough);
    }
    let len_at = caller.call.word(4);
    let room = usize::try_from(caller.read_int(len_at)?).map_err(|_| libc::EINVAL)?;
    let mut value = match (level, name) {
        (libc::IPPROTO_TCP, TCP_AO_GET_KEYS) => caller.read(caller.call.word(3), room.min(LARGEST))?,
        _ => vec![0; room.min(LARGEST)],
    };
    let mut state = lock(&sock.state);
    let len = match &mut *state {
        State::Stream(stream) if (level, name) == SO_ERROR => put_int(&mut value, stream.take_error(fd.as_fd())),
        State::Datagram(datagram) if (level, name) == SO_ERROR => put_int(&mut value, datagram.take_error(fd.as_fd())),
        state => state.endpoint().getsockopt(level, name, &mut value).map_err(|error| errno(&error))?,
    };
    drop(state);
    caller.write(caller.call.word(3), value.get(..len).unwrap_or(&value))?;
    caller.write(len_at, &(len as i32).to_ne_bytes())?;
    DONE
}
