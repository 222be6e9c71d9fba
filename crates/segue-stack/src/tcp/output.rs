//! From a `Transmit` to an IP packet, and whose turn it is to send.
//!
//! Decides ports, IP fields and segmentation of outgoing segments, and serves connections that have something to send in
//! turn: each at most `TURN` bytes, then the next; and which wait first (`TCP_TX_DELAY`). RFC 9293 3.7.1 (MSS from the MTU, here the MTU that is left for TCP).
use core::net::IpAddr;
use core::time::Duration;

use segue_tcp::{Family, Instant, Segment, TcpFlags, Transmit, reset_for};
use segue_wire::tcp::{self, MAX_HEADER_LEN};
use segue_wire::{IpVersion, Packet, Protocol, Segmentation, SourceRoute};

use super::auth::{Signer, Signing, SignsAs};
use super::flows::FlowRef;
use super::routed::{RouteChoice, next_stop, route_len};
use super::syn::without_ecn;
use crate::ip::input::Arrival;
use crate::ip::output::{IpFields, discards, header_len, no_routes};
use crate::socket::Socket;
use crate::stack::Stack;
use crate::tuple::FourTuple;
use crate::{Counter, IfaceId};

/// Bytes that one connection may send before it is the next one's turn.
const TURN: usize = 128 * 1024;
/// Offset of the checksum in a TCP header.
const CHECKSUM_AT: usize = 16;

/// What of a path's MTU is left for TCP, header included.
pub(crate) fn mtu_payload(mtu: usize, peer: IpAddr) -> u16 {
    u16::try_from(mtu.saturating_sub(header_len(peer))).unwrap_or(u16::MAX)
}

/// What carries the segments of a connection to `peer`.
pub(crate) fn family(peer: IpAddr) -> Family {
    if peer.is_ipv4() { Family::V4 } else { Family::V6 }
}

/// What the IP header of a segment says beyond addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
    pub(crate) dont_fragment: bool,
    pub(crate) identification: u16,
    pub(crate) flow_label: u32,
}

/// The packet for a segment, along a source route if there is one.
fn segment_packet(
    tuple: &FourTuple,
    transmit: Transmit,
    service: Service,
    route: Option<&SourceRoute>,
    signer: Option<&Signer>,
) -> Packet {
    let mut header = transmit.header;
    header.source_port = tuple.local_port;
    header.destination_port = tuple.peer_port;
    header.checksum = 0;
    let mut transport = [0; MAX_HEADER_LEN];
    let len = match signer {
        None => tcp::emit(&header, &transmit.options, &mut transport),
        Some(signer) => {
            let len = tcp::emit(&header, &signer.make_room(&transmit.options), &mut transport);
            signer.sign(tuple.local, tuple.peer, &mut transport[..len], &transmit.payload);
            len
        }
    };
    let size = transmit.segment_size;
    let is_super = size > 0 && transmit.payload.len() > usize::from(size);
    let fields = IpFields {
        source: tuple.local,
        destination: tuple.peer,
        protocol: Protocol::TCP,
        ttl: service.ttl,
        tos: transmit.ecn.in_traffic_class(service.tos),
        flow_label: service.flow_label,
        dont_fragment: service.dont_fragment,
        identification: service.identification,
    };
    if let Some(route) = route {
        // Such a connection is never asked for super-segments: nobody could cut them and find the destination.
        return fields.routed_packet(route, &transport[..len], CHECKSUM_AT, transmit.payload);
    }
    let segmentation = is_super.then_some(Segmentation { size, kind: transmit.segmentation });
    fields.packet(&transport[..len], CHECKSUM_AT, transmit.payload, segmentation)
}

/// What the answer to a packet that belongs to no socket has of that packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Back {
    /// The interface that it goes back by, if it must.
    pub(crate) pinned: Option<IfaceId>,
    /// Its type of service.
    pub(crate) tos: u8,
}

impl Back {
    /// As Linux: the answer has the packet's type of service, without its ECN bits.
    pub(crate) fn to(arrival: &Arrival) -> Back {
        Back { pinned: arrival.pinned, tos: without_ecn(arrival.tos) }
    }
}

impl Stack {
    /// Send a segment that belongs to no socket: a reset, a SYN-ACK, an answer from TIME-WAIT.
    pub(crate) fn reply_segment(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        back: Back,
        transmit: Transmit,
        signs: SignsAs,
    ) {
        let signing = self.signing(signs, tuple, &transmit.header);
        let (ttl, delay) = (self.default_ttl(tuple.peer), self.departure_delay(signs));
        self.reply_as(now, tuple, (back.pinned, None), (transmit, signing), (ttl, back.tos), delay);
    }

    /// As [`reply_segment`](Self::reply_segment), for whoever has the key at hand.
    pub(crate) fn reply_signed(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        back: Back,
        transmit: Transmit,
        signing: Signing,
    ) {
        let ttl = self.default_ttl(tuple.peer);
        self.reply_as(now, tuple, (back.pinned, None), (transmit, signing), (ttl, back.tos), Duration::ZERO);
    }

    /// As [`reply_segment`](Self::reply_segment), for a listener, whose TTL and type of service its SYN-ACKs have (with
    /// `tcp_reflect_tos`, the SYN's type of service); back by the interface and along the source route that are given.
    pub(crate) fn reply_for(
        &mut self,
        now: Instant,
        listener: u32,
        tuple: &FourTuple,
        back: (Option<IfaceId>, Option<&SourceRoute>),
        syn_tos: u8,
        (transmit, signs): (Transmit, SignsAs),
    ) {
        let default_ttl = self.default_ttl(tuple.peer);
        let service = self.sockets.at(listener).map(|socket| socket.common().ttl_and_tos(tuple.peer, default_ttl));
        let (ttl, own_tos) = service.unwrap_or((default_ttl, 0));
        let tos = if self.settings.ip.reflect_tos { syn_tos } else { own_tos };
        let signing = self.signing(signs, tuple, &transmit.header);
        let delay = self.departure_delay(signs);
        self.reply_as(now, tuple, back, (transmit, signing), (ttl, tos), delay);
    }

    /// `TCP_TX_DELAY` of whoever a segment is sent for.
    fn departure_delay(&self, sender: SignsAs) -> Duration {
        match sender {
            SignsAs::Nobody => Duration::ZERO,
            SignsAs::Socket(index) | SignsAs::Handshake(index, _) => {
                self.sockets.at(index).map_or(Duration::ZERO, |socket| socket.common().departure_delay())
            }
            SignsAs::TimeWait(index) => self.tcp.last_delays.get(&index).copied().unwrap_or_default(),
        }
    }

    fn reply_as(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        (pinned, route): (Option<IfaceId>, Option<&SourceRoute>),
        (transmit, signing): (Transmit, Signing),
        (ttl, tos): (u8, u8),
        delay: Duration,
    ) {
        let signer = match signing {
            Signing::Unsigned => None,
            Signing::With(signer) => Some(signer),
            Signing::Impossible => return,
        };
        let Ok(way) = self.routed_way(now, tuple.peer, pinned, route) else {
            self.counters.inc(no_routes(tuple.peer));
            return;
        };
        if transmit.header.flags.contains(TcpFlags::RST) {
            self.counters.inc(Counter::TcpOutRsts);
        }
        self.counters.inc(Counter::TcpOutSegs);
        let service = Service { ttl, tos, dont_fragment: true, identification: 0, flow_label: 0 };
        let packet = segment_packet(tuple, transmit, service, route, signer.as_ref());
        self.count_ip_out(&packet);
        let is_taken = match delay {
            Duration::ZERO => self.outbox.push_reply(way.iface, packet),
            delay => self.departures.push(now + delay, way.iface, packet),
        };
        if !is_taken {
            self.counters.inc(discards(tuple.peer));
        }
    }

    /// RFC 9293 3.10.7.1: reset whoever sent a segment that fits nothing here.
    pub(crate) fn reset_segment(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        back: Back,
        segment: &Segment,
        signs: SignsAs,
    ) {
        if let Some(transmit) = reset_for(segment) {
            self.reply_segment(now, tuple, back, transmit, signs);
        }
    }

    /// The connection has something to send.
    pub(crate) fn mark_ready(&mut self, index: u32) {
        if let Some(Socket::Stream(stream)) = self.sockets.at_mut(index)
            && let Some(flow) = stream.flow_mut()
            && !flow.is_ready
        {
            flow.is_ready = true;
            self.tcp.ready.push_back(index);
        }
    }

    /// The next segment of a connection whose turn it is.
    pub(crate) fn next_segment(&mut self, now: Instant) -> Option<(IfaceId, Packet)> {
        loop {
            let index = *self.tcp.ready.front()?;
            let next = self.depart_from(now, index);
            if let Some((_, packet)) = &next {
                self.tcp.turn += packet.len();
                if self.tcp.turn >= TURN {
                    self.tcp.turn = 0;
                    self.tcp.ready.rotate_left(1);
                }
                return next;
            }
            self.tcp.turn = 0;
            self.tcp.ready.pop_front();
            self.rest(now, index);
        }
    }

    /// As [`transmit_from`](Self::transmit_from), for segments that leave at once; those of a socket with `TCP_TX_DELAY` wait.
    pub(crate) fn depart_from(&mut self, now: Instant, index: u32) -> Option<(IfaceId, Packet)> {
        let delay = self.departure_delay(SignsAs::Socket(index));
        if delay.is_zero() {
            return self.transmit_from(now, index);
        }
        loop {
            let (iface, packet) = self.transmit_from(now, index)?;
            let is_v4 = packet.version() == Some(IpVersion::V4);
            if !self.departures.push(now + delay, iface, packet) {
                self.counters.inc(if is_v4 { Counter::IpOutDiscards } else { Counter::Ip6OutDiscards });
            }
        }
    }

    /// One segment of one connection; `None`: it has nothing to send now, or no way to send it.
    fn transmit_from(&mut self, now: Instant, index: u32) -> Option<(IfaceId, Packet)> {
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return None };
        let pinned = stream.common.pinned;
        let route = stream.common.rare().route;
        let flow = stream.flow()?;
        let (tuple, is_signed) = (flow.tuple, !flow.connection.options().signature.is_empty());
        let stop = next_stop(tuple.peer, route.route());
        let Ok(way) = self.net.way_without_source(now, stop, pinned) else {
            // As if they were lost on the way: the retransmission timer tries again and gives up in the end.
            let flow = stream.flow_mut()?;
            while flow.connection.poll_transmit(now, 0).is_some() {
                self.counters.inc(no_routes(tuple.peer));
            }
            return None;
        };
        let gso_max = match route {
            // Each segment has a signature of its own, and no link can make one.
            _ if is_signed => 0,
            RouteChoice::Direct => self.net.iface(way.iface).map_or(0, |iface| iface.gso_max),
            RouteChoice::Asked(_) | RouteChoice::Learned(_) => 0,
        };
        let max_payload = gso_max.saturating_sub(header_len(tuple.peer) + MAX_HEADER_LEN);
        let room = mtu_payload(way.mtu.saturating_sub(route_len(tuple.peer, route.route())), tuple.peer);
        let flow = stream.flow_mut()?;
        // A route has changed, or what a router said of it was forgotten (RFC 1191 section 6.3).
        if flow.connection.path_mtu().is_some_and(|known| known != room) {
            flow.connection.set_path_mtu(now, room);
        }
        let transmit = flow.connection.poll_transmit(now, max_payload)?;
        let identification = flow.identification;
        let timeouts = flow.connection.timeouts();
        let is_reset = transmit.header.flags.contains(TcpFlags::RST);
        let resent = transmit.resent;
        let default_ttl = self.default_ttl(tuple.peer);
        let signer = match self.signing(SignsAs::Socket(index), &tuple, &transmit.header) {
            Signing::Unsigned => None,
            Signing::With(signer) => Some(signer),
            Signing::Impossible => return None,
        };
        let flow_label = self.flow_label(index, (tuple.local_addr(), tuple.peer_addr()), None, timeouts);
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return None };
        let (ttl, tos) = stream.common.ttl_and_tos(tuple.peer, default_ttl);
        let dont_fragment = stream.common.discovery_for(tuple.peer).sets_df();
        let watched = stream.flow().filter(|flow| flow.watch.is_some()).and_then(|flow| {
            let start = flow.connection.offset_of_sent(transmit.header.sequence)?;
            Some((start, transmit.payload.clone()))
        });
        let service = Service { ttl, tos, dont_fragment, identification, flow_label };
        let has_data = !transmit.payload.is_empty();
        let packet = segment_packet(&tuple, transmit, service, route.route(), signer.as_ref());
        let segments = packet.wire_packets();
        if let Some(flow) = stream.flow_mut() {
            flow.identification = identification.wrapping_add(segments as u16);
            flow.sent = flow.sent.saturating_add(segments as u32);
        }
        self.counters.add(Counter::TcpOutSegs, (segments as u64).saturating_sub(resent.into()));
        self.counters.add(Counter::TcpRetransSegs, u64::from(resent));
        if has_data {
            self.counters.add(Counter::TcpExtTCPOrigDataSent, (segments as u64).saturating_sub(resent.into()));
        }
        if is_reset {
            self.counters.inc(Counter::TcpOutRsts);
        }
        self.count_ip_out(&packet);
        if let Some((start, text)) = watched {
            self.tell_sent(now, index, start, &text, &packet);
        }
        Some((way.iface, packet))
    }

    /// A connection has nothing more to send for now: set its timer, or let it go if it is over.
    fn rest(&mut self, now: Instant, index: u32) {
        self.count_sent(index);
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let Some(flow) = stream.flow_mut() else { return };
        flow.is_ready = false;
        let events = flow.connection.take_events();
        self.settle(now, index, segue_tcp::Outcome { events, drop: None });
    }

    /// Take a connection out of the table of flows.
    pub(crate) fn leave_flows(&mut self, index: u32) {
        if let Some(Socket::Stream(stream)) = self.sockets.at_mut(index)
            && let Some(flow) = stream.flow_mut()
            && core::mem::replace(&mut flow.in_table, false)
        {
            let tuple = flow.tuple;
            self.tcp.flows.remove(&tuple, FlowRef::Connection(index));
        }
    }
}
