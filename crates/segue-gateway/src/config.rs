//! What a gateway can be told.

use segue::Cidr;

use crate::destination::Addresses;
use crate::dns::DnsConfig;
use crate::nat::Timeouts;
use crate::report::EventSink;

/// What happens to flows to port 53.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum DnsMode {
    /// The gateway answers them, whatever address they are for.
    Answer(DnsConfig),
    /// They are flows like any other.
    PassOn,
}

/// How a gateway behaves. The default is what `segue run` uses.
#[derive(Clone)]
#[non_exhaustive]
pub struct GatewayConfig {
    /// The gateway's own addresses, which mean this machine's loopback.
    /// Default: [`Addresses::GATEWAY`].
    pub addresses: Addresses,
    /// Default: the gateway answers.
    pub dns: DnsMode,
    /// The addresses of the test host, if there is one.
    /// Default: [`Addresses::TEST_HOST`].
    pub test_host: Option<Addresses>,
    /// TCP flows open at a time, those being connected among them; one more is
    /// refused. Each needs a descriptor. Default: 16384.
    pub max_tcp_flows: usize,
    /// Connections being made at a time; further ones wait for their turn.
    /// Default: 1024.
    pub max_dials: usize,
    /// UDP flows remembered at a time; for one more, the one nearest to its end
    /// is forgotten. Each needs a descriptor. Default: 1024.
    pub max_udp_flows: usize,
    /// How long UDP flows without datagrams are remembered.
    pub udp_timeouts: Timeouts,
    /// Pings of different programs to different hosts on their way at a time.
    /// Default: 256.
    pub max_pings: usize,
    /// Where to tell what was refused and why. Default: nowhere.
    pub events: Option<EventSink>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            addresses: Addresses::GATEWAY,
            dns: DnsMode::Answer(DnsConfig::default()),
            test_host: Some(Addresses::TEST_HOST),
            max_tcp_flows: 16_384,
            max_dials: 1024,
            max_udp_flows: 1024,
            udp_timeouts: Timeouts::default(),
            max_pings: 256,
            events: None,
        }
    }
}

impl GatewayConfig {
    /// The addresses that the gateway's host must have: its own, in networks of
    /// 24 and 64 bits, and those of the test host.
    pub fn host_addresses(&self) -> Vec<Cidr> {
        let Addresses { v4, v6 } = self.addresses;
        // 24 and 64 are lengths that each family has.
        let own = [(v4.into(), 24), (v6.into(), 64)]
            .into_iter()
            .filter_map(|(address, length)| Cidr::new(address, length).ok());
        let test_host = self.test_host.into_iter().flat_map(|host| host.both());
        own.chain(test_host.map(Cidr::host)).collect()
    }
}

impl std::fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayConfig")
            .field("addresses", &self.addresses)
            .field("dns", &self.dns)
            .field("test_host", &self.test_host)
            .field("max_tcp_flows", &self.max_tcp_flows)
            .field("max_dials", &self.max_dials)
            .field("max_udp_flows", &self.max_udp_flows)
            .field("udp_timeouts", &self.udp_timeouts)
            .field("max_pings", &self.max_pings)
            .finish_non_exhaustive()
    }
}
