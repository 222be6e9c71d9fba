//! Where a flow goes that reached the gateway: a pure function of its
//! destination address and the gateway's own addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A pair of addresses that one of the gateway's own machines answers on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The IPv4 address.
    pub v4: Ipv4Addr,
    /// The IPv6 address.
    pub v6: Ipv6Addr,
}

impl Addresses {
    /// The gateway of a `segue run`: 198.18.0.1 and fd53:6567:7565::1
    /// (198.18.0.0/15 is set aside for measuring networks, RFC 2544).
    pub const GATEWAY: Self =
        Self { v4: Ipv4Addr::new(198, 18, 0, 1), v6: Ipv6Addr::new(0xfd53, 0x6567, 0x7565, 0, 0, 0, 0, 1) };
    /// The test host `segue.test`: 198.18.0.10 and fd53:6567:7565::10.
    pub const TEST_HOST: Self =
        Self { v4: Ipv4Addr::new(198, 18, 0, 10), v6: Ipv6Addr::new(0xfd53, 0x6567, 0x7565, 0, 0, 0, 0, 0x10) };

    /// Whether `address` is one of the two.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => v4 == self.v4,
            IpAddr::V6(v6) => v6 == self.v6,
        }
    }

    /// Both, IPv4 first.
    pub fn both(&self) -> [IpAddr; 2] {
        [self.v4.into(), self.v6.into()]
    }
}

/// Where a flow continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// An ordinary socket of this machine, connected to this address.
    Host(SocketAddr),
    /// The test host, on a port where it serves nothing.
    TestHost,
    /// Nowhere: not an address that one socket can be connected to.
    Nowhere,
}

impl Destination {
    /// Where a flow to `to` continues.
    pub(crate) fn of(to: SocketAddr, gateway: Addresses, test_host: Option<Addresses>) -> Self {
        let address = to.ip();
        if gateway.contains(address) {
            let loopback = match address {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            };
            return Self::Host(SocketAddr::new(loopback, to.port()));
        }
        if test_host.is_some_and(|host| host.contains(address)) {
            return Self::TestHost;
        }
        if is_one_machine(address) && to.port() != 0 {
            // Loopback among them: 127.0.0.53 inside is 127.0.0.53 outside.
            return Self::Host(SocketAddr::new(address, to.port()));
        }
        Self::Nowhere
    }
}

/// Not a group, not everybody, not nobody.
fn is_one_machine(address: IpAddr) -> bool {
    match address {
        // RFC 1122 3.2.1.3: network 0 and limited broadcast are no destinations.
        IpAddr::V4(v4) => !(v4.is_multicast() || v4.is_broadcast() || v4.octets()[0] == 0),
        IpAddr::V6(v6) => {
            // RFC 4291 2.5.2, 2.7. A link-local address needs a zone, and the
            // zone inside means nothing outside. A mapped address would leave
            // as IPv4 under the name of IPv6.
            !(v6.is_multicast() || v6.is_unspecified() || v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(to: &str) -> Destination {
        let to = to.parse().unwrap();
        Destination::of(to, Addresses::GATEWAY, Some(Addresses::TEST_HOST))
    }

    fn host(to: &str) -> Destination {
        Destination::Host(to.parse().unwrap())
    }

    #[test]
    fn the_gateways_own_addresses_mean_this_machines_loopback() {
        assert_eq!(of("198.18.0.1:8080"), host("127.0.0.1:8080"));
        assert_eq!(of("[fd53:6567:7565::1]:8080"), host("[::1]:8080"));
    }

    #[test]
    fn loopback_destinations_stay_what_they_are() {
        assert_eq!(of("127.0.0.1:5432"), host("127.0.0.1:5432"));
        assert_eq!(of("127.0.0.53:853"), host("127.0.0.53:853"));
        assert_eq!(of("[::1]:80"), host("[::1]:80"));
    }

    #[test]
    fn the_test_hosts_addresses_never_leave() {
        assert_eq!(of("198.18.0.10:8080"), Destination::TestHost);
        assert_eq!(of("[fd53:6567:7565::10]:22"), Destination::TestHost);
        let to = "198.18.0.10:22".parse().unwrap();
        assert_eq!(Destination::of(to, Addresses::GATEWAY, None), Destination::Host(to));
    }

    #[test]
    fn everything_else_keeps_its_address() {
        assert_eq!(of("192.0.2.7:443"), host("192.0.2.7:443"));
        assert_eq!(of("[2001:db8::7]:443"), host("[2001:db8::7]:443"));
    }

    #[test]
    fn groups_and_placeholders_lead_nowhere() {
        for to in [
            "224.0.0.251:5353",
            "255.255.255.255:67",
            "0.0.0.0:80",
            "0.1.2.3:80",
            "[ff02::fb]:5353",
            "[::]:80",
            "[fe80::1]:80",
            "[::ffff:127.0.0.1]:80",
            "192.0.2.7:0",
        ] {
            assert_eq!(of(to), Destination::Nowhere, "{to}");
        }
    }
}
