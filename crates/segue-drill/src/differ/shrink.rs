//! Cuts a story down to the steps that show its difference.

use super::compare::{Difference, compare};
use super::story::{Segment, Stamp, Step, Story};
use super::teller::Teller;
use crate::host::HostError;

/// How often the two hosts are asked for one story at most.
const MOST_TRIES: usize = 80;

/// What became of a story that showed a difference.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It did not show it again: something else was going on on this machine.
    Noise,
    /// The shortest story found that shows it, and the difference.
    Shown(Box<Story>, Difference),
}

/// The difference that a story shows now.
fn differ(teller: &mut Teller, story: &Story) -> Result<Option<Difference>, HostError> {
    let theirs = teller.ask_linux(story)?;
    let ours = teller.ask_segue(story, &theirs)?;
    Ok(compare(story, &theirs, &ours).filter(|difference| !difference.is_at_edge))
}

/// Cuts `story` down; `class` is what it showed first.
///
/// # Errors
/// A host cannot go on.
pub(super) fn shrink(teller: &mut Teller, story: &Story, class: &str) -> Result<Verdict, HostError> {
    let mut tries = 0;
    let mut shows = |story: &Story| {
        tries += 1;
        if tries > MOST_TRIES {
            return Ok(None);
        }
        // The cause is the same when what differs is; where it is seen may move.
        let same = |found: &Difference| found.class.split('|').next() == class.split('|').next();
        Ok::<_, HostError>(differ(teller, story)?.filter(same))
    };
    let Some(mut difference) = shows(story)? else { return Ok(Verdict::Noise) };
    let mut best = story.clone();
    best.steps.truncate(difference.step);
    let mut at = best.steps.len();
    while at > 0 {
        at -= 1;
        let mut shorter = best.clone();
        shorter.steps.remove(at);
        if let Some(found) = shows(&shorter)? {
            shorter.steps.truncate(found.step);
            at = at.min(shorter.steps.len());
            (best, difference) = (shorter, found);
        }
    }
    for at in 0..best.steps.len() {
        for simpler in simpler(&best.steps[at]) {
            let mut story = best.clone();
            story.steps[at] = simpler;
            if let Some(found) = shows(&story)? {
                (best, difference) = (story, found);
                break;
            }
        }
    }
    Ok(Verdict::Shown(Box::new(best), difference))
}

/// Plainer steps of the same kind.
fn simpler(step: &Step) -> Vec<Step> {
    match *step {
        Step::Segment(segment) => {
            let plain = Segment { stamp: Stamp::Good, window: 1000, ..segment };
            let mut simpler = vec![Step::Segment(Segment { len: 0, ..plain }), Step::Segment(plain)];
            simpler.retain(|other| other != step);
            simpler
        }
        Step::Write(len, flags) if len > 1000 => vec![Step::Write(1000, flags), Step::Write(2000, flags)],
        Step::Wait(ms) if ms > 20 => vec![Step::Wait(20)],
        _ => Vec::new(),
    }
}
