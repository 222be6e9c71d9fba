//! CoDel (RFC 8289): drops at the head of the queue when packets have stayed too long for too long.
//!
//! Decides which packet leaves, and which is dropped or marked on that occasion. Where the RFC leaves room it
//! does as Linux (net/sched/sch_codel.c): marks instead of dropping for packets that take part in ECN,
//! marks above `ce_threshold`, and starts again at the drop rate it had left not long ago.

use super::config::CodelConfig;
use super::fifo::{Fifo, Queued};
use super::{Fated, QueueCounts};

/// What CoDel remembers. Times are nanoseconds.
#[derive(Default)]
pub(super) struct Codel {
    /// When packets will have stayed above the target for an interval; `None`: they do not.
    first_above: Option<u64>,
    dropping: bool,
    drop_next: u64,
    /// Packets dropped since it began to drop.
    count: u64,
    /// The same when it began last.
    last_count: u64,
}

impl Codel {
    /// RFC 8289 section 5.6: the next packet. `elsewhere` are bytes that wait behind the same server in other queues.
    pub(super) fn leave(
        &mut self,
        config: &CodelConfig,
        mtu: usize,
        now: u64,
        fifo: &mut Fifo,
        elsewhere: u64,
        counts: &mut QueueCounts,
    ) -> Option<Fated> {
        let interval = config.interval.as_nanos() as u64;
        let mut take = |codel: &mut Codel| {
            let next = fifo.pop();
            let above = codel.stays_above(config, now, next.as_ref(), fifo.bytes() + elsewhere <= mtu as u64);
            (next, above)
        };
        let (mut next, above) = take(self);
        if self.dropping {
            if !above {
                self.dropping = false;
            }
            while self.dropping && now >= self.drop_next {
                let Some(packet) = next.as_mut() else { break };
                self.count += 1;
                if config.ecn && mark(packet, counts) {
                    self.drop_next = self.control_law(self.drop_next, interval);
                    break;
                }
                counts.codel_dropped += 1;
                let above;
                (next, above) = take(self);
                if above {
                    self.drop_next = self.control_law(self.drop_next, interval);
                } else {
                    self.dropping = false;
                }
            }
        } else if let Some(packet) = next.as_mut().filter(|_| above) {
            if !(config.ecn && mark(packet, counts)) {
                counts.codel_dropped += 1;
                (next, _) = take(self);
            }
            self.dropping = true;
            // RFC 8289 section 5.6: it left this state not long ago, so it goes on where the drop rate was about right.
            let since = self.count - self.last_count;
            let recently = now.saturating_sub(self.drop_next) < 16 * interval;
            self.count = if since > 1 && recently { since } else { 1 };
            self.last_count = self.count;
            self.drop_next = self.control_law(now, interval);
        }
        let mut packet = next?;
        if let Some(threshold) = config.ce_threshold
            && now - packet.entered > threshold.as_nanos() as u64
        {
            mark(&mut packet, counts);
        }
        Some(packet.packet)
    }

    /// RFC 8289 section 5.4: whether packets have stayed above the target for an interval by now.
    fn stays_above(&mut self, config: &CodelConfig, now: u64, next: Option<&Queued>, little_left: bool) -> bool {
        let stay = next.map(|packet| now - packet.entered);
        if little_left || stay.is_none_or(|stay| stay < config.target.as_nanos() as u64) {
            self.first_above = None;
            if next.is_none() {
                self.dropping = false;
            }
            return false;
        }
        match self.first_above {
            None => {
                self.first_above = Some(now + config.interval.as_nanos() as u64);
                false
            }
            Some(first_above) => now > first_above,
        }
    }

    /// RFC 8289 section 5.5: `interval / sqrt(count)` later, in 32 binary places.
    fn control_law(&self, from: u64, interval: u64) -> u64 {
        let root = u128::from(self.count.min(u64::from(u32::MAX)).max(1) << 32).isqrt();
        from.saturating_add(((u128::from(interval) << 16) / root) as u64)
    }
}

/// Marks a packet if it can be; one that was marked before counts as marked.
fn mark(packet: &mut Queued, counts: &mut QueueCounts) -> bool {
    let marked = packet.packet.run.mark_congestion();
    counts.marked += u64::from(marked);
    marked
}
