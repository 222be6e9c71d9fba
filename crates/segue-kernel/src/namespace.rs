//! A private network: a namespace, its device, its settings.
//!
//! Decides what is in it and how it is reached: through one thread that lives in it, so that the caller's own network is never
//! touched. It has no name; the kernel ends it when the thread, the device and all sockets are gone.
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use segue_link::{Link, NetNamespace, Prefix, SendError, TunConfig, TunLink};
use segue_wire::{Instant, Packet};

use crate::caller::Caller;
use crate::clock::Clock;
use crate::diag;
use crate::sys;
use crate::tap::{Captured, Tap};

/// What a private network looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceConfig {
    /// Settings below `/proc/sys/net`, by their dotted names, written before there is a device. Those that this kernel does not
    /// have are left out. Default none.
    pub settings: Vec<(String, String)>,
    /// Name of the device. Default `tun0`.
    pub device: String,
    /// MTU in bytes. Default 1500.
    pub mtu: usize,
    /// Addresses of the kernel's side. Default none.
    pub addresses: Vec<Prefix>,
    /// What is reached through the device beside the addresses' prefixes. Default everything.
    pub routes: Vec<Prefix>,
}

impl Default for NamespaceConfig {
    fn default() -> NamespaceConfig {
        let every = |address: IpAddr| Prefix { address, length: 0 };
        let routes = vec![every([0, 0, 0, 0].into()), every([0u16; 8].into())];
        NamespaceConfig { settings: Vec::new(), device: "tun0".into(), mtu: 1500, addresses: Vec::new(), routes }
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// A network namespace with one TUN device. Dropping it ends all that is in it.
pub struct Namespace {
    clock: Clock,
    device: String,
    tun: TunLink,
    tap: Tap,
    jobs: Option<Sender<Job>>,
    join: Option<std::thread::JoinHandle<()>>,
}

impl Namespace {
    /// Makes one. Needs `CAP_NET_ADMIN` and `CAP_SYS_ADMIN`, in a user namespace if need be ([`become_namespace_root`]), and
    /// `/dev/net/tun`.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    pub fn open(config: &NamespaceConfig, clock: Clock) -> io::Result<Namespace> {
        let (jobs, queue) = channel::<Job>();
        let (tell, told) = channel();
        let config = config.clone();
        let device = config.device.clone();
        let work = move || {
            let made = set_up(&config);
            let is_made = made.is_ok();
            if tell.send(made).is_ok() && is_made {
                queue.iter().for_each(|job| job());
            }
        };
        let join = std::thread::Builder::new().name("segue-network".into()).spawn(work)?;
        let (tun, tap) = told.recv().map_err(|_| io::Error::other("the network's thread did not start"))??;
        Ok(Namespace { clock, device, tun, tap, jobs: Some(jobs), join: Some(join) })
    }

    /// Does something in the namespace, and waits for it.
    ///
    /// # Errors
    /// The network's thread is gone: an earlier job panicked.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let gone = || io::Error::other("the network's thread is gone");
        let (tell, told) = channel();
        let work = move || _ = tell.send(job());
        self.jobs.as_ref().ok_or_else(gone)?.send(Box::new(work)).map_err(|_| gone())?;
        told.recv().map_err(|_| gone())
    }

    /// A thread in the namespace for calls that may block.
    ///
    /// # Errors
    /// No thread or no descriptor is to be had.
    pub fn caller<R: Send + 'static>(&self) -> io::Result<Caller<R>> {
        let clock = self.clock;
        self.run(move || Caller::start(clock))?
    }

    /// The time now, on the clock that captured packets are stamped with.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Gives the kernel a packet. What it answers at once has been captured when this returns.
    ///
    /// # Errors
    /// The device is gone, or the kernel refuses the packet as such.
    pub fn inject(&mut self, packet: Packet) -> io::Result<()> {
        match self.tun.send(self.clock.now(), packet) {
            Ok(()) => Ok(()),
            Err(SendError::Io(error)) => Err(error),
            Err(_) => Err(io::Error::new(io::ErrorKind::WouldBlock, "the device takes no packet now")),
        }
    }

    /// The next packet that the kernel sent; `None` when there is none now.
    ///
    /// # Errors
    /// The device is gone.
    pub fn next_captured(&mut self) -> io::Result<Option<Captured>> {
        let captured = self.tap.next(&self.clock)?;
        if captured.is_some() {
            self.empty_the_device()?;
        }
        Ok(captured)
    }

    /// The tap has seen what waits in the device; a full device would look like a congested one.
    fn empty_the_device(&mut self) -> io::Result<()> {
        let mut thrown_away = Vec::new();
        while self.tun.recv(Instant::ZERO, &mut thrown_away, 64)? == 64 {
            thrown_away.clear();
        }
        Ok(())
    }

    /// Waits until a packet was sent, a call of `caller` has returned, or the time is over.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait<R: Send + 'static>(&self, caller: &Caller<R>, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(self.clock.now());
        sys::wait_readable([self.tap.fd(), caller.bell()], left.min(Duration::from_secs(3600))).map(drop)
    }

    /// Reads a setting below `/proc/sys/net`, by its dotted name.
    ///
    /// # Errors
    /// There is no such setting, or the name is not below `net`.
    pub fn sysctl(&self, name: &str) -> io::Result<String> {
        let path = sysctl_path(name)?;
        self.run(move || std::fs::read_to_string(path))?.map(|text| text.trim().to_owned())
    }

    /// Writes a setting below `/proc/sys/net`. It changes this namespace only: the settings of the machine as a whole cannot be
    /// written from one.
    ///
    /// # Errors
    /// There is no such setting, the value is refused, or the name is not below `net`.
    pub fn set_sysctl(&self, name: &str, value: &str) -> io::Result<()> {
        let path = sysctl_path(name)?;
        let value = value.to_owned();
        self.run(move || std::fs::write(path, value))?
    }

    /// `struct tcp_info` of a connection, also of one that no descriptor stands for; for half-open connections and TIME-WAIT its
    /// first byte only, the state.
    ///
    /// # Errors
    /// `NotFound`: there is no such connection; or the kernel cannot be asked.
    pub fn tcp_info(&self, local: SocketAddr, peer: SocketAddr) -> io::Result<Vec<u8>> {
        self.run(move || diag::tcp_info(local, peer))?
    }

    /// Runs `ip` or `tc` in the namespace; the error is what it says.
    ///
    /// # Errors
    /// The program is missing or ends with another status than 0.
    pub fn tool(&self, program: Tool, arguments: &[String]) -> io::Result<()> {
        let name = program.name();
        let arguments = arguments.to_vec();
        let output = self.run(move || Command::new(name).args(arguments).stdin(Stdio::null()).output())?;
        let output = output.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(error.kind(), format!("{name} is not installed (iproute2)")),
            _ => error,
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("{name}: {}", said.trim().lines().next().unwrap_or("it failed"))))
    }

    /// Whether the kernel hands over super-segments (`tso`) and builds them (`gso`); what is `None` stays.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_offload(&self, tso: Option<bool>, gso: Option<bool>) -> io::Result<()> {
        let device = self.device.clone();
        self.run(move || sys::set_offload(&device, tso, gso))?
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(join) = self.join.take() {
            _ = join.join();
        }
    }
}

/// Programs that may be run in a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tool {
    /// `ip` of iproute2.
    Ip,
    /// `tc` of iproute2.
    Tc,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Tool::Ip => "ip",
            Tool::Tc => "tc",
        }
    }
}

fn sysctl_path(name: &str) -> io::Result<String> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if !is_plain || name.contains("..") || !name.starts_with("net.") {
        let message = format!("`{name}` is no setting of a network: its name starts with net.");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(format!("/proc/sys/{}", name.replace('.', "/")))
}

fn set_up(config: &NamespaceConfig) -> io::Result<(TunLink, Tap)> {
    NetNamespace::unnamed().and_then(|made| made.enter()).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => io::Error::new(
            error.kind(),
            "a network namespace cannot be made: be root, or allow unprivileged user namespaces",
        ),
        _ => error,
    })?;
    for (name, value) in &config.settings {
        match std::fs::write(sysctl_path(name)?, value) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io::Error::new(error.kind(), format!("{name} = {value}: {error}")));
            }
            _ => {}
        }
    }
    sys::set_loopback_up()?;
    let tun = TunLink::create(&TunConfig {
        name: config.device.clone(),
        mtu: config.mtu,
        addresses: config.addresses.clone(),
        routes: config.routes.clone(),
        offload: true,
    })?;
    let tap = Tap::open(tun.name())?;
    config.addresses.iter().try_for_each(|prefix| wait_until_local(prefix.address))?;
    Ok((tun, tap))
}

/// The kernel makes the route of an IPv6 address of its own later, in a thread of its own. Before that the address is nobody's.
fn wait_until_local(address: IpAddr) -> io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let IpAddr::V6(address) = address else { return Ok(()) };
    let route = format!("{:032x} 80 ", u128::from(address));
    let started = std::time::Instant::now();
    while !std::fs::read_to_string("/proc/thread-self/net/ipv6_route")?.lines().any(|line| line.starts_with(&route)) {
        if started.elapsed() > PATIENCE {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("{address} did not become an address of the device"),
            ));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Makes this process root of a user namespace of its own, so that it may make network namespaces. It must have one thread
/// only: call it first thing in `main`.
///
/// # Errors
/// User namespaces are not allowed here, or there are other threads already.
pub fn become_namespace_root() -> io::Result<()> {
    let ids = std::fs::read_to_string("/proc/self/status")?;
    let id = |key: &str| -> Option<u32> {
        ids.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().nth(1)?.parse().ok()
    };
    let unknown = || io::Error::other("/proc/self/status does not say who runs this process");
    let (user, group) = (id("Uid:").ok_or_else(unknown)?, id("Gid:").ok_or_else(unknown)?);
    let mut entered = sys::enter_new_user_and_network();
    // A thread that was joined may still be on its way out.
    for _ in 0..20 {
        if !entered.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::InvalidInput) {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
        entered = sys::enter_new_user_and_network();
    }
    entered.map_err(|error| {
        io::Error::new(error.kind(), format!("a user namespace cannot be made ({error}): run this as root instead"))
    })?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// Whether namespaces with a device can be made here; the error says what is missing.
///
/// # Errors
/// As [`Namespace::open`].
pub fn can_make_namespaces() -> io::Result<()> {
    Namespace::open(&NamespaceConfig::default(), Clock::new()).map(drop)
}
