//! ICMP for IPv6 (RFC 4443); neighbour discovery is in [`ndp`].
//!
//! Decides what a message says. What it does to a socket, whether it is
//! answered and how often are decided elsewhere. Messages of unknown type are
//! kept as they are: unknown errors concern the upper layer, unknown
//! informational ones are dropped by the host (RFC 4443 section 2.4).

pub mod ndp;

use crate::bytes_at::{be16, be32, put, put16};
use crate::checksum;
use crate::ip::Protocol;
use crate::quoted::Quoted;
use core::fmt;
use core::net::Ipv6Addr;

pub use crate::icmpv4::IcmpError;
pub use ndp::{NdpError, NdpMessage};

/// Length of the header that every message of this module has, in bytes.
pub const HEADER_LEN: usize = 8;

/// Code of a Destination Unreachable message (RFC 4443 section 3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct UnreachableCode(pub u8);

impl UnreachableCode {
    /// No route to the destination.
    pub const NO_ROUTE: UnreachableCode = UnreachableCode(0);
    /// Communication administratively prohibited.
    pub const PROHIBITED: UnreachableCode = UnreachableCode(1);
    /// Beyond the scope of the source address.
    pub const BEYOND_SCOPE: UnreachableCode = UnreachableCode(2);
    /// Address unreachable.
    pub const ADDRESS: UnreachableCode = UnreachableCode(3);
    /// Port unreachable.
    pub const PORT: UnreachableCode = UnreachableCode(4);
    /// The source address failed a policy.
    pub const SOURCE_POLICY: UnreachableCode = UnreachableCode(5);
    /// The route to the destination rejects.
    pub const REJECT_ROUTE: UnreachableCode = UnreachableCode(6);
    /// Error in a source routing header (RFC 6554).
    pub const SOURCE_ROUTING_HEADER: UnreachableCode = UnreachableCode(7);
}

impl fmt::Display for UnreachableCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 8] = [
            "unreachable route",
            "unreachable prohibited",
            "beyond scope of source address",
            "unreachable address",
            "unreachable port",
            "source address failed policy",
            "reject route to destination",
            "error in source routing header",
        ];
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "unreachable code {}", self.0),
        }
    }
}

/// Code of a Time Exceeded message (RFC 4443 section 3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimeExceededCode(pub u8);

impl TimeExceededCode {
    /// Hop limit exceeded in transit.
    pub const HOP_LIMIT: TimeExceededCode = TimeExceededCode(0);
    /// Fragment reassembly time exceeded.
    pub const REASSEMBLY: TimeExceededCode = TimeExceededCode(1);
}

/// An ICMPv6 message. `quoted` is the packet that caused an error, see [`Icmpv6Message::quoted`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Icmpv6Message<'a> {
    /// Type 1.
    DestinationUnreachable {
        /// Why it cannot be reached.
        code: UnreachableCode,
        /// The packet that caused it.
        quoted: &'a [u8],
    },
    /// Type 2.
    PacketTooBig {
        /// MTU of the next hop, bytes.
        mtu: u32,
        /// The packet that caused it.
        quoted: &'a [u8],
    },
    /// Type 3.
    TimeExceeded {
        /// Which time.
        code: TimeExceededCode,
        /// The packet that caused it.
        quoted: &'a [u8],
    },
    /// Type 4.
    ParameterProblem {
        /// See [`crate::ipv6::ParameterProblemCode`].
        code: u8,
        /// Offset of the bad byte in the packet.
        pointer: u32,
        /// The packet that caused it.
        quoted: &'a [u8],
    },
    /// Type 128.
    EchoRequest {
        /// Who asks.
        identifier: u16,
        /// Which request of theirs.
        sequence: u16,
        /// Data to send back.
        payload: &'a [u8],
    },
    /// Type 129.
    EchoReply {
        /// Identifier of the request.
        identifier: u16,
        /// Sequence number of the request.
        sequence: u16,
        /// Data of the request.
        payload: &'a [u8],
    },
    /// Anything else, neighbour discovery included (see [`NdpMessage::parse`]).
    Other {
        /// Type: below 128 an error.
        kind: u8,
        /// Code.
        code: u8,
        /// The four bytes behind the checksum.
        rest_of_header: u32,
        /// What follows the header.
        payload: &'a [u8],
    },
}

impl<'a> Icmpv6Message<'a> {
    /// Reads a whole message and verifies its checksum.
    ///
    /// # Errors
    /// [`IcmpError::Truncated`], [`IcmpError::BadChecksum`].
    pub fn parse(source: Ipv6Addr, destination: Ipv6Addr, message: &'a [u8]) -> Result<Icmpv6Message<'a>, IcmpError> {
        if message.len() >= HEADER_LEN {
            verify_checksum(source, destination, message)?;
        }
        Icmpv6Message::parse_unverified(message)
    }

    /// Reads a message whose checksum a device has verified, or that may be cut.
    ///
    /// # Errors
    /// [`IcmpError::Truncated`].
    pub fn parse_unverified(message: &'a [u8]) -> Result<Icmpv6Message<'a>, IcmpError> {
        let Some((header, data)) = message.split_first_chunk::<HEADER_LEN>() else {
            return Err(IcmpError::Truncated);
        };
        let (kind, code) = (header[0], header[1]);
        let (identifier, sequence) = (be16(header, 4), be16(header, 6));
        Ok(match kind {
            1 => Icmpv6Message::DestinationUnreachable { code: UnreachableCode(code), quoted: quote(header, data) },
            // RFC 4443 section 3.2: the code is ignored.
            2 => Icmpv6Message::PacketTooBig { mtu: be32(header, 4), quoted: data },
            3 => Icmpv6Message::TimeExceeded { code: TimeExceededCode(code), quoted: quote(header, data) },
            4 => Icmpv6Message::ParameterProblem { code, pointer: be32(header, 4), quoted: data },
            128 if code == 0 => Icmpv6Message::EchoRequest { identifier, sequence, payload: data },
            129 if code == 0 => Icmpv6Message::EchoReply { identifier, sequence, payload: data },
            _ => Icmpv6Message::Other { kind, code, rest_of_header: be32(header, 4), payload: data },
        })
    }

    /// The packet that an error is about; `None` for other messages and for a quote nobody can read.
    pub fn quoted(&self) -> Option<Quoted> {
        match self {
            Icmpv6Message::DestinationUnreachable { quoted, .. }
            | Icmpv6Message::PacketTooBig { quoted, .. }
            | Icmpv6Message::TimeExceeded { quoted, .. }
            | Icmpv6Message::ParameterProblem { quoted, .. } => Quoted::parse(quoted),
            Icmpv6Message::Other { kind: 0..128, payload, .. } => Quoted::parse(payload),
            _ => None,
        }
    }

    /// Whether this is an error or a redirect: never answered with an ICMPv6 error (RFC 4443 section 2.4 (e)).
    pub fn is_error(&self) -> bool {
        let (kind, _) = self.type_and_code();
        kind < 128 || kind == ndp::REDIRECT
    }

    /// Type and code on the wire.
    pub fn type_and_code(&self) -> (u8, u8) {
        match *self {
            Icmpv6Message::DestinationUnreachable { code, .. } => (1, code.0),
            Icmpv6Message::PacketTooBig { .. } => (2, 0),
            Icmpv6Message::TimeExceeded { code, .. } => (3, code.0),
            Icmpv6Message::ParameterProblem { code, .. } => (4, code),
            Icmpv6Message::EchoRequest { .. } => (128, 0),
            Icmpv6Message::EchoReply { .. } => (129, 0),
            Icmpv6Message::Other { kind, code, .. } => (kind, code),
        }
    }

    /// What follows the eight bytes of header.
    pub fn payload(&self) -> &'a [u8] {
        match *self {
            Icmpv6Message::DestinationUnreachable { quoted, .. }
            | Icmpv6Message::PacketTooBig { quoted, .. }
            | Icmpv6Message::TimeExceeded { quoted, .. }
            | Icmpv6Message::ParameterProblem { quoted, .. } => quoted,
            Icmpv6Message::EchoRequest { payload, .. }
            | Icmpv6Message::EchoReply { payload, .. }
            | Icmpv6Message::Other { payload, .. } => payload,
        }
    }

    /// Length of the whole message, in bytes.
    pub fn message_len(&self) -> usize {
        HEADER_LEN + self.payload().len()
    }

    /// The header of the message, checksum over pseudo-header, header and payload included.
    pub fn header(&self, source: Ipv6Addr, destination: Ipv6Addr) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        let (kind, code) = self.type_and_code();
        header[0] = kind;
        header[1] = code;
        match *self {
            Icmpv6Message::DestinationUnreachable { .. } | Icmpv6Message::TimeExceeded { .. } => {}
            Icmpv6Message::PacketTooBig { mtu: word, .. }
            | Icmpv6Message::ParameterProblem { pointer: word, .. }
            | Icmpv6Message::Other { rest_of_header: word, .. } => put(&mut header, 4, &word.to_be_bytes()),
            Icmpv6Message::EchoRequest { identifier, sequence, .. }
            | Icmpv6Message::EchoReply { identifier, sequence, .. } => {
                put16(&mut header, 4, identifier);
                put16(&mut header, 6, sequence);
            }
        }
        let mut sum = checksum::pseudo_header_v6(source, destination, Protocol::ICMPV6, self.message_len());
        sum.add_slice(&header);
        sum.add_slice(self.payload());
        put16(&mut header, 2, sum.checksum());
        header
    }

    /// Writes the whole message, checksum computed; returns its length, zero when `out` is too short.
    pub fn emit(&self, source: Ipv6Addr, destination: Ipv6Addr, out: &mut [u8]) -> usize {
        let len = self.message_len();
        let Some(out) = out.get_mut(..len) else {
            return 0;
        };
        put(out, 0, &self.header(source, destination));
        put(out, HEADER_LEN, self.payload());
        len
    }
}

/// Verifies the checksum of a whole message.
///
/// # Errors
/// [`IcmpError::BadChecksum`].
pub fn verify_checksum(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> Result<(), IcmpError> {
    let mut sum = checksum::pseudo_header_v6(source, destination, Protocol::ICMPV6, message.len());
    sum.add_slice(message);
    if sum.is_valid() { Ok(()) } else { Err(IcmpError::BadChecksum) }
}

/// The quoted packet without the extensions that may follow it.
///
/// RFC 4884 section 5.2: byte 4 says how many 8-byte words of the packet are quoted; zero means all.
fn quote<'a>(header: &[u8; HEADER_LEN], data: &'a [u8]) -> &'a [u8] {
    match usize::from(header[4]) * 8 {
        0 => data,
        len => data.get(..len).unwrap_or(data),
    }
}
