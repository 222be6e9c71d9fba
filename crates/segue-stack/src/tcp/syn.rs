//! The SYN that a listener answers, and what of its packet a connection keeps.
//!
//! Decides what `TCP_SAVE_SYN` saves and which type of service `tcp_reflect_tos` reflects. What the segment says to the
//! machine is not decided here. Linux's tcp_reqsk_record_syn().
use segue_tcp::Segment;
use segue_wire::{IpVersion, Packet, SourceRoute};

use crate::IfaceId;
use crate::ip::input::Arrival;

/// How much of a SYN's packet is kept for an ICMP error about it, if its headers are not longer.
const QUOTE: usize = 128;
/// The two bits of the type of service that are ECN's (RFC 3168 section 5).
const ECN_MASK: u8 = 3;

/// A SYN for a listener.
#[derive(Clone, Copy)]
pub(crate) struct Syn<'a> {
    pub(crate) segment: &'a Segment,
    /// The front of its packet: every header, and perhaps some data.
    pub(crate) front: Option<&'a Packet>,
    /// Answers leave by this interface, whatever the routes say.
    pub(crate) pinned: Option<IfaceId>,
    /// It came along a source route: back along it.
    pub(crate) route: Option<SourceRoute>,
}

/// What a connection has of the packet that opened it.
#[derive(Debug, Default)]
pub(crate) struct OfSyn {
    /// Type of service or traffic class, without ECN.
    pub(crate) tos: u8,
    /// `TCP_SAVED_SYN`.
    pub(crate) saved: Option<Box<[u8]>>,
}

impl<'a> Syn<'a> {
    pub(crate) fn new(segment: &'a Segment, front: Option<&'a Packet>, arrival: &Arrival) -> Syn<'a> {
        Syn { segment, front, pinned: arrival.pinned, route: arrival.route }
    }

    /// Its type of service or traffic class, without ECN.
    pub(crate) fn tos(&self) -> u8 {
        let Some(front) = self.front else { return 0 };
        let whole = match (front.version(), front.head()) {
            (Some(IpVersion::V4), [_, tos, ..]) => *tos,
            (Some(IpVersion::V6), [first, second, ..]) => first << 4 | second >> 4,
            _ => 0,
        };
        without_ecn(whole)
    }

    /// What `TCP_SAVE_SYN` saves: all headers from IP's to TCP's. With 2 Linux begins at the link's header; the links of this
    /// stack carry IP and have none.
    pub(crate) fn saved(&self, mode: u8) -> Option<Box<[u8]>> {
        let head = self.front.filter(|_| mode != 0)?.head();
        Some(head[..head.len().min(self.segment.headers.into())].into())
    }
}

/// A type of service without ECN's bits.
pub(crate) fn without_ecn(tos: u8) -> u8 {
    tos & !ECN_MASK
}

/// The front of a SYN's packet, `headers` bytes of which are headers.
pub(crate) fn quote(packet: &Packet, headers: usize) -> Packet {
    let head = packet.head();
    let len = head.len().min(QUOTE.max(headers));
    let mut quote = Packet::from_headers(&head[..len], segue_wire::Chunks::new(), packet.checksum, None);
    quote.finish_checksum();
    quote
}
