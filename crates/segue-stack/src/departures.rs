//! Finished packets whose time to leave has not come (`TCP_TX_DELAY`, `SCM_TXTIME`).
//!
//! Decides how many may wait. They leave in the order of their times, those of one time as they came, as from Linux's fair
//! queue (fq). When a packet may leave is decided by whoever makes it.
use core::time::Duration;
use std::collections::BTreeMap;

use segue_wire::{Instant, Packet};

use crate::IfaceId;
use crate::outbox::Queued;

/// The furthest time that a packet may wait for; one for later is dropped. Linux's fq has the same `horizon`.
pub(crate) const HORIZON: Duration = Duration::from_secs(10);
/// Most packets that wait; those beyond are dropped. Linux's fq has the same `limit`.
const MAX_WAITING: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Departures {
    waiting: BTreeMap<(Instant, u64), Queued>,
    serial: u64,
}

impl Departures {
    /// Let a packet wait; `false`: too many do already.
    #[must_use]
    pub(crate) fn push(&mut self, at: Instant, iface: IfaceId, packet: Packet) -> bool {
        self.push_queued(at, Queued { iface, packet, charged: None })
    }

    /// As [`push`](Self::push), of a packet that holds a part of a send buffer until it leaves.
    #[must_use]
    pub(crate) fn push_queued(&mut self, at: Instant, queued: Queued) -> bool {
        if self.waiting.len() >= MAX_WAITING {
            return false;
        }
        self.serial += 1;
        self.waiting.insert((at, self.serial), queued);
        true
    }

    /// The next packet whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Queued> {
        let entry = self.waiting.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.keys().next().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use segue_wire::{Bytes, Packet};

    use super::*;

    fn packet(number: u8) -> Packet {
        Packet::from_bytes(Bytes::copy_from_slice(&[number]))
    }

    #[test]
    fn packets_leave_by_time_and_then_by_turn_and_no_more_than_so_many_wait() {
        let at = Instant::from_secs;
        let mut departures = Departures::default();
        for (second, number) in [(3, 1), (2, 2), (3, 3), (1, 4)] {
            assert!(departures.push(at(second), IfaceId::LOOPBACK, packet(number)));
        }
        assert_eq!(departures.next_deadline(), Some(at(1)));
        assert!(departures.pop(Instant::ZERO).is_none());
        let left: Vec<u8> =
            core::iter::from_fn(|| departures.pop(at(3))).map(|queued| queued.packet.head()[0]).collect();
        assert_eq!(left, [4, 2, 1, 3]);
        let taken = (0..20_000).filter(|_| departures.push(at(1), IfaceId::LOOPBACK, packet(0))).count();
        assert_eq!(taken, 10_000);
    }
}
