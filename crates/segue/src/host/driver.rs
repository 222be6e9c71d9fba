//! The driver: one task per host that sleeps until a link, the alarm clock or a caller has something, and serves it.
//!
//! Each round is bounded (timers, packets in, packets and bytes out), then every other task gets its turn, so that timers,
//! applications and other links are served under a flood, too. Due timers come first in every round. What a round does not
//! get to waits in the stack's backlog; while that is full, links are left waiting.
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use segue_link::Wait;
use segue_stack::{Instant, WorkLimits};
use segue_wire::packet::Packet;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Shared;
use super::core::{Core, Life, SendBudget};
use super::waiters::WakeList;

/// What is sent in a round.
const SEND_BUDGET: SendBudget = SendBudget { packets: 256, bytes: 4 << 20 };
/// Packets that are served between two looks at the clock.
const SLICE: usize = 16;

/// How the driver learns that a link has something.
enum Source {
    /// A duplicate of the link's descriptor, watched by the runtime.
    Fd(AsyncFd<OwnedFd>),
    /// The link calls our waker.
    Waker,
}

pub(crate) struct Driver {
    shared: Arc<Shared>,
    sources: Vec<Source>,
    alarm: AsyncFd<Arc<OwnedFd>>,
    /// The waker that links and callers know.
    known: Option<Waker>,
    batch: Vec<Packet>,
}

impl Driver {
    /// Must be called inside a tokio runtime with I/O enabled.
    pub(crate) fn new(shared: Arc<Shared>) -> io::Result<Driver> {
        let core = shared.lock();
        let alarm = watch(core.timer.fd(), Interest::READABLE)?;
        let sources = core
            .ifaces
            .iter()
            .map(|iface| match iface.link.wait() {
                Wait::Fd(fd) => {
                    Ok(Source::Fd(watch(fd.try_clone_to_owned()?, Interest::READABLE | Interest::WRITABLE)?))
                }
                Wait::Waker => Ok(Source::Waker),
            })
            .collect::<io::Result<Vec<Source>>>()?;
        drop(core);
        Ok(Driver { shared, sources, alarm, known: None, batch: Vec::new() })
    }

    /// One round under the lock. True: there is more to do at once.
    fn round(&mut self, core: &mut Core, cx: &mut Context<'_>, wakes: &mut WakeList) -> bool {
        let now = crate::clock::now();
        self.introduce(core, cx.waker());
        core.follow_clocks(now);
        core.sleepers.due(now, wakes);
        let limits = core.stack.work_limits();
        let mut more = false;
        if core.stack.next_deadline().is_some_and(|at| at <= now) {
            more |= core.stack.on_deadline_within(now, limits.packets);
        }
        for (index, source) in self.sources.iter().enumerate() {
            more |= receive(core, index, source, &mut self.batch, now, cx);
            resume(core, index, source, now, cx);
        }
        let now = serve(core, now, &limits);
        more |= core.stack.backlog_len() > 0;
        more |= core.flush(now, wakes, SEND_BUDGET);
        if matches!(core.life, Life::Ending { .. }) {
            core.check_end(now, wakes);
            more |= core.set_alarm(now);
        }
        more | self.watch_alarm(core, cx)
    }

    /// Tells links and callers whom to wake.
    fn introduce(&mut self, core: &mut Core, waker: &Waker) {
        if !self.known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            for (iface, source) in core.ifaces.iter_mut().zip(&self.sources) {
                if matches!(source, Source::Waker) {
                    iface.link.set_waker(waker.clone());
                }
            }
            self.known = Some(waker.clone());
        }
        if !core.driver.as_ref().is_some_and(|driver| driver.will_wake(waker)) {
            core.driver = Some(waker.clone());
        }
    }

    /// Leaves the waker with the alarm clock; true when it has gone off in the meantime.
    fn watch_alarm(&mut self, core: &mut Core, cx: &mut Context<'_>) -> bool {
        let mut fired = false;
        while let Poll::Ready(Ok(mut ready)) = self.alarm.poll_read_ready(cx) {
            fired |= core.timer.acknowledge();
            ready.clear_ready();
        }
        fired
    }
}

/// Has the runtime watch a descriptor for edges.
#[allow(
    deprecated,
    reason = "the replacement is an unsafe fn that asks for a descriptor owned for as long: both of ours are"
)]
fn watch<F: AsFd + AsRawFd>(fd: F, interest: Interest) -> io::Result<AsyncFd<F>> {
    AsyncFd::with_interest(fd, interest)
}

/// Takes a batch from a link to the stack. True: there may be more.
fn receive(
    core: &mut Core,
    index: usize,
    source: &Source,
    batch: &mut Vec<Packet>,
    now: Instant,
    cx: &mut Context<'_>,
) -> bool {
    let Some(iface) = core.ifaces.get_mut(index) else { return false };
    // What finds no room in the backlog is better off in the device.
    let mut left = core.stack.work_limits().per_device.min(core.stack.backlog_room());
    if left == 0 {
        return true;
    }
    match source {
        Source::Waker => left -= iface.recv(now, batch, left).min(left),
        Source::Fd(fd) => {
            // A link on a descriptor may have deadlines of its own, too (a capture that is to be written out).
            if iface.failed.is_none() && iface.link.next_deadline().is_some_and(|at| at <= now) {
                left -= iface.recv(now, batch, left).min(left);
            }
            // The descriptor is watched for edges: it must be read until it has nothing before it is waited for.
            while left > 0
                && let Poll::Ready(Ok(mut ready)) = fd.poll_read_ready(cx)
            {
                let count = iface.recv(now, batch, left);
                left -= count.min(left);
                if left > 0 {
                    ready.clear_ready();
                }
                if iface.failed.is_some() {
                    break;
                }
            }
        }
    }
    let id = iface.id;
    for packet in batch.drain(..) {
        // There is room: no more were taken.
        let _ = core.stack.enqueue_packet(id, packet);
    }
    left == 0
}

/// Serves the packets that wait, until there are none or it is everybody else's turn. Gives the time after it.
fn serve(core: &mut Core, begin: Instant, limits: &WorkLimits) -> Instant {
    let (mut now, mut budget) = (begin, limits.packets);
    loop {
        let slice = SLICE.min(budget);
        let waiting = core.stack.serve_backlog(now, slice);
        budget -= slice;
        if waiting == 0 {
            return now;
        }
        now = crate::clock::now().max(now);
        if budget == 0 || now.saturating_duration_since(begin) >= limits.time {
            core.stack.note_time_squeeze();
            return now;
        }
    }
}

/// Tries again on a link that was full, and waits for room while it is.
fn resume(core: &mut Core, index: usize, source: &Source, now: Instant, cx: &mut Context<'_>) {
    let Some(iface) = core.ifaces.get_mut(index).filter(|iface| iface.is_full()) else { return };
    match source {
        // The link calls when there is room.
        Source::Waker => iface.resume(now),
        Source::Fd(fd) => {
            while let Poll::Ready(Ok(mut ready)) = fd.poll_write_ready(cx) {
                iface.resume(now);
                if !iface.is_full() {
                    break;
                }
                ready.clear_ready();
            }
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let shared = this.shared.clone();
        let mut wakes = WakeList::new();
        let mut core = shared.lock();
        let more = this.round(&mut core, cx, &mut wakes);
        let ended = matches!(core.life, Life::Ended { .. });
        // Links go with the driver: a device disappears when the host has ended, whoever still holds a handle.
        let links = if ended { std::mem::take(&mut core.ifaces) } else { Vec::new() };
        let displaced = core.waiters.take_displaced();
        drop(core);
        wakes.wake();
        drop((displaced, links));
        if ended {
            return Poll::Ready(());
        }
        if more {
            // Everybody else first.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Driver {
    /// The runtime is going away with the host still alive: whoever waits must not wait for ever.
    fn drop(&mut self) {
        let mut wakes = WakeList::new();
        let mut core = self.shared.lock();
        let unfinished = core.unfinished(crate::clock::now(), false);
        core.end(unfinished, &mut wakes);
        let links = std::mem::take(&mut core.ifaces);
        let displaced = core.waiters.take_displaced();
        drop(core);
        wakes.wake();
        drop((displaced, links));
    }
}
