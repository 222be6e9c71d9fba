//! ICMP for IPv4 (RFC 792, RFC 1122 section 3.2.2, RFC 1191, RFC 1812).
//!
//! Decides what a message says. What it does to a socket, whether it is
//! answered and how often are decided elsewhere. Messages of unknown type or
//! code are kept as they are, never rejected.

use crate::bytes_at::{be16, be32, byte, ipv4_at, put, put16};
use crate::checksum;
use crate::quoted::Quoted;
use core::fmt;
use core::net::Ipv4Addr;

/// Length of the header that every message of this module has, in bytes.
pub const HEADER_LEN: usize = 8;

/// Code of a Destination Unreachable message (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct UnreachableCode(pub u8);

#[allow(missing_docs, reason = "the names are those of the registry")]
impl UnreachableCode {
    pub const NETWORK: UnreachableCode = UnreachableCode(0);
    pub const HOST: UnreachableCode = UnreachableCode(1);
    pub const PROTOCOL: UnreachableCode = UnreachableCode(2);
    pub const PORT: UnreachableCode = UnreachableCode(3);
    pub const FRAGMENTATION_NEEDED: UnreachableCode = UnreachableCode(4);
    pub const SOURCE_ROUTE_FAILED: UnreachableCode = UnreachableCode(5);
    pub const NETWORK_UNKNOWN: UnreachableCode = UnreachableCode(6);
    pub const HOST_UNKNOWN: UnreachableCode = UnreachableCode(7);
    pub const SOURCE_HOST_ISOLATED: UnreachableCode = UnreachableCode(8);
    pub const NETWORK_PROHIBITED: UnreachableCode = UnreachableCode(9);
    pub const HOST_PROHIBITED: UnreachableCode = UnreachableCode(10);
    pub const NETWORK_FOR_SERVICE: UnreachableCode = UnreachableCode(11);
    pub const HOST_FOR_SERVICE: UnreachableCode = UnreachableCode(12);
    pub const ADMINISTRATIVELY_PROHIBITED: UnreachableCode = UnreachableCode(13);
    pub const HOST_PRECEDENCE: UnreachableCode = UnreachableCode(14);
    pub const PRECEDENCE_CUTOFF: UnreachableCode = UnreachableCode(15);
}

impl fmt::Display for UnreachableCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 16] = [
            "net unreachable",
            "host unreachable",
            "protocol unreachable",
            "port unreachable",
            "need to frag",
            "source route failed",
            "net unknown",
            "host unknown",
            "source host isolated",
            "net prohibited",
            "host prohibited",
            "net unreachable for service",
            "host unreachable for service",
            "admin prohibited",
            "host precedence violation",
            "precedence cutoff",
        ];
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "unreachable code {}", self.0),
        }
    }
}

/// Code of a Time Exceeded message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimeExceededCode(pub u8);

impl TimeExceededCode {
    /// TTL exceeded in transit.
    pub const TTL: TimeExceededCode = TimeExceededCode(0);
    /// Fragment reassembly time exceeded.
    pub const REASSEMBLY: TimeExceededCode = TimeExceededCode(1);
}

/// An ICMPv4 message. `quoted` is the packet that caused an error, see [`Icmpv4Message::quoted`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Icmpv4Message<'a> {
    /// Type 0.
    EchoReply {
        /// Identifier of the request.
        identifier: u16,
        /// Sequence number of the request.
        sequence: u16,
        /// Data of the request.
        payload: &'a [u8],
    },
    /// Type 8.
    EchoRequest {
        /// Who asks.
        identifier: u16,
        /// Which request of theirs.
        sequence: u16,
        /// Data to send back.
        payload: &'a [u8],
    },
    /// Type 3.
    DestinationUnreachable {
        /// What cannot be reached.
        code: UnreachableCode,
        /// Next-hop MTU, bytes, with [`UnreachableCode::FRAGMENTATION_NEEDED`]; zero from a
        /// router older than RFC 1191, and with every other code.
        next_hop_mtu: u16,
        /// The packet that caused it.
        quoted: &'a [u8],
    },
    /// Type 4: parsed, and to be ignored (RFC 6633).
    SourceQuench {
        /// The packet that caused it.
        quoted: &'a [u8],
    },
    /// Type 5.
    Redirect {
        /// 0 network, 1 host, 2 and 3 the same for a type of service.
        code: u8,
        /// The better router.
        gateway: Ipv4Addr,
        /// The packet that caused it.
        quoted: &'a [u8],
    },
    /// Type 11.
    TimeExceeded {
        /// Which time.
        code: TimeExceededCode,
        /// The packet that caused it.
        quoted: &'a [u8],
    },
    /// Type 12.
    ParameterProblem {
        /// 0 pointer shows it, 1 a required option is missing, 2 bad length.
        code: u8,
        /// Offset of the bad byte in the packet.
        pointer: u8,
        /// The packet that caused it.
        quoted: &'a [u8],
    },
    /// Anything else.
    Other {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// The four bytes behind the checksum.
        rest_of_header: u32,
        /// What follows the header.
        payload: &'a [u8],
    },
}

/// Why bytes are not an acceptable ICMP message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum IcmpError {
    /// Fewer bytes than the message needs.
    Truncated,
    /// The checksum does not fit.
    BadChecksum,
}

impl fmt::Display for IcmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IcmpError::Truncated => "ICMP message is shorter than its header",
            IcmpError::BadChecksum => "ICMP checksum does not fit the message",
        })
    }
}

impl core::error::Error for IcmpError {}

impl<'a> Icmpv4Message<'a> {
    /// Reads a whole message and verifies its checksum.
    ///
    /// # Errors
    /// [`IcmpError::Truncated`], [`IcmpError::BadChecksum`].
    pub fn parse(message: &'a [u8]) -> Result<Icmpv4Message<'a>, IcmpError> {
        if message.len() >= HEADER_LEN && checksum::checksum(message) != 0 {
            return Err(IcmpError::BadChecksum);
        }
        Icmpv4Message::parse_unverified(message)
    }

    /// Reads a message whose checksum a device has verified, or that may be cut.
    ///
    /// # Errors
    /// [`IcmpError::Truncated`].
    pub fn parse_unverified(message: &'a [u8]) -> Result<Icmpv4Message<'a>, IcmpError> {
        let Some((header, data)) = message.split_first_chunk::<HEADER_LEN>() else {
            return Err(IcmpError::Truncated);
        };
        let (kind, code) = (header[0], header[1]);
        let (high, low) = (be16(header, 4), be16(header, 6));
        Ok(match kind {
            0 if code == 0 => Icmpv4Message::EchoReply { identifier: high, sequence: low, payload: data },
            8 if code == 0 => Icmpv4Message::EchoRequest { identifier: high, sequence: low, payload: data },
            3 => {
                let code = UnreachableCode(code);
                // RFC 1191 section 4: only this code has a use for the field. Others may have RFC 4884's length there.
                let mtu = if code == UnreachableCode::FRAGMENTATION_NEEDED { low } else { 0 };
                Icmpv4Message::DestinationUnreachable { code, next_hop_mtu: mtu, quoted: quote(header, data) }
            }
            4 => Icmpv4Message::SourceQuench { quoted: data },
            5 => Icmpv4Message::Redirect { code, gateway: ipv4_at(header, 4), quoted: data },
            11 => Icmpv4Message::TimeExceeded { code: TimeExceededCode(code), quoted: quote(header, data) },
            12 => Icmpv4Message::ParameterProblem { code, pointer: byte(header, 4), quoted: quote(header, data) },
            _ => Icmpv4Message::Other { kind, code, rest_of_header: be32(header, 4), payload: data },
        })
    }

    /// The packet that an error is about; `None` for other messages and for a quote nobody can read.
    pub fn quoted(&self) -> Option<Quoted> {
        match self {
            Icmpv4Message::DestinationUnreachable { quoted, .. }
            | Icmpv4Message::SourceQuench { quoted }
            | Icmpv4Message::Redirect { quoted, .. }
            | Icmpv4Message::TimeExceeded { quoted, .. }
            | Icmpv4Message::ParameterProblem { quoted, .. } => Quoted::parse(quoted),
            _ => None,
        }
    }

    /// Whether this is an error or a redirect: never answered with an ICMP error (RFC 1122 section 3.2.2).
    pub fn is_error(&self) -> bool {
        matches!(
            self,
            Icmpv4Message::DestinationUnreachable { .. }
                | Icmpv4Message::SourceQuench { .. }
                | Icmpv4Message::Redirect { .. }
                | Icmpv4Message::TimeExceeded { .. }
                | Icmpv4Message::ParameterProblem { .. }
        )
    }

    /// Type and code on the wire.
    pub fn type_and_code(&self) -> (u8, u8) {
        match *self {
            Icmpv4Message::EchoReply { .. } => (0, 0),
            Icmpv4Message::EchoRequest { .. } => (8, 0),
            Icmpv4Message::DestinationUnreachable { code, .. } => (3, code.0),
            Icmpv4Message::SourceQuench { .. } => (4, 0),
            Icmpv4Message::Redirect { code, .. } => (5, code),
            Icmpv4Message::TimeExceeded { code, .. } => (11, code.0),
            Icmpv4Message::ParameterProblem { code, .. } => (12, code),
            Icmpv4Message::Other { kind, code, .. } => (kind, code),
        }
    }

    /// What follows the eight bytes of header.
    pub fn payload(&self) -> &'a [u8] {
        match *self {
            Icmpv4Message::EchoReply { payload, .. }
            | Icmpv4Message::EchoRequest { payload, .. }
            | Icmpv4Message::Other { payload, .. } => payload,
            Icmpv4Message::DestinationUnreachable { quoted, .. }
            | Icmpv4Message::SourceQuench { quoted }
            | Icmpv4Message::Redirect { quoted, .. }
            | Icmpv4Message::TimeExceeded { quoted, .. }
            | Icmpv4Message::ParameterProblem { quoted, .. } => quoted,
        }
    }

    /// Length of the whole message, in bytes.
    pub fn message_len(&self) -> usize {
        HEADER_LEN + self.payload().len()
    }

    /// The header of the message, checksum over header and payload included.
    pub fn header(&self) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        let (kind, code) = self.type_and_code();
        header[0] = kind;
        header[1] = code;
        match *self {
            Icmpv4Message::EchoReply { identifier, sequence, .. }
            | Icmpv4Message::EchoRequest { identifier, sequence, .. } => {
                put16(&mut header, 4, identifier);
                put16(&mut header, 6, sequence);
            }
            Icmpv4Message::DestinationUnreachable {
                code: UnreachableCode::FRAGMENTATION_NEEDED, next_hop_mtu, ..
            } => put16(&mut header, 6, next_hop_mtu),
            Icmpv4Message::Redirect { gateway, .. } => put(&mut header, 4, &gateway.octets()),
            Icmpv4Message::ParameterProblem { pointer, .. } => header[4] = pointer,
            Icmpv4Message::Other { rest_of_header, .. } => put(&mut header, 4, &rest_of_header.to_be_bytes()),
            Icmpv4Message::DestinationUnreachable { .. }
            | Icmpv4Message::SourceQuench { .. }
            | Icmpv4Message::TimeExceeded { .. } => {}
        }
        let mut sum = checksum::Sum::new();
        sum.add_slice(&header);
        sum.add_slice(self.payload());
        put16(&mut header, 2, sum.checksum());
        header
    }

    /// Writes the whole message, checksum computed; returns its length, zero when `out` is too short.
    pub fn emit(&self, out: &mut [u8]) -> usize {
        let len = self.message_len();
        let Some(out) = out.get_mut(..len) else {
            return 0;
        };
        put(out, 0, &self.header());
        put(out, HEADER_LEN, self.payload());
        len
    }
}

/// The quoted packet without the extensions that may follow it.
///
/// RFC 4884 section 5.1: byte 5 says how many words of the packet are quoted; zero means all.
fn quote<'a>(header: &[u8; HEADER_LEN], data: &'a [u8]) -> &'a [u8] {
    match usize::from(header[5]) * 4 {
        0 => data,
        len => data.get(..len).unwrap_or(data),
    }
}
