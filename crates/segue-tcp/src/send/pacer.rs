//! Pacing: when the next segment may leave, for controllers that give a rate.
//!
//! No timer per packet: a departure moves `next` on by the time its bytes take at the rate,
//! and the plan waits for it. A little credit keeps a late wake-up from costing rate.

use core::time::Duration;

use segue_wire::Instant;

/// How far behind the clock `next` may lag, so that being woken late is made up for.
const CREDIT: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pacer {
    next: Instant,
}

impl Pacer {
    pub(crate) fn new() -> Pacer {
        Pacer { next: Instant::ZERO }
    }

    /// Until when sending must wait.
    pub(crate) fn hold(&self, now: Instant, rate: Option<u64>) -> Option<Instant> {
        (rate.is_some() && self.next > now).then_some(self.next)
    }

    /// `bytes` have left.
    pub(crate) fn on_sent(&mut self, now: Instant, bytes: u32, rate: Option<u64>) {
        let Some(rate) = rate else { return };
        let nanos = (u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1))).min(u128::from(u64::MAX)) as u64;
        self.next = self.next.max(now - CREDIT) + Duration::from_nanos(nanos);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_at_the_rate_and_a_late_wake_up_is_made_up_for() {
        let rate = Some(1_000_000);
        let mut pacer = Pacer::new();
        let mut now = Instant::from_secs(1);
        let mut sent = 0u64;
        while now < Instant::from_secs(2) {
            match pacer.hold(now, rate) {
                // Always woken 300 µs late.
                Some(at) => now = at + Duration::from_micros(300),
                None => {
                    pacer.on_sent(now, 1_000, rate);
                    sent += 1_000;
                }
            }
        }
        assert!((999_000..=1_003_000).contains(&sent), "{sent} bytes in a second");
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let mut pacer = Pacer::new();
        pacer.on_sent(Instant::from_secs(1), 1_000_000, None);
        assert_eq!(pacer.hold(Instant::from_secs(1), None), None);
    }
}
