//! Socket options and ioctl, by Linux's numbers.
use std::net::SocketAddr;

use segue_stack::MsgFlags;

use super::Outcome;
use super::value::{arguments, field};
use crate::ast::{Expression, SystemCall, Value};
use crate::run::Interpreter;
use crate::source::Diagnostic;

impl Interpreter<'_> {
    /// An option's value as bytes.
    fn option_value(&self, value: &Expression) -> Result<Vec<u8>, Diagnostic> {
        match &value.value {
            Value::List(values) => match values.as_slice() {
                [one] => Ok((self.integer(one)? as i32).to_ne_bytes().to_vec()),
                values => {
                    let message = format!("an option's value has one number in brackets, found {}", values.len());
                    Err(Diagnostic::at(value.span, message))
                }
            },
            Value::Text(text) => Ok(text.clone()),
            Value::Structure(fields) => {
                let (Some(on), Some(linger)) = (field(fields, "onoff"), field(fields, "linger")) else {
                    return Err(Diagnostic::at(value.span, "expected {onoff=…, linger=…}"));
                };
                let number = |expression| self.integer(expression).map(|number| (number as i32).to_ne_bytes());
                Ok([number(&on.value)?, number(&linger.value)?].concat())
            }
            Value::Call(name, arguments) => match (name.as_str(), arguments.first().map(|text| &text.value)) {
                ("inet6_addr", Some(Value::Text(text))) => {
                    address_bytes::<std::net::Ipv6Addr>(text, value).map(|address| address.octets().to_vec())
                }
                ("inet_addr", Some(Value::Text(text))) => {
                    address_bytes::<std::net::Ipv4Addr>(text, value).map(|address| address.octets().to_vec())
                }
                _ => Err(Diagnostic::at(value.span, "expected inet_addr(\"…\") or inet6_addr(\"…\")")),
            },
            _ => {
                Err(Diagnostic::at(value.span, "expected an option's value: [number], \"text\" or {onoff=…, linger=…}"))
            }
        }
    }

    pub(super) fn call_setsockopt(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let arguments = arguments(call, 5, 5)?;
        let (_, socket) = self.socket_argument(&arguments[0])?;
        let (level, name) = (self.integer(&arguments[1])? as i32, self.integer(&arguments[2])? as i32);
        let mut value = self.option_value(&arguments[3])?;
        value.resize(self.size(&arguments[4])?, 0);
        let result = self.machine.stack.setsockopt(self.machine.now, socket.id, level, name, &value);
        Ok(Outcome::of(result, |()| 0))
    }

    pub(super) fn call_getsockopt(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let arguments = arguments(call, 5, 5)?;
        let (_, socket) = self.socket_argument(&arguments[0])?;
        let (level, name) = (self.integer(&arguments[1])? as i32, self.integer(&arguments[2])? as i32);
        let length = match &arguments[4].value {
            Value::List(values) if values.len() == 1 => Some(self.size(&values[0])?),
            Value::Ellipsis => None,
            _ => return Err(Diagnostic::at(arguments[4].span, "expected the length in brackets, such as [4]")),
        };
        let expected = match arguments[3].value {
            Value::Ellipsis => None,
            _ => {
                let mut value = self.option_value(&arguments[3])?;
                // A name comes with zeros behind it.
                if matches!(arguments[3].value, Value::Text(_)) {
                    value.resize(value.len().max(length.unwrap_or(0)), 0);
                }
                Some(value)
            }
        };
        let mut buffer = vec![0; length.unwrap_or(256)];
        let used = match self.machine.stack.getsockopt(self.machine.now, socket.id, level, name, &mut buffer) {
            Ok(used) => used,
            Err(errno) => return Ok(Outcome::error(errno.0)),
        };
        buffer.truncate(used);
        let mismatch = match (expected, length) {
            (_, Some(length)) if length != used => Some(format!("the option has {used} bytes, expected {length}")),
            (Some(expected), _) if expected != buffer => {
                Some(format!("the option is {}, expected {}", show(&buffer), show(&expected)))
            }
            _ => None,
        };
        Ok(Outcome { mismatch, ..Outcome::ok(0) })
    }

    pub(super) fn call_ioctl(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let arguments = arguments(call, 2, 3)?;
        let (_, socket) = self.socket_argument(&arguments[0])?;
        let request = self.integer(&arguments[1])?;
        let now = self.machine.now;
        let got = match request {
            0x541b => {
                let mut buffer = vec![0; 16 << 20];
                match self.machine.stack.recv(now, socket.id, &mut buffer, MsgFlags::PEEK) {
                    Ok(count) => count as i64,
                    Err(errno) if errno.0 == 11 => 0,
                    Err(errno) => return Ok(Outcome::error(errno.0)),
                }
            }
            0x5411 => {
                let id = Some(socket.id);
                let found = self.machine.stack.sockets(now).find(|info| info.socket == id);
                found.map_or(0, |info| info.send_queue as i64)
            }
            _ => return Err(Diagnostic::at(arguments[1].span, "ioctl() knows SIOCINQ (FIONREAD) and SIOCOUTQ here")),
        };
        let Some(Value::List(values)) = arguments.get(2).map(|list| &list.value) else { return Ok(Outcome::ok(0)) };
        let [one] = values.as_slice() else {
            return Err(Diagnostic::at(call.span, "ioctl() takes one expected number in brackets"));
        };
        let expected = self.integer(one)?;
        let mismatch = (expected != got).then(|| format!("the value is {got}, expected {expected}"));
        Ok(Outcome { mismatch, ..Outcome::ok(0) })
    }

    /// The address that a `to` argument of a datagram call means.
    pub(super) fn peer_address(&self, is_v6: bool) -> SocketAddr {
        self.address_for(is_v6, self.settings.remote(), self.settings.connect_port)
    }
}

fn address_bytes<T: std::str::FromStr>(text: &[u8], value: &Expression) -> Result<T, Diagnostic> {
    let text = String::from_utf8_lossy(text);
    text.parse().map_err(|_| Diagnostic::at(value.span, format!("`{text}` is no address of this family")))
}

fn show(bytes: &[u8]) -> String {
    match bytes {
        [a, b, c, d] => i32::from_ne_bytes([*a, *b, *c, *d]).to_string(),
        [a, b, c, d, e, f, g, h] => {
            format!("{{{}, {}}}", i32::from_ne_bytes([*a, *b, *c, *d]), i32::from_ne_bytes([*e, *f, *g, *h]))
        }
        bytes => format!("\"{}\"", bytes.escape_ascii()),
    }
}
