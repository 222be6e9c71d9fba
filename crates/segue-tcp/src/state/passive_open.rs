//! SYN-RECEIVED of a passive open: an entry in a listener's SYN queue.
//!
//! Small and without buffers, so that a SYN costs little; data that come before the
//! handshake is over are not acknowledged and come again. Owns RFC 9293 section 3.10.7.4 for
//! SYN-RECEIVED reached from LISTEN.

use alloc::sync::Arc;

use segue_wire::Instant;

use crate::config::Config;
use crate::conn::{Connection, Open};
use crate::drop::DropReason;
use crate::event::Outcome;
use crate::options::SocketOptions;
use crate::segment::{Segment, Transmit};
use crate::state::handshake::{Offer, PeerSyn, Screened, screen, syn_interval};
use crate::state::reset::reset_for;

/// SYN-RECEIVED of a passive open: small, without buffers; lives in a listener's SYN queue.
#[derive(Clone, Debug)]
pub struct PassiveOpen {
    offer: Offer,
    peer: PeerSyn,
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
    /// The entry is over: reset by the peer, or overtaken by another SYN.
    Remove(DropReason),
    /// The segment was dropped.
    Drop(DropReason),
    /// Retries are exhausted; the entry is over.
    GiveUp,
}

impl PassiveOpen {
    /// A SYN for a listener. The SYN-ACK leaves by `poll_transmit`. Text in the SYN is not taken.
    pub fn on_syn(now: Instant, config: &Config, options: &SocketOptions, syn: &Segment, open: Open) -> PassiveOpen {
        PassiveOpen { offer: Offer::new(now, config, options, open), peer: PeerSyn::read(syn) }
    }

    /// The SYN-ACK, first and repeated.
    pub fn poll_transmit(&mut self, now: Instant, config: &Config) -> Option<Transmit> {
        if !self.offer.is_due() {
            return None;
        }
        let wait = syn_interval(self.offer.retransmits, 0, config.rto_max);
        Some(self.offer.syn(now, Some(&self.peer), wait))
    }

    /// When `on_deadline` wants to be called; `None` while `poll_transmit` has a SYN-ACK.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.offer.timer.instant()
    }

    /// The deadline has come: repeats the SYN-ACK or gives up after `tcp_synack_retries`.
    pub fn on_deadline(&mut self, now: Instant, config: &Config) -> PassiveOutcome {
        if !self.offer.timer.is_due(now) {
            return PassiveOutcome::Nothing;
        }
        if self.offer.retransmits >= config.synack_retries {
            return PassiveOutcome::GiveUp;
        }
        self.offer.retransmits += 1;
        self.offer.repeat();
        PassiveOutcome::Transmit
    }

    /// A segment for this 4-tuple has arrived.
    pub fn on_segment(&mut self, now: Instant, config: &Config, segment: &Segment) -> PassiveOutcome {
        match screen(&self.offer, &self.peer, now, segment) {
            Screened::Complete => PassiveOutcome::Complete,
            Screened::Repeat if self.offer.may_answer(now, config) => {
                self.peer.on_repeat(segment);
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
            Screened::NewSyn => PassiveOutcome::Remove(DropReason::ChallengedSyn),
        }
    }

    /// After `Complete`: the connection, which takes the segment (its data, its FIN).
    pub fn into_connection(
        self,
        now: Instant,
        config: Arc<Config>,
        options: SocketOptions,
        segment: Segment,
    ) -> (Connection, Outcome) {
        let synced = self.offer.synchronise(now, &config, &options, &self.peer, &segment);
        Connection::established(now, config, options, synced, segment)
    }

    /// SYN-ACKs sent again so far.
    pub fn retransmits(&self) -> u8 {
        self.offer.retransmits
    }
}
