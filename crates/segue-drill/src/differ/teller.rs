//! Tells stories to this machine's kernel and to Segue, and says whether they answered alike.
//!
//! Decides what is put down to a busy machine: a difference counts when it is there each time the story is told. A timer that
//! runs out at the edge of a step says nothing of either host; the story is told again, slower, so that it runs out within one.
use segue_kernel::sys::raise_priority;

use super::compare::{Difference, compare};
use super::play::{Played, play};
use super::shrink::{Verdict, shrink};
use super::story::Story;
use super::{Setting, linux, segue};
use crate::host::{HostError, LinuxHost};

/// How often a story that differs is told in all.
const TELLINGS: usize = 6;
/// In how many of them a difference has to show.
const ENOUGH: usize = 3;
/// Milliseconds by which waits last longer when a timer ran out at the edge of one.
const EASE: u32 = 17;

/// What came of a story.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Told {
    /// Both hosts did the same.
    Agreed,
    /// They differed, and did not when the story was told again, or only in the step in which a timer ran out: something else
    /// was going on on this machine.
    Unsteady,
    /// They differ.
    Differed(Box<Difference>),
}

/// This machine's kernel, beside which stories are told to fresh Segue stacks.
pub struct Teller {
    reference: LinuxHost,
    settings: Vec<Setting>,
    /// Each telling has ports of its own.
    number: u16,
}

impl Teller {
    /// Make a namespace of this machine's kernel, for stories told by this thread. Needs root, or [`crate::prepare_namespaces`].
    ///
    /// # Errors
    /// What is missing.
    pub fn new(settings: &[Setting]) -> Result<Teller, HostError> {
        // What a story says is to happen when it says so.
        raise_priority();
        Ok(Teller { reference: linux(settings)?, settings: settings.to_vec(), number: 0 })
    }

    /// Tell a story to both, again when they differ.
    ///
    /// # Errors
    /// A host cannot go on.
    pub fn tell(&mut self, story: &Story) -> Result<Told, HostError> {
        let (mut seen, mut last, mut edges) = (0, None, 0);
        for _ in 0..TELLINGS {
            let story = story.slower(edges * EASE);
            let theirs = self.ask_linux(&story)?;
            let ours = self.ask_segue(&story, &theirs)?;
            match compare(&story, &theirs, &ours) {
                None if seen == 0 => return Ok(Told::Agreed),
                None => return Ok(Told::Unsteady),
                Some(difference) if difference.is_at_edge => edges += 1,
                // What is understood needs no second telling.
                Some(difference) if difference.intended.is_some() => return Ok(Told::Differed(Box::new(difference))),
                Some(difference) => (seen, last) = (seen + 1, Some(difference)),
            }
            if seen == ENOUGH + 1 {
                break;
            }
        }
        Ok(last.filter(|_| seen >= ENOUGH).map_or(Told::Unsteady, |difference| Told::Differed(Box::new(difference))))
    }

    /// What the kernel answers to a story.
    ///
    /// # Errors
    /// The kernel cannot go on as a host.
    pub fn ask_linux(&mut self, story: &Story) -> Result<Played, HostError> {
        self.number = self.number.wrapping_add(1);
        match play(&mut self.reference, story, self.number, None) {
            Ok(played) => Ok(played),
            Err(error) => {
                // The next story is not to suffer from this one.
                self.reference = linux(&self.settings)?;
                Err(error)
            }
        }
    }

    /// What a fresh Segue stack answers to it, at the pace of the kernel's telling.
    ///
    /// # Errors
    /// A setting is missing.
    pub fn ask_segue(&self, story: &Story, pace: &Played) -> Result<Played, HostError> {
        play(&mut segue(&self.settings)?, story, self.number, Some(pace))
    }

    /// Cut a story down to what shows this class of difference.
    ///
    /// # Errors
    /// A host cannot go on.
    pub fn shrink(&mut self, story: &Story, class: &str) -> Result<Verdict, HostError> {
        shrink(self, story, class)
    }
}
