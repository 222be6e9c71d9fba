//! What counts as a difference between two tellings of a story, and of what class it is.
//!
//! The reference is Linux. Times are compared with a tolerance: one of the hosts lives in real time.
use std::fmt;
use std::time::Duration;

use segue_kernel::TimerWheel;

use super::catalogue::{self, Intended};
use super::notation::letters;
use super::play::{Played, Seen, StepRecord};
use super::story::{Step, Story};

/// What an answer takes at most that no timer holds back.
pub(super) const AT_ONCE: Duration = Duration::from_micros(1500);

/// What two records differ in first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Aspect {
    /// What a call returned, or how much it read.
    Result,
    /// Linux sent it, Segue did not.
    Missing(Seen),
    /// Segue sent it, Linux did not.
    Extra(Seen),
    /// A field of a packet, by name: Linux's packet and Segue's.
    Field(&'static str, Seen, Seen),
    /// A field of `TCP_INFO`, by name: Linux's value and Segue's.
    Info(&'static str, u64, u64),
    /// Only one of them has a connection to tell of.
    NoInfo,
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aspect::Result => f.write_str("result"),
            Aspect::Missing(packet) => write!(f, "missing packet {}", sort(packet)),
            Aspect::Extra(packet) => write!(f, "extra packet {}", sort(packet)),
            Aspect::Field("flags", a, b) => write!(f, "packet flags {} and {}", sort(a), sort(b)),
            Aspect::Field(field, packet, _) => write!(f, "packet {field} of {}", sort(packet)),
            Aspect::Info(field, ..) => write!(f, "info {field}"),
            Aspect::NoInfo => f.write_str("info missing"),
        }
    }
}

/// The first difference between two tellings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// At which step; 0 is the opening.
    pub step: usize,
    /// Differences of the same class have, most likely, the same cause.
    pub class: String,
    /// The entry of the catalogue that explains it, if one does.
    pub intended: Option<&'static Intended>,
    /// Whether a timer ran out at the edge of a step, and which side of it is a matter of ticks: this says nothing.
    pub is_at_edge: bool,
    /// What each host did.
    pub words: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {}\n{}", self.step, self.class, self.words)
    }
}

/// A difference with all that led to it: what the catalogue decides by.
pub(super) struct Telling<'a> {
    pub(super) story: &'a Story,
    pub(super) linux: &'a Played,
    pub(super) segue: &'a Played,
    /// Place in `linux.steps`; 0 is the opening.
    pub(super) at: usize,
    pub(super) aspect: Aspect,
}

impl Telling<'_> {
    /// The step that was taken; `None`: the opening.
    pub(super) fn step(&self) -> Option<&Step> {
        self.at.checked_sub(1).and_then(|at| self.story.steps.get(at))
    }

    /// The steps up to the one that was taken, itself among them.
    pub(super) fn steps(&self) -> &[Step] {
        self.story.steps.get(..self.at).unwrap_or(&[])
    }

    /// Whether the size of segments has changed since the opening.
    pub(super) fn has_resized(&self) -> bool {
        let sizes = self.linux.steps[..=self.at].iter().map(|record| record.field("snd_mss")).filter(|size| *size > 0);
        let (least, most) = sizes.fold((u64::MAX, 0), |(least, most), size| (size.min(least), size.max(most)));
        least < most
    }

    /// A field of `TCP_INFO` before the step, as Linux told it.
    pub(super) fn before(&self, field: &str) -> u64 {
        self.at.checked_sub(1).and_then(|at| self.linux.steps.get(at)).map_or(0, |record| record.field(field))
    }

    /// Linux's record of the step, and Segue's.
    pub(super) fn records(&self) -> (&StepRecord, &StepRecord) {
        (&self.linux.steps[self.at], &self.segue.steps[self.at])
    }

    /// Whether one host has sent in this step what the other sends a moment later, in the next.
    fn is_at_edge(&self) -> bool {
        let (Aspect::Missing(packet) | Aspect::Extra(packet)) = &self.aspect else { return false };
        // What is sent at once is no timer's.
        let waited = waited(self.linux, self.at) + packet.after;
        packet.after > AT_ONCE && packet.after + tolerance(waited) > self.linux.length(self.at)
    }

    fn class(&self) -> String {
        let doing = self.step().map_or("opening".to_owned(), kind);
        let state = if self.at == 0 { self.records().0.field("state") } else { self.before("state") };
        format!("{} | {doing} | state {state}", self.aspect)
    }
}

impl StepRecord {
    /// A field of `TCP_INFO` after the step; 0 without a connection.
    pub(super) fn field(&self, name: &str) -> u64 {
        self.info.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value)
    }
}

/// The first step at which Segue does not do what Linux does.
pub fn compare(story: &Story, linux: &Played, segue: &Played) -> Option<Difference> {
    let (at, aspect) = linux
        .steps
        .iter()
        .zip(&segue.steps)
        .enumerate()
        .find_map(|(at, (theirs, ours))| Some((at, difference(theirs, ours, waited(linux, at))?)))?;
    let telling = Telling { story, linux, segue, at, aspect };
    let (theirs, ours) = telling.records();
    let words = format!("linux:\n{}segue:\n{}", show(theirs), show(ours));
    let (is_at_edge, intended) = (telling.is_at_edge(), catalogue::explain(&telling));
    Some(Difference { step: at, class: telling.class(), intended, is_at_edge, words })
}

fn kind(step: &Step) -> String {
    match step {
        Step::Segment(segment) => {
            let place = segment.from.to_string();
            format!("segment {} {}", letters(segment.flags), place.split(' ').next().unwrap_or_default())
        }
        Step::Set(level, name, _) => format!("set {level} {name}"),
        other => other.to_string().split(' ').next().unwrap_or_default().to_owned(),
    }
}

fn show(record: &StepRecord) -> String {
    let mut text = String::new();
    for packet in &record.packets {
        text.push_str(&format!("    {packet}\n"));
    }
    if let Some((result, read)) = record.result {
        text.push_str(&format!("    returned {result:?} ({read})\n"));
    }
    let info: Vec<String> =
        record.info.iter().filter(|(_, n)| *n != 0).map(|(name, n)| format!("{name} {n}")).collect();
    text.push_str(&format!("    {}\n", info.join(", ")));
    text
}

/// How long the host had sent nothing when a step began: a timer that runs out in it may be as old.
fn waited(played: &Played, at: usize) -> Duration {
    let mut waited = Duration::ZERO;
    for step in (0..at).rev() {
        let length = played.length(step);
        if let Some(last) = played.steps[step].packets.last() {
            return waited + length.saturating_sub(last.after);
        }
        waited += length;
    }
    waited
}

/// `waited`: how long nothing had been sent before.
fn difference(linux: &StepRecord, segue: &StepRecord, waited: Duration) -> Option<Aspect> {
    if linux.result != segue.result {
        return Some(Aspect::Result);
    }
    for at in 0..linux.packets.len().max(segue.packets.len()) {
        match (linux.packets.get(at), segue.packets.get(at)) {
            (Some(a), Some(b)) => {
                if let Some(field) = field(a, b, waited) {
                    return Some(Aspect::Field(field, a.clone(), b.clone()));
                }
            }
            (Some(missing), None) => return Some(Aspect::Missing(missing.clone())),
            (None, Some(extra)) => return Some(Aspect::Extra(extra.clone())),
            (None, None) => {}
        }
    }
    let differing = linux.info.iter().zip(&segue.info).find(|((_, a), (_, b))| a != b);
    if let Some(((name, a), (_, b))) = differing {
        return Some(Aspect::Info(name, *a, *b));
    }
    (linux.info.len() != segue.info.len()).then_some(Aspect::NoInfo)
}

fn sort(packet: &Seen) -> String {
    let data = if packet.len > 0 { " with data" } else { "" };
    format!("{}{data}", letters(packet.flags.bits()))
}

/// The first field in which two packets differ.
fn field(a: &Seen, b: &Seen, waited: Duration) -> Option<&'static str> {
    if a.flags != b.flags {
        return Some("flags");
    }
    if a.sequence != b.sequence {
        return Some("sequence");
    }
    if a.len != b.len {
        return Some("length");
    }
    if a.acknowledgment != b.acknowledgment {
        return Some("acknowledgment");
    }
    if a.options != b.options {
        return Some("options");
    }
    if a.urgent != b.urgent {
        return Some("urgent pointer");
    }
    // How much memory a packet takes is each host's own affair; a window that is shut or was never adjusted is not.
    let (small, large) = (a.window.min(b.window), a.window.max(b.window));
    if u32::from(large) * 8 > u32::from(small) * 9 {
        return Some("window");
    }
    // What leaves at once waits for no timer.
    let waited = if b.after > AT_ONCE { waited + b.after } else { b.after };
    (a.after.abs_diff(b.after) > tolerance(waited)).then_some("time")
}

/// How far two packets may be apart of which one waited so long for a timer: as late as the timers of the kernel run out that
/// the stories were told to, with 250 ticks a second, and a few ticks of a busy machine.
fn tolerance(waited: Duration) -> Duration {
    const WHEEL: TimerWheel = TimerWheel::new(Duration::from_millis(4));
    WHEEL.slack(waited).max(Duration::from_millis(14) + waited / 12)
}
