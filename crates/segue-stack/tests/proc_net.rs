//! The files of /proc/net that a stack writes: names, order and figures as in Linux.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::*;
use segue_stack::SocketId;

/// The names in the kernel's own files: each group as one line, in its order, with its group in front.
fn names(text: &str) -> Vec<String> {
    let titles = text.lines().step_by(2).filter_map(|line| line.split_once(": "));
    titles.flat_map(|(group, rest)| rest.split(' ').map(move |name| format!("{group}{name}"))).collect()
}

fn names6(text: &str) -> Vec<String> {
    let all = text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    // Those by type are of what has come.
    all.filter(|name| !name.starts_with("Icmp6InType") && !name.starts_with("Icmp6OutType")).collect()
}

fn file(world: &World, host: usize, name: &str) -> String {
    world.stacks[host].proc_net(world.now, name, &|_: SocketId| 4711).expect("a file")
}

/// Other kernels know other names; this is the one whose files are written.
fn is_same_kernel() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let is_it = release.starts_with("6.18.");
    if !is_it {
        eprintln!("skipped: this is Linux {}, the files are those of 6.18", release.trim());
    }
    is_it
}

#[test]
fn counters_have_the_names_and_the_order_of_the_kernels_files() {
    if !is_same_kernel() {
        return;
    }
    let world = World::new(Wire::default());
    for name in ["netstat", "snmp"] {
        let kernel = std::fs::read_to_string(format!("/proc/net/{name}")).expect("the kernel's");
        let mut wanted = names(&kernel);
        wanted.retain(|name| !name.starts_with("MPTcpExt") && !name.starts_with("IcmpMsg"));
        assert_eq!(names(&file(&world, A, name)), wanted, "{name}");
    }
    let kernel = std::fs::read_to_string("/proc/net/snmp6").expect("the kernel's");
    assert_eq!(names6(&file(&world, A, "snmp6")), names6(&kernel));
}

#[test]
fn every_name_of_the_kernels_is_counted_or_listed_with_the_reason_why_not() {
    let world = World::new(Wire::default());
    let files = ["netstat", "snmp"].map(|name| names(&file(&world, A, name))).concat();
    let all: BTreeSet<String> = files.into_iter().chain(names6(&file(&world, A, "snmp6"))).collect();
    let counters = world.stacks[A].counters();
    let listed: BTreeMap<&str, &str> = include_str!("../../../docs/counters.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .flat_map(|(names, why)| names.split(", ").map(move |name| (name.trim_matches('`'), why)))
        .collect();
    for name in &all {
        let is_counted = counters.by_name(name).is_some();
        let is_setting = ["IpForwarding", "IpDefaultTTL", "TcpRtoAlgorithm", "TcpRtoMin", "TcpRtoMax", "TcpMaxConn"]
            .contains(&name.as_str())
            || name == "TcpCurrEstab";
        let is_listed = listed.contains_key(name.as_str());
        assert!(is_counted || is_setting || is_listed, "{name} is neither counted nor listed in docs/counters.md");
        assert!(!(is_counted && is_listed), "{name} is counted, and docs/counters.md says that it is not");
    }
    for name in listed.keys().filter(|name| name.starts_with(|first: char| first.is_ascii_uppercase())) {
        assert!(all.contains(*name), "docs/counters.md lists {name}, which Linux does not have");
    }
}

#[test]
fn figures_are_those_of_the_stack() {
    let mut world = World::new(Wire::default());
    let (client, server) = world.connected("10.0.0.2:80");
    world.write(A, client, b"hello").expect("sent");
    world.settle();
    assert_eq!(world.read(B, server).expect("read"), b"hello");
    let value = |text: &str, name: &str| {
        let lines: Vec<&str> = text.lines().collect();
        let pairs = lines.chunks_exact(2).flat_map(|pair| {
            pair[0]
                .split(' ')
                .zip(pair[1].split(' '))
                .map(move |(n, v)| (format!("{}{n}", pair[0].split(':').next().unwrap_or_default()), v.to_owned()))
        });
        pairs.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    };
    let snmp = file(&world, A, "snmp");
    assert_eq!(value(&snmp, "TcpActiveOpens").as_deref(), Some("1"));
    assert_eq!(value(&snmp, "TcpCurrEstab").as_deref(), Some("1"));
    assert_eq!(value(&snmp, "TcpMaxConn").as_deref(), Some("-1"));
    assert_eq!(value(&snmp, "IpDefaultTTL").as_deref(), Some("64"));
    let sockstat = file(&world, A, "sockstat");
    assert!(sockstat.starts_with("sockets: used 1\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem "), "{sockstat}");
    assert_eq!(file(&world, A, "sockstat6").lines().next(), Some("TCP6: inuse 0"));
}

#[test]
fn packets_bytes_and_probes_are_counted_as_in_linux() {
    let mut world = World::new(Wire::default());
    let (client, server) = world.connected("10.0.0.2:80");
    world.settle();
    let before = ["TcpExtTCPOrigDataSent", "IpExtOutOctets", "IpOutTransmits"].map(|name| world.counter(A, name));
    let received = ["IpInReceives", "IpExtInOctets"].map(|name| world.counter(B, name));
    world.write(A, client, &[7; 100]).expect("sent");
    world.settle();
    // IPv4 and TCP header with timestamps: 20 and 32 bytes.
    assert_eq!(world.counter(A, "TcpExtTCPOrigDataSent") - before[0], 1);
    assert_eq!(world.counter(A, "IpExtOutOctets") - before[1], 152);
    assert_eq!(world.counter(A, "IpOutTransmits") - before[2], 1);
    assert_eq!(world.counter(B, "IpInReceives") - received[0], 1);
    assert_eq!(world.counter(B, "IpExtInOctets") - received[1], 152);
    assert_eq!(world.read(B, server).expect("read").len(), 100);
    // SO_KEEPALIVE, TCP_KEEPIDLE.
    world.set(A, client, 1, 9, 1);
    world.set(A, client, 6, 4, 10);
    world.run(Duration::from_secs(35));
    // The next one is due after TCP_KEEPINTVL, 75 s, answered or not.
    assert_eq!((world.counter(A, "TcpExtTCPKeepAlive"), world.counter(A, "TcpExtTCPWinProbe")), (1, 0));
    // A datagram in fragments is received in as many packets as it came in, and is one in none of them.
    let (from, to) = (world.udp(A), world.udp(B));
    world.bind(B, to, "10.0.0.2:53").expect("bound");
    let (receives, octets) = (world.counter(B, "IpInReceives"), world.counter(B, "IpExtInOctets"));
    world.send_to(A, from, &[1; 4000], "10.0.0.2:53").expect("sent");
    world.settle();
    assert_eq!(world.counter(B, "IpInReceives") - receives, 3);
    assert_eq!(world.counter(B, "IpExtInOctets") - octets, 4000 + 8 + 3 * 20);
    assert_eq!(world.counter(B, "UdpInDatagrams"), 1);
    // IP_MULTICAST_IF: no route leads there.
    world.set(A, from, 0, 32, i32::from_ne_bytes([10, 0, 0, 1]));
    world.send_to(A, from, b"all", "224.0.0.1:53").expect("sent");
    world.settle();
    assert_eq!((world.counter(A, "IpExtOutMcastPkts"), world.counter(A, "IpExtOutMcastOctets")), (1, 31));
    assert_eq!((world.counter(B, "IpExtInMcastPkts"), world.counter(B, "IpExtInMcastOctets")), (1, 31));
}

#[test]
fn sockets_are_listed_as_in_the_kernels_tables() {
    let mut world = World::with(Wire::default(), |_, config, _| config.uid = 1000);
    let listener = world.listener(B, "10.0.0.2:80", 7);
    let udp = world.udp(B);
    world.bind(B, udp, "10.0.0.2:53").expect("bound");
    let unheard = world.tcp(A);
    // Nobody has this address.
    let _ = world.connect(A, unheard, "10.0.0.9:80");
    world.run(Duration::from_millis(500));
    let rows = |text: String| -> Vec<Vec<String>> {
        text.lines().skip(1).map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let table = file(&world, B, "tcp");
    assert!(table.lines().all(|line| line.len() == 149), "padded as in the kernel:\n{table}");
    let row = &rows(table)[0];
    // 10.0.0.2:80, LISTEN, an inode, and the round trip timeout, window and so on of who has none.
    assert_eq!(row[..5], ["0:", "0200000A:0050", "00000000:0000", "0A", "00000000:00000000"]);
    assert_eq!(
        row[5..],
        ["00:00000000", "00000000", "1000", "0", "4711", "1", "0000000000000000", "100", "0", "0", "10", "0"]
    );
    let row = &rows(file(&world, A, "tcp"))[0];
    assert_eq!((row[2].as_str(), row[3].as_str()), ("0900000A:0050", "02"), "SYN-SENT");
    // Half of the second until the SYN is sent again, in hundredths.
    assert_eq!(row[5], "01:00000032");
    let table = file(&world, B, "udp");
    assert!(table.lines().all(|line| line.len() == 127), "{table}");
    assert_eq!(rows(table)[0][1..4], ["0200000A:0035", "00000000:0000", "07"]);
    assert_eq!(file(&world, B, "tcp6").lines().count(), 1);
    let _ = listener;
}

#[test]
fn interfaces_routes_addresses_and_groups_are_listed_as_in_the_kernels_files() {
    let mut world = World::new(Wire::default());
    let udp = world.udp(A);
    let joined = [[224, 0, 0, 251], [10, 0, 0, 1], [0; 4]].concat();
    // IP_ADD_MEMBERSHIP with a struct ip_mreqn.
    let now = world.now;
    world.stacks[A].setsockopt(now, udp, 0, 35, &joined).expect("joined");
    let (client, _server) = world.connected("10.0.0.2:80");
    world.write(A, client, &[7; 100]).expect("sent");
    world.settle();

    let dev = file(&world, A, "dev");
    let kernel = std::fs::read_to_string("/proc/net/dev").expect("the kernel's");
    assert_eq!(dev.lines().take(2).collect::<Vec<_>>(), kernel.lines().take(2).collect::<Vec<_>>());
    let figures = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let row = figures(dev.lines().nth(3).expect("an interface behind the loopback"));
    // SYN, ACK and data went out; SYN-ACK and ACK came in. Without options that is 60, 52 and 152 bytes, and 60 and 52.
    assert_eq!((row[1].as_str(), row[2].as_str()), ("112", "2"), "{dev}");
    assert_eq!((row[9].as_str(), row[10].as_str()), ("264", "3"), "{dev}");
    assert!(dev.lines().skip(2).all(|line| line.len() >= 120 && line.find(": ") == Some(6)), "{dev}");

    let route = file(&world, A, "route");
    assert!(route.lines().all(|line| line.len() == 127), "padded as in the kernel:\n{route}");
    let kernel = std::fs::read_to_string("/proc/net/route").expect("the kernel's");
    assert_eq!(route.lines().next(), kernel.lines().next());
    let own = route.lines().nth(1).expect("the route to the prefix of the address").trim_end();
    assert!(own.ends_with("\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"), "{own}");

    let loopback = "00000000000000000000000000000001 01 80 10 80       lo";
    assert_eq!(file(&world, A, "if_inet6").lines().next(), Some(loopback));
    let last = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
                00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo";
    assert_eq!(file(&world, A, "ipv6_route").lines().last(), Some(last));

    let groups = file(&world, A, "igmp");
    assert!(
        groups.starts_with(
            "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n"
        )
    );
    let of_all = "\t\t\t\t010000E0     1 0:00000000\t\t0\n";
    let joined = "\t\t\t\tFB0000E0     1 0:00000000\t\t0\n";
    assert!(groups.ends_with(&format!(":     2      V3\n{joined}{of_all}")), "{groups}");
    let kernel = std::fs::read_to_string("/proc/net/igmp").expect("the kernel's");
    assert!(kernel.starts_with(&groups[..groups.find("\n2\t").expect("a second interface")]), "{kernel}");
    assert!(file(&world, A, "igmp6").starts_with(&kernel6_of_loopback()));
    let kernel = std::fs::read_to_string("/proc/net/arp").expect("the kernel's");
    assert_eq!(file(&world, A, "arp").lines().next(), kernel.lines().next());
}

/// What the kernel says of its loopback's groups.
fn kernel6_of_loopback() -> String {
    let kernel = std::fs::read_to_string("/proc/net/igmp6").expect("the kernel's");
    let lines = kernel.lines().take_while(|line| line.starts_with("1 ")).collect::<Vec<_>>();
    lines.join("\n")
}
