//! Pictures of transfers.
use std::time::Duration;

use segue_lab::{Direction, PlotError, Recording, TransferConfig, transfer};
use segue_link::{Impairments, PathConfig};

fn picture(bytes: u64, loss: &str, direction: Direction) -> Result<String, PlotError> {
    let recording = Recording::new();
    let impairments =
        Impairments { delay: Duration::from_millis(10), loss: loss.parse().unwrap(), ..Impairments::default() };
    let config = TransferConfig {
        seed: 11,
        direction,
        recording: Some(recording.clone()),
        ..TransferConfig::new(bytes, PathConfig::symmetric(impairments).unwrap())
    };
    assert!(transfer(config).unwrap().sha256_ok);
    recording.svg()
}

#[test]
fn a_picture_shows_what_was_sent_lost_sent_again_and_acknowledged() {
    let svg = picture(1 << 20, "2%", Direction::Upload).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    for label in [
        "bytes from client",
        "sent again",
        "lost on the path",
        "acknowledged",
        "edge",
        "cwnd",
        "ssthresh",
        "RTT",
        "RTO",
    ] {
        assert!(svg.contains(label), "{label}");
    }
    let clean = picture(1 << 20, "0%", Direction::Upload).unwrap();
    assert!(!clean.contains("lost on the path") && !clean.contains("sent again"));
}

#[test]
fn each_direction_that_carried_data_has_its_part() {
    let svg = picture(1 << 18, "0%", Direction::Both).unwrap();
    assert!(svg.contains("bytes from client") && svg.contains("bytes from server"));
    let svg = picture(1 << 18, "0%", Direction::Download).unwrap();
    assert!(!svg.contains("bytes from client") && svg.contains("bytes from server"));
}

#[test]
fn a_picture_of_a_long_transfer_is_not_larger_than_its_pixels_need() {
    let size = |mib: u64| picture(mib << 20, "1%", Direction::Upload).unwrap().len();
    let (short, long) = (size(32), size(128));
    // Both fill their columns: four times the bytes are not four times the picture.
    assert!(long < short * 2 && long < 2_000_000, "{short} and {long} bytes");
}

#[test]
fn nothing_gives_no_picture() {
    assert!(matches!(Recording::new().svg(), Err(PlotError::Nothing)));
}
