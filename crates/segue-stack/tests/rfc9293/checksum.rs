//! Section 3.1: the checksum is never optional.

use std::time::Duration;

use segue_wire::{TcpFlags, tcp};

use crate::common::*;
use crate::craft::{Craft, sent_by};

/// MUST-2.
#[test]
fn every_segment_that_leaves_has_a_checksum_that_holds() {
    for to in ["10.0.0.2:80", "[fd00::2]:80"] {
        let mut w = World::new(Wire { loss: 50, ..Wire::default() });
        w.keeps_log = true;
        let listener = w.listener(B, to, 1);
        let client = if to.starts_with('[') { w.tcp6(A) } else { w.tcp(A) };
        let _ = w.connect(A, client, to);
        w.until(Duration::from_secs(60), "the connection", |w| w.ready(B, listener).contains(segue_stack::Ready::IN));
        let (server, _) = w.accept(B, listener).unwrap();
        for n in 0..20 {
            let _ = w.write(A, client, &vec![n; 1_000 + usize::from(n)]);
            let _ = w.write(B, server, &[n; 7]);
            w.settle();
            let _ = w.read(B, server);
        }
        w.close(A, client);
        w.close(B, server);
        w.run(Duration::from_secs(10));
        let mut seen = 0;
        for (_, _, packet) in &w.log {
            let (v4, bytes) = (to.starts_with("10"), packet.to_vec());
            let ip_len = if v4 { 20 } else { 40 };
            let view = segue_wire::IpView::parse(&segue_stack::Packet::from_bytes(bytes.clone().into())).expect("IP");
            let sum = tcp::pseudo_sum(view.source, view.destination, bytes.len() - ip_len).map(|mut sum| {
                sum.add_slice(&bytes[ip_len..]);
                sum.is_valid()
            });
            assert_eq!(sum, Some(true));
            seen += 1;
        }
        assert!(seen > 60, "{seen} segments to {to}");
    }
}

/// MUST-3.
#[test]
fn a_segment_whose_checksum_does_not_hold_is_dropped_and_counted() {
    for (source, destination) in [("10.0.0.9", "10.0.0.2"), ("fd00::9", "fd00::2")] {
        let mut w = World::new(Wire::default());
        w.keeps_log = true;
        let bound = if source.contains(':') { "[::]:80" } else { "0.0.0.0:80" };
        w.listener(B, bound, 1);
        let syn = Craft::new(source, destination).flags(TcpFlags::SYN).numbers(1_000, 0).options(&[2, 4, 5, 180]);
        let bytes = syn.bytes();
        let start = if source.contains(':') { 40 } else { 20 };
        for at in (start..bytes.len()).filter(|at| *at != start + 12) {
            let mut wrong = bytes.clone();
            wrong[at] ^= 0x10;
            w.inject(B, crate::craft::packet(wrong));
            w.settle();
        }
        assert_eq!(sent_by(&mut w, B).len(), 0);
        let dropped = w.counter(B, "TcpInCsumErrors");
        assert_eq!((dropped, w.stacks[B].usage().opening), ((bytes.len() - start - 1) as u64, 0));
        w.inject(B, syn.packet());
        w.settle();
        assert!(sent_by(&mut w, B)[0].has(TcpFlags::SYN | TcpFlags::ACK), "the right one is answered");
    }
}
