//! Signed connections (TCP MD5) between Segue and the kernel on the two ends of a TUN device, each in both roles.
//!
//! Needs root, /dev/net/tun, `unshare`, `python3` and a kernel with CONFIG_TCP_MD5SIG; says what is missing and passes
//! otherwise. The test runs itself again in a network namespace of its own.
mod common;

use std::process::Stdio;
use std::time::Duration;

use common::namespace::{ENDS, host_on_tun, in_a_namespace};
use common::*;
use segue::{Host, TcpSocket};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

const SIZE: usize = 4 << 20;

/// A socket with a key, as a BGP daemon makes it.
const PYTHON: &str = r#"
import errno, hashlib, os, socket, struct, sys, threading
role, address, port, key, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4].encode(), int(sys.argv[5])
peer = sys.argv[6]
six = ":" in address
family = socket.AF_INET6 if six else socket.AF_INET
s = socket.socket(family)
name = socket.inet_pton(family, peer)
storage = struct.pack("=HHI", family, 0, 0) + name if six else struct.pack("=HH", family, 0) + name
md5sig = struct.pack("=128sBBHi80s", storage, 0, 0, len(key), 0, key)
try:
    s.setsockopt(socket.IPPROTO_TCP, 14, md5sig)
except OSError as error:
    sys.exit(77 if error.errno == errno.ENOPROTOOPT else str(error))
if role == "probe":
    sys.exit(0)
if role == "connect":
    s.settimeout(2 if size == 0 else 20)
    try:
        s.connect((address, port))
    except TimeoutError:
        sys.exit(55)
    data = os.urandom(size)
    threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
    got = hashlib.sha256()
    while True:
        b = s.recv(1 << 20)
        if not b: break
        got.update(b)
    assert got.digest() == hashlib.sha256(data).digest(), "what came back is something else"
else:
    s.bind((address, 0))
    s.listen()
    print(s.getsockname()[1], flush=True)
    c, _ = s.accept()
    while True:
        b = c.recv(1 << 20)
        if not b: break
        c.sendall(b)
    c.shutdown(socket.SHUT_WR)
    c.recv(1)
"#;

fn python(arguments: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new("python3");
    command.arg("-c").arg(PYTHON).args(arguments);
    command
}

fn socket(host: &Host, address: &str, peer: &str, key: &[u8]) -> TcpSocket {
    let socket = if address.contains(':') { TcpSocket::new_v6(host) } else { TcpSocket::new_v4(host) }.unwrap();
    socket.set_md5_key(segue::Cidr::host(peer.parse().unwrap()), key).unwrap();
    socket
}

/// A kernel client sends to a Segue server, which sends it all back.
async fn kernel_client(host: &Host, segue: &str, kernel: &str) {
    let server = socket(host, segue, kernel, b"between us");
    server.bind(at(segue, 0)).unwrap();
    let listener = server.listen(8).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut client = python(&["connect", segue, &port, "between us", &SIZE.to_string(), segue]).spawn().unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut read, mut write) = stream.split();
    assert_eq!(tokio::io::copy(&mut read, &mut write).await.unwrap() as usize, SIZE);
    write.shutdown().await.unwrap();
    assert!(client.wait().await.unwrap().success());
    // The same with another key: no connection, and no word about why.
    let status = python(&["connect", segue, &port, "somebody else's", "0", segue]).status().await.unwrap();
    assert_eq!(status.code(), Some(55));
    assert!(counter(host, "TcpExtTCPMD5Failure") > 0);
}

/// A Segue client sends to a kernel server, which sends it all back.
async fn kernel_server(host: &Host, segue: &str, kernel: &str) {
    let mut server = python(&["listen", kernel, "0", "between us", "1", segue]).stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).await.unwrap();
    let to = at(kernel, port.trim().parse().unwrap());
    // Without the key the kernel does not answer.
    let wrong = socket(host, segue, kernel, b"guessed").connect(to);
    assert!(tokio::time::timeout(Duration::from_secs(2), wrong).await.is_err());
    let mut stream = socket(host, segue, kernel, b"between us").connect(to).await.unwrap();
    let data = Stream::bytes(3, SIZE);
    let expected = hash(&data);
    let (mut read, mut write) = stream.split();
    let send = async {
        write.write_all(&data).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let mut back = Vec::new();
    let (_, received) = tokio::join!(send, read.read_to_end(&mut back));
    assert_eq!((received.unwrap(), hash(&back)), (SIZE, expected));
    assert!(server.wait().await.unwrap().success());
}

fn counter(host: &Host, name: &str) -> u64 {
    host.with_stack(|stack, _| stack.counters().by_name(name)).unwrap()
}

async fn everything() {
    let host = host_on_tun(true).await;
    for (segue, kernel) in ENDS {
        kernel_client(&host, segue, kernel).await;
        kernel_server(&host, segue, kernel).await;
    }
    assert_eq!(counter(&host, "TcpExtTCPMD5NotFound") + counter(&host, "TcpExtTCPMD5Unexpected"), 0);
}

#[test]
fn the_kernel_and_segue_verify_each_others_md5_digests_in_both_roles_over_both_families() {
    let probe = ["python3", "-c", PYTHON, "probe", "127.0.0.1", "0", "key", "0", "127.0.0.2"];
    in_a_namespace(
        "the_kernel_and_segue_verify_each_others_md5_digests_in_both_roles_over_both_families",
        &[(&probe, "there is no python3 here, or the kernel has no TCP MD5")],
        everything(),
        2,
    );
}
