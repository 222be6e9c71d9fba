//! A script against Linux that is cut off leaves nothing behind: its namespace and its device are gone with the process.
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use segue_drill::{Against, Options, prepare_namespaces, run_script};

/// Asks this very test binary to play the script instead of testing.
const PLAYS: &str = "SEGUE_DRILL_ENDING_PLAYS";

/// It listens, says so by an echo to nobody, and then waits longer than anybody.
const WAITS: &str = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 5) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+0...300 accept(3, ..., ...) = 4
";

/// The network namespaces of a process's threads, by their numbers.
fn namespaces(process: u32) -> Vec<String> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let mut found: Vec<String> = threads
        .filter_map(|thread| std::fs::read_link(thread.ok()?.path().join("ns/net")).ok())
        .map(|link| link.display().to_string())
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Whether any process on this machine is in a namespace.
fn is_used(namespace: &str) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    numbers.into_iter().any(|process| namespaces(process).iter().any(|one| one == namespace))
}

/// What `ip` lists: named namespaces, or this namespace's links.
fn ip(words: &[&str]) -> String {
    let output = Command::new("ip").args(words).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn wait_for(mut what: impl FnMut() -> bool) -> bool {
    let limit = Instant::now() + Duration::from_secs(20);
    while Instant::now() < limit {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

fn start() -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "plays_a_script_that_waits", "--nocapture"]).env(PLAYS, "1");
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Not a test of anything unless another one asks for it.
#[test]
fn plays_a_script_that_waits() {
    if std::env::var_os(PLAYS).is_none() {
        return;
    }
    prepare_namespaces().unwrap();
    println!("playing");
    std::io::stdout().flush().unwrap();
    let options = Options { against: Against::Linux, ..Options::default() };
    _ = run_script("waits.pkt", WAITS, &options);
}

#[test]
fn a_script_that_is_cut_off_leaves_no_namespace_and_no_device() {
    if let Err(error) = prepare_namespaces() {
        println!("skipped: {error}");
        return;
    }
    if !Path::new("/sbin/ip").exists() && !Path::new("/usr/sbin/ip").exists() && !Path::new("/bin/ip").exists() {
        println!("skipped: ip is not here");
        return;
    }
    let ours = namespaces(std::process::id());
    for signal in ["KILL", "INT"] {
        let has_device = || ip(&["-o", "link"]).contains("tun0");
        let (before, had_device) = (ip(&["netns"]), has_device());
        let mut child = start();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.is_ok_and(|line| line.contains("playing"))), "it does not play");
        let foreign = || namespaces(child.id()).into_iter().find(|one| !ours.contains(one));
        assert!(wait_for(|| foreign().is_some()), "it makes no namespace");
        let namespace = foreign().unwrap();
        assert!(is_used(&namespace));
        let status = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert!(status.success());
        let ended = child.wait().unwrap();
        assert!(!ended.success(), "SIG{signal} has not ended it");
        // A namespace without a process, a name or a descriptor is gone, and its devices with it.
        assert!(wait_for(|| !is_used(&namespace)), "{namespace} is still there after SIG{signal}");
        assert_eq!(ip(&["netns"]), before, "a named namespace is left after SIG{signal}");
        assert_eq!(has_device(), had_device, "a device is left after SIG{signal}");
    }
}
