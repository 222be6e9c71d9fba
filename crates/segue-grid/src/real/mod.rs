//! Transfers in real time: two kernels, or a kernel and Segue, across the emulated path.
//!
//! Decides where everybody lives. Two unnamed namespaces are joined by a path between two TUN devices. Linux's programs run in
//! them; Segue's host is a neighbour of one, on a TUN device of its own whose kernel forwards, as a
//! program under `segue serve --tun` would be. Settings are the same for both: large buffers, nothing remembered from
//! connection to connection. Everything is gone when a [`Rig`] is.

mod linux;
mod own;
mod round_trip;

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use segue::{Bridge, Lateness, stop_signal};
use segue_link::{NetNamespace, Path, Prefix, TunConfig, TunLink};

use crate::point::Point;

const LEFT: Ipv4Addr = Ipv4Addr::new(10, 70, 0, 1);
const RIGHT: Ipv4Addr = Ipv4Addr::new(10, 70, 0, 2);
const PORT: u16 = 5001;
/// From this round trip on the emulator sleeps until packets are due: that a sleeper wakes tens of microseconds late is less
/// than a hundredth of it, and watching the clock instead takes most of a processor from 50 Mbit/s on. On shorter paths it
/// stays awake while anything is under way, so that what comes in does not have to wake it either.
const LONG: Duration = Duration::from_millis(10);

/// Whether the emulator watches the clock on this path, so that a processor is gone.
pub(crate) fn keeps_awake(point: &Point) -> bool {
    point.rtt < LONG
}

/// Who sends and who receives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Pair {
    LinuxToLinux,
    SegueToLinux,
    LinuxToSegue,
}

impl Pair {
    pub(crate) const ALL: [Pair; 3] = [Pair::LinuxToLinux, Pair::SegueToLinux, Pair::LinuxToSegue];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Pair::LinuxToLinux => "linux-linux",
            Pair::SegueToLinux => "segue-linux",
            Pair::LinuxToSegue => "linux-segue",
        }
    }
}

/// Whose flow it is and how it is controlled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    pub(crate) by_segue: bool,
    pub(crate) congestion: &'a str,
}

/// What one run in real time gave.
#[derive(Clone, Debug)]
pub(crate) struct RealRun {
    /// Bits per second of each flow, in the order of the flows that were asked for.
    pub(crate) flows: Vec<f64>,
    /// Segments that the sender sent again.
    pub(crate) retransmitted: u64,
    /// D-SACKs that it got: most of them tell of something that had been sent again without need.
    pub(crate) needless: u64,
    /// The mean of the round trips that it measured.
    pub(crate) round_trip: Duration,
    /// Whether the emulator kept time: 99 % of all packets less than a millisecond or 2 % of the round trip late.
    pub(crate) exact: bool,
    pub(crate) late: Duration,
}

impl RealRun {
    pub(crate) fn goodput(&self) -> f64 {
        self.flows.iter().sum()
    }
}

/// Two namespaces and the path between them.
struct Rig {
    left: NetNamespace,
    right: NetNamespace,
    stopper: OwnedFd,
    carrier: JoinHandle<io::Result<Lateness>>,
}

fn prefix(address: Ipv4Addr, length: u8) -> Prefix {
    Prefix { address: address.into(), length }
}

impl Rig {
    fn up(point: &Point, seed: u64) -> io::Result<Rig> {
        let path = point.path(seed).ok_or_else(|| io::Error::other(format!("{} is no path", point.name)))?;
        let (left, right) = (NetNamespace::unnamed()?, NetNamespace::unnamed()?);
        let sysctls = point.sysctls;
        let device = |namespace: &NetNamespace, address| {
            let config = TunConfig {
                name: "wire".into(),
                mtu: path.mtu(),
                addresses: vec![prefix(address, 24)],
                routes: vec![prefix(Ipv4Addr::new(10, 70, 0, 0), 16)],
                ..TunConfig::default()
            };
            namespace.within(move || {
                configure(sysctls)?;
                TunLink::create(&config)
            })?
        };
        let (a, b) = (device(&left, LEFT)?, device(&right, RIGHT)?);
        let (stop, stopper) = stop_signal()?;
        let awake = if keeps_awake(point) { point.rtt } else { Duration::ZERO };
        let mut bridge = Bridge::new(Path::new(path), a, b)?.with_awake(awake);
        let carrier = std::thread::Builder::new().name("path".into()).spawn(move || {
            bridge.run(None, stop.as_fd())?;
            Ok(bridge.lateness().clone())
        })?;
        Ok(Rig { left, right, stopper, carrier })
    }

    fn down(self) -> io::Result<Lateness> {
        drop(self.stopper);
        self.carrier.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// The namespace's settings, from inside.
fn configure(sysctls: &[(&str, &str)]) -> io::Result<()> {
    let settings = [("net.ipv4.tcp_no_metrics_save", "1"), ("net.ipv4.ip_forward", "1")];
    for (name, value) in settings.iter().chain(sysctls) {
        let file = format!("/proc/sys/{}", name.replace('.', "/"));
        std::fs::write(&file, *value).map_err(|error| io::Error::new(error.kind(), format!("{file}: {error}")))?;
    }
    Ok(())
}

/// Counts what a receiver has read, and when it is over.
#[derive(Clone)]
struct Meter {
    received: Arc<AtomicU64>,
    end: Instant,
}

impl Meter {
    fn add(&self, bytes: usize) {
        if Instant::now() < self.end {
            self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }
}

/// One bulk transfer or several side by side, watched for a time from the first SYN on.
pub(crate) fn run(point: &Point, pair: Pair, congestion: &str, time: Duration, seed: u64) -> io::Result<RealRun> {
    let flow = Flow { by_segue: pair == Pair::SegueToLinux, congestion };
    run_flows(point, &[flow], pair == Pair::LinuxToSegue, time, seed)
}

/// The same for flows of both kinds, with Linux or Segue as the receiver of all.
pub(crate) fn run_flows(
    point: &Point,
    flows: &[Flow<'_>],
    to_segue: bool,
    time: Duration,
    seed: u64,
) -> io::Result<RealRun> {
    let rig = Rig::up(point, seed)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let receiver = match to_segue {
        true => own::Receiver::up(&rig.right, &runtime, point)?.into(),
        false => linux::Receiver::up(&rig.right)?.into(),
    };
    let sender = match flows.iter().any(|flow| flow.by_segue) {
        true => Some(own::Sender::up(&rig.left, &runtime, point, seed)?),
        false => None,
    };
    let start = Instant::now();
    let end = start + time;
    let meters: Vec<Meter> = flows.iter().map(|_| Meter { received: Arc::default(), end }).collect();
    let receiver: Receiver = receiver;
    let mut senders = Vec::new();
    for (index, (flow, meter)) in flows.iter().zip(&meters).enumerate() {
        let address = receiver.listen(&runtime, PORT + index as u16, meter.clone())?;
        senders.push(match (&sender, flow.by_segue) {
            (Some(sender), true) => sender.start(&runtime, address, flow.congestion, end)?,
            _ => linux::send(&rig.left, address, flow.congestion, end)?,
        });
    }
    let round_trip = round_trip::watch(&senders, end);
    drop(senders);
    let flows = meters.iter().map(|meter| meter.received.load(Ordering::Relaxed) as f64 * 8.0 / time.as_secs_f64());
    let flows = flows.collect();
    let (retransmitted, needless) = match &sender {
        Some(sender) => (sender.retransmitted(), sender.needless()),
        None => (
            linux::counter(&rig.left, "snmp", "Tcp:", "RetransSegs"),
            linux::counter(&rig.left, "netstat", "TcpExt:", "TCPDSACKRecv"),
        ),
    };
    runtime.shutdown_timeout(Duration::from_millis(200));
    let late = rig.down()?;
    let allowed = (point.rtt / 50).max(Duration::from_millis(1));
    let late = late.quantile(0.99);
    Ok(RealRun { flows, retransmitted, needless, round_trip, exact: late <= allowed, late })
}

/// Who receives.
enum Receiver {
    Linux(linux::Receiver),
    Segue(own::Receiver),
}

impl From<linux::Receiver> for Receiver {
    fn from(receiver: linux::Receiver) -> Receiver {
        Receiver::Linux(receiver)
    }
}

impl From<own::Receiver> for Receiver {
    fn from(receiver: own::Receiver) -> Receiver {
        Receiver::Segue(receiver)
    }
}

impl Receiver {
    fn listen(&self, runtime: &tokio::runtime::Runtime, port: u16, meter: Meter) -> io::Result<std::net::SocketAddr> {
        match self {
            Receiver::Linux(linux) => linux.listen(port, meter),
            Receiver::Segue(own) => own.listen(runtime, port, meter),
        }
    }
}
