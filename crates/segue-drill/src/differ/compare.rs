//! What counts as a difference between two tellings of a story, and of what class it is.
//!
//! The reference is Linux. Times are compared with a tolerance: one of the hosts lives in real time.
use std::fmt;
use std::time::Duration;

use super::play::{Played, Seen, StepRecord};
use super::story::{Step, Story};

/// The first difference between two tellings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// At which step; 0 is the opening.
    pub step: usize,
    /// Differences of the same class have, most likely, the same cause.
    pub class: String,
    /// What each host did.
    pub words: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {}\n{}", self.step, self.class, self.words)
    }
}

/// The first step at which Segue does not do what Linux does.
pub fn compare(story: &Story, linux: &Played, segue: &Played) -> Option<Difference> {
    linux.steps.iter().zip(&segue.steps).enumerate().find_map(|(step, (linux, segue))| {
        let class = difference(linux, segue)?;
        let state = |record: &StepRecord| record.info.first().map_or(0, |(_, state)| *state);
        let before = step.checked_sub(1).and_then(|at| played_state(linux, at)).unwrap_or(state(linux));
        let doing = step.checked_sub(1).and_then(|at| story.steps.get(at)).map_or("opening".to_owned(), kind);
        let class = format!("{class} | {doing} | state {before}");
        let words = format!("linux:\n{}segue:\n{}", show(linux), show(segue));
        Some(Difference { step, class, words })
    })
}

/// The state a record ends with.
fn played_state(record: &StepRecord, _at: usize) -> Option<u64> {
    record.info.first().map(|(_, state)| *state)
}

fn kind(step: &Step) -> String {
    match step {
        Step::Segment(segment) => {
            let text = segment.to_string();
            text.split_whitespace()
                .take(3)
                .map(|word| word.split('(').next().unwrap_or(word))
                .collect::<Vec<_>>()
                .join(" ")
        }
        Step::Set(level, name, _) => format!("setsockopt {level} {name}"),
        other => other.to_string().split_whitespace().next().unwrap_or_default().to_owned(),
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

fn difference(linux: &StepRecord, segue: &StepRecord) -> Option<String> {
    if linux.result != segue.result {
        return Some("result".to_owned());
    }
    for at in 0..linux.packets.len().max(segue.packets.len()) {
        match (linux.packets.get(at), segue.packets.get(at)) {
            (Some(a), Some(b)) => {
                if let Some(class) = packets_differ(a, b) {
                    return Some(class);
                }
            }
            (Some(missing), None) => return Some(format!("missing packet {}", sort(missing))),
            (None, Some(extra)) => return Some(format!("extra packet {}", sort(extra))),
            (None, None) => {}
        }
    }
    let info = linux.info.iter().zip(&segue.info).find(|((_, a), (_, b))| a != b);
    if let Some(((name, _), _)) = info {
        return Some(format!("info {name}"));
    }
    (linux.info.len() != segue.info.len()).then(|| "info missing".to_owned())
}

fn sort(packet: &Seen) -> String {
    let data = if packet.len > 0 { " with data" } else { "" };
    format!("{:?}{data}", packet.flags)
}

fn packets_differ(a: &Seen, b: &Seen) -> Option<String> {
    let field = |name: &str| Some(format!("packet {name} of {}", sort(a)));
    if a.flags != b.flags {
        return Some(format!("packet flags {} and {}", sort(a), sort(b)));
    }
    if a.sequence != b.sequence {
        return field("sequence");
    }
    if a.len != b.len {
        return field("length");
    }
    if a.acknowledgment != b.acknowledgment {
        return field("acknowledgment");
    }
    if a.options != b.options {
        return field("options");
    }
    if a.urgent != b.urgent {
        return field("urgent pointer");
    }
    // How much memory a packet takes is each host's own affair; a window that is shut or was never adjusted is not.
    let (small, large) = (a.window.min(b.window), a.window.max(b.window));
    if u32::from(large) * 8 > u32::from(small) * 9 {
        return field("window");
    }
    // Linux's timers tick in up to 4 ms, its scheduling adds more.
    let tolerance = Duration::from_millis(14) + a.after.max(b.after) / 12;
    (a.after.abs_diff(b.after) > tolerance).then(|| format!("packet time of {}", sort(a)))
}
