//! When the next deadline of anything in the stack falls: a hierarchical timing wheel.
//!
//! Decides only the order in which deadlines come due. It knows no sockets: an entry carries a `Copy` token.
//! Eleven levels of 64 slots cover all 64 bits of nanoseconds, so a deadline is kept exactly, however far away.
//! Invariants: every entry lies in the slot that the highest bit differing from `elapsed` names; `elapsed` never
//! passes a slot that holds entries; insert, cancel and reschedule touch a constant number of words and allocate
//! only when the number of entries exceeds everything seen before.
use segue_wire::Instant;

/// Names one entry of a [`Wheel`]. A key of an entry that fired or was cancelled is recognised as stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerKey {
    index: u32,
    generation: u32,
}

/// A timing wheel over nanosecond deadlines.
#[derive(Debug)]
pub struct Wheel<T: Copy> {
    entries: Vec<T>,
}

impl<T: Copy> Wheel<T> {
    /// An empty wheel whose time starts at `now`.
    pub fn new(now: Instant) -> Self {
        let _ = now;
        todo!()
    }
    /// Adds an entry. A deadline that has passed already comes due at the next [`poll_expired`](Self::poll_expired).
    pub fn insert(&mut self, deadline: Instant, token: T) -> TimerKey {
        let _ = (deadline, token);
        todo!()
    }
    /// Removes an entry and returns its token; `None` if it fired or was cancelled before.
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        let _ = key;
        todo!()
    }
    /// Moves an entry to another deadline under the same key; `false` if the key is stale.
    #[must_use]
    pub fn reschedule(&mut self, key: TimerKey, deadline: Instant) -> bool {
        let _ = (key, deadline);
        todo!()
    }
    /// The deadline of an entry; `None` if the key is stale.
    pub fn deadline(&self, key: TimerKey) -> Option<Instant> {
        let _ = key;
        todo!()
    }
    /// The earliest deadline, or, when the entry that had it was cancelled or moved away, a time before it.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!()
    }
    /// Removes one entry whose deadline is `now` or earlier, earliest first. Call until `None`.
    pub fn poll_expired(&mut self, now: Instant) -> Option<T> {
        let _ = now;
        todo!()
    }
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether no entry waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
