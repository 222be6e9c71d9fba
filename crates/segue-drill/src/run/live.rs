//! A packet as it was captured from the stack under test, taken apart.
use segue_wire::{Bytes, Instant, IpVersion, IpView, Packet, Protocol, TcpFlags, TcpHeader};

use super::endpoint::Endpoint;

#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) time: Instant,
    pub(crate) view: IpView,
    pub(crate) version: IpVersion,
    pub(crate) flow_label: u32,
    /// The whole packet, for headers inside it.
    pub(crate) bytes: Bytes,
    pub(crate) body: LiveBody,
}

#[derive(Clone, Debug)]
pub(crate) enum LiveBody {
    Tcp { header: TcpHeader, options: Vec<u8>, payload: Vec<u8> },
    Udp { ports: (u16, u16), payload: Vec<u8> },
    Icmp { kind: u8, code: u8, rest: [u8; 4] },
    Other,
}

impl Live {
    /// What the stack sent; the error says why it is no packet at all.
    pub(crate) fn parse(time: Instant, packet: &Packet) -> Result<Live, String> {
        let view = IpView::parse(packet).map_err(|error| error.to_string())?;
        let version = packet.version().ok_or("neither IPv4 nor IPv6")?;
        let bytes = packet.to_bytes();
        let flow_label = match (version, bytes.get(..4)) {
            (IpVersion::V6, Some(&[_, a, b, c])) => u32::from_be_bytes([0, a & 15, b, c]),
            _ => 0,
        };
        let transport = bytes.get(view.transport..view.length).ok_or("it is shorter than its length field says")?;
        let port = |at: usize| transport.get(at..at + 2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]));
        let body = match view.protocol {
            _ if view.fragment.is_some() => LiveBody::Other,
            Protocol::TCP => {
                let (header, options, length) = TcpHeader::parse(transport).map_err(|error| error.to_string())?;
                LiveBody::Tcp { header, options: options.to_vec(), payload: transport[length..].to_vec() }
            }
            Protocol::UDP if transport.len() >= 8 => {
                LiveBody::Udp { ports: (port(0), port(2)), payload: transport[8..].to_vec() }
            }
            Protocol::ICMPV4 | Protocol::ICMPV6 if transport.len() >= 8 => LiveBody::Icmp {
                kind: transport[0],
                code: transport[1],
                rest: [transport[4], transport[5], transport[6], transport[7]],
            },
            _ => LiveBody::Other,
        };
        Ok(Live { time, view, version, flow_label, bytes, body })
    }

    /// The packet in a script's notation, with a script's numbers.
    pub(crate) fn describe(&self, endpoint: &Endpoint) -> String {
        match &self.body {
            LiveBody::Tcp { header, options, payload } => {
                let sequence = endpoint.script_sequence(header);
                let length = payload.len() as u32;
                let mut text =
                    format!("> {} {sequence}:{}({length})", flag_letters(header.flags), sequence.wrapping_add(length));
                if header.flags.contains(TcpFlags::ACK) || header.acknowledgment != 0 {
                    text += &format!(" ack {}", endpoint.script_acknowledgment(header));
                }
                text += &format!(" win {}", header.window);
                if header.urgent != 0 {
                    text += &format!(" urg {}", header.urgent);
                }
                if !options.is_empty() {
                    text += &format!(" <{}>", describe_options(options, endpoint, header.flags));
                }
                text
            }
            LiveBody::Udp { payload, .. } => format!("> udp ({})", payload.len()),
            LiveBody::Icmp { kind, code, .. } => format!("> icmp type_{kind} code_{code}"),
            LiveBody::Other => format!("> IP protocol {}", self.view.protocol.0),
        }
    }
}

/// The letters of a flag word, ACK last as `.`.
pub(crate) fn flag_letters(flags: TcpFlags) -> String {
    let letters = [
        (TcpFlags::SYN, 'S'),
        (TcpFlags::FIN, 'F'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::URG, 'U'),
        (TcpFlags::ECE, 'E'),
        (TcpFlags::CWR, 'W'),
        (TcpFlags::AE, 'A'),
        (TcpFlags::ACK, '.'),
    ];
    let word: String =
        letters.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, letter)| letter).collect();
    if word.is_empty() { "-".into() } else { word }
}

/// Raw options as kinds with their bodies; what does not parse ends the list with kind 255.
pub(crate) fn split_options(raw: &[u8]) -> Vec<(u8, &[u8])> {
    let mut options = Vec::new();
    let mut rest = raw;
    while let Some((&kind, tail)) = rest.split_first() {
        if kind <= 1 {
            options.push((kind, &[][..]));
            rest = tail;
            continue;
        }
        let length = tail.first().map_or(0, |length| usize::from(*length));
        let Some(body) = rest.get(2..length.max(2)).filter(|_| length >= 2) else {
            options.push((255, rest));
            break;
        };
        options.push((kind, body));
        rest = &rest[length..];
    }
    options
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe_options(raw: &[u8], endpoint: &Endpoint, flags: TcpFlags) -> String {
    let peer = if flags.contains(TcpFlags::SYN) { 0 } else { endpoint.peer_isn.unwrap_or(0) };
    let describe = |(kind, body): (u8, &[u8])| match (kind, body.len()) {
        (0, _) => "eol".to_owned(),
        (1, _) => "nop".into(),
        (2, 2) => format!("mss {}", u16::from_be_bytes([body[0], body[1]])),
        (3, 1) => format!("wscale {}", body[0]),
        (4, 0) => "sackOK".into(),
        (5, length) if length % 8 == 0 => {
            let block =
                |at: usize| format!(" {}:{}", word(body, at).wrapping_sub(peer), word(body, at + 4).wrapping_sub(peer));
            format!("sack{}", (0..length).step_by(8).map(block).collect::<String>())
        }
        (8, 8) => format!("TS val {} ecr {}", word(body, 0), word(body, 4)),
        (34, _) => format!("FO {}", hex(body)),
        (254, _) if body.starts_with(&[0xf9, 0x89]) => format!("FOEXP {}", hex(&body[2..])),
        (19, _) => format!("md5 {}", hex(body)),
        (29, 2..) => format!("ao keyid {} rnextkeyid {} mac {}", body[0], body[1], hex(&body[2..])),
        _ => format!("kind {kind} {}", hex(body)),
    };
    split_options(raw).into_iter().map(describe).collect::<Vec<_>>().join(",")
}
