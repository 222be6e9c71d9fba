//! How a TUN device is to be set up, and which wishes make no sense.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::str::FromStr;

/// An address with the length of its network's prefix, written `10.7.0.1/24` or `fd00::1/64`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Prefix {
    /// The address.
    pub address: IpAddr,
    /// Bits of the network part: 0 to 32, or 0 to 128 for IPv6.
    pub length: u8,
}

impl Prefix {
    /// The longest prefix of the address's family.
    fn longest(&self) -> u8 {
        if self.address.is_ipv4() { 32 } else { 128 }
    }

    /// The address with all bits behind the prefix zero, as a route wants it.
    pub(crate) fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length.min(32))).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & mask).into())
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length.min(128))).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & mask).into())
            }
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.length <= self.longest() {
            return Ok(());
        }
        let longest = self.longest();
        Err(invalid(format!("{self} has a prefix that is too long; it must be 0 to {longest}")))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl FromStr for Prefix {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Prefix> {
        let parsed = text.split_once('/').and_then(|(address, length)| {
            Some(Prefix { address: address.parse().ok()?, length: length.parse().ok()? })
        });
        let prefix = parsed.ok_or_else(|| {
            invalid(format!("'{text}' is not an address with a prefix; write for example 10.7.0.1/24 or fd00::1/64"))
        })?;
        prefix.check()?;
        Ok(prefix)
    }
}

/// How a TUN device is set up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TunConfig {
    /// Name of the device, 1 to 15 bytes; `%d` in it is replaced by the first free number. Default `segue%d`.
    pub name: String,
    /// MTU in bytes, 68 to 65 535; at least 1280 with an IPv6 address. Default 1500.
    pub mtu: usize,
    /// Addresses of the kernel's side, each with the prefix that is reached through the device. Default none.
    pub addresses: Vec<Prefix>,
    /// Further destinations that the kernel sends to the device. Default none.
    pub routes: Vec<Prefix>,
    /// Exchange super-segments and unfinished checksums with the kernel, as far as it can. Default true.
    pub offload: bool,
}

impl Default for TunConfig {
    fn default() -> TunConfig {
        TunConfig { name: "segue%d".to_owned(), mtu: 1500, addresses: Vec::new(), routes: Vec::new(), offload: true }
    }
}

impl TunConfig {
    /// Refuses what no kernel would take, in words.
    pub(crate) fn check(&self) -> io::Result<()> {
        check_name(&self.name)?;
        if !(68..=65_535).contains(&self.mtu) {
            return Err(invalid(format!("an MTU of {} is out of range; it must be 68 to 65535 bytes", self.mtu)));
        }
        for prefix in self.addresses.iter().chain(&self.routes) {
            prefix.check()?;
            if prefix.address.is_ipv6() && self.mtu < 1280 {
                let mtu = self.mtu;
                return Err(invalid(format!(
                    "{prefix} needs an MTU of at least 1280 bytes, as IPv6 does; it is {mtu}"
                )));
            }
        }
        Ok(())
    }
}

/// Longest name that an interface may have, in bytes.
const NAME_MAX: usize = 15;

pub(crate) fn check_name(name: &str) -> io::Result<()> {
    if name.len() > NAME_MAX {
        let len = name.len();
        return Err(invalid(format!("'{name}' is too long for a device: {len} bytes, at most {NAME_MAX}")));
    }
    let forbidden = |c: char| c == '/' || c == ':' || c == '\0' || c.is_whitespace();
    if name.is_empty() || name == "." || name == ".." || name.contains(forbidden) {
        return Err(invalid(format!(
            "'{name}' cannot be the name of a device; use 1 to {NAME_MAX} letters and digits, for example segue0"
        )));
    }
    Ok(())
}

pub(crate) fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
