//! Real clients: a stack of their own, each connects, asks, checks the answer, closes and begins anew.
//!
//! Decides when a client has failed: any error, or content that is not what was asked for.
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use segue_link::{Link, MemoryLink};
use segue_stack::{
    Cidr, Domain, Errno, IfaceConfig, IfaceId, Instant, MsgFlags, Packet, Route, SocketEvent, SocketId, SocketType,
    Stack, StackConfig,
};

use super::service::{is_content, request};
use crate::error::PerfError;
use crate::server;

/// Where they are.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
/// Clients at once.
const AT_ONCE: usize = 16;
/// Bytes of an answer.
const ANSWER: usize = 10_000;

struct Client {
    since: Instant,
    received: usize,
    has_asked: bool,
}

pub(super) struct Clients {
    stack: Stack,
    iface: IfaceId,
    clients: HashMap<SocketId, Client>,
    pub(super) served: u64,
    pub(super) failed: Vec<String>,
    latencies: Vec<u32>,
}

impl Clients {
    pub(super) fn new(now: Instant, seed: u64) -> Result<Clients, PerfError> {
        let mut bytes = *b"real clients, with a seed given:";
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut stack = Stack::new(StackConfig::new(bytes), now);
        // As measurements do on Linux: the client's ports come back at once.
        stack.set_sysctl(now, "tcp_max_tw_buckets", "0")?;
        let bad = |_| PerfError::Unexpected("the clients' address was refused".to_owned());
        let address = Cidr::new(ADDRESS.into(), 8).map_err(bad)?;
        let iface = stack.add_interface(IfaceConfig { addresses: vec![address], ..IfaceConfig::new("eth0", 1500) });
        let everywhere = Cidr::new(Ipv4Addr::UNSPECIFIED.into(), 0).map_err(bad)?;
        let route = stack.add_route(Route::on_link(everywhere, iface));
        route.map_err(|_| PerfError::Unexpected("the clients' route was refused".to_owned()))?;
        let (clients, failed) = (HashMap::with_capacity(AT_ONCE), Vec::new());
        // Room for all, so that the measuring takes no memory while memory is measured.
        Ok(Clients { stack, iface, clients, served: 0, failed, latencies: Vec::with_capacity(1 << 20) })
    }

    /// Whether a packet of the server is for one of them.
    pub(super) fn is_for(packet: &Packet) -> bool {
        packet.head().get(16..20) == Some(&ADDRESS.octets()[..])
    }

    pub(super) fn receive(&mut self, now: Instant, packet: Packet) {
        self.stack.on_packet(now, self.iface, packet);
    }

    pub(super) fn are_done(&self) -> bool {
        self.clients.is_empty()
    }

    /// What is due, what came, what is to be sent. `begins`: whoever is done begins anew. Gives how many packets were sent.
    pub(super) fn round(&mut self, now: Instant, link: &mut MemoryLink, begins: bool) -> Result<u64, PerfError> {
        if self.stack.next_deadline().is_some_and(|at| at <= now) {
            self.stack.on_deadline(now);
        }
        while let Some(event) = self.stack.poll_event() {
            self.go_on(now, event);
        }
        while begins && self.clients.len() < AT_ONCE {
            self.begin(now)?;
        }
        let mut sent = 0;
        while let Some((_, packet)) = self.stack.poll_transmit(now) {
            // A link that is full loses it.
            drop(link.send(now, packet));
            sent += 1;
        }
        Ok(sent)
    }

    fn begin(&mut self, now: Instant) -> Result<(), PerfError> {
        let call = |name| move |errno| PerfError::Call(name, errno);
        let socket = self.stack.socket(Domain::Inet, SocketType::Stream).map_err(call("socket"))?;
        match self.stack.connect(now, socket, (server::ADDRESS, server::PORT).into()) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(PerfError::Call("connect", errno)),
        }
        self.clients.insert(socket, Client { since: now, received: 0, has_asked: false });
        Ok(())
    }

    fn go_on(&mut self, now: Instant, event: SocketEvent) {
        match self.exchange(now, event.socket) {
            Ok(false) => return,
            Ok(true) => {
                self.served += 1;
                if let Some(client) = self.clients.get(&event.socket) {
                    let micros = now.saturating_duration_since(client.since).as_micros();
                    if self.latencies.len() < self.latencies.capacity() {
                        self.latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
                    }
                }
            }
            Err(message) => self.failed.push(message),
        }
        if self.clients.remove(&event.socket).is_some() {
            // Whatever became of it, it is over for us.
            let _ = self.stack.close(now, event.socket);
        }
    }

    /// True: the whole answer is there.
    fn exchange(&mut self, now: Instant, socket: SocketId) -> Result<bool, String> {
        let Some(client) = self.clients.get_mut(&socket) else { return Ok(false) };
        if let Ok(Some(errno)) = self.stack.take_error(now, socket) {
            return Err(format!("after {} bytes: {errno}", client.received));
        }
        if !client.has_asked {
            match self.stack.send_bytes(now, socket, request(ANSWER as u32), MsgFlags::empty()) {
                Ok(_) => client.has_asked = true,
                Err(Errno::EAGAIN) => return Ok(false),
                Err(errno) => return Err(format!("send: {errno}")),
            }
        }
        let mut buffer = [0; 4096];
        loop {
            match self.stack.recv(now, socket, &mut buffer, MsgFlags::empty()) {
                Ok(0) => return Err(format!("the server closed after {} bytes", client.received)),
                Ok(len) if !is_content(client.received, &buffer[..len]) => {
                    return Err(format!("wrong bytes after {}", client.received));
                }
                Ok(len) => client.received += len,
                Err(Errno::EAGAIN) => break,
                Err(errno) => return Err(format!("recv after {} bytes: {errno}", client.received)),
            }
        }
        match client.received {
            ANSWER => Ok(true),
            more if more > ANSWER => Err(format!("{more} bytes came instead of {ANSWER}")),
            _ => Ok(false),
        }
    }

    /// Those that have nothing yet have failed.
    pub(super) fn give_up(&mut self) {
        let late = self.clients.drain().map(|(_, client)| format!("no answer: {} bytes came", client.received));
        self.failed.extend(late);
    }

    /// Median, 99th percentile, longest.
    pub(super) fn latency(&mut self) -> [Duration; 3] {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        [last / 2, last * 99 / 100, last]
            .map(|at| Duration::from_micros(self.latencies.get(at).copied().unwrap_or_default().into()))
    }
}
