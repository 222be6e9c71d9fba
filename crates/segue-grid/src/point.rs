//! The points of the grid: which paths are measured, and for how long.
//!
//! Decides the names, which are the keys of the committed table: `100mbit-30ms-1%`, `100mbit-30ms-burst:1%,8`.

use std::time::Duration;

use segue_link::{Impairments, LossModel, PathConfig, Probability, QueueDiscipline, QueueLimit, Rate};

/// One path of the grid.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) name: String,
    pub(crate) rate: Rate,
    pub(crate) rtt: Duration,
    forward: Impairments,
    back: Impairments,
    pub(crate) kind: Kind,
    /// Sysctls of both ends: buffers that no path of the grid fills.
    pub(crate) sysctls: &'static [(&'static str, &'static str)],
}

/// Buffers that no path of the grid fills.
const LARGE_BUFFERS: &[(&str, &str)] =
    &[("net.ipv4.tcp_rmem", "4096 131072 1073741824"), ("net.ipv4.tcp_wmem", "4096 16384 1073741824")];

/// Why a point is in the grid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Rate, round trip and random loss.
    Loss,
    /// Something else that paths do, on one path.
    Trouble,
    /// A rate that this machine's emulator does not carry in real time.
    VirtualOnly,
}

impl Point {
    fn new(rate: &str, rtt: &str, what: &str, kind: Kind) -> Point {
        let name = if what.is_empty() { format!("{rate}-{rtt}-0%") } else { format!("{rate}-{rtt}-{what}") };
        let rate: Rate = rate.parse().expect("a rate of the grid");
        let rtt = segue_link::parse_duration(rtt).expect("a round trip of the grid");
        let queue = Some(queue(rate, rtt, 1.0, 32));
        let way = Impairments { delay: rtt / 2, rate: Some(rate), queue, ..Impairments::default() };
        Point { name, rate, rtt, forward: way.clone(), back: way, kind, sysctls: LARGE_BUFFERS }
    }

    /// The same with the buffers that both ends have when nothing is said.
    pub(crate) fn with_default_buffers(self) -> Point {
        Point { name: format!("{}-buffers:default", self.name), sysctls: &[], ..self }
    }

    /// The path; `forward` is the way of the data. `None` when the numbers do not fit together.
    pub(crate) fn path(&self, seed: u64) -> Option<PathConfig> {
        PathConfig::new(self.forward.clone(), self.back.clone()).ok().map(|path| path.with_seed(seed))
    }

    /// Whether more than one transfer at a time would measure this machine's processors.
    pub(crate) fn is_fast(&self) -> bool {
        self.rate.bits_per_second() > 100_000_000
    }

    /// Whether nothing is lost on the way of the data but by a full queue.
    pub(crate) fn is_without_loss(&self) -> bool {
        self.forward.loss == LossModel::default()
    }

    /// Whether five of a hundred segments are lost: more than BBR's draft takes for chance.
    pub(crate) fn is_lossy(&self) -> bool {
        self.name.ends_with("-5%") || self.name.contains("burst:5%")
    }

    /// What a bulk transfer can get at most: 1448 of 1500 bytes are the application's.
    pub(crate) fn best_bits_per_second(&self) -> f64 {
        self.rate.bits_per_second() as f64 * 1448.0 / 1500.0
    }

    /// How long a transfer is watched in virtual time: long enough for a dozen recoveries, not longer than bytes allow.
    pub(crate) fn virtual_time(&self) -> Duration {
        let round_trips = self.rtt * 100;
        let bytes = Duration::from_secs_f64(1.6e9 / self.rate.bits_per_second() as f64);
        round_trips.clamp(Duration::from_secs(2), Duration::from_secs(30)).min(bytes.max(self.rtt * 20))
    }

    /// How long in real time, unless the whole has to be shorter.
    pub(crate) fn real_time(&self) -> Duration {
        let most = if self.is_fast() { 6 } else { 10 };
        (self.rtt * 30).clamp(Duration::from_secs(4), Duration::from_secs(most))
    }
}

fn bdp(rate: Rate, rtt: Duration) -> u64 {
    (u128::from(rate.bits_per_second()) * rtt.as_nanos() / 8_000_000_000) as u64
}

/// A queue of so many times what fills the path, at least so many packets.
fn queue(rate: Rate, rtt: Duration, times: f64, packets: u64) -> QueueDiscipline {
    let bytes = (bdp(rate, rtt) as f64 * times) as u64;
    QueueDiscipline::TailDrop { limit: QueueLimit::Bytes(bytes.max(packets * 1500)) }
}

fn percent(text: &str) -> Probability {
    text.parse().expect("a share of the grid")
}

fn loss(text: &str) -> LossModel {
    text.parse().expect("a loss of the grid")
}

/// All points, in the order of the tables.
pub(crate) fn points() -> Vec<Point> {
    let mut points = Vec::new();
    for rate in ["10mbit", "100mbit", "1gbit"] {
        for rtt in ["1ms", "10ms", "30ms", "100ms", "300ms"] {
            for share in ["0%", "0.1%", "1%", "5%"] {
                let mut point = Point::new(rate, rtt, share, Kind::Loss);
                if share != "0%" {
                    point.forward.loss = loss(share);
                }
                points.push(point);
            }
        }
    }
    for rtt in ["1ms", "30ms", "100ms"] {
        for share in ["0%", "0.01%", "0.1%"] {
            let mut point = Point::new("10gbit", rtt, share, Kind::VirtualOnly);
            point.forward.loss = loss(share);
            points.push(point);
        }
    }
    for (rate, rtt) in [("100mbit", "30ms"), ("10mbit", "100ms")] {
        troubles(rate, rtt, &mut points);
    }
    points
}

/// What else goes wrong on paths.
fn troubles(rate: &str, rtt: &str, points: &mut Vec<Point>) {
    let mut add = |what: &str, change: &dyn Fn(&mut Point)| {
        let mut point = Point::new(rate, rtt, what, Kind::Trouble);
        change(&mut point);
        points.push(point);
    };
    for text in ["burst:0.1%,20", "burst:1%,8", "burst:5%,3"] {
        add(text, &|point| point.forward.loss = loss(text));
    }
    add("reorder:2%", &|point| point.forward.reorder = percent("2%"));
    add("reorder:20%", &|point| {
        point.forward.reorder = percent("20%");
        point.forward.reorder_by = Some(Duration::from_millis(1));
    });
    add("jitter", &|point| {
        // Behind a bottleneck order is kept: round trips vary, nothing overtakes.
        point.forward.jitter = point.rtt / 20;
    });
    add("duplicate:2%", &|point| point.forward.duplicate = percent("2%"));
    for share in ["10%", "30%"] {
        add(&format!("ackloss:{share}"), &|point| point.back.loss = loss(share));
    }
    for (name, times) in [("queue:0.1bdp", 0.1), ("queue:0.3bdp", 0.3), ("queue:4bdp", 4.0)] {
        add(name, &|point| point.forward.queue = Some(queue(point.rate, point.rtt, times, 8)));
    }
    add("codel", &|point| point.forward.queue = Some("codel".parse().expect("a queue of the grid")));
    add("everything", &|point| {
        point.forward.loss = loss("burst:0.5%,3");
        point.forward.reorder = percent("2%");
        point.forward.duplicate = percent("1%");
        point.back.loss = loss("5%");
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_has_a_name_of_its_own_and_a_path_that_can_be() {
        let points = points();
        let names: std::collections::BTreeSet<_> = points.iter().map(|point| &point.name).collect();
        assert_eq!(names.len(), points.len());
        for point in &points {
            assert!(point.path(1).is_some(), "{}", point.name);
            assert!(!point.name.contains(char::is_whitespace), "{}", point.name);
        }
    }
}
