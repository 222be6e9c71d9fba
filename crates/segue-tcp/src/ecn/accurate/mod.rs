//! Accurate ECN: every mark is told, as a count of packets and, where options pass, of bytes.
//!
//! Joins what we tell (`report`) and what we are told (`reading`), and decides what a path that interferes costs: no
//! ECT, no option, no trust. Owns RFC 9768 sections 3.2.2.1 (third segment), 3.2.2.4 (ACE zeroed) and the consequences
//! in 3.2.3.2. As on Linux every segment of such a connection is ECT(0), acknowledgments and repetitions included: they
//! are counted and answered like the rest.

mod reading;
mod report;

use bitflags::bitflags;
use segue_wire::tcp::{AccEcn, AccEcnOrder, TcpFlags};
use segue_wire::{Ecn, Instant};

use super::handshake::is_intact;
use super::{Codepoints, EcnAck, Handshake, Haste};
use crate::segment::Segment;
use crate::units::{Peer, Seq};
pub(crate) use reading::{OptionSeen, Reading};
pub(crate) use report::{Fit, Report, fit};

/// RFC 9768 section 3.2.1: what the counter of marked packets begins with.
const FIRST_ACE: u8 = 5;

/// The option with its first `fields` counters in Linux's order (ECT(1), CE, ECT(0)). `bytes` were counted from 0; on
/// the wire ECT(0) and ECT(1) begin with 1, so that a zero shows that somebody has erased them.
pub(super) fn option(fields: u8, bytes: [u32; 3]) -> AccEcn {
    let field = |n: u8, value: u32| (n < fields).then_some(value & 0xff_ffff);
    let [ect1, ect0, ce] = bytes;
    AccEcn {
        order: AccEcnOrder::Ect1First,
        ect1_bytes: field(0, ect1.wrapping_add(1)),
        ce_bytes: field(1, ce),
        ect0_bytes: field(2, ect0.wrapping_add(1)),
    }
}

bitflags! {
    /// What cannot be relied upon; the numbers are those of `tcpi_accecn_fail_mode`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub(crate) struct Failures: u8 {
        /// The peer was told that we do not take part, or has told so: nothing of ours is ECT.
        const ACE_SENT = 1;
        /// What the peer tells in the header is not to be trusted, or the path changes what we mark.
        const ACE_READ = 2;
        /// Options of ours are lost on the way.
        const OPTION_SENT = 4;
        /// Options of the peer do not arrive, or are erased.
        const OPTION_READ = 8;
    }
}

/// Which segment comes first, and what of it is the handshake's and not the counters'.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum First {
    /// The SYN-ACK: it is told by the code of its own, and its ACE bits are no counter.
    SynAck,
    /// The acknowledgment of our SYN-ACK.
    Acknowledgment,
    /// It has come; its bits are no counter.
    Shown,
    Past,
}

#[derive(Clone, Debug)]
pub(crate) struct Accurate {
    report: Report,
    reading: Reading,
    failures: Failures,
    first: First,
    /// `tcp_ecn_fallback`: what the path does to our marks has consequences.
    checks_path: bool,
    /// How the peer's SYN-ACK arrived: what answers a repetition of it says it again.
    heard: Ecn,
    /// The option left beside a report of this duplicate: should the duplicate come again, the option was lost.
    with_duplicate: Option<Seq<Peer>>,
}

impl Accurate {
    /// An active open: `answer` is the SYN-ACK (or, of a simultaneous open, what acknowledged ours).
    pub(super) fn client(now: Instant, handshake: Handshake, answer: &Segment) -> Accurate {
        let mut accurate = Accurate::new(now, handshake, First::SynAck);
        accurate.see_option(answer.options.accecn);
        if answer.options.accecn.is_some() {
            accurate.report.demand(2);
        }
        // RFC 9768 section 3.2.2.1: the acknowledgment says how the SYN-ACK arrived, and a mark on it counts.
        accurate.report.reflect(handshake.heard);
        if handshake.heard == Ecn::Ce && handshake.may_mark {
            accurate.report.count_syn_ack();
        }
        accurate
    }

    /// A passive open. The peer's first segment will tell how our SYN-ACK arrived.
    pub(super) fn server(now: Instant, handshake: Handshake) -> Accurate {
        let mut accurate = Accurate::new(now, handshake, First::Acknowledgment);
        accurate.report.demand(1);
        accurate
    }

    fn new(now: Instant, handshake: Handshake, first: First) -> Accurate {
        let failures = if handshake.may_mark { Failures::empty() } else { Failures::ACE_READ };
        Accurate {
            report: Report::new(now, handshake.heard),
            reading: Reading::default(),
            failures,
            first,
            checks_path: handshake.fallback,
            heard: handshake.heard,
            with_duplicate: None,
        }
    }

    fn see_option(&mut self, option: Option<AccEcn>) {
        if let Some(option) = option
            && !self.reading.see(&option)
        {
            self.failures |= Failures::OPTION_READ;
        }
    }

    /// A segment has passed the checks of RFC 9293 and RFC 5961. `len`: its payload; `segments`: how many it stands for.
    pub(super) fn on_segment(&mut self, segment: &Segment) -> Haste {
        match self.first {
            First::SynAck => return Haste::None,
            First::Acknowledgment => {
                self.first = First::Shown;
                self.read_third(segment);
            }
            First::Shown | First::Past => {}
        }
        self.report.count(segment.ecn, segment.payload.len() as u32, segment.wire_segments())
    }

    /// The third segment of the handshake.
    fn read_third(&mut self, segment: &Segment) {
        self.see_option(segment.options.accecn);
        let bare = segment.payload.is_empty() && !segment.has(TcpFlags::FIN);
        let plain = segment.options.sack.is_empty();
        match segment.header.flags.ace() {
            // Section 3.2.2.4: no client that knows AccECN says that.
            0b000 if plain => {
                self.failures |= Failures::ACE_READ | Failures::OPTION_READ;
                self.reading.ignore();
            }
            // Table 4: how our SYN-ACK arrived, when nothing else goes with it.
            code if bare && plain && self.checks_path && !is_intact(code) => self.failures |= Failures::ACE_READ,
            _ => {}
        }
    }

    /// The peer's SYN-ACK has come again (RFC 9768 section 3.2.2.1).
    pub(super) fn on_repeated_syn_ack(&mut self, option: Option<AccEcn>) {
        self.report.reflect(self.heard);
        if option.is_some() && !self.reading.has_counters() {
            self.see_option(option);
            self.report.demand(1);
        }
    }

    /// An acknowledgment has been settled; gives how many more packets were marked.
    pub(super) fn on_ack(&mut self, ack: &EcnAck) -> u32 {
        match core::mem::replace(&mut self.first, First::Past) {
            First::Past => self.reading.read(ack, &mut self.failures),
            First::SynAck | First::Acknowledgment | First::Shown => 0,
        }
    }

    /// Text has come again that was reported as a duplicate before (D-SACK).
    pub(super) fn on_duplicate(&mut self, start: Seq<Peer>) {
        if self.with_duplicate == Some(start) {
            // RFC 9768 section 3.2.3.2.2: it seems that acknowledgments with the option do not get there.
            self.failures |= Failures::OPTION_SENT;
        }
    }

    /// Marks a segment that leaves. `alone`: it carries neither text nor SACK blocks.
    pub(super) fn mark(&mut self, alone: bool, flags: &mut TcpFlags) -> Ecn {
        *flags = flags.with_ace(self.report.ace(alone));
        let distrusted = self.failures.intersects(Failures::ACE_SENT | Failures::ACE_READ);
        if distrusted { Ecn::NotEct } else { Ecn::Ect0 }
    }

    /// The option for the next segment, when it is to have one: `mode` is `tcp_ecn_option`, `due` that its beacon
    /// (`tcp_ecn_option_beacon`) wants one. `room` is what other options leave, `blocks` SACK blocks counted in.
    pub(super) fn plan_option(&self, mode: u8, due: bool, room: usize, blocks: usize) -> Option<Fit> {
        let wanted = mode >= 2 || (mode == 1 && (self.report.is_demanded() || due));
        let useful = self.reading.seen() != OptionSeen::Never && !self.failures.contains(Failures::OPTION_SENT);
        if wanted && useful { fit(self.report.least(), room, if blocks > 0 { 2 } else { 0 }, blocks) } else { None }
    }

    /// The option leaves. `duplicate`: the segment reports a duplicate, too.
    pub(super) fn take_option(&mut self, now: Instant, fields: u8, duplicate: Option<Seq<Peer>>) -> AccEcn {
        self.with_duplicate = duplicate;
        self.report.option_sent(now);
        option(fields, self.report.bytes())
    }

    /// A segment leaves without the option.
    pub(super) fn no_option(&mut self) {
        self.with_duplicate = None;
    }

    pub(super) fn option_sent_at(&self) -> Instant {
        self.report.option_sent_at()
    }

    pub(super) fn has_seen(&self) -> bool {
        self.report.has_seen()
    }

    /// For `TCP_INFO`.
    pub(super) fn codepoints(&self) -> Codepoints {
        Codepoints {
            told: self.reading.marked(),
            counted: self.report.marked(),
            received: self.report.bytes(),
            delivered: self.reading.bytes(),
            failures: self.failures.bits(),
            option: self.reading.seen() as u8,
        }
    }
}
