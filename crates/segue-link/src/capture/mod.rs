//! The capture tee.
use crate::link::{Capabilities, Link, SendError, Wait};
use segue_wire::{Instant, Packet};
use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// What time of day a capture gives its packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CaptureEpoch {
    /// The wall clock is read once, at the first packet, and instants are counted from there.
    #[default]
    WallClock,
    /// `Instant::ZERO` is this long after 1970-01-01 00:00 UTC. For virtual time: the same run gives the same file.
    At(Duration),
}

/// How a capture is written.
#[derive(Default)]
pub struct CaptureOptions {
    /// What time of day packets get. Default: the wall clock.
    pub epoch: CaptureEpoch,
    /// A comment for the whole file, for example the command line and the seed. Default none.
    pub comment: Option<String>,
    /// Called once when the file cannot be written any more (a full disk). The traffic goes on. Default: nobody is told.
    pub on_error: Option<Box<dyn FnOnce(io::Error) + Send>>,
}

/// A pcapng file that several links write to.
#[derive(Clone)]
pub struct Capture {
    inner: Arc<()>,
}

impl Capture {
    /// Creates (or overwrites) the file.
    ///
    /// # Errors
    /// The file cannot be created; the message names it.
    pub fn create(_path: impl AsRef<std::path::Path>, _options: CaptureOptions) -> io::Result<Capture> {
        todo!()
    }
    /// A new interface in the file, for whoever has packets without a [`Link`].
    pub fn tap(&self, _name: &str, _mtu: usize) -> Tap {
        todo!()
    }
    /// A link whose packets are written down under this name as they pass.
    pub fn tee<L: Link>(&self, _name: &str, _link: L) -> Tee<L> {
        let _ = &self.inner;
        todo!()
    }
    /// Writes out what is buffered.
    pub fn flush(&self) {
        todo!()
    }
}

/// One interface of a capture.
pub struct Tap(());

impl Tap {
    /// Writes down a packet that this interface sent.
    pub fn sent(&mut self, _now: Instant, _packet: &Packet) {
        todo!()
    }
    /// Writes down a packet that this interface received.
    pub fn received(&mut self, _now: Instant, _packet: &Packet) {
        todo!()
    }
    /// Attaches a comment to the next packet of this interface.
    pub fn comment(&mut self, _text: &str) {
        todo!()
    }
}

/// A link and its capture.
pub struct Tee<L> {
    link: L,
}

impl<L: Link> Link for Tee<L> {
    fn capabilities(&self) -> Capabilities {
        self.link.capabilities()
    }
    fn send(&mut self, now: Instant, packet: Packet) -> Result<(), SendError> {
        self.link.send(now, packet)
    }
    fn recv(&mut self, now: Instant, out: &mut Vec<Packet>, budget: usize) -> io::Result<usize> {
        self.link.recv(now, out, budget)
    }
    fn next_deadline(&self) -> Option<Instant> {
        self.link.next_deadline()
    }
    fn wait(&self) -> Wait<'_> {
        self.link.wait()
    }
    fn set_waker(&mut self, waker: Waker) {
        self.link.set_waker(waker);
    }
}
