//! Processor time of this thread: what work costs, whatever else the machine does.
use std::time::Duration;

use segue_kernel::process;

/// A stopwatch that runs only while this thread does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Duration);

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(process::thread_time())
    }

    pub(crate) fn elapsed(self) -> Duration {
        process::thread_time().saturating_sub(self.0)
    }
}
