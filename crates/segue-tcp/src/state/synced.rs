//! The synchronised phase: one sender, one receiver.
//!
//! Decides what leaves (the pure `plan`) and stamps it. What arrives is decided in `arrival`.

use segue_wire::Instant;
use segue_wire::tcp::{MAX_OPTIONS_LEN, TcpFlags, TcpHeader, TcpOptions};

use crate::auth::Signature;
use crate::config::Config;
use crate::ecn::{self, Feedback, Leaving};
use crate::options::SocketOptions;
use crate::recv::ack::Owed;
use crate::recv::inbox::Inbox;
use crate::recv::{Cargo, Pace, Receiver, ReceiverStart};
use crate::segment::Transmit;
use crate::send::plan::{Outgoing, Room, SendPlan};
use crate::send::{Sender, SenderStart};
use crate::state::challenge::AnswerLimit;
use crate::state::handshake::TIMESTAMPS_LEN;
use crate::state::{State, halves};
use crate::units::Deadline;

/// A block of selective acknowledgment, and what stands in front of the first.
const SACK_BLOCK: usize = 8;
const SACK_HEAD: usize = 4;

/// Parameters that every step needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) config: &'a Config,
    pub(crate) options: &'a SocketOptions,
    /// Pages of memory that the connection is charged.
    pub(crate) held: u32,
}

/// What would leave now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plan {
    /// Nothing before then.
    Wait(Deadline),
    /// The same, because new data had better wait to leave with more.
    PutOff(Deadline),
    /// An acknowledgment and nothing else.
    Ack,
    /// What the sending half wants.
    Send(SendPlan),
}

#[derive(Debug)]
pub(crate) struct Synced {
    pub(crate) send: Sender,
    pub(crate) recv: Receiver,
    pub(crate) ecn: Feedback,
    pub(super) answers: AnswerLimit,
}

impl Synced {
    pub(crate) fn new(
        now: Instant,
        config: &Config,
        options: &SocketOptions,
        send: SenderStart,
        recv: &ReceiverStart,
        ecn: Feedback,
    ) -> Synced {
        Synced {
            send: Sender::new(now, config, options, send),
            recv: Receiver::new(now, config, options, recv),
            ecn,
            answers: AnswerLimit::new(),
        }
    }

    /// RFC 9293's name.
    pub(crate) fn state(&self) -> State {
        halves::name(self.send.half, self.recv.half)
    }

    pub(crate) fn pace(&self, config: &Config) -> Pace {
        Pace {
            srtt: self.send.rtt.smoothed(),
            rto: self.send.rtt.rto(config.rto_max),
            charge: self.send.charge() as usize,
        }
    }

    /// What to send now, or when to wake: the one place that decides both. Pure.
    pub(crate) fn plan(&self, now: Instant, max_payload: usize, rules: Rules<'_>) -> Plan {
        // As on Linux these leave by themselves.
        if self.recv.ack.challenge || self.recv.ack.owed == Owed::Alone {
            return Plan::Ack;
        }
        let sending = self.plan_sending(now, max_payload, rules);
        let paced = match sending {
            SendPlan::Nothing | SendPlan::Deferred => Deadline::NEVER,
            SendPlan::Wait(at) => Deadline::at(at),
            plan => return Plan::Send(plan),
        };
        if self.recv.ack.is_due(now) {
            return Plan::Ack;
        }
        let until = paced.min(self.send.timer.deadline()).min(self.recv.ack.deadline()).min(self.orphan_deadline());
        if sending == SendPlan::Deferred { Plan::PutOff(until) } else { Plan::Wait(until) }
    }

    fn plan_sending(&self, now: Instant, max_payload: usize, rules: Rules<'_>) -> SendPlan {
        // Who only receives is asked for each segment that comes.
        if self.send.has_nothing_to_send() {
            return SendPlan::Nothing;
        }
        let room = Room {
            max_payload,
            overhead: self.overhead(now, rules),
            blocks: self.recv.sack_len(rules.options.signature) > 0,
        };
        self.send.plan(now, room, rules.config, rules.options)
    }

    /// Bytes of options that the next segment with new text has beside those of every segment.
    pub(crate) fn overhead(&self, now: Instant, rules: Rules<'_>) -> u16 {
        let sack = self.recv.sack_len(rules.options.signature);
        let growth = self.plan_accecn(now, rules, usize::from(sack), MAX_OPTIONS_LEN).map_or(0, |fit| fit.growth);
        sack.saturating_add_signed(growth as i16)
    }

    /// The AccECN option beside `sack` bytes of selective acknowledgment, into at most `most` bytes more.
    fn plan_accecn(&self, now: Instant, rules: Rules<'_>, sack: usize, most: usize) -> Option<ecn::Fit> {
        if !self.ecn.has_option() {
            return None;
        }
        let stamps = if self.recv.clocks.is_some() { usize::from(TIMESTAMPS_LEN) } else { 0 };
        let signature = usize::from(rules.options.signature.len());
        let room = MAX_OPTIONS_LEN.saturating_sub(stamps + signature + sack).min(most);
        self.ecn.plan_option(now, self.send.rtt.smoothed(), rules.config, room, sack / SACK_BLOCK)
    }

    /// An orphan has to send something again: whether the stack has none to spare for it. As Linux, the sooner the longer
    /// nothing has left, and when ICMP has said that something is wrong.
    pub(crate) fn is_one_too_many(&self, now: Instant, doubted: bool, rules: Rules<'_>) -> bool {
        let silent = now - self.send.last_sent > rules.config.rto_max * 2;
        let doubts = u32::from(silent) + u32::from(doubted);
        rules.config.memory.is_out(self.send.charge() as usize, doubts)
    }

    /// When an orphan stops waiting for the peer's FIN.
    pub(crate) fn orphan_deadline(&self) -> Deadline {
        match self.send.half {
            halves::LocalHalf::FinAcked { until } => until,
            _ => Deadline::NEVER,
        }
    }

    /// Makes `plan` so; the receiver stamps what leaves.
    pub(crate) fn commit(&mut self, now: Instant, plan: Plan, inbox: &Inbox, rules: Rules<'_>) -> Option<Transmit> {
        let resent_before = self.send.counts.resent;
        let outgoing = match plan {
            Plan::Wait(_) => return None,
            Plan::PutOff(_) => {
                self.send.put_off();
                return None;
            }
            Plan::Ack => self.send.acknowledgment(),
            Plan::Send(plan) => self.send.commit(now, plan, rules.config)?,
        };
        self.send.pace(now, outgoing.payload.len() as u32, rules.config, rules.options);
        let cargo = match plan {
            Plan::Send(SendPlan::Again(_)) => {
                let text = outgoing.payload.len().min(outgoing.segment_size as usize);
                Cargo::OldText { room: self.send.mss.saturating_sub(text as u16) }
            }
            Plan::Send(SendPlan::New { .. }) => Cargo::Text,
            _ => Cargo::None,
        };
        if !outgoing.payload.is_empty() {
            self.recv.ack.on_data_sent(now);
        }
        let resent = self.send.counts.resent.wrapping_sub(resent_before);
        Some(Transmit { resent, ..self.stamp(now, outgoing, inbox, cargo, rules) })
    }

    fn stamp(&mut self, now: Instant, outgoing: Outgoing, inbox: &Inbox, cargo: Cargo, rules: Rules<'_>) -> Transmit {
        let duplicate = self.recv.duplicate_to_tell();
        let stamp = self.recv.stamp(now, inbox, cargo, rules, &mut self.send.journal);
        let mut options = TcpOptions { timestamps: stamp.timestamps, sack: stamp.sack, ..TcpOptions::default() };
        // Text takes what room it was planned with; what is sent again may have been longer then.
        let sack_len = options.sack.len() * SACK_BLOCK + if options.sack.is_empty() { 0 } else { SACK_HEAD };
        let text = outgoing.payload.len().min(outgoing.segment_size as usize);
        let most = usize::from(self.send.mss).saturating_sub(text + if text > 0 { sack_len } else { 0 });
        let most = if text > 0 { most } else { MAX_OPTIONS_LEN };
        let fit = self.plan_accecn(now, rules, sack_len, most);
        if let Some(fit) = fit {
            options.sack.truncate(fit.blocks);
        }
        options.accecn = self.ecn.take_option(now, fit, duplicate.filter(|_| !options.sack.is_empty()));
        let leaving = match cargo {
            Cargo::Text if text > 0 => Leaving::NewData,
            Cargo::None if options.sack.is_empty() => Leaving::Alone,
            _ => Leaving::Other,
        };
        let mut flags = outgoing.flags;
        let ecn = self.ecn.mark(leaving, &mut self.send.reduced, &mut flags);
        let header = TcpHeader {
            sequence: outgoing.sequence.raw(),
            acknowledgment: stamp.acknowledgment.raw(),
            flags,
            window: stamp.window.0,
            urgent: outgoing.urgent,
            ..TcpHeader::default()
        };
        let segment_size = u16::try_from(outgoing.segment_size).unwrap_or(u16::MAX);
        let wire = outgoing.payload.len().div_ceil(usize::from(segment_size).max(1)).max(1) as u32;
        self.send.counts.segments = self.send.counts.segments.wrapping_add(wire);
        Transmit {
            header,
            options: options.emit(),
            payload: outgoing.payload,
            segment_size,
            resent: 0,
            ecn,
            segmentation: self.ecn.segmentation(),
        }
    }

    /// An acknowledgment outside the plan, for the last segment of a phase.
    pub(crate) fn acknowledge(&mut self, now: Instant, inbox: &Inbox, rules: Rules<'_>) -> Transmit {
        let outgoing = self.send.acknowledgment();
        self.stamp(now, outgoing, inbox, Cargo::None, rules)
    }

    /// The reset that ends this connection from our side (RFC 9293 section 3.5.2): SND.NXT, and an
    /// acknowledgment as every segment of the phase has.
    pub(crate) fn reset(&mut self, now: Instant, inbox: &Inbox, rules: Rules<'_>) -> Transmit {
        let mut reset = self.acknowledge(now, inbox, rules);
        reset.header.flags.insert(TcpFlags::RST);
        reset
    }

    /// The signature of an open connection is another one. What it has left free is not taken back by the text.
    pub(crate) fn change_signature(&mut self, old: Signature, new: Signature, config: &Config) {
        self.send.reserve(new.len().saturating_sub(old.len()), config);
    }
}
