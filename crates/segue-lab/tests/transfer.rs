//! Transfers over bad paths: every byte arrives once, in order, and the same seed gives the same run.
use std::time::Duration;

use segue_lab::{Direction, Family, LabError, LinePrinter, StallReason, TransferConfig, TransferReport, transfer};
use segue_link::capture::CaptureEpoch;
use segue_link::{Capture, CaptureOptions, Impairments, PathConfig, parse_duration};

fn impairments(loss: &str, reorder: &str, duplicate: &str, corrupt: &str) -> Impairments {
    Impairments {
        delay: Duration::from_millis(10),
        loss: loss.parse().unwrap(),
        reorder: reorder.parse().unwrap(),
        duplicate: duplicate.parse().unwrap(),
        corrupt: corrupt.parse().unwrap(),
        ..Impairments::default()
    }
}

fn path(loss: &str, reorder: &str, duplicate: &str, corrupt: &str) -> PathConfig {
    PathConfig::symmetric(impairments(loss, reorder, duplicate, corrupt)).unwrap()
}

fn run(bytes: u64, path: PathConfig, seed: u64, direction: Direction, family: Family) -> TransferReport {
    let config = TransferConfig { seed, direction, family, ..TransferConfig::new(bytes, path) };
    match transfer(config) {
        Ok(report) => report,
        Err(error) => panic!("seed {seed}, {direction:?}, {family:?}: {error}"),
    }
}

#[track_caller]
fn assert_intact(report: &TransferReport, bytes: u64, what: &str) {
    let seed = report.seed;
    assert!(report.sha256_ok, "{what}, seed {seed}: {report:#?}");
    assert_eq!(report.bytes, bytes, "{what}, seed {seed}");
    for delivery in report.upload.iter().chain(&report.download) {
        assert_eq!(delivery.sent, delivery.received, "{what}, seed {seed}");
    }
}

/// The grid: no loss, 1 %, 10 %, each with every other impairment at 5 % alone, and with all of them at once.
const IMPAIRMENTS: [(&str, &str, &str); 5] =
    [("0%", "0%", "0%"), ("5%", "0%", "0%"), ("0%", "5%", "0%"), ("0%", "0%", "5%"), ("5%", "5%", "5%")];

fn grid(loss: &str, bytes: u64, seeds: std::ops::Range<u64>) {
    for (reorder, duplicate, corrupt) in IMPAIRMENTS {
        for seed in seeds.clone() {
            for direction in [Direction::Upload, Direction::Download, Direction::Both] {
                let family = if seed % 2 == 0 { Family::V4 } else { Family::V6 };
                let report = run(bytes, path(loss, reorder, duplicate, corrupt), seed, direction, family);
                let total = if direction == Direction::Both { 2 * bytes } else { bytes };
                let what = format!(
                    "loss {loss}, reordering {reorder}, duplication {duplicate}, corruption {corrupt}, {direction:?}"
                );
                assert_intact(&report, total, &what);
            }
        }
    }
}

#[test]
fn without_loss_every_byte_arrives_whatever_else_the_path_does() {
    grid("0%", 8 << 20, 0..4);
}

#[test]
fn at_one_percent_loss_every_byte_arrives_whatever_else_the_path_does() {
    grid("1%", 4 << 20, 10..14);
}

#[test]
fn at_ten_percent_loss_every_byte_arrives_whatever_else_the_path_does() {
    grid("10%", 1 << 20, 20..24);
}

#[test]
fn sixty_four_mebibytes_arrive_each_way_at_every_loss_with_everything_else_at_five_percent() {
    for (loss, seed) in [("0%", 30), ("0%", 31), ("1%", 32), ("1%", 33), ("10%", 34)] {
        let family = if seed % 2 == 0 { Family::V4 } else { Family::V6 };
        let report = run(64 << 20, path(loss, "5%", "5%", "5%"), seed, Direction::Both, family);
        assert_intact(&report, 128 << 20, loss);
    }
}

#[test]
fn a_clean_path_needs_no_retransmission_and_drops_nothing() {
    for direction in [Direction::Upload, Direction::Download, Direction::Both] {
        let report = run(3_000_000, path("0%", "0%", "0%", "0%"), 1, direction, Family::V4);
        assert_eq!(report.retransmits, 0, "{report:#?}");
        assert!(report.drops.is_empty(), "{:?}", report.drops);
        assert!(report.segments > 0);
    }
}

#[test]
fn what_is_counted_as_sent_and_as_sent_again_is_what_the_path_has_seen() {
    for seed in 1..4 {
        let report = run(300_000, path("5%", "0%", "0%", "0%"), seed, Direction::Both, Family::V4);
        let stats = &report.path;
        assert_eq!(report.segments, stats.a_to_b.packets_in + stats.b_to_a.packets_in, "seed {seed}");
        assert!(report.retransmits > 0 && report.retransmits < report.segments / 2, "{report:#?}");
    }
}

#[test]
fn without_bytes_the_connection_opens_and_closes() {
    for direction in [Direction::Upload, Direction::Download, Direction::Both] {
        let report = run(0, path("0%", "0%", "0%", "0%"), 1, direction, Family::V6);
        assert_intact(&report, 0, "nothing");
        // The handshake and the FIN of the side that has nothing to say: no less than one round trip and a half.
        assert!(report.duration >= Duration::from_millis(30), "{:?}", report.duration);
        assert!(report.duration < Duration::from_millis(200), "{:?}", report.duration);
    }
}

#[test]
fn one_byte_takes_a_handshake_and_one_way() {
    let report = run(1, path("0%", "0%", "0%", "0%"), 1, Direction::Upload, Family::V4);
    assert_intact(&report, 1, "one byte");
    // SYN and SYN-ACK take 10 ms each, the byte with the FIN another 10.
    assert_eq!(report.duration, Duration::from_millis(30));
}

#[test]
fn a_bottleneck_is_filled_and_never_exceeded() {
    let slow = Impairments { rate: Some("10mbit".parse().unwrap()), ..impairments("0%", "0%", "0%", "0%") };
    let report = run(16 << 20, PathConfig::symmetric(slow).unwrap(), 3, Direction::Upload, Family::V4);
    assert_intact(&report, 16 << 20, "bottleneck");
    // 1448 of 1500 bytes are payload.
    assert!(report.goodput_bps < 10e6 * 1448.0 / 1500.0, "{}", report.goodput_bps);
    assert!(report.goodput_bps > 7.5e6, "{}", report.goodput_bps);
}

#[test]
fn with_and_without_super_segments_the_same_bytes_arrive() {
    for offload in [true, false] {
        let config = TransferConfig { offload, ..TransferConfig::new(1 << 20, path("1%", "0%", "0%", "0%")) };
        assert_intact(&transfer(config).unwrap(), 1 << 20, "offload");
    }
}

#[test]
fn small_and_large_mtus_carry_the_same_bytes() {
    for mtu in [576, 1280, 1500, 9000, 65_535] {
        let path = path("1%", "0%", "0%", "0%").with_mtu(mtu).unwrap();
        assert_intact(&run(300_000, path, mtu as u64, Direction::Both, Family::V4), 600_000, &format!("MTU {mtu}"));
    }
}

#[test]
fn a_narrow_hop_in_the_middle_is_found_by_its_icmp_answers() {
    let narrow = Impairments { mtu: Some(1300), ..impairments("0%", "0%", "0%", "0%") };
    for family in [Family::V4, Family::V6] {
        let report = run(500_000, PathConfig::symmetric(narrow.clone()).unwrap(), 5, Direction::Both, family);
        assert_intact(&report, 1_000_000, "narrow hop");
        assert!(report.path.a_to_b.too_big > 0, "the hop was never too narrow: {:?}", report.path);
    }
}

fn traced(seed: u64) -> TransferReport {
    let jitter = Impairments { jitter: parse_duration("3ms").unwrap(), ..impairments("2%", "3%", "2%", "2%") };
    let path = PathConfig::symmetric(jitter).unwrap();
    transfer(TransferConfig { seed, direction: Direction::Both, trace: true, ..TransferConfig::new(200_000, path) })
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

#[test]
fn the_same_seed_gives_the_same_packets_at_the_same_nanoseconds() {
    for seed in 0..5 {
        let (first, second) = (traced(seed), traced(seed));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first, second, "seed {seed}");
    }
}

#[test]
fn another_seed_gives_another_run() {
    let traces: std::collections::HashSet<_> = (0..5).map(|seed| traced(seed).trace.unwrap()).collect();
    assert_eq!(traces.len(), 5);
}

#[test]
fn watching_a_run_does_not_change_it() {
    let lines = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let printed = lines.clone();
    let config = |ladder: Option<LinePrinter>, trace| TransferConfig {
        seed: 8,
        ladder,
        trace,
        ..TransferConfig::new(50_000, path("5%", "0%", "0%", "0%"))
    };
    let plain = transfer(config(None, false)).unwrap();
    let watched =
        transfer(config(Some(Box::new(move |line: &str| printed.borrow_mut().push(line.to_owned()))), true)).unwrap();
    assert_eq!(plain, TransferReport { trace: None, ..watched });

    let lines = lines.borrow();
    assert!(lines[1].contains("SYN-SENT") && lines[1].contains("Flags [S]"), "{}", lines[1]);
    assert!(lines.iter().any(|line| line.contains("ESTABLISHED")));
    assert!(lines.iter().any(|line| line.contains("---X") || line.contains("X---")), "5 % lost, but no line says so");
    assert!(lines.iter().any(|line| line.contains("TIME-WAIT")));
}

#[test]
fn a_capture_of_the_same_run_is_the_same_file() {
    let directory = tempfile::tempdir().unwrap();
    let capture = |name: &str| {
        let file = directory.path().join(name);
        let options = CaptureOptions { epoch: CaptureEpoch::At(Duration::ZERO), ..CaptureOptions::default() };
        let config = TransferConfig {
            seed: 6,
            capture: Some(Capture::create(&file, options).unwrap()),
            ..TransferConfig::new(100_000, path("2%", "2%", "2%", "2%"))
        };
        let report = transfer(config).unwrap();
        (std::fs::read(&file).unwrap(), report)
    };
    let ((first, report), (second, _)) = (capture("first"), capture("second"));
    assert!(first.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]), "not a pcapng file");
    assert!(first == second, "two captures of one run differ");
    // Every byte of payload was written down at least twice: sent and received.
    assert!(first.len() as u64 > 2 * report.bytes, "{} bytes", first.len());
}

#[test]
fn progress_grows_to_the_total() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let told = seen.clone();
    let config = TransferConfig {
        direction: Direction::Both,
        progress: Some(Box::new(move |progress| told.borrow_mut().push(progress))),
        ..TransferConfig::new(1 << 20, path("0%", "0%", "0%", "0%"))
    };
    transfer(config).unwrap();
    let seen = seen.borrow();
    assert!(seen.windows(2).all(|pair| pair[0].received <= pair[1].received && pair[0].elapsed <= pair[1].elapsed));
    assert_eq!(seen.last().map(|progress| (progress.received, progress.total)), Some((2 << 20, 2 << 20)));
}

#[test]
fn a_transfer_that_cannot_end_in_time_says_so_with_seed_and_state_of_both_ends() {
    let config = TransferConfig {
        seed: 4711,
        limit: Duration::from_secs(2),
        ..TransferConfig::new(100 << 20, path("10%", "0%", "0%", "0%"))
    };
    let error = transfer(config).unwrap_err();
    assert!(matches!(error, LabError::Stalled { reason: StallReason::TimeIsUp { .. }, seed: 4711, .. }), "{error}");
    let message = error.to_string();
    for part in ["limit of 2 s", "seed 4711", "client", "server", "ESTABLISHED", "cwnd"] {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

#[test]
fn a_path_that_loses_everything_ends_in_a_timeout_after_the_retries() {
    let error = transfer(TransferConfig::new(1000, path("100%", "0%", "0%", "0%"))).unwrap_err();
    let LabError::Socket { errno, at, .. } = &error else { panic!("{error}") };
    assert_eq!(errno.name(), Some("ETIMEDOUT"));
    // tcp_syn_linear_timeouts 4 and tcp_syn_retries 6: 1+1+1+1+1+2+4+8+16+32+64 seconds.
    assert_eq!(at.as_secs(), 131);
}

#[test]
fn a_setting_that_does_not_exist_is_refused_before_anything_runs() {
    let config = TransferConfig {
        sysctls: vec![("tcp_rmen".into(), "1 2 3".into())],
        ..TransferConfig::new(1, path("0%", "0%", "0%", "0%"))
    };
    assert!(transfer(config).unwrap_err().to_string().contains("did you mean net.ipv4.tcp_rmem"));
    let small = path("0%", "0%", "0%", "0%").with_mtu(576).unwrap();
    let config = TransferConfig { family: Family::V6, ..TransferConfig::new(1, small) };
    assert!(transfer(config).unwrap_err().to_string().contains("1280"));
}
