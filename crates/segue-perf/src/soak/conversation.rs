//! One conversation: bytes both ways at once, and one of several ways to end.
//!
//! Decides what each end writes, what it must read, and how it ends. Every byte is known from the conversation's number and
//! its place, and is compared as it arrives.
use segue_stack::{Errno, Instant, MsgFlags, Ready, Shutdown, SocketId, Stack};

use crate::random::Random;

/// Bytes of the header in which the client says what follows.
const HEADER: usize = 17;
/// The most that goes each way.
const MOST_BITS: u64 = 18;
/// Content is this, from a place that depends on the conversation: prime, so that no two neighbours look alike.
const CONTENT: usize = 65_521;

/// How a conversation ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    /// The client ends its half first and reads on; the server answers it at the end of file.
    HalfClose,
    /// The server closes when it has sent and received all; the client at the end of file.
    ServerFirst,
    /// Whoever is done closes.
    Both,
    /// The client resets when half has come.
    ClientAborts,
    /// The server resets when half has come.
    ServerAborts,
    /// The client closes without reading.
    Unread,
}

const MANNERS: [Manner; 6] =
    [Manner::HalfClose, Manner::ServerFirst, Manner::Both, Manner::ClientAborts, Manner::ServerAborts, Manner::Unread];

/// What is said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversation {
    number: u64,
    up: usize,
    down: usize,
    manner: Manner,
}

impl Conversation {
    pub(super) fn draw(number: u64, random: &mut Random) -> Conversation {
        // Short ones are as frequent as long ones.
        let mut len = || {
            let most = 1 << random.below(MOST_BITS + 1);
            random.below(most) as usize
        };
        let (up, down) = (len(), len());
        // Most end well.
        let manner = match random.below(9) {
            at @ 0..6 => MANNERS[at as usize],
            at => MANNERS[at as usize - 6],
        };
        Conversation { number, up, down, manner }
    }

    fn header(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&self.number.to_be_bytes());
        bytes[8..12].copy_from_slice(&(self.up as u32).to_be_bytes());
        bytes[12..16].copy_from_slice(&(self.down as u32).to_be_bytes());
        bytes[16] = MANNERS.iter().position(|manner| *manner == self.manner).unwrap_or(0) as u8;
        bytes
    }

    fn from_header(bytes: &[u8; HEADER]) -> Option<Conversation> {
        let (number, rest) = bytes.split_first_chunk()?;
        let (up, rest) = rest.split_first_chunk()?;
        let (down, rest) = rest.split_first_chunk()?;
        Some(Conversation {
            number: u64::from_be_bytes(*number),
            up: u32::from_be_bytes(*up) as usize,
            down: u32::from_be_bytes(*down) as usize,
            manner: *MANNERS.get(usize::from(*rest.first()?))?,
        })
    }

    /// The byte at a place of one of its streams.
    fn byte(&self, is_up: bool, at: usize) -> u8 {
        let place = (at + self.number as usize * 7919 + usize::from(is_up) * 32_003) % CONTENT;
        (place as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]
    }

    fn is_right(&self, is_up: bool, at: usize, data: &[u8]) -> bool {
        data.iter().enumerate().all(|(offset, byte)| *byte == self.byte(is_up, at + offset))
    }

    fn fill(&self, is_up: bool, at: usize, out: &mut [u8]) {
        for (offset, byte) in out.iter_mut().enumerate() {
            *byte = self.byte(is_up, at + offset);
        }
    }

    fn is_meant_to_break(&self) -> bool {
        matches!(self.manner, Manner::ClientAborts | Manner::ServerAborts | Manner::Unread)
    }
}

/// What has become of an end.
pub(super) enum Progress {
    Waits,
    Complete,
    BrokenOff,
    Failed(String),
}

/// One end of a conversation.
#[derive(Debug)]
pub(super) struct End {
    pub(super) is_client: bool,
    /// The server learns it from the header.
    pub(super) conversation: Option<Conversation>,
    header: Vec<u8>,
    sent: usize,
    received: usize,
    has_ended_half: bool,
    is_at_end: bool,
    /// Bytes compared since this was last asked.
    pub(super) compared: u64,
}

impl End {
    pub(super) fn client(conversation: Conversation) -> End {
        End { conversation: Some(conversation), header: conversation.header().to_vec(), ..End::new(true) }
    }

    pub(super) fn server() -> End {
        End::new(false)
    }

    fn new(is_client: bool) -> End {
        End {
            is_client,
            conversation: None,
            header: Vec::new(),
            sent: 0,
            received: 0,
            has_ended_half: false,
            is_at_end: false,
            compared: 0,
        }
    }

    /// Reads, writes and ends as far as it goes.
    pub(super) fn go_on(&mut self, stack: &mut Stack, now: Instant, socket: SocketId, buffer: &mut [u8]) -> Progress {
        let outcome = self.read(stack, now, socket, buffer).and_then(|()| self.write(stack, now, socket, buffer));
        if let Err(why) = outcome {
            // Whatever it was, the socket is of no more use.
            let _ = stack.close(now, socket);
            let is_reset = matches!(why, Trouble::Call(Errno::ECONNRESET | Errno::EPIPE | Errno::ETIMEDOUT));
            let is_meant = self.conversation.is_none_or(|conversation| conversation.is_meant_to_break());
            return if is_reset && is_meant { Progress::BrokenOff } else { Progress::Failed(why.to_string()) };
        }
        let Some(conversation) = self.conversation else {
            // The end before the header: the client broke off with the header lost.
            return if self.is_at_end { self.close(stack, now, socket, Progress::BrokenOff) } else { Progress::Waits };
        };
        self.end(stack, now, socket, conversation)
    }

    /// (to send, to receive).
    fn amounts(&self, conversation: &Conversation) -> (usize, usize) {
        if self.is_client { (conversation.up, conversation.down) } else { (conversation.down, conversation.up) }
    }

    fn read(&mut self, stack: &mut Stack, now: Instant, socket: SocketId, buffer: &mut [u8]) -> Result<(), Trouble> {
        let is_unread = self.conversation.is_some_and(|conversation| conversation.manner == Manner::Unread);
        if self.is_client && is_unread {
            return stack.take_error(now, socket).map_or_else(
                |errno| Err(errno.into()),
                |error| match error {
                    Some(errno) => Err(errno.into()),
                    None => Ok(()),
                },
            );
        }
        while !self.is_at_end {
            let (len, header_left) = match self.conversation {
                None => (HEADER - self.header.len(), true),
                Some(_) => (buffer.len(), false),
            };
            match stack.recv(now, socket, &mut buffer[..len], MsgFlags::empty()) {
                Ok(0) => self.is_at_end = true,
                Ok(len) if header_left => self.take_header(&buffer[..len])?,
                Ok(len) => self.compare(&buffer[..len])?,
                Err(Errno::EAGAIN | Errno::ENOTCONN) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn take_header(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.header.extend_from_slice(bytes);
        if let Ok(header) = self.header.as_slice().try_into() {
            self.conversation = Some(Conversation::from_header(header).ok_or(Trouble::Wrong(0))?);
            // The server has none to send.
            self.header.clear();
        }
        Ok(())
    }

    fn compare(&mut self, data: &[u8]) -> Result<(), Trouble> {
        let Some(conversation) = self.conversation else { return Ok(()) };
        let (_, most) = self.amounts(&conversation);
        if self.received + data.len() > most || !conversation.is_right(!self.is_client, self.received, data) {
            return Err(Trouble::Wrong(self.received));
        }
        self.received += data.len();
        self.compared += data.len() as u64;
        Ok(())
    }

    fn write(&mut self, stack: &mut Stack, now: Instant, socket: SocketId, buffer: &mut [u8]) -> Result<(), Trouble> {
        let Some(conversation) = self.conversation.filter(|_| !self.has_ended_half) else { return Ok(()) };
        let (to_send, _) = self.amounts(&conversation);
        let mut send = |data: &[u8]| match stack.send(now, socket, data, MsgFlags::empty()) {
            Ok(len) => Ok(len),
            Err(Errno::EAGAIN) => Ok(0),
            Err(errno) => Err(errno),
        };
        while self.is_client && !self.header.is_empty() {
            match send(&self.header)? {
                0 => return Ok(()),
                len => drop(self.header.drain(..len)),
            }
        }
        while self.sent < to_send {
            let len = buffer.len().min(to_send - self.sent);
            conversation.fill(self.is_client, self.sent, &mut buffer[..len]);
            match send(&buffer[..len])? {
                0 => break,
                len => self.sent += len,
            }
        }
        Ok(())
    }

    /// Whether this end is over, and how.
    fn end(&mut self, stack: &mut Stack, now: Instant, socket: SocketId, conversation: Conversation) -> Progress {
        let (to_send, to_receive) = self.amounts(&conversation);
        let has_sent = self.sent == to_send && (self.header.is_empty() || !self.is_client);
        let has_all = self.received == to_receive;
        let is_halfway = self.received * 2 >= to_receive;
        match conversation.manner {
            Manner::ClientAborts if self.is_client && has_sent | (self.received > 0) && is_halfway => {
                return self.abort(stack, now, socket);
            }
            Manner::ServerAborts if !self.is_client && is_halfway => return self.abort(stack, now, socket),
            Manner::Unread if self.is_client && has_sent && stack.readiness(socket).contains(Ready::OUT) => {
                return self.close(stack, now, socket, Progress::BrokenOff);
            }
            Manner::HalfClose if self.is_client && has_sent && !self.has_ended_half => {
                self.has_ended_half = true;
                if let Err(errno) = stack.shutdown(now, socket, Shutdown::Write) {
                    return Progress::Failed(format!("shutdown: {errno}"));
                }
            }
            _ => {}
        }
        let closes_first = match conversation.manner {
            Manner::ServerFirst => !self.is_client,
            Manner::Both => true,
            _ => false,
        };
        if has_sent && has_all && closes_first {
            return self.close(stack, now, socket, Progress::Complete);
        }
        match (self.is_at_end, has_all) {
            (false, _) => Progress::Waits,
            (true, true) if has_sent => self.close(stack, now, socket, Progress::Complete),
            (true, true) => Progress::Waits,
            (true, false) if conversation.is_meant_to_break() => self.close(stack, now, socket, Progress::BrokenOff),
            (true, false) => {
                let why = format!("the end came after {} bytes of {to_receive}", self.received);
                self.close(stack, now, socket, Progress::Failed(why))
            }
        }
    }

    fn close(&self, stack: &mut Stack, now: Instant, socket: SocketId, progress: Progress) -> Progress {
        match stack.close(now, socket) {
            Ok(()) => progress,
            Err(errno) => Progress::Failed(format!("close: {errno}")),
        }
    }

    fn abort(&self, stack: &mut Stack, now: Instant, socket: SocketId) -> Progress {
        match stack.abort(now, socket) {
            Ok(()) => Progress::BrokenOff,
            Err(errno) => Progress::Failed(format!("abort: {errno}")),
        }
    }
}

/// What went wrong at one end.
#[derive(Debug)]
enum Trouble {
    Call(Errno),
    /// Bytes that are not what was sent, after so many that were.
    Wrong(usize),
}

impl From<Errno> for Trouble {
    fn from(errno: Errno) -> Trouble {
        Trouble::Call(errno)
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Call(errno) => write!(f, "{errno}"),
            Trouble::Wrong(after) => write!(f, "wrong bytes after {after}"),
        }
    }
}
