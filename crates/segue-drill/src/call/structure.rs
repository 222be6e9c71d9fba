//! `{tcpm_addr=..., tcpm_key="secret"}`: structures of options, field by field, by the names that C has for them.
//!
//! Decides what a field may be: `...` is the peer's address, what is left out is zero, but for the length of what is there.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::value::{SocketRef, field};
use crate::ast::{Expression, Field, Value};
use crate::run::Interpreter;
use crate::source::Diagnostic;
use crate::structure::{Layout, Place, put_address};

/// Fields of a structure with the numbers that they must have after getsockopt().
#[derive(Clone, Debug)]
pub(crate) struct ExpectedFields {
    layout: &'static Layout,
    fields: Vec<(String, u64)>,
}

impl ExpectedFields {
    pub(super) fn mismatch(&self, got: &[u8]) -> Option<String> {
        if got.len() < self.layout.length {
            return Some(format!("the option has {} bytes, expected {}", got.len(), self.layout.length));
        }
        let wrong: Vec<String> = self
            .fields
            .iter()
            .map(|(name, expected)| (name, expected, self.layout.number(got, name)))
            .filter(|(_, expected, got)| *expected != got)
            .map(|(name, expected, got)| format!("{name} is {got}, expected {expected}"))
            .collect();
        (!wrong.is_empty()).then(|| wrong.join("; "))
    }
}

impl Interpreter<'_> {
    /// The bytes of a structure.
    pub(super) fn structure(
        &self,
        layout: &Layout,
        fields: &[Field],
        socket: SocketRef,
    ) -> Result<Vec<u8>, Diagnostic> {
        let mut raw = vec![0; layout.length];
        for Field { name, size, value } in fields {
            if let Some(size) = size {
                return Err(Diagnostic::at(size.span, format!("{name} has no size in parentheses")));
            }
            match layout.place(name) {
                Some(Place::Address) => self.put_address(&mut raw, value, socket)?,
                Some(Place::Bytes(at, room)) => put_bytes(&mut raw[at..at + room], name, value)?,
                Some(Place::Number(..) | Place::Bit(..)) => {
                    let number = self.integer(value)?;
                    if !layout.put_number(&mut raw, name, number as u64) {
                        return Err(Diagnostic::at(value.span, format!("{number} does not fit {name}")));
                    }
                }
                None => return Err(unknown_field(layout, name, value)),
            }
        }
        for (length, of) in layout.lengths.iter().filter(|(length, _)| field(fields, length).is_none()) {
            let bytes = match field(fields, of).map(|field| &field.value.value) {
                Some(Value::Text(text)) => text.len() as u64,
                // Of an address: all its bits.
                Some(_) => layout.address(&raw).map_or(0, |address| if address.is_ipv4() { 32 } else { 128 }),
                None => 0,
            };
            layout.put_number(&mut raw, length, bytes);
        }
        Ok(raw)
    }

    /// The numbers that fields must have after getsockopt().
    pub(super) fn expected_fields(
        &self,
        layout: &'static Layout,
        fields: &[Field],
    ) -> Result<ExpectedFields, Diagnostic> {
        let number = |Field { name, value, .. }: &Field| match layout.place(name) {
            Some(Place::Number(..) | Place::Bit(..)) => Ok((name.clone(), self.integer(value)? as u64)),
            Some(Place::Address | Place::Bytes(..)) => {
                Err(Diagnostic::at(value.span, format!("{name} is no number: only numbers are compared")))
            }
            None => Err(unknown_field(layout, name, value)),
        };
        Ok(ExpectedFields { layout, fields: fields.iter().map(number).collect::<Result<_, _>>()? })
    }

    /// `...`, `inet_addr("192.0.2.1")`, or `{sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("192.0.2.1")}`.
    fn put_address(&self, raw: &mut [u8], value: &Expression, socket: SocketRef) -> Result<(), Diagnostic> {
        match &value.value {
            Value::Ellipsis => {
                let peer = self.address_for(socket.is_v6, self.settings.remote(), 0);
                put_address(raw, peer.ip(), None, 0);
            }
            Value::Structure(fields) => {
                let part = |names: [&str; 2]| names.iter().find_map(|name| field(fields, name));
                let Some(address) = part(["sin_addr", "sin6_addr"]) else { return Err(no_address(value)) };
                let family = part(["sa_family", "sin_family"]).map(|field| self.integer(&field.value)).transpose()?;
                let port = part(["sin_port", "sin6_port"]).map_or(Ok(0), |field| self.integer(&field.value))?;
                // htons() has put it in the order of the wire.
                let port = u16::from_be_bytes((port as u16).to_ne_bytes());
                put_address(raw, address_of(&address.value)?, family.map(|family| family as u16), port);
            }
            _ => put_address(raw, address_of(value)?, None, 0),
        }
        Ok(())
    }
}

fn put_bytes(room: &mut [u8], name: &str, value: &Expression) -> Result<(), Diagnostic> {
    let Value::Text(text) = &value.value else {
        return Err(Diagnostic::at(value.span, format!("{name} is text in quotation marks")));
    };
    match room.get_mut(..text.len()) {
        Some(place) => place.copy_from_slice(text),
        None => {
            let message = format!("{name} has room for {} bytes, found {}", room.len(), text.len());
            return Err(Diagnostic::at(value.span, message));
        }
    }
    Ok(())
}

fn address_of(value: &Expression) -> Result<IpAddr, Diagnostic> {
    let Value::Call(name, arguments) = &value.value else { return Err(no_address(value)) };
    let [Expression { value: Value::Text(text), .. }] = arguments.as_slice() else { return Err(no_address(value)) };
    let text = String::from_utf8_lossy(text);
    let parsed = match name.as_str() {
        "inet_addr" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "inet6_addr" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => return Err(no_address(value)),
    };
    parsed.ok_or_else(|| Diagnostic::at(value.span, format!("`{text}` is no address of this family")))
}

fn no_address(value: &Expression) -> Diagnostic {
    Diagnostic::at(
        value.span,
        "expected an address: `...` for the peer's, inet_addr(\"…\"), inet6_addr(\"…\") or {sa_family=…, sin_addr=…}",
    )
}

fn unknown_field(layout: &Layout, name: &str, value: &Expression) -> Diagnostic {
    let known: Vec<&str> = layout.fields.iter().map(|(name, _)| *name).collect();
    Diagnostic::at(value.span, format!("`{name}` is no field of {}: expected {}", layout.name, known.join(", ")))
}
