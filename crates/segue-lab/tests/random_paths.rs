//! Paths, sizes and settings at random: whatever the combination, the transfer ends and its hashes agree.
use std::time::Duration;

use segue_lab::{Direction, Family, TransferConfig, transfer};
use segue_link::{Impairments, PathConfig, Probability, Rate};

/// Xorshift: the seed is printed when a run fails, and gives the same run again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    /// Up to `most` per mille, or often never.
    fn probability(&mut self, most: u64) -> Probability {
        let share = if self.below(2) == 0 { 0 } else { self.below(most) };
        Probability::from_fraction(share as f64 / 1000.0).unwrap()
    }
}

fn impairments(random: &mut Random, least_mtu: u64) -> Impairments {
    let rates = [None, None, Some(100_000), Some(1_000_000), Some(10_000_000), Some(1_000_000_000)];
    Impairments {
        delay: Duration::from_micros(random.pick(&[0, 100, 10_000, 50_000, 300_000])),
        jitter: Duration::from_micros(random.pick(&[0, 0, 1_000, 20_000])),
        loss: random.probability(150).into(),
        reorder: random.probability(100),
        duplicate: random.probability(100),
        corrupt: random.probability(80),
        rate: random.pick(&rates).and_then(Rate::from_bits_per_second),
        mtu: (random.below(5) == 0).then(|| (least_mtu + random.below(1500 - least_mtu)) as usize),
        ..Impairments::default()
    }
}

fn config(seed: u64) -> TransferConfig {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let family = random.pick(&[Family::V4, Family::V6]);
    // RFC 8200 section 5: no hop of an IPv6 path is narrower than 1280.
    let least_mtu = if family == Family::V6 { 1280 } else { 576 };
    let (there, back) = (impairments(&mut random, least_mtu), impairments(&mut random, least_mtu));
    let path = PathConfig::new(there, back).unwrap().with_mtu(random.pick(&[1280, 1500, 9000])).unwrap();
    let bytes = random.pick(&[0, 1, 1_000, 50_000, 300_000]);
    let choices = [
        ("tcp_timestamps", "0"),
        ("tcp_window_scaling", "0"),
        ("tcp_rmem", "4096 8192 8192"),
        ("tcp_moderate_rcvbuf", "0"),
        ("tcp_wmem", "4096 4096 4096"),
        ("tcp_retrans_collapse", "0"),
    ];
    let sysctls = choices.into_iter().filter(|_| random.below(6) == 0);
    let sysctls = sysctls.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    TransferConfig {
        seed,
        family,
        sysctls,
        direction: random.pick(&[Direction::Upload, Direction::Download, Direction::Both]),
        offload: random.below(4) != 0,
        ..TransferConfig::new(bytes, path)
    }
}

#[test]
fn every_transfer_over_a_random_path_ends_with_the_right_hashes() {
    for seed in 0..1500 {
        let config = config(seed);
        let what =
            format!("seed {seed}: {:?} {:?} {:?} {:?}", config.direction, config.family, config.path, config.sysctls);
        match transfer(config) {
            Ok(report) => assert!(report.sha256_ok, "{what}\n{report:#?}"),
            Err(error) => panic!("{what}\n{error}"),
        }
    }
}
