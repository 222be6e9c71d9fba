//! Packets that have arrived and wait for their turn, and how much is done at once.
//!
//! Decides how many packets wait between devices and the stack (`netdev_max_backlog`) and how much work of each kind may
//! follow without a pause (`netdev_budget`, `dev_weight`), so that under a flood timers and applications are served, too.
//! Who pauses, and when time is up, is the caller's: a device that can wait is better left waiting than read and dropped.
use core::time::Duration;
use std::collections::VecDeque;

use segue_tcp::Instant;
use segue_wire::Packet;

use crate::stack::Stack;
use crate::{Counter, IfaceId};

/// How much may be done at once before everybody else has a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkLimits {
    /// `net.core.dev_weight`: packets taken from one device.
    pub per_device: usize,
    /// `net.core.netdev_budget`: packets served, of all devices together; also how many timers.
    pub packets: usize,
    /// `net.core.netdev_budget_usecs`: how long packets may be served.
    pub time: Duration,
}

/// What came of a packet that was given to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Arrived {
    /// It will be served in its turn.
    Waits,
    /// As many wait already as may; it is gone, and counted.
    Dropped,
}

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    queue: VecDeque<(IfaceId, Packet)>,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Bytes of places that are held.
    pub(crate) fn room(&self) -> usize {
        self.queue.capacity() * size_of::<(IfaceId, Packet)>()
    }
}

impl Stack {
    /// As [`on_packet`](Self::on_packet), but the packet waits until [`serve_backlog`](Self::serve_backlog). For callers that
    /// cannot let a device wait. More than `net.core.netdev_max_backlog` do not wait: they are dropped and counted as
    /// `SegueSoftnetDropped`.
    pub fn enqueue_packet(&mut self, iface: IfaceId, packet: Packet) -> Arrived {
        if self.backlog_room() == 0 {
            self.counters.inc(Counter::SegueSoftnetDropped);
            self.net.note_dropped(iface);
            return Arrived::Dropped;
        }
        self.backlog.queue.push_back((iface, packet));
        Arrived::Waits
    }

    /// How many more packets may wait.
    pub fn backlog_room(&self) -> usize {
        (self.settings.core.netdev_max_backlog as usize).saturating_sub(self.backlog.len())
    }

    /// How many packets wait.
    pub fn backlog_len(&self) -> usize {
        self.backlog.len()
    }

    /// Serves packets that wait, in the order of their arrival, `most` at most. Gives how many still wait.
    pub fn serve_backlog(&mut self, now: Instant, most: usize) -> usize {
        for _ in 0..most {
            let Some((iface, packet)) = self.backlog.queue.pop_front() else { break };
            self.on_packet(now, iface, packet);
        }
        self.backlog.len()
    }

    /// How much may be done at once, as the sysctls say.
    pub fn work_limits(&self) -> WorkLimits {
        let core = &self.settings.core;
        WorkLimits {
            per_device: core.dev_weight as usize,
            packets: core.netdev_budget as usize,
            time: core.netdev_budget_time,
        }
    }

    /// A round of work has ended at its limits with packets still waiting: counted as `SegueSoftnetTimeSqueeze`.
    pub fn note_time_squeeze(&mut self) {
        self.counters.inc(Counter::SegueSoftnetTimeSqueeze);
    }
}
