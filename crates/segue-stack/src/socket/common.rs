//! What every socket has, whatever its protocol: family, address, IP options, pending error.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use bitflags::bitflags;

use super::rare::RareOptions;
use super::timestamping::TimestampingFlags;
use crate::ip::input::Arrival;
use crate::net::Net;
use crate::ports::{Claim, Owner, Scope};
use crate::tuple::shown;
use crate::{Domain, Errno, IfaceId, Shutdown};

bitflags! {
    /// Yes or no, per socket.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub(crate) struct Flags: u64 {
        const REUSE_ADDRESS = 1 << 0;
        const REUSE_PORT = 1 << 1;
        const V6_ONLY = 1 << 2;
        const BROADCAST = 1 << 3;
        const RECV_ERR = 1 << 4;
        const RECV_ERR6 = 1 << 5;
        /// IP_FREEBIND or IP_TRANSPARENT: bind() takes addresses that are not this host's.
        const FREE_BIND = 1 << 6;
        const TRANSPARENT = 1 << 7;
        /// bind() named the address, or the port: AF_UNSPEC does not take it away.
        const ADDRESS_LOCKED = 1 << 8;
        const PORT_LOCKED = 1 << 9;
        /// The application has closed it, or has not accepted it yet: no call can name it and no event tells of it.
        const DETACHED = 1 << 10;
        /// It stands in the event queue.
        const EVENT_QUEUED = 1 << 11;
        /// The port table counts a claim of this socket.
        const CLAIMED = 1 << 12;
        /// The claim is a listener's.
        const CLAIM_LISTENING = 1 << 13;
        const SHUT_READ = 1 << 14;
        const SHUT_WRITE = 1 << 15;
        const DONT_ROUTE = 1 << 16;
        const RECV_TTL = 1 << 17;
        const RECV_TOS = 1 << 18;
        const PKT_INFO = 1 << 19;
        const RECV_HOPLIMIT = 1 << 20;
        const RECV_TCLASS = 1 << 21;
        const RECV_PKT_INFO6 = 1 << 22;
        const TIMESTAMP = 1 << 23;
        const MULTICAST_LOOP_OFF = 1 << 24;
        const BIND_ADDRESS_NO_PORT = 1 << 25;
        const NO_CHECK = 1 << 26;
        /// The port was taken by bind() or listen(), not chosen by connect() or the first datagram.
        const CLAIM_BOUND = 1 << 27;
        const DEBUG = 1 << 28;
        /// Options of TCP that datagram sockets take, too, without effect.
        const KEEP_ALIVE = 1 << 29;
        const OOB_INLINE = 1 << 30;
        /// With `TIMESTAMP`: nanoseconds, not microseconds.
        const TIMESTAMP_NS = 1 << 31;
        /// The times were asked for by their newer numbers, and are told by them.
        const TIMESTAMP_NEW = 1 << 32;
        const ZEROCOPY = 1 << 33;
        const DROP_COUNT = 1 << 34;
        const RECV_ORIGINAL = 1 << 35;
        const RECV_ORIGINAL6 = 1 << 36;
        const RECV_FRAGMENT_SIZE = 1 << 37;
        const RECV_FRAGMENT_SIZE6 = 1 << 38;
        const IN_QUEUE = 1 << 39;
        const RECV_MARK = 1 << 40;
        const RECV_PRIORITY = 1 << 41;
        const RECV_FLOW_INFO = 1 << 42;
        const ERROR_QUEUE_IS_PRIORITY = 1 << 43;
        const TX_TIME = 1 << 44;
        /// UDP_CORK.
        const CORK = 1 << 45;
        const GRO = 1 << 46;
        /// SO_BINDTODEVICE.
        const CONFINED = 1 << 47;
        /// It came with rarely set options, and the budget counts them.
        const RARE_CHILD = 1 << 48;
    }
}

/// IP_MTU_DISCOVER and IPV6_MTU_DISCOVER.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MtuDiscovery {
    /// Never set DF; fragment at the link's MTU... and at what was learned.
    Dont,
    /// Fragment what is larger than the path, DF on everything else.
    Want,
    /// Never fragment; too large is an error.
    Do,
    /// Never fragment at what was learned, only refuse what the link cannot carry; DF always.
    Probe,
    /// As `Dont`, and ignore what is learned.
    Interface,
    /// As `Interface`, but fragment what the link cannot carry.
    Omit,
}

impl MtuDiscovery {
    pub(crate) fn from_number(number: i32) -> Option<MtuDiscovery> {
        Some(match number {
            0 => MtuDiscovery::Dont,
            1 => MtuDiscovery::Want,
            2 => MtuDiscovery::Do,
            3 => MtuDiscovery::Probe,
            4 => MtuDiscovery::Interface,
            5 => MtuDiscovery::Omit,
            _ => return None,
        })
    }

    pub(crate) fn number(self) -> i32 {
        self as i32
    }

    /// Whether a path MTU that was learned counts.
    pub(crate) fn uses_path(self) -> bool {
        matches!(self, MtuDiscovery::Dont | MtuDiscovery::Want | MtuDiscovery::Do)
    }

    /// Whether an ICMP error may change what is known about the path.
    pub(crate) fn learns(self) -> bool {
        !matches!(self, MtuDiscovery::Interface | MtuDiscovery::Omit)
    }

    /// Whether a packet larger than `mtu` may be cut.
    pub(crate) fn may_fragment(self) -> bool {
        matches!(self, MtuDiscovery::Dont | MtuDiscovery::Want | MtuDiscovery::Omit)
    }

    /// Whether a packet that fits forbids routers to cut it.
    pub(crate) fn sets_df(self) -> bool {
        matches!(self, MtuDiscovery::Want | MtuDiscovery::Do | MtuDiscovery::Probe)
    }
}

/// What every socket has.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) domain: Domain,
    pub(crate) flags: Flags,
    /// Never v4-mapped; unspecified: any.
    pub(crate) local: IpAddr,
    /// 0: not bound.
    pub(crate) port: u16,
    /// IP_TTL and IPV6_UNICAST_HOPS; `None`: the stack's default.
    pub(crate) ttl: Option<u8>,
    pub(crate) hops: Option<u8>,
    /// IP_TOS and IPV6_TCLASS.
    pub(crate) tos: u8,
    pub(crate) traffic_class: u8,
    pub(crate) discovery: MtuDiscovery,
    pub(crate) discovery6: MtuDiscovery,
    /// What the next call or SO_ERROR reports.
    pub(crate) error: Option<Errno>,
    /// Leaves by this interface only (gateways, loopback fallback).
    pub(crate) pinned: Option<IfaceId>,
    pub(crate) rare: Option<Box<RareOptions>>,
}

impl Common {
    pub(crate) fn new(domain: Domain, v6_only: bool) -> Common {
        let mut flags = Flags::empty();
        flags.set(Flags::V6_ONLY, v6_only && domain == Domain::Inet6);
        Common {
            domain,
            flags,
            local: unspecified(domain),
            port: 0,
            ttl: None,
            hops: None,
            tos: 0,
            traffic_class: 0,
            discovery: MtuDiscovery::Want,
            discovery6: MtuDiscovery::Want,
            error: None,
            pinned: None,
            rare: None,
        }
    }

    /// What a connection that was accepted takes over from its listener.
    pub(crate) fn inherit(&self) -> Common {
        let kept = Flags::REUSE_ADDRESS
            | Flags::REUSE_PORT
            | Flags::V6_ONLY
            | Flags::RECV_ERR
            | Flags::RECV_ERR6
            | Flags::TRANSPARENT
            | Flags::FREE_BIND
            | Flags::CLAIM_BOUND;
        Common {
            domain: self.domain,
            flags: self.flags & kept,
            rare: self.rare.as_ref().map(|rare| Box::new(rare.inherit())),
            error: None,
            ..*self
        }
    }

    pub(crate) fn has(&self, flags: Flags) -> bool {
        self.flags.contains(flags)
    }

    /// Which destinations the bound address covers.
    pub(crate) fn scope(&self) -> Scope {
        match self.local {
            IpAddr::V4(v4) if v4.is_unspecified() => Scope::AnyV4,
            IpAddr::V6(v6) if v6.is_unspecified() && self.has(Flags::V6_ONLY) => Scope::AnyV6,
            IpAddr::V6(v6) if v6.is_unspecified() => Scope::AnyDual,
            address => Scope::One(address),
        }
    }

    /// What the socket claims of its port.
    pub(crate) fn claim(&self) -> Claim {
        Claim {
            scope: self.scope(),
            reuse_address: self.has(Flags::REUSE_ADDRESS),
            reuse_port: self.has(Flags::REUSE_PORT),
            owner: self.rare().uid.map_or(Owner::Own, Owner::User),
            listening: self.has(Flags::CLAIM_LISTENING),
            bound: self.has(Flags::CLAIM_BOUND),
            device: self.rare().device,
            is_dual: self.local.is_ipv6() && !self.local.is_unspecified() && !self.has(Flags::V6_ONLY),
        }
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.show(SocketAddr::new(self.local, self.port))
    }

    /// An address as the application sees it on this socket.
    pub(crate) fn show(&self, address: SocketAddr) -> SocketAddr {
        match (self.domain, address.ip()) {
            // `::ffff:0.0.0.0` is how Linux shows a wildcard of IPv4 only on AF_INET6, so nothing is special about it.
            (Domain::Inet6, _) => shown(Domain::Inet6, address),
            (Domain::Inet, _) => address,
        }
    }

    /// An address that the application gave, as the stack thinks of it. `EAFNOSUPPORT` for IPv6 on `AF_INET`.
    pub(crate) fn take_address(&self, address: SocketAddr) -> Result<SocketAddr, Errno> {
        match (self.domain, address) {
            (Domain::Inet, SocketAddr::V6(_)) => Err(Errno::EAFNOSUPPORT),
            (_, address) => Ok(SocketAddr::new(address.ip().to_canonical(), address.port())),
        }
    }

    /// Mark as shut. Gives the bits that are shut now.
    pub(crate) fn shut(&mut self, how: Shutdown) {
        if matches!(how, Shutdown::Read | Shutdown::Both) {
            self.flags.insert(Flags::SHUT_READ);
        }
        if matches!(how, Shutdown::Write | Shutdown::Both) {
            self.flags.insert(Flags::SHUT_WRITE);
        }
    }

    /// Whether packets from an interface are for this socket as far as `SO_BINDTODEVICE` says.
    pub(crate) fn may_hear(&self, iface: IfaceId) -> bool {
        !self.has(Flags::CONFINED) || self.rare().device == Some(iface)
    }

    /// `IP_MINTTL`, `IPV6_MINHOPCOUNT` (RFC 5082): the packet has come a longer way than the socket allows.
    pub(crate) fn is_too_far(&self, arrival: &Arrival) -> bool {
        let Some(rare) = &self.rare else { return false };
        arrival.ttl < if arrival.source.is_ipv4() { rare.min_ttl } else { rare.min_hops }
    }

    /// Ports that are chosen for it: the sysctl's, narrowed by `IP_LOCAL_PORT_RANGE` as far as that lies within; and
    /// whether there is such a range of its own.
    pub(crate) fn port_range(&self, (mut low, mut high): (u16, u16)) -> ((u16, u16), bool) {
        let (own_low, own_high) = self.rare().port_range;
        let all = low..=high;
        if all.contains(&own_low) {
            low = own_low;
        }
        if all.contains(&own_high) {
            high = own_high;
        }
        ((low, high), (own_low, own_high) != (0, 0))
    }

    /// The interface that packets to `destination` leave by whatever the routes say, if there is one.
    pub(crate) fn leaves_by(&self, net: &Net, destination: IpAddr) -> Option<IfaceId> {
        let rare = self.rare();
        let is_v4 = destination.is_ipv4();
        let group = if is_v4 { rare.multicast_if.0 } else { rare.multicast_if6 };
        let unicast = if is_v4 { rare.unicast_if } else { rare.unicast_if6 };
        // As Linux: what is for the host itself does not leave, and who is confined to an interface says so for all else.
        let device = rare.device.filter(|_| !net.is_own(destination));
        let chosen = if destination.is_multicast() { group } else { unicast.filter(|_| !net.is_own(destination)) };
        self.pinned.or(device).or(chosen)
    }

    /// TTL or hop limit and TOS or traffic class for packets to `destination`.
    pub(crate) fn ttl_and_tos(&self, destination: IpAddr, default_ttl: u8) -> (u8, u8) {
        match destination {
            IpAddr::V4(group) if group.is_multicast() => (self.rare().multicast_ttl, self.tos),
            IpAddr::V6(group) if group.is_multicast() => (self.rare().multicast_hops, self.traffic_class),
            IpAddr::V4(_) => (self.ttl.unwrap_or(default_ttl), self.tos),
            IpAddr::V6(_) => (self.hops.unwrap_or(default_ttl), self.traffic_class),
        }
    }

    /// `TCP_TX_DELAY`: how long what is sent waits before it leaves.
    pub(crate) fn departure_delay(&self) -> Duration {
        Duration::from_micros(self.rare().tx_delay.into())
    }

    pub(crate) fn discovery_for(&self, destination: IpAddr) -> MtuDiscovery {
        if destination.is_ipv4() { self.discovery } else { self.discovery6 }
    }

    /// Whether a control message tells when what is read has arrived.
    pub(crate) fn wants_arrival_times(&self) -> bool {
        let both = TimestampingFlags::SOFTWARE | TimestampingFlags::RX_SOFTWARE;
        self.has(Flags::TIMESTAMP) || self.rare().timestamping.contains(both)
    }

    /// Whether MSG_ERRQUEUE has something to read.
    pub(crate) fn has_queued_errors(&self) -> bool {
        !self.rare().errors.is_empty()
    }

    /// Bytes of the receive buffer that the error queue holds.
    pub(crate) fn error_bytes(&self) -> usize {
        self.rare().errors.bytes()
    }

    pub(crate) fn rare(&self) -> &RareOptions {
        self.rare.as_deref().unwrap_or(RareOptions::DEFAULT)
    }

    pub(crate) fn rare_mut(&mut self) -> &mut RareOptions {
        self.rare.get_or_insert_with(|| Box::new(RareOptions::new()))
    }
}

/// The wildcard address of a family.
pub(crate) fn unspecified(domain: Domain) -> IpAddr {
    match domain {
        Domain::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Domain::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}
