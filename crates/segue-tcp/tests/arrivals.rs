//! What arrives in which state, and what comes of it: RFC 9293 section 3.10.7 as tables.

mod common;

use common::peer::*;
use segue_tcp::*;

/// Where the segment is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At RCV.NXT.
    Exact,
    /// Inside the window, not at its edge.
    Inside,
    /// Wholly left of the window.
    Old,
    /// Right of the window.
    Beyond,
}
use Place::*;

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Nothing,
    /// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>
    Ack,
    /// <SEQ=SEG.ACK><CTL=RST>
    Reset,
}

fn place(peer: &Peer, segment: &mut Inject, place: Place) {
    segment.sequence = match place {
        Exact => peer.seq,
        Inside => peer.seq.wrapping_add(100),
        Old => peer.seq.wrapping_sub(5_000),
        Beyond => peer.seq.wrapping_add(200_000),
    };
}

/// Injects and says what answered.
fn arrive(peer: &mut Peer, segment: Inject) -> Answer {
    let reset_number = segment.acknowledgment;
    peer.inject(segment);
    let sent = peer.sent();
    match sent.as_slice() {
        [] => Answer::Nothing,
        [one] if one.header.flags == TcpFlags::ACK && one.payload.is_empty() => Answer::Ack,
        [one] if one.header.flags == TcpFlags::RST && one.header.sequence == reset_number => Answer::Reset,
        other => panic!("unexpected answer: {:?}", other.iter().map(show).collect::<Vec<_>>()),
    }
}

const SYNCHRONISED: [State; 7] = [
    State::Established,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::Closing,
    State::LastAck,
    State::TimeWait,
];

#[test]
fn a_reset_counts_only_at_the_exact_number_in_every_synchronised_state() {
    for state in SYNCHRONISED {
        // (where, what answers, whether it ends the connection): RFC 5961 section 3.2.
        let in_window = if state == State::TimeWait { Answer::Nothing } else { Answer::Ack };
        for (at, answer, ends) in [
            (Exact, Answer::Nothing, true),
            (Inside, in_window, false),
            (Old, Answer::Nothing, false),
            (Beyond, Answer::Nothing, false),
        ] {
            for flags in [TcpFlags::RST, TcpFlags::RST | TcpFlags::ACK] {
                let mut peer = Peer::in_state(state);
                let mut reset = peer.bare();
                reset.flags = flags;
                place(&peer, &mut reset, at);
                assert_eq!(arrive(&mut peer, reset), answer, "{state} {at:?}");
                let expected = if ends { State::Closed } else { state };
                assert_eq!(peer.connection.state(), expected, "{state} {at:?}");
                let dropped = peer.last.drop.is_some();
                assert!(dropped, "{state} {at:?}: a reset is never taken as anything else");
            }
        }
    }
}

#[test]
fn a_reset_tells_the_application_what_it_means_in_each_state() {
    for (state, error) in [
        (State::Established, Some(ConnError::Reset)),
        (State::FinWait1, Some(ConnError::Reset)),
        (State::FinWait2, Some(ConnError::Reset)),
        (State::CloseWait, Some(ConnError::BrokenPipe)),
        (State::TimeWait, None),
    ] {
        let mut peer = Peer::in_state(state);
        let mut reset = peer.bare();
        reset.flags = TcpFlags::RST;
        peer.inject(reset);
        assert_eq!(peer.connection.take_error(), error, "{state}");
        assert_eq!(peer.connection.take_error(), None, "{state}: told once");
    }
}

#[test]
fn a_syn_is_challenged_wherever_it_is_numbered() {
    for state in SYNCHRONISED {
        for at in [Exact, Inside, Old, Beyond] {
            if state == State::TimeWait && at != Old {
                // RFC 6191: a new incarnation; tested with TIME-WAIT.
                continue;
            }
            let mut peer = Peer::in_state(state);
            let mut syn = peer.bare();
            (syn.flags, syn.acknowledgment) = (TcpFlags::SYN, 0);
            place(&peer, &mut syn, at);
            assert_eq!(arrive(&mut peer, syn), Answer::Ack, "{state} {at:?}");
            if state != State::TimeWait {
                assert_eq!(peer.last.drop, Some(DropReason::ChallengedSyn), "{state} {at:?}");
                assert!(peer.last.events.contains(Events::CHALLENGE), "{state} {at:?}");
            }
            assert_eq!(peer.connection.state(), state, "{state} {at:?}");
        }
    }
}

#[test]
fn an_unacceptable_sequence_number_is_answered_and_changes_nothing() {
    for state in SYNCHRONISED {
        for at in [Old, Beyond] {
            for (what, flags, len) in
                [("ACK", TcpFlags::ACK, 0), ("text", TcpFlags::ACK, 50), ("FIN", TcpFlags::ACK | TcpFlags::FIN, 0)]
            {
                let mut peer = Peer::in_state(state);
                let mut segment = peer.bare();
                segment.flags = flags;
                segment.payload = vec![1; len];
                // Would acknowledge our FIN where there is one: the ACK of an unacceptable segment is not looked at.
                segment.acknowledgment = peer.ack.wrapping_add(1);
                place(&peer, &mut segment, at);
                if state == State::TimeWait && what == "FIN" && at == Old {
                    continue;
                }
                assert_eq!(arrive(&mut peer, segment), Answer::Ack, "{state} {at:?} {what}");
                assert_eq!(peer.connection.state(), state, "{state} {at:?} {what}");
            }
        }
    }
}

#[test]
fn a_segment_without_ack_is_dropped_in_silence() {
    for state in SYNCHRONISED {
        for flags in [TcpFlags::empty(), TcpFlags::FIN, TcpFlags::PSH, TcpFlags::URG] {
            if state == State::TimeWait {
                continue;
            }
            let mut peer = Peer::in_state(state);
            let mut segment = peer.bare();
            segment.flags = flags;
            segment.payload = vec![1; 10];
            assert_eq!(arrive(&mut peer, segment), Answer::Nothing, "{state} {flags:?}");
            assert_eq!(peer.last.drop, Some(DropReason::NoAck), "{state} {flags:?}");
            assert_eq!(peer.connection.state(), state, "{state} {flags:?}");
        }
    }
}

/// How an acknowledgment number relates to what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    /// Of something never sent.
    Unsent,
    /// SND.UNA again.
    Duplicate,
    /// A little before SND.UNA.
    Older,
    /// Before anything an honest peer could acknowledge.
    TooOld,
    /// Of our FIN, where one is on its way.
    Fin,
}

#[test]
fn acknowledgments_do_what_the_rfc_says_in_every_state() {
    use Number::*;
    use State::*;
    let table = [
        (Established, Unsent, Answer::Ack, Established),
        (Established, Duplicate, Answer::Nothing, Established),
        (Established, Older, Answer::Nothing, Established),
        (Established, TooOld, Answer::Ack, Established),
        (FinWait1, Unsent, Answer::Ack, FinWait1),
        (FinWait1, Duplicate, Answer::Nothing, FinWait1),
        (FinWait1, Older, Answer::Nothing, FinWait1),
        (FinWait1, TooOld, Answer::Ack, FinWait1),
        (FinWait1, Fin, Answer::Nothing, FinWait2),
        (FinWait2, Unsent, Answer::Ack, FinWait2),
        (FinWait2, Duplicate, Answer::Nothing, FinWait2),
        (FinWait2, TooOld, Answer::Ack, FinWait2),
        (CloseWait, Unsent, Answer::Ack, CloseWait),
        (CloseWait, Duplicate, Answer::Nothing, CloseWait),
        (CloseWait, TooOld, Answer::Ack, CloseWait),
        (Closing, Unsent, Answer::Ack, Closing),
        (Closing, Duplicate, Answer::Nothing, Closing),
        (Closing, TooOld, Answer::Ack, Closing),
        (Closing, Fin, Answer::Nothing, TimeWait),
        (LastAck, Unsent, Answer::Ack, LastAck),
        (LastAck, Duplicate, Answer::Nothing, LastAck),
        (LastAck, TooOld, Answer::Ack, LastAck),
        (LastAck, Fin, Answer::Nothing, Closed),
        (TimeWait, Duplicate, Answer::Nothing, TimeWait),
    ];
    for (state, number, answer, next) in table {
        let mut peer = Peer::in_state(state);
        let mut segment = peer.bare();
        segment.acknowledgment = match number {
            Unsent => peer.ack.wrapping_add(10),
            Duplicate => peer.ack,
            Older => peer.ack.wrapping_sub(1),
            TooOld => peer.ack.wrapping_sub(1_000_000),
            Fin => peer.ack.wrapping_add(1),
        };
        assert_eq!(arrive(&mut peer, segment), answer, "{state} {number:?}");
        assert_eq!(peer.connection.state(), next, "{state} {number:?}");
    }
}

#[test]
fn a_fin_in_order_moves_every_state_as_the_rfc_says() {
    use State::*;
    for (state, next) in [
        (Established, CloseWait),
        (FinWait1, Closing),
        (FinWait2, TimeWait),
        (CloseWait, CloseWait),
        (Closing, Closing),
        (LastAck, LastAck),
        (TimeWait, TimeWait),
    ] {
        let mut peer = Peer::in_state(state);
        let mut fin = peer.bare();
        fin.flags |= TcpFlags::FIN;
        let repeated = matches!(state, CloseWait | Closing | LastAck | TimeWait);
        if repeated {
            // The same FIN again.
            fin.sequence = peer.seq.wrapping_sub(1);
        }
        peer.inject(fin);
        let sent = peer.pass(std::time::Duration::from_millis(300));
        let last_ack = sent.iter().map(|(_, transmit)| transmit.header.acknowledgment).next_back();
        let number = if repeated { peer.seq } else { peer.seq.wrapping_add(1) };
        assert_eq!(last_ack, Some(number), "{state}: the FIN is acknowledged");
        assert_eq!(peer.connection.state(), next, "{state}");
    }
}

#[test]
fn a_fin_that_acknowledges_ours_leads_from_fin_wait_1_to_time_wait_directly() {
    let mut peer = Peer::in_state(State::FinWait1);
    let mut fin = peer.bare();
    fin.flags |= TcpFlags::FIN;
    fin.acknowledgment = peer.ack.wrapping_add(1);
    let outcome = peer.inject(fin);
    assert_eq!(peer.connection.state(), State::TimeWait);
    assert!(outcome.events.contains(Events::TIME_WAIT | Events::PEER_CLOSED));
    assert_eq!(peer.shown(), [". 1:1(0) ack 1"]);
}

#[test]
fn text_is_taken_where_the_peer_may_still_send() {
    use State::*;
    for (state, taken) in [
        (Established, true),
        (FinWait1, true),
        (FinWait2, true),
        (CloseWait, false),
        (Closing, false),
        (LastAck, false),
    ] {
        let mut peer = Peer::in_state(state);
        let text = peer.text(100);
        let outcome = peer.inject(text);
        assert_eq!(peer.connection.unread(), if taken { 100 } else { 0 }, "{state}");
        assert_eq!(outcome.drop.is_none(), taken, "{state}");
        assert_eq!(peer.connection.state(), state);
    }
}

#[test]
fn syn_sent_follows_the_rfc() {
    let in_syn_sent = |flags: TcpFlags, acknowledges: u32, state: State, answer: &str| {
        let mut peer = Peer::in_state(State::SynSent);
        let mut segment = peer.bare();
        segment.flags = flags;
        segment.acknowledgment = ISS.wrapping_add(acknowledges);
        peer.inject(segment);
        let what = format!("{flags:?} acknowledging ISS+{acknowledges}");
        assert_eq!(peer.connection.state(), state, "{what}");
        assert_eq!(peer.shown().join(","), answer, "{what}");
        peer
    };
    let (syn, ack, rst) = (TcpFlags::SYN, TcpFlags::ACK, TcpFlags::RST);
    // First: an unacceptable ACK is reset, unless it is a reset.
    in_syn_sent(ack, 0, State::SynSent, "R -1:-1(0)");
    in_syn_sent(ack, 2, State::SynSent, "R 1:1(0)");
    in_syn_sent(syn | ack, 5, State::SynSent, "R 4:4(0)");
    in_syn_sent(rst | ack, 5, State::SynSent, "");
    // Second: a reset counts if it acknowledges our SYN.
    in_syn_sent(rst, 1, State::SynSent, "");
    let mut peer = in_syn_sent(rst | ack, 1, State::Closed, "");
    assert_eq!(peer.connection.take_error(), Some(ConnError::Refused));
    // Fourth: SYN.
    in_syn_sent(syn | ack, 1, State::Established, ". 0:0(0) ack 0");
    in_syn_sent(syn, 0, State::SynReceived, "S. -1:-1(0) ack 0");
    // Fifth: neither SYN nor RST.
    in_syn_sent(ack, 1, State::SynSent, "");
    in_syn_sent(TcpFlags::FIN, 0, State::SynSent, "");
}

#[test]
fn syn_received_after_simultaneous_open_follows_the_rfc() {
    let arrive_at = |at: Place, flags: TcpFlags, acknowledges: u32| {
        let mut peer = Peer::in_state(State::SynReceived);
        let mut segment = peer.bare();
        segment.flags = flags;
        segment.acknowledgment = ISS.wrapping_add(acknowledges);
        place(&peer, &mut segment, at);
        let answer = arrive(&mut peer, segment);
        (peer.connection.state(), answer)
    };
    let (syn, ack, rst, fin) = (TcpFlags::SYN, TcpFlags::ACK, TcpFlags::RST, TcpFlags::FIN);
    assert_eq!(arrive_at(Exact, ack, 1), (State::Established, Answer::Nothing));
    assert_eq!(arrive_at(Exact, ack, 0), (State::SynReceived, Answer::Reset));
    assert_eq!(arrive_at(Exact, ack, 2), (State::SynReceived, Answer::Reset));
    assert_eq!(arrive_at(Exact, rst, 0), (State::Closed, Answer::Nothing));
    assert_eq!(arrive_at(Inside, rst, 0), (State::SynReceived, Answer::Ack));
    assert_eq!(arrive_at(Beyond, rst, 0), (State::SynReceived, Answer::Nothing));
    assert_eq!(arrive_at(Beyond, ack, 1), (State::SynReceived, Answer::Ack));
    assert_eq!(arrive_at(Exact, syn, 0), (State::SynReceived, Answer::Ack));
    assert_eq!(arrive_at(Exact, fin, 0), (State::SynReceived, Answer::Nothing));
    let mut peer = Peer::in_state(State::SynReceived);
    let mut both = peer.bare();
    both.flags = fin | ack;
    peer.inject(both);
    assert_eq!(peer.connection.state(), State::CloseWait);
}

#[test]
fn challenges_are_rate_limited_per_connection() {
    let mut peer = Peer::in_state(State::Established);
    let mut syn = peer.bare();
    (syn.flags, syn.acknowledgment) = (TcpFlags::SYN, 0);
    let mut answers = 0;
    for _ in 0..100 {
        answers += usize::from(arrive(&mut peer, syn.clone()) == Answer::Ack);
        peer.now += std::time::Duration::from_millis(10);
    }
    // One second at one per 500 ms.
    assert_eq!(answers, 2);
}

#[test]
fn a_closed_connection_resets_what_arrives_except_resets() {
    let mut peer = Peer::in_state(State::LastAck);
    let mut ack = peer.bare();
    ack.acknowledgment = peer.ack.wrapping_add(1);
    peer.inject(ack.clone());
    assert_eq!(peer.connection.state(), State::Closed);
    assert_eq!(arrive(&mut peer, ack.clone()), Answer::Reset);
    ack.flags |= TcpFlags::RST;
    assert_eq!(arrive(&mut peer, ack), Answer::Nothing);
}
