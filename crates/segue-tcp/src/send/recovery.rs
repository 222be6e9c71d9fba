//! Loss recovery: what the sender is doing about loss, and when that is over.
//!
//! Decides the recovery state, entry and exit. Owns RFC 6582 (NewReno) and the recovery
//! side of RFC 5681 section 3.2. Loss is *found* in `loss`; how far the window falls is the
//! controller's. Duplicate acknowledgments stand for segments that have left the network
//! (they are taken off the flight), which is RFC 5681's window inflation from the other side.

use crate::units::{Local, Seq};

/// Partial acknowledgments of one recovery that put the retransmission timer off.
const PATIENCE: u8 = 1;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Recovery {
    /// Nothing is known to be lost.
    Open,
    /// The peer has echoed congestion marks: the window was reduced and does not grow until something beyond
    /// `recover` (SND.NXT then) is acknowledged. Nothing is lost.
    Cwr { recover: Seq<Local> },
    /// Fast recovery until `recover` (SND.NXT at its start) is acknowledged.
    /// `resend_now`: the next retransmission does not wait for the window. `partials`: holes that
    /// partial acknowledgments have shown so far.
    Fast { recover: Seq<Local>, resend_now: bool, partials: u8 },
    /// The timer expired; slow start until `recover` is acknowledged.
    Timeout { recover: Seq<Local> },
}

/// What an acknowledgment of new data means to recovery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// Not in recovery.
    Normal,
    /// The window was reduced for a mark less than a round trip ago.
    Reduced,
    /// RFC 6582 section 3.2: not everything that was outstanding; the next hole is lost, too.
    Partial,
    /// Everything that was outstanding; fast recovery is over.
    Full,
    /// Slow start after a timeout goes on.
    Restarting,
    /// Everything that was outstanding at the timeout has arrived.
    Restarted,
}

impl Recovery {
    /// SND.UNA has advanced to `una`.
    pub(crate) fn on_advance(&mut self, una: Seq<Local>) -> Progress {
        match *self {
            Recovery::Open => Progress::Normal,
            // RFC 3168 section 6.1.2: once per window; CWR goes with the first segment of the next.
            Recovery::Cwr { recover } if !una.after(recover) => Progress::Reduced,
            Recovery::Cwr { .. } => {
                *self = Recovery::Open;
                Progress::Normal
            }
            Recovery::Fast { recover, partials, .. } if una.before(recover) => {
                *self = Recovery::Fast { recover, resend_now: true, partials: partials.saturating_add(1) };
                Progress::Partial
            }
            Recovery::Timeout { recover } if una.before(recover) => Progress::Restarting,
            Recovery::Fast { .. } => {
                *self = Recovery::Open;
                Progress::Full
            }
            Recovery::Timeout { .. } => {
                *self = Recovery::Open;
                Progress::Restarted
            }
        }
    }

    /// A retransmission has left.
    pub(crate) fn on_resent(&mut self) {
        if let Recovery::Fast { resend_now, .. } = self {
            *resend_now = false;
        }
    }

    /// Fast recovery has just begun, for flight up to `recover`.
    pub(crate) fn fast(recover: Seq<Local>) -> Recovery {
        Recovery::Fast { recover, resend_now: true, partials: 0 }
    }

    /// Whether the retransmission timer may be put off. RFC 6582 section 4, the Impatient variant: the
    /// first partial acknowledgment does, later ones do not. One hole is repaired per round trip; when
    /// there are many, the timer expires and slow start repairs them all in a few.
    pub(crate) fn is_patient(self) -> bool {
        !matches!(self, Recovery::Fast { partials, .. } if partials > PATIENCE)
    }

    pub(crate) fn resend_now(self) -> bool {
        matches!(self, Recovery::Fast { resend_now: true, .. })
    }
}
