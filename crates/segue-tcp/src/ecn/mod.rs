//! Explicit congestion notification: what a connection feeds back and how it marks what it sends.
//!
//! Decides the ECN bits of both headers and the AccECN option of every segment after the handshake, and what those of
//! arriving segments mean. Does not decide how far the window falls (the controller's) nor when a reduction is over
//! (recovery's).

mod accurate;
mod classic;
mod handshake;
mod policy;

use alloc::boxed::Box;
use core::time::Duration;

use segue_wire::tcp::{AccEcn, TcpFlags};
use segue_wire::{Ecn, Instant, SegmentationKind};

use crate::config::Config;
use crate::segment::Segment;
use crate::units::{Peer, Seq};
use accurate::Accurate;
pub(crate) use accurate::Fit;
pub(crate) use classic::Classic;
pub(crate) use handshake::Handshake;
pub(crate) use policy::EcnMode;
pub use policy::EcnPolicy;

/// How soon the receiver wants what it has learned to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Haste {
    /// The acknowledgment may wait as others do.
    None,
    /// The sender's window may be very small: the next few at once.
    Quick,
    /// At once.
    Now,
}

/// A segment about to leave, as far as ECN cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leaving {
    /// Bytes that were never sent before.
    NewData,
    /// Bytes sent again, or a FIN.
    Other,
    /// An acknowledgment and nothing else; not even SACK blocks.
    Alone,
}

/// What an acknowledgment says of marks, and what it covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EcnAck {
    pub(crate) flags: TcpFlags,
    pub(crate) option: Option<AccEcn>,
    /// It acknowledges something new, or a newer timestamp shows that it was not overtaken.
    pub(crate) progress: bool,
    /// Segments and bytes it shows to have arrived.
    pub(crate) packets: u32,
    pub(crate) bytes: u32,
    /// Bytes of a full segment.
    pub(crate) mss: u32,
    /// Bytes sent since the connection began.
    pub(crate) sent: u64,
    /// `packets` and `bytes` are known exactly: SACK is in use or nothing is missing.
    pub(crate) exact: bool,
}

/// Marks and bytes by codepoint, for `TCP_INFO`. Bytes are ECT(1), ECT(0), CE.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Codepoints {
    /// Packets of ours that met congestion, as the peer says.
    pub(crate) told: u32,
    /// Packets of the peer that came marked.
    pub(crate) counted: u32,
    pub(crate) received: [u32; 3],
    pub(crate) delivered: [u32; 3],
    pub(crate) failures: u8,
    pub(crate) option: u8,
}

/// What was agreed in the handshake, and its state since.
#[derive(Debug)]
pub(crate) enum Feedback {
    Off,
    /// RFC 3168.
    Classic(Classic),
    /// RFC 9768.
    Accurate(Box<Accurate>),
}

impl Feedback {
    /// Feedback as the handshake has left it. `answer` completes it, or is a SYN that needs no answer (RFC 7413).
    pub(crate) fn new(now: Instant, handshake: Handshake, answer: &Segment) -> Feedback {
        match handshake.mode {
            EcnMode::Off => Feedback::Off,
            EcnMode::Classic => Feedback::Classic(Classic::new(handshake.may_mark)),
            EcnMode::Accurate if answer.has(TcpFlags::SYN | TcpFlags::ACK) => {
                Feedback::Accurate(Box::new(Accurate::client(now, handshake, answer)))
            }
            EcnMode::Accurate => Feedback::Accurate(Box::new(Accurate::server(now, handshake))),
        }
    }

    /// ECN was agreed (`TCPI_OPT_ECN`).
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self, Feedback::Off)
    }

    /// Packets of the peer have come as ECT or CE (`TCPI_OPT_ECN_SEEN`).
    pub(crate) fn has_seen(&self) -> bool {
        match self {
            Feedback::Off => false,
            Feedback::Classic(classic) => classic.seen,
            Feedback::Accurate(accurate) => accurate.has_seen(),
        }
    }

    /// A segment has passed the checks of RFC 9293 and RFC 5961.
    pub(crate) fn on_segment(&mut self, segment: &Segment) -> Haste {
        match self {
            Feedback::Off | Feedback::Classic(_) => Haste::None,
            Feedback::Accurate(accurate) => accurate.on_segment(segment),
        }
    }

    /// A SYN has come, on the connection that it once opened.
    pub(crate) fn on_repeated_syn_ack(&mut self, segment: &Segment) {
        if let Feedback::Accurate(accurate) = self {
            accurate.on_repeated_syn_ack(segment.options.accecn);
        }
    }

    /// An acknowledgment has been settled: how many more of our packets it shows to have been marked.
    pub(crate) fn on_ack(&mut self, ack: &EcnAck) -> Marks {
        match self {
            Feedback::Off => Marks::NONE,
            Feedback::Classic(classic) => classic.on_ack(ack),
            Feedback::Accurate(accurate) => {
                let packets = accurate.on_ack(ack);
                Marks { congested: packets > 0, packets }
            }
        }
    }

    /// A segment with text (or a FIN) has passed the checks of RFC 9293: its sender may have reduced its window.
    pub(crate) fn on_text_flags(&mut self, flags: TcpFlags) -> Haste {
        match self {
            Feedback::Off | Feedback::Accurate(_) => Haste::None,
            Feedback::Classic(classic) => classic.on_flags(flags),
        }
    }

    /// Text was taken, in order or not.
    pub(crate) fn on_text(&mut self, codepoint: Ecn) -> Haste {
        match self {
            Feedback::Off => Haste::None,
            Feedback::Classic(classic) => classic.on_text(codepoint),
            // As with RFC 3168: among packets that are ECT, one that is not comes from a sender in trouble.
            Feedback::Accurate(accurate) if codepoint == Ecn::NotEct && accurate.has_seen() => Haste::Quick,
            Feedback::Accurate(_) => Haste::None,
        }
    }

    /// Text has come again that was reported as a duplicate before (D-SACK).
    pub(crate) fn on_duplicate(&mut self, start: Seq<Peer>) {
        if let Feedback::Accurate(accurate) = self {
            accurate.on_duplicate(start);
        }
    }

    /// Whether there is an option to plan: congestion is told accurately.
    #[inline]
    pub(crate) fn has_option(&self) -> bool {
        matches!(self, Feedback::Accurate(_))
    }

    /// The AccECN option for the next segment, if it is to have one, into the `room` that other options leave. `blocks`
    /// SACK blocks are among those; some may have to go.
    pub(crate) fn plan_option(
        &self,
        now: Instant,
        srtt: Option<Duration>,
        config: &Config,
        room: usize,
        blocks: usize,
    ) -> Option<Fit> {
        let Feedback::Accurate(accurate) = self else { return None };
        let beacon = u32::from(config.ecn_option_beacon);
        // `tcp_ecn_option_beacon`: so often in a round trip.
        let due = beacon > 0 && (now - accurate.option_sent_at()) * beacon >= srtt.unwrap_or(Duration::ZERO);
        accurate.plan_option(config.ecn_option, due, room, blocks)
    }

    /// The option as planned; the segment leaves. `duplicate`: it reports this duplicate, too.
    pub(crate) fn take_option(
        &mut self,
        now: Instant,
        fit: Option<Fit>,
        duplicate: Option<Seq<Peer>>,
    ) -> Option<AccEcn> {
        let Feedback::Accurate(accurate) = self else { return None };
        let Some(fit) = fit else {
            accurate.no_option();
            return None;
        };
        Some(accurate.take_option(now, fit.fields, duplicate))
    }

    /// Marks a segment that leaves; gives the codepoint for its IP header. `reduced`: the window was reduced and the
    /// peer has not been told.
    pub(crate) fn mark(&mut self, leaving: Leaving, reduced: &mut bool, flags: &mut TcpFlags) -> Ecn {
        match self {
            Feedback::Off => Ecn::NotEct,
            Feedback::Classic(classic) => classic.mark(leaving, reduced, flags),
            Feedback::Accurate(accurate) => accurate.mark(leaving == Leaving::Alone, flags),
        }
    }

    /// How a super-segment's flags go into its pieces: a counter goes into each.
    pub(crate) fn segmentation(&self) -> SegmentationKind {
        match self {
            Feedback::Off | Feedback::Classic(_) => SegmentationKind::Tcp,
            Feedback::Accurate(_) => SegmentationKind::TcpAccEcn,
        }
    }

    /// For `TCP_INFO`.
    pub(crate) fn codepoints(&self) -> Codepoints {
        match self {
            Feedback::Off => Codepoints::default(),
            Feedback::Classic(classic) => Codepoints { told: classic.told, ..Codepoints::default() },
            Feedback::Accurate(accurate) => accurate.codepoints(),
        }
    }
}

/// What an acknowledgment said of marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Marks {
    /// There is congestion on the way.
    pub(crate) congested: bool,
    /// Packets newly known to have met it.
    pub(crate) packets: u32,
}

impl Marks {
    pub(crate) const NONE: Marks = Marks { congested: false, packets: 0 };
}
