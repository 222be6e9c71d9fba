//! Headers around packets: put on what is injected, taken off what was captured.
use std::net::IpAddr;

use segue_wire::{Packet, Protocol};

use super::inject::{Way, ip_header};
use super::live::Live;
use crate::ast::{EcnSpec, Encapsulation, GreSpec, IpInfo, MplsEntry};

const IPIP: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;
const MPLS: u8 = 137;
const ETHERTYPE_MPLS: u16 = 0x8847;

/// What a header says of what follows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Inner {
    V4,
    V6,
    Gre,
    Mpls,
}

impl Inner {
    fn of_header(header: &Encapsulation) -> Inner {
        match header {
            Encapsulation::Ip { source: IpAddr::V4(_), .. } => Inner::V4,
            Encapsulation::Ip { source: IpAddr::V6(_), .. } => Inner::V6,
            Encapsulation::Gre(_) => Inner::Gre,
            Encapsulation::Mpls(_) => Inner::Mpls,
        }
    }

    fn of_packet(bytes: &[u8]) -> Inner {
        if bytes.first().is_some_and(|first| first >> 4 == 6) { Inner::V6 } else { Inner::V4 }
    }

    fn protocol(self) -> u8 {
        match self {
            Inner::V4 => IPIP,
            Inner::V6 => IPV6,
            Inner::Gre => GRE,
            Inner::Mpls => MPLS,
        }
    }

    fn ethertype(self) -> u16 {
        match self {
            Inner::V4 => 0x0800,
            Inner::V6 => 0x86dd,
            Inner::Gre => 0,
            Inner::Mpls => ETHERTYPE_MPLS,
        }
    }
}

/// The packet within its headers.
pub(super) fn wrap(headers: &[Encapsulation], packet: Packet) -> Packet {
    if headers.is_empty() {
        return packet;
    }
    let mut packet = packet;
    packet.finish_checksum();
    let mut bytes = packet.to_vec();
    for (index, header) in headers.iter().enumerate().rev() {
        let inner = headers.get(index + 1).map_or_else(|| Inner::of_packet(&bytes), Inner::of_header);
        let mut out = match header {
            Encapsulation::Ip { info, source, destination } => {
                let way = Way { source: *source, destination: *destination };
                ip_header(way, info, Protocol(inner.protocol()), bytes.len())
            }
            Encapsulation::Gre(gre) => gre_header(gre, inner.ethertype()),
            Encapsulation::Mpls(stack) => stack.iter().flat_map(|entry| entry.word().to_be_bytes()).collect(),
        };
        out.extend_from_slice(&bytes);
        bytes = out;
    }
    Packet::from_bytes(bytes.into())
}

fn gre_header(gre: &GreSpec, ethertype: u16) -> Vec<u8> {
    let mut out = gre.flags.to_be_bytes().to_vec();
    out.extend_from_slice(&ethertype.to_be_bytes());
    if gre.flags & GreSpec::CHECKSUM != 0 {
        out.extend_from_slice(&gre.checksum.to_be_bytes());
        out.extend_from_slice(&gre.offset.to_be_bytes());
    }
    if gre.flags & GreSpec::KEY != 0 {
        out.extend_from_slice(&gre.key.to_be_bytes());
    }
    if gre.flags & GreSpec::SEQUENCE != 0 {
        out.extend_from_slice(&gre.sequence.to_be_bytes());
    }
    out
}

/// What is inside the headers that a script expects around a captured packet; the error says which header is another one.
pub(super) fn unwrap(headers: &[Encapsulation], live: &Live) -> Result<Live, String> {
    let mut bytes = live.bytes.clone();
    for (index, header) in headers.iter().enumerate() {
        let inner = |rest: &[u8]| headers.get(index + 1).map_or_else(|| Inner::of_packet(rest), Inner::of_header);
        let length = match header {
            Encapsulation::Ip { info, source, destination } => {
                let outer = Live::parse(live.time, &Packet::from_bytes(bytes.clone()))?;
                let rest = bytes.get(outer.view.transport..).unwrap_or_default();
                let expected = (*source, *destination, inner(rest).protocol());
                let got = (outer.view.source, outer.view.destination, outer.view.protocol.0);
                if expected != got {
                    return Err(format!(
                        "outer IP header: expected {} > {} of protocol {}, got {} > {} of protocol {}",
                        expected.0, expected.1, expected.2, got.0, got.1, got.2
                    ));
                }
                outer_fields(info, &outer)?;
                outer.view.transport
            }
            Encapsulation::Gre(gre) => {
                let flags = u16::from_be_bytes(*bytes.first_chunk().ok_or("the packet ends before the GRE header")?);
                let length = gre_header(&GreSpec { flags, ..*gre }, 0).len();
                let rest = bytes.get(length..).unwrap_or_default();
                let expected = gre_header(gre, inner(rest).ethertype());
                let got = bytes.get(..length).unwrap_or_default();
                if expected != got {
                    return Err(format!("GRE header: expected {expected:02x?}, got {got:02x?}"));
                }
                length
            }
            Encapsulation::Mpls(stack) => {
                let expected: Vec<u8> = stack.iter().flat_map(|entry| entry.word().to_be_bytes()).collect();
                let got = bytes.get(..expected.len()).unwrap_or_default();
                if expected != got {
                    return Err(format!("MPLS labels: expected {expected:02x?}, got {got:02x?}"));
                }
                expected.len()
            }
        };
        bytes = bytes.slice(length.min(bytes.len())..);
    }
    Live::parse(live.time, &Packet::from_bytes(bytes))
}

fn outer_fields(info: &IpInfo, outer: &Live) -> Result<(), String> {
    let (class, ttl) = (outer.view.traffic_class, outer.view.hop_limit);
    let ecn = match info.ecn {
        Some(EcnSpec::Is(bits)) => class & 3 == bits,
        Some(EcnSpec::Ect01) => matches!(class & 3, 1 | 2),
        None => true,
    };
    if !ecn || info.tos.is_some_and(|tos| tos != class) {
        return Err(format!("outer IP header: its type of service is {class:#x}"));
    }
    match info.ttl {
        Some(expected) if expected != ttl => Err(format!("outer IP header: its TTL is {ttl}, expected {expected}")),
        _ => Ok(()),
    }
}

impl MplsEntry {
    /// RFC 3032 section 2.1.
    fn word(&self) -> u32 {
        self.label << 12 | u32::from(self.class) << 9 | u32::from(self.is_bottom) << 8 | u32::from(self.ttl)
    }
}

#[cfg(test)]
mod tests {
    use segue_wire::{Instant, Packet};

    use super::{unwrap, wrap};
    use crate::ast::{Encapsulation, GreSpec, IpInfo, MplsEntry, UdpSpec};
    use crate::run::inject::{Way, datagram};
    use crate::run::live::{Live, LiveBody};

    fn inner() -> Packet {
        let way = Way { source: [192, 0, 2, 1].into(), destination: [192, 168, 0, 1].into() };
        datagram(way, (1, 2), &IpInfo::default(), &UdpSpec { ports: None, length: 5 })
    }

    fn outer(last: u8) -> Encapsulation {
        let (source, destination) = ([10, 0, 0, 1].into(), [10, 0, 0, last].into());
        Encapsulation::Ip { info: IpInfo { ttl: Some(7), ..IpInfo::default() }, source, destination }
    }

    fn stacks() -> Vec<Vec<Encapsulation>> {
        let gre = |flags| Encapsulation::Gre(GreSpec { flags, checksum: 1, offset: 2, key: 3, sequence: 4 });
        let label = MplsEntry { label: 16, class: 1, is_bottom: true, ttl: 64 };
        let v6 = Encapsulation::Ip {
            info: IpInfo::default(),
            source: "fd00::1".parse().unwrap(),
            destination: "fd00::2".parse().unwrap(),
        };
        vec![
            vec![outer(2)],
            vec![v6.clone(), outer(2)],
            vec![outer(2), gre(0)],
            vec![outer(2), gre(0xb000), Encapsulation::Mpls(vec![label])],
            vec![v6, Encapsulation::Mpls(vec![MplsEntry { is_bottom: false, ..label }, label])],
        ]
    }

    #[test]
    fn what_is_put_on_comes_off_again() {
        for headers in stacks() {
            let live = Live::parse(Instant::ZERO, &wrap(&headers, inner())).unwrap();
            let inside = unwrap(&headers, &live).unwrap_or_else(|error| panic!("{headers:?}: {error}"));
            assert!(matches!(inside.body, LiveBody::Udp { ports: (1, 2), .. }), "{headers:?}");
        }
    }

    #[test]
    fn a_gre_header_is_as_long_as_its_flags_say() {
        let length = |flags| {
            let gre = GreSpec { flags, ..GreSpec::default() };
            wrap(&[outer(2), Encapsulation::Gre(gre)], inner()).len() - inner().len() - 20
        };
        assert_eq!([length(0), length(0x2000), length(0x3000), length(0xb000)], [4, 8, 12, 16]);
        let bytes = wrap(&[outer(2), Encapsulation::Gre(GreSpec::default())], inner()).to_vec();
        assert_eq!((bytes[9], &bytes[20..24]), (47, &[0, 0, 8, 0][..]));
    }

    #[test]
    fn another_header_is_named() {
        let live = Live::parse(Instant::ZERO, &wrap(&[outer(2)], inner())).unwrap();
        assert!(unwrap(&[outer(3)], &live).unwrap_err().contains("10.0.0.3"));
        let headers = [outer(2), Encapsulation::Gre(GreSpec::default())];
        assert!(unwrap(&headers, &live).unwrap_err().contains("of protocol 47, got"));
        let live = Live::parse(Instant::ZERO, &wrap(&headers, inner())).unwrap();
        let keyed = Encapsulation::Gre(GreSpec { flags: 0x2000, key: 1, ..GreSpec::default() });
        assert!(unwrap(&[outer(2), keyed], &live).unwrap_err().contains("GRE header"));
    }
}
