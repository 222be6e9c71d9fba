//! What each round of a measurement took, and what it did besides work: pages touched for the first time, processors taken
//! away, memory asked for.
//!
//! Decides which round was the longest. Rounds are numbered; a measurement that is repeated does the same in the same round.
use std::ops::Range;
use std::time::Duration;

use segue_kernel::allocation;
use segue_kernel::process::{Interruptions, thread_interruptions};

use crate::error::PerfError;

/// One round of the server: what was due, packets in, the program, packets out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// Processor time.
    pub time: Duration,
    /// Pages that the kernel had to find for it.
    pub page_faults: u32,
    /// Times that another thread took the processor meanwhile.
    pub switches: u32,
    /// Bytes by which the heap grew.
    pub heap: u32,
}

pub(super) struct Rounds {
    all: Vec<Round>,
    /// Connections are being opened.
    pub(super) are_kept: bool,
    before: (Interruptions, Option<u64>),
}

impl Rounds {
    /// With room for the rounds of so many connections: what is measured must not take memory for being measured.
    pub(super) fn for_connections(count: u32) -> Rounds {
        const ROUNDS_OF_A_BATCH: usize = 8;
        let mut all = vec![Round::default(); (count as usize / super::BATCH as usize + 64) * ROUNDS_OF_A_BATCH];
        all.clear();
        Rounds { all, are_kept: false, before: (Interruptions::default(), None) }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn begin(&mut self) {
        self.before = (thread_interruptions(), allocation::heap_in_use());
    }

    pub(super) fn end(&mut self, time: Duration) {
        if !self.are_kept || self.all.len() == self.all.capacity() {
            return;
        }
        let (before, heap) = self.before;
        let now = thread_interruptions();
        let grown = allocation::heap_in_use().zip(heap).map_or(0, |(now, before)| now.saturating_sub(before));
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        self.all.push(Round {
            time,
            page_faults: small(now.page_faults - before.page_faults),
            switches: small(now.switches - before.switches),
            heap: small(grown),
        });
    }

    pub(super) fn longest(&self, of: Range<usize>) -> Round {
        let rounds = self.all.get(of).unwrap_or_default();
        rounds.iter().max_by_key(|round| round.time).copied().unwrap_or_default()
    }

    /// Of each round the shorter one.
    pub(super) fn take_least(&mut self, again: &Rounds) -> Result<(), PerfError> {
        let shared = self.all.len().min(again.all.len());
        if shared == 0 {
            return Err(PerfError::Unexpected("a repetition had no rounds".to_owned()));
        }
        for (round, other) in self.all.iter_mut().zip(&again.all) {
            if other.time < round.time {
                *round = *other;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_interrupts_one_repetition_is_not_in_the_least_of_all() {
        let rounds = |millis: &[u64]| {
            let mut rounds = Rounds::for_connections(10);
            rounds.are_kept = true;
            for millis in millis {
                rounds.begin();
                rounds.end(Duration::from_millis(*millis));
            }
            rounds
        };
        let mut least = rounds(&[3, 19, 2, 4]);
        assert_eq!(least.longest(0..4).time, Duration::from_millis(19));
        assert_eq!(least.longest(2..4).time, Duration::from_millis(4));
        least.take_least(&rounds(&[30, 2, 2, 5])).unwrap();
        assert_eq!(least.longest(0..4).time, Duration::from_millis(4));
    }
}
