//! Echo requests: answered here for the gateway's own machines, sent on through
//! this machine's ping sockets for all others.
//!
//! A ping socket needs no privilege where `net.ipv4.ping_group_range` allows it;
//! elsewhere requests stay unanswered, are counted, and the reason is told once.
//! The kernel gives each socket an identifier of its own; the one the program
//! inside chose is put back into the reply.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use segue::{AnyIcmp, EchoRequest};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use crate::Shared;
use crate::datagram::arrival;
use crate::destination::Destination;
use crate::nat::{NatTable, Timeouts};
use crate::report::{Event, count};

/// The largest ICMP message.
const MESSAGE: usize = 65_535;
/// Where the identifier stands in an echo message (RFC 792, RFC 4443 4.1).
const IDENTIFIER: std::ops::Range<usize> = 4..6;
const HEADER: usize = 8;

/// Inside sender, destination as seen inside, identifier.
type Key = (IpAddr, IpAddr, [u8; 2]);

struct Flow {
    outside: Arc<UdpSocket>,
    reader: AbortHandle,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

struct Pings {
    inside: AnyIcmp,
    flows: Mutex<NatTable<Key, Flow>>,
    shared: Shared,
    told: AtomicBool,
}

/// Serves every echo request until the host ends.
pub(crate) async fn run(inside: AnyIcmp, shared: Shared) {
    let flows = NatTable::new(shared.config.max_pings, Timeouts::default());
    let pings = Arc::new(Pings { inside, flows: Mutex::new(flows), shared, told: AtomicBool::new(false) });
    loop {
        let next_expiry = pings.table().next_expiry();
        tokio::select! {
            request = pings.inside.recv() => match request {
                Ok(request) => Pings::serve(&pings, request).await,
                Err(_) => return,
            },
            () = async { sleep_until(next_expiry.unwrap_or_else(Instant::now)).await },
                if next_expiry.is_some() => while pings.table().expired(Instant::now()).is_some() {},
        }
    }
}

impl Pings {
    fn table(&self) -> MutexGuard<'_, NatTable<Key, Flow>> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(this: &Arc<Self>, request: EchoRequest) {
        let config = &this.shared.config;
        // Any port will do; an address has none.
        let to = SocketAddr::new(request.to.ip(), 1);
        let to = match Destination::of(to, config.addresses, config.test_host) {
            Destination::Host(to) if !to.ip().is_loopback() => to.ip(),
            Destination::Nowhere => return count(&this.shared.report.counts().ping_dropped),
            // Their machine is this one.
            _ => return drop(this.inside.reply(&request).await),
        };
        match Self::pass_on(this, &request, to) {
            Ok(()) => count(&this.shared.report.counts().ping_out),
            Err(error) => {
                count(&this.shared.report.counts().ping_dropped);
                if error.kind() == io::ErrorKind::PermissionDenied && !this.told.swap(true, Ordering::Relaxed) {
                    this.shared.report.tell(&Event::PingNotPermitted { to });
                }
            }
        }
    }

    fn pass_on(this: &Arc<Self>, request: &EchoRequest, to: IpAddr) -> io::Result<()> {
        let identifier = request.message.get(IDENTIFIER).and_then(|bytes| bytes.try_into().ok());
        let Some(identifier) = identifier else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let key = (request.from.ip(), request.to.ip(), identifier);
        let known = this.table().outbound(Instant::now(), &key).map(|flow| Arc::clone(&flow.outside));
        let outside = match known {
            Some(outside) => outside,
            None => {
                let outside = Arc::new(open(to)?);
                let reader = read(Arc::clone(this), key, Arc::clone(&outside));
                let flow = Flow { outside: Arc::clone(&outside), reader: tokio::spawn(reader).abort_handle() };
                // Whoever had to go for it has long had its reply, or never will.
                drop(this.table().insert(Instant::now(), key, flow));
                outside
            }
        };
        // The kernel writes its identifier and the checksum. Not by `try_send`,
        // for which a new socket is not ready yet.
        SockRef::from(&*outside).send(&request.message).map(drop)
    }
}

/// Passes back the replies.
async fn read(pings: Arc<Pings>, key: Key, outside: Arc<UdpSocket>) {
    let (from, to, identifier) = key;
    let (from, to) = (SocketAddr::new(from, 0), SocketAddr::new(to, 0));
    // An ICMP error lets the one who pings wait in vain, as many a router does.
    while arrival(&outside).await.is_ok() {
        let mut message = Vec::with_capacity(MESSAGE);
        match outside.try_recv_buf(&mut message) {
            Ok(length) if length >= HEADER => {
                message[IDENTIFIER].copy_from_slice(&identifier);
                pings.table().inbound(Instant::now(), &key);
                if pings.inside.send(&message, to, from).await.is_ok() {
                    count(&pings.shared.report.counts().ping_in);
                }
            }
            // Too short, or nothing there.
            _ => {}
        }
    }
}

fn open(to: IpAddr) -> io::Result<UdpSocket> {
    let (domain, protocol) = match to {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    socket.connect(&SocketAddr::new(to, 0).into())?;
    // A ping socket is a datagram socket like UDP's in every call used here.
    UdpSocket::from_std(socket.into())
}
