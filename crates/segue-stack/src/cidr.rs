//! Address blocks: an IP address with a prefix length, v4 or v6.
//!
//! Decides how a block is written and which addresses lie in it. The host part of the address is kept, because an
//! interface address (`10.0.0.1/24`) is written the same way as a route (`10.0.0.0/24`).
//! Invariant: the prefix is never longer than the address (32 or 128 bits).
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// An IP address with a prefix length in bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// A block from its parts. The prefix is 0–32 for IPv4 and 0–128 for IPv6; anything longer is an error.
    pub const fn new(address: IpAddr, prefix: u8) -> Result<Cidr, CidrError> {
        let longest = bits(address);
        if prefix > longest {
            return Err(CidrError::PrefixTooLong { prefix, longest });
        }
        Ok(Cidr { address, prefix })
    }

    /// The block that holds this address alone (`/32` or `/128`).
    pub const fn host(address: IpAddr) -> Cidr {
        Cidr { address, prefix: bits(address) }
    }

    /// `0.0.0.0/0`, every IPv4 address.
    pub const ANY_V4: Cidr = Cidr { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix: 0 };
    /// `::/0`, every IPv6 address.
    pub const ANY_V6: Cidr = Cidr { address: IpAddr::V6(Ipv6Addr::UNSPECIFIED), prefix: 0 };

    /// The address as it was given, host part included.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The prefix length in bits.
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether the block holds IPv4 addresses.
    pub const fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether `address` lies in the block; never, if it is of the other family.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => (mine.to_bits() ^ other.to_bits()) & mask_v4(self.prefix) == 0,
            (IpAddr::V6(mine), IpAddr::V6(other)) => (mine.to_bits() ^ other.to_bits()) & mask_v6(self.prefix) == 0,
            _ => false,
        }
    }

    /// The block with its host part cleared: `10.0.0.1/24` gives `10.0.0.0/24`.
    pub fn network(&self) -> Cidr {
        let address = match self.address {
            IpAddr::V4(a) => IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & mask_v4(self.prefix))),
            IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & mask_v6(self.prefix))),
        };
        Cidr { address, prefix: self.prefix }
    }

    /// The directed broadcast address. IPv4 only, and only up to `/30`: a `/31` has two hosts and no broadcast
    /// address (RFC 3021), a `/32` is a single host.
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        match self.address {
            IpAddr::V4(a) if self.prefix <= 30 => Some(Ipv4Addr::from_bits(a.to_bits() | !mask_v4(self.prefix))),
            _ => None,
        }
    }

    /// The lowest address that a host may have: the one after the network address, or the network address itself
    /// when the block has no separate one (`/31`, `/32`, `/127`, `/128`).
    pub fn first_host(&self) -> IpAddr {
        let single = bits(self.address) - self.prefix <= 1;
        match self.network().address {
            IpAddr::V4(a) => IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() | u32::from(!single))),
            IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() | u128::from(!single))),
        }
    }

    /// The lowest host address of the block that is not `taken` (usually this end's own); `None` if there is no other.
    pub fn first_host_except(&self, taken: IpAddr) -> Option<IpAddr> {
        let first = self.first_host();
        if first != taken {
            return Some(first);
        }
        let next = match first {
            IpAddr::V4(a) => IpAddr::V4(Ipv4Addr::from_bits(a.to_bits().checked_add(1)?)),
            IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits().checked_add(1)?)),
        };
        let is_broadcast = matches!((next, self.broadcast()), (IpAddr::V4(a), Some(b)) if a == b);
        (self.contains(next) && !is_broadcast).then_some(next)
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

const fn mask_v4(prefix: u8) -> u32 {
    match u32::MAX.checked_shl(32 - prefix as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

const fn mask_v6(prefix: u8) -> u128 {
    match u128::MAX.checked_shl(128 - prefix as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    /// Reads `ADDRESS/PREFIX`. The prefix is required: an address alone would leave the size of the network to guess.
    fn from_str(text: &str) -> Result<Cidr, CidrError> {
        let Some((address, prefix)) = text.split_once('/') else {
            return Err(match text.parse() {
                Ok(address) => CidrError::NoPrefix { address },
                Err(_) => CidrError::BadAddress { text: text.to_owned() },
            });
        };
        let address: IpAddr = address.parse().map_err(|_| CidrError::BadAddress { text: address.to_owned() })?;
        // Digits only: `u8::from_str` would also take "+24".
        let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
        let number = prefix.parse::<u32>().ok().filter(|_| digits);
        let Some(number) = number else {
            return Err(CidrError::BadPrefix { text: prefix.to_owned(), longest: bits(address) });
        };
        Cidr::new(address, number.min(255) as u8)
    }
}

/// Why a text is not an address block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CidrError {
    /// The part before the slash is not an IP address.
    BadAddress {
        /// What stood there.
        text: String,
    },
    /// There is no slash and no prefix length.
    NoPrefix {
        /// The address that stood alone.
        address: IpAddr,
    },
    /// The part after the slash is not a number.
    BadPrefix {
        /// What stood there.
        text: String,
        /// The longest prefix of this family.
        longest: u8,
    },
    /// The prefix length exceeds the length of the address.
    PrefixTooLong {
        /// The prefix length given (255 stands for anything larger, too).
        prefix: u8,
        /// The longest prefix of this family.
        longest: u8,
    },
}

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CidrError::BadAddress { text } => {
                write!(f, "{text:?} is not an IP address; write a block as 10.0.0.1/24 or fd00::1/64")
            }
            CidrError::NoPrefix { address } => {
                let usual = if address.is_ipv4() { 24 } else { 64 };
                write!(
                    f,
                    "the prefix length is missing: write {address}/{usual} for a network, or {address}/{} for this host alone",
                    bits(*address)
                )
            }
            CidrError::BadPrefix { text, longest } => {
                write!(f, "{text:?} is not a prefix length; it is a number of bits from 0 to {longest}")
            }
            CidrError::PrefixTooLong { longest, .. } => {
                write!(f, "the prefix length is at most {longest} bits for this kind of address")
            }
        }
    }
}

impl core::error::Error for CidrError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_block_is_read_and_written_the_same_way() {
        for text in ["10.0.0.1/24", "0.0.0.0/0", "192.0.2.255/32", "fd00::1/64", "::/0", "2001:db8::1/128"] {
            assert_eq!(cidr(text).to_string(), text);
        }
    }

    #[test]
    fn a_block_contains_exactly_the_addresses_with_its_prefix() {
        let block = cidr("10.1.2.3/20");
        assert!(block.contains(ip("10.1.0.0")) && block.contains(ip("10.1.15.255")));
        assert!(!block.contains(ip("10.0.255.255")) && !block.contains(ip("10.1.16.0")));
        let block = cidr("2001:db8:0:8000::/49");
        assert!(block.contains(ip("2001:db8:0:ffff::1")) && !block.contains(ip("2001:db8:0:7fff::1")));
        assert!(Cidr::ANY_V4.contains(ip("255.255.255.255")) && !Cidr::ANY_V4.contains(ip("::1")));
        assert!(Cidr::ANY_V6.contains(ip("ffff::")) && !Cidr::ANY_V6.contains(ip("1.2.3.4")));
        assert!(cidr("::1/128").contains(ip("::1")) && !cidr("::1/128").contains(ip("::")));
    }

    #[test]
    fn network_broadcast_and_hosts_follow_from_the_prefix() {
        assert_eq!(cidr("10.0.0.77/24").network(), cidr("10.0.0.0/24"));
        assert_eq!(cidr("fd00::1:2/64").network(), cidr("fd00::/64"));
        assert_eq!(cidr("10.0.0.77/24").broadcast(), Some(Ipv4Addr::new(10, 0, 0, 255)));
        assert_eq!(cidr("10.0.0.77/31").broadcast(), None);
        assert_eq!(cidr("fd00::1/64").broadcast(), None);
        assert_eq!(cidr("10.0.0.77/24").first_host(), ip("10.0.0.1"));
        assert_eq!(cidr("10.0.0.77/31").first_host(), ip("10.0.0.76"));
        assert_eq!(cidr("10.0.0.77/32").first_host(), ip("10.0.0.77"));
        assert_eq!(cidr("fd00::7/64").first_host(), ip("fd00::1"));
    }

    #[test]
    fn the_other_end_of_a_link_gets_the_first_free_host_address() {
        assert_eq!(cidr("10.0.0.1/24").first_host_except(ip("10.0.0.1")), Some(ip("10.0.0.2")));
        assert_eq!(cidr("10.0.0.9/24").first_host_except(ip("10.0.0.9")), Some(ip("10.0.0.1")));
        assert_eq!(cidr("10.0.0.0/31").first_host_except(ip("10.0.0.0")), Some(ip("10.0.0.1")));
        assert_eq!(cidr("10.0.0.1/32").first_host_except(ip("10.0.0.1")), None);
        assert_eq!(cidr("255.255.255.255/32").first_host_except(ip("255.255.255.255")), None);
    }

    #[test]
    fn a_wrong_text_is_answered_with_what_to_write_instead() {
        let message = |text: &str| text.parse::<Cidr>().unwrap_err().to_string();
        assert!(message("10.0.0.1").contains("10.0.0.1/24"));
        assert!(message("fd00::1").contains("fd00::1/64"));
        assert!(message("ten/24").contains("\"ten\" is not an IP address"));
        assert!(message("").contains("not an IP address"));
        assert!(message("10.0.0.1/").contains("0 to 32"));
        assert!(message("10.0.0.1/+4").contains("0 to 32"));
        assert!(message("10.0.0.1/33").contains("at most 32"));
        assert!(message("fd00::1/999").contains("at most 128"));
        assert!(message("fd00::1/99999999999").contains("0 to 128"));
    }
}
