//! Segue and the kernel on the two ends of a TUN device: real programs, both versions of IP, offload on and off.
//!
//! Needs root, /dev/net/tun, `unshare`, `python3` and `curl`; says what is missing and passes otherwise. The test runs
//! itself again in a network namespace of its own, so that it touches nothing of the machine.
mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::*;
use segue::link::{Prefix, TunConfig, TunLink};
use segue::{Host, TcpListener, TcpStream};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

const INSIDE: &str = "SEGUE_TEST_NAMESPACE";
const SIZE: usize = 64 << 20;

/// Runs one test of this file in a new network namespace. False: it is running there already.
fn in_a_namespace(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return false;
    }
    for (program, argument) in [("unshare", "--version"), ("python3", "--version"), ("curl", "--version")] {
        if Command::new(program).arg(argument).stdout(Stdio::null()).status().is_err() {
            println!("skipped: there is no {program} here");
            return true;
        }
    }
    if let Err(error) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        println!("skipped: /dev/net/tun cannot be opened: {error}");
        return true;
    }
    let namespace = Command::new("unshare").args(["--net", "true"]).stderr(Stdio::null()).status().unwrap();
    if !namespace.success() {
        println!("skipped: network namespaces need root");
        return true;
    }
    let status = Command::new("unshare")
        .arg("--net")
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "inside the namespace: {status}");
    true
}

fn prefix(address: &str, length: u8) -> Prefix {
    Prefix { address: address.parse().unwrap(), length }
}

/// The kernel has 10.9.0.1 and fd09::1, the host 10.9.0.2 and fd09::2.
fn host_on_tun(offload: bool) -> Host {
    let config = TunConfig {
        name: "segue0".into(),
        addresses: vec![prefix("10.9.0.1", 24), prefix("fd09::1", 64)],
        offload,
        ..TunConfig::default()
    };
    let link = TunLink::create(&config).unwrap();
    Host::builder().address(cidr("10.9.0.2/24")).address(cidr("fd09::2/64")).link(link).spawn().unwrap()
}

const PYTHON_CLIENT: &str = r#"
import hashlib, os, socket, sys, threading
to, size = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
data = os.urandom(size)
s = socket.create_connection(to)
def send():
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
h, n = hashlib.sha256(), 0
while True:
    b = s.recv(1 << 20)
    if not b: break
    h.update(b); n += len(b)
assert n == size, n
assert h.digest() == hashlib.sha256(data).digest(), "what came back is something else"
"#;

const PYTHON_SERVER: &str = r#"
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
l = socket.socket(family)
l.bind((sys.argv[1], 0))
l.listen()
print(l.getsockname()[1], flush=True)
s, _ = l.accept()
while True:
    b = s.recv(1 << 20)
    if not b: break
    s.sendall(b)
s.shutdown(socket.SHUT_WR)
s.recv(1)
"#;

/// A kernel client sends to a Segue server, which sends it all back.
async fn kernel_client(host: &Host, address: &str) {
    let listener = TcpListener::bind(host, at(address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut client = tokio::process::Command::new("python3")
        .args(["-c", PYTHON_CLIENT, address, &port, &SIZE.to_string()])
        .spawn()
        .unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut read, mut write) = stream.split();
    let copied = tokio::io::copy(&mut read, &mut write).await.unwrap();
    assert_eq!(copied as usize, SIZE);
    write.shutdown().await.unwrap();
    assert!(client.wait().await.unwrap().success());
}

/// A Segue client sends to a kernel server, which sends it all back.
async fn kernel_server(host: &Host, address: &str) {
    let mut server = tokio::process::Command::new("python3")
        .args(["-c", PYTHON_SERVER, address])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).await.unwrap();
    let stream = TcpStream::connect(host, at(address, port.trim().parse().unwrap())).await.unwrap();
    let exchanged = exchange(stream, 1, SIZE).await;
    assert_eq!((exchanged.bytes, exchanged.received), (SIZE, exchanged.sent));
    assert!(server.wait().await.unwrap().success());
}

/// The kernel's curl loads a file from a Segue server.
async fn curl(host: &Host, address: &str) {
    let listener = TcpListener::bind(host, at(address, 80)).await.unwrap();
    let body = Stream::bytes(2, SIZE);
    let expected = hash(&body);
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.send_bytes(body.into()).await.unwrap();
    });
    let url = if address.contains(':') { format!("http://[{address}]/") } else { format!("http://{address}/") };
    let output = tokio::process::Command::new("curl").args(["-sS", "--noproxy", "*", &url]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), SIZE);
    assert_eq!(hash(&output.stdout), expected);
    server.await.unwrap();
}

/// The kernel answers IPv6 on a new device only after a moment.
async fn wait_for_the_kernel(host: &Host) {
    for address in ["10.9.0.1", "fd09::1"] {
        let options = segue::PingOptions { timeout: Duration::from_millis(100), ..Default::default() };
        while host.ping(address.parse().unwrap(), options).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn everything(offload: bool) {
    let host = host_on_tun(offload);
    wait_for_the_kernel(&host).await;
    for (segue, kernel) in [("10.9.0.2", "10.9.0.1"), ("fd09::2", "fd09::1")] {
        kernel_client(&host, segue).await;
        kernel_server(&host, kernel).await;
        curl(&host, segue).await;
    }
    host.shutdown(Duration::from_secs(20)).await.unwrap();
    // The device goes with the host.
    eventually("the device is gone", || !std::path::Path::new("/sys/class/net/segue0").exists()).await;
}

#[test]
fn the_kernel_and_segue_understand_each_other_with_offload() {
    if !in_a_namespace("the_kernel_and_segue_understand_each_other_with_offload") {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(within(everything(true)));
    }
}

#[test]
fn the_kernel_and_segue_understand_each_other_without_offload() {
    if !in_a_namespace("the_kernel_and_segue_understand_each_other_without_offload") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(within(everything(false)));
    }
}
