//! UDP: sockets found, datagrams in and out, errors about them.
//!
//! Decides which socket a datagram belongs to (as Linux scores them). RFC 768, RFC 1122 4.1. Errors from ICMP reach
//! connected sockets, and unconnected ones that set `IP_RECVERR`.
use core::net::{IpAddr, SocketAddr};

use hashbrown::HashMap;
use segue_wire::udp::{HEADER_LEN, UdpError, verify_checksum};
use segue_wire::{ChecksumState, Chunks, Instant, Packet, UdpHeader};

use crate::icmp::errors::Complaint;
use crate::icmp::input::{IcmpError, Report};
use crate::ip::input::{Arrival, Cast};
use crate::ports::{PortTable, Rules};
use crate::secrets::KeyedState;
use crate::socket::Socket;
use crate::socket::arrived::ArrivedHeaders;
use crate::socket::common::{Flags, MtuDiscovery};
use crate::socket::datagram::{Ancillary, Datagram, DatagramKind, DatagramSocket, NoRoom, Placed};
use crate::socket::rare::RareFlags;
use crate::stack::{Result, Stack};
use crate::tuple::FourTuple;
use crate::{Counter, Domain, Errno, IfaceId, SocketId, Unreachable};

mod send;

/// Where datagram sockets are found.
#[derive(Debug)]
pub(crate) struct Datagrams {
    pub(crate) ports: PortTable,
    /// Connected UDP sockets by both ends; a second one with the same ends stays among the open ones.
    flows: HashMap<FourTuple, u32, KeyedState>,
    /// Ping sockets by family and identifier.
    pub(crate) pings: HashMap<(bool, u16), u32, KeyedState>,
    /// A gateway's sockets by interface.
    pub(crate) any_udp: HashMap<IfaceId, u32, KeyedState>,
    pub(crate) any_ping: HashMap<IfaceId, u32, KeyedState>,
}

impl Datagrams {
    pub(crate) fn new(hasher: KeyedState) -> Datagrams {
        Datagrams {
            ports: PortTable::new(Rules::Udp, hasher.clone()),
            flows: HashMap::with_hasher(hasher.clone()),
            pings: HashMap::with_hasher(hasher.clone()),
            any_udp: HashMap::with_hasher(hasher.clone()),
            any_ping: HashMap::with_hasher(hasher),
        }
    }
}

impl Stack {
    pub(crate) fn datagram_mut(&mut self, id: SocketId) -> Result<&mut DatagramSocket> {
        match self.live_mut(id)? {
            Socket::Datagram(datagram) => Ok(datagram),
            Socket::Stream(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    /// Put a bound socket where datagrams find it.
    pub(crate) fn place_datagram(&mut self, index: u32) {
        self.unplace_datagram(index);
        let Some(Socket::Datagram(socket)) = self.sockets.at_mut(index) else { return };
        if socket.kind == DatagramKind::Ping || socket.common.port == 0 {
            return;
        }
        let (local, port) = (socket.common.local, socket.common.port);
        self.datagrams.ports.add(port, socket.common.claim());
        socket.common.flags.insert(Flags::CLAIMED);
        if let Some(peer) = socket.peer {
            let tuple = FourTuple { local, peer: peer.ip(), local_port: port, peer_port: peer.port() };
            let is_alone = !self.datagrams.flows.contains_key(&tuple);
            if is_alone && !crate::tuple::unspecified_like(local).eq(&local) {
                self.datagrams.flows.insert(tuple, index);
                socket.placed = Placed::Flow;
                return;
            }
        }
        self.datagrams.ports.open(port, index);
        socket.placed = Placed::Open;
    }

    /// Take a socket out of the tables; its address is still the one it was placed with.
    pub(crate) fn unplace_datagram(&mut self, index: u32) {
        let Some(Socket::Datagram(socket)) = self.sockets.at_mut(index) else { return };
        let port = socket.common.port;
        if socket.common.has(Flags::CLAIMED) {
            let claim = socket.common.claim();
            socket.common.flags.remove(Flags::CLAIMED);
            self.datagrams.ports.remove(port, &claim);
        }
        match core::mem::replace(&mut socket.placed, Placed::Nowhere) {
            Placed::Nowhere => {}
            Placed::Open => self.datagrams.ports.close(port, index),
            Placed::Flow => {
                if let Some(peer) = socket.peer {
                    let tuple = FourTuple {
                        local: socket.common.local,
                        peer: peer.ip(),
                        local_port: port,
                        peer_port: peer.port(),
                    };
                    self.datagrams.flows.remove(&tuple);
                }
            }
            Placed::Identifier => {
                self.datagrams.pings.remove(&(socket.common.domain == Domain::Inet6, port));
            }
        }
    }

    /// The socket that a datagram belongs to.
    fn find_udp(&self, tuple: &FourTuple, iface: IfaceId) -> Option<u32> {
        if let Some(index) = self.datagrams.flows.get(tuple)
            && self.sockets.at(*index).is_some_and(|socket| socket.common().may_hear(iface))
        {
            return Some(*index);
        }
        let open = self.datagrams.ports.open_sockets(tuple.local_port);
        let mut best: Option<(u8, u32)> = None;
        let mut group = 0u32;
        for index in open {
            let Some((score, reuse_port)) = self.score(*index, tuple, iface) else { continue };
            match best {
                Some((better, _)) if better > score => {}
                Some((same, _)) if same == score => group += u32::from(reuse_port),
                _ => {
                    best = Some((score, *index));
                    group = u32::from(reuse_port);
                }
            }
        }
        let (best_score, first) = best?;
        if group < 2 {
            return Some(first);
        }
        let hash = self.secrets.flow_hash(tuple.local_addr(), tuple.peer_addr());
        let chosen = (((hash >> 32) * u64::from(group)) >> 32) as usize;
        let mut members =
            open.iter().copied().filter(|index| self.score(*index, tuple, iface) == Some((best_score, true)));
        members.nth(chosen).or(Some(first))
    }

    /// How well an open socket fits a datagram, and whether it shares its port with `SO_REUSEPORT`.
    fn score(&self, index: u32, tuple: &FourTuple, iface: IfaceId) -> Option<(u8, bool)> {
        let Some(Socket::Datagram(socket)) = self.sockets.at(index) else { return None };
        let scope = socket.common.scope();
        if !scope.covers(tuple.local) || !socket.common.may_hear(iface) {
            return None;
        }
        let mut score = u8::from(socket.common.domain == Domain::Inet);
        if socket.common.has(Flags::CONFINED) {
            score += 2;
        }
        if !scope.is_wildcard() {
            score += 4;
        }
        match socket.peer {
            Some(peer) if peer == tuple.peer_addr() => score += 8,
            Some(_) => return None,
            None => {}
        }
        Some((score, socket.common.has(Flags::REUSE_PORT)))
    }

    /// A packet whose transport header, UDP's, starts at `offset`.
    pub(crate) fn udp_input(&mut self, now: Instant, arrival: &Arrival, packet: Packet, offset: usize) {
        let pick = |v4, v6| if arrival.destination.is_ipv4() { v4 } else { v6 };
        let errors = pick(Counter::UdpInErrors, Counter::Udp6InErrors);
        let front = packet.head().get(offset..).unwrap_or(&[]);
        let available = packet.len().saturating_sub(offset);
        let parsed = UdpHeader::parse(front).and_then(|(header, _)| Ok((header, header.payload_len(available)?)));
        let Ok((header, payload_len)) = parsed else {
            self.counters.inc(Counter::SegueUdpMalformed);
            return self.counters.inc(errors);
        };
        let mut packet = packet;
        packet.truncate(offset + HEADER_LEN + payload_len);
        if packet.checksum == ChecksumState::Complete {
            let front = packet.head().get(offset..).unwrap_or(&[]);
            let verified = match verify_checksum(arrival.source, arrival.destination, front, packet.body()) {
                // RFC 6935, RFC 6936: for a socket that says so.
                Err(UdpError::MissingChecksum) if self.takes_unchecked(&header, arrival) => Ok(()),
                other => other,
            };
            if verified.is_err() {
                self.counters.inc(pick(Counter::UdpInCsumErrors, Counter::Udp6InCsumErrors));
                return self.counters.inc(errors);
            }
        }
        let tuple = FourTuple {
            local: arrival.destination,
            peer: arrival.source,
            local_port: header.destination_port,
            peer_port: header.source_port,
        };
        if arrival.cast != Cast::Unicast {
            let headers = packet.head().get(..offset).map(<[u8]>::to_vec).unwrap_or_default();
            let payload = packet.into_payload(offset + HEADER_LEN);
            return self.udp_to_group(arrival, &tuple, &headers, payload);
        }
        let any = || self.datagrams.any_udp.get(&arrival.iface).copied().filter(|_| !arrival.is_returning);
        match self.find_udp(&tuple, arrival.iface).or_else(any) {
            Some(index) => {
                let headers = packet.head().get(..offset).and_then(|headers| self.headers_for(index, headers));
                let payload = packet.into_payload(offset + HEADER_LEN);
                self.deliver_datagram(index, arrival, (tuple.peer_addr(), tuple.local_addr()), headers, payload);
            }
            None => {
                self.counters.inc(pick(Counter::UdpNoPorts, Counter::Udp6NoPorts));
                // RFC 1122 4.1.3.1.
                if !arrival.is_returning {
                    let why = Complaint::Unreachable(Unreachable::Port);
                    self.send_error(now, why, arrival.destination, arrival.pinned, &packet);
                }
            }
        }
    }

    /// Whether the socket of a datagram without a checksum over IPv6 has `UDP_NO_CHECK6_RX`.
    fn takes_unchecked(&self, header: &UdpHeader, arrival: &Arrival) -> bool {
        let tuple = FourTuple {
            local: arrival.destination,
            peer: arrival.source,
            local_port: header.destination_port,
            peer_port: header.source_port,
        };
        let socket = self.find_udp(&tuple, arrival.iface).and_then(|index| self.sockets.at(index));
        socket.is_some_and(|socket| socket.common().rare().flags.contains(RareFlags::NO_CHECK6_RX))
    }

    /// A datagram to a broadcast or multicast address goes to every socket it fits, and causes no error.
    pub(crate) fn udp_to_group(&mut self, arrival: &Arrival, tuple: &FourTuple, headers: &[u8], payload: Chunks) {
        let open = self.datagrams.ports.open_sockets(tuple.local_port).to_vec();
        for index in open {
            if self.score(index, tuple, arrival.iface).is_some() && self.hears(index, arrival) {
                let headers = self.headers_for(index, headers);
                let ends = (tuple.peer_addr(), tuple.local_addr());
                self.deliver_datagram(index, arrival, ends, headers, payload.clone());
            }
        }
    }

    /// Whether a socket that is bound right hears a group's datagram from this source.
    fn hears(&self, index: u32, arrival: &Arrival) -> bool {
        let Some(socket) = self.sockets.at(index) else { return false };
        let rare = socket.common().rare();
        let is_inet = socket.common().domain == Domain::Inet;
        let hears_all = match arrival.destination {
            IpAddr::V4(_) => is_inet != rare.flags.contains(RareFlags::MULTICAST_ALL_CHANGED),
            IpAddr::V6(_) => !rare.flags.contains(RareFlags::MULTICAST_ALL6_OFF),
        };
        arrival.cast != Cast::Multicast
            || rare.groups.lets_through(arrival.destination, arrival.iface, arrival.source, hears_all)
    }

    /// Of the headers before the transport's, what the socket has asked for.
    pub(crate) fn headers_for(&self, index: u32, headers: &[u8]) -> Option<ArrivedHeaders> {
        ArrivedHeaders::kept_for(self.sockets.at(index)?.common(), headers)
    }

    pub(crate) fn deliver_datagram(
        &mut self,
        index: u32,
        arrival: &Arrival,
        (from, to): (SocketAddr, SocketAddr),
        headers: Option<ArrivedHeaders>,
        payload: Chunks,
    ) {
        let Some(Socket::Datagram(socket)) = self.sockets.at_mut(index) else { return };
        let is_udp = socket.kind == DatagramKind::Udp;
        let taken =
            socket.push(Datagram { from, arrival: Ancillary::of(arrival, to), segment: None, headers, payload });
        if is_udp {
            let pick = |v4, v6| if to.is_ipv4() { v4 } else { v6 };
            self.counters.inc(match taken {
                Ok(()) => pick(Counter::UdpInDatagrams, Counter::Udp6InDatagrams),
                Err(NoRoom::Buffer) => pick(Counter::UdpRcvbufErrors, Counter::Udp6RcvbufErrors),
                Err(NoRoom::Memory) => pick(Counter::UdpMemErrors, Counter::Udp6MemErrors),
            });
            if taken.is_err() {
                self.counters.inc(pick(Counter::UdpInErrors, Counter::Udp6InErrors));
            }
        }
        if taken.is_ok() {
            self.notify(index);
        }
    }

    /// An ICMP error about a datagram from `tuple.local` to `tuple.peer`.
    pub(crate) fn udp_report(&mut self, now: Instant, tuple: &FourTuple, error: &IcmpError) {
        let Some(index) = self.find_udp(tuple, error.iface()) else { return };
        if let Report::TooBig { mtu } = error.report {
            let Some(socket) = self.sockets.at(index) else { return };
            // As Linux: who ignores what is learned about paths is not told either.
            if !socket.common().discovery_for(tuple.peer).learns() {
                return;
            }
            self.net.learn_mtu(now, tuple.peer, mtu);
        }
        self.report_to_datagram(index, tuple.peer_addr(), error, HEADER_LEN);
    }

    /// As Linux: hard errors reach connected sockets; with `IP_RECVERR` every error reaches every socket, and its error
    /// queue, where the quote begins `skip` bytes behind the start of the transport header.
    pub(crate) fn report_to_datagram(&mut self, index: u32, peer: SocketAddr, error: &IcmpError, skip: usize) {
        let Some(Socket::Datagram(socket)) = self.sockets.at_mut(index) else { return };
        let recv_err = if peer.is_ipv4() { Flags::RECV_ERR } else { Flags::RECV_ERR6 };
        let wants_all = socket.common.has(recv_err);
        let (errno, is_hard) = match error.report {
            Report::Unreachable { errno, is_hard } => (errno, is_hard),
            Report::TooBig { .. } => (Errno::EMSGSIZE, socket.common.discovery_for(peer.ip()) != MtuDiscovery::Dont),
        };
        if !wants_all && !(is_hard && (socket.peer.is_some() || socket.kind == DatagramKind::Ping)) {
            return;
        }
        socket.common.error = Some(errno);
        if wants_all {
            let names = self.names_extensions(index, peer.ip());
            self.queue_error(index, error.entry(peer, skip, names));
        }
        self.notify(index);
    }

    /// `IP_RECVERR_RFC4884`, `IPV6_RECVERR_RFC4884`, by the family of the packet that an error is about.
    pub(crate) fn names_extensions(&self, index: u32, peer: IpAddr) -> bool {
        let flag = if peer.is_ipv4() { RareFlags::ERROR_STRUCTURE } else { RareFlags::ERROR_STRUCTURE6 };
        self.sockets.at(index).is_some_and(|socket| socket.common().rare().flags.contains(flag))
    }

    /// A datagram socket goes away.
    pub(crate) fn close_datagram(&mut self, id: SocketId) {
        self.unplace_datagram(id.index);
        self.leave_all_groups(id.index);
        let Some(Socket::Datagram(socket)) = self.sockets.at(id.index) else { return };
        if let Some(iface) = socket.any {
            let table = match socket.kind {
                DatagramKind::Udp => &mut self.datagrams.any_udp,
                DatagramKind::Ping => &mut self.datagrams.any_ping,
            };
            table.remove(&iface);
        }
        self.sockets.discard(id.index);
    }
}
