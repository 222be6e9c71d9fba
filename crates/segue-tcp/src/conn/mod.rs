//! The public object: one TCP connection.
//!
//! Holds the phase, what belongs to the application (inbox, options, pending error) and the
//! last segment of a phase that has ended. Delegates; decides only how phases follow each
//! other. Invariant: after every call `wake` is what `plan` says, so that `next_deadline` and
//! `poll_transmit` cannot disagree.

mod application;
mod fast_open;
mod observe;
mod transitions;
pub(crate) mod user_timeout;

pub use observe::{MemoryUse, SendOffsets};

use alloc::boxed::Box;
use alloc::sync::Arc;

use bitflags::bitflags;
use segue_wire::Instant;

use crate::config::Config;
use crate::drop::DropReason;
use crate::ecn::Haste;
use crate::error::ConnError;
use crate::event::{Events, Outcome};
use crate::fastopen::FastOpen;
use crate::icmp::IcmpSignal;
use crate::info::Info;
use crate::journal::{Journal, Statistic};
use crate::options::SocketOptions;
use crate::recv::inbox::Inbox;
use crate::segment::{Segment, Transmit};
use crate::send::timeout::{Expiry, Patience};
use crate::state::State;
use crate::state::arrival::{Arrival, Verdict};
use crate::state::handshake::{Offer, Screened, screen, syn_interval};
use crate::state::reset_for;
use crate::state::syn_received::{Ending, SynReceived};
use crate::state::syn_sent::{Answer, Heard, SynSent};
use crate::state::synced::{Plan, Rules, Synced};
use crate::state::{TimeWait, TimeWaitOutcome};
use crate::units::{Deadline, Local, Seq, WireWindow};

pub use fast_open::SynTime;
use fast_open::fast_of;
pub(crate) use transitions::fin_patience;

/// What the opener knows and the connection cannot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Open {
    /// Initial send sequence number, from the stack's keyed generator (RFC 6528).
    pub iss: u32,
    /// Offset of this connection's timestamp clock, keyed likewise.
    pub ts_offset: u32,
    /// Path MTU minus the IP header (and extension headers), in bytes.
    pub mtu_payload: u16,
    /// What carries the segments.
    pub family: Family,
}

/// The version of IP below a connection, as far as TCP cares.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// MSS of a peer whose SYN has none (RFC 9293 section 3.7.1, MUST-15): 576 or 1280 bytes less two headers.
    pub const fn default_mss(self) -> u16 {
        match self {
            Family::V4 => 536,
            Family::V6 => 1220,
        }
    }

    /// Bytes of the IP header itself.
    pub const fn header(self) -> u16 {
        match self {
            Family::V4 => 20,
            Family::V6 => 40,
        }
    }
}

bitflags! {
    /// Flags of a write.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct SendFlags: u8 {
        /// `MSG_MORE`: more follows at once; a partial segment may wait for it.
        const MORE = 1;
        /// `MSG_OOB`: the last byte is urgent.
        const OOB = 2;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.config.memory.leave(self.inbox.held);
    }
}

/// The phase a connection is in; each owns what it needs and nothing else.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // Nearly every connection is in the large one.
enum Phase {
    SynSent(SynSent),
    SynReceived(SynReceived),
    Synced(Synced),
    TimeWait(TimeWait),
    Closed,
}

/// What most connections do not have.
#[derive(Debug, Default)]
struct Aside {
    /// The last segment of a phase that has ended: a reset, or the acknowledgment of a FIN.
    words: Option<Box<Transmit>>,
    /// What `TCP_INFO` said when the synchronised phase ended, and when that was.
    info: Option<Box<(Instant, Info)>>,
    /// What has to do with Fast Open.
    fast: Option<Box<FastOpen>>,
    /// What was said by the user timeout option.
    user_timeout: user_timeout::Exchange,
    /// What the synchronised phase had to tell when it ended.
    journal: Journal,
}

/// One TCP connection (RFC 9293), without I/O, clock or addresses.
///
/// Feed it segments ([`on_segment`](Connection::on_segment)), time
/// ([`on_deadline`](Connection::on_deadline)) and the application's calls; send what
/// [`poll_transmit`](Connection::poll_transmit) gives until it gives nothing, also after the
/// connection has closed: a reset or a last acknowledgment may be waiting.
#[derive(Debug)]
pub struct Connection {
    phase: Phase,
    config: Arc<Config>,
    /// `None`: the defaults.
    options: Option<Box<SocketOptions>>,
    inbox: Inbox,
    events: Events,
    error: Option<ConnError>,
    /// A soft ICMP error, told if the connection times out (RFC 1122 section 4.2.3.9).
    soft_error: Option<ConnError>,
    /// No application holds it any more.
    orphan: bool,
    /// It has been synchronised.
    was_connected: bool,
    /// What `plan` said last.
    wake: Deadline,
    /// What most connections do not have.
    aside: Option<Box<Aside>>,
}

static DEFAULT_OPTIONS: SocketOptions = SocketOptions::DEFAULT;

fn boxed(options: SocketOptions) -> Option<Box<SocketOptions>> {
    (options != SocketOptions::DEFAULT).then(|| Box::new(options))
}

impl Connection {
    fn new(config: Arc<Config>, options: SocketOptions, phase: Phase) -> Connection {
        config.memory.join();
        Connection {
            phase,
            config,
            options: boxed(options),
            inbox: Inbox::default(),
            events: Events::empty(),
            error: None,
            soft_error: None,
            orphan: false,
            was_connected: false,
            wake: Deadline::NEVER,
            aside: None,
        }
    }

    /// Active open (RFC 9293 section 3.10.1). The SYN leaves by `poll_transmit`.
    pub fn connect(now: Instant, config: Arc<Config>, options: SocketOptions, open: Open) -> Connection {
        let offer = Offer::new(now, &config, &options, open).asking(&options);
        let mut connection =
            Connection::new(config, options, Phase::SynSent(SynSent { offer, heard: Heard::default() }));
        connection.settle(now);
        connection
    }

    /// A passive open is complete; `segment` completed it and may carry text and a FIN.
    pub(crate) fn established(
        now: Instant,
        config: Arc<Config>,
        options: SocketOptions,
        synced: Synced,
        segment: Segment,
    ) -> (Connection, Outcome) {
        let mut connection = Connection::new(config, options, Phase::Synced(synced));
        connection.was_connected = true;
        connection.events |= Events::CONNECTED | Events::WRITABLE;
        let outcome = connection.on_segment(now, segment);
        (connection, outcome)
    }

    /// The RFC's name of the state.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::SynSent(_) => State::SynSent,
            Phase::SynReceived(open) if matches!(open.ending, Ending::FinSent { .. }) => State::FinWait1,
            Phase::SynReceived(_) => State::SynReceived,
            Phase::Synced(synced) => match synced.state() {
                State::Established if self.fast_opening().is_some() => State::SynReceived,
                state => state,
            },
            Phase::TimeWait(entry) => entry.state(),
            Phase::Closed => State::Closed,
        }
    }

    /// A segment for this connection has arrived.
    pub fn on_segment(&mut self, now: Instant, mut segment: Segment) -> Outcome {
        // From here on it stays where it is: moving it costs more than most steps do.
        let segment = &mut segment;
        let user_timeout = segment.options.user_timeout;
        let drop = match &self.phase {
            Phase::SynSent(_) => self.on_segment_syn_sent(now, segment),
            Phase::SynReceived(_) => self.on_segment_syn_received(now, segment),
            Phase::Synced(_) if self.fast_opening().is_some() => self.on_segment_fast_opening(now, segment),
            Phase::Synced(_) => self.on_segment_synced(now, segment),
            Phase::TimeWait(_) => self.on_segment_time_wait(now, segment),
            Phase::Closed => {
                if let Some(reset) = reset_for(segment) {
                    self.say(reset);
                }
                Some(DropReason::Closed)
            }
        };
        if drop.is_none() {
            self.take_user_timeout(now, user_timeout);
        }
        self.finish(now, drop)
    }

    fn on_segment_syn_sent(&mut self, now: Instant, segment: &mut Segment) -> Option<DropReason> {
        let Phase::SynSent(open) = &mut self.phase else { return None };
        let heard = open.heard;
        open.heard = heard.and(segment);
        match open.on_segment(now, segment) {
            Answer::Drop(reason) => Some(reason),
            Answer::Unacceptable(reset, reason) => {
                open.offer.hurry(now);
                if let Some(reset) = reset {
                    self.say(reset);
                }
                Some(reason)
            }
            Answer::Reset(reset, reason) => {
                self.say(reset);
                Some(reason)
            }
            Answer::Refused => {
                self.fail(now, ConnError::Refused);
                Some(DropReason::Reset)
            }
            Answer::Established(peer) => {
                let repeated = open.offer.was_repeated();
                let mut offer = open.offer.clone();
                offer.ecn.on_syn_ack(segment);
                let mut synced = offer.synchronise(now, &self.config, self.options(), &peer, segment, 0);
                synced.recv.add_heard(heard);
                self.synchronised(synced, Ending::Open);
                self.on_fast_answer(now, segment, repeated);
                // The SYN has done its work; text and FIN behind it are taken as from ESTABLISHED.
                let drop = self.on_rest_of_syn(now, segment);
                let waits_for_data = self.options().defer_accept.timeouts() > 0;
                if let Phase::Synced(synced) = &mut self.phase {
                    synced.send.window_came_with_syn(peer.irs);
                    match waits_for_data {
                        true => synced.recv.ack.owe_with_data(now, synced.recv.window.advertised),
                        false => synced.recv.ack.owe_now(),
                    }
                }
                drop
            }
            Answer::Simultaneous(peer) => {
                let mut offer = open.offer.clone();
                offer.ecn.on_crossing_syn(segment);
                offer.repeat();
                let (window, heard) = (segment.header.window.into(), open.heard);
                self.phase = Phase::SynReceived(SynReceived { offer, peer, window, heard, ending: Ending::Open });
                None
            }
        }
    }

    fn on_segment_syn_received(&mut self, now: Instant, segment: &mut Segment) -> Option<DropReason> {
        let Phase::SynReceived(open) = &mut self.phase else { return None };
        let heard = open.heard;
        open.heard = heard.and(segment);
        match screen(&open.offer, &open.peer, now, segment, open.is_finished_by(segment)) {
            Screened::Complete => {
                let syn = segment.has(crate::TcpFlags::SYN);
                let ending = open.ending;
                let (offer, peer, window) = (open.offer.clone(), open.peer, open.window);
                let mut synced = offer.synchronise(now, &self.config, self.options(), &peer, segment, window);
                synced.send.both_syns_delivered(now);
                synced.recv.add_heard(heard);
                self.synchronised(synced, ending);
                self.on_fast_answer(now, segment, offer.was_repeated());
                if !syn {
                    return self.on_segment_synced(now, segment);
                }
                let drop = self.on_rest_of_syn(now, segment);
                // As Linux: the SYN of the answer is one that was taken before, and a repeated SYN is acknowledged.
                if let Phase::Synced(synced) = &mut self.phase {
                    synced.send.window_came_with_syn(peer.irs);
                    synced.recv.ack.owe_now();
                }
                drop
            }
            Screened::Repeat => {
                open.offer.repeat();
                Some(DropReason::RepeatedSyn)
            }
            // The connection was opened actively: a SYN is challenged as in the synchronised states.
            Screened::NewSyn => self.challenge_opening(now, DropReason::ChallengedSyn),
            Screened::Challenge(reason) => self.challenge_opening(now, reason),
            Screened::Refuse => {
                if let Some(reset) = reset_for(segment) {
                    self.say(reset);
                }
                Some(DropReason::BadHandshakeAck)
            }
            Screened::Reset => {
                self.fail(now, ConnError::Refused);
                Some(DropReason::Reset)
            }
            Screened::Drop(reason) => Some(reason),
        }
    }

    fn challenge_opening(&mut self, now: Instant, reason: DropReason) -> Option<DropReason> {
        if let Phase::SynReceived(open) = &mut self.phase
            && open.offer.may_answer(now, &self.config)
        {
            let reply = open.offer.acknowledge(now, &open.peer);
            self.say(reply);
            self.events |= Events::CHALLENGE;
        }
        Some(reason)
    }

    /// After [`Events::CHALLENGE`]: the host has sent enough of them for now, and this one is not sent.
    pub fn withdraw_challenge(&mut self, now: Instant) -> Outcome {
        match &mut self.phase {
            Phase::Synced(synced) => synced.recv.ack.challenge = false,
            Phase::SynReceived(_) => {
                if let Some(aside) = &mut self.aside {
                    aside.words = None;
                }
            }
            Phase::SynSent(_) | Phase::TimeWait(_) | Phase::Closed => {}
        }
        self.finish(now, None)
    }

    fn on_segment_synced(&mut self, now: Instant, segment: &mut Segment) -> Option<DropReason> {
        let Phase::Synced(synced) = &self.phase else { return None };
        let window = WireWindow(segment.header.window).bytes(synced.send.scale);
        self.on_arrival(now, segment, window)
    }

    /// The rest of a segment whose SYN has been taken; its window is not scaled (RFC 7323 section 2.2).
    fn on_rest_of_syn(&mut self, now: Instant, segment: &mut Segment) -> Option<DropReason> {
        segment.header.flags.remove(crate::TcpFlags::SYN);
        segment.header.sequence = segment.header.sequence.wrapping_add(1);
        let window = u32::from(segment.header.window);
        self.on_arrival(now, segment, window)
    }

    fn on_arrival(&mut self, now: Instant, segment: &mut Segment, window: u32) -> Option<DropReason> {
        let Phase::Synced(synced) = &mut self.phase else { return None };
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let rules = Rules { config: &self.config, options, held: self.inbox.held };
        let (inbox, events, orphan) = (&mut self.inbox, &mut self.events, self.orphan);
        let fin = segment.has(crate::TcpFlags::FIN);
        let verdict =
            synced.on_segment(Arrival { now, rules, inbox, events, orphan, haste: Haste::None, window, segment });
        if fin && matches!(verdict, Verdict::Abort { .. }) {
            self.doubt_fast_path_at_fin();
        }
        self.conclude(now, verdict)
    }

    fn on_segment_time_wait(&mut self, now: Instant, segment: &Segment) -> Option<DropReason> {
        let Phase::TimeWait(time_wait) = &mut self.phase else { return None };
        match time_wait.on_segment(now, &self.config, segment) {
            TimeWaitOutcome::Nothing | TimeWaitOutcome::Restarted(None) => None,
            TimeWaitOutcome::Ack(reply) | TimeWaitOutcome::Restarted(Some(reply)) => {
                self.say(reply);
                None
            }
            // Only the owner of the 4-tuple can open a new connection; here the SYN is answered as an old one.
            TimeWaitOutcome::NewSyn { .. } => Some(DropReason::TimeWait),
            TimeWaitOutcome::Reset(reset) => {
                self.say(reset);
                self.close_phase(now);
                Some(DropReason::AfterClose)
            }
            TimeWaitOutcome::Remove => {
                self.close_phase(now);
                Some(DropReason::Reset)
            }
            TimeWaitOutcome::Drop(reason) => Some(reason),
        }
    }

    /// `next_deadline` has come.
    pub fn on_deadline(&mut self, now: Instant) -> Outcome {
        self.run_timers(now);
        self.finish(now, None)
    }

    /// Whatever is due happens; nothing else does.
    fn run_timers(&mut self, now: Instant) {
        self.on_fast_syn_ack_deadline(now);
        match &mut self.phase {
            Phase::SynSent(_) | Phase::SynReceived(_) => self.on_syn_deadline(now),
            Phase::Synced(_) => self.on_synced_deadline(now),
            Phase::TimeWait(time_wait) if time_wait.deadline() <= now => self.close_phase(now),
            Phase::TimeWait(_) | Phase::Closed => {}
        }
    }

    /// The SYN (or SYN-ACK) went unanswered: again, or no more.
    fn on_syn_deadline(&mut self, now: Instant) {
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let (offer, limit) = match &mut self.phase {
            Phase::SynSent(open) => {
                let retries = options.syn_cnt.unwrap_or(self.config.syn_retries);
                (&mut open.offer, retries.saturating_add(self.config.syn_linear_timeouts))
            }
            Phase::SynReceived(open) => (&mut open.offer, self.config.synack_retries),
            _ => return,
        };
        if !offer.timer.is_due(now) {
            return;
        }
        let overdue = options.user_timeout.is_some_and(|limit| !limit.is_zero() && now - offer.since() >= limit);
        let (timeouts, over) = (offer.retransmits, offer.retransmits >= limit || overdue);
        if !over {
            offer.retransmits += 1;
            offer.repeat();
        }
        self.doubt_fast_path(timeouts, over);
        if over {
            let error = self.soft_error.unwrap_or(ConnError::TimedOut);
            self.fail(now, error);
        }
    }

    fn on_synced_deadline(&mut self, now: Instant) {
        let Phase::Synced(synced) = &mut self.phase else { return };
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let rules = Rules { config: &self.config, options, held: self.inbox.held };
        let rto = synced.pace(rules.config).rto;
        if synced.recv.ack.on_deadline(now, rto) {
            synced.send.journal.count(Statistic::DelayedAcks);
        }
        if synced.orphan_deadline().is_due(now) {
            return self.let_orphan_go(now);
        }
        if !synced.send.timer.deadline().is_due(now) {
            return;
        }
        if self.orphan && synced.send.timer.repeats() && synced.is_one_too_many(now, self.soft_error.is_some(), rules) {
            return self.give_way(now);
        }
        let who = Patience { orphan: self.orphan, doubted: self.soft_error.is_some() };
        let error = self.soft_error.unwrap_or(ConnError::TimedOut);
        let timeouts = synced.send.retransmits;
        let expiry = synced.send.on_timer(now, rules.config, rules.options, who);
        let is_timeout = synced.send.retransmits > timeouts;
        let over = matches!(expiry, Expiry::GiveUp | Expiry::GiveUpWithReset);
        if is_timeout || over {
            self.doubt_fast_path(timeouts, over);
        }
        match expiry {
            Expiry::GoOn => {}
            Expiry::DoubtRoute => self.events |= Events::ROUTE_DOUBTED,
            Expiry::GiveUp => self.fail(now, error),
            Expiry::GiveUpWithReset => {
                self.say_reset(now);
                self.fail(now, error);
            }
        }
    }

    /// When `on_deadline` wants to be called; not in the future when `poll_transmit` has something.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.wake.instant()
    }

    /// At most one segment or super-segment. `max_payload` of one MSS or less gives single segments. To be called until
    /// there is none; before that the next deadline is now.
    ///
    /// Timers that are due have their effect first, so that after `None` the next deadline lies ahead. Before it nothing
    /// leaves: what is held back (`send::defer`) is judged again when something happens, as on Linux, not when asked.
    pub fn poll_transmit(&mut self, now: Instant, max_payload: usize) -> Option<Transmit> {
        if self.next_deadline().is_none_or(|at| at > now) {
            self.events.remove(Events::TRANSMIT);
            return None;
        }
        self.run_timers(now);
        let Some(transmit) = self.next_segment(now, max_payload) else {
            self.settle(now);
            self.events.remove(Events::TRANSMIT);
            return None;
        };
        // More may leave. The next call plans that; only the one that has nothing says when to wake.
        self.events |= Events::TRANSMIT;
        self.wake_at(Deadline::at(now));
        Some(self.tell_user_timeout(transmit))
    }

    fn next_segment(&mut self, now: Instant, max_payload: usize) -> Option<Transmit> {
        if let Some(words) = self.aside.as_deref_mut().and_then(|aside| aside.words.take()) {
            return Some(*words);
        }
        if let Some(syn_ack) = self.fast_syn_ack(now) {
            return Some(syn_ack);
        }
        if let Phase::SynSent(open) = &self.phase {
            return if self.is_syn_due(&open.offer) { self.syn(now) } else { None };
        }
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let rules = Rules { config: &self.config, options, held: self.inbox.held };
        match &mut self.phase {
            Phase::SynReceived(open) if open.offer.is_due() => {
                let wait = syn_interval(open.offer.retransmits, 0, rules.config.rto_max);
                Some(open.offer.syn(now, Some(&open.peer), wait, None))
            }
            Phase::Synced(synced) => {
                let plan = synced.plan(now, max_payload, rules);
                synced.commit(now, plan, &self.inbox, rules)
            }
            _ => None,
        }
    }

    /// Whether an ICMP error that quotes this sequence number can be about a segment of ours: RFC 5927
    /// section 4, it must be under way. Whoever cannot see our segments has to guess it.
    pub fn is_under_way(&self, quoted_sequence: u32) -> bool {
        let quoted = Seq::<Local>::new(quoted_sequence);
        match &self.phase {
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                quoted == offer.iss
            }
            Phase::Synced(synced) => !quoted.before(synced.send.una) && quoted.before(synced.send.nxt),
            Phase::TimeWait(_) | Phase::Closed => false,
        }
    }

    /// An ICMP error quoting a segment of ours, with that segment's sequence number.
    ///
    /// RFC 5927 section 4.1: it must quote something that is in flight, or it is ignored.
    pub fn on_icmp(&mut self, now: Instant, signal: IcmpSignal, quoted_sequence: u32) -> Outcome {
        if !self.is_under_way(quoted_sequence) {
            return self.finish(now, None);
        }
        match &mut self.phase {
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                match signal {
                    // As Linux, by default: RFC 5461 section 4.1.
                    IcmpSignal::Unreachable { hard, error } if hard || self.config.syn_soft_errors => {
                        self.fail(now, error);
                    }
                    IcmpSignal::Disrupted { error } if self.config.syn_soft_errors => self.fail(now, error),
                    IcmpSignal::Unreachable { error, .. } | IcmpSignal::Disrupted { error } => {
                        self.soft_error = Some(error);
                    }
                    IcmpSignal::PacketTooBig { mtu_payload } => offer.shrink_path(mtu_payload),
                }
            }
            Phase::Synced(synced) => {
                match signal {
                    // RFC 5927 section 5: no ICMP error ends a synchronised connection.
                    IcmpSignal::Unreachable { error, .. } => self.soft_error = Some(error),
                    IcmpSignal::Disrupted { error } => {
                        self.soft_error = Some(error);
                        synced.send.revert_backoff(now, Seq::new(quoted_sequence), &self.config);
                    }
                    IcmpSignal::PacketTooBig { mtu_payload } => synced.send.shrink_path(mtu_payload, &self.config),
                }
            }
            _ => {}
        }
        self.finish(now, None)
    }

    /// What the way to the peer carries, less the IP header and options, in bytes; `None` when nothing is sent any more.
    pub fn path_mtu(&self) -> Option<u16> {
        match &self.phase {
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                Some(offer.path_mtu())
            }
            Phase::Synced(synced) => Some(synced.send.path.mtu_payload),
            Phase::TimeWait(_) | Phase::Closed => None,
        }
    }

    /// The way to the peer has changed, or what was learned of it is forgotten: it carries `mtu_payload` bytes, the IP
    /// header and options taken off. Segments become smaller or larger; nothing is thought lost. Before the handshake is
    /// over only what is smaller counts. What follows from it `poll_transmit` and `take_events` tell.
    pub fn set_path_mtu(&mut self, now: Instant, mtu_payload: u16) {
        match &mut self.phase {
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                offer.shrink_path(mtu_payload);
            }
            Phase::Synced(synced) => synced.send.set_path_mtu(mtu_payload, &self.config),
            Phase::TimeWait(_) | Phase::Closed => {}
        }
        self.settle(now);
    }

    /// The entry for TIME-WAIT, or for an orphan's FIN-WAIT-2, once; the connection is closed afterwards.
    pub fn take_time_wait(&mut self) -> Option<TimeWait> {
        let Phase::TimeWait(time_wait) = &self.phase else { return None };
        let time_wait = time_wait.clone();
        self.events.remove(Events::TIME_WAIT);
        self.close_phase(Instant::ZERO);
        self.settle(Instant::ZERO);
        Some(time_wait)
    }

    /// Asks `plan` once more and tells what has changed.
    fn settle(&mut self, now: Instant) {
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let rules = Rules { config: &self.config, options, held: self.inbox.held };
        let waits = self.syn_waits();
        // `None`: there is something to send at once.
        let next = match &mut self.phase {
            _ if self.aside.as_deref().is_some_and(|aside| aside.words.is_some()) => None,
            Phase::SynSent(_) if waits => Some(Deadline::NEVER),
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                (!offer.is_due()).then_some(offer.timer)
            }
            Phase::Synced(synced) => {
                let overhead = synced.overhead(now, rules);
                synced.send.arm(now, overhead, rules.config, rules.options);
                synced.send.join_first(rules);
                // Sending cuts buffers, which cost more then: who is told of no room must be told of room.
                synced.send.writer_waits |= !synced.send.is_writable(rules);
                let pending = fast_of(&self.aside).and_then(FastOpen::opening);
                if pending.is_some() {
                    // RFC 7413 section 4.2.2, Linux: until it is acknowledged only the SYN-ACK is repeated.
                    synced.send.suspend_timer();
                }
                let syn_ack = pending.map_or(Deadline::NEVER, |pending| pending.offer.timer);
                match synced.plan(now, 0, rules) {
                    Plan::Wait(_) if pending.is_some_and(|pending| pending.offer.is_due()) => None,
                    Plan::Wait(deadline) => Some(deadline.min(syn_ack)),
                    Plan::Ack | Plan::Send(_) => None,
                }
            }
            Phase::TimeWait(time_wait) => Some(Deadline::at(time_wait.deadline())),
            Phase::Closed => Some(Deadline::NEVER),
        };
        if next.is_none() {
            self.events |= Events::TRANSMIT;
        }
        self.inbox.held = self.config.memory.charge(self.inbox.held, self.charged());
        self.wake_at(next.unwrap_or(Deadline::at(now)));
    }

    fn wake_at(&mut self, wake: Deadline) {
        if wake != self.wake {
            self.wake = wake;
            self.events |= Events::DEADLINE_CHANGED;
        }
    }

    /// Settles, and hands the events out.
    fn finish(&mut self, now: Instant, drop: Option<DropReason>) -> Outcome {
        self.settle(now);
        Outcome { events: core::mem::take(&mut self.events), drop }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::PassiveOpen;

    /// What an idle connection costs in all: it owns no buffer (see `an_idle_connection_owns_no_buffer`).
    #[test]
    fn a_connection_takes_at_most_512_bytes_a_passive_open_160_a_time_wait_entry_96() {
        assert!(size_of::<Connection>() <= 512, "Connection: {}", size_of::<Connection>());
        assert!(size_of::<PassiveOpen>() <= 160, "PassiveOpen: {}", size_of::<PassiveOpen>());
        assert!(size_of::<TimeWait>() <= 96, "TimeWait: {}", size_of::<TimeWait>());
    }
}
