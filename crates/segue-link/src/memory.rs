//! The memory pair: two ends in one process and nothing in between.
//!
//! Decides the bound of the queue between them and who is woken when. Packets
//! travel as they are: super-segments whole, checksums left partial.
//! Invariants: order is kept; nothing is lost while both ends live; what is sent
//! to an end that was dropped vanishes, as on a cable that is pulled out.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use segue_wire::{Instant, Packet};

use crate::link::{Capabilities, Link, SendError, Wait};

/// Largest super-segment: the IP length field has 16 bits.
pub(crate) const GSO_MAX: usize = 65_535;

/// Two joined ends for the use of stacks in one process.
///
/// `mtu` is in bytes, IP header included, and brought into 68 to 65 535. `queue_packets`
/// bounds each direction, in packets or super-segments, at least 1; a full
/// queue answers [`SendError::Full`] and wakes the sender when there is room.
pub fn memory_pair(mtu: usize, queue_packets: usize) -> (MemoryLink, MemoryLink) {
    let capabilities = Capabilities { mtu: mtu.clamp(68, GSO_MAX), gso_max: GSO_MAX, checksum: true };
    let a_to_b = Arc::new(Queue::new(queue_packets.max(1)));
    let b_to_a = Arc::new(Queue::new(queue_packets.max(1)));
    let a = MemoryLink { capabilities, out: a_to_b.clone(), inward: b_to_a.clone() };
    let b = MemoryLink { capabilities, out: b_to_a, inward: a_to_b };
    (a, b)
}

/// One end of a [`memory_pair`].
pub struct MemoryLink {
    capabilities: Capabilities,
    out: Arc<Queue>,
    inward: Arc<Queue>,
}

struct Queue {
    limit: usize,
    state: Mutex<QueueState>,
}

struct QueueState {
    packets: VecDeque<Packet>,
    /// Of the end that reads this queue.
    reader: Option<Waker>,
    /// Of the end that writes to this queue.
    writer: Option<Waker>,
    /// The writer was refused since the queue last had room.
    refused: bool,
    /// The reader is gone.
    closed: bool,
}

impl Queue {
    fn new(limit: usize) -> Queue {
        let state = QueueState { packets: VecDeque::new(), reader: None, writer: None, refused: false, closed: false };
        Queue { limit, state: Mutex::new(state) }
    }

    /// No code of others runs under this lock, so a poisoned one is still whole.
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link for MemoryLink {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn send(&mut self, _now: Instant, packet: Packet) -> Result<(), SendError> {
        let mut state = self.out.lock();
        if state.closed {
            return Ok(());
        }
        if state.packets.len() >= self.out.limit {
            state.refused = true;
            return Err(SendError::Full(packet));
        }
        state.packets.push_back(packet);
        // A reader that was woken and has not come yet is not woken again.
        let wake = if state.packets.len() == 1 { state.reader.clone() } else { None };
        drop(state);
        if let Some(waker) = wake {
            waker.wake();
        }
        Ok(())
    }

    fn recv(&mut self, _now: Instant, out: &mut Vec<Packet>, budget: usize) -> io::Result<usize> {
        let mut state = self.inward.lock();
        let count = budget.min(state.packets.len());
        out.extend(state.packets.drain(..count));
        let wake = if count > 0 && std::mem::take(&mut state.refused) { state.writer.clone() } else { None };
        // The budget ended this call, so the reader comes back by itself or must be reminded.
        let remind = if state.packets.is_empty() { None } else { state.reader.clone() };
        drop(state);
        for waker in [wake, remind].into_iter().flatten() {
            waker.wake();
        }
        Ok(count)
    }

    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    fn wait(&self) -> Wait<'_> {
        Wait::Waker
    }

    fn set_waker(&mut self, waker: Waker) {
        self.out.lock().writer = Some(waker.clone());
        let mut inward = self.inward.lock();
        inward.reader = Some(waker.clone());
        let waiting = !inward.packets.is_empty();
        drop(inward);
        if waiting {
            waker.wake();
        }
    }
}

impl Drop for MemoryLink {
    fn drop(&mut self) {
        let mut inward = self.inward.lock();
        inward.closed = true;
        let unread = std::mem::take(&mut inward.packets);
        inward.reader = None;
        let writer = if std::mem::take(&mut inward.refused) { inward.writer.take() } else { None };
        drop(inward);
        self.out.lock().writer = None;
        drop(unread);
        // Whoever waits for room would wait for ever.
        if let Some(waker) = writer {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests;
