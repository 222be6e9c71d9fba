//! The one place that reads a clock.
//!
//! All hosts of a process share one epoch, because an emulated path is shared between two of them.
use std::sync::LazyLock;
use std::time;

use segue_stack::Instant;

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

/// What `CLOCK_MONOTONIC` says, which programs tell times in.
pub(crate) fn since_boot() -> time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time::Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// What the machine's wall clock says, which control messages with times are told in.
pub(crate) fn since_1970() -> time::Duration {
    // A clock before 1970 has not been set yet; there is nothing better to tell.
    time::SystemTime::now().duration_since(time::UNIX_EPOCH).unwrap_or_default()
}
