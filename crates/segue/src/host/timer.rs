//! The driver's alarm clock: a timerfd, because tokio's own clock ticks in milliseconds.
//!
//! Whoever holds the core's lock may arm it; only the driver waits on it. It is armed lazily: a deadline that moves later
//! leaves the earlier alarm standing, which then finds nothing to do. A request/response exchange, whose retransmission
//! timer moves with every segment, so costs no system call here.
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use segue_stack::Instant;

pub(crate) struct Timer {
    fd: Arc<OwnedFd>,
    armed: Option<Instant>,
}

impl Timer {
    pub(crate) fn new() -> io::Result<Timer> {
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Timer { fd: Arc::new(fd), armed: None })
    }

    /// The descriptor that becomes readable when the alarm goes off.
    pub(crate) fn fd(&self) -> Arc<OwnedFd> {
        self.fd.clone()
    }

    /// Makes sure that the alarm goes off at `at` or before.
    pub(crate) fn arm(&mut self, now: Instant, at: Instant) -> io::Result<()> {
        if self.armed.is_some_and(|armed| armed <= at) {
            return Ok(());
        }
        // Relative, and never zero: zero would disarm.
        let delay = at.saturating_duration_since(now).max(core::time::Duration::from_nanos(1));
        let value = Timespec {
            tv_sec: i64::try_from(delay.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(delay.subsec_nanos()),
        };
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(&self.fd, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: zero, it_value: value })?;
        self.armed = Some(at);
        Ok(())
    }

    /// The alarm went off: takes the expiration from the descriptor. Returns whether there was one.
    pub(crate) fn acknowledge(&mut self) -> bool {
        let mut count = [0u8; 8];
        let fired = rustix::io::read(&self.fd, &mut count).is_ok();
        if fired {
            self.armed = None;
        }
        fired
    }
}
