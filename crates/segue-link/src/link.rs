//! The seam between a stack and whatever carries its packets.
//!
//! Decides how packets are handed over and how a driver sleeps on a link, not
//! what the link does with them. A driver sleeps on three things: readiness of
//! [`Wait::Fd`] or the waker of [`Wait::Waker`], and [`Link::next_deadline`].
//! Invariants: nothing here blocks; a packet is taken whole or handed back.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::task::Waker;

use segue_wire::{Instant, Packet};

/// What a link can carry. Fixed for the life of the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Longest wire packet, in bytes, IP header included. At least 68, at most 65 535.
    pub mtu: usize,
    /// Longest super-segment, in bytes, headers included; 0 when each packet must
    /// be a wire packet already.
    ///
    /// A link that can cut says so by what it takes, not by what its device carries: cutting at the edge costs less than
    /// making each packet. A sender that ignores this is not punished: a link cuts what it cannot carry.
    pub gso_max: usize,
    /// Whether packets with a [`Partial`](segue_wire::ChecksumState::Partial)
    /// checksum travel as they are, so that nobody has to compute one.
    pub checksum: bool,
}

/// Why a link did not take a packet.
#[derive(Debug)]
pub enum SendError {
    /// No room now; here is the packet back, untouched. Room is announced by the descriptor
    /// becoming writable ([`Wait::Fd`]) or by the waker ([`Wait::Waker`]).
    Full(Packet),
    /// This packet is lost; the link may still work. Errors that end a link are
    /// reported by [`Link::recv`] as well, and go on being reported.
    Io(io::Error),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Full(_) => f.write_str("the link has no room for another packet now"),
            SendError::Io(error) => write!(f, "the link did not take the packet: {error}"),
        }
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SendError::Full(_) => None,
            SendError::Io(error) => Some(error),
        }
    }
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> SendError {
        SendError::Io(error)
    }
}

/// What a driver sleeps on besides [`Link::next_deadline`].
#[derive(Debug)]
pub enum Wait<'a> {
    /// Readable when [`Link::recv`] has something; writable when, after
    /// [`SendError::Full`], there is room again. May be watched for edges: `recv`
    /// reads until the device has nothing more or the budget is spent.
    Fd(BorrowedFd<'a>),
    /// The waker given to [`Link::set_waker`] is called on the same two occasions,
    /// and when `next_deadline` became earlier.
    Waker,
}

/// One end of something that carries IP packets.
pub trait Link: Send {
    /// What this link can carry.
    fn capabilities(&self) -> Capabilities;

    /// Takes one packet or super-segment, without blocking.
    ///
    /// # Errors
    /// [`SendError::Full`] hands the packet back, [`SendError::Io`] means it is lost.
    fn send(&mut self, now: Instant, packet: Packet) -> Result<(), SendError>;

    /// Ends a batch of sends: whatever the link held back leaves now.
    ///
    /// # Errors
    /// Those of the device.
    fn flush(&mut self, now: Instant) -> io::Result<()> {
        let _ = now;
        Ok(())
    }

    /// Appends at most `budget` packets to `out` and says how many; zero means
    /// that there is nothing now. Never blocks.
    ///
    /// Fewer than `budget` means that the link was empty, so a driver that
    /// watches for edges may go to sleep.
    ///
    /// # Errors
    /// The link has ended (its device is gone); it is reported again on every call.
    fn recv(&mut self, now: Instant, out: &mut Vec<Packet>, budget: usize) -> io::Result<usize>;

    /// When [`Link::recv`] is to be called because time has passed, whatever [`Wait`] says:
    /// a packet arrives, or the link has something of its own to do. `None`: never.
    ///
    /// To be asked again after every `send`, `recv` and wake-up. A call of `recv`
    /// at that time or later moves it, or gives packets.
    fn next_deadline(&self) -> Option<Instant>;

    /// What to sleep on. The variant never changes during the life of the link.
    fn wait(&self) -> Wait<'_>;

    /// Whom to call, for [`Wait::Waker`] links. Replaces the waker given before;
    /// called at once when something is waiting already. Other links ignore it.
    fn set_waker(&mut self, waker: Waker);
}

impl<L: Link + ?Sized> Link for Box<L> {
    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }
    fn send(&mut self, now: Instant, packet: Packet) -> Result<(), SendError> {
        (**self).send(now, packet)
    }
    fn flush(&mut self, now: Instant) -> io::Result<()> {
        (**self).flush(now)
    }
    fn recv(&mut self, now: Instant, out: &mut Vec<Packet>, budget: usize) -> io::Result<usize> {
        (**self).recv(now, out, budget)
    }
    fn next_deadline(&self) -> Option<Instant> {
        (**self).next_deadline()
    }
    fn wait(&self) -> Wait<'_> {
        (**self).wait()
    }
    fn set_waker(&mut self, waker: Waker) {
        (**self).set_waker(waker);
    }
}
