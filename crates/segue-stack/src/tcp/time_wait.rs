//! TIME-WAIT: remembering flows that have ended, small and bounded.
//!
//! Decides how many are remembered (`tcp_max_tw_buckets`), that their ports stay taken, and what a segment for one does to
//! the tables. What a segment means is `segue_tcp::TimeWait`'s. RFC 9293 3.6.1, RFC 6191.
use bitflags::bitflags;
use segue_tcp::{DropReason, Instant, Segment, TcpFlags, TimeWait, TimeWaitOutcome};
use segue_wire::Packet;

use super::auth::{LastKeys, SignsAs};
use super::flows::FlowRef;
use super::opening::Admission;
use super::output::Back;
use super::syn::{Syn, without_ecn};
use crate::Counter;
use crate::IfaceId;
use crate::budget::Entry;
use crate::ip::input::Arrival;
use crate::ports::{Claim, Owner};
use crate::socket::Socket;
use crate::socket::common::Common;
use crate::stack::Stack;
use crate::timers::Timer;
use crate::tuple::{Ends, FourTuple};
use crate::wheel::TimerKey;

/// A flow in TIME-WAIT.
#[derive(Debug)]
pub(crate) struct TimeWaitEntry {
    pub(crate) time_wait: TimeWait,
    ends: Ends,
    local_port: u16,
    peer_port: u16,
    /// What it holds of its port, with what its socket had set, and on which interface alone.
    claim: ClaimBits,
    device: Option<IfaceId>,
    pinned: Option<IfaceId>,
    /// Type of service of what the socket sent.
    tos: u8,
    timer: Option<TimerKey>,
}

bitflags! {
    /// A claim whose scope is the tuple's local address.
    #[derive(Clone, Copy, Debug)]
    struct ClaimBits: u8 {
        /// There is one.
        const HELD = 1;
        const REUSE_ADDRESS = 1 << 1;
        const REUSE_PORT = 1 << 2;
        const BOUND = 1 << 3;
        const DUAL = 1 << 4;
    }
}

impl ClaimBits {
    fn of(claim: &Claim) -> ClaimBits {
        let bits = [
            (ClaimBits::REUSE_ADDRESS, claim.reuse_address),
            (ClaimBits::REUSE_PORT, claim.reuse_port),
            (ClaimBits::BOUND, claim.bound),
            (ClaimBits::DUAL, claim.is_dual),
        ];
        bits.into_iter().filter(|(_, is_set)| *is_set).fold(ClaimBits::HELD, |all, (bit, _)| all | bit)
    }
}

impl TimeWaitEntry {
    pub(crate) fn tuple(&self) -> FourTuple {
        self.ends.tuple(self.local_port, self.peer_port)
    }

    fn claim(&self) -> Option<Claim> {
        let has = |bit| self.claim.contains(bit);
        has(ClaimBits::HELD).then(|| Claim {
            scope: crate::ports::Scope::One(self.tuple().local),
            reuse_address: has(ClaimBits::REUSE_ADDRESS),
            reuse_port: has(ClaimBits::REUSE_PORT),
            owner: Owner::Gone,
            listening: false,
            bound: has(ClaimBits::BOUND),
            device: self.device,
            is_dual: has(ClaimBits::DUAL),
        })
    }
}

impl Stack {
    /// Remember a flow; the table of flows finds the entry from now on. `claim` is what its socket gives up of the port.
    pub(crate) fn enter_time_wait(
        &mut self,
        now: Instant,
        tuple: FourTuple,
        (time_wait, keys): (TimeWait, Option<LastKeys>),
        claim: Option<Claim>,
        pinned: Option<IfaceId>,
        old: FlowRef,
    ) {
        let is_full = self.tcp.entries.time_wait.len() >= self.settings.ip.max_tw_buckets as usize;
        if is_full || !self.has_room_for(Entry::TimeWait) {
            // As Linux: the connection just ends, and says so.
            self.counters.inc(Counter::TcpExtTCPTimeWaitOverflow);
            self.tcp.flows.remove(&tuple, old);
            return;
        }
        self.counters.inc(Counter::TcpExtTW);
        let deadline = time_wait.deadline();
        let socket = match old {
            FlowRef::Connection(index) => self.sockets.at(index).map(Socket::common),
            _ => None,
        };
        let delay = socket.map(Common::departure_delay);
        let tos = socket.map_or(0, |socket| without_ecn(socket.ttl_and_tos(tuple.peer, 0).1));
        let entry = TimeWaitEntry {
            time_wait,
            ends: Ends::of(&tuple),
            local_port: tuple.local_port,
            peer_port: tuple.peer_port,
            claim: claim.as_ref().map_or(ClaimBits::empty(), ClaimBits::of),
            device: claim.and_then(|claim| claim.device),
            pinned,
            tos,
            timer: None,
        };
        if let Some(claim) = entry.claim() {
            self.tcp.ports.add(tuple.local_port, claim);
        }
        let Some((index, _)) = self.tcp.entries.time_wait.insert(entry) else { return };
        self.tcp.flows.replace(&tuple, old, FlowRef::TimeWait(index));
        if let Some(delay) = delay.filter(|delay| !delay.is_zero()) {
            self.tcp.last_delays.insert(index, delay);
        }
        if let Some(keys) = keys {
            self.tcp.last_keys.insert(index, keys);
        }
        if let Some(entry) = self.tcp.entries.time_wait.at_mut(index) {
            self.timers.arm(now, &mut entry.timer, Some(deadline), Timer::TimeWait(index));
        }
    }

    /// A segment for a flow in TIME-WAIT.
    pub(crate) fn time_wait_segment(
        &mut self,
        now: Instant,
        index: u32,
        arrival: &Arrival,
        segment: Segment,
        front: Option<Packet>,
    ) {
        let Some(entry) = self.tcp.entries.time_wait.at_mut(index) else { return };
        let (tuple, pinned) = (entry.tuple(), entry.pinned);
        // As Linux: an acknowledgment is the socket's, a reset answers the packet.
        let (own, back) = (Back { pinned, tos: entry.tos }, Back { pinned, tos: without_ecn(arrival.tos) });
        match entry.time_wait.on_segment(now, &self.tcp.config, &segment) {
            TimeWaitOutcome::Nothing => {}
            TimeWaitOutcome::Ack(transmit) => self.reply_segment(now, &tuple, own, transmit, SignsAs::TimeWait(index)),
            TimeWaitOutcome::Restarted(transmit) => {
                let deadline = entry.time_wait.deadline();
                self.timers.arm(now, &mut entry.timer, Some(deadline), Timer::TimeWait(index));
                if let Some(transmit) = transmit {
                    self.reply_segment(now, &tuple, own, transmit, SignsAs::TimeWait(index));
                }
            }
            TimeWaitOutcome::Reset(transmit) => {
                self.count_drop(DropReason::AfterClose);
                self.reply_segment(now, &tuple, back, transmit, SignsAs::TimeWait(index));
                self.remove_time_wait(index);
            }
            TimeWaitOutcome::NewSyn { iss_floor } => match self.find_listener(&tuple, arrival) {
                Some(listener) => {
                    self.counters.inc(Counter::TcpExtTWRecycled);
                    self.remove_time_wait(index);
                    // As Linux: a SYN with FIN is no way to open a connection, but one to end an old one.
                    if segment.header.flags.contains(TcpFlags::FIN) {
                        self.counters.inc(Counter::SegueTcpContradictoryFlags);
                        return;
                    }
                    if self.admit_syn(listener, Admission::Known).is_some() {
                        let syn = Syn::new(&segment, front.as_ref(), arrival);
                        self.open_passively(now, listener, tuple, syn, Some(iss_floor));
                    }
                }
                // Nobody would take the connection: the peer should know at once.
                None => self.reset_segment(now, &tuple, back, &segment, SignsAs::TimeWait(index)),
            },
            TimeWaitOutcome::Remove => self.remove_time_wait(index),
            TimeWaitOutcome::Drop(reason) => self.count_drop(reason),
        }
    }

    pub(crate) fn time_wait_deadline(&mut self, now: Instant, index: u32) {
        let Some(entry) = self.tcp.entries.time_wait.at_mut(index) else { return };
        entry.timer = None;
        let deadline = entry.time_wait.deadline();
        if deadline <= now {
            self.remove_time_wait(index);
        } else {
            // A repeated FIN has restarted it since the timer was set.
            self.timers.arm(now, &mut entry.timer, Some(deadline), Timer::TimeWait(index));
        }
    }

    pub(crate) fn remove_time_wait(&mut self, index: u32) {
        let Some(entry) = self.tcp.entries.time_wait.at(index) else { return };
        let (tuple, claim, timer) = (entry.tuple(), entry.claim(), entry.timer);
        self.tcp.flows.remove(&tuple, FlowRef::TimeWait(index));
        self.timers.disarm(timer);
        if let Some(claim) = claim {
            self.tcp.ports.remove(tuple.local_port, &claim);
        }
        self.tcp.entries.time_wait.discard(index);
        if !self.tcp.last_delays.is_empty() {
            self.tcp.last_delays.remove(&index);
        }
        if self.tcp.has_keys {
            self.tcp.last_keys.remove(&index);
        }
    }
}
