//! Two hosts and what the tests do with them. Every file of tests uses a part of it.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its own part")]
pub mod namespace;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use segue::link::{Impairments, Path, PathConfig, memory_pair, path_pair};
use segue::{Cidr, Host, HostBuilder, TcpListener, TcpStream};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub const A4: &str = "10.0.0.1";
pub const B4: &str = "10.0.0.2";
pub const A6: &str = "fd00::1";
pub const B6: &str = "fd00::2";

/// An address from its parts.
pub fn at(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), port)
}

pub fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

/// The first host of a pair, without its link.
pub fn builder_a(seed: u64) -> HostBuilder {
    Host::builder().seed(seed).address(cidr("10.0.0.1/24")).address(cidr("fd00::1/64"))
}

/// The second host of a pair, without its link.
pub fn builder_b(seed: u64) -> HostBuilder {
    Host::builder().seed(seed + 1).address(cidr("10.0.0.2/24")).address(cidr("fd00::2/64"))
}

/// Two hosts on a memory pair.
pub fn pair(seed: u64) -> (Host, Host) {
    let (a, b) = memory_pair(1500, 256);
    (builder_a(seed).link(a).spawn().unwrap(), builder_b(seed).link(b).spawn().unwrap())
}

/// Two hosts on a path that is the same both ways.
pub fn path(seed: u64, impairments: Impairments) -> (Host, Host) {
    let config = PathConfig::symmetric(impairments).unwrap().with_seed(seed);
    let (a, b) = path_pair(Path::new(config));
    (builder_a(seed).link(a).spawn().unwrap(), builder_b(seed).link(b).spawn().unwrap())
}

/// A path on which everything happens that can happen to packets.
pub fn bad() -> Impairments {
    Impairments {
        delay: Duration::from_millis(2),
        jitter: Duration::from_millis(1),
        loss: "1%".parse().unwrap(),
        duplicate: "1%".parse().unwrap(),
        reorder: "2%".parse().unwrap(),
        corrupt: "1%".parse().unwrap(),
        ..Impairments::default()
    }
}

/// A connection and its two ends: the one that connected, the one that accepted.
pub async fn connected(a: &Host, b: &Host) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(b, at(B4, 0)).await.unwrap();
    let to = listener.local_addr().unwrap();
    let (connected, accepted) = tokio::join!(TcpStream::connect(a, to), listener.accept());
    (connected.unwrap(), accepted.unwrap().0)
}

/// Ends a test that hangs. No test asserts anything about time.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(120), future).await {
        Ok(output) => output,
        Err(_) => panic!("nothing has happened for two minutes"),
    }
}

/// Sockets that somebody holds.
pub fn open_sockets(host: &Host) -> usize {
    host.with_stack(|stack, now| stack.sockets(now).filter(|socket| socket.socket.is_some()).count())
}

/// Comes back when the condition holds; the driver works meanwhile.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(30), wait).await.is_err() {
        panic!("never happened: {what}");
    }
}

/// Bytes that look random and repeat by seed.
pub struct Stream(u64);

impl Stream {
    pub fn new(seed: u64) -> Stream {
        Stream(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let word = self.0.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }

    pub fn bytes(seed: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        Stream::new(seed).fill(&mut bytes);
        bytes
    }
}

pub type Hash = [u8; 32];

pub fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// Writes `len` bytes of a stream in pieces of odd sizes, then ends this direction. The hash of what went in.
pub async fn send_stream(mut to: impl AsyncWriteExt + Unpin, seed: u64, len: usize) -> Hash {
    let mut stream = Stream::new(seed);
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 24 * 1024];
    let (mut left, mut piece) = (len, 1 + seed as usize % 977);
    while left > 0 {
        let size = piece.min(left).min(buffer.len());
        stream.fill(&mut buffer[..size]);
        sum.update(&buffer[..size]);
        to.write_all(&buffer[..size]).await.unwrap();
        left -= size;
        piece = piece * 3 % 24_000 + 1;
    }
    to.shutdown().await.unwrap();
    sum.finalize().into()
}

/// Reads until the peer has ended its direction. The hash and the number of what came out.
pub async fn receive_stream(mut from: impl AsyncReadExt + Unpin) -> (Hash, usize) {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut total = 0;
    loop {
        let count = from.read(&mut buffer).await.unwrap();
        if count == 0 {
            return (sum.finalize().into(), total);
        }
        sum.update(&buffer[..count]);
        total += count;
    }
}

/// What one end of an exchange has sent and received.
#[derive(Debug, PartialEq, Eq)]
pub struct Exchanged {
    pub sent: Hash,
    pub received: Hash,
    pub bytes: usize,
}

/// Sends and receives at the same time until both directions have ended.
pub async fn exchange(stream: TcpStream, seed: u64, len: usize) -> Exchanged {
    let (read, write) = stream.into_split();
    let sender = tokio::spawn(send_stream(write, seed, len));
    let (received, bytes) = receive_stream(read).await;
    Exchanged { sent: sender.await.unwrap(), received, bytes }
}
