//! The name of a flow: both addresses and both ports.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Local and remote end of a flow. IPv4 is always `IpAddr::V4` here, never v4-mapped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FourTuple {
    pub(crate) local: IpAddr,
    pub(crate) peer: IpAddr,
    pub(crate) local_port: u16,
    pub(crate) peer_port: u16,
}

impl FourTuple {
    pub(crate) fn local_addr(&self) -> SocketAddr {
        SocketAddr::new(self.local, self.local_port)
    }

    pub(crate) fn peer_addr(&self) -> SocketAddr {
        SocketAddr::new(self.peer, self.peer_port)
    }
}

/// The unspecified address of the same family.
pub(crate) fn unspecified_like(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// An address as a socket of the given family shows it: IPv4 is v4-mapped on `AF_INET6`.
pub(crate) fn shown(domain: crate::Domain, address: SocketAddr) -> SocketAddr {
    match (domain, address.ip()) {
        (crate::Domain::Inet6, IpAddr::V4(v4)) => SocketAddr::new(IpAddr::V6(v4.to_ipv6_mapped()), address.port()),
        _ => address,
    }
}
