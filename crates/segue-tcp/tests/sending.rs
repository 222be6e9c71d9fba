//! When data leave: Nagle, cork, windows, loss, timeouts, probes, keep-alive.

mod common;

use std::time::Duration;

use common::peer::*;
use segue_tcp::*;

const MS: Duration = Duration::from_millis(1);

fn data(transmit: &Transmit) -> usize {
    transmit.payload.len()
}

/// Acknowledges everything up to `bytes` of our stream.
fn acknowledge(peer: &mut Peer, bytes: u32) -> Seen {
    peer.ack = ISS.wrapping_add(1).wrapping_add(bytes);
    peer.inject(peer.bare())
}

fn set(peer: &mut Peer, options: SocketOptions) {
    let now = peer.now;
    let _ = peer.connection.set_options(now, options);
}

#[test]
fn the_first_flight_is_ten_segments() {
    for (initial, expected) in [(10, 10), (1, 1), (4, 4)] {
        let mut peer = Peer::established_with(Config { initial_cwnd: initial, ..plain() }, SocketOptions::default());
        assert_eq!(peer.write(16_000), Ok(16_000));
        assert_eq!(peer.sent().len(), expected);
    }
}

#[test]
fn push_stands_on_the_last_segment_of_a_write() {
    let mut peer = Peer::established();
    peer.write(2_500).expect("room");
    assert_eq!(peer.shown(), [". 0:1000(1000) ack 0", ". 1000:2000(1000) ack 0", "P. 2000:2500(500) ack 0"]);
}

#[test]
fn nagle_holds_a_small_segment_while_another_small_one_is_unacknowledged() {
    let mut peer = Peer::established();
    peer.write(100).expect("room");
    assert_eq!(peer.sent().len(), 1, "nothing is outstanding");
    peer.write(100).expect("room");
    peer.write(50).expect("room");
    assert_eq!(peer.sent().len(), 0, "a partial segment is outstanding");
    peer.write(850).expect("room");
    assert_eq!(peer.shown(), ["P. 100:1100(1000) ack 0"], "a full one may always leave");
    acknowledge(&mut peer, 100);
    peer.write(10).expect("room");
    assert_eq!(peer.sent().len(), 1, "only a full segment is outstanding (Minshall)");
}

#[test]
fn nodelay_sends_every_small_write_at_once() {
    let mut peer = Peer::established_with(plain(), SocketOptions { nodelay: true, ..SocketOptions::default() });
    for i in 0..5 {
        peer.write(10).expect("room");
        assert_eq!(peer.shown(), [format!("P. {}:{}(10) ack 0", i * 10, i * 10 + 10)]);
    }
    // Turned on later, it sets free what was held.
    let mut peer = Peer::established();
    peer.write(10).expect("room");
    assert_eq!(peer.sent().len(), 1);
    peer.write(10).expect("room");
    assert_eq!(peer.sent().len(), 0);
    set(&mut peer, SocketOptions { nodelay: true, ..SocketOptions::default() });
    assert_eq!(peer.sent().len(), 1);
}

#[test]
fn cork_holds_partial_segments_until_it_is_pulled_or_200_ms_have_passed() {
    let corked = SocketOptions { cork: true, ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), corked.clone());
    peer.write(2_300).expect("room");
    assert_eq!(peer.sent().len(), 2);
    acknowledge(&mut peer, 2_000);
    assert_eq!(peer.sent().len(), 0);
    set(&mut peer, SocketOptions::default());
    assert_eq!(peer.shown(), ["P. 2000:2300(300) ack 0"]);

    let mut peer = Peer::established_with(plain(), corked);
    peer.write(300).expect("room");
    let sent = peer.pass(Duration::from_millis(500));
    assert_eq!(sent.first().map(|(at, transmit)| (*at, data(transmit))), Some((200 * MS, 300)));
}

#[test]
fn msg_more_waits_for_the_next_write() {
    let mut peer = Peer::established();
    let now = peer.now;
    assert_eq!(peer.connection.send(now, &[1; 300], SendFlags::MORE), Ok(300));
    assert_eq!(peer.sent().len(), 0);
    peer.write(200).expect("room");
    assert_eq!(peer.shown(), ["P. 0:500(500) ack 0"]);
}

#[test]
fn a_super_segment_is_as_large_as_allowed_made_of_full_segments_and_half_of_the_window() {
    for (max, expected) in
        [(0, vec![1_000; 10]), (3_500, vec![3_000, 3_000, 3_000, 1_000]), (65_000, vec![5_000, 5_000])]
    {
        let mut peer = Peer::established();
        peer.write(16_000).expect("room");
        let mut sizes = Vec::new();
        while let Some(transmit) = peer.connection.poll_transmit(peer.now, max) {
            assert_eq!(transmit.segment_size, 1_000);
            sizes.push(data(&transmit));
        }
        assert_eq!(sizes, expected, "at most {max}");
    }
}

#[test]
fn a_full_buffer_blocks_the_writer_and_acknowledgments_wake_it() {
    let options = SocketOptions { sndbuf: Some(20_000), ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), options);
    // As on Linux: half of the peer's window is one buffer, what may begin a buffer may fill it, and what of it leaves at
    // once makes room behind.
    assert_eq!(peer.write(90_000), Ok(40_000));
    assert_eq!(peer.write(1), Err(SendError::WouldBlock));
    assert!(!peer.connection.readiness().contains(Ready::OUT));
    let mut told = Vec::new();
    for acked in (2_000..=36_000).step_by(2_000) {
        peer.sent();
        if acknowledge(&mut peer, acked).events.contains(Events::WRITABLE) {
            told.push(acked);
        }
        // A third must be free: 13333 bytes with what the buffers cost.
        assert_eq!(peer.connection.readiness().contains(Ready::OUT), !told.is_empty(), "{acked} acknowledged");
        assert!((acked < 27_000) == told.is_empty() || (27_000..34_000).contains(&acked), "{acked}: {told:?}");
    }
    assert_eq!(told.len(), 1, "told once");
}

#[test]
fn a_write_fills_the_buffer_that_it_may_begin_and_small_ones_share_it() {
    let options = SocketOptions { sndbuf: Some(4_608), ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), options.clone());
    assert_eq!(peer.write(100_000), Ok(40_000));
    // Nothing may leave: writes of one byte go into one buffer until it is full.
    let mut peer = Peer::established_with(plain(), options);
    peer.window = 0;
    peer.inject(peer.bare());
    let bytes = (0..).take_while(|_| peer.write(1).is_ok()).count();
    assert_eq!(bytes, 30_000);
    assert_eq!(peer.connection.memory_use().queued, 30_832);
}

#[test]
fn notsent_lowat_bounds_what_waits_unsent() {
    let options = SocketOptions { notsent_lowat: Some(1_000), ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), options);
    peer.window = 0;
    peer.inject(peer.bare());
    assert_eq!(peer.write(499), Ok(499));
    assert!(peer.connection.readiness().contains(Ready::OUT));
    // Whoever polls is told at half of it; whoever writes is stopped where the next buffer would begin.
    assert_eq!(peer.write(1), Ok(1));
    assert!(!peer.connection.readiness().contains(Ready::OUT));
    assert_eq!(peer.write(40_000), Ok(29_500));
    assert_eq!(peer.write(1), Err(SendError::WouldBlock));
}

#[test]
fn three_duplicates_resend_the_first_segment_and_the_first_two_let_new_ones_out() {
    let mut peer = Peer::established();
    peer.write(16_000).expect("room");
    assert_eq!(peer.sent().len(), 10);
    let duplicate = peer.bare();
    peer.inject(duplicate.clone());
    assert_eq!(peer.shown(), [". 10000:11000(1000) ack 0"], "limited transmit");
    peer.inject(duplicate.clone());
    assert_eq!(peer.shown(), [". 11000:12000(1000) ack 0"], "limited transmit");
    peer.inject(duplicate.clone());
    assert_eq!(peer.shown(), [". 0:1000(1000) ack 0"], "fast retransmit");
    let info = peer.connection.info(peer.now);
    // Half of the ten segments in flight; twelve sent, one lost and resent, three have left: nine.
    assert_eq!((info.ca_state, info.snd_ssthresh, info.snd_cwnd), (3, 5, 9));
    // RFC 9937: every second one lets another out until five are in flight, then each.
    let released: Vec<usize> = (0..8)
        .map(|_| {
            peer.inject(duplicate.clone());
            peer.sent().len()
        })
        .collect();
    assert_eq!(released, [0, 1, 0, 1, 0, 0, 1, 1]);
}

#[test]
fn a_partial_acknowledgment_resends_the_next_hole_at_once() {
    let mut peer = Peer::sending(6_000);
    peer.repeat_ack(3);
    assert_eq!(peer.shown(), [". 0:1000(1000) ack 0"]);
    acknowledge(&mut peer, 3_000);
    assert_eq!(peer.shown(), [". 3000:4000(1000) ack 0"], "NewReno");
    assert_eq!(peer.connection.info(peer.now).ca_state, 3);
    acknowledge(&mut peer, 6_000);
    // Something beyond has to be acknowledged, lest late duplicates begin another recovery.
    assert_eq!(peer.connection.info(peer.now).ca_state, 3);
    peer.write(10).expect("room");
    peer.sent();
    acknowledge(&mut peer, 6_010);
    let info = peer.connection.info(peer.now);
    assert_eq!((info.ca_state, info.snd_cwnd, info.unacked), (0, 5, 0));
}

#[test]
fn duplicates_of_the_recovery_point_do_not_start_another_recovery() {
    // RFC 6582 section 3.2 step 1.
    let mut peer = Peer::sending(16_000);
    peer.repeat_ack(3);
    peer.sent();
    acknowledge(&mut peer, 10_000);
    peer.sent();
    for _ in 0..3 {
        peer.inject(peer.bare());
        let again = peer.sent().iter().filter(|transmit| transmit.resent > 0).count();
        assert_eq!(again, 0);
    }
    assert_eq!(peer.connection.info(peer.now).total_retrans, 1);
}

#[test]
fn what_is_not_a_bare_repetition_is_not_a_duplicate() {
    type Change = fn(&mut Peer) -> Inject;
    let changes: [(&str, Change); 3] = [
        ("with text", |peer| peer.text(10)),
        ("with another window", |peer| {
            peer.window += 10;
            peer.bare()
        }),
        ("nothing outstanding", |peer| peer.bare()),
    ];
    for (what, change) in changes {
        let mut peer = Peer::established();
        if what != "nothing outstanding" {
            peer.write(5_000).expect("room");
            peer.sent();
        }
        for _ in 0..5 {
            let segment = change(&mut peer);
            peer.inject(segment);
        }
        assert_eq!(peer.connection.info(peer.now).ca_state, 0, "{what}");
    }
}

#[test]
fn a_timeout_resends_the_first_segment_backs_off_and_starts_slowly() {
    let mut peer = Peer::established();
    peer.write(4_000).expect("room");
    assert_eq!(peer.sent().len(), 4);
    let rto = Duration::from_micros(peer.connection.info(peer.now).rto.into());
    let sent = peer.pass(rto * 8);
    let times: Vec<_> = sent.iter().map(|(at, transmit)| (*at, show(transmit))).collect();
    let first = ". 0:1000(1000) ack 0".to_string();
    assert_eq!(times, [(rto, first.clone()), (rto * 3, first.clone()), (rto * 7, first)]);
    let info = peer.connection.info(peer.now);
    assert_eq!((info.ca_state, info.snd_cwnd, info.snd_ssthresh, info.backoff, info.lost), (4, 1, 5, 3, 4));
    // Slow start: each acknowledgment lets two out.
    acknowledge(&mut peer, 1_000);
    assert_eq!(peer.shown(), [". 1000:2000(1000) ack 0", ". 2000:3000(1000) ack 0"]);
    acknowledge(&mut peer, 4_000);
    assert_eq!((peer.connection.info(peer.now).ca_state, peer.connection.info(peer.now).lost), (4, 0));
    peer.write(10).expect("room");
    peer.sent();
    acknowledge(&mut peer, 4_010);
    assert_eq!(peer.connection.info(peer.now).ca_state, 0);
}

#[test]
fn timeouts_for_three_seconds_put_the_route_in_doubt() {
    // tcp_retries1 as Linux counts it: three doublings of 200 ms since the first timeout.
    let mut peer = Peer::established();
    peer.write(100).expect("room");
    let mut first = None;
    let mut doubts = 0;
    for timeout in 0..7 {
        peer.sent();
        peer.now = peer.connection.next_deadline().expect("a timer");
        let outcome = peer.connection.on_deadline(peer.now);
        let since = peer.now - *first.get_or_insert(peer.now);
        let doubted = outcome.events.contains(Events::ROUTE_DOUBTED);
        assert_eq!(doubted, since >= Duration::from_secs(3), "timeout {timeout}, after {since:?}");
        doubts += u32::from(doubted);
    }
    assert!(doubts >= 2, "every one from then on");
}

#[test]
fn without_recovery_duplicates_let_out_two_segments_at_most() {
    // RFC 3042: also when the duplicates may not start a recovery (RFC 6582's guard).
    let mut peer = Peer::sending(16_000);
    peer.repeat_ack(3);
    peer.sent();
    acknowledge(&mut peer, 10_000);
    peer.sent();
    peer.write(16_000).expect("room");
    let before = peer.sent().len();
    let mut released = 0;
    for _ in 0..4 {
        peer.inject(peer.bare());
        released += peer.sent().len();
    }
    assert!(released <= 2, "{released} after {before}");
}

#[test]
fn small_segments_are_joined_when_they_are_sent_again() {
    let mut peer = Peer::established_with(plain(), SocketOptions { nodelay: true, ..SocketOptions::default() });
    for _ in 0..5 {
        peer.write(100).expect("room");
        assert_eq!(peer.sent().len(), 1);
    }
    let rto = Duration::from_micros(peer.connection.info(peer.now).rto.into());
    let sent = peer.pass(rto);
    assert_eq!(sent.iter().map(|(_, transmit)| show(transmit)).collect::<Vec<_>>(), ["P. 0:500(500) ack 0"]);
}

#[test]
fn a_peer_that_never_answers_is_given_up_after_924_seconds() {
    let mut peer = Peer::established();
    peer.write(100).expect("room");
    let start = peer.now;
    let mut gone = None;
    while gone.is_none() && peer.now - start < Duration::from_secs(2_000) {
        peer.pass(Duration::from_secs(1));
        if peer.connection.state() == State::Closed {
            gone = Some((peer.now - start).as_secs());
        }
    }
    // tcp_retries2 = 15: the first timeout after 924.6 s of retransmitting.
    assert!(gone.is_some_and(|seconds| (925..=1_050).contains(&seconds)), "{gone:?}");
    assert_eq!(peer.connection.take_error(), Some(ConnError::TimedOut));
}

#[test]
fn an_icmp_error_does_not_end_a_connection_but_names_the_time_out() {
    let mut peer = Peer::sending(100);
    for hard in [false, true] {
        let signal = IcmpSignal::Unreachable { hard, error: ConnError::HostUnreachable };
        let _ = peer.connection.on_icmp(peer.now, signal, ISS.wrapping_add(1));
        assert_eq!(peer.connection.state(), State::Established);
    }
    peer.pass(Duration::from_secs(1_100));
    assert_eq!(peer.connection.take_error(), Some(ConnError::HostUnreachable));
}

#[test]
fn the_user_timeout_ends_waiting_earlier() {
    let options = SocketOptions { user_timeout: Some(Duration::from_secs(3)), ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), options.clone());
    peer.write(100).expect("room");
    peer.pass(Duration::from_millis(2_900));
    assert_eq!(peer.connection.state(), State::Established);
    peer.pass(Duration::from_millis(700));
    assert_eq!(peer.connection.state(), State::Closed);
    assert_eq!(peer.connection.take_error(), Some(ConnError::TimedOut));
    // With a shut window, too, whether the peer answers or not (as on Linux).
    for answers in [false, true] {
        let mut peer = Peer::established_with(plain(), options.clone());
        peer.window = 0;
        peer.inject(peer.bare());
        peer.write(100).expect("room");
        for _ in 0..100 {
            let probes = peer.pass(100 * MS);
            if answers && !probes.is_empty() {
                peer.inject(peer.bare());
            }
        }
        assert_eq!(peer.connection.state(), State::Closed, "answers: {answers}");
    }
}

#[test]
fn a_shut_window_is_probed_with_back_off_for_ever_while_the_peer_answers() {
    let mut peer = Peer::established();
    peer.window = 0;
    peer.inject(peer.bare());
    peer.write(5_000).expect("room");
    assert_eq!(peer.sent().len(), 0);
    let start = peer.now;
    let mut times = Vec::new();
    while peer.now - start < Duration::from_secs(20_000) {
        for (_, probe) in peer.pass(100 * MS) {
            assert_eq!(show(&probe), ". -1:-1(0) ack 0");
            times.push(peer.now - start);
            peer.inject(peer.bare());
        }
    }
    let gaps: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.len() > 100, "{} probes in 20000 s", gaps.len());
    assert!(gaps.windows(2).all(|pair| pair[1] + 100 * MS >= pair[0]), "the intervals never shrink");
    assert!(gaps.iter().all(|gap| *gap <= Duration::from_secs(121)));
    assert_eq!(peer.connection.state(), State::Established);
    // And then the window opens.
    peer.window = 60_000;
    peer.inject(peer.bare());
    assert_eq!(peer.sent().iter().map(data).sum::<usize>(), 5_000);
}

#[test]
fn a_peer_that_answers_no_probe_is_given_up() {
    let mut peer = Peer::established();
    peer.window = 0;
    peer.inject(peer.bare());
    peer.write(10).expect("room");
    let probes = peer.pass(Duration::from_secs(3_000));
    assert_eq!(probes.len(), 15);
    assert_eq!(peer.connection.take_error(), Some(ConnError::TimedOut));
}

#[test]
fn a_fin_behind_a_shut_window_is_probed_for_too() {
    let mut peer = Peer::established();
    peer.window = 0;
    peer.inject(peer.bare());
    let now = peer.now;
    let _ = peer.connection.shutdown_write(now);
    assert!(!peer.pass(Duration::from_secs(2)).is_empty());
    peer.window = 1;
    peer.inject(peer.bare());
    assert_eq!(peer.shown(), ["F. 0:0(0) ack 0"]);
}

#[test]
fn a_silly_window_is_not_used_until_it_is_worth_it_or_the_timer_says_so() {
    let mut peer = Peer::sending(16_000);
    acknowledge(&mut peer, 10_000);
    peer.sent();
    // Everything acknowledged, the window now tiny.
    peer.window = 100;
    acknowledge(&mut peer, 16_000);
    peer.write(5_000).expect("room");
    assert_eq!(peer.sent().len(), 0, "100 bytes are not worth a segment");
    let sent = peer.pass(Duration::from_millis(300));
    assert_eq!(sent.iter().map(|(_, transmit)| data(transmit)).collect::<Vec<_>>(), [100], "the override timer");
}

#[test]
fn a_full_segment_is_followed_by_what_else_the_window_holds_and_nothing_follows_alone() {
    let mut peer = Peer::sending(16_000);
    acknowledge(&mut peer, 10_000);
    peer.sent();
    peer.window = 1_100;
    acknowledge(&mut peer, 16_000);
    peer.write(5_000).expect("room");
    assert_eq!(peer.sent().iter().map(data).sum::<usize>(), 1_100, "a segment and the rest of the window");
    // The first segment is answered: there is room for as much again, but no full segment more.
    peer.window = 900;
    acknowledge(&mut peer, 17_000);
    assert_eq!(peer.sent().len(), 0, "800 bytes alone are left until the window opens");
    peer.window = 1_100;
    acknowledge(&mut peer, 17_100);
    assert_eq!(peer.sent().iter().map(data).sum::<usize>(), 1_100);
}

#[test]
fn a_peer_with_a_small_buffer_gets_segments_of_half_of_it() {
    let mut peer = Peer::syn_sent(plain(), SocketOptions::default());
    peer.window = 1_200;
    let mut syn_ack = peer.bare();
    syn_ack.flags |= TcpFlags::SYN;
    syn_ack.options.mss = Some(1_000);
    peer.inject(syn_ack);
    peer.seq = IRS.wrapping_add(1);
    peer.sent();
    peer.write(5_000).expect("room");
    assert_eq!(peer.sent().iter().map(data).collect::<Vec<_>>(), [600, 600]);
}

#[test]
fn a_window_that_shrinks_stops_new_data_and_the_rest_is_still_recovered() {
    let mut peer = Peer::established();
    peer.write(10_000).expect("room");
    assert_eq!(peer.sent().len(), 10);
    peer.window = 500;
    acknowledge(&mut peer, 1_000);
    peer.write(1_000).expect("room");
    assert_eq!(peer.sent().len(), 0);
    let rto = Duration::from_micros(peer.connection.info(peer.now).rto.into());
    let sent = peer.pass(rto);
    assert_eq!(sent.len(), 1, "what is inside the window is sent again");
    assert_eq!(show(&sent[0].1), ". 1000:1500(500) ack 0");
}

#[test]
fn what_is_at_snd_una_is_sent_again_even_when_the_window_has_been_shut() {
    let mut peer = Peer::established();
    peer.write(10_000).expect("room");
    assert_eq!(peer.sent().len(), 10);
    peer.window = 0;
    acknowledge(&mut peer, 1_000);
    let rto = Duration::from_micros(peer.connection.info(peer.now).rto.into());
    let sent = peer.pass(rto);
    assert_eq!(sent.len(), 1);
    assert_eq!(show(&sent[0].1), ". 1000:2000(1000) ack 0");
}

#[test]
fn what_is_sent_again_stops_at_the_edge_of_a_window_that_has_shrunk() {
    let mut peer = Peer::sending(10_000);
    let rto = Duration::from_micros(peer.connection.info(peer.now).rto.into());
    peer.pass(rto);
    // Slow start could send two now, and the window has room for one and a half.
    peer.window = 1_500;
    acknowledge(&mut peer, 1_000);
    let promised = peer.connection.next_deadline();
    let again = peer.connection.poll_transmit(peer.now, 65_000).expect("one fits");
    assert_eq!((show(&again).as_str(), promised), (". 1000:2000(1000) ack 0", Some(peer.now)));
    let rest: Vec<String> = peer.sent().iter().map(show).collect();
    assert_eq!(rest, [". 2000:2500(500) ack 0"], "of the second what is inside");
    assert!(peer.connection.next_deadline().is_some_and(|at| at > peer.now));
}

#[test]
fn too_big_lowers_the_segment_size_and_sends_again_what_was_too_long() {
    let mut peer = Peer::sending(3_000);
    let signal = IcmpSignal::PacketTooBig { mtu_payload: 620 };
    let _ = peer.connection.on_icmp(peer.now, signal, ISS.wrapping_add(5_000));
    assert_eq!(peer.sent().len(), 0, "it does not quote anything in flight");
    let _ = peer.connection.on_icmp(peer.now, signal, ISS.wrapping_add(1));
    let shown: Vec<usize> = peer.sent().iter().map(data).collect();
    assert_eq!(shown, [600, 400, 600, 400, 600, 400]);
    let info = peer.connection.info(peer.now);
    assert_eq!((info.snd_mss, info.snd_cwnd), (600, 10), "not a sign of congestion");
}

#[test]
fn too_big_never_goes_below_the_least_segment_size() {
    let mut peer = Peer::sending(3_000);
    let _ = peer.connection.on_icmp(peer.now, IcmpSignal::PacketTooBig { mtu_payload: 0 }, ISS.wrapping_add(1));
    assert_eq!(peer.connection.info(peer.now).snd_mss, 48);
}

#[test]
fn after_idling_the_window_is_the_initial_one_again() {
    for (slow, expected) in [(true, 10), (false, 20)] {
        let mut peer =
            Peer::established_with(Config { slow_start_after_idle: slow, ..plain() }, SocketOptions::default());
        peer.write(16_000).expect("room");
        peer.sent();
        acknowledge(&mut peer, 10_000);
        peer.sent();
        acknowledge(&mut peer, 16_000);
        peer.pass(Duration::from_secs(60));
        peer.write(40_000).expect("room");
        let cwnd = peer.connection.info(peer.now).snd_cwnd;
        assert_eq!(peer.sent().len() as u32, cwnd);
        assert!((expected..expected + 7).contains(&cwnd), "{cwnd}");
    }
}

#[test]
fn a_round_trip_of_a_segment_sent_twice_is_measured_only_by_its_timestamp() {
    let mut peer = Peer::sending(100);
    let before = peer.connection.info(peer.now).rtt;
    let rto = Duration::from_micros(peer.connection.info(peer.now).rto.into());
    peer.pass(rto + 50 * MS);
    acknowledge(&mut peer, 100);
    assert_eq!(peer.connection.info(peer.now).rtt, before, "Karn");
}

/// Keep-alive as Linux's defaults have it.
fn with_keep_alive() -> Peer {
    Peer::established_with(plain(), SocketOptions { keepalive: true, ..SocketOptions::default() })
}

#[test]
fn keep_alive_finds_a_peer_that_is_gone_after_two_hours_and_eleven_minutes() {
    let mut peer = with_keep_alive();
    let start = peer.now;
    let probes = peer.pass(Duration::from_secs(7_875) - MS);
    let times: Vec<u64> = probes.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, (0..9).map(|i| 7_200 + 75 * i).collect::<Vec<_>>());
    assert!(probes.iter().all(|(_, probe)| show(probe) == ". -1:-1(0) ack 0"));
    let last = peer.pass(2 * MS);
    assert_eq!(last.iter().map(|(_, reset)| show(reset)).collect::<Vec<_>>(), ["R. 0:0(0) ack 0"]);
    assert_eq!(peer.connection.take_error(), Some(ConnError::TimedOut));
    assert_eq!((peer.now - start).as_secs(), 7_875);
}

#[test]
fn keep_alive_starts_over_when_the_peer_answers() {
    let mut peer = with_keep_alive();
    for _ in 0..5 {
        assert_eq!(peer.pass(Duration::from_secs(7_201)).len(), 1);
        peer.inject(peer.bare());
    }
    assert_eq!(peer.connection.state(), State::Established);
}

#[test]
fn keep_alive_learns_of_a_reboot_by_the_reset() {
    let mut peer = with_keep_alive();
    let probes = peer.pass(Duration::from_secs(7_201));
    let mut reset = peer.bare();
    reset.flags = TcpFlags::RST;
    reset.sequence = probes[0].1.header.acknowledgment;
    peer.inject(reset);
    assert_eq!(peer.connection.take_error(), Some(ConnError::Reset));
}

#[test]
fn keep_alive_is_off_unless_asked_for_and_its_times_can_be_set() {
    let mut peer = Peer::established();
    assert!(peer.pass(Duration::from_secs(100_000)).is_empty());
    set(
        &mut peer,
        SocketOptions {
            keepalive: true,
            keep_idle: Some(Duration::from_secs(10)),
            keep_intvl: Some(Duration::from_secs(2)),
            keep_cnt: Some(3),
            ..SocketOptions::default()
        },
    );
    peer.inject(peer.bare());
    let sent = peer.pass(Duration::from_secs(30));
    let times: Vec<u64> = sent.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [10, 12, 14, 16], "three probes and the reset");
    assert_eq!(peer.connection.state(), State::Closed);
}

#[test]
fn urgent_data_point_behind_their_last_byte_until_acknowledged() {
    let mut peer = Peer::established();
    let now = peer.now;
    peer.write(1_000).expect("room");
    assert_eq!(peer.connection.send(now, &[1; 1_500], SendFlags::OOB), Ok(1_500));
    let sent = peer.sent();
    let shown: Vec<_> = sent.iter().map(|transmit| (show(transmit), transmit.header.urgent)).collect();
    assert_eq!(
        shown,
        [
            ("U. 0:1000(1000) ack 0".to_string(), 2_500),
            ("U. 1000:2000(1000) ack 0".to_string(), 1_500),
            ("PU. 2000:2500(500) ack 0".to_string(), 500)
        ]
    );
    acknowledge(&mut peer, 2_500);
    peer.write(10).expect("room");
    assert_eq!(peer.shown(), ["P. 2500:2510(10) ack 0"]);
}

#[test]
fn urgent_data_are_announced_by_probes_while_the_window_is_shut() {
    let mut peer = Peer::established();
    peer.window = 0;
    peer.inject(peer.bare());
    let now = peer.now;
    assert_eq!(peer.connection.send(now, b"x", SendFlags::OOB), Ok(1));
    let probes: Vec<(String, u16)> =
        peer.pass(Duration::from_millis(300)).iter().map(|(_, probe)| (show(probe), probe.header.urgent)).collect();
    // As Linux: the pointer on a segment that is acceptable, then the one that must be answered.
    assert_eq!(probes, [("U. 0:0(0) ack 0".into(), 1), ("U. -1:-1(0) ack 0".into(), 2)]);
}

#[test]
fn the_numbers_of_a_bare_acknowledgment_are_snd_nxt_also_after_a_timeout() {
    let mut peer = Peer::sending(5_000);
    let rto = Duration::from_micros(peer.connection.info(peer.now).rto.into());
    peer.pass(rto);
    let text = peer.text(10);
    peer.inject(text);
    assert_eq!(peer.shown(), [". 5000:5000(0) ack 10"]);
}

/// As Linux, the wait for the next probe begins with the answer to the last one. A window that opens too little to be
/// used waits no longer than in the beginning (RFC 9293 section 3.8.6.2.1), however long it was shut.
#[test]
fn a_window_that_opens_a_little_after_a_long_time_is_used_soon() {
    let mut peer = Peer::established();
    peer.window = 0;
    peer.inject(peer.bare());
    peer.write(5_000).expect("room");
    let mut waited = Duration::ZERO;
    for _ in 0..8 {
        let start = peer.now;
        while peer.sent().is_empty() {
            peer.now = peer.connection.next_deadline().expect("a probe is due");
            let _ = peer.connection.on_deadline(peer.now);
        }
        waited = peer.now - start;
        peer.pass(Duration::from_millis(100));
        peer.inject(peer.bare());
    }
    assert!(waited > Duration::from_secs(20), "{waited:?}");
    peer.window = 10;
    peer.inject(peer.bare());
    let sent = peer.pass(Duration::from_millis(999));
    assert_eq!(show(&sent[0].1), "P. 0:10(10) ack 0");
}

#[test]
fn an_unreachable_route_takes_back_one_doubling_of_a_timeout_that_it_is_about() {
    // RFC 6069 section 4.2.
    let mut peer = Peer::sending(100);
    let signal = IcmpSignal::Disrupted { error: ConnError::HostUnreachable };
    let quoted = ISS.wrapping_add(1);
    let _ = peer.connection.on_icmp(peer.now, signal, quoted);
    for _ in 0..3 {
        peer.now = peer.connection.next_deadline().expect("a timer");
        assert_eq!(peer.sent().len(), 1);
    }
    let backoff = |peer: &Peer| peer.connection.info(peer.now).backoff;
    assert_eq!(backoff(&peer), 3);
    let (sent_at, rto) = (peer.now, peer.connection.next_deadline().expect("a timer") - peer.now);
    let _ = peer.connection.on_icmp(peer.now, signal, quoted);
    assert_eq!((backoff(&peer), peer.connection.next_deadline()), (2, Some(sent_at + rto / 2)));
    let hard = IcmpSignal::Unreachable { hard: true, error: ConnError::Refused };
    let _ = peer.connection.on_icmp(peer.now, hard, quoted);
    assert_eq!(backoff(&peer), 2, "other errors say nothing of the kind");
    peer.now = sent_at + rto * 3 / 8;
    let _ = peer.connection.on_icmp(peer.now, signal, quoted);
    assert_eq!(peer.sent().len(), 1, "overdue by the shorter timeout");
    assert_eq!(peer.connection.info(peer.now).retransmits, 4);
}
