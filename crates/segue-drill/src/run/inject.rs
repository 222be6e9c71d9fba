//! From a script's inbound packet to the bytes that the stack is given.
use std::net::IpAddr;

use segue_wire::tcp::OptionBytes;
use segue_wire::{
    Bytes, ChecksumState, Chunks, IpVersion, Ipv4Header, Ipv6Header, Packet, Protocol, Segmentation, SegmentationKind,
    TcpFlags, TcpHeader, UdpHeader, checksum, tcp, udp,
};

use super::endpoint::Endpoint;
use super::keys::Keys;
use super::signature::{self, Signing};
use crate::ast::{
    Digest, EcnSpec, IcmpSpec, IpInfo, Mac, OptionSpec, OptionsSpec, PacketSpec, Quotation, TcpSpec, UdpSpec,
};
use crate::source::Diagnostic;

/// Addresses of an injected packet.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
}

fn zeros(length: usize) -> Chunks {
    Chunks::from(Bytes::from(vec![0; length]))
}

/// IP header, transport header and body, with a finished checksum.
fn assemble(
    way: Way,
    info: &IpInfo,
    protocol: Protocol,
    header: &[u8],
    body: Chunks,
    field: u16,
    segmentation: Option<Segmentation>,
) -> Packet {
    let length = header.len() + body.len();
    let mut head = ip_header(way, info, protocol, length);
    let start = head.len() as u16;
    head.extend_from_slice(header);
    let mut packet = Packet::from_headers(&head, body, ChecksumState::Partial { start, field }, segmentation);
    if segmentation.is_none() {
        packet.finish_checksum();
    }
    packet
}

pub(super) fn ip_header(way: Way, info: &IpInfo, protocol: Protocol, length: usize) -> Vec<u8> {
    let ecn = match info.ecn {
        Some(EcnSpec::Is(bits)) => bits,
        _ => 0,
    };
    let traffic_class = info.tos.unwrap_or(0) & !if info.ecn.is_some() { 3 } else { 0 } | ecn;
    let ttl = info.ttl.unwrap_or(255);
    match (way.source, way.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut out = vec![0; 20];
            Ipv4Header {
                traffic_class,
                total_length: (20 + length).min(65_535) as u16,
                identification: 0,
                reserved: false,
                dont_fragment: false,
                more_fragments: false,
                fragment_offset: 0,
                ttl,
                protocol,
                checksum: 0,
                source,
                destination,
            }
            .emit(&mut out);
            out
        }
        (source, destination) => {
            let v6 = |address| match address {
                IpAddr::V6(address) => address,
                IpAddr::V4(address) => address.to_ipv6_mapped(),
            };
            let mut out = vec![0; 40];
            Ipv6Header {
                traffic_class,
                flow_label: info.flow_label.unwrap_or(0),
                payload_length: length.min(65_535) as u16,
                next_header: protocol,
                hop_limit: ttl,
                source: v6(source),
                destination: v6(destination),
            }
            .emit(&mut out);
            out
        }
    }
}

/// A TCP segment with live numbers; `mss` cuts it into a super-segment when it is longer.
pub(super) fn segment(
    way: Way,
    ports: (u16, u16),
    packet: &PacketSpec,
    spec: &TcpSpec,
    (endpoint, keys): (&Endpoint, &Keys),
    raw: &[u8],
    mss: u16,
) -> Result<Packet, Diagnostic> {
    let is_syn = spec.flags.contains(TcpFlags::SYN);
    let has_ack = spec.flags.contains(TcpFlags::ACK) || spec.acknowledgment.is_some();
    let (source_port, destination_port) = spec.ports.unwrap_or(ports);
    let length = usize::from(spec.sequence.length);
    let options = OptionBytes::from_slice(raw)
        .ok_or_else(|| Diagnostic::at(packet.span, "the TCP options are longer than 40 bytes"))?;
    let total = 20 + raw.len() + length;
    let pseudo = tcp::pseudo_sum(way.source, way.destination, total);
    let header = TcpHeader {
        source_port,
        destination_port,
        sequence: endpoint.live_peer(spec.sequence.first, is_syn),
        acknowledgment: if has_ack { endpoint.live_own(spec.acknowledgment.unwrap_or(0), false) } else { 0 },
        reserved: 0,
        flags: spec.flags,
        window: spec.window.unwrap_or(0),
        checksum: pseudo.map_or(0, |sum| sum.fold()),
        urgent: spec.urgent,
    };
    if total + 40 > 65_535 {
        return Err(Diagnostic::at(
            packet.span,
            format!("a packet of {total} bytes of TCP does not fit IP's 65535 bytes"),
        ));
    }
    let mut out = [0; 60];
    let used = tcp::emit(&header, &options, &mut out);
    let text = zeros(length);
    signature::sign(Signing { endpoint, keys }, way, spec, &mut out[..used], &header, &text)
        .map_err(|message| Diagnostic::at(packet.span, message))?;
    let segmentation =
        (mss > 0 && length > mss.into()).then_some(Segmentation { size: mss, kind: SegmentationKind::Tcp });
    Ok(assemble(way, &packet.ip, Protocol::TCP, &out[..used], text, 16, segmentation))
}

/// The options of an injected segment as bytes; `echo` gives the live value for a script's `ecr`.
pub(super) fn option_bytes(
    spec: &TcpSpec,
    endpoint: &Endpoint,
    echo: impl Fn(u32) -> Result<u32, Diagnostic>,
) -> Result<Vec<u8>, Diagnostic> {
    let OptionsSpec::List(options) = &spec.options else { return Ok(Vec::new()) };
    let is_syn = spec.flags.contains(TcpFlags::SYN);
    let mut out = Vec::new();
    for option in options {
        match option {
            OptionSpec::Timestamps { value, echo: script } if spec.flags.contains(TcpFlags::ACK) => {
                encode(&OptionSpec::Timestamps { value: *value, echo: echo(*script)? }, &mut out);
            }
            OptionSpec::Sack(blocks) => {
                let live = |edge| endpoint.live_own(edge, is_syn);
                let blocks = blocks.iter().map(|(left, right)| (live(*left), live(*right))).collect();
                encode(&OptionSpec::Sack(blocks), &mut out);
            }
            option => encode(option, &mut out),
        }
    }
    Ok(out)
}

/// One option as it is on the wire.
pub(super) fn encode(option: &OptionSpec, out: &mut Vec<u8>) {
    let mut put = |kind: u8, body: &[u8]| {
        out.extend_from_slice(&[kind, body.len() as u8 + 2]);
        out.extend_from_slice(body);
    };
    match option {
        OptionSpec::End => out.push(0),
        OptionSpec::Nop => out.push(1),
        OptionSpec::Mss(mss) => put(2, &mss.to_be_bytes()),
        OptionSpec::WindowScale(shift) => put(3, &[*shift]),
        OptionSpec::SackPermitted => put(4, &[]),
        OptionSpec::Sack(blocks) => {
            let edges: Vec<u8> =
                blocks.iter().flat_map(|(l, r)| [l.to_be_bytes(), r.to_be_bytes()]).flatten().collect();
            put(5, &edges);
        }
        OptionSpec::Timestamps { value, echo } => put(8, &[value.to_be_bytes(), echo.to_be_bytes()].concat()),
        OptionSpec::FastOpen(cookie) => put(34, cookie),
        OptionSpec::FastOpenExperimental(cookie) => put(254, &[&[0xf9, 0x89], cookie.as_slice()].concat()),
        OptionSpec::Md5(Digest::Bytes(digest)) => put(19, digest),
        OptionSpec::Ao { key_id, rnext_key_id, mac: Mac::Bytes(mac) } => {
            put(29, &[&[*key_id, *rnext_key_id], mac.as_slice()].concat());
        }
        // Signatures are put in when all else stands.
        OptionSpec::Md5(Digest::Valid | Digest::Of(_)) => put(19, &[0; 16]),
        OptionSpec::Ao { key_id, rnext_key_id, mac: Mac::Valid(length) } => {
            put(29, &[vec![*key_id, *rnext_key_id], vec![0; (*length).into()]].concat());
        }
        OptionSpec::AccEcn { kind, counters } => {
            let bytes: Vec<u8> = counters.iter().flat_map(|count| count.to_be_bytes()[1..].to_vec()).collect();
            put(*kind, &bytes);
        }
    }
}

/// A UDP datagram.
pub(super) fn datagram(way: Way, ports: (u16, u16), info: &IpInfo, spec: &UdpSpec) -> Packet {
    let (source_port, destination_port) = spec.ports.unwrap_or(ports);
    let length = spec.length + 8;
    let pseudo = udp::pseudo_sum(way.source, way.destination, length.into());
    let mut out = [0; 8];
    UdpHeader { source_port, destination_port, length, checksum: pseudo.map_or(0, |sum| sum.fold()) }.emit(&mut out);
    assemble(way, info, Protocol::UDP, &out, zeros(spec.length.into()), 6, None)
}

/// An ICMP message. `inner` is the way of the packet that it quotes, with its ports.
pub(super) fn icmp(
    way: Way,
    packet: &PacketSpec,
    spec: &IcmpSpec,
    (kind, code): (u8, u8),
    inner: Way,
    ports: (u16, u16),
    endpoint: &Endpoint,
) -> Packet {
    let version = if way.source.is_ipv4() { IpVersion::V4 } else { IpVersion::V6 };
    let mut rest = [0u8; 4];
    match (version, spec.mtu) {
        (IpVersion::V4, Some(mtu)) => rest[2..].copy_from_slice(&(mtu as u16).to_be_bytes()),
        (IpVersion::V6, Some(mtu)) => rest = mtu.to_be_bytes(),
        _ => {}
    }
    if let Some(identifier) = spec.identifier {
        rest[..2].copy_from_slice(&identifier.to_be_bytes());
    }
    let is_error = match version {
        IpVersion::V4 => matches!(kind, 3 | 4 | 5 | 11 | 12),
        IpVersion::V6 => kind < 128,
    };
    let quoted = quote(spec, inner, ports, endpoint, is_error);
    let mut message = vec![kind, code, 0, 0];
    message.extend_from_slice(&rest);
    message.extend_from_slice(&quoted);
    let protocol = match (version, way.source, way.destination) {
        (IpVersion::V6, IpAddr::V6(source), IpAddr::V6(destination)) => {
            let pseudo = checksum::pseudo_header_v6(source, destination, Protocol::ICMPV6, message.len());
            message[2..4].copy_from_slice(&pseudo.fold().to_be_bytes());
            Protocol::ICMPV6
        }
        _ => Protocol::ICMPV4,
    };
    assemble(way, &packet.ip, protocol, &message, Chunks::new(), 2, None)
}

/// The IP header and eight bytes of the packet that an error is about.
fn quote(spec: &IcmpSpec, inner: Way, ports: (u16, u16), endpoint: &Endpoint, is_error: bool) -> Vec<u8> {
    let transport = |protocol, length: usize, field: [u8; 4]| {
        let mut out = ip_header(inner, &IpInfo::default(), protocol, length);
        out.extend_from_slice(&ports.0.to_be_bytes());
        out.extend_from_slice(&ports.1.to_be_bytes());
        out.extend_from_slice(&field);
        out
    };
    let segment = |first, length: u16| {
        let sequence = endpoint.live_own(first, false).to_be_bytes();
        transport(Protocol::TCP, 20 + usize::from(length), sequence)
    };
    let datagram = |length: u16| {
        let [a, b] = (length + 8).to_be_bytes();
        transport(Protocol::UDP, 8 + usize::from(length), [a, b, 0, 0])
    };
    match &spec.quotation {
        Quotation::Raw(length) => vec![0; (*length).into()],
        Quotation::Udp(length) => datagram(*length),
        Quotation::Tcp(range) => segment(range.first, range.length),
        Quotation::Default if !is_error => Vec::new(),
        Quotation::Default if endpoint.is_datagram => datagram(0),
        Quotation::Default => segment(0, 0),
    }
}
