//! Linux TUN devices.
use crate::link::{Capabilities, Link, SendError, Wait};
use segue_wire::{Instant, Packet};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::task::Waker;

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Prefix {
    /// The address.
    pub address: IpAddr,
    /// Bits of the network part: 0 to 32, or 0 to 128 for IPv6.
    pub length: u8,
}

/// How a TUN device is set up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TunConfig {
    /// Name of the device, 1 to 15 bytes; `%d` in it is replaced by the first free number. Default `segue%d`.
    pub name: String,
    /// MTU in bytes, 68 to 65 535. Default 1500.
    pub mtu: usize,
    /// Addresses of the kernel's side, each with the prefix that is reached through the device. Default none.
    pub addresses: Vec<Prefix>,
    /// Further destinations that the kernel sends to the device. Default none.
    pub routes: Vec<Prefix>,
    /// Exchange super-segments and unfinished checksums with the kernel where it can. Default true.
    pub offload: bool,
}

impl Default for TunConfig {
    fn default() -> TunConfig {
        TunConfig { name: "segue%d".to_owned(), mtu: 1500, addresses: Vec::new(), routes: Vec::new(), offload: true }
    }
}

/// A TUN device of this machine. It disappears with this value, however the process ends.
pub struct TunLink {
    fd: OwnedFd,
    name: String,
    mtu: usize,
}

impl TunLink {
    /// Creates a device, sets it up as configured and brings it up.
    ///
    /// # Errors
    /// Each says what to do.
    pub fn create(_config: &TunConfig) -> io::Result<TunLink> {
        todo!()
    }

    /// Attaches to a persistent device that was set up before (`ip tuntap add … user …`); needs no privilege when it is the user's own.
    ///
    /// # Errors
    /// As [`TunLink::create`].
    pub fn attach(_name: &str, _offload: bool) -> io::Result<TunLink> {
        todo!()
    }

    /// The name of the device.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Link for TunLink {
    fn capabilities(&self) -> Capabilities {
        Capabilities { mtu: self.mtu, gso_max: 0, checksum: false }
    }
    fn send(&mut self, _now: Instant, _packet: Packet) -> Result<(), SendError> {
        todo!()
    }
    fn recv(&mut self, _now: Instant, _out: &mut Vec<Packet>, _budget: usize) -> io::Result<usize> {
        todo!()
    }
    fn next_deadline(&self) -> Option<Instant> {
        None
    }
    fn wait(&self) -> Wait<'_> {
        Wait::Fd(self.fd.as_fd())
    }
    fn set_waker(&mut self, _waker: Waker) {}
}
