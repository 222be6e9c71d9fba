//! An instant that may be "never", in eight bytes.

use segue_wire::Instant;

/// When something is due; [`Deadline::NEVER`] when nothing is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) const NEVER: Deadline = Deadline(Instant::MAX);

    pub(crate) const fn at(when: Instant) -> Deadline {
        Deadline(when)
    }

    pub(crate) fn is_set(self) -> bool {
        self != Deadline::NEVER
    }

    pub(crate) fn is_due(self, now: Instant) -> bool {
        self.is_set() && self.0 <= now
    }

    pub(crate) fn instant(self) -> Option<Instant> {
        self.is_set().then_some(self.0)
    }
}

impl Default for Deadline {
    fn default() -> Self {
        Deadline::NEVER
    }
}
