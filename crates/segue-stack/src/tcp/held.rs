//! Held SYNs: a gateway decides about a connection before the SYN is answered.
//!
//! Decides how many SYNs wait (with the handshakes that came of them, `tcp_max_syn_backlog`), for how long, and that repeats
//! of one are absorbed. What the gateway decides is its own affair. Invariant: a held SYN is counted by its listener until
//! it is answered, refused or expires; one that was dropped stays to absorb its repeats.
use core::net::SocketAddr;
use core::time::Duration;

use segue_tcp::{Instant, Segment, TcpFlags};
use segue_wire::Packet;

use super::auth::SignsAs;
use super::flows::FlowRef;
use super::output::Back;
use super::syn::{Syn, without_ecn};
use crate::budget::Entry;
use crate::ip::input::Arrival;
use crate::stack::Stack;
use crate::timers::Timer;
use crate::tuple::FourTuple;
use crate::wheel::TimerKey;
use crate::{Counter, Errno, Held, HeldId, IfaceId, Reject, SocketId};

/// A SYN that waits for a decision.
#[derive(Debug)]
pub(crate) struct HeldSyn {
    pub(crate) tuple: FourTuple,
    segment: Segment,
    quote: Packet,
    listener: SocketId,
    iface: IfaceId,
    /// The type of service of the SYN.
    tos: u8,
    /// The gateway refused it without a word.
    is_dropped: bool,
    expires: Instant,
    timer: Option<TimerKey>,
}

impl Stack {
    /// A SYN that no listener takes, on an interface with a gateway's listener.
    pub(crate) fn hold_syn(
        &mut self,
        now: Instant,
        listener: u32,
        tuple: FourTuple,
        arrival: &Arrival,
        segment: Segment,
        quote: Packet,
    ) {
        let Some(generation) = self.sockets.generation(listener) else { return };
        let id = SocketId { index: listener, generation };
        let limit = self.settings.ip.max_syn_backlog;
        let Some(gateway) = self.listener_named(id) else { return };
        // A gateway that answers every SYN at once must not remember more handshakes than one that waits.
        if gateway.held + gateway.opening >= limit {
            self.counters.inc(Counter::SegueTcpHeldSynsFull);
            return;
        }
        if !self.has_room_for(Entry::Held) {
            return;
        }
        let expires = now + self.held_lifetime();
        let held = HeldSyn {
            tuple,
            segment,
            quote,
            listener: id,
            iface: arrival.iface,
            tos: without_ecn(arrival.tos),
            is_dropped: false,
            expires,
            timer: None,
        };
        let Some((index, generation)) = self.tcp.entries.held.insert(held) else { return };
        self.tcp.flows.set(&tuple, FlowRef::Held(index), &self.sockets, &self.tcp.entries);
        self.counters.inc(Counter::SegueTcpHeldSyns);
        if let Some(held) = self.tcp.entries.held.at_mut(index) {
            self.timers.arm(now, &mut held.timer, Some(expires), Timer::Held(index));
        }
        let is_littered = self.listener_named(id).is_some_and(|gateway| {
            gateway.held += 1;
            gateway.undecided.push_back(HeldId { index, generation });
            gateway.undecided.len() > 2 * limit as usize
        });
        if is_littered {
            self.forget_decided(id);
        }
        self.notify(listener);
    }

    /// SYNs that were reset or have expired stay in the queue of a gateway that does not look. When it is twice as long as
    /// there can be SYNs, those go: at most one step for each SYN that came.
    fn forget_decided(&mut self, id: SocketId) {
        let Some(gateway) = self.listener_named(id) else { return };
        let mut undecided = core::mem::take(&mut gateway.undecided);
        undecided.retain(|held| self.tcp.entries.held.get(held.index, held.generation).is_some());
        if let Some(gateway) = self.listener_named(id) {
            gateway.undecided = undecided;
        }
    }

    /// As long as a peer with this stack's own settings goes on trying.
    fn held_lifetime(&self) -> Duration {
        let doubling = 1u64.checked_shl(u32::from(self.tcp.config.syn_retries) + 1).unwrap_or(u64::MAX);
        let seconds = doubling.saturating_add(u64::from(self.tcp.config.syn_linear_timeouts));
        Duration::from_secs(seconds.min(600))
    }

    /// A segment for a held SYN: a repeat is absorbed, a reset ends the matter.
    pub(crate) fn held_segment(
        &mut self,
        now: Instant,
        index: u32,
        arrival: &Arrival,
        segment: Segment,
        quote: Option<Packet>,
    ) {
        let Some(held) = self.tcp.entries.held.at_mut(index) else { return };
        let (tuple, listener) = (held.tuple, held.listener);
        let is_gone = self.listener_named(listener).is_none();
        let Some(held) = self.tcp.entries.held.at_mut(index) else { return };
        let flags = segment.header.flags;
        if is_gone
            || (flags.contains(TcpFlags::RST)
                && segment.header.sequence == held.segment.header.sequence.wrapping_add(1))
        {
            self.remove_held(index);
            if is_gone {
                self.unclaimed_packet(now, tuple, arrival, segment, quote);
            }
        } else if flags.contains(TcpFlags::SYN) && !flags.intersects(TcpFlags::ACK | TcpFlags::RST | TcpFlags::FIN) {
            if segment.header.sequence != held.segment.header.sequence {
                // The peer has started over; the answer must fit its new attempt.
                held.segment = segment;
                if let Some(quote) = quote {
                    held.quote = quote;
                }
            }
        } else if flags.contains(TcpFlags::ACK) {
            self.reset_segment(now, &tuple, Back::to(arrival), &segment, SignsAs::Nobody);
        }
    }

    pub(crate) fn held_deadline(&mut self, now: Instant, index: u32) {
        let Some(held) = self.tcp.entries.held.at_mut(index) else { return };
        held.timer = None;
        if held.expires <= now {
            self.remove_held(index);
        } else {
            let expires = held.expires;
            self.timers.arm(now, &mut held.timer, Some(expires), Timer::Held(index));
        }
    }

    fn remove_held(&mut self, index: u32) -> Option<HeldSyn> {
        let tuple = self.tcp.entries.held.at(index)?.tuple;
        self.tcp.flows.remove(&tuple, FlowRef::Held(index));
        let held = self.tcp.entries.held.remove(index)?;
        self.timers.disarm(held.timer);
        if let Some(gateway) = self.listener_named(held.listener) {
            gateway.held = gateway.held.saturating_sub(1);
        }
        Some(held)
    }

    pub(crate) fn next_held(&mut self, listener: SocketId) -> Option<Held> {
        loop {
            let gateway = self.listener_named(listener)?;
            let id = gateway.undecided.pop_front()?;
            // One that expired or was reset meanwhile needs no decision.
            if let Some(held) = self.tcp.entries.held.get(id.index, id.generation) {
                return Some(Held { id, local: held.tuple.local_addr(), peer: held.tuple.peer_addr() });
            }
        }
    }

    pub(crate) fn accept_held(&mut self, now: Instant, id: HeldId) -> Result<(), Errno> {
        // As for a connection that ended in the accept queue.
        let gone = Errno::ECONNABORTED;
        self.tcp.entries.held.get(id.index, id.generation).filter(|held| !held.is_dropped).ok_or(gone)?;
        let held = self.remove_held(id.index).ok_or(gone)?;
        self.listener_named(held.listener).ok_or(gone)?;
        let syn = Syn { segment: &held.segment, front: Some(&held.quote), pinned: Some(held.iface), route: None };
        let opened = self.open_passively(now, held.listener.index, held.tuple, syn, None);
        if opened { Ok(()) } else { Err(gone) }
    }

    /// A handshake that a gateway began and that came to nothing.
    pub(crate) fn next_failed(&mut self, listener: SocketId) -> Option<(SocketAddr, SocketAddr)> {
        self.listener_named(listener)?.failed.pop_front()
    }

    pub(crate) fn reject_held(&mut self, now: Instant, id: HeldId, how: Reject) {
        let Some(held) = self.tcp.entries.held.get_mut(id.index, id.generation) else { return };
        match how {
            Reject::Drop => held.is_dropped = true,
            Reject::Reset => {
                if let Some(held) = self.remove_held(id.index) {
                    self.reset_segment(
                        now,
                        &held.tuple,
                        Back { pinned: Some(held.iface), tos: held.tos },
                        &held.segment,
                        SignsAs::Nobody,
                    );
                }
            }
            Reject::Unreachable(why) => {
                if let Some(held) = self.remove_held(id.index) {
                    self.send_unreachable(now, why, held.tuple.local, Some(held.iface), &held.quote);
                }
            }
        }
    }
}
