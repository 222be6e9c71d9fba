//! Programs as they are, on the embedded network.

mod common;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{SOON, finish, inside, outside, printed, program, text};

/// Ended when the test ends, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(5);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> Running {
    Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a port").port()
}

/// Waits until somebody accepts on a port.
fn wait_for(address: SocketAddr) {
    let until = Instant::now() + SOON;
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < until, "{address} does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const CURL: [&str; 4] = ["curl", "-sS", "--max-time", "50"];

fn curl<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    CURL.iter().copied().chain(rest.iter().copied()).collect()
}

#[test]
fn curl_gets_a_file_by_name_over_both_families() {
    for family in ["-4", "-6"] {
        let output = finish(&mut inside(&[], &curl(&[family, "http://segue.test/123456"])));
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(output.stdout.len(), 123_456);
    }
}

#[test]
fn curl_gets_the_same_bytes_across_a_bad_path() {
    let script = "import hashlib,sys,subprocess\n\
        u='http://segue.test/3MiB'\n\
        tag=subprocess.check_output(['curl','-sSI',u]).decode().lower().split('etag:')[1].split()[0].strip('\"')\n\
        body=subprocess.check_output(['curl','-sS',u])\n\
        print(len(body), hashlib.sha256(body).hexdigest()==tag)";
    let seen =
        printed(&mut inside(&["--delay", "2ms", "--loss", "1%", "--seed", "5"], &["/usr/bin/python3", "-c", script]));
    assert_eq!(seen.trim(), "3145728 True");
}

#[test]
fn curl_puts_a_file_and_gets_its_hash() {
    let script = "head -c 700001 /dev/zero | curl -sS -T - http://segue.test/; \
                  head -c 700001 /dev/zero | sha256sum";
    let seen = printed(&mut inside(&["--delay", "1ms"], &["sh", "-c", script]));
    let sum = seen.split_whitespace().rev().nth(1).expect("a sum");
    assert_eq!(seen.matches(sum).count(), 2, "{seen}");
}

#[test]
fn an_asyncio_program_with_two_hundred_connections_is_served() {
    let script = r#"
import asyncio
async def serve(reader, writer):
    data = await reader.read(-1)
    writer.write(data[::-1])
    await writer.drain()
    writer.close()
async def ask(port, n):
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    data = bytes((n * 31 + i) % 256 for i in range(3000))
    writer.write(data)
    writer.write_eof()
    answer = await reader.read(-1)
    writer.close()
    return answer == data[::-1]
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0, backlog=256)
    port = server.sockets[0].getsockname()[1]
    print(sum(await asyncio.gather(*(ask(port, n) for n in range(200)))))
asyncio.run(main())
"#;
    let seen = printed(&mut inside(&[], &["/usr/bin/python3", "-c", script]));
    assert_eq!(seen.trim(), "200");
}

#[test]
fn names_are_resolved_at_the_gateway() {
    let script = "import socket\n\
        for f in (socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6):\n    \
            print(sorted({a[4][0] for a in socket.getaddrinfo('segue.test', 80, f, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)}))";
    let seen = printed(&mut inside(&[], &["/usr/bin/python3", "-c", script]));
    assert_eq!(
        seen.lines().collect::<Vec<_>>(),
        ["['198.18.0.10', 'fd53:6567:7565::10']", "['198.18.0.10']", "['fd53:6567:7565::10']"]
    );
}

#[test]
fn interfaces_addresses_and_routes_are_those_of_the_programs_host() {
    let seen = printed(&mut inside(&[], &["sh", "-c", "ip -o addr; ip route; ip -6 route; ip route get 192.0.2.9"]));
    let words: Vec<String> =
        seen.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").replace('\\', "")).collect();
    for (at, part) in [
        "lo inet 127.0.0.1/8 scope host lo",
        "lo inet6 ::1/128 scope host",
        "inet 198.18.0.2/24 brd 198.18.0.255 scope global",
        "inet6 fd53:6567:7565::2/64 scope global",
        "default dev",
        "198.18.0.0/24 dev",
        "fd53:6567:7565::/64 dev",
        "192.0.2.9 dev",
    ]
    .iter()
    .enumerate()
    {
        assert!(words.iter().any(|line| line.contains(part)), "{at}: no {part:?} in\n{seen}");
    }
    // Only these: nothing of this machine's.
    assert_eq!(words.iter().filter(|line| line.contains("scope ") && line.contains("inet")).count(), 4, "{seen}");
    let refused = finish(&mut inside(&[], &["ip", "link", "set", "lo", "down"]));
    assert!(!refused.status.success() && text(&refused.stderr).contains("not permitted"), "{}", text(&refused.stderr));
}

#[test]
fn proc_net_lists_a_programs_sockets_as_the_kernel_would() {
    let script = r#"
import os, socket
l = socket.create_server(('127.0.0.1', 0))
c = socket.create_connection(l.getsockname())
a, _ = l.accept()
c.sendall(b'twelve bytes')
a.recv(1, socket.MSG_PEEK)
six = socket.create_server(('::1', 0), family=socket.AF_INET6)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 0))
names = {s.getsockname()[1]: n for s, n in ((l, 'l'), (c, 'c'), (six, 'six'), (u, 'u'))}
inodes = {str(os.fstat(s.fileno()).st_ino): n for s, n in ((l, 'l'), (c, 'c'), (a, 'a'), (six, 'six'), (u, 'u'))}
for file in ('tcp', 'tcp6', 'udp'):
    lines = open('/proc/net/' + file).read().split('\n')
    print(lines[0])
    found = []
    for line in lines[1:-1]:
        w = line.split()
        ports = [int(end.rsplit(':')[-1], 16) for end in w[1:3]]
        who = [names[p] for p in ports if p in names]
        if who:
            queues = w[4] if 'a' not in inodes.get(w[9], '') else w[4].split(':')[0]
            uid = w[7] == str(os.getuid())
            found.append((who, w[1][:-4], w[3], queues, w[5][:2], uid, inodes.get(w[9]), len(w), len(line) if file != 'tcp6' else 0))
    for line in sorted(found, key=str): print(line)
print(open('/proc/self/net/sockstat').read().split()[0], open('/proc/net/snmp').readline().strip())
"#;
    let native = printed(&mut outside(&["/usr/bin/python3", "-c", script]));
    assert_eq!(
        printed(&mut inside(&["--proc-net"], &["/usr/bin/python3", "-c", script])),
        native,
        "inside, then native"
    );
}

#[test]
fn ss_and_netstat_show_a_programs_own_sockets() {
    let script = "import socket, subprocess, sys\n\
        l = socket.create_server(('127.0.0.1', 8000))\n\
        for command in (['ss', '-tlnH'], ['netstat', '-tln']):\n    \
            print(subprocess.run(command, capture_output=True, text=True).stdout)";
    let seen = printed(&mut inside(&["--proc-net"], &["/usr/bin/python3", "-c", script]));
    let listening: Vec<&str> = seen.lines().filter(|line| line.contains("LISTEN")).collect();
    assert_eq!(listening.len(), 2, "{seen}");
    assert!(listening.iter().all(|line| line.contains("127.0.0.1:8000")), "{seen}");
}

#[test]
fn files_about_interfaces_and_routes_are_those_of_the_programs_host() {
    let script = "ping -c 2 -i 0.2 198.18.0.1 >/dev/null; cd /proc/net; \
                  cat /proc/net/dev /proc/net/route /proc/net/if_inet6 /proc/net/ipv6_route; ip -s -o link";
    let seen = printed(&mut inside(&["--proc-net"], &["sh", "-c", script]));
    let lines: Vec<Vec<&str>> = seen.lines().map(|line| line.split_whitespace().collect()).collect();
    let device =
        |name: &str| lines.iter().find(|words| words[0] == name).unwrap_or_else(|| panic!("no {name} in\n{seen}"));
    // Whatever it is called: the one behind the loopback.
    let name = lines[3][0].trim_end_matches(':');
    assert_eq!(lines[2][0], "lo:");
    assert!(lines[3][2].parse::<u64>().is_ok_and(|packets| packets >= 2), "two answers came in:\n{seen}");
    assert_eq!(device("Iface")[..3], ["Iface", "Destination", "Gateway"]);
    for route in ["00000000\t00000000\t0001\t0\t0\t0\t00000000", "000012C6\t00000000\t0001\t0\t0\t0\t00FFFFFF"] {
        assert!(seen.contains(&format!("{name}\t{route}")), "{route}:\n{seen}");
    }
    assert!(seen.contains("fd536567756500000000000000000002 02 40 00 80 "), "{seen}");
    assert!(seen.contains("fd536567756500000000000000000000 40 "), "{seen}");
    let ours = ["lo", name];
    let foreign = lines.iter().filter(|words| words.len() == 17 && words[0].ends_with(':'));
    assert!(foreign.clone().all(|words| ours.contains(&words[0].trim_end_matches(':'))), "{seen}");
    assert_eq!(foreign.count(), 2, "nothing of this machine's:\n{seen}");
}

#[test]
fn every_way_to_ask_about_interfaces_gets_the_same_answer() {
    let file = program("interfaces", &[]);
    let seen = printed(&mut inside(&[], &[&file]));
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(
        lines,
        [
            "getifaddrs 4 addresses",
            "if_nameindex 1 lo, back 1 lo",
            "if_nameindex 2 eth0, back 2 eth0",
            "listed lo 127.0.0.1 mask 255.0.0.0 mtu 65536 loopback",
            "listed eth0 198.18.0.2 mask 255.255.255.0 mtu 1500 link",
            "unknown ENODEV, changed EPERM",
            "native send and recv: 2 links, then the end",
        ],
        "{seen}"
    );
}

#[test]
fn a_client_outside_reaches_a_server_inside_through_a_published_port() {
    let folder = std::env::temp_dir();
    let port = free_port();
    let _server = start(
        inside(
            &["-p", &format!("{port}:8000"), "--delay", "1ms"],
            &["/usr/bin/python3", "-m", "http.server", "8000", "--directory", "/etc"],
        )
        .current_dir(folder),
    );
    let until = Instant::now() + SOON;
    let url = format!("http://127.0.0.1:{port}/passwd");
    loop {
        let output = finish(Command::new("curl").args(["-sS", "--max-time", "10", &url]));
        if output.status.success() {
            assert_eq!(output.stdout, std::fs::read("/etc/passwd").expect("readable"));
            break;
        }
        assert!(Instant::now() < until, "{}", text(&output.stderr));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_published_port_without_a_server_is_refused() {
    let port = free_port();
    let address: SocketAddr = ([127, 0, 0, 1], port).into();
    let _run = start(&mut inside(&["-p", &format!("{port}:8000")], &["sleep", "30"]));
    wait_for(address);
    let mut stream = TcpStream::connect(address).expect("accepted outside");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let error = std::io::Read::read(&mut stream, &mut [0; 1]).expect_err("reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_published_udp_port_answers() {
    let port = free_port();
    let script = "import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind(('0.0.0.0',7000))\n\
        while True:\n    d,a=s.recvfrom(2000)\n    s.sendto(d.upper(),a)";
    let _run = start(&mut inside(&["-p", &format!("{port}:7000/udp")], &["/usr/bin/python3", "-c", script]));
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(("127.0.0.1", port)).expect("connected");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("set");
    let until = Instant::now() + SOON;
    let mut buffer = [0; 64];
    loop {
        let _ = socket.send(b"echo");
        match socket.recv(&mut buffer) {
            Ok(len) => {
                assert_eq!(&buffer[..len], b"ECHO");
                break;
            }
            Err(error) => {
                assert!(Instant::now() < until, "{error}");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// Room for some thousand datagrams, so that it does not matter when the test gets to read them.
fn make_room(socket: &std::net::UdpSocket) {
    let room: libc::c_int = 4 << 20;
    // SAFETY: the value is an int, as SO_RCVBUF wants.
    let result = unsafe {
        libc::setsockopt(
            std::os::fd::AsRawFd::as_raw_fd(socket),
            libc::SOL_SOCKET,
            libc::SO_RCVBUF,
            (&raw const room).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    assert_eq!(result, 0);
}

#[test]
fn a_burst_of_datagrams_crosses_a_clean_path_whole_connected_or_not() {
    let script = "import socket,sys\n\
        s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\nto=('127.0.0.1',int(sys.argv[1]))\n\
        if sys.argv[2]=='connected': s.connect(to)\n\
        for n in range(800):\n    d=n.to_bytes(4,'big')+b'x'*1200\n\
        \x20   s.send(d) if sys.argv[2]=='connected' else s.sendto(d,to)";
    for how in ["connected", "unconnected"] {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
        make_room(&socket);
        socket.set_read_timeout(Some(SOON)).expect("set");
        let port = socket.local_addr().expect("its address").port().to_string();
        printed(&mut inside(&[], &["/usr/bin/python3", "-c", script, &port, how]));
        let mut buffer = [0; 2000];
        for n in 0..800u32 {
            let len = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{how}, number {n}: {error}"));
            assert_eq!((len, &buffer[..4]), (1204, &n.to_be_bytes()[..]), "{how}: in their order, and none missing");
        }
    }
}

#[test]
fn a_datagram_that_a_program_sent_last_crosses_the_path_after_its_end() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(SOON)).expect("set");
    let port = socket.local_addr().expect("its address").port();
    for (how, delay) in [("s.sendto(b'last', to)", "300ms"), ("s.connect(to); s.send(b'last')", "10ms")] {
        let script = format!(
            "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); to = ('127.0.0.1', {port}); {how}"
        );
        printed(&mut inside(&["--delay", delay], &["/usr/bin/python3", "-c", &script]));
        let mut buffer = [0; 16];
        // It is there already: the run ends behind it.
        let len = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{how}: {error}"));
        assert_eq!(&buffer[..len], b"last", "{how}");
    }
}

#[test]
fn what_a_program_wrote_last_is_delivered_after_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let reader = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("accepted");
        let mut all = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut all).map(|_| all.len())
    });
    let script = format!(
        "import socket,os\ns=socket.create_connection(('127.0.0.1',{port}))\ns.sendall(b'x'*500000)\nos._exit(0)"
    );
    let options = ["--delay", "20ms", "--loss", "2%"];
    assert!(finish(&mut inside(&options, &["/usr/bin/python3", "-c", &script])).status.success());
    assert_eq!(reader.join().expect("the reader").expect("no reset"), 500_000);
}

#[test]
fn nothing_is_left_when_the_supervisor_is_killed() {
    let marker = format!("31{}", std::process::id());
    let mut run = inside(&[], &["sleep", &marker]).spawn().expect("started");
    let alive = || {
        std::fs::read_dir("/proc")
            .expect("/proc")
            .flatten()
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
            .any(|line| line.starts_with(b"sleep\0") && text(&line).contains(&marker))
    };
    let eventually = |what: bool| {
        let until = Instant::now() + SOON;
        while alive() != what {
            assert!(Instant::now() < until, "the program runs: {}", !what);
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    eventually(true);
    run.kill().expect("killed");
    run.wait().expect("waited");
    eventually(false);
}

#[test]
fn a_nested_run_uses_the_network_that_is_there() {
    let runner = common::runner().to_str().expect("a plain path");
    let words = [runner, "--", "curl", "-sS", "http://segue.test/1000"];
    let output = finish(&mut inside(&[], &words));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(output.stdout.len(), 1000);
    assert!(text(&output.stderr).contains("already inside"));
}

#[test]
fn descendants_keep_their_network_until_they_end() {
    let script = "(sleep 0.4; curl -sS http://segue.test/500 | wc -c) & exit 7";
    let output = finish(&mut inside(&[], &["sh", "-c", script]));
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(text(&output.stdout).trim(), "500");
    let started = Instant::now();
    let output = finish(&mut inside(&["--end"], &["sh", "-c", "sleep 30 & exit 3"]));
    assert_eq!(output.status.code(), Some(3));
    assert!(started.elapsed() < Duration::from_secs(10));
}
