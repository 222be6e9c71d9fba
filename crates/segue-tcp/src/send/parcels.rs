//! What the send queue costs: its bytes, and the buffers they lie in as Linux accounts for them.
//!
//! A write fills the last buffer that has not left, up to the size goal, then begins another; sending cuts the one it ends
//! in; acknowledged ones go. Each costs a head beside its bytes. Decides nothing: what may be queued is `buffer`'s.
//! Invariant: the buffers' bytes are the queue's.

use segue_wire::Instant;

use crate::few::Few;

/// Memory of a buffer beside its bytes: head and descriptor.
pub(crate) const HEAD: u32 = 832;

#[derive(Debug, Default)]
pub(crate) struct Parcels {
    /// Bytes of each buffer that has left, and of each that has not.
    sent: Few<u32>,
    unsent: Few<u32>,
    /// Bytes among `sent` that leave before anything else does: a write under way counts on it.
    leaving: u32,
    /// When the last one left whose rest is the first unsent one.
    cut_at: Option<Instant>,
}

impl Parcels {
    /// Bytes of the last buffer that has not left.
    pub(crate) fn tail(&self) -> Option<u32> {
        self.unsent.back().copied()
    }

    /// Another buffer, still empty.
    pub(crate) fn begin(&mut self) {
        self.unsent.push_back(0);
    }

    /// `len` bytes more in the last one.
    pub(crate) fn put(&mut self, len: u32) {
        if let Some(last) = self.unsent.back_mut() {
            *last += len;
        }
    }

    /// There was no memory for what the last one was begun for.
    pub(crate) fn drop_empty(&mut self) {
        if self.tail() == Some(0) {
            self.unsent.pop_back();
        }
    }

    /// `len` bytes in buffers of `goal`.
    pub(crate) fn fill(&mut self, mut len: u32, goal: u32) {
        while len > 0 {
            if self.tail().is_none_or(|tail| tail >= goal) {
                self.begin();
            }
            let now = len.min(goal.saturating_sub(self.tail().unwrap_or(0)).max(1));
            self.put(now);
            len -= now;
        }
    }

    /// At most one buffer has not left.
    pub(crate) fn has_single(&self) -> bool {
        self.unsent.len() <= 1
    }

    /// Bytes that a write counts on leaving.
    pub(crate) fn leaving(&self) -> u32 {
        self.leaving
    }

    /// `len` bytes are about to leave, `burst` at a time.
    pub(crate) fn leave(&mut self, mut len: u32, burst: u32) {
        while len > 0 {
            let now = len.min(burst.max(1));
            self.take(now);
            self.sent.push_back(now);
            self.leaving += now;
            len -= now;
        }
        self.cut_at = None;
    }

    /// Takes `len` bytes from the front of what has not left.
    fn take(&mut self, mut len: u32) {
        while len > 0 {
            let Some(first) = self.unsent.front_mut() else { return };
            let part = len.min(*first);
            *first -= part;
            len -= part;
            if *first == 0 {
                self.unsent.pop_front();
            }
        }
    }

    /// As Linux, whenever something might leave: the first buffer takes from those behind it until it holds `most`, what may
    /// leave at one time.
    pub(crate) fn join(&mut self, most: u32) {
        let Some(first) = self.unsent.pop_front() else { return };
        let mut left = most.saturating_sub(first);
        let wanted = first + left;
        while left > 0 {
            let Some(next) = self.unsent.front_mut() else { break };
            let part = left.min(*next);
            *next -= part;
            left -= part;
            if *next == 0 {
                self.unsent.pop_front();
            }
        }
        self.unsent.push_front(wanted - left);
    }

    /// `len` bytes leave for the first time. What leaves at once stays together, up to `most` bytes, even if the link wants
    /// it in pieces.
    pub(crate) fn send(&mut self, now: Instant, mut len: u32, most: u32) {
        let leaving = len.min(self.leaving);
        self.leaving -= leaving;
        len -= leaving;
        while len > 0 {
            let Some(first) = self.unsent.front() else { return };
            let part = len.min(*first);
            self.take(part);
            len -= part;
            let together = self.cut_at == Some(now);
            match self.sent.back_mut().filter(|last| together && **last + part <= most) {
                Some(last) => *last += part,
                None => self.sent.push_back(part),
            }
            self.cut_at = (!self.unsent.is_empty()).then_some(now);
        }
    }

    /// Nothing leaves together with what has left.
    pub(crate) fn close(&mut self) {
        self.cut_at = None;
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

    const GOAL: u32 = 1_000;

    #[test]
    fn writes_fill_a_buffer_sending_cuts_one_and_acknowledging_frees_them() {
        let mut parcels = Parcels::default();
        parcels.fill(300, GOAL);
        parcels.fill(300, GOAL);
        assert_eq!((parcels.heads(), parcels.tail()), (HEAD, Some(600)));
        parcels.fill(2_400, GOAL);
        assert_eq!((parcels.heads(), parcels.tail()), (3 * HEAD, Some(1_000)));
        // The second one is cut.
        let at = Instant::from_millis;
        parcels.send(at(1), 1_200, 5_000);
        parcels.send(at(1), 300, 5_000);
        assert_eq!(parcels.heads(), 3 * HEAD, "what leaves at once is one");
        parcels.release(1_500);
        assert_eq!(parcels.heads(), 2 * HEAD);
        // What has left is filled no more.
        parcels.send(at(2), 1_500, 5_000);
        assert_eq!(parcels.tail(), None);
        parcels.release(1_500);
        assert_eq!(parcels.heads(), 0);
    }

    #[test]
    fn what_a_write_counts_on_leaving_is_cut_off_and_the_first_one_takes_from_those_behind_it() {
        let mut parcels = Parcels::default();
        parcels.fill(500, 500);
        parcels.leave(200, 200);
        parcels.fill(200, 500);
        assert_eq!((parcels.heads(), parcels.tail(), parcels.leaving()), (2 * HEAD, Some(500), 200));
        parcels.leave(500, 200);
        assert_eq!((parcels.heads(), parcels.tail()), (4 * HEAD, None));
        parcels.fill(1_200, 500);
        parcels.join(700);
        assert_eq!((parcels.heads(), parcels.tail()), (7 * HEAD, Some(200)));
        // What leaves now was counted on.
        parcels.send(Instant::from_millis(1), 700, 200);
        assert_eq!((parcels.heads(), parcels.leaving()), (7 * HEAD, 0));
        parcels.release(700);
        assert_eq!(parcels.heads(), 3 * HEAD);
    }
}
