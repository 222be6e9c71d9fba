//! Segments that need no connection, and resets.
//!
//! Owns RFC 9293 section 3.5.2 group 1 and 3.10.7.1: what answers a segment that belongs to nobody.

use segue_wire::tcp::{OptionBytes, TcpFlags, TcpHeader};
use segue_wire::{Chunks, Ecn, SegmentationKind};

use crate::segment::{Segment, Transmit};
use crate::units::{Local, Peer, Seq};

/// A segment without payload.
pub(crate) fn bare(
    sequence: Seq<Local>,
    acknowledgment: Option<Seq<Peer>>,
    flags: TcpFlags,
    window: u16,
    options: OptionBytes,
) -> Transmit {
    let header = TcpHeader {
        sequence: sequence.raw(),
        acknowledgment: acknowledgment.map_or(0, Seq::raw),
        flags: if acknowledgment.is_some() { flags | TcpFlags::ACK } else { flags },
        window,
        ..TcpHeader::default()
    };
    Transmit {
        header,
        options,
        payload: Chunks::new(),
        segment_size: 0,
        resent: 0,
        ecn: Ecn::NotEct,
        segmentation: SegmentationKind::Tcp,
    }
}

/// RFC 9293 section 3.10.7.1: the reset for a segment that belongs to no connection.
///
/// `None` for a segment that is a reset itself. Ports are left to the caller, who swaps them.
pub fn reset_for(segment: &Segment) -> Option<Transmit> {
    if segment.has(TcpFlags::RST) {
        return None;
    }
    Some(if segment.has(TcpFlags::ACK) {
        // <SEQ=SEG.ACK><CTL=RST>
        bare(Seq::new(segment.header.acknowledgment), None, TcpFlags::RST, 0, OptionBytes::EMPTY)
    } else {
        // <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
        let end = Seq::new(segment.header.sequence) + segment.sequence_len();
        bare(Seq::new(0), Some(end), TcpFlags::RST, 0, OptionBytes::EMPTY)
    })
}
