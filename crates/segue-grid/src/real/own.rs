//! Segue's end of a transfer: a host on a TUN device of a namespace whose kernel forwards.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use segue::{Host, TcpListener, TcpSocket, TcpStream};
use segue_link::{NetNamespace, TunConfig, TunLink};
use segue_stack::Counter;
use tokio::runtime::Runtime;

use super::round_trip::{IPPROTO_TCP, Look, TCP_INFO};
use super::{Meter, prefix};
use crate::point::Point;

/// `getsockopt(2)`'s number (include/uapi/linux/tcp.h).
const TCP_CONGESTION: i32 = 13;

/// A host next to a namespace; `network` tells the two sides of the path apart.
fn host(namespace: &NetNamespace, runtime: &Runtime, point: &Point, network: u8, seed: u64) -> io::Result<Host> {
    let config = TunConfig {
        name: "segue0".into(),
        addresses: vec![prefix(Ipv4Addr::new(10, 70, network, 1), 24)],
        ..TunConfig::default()
    };
    let tun = namespace.within(|| TunLink::create(&config))??;
    let _inside = runtime.enter();
    let address = format!("10.70.{network}.2/24").parse().map_err(io::Error::other)?;
    let mut builder = Host::builder().seed(seed).link(tun).address(address).default_route();
    for (name, value) in point.sysctls {
        builder = builder.sysctl(*name, *value);
    }
    builder.spawn()
}

/// Receives next to the right namespace.
pub(super) struct Receiver {
    host: Host,
}

impl Receiver {
    pub(super) fn up(right: &NetNamespace, runtime: &Runtime, point: &Point) -> io::Result<Receiver> {
        Ok(Receiver { host: host(right, runtime, point, 2, 2)? })
    }

    pub(super) fn listen(&self, runtime: &Runtime, port: u16, meter: Meter) -> io::Result<SocketAddr> {
        let address = SocketAddr::new(Ipv4Addr::new(10, 70, 2, 2).into(), port);
        let listener = runtime.block_on(TcpListener::bind(&self.host, address))?;
        runtime.spawn(async move {
            let Ok((stream, _)) = listener.accept().await else { return };
            while let Ok(chunks) = stream.recv_bytes(4 << 20).await {
                if chunks.is_empty() || meter.is_over() {
                    return;
                }
                meter.add(chunks.len());
            }
        });
        Ok(address)
    }
}

/// Sends next to the left namespace.
pub(super) struct Sender {
    host: Host,
}

impl Sender {
    pub(super) fn up(left: &NetNamespace, runtime: &Runtime, point: &Point, seed: u64) -> io::Result<Sender> {
        Ok(Sender { host: host(left, runtime, point, 1, seed)? })
    }

    /// What is given back reads the connection's `TCP_INFO`.
    pub(super) fn start(&self, runtime: &Runtime, to: SocketAddr, congestion: &str, end: Instant) -> io::Result<Look> {
        let _inside = runtime.enter();
        let socket = TcpSocket::new_v4(&self.host)?;
        socket.socket().setsockopt(IPPROTO_TCP, TCP_CONGESTION, congestion.as_bytes())?;
        let connected: Arc<OnceLock<TcpStream>> = Arc::default();
        let watched = connected.clone();
        runtime.spawn(async move {
            let Ok(stream) = socket.connect(to).await else { return };
            let stream = connected.get_or_init(|| stream);
            let piece = Bytes::from(vec![7; 1 << 17]);
            while Instant::now() < end && stream.send_bytes(piece.clone()).await.is_ok() {}
        });
        Ok(Box::new(move |info| watched.get()?.socket().getsockopt(IPPROTO_TCP, TCP_INFO, info).ok()))
    }

    pub(super) fn retransmitted(&self) -> u64 {
        self.host.with_stack(|stack, _| stack.counters().get(Counter::TcpRetransSegs))
    }

    pub(super) fn needless(&self) -> u64 {
        self.host.with_stack(|stack, _| stack.counters().by_name("TcpExtTCPDSACKRecv")).unwrap_or(0)
    }
}
