//! The synchronised phase: one sender, one receiver.
//!
//! Decides what leaves (the pure `plan`) and stamps it. What arrives is decided in `arrival`.

use segue_wire::tcp::{TcpFlags, TcpHeader, TcpOptions};
use segue_wire::{Chunks, Instant};

use crate::config::Config;
use crate::ecn::{Feedback, Leaving};
use crate::options::SocketOptions;
use crate::recv::ack::Owed;
use crate::recv::inbox::Inbox;
use crate::recv::{Cargo, Pace, Receiver, ReceiverStart};
use crate::segment::Transmit;
use crate::send::plan::{Outgoing, Room, SendPlan};
use crate::send::{Sender, SenderStart};
use crate::state::challenge::AnswerLimit;
use crate::state::handshake::{HEADER, TIMESTAMPS_LEN};
use crate::state::{State, halves};
use crate::units::Deadline;

/// Parameters that every step needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) config: &'a Config,
    pub(crate) options: &'a SocketOptions,
}

/// What would leave now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plan {
    /// Nothing before then.
    Wait(Deadline),
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
    /// Path MTU less the IP header.
    pub(crate) mtu_payload: u16,
    pub(super) answers: AnswerLimit,
}

impl Synced {
    pub(crate) fn new(
        now: Instant,
        config: &Config,
        options: &SocketOptions,
        send: &SenderStart,
        recv: &ReceiverStart,
        ecn: Feedback,
        mtu_payload: u16,
    ) -> Synced {
        Synced {
            send: Sender::new(now, config, options, send),
            recv: Receiver::new(now, config, options, recv),
            ecn,
            mtu_payload,
            answers: AnswerLimit::new(),
        }
    }

    /// RFC 9293's name.
    pub(crate) fn state(&self) -> State {
        halves::name(self.send.half, self.recv.half)
    }

    pub(crate) fn pace(&self, config: &Config) -> Pace {
        Pace { srtt: self.send.rtt.smoothed(), rto: self.send.rtt.rto(config.rto_max) }
    }

    /// What to send now, or when to wake: the one place that decides both. Pure.
    pub(crate) fn plan(&self, now: Instant, max_payload: usize, rules: Rules<'_>) -> Plan {
        // Duplicates must be bare to count as such, so they go before data.
        if matches!(self.recv.ack.owed, Owed::Duplicates(_)) {
            return Plan::Ack;
        }
        let room = Room { max_payload, overhead: self.recv.sack_len() };
        let paced = match self.send.plan(now, room, rules.config, rules.options) {
            SendPlan::Nothing => Deadline::NEVER,
            SendPlan::Wait(at) => Deadline::at(at),
            plan => return Plan::Send(plan),
        };
        if self.recv.ack.is_due(now) {
            return Plan::Ack;
        }
        Plan::Wait(paced.min(self.send.timer.deadline()).min(self.recv.ack.deadline()).min(self.orphan_deadline()))
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
        let is_new = matches!(plan, Plan::Send(SendPlan::New { len, .. }) if len > 0);
        let leaving = if is_new { Leaving::NewData } else { Leaving::Other };
        let outgoing = match plan {
            Plan::Wait(_) => return None,
            Plan::Ack => self.bare_acknowledgment(),
            Plan::Send(plan) => self.send.commit(now, plan, rules.config)?,
        };
        self.send.pace(now, outgoing.payload.len() as u32, rules.config, rules.options);
        let cargo = match plan {
            Plan::Send(SendPlan::Again(_)) => Cargo::OldText,
            Plan::Send(SendPlan::New { .. }) => Cargo::Text,
            _ => Cargo::None,
        };
        if !outgoing.payload.is_empty() {
            self.recv.ack.on_data_sent(now);
        }
        let resent = self.send.counts.resent.wrapping_sub(resent_before);
        Some(Transmit { resent, ..self.stamp(now, outgoing, inbox, cargo, leaving) })
    }

    fn stamp(&mut self, now: Instant, outgoing: Outgoing, inbox: &Inbox, cargo: Cargo, leaving: Leaving) -> Transmit {
        let stamp = self.recv.stamp(now, inbox, cargo, &mut self.send.journal);
        let options = TcpOptions { timestamps: stamp.timestamps, sack: stamp.sack, ..TcpOptions::default() }.emit();
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
        Transmit { header, options, payload: outgoing.payload, segment_size, resent: 0, ecn }
    }

    /// The sender's part of a segment without text. As on Linux, the urgent pointer stands in these, too.
    fn bare_acknowledgment(&self) -> Outgoing {
        let sequence = self.send.ack_sequence();
        let mut outgoing =
            Outgoing { sequence, payload: Chunks::new(), segment_size: 0, flags: TcpFlags::ACK, urgent: 0 };
        self.send.point_at_urgent(&mut outgoing);
        outgoing
    }

    /// An acknowledgment outside the plan, for the last segment of a phase.
    pub(crate) fn acknowledge(&mut self, now: Instant, inbox: &Inbox) -> Transmit {
        let outgoing = self.bare_acknowledgment();
        self.stamp(now, outgoing, inbox, Cargo::None, Leaving::Other)
    }

    /// The reset that ends this connection from our side (RFC 9293 section 3.5.2): SND.NXT, and an
    /// acknowledgment as every segment of the phase has.
    pub(crate) fn reset(&mut self, now: Instant, inbox: &Inbox) -> Transmit {
        let mut reset = self.acknowledge(now, inbox);
        reset.header.flags = TcpFlags::RST | TcpFlags::ACK;
        reset.header.urgent = 0;
        reset
    }

    /// Path MTU less the IP header has become `mtu_payload`.
    pub(crate) fn shrink_path(&mut self, mtu_payload: u16, config: &Config) {
        self.mtu_payload = self.mtu_payload.min(mtu_payload);
        let stamp = if self.recv.clocks.is_some() { TIMESTAMPS_LEN } else { 0 };
        let least = config.min_snd_mss.saturating_sub(stamp).max(1);
        self.send.shrink_mss(mtu_payload.saturating_sub(HEADER + stamp).max(least));
    }
}
