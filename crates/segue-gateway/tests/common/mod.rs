//! A host inside, a gateway, and a wire of memory between them; outside is this machine.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::future::Future;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use segue::{Host, TcpStream};
use segue_gateway::{Event, Gateway, GatewayConfig};
use segue_link::memory_pair;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longer than anything here takes; what hangs fails by name instead of hanging the run.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Net {
    pub(crate) inside: Host,
    pub(crate) gateway: Gateway,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Net {
    pub(crate) fn new() -> Self {
        Self::with(GatewayConfig::default())
    }

    pub(crate) fn with(mut config: GatewayConfig) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        config.events = Some(Arc::new(move |event| sink.lock().unwrap().push(event.clone())));
        let (a, b) = memory_pair(1500, 1024);
        let inside = Host::builder()
            .seed(1)
            .link(a)
            .address("198.18.0.2/24".parse().unwrap())
            .address("fd53:6567:7565::2/64".parse().unwrap())
            .default_route()
            .loopback_fallback(true)
            .spawn()
            .unwrap();
        let mut host = Host::builder().seed(2).link(b).accept_any(true).default_route();
        for address in config.host_addresses() {
            host = host.address(address);
        }
        let gateway = Gateway::spawn(&host.spawn().unwrap(), config).unwrap();
        Self { inside, gateway, events }
    }

    pub(crate) async fn connect(&self, to: &str) -> std::io::Result<TcpStream> {
        self.connect_to(to.parse().unwrap()).await
    }

    pub(crate) async fn connect_to(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        in_time("connect", TcpStream::connect(&self.inside, to)).await
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// Waits until the gateway's tasks have made `done` true.
    pub(crate) async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        in_time(what, async {
            while !done(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not done within {PATIENCE:?}"),
    }
}

/// Bytes that no mistake of order or repetition leaves the same.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    segue_gateway::test_host::content::fill(seed, 0, &mut bytes);
    bytes
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Writes all of `data`, ends the direction, and gives the hash of what went in.
pub(crate) async fn send_all(stream: &mut (impl AsyncWrite + Unpin), data: Vec<u8>) -> [u8; 32] {
    stream.write_all(&data).await.unwrap();
    stream.shutdown().await.unwrap();
    sha256(&data)
}

/// Reads to the end, and gives the length and the hash of what came out.
pub(crate) async fn receive_all(stream: &mut (impl AsyncRead + Unpin)) -> (usize, [u8; 32]) {
    let mut sha = Sha256::new();
    let mut length = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => return (length, sha.finalize().into()),
            n => {
                sha.update(&buffer[..n]);
                length += n;
            }
        }
    }
}

/// Runs the calling test once more in a network name space of its own, after
/// `setup` there (a shell script; loopback is up). True in the copy. In the
/// original false, after the copy has succeeded; also, with a word about it,
/// where this machine does not let the user make name spaces.
pub(crate) fn in_own_network(test: &str, setup: &str) -> bool {
    const MARK: &str = "SEGUE_TEST_OWN_NETWORK";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let allowed = Command::new("unshare").args(["-rn", "true"]).output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        eprintln!("{test}: left out, `unshare -rn` is not permitted here");
        return false;
    }
    let script = format!("set -e; ip link set lo up; {setup}\nexec \"$0\" --exact {test} --nocapture");
    let output = Command::new("unshare")
        .args(["-rn", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(MARK, "1")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
    false
}
