//! Pipes and files of a script, splice(2) and sendfile(2).
//!
//! Decides how many bytes move; a pipe holds them as they are. Files are those that the script made and, to read, those of
//! this machine; nothing of this machine is ever written.
use std::collections::VecDeque;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use segue_stack::MsgFlags;

use super::SegueHost;
use super::descriptor::{EAGAIN, EBADF, EINVAL, Object, Operation, Outcome};
use crate::host::{Fd, Output};

const EACCES: i32 = 13;
const EPIPE: i32 = 32;
const ENOENT: i32 = 2;
const NONBLOCK: i32 = 0o4000;
const ACCESS: i32 = 3;
const SPLICE_NONBLOCK: u32 = 2;
const SPLICE_MORE: u32 = 4;
/// Bytes that a pipe holds: sixteen pages.
const PIPE_ROOM: usize = 16 * 4096;

/// The bytes between two ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe {
    bytes: VecDeque<u8>,
    is_reader_open: bool,
    is_writer_open: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct PipeEnd {
    pipe: usize,
    is_reader: bool,
    pub(super) is_nonblocking: bool,
}

#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    content: Content,
    position: u64,
}

#[derive(Clone, Debug)]
enum Content {
    /// So many zeros, for ever (`/dev/zero`) or none (`/dev/null`).
    Zeros(u64),
    File(Arc<std::fs::File>),
}

impl Content {
    fn read(&self, at: u64, count: usize) -> Vec<u8> {
        match self {
            Content::Zeros(length) => {
                let rest = usize::try_from(length.saturating_sub(at)).unwrap_or(usize::MAX);
                vec![0; count.min(rest)]
            }
            Content::File(file) => {
                let mut bytes = vec![0; count];
                let read = file.read_at(&mut bytes, at).unwrap_or(0);
                bytes.truncate(read);
                bytes
            }
        }
    }
}

/// What is being moved.
#[derive(Clone, Debug)]
pub(super) struct Move {
    input: Fd,
    offset: Option<u64>,
    output: Fd,
    left: usize,
    moved: usize,
    is_nonblocking: bool,
    has_more: bool,
}

impl SegueHost {
    pub(super) fn call_pipe(&mut self, flags: i32) -> Outcome {
        let pipe = self.pipes.len();
        self.pipes.push(Pipe { is_reader_open: true, is_writer_open: true, ..Pipe::default() });
        let end = |is_reader| Object::Pipe(PipeEnd { pipe, is_reader, is_nonblocking: flags & NONBLOCK != 0 });
        let (reader, writer) = (self.name(end(true)), self.name(end(false)));
        Outcome::with(0, Output::Pipe(reader, writer))
    }

    pub(super) fn call_open(&mut self, path: &str, flags: i32) -> Result<Outcome, i32> {
        let content = match (self.files.get(path), path) {
            (Some(length), _) => Content::Zeros(*length),
            (None, "/dev/zero") => Content::Zeros(u64::MAX),
            (None, "/dev/null") => Content::Zeros(0),
            _ if flags & ACCESS != 0 => return Err(EACCES),
            _ => {
                let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
                let file = is_file.then(|| std::fs::File::open(path).ok()).flatten().ok_or(ENOENT)?;
                Content::File(Arc::new(file))
            }
        };
        Ok(Outcome::made(Object::File(OpenFile { content, position: 0 })))
    }

    pub(super) fn close_end(&mut self, end: PipeEnd) {
        let pipe = &mut self.pipes[end.pipe];
        match end.is_reader {
            true => pipe.is_reader_open = false,
            false => pipe.is_writer_open = false,
        }
    }

    /// `POLLIN`, `POLLOUT`, `POLLERR`, `POLLHUP` of an end.
    pub(super) fn end_readiness(&self, end: PipeEnd) -> u32 {
        let pipe = &self.pipes[end.pipe];
        let bit = |is_set, bit| if is_set { bit } else { 0 };
        match end.is_reader {
            true => bit(!pipe.bytes.is_empty(), 0x1 | 0x40) | bit(!pipe.is_writer_open, 0x10),
            false => bit(pipe.bytes.len() < PIPE_ROOM, 0x4 | 0x100) | bit(!pipe.is_reader_open, 0x8),
        }
    }

    pub(super) fn begin_splice(
        &mut self,
        input: (Fd, Option<i64>),
        output: (Fd, Option<i64>),
        left: usize,
        flags: u32,
    ) -> Result<Operation, i32> {
        let object = |fd| self.descriptors.get(&fd).ok_or(EBADF);
        let (from, to) = (object(input.0)?, object(output.0)?);
        // One of them is a pipe, and an offset is only a file's.
        if !matches!(from, Object::Pipe(_)) && !matches!(to, Object::Pipe(_)) {
            return Err(EINVAL);
        }
        let is_nonblocking = flags & SPLICE_NONBLOCK != 0;
        self.begin_move(input, output.0, left, is_nonblocking, flags & SPLICE_MORE != 0)
    }

    pub(super) fn begin_sendfile(
        &mut self,
        output: Fd,
        input: Fd,
        offset: Option<i64>,
        count: usize,
    ) -> Result<Operation, i32> {
        if !matches!(self.descriptors.get(&input).ok_or(EBADF)?, Object::File(_)) {
            return Err(EINVAL);
        }
        self.begin_move((input, offset), output, count, false, false)
    }

    fn begin_move(
        &mut self,
        (input, offset): (Fd, Option<i64>),
        output: Fd,
        left: usize,
        is_nonblocking: bool,
        has_more: bool,
    ) -> Result<Operation, i32> {
        let offset = offset.map(u64::try_from).transpose().map_err(|_| EINVAL)?;
        Ok(Operation::Move(Move { input, offset, output, left, moved: 0, is_nonblocking, has_more }))
    }

    /// As Linux: a sendfile that was asked for more than there is holds its last bytes back until it finds the end.
    fn push_what_was_held(&mut self, operation: &Move) {
        if let Some(Object::Socket(socket)) = self.descriptors.get(&operation.output) {
            _ = self.stack.send(self.now, socket.id, &[], MsgFlags::empty());
        }
    }

    /// Move what can be moved; a splice is content with anything, sendfile goes on until all is gone.
    pub(super) fn attempt_move(&mut self, operation: &mut Move) -> Option<Outcome> {
        loop {
            let is_file = matches!(self.descriptors.get(&operation.input), Some(Object::File(_)));
            let step = self.move_once(operation);
            let wants_more = is_file && operation.left > 0;
            match step {
                Ok(count) if count > 0 && wants_more => _ = self.drain(),
                Ok(0) if is_file && operation.moved > 0 => {
                    self.push_what_was_held(operation);
                    return Some(Outcome::ok(operation.moved as i64));
                }
                Ok(_) => return Some(Outcome::ok(operation.moved as i64)),
                Err(EAGAIN) if operation.moved > 0 && !is_file => return Some(Outcome::ok(operation.moved as i64)),
                Err(EAGAIN) if !self.may_move_block(operation) && operation.moved > 0 => {
                    return Some(Outcome::ok(operation.moved as i64));
                }
                Err(EAGAIN) if self.may_move_block(operation) => return None,
                Err(_) if operation.moved > 0 => return Some(Outcome::ok(operation.moved as i64)),
                Err(errno) => return Some(Outcome::error(errno)),
            }
        }
    }

    /// As Linux: `SPLICE_F_NONBLOCK` is about the pipe, a socket has `O_NONBLOCK`.
    fn may_move_block(&self, operation: &Move) -> bool {
        let is_nonblocking = |fd: &Fd| match self.descriptors.get(fd) {
            Some(Object::Socket(socket)) => socket.is_nonblocking,
            Some(Object::Pipe(end)) => end.is_nonblocking || (operation.is_nonblocking && self.is_waited_for(*end)),
            _ => false,
        };
        !is_nonblocking(&operation.input) && !is_nonblocking(&operation.output)
    }

    /// Whether it is the pipe that nothing can be moved from or to.
    fn is_waited_for(&self, end: PipeEnd) -> bool {
        let held = self.pipes[end.pipe].bytes.len();
        if end.is_reader { held == 0 } else { held == PIPE_ROOM }
    }

    fn move_once(&mut self, operation: &mut Move) -> Result<usize, i32> {
        let Move { input, output, left, offset, .. } = *operation;
        let room = self.room(output)?.min(left);
        if room == 0 && left > 0 {
            return Err(EAGAIN);
        }
        let bytes = self.peek_bytes(input, offset, room)?;
        let is_file = matches!(self.descriptors.get(&input), Some(Object::File(_)));
        let has_more = operation.has_more || (is_file && bytes.len() < left);
        let count = self.put_bytes(output, &bytes, has_more)?;
        self.take_bytes(operation, count)?;
        operation.left -= count;
        operation.moved += count;
        Ok(count)
    }

    /// How much the output takes at most now; a socket says so itself when it is written to.
    fn room(&self, output: Fd) -> Result<usize, i32> {
        match self.descriptors.get(&output).ok_or(EBADF)? {
            Object::Pipe(end) if !end.is_reader => {
                let pipe = &self.pipes[end.pipe];
                if pipe.is_reader_open { Ok(PIPE_ROOM - pipe.bytes.len()) } else { Err(EPIPE) }
            }
            Object::Socket(_) => Ok(usize::MAX),
            _ => Err(EINVAL),
        }
    }

    fn peek_bytes(&mut self, input: Fd, offset: Option<u64>, count: usize) -> Result<Vec<u8>, i32> {
        match self.descriptors.get(&input).ok_or(EBADF)?.clone() {
            Object::Pipe(end) if end.is_reader => {
                let pipe = &self.pipes[end.pipe];
                if pipe.bytes.is_empty() && pipe.is_writer_open && count > 0 {
                    return Err(EAGAIN);
                }
                Ok(pipe.bytes.iter().take(count).copied().collect())
            }
            Object::File(file) => Ok(file.content.read(offset.unwrap_or(file.position), count)),
            Object::Socket(socket) => {
                let mut bytes = vec![0; count.min(PIPE_ROOM)];
                let length = self.stack.recv(self.now, socket.id, &mut bytes, MsgFlags::PEEK).map_err(|e| e.0)?;
                bytes.truncate(length);
                Ok(bytes)
            }
            _ => Err(EINVAL),
        }
    }

    fn put_bytes(&mut self, output: Fd, bytes: &[u8], has_more: bool) -> Result<usize, i32> {
        match self.descriptors.get(&output).ok_or(EBADF)? {
            Object::Pipe(end) => {
                self.pipes[end.pipe].bytes.extend(bytes);
                Ok(bytes.len())
            }
            Object::Socket(socket) if !bytes.is_empty() => {
                let flags = if has_more { MsgFlags::MORE } else { MsgFlags::empty() };
                self.stack.send(self.now, socket.id, bytes, flags).map_err(|errno| errno.0)
            }
            Object::Socket(_) => Ok(0),
            _ => Err(EINVAL),
        }
    }

    fn take_bytes(&mut self, operation: &mut Move, count: usize) -> Result<(), i32> {
        match self.descriptors.get_mut(&operation.input).ok_or(EBADF)? {
            Object::Pipe(end) => drop(self.pipes[end.pipe].bytes.drain(..count)),
            Object::File(file) => match &mut operation.offset {
                Some(offset) => *offset += count as u64,
                None => file.position += count as u64,
            },
            Object::Socket(socket) => {
                let mut bytes = vec![0; count];
                self.stack.recv(self.now, socket.id, &mut bytes, MsgFlags::empty()).map_err(|errno| errno.0)?;
            }
            Object::Epoll(_) => {}
        }
        Ok(())
    }

    /// read(2) of a pipe or file; `None` while it would block.
    pub(super) fn read_object(&mut self, fd: Fd, count: usize) -> Option<Outcome> {
        let bytes = match self.peek_bytes(fd, None, count) {
            Ok(bytes) => bytes,
            Err(EAGAIN) if self.is_blocking_end(fd) => return None,
            Err(errno) => return Some(errno.into()),
        };
        let mut done =
            Move { input: fd, offset: None, output: fd, left: 0, moved: 0, is_nonblocking: false, has_more: false };
        if let Err(errno) = self.take_bytes(&mut done, bytes.len()) {
            return Some(errno.into());
        }
        let length = bytes.len() as i64;
        Some(Outcome::with(length, Output::Received { data: bytes, flags: 0, control: Vec::new(), from: None }))
    }

    /// write(2) of zeros to a pipe; `None` while it would block.
    pub(super) fn write_object(&mut self, fd: Fd, count: usize) -> Option<Outcome> {
        match self.room(fd) {
            Ok(0) if count > 0 && self.is_blocking_end(fd) => None,
            Ok(0) if count > 0 => Some(EAGAIN.into()),
            Ok(room) => {
                let written = self.put_bytes(fd, &vec![0; count.min(room)], false);
                Some(written.map_or_else(Outcome::error, |count| Outcome::ok(count as i64)))
            }
            Err(errno) => Some(errno.into()),
        }
    }

    fn is_blocking_end(&self, fd: Fd) -> bool {
        matches!(self.descriptors.get(&fd), Some(Object::Pipe(end)) if !end.is_nonblocking)
    }
}
