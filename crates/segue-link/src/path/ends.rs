//! A path as two links, for stacks that run in real time.
//!
//! Decides who is woken: the receiving end, when something will arrive earlier
//! than it knew. A path never refuses a packet (it drops, as a network does), so
//! nobody waits for room.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use segue_wire::{Instant, Packet};

use super::{End, Path, PathStats};
use crate::link::{Capabilities, Link, SendError, Wait};
use crate::memory::GSO_MAX;

/// Two links over one path: the first is [`End::A`], the second [`End::B`].
///
/// Both must be driven by the same clock.
pub fn path_pair(path: Path) -> (PathEnd, PathEnd) {
    let shared = Arc::new(Mutex::new(Shared { path, wakers: [None, None] }));
    (PathEnd { end: End::A, shared: shared.clone() }, PathEnd { end: End::B, shared })
}

/// One end of a [`path_pair`].
pub struct PathEnd {
    end: End,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    path: Path,
    wakers: [Option<Waker>; 2],
}

impl Shared {
    fn waker(&self, end: End) -> Option<Waker> {
        self.wakers[end as usize].clone()
    }
}

impl PathEnd {
    /// Which end this is.
    pub fn end(&self) -> End {
        self.end
    }

    /// What the whole path has done.
    pub fn stats(&self) -> PathStats {
        self.lock().path.stats()
    }

    /// A view of the path's statistics that stays when the end itself has been given to a host.
    pub fn monitor(&self) -> PathMonitor {
        PathMonitor { shared: self.shared.clone() }
    }

    /// No code of others runs under this lock, so a poisoned one is still whole.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what a path has done while others own its ends. Made by [`PathEnd::monitor`].
#[derive(Clone)]
pub struct PathMonitor {
    shared: Arc<Mutex<Shared>>,
}

impl PathMonitor {
    /// What the whole path has done so far.
    pub fn stats(&self) -> PathStats {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).path.stats()
    }
}

impl std::fmt::Debug for PathMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PathMonitor").field("stats", &self.stats()).finish()
    }
}

fn earlier(new: Option<Instant>, old: Option<Instant>) -> bool {
    match (new, old) {
        (Some(new), Some(old)) => new < old,
        (new, None) => new.is_some(),
        (None, Some(_)) => false,
    }
}

impl Link for PathEnd {
    fn capabilities(&self) -> Capabilities {
        // Cutting is the path's own business: it is done once, where it is needed.
        Capabilities { mtu: self.lock().path.config().mtu(), gso_max: GSO_MAX, checksum: true }
    }

    fn send(&mut self, now: Instant, packet: Packet) -> Result<(), SendError> {
        let mut shared = self.lock();
        let before = [End::A, End::B].map(|end| shared.path.next_deadline(end));
        shared.path.push(now, self.end, packet);
        // An answer to a packet that is too big comes back to this very end.
        let mut wake = [None, None];
        for (end, before) in [End::A, End::B].into_iter().zip(before) {
            if earlier(shared.path.next_deadline(end), before) {
                wake[end as usize] = shared.waker(end);
            }
        }
        drop(shared);
        for waker in wake.into_iter().flatten() {
            waker.wake();
        }
        Ok(())
    }

    fn recv(&mut self, now: Instant, out: &mut Vec<Packet>, budget: usize) -> io::Result<usize> {
        let mut shared = self.lock();
        let before = out.len();
        while out.len() - before < budget {
            let Some(packet) = shared.path.pop_joined(now, self.end) else { break };
            out.push(packet);
        }
        Ok(out.len() - before)
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.lock().path.next_deadline(self.end)
    }

    fn wait(&self) -> Wait<'_> {
        Wait::Waker
    }

    fn set_waker(&mut self, waker: Waker) {
        let mut shared = self.lock();
        let waiting = shared.path.next_deadline(self.end).is_some();
        shared.wakers[self.end as usize] = Some(waker.clone());
        drop(shared);
        if waiting {
            waker.wake();
        }
    }
}

impl Drop for PathEnd {
    fn drop(&mut self) {
        let mut shared = self.lock();
        shared.wakers[self.end as usize] = None;
    }
}
