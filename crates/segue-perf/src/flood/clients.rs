//! Real clients: a stack of their own, each connects, asks, checks the answer, closes and begins anew. Some stay: they ask
//! again and again on the connection that they have.
//!
//! Decides when a client has failed: any error, or content that is not what was asked for; and which ones were refused:
//! those that never got a byte where attackers take all the room there is for connections.
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
/// As many stay, where newcomers may be refused.
const STAYING: usize = 16;
/// Bytes of an answer.
const ANSWER: usize = 10_000;

struct Client {
    since: Instant,
    /// Bytes that it has asked for and got, of all answers.
    asked: usize,
    received: usize,
    stays: bool,
}

pub(super) struct Clients {
    stack: Stack,
    iface: IfaceId,
    clients: HashMap<SocketId, Client>,
    pub(super) served: u64,
    pub(super) failed: Vec<String>,
    /// Newcomers that were not let in.
    pub(super) refused: u64,
    /// How many are to stay, and how many of them have had an answer.
    staying: usize,
    settled: usize,
    latencies: Vec<u32>,
}

impl Clients {
    /// `some_stay`: newcomers may be refused.
    pub(super) fn new(now: Instant, seed: u64, some_stay: bool) -> Result<Clients, PerfError> {
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
        let (clients, failed) = (HashMap::with_capacity(AT_ONCE + STAYING), Vec::new());
        let staying = if some_stay { STAYING } else { 0 };
        // Room for all, so that the measuring takes no memory while memory is measured: written to, so that it is there.
        let mut latencies = vec![u32::MAX; 1 << 20];
        latencies.clear();
        Ok(Clients { stack, iface, clients, served: 0, failed, refused: 0, staying, settled: 0, latencies })
    }

    /// Those that stay are there: the attack may begin.
    pub(super) fn have_settled(&self) -> bool {
        self.settled == self.staying
    }

    /// Whether a packet of the server is for one of them.
    pub(super) fn is_for(packet: &Packet) -> bool {
        packet.head().get(16..20) == Some(&ADDRESS.octets()[..])
    }

    pub(super) fn receive(&mut self, now: Instant, packet: Packet) {
        self.stack.on_packet(now, self.iface, packet);
    }

    /// Nobody waits for anything but to be let in where that may be for ever.
    pub(super) fn are_done(&self) -> bool {
        self.clients.values().all(|client| self.may_be_refused(client))
    }

    fn may_be_refused(&self, client: &Client) -> bool {
        self.staying > 0 && !client.stays && client.received == 0
    }

    /// What is due, what came, what is to be sent. `begins`: whoever is done begins anew. Gives how many packets were sent.
    pub(super) fn round(&mut self, now: Instant, link: &mut MemoryLink, begins: bool) -> Result<u64, PerfError> {
        if self.stack.next_deadline().is_some_and(|at| at <= now) {
            self.stack.on_deadline(now);
        }
        while let Some(event) = self.stack.poll_event() {
            self.go_on(now, event, begins);
        }
        while begins && self.clients.len() < AT_ONCE + self.staying {
            let stays = self.clients.values().filter(|client| client.stays).count() < self.staying;
            self.begin(now, stays)?;
        }
        let mut sent = 0;
        while let Some((_, packet)) = self.stack.poll_transmit(now) {
            // A link that is full loses it.
            drop(link.send(now, packet));
            sent += 1;
        }
        Ok(sent)
    }

    fn begin(&mut self, now: Instant, stays: bool) -> Result<(), PerfError> {
        let call = |name| move |errno| PerfError::Call(name, errno);
        let socket = self.stack.socket(Domain::Inet, SocketType::Stream).map_err(call("socket"))?;
        match self.stack.connect(now, socket, (server::ADDRESS, server::PORT).into()) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(PerfError::Call("connect", errno)),
        }
        self.clients.insert(socket, Client { since: now, asked: 0, received: 0, stays });
        Ok(())
    }

    fn go_on(&mut self, now: Instant, event: SocketEvent, begins: bool) {
        loop {
            match self.exchange(now, event.socket) {
                Ok(false) => return,
                Ok(true) => {
                    self.served += 1;
                    let Some(client) = self.clients.get_mut(&event.socket) else { return };
                    self.settled += usize::from(client.stays && client.received == ANSWER);
                    let micros = now.saturating_duration_since(client.since).as_micros();
                    client.since = now;
                    if self.latencies.len() < self.latencies.capacity() {
                        self.latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
                    }
                    if client.stays && begins {
                        continue;
                    }
                }
                Err(message) => self.failed.push(message),
            }
            if self.clients.remove(&event.socket).is_some() {
                // Whatever became of it, it is over for us.
                let _ = self.stack.close(now, event.socket);
            }
            return;
        }
    }

    /// True: the whole answer is there.
    fn exchange(&mut self, now: Instant, socket: SocketId) -> Result<bool, String> {
        let Some(client) = self.clients.get_mut(&socket) else { return Ok(false) };
        if let Ok(Some(errno)) = self.stack.take_error(now, socket) {
            return Err(format!("after {} bytes: {errno}", client.received));
        }
        if client.asked == client.received {
            match self.stack.send_bytes(now, socket, request(ANSWER as u32), MsgFlags::empty()) {
                Ok(_) => client.asked += ANSWER,
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
            all if all == client.asked => Ok(true),
            more if more > client.asked => Err(format!("{more} bytes came instead of {}", client.asked)),
            _ => Ok(false),
        }
    }

    /// Those that have not got their answer by now have failed, or were refused.
    pub(super) fn give_up(&mut self) {
        for client in std::mem::take(&mut self.clients).into_values() {
            if self.may_be_refused(&client) {
                self.refused += 1;
            } else {
                self.failed.push(format!("no answer: {} of {} bytes came", client.received, client.asked));
            }
        }
    }

    /// Median, 99th percentile, longest.
    pub(super) fn latency(&mut self) -> [Duration; 3] {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        [last / 2, last * 99 / 100, last]
            .map(|at| Duration::from_micros(self.latencies.get(at).copied().unwrap_or_default().into()))
    }
}
