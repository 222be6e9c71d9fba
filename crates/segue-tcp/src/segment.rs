//! Segments as the machine sees them: parsed on the way in, a header plus a gather list on the way out.
//!
//! Addresses, ports and checksums belong to the stack. Either kind may stand for
//! several equal-sized wire segments (GRO in, GSO out): `segment_size` says how large.

use segue_wire::tcp::{OptionBytes, TcpFlags, TcpHeader, TcpOptions};
use segue_wire::{Chunks, Ecn, SegmentationKind};

/// A parsed, checksum-verified segment (or super-segment) that has arrived.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Header; ports are not looked at.
    pub header: TcpHeader,
    /// Options.
    pub options: TcpOptions,
    /// Payload.
    pub payload: Chunks,
    /// Bytes of IP and TCP header in front of the payload; for what waiting payload is charged.
    pub headers: u16,
    /// Payload bytes of each wire segment inside a super-segment; the payload's length otherwise.
    pub segment_size: u16,
    /// ECN field of the IP header.
    pub ecn: Ecn,
}

impl Segment {
    /// SEG.LEN of RFC 9293 section 3.3.1: payload bytes plus one for each of SYN and FIN.
    pub fn sequence_len(&self) -> u32 {
        let control = u32::from(self.has(TcpFlags::SYN)) + u32::from(self.has(TcpFlags::FIN));
        (self.payload.len() as u32).wrapping_add(control)
    }

    /// Whether a control bit is set.
    #[inline]
    pub(crate) fn has(&self, flag: TcpFlags) -> bool {
        self.header.flags.contains(flag)
    }

    /// Wire segments inside: 1, more for a super-segment.
    #[inline]
    pub(crate) fn wire_segments(&self) -> u32 {
        let size = usize::from(self.segment_size);
        if size == 0 || self.payload.len() <= size { 1 } else { self.payload.len().div_ceil(size) as u32 }
    }
}

/// A segment (or super-segment) to send. The stack fills in ports and checksum.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// Header; both ports and the checksum are 0.
    pub header: TcpHeader,
    /// Options, padded.
    pub options: OptionBytes,
    /// Payload by reference.
    pub payload: Chunks,
    /// Payload bytes of each wire segment; at least the payload's length when it is a single one.
    pub segment_size: u16,
    /// How many of the wire segments inside have been sent before (retransmissions, for counting).
    pub resent: u32,
    /// ECN field for the IP header.
    pub ecn: Ecn,
    /// How a super-segment is cut: whether CWR is said once or part of a counter (RFC 9768).
    pub segmentation: SegmentationKind,
}
