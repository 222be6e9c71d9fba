//! ICMP: `icmp unreachable frag_needed mtu 1240 [1:1461(1460)]`.
use super::cursor::{Cursor, Parsed};
use super::packet::sequence;
use crate::ast::{IcmpName, IcmpSpec, Quotation};

pub(super) fn icmp(cursor: &mut Cursor<'_>) -> Parsed<IcmpSpec> {
    cursor.word("`icmp`")?;
    let kind = name(cursor, "an ICMP type")?;
    let is_code = matches!(cursor.peek_word()?, Some(word)
        if !matches!(word, "mtu" | "id") && word.starts_with(|c: char| c.is_ascii_alphabetic()));
    let code = if is_code { Some(name(cursor, "an ICMP code")?) } else { None };
    let mtu = if cursor.eat_word("mtu")? { Some(cursor.decimal("the MTU", u32::MAX.into())? as u32) } else { None };
    let identifier = if cursor.eat_word("id")? { Some(cursor.decimal("the identifier", 65_535)? as u16) } else { None };
    Ok(IcmpSpec { kind, code, mtu, identifier, quotation: quotation(cursor)? })
}

fn name(cursor: &mut Cursor<'_>, what: &str) -> Parsed<IcmpName> {
    let (text, span) = cursor.defined_word(what)?;
    Ok(IcmpName { text, span })
}

fn quotation(cursor: &mut Cursor<'_>) -> Parsed<Quotation> {
    if !cursor.eat("[")? {
        return Ok(Quotation::Default);
    }
    let quotation = match cursor.peek_word()? {
        Some(word @ ("udp" | "raw")) => {
            cursor.word("udp or raw")?;
            cursor.expect("(", "and a length")?;
            let length = cursor.decimal("the quoted length", 1400)? as u16;
            cursor.expect(")", "after the length")?;
            if word == "udp" { Quotation::Udp(length) } else { Quotation::Raw(length) }
        }
        _ => Quotation::Tcp(sequence(cursor)?),
    };
    cursor.expect("]", "after the quoted packet")?;
    Ok(quotation)
}
