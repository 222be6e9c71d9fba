//! SYN-SENT: our SYN is out, nothing is known of the peer.
//!
//! Owns RFC 9293 section 3.10.7.3.

use segue_wire::Instant;
use segue_wire::tcp::TcpFlags;

use crate::drop::DropReason;
use crate::segment::{Segment, Transmit};
use crate::state::handshake::{Offer, PeerSyn};
use crate::state::reset::reset_for;
use crate::units::{Local, Seq};

#[derive(Debug)]
pub(crate) struct SynSent {
    pub(crate) offer: Offer,
    pub(crate) heard: Heard,
}

/// Segments that have come and not opened the connection.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Heard {
    pub(crate) segments: u32,
    /// Those with text.
    pub(crate) with_text: u32,
}

impl Heard {
    /// With one more segment.
    pub(crate) fn and(self, segment: &Segment) -> Heard {
        let segments = segment.wire_segments();
        let text = if segment.payload.is_empty() { 0 } else { segments };
        Heard { segments: self.segments.wrapping_add(segments), with_text: self.with_text.wrapping_add(text) }
    }
}

/// What a segment means in SYN-SENT.
#[derive(Debug)]
pub(crate) enum Answer {
    Drop(DropReason),
    /// It acknowledges something else: send this and drop the segment.
    Unacceptable(Option<Transmit>, DropReason),
    /// Send this and drop the segment.
    Reset(Transmit, DropReason),
    /// Nobody listens there.
    Refused,
    /// SYN and ACK: synchronised.
    Established(PeerSyn),
    /// A bare SYN: simultaneous open.
    Simultaneous(PeerSyn),
}

impl SynSent {
    pub(crate) fn on_segment(&self, now: Instant, segment: &Segment) -> Answer {
        let acknowledgment = Seq::<Local>::new(segment.header.acknowledgment);
        let acks = segment.has(TcpFlags::ACK);
        // First: the ACK bit. "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset";
        // without data (RFC 7413) a SYN takes one number, so only one acknowledgment is acceptable.
        if acks && !self.offer.is_acknowledged_by(acknowledgment) {
            return Answer::Unacceptable(reset_for(segment), DropReason::BadHandshakeAck);
        }
        if acks && !self.offer.has_possible_echo(now, segment) {
            // As Linux: an echo of an earlier incarnation's clock.
            return match reset_for(segment) {
                Some(reset) => Answer::Reset(reset, DropReason::StaleEcho),
                None => Answer::Drop(DropReason::StaleEcho),
            };
        }
        // Second: RST counts only when it acknowledges our SYN (RFC 5961 section 3.2).
        if segment.has(TcpFlags::RST) {
            return if acks { Answer::Refused } else { Answer::Drop(DropReason::InvalidReset) };
        }
        // Fourth: SYN.
        match (segment.has(TcpFlags::SYN), acks) {
            (true, true) => Answer::Established(PeerSyn::read(segment)),
            (true, false) => Answer::Simultaneous(PeerSyn::read(segment)),
            (false, _) => Answer::Drop(DropReason::NoFlags),
        }
    }
}
