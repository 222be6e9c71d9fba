//! Round-trip time and the retransmission timeout derived from it.
//!
//! Owns RFC 6298 sections 2 and 5 (arithmetic, back-off), as Linux keeps them: the variation falls once in a round trip
//! only, `tcp_rto_min` is under the variance term (so RTO ≥ SRTT + floor), the ceiling is `tcp_rto_max`, and a round trip
//! that is shorter than expected widens the variation by little (Eifel).
//! Which segments give samples (Karn) is decided by the caller. Averages are Linux's integers.

use core::time::Duration;

use crate::units::{Local, Seq};

/// RTO before any measurement (RFC 6298 2.1).
pub(crate) const INITIAL_RTO: Duration = Duration::from_secs(1);
/// RTO when the handshake had to be repeated and gave no measurement (RFC 6298 5.7).
pub(crate) const FALLBACK_RTO: Duration = Duration::from_secs(3);

/// One tick of the timestamp clock: how far an echo may be off.
const CLOCK_TICK: Duration = Duration::from_millis(1);

/// Whether a round trip that a timestamp echo shows is that of the last transmission, which left
/// `ago`. An older echo comes from a peer that had the first one already.
pub(crate) fn is_of_last(echo: Duration, ago: Duration) -> bool {
    echo <= ago + CLOCK_TICK
}

/// How far the connection has come when a sample is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) una: Seq<Local>,
    pub(crate) nxt: Seq<Local>,
}

/// Smoothed round-trip time, its variation, the timeout and its back-off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rtt {
    /// Eighths of a microsecond; 0 before the first sample.
    srtt: u32,
    /// Microseconds: four times the mean deviation, the largest it was in this round trip, and what the timeout is made with.
    mdev: u32,
    mdev_max: u32,
    rttvar: u32,
    /// When this is acknowledged the round trip is over.
    round_end: Seq<Local>,
    /// Smallest sample in microseconds; `u32::MAX` before the first.
    min: u32,
    /// Timeout without back-off, microseconds.
    base: u32,
    /// Doublings in force.
    backoff: u8,
}

/// Samples are no longer than what eighths of it can tell.
const LONGEST: u32 = u32::MAX / 8;

impl Rtt {
    pub(crate) fn new(initial: Duration) -> Rtt {
        let base = micros(initial);
        let (srtt, mdev, mdev_max, rttvar) = (0, 0, 0, 0);
        Rtt { srtt, mdev, mdev_max, rttvar, round_end: Seq::new(0), min: u32::MAX, base, backoff: 0 }
    }

    /// RFC 6298 2.2 and 2.3. A sample collapses the back-off.
    pub(crate) fn sample(&mut self, sample: Duration, at: Progress, floor: Duration, ceiling: Duration) {
        self.min = self.min.min(micros(sample));
        let (sample, floor) = (micros(sample).min(LONGEST), micros(floor));
        if self.srtt == 0 {
            self.srtt = (sample * 8).max(1);
            self.mdev = sample * 2;
            self.rttvar = self.mdev.max(floor);
            (self.mdev_max, self.round_end) = (self.rttvar, at.nxt);
        } else {
            // 2.3: the variation with the old average.
            let error = i64::from(sample) - i64::from(self.srtt / 8);
            self.deviate(error);
            self.srtt = (i64::from(self.srtt) + error).clamp(1, u32::MAX.into()) as u32;
            if at.una.after(self.round_end) {
                self.rttvar -= self.rttvar.saturating_sub(self.mdev_max) / 4;
                (self.mdev_max, self.round_end) = (floor, at.nxt);
            }
        }
        let timeout = Duration::from_micros(u64::from(self.srtt / 8) + u64::from(self.rttvar));
        self.base = micros(timeout.min(ceiling));
        self.backoff = 0;
    }

    /// RFC 6298 2.3, the variation. What comes sooner than expected is no reason to wait for longer.
    fn deviate(&mut self, error: i64) {
        let change = error.abs() - i64::from(self.mdev / 4);
        let change = if error < 0 && change > 0 { change / 8 } else { change };
        self.mdev = (i64::from(self.mdev) + change).clamp(0, u32::MAX.into()) as u32;
        self.mdev_max = self.mdev_max.max(self.mdev);
        self.rttvar = self.rttvar.max(self.mdev_max);
    }

    /// A segment that arrived took no longer than this.
    pub(crate) fn note_least(&mut self, sample: Duration) {
        self.min = self.min.min(micros(sample));
    }

    /// 5.5: back off the timer.
    pub(crate) fn back_off(&mut self) {
        self.backoff = self.backoff.saturating_add(1);
    }

    /// RFC 6069 section 4.2 step 3: one doubling is taken back.
    pub(crate) fn revert_back_off(&mut self) {
        self.backoff = self.backoff.saturating_sub(1);
    }

    /// The peer has shown to be alive and fast again.
    pub(crate) fn collapse_backoff(&mut self) {
        self.backoff = 0;
    }

    pub(crate) fn backoff(&self) -> u8 {
        self.backoff
    }

    /// The timeout in force.
    pub(crate) fn rto(&self, ceiling: Duration) -> Duration {
        self.backed_off(self.backoff, ceiling)
    }

    /// The timeout as it would be after `doublings`.
    pub(crate) fn backed_off(&self, doublings: u8, ceiling: Duration) -> Duration {
        let factor = 1u64.checked_shl(u32::from(doublings)).unwrap_or(u64::MAX);
        Duration::from_micros(u64::from(self.base).saturating_mul(factor)).min(ceiling)
    }

    pub(crate) fn smoothed(&self) -> Option<Duration> {
        (self.srtt != 0).then(|| Duration::from_nanos(u64::from(self.srtt) * 125))
    }

    pub(crate) fn variation(&self) -> Duration {
        Duration::from_micros(u64::from(self.mdev / 4))
    }

    pub(crate) fn min(&self) -> Option<Duration> {
        (self.min != u32::MAX).then(|| Duration::from_micros(u64::from(self.min)))
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Duration = Duration::from_millis(200);
    const CEILING: Duration = Duration::from_secs(120);

    /// RFC 6298 section 2 in floating point, as it is printed.
    struct Reference {
        srtt: Option<f64>,
        rttvar: f64,
    }

    impl Reference {
        fn sample(&mut self, r: f64) -> f64 {
            match self.srtt {
                None => {
                    self.srtt = Some(r);
                    self.rttvar = r / 2.0;
                }
                Some(srtt) => {
                    self.rttvar = 0.75 * self.rttvar + 0.25 * (srtt - r).abs();
                    self.srtt = Some(0.875 * srtt + 0.125 * r);
                }
            }
            (self.srtt.unwrap_or(0.0) + (4.0 * self.rttvar).max(0.2)).min(120.0)
        }
    }

    fn round(number: u32) -> Progress {
        Progress { una: Seq::new(number), nxt: Seq::new(number) }
    }

    /// Each sample is a round trip, and none is shorter than the average: what Linux adds does not show.
    #[test]
    fn the_timeout_of_growing_round_trips_is_that_of_rfc_6298_in_floating_point() {
        for seed in 1..40u64 {
            let mut rtt = Rtt::new(INITIAL_RTO);
            let mut reference = Reference { srtt: None, rttvar: 0.0 };
            let (mut random, mut micros) = (seed, 30_000);
            for number in 1..400 {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                micros += micros / 64 + (random >> 40) % (1 + micros / 16);
                rtt.sample(Duration::from_micros(micros), round(number), FLOOR, CEILING);
                let expected = reference.sample(micros as f64 / 1e6);
                let got = rtt.rto(CEILING).as_secs_f64();
                // The variation falls by a quarter of what it fell by in the RFC: never earlier.
                assert!(got > expected - 1e-4, "seed {seed}: {got} instead of {expected}");
                assert!(got < expected * 1.1 + 1e-4, "seed {seed}: {got} instead of {expected}");
                if micros > 60_000_000 {
                    break;
                }
            }
        }
    }

    #[test]
    fn the_variation_falls_once_in_a_round_trip_and_grows_at_once() {
        let ms = Duration::from_millis;
        let mut rtt = Rtt::new(INITIAL_RTO);
        rtt.sample(ms(20), round(1), FLOOR, CEILING);
        assert_eq!((rtt.smoothed(), rtt.rto(CEILING)), (Some(ms(20)), ms(220)));
        // 4 × (3/4 × 10 ms + 1/4 × 380 ms) = 410 ms.
        let same = Progress { una: Seq::new(1), nxt: Seq::new(9) };
        rtt.sample(ms(400), same, FLOOR, CEILING);
        assert_eq!(
            (rtt.smoothed(), rtt.rto(CEILING)),
            (Some(Duration::from_micros(67_500)), Duration::from_micros(477_500))
        );
        for _ in 0..20 {
            rtt.sample(ms(70), same, FLOOR, CEILING);
        }
        assert!(rtt.rto(CEILING) > ms(470), "{:?}", rtt.rto(CEILING));
        // That it was large counts for the round trip in which it was.
        for (number, expected) in [(10, 475), (20, 425), (30, 385)] {
            rtt.sample(ms(70), round(number), FLOOR, CEILING);
            assert_eq!(rtt.rto(CEILING).as_millis() / 5 * 5, expected, "{number}");
        }
    }

    #[test]
    fn a_round_trip_that_is_shorter_than_expected_hardly_changes_the_variation() {
        let ms = Duration::from_millis;
        let mut rtt = Rtt::new(INITIAL_RTO);
        for number in 1..200 {
            rtt.sample(ms(800), round(number), FLOOR, CEILING);
        }
        let before = rtt.rto(CEILING);
        rtt.sample(ms(100), round(200), FLOOR, CEILING);
        assert!(rtt.rto(CEILING) < before, "{:?} after {before:?}", rtt.rto(CEILING));
    }

    #[test]
    fn back_off_doubles_up_to_the_ceiling_and_a_sample_ends_it() {
        let mut rtt = Rtt::new(INITIAL_RTO);
        for expected in [1u64, 2, 4, 8, 16, 32, 64, 120, 120] {
            assert_eq!(rtt.rto(CEILING), Duration::from_secs(expected));
            rtt.back_off();
        }
        for _ in 0..300 {
            rtt.back_off();
        }
        assert_eq!(rtt.rto(CEILING), CEILING);
        rtt.sample(Duration::from_millis(10), round(1), FLOOR, CEILING);
        assert_eq!(rtt.rto(CEILING), Duration::from_millis(210));
    }

    #[test]
    fn the_least_sample_is_remembered() {
        let mut rtt = Rtt::new(INITIAL_RTO);
        assert_eq!((rtt.min(), rtt.smoothed()), (None, None));
        for ms in [30, 10, 20] {
            rtt.sample(Duration::from_millis(ms), round(1), FLOOR, CEILING);
        }
        assert_eq!(rtt.min(), Some(Duration::from_millis(10)));
    }
}
