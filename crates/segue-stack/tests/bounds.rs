//! What a stranger can make grow has a bound, and what the bound refuses is counted. The queues of listeners have their own
//! tests (`listening.rs`), as have reassembly, TIME-WAIT, orphans and the path MTU cache; here is the rest.

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::forge::Forged;
use common::*;
use segue_stack::{Arrived, IfaceConfig, ListPosition, Route, SocketId, SocketOption};
use segue_wire::tcp::TcpFlags;

fn from(n: u32) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from_bits(0x0b00_0000 + n), 40_000))
}

/// A host that reaches everybody by its link.
fn world() -> World {
    let mut w = World::new(Wire::default());
    w.stacks[B].add_route(Route::on_link(cidr("0.0.0.0/0"), w.ifaces[B])).unwrap();
    w
}

#[test]
fn packets_that_wait_are_bounded_by_netdev_max_backlog_and_served_in_order_and_portions() {
    let mut w = world();
    w.stacks[B].set_sysctl(w.now, "netdev_max_backlog", "100").unwrap();
    let (now, iface) = (w.now, w.ifaces[B]);
    let stack = &mut w.stacks[B];
    for n in 0..150 {
        let packet = Forged::syn(from(n), addr("10.0.0.2:81")).packet();
        let expected = if n < 100 { Arrived::Waits } else { Arrived::Dropped };
        assert_eq!(stack.enqueue_packet(iface, packet), expected, "{n}");
    }
    assert_eq!(stack.counters().by_name("SegueSoftnetDropped"), Some(50));
    assert_eq!(stack.usage().backlog, 100);
    assert_eq!(stack.next_deadline(), Some(segue_stack::Instant::ZERO), "there is something to do");
    // Nobody listens: each is answered with a reset, the first that came first.
    assert_eq!(stack.serve_backlog(now, 30), 70);
    let mut answered = Vec::new();
    while let Some((_, packet)) = stack.poll_transmit(now) {
        answered.push(u32::from_be_bytes(packet.head()[16..20].try_into().unwrap()) - 0x0b00_0000);
    }
    assert_eq!(answered, (0..30).collect::<Vec<_>>());
    assert_eq!(stack.serve_backlog(now, usize::MAX), 0);
    assert_eq!(stack.counters().by_name("TcpInSegs"), Some(100));
}

#[test]
fn answers_to_strangers_that_wait_for_the_link_are_bounded() {
    let mut w = world();
    let (now, iface) = (w.now, w.ifaces[B]);
    let stack = &mut w.stacks[B];
    for n in 0..5000 {
        stack.on_packet(now, iface, Forged::syn(from(n), addr("10.0.0.2:81")).packet());
    }
    let mut answers = 0;
    while stack.poll_transmit(now).is_some() {
        answers += 1;
    }
    assert_eq!(answers, 1024);
    assert_eq!(stack.counters().by_name("IpOutDiscards"), Some(5000 - 1024));
}

#[test]
fn timers_that_are_due_at_once_are_served_in_portions_and_none_is_forgotten() {
    let mut w = world();
    w.stacks[B].set_sysctl(w.now, "tcp_keepalive_time", "60").unwrap();
    let listener = w.listener(B, "10.0.0.2:80", 100);
    let clients: Vec<_> = (0..50).map(|_| w.tcp(A)).collect();
    for client in &clients {
        let _ = w.connect(A, *client, "10.0.0.2:80");
    }
    w.run(Duration::from_secs(3));
    let servers: Vec<_> = clients.iter().map(|_| w.accept(B, listener).unwrap().0).collect();
    for server in &servers {
        w.stacks[B].set_option(w.now, *server, SocketOption::KeepAlive(true)).unwrap();
    }
    w.run(Duration::from_secs(50));
    let later = w.now + Duration::from_secs(60);
    let stack = &mut w.stacks[B];
    let mut rounds = 0;
    while stack.on_deadline_within(later, 8) {
        rounds += 1;
        assert!(rounds <= 50 / 8, "each timer is served once");
    }
    let mut probes = 0;
    while stack.poll_transmit(later).is_some() {
        probes += 1;
    }
    assert_eq!(probes, 50);
}

/// A gateway on B's interface.
fn gateway() -> (World, SocketId) {
    let mut w = World::with(Wire::default(), |host, _, iface: &mut IfaceConfig| iface.accept_any = host == B);
    w.stacks[B].add_route(Route::on_link(cidr("0.0.0.0/0"), w.ifaces[B])).unwrap();
    let any = w.stacks[B].listen_any(w.now, w.ifaces[B]).unwrap();
    (w, any)
}

#[test]
fn a_gateway_that_accepts_everybody_remembers_no_more_handshakes_than_one_that_waits() {
    let (mut w, any) = gateway();
    w.stacks[B].set_sysctl(w.now, "tcp_max_syn_backlog", "64").unwrap();
    let (now, iface) = (w.now, w.ifaces[B]);
    let stack = &mut w.stacks[B];
    for n in 0..1000 {
        stack.on_packet(now, iface, Forged::syn(from(n), addr("192.0.2.7:443")).packet());
        while let Some(held) = stack.take_held(any) {
            stack.held_accept(now, held.id).unwrap();
        }
        while stack.poll_transmit(now).is_some() {}
    }
    let usage = stack.usage();
    assert_eq!((usage.opening, usage.held), (64, 0));
    assert_eq!(stack.counters().by_name("SegueTcpHeldSynsFull"), Some(1000 - 64));
}

#[test]
fn syns_that_are_reset_while_a_gateway_does_not_look_leave_nothing_behind() {
    let (mut w, any) = gateway();
    w.stacks[B].set_sysctl(w.now, "tcp_max_syn_backlog", "64").unwrap();
    let (now, iface) = (w.now, w.ifaces[B]);
    let stack = &mut w.stacks[B];
    let mut come_and_go = |rounds: u32| {
        for n in 0..rounds {
            let syn = Forged::syn(from(n), addr("192.0.2.7:443"));
            stack.on_packet(now, iface, syn.packet());
            let reset = Forged { flags: TcpFlags::RST, sequence: syn.sequence + 1, ..syn };
            stack.on_packet(now, iface, reset.packet());
        }
        stack.usage()
    };
    come_and_go(1000);
    let mut usage = segue_stack::Usage::default();
    let more = allocation_counter::measure(|| usage = come_and_go(100_000)).bytes_current;
    assert!(more.abs() < 10_000, "{more} bytes are left of SYNs that are gone");
    assert_eq!((usage.held, usage.flows, usage.timers), (0, 0, 0));
    assert_eq!(w.stacks[B].take_held(any), None);
}

#[test]
fn a_list_in_parts_has_every_socket_once_and_each_part_is_bounded() {
    const PART: u32 = 100;
    let mut w = World::new(Wire::default());
    let all: Vec<SocketId> = (0..3_000).map(|_| w.udp(A)).collect();
    // Places without a socket cost as much as those with one.
    all.iter().filter(|id| id.index() % 3 != 0 || id.index() < 1_000).for_each(|id| w.close(A, *id));
    let listed = |w: &mut World, between: &mut dyn FnMut(&mut World)| {
        let (mut names, mut from) = (Vec::new(), Some(ListPosition::default()));
        while let Some(position) = from {
            let before = names.len();
            from = w.stacks[A].sockets_part(w.now, position, PART, &mut |info| names.extend(info.socket));
            assert!(names.len() - before <= PART as usize);
            // As it travels in a message.
            from = from.map(|position| ListPosition::from_u64(position.as_u64()));
            between(w);
        }
        names
    };
    let whole: Vec<SocketId> = w.stacks[A].sockets(w.now).filter_map(|info| info.socket).collect();
    assert_eq!(whole.len(), 666);
    assert!(listed(&mut w, &mut |_| {}) == whole, "each once, in their order");
    // What goes meanwhile hides nothing else.
    let mut gone = whole.clone().into_iter().rev();
    let kept = listed(&mut w, &mut |w| gone.next().into_iter().for_each(|id| w.close(A, id)));
    assert!(whole[..600].iter().all(|id| kept.contains(id)) && kept.len() < whole.len());
    let end = ListPosition::from_u64(u64::MAX);
    assert_eq!(w.stacks[A].sockets_part(w.now, end, PART, &mut |_| panic!("beyond the end")), None);
}
