//! Every socket option with every kind of socket: values, bounds and errnos as Linux has them.
//!
//! `linux/sockopts.txt` is what Linux 6.18 answered to `linux/sockopts.py`, which says how it is read. As root the script asks
//! this machine's kernel again, in a network namespace of its own.
use core::net::{Ipv6Addr, SocketAddr};
use std::collections::{BTreeMap, HashSet};
use std::process::Command;

use segue_stack::{Domain, Errno, Instant, SocketId, SocketType, Stack, StackConfig};

/// Where the stack answers otherwise than Linux, and why.
const DIFFERENT: &[(i32, i32, &str)] = &[
    (0, 4, "IP_OPTIONS: packets leave without options, which is refused with EPERM"),
    (0, 7, "IP_RETOPTS: refused, because what it gives would be for IP_OPTIONS of datagrams"),
    (41, 54, "IPV6_HOPOPTS: packets leave without extension headers, which is refused with EPERM"),
    (41, 55, "IPV6_RTHDRDSTOPTS: as IPV6_HOPOPTS"),
    (41, 59, "IPV6_DSTOPTS: as IPV6_HOPOPTS"),
    (1, 50, "SO_ATTACH_BPF: Linux looks the descriptor up"),
    (1, 52, "SO_ATTACH_REUSEPORT_EBPF: Linux looks the descriptor up"),
    (1, 49, "SO_INCOMING_CPU of a connection: Linux tells the processor that served it last"),
    (1, 80, "SO_DEVMEM_DONTNEED: there is no device memory to be given back"),
    (17, 100, "UDP_ENCAP: nothing is carried in UDP, which is said so"),
    (6, 19, "TCP_REPAIR: refused with EPERM; Linux lets root take a connection apart"),
    (6, 38, "TCP_AO_ADD_KEY: the table's kernel was built without TCP-AO"),
    (6, 39, "TCP_AO_DEL_KEY: as TCP_AO_ADD_KEY"),
    (6, 40, "TCP_AO_INFO: as TCP_AO_ADD_KEY"),
    (6, 41, "TCP_AO_GET_KEYS: as TCP_AO_ADD_KEY"),
    (6, 42, "TCP_AO_REPAIR: as TCP_AO_ADD_KEY"),
];

/// Linux keeps these in ticks of its clock, which on the machine that the table was made on come every 4 ms.
const TICKS: &[(i32, i32)] = &[(6, 44), (6, 45), (6, 46)];

const KINDS: &[&str] = &[
    "tcp4",
    "tcp4-listen",
    "tcp4-open",
    "tcp6",
    "tcp6-listen",
    "tcp6-open",
    "udp4",
    "udp4-open",
    "udp6",
    "udp6-open",
    "icmp4",
    "icmp6",
];

fn bytes(hex: &str) -> Vec<u8> {
    match hex {
        "-" => Vec::new(),
        hex => (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect(),
    }
}

fn hex(bytes: &[u8]) -> String {
    match bytes {
        [] => "-".to_owned(),
        bytes => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// A host like the one that the script ran on: nothing but a loopback interface.
struct Host {
    stack: Stack,
    /// What must be closed after the socket.
    others: Vec<SocketId>,
}

const NOW: Instant = Instant::from_secs(1);

impl Host {
    fn new() -> Host {
        let mut stack = Stack::new(StackConfig::new([7; 32]), NOW);
        stack.set_sysctl(NOW, "tcp_congestion_control", "reno").unwrap();
        Host { stack, others: Vec::new() }
    }

    fn pump(&mut self) {
        while self.stack.poll_transmit(NOW).is_some() {}
    }

    fn make(&mut self, kind: &str) -> SocketId {
        let (base, state) = kind.split_once('-').unwrap_or((kind, ""));
        let is_v4 = base.ends_with('4');
        let domain = if is_v4 { Domain::Inet } else { Domain::Inet6 };
        let kind = match &base[..base.len() - 1] {
            "tcp" => SocketType::Stream,
            "udp" => SocketType::Datagram,
            _ => SocketType::Icmp,
        };
        let s = self.stack.socket(domain, kind).unwrap();
        let home = |port| SocketAddr::new(if is_v4 { [127, 0, 0, 1].into() } else { Ipv6Addr::LOCALHOST.into() }, port);
        match (kind, state) {
            (SocketType::Stream, "listen") => {
                self.stack.bind(NOW, s, home(0)).unwrap();
                self.stack.listen(s, 3).unwrap();
            }
            (SocketType::Stream, "open") => {
                let listener = self.stack.socket(domain, kind).unwrap();
                self.stack.bind(NOW, listener, home(0)).unwrap();
                self.stack.listen(listener, 3).unwrap();
                let to = self.stack.local_addr(listener).unwrap();
                assert_eq!(self.stack.connect(NOW, s, to), Err(Errno::EINPROGRESS));
                self.pump();
                self.others = vec![self.stack.accept(NOW, listener).unwrap().0, listener];
            }
            (_, "open") => self.stack.connect(NOW, s, home(9)).unwrap(),
            _ => {}
        }
        s
    }

    /// Ask a fresh socket of a kind.
    fn ask(&mut self, kind: &str, ask: impl FnOnce(&mut Stack, SocketId) -> String) -> String {
        let id = self.make(kind);
        let answer = ask(&mut self.stack, id);
        self.stack.abort(NOW, id).unwrap();
        for other in core::mem::take(&mut self.others) {
            self.stack.abort(NOW, other).unwrap();
        }
        self.pump();
        answer
    }

    /// What a fresh socket answers after an option was set.
    fn answer(&mut self, kind: &str, level: i32, name: i32, value: &[u8]) -> String {
        self.ask(kind, |stack, id| {
            if let Err(error) = stack.setsockopt(NOW, id, level, name, value) {
                return error.name().unwrap().to_owned();
            }
            match get(stack, id, level, name, 64) {
                after if after.starts_with('E') => "ok".to_owned(),
                after if !value.is_empty() && after == hex(value) => "=".to_owned(),
                after => after,
            }
        })
    }
}

fn get(stack: &mut Stack, id: SocketId, level: i32, name: i32, room: usize) -> String {
    let mut value = vec![0; room];
    match stack.getsockopt(NOW, id, level, name, &mut value) {
        Ok(len) => hex(&value[..len]),
        Err(error) => error.name().unwrap().to_owned(),
    }
}

/// Up to the next tick.
fn ticked(level: i32, name: i32, answer: &str, set: &[u8]) -> String {
    let tick = if name == 44 { 4 } else { 4000 };
    let number = |bytes: &[u8]| bytes.try_into().map(i32::from_ne_bytes).ok();
    let value = match answer {
        "=" => number(set),
        answer if answer.starts_with('E') => None,
        answer => number(&bytes(answer)),
    };
    match value {
        Some(value) if TICKS.contains(&(level, name)) => {
            // Linux's least is two ticks.
            if name != 44 && value <= tick {
                "EINVAL".to_owned()
            } else {
                hex(&((value + tick - 1) / tick * tick).to_ne_bytes())
            }
        }
        _ => answer.to_owned(),
    }
}

/// Compares line by line; gives what differs, and the (level, name) of what did.
fn compare(table: &str) -> (Vec<String>, HashSet<(i32, i32)>) {
    let mut host = Host::new();
    let mut lines = table.lines();
    let numbers: Vec<Vec<u8>> = lines.next().unwrap().split(' ').skip(1).map(bytes).collect();
    let mut wrong = BTreeMap::<String, Vec<&str>>::new();
    let mut differing = HashSet::new();
    let mut told = HashSet::new();
    for line in lines {
        let mut words = line.split(' ');
        let kinds: Vec<&str> = words.next().unwrap().split(',').collect();
        let [level, name]: [i32; 2] = [words.next().unwrap(), words.next().unwrap()].map(|word| word.parse().unwrap());
        let before = words.next().unwrap();
        let words: Vec<&str> = words.collect();
        for kind in kinds {
            told.insert((kind, level, name));
            let mut check = |what: String, expected: &str, ours: String| {
                if ours != expected {
                    differing.insert((level, name));
                    if !DIFFERENT.iter().any(|(l, n, _)| (*l, *n) == (level, name)) {
                        wrong
                            .entry(format!("level {level} option {name} {what}: Linux {expected}, ours {ours}"))
                            .or_default()
                            .push(kind);
                    }
                }
            };
            check("before".to_owned(), before, host.ask(kind, |stack, id| get(stack, id, level, name, 64)));
            let mut next = numbers.iter();
            for word in &words {
                if let Some((value, expected)) = word.split_once(':') {
                    let ours = match value.strip_prefix("room") {
                        Some(room) => {
                            let room = room.parse().unwrap();
                            host.ask(kind, |stack, id| get(stack, id, level, name, room))
                        }
                        None => host.answer(kind, level, name, &bytes(value)),
                    };
                    check(value.to_owned(), expected, ours);
                    continue;
                }
                let (expected, count) = word.split_once('*').unwrap_or((word, "1"));
                for value in next.by_ref().take(count.parse().unwrap()) {
                    let ours = host.answer(kind, level, name, value);
                    let (expected, ours) = match TICKS.contains(&(level, name)) {
                        true => (ticked(level, name, expected, value), ticked(level, name, &ours, value)),
                        false => (expected.to_owned(), ours),
                    };
                    check(
                        format!("{} ({})", hex(value), i32::from_ne_bytes(value[..].try_into().unwrap())),
                        &expected,
                        ours,
                    );
                }
            }
        }
    }
    unknown(&mut host, &told, &mut wrong);
    (wrong.into_iter().map(|(what, kinds)| format!("{what} ({})", kinds.join(","))).collect(), differing)
}

/// What the table does not have, Linux does not know.
fn unknown<'a>(host: &mut Host, told: &HashSet<(&'a str, i32, i32)>, wrong: &mut BTreeMap<String, Vec<&'a str>>) {
    // Differ each time, and so are not in the table.
    let left_out = [
        (1, 28),
        (1, 31),
        (1, 55),
        (1, 57),
        (1, 71),
        (0, 52),
        (6, 11),
        (6, 24),
        (6, 26),
        (41, 64),
        (41, 65),
        (41, 68),
        (41, 69),
    ];
    for kind in KINDS {
        for (level, most) in [(1, 83), (0, 52), (6, 47), (17, 11), (41, 79)] {
            for name in
                (1..=most).filter(|name| !told.contains(&(*kind, level, *name)) && !left_out.contains(&(level, *name)))
            {
                let got = host.ask(kind, |stack, id| get(stack, id, level, name, 64));
                let set =
                    host.ask(kind, |stack, id| format!("{:?}", stack.setsockopt(NOW, id, level, name, &[1, 0, 0, 0])));
                let known = ["ENOPROTOOPT", "EOPNOTSUPP"];
                if !known.contains(&got.as_str()) || set == "Ok(())" {
                    let what = format!("level {level} option {name}: Linux does not know it, ours {got}, {set}");
                    wrong.entry(what).or_default().push(kind);
                }
            }
        }
    }
}

#[test]
fn every_option_takes_and_gives_what_linux_takes_and_gives() {
    let (wrong, differing) = compare(include_str!("linux/sockopts.txt"));
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    for (level, name, why) in DIFFERENT {
        assert!(differing.contains(&(*level, *name)), "level {level} option {name} is as Linux has it now: {why}");
    }
}

/// As root: the kernel that runs this test answers as the table says, so the stack is compared with it, too.
#[test]
fn this_machines_kernel_answers_alike() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/linux/sockopts.py");
    let setup = "ip link set lo up && sysctl -qw net.ipv4.ping_group_range='0 100' \
        net.ipv4.tcp_rmem='4096 131072 33554432' net.ipv4.tcp_wmem='4096 16384 4194304' \
        net.ipv4.tcp_congestion_control=reno && exec python3 \"$0\"";
    let output = Command::new("unshare").args(["-n", "sh", "-c", setup, script]).output();
    let table = match output {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        Ok(output) => return eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr).trim()),
        Err(error) => return eprintln!("skipped: unshare: {error}"),
    };
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if !release.starts_with("6.18.") {
        return eprintln!("skipped: the table is of Linux 6.18, this is {}", release.trim());
    }
    let (wrong, _) = compare(&table);
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
