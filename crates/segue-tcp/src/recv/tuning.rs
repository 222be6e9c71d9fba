//! Receive-buffer autotuning: as much as the reader takes in a round trip, twice.
//!
//! Dynamic right-sizing as on Linux: measure the round trip from the receiver's side (by
//! timestamp echoes, or by how long a window takes), see how much was read in one, and let
//! the buffer hold twice that and what slow start may add, up to `tcp_rmem[2]`.

use core::time::Duration;

use segue_wire::Instant;

use crate::units::{Peer, Seq};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    /// Receiver-side round-trip time in microseconds; 0 unknown.
    rtt: u32,
    last_echo: u32,
    /// Without timestamps: when RCV.NXT passes this, a window has taken since `window_at`.
    window_end: Seq<Peer>,
    window_at: Tick,
    /// Most that was read in a round trip.
    pub(crate) space: u32,
    /// Where and when the current measurement of reading began.
    mark: u32,
    mark_at: Tick,
}

/// A moment in microseconds, modulo 2^32: what is measured takes less than an hour, and a measurement that took longer
/// only makes the next one wait.
#[derive(Clone, Copy, Debug)]
struct Tick(u32);

impl Tick {
    fn of(at: Instant) -> Tick {
        Tick((at.as_nanos() / 1_000) as u32)
    }

    /// At least one: zero stands for "unknown".
    fn elapsed(self, now: Instant) -> u32 {
        Tick::of(now).0.wrapping_sub(self.0).max(1)
    }
}

impl Tuning {
    pub(crate) fn new(now: Instant, nxt: Seq<Peer>, window: u32, mss: u16) -> Tuning {
        let at = Tick::of(now);
        let space = window.min(10 * u32::from(mss));
        Tuning { rtt: 0, last_echo: 0, window_end: nxt + window, window_at: at, space, mark: 0, mark_at: at }
    }

    pub(crate) fn rtt(&self) -> Option<Duration> {
        (self.rtt != 0).then(|| Duration::from_micros(u64::from(self.rtt)))
    }

    /// A segment with data brought an echo of our clock, `elapsed` old.
    pub(crate) fn on_echo(&mut self, echo: u32, elapsed: Duration) {
        if echo == self.last_echo {
            return;
        }
        self.last_echo = echo;
        let sample = micros(elapsed);
        self.rtt = if self.rtt == 0 { sample } else { self.rtt - self.rtt / 8 + sample / 8 };
    }

    /// RCV.NXT is `nxt`, and the window reaches `window` beyond it; for peers without timestamps.
    pub(crate) fn on_window(&mut self, now: Instant, nxt: Seq<Peer>, window: u32) {
        if nxt.before(self.window_end) {
            return;
        }
        let sample = self.window_at.elapsed(now);
        if self.rtt == 0 || sample < self.rtt {
            self.rtt = sample;
        }
        self.window_end = nxt + window.max(1);
        self.window_at = Tick::of(now);
    }

    /// The application has read up to `read`. The window it needs, when that is more than before.
    pub(crate) fn on_read(&mut self, now: Instant, read: u64, mss: u16) -> Option<u64> {
        let rtt = self.rtt()?;
        if u128::from(self.mark_at.elapsed(now)) < rtt.as_micros() {
            return None;
        }
        let copied = u64::from((read as u32).wrapping_sub(self.mark));
        (self.mark, self.mark_at) = (read as u32, Tick::of(now));
        if copied <= u64::from(self.space) {
            return None;
        }
        // Twice what was read, room for segments in flight, and the growth of slow start.
        let window = 2 * copied + 16 * u64::from(mss);
        let growth = window.saturating_mul(copied - u64::from(self.space)) / u64::from(self.space.max(1));
        self.space = copied as u32;
        Some(window.saturating_add(growth.saturating_mul(2)).min(u64::from(u32::MAX)))
    }
}

/// At least one: zero stands for "unknown".
fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_asked_for_is_at_least_twice_what_a_round_trip_carries() {
        let mut tuning = Tuning::new(Instant::ZERO, Seq::new(0), 64_240, 1_460);
        tuning.on_echo(1, Duration::from_millis(20));
        assert_eq!(tuning.on_read(Instant::from_millis(10), 100_000, 1_460), None);
        let wanted = tuning.on_read(Instant::from_millis(25), 100_000, 1_460);
        assert!(wanted.is_some_and(|window| window >= 200_000), "{wanted:?}");
        // The same again needs no more.
        assert_eq!(tuning.on_read(Instant::from_millis(50), 200_000, 1_460), None);
    }

    /// A peer may echo anything: a round trip of an hour, in which it has sent gigabytes.
    #[test]
    fn an_echo_from_long_ago_asks_for_no_more_than_there_can_be() {
        let mut tuning = Tuning::new(Instant::ZERO, Seq::new(0), 64_240, 1_460);
        tuning.on_echo(1, Duration::from_secs(1 << 40));
        for (seconds, read) in [(5_000, 6_000_000_000u64), (10_000, 1 << 50), (15_000, u64::MAX / 2)] {
            let wanted = tuning.on_read(Instant::from_secs(seconds), read, 1_460);
            assert!(wanted.is_none_or(|window| window <= u64::from(u32::MAX)), "{wanted:?}");
        }
    }

    #[test]
    fn without_timestamps_the_time_of_a_window_stands_for_the_round_trip() {
        let mut tuning = Tuning::new(Instant::ZERO, Seq::new(0), 1_000, 100);
        tuning.on_window(Instant::from_millis(5), Seq::new(999), 1_000);
        assert_eq!(tuning.rtt(), None);
        tuning.on_window(Instant::from_millis(8), Seq::new(1_000), 1_000);
        assert_eq!(tuning.rtt(), Some(Duration::from_millis(8)));
    }
}
