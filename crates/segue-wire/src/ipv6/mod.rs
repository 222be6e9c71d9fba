//! IPv6 headers (RFC 8200): the fixed header; extension headers are in [`extension`].
//!
//! Decides whether a fixed header can be believed. A jumbogram (payload length
//! zero with a hop-by-hop header, RFC 2675) is refused by the walk over the
//! extension headers.

pub mod extension;

use crate::bytes_at::{be16, be32, ipv6_at, put, put16};
use crate::ecn::Ecn;
use crate::ip::Protocol;
use core::fmt;
use core::net::Ipv6Addr;

pub use extension::{Chain, ExtensionError, FragmentHeader, OptionAction, ParameterProblemCode, walk};

/// Length of the fixed header, in bytes.
pub const HEADER_LEN: usize = 40;
/// Smallest MTU of a link that carries IPv6, in bytes (RFC 8200 section 5).
pub const MIN_MTU: usize = 1280;

/// The fields of an IPv6 header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ipv6Header {
    /// Traffic class: DSCP in the high six bits, ECN in the low two.
    pub traffic_class: u8,
    /// Flow label, 20 bits.
    pub flow_label: u32,
    /// Length of everything behind this header, bytes.
    pub payload_length: u16,
    /// What follows this header.
    pub next_header: Protocol,
    /// How many hops are left.
    pub hop_limit: u8,
    /// Address of the sender.
    pub source: Ipv6Addr,
    /// Address of the receiver.
    pub destination: Ipv6Addr,
}

/// Why bytes are not an acceptable IPv6 header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Ipv6Error {
    /// Fewer bytes than the header has.
    Truncated,
    /// The version is not 6.
    BadVersion,
    /// The payload length is more than there is.
    BadPayloadLength,
}

impl fmt::Display for Ipv6Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ipv6Error::Truncated => "packet is shorter than an IPv6 header (40 bytes)",
            Ipv6Error::BadVersion => "IP version is not 6",
            Ipv6Error::BadPayloadLength => "IPv6 payload length is beyond the packet",
        })
    }
}

impl core::error::Error for Ipv6Error {}

impl Default for Ipv6Header {
    /// Hop limit 64, everything else zero.
    fn default() -> Ipv6Header {
        Ipv6Header {
            traffic_class: 0,
            flow_label: 0,
            payload_length: 0,
            next_header: Protocol::NO_NEXT_HEADER,
            hop_limit: 64,
            source: Ipv6Addr::UNSPECIFIED,
            destination: Ipv6Addr::UNSPECIFIED,
        }
    }
}

impl Ipv6Header {
    /// Reads the header at the front of `packet`, which may end behind it.
    ///
    /// Gives the header and its length, always 40. Whether the payload is all
    /// there is answered by [`Ipv6Header::payload_len`].
    ///
    /// # Errors
    /// [`Ipv6Error::Truncated`], [`Ipv6Error::BadVersion`].
    #[inline]
    pub fn parse(packet: &[u8]) -> Result<(Ipv6Header, usize), Ipv6Error> {
        let Some(fixed) = packet.first_chunk::<HEADER_LEN>() else {
            return Err(Ipv6Error::Truncated);
        };
        let word = be32(fixed, 0);
        if word >> 28 != 6 {
            return Err(Ipv6Error::BadVersion);
        }
        let header = Ipv6Header {
            traffic_class: (word >> 20) as u8,
            flow_label: word & 0xf_ffff,
            payload_length: be16(fixed, 4),
            next_header: Protocol(fixed[6]),
            hop_limit: fixed[7],
            source: ipv6_at(fixed, 8),
            destination: ipv6_at(fixed, 24),
        };
        Ok((header, HEADER_LEN))
    }

    /// Payload length, checked against `available`, the bytes of the whole
    /// packet. What is beyond is padding of the link.
    ///
    /// # Errors
    /// [`Ipv6Error::BadPayloadLength`].
    pub fn payload_len(&self, available: usize) -> Result<usize, Ipv6Error> {
        let length = usize::from(self.payload_length);
        if HEADER_LEN + length > available {
            return Err(Ipv6Error::BadPayloadLength);
        }
        Ok(length)
    }

    /// ECN codepoint.
    pub fn ecn(&self) -> Ecn {
        Ecn::from_traffic_class(self.traffic_class)
    }

    /// Writes the header; nothing when `out` is shorter than 40 bytes.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) {
        if out.len() < HEADER_LEN {
            return;
        }
        let word = 6 << 28 | u32::from(self.traffic_class) << 20 | self.flow_label & 0xf_ffff;
        put(out, 0, &word.to_be_bytes());
        put16(out, 4, self.payload_length);
        out[6] = self.next_header.0;
        out[7] = self.hop_limit;
        put(out, 8, &self.source.octets());
        put(out, 24, &self.destination.octets());
    }
}
