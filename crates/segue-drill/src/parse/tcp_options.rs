//! TCP options: `<mss 1460,nop,wscale 7>`.
use super::cursor::{Cursor, Define, Parsed};
use super::expression::strings;
use crate::ast::{Digest, Direction, Mac, OptionSpec, OptionsSpec};
use crate::source::{Diagnostic, Span};

const EXPECTED: &str = "a TCP option (mss, nop, eol, wscale, sackOK, sack, TS, FO, FOEXP, md5, ao or ECN)";

/// Bytes of a digest of RFC 2385, and of a MAC of RFC 5926.
const DIGEST: usize = 16;
const AO_MAC: u8 = 12;

pub(super) fn list(cursor: &mut Cursor<'_>, direction: Direction) -> Parsed<OptionsSpec> {
    let opening = cursor.expect("<", "in front of TCP options")?;
    if cursor.eat("...")? {
        if direction == Direction::Inbound {
            return Err(Diagnostic::at(
                opening,
                "`<...>` is for outbound packets only: an injected packet needs its options",
            ));
        }
        cursor.expect(">", "after the TCP options")?;
        return Ok(OptionsSpec::Any);
    }
    let mut options = Vec::new();
    while !cursor.peek(">")? {
        options.push(option(cursor)?);
        if !cursor.eat(",")? {
            break;
        }
    }
    cursor.expect(">", "after the TCP options")?;
    let length: usize = options.iter().map(OptionSpec::length).sum();
    let span = Span { start: opening.start, end: cursor.last_end };
    if !length.is_multiple_of(4) {
        let message = format!("these TCP options are {length} bytes long, which is no multiple of 4: add nop or eol");
        return Err(Diagnostic::at(span, message));
    }
    if length > 40 {
        return Err(Diagnostic::at(
            span,
            format!("these TCP options are {length} bytes long: at most 40 fit a header"),
        ));
    }
    Ok(OptionsSpec::List(options))
}

fn option(cursor: &mut Cursor<'_>) -> Parsed<OptionSpec> {
    let (name, span) = cursor.word(EXPECTED)?;
    Ok(match name {
        "mss" => OptionSpec::Mss(cursor.decimal("the maximum segment size", 65_535)? as u16),
        "nop" => OptionSpec::Nop,
        "eol" => OptionSpec::End,
        "wscale" => OptionSpec::WindowScale(cursor.decimal("the window scale", 255)? as u8),
        "sackOK" => OptionSpec::SackPermitted,
        "sack" => OptionSpec::Sack(sack_blocks(cursor)?),
        "TS" => {
            cursor.expect("val", "and the timestamp value")?;
            let value = cursor.decimal("the timestamp value", u32::MAX.into())? as u32;
            cursor.expect("ecr", "and the timestamp echo")?;
            OptionSpec::Timestamps { value, echo: cursor.decimal("the timestamp echo", u32::MAX.into())? as u32 }
        }
        "FO" => OptionSpec::FastOpen(cookie(cursor)?),
        "FOEXP" => OptionSpec::FastOpenExperimental(cookie(cursor)?),
        "md5" => OptionSpec::Md5(digest(cursor, span)?),
        "ao" => ao(cursor)?,
        "ECN" => accecn(cursor)?,
        other => return Err(Diagnostic::at(span, format!("expected {EXPECTED}, found `{other}`"))),
    })
}

fn sack_blocks(cursor: &mut Cursor<'_>) -> Parsed<Vec<(u32, u32)>> {
    let mut blocks = Vec::new();
    loop {
        let left = cursor.decimal("the left edge of a SACK block", u32::MAX.into())? as u32;
        cursor.expect(":", "between the edges of a SACK block")?;
        blocks.push((left, cursor.decimal("the right edge of a SACK block", u32::MAX.into())? as u32));
        if !cursor.peek_char()?.is_some_and(|c| c.is_ascii_alphanumeric()) {
            return Ok(blocks);
        }
    }
}

/// Hexadecimal digits, possibly none.
fn cookie(cursor: &mut Cursor<'_>) -> Parsed<Vec<u8>> {
    if !cursor.peek_char()?.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(Vec::new());
    }
    let (word, span) = cursor.word("a cookie in hexadecimal")?;
    let digits = match cursor.defines.get(word) {
        Some(Define::Plain(text)) => text.clone(),
        Some(Define::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        _ => word.to_owned(),
    };
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            std::str::from_utf8(pair).ok().filter(|p| p.len() == 2).and_then(|p| u8::from_str_radix(p, 16).ok())
        })
        .collect();
    bytes.ok_or_else(|| Diagnostic::at(span, format!("expected pairs of hexadecimal digits, found `{digits}`")))
}

/// `0102…`, `valid` or `key "…"`.
fn digest(cursor: &mut Cursor<'_>, span: Span) -> Parsed<Digest> {
    if cursor.eat_word("valid")? {
        return Ok(Digest::Valid);
    }
    if cursor.eat_word("key")? {
        if !cursor.peek("\"")? {
            return Err(cursor.unexpected("the key in quotation marks"));
        }
        return Ok(Digest::Of(strings(cursor)?));
    }
    let digest = cookie(cursor)?;
    if digest.len() > DIGEST {
        return Err(Diagnostic::at(span, format!("an MD5 digest has at most {DIGEST} bytes, found {}", digest.len())));
    }
    Ok(Digest::Bytes(digest))
}

/// `keyid 1 rnextkeyid 2 mac 0102…` or `mac valid`, with `len 16` if it has not the 12 bytes of RFC 5926.
fn ao(cursor: &mut Cursor<'_>) -> Parsed<OptionSpec> {
    let mut number = |name: &str| {
        cursor.expect(name, "and a number")?;
        cursor.decimal(name, 255).map(|number| number as u8)
    };
    let (key_id, rnext_key_id) = (number("keyid")?, number("rnextkeyid")?);
    cursor.expect("mac", "and the MAC")?;
    let mac = match (cursor.eat_word("valid")?, cursor.peek_word()?) {
        (true, Some("len")) => {
            cursor.eat_word("len")?;
            Mac::Valid(cursor.decimal("the length of the MAC", 20)? as u8)
        }
        (true, _) => Mac::Valid(AO_MAC),
        (false, _) => Mac::Bytes(cookie(cursor)?),
    };
    Ok(OptionSpec::Ao { key_id, rnext_key_id, mac })
}

/// `e0b 1 ceb 2 e1b 3`: the field named first picks the kind (172: e0b, 174: e1b).
fn accecn(cursor: &mut Cursor<'_>) -> Parsed<OptionSpec> {
    let mut fields: Vec<(&str, u32)> = Vec::new();
    let mut span = Span { start: cursor.at, end: cursor.at };
    while let Some(name @ ("e0b" | "ceb" | "e1b")) = cursor.peek_word()? {
        let (_, at) = cursor.word("a counter")?;
        span = at;
        fields.push((name, cursor.decimal("an AccECN counter", 0xff_ffff)? as u32));
    }
    let orders: [(u8, [&str; 3]); 2] = [(172, ["e0b", "ceb", "e1b"]), (174, ["e1b", "ceb", "e0b"])];
    for (kind, order) in orders {
        if fields.iter().map(|(name, _)| *name).eq(order.into_iter().take(fields.len())) {
            return Ok(OptionSpec::AccEcn { kind, counters: fields.into_iter().map(|(_, count)| count).collect() });
        }
    }
    Err(Diagnostic::at(span, "AccECN counters come as `e0b ceb e1b` or `e1b ceb e0b`, from the first on"))
}

impl OptionSpec {
    /// Length on the wire, in bytes.
    pub(crate) fn length(&self) -> usize {
        match self {
            OptionSpec::Nop | OptionSpec::End => 1,
            OptionSpec::SackPermitted => 2,
            OptionSpec::WindowScale(_) => 3,
            OptionSpec::Mss(_) => 4,
            OptionSpec::Timestamps { .. } => 10,
            OptionSpec::Sack(blocks) => 2 + 8 * blocks.len(),
            OptionSpec::FastOpen(cookie) => 2 + cookie.len(),
            OptionSpec::FastOpenExperimental(cookie) => 4 + cookie.len(),
            OptionSpec::Md5(Digest::Bytes(digest)) => 2 + digest.len(),
            OptionSpec::Md5(Digest::Valid | Digest::Of(_)) => 2 + DIGEST,
            OptionSpec::Ao { mac: Mac::Bytes(mac), .. } => 4 + mac.len(),
            OptionSpec::Ao { mac: Mac::Valid(length), .. } => 4 + usize::from(*length),
            OptionSpec::AccEcn { counters, .. } => 2 + 3 * counters.len(),
        }
    }
    /// How many of the body's bytes are compared as they stand: a signature that must be valid is verified instead.
    pub(crate) fn literal(&self, body: usize) -> usize {
        match self {
            OptionSpec::Md5(Digest::Valid | Digest::Of(_)) => 0,
            OptionSpec::Ao { mac: Mac::Valid(_), .. } => 2,
            _ => body,
        }
    }
}
