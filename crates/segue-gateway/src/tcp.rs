//! TCP flows: the host socket first, then the answer to the SYN.
//!
//! Decides what becomes of each SYN that nobody inside listens for. A refusal
//! looks inside as it looked here: a reset for a refused connection, the ICMP
//! error for an unreachable host, silence for silence. Bounded: flows, and
//! connections being made (further SYNs wait for their turn).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use segue::{AnyListener, Incoming, TcpStream, Unreachable};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Shared;
use crate::destination::Destination;
use crate::dial::dial;
use crate::dns::{self, Dns};
use crate::end::End;
use crate::relay::{Ended, relay};
use crate::report::{Event, Refusal, Report, count};

/// The port on which the gateway answers itself.
pub(crate) const DOMAIN: u16 = 53;
/// How long a client may take to complete a handshake that was answered:
/// longer than all repetitions of a SYN-ACK take (63 s).
const HANDSHAKE: Duration = Duration::from_secs(75);

/// The limits, and what a flow needs to know.
struct Flows {
    shared: Shared,
    open: Arc<Semaphore>,
    dials: Arc<Semaphore>,
}

/// Serves every flow until the host ends.
pub(crate) async fn run(listener: AnyListener, shared: Shared) {
    let flows = Flows {
        open: Arc::new(Semaphore::new(shared.config.max_tcp_flows)),
        dials: Arc::new(Semaphore::new(shared.config.max_dials)),
        shared,
    };
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            incoming = listener.next() => match incoming {
                Ok(incoming) => flows.admit(incoming, &mut tasks),
                Err(_) => return,
            },
            Some(_) = tasks.join_next() => {}
        }
    }
}

impl Flows {
    fn admit(&self, incoming: Incoming, tasks: &mut JoinSet<()>) {
        let report = &self.shared.report;
        let Ok(permit) = Arc::clone(&self.open).try_acquire_owned() else {
            return refuse(incoming, Refusal::TooManyFlows, report);
        };
        let slot = Slot::new(permit, report.clone());
        if let Some(dns) = self.shared.dns.as_ref().filter(|_| incoming.local.port() == DOMAIN) {
            tasks.spawn(answer_names(incoming, Arc::clone(dns), slot));
            return;
        }
        let config = &self.shared.config;
        let to = match Destination::of(incoming.local, config.addresses, config.test_host) {
            Destination::Host(to) => to,
            // What it serves it listens for itself.
            Destination::TestHost => return refuse(incoming, Refusal::Refused, report),
            Destination::Nowhere => return refuse(incoming, Refusal::NotAnAddress, report),
        };
        tasks.spawn(carry(incoming, to, Arc::clone(&self.dials), slot));
    }
}

/// A place among the open flows, given back when dropped.
struct Slot {
    _permit: OwnedSemaphorePermit,
    report: Report,
}

impl Slot {
    fn new(permit: OwnedSemaphorePermit, report: Report) -> Self {
        report.counts().tcp_flows.fetch_add(1, Ordering::Relaxed);
        Self { _permit: permit, report }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.report.counts().tcp_flows.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One flow, from its SYN to its end.
async fn carry(incoming: Incoming, to: SocketAddr, dials: Arc<Semaphore>, slot: Slot) {
    let (from, seen) = (incoming.peer, incoming.local);
    // The SYN waits meanwhile; its repeats are absorbed.
    let dialling = dials.acquire().await;
    let dialled = dial(to).await;
    drop(dialling);
    let outside = match dialled {
        Ok(outside) => outside,
        Err(why) => return refuse(incoming, why, &slot.report),
    };
    let Some(inside) = accept(incoming).await else {
        // The client has given up; so does its connection.
        return outside.abort();
    };
    count(&slot.report.counts().tcp_connected);
    let ended = relay(inside, outside).await;
    if ended != Ended::Finished {
        count(&slot.report.counts().tcp_reset);
        slot.report.tell(&Event::TcpReset { from, to: seen, by_inside: ended == Ended::ByInside });
    }
}

async fn answer_names(incoming: Incoming, dns: Arc<Dns>, slot: Slot) {
    if let Some(stream) = accept(incoming).await {
        // How a client treats its connection is its own affair.
        let _ = dns::serve(dns, stream).await;
    }
    drop(slot);
}

async fn accept(incoming: Incoming) -> Option<TcpStream> {
    let stream = timeout(HANDSHAKE, incoming.accept()).await.ok()?.ok()?;
    // The sender outside has decided already what to send together.
    let _ = stream.set_nodelay(true);
    Some(stream)
}

fn refuse(incoming: Incoming, why: Refusal, report: &Report) {
    let counts = report.counts();
    count(match why {
        Refusal::TooManyFlows => &counts.tcp_over_limit,
        _ => &counts.tcp_refused,
    });
    report.tell(&Event::TcpRefused { from: incoming.peer, to: incoming.local, why });
    match why {
        Refusal::TimedOut => incoming.ignore(),
        Refusal::HostUnreachable => incoming.unreachable(Unreachable::Host),
        Refusal::NetworkUnreachable | Refusal::NotAnAddress => {
            incoming.unreachable(Unreachable::Network);
        }
        Refusal::Prohibited => incoming.unreachable(Unreachable::Prohibited),
        Refusal::Refused | Refusal::TooManyFlows | Refusal::NoResources => incoming.reset(),
    }
}
