//! From a packet to a fragment, and from all fragments to the packet they were cut from.
//!
//! Decides which header bytes survive: those of the first fragment, without what made it a fragment.
use bytes::Bytes;
use segue_wire::ipv6::{Chain, FragmentHeader, HEADER_LEN};
use segue_wire::{ChecksumState, Chunks, Ipv4Header, Ipv6Header, Packet, Protocol, ipv6};

use super::{Fragment, FragmentDrop, Key};
use crate::route::IfaceId;

/// Transport headers are at most this long (TCP with all options), and a packet's headers lie together at its front.
const LONGEST_TRANSPORT_HEADER: usize = 60;
const FRAGMENT_HEADER_LEN: usize = ipv6::extension::FRAGMENT_HEADER_LEN;

pub(super) fn fragment_v4(
    iface: IfaceId,
    header: &Ipv4Header,
    header_len: usize,
    packet: Packet,
) -> Result<Fragment, FragmentDrop> {
    let mut length = header.payload_len(header_len, packet.len()).map_err(|_| FragmentDrop::Malformed)?;
    if !header.is_fragment() {
        return Err(FragmentDrop::Malformed);
    }
    if header.more_fragments {
        // RFC 791: all but the last are cut at multiples of 8. As in Linux, what is beyond such a border is left out.
        length &= !7;
    }
    if length == 0 {
        return Err(FragmentDrop::Tiny);
    }
    let headers = packet.head().get(..header_len).ok_or(FragmentDrop::Malformed)?;
    let headers = (header.fragment_offset == 0).then(|| Bytes::copy_from_slice(headers));
    let mut data = packet.into_payload(header_len);
    data.truncate(length);
    Ok(Fragment {
        key: Key {
            source: header.source.into(),
            destination: header.destination.into(),
            identification: header.identification.into(),
            protocol: header.protocol.0,
            iface,
        },
        start: header.fragment_offset.into(),
        last: !header.more_fragments,
        ecn_bits: 1 << (header.traffic_class & 3),
        headers_after: header_len,
        headers,
        data,
        size: (header_len + length) as u32,
    })
}

pub(super) fn fragment_v6(
    iface: IfaceId,
    header: &Ipv6Header,
    chain: &Chain,
    packet: Packet,
) -> Result<Fragment, FragmentDrop> {
    let Some((fragment, at)) = chain.fragment else {
        return Err(FragmentDrop::Malformed);
    };
    let payload = header.payload_len(packet.len()).map_err(|_| FragmentDrop::Malformed)?;
    let data_at = at + FRAGMENT_HEADER_LEN;
    let length = (HEADER_LEN + payload).checked_sub(data_at).ok_or(FragmentDrop::Malformed)?;
    // RFC 8200 section 4.5: all but the last are multiples of 8 long; here nothing is left out.
    if length == 0 && !fragment.is_atomic() || fragment.more_fragments && !length.is_multiple_of(8) {
        return Err(FragmentDrop::Tiny);
    }
    let headers = packet.head().get(..data_at).ok_or(FragmentDrop::Malformed)?;
    let headers = (fragment.offset == 0).then(|| Bytes::copy_from_slice(headers));
    let mut data = packet.into_payload(data_at);
    data.truncate(length);
    Ok(Fragment {
        key: Key {
            source: header.source.into(),
            destination: header.destination.into(),
            identification: fragment.identification,
            // RFC 8200: the next header of fragments may differ; the first one's counts.
            protocol: 0,
            iface,
        },
        start: fragment.offset.into(),
        last: !fragment.more_fragments,
        ecn_bits: 1 << (header.traffic_class & 3),
        // The 16-bit length of IPv6 does not count the fixed header.
        headers_after: at.checked_sub(HEADER_LEN).ok_or(FragmentDrop::Malformed)?,
        headers,
        data,
        size: (data_at + length) as u32,
    })
}

/// Bytes that the headers of a first fragment will count in the length of the whole.
pub(super) fn headers_after(headers: &[u8]) -> usize {
    match headers.first().map(|byte| byte >> 4) {
        Some(6) => headers.len().saturating_sub(HEADER_LEN + FRAGMENT_HEADER_LEN),
        _ => headers.len(),
    }
}

/// The first fragment, as it came.
pub(super) fn as_it_came(headers: &[u8], data: Chunks) -> Packet {
    Packet::from_headers(headers, data, ChecksumState::Complete, None)
}

/// The whole IPv4 packet.
pub(super) fn packet_v4(headers: &[u8], ecn: Option<u8>, payload: Chunks) -> Option<Packet> {
    let (mut header, header_len) = Ipv4Header::parse(headers).ok()?;
    header.total_length = u16::try_from(header_len + payload.len()).ok()?;
    header.more_fragments = false;
    header.fragment_offset = 0;
    header.traffic_class |= ecn.unwrap_or(0);
    let mut whole = [0; segue_wire::ipv4::MAX_HEADER_LEN];
    let written = header.emit_with_options(headers.get(segue_wire::ipv4::MIN_HEADER_LEN..header_len)?, &mut whole);
    Some(with_transport_header_in_front(whole.get(..written)?, LONGEST_TRANSPORT_HEADER, payload))
}

/// The whole IPv6 packet: the headers of the first fragment, its fragment header taken out.
pub(super) fn packet_v6(headers: &[u8], ecn: Option<u8>, payload: Chunks) -> Option<Packet> {
    let at = headers.len().checked_sub(FRAGMENT_HEADER_LEN)?;
    let fragment = FragmentHeader::parse(headers.get(at..)?)?;
    let mut whole = headers.get(..at)?.to_vec();
    let named_at = fragment_named_at(&whole)?;
    *whole.get_mut(named_at)? = fragment.next_header.0;
    let (mut header, _) = Ipv6Header::parse(&whole).ok()?;
    header.payload_length = u16::try_from(at - HEADER_LEN + payload.len()).ok()?;
    header.traffic_class |= ecn.unwrap_or(0);
    header.emit(&mut whole);
    let transport = length_of_extensions(fragment.next_header, &payload) + LONGEST_TRANSPORT_HEADER;
    Some(with_transport_header_in_front(&whole, transport, payload))
}

/// Where the fragment header was named: the next-header byte of the last header before it.
fn fragment_named_at(before: &[u8]) -> Option<usize> {
    let mut named_at = 6;
    let mut at = HEADER_LEN;
    while at < before.len() {
        named_at = at;
        at += 8 + usize::from(*before.get(at + 1)?) * 8;
    }
    (at == before.len()).then_some(named_at)
}

/// Bytes of extension headers at the front of the fragmentable part.
fn length_of_extensions(first: Protocol, payload: &Chunks) -> usize {
    let mut next = first;
    let mut at = 0;
    let mut front = [0; 2];
    while matches!(next, Protocol::DESTINATION_OPTIONS | Protocol::ROUTING | Protocol::HOP_BY_HOP)
        && payload.copy_to_slice(at, &mut front) == 2
    {
        next = Protocol(front[0]);
        at += 8 + usize::from(front[1]) * 8;
    }
    at
}

/// A packet whose first `transport` payload bytes lie in one piece with the headers; the rest is not copied.
fn with_transport_header_in_front(headers: &[u8], transport: usize, mut payload: Chunks) -> Packet {
    let front = payload.split_to(transport.min(payload.len())).to_vec();
    let mut head = headers.to_vec();
    head.extend_from_slice(&front);
    Packet::from_headers(&head, payload, ChecksumState::Complete, None)
}
