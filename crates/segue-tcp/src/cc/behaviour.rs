//! How the algorithms behave over a path, against their models in closed form.

use core::time::Duration;

use super::path::{MSS, Path, World};
use crate::options::CongestionName::{self, Bbr, Cubic, Reno};

const SECOND: Duration = Duration::from_secs(1);

/// 10 Mbit/s and 40 ms: 50 packets fit.
const SLOW: Path = Path {
    rate: 1_250_000,
    rtt: Duration::from_millis(40),
    queue: 50,
    mark: u64::MAX,
    loss: 0,
    every: 0,
    bunch: Duration::ZERO,
};
/// 100 Mbit/s and 50 ms: 625 packets fit.
const FAST: Path = Path { rate: 12_500_000, rtt: Duration::from_millis(50), queue: 625, ..SLOW };

fn world(path: Path, names: &[CongestionName], seed: u64) -> World {
    let mut world = World::new(path, seed);
    for name in names {
        world.start(*name);
    }
    world
}

/// The share of the path that a single flow fills after ten seconds.
fn share(path: Path, name: CongestionName, seed: u64) -> f64 {
    let mut world = world(path, &[name], seed);
    world.run(SECOND * 10);
    world.measure(SECOND * 30)[0] / path.rate as f64
}

/// The average window of a flow that loses every n-th packet, on a path that is never the limit.
fn average_window(name: CongestionName, every: u64, rtt: Duration) -> f64 {
    let path = Path { rate: 100_000_000_000, rtt, queue: 1_000_000, every, ..SLOW };
    let mut world = world(path, &[name], 1);
    world.run(SECOND * 30);
    world.measure(SECOND * 60)[0] / f64::from(MSS) * rtt.as_secs_f64()
}

#[test]
fn every_algorithm_fills_a_path_with_a_queue_of_a_bandwidth_delay_product() {
    for (name, least) in [(Reno, 0.97), (Cubic, 0.97), (Bbr, 0.94)] {
        for path in [SLOW, FAST] {
            let got = share(path, name, 1);
            assert!(got >= least, "{name}: {got}");
        }
    }
}

#[test]
fn a_shallow_queue_costs_what_the_reduction_costs() {
    // A twentieth of the bandwidth-delay product.
    let path = Path { queue: 31, ..FAST };
    for (name, least) in [(Cubic, 0.84), (Bbr, 0.88)] {
        let got = share(path, name, 1);
        assert!(got >= least, "{name}: {got}");
    }
}

// RFC 5681 with an acknowledgment for each segment: W = sqrt(3/2) / sqrt(p).
#[test]
fn renos_window_follows_the_inverse_square_root_of_loss() {
    for every in [10_000, 1_000, 100] {
        let expected = 1.22 * (every as f64).sqrt();
        let got = average_window(Reno, every, Duration::from_millis(50));
        // A round trip of each cycle goes to recovery, in which the window does not grow.
        assert!((0.84..1.05).contains(&(got / expected)), "1 of {every}: {got} for {expected}");
    }
}

/// The least and the largest average window at which a flow that loses each n-th packet stays, by RFC 9438 in floating
/// point. The curve counted in whole segments is W_max as long as it is less than a segment away, cbrt(1 / C) = 1.36 s before
/// K and after it: whoever meets the loss in that time keeps its plateau.
fn cubics_plateaus(every: f64, rtt: f64) -> [f64; 2] {
    const C: f64 = 0.4;
    let flat = (1.0 / C).cbrt();
    [flat, -flat].map(|around| {
        // Packets of a cycle from one loss to the next, and their average window.
        let cycle = |plateau: f64| {
            let (k, low) = ((0.3 * plateau / C).cbrt(), 0.7 * plateau);
            // A round trip goes to recovery; the window aims a round trip ahead.
            let lasts = (k + around - rtt).max(0.0);
            let step = lasts / 1000.0;
            let window = |n: i32| (plateau - C * (k - rtt - f64::from(n) * step).max(0.0).powi(3)).max(low);
            let packets = low + (0..1000).map(|n| window(n) * step / rtt).sum::<f64>();
            (packets, packets * rtt / (rtt + lasts))
        };
        let (mut least, mut most) = (1.0, 1e6);
        for _ in 0..60 {
            let middle = (least + most) / 2.0;
            *(if cycle(middle).0 > every { &mut most } else { &mut least }) = middle;
        }
        cycle(least).1
    })
}

// RFC 9438 section 5.1, figure 6: W = 1.054 (RTT / p)^(3/4), in the middle of the plateaus at which a flow stays. One that
// comes down from slow start, which each loss takes to 0.85 of the plateau, stays at one of the upper ones.
#[test]
fn cubics_window_follows_its_response_function() {
    for (every, ms) in [(10_000, 100), (10_000, 200), (1_000, 200)] {
        let (n, rtt) = (every as f64, f64::from(ms) / 1e3);
        let expected = 1.054 * (rtt * n).powf(0.75);
        let [least, most] = cubics_plateaus(n, rtt);
        assert!(least < expected && expected < most, "{least}..{most} around {expected}");
        let got = average_window(Cubic, every, Duration::from_millis(ms as u64));
        assert!(expected < got && got < most, "1 of {every}, {ms} ms: {got} in {expected}..{most}");
    }
}

// RFC 9438 section 4.3: where Reno is faster the window is Reno's: alpha = 8/15 a round trip, and 7/10 by a loss, so that
// W² = alpha (1 + beta) / (2 (1 - beta) p). Less here: one round trip of 25 goes to recovery, and a window that stays is not
// looked at for up to 31 ms, as on Linux.
#[test]
fn cubics_window_is_renos_where_that_is_larger() {
    let every = 1_000;
    let expected = (8.0 / 15.0 * 1.7 / 0.6 * every as f64).sqrt();
    let got = average_window(Cubic, every, Duration::from_millis(20));
    assert!((0.9..0.96).contains(&(got / expected)), "{got} for {expected}");
}

/// A path of so many Mbit/s and milliseconds with a queue of so many bandwidth-delay products.
fn path(mbit: u64, ms: u64, queue: f64) -> Path {
    let rate = mbit * 125_000;
    let fits = (rate * ms / 1000) as f64 / f64::from(MSS);
    Path { rate, rtt: Duration::from_millis(ms), queue: ((fits * queue) as u64).max(3), ..SLOW }
}

#[test]
fn bbr_keeps_its_rate_at_one_and_two_per_cent_of_random_loss() {
    for (loss, least) in [(1_000, 0.95), (10_000, 0.94), (20_000, 0.85)] {
        for path in [SLOW, FAST] {
            let got = share(Path { loss, ..path }, Bbr, 3);
            assert!(got >= least, "{loss}: {got}");
        }
    }
}

#[test]
fn bbr_fills_what_five_per_cent_of_random_loss_leave() {
    let loss = 50_000;
    for mbit in [10, 100] {
        for ms in [1, 10, 30, 100, 300] {
            let path = Path { loss, queue: path(mbit, ms, 1.0).queue.max(32), ..path(mbit, ms, 1.0) };
            let mut world = world(path, &[Bbr], 3);
            world.run(Duration::from_millis(ms * 50).max(SECOND));
            let got = world.measure(Duration::from_millis(ms * 50).max(SECOND * 4))[0] / (path.rate as f64 * 0.95);
            assert!(got >= 0.9, "{mbit} Mbit/s, {ms} ms: {got}");
        }
    }
}

#[test]
fn bbr_learns_that_a_path_has_begun_to_lose_and_that_it_has_ended() {
    let mut world = world(FAST, &[Bbr], 1);
    world.run(SECOND * 10);
    world.set_path(|path| path.loss = 50_000);
    world.run(SECOND * 5);
    let got = world.measure(SECOND * 20)[0] / (FAST.rate as f64 * 0.95);
    assert!(got > 0.9, "{got}");
    // Somebody else takes half of the path, with a queue in which nothing fits: the loss that this makes ends.
    world.set_path(|path| (path.loss, path.rate, path.queue) = (0, FAST.rate / 2, 31));
    world.run(SECOND * 20);
    let before = world.flows[0].lost;
    let got = world.measure(SECOND * 20)[0];
    assert!(got > 0.85 * FAST.rate as f64 / 2.0, "{got}");
    let lost = (world.flows[0].lost - before) as f64 * f64::from(MSS) / (got * 20.0);
    assert!(lost < 0.01, "{lost}");
}

// What is lost in a queue that holds little is bounded by what the draft's version 3 means to lose: 2 %, and what probing
// costs. 50 ms at 100 Mbit/s are 625 packets: ten flows have windows in which 2 % can be told.
#[test]
fn in_a_shallow_queue_bbr_loses_little_alone_and_among_its_like() {
    for (queue, flows, most) in [(0.02, 1, 0.01), (0.02, 4, 0.015), (0.05, 4, 0.01), (0.05, 10, 0.025), (0.1, 10, 0.02)]
    {
        let path = path(100, 50, queue);
        let mut world = World::new(path, 7);
        for _ in 0..flows {
            world.start(Bbr);
            world.run(Duration::from_millis(200));
        }
        world.run(SECOND * 5);
        let lost = |world: &World| world.flows.iter().map(|flow| flow.lost).sum::<u64>();
        let before = lost(&world);
        let got: f64 = world.measure(SECOND * 20).iter().sum();
        let lost = (lost(&world) - before) as f64 * f64::from(MSS) / (got * 20.0);
        assert!(lost < most, "{flows} flows, {queue} of a bandwidth-delay product: {lost}");
        assert!(got > 0.85 * path.rate as f64, "{flows} flows, {queue} of a bandwidth-delay product: {got}");
    }
}

// RFC 3168: a queue that marks early instead of losing late is kept short.
#[test]
fn marks_keep_bbrs_queue_short_and_nothing_is_lost() {
    let deep = Path { queue: 625, mark: 31, ..FAST };
    for flows in [1, 4] {
        let mut world = world(deep, &vec![Bbr; flows], 1);
        world.run(SECOND * 10);
        let lost: u64 = world.flows.iter().map(|flow| flow.lost).sum();
        let got: f64 = world.measure(SECOND * 20).iter().sum();
        assert!(got > 0.85 * deep.rate as f64, "{flows}: {got}");
        assert_eq!(lost, world.flows.iter().map(|flow| flow.lost).sum(), "{flows}");
        let waits = world.mean_wait();
        assert!(waits < Duration::from_millis(5), "{flows}: {waits:?}");
    }
}

#[test]
fn bbr_leaves_a_deep_queue_nearly_empty() {
    let deep = Path { queue: 5_000, ..FAST };
    let mut world = world(deep, &[Bbr], 1);
    world.run(SECOND * 10);
    let got = world.measure(SECOND * 30)[0] / deep.rate as f64;
    let flow = &world.flows[0];
    assert!(got > 0.94, "{got}");
    // Probing builds a quarter, and cwnd bounds what it may build.
    assert!(flow.worst_rtt < deep.rtt * 2, "{:?}", flow.worst_rtt);
    assert_eq!(flow.lost, 0);
}

// Flows that lose to one queue at the same moments may stay where that leaves them, so the second starts at several.
#[test]
fn two_flows_of_a_kind_come_to_share() {
    for (name, tolerance) in [(Reno, 1.6), (Cubic, 1.4), (Bbr, 1.9)] {
        let mut ratios: Vec<f64> =
            (0..7).map(|moment| two_flows_ratio(name, Duration::from_millis(17 * moment))).collect();
        ratios.sort_by(f64::total_cmp);
        assert!(ratios[3] < tolerance && ratios[6] < 2.5, "{name}: {ratios:?}");
    }
}

/// What one flow gets of what the other gets, the larger by the smaller, when the second starts `later` than 20 s after the
/// first.
fn two_flows_ratio(name: CongestionName, later: Duration) -> f64 {
    let mut world = World::new(SLOW, 5);
    world.start(name);
    world.run(SECOND * 20 + later);
    world.start(name);
    world.run(SECOND * 50);
    let rates = world.measure(SECOND * 100);
    assert!(rates[0] + rates[1] > 0.93 * SLOW.rate as f64, "{name}: {rates:?}");
    rates[0].max(rates[1]) / rates[0].min(rates[1])
}

#[test]
fn bbr_and_cubic_leave_each_other_room() {
    for queue in [50, 100, 200] {
        let path = Path { queue, ..SLOW };
        let mut world = world(path, &[Bbr, Cubic], 7);
        world.run(SECOND * 30);
        let rates = world.measure(SECOND * 100);
        let share = rates[0] / (rates[0] + rates[1]);
        assert!((0.1..0.9).contains(&share), "{queue}: {rates:?}");
    }
}

#[test]
fn every_algorithm_finds_a_path_that_has_become_faster_or_slower() {
    for name in [Cubic, Bbr] {
        let mut world = world(SLOW, &[name], 1);
        world.run(SECOND * 20);
        world.set_path(|path| {
            path.rate *= 10;
            path.queue *= 10;
        });
        world.run(SECOND * 30);
        let got = world.measure(SECOND * 20)[0];
        assert!(got > 0.85 * 12_500_000.0, "{name}: {got}");
        world.set_path(|path| {
            path.rate /= 20;
            path.queue /= 20;
        });
        world.run(SECOND * 30);
        let got = world.measure(SECOND * 20)[0];
        assert!(got > 0.85 * 625_000.0, "{name}: {got}");
        assert!(world.flows[0].timeouts <= 3, "{name}: {} timeouts", world.flows[0].timeouts);
    }
}

#[test]
fn an_application_that_sends_less_keeps_its_rate_and_the_model_stays() {
    for name in [Cubic, Bbr] {
        let mut world = world(FAST, &[name], 1);
        world.run(SECOND * 10);
        world.supply(0, Some(1_000_000));
        let got = world.measure(SECOND * 30)[0];
        assert!((900_000.0..1_100_000.0).contains(&got), "{name}: {got}");
        // More again: the path is filled within two seconds.
        world.supply(0, None);
        world.run(SECOND * 2);
        let got = world.measure(SECOND * 10)[0] / FAST.rate as f64;
        assert!(got > 0.85, "{name}: {got}");
    }
}

#[test]
fn bunched_acknowledgments_do_not_slow_bbr_down() {
    for bunch in [5, 20] {
        let path = Path { bunch: Duration::from_millis(bunch), ..FAST };
        let got = share(path, Bbr, 1);
        assert!(got > 0.90, "{bunch} ms: {got}");
    }
}

#[test]
fn a_path_of_a_packet_a_second_is_filled_without_collapse() {
    let path = Path { rate: 1_000, rtt: Duration::from_millis(300), queue: 20, ..SLOW };
    for name in [Reno, Cubic, Bbr] {
        let mut world = world(path, &[name], 1);
        world.run(SECOND * 200);
        let got = world.measure(SECOND * 1000)[0] / path.rate as f64;
        assert!(got > 0.8, "{name}: {got}");
    }
}
