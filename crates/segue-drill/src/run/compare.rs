//! What is different between the packet a script expects and the one that came.
//!
//! Decides what is compared: not the IP identification, DF, the TCP checksum, nor ports.
use segue_wire::{Ecn, IpVersion, TcpFlags, TcpHeader};

use super::endpoint::Endpoint;
use super::inject::encode;
use super::live::{Live, LiveBody, flag_letters, split_options};
use crate::ast::{Body, EcnSpec, IcmpSpec, IpInfo, OptionSpec, OptionsSpec, PacketSpec, TcpSpec};
use crate::icmp_names;
use crate::source::Diagnostic;

/// Everything that differs, one line each. Learns flow labels and timestamps on the way.
pub(super) fn differences(
    packet: &PacketSpec,
    live: &Live,
    endpoint: &mut Endpoint,
    version: IpVersion,
) -> Result<Vec<String>, Diagnostic> {
    let mut found = Vec::new();
    if live.version != version {
        found.push(format!("IP version: expected {version:?}, got {:?}", live.version));
    }
    ip_fields(&packet.ip, live, endpoint, &mut found);
    match (&packet.body, &live.body) {
        (Body::Tcp(spec), LiveBody::Tcp { header, options, payload }) => {
            segment(spec, header, payload, endpoint, &mut found);
            tcp_options(spec, options, endpoint, live, &mut found);
        }
        (Body::Udp(spec), LiveBody::Udp { payload, .. }) => {
            differ(&mut found, "UDP payload length", usize::from(spec.length), payload.len());
            if payload.iter().any(|byte| *byte != 0) {
                found.push("payload: expected zeros, got something else".into());
            }
        }
        (Body::Icmp(spec), LiveBody::Icmp { kind, code, rest }) => {
            icmp(spec, packet, (*kind, *code, *rest), version, &mut found)?;
        }
        (body, _) => {
            let expected = match body {
                Body::Tcp(_) => "TCP",
                Body::Udp(_) => "UDP",
                Body::Icmp(_) => "ICMP",
            };
            found.push(format!("protocol: expected {expected}, got IP protocol {}", live.view.protocol.0));
        }
    }
    Ok(found)
}

fn differ<T: PartialEq + std::fmt::Display>(found: &mut Vec<String>, what: &str, expected: T, got: T) {
    if expected != got {
        found.push(format!("{what}: expected {expected}, got {got}"));
    }
}

fn ip_fields(info: &IpInfo, live: &Live, endpoint: &mut Endpoint, found: &mut Vec<String>) {
    let class = live.view.traffic_class;
    match info.ecn {
        Some(EcnSpec::Is(bits)) if class & 3 != bits => {
            let name = |bits| Ecn::from_traffic_class(bits);
            found.push(format!("ECN bits: expected {:?}, got {:?}", name(bits), name(class)));
        }
        Some(EcnSpec::Ect01) if !matches!(class & 3, 1 | 2) => {
            found.push(format!("ECN bits: expected ECT(0) or ECT(1), got {:?}", Ecn::from_traffic_class(class)));
        }
        _ => {}
    }
    if let Some(tos) = info.tos.filter(|tos| *tos != class) {
        found.push(format!("type of service: expected {tos:#x}, got {class:#x}"));
    }
    if let Some(ttl) = info.ttl {
        differ(found, "TTL", ttl, live.view.hop_limit);
    }
    let Some(script) = info.flow_label else { return };
    let label = live.flow_label;
    let known = endpoint.flow_labels.iter().find(|(known, _)| *known == script).map(|(_, live)| *live);
    let other = endpoint.flow_labels.iter().find(|(known, live)| *known != script && *live == label);
    match (known, other) {
        (Some(known), _) if known != label => {
            found.push(format!("flow label {script:#x}: was {known:#x} on the wire, now it is {label:#x}"));
        }
        (None, Some((other, _))) => {
            found.push(format!("flow label {script:#x}: must differ from {other:#x}, but is the same on the wire"));
        }
        (None, None) => endpoint.flow_labels.push((script, label)),
        _ => {}
    }
}

fn segment(spec: &TcpSpec, header: &TcpHeader, payload: &[u8], endpoint: &Endpoint, found: &mut Vec<String>) {
    differ(found, "flags", flag_letters(spec.flags), flag_letters(header.flags));
    differ(found, "reserved bits", 0, header.reserved);
    differ(found, "sequence number", spec.sequence.first, endpoint.script_sequence(header));
    let acknowledgment = endpoint.script_acknowledgment(header);
    // A literal zero is what "nothing" looks like when ACK is not set.
    differ(found, "acknowledgment number", spec.acknowledgment.unwrap_or(0), acknowledgment);
    differ(found, "payload length", usize::from(spec.sequence.length), payload.len());
    if let Some(window) = spec.window {
        differ(found, "window", window, header.window);
    }
    differ(found, "urgent pointer", spec.urgent, header.urgent);
    if payload.iter().any(|byte| *byte != 0) {
        found.push("payload: expected zeros, got something else".into());
    }
}

fn tcp_options(spec: &TcpSpec, raw: &[u8], endpoint: &mut Endpoint, live: &Live, found: &mut Vec<String>) {
    let OptionsSpec::List(expected) = &spec.options else { return };
    let is_syn = spec.flags.contains(TcpFlags::SYN);
    let got = split_options(raw);
    let expected: Vec<(u8, Vec<u8>, &OptionSpec)> = expected
        .iter()
        .map(|option| {
            let mut bytes = Vec::new();
            match option {
                OptionSpec::Sack(blocks) => {
                    let live = |edge| endpoint.live_peer(edge, is_syn);
                    let blocks = blocks.iter().map(|(left, right)| (live(*left), live(*right))).collect();
                    encode(&OptionSpec::Sack(blocks), &mut bytes);
                }
                option => encode(option, &mut bytes),
            }
            (bytes[0], bytes.get(2..).unwrap_or_default().to_vec(), option)
        })
        .collect();
    let kinds = |kinds: Vec<u8>| kinds.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let expected_kinds: Vec<u8> = expected.iter().map(|(kind, ..)| *kind).collect();
    let got_kinds: Vec<u8> = got.iter().map(|(kind, _)| *kind).collect();
    if expected_kinds != got_kinds {
        let message = format!("TCP option kinds: expected [{}], got [{}]", kinds(expected_kinds), kinds(got_kinds));
        found.push(message);
        return;
    }
    for ((kind, body, option), (_, bytes)) in expected.iter().zip(&got) {
        if let (OptionSpec::Timestamps { value, .. }, Some(live_value)) = (option, bytes.first_chunk::<4>()) {
            let live_value = u32::from_be_bytes(*live_value);
            endpoint.stamps.insert(*value, live_value);
            endpoint.first_stamp.get_or_insert((*value, live_value, live.time));
        } else if body.len() != bytes.len() || !bytes.starts_with(&body[..option.literal(body.len())]) {
            found.push(format!("TCP option of kind {kind}: expected {body:02x?}, got {bytes:02x?}"));
        }
    }
}

fn icmp(
    spec: &IcmpSpec,
    packet: &PacketSpec,
    (kind, code, rest): (u8, u8, [u8; 4]),
    version: IpVersion,
    found: &mut Vec<String>,
) -> Result<(), Diagnostic> {
    let (expected_kind, expected_code) = icmp_names::resolve(spec, version, packet.span)?;
    differ(found, "ICMP type", expected_kind, kind);
    differ(found, "ICMP code", expected_code, code);
    if let Some(mtu) = spec.mtu {
        let got = match version {
            IpVersion::V4 => u32::from(u16::from_be_bytes([rest[2], rest[3]])),
            IpVersion::V6 => u32::from_be_bytes(rest),
        };
        differ(found, "MTU", mtu, got);
    }
    if let Some(identifier) = spec.identifier {
        differ(found, "identifier", identifier, u16::from_be_bytes([rest[0], rest[1]]));
    }
    Ok(())
}
