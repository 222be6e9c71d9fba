//! How often an answer to a stranger may be given: a token bucket.
//!
//! Decides yes or no for one answer at one time; who shares a bucket, and what an answer costs, is the caller's choice.
//! Invariants: no more than `burst` tokens go at once, no more than `burst + rate * t` in any time `t`, but for those that
//! are owed; with integer arithmetic no part of a token is lost between calls.
use segue_wire::Instant;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A token bucket: `rate` tokens per second, at most `burst` kept.
#[derive(Clone, Debug)]
pub(crate) struct TokenBucket {
    rate: u32,
    burst: u32,
    /// Tokens in units of one billionth, so that `rate` times nanoseconds adds up exactly.
    credit: i128,
    refilled: Instant,
}

impl TokenBucket {
    /// A full bucket. `rate` is in tokens per second, `burst` in tokens. `rate` 0 gives `burst` tokens once and then
    /// none; `burst` 0 refuses everything.
    pub(crate) fn new(rate: u32, burst: u32, now: Instant) -> Self {
        TokenBucket { rate, burst, credit: i128::from(burst) * NANOS_PER_SECOND, refilled: now }
    }

    /// Whether a token is left.
    pub(crate) fn has_one(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.credit >= NANOS_PER_SECOND
    }

    /// Takes `n` tokens away, also some that are not there: they are owed.
    pub(crate) fn spend(&mut self, n: u32) {
        self.credit = self.credit.saturating_sub(i128::from(n) * NANOS_PER_SECOND);
    }

    /// Changes rate and burst; what was saved above the new burst is lost.
    pub(crate) fn configure(&mut self, rate: u32, burst: u32, now: Instant) {
        self.refill(now);
        self.rate = rate;
        self.burst = burst;
        self.credit = self.credit.min(i128::from(burst) * NANOS_PER_SECOND);
    }

    fn refill(&mut self, now: Instant) {
        let nanos = i128::try_from(now.saturating_duration_since(self.refilled).as_nanos()).unwrap_or(i128::MAX);
        // A call with an older time adds nothing and must not let the same span count twice.
        self.refilled = self.refilled.max(now);
        let full = i128::from(self.burst) * NANOS_PER_SECOND;
        self.credit = full.min(self.credit.saturating_add(nanos.saturating_mul(i128::from(self.rate))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    impl TokenBucket {
        fn take(&mut self, now: Instant) -> bool {
            let has = self.has_one(now);
            self.spend(u32::from(has));
            has
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_no_more() {
        let mut bucket = TokenBucket::new(1000, 50, at(0));
        assert_eq!((0..200).filter(|_| bucket.take(at(0))).count(), 50);
    }

    #[test]
    fn tokens_come_back_at_the_rate_even_when_asked_far_more_often() {
        let mut bucket = TokenBucket::new(1000, 50, at(0));
        while bucket.take(at(0)) {}
        let granted =
            (1..=100_000u64).filter(|step| bucket.take(Instant::ZERO + Duration::from_micros(step * 10))).count();
        assert_eq!(granted, 1000, "one second at 1000 per second");
    }

    #[test]
    fn a_long_silence_saves_no_more_than_the_burst() {
        let mut bucket = TokenBucket::new(1000, 50, at(0));
        assert_eq!((0..200).filter(|_| bucket.take(at(3_600_000))).count(), 50);
    }

    #[test]
    fn time_that_runs_backwards_gives_nothing() {
        let mut bucket = TokenBucket::new(1, 1, at(10_000));
        assert!(bucket.take(at(10_000)));
        assert!(!bucket.take(at(0)));
        assert!(!bucket.take(at(10_999)));
        assert!(bucket.take(at(11_000)));
    }

    #[test]
    fn a_zero_burst_refuses_everything_and_a_zero_rate_never_refills() {
        assert!(!TokenBucket::new(1000, 0, at(0)).take(at(1000)));
        let mut bucket = TokenBucket::new(0, 2, at(0));
        assert_eq!((0..9).filter(|n| bucket.take(at(n * 1_000_000))).count(), 2);
    }

    #[test]
    fn a_smaller_burst_takes_what_was_saved_above_it() {
        let mut bucket = TokenBucket::new(1, 100, at(0));
        bucket.configure(1, 3, at(0));
        assert_eq!((0..9).filter(|_| bucket.take(at(0))).count(), 3);
    }
}
