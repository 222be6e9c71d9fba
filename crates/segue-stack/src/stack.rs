//! The public object: one IP host. Everything here delegates; where a decision is made, its own file says.
//!
//! The order of work is the caller's: packets in (`on_packet`), time (`on_deadline`), calls on sockets; then packets out
//! (`poll_transmit`) and events (`poll_event`) until there are none. Invariants: nothing iterates over all sockets but
//! `sockets()`; every queue that a stranger can fill is bounded.
use core::time::Duration;
use std::collections::VecDeque;

use segue_tcp::{Instant, Memory};
use segue_wire::Packet;

use crate::backlog::Backlog;
use crate::budget::Budget;
use crate::departures::Departures;
use crate::icmp::limits::IcmpLimits;
use crate::net::{IfaceTraffic, Net};
use crate::outbox::{Outbox, Queued};
use crate::reassembly::{Reassembler, ReassemblyConfig};
use crate::secrets::{PortChooser, Secrets};
use crate::slab::Slab;
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::tcp::Tcp;
use crate::tcp::decisions::{Decisions, TcpDecision};
use crate::timers::{Timer, Timers};
use crate::udp::Datagrams;
use crate::{
    Cidr, Counters, Errno, IfaceConfig, IfaceId, ListPosition, Route, RouteError, Settings, SocketEvent, SocketId,
    SocketInfo, StackConfig, SysctlError, Usage,
};

/// The smallest budget that a stack can live in.
const LEAST_BUDGET: u64 = 1 << 20;
/// Timers that may be set in order for each one that may be served: that is cheap, but a million may have to be.
const MOVES: usize = 16;

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
    pub(crate) icmp_limits: IcmpLimits,
    pub(crate) sockets: Slab<Socket>,
    pub(crate) datagrams: Datagrams,
    pub(crate) tcp: Tcp,
    pub(crate) timers: Timers,
    pub(crate) outbox: Outbox,
    pub(crate) departures: Departures,
    pub(crate) backlog: Backlog,
    pub(crate) budget: Option<Budget>,
    pub(crate) identification: u32,
    /// Who owns sockets that nobody else does.
    pub(crate) uid: u32,
    /// What the wall clock said at some time, as time since 1970.
    pub(crate) wall_clock: (Instant, Duration),
    pub(crate) monotonic_clock: (Instant, Duration),
    pub(crate) events: VecDeque<SocketId>,
    /// Whose turn it is to send: finished packets, or connections.
    is_outbox_turn: bool,
}

impl Stack {
    /// A host with a loopback interface (127.0.0.1/8, ::1/128, MTU 65536) and nothing else. `now` is where its time starts.
    pub fn new(config: StackConfig, now: Instant) -> Self {
        let StackConfig { seed, mut tcp, mut ip, core, memory, uid } = config;
        let budget = memory.map(|bytes| Budget::new(bytes.max(LEAST_BUDGET), &mut tcp, &mut ip));
        tcp.memory = Memory::new(tcp.mem);
        tcp.memory.set_orphans(0, ip.max_orphans);
        if let Some(budget) = budget {
            budget.bound(&tcp.memory);
        }
        let settings = Settings { tcp, ip, core };
        let mut secrets = Secrets::from_seed(&seed);
        let chooser = PortChooser::new(&mut secrets);
        let hasher = secrets.build_hasher();
        Stack {
            counters: Counters::default(),
            net: Net::new(hasher.clone()),
            reassembler: Reassembler::new(ReassemblyConfig::from(&settings.ip), hasher.clone()),
            icmp_limits: IcmpLimits::new(&settings.ip, hasher.clone(), now),
            sockets: Slab::new(),
            datagrams: Datagrams::new(hasher.clone()),
            tcp: Tcp::new(settings.tcp.clone(), hasher),
            timers: Timers::new(now),
            outbox: Outbox::default(),
            departures: Departures::default(),
            backlog: Backlog::default(),
            budget,
            identification: secrets.random_u64() as u32,
            uid,
            wall_clock: (Instant::ZERO, Duration::ZERO),
            monotonic_clock: (Instant::ZERO, Duration::ZERO),
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

    /// Every interface with what it was made with, the loopback first.
    pub fn interfaces(&self) -> impl Iterator<Item = (IfaceId, &IfaceConfig)> {
        self.net.interfaces()
    }

    /// What has passed through an interface.
    pub fn traffic(&self, iface: IfaceId) -> IfaceTraffic {
        self.net.traffic(iface)
    }

    /// All routes: IPv4 before IPv6, longest prefixes first.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.net.routes()
    }

    /// A packet has arrived on an interface. Whatever is wrong with it is counted.
    pub fn on_packet(&mut self, now: Instant, iface: IfaceId, packet: Packet) {
        self.note_entries();
        self.net.note_received(iface, packet.len());
        self.ip_input(now, iface, packet);
    }

    /// The next packet to send, and the interface it leaves by. Packets to this host itself are taken in on the way and
    /// never given out. Connections are served in turn.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<(IfaceId, Packet)> {
        loop {
            // Packets are large: what leaves goes straight to whoever asked.
            let next = self.next_packet(now);
            if let Some((iface, packet)) = &next {
                self.net.note_sent(*iface, packet.len());
                self.count_transmitted(packet);
            }
            if next.as_ref().is_none_or(|(iface, _)| *iface != IfaceId::LOOPBACK) {
                return next;
            }
            if let Some((iface, packet)) = next {
                self.net.note_received(iface, packet.len());
                self.ip_input(now, iface, packet);
            }
        }
    }

    fn next_packet(&mut self, now: Instant) -> Option<(IfaceId, Packet)> {
        if let Some(due) = self.departures.pop(now) {
            return Some(self.let_go(due));
        }
        // Answers and datagrams must not starve connections, nor the other way round.
        self.is_outbox_turn = !self.is_outbox_turn;
        if self.outbox.is_empty() {
            return self.next_segment(now);
        }
        if self.is_outbox_turn {
            return self.next_queued();
        }
        self.next_segment(now).or_else(|| self.next_queued())
    }

    fn next_queued(&mut self) -> Option<(IfaceId, Packet)> {
        let queued = self.outbox.pop()?;
        Some(self.let_go(queued))
    }

    /// A packet leaves, and what it held of a send buffer is free.
    fn let_go(&mut self, queued: Queued) -> (IfaceId, Packet) {
        if let Some((socket, charge)) = queued.charged {
            self.release_charge(socket, charge);
        }
        (queued.iface, queued.packet)
    }

    /// Forget what was learned of TCP's peers for the next connection to them, as `ip tcp_metrics flush` does: Fast Open
    /// cookies and what belongs to them.
    pub fn flush_tcp_metrics(&mut self) {
        self.tcp.fast_open.forget_peers();
    }

    /// When to call [`on_deadline`](Self::on_deadline) at the latest; [`Instant::ZERO`] when there is something to send now, or a
    /// packet waits in the backlog.
    pub fn next_deadline(&self) -> Option<Instant> {
        if !self.outbox.is_empty() || !self.tcp.ready.is_empty() || !self.backlog.is_empty() {
            return Some(Instant::ZERO);
        }
        let waiting = [self.timers.next_deadline(), self.reassembler.next_deadline(), self.departures.next_deadline()];
        waiting.into_iter().flatten().min()
    }

    /// Time has passed: do everything that is due.
    pub fn on_deadline(&mut self, now: Instant) {
        self.on_deadline_within(now, usize::MAX);
    }

    /// As [`on_deadline`](Self::on_deadline), but at most so many timers: a million keep-alives may be due at once. True:
    /// there is more to do at once.
    pub fn on_deadline_within(&mut self, now: Instant, most: usize) -> bool {
        let mut moves = most.saturating_mul(MOVES);
        for _ in 0..most {
            let Some(timer) = self.timers.poll_expired(now, &mut moves) else {
                self.expire_fragments(now);
                return moves == 0;
            };
            match timer {
                Timer::Connection(index) => self.connection_deadline(now, index),
                Timer::Opening(index) => self.opening_deadline(now, index),
                Timer::TimeWait(index) => self.time_wait_deadline(now, index),
                Timer::Held(index) => self.held_deadline(now, index),
            }
        }
        self.expire_fragments(now);
        true
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

    /// Connections tell from now on what they decide about loss and congestion, for
    /// [`poll_decision`](Self::poll_decision). Default: they do not, and it costs nothing.
    pub fn trace_decisions(&mut self) {
        self.tcp.decisions.get_or_insert_default();
    }

    /// The next decision of a connection. Those of one connection come in order. At most 65 536 wait to be fetched;
    /// later ones are dropped and counted ([`decisions_dropped`](Self::decisions_dropped)).
    pub fn poll_decision(&mut self) -> Option<TcpDecision> {
        self.tcp.decisions.as_mut()?.take()
    }

    /// Decisions that were not kept because nobody fetched those before them.
    pub fn decisions_dropped(&self) -> u64 {
        self.tcp.decisions.as_ref().map_or(0, Decisions::dropped)
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

    /// Tells what the wall clock says at `now`, as time since 1970. Control messages with times are told in it; until then
    /// it began at [`Instant::ZERO`].
    pub fn set_wall_clock(&mut self, now: Instant, since_1970: Duration) {
        self.wall_clock = (now, since_1970);
    }

    /// Tells what `CLOCK_MONOTONIC` of the programs on this host says at `now`. `SCM_TXTIME` is told in it; until then it is
    /// the stack's own time.
    pub fn set_monotonic_clock(&mut self, now: Instant, time: Duration) {
        self.monotonic_clock = (now, time);
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
        self.count_orphans(0);
        self.icmp_limits.configure(&self.settings.ip, now);
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

    /// A part of [`sockets`](Self::sockets), given to `each`: what lies in `places` places of the tables from a position on, so
    /// that a million of them keep nothing else waiting. The position where to go on; `None`: that was all. What comes or
    /// goes between two parts may be left out; what moves from table to table may come twice.
    pub fn sockets_part(
        &self,
        now: Instant,
        from: ListPosition,
        places: u32,
        each: &mut dyn FnMut(SocketInfo),
    ) -> Option<ListPosition> {
        self.list_part(now, from, places, each)
    }

    /// As [`usage`](Self::usage) without `queued_bytes`: in constant time.
    pub fn usage_of_tables(&self) -> Usage {
        self.measure_tables()
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
