//! Connections to any address: held before the SYN-ACK until the gateway has decided.
//!
//! Decides which established connection belongs to which accepted [`Incoming`]: by its two addresses, handed over when the
//! listener reports it, so that a thousand connections being opened cost one table look-up each.
//! Invariant: an established connection whose `Incoming` was given up is reset, never left in the accept queue.
use core::fmt;
use core::net::SocketAddr;
use core::task::{Poll, Waker};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use segue_stack::{Errno, Held, IfaceId, Instant, Ready, Reject, SocketEvent, SocketId, Stack, Unreachable};

use crate::error::{IntoIo, io_error};
use crate::host::{Core, Host, WakeList};
use crate::socket::Socket;
use crate::tcp::TcpStream;

/// Local address, then peer.
type Flow = (SocketAddr, SocketAddr);

/// An accepted SYN and what has become of it.
#[derive(Default)]
struct Slot {
    waker: Option<Waker>,
    arrived: Option<SocketId>,
    failed: bool,
}

/// Who waits for which handshake, per listener for any address.
#[derive(Default)]
pub(crate) struct AnyTable {
    listeners: HashMap<SocketId, HashMap<Flow, Slot>>,
}

impl AnyTable {
    /// Hands established connections to who waits for them.
    pub(crate) fn on_event(&mut self, stack: &mut Stack, now: Instant, event: SocketEvent, wakes: &mut WakeList) {
        // A host that is no gateway pays this test.
        if self.listeners.is_empty() {
            return;
        }
        let Some(flows) = self.listeners.get_mut(&event.socket) else { return };
        while let Ok((id, peer)) = stack.accept(now, event.socket) {
            let slot = stack.local_addr(id).ok().and_then(|local| flows.get_mut(&(local, peer)));
            match slot {
                Some(slot) if slot.arrived.is_none() => {
                    slot.arrived = Some(id);
                    slot.waker.take().into_iter().for_each(|waker| wakes.push(waker));
                }
                _ => {
                    // Nobody waits for it any more.
                    let _ = stack.abort(now, id);
                    let _ = stack.close(now, id);
                }
            }
        }
        while let Some(flow) = stack.take_failed(event.socket) {
            if let Some(slot) = flows.get_mut(&flow) {
                slot.failed = true;
                slot.waker.take().into_iter().for_each(|waker| wakes.push(waker));
            }
        }
    }

    /// The host has ended: everyone is woken.
    pub(crate) fn end(&mut self, wakes: &mut WakeList) {
        for slot in self.listeners.values_mut().flat_map(HashMap::values_mut) {
            slot.waker.take().into_iter().for_each(|waker| wakes.push(waker));
        }
    }

    fn slot(&mut self, listener: SocketId, flow: Flow) -> Option<&mut Slot> {
        self.listeners.get_mut(&listener)?.get_mut(&flow)
    }

    fn forget(&mut self, listener: SocketId, flow: Flow) -> Option<Slot> {
        self.listeners.get_mut(&listener)?.remove(&flow)
    }
}

/// The listener's socket; goes when the listener and every [`Incoming`] made from it are gone.
struct Shared {
    socket: Socket,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let id = self.socket.id();
        let removed = self.socket.host().with_core(|core, _, _| core.any.listeners.remove(&id));
        // Its wakers are dropped here, outside the lock.
        drop(removed);
    }
}

/// Every connection that somebody opens through an interface to an address on which nobody listens.
///
/// Made by [`Host::listen_any`]. The SYN is held unanswered until [`Incoming::accept`] or one of its refusals: a gateway
/// connects to the real destination first and then tells the peer the truth. Undecided SYNs expire like lost ones.
pub struct AnyListener {
    shared: Arc<Shared>,
}

impl AnyListener {
    /// The next connection attempt.
    pub async fn next(&self) -> io::Result<Incoming> {
        let socket = &self.shared.socket;
        let held = socket.until(Ready::IN, |stack, _, id| stack.take_held(id).ok_or(Errno::EAGAIN)).await?;
        Ok(Incoming { shared: self.shared.clone(), held: Some(held), local: held.local, peer: held.peer })
    }
}

impl fmt::Debug for AnyListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyListener").field(&self.shared.socket.id()).finish()
    }
}

/// Somebody wants to connect. Dropping it undecided refuses with a RST.
#[must_use = "dropping it refuses the connection"]
pub struct Incoming {
    shared: Arc<Shared>,
    held: Option<Held>,
    /// Where to.
    pub local: SocketAddr,
    /// From where.
    pub peer: SocketAddr,
}

impl Incoming {
    /// Answers with SYN-ACK and waits for the end of the handshake. Dropping the future resets the connection.
    ///
    /// # Errors
    /// `ECONNABORTED` when the peer has given up in the meantime.
    pub async fn accept(mut self) -> io::Result<TcpStream> {
        let Some(held) = self.held.take() else { return Err(io_error(Errno::ECONNABORTED)) };
        let host = self.shared.socket.host().clone();
        let listener = self.shared.socket.id();
        let flow = (self.local, self.peer);
        host.with_core(|core, now, _| {
            core.check_alive()?;
            core.any.listeners.entry(listener).or_default().insert(flow, Slot::default());
            core.stack.held_accept(now, held.id).into_io().inspect_err(|_| drop(core.any.forget(listener, flow)))
        })?;
        let waiting = Waiting { host: &host, listener, flow };
        std::future::poll_fn(|cx| waiting.poll(cx.waker())).await
    }

    /// Refuses with a RST: the peer sees `ECONNREFUSED`.
    pub fn reset(self) {
        self.reject(Reject::Reset);
    }

    /// Refuses with an ICMP error: the peer sees `EHOSTUNREACH`, `ENETUNREACH`, ….
    pub fn unreachable(self, why: Unreachable) {
        self.reject(Reject::Unreachable(why));
    }

    /// Does not answer at all: the peer sees `ETIMEDOUT` in the end.
    pub fn ignore(self) {
        self.reject(Reject::Drop);
    }

    fn reject(mut self, how: Reject) {
        self.decide(how);
    }

    fn decide(&mut self, how: Reject) {
        if let Some(held) = self.held.take() {
            self.shared.socket.host().with_stack(|stack, now| stack.held_reject(now, held.id, how));
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.decide(Reject::Reset);
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("local", &self.local).field("peer", &self.peer).finish()
    }
}

/// Waits for one handshake; gives it up when dropped.
struct Waiting<'a> {
    host: &'a Host,
    listener: SocketId,
    flow: Flow,
}

impl Waiting<'_> {
    fn poll(&self, waker: &Waker) -> Poll<io::Result<TcpStream>> {
        let (result, displaced) = self.host.with_core(|core, _, _| self.poll_core(core, waker));
        drop(displaced);
        result.map_ok(|id| TcpStream::from_socket(Socket::from_id(self.host, id)))
    }

    fn poll_core(&self, core: &mut Core, waker: &Waker) -> (Poll<io::Result<SocketId>>, Option<Waker>) {
        if let Err(ended) = core.check_alive() {
            return (Poll::Ready(Err(ended)), None);
        }
        let Some(slot) = core.any.slot(self.listener, self.flow) else {
            return (Poll::Ready(Err(io_error(Errno::ECONNABORTED))), None);
        };
        match slot.arrived.take() {
            Some(id) => (Poll::Ready(Ok(id)), None),
            None if slot.failed => (Poll::Ready(Err(io_error(Errno::ECONNABORTED))), None),
            None => (Poll::Pending, slot.waker.replace(waker.clone())),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let slot = self.host.with_core(|core, now, _| {
            let slot = core.any.forget(self.listener, self.flow);
            if let Some(id) = slot.as_ref().and_then(|slot| slot.arrived) {
                let _ = core.stack.abort(now, id);
                let _ = core.stack.close(now, id);
            }
            slot
        });
        drop(slot);
    }
}

impl Host {
    /// Takes every connection that reaches the first interface and that nobody on this host listens for.
    ///
    /// # Errors
    /// `InvalidInput` unless the interface was built with `accept_any`; `EADDRINUSE` when it has such a listener already.
    pub fn listen_any(&self) -> io::Result<AnyListener> {
        self.listen_on(self.gateway_interface(None)?)
    }

    /// [`listen_any`](Host::listen_any) on an interface of one's choice (see [`Host::interface`]).
    pub fn listen_any_on(&self, interface: IfaceId) -> io::Result<AnyListener> {
        self.listen_on(self.gateway_interface(Some(interface))?)
    }

    fn listen_on(&self, interface: IfaceId) -> io::Result<AnyListener> {
        let id = self.with_core(|core, now, _| {
            core.check_alive()?;
            let id = core.stack.listen_any(now, interface).into_io()?;
            core.any.listeners.insert(id, HashMap::new());
            Ok::<SocketId, io::Error>(id)
        })?;
        Ok(AnyListener { shared: Arc::new(Shared { socket: Socket::from_id(self, id) }) })
    }
}
