//! Datagram sockets: UDP and ping. Queues, buffer accounting, readiness.
//!
//! Decides what a datagram costs of a buffer and when the socket is readable or writable. Finding the socket of a packet
//! and the calls themselves are in `udp` and `ping`.
use core::net::SocketAddr;
use std::collections::VecDeque;

use segue_tcp::{Instant, Memory, Ready};
use segue_wire::Chunks;

use super::arrived::ArrivedHeaders;
use super::common::{Common, Flags};
use super::send_control::SendControl;
use crate::ip::input::Arrival;
use crate::{IcmpComplaint, IfaceId};

/// What a datagram costs of a buffer beyond its bytes: Linux's smallest `truesize`, so that its limits mean the same here.
const OVERHEAD: usize = 768;
/// Most datagrams that are joined into one (`UDP_GRO`), and most bytes: Linux's `UDP_GRO_CNT_MAX`, and what IPv4 carries.
const MAX_JOINED: usize = 64;
const MAX_JOINED_BYTES: usize = 65_535 - 20 - 8;

/// UDP or ICMP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DatagramKind {
    Udp,
    Ping,
}

/// Where packets find the socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Placed {
    Nowhere,
    /// Among the open sockets of its port.
    Open,
    /// By both ends.
    Flow,
    /// By the ICMP identifier.
    Identifier,
}

/// What control messages can tell of how a packet arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ancillary {
    pub(crate) at: Instant,
    pub(crate) iface: IfaceId,
    /// Destination in the IP header, and the port there.
    pub(crate) to: SocketAddr,
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
    /// IPv6.
    pub(crate) flow_label: u32,
    /// See [`Arrival`].
    pub(crate) largest_fragment: u32,
}

impl Ancillary {
    /// Of a packet sent to `to`.
    pub(crate) fn of(arrival: &Arrival, to: SocketAddr) -> Ancillary {
        let Arrival { at, iface, ttl, tos, flow_label, largest_fragment, .. } = *arrival;
        Ancillary { at, iface, to, ttl, tos, flow_label, largest_fragment }
    }
}

/// A datagram that waits to be read.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) from: SocketAddr,
    pub(crate) arrival: Ancillary,
    /// Several datagrams in one (`UDP_GRO`): the size of each but the last.
    pub(crate) segment: Option<u16>,
    /// What stood between the IP header and the transport's, for whoever has asked.
    pub(crate) headers: Option<ArrivedHeaders>,
    pub(crate) payload: Chunks,
}

impl Datagram {
    /// Bytes of the receive buffer that it takes.
    fn cost(&self) -> usize {
        OVERHEAD + self.payload.len() + self.headers.as_ref().map_or(0, ArrivedHeaders::len)
    }

    /// Whether the next datagram may be joined to this one. As Linux's udp_gro_receive(): of one batch, alike in all that
    /// control messages tell, as long as those before it; the last may be shorter.
    fn is_followed_by(&self, next: &Datagram) -> bool {
        let (len, more) = (self.payload.len(), next.payload.len());
        let size = self.segment.map_or(len, usize::from);
        self.from == next.from
            && self.arrival == next.arrival
            && self.headers.is_none()
            && next.headers.is_none()
            && next.segment.is_none()
            && (1..=size).contains(&more)
            && len.is_multiple_of(size)
            && len < size * MAX_JOINED
            && len + more <= MAX_JOINED_BYTES
    }

    fn join(&mut self, next: Datagram) {
        self.segment.get_or_insert(u16::try_from(self.payload.len()).unwrap_or(u16::MAX));
        self.payload.extend(next.payload);
    }
}

/// A datagram in the making (MSG_MORE).
#[derive(Debug)]
pub(crate) struct Corked {
    pub(crate) to: SocketAddr,
    pub(crate) control: SendControl,
    pub(crate) payload: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct DatagramSocket {
    pub(crate) common: Common,
    pub(crate) kind: DatagramKind,
    /// Never v4-mapped.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) placed: Placed,
    /// Takes what nobody else takes on this interface, and sends from any address.
    pub(crate) any: Option<IfaceId>,
    pub(crate) corked: Option<Box<Corked>>,
    /// The last ICMP error about an echo request; nobody has asked for it yet.
    pub(crate) complaint: Option<IcmpComplaint>,
    pub(crate) rcvbuf: u32,
    pub(crate) sndbuf: u32,
    queue: VecDeque<Datagram>,
    queued: usize,
    /// Bytes of the send buffer that packets in the outbox hold.
    sending: usize,
    /// Datagrams that the full buffer has cost (`SO_RXQ_OVFL`).
    dropped: u32,
    /// The stack's, of which queues take their share.
    memory: Memory,
}

impl Drop for DatagramSocket {
    fn drop(&mut self) {
        self.memory.remove_datagram(self.queued + self.sending);
    }
}

/// Why a datagram was not taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoRoom {
    /// The socket's buffer is full.
    Buffer,
    /// The stack's memory is used up.
    Memory,
}

impl DatagramSocket {
    pub(crate) fn new(common: Common, kind: DatagramKind, rcvbuf: u32, sndbuf: u32, memory: Memory) -> DatagramSocket {
        DatagramSocket {
            common,
            kind,
            peer: None,
            placed: Placed::Nowhere,
            any: None,
            corked: None,
            complaint: None,
            rcvbuf,
            sndbuf,
            queue: VecDeque::new(),
            queued: 0,
            sending: 0,
            dropped: 0,
            memory,
        }
    }

    /// Take a datagram in.
    pub(crate) fn push(&mut self, datagram: Datagram) -> Result<(), NoRoom> {
        let joins = self.common.has(Flags::GRO);
        let is_joined = joins && self.queue.back().is_some_and(|last| last.is_followed_by(&datagram));
        let charge = if is_joined { datagram.payload.len() } else { datagram.cost() };
        // As Linux: one datagram is always taken, however small the buffer.
        let used = self.queued + self.common.error_bytes();
        if !self.queue.is_empty() && used + charge > self.rcvbuf as usize {
            self.dropped = self.dropped.wrapping_add(1);
            return Err(NoRoom::Buffer);
        }
        if !self.memory.allows_datagram(charge) {
            self.dropped = self.dropped.wrapping_add(1);
            return Err(NoRoom::Memory);
        }
        self.memory.add_datagram(charge);
        self.queued += charge;
        match self.queue.back_mut() {
            Some(last) if is_joined => last.join(datagram),
            _ => self.queue.push_back(datagram),
        }
        Ok(())
    }

    /// The datagram that is read next, and from which byte on: a look (`MSG_PEEK`) begins where the last one ended, if the
    /// socket says so (`SO_PEEK_OFF`).
    pub(crate) fn next(&self, is_look: bool) -> Option<(&Datagram, usize)> {
        let mut offset = match usize::try_from(self.common.rare().peek_offset) {
            Ok(offset) if is_look => offset,
            _ => return self.queue.front().map(|datagram| (datagram, 0)),
        };
        let found = self.queue.iter().find(|datagram| {
            let len = datagram.payload.len();
            let is_passed = offset > 0 && offset >= len;
            offset -= if is_passed { len } else { 0 };
            !is_passed
        });
        found.map(|datagram| (datagram, offset))
    }

    /// What was read of the next datagram: `copied` bytes of a look, or all of it.
    pub(crate) fn on_read(&mut self, is_look: bool, copied: usize) {
        let taken = if is_look { None } else { self.pop() };
        let Some(rare) = self.common.rare.as_mut().filter(|rare| rare.peek_offset >= 0) else { return };
        let moved = match taken {
            None => rare.peek_offset as usize + copied,
            Some(datagram) => (rare.peek_offset as usize).saturating_sub(datagram.payload.len()),
        };
        rare.peek_offset = i32::try_from(moved).unwrap_or(i32::MAX);
    }

    pub(crate) fn has_datagram(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(crate) fn pop(&mut self) -> Option<Datagram> {
        let datagram = self.queue.pop_front()?;
        self.queued -= datagram.cost();
        self.memory.remove_datagram(datagram.cost());
        if self.queue.is_empty() && self.queue.capacity() > 64 {
            self.queue = VecDeque::new();
        }
        Some(datagram)
    }

    /// Datagrams that the full buffer has cost.
    pub(crate) fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Bytes of the buffer in use.
    pub(crate) fn receive_queue(&self) -> usize {
        self.queued
    }

    /// Bytes of packets that wait for the link.
    pub(crate) fn send_queue(&self) -> usize {
        self.sending
    }

    /// Reserve send buffer for a packet of `len` bytes; `None`: full.
    pub(crate) fn charge(&mut self, len: usize) -> Option<usize> {
        let charge = len + OVERHEAD;
        if self.sending > 0 && self.sending + charge > self.sndbuf as usize {
            return None;
        }
        self.memory.add_datagram(charge);
        self.sending += charge;
        Some(charge)
    }

    /// A packet has left; `true`: the socket became writable by it.
    pub(crate) fn uncharge(&mut self, charge: usize) -> bool {
        let before = self.is_writable();
        let charge = charge.min(self.sending);
        self.memory.remove_datagram(charge);
        self.sending -= charge;
        !before && self.is_writable()
    }

    fn is_writable(&self) -> bool {
        // Linux's sock_writeable(): less than half of the send buffer is in use.
        self.sending < (self.sndbuf as usize) / 2
    }

    /// An address as the application sees it. A gateway's socket speaks both families as they are.
    pub(crate) fn show(&self, address: SocketAddr) -> SocketAddr {
        if self.any.is_some() { address } else { self.common.show(address) }
    }

    /// What poll(2) would say.
    pub(crate) fn readiness(&self) -> Ready {
        let mut ready = Ready::empty();
        if self.common.error.is_some() || self.common.has_queued_errors() {
            ready |= Ready::ERR;
        }
        if self.common.has_queued_errors() && self.common.has(Flags::ERROR_QUEUE_IS_PRIORITY) {
            ready |= Ready::PRI;
        }
        if self.common.has(Flags::SHUT_READ) {
            ready |= Ready::IN | Ready::RDHUP;
        }
        if self.common.has(Flags::SHUT_READ | Flags::SHUT_WRITE) {
            ready |= Ready::HUP;
        }
        if !self.queue.is_empty() {
            ready |= Ready::IN;
        }
        if self.is_writable() {
            ready |= Ready::OUT;
        }
        ready
    }
}
