//! The program on the server: a request says how many bytes the answer shall have; at the end of file it closes.
//!
//! Decides nothing against attackers: what protects the machine is the stack's. What it answers is copied into the stack, as
//! by write(); on demand it never reads again, as a program does that hangs.
use std::collections::HashMap;

use bytes::Bytes;
use segue_stack::{Errno, Instant, MsgFlags, Ready, SocketId, Stack};

use crate::error::PerfError;

/// Bytes of a request.
pub(super) const REQUEST: u32 = 4;
/// Not a number of bytes, but that nothing more is read.
pub(super) const NEVER_READ: u32 = u32::MAX;
/// What answers are made of, over and over.
static CONTENT: [u8; 4096] = content();

const fn content() -> [u8; 4096] {
    let mut bytes = [0; 4096];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = (at * 31 % 251) as u8;
        at += 1;
    }
    bytes
}

/// A request for so many bytes.
pub(super) fn request(bytes: u32) -> Bytes {
    Bytes::copy_from_slice(&bytes.to_be_bytes())
}

/// Whether a part of an answer is what it should be.
pub(super) fn is_content(offset: usize, data: &[u8]) -> bool {
    data.iter().enumerate().all(|(at, byte)| *byte == CONTENT[(offset + at) % CONTENT.len()])
}

#[derive(Default)]
struct Answer {
    /// Bytes of the request that have come.
    request: Vec<u8>,
    sent: usize,
    len: usize,
    hangs: bool,
}

pub(super) struct Service {
    listener: SocketId,
    answers: HashMap<SocketId, Answer>,
}

impl Service {
    pub(super) fn new(listener: SocketId) -> Service {
        Service { listener, answers: HashMap::new() }
    }

    /// Does what events ask for.
    pub(super) fn serve(&mut self, stack: &mut Stack, now: Instant) -> Result<(), PerfError> {
        while let Some(event) = stack.poll_event() {
            if event.socket == self.listener {
                while let Ok((socket, _)) = stack.accept(now, self.listener) {
                    self.answers.insert(socket, Answer::default());
                }
            } else if self.answers.contains_key(&event.socket) {
                self.serve_one(stack, now, event.socket, event.ready);
            }
        }
        Ok(())
    }

    fn serve_one(&mut self, stack: &mut Stack, now: Instant, socket: SocketId, ready: Ready) {
        let Some(answer) = self.answers.get_mut(&socket) else { return };
        let mut buffer = [0; 64];
        let (mut is_over, mut has_ended) = (ready.contains(Ready::ERR), false);
        while !is_over && !has_ended && !answer.hangs {
            match stack.recv(now, socket, &mut buffer, MsgFlags::empty()) {
                Ok(0) => has_ended = true,
                Err(Errno::ECONNRESET) => is_over = true,
                Ok(len) => answer.request.extend_from_slice(&buffer[..len]),
                Err(Errno::EAGAIN) => break,
                Err(_) => is_over = true,
            }
            if let Some((request, rest)) = answer.request.split_first_chunk() {
                let bytes = u32::from_be_bytes(*request);
                answer.hangs = bytes == NEVER_READ;
                answer.len += if answer.hangs { 0 } else { bytes as usize };
                answer.request = rest.to_vec();
            }
        }
        while !is_over && answer.sent < answer.len {
            let at = answer.sent % CONTENT.len();
            let part = &CONTENT[at..CONTENT.len().min(at + answer.len - answer.sent)];
            match stack.send(now, socket, part, MsgFlags::empty()) {
                Ok(len) => answer.sent += len,
                Err(Errno::EAGAIN) => break,
                Err(_) => is_over = true,
            }
        }
        // What is sent already is the stack's to deliver, whether the peer takes it or not.
        if is_over || has_ended {
            self.answers.remove(&socket);
            // A connection that is gone already answers EBADF, which is all the same.
            let _ = stack.close(now, socket);
        }
    }
}
