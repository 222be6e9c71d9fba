//! Packets made by hand: IPv4 with TCP, as a stranger would send them.
//!
//! Decides nothing but the layout. Checksums of TCP are left out and marked as verified, as a device with receive offload
//! does; the IPv4 header's is real, because the stack checks it.
use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::Bytes;
use segue_wire::tcp::{self, MAX_HEADER_LEN};
use segue_wire::{ChecksumState, Chunks, Ipv4Header, Packet, Protocol, TcpHeader, TcpOptions, ipv4};

const IP: usize = ipv4::MIN_HEADER_LEN;

/// The IPv4 header of a packet with so many bytes behind it.
pub(crate) fn ip_header(protocol: Protocol, source: Ipv4Addr, destination: Ipv4Addr, behind: usize) -> Ipv4Header {
    Ipv4Header {
        traffic_class: 0,
        total_length: (IP + behind) as u16,
        identification: 0,
        reserved: false,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        ttl: 64,
        protocol,
        checksum: 0,
        source,
        destination,
    }
}

/// A segment from `from` to `to`; the header's ports are filled in here.
pub(crate) fn segment(
    from: SocketAddrV4,
    to: SocketAddrV4,
    mut header: TcpHeader,
    options: &TcpOptions,
    payload: Bytes,
) -> Packet {
    (header.source_port, header.destination_port) = (from.port(), to.port());
    let mut bytes = [0; IP + MAX_HEADER_LEN];
    let len = IP + tcp::emit(&header, &options.emit(), &mut bytes[IP..]);
    ip_header(Protocol::TCP, *from.ip(), *to.ip(), len - IP + payload.len()).emit(&mut bytes[..IP]);
    let body = if payload.is_empty() { Chunks::new() } else { Chunks::from(payload) };
    Packet::from_headers(&bytes[..len], body, ChecksumState::Verified, None)
}

/// What a peer needs to know of a segment that it got.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read {
    pub(crate) to: SocketAddrV4,
    pub(crate) header: TcpHeader,
    /// The sender's timestamp, 0 without.
    pub(crate) timestamp: u32,
    pub(crate) payload: usize,
}

/// Reads a segment of IPv4 without options; `None`: it is something else.
pub(crate) fn read(packet: &Packet) -> Option<Read> {
    let head = packet.head();
    let (ip, ip_len) = Ipv4Header::parse(head).ok()?;
    if ip.protocol != Protocol::TCP {
        return None;
    }
    let (header, options, len) = TcpHeader::parse(head.get(ip_len..)?).ok()?;
    let timestamp = TcpOptions::parse(options).timestamps.map_or(0, |timestamps| timestamps.value);
    Some(Read {
        to: SocketAddrV4::new(ip.destination, header.destination_port),
        header,
        timestamp,
        payload: packet.len() - ip_len - len,
    })
}
