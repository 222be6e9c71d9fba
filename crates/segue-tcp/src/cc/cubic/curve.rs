//! The cubic curve: where the window should be after a time without congestion.
//!
//! Decides nothing about when. Owns the formulas of RFC 9438 sections 4.2 and 4.3 in integers:
//! windows are segments with 32 bits of fraction, time is milliseconds.

use core::time::Duration;

/// Bits of fraction in a window.
pub(super) const FRACTION: u32 = 32;

/// RFC 9438 section 4.1.1, C = 0.4 segments per cubed second: W grows by `2 d³ / (5·10⁹)` in d milliseconds.
const C_TIMES: u128 = 2;
const C_PER: u128 = 5_000_000_000;
/// Section 4.3, alpha = 3 (1 - beta) / (1 + beta) with beta = 0.7.
const ALPHA: u64 = 9;
const ALPHA_PER: u64 = 17;
/// Times are not followed beyond this: 24 days, in which the curve leaves every window behind.
const MOST_MS: u64 = 1 << 31;

/// Segments with a fraction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Segments(u64);

impl Segments {
    pub(super) const fn whole(segments: u32) -> Segments {
        Segments((segments as u64) << FRACTION)
    }

    pub(super) const fn with_fraction(segments: u32, fraction: u32) -> Segments {
        Segments(((segments as u64) << FRACTION) | fraction as u64)
    }

    pub(super) const fn floor(self) -> u32 {
        (self.0 >> FRACTION) as u32
    }

    pub(super) const fn fraction(self) -> u32 {
        self.0 as u32
    }

    fn saturating(value: u128) -> Segments {
        Segments(u64::try_from(value).unwrap_or(u64::MAX))
    }

    fn minus(self, other: Segments) -> Segments {
        Segments(self.0.saturating_sub(other.0))
    }

    pub(super) fn plus(self, other: Segments) -> Segments {
        Segments(self.0.saturating_add(other.0))
    }

    /// One and a half times as much.
    pub(super) fn and_a_half(self) -> Segments {
        Segments(self.0.saturating_add(self.0 / 2))
    }

    /// `self * numerator / denominator`.
    fn scaled(self, numerator: u64, denominator: u64) -> Segments {
        Segments::saturating(u128::from(self.0) * u128::from(numerator) / u128::from(denominator.max(1)))
    }
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
    plateau: Segments,
    /// K in milliseconds: how long it takes to come back to `plateau`.
    k: u64,
}

impl Curve {
    /// Section 4.2: from `from` up to `plateau` and beyond; flat at the start when it is there already.
    pub(super) fn new(from: Segments, plateau: Segments) -> Curve {
        let gap = plateau.minus(from);
        if gap == Segments::default() {
            return Curve { plateau: from, k: 0 };
        }
        // Figure 2: K = cbrt((W_max - cwnd_epoch) / C), in milliseconds.
        let cubed = (u128::from(gap.0) * (C_PER / C_TIMES)) >> FRACTION;
        Curve { plateau, k: cube_root(cubed) }
    }

    /// Figure 1: W_cubic(t) = C (t - K)³ + W_max.
    pub(super) fn at(&self, t: Duration) -> Segments {
        let t = u64::try_from(t.as_millis()).unwrap_or(MOST_MS).min(MOST_MS);
        let d = u128::from(t.abs_diff(self.k).min(MOST_MS));
        let change = Segments::saturating(((d * d * d * C_TIMES) << (FRACTION - 1)) / (C_PER >> 1));
        if t < self.k { self.plateau.minus(change) } else { self.plateau.plus(change) }
    }
}

/// Section 4.2: how far the window moves towards `target` when `acked` segments are acknowledged.
pub(super) fn step_towards(cwnd: Segments, target: Segments, acked: u32) -> Segments {
    let gap = u128::from(target.minus(cwnd).0) << FRACTION;
    Segments::saturating(gap * u128::from(acked) / u128::from(cwnd.0.max(1)))
}

/// Section 4.3: what Reno's window gains in fairness to it; `whole`: it has come back to where the last
/// reduction began, and gains as much as Reno.
pub(super) fn reno_step(cwnd: Segments, acked: u32, whole: bool) -> Segments {
    let one = Segments::saturating((u128::from(acked) << (2 * FRACTION)) / u128::from(cwnd.0.max(1)));
    if whole { one } else { one.scaled(ALPHA, ALPHA_PER) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real(segments: Segments) -> f64 {
        segments.0 as f64 / 2f64.powi(FRACTION as i32)
    }

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
            let curve = Curve::new(Segments::whole(from as u32), Segments::whole(plateau as u32));
            let (w_max, k) = match from < plateau {
                true => (plateau as f64, ((plateau - from) as f64 / 0.4).cbrt()),
                false => (from as f64, 0.0),
            };
            for _ in 0..10 {
                let ms = random(&mut state) % (2 + 4 * (k * 1000.0) as u64);
                let t = ms as f64 / 1000.0;
                let expected = 0.4 * (t - k).powi(3) + w_max;
                let got = real(curve.at(Duration::from_millis(ms)));
                // K is known to a millisecond.
                let slope = 1.2 * ((t - k).abs() + 0.001).powi(2) * 0.001;
                assert!((got - expected).abs() <= slope + 1e-6, "{from} of {plateau} at {t}: {got} for {expected}");
            }
        }
    }

    #[test]
    fn a_window_of_a_hundred_that_fell_to_seventy_is_back_after_4217_ms() {
        let curve = Curve::new(Segments::whole(70), Segments::whole(100));
        assert_eq!(curve.k, 4_217);
        assert!((real(curve.at(Duration::ZERO)) - 70.0).abs() < 0.03);
        assert_eq!(curve.at(Duration::from_millis(4_217)).floor(), 100);
        assert!((real(curve.at(Duration::from_millis(8_434))) - 130.0).abs() < 0.03);
    }

    #[test]
    fn extremes_saturate() {
        let huge = Segments::whole(u32::MAX);
        assert_eq!(Curve::new(Segments::whole(1), huge).at(Duration::MAX), Segments(u64::MAX));
        let _ = Curve::new(Segments::whole(1), huge).at(Duration::ZERO);
        assert_eq!(step_towards(Segments::whole(1), huge, u32::MAX), Segments(u64::MAX));
        assert_eq!(reno_step(Segments::default(), u32::MAX, true), Segments(u64::MAX));
    }

    #[test]
    fn a_window_of_acknowledgments_gains_alpha_or_a_whole_segment() {
        let cwnd = Segments::whole(34);
        assert!((real(reno_step(cwnd, 34, false)) - 9.0 / 17.0).abs() < 1e-6);
        assert!((real(reno_step(cwnd, 34, true)) - 1.0).abs() < 1e-6);
        // A window of acknowledgments reaches the target.
        assert!((real(step_towards(cwnd, Segments::whole(40), 34)) - 6.0).abs() < 1e-6);
    }
}
