//! What a gateway's datagram socket cannot say by itself: that a datagram it took went nowhere.
//!
//! Decides what such an error quotes: the headers of the datagram as they were, without its bytes, which the gateway has
//! passed on and forgotten. RFC 792 asks for no more than the headers' 28 bytes, RFC 4443 for as much as fits.
use core::net::{IpAddr, SocketAddr};

use segue_wire::udp::{self, UdpHeader};
use segue_wire::{ChecksumState, Chunks, Instant, Ipv4Header, Ipv6Header, Packet, Protocol, ipv4, ipv6};

use crate::stack::Stack;
use crate::{IfaceId, Unreachable};

impl Stack {
    /// Tells `from` by an ICMP error through `iface` that a UDP datagram of `length` payload bytes, which it sent to `to`
    /// and which a [`bind_any`](Stack::bind_any) socket took, went nowhere. The error comes from `to`'s address.
    ///
    /// Limited as all ICMP errors are; nothing when the two addresses are of different versions.
    pub fn refuse_datagram(
        &mut self,
        now: Instant,
        iface: IfaceId,
        from: SocketAddr,
        to: SocketAddr,
        length: usize,
        why: Unreachable,
    ) {
        if let Some(about) = headers(from, to, length) {
            self.send_unreachable(now, why, to.ip(), Some(iface), &about);
        }
    }
}

/// The front of a datagram, without its payload.
fn headers(from: SocketAddr, to: SocketAddr, length: usize) -> Option<Packet> {
    let length = u16::try_from(udp::HEADER_LEN + length).ok()?;
    let mut bytes = [0; ipv6::HEADER_LEN + udp::HEADER_LEN];
    let transport = match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let header = Ipv4Header {
                traffic_class: 0,
                total_length: length.checked_add(ipv4::MIN_HEADER_LEN as u16)?,
                identification: 0,
                reserved: false,
                dont_fragment: false,
                more_fragments: false,
                fragment_offset: 0,
                ttl: 64,
                protocol: Protocol::UDP,
                checksum: 0,
                source,
                destination,
            };
            header.emit(&mut bytes);
            ipv4::MIN_HEADER_LEN
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let header = Ipv6Header {
                payload_length: length,
                next_header: Protocol::UDP,
                source,
                destination,
                ..Ipv6Header::default()
            };
            header.emit(&mut bytes);
            ipv6::HEADER_LEN
        }
        _ => return None,
    };
    let header = UdpHeader { source_port: from.port(), destination_port: to.port(), length, checksum: 0 };
    header.emit(&mut bytes[transport..]);
    let bytes = &bytes[..transport + udp::HEADER_LEN];
    Some(Packet::from_headers(bytes, Chunks::new(), ChecksumState::Complete, None))
}
