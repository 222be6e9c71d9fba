//! The send timer: one at a time, and what it owns.
//!
//! Exclusive by construction: data in the network are guarded by the retransmission timer, or by one
//! that comes before it (a probe, or another look for loss), data that may not leave by the persist
//! timer, silence by the keep-alive timer.

use segue_wire::Instant;

use crate::units::Deadline;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SendTimer {
    Idle,
    /// RFC 6298 section 5.
    Retransmit {
        at: Instant,
    },
    /// RFC 8985 section 7.2: a tail-loss probe is due.
    Probe {
        at: Instant,
    },
    /// RFC 8985 section 6.2 step 5: what may have been overtaken only is lost by then.
    Reorder {
        at: Instant,
    },
    /// RFC 9293 section 3.8.6.1; `doublings` of its own interval.
    Persist {
        at: Instant,
        doublings: u8,
    },
    /// RFC 9293 section 3.8.4; probes sent without an answer.
    KeepAlive {
        at: Instant,
        probes: u8,
    },
}

impl SendTimer {
    /// Something is sent again when it runs out, or the window asked for.
    pub(crate) fn repeats(self) -> bool {
        matches!(self, SendTimer::Retransmit { .. } | SendTimer::Persist { .. })
    }

    pub(crate) fn deadline(self) -> Deadline {
        match self {
            SendTimer::Idle => Deadline::NEVER,
            SendTimer::Retransmit { at }
            | SendTimer::Probe { at }
            | SendTimer::Reorder { at }
            | SendTimer::Persist { at, .. }
            | SendTimer::KeepAlive { at, .. } => Deadline::at(at),
        }
    }
}

/// What has been asked of `plan`: a segment, by a timer, or patience.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Nudge {
    Nothing,
    /// New data wait to leave with more: not before the peer is heard, something is written or a timer runs out.
    Deferred,
    /// As `Probe`, and before it the urgent pointer by itself.
    UrgentProbe,
    /// Ask for the window: a segment the peer must answer (zero-window or keep-alive probe).
    Probe,
    /// Send what fits, however small (RFC 9293 section 3.8.6.2.1, rule 4).
    Partial,
    /// The same, for new data that F-RTO asks for (RFC 5682 section 2.1 step 2.b) or `TCP_NODELAY`: not pushed.
    Trial,
    /// One segment, new or the last one again, whatever the congestion window says (RFC 8985 section 7.3).
    LossProbe,
}
