//! Bulk data from one stack to another over the memory link, for counting instructions per delivered segment.
//!
//! ```text
//! cargo build --release -p segue-lab --example instructions_per_segment
//! valgrind --tool=callgrind target/release/examples/instructions_per_segment 4MiB
//! valgrind --tool=callgrind target/release/examples/instructions_per_segment 36MiB
//! ```
//! The difference of the two counts, divided by the difference of the segments printed, is the cost of one segment on
//! both sides together, without start-up. Arguments: bytes (default 16MiB), MTU (default 1500), `gso` to let
//! super-segments through whole; without it they are cut at the edge of the link, as a plain TUN device's are, and `single` asks the
//! stack for single segments. Payload is neither made anew nor hashed: what remains is the stack.
use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use segue_link::{Link, MemoryLink, memory_pair, parse_bytes};
use segue_stack::{
    Cidr, Counter, Domain, Errno, IfaceConfig, Instant, MsgFlags, SocketId, SocketType, Stack, StackConfig,
};
use segue_wire::Packet;

/// Who makes wire packets of what leaves together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nobody: the link carries super-segments.
    Whole,
    /// The edge of the link.
    Cut,
    /// The stack, which is asked for single segments.
    Single,
}

struct Host {
    stack: Stack,
    iface: segue_stack::IfaceId,
    link: MemoryLink,
    /// Handed back by a full link, or cut and not yet sent.
    waiting: VecDeque<Packet>,
    /// What the stack hands out is cut here, as at the edge of a link that carries no super-segments.
    cuts: bool,
    arrived: Vec<Packet>,
    segments: usize,
}

impl Host {
    fn new(number: u8, mtu: usize, mode: Mode, link: MemoryLink) -> Result<Host, String> {
        let mut stack = Stack::new(StackConfig::new([number; 32]), Instant::ZERO);
        let address: Cidr = format!("10.0.0.{number}/24").parse().map_err(|error| format!("{error}"))?;
        let gso_max = if mode == Mode::Single { 0 } else { 65_535 };
        let config = IfaceConfig { addresses: vec![address], gso_max, ..IfaceConfig::new("mem0", mtu) };
        let iface = stack.add_interface(config);
        let (waiting, cuts) = (VecDeque::new(), mode == Mode::Cut);
        Ok(Host { stack, iface, link, waiting, cuts, arrived: Vec::new(), segments: 0 })
    }

    /// The next packet for the link.
    fn next_packet(&mut self, now: Instant) -> Option<Packet> {
        if let Some(packet) = self.waiting.pop_front() {
            return Some(packet);
        }
        let (_, packet) = self.stack.poll_transmit(now)?;
        let pieces = packet.cuts().filter(|_| self.cuts).map_or(0, |cuts| cuts.pieces());
        if pieces < 2 {
            return Some(packet);
        }
        self.waiting.extend((0..pieces).filter_map(|piece| packet.pieces(piece, 1)));
        self.waiting.pop_front()
    }

    /// Moves packets both ways once; whether anything moved.
    fn turn(&mut self, now: Instant) -> Result<bool, String> {
        let mut moved = false;
        if self.stack.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.stack.on_deadline(now);
        }
        while let Some(packet) = self.next_packet(now) {
            match self.link.send(now, packet) {
                Ok(()) => moved = true,
                Err(segue_link::SendError::Full(packet)) => {
                    self.waiting.push_front(packet);
                    break;
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        let received = self.link.recv(now, &mut self.arrived, 64).map_err(|error| error.to_string())?;
        for packet in self.arrived.drain(..) {
            self.segments += packet.wire_packets();
            self.stack.on_packet(now, self.iface, packet);
        }
        Ok(moved || received > 0)
    }
}

fn ok<T>(what: &str, result: segue_stack::Result<T>) -> Result<T, String> {
    result.map_err(|errno| format!("{what}: {errno}"))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("instructions_per_segment: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let total = arguments.next().map_or(Ok(16 << 20), |text| parse_bytes(&text)).map_err(|e| e.to_string())?;
    let mtu = arguments.next().map_or(Ok(1500), |text| text.parse()).map_err(|e| format!("bad MTU: {e}"))?;
    let mode = match arguments.next().as_deref() {
        None => Mode::Cut,
        Some("gso") => Mode::Whole,
        Some("single") => Mode::Single,
        Some(word) => return Err(format!("{word} is neither gso nor single")),
    };

    let (left, right) = memory_pair(mtu, 1024);
    let mut hosts = [Host::new(1, mtu, mode, left)?, Host::new(2, mtu, mode, right)?];
    let mut now = Instant::ZERO;
    let (client, server) = open(&mut hosts, &mut now)?;

    let block = Bytes::from(vec![0x5a; 65_536]);
    let (mut written, mut read) = (0, 0);
    while read < total {
        written += write(&mut hosts[0].stack, now, client, &block, total - written)?;
        read += drain(&mut hosts[1].stack, now, server)?;
        step(&mut hosts, &mut now)?;
    }
    let retransmits = hosts[0].stack.counters().get(Counter::TcpRetransSegs);
    println!("bytes {read} data_segments {} acks {}", hosts[1].segments, hosts[0].segments);
    println!("segments {} retransmits {retransmits}", hosts[0].segments + hosts[1].segments);
    Ok(())
}

fn open(hosts: &mut [Host; 2], now: &mut Instant) -> Result<(SocketId, SocketId), String> {
    let address = "10.0.0.2:9".parse().map_err(|error| format!("{error}"))?;
    let server = &mut hosts[1].stack;
    let listener = ok("socket", server.socket(Domain::Inet, SocketType::Stream))?;
    ok("bind", server.bind(*now, listener, address))?;
    ok("listen", server.listen(listener, 1))?;
    let client = &mut hosts[0].stack;
    let socket = ok("socket", client.socket(Domain::Inet, SocketType::Stream))?;
    match client.connect(*now, socket, address) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        Err(errno) => return Err(format!("connect: {errno}")),
    }
    loop {
        step(hosts, now)?;
        if let Ok((accepted, _)) = hosts[1].stack.accept(*now, listener) {
            return Ok((socket, accepted));
        }
    }
}

/// One turn of both hosts; when nothing moves, time goes on to the next deadline.
fn step(hosts: &mut [Host; 2], now: &mut Instant) -> Result<(), String> {
    let [a, b] = hosts;
    if a.turn(*now)? | b.turn(*now)? {
        // A microsecond per turn keeps round-trip times above zero.
        *now += Duration::from_micros(1);
        return Ok(());
    }
    let next = [&a.stack, &b.stack].into_iter().filter_map(Stack::next_deadline).min();
    *now = next.ok_or("nothing moves and no timer runs")?.max(*now + Duration::from_micros(1));
    Ok(())
}

fn write(stack: &mut Stack, now: Instant, socket: SocketId, block: &Bytes, limit: u64) -> Result<u64, String> {
    let mut written = 0;
    while written < limit {
        let n = (limit - written).min(block.len() as u64) as usize;
        match stack.send_bytes(now, socket, block.slice(..n), MsgFlags::empty()) {
            Ok(n) => written += n as u64,
            Err(Errno::EAGAIN) => break,
            Err(errno) => return Err(format!("send: {errno}")),
        }
    }
    Ok(written)
}

fn drain(stack: &mut Stack, now: Instant, socket: SocketId) -> Result<u64, String> {
    let mut read = 0;
    loop {
        match stack.recv_bytes(now, socket, 1 << 20) {
            Ok(chunks) if chunks.is_empty() => return Err("end of file before the last byte".to_owned()),
            Ok(chunks) => read += chunks.len() as u64,
            Err(Errno::EAGAIN) => return Ok(read),
            Err(errno) => return Err(format!("recv: {errno}")),
        }
    }
}
