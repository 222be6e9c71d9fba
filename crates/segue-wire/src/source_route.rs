//! The source route options of IPv4 (RFC 791 section 3.1, RFC 1122 section 3.2.1.8).
//!
//! Decides which hops a route has, how it stands in a header, and which way leads back along a
//! route that has been travelled. Whether routes are honoured is decided elsewhere.

use core::net::Ipv4Addr;

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const LOOSE: u8 = 131;
const STRICT: u8 = 137;
/// Kind, length, pointer.
const HEAD: usize = 3;
/// The pointer counts from one: the first address is the fourth byte.
const FIRST: u8 = 4;

/// The hops on the way to a destination, which is not one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourceRoute {
    strict: bool,
    len: u8,
    hops: [Ipv4Addr; SourceRoute::MAX_HOPS],
}

/// What the options of a packet say about its route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Travelled {
    /// Nothing.
    Unrouted,
    /// It has come along a route; this one leads back.
    Complete(SourceRoute),
    /// There are hops left: the packet is not for whom it has reached.
    OnTheWay,
    /// The option cannot be read.
    Malformed,
}

impl SourceRoute {
    /// Hops that fit into an option.
    pub const MAX_HOPS: usize = 9;

    /// A route over these hops; `None` for none or more than [`SourceRoute::MAX_HOPS`].
    pub fn new(strict: bool, hops: &[Ipv4Addr]) -> Option<SourceRoute> {
        let mut route = SourceRoute { strict, len: 0, hops: [Ipv4Addr::UNSPECIFIED; SourceRoute::MAX_HOPS] };
        route.hops.get_mut(..hops.len()).filter(|_| !hops.is_empty())?.copy_from_slice(hops);
        route.len = hops.len() as u8;
        Some(route)
    }

    /// The route in the bytes that an application gives to `IP_OPTIONS`: the hops in order, the destination left out.
    ///
    /// `None` when there is no source route in them, or anything else.
    pub fn from_request(options: &[u8]) -> Option<SourceRoute> {
        let (option, rest) = next_route(options)?;
        let data = option.get(HEAD..)?;
        let only = rest.iter().all(|byte| *byte == END);
        if !only || option.get(2) != Some(&FIRST) || !data.len().is_multiple_of(4) {
            return None;
        }
        let mut hops = [Ipv4Addr::UNSPECIFIED; SourceRoute::MAX_HOPS];
        let count = read_hops(data, &mut hops)?;
        SourceRoute::new(option[0] == STRICT, &hops[..count])
    }

    /// What the options of a packet from `source` say.
    pub fn travelled(options: &[u8], source: Ipv4Addr) -> Travelled {
        let Some((option, _)) = next_route(options) else {
            return if has_route(options) { Travelled::Malformed } else { Travelled::Unrouted };
        };
        let (Some(pointer), Some(data)) = (option.get(2), option.get(HEAD..)) else { return Travelled::Malformed };
        if *pointer < FIRST || !data.len().is_multiple_of(4) {
            return Travelled::Malformed;
        }
        if usize::from(*pointer) <= option.len() {
            return Travelled::OnTheWay;
        }
        let mut hops = [Ipv4Addr::UNSPECIFIED; SourceRoute::MAX_HOPS];
        let Some(count) = read_hops(data, &mut hops) else { return Travelled::Malformed };
        hops[..count].reverse();
        // RFC 1122 section 3.2.1.8 (c): some senders record themselves, too.
        let back = match hops[..count].split_last() {
            Some((last, others)) if *last == source => others,
            _ => &hops[..count],
        };
        SourceRoute::new(option[0] == STRICT, back).map_or(Travelled::Unrouted, Travelled::Complete)
    }

    /// Where a packet on this route goes first.
    pub fn first_hop(&self) -> Ipv4Addr {
        self.hops[0]
    }

    /// Bytes of options in the header, padding included.
    pub fn options_len(&self) -> usize {
        (HEAD + 4 * usize::from(self.len)).next_multiple_of(4)
    }

    /// The options of a packet to `destination`, whose header names the first hop.
    pub fn options(&self, destination: Ipv4Addr) -> ([u8; 40], usize) {
        let mut out = [END; 40];
        let len = usize::from(self.len);
        out[0] = if self.strict { STRICT } else { LOOSE };
        out[1] = (HEAD + 4 * len) as u8;
        out[2] = FIRST;
        let behind = self.hops[1..len].iter().chain(core::iter::once(&destination));
        for (slot, hop) in out[HEAD..].chunks_exact_mut(4).zip(behind) {
            slot.copy_from_slice(&hop.octets());
        }
        (out, self.options_len())
    }

    /// The bytes that an application would have given to `IP_OPTIONS`, and how many they are.
    pub fn to_request(&self) -> ([u8; 40], usize) {
        let len = usize::from(self.len);
        let (mut out, _) = self.options(Ipv4Addr::UNSPECIFIED);
        for (slot, hop) in out[HEAD..].chunks_exact_mut(4).zip(&self.hops[..len]) {
            slot.copy_from_slice(&hop.octets());
        }
        (out, self.options_len())
    }
}

/// The first source route option, whole, and what stands behind it.
fn next_route(mut options: &[u8]) -> Option<(&[u8], &[u8])> {
    loop {
        match *options.first()? {
            END => return None,
            NO_OPERATION => options = &options[1..],
            kind => {
                let len = usize::from(*options.get(1)?);
                if len < 2 || len > options.len() {
                    return None;
                }
                let (option, rest) = options.split_at(len);
                if kind == LOOSE || kind == STRICT {
                    return Some((option, rest));
                }
                options = rest;
            }
        }
    }
}

/// Whether a list of options that could not be walked has a source route all the same.
fn has_route(mut options: &[u8]) -> bool {
    while let Some(kind) = options.first() {
        match *kind {
            END => return false,
            NO_OPERATION => options = &options[1..],
            LOOSE | STRICT => return true,
            _ => match options.get(1).map(|len| usize::from(*len)) {
                Some(len) if len >= 2 && len <= options.len() => options = &options[len..],
                _ => return false,
            },
        }
    }
    false
}

fn read_hops(data: &[u8], hops: &mut [Ipv4Addr; SourceRoute::MAX_HOPS]) -> Option<usize> {
    let count = data.len() / 4;
    for (hop, bytes) in hops.get_mut(..count)?.iter_mut().zip(data.chunks_exact(4)) {
        *hop = Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]);
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn address(n: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, n)
    }

    fn option(kind: u8, pointer: u8, hops: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::from([kind, 3 + 4 * hops.len() as u8, pointer]);
        hops.iter().for_each(|n| bytes.extend(address(*n).octets()));
        bytes
    }

    #[test]
    fn a_request_names_the_hops_and_the_header_the_first_of_them() {
        let request = option(LOOSE, 4, &[1, 2]);
        let route = SourceRoute::from_request(&request).expect("a route");
        assert_eq!((route.first_hop(), route.options_len()), (address(1), 12));
        let (options, len) = route.options(address(9));
        assert_eq!(options[..len], [&option(LOOSE, 4, &[2, 9])[..], &[0]].concat());
        let (bytes, len) = route.to_request();
        assert_eq!(SourceRoute::from_request(&bytes[..len]), Some(route));
    }

    #[test]
    fn what_is_no_source_route_alone_is_no_request() {
        let with = |change: fn(&mut Vec<u8>)| {
            let mut bytes = option(STRICT, 4, &[1, 2]);
            change(&mut bytes);
            SourceRoute::from_request(&bytes)
        };
        assert!(with(|_| {}).is_some());
        assert!(with(|bytes| bytes.insert(0, NO_OPERATION)).is_some());
        assert_eq!(with(|bytes| bytes[2] = 8), None, "the pointer must be at the first hop");
        assert_eq!(with(|bytes| bytes[1] = 10), None, "half an address");
        assert_eq!(with(|bytes| bytes.extend([7, 3, 4])), None, "another option");
        assert_eq!(with(Vec::clear), None);
        assert_eq!(SourceRoute::from_request(&option(LOOSE, 4, &[])), None);
        assert_eq!(SourceRoute::from_request(&option(LOOSE, 4, &[1; 10])), None);
    }

    #[test]
    fn a_route_that_was_travelled_is_turned_around() {
        let back = |hops: &[Ipv4Addr]| SourceRoute::new(false, hops).map_or(Travelled::Unrouted, Travelled::Complete);
        let source = address(7);
        assert_eq!(SourceRoute::travelled(&option(LOOSE, 12, &[1, 2]), source), back(&[address(2), address(1)]));
        assert_eq!(SourceRoute::travelled(&option(LOOSE, 12, &[7, 2]), source), back(&[address(2)]));
        assert_eq!(SourceRoute::travelled(&option(LOOSE, 8, &[7]), source), Travelled::Unrouted);
        assert_eq!(SourceRoute::travelled(&option(LOOSE, 8, &[1, 2]), source), Travelled::OnTheWay);
        assert_eq!(SourceRoute::travelled(&[NO_OPERATION, 7, 3, 4, 0], source), Travelled::Unrouted);
    }

    #[test]
    fn no_bytes_make_a_route_panic() {
        let mut state = 7u32;
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..40)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let byte = (state >> 24) as u8;
                    if byte < 60 { [LOOSE, STRICT, 4, 7, 11, 3][usize::from(byte) % 6] } else { byte }
                })
                .collect();
            for len in [1, 3, 7, 39, 40] {
                let _ = SourceRoute::from_request(&bytes[..len]);
                let _ = SourceRoute::travelled(&bytes[..len], address(1));
            }
        }
        assert_eq!(SourceRoute::travelled(&[LOOSE, 50, 4], address(1)), Travelled::Malformed);
        assert_eq!(SourceRoute::travelled(&[LOOSE, 2], address(1)), Travelled::Malformed);
    }
}
