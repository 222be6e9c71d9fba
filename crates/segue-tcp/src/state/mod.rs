//! The phases of a connection and RFC 9293's names for them.

pub(crate) mod arrival;
pub(crate) mod challenge;
pub(crate) mod halves;
pub(crate) mod handshake;
mod passive_open;
pub(crate) mod reset;
mod syn_cookie;
pub(crate) mod syn_received;
pub(crate) mod syn_sent;
pub(crate) mod synced;
mod time_wait;

use core::fmt;

pub use passive_open::{PassiveOpen, PassiveOutcome};
pub use reset::reset_for;
pub use time_wait::{TimeWait, TimeWaitOutcome};

/// The states of RFC 9293 section 3.3.2. LISTEN is a listener's, not a connection's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[allow(missing_docs)] // RFC 9293 section 3.3.2.
pub enum State {
    #[default]
    Closed,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

impl State {
    /// The RFC's name.
    pub const fn name(self) -> &'static str {
        match self {
            State::Closed => "CLOSED",
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECEIVED",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN-WAIT-1",
            State::FinWait2 => "FIN-WAIT-2",
            State::CloseWait => "CLOSE-WAIT",
            State::Closing => "CLOSING",
            State::LastAck => "LAST-ACK",
            State::TimeWait => "TIME-WAIT",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
