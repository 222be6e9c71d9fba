//! The names the gateway knows by itself: its own, the test host's, and those
//! that RFC 6761 takes out of the DNS (`localhost`, `invalid`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use simple_dns::rdata::{A, AAAA, PTR, RData, SOA};
use simple_dns::{Name, TYPE};

use super::message::{Answer, Query};
use crate::destination::Addresses;

/// The zone's name and the test host's.
pub const TEST_HOST_NAME: &str = "segue.test";
/// The gateway's name.
pub const GATEWAY_NAME: &str = "gateway.segue.test";

/// Seconds an answer of the zone may be kept. Short: the same name may mean
/// another network in the next run.
const TTL: u32 = 60;

/// The built-in names with their addresses.
#[derive(Debug)]
pub(super) struct Zone {
    gateway: Addresses,
    test_host: Option<Addresses>,
}

impl Zone {
    pub(super) fn new(gateway: Addresses, test_host: Option<Addresses>) -> Self {
        Self { gateway, test_host }
    }

    /// The answer, when the name asked for is one of the zone's to answer for.
    pub(super) fn answer(&self, query: &Query) -> Option<Answer> {
        let name = query.name();
        if let Some(address) = reverse_address(name) {
            return self.reverse(query, address);
        }
        let apex = apex();
        if *name == apex {
            let addresses = self.test_host.map(|host| host.both().to_vec());
            let mut answer = addresses_for(query, &addresses.unwrap_or_default());
            if query.asks_for(TYPE::SOA) {
                answer.records.push(soa());
            }
            return Some(authoritative(answer));
        }
        if *name == Name::new_unchecked(GATEWAY_NAME) {
            return Some(authoritative(addresses_for(query, &self.gateway.both())));
        }
        if name.is_subdomain_of(&apex) {
            return Some(authoritative(Answer::no_such_name()));
        }
        match last_label(name)?.to_ascii_lowercase().as_slice() {
            // RFC 6761 6.3: every name under localhost is this host.
            b"localhost" => Some(addresses_for(query, &[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])),
            // RFC 6761 6.4.
            b"invalid" => Some(Answer::no_such_name()),
            _ => None,
        }
    }

    fn reverse(&self, query: &Query, address: IpAddr) -> Option<Answer> {
        let name = if self.gateway.contains(address) {
            GATEWAY_NAME
        } else if self.test_host.is_some_and(|host| host.contains(address)) {
            TEST_HOST_NAME
        } else if address == Ipv4Addr::LOCALHOST || address == Ipv6Addr::LOCALHOST {
            "localhost"
        } else {
            return None;
        };
        let mut answer = Answer { ttl: TTL, ..Answer::no_data() };
        if query.asks_for(TYPE::PTR) {
            answer.records.push(RData::PTR(PTR(Name::new_unchecked(name))));
        }
        Some(answer)
    }
}

/// The records among `addresses` that the question is for.
pub(super) fn addresses_for(query: &Query, addresses: &[IpAddr]) -> Answer {
    let records = addresses.iter().filter_map(|address| match address {
        IpAddr::V4(v4) if query.asks_for(TYPE::A) => Some(RData::A(A::from(*v4))),
        IpAddr::V6(v6) if query.asks_for(TYPE::AAAA) => Some(RData::AAAA(AAAA::from(*v6))),
        _ => None,
    });
    Answer { records: records.collect(), ttl: TTL, ..Answer::no_data() }
}

fn authoritative(answer: Answer) -> Answer {
    Answer { ttl: TTL, authority: Some((apex(), soa())), ..answer }
}

fn apex() -> Name<'static> {
    Name::new_unchecked(TEST_HOST_NAME)
}

fn soa() -> RData<'static> {
    RData::SOA(SOA {
        mname: Name::new_unchecked(GATEWAY_NAME),
        rname: Name::new_unchecked("hostmaster.segue.test"),
        serial: 1,
        refresh: 3600,
        retry: 600,
        expire: 86_400,
        minimum: TTL,
    })
}

fn last_label<'a>(name: &'a Name<'_>) -> Option<&'a [u8]> {
    name.as_bytes().last()
}

/// The address a name under in-addr.arpa or ip6.arpa stands for (RFC 1035 3.5,
/// RFC 3596 2.5); none when it is not a whole address.
pub(super) fn reverse_address(name: &Name<'_>) -> Option<IpAddr> {
    let labels: Vec<&[u8]> = name.as_bytes().collect();
    let (under, top) = labels.split_last_chunk::<2>()?;
    if !top[1].eq_ignore_ascii_case(b"arpa") {
        return None;
    }
    if top[0].eq_ignore_ascii_case(b"in-addr") && under.len() == 4 {
        let mut octets = [0u8; 4];
        for (octet, label) in octets.iter_mut().rev().zip(under) {
            let text = std::str::from_utf8(label).ok()?;
            *octet = text.parse().ok()?;
            // "01" and "+1" are other names than "1".
            if octet.to_string() != text {
                return None;
            }
        }
        return Some(Ipv4Addr::from(octets).into());
    }
    if top[0].eq_ignore_ascii_case(b"ip6") && under.len() == 32 {
        let mut bits = 0u128;
        for label in under.iter().rev() {
            let [digit] = label else { return None };
            bits = bits << 4 | u128::from(char::from(*digit).to_digit(16)?);
        }
        return Some(Ipv6Addr::from(bits).into());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reverse(name: &str) -> Option<IpAddr> {
        reverse_address(&Name::new(name).unwrap())
    }

    #[test]
    fn reverse_names_stand_for_whole_addresses_only() {
        assert_eq!(reverse("10.0.18.198.in-addr.ARPA"), Some("198.18.0.10".parse().unwrap()));
        let v6 = "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.5.6.5.7.7.6.5.6.3.5.d.F.ip6.arpa";
        assert_eq!(reverse(v6), Some("fd53:6567:7565::10".parse().unwrap()));
        for name in [
            "18.198.in-addr.arpa",
            "010.0.18.198.in-addr.arpa",
            "256.0.18.198.in-addr.arpa",
            "1.2.3.4.5.in-addr.arpa",
            "10.0.18.198.in-addr.test",
            "d.f.ip6.arpa",
            "arpa",
            "",
        ] {
            assert_eq!(reverse(name), None, "{name}");
        }
    }
}
