//! The public object: one TCP connection.
//!
//! Holds the phase, what belongs to the application (inbox, options, pending error) and the
//! last segment of a phase that has ended. Delegates; decides only how phases follow each
//! other. Invariant: after every call `wake` is what `plan` says, so that `next_deadline` and
//! `poll_transmit` cannot disagree.

mod application;
mod arrival;
mod deadlines;
mod fast_open;
mod observe;
mod path;
mod transitions;
pub(crate) mod user_timeout;

pub use observe::{MemoryUse, SendOffsets};

use alloc::boxed::Box;
use alloc::sync::Arc;

use bitflags::bitflags;
use segue_wire::Instant;

use crate::config::Config;
use crate::drop::DropReason;
use crate::error::ConnError;
use crate::event::{Events, Outcome};
use crate::fastopen::FastOpen;
use crate::info::Info;
use crate::journal::Journal;
use crate::options::SocketOptions;
use crate::recv::inbox::Inbox;
use crate::segment::{Segment, Transmit};
use crate::state::State;
use crate::state::TimeWait;
use crate::state::handshake::{Offer, syn_interval};
use crate::state::syn_received::{Ending, SynReceived};
use crate::state::syn_sent::{Heard, SynSent};
use crate::state::synced::{Plan, Rules, Synced};
use crate::units::Deadline;

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
        /// `MSG_EOR`: what is written later shares no segment with this write, if all of it is taken (as Linux since 4.7).
        const EOR = 4;
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
                synced.send.join_waiting(overhead, rules);
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
                    Plan::PutOff(deadline) => {
                        synced.send.put_off();
                        Some(deadline.min(syn_ack))
                    }
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
        assert!(size_of::<TimeWait>() <= 48, "TimeWait: {}", size_of::<TimeWait>());
    }
}
