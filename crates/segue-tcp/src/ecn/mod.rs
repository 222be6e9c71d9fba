//! Explicit congestion notification: what a connection feeds back and how it marks what it sends.
//!
//! Decides the ECN bits of both headers of every segment after the handshake and what those of arriving segments
//! mean. Does not decide how far the window falls (the controller's) nor when a reduction is over (recovery's).

mod classic;
mod policy;

use segue_wire::Ecn;
use segue_wire::tcp::TcpFlags;

pub(crate) use classic::Classic;
pub use policy::EcnPolicy;
pub(crate) use policy::{EcnMode, Handshake};

/// How soon the receiver wants what it has learned to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Haste {
    /// The acknowledgment may wait as others do.
    None,
    /// The sender's window may be very small: the next few at once.
    Quick,
    /// At once.
    Now,
}

/// A segment about to leave, as far as ECN cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leaving {
    /// Bytes that were never sent before.
    NewData,
    /// Bytes sent again, a FIN alone, a probe, an acknowledgment.
    Other,
}

/// What was agreed in the handshake, and its state since.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Feedback {
    Off,
    /// RFC 3168.
    Classic(Classic),
}

impl Feedback {
    /// Feedback as the handshake has left it.
    pub(crate) fn new(handshake: Handshake) -> Feedback {
        match handshake.mode {
            EcnMode::Off => Feedback::Off,
            EcnMode::Classic => Feedback::Classic(Classic::new(handshake.may_mark)),
        }
    }

    /// ECN was agreed (`TCPI_OPT_ECN`).
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self, Feedback::Off)
    }

    /// Packets of the peer have come as ECT or CE (`TCPI_OPT_ECN_SEEN`).
    pub(crate) fn has_seen(&self) -> bool {
        match self {
            Feedback::Off => false,
            Feedback::Classic(classic) => classic.seen,
        }
    }

    /// Whether an acknowledgment says that what we sent met congestion.
    pub(crate) fn is_echo(&self, flags: TcpFlags) -> bool {
        match self {
            Feedback::Off => false,
            Feedback::Classic(_) => flags.contains(TcpFlags::ECE),
        }
    }

    /// A segment with text (or a FIN) has passed the checks of RFC 9293: its sender may have reduced its window.
    pub(crate) fn on_text_flags(&mut self, flags: TcpFlags) -> Haste {
        match self {
            Feedback::Off => Haste::None,
            Feedback::Classic(classic) => classic.on_flags(flags),
        }
    }

    /// Text was taken, in order or not.
    pub(crate) fn on_text(&mut self, codepoint: Ecn) -> Haste {
        match self {
            Feedback::Off => Haste::None,
            Feedback::Classic(classic) => classic.on_text(codepoint),
        }
    }

    /// Marks a segment that leaves; gives the codepoint for its IP header. `reduced`: the window was reduced and the
    /// peer has not been told.
    pub(crate) fn mark(&self, leaving: Leaving, reduced: &mut bool, flags: &mut TcpFlags) -> Ecn {
        match self {
            Feedback::Off => Ecn::NotEct,
            Feedback::Classic(classic) => classic.mark(leaving, reduced, flags),
        }
    }
}
