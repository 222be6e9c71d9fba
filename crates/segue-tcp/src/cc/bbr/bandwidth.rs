//! Rates and what follows from them: volumes, gains, filters.
//!
//! Decides nothing. A bandwidth is segments per second with 24 bits of fraction, so that a segment in
//! an hour and a million in a second are both exact enough; a volume is segments, rounded up.

use core::time::Duration;

/// Bits of fraction in a bandwidth.
const FRACTION: u32 = 24;
const NANOS: u128 = 1_000_000_000;

/// A factor in hundredths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gain(pub(super) u32);

impl Gain {
    pub(super) const ONE: Gain = Gain(100);

    /// `volume` so many times, rounded up.
    pub(super) fn of(self, volume: u32) -> u32 {
        saturating((u64::from(volume) * u64::from(self.0)).div_ceil(100))
    }

    /// `volume` so many times, rounded down.
    pub(super) fn of_floor(self, volume: u32) -> u32 {
        saturating(u64::from(volume) * u64::from(self.0) / 100)
    }
}

fn saturating(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Segments per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Bandwidth(u64);

impl Bandwidth {
    pub(super) const ZERO: Bandwidth = Bandwidth(0);
    pub(super) const INFINITE: Bandwidth = Bandwidth(u64::MAX);

    /// `segments` in `time`.
    pub(super) fn of(segments: u32, time: Duration) -> Bandwidth {
        let rate = (u128::from(segments) << FRACTION) * NANOS / time.as_nanos().max(1);
        Bandwidth(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// The same, so many times.
    pub(super) fn times(self, gain: Gain) -> Bandwidth {
        let rate = u128::from(self.0) * u128::from(gain.0) / 100;
        Bandwidth(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// What is carried in `time`, in segments, rounded up.
    pub(super) fn volume(self, time: Duration) -> u32 {
        let scale = NANOS << FRACTION;
        u128::from(self.0).saturating_mul(time.as_nanos()).div_ceil(scale).try_into().unwrap_or(u32::MAX)
    }

    /// Bytes per second with segments of `mss` bytes; at least 1.
    pub(super) fn bytes(self, mss: u32) -> u64 {
        let rate = (u128::from(self.0) * u128::from(mss)) >> FRACTION;
        u64::try_from(rate).unwrap_or(u64::MAX).max(1)
    }
}

/// The largest bandwidth of two slots of time (section 5.5.6): this cycle and the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MaxBandwidth {
    before: Bandwidth,
    current: Bandwidth,
}

impl MaxBandwidth {
    pub(super) fn get(&self) -> Bandwidth {
        self.before.max(self.current)
    }

    pub(super) fn update(&mut self, sample: Bandwidth) {
        self.current = self.current.max(sample);
    }

    /// A new cycle begins. One without a sample is not remembered: it says nothing of the path.
    pub(super) fn advance(&mut self) {
        if self.current > Bandwidth::ZERO {
            self.before = self.current;
            self.current = Bandwidth::ZERO;
        }
    }
}

/// The largest volume within a window of rounds: the three best, each later and smaller than the one
/// before (Nichols' filter).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MaxVolume {
    best: [(u32, u32); 3],
}

impl MaxVolume {
    pub(super) fn get(&self) -> u32 {
        self.best[0].1
    }

    /// A sample in round `round`, with a window of `window` rounds, this one included.
    pub(super) fn update(&mut self, round: u32, window: u32, sample: u32) {
        let age = |slot: (u32, u32)| round.wrapping_sub(slot.0);
        let new = (round, sample);
        if sample >= self.best[0].1 || age(self.best[2]) >= window {
            self.best = [new; 3];
            return;
        }
        if sample >= self.best[1].1 {
            self.best[1] = new;
            self.best[2] = new;
        } else if sample >= self.best[2].1 {
            self.best[2] = new;
        }
        while age(self.best[0]) >= window {
            self.best = [self.best[1], self.best[2], new];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_survives_the_way_to_bytes_and_back_from_one_segment_an_hour_to_100_gbit() {
        for (segments, time) in [(1, 3600.0), (1, 100.0), (3, 7.0), (10, 0.1), (5_000, 0.01), (86_000, 0.01)] {
            let rate = Bandwidth::of(segments, Duration::from_secs_f64(time));
            let expected = f64::from(segments) / time;
            assert!((rate.0 as f64 / f64::from(1 << FRACTION) - expected).abs() <= expected * 1e-3);
            assert!((rate.bytes(1448) as f64 - expected * 1448.0).abs() <= expected * 1448.0 * 1e-3 + 1.0);
            // Rounded up, and not by more than one.
            let volume = rate.volume(Duration::from_secs_f64(time));
            assert!(volume == segments || volume == segments + 1, "{volume} for {segments}");
        }
        assert_eq!(Bandwidth::INFINITE.volume(Duration::MAX), u32::MAX);
        assert_eq!(Bandwidth::of(u32::MAX, Duration::ZERO), Bandwidth::INFINITE);
        assert_eq!(Bandwidth::ZERO.bytes(1448), 1);
    }

    #[test]
    fn a_cycle_without_samples_leaves_the_largest_of_the_one_before() {
        let mut filter = MaxBandwidth::default();
        filter.update(Bandwidth(7));
        filter.update(Bandwidth(5));
        filter.advance();
        assert_eq!(filter.get(), Bandwidth(7));
        filter.advance();
        assert_eq!(filter.get(), Bandwidth(7));
        filter.update(Bandwidth(3));
        assert_eq!(filter.get(), Bandwidth(7));
        filter.advance();
        assert_eq!(filter.get(), Bandwidth(3));
    }

    #[test]
    fn the_filter_gives_nearly_the_largest_of_the_window_and_never_more() {
        let mut state = 3u64;
        let mut filter = MaxVolume::default();
        let mut all: Vec<(u32, u32)> = Vec::new();
        for step in 0..5_000u32 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let (round, sample) = (step / 7, (state >> 40) as u32 % 1000);
            all.push((round, sample));
            filter.update(round, 10, sample);
            let window: Vec<u32> = all.iter().rev().take_while(|(r, _)| round - r < 10).map(|(_, s)| *s).collect();
            let max = window.iter().copied().max().unwrap_or(0);
            let got = filter.get();
            // It keeps three samples: always one that was seen within the window, never below the newest.
            assert!(got <= max && window.contains(&got) && got >= sample, "{got} of {max} in round {round}");
        }
    }
}
