//! A segment as a MAC covers it: addresses, header with options, text.

use core::net::IpAddr;

use segue_wire::Chunks;
use segue_wire::tcp::MIN_HEADER_LEN;

/// A segment as a MAC covers it.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// Who sends it.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// TCP header and options, whole.
    pub header: &'a [u8],
    /// Text that stands behind the header in the same memory.
    pub front: &'a [u8],
    /// The rest of the text.
    pub rest: &'a Chunks,
}

/// Offset of the checksum in a TCP header.
const CHECKSUM_AT: usize = 16;

impl Covered<'_> {
    /// Header and text in bytes, which is the length in the pseudo-header.
    pub(super) fn len(&self) -> usize {
        self.header.len() + self.front.len() + self.rest.len()
    }

    /// The fixed part of the header with a checksum of zero.
    pub(super) fn fixed_header(&self) -> [u8; MIN_HEADER_LEN] {
        let mut fixed = [0; MIN_HEADER_LEN];
        let n = self.header.len().min(MIN_HEADER_LEN);
        fixed[..n].copy_from_slice(&self.header[..n]);
        fixed[CHECKSUM_AT..CHECKSUM_AT + 2].fill(0);
        fixed
    }

    /// The pseudo-header of the checksum (RFC 9293 section 3.1, RFC 8200 section 8.1).
    pub(super) fn pseudo_header(&self, mut feed: impl FnMut(&[u8])) {
        const PROTOCOL: u8 = 6;
        let len = self.len() as u32;
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let [_, _, high, low] = len.to_be_bytes();
                feed(&source.octets());
                feed(&destination.octets());
                feed(&[0, PROTOCOL, high, low]);
            }
            (source, destination) => {
                feed(&v6(source));
                feed(&v6(destination));
                feed(&len.to_be_bytes());
                feed(&[0, 0, 0, PROTOCOL]);
            }
        }
    }

    /// The text.
    pub(super) fn text(&self, mut feed: impl FnMut(&[u8])) {
        feed(self.front);
        self.rest.iter().for_each(|slice| feed(slice));
    }
}

/// A packet has two addresses of one version; an IPv4 one is mapped lest a mixture, which does not exist, panics.
pub(super) fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}
