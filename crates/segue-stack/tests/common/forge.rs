//! Segments that no stack made.
use std::net::{IpAddr, SocketAddr};

use segue_stack::{IfaceId, Packet, Stack};
use segue_wire::tcp::{self, TcpFlags, TcpHeader, TcpOptions};
use segue_wire::{ChecksumState, Ipv4Header, Ipv6Header, Protocol};

/// A segment from anywhere.
#[derive(Clone, Debug)]
pub struct Forged {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub flags: TcpFlags,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub options: TcpOptions,
    pub payload: Vec<u8>,
}

impl Forged {
    /// A SYN with an MSS of 1460.
    pub fn syn(from: SocketAddr, to: SocketAddr) -> Forged {
        let options = TcpOptions { mss: Some(1460), ..TcpOptions::default() };
        Forged { from, to, flags: TcpFlags::SYN, sequence: 1000, acknowledgment: 0, options, payload: Vec::new() }
    }

    /// What completes the handshake of this SYN.
    pub fn third(&self, syn_ack: &TcpHeader) -> Forged {
        Forged {
            flags: TcpFlags::ACK,
            sequence: self.sequence.wrapping_add(1),
            acknowledgment: syn_ack.sequence.wrapping_add(1),
            options: TcpOptions::default(),
            payload: Vec::new(),
            ..self.clone()
        }
    }

    pub fn packet(&self) -> Packet {
        let header = TcpHeader {
            source_port: self.from.port(),
            destination_port: self.to.port(),
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
            flags: self.flags,
            window: 65_535,
            ..TcpHeader::default()
        };
        let mut segment = vec![0; tcp::MAX_HEADER_LEN];
        let len = tcp::emit(&header, &self.options.emit(), &mut segment);
        segment.truncate(len);
        segment.extend_from_slice(&self.payload);
        let (source, destination) = (self.from.ip(), self.to.ip());
        let bytes = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let total_length = 20 + segment.len() as u16;
                let mut bytes = vec![0; 20];
                Ipv4Header { total_length, protocol: Protocol::TCP, source, destination, ..Ipv4Header::default() }
                    .emit(&mut bytes);
                bytes
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let payload_length = segment.len() as u16;
                let mut bytes = vec![0; 40];
                Ipv6Header { payload_length, next_header: Protocol::TCP, source, destination, ..Ipv6Header::default() }
                    .emit(&mut bytes);
                bytes
            }
            _ => panic!("two families"),
        };
        let mut packet = Packet::from_bytes([bytes, segment].concat().into());
        packet.checksum = ChecksumState::Verified;
        packet
    }
}

/// What a stack answers, as header and options.
pub fn answers(stack: &mut Stack, now: segue_stack::Instant) -> Vec<(TcpHeader, TcpOptions)> {
    let mut answers = Vec::new();
    while let Some((_, packet)) = stack.poll_transmit(now) {
        let bytes = packet.to_bytes();
        let at = if bytes[0] >> 4 == 4 { 20 } else { 40 };
        if let Ok((header, options, _)) = TcpHeader::parse(&bytes[at..]) {
            answers.push((header, TcpOptions::parse(options)));
        }
    }
    answers
}

/// Give a stack a segment; what it answers at once.
pub fn ask(
    stack: &mut Stack,
    iface: IfaceId,
    now: segue_stack::Instant,
    forged: &Forged,
) -> Vec<(TcpHeader, TcpOptions)> {
    stack.on_packet(now, iface, forged.packet());
    answers(stack, now)
}
