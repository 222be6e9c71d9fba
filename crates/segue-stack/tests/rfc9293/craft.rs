//! Segments made by hand, and segments of a host taken apart.

use std::net::{IpAddr, Ipv4Addr};

use segue_stack::Packet;
use segue_wire::{Bytes, Ipv4Header, Ipv6Header, Protocol, TcpFlags, TcpHeader, TcpOptions, checksum};

use crate::common::World;

/// A segment to inject, every byte as it is said here but for lengths and checksums.
#[derive(Clone, Debug)]
pub struct Craft {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// The address that the TCP checksum is computed for, where it is not the IP header's.
    pub meant: Option<IpAddr>,
    /// A multiple of four bytes; IPv4 only.
    pub ip_options: Vec<u8>,
    pub header: TcpHeader,
    /// As they stand in the header; padded here.
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Craft {
    pub fn new(source: &str, destination: &str) -> Craft {
        let header = TcpHeader { source_port: 4_000, destination_port: 80, window: 60_000, ..TcpHeader::default() };
        let (source, destination) = (crate::common::ip(source), crate::common::ip(destination));
        Craft {
            source,
            destination,
            meant: None,
            ip_options: Vec::new(),
            header,
            options: Vec::new(),
            payload: Vec::new(),
        }
    }

    pub fn flags(mut self, flags: TcpFlags) -> Craft {
        self.header.flags = flags;
        self
    }

    pub fn numbers(mut self, sequence: u32, acknowledgment: u32) -> Craft {
        (self.header.sequence, self.header.acknowledgment) = (sequence, acknowledgment);
        self
    }

    pub fn options(mut self, options: &[u8]) -> Craft {
        self.options = options.to_vec();
        self
    }

    pub fn payload(mut self, payload: &[u8]) -> Craft {
        self.payload = payload.to_vec();
        self
    }

    /// TCP header, options and payload, checksum and all.
    fn segment(&self) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        let length = segue_wire::tcp::emit(&self.header, &TcpOptions::default().emit(), &mut bytes);
        bytes.truncate(length);
        bytes.extend(&self.options);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes[12] = (bytes.len() as u8 / 4) << 4 | (bytes[12] & 0x0f);
        bytes[16..18].fill(0);
        bytes.extend(&self.payload);
        let meant = self.meant.unwrap_or(self.destination);
        let mut sum = checksum::pseudo_header(self.source, meant, Protocol::TCP, bytes.len()).expect("one family");
        sum.add_slice(&bytes);
        bytes[16..18].copy_from_slice(&sum.checksum().to_be_bytes());
        bytes
    }

    pub fn bytes(&self) -> Vec<u8> {
        let segment = self.segment();
        let mut bytes = vec![0; 60];
        let len = match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Ipv4Header {
                total_length: (20 + self.ip_options.len() + segment.len()) as u16,
                protocol: Protocol::TCP,
                source,
                destination,
                ..Ipv4Header::default()
            }
            .emit_with_options(&self.ip_options, &mut bytes),
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                Ipv6Header {
                    traffic_class: 0,
                    flow_label: 0,
                    payload_length: segment.len() as u16,
                    next_header: Protocol::TCP,
                    hop_limit: 64,
                    source,
                    destination,
                }
                .emit(&mut bytes);
                40
            }
            _ => panic!("two families"),
        };
        bytes.truncate(len);
        bytes.extend(segment);
        bytes
    }

    pub fn packet(&self) -> Packet {
        packet(self.bytes())
    }
}

pub fn packet(bytes: Vec<u8>) -> Packet {
    Packet::from_bytes(Bytes::from(bytes))
}

/// A segment that left a host, as it stands on the wire.
#[derive(Clone, Debug)]
pub struct Seen {
    pub bytes: Vec<u8>,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ip_options: Vec<u8>,
    pub header: TcpHeader,
    pub options: Vec<u8>,
    pub payload: usize,
}

impl Seen {
    pub fn has(&self, flags: TcpFlags) -> bool {
        self.header.flags.contains(flags)
    }
}

fn take_apart(bytes: Vec<u8>) -> Option<Seen> {
    let (source, destination, ip_len, protocol) = if bytes[0] >> 4 == 4 {
        let (header, len) = Ipv4Header::parse(&bytes).expect("an IPv4 header");
        (header.source.into(), header.destination.into(), len, header.protocol)
    } else {
        let (header, len) = Ipv6Header::parse(&bytes).expect("an IPv6 header");
        (header.source.into(), header.destination.into(), len, header.next_header)
    };
    if protocol != Protocol::TCP {
        return None;
    }
    let (header, options, len) = TcpHeader::parse(&bytes[ip_len..]).expect("a TCP header");
    let fixed = if bytes[0] >> 4 == 4 { 20 } else { ip_len };
    Some(Seen {
        source,
        destination,
        ip_options: bytes[fixed..ip_len].to_vec(),
        header,
        options: options.to_vec(),
        payload: bytes.len() - ip_len - len,
        bytes,
    })
}

/// TCP segments that a host has sent since the log was last looked at.
pub fn sent_by(w: &mut World, host: usize) -> Vec<Seen> {
    let log = std::mem::take(&mut w.log);
    log.into_iter()
        .filter(|(_, from, _)| *from == host)
        .filter_map(|(_, _, packet)| take_apart(packet.to_vec()))
        .collect()
}

/// An ICMP packet from `source` to `destination`.
pub fn icmp_v4(source: &str, destination: &str, message: segue_wire::Icmpv4Message<'_>) -> Packet {
    let mut body = vec![0; message.message_len()];
    message.emit(&mut body);
    let mut bytes = vec![0; 20];
    let address = |text: &str| text.parse::<Ipv4Addr>().expect("an address");
    Ipv4Header {
        total_length: (20 + body.len()) as u16,
        protocol: Protocol::ICMPV4,
        source: address(source),
        destination: address(destination),
        ..Ipv4Header::default()
    }
    .emit(&mut bytes);
    bytes.extend(body);
    packet(bytes)
}
