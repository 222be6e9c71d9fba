//! rtnetlink's messages (RFC 3549; `linux/rtnetlink.h`, `if_link.h`, `if_addr.h`): requests read, answers written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Interface, Way};

const ERROR: u16 = 2;
const DONE: u16 = 3;
const NEW_LINK: u16 = 16;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;
/// Flags of a request: answer also when nothing is wrong; list everything.
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
/// Flag of an answer: others follow.
const MULTI: u16 = 2;
const HEADER: usize = 16;
/// What one datagram of answers holds at most: readers have at least a page.
const DATAGRAM: usize = 3072;

/// A request, or an answer.
#[derive(Clone, Copy)]
struct Request<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    /// With its header.
    whole: &'a [u8],
}

impl<'a> Request<'a> {
    /// The first one, and what is behind it.
    fn read(bytes: &'a [u8]) -> Option<(Request<'a>, &'a [u8])> {
        let len = u32_at(bytes, 0)? as usize;
        let whole = bytes.get(..len).filter(|whole| whole.len() >= HEADER)?;
        let request = Request { kind: u16_at(bytes, 4)?, flags: u16_at(bytes, 6)?, sequence: u32_at(bytes, 8)?, whole };
        Some((request, bytes.get(len.next_multiple_of(4)..).unwrap_or_default()))
    }

    fn body(&self) -> &'a [u8] {
        self.whole.get(HEADER..).unwrap_or_default()
    }

    /// The family it asks about; 0: all.
    fn family(&self) -> u8 {
        self.body().first().copied().unwrap_or(0)
    }

    /// An attribute behind a body of this length.
    fn attribute(&self, body: usize, wanted: u16) -> Option<&'a [u8]> {
        let mut rest = self.body().get(body..)?;
        loop {
            let (len, kind) = (usize::from(u16_at(rest, 0)?), u16_at(rest, 2)?);
            let value = rest.get(4..len)?;
            if kind & 0x3fff == wanted {
                return Some(value);
            }
            rest = rest.get(len.next_multiple_of(4)..)?;
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

/// The datagrams that answer a datagram of requests.
pub(crate) fn replies(requests: &[u8], port: u32, interfaces: &[Interface], ways: &[Way]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = requests;
    while let Some((request, behind)) = Request::read(rest) {
        out.extend(reply(&request, port, interfaces, ways));
        rest = behind;
    }
    out
}

/// The datagrams that refuse a datagram of requests.
pub(crate) fn refusals(requests: &[u8], port: u32, error: i32) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = requests;
    while let Some((request, behind)) = Request::read(rest) {
        out.push(outcome(&request, port, -error));
        rest = behind;
    }
    out
}

fn reply(request: &Request<'_>, port: u32, interfaces: &[Interface], ways: &[Way]) -> Vec<Vec<u8>> {
    let family = request.family();
    if request.flags & DUMP != 0 {
        let parts: Vec<Vec<u8>> = match request.kind {
            GET_LINK => interfaces.iter().map(link).collect(),
            GET_ADDRESS => interfaces.iter().flat_map(|interface| addresses(interface, family)).collect(),
            GET_ROUTE => {
                ways.iter().filter(|way| asked(way.network, family)).map(|way| route(way, interfaces)).collect()
            }
            // Neighbours, rules and the like: there are none.
            _ => Vec::new(),
        };
        return listing(request, port, parts);
    }
    let answer = match request.kind {
        GET_LINK => one_link(request, interfaces).map(|body| (NEW_LINK, body)).ok_or(libc::ENODEV),
        GET_ROUTE => one_route(request, interfaces, ways).map(|body| (NEW_ROUTE, body)).ok_or(libc::ENETUNREACH),
        // A question that has only lists for answers, or that Linux does not know either.
        kind if kind % 4 == 2 => Err(libc::EOPNOTSUPP),
        _ => Err(libc::EPERM),
    };
    let mut out = match answer {
        Ok((kind, body)) => vec![message(kind, 0, request.sequence, port, &body)],
        Err(error) => return vec![outcome(request, port, -error)],
    };
    if request.flags & ACK != 0 {
        out.push(outcome(request, port, 0));
    }
    out
}

fn message(kind: u16, flags: u16, sequence: u32, port: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + body.len());
    out.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(flags.to_ne_bytes());
    out.extend(sequence.to_ne_bytes());
    out.extend(port.to_ne_bytes());
    out.extend(body);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// `struct nlmsgerr`; 0 is an acknowledgment.
fn outcome(request: &Request<'_>, port: u32, error: i32) -> Vec<u8> {
    let mut body = error.to_ne_bytes().to_vec();
    body.extend(if error == 0 { request.whole.get(..HEADER).unwrap_or_default() } else { request.whole });
    message(ERROR, 0, request.sequence, port, &body)
}

/// The parts of a list and its end, in as few datagrams as hold them.
fn listing(request: &Request<'_>, port: u32, parts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let kind = match request.kind {
        GET_LINK => NEW_LINK,
        GET_ADDRESS => NEW_ADDRESS,
        _ => NEW_ROUTE,
    };
    let parts = parts.iter().map(|body| message(kind, MULTI, request.sequence, port, body));
    let end = message(DONE, MULTI, request.sequence, port, &0_i32.to_ne_bytes());
    let mut out = vec![Vec::new()];
    for part in parts.chain([end]) {
        match out.last_mut() {
            Some(last) if last.len() + part.len() <= DATAGRAM => last.extend(part),
            _ => out.push(part),
        }
    }
    out
}

fn attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend(((4 + value.len()) as u16).to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn family_of(ip: IpAddr) -> u8 {
    (if ip.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }) as u8
}

fn asked(ip: IpAddr, family: u8) -> bool {
    family == 0 || family == family_of(ip)
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

/// `struct ifinfomsg` with its attributes.
fn link(interface: &Interface) -> Vec<u8> {
    let mut out = vec![0, 0];
    out.extend(interface.hardware().to_ne_bytes());
    out.extend(interface.number.to_ne_bytes());
    out.extend(interface.flags().to_ne_bytes());
    out.extend([0; 4]);
    attribute(&mut out, libc::IFLA_IFNAME, &string(&interface.name));
    attribute(&mut out, libc::IFLA_TXQLEN, &1000_u32.to_ne_bytes());
    // IF_OPER_UNKNOWN, as the kernel says of loopback and TUN devices.
    attribute(&mut out, libc::IFLA_OPERSTATE, &[0]);
    attribute(&mut out, libc::IFLA_LINKMODE, &[0]);
    attribute(&mut out, libc::IFLA_MTU, &(interface.mtu as u32).to_ne_bytes());
    attribute(&mut out, libc::IFLA_GROUP, &0_u32.to_ne_bytes());
    attribute(&mut out, libc::IFLA_QDISC, &string("noqueue"));
    attribute(&mut out, libc::IFLA_STATS64, &statistics(interface));
    if interface.is_loopback {
        attribute(&mut out, libc::IFLA_ADDRESS, &[0; 6]);
        attribute(&mut out, libc::IFLA_BROADCAST, &[0; 6]);
    }
    out
}

/// `struct rtnl_link_stats64`.
fn statistics(interface: &Interface) -> Vec<u8> {
    const FIELDS: usize = 25;
    let count = interface.traffic;
    let known = [count.rx_packets, count.tx_packets, count.rx_bytes, count.tx_bytes, 0, 0, count.rx_dropped];
    known.into_iter().chain(core::iter::repeat(0)).take(FIELDS).flat_map(u64::to_ne_bytes).collect()
}

fn one_link(request: &Request<'_>, interfaces: &[Interface]) -> Option<Vec<u8>> {
    const BODY: usize = 16;
    let number = u32_at(request.body(), 4)?;
    let name = request.attribute(BODY, libc::IFLA_IFNAME);
    let name = name.map(|name| name.split(|byte| *byte == 0).next().unwrap_or_default());
    let is_it = |interface: &&Interface| match name {
        _ if number != 0 => interface.number == number,
        Some(name) => interface.name.as_bytes() == name,
        None => false,
    };
    interfaces.iter().find(is_it).map(link)
}

/// `enum rt_scope_t`.
const EVERYWHERE: u8 = 0;
const ON_LINK: u8 = 253;
const ON_HOST: u8 = 254;

/// `struct ifaddrmsg` with its attributes, for each address of a family.
fn addresses(interface: &Interface, family: u8) -> impl Iterator<Item = Vec<u8>> {
    const PERMANENT: u8 = libc::IFA_F_PERMANENT as u8;
    interface.addresses.iter().filter(move |(ip, _)| asked(*ip, family)).map(|(ip, prefix)| {
        let scope = match ip {
            _ if interface.is_loopback => ON_HOST,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => ON_LINK,
            _ => EVERYWHERE,
        };
        let mut out = vec![family_of(*ip), *prefix, PERMANENT, scope];
        out.extend(interface.number.to_ne_bytes());
        attribute(&mut out, libc::IFA_ADDRESS, &octets(*ip));
        if let IpAddr::V4(v4) = ip {
            attribute(&mut out, libc::IFA_LOCAL, &v4.octets());
            if !interface.is_loopback && *prefix < 31 {
                let last = v4.to_bits() | u32::MAX.checked_shr((*prefix).into()).unwrap_or(0);
                attribute(&mut out, libc::IFA_BROADCAST, &Ipv4Addr::from_bits(last).octets());
            }
            attribute(&mut out, libc::IFA_LABEL, &string(&interface.name));
        }
        attribute(&mut out, libc::IFA_FLAGS, &u32::from(PERMANENT).to_ne_bytes());
        // Preferred and valid for ever.
        attribute(&mut out, libc::IFA_CACHEINFO, &[[0xff; 8], [0; 8]].concat());
        out
    })
}

/// `struct rtmsg` with its attributes.
fn route(way: &Way, interfaces: &[Interface]) -> Vec<u8> {
    const MAIN: u8 = libc::RT_TABLE_MAIN;
    let (protocol, scope) = match (way.via, way.prefix) {
        (None, 1..) => (libc::RTPROT_KERNEL, if way.network.is_ipv4() { ON_LINK } else { EVERYWHERE }),
        (None, 0) => (libc::RTPROT_BOOT, if way.network.is_ipv4() { ON_LINK } else { EVERYWHERE }),
        (Some(_), _) => (libc::RTPROT_BOOT, EVERYWHERE),
    };
    let mut out = vec![family_of(way.network), way.prefix, 0, 0, MAIN, protocol, scope, libc::RTN_UNICAST];
    out.extend([0; 4]);
    attribute(&mut out, libc::RTA_TABLE, &u32::from(MAIN).to_ne_bytes());
    if way.prefix != 0 {
        attribute(&mut out, libc::RTA_DST, &octets(way.network));
    }
    if let Some(via) = way.via {
        attribute(&mut out, libc::RTA_GATEWAY, &octets(via));
    }
    attribute(&mut out, libc::RTA_OIF, &way.out.to_ne_bytes());
    if way.network.is_ipv4()
        && way.prefix != 0
        && let Some(source) = source(way, interfaces)
    {
        attribute(&mut out, libc::RTA_PREFSRC, &octets(source));
    }
    out
}

/// The address that packets along a way come from.
fn source(way: &Way, interfaces: &[Interface]) -> Option<IpAddr> {
    let interface = interfaces.iter().find(|interface| interface.number == way.out)?;
    interface.addresses.iter().map(|(ip, _)| *ip).find(|ip| ip.is_ipv4() == way.network.is_ipv4())
}

/// `ip route get`: the way to one address, by the longest prefix.
fn one_route(request: &Request<'_>, interfaces: &[Interface], ways: &[Way]) -> Option<Vec<u8>> {
    const BODY: usize = 12;
    let asked = request.attribute(BODY, libc::RTA_DST)?;
    let destination = match request.family() {
        family if family == libc::AF_INET as u8 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(asked).ok()?)),
        family if family == libc::AF_INET6 as u8 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(asked).ok()?)),
        _ => return None,
    };
    let leads = |way: &&Way| shares(destination, way.network, way.prefix);
    let own = interfaces.iter().find(|interface| {
        interface
            .addresses
            .iter()
            .any(|(ip, prefix)| *ip == destination || (interface.is_loopback && shares(destination, *ip, *prefix)))
    });
    let longest = ways.iter().filter(leads).max_by_key(|way| way.prefix);
    let (via, out) = match (own, longest) {
        (Some(_), _) => (None, interfaces.iter().find(|interface| interface.is_loopback)?.number),
        (None, way) => (way?.via, way?.out),
    };
    let kind = if own.is_some() { libc::RTN_LOCAL } else { libc::RTN_UNICAST };
    let bits = if destination.is_ipv4() { 32 } else { 128 };
    let mut body = vec![family_of(destination), bits, 0, 0, libc::RT_TABLE_MAIN, 0, EVERYWHERE, kind];
    // RTM_F_CLONED: made for the question.
    body.extend(0x200_u32.to_ne_bytes());
    attribute(&mut body, libc::RTA_TABLE, &u32::from(libc::RT_TABLE_MAIN).to_ne_bytes());
    attribute(&mut body, libc::RTA_DST, &octets(destination));
    if let Some(via) = via {
        attribute(&mut body, libc::RTA_GATEWAY, &octets(via));
    }
    attribute(&mut body, libc::RTA_OIF, &out.to_ne_bytes());
    let from = match own {
        Some(_) => Some(destination),
        None => source(&Way { network: destination, prefix: bits, via, out }, interfaces),
    };
    if let Some(from) = from {
        attribute(&mut body, libc::RTA_PREFSRC, &octets(from));
    }
    Some(body)
}

/// Whether two addresses have their first bits in common.
fn shares(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let differ = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => u128::from(one.to_bits() ^ other.to_bits()) << 96,
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() ^ other.to_bits(),
        _ => return false,
    };
    differ.leading_zeros() >= bits.into()
}
