//! What the path loses whatever is sent, and which loss is therefore too high.
//!
//! Decides how much loss is no answer to what we send: the share that is still lost when the flow has given way and no
//! queue stands. Does not decide what follows from loss above it. Owns the test of section 5.5.10.2
//! (IsInflightTooHigh), from which it departs; docs/decisions/bbr-loss.md says why.
//! Invariant: the share is at most `MOST`, and rises only by rounds in which the flow had given way.

use core::time::Duration;

use super::bandwidth::{Bandwidth, Gain};
use super::startup::FullBy;
use super::{Bbr, Sample, State, UNBOUNDED};

/// A share of segments, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Share(u32);

const WHOLE: u64 = 1_000_000;
/// Section 2, LossThresh: 2 %.
const LOSS_THRESHOLD: Share = Share(20_000);
/// A path that loses more than a tenth by itself is not one to fill.
const MOST: Share = Share(100_000);
/// By how much loss must exceed what is expected not to be chance.
const DEVIATIONS: u64 = 2;
/// Segments that say something of a share of a few hundredths.
const ENOUGH: u32 = 100;
/// What was counted before so many segments says nothing of now.
const MANY: u32 = 1_000;
/// A round trip this much longer than the least (a 128th) is not a sign of a queue. With a 16th, ten flows in a queue of a
/// 20th of a round trip take for the path's what each loses to the others.
const NOISE: u32 = 128;
/// The flow has given way when it sends at most this of what the path was seen to deliver.
const GIVEN_WAY: Gain = Gain(85);

impl Share {
    /// Millionths of a segment that this share of `segments` is.
    fn of(self, segments: u32) -> u64 {
        u64::from(self.0) * u64::from(segments)
    }

    /// This share and LossThresh.
    fn tolerated(self) -> Share {
        Share(self.0 + LOSS_THRESHOLD.0)
    }

    /// Whether more than this share of `segments` were lost, and not by chance: by two standard deviations of a loss
    /// that is as frequent. Without that a path that loses 1 % at random, in which some round trip loses 2 % every
    /// second, would be left unused.
    fn is_exceeded(self, lost: u32, segments: u32) -> bool {
        let excess = (u64::from(lost) * WHOLE).saturating_sub(self.of(segments));
        excess > 0 && exceeds_deviation(excess, self.of(segments))
    }

    /// Whether fewer than this share of `segments` were lost, and not by chance.
    fn is_missed(self, lost: u32, segments: u32) -> bool {
        let missing = self.of(segments).saturating_sub(u64::from(lost) * WHOLE);
        missing > 0 && exceeds_deviation(missing, self.of(segments))
    }
}

/// Whether `difference` is more than so many deviations of a count that is `mean` on average, both in millionths.
fn exceeds_deviation(difference: u64, mean: u64) -> bool {
    u128::from(difference).pow(2) > u128::from(mean) * u128::from(WHOLE * DEVIATIONS.pow(2))
}

/// Segments whose fate is known.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    segments: u32,
    lost: u32,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.segments = self.segments.saturating_add(other.segments);
        self.lost = self.lost.saturating_add(other.lost);
    }

    fn share(self) -> Share {
        let share = u64::from(self.lost) * WHOLE / u64::from(self.segments.max(1));
        Share(u32::try_from(share).unwrap_or(u32::MAX)).min(MOST)
    }
}

/// How the flow sends, from low to high.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Restraint {
    /// More than it knows to be carried.
    #[default]
    Probing,
    /// What it knows to be carried.
    Calm,
    /// So much less that loss of its own making would have ended.
    GivenWay,
}

#[derive(Clone, Debug, Default)]
pub(super) struct PathLoss {
    share: Share,
    /// At the ends of the last round and the one before: what is acknowledged in a round left in the one before.
    restraint: [Restraint; 2],
    /// C.delivered when this round began, and losses found since.
    delivered: u32,
    lost: u32,
    /// Round trips of this round: how many, and their sum.
    round_trips: u32,
    sum: Duration,
    /// No queue stood in the last round that has ended.
    pub(super) queue_was_low: bool,
    /// The longest round trip of this cycle of probing and of the one before.
    longest: [Duration; 2],
    /// Rounds in which nothing was probed, and those in which the flow had given way.
    calm: Count,
    given_way: Count,
}

impl PathLoss {
    /// Section 5.5.10.2, above what the path loses by itself.
    pub(super) fn is_too_high(&self, lost: u32, in_flight: u32) -> bool {
        self.share.tolerated().is_exceeded(lost, in_flight)
    }

    /// InflightAtLoss for a packet of one segment: the volume at which the loss that has been found began to be too high.
    pub(super) fn in_flight_at_loss(&self, lost: u32, in_flight: u32) -> u32 {
        let tolerated = self.share.tolerated();
        let (before, lost_before) = (in_flight.saturating_sub(1), lost.saturating_sub(1));
        let prefix =
            tolerated.of(before).saturating_sub(u64::from(lost_before) * WHOLE) / (WHOLE - u64::from(tolerated.0));
        before.saturating_add(u32::try_from(prefix).unwrap_or(u32::MAX))
    }

    pub(super) fn on_lost(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }

    /// A new cycle of probing begins.
    pub(super) fn on_cycle(&mut self) {
        self.longest = [Duration::ZERO, self.longest[0]];
    }

    fn note_round_trip(&mut self, rtt: Duration) {
        self.round_trips = self.round_trips.saturating_add(1);
        self.sum = self.sum.saturating_add(rtt);
        self.longest[0] = self.longest[0].max(rtt);
    }

    /// Whether queues were nearly empty on average of the round: far from the fullest they have been seen, in which tail
    /// drop loses, or within noise of the least round trip.
    fn is_queue_low(&self, min_rtt: Duration) -> bool {
        let mean = self.sum / self.round_trips.max(1);
        let longest = self.longest[0].max(self.longest[1]);
        let low = (longest.saturating_sub(min_rtt) / 4).max(min_rtt / NOISE);
        self.round_trips > 0 && mean.saturating_sub(min_rtt) <= low
    }

    /// A round has ended, with so much delivered in all and the flow sending like this. Whether the share has risen.
    fn end_round(&mut self, delivered: u32, restraint: Restraint, min_rtt: Duration) -> bool {
        let arrived = delivered.wrapping_sub(self.delivered);
        let round = Count { segments: arrived.saturating_add(self.lost), lost: self.lost };
        self.queue_was_low = self.is_queue_low(min_rtt);
        let was = self.restraint[0].min(self.restraint[1]);
        let mut has_risen = false;
        if was >= Restraint::Calm {
            self.calm.add(round);
            self.fall();
        }
        if was == Restraint::GivenWay && self.queue_was_low {
            self.given_way.add(round);
            has_risen = self.rise();
        }
        self.restraint = [restraint, self.restraint[0]];
        (self.delivered, self.lost) = (delivered, 0);
        (self.round_trips, self.sum) = (0, Duration::ZERO);
        has_risen
    }

    /// Loss that is below the share shows that it is too high, however much is sent.
    fn fall(&mut self) {
        let Count { segments, lost } = self.calm;
        if segments >= MANY {
            if self.share.is_missed(lost, segments) {
                self.share = self.calm.share();
            }
            self.calm = Count::default();
        }
    }

    /// Loss that stays although less is sent is not ours.
    fn rise(&mut self) -> bool {
        let Count { segments, lost } = self.given_way;
        let stays = segments >= ENOUGH && self.is_too_high(lost, segments);
        let before = self.share;
        if stays {
            self.share = self.given_way.share().max(before);
        }
        if stays || segments >= MANY {
            self.given_way = Count::default();
        }
        self.share > before
    }
}

impl Bbr {
    /// A round trip is over, or goes on: what was lost in it, and what that says of the path.
    pub(super) fn update_path_loss(&mut self, sample: &Sample) {
        if let Some(rtt) = sample.rtt {
            self.path_loss.note_round_trip(rtt);
        }
        if !self.model.round_start {
            return;
        }
        let restraint = self.restraint();
        let min_rtt = self.model.min_rtt.unwrap_or_default();
        if self.path_loss.end_round(sample.total_delivered, restraint, min_rtt) {
            self.lift_bounds();
        }
    }

    /// What was taken for congestion was the path's own: as after a loss that was none (section 5.5.11.2), bounds are lifted
    /// and the search goes on, in Startup if they ended that.
    pub(super) fn lift_bounds(&mut self) {
        self.model.reset_short_term();
        self.model.inflight_longterm = UNBOUNDED;
        self.cycle.prev_too_high = false;
        if self.full.by == Some(FullBy::Loss) {
            self.resume_startup();
        } else if self.state.is_probe_bw() {
            self.start_refill();
        }
    }

    fn restraint(&self) -> Restraint {
        let in_force = self.model.bw.times(self.state.pacing_gain());
        match self.state {
            State::Startup | State::Refill | State::Up => Restraint::Probing,
            // Half of what fills the path, but one of many flows does it alone: others' loss goes on.
            State::ProbeRtt => Restraint::Calm,
            _ if in_force <= self.model.max_bw.get().times(GIVEN_WAY) && in_force > Bandwidth::ZERO => {
                Restraint::GivenWay
            }
            _ => Restraint::Calm,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN_RTT: Duration = Duration::from_millis(40);

    /// Rounds of `segments` of which so many are lost; whether the share rose in one of them.
    fn rounds(path: &mut PathLoss, restraint: Restraint, rtt: Duration, count: u32, segments: u32, lost: u32) -> bool {
        let mut risen = false;
        for _ in 0..count {
            (0..lost).for_each(|_| path.on_lost());
            path.note_round_trip(rtt);
            let delivered = path.delivered.wrapping_add(segments - lost);
            risen |= path.end_round(delivered, restraint, MIN_RTT);
        }
        risen
    }

    // Section 5.5.10.2: above 2 % of what was in flight; here by more than chance explains.
    #[test]
    fn loss_is_too_high_above_two_per_cent_and_two_deviations() {
        let path = PathLoss::default();
        for in_flight in [1u32, 4, 10, 50, 100, 1_000, 100_000] {
            let mean = 0.02 * f64::from(in_flight);
            let limit = mean + 2.0 * mean.sqrt();
            let least = (0..=in_flight + 5).find(|lost| path.is_too_high(*lost, in_flight)).map(f64::from);
            assert_eq!(least, Some(limit.floor() + 1.0), "{in_flight} in flight: {limit}");
        }
        assert!(!path.is_too_high(0, 0));
        assert!(path.is_too_high(u32::MAX, u32::MAX));
    }

    #[test]
    fn loss_that_stays_when_the_flow_has_given_way_is_the_paths_and_is_tolerated() {
        let mut path = PathLoss::default();
        assert!(path.is_too_high(5, 50));
        assert!(rounds(&mut path, Restraint::GivenWay, MIN_RTT, 12, 50, 3));
        assert!(!path.is_too_high(8, 50) && path.is_too_high(11, 50));
        // That it loses less, later, is seen soon.
        assert!(!rounds(&mut path, Restraint::Calm, MIN_RTT, 60, 50, 1));
        assert!(path.is_too_high(5, 50));
    }

    #[test]
    fn loss_that_ends_when_the_flow_gives_way_is_its_own() {
        let mut path = PathLoss::default();
        assert!(!rounds(&mut path, Restraint::Calm, MIN_RTT, 100, 50, 5), "nothing is learned without giving way");
        assert!(!rounds(&mut path, Restraint::GivenWay, MIN_RTT, 2, 50, 5), "what left before is acknowledged now");
        assert!(!rounds(&mut path, Restraint::GivenWay, MIN_RTT, 100, 50, 1));
        assert!(path.is_too_high(5, 50));
    }

    #[test]
    fn loss_beside_a_full_queue_is_not_the_paths() {
        let mut path = PathLoss::default();
        // The queue holds 20 ms; it is full in every round, although the flow has given way to others.
        assert!(!rounds(&mut path, Restraint::GivenWay, MIN_RTT + MIN_RTT / 2, 100, 50, 5));
        assert!(rounds(&mut path, Restraint::GivenWay, MIN_RTT + MIN_RTT / 10, 100, 50, 5), "it is nearly empty");
    }

    #[test]
    fn no_path_is_said_to_lose_more_than_a_tenth() {
        let mut path = PathLoss::default();
        assert!(rounds(&mut path, Restraint::GivenWay, MIN_RTT, 100, 50, 40));
        assert_eq!(path.share, MOST);
        assert!(path.is_too_high(20, 100));
    }

    #[test]
    fn the_volume_at_loss_is_where_the_threshold_was_crossed() {
        let mut path = PathLoss::default();
        // 4 of 60: before the last 3 of 59, and 0.02 of 59 were 1.18.
        assert_eq!(path.in_flight_at_loss(4, 60), 59);
        // None of 999 before: (0.02 * 999 - 0) / 0.98 more would have been tolerated.
        assert_eq!(path.in_flight_at_loss(1, 1_000), 999 + 20);
        path.share = Share(50_000);
        assert_eq!(path.in_flight_at_loss(1, 1_000), 999 + 75);
        assert_eq!(path.in_flight_at_loss(u32::MAX, u32::MAX), u32::MAX - 1);
    }
}
