//! UDP headers (RFC 768; RFC 8200 section 8.1 for IPv6).
//!
//! Decides what a UDP header says and whether its checksum is acceptable: zero
//! means "none" over IPv4 and is forbidden over IPv6. Tunnels that may use zero
//! over IPv6 (RFC 6935) are not spoken here.

use crate::bytes_at::{be16, put16};
use crate::checksum::{self, Sum};
use crate::chunks::Chunks;
use crate::ip::Protocol;
use core::fmt;
use core::net::IpAddr;

/// Length of a UDP header, in bytes.
pub const HEADER_LEN: usize = 8;

/// A UDP header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct UdpHeader {
    /// Port of the sender; zero when no answer is expected.
    pub source_port: u16,
    /// Port of the receiver.
    pub destination_port: u16,
    /// Length of header and payload, bytes, at least 8.
    pub length: u16,
    /// Checksum field as on the wire; zero means none.
    pub checksum: u16,
}

/// Why bytes are not an acceptable UDP datagram.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum UdpError {
    /// Fewer bytes than a header has.
    Truncated,
    /// The length field is below 8, or more than there is.
    BadLength,
    /// The checksum does not fit the data.
    BadChecksum,
    /// No checksum over IPv6, where one is required.
    MissingChecksum,
}

impl fmt::Display for UdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UdpError::Truncated => "UDP datagram is shorter than a UDP header (8 bytes)",
            UdpError::BadLength => "UDP length is below 8 or beyond the end of the packet",
            UdpError::BadChecksum => "UDP checksum does not fit the datagram",
            UdpError::MissingChecksum => "UDP over IPv6 has no checksum",
        })
    }
}

impl core::error::Error for UdpError {}

impl UdpHeader {
    /// Reads the header at the front of `datagram`, of which at least the header must be there.
    ///
    /// Gives the header and its length. The length field is compared with what
    /// there is by [`UdpHeader::payload_len`], as the payload may lie elsewhere.
    ///
    /// # Errors
    /// [`UdpError::Truncated`]; [`UdpError::BadLength`] when the length field is below 8.
    pub fn parse(datagram: &[u8]) -> Result<(UdpHeader, usize), UdpError> {
        if datagram.len() < HEADER_LEN {
            return Err(UdpError::Truncated);
        }
        let header = UdpHeader {
            source_port: be16(datagram, 0),
            destination_port: be16(datagram, 2),
            length: be16(datagram, 4),
            checksum: be16(datagram, 6),
        };
        if usize::from(header.length) < HEADER_LEN {
            return Err(UdpError::BadLength);
        }
        Ok((header, HEADER_LEN))
    }

    /// Payload length the header claims, checked against `available`, the bytes
    /// of header and payload that the IP packet has. The rest is padding.
    ///
    /// # Errors
    /// [`UdpError::BadLength`].
    pub fn payload_len(&self, available: usize) -> Result<usize, UdpError> {
        let length = usize::from(self.length);
        if length > available || length < HEADER_LEN {
            return Err(UdpError::BadLength);
        }
        Ok(length - HEADER_LEN)
    }

    /// Writes the header, checksum as it is; nothing when `out` is shorter than 8 bytes.
    pub fn emit(&self, out: &mut [u8]) {
        if out.len() < HEADER_LEN {
            return;
        }
        put16(out, 0, self.source_port);
        put16(out, 2, self.destination_port);
        put16(out, 4, self.length);
        put16(out, 6, self.checksum);
    }
}

/// Sum of the pseudo-header of a datagram of `length` bytes, header included.
///
/// `None` when the addresses are of different versions.
pub fn pseudo_sum(source: IpAddr, destination: IpAddr, length: usize) -> Option<Sum> {
    checksum::pseudo_header(source, destination, Protocol::UDP, length)
}

/// The value of the checksum field for a finished sum: zero goes as all ones (RFC 768).
pub fn checksum_field(sum: Sum) -> u16 {
    match sum.checksum() {
        0 => 0xffff,
        value => value,
    }
}

/// Verifies the checksum of a datagram given as its first bytes and what follows them.
///
/// Both together must be exactly as long as the length field says.
///
/// # Errors
/// [`UdpError::MissingChecksum`] for zero over IPv6, [`UdpError::BadChecksum`].
pub fn verify_checksum(source: IpAddr, destination: IpAddr, front: &[u8], rest: &Chunks) -> Result<(), UdpError> {
    if be16(front, 6) == 0 {
        return match destination {
            // RFC 768: all zero means that the sender made none.
            IpAddr::V4(_) => Ok(()),
            // RFC 8200 section 8.1.
            IpAddr::V6(_) => Err(UdpError::MissingChecksum),
        };
    }
    let mut sum = pseudo_sum(source, destination, front.len() + rest.len()).ok_or(UdpError::BadChecksum)?;
    sum.add_slice(front);
    sum.add_chunks(rest);
    if sum.is_valid() { Ok(()) } else { Err(UdpError::BadChecksum) }
}
