//! bind(): who may share a port, and with which errno a bind is refused.
mod common;

use std::process::Command;

use common::*;
use segue_stack::{Domain, Errno, SocketId, SocketOption, SocketType};

const SOL_SOCKET: i32 = 1;
const SO_BINDTODEVICE: i32 = 25;
/// Whose the first socket is, and whose the second may be; the stack's own user is neither.
const USER: u32 = 1000;
const OTHER: u32 = 12345;

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

/// Where a client reaches a listener on one of them.
fn client_of(name: &str) -> &'static str {
    match name {
        "two4" => "127.0.0.2",
        "any6" | "only6" | "lo6" => "::1",
        _ => "127.0.0.1",
    }
}

fn make(
    w: &mut World,
    kind: SocketType,
    (name, flags, device, uid): (&str, &str, &str, u32),
    port: u16,
) -> (SocketId, Result<(), Errno>) {
    let (_, address, domain, v6_only) = ADDRESSES.into_iter().find(|(known, ..)| *known == name).unwrap();
    let id = w.stacks[A].socket_of(domain, kind, uid).unwrap();
    if v6_only {
        w.stacks[A].set_option(w.now, id, SocketOption::V6Only(true)).unwrap();
    }
    w.stacks[A].set_option(w.now, id, SocketOption::ReuseAddress(flags.contains('a'))).unwrap();
    w.stacks[A].set_option(w.now, id, SocketOption::ReusePort(flags.contains('p'))).unwrap();
    w.stacks[A].setsockopt(w.now, id, SOL_SOCKET, SO_BINDTODEVICE, device.as_bytes()).unwrap();
    let bound = w.stacks[A].bind(w.now, id, at(address, port));
    (id, bound)
}

/// What is left of a listener that took one connection and has closed since.
fn accepted(
    w: &mut World,
    listener: SocketId,
    (name, port): (&str, u16),
    is_over: bool,
    taken_by: Option<u32>,
) -> Vec<SocketId> {
    w.stacks[A].listen(listener, 1).unwrap();
    let to = at(client_of(name), port);
    let client = if to.is_ipv4() { w.tcp(A) } else { w.tcp6(A) };
    assert_eq!(w.stacks[A].connect(w.now, client, to), Err(Errno::EINPROGRESS));
    w.pump();
    let (server, _) = w.accept(A, listener).unwrap();
    taken_by.inspect(|uid| w.stacks[A].fchown(server, *uid).unwrap());
    w.close(A, listener);
    if !is_over {
        return vec![server, client];
    }
    w.close(A, server);
    w.pump();
    assert_eq!(w.read(A, client).map(|bytes| bytes.len()), Ok(0));
    w.close(A, client);
    w.pump();
    vec![]
}

fn ask(
    w: &mut World,
    (kind, state, port): (SocketType, &str, u16),
    (first, its_flags): (&str, &str),
    (second, other_flags): (&str, &str),
) -> char {
    let (device, other_device) = match state.split_once('@') {
        Some((_, "lo-")) => ("lo", ""),
        Some((_, "-lo")) => ("", "lo"),
        Some((_, "lolo")) => ("lo", "lo"),
        Some((_, "lod1")) => ("lo", "eth0"),
        _ => ("", ""),
    };
    let (state, users) = state.split_once('%').unwrap_or((state, ""));
    let (a, bound) = make(w, kind, (first, its_flags, device, USER), port);
    bound.unwrap();
    let mut held = vec![a];
    match state {
        "listening" => w.stacks[A].listen(a, 1).unwrap(),
        "open" | "timewait" => {
            let taken_by = (users == "taken").then_some(OTHER);
            held = accepted(w, a, (first, port), state == "timewait", taken_by);
        }
        _ => {}
    }
    let uid = if users == "other" { OTHER } else { USER };
    let (b, bound) = make(w, kind, (second, other_flags, other_device, uid), port);
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
    w.close(A, b);
    for socket in held {
        w.close(A, socket);
    }
    w.pump();
    answer
}

/// Compares a table that the kernel made; gives what differs.
fn differing(table: &str) -> Vec<String> {
    let mut w = World::new(Wire::default());
    let flags = ["", "a", "p", "ap"];
    let mut differing = Vec::new();
    let mut port = 1000;
    for line in table.lines() {
        let [proto, state, first, second, answers] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let kind = if proto == "tcp" { SocketType::Stream } else { SocketType::Datagram };
        let mut cell = |n: usize| {
            port += 1;
            ask(&mut w, (kind, state, port), (first, flags[n / 4]), (second, flags[n % 4]))
        };
        let ours: String = (0..16).map(&mut cell).collect();
        if ours != answers {
            differing.push(format!("{proto} {state} {first} {second}: ours {ours}, Linux {answers}"));
        }
    }
    differing
}

#[test]
fn two_sockets_share_a_port_exactly_where_linux_lets_them() {
    let table = include_str!("linux/bind_conflicts.txt");
    let users = 5 * 49 + 49;
    let all = 5 * 49 + 2 * 4 * 4 + users;
    assert_eq!(
        table.lines().count(),
        all,
        "four states of TCP, one of UDP, four pairs of devices, two users in six ways"
    );
    let wrong = differing(table);
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// As root: the kernel that runs this test answers as the table says, so the stack is compared with it, too.
#[test]
fn this_machines_kernel_lets_the_same_sockets_share() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/linux/bind_conflicts.py");
    let setup = "ip link set lo up && ip link add d1 type veth peer name d2 && exec python3 \"$0\"";
    let output = Command::new("unshare").args(["-n", "sh", "-c", setup, script]).output();
    let table = match output {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        Ok(output) => return eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr).trim()),
        Err(error) => return eprintln!("skipped: unshare: {error}"),
    };
    let wrong = differing(&table);
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn reserved_ports_are_bound_by_number_and_never_chosen() {
    let mut w = World::new(Wire::default());
    w.stacks[A].set_sysctl(w.now, "ip_local_port_range", "40000 40003").unwrap();
    w.stacks[A].set_sysctl(w.now, "ip_local_reserved_ports", "40000,40002-40003").unwrap();
    let chosen = w.tcp(A);
    w.bind(A, chosen, "0.0.0.0:0").unwrap();
    assert_eq!(w.stacks[A].local_addr(chosen).unwrap().port(), 40001);
    let another = w.tcp(A);
    assert_eq!(w.bind(A, another, "0.0.0.0:0"), Err(Errno::EADDRINUSE));
    assert_eq!(w.connect(A, another, "10.0.0.2:80"), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(w.bind(A, another, "0.0.0.0:40002"), Ok(()));
    w.close(A, chosen);
    let client = w.tcp(A);
    assert_eq!(w.connect(A, client, "10.0.0.2:80"), Err(Errno::EINPROGRESS));
    assert_eq!(w.stacks[A].local_addr(client).unwrap().port(), 40001);
}

#[test]
fn when_no_port_is_free_autobind_reuse_shares_among_those_with_reuseaddr_alone() {
    let choose = |w: &mut World, (address, port), uid| {
        let socket = w.stacks[A].socket_of(Domain::Inet, SocketType::Stream, uid).unwrap();
        w.stacks[A].set_option(w.now, socket, SocketOption::ReuseAddress(address)).unwrap();
        w.stacks[A].set_option(w.now, socket, SocketOption::ReusePort(port)).unwrap();
        w.bind(A, socket, "0.0.0.0:0")
    };
    let full = |flags| {
        let mut w = World::new(Wire::default());
        w.stacks[A].set_sysctl(w.now, "ip_local_port_range", "40000 40003").unwrap();
        for _ in 0..4 {
            assert_eq!(choose(&mut w, flags, USER), Ok(()));
        }
        assert_eq!(choose(&mut w, flags, USER), Err(Errno::EADDRINUSE));
        w.stacks[A].set_sysctl(w.now, "ip_autobind_reuse", "1").unwrap();
        w
    };
    let (both, port, address, refused) = ((true, true), (false, true), (true, false), Err(Errno::EADDRINUSE));
    // As this machine's kernel answers: those that could share by SO_REUSEPORT do so by name only.
    for (held, new, answer) in [
        (address, address, Ok(())),
        (address, both, Ok(())),
        (address, port, refused),
        (both, address, Ok(())),
        (both, both, refused),
        (port, address, refused),
        (port, port, refused),
    ] {
        assert_eq!(choose(&mut full(held), new, USER), answer, "{held:?} {new:?}");
    }
    // Another user's is no group to join.
    assert_eq!(choose(&mut full(both), both, OTHER), Ok(()));
    assert_eq!(choose(&mut full(address), (false, false), USER), refused);
}

#[test]
fn the_owner_of_a_socket_is_the_stacks_user_the_one_who_made_it_or_the_one_it_was_given_to() {
    let mut w = World::with(Wire::default(), |_, config, _| config.uid = USER);
    let own = w.tcp(A);
    let other = w.stacks[A].socket_of(Domain::Inet, SocketType::Datagram, OTHER).unwrap();
    assert_eq!((w.stacks[A].owner(own), w.stacks[A].owner(other)), (Ok(USER), Ok(OTHER)));
    w.stacks[A].fchown(other, USER).unwrap();
    assert_eq!(w.stacks[A].owner(other), Ok(USER));
    // What a listener takes is its owner's.
    let listener = w.listener(B, "10.0.0.2:80", 1);
    w.stacks[B].fchown(listener, OTHER).unwrap();
    assert_eq!(w.connect(A, own, "10.0.0.2:80"), Err(Errno::EINPROGRESS));
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    assert_eq!(w.stacks[B].owner(server), Ok(OTHER));
    w.close(A, other);
    assert_eq!(w.stacks[A].fchown(other, OTHER), Err(Errno::EBADF));
}

#[test]
fn a_range_of_its_own_bounds_the_ports_of_a_socket() {
    const IP_LOCAL_PORT_RANGE: i32 = 51;
    let mut w = World::new(Wire::default());
    let connect = |w: &mut World| {
        let socket = w.tcp(A);
        let range = 40001u32 << 16 | 40000;
        w.stacks[A].setsockopt(w.now, socket, 0, IP_LOCAL_PORT_RANGE, &range.to_ne_bytes()).unwrap();
        w.connect(A, socket, "10.0.0.2:80").map_err(|error| (error, w.stacks[A].local_addr(socket).unwrap().port()))
    };
    let (first, second) = (connect(&mut w).unwrap_err(), connect(&mut w).unwrap_err());
    let mut ports = [first.1, second.1];
    ports.sort_unstable();
    assert_eq!((first.0, second.0, ports), (Errno::EINPROGRESS, Errno::EINPROGRESS, [40000, 40001]));
    assert_eq!(connect(&mut w).unwrap_err().0, Errno::EADDRNOTAVAIL);
}

#[test]
fn sysctls_of_bind_reach_what_they_say() {
    let mut w = World::new(Wire::default());
    let (four, six) = (w.tcp(A), w.tcp6(A));
    assert_eq!(w.bind(A, four, "192.0.2.1:80"), Err(Errno::EADDRNOTAVAIL));
    w.stacks[A].set_sysctl(w.now, "net.ipv4.ip_nonlocal_bind", "1").unwrap();
    assert_eq!(w.bind(A, four, "192.0.2.1:80"), Ok(()));
    assert_eq!(w.bind(A, six, "[2001:db8::1]:80"), Err(Errno::EADDRNOTAVAIL));
    w.stacks[A].set_sysctl(w.now, "net.ipv6.ip_nonlocal_bind", "1").unwrap();
    assert_eq!(w.bind(A, six, "[2001:db8::1]:80"), Ok(()));
    // bindv6only: both wildcards fit beside each other.
    w.stacks[A].set_sysctl(w.now, "net.ipv6.bindv6only", "1").unwrap();
    let (four, six) = (w.tcp(A), w.tcp6(A));
    assert_eq!((w.bind(A, six, "[::]:90"), w.bind(A, four, "0.0.0.0:90")), (Ok(()), Ok(())));
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
