//! The host's place in the network: its interfaces and addresses, and which way a packet takes.
//!
//! Decides what is local, which interface and source address lead to a destination, and how large a packet may be there.
//! Does not build or parse packets. RFC 1122 3.3.1 (routing), RFC 6724 (source address, its rules 1, 2 and 8).
//! The weak end-system model, as Linux: an address belongs to the host, not to one interface.
use core::cell::Cell;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use segue_wire::Instant;

use crate::config::IfaceConfig;
use crate::pmtu::PmtuCache;
use crate::route::RouteTable;
use crate::secrets::KeyedState;
use crate::tuple::unspecified_like;
use crate::{Cidr, Errno, IfaceId, Route, RouteError};

/// The smallest MTU of a link that carries IPv6 (RFC 8200 section 5).
const MIN_MTU_V6: usize = 1280;
/// The MTU of the loopback interface, as Linux has it.
const LOOPBACK_MTU: usize = 65536;

impl IfaceId {
    /// The loopback interface, which every stack has.
    pub const LOOPBACK: IfaceId = IfaceId::at(0);
}

/// Interfaces, addresses, routes, path MTUs.
#[derive(Debug)]
pub(crate) struct Net {
    ifaces: Vec<IfaceConfig>,
    /// What has passed through each of them.
    traffic: Vec<IfaceTraffic>,
    /// The host's addresses, twice: to be scanned while they are few, to be looked up when they are many.
    own: Vec<IpAddr>,
    addresses: HashSet<IpAddr, KeyedState>,
    broadcasts: Vec<Ipv4Addr>,
    routes: RouteTable,
    pub(crate) pmtu: PmtuCache,
    fallback: Option<IfaceId>,
    /// The way that was found last: a connection asks for each segment.
    recent: Cell<Option<Recent>>,
    /// How many sockets have joined a group on an interface.
    groups: HashMap<(IpAddr, IfaceId), u32, KeyedState>,
}

/// What has passed through an interface since it was made, as `ip -s link` tells it. A super-segment is one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct IfaceTraffic {
    /// Packets received.
    pub rx_packets: u64,
    /// Bytes of packets received.
    pub rx_bytes: u64,
    /// Packets that found no room in the backlog.
    pub rx_dropped: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Bytes of packets sent.
    pub tx_bytes: u64,
}

/// What was asked and what the answer was; worth nothing once an interface, a route or a path's MTU has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Recent {
    destination: IpAddr,
    pinned: Option<IfaceId>,
    needs_source: bool,
    way: Way,
    /// Until when: what was learned of an MTU expires.
    until: Option<Instant>,
}

/// What kind of destination an address is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Destination {
    /// One of the host's own addresses, or any loopback address.
    Local,
    /// 255.255.255.255 or a network's broadcast address.
    Broadcast,
    Multicast,
    /// 0.0.0.0/8 or `::`.
    Unspecified,
    /// Some other host.
    Remote,
}

/// What a route asks of the connections over it; the default asks nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct RouteWishes {
    /// Another initial congestion window than the stack's.
    pub(crate) initial_window: Option<u32>,
    /// RFC 3168, whatever `tcp_ecn` says.
    pub(crate) ecn: bool,
}

/// The way to a destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Way {
    pub(crate) iface: IfaceId,
    /// The source address to use when the socket has none of its own.
    pub(crate) source: IpAddr,
    /// The largest IP packet that gets there, as far as is known.
    pub(crate) mtu: usize,
    /// The destination is on the link: no router passes the packets on.
    pub(crate) is_direct: bool,
    /// What the route asks of connections.
    pub(crate) wishes: RouteWishes,
}

impl Way {
    /// `SO_DONTROUTE`, `MSG_DONTROUTE`: what needs a router is out of reach.
    pub(crate) fn check_direct(&self, must_be_direct: bool) -> Result<(), Errno> {
        if must_be_direct && !self.is_direct { Err(Errno::ENETUNREACH) } else { Ok(()) }
    }
}

impl Net {
    pub(crate) fn new(hasher: KeyedState) -> Net {
        let mut net = Net {
            ifaces: Vec::new(),
            traffic: Vec::new(),
            own: Vec::new(),
            addresses: HashSet::with_hasher(hasher.clone()),
            broadcasts: Vec::new(),
            routes: RouteTable::new(),
            groups: HashMap::with_hasher(hasher.clone()),
            pmtu: PmtuCache::new(hasher),
            fallback: None,
            recent: Cell::new(None),
        };
        let mut loopback = IfaceConfig::new("lo", LOOPBACK_MTU);
        // Super-segments inside the machine are as long as an IP packet can be.
        loopback.gso_max = usize::from(u16::MAX);
        loopback.addresses.extend(Cidr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8));
        loopback.addresses.push(Cidr::host(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        net.add_interface(loopback);
        net
    }

    pub(crate) fn add_interface(&mut self, config: IfaceConfig) -> IfaceId {
        self.recent.set(None);
        let id = IfaceId::at(self.ifaces.len());
        for cidr in &config.addresses {
            if self.addresses.insert(cidr.address()) {
                self.own.push(cidr.address());
            }
            self.broadcasts.extend(cidr.broadcast());
            // Loopback destinations are recognised as such, whatever the routes say.
            if !cidr.address().is_loopback() {
                // Own addresses carry no router, so the families cannot differ.
                let _ = self.routes.insert(Route::on_link(cidr.network(), id));
            }
        }
        if config.loopback_fallback {
            self.fallback = Some(id);
        }
        self.ifaces.push(config);
        self.traffic.push(IfaceTraffic::default());
        id
    }

    pub(crate) fn add_route(&mut self, route: Route) -> Result<Option<Route>, RouteError> {
        self.recent.set(None);
        self.routes.insert(route)
    }

    pub(crate) fn remove_route(&mut self, destination: Cidr) -> Option<Route> {
        self.recent.set(None);
        self.routes.remove(destination)
    }

    /// A router said that packets to `destination` may have at most `mtu` bytes. Gives what is now believed.
    pub(crate) fn learn_mtu(&mut self, now: Instant, destination: IpAddr, mtu: usize) -> usize {
        self.recent.set(None);
        self.pmtu.learn(now, destination, mtu)
    }

    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    pub(crate) fn interfaces(&self) -> impl Iterator<Item = (IfaceId, &IfaceConfig)> {
        self.ifaces.iter().enumerate().map(|(at, config)| (IfaceId::at(at), config))
    }

    pub(crate) fn traffic(&self, id: IfaceId) -> IfaceTraffic {
        self.traffic.get(id.index()).copied().unwrap_or_default()
    }

    pub(crate) fn note_received(&mut self, id: IfaceId, bytes: usize) {
        if let Some(count) = self.traffic.get_mut(id.index()) {
            count.rx_packets += 1;
            count.rx_bytes += bytes as u64;
        }
    }

    pub(crate) fn note_sent(&mut self, id: IfaceId, bytes: usize) {
        if let Some(count) = self.traffic.get_mut(id.index()) {
            count.tx_packets += 1;
            count.tx_bytes += bytes as u64;
        }
    }

    pub(crate) fn note_dropped(&mut self, id: IfaceId) {
        if let Some(count) = self.traffic.get_mut(id.index()) {
            count.rx_dropped += 1;
        }
    }

    /// The groups that sockets have joined on an interface, and how many sockets each.
    pub(crate) fn joined(&self, id: IfaceId) -> impl Iterator<Item = (IpAddr, u32)> {
        self.groups.iter().filter(move |((_, iface), _)| *iface == id).map(|((group, _), users)| (*group, *users))
    }

    pub(crate) fn iface(&self, id: IfaceId) -> Option<&IfaceConfig> {
        self.ifaces.get(id.index())
    }

    /// The interface with this name.
    pub(crate) fn iface_named(&self, name: &[u8]) -> Option<IfaceId> {
        self.ifaces.iter().position(|iface| iface.name.as_bytes() == name).map(IfaceId::at)
    }

    /// The interface that has the address.
    pub(crate) fn iface_of(&self, address: IpAddr) -> Option<IfaceId> {
        if address.is_loopback() {
            return Some(IfaceId::LOOPBACK);
        }
        let has = |iface: &IfaceConfig| iface.addresses.iter().any(|cidr| cidr.address() == address);
        self.ifaces.iter().position(has).map(IfaceId::at)
    }

    /// The interface that a route to the address leads to.
    pub(crate) fn iface_towards(&self, address: IpAddr) -> Option<IfaceId> {
        self.routes.lookup(address).map(|route| route.iface)
    }

    /// A socket has joined a group on an interface.
    pub(crate) fn join(&mut self, group: IpAddr, iface: IfaceId) {
        *self.groups.entry((group, iface)).or_default() += 1;
    }

    /// A socket has left a group on an interface.
    pub(crate) fn leave(&mut self, group: IpAddr, iface: IfaceId) {
        if let Entry::Occupied(mut entry) = self.groups.entry((group, iface)) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }

    /// Whether some socket hears the group on this interface.
    pub(crate) fn has_joined(&self, group: IpAddr, iface: IfaceId) -> bool {
        !self.groups.is_empty() && self.groups.contains_key(&(group, iface))
    }

    /// The interface that loopback destinations leave by when nobody inside waits for them.
    pub(crate) fn loopback_fallback(&self) -> Option<IfaceId> {
        self.fallback
    }

    /// Whether the address is one of the host's own.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        // A host has a handful of addresses, and every packet asks: comparing is cheaper than hashing.
        let is_listed = match self.own.len() {
            ..=8 => self.own.contains(&address),
            _ => self.addresses.contains(&address),
        };
        address.is_loopback() || is_listed
    }

    /// What kind of destination an address is for this host.
    pub(crate) fn destination(&self, address: IpAddr) -> Destination {
        if self.is_own(address) {
            return Destination::Local;
        }
        match address {
            IpAddr::V4(v4) if v4.is_broadcast() || self.broadcasts.contains(&v4) => Destination::Broadcast,
            IpAddr::V4(v4) if v4.octets()[0] == 0 => Destination::Unspecified,
            _ if address.is_unspecified() => Destination::Unspecified,
            _ if address.is_multicast() => Destination::Multicast,
            // RFC 1122 3.2.1.3: class E is no unicast address, either.
            IpAddr::V4(v4) if v4.octets()[0] >= 240 => Destination::Broadcast,
            _ => Destination::Remote,
        }
    }

    /// The way to `destination`; `pinned`: by this interface, whatever the routes say.
    ///
    /// Errors: `ENETUNREACH` without a route or where the link cannot carry the family, `EADDRNOTAVAIL` without an address to send from.
    pub(crate) fn way(&self, now: Instant, destination: IpAddr, pinned: Option<IfaceId>) -> Result<Way, Errno> {
        self.find_way(now, destination, pinned, true)
    }

    /// As [`way`](Self::way) for a packet whose source is already known: an interface without addresses will do.
    pub(crate) fn way_without_source(
        &self,
        now: Instant,
        destination: IpAddr,
        pinned: Option<IfaceId>,
    ) -> Result<Way, Errno> {
        self.find_way(now, destination, pinned, false)
    }

    fn find_way(
        &self,
        now: Instant,
        destination: IpAddr,
        pinned: Option<IfaceId>,
        needs_source: bool,
    ) -> Result<Way, Errno> {
        if let Some(recent) = self.recent.get()
            && recent.destination == destination
            && (recent.pinned, recent.needs_source) == (pinned, needs_source)
            && recent.until.is_none_or(|until| now < until)
        {
            return Ok(recent.way);
        }
        let (way, until) = self.look_up_way(now, destination, pinned, needs_source)?;
        self.recent.set(Some(Recent { destination, pinned, needs_source, way, until }));
        Ok(way)
    }

    /// The way, and until when it stays so if nothing changes.
    fn look_up_way(
        &self,
        now: Instant,
        destination: IpAddr,
        pinned: Option<IfaceId>,
        needs_source: bool,
    ) -> Result<(Way, Option<Instant>), Errno> {
        let unrouted = |iface| (iface, None, None, RouteWishes::default());
        let (iface, via, route_mtu, wishes) = match pinned {
            Some(iface) => unrouted(iface),
            None if self.is_own(destination) => unrouted(IfaceId::LOOPBACK),
            None => {
                let route = self.routes.lookup(destination).ok_or(Errno::ENETUNREACH)?;
                (route.iface, route.via, route.mtu, RouteWishes { initial_window: route.initcwnd, ecn: route.ecn })
            }
        };
        let config = self.iface(iface).ok_or(Errno::ENETUNREACH)?;
        if destination.is_ipv6() && config.mtu < MIN_MTU_V6 {
            return Err(Errno::ENETUNREACH);
        }
        let source = if iface == IfaceId::LOOPBACK {
            Self::loopback_source(destination)
        } else {
            match self.source(config, via.unwrap_or(destination)) {
                Some(source) => source,
                None if needs_source => return Err(Errno::EADDRNOTAVAIL),
                None => unspecified_like(destination),
            }
        };
        // An IPv4 packet cannot say that it is longer (RFC 791), even where a link could carry it.
        let longest = if destination.is_ipv4() { usize::from(u16::MAX) } else { usize::MAX };
        let mut mtu = config.mtu.min(longest);
        if let Some(route_mtu) = route_mtu {
            mtu = mtu.min(route_mtu as usize);
        }
        let learned = self.pmtu.get(now, destination);
        if let Some((learned, _)) = learned {
            mtu = mtu.min(learned);
        }
        let until = learned.map(|(_, expires)| expires);
        Ok((Way { iface, source, mtu, is_direct: via.is_none(), wishes }, until))
    }

    fn loopback_source(destination: IpAddr) -> IpAddr {
        // An own address is talked to from itself; 127.0.0.2 is talked to from 127.0.0.1.
        match destination {
            IpAddr::V4(v4) if v4.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            other => other,
        }
    }

    /// RFC 6724 section 5: same address scope, then the longest common prefix — here: an address on the next hop's link.
    fn source(&self, config: &IfaceConfig, next_hop: IpAddr) -> Option<IpAddr> {
        if next_hop.is_loopback() && config.loopback_fallback {
            return Some(Self::loopback_source(next_hop));
        }
        let same_family = |cidr: &&Cidr| cidr.is_ipv4() == next_hop.is_ipv4();
        let candidates = || config.addresses.iter().filter(same_family);
        let others = || self.ifaces.iter().skip(1).flat_map(|iface| &iface.addresses).filter(same_family);
        let same_scope = |cidr: &&Cidr| is_link_local(cidr.address()) == is_link_local(next_hop);
        candidates()
            .find(|cidr| cidr.contains(next_hop))
            .or_else(|| candidates().find(same_scope))
            .or_else(|| candidates().next())
            .or_else(|| others().find(same_scope))
            .map(Cidr::address)
    }

    /// Whether a socket may bind to the address: it is the host's own, or stands for all of them.
    pub(crate) fn may_bind(&self, address: IpAddr) -> bool {
        address == unspecified_like(address) || self.is_own(address)
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::secrets::Secrets;

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    }

    // The way found last is kept; whatever it depends on changes it at once.
    #[test]
    fn the_way_follows_routes_interfaces_and_what_routers_say_at_once() {
        let mut net = Net::new(Secrets::from_seed(&[1; 32]).build_hasher());
        let config = |name: &str, mtu: usize, last: u8| IfaceConfig {
            addresses: Cidr::new(address(last), 24).into_iter().collect(),
            ..IfaceConfig::new(name, mtu)
        };
        let first = net.add_interface(config("eth0", 1500, 1));
        let second = net.add_interface(IfaceConfig::new("eth1", 1400));
        let now = Instant::from_secs(1);
        let way = |net: &Net, now: Instant| net.way(now, address(9), None).map(|way| (way.iface, way.mtu));
        assert_eq!(way(&net, now), Ok((first, 1500)));
        assert_eq!(net.way(now, address(9), Some(second)).map(|way| way.iface), Ok(second));
        assert_eq!(way(&net, now), Ok((first, 1500)));
        net.learn_mtu(now, address(9), 1300);
        assert_eq!(way(&net, now), Ok((first, 1300)));
        // RFC 8201 section 4: ten minutes.
        assert_eq!(way(&net, now + Duration::from_secs(599)), Ok((first, 1300)));
        assert_eq!(way(&net, now + Duration::from_secs(600)), Ok((first, 1500)));
        let host = Cidr::host(address(9));
        assert!(net.add_route(Route::on_link(host, second)).is_ok());
        let later = now + Duration::from_secs(601);
        assert_eq!(way(&net, later), Ok((second, 1400)));
        net.remove_route(host);
        assert_eq!(way(&net, later), Ok((first, 1500)));
        // The address has become the host's own.
        net.add_interface(config("eth2", 1500, 9));
        assert_eq!(way(&net, later).map(|(iface, _)| iface), Ok(IfaceId::LOOPBACK));
    }
}
