//! Socket options and ioctl, by Linux's numbers.
use super::Check;
use super::value::{SocketRef, arguments, field};
use crate::ast::{Expression, SystemCall, Value};
use crate::host::Call;
use crate::run::{Interpreter, KeyChange};
use crate::source::Diagnostic;
use crate::structure::Layout;

impl Interpreter<'_> {
    /// An option's value as bytes; `structure` is what fields in braces are, if not those of SO_LINGER.
    fn option_value(
        &self,
        value: &Expression,
        structure: Option<&Layout>,
        socket: SocketRef,
    ) -> Result<Vec<u8>, Diagnostic> {
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
                if let Some(layout) = structure {
                    return self.structure(layout, fields, socket);
                }
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

    pub(super) fn call_setsockopt(&mut self, call: &SystemCall) -> Result<(Call, Check), Diagnostic> {
        let arguments = arguments(call, 5, 5)?;
        let socket = self.socket_argument(&arguments[0])?;
        let (level, name) = (self.integer(&arguments[1])? as i32, self.integer(&arguments[2])? as i32);
        let layout = Layout::of_option(level, name);
        let mut value = self.option_value(&arguments[3], layout, socket)?;
        if arguments[4].value != Value::Ellipsis {
            value.resize(self.size(&arguments[4])?, 0);
        }
        let check = match KeyChange::of_option(level, name, &value) {
            Some(change) => Check::Keys { endpoint: socket.endpoint, change },
            None => Check::Result,
        };
        Ok((Call::SetOption { fd: socket.live, level, name, value }, check))
    }

    pub(super) fn call_getsockopt(&mut self, call: &SystemCall) -> Result<(Call, Check), Diagnostic> {
        let arguments = arguments(call, 5, 5)?;
        let socket = self.socket_argument(&arguments[0])?;
        let (level, name) = (self.integer(&arguments[1])? as i32, self.integer(&arguments[2])? as i32);
        let length = match &arguments[4].value {
            Value::List(values) if values.len() == 1 => Some(self.size(&values[0])?),
            Value::Ellipsis => None,
            _ => return Err(Diagnostic::at(arguments[4].span, "expected the length in brackets, such as [4]")),
        };
        let value = match (&arguments[3].value, Layout::of_option(level, name)) {
            (Value::Ellipsis, _) => None,
            (Value::Structure(fields), Some(layout)) => {
                let expected = self.expected_fields(layout, fields)?;
                let room = vec![0; length.unwrap_or(layout.length)];
                return Ok((Call::GetOption { fd: socket.live, level, name, value: room }, Check::Fields(expected)));
            }
            _ => {
                let mut value = self.option_value(&arguments[3], None, socket)?;
                // A name comes with zeros behind it.
                if matches!(arguments[3].value, Value::Text(_)) {
                    value.resize(value.len().max(length.unwrap_or(0)), 0);
                }
                Some(value)
            }
        };
        let room = vec![0; length.unwrap_or(256)];
        let call = Call::GetOption { fd: socket.live, level, name, value: room };
        Ok((call, Check::Option(Expected { value, length })))
    }

    pub(super) fn call_ioctl(&mut self, call: &SystemCall) -> Result<(Call, Check), Diagnostic> {
        let arguments = arguments(call, 2, 3)?;
        let socket = self.socket_argument(&arguments[0])?;
        let request = self.integer(&arguments[1])? as u64;
        let expected = match arguments.get(2).map(|list| &list.value) {
            Some(Value::List(values)) => match values.as_slice() {
                [one] => Some(self.integer(one)?),
                _ => return Err(Diagnostic::at(call.span, "ioctl() takes one expected number in brackets")),
            },
            _ => None,
        };
        // FIONBIO reads the number, all others write one.
        let argument = expected.unwrap_or(0) as i32;
        Ok((Call::Ioctl { fd: socket.live, request, argument }, Check::Integer(expected)))
    }
}

/// The value and the length that getsockopt() must give; `None`: not looked at.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    value: Option<Vec<u8>>,
    length: Option<usize>,
}

impl Expected {
    pub(super) fn mismatch(&self, got: &[u8]) -> Option<String> {
        match (&self.value, self.length) {
            (_, Some(length)) if length != got.len() => {
                Some(format!("the option has {} bytes, expected {length}", got.len()))
            }
            (Some(expected), _) if expected != got => {
                Some(format!("the option is {}, expected {}", show(got), show(expected)))
            }
            _ => None,
        }
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
