//! Where Segue means to answer otherwise than Linux: each with its reason, and with what tells it from a mistake.
//!
//! Decides which differences are explained. An entry is matched by what happened, never by a seed; what no entry matches
//! is an open class.
use super::compare::{Aspect, Telling};
use super::play::Seen;
use super::story::{ACK, From, SYN, Segment, Step};

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
        name: "silly window",
        reason: "Segue leaves what is left of a small window alone until a full segment, all there is, or half of the largest \
                 window fits; Linux fills it with a fragment",
        reference: "RFC 9293 section 3.8.6.2.1 (MUST-38)",
        matches: fills_small_window,
    },
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
        name: "PSH inside a write",
        reason: "the last segment of a write has PSH in both; before that Linux sets it where its buffers end, Segue where its \
                 super-segments end",
        reference: "RFC 9293 section 3.9.1.2 (MUST-61, SHLD-27)",
        matches: push_inside_write,
    },
    Intended {
        name: "segments cut anew",
        reason: "Segue cuts what was not sent yet into segments as large as they can be now; Linux keeps the cuts that were made \
                 when it was written",
        reference: "RFC 9293 section 3.9.1.2 (SHLD-28)",
        matches: cut_anew,
    },
    Intended {
        name: "duplicate beside data",
        reason: "without SACK the duplicate acknowledgment of text out of order leaves by itself, even when data go out as well: \
                 a sender counts only those without data",
        reference: "RFC 5681 sections 2 and 4.2",
        matches: duplicate_beside_data,
    },
    Intended {
        name: "what a duplicate is",
        reason: "an acknowledgment that repeats number and window is a duplicate; Linux does not count one whose own sequence \
                 number has moved on since the last",
        reference: "RFC 5681 section 2",
        matches: counted_as_duplicate,
    },
];

/// The segment that the step is, if it is one.
fn segment<'a>(telling: &'a Telling<'_>) -> Option<&'a Segment> {
    match telling.step() {
        Some(Step::Segment(segment)) => Some(segment),
        _ => None,
    }
}

/// Linux sends a fragment that Segue keeps, and it ends where the peer's window does.
fn fills_small_window(telling: &Telling<'_>) -> bool {
    let (theirs, ours) = telling.records();
    let fragment = match &telling.aspect {
        Aspect::Missing(packet) => packet,
        Aspect::Field("flags" | "length", packet, other) if packet.sequence == other.sequence => packet,
        _ => return false,
    };
    let held = ours.field("notsent_bytes").saturating_sub(theirs.field("notsent_bytes"));
    let size = theirs.field("snd_mss");
    // Both have more to send, and Segue has more left by less than a segment.
    fragment.len > 0 && theirs.field("notsent_bytes") > 0 && held > 0 && held < size && (fragment.len as u64) < size
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
    let is_early_fin =
        |step: &Step| matches!(step, Step::Segment(segment) if segment.flags & FIN != 0 && segment.from != From::Next);
    let fin_before = telling.steps().iter().any(is_early_fin);
    let differs = match &telling.aspect {
        Aspect::Field("acknowledgment" | "options" | "window", ..) | Aspect::Missing(_) | Aspect::Extra(_) => true,
        Aspect::Info(field, ..) => matches!(*field, "state" | "bytes_received" | "rcv_mss"),
        _ => false,
    };
    let (theirs, ours) = telling.records();
    fin_before && differs && theirs.field("bytes_received") != ours.field("bytes_received")
}

fn push_inside_write(telling: &Telling<'_>) -> bool {
    let Aspect::Field("flags", linux, segue) = &telling.aspect else { return false };
    let only_push = linux.flags.bits() ^ segue.flags.bits() == super::story::PSH;
    let same_bytes = (linux.sequence, linux.len) == (segue.sequence, segue.len);
    only_push && same_bytes && linux.len > 0
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

fn duplicate_beside_data(telling: &Telling<'_>) -> bool {
    let Aspect::Field("length" | "flags", linux, segue) = &telling.aspect else { return false };
    let has_gap = |segment: &Segment| segment.len > 0 || segment.flags & super::story::FIN != 0;
    let bare = segue.len == 0 && segue.flags.bits() == ACK;
    !telling.story.offer.sack
        && segment(telling).is_some_and(has_gap)
        && linux.len > 0
        && bare
        && linux.sequence == segue.sequence
        && linux.acknowledgment == segue.acknowledgment
}

fn counted_as_duplicate(telling: &Telling<'_>) -> bool {
    let (theirs, ours) = telling.records();
    let is_bare = |segment: &Segment| segment.flags == ACK && segment.len == 0;
    let heard_text = telling.steps().iter().any(|step| matches!(step, Step::Segment(segment) if segment.len > 0));
    !telling.story.offer.sack
        && matches!(telling.aspect, Aspect::Info("ca_state" | "sacked" | "delivered", ..))
        && segment(telling).is_some_and(is_bare)
        && heard_text
        && theirs.field("sacked") + 1 == ours.field("sacked")
}

/// The entry that explains a difference.
pub(super) fn explain(telling: &Telling<'_>) -> Option<&'static Intended> {
    INTENDED.iter().find(|intended| (intended.matches)(telling))
}

/// The entry of this name.
pub fn intended(name: &str) -> Option<&'static Intended> {
    INTENDED.iter().find(|intended| intended.name == name)
}
