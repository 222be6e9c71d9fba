//! Receive-buffer autotuning: as much as the reader takes in a round trip, twice.
//!
//! Dynamic right-sizing as on Linux 6.18: measure the round trip from the receiver's side (by timestamp echoes, and by
//! how long a window takes), see how much was read in one, and let the buffer hold twice that, what slow start may add,
//! and what waits out of order, up to `tcp_rmem[2]`.

use core::time::Duration;

use segue_wire::Instant;

use crate::units::{Peer, Seq};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    /// Receiver-side round-trip time in eighths of a microsecond; 0 unknown.
    rtt: u32,
    last_echo: u32,
    /// When RCV.NXT passes this, a window has taken since `window_at`, if that is set.
    window_end: Seq<Peer>,
    window_at: Tick,
    /// Most that was read in a round trip.
    pub(crate) space: u32,
    /// Stream offset (modulo 2^32) and moment where the current measurement of reading began.
    mark: u32,
    mark_at: Tick,
}

/// A moment in microseconds, modulo 2^32: what is measured takes less than an hour, and a measurement that took longer
/// only makes the next one wait.
#[derive(Clone, Copy, Debug)]
struct Tick(u32);

impl Tick {
    const UNSET: Tick = Tick(0);

    fn of(at: Instant) -> Tick {
        Tick((at.as_micros() as u32).max(1))
    }

    fn elapsed(self, now: Instant) -> u32 {
        Tick::of(now).0.wrapping_sub(self.0)
    }
}

impl Tuning {
    pub(crate) fn new(now: Instant, window: u32, mss: u16) -> Tuning {
        let at = Tick::of(now);
        let space = window.min(10 * u32::from(mss));
        Tuning { rtt: 0, last_echo: 0, window_end: Seq::new(0), window_at: Tick::UNSET, space, mark: 0, mark_at: at }
    }

    pub(crate) fn rtt(&self) -> Option<Duration> {
        (self.rtt != 0).then(|| Duration::from_nanos(u64::from(self.rtt) * 1_000 / 8))
    }

    /// A shorter sample counts at once. `smooth`: a longer one counts, too, by an eighth.
    fn sample(&mut self, micros: u32, smooth: bool) {
        let eighths = micros.saturating_mul(8).max(1);
        if self.rtt == 0 || eighths < self.rtt {
            self.rtt = eighths;
        } else if smooth {
            self.rtt = (self.rtt - self.rtt / 8).saturating_add(micros);
        }
    }

    /// A full segment brought an echo of our clock, `elapsed` old. `waiting`: text waits for the reader, who may be what
    /// makes the peer slow.
    pub(crate) fn on_echo(&mut self, echo: u32, elapsed: Duration, waiting: bool) {
        if echo == self.last_echo {
            return;
        }
        self.last_echo = echo;
        let sample = u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX);
        if sample > 0 {
            self.sample(sample, !waiting);
        }
    }

    /// Text has moved RCV.NXT to `nxt`, and `window` was advertised last: how long a window takes bounds the round trip.
    pub(crate) fn on_window(&mut self, now: Instant, nxt: Seq<Peer>, window: u32) {
        if self.window_at.0 != Tick::UNSET.0 {
            if nxt.before(self.window_end) {
                return;
            }
            self.sample(self.window_at.elapsed(now).max(1), false);
        }
        self.window_end = nxt + window;
        self.window_at = Tick::of(now);
    }

    /// The share of the buffer has changed: no more is expected than the window may be.
    pub(crate) fn on_clamp(&mut self, clamp: u32) {
        self.space = self.space.min(clamp);
    }

    /// The application has read up to stream offset `read`, and `unread` bytes wait. The window it needs, when that is
    /// more than before.
    pub(crate) fn on_read(&mut self, now: Instant, read: u64, unread: u64) -> Option<u64> {
        if self.rtt == 0 || self.mark_at.elapsed(now) < self.rtt / 8 {
            return None;
        }
        let copied = u64::from((read as u32).wrapping_sub(self.mark)).saturating_sub(unread);
        (self.mark, self.mark_at) = (read as u32, Tick::of(now));
        let space = u64::from(self.space);
        if copied <= space {
            return None;
        }
        // What is measured is a round trip old; in slow start the sender doubles meanwhile.
        let window = 2 * copied;
        let growth = window.saturating_mul(copied - space) / space.max(1);
        self.space = u32::try_from(copied).unwrap_or(u32::MAX);
        Some(window.saturating_add(growth.saturating_mul(2)).min(u64::from(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuning() -> Tuning {
        Tuning::new(Instant::ZERO, 64_240, 1_460)
    }

    #[test]
    fn the_window_asked_for_is_at_least_twice_what_a_round_trip_carries() {
        let mut tuning = tuning();
        tuning.on_echo(1, Duration::from_millis(20), false);
        assert_eq!(tuning.on_read(Instant::from_millis(10), 100_000, 0), None);
        let wanted = tuning.on_read(Instant::from_millis(25), 100_000, 0);
        assert!(wanted.is_some_and(|window| window >= 200_000), "{wanted:?}");
        // The same again needs no more.
        assert_eq!(tuning.on_read(Instant::from_millis(50), 200_000, 0), None);
    }

    #[test]
    fn what_waits_for_the_reader_asks_for_no_more() {
        let mut tuning = tuning();
        tuning.on_echo(1, Duration::from_millis(20), false);
        assert_eq!(tuning.on_read(Instant::from_millis(25), 50_000, 40_000), None);
    }

    /// A peer may echo anything: a round trip of an hour, in which it has sent gigabytes.
    #[test]
    fn an_echo_from_long_ago_asks_for_no_more_than_there_can_be() {
        let mut tuning = tuning();
        tuning.on_echo(1, Duration::from_secs(1 << 40), false);
        for (seconds, read) in [(5_000, 6_000_000_000u64), (10_000, 1 << 50), (15_000, u64::MAX / 2)] {
            let wanted = tuning.on_read(Instant::from_secs(seconds), read, 0);
            assert!(wanted.is_none_or(|window| window <= u64::from(u32::MAX)), "{wanted:?}");
        }
    }

    #[test]
    fn the_time_of_a_window_bounds_the_round_trip_from_the_first_text_on() {
        let mut tuning = tuning();
        tuning.on_window(Instant::from_millis(1), Seq::new(100), 1_000);
        tuning.on_window(Instant::from_millis(5), Seq::new(1_099), 1_000);
        assert_eq!(tuning.rtt(), None);
        tuning.on_window(Instant::from_millis(9), Seq::new(1_100), 1_000);
        assert_eq!(tuning.rtt(), Some(Duration::from_millis(8)));
        // A slower window is the reader's or the sender's doing.
        tuning.on_window(Instant::from_millis(99), Seq::new(2_100), 1_000);
        assert_eq!(tuning.rtt(), Some(Duration::from_millis(8)));
    }

    #[test]
    fn a_shorter_echo_counts_at_once_and_a_longer_one_by_an_eighth_unless_the_reader_is_behind() {
        let mut tuning = tuning();
        tuning.on_echo(1, Duration::from_millis(80), false);
        tuning.on_echo(2, Duration::from_millis(40), false);
        assert_eq!(tuning.rtt(), Some(Duration::from_millis(40)));
        tuning.on_echo(3, Duration::from_millis(80), true);
        assert_eq!(tuning.rtt(), Some(Duration::from_millis(40)));
        tuning.on_echo(4, Duration::from_millis(80), false);
        assert_eq!(tuning.rtt(), Some(Duration::from_millis(45)));
    }
}
