//! Stories: what the books tell about TCP, played by two hosts in virtual time.
//!
//! Decides which stories there are and how one is played. A story narrates, prints its ladder of segments with the states
//! of both sides, and checks itself: when a host does not do what is told, playing it fails.
mod alive;
mod closing;
mod early;
mod ending;
mod losses;
mod moving;
mod opening;
mod queues;
mod resets;
mod stage;

use segue_link::Capture;

use crate::error::LabError;
use crate::ladder::Ladder;
use crate::tap::CaptureObserver;
use crate::transfer::LinePrinter;
use stage::Stage;

/// What a story answers with.
type Told = Result<(), LabError>;

/// One story.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Its chapter: `"opening"`, `"resets"`, `"queues and attack"`, `"moving data"`, `"loss and congestion"`, `"closing"`, `"keeping
    /// alive"`.
    pub chapter: &'static str,
    /// What happens, in one line.
    pub title: &'static str,
    /// Where it is written down.
    pub source: &'static str,
    tell: fn(&mut Stage) -> Told,
}

/// Every story, in the order in which they are best read.
pub fn stories() -> impl Iterator<Item = &'static Story> {
    [
        opening::STORIES,
        early::STORIES,
        resets::STORIES,
        queues::STORIES,
        moving::STORIES,
        losses::STORIES,
        closing::STORIES,
        ending::STORIES,
        alive::STORIES,
    ]
    .into_iter()
    .flatten()
}

/// The story with this name.
pub fn story(name: &str) -> Option<&'static Story> {
    stories().find(|story| story.name == name)
}

/// How to play a story.
pub struct StoryConfig {
    /// Where the narration and the ladder go, line by line.
    pub print: LinePrinter,
    /// Seed of sequence numbers and ports.
    pub seed: u64,
    /// Where to write the packets of both sides.
    pub capture: Option<Capture>,
}

/// Plays a story.
///
/// # Errors
/// [`LabError::Story`] when it did not go as it is told, [`LabError::Capture`] when the capture could not be written.
pub fn play(story: &Story, config: StoryConfig) -> Result<(), LabError> {
    let mut stage = Stage::new(config.seed, config.print);
    let capture = config.capture.clone();
    if let Some(capture) = config.capture {
        stage.lab.observe(CaptureObserver::new(capture));
    }
    let (left, right) = stage.ends();
    let printer = stage.printer();
    stage.lab.observe(Ladder::new(left, right, move |line: &str| printer.line(line)));
    (story.tell)(&mut stage)?;
    match capture {
        Some(capture) => capture.flush().map_err(LabError::Capture),
        None => Ok(()),
    }
}
