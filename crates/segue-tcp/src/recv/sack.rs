//! Selective acknowledgment, the receiver's side: which blocks the option tells, and when.
//!
//! Owns RFC 2018 section 4 (first the block that holds the newest segment, then those told last
//! before), RFC 2883 section 4 (a duplicate is told once, in front of the others), and Linux's
//! compression: with many segments out of order not each one is answered. Blocks are kept as stream
//! offsets; they are always runs of the reassembly queue, so nothing is told that is not held.

use core::time::Duration;

use segue_wire::tcp::SackBlocks;

use crate::config::Config;
use crate::units::{Peer, Seq};

/// Duplicates that leave one by one before compression begins: what a sender without RACK needs to
/// find a loss.
const UNCOMPRESSED: u8 = 3;

/// A half-open range of stream offsets.
type Range = (u64, u64);

/// Blocks by when they last changed, the newest first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Blocks {
    recent: [Range; SackBlocks::MAX],
    len: u8,
}

impl Blocks {
    fn iter(&self) -> impl Iterator<Item = &Range> {
        self.recent.iter().take(usize::from(self.len))
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// End of the block that reaches furthest.
    pub(crate) fn end(&self) -> Option<u64> {
        self.iter().map(|(_, end)| *end).max()
    }

    /// A run has changed: it comes first, and what it has swallowed goes. The place that the first of
    /// those had; `None`: the block is new.
    pub(crate) fn renew(&mut self, run: Range) -> Option<usize> {
        let old = *self;
        let apart = |(start, end): &Range| *end < run.0 || *start > run.1;
        *self = Blocks::default();
        self.push(run);
        old.iter().filter(|range| apart(range)).for_each(|range| self.push(*range));
        old.iter().position(|range| !apart(range))
    }

    fn push(&mut self, range: Range) {
        if let Some(slot) = self.recent.get_mut(usize::from(self.len)) {
            *slot = range;
            self.len += 1;
        }
    }

    /// Keeps the blocks that `held` knows.
    pub(crate) fn retain(&mut self, held: impl Fn(u64) -> bool) {
        let old = *self;
        *self = Blocks::default();
        old.iter().filter(|(start, _)| held(*start)).for_each(|range| self.push(*range));
    }
}

/// What the next acknowledgment tells beside its number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) blocks: Blocks,
    /// A duplicate that came and has not been told.
    pub(crate) duplicate: Option<(Seq<Peer>, Seq<Peer>)>,
    pub(crate) compression: Compression,
}

impl Told {
    /// Blocks that the next segment carries, `most` at most.
    pub(crate) fn count(&self, most: usize) -> usize {
        (self.blocks.len() + usize::from(self.duplicate.is_some())).min(most)
    }

    /// The option. `nxt` is RCV.NXT and `offset` its stream offset.
    pub(crate) fn option(&self, nxt: Seq<Peer>, offset: u64, most: usize) -> SackBlocks {
        let mut option = SackBlocks::new();
        if let Some((start, end)) = self.duplicate {
            option.push(start.raw(), end.raw());
        }
        let number = |at: u64| (nxt + (at.wrapping_sub(offset) as u32)).raw();
        for (start, end) in self.blocks.iter() {
            option.push(number(*start), number(*end));
        }
        option.truncate(most);
        option
    }

    /// RFC 2883 section 4: one duplicate range per acknowledgment; one that touches the range waiting
    /// to be told extends it, another one replaces it.
    pub(crate) fn note_duplicate(&mut self, start: Seq<Peer>, end: Seq<Peer>) {
        self.duplicate = match self.duplicate {
            Some((first, last)) if !start.after(last) && !first.after(end) => {
                Some((if start.before(first) { start } else { first }, if end.after(last) { end } else { last }))
            }
            _ => Some((start, end)),
        };
    }
}

/// Which of the duplicates that out-of-order data cause are not sent (`tcp_comp_sack_*`).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compression {
    /// RCV.NXT that the counts belong to.
    nxt: Option<Seq<Peer>>,
    /// Duplicates told one by one.
    told: u8,
    /// Duplicates held back since the last acknowledgment.
    pub(crate) held: u8,
}

/// When the answer to a segment out of order leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Now,
    /// Together with those that follow, this much later at most.
    Within(Duration),
}

impl Compression {
    /// Out-of-order data are held, and a segment has come.
    pub(crate) fn answer(&mut self, nxt: Seq<Peer>, rtt: Option<Duration>, config: &Config) -> Answer {
        if self.held >= config.comp_sack_nr {
            return Answer::Now;
        }
        if self.nxt != Some(nxt) {
            (self.nxt, self.told) = (Some(nxt), 0);
        }
        if self.told < UNCOMPRESSED {
            self.told += 1;
            return Answer::Now;
        }
        self.held = self.held.saturating_add(1);
        let share = rtt.unwrap_or(Duration::ZERO) * u32::from(config.comp_sack_rtt_percent) / 100;
        Answer::Within(share.min(config.comp_sack_delay) + config.comp_sack_slack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(told: &Blocks) -> Vec<Range> {
        told.iter().copied().collect()
    }

    #[test]
    fn the_newest_block_comes_first_and_swallows_what_it_touches() {
        let mut told = Blocks::default();
        for run in [(10, 20), (30, 40), (50, 60)] {
            let _ = told.renew(run);
        }
        assert_eq!(blocks(&told), [(50, 60), (30, 40), (10, 20)]);
        told.renew((10, 40));
        assert_eq!(blocks(&told), [(10, 40), (50, 60)]);
    }

    #[test]
    fn of_more_than_four_the_one_told_longest_ago_is_forgotten() {
        let mut told = Blocks::default();
        for i in 0..6 {
            told.renew((i * 20 + 10, i * 20 + 20));
        }
        assert_eq!(blocks(&told), [(110, 120), (90, 100), (70, 80), (50, 60)]);
        assert_eq!(told.end(), Some(120));
    }

    #[test]
    fn numbers_wrap_and_a_duplicate_stands_in_front() {
        let mut told = Told::default();
        told.blocks.renew((1_010, 1_020));
        told.note_duplicate(Seq::new(u32::MAX - 9), Seq::new(u32::MAX - 4));
        let nxt = Seq::new(u32::MAX - 4);
        assert_eq!(*told.option(nxt, 1_000, 4), [(u32::MAX - 9, u32::MAX - 4), (5, 15)]);
        assert_eq!((told.count(4), told.count(1)), (2, 1));
        assert_eq!(told.option(nxt, 1_000, 1).len(), 1);
    }

    #[test]
    fn three_duplicates_leave_one_by_one_and_later_ones_wait_for_each_other() {
        let config = Config::default();
        let mut compression = Compression::default();
        let nxt = Seq::new(7);
        let rtt = Some(Duration::from_millis(100));
        for _ in 0..3 {
            assert_eq!(compression.answer(nxt, rtt, &config), Answer::Now);
        }
        let most = config.comp_sack_delay + config.comp_sack_slack;
        for held in 1..=config.comp_sack_nr {
            assert_eq!(compression.answer(nxt, rtt, &config), Answer::Within(most), "{held}");
        }
        // The 45th does not wait.
        assert_eq!(compression.answer(nxt, rtt, &config), Answer::Now);
        compression.held = 0;
        // RCV.NXT has moved: the count begins anew.
        assert_eq!(compression.answer(nxt + 1, rtt, &config), Answer::Now);
    }

    #[test]
    fn a_short_path_is_made_to_wait_for_a_share_of_its_round_trip() {
        let config = Config { comp_sack_slack: Duration::ZERO, ..Config::default() };
        let mut compression = Compression::default();
        let answers: Vec<Answer> =
            (0..4).map(|_| compression.answer(Seq::new(0), Some(Duration::from_micros(300)), &config)).collect();
        assert_eq!(answers[3], Answer::Within(Duration::from_micros(99)));
    }
}
