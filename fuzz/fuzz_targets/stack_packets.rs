//! A stack with sockets in many states, a peer, and a wire that does whatever the input says.
//!
//! Real packets between the two are changed, dropped, repeated and held back; packets made of anything are thrown in;
//! sockets are called in any order; time passes in any steps. Nothing panics, what strangers can grow stays within its
//! bounds, and when all sockets are closed and time has passed, nothing is left.
#![no_main]

use core::net::SocketAddr;
use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use segue_stack::{
    Domain, IfaceConfig, IfaceId, Instant, MsgFlags, Packet, Reject, Shutdown, SocketId, SocketOption, SocketType,
    Stack, StackConfig, Unreachable,
};
use segue_wire::ChecksumState;

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                *byte
            }
            None => 0,
        }
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

struct Host {
    stack: Stack,
    iface: IfaceId,
    sockets: Vec<SocketId>,
}

struct World {
    now: Instant,
    hosts: [Host; 2],
    wire: Vec<(usize, Packet)>,
}

fn host(seed: u8, addresses: [&str; 2], is_gateway: bool, is_fallback: bool) -> Host {
    let mut config = StackConfig::new([seed; 32]);
    config.ip.max_syn_backlog = 8;
    config.ip.max_tw_buckets = 8;
    config.ip.max_orphans = 4;
    // Whatever a SYN can do: every listener opens at once for any SYN with data, or by cookie; or answers with SYN cookies.
    config.ip.fast_open = if is_gateway { 0x607 } else { 0x403 };
    config.ip.syncookies = if is_fallback { 2 } else { 1 };
    config.ip.migrate_req = is_gateway;
    let mut stack = Stack::new(config, Instant::ZERO);
    let mut iface = IfaceConfig::new("eth0", 1500);
    iface.addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    iface.accept_any = is_gateway;
    iface.loopback_fallback = is_fallback;
    iface.gso_max = if is_gateway { 65535 } else { 0 };
    let iface = stack.add_interface(iface);
    for all in ["0.0.0.0/0", "::/0"] {
        stack.add_route(segue_stack::Route::on_link(all.parse().unwrap(), iface)).unwrap();
    }
    Host { stack, iface, sockets: Vec::new() }
}

const ADDRESSES: [&str; 10] = [
    "10.0.0.1:80",
    "10.0.0.2:80",
    "[fd00::1]:80",
    "[fd00::2]:80",
    "127.0.0.1:80",
    "[::1]:80",
    "192.0.2.7:443",
    "10.0.0.255:80",
    "[::ffff:10.0.0.2]:80",
    "0.0.0.0:0",
];

fn address(input: &mut Input<'_>) -> SocketAddr {
    let choice = input.byte();
    let mut address: SocketAddr = ADDRESSES[usize::from(choice & 15) % ADDRESSES.len()].parse().unwrap();
    if choice & 0x80 != 0 {
        address.set_port(1024 + u16::from(choice >> 4));
    }
    address
}

impl World {
    /// Take what the hosts send and put it on the wire.
    fn pump(&mut self) {
        for from in 0..2 {
            let mut turns = 0;
            while let Some((_, packet)) = self.hosts[from].stack.poll_transmit(self.now) {
                if self.wire.len() < 64 {
                    self.wire.push((1 - from, packet));
                }
                turns += 1;
                assert!(turns < 100_000, "a host sends for ever");
            }
        }
    }

    fn deliver(&mut self, at: usize, change: impl FnOnce(&mut Vec<u8>), is_trusted: bool) {
        if self.wire.is_empty() {
            return;
        }
        let (to, packet) = self.wire.remove(at % self.wire.len());
        let (checksum, segmentation) = (packet.checksum, packet.segmentation);
        let mut bytes = packet.to_vec();
        change(&mut bytes);
        // The IP header's own checksum is put right, so that changes get past it.
        if bytes.len() >= 20 && bytes[0] == 0x45 && is_trusted {
            bytes[10..12].fill(0);
            let sum = segue_wire::checksum::checksum(&bytes[..20]);
            bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        let mut packet = Packet::from_bytes(bytes.into());
        packet.checksum = if is_trusted { ChecksumState::Verified } else { checksum };
        packet.segmentation = segmentation;
        let iface = self.hosts[to].iface;
        self.hosts[to].stack.on_packet(self.now, iface, packet);
    }

    fn call(&mut self, input: &mut Input<'_>) {
        let which = usize::from(input.byte() & 1);
        let now = self.now;
        let Host { stack, iface, sockets } = &mut self.hosts[which];
        let choice = input.byte();
        if sockets.len() < 12 && choice < 24 {
            let domain = if choice & 1 == 0 { Domain::Inet } else { Domain::Inet6 };
            let kind = [SocketType::Stream, SocketType::Datagram, SocketType::Icmp, SocketType::Stream]
                [usize::from(choice >> 1 & 3)];
            sockets.extend(stack.socket(domain, kind));
            return;
        }
        if sockets.len() < 12 && choice < 26 {
            sockets.extend(stack.listen_any(now, *iface));
            return;
        }
        if sockets.is_empty() {
            return;
        }
        let at = usize::from(input.byte()) % sockets.len();
        let id = sockets[at];
        let mut buffer = [0; 3000];
        match choice % 18 {
            0 => drop(stack.bind(now, id, address(input))),
            1 => drop(stack.listen(id, i32::from(input.byte() & 3))),
            2 | 3 => drop(stack.connect(now, id, address(input))),
            4 => sockets.extend(stack.accept(now, id).map(|(id, _)| id)),
            5 => drop(stack.send(
                now,
                id,
                &buffer[..usize::from(input.word()) % 3000],
                MsgFlags::from_bits_retain(i32::from(input.word())),
            )),
            6 => drop(stack.send_to(
                now,
                id,
                &buffer[..usize::from(input.byte())],
                MsgFlags::empty(),
                address(input),
                None,
            )),
            7 => drop(stack.recv(now, id, &mut buffer, MsgFlags::from_bits_retain(i32::from(input.byte())))),
            8 => drop(stack.recv_from(now, id, &mut buffer, MsgFlags::empty())),
            9 => drop(stack.recv_bytes(now, id, usize::from(input.word()))),
            10 => {
                let how = [Shutdown::Read, Shutdown::Write, Shutdown::Both][usize::from(input.byte() % 3)];
                let _ = stack.shutdown(now, id, how);
            }
            11 => {
                let _ = stack.close(now, id);
                sockets.swap_remove(at);
            }
            12 => drop(stack.disconnect(now, id)),
            13 => drop(stack.setsockopt(
                now,
                id,
                i32::from(input.byte() % 42),
                i32::from(input.byte()),
                &input.bytes(8).to_vec(),
            )),
            14 => drop(stack.getsockopt(now, id, i32::from(input.byte() % 42), i32::from(input.byte()), &mut buffer)),
            15 => drop(stack.bind_any(now, id, *iface)),
            16 => {
                if let Some(held) = stack.take_held(id) {
                    match input.byte() % 5 {
                        0 => stack.held_reject(now, held.id, Reject::Reset),
                        1 => stack.held_reject(now, held.id, Reject::Drop),
                        2 => stack.held_reject(now, held.id, Reject::Unreachable(Unreachable::Port)),
                        _ => drop(stack.held_accept(now, held.id)),
                    }
                }
            }
            _ => drop(stack.set_option(now, id, SocketOption::Linger(Some(Duration::ZERO)))),
        }
        if let Some(id) = sockets.get(at) {
            let _ = (stack.readiness(*id), stack.local_addr(*id), stack.peer_addr(*id));
        }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        let choice = input.byte();
        match choice & 15 {
            0..=5 => self.call(input),
            6..=8 => self.deliver(usize::from(choice >> 4), |_| {}, false),
            9 | 10 => {
                let (at, with) = (usize::from(input.byte()), input.byte());
                self.deliver(
                    usize::from(choice >> 4),
                    |bytes| {
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte ^= with
                        }
                    },
                    true,
                );
            }
            11 => {
                let len = usize::from(input.word());
                self.deliver(usize::from(choice >> 4), |bytes| bytes.truncate(len), true);
            }
            12 => {
                if let Some(packet) = self.wire.first().cloned() {
                    if self.wire.len() < 64 {
                        self.wire.push(packet);
                    }
                }
            }
            13 => {
                let to = usize::from(choice >> 7);
                let len = usize::from(input.byte());
                let mut packet = Packet::from_bytes(input.bytes(len).to_vec().into());
                packet.checksum = if choice & 0x40 != 0 { ChecksumState::Verified } else { ChecksumState::Complete };
                let iface = self.hosts[to].iface;
                self.hosts[to].stack.on_packet(self.now, iface, packet);
            }
            _ => {
                let micros = 1u64 << (choice >> 4) << (choice >> 4);
                self.pass(Duration::from_micros(micros));
            }
        }
        self.pump();
        for host in &mut self.hosts {
            while host.stack.poll_event().is_some() {}
            let usage = host.stack.usage();
            assert!(usage.opening <= 8 * 12 && usage.held <= 8 * 2 && usage.time_wait <= 8, "{usage:?}");
            assert!(usage.orphans <= 5, "{usage:?}");
            assert!(usage.fragment_bytes <= 9 << 20, "{usage:?}");
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        for host in &mut self.hosts {
            host.stack.on_deadline(self.now);
        }
        self.pump();
    }
}

/// Sockets in states that few random calls would reach: two connections with data on their way, one half closed, a
/// listener, bound datagram sockets, a gateway with a SYN to decide about, an entry in TIME-WAIT.
fn prepare(world: &mut World) {
    let none = MsgFlags::empty();
    let now = world.now;
    let parse = |address: &str| -> SocketAddr { address.parse().unwrap() };
    let gateway = &mut world.hosts[1];
    gateway.sockets.extend(gateway.stack.listen_any(now, gateway.iface));
    let listener = gateway.stack.socket(Domain::Inet6, SocketType::Stream).unwrap();
    gateway.stack.bind(now, listener, parse("[::]:80")).unwrap();
    gateway.stack.listen(listener, 4).unwrap();
    gateway.sockets.push(listener);
    for (host, at) in [(0, "[::]:80"), (1, "[::]:80")] {
        let Host { stack, sockets, .. } = &mut world.hosts[host];
        let socket = stack.socket(Domain::Inet6, SocketType::Datagram).unwrap();
        stack.bind(now, socket, parse(at)).unwrap();
        sockets.push(socket);
    }
    for to in ["10.0.0.2:80", "[fd00::2]:80", "10.0.0.2:80", "192.0.2.7:443", "127.0.0.1:443"] {
        let domain = if to.starts_with('[') { Domain::Inet6 } else { Domain::Inet };
        let Host { stack, sockets, .. } = &mut world.hosts[0];
        let client = stack.socket(domain, SocketType::Stream).unwrap();
        let _ = stack.connect(now, client, parse(to));
        sockets.push(client);
    }
    for _ in 0..6 {
        world.pump();
        while !world.wire.is_empty() {
            world.deliver(0, |_| {}, false);
        }
    }
    let gateway = &mut world.hosts[1];
    while let Ok((server, _)) = gateway.stack.accept(now, listener) {
        let _ = gateway.stack.send(now, server, &[7; 4000], none);
        gateway.sockets.push(server);
    }
    let [half, other, gone] = [1, 2, 3].map(|n| world.hosts[0].sockets[n]);
    let stack = &mut world.hosts[0].stack;
    let _ = stack.shutdown(now, half, Shutdown::Write);
    let _ = stack.send(now, other, &[9; 4000], none);
    let _ = stack.close(now, gone);
    world.hosts[0].sockets.remove(3);
    world.pump();
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let mut world = World {
        now: Instant::ZERO,
        hosts: [
            host(1, ["10.0.0.1/24", "fd00::1/64"], false, true),
            host(2, ["10.0.0.2/24", "fd00::2/64"], true, false),
        ],
        wire: Vec::new(),
    };
    if input.byte() & 3 != 0 {
        prepare(&mut world);
    }
    while !input.is_empty() {
        world.step(&mut input);
    }
    for host in 0..2 {
        for id in core::mem::take(&mut world.hosts[host].sockets) {
            world.hosts[host].stack.close(world.now, id).unwrap();
        }
    }
    for _ in 0..4000 {
        world.wire.clear();
        let next = world.hosts.iter().filter_map(|host| host.stack.next_deadline()).min();
        let Some(next) = next else { break };
        world.now = world.now.max(next);
        world.pass(Duration::ZERO);
    }
    for host in &world.hosts {
        let usage = host.stack.usage();
        assert_eq!(usage, segue_stack::Usage::default(), "left behind");
    }
});
