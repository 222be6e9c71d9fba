//! The network a program is put on: its host, and what is at the other end.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use segue::control::Control;
use segue::link::{
    Capture, CaptureOptions, ImpairedLink, LineLog, Link, Path, PathMonitor, PathStats, Prefix, TunConfig, TunLink,
    path_pair,
};
use segue::{Cidr, Host};
use segue_gateway::{Event, EventSink, Gateway, GatewayConfig};
use segue_stack::Counter;

use crate::config::{Network, NetworkConfig};
use crate::error::RunError;

/// The program's addresses on the embedded network.
const PROGRAM_V4: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
const PROGRAM_V6: Ipv6Addr = Ipv6Addr::new(0xfd53, 0x6567, 0x7565, 0, 0, 0, 0, 2);
const PREFIX_V4: u8 = 24;
const PREFIX_V6: u8 = 64;

/// How often in a row the gateway's queues must be found empty to count as delivered. Looks, not time: where processors are
/// scarce, what moves the packets has to wait as long as who looks.
const QUIET_LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// A network that is up.
pub struct Running {
    pub(crate) host: Host,
    /// The other end of the embedded path.
    pub(crate) gateway: Option<(Host, Gateway)>,
    path: Option<PathMonitor>,
    capture: Option<Capture>,
    events: Option<Events>,
    /// What the machine had counted when the network came up.
    machine_losses: Option<u64>,
    /// `segue ss` and its kin look in here.
    _control: Vec<Control>,
}

fn up(config: &NetworkConfig) -> Result<Running, RunError> {
    let capture = match &config.pcap {
        None => None,
        Some(path) => Some(open_capture(config, path)?),
    };
    let events = config.events.as_deref().map(Events::open).transpose()?;
    let outlets = Outlets { capture: capture.as_ref(), events: events.as_ref() };
    let mut monitor = None;
    let (host, gateway) = match &config.network {
        Network::Embedded { path } => {
            let (near, far) = path_pair(Path::new(path.clone()));
            monitor = Some(near.monitor());
            let gateway = gateway(far, config.verbose, outlets)?;
            (embedded(config, near, outlets)?, Some(gateway))
        }
        Network::Tun { name, addresses, peer, mtu, offload, path } => {
            let link = tun(name, addresses, *peer, *mtu, *offload)?;
            let host = match path {
                None => on_device(config, link, addresses, outlets)?,
                Some(path) => {
                    let link = ImpairedLink::new(Path::new(path.clone()), link);
                    monitor = Some(link.monitor());
                    on_device(config, link, addresses, outlets)?
                }
            };
            (host, None)
        }
    };
    for (name, value) in &config.sysctls {
        host.with_stack(|stack, now| stack.set_sysctl(now, name, value))
            .map_err(|error| RunError::Sysctl { name: name.clone(), reason: error.to_string() })?;
    }
    let control = controls(config, &host, gateway.as_ref().map(|(gateway, _)| gateway));
    Ok(Running { host, gateway, path: monitor, capture, events, machine_losses: machine_losses(), _control: control })
}

/// A network works without anybody looking into it: where that is impossible, it is only said.
fn controls(config: &NetworkConfig, host: &Host, gateway: Option<&Host>) -> Vec<Control> {
    let named = [(Some(host), "program"), (gateway, "gateway")];
    let serve = |(host, name)| match Control::serve(host, name) {
        Ok(control) => Some(control),
        Err(error) => {
            if config.verbose {
                eprintln!("segue: segue ss will not find this network: {error}");
            }
            None
        }
    };
    named.into_iter().filter_map(|(host, name)| serve((host?, name))).collect()
}

fn open_capture(config: &NetworkConfig, path: &std::path::Path) -> Result<Capture, RunError> {
    let shown = path.to_owned();
    let options = CaptureOptions {
        comment: Some(config.comment.clone()).filter(|comment| !comment.is_empty()),
        on_error: Some(Box::new(move |error| {
            eprintln!("segue: the capture {} stops here: {error}", shown.display());
        })),
        ..CaptureOptions::default()
    };
    Capture::create(path, options).map_err(|error| RunError::Pcap(path.to_owned(), error))
}

/// What counts what finds no memory.
const OUT_OF_MEMORY: [Counter; 8] = [
    Counter::SegueMemorySockets,
    Counter::SegueMemorySyns,
    Counter::SegueMemoryTimeWait,
    Counter::SegueMemoryHeldSyns,
    Counter::SegueFragmentLimit,
    Counter::TcpExtTCPAbortOnMemory,
    Counter::UdpMemErrors,
    Counter::Udp6MemErrors,
];

/// What a stack has refused because its memory was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the counter, as `segue nstat` prints it.
    pub name: &'static str,
    /// What it counts.
    pub words: &'static str,
    /// How often.
    pub count: u64,
}

/// Datagrams that arrived at a socket, or were to leave from one, and found no room there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Whose socket it was.
    pub place: Place,
    /// Name of the counter, as `segue nstat` or the machine's `nstat` prints it.
    pub name: &'static str,
    /// How many.
    pub count: u64,
}

/// What may still be on its way when a program has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Bytes of connections, whose arrival is acknowledged.
    Streams,
    /// Datagrams too, which nobody acknowledges: they are waited for until the path is empty.
    Datagrams,
}

/// Where datagrams can be lost besides on the emulated path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A socket of the program.
    Program,
    /// The socket with which the gateway takes all datagrams off the path.
    Gateway,
    /// A socket of this machine, of the gateway or of whom the program speaks to. The machine counts for all of its
    /// programs together.
    Machine,
}

/// What counts datagrams that find no room in a socket of a stack.
const FULL_SOCKETS: [Counter; 4] =
    [Counter::UdpRcvbufErrors, Counter::Udp6RcvbufErrors, Counter::UdpSndbufErrors, Counter::Udp6SndbufErrors];

/// Datagrams that this machine's sockets had no room for so far; `None` where it does not tell.
fn machine_losses() -> Option<u64> {
    let v4 = std::fs::read_to_string("/proc/self/net/snmp").ok()?;
    let v6 = std::fs::read_to_string("/proc/self/net/snmp6").unwrap_or_default();
    Some(from_snmp(&v4)? + from_snmp6(&v6))
}

/// `RcvbufErrors` of the two lines, names and numbers, that begin with `Udp:`.
fn from_snmp(text: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with("Udp:"));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let at = names.split_whitespace().position(|name| name == "RcvbufErrors")?;
    numbers.split_whitespace().nth(at)?.parse().ok()
}

fn from_snmp6(text: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix("Udp6RcvbufErrors"));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

/// What both hosts' connections decide goes into one file.
struct Events {
    log: LineLog,
    /// What `Instant::ZERO` is as time of day.
    zero: Duration,
}

impl Events {
    fn open(path: &std::path::Path) -> Result<Events, RunError> {
        let on_error = Box::new(|error| eprintln!("segue: {error}"));
        let log = LineLog::create(path, on_error).map_err(|error| RunError::Events(path.to_owned(), error))?;
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Events { log, zero: wall.saturating_sub(Duration::from_nanos(segue::now().as_nanos())) })
    }

    fn listen(&self, builder: segue::HostBuilder, host: &'static str) -> segue::HostBuilder {
        let (log, zero) = (self.log.clone(), self.zero);
        builder.on_decision(move |decision| log.line(&decision.json(zero, host)))
    }
}

fn builder(config: &NetworkConfig, events: Option<&Events>) -> segue::HostBuilder {
    let builder = match config.seed {
        Some(seed) => Host::builder().seed(seed),
        None => Host::builder(),
    };
    let builder = match config.memory {
        Some(bytes) => builder.memory(bytes),
        None => builder,
    };
    match events {
        Some(events) => events.listen(builder, "program"),
        None => builder,
    }
}

/// Where a network writes what it did.
#[derive(Clone, Copy)]
struct Outlets<'a> {
    capture: Option<&'a Capture>,
    events: Option<&'a Events>,
}

fn linked(builder: segue::HostBuilder, link: impl Link + 'static, outlets: Outlets<'_>) -> segue::HostBuilder {
    match outlets.capture {
        Some(capture) => builder.link(capture.tee("program", link)),
        None => builder.link(link),
    }
}

fn cidr(address: IpAddr, prefix: u8) -> Result<Cidr, RunError> {
    Cidr::new(address, prefix)
        .map_err(|error| RunError::Network(io::Error::new(io::ErrorKind::InvalidInput, error.to_string())))
}

fn embedded(config: &NetworkConfig, link: impl Link + 'static, outlets: Outlets<'_>) -> Result<Host, RunError> {
    linked(builder(config, outlets.events), link, outlets)
        .address(cidr(PROGRAM_V4.into(), PREFIX_V4)?)
        .address(cidr(PROGRAM_V6.into(), PREFIX_V6)?)
        .default_route()
        .loopback_fallback(true)
        .spawn()
        .map_err(RunError::Network)
}

fn gateway(link: impl Link + 'static, verbose: bool, outlets: Outlets<'_>) -> Result<(Host, Gateway), RunError> {
    let mut config = GatewayConfig::default();
    if verbose {
        let sink: EventSink = Arc::new(|event: &Event| eprintln!("segue: {event}"));
        config.events = Some(sink);
    }
    let mut builder = Host::builder().link(link).accept_any(true).default_route();
    for address in config.host_addresses() {
        builder = builder.address(address);
    }
    if let Some(events) = outlets.events {
        builder = events.listen(builder, "gateway");
    }
    let host = builder.spawn().map_err(RunError::Network)?;
    let gateway = Gateway::spawn(&host, config).map_err(RunError::Network)?;
    Ok((host, gateway))
}

fn tun(name: &str, addresses: &[Cidr], peer: Option<IpAddr>, mtu: usize, offload: bool) -> Result<TunLink, RunError> {
    let kernel_side =
        kernel_side(addresses, peer).map_err(|problem| RunError::Tun(name.to_owned(), io::Error::other(problem)))?;
    let config = TunConfig { name: name.to_owned(), mtu, addresses: kernel_side, offload, ..TunConfig::default() };
    TunLink::create(&config).map_err(|error| RunError::Tun(name.to_owned(), error))
}

/// The kernel's address for each of ours. Without one nobody could reach us.
fn kernel_side(addresses: &[Cidr], peer: Option<IpAddr>) -> Result<Vec<Prefix>, String> {
    if let Some(peer) = peer
        && !addresses.iter().any(|ours| ours.contains(peer) && ours.address() != peer)
    {
        return Err(format!("the peer {peer} is not another host of the prefix given as address"));
    }
    let prefix = |ours: &Cidr| {
        let given = peer.filter(|peer| ours.contains(*peer));
        match given.or_else(|| ours.first_host_except(ours.address())) {
            Some(address) => Ok(Prefix { address, length: ours.prefix() }),
            None => Err(format!("{ours} has no room for the kernel's end; give a shorter prefix, e.g. /24 or /64")),
        }
    };
    addresses.iter().map(prefix).collect()
}

fn on_device(
    config: &NetworkConfig,
    link: impl Link + 'static,
    addresses: &[Cidr],
    outlets: Outlets<'_>,
) -> Result<Host, RunError> {
    let builder = linked(builder(config, outlets.events), link, outlets).default_route();
    addresses.iter().fold(builder, |builder, address| builder.address(*address)).spawn().map_err(RunError::Network)
}

impl Running {
    /// Brings the network up. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`RunError`]: the capture or the device cannot be made, a sysctl is not
    /// one, an address is impossible.
    pub fn up(config: &NetworkConfig) -> Result<Running, RunError> {
        up(config)
    }

    /// The host: the program's, where there is a program.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Where a published port leads: the program's addresses, in the order
    /// they are tried.
    pub(crate) fn program(&self, port: u16) -> [SocketAddr; 2] {
        [SocketAddr::new(PROGRAM_V4.into(), port), SocketAddr::new(PROGRAM_V6.into(), port)]
    }

    /// Segments that were sent again, at both ends of the embedded network.
    pub(crate) fn retransmits(&self) -> u64 {
        let of = |host: &Host| host.with_stack(|stack, _| stack.counters().get(Counter::TcpRetransSegs));
        of(&self.host) + self.gateway.as_ref().map_or(0, |(gateway, _)| of(gateway))
    }

    /// What the host's stack has refused for want of memory: the counter's name, what it counts, how often.
    pub fn refused(&self) -> Vec<Refusal> {
        let count = |counter: Counter| self.host.with_stack(|stack, _| stack.counters().get(counter));
        let all = OUT_OF_MEMORY.map(|counter| Refusal {
            name: counter.name(),
            words: counter.words(),
            count: count(counter),
        });
        all.into_iter().filter(|refusal| refusal.count > 0).collect()
    }

    /// Datagrams that found no room in a socket, place by place.
    pub fn losses(&self) -> Vec<Loss> {
        let count = |host: &Host, counter: Counter| host.with_stack(|stack, _| stack.counters().get(counter));
        let hosts = [(Some(&self.host), Place::Program), (self.gateway.as_ref().map(|(host, _)| host), Place::Gateway)];
        let mut losses = Vec::new();
        for (host, place) in hosts {
            let Some(host) = host else { continue };
            losses.extend(FULL_SOCKETS.map(|counter| Loss {
                place,
                name: counter.name(),
                count: count(host, counter),
            }));
        }
        // On a device the datagrams of the program are sockets' of the other end, wherever that is.
        if let (Some(before), Some(now), Some(_)) = (self.machine_losses, machine_losses(), &self.gateway) {
            losses.push(Loss { place: Place::Machine, name: "UdpRcvbufErrors", count: now.saturating_sub(before) });
        }
        losses.retain(|loss| loss.count > 0);
        losses
    }

    /// What the emulated path has done, both ways.
    pub fn path_stats(&self) -> Option<PathStats> {
        self.path.as_ref().map(PathMonitor::stats)
    }

    /// Lets what was written arrive, until the instant given, then ends the network.
    pub async fn down(&self, until: Instant, tail: Tail) {
        let left = until.saturating_duration_since(Instant::now());
        // A peer that does not answer in time has been given the time there was.
        let _ = self.host.shutdown(left).await;
        if let Some((host, gateway)) = &self.gateway {
            settle(host, gateway, self.path.as_ref(), tail, until).await;
        }
        if let Some(capture) = &self.capture {
            // Its on_error has told what went wrong.
            let _ = capture.flush();
        }
        if let Some(events) = &self.events {
            events.log.flush();
        }
    }
}

/// Waits until the gateway has passed on what it has received, and datagrams too that are yet to come out of the path.
async fn settle(host: &Host, gateway: &Gateway, path: Option<&PathMonitor>, tail: Tail, until: Instant) {
    let mut quiet = 0;
    while Instant::now() < until && quiet < QUIET_LOOKS {
        let is_crossing = match tail {
            Tail::Streams if gateway.stats().tcp_flows == 0 => return,
            Tail::Streams => false,
            Tail::Datagrams => path.is_some_and(|path| path.stats().a_to_b.inside > 0),
        };
        let is_unread = host.with_stack(|stack, now| {
            stack.backlog_len() > 0 || stack.sockets(now).any(|socket| socket.receive_queue > 0)
        });
        quiet = if is_crossing || is_unread { 0 } else { quiet + 1 };
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(addresses: &[&str], peer: Option<&str>) -> Result<Vec<String>, String> {
        let addresses: Vec<Cidr> = addresses.iter().map(|a| a.parse().expect("an address")).collect();
        let ends = kernel_side(&addresses, peer.map(|p| p.parse().expect("an address")))?;
        Ok(ends.iter().map(|end| format!("{}/{}", end.address, end.length)).collect())
    }

    #[test]
    fn the_kernel_has_another_address_of_every_prefix() {
        assert_eq!(ends(&["10.7.0.2/24", "fd07::2/64"], None), Ok(vec!["10.7.0.1/24".into(), "fd07::1/64".into()]));
        assert_eq!(ends(&["10.7.0.1/24"], Some("10.7.0.9")), Ok(vec!["10.7.0.9/24".into()]));
    }

    #[test]
    fn what_the_machines_sockets_lost_is_found_in_its_counters() {
        let snmp = "Tcp: InSegs OutSegs\nTcp: 1 2\n\
                    Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\nUdp: 10 11 12 13 14\n\
                    UdpLite: InDatagrams\nUdpLite: 7\n";
        assert_eq!(from_snmp(snmp), Some(14));
        assert_eq!(from_snmp("Udp: InDatagrams\nUdp: 10\n"), None);
        assert_eq!(from_snmp6("Udp6InErrors \t3\nUdp6RcvbufErrors                \t5\n"), 5);
        assert_eq!(from_snmp6(""), 0);
    }

    #[test]
    fn a_device_on_which_nobody_could_be_reached_is_refused() {
        for (addresses, peer) in [
            (&["10.7.0.2/32"][..], None),
            (&["fd07::2/128"], None),
            (&["10.7.0.2/24"], Some("10.8.0.1")),
            (&["10.7.0.2/24"], Some("10.7.0.2")),
        ] {
            assert!(ends(addresses, peer).is_err(), "{addresses:?} {peer:?}");
        }
    }
}
