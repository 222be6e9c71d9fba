//! Several flows over one bottleneck: how evenly they share it.

use std::time::Duration;

use crate::point::Point;
use crate::real::{self, Flow};
use crate::{lab, table};

/// How many flows share it.
pub(crate) const FLOWS: [usize; 5] = [2, 5, 10, 20, 50];
/// How many of Segue's beside as many of Linux's.
pub(crate) const EACH: [usize; 3] = [1, 2, 5];

/// The bottleneck that flows share: 100 Mbit/s, 30 ms, a queue of what fills it.
const POINT: &str = "100mbit-30ms-0%";
/// Where Segue and Linux are put side by side in real time: slow, so that the bottleneck is measured and not what else
/// this machine does.
const BESIDE: &str = "10mbit-30ms-0%";
/// Where bbr and cubic are put side by side.
pub(crate) const MIXED: [&str; 3] = ["10mbit-30ms-0%", POINT, "100mbit-30ms-queue:4bdp"];

fn named(name: &str) -> Point {
    crate::point::points().into_iter().find(|point| point.name == name).expect("a point of the grid")
}

fn point() -> Point {
    named(POINT)
}

/// What `each` flows with bbr get of their fair share beside as many with cubic in virtual time, and use.
pub(crate) fn bbr_beside_cubic(point: &str, each: usize, seed: u64) -> Result<(f64, f64), String> {
    let point = named(point);
    let names: Vec<&str> = ["bbr", "cubic"].into_iter().cycle().take(2 * each).collect();
    let run = lab::run(&point, &names, Duration::from_secs(60), seed).map_err(|error| error.to_string())?;
    // Flows are accepted in the order in which they were opened.
    let bbr: f64 = run.flows.iter().step_by(2).sum();
    let all = run.goodput();
    Ok((bbr / (all / 2.0).max(1.0), all / point.best_bits_per_second()))
}

/// Jain's index and the flows' shares of the bottleneck for flows of Segue in virtual time.
pub(crate) fn in_virtual_time(flows: usize, congestion: &str, seed: u64) -> Result<(f64, f64), String> {
    let point = point();
    let names = vec![congestion; flows];
    // Long enough for CUBIC's slow convergence.
    let run = lab::run(&point, &names, Duration::from_secs(60), seed).map_err(|error| error.to_string())?;
    Ok((table::jain(&run.flows), run.goodput() / point.best_bits_per_second()))
}

/// How evenly flows share in real time.
pub(crate) struct Shared {
    /// Jain's index, or a share of what is fair.
    pub(crate) share: f64,
    /// The least and the most in any run.
    pub(crate) range: (f64, f64),
    /// Use of the bottleneck.
    pub(crate) used: f64,
}

/// The same in real time.
pub(crate) fn in_real_time(flows: usize, flow: Flow<'_>, time: Duration, seed: u64) -> Result<Shared, String> {
    let point = point();
    let run = real::run_flows(&point, &vec![flow; flows], false, time, seed).map_err(|error| error.to_string())?;
    let share = table::jain(&run.flows);
    Ok(Shared { share, range: (share, share), used: run.goodput() / point.best_bits_per_second() })
}

/// What Segue's flows get of their fair share beside as many of Linux's, in real time; medians of several runs.
pub(crate) fn beside_linux(each: usize, congestion: &str, time: Duration, runs: u64) -> Result<Shared, String> {
    let point = named(BESIDE);
    let flow = |by_segue| Flow { by_segue, congestion };
    let flows: Vec<Flow<'_>> = (0..2 * each).map(|index| flow(index % 2 == 0)).collect();
    let (mut shares, mut uses) = (Vec::new(), Vec::new());
    for seed in 1..=runs.max(1) {
        let run = real::run_flows(&point, &flows, false, time, seed).map_err(|error| error.to_string())?;
        let own: f64 = run.flows.iter().step_by(2).sum();
        let all = run.goodput();
        shares.push(own / (all / 2.0).max(1.0));
        uses.push(all / point.best_bits_per_second());
    }
    let range = (shares.iter().copied().fold(f64::MAX, f64::min), shares.iter().copied().fold(0.0, f64::max));
    let median = |figures: &[f64]| table::median(figures).unwrap_or_default();
    Ok(Shared { share: median(&shares), range, used: median(&uses) })
}
