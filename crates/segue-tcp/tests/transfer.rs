//! Bytes arrive once and in order, whatever the path does to segments.

mod common;

use std::time::Duration;

use common::*;
use segue_tcp::*;

fn transfer(seed: u64, path: Path, config: Config, bytes: [u64; 2], limit: Duration) -> World {
    let mut world = World::new(seed, path, config);
    for end in 0..2 {
        world.ends[end].app.to_send = bytes[end];
        world.ends[end].app.chunk = 1 + (seed as usize * 7919) % 40_000;
        world.ends[end].max_payload = if seed % 2 == 0 { 65_000 } else { 0 };
    }
    let done = world.run_until(limit, |world| world.is_complete());
    if !done {
        let tail: Vec<_> = world.log.iter().rev().take(30).collect();
        panic!(
            "seed {seed}: not complete: {:?} {:?} {tail:#?}",
            world.ends[0].app.received, world.ends[1].app.received
        );
    }
    world.assert_intact(&format!("seed {seed}"));
    world
}

#[test]
fn a_clean_path_carries_both_directions_at_once() {
    let world = transfer(2, Path::default(), Config::default(), [3_000_000, 2_000_000], Duration::from_secs(20));
    assert_eq!(world.lost, 0);
}

#[test]
fn loss_duplication_and_reordering_lose_no_byte() {
    for seed in 1..60 {
        let path = Path {
            delay: Duration::from_millis(1 + seed % 30),
            jitter: Duration::from_micros((seed % 4) * 300),
            loss: (seed % 5) * 20,
            duplicate: (seed % 3) * 20,
            reorder: (seed % 4) * 30,
            whole: seed % 7 == 0,
            rate: if seed % 3 == 0 { 50_000_000 } else { 0 },
        };
        let config = Config {
            timestamps: if seed % 4 == 0 { Timestamping::Off } else { Timestamping::RandomOffset },
            ..Config::default()
        };
        transfer(seed, path, config, [200_000, 120_000], Duration::from_secs(600));
    }
}
