//! TUN devices against the kernel: two network namespaces, each with a device, and this
//! process as the wire between them. Needs root; skipped with a printed reason otherwise.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use segue_link::{
    Impairments, Instant, Link, Packet, Path, PathConfig, SendError, TunConfig, TunLink, Wait, path_pair,
};
use sha2::{Digest, Sha256};

const V4: [&str; 2] = ["10.207.0.1/24", "10.207.0.2/24"];
const V6: [&str; 2] = ["fd07:7::1/64", "fd07:7::2/64"];

fn can_make_devices(test: &str) -> bool {
    // SAFETY: no pointers; concerns the new thread only.
    let namespaces = thread::spawn(|| unsafe { libc::unshare(libc::CLONE_NEWNET) } == 0).join().unwrap_or(false);
    let driver = std::path::Path::new("/dev/net/tun").exists();
    let tools = ["ip", "ping"].iter().all(|tool| Command::new(tool).arg("-V").output().is_ok());
    if !(namespaces && driver && tools) {
        println!(
            "skipped: {test} needs root (network namespaces: {namespaces}), /dev/net/tun ({driver}), ip and ping ({tools})"
        );
    }
    namespaces && driver && tools
}

/// Moves the calling thread, and what it starts, into a network namespace of its own.
fn enter_new_namespace() {
    // SAFETY: no pointers; concerns this thread only.
    let result = unsafe { libc::unshare(libc::CLONE_NEWNET) };
    assert_eq!(result, 0, "unshare: {}", std::io::Error::last_os_error());
    run("ip", &["link", "set", "lo", "up"]);
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output().expect(program);
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

type Job = Box<dyn FnOnce() + Send>;

/// A namespace: a thread that lives in it and does jobs.
struct Namespace(mpsc::Sender<Job>);

impl Namespace {
    fn new() -> Namespace {
        let (jobs, inbox) = mpsc::channel::<Job>();
        thread::spawn(move || {
            enter_new_namespace();
            for job in inbox {
                job();
            }
        });
        Namespace(jobs)
    }

    fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (result, wait) = mpsc::channel();
        self.0.send(Box::new(move || drop(result.send(job())))).expect("the namespace's thread lives");
        wait.recv().expect("the job did not panic")
    }

    fn tun(&self, side: usize, offload: bool, mtu: usize) -> TunLink {
        self.run(move || {
            let config = TunConfig {
                name: format!("tun{side}"),
                mtu,
                addresses: vec![V4[side].parse().expect("a prefix"), V6[side].parse().expect("a prefix")],
                offload,
                ..TunConfig::default()
            };
            TunLink::create(&config).expect("a device")
        })
    }
}

#[derive(Default, Debug)]
struct Seen {
    super_segments: usize,
    largest: usize,
    unfinished: usize,
    packets: usize,
}

/// Carries packets between two links until told to stop; says what it saw from the first.
struct Wire {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

fn sleep_on(links: &[&dyn Link]) {
    let mut fds: Vec<libc::pollfd> = Vec::new();
    for link in links {
        if let Wait::Fd(fd) = link.wait() {
            fds.push(libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
        }
    }
    // SAFETY: the pointer and the count describe `fds`.
    unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, 1) };
}

fn send_all(link: &mut dyn Link, now: Instant, packets: &mut Vec<Packet>) {
    for packet in packets.drain(..) {
        let mut packet = packet;
        while let Err(SendError::Full(back)) = link.send(now, packet) {
            packet = back;
            thread::yield_now();
        }
    }
    link.flush(now).expect("the device lives");
}

/// `between`: what lies between the two devices, as two ends; none: nothing.
fn wire(mut a: TunLink, mut b: TunLink, path: Option<Path>) -> Wire {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let thread = thread::spawn(move || {
        let start = std::time::Instant::now();
        let mut seen = Seen::default();
        let mut ends = path.map(path_pair);
        let mut batch = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let now = Instant::from_nanos(start.elapsed().as_nanos() as u64);
            a.recv(now, &mut batch, 64).expect("device a lives");
            for packet in &batch {
                seen.packets += 1;
                seen.super_segments += usize::from(packet.segmentation.is_some());
                seen.unfinished += usize::from(matches!(packet.checksum, segue_link::ChecksumState::Partial { .. }));
                seen.largest = seen.largest.max(packet.len());
            }
            match &mut ends {
                None => {
                    send_all(&mut b, now, &mut batch);
                    b.recv(now, &mut batch, 64).expect("device b lives");
                    send_all(&mut a, now, &mut batch);
                }
                Some((end_a, end_b)) => {
                    send_all(end_a, now, &mut batch);
                    b.recv(now, &mut batch, 64).expect("device b lives");
                    send_all(end_b, now, &mut batch);
                    end_b.recv(now, &mut batch, 64).expect("a path lives");
                    send_all(&mut b, now, &mut batch);
                    end_a.recv(now, &mut batch, 64).expect("a path lives");
                    send_all(&mut a, now, &mut batch);
                }
            }
            sleep_on(&[&a, &b]);
        }
        seen
    });
    Wire { stop, thread }
}

impl Wire {
    fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the wire did not panic")
    }
}

fn content(bytes: usize) -> Vec<u8> {
    let mut state = 0x1234_5678_9abc_def0_u64;
    (0..bytes)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

/// Sends bytes by the kernel's TCP from namespace 0 to namespace 1; the hashes must agree.
fn transfer(namespaces: &[Namespace; 2], to: &str, bytes: usize) {
    let address: SocketAddr = format!("{to}:7000").parse().expect("an address");
    let listener = namespaces[1].run(move || TcpListener::bind(address).expect("bind"));
    let receiver = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("accept");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("read");
        (all.len(), Sha256::digest(&all))
    });
    let data = content(bytes);
    let sent = Sha256::digest(&data);
    let mut stream =
        namespaces[0].run(move || TcpStream::connect_timeout(&address, Duration::from_secs(10)).expect("connect"));
    stream.write_all(&data).expect("write");
    drop(stream);
    let (len, received) = receiver.join().expect("receiver");
    assert_eq!((len, received), (bytes, sent), "what arrived is not what was sent");
}

fn both(offload: [bool; 2], mtu: usize) -> ([Namespace; 2], TunLink, TunLink) {
    let namespaces = [Namespace::new(), Namespace::new()];
    let a = namespaces[0].tun(0, offload[0], mtu);
    let b = namespaces[1].tun(1, offload[1], mtu);
    (namespaces, a, b)
}

#[test]
fn the_kernel_pings_across_two_devices_in_both_families() {
    if !can_make_devices("ping") {
        return;
    }
    for offload in [true, false] {
        let (namespaces, a, b) = both([offload, offload], 1500);
        let wire = wire(a, b, None);
        for target in ["10.207.0.2", "fd07:7::2"] {
            // 4000 bytes: fragments, too.
            for size in ["56", "4000"] {
                namespaces[0].run(move || run("ping", &["-c", "3", "-i", "0.05", "-W", "5", "-s", size, target]));
            }
        }
        wire.stop();
    }
}

#[test]
fn kernel_tcp_crosses_as_super_segments_when_both_devices_offload() {
    if !can_make_devices("TCP with offload") {
        return;
    }
    let (namespaces, a, b) = both([true, true], 1500);
    assert_eq!((a.capabilities().gso_max, a.capabilities().checksum), (65_535, true));
    let wire = wire(a, b, None);
    transfer(&namespaces, "10.207.0.2", 20_000_000);
    transfer(&namespaces, "[fd07:7::2]", 20_000_000);
    let seen = wire.stop();
    assert!(seen.super_segments > 100 && seen.largest > 30_000, "{seen:?}");
    assert!(seen.packets < 20_000, "super-segments were cut: {seen:?}");
}

#[test]
fn kernel_tcp_crosses_without_offload_in_wire_packets() {
    if !can_make_devices("TCP without offload") {
        return;
    }
    let (namespaces, a, b) = both([false, false], 1500);
    assert_eq!((a.capabilities().gso_max, a.capabilities().checksum), (65_535, false), "cut at the edge");
    let wire = wire(a, b, None);
    transfer(&namespaces, "10.207.0.2", 5_000_000);
    let seen = wire.stop();
    assert_eq!((seen.super_segments, seen.unfinished), (0, 0), "{seen:?}");
    assert!(seen.largest <= 1500, "{seen:?}");
}

#[test]
fn a_plain_device_gets_super_segments_cut_and_their_checksums_finished() {
    if !can_make_devices("cutting") {
        return;
    }
    let (namespaces, a, b) = both([true, false], 1400);
    let wire = wire(a, b, None);
    transfer(&namespaces, "10.207.0.2", 5_000_000);
    transfer(&namespaces, "[fd07:7::2]", 5_000_000);
    let seen = wire.stop();
    assert!(seen.super_segments > 10, "nothing to cut came: {seen:?}");
}

#[test]
fn kernel_tcp_survives_a_bad_path_between_two_devices() {
    if !can_make_devices("a bad path") {
        return;
    }
    let (namespaces, a, b) = both([true, true], 1500);
    let bad = Impairments {
        delay: Duration::from_millis(2),
        loss: "1%".parse().expect("a loss"),
        duplicate: "2%".parse().expect("a probability"),
        corrupt: "1%".parse().expect("a probability"),
        ..Impairments::default()
    };
    let path = Path::new(PathConfig::symmetric(bad).expect("valid").with_seed(5));
    let wire = wire(a, b, Some(path));
    transfer(&namespaces, "10.207.0.2", 2_000_000);
    transfer(&namespaces, "[fd07:7::2]", 2_000_000);
    wire.stop();
}

#[test]
fn the_kernel_learns_the_mtu_of_a_narrow_hop_from_the_paths_answers() {
    if !can_make_devices("path MTU") {
        return;
    }
    let (namespaces, a, b) = both([true, true], 1500);
    let narrow = Impairments { mtu: Some(1300), ..Impairments::default() };
    let path = Path::new(PathConfig::symmetric(narrow).expect("valid"));
    let wire = wire(a, b, Some(path));
    transfer(&namespaces, "10.207.0.2", 1_000_000);
    transfer(&namespaces, "[fd07:7::2]", 1_000_000);
    for (target, family) in [("10.207.0.2", "-4"), ("fd07:7::2", "-6")] {
        let route = namespaces[0].run(move || run("ip", &[family, "route", "get", target]));
        let route = String::from_utf8_lossy(&route.stdout).into_owned();
        assert!(route.contains("mtu 1300"), "{route}");
    }
    wire.stop();
}

#[test]
fn a_device_disappears_with_its_link_and_a_route_leads_to_it_before() {
    if !can_make_devices("lifetime") {
        return;
    }
    let namespace = Namespace::new();
    let link = namespace.run(|| {
        let config = TunConfig {
            name: "segue%d".to_owned(),
            mtu: 1400,
            addresses: vec!["10.208.0.1/24".parse().expect("a prefix")],
            routes: vec!["192.0.2.0/24".parse().expect("a prefix"), "2001:db8::/32".parse().expect("a prefix")],
            offload: true,
        };
        TunLink::create(&config).expect("a device")
    });
    assert_eq!(link.name(), "segue0");
    let show = |what: &'static [&'static str]| {
        namespace.run(move || String::from_utf8_lossy(&run("ip", what).stdout).into_owned())
    };
    let device = show(&["addr", "show", "segue0"]);
    assert!(device.contains("mtu 1400") && device.contains("UP") && device.contains("10.208.0.1/24"), "{device}");
    assert!(show(&["route", "get", "192.0.2.7"]).contains("segue0"));
    assert!(show(&["-6", "route", "get", "2001:db8::7"]).contains("segue0"));
    drop(link);
    // A program that another test is starting has the device, too, until it is executed.
    let is_gone = (0..500).any(|_| {
        let is_gone = !show(&["link"]).contains("segue0");
        if !is_gone {
            thread::sleep(Duration::from_millis(10));
        }
        is_gone
    });
    assert!(is_gone, "the device outlives its link");
}

#[test]
fn a_device_that_is_deleted_is_an_error_each_time_and_wakes_the_sleeper() {
    if !can_make_devices("deletion") {
        return;
    }
    let namespace = Namespace::new();
    let mut link = namespace.tun(0, true, 1500);
    namespace.run(|| run("ip", &["link", "delete", "tun0"]));
    let mut out = Vec::new();
    for _ in 0..3 {
        sleep_on(&[&link]);
        let error = link.recv(Instant::ZERO, &mut out, 8).expect_err("the device is gone");
        assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
        assert!(error.to_string().contains("tun0 was removed"), "{error}");
    }
    let packet = Packet::from_bytes(vec![0x45; 40].into());
    assert!(matches!(link.send(Instant::ZERO, packet), Err(SendError::Io(_))));
}

#[test]
fn a_persistent_device_is_attached_to_and_stays() {
    if !can_make_devices("attaching") {
        return;
    }
    let namespace = Namespace::new();
    namespace.run(|| {
        run("ip", &["tuntap", "add", "dev", "mine", "mode", "tun"]);
        let down = TunLink::attach("mine", true).err().expect("it is down");
        assert!(down.to_string().contains("ip link set mine up"), "{down}");
        run("ip", &["link", "set", "mine", "up", "mtu", "1420"]);
        let first = TunLink::attach("mine", true).expect("attach");
        assert_eq!((first.name(), first.capabilities().mtu), ("mine", 1420));
        let busy = TunLink::attach("mine", true).err().expect("it is taken");
        assert!(busy.to_string().contains("another process"), "{busy}");
        drop(first);
        let second = TunLink::attach("mine", false).expect("attach again");
        drop(second);
        run("ip", &["link", "show", "mine"]);
    });
}

#[test]
fn every_wrong_wish_is_refused_with_what_to_do() {
    if !can_make_devices("errors") {
        return;
    }
    let namespace = Namespace::new();
    namespace.run(|| {
        run("ip", &["link", "add", "taken", "type", "veth", "peer", "name", "other"]);
        run("ip", &["tuntap", "add", "dev", "persistent", "mode", "tun"]);
        run("ip", &["addr", "add", "10.209.0.1/24", "dev", "lo"]);
        let base = || TunConfig { name: "tun9".to_owned(), ..TunConfig::default() };
        let addressed = |text: &str| TunConfig { addresses: vec![text.parse().expect("a prefix")], ..base() };
        for (config, words) in [
            (TunConfig { name: "a-name-of-16-byt".to_owned(), ..base() }, "16 bytes, at most 15"),
            (TunConfig { name: String::new(), ..base() }, "1 to 15"),
            (TunConfig { name: "a/b".to_owned(), ..base() }, "cannot be the name"),
            (TunConfig { name: "taken".to_owned(), ..base() }, "a device named taken already"),
            (TunConfig { name: "persistent".to_owned(), ..base() }, "a device named persistent already"),
            (TunConfig { mtu: 60, ..base() }, "68 to 65535"),
            (TunConfig { mtu: 1000, ..addressed("fd00::1/64") }, "at least 1280"),
            (addressed("10.209.0.1/24"), "10.209.0.1 is an address of this machine already"),
        ] {
            let error = TunLink::create(&config).err().unwrap_or_else(|| panic!("{config:?} must be refused"));
            assert!(error.to_string().contains(words), "{error}");
        }
        for text in ["10.7.0.1", "10.7.0.1/33", "fd00::1/129", "10.7/8", "x/8"] {
            assert!(text.parse::<segue_link::Prefix>().is_err(), "{text}");
        }
        let missing = TunLink::attach("nobody", true).err().expect("no such device");
        assert!(missing.to_string().contains("ip tuntap add dev nobody"), "{missing}");
        run("ip", &["link", "set", "taken", "up"]);
        let wrong = TunLink::attach("taken", true).err().expect("no TUN device");
        assert!(wrong.to_string().contains("not a TUN device"), "{wrong}");
        // Nothing that failed half way may stay behind.
        let links = String::from_utf8_lossy(&run("ip", &["link"]).stdout).into_owned();
        assert!(!links.contains("tun9"), "{links}");
    });
}

#[test]
fn without_privilege_the_error_names_the_capability() {
    if !can_make_devices("permission") {
        return;
    }
    let namespace = Namespace::new();
    namespace.run(|| {
        // SAFETY: changes the file-system and effective ids of this thread only (raw system call).
        let result = unsafe { libc::syscall(libc::SYS_setresuid, 65534, 65534, 65534) };
        assert_eq!(result, 0);
        let error = TunLink::create(&TunConfig::default()).err().expect("nobody may do that");
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
        let text = error.to_string();
        assert!(text.contains("CAP_NET_ADMIN") || text.contains("/dev/net/tun"), "{text}");
        assert!(text.contains("root"), "{text}");
    });
}

#[test]
fn kernel_udp_super_segments_arrive_as_the_datagrams_they_stand_for() {
    if !can_make_devices("UDP segmentation") {
        return;
    }
    for offload in [[true, true], [true, false]] {
        let (namespaces, a, b) = both(offload, 1500);
        let wire = wire(a, b, None);
        let receiver = namespaces[1].run(|| UdpSocket::bind("10.207.0.2:7001").expect("bind"));
        receiver.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let data = content(10_000);
        let sent = data.clone();
        namespaces[0].run(move || {
            let socket = UdpSocket::bind("10.207.0.1:0").expect("bind");
            socket.connect("10.207.0.2:7001").expect("connect");
            let size: libc::c_int = 1000;
            // SAFETY: the pointer and the length describe `size`. 103 is UDP_SEGMENT.
            let result =
                unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_UDP, 103, (&raw const size).cast(), 4) };
            assert_eq!(result, 0);
            assert_eq!(socket.send(&data).expect("send"), 10_000);
        });
        let mut received = Vec::new();
        let mut buffer = [0; 2000];
        while received.len() < sent.len() {
            let len = receiver.recv(&mut buffer).expect("a datagram");
            assert_eq!(len, 1000);
            received.extend_from_slice(&buffer[..len]);
        }
        assert!(received == sent, "datagrams differ, offload {offload:?}");
        let seen = wire.stop();
        assert!(seen.super_segments > 0, "the kernel cut it itself: {seen:?}");
    }
}
