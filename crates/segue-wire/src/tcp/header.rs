//! The fixed part of a TCP header: ports, numbers, flags, window (RFC 9293 section 3.1).
//!
//! Parsing rejects only what cannot be read (too short, a data offset that lies).
//! Every combination of flags is readable; which of them a receiver drops is the
//! receiver's rule, and Linux processes most of them. Data offset and checksum
//! are the two fields that emitting computes or takes from elsewhere.

use super::option_values::OptionBytes;
use crate::bytes_at::{be16, be32, byte, put, put16};
use crate::checksum::{self, Sum};
use crate::chunks::Chunks;
use crate::ip::Protocol;
use core::fmt;
use core::net::IpAddr;

/// Length of a TCP header without options, in bytes.
pub const MIN_HEADER_LEN: usize = 20;
/// Length of the longest TCP header, in bytes.
pub const MAX_HEADER_LEN: usize = 60;

bitflags::bitflags! {
    /// Control bits of a TCP header; the value is that of the 16-bit word, low nine bits.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct TcpFlags: u16 {
        /// No more data from the sender.
        const FIN = 1;
        /// Synchronise sequence numbers.
        const SYN = 2;
        /// Reset the connection.
        const RST = 4;
        /// Push.
        const PSH = 8;
        /// The acknowledgement field is significant.
        const ACK = 16;
        /// The urgent pointer is significant.
        const URG = 32;
        /// ECN echo (RFC 3168).
        const ECE = 64;
        /// Congestion window reduced (RFC 3168).
        const CWR = 128;
        /// Accurate ECN (RFC 9768).
        const AE = 256;
    }
}

/// Control bits that no sender means together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FlagContradiction {
    /// SYN and FIN. A listener drops it, as Linux does; elsewhere it is handled as a SYN.
    SynFin,
    /// SYN and RST. Handled as a RST, as Linux does.
    SynRst,
    /// FIN without ACK. In a synchronised state the missing ACK drops it.
    FinWithoutAck,
    /// None of SYN, ACK and RST. In a synchronised state the missing ACK drops it.
    Nothing,
}

impl fmt::Display for FlagContradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FlagContradiction::SynFin => "SYN together with FIN",
            FlagContradiction::SynRst => "SYN together with RST",
            FlagContradiction::FinWithoutAck => "FIN without ACK",
            FlagContradiction::Nothing => "none of SYN, ACK and RST",
        })
    }
}

impl TcpFlags {
    /// What contradicts itself in these flags, the weightiest first; `None` when they make sense.
    ///
    /// Parsing does not reject such segments, because Linux processes some of
    /// them: a RST counts whatever else is set; SYN and FIN together are dropped
    /// by a listener; a segment with neither SYN, ACK nor RST is dropped in
    /// every synchronised state.
    pub fn contradiction(self) -> Option<FlagContradiction> {
        if self.contains(TcpFlags::SYN | TcpFlags::RST) {
            Some(FlagContradiction::SynRst)
        } else if self.contains(TcpFlags::SYN | TcpFlags::FIN) {
            Some(FlagContradiction::SynFin)
        } else if self.intersects(TcpFlags::SYN | TcpFlags::ACK | TcpFlags::RST) {
            None
        } else if self.contains(TcpFlags::FIN) {
            Some(FlagContradiction::FinWithoutAck)
        } else {
            Some(FlagContradiction::Nothing)
        }
    }

    /// The ACE counter of Accurate ECN: AE, CWR, ECE as a number 0..=7 (RFC 9768 section 3.2).
    pub fn ace(self) -> u8 {
        (self.bits() >> 6 & 7) as u8
    }

    /// These flags with AE, CWR and ECE showing the low three bits of `ace`.
    pub fn with_ace(self, ace: u8) -> TcpFlags {
        TcpFlags::from_bits_truncate(self.bits() & !(7 << 6) | u16::from(ace & 7) << 6)
    }
}

/// The fixed fields of a TCP header.
///
/// Flags and reserved bits are separate, so no field can hold a value that the
/// wire cannot, but for `reserved`, of which only the low three bits are sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct TcpHeader {
    /// Port of the sender.
    pub source_port: u16,
    /// Port of the receiver.
    pub destination_port: u16,
    /// Sequence number of the first byte (of the SYN when that is set).
    pub sequence: u32,
    /// Next sequence number the sender expects, when ACK is set.
    pub acknowledgment: u32,
    /// The three reserved bits: zero when sent, ignored when received.
    pub reserved: u8,
    /// Control bits.
    pub flags: TcpFlags,
    /// Window as on the wire, not scaled.
    pub window: u16,
    /// Checksum field as on the wire.
    pub checksum: u16,
    /// Urgent pointer: offset from `sequence`, when URG is set.
    pub urgent: u16,
}

/// Why bytes are not a TCP header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum TcpError {
    /// Fewer bytes than a header has.
    Truncated,
    /// The data offset is below 5 words or beyond the end of the segment.
    BadDataOffset,
    /// The checksum does not fit the data.
    BadChecksum,
}

impl fmt::Display for TcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TcpError::Truncated => "TCP segment is shorter than a TCP header (20 bytes)",
            TcpError::BadDataOffset => "TCP data offset is below 5 or points beyond the segment",
            TcpError::BadChecksum => "TCP checksum does not fit the segment",
        })
    }
}

impl core::error::Error for TcpError {}

impl TcpHeader {
    /// Reads the header at the front of `segment`, which must hold it whole.
    ///
    /// Gives the header, its raw options (see [`super::TcpOptions::parse`]) and its
    /// length in bytes, where the payload starts. The checksum is not verified
    /// here: see [`verify_checksum`].
    ///
    /// # Errors
    /// [`TcpError::Truncated`], [`TcpError::BadDataOffset`].
    #[inline]
    pub fn parse(segment: &[u8]) -> Result<(TcpHeader, &[u8], usize), TcpError> {
        let Some(fixed) = segment.first_chunk::<MIN_HEADER_LEN>() else {
            return Err(TcpError::Truncated);
        };
        let header_len = usize::from(fixed[12] >> 4) * 4;
        // RFC 9293 section 3.1: data offset, at least 5 words.
        let options = segment.get(MIN_HEADER_LEN..header_len).ok_or(TcpError::BadDataOffset)?;
        Ok((TcpHeader::read(fixed), options, header_len))
    }

    /// Reads the fixed fields from the front of a quoted segment, as an ICMP error carries it.
    ///
    /// Only ports and sequence number are certain to be there (RFC 792: eight
    /// bytes); `None` when even those are not. Absent fields are zero.
    pub fn parse_quoted(segment: &[u8]) -> Option<TcpHeader> {
        if segment.len() < 8 {
            return None;
        }
        let mut fixed = [0; MIN_HEADER_LEN];
        let n = segment.len().min(MIN_HEADER_LEN);
        fixed[..n].copy_from_slice(&segment[..n]);
        Some(TcpHeader::read(&fixed))
    }

    #[inline]
    fn read(fixed: &[u8; MIN_HEADER_LEN]) -> TcpHeader {
        let word = be16(fixed, 12);
        TcpHeader {
            source_port: be16(fixed, 0),
            destination_port: be16(fixed, 2),
            sequence: be32(fixed, 4),
            acknowledgment: be32(fixed, 8),
            reserved: byte(fixed, 12) >> 1 & 7,
            flags: TcpFlags::from_bits_truncate(word),
            window: be16(fixed, 14),
            checksum: be16(fixed, 16),
            urgent: be16(fixed, 18),
        }
    }

    /// How much sequence space `payload_len` bytes under this header take: SYN and FIN count one each.
    pub fn sequence_len(&self, payload_len: usize) -> u32 {
        payload_len as u32
            + u32::from(self.flags.contains(TcpFlags::SYN))
            + u32::from(self.flags.contains(TcpFlags::FIN))
    }
}

/// Writes header and options to the front of `out`; returns the length of both.
///
/// Data offset comes from `options`, the checksum field from the header as it
/// is. Zero, and nothing written, when `out` is too short.
#[inline]
pub fn emit(header: &TcpHeader, options: &OptionBytes, out: &mut [u8]) -> usize {
    let len = MIN_HEADER_LEN + options.len();
    let Some(out) = out.get_mut(..len) else {
        return 0;
    };
    put16(out, 0, header.source_port);
    put16(out, 2, header.destination_port);
    put(out, 4, &header.sequence.to_be_bytes());
    put(out, 8, &header.acknowledgment.to_be_bytes());
    let offset = (len as u16 / 4) << 12;
    put16(out, 12, offset | u16::from(header.reserved & 7) << 9 | header.flags.bits() & 0x1ff);
    put16(out, 14, header.window);
    put16(out, 16, header.checksum);
    put16(out, 18, header.urgent);
    put(out, MIN_HEADER_LEN, options);
    len
}

/// Sum of the pseudo-header of a segment of `length` bytes, header included.
///
/// Folded, it is what [`crate::ChecksumState::Partial`] wants in the field.
/// `None` when the addresses are of different versions.
pub fn pseudo_sum(source: IpAddr, destination: IpAddr, length: usize) -> Option<Sum> {
    checksum::pseudo_header(source, destination, Protocol::TCP, length)
}

/// Verifies the checksum of a segment given as its header bytes and what follows them.
///
/// # Errors
/// [`TcpError::BadChecksum`], also when the addresses are of different versions.
pub fn verify_checksum(source: IpAddr, destination: IpAddr, front: &[u8], rest: &Chunks) -> Result<(), TcpError> {
    let mut sum = pseudo_sum(source, destination, front.len() + rest.len()).ok_or(TcpError::BadChecksum)?;
    sum.add_slice(front);
    sum.add_chunks(rest);
    if sum.is_valid() { Ok(()) } else { Err(TcpError::BadChecksum) }
}
