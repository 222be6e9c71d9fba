//! Tasks that sleep until an instant, on the host's own alarm clock (nanoseconds, where tokio's ticks in milliseconds).
use core::task::Waker;
use std::collections::BTreeMap;

use segue_stack::Instant;

use super::waiters::WakeList;

/// Names one sleeper.
pub(crate) type SleepKey = (Instant, u64);

#[derive(Default)]
pub(crate) struct Sleepers {
    by_time: BTreeMap<SleepKey, Waker>,
    last: u64,
}

impl Sleepers {
    /// Puts a task to sleep until `until`.
    pub(crate) fn add(&mut self, until: Instant, waker: Waker) -> SleepKey {
        self.last += 1;
        self.by_time.insert((until, self.last), waker);
        (until, self.last)
    }

    /// The sleeper is polled by another task now. The old waker is returned, to be dropped after the lock.
    pub(crate) fn renew(&mut self, key: SleepKey, waker: &Waker) -> Option<Waker> {
        match self.by_time.get_mut(&key) {
            Some(place) if place.will_wake(waker) => None,
            _ => self.by_time.insert(key, waker.clone()),
        }
    }

    /// The sleeper is gone. Its waker is returned, to be dropped after the lock.
    pub(crate) fn remove(&mut self, key: SleepKey) -> Option<Waker> {
        self.by_time.remove(&key)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first_key_value().map(|((at, _), _)| *at)
    }

    /// Collects whose time has come.
    pub(crate) fn due(&mut self, now: Instant, wakes: &mut WakeList) {
        while let Some(first) = self.by_time.first_entry() {
            if first.key().0 > now {
                break;
            }
            wakes.push(first.remove());
        }
    }

    /// The host has ended: everyone is woken.
    pub(crate) fn end(&mut self, wakes: &mut WakeList) {
        std::mem::take(&mut self.by_time).into_values().for_each(|waker| wakes.push(waker));
    }
}
