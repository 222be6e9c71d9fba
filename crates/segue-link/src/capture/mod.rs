//! Captures: what passes a link, written down as pcapng.
//!
//! Decides what is recorded and with which time and direction; `file` decides how it reaches the disk. The copy
//! in the file has finished checksums; super-segments are written whole, as a capture
//! above a device with TSO shows them. Invariants: a capture never changes the
//! traffic, and a file that cannot be written ends the capture, not the traffic.

mod file;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use segue_wire::{Instant, Packet};

use crate::link::{Capabilities, Link, SendError, Wait};
use file::{CaptureFile, Direction};

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
    /// A comment for the whole file, for example the command line and the seed. At most 65 535 bytes are kept. Default none.
    pub comment: Option<String>,
    /// Called once when the file cannot be written any more (a full disk). The traffic
    /// goes on, and the file stays readable up to there. Default: nobody is told.
    pub on_error: Option<OnError>,
}

/// Whom a capture tells why it ended, see [`CaptureOptions::on_error`].
pub type OnError = Box<dyn FnOnce(io::Error) + Send>;

/// How long a packet may wait in memory while nothing else happens, in nanoseconds.
const FLUSH_AFTER: u64 = 1_000_000_000;

/// No packet is waiting.
const NEVER: u64 = u64::MAX;

/// A pcapng file that several links write to. Clones write to the same file.
///
/// What is buffered is written when 64 KiB have come together, a second later at the
/// latest (unless time is virtual), by [`Capture::flush`], and when the last clone, [`Tap`] and [`Tee`] are gone.
///
/// ```
/// use segue_link::{Capture, CaptureOptions, Instant, Link, Packet, memory_pair};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let file = dir.path().join("run.pcapng");
/// let capture = Capture::create(&file, CaptureOptions::default())?;
/// let (a, _b) = memory_pair(1500, 100);
/// let mut a = capture.tee("a", a);
/// a.send(Instant::ZERO, Packet::from_bytes(vec![0x45; 40].into()))?;
/// capture.flush()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Capture {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    epoch: CaptureEpoch,
    state: Mutex<State>,
    /// When what is buffered is due, in nanoseconds, or [`NEVER`].
    flush_at: AtomicU64,
}

struct State {
    /// `None` after an error.
    file: Option<CaptureFile>,
    /// Time of day of `Instant::ZERO`, once it is known.
    zero: Option<Duration>,
    on_error: Option<OnError>,
}

impl Shared {
    /// The callback runs outside of this lock, so a poisoned one is still whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the file; its first error ends the capture and is reported.
    fn with_file(
        &self,
        work: impl FnOnce(&mut CaptureFile, &mut Option<Duration>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut state = self.lock();
        let State { file, zero, on_error } = &mut *state;
        let Some(open) = file else { return Ok(()) };
        let Err(error) = work(open, zero) else { return Ok(()) };
        *file = None;
        let on_error = on_error.take();
        self.flush_at.store(NEVER, Ordering::Relaxed);
        drop(state);
        let error = named(&self.path, "the capture has ended and the traffic goes on; cannot write", &error);
        if let Some(report) = on_error {
            report(io::Error::new(error.kind(), error.to_string()));
        }
        Err(error)
    }

    fn record(&self, now: Instant, interface: u32, direction: Direction, packet: &Packet, comment: Option<String>) {
        let nanos = Duration::from_nanos(now.as_nanos());
        // Whom it concerns is told by the callback.
        let _reported = self.with_file(|file, zero| {
            let zero = *zero.get_or_insert_with(|| match self.epoch {
                CaptureEpoch::At(zero) => zero,
                CaptureEpoch::WallClock => {
                    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(nanos)
                }
            });
            file.packet(interface, zero.saturating_add(nanos), direction, packet, comment)?;
            if file.is_clean() {
                self.flush_at.store(NEVER, Ordering::Relaxed);
            } else if self.epoch == CaptureEpoch::WallClock && self.flush_at.load(Ordering::Relaxed) == NEVER {
                self.flush_at.store(now.as_nanos().saturating_add(FLUSH_AFTER), Ordering::Relaxed);
            }
            Ok(())
        });
    }

    fn flush(&self) -> io::Result<()> {
        self.with_file(|file, _| {
            self.flush_at.store(NEVER, Ordering::Relaxed);
            file.flush()
        })
    }

    fn flush_if_due(&self, now: Instant) {
        if self.flush_at.load(Ordering::Relaxed) <= now.as_nanos() {
            // Whom it concerns is told by the callback.
            let _reported = self.flush();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _reported = self.flush();
    }
}

impl Capture {
    /// Creates the file, or empties it when it exists.
    ///
    /// # Errors
    /// The file cannot be created or written; the message names it.
    pub fn create(path: impl AsRef<Path>, options: CaptureOptions) -> io::Result<Capture> {
        let path = path.as_ref();
        let CaptureOptions { epoch, comment, on_error } = options;
        let file =
            CaptureFile::create(path, comment).map_err(|error| named(path, "cannot write a capture to", &error))?;
        let state = Mutex::new(State { file: Some(file), zero: None, on_error });
        let shared = Shared { path: path.to_owned(), epoch, state, flush_at: AtomicU64::new(NEVER) };
        Ok(Capture { shared: Arc::new(shared) })
    }

    /// A new interface in the file, for whoever has packets without a [`Link`]. `mtu` is in bytes and only described.
    pub fn tap(&self, name: &str, mtu: usize) -> Tap {
        let mut interface = 0;
        let _reported = self.shared.with_file(|file, _| {
            interface = file.interface(name, mtu)?;
            Ok(())
        });
        Tap { shared: self.shared.clone(), interface, comment: None }
    }

    /// A link whose packets are written down under this name as they pass.
    pub fn tee<L: Link>(&self, name: &str, link: L) -> Tee<L> {
        let tap = self.tap(name, link.capabilities().mtu);
        Tee { link, tap }
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// The file cannot be written. The capture has ended then, and later calls do nothing.
    pub fn flush(&self) -> io::Result<()> {
        self.shared.flush()
    }

    /// Whether packets are still being written down: no error has ended the capture.
    pub fn is_running(&self) -> bool {
        self.shared.lock().file.is_some()
    }
}

fn named(path: &Path, what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
}

/// One interface of a capture.
pub struct Tap {
    shared: Arc<Shared>,
    interface: u32,
    comment: Option<String>,
}

impl Tap {
    /// Writes down a packet that this interface sent.
    pub fn sent(&mut self, now: Instant, packet: &Packet) {
        let comment = self.comment.take();
        self.shared.record(now, self.interface, Direction::Out, packet, comment);
    }

    /// Writes down a packet that this interface received.
    pub fn received(&mut self, now: Instant, packet: &Packet) {
        let comment = self.comment.take();
        self.shared.record(now, self.interface, Direction::In, packet, comment);
    }

    /// Attaches a comment to the next packet of this interface; at most 65 535 bytes are kept.
    pub fn comment(&mut self, text: &str) {
        self.comment = Some(text.to_owned());
    }
}

/// A link and its capture: packets pass unchanged and are written down.
///
/// Written are packets that the link has taken and packets that it gives.
pub struct Tee<L> {
    link: L,
    tap: Tap,
}

impl<L> Tee<L> {
    /// The link itself.
    pub fn link(&self) -> &L {
        &self.link
    }

    /// Where comments are attached.
    pub fn tap(&mut self) -> &mut Tap {
        &mut self.tap
    }
}

impl<L: Link> Link for Tee<L> {
    fn capabilities(&self) -> Capabilities {
        self.link.capabilities()
    }

    fn send(&mut self, now: Instant, packet: Packet) -> Result<(), SendError> {
        // References, not bytes: the packet itself may come back, and then it was not sent.
        let copy = packet.clone();
        self.link.send(now, packet)?;
        self.tap.sent(now, &copy);
        Ok(())
    }

    fn flush(&mut self, now: Instant) -> io::Result<()> {
        self.tap.shared.flush_if_due(now);
        self.link.flush(now)
    }

    fn recv(&mut self, now: Instant, out: &mut Vec<Packet>, budget: usize) -> io::Result<usize> {
        self.tap.shared.flush_if_due(now);
        let before = out.len();
        let count = self.link.recv(now, out, budget)?;
        for packet in out.iter().skip(before) {
            self.tap.received(now, packet);
        }
        Ok(count)
    }

    fn next_deadline(&self) -> Option<Instant> {
        let flush_at = match self.tap.shared.flush_at.load(Ordering::Relaxed) {
            NEVER => None,
            at => Some(Instant::from_nanos(at)),
        };
        match (self.link.next_deadline(), flush_at) {
            (Some(link), Some(flush)) => Some(link.min(flush)),
            (link, flush) => link.or(flush),
        }
    }

    fn wait(&self) -> Wait<'_> {
        self.link.wait()
    }

    fn set_waker(&mut self, waker: Waker) {
        self.link.set_waker(waker);
    }
}
