//! Connections along a source route (RFC 9293 3.9.2.1, IPv4).
//!
//! Decides which route the segments of a connection take: the one its application asked for (`IP_OPTIONS`, MUST-51 and
//! MUST-52), or the one that leads back along the way on which its SYN came (MUST-53) or, if that changes, its newest
//! segment (SHLD-24). What a route looks like in a packet is `segue_wire::source_route`'s.
use core::net::IpAddr;

use segue_tcp::Instant;
use segue_wire::SourceRoute;

use crate::net::Way;
use crate::socket::Socket;
use crate::stack::{Result, Stack};
use crate::{Errno, IfaceId, SocketId};

/// The way that the packets of a socket take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RouteChoice {
    /// The network's.
    Direct,
    /// The application's (`IP_OPTIONS`).
    Asked(SourceRoute),
    /// Back along the way on which the peer's segments come.
    Learned(SourceRoute),
}

impl RouteChoice {
    pub(crate) fn route(&self) -> Option<&SourceRoute> {
        match self {
            RouteChoice::Direct => None,
            RouteChoice::Asked(route) | RouteChoice::Learned(route) => Some(route),
        }
    }
}

/// Where a packet to `peer` goes next.
pub(crate) fn next_stop(peer: IpAddr, route: Option<&SourceRoute>) -> IpAddr {
    match route {
        Some(route) if peer.is_ipv4() => IpAddr::V4(route.first_hop()),
        _ => peer,
    }
}

/// Bytes of IP options that a route takes from each packet.
pub(crate) fn route_len(peer: IpAddr, route: Option<&SourceRoute>) -> usize {
    route.filter(|_| peer.is_ipv4()).map_or(0, SourceRoute::options_len)
}

impl Stack {
    /// The way to `peer`, whose MTU is what is left beside the options.
    pub(crate) fn routed_way(
        &self,
        now: Instant,
        peer: IpAddr,
        pinned: Option<IfaceId>,
        route: Option<&SourceRoute>,
    ) -> Result<Way> {
        let way = self.net.way_without_source(now, next_stop(peer, route), pinned)?;
        Ok(Way { mtu: way.mtu.saturating_sub(route_len(peer, route)), ..way })
    }

    /// The route of the socket at an index.
    pub(crate) fn route_of(&self, index: u32) -> Option<SourceRoute> {
        self.sockets.at(index)?.common().rare().route.route().copied()
    }

    /// A connection that was opened along a route was told of another one.
    pub(crate) fn follow_route(&mut self, index: u32, route: SourceRoute) {
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        let RouteChoice::Learned(old) = stream.common.rare().route else { return };
        if old == route {
            return;
        }
        stream.common.rare_mut().route = RouteChoice::Learned(route);
    }

    /// `IP_OPTIONS`: a source route, or nothing. As Linux, for connections that exist from the next packet on.
    pub(crate) fn set_ip_options(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let route = match value.iter().all(|byte| *byte == 0) {
            true => RouteChoice::Direct,
            false => RouteChoice::Asked(SourceRoute::from_request(value).ok_or(Errno::EINVAL)?),
        };
        self.live_mut(id)?.common_mut().rare_mut().route = route;
        Ok(())
    }

    /// What `IP_OPTIONS` has.
    pub(crate) fn ip_options(&self, id: SocketId) -> Result<Vec<u8>> {
        let route = self.live(id)?.common().rare().route;
        Ok(route.route().map_or(Vec::new(), |route| {
            let (bytes, len) = route.to_request();
            bytes[..len].to_vec()
        }))
    }
}
