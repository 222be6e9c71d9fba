//! Section 3.9.2.1: connections along source routes.

use segue_stack::Errno;
use segue_wire::{TcpFlags, TcpOptions, tcp};

use crate::common::*;
use crate::craft::{Craft, Seen, sent_by};

const IP: i32 = 0;
const IP_OPTIONS: i32 = 4;

/// A source route option with the pointer at `pointer`.
fn option(kind: u8, pointer: u8, hops: &[&str]) -> Vec<u8> {
    let mut bytes = vec![kind, 3 + 4 * hops.len() as u8, pointer];
    for hop in hops {
        let std::net::IpAddr::V4(hop) = ip(hop) else { panic!("not IPv4") };
        bytes.extend(hop.octets());
    }
    bytes
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// RFC 9293: the checksum is that of the originating source and the ultimate destination.
fn holds_for(seen: &Seen, destination: &str) -> bool {
    let segment = &seen.bytes[20 + seen.ip_options.len()..];
    let mut sum = tcp::pseudo_sum(seen.source, ip(destination), segment.len()).expect("one family");
    sum.add_slice(segment);
    sum.is_valid()
}

/// MUST-51: the header names the first hop, the option the others and the destination.
#[test]
fn an_active_open_takes_the_route_it_was_given() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let client = w.tcp(A);
    let asked = option(131, 4, &["10.0.0.21", "10.0.0.22"]);
    w.stacks[A].setsockopt(w.now, client, IP, IP_OPTIONS, &asked).unwrap();
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    let syn = sent_by(&mut w, A).remove(0);
    assert_eq!(syn.destination, ip("10.0.0.21"));
    assert_eq!(syn.ip_options, padded(option(131, 4, &["10.0.0.22", "10.0.0.2"])));
    assert!(holds_for(&syn, "10.0.0.2"));
    // MUST-16: the options are taken off the segment size.
    assert_eq!(TcpOptions::parse(&syn.options).mss, Some(1500 - 20 - 20 - 12));
    let mut value = [0; 40];
    let len = w.stacks[A].getsockopt(w.now, client, IP, IP_OPTIONS, &mut value).unwrap();
    assert_eq!(value[..len], padded(asked));
    assert_eq!(w.stacks[A].setsockopt(w.now, client, IP, IP_OPTIONS, &[131, 7, 8, 1, 1, 1, 1]), Err(Errno::EINVAL));
}

/// A SYN that has come to B over `hops`, and what B answers.
fn routed_syn(w: &mut World, hops: &[&str]) -> Vec<Seen> {
    let mut syn = Craft::new("10.0.0.9", "10.0.0.2").flags(TcpFlags::SYN).numbers(100, 0).options(&[2, 4, 5, 180]);
    syn.ip_options = padded(option(131, 4 + 4 * hops.len() as u8, hops));
    w.inject(B, syn.packet());
    w.settle();
    sent_by(w, B)
}

/// MUST-53, SHLD-24, MUST-52.
#[test]
fn a_passive_open_answers_along_the_way_back_and_follows_when_it_changes() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    w.stacks[B].set_sysctl(w.now, "net.ipv4.conf.all.accept_source_route", "1").unwrap();
    let listener = w.listener(B, "10.0.0.2:80", 4);
    let syn_ack = routed_syn(&mut w, &["10.0.0.31", "10.0.0.32"]).remove(0);
    assert_eq!(syn_ack.destination, ip("10.0.0.32"));
    assert_eq!(syn_ack.ip_options, padded(option(131, 4, &["10.0.0.31", "10.0.0.9"])));
    assert!(holds_for(&syn_ack, "10.0.0.9"));
    let ack = syn_ack.header.sequence.wrapping_add(1);
    let third = Craft::new("10.0.0.9", "10.0.0.2").flags(TcpFlags::ACK).numbers(101, ack);
    w.inject(B, third.packet());
    w.settle();
    let (server, _) = w.accept(B, listener).expect("a connection");
    w.write(B, server, &[7; 4_000]).unwrap();
    w.settle();
    let data = sent_by(&mut w, B);
    assert!(data.iter().all(|seen| seen.destination == ip("10.0.0.32") && holds_for(seen, "10.0.0.9")));
    assert_eq!(data.iter().map(|seen| seen.payload).max(), Some(1500 - 20 - 12 - 20));
    // Another route, in a later segment.
    let mut later = Craft::new("10.0.0.9", "10.0.0.2").flags(TcpFlags::ACK | TcpFlags::PSH).numbers(101, ack);
    (later.payload, later.ip_options) = (b"x".to_vec(), padded(option(131, 8, &["10.0.0.41"])));
    w.inject(B, later.packet());
    w.settle();
    assert!(sent_by(&mut w, B).iter().all(|seen| seen.destination == ip("10.0.0.41")));
    // What the application asks for goes before what was received, now and later.
    w.stacks[B].setsockopt(w.now, server, IP, IP_OPTIONS, &option(131, 4, &["10.0.0.51"])).unwrap();
    let mut last = Craft::new("10.0.0.9", "10.0.0.2").flags(TcpFlags::ACK | TcpFlags::PSH).numbers(102, ack);
    (last.payload, last.ip_options) = (b"x".to_vec(), padded(option(131, 8, &["10.0.0.61"])));
    w.inject(B, last.packet());
    w.settle();
    let answers = sent_by(&mut w, B);
    assert!(!answers.is_empty() && answers.iter().all(|seen| seen.destination == ip("10.0.0.51")));
}

/// RFC 7126 sections 4.3 and 4.4, and Linux: by default nothing that came along a source route is taken.
#[test]
fn by_default_source_routed_packets_are_dropped() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    w.listener(B, "10.0.0.2:80", 4);
    assert_eq!(routed_syn(&mut w, &["10.0.0.31"]).len(), 0);
    assert_eq!((w.counter(B, "IpInHdrErrors"), w.stacks[B].usage().opening), (1, 0));
}

#[test]
fn a_packet_that_has_hops_left_is_not_for_this_host() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    w.stacks[B].set_sysctl(w.now, "accept_source_route", "1").unwrap();
    w.listener(B, "10.0.0.2:80", 4);
    let mut syn = Craft::new("10.0.0.9", "10.0.0.2").flags(TcpFlags::SYN).numbers(100, 0);
    syn.ip_options = padded(option(131, 4, &["10.0.0.31"]));
    syn.meant = Some(ip("10.0.0.31"));
    w.inject(B, syn.packet());
    w.settle();
    assert_eq!((sent_by(&mut w, B).len(), w.counter(B, "IpInAddrErrors")), (0, 1));
}
