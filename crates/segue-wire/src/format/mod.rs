//! One line per packet, in the words of tcpdump.
//!
//! Decides how a packet reads to a person: in ladders, in `segue dump`, in the
//! message of a failed test. What the stack owes or marks is said behind
//! it: the size of a super-segment's pieces, a checksum that is wrong. A packet
//! that cannot be read gives a line that says why; nothing here fails.

mod tcp;

use crate::checksum;
use crate::chunks::Chunks;
use crate::ecn::Ecn;
use crate::icmpv4::{Icmpv4Message, UnreachableCode};
use crate::icmpv6::Icmpv6Message;
use crate::ip::Protocol;
use crate::packet::{ChecksumState, Packet};
use crate::quoted::{Quoted, QuotedTransport};
use crate::tcp::{TcpFlags, TcpHeader};
use crate::udp::{self, UdpHeader};
use crate::view::IpView;
use alloc::collections::BTreeMap;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

/// A packet that displays as one line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    packet: &'a Packet,
    /// What sequence and acknowledgement numbers are shown relative to.
    base: (u32, u32),
}

/// The line of `packet` with numbers as on the wire.
///
/// ```
/// use segue_wire::{Bytes, Packet, format};
/// let packet = Packet::from_bytes(Bytes::from_static(&[0x45, 0]));
/// assert_eq!(format::line(&packet).to_string(), "[packet is shorter than its IPv4 header], length 2");
/// ```
pub fn line(packet: &Packet) -> Line<'_> {
    Line { packet, base: (0, 0) }
}

impl<'a> Line<'a> {
    /// Shows sequence numbers relative to `sequence`, acknowledgements relative to `acknowledgment`.
    #[must_use]
    pub fn relative_to(self, sequence: u32, acknowledgment: u32) -> Line<'a> {
        Line { base: (sequence, acknowledgment), ..self }
    }
}

/// Remembers initial sequence numbers, so that lines show relative ones as tcpdump does.
///
/// SYNs show their numbers as on the wire, all that follows counts from them. A
/// connection that was never seen to begin counts from the first numbers seen.
#[derive(Clone, Debug, Default)]
pub struct Relative {
    /// Sequence number that counts as zero, by direction.
    bases: BTreeMap<(SocketAddr, SocketAddr), u32>,
}

impl Relative {
    /// Most directions remembered; a stranger's packets cannot make it grow beyond.
    pub const MAX_DIRECTIONS: usize = 65_536;

    /// Nothing remembered.
    pub const fn new() -> Relative {
        Relative { bases: BTreeMap::new() }
    }

    /// The line of the next packet.
    pub fn line<'a>(&mut self, packet: &'a Packet) -> Line<'a> {
        let base = self.base(packet).unwrap_or((0, 0));
        Line { packet, base }
    }

    fn base(&mut self, packet: &Packet) -> Option<(u32, u32)> {
        let view =
            IpView::parse(packet).ok().filter(|view| view.protocol == Protocol::TCP && view.fragment.is_none())?;
        let (header, _, _) = TcpHeader::parse(packet.head().get(view.transport..)?).ok()?;
        let from = SocketAddr::new(view.source, header.source_port);
        let to = SocketAddr::new(view.destination, header.destination_port);
        if header.flags.contains(TcpFlags::SYN) {
            self.remember((from, to), header.sequence);
            return None;
        }
        let sequence = match self.bases.get(&(from, to)) {
            Some(base) => *base,
            None => self.remember((from, to), header.sequence.wrapping_sub(1)),
        };
        let acknowledgment = match self.bases.get(&(to, from)) {
            Some(base) => *base,
            None if header.flags.contains(TcpFlags::ACK) => {
                self.remember((to, from), header.acknowledgment.wrapping_sub(1))
            }
            None => 0,
        };
        Some((sequence, acknowledgment))
    }

    fn remember(&mut self, direction: (SocketAddr, SocketAddr), base: u32) -> u32 {
        if self.bases.len() >= Relative::MAX_DIRECTIONS {
            self.bases.clear();
        }
        self.bases.insert(direction, base);
        base
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = match IpView::parse(self.packet) {
            Ok(view) => view,
            Err(error) => return write!(f, "[{error}], length {}", self.packet.len()),
        };
        f.write_str(match view.source {
            IpAddr::V4(_) => "IP ",
            IpAddr::V6(_) => "IP6 ",
        })?;
        if view.ecn() == Ecn::Ce {
            f.write_str("(CE) ")?;
        }
        match view.fragment {
            Some(fragment) if fragment.offset > 0 => {
                write!(
                    f,
                    "{} > {}: {} (frag {}:{}@{}{})",
                    view.source,
                    view.destination,
                    view.protocol,
                    fragment.identification,
                    view.transport_len(),
                    fragment.offset,
                    if fragment.more_fragments { "+" } else { "" }
                )
            }
            first => {
                self.transport(f, &view)?;
                match first {
                    Some(first) => write!(f, " (frag {}:{}@0+)", first.identification, view.transport_len()),
                    None => self.owed(f, &view),
                }
            }
        }
    }
}

impl Line<'_> {
    fn transport(&self, f: &mut fmt::Formatter<'_>, view: &IpView) -> fmt::Result {
        let whole = Contiguous::of(self.packet, view);
        let bytes = whole.bytes();
        match view.protocol {
            Protocol::TCP => tcp::write(f, view, bytes, view.transport_len(), self.base),
            Protocol::UDP => write_udp(f, view, bytes),
            Protocol::ICMPV4 => {
                write!(f, "{} > {}: ICMP ", view.source, view.destination)?;
                match Icmpv4Message::parse_unverified(bytes) {
                    Ok(message) => write_icmpv4(f, &message)?,
                    Err(error) => write!(f, "[{error}]")?,
                }
                write!(f, ", length {}", view.transport_len())
            }
            Protocol::ICMPV6 => {
                write!(f, "{} > {}: ICMP6, ", view.source, view.destination)?;
                match Icmpv6Message::parse_unverified(bytes) {
                    Ok(message) => write_icmpv6(f, &message)?,
                    Err(error) => write!(f, "[{error}]")?,
                }
                write!(f, ", length {}", view.transport_len())
            }
            other => write!(f, "{} > {}: {other}, length {}", view.source, view.destination, view.transport_len()),
        }
    }

    /// What a wire has not to carry but a reader wants to know.
    fn owed(&self, f: &mut fmt::Formatter<'_>, view: &IpView) -> fmt::Result {
        if let Some(segmentation) = self.packet.segmentation {
            write!(f, " ({} x {})", self.packet.wire_packets(), segmentation.size)?;
        }
        if self.packet.checksum == ChecksumState::Complete && !checksum_fits(self.packet, view) {
            f.write_str(" [bad checksum]")?;
        }
        Ok(())
    }
}

/// The transport's bytes in one slice, copied only when the packet is in pieces.
enum Contiguous<'a> {
    Head(&'a [u8]),
    Copied(alloc::vec::Vec<u8>),
}

impl Contiguous<'_> {
    fn of<'a>(packet: &'a Packet, view: &IpView) -> Contiguous<'a> {
        // TCP and UDP lines need the header only, and that lies in the head.
        if packet.body().is_empty() || matches!(view.protocol, Protocol::TCP | Protocol::UDP) {
            let end = view.length.min(packet.head().len());
            return Contiguous::Head(packet.head().get(view.transport..end).unwrap_or_default());
        }
        let mut rest = packet.clone().into_payload(view.transport);
        rest.truncate(view.transport_len());
        Contiguous::Copied(rest.to_vec())
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Contiguous::Head(bytes) => bytes,
            Contiguous::Copied(bytes) => bytes,
        }
    }
}

/// Whether the transport checksum fits; true for protocols that have none known here.
fn checksum_fits(packet: &Packet, view: &IpView) -> bool {
    let mut rest: Chunks = packet.clone().into_payload(view.transport);
    rest.truncate(view.transport_len());
    let mut sum = match view.protocol {
        Protocol::UDP => return udp_checksum_fits(view, rest),
        Protocol::ICMPV4 => checksum::Sum::new(),
        Protocol::TCP | Protocol::ICMPV6 => {
            match checksum::pseudo_header(view.source, view.destination, view.protocol, rest.len()) {
                Some(sum) => sum,
                None => return true,
            }
        }
        _ => return true,
    };
    sum.add_chunks(&rest);
    sum.is_valid()
}

fn udp_checksum_fits(view: &IpView, mut rest: Chunks) -> bool {
    let mut header = [0; udp::HEADER_LEN];
    rest.copy_to_slice(0, &mut header);
    match UdpHeader::parse(&header) {
        Ok((parsed, _)) if rest.len() >= usize::from(parsed.length) => {
            rest.truncate(usize::from(parsed.length));
            rest.advance(udp::HEADER_LEN);
            udp::verify_checksum(view.source, view.destination, &header, &rest).is_ok()
        }
        // The line says already that the header is broken.
        _ => true,
    }
}

/// Address and port in tcpdump's way: a dot between them.
struct Endpoint(IpAddr, u16);

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

fn write_udp(f: &mut fmt::Formatter<'_>, view: &IpView, bytes: &[u8]) -> fmt::Result {
    let header = match UdpHeader::parse(bytes) {
        Ok((header, _)) => header,
        Err(error) => return write!(f, "{} > {}: UDP [{error}]", view.source, view.destination),
    };
    let from = Endpoint(view.source, header.source_port);
    let to = Endpoint(view.destination, header.destination_port);
    // A super-segment's length field may not hold its length.
    match header.payload_len(view.transport_len()) {
        Ok(len) => write!(f, "{from} > {to}: UDP, length {len}"),
        Err(error) => write!(f, "{from} > {to}: UDP [{error}], length {}", view.transport_len() - udp::HEADER_LEN),
    }
}

fn write_icmpv4(f: &mut fmt::Formatter<'_>, message: &Icmpv4Message<'_>) -> fmt::Result {
    match *message {
        Icmpv4Message::EchoRequest { identifier, sequence, .. } => {
            write!(f, "echo request, id {identifier}, seq {sequence}")
        }
        Icmpv4Message::EchoReply { identifier, sequence, .. } => {
            write!(f, "echo reply, id {identifier}, seq {sequence}")
        }
        Icmpv4Message::DestinationUnreachable { code, next_hop_mtu, .. } => {
            write_unreachable(f, code, next_hop_mtu, message.quoted())
        }
        Icmpv4Message::SourceQuench { .. } => f.write_str("source quench"),
        Icmpv4Message::Redirect { gateway, .. } => match message.quoted() {
            Some(quoted) => write!(f, "redirect {} to {gateway}", quoted.destination),
            None => write!(f, "redirect to {gateway}"),
        },
        Icmpv4Message::TimeExceeded { code, .. } => f.write_str(match code.0 {
            0 => "time exceeded in-transit",
            1 => "ip reassembly time exceeded",
            _ => "time exceeded",
        }),
        Icmpv4Message::ParameterProblem { pointer, .. } => write!(f, "parameter problem - octet {pointer}"),
        Icmpv4Message::Other { kind, code, .. } => write!(f, "type {kind}, code {code}"),
    }
}

fn write_unreachable(
    f: &mut fmt::Formatter<'_>,
    code: UnreachableCode,
    next_hop_mtu: u16,
    quoted: Option<Quoted>,
) -> fmt::Result {
    let Some(quoted) = quoted else { return write!(f, "{code}") };
    let port = match quoted.transport {
        QuotedTransport::Tcp { destination_port, .. } => Some(("tcp", destination_port)),
        QuotedTransport::Udp { destination_port, .. } => Some(("udp", destination_port)),
        _ => None,
    };
    match (code, port) {
        (UnreachableCode::PORT, Some((name, port))) => {
            write!(f, "{} {name} port {port} unreachable", quoted.destination)
        }
        (UnreachableCode::FRAGMENTATION_NEEDED, _) => {
            write!(f, "{} unreachable - need to frag (mtu {next_hop_mtu})", quoted.destination)
        }
        _ => write!(f, "{} {code}", quoted.destination),
    }
}

fn write_icmpv6(f: &mut fmt::Formatter<'_>, message: &Icmpv6Message<'_>) -> fmt::Result {
    match *message {
        Icmpv6Message::EchoRequest { identifier, sequence, .. } => {
            write!(f, "echo request, id {identifier}, seq {sequence}")
        }
        Icmpv6Message::EchoReply { identifier, sequence, .. } => {
            write!(f, "echo reply, id {identifier}, seq {sequence}")
        }
        Icmpv6Message::DestinationUnreachable { code, .. } => {
            match message.quoted().and_then(|quoted| quoted.sockets()) {
                Some((_, to)) => write!(f, "destination unreachable, {code}, {} port {}", to.ip(), to.port()),
                None => write!(f, "destination unreachable, {code}"),
            }
        }
        Icmpv6Message::PacketTooBig { mtu, .. } => write!(f, "packet too big, mtu {mtu}"),
        Icmpv6Message::TimeExceeded { code, .. } => f.write_str(match code.0 {
            0 => "time exceeded in-transit",
            1 => "time exceeded in-reassembly",
            _ => "time exceeded",
        }),
        Icmpv6Message::ParameterProblem { code, pointer, .. } => {
            write!(f, "parameter problem, code {code}, octet {pointer}")
        }
        Icmpv6Message::Other { kind: 133, .. } => f.write_str("router solicitation"),
        Icmpv6Message::Other { kind: 134, .. } => f.write_str("router advertisement"),
        Icmpv6Message::Other { kind, payload, .. } if matches!(kind, 135 | 136) && payload.len() >= 16 => {
            let target = crate::bytes_at::ipv6_at(payload, 0);
            match kind {
                135 => write!(f, "neighbor solicitation, who has {target}"),
                _ => write!(f, "neighbor advertisement, tgt is {target}"),
            }
        }
        Icmpv6Message::Other { kind, code, .. } => write!(f, "type {kind}, code {code}"),
    }
}
