//! How a thread waits for a future: parked, with a time limit.
use core::future::Future;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Instant;

use segue_stack::Errno;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

/// Runs a future on this thread. `None`: it was not done in time, and is dropped.
pub(super) fn block_on<F: Future>(future: F, timeout: Option<Duration>) -> Option<F::Output> {
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut future = pin!(future);
    WAKER.with(|waker| {
        let mut cx = Context::from_waker(waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Some(output);
            }
            // A token left by an earlier wake-up ends a park at once; the future is polled once more, which is harmless.
            match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => return None,
                Some(left) => thread::park_timeout(left),
            }
        }
    })
}

/// Runs a call without a time limit.
pub(super) fn block<T>(call: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    // Only a time limit could have ended it without an output.
    block_on(call, None).unwrap_or_else(|| Err(crate::io_error(Errno::ETIMEDOUT)))
}

/// A time limit that `&self` may change: `SO_RCVTIMEO` and `SO_SNDTIMEO` as std's sockets have them.
#[derive(Default, Debug)]
pub(super) struct Timeout(AtomicU64);

impl Timeout {
    /// Zero is refused, as std does: it would mean "no limit" to the kernel and "at once" to a reader.
    pub(super) fn set(&self, timeout: Option<Duration>) -> io::Result<()> {
        let nanos = match timeout {
            None => 0,
            Some(Duration::ZERO) => {
                return Err(crate::error::invalid("a time limit of zero is not possible: use None for no limit"));
            }
            Some(timeout) => u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX),
        };
        self.0.store(nanos, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn get(&self) -> Option<Duration> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// Runs a call within the limit; `EAGAIN` when it passes, as on Linux.
    pub(super) fn run<T>(&self, call: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        block_on(call, self.get()).unwrap_or_else(|| Err(crate::io_error(Errno::EAGAIN)))
    }
}
