//! What a program hands over as bytes, read as the supervisor reads it, but without a program: for the fuzzer.
//!
//! The program may be anybody's. Nothing that it writes may make the supervisor, which serves others too, panic, answer
//! beyond what was asked, or answer without end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use segue::Domain;
use segue_stack::IfaceTraffic;

use crate::address::{self, Given};
use crate::calls::{file, interface};
use crate::route::{Interface, Way, messages};

/// The interfaces and routes of a host like that of a run.
fn host() -> ([Interface; 2], [Way; 4]) {
    let (v4, v6) = (Ipv4Addr::new(198, 18, 0, 2), Ipv6Addr::new(0xfd53, 0, 0, 0, 0, 0, 0, 2));
    let interface = |number, name: &str, mtu, addresses| Interface {
        number,
        name: name.to_owned(),
        mtu,
        is_loopback: number == 1,
        addresses,
        traffic: IfaceTraffic::default(),
    };
    let way = |network, prefix, via| Way { network, prefix, via, out: 2 };
    (
        [
            interface(1, "lo", 65536, vec![(Ipv4Addr::LOCALHOST.into(), 8), (Ipv6Addr::LOCALHOST.into(), 128)]),
            interface(2, "eth0", 1500, vec![(IpAddr::V4(v4), 24), (IpAddr::V6(v6), 64)]),
        ],
        [
            way(Ipv4Addr::new(198, 18, 0, 0).into(), 24, None),
            way(Ipv4Addr::UNSPECIFIED.into(), 0, Some(Ipv4Addr::new(198, 18, 0, 1).into())),
            way(Ipv6Addr::new(0xfd53, 0, 0, 0, 0, 0, 0, 0).into(), 64, None),
            way(Ipv6Addr::UNSPECIFIED.into(), 0, None),
        ],
    )
}

/// The datagrams that answer a datagram of rtnetlink requests.
pub fn rtnetlink(requests: &[u8], port: u32) -> Vec<Vec<u8>> {
    let (interfaces, ways) = host();
    messages::replies(requests, port, &interfaces, &ways)
}

/// The datagrams that answer a datagram of requests about sockets (NETLINK_SOCK_DIAG).
pub fn sock_diag(requests: &[u8], port: u32) -> Vec<Vec<u8>> {
    messages::refusals(requests, port, libc::ENOENT)
}

/// What an ioctl(2) about an interface writes into its `struct ifreq`, and where; or its errno.
pub fn interface_request(request: u32, raw: &[u8]) -> Result<(usize, Vec<u8>), i32> {
    interface::answer(request, raw, &host().0)
}

/// Length of a `struct ifreq`.
pub const INTERFACE_REQUEST: usize = interface::REQUEST;

/// A socket address; `None`: AF_UNSPEC.
pub fn address(raw: &[u8], domain: Domain) -> Result<Option<SocketAddr>, i32> {
    match address::parse(raw, domain)? {
        Given::Internet(address) => Ok(Some(address)),
        Given::Unspecified => Ok(None),
    }
}

/// An address as a socket shows it.
pub fn shown(address: SocketAddr, domain: Domain) -> Vec<u8> {
    address::emit(address, domain)
}

/// Which of the stack's files a path means.
pub fn proc_net(path: &str) -> Option<&'static str> {
    file::file_of(path)
}
