//! What a connection has to tell about itself beside its events: counts.
//!
//! Decides nothing and changes nothing; costs one branch where there is nothing to tell. A
//! journal without entries owns no memory.

mod statistic;

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use statistic::Statistic;

#[derive(Debug, Default)]
struct Pages {
    counts: Vec<(Statistic, u32)>,
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
        match self.0.take() {
            Some(pages) => pages.counts,
            None => Vec::new(),
        }
    }
}
