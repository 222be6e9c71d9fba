//! Packets for this crate's tests, and how to judge them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use segue_wire::{
    Bytes, ChecksumState, Chunks, IpView, Ipv4Header, Ipv6Header, Packet, Protocol, Segmentation, SegmentationKind,
    checksum, ipv4, ipv6,
};

pub(crate) const V4: (IpAddr, IpAddr) =
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)));
pub(crate) const V6: (IpAddr, IpAddr) =
    (IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2)));

/// A TCP packet as the stack makes it: checksum owed, payload in pieces; a super-segment when it is long.
pub(crate) fn tcp_packet((source, destination): (IpAddr, IpAddr), payload: usize) -> Packet {
    let tcp_len = 20 + payload;
    let mut headers = [0; 60];
    let start = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let total_length = (ipv4::MIN_HEADER_LEN + tcp_len) as u16;
            Ipv4Header {
                total_length,
                dont_fragment: true,
                protocol: Protocol::TCP,
                source,
                destination,
                ..Ipv4Header::default()
            }
            .emit(&mut headers);
            ipv4::MIN_HEADER_LEN
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let payload_length = tcp_len as u16;
            Ipv6Header { payload_length, next_header: Protocol::TCP, source, destination, ..Ipv6Header::default() }
                .emit(&mut headers);
            ipv6::HEADER_LEN
        }
        _ => unreachable!("both addresses are of one family"),
    };
    let pseudo = checksum::pseudo_header(source, destination, Protocol::TCP, tcp_len).expect("one family");
    let tcp = &mut headers[start..start + 20];
    tcp[..4].copy_from_slice(&[0x1f, 0x90, 0, 80]);
    tcp[4..8].copy_from_slice(&1000_u32.to_be_bytes());
    tcp[12] = 5 << 4;
    tcp[13] = 0x18;
    tcp[14..16].copy_from_slice(&1000_u16.to_be_bytes());
    tcp[16..18].copy_from_slice(&pseudo.fold().to_be_bytes());
    let mut body = Chunks::new();
    body.push_back(Bytes::from(vec![0xa5; payload / 2]));
    body.push_back(Bytes::from(vec![0x5a; payload - payload / 2]));
    // Segments of 1488 bytes in all, in both families.
    let size = (1468 - start) as u16;
    let segmentation = (payload > usize::from(size)).then_some(Segmentation { size, kind: SegmentationKind::Tcp });
    let partial = ChecksumState::Partial { start: start as u16, field: 16 };
    Packet::from_headers(&headers[..start + 20], body, partial, segmentation)
}

/// Whether the transport checksum fits the bytes of a TCP or UDP packet.
pub(crate) fn checksum_is_valid(bytes: &[u8]) -> bool {
    let packet = Packet::from_bytes(Bytes::copy_from_slice(bytes));
    let Ok(view) = IpView::parse(&packet) else { return false };
    let Some(mut sum) = checksum::pseudo_header(view.source, view.destination, view.protocol, view.transport_len())
    else {
        return false;
    };
    sum.add_slice(&bytes[view.transport..view.length]);
    sum.is_valid()
}

/// Counts how often it was called.
#[derive(Default)]
pub(crate) struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bell {
    pub(crate) fn new() -> (Arc<Bell>, Waker) {
        let bell = Arc::new(Bell::default());
        (bell.clone(), Waker::from(bell))
    }

    /// Calls since last asked.
    pub(crate) fn rung(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}
