//! `/proc/net/dev`, `route`, `ipv6_route`, `if_inet6`, `igmp`, `igmp6` and `arp`: interfaces, their addresses and groups, and routes.

use core::cmp::Reverse;
use core::fmt::Write as _;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::stack::Stack;
use crate::{IfaceId, Route};

/// Flags of routes (`linux/route.h`, `linux/ipv6_route.h`).
const UP: u32 = 0x1;
const GATEWAY: u32 = 0x2;
const HOST: u32 = 0x4;
const REJECT: u32 = 0x200;
const NO_NEXT_HOP: u32 = 0x0020_0000;
const LOCAL: u32 = 0x8000_0000;
/// Metrics of IPv6 routes: of what an address brings, and of what somebody adds.
const METRIC_KERNEL: u32 = 256;
const METRIC_USER: u32 = 1024;
/// `IFA_F_PERMANENT`.
const PERMANENT: u32 = 0x80;

/// An IPv4 address as the word of memory that it is.
fn word(ip: Ipv4Addr) -> u32 {
    u32::from_ne_bytes(ip.octets())
}

/// An IPv6 address without its colons.
fn digits(ip: Ipv6Addr) -> String {
    format!("{:032x}", ip.to_bits())
}

fn mask(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0))
}

/// Where an address counts (`net/ipv6.h`, IPV6_ADDR_*).
fn scope(ip: Ipv6Addr) -> u32 {
    match ip {
        _ if ip.is_loopback() => 0x10,
        _ if ip.is_unicast_link_local() => 0x20,
        // Site-local addresses (RFC 3879 has deprecated them; the kernel still tells).
        _ if ip.segments()[0] & 0xffc0 == 0xfec0 => 0x40,
        _ => 0,
    }
}

impl Stack {
    fn name_of(&self, iface: IfaceId) -> &str {
        self.net.iface(iface).map_or("?", |config| &config.name)
    }

    pub(super) fn interface_table(&self) -> String {
        let mut out = String::from(
            "Inter-|   Receive                                                |  Transmit\n \
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls \
             carrier compressed\n",
        );
        for (id, config) in self.net.interfaces() {
            let count = self.net.traffic(id);
            let _ = writeln!(
                out,
                "{:>6}: {:7} {:7} {:4} {:4} {:4} {:5} {:10} {:9} {:8} {:7} {:4} {:4} {:4} {:5} {:7} {:10}",
                config.name,
                count.rx_bytes,
                count.rx_packets,
                0,
                count.rx_dropped,
                0,
                0,
                0,
                0,
                count.tx_bytes,
                count.tx_packets,
                0,
                0,
                0,
                0,
                0,
                0
            );
        }
        out
    }

    /// The routes of one family that are not of this host to itself, by address, then the longest prefix first.
    fn outward_routes(&self, v4: bool) -> Vec<&Route> {
        let is_it = |route: &&Route| route.destination.is_ipv4() == v4 && route.iface != IfaceId::LOOPBACK;
        let mut routes: Vec<&Route> = self.net.routes().filter(is_it).collect();
        routes.sort_by_key(|route| (route.destination.network().address(), Reverse(route.destination.prefix())));
        routes
    }

    pub(super) fn route_table(&self) -> String {
        const WIDTH: usize = 127;
        let title = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";
        let mut out = format!("{title:<WIDTH$}\n");
        for route in self.outward_routes(true) {
            let IpAddr::V4(network) = route.destination.network().address() else { continue };
            let prefix = route.destination.prefix();
            let via = match route.via {
                Some(IpAddr::V4(via)) => via,
                _ => Ipv4Addr::UNSPECIFIED,
            };
            let gateway = if via.is_unspecified() { 0 } else { GATEWAY };
            let flags = UP | gateway | if prefix == 32 { HOST } else { 0 };
            let line = format!(
                "{}\t{:08X}\t{:08X}\t{flags:04X}\t0\t0\t0\t{:08X}\t0\t0\t0",
                self.name_of(route.iface),
                word(network),
                word(via),
                word(mask(prefix)),
            );
            let _ = writeln!(out, "{line:<WIDTH$}");
        }
        out
    }

    pub(super) fn route6_table(&self) -> String {
        let none = digits(Ipv6Addr::UNSPECIFIED);
        let mut out = String::new();
        let mut line = |to: Ipv6Addr, prefix: u8, via: Option<Ipv6Addr>, metric: u32, flags: u32, name: &str| {
            let via = via.map_or_else(|| none.clone(), digits);
            let to = digits(to);
            let _ = writeln!(
                out,
                "{to} {prefix:02x} {none} 00 {via} {metric:08x} {:08x} {:08x} {flags:08x} {name:>8}",
                1, 0
            );
        };
        let mut routes = self.outward_routes(false);
        // Tries have the shorter prefix behind the longer: the default route is last.
        routes.sort_by_key(|route| Reverse(route.destination.prefix()));
        for route in routes {
            let IpAddr::V6(network) = route.destination.network().address() else { continue };
            let via = match route.via {
                Some(IpAddr::V6(via)) => Some(via),
                _ => None,
            };
            let prefix = route.destination.prefix();
            let own = self.net.iface(route.iface).is_some_and(|config| {
                config.addresses.iter().any(|cidr| cidr.network() == route.destination.network())
            });
            let metric = if own { METRIC_KERNEL } else { METRIC_USER };
            let flags = UP | if via.is_some() { GATEWAY } else { 0 } | if prefix == 128 { HOST } else { 0 };
            line(network, prefix, via, metric, flags, self.name_of(route.iface));
        }
        for (_, config) in self.net.interfaces() {
            for cidr in &config.addresses {
                let IpAddr::V6(address) = cidr.address() else { continue };
                line(address, 128, None, 0, LOCAL | NO_NEXT_HOP | UP, &config.name);
            }
        }
        for (_, config) in self.net.interfaces().filter(|(id, _)| *id != IfaceId::LOOPBACK) {
            line(Ipv6Addr::from_bits(0xff << 120), 8, None, METRIC_KERNEL, UP, &config.name);
        }
        // What no route leads to.
        line(Ipv6Addr::UNSPECIFIED, 0, None, u32::MAX, NO_NEXT_HOP | REJECT, self.name_of(IfaceId::LOOPBACK));
        out
    }

    pub(super) fn address6_table(&self) -> String {
        let mut out = String::new();
        for (id, config) in self.net.interfaces() {
            for cidr in &config.addresses {
                let IpAddr::V6(ip) = cidr.address() else { continue };
                let (number, prefix, scope) = (id.number(), cidr.prefix(), scope(ip));
                let _ = writeln!(
                    out,
                    "{} {number:02x} {prefix:02x} {scope:02x} {PERMANENT:02x} {:>8}",
                    digits(ip),
                    config.name
                );
            }
        }
        out
    }

    pub(super) fn group_table(&self) -> String {
        let mut out = String::from("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
        for (id, config) in self.net.interfaces() {
            // All hosts (RFC 1112 section 7.2) is what every interface is in; what was joined last comes first.
            let mut groups = self.net.joined(id).filter(|(group, _)| group.is_ipv4()).collect::<Vec<_>>();
            groups.sort_by_key(|(group, _)| Reverse(*group));
            groups.retain(|(group, _)| *group != IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)));
            groups.push((IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)), 1));
            let _ = writeln!(out, "{}\t{:<10}: {:5} {:>7}", id.number(), config.name, groups.len(), "V3");
            for (group, users) in groups {
                let IpAddr::V4(group) = group else { continue };
                let _ = writeln!(out, "\t\t\t\t{:08X} {users:5} 0:00000000\t\t0", word(group));
            }
        }
        out
    }

    pub(super) fn group6_table(&self) -> String {
        // MAF_LOADED; of what is never reported, MAF_NOREPORT.
        const LOADED: u32 = 4;
        const UNREPORTED: u32 = 8;
        let all = |first: u128| Ipv6Addr::from_bits(first << 112 | 1);
        let mut out = String::new();
        for (id, config) in self.net.interfaces() {
            let mut groups = self.net.joined(id).filter_map(|(group, users)| match group {
                IpAddr::V6(group) => Some((group, users, LOADED)),
                IpAddr::V4(_) => None,
            });
            // All nodes, of the link and of the interface (RFC 4291 section 2.8).
            let mut shown: Vec<_> = groups.by_ref().collect();
            shown.sort_by_key(|(group, ..)| Reverse(*group));
            shown.retain(|(group, ..)| *group != all(0xff02) && *group != all(0xff01));
            shown.extend([(all(0xff02), 1, LOADED | UNREPORTED), (all(0xff01), 1, UNREPORTED)]);
            for (group, users, flags) in shown {
                let _ =
                    writeln!(out, "{:<4} {:<15} {} {users:5} {flags:08X} 0", id.number(), config.name, digits(group));
            }
        }
        out
    }

    /// Links carry packets, no frames: nobody has been resolved.
    pub(super) fn neighbour_table(&self) -> String {
        String::from("IP address       HW type     Flags       HW address            Mask     Device\n")
    }
}
