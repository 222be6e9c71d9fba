//! bind(): who may share a port, and with which errno a bind is refused.
mod common;

use common::*;
use segue_stack::{Domain, Errno, SocketId, SocketOption, SocketType};

const PORT: u16 = 20000;

/// The addresses of `linux/bind_conflicts.py`: address, family, `IPV6_V6ONLY`.
const ADDRESSES: [(&str, &str, Domain, bool); 7] = [
    ("any4", "0.0.0.0", Domain::Inet, false),
    ("lo4", "127.0.0.1", Domain::Inet, false),
    ("two4", "127.0.0.2", Domain::Inet, false),
    ("any6", "::", Domain::Inet6, false),
    ("only6", "::", Domain::Inet6, true),
    ("lo6", "::1", Domain::Inet6, false),
    ("map4", "::ffff:127.0.0.1", Domain::Inet6, false),
];

fn make(w: &mut World, kind: SocketType, name: &str, flags: &str) -> (SocketId, Result<(), Errno>) {
    let (_, address, domain, v6_only) = ADDRESSES.into_iter().find(|(known, ..)| *known == name).unwrap();
    let id = w.stacks[A].socket(domain, kind).unwrap();
    if v6_only {
        w.stacks[A].set_option(w.now, id, SocketOption::V6Only(true)).unwrap();
    }
    w.stacks[A].set_option(w.now, id, SocketOption::ReuseAddress(flags.contains('a'))).unwrap();
    w.stacks[A].set_option(w.now, id, SocketOption::ReusePort(flags.contains('p'))).unwrap();
    let bound = w.stacks[A].bind(w.now, id, at(address, PORT));
    (id, bound)
}

fn ask(w: &mut World, kind: SocketType, is_listening: bool, first: (&str, &str), second: (&str, &str)) -> char {
    let (a, bound) = make(w, kind, first.0, first.1);
    bound.unwrap();
    if is_listening {
        w.stacks[A].listen(a, 1).unwrap();
    }
    let (b, bound) = make(w, kind, second.0, second.1);
    let answer = match bound {
        Err(Errno::EADDRINUSE) => 'X',
        Err(other) => panic!("{other}"),
        Ok(()) if kind == SocketType::Stream => match w.stacks[A].listen(b, 1) {
            Ok(()) => '.',
            Err(Errno::EADDRINUSE) => 'L',
            Err(other) => panic!("{other}"),
        },
        Ok(()) => '.',
    };
    w.close(A, a);
    w.close(A, b);
    answer
}

#[test]
fn two_sockets_share_a_port_exactly_where_linux_lets_them() {
    let mut w = World::new(Wire::default());
    let flags = ["", "a", "p", "ap"];
    let mut cells = 0;
    for line in include_str!("linux/bind_conflicts.txt").lines() {
        let [proto, state, first, second, answers] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let kind = if proto == "tcp" { SocketType::Stream } else { SocketType::Datagram };
        let ours: String = (0..16)
            .map(|n| ask(&mut w, kind, state == "listening", (first, flags[n / 4]), (second, flags[n % 4])))
            .collect();
        assert_eq!(ours, answers, "{proto} {state} {first} {second}");
        cells += 16;
    }
    assert_eq!(cells, 3 * 49 * 16);
}

#[test]
fn a_bind_that_makes_no_sense_is_refused_with_linuxs_number() {
    let mut w = World::new(Wire::default());
    let socket = w.tcp(A);
    assert_eq!(w.bind(A, socket, "192.0.2.1:80"), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(w.bind(A, socket, "[::1]:80"), Err(Errno::EAFNOSUPPORT));
    assert_eq!(w.bind(A, socket, "10.0.0.1:80"), Ok(()));
    assert_eq!(w.bind(A, socket, "10.0.0.1:81"), Err(Errno::EINVAL));
    let six = w.tcp6(A);
    assert_eq!(w.bind(A, six, "[2001:db8::1]:80"), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(w.bind(A, six, "[ff02::1]:80"), Err(Errno::EINVAL));
    w.stacks[A].set_option(w.now, six, SocketOption::V6Only(true)).unwrap();
    assert_eq!(w.bind(A, six, "[::ffff:10.0.0.1]:90"), Err(Errno::EINVAL));
    assert_eq!(w.bind(A, six, "[fd00::1]:80"), Ok(()));
    assert_eq!(w.stacks[A].set_option(w.now, six, SocketOption::V6Only(false)), Err(Errno::EINVAL));
}

#[test]
fn port_zero_gives_every_socket_a_port_of_its_own_out_of_the_range() {
    let mut w = World::new(Wire::default());
    w.stacks[A].set_sysctl(w.now, "ip_local_port_range", "40000 40009").unwrap();
    let mut ports: Vec<u16> = (0..10)
        .map(|_| {
            let socket = w.tcp(A);
            w.bind(A, socket, "0.0.0.0:0").unwrap();
            w.stacks[A].local_addr(socket).unwrap().port()
        })
        .collect();
    ports.sort_unstable();
    assert_eq!(ports, (40000..40010).collect::<Vec<_>>());
    let one_more = w.tcp(A);
    assert_eq!(w.bind(A, one_more, "0.0.0.0:0"), Err(Errno::EADDRINUSE));
    // Another protocol has its own ports.
    let datagram = w.udp(A);
    assert_eq!(w.bind(A, datagram, "0.0.0.0:0"), Ok(()));
}

#[test]
fn a_port_is_free_again_when_its_socket_is_closed() {
    let mut w = World::new(Wire::default());
    for _ in 0..3 {
        let socket = w.listener(A, "0.0.0.0:80", 1);
        w.close(A, socket);
    }
    let usage = w.stacks[A].usage();
    assert_eq!((usage.sockets, usage.tcp_ports, usage.timers), (0, 0, 0));
}

#[test]
fn freebind_takes_an_address_that_is_not_there_yet() {
    const IPPROTO_IP: i32 = 0;
    const IP_FREEBIND: i32 = 15;
    let mut w = World::new(Wire::default());
    let socket = w.tcp(A);
    w.stacks[A].setsockopt(w.now, socket, IPPROTO_IP, IP_FREEBIND, &1i32.to_ne_bytes()).unwrap();
    assert_eq!(w.bind(A, socket, "192.0.2.1:80"), Ok(()));
}
