//! TCP segments that have arrived: parsed, verified, and handed to whom they belong.
//!
//! Decides, in this order: a flow with this four-tuple; a listener; a gateway's listener; nobody (reset). RFC 9293 3.1
//! (checksum), 3.10.7. Invariant: every segment is taken, answered or counted as dropped.
use bytes::Bytes;
use segue_tcp::{Instant, Segment, TcpFlags};
use segue_wire::tcp::{self, TcpHeader, TcpOptions};
use segue_wire::{ChecksumState, Chunks, Ecn, Packet};

use super::auth::{Arrived, SignsAs};
use super::flows::FlowRef;
use super::output::Back;
use super::syn::quote;
use crate::Counter;
use crate::ip::input::{Arrival, Cast};
use crate::socket::Socket;
use crate::stack::Stack;
use crate::tuple::FourTuple;

impl Stack {
    /// A packet whose transport header, TCP's, starts at `offset`.
    pub(crate) fn tcp_input(&mut self, now: Instant, arrival: &Arrival, packet: Packet, offset: usize) {
        self.counters.add(Counter::TcpInSegs, packet.wire_packets() as u64);
        // RFC 9293 3.9.2.3 (MUST-57): a SYN to a broadcast or multicast address is ignored, and so is everything else.
        if arrival.cast != Cast::Unicast {
            return self.counters.inc(Counter::SegueTcpNotUnicast);
        }
        let Some((mut segment, header_len)) = parse(&packet, offset) else {
            self.counters.inc(Counter::SegueTcpMalformed);
            return self.counters.inc(Counter::TcpInErrs);
        };
        if packet.checksum == ChecksumState::Complete && !verify(arrival, &packet, offset) {
            self.counters.inc(Counter::TcpInCsumErrors);
            return self.counters.inc(Counter::TcpInErrs);
        }
        let tuple = FourTuple {
            local: arrival.destination,
            peer: arrival.source,
            local_port: segment.header.destination_port,
            peer_port: segment.header.source_port,
        };
        let found = self.tcp.flows.find(&tuple, &self.sockets, &self.tcp.entries);
        let (header, options) = (&segment.header, &segment.options);
        let arrived = Arrived { header, options, packet: &packet, offset, header_len };
        if (self.tcp.has_keys || arrived.is_signed()) && !self.authenticate(now, &tuple, arrival, found, &arrived) {
            return;
        }
        let size = packet.segmentation.map(|segmentation| segmentation.size);
        let headers = offset + header_len;
        // Only a SYN ever needs its packet again: held by a gateway, saved, its type of service reflected.
        let kept = is_opening_syn(segment.header.flags).then(|| quote(&packet, headers));
        let borrows = packet.borrows();
        let mut payload = packet.into_payload(headers);
        if borrows && self.budget.is_some_and(|budget| budget.copies(payload.len())) {
            payload = Chunks::from(Bytes::from(payload.to_vec()));
        }
        segment.headers = u16::try_from(headers).unwrap_or(u16::MAX);
        segment.segment_size = size.unwrap_or_else(|| u16::try_from(payload.len()).unwrap_or(u16::MAX));
        segment.payload = payload;
        segment.ecn = Ecn::from_traffic_class(arrival.tos);
        match found {
            Some(FlowRef::Connection(index)) => self.connection_segment(now, index, arrival, segment),
            Some(FlowRef::Opening(index)) => self.opening_segment(now, index, arrival, segment, kept),
            Some(FlowRef::TimeWait(index)) => self.time_wait_segment(now, index, arrival, segment, kept),
            Some(FlowRef::Held(index)) => self.held_segment(now, index, arrival, segment, kept),
            None => self.unclaimed_packet(now, tuple, arrival, segment, kept),
        }
    }

    fn connection_segment(&mut self, now: Instant, index: u32, arrival: &Arrival, segment: Segment) {
        self.refresh(index);
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        if stream.common.is_too_far(arrival) {
            return self.counters.inc(Counter::TcpExtTCPMinTTLDrop);
        }
        let (sequence, len) = (segment.header.sequence, segment.payload.len());
        let watched = len > 0 && stream.common.wants_arrival_times();
        let Some(flow) = stream.flow_mut() else { return };
        let outcome = flow.connection.on_segment(now, segment);
        if watched && outcome.drop.is_none() {
            flow.watch_arrival(now, sequence, len);
        }
        if let Some(route) = arrival.route.filter(|_| outcome.drop.is_none()) {
            self.follow_route(index, route);
        }
        self.settle(now, index, outcome);
    }

    /// A segment that no flow has: for a listener, for a gateway, or for nobody. A SYN comes with the front of its packet.
    pub(crate) fn unclaimed_packet(
        &mut self,
        now: Instant,
        tuple: FourTuple,
        arrival: &Arrival,
        segment: Segment,
        quote: Option<Packet>,
    ) {
        if let Some(listener) = self.find_listener(&tuple, arrival) {
            return self.listener_segment(now, listener, tuple, arrival, &segment, quote.as_ref());
        }
        if let (Some(quote), Some(listener)) = (quote, self.tcp.any.get(&arrival.iface).copied()) {
            return self.hold_syn(now, listener, tuple, arrival, segment, quote);
        }
        self.counters.inc(Counter::SegueTcpNoConnection);
        // An answer from outside to a loopback flow that has ended: nobody inside ever asked for it.
        if !arrival.is_returning {
            self.reset_segment(now, &tuple, Back::to(arrival), &segment, SignsAs::Nobody);
        }
    }

    /// The listener that a SYN of this flow belongs to.
    pub(crate) fn find_listener(&self, tuple: &FourTuple, arrival: &Arrival) -> Option<u32> {
        if arrival.is_returning {
            return None;
        }
        let hash = || self.secrets.flow_hash(tuple.local_addr(), tuple.peer_addr());
        self.tcp.listeners.find(tuple.local_port, tuple.local, Some(arrival.iface), hash)
    }
}

/// A SYN that asks for a new connection, and nothing else.
fn is_opening_syn(flags: TcpFlags) -> bool {
    flags.contains(TcpFlags::SYN) && !flags.intersects(TcpFlags::ACK | TcpFlags::RST | TcpFlags::FIN)
}

/// The segment without its payload, and how long its header is.
fn parse(packet: &Packet, offset: usize) -> Option<(Segment, usize)> {
    let (header, options, header_len) = TcpHeader::parse(packet.head().get(offset..)?).ok()?;
    let options = TcpOptions::parse(options);
    let payload = Chunks::new();
    Some((Segment { header, options, payload, headers: 0, segment_size: 0, ecn: Ecn::NotEct }, header_len))
}

fn verify(arrival: &Arrival, packet: &Packet, offset: usize) -> bool {
    let Some(front) = packet.head().get(offset..) else { return false };
    tcp::verify_checksum(arrival.source, arrival.destination, front, packet.body()).is_ok()
}
