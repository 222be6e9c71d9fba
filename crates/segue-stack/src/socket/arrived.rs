//! The headers that a datagram came with beyond the fixed ones: IPv4 options, IPv6 extension headers.
//!
//! Decides how they are taken apart for control messages. Only sockets that have asked for them keep them.
use segue_wire::Protocol;

use super::common::Common;
use super::rare::RareFlags;

const FIXED_V4: usize = 20;
const FIXED_V6: usize = 40;
/// Where the fixed header of IPv6 names the next one.
const NEXT_HEADER: usize = 6;

/// An IP header with all that stood behind it, up to the transport's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ArrivedHeaders(Box<[u8]>);

/// One extension header of IPv6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Extension<'a> {
    pub(crate) kind: Protocol,
    pub(crate) bytes: &'a [u8],
}

impl ArrivedHeaders {
    /// What a packet carries of them, if the socket has asked for any; `headers` end where the transport's begins.
    pub(crate) fn kept_for(common: &Common, headers: &[u8]) -> Option<ArrivedHeaders> {
        let (fixed, wanted) = match headers.first()? >> 4 {
            4 => (FIXED_V4, RareFlags::RECV_OPTIONS),
            _ => (FIXED_V6, RareFlags::EXTENSION_HEADERS),
        };
        let is_wanted = headers.len() > fixed && common.rare().flags.intersects(wanted);
        is_wanted.then(|| ArrivedHeaders(headers.into()))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The options of an IPv4 header, padding and all.
    pub(crate) fn options(&self) -> &[u8] {
        self.0.get(FIXED_V4..).unwrap_or_default()
    }

    /// The extension headers of IPv6, in their order.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = Extension<'_>> {
        let mut at = FIXED_V6;
        let mut kind = self.0.get(NEXT_HEADER).map(|next| Protocol(*next));
        core::iter::from_fn(move || {
            let front = self.0.get(at..at + 2)?;
            let bytes = self.0.get(at..at + 8 + usize::from(front[1]) * 8)?;
            let extension = Extension { kind: kind?, bytes };
            at += bytes.len();
            kind = Some(Protocol(front[0]));
            Some(extension)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_headers_come_in_order_and_what_is_cut_short_ends_them() {
        let mut bytes = vec![0x60; 40];
        bytes[NEXT_HEADER] = 0;
        bytes.extend([43, 0, 1, 4, 0, 0, 0, 0]);
        bytes.extend([60, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([17, 1, 1, 4, 0, 0, 0, 0]);
        let kinds = |headers: &ArrivedHeaders| headers.extensions().map(|found| found.kind.0).collect::<Vec<u8>>();
        assert_eq!(kinds(&ArrivedHeaders(bytes.clone().into())), [0, 43]);
        bytes.extend([0; 8]);
        let whole = ArrivedHeaders(bytes.into());
        assert_eq!(kinds(&whole), [0, 43, 60]);
        assert_eq!(whole.extensions().last().map(|last| last.bytes.len()), Some(16));
    }
}
