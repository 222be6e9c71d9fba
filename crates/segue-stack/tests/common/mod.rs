//! Two hosts, a wire between them, and one virtual clock.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod forge;

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use segue_stack::{
    Cidr, Domain, Errno, IfaceConfig, IfaceId, Instant, MsgFlags, Packet, Ready, ReceivedMessage, SocketId, SocketType,
    Stack, StackConfig,
};

pub const A: usize = 0;
pub const B: usize = 1;
pub const A4: &str = "10.0.0.1";
pub const B4: &str = "10.0.0.2";
pub const A6: &str = "fd00::1";
pub const B6: &str = "fd00::2";

/// What happens on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    pub delay: Duration,
    /// Packets lost, of a thousand.
    pub loss: u32,
    /// Packets that come twice, of a thousand.
    pub duplicate: u32,
    /// Longest extra delay of a packet, for reordering.
    pub jitter: Duration,
    /// Whether super-segments are carried whole.
    pub is_super: bool,
    pub mtu: usize,
}

impl Default for Wire {
    fn default() -> Self {
        let delay = Duration::from_millis(10);
        Wire { delay, loss: 0, duplicate: 0, jitter: Duration::ZERO, is_super: false, mtu: 1500 }
    }
}

pub struct World {
    pub now: Instant,
    pub stacks: Vec<Stack>,
    pub ifaces: Vec<IfaceId>,
    pub wire: Wire,
    pub seed: u64,
    random: u64,
    in_flight: BTreeMap<(Instant, u64), (usize, Packet)>,
    serial: u64,
    /// Every packet that was put on the wire: when, from which host.
    pub log: Vec<(Instant, usize, Packet)>,
    pub keeps_log: bool,
}

pub fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn at(host: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip(host), port)
}

/// A host with both families on one interface.
pub fn host(
    seed: u8,
    v4: &str,
    v6: &str,
    wire: &Wire,
    change: impl FnOnce(&mut StackConfig, &mut IfaceConfig),
) -> (Stack, IfaceId) {
    let mut config = StackConfig::new([seed; 32]);
    let mut iface = IfaceConfig::new("eth0", wire.mtu);
    iface.addresses = vec![cidr(&format!("{v4}/24")), cidr(&format!("{v6}/64"))];
    iface.gso_max = if wire.is_super { 65535 } else { 0 };
    change(&mut config, &mut iface);
    let mut stack = Stack::new(config, Instant::ZERO);
    let iface = stack.add_interface(iface);
    (stack, iface)
}

impl World {
    pub fn new(wire: Wire) -> World {
        World::with(wire, |_, _, _| {})
    }

    pub fn with(wire: Wire, mut change: impl FnMut(usize, &mut StackConfig, &mut IfaceConfig)) -> World {
        let (a, ia) = host(1, A4, A6, &wire, |config, iface| change(A, config, iface));
        let (b, ib) = host(2, B4, B6, &wire, |config, iface| change(B, config, iface));
        World {
            now: Instant::ZERO,
            stacks: vec![a, b],
            ifaces: vec![ia, ib],
            wire,
            seed: 1,
            random: 0x9e37_79b9_7f4a_7c15,
            in_flight: BTreeMap::new(),
            serial: 0,
            log: Vec::new(),
            keeps_log: false,
        }
    }

    pub fn seeded(mut self, seed: u64) -> World {
        self.seed = seed;
        self.random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        self
    }

    pub fn random(&mut self) -> u64 {
        // xorshift64*.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn chance(&mut self, permille: u32) -> bool {
        permille != 0 && self.random() % 1000 < u64::from(permille)
    }

    /// Put a packet on the wire towards a host.
    pub fn inject(&mut self, to: usize, packet: Packet) {
        self.send(to, packet);
    }

    /// Whatever is on the wire now is lost.
    pub fn lose_everything(&mut self) {
        self.in_flight.clear();
    }

    fn send(&mut self, to: usize, packet: Packet) {
        let copies = if self.chance(self.wire.loss) { 0 } else { 1 + u64::from(self.chance(self.wire.duplicate)) };
        for _ in 0..copies {
            let jitter = match self.wire.jitter.as_nanos() as u64 {
                0 => 0,
                most => self.random() % most,
            };
            let arrives = self.now + self.wire.delay + Duration::from_nanos(jitter);
            self.serial += 1;
            self.in_flight.insert((arrives, self.serial), (to, packet.clone()));
        }
    }

    /// Take everything that the hosts have to send now.
    pub fn pump(&mut self) {
        for from in 0..self.stacks.len() {
            while let Some((_, packet)) = self.stacks[from].poll_transmit(self.now) {
                let pieces: Vec<Packet> = if self.wire.is_super { vec![packet] } else { packet.segments().collect() };
                for piece in pieces {
                    assert!(self.wire.is_super || piece.len() <= self.wire.mtu, "{} bytes on the wire", piece.len());
                    if self.keeps_log {
                        self.log.push((self.now, from, piece.clone()));
                    }
                    self.send(1 - from, piece);
                }
            }
        }
    }

    /// The next time at which something happens.
    fn next(&self) -> Option<Instant> {
        let arrival = self.in_flight.keys().next().map(|(time, _)| *time);
        let deadline = self.stacks.iter().filter_map(Stack::next_deadline).min();
        [arrival, deadline].into_iter().flatten().min()
    }

    /// Go to the next thing that happens, if it is not after `limit`; `false`: nothing does.
    pub fn step(&mut self, limit: Instant) -> bool {
        self.pump();
        let Some(next) = self.next() else { return false };
        if next > limit {
            return false;
        }
        self.now = self.now.max(next);
        while let Some(entry) = self.in_flight.first_entry()
            && entry.key().0 <= self.now
        {
            let (to, packet) = entry.remove();
            let iface = self.ifaces[to];
            self.stacks[to].on_packet(self.now, iface, packet);
        }
        for stack in &mut self.stacks {
            stack.on_deadline(self.now);
        }
        self.pump();
        true
    }

    pub fn run(&mut self, time: Duration) {
        let limit = self.now + time;
        while self.step(limit) {}
        self.now = limit;
    }

    /// Run until something is true; panics when it is not within `time`.
    pub fn until(&mut self, time: Duration, what: &str, mut is_true: impl FnMut(&mut World) -> bool) {
        let limit = self.now + time;
        self.pump();
        while !is_true(self) {
            assert!(self.step(limit), "seed {}: {what} did not happen within {time:?} (now {:?})", self.seed, self.now);
        }
    }

    pub fn settle(&mut self) {
        self.run(Duration::from_millis(200));
    }

    // Calls on a host, short.

    pub fn tcp(&mut self, host: usize) -> SocketId {
        self.stacks[host].socket(Domain::Inet, SocketType::Stream).unwrap()
    }

    pub fn tcp6(&mut self, host: usize) -> SocketId {
        self.stacks[host].socket(Domain::Inet6, SocketType::Stream).unwrap()
    }

    pub fn udp(&mut self, host: usize) -> SocketId {
        self.stacks[host].socket(Domain::Inet, SocketType::Datagram).unwrap()
    }

    pub fn udp6(&mut self, host: usize) -> SocketId {
        self.stacks[host].socket(Domain::Inet6, SocketType::Datagram).unwrap()
    }

    pub fn bind(&mut self, host: usize, id: SocketId, to: &str) -> Result<(), Errno> {
        self.stacks[host].bind(self.now, id, addr(to))
    }

    pub fn connect(&mut self, host: usize, id: SocketId, to: &str) -> Result<(), Errno> {
        self.stacks[host].connect(self.now, id, addr(to))
    }

    pub fn listener(&mut self, host: usize, on: &str, backlog: i32) -> SocketId {
        let address = addr(on);
        let id = if address.is_ipv4() { self.tcp(host) } else { self.tcp6(host) };
        self.stacks[host].bind(self.now, id, address).unwrap();
        self.stacks[host].listen(id, backlog).unwrap();
        id
    }

    pub fn accept(&mut self, host: usize, id: SocketId) -> Result<(SocketId, SocketAddr), Errno> {
        self.stacks[host].accept(self.now, id)
    }

    pub fn write(&mut self, host: usize, id: SocketId, data: &[u8]) -> Result<usize, Errno> {
        self.stacks[host].send(self.now, id, data, MsgFlags::empty())
    }

    /// An option whose value is a number.
    pub fn set(&mut self, host: usize, id: SocketId, level: i32, name: i32, value: i32) {
        self.stacks[host].setsockopt(self.now, id, level, name, &value.to_ne_bytes()).unwrap();
    }

    /// What recvmsg(2) gives: the bytes, and what is told beside them.
    pub fn message(&mut self, host: usize, id: SocketId, flags: MsgFlags) -> Result<(Vec<u8>, ReceivedMessage), Errno> {
        let mut buffer = vec![0; 2000];
        let message = self.stacks[host].recv_message(self.now, id, &mut buffer, flags)?;
        buffer.truncate(message.len);
        Ok((buffer, message))
    }

    pub fn read(&mut self, host: usize, id: SocketId) -> Result<Vec<u8>, Errno> {
        let mut buffer = vec![0; 65536];
        let len = self.stacks[host].recv(self.now, id, &mut buffer, MsgFlags::empty())?;
        buffer.truncate(len);
        Ok(buffer)
    }

    pub fn send_to(&mut self, host: usize, id: SocketId, data: &[u8], to: &str) -> Result<usize, Errno> {
        self.stacks[host].send_to(self.now, id, data, MsgFlags::empty(), addr(to), None)
    }

    pub fn close(&mut self, host: usize, id: SocketId) {
        self.stacks[host].close(self.now, id).unwrap();
    }

    pub fn ready(&self, host: usize, id: SocketId) -> Ready {
        self.stacks[host].readiness(id)
    }

    /// A connection from A to a listener on B, with nothing in flight.
    pub fn connected(&mut self, to: &str) -> (SocketId, SocketId) {
        let address = addr(to);
        let listener = self.listener(B, to, 16);
        let client = if address.is_ipv4() { self.tcp(A) } else { self.tcp6(A) };
        assert_eq!(self.connect(A, client, to), Err(Errno::EINPROGRESS));
        self.settle();
        let (server, _) = self.accept(B, listener).unwrap();
        self.close(B, listener);
        (client, server)
    }

    pub fn counter(&self, host: usize, name: &str) -> u64 {
        self.stacks[host].counters().by_name(name).unwrap_or_else(|| panic!("no counter {name}"))
    }
}
