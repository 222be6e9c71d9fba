//! The two one-way streams of a synchronised connection, and RFC 9293's names for the pair.
//!
//! Decides the state's name as a total function of both halves. Nothing else
//! stores a state name, so the two cannot disagree.

use crate::state::State;
use crate::units::{Deadline, Local, Seq};

/// What we send: open until the application closes, then a FIN on its way, then acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LocalHalf {
    /// The application may write.
    Open,
    /// Closed by the application; the FIN waits behind queued data.
    FinQueued,
    /// The FIN has been sent and occupies this number.
    FinSent { fin: Seq<Local> },
    /// The FIN is acknowledged. `until` ends an orphan's wait for the peer's FIN.
    FinAcked { until: Deadline },
}

/// What the peer sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PeerHalf {
    /// More may come.
    Open,
    /// The peer's FIN was taken in order.
    FinReceived { first: FirstToClose },
}

/// Whose close came first; tells CLOSING from LAST-ACK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FirstToClose {
    /// We had closed before the peer's FIN came.
    Local,
    /// The peer's FIN came while we were open.
    Peer,
}

impl LocalHalf {
    /// The application may still write.
    pub(crate) fn is_open(self) -> bool {
        self == LocalHalf::Open
    }
}

/// RFC 9293 section 3.3.2, figure 5. TIME-WAIT and CLOSED are where a pair of finished
/// halves leaves the synchronised phase.
pub(crate) fn name(local: LocalHalf, peer: PeerHalf) -> State {
    use FirstToClose as First;
    use LocalHalf::{FinAcked, FinQueued, FinSent};
    match (local, peer) {
        (LocalHalf::Open, PeerHalf::Open) => State::Established,
        (LocalHalf::Open, PeerHalf::FinReceived { .. }) => State::CloseWait,
        (FinQueued | FinSent { .. }, PeerHalf::Open) => State::FinWait1,
        (FinQueued | FinSent { .. }, PeerHalf::FinReceived { first: First::Local }) => State::Closing,
        (FinQueued | FinSent { .. }, PeerHalf::FinReceived { first: First::Peer }) => State::LastAck,
        (FinAcked { .. }, PeerHalf::Open) => State::FinWait2,
        (FinAcked { .. }, PeerHalf::FinReceived { first: First::Local }) => State::TimeWait,
        (FinAcked { .. }, PeerHalf::FinReceived { first: First::Peer }) => State::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9293 figure 5, as a table.
    #[test]
    fn every_pair_of_halves_has_the_name_the_rfc_gives_it() {
        let sent = LocalHalf::FinSent { fin: Seq::new(7) };
        let acked = LocalHalf::FinAcked { until: Deadline::NEVER };
        let ours_first = PeerHalf::FinReceived { first: FirstToClose::Local };
        let theirs_first = PeerHalf::FinReceived { first: FirstToClose::Peer };
        let table = [
            (LocalHalf::Open, PeerHalf::Open, "ESTABLISHED"),
            (LocalHalf::Open, theirs_first, "CLOSE-WAIT"),
            (LocalHalf::FinQueued, PeerHalf::Open, "FIN-WAIT-1"),
            (sent, PeerHalf::Open, "FIN-WAIT-1"),
            (LocalHalf::FinQueued, ours_first, "CLOSING"),
            (sent, ours_first, "CLOSING"),
            (LocalHalf::FinQueued, theirs_first, "LAST-ACK"),
            (sent, theirs_first, "LAST-ACK"),
            (acked, PeerHalf::Open, "FIN-WAIT-2"),
            (acked, ours_first, "TIME-WAIT"),
            (acked, theirs_first, "CLOSED"),
        ];
        for (local, peer, expected) in table {
            assert_eq!(name(local, peer).name(), expected, "{local:?} {peer:?}");
        }
    }
}
