//! Where Segue means to answer otherwise than Linux: each with its reason, and with what tells it from a mistake.
//!
//! Decides which differences are explained. An entry is matched by what happened, never by a seed; what no entry matches
//! is an open class.
use super::compare::{Aspect, Telling};
use super::play::Seen;
use super::story::{ACK, Ack, From, Opening, SYN, Sack, Segment, Step};

/// A class of differences that is meant.
#[derive(Debug)]
pub struct Intended {
    /// What it is called in reports and in kept stories.
    pub name: &'static str,
    /// What Segue does, and why.
    pub reason: &'static str,
    /// The RFC's section, or what in Linux it is about.
    pub reference: &'static str,
    matches: fn(&Telling<'_>) -> bool,
}

impl PartialEq for Intended {
    fn eq(&self, other: &Intended) -> bool {
        self.name == other.name
    }
}

impl Eq for Intended {}

/// All of them, in the order in which they are tried.
pub static INTENDED: &[Intended] = &[
    Intended {
        name: "text in a SYN-ACK",
        reason: "Segue takes text that comes with a SYN-ACK; Linux drops it, and the peer sends it again",
        reference: "RFC 9293 section 3.10.7.3",
        matches: text_in_syn_ack,
    },
    Intended {
        name: "text behind a FIN",
        reason: "the stream ends where the first FIN said: what is numbered behind it is no text; Linux takes it when the FIN \
                 came out of order",
        reference: "RFC 9293 section 3.10.7.4, eighth",
        matches: text_behind_fin,
    },
    Intended {
        name: "segments cut anew",
        reason: "Segue cuts what was not sent yet into segments as large as they can be now; Linux keeps the cuts that were made \
                 when it was written",
        reference: "RFC 9293 section 3.9.1.2 (SHLD-28)",
        matches: cut_anew,
    },
    Intended {
        name: "what a duplicate is",
        reason: "an acknowledgment that repeats number and window is a duplicate; Linux does not count one whose own sequence \
                 number has moved on since the last",
        reference: "RFC 5681 section 2",
        matches: counted_as_duplicate,
    },
    Intended {
        name: "text beside an old acknowledgment",
        reason: "a segment whose acknowledgment is older than the window is dropped whole, and of one that is old the timestamp is \
                 not kept; Linux's fast path takes both before it looks at that number",
        reference: "RFC 5961 section 5.2",
        matches: text_beside_old_ack,
    },
    Intended {
        name: "SYN that nobody acknowledged",
        reason: "SYN-RECEIVED is left only by an acknowledgment of our SYN, anything else is reset; Linux is established by one of \
                 its number",
        reference: "RFC 9293 section 3.10.7.4, fifth",
        matches: established_unacknowledged,
    },
    Intended {
        name: "window that nobody scales",
        reason: "a peer without window scaling gets windows that are not scaled; after a simultaneous open Linux shifts them all the \
                 same",
        reference: "RFC 7323 section 2.2",
        matches: scaled_for_nobody,
    },
    Intended {
        name: "refused or reset",
        reason: "a reset in SYN-RECEIVED after an active open means that it was refused: ECONNREFUSED; Linux says ECONNRESET",
        reference: "RFC 9293 section 3.10.7.4, second (MUST-11)",
        matches: refused_or_reset,
    },
    Intended {
        name: "segments counted anew",
        reason: "Segue counts segments as they left; Linux counts what is left of a super-segment anew, and what it has joined to \
                 send it again",
        reference: "TCP_INFO (tcpi_unacked)",
        matches: counted_anew,
    },
    Intended {
        name: "cut inside a segment",
        reason: "when part of a segment is acknowledged Segue sends the rest of it again; Linux cuts the rest of its super-segment \
                 anew from there",
        reference: "RFC 9293 section 3.8.1",
        matches: cut_inside_segment,
    },
    Intended {
        name: "options beside text",
        reason: "each segment is as full as its own options let it be; Linux cuts all that leaves at once for the options of the first",
        reference: "RFC 9293 section 3.7.1 (SHLD-5)",
        matches: cut_for_options,
    },
    Intended {
        name: "flight at loss",
        reason: "the window comes down in proportion to what was in flight when the loss was found; Linux takes the congestion \
                 window for it, full or not",
        reference: "RFC 9937 section 6.1 (RecoverFS)",
        matches: reduced_from_flight,
    },
    Intended {
        name: "reset of an orphan",
        reason: "in FIN-WAIT-2 without an application a reset outside the window is dropped, one inside it that is not exact is \
                 challenged; Linux acknowledges the first and obeys the second",
        reference: "RFC 9293 section 3.10.7.4, first; RFC 5961 section 3.2",
        matches: reset_of_orphan,
    },
    Intended {
        name: "urgent byte beyond the window",
        reason: "what lies outside the window is not read; Linux reads the urgent byte of a segment whose text it refuses",
        reference: "RFC 9293 section 3.4",
        matches: urgent_beyond_window,
    },
    Intended {
        name: "probe without a measurement",
        reason: "between two loss probes there is a measurement of the round trip; Linux asks for none",
        reference: "RFC 8985 section 7.3",
        matches: probes_unmeasured,
    },
    Intended {
        name: "sample beside a retransmission",
        reason: "what is acknowledged selectively beside something that was sent again later may have arrived long before, and is no \
                 sample of the round trip; Linux takes it",
        reference: "RFC 6298 section 3",
        matches: sampled_beside_retransmission,
    },
    Intended {
        name: "echo of a repeated SYN",
        reason: "a SYN that comes again is answered with its own timestamp, so that the peer can measure; Linux echoes the first one's",
        reference: "RFC 7323 section 4.3",
        matches: echoes_repeated_syn,
    },
    Intended {
        name: "delays in slow start",
        reason: "slow start of cubic ends when delays grow; by how many microseconds is not the same in two tellings, and one host may \
                 leave it a round trip sooner",
        reference: "RFC 9406 section 4.2",
        matches: left_slow_start,
    },
];

/// Entries that logs of earlier sessions name, and that Segue answers as Linux now.
const FORMER: &[&str] = &["PSH inside a write", "duplicate beside data", "silly window"];

/// The segment that the step is, if it is one.
fn segment<'a>(telling: &'a Telling<'_>) -> Option<&'a Segment> {
    match telling.step() {
        Some(Step::Segment(segment)) => Some(segment),
        _ => None,
    }
}

fn text_in_syn_ack(telling: &Telling<'_>) -> bool {
    let is_syn_ack = |segment: &Segment| segment.flags & (SYN | ACK) == SYN | ACK && segment.len > 0;
    let acknowledges_more = |linux: &Seen, segue: &Seen| linux.acknowledgment < segue.acknowledgment;
    segment(telling).is_some_and(is_syn_ack)
        && matches!(&telling.aspect, Aspect::Field("acknowledgment", linux, segue) if acknowledges_more(linux, segue))
}

/// A FIN came out of order before, and Linux acknowledges more than what it ended.
fn text_behind_fin(telling: &Telling<'_>) -> bool {
    const FIN: u16 = super::story::FIN;
    // Numbered otherwise than in order, or kept by Linux until what is missing before it comes.
    let is_kept = |at: usize| {
        let [before, after] = [at, at + 1].map(|at| &telling.linux.steps[at]);
        after.field("rcv_ooopack") > before.field("rcv_ooopack")
            || after.packets.iter().any(|packet| packet.options.contains("sack"))
    };
    let is_early_fin = |(at, step): (usize, &Step)| matches!(step, Step::Segment(segment) if segment.flags & FIN != 0 && (segment.from != From::Next || is_kept(at)));
    let fin_before = telling.steps().iter().enumerate().any(is_early_fin);
    let (theirs, ours) = telling.records();
    let differs = match &telling.aspect {
        // What is held is told, or was read.
        Aspect::Field("options", linux, segue) => linux.options.contains("sack") || segue.options.contains("sack"),
        Aspect::Info("rcv_ooopack", ..) => true,
        Aspect::Field("acknowledgment" | "window", ..) | Aspect::Missing(_) | Aspect::Extra(_) => {
            theirs.field("bytes_received") != ours.field("bytes_received")
        }
        Aspect::Info("state" | "bytes_received" | "rcv_mss", ..) => {
            theirs.field("bytes_received") != ours.field("bytes_received")
        }
        _ => false,
    };
    fin_before && differs
}

/// New data at the same place, in segments of another length, while the segment size has changed since the write.
fn cut_anew(telling: &Telling<'_>) -> bool {
    let Aspect::Field("length" | "flags", linux, segue) = &telling.aspect else { return false };
    let (theirs, ours) = telling.records();
    let resized = theirs.field("snd_mss") != telling.before("snd_mss") || telling.has_resized();
    let is_new = |record: &super::play::StepRecord| record.field("bytes_retrans") == telling.before("bytes_retrans");
    let other_cut = linux.len != segue.len && linux.len > 0 && segue.len > 0;
    linux.sequence == segue.sequence && other_cut && resized && is_new(theirs) && is_new(ours)
}

fn counted_as_duplicate(telling: &Telling<'_>) -> bool {
    let (theirs, ours) = telling.records();
    let is_bare = |segment: &Segment| segment.flags == ACK && segment.len == 0;
    let Some(own) = segment(telling).filter(|segment| is_bare(segment)) else { return false };
    let before = telling.steps().split_last().map_or(&[][..], |(_, before)| before);
    let moved_on = |step: &Step| matches!(step, Step::Segment(other) if other.len > 0 || other.window != own.window);
    let sack = telling.story.offer.sack;
    let (supposed, seen) = ("sacked", "reord_seen");
    let counted = !sack && (theirs.field(supposed) != ours.field(supposed) || theirs.field(seen) != ours.field(seen));
    let differs = match &telling.aspect {
        Aspect::Info("ca_state", ..) => true,
        Aspect::Info("sacked" | "delivered" | "reordering" | "reord_seen", ..) => counted,
        // RFC 3042: each duplicate lets a segment out.
        Aspect::Missing(packet) | Aspect::Extra(packet) => counted && packet.len > 0,
        _ => false,
    };
    differs && (own.window != Segment::default().window || before.iter().any(moved_on))
}

fn text_beside_old_ack(telling: &Telling<'_>) -> bool {
    let is_old = |segment: &Segment| matches!(segment.ack, Ack::Old(_)) && segment.len > 0;
    let takes_more = |linux: &Seen, segue: &Seen| linux.acknowledgment > segue.acknowledgment;
    let echoes_newer = |linux: &Seen, segue: &Seen| echo(linux) > echo(segue) && linux.options.contains("ecr");
    segment(telling).is_some_and(is_old)
        && match &telling.aspect {
            Aspect::Field("acknowledgment", linux, segue) => takes_more(linux, segue),
            Aspect::Field("options", linux, segue) => echoes_newer(linux, segue),
            _ => false,
        }
}

/// The timestamp that a packet echoes.
fn echo(packet: &Seen) -> Option<u32> {
    packet.options.split(", ").find_map(|option| option.strip_prefix("ecr ")?.parse().ok())
}

/// Our side was closed, and what answers the peer's reset is a bare acknowledgment or nothing.
fn reset_of_orphan(telling: &Telling<'_>) -> bool {
    let closed = telling.steps().iter().any(|step| matches!(step, Step::Close));
    let is_reset = |segment: &Segment| segment.flags & super::story::RST != 0 && segment.from != From::Next;
    let answer = match &telling.aspect {
        Aspect::Missing(packet) | Aspect::Extra(packet) => packet,
        _ => return false,
    };
    closed && segment(telling).is_some_and(is_reset) && answer.len == 0 && answer.flags.bits() == ACK
}

fn urgent_beyond_window(telling: &Telling<'_>) -> bool {
    const MSG_OOB: i32 = 1;
    const AGAIN: i32 = 11;
    let is_beyond = |from: From| matches!(from, From::EdgePlus(_) | From::EdgeLess(_));
    let is_urgent = |segment: &Segment| segment.flags & super::story::URG != 0 && is_beyond(segment.from);
    let came = telling.steps().iter().any(|step| matches!(step, Step::Segment(segment) if is_urgent(segment)));
    let (theirs, ours) = telling.records();
    let result = |record: &super::play::StepRecord| record.result.map(|(result, _)| result);
    came && matches!(telling.step(), Some(Step::Read(_, flags)) if flags & MSG_OOB != 0)
        && telling.aspect == Aspect::Result
        && result(theirs) == Some(Ok(1))
        && result(ours) == Some(Err(AGAIN))
}

/// A timer sends one segment in the open state, and nothing was measured since the last timeout, or since a copy came twice.
fn probes_unmeasured(telling: &Telling<'_>) -> bool {
    let (theirs, ours) = telling.records();
    let one_more = theirs.field("data_segs_out") == ours.field("data_segs_out") + 1;
    let is_open = theirs.field("ca_state") == 0 && telling.before("ca_state") == 0 && theirs.field("retransmits") == 0;
    let unmeasured = telling.before("backoff") > 0 || telling.before("dsack_dups") > 0;
    let by_timer = |packet: &Seen| packet.len > 0 && packet.after > super::compare::AT_ONCE;
    telling.story.offer.sack
        && one_more
        && is_open
        && unmeasured
        && matches!(&telling.aspect, Aspect::Missing(packet) if by_timer(packet))
}

fn sampled_beside_retransmission(telling: &Telling<'_>) -> bool {
    let tells = match telling.step() {
        Some(Step::Segment(segment)) => segment.sack != Sack::None,
        // The peer of a story about loss tells what it holds, and what came twice.
        Some(Step::Deliver(_) | Step::DeliverNewest | Step::DeliverAgain) => true,
        _ => false,
    };
    telling.story.offer.sack
        && tells
        && telling.before("total_retrans") > 0
        && matches!(telling.aspect, Aspect::Info("backoff", 0, segue) if segue > 0)
}

/// Only in a simultaneous open: a listener's half-open connections know better on Linux.
fn established_unacknowledged(telling: &Telling<'_>) -> bool {
    const SYN_RECEIVED: u64 = 3;
    let (theirs, ours) = telling.records();
    let waits = |record: &super::play::StepRecord| record.field("state") == SYN_RECEIVED;
    let repeats = |segment: &Segment| segment.flags & ACK != 0 && !matches!(segment.ack, Ack::All);
    segment(telling).is_some_and(repeats) && telling.before("state") == SYN_RECEIVED && waits(ours) && !waits(theirs)
}

fn scaled_for_nobody(telling: &Telling<'_>) -> bool {
    let crossing = |step: &Step| matches!(step, Step::Segment(segment) if segment.flags & (SYN | ACK) == SYN);
    let scaled = |linux: &Seen, segue: &Seen| u32::from(segue.window).abs_diff(u32::from(linux.window) << 7) < 128;
    telling.story.opening == Opening::Connecting
        && telling.story.offer.scale.is_none()
        && telling.steps().iter().any(crossing)
        && matches!(&telling.aspect, Aspect::Field("window", linux, segue) if scaled(linux, segue))
}

fn refused_or_reset(telling: &Telling<'_>) -> bool {
    const REFUSED: i32 = 111;
    const RESET: i32 = 104;
    let (theirs, ours) = telling.records();
    // As the result of a call, or as SO_ERROR tells it.
    let says = |record: &super::play::StepRecord, errno: i32| match (record.result, telling.step()) {
        (Some((Ok(_), read)), Some(Step::Error)) => read == errno as usize,
        (result, _) => result.map(|(result, _)| result) == Some(Err(errno)),
    };
    telling.story.opening == Opening::Connecting
        && telling.aspect == Aspect::Result
        && says(theirs, RESET)
        && says(ours, REFUSED)
}

/// The same bytes have left, and as many are acknowledged.
fn counted_anew(telling: &Telling<'_>) -> bool {
    let (theirs, ours) = telling.records();
    let same = |name: &str| theirs.field(name) == ours.field(name);
    matches!(telling.aspect, Aspect::Info("unacked", linux, segue) if linux < segue)
        && ["bytes_sent", "bytes_acked", "notsent_bytes", "state"].into_iter().all(same)
}

fn cut_inside_segment(telling: &Telling<'_>) -> bool {
    let Aspect::Field("length", linux, segue) = &telling.aspect else { return false };
    let in_part = |step: &Step| matches!(step, Step::Segment(segment) if matches!(segment.ack, Ack::More(_)));
    let (theirs, ours) = telling.records();
    // Of a connection that was closed nothing is told but its packets.
    let again = |record: &super::play::StepRecord| {
        record.info.is_empty() || record.field("bytes_retrans") > telling.before("bytes_retrans")
    };
    linux.sequence == segue.sequence
        && linux.len > 0
        && segue.len > 0
        && telling.steps().iter().any(in_part)
        && again(theirs)
        && again(ours)
}

fn cut_for_options(telling: &Telling<'_>) -> bool {
    let Aspect::Field("length" | "sequence" | "flags", linux, segue) = &telling.aspect else { return false };
    let told = |record: &super::play::StepRecord| record.packets.iter().any(|packet| packet.options.contains("sack"));
    let (theirs, _) = telling.records();
    let earlier = telling.linux.steps[..=telling.at].iter().any(told);
    let size = theirs.field("snd_mss") as usize;
    earlier
        && linux.len > 0
        && segue.len > 0
        && linux.len != segue.len
        && linux.len.abs_diff(segue.len) < 40
        && size > 40
}

/// In a recovery that began while the window was not full one segment leaves at another acknowledgment.
fn reduced_from_flight(telling: &Telling<'_>) -> bool {
    const RECOVERY: u64 = 3;
    let recovers = |at: usize| telling.linux.steps[at].field("ca_state") == RECOVERY;
    let (theirs, ours) = telling.records();
    let same = |name: &str| theirs.field(name) == ours.field(name);
    let alike =
        recovers(telling.at) && ["ca_state", "bytes_acked", "sacked", "lost", "snd_ssthresh"].into_iter().all(same);
    let Some(before) = (0..telling.at).rev().find(|at| !recovers(*at)) else { return false };
    let (record, entry) = (&telling.linux.steps[before], telling.story.steps.get(before));
    let was_full = record.field("snd_cwnd") <= record.field("unacked").saturating_sub(record.field("sacked"));
    let many = matches!(entry, Some(Step::Deliver(2..)));
    let by_one = |name: &str| theirs.field(name).abs_diff(ours.field(name)) <= 1;
    let differs = match &telling.aspect {
        Aspect::Field("options", linux, segue) => {
            linux.len > 0 && (linux.sequence, linux.len) == (segue.sequence, segue.len) && linux.flags == segue.flags
        }
        Aspect::Missing(packet) | Aspect::Extra(packet) => packet.len > 0,
        Aspect::Info("snd_cwnd", ..) => true,
        _ => false,
    };
    alike && differs && (many || !was_full) && by_one("snd_cwnd") && by_one("data_segs_out")
}

fn echoes_repeated_syn(telling: &Telling<'_>) -> bool {
    let is_syn = |segment: &Segment| segment.flags & (SYN | ACK) == SYN;
    let repeats = |packet: &Seen| packet.flags.bits() & (SYN | ACK) == SYN | ACK;
    segment(telling).is_some_and(is_syn)
        && matches!(&telling.aspect, Aspect::Field("options", linux, segue) if repeats(linux) && echo(linux) < echo(segue))
}

/// One host has left slow start with the window that it had, for nothing that was lost.
fn left_slow_start(telling: &Telling<'_>) -> bool {
    const INFINITE: u64 = 0x7fff_ffff;
    let (theirs, ours) = telling.records();
    let stays = |record: &super::play::StepRecord| record.field("snd_ssthresh") == INFINITE;
    let left = |record: &super::play::StepRecord| record.field("snd_ssthresh") <= record.field("snd_cwnd");
    let calm = |record: &super::play::StepRecord| record.field("ca_state") <= 1 && record.field("lost") == 0;
    telling.story.congestion == "cubic"
        && matches!(telling.aspect, Aspect::Info("snd_ssthresh", ..))
        && ((stays(theirs) && left(ours)) || (stays(ours) && left(theirs)))
        && calm(theirs)
        && calm(ours)
        && theirs.field("bytes_acked") == ours.field("bytes_acked")
}

/// The entry that explains a difference.
pub(super) fn explain(telling: &Telling<'_>) -> Option<&'static Intended> {
    INTENDED.iter().find(|intended| (intended.matches)(telling))
}

/// The entry of this name.
pub fn intended(name: &str) -> Option<&'static Intended> {
    INTENDED.iter().find(|intended| intended.name == name)
}

/// Whether an entry has, or had, this name.
pub(super) fn has_had(name: &str) -> bool {
    intended(name).is_some() || FORMER.contains(&name)
}
