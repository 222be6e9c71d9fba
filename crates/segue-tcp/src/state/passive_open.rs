//! SYN-RECEIVED of a passive open: an entry in a listener's SYN queue.
//!
//! Small and without buffers, so that a SYN costs little; data that come before the
//! handshake is over are not acknowledged and come again. Owns RFC 9293 section 3.10.7.4 for
//! SYN-RECEIVED reached from LISTEN, and how long it lasts (`tcp_synack_retries`, `TCP_SYNCNT`,
//! `TCP_DEFER_ACCEPT`). Whether the listener has room is the listener's affair.

use alloc::sync::Arc;
use core::time::Duration;

use segue_wire::Instant;
use segue_wire::tcp::{FastOpenCookie, TcpFlags};

use crate::config::Config;
use crate::conn::user_timeout::with_option;
use crate::conn::{Connection, Open};
use crate::drop::DropReason;
use crate::ecn;
use crate::event::Outcome;
use crate::fastopen::SynAckPending;
use crate::info::{Timer, TimerKind};
use crate::options::SocketOptions;
use crate::segment::{Segment, Transmit};
use crate::state::handshake::{Offer, PeerSyn, Screened, screen, syn_interval};
use crate::state::reset::reset_for;
use crate::units::{Deadline, Seq};

/// SYN-RECEIVED of a passive open: small, without buffers; lives in a listener's SYN queue.
#[derive(Clone, Debug)]
pub struct PassiveOpen {
    pub(super) offer: Offer,
    pub(super) peer: PeerSyn,
    /// The peer has acknowledged our SYN and is kept waiting: for its data, or for room.
    acknowledged: bool,
}

/// What a segment or a deadline did to a passive open.
#[derive(Debug)]
#[must_use]
pub enum PassiveOutcome {
    /// Nothing to do.
    Nothing,
    /// `poll_transmit` has a SYN-ACK.
    Transmit,
    /// Send this; the entry stays and the segment was dropped.
    Reply(Transmit),
    /// The handshake is complete: `into_connection` when there is room, with this segment.
    Complete,
    /// The entry is over: reset by the peer.
    Remove(DropReason),
    /// The entry is over, overtaken by another SYN; send this.
    Overtaken(Transmit),
    /// The segment was dropped.
    Drop(DropReason),
    /// Retries are exhausted; the entry is over.
    GiveUp,
}

impl PassiveOpen {
    /// A SYN for a listener. The SYN-ACK leaves by `poll_transmit`. Text in the SYN is not taken.
    pub fn on_syn(now: Instant, config: &Config, options: &SocketOptions, syn: &Segment, open: Open) -> PassiveOpen {
        let peer = PeerSyn::read(syn).with_room_for_sack(config, options);
        PassiveOpen::answer(now, config, options, syn, peer, open)
    }

    /// The answer to a SYN that said so much.
    pub(super) fn answer(
        now: Instant,
        config: &Config,
        options: &SocketOptions,
        syn: &Segment,
        peer: PeerSyn,
        open: Open,
    ) -> PassiveOpen {
        let mut offer = Offer::new(now, config, options, open).answering(config, options, &peer);
        offer.ecn = ecn::Handshake::grant(config, syn);
        PassiveOpen { offer, peer, acknowledged: false }
    }

    /// A handshake whose SYN-ACK nobody kept.
    pub(super) fn remembered(offer: Offer, peer: PeerSyn) -> PassiveOpen {
        PassiveOpen { offer, peer, acknowledged: false }
    }

    /// How many timeouts a SYN-ACK is given: `TCP_SYNCNT` of the listener, or else `tcp_synack_retries`. A listener that
    /// is short of room may be less patient.
    pub fn retries(config: &Config, options: &SocketOptions) -> u8 {
        options.syn_cnt.unwrap_or(config.synack_retries)
    }

    /// The SYN-ACK, first and repeated.
    pub fn poll_transmit(&mut self, now: Instant, config: &Config) -> Option<Transmit> {
        self.poll_with_cookie(now, config, None)
    }

    /// The SYN-ACK with a Fast Open cookie for the peer's next connection (RFC 7413 section 4.2.2). Not repeated with it.
    pub fn poll_with_cookie(
        &mut self,
        now: Instant,
        config: &Config,
        cookie: Option<FastOpenCookie>,
    ) -> Option<Transmit> {
        if !self.offer.is_due() {
            return None;
        }
        let wait = self.wait(config);
        let syn_ack = self.offer.syn(now, Some(&self.peer), wait, cookie);
        if !config.user_timeout_option {
            return Some(syn_ack);
        }
        // RFC 5482 section 3. The peer's own is not kept: it comes again with its first segment after the SYN.
        let time = config.advertised_user_timeout(&SocketOptions::DEFAULT);
        Some(with_option(syn_ack, time).unwrap_or_else(|syn_ack| syn_ack))
    }

    /// As `ss -o` shows it.
    pub fn timer(&self) -> Option<Timer> {
        let at = self.offer.timer.instant()?;
        Some(Timer { kind: TimerKind::Retransmission, at, expired: self.offer.retransmits })
    }

    /// When `on_deadline` wants to be called; `None` while `poll_transmit` has a SYN-ACK.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.offer.timer.instant()
    }

    /// The deadline has come: repeats the SYN-ACK, or gives up after `retries` timeouts ([`PassiveOpen::retries`]).
    ///
    /// While the listener waits for data (`TCP_DEFER_ACCEPT`) and the peer has acknowledged our SYN, nothing is sent until
    /// that time is nearly over; the SYN-ACK then asks for data or a last acknowledgment.
    pub fn on_deadline(
        &mut self,
        now: Instant,
        config: &Config,
        options: &SocketOptions,
        retries: u8,
    ) -> PassiveOutcome {
        if !self.offer.timer.is_due(now) {
            return PassiveOutcome::Nothing;
        }
        let (timeouts, deferred) = (self.offer.retransmits, options.defer_accept.timeouts());
        let waits = deferred > 0 && self.acknowledged;
        if timeouts >= retries && (!waits || timeouts >= deferred) {
            return PassiveOutcome::GiveUp;
        }
        self.offer.retransmits += 1;
        if waits && timeouts + 1 < deferred {
            self.offer.timer = Deadline::at(now + self.wait(config));
            return PassiveOutcome::Nothing;
        }
        self.offer.repeat();
        PassiveOutcome::Transmit
    }

    /// How long to wait for an answer to the SYN-ACK.
    fn wait(&self, config: &Config) -> Duration {
        syn_interval(self.offer.retransmits, 0, config.rto_max)
    }

    /// A segment for this 4-tuple has arrived. `options` are the listener's.
    pub fn on_segment(
        &mut self,
        now: Instant,
        config: &Config,
        options: &SocketOptions,
        segment: &Segment,
    ) -> PassiveOutcome {
        match self.screen(now, segment) {
            Screened::Complete if self.is_deferred(options, segment) => {
                self.acknowledged = true;
                PassiveOutcome::Drop(DropReason::DeferAccept)
            }
            Screened::Complete => PassiveOutcome::Complete,
            Screened::Repeat if self.offer.may_answer(now, config) => {
                self.peer.on_repeat(segment);
                if !self.offer.ecn.on_repeated_syn(segment) {
                    let mut reset = self.offer.acknowledge(now, &self.peer);
                    reset.header.flags.insert(TcpFlags::RST);
                    return PassiveOutcome::Overtaken(reset);
                }
                self.offer.repeat();
                PassiveOutcome::Transmit
            }
            Screened::Repeat => PassiveOutcome::Drop(DropReason::RepeatedSyn),
            Screened::Challenge(_) if self.offer.may_answer(now, config) => {
                PassiveOutcome::Reply(self.offer.acknowledge(now, &self.peer))
            }
            Screened::Challenge(reason) | Screened::Drop(reason) => PassiveOutcome::Drop(reason),
            // RFC 9293 section 3.5.2, group 2.
            Screened::Refuse => match reset_for(segment) {
                Some(reset) => PassiveOutcome::Reply(reset),
                None => PassiveOutcome::Drop(DropReason::BadHandshakeAck),
            },
            // Back to LISTEN.
            Screened::Reset => PassiveOutcome::Remove(DropReason::Reset),
            // RFC 9293 section 3.10.7.4, fourth: back to LISTEN. As Linux, the peer is told.
            Screened::NewSyn => match reset_for(segment) {
                Some(reset) => PassiveOutcome::Overtaken(reset),
                None => PassiveOutcome::Remove(DropReason::ChallengedSyn),
            },
        }
    }

    fn screen(&self, now: Instant, segment: &Segment) -> Screened {
        let screened = screen(&self.offer, &self.peer, now, segment, false);
        if matches!(screened, Screened::Repeat | Screened::Refuse) || self.offer.has_sent_echo(segment) {
            return screened;
        }
        // As Linux: whoever has not seen our SYN-ACK does not know our clock.
        match segment.has(TcpFlags::RST) {
            true => Screened::Drop(DropReason::EchoRefused),
            false => Screened::Challenge(DropReason::EchoRefused),
        }
    }

    /// tcp(7), `TCP_DEFER_ACCEPT`: an acknowledgment without text or FIN does not make a connection yet.
    fn is_deferred(&self, options: &SocketOptions, segment: &Segment) -> bool {
        let bare = Seq::new(segment.header.sequence) + segment.sequence_len() == self.peer.irs + 1;
        bare && self.offer.retransmits < options.defer_accept.timeouts()
    }

    /// There was no room for the complete connection: the entry stays, and the peer tries again.
    pub fn keep_waiting(&mut self) {
        self.acknowledged = true;
    }

    /// After `Complete`: the connection, which takes the segment (its data, its FIN).
    pub fn into_connection(
        self,
        now: Instant,
        config: Arc<Config>,
        options: SocketOptions,
        segment: Segment,
    ) -> (Connection, Outcome) {
        let synced = self.offer.synchronise(now, &config, &options, &self.peer, &segment, 0);
        Connection::established(now, config, options, synced, segment)
    }

    /// Instead of a handshake: the SYN has a good cookie (RFC 7413 section 4.2.2), and the connection exists from now on, in
    /// SYN-RECEIVED and with the SYN's data. Its SYN-ACK leaves by `poll_transmit`, the first time with `option`.
    pub fn into_fast_connection(
        self,
        now: Instant,
        config: Arc<Config>,
        options: SocketOptions,
        syn: &Segment,
        option: Option<FastOpenCookie>,
    ) -> Connection {
        let pending = SynAckPending { offer: self.offer, peer: self.peer, option, fin_queued: false };
        Connection::fast_opened(now, config, options, pending, syn)
    }

    /// Initial sequence numbers: ours, the peer's.
    pub fn initial_numbers(&self) -> (u32, u32) {
        (self.offer.iss.raw(), self.peer.irs.raw())
    }

    /// SYN-ACKs sent again so far.
    pub fn retransmits(&self) -> u8 {
        self.offer.retransmits
    }
}
