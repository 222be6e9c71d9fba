//! `segue path` between two kernels: delay, rate and loss as they were asked for, and how it begins and ends.

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Namespace, Running, assert_success, eventually, finish, segue_as_root, text};
use segue_link::NetNamespace;

const SOON: Duration = Duration::from_secs(60);
const LEFT: &str = "10.66.0.1";
const RIGHT: &str = "10.66.0.2";

/// Two namespaces and the command that joins them.
struct Two {
    left: Namespace,
    right: Namespace,
}

impl Two {
    fn new(name: &str) -> Option<Two> {
        Some(Two { left: Namespace::new(&format!("{name}l"))?, right: Namespace::new(&format!("{name}r"))? })
    }

    fn command(&self, options: &str) -> Command {
        let mut command = segue_as_root();
        command.args(["path", "--a", "sga", "--b", "sgb", "--netns-a", &self.left.0, "--netns-b", &self.right.0]);
        command.args(["--addr-a", "10.66.0.1/24", "--addr-b", "10.66.0.2/24", "--json"]);
        command.args(options.split_whitespace());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, options: &str) -> Running {
        let running = Running::start(&mut self.command(options));
        eventually("both devices are there", SOON, || {
            self.left.devices().contains("sga") && self.right.devices().contains("sgb")
        });
        running
    }

    fn inside<T: Send>(namespace: &Namespace, work: impl FnOnce() -> T + Send) -> T {
        NetNamespace::open(&namespace.0).expect("it is there").within(work).expect("as root")
    }
}

/// A counter of a direction in the last line of JSON.
fn counted(output: &std::process::Output, direction: &str, counter: &str) -> u64 {
    let out = text(&output.stdout);
    let line: serde_json::Value = serde_json::from_str(out.lines().last().expect("a summary")).expect("JSON");
    line[direction][counter].as_u64().expect("a number")
}

#[test]
fn a_ping_takes_twice_the_delay_and_an_interrupt_ends_it_in_order() {
    need!("ip", "ping");
    let Some(two) = Two::new("sp-ping") else { return };
    let path = two.start("--delay 20ms --seed 1");
    let ping = finish(two.left.command("ping").args(["-c", "20", "-i", "0.05", "-n", RIGHT]), SOON);
    assert_success(&ping);
    let mut times: Vec<f64> = text(&ping.stdout)
        .lines()
        .filter_map(|line| line.split("time=").nth(1)?.split(' ').next()?.parse().ok())
        .collect();
    times.sort_by(f64::total_cmp);
    assert_eq!(times.len(), 20);
    // Never early. How late the others are says how busy the machine is with other tests.
    assert!(times[0] >= 40.0 && times[0] < 45.0, "{times:?}");
    let output = path.interrupt(SOON);
    assert_success(&output);
    assert_eq!((counted(&output, "a_to_b", "packets_out"), counted(&output, "b_to_a", "packets_out")), (20, 20));
    let said = text(&output.stderr);
    assert!(said.contains("path up: 20 packets; down: 20 packets; seed 1"), "{said}");
    eventually("the devices are gone", SOON, || {
        !two.left.devices().contains("sga") && !two.right.devices().contains("sgb")
    });
}

/// Sends numbered datagrams from left to right and gives the numbers that arrive.
fn datagrams(two: &Two, count: u32) -> Vec<u32> {
    let receiver = Two::inside(&two.right, || UdpSocket::bind((RIGHT, 7000)).expect("a port"));
    let sender = Two::inside(&two.left, || UdpSocket::bind((LEFT, 0)).expect("a port"));
    receiver.set_read_timeout(Some(Duration::from_millis(500))).expect("a time-out");
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut bytes = [0; 100];
            std::iter::from_fn(|| receiver.recv(&mut bytes).ok().and_then(|_| bytes.first_chunk().copied()))
                .map(u32::from_be_bytes)
                .collect()
        });
        for number in 1..=count {
            sender.send_to(&number.to_be_bytes(), (RIGHT, 7000)).expect("sent");
            // The device's queue and the receiver's hold 50 ms of these: neither `segue path` nor the reader is away for so long.
            std::thread::sleep(Duration::from_micros(200));
        }
        reader.join().expect("read")
    })
}

#[test]
fn the_packets_that_were_listed_are_lost_and_counted() {
    let Some(two) = Two::new("sp-loss") else { return };
    let path = two.start("--loss every:10/0% --drop 3,5-6/none --delay 1ms");
    let arrived = datagrams(&two, 2000);
    let output = path.interrupt(SOON);
    assert_success(&output);
    let expected: Vec<u32> = (1..=2000).filter(|number| number % 10 != 0 && ![3, 5, 6].contains(number)).collect();
    assert_eq!(arrived, expected);
    assert_eq!(counted(&output, "a_to_b", "lost"), 203);
}

#[test]
fn a_seed_loses_the_same_packets_each_time() {
    let Some(two) = Two::new("sp-seed") else { return };
    let mut runs = (0..2).map(|_| {
        let path = two.start("--loss burst:10%,3 --seed 42");
        let arrived = datagrams(&two, 1000);
        assert_success(&path.interrupt(SOON));
        arrived
    });
    let (first, second) = (runs.next().expect("one"), runs.next().expect("two"));
    assert_eq!(first, second);
    assert!(first.len() > 800 && first.len() < 980, "{}", first.len());
}

/// Bytes per second that one connection of the kernel's carries from left to right.
fn goodput(two: &Two, time: Duration) -> f64 {
    let listener = Two::inside(&two.right, || TcpListener::bind((RIGHT, 9000)).expect("a port"));
    let mut sender = Two::inside(&two.left, || TcpStream::connect((RIGHT, 9000)).expect("a connection"));
    let (mut receiver, _) = listener.accept().expect("it came");
    let start = Instant::now();
    let writer = std::thread::spawn(move || {
        let piece = vec![7; 1 << 16];
        while start.elapsed() < time && sender.write_all(&piece).is_ok() {}
    });
    let mut buffer = vec![0; 1 << 20];
    let mut received = 0;
    while let Ok(n @ 1..) = receiver.read(&mut buffer) {
        received += n;
    }
    writer.join().expect("written");
    received as f64 / start.elapsed().as_secs_f64()
}

#[test]
fn a_transfer_gets_the_rate_that_was_asked_for() {
    let Some(two) = Two::new("sp-rate") else { return };
    for (options, rate, share) in [
        // The least leaves room for a machine that is busy with other tests.
        ("--rate 40mbit --delay 2ms", 40e6, 0.5),
        ("--rate 400mbit --delay 1ms --queue codel", 400e6, 0.2),
        ("--rate 40mbit --no-offload", 40e6, 0.5),
    ] {
        let path = two.start(options);
        let bits = goodput(&two, Duration::from_secs(2)) * 8.0;
        assert_success(&path.interrupt(SOON));
        // 1448 of 1500 bytes are the application's.
        assert!(bits < rate * 0.966 && bits > rate * share, "{options}: {:.1} Mbit/s", bits / 1e6);
        eventually("the devices are gone", SOON, || !two.left.devices().contains("sga"));
    }
}

#[test]
fn a_device_that_goes_away_ends_the_run_with_its_name() {
    let Some(two) = Two::new("sp-gone") else { return };
    let path = two.start("--delay 1ms");
    assert_success(&finish(two.right.command("ip").args(["link", "delete", "sgb"]), SOON));
    let mut path = path;
    let output = common::finish_child(path.0.take().expect("it runs"), SOON, "segue path");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("sgb was removed") && said.contains("path up:"), "{said}");
    eventually("the other device is gone, too", SOON, || !two.left.devices().contains("sga"));
}

#[test]
fn persistent_devices_are_used_as_they_are_and_stay() {
    let Some(two) = Two::new("sp-stay") else { return };
    for (namespace, device, address) in [(&two.left, "sga", "10.66.0.1/24"), (&two.right, "sgb", "10.66.0.2/24")] {
        for line in [
            format!("tuntap add dev {device} mode tun vnet_hdr"),
            format!("address add {address} dev {device}"),
            format!("link set {device} up"),
        ] {
            assert_success(&finish(namespace.command("ip").args(line.split(' ')), SOON));
        }
    }
    // With addresses of its own it would not be as it is.
    let refused = finish(&mut two.command(""), SOON);
    assert_eq!(refused.status.code(), Some(125));
    assert!(text(&refused.stderr).contains("leave out --addr-a"), "{}", text(&refused.stderr));
    let mut command = segue_as_root();
    command.args(["path", "--a", "sga", "--b", "sgb", "--netns-a", &two.left.0, "--netns-b", &two.right.0, "--json"]);
    command.args(["--stats-interval", "100ms"]);
    let path = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let arrived = datagrams(&two, 200);
    let output = path.interrupt(SOON);
    assert_success(&output);
    assert!(arrived.len() > 150 && arrived.last() == Some(&200), "{arrived:?}");
    assert!(text(&output.stdout).lines().count() > 2, "a line every 100 ms");
    assert!(two.left.devices().contains("sga") && two.right.devices().contains("sgb"));
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let both = "--a sga --b sgb";
    for (options, status, words) in [
        ("", 2, ["--a", "--b"]),
        ("--a sga --b sga", 2, ["sga", "two ends"]),
        (&format!("{both} --netns-a no-such-namespace"), 2, ["no-such-namespace", "ip netns add"]),
        (&format!("{both} --netns-a /no/such/file"), 2, ["/no/such/file", "No such file"]),
        (&format!("{both} --addr-a 10.0.0.1/24 --addr-b 10.0.0.2/24"), 2, ["one network namespace", "--netns-b"]),
        (&format!("{both} --addr-a 10.0.0.1"), 2, ["10.0.0.1", "10.7.0.1/24"]),
        (&format!("{both} --addr-a 10.0.0.1/24 --addr-a 10.0.0.1/25"), 2, ["10.0.0.1", "twice"]),
        (&format!("{both} --loss 101%"), 2, ["101%", "100%"]),
        (&format!("{both} --rate 0mbit"), 2, ["0mbit", "carries nothing"]),
        (&format!("{both} --delay -1ms"), 2, ["-1ms", "negative"]),
        (&format!("{both} --rate 1mbit --queue 1000B"), 2, ["1000B", "one packet of 1500B"]),
        (&format!("{both} --stats-interval 1us"), 2, ["1us", "1ms"]),
        (&format!("{both} --pcap /no/such/folder/x"), 125, ["/no/such/folder/x", "capture"]),
        ("--a a-name-that-is-too-long --b sgb", 125, ["a-name-that-is-too-long", "15"]),
    ] {
        let output = finish(segue_as_root().arg("path").args(options.split_whitespace()), SOON);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{options}\n{said}");
        for word in words {
            assert!(said.contains(word), "{options}: {word:?} is not in:\n{said}");
        }
    }
}
