//! The public object: one IP host. Everything here delegates; where a decision is made, its own file says.
//!
//! The order of work is the caller's: packets in (`on_packet`), time (`on_deadline`), calls on sockets; then packets out
//! (`poll_transmit`) and events (`poll_event`) until there are none. Invariants: nothing iterates over all sockets but
//! `sockets()`; every queue that a stranger can fill is bounded.
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;

use bytes::Bytes;
use segue_tcp::{Chunks, Instant, Ready};
use segue_wire::Packet;

use crate::icmp::errors::ErrorLimits;
use crate::net::Net;
use crate::outbox::Outbox;
use crate::ratelimit::TokenBucket;
use crate::reassembly::{Reassembler, ReassemblyConfig};
use crate::secrets::{PortChooser, Secrets};
use crate::slab::Slab;
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::tcp::Tcp;
use crate::timers::{Timer, Timers};
use crate::udp::Datagrams;
use crate::{
    Cidr, ControlMessage, Counters, Domain, Errno, Held, HeldId, IfaceConfig, IfaceId, MsgFlags, Received,
    ReceivedMessage, Reject, Route, RouteError, Settings, Shutdown, SocketEvent, SocketId, SocketInfo, SocketOption,
    SocketType, StackConfig, SysctlError, Usage,
};

/// What socket calls answer with.
pub type Result<T> = core::result::Result<T, Errno>;

/// One IP host without I/O: interfaces, routes, ICMP, UDP and TCP sockets.
///
/// It reads no clock and no randomness: time is an argument, every secret comes from [`StackConfig::seed`]. Calls never
/// block; where Linux would, they answer `EAGAIN` or `EINPROGRESS`, and [`poll_event`](Self::poll_event) tells when to go on.
#[derive(Debug)]
pub struct Stack {
    pub(crate) settings: Settings,
    pub(crate) secrets: Secrets,
    pub(crate) chooser: PortChooser,
    pub(crate) counters: Counters,
    pub(crate) net: Net,
    pub(crate) reassembler: Reassembler,
    pub(crate) error_limits: ErrorLimits,
    pub(crate) sockets: Slab<Socket>,
    pub(crate) datagrams: Datagrams,
    pub(crate) tcp: Tcp,
    pub(crate) timers: Timers,
    pub(crate) outbox: Outbox,
    pub(crate) identification: u32,
    /// What the wall clock said at some time, as time since 1970.
    pub(crate) wall_clock: (Instant, Duration),
    events: VecDeque<SocketId>,
    /// Whose turn it is to send: finished packets, or connections.
    is_outbox_turn: bool,
}

impl Stack {
    /// A host with a loopback interface (127.0.0.1/8, ::1/128, MTU 65536) and nothing else. `now` is where its time starts.
    pub fn new(config: StackConfig, now: Instant) -> Self {
        let StackConfig { seed, tcp, ip, core } = config;
        let settings = Settings { tcp, ip, core };
        let mut secrets = Secrets::from_seed(&seed);
        let chooser = PortChooser::new(&mut secrets);
        let hasher = secrets.build_hasher();
        let bucket = || TokenBucket::new(settings.ip.icmp_msgs_per_sec, settings.ip.icmp_msgs_burst, now);
        Stack {
            counters: Counters::default(),
            net: Net::new(hasher.clone()),
            reassembler: Reassembler::new(ReassemblyConfig::from(&settings.ip), hasher.clone()),
            error_limits: ErrorLimits { v4: bucket(), v6: bucket() },
            sockets: Slab::new(),
            datagrams: Datagrams::new(hasher.clone()),
            tcp: Tcp::new(settings.tcp.clone(), hasher),
            timers: Timers::new(now),
            outbox: Outbox::default(),
            identification: secrets.random_u64() as u32,
            wall_clock: (Instant::ZERO, Duration::ZERO),
            events: VecDeque::new(),
            is_outbox_turn: true,
            settings,
            secrets,
            chooser,
        }
    }

    /// Add an interface. Each of its addresses brings a route to its prefix.
    pub fn add_interface(&mut self, config: IfaceConfig) -> IfaceId {
        self.net.add_interface(config)
    }

    /// Add a route; one for the same destination is replaced and given back.
    ///
    /// # Errors
    /// The router is of another family than the destination.
    pub fn add_route(&mut self, route: Route) -> core::result::Result<Option<Route>, RouteError> {
        self.net.add_route(route)
    }

    /// Take away the route for exactly this destination.
    pub fn remove_route(&mut self, destination: Cidr) -> Option<Route> {
        self.net.remove_route(destination)
    }

    /// All routes: IPv4 before IPv6, longest prefixes first.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.net.routes()
    }

    /// A packet has arrived on an interface. Whatever is wrong with it is counted.
    pub fn on_packet(&mut self, now: Instant, iface: IfaceId, packet: Packet) {
        self.ip_input(now, iface, packet);
    }

    /// The next packet to send, and the interface it leaves by. Packets to this host itself are taken in on the way and
    /// never given out. Connections are served in turn.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<(IfaceId, Packet)> {
        loop {
            let (iface, packet) = self.next_packet(now)?;
            if iface != IfaceId::LOOPBACK {
                return Some((iface, packet));
            }
            self.ip_input(now, iface, packet);
        }
    }

    fn next_packet(&mut self, now: Instant) -> Option<(IfaceId, Packet)> {
        // Answers and datagrams must not starve connections, nor the other way round.
        self.is_outbox_turn = !self.is_outbox_turn;
        if self.is_outbox_turn {
            self.next_queued().or_else(|| self.next_segment(now))
        } else {
            self.next_segment(now).or_else(|| self.next_queued())
        }
    }

    fn next_queued(&mut self) -> Option<(IfaceId, Packet)> {
        let queued = self.outbox.pop()?;
        if let Some((socket, charge)) = queued.charged {
            self.release_charge(socket, charge);
        }
        Some((queued.iface, queued.packet))
    }

    /// Forget what was learned of TCP's peers for the next connection to them, as `ip tcp_metrics flush` does: Fast Open
    /// cookies and what belongs to them.
    pub fn flush_tcp_metrics(&mut self) {
        self.tcp.fast_open.forget_peers();
    }

    /// When to call [`on_deadline`](Self::on_deadline) at the latest; [`Instant::ZERO`] when there is something to send now.
    pub fn next_deadline(&self) -> Option<Instant> {
        if !self.outbox.is_empty() || !self.tcp.ready.is_empty() {
            return Some(Instant::ZERO);
        }
        [self.timers.next_deadline(), self.reassembler.next_deadline()].into_iter().flatten().min()
    }

    /// Time has passed: do everything that is due.
    pub fn on_deadline(&mut self, now: Instant) {
        while let Some(timer) = self.timers.poll_expired(now) {
            match timer {
                Timer::Connection(index) => self.connection_deadline(now, index),
                Timer::Opening(index) => self.opening_deadline(now, index),
                Timer::TimeWait(index) => self.time_wait_deadline(now, index),
                Timer::Held(index) => self.held_deadline(now, index),
            }
        }
        self.expire_fragments(now);
    }

    /// A socket that became ready for something, or got more of what it was ready for; each socket is in the queue at most
    /// once. What it is ready for is looked up now.
    pub fn poll_event(&mut self) -> Option<SocketEvent> {
        loop {
            let id = self.events.pop_front()?;
            let Some(socket) = self.sockets.get_mut(id.index, id.generation) else { continue };
            socket.common_mut().flags.remove(Flags::EVENT_QUEUED);
            if !socket.is_detached() {
                return Some(SocketEvent { socket: id, ready: socket.readiness() });
            }
        }
    }

    /// Put a socket in the event queue.
    pub(crate) fn notify(&mut self, index: u32) {
        let Some(generation) = self.sockets.generation(index) else { return };
        let Some(socket) = self.sockets.at_mut(index) else { return };
        let flags = &mut socket.common_mut().flags;
        if !flags.intersects(Flags::EVENT_QUEUED | Flags::DETACHED) {
            flags.insert(Flags::EVENT_QUEUED);
            self.events.push_back(SocketId { index, generation });
        }
    }

    /// The socket with this name, unless the application has closed it.
    pub(crate) fn live(&self, id: SocketId) -> Result<&Socket> {
        self.sockets.get(id.index, id.generation).filter(|socket| !socket.is_detached()).ok_or(Errno::EBADF)
    }

    pub(crate) fn live_mut(&mut self, id: SocketId) -> Result<&mut Socket> {
        self.sockets.get_mut(id.index, id.generation).filter(|socket| !socket.is_detached()).ok_or(Errno::EBADF)
    }

    /// socket(2).
    ///
    /// # Errors
    /// `ENFILE`: there are 2^32 sockets.
    pub fn socket(&mut self, domain: Domain, kind: SocketType) -> Result<SocketId> {
        self.create_socket(domain, kind)
    }

    /// bind(2): take a local address and port; port 0 chooses one out of `ip_local_port_range`.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EADDRNOTAVAIL` (not an address of this host), `EAFNOSUPPORT`, `EINVAL` (bound already), `EBADF`.
    pub fn bind(&mut self, _now: Instant, id: SocketId, address: SocketAddr) -> Result<()> {
        self.bind_socket(id, address)
    }

    /// listen(2): take connections. `backlog` is capped by `somaxconn`; called again it changes the backlog.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EINVAL` (connected), `EOPNOTSUPP` (no stream socket), `EBADF`.
    pub fn listen(&mut self, id: SocketId, backlog: i32) -> Result<()> {
        self.listen_stream(id, backlog)
    }

    /// connect(2). A stream socket answers `EINPROGRESS` and is writable when it is connected; `SO_ERROR` tells how it went.
    ///
    /// # Errors
    /// `EINPROGRESS`, `EALREADY`, `EISCONN`, `ENETUNREACH`, `EADDRNOTAVAIL`, `EACCES` (broadcast), `EAFNOSUPPORT`, `EBADF`;
    /// what ended the attempt when it is asked again.
    pub fn connect(&mut self, now: Instant, id: SocketId, address: SocketAddr) -> Result<()> {
        match self.live(id)? {
            Socket::Stream(_) => self.connect_stream(now, id, address),
            Socket::Datagram(_) => self.connect_datagram(now, id, address),
        }
    }

    /// connect(2) with `AF_UNSPEC`: dissolve the association. A connection is reset.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn disconnect(&mut self, now: Instant, id: SocketId) -> Result<()> {
        match self.live(id)? {
            Socket::Stream(_) => self.disconnect_stream(now, id),
            Socket::Datagram(_) => self.disconnect_datagram(id),
        }
    }

    /// accept(2): the next connection of a listener, and its peer.
    ///
    /// # Errors
    /// `EAGAIN` (none waits), `EINVAL` (not listening), `EOPNOTSUPP`, `EBADF`.
    pub fn accept(&mut self, _now: Instant, id: SocketId) -> Result<(SocketId, SocketAddr)> {
        self.accept_stream(id)
    }

    /// send(2). A stream takes as much as it has room for, a datagram socket all or nothing.
    ///
    /// # Errors
    /// `EAGAIN`, `EPIPE`, `EDESTADDRREQ`, `EMSGSIZE`, `EBADF`, or the socket's pending error.
    pub fn send(&mut self, now: Instant, id: SocketId, data: &[u8], flags: MsgFlags) -> Result<usize> {
        self.send_slice(now, id, data, flags, None, None)
    }

    /// As [`send`](Self::send), without copying.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_bytes(&mut self, now: Instant, id: SocketId, data: Bytes, flags: MsgFlags) -> Result<usize> {
        self.send_moved(now, id, data, flags)
    }

    /// sendto(2). `from` says which source address to use; for a [`bind_any`](Self::bind_any) socket also which port (0: its
    /// own). A stream ignores both addresses, as Linux does.
    ///
    /// # Errors
    /// As [`send`](Self::send), and `ENETUNREACH`, `EACCES` (broadcast), `EINVAL` (port 0), `EAFNOSUPPORT`.
    pub fn send_to(
        &mut self,
        now: Instant,
        id: SocketId,
        data: &[u8],
        flags: MsgFlags,
        to: SocketAddr,
        from: Option<SocketAddr>,
    ) -> Result<usize> {
        self.send_slice(now, id, data, flags, Some(to), from)
    }

    /// recv(2): bytes of a stream (0: end of file), or one datagram.
    ///
    /// # Errors
    /// `EAGAIN`, `ENOTCONN`, `EINVAL` (no urgent byte), `EBADF`, or the socket's pending error.
    pub fn recv(&mut self, now: Instant, id: SocketId, buffer: &mut [u8], flags: MsgFlags) -> Result<usize> {
        self.recv_slice(now, id, buffer, flags)
    }

    /// As [`recv`](Self::recv), without copying: at most `max` bytes of a stream, or one whole datagram.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_bytes(&mut self, now: Instant, id: SocketId, max: usize) -> Result<Chunks> {
        self.recv_chunks(now, id, max)
    }

    /// recvfrom(2): one datagram, with where it came from and was sent to. On a stream the addresses are the connection's.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_from(&mut self, now: Instant, id: SocketId, buffer: &mut [u8], flags: MsgFlags) -> Result<Received> {
        self.recv_datagram(now, id, buffer, flags)
    }

    /// recvmsg(2): bytes with what control messages tell of them, as the socket's options ask; with `MSG_ERRQUEUE` the next
    /// entry of the error queue.
    ///
    /// # Errors
    /// As [`recv`](Self::recv); `EAGAIN` for an empty error queue.
    pub fn recv_message(
        &mut self,
        now: Instant,
        id: SocketId,
        buffer: &mut [u8],
        flags: MsgFlags,
    ) -> Result<ReceivedMessage> {
        self.receive_message(now, id, buffer, flags)
    }

    /// sendmsg(2): bytes, where to, and control messages that hold for this call alone. A stream ignores `to`, and control
    /// messages of other levels than `SOL_SOCKET`.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to); `EINVAL` for a control message that is unknown, malformed or out of range.
    pub fn send_message(
        &mut self,
        now: Instant,
        id: SocketId,
        data: &[u8],
        flags: MsgFlags,
        to: Option<SocketAddr>,
        control: &[ControlMessage],
    ) -> Result<usize> {
        self.transmit_message(now, id, data, flags, to, control)
    }

    /// Tells what the wall clock says at `now`, as time since 1970. Control messages with times are told in it; until then
    /// it began at [`Instant::ZERO`].
    pub fn set_wall_clock(&mut self, now: Instant, since_1970: Duration) {
        self.wall_clock = (now, since_1970);
    }

    /// shutdown(2).
    ///
    /// # Errors
    /// `ENOTCONN`, `EBADF`.
    pub fn shutdown(&mut self, now: Instant, id: SocketId, how: Shutdown) -> Result<()> {
        self.shutdown_socket(now, id, how)
    }

    /// close(2): the name is void at once; a connection goes on by itself until its bytes are delivered.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close(&mut self, now: Instant, id: SocketId) -> Result<()> {
        match self.live(id)? {
            Socket::Stream(_) => self.close_stream(now, id),
            Socket::Datagram(_) => {
                self.close_datagram(id);
                Ok(())
            }
        }
    }

    /// Close and reset the connection, whatever is unsent.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn abort(&mut self, now: Instant, id: SocketId) -> Result<()> {
        match self.live(id)? {
            Socket::Stream(_) => self.abort_stream(now, id),
            Socket::Datagram(_) => self.close(now, id),
        }
    }

    /// getsockname(2). On `AF_INET6`, IPv4 is v4-mapped.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn local_addr(&self, id: SocketId) -> Result<SocketAddr> {
        self.socket_name(id)
    }

    /// getpeername(2).
    ///
    /// # Errors
    /// `ENOTCONN`, `EBADF`.
    pub fn peer_addr(&self, id: SocketId) -> Result<SocketAddr> {
        self.peer_name(id)
    }

    /// What poll(2) would say now; nothing for a name that is void.
    pub fn readiness(&self, id: SocketId) -> Ready {
        self.live(id).map_or(Ready::empty(), Socket::readiness)
    }

    /// `SIOCATMARK`: the next byte to read from a stream is at the urgent mark. False for whatever has no such mark.
    pub fn at_mark(&self, id: SocketId) -> bool {
        self.stream_at_mark(id)
    }

    /// setsockopt(2) by Linux's numbers and structures.
    ///
    /// # Errors
    /// `ENOPROTOOPT` (unknown), `EINVAL` (length or value), `EDOM`, `EISCONN`, `EBADF`.
    pub fn setsockopt(&mut self, now: Instant, id: SocketId, level: i32, name: i32, value: &[u8]) -> Result<()> {
        self.set_option_bytes(now, id, level, name, value)
    }

    /// getsockopt(2) by Linux's numbers and structures. Gives the length; what does not fit into `value` is left out.
    ///
    /// # Errors
    /// `ENOPROTOOPT`, `EINVAL`, `ENOTCONN`, `EBADF`.
    pub fn getsockopt(&mut self, now: Instant, id: SocketId, level: i32, name: i32, value: &mut [u8]) -> Result<usize> {
        self.get_option_bytes(now, id, level, name, value)
    }

    /// The options that programs set most, with types.
    ///
    /// # Errors
    /// As [`setsockopt`](Self::setsockopt).
    pub fn set_option(&mut self, now: Instant, id: SocketId, option: SocketOption) -> Result<()> {
        let (level, name, value) = option.encode();
        self.set_option_bytes(now, id, level, name, &value)
    }

    /// What `TCP_INFO` is made of.
    ///
    /// # Errors
    /// `ENOTCONN` (no connection), `EOPNOTSUPP` (no stream socket), `EBADF`.
    pub fn tcp_info(&self, now: Instant, id: SocketId) -> Result<segue_tcp::Info> {
        match self.live(id)? {
            Socket::Stream(stream) => stream.info(now).ok_or(Errno::ENOTCONN),
            Socket::Datagram(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    /// `SO_ERROR`: the pending error, once.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn take_error(&mut self, _now: Instant, id: SocketId) -> Result<Option<Errno>> {
        Ok(match self.live_mut(id)? {
            Socket::Stream(stream) => stream.take_error(),
            Socket::Datagram(datagram) => datagram.common.error.take(),
        })
    }

    /// A gateway's listener: every SYN on the interface that no other listener takes is held, unanswered, until
    /// [`held_accept`](Self::held_accept) or [`held_reject`](Self::held_reject) decides. It is readable while SYNs wait to
    /// be looked at ([`take_held`](Self::take_held)) or connections to be accepted.
    ///
    /// # Errors
    /// `ENODEV` (no such interface), `EADDRINUSE` (it has one already).
    pub fn listen_any(&mut self, now: Instant, iface: IfaceId) -> Result<SocketId> {
        let id = self.create_socket(Domain::Inet, SocketType::Stream)?;
        match self.listen_on_any(id, iface) {
            Ok(()) => Ok(id),
            Err(error) => {
                self.close(now, id)?;
                Err(error)
            }
        }
    }

    /// The next SYN that nobody has looked at.
    pub fn take_held(&mut self, listener: SocketId) -> Option<Held> {
        self.next_held(listener)
    }

    /// The next handshake of a held SYN that came to nothing after [`held_accept`](Self::held_accept): reset by the peer, or
    /// never acknowledged. This side's address, then the peer's. The listener has an event when there is one; of many that
    /// nobody asks for, the last `tcp_max_syn_backlog` are kept.
    pub fn take_failed(&mut self, listener: SocketId) -> Option<(SocketAddr, SocketAddr)> {
        self.next_failed(listener)
    }

    /// Answer a held SYN; when the handshake is complete the connection comes out of [`accept`](Self::accept).
    ///
    /// # Errors
    /// `ECONNABORTED`: the peer has given up meanwhile.
    pub fn held_accept(&mut self, now: Instant, held: HeldId) -> Result<()> {
        self.accept_held(now, held)
    }

    /// Refuse a held SYN. Nothing happens if it is gone.
    pub fn held_reject(&mut self, now: Instant, held: HeldId, how: Reject) {
        self.reject_held(now, held, how);
    }

    /// Let a UDP socket have every datagram on the interface that no other socket takes, or a ping socket every echo
    /// request to an address that is not this host's; [`send_to`](Self::send_to) may then use any source.
    ///
    /// # Errors
    /// `ENODEV`, `EADDRINUSE` (the interface has one already), `EOPNOTSUPP` (a stream socket), `EBADF`.
    pub fn bind_any(&mut self, _now: Instant, id: SocketId, iface: IfaceId) -> Result<()> {
        self.bind_datagram_any(id, iface)
    }

    /// The value of a sysctl as `sysctl` prints it. The name may leave out `net.ipv4.`.
    ///
    /// # Errors
    /// No such name; a near one is suggested.
    pub fn sysctl(&self, name: &str) -> core::result::Result<String, SysctlError> {
        self.settings.get(name)
    }

    /// Change a sysctl. As on Linux most act at once, also on connections that exist; what a socket was made with (buffer
    /// sizes, timeouts' bounds, congestion control) and what a handshake has settled stays.
    ///
    /// # Errors
    /// No such name, or a value outside its range.
    pub fn set_sysctl(&mut self, now: Instant, name: &str, value: &str) -> core::result::Result<(), SysctlError> {
        let old_key = self.settings.ip.fast_open_key;
        self.settings.set(name, value)?;
        // Zero is a key, too, if somebody says so.
        self.tcp.fast_open.has_key |= self.settings.ip.fast_open_key != old_key || name.ends_with("tcp_fastopen_key");
        self.tcp.set_config(self.settings.tcp.clone());
        let (rate, burst) = (self.settings.ip.icmp_msgs_per_sec, self.settings.ip.icmp_msgs_burst);
        self.error_limits.v4.configure(rate, burst, now);
        self.error_limits.v6.configure(rate, burst, now);
        self.reassembler.configure(ReassemblyConfig::from(&self.settings.ip));
        Ok(())
    }

    /// The names of all sysctls.
    pub fn sysctl_names(&self) -> impl Iterator<Item = &'static str> {
        Settings::names()
    }

    /// Every socket, half-open connection and TIME-WAIT entry, as `ss` shows them.
    pub fn sockets(&self, now: Instant) -> impl Iterator<Item = SocketInfo> {
        self.list_sockets(now)
    }

    /// How much the stack holds at the moment.
    pub fn usage(&self) -> Usage {
        self.measure()
    }

    /// What happened how often, under the names that `nstat` prints.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::Stack;

    #[test]
    fn a_stack_may_move_between_threads() {
        fn moves<T: Send>() {}
        moves::<Stack>();
    }
}
