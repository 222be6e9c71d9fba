//! The one place that reads a clock.
//!
//! All hosts of a process share one epoch, because an emulated path is shared between two of them.
use std::sync::LazyLock;
use std::time;

use segue_stack::{Instant, Stack};

static START: LazyLock<time::Instant> = LazyLock::new(time::Instant::now);

/// Nanoseconds since this process first asked, on a clock that never goes back.
///
/// The time that [`Host::with_stack`](crate::Host::with_stack) hands to its closure.
pub fn now() -> Instant {
    // Not zero at the start: an hour is what a "long ago" may be subtracted from a time without meeting the epoch.
    const EPOCH: u64 = 3_600_000_000_000;
    let elapsed = START.elapsed().as_nanos();
    Instant::from_nanos(EPOCH.saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX)))
}

/// How often a stack is told what the machine's clocks say: the wall clock is slewed and set.
pub(crate) const TOLD_EVERY: time::Duration = time::Duration::from_secs(1);

/// Tells the stack what the clocks say in which programs tell and are told times: the wall clock and `CLOCK_MONOTONIC`.
pub(crate) fn tell(stack: &mut Stack) {
    let (at, wall) = beside(since_1970);
    stack.set_wall_clock(at, wall);
    let (at, boot) = beside(since_boot);
    stack.set_monotonic_clock(at, boot);
}

/// One moment on the stack's clock and on another one: the closest of a few looks. What passes between the two makes the
/// other's times early: never is one told that has not come.
fn beside(other: fn() -> time::Duration) -> (Instant, time::Duration) {
    let look = || {
        let before = now();
        let told = other();
        let at = now();
        (at.saturating_duration_since(before), at, told)
    };
    let mut best = look();
    for _ in 1..4 {
        best = best.min(look());
    }
    (best.1, best.2)
}

fn since_boot() -> time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time::Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn since_1970() -> time::Duration {
    // A clock before 1970 has not been set yet; there is nothing better to tell.
    time::SystemTime::now().duration_since(time::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{beside, now, since_1970, since_boot};

    #[test]
    fn another_clock_is_never_told_ahead_of_itself() {
        for clock in [since_1970, since_boot] {
            let (at, told) = beside(clock);
            let then = told + now().saturating_duration_since(at);
            assert!(clock() >= then, "{told:?}");
        }
    }
}
