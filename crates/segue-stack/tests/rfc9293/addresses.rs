//! Sections 3.9.1.1 and 3.9.2.3: whose address a connection has, and whom nobody talks to.

use segue_stack::{Errno, SocketOption};
use segue_wire::TcpFlags;

use crate::common::*;
use crate::craft::{Craft, sent_by};

/// A has two addresses of each family.
fn world() -> World {
    World::with(Wire::default(), |host, _, iface| {
        if host == A {
            iface.addresses.push(cidr("10.0.0.5/24"));
            iface.addresses.push(cidr("fd00::5/64"));
        }
    })
}

/// MUST-57, MUST-63; RFC 1122 section 3.2.1.3.
#[test]
fn a_syn_from_or_to_an_address_that_is_no_hosts_is_ignored() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    w.listener(B, "0.0.0.0:80", 10);
    let v6 = w.tcp6(B);
    w.stacks[B].set_option(w.now, v6, SocketOption::V6Only(true)).unwrap();
    w.bind(B, v6, "[::]:80").unwrap();
    w.stacks[B].listen(v6, 10).unwrap();
    for (source, destination) in [
        ("10.0.0.255", "10.0.0.2"),
        ("255.255.255.255", "10.0.0.2"),
        ("224.0.0.5", "10.0.0.2"),
        ("0.0.0.0", "10.0.0.2"),
        ("127.0.0.1", "10.0.0.2"),
        ("10.0.0.2", "10.0.0.2"),
        ("10.0.0.9", "10.0.0.255"),
        ("10.0.0.9", "255.255.255.255"),
        ("10.0.0.9", "224.0.0.1"),
        ("ff02::1", "fd00::2"),
        ("::", "fd00::2"),
        ("::1", "fd00::2"),
        ("fd00::2", "fd00::2"),
        ("fd00::9", "ff02::1"),
    ] {
        let syn = Craft::new(source, destination).flags(TcpFlags::SYN).numbers(1, 0).options(&[2, 4, 5, 180]);
        w.inject(B, syn.packet());
        w.settle();
        assert_eq!(sent_by(&mut w, B).len(), 0, "{source} to {destination}");
        assert_eq!(w.stacks[B].usage().opening, 0, "{source} to {destination}");
    }
    for (source, destination) in [("10.0.0.9", "10.0.0.2"), ("fd00::9", "fd00::2")] {
        w.inject(B, Craft::new(source, destination).flags(TcpFlags::SYN).numbers(1, 0).packet());
        w.settle();
        assert_eq!(sent_by(&mut w, B).len(), 1, "{source} to {destination}");
    }
}

/// MUST-43, MUST-45: the address that was bound is the connection's, in every segment.
#[test]
fn a_connection_keeps_the_local_address_that_was_chosen_for_it() {
    for (bound, to) in [("10.0.0.5:0", "10.0.0.2:80"), ("[fd00::5]:0", "[fd00::2]:80")] {
        let mut w = world();
        w.keeps_log = true;
        let listener = w.listener(B, to, 1);
        let client = if to.starts_with('[') { w.tcp6(A) } else { w.tcp(A) };
        w.bind(A, client, bound).unwrap();
        let _ = w.connect(A, client, to);
        w.settle();
        let (server, _) = w.accept(B, listener).unwrap();
        w.write(B, server, b"hello").unwrap();
        w.write(A, client, b"hello").unwrap();
        w.settle();
        w.close(A, client);
        w.settle();
        let sources: Vec<String> = sent_by(&mut w, A).iter().map(|seen| seen.source.to_string()).collect();
        let expected = addr(bound).ip().to_string();
        assert!(sources.len() >= 5 && sources.iter().all(|source| *source == expected), "{sources:?}");
    }
}

/// MUST-44: the routes choose.
#[test]
fn without_a_local_address_the_ip_layer_is_asked_for_one() {
    for (to, expected) in [("10.0.0.2:80", "10.0.0.1"), ("[fd00::2]:80", "fd00::1"), ("127.0.0.1:80", "127.0.0.1")] {
        let mut w = world();
        let host = if to.starts_with("127") { A } else { B };
        w.listener(host, to, 1);
        let client = if to.starts_with('[') { w.tcp6(A) } else { w.tcp(A) };
        let _ = w.connect(A, client, to);
        w.settle();
        assert_eq!(w.stacks[A].local_addr(client).map(|address| address.ip().to_string()), Ok(expected.into()));
    }
}

/// MUST-41: a second LISTEN is an error, and the first goes on.
#[test]
fn a_passive_open_leaves_all_others_alone() {
    let mut w = World::new(Wire::default());
    let first = w.listener(B, "10.0.0.2:80", 4);
    let second = w.tcp(B);
    assert_eq!(w.bind(B, second, "10.0.0.2:80"), Err(Errno::EADDRINUSE));
    let third = w.tcp(B);
    for id in [first, third] {
        w.stacks[B].set_option(w.now, id, SocketOption::ReuseAddress(true)).unwrap();
    }
    assert_eq!(w.bind(B, third, "10.0.0.2:80"), Err(Errno::EADDRINUSE), "somebody listens there");
    w.listener(B, "10.0.0.2:81", 4);
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    assert!(w.accept(B, first).is_ok());
}

/// MUST-42.
#[test]
fn one_may_listen_on_a_port_from_which_another_connection_is_being_opened() {
    let mut w = World::new(Wire::default());
    let opener = w.tcp(B);
    w.stacks[B].set_option(w.now, opener, SocketOption::ReuseAddress(true)).unwrap();
    w.bind(B, opener, "10.0.0.2:80").unwrap();
    // Nobody answers there: it stays in SYN-SENT.
    let _ = w.connect(B, opener, "10.0.0.77:9");
    w.settle();
    let listener = w.tcp(B);
    w.stacks[B].set_option(w.now, listener, SocketOption::ReuseAddress(true)).unwrap();
    w.bind(B, listener, "10.0.0.2:80").unwrap();
    assert_eq!(w.stacks[B].listen(listener, 4), Ok(()));
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.settle();
    assert!(w.accept(B, listener).is_ok());
}
