//! Neighbour discovery messages and their options (RFC 4861, RFC 8106 for DNS).
//!
//! Decides what the messages say and whether they are valid by what is in them.
//! The checks of RFC 4861 that concern the packet around them (hop limit 255,
//! code 0) are in [`NdpMessage::parse`]; those that concern the address of the sender are
//! the host's.

use crate::bytes_at::{be16, be32, byte, ipv6_at, put, put16};
use crate::checksum;
use crate::ip::Protocol;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv6Addr;
use core::time::Duration;

/// ICMPv6 type of a router solicitation.
pub const ROUTER_SOLICITATION: u8 = 133;
/// ICMPv6 type of a router advertisement.
pub const ROUTER_ADVERTISEMENT: u8 = 134;
/// ICMPv6 type of a neighbour solicitation.
pub const NEIGHBOR_SOLICITATION: u8 = 135;
/// ICMPv6 type of a neighbour advertisement.
pub const NEIGHBOR_ADVERTISEMENT: u8 = 136;
/// ICMPv6 type of a redirect.
pub const REDIRECT: u8 = 137;

/// Hop limit every such packet is sent with; another one came through a router (RFC 4861 section 7.1).
pub const HOP_LIMIT: u8 = 255;

/// An Ethernet address in a link-layer address option.
pub type LinkAddress = [u8; 6];

/// A prefix in a router advertisement (RFC 4861 section 4.6.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PrefixInformation {
    /// How many leading bits of `prefix` count, 0..=128.
    pub prefix_len: u8,
    /// Addresses in it are on the link.
    pub on_link: bool,
    /// Addresses may be made from it (SLAAC).
    pub autonomous: bool,
    /// How long it is valid; `None` means forever.
    pub valid_lifetime: Option<Duration>,
    /// How long addresses made from it are preferred; `None` means forever.
    pub preferred_lifetime: Option<Duration>,
    /// The prefix.
    pub prefix: Ipv6Addr,
}

/// What the options of a message say. Unknown ones are skipped; of one that is there twice the last counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NdpOptions {
    /// Link-layer address of the sender (kind 1).
    pub source_link: Option<LinkAddress>,
    /// Link-layer address of the target (kind 2).
    pub target_link: Option<LinkAddress>,
    /// Prefixes (kind 3), at most [`NdpOptions::MAX_PREFIXES`].
    pub prefixes: Vec<PrefixInformation>,
    /// MTU of the link, bytes (kind 5).
    pub mtu: Option<u32>,
    /// Recursive DNS servers (kind 25), at most [`NdpOptions::MAX_DNS`].
    pub dns_servers: Vec<Ipv6Addr>,
}

/// A neighbour discovery message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NdpMessage {
    /// Who is the router?
    RouterSolicitation {
        /// What else it says.
        options: NdpOptions,
    },
    /// I am a router.
    RouterAdvertisement {
        /// Hop limit to use; zero leaves it unsaid.
        hop_limit: u8,
        /// Addresses come by DHCPv6.
        managed: bool,
        /// Other configuration comes by DHCPv6.
        other_config: bool,
        /// How long it is a default router; zero: it is none.
        lifetime: Duration,
        /// How long a neighbour stays reachable; zero leaves it unsaid.
        reachable_time: Duration,
        /// Time between solicitations; zero leaves it unsaid.
        retransmit_time: Duration,
        /// What else it says.
        options: NdpOptions,
    },
    /// Who has this address?
    NeighborSolicitation {
        /// The address asked for.
        target: Ipv6Addr,
        /// What else it says.
        options: NdpOptions,
    },
    /// I have this address.
    NeighborAdvertisement {
        /// The sender is a router.
        router: bool,
        /// It answers a solicitation.
        solicited: bool,
        /// It replaces what is known.
        override_known: bool,
        /// The address.
        target: Ipv6Addr,
        /// What else it says.
        options: NdpOptions,
    },
}

/// Why a message is not acceptable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum NdpError {
    /// Fewer bytes than the message has.
    Truncated,
    /// The type is none of this module.
    UnknownType,
    /// The code is not zero.
    BadCode,
    /// The hop limit is not 255: it did not come from this link.
    BadHopLimit,
    /// The checksum does not fit.
    BadChecksum,
    /// An option of length zero, or one that ends beyond the message.
    BadOptionLength,
    /// The target is a multicast address.
    MulticastTarget,
}

impl fmt::Display for NdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NdpError::Truncated => "neighbour discovery message is too short for its type",
            NdpError::UnknownType => "ICMPv6 type is not one of neighbour discovery",
            NdpError::BadCode => "neighbour discovery message has a code other than 0",
            NdpError::BadHopLimit => "neighbour discovery message came through a router (hop limit is not 255)",
            NdpError::BadChecksum => "ICMPv6 checksum does not fit the message",
            NdpError::BadOptionLength => "neighbour discovery option has length 0 or ends beyond the message",
            NdpError::MulticastTarget => "neighbour discovery target is a multicast address",
        })
    }
}

impl core::error::Error for NdpError {}

const SOURCE_LINK: u8 = 1;
const TARGET_LINK: u8 = 2;
const PREFIX: u8 = 3;
const MTU: u8 = 5;
const DNS: u8 = 25;

impl NdpOptions {
    /// Most prefixes that are read from one message.
    pub const MAX_PREFIXES: usize = 16;
    /// Most DNS servers that are read from one message.
    pub const MAX_DNS: usize = 8;

    fn parse(mut rest: &[u8]) -> Result<NdpOptions, NdpError> {
        let mut options = NdpOptions::default();
        while let [kind, units, ..] = *rest {
            // RFC 4861 section 4.6: zero length discards the packet.
            let len = usize::from(units) * 8;
            if len == 0 || len > rest.len() {
                return Err(NdpError::BadOptionLength);
            }
            let (option, tail) = rest.split_at(len);
            options.take(kind, option);
            rest = tail;
        }
        if rest.is_empty() { Ok(options) } else { Err(NdpError::BadOptionLength) }
    }

    fn take(&mut self, kind: u8, option: &[u8]) {
        match (kind, option.len()) {
            (SOURCE_LINK, 8) => self.source_link = Some(crate::bytes_at::array(option, 2)),
            (TARGET_LINK, 8) => self.target_link = Some(crate::bytes_at::array(option, 2)),
            (PREFIX, 32) if self.prefixes.len() < NdpOptions::MAX_PREFIXES && option[2] <= 128 => {
                self.prefixes.push(PrefixInformation {
                    prefix_len: option[2],
                    on_link: option[3] & 0x80 != 0,
                    autonomous: option[3] & 0x40 != 0,
                    valid_lifetime: lifetime(be32(option, 4)),
                    preferred_lifetime: lifetime(be32(option, 8)),
                    prefix: ipv6_at(option, 16),
                });
            }
            (MTU, 8) => self.mtu = Some(be32(option, 4)),
            (DNS, 24..) => {
                for server in option[8..].as_chunks::<16>().0 {
                    if self.dns_servers.len() < NdpOptions::MAX_DNS {
                        self.dns_servers.push(Ipv6Addr::from(*server));
                    }
                }
            }
            _ => {}
        }
    }

    fn emit(&self, out: &mut Vec<u8>) {
        for (kind, link) in [(SOURCE_LINK, self.source_link), (TARGET_LINK, self.target_link)] {
            if let Some(link) = link {
                out.extend_from_slice(&[kind, 1]);
                out.extend_from_slice(&link);
            }
        }
        for prefix in &self.prefixes {
            let flags = u8::from(prefix.on_link) << 7 | u8::from(prefix.autonomous) << 6;
            out.extend_from_slice(&[PREFIX, 4, prefix.prefix_len, flags]);
            for time in [prefix.valid_lifetime, prefix.preferred_lifetime] {
                let seconds = time.map_or(u32::MAX, |time| time.as_secs().min(u64::from(u32::MAX - 1)) as u32);
                out.extend_from_slice(&seconds.to_be_bytes());
            }
            out.extend_from_slice(&[0; 4]);
            out.extend_from_slice(&prefix.prefix.octets());
        }
        if let Some(mtu) = self.mtu {
            out.extend_from_slice(&[MTU, 1, 0, 0]);
            out.extend_from_slice(&mtu.to_be_bytes());
        }
        if !self.dns_servers.is_empty() {
            let servers = &self.dns_servers[..self.dns_servers.len().min(NdpOptions::MAX_DNS)];
            out.extend_from_slice(&[DNS, 1 + 2 * servers.len() as u8, 0, 0]);
            out.extend_from_slice(&u32::MAX.to_be_bytes());
            for server in servers {
                out.extend_from_slice(&server.octets());
            }
        }
    }
}

/// RFC 4861 section 4.6.2: all ones is forever.
fn lifetime(seconds: u32) -> Option<Duration> {
    (seconds != u32::MAX).then(|| Duration::from_secs(u64::from(seconds)))
}

impl NdpMessage {
    /// Reads a whole ICMPv6 message and does the checks that RFC 4861 sections 6.1 and 7.1 ask for.
    ///
    /// # Errors
    /// One variant of [`NdpError`] per reason; such a message is dropped in silence.
    pub fn parse(
        source: Ipv6Addr,
        destination: Ipv6Addr,
        hop_limit: u8,
        message: &[u8],
    ) -> Result<NdpMessage, NdpError> {
        let Some(kind) = message.first() else {
            return Err(NdpError::Truncated);
        };
        let fixed = match *kind {
            ROUTER_SOLICITATION => 8,
            ROUTER_ADVERTISEMENT => 16,
            NEIGHBOR_SOLICITATION | NEIGHBOR_ADVERTISEMENT => 24,
            _ => return Err(NdpError::UnknownType),
        };
        if hop_limit != HOP_LIMIT {
            return Err(NdpError::BadHopLimit);
        }
        if message.len() < fixed {
            return Err(NdpError::Truncated);
        }
        super::verify_checksum(source, destination, message).map_err(|_| NdpError::BadChecksum)?;
        if message[1] != 0 {
            return Err(NdpError::BadCode);
        }
        let options = NdpOptions::parse(&message[fixed..])?;
        NdpMessage::read(*kind, message, options)
    }

    fn read(kind: u8, message: &[u8], options: NdpOptions) -> Result<NdpMessage, NdpError> {
        let target = ipv6_at(message, 8);
        let flags = byte(message, 4);
        if matches!(kind, NEIGHBOR_SOLICITATION | NEIGHBOR_ADVERTISEMENT) && target.is_multicast() {
            return Err(NdpError::MulticastTarget);
        }
        Ok(match kind {
            ROUTER_SOLICITATION => NdpMessage::RouterSolicitation { options },
            ROUTER_ADVERTISEMENT => NdpMessage::RouterAdvertisement {
                hop_limit: byte(message, 4),
                managed: byte(message, 5) & 0x80 != 0,
                other_config: byte(message, 5) & 0x40 != 0,
                lifetime: Duration::from_secs(u64::from(be16(message, 6))),
                reachable_time: Duration::from_millis(u64::from(be32(message, 8))),
                retransmit_time: Duration::from_millis(u64::from(be32(message, 12))),
                options,
            },
            NEIGHBOR_SOLICITATION => NdpMessage::NeighborSolicitation { target, options },
            _ => NdpMessage::NeighborAdvertisement {
                router: flags & 0x80 != 0,
                solicited: flags & 0x40 != 0,
                override_known: flags & 0x20 != 0,
                target,
                options,
            },
        })
    }

    /// The whole ICMPv6 message, checksum included. To be sent with hop limit 255.
    pub fn to_vec(&self, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        let options = match self {
            NdpMessage::RouterSolicitation { options } => {
                out.extend_from_slice(&[ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0]);
                options
            }
            NdpMessage::RouterAdvertisement {
                hop_limit,
                managed,
                other_config,
                lifetime,
                reachable_time,
                retransmit_time,
                options,
            } => {
                let flags = u8::from(*managed) << 7 | u8::from(*other_config) << 6;
                out.extend_from_slice(&[ROUTER_ADVERTISEMENT, 0, 0, 0, *hop_limit, flags]);
                let seconds = lifetime.as_secs().min(u64::from(u16::MAX)) as u16;
                out.extend_from_slice(&seconds.to_be_bytes());
                for time in [reachable_time, retransmit_time] {
                    let millis = time.as_millis().min(u128::from(u32::MAX)) as u32;
                    out.extend_from_slice(&millis.to_be_bytes());
                }
                options
            }
            NdpMessage::NeighborSolicitation { target, options } => {
                out.extend_from_slice(&[NEIGHBOR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0]);
                out.extend_from_slice(&target.octets());
                options
            }
            NdpMessage::NeighborAdvertisement { router, solicited, override_known, target, options } => {
                let flags = u8::from(*router) << 7 | u8::from(*solicited) << 6 | u8::from(*override_known) << 5;
                out.extend_from_slice(&[NEIGHBOR_ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0]);
                out.extend_from_slice(&target.octets());
                options
            }
        };
        options.emit(&mut out);
        let mut sum = checksum::pseudo_header_v6(source, destination, Protocol::ICMPV6, out.len());
        sum.add_slice(&out);
        put16(&mut out, 2, sum.checksum());
        out
    }
}

/// The solicited-node multicast address of `address` (RFC 4291 section 2.7.1).
pub fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let mut octets = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0];
    put(&mut octets, 13, &address.octets()[13..]);
    Ipv6Addr::from(octets)
}
