//! Where a path's chance comes from.
//!
//! Xoshiro256++ (Blackman and Vigna), seeded by SplitMix64, one generator per
//! direction and per impairment: turning one on does not move the draws of another.
//! Integer arithmetic only, so that a seed gives the same run on every machine and in every version.
//! Invariant: for each wire packet that enters a direction every impairment that is
//! on draws the same number of times, whatever the others decide. Only a queue draws when it needs to.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::units::Probability;

/// What a generator is for. The numbers are part of what a seed means: they never change and are never used again.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Purpose {
    Loss = 1,
    Duplicate = 2,
    Corrupt = 3,
    Jitter = 4,
    Reorder = 5,
    CopyCorrupt = 6,
    CopyJitter = 7,
    CopyReorder = 8,
    Mark = 9,
    Queue = 10,
}

/// One stream of random numbers.
pub(crate) struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The stream of `seed` for one purpose in one direction (0: A to B, 1: B to A).
    pub(crate) fn new(seed: u64, direction: u64, purpose: Purpose) -> Random {
        let stream = mix(mix(seed) ^ ((direction << 32) | purpose as u64));
        Random(Xoshiro256PlusPlus::seed_from_u64(stream))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// The finaliser of SplitMix64: neighbouring numbers become unrelated ones.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An event of fixed probability.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chance {
    /// Draws nothing.
    Never,
    /// Draws all the same, so that 100 % is not a special case for the stream.
    Always,
    /// Happens when the draw is below this.
    Below(u64),
}

impl Chance {
    pub(crate) fn new(probability: Probability) -> Chance {
        let fraction = probability.fraction();
        if fraction <= 0.0 {
            return Chance::Never;
        }
        if fraction >= 1.0 {
            return Chance::Always;
        }
        // 2^64 as a float is exact; the product is below it because the fraction is below 1.
        Chance::Below((fraction * 18_446_744_073_709_551_616.0) as u64)
    }

    pub(crate) fn happens(self, random: &mut Random) -> bool {
        match self {
            Chance::Never => false,
            Chance::Always => {
                random.next();
                true
            }
            Chance::Below(threshold) => random.next() < threshold,
        }
    }
}
