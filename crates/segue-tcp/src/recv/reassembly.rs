//! Out-of-order data: contiguous runs by stream offset, waiting for what is missing.
//!
//! Decides overlaps (what came first stays) and coalescing; RFC 9293 section 3.10.7.4, "segments
//! with higher beginning sequence numbers SHOULD be held". Invariants: runs neither touch nor
//! overlap. Cost: logarithmic in the number of holes; joining moves the smaller side.
//! Memory is charged by packet and pruned from the far end.

use alloc::collections::BTreeMap;

use segue_wire::Chunks;

use super::memory::Cost;
use super::slices::{Stretch, compact};

/// What became of data that came out of order; offsets in the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Inserted {
    /// Bytes that were new.
    pub(crate) new: usize,
    /// The run that holds them now.
    pub(crate) run: (u64, u64),
    /// The first stretch of them that was there already (RFC 2883 section 4).
    pub(crate) duplicate: Option<(u64, u64)>,
}

#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    /// By offset of the first byte.
    runs: BTreeMap<u64, Stretch>,
    charge: usize,
}

impl Reassembly {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Bytes of memory pinned.
    pub(crate) fn charge(&self) -> usize {
        self.charge
    }

    /// Number of runs, which is the number of holes.
    pub(crate) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Whether a run begins at `offset`.
    pub(crate) fn has_run_at(&self, offset: u64) -> bool {
        self.runs.contains_key(&offset)
    }

    /// Whether the byte at `offset` waits behind one that waits, too.
    pub(crate) fn holds(&self, offset: u64) -> bool {
        let before = self.runs.range(..offset).next_back();
        before.is_some_and(|(start, run)| start + run.len() as u64 > offset)
    }

    /// Where the run begins that ends at `offset`.
    pub(crate) fn start_of_run_to(&self, offset: u64) -> Option<u64> {
        let before = self.runs.range(..offset).next_back();
        before.filter(|(start, run)| *start + run.len() as u64 == offset).map(|(start, _)| *start)
    }

    /// The run nearest to the reader.
    pub(crate) fn first(&self) -> Option<(u64, u64)> {
        self.runs.first_key_value().map(|(start, run)| (*start, start + run.len() as u64))
    }

    /// Takes `data`, a packet's whose first byte has `offset`.
    pub(crate) fn insert(&mut self, offset: u64, mut data: Chunks, cost: Cost) -> Inserted {
        let mut start = offset;
        let whole = data.len();
        let end = offset + whole as u64;
        let mut added = 0;
        let mut cost = cost;
        let mut duplicate = None;
        // A run that begins before and reaches us takes us in.
        let (mut key, mut run) = match self.runs.range(..=start).next_back() {
            Some((&key, run)) if key + run.len() as u64 >= start => {
                let covered = key + run.len() as u64;
                if covered > start {
                    duplicate = Some((start, covered.min(end)));
                }
                if covered >= end {
                    return Inserted { new: 0, run: (key, covered), duplicate };
                }
                data.advance((covered - start) as usize);
                start = covered;
                (key, self.remove(key))
            }
            _ => (start, Stretch::default()),
        };
        loop {
            let next = self.runs.range(start..=end).next().map(|(&at, _)| at);
            let piece = next.unwrap_or(end) - start;
            added += piece as usize;
            if piece > 0 {
                // The first piece is charged for all of the packet.
                run.push(&compact(data.split_to(piece as usize), whole), core::mem::take(&mut cost));
            }
            start += piece;
            let Some(at) = next else { break };
            let following = self.remove(at);
            let covered = at + following.len() as u64;
            if at < end {
                duplicate = duplicate.or(Some((at, covered.min(end))));
            }
            data.advance((covered - start).min(data.len() as u64) as usize);
            run.append(following);
            start = covered;
            if start >= end {
                break;
            }
        }
        key = key.min(offset);
        let inserted = Inserted { new: added, run: (key, key + run.len() as u64), duplicate };
        if !run.is_empty() {
            self.charge += run.charge();
            self.runs.insert(key, run);
        }
        inserted
    }

    fn remove(&mut self, key: u64) -> Stretch {
        let run = self.runs.remove(&key).unwrap_or_default();
        self.charge -= run.charge();
        run
    }

    /// The run that begins at or before `offset`, cut to begin there: what has become in order.
    pub(crate) fn take_ready(&mut self, offset: u64) -> Option<Stretch> {
        while let Some((&key, run)) = self.runs.first_key_value() {
            if key > offset {
                return None;
            }
            let end = key + run.len() as u64;
            let mut run = self.remove(key);
            if end > offset {
                run.skip((offset - key) as usize);
                return Some(run);
            }
        }
        None
    }

    /// Rewrites every run into as few packets as it takes. How many were saved.
    pub(crate) fn collapse(&mut self) -> usize {
        let saved = self.runs.values_mut().map(Stretch::collapse).sum();
        self.charge = self.runs.values().map(Stretch::charge).sum();
        saved
    }

    /// Drops packets from the far end, but none in front of `incoming`, a part of the buffer at a time until `fits` says
    /// that what is still charged does. Whether any was dropped. The sender keeps what is not acknowledged, so nothing is
    /// lost but time.
    pub(crate) fn prune(&mut self, incoming: u64, part: usize, fits: impl Fn(usize) -> bool) -> bool {
        let mut freed = 0;
        let mut pruned = false;
        while let Some((&key, run)) = self.runs.last_key_value() {
            let end = key + run.len() as u64;
            if incoming > end - run.last_packet() as u64 {
                break;
            }
            let mut run = self.remove(key);
            let before = run.charge();
            run.drop_last_packet();
            freed += before - run.charge();
            if !run.is_empty() {
                self.charge += run.charge();
                self.runs.insert(key, run);
            }
            pruned = true;
            if freed >= part {
                if fits(self.charge) {
                    break;
                }
                freed = 0;
            }
        }
        pruned
    }

    /// Offset one past the last byte held.
    pub(crate) fn end(&self) -> Option<u64> {
        self.runs.last_key_value().map(|(key, run)| key + run.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use segue_wire::Bytes;

    fn chunk(from: usize, len: usize, salt: u8) -> Chunks {
        let bytes: Vec<u8> = (from..from + len).map(|i| (i % 241) as u8 ^ salt).collect();
        let mut chunks = Chunks::new();
        let cut = len / 3;
        let whole = Bytes::from(bytes);
        chunks.push_back(whole.slice(..cut));
        chunks.push_back(whole.slice(cut..));
        chunks
    }

    /// The naive model: a map from offset to byte in which the first writer wins.
    #[test]
    fn any_order_overlap_and_repetition_agrees_with_a_map_of_bytes() {
        for seed in 1..200u64 {
            let mut random = seed * 77;
            let mut next = |bound: usize| {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (random >> 33) as usize % bound
            };
            let total = 6_000;
            let mut model: Vec<Option<u8>> = vec![None; total];
            let mut reassembly = Reassembly::default();
            let (mut ready, mut got) = (0usize, Vec::new());
            for step in 0..400 {
                let from = ready + next(total - ready);
                let len = (1 + next(if step % 5 == 0 { 1_500 } else { 40 })).min(total - from);
                // A different salt shows whose byte was kept.
                let data = chunk(from, len, step as u8);
                let mut expected = 0;
                let known = |at: &usize| model[*at].is_some();
                let first = (from..from + len).find(known);
                let duplicate = first.map(|first| {
                    let last = (first..from + len).take_while(known).last().unwrap_or(first);
                    (first as u64, last as u64 + 1)
                });
                for (i, byte) in data.to_vec().into_iter().enumerate() {
                    let cell = &mut model[from + i];
                    expected += usize::from(cell.is_none());
                    cell.get_or_insert(byte);
                }
                let inserted = reassembly.insert(from as u64, data, Cost::of(40, len));
                assert_eq!(inserted.new, expected, "seed {seed} step {step}");
                assert_eq!(inserted.duplicate, duplicate, "seed {seed} step {step}");
                let held = |at: usize| at < total && model[at].is_some();
                let left = (ready..=from).rev().take_while(|at| held(*at)).last().unwrap_or(from);
                let right = (from..total).take_while(|at| held(*at)).count() + from;
                assert_eq!(inserted.run, (left as u64, right as u64), "seed {seed} step {step}");
                let holes = model[ready..].windows(2).filter(|pair| pair[0].is_none() && pair[1].is_some()).count()
                    + usize::from(model.get(ready).is_some_and(Option::is_some));
                assert_eq!(reassembly.runs(), holes, "seed {seed} step {step}");
                if next(8) == 0 {
                    while let Some(mut run) = reassembly.take_ready(ready as u64) {
                        run.take(usize::MAX, |bytes| got.extend_from_slice(&bytes));
                        ready = got.len();
                    }
                    let in_order = model.iter().take_while(|cell| cell.is_some()).count();
                    assert_eq!(ready, in_order, "seed {seed} step {step}");
                }
                if ready == total {
                    break;
                }
            }
            let expected: Vec<u8> = model.iter().map_while(|cell| *cell).take(ready).collect();
            assert!(got == expected, "seed {seed}");
        }
    }

    #[test]
    fn pruning_drops_the_far_end_first_and_gives_memory_back() {
        let mut reassembly = Reassembly::default();
        for i in 0..100u64 {
            reassembly.insert(i * 2_000, chunk(0, 1_000, 0), Cost::of(40, 1_000));
        }
        let before = reassembly.charge();
        assert!(before >= 100_000);
        // What comes in behind everything is not worth more than what is there.
        assert!(!reassembly.prune(200_000, 10_000, |charge| charge <= 50_000));
        assert!(reassembly.prune(20_000, 10_000, |charge| charge <= 50_000));
        assert!((40_000..=50_000).contains(&reassembly.charge()), "{}", reassembly.charge());
        assert!(reassembly.end().is_some_and(|end| end < 100_000));
        assert!(reassembly.take_ready(0).is_some());
        assert!(reassembly.prune(20_000, 10_000, |_| false));
        assert_eq!(reassembly.end(), Some(19_000));
        assert!(reassembly.prune(0, 10_000, |_| false));
        assert_eq!((reassembly.charge(), reassembly.runs()), (0, 0));
    }

    #[test]
    fn of_a_long_run_only_the_end_is_dropped() {
        let mut reassembly = Reassembly::default();
        for i in 0..20usize {
            reassembly.insert(1_000 + i as u64 * 1_000, chunk(i * 1_000, 1_000, 0), Cost::of(40, 1_000));
        }
        assert!(reassembly.prune(500, 5_000, |charge| charge <= 20_000));
        assert_eq!(reassembly.runs(), 1);
        let end = reassembly.end().unwrap_or(0) as usize;
        assert!((5_000..15_000).contains(&end), "{end}");
        let mut run = reassembly.take_ready(1_000).unwrap_or_default();
        let mut got = vec![0; run.len()];
        run.read(&mut got);
        assert_eq!(got.len(), end - 1_000);
        assert!(got == chunk(0, end - 1_000, 0).to_vec());
    }

    #[test]
    fn a_thousand_tiny_pieces_do_not_pin_a_thousand_buffers() {
        let mut reassembly = Reassembly::default();
        for i in 0..1_000u64 {
            // Each piece is one byte of a buffer of 2000.
            let buffer = Bytes::from(vec![1u8; 2_000]);
            reassembly.insert(10 + i, buffer.slice(5..6).into(), Cost::of(40, 1));
        }
        assert_eq!(reassembly.runs(), 1);
        assert!(reassembly.charge() < 8_000, "{} bytes for 1000", reassembly.charge());
    }
}
