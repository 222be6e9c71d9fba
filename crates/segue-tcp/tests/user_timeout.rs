//! The user timeout option (RFC 5482): what is told, what is adopted, what it does.

mod common;

use std::time::Duration;

use common::peer::*;
use segue_tcp::*;
use segue_wire::tcp::{TcpOptions, UserTimeout};

fn config() -> Config {
    Config { user_timeout_option: true, ..plain() }
}

fn seconds(seconds: u16) -> UserTimeout {
    UserTimeout { minutes: false, value: seconds }
}

fn told(transmit: &Transmit) -> Option<Duration> {
    TcpOptions::parse(&transmit.options).user_timeout.map(UserTimeout::duration)
}

/// Established, and the peer's SYN-ACK had this option.
fn established_with(config: Config, options: SocketOptions, theirs: Option<UserTimeout>) -> Peer {
    let mut peer = Peer::syn_sent(config, options);
    let mut syn_ack = peer.bare();
    syn_ack.flags |= TcpFlags::SYN;
    syn_ack.options.mss = Some(1000);
    syn_ack.options.user_timeout = theirs;
    peer.inject(syn_ack);
    peer.seq = IRS.wrapping_add(1);
    peer
}

#[test]
fn nothing_is_told_and_nothing_adopted_unless_it_is_enabled() {
    let mut peer = established_with(plain(), SocketOptions::default(), Some(seconds(300)));
    assert!(peer.sent().iter().all(|transmit| told(transmit).is_none()));
    assert_eq!(peer.connection.user_timeout(), None);
}

#[test]
fn the_syn_and_the_first_segment_after_it_tell_and_no_other_until_it_changes() {
    // Section 3. Without a word of the application it is what tcp_retries2 means.
    let default = Some(Duration::from_secs(925));
    let mut connection =
        Connection::connect(Instant::from_secs(100), std::sync::Arc::new(config()), SocketOptions::default(), open());
    let syn = connection.poll_transmit(Instant::from_secs(100), 0).expect("a SYN");
    assert_eq!(told(&syn), default);
    let again = connection.poll_transmit(Instant::from_secs(101), 0).expect("the SYN again");
    assert_eq!(told(&again), default);
    let mut peer = established_with(config(), SocketOptions::default(), None);
    let ack = peer.sent();
    assert_eq!(ack.iter().map(told).collect::<Vec<_>>(), [default]);
    peer.write(10).expect("room");
    assert_eq!(told(&peer.sent()[0]), None);
    let options = SocketOptions { user_timeout: Some(Duration::from_secs(40)), ..peer.connection.options().clone() };
    let _ = peer.connection.set_options(peer.now, options);
    let mut ack = peer.bare();
    ack.acknowledgment = peer.ack.wrapping_add(10);
    peer.ack = ack.acknowledgment;
    peer.inject(ack);
    peer.write(10).expect("room");
    assert_eq!(told(&peer.sent()[0]), Some(Duration::from_secs(40)));
    let text = peer.text(5);
    peer.inject(text);
    peer.pass(Duration::from_millis(50)).iter().for_each(|(_, transmit)| assert_eq!(told(transmit), None));
}

#[test]
fn a_full_segment_is_not_made_longer_for_it() {
    let mut peer = established_with(config(), SocketOptions { max_seg: Some(500), ..SocketOptions::default() }, None);
    peer.sent();
    let options = SocketOptions { user_timeout: Some(Duration::from_secs(40)), ..peer.connection.options().clone() };
    let _ = peer.connection.set_options(peer.now, options);
    peer.connection.set_path_mtu(peer.now, 520);
    peer.write(600).expect("room");
    let sent = peer.sent();
    let shapes: Vec<_> = sent.iter().map(|transmit| (transmit.payload.len(), told(transmit).is_some())).collect();
    assert_eq!(shapes, [(500, false), (100, true)]);
}

#[test]
fn the_larger_word_of_both_sides_is_adopted_within_the_bounds() {
    // Section 3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)).
    let adopted = |ours: u8, theirs: UserTimeout| {
        let config = Config { retries2: ours, ..config() };
        established_with(config, SocketOptions::default(), Some(theirs)).connection.user_timeout()
    };
    assert_eq!(adopted(3, seconds(300)), Some(Duration::from_secs(300)));
    assert_eq!(adopted(15, seconds(300)), Some(Duration::from_secs(925)));
    assert_eq!(adopted(3, seconds(2)), Some(Duration::from_secs(100)));
    assert_eq!(adopted(3, UserTimeout { minutes: true, value: 600 }), Some(Duration::from_secs(3600)));
    assert_eq!(adopted(3, seconds(0)), None, "zero is reserved (section 3.4)");
}

#[test]
fn what_the_application_has_set_is_not_changed_by_the_peer() {
    let set = SocketOptions { user_timeout: Some(Duration::from_secs(7)), ..SocketOptions::default() };
    let mut peer = established_with(config(), set, Some(seconds(300)));
    assert_eq!(told(&peer.sent()[0]), Some(Duration::from_secs(7)));
    assert_eq!(peer.connection.user_timeout(), Some(Duration::from_secs(7)));
}

#[test]
fn an_option_in_a_segment_that_is_not_taken_is_not_believed() {
    let mut peer = established_with(config(), SocketOptions::default(), None);
    peer.sent();
    let mut forged = peer.bare();
    forged.sequence = forged.sequence.wrapping_sub(100_000);
    forged.options.user_timeout = Some(seconds(3000));
    peer.inject(forged);
    assert_eq!(peer.connection.user_timeout(), None);
    let mut honest = peer.bare();
    honest.options.user_timeout = Some(seconds(3000));
    peer.inject(honest);
    assert_eq!(peer.connection.user_timeout(), Some(Duration::from_secs(3000)));
}

#[test]
fn data_wait_as_long_as_was_adopted_and_keep_alive_is_no_faster() {
    let config = Config { retries2: 3, ..config() };
    let options =
        SocketOptions { keepalive: true, keep_idle: Some(Duration::from_secs(10)), ..SocketOptions::default() };
    let mut peer = established_with(config, options, Some(seconds(250)));
    peer.sent();
    // Section 4.2.
    let first_probe = peer.pass(Duration::from_secs(300)).first().map(|(at, _)| *at);
    assert_eq!(first_probe, Some(Duration::from_secs(250)));
    let answer = peer.bare();
    peer.inject(answer);
    peer.write(10).expect("room");
    let began = peer.now;
    peer.sent();
    while let Some(at) = peer.connection.next_deadline() {
        peer.now = at;
        peer.sent();
    }
    assert_eq!(peer.connection.take_error(), Some(ConnError::TimedOut));
    let took = peer.now - began;
    assert!((Duration::from_secs(250)..Duration::from_secs(252)).contains(&took), "{took:?}");
}
