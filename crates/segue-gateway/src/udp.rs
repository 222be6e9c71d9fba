//! UDP flows: for each pair of an inside socket and a destination a socket of
//! this machine, connected, for as long as datagrams pass.
//!
//! Connected, so that only the destination's datagrams come back (RFC 4787 calls
//! it address and port-dependent filtering) and its ICMP errors reach the sender
//! inside. Which flows live is `nat`'s decision. Datagrams are dropped, never
//! queued here, when a socket has no room.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use segue::{AnyDatagram, AnyUdp, Unreachable};
use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::Shared;
use crate::datagram::{arrival, connect};
use crate::destination::Destination;
use crate::dial::refusal;
use crate::dns::{Dns, Transport};
use crate::nat::NatTable;
use crate::report::{Event, Refusal, Report, count};
use crate::tcp::DOMAIN;

/// The largest datagram.
const DATAGRAM: usize = 65_535;
/// DNS datagrams being answered at a time.
const QUESTIONS: usize = 1024;

/// Inside sender, destination as seen inside.
type Key = (SocketAddr, SocketAddr);

struct Flow {
    outside: Arc<UdpSocket>,
    /// Payload bytes of the last datagram sent: an ICMP error is about it.
    last: Arc<AtomicUsize>,
    reader: AbortHandle,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

struct Udp {
    inside: AnyUdp,
    flows: Mutex<NatTable<Key, Flow>>,
    shared: Shared,
}

/// Serves every datagram until the host ends.
pub(crate) async fn run(inside: AnyUdp, shared: Shared) {
    let config = &shared.config;
    let flows = NatTable::new(config.max_udp_flows, config.udp_timeouts);
    let udp = Arc::new(Udp { inside, flows: Mutex::new(flows), shared });
    let questions = Arc::new(Semaphore::new(QUESTIONS));
    let mut answering = JoinSet::new();
    loop {
        let next_expiry = udp.table().next_expiry();
        tokio::select! {
            datagram = udp.inside.recv() => match datagram {
                Ok(datagram) => match udp.shared.dns.as_ref().filter(|_| datagram.to.port() == DOMAIN) {
                    Some(dns) => match Arc::clone(&questions).try_acquire_owned() {
                        Ok(permit) => {
                            let answer = answer(Arc::clone(&udp), Arc::clone(dns), datagram);
                            answering.spawn(async move { answer.await; drop(permit) });
                        }
                        Err(_) => count(&udp.report().counts().dns_dropped),
                    },
                    None => Udp::pass_on(&udp, &datagram),
                },
                Err(_) => return,
            },
            () = async { sleep_until(next_expiry.unwrap_or_else(Instant::now)).await },
                if next_expiry.is_some() => udp.expire(),
            Some(_) = answering.join_next() => {}
        }
    }
}

async fn answer(udp: Arc<Udp>, dns: Arc<Dns>, question: AnyDatagram) {
    if let Some(reply) = dns.reply(&question.data, Transport::Udp).await {
        let _ = udp.inside.send(&reply, question.to, question.from).await;
    }
}

impl Udp {
    fn report(&self) -> &Report {
        &self.shared.report
    }

    fn table(&self) -> MutexGuard<'_, NatTable<Key, Flow>> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the number of flows in the statistics.
    fn gauge(&self, flows: &NatTable<Key, Flow>) {
        let gauge = &self.report().counts().udp_flows;
        gauge.store(flows.len(), Ordering::Relaxed);
    }

    fn expire(&self) {
        let mut flows = self.table();
        while flows.expired(Instant::now()).is_some() {}
        self.gauge(&flows);
    }

    fn pass_on(this: &Arc<Self>, datagram: &AnyDatagram) {
        let key = (datagram.from, datagram.to);
        let known = this.table().outbound(Instant::now(), &key).map(|flow| {
            flow.last.store(datagram.data.len(), Ordering::Relaxed);
            Arc::clone(&flow.outside)
        });
        let outside = match known {
            Some(outside) => outside,
            None => match Self::open(this, key, datagram.data.len()) {
                Ok(outside) => outside,
                Err(why) => return this.refuse(key, datagram.data.len(), why),
            },
        };
        let counts = this.report().counts();
        // Not by `try_send`, for which a new socket is not ready yet.
        let send = || SockRef::from(&*outside).send(&datagram.data);
        let mut sent = send();
        if let Err(error) = &sent
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            // It is about an earlier datagram; this one has not been tried.
            this.refuse(key, datagram.data.len(), Refusal::Refused);
            sent = send();
        }
        match sent {
            Ok(_) => count(&counts.udp_out),
            Err(error) if is_full(&error) => count(&counts.udp_dropped),
            Err(error) => this.refuse(key, datagram.data.len(), refusal(&error)),
        }
    }

    /// A flow for `key`, and the task that reads what comes back.
    fn open(this: &Arc<Self>, key: Key, length: usize) -> Result<Arc<UdpSocket>, Refusal> {
        let config = &this.shared.config;
        let to = match Destination::of(key.1, config.addresses, config.test_host) {
            Destination::Host(to) => to,
            Destination::TestHost => return Err(Refusal::Refused),
            Destination::Nowhere => return Err(Refusal::NotAnAddress),
        };
        let outside = Arc::new(this.connect(to)?);
        let last = Arc::new(AtomicUsize::new(length));
        let reader = read(Arc::clone(this), key, Arc::clone(&outside), Arc::clone(&last));
        let flow = Flow { outside: Arc::clone(&outside), last, reader: tokio::spawn(reader).abort_handle() };
        let mut flows = this.table();
        let evicted = flows.insert(Instant::now(), key, flow);
        this.gauge(&flows);
        drop(flows);
        if let Some((key, _)) = evicted {
            this.tell_evicted(key);
        }
        Ok(outside)
    }

    /// A socket for a flow. For want of a descriptor the flow nearest to its end goes, and this datagram with it: its task
    /// gives the descriptor back as it ends, so there is one for the sender's next attempt.
    fn connect(&self, to: SocketAddr) -> Result<UdpSocket, Refusal> {
        connect(to).map_err(|error| {
            let why = refusal(&error);
            if why == Refusal::NoResources {
                let evicted = self.table().evict();
                if let Some((key, _)) = evicted {
                    self.tell_evicted(key);
                }
            }
            why
        })
    }

    fn tell_evicted(&self, (from, to): Key) {
        count(&self.report().counts().udp_evicted);
        self.report().tell(&Event::UdpEvicted { from, to });
    }

    /// Tells the sender inside that a datagram of `length` bytes went nowhere.
    fn refuse(&self, (from, to): Key, length: usize, why: Refusal) {
        count(&self.report().counts().udp_refused);
        self.report().tell(&Event::UdpRefused { from, to, why });
        let code = match why {
            Refusal::Refused => Unreachable::Port,
            Refusal::HostUnreachable => Unreachable::Host,
            Refusal::NetworkUnreachable | Refusal::NotAnAddress => Unreachable::Network,
            Refusal::Prohibited => Unreachable::Prohibited,
            // Nothing the network said.
            _ => return,
        };
        self.inside.unreachable(from, to, length, code);
    }
}

/// Passes back what comes from outside, until the flow is forgotten.
async fn read(udp: Arc<Udp>, key: Key, outside: Arc<UdpSocket>, last: Arc<AtomicUsize>) {
    let (from, to) = key;
    while let Ok(error) = arrival(&outside).await {
        if let Some(error) = error {
            udp.refuse(key, last.load(Ordering::Relaxed), refusal(&error));
            continue;
        }
        // Only while there is something to read.
        let mut buffer = Vec::with_capacity(DATAGRAM);
        loop {
            buffer.clear();
            match outside.try_recv_buf(&mut buffer) {
                Ok(_) => {
                    udp.table().inbound(Instant::now(), &key);
                    match udp.inside.send(&buffer, to, from).await {
                        Ok(()) => count(&udp.report().counts().udp_in),
                        Err(_) => count(&udp.report().counts().udp_dropped),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => udp.refuse(key, last.load(Ordering::Relaxed), refusal(&error)),
            }
        }
    }
}

/// The datagram is lost for want of room, which says nothing about its destination.
fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EMSGSIZE))
}
