//! The public object: signatures.

use alloc::sync::Arc;

use bitflags::bitflags;
use bytes::Bytes;
use segue_wire::{Chunks, Instant};

use crate::*;

/// What the opener knows and the connection cannot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Open {
    /// Initial send sequence number, from the stack's keyed generator (RFC 6528).
    pub iss: u32,
    /// Offset of this connection's timestamp clock, keyed likewise.
    pub ts_offset: u32,
    /// Path MTU minus the IP header (and extension headers), in bytes.
    pub mtu_payload: u16,
}

bitflags! {
    /// Flags of a write.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct SendFlags: u8 {
        /// `MSG_MORE`: more follows at once; a partial segment may wait for it.
        const MORE = 1;
        /// `MSG_OOB`: the last byte is urgent.
        const OOB = 2;
    }
}

/// One TCP connection (RFC 9293), without I/O, clock or addresses.
pub struct Connection {}

impl Connection {
    /// Active open. The SYN leaves by `poll_transmit`.
    pub fn connect(now: Instant, config: Arc<Config>, options: SocketOptions, open: Open) -> Connection { todo!() }
    /// The RFC's name of the state.
    pub fn state(&self) -> State { todo!() }
    /// A segment has arrived.
    pub fn on_segment(&mut self, now: Instant, segment: Segment) -> Outcome { todo!() }
    /// `next_deadline` has come.
    pub fn on_deadline(&mut self, now: Instant) -> Outcome { todo!() }
    /// When `on_deadline` (or, when it is not in the future, `poll_transmit`) wants to be called.
    pub fn next_deadline(&self) -> Option<Instant> { todo!() }
    /// At most one segment or super-segment. `max_payload` of one MSS or less gives single segments.
    pub fn poll_transmit(&mut self, now: Instant, max_payload: usize) -> Option<Transmit> { todo!() }
    /// An ICMP error quoting a segment of ours, with that segment's sequence number.
    pub fn on_icmp(&mut self, now: Instant, signal: IcmpSignal, quoted_sequence: u32) -> Outcome { todo!() }
    /// Copies data into the send queue; 0 < n ≤ len.
    pub fn send(&mut self, now: Instant, data: &[u8], flags: SendFlags) -> Result<usize, SendError> { todo!() }
    /// Moves data into the send queue; takes as much as there is room for.
    pub fn send_bytes(&mut self, now: Instant, data: Bytes, flags: SendFlags) -> Result<usize, SendError> { todo!() }
    /// Reads; 0 is end of file.
    pub fn recv(&mut self, now: Instant, buffer: &mut [u8]) -> Result<usize, RecvError> { todo!() }
    /// Reads without copying; empty is end of file.
    pub fn recv_chunks(&mut self, now: Instant, max: usize) -> Result<Chunks, RecvError> { todo!() }
    /// Reads without consuming, from `offset` unread bytes on.
    pub fn peek(&self, offset: usize, buffer: &mut [u8]) -> Result<usize, RecvError> { todo!() }
    /// The out-of-band byte (`MSG_OOB`); `consume` is false for `MSG_PEEK`.
    pub fn recv_urgent(&mut self, now: Instant, consume: bool) -> Result<u8, RecvError> { todo!() }
    /// `SIOCATMARK`: the next byte to read is at the urgent mark.
    pub fn at_mark(&self) -> bool { todo!() }
    /// shutdown(SHUT_WR).
    pub fn shutdown_write(&mut self, now: Instant) -> Outcome { todo!() }
    /// shutdown(SHUT_RD).
    pub fn shutdown_read(&mut self, now: Instant) -> Outcome { todo!() }
    /// The application has gone.
    pub fn close(&mut self, now: Instant) -> Outcome { todo!() }
    /// Reset at once.
    pub fn abort(&mut self, now: Instant) -> Outcome { todo!() }
    /// Change options.
    pub fn set_options(&mut self, now: Instant, options: SocketOptions) -> Outcome { todo!() }
    /// Options in force.
    pub fn options(&self) -> &SocketOptions { todo!() }
    /// The pending error, once.
    pub fn take_error(&mut self) -> Option<ConnError> { todo!() }
    /// The pending error, left where it is.
    pub fn error(&self) -> Option<ConnError> { todo!() }
    /// What poll(2) would say.
    pub fn readiness(&self) -> Ready { todo!() }
    /// The TIME-WAIT entry, once; the connection is closed afterwards.
    pub fn take_time_wait(&mut self) -> Option<TimeWait> { todo!() }
    /// `TCP_INFO`.
    pub fn info(&self, now: Instant) -> Info { todo!() }
    /// Events since somebody last asked.
    pub fn take_events(&mut self) -> Events { todo!() }
    /// Bytes held in queues.
    pub fn memory(&self) -> usize { todo!() }
    /// Bytes written by the application and not yet sent.
    pub fn unsent(&self) -> usize { todo!() }
    /// Bytes sent and not yet acknowledged.
    pub fn unacked(&self) -> usize { todo!() }
    /// Bytes that can be read.
    pub fn unread(&self) -> usize { todo!() }
    /// Whether no application holds it any more.
    pub fn is_orphan(&self) -> bool { todo!() }
}

/// SYN-RECEIVED of a passive open: small, without buffers; lives in a listener's SYN queue.
#[derive(Clone, Debug)]
pub struct PassiveOpen {}

/// What a segment or a deadline did to a passive open.
#[derive(Debug)]
#[must_use]
pub enum PassiveOutcome {
    /// Nothing to do.
    Nothing,
    /// `poll_transmit` has a SYN-ACK.
    Transmit,
    /// Send this; nothing else changed.
    Reply(Transmit),
    /// The handshake is complete: `into_connection` when there is room, with this segment.
    Complete,
    /// The entry is over (reset by the peer).
    Remove(DropReason),
    /// The segment was dropped.
    Drop(DropReason),
    /// Retries are exhausted.
    GiveUp,
}

impl PassiveOpen {
    /// A SYN for a listener.
    pub fn on_syn(now: Instant, config: &Config, options: &SocketOptions, syn: &Segment, open: Open) -> PassiveOpen { todo!() }
    /// The SYN-ACK, first and repeated.
    pub fn poll_transmit(&mut self, now: Instant, config: &Config) -> Option<Transmit> { todo!() }
    /// When `on_deadline` wants to be called.
    pub fn next_deadline(&self) -> Option<Instant> { todo!() }
    /// The deadline has come.
    pub fn on_deadline(&mut self, now: Instant, config: &Config) -> PassiveOutcome { todo!() }
    /// A segment for this 4-tuple has arrived.
    pub fn on_segment(&mut self, now: Instant, config: &Config, segment: &Segment) -> PassiveOutcome { todo!() }
    /// After `Complete`: the connection, which takes the segment (its data, its FIN).
    pub fn into_connection(self, now: Instant, config: Arc<Config>, options: SocketOptions, segment: Segment) -> (Connection, Outcome) { todo!() }
    /// SYN-ACKs sent again so far.
    pub fn retransmits(&self) -> u8 { todo!() }
}

/// TIME-WAIT: a few numbers and a deadline.
#[derive(Clone, Debug)]
pub struct TimeWait {}

/// What a segment did to a TIME-WAIT entry.
#[derive(Debug)]
#[must_use]
pub enum TimeWaitOutcome {
    /// Nothing to do.
    Nothing,
    /// Send this.
    Ack(Transmit),
    /// Send this; the deadline has moved.
    Restarted(Transmit),
    /// A new connection may reuse the 4-tuple (RFC 6191): remove the entry and give the SYN to
    /// the listener, with an initial sequence number above this.
    NewSyn {
        /// Lowest initial sequence number for our side.
        iss_floor: u32,
    },
    /// Remove the entry.
    Remove,
    /// The segment was dropped.
    Drop(DropReason),
}

impl TimeWait {
    /// A segment for this 4-tuple has arrived.
    pub fn on_segment(&mut self, now: Instant, config: &Config, segment: &Segment) -> TimeWaitOutcome { todo!() }
    /// When the entry ends.
    pub fn deadline(&self) -> Instant { todo!() }
    /// Whether an active open may take the 4-tuple over (`tcp_tw_reuse`, RFC 6191): timestamps
    /// were in use and at least `age` has passed; gives the lowest initial sequence number.
    pub fn reusable(&self, now: Instant, age: core::time::Duration) -> Option<u32> { todo!() }
}

/// The reset for a segment that belongs to nobody (RFC 9293 section 3.10.7.1); `None` for a RST.
pub fn reset_for(segment: &Segment) -> Option<Transmit> { todo!() }
