//! User-mode NAT: what reaches the stack's gateway interface goes on as ordinary
//! sockets of this machine.
//!
//! A [`Gateway`] runs on a [`Host`] whose interface accepts any
//! destination. A TCP flow is connected on this machine first and answered inside
//! as that turned out; a UDP flow has a socket of its own for as long as it is
//! used; names are resolved as this machine resolves them, whatever nameserver a
//! program asks; `segue.test` is a host of test services that is always there.
//!
//! The gateway needs no privilege and changes nothing on the machine. It decides
//! nothing about TCP: both ends are sockets, one of Segue and one of the kernel.
//!
//! ```no_run
//! use segue::Host;
//! use segue_gateway::{Gateway, GatewayConfig};
//!
//! # fn example(link: impl segue::link::Link + 'static) -> Result<(), Box<dyn std::error::Error>> {
//! let mut host = Host::builder().link(link).accept_any(true).default_route();
//! let config = GatewayConfig::default();
//! for address in config.host_addresses() {
//!     host = host.address(address);
//! }
//! let gateway = Gateway::spawn(&host.spawn()?, config)?;
//! # drop(gateway);
//! # Ok(())
//! # }
//! ```

mod config;
mod datagram;
mod destination;
mod dial;
mod dns;
mod end;
mod inside;
mod nat;
mod ping;
mod relay;
mod report;
mod tcp;
pub mod test_host;
mod udp;

use std::io;
use std::sync::Arc;

use segue::Host;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

pub use config::{DnsMode, GatewayConfig};
pub use destination::Addresses;
pub use dns::{DnsConfig, GATEWAY_NAME, Lookup, Resolver, SystemResolver, TEST_HOST_NAME};
pub use nat::Timeouts;
pub use report::{Event, EventSink, GatewayStats, Refusal};

use dns::Dns;
use report::Report;
use test_host::TestHost;

/// A running gateway. Dropping it ends it: connections through it are closed, as
/// they are when a process ends.
///
/// Names are looked up on threads of the runtime's blocking pool, and a look-up
/// cannot be broken off: end a runtime with
/// [`shutdown_background`](tokio::runtime::Runtime::shutdown_background) to not
/// wait for an answer that nobody wants any more.
#[derive(Debug)]
#[must_use = "the gateway ends when this is dropped"]
pub struct Gateway {
    report: Report,
    _tasks: JoinSet<()>,
    _test_host: Option<TestHost>,
}

/// What the parts of a gateway share.
#[derive(Debug, Clone)]
struct Shared {
    config: Arc<GatewayConfig>,
    dns: Option<Arc<Dns>>,
    report: Report,
}

impl Gateway {
    /// Starts a gateway on the first interface of `host`.
    ///
    /// # Errors
    /// `EINVAL` when the interface does not accept any destination;
    /// `EADDRINUSE` when it has a gateway already, or a port of the test host is
    /// taken; `EADDRNOTAVAIL` when the test host's addresses are not the host's
    /// (see [`GatewayConfig::host_addresses`]); `Other` outside a tokio runtime.
    pub fn spawn(host: &Host, config: GatewayConfig) -> io::Result<Self> {
        Handle::try_current()
            .map_err(|_| io::Error::other("a gateway needs a tokio runtime: spawn it where the host was spawned"))?;
        let test_host = match config.test_host {
            Some(addresses) => Some(test_host::serve_at(host, &addresses.both())?),
            None => None,
        };
        let report = Report::new(config.events.clone());
        let dns = match &config.dns {
            DnsMode::Answer(dns) => {
                let dns = Dns::new(dns.clone(), config.addresses, config.test_host, report.clone());
                Some(Arc::new(dns))
            }
            DnsMode::PassOn => None,
        };
        let shared = Shared { config: Arc::new(config), dns, report: report.clone() };
        let mut tasks = JoinSet::new();
        tasks.spawn(tcp::run(host.listen_any()?, shared.clone()));
        tasks.spawn(udp::run(host.any_udp()?, shared.clone()));
        tasks.spawn(ping::run(host.any_icmp()?, shared));
        Ok(Self { report, _tasks: tasks, _test_host: test_host })
    }

    /// What it has done so far.
    pub fn stats(&self) -> GatewayStats {
        self.report.stats()
    }
}
