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
fn point() -> Point {
    let mut point = crate::point::points().into_iter().find(|point| point.name == "100mbit-30ms-0%");
    point.take().expect("a point of the grid")
}

/// Jain's index and the flows' shares of the bottleneck for flows of Segue in virtual time.
pub(crate) fn in_virtual_time(flows: usize, congestion: &str, seed: u64) -> Result<(f64, f64), String> {
    let point = point();
    let names = vec![congestion; flows];
    // Long enough for CUBIC's slow convergence.
    let run = lab::run(&point, &names, Duration::from_secs(60), seed).map_err(|error| error.to_string())?;
    Ok((table::jain(&run.flows), run.goodput() / point.best_bits_per_second()))
}

/// The same in real time.
pub(crate) fn in_real_time(flows: usize, flow: Flow<'_>, time: Duration, seed: u64) -> Result<(f64, f64), String> {
    let point = point();
    let run = real::run_flows(&point, &vec![flow; flows], false, time, seed).map_err(|error| error.to_string())?;
    Ok((table::jain(&run.flows), run.goodput() / point.best_bits_per_second()))
}

/// What Segue's flows get of their fair share beside as many of Linux's, in real time; and the use of the bottleneck.
pub(crate) fn beside_linux(each: usize, congestion: &str, time: Duration, seed: u64) -> Result<(f64, f64), String> {
    let point = point();
    let flow = |by_segue| Flow { by_segue, congestion };
    let flows: Vec<Flow<'_>> = (0..2 * each).map(|index| flow(index % 2 == 0)).collect();
    let run = real::run_flows(&point, &flows, false, time, seed).map_err(|error| error.to_string())?;
    let own: f64 = run.flows.iter().step_by(2).sum();
    let all = run.goodput();
    Ok((own / (all / 2.0).max(1.0), all / point.best_bits_per_second()))
}
