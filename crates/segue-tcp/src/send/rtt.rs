//! Round-trip time and the retransmission timeout derived from it.
//!
//! Owns RFC 6298 sections 2 and 5 (arithmetic, back-off), with Linux's bounds: the floor
//! `tcp_rto_min` is under the variance term (so RTO ≥ SRTT + floor), the ceiling `tcp_rto_max`.
//! Which segments give samples (Karn) is decided by the caller. Averages are kept in nanoseconds.

use core::time::Duration;

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

/// Smoothed round-trip time, its variation, the timeout and its back-off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rtt {
    /// Nanoseconds; 0 before the first sample.
    srtt: u64,
    rttvar: u64,
    /// Smallest sample in microseconds; `u32::MAX` before the first.
    min: u32,
    /// Timeout without back-off, microseconds.
    base: u32,
    /// Doublings in force.
    backoff: u8,
}

impl Rtt {
    pub(crate) fn new(initial: Duration) -> Rtt {
        Rtt { srtt: 0, rttvar: 0, min: u32::MAX, base: micros(initial), backoff: 0 }
    }

    /// RFC 6298 2.2 and 2.3. A sample collapses the back-off.
    pub(crate) fn sample(&mut self, sample: Duration, floor: Duration, ceiling: Duration) {
        self.min = self.min.min(micros(sample));
        let sample = nanos(sample).max(1);
        if self.srtt == 0 {
            self.srtt = sample;
            self.rttvar = sample / 2;
        } else {
            // 2.3: the variation first, with the old average.
            let error = self.srtt.abs_diff(sample);
            self.rttvar = self.rttvar - self.rttvar / 4 + error / 4;
            self.srtt = self.srtt - self.srtt / 8 + sample / 8;
        }
        let timeout = self.srtt + (4 * self.rttvar).max(nanos(floor));
        self.base = micros(Duration::from_nanos(timeout).min(ceiling));
        self.backoff = 0;
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
        (self.srtt != 0).then(|| Duration::from_nanos(self.srtt))
    }

    pub(crate) fn variation(&self) -> Duration {
        Duration::from_nanos(self.rttvar)
    }

    pub(crate) fn min(&self) -> Option<Duration> {
        (self.min != u32::MAX).then(|| Duration::from_micros(u64::from(self.min)))
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX - 1)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
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

    #[test]
    fn the_timeout_agrees_with_rfc_6298_in_floating_point() {
        for seed in 1..40u64 {
            let mut rtt = Rtt::new(INITIAL_RTO);
            let mut reference = Reference { srtt: None, rttvar: 0.0 };
            let mut random = seed;
            for _ in 0..500 {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let micros = match seed % 3 {
                    0 => 20 + (random >> 40) % 200,
                    1 => 40_000 + (random >> 40) % 30_000,
                    _ => 1 + (random >> 34) % 60_000_000,
                };
                rtt.sample(Duration::from_micros(micros), FLOOR, CEILING);
                let expected = reference.sample(micros as f64 / 1e6);
                let got = rtt.rto(CEILING).as_secs_f64();
                assert!((got - expected).abs() < 2e-6, "seed {seed}: {got} instead of {expected}");
            }
        }
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
        rtt.sample(Duration::from_millis(10), FLOOR, CEILING);
        assert_eq!(rtt.rto(CEILING), Duration::from_millis(210));
    }

    #[test]
    fn the_least_sample_is_remembered() {
        let mut rtt = Rtt::new(INITIAL_RTO);
        assert_eq!((rtt.min(), rtt.smoothed()), (None, None));
        for ms in [30, 10, 20] {
            rtt.sample(Duration::from_millis(ms), FLOOR, CEILING);
        }
        assert_eq!(rtt.min(), Some(Duration::from_millis(10)));
    }
}
