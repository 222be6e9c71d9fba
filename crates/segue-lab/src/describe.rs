//! One packet in one line, in the words of tcpdump.
//!
//! Decides wording only. Sequence numbers are counted from the first of each direction, as tcpdump does; for that a
//! [`Describer`] remembers where each flow it has seen began. Meant for a lab's few flows: it forgets none.
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use segue_wire::{Ipv4Header, Ipv6Header, Packet, Protocol, TcpFlags, TcpHeader, UdpHeader, ipv6};

/// Turns packets into tcpdump's words.
#[derive(Debug, Default)]
pub struct Describer {
    /// First sequence number of each direction.
    bases: HashMap<(SocketAddr, SocketAddr), u32>,
}

/// Where a packet's transport header is, and between whom it travels.
struct Transport {
    protocol: Protocol,
    source: IpAddr,
    destination: IpAddr,
    offset: usize,
    fragment: bool,
}

fn transport(packet: &Packet) -> Option<Transport> {
    let head = packet.head();
    if let Ok((header, offset)) = Ipv4Header::parse_quoted(head) {
        return Some(Transport {
            protocol: header.protocol,
            source: header.source.into(),
            destination: header.destination.into(),
            offset,
            fragment: header.is_fragment(),
        });
    }
    let (header, _) = Ipv6Header::parse(head).ok()?;
    let chain = ipv6::walk(header.next_header, head, packet.len()).ok()?;
    Some(Transport {
        protocol: chain.protocol,
        source: header.source.into(),
        destination: header.destination.into(),
        offset: chain.offset,
        fragment: chain.fragment.is_some_and(|(fragment, _)| !fragment.is_atomic()),
    })
}

/// The TCP header of a packet with both ends; `None` when it carries none.
pub(crate) fn tcp_ends(packet: &Packet) -> Option<(SocketAddr, SocketAddr, TcpHeader)> {
    let transport = transport(packet)?;
    if transport.protocol != Protocol::TCP || transport.fragment {
        return None;
    }
    let (header, _, _) = TcpHeader::parse(packet.head().get(transport.offset..)?).ok()?;
    let from = SocketAddr::new(transport.source, header.source_port);
    let to = SocketAddr::new(transport.destination, header.destination_port);
    Some((from, to, header))
}

impl Describer {
    /// A describer that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The whole line, addresses included: `IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [S], seq 17, win 64240, …`.
    pub fn line(&mut self, packet: &Packet) -> String {
        let Some(transport) = transport(packet) else {
            return format!("unreadable packet, length {}", packet.len());
        };
        let family = if transport.source.is_ipv4() { "IP" } else { "IP6" };
        let port_of = |at: usize| {
            let ports = packet.head().get(transport.offset + at..transport.offset + at + 2)?;
            Some(u16::from_be_bytes([ports[0], ports[1]]))
        };
        let with_ports = matches!(transport.protocol, Protocol::TCP | Protocol::UDP) && !transport.fragment;
        let end = |address: IpAddr, at| match port_of(at).filter(|_| with_ports) {
            Some(port) => format!("{address}.{port}"),
            None => address.to_string(),
        };
        let from = end(transport.source, 0);
        let to = end(transport.destination, 2);
        format!("{family} {from} > {to}: {}", self.words(packet))
    }

    /// What the packet says, without addresses: `Flags [P.], seq 1:101, ack 1, win 502, length 100`.
    pub fn words(&mut self, packet: &Packet) -> String {
        let Some(transport) = transport(packet) else {
            return format!("unreadable packet, length {}", packet.len());
        };
        let length = packet.len().saturating_sub(transport.offset);
        if transport.fragment {
            return format!("{} fragment, length {length}", transport.protocol);
        }
        let front = packet.head().get(transport.offset..).unwrap_or_default();
        match transport.protocol {
            Protocol::TCP => self.tcp(&transport, front, length),
            Protocol::UDP => match UdpHeader::parse(front) {
                Ok((_, header_len)) => format!("UDP, length {}", length.saturating_sub(header_len)),
                Err(error) => format!("UDP, {error}"),
            },
            other => format!("{other}, length {length}"),
        }
    }

    fn tcp(&mut self, transport: &Transport, front: &[u8], length: usize) -> String {
        let (header, options, header_len) = match TcpHeader::parse(front) {
            Ok(parsed) => parsed,
            Err(error) => return format!("TCP, {error}"),
        };
        let from = SocketAddr::new(transport.source, header.source_port);
        let to = SocketAddr::new(transport.destination, header.destination_port);
        let payload = length.saturating_sub(header_len) as u32;
        let mut words = format!("Flags [{}]", flag_letters(header.flags));

        let opens = header.flags.contains(TcpFlags::SYN);
        if opens {
            self.bases.insert((from, to), header.sequence);
        }
        let base = *self.bases.entry((from, to)).or_insert(header.sequence);
        let relative = header.sequence.wrapping_sub(base);
        let shown = if opens { header.sequence } else { relative };
        if payload > 0 {
            let _ = write!(words, ", seq {shown}:{}", shown.wrapping_add(payload));
        } else if opens || header.flags.intersects(TcpFlags::FIN | TcpFlags::RST) {
            let _ = write!(words, ", seq {shown}");
        }
        if header.flags.contains(TcpFlags::ACK) {
            let theirs = self.bases.get(&(to, from)).copied().unwrap_or(0);
            let _ = write!(words, ", ack {}", header.acknowledgment.wrapping_sub(theirs));
        }
        let _ = write!(words, ", win {}", header.window);
        if header.flags.contains(TcpFlags::URG) {
            let _ = write!(words, ", urg {}", header.urgent);
        }
        if !options.is_empty() {
            let theirs = self.bases.get(&(to, from)).copied().unwrap_or(0);
            let _ = write!(words, ", options [{}]", option_words(options, theirs));
        }
        let _ = write!(words, ", length {payload}");
        words
    }
}

/// tcpdump's letters in tcpdump's order; `none` when no flag is set.
fn flag_letters(flags: TcpFlags) -> String {
    const LETTERS: [(TcpFlags, char); 9] = [
        (TcpFlags::FIN, 'F'),
        (TcpFlags::SYN, 'S'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::ACK, '.'),
        (TcpFlags::URG, 'U'),
        (TcpFlags::ECE, 'E'),
        (TcpFlags::CWR, 'W'),
        (TcpFlags::AE, 'e'),
    ];
    if flags.is_empty() {
        return "none".to_owned();
    }
    LETTERS.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, letter)| letter).collect()
}

/// The options in the order of the wire, padding included. `base` is where the numbers of SACK blocks are counted from.
fn option_words(mut rest: &[u8], base: u32) -> String {
    let mut words: Vec<String> = Vec::new();
    while let Some(kind) = rest.first() {
        if *kind < 2 {
            words.push(if *kind == 0 { "eol" } else { "nop" }.to_owned());
            rest = &rest[1..];
            if *kind == 0 {
                break;
            }
            continue;
        }
        let option = rest.get(1).and_then(|length| rest.get(2..usize::from(*length)));
        let Some(value) = option else {
            words.push("[bad opt]".to_owned());
            break;
        };
        words.push(option_word(*kind, value, base));
        rest = &rest[value.len() + 2..];
    }
    words.join(",")
}

fn option_word(kind: u8, value: &[u8], base: u32) -> String {
    let word = |at: usize| value.get(at..at + 4).map_or(0, |w| u32::from_be_bytes([w[0], w[1], w[2], w[3]]));
    match (kind, value.len()) {
        (2, 2) => format!("mss {}", u16::from_be_bytes([value[0], value[1]])),
        (3, 1) => format!("wscale {}", value[0]),
        (4, 0) => "sackOK".to_owned(),
        (5, length) if length.is_multiple_of(8) => {
            let blocks = (0..length / 8).map(|n| {
                let edge = |at| word(n * 8 + at).wrapping_sub(base);
                format!("{{{}:{}}}", edge(0), edge(4))
            });
            format!("sack {} {}", length / 8, blocks.collect::<String>())
        }
        (8, 8) => format!("TS val {} ecr {}", word(0), word(4)),
        (19, _) => "md5".to_owned(),
        (28, 2) => "uto".to_owned(),
        (29, _) => "tcp-ao".to_owned(),
        (34, _) => "tfo".to_owned(),
        (kind, _) => format!("unknown-{kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    /// An IPv4 packet with this TCP segment between 10.0.0.1:1025 and 10.0.0.2:80, one way or back.
    fn packet(back: bool, segment: &[u8]) -> Packet {
        let (a, b) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let header = Ipv4Header {
            total_length: 20 + segment.len() as u16,
            protocol: Protocol::TCP,
            source: if back { b } else { a },
            destination: if back { a } else { b },
            ..Ipv4Header::default()
        };
        let mut bytes = vec![0; 20];
        header.emit(&mut bytes);
        bytes.extend_from_slice(segment);
        Packet::from_bytes(Bytes::from(bytes))
    }

    fn segment(back: bool, seq: u32, ack: u32, flags: u8, options: &[u8], payload: &[u8]) -> Packet {
        let (from, to) = if back { (80u16, 1025u16) } else { (1025, 80) };
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&from.to_be_bytes());
        bytes.extend_from_slice(&to.to_be_bytes());
        bytes.extend_from_slice(&seq.to_be_bytes());
        bytes.extend_from_slice(&ack.to_be_bytes());
        bytes.push(((20 + options.len()) / 4) as u8 * 16);
        bytes.push(flags);
        bytes.extend_from_slice(&[1, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(options);
        bytes.extend_from_slice(payload);
        packet(back, &bytes)
    }

    #[test]
    fn a_connection_reads_as_tcpdump_prints_it() {
        let mut describer = Describer::new();
        let options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7];
        assert_eq!(
            describer.line(&segment(false, 5000, 0, 2, &options, b"")),
            "IP 10.0.0.1.1025 > 10.0.0.2.80: Flags [S], seq 5000, win 256, \
             options [mss 1460,sackOK,TS val 7 ecr 0,nop,wscale 7], length 0"
        );
        assert_eq!(
            describer.words(&segment(true, u32::MAX, 5001, 0x12, &[], b"")),
            "Flags [S.], seq 4294967295, ack 1, win 256, length 0"
        );
        assert_eq!(
            describer.words(&segment(false, 5001, 0, 0x18, &[], b"hello")),
            "Flags [P.], seq 1:6, ack 1, win 256, length 5"
        );
        let sack = [1, 1, 5, 10, 0, 0, 0x13, 0x93, 0, 0, 0x13, 0x9d];
        assert_eq!(
            describer.words(&segment(true, 0, 5006, 0x11, &sack, b"")),
            "Flags [F.], seq 1, ack 6, win 256, options [nop,nop,sack 1 {11:21}], length 0"
        );
        assert_eq!(describer.words(&segment(false, 5006, 0, 4, &[], b"")), "Flags [R], seq 6, win 256, length 0");
        assert_eq!(describer.words(&segment(false, 5006, 0, 0, &[], b"")), "Flags [none], win 256, length 0");
    }

    #[test]
    fn what_cannot_be_read_is_named_and_nothing_panics() {
        let mut describer = Describer::new();
        assert_eq!(describer.line(&Packet::from_bytes(Bytes::from_static(b"\x10abc"))), "unreadable packet, length 4");
        let whole = segment(false, 1, 2, 0x18, &[8, 10, 0, 0], b"x").to_bytes();
        assert!(describer.line(&Packet::from_bytes(whole.clone())).contains("[bad opt]"));
        for len in 0..whole.len() {
            let _ = describer.line(&Packet::from_bytes(whole.slice(..len)));
        }
    }
}
