//! How late this kind of kernel is by design.
use std::time::Duration;

use crate::sys;

/// How late the kernel's timers run out, by design.
///
/// They lie in wheels that turn once a tick: a timer is rounded up to the next tick, and one that is further away than 63, 504,
/// 4032, … ticks to a multiple of 8, 64, 512, … ticks. Two ticks come on top: the one in which it was set, and the one in
/// which it is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerWheel {
    tick: Duration,
}

impl TimerWheel {
    /// Of a kernel whose clock ticks this often. `tick`: time between two ticks; not zero.
    pub const fn new(tick: Duration) -> TimerWheel {
        TimerWheel { tick }
    }

    /// Of the kernel that this process runs on.
    pub fn of_this_machine() -> TimerWheel {
        TimerWheel::new(sys::tick())
    }

    /// The most by which a timer of `delay` may be late.
    pub fn slack(&self, delay: Duration) -> Duration {
        const WHEELS: u32 = 8;
        let tick = self.tick.as_nanos().max(1);
        // A timer that has to be rounded up may just miss a wheel.
        let ticks = delay.as_nanos().div_ceil(tick) + 1;
        let wheel = (0..WHEELS).find(|wheel| ticks < 63 << (3 * wheel)).unwrap_or(WHEELS);
        self.tick * ((1 << (3 * wheel)) + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_are_rounded_to_a_tick_and_far_ones_to_eight_or_more() {
        let wheel = TimerWheel::new(Duration::from_millis(4));
        let slack = |millis| wheel.slack(Duration::from_millis(millis)).as_millis();
        assert_eq!([0, 40, 240].map(slack), [12, 12, 12]);
        assert_eq!([250, 1000, 2000].map(slack), [40, 40, 40]);
        assert_eq!([2012, 16_000].map(slack), [264, 264]);
        assert_eq!([16_128, 60_000].map(slack), [2056, 2056]);
    }

    #[test]
    fn this_machine_ticks_between_a_hundred_and_a_thousand_times_a_second() {
        let slack = TimerWheel::of_this_machine().slack(Duration::ZERO);
        assert!((3..=30).contains(&slack.as_millis()), "{slack:?}");
    }
}
