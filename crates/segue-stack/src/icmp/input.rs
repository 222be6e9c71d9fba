//! ICMP messages that have arrived: echo requests answered, replies and errors handed to their sockets.
//!
//! Decides what a message means to this host and whose it is. RFC 792, RFC 1122 3.2.2, RFC 4443, RFC 1191 and RFC 8201
//! (too big), RFC 6633 (source quench is ignored). Redirects are ignored: routes are the owner's affair.
use core::net::{IpAddr, SocketAddr};

use segue_wire::icmpv4::{Icmpv4Message, UnreachableCode};
use segue_wire::icmpv6::Icmpv6Message;
use segue_wire::quoted::{Quoted, QuotedTransport};
use segue_wire::{Bytes, ChecksumState, Instant, Packet, Protocol};

use super::extensions;
use crate::ip::input::{Arrival, Cast};
use crate::ip::output::IpFields;
use crate::message::{ErrorOrigin, ExtendedError};
use crate::socket::datagram::Ancillary;
use crate::socket::error_queue::QueuedError;
use crate::stack::Stack;
use crate::tuple::FourTuple;
use crate::{Counter, Errno};

/// What an ICMP error says to a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Report {
    Unreachable { errno: Errno, is_hard: bool },
    TooBig { mtu: usize },
}

/// An ICMP or ICMPv6 error that has arrived about an echo request: who sent it and what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IcmpComplaint {
    /// The router or host that sent it.
    pub from: IpAddr,
    /// ICMP type: 3 unreachable, 11 time exceeded, 12 parameter problem (RFC 792); ICMPv6: 1, 2 too big, 3, 4 (RFC 4443).
    pub kind: u8,
    /// ICMP code, which says more.
    pub code: u8,
}

/// An ICMP error that has arrived, as those see it whose packet it is about.
#[derive(Clone, Debug)]
pub(crate) struct IcmpError {
    pub(crate) complaint: IcmpComplaint,
    pub(crate) report: Report,
    /// What the header says beyond type and code: the MTU of a too-big error, the pointer of a parameter problem.
    info: u32,
    /// Where the quote ends and extensions begin (RFC 4884), counted from the quoted transport header; `None`: it is not said.
    extension_at: Option<usize>,
    /// The quoted packet from its transport header on.
    quote: Bytes,
    arrival: Ancillary,
}

impl IcmpError {
    /// The interface it came by.
    pub(crate) fn iface(&self) -> crate::IfaceId {
        self.arrival.iface
    }

    fn errno(&self) -> Errno {
        match self.report {
            Report::Unreachable { errno, .. } => errno,
            Report::TooBig { .. } => Errno::EMSGSIZE,
        }
    }

    /// The entry of an error queue: `to` is where the packet went, `skip` the length of its transport header.
    ///
    /// `names_extensions`: `IP_RECVERR_RFC4884`.
    pub(crate) fn entry(&self, to: SocketAddr, skip: usize, names_extensions: bool) -> QueuedError {
        let is_v4 = self.complaint.from.is_ipv4();
        let payload = self.quote.slice(skip.min(self.quote.len())..);
        let extension_at = self.extension_at.filter(|_| names_extensions).and_then(|at| at.checked_sub(skip));
        let data = extension_at.map_or(0, |at| extensions::described(&payload, at));
        let error = ExtendedError {
            errno: self.errno(),
            origin: if is_v4 { ErrorOrigin::Icmp } else { ErrorOrigin::Icmp6 },
            kind: self.complaint.kind,
            code: self.complaint.code,
            info: self.info,
            data,
            offender: Some(self.complaint.from),
        };
        QueuedError { name: Some(to), payload, arrival: Some(self.arrival), ..QueuedError::bare(error) }
    }
}

impl IcmpComplaint {
    /// RFC 6069 section 4.2 step 1: network or host unreachable, ICMPv6: no route (as Linux: not address unreachable).
    pub(crate) fn is_disruption(&self) -> bool {
        match self.from {
            IpAddr::V4(_) => self.kind == 3 && matches!(self.code, 0 | 1),
            IpAddr::V6(_) => self.kind == 1 && self.code == 0,
        }
    }

    fn of(from: IpAddr, message: &[u8]) -> IcmpComplaint {
        let byte = |index| message.get(index).copied().unwrap_or_default();
        IcmpComplaint { from, kind: byte(0), code: byte(1) }
    }
}

/// Where an ICMP error quotes the packet it is about.
const QUOTE_AT: usize = 8;
/// RFC 1191 section 7.1: the sizes that a router which does not say its MTU may mean.
const PLATEAUS: [usize; 10] = [32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];

impl Stack {
    pub(crate) fn icmp_v4_input(&mut self, now: Instant, arrival: &Arrival, packet: Packet, offset: usize) {
        self.counters.inc(Counter::IcmpInMsgs);
        let is_verified = packet.checksum != ChecksumState::Complete;
        let headers = packet.head().get(..offset).map(<[u8]>::to_vec).unwrap_or_default();
        let bytes = packet.into_payload(offset).into_contiguous();
        let parsed = if is_verified { Icmpv4Message::parse_unverified(&bytes) } else { Icmpv4Message::parse(&bytes) };
        let message = match parsed {
            Ok(message) => message,
            Err(error) => {
                if error == segue_wire::icmpv4::IcmpError::BadChecksum {
                    self.counters.inc(Counter::IcmpInCsumErrors);
                }
                return self.counters.inc(Counter::IcmpInErrors);
            }
        };
        let about = About { arrival, headers, bytes: bytes.clone() };
        match message {
            Icmpv4Message::EchoRequest { .. } => {
                self.counters.inc(Counter::IcmpInEchos);
                let ignored = self.settings.ip.icmp_echo_ignore_all
                    || (arrival.cast != Cast::Unicast && self.settings.ip.icmp_echo_ignore_broadcasts);
                if !ignored {
                    self.echo_request(now, &about);
                }
            }
            Icmpv4Message::EchoReply { identifier, .. } => {
                self.counters.inc(Counter::IcmpInEchoReps);
                self.deliver_reply(&about, identifier);
            }
            Icmpv4Message::DestinationUnreachable { code, next_hop_mtu, .. } => {
                self.counters.inc(Counter::IcmpInDestUnreachs);
                let quoted = message.quoted();
                if let Some(report) = report_v4(code, next_hop_mtu, quoted.as_ref()) {
                    self.report(now, &about, quoted, report);
                }
            }
            Icmpv4Message::TimeExceeded { .. } => {
                self.counters.inc(Counter::IcmpInTimeExcds);
                self.report(now, &about, message.quoted(), soft(Errno::EHOSTUNREACH));
            }
            Icmpv4Message::ParameterProblem { .. } => {
                self.counters.inc(Counter::IcmpInParmProbs);
                self.report(now, &about, message.quoted(), hard(Errno::EPROTO));
            }
            // RFC 6633 section 4: a host must not react to it.
            Icmpv4Message::SourceQuench { .. } => self.counters.inc(Counter::IcmpInSrcQuenchs),
            Icmpv4Message::Redirect { .. } => self.counters.inc(Counter::IcmpInRedirects),
            Icmpv4Message::Other { .. } => {}
        }
    }

    pub(crate) fn icmp_v6_input(&mut self, now: Instant, arrival: &Arrival, packet: Packet, offset: usize) {
        self.counters.inc(Counter::Icmp6InMsgs);
        let (IpAddr::V6(source), IpAddr::V6(destination)) = (arrival.source, arrival.destination) else { return };
        let is_verified = packet.checksum != ChecksumState::Complete;
        let headers = packet.head().get(..offset).map(<[u8]>::to_vec).unwrap_or_default();
        let bytes = packet.into_payload(offset).into_contiguous();
        let parsed = if is_verified {
            Icmpv6Message::parse_unverified(&bytes)
        } else {
            Icmpv6Message::parse(source, destination, &bytes)
        };
        let message = match parsed {
            Ok(message) => message,
            Err(error) => {
                if error == segue_wire::icmpv4::IcmpError::BadChecksum {
                    self.counters.inc(Counter::Icmp6InCsumErrors);
                }
                return self.counters.inc(Counter::Icmp6InErrors);
            }
        };
        let about = About { arrival, headers, bytes: bytes.clone() };
        match message {
            Icmpv6Message::EchoRequest { .. } => {
                self.counters.inc(Counter::Icmp6InEchos);
                let ignored = self.settings.ip.icmpv6_echo_ignore_all
                    || (arrival.cast == Cast::Multicast && self.settings.ip.icmpv6_echo_ignore_multicast);
                if !ignored {
                    self.echo_request(now, &about);
                }
            }
            Icmpv6Message::EchoReply { identifier, .. } => {
                self.counters.inc(Counter::Icmp6InEchoReplies);
                self.deliver_reply(&about, identifier);
            }
            Icmpv6Message::PacketTooBig { mtu, .. } => {
                self.counters.inc(Counter::Icmp6InPktTooBigs);
                self.report(now, &about, message.quoted(), Report::TooBig { mtu: mtu as usize });
            }
            Icmpv6Message::DestinationUnreachable { code, .. } => {
                self.counters.inc(Counter::Icmp6InDestUnreachs);
                let report = match code.0 {
                    0 => soft(Errno::ENETUNREACH),
                    1 | 5 | 6 => hard(Errno::EACCES),
                    4 => hard(Errno::ECONNREFUSED),
                    2 | 3 => soft(Errno::EHOSTUNREACH),
                    _ => soft(Errno::EPROTO),
                };
                self.report(now, &about, message.quoted(), report);
            }
            Icmpv6Message::TimeExceeded { .. } => {
                self.counters.inc(Counter::Icmp6InTimeExcds);
                self.report(now, &about, message.quoted(), soft(Errno::EHOSTUNREACH));
            }
            Icmpv6Message::ParameterProblem { .. } => {
                self.counters.inc(Counter::Icmp6InParmProblems);
                self.report(now, &about, message.quoted(), hard(Errno::EPROTO));
            }
            Icmpv6Message::Other { kind, .. } => match kind {
                135 => self.counters.inc(Counter::Icmp6InNeighborSolicits),
                136 => self.counters.inc(Counter::Icmp6InNeighborAdvertisements),
                _ => {}
            },
        }
    }

    /// An echo request: for a gateway's socket if it was not for this host itself, else answered here.
    fn echo_request(&mut self, now: Instant, about: &About<'_>) {
        let arrival = about.arrival;
        if !arrival.is_own && self.deliver_any_echo(about) {
            return;
        }
        let is_v4 = arrival.source.is_ipv4();
        let Ok(way) = self.net.way(now, arrival.source, arrival.pinned) else { return };
        // RFC 1122 3.2.2.6: from the address that was asked, if that is one host's; RFC 4443 4.2.
        let source = if arrival.cast == Cast::Unicast { arrival.destination } else { way.source };
        let mut reply = about.bytes.to_vec();
        reply[0] = if is_v4 { 0 } else { 129 };
        write_checksum(source, arrival.source, &mut reply);
        if !self.may_tell(now, reply[0], arrival.source, way.iface) {
            return;
        }
        self.counters.inc(if is_v4 { Counter::IcmpOutEchoReps } else { Counter::Icmp6OutEchoReplies });
        self.counters.inc(if is_v4 { Counter::IcmpOutMsgs } else { Counter::Icmp6OutMsgs });
        let fields = IpFields {
            source,
            destination: arrival.source,
            protocol: if is_v4 { Protocol::ICMPV4 } else { Protocol::ICMPV6 },
            ttl: self.default_ttl(arrival.source),
            tos: arrival.tos & !3,
            flow_label: 0,
            dont_fragment: false,
            identification: self.next_identification(source, arrival.source) as u16,
        };
        self.push_reply(&way, fields.complete_packet(Bytes::from(reply)));
    }

    /// An error about a packet of ours: find whose it was.
    fn report(&mut self, now: Instant, about: &About<'_>, quoted: Option<Quoted>, report: Report) {
        let Some(quoted) = quoted.filter(|quoted| !quoted.is_later_fragment) else { return };
        if matches!(report, Report::TooBig { .. }) && about.arrival.source.is_ipv4() {
            let is_tcp = matches!(quoted.transport, QuotedTransport::Tcp { .. });
            match self.settings.ip.no_pmtu_disc {
                2 => return,
                3 if !is_tcp => return,
                _ => {}
            }
        }
        let error = about.error(&quoted, report);
        match quoted.transport {
            QuotedTransport::Tcp { source_port, destination_port, sequence } => {
                let tuple = tuple_of(&quoted, source_port, destination_port);
                self.tcp_report(now, &tuple, sequence, &error);
            }
            QuotedTransport::Udp { source_port, destination_port } => {
                let tuple = tuple_of(&quoted, source_port, destination_port);
                self.udp_report(now, &tuple, &error);
            }
            QuotedTransport::Echo { request: true, identifier, .. } => {
                self.ping_report(now, quoted.destination, identifier, &error);
            }
            QuotedTransport::Echo { .. } | QuotedTransport::Other => {}
        }
    }
}

/// An ICMP message as it came.
pub(crate) struct About<'a> {
    pub(crate) arrival: &'a Arrival,
    /// The IP header, with all that stood before the message.
    pub(crate) headers: Vec<u8>,
    pub(crate) bytes: Bytes,
}

impl About<'_> {
    fn error(&self, quoted: &Quoted, report: Report) -> IcmpError {
        let source = self.arrival.source;
        let word = self.bytes.get(4..8).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes);
        let complaint = IcmpComplaint::of(source, &self.bytes);
        let info = match (report, source.is_ipv4(), complaint.kind) {
            (Report::TooBig { mtu }, ..) => mtu as u32,
            // RFC 792: a pointer of one byte.
            (_, true, 12) => word >> 24,
            (_, true, _) => 0,
            (_, false, _) => word,
        };
        let quote = self.bytes.slice((QUOTE_AT + quoted.transport_at).min(self.bytes.len())..);
        let extension_at = original_len(source, &self.bytes).and_then(|len| len.checked_sub(quoted.transport_at));
        let arrival = Ancillary::of(self.arrival, SocketAddr::new(self.arrival.destination, 0));
        IcmpError { complaint, report, info, extension_at, quote, arrival }
    }
}

/// RFC 4884 sections 4.1 to 4.5: the length of the quoted packet where extensions follow it, which an ICMP message tells in
/// words of 32 bits, an ICMPv6 one in words of 64. As Linux: less than 128 bytes are none of these.
fn original_len(source: IpAddr, message: &[u8]) -> Option<usize> {
    let kind = *message.first()?;
    let len = match source {
        IpAddr::V4(_) if matches!(kind, 3 | 11 | 12) => usize::from(*message.get(5)?) * 4,
        IpAddr::V6(_) if matches!(kind, 1 | 3) => usize::from(*message.get(4)?) * 8,
        _ => return None,
    };
    (len >= 128).then_some(len)
}

fn tuple_of(quoted: &Quoted, local_port: u16, peer_port: u16) -> FourTuple {
    FourTuple { local: quoted.source, peer: quoted.destination, local_port, peer_port }
}

const fn soft(errno: Errno) -> Report {
    Report::Unreachable { errno, is_hard: false }
}

const fn hard(errno: Errno) -> Report {
    Report::Unreachable { errno, is_hard: true }
}

/// Linux's table of destination unreachable codes.
fn report_v4(code: UnreachableCode, next_hop_mtu: u16, quoted: Option<&Quoted>) -> Option<Report> {
    Some(match code.0 {
        0 | 11 => soft(Errno::ENETUNREACH),
        1 | 12 => soft(Errno::EHOSTUNREACH),
        2 => hard(Errno::ENOPROTOOPT),
        3 => hard(Errno::ECONNREFUSED),
        4 => Report::TooBig { mtu: too_big_mtu(next_hop_mtu, quoted?.total_length) },
        5 => soft(Errno::EOPNOTSUPP),
        6 | 9 => hard(Errno::ENETUNREACH),
        7 => hard(Errno::EHOSTDOWN),
        8 => hard(Errno::ENONET),
        10 | 13 | 14 | 15 => hard(Errno::EHOSTUNREACH),
        _ => return None,
    })
}

/// RFC 1191 section 5: an old router says zero; then the next smaller plateau is tried.
fn too_big_mtu(next_hop_mtu: u16, sent: usize) -> usize {
    if next_hop_mtu != 0 {
        return usize::from(next_hop_mtu);
    }
    PLATEAUS.iter().copied().find(|plateau| *plateau < sent).unwrap_or(68)
}

/// Compute the checksum of an ICMP message (at least 4 bytes long) anew.
pub(crate) fn write_checksum(source: IpAddr, destination: IpAddr, message: &mut [u8]) {
    let mut sum = match (source, destination) {
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            segue_wire::checksum::pseudo_header_v6(source, destination, Protocol::ICMPV6, message.len())
        }
        _ => segue_wire::checksum::Sum::new(),
    };
    message[2..4].fill(0);
    sum.add_slice(message);
    message[2..4].copy_from_slice(&sum.checksum().to_be_bytes());
}
