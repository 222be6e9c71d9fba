//! The packet that an ICMP error quotes: whom it was from and to.
//!
//! Decides how little of a packet is enough to find the socket an error belongs
//! to (RFC 792: the IP header and eight bytes; RFC 4443: as much as fits). What
//! is quoted comes from a stranger and may be changed on the way: lengths and
//! checksums are not believed, and the caller compares addresses, ports and
//! sequence number with what it really sent (RFC 5927).

use crate::bytes_at::be16;
use crate::ip::{IpVersion, Protocol};
use crate::ipv4::Ipv4Header;
use crate::ipv6::{self, Ipv6Header};
use crate::tcp::TcpHeader;
use core::net::{IpAddr, SocketAddr};

/// What is known about a packet from its first bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Quoted {
    /// Who sent it: for an error that came in, one of the own addresses.
    pub source: IpAddr,
    /// Whom it was for.
    pub destination: IpAddr,
    /// What it carried.
    pub protocol: Protocol,
    /// Length it says it had, bytes, IP header included.
    pub total_length: usize,
    /// Whether it is a fragment other than the first, without transport header.
    pub is_later_fragment: bool,
    /// The front of its transport header.
    pub transport: QuotedTransport,
    /// Where the transport header begins in the quote.
    pub transport_at: usize,
}

/// The front of a quoted transport header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum QuotedTransport {
    /// TCP: ports and sequence number.
    Tcp {
        /// Port of the sender.
        source_port: u16,
        /// Port of the receiver.
        destination_port: u16,
        /// Its sequence number.
        sequence: u32,
    },
    /// UDP: ports.
    Udp {
        /// Port of the sender.
        source_port: u16,
        /// Port of the receiver.
        destination_port: u16,
    },
    /// An echo request or reply of either version.
    Echo {
        /// Whether it was a request.
        request: bool,
        /// Identifier.
        identifier: u16,
        /// Sequence number.
        sequence: u16,
    },
    /// Something else, or too little of it.
    Other,
}

impl Quoted {
    /// Reads the front of a packet; `None` when it has no readable IP header.
    pub fn parse(packet: &[u8]) -> Option<Quoted> {
        match packet.first()? >> 4 {
            4 => Quoted::parse_v4(packet),
            6 => Quoted::parse_v6(packet),
            _ => None,
        }
    }

    fn parse_v4(packet: &[u8]) -> Option<Quoted> {
        let (header, header_len) = Ipv4Header::parse_quoted(packet).ok()?;
        let later = header.fragment_offset != 0;
        Some(Quoted {
            source: IpAddr::V4(header.source),
            destination: IpAddr::V4(header.destination),
            protocol: header.protocol,
            total_length: usize::from(header.total_length),
            is_later_fragment: later,
            transport: transport(header.protocol, packet.get(header_len..).filter(|_| !later)),
            transport_at: header_len,
        })
    }

    fn parse_v6(packet: &[u8]) -> Option<Quoted> {
        let (header, _) = Ipv6Header::parse(packet).ok()?;
        // The quote may end anywhere; the walk believes the length the packet had.
        let total = ipv6::HEADER_LEN + usize::from(header.payload_length);
        let chain = ipv6::walk(header.next_header, packet, total).ok();
        let (protocol, offset) = chain.map_or((header.next_header, packet.len()), |end| (end.protocol, end.offset));
        let later = chain.and_then(|end| end.fragment).is_some_and(|(fragment, _)| fragment.offset != 0);
        Some(Quoted {
            source: IpAddr::V6(header.source),
            destination: IpAddr::V6(header.destination),
            protocol,
            total_length: total,
            is_later_fragment: later,
            transport: transport(protocol, packet.get(offset..).filter(|_| !later)),
            transport_at: offset,
        })
    }

    /// Version of the quoted packet.
    pub fn version(&self) -> IpVersion {
        match self.source {
            IpAddr::V4(_) => IpVersion::V4,
            IpAddr::V6(_) => IpVersion::V6,
        }
    }

    /// Source and destination with their ports, for TCP and UDP.
    pub fn sockets(&self) -> Option<(SocketAddr, SocketAddr)> {
        match self.transport {
            QuotedTransport::Tcp { source_port, destination_port, .. }
            | QuotedTransport::Udp { source_port, destination_port } => {
                Some((SocketAddr::new(self.source, source_port), SocketAddr::new(self.destination, destination_port)))
            }
            _ => None,
        }
    }
}

fn transport(protocol: Protocol, bytes: Option<&[u8]>) -> QuotedTransport {
    let Some(bytes) = bytes.filter(|bytes| bytes.len() >= 8) else {
        return QuotedTransport::Other;
    };
    let (identifier, echo_sequence) = (be16(bytes, 4), be16(bytes, 6));
    match (protocol, bytes[0]) {
        (Protocol::TCP, _) => match TcpHeader::parse_quoted(bytes) {
            Some(header) => QuotedTransport::Tcp {
                source_port: header.source_port,
                destination_port: header.destination_port,
                sequence: header.sequence,
            },
            None => QuotedTransport::Other,
        },
        (Protocol::UDP, _) => QuotedTransport::Udp { source_port: be16(bytes, 0), destination_port: be16(bytes, 2) },
        (Protocol::ICMPV4, 8) | (Protocol::ICMPV6, 128) => {
            QuotedTransport::Echo { request: true, identifier, sequence: echo_sequence }
        }
        (Protocol::ICMPV4, 0) | (Protocol::ICMPV6, 129) => {
            QuotedTransport::Echo { request: false, identifier, sequence: echo_sequence }
        }
        _ => QuotedTransport::Other,
    }
}
