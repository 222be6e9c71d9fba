//! What the send queue costs: its bytes, and the buffers they lie in as Linux accounts for them.
//!
//! A write fills the last buffer that has not left, up to the size goal, then begins another; sending cuts the one it ends
//! in; acknowledged ones go. Each costs a head beside its bytes. Decides nothing: what may be queued is `buffer`'s.
//! Invariant: the buffers' bytes are the queue's.

use segue_wire::Instant;

use crate::few::Few;

/// Memory of a buffer beside its bytes: head and descriptor.
pub(crate) const HEAD: u32 = 832;

/// A buffer that has not left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Parcel {
    len: u32,
    /// Its last segment has PSH.
    push: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Parcels {
    /// Bytes of each buffer that has left.
    sent: Few<u32>,
    /// Those that leave before anything else does, cut as they leave: a write under way counts on it.
    leaving: Few<Parcel>,
    /// Bytes among them.
    leaving_len: u32,
    unsent: Few<Parcel>,
    /// When the last one left whose rest is the first unsent one.
    cut_at: Option<Instant>,
}

/// How much leaves at one time while it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Burst {
    /// Most bytes of a packet, and most that a buffer is filled up to from those behind it before it is cut to that.
    pub(crate) cut: u32,
    pub(crate) joined: u32,
    /// What the congestion window lets out.
    pub(crate) quota: u32,
}

impl Parcels {
    /// Bytes of the last buffer that has not left.
    pub(crate) fn tail(&self) -> Option<u32> {
        self.unsent.back().map(|last| last.len)
    }

    /// Bytes of the buffer that leaves next.
    pub(crate) fn first(&self) -> Option<u32> {
        self.leaving.front().or(self.unsent.front()).map(|first| first.len)
    }

    /// Another buffer, still empty.
    pub(crate) fn begin(&mut self) {
        self.unsent.push_back(Parcel { len: 0, push: false });
    }

    /// `len` bytes more in the last one.
    pub(crate) fn put(&mut self, len: u32) {
        if let Some(last) = self.unsent.back_mut() {
            last.len += len;
        }
    }

    /// Whether the last one is pushed. As on Linux a write that begins in one takes its PSH away.
    pub(crate) fn set_push(&mut self, push: bool) {
        if let Some(last) = self.unsent.back_mut() {
            last.push = push;
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
        self.leaving_len
    }

    /// `len` bytes are about to leave.
    pub(crate) fn leave(&mut self, mut len: u32, mut burst: Burst) {
        while len > 0 {
            self.join(burst.joined.min(burst.quota));
            let Some(first) = Parcels::cut_off(&mut self.unsent, len.min(burst.cut.max(1))) else { break };
            self.leaving.push_back(first);
            self.leaving_len += first.len;
            burst.quota = burst.quota.saturating_sub(first.len);
            len -= first.len;
        }
        self.cut_at = None;
    }

    /// The first of `list`, or `most` bytes of it: as on Linux the rest keeps the PSH.
    fn cut_off(list: &mut Few<Parcel>, most: u32) -> Option<Parcel> {
        let first = list.front_mut()?;
        if first.len > most {
            first.len -= most;
            return Some(Parcel { len: most, push: false });
        }
        list.pop_front()
    }

    /// As Linux, whenever something might leave: the first buffer takes from those behind it until it holds `most`, what may
    /// leave at one time. One that it takes whole gives it its PSH; its own it keeps.
    pub(crate) fn join(&mut self, most: u32) {
        if self.unsent.len() < 2 {
            return;
        }
        let Some(mut first) = self.unsent.pop_front() else { return };
        while first.len < most {
            let Some(part) = Parcels::cut_off(&mut self.unsent, most - first.len) else { break };
            first.len += part.len;
            first.push |= part.push;
        }
        self.unsent.push_front(first);
    }

    /// `len` bytes leave for the first time: whether they are pushed. What leaves at once stays together, up to `most` bytes,
    /// even if the link wants it in pieces.
    pub(crate) fn send(&mut self, now: Instant, mut len: u32, most: u32) -> bool {
        let mut pushed = false;
        while len > 0 {
            let counted_on = !self.leaving.is_empty();
            let list = if counted_on { &mut self.leaving } else { &mut self.unsent };
            let (before, Some(part)) = (list.len(), Parcels::cut_off(list, len)) else { break };
            // What a write counts on leaves as it was cut.
            let is_cut = if counted_on { list.len() == before } else { !list.is_empty() };
            len -= part.len;
            pushed |= part.push;
            if counted_on {
                self.leaving_len -= part.len;
            }
            let together = self.cut_at == Some(now);
            match self.sent.back_mut().filter(|last| together && **last + part.len <= most) {
                Some(last) => *last += part.len,
                None => self.sent.push_back(part.len),
            }
            self.cut_at = is_cut.then_some(now);
        }
        pushed
    }

    /// Bytes of the last buffer that has left, if it did `now` and its rest has not.
    pub(crate) fn left_together(&self, now: Instant) -> Option<u32> {
        self.sent.back().copied().filter(|_| self.cut_at == Some(now))
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
        u32::try_from(self.sent.len() + self.leaving.len() + self.unsent.len()).unwrap_or(u32::MAX).saturating_mul(HEAD)
    }

    /// Bytes that this list itself takes.
    pub(crate) fn memory(&self) -> usize {
        self.sent.memory() + self.leaving.memory() + self.unsent.memory()
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
        let two = |quota| Burst { cut: 200, joined: 200, quota };
        let mut parcels = Parcels::default();
        parcels.fill(500, 500);
        parcels.leave(200, two(200));
        parcels.fill(200, 500);
        assert_eq!((parcels.heads(), parcels.tail(), parcels.leaving()), (2 * HEAD, Some(500), 200));
        parcels.leave(500, two(500));
        assert_eq!((parcels.heads(), parcels.tail()), (4 * HEAD, None));
        parcels.fill(1_200, 500);
        parcels.join(700);
        assert_eq!((parcels.heads(), parcels.first(), parcels.tail()), (7 * HEAD, Some(200), Some(200)));
        // What leaves now was counted on.
        parcels.send(Instant::from_millis(1), 700, 200);
        assert_eq!((parcels.heads(), parcels.leaving(), parcels.first()), (7 * HEAD, 0, Some(700)));
        parcels.release(700);
        assert_eq!(parcels.heads(), 3 * HEAD);
    }

    #[test]
    fn a_buffer_that_is_cut_keeps_its_push_behind_and_one_that_is_joined_whole_gives_it() {
        let at = Instant::from_millis(1);
        let mut parcels = Parcels::default();
        parcels.fill(300, 300);
        parcels.set_push(true);
        assert!(!parcels.send(at, 100, 100));
        assert!(parcels.send(at, 200, 200));
        parcels.fill(300, 300);
        parcels.set_push(true);
        parcels.fill(300, 300);
        // The rest of the second has none.
        parcels.join(400);
        assert!(parcels.send(at, 400, 400));
        assert!(!parcels.send(at, 200, 200));
        parcels.fill(600, 300);
        parcels.set_push(true);
        parcels.join(600);
        assert!(!parcels.send(at, 300, 300));
        assert!(parcels.send(at, 300, 300));
    }
}
