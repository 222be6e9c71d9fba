//! Peers by the million that remember twelve bytes each: they open, send, acknowledge and close as a client does that
//! loses nothing.
//!
//! Decides addresses and ports of its peers by their number, so that a segment is found its peer without a table. All
//! memory is taken when they are made: what grows afterwards is the server's.
use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::Bytes;
use segue_link::{Link, MemoryLink};
use segue_stack::{Instant, Packet};
use segue_wire::tcp::Timestamps;
use segue_wire::{TcpFlags, TcpHeader, TcpOptions};

use crate::error::PerfError;
use crate::forge;
use crate::server::{ADDRESS, PORT, QUEUE};

/// First address, and first port at each of them.
const FIRST_ADDRESS: u32 = u32::from_be_bytes([10, 64, 0, 0]);
const FIRST_PORT: u16 = 10_000;
const PORTS: u32 = 50_000;
/// The most peers there are addresses for.
pub(crate) const MOST: u32 = 100_000_000;
const MSS: u16 = 1460;

/// What a peer does about segments of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manner {
    /// Completes the handshake, acknowledges data and closes when the server does.
    Willing,
    /// Never answers.
    Silent,
}

/// One peer's connection.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    /// Next sequence number here.
    next: u32,
    /// Next one expected.
    expected: u32,
    /// Latest timestamp of the server.
    timestamp: u32,
}

pub(crate) struct Peers {
    link: MemoryLink,
    memory: Vec<Memory>,
    batch: Vec<Packet>,
    pub(crate) manner: Manner,
    /// Handshakes completed from here.
    pub(crate) opened: u32,
    pub(crate) resets: u32,
}

impl Peers {
    pub(crate) fn new(link: MemoryLink, count: u32) -> Peers {
        let mut memory = vec![Memory::default(); count as usize];
        // Written to, so that the pages are there before anything is measured.
        for (number, peer) in memory.iter_mut().enumerate() {
            peer.next = (number as u32).wrapping_mul(2_654_435_761) | 1;
        }
        Peers { link, memory, batch: Vec::with_capacity(QUEUE), manner: Manner::Willing, opened: 0, resets: 0 }
    }

    fn address(number: u32) -> SocketAddrV4 {
        let address = Ipv4Addr::from_bits(FIRST_ADDRESS + number / PORTS);
        SocketAddrV4::new(address, FIRST_PORT + (number % PORTS) as u16)
    }

    fn number(address: SocketAddrV4) -> Option<u32> {
        let host = address.ip().to_bits().checked_sub(FIRST_ADDRESS)?;
        host.checked_mul(PORTS)?.checked_add(address.port().checked_sub(FIRST_PORT)?.into())
    }

    fn send(&mut self, now: Instant, number: u32, flags: TcpFlags, options: TcpOptions, payload: &Bytes) {
        let Some(memory) = self.memory.get_mut(number as usize) else { return };
        let timestamps = Timestamps { value: now.as_millis() as u32, echo: memory.timestamp };
        let options = TcpOptions { timestamps: Some(timestamps), ..options };
        let header = TcpHeader {
            sequence: memory.next,
            acknowledgment: memory.expected,
            flags,
            window: u16::MAX,
            ..TcpHeader::default()
        };
        memory.next = memory.next.wrapping_add(header.sequence_len(payload.len()));
        let packet =
            forge::segment(Peers::address(number), SocketAddrV4::new(ADDRESS, PORT), header, &options, payload.clone());
        // A full link loses it: the experiments keep their batches below that.
        drop(self.link.send(now, packet));
    }

    /// The peer with this number asks for a connection.
    pub(crate) fn open(&mut self, now: Instant, number: u32) {
        let options =
            TcpOptions { mss: Some(MSS), window_scale: Some(7), sack_permitted: true, ..TcpOptions::default() };
        self.send(now, number, TcpFlags::SYN, options, &Bytes::new());
    }

    /// It sends data on its connection.
    pub(crate) fn write(&mut self, now: Instant, number: u32, data: &Bytes) {
        self.send(now, number, TcpFlags::ACK | TcpFlags::PSH, TcpOptions::default(), data);
    }

    /// Takes what the server has sent and answers it. Gives how many segments came.
    pub(crate) fn answer(&mut self, now: Instant) -> Result<usize, PerfError> {
        let mut batch = std::mem::take(&mut self.batch);
        let came = self.link.recv(now, &mut batch, QUEUE)?;
        for packet in batch.drain(..) {
            if self.manner == Manner::Willing {
                self.take(now, &packet);
            }
        }
        self.batch = batch;
        Ok(came)
    }

    fn take(&mut self, now: Instant, packet: &Packet) {
        let Some(read) = forge::read(packet) else { return };
        let Some(number) = Peers::number(read.to) else { return };
        let Some(memory) = self.memory.get_mut(number as usize) else { return };
        let flags = read.header.flags;
        if flags.contains(TcpFlags::RST) {
            self.resets += 1;
            return;
        }
        let is_syn = flags.contains(TcpFlags::SYN);
        if !is_syn && read.header.sequence != memory.expected {
            return;
        }
        memory.timestamp = read.timestamp;
        let len = read.header.sequence_len(read.payload);
        memory.expected = read.header.sequence.wrapping_add(len);
        self.opened += u32::from(is_syn);
        if flags.contains(TcpFlags::FIN) {
            self.send(now, number, TcpFlags::FIN | TcpFlags::ACK, TcpOptions::default(), &Bytes::new());
        } else if len > 0 {
            self.send(now, number, TcpFlags::ACK, TcpOptions::default(), &Bytes::new());
        }
    }
}
