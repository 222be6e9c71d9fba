//! How connections begin: both handshakes, their repetition, what is negotiated, what is refused.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::peer::*;
use common::{Path, World};
use segue_tcp::*;
use segue_wire::tcp::Timestamps;

fn syn(sequence: u32) -> Inject {
    Inject {
        sequence,
        acknowledgment: 0,
        flags: TcpFlags::SYN,
        window: 30_000,
        payload: Vec::new(),
        options: TcpOptions { mss: Some(1_460), ..TcpOptions::default() },
        urgent: 0,
        segment_size: None,
        ecn: Ecn::NotEct,
    }
}

/// A passive open whose SYN-ACK has left.
fn passive(config: &Config, options: &SocketOptions, syn: &Inject) -> (Instant, PassiveOpen, Transmit) {
    let now = Instant::from_secs(100);
    let mut opening = PassiveOpen::on_syn(now, config, options, &syn.segment(), open());
    let syn_ack = opening.poll_transmit(now, config).expect("a SYN-ACK");
    assert!(opening.poll_transmit(now, config).is_none(), "one SYN-ACK, not two");
    (now, opening, syn_ack)
}

fn third(syn_ack: &Transmit) -> Inject {
    Inject {
        sequence: syn_ack.header.acknowledgment,
        acknowledgment: syn_ack.header.sequence.wrapping_add(1),
        flags: TcpFlags::ACK,
        window: 30_000,
        payload: Vec::new(),
        options: TcpOptions::default(),
        urgent: 0,
        segment_size: None,
        ecn: Ecn::NotEct,
    }
}

#[test]
fn three_segments_open_a_connection() {
    let mut world = World::new(1, Path::default(), Config::default());
    world.keep_log = true;
    world.ends[0].app.half_close = false;
    world.ends[1].app.half_close = false;
    world.run_until(Duration::from_millis(200), |_| false);
    assert_eq!((world.state(0), world.state(1)), (State::Established, State::Established));
    let flags: Vec<&str> = world.log.iter().map(|line| line.split(' ').nth(2).unwrap_or("")).collect();
    assert_eq!(flags, ["S", "S.", "."], "{:#?}", world.log);
    for end in 0..2 {
        assert!(world.ends[end].app.events.contains(Events::CONNECTED));
    }
}

#[test]
fn the_syn_offers_mss_sack_timestamps_and_window_scale_in_an_unscaled_window() {
    let now = Instant::from_secs(5);
    let config = Config { rmem: [4096, 131_072, 6_291_456], sack: true, ..Config::default() };
    let mut connection = Connection::connect(now, Arc::new(config), SocketOptions::default(), open());
    let syn = connection.poll_transmit(now, 0).expect("a SYN");
    let options = TcpOptions::parse(&syn.options);
    assert_eq!((options.mss, options.window_scale), (Some(1_460), Some(7)));
    assert_eq!(options.timestamps, Some(Timestamps { value: 5_000, echo: 0 }));
    assert!(options.sack_permitted);
    assert_eq!(syn.header.window, 64_240);
}

#[test]
fn options_are_answered_only_when_they_were_offered() {
    let config = Config { sack: true, ..Config::default() };
    let (_, _, syn_ack) = passive(&config, &SocketOptions::default(), &syn(IRS));
    let options = TcpOptions::parse(&syn_ack.options);
    assert_eq!((options.mss, options.window_scale, options.timestamps), (Some(1_460), None, None));
    assert!(!options.sack_permitted);
    let mut offering = syn(IRS);
    offering.options.window_scale = Some(3);
    offering.options.timestamps = Some(Timestamps { value: 9, echo: 0 });
    let (_, _, syn_ack) = passive(&config, &SocketOptions::default(), &offering);
    let options = TcpOptions::parse(&syn_ack.options);
    assert_eq!(options.window_scale, Some(10));
    assert!(!options.sack_permitted);
    offering.options.sack_permitted = true;
    let (_, _, syn_ack) = passive(&config, &SocketOptions::default(), &offering);
    assert!(TcpOptions::parse(&syn_ack.options).sack_permitted);
    assert_eq!(options.timestamps.map(|stamp| stamp.echo), Some(9));
    let off = Config { window_scaling: false, timestamps: Timestamping::Off, sack: false, ..Config::default() };
    let (_, _, syn_ack) = passive(&off, &SocketOptions::default(), &offering);
    let options = TcpOptions::parse(&syn_ack.options);
    assert_eq!((options.window_scale, options.timestamps, options.sack_permitted), (None, None, false));
}

#[test]
fn the_smaller_mss_counts_less_the_timestamps() {
    for (theirs, stamped, expected) in [
        (Some(1_460), false, 1_460),
        (Some(1_000), false, 1_000),
        (Some(9_000), true, 1_448),
        (None, false, 536),
        (Some(1), false, 48),
    ] {
        let mut offer = syn(IRS);
        offer.options.mss = theirs;
        offer.options.timestamps = stamped.then_some(Timestamps { value: 9, echo: 0 });
        let config = Arc::new(Config::default());
        let (now, opening, syn_ack) = passive(&config, &SocketOptions::default(), &offer);
        let mut ack = third(&syn_ack);
        ack.options.timestamps = stamped.then_some(Timestamps { value: 9, echo: 0 });
        let (connection, _) = opening.into_connection(now, config, SocketOptions::default(), ack.segment());
        assert_eq!(connection.info(now).snd_mss, expected, "peer's MSS {theirs:?}");
    }
}

#[test]
fn maxseg_bounds_what_is_offered_and_what_is_sent() {
    let options = SocketOptions { max_seg: Some(600), ..SocketOptions::default() };
    let config = Arc::new(plain());
    let (now, opening, syn_ack) = passive(&config, &options, &syn(IRS));
    assert_eq!(TcpOptions::parse(&syn_ack.options).mss, Some(600));
    let (connection, _) = opening.into_connection(now, config, options, third(&syn_ack).segment());
    assert_eq!(connection.info(now).snd_mss, 600);
}

#[test]
fn an_unanswered_syn_is_repeated_on_schedule_and_then_times_out() {
    for (linear, expected) in [(4, vec![1, 2, 3, 4, 5, 7, 11, 19, 35, 67]), (0, vec![1, 3, 7, 15, 31, 63])] {
        let config = Config { syn_linear_timeouts: linear, ..plain() };
        let mut peer = Peer::syn_sent(config, SocketOptions::default());
        let sent = peer.pass(Duration::from_secs(200));
        let times: Vec<u64> = sent.iter().map(|(at, _)| at.as_secs()).collect();
        assert_eq!(times, expected);
        assert_eq!(peer.connection.state(), State::Closed);
        assert_eq!(peer.connection.take_error(), Some(ConnError::TimedOut));
    }
}

#[test]
fn an_unanswered_syn_ack_is_repeated_five_times_and_given_up_after_63_seconds() {
    let config = Config::default();
    let (start, mut opening, _) = passive(&config, &SocketOptions::default(), &syn(IRS));
    let mut times = Vec::new();
    let now = loop {
        let now = opening.next_deadline().expect("a deadline");
        match opening.on_deadline(now, &config, &SocketOptions::DEFAULT, config.synack_retries) {
            PassiveOutcome::Transmit => times.push((now - start).as_secs()),
            PassiveOutcome::GiveUp => break now,
            other => panic!("{other:?}"),
        }
        assert!(opening.poll_transmit(now, &config).is_some());
    };
    assert_eq!((times, (now - start).as_secs()), (vec![1, 3, 7, 15, 31], 63));
}

#[test]
fn the_third_segment_may_carry_data_and_a_fin() {
    let config = Arc::new(plain());
    let (now, mut opening, syn_ack) = passive(&config, &SocketOptions::default(), &syn(IRS));
    let mut ack = third(&syn_ack);
    ack.payload = b"hello".to_vec();
    ack.flags |= TcpFlags::FIN;
    assert!(matches!(
        opening.on_segment(now, &config, &SocketOptions::DEFAULT, &ack.segment()),
        PassiveOutcome::Complete
    ));
    let (mut connection, outcome) = opening.into_connection(now, config, SocketOptions::default(), ack.segment());
    assert!(outcome.events.contains(Events::CONNECTED | Events::READABLE | Events::PEER_CLOSED));
    assert_eq!(connection.state(), State::CloseWait);
    let mut buffer = [0; 10];
    assert_eq!(connection.recv(now, &mut buffer), Ok(5));
    assert_eq!(connection.recv(now, &mut buffer), Ok(0));
}

#[test]
fn data_complete_the_handshake_when_the_third_segment_is_lost() {
    let mut world = World::new(4, Path::default(), Config::default());
    let mut dropped = false;
    world.filter = Some(Box::new(move |from, segment| {
        let third = from == 0 && segment.header.flags == TcpFlags::ACK && segment.payload.is_empty() && !dropped;
        dropped |= third;
        third
    }));
    world.ends[0].app.to_send = 10_000;
    assert!(world.run_until(Duration::from_secs(10), |world| world.is_complete()));
    assert_eq!(world.lost, 1);
    world.assert_intact("third segment lost");
}

#[test]
fn a_full_accept_queue_leaves_the_handshake_to_be_completed_later() {
    // Whoever owns the listener drops the ACK by not calling `into_connection`.
    let config = Arc::new(plain());
    let (now, mut opening, syn_ack) = passive(&config, &SocketOptions::default(), &syn(IRS));
    let ack = third(&syn_ack);
    assert!(matches!(
        opening.on_segment(now, &config, &SocketOptions::DEFAULT, &ack.segment()),
        PassiveOutcome::Complete
    ));
    let later = opening.next_deadline().expect("the SYN-ACK is repeated");
    assert!(matches!(
        opening.on_deadline(later, &config, &SocketOptions::DEFAULT, config.synack_retries),
        PassiveOutcome::Transmit
    ));
    assert!(matches!(
        opening.on_segment(later, &config, &SocketOptions::DEFAULT, &ack.segment()),
        PassiveOutcome::Complete
    ));
    let (connection, _) = opening.into_connection(later, config, SocketOptions::default(), ack.segment());
    assert_eq!(connection.state(), State::Established);
}

#[test]
fn both_sides_opening_at_once_make_one_connection() {
    let config = Arc::new(Config::default());
    let mut now = Instant::from_secs(100);
    let open = |iss| Open { iss, ts_offset: iss, mtu_payload: 1_480, family: Family::V4 };
    let mut ends =
        [1_000u32, 5_000].map(|iss| Connection::connect(now, config.clone(), SocketOptions::default(), open(iss)));
    let mut states = [vec![], vec![]];
    for _ in 0..6 {
        let flight: Vec<Vec<Transmit>> =
            ends.iter_mut().map(|end| std::iter::from_fn(|| end.poll_transmit(now, 0)).collect()).collect();
        now += Duration::from_millis(10);
        for (to, sent) in [(1, &flight[0]), (0, &flight[1])] {
            for transmit in sent {
                for segment in common::segments_of(transmit, false) {
                    let _ = ends[to].on_segment(now, segment);
                }
            }
        }
        for (seen, end) in states.iter_mut().zip(&ends) {
            if seen.last() != Some(&end.state()) {
                seen.push(end.state());
            }
        }
    }
    assert_eq!(states, [[State::SynReceived, State::Established], [State::SynReceived, State::Established]]);
    let [a, b] = &mut ends;
    assert_eq!(a.send(now, b"over", SendFlags::empty()), Ok(4));
    let data = a.poll_transmit(now, 0).expect("data");
    let _ = b.on_segment(now, common::segments_of(&data, false).remove(0));
    assert_eq!(b.unread(), 4);
}

#[test]
fn an_old_duplicate_syn_is_reset_by_the_initiator_and_the_real_one_succeeds() {
    let mut world = World::new(6, Path::default(), Config::default());
    world.ends[0].app.half_close = false;
    world.ends[1].app.half_close = false;
    // The old duplicate reaches the listener first.
    let old = Transmit {
        header: TcpHeader { sequence: 90, flags: TcpFlags::SYN, window: 1_000, ..TcpHeader::default() },
        options: OptionBytes::EMPTY,
        payload: Chunks::new(),
        segment_size: 0,
        ecn: Ecn::NotEct,
        resent: 0,
        segmentation: segue_wire::SegmentationKind::Tcp,
    };
    world.put(0, old);
    assert!(
        world.run_until(Duration::from_secs(10), |world| { (0..2).all(|end| world.state(end) == State::Established) })
    );
    world.pass(Duration::from_secs(1));
    assert_eq!((world.state(0), world.state(1)), (State::Established, State::Established));
    let now = world.now;
    assert_eq!(world.connection(0).send(now, b"x", SendFlags::empty()), Ok(1));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.ends[1].app.received, 1);
}

#[test]
fn a_passive_open_screens_what_arrives() {
    let config = plain();
    type Change = fn(&mut Inject);
    type Check = fn(&PassiveOutcome) -> bool;
    let rows: [(&str, Change, Check); 9] = [
        ("the same SYN", |s| *s = syn(IRS), |o| matches!(o, PassiveOutcome::Transmit)),
        ("exact reset", |s| s.flags = TcpFlags::RST, |o| matches!(o, PassiveOutcome::Remove(DropReason::Reset))),
        (
            "reset inside the window",
            |s| {
                s.flags = TcpFlags::RST;
                s.sequence = s.sequence.wrapping_add(5);
            },
            |o| matches!(o, PassiveOutcome::Reply(reply) if reply.header.flags == TcpFlags::ACK),
        ),
        (
            "reset outside",
            |s| {
                s.flags = TcpFlags::RST;
                s.sequence = s.sequence.wrapping_sub(5);
            },
            |o| matches!(o, PassiveOutcome::Drop(DropReason::InvalidReset)),
        ),
        (
            "wrong acknowledgment",
            |s| s.acknowledgment = s.acknowledgment.wrapping_add(1),
            |o| matches!(o, PassiveOutcome::Reply(reply) if reply.header.flags == TcpFlags::RST),
        ),
        ("no ACK", |s| s.flags = TcpFlags::PSH, |o| matches!(o, PassiveOutcome::Drop(DropReason::NoAck))),
        (
            "beyond the window",
            |s| s.sequence = s.sequence.wrapping_add(100_000),
            |o| matches!(o, PassiveOutcome::Reply(reply) if reply.header.flags == TcpFlags::ACK),
        ),
        (
            "another SYN in the window",
            |s| {
                let sequence = s.sequence.wrapping_add(100);
                *s = syn(sequence);
            },
            |o| matches!(o, PassiveOutcome::Overtaken(reset) if reset.header.flags.contains(TcpFlags::RST)),
        ),
        ("the ACK", |_| {}, |o| matches!(o, PassiveOutcome::Complete)),
    ];
    for (what, change, check) in rows {
        let (now, mut opening, syn_ack) = passive(&config, &SocketOptions::default(), &syn(IRS));
        let mut segment = third(&syn_ack);
        change(&mut segment);
        let outcome = opening.on_segment(now, &config, &SocketOptions::DEFAULT, &segment.segment());
        assert!(check(&outcome), "{what}: {outcome:?}");
    }
}

#[test]
fn icmp_errors_end_an_attempt_only_when_they_quote_our_syn() {
    for (quoted, ends) in [(ISS, true), (ISS.wrapping_add(1), false), (0, false)] {
        let mut peer = Peer::in_state(State::SynSent);
        let signal = IcmpSignal::Unreachable { hard: false, error: ConnError::HostUnreachable };
        let _ = peer.connection.on_icmp(peer.now, signal, quoted);
        assert_eq!(peer.connection.state() == State::Closed, ends, "{quoted}");
        assert_eq!(peer.connection.take_error(), ends.then_some(ConnError::HostUnreachable));
    }
}

#[test]
fn more_than_one_repeated_syn_costs_the_initial_window() {
    for (repetitions, expected) in [(0, 10), (1, 10), (2, 1)] {
        let mut peer = Peer::syn_sent(plain(), SocketOptions::default());
        let sent = peer.pass(Duration::from_millis(1_000 * repetitions + 1));
        assert_eq!(sent.len() as u64, repetitions);
        let mut syn_ack = peer.bare();
        syn_ack.flags |= TcpFlags::SYN;
        peer.inject(syn_ack);
        assert_eq!(peer.connection.info(peer.now).snd_cwnd, expected, "{repetitions} repetitions");
    }
}

#[test]
fn a_repeated_syn_without_timestamps_starts_with_a_timeout_of_three_seconds() {
    // RFC 6298 5.7.
    let mut peer = Peer::syn_sent(plain(), SocketOptions::default());
    peer.pass(Duration::from_millis(1_001));
    let mut syn_ack = peer.bare();
    syn_ack.flags |= TcpFlags::SYN;
    peer.inject(syn_ack);
    assert_eq!(peer.connection.info(peer.now).rto, 3_000_000);
}

#[test]
fn data_in_the_syn_ack_are_taken() {
    let mut peer = Peer::syn_sent(plain(), SocketOptions::default());
    let mut syn_ack = peer.bare();
    syn_ack.flags |= TcpFlags::SYN;
    syn_ack.payload = b"early".to_vec();
    peer.inject(syn_ack);
    assert_eq!(peer.read(), Ok(b"early".to_vec()));
    assert_eq!(peer.shown(), [". 0:0(0) ack 5"]);
}

#[test]
fn a_connection_that_is_being_opened_is_neither_writable_nor_readable() {
    let mut peer = Peer::in_state(State::SynSent);
    assert_eq!(peer.connection.readiness(), Ready::empty());
    assert_eq!(peer.write(1), Err(SendError::WouldBlock));
    assert_eq!(peer.read(), Err(RecvError::WouldBlock));
}

#[test]
fn a_bare_third_segment_waits_for_data_in_vain_only_as_long_as_defer_accept_says() {
    // Five seconds are three timeouts: 1, 2 and 4 s.
    let options = SocketOptions { defer_accept: DeferAccept::from_seconds(5), ..SocketOptions::default() };
    let config = Config::default();
    let (start, mut opening, syn_ack) = passive(&config, &options, &syn(IRS));
    let bare = third(&syn_ack);
    let is_dropped = |outcome| matches!(outcome, PassiveOutcome::Drop(DropReason::DeferAccept));
    assert!(is_dropped(opening.on_segment(start, &config, &options, &bare.segment())));
    // The SYN-ACK is repeated only when the time is nearly over.
    let mut sent = Vec::new();
    for _ in 0..3 {
        let now = opening.next_deadline().expect("a deadline");
        let outcome = opening.on_deadline(now, &config, &options, config.synack_retries);
        assert!(!matches!(outcome, PassiveOutcome::GiveUp));
        let left = opening.poll_transmit(now, &config).is_some();
        sent.push(((now - start).as_secs(), left));
        let expected = sent.len() < 3;
        assert_eq!(is_dropped(opening.on_segment(now, &config, &options, &bare.segment())), expected, "{sent:?}");
    }
    assert_eq!(sent, [(1, false), (3, false), (7, true)]);
    assert!(matches!(opening.on_segment(start, &config, &options, &bare.segment()), PassiveOutcome::Complete));
}

#[test]
fn text_or_a_fin_in_the_third_segment_ends_the_wait_for_data() {
    let options = SocketOptions { defer_accept: DeferAccept::from_seconds(5), ..SocketOptions::default() };
    let config = Config::default();
    for (payload, flags) in [(vec![1; 10], TcpFlags::ACK), (Vec::new(), TcpFlags::ACK | TcpFlags::FIN)] {
        let (now, mut opening, syn_ack) = passive(&config, &options, &syn(IRS));
        let third = Inject { payload, flags, ..third(&syn_ack) };
        assert!(matches!(opening.on_segment(now, &config, &options, &third.segment()), PassiveOutcome::Complete));
    }
}

#[test]
fn a_long_defer_accept_outlasts_the_retries_of_the_syn_ack_for_a_peer_that_answered() {
    let options = SocketOptions { defer_accept: DeferAccept::from_seconds(100), ..SocketOptions::default() };
    let config = Config::default();
    for (answered, lives) in [(true, 7), (false, 5)] {
        let (start, mut opening, syn_ack) = passive(&config, &options, &syn(IRS));
        if answered {
            let _ = opening.on_segment(start, &config, &options, &third(&syn_ack).segment());
        }
        let mut timeouts = 0;
        while let Some(now) = opening.next_deadline() {
            match opening.on_deadline(now, &config, &options, config.synack_retries) {
                PassiveOutcome::GiveUp => break,
                _ => timeouts += 1,
            }
            let _ = opening.poll_transmit(now, &config);
        }
        assert_eq!(timeouts, lives, "answered {answered}");
    }
}

#[test]
fn the_listener_s_syncnt_counts_its_syn_acks() {
    let options = SocketOptions { syn_cnt: Some(2), ..SocketOptions::default() };
    assert_eq!(PassiveOpen::retries(&Config::default(), &options), 2);
    assert_eq!(PassiveOpen::retries(&Config::default(), &SocketOptions::default()), 5);
}

#[test]
fn a_client_with_defer_accept_lets_its_third_segment_wait_for_data() {
    let options = SocketOptions { defer_accept: DeferAccept::from_seconds(1), ..SocketOptions::default() };
    for (options, expected) in [(options, Duration::from_millis(200)), (SocketOptions::default(), Duration::ZERO)] {
        let mut peer = Peer::syn_sent(plain(), options);
        peer.inject(Inject { flags: TcpFlags::SYN | TcpFlags::ACK, acknowledgment: ISS.wrapping_add(1), ..syn(IRS) });
        let sent: Vec<Duration> = peer.pass(Duration::from_secs(1)).iter().map(|(after, _)| *after).collect();
        assert_eq!(sent, [expected]);
    }
}

/// As Linux: the reset has just ended the old half that answered, so the next SYN need not wait a second; once.
#[test]
fn an_unacceptable_answer_is_reset_and_the_syn_repeated_at_once() {
    for flags in [TcpFlags::ACK, TcpFlags::SYN | TcpFlags::ACK, TcpFlags::RST | TcpFlags::ACK] {
        let mut peer = Peer::syn_sent(plain(), SocketOptions::default());
        let mut answer = peer.bare();
        (answer.flags, answer.acknowledgment) = (flags, ISS.wrapping_add(5_000));
        peer.inject(answer.clone());
        let mut expected = if flags.contains(TcpFlags::RST) { vec![] } else { vec!["R 4999:4999(0)"] };
        expected.push("S -1:-1(0)");
        let soon = peer.pass(Duration::from_millis(2));
        assert_eq!(soon.iter().map(|(_, sent)| show(sent)).collect::<Vec<_>>(), expected, "{flags:?}");
        // The second time it waits as it would anyway.
        peer.inject(answer);
        let later = peer.pass(Duration::from_millis(990));
        assert_eq!(later.len(), expected.len() - 1, "{flags:?}");
        assert_eq!(peer.pass(Duration::from_millis(20)).len(), 1, "{flags:?}");
    }
}

/// As Linux (PAWSActive): the answer to a SYN of an earlier incarnation, by its echo.
#[test]
fn an_answer_that_echoes_what_was_never_sent_is_reset() {
    let config = Config { window_scaling: false, timestamps: Timestamping::NoOffset, ..Config::default() };
    let now = 100_000;
    for (echo, opens) in [(now - 1, false), (now, true), (now + 50, true), (now + 51, false), (0, true)] {
        let mut peer = Peer::syn_sent(config.clone(), SocketOptions::default());
        peer.pass(Duration::from_millis(50));
        let mut answer = peer.bare();
        answer.flags |= TcpFlags::SYN;
        answer.options.timestamps = Some(Timestamps { value: 7, echo });
        let seen = peer.inject(answer);
        let (state, drop, reply) = match opens {
            true => (State::Established, None, ". 0:0(0) ack 0"),
            false => (State::SynSent, Some(DropReason::StaleEcho), "R 0:0(0)"),
        };
        assert_eq!((peer.connection.state(), seen.drop), (state, drop), "{echo}");
        assert_eq!(peer.shown(), [reply], "{echo}");
    }
}

/// As Linux: the SYN of the answer was taken before, and whoever repeats it has not seen our SYN-ACK.
#[test]
fn the_syn_ack_that_ends_a_simultaneous_open_is_acknowledged() {
    let mut peer = Peer::in_state(State::SynReceived);
    let mut syn_ack = peer.bare();
    (syn_ack.flags, syn_ack.sequence) = (TcpFlags::SYN | TcpFlags::ACK, IRS);
    peer.inject(syn_ack);
    assert_eq!(peer.connection.state(), State::Established);
    assert_eq!(peer.shown(), [". 0:0(0) ack 0"]);
}

/// What SYN-RECEIVED acknowledges tells the window in whole steps, which is more than the SYN had offered. Found by fuzzing.
#[test]
fn the_window_told_while_both_open_is_not_taken_back_by_its_scale() {
    let config = Config { window_scaling: true, rmem: [4_096, 131_072, 1 << 20], ..plain() };
    let mut peer = Peer::syn_sent(config, SocketOptions::default());
    let mut crossing = syn(IRS);
    crossing.options.window_scale = Some(3);
    peer.inject(crossing);
    assert_eq!((peer.connection.state(), peer.sent().len()), (State::SynReceived, 1));
    peer.seq = IRS.wrapping_add(1);
    let mut beyond = peer.bare();
    beyond.sequence = peer.seq.wrapping_add(100_000);
    peer.inject(beyond);
    let mut edge = 0;
    // Half a step at a time, of segments so small that their overhead takes what the window would grow by.
    for _ in 0..60 {
        for ack in peer.sent() {
            let told = ack.header.acknowledgment.wrapping_add(u32::from(ack.header.window) << 5);
            assert!(edge <= told, "{edge} was told, and now {told}: {:?}", ack.header);
            edge = told;
        }
        let text = peer.text(16);
        peer.inject(text);
    }
    assert_eq!((peer.connection.state(), peer.connection.info(peer.now).rcv_wscale), (State::Established, 5));
    assert!(edge > IRS);
}
