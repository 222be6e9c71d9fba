//! Packet: one IP packet, or one super-segment, between a stack and a link.
//!
//! A packet from a device is one refcounted slice; one that the stack built is a
//! short inline header plus a gather list. Either way all headers lie contiguous
//! at the front of the head and the body continues its bytes.
//!
//! What is still owed before a plain wire may carry it is said by
//! [`ChecksumState`] and [`Segmentation`]; [`Packet::segments`] and
//! [`Packet::finish_checksum`] pay it.

use crate::checksum::{self, Sum};
use crate::chunks::Chunks;
use crate::ecn::Ecn;
use crate::ip::IpVersion;
use crate::segmentation::{self, Cuts, Segments};
use alloc::vec::Vec;
use bytes::{Buf, Bytes, BytesMut};
use core::fmt;

/// Longest header that travels inside the packet itself, in bytes.
///
/// IPv6 (40) plus TCP with all options (60) leaves 28 for an extension header.
pub const INLINE_HEADER: usize = 128;

/// What is known or owed about the transport checksum of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ChecksumState {
    /// The checksum field is final and must be verified by a receiver.
    #[default]
    Complete,
    /// The field holds only the folded sum of the pseudo-header.
    ///
    /// A receiver in the same machine trusts it; a wire needs it finished. The
    /// meaning is that of `csum_start` and `csum_offset` in `virtio_net_hdr`.
    Partial {
        /// Offset of the transport header from the start of the packet, in bytes.
        start: u16,
        /// Offset of the checksum field from `start`, in bytes.
        field: u16,
    },
    /// A device has verified it.
    Verified,
}

/// Which protocol a super-segment is cut by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SegmentationKind {
    /// TCP; CWR stays on the first segment only (RFC 3168 section 6.1.2).
    Tcp,
    /// TCP whose AE, CWR and ECE bits are a counter (RFC 9768): copied to every segment.
    TcpAccEcn,
    /// UDP: every piece becomes a datagram with its own UDP header.
    Udp,
}

/// A packet whose payload is cut every `size` bytes where a link cannot carry it whole.
///
/// On the way out that is GSO, on the way in GRO.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Segmentation {
    /// Payload bytes of each wire segment but the last; at least 1.
    pub size: u16,
    /// How it is cut.
    pub kind: SegmentationKind,
}

/// One IP packet or super-segment.
#[derive(Clone)]
pub struct Packet {
    head: Head,
    body: Chunks,
    /// What is known or owed about the transport checksum.
    pub checksum: ChecksumState,
    /// Set when this is a super-segment.
    pub segmentation: Option<Segmentation>,
}

#[derive(Clone)]
enum Head {
    Inline { len: u8, bytes: [u8; INLINE_HEADER] },
    Shared(Bytes),
}

impl Head {
    fn from_slice(headers: &[u8]) -> Head {
        if headers.len() > INLINE_HEADER {
            return Head::Shared(Bytes::copy_from_slice(headers));
        }
        let mut bytes = [0; INLINE_HEADER];
        bytes[..headers.len()].copy_from_slice(headers);
        Head::Inline { len: headers.len() as u8, bytes }
    }
}

impl Packet {
    /// A packet as a device gives it: contiguous, checksum to be verified.
    pub fn from_bytes(bytes: Bytes) -> Packet {
        Packet { head: Head::Shared(bytes), body: Chunks::new(), checksum: ChecksumState::Complete, segmentation: None }
    }

    /// A packet as a stack builds it.
    ///
    /// `headers` are all headers, IP to transport options. Up to
    /// [`INLINE_HEADER`] bytes are kept without an allocation.
    pub fn from_headers(
        headers: &[u8],
        body: Chunks,
        checksum: ChecksumState,
        segmentation: Option<Segmentation>,
    ) -> Packet {
        Packet { head: Head::from_slice(headers), body, checksum, segmentation }
    }

    /// Length from the first byte of the IP header to the end, in bytes.
    pub fn len(&self) -> usize {
        self.head().len() + self.body.len()
    }

    /// Whether there is not one byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The contiguous front: all headers, and the payload, too, when it came from a device.
    #[inline]
    pub fn head(&self) -> &[u8] {
        match &self.head {
            Head::Inline { len, bytes } => &bytes[..usize::from(*len).min(INLINE_HEADER)],
            Head::Shared(bytes) => bytes,
        }
    }

    /// Whether its payload lies in memory of whoever built it, of which it may be a small part; a packet from a device has
    /// a block of its own.
    pub fn borrows(&self) -> bool {
        matches!(self.head, Head::Inline { .. })
    }

    /// What follows the head.
    pub fn body(&self) -> &Chunks {
        &self.body
    }

    /// Version by the first four bits; `None` when they are neither 4 nor 6.
    pub fn version(&self) -> Option<IpVersion> {
        match self.head().first()? >> 4 {
            4 => Some(IpVersion::V4),
            6 => Some(IpVersion::V6),
            _ => None,
        }
    }

    /// Everything after the first `header_len` bytes. Copies only what lay in an inline head.
    pub fn into_payload(self, header_len: usize) -> Chunks {
        let Packet { head, mut body, .. } = self;
        let head_len = match &head {
            Head::Inline { len, .. } => usize::from(*len),
            Head::Shared(bytes) => bytes.len(),
        };
        if header_len >= head_len {
            body.advance(header_len - head_len);
            return body;
        }
        let rest = match head {
            Head::Inline { len, bytes } => Bytes::copy_from_slice(&bytes[header_len..usize::from(len)]),
            Head::Shared(mut bytes) => {
                bytes.advance(header_len);
                bytes
            }
        };
        if body.is_empty() {
            return Chunks::from(rest);
        }
        body.push_front(rest);
        body
    }

    /// The non-empty slices in order, for a gather write.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let head = Some(self.head()).filter(|head| !head.is_empty());
        head.into_iter().chain(self.body.iter().map(|part| &part[..]))
    }

    /// The packet in one slice. Copies unless it came from a device.
    pub fn to_bytes(&self) -> Bytes {
        if let (Head::Shared(bytes), true) = (&self.head, self.body.is_empty()) {
            return bytes.clone();
        }
        let mut all = BytesMut::with_capacity(self.len());
        for slice in self.slices() {
            all.extend_from_slice(slice);
        }
        all.freeze()
    }

    /// The packet copied into a vector.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len());
        for slice in self.slices() {
            all.extend_from_slice(slice);
        }
        all
    }

    /// Keeps the first `len` bytes: what lies behind the IP length is padding of the link.
    pub fn truncate(&mut self, len: usize) {
        let head_len = self.head().len();
        if len >= head_len {
            self.body.truncate(len - head_len);
            return;
        }
        self.body = Chunks::new();
        match &mut self.head {
            Head::Inline { len: kept, .. } => *kept = len as u8,
            Head::Shared(bytes) => bytes.truncate(len),
        }
    }

    /// Overwrites bytes of the head at `at`; `false` when they do not lie in it whole.
    ///
    /// A shared head is copied first (only its own bytes, the body stays shared),
    /// so that nobody else's view changes.
    pub fn write_head(&mut self, at: usize, bytes: &[u8]) -> bool {
        let Some(end) = at.checked_add(bytes.len()) else {
            return false;
        };
        if end > self.head().len() {
            return false;
        }
        match &mut self.head {
            Head::Inline { bytes: head, .. } => head[at..end].copy_from_slice(bytes),
            Head::Shared(shared) => {
                let mut own = match core::mem::take(shared).try_into_mut() {
                    Ok(own) => own,
                    Err(still_shared) => BytesMut::from(&still_shared[..]),
                };
                own[at..end].copy_from_slice(bytes);
                *shared = own.freeze();
            }
        }
        true
    }

    /// Finishes a [`ChecksumState::Partial`] checksum; nothing in the other states.
    ///
    /// For one wire packet: a super-segment is cut by [`Packet::segments`] first.
    /// A field that does not lie in the head makes the packet [`ChecksumState::Complete`]
    /// as it is; a receiver will find the checksum wrong.
    pub fn finish_checksum(&mut self) {
        let ChecksumState::Partial { start, field } = self.checksum else {
            return;
        };
        self.checksum = ChecksumState::Complete;
        let start = usize::from(start);
        let at = start + usize::from(field);
        if at + 2 > self.head().len() {
            return;
        }
        // The field holds the pseudo-header's sum, so summing over it adds that.
        let sum = self.sum_from(start);
        let value = match sum.checksum() {
            // RFC 768: zero would say that there is no checksum. For TCP both forms of zero verify.
            0 => 0xffff,
            value => value,
        };
        self.write_head(at, &value.to_be_bytes());
    }

    /// Ones-complement sum of all bytes from `start` on.
    pub fn sum_from(&self, start: usize) -> Sum {
        let mut sum = Sum::new();
        match self.head().get(start..) {
            Some(rest) => {
                sum.add_slice(rest);
                sum.add_chunks(&self.body);
            }
            None => {
                let skipped = start - self.head().len();
                let mut body = self.body.clone();
                body.advance(skipped);
                sum.add_chunks(&body);
            }
        }
        sum
    }

    /// Cuts a super-segment into wire packets with finished checksums.
    ///
    /// IP lengths, IPv4 identification and header checksum, TCP sequence numbers
    /// are set per packet; FIN and PSH stay on the last, CWR on the first. A
    /// packet without segmentation gives itself, checksum finished.
    pub fn segments(self) -> Segments {
        segmentation::cut(self)
    }

    /// Where this super-segment would be cut; `None` for a packet that stays whole.
    pub fn cuts(&self) -> Option<Cuts> {
        segmentation::cuts(self)
    }

    /// A run of the pieces that [`Packet::segments`] would give, as one packet: a smaller super-segment, or a wire packet
    /// when it is one piece. Its checksum is owed as the whole's was, and the payload is shared.
    ///
    /// `None` unless this is a super-segment with a [`ChecksumState::Partial`] checksum and the run has at least one piece.
    pub fn pieces(&self, first: usize, count: usize) -> Option<Packet> {
        segmentation::pieces(self, first, count)
    }

    /// The ECN codepoint; `None` when this is neither IPv4 nor IPv6.
    pub fn ecn(&self) -> Option<Ecn> {
        let head = self.head();
        match self.version()? {
            IpVersion::V4 => head.get(1).map(|&tos| Ecn::from_traffic_class(tos)),
            IpVersion::V6 => head.get(1).map(|&second| Ecn::from_traffic_class(second >> 4)),
        }
    }

    /// Marks the packet as having met congestion, if its sender takes part in ECN (RFC 3168 section 5); the IPv4 header
    /// checksum is brought up to date. Whether it carries the mark now.
    pub fn mark_congestion(&mut self) -> bool {
        match self.ecn() {
            None | Some(Ecn::NotEct) => return false,
            Some(Ecn::Ce) => return true,
            Some(Ecn::Ect0 | Ecn::Ect1) => {}
        }
        let [first, second] = [0, 1].map(|at| self.head().get(at).copied().unwrap_or_default());
        if self.version() == Some(IpVersion::V6) {
            return self.write_head(1, &[second | 0x30]);
        }
        let Some(&sum) = self.head().get(10..).and_then(|rest| rest.first_chunk::<2>()) else { return false };
        let [old, new] = [second, second | 3].map(|tos| u16::from_be_bytes([first, tos]));
        let sum = checksum::update_u16(u16::from_be_bytes(sum), old, new);
        self.write_head(1, &[second | 3]) && self.write_head(10, &sum.to_be_bytes())
    }

    /// How many packets [`Packet::segments`] would give: what this counts for at a link.
    pub fn wire_packets(&self) -> usize {
        segmentation::count(self)
    }
}

/// Packets are equal when their bytes and what they owe are, however they are cut.
impl PartialEq for Packet {
    fn eq(&self, other: &Packet) -> bool {
        self.checksum == other.checksum
            && self.segmentation == other.segmentation
            && self.len() == other.len()
            && self.slices().flatten().eq(other.slices().flatten())
    }
}

impl Eq for Packet {}

impl From<Bytes> for Packet {
    fn from(bytes: Bytes) -> Packet {
        Packet::from_bytes(bytes)
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("len", &self.len())
            .field("checksum", &self.checksum)
            .field("segmentation", &self.segmentation)
            .finish_non_exhaustive()
    }
}
