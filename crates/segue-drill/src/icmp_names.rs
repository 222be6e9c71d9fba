//! ICMP types and codes by name, for each IP version.
use segue_wire::IpVersion;

use crate::ast::{IcmpName, IcmpSpec};
use crate::source::{Diagnostic, Span};

type Table = &'static [(&'static str, u8)];

#[rustfmt::skip]
const TYPES_V4: Table = &[
    ("echo_reply", 0), ("unreachable", 3), ("source_quench", 4), ("redirect", 5), ("echo_request", 8),
    ("time_exceeded", 11), ("parameter_problem", 12), ("timestamp_request", 13), ("timestamp_reply", 14),
    ("information_request", 15), ("information_reply", 16), ("address_mask_request", 17), ("address_mask_reply", 18),
];
#[rustfmt::skip]
const UNREACHABLE_V4: Table = &[
    ("net_unreachable", 0), ("host_unreachable", 1), ("protocol_unreachable", 2), ("port_unreachable", 3),
    ("frag_needed", 4), ("source_route_failed", 5), ("net_unknown", 6), ("host_unknown", 7),
    ("source_host_isolated", 8), ("net_prohibited", 9), ("host_prohibited", 10), ("net_unreachable_for_tos", 11),
    ("host_unreachable_for_tos", 12), ("packet_filtered", 13), ("precedence_violation", 14), ("precedence_cutoff", 15),
];
#[rustfmt::skip]
const TYPES_V6: Table = &[
    ("unreachable", 1), ("packet_too_big", 2), ("time_exceeded", 3), ("parameter_problem", 4),
    ("echo_request", 128), ("echo_reply", 129),
];
#[rustfmt::skip]
const UNREACHABLE_V6: Table = &[
    ("net_unreachable", 0), ("no_route", 0), ("admin_prohibited", 1), ("not_neighbour", 2),
    ("address_unreachable", 3), ("port_unreachable", 4),
];
const EXCEEDED_V6: Table = &[("exceeded_hop_limit", 0), ("exceeded_frag_time", 1)];
const PARAMETER_V6: Table = &[("header_field", 0), ("unknown_next_header", 1), ("unknown_option", 2)];

/// Type and code of a message; an error says what the IP version has instead.
pub(crate) fn resolve(spec: &IcmpSpec, version: IpVersion, span: Span) -> Result<(u8, u8), Diagnostic> {
    let types = if version == IpVersion::V4 { TYPES_V4 } else { TYPES_V6 };
    let kind = find(&spec.kind, types, "type_", "ICMP type", version)?;
    let codes: Table = match (version, kind) {
        (IpVersion::V4, 3) => UNREACHABLE_V4,
        (IpVersion::V6, 1) => UNREACHABLE_V6,
        (IpVersion::V6, 3) => EXCEEDED_V6,
        (IpVersion::V6, 4) => PARAMETER_V6,
        _ => &[],
    };
    let code = match &spec.code {
        None => 0,
        Some(name) => find(name, codes, "code_", "ICMP code", version)?,
    };
    let has_mtu = matches!((version, kind, code), (IpVersion::V4, 3, 4) | (IpVersion::V6, 2, _));
    if spec.mtu.is_some() && !has_mtu {
        let name = if version == IpVersion::V4 { "unreachable frag_needed" } else { "packet_too_big" };
        return Err(Diagnostic::at(span, format!("`mtu` belongs to `icmp {name}` only")));
    }
    if version == IpVersion::V4 && spec.mtu.is_some_and(|mtu| mtu > 65_535) {
        return Err(Diagnostic::at(span, "the MTU of an ICMPv4 message is at most 65535"));
    }
    Ok((kind, code))
}

fn find(name: &IcmpName, table: Table, prefix: &str, what: &str, version: IpVersion) -> Result<u8, Diagnostic> {
    let by_name = table.iter().find(|(known, _)| *known == name.text).map(|(_, number)| *number);
    let by_number = || name.text.strip_prefix(prefix).and_then(|digits| digits.parse().ok());
    by_name.or_else(by_number).ok_or_else(|| {
        let known: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
        let message = format!("`{}` is no {what} of IP{version:?}", name.text).replace("IPV", "IPv");
        Diagnostic::at(name.span, message).note(format!("expected {prefix}N or one of: {}", known.join(" ")))
    })
}
