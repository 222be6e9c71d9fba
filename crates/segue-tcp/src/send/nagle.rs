//! When a segment that is not full may leave.
//!
//! Owns RFC 9293 section 3.7.4 (Nagle), in Minshall's form as on Linux: a partial segment
//! waits only while another *partial* one is unacknowledged. TCP_CORK and MSG_MORE hold
//! partial segments back altogether (the persist timer ends that after 200 ms).

use super::Sender;
use super::timer::Nudge;
use crate::options::SocketOptions;
use crate::units::{Local, Seq};

/// What the writer and the options say about a partial last segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    /// TCP_NODELAY, or the stream ends here.
    Never,
    /// Nagle.
    WhilePartialOutstanding,
    /// TCP_CORK, MSG_MORE.
    Corked,
}

impl Hold {
    /// `urgent`: nothing may wait, because the stream ends here or urgent data are in it.
    pub(crate) fn of(options: &SocketOptions, more: bool, urgent: bool) -> Hold {
        if urgent {
            Hold::Never
        } else if options.cork || more {
            Hold::Corked
        } else if options.nodelay {
            Hold::Never
        } else {
            Hold::WhilePartialOutstanding
        }
    }

    /// Whether the partial segment must wait. `partial_end`: end of the last partial segment sent.
    pub(crate) fn holds(self, una: Seq<Local>, partial_end: Seq<Local>) -> bool {
        match self {
            Hold::Never => false,
            Hold::Corked => true,
            Hold::WhilePartialOutstanding => partial_end.after(una),
        }
    }
}

impl Sender {
    /// `TCP_NODELAY` was set. As on Linux what is there leaves now, `TCP_CORK` or not, as far as the windows go.
    pub(crate) fn push_held(&mut self, options: &SocketOptions) {
        self.more = false;
        self.reconsider();
        let fits = (1..=self.window_room()).contains(&self.unsent()) && self.quota() > 0;
        if options.cork && fits && self.nudge == Nudge::Nothing {
            self.nudge = Nudge::Trial;
        }
    }
}
