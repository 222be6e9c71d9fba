//! Pacing: when the next segment may leave.
//!
//! No timer per packet: a departure moves `next` on by the time that its bytes take at the rate, and
//! the plan waits for it. Being late is made up for, by half of each departure's time at most, as on
//! Linux: a late wake-up costs no rate, and a long pause does not become a burst.

use core::time::Duration;

use segue_wire::Instant;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pacer {
    next: Instant,
}

impl Pacer {
    pub(crate) fn new() -> Pacer {
        Pacer { next: Instant::ZERO }
    }

    /// Until when sending must wait.
    pub(crate) fn hold(&self, now: Instant) -> Option<Instant> {
        (self.next > now).then_some(self.next)
    }

    /// What has left takes this long.
    pub(crate) fn on_sent(&mut self, now: Instant, takes: Duration) {
        let late = now - self.next;
        self.next = self.next.max(now) + (takes - late.min(takes / 2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes sent in a second at a million a second, a thousand at a time, woken `late` each time.
    fn sent_in_a_second(late: Duration) -> u64 {
        let mut pacer = Pacer::new();
        let mut now = Instant::from_secs(1);
        let mut sent = 0;
        while now < Instant::from_secs(2) {
            match pacer.hold(now) {
                Some(at) => now = at + late,
                None => {
                    pacer.on_sent(now, Duration::from_millis(1));
                    sent += 1_000;
                }
            }
        }
        sent
    }

    #[test]
    fn bytes_leave_at_the_rate_and_a_late_wake_up_is_made_up_for() {
        for late in [0, 100, 300, 500] {
            let sent = sent_in_a_second(Duration::from_micros(late));
            assert!((999_000..=1_002_000).contains(&sent), "{sent} bytes in a second, {late} µs late");
        }
        // Later than half of a departure's time: the rate falls, it does not burst.
        assert!(sent_in_a_second(Duration::from_micros(1_500)) < 600_000);
    }

    #[test]
    fn a_pause_is_no_credit_for_more_than_half_a_departure() {
        let mut pacer = Pacer::new();
        pacer.on_sent(Instant::from_secs(100), Duration::from_millis(10));
        assert_eq!(pacer.hold(Instant::from_secs(100)), Some(Instant::from_secs(100) + Duration::from_millis(5)));
        pacer.on_sent(Instant::from_secs(100) + Duration::from_millis(5), Duration::from_millis(10));
        let next = Instant::from_secs(100) + Duration::from_millis(15);
        assert_eq!(pacer.hold(next - Duration::from_nanos(1)), Some(next));
        assert_eq!(pacer.hold(next), None);
    }

    #[test]
    fn a_rate_of_a_byte_in_a_day_waits_a_day() {
        let mut pacer = Pacer::new();
        let day = Duration::from_secs(86_400);
        pacer.on_sent(Instant::from_secs(1), day);
        pacer.on_sent(Instant::from_secs(1) + day, Duration::MAX);
        assert_eq!(pacer.hold(Instant::from_secs(1) + day * 1000), Some(Instant::MAX));
    }
}
