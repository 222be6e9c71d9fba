//! Which runs fit into the time that there is.
//!
//! Decides what is given up first: repeats, then seconds, then points (evenly, so that every corner of the grid stays
//! in), and says what was given up.

use std::time::Duration;

use crate::point::Point;

/// What a run costs besides the seconds in which it is watched.
const OVERHEAD: Duration = Duration::from_millis(600);
/// The least time that a run is watched when time is short.
const LEAST: Duration = Duration::from_secs(2);

/// What is measured in real time.
pub(crate) struct Plan {
    pub(crate) points: Vec<(Point, Duration)>,
    pub(crate) repeats: usize,
    /// Rows of slow paths measured at the same time.
    pub(crate) jobs: usize,
    /// What was given up for the time, for people; empty when nothing was.
    pub(crate) given_up: String,
}

impl Plan {
    /// `runs` are made at each point and repeat.
    pub(crate) fn new(points: Vec<Point>, runs: usize, repeats: usize, time: Option<Duration>, jobs: usize) -> Plan {
        let whole = points.len();
        let mut plan = Plan {
            points: points
                .into_iter()
                .map(|point| {
                    let time = point.real_time();
                    (point, time)
                })
                .collect(),
            repeats: repeats.max(1),
            jobs: jobs.max(1),
            given_up: String::new(),
        };
        let Some(time) = time else { return plan };
        let mut said = Vec::new();
        let repeats = plan.repeats;
        while plan.repeats > 1 && plan.takes(runs) > time {
            plan.repeats -= 1;
        }
        if plan.repeats < repeats {
            said.push(format!("{} instead of {repeats} repeats", plan.repeats));
        }
        if plan.takes(runs) > time {
            for (point, seconds) in &mut plan.points {
                // Not shorter than what the slowest start needs.
                *seconds = (*seconds / 2).max(LEAST).max(point.rtt * 12);
            }
            said.push("half the seconds".to_owned());
        }
        let too_long = plan.takes(runs).as_secs_f64() / time.as_secs_f64();
        if too_long > 1.0 {
            let keep = ((whole as f64 / too_long) as usize).max(1);
            let all = std::mem::take(&mut plan.points);
            plan.points = all
                .into_iter()
                .enumerate()
                .filter(|(at, _)| at * keep / whole != (at + 1) * keep / whole)
                .map(|(_, point)| point)
                .collect();
            said.push(format!("{} of {whole} points", plan.points.len()));
        }
        plan.given_up = said.join(", ");
        plan
    }

    /// Repeats above 100 Mbit/s, where seeds decide less and rows are measured one by one.
    pub(crate) fn fast_repeats(&self) -> usize {
        self.repeats.div_ceil(3)
    }

    pub(crate) fn repeats_at(&self, point: &Point) -> usize {
        if point.is_fast() { self.fast_repeats() } else { self.repeats }
    }

    /// How long it all takes.
    pub(crate) fn takes(&self, runs: usize) -> Duration {
        let (fast, slow): (Vec<_>, Vec<_>) = self.points.iter().partition(|(point, _)| point.is_fast());
        let sum = |points: Vec<&(Point, Duration)>| -> Duration {
            points.into_iter().map(|(point, seconds)| (*seconds + OVERHEAD) * self.repeats_at(point) as u32).sum()
        };
        (sum(fast) + sum(slow) / self.jobs as u32) * runs as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::points;

    #[test]
    fn whatever_time_there_is_the_plan_fits_and_keeps_something() {
        let whole = Plan::new(points(), 9, 3, None, 1);
        assert!(whole.given_up.is_empty());
        for minutes in [1, 10, 60, 600] {
            let time = Duration::from_secs(minutes * 60);
            let plan = Plan::new(points(), 9, 3, Some(time), 1);
            assert!(
                !plan.points.is_empty() && plan.takes(9) <= time.max(Duration::from_secs(60)) * 11 / 10,
                "{minutes}"
            );
            assert_eq!(plan.given_up.is_empty(), whole.takes(9) <= time);
        }
    }
}
