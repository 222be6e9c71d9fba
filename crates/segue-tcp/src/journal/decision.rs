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
    /// As many segments as `tcp_reordering` says arrived behind it, or as many duplicate acknowledgments came, or a
    /// partial one in recovery (RFC 5681, RFC 6582, RFC 6675).
    Duplicates,
    /// The answer to a tail-loss probe showed it (RFC 8985 section 7.4.1).
    Probe,
    /// The retransmission timer expired (RFC 6298).
    Timeout,
}

/// Why the window is reduced.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ReductionReason {
    /// Acknowledgments showed loss.
    Loss,
    /// The network marked a segment (RFC 3168 section 6.1.2).
    Mark,
    /// The retransmission timer expired.
    Timeout,
    /// A tail-loss probe repaired a loss (RFC 8985 section 7.4.2).
    Probe,
    /// It was not used for as long as a retransmission timeout (RFC 2861, RFC 5681 section 4.1).
    Idle,
}

/// What a congestion controller is doing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ControllerPhase {
    /// The window doubles each round trip.
    SlowStart,
    /// The window grows slowly.
    Avoidance,
    /// BBR: the rate doubles each round trip.
    Startup,
    /// BBR: the queue that start-up made is let go.
    Drain,
    /// BBR: a little less than the path carries.
    ProbeDown,
    /// BBR: as much as the path carries.
    ProbeCruise,
    /// BBR: the path is filled.
    ProbeRefill,
    /// BBR: whether the path carries more.
    ProbeUp,
    /// BBR: few segments in the network, to measure the round trip.
    ProbeRtt,
}

/// How much may be in the network, and how fast it may go there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FlowState {
    /// The congestion window in segments.
    pub cwnd: u32,
    /// The slow-start threshold in segments; 0x7fffffff before the first reduction.
    pub ssthresh: u32,
    /// Bytes per second, as `tcpi_pacing_rate` shows it but for `SO_MAX_PACING_RATE`; `u64::MAX` before the round trip
    /// is known.
    pub pacing_rate: u64,
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
    /// Segments were sent again.
    Resent {
        /// First sequence number.
        start: u32,
        /// Sequence numbers they take.
        len: u32,
        /// How many.
        segments: u32,
        /// What recovery was doing.
        state: CaState,
    },
    /// A reduction of the window began. After loss and marks the window comes down to the threshold while
    /// acknowledgments come (RFC 9937).
    Reduced {
        /// What asked for it.
        why: ReductionReason,
        /// Before.
        before: FlowState,
        /// After.
        after: FlowState,
    },
    /// A reduction of the window was taken back.
    Undone {
        /// What showed the mistake.
        why: UndoReason,
        /// Before.
        before: FlowState,
        /// After.
        after: FlowState,
    },
    /// The congestion controller went from one phase to another.
    Controller {
        /// The phase it left.
        from: ControllerPhase,
        /// The phase it entered.
        to: ControllerPhase,
        /// The window then.
        now: FlowState,
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
