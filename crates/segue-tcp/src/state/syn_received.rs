//! SYN-RECEIVED of an active open: both sides sent a SYN at the same time.
//!
//! Owns RFC 9293 section 3.10.7.4 for SYN-RECEIVED reached from SYN-SENT (figure 8).

use segue_wire::Instant;
use segue_wire::tcp::TcpFlags;

use crate::segment::{Segment, Transmit};
use crate::state::handshake::{Offer, PeerSyn};
use crate::state::syn_sent::Heard;
use crate::units::Seq;

#[derive(Debug)]
pub(crate) struct SynReceived {
    pub(crate) offer: Offer,
    pub(crate) peer: PeerSyn,
    /// SEG.WND of the peer's SYN, in bytes.
    pub(crate) window: u32,
    pub(crate) heard: Heard,
    pub(crate) ending: Ending,
}

/// What the application has said of its side before the handshake was over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    Open,
    /// shutdown(): as on Linux a FIN follows the handshake.
    FinQueued,
    /// close(): RFC 9293 section 3.10.4, the FIN left at once.
    FinSent {
        at: Instant,
    },
}

impl SynReceived {
    /// Whether the FIN that is out already is acknowledged by this, our SYN with it.
    pub(crate) fn is_finished_by(&self, segment: &Segment) -> bool {
        let number = Seq::new(segment.header.acknowledgment);
        self.has_finished() && segment.has(TcpFlags::ACK) && number == self.offer.iss + 2
    }

    /// The FIN has left.
    pub(crate) fn has_finished(&self) -> bool {
        matches!(self.ending, Ending::FinSent { .. })
    }

    /// The bare acknowledgment, numbered by what has left.
    pub(crate) fn acknowledge(&mut self, now: Instant) -> Transmit {
        let fin = u32::from(self.has_finished());
        let mut reply = self.offer.acknowledge(now, &self.peer);
        reply.header.sequence = reply.header.sequence.wrapping_add(fin);
        reply
    }

    /// RFC 9293 section 3.10.4: nothing was written, so the FIN is due.
    pub(crate) fn finish(&mut self, now: Instant) -> Transmit {
        self.ending = Ending::FinSent { at: now };
        let mut fin = self.offer.acknowledge(now, &self.peer);
        fin.header.flags |= TcpFlags::FIN;
        fin
    }
}
