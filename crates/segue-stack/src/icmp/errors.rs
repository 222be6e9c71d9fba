//! ICMP errors that this host sends.
//!
//! Decides when an error may be sent at all (RFC 1122 3.2.2, RFC 4443 2.4 (e)), from which address, and what it quotes
//! (RFC 1812 4.3.2.3: up to 576 bytes; RFC 4443: up to 1280). How often is decided by `limits`.
use core::net::IpAddr;

use segue_wire::icmpv4::{self, Icmpv4Message};
use segue_wire::icmpv6::{self, Icmpv6Message};
use segue_wire::{Bytes, Instant, Ipv4Header, Packet, Protocol, ipv6};

use super::limits::{Kind, Verdict};
use crate::ip::output::IpFields;
use crate::net::Destination;
use crate::stack::Stack;
use crate::{Counter, IfaceId, Unreachable};

const MAX_ERROR_V4: usize = 576;
const MAX_ERROR_V6: usize = 1280;
const HEADERS_V4: usize = 20 + icmpv4::HEADER_LEN;
const HEADERS_V6: usize = 40 + icmpv6::HEADER_LEN;

/// What an error says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Complaint {
    Unreachable(Unreachable),
    /// Nothing here speaks the protocol; `pointer` is where the packet names it (IPv6).
    Protocol {
        pointer: u32,
    },
    /// IPv6 only.
    Parameter {
        code: u8,
        pointer: u32,
    },
    ReassemblyTime,
}

impl Stack {
    pub(crate) fn send_unreachable(
        &mut self,
        now: Instant,
        why: Unreachable,
        source: IpAddr,
        pinned: Option<IfaceId>,
        about: &Packet,
    ) {
        self.send_error(now, Complaint::Unreachable(why), source, pinned, about);
    }

    /// Send an error about a packet, if one may be sent. `source`: the address the packet was sent to.
    pub(crate) fn send_error(
        &mut self,
        now: Instant,
        complaint: Complaint,
        source: IpAddr,
        pinned: Option<IfaceId>,
        about: &Packet,
    ) {
        let Some(to) = self.may_complain(about, complaint) else { return };
        let Ok(way) = self.net.way(now, to, pinned) else { return };
        let is_usable = matches!(self.net.destination(source), Destination::Local) || pinned.is_some();
        let source = if is_usable { source } else { way.source };
        let Some(message) = message(complaint, source, to, about) else { return };
        if !self.may_tell(now, message[0], to, way.iface) {
            return;
        }
        self.count_error(complaint, to);
        let protocol = if to.is_ipv4() { Protocol::ICMPV4 } else { Protocol::ICMPV6 };
        let fields = IpFields {
            source,
            destination: to,
            protocol,
            ttl: self.default_ttl(to),
            tos: type_of_service(about),
            flow_label: 0,
            dont_fragment: false,
            identification: self.next_identification(source, to) as u16,
        };
        self.push_reply(&way, fields.complete_packet(message));
    }

    /// Whether the limits let a message of this type leave now; if not it is counted.
    pub(crate) fn may_tell(&mut self, now: Instant, number: u8, to: IpAddr, by: IfaceId) -> bool {
        let kind = Kind { number, to, is_inside: by == IfaceId::LOOPBACK };
        match self.icmp_limits.take(now, kind, &self.settings.ip, &mut self.secrets) {
            Verdict::Send => true,
            Verdict::Hold(counter) => {
                self.counters.inc(counter);
                false
            }
        }
    }

    /// The address an error about this packet goes to; `None` if there must not be one.
    fn may_complain(&self, about: &Packet, complaint: Complaint) -> Option<IpAddr> {
        let (source, destination, is_error) = match about.version()? {
            segue_wire::IpVersion::V4 => {
                let (header, len) = Ipv4Header::parse_quoted(about.head()).ok()?;
                // RFC 1122 3.2.2: not about a fragment other than the first.
                if header.fragment_offset != 0 {
                    return None;
                }
                let is_error = header.protocol == Protocol::ICMPV4
                    // RFC 1122 3.2.2: not about an ICMP error. What is neither echo nor timestamp counts as one.
                    && !matches!(about.head().get(len), Some(0 | 8 | 13 | 14));
                (IpAddr::V4(header.source), IpAddr::V4(header.destination), is_error)
            }
            segue_wire::IpVersion::V6 => {
                let (header, _) = segue_wire::Ipv6Header::parse(about.head()).ok()?;
                let chain = ipv6::walk(header.next_header, about.head(), about.len()).ok();
                // RFC 4443 2.4 (e.1): not about an ICMPv6 error, nor when that cannot be told.
                let is_error = match chain {
                    Some(end) if end.fragment.is_some_and(|(fragment, _)| fragment.offset != 0) => return None,
                    Some(end) => {
                        end.protocol == Protocol::ICMPV6
                            && about.head().get(end.offset).is_none_or(|kind| *kind < 128 || *kind == 137)
                    }
                    None => false,
                };
                (IpAddr::V6(header.source), IpAddr::V6(header.destination), is_error)
            }
        };
        // RFC 4443 2.4 (e.3): an unknown option may be reported to a multicast sender's packet, too.
        let reports_option = matches!(complaint, Complaint::Parameter { code: 2, .. });
        let is_group = match self.net.destination(destination) {
            Destination::Broadcast => true,
            Destination::Multicast => !reports_option,
            _ => false,
        };
        let answers = !matches!(
            self.net.destination(source),
            Destination::Broadcast | Destination::Multicast | Destination::Unspecified
        );
        (!is_error && !is_group && answers).then_some(source)
    }

    fn count_error(&mut self, complaint: Complaint, to: IpAddr) {
        let specific = match (to, complaint) {
            (IpAddr::V4(_), Complaint::ReassemblyTime) => Counter::IcmpOutTimeExcds,
            (IpAddr::V4(_), _) => Counter::IcmpOutDestUnreachs,
            (IpAddr::V6(_), Complaint::ReassemblyTime) => Counter::Icmp6OutTimeExcds,
            (IpAddr::V6(_), Complaint::Unreachable(_)) => Counter::Icmp6OutDestUnreachs,
            (IpAddr::V6(_), _) => Counter::Icmp6OutParmProblems,
        };
        self.counters.inc(specific);
        self.counters.inc(if to.is_ipv4() { Counter::IcmpOutMsgs } else { Counter::Icmp6OutMsgs });
    }
}

/// RFC 1812 4.3.2.5: internetwork control. As Linux beside the bits of RFC 1349 in what it is about; without a class over IPv6.
fn type_of_service(about: &Packet) -> u8 {
    const INTERNETWORK_CONTROL: u8 = 0xc0;
    const SERVICE_BITS: u8 = 0x1e;
    match Ipv4Header::parse_quoted(about.head()) {
        Ok((header, _)) => INTERNETWORK_CONTROL | header.traffic_class & SERVICE_BITS,
        Err(_) => 0,
    }
}

/// The front of a packet, contiguous.
fn front(packet: &Packet, max: usize) -> Vec<u8> {
    let mut packet = packet.clone();
    if packet.segmentation.is_none() {
        packet.finish_checksum();
    }
    let mut quoted: Vec<u8> = packet.slices().flatten().copied().take(max).collect();
    quoted.truncate(max);
    quoted
}

fn message(complaint: Complaint, source: IpAddr, to: IpAddr, about: &Packet) -> Option<Bytes> {
    match (source, to) {
        (IpAddr::V4(_), IpAddr::V4(_)) => {
            let quoted = front(about, MAX_ERROR_V4 - HEADERS_V4);
            let quoted = &quoted[..];
            let unreachable = |code| Icmpv4Message::DestinationUnreachable { code, next_hop_mtu: 0, quoted };
            let message = match complaint {
                Complaint::Unreachable(Unreachable::Network) => unreachable(icmpv4::UnreachableCode::NETWORK),
                Complaint::Unreachable(Unreachable::Host) => unreachable(icmpv4::UnreachableCode::HOST),
                Complaint::Unreachable(Unreachable::Port) => unreachable(icmpv4::UnreachableCode::PORT),
                Complaint::Unreachable(Unreachable::Prohibited) => {
                    unreachable(icmpv4::UnreachableCode::ADMINISTRATIVELY_PROHIBITED)
                }
                Complaint::Protocol { .. } => unreachable(icmpv4::UnreachableCode::PROTOCOL),
                Complaint::ReassemblyTime => {
                    Icmpv4Message::TimeExceeded { code: icmpv4::TimeExceededCode::REASSEMBLY, quoted }
                }
                Complaint::Parameter { .. } => return None,
            };
            let mut out = vec![0; message.message_len()];
            message.emit(&mut out);
            Some(Bytes::from(out))
        }
        (IpAddr::V6(source), IpAddr::V6(to)) => {
            let quoted = front(about, MAX_ERROR_V6 - HEADERS_V6);
            let quoted = &quoted[..];
            let unreachable = |code| Icmpv6Message::DestinationUnreachable { code, quoted };
            let message = match complaint {
                Complaint::Unreachable(Unreachable::Network) => unreachable(icmpv6::UnreachableCode::NO_ROUTE),
                Complaint::Unreachable(Unreachable::Host) => unreachable(icmpv6::UnreachableCode::ADDRESS),
                Complaint::Unreachable(Unreachable::Port) => unreachable(icmpv6::UnreachableCode::PORT),
                Complaint::Unreachable(Unreachable::Prohibited) => unreachable(icmpv6::UnreachableCode::PROHIBITED),
                Complaint::Protocol { pointer } => Icmpv6Message::ParameterProblem {
                    code: ipv6::ParameterProblemCode::UnrecognizedNextHeader as u8,
                    pointer,
                    quoted,
                },
                Complaint::Parameter { code, pointer } => Icmpv6Message::ParameterProblem { code, pointer, quoted },
                Complaint::ReassemblyTime => {
                    Icmpv6Message::TimeExceeded { code: icmpv6::TimeExceededCode::REASSEMBLY, quoted }
                }
            };
            let mut out = vec![0; message.message_len()];
            message.emit(source, to, &mut out);
            Some(Bytes::from(out))
        }
        _ => None,
    }
}
