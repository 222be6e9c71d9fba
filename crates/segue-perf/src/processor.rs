//! Processor time of this thread: what work costs, whatever else the machine does.
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A stopwatch that runs only while this thread does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Duration);

fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(used())
    }

    pub(crate) fn elapsed(self) -> Duration {
        used().saturating_sub(self.0)
    }
}
