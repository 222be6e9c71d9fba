//! A segment has arrived: which phase takes it, and which phase follows from its answer.
//!
//! Does not decide what a segment means in a phase: `state::syn_sent`, `state::handshake`, `state::synced` and the
//! TIME-WAIT entry do.

use segue_wire::Instant;

use super::{Connection, DEFAULT_OPTIONS, Phase};
use crate::drop::DropReason;
use crate::ecn::Haste;
use crate::error::ConnError;
use crate::event::{Events, Outcome};
use crate::segment::Segment;
use crate::state::TimeWaitOutcome;
use crate::state::arrival::{Arrival, Verdict};
use crate::state::handshake::{Screened, screen};
use crate::state::reset_for;
use crate::state::syn_received::{Ending, SynReceived};
use crate::state::syn_sent::Answer;
use crate::state::synced::Rules;
use crate::units::WireWindow;

impl Connection {
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
            // RFC 9293 section 3.10.4: with its FIN sent this is FIN-WAIT-1, where nothing is refused any more.
            Screened::Repeat if open.has_finished() => self.challenge_opening(now, DropReason::ChallengedSyn),
            Screened::Refuse if open.has_finished() => self.challenge_opening(now, DropReason::BadHandshakeAck),
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
            let reply = open.acknowledge(now);
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

    pub(super) fn on_arrival(&mut self, now: Instant, segment: &mut Segment, window: u32) -> Option<DropReason> {
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
}
