//! The timestamps option of one connection: our clock, the peer's, and PAWS.
//!
//! Owns RFC 7323 sections 4 and 5. Our clock ticks in milliseconds, shifted by a secret
//! offset, so that it tells nobody how long this machine has been up.

use core::time::Duration;

use segue_wire::Instant;
use segue_wire::tcp::Timestamps;

/// RFC 7323 section 5.5: a clock this long silent may have wrapped.
const FORGET: Duration = Duration::from_secs(24 * 24 * 3600);
/// The peer's clock may step back by so much in a synchronised state and still not be old (Linux's TCP_PAWS_WINDOW).
pub(crate) const TOLERANCE: u32 = 1;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    offset: u32,
    /// TS.Recent.
    pub(crate) recent: u32,
    recent_at: Instant,
}

impl Clocks {
    pub(crate) fn new(now: Instant, offset: u32, recent: u32) -> Clocks {
        Clocks { offset, recent, recent_at: now }
    }

    /// What our clock shows.
    pub(crate) fn value(offset: u32, now: Instant) -> u32 {
        (now.as_millis() as u32).wrapping_add(offset)
    }

    /// The option for a segment that leaves now.
    pub(crate) fn stamp(&self, now: Instant) -> Timestamps {
        Timestamps { value: Clocks::value(self.offset, now), echo: self.recent }
    }

    pub(crate) fn offset(&self) -> u32 {
        self.offset
    }

    /// RFC 7323 section 5.3, R1: an old duplicate by its timestamp, which is more than `tolerance` behind. As on
    /// Linux a TS.Recent of zero says nothing: there are systems whose SYN has a zero and the next segment has not.
    pub(crate) fn is_old(&self, now: Instant, value: u32, tolerance: u32) -> bool {
        self.recent != 0 && self.is_behind(value, tolerance) && !self.is_stale(now)
    }

    /// RFC 7323 section 5.5: nothing has come for so long that the peer's clock may have wrapped.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        now - self.recent_at > FORGET
    }

    /// Whether a timestamp is more than `ticks` behind the newest.
    pub(crate) fn is_behind(&self, value: u32, ticks: u32) -> bool {
        let behind = self.recent.wrapping_sub(value) as i32;
        i64::from(behind) > i64::from(ticks)
    }

    /// RFC 7323 section 4.3: TS.Recent follows, but never steps back. Whether the value is a newer one.
    pub(crate) fn update(&mut self, now: Instant, value: u32) -> bool {
        let newer = (value.wrapping_sub(self.recent) as i32) > 0;
        if !self.is_old(now, value, 0) {
            self.recent = value;
            self.recent_at = now;
        }
        newer
    }

    /// When our clock showed what the peer echoes, in milliseconds since the epoch; `None` for an echo of nothing or
    /// of the future.
    pub(crate) fn shown_at(offset: u32, now: Instant, echo: u32) -> Option<u64> {
        let ago = Clocks::value(offset, now).wrapping_sub(echo) as i32;
        (echo != 0 && ago >= 0).then(|| now.as_millis().saturating_sub(ago as u64))
    }

    /// How long ago our clock showed what is echoed, in whole ticks.
    pub(crate) fn age(&self, now: Instant, echo: u32) -> Option<Duration> {
        let ms = Clocks::value(self.offset, now).wrapping_sub(echo) as i32;
        (ms >= 0).then(|| Duration::from_millis(ms as u64))
    }

    /// Round-trip time an echo of ours shows; at least the clock's tick.
    pub(crate) fn elapsed(offset: u32, now: Instant, echo: u32) -> Option<Duration> {
        let ms = Clocks::value(offset, now).wrapping_sub(echo) as i32;
        (ms >= 0).then(|| Duration::from_millis(ms.max(1) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paws_tells_old_from_new_across_the_wrap_and_forgets_after_24_days() {
        let now = Instant::from_secs(1);
        let clocks = Clocks::new(now, 0, u32::MAX - 5);
        assert!(!clocks.is_old(now, 3, 0));
        assert!(clocks.is_old(now, u32::MAX - 6, 0));
        assert!(!clocks.is_old(now, u32::MAX - 6, TOLERANCE));
        assert!(clocks.is_old(now, u32::MAX - 7, TOLERANCE));
        let later = now + Duration::from_secs(24 * 24 * 3600 + 1);
        assert!(!clocks.is_old(later, u32::MAX - 7, 0));
    }

    #[test]
    fn a_first_timestamp_of_zero_forbids_nothing() {
        let mut clocks = Clocks::new(Instant::ZERO, 0, 0);
        assert!(!clocks.is_old(Instant::ZERO, u32::MAX - 100, 0));
        clocks.update(Instant::ZERO, u32::MAX - 100);
        assert_eq!(clocks.recent, u32::MAX - 100);
    }

    #[test]
    fn the_remembered_timestamp_never_steps_back() {
        let mut clocks = Clocks::new(Instant::ZERO, 0, 100);
        clocks.update(Instant::ZERO, 99);
        assert_eq!(clocks.recent, 100);
        clocks.update(Instant::ZERO, 101);
        assert_eq!(clocks.recent, 101);
    }

    #[test]
    fn an_echo_measures_the_round_trip_whatever_the_offset() {
        for offset in [0, 77, u32::MAX - 3] {
            let sent = Clocks::value(offset, Instant::from_millis(10));
            let elapsed = |ms| Clocks::elapsed(offset, Instant::from_millis(ms), sent);
            assert_eq!(elapsed(52), Some(Duration::from_millis(42)));
            assert_eq!(elapsed(10), Some(Duration::from_millis(1)));
            assert_eq!(elapsed(9), None);
        }
    }
}
