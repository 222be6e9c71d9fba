//! The cubic curve: where the window should be after a time without congestion.
//!
//! Decides nothing about when. Owns the formulas of RFC 9438 section 4.2 in Linux's units, so that windows are the same
//! to the segment: whole segments, a clock of jiffies, time in 2^-10 s, C = 410/1024.

use segue_wire::Instant;

use crate::units::Packets;

/// Jiffies in a second: what Linux has unless it is built otherwise (CONFIG_HZ).
pub(super) const HZ: u64 = 250;
/// A jiffy in microseconds.
pub(super) const JIFFY: u64 = 1_000_000 / HZ;

/// RFC 9438 section 4.1.1, C = 0.4 segments per cubed second.
const C: u128 = 410;
const C_SHIFT: u32 = 10;
/// Times are in 2^-10 s.
const TIME_SHIFT: u32 = 10;
/// Times are not followed beyond this: 24 days and more, in which the curve leaves every window behind.
const MOST: u64 = 1 << 31;

/// The clock.
pub(super) fn jiffies(at: Instant) -> u64 {
    at.as_micros() / JIFFY
}

/// Jiffies in 2^-10 s.
pub(super) fn ticks(jiffies: u64) -> u64 {
    (jiffies.min(MOST) << TIME_SHIFT) / HZ
}

/// The largest r with r³ ≤ x, for x below 2^126.
pub(super) fn cube_root(x: u128) -> u64 {
    let mut root: u128 = 0;
    let mut bit = 1u128 << 41;
    while bit > 0 {
        let next = root | bit;
        if next * next * next <= x {
            root = next;
        }
        bit >>= 1;
    }
    root as u64
}

/// One stage of congestion avoidance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Curve {
    /// W_max: where the curve is flat.
    plateau: Packets,
    /// K in 2^-10 s: how long it takes to come back to `plateau`.
    k: u64,
}

impl Curve {
    /// Section 4.2: from `from` up to `plateau` and beyond; flat at the start when it is there already.
    pub(super) fn new(from: Packets, plateau: Packets) -> Curve {
        let gap = plateau.saturating_sub(from);
        if gap == Packets(0) {
            return Curve { plateau: from, k: 0 };
        }
        // Figure 2: K = cbrt((W_max - cwnd_epoch) / C).
        let k = cube_root((u128::from(gap.0) << (C_SHIFT + 3 * TIME_SHIFT)) / C);
        Curve { plateau, k }
    }

    /// Figure 1: W_cubic(t) = C (t - K)³ + W_max.
    pub(super) fn at(&self, t: u64) -> Packets {
        let d = u128::from(t.abs_diff(self.k));
        let change = (C * d * d * d) >> (C_SHIFT + 3 * TIME_SHIFT);
        let change = Packets(u32::try_from(change).unwrap_or(u32::MAX));
        if t < self.k { self.plateau.saturating_sub(change) } else { self.plateau.saturating_add(change) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *state >> 33
    }

    #[test]
    fn the_cube_root_is_the_largest_whose_cube_is_not_larger() {
        let mut state = 7;
        for bits in 0..126 {
            for _ in 0..20 {
                let x = (u128::from(random(&mut state)) << 95 | u128::from(random(&mut state)) << 60) >> (126 - bits);
                let root = u128::from(cube_root(x));
                assert!(root.pow(3) <= x && (root + 1).pow(3) > x, "{x}: {root}");
            }
        }
        assert_eq!([0, 1, 7, 8, 26, 27].map(cube_root), [0, 1, 1, 2, 2, 3]);
    }

    // RFC 9438 section 4.2 in floating point, as it is printed.
    #[test]
    fn the_curve_agrees_with_floating_point() {
        let mut state = 1;
        for _ in 0..2_000 {
            let plateau = 2 + random(&mut state) % (1 << (1 + random(&mut state) % 22));
            let from = plateau * 7 / 10 + random(&mut state) % (plateau / 5 + 1);
            let curve = Curve::new(Packets(from as u32), Packets(plateau as u32));
            let c = 410.0 / 1024.0;
            let (w_max, k) = match from < plateau {
                true => (plateau as f64, ((plateau - from) as f64 / c).cbrt()),
                false => (from as f64, 0.0),
            };
            for _ in 0..10 {
                let jiffies = random(&mut state) % (2 + 4 * (k * HZ as f64) as u64);
                let t = jiffies as f64 / HZ as f64;
                let expected = (c * (t - k).powi(3) + w_max).max(0.0);
                let got = f64::from(curve.at(ticks(jiffies)).0);
                // Time and K are known to 2^-10 s, the window to a segment.
                let slope = 3.0 * c * ((t - k).abs() + 0.002).powi(2) * 0.002;
                assert!((got - expected).abs() <= slope + 1.0, "{from} of {plateau} at {t}: {got} for {expected}");
            }
        }
    }

    #[test]
    fn a_window_of_a_hundred_that_fell_to_seventy_is_back_after_4_2_s() {
        let curve = Curve::new(Packets(70), Packets(100));
        assert_eq!(curve.k, 4_316, "cbrt(30 / 0.4004) = 4.215 s");
        assert_eq!(curve.at(0), Packets(71), "what is below a segment does not count");
        assert_eq!(curve.at(4_316), Packets(100));
        assert_eq!(curve.at(2 * 4_316), Packets(129));
        assert_eq!(ticks(jiffies(Instant::from_millis(1_503))), 1_536, "375 jiffies");
    }

    #[test]
    fn extremes_saturate() {
        let huge = Packets(u32::MAX);
        assert_eq!(Curve::new(Packets(1), huge).at(ticks(u64::MAX)), huge);
        // K is known to 2^-10 s, which is something on so long a way.
        assert!(Curve::new(Packets(1), huge).at(0) < Packets(10_000));
        assert_eq!(Curve::new(huge, huge).at(ticks(u64::MAX)), huge);
    }
}
