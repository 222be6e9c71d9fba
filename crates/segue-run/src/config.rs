//! What a run is made of: the program, its network, what is published, how it
//! ends. Decides nothing about mechanism; `run` reads it once and keeps to it.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use segue::Cidr;
use segue::link::PathConfig;

/// Everything [`run`](crate::run) needs to know before the program starts.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// The program and its arguments; the program is looked up in `PATH` as a
    /// shell would. Must not be empty.
    pub program: Vec<OsString>,
    /// Which network the program's sockets are on, and with which parameters.
    pub network: NetworkConfig,
    /// Ports of the program that are reachable from outside. Default: none.
    pub publish: Vec<Publish>,
    /// How long the network lives on after the last task has ended, so that
    /// what the program wrote is still delivered. Default: 10 s. Range: any;
    /// zero cuts everything off at once (unfinished connections are reset).
    pub linger: Duration,
    /// Whether close(2) waits where `SO_LINGER` asks for it. Default: [`Closing::AtOnce`].
    pub closing: Closing,
    /// Whose `/proc/net` programs read. Default: [`ProcNet::Machine`].
    pub proc_net: ProcNet,
    /// What becomes of descendants that outlive the program. Default:
    /// [`Descendants::Wait`].
    pub descendants: Descendants,
}

impl RunConfig {
    /// A run of `program` on the embedded network with every default.
    pub fn new(program: Vec<OsString>) -> RunConfig {
        RunConfig {
            program,
            network: NetworkConfig::default(),
            publish: Vec::new(),
            linger: Duration::from_secs(10),
            closing: Closing::default(),
            proc_net: ProcNet::default(),
            descendants: Descendants::default(),
        }
    }
}

/// How close(2) of a stream with `SO_LINGER` and a time returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Closing {
    /// At once; what was written and the FIN are delivered in the background. Every close is the kernel's own.
    #[default]
    AtOnce,
    /// When everything is acknowledged, or the time is over, as on Linux. Every close(2) of the program, of whatever
    /// descriptor, then passes by the supervisor: it takes some microseconds more, and a signal whose handler was installed
    /// without `SA_RESTART` may end it with `EINTR` before anything is closed.
    Lingering,
}

/// Whose figures programs find in `/proc/net`: ss, netstat, node_exporter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProcNet {
    /// This machine's. No file that a program opens passes by the supervisor.
    #[default]
    Machine,
    /// Those of the program's host: `tcp`, `tcp6`, `udp`, `udp6`, `snmp`, `snmp6`, `netstat`, `sockstat`, `sockstat6`, by
    /// an absolute path. The kernel's other way to list sockets, `NETLINK_SOCK_DIAG`, finds none, so that programs read
    /// these. Every open(2) for reading then takes some microseconds more, and a signal whose handler was installed without
    /// `SA_RESTART` may end it with `EINTR`.
    Host,
}

/// A network with one host of Segue's on it: [`Running::up`](crate::Running::up)
/// brings it up.
#[derive(Clone, Debug, Default)]
pub struct NetworkConfig {
    /// What the host is attached to. Default: [`Network::Embedded`] across a path
    /// without impairments.
    pub network: Network,
    /// Seed of every random choice of the host's stack (ISN, ports, hash
    /// secrets). `None` (default) draws one from the operating system; the
    /// impairments have their own seed in [`PathConfig`].
    pub seed: Option<u64>,
    /// Stack parameters by Linux's names. Default: none.
    pub sysctls: Vec<(String, String)>,
    /// Bytes of memory that the host's stack may take in all; what does not fit is refused and counted. At least 1 MiB.
    /// Default: no bound.
    pub memory: Option<u64>,
    /// Where to write what passes the host's end of the network (pcapng). Default: nowhere.
    pub pcap: Option<PathBuf>,
    /// Where to write what connections of the network decide about loss and congestion, one line of JSON each
    /// (`docs/events.md`). Default: nowhere, and it costs nothing.
    pub events: Option<PathBuf>,
    /// What the capture says of itself, such as a command line. Default: nothing.
    pub comment: String,
    /// Say on standard error what the gateway refuses, and why. Default: no.
    pub verbose: bool,
}

/// The network a program is put on.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it in a run")]
pub enum Network {
    /// A host of its own (198.18.0.2/24, fd53:6567:7565::2/64), joined by an
    /// emulated path to a gateway that continues its flows as ordinary sockets
    /// of this machine. Needs no privilege. `a_to_b` of the path is from the
    /// program to the gateway.
    Embedded {
        /// Impairments of both directions, MTU and seed.
        path: PathConfig,
    },
    /// A TUN device of this machine. Needs `CAP_NET_ADMIN`.
    Tun {
        /// Name of the device, at most 15 bytes.
        name: String,
        /// Addresses of the program's host with their prefixes.
        addresses: Vec<Cidr>,
        /// Address of the kernel's end. Default: the first other host address
        /// of the first prefix of each family.
        peer: Option<IpAddr>,
        /// MTU in bytes. Default of a device: 1500.
        mtu: usize,
        /// Exchange super-segments and unfinished checksums with the kernel where it can.
        offload: bool,
        /// An emulated path between the program's host and the device. Default: none.
        path: Option<PathConfig>,
    },
}

impl Default for Network {
    fn default() -> Network {
        Network::Embedded { path: PathConfig::default() }
    }
}

/// What becomes of descendants that still run when the program itself has ended.
///
/// A server that puts itself into the background ends its first process at
/// once and would lose its network with it; so the default is to wait, as
/// `strace -f` does. The exit status is always that of the program itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Descendants {
    /// The run lasts until the last of them has ended. A line on standard
    /// error says so; SIGINT, SIGTERM or SIGHUP to the run ends them.
    #[default]
    Wait,
    /// They are sent SIGTERM, and SIGKILL two seconds later.
    End,
}

/// One published port: `[ADDRESS:]HOST:GUEST[/tcp|/udp]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Where this machine listens. Without an address: 127.0.0.1, so that a
    /// test server is not opened to the neighbourhood unasked.
    pub host: SocketAddr,
    /// The program's port.
    pub guest: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// Transport protocol of a published port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// `/tcp`, the default.
    #[default]
    Tcp,
    /// `/udp`.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        })
    }
}

impl fmt::Display for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.host, self.guest, self.protocol)
    }
}

/// Why a `-p` value is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// Not of the form `[ADDRESS:]HOST:GUEST[/tcp|/udp]`.
    Form(String),
    /// A part that should be a port is not in 1–65535.
    Port(String),
    /// The address is not an IP address.
    Address(String),
    /// The part after `/` is neither `tcp` nor `udp`.
    Protocol(String),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublishError::Form(text) => write!(
                f,
                "'{text}' is not a published port; write HOST:GUEST, e.g. 8080:80, \
                 127.0.0.1:8080:80, [::1]:8080:80 or 5353:53/udp"
            ),
            PublishError::Port(text) => {
                write!(f, "'{text}' is not a port; ports are 1 to 65535")
            }
            PublishError::Address(text) => {
                write!(f, "'{text}' is not an IP address; write e.g. 127.0.0.1:8080:80 or [::1]:8080:80")
            }
            PublishError::Protocol(text) => {
                write!(f, "'{text}' is not a protocol; write /tcp or /udp")
            }
        }
    }
}

impl std::error::Error for PublishError {}

impl FromStr for Publish {
    type Err = PublishError;

    fn from_str(text: &str) -> Result<Publish, PublishError> {
        let (ports, protocol) = match text.rsplit_once('/') {
            None => (text, Protocol::Tcp),
            Some((ports, "tcp")) => (ports, Protocol::Tcp),
            Some((ports, "udp")) => (ports, Protocol::Udp),
            Some((_, other)) => return Err(PublishError::Protocol(other.to_owned())),
        };
        let form = || PublishError::Form(text.to_owned());
        let (front, guest) = ports.rsplit_once(':').ok_or_else(form)?;
        let (address, host) = match front.rsplit_once(':') {
            None => (IpAddr::V4(Ipv4Addr::LOCALHOST), front),
            Some((address, host)) => {
                let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
                let parsed = bare.parse().map_err(|_| PublishError::Address(address.to_owned()))?;
                (parsed, host)
            }
        };
        if host.is_empty() || guest.is_empty() {
            return Err(form());
        }
        Ok(Publish { host: SocketAddr::new(address, port(host)?), guest: port(guest)?, protocol })
    }
}

fn port(text: &str) -> Result<u16, PublishError> {
    match text.parse::<u16>() {
        Ok(0) | Err(_) => Err(PublishError::Port(text.to_owned())),
        Ok(port) => Ok(port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_published_port_is_understood() {
        for (text, shown) in [
            ("8080:80", "127.0.0.1:8080:80/tcp"),
            ("0.0.0.0:8080:80", "0.0.0.0:8080:80/tcp"),
            ("[::1]:8080:80/tcp", "[::1]:8080:80/tcp"),
            ("5353:53/udp", "127.0.0.1:5353:53/udp"),
        ] {
            assert_eq!(text.parse::<Publish>().map(|p| p.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn a_wrong_published_port_is_refused_with_the_part_that_is_wrong() {
        for (text, word) in [
            ("8080", "8080:80"),
            (":80", "HOST:GUEST"),
            ("8080:", "HOST:GUEST"),
            ("0:80", "'0'"),
            ("8080:65536", "65536"),
            ("host:8080:80", "'host'"),
            ("8080:80/sctp", "sctp"),
        ] {
            let message = text.parse::<Publish>().expect_err(text).to_string();
            assert!(message.contains(word), "{message}");
        }
    }
}
