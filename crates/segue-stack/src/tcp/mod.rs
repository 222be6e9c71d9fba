//! TCP around the connections: demultiplexing, listeners, TIME-WAIT, held SYNs, whose turn it is to send.
//!
//! Decides which entry a segment belongs to and what an `Outcome` changes in the stack's tables. What a segment means to a
//! connection is `segue-tcp`'s alone. Invariant: after every call on a connection its outcome goes through `settle`.
use core::net::IpAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;
use segue_tcp::{Config, ConnError, DropReason, Events, Instant, Kept, Outcome};

use crate::ports::{PortTable, Rules};
use crate::secrets::KeyedState;
use crate::slab::Slab;
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::socket::rare::RareFlags;
use crate::stack::Stack;
use crate::timers::Timer;
use crate::{Counter, Errno, IfaceId, SocketId};

use auth::LastKeys;
use challenge::ChallengeBudget;
use decisions::Decisions;
use fast_open::FastOpens;
use flows::{Entries, FlowRef, FlowTable};
use listener::Listener;
use listeners::Listeners;
use stream::Role;

pub(crate) mod auth;
mod calls;
mod challenge;
mod connect;
pub(crate) mod decisions;
pub(crate) mod fast_open;
pub(crate) mod flows;
mod held;
mod icmp;
mod input;
pub(crate) mod listener;
pub(crate) mod listeners;
mod migration;
pub(crate) mod opening;
mod output;
pub(crate) mod routed;
pub(crate) mod stream;
mod syn;
pub(crate) use calls::Sending;
mod syn_cookies;
pub(crate) mod time_wait;
pub(crate) mod watch;
mod watching;

/// Everything TCP keeps beside its sockets.
#[derive(Debug)]
pub(crate) struct Tcp {
    pub(crate) config: Arc<Config>,
    /// The configuration with what sockets keep of older ones, what their options say, and what routes wish.
    variants: HashMap<Kept, Arc<Config>, KeyedState>,
    /// Counts changes of the configuration.
    pub(crate) generation: u32,
    pub(crate) ports: PortTable,
    pub(crate) listeners: Listeners,
    pub(crate) flows: FlowTable,
    pub(crate) entries: Entries,
    /// Connections that have something to send; the first one is being served.
    pub(crate) ready: VecDeque<u32>,
    /// Bytes that the first one has sent in this turn.
    turn: usize,
    pub(crate) orphans: u32,
    /// `None`: nobody wants to see them.
    pub(crate) decisions: Option<Decisions>,
    /// How often memory has become short, as far as it was counted, and since when it has been.
    pressures: u64,
    pressed_since: Option<Instant>,
    challenges: ChallengeBudget,
    pub(crate) fast_open: FastOpens,
    /// A socket has, or had, a key that signs segments.
    pub(crate) has_keys: bool,
    /// What entries in TIME-WAIT sign with; hardly any does.
    pub(crate) last_keys: HashMap<u32, LastKeys, KeyedState>,
    /// `TCP_TX_DELAY` of entries in TIME-WAIT; hardly any has one.
    pub(crate) last_delays: HashMap<u32, Duration, KeyedState>,
    /// Connections that came with rarely set options.
    pub(crate) rare_children: u64,
    /// The gateway's listener of an interface.
    pub(crate) any: HashMap<IfaceId, u32, KeyedState>,
}

impl Tcp {
    pub(crate) fn new(config: Config, hasher: KeyedState) -> Tcp {
        Tcp {
            config: Arc::new(config),
            variants: HashMap::with_hasher(hasher.clone()),
            generation: 0,
            ports: PortTable::new(Rules::Tcp, hasher.clone()),
            listeners: Listeners::new(hasher.clone()),
            flows: FlowTable::new(hasher.clone()),
            entries: Entries { opening: Slab::new(), time_wait: Slab::new(), held: Slab::new() },
            ready: VecDeque::new(),
            turn: 0,
            orphans: 0,
            decisions: None,
            pressures: 0,
            pressed_since: None,
            challenges: ChallengeBudget::default(),
            fast_open: FastOpens::new(hasher.clone()),
            has_keys: false,
            last_keys: HashMap::with_hasher(hasher.clone()),
            last_delays: HashMap::with_hasher(hasher.clone()),
            rare_children: 0,
            any: HashMap::with_hasher(hasher),
        }
    }

    /// Configurations that sockets share besides the one in force.
    pub(crate) fn variants_len(&self) -> usize {
        self.variants.len()
    }

    /// Bytes of them and of places for them.
    pub(crate) fn variants_room(&self) -> usize {
        self.variants.allocation_size() + self.variants.len() * (size_of::<Config>() + 16)
    }

    /// Another configuration is in force: for a connection that exists when it is served next.
    pub(crate) fn set_config(&mut self, config: Config) {
        self.variants.clear();
        self.generation = self.generation.wrapping_add(1);
        config.memory.set_limits(config.mem);
        self.config = Arc::new(config);
    }

    /// The configuration for a socket that keeps some of its own.
    pub(crate) fn config_keeping(&mut self, kept: &Kept) -> Arc<Config> {
        if *kept == self.config.kept() {
            return Arc::clone(&self.config);
        }
        // An application may choose times freely for each of its sockets: what is shared by few is not remembered.
        if self.variants.len() >= MAX_VARIANTS && !self.variants.contains_key(kept) {
            return Arc::new(self.config.keeping(kept));
        }
        let config = &self.config;
        Arc::clone(self.variants.entry(*kept).or_insert_with(|| Arc::new(config.keeping(kept))))
    }
}

/// Most configurations that are remembered for sockets to share.
const MAX_VARIANTS: usize = 256;

/// The errno that Linux gives for a connection's error.
pub(crate) fn errno_of(error: ConnError) -> Errno {
    match error {
        ConnError::Refused => Errno::ECONNREFUSED,
        ConnError::Reset => Errno::ECONNRESET,
        ConnError::TimedOut => Errno::ETIMEDOUT,
        ConnError::HostUnreachable => Errno::EHOSTUNREACH,
        ConnError::NetUnreachable => Errno::ENETUNREACH,
        ConnError::BrokenPipe => Errno::EPIPE,
        ConnError::Aborted => Errno::ECONNABORTED,
        ConnError::ProtocolUnreachable => Errno::ENOPROTOOPT,
        ConnError::Protocol => Errno::EPROTO,
        ConnError::Prohibited => Errno::EACCES,
        ConnError::HostDown => Errno::EHOSTDOWN,
        ConnError::Isolated => Errno::ENONET,
        ConnError::NoSourceRoute => Errno::EOPNOTSUPP,
        ConnError::OutOfMemory => Errno::ENOBUFS,
        // An error that has no number of its own yet is still an error.
        _ => Errno::EIO,
    }
}

/// Events that an application waits for.
const READINESS: Events = Events::CONNECTED
    .union(Events::READABLE)
    .union(Events::WRITABLE)
    .union(Events::PEER_CLOSED)
    .union(Events::URGENT)
    .union(Events::ERROR)
    .union(Events::CLOSED);

impl Stack {
    /// The listener at an index.
    pub(crate) fn listener_at(&self, index: u32) -> Option<&Listener> {
        match self.sockets.at(index)? {
            Socket::Stream(stream) => stream.listener(),
            Socket::Datagram(_) => None,
        }
    }

    pub(crate) fn listener_at_mut(&mut self, index: u32) -> Option<&mut Listener> {
        match self.sockets.at_mut(index)? {
            Socket::Stream(stream) => stream.listener_mut(),
            Socket::Datagram(_) => None,
        }
    }

    /// The listener with exactly this name, if it still listens.
    pub(crate) fn listener_named(&mut self, id: SocketId) -> Option<&mut Listener> {
        match self.sockets.get_mut(id.index, id.generation)? {
            Socket::Stream(stream) => stream.listener_mut(),
            Socket::Datagram(_) => None,
        }
    }

    /// The configuration for a connection towards `peer` whose socket keeps some of its own; the route may wish it different.
    pub(crate) fn config_towards(
        &mut self,
        now: Instant,
        peer: IpAddr,
        pinned: Option<IfaceId>,
        kept: Kept,
    ) -> Arc<Config> {
        let way = self.net.way_without_source(now, peer, pinned);
        let wishes = way.map(|way| way.wishes).unwrap_or_default();
        let initial_window = wishes.initial_window.filter(|window| (1..=1024).contains(window));
        let ecn = if wishes.ecn { kept.ecn.with_route_feature() } else { kept.ecn };
        self.tcp.config_keeping(&Kept { initial_cwnd: initial_window.unwrap_or(kept.initial_cwnd), ecn, ..kept })
    }

    /// Give a connection the configuration in force, if it has changed since the connection was last served.
    pub(crate) fn refresh(&mut self, index: u32) {
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let Some(flow) = stream.flow_mut() else { return };
        if flow.config_generation != self.tcp.generation {
            flow.config_generation = self.tcp.generation;
            let kept = flow.connection.config().kept();
            flow.connection.set_config(self.tcp.config_keeping(&kept));
        }
    }

    /// Count a segment that was not taken.
    pub(crate) fn count_drop(&mut self, reason: DropReason) {
        self.counters.dropped(reason);
    }

    /// What a call on a connection changed: tables, timers, the ready list, the event queue.
    pub(crate) fn settle(&mut self, now: Instant, index: u32, outcome: Outcome) {
        self.note_pressure(now);
        let Outcome { mut events, drop } = outcome;
        if let Some(reason) = drop {
            self.count_drop(reason);
        }
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let Role::Connected(flow) = &mut stream.role else { return };
        events |= flow.connection.take_events();
        for (statistic, n) in flow.connection.take_statistics() {
            self.counters.noted(statistic, n);
        }
        if let Some(decisions) = &mut self.tcp.decisions {
            decisions.collect(&flow.tuple, &mut flow.connection);
        }
        if events.contains(Events::CHALLENGE) {
            if self.tcp.challenges.take(now, self.settings.ip.challenge_ack_limit, &mut self.secrets) {
                self.counters.inc(Counter::TcpExtTCPChallengeACK);
            } else {
                events |= flow.connection.withdraw_challenge(now).events;
            }
        }
        let is_over = flow.is_over;
        let tuple = flow.tuple;
        let news = if events.contains(Events::FAST_OPEN) { flow.connection.take_fast_open_news() } else { None };
        flow.was_established |= events.contains(Events::CONNECTED);
        if flow.watch.is_some() {
            self.look_at_watched(now, index);
        }
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let Role::Connected(flow) = &mut stream.role else { return };
        let deadline = flow.connection.next_deadline();
        let has_work = events.intersects(Events::TRANSMIT) || deadline.is_some_and(|deadline| deadline <= now);
        if events.contains(Events::TIME_WAIT)
            && let Some(time_wait) = flow.connection.take_time_wait()
        {
            let (tuple, in_table) = (flow.tuple, core::mem::replace(&mut flow.in_table, false));
            let pinned = stream.common.pinned;
            let claim = self.unclaim_port(index);
            if in_table {
                let keys = self.last_keys(index, tuple.peer);
                self.enter_time_wait(now, tuple, (time_wait, keys), claim, pinned, FlowRef::Connection(index));
            }
        }
        if let Some(news) = news {
            self.on_fast_open_news(now, tuple.local, tuple.peer, news);
        }
        if events.contains(Events::CONNECTED) {
            self.leave_fast_open_queue(now, index, false);
        }
        if is_over || events.intersects(Events::CLOSED | Events::TIME_WAIT) {
            return self.flow_is_over(now, index, events);
        }
        if events.intersects(READINESS) {
            self.notify(index);
        }
        if has_work {
            // Its timer is set when it has nothing more to send.
            self.mark_ready(index);
        } else if let Some(Socket::Stream(stream)) = self.sockets.at_mut(index)
            && let Some(flow) = stream.flow_mut()
            && !flow.is_ready
        {
            self.timers.arm(now, &mut flow.timer, deadline, Timer::Connection(index));
        }
    }

    /// The protocol is done with a connection; the application may still have bytes to read, and a reset may have to leave.
    fn flow_is_over(&mut self, now: Instant, index: u32, events: Events) {
        self.leave_flows(index);
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let is_port_kept = stream.common.has(Flags::PORT_LOCKED);
        let Some(flow) = stream.flow_mut() else { return };
        if core::mem::replace(&mut flow.is_over, true) {
            return self.release_if_unheld(index);
        }
        let timer = flow.timer.take();
        let (error, was_established) = (flow.connection.error(), flow.was_established);
        self.timers.disarm(timer);
        self.leave_fast_open_queue(now, index, error == Some(ConnError::Reset));
        match error {
            Some(ConnError::TimedOut) => self.counters.inc(Counter::TcpExtTCPAbortOnTimeout),
            Some(ConnError::OutOfMemory) => self.counters.inc(Counter::TcpExtTCPAbortOnMemory),
            _ => {}
        }
        if !was_established {
            self.counters.inc(Counter::TcpAttemptFails);
        }
        // As Linux: a port that bind() named stays with the socket, one that was chosen for it goes with the connection.
        if !is_port_kept {
            self.unclaim_port(index);
        }
        if events.intersects(READINESS) {
            self.notify(index);
        }
        // A last reset may have to leave, after which the place is free.
        self.mark_ready(index);
    }

    /// Counts when memory has become short, and for how long it was, as Linux does.
    fn note_pressure(&mut self, now: Instant) {
        let memory = &self.tcp.config.memory;
        let new = memory.pressures() - self.tcp.pressures;
        let is_pressed = memory.is_pressed();
        if new == 0 && self.tcp.pressed_since.is_none() {
            return;
        }
        self.tcp.pressures += new;
        self.counters.add(Counter::TcpExtTCPMemoryPressures, new);
        match (is_pressed, self.tcp.pressed_since) {
            (true, None) => self.tcp.pressed_since = Some(now),
            (false, Some(since)) => {
                let millis = u64::try_from((now - since).as_millis()).unwrap_or(u64::MAX);
                self.counters.add(Counter::TcpExtTCPMemoryPressuresChrono, millis);
                self.tcp.pressed_since = None;
            }
            _ => {}
        }
    }

    /// There are more connections without an application, or fewer; or another bound on them is in force.
    pub(crate) fn count_orphans(&mut self, change: i32) {
        self.tcp.orphans = self.tcp.orphans.saturating_add_signed(change);
        self.tcp.config.memory.set_orphans(self.tcp.orphans, self.settings.ip.max_orphans);
    }

    /// Count the timeouts of a connection since this was last done: it is asked once per burst.
    pub(crate) fn count_sent(&mut self, index: u32) {
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let Some(flow) = stream.flow_mut() else { return };
        if flow.sent == 0 {
            return;
        }
        let total = flow.connection.timeouts();
        // A connection that is over tells no number any more: that is not fewer than before.
        let timeouts = total.saturating_sub(flow.counted_timeouts);
        flow.sent = 0;
        flow.counted_timeouts = total;
        let rehashes = !stream.common.rare().flags.contains(RareFlags::TX_REHASH_OFF);
        self.counters.add(Counter::TcpExtTCPTimeouts, timeouts.into());
        if rehashes {
            self.counters.add(Counter::TcpExtTcpTimeoutRehash, timeouts.into());
        }
    }

    /// Free the place of a connection that is over, if no application and no accept queue holds it.
    pub(crate) fn release_if_unheld(&mut self, index: u32) {
        let Some(socket) = self.sockets.at(index) else { return };
        let Socket::Stream(stream) = socket else { return };
        let is_done = stream.flow().is_some_and(|flow| flow.is_over && !flow.is_ready && flow.listener.is_none());
        if is_done && socket.is_detached() {
            self.free_stream(index);
        }
    }

    /// The deadline of a connection has come.
    pub(crate) fn connection_deadline(&mut self, now: Instant, index: u32) {
        self.refresh(index);
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let Some(flow) = stream.flow_mut() else { return };
        flow.timer = None;
        let outcome = match flow.connection.next_deadline() {
            Some(deadline) if deadline <= now => flow.connection.on_deadline(now),
            // It moved away since the timer was set.
            _ => Outcome::default(),
        };
        self.settle(now, index, outcome);
    }

    /// Take everything of a stream socket out of the tables, and the socket away.
    pub(crate) fn free_stream(&mut self, index: u32) {
        self.leave_flows(index);
        self.unclaim_port(index);
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let was_rare = stream.common.has(Flags::RARE_CHILD);
        if let Some(flow) = stream.flow_mut() {
            if flow.is_ready {
                // It still stands in the ready list; its turn will free it.
                flow.is_over = true;
                flow.listener = None;
                stream.common.flags.insert(Flags::DETACHED);
                return;
            }
            let was_orphan = core::mem::replace(&mut flow.is_orphan, false);
            let timer = flow.timer.take();
            self.timers.disarm(timer);
            if was_orphan {
                self.count_orphans(-1);
            }
        }
        self.tcp.rare_children -= u64::from(was_rare);
        self.sockets.discard(index);
    }
}
