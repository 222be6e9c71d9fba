//! Where a packet goes next: the longest-prefix table.
use core::net::IpAddr;

use crate::cidr::Cidr;

/// Names an interface of one stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IfaceId(pub(crate) u32);

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
}

/// Why a route was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// `via` is of another family than the destination.
    FamilyMismatch,
}

/// All routes of a stack.
#[derive(Debug, Default)]
pub struct RouteTable {}

impl RouteTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a route; one for the same destination is replaced and returned.
    pub fn insert(&mut self, route: Route) -> Result<Option<Route>, RouteError> {
        let _ = route;
        todo!()
    }
    /// Removes the route for exactly this destination block.
    pub fn remove(&mut self, destination: Cidr) -> Option<Route> {
        let _ = destination;
        todo!()
    }
    /// The route with the longest prefix that holds `address`.
    pub fn lookup(&self, address: IpAddr) -> Option<&Route> {
        let _ = address;
        todo!()
    }
    /// All routes, longest prefixes first.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        [].into_iter()
    }
}
