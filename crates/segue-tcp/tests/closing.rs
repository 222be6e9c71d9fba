//! How connections end: in order, by halves, by reset, and when nobody answers.

mod common;

use std::time::Duration;

use common::peer::*;
use common::*;
use segue_tcp::*;

/// Both ends of a world close when they have nothing more to say; the states they pass through.
fn states_until_closed(world: &mut World) -> [Vec<State>; 2] {
    let mut seen = [Vec::new(), Vec::new()];
    world.run_until(Duration::from_secs(200), |world| {
        for (end, seen) in seen.iter_mut().enumerate() {
            let state = world.state(end);
            if seen.last() != Some(&state) {
                seen.push(state);
            }
        }
        seen.iter().all(|seen| seen.last() == Some(&State::Closed))
    });
    seen
}

#[test]
fn four_segments_close_one_direction_after_the_other() {
    use State::*;
    let mut world = established(1, Path::default(), Config::default());
    let now = world.now;
    let _ = world.connection(0).shutdown_write(now);
    world.pass(Duration::from_millis(100));
    assert_eq!((world.state(0), world.state(1)), (FinWait2, CloseWait));
    let now = world.now;
    let _ = world.connection(1).shutdown_write(now);
    let [first, second] = states_until_closed(&mut world);
    assert_eq!(first, [FinWait2, TimeWait, Closed]);
    assert_eq!(second, [LastAck, Closed]);
}

#[test]
fn both_closing_at_once_go_through_closing_to_time_wait() {
    use State::*;
    let mut world = established(2, Path::default(), Config::default());
    let now = world.now;
    let _ = world.connection(0).shutdown_write(now);
    let _ = world.connection(1).shutdown_write(now);
    for seen in states_until_closed(&mut world) {
        assert_eq!(seen, [FinWait1, Closing, TimeWait, Closed]);
    }
}

#[test]
fn a_half_closed_connection_still_carries_the_other_direction() {
    for (closer, path) in [(0, Path::default()), (1, Path { loss: 100, duplicate: 50, reorder: 50, ..Path::default() })]
    {
        let mut world = established(3 + closer as u64, path, Config::default());
        world.ends[closer].app.half_close = true;
        world.run_until(Duration::from_secs(60), |world| world.state(closer) == State::FinWait2);
        assert_eq!(world.state(1 - closer), State::CloseWait);
        let other = &mut world.ends[1 - closer].app;
        (other.to_send, other.half_close) = (300_000, true);
        assert!(world.run_until(Duration::from_secs(300), |world| world.is_complete()), "closer {closer}");
        world.assert_intact("the open half");
    }
}

#[test]
fn a_reader_drains_everything_before_end_of_file_even_after_the_connection_is_gone() {
    let mut world = established(5, Path::default(), Config::default());
    world.ends[1].app.read_from = world.now + Duration::from_secs(600);
    let sender = &mut world.ends[0].app;
    (sender.to_send, sender.half_close) = (40_000, true);
    world.pass(Duration::from_secs(2));
    let now = world.now;
    let _ = world.connection(1).shutdown_write(now);
    world.pass(Duration::from_secs(120));
    // LAST-ACK is over, and so is the other end's TIME-WAIT; the data are still there.
    assert_eq!((world.state(0), world.state(1)), (State::Closed, State::Closed));
    assert_eq!(world.connection(1).unread(), 40_000);
    let ready = world.connection(1).readiness();
    assert!(ready.contains(Ready::IN | Ready::HUP | Ready::RDHUP));
    world.ends[1].app.read_from = world.now;
    world.run_until(Duration::from_secs(1), |world| world.ends[1].app.eof);
    world.assert_intact("after the end");
}

#[test]
fn time_wait_never_drops_unread_data() {
    let mut peer = Peer::in_state(State::FinWait2);
    let mut last = peer.text(500);
    last.flags |= TcpFlags::FIN;
    peer.inject(last);
    assert_eq!(peer.connection.state(), State::TimeWait);
    assert!(peer.connection.take_time_wait().is_some());
    // The acknowledgment of the FIN leaves all the same.
    assert_eq!(peer.shown(), [". 1:1(0) ack 501"]);
    peer.pass(Duration::from_secs(100));
    assert_eq!(peer.read().map(|data| data.len()), Ok(500));
    assert_eq!(peer.read(), Ok(vec![]));
}

#[test]
fn time_wait_lasts_sixty_seconds_and_a_repeated_fin_starts_it_over() {
    let mut peer = Peer::in_state(State::TimeWait);
    peer.pass(Duration::from_secs(59));
    assert_eq!(peer.connection.state(), State::TimeWait);
    let mut fin = peer.bare();
    fin.flags |= TcpFlags::FIN;
    fin.sequence = peer.seq.wrapping_sub(1);
    peer.inject(fin);
    assert_eq!(peer.shown(), [". 1:1(0) ack 1"]);
    peer.pass(Duration::from_secs(59));
    assert_eq!(peer.connection.state(), State::TimeWait);
    peer.pass(Duration::from_secs(2));
    assert_eq!(peer.connection.state(), State::Closed);
}

fn time_wait(mut peer: Peer) -> (Peer, TimeWait) {
    let entry = peer.connection.take_time_wait().expect("a TIME-WAIT entry");
    (peer, entry)
}

#[test]
fn a_new_syn_beyond_the_old_numbers_takes_over_from_time_wait() {
    let config = plain();
    for (offset, fresh) in [(1, true), (1_000_000, true), (0, false), (u32::MAX, false)] {
        let (peer, mut entry) = time_wait(Peer::in_state(State::TimeWait));
        let mut syn = peer.bare();
        (syn.flags, syn.acknowledgment) = (TcpFlags::SYN, 0);
        syn.sequence = peer.seq.wrapping_add(offset);
        match entry.on_segment(peer.now, &config, &syn.segment()) {
            TimeWaitOutcome::NewSyn { iss_floor } if fresh => {
                assert!(iss_floor.wrapping_sub(ISS) > 1, "the new connection's numbers lie above the old one's");
            }
            TimeWaitOutcome::Ack(_) if !fresh => {}
            other => panic!("SYN at {offset}: {other:?}"),
        }
    }
}

#[test]
fn a_new_syn_with_a_newer_timestamp_takes_over_whatever_its_number() {
    // RFC 6191 section 2.
    let config = Config::default();
    for (value, fresh) in [(1_001, true), (1_000, false), (900, false)] {
        let mut peer = Peer::stamped(1_000);
        let now = peer.now;
        let _ = peer.connection.shutdown_write(now);
        peer.sent();
        peer.ack = peer.ack.wrapping_add(1);
        let mut fin = peer.bare();
        fin.flags |= TcpFlags::FIN;
        peer.inject(fin);
        let mut entry = peer.connection.take_time_wait().expect("an entry");
        peer.stamp = Some(value);
        let mut syn = peer.bare();
        (syn.flags, syn.acknowledgment) = (TcpFlags::SYN, 0);
        syn.sequence = peer.seq.wrapping_sub(50_000);
        let outcome = entry.on_segment(peer.now, &config, &syn.segment());
        assert_eq!(matches!(outcome, TimeWaitOutcome::NewSyn { .. }), fresh, "{value}: {outcome:?}");
    }
}

#[test]
fn resets_end_time_wait_only_without_rfc1337() {
    for (rfc1337, removed) in [(false, true), (true, false)] {
        let (peer, mut entry) = time_wait(Peer::in_state(State::TimeWait));
        let config = Config { rfc1337, ..plain() };
        let mut reset = peer.bare();
        reset.flags = TcpFlags::RST;
        let outcome = entry.on_segment(peer.now, &config, &reset.segment());
        assert_eq!(matches!(outcome, TimeWaitOutcome::Remove), removed, "{outcome:?}");
    }
}

#[test]
fn closing_with_unread_data_resets() {
    let mut peer = Peer::established();
    let text = peer.text(10);
    peer.inject(text);
    peer.sent();
    let now = peer.now;
    let outcome = peer.connection.close(now);
    assert!(outcome.events.contains(Events::CLOSED));
    assert_eq!(peer.shown(), ["R. 0:0(0) ack 10"]);
    assert_eq!(peer.connection.state(), State::Closed);
}

#[test]
fn closing_after_everything_was_read_sends_a_fin() {
    let mut peer = Peer::established();
    let text = peer.text(10);
    peer.inject(text);
    assert_eq!(peer.read().map(|data| data.len()), Ok(10));
    peer.sent();
    let now = peer.now;
    let _ = peer.connection.close(now);
    assert_eq!(peer.shown(), ["F. 0:0(0) ack 10"]);
}

#[test]
fn linger_zero_resets_at_once_and_leaves_no_time_wait() {
    let options = SocketOptions { linger: Linger::On(Duration::ZERO), ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), options);
    assert_eq!(peer.write(5_000), Ok(5_000));
    peer.sent();
    let now = peer.now;
    let outcome = peer.connection.close(now);
    assert!(!outcome.events.contains(Events::TIME_WAIT));
    assert_eq!(peer.shown(), ["R. 5000:5000(0) ack 0"]);
    assert_eq!(peer.connection.state(), State::Closed);
}

#[test]
fn text_for_a_reader_that_has_gone_is_reset() {
    for state in [State::FinWait1, State::FinWait2] {
        let mut peer = Peer::in_state(state);
        let now = peer.now;
        let _ = peer.connection.close(now);
        peer.sent();
        let text = peer.text(10);
        let number = text.acknowledgment.wrapping_sub(ISS.wrapping_add(1));
        let outcome = peer.inject(text);
        assert_eq!(outcome.drop, Some(DropReason::AfterClose));
        // As Linux: the reset of a segment that belongs to nobody.
        assert_eq!(peer.shown(), [format!("R {number}:{number}(0)")], "{state}");
        assert_eq!(peer.connection.state(), State::Closed);
    }
}

#[test]
fn an_orphan_waits_for_the_peers_fin_for_the_fin_timeout() {
    for (option, expected) in [(None, 60), (Some(0), 60), (Some(7), 7), (Some(90), 90)] {
        let options = SocketOptions { fin_timeout: option, ..SocketOptions::default() };
        let mut peer = Peer::established_with(plain(), options);
        let now = peer.now;
        let _ = peer.connection.close(now);
        peer.sent();
        peer.ack = peer.ack.wrapping_add(1);
        peer.inject(peer.bare());
        assert_eq!(peer.connection.state(), State::FinWait2);
        peer.pass(Duration::from_secs(expected) - Duration::from_millis(1));
        assert_eq!(peer.connection.state(), State::FinWait2, "{option:?}");
        peer.pass(Duration::from_millis(2));
        assert_eq!(peer.connection.state(), State::Closed, "{option:?}");
    }
}

#[test]
fn a_held_connection_in_fin_wait_2_waits_for_ever() {
    let mut peer = Peer::in_state(State::FinWait2);
    peer.pass(Duration::from_secs(100_000));
    assert_eq!(peer.connection.state(), State::FinWait2);
}

#[test]
fn linger2_below_zero_does_not_wait_at_all() {
    let options = SocketOptions { fin_timeout: Some(-1), ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), options);
    let now = peer.now;
    let _ = peer.connection.close(now);
    peer.sent();
    peer.ack = peer.ack.wrapping_add(1);
    peer.inject(peer.bare());
    assert_eq!(peer.connection.state(), State::Closed);
    assert_eq!(peer.shown(), ["R 1:1(0)"]);
}

#[test]
fn an_orphan_that_nobody_answers_gives_up_after_eight_timeouts() {
    let mut peer = Peer::established();
    assert_eq!(peer.write(100), Ok(100));
    let now = peer.now;
    let _ = peer.connection.close(now);
    let sent = peer.pass(Duration::from_secs(400));
    assert_eq!(peer.connection.state(), State::Closed);
    let last = sent.last().map(|(at, _)| at.as_secs()).unwrap_or(0);
    // 0.2 s doubling eight times: 102.2 s of patience.
    assert!((25..=110).contains(&last), "the last retransmission left after {last} s");
}

#[test]
fn the_application_can_tell_the_end_of_file_from_a_reset() {
    let mut peer = Peer::in_state(State::CloseWait);
    assert_eq!(peer.read(), Ok(vec![]));
    let mut peer = Peer::established();
    let mut reset = peer.bare();
    reset.flags = TcpFlags::RST;
    peer.inject(reset);
    assert!(peer.connection.readiness().contains(Ready::ERR | Ready::HUP | Ready::IN));
    assert_eq!(peer.read(), Err(RecvError::Failed(ConnError::Reset)));
    assert_eq!(peer.read(), Ok(vec![]), "the error is told once");
    assert_eq!(peer.write(1), Err(SendError::BrokenPipe));
}

#[test]
fn what_was_received_before_a_reset_can_still_be_read() {
    let mut peer = Peer::established();
    let text = peer.text(10);
    peer.inject(text);
    let mut reset = peer.bare();
    reset.flags = TcpFlags::RST;
    peer.inject(reset);
    assert_eq!(peer.read().map(|data| data.len()), Ok(10));
    assert_eq!(peer.read(), Err(RecvError::Failed(ConnError::Reset)));
}

#[test]
fn writing_after_shutdown_is_a_broken_pipe() {
    let mut peer = Peer::in_state(State::FinWait1);
    assert_eq!(peer.write(1), Err(SendError::BrokenPipe));
}

#[test]
fn shutting_down_reading_sends_nothing_and_data_stay_readable() {
    let mut peer = Peer::established();
    let text = peer.text(10);
    peer.inject(text);
    peer.sent();
    let now = peer.now;
    let _ = peer.connection.shutdown_read(now);
    assert_eq!(peer.shown(), [] as [&str; 0]);
    assert!(peer.connection.readiness().contains(Ready::RDHUP | Ready::IN));
    assert_eq!(peer.read().map(|data| data.len()), Ok(10));
    assert_eq!(peer.read(), Ok(vec![]));
    let text = peer.text(5);
    peer.inject(text);
    assert_eq!(peer.read().map(|data| data.len()), Ok(5), "as on Linux, what still comes can be read");
}

#[test]
fn a_fin_out_of_order_is_remembered_until_the_gap_is_filled() {
    let mut peer = Peer::established();
    let first = peer.text(100);
    let mut second = peer.text(50);
    second.flags |= TcpFlags::FIN;
    peer.inject(second);
    assert_eq!(peer.connection.state(), State::Established);
    let outcome = peer.inject(first);
    assert_eq!(peer.connection.state(), State::CloseWait);
    assert!(outcome.events.contains(Events::PEER_CLOSED));
    assert_eq!(peer.read().map(|data| data.len()), Ok(150));
    assert_eq!(peer.shown().last().map(String::as_str), Some(". 0:0(0) ack 151"));
}

#[test]
fn a_bare_fin_out_of_order_is_remembered_too() {
    let mut peer = Peer::established();
    let first = peer.text(100);
    let mut fin = peer.bare();
    fin.flags |= TcpFlags::FIN;
    peer.inject(fin);
    assert_eq!(peer.connection.state(), State::Established);
    peer.inject(first);
    assert_eq!(peer.connection.state(), State::CloseWait);
}

#[test]
fn text_behind_a_fin_is_never_delivered() {
    let mut peer = Peer::established();
    let first = peer.text(100);
    let mut fin = peer.bare();
    fin.flags |= TcpFlags::FIN;
    peer.inject(fin);
    let behind = peer.text(60);
    let outcome = peer.inject(behind);
    assert_eq!(outcome.drop, Some(DropReason::BehindFin));
    peer.inject(first);
    assert_eq!(peer.connection.state(), State::CloseWait);
    assert_eq!(peer.read().map(|data| data.len()), Ok(100));
}

#[test]
fn last_ack_still_takes_window_updates() {
    let mut peer = Peer::in_state(State::CloseWait);
    peer.window = 0;
    peer.inject(peer.bare());
    assert_eq!(peer.write(3_000), Ok(3_000));
    let now = peer.now;
    let _ = peer.connection.shutdown_write(now);
    assert_eq!(peer.connection.state(), State::LastAck);
    assert_eq!(peer.sent().len(), 0);
    peer.window = 10_000;
    peer.inject(peer.bare());
    let sent = peer.sent();
    assert_eq!(sent.iter().map(|transmit| transmit.payload.len()).sum::<usize>(), 3_000);
    assert!(sent.last().is_some_and(|transmit| transmit.header.flags.contains(TcpFlags::FIN)));
}

#[test]
fn aborting_resets_and_tells_nobody_of_an_error() {
    let mut peer = Peer::established();
    let now = peer.now;
    let _ = peer.connection.abort(now);
    assert_eq!(peer.shown(), ["R. 0:0(0) ack 0"]);
    assert_eq!(peer.connection.take_error(), None);
}

#[test]
fn giving_up_before_the_handshake_is_over_sends_nothing() {
    for close in [true, false] {
        let mut peer = Peer::in_state(State::SynSent);
        let now = peer.now;
        let _ = if close { peer.connection.close(now) } else { peer.connection.shutdown_write(now) };
        assert_eq!(peer.connection.state(), State::Closed);
        assert_eq!(peer.shown(), [] as [&str; 0]);
    }
}

#[test]
fn closing_during_a_simultaneous_open_sends_the_fin_after_the_handshake() {
    let mut peer = Peer::in_state(State::SynReceived);
    let now = peer.now;
    let _ = peer.connection.close(now);
    assert_eq!(peer.connection.state(), State::FinWait1);
    peer.inject(peer.bare());
    assert_eq!(peer.connection.state(), State::FinWait1);
    assert_eq!(peer.shown(), ["F. 0:0(0) ack 0"]);
}

#[test]
fn the_numbers_of_a_connection_are_kept_until_its_application_goes() {
    let mut peer = Peer::sending(1_500);
    peer.ack = peer.ack.wrapping_add(1_000);
    let text = peer.text(100);
    peer.inject(text);
    let before = peer.connection.info(peer.now);
    let mut reset = peer.bare();
    reset.flags = TcpFlags::RST;
    peer.inject(reset);
    peer.pass(Duration::from_millis(70));
    let after = peer.connection.info(peer.now);
    assert_eq!(
        (before.unacked, before.bytes_received, before.bytes_acked),
        (1, 100, 1_001),
        "our SYN counts as a byte"
    );
    let expected =
        Info { state: State::Closed, unacked: 0, last_data_recv: 70, last_data_sent: 70, last_ack_recv: 70, ..before };
    assert_eq!(after, Info { segs_in: before.segs_in + 1, ..expected });
}
