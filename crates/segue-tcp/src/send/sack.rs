//! Which of the peer's blocks are believed, and what a D-SACK is.
//!
//! Owns RFC 2018 section 5 (blocks only advise), RFC 2883 section 5 (how a D-SACK is told from a block) and
//! the limits, Linux's, that keep a lying peer from costing anything: a block must lie between SND.UNA and SND.NXT,
//! a D-SACK in the current recovery, and D-SACKs may not tell of more than was ever sent again.

use segue_wire::tcp::SackBlocks;

use super::Sender;
use super::ack::Ack;
use super::scoreboard::Arrival;
use crate::config::Config;
use crate::journal::{Decision, Statistic};
use crate::units::{Local, Seq};

/// A half-open range of sequence numbers.
type Block = (Seq<Local>, Seq<Local>);

/// What the blocks of an acknowledgment were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Told {
    /// A credible D-SACK was among them.
    pub(super) duplicate: bool,
    /// It was for a tail-loss probe.
    pub(super) of_probe: bool,
}

/// The D-SACK among the blocks of a segment that acknowledges `number`, which is the first block or none,
/// and whether it tells of data below the acknowledgment.
fn find_duplicate(blocks: &SackBlocks, number: Seq<Local>) -> Option<(Block, bool)> {
    let block = |at: usize| blocks.get(at).map(|(start, end)| (Seq::new(*start), Seq::new(*end)));
    let first: Block = block(0)?;
    if first.0.before(number) {
        return Some((first, true));
    }
    let second: Block = block(1)?;
    let inside = !first.1.after(second.1) && !first.0.before(second.0);
    inside.then_some((first, false))
}

impl Sender {
    /// Takes the blocks of an acknowledgment. `prior`: SND.UNA before it.
    pub(super) fn take_blocks(&mut self, ack: &Ack, prior: Seq<Local>, arrival: &mut Arrival, config: &Config) -> Told {
        let mut told = Told::default();
        let found = find_duplicate(&ack.sack, ack.number);
        let duplicate = found.filter(|found| self.is_credible(*found, prior, arrival, &mut told, config));
        // Linux: what is older than a window says nothing about what is in flight.
        if ack.number.before(prior - self.max_window) || self.scoreboard.is_empty() {
            return told;
        }
        let mut blocks: [Option<Block>; SackBlocks::MAX] = [None; SackBlocks::MAX];
        for (at, (start, end)) in ack.sack.iter().enumerate() {
            let block = (Seq::new(*start), Seq::new(*end));
            let is_duplicate = at == 0 && duplicate.is_some();
            let usable = self.is_usable(block, is_duplicate, ack, arrival) && block.1.after(prior);
            if usable && is_duplicate {
                self.scoreboard.sack_duplicate(block.0, block.1, arrival);
            } else if usable && let Some(slot) = blocks.get_mut(at) {
                *slot = Some(block);
            }
        }
        // In the order of sequence, so that an earlier one is not taken for one that was overtaken.
        blocks.sort_unstable_by_key(|block| block.map_or(u32::MAX, |(start, _)| start.since(self.una)));
        for (start, end) in blocks.into_iter().flatten() {
            self.scoreboard.sack(start, end, arrival);
        }
        told
    }

    /// Linux's tcp_dsack_seen: whether something of ours can have come twice.
    fn is_credible(
        &mut self,
        (block, below): (Block, bool),
        prior: Seq<Local>,
        arrival: &mut Arrival,
        told: &mut Told,
        config: &Config,
    ) -> bool {
        let (start, end) = block;
        self.journal.count(if below { Statistic::DsackReceived } else { Statistic::DsackOfoReceived });
        let len = end.since(start);
        let mss = self.segment_size().max(1);
        let segments = len.div_ceil(mss);
        let resent = self.counts.resent;
        let possible = start.before(end) && len <= self.max_window && {
            let repair = self.repair(config);
            repair.duplicates = repair.duplicates.saturating_add(segments);
            repair.duplicates <= resent
        };
        if !possible {
            self.journal.count(Statistic::DsackIgnoredDubious);
            return false;
        }
        told.duplicate = true;
        told.of_probe = len <= mss && self.repair(config).probe.is_for(end);
        if !told.of_probe {
            self.repair(config).reordering.on_duplicate();
        }
        arrival.harvest.duplicates += segments;
        self.journal.add(Statistic::DsackSegments, segments);
        self.journal.decide(arrival.now, || Decision::Duplicate { start: start.raw(), end: end.raw() });
        // What is forgotten already can only be counted.
        if !end.after(prior) {
            arrival.undo.on_duplicate(segments, end);
        }
        true
    }

    /// Linux's tcp_is_sackblock_valid.
    fn is_usable(&mut self, (start, end): Block, duplicate: bool, ack: &Ack, arrival: &Arrival) -> bool {
        let within = start.before(end) && !end.after(self.nxt) && start.before(self.nxt);
        if within && start.after(self.una) {
            return true;
        }
        if !duplicate {
            // Acknowledgments overtake each other; that is no lie.
            if ack.number == self.una || end.after(self.una) {
                self.journal.count(Statistic::SackDiscard);
            }
            return false;
        }
        let Some(marker) = arrival.undo.marker() else {
            self.journal.count(Statistic::DsackIgnoredNoUndo);
            return false;
        };
        let recent = within
            && !end.after(self.una)
            && (!start.before(marker) || (end.after(marker) && !start.before(end - self.max_window)));
        if !recent {
            self.journal.count(Statistic::DsackIgnoredOld);
        }
        recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(ranges: &[(u32, u32)]) -> SackBlocks {
        let mut blocks = SackBlocks::new();
        for (start, end) in ranges {
            blocks.push(*start, *end);
        }
        blocks
    }

    // RFC 2883 section 4, its examples.
    #[test]
    fn a_dsack_lies_below_the_acknowledgment_or_inside_the_second_block() {
        for (number, ranges, expected) in [
            (4_000, &[(3_000, 3_500)][..], Some(true)),
            (4_000, &[(3_000, 3_500), (4_500, 5_000)], Some(true)),
            (4_000, &[(5_000, 5_500), (4_500, 5_500)], Some(false)),
            (1_000, &[(1_500, 2_000), (1_500, 3_000), (3_500, 4_000)], Some(false)),
            (1_000, &[(1_500, 3_000), (1_500, 2_000)], None),
            (1_000, &[(1_500, 2_000)], None),
            (1_000, &[], None),
        ] {
            let found = find_duplicate(&blocks(ranges), Seq::new(number));
            assert_eq!(found.map(|(_, below)| below), expected, "{number} {ranges:?}");
        }
    }
}
