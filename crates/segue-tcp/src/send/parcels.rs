//! What the send queue costs: its bytes, and the buffers they lie in as Linux accounts for them.
//!
//! A write fills the last buffer that has not left, up to the size goal, then begins another; sending cuts the one it ends
//! in; acknowledged ones go. Each costs a head beside its bytes. Decides nothing: what may be queued is `buffer`'s.
//! Invariant: the buffers' bytes are the queue's.

use segue_wire::Instant;

use crate::few::Few;

/// Memory of a buffer beside its bytes: head and descriptor.
pub(crate) const HEAD: u32 = 832;

/// How a write fills buffers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fill {
    /// Bytes that a buffer holds.
    pub(crate) goal: u32,
    /// Bytes that leave from the front of the first one while it is filled.
    pub(crate) leaving: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Parcels {
    /// Bytes of each buffer that has left, and of each that has not.
    sent: Few<u32>,
    unsent: Few<u32>,
    /// When the last one left whose rest is the first unsent one.
    cut_at: Option<Instant>,
}

impl Parcels {
    /// Bytes that the last buffer takes before it holds `goal`.
    pub(crate) fn room(&self, goal: u32) -> u32 {
        self.unsent.back().map_or(0, |last| goal.saturating_sub(*last))
    }

    /// Bytes by which the last buffer holds more than `goal`.
    pub(crate) fn excess(&self, goal: u32) -> u32 {
        self.unsent.back().map_or(0, |last| last.saturating_sub(goal))
    }

    /// `len` bytes are written. The first buffer takes what of it is about to leave beside what it holds then.
    pub(crate) fn fill(&mut self, mut len: u32, fill: Fill) {
        let mut most = fill.goal.saturating_add(fill.leaving).max(1);
        if let Some(last) = self.unsent.back_mut() {
            let room = most.saturating_sub(*last).min(len);
            *last += room;
            len -= room;
            most = fill.goal.max(1);
        }
        while len > 0 {
            let now = len.min(most);
            self.unsent.push_back(now);
            len -= now;
            most = fill.goal.max(1);
        }
    }

    /// At most one buffer has not left.
    pub(crate) fn has_single(&self) -> bool {
        self.unsent.len() <= 1
    }

    /// `len` bytes leave for the first time. What leaves at once stays together, up to `most` bytes, even if the link wants
    /// it in pieces.
    pub(crate) fn send(&mut self, now: Instant, mut len: u32, most: u32) {
        while len > 0 {
            let Some(first) = self.unsent.front_mut() else { return };
            let part = len.min(*first);
            *first -= part;
            len -= part;
            let together = self.cut_at == Some(now);
            match self.sent.back_mut().filter(|last| together && **last + part <= most) {
                Some(last) => *last += part,
                None => self.sent.push_back(part),
            }
            self.cut_at = Some(now);
            if *first == 0 {
                self.unsent.pop_front();
                self.cut_at = None;
            }
        }
    }

    /// `len` bytes at the front are acknowledged.
    pub(crate) fn release(&mut self, mut len: u32) {
        while len > 0 {
            let Some(first) = self.sent.front_mut() else { return };
            let now = len.min(*first);
            *first -= now;
            len -= now;
            if *first == 0 {
                self.sent.pop_front();
                if self.sent.is_empty() {
                    self.cut_at = None;
                }
            }
        }
    }

    /// Memory of all heads.
    pub(crate) fn heads(&self) -> u32 {
        u32::try_from(self.sent.len() + self.unsent.len()).unwrap_or(u32::MAX).saturating_mul(HEAD)
    }

    /// Bytes that this list itself takes.
    pub(crate) fn memory(&self) -> usize {
        self.sent.memory() + self.unsent.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILL: Fill = Fill { goal: 1_000, leaving: 0 };

    #[test]
    fn writes_fill_a_buffer_sending_cuts_one_and_acknowledging_frees_them() {
        let mut parcels = Parcels::default();
        parcels.fill(300, FILL);
        parcels.fill(300, FILL);
        assert_eq!((parcels.heads(), parcels.room(1_000)), (HEAD, 400));
        parcels.fill(2_400, FILL);
        assert_eq!((parcels.heads(), parcels.room(1_000)), (3 * HEAD, 0));
        // The second one is cut.
        let at = Instant::from_millis;
        parcels.send(at(1), 1_200, 5_000);
        parcels.send(at(1), 300, 5_000);
        assert_eq!(parcels.heads(), 4 * HEAD);
        parcels.release(1_200);
        assert_eq!(parcels.heads(), 3 * HEAD);
        parcels.release(300);
        assert_eq!(parcels.heads(), 2 * HEAD);
        // What has left is filled no more.
        parcels.send(at(2), 1_500, 5_000);
        assert_eq!(parcels.room(10_000), 0);
        parcels.release(1_500);
        assert_eq!(parcels.heads(), 0);
    }
}
