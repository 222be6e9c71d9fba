//! Section 3.8.5 and RFC 6093: urgent data, as they are sent and as they are met.

use segue_tcp::*;

use crate::common::peer::{Inject, Peer, plain};
use crate::{MS, SECOND};

/// The next `len` bytes of the peer's stream with an urgent pointer.
fn urgent(peer: &mut Peer, len: usize, pointer: u16) -> Inject {
    let mut text = peer.text(len);
    text.flags |= TcpFlags::URG;
    text.urgent = pointer;
    text
}

/// MUST-31, MUST-62: the pointer names the byte behind the data, however many they are; it never goes back.
#[test]
fn urgent_data_of_any_length_are_announced_to_their_end() {
    let config = Config { initial_cwnd: 1_000, ..plain() };
    let mut peer = Peer::established_with(config, SocketOptions { sndbuf: Some(1 << 20), ..SocketOptions::default() });
    let now = peer.now;
    assert_eq!(peer.connection.send(now, &vec![7; 200_000], SendFlags::OOB), Ok(200_000));
    let (start, end) = (peer.ack, peer.ack.wrapping_add(200_000));
    let mut last = start;
    let mut exact = 0;
    let mut sent = 0;
    while sent < 200_000 {
        let transmits = peer.sent();
        assert!(!transmits.is_empty(), "after {sent} bytes");
        for transmit in transmits {
            sent += transmit.payload.len() as u32;
            assert!(transmit.header.flags.contains(TcpFlags::URG));
            let pointed = transmit.header.sequence.wrapping_add(transmit.header.urgent.into());
            assert!(pointed.wrapping_sub(last) as i32 >= 0, "the pointer went back");
            assert!(end.wrapping_sub(pointed) as i32 >= 0, "the pointer names more than there is");
            last = pointed;
            exact += u32::from(pointed == end);
        }
        peer.ack = start.wrapping_add(sent);
        peer.inject(peer.bare());
    }
    assert!(exact >= 65, "the last 64 KiB know their end: {exact} segments");
}

/// MUST-32: told when it comes and when it advances, and not when it is repeated; MUST-33: the mark says how much
/// is left before the urgent data end.
#[test]
fn the_application_hears_of_urgent_data_and_can_learn_how_much_there_is() {
    let mut peer = Peer::established();
    for (pointer, news) in [(50, true), (50, false), (40, false), (80, true)] {
        let mut announce = peer.bare();
        (announce.flags, announce.urgent) = (TcpFlags::ACK | TcpFlags::URG, pointer);
        let told = peer.inject(announce).events.contains(Events::URGENT);
        assert_eq!(told, news, "pointer {pointer}");
    }
    let text = peer.text(100);
    assert!(peer.inject(text).events.contains(Events::URGENT), "the byte itself has come");
    assert!(peer.connection.readiness().contains(Ready::PRI));
    assert!(!peer.connection.at_mark());
    assert_eq!(peer.read().map(|bytes| bytes.len()), Ok(79), "a read stops at the mark");
    assert!(peer.connection.at_mark());
    assert_eq!(peer.read().map(|bytes| bytes.len()), Ok(20), "the urgent byte is skipped");
}

/// "A TCP receiver should be robust to invalid urgent pointer values."
#[test]
fn a_pointer_to_nowhere_keeps_nothing_from_the_reader() {
    let mut peer = Peer::established();
    let text = urgent(&mut peer, 100, u16::MAX);
    peer.inject(text);
    assert_eq!(peer.read().map(|bytes| bytes.len()), Ok(100));
    let now = peer.now;
    assert_eq!(peer.connection.recv_urgent(now, true), Err(RecvError::WouldBlock));
    let mut fin = peer.bare();
    fin.flags |= TcpFlags::FIN;
    peer.inject(fin);
    assert_eq!(peer.connection.recv_urgent(now, true), Ok(None), "it will not come any more");
    assert_eq!(peer.read().map(|bytes| bytes.len()), Ok(0));
}

/// As Linux: it need not wait for what was lost before it.
#[test]
fn an_urgent_byte_out_of_order_is_there_at_once() {
    let mut peer = Peer::established();
    let missing = peer.text(100);
    let text = urgent(&mut peer, 10, 10);
    let byte = text.payload[9];
    assert!(peer.inject(text).events.contains(Events::URGENT));
    let now = peer.now;
    assert!(peer.connection.readiness().contains(Ready::PRI));
    assert_eq!(peer.connection.recv_urgent(now, true), Ok(Some(byte)));
    peer.inject(missing);
    assert_eq!(peer.read().map(|bytes| bytes.len()), Ok(109));
}

/// As Linux: the byte that was out of band does not come back when another takes its place.
#[test]
fn a_reader_that_stands_on_an_urgent_byte_does_not_meet_it_after_the_next() {
    for (inline, expected) in [(false, vec![4, 5, 6]), (true, vec![3, 4, 5, 6])] {
        let mut peer = Peer::established();
        let now = peer.now;
        let _ = peer.connection.set_options(now, SocketOptions { oob_inline: inline, ..SocketOptions::default() });
        let mut first = urgent(&mut peer, 3, 3);
        first.payload = vec![1, 2, 3];
        peer.inject(first);
        assert_eq!(peer.read(), Ok(vec![1, 2]));
        let mut second = urgent(&mut peer, 4, 4);
        second.payload = vec![4, 5, 6, 7];
        peer.inject(second);
        assert_eq!(peer.read(), Ok(expected), "in line: {inline}");
    }
}

#[test]
fn in_line_an_urgent_byte_is_polled_for_but_not_read_apart() {
    let mut peer = Peer::established();
    let now = peer.now;
    let _ = peer.connection.set_options(now, SocketOptions { oob_inline: true, ..SocketOptions::default() });
    let text = urgent(&mut peer, 5, 5);
    peer.inject(text);
    assert!(peer.connection.readiness().contains(Ready::PRI | Ready::IN));
    assert_eq!(peer.connection.recv_urgent(now, true), Err(RecvError::NoUrgentData));
}

/// As Linux (tcp_send_ack): whatever leaves says so.
#[test]
fn acknowledgments_point_at_urgent_data_that_cannot_leave() {
    let mut peer = Peer::established();
    peer.window = 0;
    peer.inject(peer.bare());
    let now = peer.now;
    assert_eq!(peer.connection.send(now, b"abc", SendFlags::OOB), Ok(3));
    let text = peer.text(10);
    peer.inject(text);
    let sent = peer.pass(200 * MS);
    let first = &sent[0].1.header;
    assert_eq!((first.flags, first.urgent), (TcpFlags::ACK | TcpFlags::URG, 3));
    peer.window = 100;
    peer.inject(peer.bare());
    let data = peer.pass(SECOND);
    assert_eq!((data[0].1.payload.len(), data[0].1.header.urgent), (3, 3));
}

/// As Linux: of a write that was taken in part the last byte taken is urgent, until the rest is written.
#[test]
fn a_write_that_is_taken_in_part_is_urgent_as_far_as_it_goes() {
    let mut peer = Peer::established_with(plain(), SocketOptions { sndbuf: Some(5_000), ..SocketOptions::default() });
    let now = peer.now;
    let taken = peer.connection.send(now, &[7; 20_000], SendFlags::OOB).expect("room");
    assert!(taken < 20_000);
    let first = peer.sent().remove(0).header;
    assert!(first.flags.contains(TcpFlags::URG));
    assert_eq!(usize::from(first.urgent), taken);
}
