//! Section 3.9.2.2 and RFC 5927: what ICMP errors do in every state.

use segue_tcp::*;

use crate::SECOND;
use crate::common::peer::{ISS, Peer, plain};

const SOFT: IcmpSignal = IcmpSignal::Unreachable { hard: false, error: ConnError::HostUnreachable };
const HARD: IcmpSignal = IcmpSignal::Unreachable { hard: true, error: ConnError::Refused };

fn report(peer: &mut Peer, signal: IcmpSignal, quoted: u32) {
    let now = peer.now;
    let _ = peer.connection.on_icmp(now, signal, quoted);
}

/// MUST-56, and RFC 5927 section 5 for the hard ones: a stranger who guesses numbers must not end a connection.
#[test]
fn no_icmp_error_ends_a_synchronised_connection() {
    for state in [State::Established, State::FinWait1, State::CloseWait, State::LastAck, State::Closing] {
        for signal in [SOFT, HARD] {
            let mut peer = Peer::in_state(state);
            if matches!(state, State::Established | State::CloseWait) {
                peer.write(100).expect("room");
                peer.sent();
            }
            assert!(peer.connection.is_under_way(peer.ack));
            let quoted = peer.ack;
            report(&mut peer, signal, quoted);
            assert_eq!((peer.connection.state(), peer.connection.error()), (state, None), "{state} {signal:?}");
        }
    }
}

/// MUST-47, SHLD-25: the error is what the application is told when the connection times out after all.
#[test]
fn a_soft_error_is_remembered_and_told_when_the_connection_times_out() {
    for (signal, error) in [(Some(SOFT), ConnError::HostUnreachable), (None, ConnError::TimedOut)] {
        let mut peer = Peer::established();
        peer.write(100).expect("room");
        peer.sent();
        if let Some(signal) = signal {
            let quoted = peer.ack;
            report(&mut peer, signal, quoted);
        }
        peer.pass(2_000 * SECOND);
        assert_eq!(peer.connection.take_error(), Some(error));
    }
}

/// SHLD-26 where no connection exists yet; and, by default, row by row as Linux: RFC 5461 section 4.1.
#[test]
fn an_attempt_ends_at_once_with_the_error() {
    for (signal, error) in [(SOFT, ConnError::HostUnreachable), (HARD, ConnError::Refused)] {
        for state in [State::SynSent, State::SynReceived] {
            let mut peer = Peer::in_state(state);
            report(&mut peer, signal, ISS);
            assert_eq!(peer.connection.state(), State::Closed, "{state}");
            assert_eq!(peer.connection.take_error(), Some(error), "{state}");
        }
    }
}

/// MUST-56 to the letter: `net.segue.tcp_syn_soft_errors` 0.
#[test]
fn an_attempt_may_outlast_soft_errors_and_names_them_in_the_end() {
    let config = Config { syn_soft_errors: false, ..plain() };
    let mut peer = Peer::syn_sent(config.clone(), SocketOptions::default());
    report(&mut peer, SOFT, ISS);
    assert_eq!((peer.connection.state(), peer.connection.error()), (State::SynSent, None));
    assert_eq!(peer.pass(131 * SECOND).len(), 10, "the SYN is repeated as if nothing had been said");
    assert_eq!(peer.connection.take_error(), Some(ConnError::HostUnreachable));

    let mut peer = Peer::syn_sent(config.clone(), SocketOptions::default());
    report(&mut peer, SOFT, ISS);
    let mut syn_ack = peer.bare();
    syn_ack.flags |= TcpFlags::SYN;
    peer.inject(syn_ack);
    assert_eq!(peer.connection.state(), State::Established);

    let mut peer = Peer::syn_sent(config, SocketOptions::default());
    report(&mut peer, HARD, ISS);
    assert_eq!(peer.connection.take_error(), Some(ConnError::Refused));
}

/// RFC 5927 section 4: SND.UNA =< SEG.SEQ < SND.NXT.
#[test]
fn an_error_about_something_that_is_not_under_way_changes_nothing() {
    let too_big = IcmpSignal::PacketTooBig { mtu_payload: 700 };
    for state in [State::SynSent, State::SynReceived, State::Established, State::FinWait1] {
        for signal in [SOFT, HARD, too_big] {
            let mut peer = Peer::in_state(state);
            if state == State::Established {
                peer.write(100).expect("room");
                peer.sent();
            }
            let unsynchronised = matches!(state, State::SynSent | State::SynReceived);
            let next = if unsynchronised { ISS.wrapping_add(1) } else { peer.ack.wrapping_add(101) };
            let before = peer.connection.info(peer.now);
            for quoted in [next, next.wrapping_add(5_000), peer.ack.wrapping_sub(2)] {
                report(&mut peer, signal, quoted);
            }
            assert_eq!(peer.connection.info(peer.now), before, "{state} {signal:?}");
            assert_eq!(peer.connection.error(), None, "{state} {signal:?}");
        }
    }
}
