//! Torture: one seed is a path as bad as chance makes it, both directions at once, hashes at both ends, and nobody
//! may stand still for longer than the path explains.
//!
//! Decides what a seed stands for and how long is too long: after something was last read, each packet that was lost since
//! may have cost one more timeout, each twice as long as the one before. Of every eighth seed the path is cut, too (`cut`).
mod cut;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use segue_link::{Impairments, LossModel, PathConfig, PathStats, Probability, QueueDiscipline, Rate};

use crate::error::{LabError, StallReason};
use crate::lab::{HostId, Lab};
use crate::transfer::{Direction, Family, TransferConfig, TransferReport, View, transfer_watched};

/// Bytes each way.
const BYTES: u64 = 1 << 20;
/// Longest virtual time of a seed.
const LIMIT: Duration = Duration::from_secs(4 * 3600);
/// Losses from before something was last read that may still cost a timeout: of data, and of what acknowledges them.
const EARLIER: u64 = 2;
/// What is slower than a timeout from one packet to the next: delayed acknowledgments, a look for loss, persist probes.
const SLACK: Duration = Duration::from_secs(1);
const RTO_MAX: Duration = Duration::from_secs(120);
/// Of so many seeds one path is cut, after it was survived.
const CUT: u64 = 8;

/// What a seed came to.
#[derive(Clone, Debug)]
pub struct Ordeal {
    /// What was transferred and how.
    pub report: TransferReport,
    /// The longest time in which a direction that was not done delivered nothing.
    pub longest_gap: Duration,
    /// How long that one might have been.
    pub explained: Duration,
}

/// A source of choices: xorshift, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    /// Never, every second time; up to `most` per mille otherwise.
    fn probability(&mut self, most: u64) -> Probability {
        let share = if self.below(2) == 0 { 0 } else { self.below(most) };
        Probability::from_fraction(share as f64 / 1000.0).unwrap_or_default()
    }

    /// Single losses or bursts, of two to four packets on average.
    fn loss(&mut self) -> LossModel {
        let share = self.below(60) + 1;
        match self.below(3) {
            0 => self.probability(120).into(),
            1 => format!("burst:{}.{}%,{}", share / 10, share % 10, 2 + self.below(3)).parse().unwrap_or_default(),
            _ => LossModel::default(),
        }
    }
}

fn impairments(random: &mut Random) -> Impairments {
    let rate = random.pick(&[None, None, Some(1_000_000), Some(5_000_000), Some(20_000_000), Some(1_000_000_000)]);
    let queue = random.pick(&["16KiB", "64KiB", "20", "codel", "fq_codel", "red"]);
    Impairments {
        delay: Duration::from_micros(random.pick(&[0, 100, 2_000, 10_000, 50_000, 300_000])),
        jitter: Duration::from_micros(random.pick(&[0, 0, 500, 5_000, 30_000])),
        loss: random.loss(),
        reorder: random.probability(150),
        duplicate: random.probability(150),
        corrupt: random.probability(60),
        rate: rate.and_then(Rate::from_bits_per_second),
        queue: rate.and_then(|_| queue.parse::<QueueDiscipline>().ok()).filter(|_| random.below(3) > 0),
        ..Impairments::default()
    }
}

/// The experiment that a seed stands for.
///
/// # Errors
/// None that a seed can cause: the parts are made so that they fit.
fn config(seed: u64) -> Result<TransferConfig, LabError> {
    let mut random = Random(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..4 {
        random.below(2);
    }
    // The way back is often as good as it can be, and sometimes the only bad one: acknowledgments get lost, too.
    let (there, back) = (impairments(&mut random), impairments(&mut random));
    let (there, back) = match random.below(4) {
        0 => (there, Impairments { loss: LossModel::default(), ..back }),
        1 => (Impairments { loss: LossModel::default(), ..there }, back),
        _ => (there, back),
    };
    let path = PathConfig::new(there, back).map_err(LabError::Path)?;
    let choices = [
        ("tcp_timestamps", "0", 4),
        ("tcp_sack", "0", 6),
        ("tcp_dsack", "0", 12),
        ("tcp_window_scaling", "0", 12),
        ("tcp_recovery", "0", 20),
        ("tcp_early_retrans", "0", 8),
        ("tcp_frto", "0", 8),
        ("tcp_ecn", "1", 4),
        ("tcp_retrans_collapse", "0", 12),
        ("tcp_rmem", "4096 16384 65536", 12),
    ];
    let sysctls = choices.into_iter().filter(|(_, _, often)| random.below(*often) == 0);
    let mut sysctls: Vec<_> = sysctls.map(|(name, value, _)| (name.to_owned(), value.to_owned())).collect();
    // Chance can lose every retransmission of a quarter of an hour. Nobody is to give up: whoever stands still is found.
    for name in ["tcp_retries2", "tcp_orphan_retries"] {
        sysctls.push((name.to_owned(), "100".to_owned()));
    }
    let algorithm = random.pick(&["cubic", "cubic", "reno", "bbr"]);
    sysctls.push(("tcp_congestion_control".to_owned(), algorithm.to_owned()));
    Ok(TransferConfig {
        seed,
        sysctls,
        family: random.pick(&[Family::V4, Family::V6]),
        direction: Direction::Both,
        offload: random.below(4) != 0,
        limit: LIMIT,
        ..TransferConfig::new(BYTES, path)
    })
}

/// What a seed stands for, in words.
pub fn describe(seed: u64) -> String {
    match config(seed) {
        Ok(config) => format!("{:?} {:?} {:?}", config.family, config.path, config.sysctls),
        Err(error) => error.to_string(),
    }
}

/// Runs the experiment of a seed.
///
/// # Errors
/// [`LabError::Stalled`] when a direction stands still for longer than the path explains, all is not over in four hours
/// of virtual time, or a path is cut and somebody does not give up; [`LabError::Socket`] when a connection breaks. A wrong hash is the report's to say.
pub fn torture(seed: u64) -> Result<Ordeal, LabError> {
    let config = config(seed)?;
    let watch = Rc::new(RefCell::new(Watch::new(&config.path)));
    let watcher = watch.clone();
    let report = transfer_watched(config, Box::new(move |lab, view| watcher.borrow_mut().look(lab, view)))?;
    let Watch { longest_gap, explained, .. } = *watch.borrow();
    if seed.is_multiple_of(CUT) {
        cut::cut(seed)?;
    }
    Ok(Ordeal { report, longest_gap, explained })
}

/// One direction: since when nothing was read, and what was so then.
#[derive(Clone, Copy, Debug, Default)]
struct Still {
    received: u64,
    since: Duration,
    /// Packets that the path had lost or damaged.
    lost: u64,
    /// The sender's timeout.
    rto: Duration,
}

/// Looks whether anybody stands still.
struct Watch {
    /// How long a packet may be under way, there and back.
    travel: Duration,
    ways: [Still; 2],
    longest_gap: Duration,
    explained: Duration,
}

impl Watch {
    fn new(path: &PathConfig) -> Watch {
        let one = |way: &Impairments| {
            // What waits in front of a bottleneck is at most everything that is ever sent, twice.
            let drained = way.rate.map_or(0.0, |rate| BYTES as f64 * 16.0 / rate.bits_per_second() as f64);
            way.delay * 2 + way.jitter * 4 + Duration::from_secs_f64(drained)
        };
        let travel = one(path.a_to_b()) + one(path.b_to_a());
        let still = Still { rto: Duration::from_secs(1), ..Still::default() };
        Watch { travel, ways: [still; 2], longest_gap: Duration::ZERO, explained: Duration::ZERO }
    }

    fn look(&mut self, lab: &Lab, view: &View) -> Result<(), LabError> {
        let now = lab.elapsed();
        let lost = lost(&lab.path_stats(view.cable));
        for (at, still) in self.ways.iter_mut().enumerate() {
            let gap = now.saturating_sub(still.since);
            let explained = explain(still, lost) + self.travel + SLACK;
            if view.is_done[at] {
                continue;
            }
            if gap > self.longest_gap {
                (self.longest_gap, self.explained) = (gap, explained);
            }
            if gap > explained {
                return Err(lab.stalled(StallReason::Unexplained { gap, explained, lost: lost - still.lost }));
            }
            if view.received[at] > still.received {
                let rto = sender_rto(lab, view.senders[at]);
                *still = Still { received: view.received[at], since: now, lost, rto };
            }
        }
        Ok(())
    }
}

/// As many timeouts in a row as packets were lost, each twice as long as the one before.
fn explain(still: &Still, lost: u64) -> Duration {
    let mut rto = still.rto.max(Duration::from_millis(200));
    let mut total = Duration::ZERO;
    for _ in 0..=(lost - still.lost + EARLIER).min(60) {
        total += rto;
        rto = (rto * 2).min(RTO_MAX);
    }
    total
}

fn lost(stats: &PathStats) -> u64 {
    [&stats.a_to_b, &stats.b_to_a].iter().map(|way| way.dropped() + way.corrupted).sum()
}

fn sender_rto(lab: &Lab, sender: HostId) -> Duration {
    let rto = |socket: segue_stack::SocketInfo| socket.info.map(|info| info.rto);
    let longest = lab.host(sender).sockets(lab.now()).filter_map(rto).max();
    longest.map_or(Duration::from_secs(1), |micros| Duration::from_micros(micros.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_explained_by_the_timeouts_that_losses_may_have_cost() {
        let still = Still { rto: Duration::from_millis(300), lost: 5, ..Still::default() };
        // None lost since: two from before, and the timeout that found them.
        assert_eq!(explain(&still, 5), Duration::from_millis(300 + 600 + 1200));
        assert_eq!(explain(&still, 6), Duration::from_millis(300 + 600 + 1200 + 2400));
        assert!(explain(&still, 5_000) <= RTO_MAX * 61);
    }

    // 1661: a retransmission that was needless and never accounted for stood for the earliest segment at every timeout.
    #[test]
    fn two_hundred_seeds_are_survived_and_one_that_was_not() {
        for seed in (0..200).chain([1661]) {
            let what = || format!("segue lab torture --first {seed} --seeds 1: {}", describe(seed));
            let ordeal = torture(seed).unwrap_or_else(|error| panic!("{}\n{error}", what()));
            assert!(ordeal.report.sha256_ok, "{}\n{:#?}", what(), ordeal.report);
        }
    }

    #[test]
    fn the_same_seed_is_the_same_ordeal() {
        let twice = [0, 1].map(|_| torture(7).map(|ordeal| (ordeal.report, ordeal.longest_gap)));
        let [Ok(first), Ok(second)] = twice else { panic!("{twice:?}") };
        assert_eq!(first, second);
    }
}
