//! A thread that makes system calls, one at a time, each of which may block and can be ended.
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant as RealInstant};

use segue_wire::Instant;

use crate::clock::Clock;
use crate::sys::{ThreadHandle, install_interruption, raise_priority, wait_readable};

type Job<R> = Box<dyn FnOnce() -> R + Send>;

/// Makes calls in its own thread; `R` is what they give.
///
/// Dropping it ends a call that blocks, and the thread.
pub struct Caller<R: Send + 'static> {
    jobs: Option<Sender<Job<R>>>,
    results: Receiver<(Instant, R)>,
    /// Readable when a call has returned.
    bell: PipeReader,
    thread: ThreadHandle,
    join: Option<std::thread::JoinHandle<()>>,
    is_busy: bool,
}

/// How long a call has to return or fall asleep before the caller goes on without waiting: on a busy machine others run first.
const SETTLE: Duration = Duration::from_millis(200);

impl<R: Send + 'static> Caller<R> {
    /// Starts the thread. It is in the network namespace of the thread that calls this.
    ///
    /// # Errors
    /// No thread or no descriptor is to be had.
    pub fn start(clock: Clock) -> io::Result<Caller<R>> {
        install_interruption();
        let (jobs, job_queue) = channel::<Job<R>>();
        let (result_queue, results) = channel();
        let (bell, ringer) = io::pipe()?;
        let (tell, told) = channel();
        let work = move || {
            // The thread's name in the kernel is known to the others before anything blocks.
            _ = tell.send(ThreadHandle::current());
            raise_priority();
            serve(&job_queue, &result_queue, ringer, clock);
        };
        let join = std::thread::Builder::new().name("segue-caller".into()).spawn(work)?;
        let thread = told.recv().map_err(|_| io::Error::other("the thread for system calls did not start"))?;
        Ok(Caller { jobs: Some(jobs), results, bell, thread, join: Some(join), is_busy: false })
    }

    /// Begins a call. It returns when the call has returned or sleeps in the kernel.
    ///
    /// # Errors
    /// Another call has not returned yet (`ResourceBusy`), or the thread is gone.
    pub fn begin(&mut self, job: impl FnOnce() -> R + Send + 'static) -> io::Result<()> {
        if self.is_busy {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another call has not returned yet"));
        }
        let gone = || io::Error::other("the thread for system calls is gone");
        self.jobs.as_ref().ok_or_else(gone)?.send(Box::new(job)).map_err(|_| gone())?;
        self.is_busy = true;
        let limit = RealInstant::now() + SETTLE;
        loop {
            // Most calls return within this.
            if wait_readable([self.bell.as_fd()], Duration::from_micros(200))?[0] {
                return Ok(());
            }
            if self.thread.is_asleep() || RealInstant::now() > limit {
                return Ok(());
            }
        }
    }

    /// What the call gave, and when it returned; `None` while it has not.
    pub fn take(&mut self) -> Option<(Instant, R)> {
        let result = self.results.try_recv().ok()?;
        self.is_busy = false;
        // The bell rings once for each result.
        _ = self.bell.read(&mut [0]);
        Some(result)
    }

    /// Readable when the call has returned.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Whether there is something to take.
    pub fn has_returned(&self) -> bool {
        self.is_busy && matches!(wait_readable([self.bell.as_fd()], Duration::ZERO), Ok([true]))
    }

    /// Ends the call that blocks, with `EINTR`, and takes what it gave.
    pub fn interrupt(&mut self) -> Option<(Instant, R)> {
        while self.is_busy {
            if let Some(result) = self.take() {
                return Some(result);
            }
            if self.join.as_ref().is_none_or(std::thread::JoinHandle::is_finished) {
                break;
            }
            // The thread may not be in its call yet: ask until it answers.
            self.thread.interrupt();
            _ = wait_readable([self.bell.as_fd()], Duration::from_millis(5));
        }
        None
    }
}

impl<R: Send + 'static> Drop for Caller<R> {
    fn drop(&mut self) {
        self.interrupt();
        self.jobs = None;
        if let Some(join) = self.join.take() {
            _ = join.join();
        }
    }
}

fn serve<R>(jobs: &Receiver<Job<R>>, results: &Sender<(Instant, R)>, mut ringer: PipeWriter, clock: Clock) {
    while let Ok(job) = jobs.recv() {
        let result = job();
        // The time first: whoever takes the result comes later.
        if results.send((clock.now(), result)).is_err() || ringer.write_all(&[0]).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::Caller;
    use crate::clock::Clock;
    use crate::sys::{Shape, pipe, receive};

    #[test]
    fn a_call_that_blocks_is_ended_and_the_next_one_is_made() {
        let mut caller = Caller::start(Clock::new()).unwrap();
        let (reader, _writer) = pipe(0).unwrap();
        caller.begin(move || receive(reader.as_fd(), Shape::Plain, &[1], 0, 0).map(|got| got.count)).unwrap();
        assert!(caller.take().is_none());
        let (_, result) = caller.interrupt().unwrap();
        assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::Interrupted);
        caller.begin(|| Ok(7)).unwrap();
        let (_, result) = caller.take().unwrap();
        assert_eq!(result.unwrap(), 7);
    }

    #[test]
    fn dropping_it_ends_a_call_that_blocks() {
        let mut caller = Caller::start(Clock::new()).unwrap();
        let (reader, _writer) = pipe(0).unwrap();
        caller.begin(move || receive(reader.as_fd(), Shape::Plain, &[1], 0, 0).map(drop)).unwrap();
        drop(caller);
    }
}
