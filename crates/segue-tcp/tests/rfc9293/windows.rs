//! Section 3.8.6: windows that are large, shrink, and stay shut.

use segue_tcp::*;

use crate::common::peer::{IRS, Peer, plain};
use crate::{MS, SECOND};

/// MUST-1, REC-1.
#[test]
fn a_window_is_an_unsigned_number_of_32_bits() {
    let config = Config { initial_cwnd: 100, ..plain() };
    let mut peer = Peer::syn_sent(config, SocketOptions { sndbuf: Some(200_000), ..SocketOptions::default() });
    peer.window = 40_000;
    let mut syn_ack = peer.bare();
    syn_ack.flags |= TcpFlags::SYN;
    syn_ack.options.mss = Some(1_000);
    peer.inject(syn_ack);
    peer.sent();
    peer.write(60_000).expect("room");
    let sent: usize = peer.sent().iter().map(|transmit| transmit.payload.len()).sum();
    assert_eq!(sent, 40_000, "as a signed number of 16 bits the window would be negative");

    let mut peer = Peer::syn_sent(Config::default(), SocketOptions::default());
    let mut syn_ack = peer.bare();
    syn_ack.flags |= TcpFlags::SYN;
    syn_ack.options.window_scale = Some(14);
    peer.inject(syn_ack);
    peer.seq = IRS.wrapping_add(1);
    peer.window = u16::MAX;
    peer.inject(peer.bare());
    assert_eq!(peer.connection.info(peer.now).snd_wnd, 65_535 << 14);
}

/// An established connection with 5000 bytes under way whose peer has then shut its window.
fn shrunk() -> Peer {
    let mut peer = Peer::established();
    peer.write(5_000).expect("room");
    assert_eq!(peer.sent().len(), 5);
    (peer.window, peer.ack) = (0, peer.ack.wrapping_add(1_000));
    peer.inject(peer.bare());
    peer
}

/// MUST-34, MUST-35, SHLD-15, SHLD-17: four days, each segment of ours answered.
#[test]
fn a_window_that_shrinks_to_nothing_is_probed_and_the_connection_stays() {
    let mut peer = shrunk();
    peer.write(1_000).expect("room");
    let mut probes = 0;
    let end = peer.now + 4 * 24 * 3600 * SECOND;
    while peer.now < end {
        let next = peer.connection.next_deadline().expect("something is due");
        peer.now = peer.now.max(next);
        let _ = peer.connection.on_deadline(peer.now);
        for transmit in peer.sent() {
            probes += 1;
            let offset = transmit.header.sequence.wrapping_sub(peer.ack) as i32;
            assert!(offset <= 0, "nothing new, and nothing beyond the edge but at SND.UNA: {offset}");
        }
        peer.inject(peer.bare());
    }
    assert!(probes > 2_000, "{probes} probes in four days");
    assert_eq!(peer.connection.state(), State::Established);
    peer.window = 60_000;
    peer.inject(peer.bare());
    peer.pass(120 * SECOND);
    assert!(peer.connection.info(peer.now).bytes_sent >= 6_000);
}

/// MUST-66.
#[test]
fn resets_and_urgent_pointers_count_while_the_window_is_shut() {
    let options = SocketOptions { rcvbuf: Some(8_000), ..SocketOptions::default() };
    let shut = || {
        let mut peer = Peer::established_with(plain(), options.clone());
        while peer.connection.info(peer.now).rcv_wnd > 0 {
            let n = peer.connection.info(peer.now).rcv_wnd.min(1_000) as usize;
            let text = peer.text(n);
            peer.inject(text);
            peer.pass(250 * MS);
        }
        peer
    };
    let mut peer = shut();
    let mut urgent = peer.bare();
    (urgent.flags, urgent.urgent) = (TcpFlags::ACK | TcpFlags::URG, 1);
    assert!(peer.inject(urgent).events.contains(Events::URGENT));
    let mut peer = shut();
    let mut reset = peer.bare();
    reset.flags = TcpFlags::RST;
    peer.inject(reset);
    assert_eq!(peer.connection.take_error(), Some(ConnError::Reset));
}

/// MAY-8: a reader that does not read for a day.
#[test]
fn a_window_may_stay_shut_for_as_long_as_nobody_reads() {
    let mut peer = Peer::established_with(plain(), SocketOptions { rcvbuf: Some(8_000), ..SocketOptions::default() });
    for _ in 0..24 * 60 {
        let left = peer.connection.info(peer.now).rcv_wnd as usize;
        let mut text = if left > 0 { peer.text(left.min(1_000)) } else { peer.bare() };
        if left == 0 {
            text.payload = vec![1];
        }
        peer.inject(text);
        peer.pass(60 * SECOND);
    }
    assert_eq!((peer.connection.info(peer.now).rcv_wnd, peer.connection.state()), (0, State::Established));
    assert!(peer.connection.unread() < 8_000);
}
