//! Fast Open (RFC 7413) through the life of a connection: SYN, SYN-ACK, the first acknowledgment, the end.
//!
//! Owns RFC 7413 section 4.2 with Linux's choices: what was not acknowledged in the SYN is sent again at once and without a
//! change of the congestion window; a repeated SYN or SYN-ACK is plain; until the SYN-ACK is acknowledged nothing else is
//! repeated. What a handshake negotiates is decided in `state::handshake`.

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::Bytes;
use segue_wire::Instant;
use segue_wire::tcp::{FastOpenCookie, TcpFlags};

use super::{Aside, Connection, DEFAULT_OPTIONS, Open, Phase};
use crate::config::Config;
use crate::drop::DropReason;
use crate::error::{ConnError, SendError};
use crate::event::Events;
use crate::fastopen::{Client, ClientFail, FastOpen, FastOpenNews, FastOpenSyn, Form, Role, SynAckPending};
use crate::options::SocketOptions;
use crate::segment::{Segment, Transmit};
use crate::send::rtt::Progress;
use crate::state::handshake::{Offer, syn_interval};
use crate::state::reset_for;
use crate::state::syn_sent::{Heard, SynSent};
use crate::units::{Peer, Seq, WireWindow};

/// Linux keeps all option space of a SYN free for middleboxes (`MAX_TCP_OPTION_SPACE`).
const OPTION_SPACE: u16 = 40;
/// The third timeout in a row is one too many for a path that carried Fast Open.
const BLACK_HOLE_TIMEOUTS: u8 = 2;

/// When the SYN of an active open leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SynTime {
    /// At once.
    Now,
    /// With the first write, whose data it may carry.
    FirstWrite,
}

pub(super) fn fast_of(aside: &Option<Box<Aside>>) -> Option<&FastOpen> {
    aside.as_deref()?.fast.as_deref()
}

pub(super) fn fast_of_mut(aside: &mut Option<Box<Aside>>) -> Option<&mut FastOpen> {
    aside.as_deref_mut()?.fast.as_deref_mut()
}

impl Connection {
    /// Active open with Fast Open (RFC 7413 section 4.2.1).
    pub fn connect_fast(
        now: Instant,
        config: Arc<Config>,
        options: SocketOptions,
        open: Open,
        syn: FastOpenSyn,
        time: SynTime,
    ) -> Connection {
        let offer = Offer::new(now, &config, &options, open);
        let (option, mss, probes_black_hole) = match syn {
            FastOpenSyn::Request { experimental } => {
                let mut request = FastOpenCookie::REQUEST;
                request.experimental = experimental;
                (Some(request), Some(0), false)
            }
            FastOpenSyn::Data { cookie, mss, probes_black_hole } => (cookie, mss, probes_black_hole),
        };
        let room = mss.unwrap_or(u16::MAX).min(offer.largest_segment(&config, &options)).saturating_sub(OPTION_SPACE);
        let waits = time == SynTime::FirstWrite;
        let client = Client { option, data: Bytes::new(), waits, is_sent: false, room, probes_black_hole };
        let mut fast = FastOpen::new(Role::Client(client));
        if matches!(syn, FastOpenSyn::Request { .. }) {
            fast.fail = ClientFail::CookieUnavailable;
        }
        let mut connection =
            Connection::new(config, options, Phase::SynSent(SynSent { offer, heard: Heard::default() }));
        connection.aside.get_or_insert_default().fast = Some(fast);
        connection.settle(now);
        connection
    }

    /// The SYN waits for the first write.
    pub fn syn_waits(&self) -> bool {
        matches!(self.phase, Phase::SynSent(_)) && self.fast_client().is_some_and(|client| client.waits)
    }

    /// The first write of a connection whose SYN waits for it: as much as fits goes into the SYN.
    pub(super) fn write_into_syn(&mut self, now: Instant, data: &[u8]) -> Option<Result<usize, SendError>> {
        if !self.syn_waits() {
            return None;
        }
        let client = fast_of_mut(&mut self.aside)?.client_mut()?;
        client.waits = false;
        let len = data.len().min(usize::from(client.room));
        client.data = Bytes::copy_from_slice(&data[..len]);
        self.settle(now);
        Some(if len == 0 { Err(SendError::WouldBlock) } else { Ok(len) })
    }

    fn fast_client(&self) -> Option<&Client> {
        fast_of(&self.aside)?.client()
    }

    /// Whether a SYN of ours is to be sent now.
    pub(super) fn is_syn_due(&self, offer: &Offer) -> bool {
        offer.is_due() && !self.fast_client().is_some_and(|client| client.waits)
    }

    /// The SYN, with what goes with its first transmission.
    pub(super) fn syn(&mut self, now: Instant) -> Option<Transmit> {
        let Phase::SynSent(SynSent { offer, .. }) = &mut self.phase else { return None };
        let wait = syn_interval(offer.retransmits, self.config.syn_linear_timeouts, self.config.rto_max);
        let first = fast_of_mut(&mut self.aside).and_then(FastOpen::client_mut).filter(|client| !client.is_sent);
        let Some(client) = first else { return Some(offer.syn(now, None, wait, None)) };
        client.is_sent = true;
        let mut transmit = offer.syn(now, None, wait, client.option);
        offer.syn_data = client.data.len() as u16;
        transmit.segment_size = offer.syn_data;
        transmit.payload = client.data.clone().into();
        Some(transmit)
    }

    /// A SYN-ACK (or the ACK that ends a simultaneous open) has synchronised us: RFC 7413 section 4.2.1, what it says
    /// about the data of our SYN.
    pub(super) fn on_fast_answer(&mut self, now: Instant, segment: &Segment, repeated: bool) {
        let Phase::Synced(synced) = &mut self.phase else { return };
        let Some(fast) = fast_of_mut(&mut self.aside) else { return };
        let Some(client) = fast.client_mut() else { return };
        let data = core::mem::take(&mut client.data);
        let len = data.len();
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let acknowledged = Seq::new(segment.header.acknowledgment);
        let taken = synced.send.adopt_syn_data(now, data, acknowledged, &self.config, options);
        let asked = client.option.is_some();
        let cookie = segment.options.fast_open.filter(|_| asked);
        let refused = match client.option {
            Some(option) if cookie.is_none() && len == 0 && !repeated => {
                Some(if option.experimental { Form::Experimental } else { Form::Standard })
            }
            _ => None,
        };
        if len > 0 {
            fast.data_taken = taken;
            fast.fail = match (taken, repeated) {
                (true, _) => fast.fail,
                (false, true) => ClientFail::SynRetransmitted,
                (false, false) => ClientFail::DataNotAcknowledged,
            };
        }
        self.tell(FastOpenNews::Answer {
            cookie,
            mss: segment.options.mss,
            data_taken: (len > 0).then_some(taken),
            syn_lost: asked && repeated && cookie.is_none() && len > 0 && !taken,
            refused,
        });
    }

    /// News for the stack.
    fn tell(&mut self, news: FastOpenNews) {
        if let Some(fast) = fast_of_mut(&mut self.aside) {
            fast.news = Some(news);
            self.events |= Events::FAST_OPEN;
        }
    }

    /// What the connection has learned about Fast Open, once.
    pub fn take_fast_open_news(&mut self) -> Option<FastOpenNews> {
        fast_of_mut(&mut self.aside)?.news.take()
    }

    /// The send timer has expired after so many timeouts in a row; `over`: the connection is given up.
    pub(super) fn doubt_fast_path(&mut self, timeouts: u8, over: bool) {
        let was_fast = self.fast_client().is_some_and(|client| client.is_sent);
        if was_fast && (timeouts == BLACK_HOLE_TIMEOUTS || (timeouts < BLACK_HOLE_TIMEOUTS && over)) {
            self.tell(FastOpenNews::BlackHole);
        }
    }

    /// An out-of-order FIN came for a connection that the application has closed.
    pub(super) fn doubt_fast_path_at_fin(&mut self) {
        if self.fast_client().is_some_and(|client| client.is_sent) {
            self.tell(FastOpenNews::BlackHole);
        }
    }

    /// The attempt has failed with an error.
    pub(super) fn fast_open_failed(&mut self, error: ConnError) {
        let is_opening = matches!(self.phase, Phase::SynSent(_) | Phase::SynReceived(_));
        let tried = self.fast_client().is_some_and(|client| client.is_sent);
        let silent = fast_of(&self.aside).is_some_and(|fast| fast.news.is_none());
        if is_opening && tried && silent && error != ConnError::Refused {
            self.tell(FastOpenNews::Failed);
        }
    }

    /// The phase ends: what came over the connection shows whether the path lets Fast Open through.
    pub(super) fn judge_fast_path(&mut self) {
        let Phase::Synced(synced) = &self.phase else { return };
        let Some(client) = self.fast_client().filter(|client| client.is_sent) else { return };
        if synced.recv.data_segments == 0 && synced.recv.only_fin_waits() {
            self.tell(FastOpenNews::BlackHole);
        } else if synced.recv.data_segments > 0 && client.probes_black_hole {
            self.tell(FastOpenNews::PathWorks);
        }
    }
}

/// The passive side.
impl Connection {
    /// A SYN has opened the connection; it is in SYN-RECEIVED and has the SYN's data.
    pub(crate) fn fast_opened(
        now: Instant,
        config: Arc<Config>,
        options: SocketOptions,
        pending: SynAckPending,
        syn: &Segment,
    ) -> Connection {
        let synced = pending.offer.synchronise(now, &config, &options, &pending.peer, syn, 0);
        let mut connection = Connection::new(config, options, Phase::Synced(synced));
        let mut fast = FastOpen::new(Role::Opening(pending));
        connection.was_connected = true;
        if let Phase::Synced(synced) = &mut connection.phase {
            synced.recv.segments = 1;
            fast.data_taken = synced.recv.take_syn_text(&syn.payload, &mut connection.inbox);
        }
        if fast.data_taken {
            connection.events |= Events::READABLE;
        }
        connection.aside.get_or_insert_default().fast = Some(fast);
        connection.events |= Events::WRITABLE;
        connection.settle(now);
        connection
    }

    /// Opened by a SYN and not acknowledged yet.
    pub fn is_fast_opening(&self) -> bool {
        matches!(self.phase, Phase::Synced(_)) && self.fast_opening().is_some()
    }

    pub(super) fn fast_opening(&self) -> Option<&SynAckPending> {
        fast_of(&self.aside)?.opening()
    }

    /// The SYN-ACK of a connection that a SYN has opened, when it is due.
    pub(super) fn fast_syn_ack(&mut self, now: Instant) -> Option<Transmit> {
        let rto_max = self.config.rto_max;
        let Phase::Synced(synced) = &mut self.phase else { return None };
        let pending = fast_of_mut(&mut self.aside)?.opening_mut()?;
        if !pending.offer.is_due() {
            return None;
        }
        let wait = syn_interval(pending.offer.retransmits, 0, rto_max);
        let option = pending.option.take();
        let mut syn_ack = pending.offer.syn(now, Some(&pending.peer), wait, option);
        // RFC 7413 section 4.2.2: it acknowledges the data, too.
        syn_ack.header.acknowledgment = synced.recv.nxt.raw();
        synced.send.counts.resent = synced.send.counts.resent.wrapping_add(syn_ack.resent);
        Some(syn_ack)
    }

    /// RFC 9293 section 3.10.7.4 for SYN-RECEIVED, with RFC 7413's data: what comes before the first acknowledgment.
    pub(super) fn on_segment_fast_opening(&mut self, now: Instant, segment: &mut Segment) -> Option<DropReason> {
        let Phase::Synced(synced) = &self.phase else { return None };
        let (una, nxt) = (synced.send.una, synced.send.nxt);
        let pending = fast_of_mut(&mut self.aside).and_then(FastOpen::opening_mut)?;
        let flags = segment.header.flags;
        let (syn, ack, rst) =
            (flags.contains(TcpFlags::SYN), flags.contains(TcpFlags::ACK), flags.contains(TcpFlags::RST));
        if syn && !ack && !rst && Seq::<Peer>::new(segment.header.sequence) == pending.peer.irs {
            // The SYN again. Its data, if any, are here already.
            if pending.offer.may_answer(now, &self.config) {
                pending.offer.repeat();
            }
            return Some(DropReason::RepeatedSyn);
        }
        if rst || syn || !ack {
            let window = u32::from(segment.header.window);
            return self.on_arrival(now, segment, window);
        }
        let number = Seq::new(segment.header.acknowledgment);
        if number.before(una) || number.after(nxt) {
            // RFC 9293 section 3.5.2, group 2: it acknowledges nothing of ours.
            if let Some(reset) = reset_for(segment) {
                self.say(reset);
            }
            return Some(DropReason::BadHandshakeAck);
        }
        let window = WireWindow(segment.header.window).bytes(synced.send.scale);
        let drop = self.on_arrival(now, segment, window);
        if !matches!(drop, Some(DropReason::Paws | DropReason::OldSequence | DropReason::BeyondWindow)) {
            self.fast_open_complete(now);
        }
        drop
    }

    /// Our SYN-ACK is acknowledged.
    fn fast_open_complete(&mut self, now: Instant) {
        let Some(fast) = fast_of_mut(&mut self.aside) else { return };
        let Role::Opening(pending) = core::mem::replace(&mut fast.role, Role::Server) else { return };
        self.events |= Events::CONNECTED;
        let Phase::Synced(synced) = &mut self.phase else { return };
        if synced.send.rtt.smoothed().is_none()
            && let Some(sample) = pending.offer.first_sample(now)
        {
            let at = Progress { una: synced.send.una, nxt: synced.send.nxt };
            synced.send.rtt.sample(sample, at, self.config.rto_min, self.config.rto_max);
        }
        synced.send.retransmits = 0;
        synced.send.resume_timer(now, &self.config);
        if pending.fin_queued {
            synced.send.finish();
        }
    }

    /// The SYN-ACK has not been acknowledged in time. Linux gives it one more try than one without Fast Open.
    pub(super) fn on_fast_syn_ack_deadline(&mut self, now: Instant) {
        let limit = self.options().syn_cnt.unwrap_or(self.config.synack_retries.saturating_add(1));
        let Phase::Synced(synced) = &mut self.phase else { return };
        let Some(pending) = fast_of_mut(&mut self.aside).and_then(FastOpen::opening_mut) else { return };
        if !pending.offer.timer.is_due(now) {
            return;
        }
        if pending.offer.retransmits >= limit {
            return self.fail(now, ConnError::TimedOut);
        }
        if pending.offer.retransmits == 1 {
            synced.send.lose_flight(now, &self.config);
        }
        pending.offer.retransmits += 1;
        synced.send.retransmits = pending.offer.retransmits;
        synced.send.counts.timeouts = synced.send.counts.timeouts.saturating_add(1);
        pending.offer.repeat();
    }
}
