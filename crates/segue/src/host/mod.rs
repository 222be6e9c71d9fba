//! A host: the lock around stack and links, and the handles that keep it alive.
//!
//! Decides who holds the lock and when a host ends. [`Host::with_stack`] is the one way in; every socket is made of it.
mod builder;
mod core;
mod driver;
mod iface;
mod sleepers;
mod timer;
mod waiters;

use ::core::fmt;
use ::core::future::Future;
use ::core::pin::Pin;
use ::core::task::{Context, Poll};
use ::core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use segue_stack::{IfaceId, Instant, Stack};

pub use self::builder::{HostBuilder, Interface, Seed};
pub(crate) use self::core::Core;
use self::core::Life;
use self::sleepers::SleepKey;
pub(crate) use self::waiters::{Place, WakeList};

/// What handles and the driver share.
pub(crate) struct Shared {
    core: Mutex<Core>,
}

impl Shared {
    /// A closure of a user that panicked under the lock has left a stack that is whole: its calls are atomic.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lock, call, send what there is to send, unlock, wake.
    fn with_core<R>(&self, call: impl FnOnce(&mut Core, Instant, &mut WakeList) -> R) -> R {
        let mut wakes = WakeList::new();
        let mut core = self.lock();
        // Read under the lock, so that the stack never sees time go back.
        let now = crate::clock::now();
        let result = call(&mut core, now, &mut wakes);
        core.flush_for_caller(now, &mut wakes);
        let displaced = core.waiters.take_displaced();
        drop(core);
        wakes.wake();
        drop(displaced);
        result
    }
}

/// What `Host` clones and sockets hold; the driver does not. When the last one is gone, the host ends.
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.with_core(|core, now, wakes| core.begin_end(now, None, wakes));
    }
}

/// One IP host in this process: addresses, routes, links, and the sockets made from it.
///
/// Cheap to clone; every clone and every socket keeps the host alive. When the last of them is dropped, connections that
/// still owe data or a FIN to their peers are finished as the kernel does for a process that has ended, then the driver
/// task ends and the links are closed. [`shutdown`](Host::shutdown) does the same at once and says when it is done.
#[derive(Clone)]
pub struct Host {
    handle: Arc<Handle>,
}

/// A handle that does not keep the host alive.
#[derive(Clone)]
pub(crate) struct WeakHost(std::sync::Weak<Handle>);

impl WeakHost {
    /// The host, while somebody else keeps it alive.
    pub(crate) fn upgrade(&self) -> Option<Host> {
        self.0.upgrade().map(|handle| Host { handle })
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = self.handle.shared.lock();
        let names: Vec<&str> = core.ifaces.iter().map(|iface| iface.name.as_str()).collect();
        f.debug_struct("Host").field("interfaces", &names).finish_non_exhaustive()
    }
}

impl Host {
    /// Starts to describe a host.
    pub fn builder() -> HostBuilder {
        HostBuilder::new()
    }

    /// Calls into the stack, then sends what there is to send and wakes who has something to do.
    ///
    /// The closure gets the stack and the current time; it runs under the host's lock, so it should be short, and must
    /// not use this host or its sockets in any other way (that would wait for itself).
    pub fn with_stack<R>(&self, call: impl FnOnce(&mut Stack, Instant) -> R) -> R {
        self.with_core(|core, now, _| call(&mut core.stack, now))
    }

    pub(crate) fn with_core<R>(&self, call: impl FnOnce(&mut Core, Instant, &mut WakeList) -> R) -> R {
        self.handle.shared.with_core(call)
    }

    /// The interface with this name, as it was given to the builder. The first one is `"eth0"` unless named otherwise.
    pub fn interface(&self, name: &str) -> Option<IfaceId> {
        self.handle.shared.lock().ifaces.iter().find(|iface| iface.name == name).map(|iface| iface.id)
    }

    /// An interface that may take packets to any address: the one named, or the first of the builder.
    pub(crate) fn gateway_interface(&self, wanted: Option<IfaceId>) -> io::Result<IfaceId> {
        let core = self.handle.shared.lock();
        core.check_alive()?;
        let found = core.ifaces.iter().find(|iface| wanted.is_none_or(|wanted| iface.id == wanted));
        match found {
            Some(iface) if iface.accept_any => Ok(iface.id),
            Some(iface) => Err(crate::error::invalid(format!(
                "interface {} takes only packets to its own addresses: build it with .accept_any(true)",
                iface.name
            ))),
            None => Err(crate::error::invalid("this host has no interface but loopback: give its builder a link")),
        }
    }

    /// Why a link is no longer used, for each interface whose link has failed: its name and the error.
    pub fn link_errors(&self) -> Vec<(String, io::Error)> {
        let core = self.handle.shared.lock();
        let copy = |error: &io::Error| match error.raw_os_error() {
            Some(number) => io::Error::from_raw_os_error(number),
            None => io::Error::new(error.kind(), error.to_string()),
        };
        core.ifaces
            .iter()
            .filter_map(|iface| iface.failed.as_ref().map(|error| (iface.name.clone(), copy(error))))
            .collect()
    }

    /// Packets that links have refused or had no room for, since the host started.
    pub fn link_drops(&self) -> u64 {
        self.handle.shared.lock().ifaces.iter().map(|iface| iface.dropped).sum()
    }

    /// Sleeps on the host's alarm clock, which is exact to some ten microseconds where tokio's ticks in milliseconds.
    ///
    /// Ends early when the host ends.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(crate::clock::now() + duration)
    }

    /// Sleeps until a time in terms of [`now`](crate::now).
    pub fn sleep_until(&self, until: Instant) -> Sleep {
        Sleep { host: self.clone(), until, key: None }
    }

    /// Closes every socket of this host and ends it.
    ///
    /// Waits until all data and FINs are acknowledged, at most for `timeout`; then the driver ends and the links are
    /// closed. Afterwards remaining sockets answer `EBADF`, new ones `ENETDOWN`.
    ///
    /// # Errors
    /// `TimedOut`, with the number of connections that had not finished: their peers will find out by themselves.
    pub async fn shutdown(&self, timeout: Duration) -> io::Result<()> {
        self.with_core(|core, now, wakes| core.begin_end(now, Some(now + timeout), wakes));
        match self.ended().await {
            0 => Ok(()),
            1 => Err(unfinished("one connection was")),
            many => Err(unfinished(&format!("{many} connections were"))),
        }
    }

    /// Resets every connection and ends the host at once.
    pub fn abort(&self) {
        self.with_core(|core, now, wakes| core.abort(now, wakes));
    }

    /// Waits for the end of the host; how many connections it left unfinished.
    async fn ended(&self) -> usize {
        std::future::poll_fn(|cx| {
            self.with_core(|core, _, _| match core.life {
                Life::Ended { unfinished } => Poll::Ready(unfinished),
                Life::Running | Life::Ending { .. } => {
                    core.mourn(cx.waker());
                    Poll::Pending
                }
            })
        })
        .await
    }

    pub(crate) fn downgrade(&self) -> WeakHost {
        WeakHost(Arc::downgrade(&self.handle))
    }

    pub(super) fn from_shared(shared: Arc<Shared>) -> Host {
        Host { handle: Arc::new(Handle { shared }) }
    }
}

fn unfinished(who: &str) -> io::Error {
    let message =
        format!("{who} not finished in time: some data or the end of the stream was not acknowledged by the peer");
    io::Error::new(io::ErrorKind::TimedOut, message)
}

/// Made by [`Host::sleep`].
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    host: Host,
    until: Instant,
    key: Option<SleepKey>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let (result, displaced) = this.host.with_core(|core, now, _| {
            if now >= this.until || core.check_alive().is_err() {
                return (Poll::Ready(()), this.key.take().and_then(|key| core.sleepers.remove(key)));
            }
            let displaced = match this.key {
                Some(key) => core.sleepers.renew(key, cx.waker()),
                None => {
                    this.key = Some(core.sleepers.add(this.until, cx.waker().clone()));
                    None
                }
            };
            (Poll::Pending, displaced)
        });
        drop(displaced);
        result
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let displaced = self.host.with_core(|core, _, _| core.sleepers.remove(key));
            drop(displaced);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("until", &self.until).finish_non_exhaustive()
    }
}
