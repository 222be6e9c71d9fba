//! Half-open connections: from the SYN to the acknowledgement of ours.
//!
//! Decides what becomes of a SYN at a listener and of segments for a half-open connection: whether there is room, and
//! whether a completed handshake becomes a connection. RFC 9293 3.10.7.2 (LISTEN), and 3.10.7.4 for SYN-RECEIVED as
//! `PassiveOpen` says. An entry whose listener has gone ends at its next segment or deadline.
use core::time::Duration;

use segue_tcp::{Connection, FastOpenCookie, Instant, Open, PassiveOpen, PassiveOutcome, Segment, TcpFlags};
use segue_wire::{Packet, SourceRoute};

use super::auth::{Agreed, AoIds, SignsAs};
use super::fast_open::FastAnswer;
use super::flows::FlowRef;
use super::listener::Listener;
use super::output::{Back, family, mtu_payload};
use super::routed::RouteChoice;
use super::stream::{Call, Flow, Role, StreamSocket};
use super::syn::{OfSyn, Syn, without_ecn};
use super::syn_cookies::CookieVerdict;
use crate::budget::Entry;
use crate::ip::input::Arrival;
use crate::ip::output::no_routes;
use crate::slab::Slab;
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::stack::Stack;
use crate::timers::Timer;
use crate::tuple::FourTuple;
use crate::wheel::TimerKey;
use crate::{Counter, IfaceId, SocketId};

/// How late a SYN-ACK is sent again when too many answers wait for the link.
const POSTPONED: Duration = Duration::from_millis(10);

/// A half-open connection.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) passive: PassiveOpen,
    pub(crate) tuple: FourTuple,
    pub(crate) listener: SocketId,
    /// Answers leave by this interface, whatever the routes say.
    pinned: Option<IfaceId>,
    /// What few have.
    rare: Option<Box<Rare>>,
    timer: Option<TimerKey>,
    /// Type of service of the SYN.
    syn_tos: u8,
}

/// What few half-open connections have.
#[derive(Debug, Default)]
struct Rare {
    /// The SYN came along a source route: back along it.
    route: Option<SourceRoute>,
    /// The keys that its SYN was signed with and asked for.
    ao: Option<AoIds>,
    /// The headers of the SYN (TCP_SAVE_SYN).
    saved_syn: Option<Box<[u8]>>,
}

impl Opening {
    /// What its answers are signed with.
    fn signs(&self) -> SignsAs {
        SignsAs::Handshake(self.listener.index, self.agreed())
    }

    fn agreed(&self) -> Agreed {
        let (iss, irs) = self.passive.initial_numbers();
        Agreed { ids: self.ao(), iss, irs }
    }

    fn route(&self) -> Option<SourceRoute> {
        self.rare.as_ref()?.route
    }

    /// The keys that its SYN was signed with and asked for.
    pub(crate) fn ao(&self) -> Option<AoIds> {
        self.rare.as_ref()?.ao
    }

    /// Its SYN-ACK has not timed out yet.
    pub(crate) fn is_young(&self) -> bool {
        self.passive.retransmits() == 0
    }
}

/// Whose SYN it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Admission {
    /// Anybody's.
    Any,
    /// Of a flow in TIME-WAIT, whose peer is evidently real: the length of the SYN queue does not count.
    Known,
}

/// How a SYN that is let in is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SynAnswer {
    /// By a handshake with an entry in the SYN queue.
    Remembered,
    /// With a cookie.
    Cookie,
}

impl Stack {
    /// RFC 9293 3.10.7.2: a segment for a socket in LISTEN.
    pub(crate) fn listener_segment(
        &mut self,
        now: Instant,
        index: u32,
        tuple: FourTuple,
        arrival: &Arrival,
        segment: &Segment,
        front: Option<&Packet>,
    ) {
        let flags = segment.header.flags;
        if flags.contains(TcpFlags::RST) {
            return;
        }
        // RFC 9293 3.10.7.2, second: an acknowledgement to a listener is answered with a reset, unless a cookie is acknowledged.
        if flags.contains(TcpFlags::ACK) {
            let is_cookie = !flags.contains(TcpFlags::SYN)
                && self.open_by_cookie(now, index, tuple, arrival, segment) == CookieVerdict::Taken;
            if !is_cookie {
                self.reset_segment(now, &tuple, Back::to(arrival), segment, SignsAs::Socket(index));
            }
            return;
        }
        // As Linux: a SYN with FIN is no way to open a connection.
        if !flags.contains(TcpFlags::SYN) || flags.contains(TcpFlags::FIN) {
            self.counters.inc(Counter::SegueTcpContradictoryFlags);
            return;
        }
        match self.admit_syn(index, Admission::Any) {
            Some(SynAnswer::Remembered) => {
                self.open_passively(now, index, tuple, Syn::new(segment, front, arrival), None);
            }
            Some(SynAnswer::Cookie) => self.answer_with_cookie(now, index, tuple, arrival, segment),
            None => {}
        }
    }

    /// Whether a SYN is let in, and how it is answered; `None`: it is dropped, and counted.
    pub(crate) fn admit_syn(&mut self, index: u32, admission: Admission) -> Option<SynAnswer> {
        let (cookies, most) = (self.settings.ip.syncookies, self.settings.ip.max_syn_backlog);
        let listener = self.listener_at(index)?;
        let (opening, is_overflowing) = (listener.opening, listener.is_syn_queue_full());
        let is_full = listener.is_full();
        let must_not_remember = admission == Admission::Any && (cookies == 2 || is_overflowing);
        let may_be_cookie = admission == Admission::Any && cookies > 0;
        let answer = match () {
            () if must_not_remember && cookies == 0 => return self.drop_syn(Counter::TcpExtTCPReqQFullDrop),
            () if must_not_remember => SynAnswer::Cookie,
            () if self.fits(Entry::HalfOpen) => SynAnswer::Remembered,
            () if may_be_cookie => SynAnswer::Cookie,
            () => return self.drop_syn(Counter::SegueMemorySyns),
        };
        // A client that is refused here tries again later; one that got an answer would believe to be connected.
        if !self.has_room_for(Entry::Socket) {
            self.counters.inc(Counter::TcpExtListenDrops);
            return None;
        }
        if answer == SynAnswer::Cookie {
            self.counters.inc(Counter::TcpExtTCPReqQFullDoCookies);
        }
        if is_full {
            return self.drop_syn(Counter::TcpExtListenOverflows);
        }
        // As Linux: without cookies the last quarter is for peers that are known to be real, and none is known here.
        let is_reserved = most.saturating_sub(opening) < most / 4;
        if admission == Admission::Any && cookies == 0 && is_reserved {
            self.counters.inc(Counter::TcpExtListenDrops);
            return None;
        }
        Some(answer)
    }

    fn drop_syn(&mut self, reason: Counter) -> Option<SynAnswer> {
        self.counters.inc(reason);
        self.counters.inc(Counter::TcpExtListenDrops);
        None
    }

    /// Make the half-open connection and send the SYN-ACK; `false`: it could not be made. `iss_floor`: the four-tuple was
    /// in TIME-WAIT (RFC 6191).
    pub(crate) fn open_passively(
        &mut self,
        now: Instant,
        index: u32,
        tuple: FourTuple,
        syn: Syn<'_>,
        iss_floor: Option<u32>,
    ) -> bool {
        let Syn { segment, pinned, route, .. } = syn;
        let Some(generation) = self.sockets.generation(index) else { return false };
        let Ok(way) = self.routed_way(now, tuple.peer, pinned, route.as_ref()) else {
            self.counters.inc(no_routes(tuple.peer));
            return false;
        };
        let open = Open {
            iss: self.initial_sequence(now, &tuple, iss_floor),
            ts_offset: self.secrets.timestamp_offset(tuple.local_addr(), tuple.peer_addr()),
            mtu_payload: mtu_payload(way.mtu, tuple.peer),
            family: family(tuple.peer),
        };
        let Some(kept) = self.listener_at(index).map(Listener::kept) else { return false };
        let config = self.config_towards(now, tuple.peer, pinned, kept);
        let ao = self.ao_ids(index, segment);
        let signed = self.signed_options(index, tuple.peer, ao);
        let Some(listener) = self.listener_at(index) else { return false };
        let options = signed.as_ref().unwrap_or(&listener.options);
        let passive = PassiveOpen::on_syn(now, &config, options, segment, open);
        let listener = SocketId { index, generation };
        let cookie = match self.fast_answer(now, index, &tuple, segment) {
            _ if signed.is_some() => None,
            FastAnswer::AtOnce(cookie) => {
                return self.open_at_once(now, listener, passive, tuple, syn, cookie);
            }
            FastAnswer::WithCookie(cookie) => Some(cookie),
            FastAnswer::Plain => None,
        };
        let saved_syn = self.sockets.at(index).and_then(|socket| syn.saved(socket.common().rare().save_syn));
        let has_rare = route.is_some() || ao.is_some() || saved_syn.is_some();
        let rare = has_rare.then(|| Box::new(Rare { route, ao, saved_syn }));
        let opening = Opening { passive, tuple, listener, pinned, rare, timer: None, syn_tos: syn.tos() };
        let Some((entry, _)) = self.tcp.entries.opening.insert(opening) else { return false };
        self.tcp.flows.set(&tuple, FlowRef::Opening(entry), &self.sockets, &self.tcp.entries);
        if let Some(listener) = self.listener_named(listener) {
            listener.opening += 1;
            listener.young += 1;
        }
        self.pump_opening(now, entry, cookie);
        true
    }

    /// Our first sequence number for a flow; `floor` when the flow before it is still remembered (RFC 6191).
    pub(crate) fn initial_sequence(&self, now: Instant, tuple: &FourTuple, floor: Option<u32>) -> u32 {
        // As Linux: just beyond what the flow before used, whatever the clock says.
        floor.unwrap_or_else(|| self.secrets.initial_sequence(now, tuple.local_addr(), tuple.peer_addr()))
    }

    /// A segment for a half-open connection.
    pub(crate) fn opening_segment(
        &mut self,
        now: Instant,
        entry: u32,
        arrival: &Arrival,
        segment: Segment,
        front: Option<Packet>,
    ) {
        let Some(opening) = self.tcp.entries.opening.at_mut(entry) else { return };
        let tuple = opening.tuple;
        if listener_of(&self.sockets, opening.listener).is_none() && !self.migrate_opening(entry) {
            self.remove_opening(entry);
            self.unclaimed_packet(now, tuple, arrival, segment, front);
            return;
        }
        let Some(opening) = self.tcp.entries.opening.at_mut(entry) else { return };
        let signs = opening.signs();
        let Some(listener) = listener_of(&self.sockets, opening.listener) else { return };
        match opening.passive.on_segment(now, &self.tcp.config, &listener.options, &segment) {
            PassiveOutcome::Nothing => {}
            PassiveOutcome::Transmit => self.pump_opening(now, entry, None),
            PassiveOutcome::Reply(transmit) => {
                self.reply_segment(now, &tuple, Back::to(arrival), transmit, signs);
            }
            PassiveOutcome::Complete => return self.complete_opening(now, entry, without_ecn(arrival.tos), segment),
            PassiveOutcome::Remove(reason) => {
                self.counters.inc(Counter::TcpExtEmbryonicRsts);
                self.counters.inc(Counter::TcpAttemptFails);
                self.count_drop(reason);
                return self.remove_opening(entry);
            }
            PassiveOutcome::Overtaken(reset) => {
                self.counters.inc(Counter::TcpAttemptFails);
                self.count_drop(segue_tcp::DropReason::ChallengedSyn);
                self.reply_segment(now, &tuple, Back::to(arrival), reset, signs);
                return self.remove_opening(entry);
            }
            PassiveOutcome::Drop(reason) => self.count_drop(reason),
            PassiveOutcome::GiveUp => return self.remove_opening(entry),
        }
        self.arm_opening(now, entry);
    }

    /// RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: our SYN is acknowledged.
    fn complete_opening(&mut self, now: Instant, entry: u32, tos: u8, segment: Segment) {
        let Some(opening) = self.tcp.entries.opening.at(entry) else { return };
        let (id, tuple, pinned) = (opening.listener, opening.tuple, opening.pinned);
        let (signs, agreed) = (opening.signs(), opening.agreed());
        let Some(Socket::Stream(socket)) = self.sockets.get(id.index, id.generation) else { return };
        let Some(listener) = socket.listener() else { return };
        let (is_full, options, kept) = (listener.is_full(), listener.options.clone(), listener.kept());
        if is_full || !self.has_room_for(Entry::Socket) {
            self.counters.inc(Counter::TcpExtListenOverflows);
            self.counters.inc(Counter::TcpExtListenDrops);
            if self.settings.ip.abort_on_overflow {
                self.counters.inc(Counter::TcpExtTCPAbortOnOverflow);
                self.reset_segment(now, &tuple, Back { pinned, tos }, &segment, signs);
                self.remove_opening(entry);
            } else if let Some(opening) = self.tcp.entries.opening.at_mut(entry) {
                // The client, which believes to be connected, tries again.
                opening.passive.keep_waiting();
            }
            return;
        }
        let options = self.signed_options(id.index, tuple.peer, agreed.ids).unwrap_or(options);
        let Some(opening) = self.take_opening(entry) else { return };
        let config = self.config_towards(now, tuple.peer, pinned, kept);
        let Rare { route, saved_syn, .. } = opening.rare.map(|rare| *rare).unwrap_or_default();
        let of_syn = OfSyn { tos: opening.syn_tos, saved: saved_syn };
        let (connection, outcome) = opening.passive.into_connection(now, config, options, segment);
        let Some(index) = self.add_child(id, tuple, pinned, connection, agreed, of_syn) else {
            self.tcp.flows.remove(&tuple, FlowRef::Opening(entry));
            return;
        };
        if let (Some(route), Some(socket)) = (route, self.sockets.at_mut(index)) {
            socket.common_mut().rare_mut().route = RouteChoice::Learned(route);
            self.count_rare_child(index);
        }
        self.tcp.flows.replace(&tuple, FlowRef::Opening(entry), FlowRef::Connection(index));
        self.settle(now, index, outcome);
    }

    /// A listener's new connection waits for accept(). The table of flows does not name it yet.
    pub(crate) fn add_child(
        &mut self,
        id: SocketId,
        tuple: FourTuple,
        pinned: Option<IfaceId>,
        connection: Connection,
        agreed: Agreed,
        of_syn: OfSyn,
    ) -> Option<u32> {
        let Socket::Stream(socket) = self.sockets.get(id.index, id.generation)? else { return None };
        let is_gateway = socket.listener()?.any.is_some();
        let mut common = socket.common.inherit();
        (common.local, common.port, common.pinned) = (tuple.local, tuple.local_port, pinned);
        common.flags.insert(Flags::DETACHED);
        if let Some(keys) = socket.common.rare().keys.as_ref().and_then(|keys| keys.for_child(&tuple, agreed)) {
            common.rare_mut().keys = Some(keys);
        }
        if let Some(saved) = of_syn.saved {
            common.rare_mut().saved_syn = Some(saved);
        }
        if self.settings.ip.reflect_tos {
            let field = if tuple.peer.is_ipv4() { &mut common.tos } else { &mut common.traffic_class };
            *field = of_syn.tos;
        }
        let mut flow = Flow::new(connection, self.tcp.generation, tuple, Call::Connected);
        flow.listener = Some(id.index);
        let stream = StreamSocket { common, role: Role::Connected(flow) };
        let (index, _) = self.sockets.insert(Socket::Stream(stream))?;
        // A gateway's connections have addresses that are not this host's; they hold no port here.
        if !is_gateway && self.net.is_own(tuple.local) {
            self.claim_stream_port(index);
        }
        self.count_rare_child(index);
        self.counters.inc(Counter::TcpPassiveOpens);
        if let Some(listener) = self.listener_named(id) {
            listener.accept_queue.push_back(index);
        }
        self.notify(id.index);
        Some(index)
    }

    /// Send the SYN-ACK, if it is due, with a cookie for the next time if there is one.
    fn pump_opening(&mut self, now: Instant, entry: u32, cookie: Option<FastOpenCookie>) {
        if let Some(opening) = self.tcp.entries.opening.at_mut(entry)
            && let Some(transmit) = opening.passive.poll_with_cookie(now, &self.tcp.config, cookie)
        {
            let (tuple, pinned, listener) = (opening.tuple, opening.pinned, opening.listener.index);
            let signs = opening.signs();
            let (route, syn_tos) = (opening.route(), opening.syn_tos);
            self.counters.add(Counter::TcpExtTCPSynRetrans, transmit.resent.into());
            self.counters.add(Counter::TcpRetransSegs, transmit.resent.into());
            self.reply_for(now, listener, &tuple, (pinned, route.as_ref()), syn_tos, (transmit, signs));
        }
        self.arm_opening(now, entry);
    }

    fn arm_opening(&mut self, now: Instant, entry: u32) {
        let Some(opening) = self.tcp.entries.opening.at_mut(entry) else { return };
        let deadline = opening.passive.next_deadline();
        self.timers.arm(now, &mut opening.timer, deadline, Timer::Opening(entry));
    }

    /// The deadline of a half-open connection has come.
    pub(crate) fn opening_deadline(&mut self, now: Instant, entry: u32) {
        let Some(opening) = self.tcp.entries.opening.at_mut(entry) else { return };
        opening.timer = None;
        if opening.passive.next_deadline().is_some_and(|deadline| deadline <= now) {
            // Under a flood thousands of SYN-ACKs are due again at once. They may be a little late; a client's first must not be
            // dropped for them.
            if self.outbox.is_busy() {
                return self.timers.arm(now, &mut opening.timer, Some(now + POSTPONED), Timer::Opening(entry));
            }
            if listener_of(&self.sockets, opening.listener).is_none() && !self.migrate_opening(entry) {
                return self.remove_opening(entry);
            }
            self.counters.inc(Counter::TcpExtTCPTimeouts);
            match self.time_out_opening(now, entry) {
                PassiveOutcome::Transmit => self.pump_opening(now, entry, None),
                PassiveOutcome::GiveUp | PassiveOutcome::Remove(_) => {
                    self.counters.inc(Counter::TcpAttemptFails);
                    return self.remove_opening(entry);
                }
                PassiveOutcome::Nothing
                | PassiveOutcome::Reply(_)
                | PassiveOutcome::Overtaken(_)
                | PassiveOutcome::Complete
                | PassiveOutcome::Drop(_) => {}
            }
        }
        self.arm_opening(now, entry);
    }

    /// The SYN-ACK of a half-open connection has not been acknowledged in time.
    fn time_out_opening(&mut self, now: Instant, entry: u32) -> PassiveOutcome {
        let Some(opening) = self.tcp.entries.opening.at_mut(entry) else { return PassiveOutcome::GiveUp };
        let Some(listener) = listener_of(&self.sockets, opening.listener) else { return PassiveOutcome::GiveUp };
        let (config, options) = (&self.tcp.config, &listener.options);
        let retries = listener.patience(PassiveOpen::retries(config, options));
        let was_young = opening.is_young();
        let outcome = opening.passive.on_deadline(now, config, options, retries);
        let (has_aged, listener) = (was_young && !opening.is_young(), opening.listener);
        if has_aged && let Some(listener) = self.listener_named(listener) {
            listener.young = listener.young.saturating_sub(1);
        }
        outcome
    }

    /// A half-open connection that comes to nothing.
    pub(crate) fn remove_opening(&mut self, entry: u32) {
        if let Some(opening) = self.tcp.entries.opening.at(entry) {
            let (tuple, listener) = (opening.tuple, opening.listener);
            self.tcp.flows.remove(&tuple, FlowRef::Opening(entry));
            self.take_opening(entry);
            self.tell_gateway(listener, &tuple);
        }
    }

    /// A gateway waits for the end of the handshakes it has begun. No more are kept for it than may be under way.
    fn tell_gateway(&mut self, listener: SocketId, tuple: &FourTuple) {
        let limit = self.settings.ip.max_syn_backlog as usize;
        let Some(gateway) = self.listener_named(listener).filter(|listener| listener.any.is_some()) else { return };
        if gateway.failed.len() >= limit {
            gateway.failed.pop_front();
        }
        gateway.failed.push_back((tuple.local_addr(), tuple.peer_addr()));
        self.notify(listener.index);
    }

    /// Take the entry out; the table of flows still names it.
    fn take_opening(&mut self, entry: u32) -> Option<Opening> {
        let opening = self.tcp.entries.opening.remove(entry)?;
        self.timers.disarm(opening.timer);
        if let Some(listener) = self.listener_named(opening.listener) {
            listener.opening = listener.opening.saturating_sub(1);
            listener.young = listener.young.saturating_sub(u32::from(opening.is_young()));
        }
        Some(opening)
    }
}

/// The listener that a half-open connection belongs to, while it listens.
fn listener_of(sockets: &Slab<Socket>, id: SocketId) -> Option<&Listener> {
    match sockets.get(id.index, id.generation)? {
        Socket::Stream(stream) => stream.listener(),
        Socket::Datagram(_) => None,
    }
}
