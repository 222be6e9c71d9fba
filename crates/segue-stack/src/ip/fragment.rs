//! Cutting datagrams that are too large for their way (UDP and ICMP; TCP never is).
//!
//! Decides where a datagram is cut and what the pieces' headers say. RFC 791 section 3.2, RFC 8200 section 4.5.
//! Invariant: every piece but the last carries a multiple of 8 bytes and fits the MTU.
use segue_wire::ipv6::FragmentHeader;
use segue_wire::ipv6::extension::FRAGMENT_HEADER_LEN;
use segue_wire::{ChecksumState, Chunks, IpVersion, Ipv4Header, Ipv6Header, Packet, Protocol};

use super::output::{HEADER_V4, HEADER_V6};

/// Cut a packet that the stack built (no IP options, no extension headers) into pieces of at most `mtu` bytes.
///
/// Gives nothing when the MTU leaves no room for 8 bytes of payload, or when the packet is not one of ours.
pub(crate) fn fragment(mut packet: Packet, mtu: usize, identification: u32) -> Vec<Packet> {
    packet.finish_checksum();
    match packet.version() {
        Some(IpVersion::V4) => fragment_v4(packet, mtu, identification as u16),
        Some(IpVersion::V6) => fragment_v6(packet, mtu, identification),
        None => Vec::new(),
    }
}

/// How the payload is cut: `(offset, piece, more follow)`.
fn pieces(mut payload: Chunks, room: usize) -> impl Iterator<Item = (u16, Chunks, bool)> {
    let size = room / 8 * 8;
    let mut offset = 0usize;
    core::iter::from_fn(move || {
        if payload.is_empty() || size == 0 {
            return None;
        }
        // The last piece needs no multiple of 8, so it may use all the room.
        let last = payload.len() <= room;
        let piece = payload.split_to(if last { payload.len() } else { size });
        let at = u16::try_from(offset).ok()?;
        offset += piece.len();
        Some((at, piece, !last))
    })
}

fn fragment_v4(packet: Packet, mtu: usize, identification: u16) -> Vec<Packet> {
    let Ok((header, header_len)) = Ipv4Header::parse_quoted(packet.head()) else { return Vec::new() };
    let room = mtu.saturating_sub(HEADER_V4);
    pieces(packet.into_payload(header_len), room)
        .map(|(fragment_offset, piece, more_fragments)| {
            let mut out = [0; HEADER_V4];
            Ipv4Header {
                total_length: (HEADER_V4 + piece.len()) as u16,
                identification,
                dont_fragment: false,
                more_fragments,
                fragment_offset,
                ..header
            }
            .emit(&mut out);
            Packet::from_headers(&out, piece, ChecksumState::Complete, None)
        })
        .collect()
}

fn fragment_v6(packet: Packet, mtu: usize, identification: u32) -> Vec<Packet> {
    let Ok((header, header_len)) = Ipv6Header::parse(packet.head()) else { return Vec::new() };
    let room = mtu.saturating_sub(HEADER_V6 + FRAGMENT_HEADER_LEN);
    let next_header = header.next_header;
    pieces(packet.into_payload(header_len), room)
        .map(|(offset, piece, more_fragments)| {
            let mut out = [0; HEADER_V6 + FRAGMENT_HEADER_LEN];
            Ipv6Header {
                payload_length: (FRAGMENT_HEADER_LEN + piece.len()) as u16,
                next_header: Protocol::FRAGMENT,
                ..header
            }
            .emit(&mut out);
            FragmentHeader { next_header, offset, more_fragments, identification }.emit(&mut out[HEADER_V6..]);
            Packet::from_headers(&out, piece, ChecksumState::Complete, None)
        })
        .collect()
}
