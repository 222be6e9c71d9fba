//! Loss detection by duplicate acknowledgments.
//!
//! Decides when a segment counts as lost. Owns RFC 5681 section 2 (what a duplicate is) and
//! 3.2 (three of them), RFC 6582's `recover` guard, and RFC 3042 (limited transmit: each
//! duplicate takes one segment off the flight, so one or two new ones may leave).

use crate::units::{Local, Packets, Seq};

/// RFC 3042 section 2: outstanding data may exceed cwnd by two segments.
const LIMITED_TRANSMIT: u16 = 2;

#[derive(Clone, Copy, Debug)]
pub(crate) struct DuplicateAcks {
    /// Duplicates since SND.UNA last moved (less those that partial acknowledgments ate).
    count: u16,
    /// New segments sent by limited transmit since the first of them.
    limited: u16,
    /// RFC 6582: no fast retransmit before something beyond this is acknowledged.
    recover: Seq<Local>,
}

impl DuplicateAcks {
    pub(crate) fn new(iss: Seq<Local>) -> DuplicateAcks {
        DuplicateAcks { count: 0, limited: 0, recover: iss }
    }

    /// Segments that have left the network without being named.
    pub(crate) fn arrived(&self) -> Packets {
        Packets(self.count.into())
    }

    /// As many of them as may be replaced by new ones before loss is found: two (RFC 3042 section 2).
    pub(crate) fn replaceable(&self) -> Packets {
        Packets(self.count.min(LIMITED_TRANSMIT).into())
    }

    pub(crate) fn seen(&self) -> bool {
        self.count > 0
    }

    /// One more (not more than there are segments behind the hole). Whether loss is found.
    pub(crate) fn on_duplicate(&mut self, una: Seq<Local>, outstanding: Packets, threshold: u8) -> bool {
        let most = u16::try_from(outstanding.0.saturating_sub(1)).unwrap_or(u16::MAX);
        self.count = self.count.saturating_add(1).min(most);
        // RFC 5681: with fewer than four segments outstanding three duplicates cannot come;
        // the timer finds that loss.
        self.count >= u16::from(threshold) && una.after(self.recover)
    }

    /// A new segment has left while duplicates were coming in.
    pub(crate) fn on_limited_transmit(&mut self, segments: u32) {
        self.limited = self.limited.saturating_add(segments as u16);
    }

    /// Segments that do not count as flight (RFC 5681 section 3.2 step 2).
    pub(crate) fn limited(&self) -> Packets {
        Packets(self.limited.into())
    }

    /// SND.UNA has advanced outside recovery, or recovery is over.
    pub(crate) fn reset(&mut self) {
        self.count = 0;
        self.limited = 0;
    }

    /// A partial acknowledgment of `acked` segments: one of them was the hole, the others are
    /// those that duplicates had announced.
    pub(crate) fn on_partial(&mut self, acked: Packets) {
        self.count = self.count.saturating_sub(u16::try_from(acked.0.saturating_sub(1)).unwrap_or(u16::MAX));
    }

    /// Recovery begins with this much sent.
    pub(crate) fn guard(&mut self, nxt: Seq<Local>) {
        self.recover = nxt;
        self.limited = 0;
    }

    /// SND.UNA moves on without loss: keep the guard from falling half the space behind.
    pub(crate) fn follow(&mut self, una: Seq<Local>) {
        if una.since(self.recover) > crate::units::HALF_SPACE / 2 && una.after(self.recover) {
            self.recover = una - 1;
        }
    }
}
