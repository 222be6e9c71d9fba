//! What is acknowledged when, what the window says, what a reader gets, what memory it costs.

mod common;

use std::time::Duration;

use common::peer::*;
use common::{Path, World, established};
use segue_tcp::*;

const MS: Duration = Duration::from_millis(1);

/// An established connection past its quick start: acknowledgments are delayed.
fn calm() -> Peer {
    let mut peer = Peer::established();
    for _ in 0..40 {
        let text = peer.text(1_000);
        peer.inject(text);
        let _ = peer.read();
        peer.sent();
    }
    peer
}

fn acks(sent: &[Transmit]) -> usize {
    sent.iter().filter(|transmit| transmit.payload.is_empty()).count()
}

#[test]
fn the_first_segments_are_acknowledged_at_once() {
    let mut peer = Peer::established();
    for i in 1..=8 {
        let text = peer.text(1_000);
        peer.inject(text);
        assert_eq!(peer.shown(), [format!(". 0:0(0) ack {}", i * 1_000)]);
    }
}

#[test]
fn later_every_second_full_segment_is_acknowledged_at_once() {
    let mut peer = calm();
    let counts: Vec<usize> = (0..6)
        .map(|_| {
            // Without PSH, or reading it would have it acknowledged.
            let text = Inject { flags: TcpFlags::ACK, ..peer.text(1_000) };
            peer.inject(text);
            let _ = peer.read();
            peer.sent().len()
        })
        .collect();
    assert_eq!(counts, [0, 1, 0, 1, 0, 1]);
}

#[test]
fn a_single_segment_is_acknowledged_within_200_ms() {
    let mut peer = calm();
    let text = peer.text(1_000);
    peer.inject(text);
    let sent = peer.pass(Duration::from_secs(1));
    assert_eq!(sent.len(), 1);
    assert!((40 * MS..=200 * MS).contains(&sent[0].0), "after {:?}", sent[0].0);
}

#[test]
fn a_super_segment_counts_as_the_segments_inside() {
    let mut peer = calm();
    let mut text = peer.text(5_000);
    text.segment_size = Some(1_000);
    peer.inject(text);
    let _ = peer.read();
    assert_eq!(peer.sent().len(), 1, "five segments are more than two");
}

#[test]
fn the_acknowledgment_rides_on_data_that_leave_anyway() {
    let mut peer = calm();
    let text = peer.text(10);
    peer.inject(text);
    peer.write(20).expect("room");
    let sent = peer.sent();
    assert_eq!((sent.len(), acks(&sent)), (1, 0));
    assert_eq!(sent[0].header.acknowledgment, peer.seq);
    assert!(peer.pass(Duration::from_millis(190)).is_empty(), "nothing is owed any more");
}

#[test]
fn each_out_of_order_segment_gets_its_own_duplicate_and_filling_the_gap_one_at_once() {
    let mut peer = calm();
    let base = peer.seq.wrapping_sub(IRS.wrapping_add(1));
    let missing = peer.text(1_000);
    let behind: Vec<Inject> = (0..4).map(|_| peer.text(1_000)).collect();
    for text in behind.clone() {
        peer.inject(text);
    }
    // All four arrived before anything could leave; still four duplicates.
    assert_eq!(peer.shown(), vec![format!(". 0:0(0) ack {base}"); 4]);
    peer.inject(missing);
    assert_eq!(peer.shown(), [format!(". 0:0(0) ack {}", base + 5_000)]);
    let outcome = peer.inject(behind[0].clone());
    assert_eq!(outcome.drop, Some(DropReason::OldSequence));
    assert_eq!(peer.sent().len(), 1, "an old duplicate is acknowledged at once");
}

#[test]
fn data_that_leave_carry_one_duplicate_and_swallow_no_other() {
    let mut peer = calm();
    peer.text(1_000);
    for _ in 0..3 {
        let text = peer.text(1_000);
        peer.inject(text);
    }
    peer.write(100).expect("room");
    let sent = peer.sent();
    assert_eq!((sent.len(), acks(&sent)), (3, 2));
}

#[test]
fn reading_a_small_pushed_segment_without_answering_acknowledges_it() {
    let mut peer = calm();
    let text = peer.text(10);
    peer.inject(text);
    assert_eq!(peer.sent().len(), 0);
    let _ = peer.read();
    assert_eq!(peer.sent().len(), 1);
}

#[test]
fn quickack_acknowledges_what_is_delayed_now() {
    let mut peer = calm();
    let text = Inject { flags: TcpFlags::ACK, ..peer.text(1_000) };
    peer.inject(text);
    let _ = peer.read();
    assert_eq!(peer.sent().len(), 0);
    let now = peer.now;
    let _ = peer.connection.set_options(now, SocketOptions { quickack: Some(true), ..SocketOptions::default() });
    assert_eq!(peer.sent().len(), 1);
}

#[test]
fn a_full_buffer_shuts_the_window_and_reading_opens_it_with_an_update() {
    let options = SocketOptions { rcvbuf: Some(16_000), ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), options);
    let mut window = peer.connection.info(peer.now).rcv_wnd;
    let mut total = 0;
    while window > 0 {
        let n = window.min(1_000) as usize;
        let text = peer.text(n);
        peer.inject(text);
        total += n;
        peer.pass(250 * MS);
        window = peer.connection.info(peer.now).rcv_wnd;
        assert!(total < 100_000, "the window never shuts");
    }
    // The peer probes with a byte: not taken, acknowledged, window still shut.
    let mut probe = peer.bare();
    probe.payload = vec![1];
    let outcome = peer.inject(probe);
    assert_eq!(outcome.drop, Some(DropReason::BeyondWindow));
    let sent = peer.sent();
    assert_eq!((sent.len(), sent[0].header.window), (1, 0));
    // A small read is not worth an update (receiver's silly-window avoidance), a large one is.
    let mut few = [0; 100];
    let now = peer.now;
    assert_eq!(peer.connection.recv(now, &mut few), Ok(100));
    assert_eq!(peer.sent().len(), 0);
    let rest = peer.read().map(|data| data.len());
    assert_eq!(rest, Ok(total - 100));
    let sent = peer.sent();
    assert_eq!(sent.len(), 1, "the peer must hear of the room");
    // As on Linux no more than twice the largest segment after an overflow, until the sender has shown that it uses it.
    assert!((2_000..=3_000).contains(&sent[0].header.window), "{}", sent[0].header.window);
}

#[test]
fn an_old_timestamp_is_refused_and_answered_but_not_on_a_reset() {
    let mut peer = Peer::stamped(1_000);
    peer.stamp = Some(2_000);
    let text = peer.text(10);
    peer.inject(text);
    let _ = peer.read();
    peer.sent();
    peer.stamp = Some(1_500);
    let old = peer.text(10);
    let outcome = peer.inject(old);
    assert_eq!(outcome.drop, Some(DropReason::Paws));
    assert_eq!(peer.connection.unread(), 0);
    assert_eq!(peer.sent().len(), 1);
    let mut reset = peer.bare();
    reset.sequence = peer.seq.wrapping_sub(10);
    reset.flags = TcpFlags::RST;
    peer.inject(reset);
    assert_eq!(peer.connection.state(), State::Closed);
}

#[test]
fn the_timestamp_echoed_is_that_of_the_segment_that_advanced_the_window() {
    // RFC 7323 section 4.3: a segment beyond a gap does not change TS.Recent.
    let mut peer = Peer::stamped(1_000);
    let echo = |peer: &mut Peer| {
        let sent = peer.sent();
        sent.last().map(|transmit| TcpOptions::parse(&transmit.options).timestamps.map(|stamp| stamp.echo))
    };
    peer.stamp = Some(1_010);
    let first = peer.text(100);
    peer.inject(first);
    assert_eq!(echo(&mut peer), Some(Some(1_010)));
    peer.stamp = Some(1_020);
    let missing = peer.text(100);
    peer.stamp = Some(1_030);
    let behind = peer.text(100);
    peer.inject(behind);
    assert_eq!(echo(&mut peer), Some(Some(1_010)));
    peer.inject(missing);
    assert_eq!(echo(&mut peer), Some(Some(1_020)));
}

#[test]
fn a_timestamp_of_an_overtaken_acknowledgment_counts_only_if_nothing_else_is_new_in_it() {
    // Linux's slow path looks at the number first, its header prediction does not.
    let mut peer = Peer::stamped(1_000);
    peer.write(2_000).expect("room");
    peer.sent();
    let old = peer.ack;
    peer.ack = old.wrapping_add(900);
    let ack = peer.bare();
    peer.inject(ack);
    peer.sent();
    let mut overtaken = |stamp: u32, window: u16| {
        peer.stamp = Some(stamp);
        let mut ack = peer.bare();
        (ack.acknowledgment, ack.window) = (old, window);
        peer.inject(ack);
        peer.write(1_000).expect("room");
        let sent = peer.sent();
        sent.last().and_then(|transmit| TcpOptions::parse(&transmit.options).timestamps).map(|stamp| stamp.echo)
    };
    assert_eq!(overtaken(1_010, 50_000), Some(1_000), "another window");
    assert_eq!(overtaken(1_020, 60_000), Some(1_020), "just what was expected");
}

#[test]
fn an_idle_connection_owns_no_buffer() {
    let mut world = established(1, Path::default(), Config::default());
    for end in 0..2 {
        world.ends[end].app.to_send = 500_000;
    }
    world.run_until(Duration::from_secs(60), |world| (0..2).all(|end| world.ends[end].app.received == 500_000));
    world.pass(Duration::from_secs(2));
    for end in 0..2 {
        assert_eq!(world.connection(end).memory(), 0, "end {end}");
        assert_eq!(world.state(end), State::Established);
    }
}

#[test]
fn a_reader_that_does_not_read_holds_no_more_than_its_buffer() {
    for size in [1, 10, 100, 600, 1_448] {
        let options = SocketOptions { rcvbuf: Some(50_000), ..SocketOptions::default() };
        let mut peer = Peer::established_with(plain(), options);
        let mut taken = 0;
        for _ in 0..100_000 / size {
            if peer.connection.info(peer.now).rcv_wnd < size as u32 {
                break;
            }
            let text = peer.text(size);
            // The payload is a small part of a large buffer.
            let mut segment = text.segment();
            let mut large = vec![0; 4_000];
            large[..size].copy_from_slice(&text.payload);
            segment.payload = segue_wire::Bytes::from(large).slice(..size).into();
            let now = peer.now;
            let _ = peer.connection.on_segment(now, segment);
            taken += size;
            peer.pass(250 * MS);
        }
        let memory = peer.connection.memory();
        assert!(memory <= 50_000 + 5_000, "{memory} bytes held for {taken} in segments of {size}");
        assert!(taken >= 15_000, "only {taken} bytes in segments of {size}");
    }
}

#[test]
fn out_of_order_data_are_pruned_under_pressure_and_nothing_is_lost_but_time() {
    let options = SocketOptions { rcvbuf: Some(20_000), ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), options);
    let first = peer.text(1);
    let base = peer.seq;
    let mut pieces = Vec::new();
    // One byte in two: every piece a run of its own.
    for i in 0..4_000u32 {
        peer.seq = base.wrapping_add(2 * i);
        pieces.push(peer.text(1));
    }
    let mut pruned = 0;
    for piece in &pieces {
        let outcome = peer.inject(piece.clone());
        pruned += usize::from(outcome.drop == Some(DropReason::OutOfMemory));
        peer.sent();
        let memory = peer.connection.memory();
        assert!(memory <= 22_000, "{memory} bytes held");
    }
    assert!(pruned > 0, "it never came under pressure");
    peer.inject(first);
    assert_eq!(peer.connection.unread(), 2);
}

#[test]
fn autotuning_opens_the_window_for_a_long_fat_path_and_a_pinned_buffer_does_not() {
    for (pinned, at_least, at_most) in [(None, 4_000_000, u64::MAX), (Some(100_000), 0, 110_000)] {
        let mut world = World::new(2, Path { whole: true, ..Path::default() }, Config::default());
        world.ends[1].options.rcvbuf = pinned;
        world.ends[0].max_payload = 65_000;
        world.ends[0].app.to_send = 32 << 20;
        world.run_until(Duration::from_millis(300), |world| world.is_complete());
        let now = world.now;
        let window = u64::from(world.connection(1).info(now).rcv_wnd);
        assert!((at_least..=at_most).contains(&window), "pinned {pinned:?}: {window}");
    }
}

#[test]
fn sixty_four_megabytes_over_twenty_milliseconds_are_not_held_up_by_the_window() {
    let mut world = World::new(2, Path { whole: true, ..Path::default() }, Config::default());
    world.ends[0].max_payload = 65_000;
    world.ends[0].app.to_send = 64 << 20;
    let start = world.now;
    assert!(world.run_until(Duration::from_secs(5), |world| world.is_complete()));
    world.assert_intact("64 MiB");
    // Slow start takes nine round trips to the send buffer of 4 MiB, the rest sixteen more.
    assert!(world.now - start < Duration::from_millis(650), "{:?}", world.now - start);
}

fn urgent(peer: &mut Peer, len: usize, pointer: u16) -> Inject {
    let mut text = peer.text(len);
    text.flags |= TcpFlags::URG;
    text.urgent = pointer;
    text
}

#[test]
fn the_urgent_byte_is_read_out_of_band_and_skipped_in_the_stream() {
    let mut peer = Peer::established();
    let text = urgent(&mut peer, 10, 5);
    let bytes = text.payload.clone();
    let outcome = peer.inject(text);
    assert!(outcome.events.contains(Events::URGENT | Events::READABLE));
    assert!(peer.connection.readiness().contains(Ready::PRI));
    let now = peer.now;
    assert_eq!(peer.connection.recv_urgent(now, false), Ok(Some(bytes[4])));
    assert_eq!(peer.connection.recv_urgent(now, true), Ok(Some(bytes[4])));
    assert_eq!(peer.connection.recv_urgent(now, true), Err(RecvError::NoUrgentData));
    assert!(!peer.connection.at_mark());
    assert_eq!(peer.read(), Ok(bytes[..4].to_vec()), "a read stops at the mark");
    assert!(peer.connection.at_mark());
    assert_eq!(peer.read(), Ok(bytes[5..].to_vec()));
}

#[test]
fn in_line_the_urgent_byte_stays_in_the_stream_behind_the_mark() {
    let options = SocketOptions { oob_inline: true, ..SocketOptions::default() };
    let mut peer = Peer::established_with(plain(), options);
    let text = urgent(&mut peer, 10, 5);
    let bytes = text.payload.clone();
    peer.inject(text);
    let now = peer.now;
    assert_eq!(peer.connection.recv_urgent(now, true), Err(RecvError::NoUrgentData));
    assert_eq!(peer.read(), Ok(bytes[..4].to_vec()));
    assert!(peer.connection.at_mark());
    assert_eq!(peer.read(), Ok(bytes[4..].to_vec()));
}

#[test]
fn an_urgent_pointer_may_come_before_its_byte() {
    let mut peer = Peer::established();
    let mut notice = peer.bare();
    notice.flags |= TcpFlags::URG;
    notice.urgent = 3;
    let outcome = peer.inject(notice);
    assert!(outcome.events.contains(Events::URGENT));
    let now = peer.now;
    assert_eq!(peer.connection.recv_urgent(now, true), Err(RecvError::WouldBlock));
    let text = peer.text(3);
    let last = text.payload[2];
    peer.inject(text);
    assert_eq!(peer.connection.recv_urgent(now, true), Ok(Some(last)));
}

#[test]
fn the_rfc_1122_reading_of_the_pointer_can_be_chosen() {
    let mut peer = Peer::established_with(Config { stdurg: true, ..plain() }, SocketOptions::default());
    let text = urgent(&mut peer, 10, 5);
    let bytes = text.payload.clone();
    peer.inject(text);
    let now = peer.now;
    assert_eq!(peer.connection.recv_urgent(now, true), Ok(Some(bytes[5])));
}

#[test]
fn peeking_takes_nothing_away() {
    let mut peer = Peer::established();
    for _ in 0..3 {
        let text = peer.text(700);
        peer.inject(text);
    }
    let mut first = [0; 50];
    assert_eq!(peer.connection.peek(peer.now, 0, &mut first), Ok(50));
    let mut later = [0; 2_000];
    assert_eq!(peer.connection.peek(peer.now, 1_000, &mut later), Ok(1_100));
    let all = peer.read().expect("data");
    assert_eq!((all.len(), &all[..50], &all[1_000..]), (2_100, &first[..], &later[..1_100]));
}

#[test]
fn chunks_are_handed_to_the_reader_without_a_copy() {
    let mut peer = Peer::established();
    let text = peer.text(1_000);
    let segment = text.segment();
    let address = segment.payload.iter().next().map(|bytes| bytes.as_ptr());
    let now = peer.now;
    let _ = peer.connection.on_segment(now, segment);
    let chunks = peer.connection.recv_chunks(now, 600).expect("data");
    assert_eq!(chunks.len(), 600);
    assert_eq!(chunks.iter().next().map(|bytes| bytes.as_ptr()), address);
}
