//! What IPv4 and IPv6 have in common: the version and the protocol numbers.

use core::fmt;

/// Version of the Internet protocol.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IpVersion {
    /// IPv4 (RFC 791).
    V4,
    /// IPv6 (RFC 8200).
    V6,
}

/// Protocol number of an IPv4 header, next-header number of an IPv6 one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(pub u8);

impl Protocol {
    /// IPv6 hop-by-hop options.
    pub const HOP_BY_HOP: Protocol = Protocol(0);
    /// ICMP for IPv4.
    pub const ICMPV4: Protocol = Protocol(1);
    /// TCP.
    pub const TCP: Protocol = Protocol(6);
    /// UDP.
    pub const UDP: Protocol = Protocol(17);
    /// IPv6 routing header.
    pub const ROUTING: Protocol = Protocol(43);
    /// IPv6 fragment header.
    pub const FRAGMENT: Protocol = Protocol(44);
    /// Encapsulating security payload.
    pub const ESP: Protocol = Protocol(50);
    /// Authentication header.
    pub const AUTHENTICATION: Protocol = Protocol(51);
    /// ICMP for IPv6.
    pub const ICMPV6: Protocol = Protocol(58);
    /// IPv6: nothing follows.
    pub const NO_NEXT_HEADER: Protocol = Protocol(59);
    /// IPv6 destination options.
    pub const DESTINATION_OPTIONS: Protocol = Protocol(60);
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Protocol::HOP_BY_HOP => f.write_str("HBH"),
            Protocol::ICMPV4 => f.write_str("ICMP"),
            Protocol::TCP => f.write_str("TCP"),
            Protocol::UDP => f.write_str("UDP"),
            Protocol::ROUTING => f.write_str("RT"),
            Protocol::FRAGMENT => f.write_str("frag"),
            Protocol::ESP => f.write_str("ESP"),
            Protocol::AUTHENTICATION => f.write_str("AH"),
            Protocol::ICMPV6 => f.write_str("ICMP6"),
            Protocol::NO_NEXT_HEADER => f.write_str("no next header"),
            Protocol::DESTINATION_OPTIONS => f.write_str("DSTOPT"),
            Protocol(number) => write!(f, "ip-proto-{number}"),
        }
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}({})", self.0)
    }
}
