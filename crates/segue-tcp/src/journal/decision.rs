//! What loss detection and recovery decide, for whoever wants to see it.

use core::time::Duration;

use segue_wire::Instant;

/// Linux's names of what a sender is doing about congestion (`tcpi_ca_state`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum CaState {
    /// Nothing is amiss.
    #[default]
    Open = 0,
    /// Something arrived out of order: perhaps a loss.
    Disorder = 1,
    /// The window comes down because of a mark of the network (ECN).
    Cwr = 2,
    /// Loss was found by acknowledgments: fast recovery.
    Recovery = 3,
    /// The retransmission timer expired.
    Loss = 4,
}

/// Why a segment counts as lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum LossReason {
    /// Something that left later has arrived, and time enough has passed (RFC 8985).
    Time,
    /// Enough duplicate acknowledgments, or a partial one in recovery (RFC 5681, RFC 6582).
    Duplicates,
    /// The retransmission timer expired (RFC 6298).
    Timeout,
    /// It is longer than the path carries.
    TooLong,
}

/// What showed a reduction to be a mistake.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum UndoReason {
    /// Everything that was sent again had arrived (RFC 3708).
    Duplicates,
    /// An original arrived, as its timestamp or its acknowledgment says (RFC 3522).
    Original,
    /// Data that were sent once arrived after the timeout (RFC 5682).
    Frto,
}

/// Something that loss detection or recovery decided. Sequence numbers are those of the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Decision {
    /// A segment counts as lost.
    Lost {
        /// Its first sequence number.
        start: u32,
        /// Sequence numbers it takes.
        len: u32,
        /// What showed it.
        why: LossReason,
        /// It was its retransmission that was lost.
        again: bool,
    },
    /// Recovery went from one state to another.
    State {
        /// The state it left.
        from: CaState,
        /// The state it entered.
        to: CaState,
        /// The congestion window then, in segments.
        cwnd: u32,
        /// The slow-start threshold then, in segments.
        ssthresh: u32,
        /// What must be acknowledged to leave the new state.
        until: u32,
    },
    /// A reduction of the window was taken back.
    Undone {
        /// What showed the mistake.
        why: UndoReason,
        /// The congestion window now, in segments.
        cwnd: u32,
        /// The slow-start threshold now, in segments.
        ssthresh: u32,
    },
    /// A tail-loss probe was sent (RFC 8985 section 7).
    Probe {
        /// First sequence number.
        start: u32,
        /// Bytes.
        len: u32,
        /// It carried data that had not been sent before.
        new: bool,
    },
    /// A probe of the path's MTU was sent (RFC 4821): a segment larger than the others.
    MtuProbe {
        /// First sequence number.
        start: u32,
        /// Bytes.
        len: u32,
    },
    /// A probe was answered as if something had been lost.
    ProbeRecovered,
    /// The retransmission timer expired.
    Timeout {
        /// The timeout that was over.
        rto: Duration,
        /// Timeouts since something was last acknowledged, this one included.
        in_a_row: u8,
    },
    /// Loss is looked for again then: something may only have been overtaken.
    ReorderWait {
        /// When.
        until: Instant,
    },
    /// A segment arrived that was sent once and had been overtaken.
    Reordered {
        /// By how many segments one may be overtaken from now on.
        degree: u16,
        /// How often it was seen so far.
        seen: u32,
    },
    /// The peer told of a duplicate.
    Duplicate {
        /// First sequence number that came twice.
        start: u32,
        /// One past the last.
        end: u32,
    },
    /// The peer seems to have dropped what it said it held (RFC 2018 section 8).
    Reneged,
}

/// A decision and when it fell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decided {
    /// When.
    pub at: Instant,
    /// What.
    pub what: Decision,
}
