//! Rates that change over time, and super-segments on their way through a rate.

use super::*;
use crate::testing::{V4, tcp_packet};

fn traced(text: &str) -> Impairments {
    let trace = RateTrace::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let queue = Some(QueueDiscipline::TailDrop { limit: QueueLimit::Bytes(10 << 20) });
    Impairments { trace: Some(trace), queue, ..Impairments::default() }
}

/// Arrival times in microseconds of packets sent at `start` when the trace starts then, too.
fn times(text: &str, start: Instant, lens: &[usize]) -> Vec<u64> {
    let config = PathConfig::symmetric(traced(text)).and_then(|config| config.with_mtu(9000)).expect("valid");
    let mut path = Path::new(config);
    for (index, &len) in lens.iter().enumerate() {
        path.push(start, End::A, numbered(index as u32, len));
    }
    drain(&mut path).iter().map(|(at, _)| (*at - start).as_micros() as u64).collect()
}

#[test]
fn a_delivery_opportunity_carries_1500_bytes_and_the_trace_repeats() {
    let trace = "# recorded somewhere\n1\n1\n4\n\n10\n";
    // Two at 1 ms, one at 4, one at 10, then the same 10 ms later.
    assert_eq!(
        times(trace, Instant::from_secs(7), &[1500; 7]),
        [1000, 1000, 4000, 10_000, 11_000, 11_000, 14_000],
        "the trace starts with the first packet"
    );
    // Small packets share an opportunity; one that does not fit leaves with the next.
    assert_eq!(times(trace, Instant::ZERO, &[500, 500, 500, 1000, 1000, 24]), [1000, 1000, 1000, 1000, 4000, 4000]);
    // A packet longer than one opportunity takes several.
    assert_eq!(times(trace, Instant::ZERO, &[4000, 500]), [4000, 4000]);
}

#[test]
fn an_opportunity_that_nobody_waits_for_is_lost() {
    let mut path = path(traced("1\n2\n3\n10\n"), 0);
    path.push(Instant::ZERO, End::A, numbered(0, 100));
    path.push(Instant::from_micros(2500), End::A, numbered(1, 1500));
    path.push(Instant::from_micros(3500), End::A, numbered(2, 1500));
    // Rounds later, nothing was saved up.
    path.push(Instant::from_micros(35_000), End::A, numbered(3, 1500));
    path.push(Instant::from_micros(35_000), End::A, numbered(4, 1500));
    let out: Vec<u64> = drain(&mut path).iter().map(|(at, _)| at.as_micros()).collect();
    assert_eq!(out, [1000, 3000, 10_000, 40_000, 41_000]);
}

#[test]
fn rates_change_in_the_middle_of_a_packet_and_nothing_is_lost_to_rounding() {
    // 8 Mbit/s is a byte per microsecond.
    let trace = "0s 8mbit\n2ms 4mbit\n6ms 0\n9ms 8mbit";
    assert_eq!(times(trace, Instant::ZERO, &[1000, 1500, 1000, 1000, 1000]), [1000, 3000, 5000, 9500, 10_500]);
    // Thousands of odd packets take exactly their bits' time.
    let rates = "0s 7mbit\n3ms 999999bit\n4ms 123456789bit\n5ms repeat";
    let out = times(rates, Instant::ZERO, &[333; 9000]);
    let per_round = 7e6 * 3e-3 + 999_999.0 * 1e-3 + 123_456_789.0 * 1e-3;
    let bits: f64 = 9000.0 * 333.0 * 8.0;
    let rounds = (bits / per_round).floor();
    let rest = bits - rounds * per_round;
    let within = match rest {
        rest if rest < 21_000.0 => rest / 7e6,
        rest if rest < 21_999.999 => 3e-3 + (rest - 21_000.0) / 999_999.0,
        rest => 4e-3 + (rest - 21_999.999) / 123_456_789.0,
    };
    let exact = (rounds * 5e-3 + within) * 1e6;
    assert!((*out.last().expect("some") as f64 - exact).abs() < 1.5, "{:?} {exact}", out.last());
}

#[test]
fn a_trickle_is_sent_without_walking_every_round() {
    // 1000 bits per second for a microsecond in each second: a packet takes 12 million rounds.
    let out = times("0s 1kbit\n1us 0\n1s repeat", Instant::ZERO, &[1500]);
    assert_eq!(out, [11_999_999 * 1_000_000 + 1]);
}

#[test]
fn traces_that_mean_nothing_are_refused_with_line_and_reason() {
    for (text, line, words) in [
        ("", None, "empty"),
        ("# nothing\n\n", None, "empty"),
        ("0\n0\n", None, "takes no time"),
        ("1\n5\n3\n", Some(3), "5 ms"),
        ("1\n\n2.5\n", Some(3), "'2.5'"),
        ("-1\n", Some(1), "'-1'"),
        ("1\n2 10mbit\n", Some(2), "'2 10mbit'"),
        ("1s 10mbit\n", Some(1), "must be 0"),
        ("0s 10mbit\n0s 5mbit\n", Some(2), "does not come after"),
        ("0s 10mbit\n5 5mbit\n", Some(2), "no unit"),
        ("0s 10\n", Some(1), "no unit"),
        ("0s 10mbit extra\n", Some(1), "a time and a rate"),
        ("0s -3mbit\n", Some(1), "negative"),
        ("0s 10mbit\n5s 0\n", None, "for ever"),
        ("0s 0\n5s repeat\n", None, "nothing would ever be sent"),
        ("0s repeat\n", Some(1), "nothing to repeat"),
        ("0s 1mbit\n5s repeat\n6s 1mbit\n", Some(3), "follow"),
        ("99999999999999\n", Some(1), "year"),
    ] {
        let error = RateTrace::parse(text).expect_err(text);
        assert_eq!(error.line, line, "{text:?}: {error}");
        assert!(error.to_string().contains(words), "{text:?}: {error}");
    }
    let both = Impairments { rate: "1mbit".parse().ok(), trace: RateTrace::parse("1").ok(), ..Impairments::default() };
    assert!(PathConfig::symmetric(both).expect_err("two rates").to_string().contains("one of them"));
}

#[test]
fn a_trace_without_a_queue_of_its_own_gets_a_tenth_of_a_second_at_its_mean_rate() {
    let mean = |text: &str| RateTrace::parse(text).expect("a trace").mean_bits_per_second();
    assert_eq!(mean("1\n2\n3\n4\n"), 12_000_000);
    assert_eq!(mean("0s 10mbit\n3s 2mbit\n4s repeat"), 8_000_000);
    assert_eq!(mean("0s 10mbit\n3s 2mbit"), 2_000_000);
}

#[test]
fn what_arrived_together_comes_out_as_one_super_segment_again() {
    let fast = Impairments { rate: "10gbit".parse().ok(), ..Impairments::default() };
    let mut path = path(Impairments { drop: "4,9".parse().expect("a list"), ..fast }, 0);
    let whole = tcp_packet(V4, 14_480);
    path.push(Instant::ZERO, End::A, whole.clone());
    let late = Instant::from_millis(1);
    let out: Vec<Packet> = std::iter::from_fn(|| path.pop_joined(late, End::B)).collect();
    assert_eq!(out.iter().map(Packet::wire_packets).collect::<Vec<_>>(), [3, 4, 1]);
    let sent: Vec<Vec<u8>> = whole.segments().map(|piece| piece.to_vec()).collect();
    let wanted: Vec<Vec<u8>> = [0, 1, 2, 4, 5, 6, 7, 9].map(|at| sent[at].clone()).to_vec();
    let got: Vec<Vec<u8>> = out.into_iter().flat_map(Packet::segments).map(|piece| piece.to_vec()).collect();
    assert_eq!(got, wanted, "every piece is what cutting the whole would give");
    let stats = path.stats().a_to_b;
    assert_eq!((stats.packets_out, stats.lost, stats.inside), (8, 2, 0));
    assert_eq!(stats.bytes_out, wanted.iter().map(Vec::len).sum::<usize>() as u64);
}

#[test]
fn a_super_segment_with_a_finished_checksum_is_taken_apart_as_well() {
    let mut path = path(Impairments { drop: "2".parse().expect("a list"), ..Impairments::default() }, 0);
    let mut whole = tcp_packet(V4, 5000);
    let pieces: Vec<Vec<u8>> = whole.clone().segments().map(|piece| piece.to_vec()).collect();
    whole.checksum = segue_wire::ChecksumState::Verified;
    path.push(Instant::ZERO, End::A, whole);
    let out: Vec<Vec<u8>> = drain(&mut path).iter().map(|(_, packet)| packet.to_vec()).collect();
    assert_eq!(out, [&pieces[..1], &pieces[2..]].concat());
}
