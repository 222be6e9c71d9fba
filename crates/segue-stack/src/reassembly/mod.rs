//! Putting IP fragments together again, within limits.
use segue_wire::{Instant, Packet};

/// Limits of a [`Reassembler`].
#[derive(Clone, Debug)]
pub struct ReassemblyConfig {}

impl Default for ReassemblyConfig {
    fn default() -> Self {
        ReassemblyConfig {}
    }
}

/// What became of a fragment.
#[must_use]
#[derive(Debug)]
pub enum Reassembled {
    /// Kept; more fragments are missing.
    Pending,
    /// The last missing piece: the whole packet, with no fragment header and lengths as if never cut.
    Complete(Packet),
    /// The packet was no fragment at all; here it is unchanged.
    NotAFragment(Packet),
    /// Refused.
    Dropped(FragmentDrop),
}

/// Why a fragment was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FragmentDrop {
    /// Header unreadable.
    Malformed,
}

/// A datagram whose pieces did not all come in time.
#[derive(Debug)]
pub struct Expired {
    /// The first fragment (offset 0), if it had come: quote it in ICMP time exceeded, code 1. Without it no error is sent.
    pub first_fragment: Option<Packet>,
}

/// All half-assembled datagrams of a stack.
#[derive(Debug)]
pub struct Reassembler {}

impl Reassembler {
    /// An empty reassembler; `hasher` is keyed with the stack's secret.
    pub fn new(config: ReassemblyConfig, hasher: crate::secrets::KeyedState, now: Instant) -> Self {
        let _ = (config, hasher, now);
        todo!()
    }
    /// Takes one packet, v4 or v6, that may be a fragment. `iface` keeps datagrams of different links apart.
    pub fn on_packet(&mut self, now: Instant, iface: crate::route::IfaceId, packet: Packet) -> Reassembled {
        let _ = (now, iface, packet);
        todo!()
    }
    /// When [`poll_expired`](Self::poll_expired) has something to do.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!()
    }
    /// Gives up one datagram whose time is over. Call until `None`.
    pub fn poll_expired(&mut self, now: Instant) -> Option<Expired> {
        let _ = now;
        todo!()
    }
    /// Bytes held.
    pub fn memory(&self) -> usize {
        todo!()
    }
}
