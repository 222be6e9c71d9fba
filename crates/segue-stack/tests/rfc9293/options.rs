//! Sections 3.1, 3.2 and 3.9.2: options of TCP and of IP.

use segue_stack::SocketId;
use segue_wire::TcpFlags;

use crate::common::*;
use crate::craft::{Craft, Seen, sent_by};

const UNKNOWN: [u8; 6] = [253, 6, 1, 2, 3, 4];

/// A stranger's connection to a server on B, segment by segment.
struct Stranger {
    w: World,
    server: SocketId,
    seq: u32,
    ack: u32,
}

impl Stranger {
    /// What does not fit `options` is left out of the SYN.
    fn connected(syn_options: &[u8], ip_options: &[u8]) -> Stranger {
        let mut w = World::new(Wire::default());
        w.keeps_log = true;
        let listener = w.listener(B, "10.0.0.2:80", 4);
        let mut syn = Craft::new("10.0.0.9", "10.0.0.2").flags(TcpFlags::SYN).numbers(100, 0).options(syn_options);
        syn.ip_options = ip_options.to_vec();
        w.inject(B, syn.packet());
        w.settle();
        let answer = sent_by(&mut w, B).remove(0);
        assert!(answer.has(TcpFlags::SYN | TcpFlags::ACK));
        let ack = answer.header.sequence.wrapping_add(1);
        let mut third = Craft::new("10.0.0.9", "10.0.0.2").flags(TcpFlags::ACK).numbers(101, ack);
        third.ip_options = ip_options.to_vec();
        w.inject(B, third.packet());
        w.settle();
        let (server, _) = w.accept(B, listener).expect("a connection");
        Stranger { w, server, seq: 101, ack }
    }

    fn send(&mut self, change: impl FnOnce(Craft) -> Craft) -> Vec<Seen> {
        let craft = Craft::new("10.0.0.9", "10.0.0.2").flags(TcpFlags::ACK).numbers(self.seq, self.ack);
        let craft = change(craft);
        self.seq = self.seq.wrapping_add(craft.payload.len() as u32);
        self.w.inject(B, craft.packet());
        self.w.settle();
        sent_by(&mut self.w, B)
    }

    fn longest(&mut self) -> usize {
        self.w.write(B, self.server, &[7; 8_000]).expect("room");
        self.w.settle();
        sent_by(&mut self.w, B).iter().map(|seen| seen.payload).max().unwrap_or(0)
    }
}

/// MUST-4, MUST-64, MUST-14: end of list, no-operation and MSS, wherever they begin.
#[test]
fn the_mandatory_options_are_read_at_any_alignment() {
    for syn in [
        &[2, 4, 2, 188][..],
        &[1, 2, 4, 2, 188],
        &[1, 1, 1, 2, 4, 2, 188, 0],
        &[253, 5, 9, 9, 9, 2, 4, 2, 188],
        &[2, 4, 2, 188, 0, 2, 4, 1, 0],
    ] {
        assert_eq!(Stranger::connected(syn, &[]).longest(), 700, "{syn:?}");
    }
}

/// MUST-5, MUST-6: in a SYN, an acknowledgment, text, a FIN and a reset.
#[test]
fn an_option_that_nobody_knows_is_skipped_in_every_segment() {
    let mut s = Stranger::connected(&[&UNKNOWN[..], &[2, 4, 2, 188]].concat(), &[]);
    let answer = s.send(|craft| craft.options(&UNKNOWN).payload(b"hello").flags(TcpFlags::ACK | TcpFlags::PSH));
    assert_eq!(answer[0].header.acknowledgment, s.seq);
    assert_eq!(s.w.read(B, s.server), Ok(b"hello".to_vec()));
    s.send(|craft| craft.options(&UNKNOWN));
    assert_eq!(s.longest(), 700);
    let answer = s.send(|craft| craft.options(&UNKNOWN).flags(TcpFlags::ACK | TcpFlags::FIN));
    assert_eq!(answer[0].header.acknowledgment, s.seq.wrapping_add(1));
    assert_eq!(s.w.read(B, s.server), Ok(vec![]));
    s.seq = s.seq.wrapping_add(1);
    s.send(|craft| craft.options(&UNKNOWN).flags(TcpFlags::RST));
    assert_eq!(s.w.stacks[B].usage().flows, 0);
}

/// MUST-7: the list ends there; what the segment carries is taken.
#[test]
fn an_option_of_impossible_length_ends_the_list_and_nothing_else() {
    for bad in [&[8, 0][..], &[8, 1], &[253, 0, 0, 0], &[8, 40, 1, 2], &[2], &[5, 250, 0, 0]] {
        let mut s = Stranger::connected(&[2, 4, 2, 188], &[]);
        let answer = s.send(|craft| craft.options(bad).payload(b"x").flags(TcpFlags::ACK | TcpFlags::PSH));
        assert_eq!(answer[0].header.acknowledgment, s.seq, "{bad:?}");
        assert_eq!(s.w.read(B, s.server), Ok(b"x".to_vec()), "{bad:?}");
    }
}

/// MUST-68, MUST-69: every option but end of list and no-operation has its length, and what follows the end is zero.
#[test]
fn our_options_have_lengths_and_zeroes_for_padding() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let listener = w.listener(B, "10.0.0.2:80", 1);
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    let (server, _) = w.accept(B, listener).expect("a connection");
    w.wire.loss = 100;
    for _ in 0..30 {
        let _ = w.write(A, client, &[3; 9_000]);
        w.settle();
        let _ = w.read(B, server);
    }
    let mut kinds = std::collections::BTreeSet::new();
    for host in [A, B] {
        let log = w.log.clone();
        for seen in sent_by(&mut w, host) {
            let mut rest = &seen.options[..];
            while let Some(kind) = rest.first() {
                kinds.insert(*kind);
                match kind {
                    0 => {
                        assert!(rest.iter().all(|byte| *byte == 0), "{:?}", seen.options);
                        rest = &[];
                    }
                    1 => rest = &rest[1..],
                    _ => {
                        let len = usize::from(rest[1]);
                        assert!(len >= 2 && len <= rest.len(), "{:?}", seen.options);
                        rest = &rest[len..];
                    }
                }
            }
        }
        w.log = log;
    }
    // MSS, window scale and timestamps were among them.
    assert!([2, 3, 8].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
}

/// MUST-50: no-operation, record route, timestamp, router alert, and one that nobody has defined.
#[test]
fn ip_options_are_passed_over() {
    for ip_options in
        [&[1, 1, 1, 1][..], &[7, 7, 4, 0, 0, 0, 0, 0], &[68, 8, 5, 0, 0, 0, 0, 0], &[148, 4, 0, 0], &[0x9e, 4, 1, 2]]
    {
        let mut s = Stranger::connected(&[2, 4, 2, 188], ip_options);
        let answer = s.send(|mut craft| {
            craft.ip_options = ip_options.to_vec();
            craft.payload(b"hello").flags(TcpFlags::ACK | TcpFlags::PSH)
        });
        assert_eq!(answer[0].header.acknowledgment, s.seq, "{ip_options:?}");
        assert_eq!(s.w.read(B, s.server), Ok(b"hello".to_vec()), "{ip_options:?}");
        assert!(answer[0].ip_options.is_empty());
    }
}
