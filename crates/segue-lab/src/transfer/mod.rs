//! One experiment in one call: two hosts, bytes over a path, hashes at both ends.
//!
//! Decides what is measured and when the experiment is over: all bytes read up to end of file on every side that
//! receives, both sockets closed, and no connection left but TIME-WAIT. Integrity is checked by SHA-256 over what the
//! sending program gave to its socket and what the receiving program got from its own.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use segue_link::{Capture, DirectionStats, PathConfig, PathStats};
use segue_stack::{Cidr, Counter, Counters, IfaceConfig, Settings, StackConfig};

use crate::error::LabError;
use crate::lab::{CableId, DecisionListener, HostId, Lab};
use crate::ladder::Ladder;
use crate::plot::Recording;
use crate::tap::{CaptureObserver, Observer, Sighting, Trace};

mod ends;
mod source;

use ends::Ends;

/// Which way the bytes go. The client is the side that connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// From the client to the server.
    #[default]
    Upload,
    /// From the server to the client.
    Download,
    /// Both at once.
    Both,
}

/// Which Internet protocol carries the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Family {
    /// IPv4: 10.0.0.1 connects to 10.0.0.2.
    #[default]
    V4,
    /// IPv6: fd00::1 connects to fd00::2.
    V6,
}

/// How far a transfer has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Virtual time since the SYN.
    pub elapsed: Duration,
    /// Bytes that the receiving programs have read.
    pub received: u64,
    /// Bytes that they will have read at the end.
    pub total: u64,
}

/// Takes the lines of a ladder diagram, without line ends.
pub type LinePrinter = Box<dyn FnMut(&str)>;

/// Is told how far a transfer has got.
pub type ProgressListener = Box<dyn FnMut(Progress)>;

/// What to transfer and over what. The end A of the path is the client's.
pub struct TransferConfig {
    /// Bytes in each direction that is used.
    pub bytes: u64,
    /// The path. Its own seed is not used: it follows from [`seed`](Self::seed).
    pub path: PathConfig,
    /// Seed of everything: data, path, both stacks. Default 0.
    pub seed: u64,
    /// Which way. Default: to the server.
    pub direction: Direction,
    /// Which IP. Default: IPv4.
    pub family: Family,
    /// Hand super-segments of up to 64 KiB to the path, which cuts them where an impairment needs single packets.
    /// Default on; off: the stacks cut.
    pub offload: bool,
    /// Sysctls set on both hosts, as name and value. Default none.
    pub sysctls: Vec<(String, String)>,
    /// Longest virtual time. Default one day.
    pub limit: Duration,
    /// Where to capture every packet as it is sent and received. Default nowhere.
    pub capture: Option<Capture>,
    /// Remembers the transfer for a picture. Default nothing.
    pub recording: Option<Recording>,
    /// Takes the lines of a ladder diagram. Default nobody.
    pub ladder: Option<LinePrinter>,
    /// Is told what both ends decide about loss and congestion. Default nobody.
    pub decisions: Option<DecisionListener>,
    /// Is told how far it is, whenever a receiver has read. Default nobody.
    pub progress: Option<ProgressListener>,
    /// Hash every packet; see [`TransferReport::trace`]. Default off.
    pub trace: bool,
}

impl TransferConfig {
    /// A transfer of this many bytes to the server over this path, everything else by default.
    pub fn new(bytes: u64, path: PathConfig) -> Self {
        TransferConfig {
            bytes,
            path,
            seed: 0,
            direction: Direction::default(),
            family: Family::default(),
            offload: true,
            sysctls: Vec::new(),
            limit: Duration::from_secs(86_400),
            capture: None,
            recording: None,
            ladder: None,
            decisions: None,
            progress: None,
            trace: false,
        }
    }
}

/// What one direction delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Bytes that the sending program wrote.
    pub sent: u64,
    /// Bytes that the receiving program read.
    pub received: u64,
    /// SHA-256 of what was written, in hexadecimal.
    pub sha256_sent: String,
    /// SHA-256 of what was read.
    pub sha256_received: String,
    /// Virtual time from the SYN until the receiver read end of file.
    pub duration: Duration,
}

impl Delivery {
    /// Whether what came out is what went in.
    pub fn is_intact(&self) -> bool {
        self.sent == self.received && self.sha256_sent == self.sha256_received
    }
}

/// What a transfer did.
#[derive(Clone, Debug, PartialEq)]
pub struct TransferReport {
    /// Bytes delivered, both directions together.
    pub bytes: u64,
    /// Virtual time in seconds from the SYN until the last receiver read end of file.
    pub seconds: f64,
    /// The same as a duration.
    pub duration: Duration,
    /// Virtual time until the connection was closed in both directions and at most TIME-WAIT was left.
    pub closed_after: Duration,
    /// Bits delivered per second of virtual time, both directions together. A transfer that took no virtual time counts
    /// as one nanosecond.
    pub goodput_bps: f64,
    /// Segments sent again, by both hosts.
    pub retransmits: u64,
    /// Segments sent by both hosts, those sent again included.
    pub segments: u64,
    /// Whether every direction delivered exactly what was sent, by SHA-256.
    pub sha256_ok: bool,
    /// From client to server, if that way was used.
    pub upload: Option<Delivery>,
    /// From server to client, if that way was used.
    pub download: Option<Delivery>,
    /// What was dropped, by reason and where, without those that did not happen.
    pub drops: Vec<(String, u64)>,
    /// What the path did; A is the client's end.
    pub path: PathStats,
    /// Hash over every packet at its time, if asked for: equal in two runs exactly when the runs are.
    pub trace: Option<String>,
    /// The seed.
    pub seed: u64,
}

/// Port the server listens on.
const PORT: u16 = 5001;

/// Transfers bytes between two hosts in virtual time.
///
/// # Errors
/// [`LabError::Stalled`] when the transfer does not end in time or nothing goes on any more, [`LabError::Socket`] when
/// the connection breaks, [`LabError::Capture`] when the capture could not be written; the first two with the seed and the state of both ends. A wrong hash is no error but
/// [`TransferReport::sha256_ok`].
pub fn transfer(config: TransferConfig) -> Result<TransferReport, LabError> {
    run(config, None)
}

/// How a transfer stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) cable: CableId,
    /// Of the way to the server, then of that to the client: who sends, how many bytes were read, whether end of file was.
    pub(crate) senders: [HostId; 2],
    pub(crate) received: [u64; 2],
    pub(crate) is_done: [bool; 2],
}

/// Is shown how a transfer stands after every event, and may end it.
pub(crate) type Watcher = Box<dyn FnMut(&Lab, &View) -> Result<(), LabError>>;

/// The same, watched.
pub(crate) fn transfer_watched(config: TransferConfig, watcher: Watcher) -> Result<TransferReport, LabError> {
    run(config, Some(watcher))
}

fn run(mut config: TransferConfig, watcher: Option<Watcher>) -> Result<TransferReport, LabError> {
    let mut lab = Lab::new(config.seed);
    let (client, server, cable) = build(&mut lab, &config)?;
    let trace = config.trace.then(|| SharedTrace::observe(&mut lab));
    if let Some(capture) = &config.capture {
        lab.observe(CaptureObserver::new(capture.clone()));
    }
    if let Some(recording) = &config.recording {
        lab.observe(recording.clone());
    }
    if let Some(print) = config.ladder.take() {
        lab.observe(Ladder::new(client, server, print));
    }
    if let Some(listener) = config.decisions.take() {
        lab.on_decision(listener);
    }
    let address = match config.family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2)),
    };
    let mut ends = Ends::new(client, server, &mut config);
    ends.watcher = watcher.map(|watcher| (cable, watcher));
    ends.open(&mut lab, SocketAddr::new(address, PORT))?;
    let outcome = lab.run(config.limit, &mut ends);
    let captured = config.capture.as_ref().map_or(Ok(()), Capture::flush);
    outcome?;
    captured.map_err(LabError::Capture)?;
    Ok(report(&lab, ends, cable, trace))
}

/// Two hosts with the same settings and a cable between them.
pub(crate) fn build(lab: &mut Lab, config: &TransferConfig) -> Result<(HostId, HostId, CableId), LabError> {
    let mut settings = Settings::default();
    for (name, value) in &config.sysctls {
        settings.set(name, value)?;
    }
    let path = config.path.clone().with_seed(config.seed);
    let mut host = |name: &str, number: u8| {
        let seed = lab.host_seed(number.into());
        let Settings { tcp, ip, core } = settings.clone();
        lab.add_host(name, StackConfig { tcp, ip, core, ..StackConfig::new(seed) })
    };
    let (client, server) = (host("client", 1), host("server", 2));
    let iface = |number: u8| {
        let v4 = Cidr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, number)), 24);
        let v6 = Cidr::new(IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, number.into())), 64);
        IfaceConfig {
            // Both prefixes are shorter than their addresses.
            addresses: [v4, v6].into_iter().flatten().collect(),
            gso_max: if config.offload { 65_535 } else { 0 },
            ..IfaceConfig::new("eth0", path.mtu())
        }
    };
    if config.family == Family::V6 && path.mtu() < segue_wire::ipv6::MIN_MTU {
        let least = segue_wire::ipv6::MIN_MTU;
        return Err(LabError::Config(format!("IPv6 needs an MTU of at least {least} bytes, not {}", path.mtu())));
    }
    let cable = lab.connect((client, iface(1)), (server, iface(2)), path.clone());
    Ok((client, server, cable))
}

fn report(lab: &Lab, ends: Ends, cable: CableId, trace: Option<SharedTrace>) -> TransferReport {
    let path = lab.path_stats(cable);
    let hosts = [ends.client(), ends.server()];
    let count = |counter| hosts.iter().map(|host| lab.host(*host).counters().get(counter)).sum::<u64>();
    let retransmits = count(Counter::TcpRetransSegs);
    let segments = count(Counter::TcpOutSegs) + retransmits;
    let (upload, download) = ends.deliveries();
    let deliveries = || upload.iter().chain(&download);
    let duration = deliveries().map(|delivery| delivery.duration).max().unwrap_or_default();
    let bytes: u64 = deliveries().map(|delivery| delivery.received).sum();
    let seconds = duration.as_secs_f64();
    TransferReport {
        bytes,
        seconds,
        duration,
        closed_after: lab.elapsed(),
        goodput_bps: bytes as f64 * 8.0 / seconds.max(1e-9),
        retransmits,
        segments,
        sha256_ok: deliveries().all(Delivery::is_intact),
        drops: drops(lab, &hosts, &path),
        path,
        trace: trace.map(|trace| trace.hex()),
        seed: lab.seed(),
        upload,
        download,
    }
}

/// Everything dropped on the way and by the stacks.
fn drops(lab: &Lab, hosts: &[HostId], path: &PathStats) -> Vec<(String, u64)> {
    let mut drops = Vec::new();
    for (way, stats) in [("to server", &path.a_to_b), ("to client", &path.b_to_a)] {
        let DirectionStats { lost, queue_dropped, codel_dropped, too_big, overflow, .. } = *stats;
        for (reason, n) in [
            ("lost", lost),
            ("queue full", queue_dropped),
            ("CoDel", codel_dropped),
            ("too big", too_big),
            ("overflow", overflow),
        ] {
            drops.push((format!("path {way}: {reason}"), n));
        }
    }
    for host in hosts {
        let counters: &Counters = lab.host(*host).counters();
        let tcp = counters.drops();
        let checksums = [
            Counter::IpExtInCsumErrors,
            Counter::IpInHdrErrors,
            Counter::IpInAddrErrors,
            Counter::IpInUnknownProtos,
            Counter::IpExtInTruncatedPkts,
            Counter::Ip6InHdrErrors,
            Counter::Ip6InAddrErrors,
            Counter::Ip6InUnknownProtos,
            Counter::Ip6InTruncatedPkts,
            Counter::TcpInCsumErrors,
            Counter::SegueTcpMalformed,
            Counter::SegueTcpNoConnection,
            Counter::SegueTcpContradictoryFlags,
        ];
        let others = checksums.map(|counter| (counter.name(), counters.get(counter)));
        drops.extend(tcp.chain(others).map(|(name, n)| (format!("{}: {name}", lab.name(*host)), n)));
    }
    drops.retain(|(_, n)| *n > 0);
    drops
}

/// A trace that can be read while the lab holds the observer.
struct SharedTrace(std::rc::Rc<std::cell::RefCell<Trace>>);

impl SharedTrace {
    fn observe(lab: &mut Lab) -> SharedTrace {
        let shared = std::rc::Rc::new(std::cell::RefCell::new(Trace::default()));
        lab.observe(SharedTrace(shared.clone()));
        SharedTrace(shared)
    }

    fn hex(&self) -> String {
        self.0.borrow().hex()
    }
}

impl Observer for SharedTrace {
    fn on_packet(&mut self, lab: &Lab, sighting: Sighting<'_>) {
        self.0.borrow_mut().on_packet(lab, sighting);
    }
}
