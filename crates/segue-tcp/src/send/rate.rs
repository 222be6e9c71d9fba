//! Delivery rate: how fast the network carried what was sent last.
//!
//! Decides what one acknowledgment says about the rate. Does not decide what follows from it:
//! controllers and `TCP_INFO` do. Owns draft-ietf-ccwg-bbr section 4.1, in segments as Linux.
//! A segment's [`Sent`] is taken when it leaves, first or again; an acknowledgment collects what it
//! delivers in a [`Delivered`], newly acknowledged and newly sacked alike, and asks for the
//! [`RateSample`] after loss detection.

use core::time::Duration;

use segue_wire::Instant;

use crate::units::{Local, Packets, Seq};

/// Times in a snapshot are kept in ticks of 2^8 ns: 32 bits of them last 18 minutes.
const TICK_SHIFT: u32 = 8;
/// The bit of `Sent::flight` that says that the application was the limit.
const APP_LIMITED: u32 = 1 << 31;

/// What a segment remembers of the moment it left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sent {
    /// Segments delivered before, modulo 2^32.
    delivered: u32,
    /// Segments lost before, modulo 2^32.
    lost: u32,
    /// Segments in flight, this one among them; the highest bit is `APP_LIMITED`.
    flight: u32,
    /// How long ago the send interval that this segment ends had begun.
    send_elapsed: u32,
    /// How long ago the newest delivery was.
    delivered_ago: u32,
}

impl Sent {
    /// Segments in flight when it left, itself among them.
    pub(crate) fn in_flight(&self) -> Packets {
        Packets(self.flight & !APP_LIMITED)
    }

    /// Snapshot of the segment that left together with this one, so many behind it.
    pub(crate) fn behind(&self, segments: u32) -> Sent {
        let flight = self.in_flight().0.saturating_add(segments).min(APP_LIMITED - 1);
        Sent { flight: flight | (self.flight & APP_LIMITED), ..*self }
    }

    /// Whether the application, not the network, was the limit.
    pub(crate) fn is_app_limited(&self) -> bool {
        self.flight & APP_LIMITED != 0
    }
}

fn ticks(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos() >> TICK_SHIFT).unwrap_or(u32::MAX)
}

fn duration(ticks: u32) -> Duration {
    Duration::from_nanos(u64::from(ticks) << TICK_SHIFT)
}

/// What one acknowledgment delivers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Delivered {
    /// Segments newly acknowledged or sacked.
    pub(crate) segments: u32,
    newest: Option<Newest>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Newest {
    sent_at: Instant,
    end: Seq<Local>,
    sent: Sent,
}

impl Delivered {
    /// Segments that had been delivered when the newest of these left, modulo 2^32; `None`: there is none.
    pub(crate) fn prior(&self) -> Option<u32> {
        self.newest.map(|newest| newest.sent.delivered)
    }

    /// Segments that were not known to have arrived and left together: when they last left, where the last ends.
    pub(crate) fn note(&mut self, segments: u32, sent_at: Instant, end: Seq<Local>, sent: &Sent) {
        self.segments += segments;
        // Section 4.1.2.3, IsNewestPacket.
        let newer = self
            .newest
            .is_none_or(|newest| sent_at > newest.sent_at || (sent_at == newest.sent_at && end.after(newest.end)));
        if newer {
            self.newest = Some(Newest { sent_at, end, sent: *sent });
        }
    }
}

/// What one acknowledgment says about the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RateSample {
    /// Segments delivered while the newest delivered segment was under way.
    pub(crate) delivered: Packets,
    /// How long that took; `None` when it cannot be relied on (shorter than any round trip).
    pub(crate) interval: Option<Duration>,
    /// The count of delivered segments when the newest delivered segment left, modulo 2^32.
    pub(crate) prior_delivered: u32,
    /// Segments in flight when it left, itself among them.
    pub(crate) tx_in_flight: Packets,
    /// Segments lost since it left.
    pub(crate) lost: Packets,
    /// The application was the limit when it left.
    pub(crate) app_limited: bool,
}

impl RateSample {
    /// Whether this rate is at least `delivered` segments in `interval`.
    fn reaches(&self, interval: Duration, delivered: u32, other: Duration) -> bool {
        u128::from(self.delivered.0) * other.as_nanos() >= u128::from(delivered) * interval.as_nanos()
    }
}

/// The best recent sample, for `TCP_INFO`.
#[derive(Clone, Copy, Debug)]
struct Shown {
    segments: u32,
    micros: u32,
    app_limited: bool,
}

/// Delivery-rate estimation of one sending half.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// When the send interval that is being measured began.
    first_sent_at: Instant,
    /// When something was last delivered.
    delivered_at: Instant,
    delivered: u32,
    lost: u32,
    /// Until `delivered` passes this the application is the limit; 0: it is not.
    app_limited: u32,
    shown: Shown,
}

impl Rate {
    /// The handshake's SYN counts as delivered, as on Linux.
    pub(crate) fn new(now: Instant) -> Rate {
        let shown = Shown { segments: 0, micros: 0, app_limited: true };
        // As Linux: the first flight is the application's until something of it is delivered.
        Rate { first_sent_at: now, delivered_at: now, delivered: 1, lost: 0, app_limited: 1, shown }
    }

    /// A segment leaves. `idle`: nothing was outstanding before it; `in_flight` counts it.
    /// Section 4.1.2.2.
    pub(crate) fn on_send(&mut self, now: Instant, idle: bool, in_flight: Packets) -> Sent {
        if idle {
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        let limited = if self.app_limited != 0 { APP_LIMITED } else { 0 };
        Sent {
            delivered: self.delivered,
            lost: self.lost,
            flight: in_flight.0.min(APP_LIMITED - 1) | limited,
            send_elapsed: ticks(now - self.first_sent_at),
            delivered_ago: ticks(now - self.delivered_at),
        }
    }

    /// `segments` are found lost.
    pub(crate) fn on_lost(&mut self, segments: Packets) {
        self.lost = self.lost.wrapping_add(segments.0);
    }

    /// `newly` segments are counted as delivered by an acknowledgment whose marks show `marked`: as on Linux copies that
    /// came twice count, too, and without SACK what duplicates stand for does when they come.
    pub(crate) fn count_delivered(&mut self, newly: u32, marked: u32) {
        self.delivered = self.delivered.wrapping_add(newly).wrapping_sub(marked);
    }

    /// What the newest acknowledgment says, once all it delivers is collected and all it shows lost
    /// is counted. `None`: it delivered nothing. Section 4.1.2.3.
    pub(crate) fn sample(
        &mut self,
        now: Instant,
        delivered: &Delivered,
        min_rtt: Option<Duration>,
    ) -> Option<RateSample> {
        let newest = delivered.newest?;
        let sent = newest.sent;
        self.delivered = self.delivered.wrapping_add(delivered.segments);
        self.delivered_at = now;
        self.first_sent_at = newest.sent_at;
        if self.app_limited != 0 && (self.app_limited.wrapping_sub(self.delivered) as i32) < 0 {
            self.app_limited = 0;
        }
        let ack_elapsed = (now - newest.sent_at) + duration(sent.delivered_ago);
        let interval = duration(sent.send_elapsed).max(ack_elapsed);
        // An interval below the least round trip measures how acknowledgments were bunched, not the path.
        let reliable = !interval.is_zero() && min_rtt.is_none_or(|min| interval >= min);
        let sample = RateSample {
            delivered: Packets(self.delivered.wrapping_sub(sent.delivered)),
            interval: reliable.then_some(interval),
            prior_delivered: sent.delivered,
            tx_in_flight: sent.in_flight(),
            lost: Packets(self.lost.wrapping_sub(sent.lost)),
            app_limited: sent.is_app_limited(),
        };
        self.show(&sample);
        Some(sample)
    }

    /// As Linux: a rate that the application limited replaces the one shown only when it is no lower.
    fn show(&mut self, sample: &RateSample) {
        let Some(interval) = sample.interval else { return };
        let old = Duration::from_micros(u64::from(self.shown.micros));
        if !sample.app_limited || sample.reaches(interval, self.shown.segments, old) {
            let micros = u32::try_from(interval.as_micros()).unwrap_or(u32::MAX).max(1);
            self.shown = Shown { segments: sample.delivered.0, micros, app_limited: sample.app_limited };
        }
    }

    /// The application has let the network run dry: what is in flight now, and whatever leaves before
    /// that is delivered, is no measure of the network. Section 4.1.2.4.
    pub(crate) fn on_app_limited(&mut self, in_flight: Packets) {
        self.app_limited = self.delivered.wrapping_add(in_flight.0).max(1);
    }

    /// Whether the application is the limit at present.
    pub(crate) fn is_app_limited(&self) -> bool {
        self.app_limited != 0
    }

    /// Segments delivered so far, modulo 2^32 (`tcpi_delivered`).
    pub(crate) fn delivered(&self) -> u32 {
        self.delivered
    }

    /// Segments found lost so far, modulo 2^32.
    pub(crate) fn lost(&self) -> u32 {
        self.lost
    }

    /// What a lost segment's snapshot says: segments lost since it left, itself among them when counted.
    pub(crate) fn lost_since(&self, sent: &Sent) -> Packets {
        Packets(self.lost.wrapping_sub(sent.lost))
    }

    /// Bytes per second of the best recent sample (`tcpi_delivery_rate`), and whether the application was
    /// its limit. 0 before the first.
    pub(crate) fn shown(&self, mss: u32) -> (u64, bool) {
        let bytes = u128::from(self.shown.segments) * u128::from(mss) * 1_000_000;
        let rate = bytes.checked_div(u128::from(self.shown.micros)).unwrap_or(0);
        (u64::try_from(rate).unwrap_or(u64::MAX), self.shown.app_limited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn seq(segment: u32) -> Seq<Local> {
        Seq::new(u32::MAX - 5) + segment * 1000
    }

    /// A sender of one segment every `gap`, a path of `rtt`, acknowledgments bunched by `bunch`.
    fn run(gap: u64, rtt: u64, bunch: usize, segments: u32) -> Vec<RateSample> {
        let mut rate = Rate::new(at(0));
        let mut flight = std::collections::VecDeque::new();
        let mut samples = Vec::new();
        let mut next = 0;
        for now in 0.. {
            if now % gap == 0 && next < segments {
                let sent = rate.on_send(at(now), flight.is_empty(), Packets(flight.len() as u32 + 1));
                flight.push_back((now, next, sent));
                next += 1;
            }
            let due = flight.iter().filter(|(sent_at, ..)| sent_at + rtt <= now).count();
            if due >= bunch || (due > 0 && next == segments) {
                let mut delivered = Delivered::default();
                for (sent_at, n, sent) in flight.drain(..due) {
                    delivered.note(1, at(sent_at), seq(n), &sent);
                }
                samples.extend(rate.sample(at(now), &delivered, Some(ms(rtt))));
            }
            if next == segments && flight.is_empty() {
                return samples;
            }
        }
        samples
    }

    fn per_second(sample: &RateSample) -> f64 {
        f64::from(sample.delivered.0) / sample.interval.expect("a reliable interval").as_secs_f64()
    }

    #[test]
    fn a_steady_flow_measures_its_own_rate_however_its_acknowledgments_are_bunched() {
        for (gap, rtt, bunch) in [(1, 20, 1), (1, 20, 7), (5, 100, 1), (10, 30, 2), (2, 50, 16)] {
            let samples = run(gap, rtt, bunch, 400);
            let expected = 1000.0 / gap as f64;
            for sample in &samples[samples.len() / 2..] {
                let got = per_second(sample);
                // A sample never shows more than was sent; one segment in a window is its granularity.
                let slack = expected / f64::from(sample.delivered.0);
                assert!((got - expected).abs() <= slack + 0.01, "{gap} {rtt} {bunch}: {got} for {expected}");
            }
        }
    }

    #[test]
    fn an_interval_below_the_least_round_trip_is_no_measure() {
        let mut rate = Rate::new(at(0));
        let sent = rate.on_send(at(0), true, Packets(1));
        let mut delivered = Delivered::default();
        delivered.note(1, at(0), seq(1), &sent);
        let sample = rate.sample(at(3), &delivered, Some(ms(10))).expect("something was delivered");
        assert_eq!((sample.interval, sample.delivered), (None, Packets(1)));
        assert_eq!(rate.shown(1000), (0, true));
    }

    #[test]
    fn the_application_is_the_limit_until_what_was_in_flight_is_delivered() {
        let mut rate = Rate::new(at(0));
        let zeroth = rate.on_send(at(0), true, Packets(1));
        assert!(zeroth.is_app_limited(), "nothing is known of the path before the first delivery");
        let mut delivered = Delivered::default();
        delivered.note(1, at(0), seq(0), &zeroth);
        assert!(rate.sample(at(0), &delivered, None).is_some());
        let first = rate.on_send(at(0), true, Packets(1));
        rate.on_app_limited(Packets(1));
        let second = rate.on_send(at(1), false, Packets(2));
        assert!(!first.is_app_limited() && second.is_app_limited());
        let mut delivered = Delivered::default();
        delivered.note(1, at(0), seq(1), &first);
        let sample = rate.sample(at(10), &delivered, None).expect("delivered");
        assert!(!sample.app_limited);
        // What was in flight is delivered: the mark is reached, not passed.
        assert!(rate.on_send(at(11), false, Packets(2)).is_app_limited());
        let mut delivered = Delivered::default();
        delivered.note(1, at(1), seq(2), &second);
        assert!(rate.sample(at(11), &delivered, None).expect("delivered").app_limited);
        assert!(!rate.on_send(at(12), false, Packets(1)).is_app_limited());
    }

    #[test]
    fn losses_are_counted_between_departure_and_delivery() {
        let mut rate = Rate::new(at(0));
        rate.on_lost(Packets(3));
        let sent = rate.on_send(at(0), true, Packets(8));
        rate.on_lost(Packets(2));
        assert_eq!(rate.lost_since(&sent), Packets(2));
        let mut delivered = Delivered::default();
        delivered.note(1, at(0), seq(1), &sent);
        let sample = rate.sample(at(10), &delivered, None).expect("delivered");
        assert_eq!((sample.lost, sample.tx_in_flight), (Packets(2), Packets(8)));
    }

    #[test]
    fn of_segments_delivered_together_the_newest_departure_counts() {
        let mut rate = Rate::new(at(0));
        let early = rate.on_send(at(0), true, Packets(1));
        let late = rate.on_send(at(40), false, Packets(2));
        // Sent again later than a segment with a higher number.
        let again = rate.on_send(at(50), false, Packets(2));
        let mut delivered = Delivered::default();
        delivered.note(1, at(50), seq(0), &again);
        delivered.note(1, at(40), seq(1), &late);
        delivered.note(1, at(0), seq(2), &early);
        assert_eq!(delivered.newest.map(|newest| newest.sent), Some(again));
    }

    #[test]
    fn a_snapshot_takes_20_bytes() {
        assert_eq!(size_of::<Sent>(), 20);
    }

    #[test]
    fn times_beyond_the_range_of_a_snapshot_saturate() {
        let mut rate = Rate::new(at(0));
        let first = rate.on_send(Instant::ZERO, true, Packets(u32::MAX));
        assert_eq!(first.in_flight(), Packets(APP_LIMITED - 1));
        let late = rate.on_send(Instant::from_secs(1_000_000), false, Packets(2));
        let mut delivered = Delivered::default();
        delivered.note(1, Instant::from_secs(1_000_000), seq(1), &late);
        let sample = rate.sample(Instant::from_secs(1_000_001), &delivered, None).expect("delivered");
        assert!(sample.interval.is_some_and(|interval| interval > Duration::from_secs(1_000)));
    }
}
