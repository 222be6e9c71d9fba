//! What a call changed, and what poll(2) would say.

use bitflags::bitflags;

use crate::drop::DropReason;

bitflags! {
    /// What happened since somebody last asked.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Events: u16 {
        /// The handshake is complete.
        const CONNECTED = 1 << 0;
        /// New data (or end of file, or an error) can be read.
        const READABLE = 1 << 1;
        /// There is room again for a writer that met a full buffer.
        const WRITABLE = 1 << 2;
        /// The peer's FIN was taken in order.
        const PEER_CLOSED = 1 << 3;
        /// An urgent pointer came, or the urgent byte itself.
        const URGENT = 1 << 4;
        /// `take_error` has something: reset, refused, timed out, unreachable.
        const ERROR = 1 << 5;
        /// `poll_transmit` has something to send now.
        const TRANSMIT = 1 << 6;
        /// `next_deadline` has changed.
        const DEADLINE_CHANGED = 1 << 7;
        /// `take_time_wait` has one.
        const TIME_WAIT = 1 << 8;
        /// No protocol state is left; unread data may remain.
        const CLOSED = 1 << 9;
        /// `tcp_retries1` timeouts in a row: the way to the peer should be looked at again
        /// (RFC 9293 section 3.8.3, R1).
        const ROUTE_DOUBTED = 1 << 10;
        /// A challenge ACK (RFC 5961) waits to be sent. A host with a limit for all connections together
        /// (`tcp_challenge_ack_limit`) may take it back: `withdraw_challenge`.
        const CHALLENGE = 1 << 11;
        /// `take_fast_open_news` has something.
        const FAST_OPEN = 1 << 12;
    }
}

bitflags! {
    /// Level-triggered readiness with the meaning poll(2) gives it on a Linux TCP socket.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Ready: u16 {
        /// `POLLIN`: data, end of file or an error can be read without blocking.
        const IN = 1 << 0;
        /// `POLLPRI`: an urgent byte is there.
        const PRI = 1 << 1;
        /// `POLLOUT`: a write does not block.
        const OUT = 1 << 2;
        /// `POLLERR`: an error is pending.
        const ERR = 1 << 3;
        /// `POLLHUP`: both directions are finished.
        const HUP = 1 << 4;
        /// `POLLRDHUP`: the peer has finished sending (or reading was shut down).
        const RDHUP = 1 << 5;
    }
}

/// What came of a call: events since the last one, and why a segment was dropped, if it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[must_use = "events tell what to do next, and drops must be counted"]
pub struct Outcome {
    /// What happened. Told once.
    pub events: Events,
    /// Why the segment was dropped; `None` when it was taken.
    pub drop: Option<DropReason>,
}
