//! The hosts that a script can examine: Segue's stack in virtual time, this machine's kernel in real time.
//!
//! Decides what any host under test can be asked; how it does it is each one's. Everything goes through here that a script or
//! a fuzzer does: packets in, packets out with their times, system calls with raw arguments, settings, and the passing of time.
mod call;
mod change;
pub mod linux;
pub mod segue;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use segue_wire::{Instant, IpVersion, Packet};

pub use call::{Call, Control, Fd, Output, Returned, Shape};
pub use change::{LinkChange, OffloadChange, RouteAction, RouteChange, RouteMetric};
pub use linux::LinuxHost;
pub use segue::SegueHost;

/// What a host under test looks like to the network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Network {
    /// The host's own address.
    pub local: IpAddr,
    /// MTU of its one device, in bytes.
    pub mtu: u16,
}

impl Network {
    /// The IP version on the wire.
    pub fn version(&self) -> IpVersion {
        if self.local.is_ipv4() { IpVersion::V4 } else { IpVersion::V6 }
    }
}

/// Why a host cannot go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostError(pub String);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HostError {}

/// How far a call has come.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Progress {
    /// It has returned.
    Returned(Returned),
    /// It blocks; [`Host::take_returned`] tells when it returns.
    Blocked,
}

/// Why a wait is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Woken {
    /// A packet was sent, or the call that blocked has returned.
    ByEvent,
    /// It is as late as was asked for.
    ByTime,
}

/// A packet that the host sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When.
    pub at: Instant,
    /// The packet, or super-segment.
    pub packet: Packet,
}

/// How long to wait for what should not take time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For a packet whose time is not given.
    pub packet: Duration,
    /// For a call whose end is not given.
    pub call: Duration,
}

/// A host under test.
pub trait Host {
    /// The time now.
    fn now(&self) -> Instant;

    /// Begin a system call. One at a time can block.
    ///
    /// # Errors
    /// The host cannot make calls at all, or another one still blocks.
    fn begin(&mut self, call: Call) -> Result<Progress, HostError>;

    /// Make a call that never blocks and changes nothing (`getsockopt`, `getsockname`, `getpeername`), also while another one
    /// blocks.
    fn ask(&mut self, question: Call) -> Returned;

    /// What the call that blocked gave, once it has returned.
    fn take_returned(&mut self) -> Option<Returned>;

    /// End the call that blocks. It returns `EINTR`.
    fn interrupt(&mut self);

    /// Give the host a packet.
    ///
    /// # Errors
    /// The host cannot take any.
    fn inject(&mut self, packet: Packet) -> Result<(), HostError>;

    /// The next packet that the host has sent and that was not taken yet.
    fn next_sent(&mut self) -> Option<Sent>;

    /// Let time pass until `until`, or until there is something to take.
    ///
    /// # Errors
    /// The host cannot go on.
    fn wait(&mut self, until: Instant) -> Result<Woken, HostError>;

    /// The value of a sysctl.
    ///
    /// # Errors
    /// There is none of this name.
    fn sysctl(&mut self, name: &str) -> Result<String, HostError>;

    /// Set a sysctl.
    ///
    /// # Errors
    /// There is none of this name, or it does not take the value.
    fn set_sysctl(&mut self, name: &str, value: &str) -> Result<(), HostError>;

    /// Change a route. As Linux does it, the metrics that are not given are those of a new route.
    ///
    /// # Errors
    /// There is none, or it does not take the change.
    fn change_route(&mut self, change: &RouteChange) -> Result<(), HostError>;

    /// Change the device.
    ///
    /// # Errors
    /// It does not take the change.
    fn change_link(&mut self, change: &LinkChange) -> Result<(), HostError>;

    /// Change the queueing discipline, by the arguments of `tc`.
    ///
    /// # Errors
    /// There is none, or it does not take them.
    fn change_queue(&mut self, arguments: &[String]) -> Result<(), HostError>;

    /// Forget what was learned of peers: Fast Open cookies and metrics.
    ///
    /// # Errors
    /// The host cannot.
    fn forget_peers(&mut self) -> Result<(), HostError>;

    /// Make a file of zeros that [`Call::Open`] finds by this path. This machine's own files are not touched.
    ///
    /// # Errors
    /// The host cannot.
    fn make_file(&mut self, path: &str, length: u64) -> Result<(), HostError>;

    /// Change what is left to the device.
    ///
    /// # Errors
    /// The device does not take the change.
    fn change_offload(&mut self, change: OffloadChange) -> Result<(), HostError>;

    /// `struct tcp_info` of a connection that no descriptor stands for, if the host can tell.
    fn tcp_info_of(&mut self, local: SocketAddr, peer: SocketAddr) -> Option<Vec<u8>>;

    /// What the host's wall clock says at a time, since 1970: times in control messages are told in it.
    fn wall_time(&self, at: Instant) -> Duration;

    /// How much later than asked a timer of `delay` may run out by the host's design.
    fn timer_slack(&self, delay: Duration) -> Duration;

    /// How long to wait for what should not take time.
    fn patience(&self) -> Patience;
}
