//! What a packet owes, as the kernel says it: the virtio header in front of each packet.
//!
//! Decides which packets the kernel finishes (`virtio_net_hdr`, include/uapi/linux/virtio_net.h, ten bytes
//! in native byte order) and which are finished here. The kernel cuts TCP and, from
//! 6.2 on, UDP; a CWR that is part of the AccECN counter would be lost by its cutting.

use segue_wire::{ChecksumState, Packet, Segmentation, SegmentationKind, TcpFlags};

/// Length of the header, in bytes.
pub(super) const HEADER: usize = 10;

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
const GSO_UDP_L4: u8 = 5;
const GSO_ECN: u8 = 0x80;

/// What the device and this process leave unfinished for each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Offload {
    /// Nothing: plain packets, no header.
    None,
    /// Checksums and TCP segmentation; UDP segmentation if `udp`.
    Virtio { udp: bool },
}

/// The header for a packet as it is, or `None` when it has to be finished first.
pub(super) fn describe(packet: &Packet, udp: bool) -> Option<[u8; HEADER]> {
    let mut header = [0; HEADER];
    let ChecksumState::Partial { start, field } = packet.checksum else {
        // The kernel cuts only what it also sums up.
        if packet.segmentation.is_some() {
            return None;
        }
        if packet.checksum == ChecksumState::Verified {
            header[0] = DATA_VALID;
        }
        return Some(header);
    };
    header[0] = NEEDS_CSUM;
    header[6..8].copy_from_slice(&start.to_ne_bytes());
    header[8..10].copy_from_slice(&field.to_ne_bytes());
    let Some(segmentation) = packet.segmentation else { return Some(header) };
    let (kind, transport_len) = kind_of(packet, segmentation.kind, usize::from(start), udp)?;
    header[1] = kind;
    header[2..4].copy_from_slice(&(start + transport_len).to_ne_bytes());
    header[4..6].copy_from_slice(&segmentation.size.to_ne_bytes());
    Some(header)
}

/// The kernel's name for a way of cutting, and the length of the transport header.
fn kind_of(packet: &Packet, kind: SegmentationKind, start: usize, udp: bool) -> Option<(u8, u16)> {
    if kind == SegmentationKind::Udp {
        return udp.then_some((GSO_UDP_L4, 8));
    }
    let head = packet.head();
    let len = u16::from(*head.get(start + 12)? >> 4) * 4;
    let cwr = u16::from(*head.get(start + 13)?) & TcpFlags::CWR.bits() != 0;
    let ecn = match kind {
        SegmentationKind::TcpAccEcn if cwr => return None,
        _ if cwr => GSO_ECN,
        _ => 0,
    };
    let version = if head.first()? >> 4 == 6 { GSO_TCPV6 } else { GSO_TCPV4 };
    Some((version | ecn, len))
}

/// What the header in front of a received packet says about it.
pub(super) fn understand(header: &[u8; HEADER], len: usize) -> (ChecksumState, Option<Segmentation>) {
    let word = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
    let (start, field) = (word(6), word(8));
    let inside = usize::from(start) + usize::from(field) + 2 <= len;
    let checksum = match header[0] {
        flags if flags & NEEDS_CSUM != 0 && inside => ChecksumState::Partial { start, field },
        flags if flags & DATA_VALID != 0 => ChecksumState::Verified,
        _ => ChecksumState::Complete,
    };
    let kind = match header[1] & !GSO_ECN {
        GSO_TCPV4 | GSO_TCPV6 => Some(SegmentationKind::Tcp),
        GSO_UDP_L4 => Some(SegmentationKind::Udp),
        _ => None,
    };
    let size = word(4);
    (checksum, kind.filter(|_| size > 0).map(|kind| Segmentation { size, kind }))
}
