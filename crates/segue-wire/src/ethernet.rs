//! Ethernet II frames, with at most two VLAN tags in front of the type.
//!
//! Decides where the payload of a frame starts and what it is. Frames of IEEE
//! 802.3 length (LLC) are not spoken here: a "type" below 0x0600 is an error.

use crate::bytes_at::{array, be16, put, put16};
use core::fmt;

/// Length of a header without tags, in bytes.
pub const HEADER_LEN: usize = 14;

/// An Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct EthernetAddress(pub [u8; 6]);

impl EthernetAddress {
    /// All ones: every station.
    pub const BROADCAST: EthernetAddress = EthernetAddress([0xff; 6]);

    /// Whether a group of stations is meant (broadcast included).
    pub const fn is_multicast(&self) -> bool {
        self.0[0] & 1 != 0
    }

    /// The group address that IPv4 multicast to `group` goes to (RFC 1112 section 6.4).
    pub fn from_ipv4_multicast(group: core::net::Ipv4Addr) -> EthernetAddress {
        let [_, b, c, d] = group.octets();
        EthernetAddress([1, 0, 0x5e, b & 0x7f, c, d])
    }

    /// The group address that IPv6 multicast to `group` goes to (RFC 2464 section 7).
    pub fn from_ipv6_multicast(group: core::net::Ipv6Addr) -> EthernetAddress {
        let octets = group.octets();
        EthernetAddress([0x33, 0x33, octets[12], octets[13], octets[14], octets[15]])
    }
}

impl fmt::Display for EthernetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for EthernetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a frame carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: EtherType = EtherType(0x0800);
    /// ARP.
    pub const ARP: EtherType = EtherType(0x0806);
    /// A VLAN tag follows (IEEE 802.1Q).
    pub const VLAN: EtherType = EtherType(0x8100);
    /// IPv6.
    pub const IPV6: EtherType = EtherType(0x86dd);
    /// An outer VLAN tag follows (IEEE 802.1ad).
    pub const SERVICE_VLAN: EtherType = EtherType(0x88a8);

    fn is_tag(self) -> bool {
        matches!(self, EtherType::VLAN | EtherType::SERVICE_VLAN)
    }
}

/// A VLAN tag: which kind, and priority, drop bit and VLAN number as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VlanTag {
    /// [`EtherType::VLAN`] or [`EtherType::SERVICE_VLAN`].
    pub kind: EtherType,
    /// Priority (3 bits), drop eligible (1), VLAN number (12).
    pub control: u16,
}

/// The header of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EthernetHeader {
    /// Who shall take it.
    pub destination: EthernetAddress,
    /// Who sent it.
    pub source: EthernetAddress,
    /// VLAN tags, the outer first.
    pub tags: [Option<VlanTag>; 2],
    /// What it carries.
    pub ether_type: EtherType,
}

/// Why bytes are not a frame this module knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum EthernetError {
    /// Fewer bytes than the header has.
    Truncated,
    /// More than two VLAN tags.
    TooManyTags,
    /// An IEEE 802.3 length where the type should be.
    NotEthernetII,
}

impl fmt::Display for EthernetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EthernetError::Truncated => "frame is shorter than its Ethernet header",
            EthernetError::TooManyTags => "frame has more than two VLAN tags",
            EthernetError::NotEthernetII => "frame has an IEEE 802.3 length instead of a type",
        })
    }
}

impl core::error::Error for EthernetError {}

impl EthernetHeader {
    /// A header without tags.
    pub fn new(destination: EthernetAddress, source: EthernetAddress, ether_type: EtherType) -> EthernetHeader {
        EthernetHeader { destination, source, tags: [None; 2], ether_type }
    }

    /// Reads the header at the front of `frame`; gives it and its length.
    ///
    /// # Errors
    /// One variant of [`EthernetError`] per reason.
    pub fn parse(frame: &[u8]) -> Result<(EthernetHeader, usize), EthernetError> {
        if frame.len() < HEADER_LEN {
            return Err(EthernetError::Truncated);
        }
        let mut header = EthernetHeader {
            destination: EthernetAddress(array(frame, 0)),
            source: EthernetAddress(array(frame, 6)),
            tags: [None; 2],
            ether_type: EtherType(be16(frame, 12)),
        };
        let mut len = HEADER_LEN;
        for slot in &mut header.tags {
            if !header.ether_type.is_tag() {
                break;
            }
            if frame.len() < len + 4 {
                return Err(EthernetError::Truncated);
            }
            *slot = Some(VlanTag { kind: header.ether_type, control: be16(frame, len) });
            header.ether_type = EtherType(be16(frame, len + 2));
            len += 4;
        }
        match header.ether_type {
            kind if kind.is_tag() => Err(EthernetError::TooManyTags),
            EtherType(0..0x600) => Err(EthernetError::NotEthernetII),
            _ => Ok((header, len)),
        }
    }

    /// Length on the wire, in bytes.
    pub fn header_len(&self) -> usize {
        HEADER_LEN + 4 * self.tags.iter().flatten().count()
    }

    /// Writes the header; returns its length, zero when `out` is too short.
    pub fn emit(&self, out: &mut [u8]) -> usize {
        let len = self.header_len();
        let Some(out) = out.get_mut(..len) else {
            return 0;
        };
        put(out, 0, &self.destination.0);
        put(out, 6, &self.source.0);
        let mut at = 12;
        for tag in self.tags.iter().flatten() {
            put16(out, at, tag.kind.0);
            put16(out, at + 2, tag.control);
            at += 4;
        }
        put16(out, at, self.ether_type.0);
        len
    }
}
