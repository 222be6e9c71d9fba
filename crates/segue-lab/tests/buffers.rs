//! Buffers that size themselves are never slower than fixed ones.
use std::time::Duration;

use segue_lab::{TransferConfig, TransferReport, transfer};
use segue_link::{Impairments, PathConfig};

fn path(rate: &str, delay: u64, loss: &str) -> PathConfig {
    let way = Impairments {
        rate: Some(rate.parse().unwrap()),
        delay: Duration::from_millis(delay),
        loss: loss.parse().unwrap(),
        ..Impairments::default()
    };
    PathConfig::symmetric(way).unwrap()
}

fn run(bytes: u64, path: PathConfig, sysctls: &[(&str, String)]) -> TransferReport {
    let sysctls = sysctls.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let report = transfer(TransferConfig { seed: 7, sysctls, ..TransferConfig::new(bytes, path) }).unwrap();
    assert!(report.sha256_ok, "{report:?}");
    report
}

fn fixed(bytes: u32) -> Vec<(&'static str, String)> {
    let three = format!("4096 {bytes} {bytes}");
    vec![("tcp_rmem", three.clone()), ("tcp_wmem", three), ("tcp_moderate_rcvbuf", "0".into())]
}

#[test]
fn buffers_that_size_themselves_are_never_slower_than_smaller_fixed_ones() {
    let paths = [
        ("10mbit", 5, "0%"),
        ("10mbit", 50, "0%"),
        ("100mbit", 5, "0%"),
        ("100mbit", 30, "0%"),
        ("50mbit", 20, "0.1%"),
    ];
    for (rate, delay, loss) in paths {
        let bytes = if rate == "10mbit" { 3 << 20 } else { 12 << 20 };
        let free = run(bytes, path(rate, delay, loss), &[]);
        for size in [32 << 10, 128 << 10, 512 << 10] {
            let pinned = run(bytes, path(rate, delay, loss), &fixed(size));
            println!(
                "{rate} {delay} ms {loss}: {:.2} Mbit/s, {:.2} with {size} bytes",
                free.goodput_bps / 1e6,
                pinned.goodput_bps / 1e6
            );
            // As far as the shortest queue can tell: a transfer that fills it is a little later than one that does not.
            assert!(
                free.goodput_bps >= 0.98 * pinned.goodput_bps,
                "{rate}, {delay} ms each way, {loss} lost: {:.2} Mbit/s, and {:.2} with buffers of {size} bytes",
                free.goodput_bps / 1e6,
                pinned.goodput_bps / 1e6
            );
        }
    }
}

/// The send buffer is what bounds this transfer: 4 MiB in each round trip of 100 ms, of which a writer that is told of room
/// when a third is free keeps two thirds under way. A writer that could exceed it would send windows at once that no queue
/// holds.
#[test]
fn a_send_buffer_smaller_than_the_path_holds_is_filled_and_not_exceeded() {
    let long = path("1gbit", 50, "0%");
    let short = run(16 << 20, long.clone(), &[]);
    let report = run(48 << 20, long, &[]);
    assert_eq!((short.retransmits, report.retransmits), (0, 0));
    let steady = f64::from(8 * (32 << 20)) / (report.duration - short.duration).as_secs_f64();
    let most = f64::from(8 * (4 << 20)) / 0.1;
    assert!((0.66 * most..1.05 * most).contains(&steady), "{:.1} Mbit/s of at most {:.1}", steady / 1e6, most / 1e6);
}
