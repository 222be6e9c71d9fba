//! Which datagram flows exist: a bounded table of flows by key, each with a
//! time at which it is forgotten.
//!
//! Pure: the time is an argument. A flow that has had no reply lives
//! [`Timeouts::unreplied`] after its last datagram, one that has had lives
//! [`Timeouts::established`]; replies renew it too. When the table is full the
//! flow nearest to its end goes, so unanswered ones go first. The cost of a
//! datagram is one hash look-up: the order of ends is corrected lazily, when a
//! flow comes up for removal, at most once for each renewal.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// How long a flow without datagrams is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// While nothing has come back: 30 s by default, as in Linux's connection
    /// tracking (`nf_conntrack_udp_timeout`).
    pub unreplied: Duration,
    /// Once something has: 120 s by default
    /// (`nf_conntrack_udp_timeout_stream`; RFC 4787 REQ-5 wants at least that).
    pub established: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { unreplied: Duration::from_secs(30), established: Duration::from_secs(120) }
    }
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    replied: bool,
    last: Instant,
    /// Its key in `ends`.
    queued: (Instant, u64),
}

/// Flows by key. `V` is whatever keeps the flow going; dropping it ends the flow.
#[derive(Debug)]
pub(crate) struct NatTable<K, V> {
    flows: HashMap<K, Entry<V>>,
    /// Never later than the flow's real end.
    ends: BTreeMap<(Instant, u64), K>,
    serial: u64,
    capacity: usize,
    timeouts: Timeouts,
}

impl<K: Copy + Eq + Hash, V> NatTable<K, V> {
    /// A table for at most `capacity` flows.
    pub(crate) fn new(capacity: usize, timeouts: Timeouts) -> Self {
        Self { flows: HashMap::new(), ends: BTreeMap::new(), serial: 0, capacity: capacity.max(1), timeouts }
    }

    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    /// The flow of a datagram from inside, renewed.
    pub(crate) fn outbound(&mut self, now: Instant, key: &K) -> Option<&mut V> {
        let entry = self.flows.get_mut(key)?;
        entry.last = now;
        Some(&mut entry.value)
    }

    /// Renews the flow of a datagram from outside.
    pub(crate) fn inbound(&mut self, now: Instant, key: &K) {
        if let Some(entry) = self.flows.get_mut(key) {
            entry.last = now;
            entry.replied = true;
        }
    }

    /// Adds a flow; gives back the one that had to go for it, if any.
    pub(crate) fn insert(&mut self, now: Instant, key: K, value: V) -> Option<(K, V)> {
        self.remove(&key);
        let evicted = if self.flows.len() >= self.capacity { self.evict() } else { None };
        self.serial += 1;
        let queued = (now + self.timeouts.unreplied, self.serial);
        self.ends.insert(queued, key);
        let entry = Entry { value, replied: false, last: now, queued };
        self.flows.insert(key, entry);
        evicted
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.flows.remove(key)?;
        self.ends.remove(&entry.queued);
        Some(entry.value)
    }

    /// Takes the flow nearest to its end.
    pub(crate) fn evict(&mut self) -> Option<(K, V)> {
        loop {
            if let (key, true) = self.correct_first()? {
                return self.remove(&key).map(|value| (key, value));
            }
        }
    }

    /// Takes a flow whose time is over.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<(K, V)> {
        while let Some((&(end, _), _)) = self.ends.first_key_value() {
            if end > now {
                return None;
            }
            if let Some((key, true)) = self.correct_first() {
                return self.remove(&key).map(|value| (key, value));
            }
        }
        None
    }

    /// The earliest time at which [`expired`](Self::expired) may have something.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.ends.first_key_value().map(|(&(end, _), _)| end)
    }

    /// Moves the first of `ends` to its flow's real end. True when it was there
    /// already, so that it is the first in truth.
    fn correct_first(&mut self) -> Option<(K, bool)> {
        let (&queued, &key) = self.ends.first_key_value()?;
        let Some(entry) = self.flows.get_mut(&key) else {
            // Cannot be: both maps change together. Drop the stray.
            self.ends.remove(&queued);
            return Some((key, false));
        };
        let timeout = if entry.replied { self.timeouts.established } else { self.timeouts.unreplied };
        let end = entry.last + timeout;
        if end <= queued.0 {
            return Some((key, true));
        }
        self.ends.remove(&queued);
        entry.queued = (end, queued.1);
        self.ends.insert(entry.queued, key);
        Some((key, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn table(capacity: usize) -> (NatTable<u32, &'static str>, Instant) {
        (NatTable::new(capacity, Timeouts::default()), Instant::now())
    }

    #[test]
    fn a_flow_without_reply_ends_thirty_seconds_after_its_last_datagram() {
        let (mut table, start) = table(10);
        assert!(table.insert(start, 1, "a").is_none());
        assert!(table.expired(start + 29 * SECOND).is_none());
        assert!(table.outbound(start + 29 * SECOND, &1).is_some());
        assert!(table.expired(start + 58 * SECOND).is_none());
        assert_eq!(table.expired(start + 59 * SECOND), Some((1, "a")));
        assert_eq!(table.len(), 0);
        assert_eq!(table.next_expiry(), None);
    }

    #[test]
    fn a_reply_makes_a_flow_live_two_minutes() {
        let (mut table, start) = table(10);
        table.insert(start, 1, "a");
        table.inbound(start + SECOND, &1);
        assert!(table.expired(start + 120 * SECOND).is_none());
        assert_eq!(table.next_expiry(), Some(start + 121 * SECOND));
        assert_eq!(table.expired(start + 121 * SECOND), Some((1, "a")));
    }

    #[test]
    fn a_full_table_gives_up_the_flow_nearest_to_its_end() {
        let (mut table, start) = table(3);
        table.insert(start, 1, "oldest, but answered");
        table.insert(start + SECOND, 2, "old, but renewed");
        table.insert(start + 2 * SECOND, 3, "idle");
        table.inbound(start + 3 * SECOND, &1);
        table.outbound(start + 4 * SECOND, &2);
        let evicted = table.insert(start + 5 * SECOND, 4, "new");
        assert_eq!(evicted, Some((3, "idle")));
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn a_flow_removed_is_neither_found_nor_expired() {
        let (mut table, start) = table(3);
        table.insert(start, 1, "a");
        assert_eq!(table.remove(&1), Some("a"));
        assert!(table.outbound(start, &1).is_none());
        assert!(table.expired(start + 1000 * SECOND).is_none());
    }

    #[test]
    fn a_flood_of_new_flows_never_exceeds_the_capacity_and_spares_answered_ones() {
        let (mut table, start) = table(100);
        table.insert(start, 0, "answered");
        table.inbound(start, &0);
        for key in 1..100_000 {
            let now = start + Duration::from_micros(u64::from(key));
            let evicted = table.insert(now, key, "flood");
            assert_eq!(evicted.is_some(), key >= 100, "key {key}");
            assert!(table.len() <= 100);
        }
        assert!(table.outbound(start + SECOND, &0).is_some());
    }

    /// Against a table that computes every end afresh each time.
    #[test]
    fn random_use_agrees_with_a_table_that_looks_at_every_flow() {
        for seed in 0..50u64 {
            let (mut table, start) = table(8);
            let mut naive: HashMap<u32, (Instant, bool)> = HashMap::new();
            let end = |(last, replied): (Instant, bool)| last + if replied { 120 * SECOND } else { 30 * SECOND };
            let mut now = start;
            let mut state = seed;
            for step in 0..2000 {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                // Distinct times keep the two orders comparable.
                now += Duration::from_millis(1 + (state >> 40) % 5000);
                let key = ((state >> 33) % 16) as u32;
                while let Some((key, _)) = table.expired(now) {
                    let gone = naive.remove(&key).expect("the naive table has it");
                    assert!(end(gone) <= now, "seed {seed} step {step}");
                }
                assert!(naive.values().all(|&flow| end(flow) > now), "seed {seed} step {step}");
                match (state >> 60) % 3 {
                    0 => {
                        assert_eq!(
                            table.outbound(now, &key).is_some(),
                            naive.contains_key(&key),
                            "seed {seed} step {step}"
                        );
                        naive.entry(key).and_modify(|flow| flow.0 = now);
                    }
                    1 => {
                        table.inbound(now, &key);
                        naive.entry(key).and_modify(|flow| *flow = (now, true));
                    }
                    _ => {
                        naive.remove(&key);
                        let expected = (naive.len() >= 8)
                            .then(|| naive.iter().min_by_key(|(_, flow)| end(**flow)))
                            .flatten()
                            .map(|(key, flow)| (*key, end(*flow)));
                        let evicted = table.insert(now, key, "x").map(|(key, _)| key);
                        match (evicted, expected) {
                            (None, None) => {}
                            (Some(evicted), Some((_, first))) => {
                                let gone = naive.remove(&evicted).expect("known");
                                assert_eq!(end(gone), first, "seed {seed} step {step}");
                            }
                            other => panic!("seed {seed} step {step}: {other:?}"),
                        }
                        naive.insert(key, (now, false));
                    }
                }
                assert_eq!(table.len(), naive.len(), "seed {seed} step {step}");
            }
        }
    }
}
