//! Segue and the kernel on the two ends of a TUN device: real programs, both versions of IP, offload on and off.
//!
//! Needs root, /dev/net/tun, `unshare`, `python3` and `curl`; says what is missing and passes otherwise. The test runs
//! itself again in a network namespace of its own, so that it touches nothing of the machine.
mod common;

use std::process::Stdio;
use std::time::Duration;

use common::namespace::{ENDS, host_on_tun, in_a_namespace};
use common::*;
use segue::{Host, TcpListener, TcpStream};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

const SIZE: usize = 64 << 20;

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

async fn everything(offload: bool) {
    let host = host_on_tun(offload).await;
    for (segue, kernel) in ENDS {
        kernel_client(&host, segue).await;
        kernel_server(&host, kernel).await;
        curl(&host, segue).await;
    }
    host.shutdown(Duration::from_secs(20)).await.unwrap();
    // The device goes with the host.
    eventually("the device is gone", || !std::path::Path::new("/sys/class/net/segue0").exists()).await;
}

const NEEDS: [(&[&str], &str); 2] =
    [(&["python3", "--version"], "there is no python3 here"), (&["curl", "--version"], "there is no curl here")];

#[test]
fn the_kernel_and_segue_understand_each_other_with_offload() {
    in_a_namespace("the_kernel_and_segue_understand_each_other_with_offload", &NEEDS, everything(true), 2);
}

#[test]
fn the_kernel_and_segue_understand_each_other_without_offload() {
    in_a_namespace("the_kernel_and_segue_understand_each_other_without_offload", &NEEDS, everything(false), 1);
}
