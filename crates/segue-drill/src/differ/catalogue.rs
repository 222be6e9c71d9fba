//! Where Segue means to answer otherwise than Linux: each with its reason, and with what tells it from a mistake.
//!
//! Decides which differences are explained. An entry is matched by what happened, never by a seed; what no entry matches
//! is an open class.
use super::compare::Telling;

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
pub static INTENDED: &[Intended] = &[];

/// The entry that explains a difference.
pub(super) fn explain(telling: &Telling<'_>) -> Option<&'static Intended> {
    INTENDED.iter().find(|intended| (intended.matches)(telling))
}

/// The entry of this name.
pub fn intended(name: &str) -> Option<&'static Intended> {
    INTENDED.iter().find(|intended| intended.name == name)
}
