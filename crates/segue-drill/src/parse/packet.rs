//! Packets: direction, IP fields, and TCP and UDP.
use segue_wire::TcpFlags;

use super::cursor::{Cursor, Parsed};
use super::{encapsulation, icmp, tcp_options};
use crate::ast::{Body, Direction, EcnSpec, IpInfo, OptionsSpec, PacketSpec, Ports, SequenceRange, TcpSpec, UdpSpec};
use crate::source::{Diagnostic, Span};

pub(super) fn packet(cursor: &mut Cursor<'_>) -> Parsed<PacketSpec> {
    cursor.skip()?;
    let start = cursor.at;
    let direction = if cursor.eat("<")? {
        Direction::Inbound
    } else {
        cursor.expect(">", "or `<` in front of a packet")?;
        Direction::Outbound
    };
    // What stands in front of headers around a packet is about the packet, as it is behind them.
    let before = ip_info(cursor, direction)?;
    let encapsulations = encapsulation::encapsulations(cursor, direction)?;
    let ip = if encapsulations.is_empty() { before } else { ip_info(cursor, direction)? };
    let body = match cursor.peek_word()? {
        Some("icmp") => Body::Icmp(icmp::icmp(cursor)?),
        Some("udp") => Body::Udp(udp(cursor)?),
        _ => Body::Tcp(tcp(cursor, direction)?),
    };
    Ok(PacketSpec { direction, ip, encapsulations, body, span: Span { start, end: cursor.last_end } })
}

pub(super) fn ip_info(cursor: &mut Cursor<'_>, direction: Direction) -> Parsed<IpInfo> {
    let mut info = IpInfo::default();
    let close = if cursor.eat("[")? {
        "]"
    } else if cursor.eat("(")? {
        ")"
    } else {
        return Ok(info);
    };
    loop {
        let what = "an IP field (ect0, ect1, ect01, ce, noecn, tos, ttl or flowlabel)";
        let (field, span) = cursor.word(what)?;
        match field {
            "noecn" => info.ecn = Some(EcnSpec::Is(0)),
            "ect1" => info.ecn = Some(EcnSpec::Is(1)),
            "ect0" => info.ecn = Some(EcnSpec::Is(2)),
            "ce" => info.ecn = Some(EcnSpec::Is(3)),
            "ect01" if direction == Direction::Inbound => {
                return Err(Diagnostic::at(span, "`ect01` is for outbound packets only: inject `ect0` or `ect1`"));
            }
            "ect01" => info.ecn = Some(EcnSpec::Ect01),
            "tos" => info.tos = Some(cursor.hexadecimal("the type of service", 0xff)? as u8),
            "ttl" => info.ttl = Some(cursor.decimal("the time to live", 255)? as u8),
            "flowlabel" => info.flow_label = Some(cursor.hexadecimal("the flow label", 0xf_ffff)? as u32),
            other => return Err(Diagnostic::at(span, format!("expected {what}, found `{other}`"))),
        }
        if !cursor.eat(",")? {
            break;
        }
    }
    cursor.expect(close, "after the IP fields")?;
    Ok(info)
}

fn udp(cursor: &mut Cursor<'_>) -> Parsed<UdpSpec> {
    cursor.word("`udp`")?;
    let ports = ports(cursor)?;
    cursor.expect("(", "and the length of the UDP payload")?;
    let length = cursor.decimal("the length of the UDP payload", 65_507)? as u16;
    cursor.expect(")", "after the length")?;
    Ok(UdpSpec { ports, length })
}

/// `5555 > 8080`, when it comes next.
fn ports(cursor: &mut Cursor<'_>) -> Parsed<Option<Ports>> {
    let Some(word) = cursor.peek_word()? else { return Ok(None) };
    let is_ports =
        word.chars().all(|c| c.is_ascii_digit()) && cursor.rest()[word.len()..].trim_start().starts_with('>');
    if !is_ports {
        return Ok(None);
    }
    let source = cursor.decimal("the source port", 65_535)? as u16;
    cursor.expect(">", "between the ports")?;
    Ok(Some((source, cursor.decimal("the destination port", 65_535)? as u16)))
}

fn tcp(cursor: &mut Cursor<'_>, direction: Direction) -> Parsed<TcpSpec> {
    let ports = ports(cursor)?;
    let flags = flags(cursor)?;
    let sequence = sequence(cursor)?;
    let acknowledgment = if cursor.eat_word("ack")? {
        Some(cursor.decimal("the acknowledgment number", u32::MAX.into())? as u32)
    } else {
        None
    };
    let window = if cursor.eat_word("win")? {
        Some(cursor.decimal("the window", 65_535)? as u16)
    } else if direction == Direction::Inbound {
        return Err(cursor.unexpected("`win` and the window: an inbound packet needs one"));
    } else {
        None
    };
    let urgent = if cursor.eat_word("urg")? { cursor.decimal("the urgent pointer", 65_535)? as u16 } else { 0 };
    let options = if cursor.peek("<")? { tcp_options::list(cursor, direction)? } else { OptionsSpec::List(Vec::new()) };
    Ok(TcpSpec { ports, flags, sequence, acknowledgment, window, urgent, options })
}

/// `first:last(length)`.
pub(super) fn sequence(cursor: &mut Cursor<'_>) -> Parsed<SequenceRange> {
    cursor.skip()?;
    let start = cursor.at;
    let first = cursor.decimal("the first sequence number", u32::MAX.into())? as u32;
    cursor.expect(":", "between the sequence numbers")?;
    let last = cursor.decimal("the last sequence number", u32::MAX.into())? as u32;
    cursor.expect("(", "and the length of the payload")?;
    let length = cursor.decimal("the length of the payload", 65_535)? as u16;
    cursor.expect(")", "after the length of the payload")?;
    let expected = first.wrapping_add(length.into());
    if last != expected {
        let message = format!("the last sequence number must be first + length: expected {expected}, found {last}");
        return Err(Diagnostic::at(Span { start, end: cursor.last_end }, message));
    }
    Ok(SequenceRange { first, length })
}

fn flags(cursor: &mut Cursor<'_>) -> Parsed<TcpFlags> {
    cursor.skip()?;
    let rest = cursor.rest();
    let start = cursor.at;
    if let Some(tail) = rest.strip_prefix('-')
        && tail.starts_with(|c: char| c.is_whitespace())
    {
        cursor.at += 1;
        cursor.last_end = cursor.at;
        return Ok(TcpFlags::empty());
    }
    let length = rest.find(|c: char| !(super::cursor::is_word(c) || c == '.')).unwrap_or(rest.len());
    let mut word = rest[..length].to_owned();
    // Without a blank in between, what follows the dot is the sequence number.
    if rest[length..].starts_with(':') {
        let dot = word.find('.').map(|at| at + 1);
        word.truncate(dot.unwrap_or(0));
    }
    if word.is_empty() {
        return Err(cursor.unexpected("TCP flags (letters of FSRPUEWA, `.` for ACK, `-` for none), `icmp` or `udp`"));
    }
    cursor.at += word.len();
    cursor.last_end = cursor.at;
    let span = cursor.span_from(start);
    if let Some(super::Define::Plain(text)) = cursor.defines.get(&word) {
        word = text.clone();
    }
    flag_word(&word, span)
}

fn flag_word(word: &str, span: Span) -> Parsed<TcpFlags> {
    let mut flags = TcpFlags::empty();
    let mut ace = None;
    for (index, letter) in word.char_indices() {
        // An ACE digit may stand before or after the dot; a letter may not follow it.
        if flags.contains(TcpFlags::ACK) && !letter.is_ascii_digit() {
            let message = format!("`.` (ACK) comes last: expected a sequence number after `{}`", &word[..index]);
            return Err(Diagnostic::at(span, message));
        }
        flags |= match letter {
            'F' => TcpFlags::FIN,
            'S' => TcpFlags::SYN,
            'R' => TcpFlags::RST,
            'P' => TcpFlags::PSH,
            '.' => TcpFlags::ACK,
            'U' => TcpFlags::URG,
            'E' => TcpFlags::ECE,
            'W' => TcpFlags::CWR,
            'A' => TcpFlags::AE,
            '0'..='7' if ace.is_none() => {
                ace = letter.to_digit(8);
                TcpFlags::empty()
            }
            _ => {
                let message =
                    format!("`{letter}` is no TCP flag: expected letters of FSRPUEWA, a digit 0 to 7, or `.`");
                return Err(Diagnostic::at(span, message));
            }
        };
    }
    match ace {
        Some(_) if flags.intersects(TcpFlags::ECE | TcpFlags::CWR | TcpFlags::AE) => {
            Err(Diagnostic::at(span, "a digit stands for the ACE field and cannot be mixed with the flags E, W or A"))
        }
        Some(ace) => Ok(flags.with_ace(ace as u8)),
        None => Ok(flags),
    }
}
