//! connect() on a stream socket, and its undoing.
//!
//! Decides the local address and port of an active open, and what connect() answers in which state, as Linux does.
//! RFC 9293 3.9.1.1 (OPEN), RFC 6056 (ports), RFC 6191 (reuse of a four-tuple in TIME-WAIT).
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use segue_tcp::{Connection, FastOpenSyn, Instant, Open, Outcome, Signature, SocketOptions, State, SynTime};

use super::errno_of;
use super::fast_open::Wish;
use super::flows::FlowRef;
use super::output::{family, mtu_payload};
use super::routed::{next_stop, route_len};
use super::stream::{Call, Flow, Role};
use crate::net::{Destination, Way};
use crate::socket::Socket;
use crate::socket::common::{Flags, unspecified};
use crate::stack::{Result, Stack};
use crate::tuple::FourTuple;
use crate::{Counter, Domain, Errno, IfaceId, SocketId};

impl Stack {
    /// connect(2) on a stream socket; success is told as `EINPROGRESS`.
    pub(crate) fn connect_stream(&mut self, now: Instant, id: SocketId, address: SocketAddr) -> Result<()> {
        let stream = self.stream_mut(id)?;
        let to = stream.common.take_address(address)?;
        if stream.common.has(Flags::V6_ONLY) && to.is_ipv4() {
            return Err(Errno::ENETUNREACH);
        }
        match &mut stream.role {
            Role::Listener(_) => Err(Errno::EISCONN),
            Role::Connected(flow) => match (flow.call, flow.connection.state()) {
                (Call::Connected, _) => Err(Errno::EISCONN),
                // As Linux: connected, as far as the application is concerned.
                (Call::Connecting, State::SynSent) if flow.connection.syn_waits() => Err(Errno::EISCONN),
                (Call::Connecting, State::SynSent | State::SynReceived) => Err(Errno::EALREADY),
                (Call::Connecting, State::Closed) if flow.is_over && flow.connection.unread() == 0 => {
                    let error = flow.connection.take_error().map_or(Errno::ECONNABORTED, errno_of);
                    self.become_idle(id.index);
                    Err(error)
                }
                (Call::Connecting, _) => {
                    // As Linux: the first call after success says so, once.
                    flow.call = Call::Connected;
                    Ok(())
                }
            },
            Role::Idle(_) => self.open_actively(now, id, to, Wish::Connect),
        }
    }

    /// The active open; success is told as `EINPROGRESS`, or as `Ok` when the SYN waits for the first write.
    pub(crate) fn open_actively(&mut self, now: Instant, id: SocketId, to: SocketAddr, wish: Wish) -> Result<()> {
        let to = SocketAddr::new(self.meant_destination(id, to.ip())?, to.port());
        let leaves_by = self.live(id)?.common().leaves_by(&self.net, to.ip());
        let pinned = leaves_by.or_else(|| self.fallback_for_stream(to));
        let route = self.route_of(id.index);
        let way = self.net.way(now, next_stop(to.ip(), route.as_ref()), pinned)?;
        let common = &self.stream_mut(id)?.common;
        way.check_direct(common.has(Flags::DONT_ROUTE))?;
        let is_any = crate::tuple::unspecified_like(common.local) == common.local;
        if !is_any && common.local.is_ipv4() != to.is_ipv4() {
            return Err(if to.is_ipv4() { Errno::ENETUNREACH } else { Errno::EINVAL });
        }
        let local = if is_any { way.source } else { common.local };
        check_source(local, &way, pinned)?;
        let (tuple, iss_floor) = self.choose_tuple(now, id, local, to)?;
        let open = Open {
            iss: self.initial_sequence(now, &tuple, iss_floor),
            ts_offset: self.secrets.timestamp_offset(tuple.local_addr(), tuple.peer_addr()),
            mtu_payload: mtu_payload(way.mtu.saturating_sub(route_len(to.ip(), route.as_ref())), to.ip()),
            family: family(to.ip()),
        };
        let stream = self.stream_mut(id)?;
        let keys = stream.common.rare.as_mut().and_then(|rare| rare.keys.as_deref_mut());
        let signature = keys.map_or(Ok(Signature::None), |keys| keys.connect(&tuple, open.iss))?;
        let Role::Idle(idle) = &stream.role else { return Err(Errno::EISCONN) };
        let (options, kept) =
            (SocketOptions { signature, ..idle.options.clone() }, idle.config.kept().with(&idle.options));
        let config = self.config_towards(now, to.ip(), pinned, kept);
        let syn = if signature.is_empty() { self.fast_syn(now, id, wish, local, to.ip()) } else { None };
        self.unclaim_port(id.index);
        let generation = self.tcp.generation;
        let connection = match syn {
            None => Connection::connect(now, config, options, open),
            Some(syn @ FastOpenSyn::Request { .. }) => {
                Connection::connect_fast(now, config, options, open, syn, SynTime::Now)
            }
            Some(syn @ FastOpenSyn::Data { .. }) => {
                Connection::connect_fast(now, config, options, open, syn, SynTime::FirstWrite)
            }
        };
        let waits = connection.syn_waits();
        let stream = self.stream_mut(id)?;
        (stream.common.local, stream.common.port, stream.common.pinned) = (local, tuple.local_port, pinned);
        stream.role = Role::Connected(Flow::new(connection, generation, tuple, Call::Connecting));
        self.tcp.flows.set(&tuple, FlowRef::Connection(id.index), &self.sockets, &self.tcp.entries);
        self.claim_stream_port(id.index);
        self.counters.inc(Counter::TcpActiveOpens);
        if waits {
            self.settle(now, id.index, Outcome::default());
            return Ok(());
        }
        self.mark_ready(id.index);
        self.settle(now, id.index, Outcome::default());
        Err(Errno::EINPROGRESS)
    }

    /// Where a destination as the application wrote it leads: "any" is this host; what TCP cannot talk to is refused.
    fn meant_destination(&mut self, id: SocketId, to: IpAddr) -> Result<IpAddr> {
        let common = &self.stream_mut(id)?.common;
        let to = match to {
            // As Linux: connecting to nowhere in particular is connecting to oneself.
            IpAddr::V4(v4) if v4.is_unspecified() => match common.local {
                IpAddr::V4(local) if !local.is_unspecified() => IpAddr::V4(local),
                _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
            },
            IpAddr::V6(v6) if v6.is_unspecified() => match common.local {
                IpAddr::V4(local) if common.domain == Domain::Inet6 && local.is_unspecified() => {
                    IpAddr::V4(Ipv4Addr::LOCALHOST)
                }
                IpAddr::V4(local) => IpAddr::V4(local),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            },
            other => other,
        };
        // RFC 9293 3.9.2.3 (MUST-46): no connection to a broadcast or multicast address.
        match self.net.destination(to) {
            Destination::Broadcast | Destination::Multicast | Destination::Unspecified => Err(Errno::ENETUNREACH),
            Destination::Local | Destination::Remote => Ok(to),
        }
    }

    /// The interface that a loopback destination is reached by when nobody inside listens there.
    fn fallback_for_stream(&self, to: SocketAddr) -> Option<IfaceId> {
        let fallback = self.net.loopback_fallback().filter(|_| to.ip().is_loopback())?;
        let listens = self.tcp.listeners.covers(to.port(), to.ip());
        (!listens).then_some(fallback)
    }

    /// The four-tuple of an active open, and the floor of its sequence numbers if it was in TIME-WAIT.
    fn choose_tuple(
        &mut self,
        now: Instant,
        id: SocketId,
        local: IpAddr,
        to: SocketAddr,
    ) -> Result<(FourTuple, Option<u32>)> {
        let port = self.stream_mut(id)?.common.port;
        let tuple = |local_port| FourTuple { local, peer: to.ip(), local_port, peer_port: to.port() };
        if port != 0 {
            let tuple = tuple(port);
            let floor = self.check_tuple(now, &tuple, PortOrigin::Named).ok_or(Errno::EADDRNOTAVAIL)?;
            self.forget_time_wait(&tuple);
            return Ok((tuple, floor));
        }
        let range = self.live(id)?.common().port_range(self.settings.ip.local_port_range);
        let Stack { chooser, tcp, sockets, net, settings, .. } = self;
        let is_usable = |port: u16| {
            let is_free = || reusable(now, tcp, sockets, net, settings, &tuple(port), PortOrigin::Chosen).is_some();
            let is_reserved = settings.ip.local_reserved_ports.contains(port);
            !is_reserved && tcp.ports.may_connect_from(port) && is_free()
        };
        let port = chooser.for_connect(range, local, to, is_usable).ok_or(Errno::EADDRNOTAVAIL)?;
        let tuple = tuple(port);
        let floor = self.check_tuple(now, &tuple, PortOrigin::Chosen).ok_or(Errno::EADDRNOTAVAIL)?;
        self.forget_time_wait(&tuple);
        Ok((tuple, floor))
    }

    /// Whether a new connection may have the four-tuple; the inner value is the floor of its sequence numbers.
    fn check_tuple(&self, now: Instant, tuple: &FourTuple, origin: PortOrigin) -> Option<Option<u32>> {
        reusable(now, &self.tcp, &self.sockets, &self.net, &self.settings, tuple, origin)
    }

    fn forget_time_wait(&mut self, tuple: &FourTuple) {
        if let Some(FlowRef::TimeWait(index)) = self.tcp.flows.find(tuple, &self.sockets, &self.tcp.entries) {
            self.counters.inc(Counter::TcpExtTWRecycled);
            self.remove_time_wait(index);
        }
    }

    /// connect(2) with `AF_UNSPEC` on a stream socket: back to where socket() left it, but for what bind() named.
    pub(crate) fn disconnect_stream(&mut self, now: Instant, id: SocketId) -> Result<()> {
        let stream = self.stream_mut(id)?;
        let info = stream.info(now);
        stream.common.flags.remove(Flags::SHUT_READ | Flags::SHUT_WRITE);
        match &mut stream.role {
            Role::Idle(_) => {}
            Role::Listener(_) => self.stop_listening(now, id.index),
            Role::Connected(flow) => {
                // As Linux: who takes an open connection away is told so by SO_ERROR.
                let was_open = !matches!(
                    flow.connection.state(),
                    State::Closed | State::TimeWait | State::LastAck | State::Closing
                );
                let left = (flow.connection.state() == State::SynSent).then_some(info).flatten();
                let left =
                    left.map(|info| Box::new(info.given_up(flow.connection.config(), flow.connection.options())));
                let outcome = flow.connection.abort(now);
                self.settle(now, id.index, outcome);
                self.send_last_words(now, id.index);
                self.become_idle(id.index);
                if let Role::Idle(idle) = &mut self.stream_mut(id)?.role {
                    idle.left = left;
                }
                if was_open {
                    self.stream_mut(id)?.common.error = Some(Errno::ECONNRESET);
                }
            }
        }
        Ok(())
    }

    /// A connection's place is needed at once: send its reset now, if it has one.
    pub(crate) fn send_last_words(&mut self, now: Instant, index: u32) {
        while let Some((iface, packet)) = self.depart_from(now, index) {
            if !self.outbox.push_reply(iface, packet) {
                return self.counters.inc(Counter::TcpExtTCPAbortFailed);
            }
        }
        self.count_sent(index);
    }

    /// A connected socket becomes an idle one with the same options.
    pub(crate) fn become_idle(&mut self, index: u32) {
        self.leave_flows(index);
        self.unclaim_port(index);
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let idle = stream.idle();
        let Role::Connected(flow) = core::mem::replace(&mut stream.role, idle) else { return };
        if let Some(ao) = stream.common.rare.as_mut().and_then(|rare| rare.keys.as_mut()?.ao.as_mut()) {
            ao.session = None;
        }
        if let Some(rare) = stream.common.rare.as_mut() {
            rare.saved_syn = None;
        }
        self.timers.disarm(flow.timer);
        if flow.is_ready {
            self.tcp.ready.retain(|other| *other != index);
        }
        let common = &mut stream.common;
        common.error = None;
        if !common.has(Flags::ADDRESS_LOCKED) {
            common.local = unspecified(common.domain);
            common.pinned = None;
        }
        if !common.has(Flags::PORT_LOCKED) {
            common.port = 0;
            common.flags.remove(Flags::CLAIM_BOUND);
        } else {
            self.claim_stream_port(index);
        }
        self.notify(index);
    }
}

/// A source that cannot be answered to is refused here, as Linux does.
fn check_source(local: IpAddr, way: &Way, pinned: Option<IfaceId>) -> Result<()> {
    if local.is_loopback() && way.iface != IfaceId::LOOPBACK && pinned.is_none() {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

/// Where the local port of an active open comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PortOrigin {
    /// bind() named it.
    Named,
    /// connect() looks for one.
    Chosen,
}

/// Whether no flow has the four-tuple, or one in TIME-WAIT that may be taken over.
fn reusable(
    now: Instant,
    tcp: &super::Tcp,
    sockets: &crate::slab::Slab<Socket>,
    net: &crate::net::Net,
    settings: &crate::Settings,
    tuple: &FourTuple,
    origin: PortOrigin,
) -> Option<Option<u32>> {
    match tcp.flows.find(tuple, sockets, &tcp.entries) {
        None => Some(None),
        Some(FlowRef::TimeWait(index)) => {
            let is_inside = tuple.local.is_loopback() || net.is_own(tuple.peer);
            // As Linux: `tcp_tw_reuse` and its delay are for ports that nobody named.
            let (is_allowed, age) = match origin {
                PortOrigin::Named => (true, Duration::ZERO),
                PortOrigin::Chosen => {
                    let is_allowed = settings.ip.tw_reuse == 1 || (settings.ip.tw_reuse == 2 && is_inside);
                    (is_allowed, settings.ip.tw_reuse_delay)
                }
            };
            let entry = tcp.entries.time_wait.at(index).filter(|_| is_allowed)?;
            // RFC 6191: with timestamps, old duplicates cannot be taken for new.
            entry.time_wait.reusable(now, age).map(Some)
        }
        Some(_) => None,
    }
}
