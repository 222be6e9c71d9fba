//! Internet addresses as they lie in a program's memory (`struct sockaddr`).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use segue::Domain;

/// The largest `struct sockaddr` (sockaddr_storage).
pub(crate) const MAX: usize = 128;
const V4: usize = 16;
const V6: usize = 28;
/// An IPv6 address without its scope is accepted (RFC 2133's shorter form).
const V6_SHORT: usize = 24;

/// What a program wrote where an address belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Internet(SocketAddr),
    /// AF_UNSPEC: undo a connect.
    Unspecified,
}

/// Reads an address for a socket of `domain`.
///
/// # Errors
/// EINVAL: too short; EAFNOSUPPORT: another family.
pub(crate) fn parse(bytes: &[u8], domain: Domain) -> Result<Given, i32> {
    let &[low, high, ref rest @ ..] = bytes else { return Err(libc::EINVAL) };
    match (i32::from(u16::from_ne_bytes([low, high])), domain) {
        (libc::AF_UNSPEC, _) => Ok(Given::Unspecified),
        (libc::AF_INET, _) => v4(bytes, rest),
        (libc::AF_INET6, Domain::Inet6) => v6(bytes, rest),
        _ => Err(libc::EAFNOSUPPORT),
    }
}

fn port(rest: &[u8]) -> u16 {
    match *rest {
        [high, low, ..] => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

fn v4(bytes: &[u8], rest: &[u8]) -> Result<Given, i32> {
    match *rest {
        [_, _, a, b, c, d, ..] if bytes.len() >= V4 => {
            let address = SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), port(rest));
            Ok(Given::Internet(address.into()))
        }
        _ => Err(libc::EINVAL),
    }
}

fn v6(bytes: &[u8], rest: &[u8]) -> Result<Given, i32> {
    if bytes.len() < V6_SHORT {
        return Err(libc::EINVAL);
    }
    let field =
        |from: usize| -> [u8; 4] { bytes.get(from..from + 4).and_then(|f| f.try_into().ok()).unwrap_or_default() };
    let mut octets = [0; 16];
    octets.copy_from_slice(&bytes[8..24]);
    Ok(Given::Internet(
        SocketAddrV6::new(
            Ipv6Addr::from(octets),
            port(rest),
            u32::from_be_bytes(field(4)),
            u32::from_ne_bytes(field(24)),
        )
        .into(),
    ))
}

/// An address as a socket of `domain` shows it: IPv4 is v4-mapped on AF_INET6.
pub(crate) fn emit(address: SocketAddr, domain: Domain) -> Vec<u8> {
    let address = match (address, domain) {
        (SocketAddr::V4(v4), Domain::Inet6) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
        (SocketAddr::V6(v6), Domain::Inet) => {
            let v4 = v6.ip().to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED);
            SocketAddr::new(v4.into(), v6.port())
        }
        (same, _) => same,
    };
    let mut out = Vec::with_capacity(V6);
    match address {
        SocketAddr::V4(v4) => {
            out.extend((libc::AF_INET as u16).to_ne_bytes());
            out.extend(v4.port().to_be_bytes());
            out.extend(v4.ip().octets());
            out.extend([0; 8]);
        }
        SocketAddr::V6(v6) => {
            out.extend((libc::AF_INET6 as u16).to_ne_bytes());
            out.extend(v6.port().to_be_bytes());
            out.extend(v6.flowinfo().to_be_bytes());
            out.extend(v6.ip().octets());
            out.extend(v6.scope_id().to_ne_bytes());
        }
    }
    out
}

/// What every address of a socket of `domain` reads as before it has one.
pub(crate) fn unspecified(domain: Domain) -> SocketAddr {
    match domain {
        Domain::Inet => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
        Domain::Inet6 => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_way_there_and_back() {
        for (text, domain) in
            [("192.0.2.1:80", Domain::Inet), ("[2001:db8::1]:443", Domain::Inet6), ("[fe80::1%3]:443", Domain::Inet6)]
        {
            let address: SocketAddr = text.parse().expect("an address");
            assert_eq!(parse(&emit(address, domain), domain), Ok(Given::Internet(address)));
        }
    }

    #[test]
    fn an_ipv4_peer_is_mapped_on_an_ipv6_socket() {
        let address: SocketAddr = "192.0.2.1:80".parse().expect("an address");
        let mapped: SocketAddr = "[::ffff:192.0.2.1]:80".parse().expect("an address");
        assert_eq!(parse(&emit(address, Domain::Inet6), Domain::Inet6), Ok(Given::Internet(mapped)));
    }

    #[test]
    fn short_and_foreign_addresses_are_refused() {
        assert_eq!(parse(&[2], Domain::Inet), Err(libc::EINVAL));
        assert_eq!(parse(&[2, 0, 0, 80, 1, 2, 3], Domain::Inet), Err(libc::EINVAL));
        assert_eq!(parse(&[10, 0, 0, 80, 1, 2, 3], Domain::Inet6), Err(libc::EINVAL));
        assert_eq!(parse(&[10, 0], Domain::Inet), Err(libc::EAFNOSUPPORT));
        assert_eq!(parse(&[1, 0, b'/'], Domain::Inet), Err(libc::EAFNOSUPPORT));
        assert_eq!(parse(&[0, 0], Domain::Inet), Ok(Given::Unspecified));
    }
}
