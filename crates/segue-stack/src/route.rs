//! Where a packet goes next: the longest-prefix table, for IPv4 and IPv6.
//!
//! Decides which route holds an address; does not decide source addresses or neighbours.
//! One hash table per prefix length that occurs, tried from the longest to the shortest: a lookup costs one probe per
//! *different* prefix length (a handful in practice, 33 or 129 at the very most), whatever the number of routes.
//! RFC 1812 5.2.4.3 (longest match).
//! Invariant: keys are network addresses with the host part cleared; a table without routes is removed.
use core::fmt;
use core::hash::BuildHasherDefault;
use core::net::IpAddr;
use core::num::NonZeroU32;

use hashbrown::HashMap;
use siphasher::sip::SipHasher13;

use crate::cidr::Cidr;

/// Names an interface of one stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IfaceId(NonZeroU32);

impl IfaceId {
    /// The interface that was added as the one with this index.
    pub(crate) const fn at(index: usize) -> IfaceId {
        match NonZeroU32::new(index as u32 + 1) {
            Some(number) => IfaceId(number),
            None => IfaceId(NonZeroU32::MIN),
        }
    }

    /// The number that Linux would give it: loopback 1.
    pub(crate) const fn number(self) -> u32 {
        self.0.get()
    }

    /// The interface with this number; `None` for 0, which stands for any.
    pub(crate) const fn from_number(number: u32) -> Option<IfaceId> {
        match NonZeroU32::new(number) {
            Some(number) => Some(IfaceId(number)),
            None => None,
        }
    }

    /// The interface's number, counted from 0 (loopback) in the order in which interfaces were added.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Where packets to a block of addresses go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The addresses the route is for; the host part is ignored.
    pub destination: Cidr,
    /// The router to hand the packet to; `None`: the destination is on the link itself. Same family as `destination`.
    pub via: Option<IpAddr>,
    /// The interface the packet leaves by.
    pub iface: IfaceId,
    /// Largest packet for this destination in bytes; `None`: the interface's MTU.
    pub mtu: Option<u32>,
    /// Initial congestion window in segments of connections over this route; `None`: the stack's (10).
    pub initcwnd: Option<u32>,
    /// The feature `ecn` of `ip route`: connections over this route ask for ECN and grant it (RFC 3168), also when
    /// `tcp_ecn` does not say so.
    pub ecn: bool,
}

impl Route {
    /// A route to destinations on the link of `iface` itself.
    pub fn on_link(destination: Cidr, iface: IfaceId) -> Route {
        Route { destination, via: None, iface, mtu: None, initcwnd: None, ecn: false }
    }
}

/// Why a route was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// `via` is of another family than the destination.
    FamilyMismatch {
        /// The destination of the refused route.
        destination: Cidr,
        /// Its router.
        via: IpAddr,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RouteError::FamilyMismatch { destination, via } => {
                let family = if destination.is_ipv4() { "IPv4" } else { "IPv6" };
                write!(f, "the router {via} cannot serve {destination}: give an {family} router")
            }
        }
    }
}

impl core::error::Error for RouteError {}

/// All routes of a stack.
#[derive(Debug, Default)]
pub(crate) struct RouteTable {
    v4: Family,
    v6: Family,
}

/// Tables by prefix length, longest first.
#[derive(Debug, Default)]
struct Family(Vec<SamePrefix>);

#[derive(Debug)]
struct SamePrefix {
    prefix: u8,
    // No secret key: routes come from the owner of the stack, and a stranger's address can only be looked up.
    routes: HashMap<IpAddr, Route, BuildHasherDefault<SipHasher13>>,
}

impl RouteTable {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a route; one for the same destination is replaced and returned.
    pub(crate) fn insert(&mut self, route: Route) -> Result<Option<Route>, RouteError> {
        if let Some(via) = route.via
            && via.is_ipv4() != route.destination.is_ipv4()
        {
            return Err(RouteError::FamilyMismatch { destination: route.destination, via });
        }
        let destination = route.destination.network();
        let route = Route { destination, ..route };
        let tables = &mut self.family_mut(route.destination.address()).0;
        let at = match tables.binary_search_by(|table| destination.prefix().cmp(&table.prefix)) {
            Ok(at) => at,
            Err(at) => {
                tables.insert(at, SamePrefix { prefix: destination.prefix(), routes: HashMap::default() });
                at
            }
        };
        Ok(tables[at].routes.insert(destination.address(), route))
    }

    /// Removes the route for exactly this destination block.
    pub(crate) fn remove(&mut self, destination: Cidr) -> Option<Route> {
        let destination = destination.network();
        let tables = &mut self.family_mut(destination.address()).0;
        let at = tables.binary_search_by(|table| destination.prefix().cmp(&table.prefix)).ok()?;
        let removed = tables[at].routes.remove(&destination.address());
        if tables[at].routes.is_empty() {
            tables.remove(at);
        }
        removed
    }

    /// The route with the longest prefix that holds `address`; `None`: the network is unreachable.
    pub(crate) fn lookup(&self, address: IpAddr) -> Option<&Route> {
        let tables = if address.is_ipv4() { &self.v4.0 } else { &self.v6.0 };
        tables.iter().find_map(|table| {
            let key = Cidr::new(address, table.prefix).ok()?.network().address();
            table.routes.get(&key)
        })
    }

    /// All routes: IPv4 before IPv6, longest prefixes first, in no particular order within a prefix length.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.v4.0.iter().chain(&self.v6.0).flat_map(|table| table.routes.values())
    }

    fn family_mut(&mut self, address: IpAddr) -> &mut Family {
        if address.is_ipv4() { &mut self.v4 } else { &mut self.v6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};
    use proptest::prelude::*;

    fn route(destination: &str, iface: u32) -> Route {
        Route::on_link(destination.parse().unwrap(), IfaceId::at(iface as usize))
    }

    fn table(routes: &[(&str, u32)]) -> RouteTable {
        let mut table = RouteTable::new();
        for (destination, iface) in routes {
            assert_eq!(table.insert(route(destination, *iface)), Ok(None));
        }
        table
    }

    fn iface(table: &RouteTable, address: &str) -> Option<u32> {
        table.lookup(address.parse().unwrap()).map(|route| route.iface.index() as u32)
    }

    #[test]
    fn the_longest_prefix_that_holds_the_address_wins() {
        let table = table(&[("0.0.0.0/0", 1), ("10.0.0.0/8", 2), ("10.1.0.0/16", 3), ("10.1.2.3/32", 4)]);
        assert_eq!(iface(&table, "10.1.2.3"), Some(4));
        assert_eq!(iface(&table, "10.1.2.4"), Some(3));
        assert_eq!(iface(&table, "10.2.0.0"), Some(2));
        assert_eq!(iface(&table, "11.0.0.0"), Some(1));
    }

    #[test]
    fn families_do_not_mix_and_no_route_is_no_answer() {
        let mixed = table(&[("0.0.0.0/0", 1), ("fd00::/8", 2)]);
        assert_eq!(iface(&mixed, "fd12::1"), Some(2));
        assert_eq!(iface(&mixed, "2001:db8::1"), None);
        assert_eq!(iface(&table(&[("::/0", 1)]), "1.2.3.4"), None);
    }

    #[test]
    fn a_route_for_the_same_block_replaces_the_old_one_whatever_its_host_part() {
        let mut table = table(&[("10.0.0.0/8", 1)]);
        assert_eq!(table.insert(route("10.9.9.9/8", 2)), Ok(Some(route("10.0.0.0/8", 1))));
        assert_eq!(iface(&table, "10.0.0.1"), Some(2));
        assert_eq!(table.remove("10.1.1.1/8".parse().unwrap()), Some(route("10.0.0.0/8", 2)));
        assert_eq!(iface(&table, "10.0.0.1"), None);
        assert_eq!(table.remove("10.0.0.0/8".parse().unwrap()), None);
    }

    #[test]
    fn a_router_of_the_other_family_is_refused_with_the_reason() {
        let mut table = RouteTable::new();
        let wrong = Route { via: Some(IpAddr::V6(Ipv6Addr::LOCALHOST)), ..route("10.0.0.0/8", 1) };
        let error = table.insert(wrong).unwrap_err();
        assert!(error.to_string().contains("give an IPv4 router"), "{error}");
        assert_eq!(table.iter().count(), 0);
    }

    #[test]
    fn a_lookup_probes_once_per_prefix_length_not_per_route() {
        let mut table = RouteTable::new();
        for n in 0..10_000u32 {
            let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | n << 8));
            table.insert(Route::on_link(Cidr::new(address, 24).unwrap(), IfaceId::at(n as usize))).unwrap();
        }
        assert_eq!(table.v4.0.len(), 1);
        assert_eq!(iface(&table, "10.0.255.9"), Some(255));
    }

    proptest! {
        #[test]
        fn the_table_agrees_with_a_walk_over_all_routes(
            blocks in prop::collection::vec((any::<u32>(), 0u8..=32), 0..60),
            removed in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
            address in any::<u32>(),
        ) {
            let mut table = RouteTable::new();
            let mut plain: Vec<Route> = Vec::new();
            for (n, (bits, prefix)) in blocks.iter().enumerate() {
                // Few distinct addresses, so that blocks nest and repeat.
                let address = IpAddr::V4(Ipv4Addr::from_bits(bits & 0xf0c0_8003));
                let new = Route::on_link(Cidr::new(address, *prefix).unwrap().network(), IfaceId::at(n));
                plain.retain(|old| old.destination != new.destination);
                plain.push(new.clone());
                table.insert(new).unwrap();
            }
            for index in removed {
                if !plain.is_empty() {
                    let gone = plain.swap_remove(index.index(plain.len()));
                    prop_assert_eq!(table.remove(gone.destination), Some(gone));
                }
            }
            let address = IpAddr::V4(Ipv4Addr::from_bits(address & 0xf0c0_8003));
            let best = plain.iter().filter(|r| r.destination.contains(address)).max_by_key(|r| r.destination.prefix());
            prop_assert_eq!(table.lookup(address), best);
            prop_assert_eq!(table.iter().count(), plain.len());
        }
    }
}
