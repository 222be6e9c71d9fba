//! A stack with a budget lives in it, whatever is done to it: counted by itself and at the allocator.
mod common;

use core::time::Duration;
use std::collections::HashMap;

use common::*;
use segue_stack::{Errno, Instant, MsgFlags, Packet, SocketId, SocketOption, Stack, StackConfig};

const MB: u64 = 1 << 20;
const BUDGET: u64 = 50 * MB;
/// Bytes that each well-behaved flow carries.
const FLOW: usize = 600_000;

/// The stack under test; everything it does is measured. Packets cross its border as plain bytes, so that what it holds is
/// its own and nothing else.
struct Measured {
    stack: Stack,
    iface: segue_stack::IfaceId,
    heap: i64,
    most: i64,
}

impl Measured {
    fn call<T>(&mut self, work: impl FnOnce(&mut Stack) -> T) -> T {
        let mut result = None;
        let info = allocation_counter::measure(|| result = Some(work(&mut self.stack)));
        self.most = self.most.max(self.heap + info.bytes_max as i64);
        self.heap += info.bytes_current;
        result.unwrap()
    }

    fn take(&mut self, now: Instant, bytes: &[u8]) {
        let iface = self.iface;
        self.call(|stack| {
            let mut packet = Packet::from_bytes(bytes.to_vec().into());
            packet.checksum = segue_wire::ChecksumState::Verified;
            stack.on_packet(now, iface, packet);
        });
    }

    /// What it sends, as single packets.
    fn give(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        let mut lens = 0;
        // Room for the copies is taken outside of the measurement.
        let mut flat: Vec<u8> = Vec::with_capacity(4 << 20);
        let mut ends = Vec::with_capacity(4096);
        self.call(|stack| {
            while ends.len() < 2000
                && let Some((_, packet)) = stack.poll_transmit(now)
            {
                flat.extend_from_slice(packet.head());
                packet.body().iter().for_each(|bytes| flat.extend_from_slice(bytes));
                ends.push(flat.len());
            }
        });
        for end in ends {
            out.push(flat[lens..end].to_vec());
            lens = end;
        }
    }
}

fn byte(flow: usize, at: usize) -> u8 {
    (at * 31 + flow * 7 + at / 251) as u8
}

fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A flow that is written and read to its end.
#[derive(Default)]
struct Flow {
    sent: usize,
    got: Vec<u8>,
    over: bool,
}

struct Scene {
    now: Instant,
    a: Stack,
    a_iface: segue_stack::IfaceId,
    b: Measured,
    /// On their way: to B or to A, with the time of arrival.
    wire: std::collections::VecDeque<(Instant, bool, Vec<u8>)>,
    /// First sequence number of clients whose first bytes never arrive, by port.
    first: HashMap<u16, u32>,
    holed: std::ops::Range<u16>,
}

const DELAY: Duration = Duration::from_millis(5);

impl Scene {
    fn new() -> Scene {
        let wire = Wire::default();
        let (a, a_iface) = host(1, A4, A6, &wire, |_, _| {});
        let (mut b, b_iface) = host(2, B4, B6, &wire, |config: &mut StackConfig, _| config.memory = Some(BUDGET));
        // Spoofed sources need a way back, or their SYNs would not be answered.
        b.add_route(segue_stack::Route::on_link(cidr("0.0.0.0/0"), b_iface)).unwrap();
        let b = Measured { stack: b, iface: b_iface, heap: 0, most: 0 };
        let (wire, first) = Default::default();
        Scene { now: Instant::ZERO, a, a_iface, b, wire, first, holed: 0..0 }
    }

    /// Whether a packet of A's is one that gets lost.
    fn is_lost(&mut self, packet: &[u8]) -> bool {
        let word = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
        let port = (word(20) >> 16) as u16;
        if !self.holed.contains(&port) {
            return false;
        }
        if packet[33] & 2 != 0 {
            self.first.insert(port, word(24));
        }
        let len = packet.len() - 20 - usize::from(packet[32] >> 4) * 4;
        len > 0 && self.first.get(&port) == Some(&word(24).wrapping_sub(1))
    }

    fn pump(&mut self) {
        let arrives = self.now + DELAY;
        while let Some((_, packet)) = self.a.poll_transmit(self.now) {
            for piece in packet.segments() {
                let bytes = piece.to_vec();
                if !self.is_lost(&bytes) {
                    self.wire.push_back((arrives, true, bytes));
                }
            }
        }
        let mut out = Vec::new();
        self.b.give(self.now, &mut out);
        self.wire.extend(out.into_iter().map(|bytes| (arrives, false, bytes)));
    }

    fn step(&mut self) {
        self.pump();
        self.now += Duration::from_millis(1);
        while self.wire.front().is_some_and(|(at, ..)| *at <= self.now) {
            let Some((_, to_b, bytes)) = self.wire.pop_front() else { break };
            if to_b {
                self.b.take(self.now, &bytes);
            } else {
                let mut packet = Packet::from_bytes(bytes.into());
                packet.checksum = segue_wire::ChecksumState::Verified;
                self.a.on_packet(self.now, self.a_iface, packet);
            }
        }
        self.a.on_deadline(self.now);
        let now = self.now;
        self.b.call(|stack| stack.on_deadline(now));
        self.pump();
        while self.a.poll_event().is_some() {}
        self.b.call(|stack| while stack.poll_event().is_some() {});
        let counted = self.b.stack.counted_bytes();
        assert!(counted <= BUDGET, "{counted} bytes counted at {now:?}");
        assert!(self.b.most <= BUDGET as i64, "{} bytes on the heap at {now:?}, {counted} counted", self.b.most);
    }

    fn listener(&mut self, port: u16) -> SocketId {
        let now = self.now;
        self.b.call(|stack| {
            let id = stack.socket(segue_stack::Domain::Inet, segue_stack::SocketType::Stream).unwrap();
            stack.bind(now, id, at(B4, port)).unwrap();
            stack.listen(id, 4096).unwrap();
            id
        })
    }

    fn connect(&mut self, local: u16, port: u16) -> SocketId {
        let id = self.a.socket(segue_stack::Domain::Inet, segue_stack::SocketType::Stream).unwrap();
        self.a.bind(self.now, id, at(A4, local)).unwrap();
        assert_eq!(self.a.connect(self.now, id, at(B4, port)), Err(Errno::EINPROGRESS));
        id
    }

    /// `count` connections to a port, from `local` on: both ends, by the order of the clients.
    fn open(&mut self, local: u16, port: u16, count: u16) -> Vec<(SocketId, SocketId)> {
        let listener = self.listener(port);
        let clients: Vec<SocketId> = (0..count).map(|n| self.connect(local + n, port)).collect();
        let mut servers = HashMap::new();
        for _ in 0..4_000 {
            self.step();
            let now = self.now;
            while let Ok((id, peer)) = self.b.call(|stack| stack.accept(now, listener)) {
                servers.insert(peer.port(), id);
            }
            if servers.len() == usize::from(count) {
                break;
            }
        }
        clients.into_iter().zip(local..).filter_map(|(client, port)| Some((client, *servers.get(&port)?))).collect()
    }

    /// One turn of flows from A to B that are read at once.
    fn turn_in(&mut self, ends: &[(SocketId, SocketId)], flows: &mut [Flow], data: &[Vec<u8>]) {
        let now = self.now;
        let mut buffer = vec![0; 65_536];
        for (n, ((client, server), flow)) in ends.iter().zip(flows).enumerate() {
            let part = &data[n][flow.sent..FLOW.min(flow.sent + 100_000)];
            if !part.is_empty() {
                flow.sent += self.a.send(now, *client, part, MsgFlags::empty()).unwrap_or(0);
            } else if !flow.over {
                let _ = self.a.shutdown(now, *client, segue_stack::Shutdown::Write);
            }
            while let Ok(len) = self.b.call(|stack| stack.recv(now, *server, &mut buffer, MsgFlags::empty())) {
                flow.over |= len == 0;
                if len == 0 {
                    break;
                }
                flow.got.extend_from_slice(&buffer[..len]);
            }
        }
    }

    /// The same from B to A.
    fn turn_out(&mut self, ends: &[(SocketId, SocketId)], flows: &mut [Flow], data: &[Vec<u8>]) {
        let now = self.now;
        let mut buffer = vec![0; 65_536];
        for (n, ((client, server), flow)) in ends.iter().zip(flows).enumerate() {
            let part = &data[n][flow.sent..FLOW.min(flow.sent + 100_000)];
            if !part.is_empty() {
                flow.sent += self.b.call(|stack| stack.send(now, *server, part, MsgFlags::empty())).unwrap_or(0);
            } else if !flow.over {
                let _ = self.b.call(|stack| stack.shutdown(now, *server, segue_stack::Shutdown::Write));
            }
            while let Ok(len) = self.a.recv(now, *client, &mut buffer, MsgFlags::empty()) {
                flow.over |= len == 0;
                if len == 0 {
                    break;
                }
                flow.got.extend_from_slice(&buffer[..len]);
            }
        }
    }

    fn carry(&mut self, into: &[(SocketId, SocketId)], out: &[(SocketId, SocketId)], millis: u64) {
        let flows = |ends: &[(SocketId, SocketId)]| -> Vec<Flow> { ends.iter().map(|_| Flow::default()).collect() };
        let (mut coming, mut going) = (flows(into), flows(out));
        let data: Vec<Vec<u8>> = (0..into.len()).map(|n| (0..FLOW).map(|at| byte(n, at)).collect()).collect();
        for _ in 0..millis {
            self.turn_in(into, &mut coming, &data);
            self.turn_out(out, &mut going, &data);
            self.step();
            if coming.iter().chain(&going).all(|flow| flow.over) {
                break;
            }
        }
        for (n, flow) in coming.iter().enumerate().chain(going.iter().enumerate()) {
            assert!(flow.over, "flow {n} has carried {} of {FLOW} bytes by {:?}", flow.got.len(), self.now);
            assert_eq!(hash(flow.got.iter().copied()), hash(data[n].iter().copied()), "flow {n}");
        }
    }

    fn counter(&self, name: &str) -> u64 {
        self.b.stack.counters().by_name(name).unwrap()
    }
}

/// A SYN from somewhere.
fn syn(number: u32) -> Vec<u8> {
    let mut packet = vec![0u8; 40];
    packet[0] = 0x45;
    packet[3] = 40;
    packet[8] = 64;
    packet[9] = 6;
    packet[12..16].copy_from_slice(&(0x0b00_0000 + number).to_be_bytes());
    packet[16..20].copy_from_slice(&[10, 0, 0, 2]);
    packet[20..24].copy_from_slice(&[0x10, 0, 0, 80]);
    packet[32] = 0x50;
    packet[33] = 2;
    packet[34] = 0xff;
    let sum = segue_wire::checksum::checksum(&packet[..20]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

#[test]
fn a_stack_lives_in_its_budget_whatever_is_done_to_it_and_good_flows_finish() {
    let mut scene = Scene::new();
    let into = scene.open(1_000, 80, 4);
    let out = scene.open(1_100, 81, 4);
    // Clients that ask for much and read nothing; some that send and are never read; some that send byte by byte; some
    // whose first bytes never arrive.
    let deaf = scene.open(2_000, 82, 60);
    let unread = scene.open(3_000, 83, 60);
    let tiny = scene.open(4_000, 84, 20);
    scene.holed = 5_000..5_040;
    let holed = scene.open(5_000, 85, 40);
    assert_eq!((into.len(), out.len(), deaf.len(), unread.len(), tiny.len(), holed.len()), (4, 4, 60, 60, 20, 40));
    let block = vec![7u8; 400_000];
    for round in 0..400u32 {
        let now = scene.now;
        for (_, server) in &deaf {
            let _ = scene.b.call(|stack| stack.send(now, *server, &block, MsgFlags::empty()));
        }
        for (client, server) in &unread {
            let _ = scene.a.send(now, *client, &block, MsgFlags::empty());
            // One that reads a little makes its buffer grow.
            if round < 200 {
                let mut some = [0; 30_000];
                let _ = scene.b.call(|stack| stack.recv(now, *server, &mut some, MsgFlags::empty()));
            }
        }
        for (client, _) in &tiny {
            let _ = scene.a.set_option(now, *client, SocketOption::NoDelay(true));
            for _ in 0..4 {
                let _ = scene.a.send(now, *client, b"x", MsgFlags::empty());
                while let Some((_, packet)) = scene.a.poll_transmit(now) {
                    for piece in packet.segments() {
                        scene.b.take(now, &piece.to_vec());
                    }
                }
            }
        }
        for (client, _) in &holed {
            let _ = scene.a.send(now, *client, &block, MsgFlags::empty());
        }
        (0..20).for_each(|n| scene.b.take(now, &syn(round * 20 + n)));
        scene.step();
    }
    let usage = scene.b.stack.usage();
    println!("under attack: {} MB on the heap at most, {usage:?}", scene.b.most / MB as i64);
    assert!(usage.opening > 100, "{usage:?}: the flood left nothing");
    assert!(scene.counter("TcpExtTCPMemoryPressures") > 0, "memory was never short: the attack is too weak");
    scene.carry(&into, &out, 120_000);
    for name in ["TcpExtTCPMemoryPressures", "TcpExtPruneCalled", "TcpExtTCPRcvQDrop", "TcpExtTCPOFODrop"] {
        println!("{name} {}", scene.counter(name));
    }
    println!("at the end: {} MB on the heap at most, {:?}", scene.b.most / MB as i64, scene.b.stack.usage());
}

#[test]
fn entries_beyond_the_budget_are_refused_and_counted() {
    let wire = Wire::default();
    let (mut stack, _) = host(2, B4, B6, &wire, |config: &mut StackConfig, _| config.memory = Some(2 * MB));
    let refused = (0..5_000)
        .filter(|_| stack.socket(segue_stack::Domain::Inet, segue_stack::SocketType::Stream) == Err(Errno::ENOBUFS))
        .count() as u64;
    assert!((3_000..4_800).contains(&refused), "{refused} of 5000 refused");
    assert_eq!(stack.counters().by_name("SegueMemorySockets"), Some(refused));
    assert!(stack.usage().counted_bytes <= 2 * MB);
}

#[test]
fn tcp_mem_follows_from_the_budget_and_may_be_set_while_the_stack_runs() {
    let wire = Wire::default();
    let (mut stack, _) = host(2, B4, B6, &wire, |config: &mut StackConfig, _| config.memory = Some(64 * MB));
    assert_eq!(stack.sysctl("tcp_mem").unwrap(), "6144\t8192\t10240");
    stack.set_sysctl(Instant::ZERO, "net.ipv4.tcp_mem", "10 20 30").unwrap();
    assert_eq!(stack.sysctl("tcp_mem").unwrap(), "10\t20\t30");
    assert!(stack.set_sysctl(Instant::ZERO, "tcp_mem", "30 20 10").is_err());
}
