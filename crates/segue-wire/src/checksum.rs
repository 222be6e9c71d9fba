//! The Internet checksum (RFC 1071), its pseudo-headers and incremental updates.
//!
//! Sums are taken eight bytes at a time in native byte order (the ones-complement
//! sum does not care, RFC 1071 section 2 (B)) and swapped once at the end. A sum
//! over several slices keeps track of parity, so slices may be cut anywhere.
//! Pseudo-headers: RFC 9293 section 3.1, RFC 8200 section 8.1. Updates: RFC 1624.

use crate::chunks::Chunks;
use crate::ip::Protocol;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A ones-complement sum in the making.
///
/// ```
/// use segue_wire::checksum::Sum;
/// let mut whole = Sum::new();
/// whole.add_slice(&[1, 2, 3, 4, 5]);
/// let mut cut = Sum::new();
/// cut.add_slice(&[1, 2, 3]);
/// cut.add_slice(&[4, 5]);
/// assert_eq!(whole.checksum(), cut.checksum());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Folded to 64 bits, native byte order, for even positions.
    total: u64,
    /// Whether an odd number of bytes went in so far.
    odd: bool,
}

impl Sum {
    /// An empty sum.
    pub const fn new() -> Sum {
        Sum { total: 0, odd: false }
    }

    /// A sum that starts with a folded value such as [`Sum::fold`] gives.
    pub const fn from_folded(folded: u16) -> Sum {
        Sum { total: folded.to_be() as u64, odd: false }
    }

    /// Adds the bytes as they follow those added before.
    pub fn add_slice(&mut self, bytes: &[u8]) {
        let sum = raw_sum(bytes);
        // A slice that starts at an odd position has every byte in the other half of its word.
        let sum = if self.odd { sum.rotate_left(8) } else { sum };
        self.total = add_folding(self.total, sum);
        self.odd ^= bytes.len() % 2 == 1;
    }

    /// Adds all slices of `chunks`.
    pub fn add_chunks(&mut self, chunks: &Chunks) {
        for part in chunks.iter() {
            self.add_slice(part);
        }
    }

    /// Adds one 16-bit word in host order. Only between whole words.
    pub fn add_u16(&mut self, word: u16) {
        debug_assert!(!self.odd, "a word in the middle of a word");
        self.total = add_folding(self.total, u64::from(word.to_be()));
    }

    /// Adds one 32-bit word in host order. Only between whole words.
    pub fn add_u32(&mut self, word: u32) {
        debug_assert!(!self.odd, "a word in the middle of a word");
        self.total = add_folding(self.total, u64::from(word.to_be()));
    }

    /// The sum folded to 16 bits, host order, not complemented.
    pub fn fold(self) -> u16 {
        let sum = (self.total >> 32) + (self.total & 0xffff_ffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        u16::from_be(sum as u16)
    }

    /// The value of a checksum field: the complement of the folded sum.
    pub fn checksum(self) -> u16 {
        !self.fold()
    }

    /// Whether a sum over data *with* its checksum field says that nothing was damaged.
    pub fn is_valid(self) -> bool {
        self.fold() == 0xffff
    }
}

/// Adds with the carry brought round.
#[inline]
fn add_folding(a: u64, b: u64) -> u64 {
    let (sum, carry) = a.overflowing_add(b);
    // Cannot overflow again: after a carry, sum <= 2^64 - 2.
    sum + u64::from(carry)
}

/// Native-order ones-complement sum of one slice that starts at an even position.
///
/// Two accumulators of 128 bits take 32 bytes per round without a carry chain.
#[inline]
fn raw_sum(bytes: &[u8]) -> u64 {
    let (mut low, mut high) = (0u128, 0u128);
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        low += u128::from(u64::from_ne_bytes(words[0]));
        high += u128::from(u64::from_ne_bytes(words[1]));
        low += u128::from(u64::from_ne_bytes(words[2]));
        high += u128::from(u64::from_ne_bytes(words[3]));
    }
    let (words, rest) = rest.as_chunks::<8>();
    for word in words {
        low += u128::from(u64::from_ne_bytes(*word));
    }
    let mut tail = [0u8; 8];
    tail[..rest.len()].copy_from_slice(rest);
    high += u128::from(u64::from_ne_bytes(tail));
    let sum = low + high;
    add_folding(sum as u64, (sum >> 64) as u64)
}

/// Checksum of one slice (field value: complemented).
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = Sum::new();
    sum.add_slice(bytes);
    sum.checksum()
}

/// Sum of the IPv4 pseudo-header. `length` is that of the transport header and payload in bytes.
///
/// RFC 9293 section 3.1, RFC 768.
pub fn pseudo_header_v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol, length: usize) -> Sum {
    let mut sum = Sum::new();
    sum.add_slice(&source.octets());
    sum.add_slice(&destination.octets());
    sum.add_u16(u16::from(protocol.0));
    sum.add_u32(length as u32);
    sum
}

/// Sum of the IPv6 pseudo-header. `destination` is the final one when there is a routing header.
///
/// RFC 8200 section 8.1.
pub fn pseudo_header_v6(source: Ipv6Addr, destination: Ipv6Addr, protocol: Protocol, length: usize) -> Sum {
    let mut sum = Sum::new();
    sum.add_slice(&source.octets());
    sum.add_slice(&destination.octets());
    sum.add_u32(length as u32);
    sum.add_u32(u32::from(protocol.0));
    sum
}

/// Sum of the pseudo-header for either version; `None` when the addresses are of different versions.
pub fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: Protocol, length: usize) -> Option<Sum> {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => Some(pseudo_header_v4(source, destination, protocol, length)),
        (IpAddr::V6(source), IpAddr::V6(destination)) => Some(pseudo_header_v6(source, destination, protocol, length)),
        _ => None,
    }
}

/// The checksum field after one 16-bit word of the covered data changed from `old` to `new`.
///
/// RFC 1624 section 3, equation 3: `HC' = ~(~HC + ~m + m')`.
pub fn update_u16(checksum: u16, old: u16, new: u16) -> u16 {
    let mut sum = Sum::from_folded(!checksum);
    sum.add_u16(!old);
    sum.add_u16(new);
    sum.checksum()
}

/// The checksum field after 32 bits at an even offset changed from `old` to `new`. RFC 1624 section 3.
pub fn update_u32(checksum: u16, old: u32, new: u32) -> u16 {
    let mut sum = Sum::from_folded(!checksum);
    sum.add_u32(!old);
    sum.add_u32(new);
    sum.checksum()
}
