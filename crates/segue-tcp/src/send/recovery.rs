//! Loss recovery: what the sender is doing about loss, and when that is over.
//!
//! Decides the recovery state, entry and exit. Owns RFC 6582 (NewReno) and the recovery
//! side of RFC 5681 section 3.2. Loss is *found* in `loss`; how far the window falls is the
//! controller's. Duplicate acknowledgments stand for segments that have left the network
//! (they are taken off the flight), which is RFC 5681's window inflation from the other side.

use crate::units::{Local, Seq};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Recovery {
    /// Nothing is known to be lost.
    Open,
    /// Fast recovery until `recover` (SND.NXT at its start) is acknowledged.
    /// `resend_now`: the next retransmission does not wait for the window.
    Fast { recover: Seq<Local>, resend_now: bool },
    /// The timer expired; slow start until `recover` is acknowledged.
    Timeout { recover: Seq<Local> },
}

/// What an acknowledgment of new data means to recovery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// Not in recovery.
    Normal,
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
            Recovery::Fast { recover, .. } if una.before(recover) => {
                *self = Recovery::Fast { recover, resend_now: true };
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

    pub(crate) fn resend_now(self) -> bool {
        matches!(self, Recovery::Fast { resend_now: true, .. })
    }
}
