//! Ping sockets (`SOCK_DGRAM` with `IPPROTO_ICMP` or `IPPROTO_ICMPV6`), and a gateway's socket for everybody's pings.
//!
//! Decides who gets an echo reply: the socket whose identifier it carries. As Linux, a ping socket may send echo requests
//! only, and their identifier is the socket's "port". A gateway's socket gets echo requests to addresses that are not this
//! host's, and may send any ICMP message from any address.
use core::net::SocketAddr;

use segue_wire::{Bytes, Chunks, Instant, Protocol};

use super::input::{About, IcmpComplaint, IcmpError, Report, write_checksum};
use crate::ip::output::IpFields;
use crate::socket::Socket;
use crate::socket::datagram::Placed;
use crate::socket::send_control::SendControl;
use crate::stack::{Result, Stack};
use crate::{Counter, Domain, Errno, MsgFlags, SocketId};

/// Length of an echo message without data.
const ECHO_HEADER: usize = 8;
const REQUEST_V4: u8 = 8;
const REQUEST_V6: u8 = 128;

impl Stack {
    /// bind(2) of a ping socket: the "port" is the identifier.
    pub(crate) fn bind_ping(&mut self, id: SocketId, address: SocketAddr) -> Result<()> {
        let socket = self.datagram_mut(id)?;
        let is_v6 = socket.common.domain == Domain::Inet6;
        if address.is_ipv4() == is_v6 {
            return Err(Errno::EAFNOSUPPORT);
        }
        if address.port() != 0 && self.datagrams.pings.contains_key(&(is_v6, address.port())) {
            return Err(Errno::EADDRINUSE);
        }
        let socket = self.datagram_mut(id)?;
        socket.common.local = address.ip();
        socket.common.port = address.port();
        let flags = &mut socket.common.flags;
        flags.set(crate::socket::common::Flags::ADDRESS_LOCKED, !address.ip().is_unspecified());
        flags.set(crate::socket::common::Flags::PORT_LOCKED, address.port() != 0);
        self.place_ping(id)
    }

    /// Give a ping socket an identifier, if it has none, and let replies find it.
    pub(crate) fn place_ping(&mut self, id: SocketId) -> Result<()> {
        let socket = self.datagram_mut(id)?;
        if socket.placed == Placed::Identifier {
            return Ok(());
        }
        let is_v6 = socket.common.domain == Domain::Inet6;
        let mut identifier = socket.common.port;
        if identifier == 0 {
            let Stack { chooser, datagrams, .. } = self;
            let is_free = |candidate| !datagrams.pings.contains_key(&(is_v6, candidate));
            identifier = chooser.for_bind((1, u16::MAX), false, is_free).ok_or(Errno::EADDRINUSE)?;
        }
        self.datagrams.pings.insert((is_v6, identifier), id.index);
        let socket = self.datagram_mut(id)?;
        socket.common.port = identifier;
        socket.placed = Placed::Identifier;
        Ok(())
    }

    /// An echo reply that came in.
    pub(crate) fn deliver_reply(&mut self, about: &About<'_>, identifier: u16) {
        let arrival = about.arrival;
        let Some(index) = self.datagrams.pings.get(&(arrival.source.is_ipv6(), identifier)).copied() else { return };
        let Some(Socket::Datagram(socket)) = self.sockets.at(index) else { return };
        // As Linux: a connected socket hears its peer only.
        let is_for_it = socket.peer.is_none_or(|peer| peer.ip() == arrival.source)
            && socket.common.scope().covers(arrival.destination);
        if is_for_it {
            self.deliver_icmp(index, about);
        }
    }

    /// An echo request to an address behind a gateway; `false`: no gateway's socket wants it.
    pub(crate) fn deliver_any_echo(&mut self, about: &About<'_>) -> bool {
        let Some(index) = self.datagrams.any_ping.get(&about.arrival.iface).copied() else { return false };
        self.deliver_icmp(index, about);
        true
    }

    fn deliver_icmp(&mut self, index: u32, about: &About<'_>) {
        let About { arrival, headers, bytes } = about;
        let headers = self.headers_for(index, headers);
        let from = SocketAddr::new(arrival.source, 0);
        let to = SocketAddr::new(arrival.destination, 0);
        self.deliver_datagram(index, arrival, (from, to), headers, Chunks::from(bytes.clone()));
    }

    /// An ICMP error about an echo request of ours.
    pub(crate) fn ping_report(&mut self, now: Instant, peer: core::net::IpAddr, identifier: u16, error: &IcmpError) {
        let Some(index) = self.datagrams.pings.get(&(peer.is_ipv6(), identifier)).copied() else { return };
        if let Report::TooBig { mtu } = error.report {
            self.net.learn_mtu(now, peer, mtu);
        }
        if let Some(Socket::Datagram(socket)) = self.sockets.at_mut(index) {
            socket.complaint = Some(error.complaint);
        }
        self.report_to_datagram(index, SocketAddr::new(peer, 0), error, 0);
    }

    /// The last ICMP error about an echo request of a ping socket, once: what Linux tells by `MSG_ERRQUEUE`. With
    /// `IP_RECVERR` or `IPV6_RECVERR` set, the socket's next call fails with the errno that stands for it.
    ///
    /// # Errors
    /// `EBADF`, `EOPNOTSUPP` (a stream socket).
    pub fn take_complaint(&mut self, id: SocketId) -> Result<Option<IcmpComplaint>> {
        Ok(self.datagram_mut(id)?.complaint.take())
    }

    /// send(2) and sendto(2) on a ping socket: `data` is an ICMP message, whose checksum and identifier are filled in.
    pub(crate) fn send_ping(
        &mut self,
        now: Instant,
        id: SocketId,
        data: &[u8],
        flags: MsgFlags,
        to: Option<SocketAddr>,
        control: &SendControl,
    ) -> Result<usize> {
        if flags.contains(MsgFlags::OOB) {
            return Err(Errno::EOPNOTSUPP);
        }
        if data.len() > usize::from(u16::MAX) {
            return Err(Errno::EMSGSIZE);
        }
        let socket = self.datagram_mut(id)?;
        let (any, peer) = (socket.any, socket.peer);
        let to = match to {
            Some(to) => self.datagram_destination(id, to)?,
            None => peer.ok_or(Errno::EDESTADDRREQ)?,
        };
        let request = if to.is_ipv4() { REQUEST_V4 } else { REQUEST_V6 };
        if data.len() < ECHO_HEADER || (any.is_none() && (data[0] != request || data[1] != 0)) {
            return Err(Errno::EINVAL);
        }
        if let Some(error) = self.datagram_mut(id)?.common.error.take() {
            return Err(error);
        }
        let mut message = data.to_vec();
        if any.is_none() {
            self.place_ping(id)?;
            message[4..6].copy_from_slice(&self.datagram_mut(id)?.common.port.to_be_bytes());
        }
        self.emit_ping(now, id, to, control, message)?;
        Ok(data.len())
    }

    fn emit_ping(
        &mut self,
        now: Instant,
        id: SocketId,
        to: SocketAddr,
        control: &SendControl,
        mut message: Vec<u8>,
    ) -> Result<()> {
        let source = control.source.map(|from| SocketAddr::new(from.ip().to_canonical(), from.port()));
        let way = self.datagram_way(now, id, to, &SendControl { source, ..*control })?;
        write_checksum(way.source, to.ip(), &mut message);
        let default_ttl = self.default_ttl(to.ip());
        let identification = self.next_identification(way.source, to.ip()) as u16;
        let is_request = message[0] == if to.is_ipv4() { REQUEST_V4 } else { REQUEST_V6 };
        let flow = (SocketAddr::new(way.source, 0), SocketAddr::new(to.ip(), 0));
        let flow_label = self.flow_label(id.index, flow, control.flow_label, 0);
        let socket = self.datagram_mut(id)?;
        let charge = socket.charge(message.len()).ok_or(Errno::EAGAIN)?;
        let (ttl, tos) = socket.common.ttl_and_tos(to.ip(), default_ttl);
        let (ttl, tos) = (control.ttl.unwrap_or(ttl), control.tos.unwrap_or(tos));
        let fields = IpFields {
            source: way.source,
            destination: to.ip(),
            protocol: if to.is_ipv4() { Protocol::ICMPV4 } else { Protocol::ICMPV6 },
            ttl,
            tos,
            flow_label,
            dont_fragment: false,
            identification,
        };
        let pick = |v4, v6| if to.is_ipv4() { v4 } else { v6 };
        self.counters.inc(pick(Counter::IcmpOutMsgs, Counter::Icmp6OutMsgs));
        if is_request {
            self.counters.inc(pick(Counter::IcmpOutEchos, Counter::Icmp6OutEchos));
        }
        let departs = self.departure(now, &way, control)?;
        self.push_charged(&way, fields.complete_packet(Bytes::from(message)), way.mtu, (id, charge), departs);
        Ok(())
    }
}
