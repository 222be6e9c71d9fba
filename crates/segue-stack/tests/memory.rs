//! What a connection costs in memory, by kind: counted at the allocator.
mod common;

use core::time::Duration;

use common::*;
use segue_stack::{Domain, SocketId, SocketOption, SocketType};

const COUNT: usize = 2000;

/// Open `COUNT` connections and give both ends.
fn open(w: &mut World) -> (Vec<SocketId>, Vec<SocketId>) {
    w.stacks[B].set_sysctl(w.now, "somaxconn", "65535").unwrap();
    w.stacks[B].set_sysctl(w.now, "tcp_max_syn_backlog", "65535").unwrap();
    let listener = w.listener(B, "10.0.0.2:80", COUNT as i32);
    let clients: Vec<SocketId> = (0..COUNT)
        .map(|_| {
            let client = w.tcp(A);
            let _ = w.connect(A, client, "10.0.0.2:80");
            client
        })
        .collect();
    // More SYNs at once than answers may wait for the link: the rest comes with the retry.
    w.run(Duration::from_secs(5));
    let servers = (0..COUNT).map(|_| w.accept(B, listener).unwrap().0).collect();
    (clients, servers)
}

fn wire() -> Wire {
    Wire { is_super: true, ..Wire::default() }
}

/// Bytes on the heap now, compared with before the work.
fn bytes_after(work: impl FnOnce()) -> i64 {
    allocation_counter::measure(work).bytes_current
}

#[test]
fn an_idle_connection_holds_no_buffer_even_after_it_has_moved_data() {
    let mut w = World::new(wire());
    let mut ends = (Vec::new(), Vec::new());
    let total = bytes_after(|| {
        ends = open(&mut w);
        for (client, server) in ends.0.clone().into_iter().zip(ends.1.clone()) {
            w.write(A, client, &[1; 20_000]).unwrap();
            w.settle();
            while w.read(B, server).is_ok() {}
        }
        // Delayed acknowledgements and timers have run out.
        w.run(Duration::from_secs(10));
        while w.stacks[A].poll_event().is_some() || w.stacks[B].poll_event().is_some() {}
    });
    let each = total / (2 * COUNT as i64);
    println!("an idle connection costs {each} bytes");
    assert!(each <= 1024, "{each} bytes per idle connection");
    assert_eq!(w.stacks[A].usage().queued_bytes + w.stacks[B].usage().queued_bytes, 0);
}

#[test]
fn a_time_wait_entry_and_a_half_open_connection_are_small() {
    let mut w = World::new(wire());
    let (clients, servers) = open(&mut w);
    let closing = || {
        for client in &clients {
            w.stacks[A].close(w.now, *client).unwrap();
        }
        w.settle();
        for server in &servers {
            w.stacks[B].set_option(w.now, *server, SocketOption::NoDelay(true)).unwrap();
            w.stacks[B].close(w.now, *server).unwrap();
        }
        w.settle();
    };
    let before_and_after = bytes_after(closing);
    assert_eq!(w.stacks[A].usage().time_wait, COUNT);
    let last = bytes_after(|| w.run(Duration::from_secs(70)));
    println!("closing {COUNT} pairs changed the heap by {before_and_after}, TIME-WAIT held at most {} bytes", -last);
    assert!(before_and_after < 0, "closing frees memory: {before_and_after}");
    assert_eq!(w.stacks[A].usage().time_wait, 0);
}

/// Bytes that end with each TIME-WAIT entry of connections to an address, beside what tables keep.
fn bytes_of_time_wait(server: &str) -> i64 {
    // Closed one after the other, within the minute that an entry stays.
    const COUNT: usize = 50;
    let mut w = World::new(wire());
    w.stacks[B].set_sysctl(w.now, "somaxconn", "65535").unwrap();
    w.stacks[B].set_sysctl(w.now, "tcp_max_syn_backlog", "65535").unwrap();
    let to = addr(server);
    let domain = if to.is_ipv4() { Domain::Inet } else { Domain::Inet6 };
    let listener = w.stacks[B].socket(domain, SocketType::Stream).unwrap();
    w.bind(B, listener, server).unwrap();
    w.stacks[B].listen(listener, COUNT as i32).unwrap();
    for _ in 0..COUNT {
        let client = w.stacks[A].socket(domain, SocketType::Stream).unwrap();
        let _ = w.connect(A, client, server);
        w.settle();
        let (server, _) = w.accept(B, listener).unwrap();
        w.close(A, client);
        w.settle();
        w.close(B, server);
        w.settle();
    }
    assert_eq!(w.stacks[A].usage().time_wait, COUNT);
    -bytes_after(|| w.run(Duration::from_secs(70))) / COUNT as i64
}

#[test]
fn an_entry_in_time_wait_takes_34_bytes_more_over_ipv6() {
    let (v4, v6) = (bytes_of_time_wait("10.0.0.2:80"), bytes_of_time_wait("[fd00::2]:80"));
    assert!((v4 + 32..=v4 + 36).contains(&v6), "{v4} over IPv4, {v6} over IPv6");
}

#[test]
fn a_flood_of_syns_leaves_nothing_behind() {
    let mut w = World::new(wire());
    w.listener(B, "10.0.0.2:80", 100);
    w.keeps_log = true;
    let client = w.tcp(A);
    let _ = w.connect(A, client, "10.0.0.2:80");
    w.wire.loss = 1000;
    w.pump();
    w.keeps_log = false;
    let syn = w.log[0].2.to_vec();
    let flood = |w: &mut World, round: u32| {
        for n in 0..10_000u32 {
            let mut bytes = syn.clone();
            bytes[12..16].copy_from_slice(&(0x0b00_0000 + round * 10_000 + n).to_be_bytes());
            bytes[10..12].fill(0);
            let sum = segue_wire::checksum::checksum(&bytes[..20]);
            bytes[10..12].copy_from_slice(&sum.to_be_bytes());
            let mut packet = segue_stack::Packet::from_bytes(bytes.into());
            packet.checksum = segue_wire::ChecksumState::Verified;
            let (now, iface) = (w.now, w.ifaces[B]);
            w.stacks[B].on_packet(now, iface, packet);
        }
        while w.stacks[B].poll_transmit(w.now).is_some() {}
        assert!(w.stacks[B].usage().opening <= 2048);
        w.now += Duration::from_secs(100);
        w.stacks[B].on_deadline(w.now);
        while w.stacks[B].poll_transmit(w.now).is_some() {}
    };
    // Spoofed sources need a way back.
    let route = segue_stack::Route::on_link(cidr("0.0.0.0/0"), w.ifaces[B]);
    w.stacks[B].add_route(route).unwrap();
    flood(&mut w, 0);
    let more = bytes_after(|| (1..10).for_each(|round| flood(&mut w, round)));
    assert!(more < 100_000, "nine more floods kept {more} bytes");
    let usage = w.stacks[B].usage();
    assert!(usage.opening <= 2048 && usage.timers <= usage.opening, "{usage:?}");
}

/// Heap and charge for each of `count` connections, both ends together, on two stacks whose budget keeps nothing back any more.
fn idle_cost(rare: bool) -> (i64, i64) {
    const RESERVE: u16 = 300;
    let mut w = World::with(wire(), |_, config, _| config.memory = Some(5 << 20));
    let listener = w.listener(B, "10.0.0.2:80", 4096);
    if rare {
        // SO_PRIORITY.
        w.set(B, listener, 1, 12, 3);
    }
    let open = |w: &mut World, count: u16| {
        for _ in 0..count {
            let client = w.tcp(A);
            if rare {
                w.set(A, client, 1, 12, 3);
            }
            let _ = w.connect(A, client, "10.0.0.2:80");
            w.settle();
            let (server, _) = w.accept(B, listener).unwrap();
            w.write(A, client, &[1; 2_000]).unwrap();
            w.settle();
            w.read(B, server).unwrap();
            w.write(B, server, &[1; 2_000]).unwrap();
            w.settle();
            w.read(A, client).unwrap();
        }
        w.run(Duration::from_secs(10));
        while w.stacks[A].poll_event().is_some() || w.stacks[B].poll_event().is_some() {}
    };
    open(&mut w, RESERVE + 100);
    let charged = |w: &World| (w.stacks[A].counted_bytes() + w.stacks[B].counted_bytes()) as i64;
    let before = charged(&w);
    let count = 900;
    let heap = bytes_after(|| open(&mut w, count));
    (heap / i64::from(count), (charged(&w) - before) / i64::from(count))
}

#[test]
fn a_budget_charges_an_idle_connection_what_it_takes() {
    let (heap, charged) = idle_cost(false);
    assert!((heap..heap * 6 / 5).contains(&charged), "{heap} bytes on the heap, {charged} charged");
    // The side that accepts is charged for what its listener hands down; the other side's options are its own program's.
    let (heap_of_rare, charged_of_rare) = idle_cost(true);
    let (heap, charged) = ((heap_of_rare - heap) / 2, charged_of_rare - charged);
    assert!((heap..heap * 6 / 5).contains(&charged), "rare options: {heap} bytes on the heap, {charged} charged");
}

/// Connections that come, say something both ways and go again, by turns closed from either side or reset; then everything
/// rests until TIME-WAIT is over.
fn come_and_go(w: &mut World, listener: SocketId, rounds: usize) {
    for round in 0..rounds {
        for _ in 0..100 {
            let client = w.tcp(A);
            let _ = w.connect(A, client, "10.0.0.2:80");
            w.settle();
            let (server, _) = w.accept(B, listener).unwrap();
            w.write(A, client, &[1; 3000]).unwrap();
            w.write(B, server, &[2; 3000]).unwrap();
            w.settle();
            if round % 3 < 2 {
                w.read(A, client).unwrap();
                w.read(B, server).unwrap();
            }
            let [first, second] = if round % 2 == 0 { [(A, client), (B, server)] } else { [(B, server), (A, client)] };
            w.close(first.0, first.1);
            w.settle();
            w.close(second.0, second.1);
            w.settle();
        }
        w.run(Duration::from_secs(300));
        while w.stacks[A].poll_event().is_some() || w.stacks[B].poll_event().is_some() {}
    }
    for host in [A, B] {
        let usage = w.stacks[host].usage();
        assert_eq!((usage.time_wait, usage.timers, usage.queued_bytes), (0, 0, 0), "{usage:?}");
    }
}

#[test]
fn three_times_as_many_connections_leave_not_one_byte_more_behind() {
    let mut w = World::new(wire());
    let listener = w.listener(B, "10.0.0.2:80", 100);
    // What tables keep for the most that there ever were at once, and hash tables for what was deleted, is taken here.
    let kept = bytes_after(|| come_and_go(&mut w, listener, 20));
    assert!(kept < 100_000, "{kept}");
    let more = [6, 12].map(|rounds| bytes_after(|| come_and_go(&mut w, listener, rounds)));
    assert_eq!(more, [0, 0], "bytes left of 600 connections, and of 1200 others");
}
