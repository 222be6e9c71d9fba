//! Where a path's chance comes from.
//!
//! Xoshiro256++ (Blackman and Vigna), seeded by SplitMix64, one generator per
//! direction and per impairment: turning one on does not move the draws of another.
//! Integer arithmetic only, so that a seed gives the same run on every machine and in every version.
//! Invariant: for each wire packet that enters a direction every impairment that is
//! on draws exactly once, whatever the others decide.

use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::config::JitterShape;
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
fn mix(number: u64) -> u64 {
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

/// A delay's deviation: nanoseconds, negative when a packet is early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jitter {
    nanos: i64,
    shape: JitterShape,
}

impl Jitter {
    pub(crate) fn new(spread: Duration, shape: JitterShape) -> Jitter {
        Jitter { nanos: i64::try_from(spread.as_nanos()).unwrap_or(i64::MAX), shape }
    }

    /// The furthest that a draw can be from zero, in nanoseconds.
    pub(crate) fn most(self) -> u64 {
        let spread = self.nanos.unsigned_abs();
        match self.shape {
            JitterShape::Uniform => spread,
            JitterShape::Normal => spread.saturating_mul(6),
        }
    }

    pub(crate) fn draw(self, random: &mut Random) -> i64 {
        if self.nanos == 0 {
            return 0;
        }
        match self.shape {
            JitterShape::Uniform => scaled(random.next(), self.nanos),
            JitterShape::Normal => {
                // Twelve uniform numbers in ±1/2 have a variance of twelve twelfths. Each draw gives two of them.
                let mut sum: i64 = 0;
                for _ in 0..6 {
                    let draw = random.next();
                    sum += (draw >> 32) as i64 + (draw & 0xffff_ffff) as i64;
                }
                let centred = sum - 6 * (1 << 32);
                ((i128::from(centred) * i128::from(self.nanos)) >> 32) as i64
            }
        }
    }
}

/// A draw as a number in -spread..=spread.
fn scaled(draw: u64, spread: i64) -> i64 {
    let width = 2 * i128::from(spread) + 1;
    ((i128::from(draw) * width) >> 64) as i64 - spread
}
