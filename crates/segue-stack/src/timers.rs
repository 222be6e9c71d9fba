//! Deadlines of everything in the stack, each owner at most once.
//!
//! Decides when an owner's place in the wheel moves: only to an earlier time. A deadline that moved away is noticed when
//! the old one comes, so the common case (every acknowledgement pushes the retransmission timer out) costs nothing.
use core::time::Duration;

use segue_wire::Instant;

use crate::wheel::{TimerKey, Wheel};

/// Whose deadline it is; the number is its place in the owner's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    Connection(u32),
    Opening(u32),
    TimeWait(u32),
    Held(u32),
}

#[derive(Debug)]
pub(crate) struct Timers {
    wheel: Wheel<Timer>,
}

impl Timers {
    pub(crate) fn new(now: Instant) -> Timers {
        Timers { wheel: Wheel::new(now) }
    }

    /// Make sure that the owner is called at `deadline` or before. `slot` is the owner's memory of its place.
    pub(crate) fn arm(&mut self, now: Instant, slot: &mut Option<TimerKey>, deadline: Option<Instant>, timer: Timer) {
        let Some(deadline) = deadline else { return };
        // An owner that is armed has just been served, so a deadline in the past is one for the next turn, not for this.
        let deadline = deadline.max(now + Duration::from_micros(1));
        if let Some(key) = *slot {
            match self.wheel.deadline(key) {
                Some(armed) if armed <= deadline => return,
                Some(_) if self.wheel.reschedule(key, deadline) => return,
                _ => {}
            }
        }
        *slot = Some(self.wheel.insert(deadline, timer));
    }

    pub(crate) fn disarm(&mut self, slot: Option<TimerKey>) {
        if let Some(key) = slot {
            self.wheel.cancel(key);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.wheel.next_deadline()
    }

    /// Whose deadline has come; `moves`: how much may be set in order for it, which goes down. `None` with nothing left of it:
    /// there is more to do.
    pub(crate) fn poll_expired(&mut self, now: Instant, moves: &mut usize) -> Option<Timer> {
        self.wheel.poll_expired(now, moves)
    }

    /// Bytes of places that are held.
    pub(crate) fn room(&self) -> usize {
        self.wheel.room()
    }

    /// How many owners wait.
    pub(crate) fn len(&self) -> usize {
        self.wheel.len()
    }
}
