//! Headers around a packet: `ipv4 192.0.2.1 > 198.51.100.2:`, `gre flags [key present], sum 0, off 0, key=0x7, seq 0:`,
//! `mpls (label 16, tc 0, [S], ttl 64):`.
use std::net::IpAddr;

use super::cursor::{Cursor, Parsed};
use super::packet::ip_info;
use crate::ast::{Direction, Encapsulation, GreSpec, MplsEntry};
use crate::source::Diagnostic;

/// All of them, the outermost first.
pub(super) fn encapsulations(cursor: &mut Cursor<'_>, direction: Direction) -> Parsed<Vec<Encapsulation>> {
    let mut found = Vec::new();
    while let Some(word @ ("ipv4" | "ipv6" | "gre" | "mpls")) = cursor.peek_word()? {
        cursor.word("an encapsulation")?;
        let header = match word {
            "gre" => Encapsulation::Gre(gre(cursor)?),
            "mpls" => Encapsulation::Mpls(mpls(cursor)?),
            _ => {
                let info = ip_info(cursor, direction)?;
                let source = address(cursor, word == "ipv4")?;
                cursor.expect(">", "between the addresses of the encapsulation")?;
                Encapsulation::Ip { info, source, destination: address(cursor, word == "ipv4")? }
            }
        };
        cursor.expect(":", &format!("after the {word} encapsulation"))?;
        found.push(header);
    }
    Ok(found)
}

fn address(cursor: &mut Cursor<'_>, is_v4: bool) -> Parsed<IpAddr> {
    cursor.skip()?;
    let rest = cursor.rest();
    let length = rest.find(|c: char| !(c.is_ascii_hexdigit() || matches!(c, ':' | '.'))).unwrap_or(rest.len());
    // The colon behind the second address may stand close to it.
    let text = &rest[..length];
    let candidates = [text, text.strip_suffix(':').unwrap_or(text)];
    let found = candidates.iter().find_map(|text| {
        let address: IpAddr = text.parse().ok()?;
        (address.is_ipv4() == is_v4).then_some((address, text.len()))
    });
    let what = if is_v4 { "an IPv4 address" } else { "an IPv6 address" };
    let (address, length) = found.ok_or_else(|| cursor.unexpected(what))?;
    cursor.at += length;
    cursor.last_end = cursor.at;
    Ok(address)
}

/// Decimal or hexadecimal.
fn number(cursor: &mut Cursor<'_>, what: &str, max: u64) -> Parsed<u64> {
    let is_hexadecimal = cursor.peek_word()?.is_some_and(|word| word.starts_with("0x"));
    if is_hexadecimal { cursor.hexadecimal(what, max) } else { cursor.decimal(what, max) }
}

fn gre(cursor: &mut Cursor<'_>) -> Parsed<GreSpec> {
    let mut gre = GreSpec::default();
    cursor.eat(",")?;
    if cursor.peek(":")? {
        return Ok(gre);
    }
    let keyword = |cursor: &mut Cursor<'_>, word: &str| {
        cursor.eat(",")?;
        if cursor.eat_word(word)? { Ok(()) } else { Err(cursor.unexpected(&format!("`{word}` of the GRE header"))) }
    };
    keyword(cursor, "flags")?;
    gre.flags = if cursor.eat("[")? { gre_flags(cursor)? } else { number(cursor, "the GRE flags", 0xffff)? as u16 };
    keyword(cursor, "sum")?;
    gre.checksum = number(cursor, "the GRE checksum", 0xffff)? as u16;
    keyword(cursor, "off")?;
    gre.offset = number(cursor, "the GRE offset", 0xffff)? as u16;
    keyword(cursor, "key")?;
    cursor.eat("=")?;
    gre.key = number(cursor, "the GRE key", u32::MAX.into())? as u32;
    keyword(cursor, "seq")?;
    gre.sequence = number(cursor, "the GRE sequence number", u32::MAX.into())? as u32;
    Ok(gre)
}

/// `none`, `checksum present`, `key present`, `sequence present`, with commas.
fn gre_flags(cursor: &mut Cursor<'_>) -> Parsed<u16> {
    let mut flags = 0;
    loop {
        let what = "none, checksum, key or sequence";
        let (word, span) = cursor.word(what)?;
        flags |= match word {
            "none" => 0,
            "checksum" => GreSpec::CHECKSUM,
            "key" => GreSpec::KEY,
            "sequence" => GreSpec::SEQUENCE,
            other => return Err(Diagnostic::at(span, format!("expected {what}, found `{other}`"))),
        };
        if word != "none" && !cursor.eat_word("present")? {
            return Err(cursor.unexpected("`present`"));
        }
        if !cursor.eat(",")? {
            break;
        }
    }
    cursor.expect("]", "after the GRE flags")?;
    Ok(flags)
}

fn mpls(cursor: &mut Cursor<'_>) -> Parsed<Vec<MplsEntry>> {
    let mut stack = Vec::new();
    while cursor.eat("(")? {
        let part = |cursor: &mut Cursor<'_>, word: &str, max| {
            if !cursor.eat_word(word)? {
                return Err(cursor.unexpected(&format!("`{word}` of the MPLS label")));
            }
            cursor.decimal(&format!("the {word} of the MPLS label"), max)
        };
        let label = part(cursor, "label", 0xf_ffff)? as u32;
        cursor.expect(",", "after the label")?;
        let class = part(cursor, "tc", 7)? as u8;
        cursor.expect(",", "after the traffic class")?;
        let is_bottom = cursor.eat("[")?;
        if is_bottom {
            cursor.expect("S", "for the bottom of the stack")?;
            cursor.expect("]", "after `S`")?;
            cursor.expect(",", "after `[S]`")?;
        }
        let ttl = part(cursor, "ttl", 255)? as u8;
        cursor.expect(")", "after the MPLS label")?;
        stack.push(MplsEntry { label, class, is_bottom, ttl });
    }
    if stack.is_empty() {
        return Err(cursor.unexpected("`(label N, tc N, [S], ttl N)`"));
    }
    Ok(stack)
}
