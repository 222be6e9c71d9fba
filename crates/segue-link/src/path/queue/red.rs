//! RED (Floyd and Jacobson 1993): drops or marks early, the more the longer the mean queue.
//!
//! Decides which packets a filling queue refuses, as Linux does (net/sched/sch_red.c, include/net/red.h):
//! the same mean, weighted as tc weights it, the same even spacing of drops, packets that take part in ECN
//! marked instead, and no packet let in above the limit.

use super::super::random::Random;
use super::QueueCounts;
use super::config::RedConfig;
use super::fifo::{Fifo, Queued};

/// Mean packet size that weight and idle time are worked out with, in bytes; tc's usual `avpkt`.
const MEAN_PACKET: u64 = 1000;

pub(super) struct Red {
    config: RedConfig,
    /// The weight of a sample is 2 to the minus this.
    weight_log: u32,
    /// Mean length of the queue in bytes, times 2^weight_log.
    mean: u64,
    /// Packets since the last drop or mark; `None` before the mean has come above the lower threshold.
    since_last: Option<u64>,
    /// Where in its period the next drop or mark comes: a fraction of 2^64.
    place: u64,
    /// Since when nothing waits, nanoseconds.
    empty_since: Option<u64>,
    /// What a mean packet takes to send, nanoseconds.
    packet_time: u64,
    random: Random,
}

impl Red {
    pub(super) fn new(config: RedConfig, bits_per_second: u64, mut random: Random) -> Red {
        Red {
            weight_log: weight_log(&config),
            config,
            mean: 0,
            since_last: None,
            place: random.next(),
            empty_since: Some(0),
            packet_time: (MEAN_PACKET * 8 * 1_000_000_000 / bits_per_second.max(1)).max(1),
            random,
        }
    }

    pub(super) fn queue_is_empty(&mut self, now: u64) {
        self.empty_since = Some(now);
    }

    /// Takes a packet, marks it, or refuses it.
    pub(super) fn enter(&mut self, fifo: &mut Fifo, mut queued: Queued, counts: &mut QueueCounts) {
        self.measure(queued.entered, fifo.bytes());
        let congested = self.is_congested();
        let marked = congested && self.config.ecn && queued.packet.run.mark_congestion();
        counts.marked += u64::from(marked);
        if (congested && !marked) || fifo.bytes() + queued.len() > self.config.limit {
            counts.refused += 1;
            if fifo.len() == 0 {
                self.empty_since = Some(queued.entered);
            }
        } else {
            fifo.push(queued);
        }
    }

    /// Brings the mean up to date. While nothing waited it falls as if small packets had passed.
    fn measure(&mut self, now: u64, bytes: u64) {
        if let Some(since) = self.empty_since.take() {
            // mean * (1 - 2^-w)^n by squaring, in 32 binary places.
            let mut power = (now - since) / self.packet_time;
            let mut factor = (1_u64 << 32) - (1 << (32 - self.weight_log));
            let mut mean = u128::from(self.mean);
            while power > 0 && mean > 0 {
                if power & 1 == 1 {
                    mean = (mean * u128::from(factor)) >> 32;
                }
                factor = ((u128::from(factor) * u128::from(factor)) >> 32) as u64;
                power >>= 1;
            }
            self.mean = mean as u64;
        }
        self.mean = self.mean - (self.mean >> self.weight_log) + bytes;
    }

    fn is_congested(&mut self) -> bool {
        let RedConfig { min, max, probability, .. } = self.config;
        let (low, high) = (min << self.weight_log, max << self.weight_log);
        if self.mean < low {
            self.since_last = None;
            return false;
        }
        if self.mean >= high {
            self.since_last = None;
            return true;
        }
        let Some(count) = self.since_last else {
            self.since_last = Some(0);
            self.place = self.random.next();
            return false;
        };
        let count = count + 1;
        // Even spacing: count * probability * (mean - min) / (max - min) reaches a number drawn once per drop.
        let share = probability.fraction() * ((self.mean - low) as f64 / (high - low) as f64);
        let reached = (share * count as f64).min(1.0) * 18_446_744_073_709_551_616.0;
        let congested = reached > self.place as f64;
        self.since_last = Some(if congested { 0 } else { count });
        if congested {
            self.place = self.random.next();
        }
        congested
    }
}

/// tc's choice: the smallest weight with which a burst of (2 min + max) / 3 gets past.
fn weight_log(config: &RedConfig) -> u32 {
    let packet = MEAN_PACKET as f64;
    let burst = ((2 * config.min + config.max) as f64 / (3.0 * packet)).max(1.0);
    let wanted = burst + 1.0 - config.min as f64 / packet;
    let mut weight = 0.5_f64;
    for log in 1..16 {
        let mut rest = 1.0;
        for _ in 0..burst as u32 {
            rest *= 1.0 - weight;
            if rest < 1e-12 {
                break;
            }
        }
        if wanted <= (1.0 - rest) / weight {
            return log;
        }
        weight /= 2.0;
    }
    16
}
