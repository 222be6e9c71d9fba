//! The sender behind the queue: when a packet's last bit has left.
//!
//! Decides that for a constant rate, for a rate that changes in steps and for delivery opportunities,
//! all in whole numbers: what rounding to nanoseconds leaves over is carried to the next packet,
//! so that any number of packets takes exactly their bits' time. Times are nanoseconds.

use std::sync::Arc;

use super::trace::{OPPORTUNITY, RateTrace, Schedule, Step, work_of_period};
use crate::units::Rate;

/// One sender and how far it has got.
#[derive(Clone)]
pub(crate) enum Server {
    Constant {
        rate: u64,
        free_at: u64,
        /// Bits times 10^9, less than the rate.
        remainder: u64,
    },
    Steps {
        rates: Rates,
        free_at: u64,
        /// Bits times 10^9, less than the rate then.
        remainder: u64,
    },
    Opportunities {
        times: Arc<[u64]>,
        /// Number of the opportunity, counted on from round to round.
        current: u64,
        /// Bytes that it has left.
        left: u64,
    },
}

impl Server {
    pub(crate) fn new(rate: Option<Rate>, trace: Option<&RateTrace>) -> Option<Server> {
        match (trace.map(|trace| &trace.schedule), rate) {
            (Some(Schedule::Opportunities(times)), _) => {
                Some(Server::Opportunities { times: times.clone(), current: 0, left: OPPORTUNITY })
            }
            (Some(Schedule::Steps { steps, period }), _) => {
                Some(Server::Steps { rates: Rates::new(steps.clone(), *period), free_at: 0, remainder: 0 })
            }
            (None, Some(rate)) => Some(Server::Constant { rate: rate.bits_per_second(), free_at: 0, remainder: 0 }),
            (None, None) => None,
        }
    }

    /// When the next packet can leave the queue.
    pub(crate) fn next_start(&self) -> u64 {
        match self {
            Server::Constant { free_at, .. } | Server::Steps { free_at, .. } => *free_at,
            Server::Opportunities { times, current, left } => time_of(times, current + u64::from(*left == 0)),
        }
    }

    /// Nothing waited until now: what could have been sent before is lost.
    pub(crate) fn idle_until(&mut self, now: u64) {
        match self {
            Server::Constant { free_at, remainder, .. } | Server::Steps { free_at, remainder, .. } => {
                if *free_at <= now {
                    // An idle server owes nothing.
                    (*free_at, *remainder) = (now, 0);
                }
            }
            Server::Opportunities { times, current, left } => {
                let next = *current + u64::from(*left == 0);
                if time_of(times, next) < now {
                    *current = first_from(times, now);
                    *left = OPPORTUNITY;
                }
            }
        }
    }

    /// Sends a packet of `len` bytes that has just left the queue; when its last bit leaves.
    pub(crate) fn send(&mut self, len: usize) -> u64 {
        let bits = len as u64 * 8;
        match self {
            Server::Constant { rate, free_at, remainder } => {
                // 65 535 bytes make 5.2e14, and the remainder is below 1e12: no overflow.
                let work = bits * 1_000_000_000 + *remainder;
                *remainder = work % *rate;
                *free_at = free_at.saturating_add(work / *rate);
                *free_at
            }
            Server::Steps { rates, free_at, remainder } => {
                let work = bits * 1_000_000_000 + *remainder;
                (*free_at, *remainder) = rates.finish(*free_at, work);
                *free_at
            }
            Server::Opportunities { times, current, left } => {
                let mut unsent = len as u64;
                if unsent > *left {
                    unsent -= *left;
                    *current += unsent.div_ceil(OPPORTUNITY);
                    *left = OPPORTUNITY * unsent.div_ceil(OPPORTUNITY);
                }
                *left -= unsent;
                time_of(times, *current)
            }
        }
    }

    /// When a packet of `len` bytes would have been sent if it were next.
    pub(crate) fn would_send(&self, len: usize) -> u64 {
        self.clone().send(len)
    }
}

/// When an opportunity comes.
fn time_of(times: &[u64], number: u64) -> u64 {
    let count = (times.len() as u64).max(1);
    let round = times.last().copied().unwrap_or(u64::MAX);
    let within = times.get((number % count) as usize).copied().unwrap_or_default();
    (number / count).saturating_mul(round).saturating_add(within)
}

/// The first opportunity at or after a time.
fn first_from(times: &[u64], now: u64) -> u64 {
    let period = times.last().copied().unwrap_or(1).max(1);
    // The end of a round is the start of the next, so the round before may have it.
    let round = (now / period).saturating_sub(1);
    let before = round * times.len() as u64;
    let mut first = before + times.partition_point(|&time| time < now.saturating_sub(round * period)) as u64;
    if first == before + times.len() as u64 {
        let next = (round + 1) * period;
        first += times.partition_point(|&time| time < now.saturating_sub(next)) as u64;
    }
    first
}

/// Rates in steps.
#[derive(Clone)]
pub(crate) struct Rates {
    steps: Arc<[Step]>,
    period: Option<u64>,
    /// Bits times 10^9 that one period sends.
    work: u128,
}

impl Rates {
    fn new(steps: Arc<[Step]>, period: Option<u64>) -> Rates {
        let work = period.map_or(0, |period| work_of_period(&steps, period));
        Rates { steps, period, work }
    }

    /// The rate at a time and when it ends.
    fn at(&self, now: u64) -> (u64, Option<u64>) {
        let start = self.period.map_or(0, |period| now - now % period);
        let after = self.steps.partition_point(|step| step.from <= now - start);
        let rate = after.checked_sub(1).and_then(|at| self.steps.get(at)).map_or(0, |step| step.rate);
        let end = self.steps.get(after).map(|step| step.from).or(self.period);
        (rate, end.map(|end| start.saturating_add(end)))
    }

    /// When so much work that starts then is done, and what rounding leaves over.
    fn finish(&self, start: u64, work: u64) -> (u64, u64) {
        let (mut now, mut work) = (start, u128::from(work));
        loop {
            let (rate, end) = self.at(now);
            let room = end.map(|end| u128::from(rate) * u128::from(end - now));
            if rate > 0 && room.is_none_or(|room| work <= room) {
                let rate = u128::from(rate);
                return (now.saturating_add((work / rate) as u64), (work % rate) as u64);
            }
            // An outage without end is not accepted by the parser.
            let (Some(end), Some(room)) = (end, room) else { return (u64::MAX, 0) };
            work -= room;
            now = end;
            if let Some(period) = self.period
                && now % period == 0
                && work > self.work
            {
                // Whole rounds at once: a trickle would go round for ever. The last one is walked.
                let rounds = (work - 1) / self.work;
                work -= rounds * self.work;
                now = now.saturating_add((rounds as u64).saturating_mul(period));
            }
            if now == u64::MAX {
                return (now, 0);
            }
        }
    }
}
