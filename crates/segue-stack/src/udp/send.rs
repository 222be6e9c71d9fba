//! UDP on the way out: whom a socket is connected to, which way a datagram takes, what a send may do.
//!
//! Decides source address and port, limits and fragmentation. RFC 768, RFC 1122 4.1.3, RFC 8085 3.2 (path MTU).
use core::net::{IpAddr, SocketAddr};

use segue_wire::udp::HEADER_LEN;
use segue_wire::{Bytes, Chunks, Instant, Protocol, Segmentation, SegmentationKind, UdpHeader};

use crate::departures::HORIZON;
use crate::ip::flow_label::named_label;
use crate::ip::input::{Arrival, Cast};
use crate::ip::output::{IpFields, header_len};
use crate::message::{ErrorOrigin, ExtendedError};
use crate::net::Destination;
use crate::net::Way;
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::socket::datagram::{DatagramKind, DatagramSocket};
use crate::socket::error_queue::QueuedError;
use crate::socket::rare::RareFlags;
use crate::socket::send_control::SendControl;
use crate::stack::{Result, Stack};
use crate::tuple::FourTuple;
use crate::{Counter, Domain, Errno, IfaceId, MsgFlags, SocketId};

/// Offset of the checksum in a UDP header.
const CHECKSUM_AT: usize = 6;

/// A datagram on its way out, checked.
struct Outgoing {
    to: SocketAddr,
    local: SocketAddr,
    payload: Chunks,
    control: SendControl,
}

/// Most datagrams in one (Linux's `UDP_MAX_SEGMENTS`).
const MAX_SEGMENTS: usize = 128;

impl Stack {
    /// connect(2) on a datagram socket: name the peer, choose the source.
    pub(crate) fn connect_datagram(&mut self, now: Instant, id: SocketId, address: SocketAddr) -> Result<()> {
        let to = self.datagram_destination(id, address)?;
        let way = self.datagram_way(now, id, to, &SendControl::default())?;
        self.unplace_datagram(id.index);
        let socket = self.datagram_mut(id)?;
        if crate::tuple::unspecified_like(socket.common.local) == socket.common.local {
            socket.common.local = way.source;
        }
        socket.peer = Some(to);
        if socket.kind == DatagramKind::Ping {
            return self.place_ping(id);
        }
        if socket.common.port == 0 {
            let bound = self.bind_ephemeral(id, false);
            if bound.is_err() {
                self.datagram_mut(id)?.peer = None;
            }
            bound?;
        }
        self.place_datagram(id.index);
        Ok(())
    }

    /// connect(2) with `AF_UNSPEC`.
    pub(crate) fn disconnect_datagram(&mut self, id: SocketId) -> Result<()> {
        self.unplace_datagram(id.index);
        let socket = self.datagram_mut(id)?;
        socket.peer = None;
        if !socket.common.has(Flags::ADDRESS_LOCKED) {
            socket.common.local = crate::socket::common::unspecified(socket.common.domain);
        }
        if !socket.common.has(Flags::PORT_LOCKED) {
            socket.common.port = 0;
            socket.common.flags.remove(Flags::CLAIM_BOUND);
        }
        let is_ping = socket.kind == DatagramKind::Ping;
        if is_ping {
            return self.place_ping(id);
        }
        self.place_datagram(id.index);
        Ok(())
    }

    /// Where a datagram goes, as the socket may send it.
    pub(crate) fn datagram_destination(&mut self, id: SocketId, address: SocketAddr) -> Result<SocketAddr> {
        let socket = self.datagram_mut(id)?;
        // A gateway's socket speaks for hosts of both families.
        let to = match socket.any {
            Some(_) => SocketAddr::new(address.ip().to_canonical(), address.port()),
            None => socket.common.take_address(address)?,
        };
        if socket.common.has(Flags::V6_ONLY) && to.is_ipv4() {
            return Err(Errno::ENETUNREACH);
        }
        let is_other_family = to.is_ipv4() != (socket.common.domain == Domain::Inet);
        if socket.kind == DatagramKind::Ping && socket.any.is_none() && is_other_family {
            return Err(Errno::EAFNOSUPPORT);
        }
        let may_broadcast = socket.common.has(Flags::BROADCAST);
        match self.net.destination(to.ip()) {
            Destination::Broadcast if !may_broadcast => Err(Errno::EACCES),
            Destination::Unspecified if to.ip().is_unspecified() => {
                let loopback = match to.ip() {
                    IpAddr::V4(_) => IpAddr::V4(core::net::Ipv4Addr::LOCALHOST),
                    IpAddr::V6(_) => IpAddr::V6(core::net::Ipv6Addr::LOCALHOST),
                };
                Ok(SocketAddr::new(loopback, to.port()))
            }
            Destination::Unspecified => Err(Errno::EINVAL),
            _ => Ok(to),
        }
    }

    /// The way of a datagram; `control` may name the source (a gateway's socket answers from others' addresses) and the
    /// interface.
    pub(crate) fn datagram_way(
        &mut self,
        now: Instant,
        id: SocketId,
        to: SocketAddr,
        control: &SendControl,
    ) -> Result<Way> {
        let Socket::Datagram(socket) = self.live(id)? else { return Err(Errno::EOPNOTSUPP) };
        let (local, port) = (socket.common.local, socket.common.port);
        let (sticky, by) = sticky_source(socket, to.ip());
        let from = control.source.map(|source| source.ip()).or(sticky);
        let source = from.unwrap_or(local);
        let (is_udp, must_be_direct) = (socket.kind == DatagramKind::Udp, socket.common.has(Flags::DONT_ROUTE));
        let chosen = socket.any.or(control.iface).or(by).or_else(|| socket.common.leaves_by(&self.net, to.ip()));
        let pinned = chosen.or_else(|| {
            let fallback = self.net.loopback_fallback().filter(|_| is_udp && to.ip().is_loopback())?;
            // Whoever inside waits there gets it; only what nobody inside takes leaves.
            let back = FourTuple {
                local: to.ip(),
                peer: if source.is_unspecified() { to.ip() } else { source },
                local_port: to.port(),
                peer_port: port,
            };
            // A connected socket is found by its flow alone.
            let waits = self.datagrams.flows.contains_key(&back)
                || self.datagrams.ports.open_sockets(to.port()).iter().any(|index| {
                    self.sockets.at(*index).is_some_and(|socket| socket.common().scope().covers(back.local))
                });
            (!waits).then_some(fallback)
        });
        let mut way = match self.net.way(now, to.ip(), pinned) {
            // A gateway answers from addresses that it does not have.
            Err(Errno::EADDRNOTAVAIL) if from.is_some() => self.net.way_without_source(now, to.ip(), pinned)?,
            other => other?,
        };
        way.check_direct(must_be_direct || control.is_direct)?;
        if !source.is_unspecified() && source.is_ipv4() == to.is_ipv4() {
            way.source = source;
        }
        if way.source.is_loopback() && way.iface != IfaceId::LOOPBACK && pinned.is_none() {
            return Err(Errno::EINVAL);
        }
        Ok(way)
    }

    /// send(2), sendto(2) and their kind on a UDP socket.
    pub(crate) fn send_udp(
        &mut self,
        now: Instant,
        id: SocketId,
        data: Bytes,
        flags: MsgFlags,
        to: Option<SocketAddr>,
        control: &SendControl,
    ) -> Result<usize> {
        if flags.contains(MsgFlags::OOB) {
            return Err(Errno::EOPNOTSUPP);
        }
        let len = data.len();
        let named = to.and_then(|to| named_label(&self.datagram_mut(id).ok()?.common, to));
        let flow_label = control.flow_label.or(named);
        let control = SendControl { is_direct: flags.contains(MsgFlags::DONTROUTE), flow_label, ..*control };
        let Some((to, control, payload)) = self.uncork(id, data, flags, to, control)? else { return Ok(len) };
        self.send_whole(now, id, to, control, payload)?;
        Ok(len)
    }

    /// `UDP_CORK` is switched off: what was collected is one datagram, which leaves now.
    pub(crate) fn flush_cork(&mut self, now: Instant, id: SocketId) -> Result<()> {
        let Some(corked) = self.datagram_mut(id)?.corked.take() else { return Ok(()) };
        self.send_whole(now, id, corked.to, corked.control, Bytes::from(corked.payload))
    }

    /// Send one datagram (or, with `UDP_SEGMENT`, several of one size).
    fn send_whole(
        &mut self,
        now: Instant,
        id: SocketId,
        to: SocketAddr,
        control: SendControl,
        payload: Bytes,
    ) -> Result<()> {
        let from = control.source;
        if to.port() == 0 {
            return Err(Errno::EINVAL);
        }
        let limit = usize::from(u16::MAX) - HEADER_LEN - if to.is_ipv4() { 20 } else { 0 };
        if payload.len() > limit {
            return Err(Errno::EMSGSIZE);
        }
        let socket = self.datagram_mut(id)?;
        if let Some(error) = socket.common.error.take() {
            return Err(error);
        }
        if socket.common.has(Flags::SHUT_WRITE) {
            return Err(Errno::EPIPE);
        }
        self.bind_ephemeral(id, false)?;
        let way = self.datagram_way(now, id, to, &control)?;
        let socket = self.datagram_mut(id)?;
        let port = match (from, socket.any) {
            (Some(from), Some(_)) if from.port() != 0 => from.port(),
            _ => socket.common.port,
        };
        let outgoing =
            Outgoing { to, local: SocketAddr::new(way.source, port), payload: Chunks::from(payload), control };
        let (local, payload) = (outgoing.local, outgoing.payload.clone());
        let departs = match self.departure(now, &way, &outgoing.control) {
            Ok(departs) => departs,
            // As Linux, which tells of what its queue drops only who asked for errors.
            Err(error) if self.wants_errors(id, to) => return Err(error),
            Err(_) => return Ok(()),
        };
        self.emit_udp(id, &way, outgoing, departs)?;
        self.loop_back(now, id, &way, local, to, &payload);
        Ok(())
    }

    /// Join what MSG_MORE held back. `None`: it is held back now.
    fn uncork(
        &mut self,
        id: SocketId,
        data: Bytes,
        flags: MsgFlags,
        to: Option<SocketAddr>,
        mut control: SendControl,
    ) -> Result<Option<(SocketAddr, SendControl, Bytes)>> {
        let socket = self.datagram_mut(id)?;
        let is_more = flags.contains(MsgFlags::MORE) || socket.common.has(Flags::CORK);
        if let Some(corked) = &mut socket.corked {
            if corked.payload.len() + data.len() > usize::from(u16::MAX) {
                return Err(Errno::EMSGSIZE);
            }
            corked.payload.extend_from_slice(&data);
            if is_more {
                return Ok(None);
            }
            let Some(corked) = socket.corked.take() else { return Ok(None) };
            return Ok(Some((corked.to, corked.control, Bytes::from(corked.payload))));
        }
        let to = match (to, socket.peer) {
            (Some(to), _) => self.datagram_destination(id, to)?,
            (None, Some(peer)) => peer,
            (None, None) => return Err(Errno::EDESTADDRREQ),
        };
        control.source = control.source.map(|from| SocketAddr::new(from.ip().to_canonical(), from.port()));
        if is_more {
            let corked = crate::socket::datagram::Corked { to, control, payload: data.to_vec() };
            self.datagram_mut(id)?.corked = Some(Box::new(corked));
            return Ok(None);
        }
        Ok(Some((to, control, data)))
    }

    /// When a datagram with `SCM_TXTIME` leaves, if not at once: as Linux's fair queue (fq), which refuses what is too far
    /// ahead. What stays inside the host waits for nothing.
    pub(crate) fn departure(&mut self, now: Instant, way: &Way, control: &SendControl) -> Result<Option<Instant>> {
        let at = control.departs.filter(|at| *at > now && way.iface != IfaceId::LOOPBACK);
        if at.is_some_and(|at| at > now + HORIZON) {
            let pick = |v4, v6| if way.source.is_ipv4() { v4 } else { v6 };
            self.counters.inc(pick(Counter::UdpSndbufErrors, Counter::Udp6SndbufErrors));
            return Err(Errno::ENOBUFS);
        }
        Ok(at)
    }

    fn wants_errors(&self, id: SocketId, to: SocketAddr) -> bool {
        let flag = if to.is_ipv4() { Flags::RECV_ERR } else { Flags::RECV_ERR6 };
        self.live(id).is_ok_and(|socket| socket.common().has(flag))
    }

    fn emit_udp(&mut self, id: SocketId, way: &Way, outgoing: Outgoing, departs: Option<Instant>) -> Result<()> {
        let Outgoing { to, local, payload, control } = outgoing;
        let pick = |v4, v6| if to.is_ipv4() { v4 } else { v6 };
        let default_ttl = self.default_ttl(to.ip());
        let socket = self.datagram_mut(id)?;
        let (ttl, tos) = socket.common.ttl_and_tos(to.ip(), default_ttl);
        let (ttl, tos) = (control.ttl.unwrap_or(ttl), control.tos.unwrap_or(tos));
        let discovery = socket.common.discovery_for(to.ip());
        let rare_flags = socket.common.rare().flags;
        let never_cut = control.dont_fragment.unwrap_or(to.is_ipv6() && rare_flags.contains(RareFlags::DONT_FRAGMENT6));
        let is_unchecked = match to {
            SocketAddr::V4(_) => socket.common.has(Flags::NO_CHECK),
            SocketAddr::V6(_) => rare_flags.contains(RareFlags::NO_CHECK6_TX),
        };
        let segment = self.segment_size(id, &control, payload.len())?;
        let mtu = self.udp_mtu(id, way, to)?;
        let whole = HEADER_LEN + segment.map_or(payload.len(), usize::from);
        let may_fragment = discovery.may_fragment() && !never_cut && segment.is_none();
        if header_len(to.ip()) + whole > mtu && !may_fragment {
            self.counters.inc(pick(Counter::IpFragFails, Counter::Ip6FragFails));
            if never_cut {
                self.tell_path_mtu(id, to.ip(), mtu);
            }
            self.queue_local_error(id, to, mtu);
            return Err(Errno::EMSGSIZE);
        }
        let length = HEADER_LEN + payload.len();
        let flow_label = self.flow_label(id.index, (local, to), control.flow_label, 0);
        let socket = self.datagram_mut(id)?;
        let Some(charge) = socket.charge(length) else {
            self.counters.inc(pick(Counter::UdpSndbufErrors, Counter::Udp6SndbufErrors));
            return Err(Errno::EAGAIN);
        };
        let header =
            UdpHeader { source_port: local.port(), destination_port: to.port(), length: length as u16, checksum: 0 };
        let mut transport = [0; HEADER_LEN];
        header.emit(&mut transport);
        let dont_fragment = discovery.sets_df() || never_cut;
        let fields = IpFields {
            source: local.ip(),
            destination: to.ip(),
            protocol: Protocol::UDP,
            ttl,
            tos,
            flow_label,
            dont_fragment,
            identification: if dont_fragment { 0 } else { self.next_identification(local.ip(), to.ip()) as u16 },
        };
        let segmentation = segment.map(|size| Segmentation { size, kind: SegmentationKind::Udp });
        let packet = match is_unchecked {
            // RFC 768, RFC 6936: zero says that there is no checksum.
            true => fields.unchecked_packet(&transport, payload),
            false => fields.packet(&transport, CHECKSUM_AT, payload, segmentation),
        };
        self.counters.add(pick(Counter::UdpOutDatagrams, Counter::Udp6OutDatagrams), packet.wire_packets() as u64);
        self.push_charged(way, packet, mtu, (id, charge), departs);
        Ok(())
    }

    /// What is sent to a group that this host has joined comes back to it, unless `IP_MULTICAST_LOOP` is off.
    fn loop_back(
        &mut self,
        now: Instant,
        id: SocketId,
        way: &Way,
        local: SocketAddr,
        to: SocketAddr,
        payload: &Chunks,
    ) {
        let Ok(socket) = self.live(id) else { return };
        let common = socket.common();
        let is_off = match to {
            SocketAddr::V4(_) => common.has(Flags::MULTICAST_LOOP_OFF),
            SocketAddr::V6(_) => common.rare().flags.contains(RareFlags::MULTICAST_LOOP6_OFF),
        };
        if is_off || !to.ip().is_multicast() || !self.net.has_joined(to.ip(), way.iface) {
            return;
        }
        let default_ttl = self.default_ttl(to.ip());
        let (ttl, tos) = common.ttl_and_tos(to.ip(), default_ttl);
        let arrival = Arrival {
            at: now,
            iface: way.iface,
            source: local.ip(),
            destination: to.ip(),
            cast: Cast::Multicast,
            is_own: false,
            is_returning: false,
            pinned: None,
            ttl,
            tos,
            flow_label: 0,
            largest_fragment: 0,
            route: None,
        };
        let tuple = FourTuple { local: to.ip(), peer: local.ip(), local_port: to.port(), peer_port: local.port() };
        self.udp_to_group(&arrival, &tuple, &[], payload.clone());
    }

    /// `UDP_SEGMENT`: the payload of each datagram, if the whole is more than one.
    fn segment_size(&mut self, id: SocketId, control: &SendControl, len: usize) -> Result<Option<u16>> {
        let socket = self.datagram_mut(id)?;
        let size = control.segment.unwrap_or(socket.common.rare().udp_segment);
        if size == 0 || len <= usize::from(size) {
            return Ok(None);
        }
        if len > usize::from(size) * MAX_SEGMENTS || socket.common.has(Flags::NO_CHECK) {
            return Err(Errno::EINVAL);
        }
        Ok(Some(size))
    }

    /// The largest packet that may be sent whole. Who does not care about the path is only limited by the link itself.
    fn udp_mtu(&mut self, id: SocketId, way: &Way, to: SocketAddr) -> Result<usize> {
        let socket = self.datagram_mut(id)?;
        let discovery = socket.common.discovery_for(to.ip());
        let cut_at = match socket.common.rare().fragment_size as usize {
            0 => usize::MAX,
            size if to.is_ipv6() => size,
            _ => usize::MAX,
        };
        let link = self.net.iface(way.iface).map_or(way.mtu, |iface| iface.mtu);
        Ok(if discovery.uses_path() { way.mtu } else { link }.min(cut_at))
    }

    /// `IPV6_RECVPATHMTU`: as Linux, of what `IPV6_DONTFRAG` keeps from being cut; the last one counts.
    fn tell_path_mtu(&mut self, id: SocketId, to: IpAddr, mtu: usize) {
        let Ok(socket) = self.datagram_mut(id) else { return };
        if let (IpAddr::V6(to), Some(rare)) = (to, &mut socket.common.rare)
            && rare.flags.contains(RareFlags::RECV_PATH_MTU)
        {
            rare.path_mtu_told = Some((to, mtu as u32));
        }
    }

    /// A datagram was too large for its way: whoever asked for errors can read how large it may be.
    fn queue_local_error(&mut self, id: SocketId, to: SocketAddr, mtu: usize) {
        let Ok(socket) = self.datagram_mut(id) else { return };
        let wants = if to.is_ipv4() { Flags::RECV_ERR } else { Flags::RECV_ERR6 };
        if !socket.common.has(wants) {
            return;
        }
        // As Linux: of an unconnected socket's destination the address alone.
        let port = socket.peer.map_or(0, |peer| peer.port());
        let error = ExtendedError {
            errno: Errno::EMSGSIZE,
            origin: ErrorOrigin::Local,
            kind: 0,
            code: 0,
            info: mtu as u32,
            data: 0,
            offender: None,
        };
        let entry = QueuedError { name: Some(SocketAddr::new(to.ip(), port)), ..QueuedError::bare(error) };
        self.queue_error(id.index, entry);
    }
}

/// Source and interface that a socket's options name for what it sends to `to` (`IPV6_PKTINFO`, `IP_MULTICAST_IF`).
fn sticky_source(socket: &DatagramSocket, to: IpAddr) -> (Option<IpAddr>, Option<IfaceId>) {
    let rare = socket.common.rare();
    let is_free = socket.common.local.is_unspecified();
    match (to, rare.sticky_source) {
        (IpAddr::V6(_), Some((address, iface))) => {
            ((is_free && !address.is_unspecified()).then_some(IpAddr::V6(address)), iface)
        }
        (IpAddr::V4(to), _) if to.is_multicast() && is_free && !rare.multicast_if.1.is_unspecified() => {
            (Some(IpAddr::V4(rare.multicast_if.1)), None)
        }
        _ => (None, None),
    }
}
