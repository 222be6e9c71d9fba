//! The TCP part of a line: flags, numbers, window, options in the order of the wire.

use super::Endpoint;
use crate::bytes_at::{be16, be32, byte};
use crate::tcp::{TcpFlags, TcpHeader, TcpOptions, kind};
use crate::view::IpView;
use core::fmt;

/// Letters in tcpdump's order.
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

impl fmt::Display for TcpFlags {
    /// The letters of tcpdump: `S.`, `FP.`, `SEW`; `none` without any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (flag, letter) in LETTERS {
            if self.contains(flag) {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}

/// Writes addresses, ports and everything the header says. `length` is that of header and payload.
pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    view: &IpView,
    bytes: &[u8],
    length: usize,
    (sequence_base, ack_base): (u32, u32),
) -> fmt::Result {
    let (header, options, header_len) = match TcpHeader::parse(bytes) {
        Ok(parsed) => parsed,
        Err(error) => return write!(f, "{} > {}: TCP [{error}]", view.source, view.destination),
    };
    let payload = length.saturating_sub(header_len);
    let from = Endpoint(view.source, header.source_port);
    let to = Endpoint(view.destination, header.destination_port);
    write!(f, "{from} > {to}: Flags [{}]", header.flags)?;
    let sequence = header.sequence.wrapping_sub(sequence_base);
    if payload > 0 {
        write!(f, ", seq {sequence}:{}", sequence.wrapping_add(payload as u32))?;
    } else if header.flags.intersects(TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST) {
        write!(f, ", seq {sequence}")?;
    }
    if header.flags.contains(TcpFlags::ACK) {
        write!(f, ", ack {}", header.acknowledgment.wrapping_sub(ack_base))?;
    }
    write!(f, ", win {}", header.window)?;
    if header.flags.contains(TcpFlags::URG) {
        write!(f, ", urg {}", header.urgent)?;
    }
    if !options.is_empty() {
        f.write_str(", options [")?;
        write_options(f, options, ack_base)?;
        f.write_str("]")?;
    }
    write!(f, ", length {payload}")
}

fn write_options(f: &mut fmt::Formatter<'_>, mut rest: &[u8], ack_base: u32) -> fmt::Result {
    let mut separator = "";
    while let Some(kind) = rest.first() {
        f.write_str(separator)?;
        separator = ",";
        match *kind {
            kind::END => return f.write_str("eol"),
            kind::NOP => {
                f.write_str("nop")?;
                rest = &rest[1..];
            }
            kind => {
                let len = usize::from(byte(rest, 1));
                if len < 2 || len > rest.len() {
                    return write!(f, "bad length of kind {kind}");
                }
                let (option, tail) = rest.split_at(len);
                write_option(f, kind, option, ack_base)?;
                rest = tail;
            }
        }
    }
    Ok(())
}

fn write_option(f: &mut fmt::Formatter<'_>, kind: u8, option: &[u8], ack_base: u32) -> fmt::Result {
    let parsed = TcpOptions::parse(option);
    let data = &option[2..];
    match kind {
        _ if parsed.malformed => write!(f, "malformed-{kind}"),
        kind::MSS => write!(f, "mss {}", be16(data, 0)),
        kind::WINDOW_SCALE => write!(f, "wscale {}", byte(data, 0)),
        kind::SACK_PERMITTED => f.write_str("sackOK"),
        kind::SACK => {
            write!(f, "sack {} ", parsed.sack.len())?;
            for (left, right) in &parsed.sack {
                write!(f, "{{{}:{}}}", left.wrapping_sub(ack_base), right.wrapping_sub(ack_base))?;
            }
            Ok(())
        }
        kind::TIMESTAMPS => write!(f, "TS val {} ecr {}", be32(data, 0), be32(data, 4)),
        kind::MD5 => {
            f.write_str("md5 ")?;
            hex(f, data)
        }
        kind::AUTHENTICATION => {
            write!(f, "tcp-ao keyid {} rnextkeyid {} mac 0x", byte(data, 0), byte(data, 1))?;
            hex(f, data.get(2..).unwrap_or_default())
        }
        _ => write_rare_option(f, kind, &parsed, data),
    }
}

fn write_rare_option(f: &mut fmt::Formatter<'_>, kind: u8, parsed: &TcpOptions, data: &[u8]) -> fmt::Result {
    if let Some(timeout) = parsed.user_timeout {
        return write!(f, "uto {}{}", timeout.value, if timeout.minutes { "min" } else { "s" });
    }
    if let Some(cookie) = &parsed.fast_open {
        let name = if cookie.experimental { "exp-tfo" } else { "tfo" };
        return match cookie.is_request() {
            true => write!(f, "{name} cookiereq"),
            false => write!(f, "{name} cookie {cookie:?}"),
        };
    }
    if let Some(accecn) = &parsed.accecn {
        f.write_str("accecn")?;
        for (name, field) in [("e0b", accecn.ect0_bytes), ("ceb", accecn.ce_bytes), ("e1b", accecn.ect1_bytes)] {
            if let Some(value) = field {
                write!(f, " {name} {value}")?;
            }
        }
        return Ok(());
    }
    write!(f, "unknown-{kind}")?;
    if !data.is_empty() {
        f.write_str(" 0x")?;
        hex(f, data)?;
    }
    Ok(())
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for byte in bytes {
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}
