//! Bytes arrive once and in order, whatever the path does to segments and whenever the reader reads.

mod common;

use std::time::Duration;

use common::*;
use segue_tcp::*;

fn world(seed: u64, path: Path, config: Config, bytes: [u64; 2]) -> World {
    let mut world = World::new(seed, path, config);
    for (end, to_send) in world.ends.iter_mut().zip(bytes) {
        end.app.to_send = to_send;
        end.app.chunk = 1 + (seed as usize * 7919) % 40_000;
        end.max_payload = if seed.is_multiple_of(2) { 65_000 } else { 0 };
    }
    world
}

fn finish(world: &mut World, seed: u64, limit: Duration) {
    let done = world.run_until(limit, |world| world.is_complete());
    let got = [world.ends[0].app.received, world.ends[1].app.received];
    assert!(
        done,
        "seed {seed}: not complete after {limit:?}: received {got:?}, states {} {}",
        world.state(0),
        world.state(1)
    );
    world.assert_intact(&format!("seed {seed}"));
}

#[test]
fn a_clean_path_carries_both_directions_at_once() {
    let mut world = world(2, Path::default(), Config::default(), [3_000_000, 2_000_000]);
    finish(&mut world, 2, Duration::from_secs(20));
    let retransmitted = (0..2).map(|end| world.ends[end].resent).sum::<u64>();
    assert_eq!(retransmitted, 0, "nothing was lost, so nothing is sent again");
}

#[test]
fn loss_duplication_and_reordering_lose_no_byte() {
    for seed in 1..120 {
        let path = Path {
            delay: Duration::from_millis(1 + seed % 30),
            jitter: Duration::from_micros((seed % 4) * 300),
            loss: (seed % 5) * 25,
            duplicate: (seed % 3) * 20,
            reorder: (seed % 4) * 30,
            mark: (seed % 6) * 15,
            whole: seed % 7 == 0,
            rate: if seed % 3 == 0 { 50_000_000 } else { 0 },
        };
        let timestamps = if seed % 4 == 0 { Timestamping::Off } else { Timestamping::RandomOffset };
        let ecn = if seed % 2 == 0 { EcnPolicy::On } else { EcnPolicy::Grant };
        let config = Config { timestamps, ecn, window_scaling: seed % 5 != 0, ..Config::default() };
        let mut world = world(seed, path, config, [150_000, 100_000]);
        finish(&mut world, seed, Duration::from_secs(600));
    }
}

#[test]
fn sequence_numbers_wrap_under_load() {
    // The opener's numbers begin 5000 before the wrap, the listener's 70 000.
    for seed in 1..9 {
        let path = Path { loss: 10, reorder: 20, ..Path::default() };
        let mut world = world(seed, path, Config::default(), [2_000_000, 1_500_000]);
        finish(&mut world, seed, Duration::from_secs(600));
    }
}

#[test]
fn readers_that_stop_on_both_sides_never_deadlock() {
    // Both windows shut, both ends probe, updates get lost; then the readers come back.
    for seed in 1..40 {
        let path = Path { loss: (seed % 3) * 100, reorder: 20, ..Path::default() };
        let mut world = world(seed, path, Config::default(), [300_000, 300_000]);
        let start = world.now;
        for (i, end) in world.ends.iter_mut().enumerate() {
            end.options.rcvbuf = Some(30_000);
            end.app.read_from = start + Duration::from_secs(30 + seed + i as u64 * 5);
            end.app.read_max = 1 + (seed as usize * 997) % 5_000;
        }
        world.renew_client();
        finish(&mut world, seed, Duration::from_secs(3_600));
    }
}

#[test]
fn a_window_update_that_is_lost_is_made_up_for_by_probes() {
    let mut world = established(7, Path::default(), Config::default());
    world.ends[0].app.to_send = 400_000;
    let later = world.now + Duration::from_secs(10);
    world.ends[1].app.read_from = later;
    let mut updates = 0;
    world.filter = Some(Box::new(move |from, segment| {
        // The first opening of the window never arrives.
        let opens = from == 1 && segment.header.window > 0 && segment.payload.is_empty();
        updates += usize::from(opens);
        opens && (1..=3).contains(&updates)
    }));
    let all = |world: &mut World| world.ends[1].app.received == 400_000;
    assert!(world.run_until(Duration::from_secs(120), all));
}

#[test]
fn no_transfer_stalls_longer_than_its_path_explains() {
    // At 1 % loss and 20 ms the longest silence is a few timeouts.
    for seed in 1..12 {
        let path = Path { loss: 10, ..Path::default() };
        let mut world = world(seed, path, Config::default(), [2_000_000, 0]);
        let (mut last, mut at, mut longest) = (0, world.now, Duration::ZERO);
        let done = world.run_until(Duration::from_secs(120), |world| {
            let received = world.ends[1].app.received;
            if received != last {
                longest = longest.max(world.now - at);
                (last, at) = (received, world.now);
            }
            world.is_complete()
        });
        assert!(done, "seed {seed}");
        assert!(longest < Duration::from_secs(2), "seed {seed}: silent for {longest:?}");
    }
}

#[test]
fn reno_at_one_per_cent_loss_is_as_fast_as_its_model_says() {
    // Mathis: rate = MSS / RTT * sqrt(3 / (2 p)); with delayed acknowledgments off the mark by a little.
    let (mut bytes, mut seconds) = (0.0, 0.0);
    for seed in 1..7 {
        let path = Path { loss: 10, ..Path::default() };
        let mut world = world(seed * 2, path, Config::default(), [8 << 20, 0]);
        let start = world.now;
        finish(&mut world, seed, Duration::from_secs(600));
        bytes += (8 << 20) as f64;
        seconds += (world.now - start).as_secs_f64();
    }
    let model = 1_448.0 / 0.020 * (1.5f64 / 0.01).sqrt();
    let share = bytes / seconds / model;
    assert!((0.45..1.5).contains(&share), "{share:.2} of the model's rate");
}
