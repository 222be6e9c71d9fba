//! A bulk transfer between two Segue hosts in virtual time.
//!
//! Decides what is measured: the bytes that the receiving program had read when the time was over, the time counted
//! from the SYN. Nothing is hashed, so that a second of ten gigabits takes seconds; that bytes arrive as they
//! were sent is proven elsewhere.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use segue_lab::{HostId, Lab, LabError};
use segue_stack::{
    Cidr, Counter, Domain, Errno, IfaceConfig, MsgFlags, Settings, SocketEvent, SocketId, SocketType, StackConfig,
};

use crate::point::Point;

const PORT: u16 = 5001;
const PIECE: usize = 1 << 16;

/// What one run in virtual time gave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VirtualRun {
    /// Bits per second of each flow.
    pub(crate) flows: Vec<f64>,
    /// Segments sent again, of all sent.
    pub(crate) retransmitted: f64,
    /// Retransmission timeouts.
    pub(crate) timeouts: u64,
}

impl VirtualRun {
    pub(crate) fn goodput(&self) -> f64 {
        self.flows.iter().sum()
    }
}

/// Programs that write and read as much as they can.
struct Bulk {
    client: HostId,
    server: HostId,
    listener: SocketId,
    /// Accepted sockets and what was read from each.
    receivers: Vec<(SocketId, u64)>,
    piece: Bytes,
}

impl Bulk {
    fn open(lab: &mut Lab, client: HostId, server: HostId, congestion: &[&str]) -> Result<Bulk, LabError> {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), PORT);
        let cannot = |what: &str, errno: Errno| LabError::Config(format!("{what}: {errno}"));
        let (stack, now) = lab.host_mut(server);
        let listener = stack.socket(Domain::Inet, SocketType::Stream).map_err(|errno| cannot("socket", errno))?;
        stack.bind(now, listener, address).map_err(|errno| cannot("bind", errno))?;
        stack.listen(listener, 1024).map_err(|errno| cannot("listen", errno))?;
        let (stack, now) = lab.host_mut(client);
        for name in congestion {
            stack
                .set_sysctl(now, "net.ipv4.tcp_congestion_control", name)
                .map_err(|error| LabError::Config(error.to_string()))?;
            let socket = stack.socket(Domain::Inet, SocketType::Stream).map_err(|errno| cannot("socket", errno))?;
            match stack.connect(now, socket, address) {
                Ok(()) | Err(Errno::EINPROGRESS) => {}
                Err(errno) => return Err(cannot("connect", errno)),
            }
        }
        Ok(Bulk { client, server, listener, receivers: Vec::new(), piece: Bytes::from(vec![7; PIECE]) })
    }

    fn write(&self, lab: &mut Lab, socket: SocketId) {
        let (stack, now) = lab.host_mut(self.client);
        while stack.send_bytes(now, socket, self.piece.clone(), MsgFlags::empty()).is_ok_and(|n| n > 0) {}
    }

    fn read(&mut self, lab: &mut Lab, socket: SocketId) {
        let (stack, now) = lab.host_mut(self.server);
        let Some((_, received)) = self.receivers.iter_mut().find(|(receiver, _)| *receiver == socket) else { return };
        while let Ok(chunks) = stack.recv_bytes(now, socket, 4 << 20) {
            if chunks.is_empty() {
                break;
            }
            *received += chunks.len() as u64;
        }
    }

    fn accept(&mut self, lab: &mut Lab) {
        let (stack, now) = lab.host_mut(self.server);
        let mut accepted = Vec::new();
        while let Ok((socket, _)) = stack.accept(now, self.listener) {
            accepted.push(socket);
        }
        for socket in accepted {
            self.receivers.push((socket, 0));
            self.read(lab, socket);
        }
    }

    /// Programs act when they are told that they can.
    fn on_event(&mut self, lab: &mut Lab, host: HostId, event: SocketEvent) {
        if host == self.client {
            self.write(lab, event.socket);
        } else if event.socket == self.listener {
            self.accept(lab);
        } else {
            self.read(lab, event.socket);
        }
    }
}

/// Whether Segue has this congestion control.
pub(crate) fn knows(congestion: &str) -> bool {
    Settings::default().set("net.ipv4.tcp_congestion_control", congestion).is_ok()
}

/// Runs flows with these congestion controls side by side for a time.
pub(crate) fn run(point: &Point, congestion: &[&str], time: Duration, seed: u64) -> Result<VirtualRun, LabError> {
    let path = point.path(seed).ok_or_else(|| LabError::Config(format!("{} is no path", point.name)))?;
    let mut lab = Lab::new(seed);
    let mut settings = Settings::default();
    for (name, value) in point.sysctls {
        settings.set(name, value)?;
    }
    let mut host = |name: &str, number: u8| {
        let Settings { tcp, ip, core, .. } = settings.clone();
        let seed = lab.host_seed(number.into());
        lab.add_host(name, StackConfig { tcp, ip, core, ..StackConfig::new(seed) })
    };
    let (client, server) = (host("client", 1), host("server", 2));
    let iface = |number: u8| IfaceConfig {
        addresses: Cidr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, number)), 24).into_iter().collect(),
        gso_max: 65_535,
        ..IfaceConfig::new("eth0", path.mtu())
    };
    lab.connect((client, iface(1)), (server, iface(2)), path.clone());
    let mut bulk = Bulk::open(&mut lab, client, server, congestion)?;
    watch(&mut lab, &mut bulk, time)?;
    let counters = lab.host(client).counters();
    let again = counters.get(Counter::TcpRetransSegs);
    let sent = (counters.get(Counter::TcpOutSegs) + again).max(1);
    let seconds = time.as_secs_f64();
    let mut flows: Vec<f64> = bulk.receivers.iter().map(|(_, bytes)| *bytes as f64 * 8.0 / seconds).collect();
    // A flow that never got through has nothing.
    flows.resize(congestion.len(), 0.0);
    Ok(VirtualRun {
        flows,
        retransmitted: again as f64 / sent as f64,
        timeouts: counters.get(Counter::TcpExtTCPTimeouts),
    })
}

fn watch(lab: &mut Lab, bulk: &mut Bulk, time: Duration) -> Result<(), LabError> {
    let end = lab.now() + time;
    loop {
        lab.settle()?;
        while let Some((host, event)) = lab.next_event() {
            bulk.on_event(lab, host, event);
            lab.settle()?;
        }
        if lab.now() >= end {
            return Ok(());
        }
        lab.advance_towards(end)?;
    }
}
