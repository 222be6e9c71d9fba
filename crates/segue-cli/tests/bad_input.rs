//! Whatever is wrong, the message says what to do and the exit status is the
//! one a shell would give.

mod common;

use std::time::Duration;

use common::{Running, finish, free_port, segue, segue_run, text};

const SOON: Duration = Duration::from_secs(20);

#[track_caller]
fn refused(command: &mut std::process::Command, status: i32, words: &[&str]) {
    let output = finish(command, SOON);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{command:?}\n{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in:\n{message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn an_unknown_program_gives_127() {
    refused(&mut segue_run("", &["no-such-program-anywhere"]), 127, &["no-such-program-anywhere"]);
}

#[test]
fn a_file_that_cannot_be_executed_gives_126() {
    refused(&mut segue_run("", &["/etc/passwd"]), 126, &["/etc/passwd"]);
}

#[test]
fn the_exit_status_of_the_program_is_passed_on() {
    assert_eq!(finish(&mut segue_run("", &["sh", "-c", "exit 43"]), SOON).status.code(), Some(43));
}

#[test]
fn death_by_a_signal_gives_128_plus_its_number() {
    let output = finish(&mut segue_run("", &["sh", "-c", "kill -TERM $$"]), SOON);
    assert_eq!(output.status.code(), Some(128 + 15));
}

#[test]
fn an_unknown_option_gives_2_and_names_it() {
    refused(segue().args(["run", "--dealy", "20ms", "--", "true"]), 2, &["--dealy", "--delay"]);
}

#[test]
fn impossible_impairments_are_refused_with_the_range() {
    for (options, words) in [
        ("--loss 101%", ["101%", "100"]),
        ("--loss -1%", ["-1%", "0"]),
        ("--loss many", ["many", "1%"]),
        ("--delay 20", ["20", "ms"]),
        ("--delay -5ms", ["-5ms", "0"]),
        ("--rate 0mbit", ["0mbit", "0"]),
        ("--queue 10B --rate 1mbit", ["10B", "packet"]),
        ("--queue 64KiB", ["bottleneck", "rate"]),
        ("--queue sfq --rate 1mbit", ["sfq", "fq_codel"]),
        ("--queue codel:target=5 --rate 1mbit", ["target", "ms"]),
        ("--loss burst:1%", ["burst:1%", "burst:1%,4"]),
        ("--loss every:0", ["every", "1"]),
        ("--drop 0", ["from 1", "packet 0"]),
        ("--drop 9-7", ["backwards", "7-9"]),
        ("--jitter 1ms --jitter-shape bell", ["bell", "pareto"]),
        ("--path-mtu 100", ["100", "576"]),
        ("--path-mtu many", ["many", "bytes"]),
        ("--trace /no/such/trace", ["/no/such/trace", "No such file"]),
        ("--trace /etc/passwd", ["/etc/passwd", "line 1"]),
        ("--trace /dev/null --rate 1mbit", ["--trace", "--rate"]),
    ] {
        refused(segue().arg("run").args(options.split(' ')).args(["--", "true"]), 2, &words);
    }
}

#[test]
fn a_published_port_given_twice_is_refused() {
    let port = free_port();
    refused(&mut segue_run(&format!("-p {port}:80 -p {port}:81"), &["true"]), 2, &[&port.to_string(), "twice"]);
}

#[test]
fn a_published_port_that_is_taken_is_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    refused(&mut segue_run(&format!("-p 127.0.0.1:{port}:80"), &["true"]), 125, &[&port.to_string(), "in use"]);
}

#[test]
fn an_unknown_sysctl_is_refused_with_the_nearest_name() {
    refused(&mut segue_run("--sysctl net.ipv4.tcp_rmen=4096,131072,6291456", &["true"]), 2, &["tcp_rmen", "tcp_rmem"]);
}

#[test]
fn an_unwritable_capture_is_refused_before_the_program_starts() {
    let output = finish(&mut segue_run("--pcap /no/such/folder/run.pcapng", &["echo", "started"]), SOON);
    assert_eq!(output.status.code(), Some(125));
    assert!(text(&output.stderr).contains("/no/such/folder/run.pcapng"));
    assert!(output.stdout.is_empty(), "the program was not started");
}

#[test]
fn a_tun_device_without_permission_says_what_is_needed() {
    if !common::is_root() {
        skip!("without root the device may be refused for other reasons");
    }
    refused(&mut segue_run("--tun seguebad0 --addr 10.99.0.2/24", &["true"]), 125, &["seguebad0", "CAP_NET_ADMIN"]);
}

#[test]
fn a_tun_device_with_an_impossible_address_is_refused() {
    for address in ["10.99.0.2/33", "10.99.0.300/24", "10.99.0.2"] {
        refused(&mut segue_run(&format!("--tun t0 --addr {address}"), &["true"]), 2, &[address]);
    }
}

#[test]
fn serve_without_a_device_teaches() {
    refused(segue().arg("serve"), 2, &["--tun", "--addr"]);
}

#[test]
fn no_process_is_left_when_segue_is_killed() {
    let marker = format!("31{}", std::process::id());
    let run = Running::start(&mut segue_run("", &["sleep", &marker]));
    common::eventually("the program runs", SOON, || alive(&marker));
    let pid = rustix::process::Pid::from_raw(run.pid()).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
    common::eventually("the program is gone", SOON, || !alive(&marker));
}

#[test]
fn an_interrupt_reaches_the_program_and_ends_the_run() {
    let marker = format!("32{}", std::process::id());
    // Who runs the tests in the background may ignore interrupts, and so does whatever is started from there.
    let run = Running::start(&mut segue_run("", &["env", "--default-signal=INT", "sleep", &marker]));
    common::eventually("the program runs", SOON, || alive(&marker));
    let output = run.interrupt(SOON);
    assert_eq!(output.status.code(), Some(128 + 2));
}

/// Whether a `sleep MARKER` runs somewhere (not a supervisor that names it).
fn alive(marker: &str) -> bool {
    std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .any(|line| line.starts_with(b"sleep\0") && text(&line).contains(marker))
}

/// Numbers of x86_64; elsewhere the same calls have others.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_kernel_that_forbids_what_the_supervisor_needs_is_named_with_the_remedy() {
    need!("cc");
    let folder = common::open_folder();
    let deny = folder.path().join("deny");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/deny.c");
    let built = finish(std::process::Command::new("cc").arg("-o").arg(&deny).arg(source), SOON);
    common::assert_success(&built);
    for (number, what) in [("317", "seccomp"), ("438", "pidfd_getfd"), ("310", "process_vm_readv")] {
        let mut command = std::process::Command::new(&deny);
        command.arg(number).arg(common::binary()).args(["run", "--", "echo", "started"]);
        let output = finish(&mut command, SOON);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(125), "{what}\n{message}");
        assert!(message.contains(what) && message.contains("security-opt"), "{message}");
        assert!(output.stdout.is_empty(), "the program was not started");
    }
}

#[test]
fn a_reader_that_leaves_ends_a_listing_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = segue().args(["lab", "list"]).stdout(writer).output().expect("it runs");
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(128 + 13), ""));
}

#[test]
fn a_full_standard_output_is_told() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let output = segue().args(["lab", "list"]).stdout(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "segue: standard output: No space left on device (os error 28)\n");
}

#[test]
fn a_stack_lives_in_the_memory_it_is_given_and_says_what_it_refused() {
    refused(&mut segue_run("--memory 50", &["true"]), 2, &["--memory", "50", "MB"]);
    refused(&mut segue_run("--memory 900kB", &["true"]), 2, &["900kB", "at least 1MiB"]);
    // Sockets until there is no more room; with fewer of them it goes on.
    let program = "import socket, errno\n\
        held = []\n\
        try:\n\
        \x20   while True: held.append(socket.socket())\n\
        except OSError as error: print(errno.errorcode[error.errno], 200 < len(held) < 1200)\n\
        del held[100:]\n\
        held.append(socket.create_connection(('segue.test', 7)))\n\
        held[-1].sendall(b'x'); print(held[-1].recv(1))";
    let output = finish(&mut segue_run("--memory 2MB", &["python3", "-c", program]), SOON);
    assert_eq!(text(&output.stdout), "ENOBUFS True\nb'x'\n", "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("out of memory: SegueMemorySockets 1 "), "{}", text(&output.stderr));
}

#[test]
fn wrong_words_of_every_command_are_answered_with_the_right_ones() {
    for (line, words) in [
        ("run --seed x -- true", &["x", "whole number"][..]),
        ("run --mtu 20 -- true", &["20", "from 576 to 65535"]),
        ("run --mtu x -- true", &["x", "from 576 to 65535"]),
        ("run --sysctl tcp_rmem -- true", &["NAME=VALUE", "tcp_timestamps=0"]),
        ("run --sysctl tcp_rmem=5 -- true", &["three whole numbers", "minimum, default, maximum"]),
        ("run --sysctl tcp_congestion_control=vegas -- true", &["reno cubic bbr", "vegas"]),
        ("run -p 80 -- true", &["HOST:GUEST", "8080:80"]),
        ("run -p 99999:80 -- true", &["99999", "1 to 65535"]),
        ("run -p 8080:80/sctp -- true", &["sctp", "/tcp or /udp"]),
        ("run --linger 5 -- true", &["5", "1.5s"]),
        ("run --memory 50 -- true", &["50", "MB"]),
        ("run --tun x -- true", &["--addr"]),
        ("run --wait-on-clos -- true", &["--wait-on-close"]),
        ("serve --tun a --addr 10.7.0.2", &["prefix length", "10.7.0.2/24"]),
        ("serve --tun a --addr 300.1.1.1/24", &["300.1.1.1", "10.0.0.1/24"]),
        ("serve --tun a --addr 10.7.0.2/24 --connections 0", &["connections", "at least 1"]),
        ("serve --tun a --addr 10.7.0.2/24 --memory 5", &["5", "MB"]),
        ("drill", &["FILE"]),
        ("drill /nonexistent.pkt", &["/nonexistent.pkt", "No such file"]),
        ("drill --against bsd /etc/passwd", &["bsd", "segue, linux"]),
        ("drill --jobs many /etc/passwd", &["many", "from 0 to 1024"]),
        ("lab nosuch", &["nosuch", "segue lab list"]),
        ("lab handshaek", &["handshake"]),
        ("lab transfer --loss x", &["x", "1% or 0.1%"]),
        ("lab transfer --bytes many", &["many", "MiB"]),
        ("lab transfer --seed x", &["x", "whole number"]),
        ("lab torture --seeds x", &["x", "whole number"]),
        ("lab torture --jobs 0", &["0", "from 1 to 1024"]),
        ("path", &["--a", "--b"]),
        ("ss -Q", &["-Q", "Usage"]),
        ("ss dport = x", &["dport = :80"]),
        ("ss sport", &["sport needs a word"]),
        ("nstat --nosuch", &["--nosuch"]),
        ("sysctl -w", &["NAME[=VALUE]"]),
        ("perf flood --rate 0", &["packets per second", "max"]),
        ("perf flood --attack nosuch", &["nosuch", "zero-window"]),
        ("perf flood --seconds 0", &["from 1 to 86400"]),
        ("perf connections --count x", &["x", "from 10 to 100000000"]),
        ("perf soak --connections 0", &["from 1 to 4294967295"]),
        ("ping", &["HOST"]),
        ("ping --count x 10.0.0.1", &["x", "from 1 to 65535"]),
        ("ping --ttl 256 10.0.0.1", &["256", "from 1 to 255"]),
        ("ping --size 70000 10.0.0.1", &["70000", "from 0 to 65507"]),
    ] {
        refused(segue().args(line.split(' ')), 2, words);
    }
}

#[test]
fn who_asks_for_a_host_where_none_runs_is_told_how_to_start_one() {
    let folder = std::env::temp_dir().join(format!("segue-nobody-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    for line in ["ss", "nstat", "sysctl tcp_rmem", "sysctl tcp_rmem=1"] {
        let mut command = segue();
        command.args(line.split(' ')).env("XDG_RUNTIME_DIR", &folder);
        refused(&mut command, 1, &["no host is running", "segue run"]);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_folder_without_scripts_is_told_so_whatever_else_lies_in_it() {
    let folder = std::env::temp_dir().join(format!("segue-no-scripts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink("/nonexistent", folder.join("a-link")).unwrap();
    refused(segue().arg("drill").arg(&folder), 2, &["no script found in", ".pkt"]);
    std::fs::remove_dir_all(&folder).unwrap();
}
