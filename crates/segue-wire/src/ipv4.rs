//! IPv4 headers (RFC 791): fields, options as raw bytes, header checksum, fragments.
//!
//! Decides whether a header can be believed: version, header length, total
//! length, checksum. Reassembly and what options ask for are decided elsewhere.

use crate::bytes_at::{be16, byte, ipv4_at, put, put16};
use crate::checksum;
use crate::ecn::Ecn;
use crate::ip::Protocol;
use core::fmt;
use core::net::Ipv4Addr;

/// Length of a header without options, in bytes.
pub const MIN_HEADER_LEN: usize = 20;
/// Length of the longest header, in bytes.
pub const MAX_HEADER_LEN: usize = 60;
/// Every host takes datagrams of this size, reassembled or whole (RFC 791 section 3.1), in bytes.
pub const MIN_REASSEMBLY: usize = 576;
/// Smallest MTU of a link that carries IPv4, in bytes (RFC 791 section 3.2).
pub const MIN_MTU: usize = 68;

const RESERVED: u16 = 0x8000;
const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;

/// The fields of an IPv4 header. Options are kept apart as raw bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ipv4Header {
    /// Type of service: DSCP in the high six bits, ECN in the low two.
    pub traffic_class: u8,
    /// Length of header and payload, bytes.
    pub total_length: u16,
    /// Identifies the fragments of one datagram.
    pub identification: u16,
    /// The reserved flag bit: zero when sent, ignored when received.
    pub reserved: bool,
    /// No router may fragment.
    pub dont_fragment: bool,
    /// More fragments follow this one.
    pub more_fragments: bool,
    /// Where this fragment belongs, bytes, a multiple of 8.
    pub fragment_offset: u16,
    /// How many hops are left.
    pub ttl: u8,
    /// What follows the header.
    pub protocol: Protocol,
    /// Header checksum as on the wire; emitting computes it anew.
    pub checksum: u16,
    /// Address of the sender.
    pub source: Ipv4Addr,
    /// Address of the receiver.
    pub destination: Ipv4Addr,
}

/// Why bytes are not an acceptable IPv4 header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Ipv4Error {
    /// Fewer bytes than the header has.
    Truncated,
    /// The version is not 4.
    BadVersion,
    /// The header length is below 20 bytes.
    BadHeaderLength,
    /// The total length is below the header length, or more than there is.
    BadTotalLength,
    /// The header checksum does not fit.
    BadChecksum,
}

impl fmt::Display for Ipv4Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ipv4Error::Truncated => "packet is shorter than its IPv4 header",
            Ipv4Error::BadVersion => "IP version is not 4",
            Ipv4Error::BadHeaderLength => "IPv4 header length is below 20 bytes",
            Ipv4Error::BadTotalLength => "IPv4 total length is below the header length or beyond the packet",
            Ipv4Error::BadChecksum => "IPv4 header checksum does not fit the header",
        })
    }
}

impl core::error::Error for Ipv4Error {}

impl Default for Ipv4Header {
    /// TTL 64, don't fragment, everything else zero.
    fn default() -> Ipv4Header {
        Ipv4Header {
            traffic_class: 0,
            total_length: 0,
            identification: 0,
            reserved: false,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            ttl: 64,
            protocol: Protocol(0),
            checksum: 0,
            source: Ipv4Addr::UNSPECIFIED,
            destination: Ipv4Addr::UNSPECIFIED,
        }
    }
}

impl Ipv4Header {
    /// Reads and verifies the header at the front of `packet`.
    ///
    /// Gives the header and its length; options lie between byte 20 and there.
    /// `packet` may end behind the header: whether the payload is all there is
    /// answered by [`Ipv4Header::payload_len`].
    ///
    /// # Errors
    /// One variant of [`Ipv4Error`] per reason.
    #[inline]
    pub fn parse(packet: &[u8]) -> Result<(Ipv4Header, usize), Ipv4Error> {
        let (header, header_len) = Ipv4Header::parse_quoted(packet)?;
        if usize::from(header.total_length) < header_len {
            return Err(Ipv4Error::BadTotalLength);
        }
        // RFC 1122 section 3.2.1.2: verified on every datagram.
        if checksum::checksum(&packet[..header_len]) != 0 {
            return Err(Ipv4Error::BadChecksum);
        }
        Ok((header, header_len))
    }

    /// Reads a header quoted by an ICMP error: length and checksum are not
    /// believed, as routers quote headers that they have changed.
    ///
    /// # Errors
    /// [`Ipv4Error::Truncated`], [`Ipv4Error::BadVersion`], [`Ipv4Error::BadHeaderLength`].
    #[inline]
    pub fn parse_quoted(packet: &[u8]) -> Result<(Ipv4Header, usize), Ipv4Error> {
        let Some(fixed) = packet.first_chunk::<MIN_HEADER_LEN>() else {
            return Err(Ipv4Error::Truncated);
        };
        if fixed[0] >> 4 != 4 {
            return Err(Ipv4Error::BadVersion);
        }
        let header_len = usize::from(fixed[0] & 15) * 4;
        if header_len < MIN_HEADER_LEN {
            return Err(Ipv4Error::BadHeaderLength);
        }
        if packet.len() < header_len {
            return Err(Ipv4Error::Truncated);
        }
        let fragment = be16(fixed, 6);
        let header = Ipv4Header {
            traffic_class: fixed[1],
            total_length: be16(fixed, 2),
            identification: be16(fixed, 4),
            reserved: fragment & RESERVED != 0,
            dont_fragment: fragment & DONT_FRAGMENT != 0,
            more_fragments: fragment & MORE_FRAGMENTS != 0,
            fragment_offset: (fragment & 0x1fff) * 8,
            ttl: byte(fixed, 8),
            protocol: Protocol(byte(fixed, 9)),
            checksum: be16(fixed, 10),
            source: ipv4_at(fixed, 12),
            destination: ipv4_at(fixed, 16),
        };
        Ok((header, header_len))
    }

    /// Payload length by the total length, checked against `available`, the
    /// bytes of the whole packet. What is beyond is padding of the link.
    ///
    /// # Errors
    /// [`Ipv4Error::BadTotalLength`].
    pub fn payload_len(&self, header_len: usize, available: usize) -> Result<usize, Ipv4Error> {
        let total = usize::from(self.total_length);
        if total > available {
            return Err(Ipv4Error::BadTotalLength);
        }
        total.checked_sub(header_len).ok_or(Ipv4Error::BadTotalLength)
    }

    /// Whether this is a piece of a datagram, not all of it.
    pub fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset != 0
    }

    /// ECN codepoint.
    pub fn ecn(&self) -> Ecn {
        Ecn::from_traffic_class(self.traffic_class)
    }

    /// Writes a header without options, checksum computed; nothing when `out` is shorter than 20 bytes.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) {
        self.emit_with_options(&[], out);
    }

    /// Writes header and options (padded with zeroes to a multiple of four), checksum computed.
    ///
    /// Returns the length written; zero, and nothing written, when the options
    /// are longer than 40 bytes or `out` is too short.
    pub fn emit_with_options(&self, options: &[u8], out: &mut [u8]) -> usize {
        let len = MIN_HEADER_LEN + options.len().next_multiple_of(4);
        if len > MAX_HEADER_LEN {
            return 0;
        }
        let Some(out) = out.get_mut(..len) else {
            return 0;
        };
        out[0] = 0x40 | (len / 4) as u8;
        out[1] = self.traffic_class;
        put16(out, 2, self.total_length);
        put16(out, 4, self.identification);
        let mut fragment = self.fragment_offset / 8;
        for (set, bit) in
            [(self.reserved, RESERVED), (self.dont_fragment, DONT_FRAGMENT), (self.more_fragments, MORE_FRAGMENTS)]
        {
            fragment |= if set { bit } else { 0 };
        }
        put16(out, 6, fragment);
        out[8] = self.ttl;
        out[9] = self.protocol.0;
        put16(out, 10, 0);
        put(out, 12, &self.source.octets());
        put(out, 16, &self.destination.octets());
        out[MIN_HEADER_LEN..].fill(0);
        put(out, MIN_HEADER_LEN, options);
        let sum = checksum::checksum(out);
        put16(out, 10, sum);
        len
    }
}
