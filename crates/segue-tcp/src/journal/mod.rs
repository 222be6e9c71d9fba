//! What a connection has to tell about itself beside its events: counts, and decisions if asked.
//!
//! Decides nothing and changes nothing; costs one branch where there is nothing to tell. A
//! journal that nobody asked for decisions and that has nothing to count owns no memory.

mod decision;
mod statistic;

use alloc::boxed::Box;
use alloc::vec::Vec;

use segue_wire::Instant;

pub use decision::{CaState, ControllerPhase, Decided, Decision, FlowState, LossReason, ReductionReason, UndoReason};
pub use statistic::Statistic;

/// Decisions kept for who asks; later ones are dropped until somebody takes them.
const MOST_DECISIONS: usize = 16_384;

#[derive(Debug, Default)]
struct Pages {
    counts: Vec<(Statistic, u32)>,
    decisions: Option<Vec<Decided>>,
}

/// What has been noted since somebody last asked.
#[derive(Debug, Default)]
pub(crate) struct Journal(Option<Box<Pages>>);

impl Journal {
    /// One more.
    pub(crate) fn count(&mut self, statistic: Statistic) {
        self.add(statistic, 1);
    }

    /// `n` more.
    pub(crate) fn add(&mut self, statistic: Statistic, n: u32) {
        if n == 0 {
            return;
        }
        let counts = &mut self.0.get_or_insert_default().counts;
        match counts.iter_mut().find(|(known, _)| *known == statistic) {
            Some((_, count)) => *count = count.saturating_add(n),
            None => counts.push((statistic, n)),
        }
    }

    /// Everything counted, once.
    pub(crate) fn take_counts(&mut self) -> Vec<(Statistic, u32)> {
        let Some(pages) = &mut self.0 else { return Vec::new() };
        let counts = core::mem::take(&mut pages.counts);
        if pages.decisions.is_none() {
            self.0 = None;
        }
        counts
    }

    /// Whether decisions are kept from now on.
    pub(crate) fn trace(&mut self, on: bool) {
        match (&mut self.0, on) {
            (pages, true) => {
                pages.get_or_insert_default().decisions.get_or_insert_default();
            }
            (Some(pages), false) => pages.decisions = None,
            (None, false) => {}
        }
    }

    /// Nothing was ever noted, and nobody waits for decisions.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether somebody wants decisions: what only they need is not worked out otherwise.
    pub(crate) fn is_traced(&self) -> bool {
        self.0.as_ref().is_some_and(|pages| pages.decisions.is_some())
    }

    /// Keeps a decision if somebody wants it.
    pub(crate) fn decide(&mut self, at: Instant, what: impl FnOnce() -> Decision) {
        if let Some(decisions) = self.0.as_mut().and_then(|pages| pages.decisions.as_mut())
            && decisions.len() < MOST_DECISIONS
        {
            decisions.push(Decided { at, what: what() });
        }
    }

    /// Every decision that was kept, once.
    pub(crate) fn take_decisions(&mut self) -> Vec<Decided> {
        let decisions = self.0.as_mut().and_then(|pages| pages.decisions.as_mut());
        decisions.map(core::mem::take).unwrap_or_default()
    }
}
