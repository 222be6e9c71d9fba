//! What a stack and its interfaces are made with.
use crate::{Cidr, CoreSettings, IpSettings};

/// Everything a [`Stack`](crate::Stack) is made with.
#[derive(Clone, Debug)]
pub struct StackConfig {
    /// The one source of every secret: initial sequence numbers, timestamp offsets, hash keys, ports, fragment identifications.
    ///
    /// A stack that strangers can reach needs 32 unpredictable bytes; the same seed replays the same run.
    pub seed: [u8; 32],
    /// The `tcp_*` sysctls that every connection shares. Default: Linux's defaults.
    pub tcp: segue_tcp::Config,
    /// The `net.ipv4.ip_*`, `icmp_*` and table sysctls.
    pub ip: IpSettings,
    /// The `net.core.*` sysctls.
    pub core: CoreSettings,
    /// Bytes of memory that the stack may take in all: queues of connections, datagrams, fragments, sockets and other
    /// entries. `tcp_mem` and the thresholds of reassembly follow from it. What does not fit is refused, and counted by
    /// reason (`SegueMemory…`, `TCPAbortOnMemory`, `RcvPruned` and their kind). At least 1 MiB. Default: no bound.
    pub memory: Option<u64>,
    /// The user who owns sockets that are made without naming one ([`Stack::socket`](crate::Stack::socket)): `SO_REUSEPORT` is
    /// shared among sockets of one user, and `/proc/net` shows it. Default: 0, root.
    pub uid: u32,
}

impl StackConfig {
    /// Linux's defaults with the given seed.
    pub fn new(seed: [u8; 32]) -> Self {
        StackConfig {
            seed,
            tcp: segue_tcp::Config::default(),
            ip: IpSettings::default(),
            core: CoreSettings::default(),
            memory: None,
            uid: 0,
        }
    }
}

/// A network interface of a stack, as its owner describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfaceConfig {
    /// The name it is shown with, such as `"eth0"`.
    pub name: String,
    /// The largest IP packet it carries, in bytes. Below 1280 IPv6 is not spoken on it (RFC 8200 section 5); at least 68.
    pub mtu: usize,
    /// Its own addresses; each brings a route to its prefix.
    pub addresses: Vec<Cidr>,
    /// The largest super-segment, as an IP packet in bytes, that its link takes whole; 0: packets must fit the MTU.
    pub gso_max: usize,
    /// Take packets to any destination, and answer from that address (a gateway).
    pub accept_any: bool,
    /// Connections and datagrams to 127/8 or ::1 that nobody inside waits for leave here, with their loopback source, and the
    /// answers come back from here.
    pub loopback_fallback: bool,
}

impl IfaceConfig {
    /// An interface with a name, an MTU and nothing else.
    pub fn new(name: impl Into<String>, mtu: usize) -> Self {
        IfaceConfig {
            name: name.into(),
            mtu,
            addresses: Vec::new(),
            gso_max: 0,
            accept_any: false,
            loopback_fallback: false,
        }
    }
}
