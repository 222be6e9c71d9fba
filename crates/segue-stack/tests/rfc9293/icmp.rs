//! Section 3.9.2.2: ICMP errors find the connection they are about.

use segue_stack::{Errno, SocketId};
use segue_wire::Icmpv4Message;
use segue_wire::icmpv4::{TimeExceededCode, UnreachableCode};

use crate::common::*;
use crate::craft::{Seen, icmp_v4, sent_by};

/// The quoted front of a segment.
fn quote(seen: &Seen) -> &[u8] {
    &seen.bytes[..28]
}

fn unreachable(code: u8, quoted: &[u8]) -> Icmpv4Message<'_> {
    Icmpv4Message::DestinationUnreachable { code: UnreachableCode(code), next_hop_mtu: 0, quoted }
}

/// Two connections, each with a segment under way that the wire has lost.
fn two() -> (World, Vec<(SocketId, Seen)>) {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let listener = w.listener(B, "10.0.0.2:80", 4);
    let clients = [w.tcp(A), w.tcp(A)];
    for client in clients {
        let _ = w.connect(A, client, "10.0.0.2:80");
    }
    w.settle();
    for _ in clients {
        w.accept(B, listener).unwrap();
    }
    w.wire.loss = 1000;
    w.log.clear();
    let mut pairs = Vec::new();
    for client in clients {
        w.write(A, client, &[7; 100]).unwrap();
        w.pump();
        pairs.push((client, sent_by(&mut w, A).remove(0)));
    }
    w.wire.loss = 0;
    w.wire.delay = std::time::Duration::ZERO;
    (w, pairs)
}

/// MUST-54, MUST-47, SHLD-25: the error belongs to the connection it quotes, which is told when it times out.
#[test]
fn an_error_reaches_the_connection_that_caused_it_and_no_other() {
    let (mut w, pairs) = two();
    w.inject(A, icmp_v4("10.0.0.9", "10.0.0.1", unreachable(1, quote(&pairs[0].1))));
    w.step(w.now);
    w.wire.loss = 1000;
    w.run(std::time::Duration::from_secs(2_000));
    let errors: Vec<_> = pairs.iter().map(|(id, _)| w.read(A, *id)).collect();
    assert_eq!(errors, [Err(Errno::EHOSTUNREACH), Err(Errno::ETIMEDOUT)]);
}

/// MUST-55, RFC 6633.
#[test]
fn a_source_quench_changes_nothing() {
    let (mut w, pairs) = two();
    let before = w.stacks[A].tcp_info(w.now, pairs[0].0);
    w.inject(A, icmp_v4("10.0.0.9", "10.0.0.1", Icmpv4Message::SourceQuench { quoted: quote(&pairs[0].1) }));
    w.step(w.now);
    assert_eq!(w.counter(A, "IcmpInSrcQuenchs"), 1);
    assert_eq!(w.stacks[A].tcp_info(w.now, pairs[0].0), before);
}

/// MUST-56, SHLD-26 as RFC 5927 section 5.2 has it: whatever comes, an established connection stays.
#[test]
fn every_kind_of_error_leaves_an_established_connection_alone() {
    let (mut w, pairs) = two();
    let (client, seen) = &pairs[0];
    for code in (0..16).filter(|code| *code != 4) {
        w.inject(A, icmp_v4("10.0.0.9", "10.0.0.1", unreachable(code, quote(seen))));
    }
    for code in [0, 1] {
        let exceeded = Icmpv4Message::TimeExceeded { code: TimeExceededCode(code), quoted: quote(seen) };
        w.inject(A, icmp_v4("10.0.0.9", "10.0.0.1", exceeded));
    }
    let parameter = Icmpv4Message::ParameterProblem { code: 0, pointer: 1, quoted: quote(seen) };
    w.inject(A, icmp_v4("10.0.0.9", "10.0.0.1", parameter));
    w.settle();
    assert_eq!(w.write(A, *client, b"x"), Ok(1));
    assert_eq!(w.counter(A, "TcpExtOutOfWindowIcmps"), 0);
}

/// RFC 5927 section 4.1.
#[test]
fn an_error_about_something_else_is_counted_and_ignored() {
    let (mut w, pairs) = two();
    let mut stale = quote(&pairs[0].1).to_vec();
    let sequence = pairs[0].1.header.sequence.wrapping_sub(5_000);
    stale[24..28].copy_from_slice(&sequence.to_be_bytes());
    let mut other = quote(&pairs[0].1).to_vec();
    other[20..22].copy_from_slice(&[9, 9]);
    for quoted in [stale, other] {
        w.inject(A, icmp_v4("10.0.0.9", "10.0.0.1", unreachable(3, &quoted)));
    }
    w.settle();
    assert_eq!(w.counter(A, "TcpExtOutOfWindowIcmps"), 2);
}
