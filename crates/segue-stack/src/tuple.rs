//! The name of a flow: both addresses and both ports.
use core::hash::{Hash, Hasher};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Local and remote end of a flow. IPv4 is always `IpAddr::V4` here, never v4-mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FourTuple {
    pub(crate) local: IpAddr,
    pub(crate) peer: IpAddr,
    pub(crate) local_port: u16,
    pub(crate) peer_port: u16,
}

/// Every segment is looked up: whole words, and not an address byte by byte.
impl Hash for FourTuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ports = u64::from(self.local_port) << 16 | u64::from(self.peer_port);
        match (self.local, self.peer) {
            (IpAddr::V4(local), IpAddr::V4(peer)) => {
                state.write_u64(u64::from(local.to_bits()) << 32 | u64::from(peer.to_bits()));
                state.write_u64(ports);
            }
            (local, peer) => {
                for address in [local, peer] {
                    let bits = match address {
                        IpAddr::V4(v4) => u128::from(v4.to_bits()),
                        IpAddr::V6(v6) => v6.to_bits(),
                    };
                    state.write_u64((bits >> 64) as u64);
                    state.write_u64(bits as u64);
                }
                state.write_u64(ports | 1 << 32);
            }
        }
    }
}

impl FourTuple {
    pub(crate) fn local_addr(&self) -> SocketAddr {
        SocketAddr::new(self.local, self.local_port)
    }

    pub(crate) fn peer_addr(&self) -> SocketAddr {
        SocketAddr::new(self.peer, self.peer_port)
    }
}

/// The addresses of a four-tuple in sixteen bytes, for entries of which there are many: those of IPv6 lie elsewhere.
#[derive(Debug)]
pub(crate) enum Ends {
    /// Local and remote.
    V4(Ipv4Addr, Ipv4Addr),
    Other(Box<(IpAddr, IpAddr)>),
}

impl Ends {
    pub(crate) fn of(tuple: &FourTuple) -> Ends {
        match (tuple.local, tuple.peer) {
            (IpAddr::V4(local), IpAddr::V4(peer)) => Ends::V4(local, peer),
            ends => Ends::Other(Box::new(ends)),
        }
    }

    /// With its ports again.
    pub(crate) fn tuple(&self, local_port: u16, peer_port: u16) -> FourTuple {
        let (local, peer) = match self {
            Ends::V4(local, peer) => (IpAddr::V4(*local), IpAddr::V4(*peer)),
            Ends::Other(ends) => **ends,
        };
        FourTuple { local, peer, local_port, peer_port }
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
