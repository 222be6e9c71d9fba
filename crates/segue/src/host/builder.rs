//! How a host is described: what is asked for, what is assumed, and what is refused with which words.
use core::net::IpAddr;
use std::io;
use std::sync::{Arc, Mutex};

use segue_link::Link;
use segue_stack::{Cidr, IfaceConfig, Route, Stack, StackConfig, TcpDecision};
use tokio::runtime::Handle;

use super::core::{Core, DecisionListener};
use super::driver::Driver;
use super::iface::Iface;
use super::timer::Timer;
use super::{Host, Shared};
use crate::error::invalid;

/// Where a host's secrets come from: initial sequence numbers, ports, hash keys.
///
/// By default 32 bytes from the operating system. A given seed makes them predictable: right for tests that repeat,
/// wrong for a host that strangers can reach. From a `u64` or from 32 bytes.
#[derive(Clone)]
pub struct Seed([u8; 32]);

impl From<[u8; 32]> for Seed {
    fn from(bytes: [u8; 32]) -> Seed {
        Seed(bytes)
    }
}

impl From<u64> for Seed {
    /// Spreads the number over 32 bytes (SplitMix64).
    fn from(number: u64) -> Seed {
        let mut bytes = [0; 32];
        let mut state = number;
        for chunk in bytes.chunks_exact_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes());
        }
        Seed(bytes)
    }
}

impl core::fmt::Debug for Seed {
    /// Secrets are not printed.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// One interface of a host: a link, addresses, routes.
#[must_use]
pub struct Interface {
    name: String,
    mtu: Option<usize>,
    addresses: Vec<Cidr>,
    routes: Vec<(Cidr, Option<IpAddr>)>,
    accept_any: bool,
    loopback_fallback: bool,
    link: Option<Box<dyn Link>>,
}

impl Interface {
    /// An interface with a name and nothing else. The name is for people and for [`Host::interface`].
    pub fn new(name: impl Into<String>) -> Interface {
        Interface {
            name: name.into(),
            mtu: None,
            addresses: Vec::new(),
            routes: Vec::new(),
            accept_any: false,
            loopback_fallback: false,
            link: None,
        }
    }

    /// The link that carries this interface's packets. Required.
    pub fn link(mut self, link: impl Link + 'static) -> Interface {
        self.link = Some(Box::new(link));
        self
    }

    /// An address of this host, with the prefix that is reachable directly.
    pub fn address(mut self, address: Cidr) -> Interface {
        self.addresses.push(address);
        self
    }

    /// The largest IP packet in bytes. Default, and upper bound: what the link carries. At least 68 (RFC 791 section 3.2);
    /// IPv6 needs 1280 (RFC 8200 section 5).
    pub fn mtu(mut self, mtu: usize) -> Interface {
        self.mtu = Some(mtu);
        self
    }

    /// Packets to these addresses leave here: through a router, or directly (`None`).
    pub fn route(mut self, destination: Cidr, via: Option<IpAddr>) -> Interface {
        self.routes.push((destination, via));
        self
    }

    /// Everything without a better route, IPv4 and IPv6, leaves here directly. What point-to-point links (a TUN device,
    /// a path to a gateway) want.
    pub fn default_route(self) -> Interface {
        self.route(Cidr::ANY_V4, None).route(Cidr::ANY_V6, None)
    }

    /// Takes packets to any address, as a gateway does. Default: only to its own. See [`Host::listen_any`].
    pub fn accept_any(mut self, yes: bool) -> Interface {
        self.accept_any = yes;
        self
    }

    /// Connections and datagrams to 127/8 and ::1 that nobody on this host waits for leave here. Default: they are
    /// refused, as on any host.
    pub fn loopback_fallback(mut self, yes: bool) -> Interface {
        self.loopback_fallback = yes;
        self
    }

    /// Adds the interface to a stack.
    fn attach(self, stack: &mut Stack) -> io::Result<Iface> {
        let Interface { name, mtu, addresses, routes, accept_any, loopback_fallback, link } = self;
        let Some(link) = link else {
            return Err(invalid(format!("interface {name} has no link: give it one with .link(…)")));
        };
        let capabilities = link.capabilities();
        let mtu = mtu.unwrap_or(capabilities.mtu);
        if mtu < 68 || mtu > capabilities.mtu {
            let most = capabilities.mtu;
            return Err(invalid(format!(
                "interface {name} cannot have an MTU of {mtu}: give 68 to {most}, which its link carries"
            )));
        }
        let mut config = IfaceConfig::new(name.clone(), mtu);
        config.addresses = addresses;
        config.gso_max = capabilities.gso_max;
        config.accept_any = accept_any;
        config.loopback_fallback = loopback_fallback;
        let id = stack.add_interface(config);
        for (destination, via) in routes {
            let route = Route { via, ..Route::on_link(destination, id) };
            stack.add_route(route).map_err(|error| invalid(error.to_string()))?;
        }
        Ok(Iface::new(id, name, accept_any, link))
    }
}

impl core::fmt::Debug for Interface {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Interface")
            .field("name", &self.name)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// Describes a [`Host`].
///
/// Most hosts have one interface, which the short methods (`address`, `mtu`, `link`, …) describe; it is called `eth0`.
/// Further ones come by [`interface`](HostBuilder::interface). A host without any has its loopback.
#[must_use = "a host exists once it is spawned"]
pub struct HostBuilder {
    seed: Option<Seed>,
    sysctls: Vec<(String, String)>,
    memory: Option<u64>,
    first: Option<Interface>,
    further: Vec<Interface>,
    decisions: Option<DecisionListener>,
}

impl core::fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HostBuilder")
            .field("seed", &self.seed)
            .field("sysctls", &self.sysctls)
            .field("first", &self.first)
            .field("further", &self.further)
            .finish_non_exhaustive()
    }
}

impl HostBuilder {
    pub(super) fn new() -> HostBuilder {
        HostBuilder { seed: None, sysctls: Vec::new(), memory: None, first: None, further: Vec::new(), decisions: None }
    }

    /// Is told what this host's connections decide about loss and congestion, in order ([`TcpDecision`]). Called under the
    /// host's lock: it must be quick and must not use the host. Default: nobody is told, and it costs nothing.
    pub fn on_decision(mut self, listener: impl FnMut(&TcpDecision) + Send + 'static) -> HostBuilder {
        self.decisions = Some(Box::new(listener));
        self
    }

    /// The source of the host's secrets. Default: the operating system's random numbers. See [`Seed`].
    pub fn seed(mut self, seed: impl Into<Seed>) -> HostBuilder {
        self.seed = Some(seed.into());
        self
    }

    /// Sets a sysctl by Linux's name, `net.ipv4.tcp_syn_retries` or short `tcp_syn_retries`, before the host starts.
    pub fn sysctl(mut self, name: impl Into<String>, value: impl ToString) -> HostBuilder {
        self.sysctls.push((name.into(), value.to_string()));
        self
    }

    /// Bytes of memory that the host may take in all: what waits in queues, sockets, half-open connections, fragments. At
    /// least 1 MiB. What does not fit is refused, and counted by reason; `tcp_mem` follows from it. Default: no bound.
    pub fn memory(mut self, bytes: u64) -> HostBuilder {
        self.memory = Some(bytes);
        self
    }

    /// Adds an interface.
    pub fn interface(mut self, interface: Interface) -> HostBuilder {
        self.further.push(interface);
        self
    }

    /// [`Interface::link`] of the first interface.
    pub fn link(self, link: impl Link + 'static) -> HostBuilder {
        self.change_first(|first| first.link(link))
    }

    /// [`Interface::address`] of the first interface.
    pub fn address(self, address: Cidr) -> HostBuilder {
        self.change_first(|first| first.address(address))
    }

    /// [`Interface::mtu`] of the first interface.
    pub fn mtu(self, mtu: usize) -> HostBuilder {
        self.change_first(|first| first.mtu(mtu))
    }

    /// [`Interface::route`] of the first interface.
    pub fn route(self, destination: Cidr, via: Option<IpAddr>) -> HostBuilder {
        self.change_first(|first| first.route(destination, via))
    }

    /// [`Interface::default_route`] of the first interface.
    pub fn default_route(self) -> HostBuilder {
        self.change_first(Interface::default_route)
    }

    /// [`Interface::accept_any`] of the first interface.
    pub fn accept_any(self, yes: bool) -> HostBuilder {
        self.change_first(|first| first.accept_any(yes))
    }

    /// [`Interface::loopback_fallback`] of the first interface.
    pub fn loopback_fallback(self, yes: bool) -> HostBuilder {
        self.change_first(|first| first.loopback_fallback(yes))
    }

    fn change_first(mut self, change: impl FnOnce(Interface) -> Interface) -> HostBuilder {
        let first = self.first.take().unwrap_or_else(|| Interface::new("eth0"));
        self.first = Some(change(first));
        self
    }

    /// Starts the host: its driver is a task on the current tokio runtime, which must have I/O enabled (`enable_io`).
    ///
    /// # Errors
    /// `InvalidInput` with what to change: an interface without a link or with a bad MTU, a route through a router of the
    /// other IP version, an unknown sysctl or a value out of range. `Other` outside a tokio runtime. Whatever the
    /// operating system says to a timer or to watching a link's descriptor.
    pub fn spawn(self) -> io::Result<Host> {
        let runtime = Handle::try_current().map_err(|_| {
            io::Error::other(
                "a host needs a tokio runtime to live on: spawn it inside one, or use segue::blocking::Host",
            )
        })?;
        let (host, driver) = self.prepare()?;
        runtime.spawn(driver);
        Ok(host)
    }

    /// The host and the future that drives it. To be called in the runtime that will run it.
    pub(crate) fn prepare(self) -> io::Result<(Host, Driver)> {
        let seed = match self.seed {
            Some(Seed(seed)) => seed,
            None => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(io::Error::other)?;
                seed
            }
        };
        let now = crate::clock::now();
        let uid = rustix::process::geteuid().as_raw();
        let mut stack = Stack::new(StackConfig { memory: self.memory, uid, ..StackConfig::new(seed) }, now);
        crate::clock::tell(&mut stack);
        for (name, value) in &self.sysctls {
            stack.set_sysctl(now, name, value).map_err(|error| invalid(error.to_string()))?;
        }
        let interfaces = self.first.into_iter().chain(self.further);
        let ifaces = interfaces.map(|interface| interface.attach(&mut stack)).collect::<io::Result<Vec<Iface>>>()?;
        let mut core = Core::new(stack, ifaces, Timer::new()?);
        if let Some(listener) = self.decisions {
            core.on_decision(listener);
        }
        let shared = Arc::new(Shared { core: Mutex::new(core) });
        let driver = Driver::new(shared.clone())?;
        Ok((Host::from_shared(shared), driver))
    }
}
