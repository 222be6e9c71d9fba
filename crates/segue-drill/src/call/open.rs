//! Making, naming, connecting and ending sockets.
use std::net::{IpAddr, SocketAddr};

use super::value::arguments;
use super::{Check, Descriptor, Kind};
use crate::ast::{SystemCall, Value};
use crate::host::{Call, Fd, Output};
use crate::run::Interpreter;
use crate::run::endpoint::{Endpoint, Role};
use crate::settings::Family;
use crate::source::Diagnostic;

const AF_INET: i64 = 2;
const AF_INET6: i64 = 10;

type Prepared = Result<(Call, Check), Diagnostic>;

impl Interpreter<'_> {
    pub(super) fn call_socket(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 3, 3)?;
        let (domain, kind, protocol) = (&arguments[0], &arguments[1], &arguments[2]);
        let domain = match domain.value {
            Value::Ellipsis if self.settings.family == Family::V4 => AF_INET,
            Value::Ellipsis => AF_INET6,
            _ => self.integer(domain)?,
        };
        let (kind, protocol) = (self.integer(kind)?, self.integer(protocol)?);
        let check = Check::Socket { is_v6: domain == AF_INET6, is_stream: kind & 0xf == 1 };
        Ok((Call::Socket { domain: domain as i32, kind: kind as i32, protocol: protocol as i32 }, check))
    }

    /// An address in the form that the socket's family wants.
    pub(super) fn address_for(&self, is_v6: bool, address: IpAddr, port: u16) -> SocketAddr {
        match address {
            IpAddr::V4(v4) if is_v6 => SocketAddr::new(v4.to_ipv6_mapped().into(), port),
            address => SocketAddr::new(address, port),
        }
    }

    /// The peer that the script plays, as a socket names it.
    pub(super) fn peer_address(&self, is_v6: bool) -> SocketAddr {
        self.address_for(is_v6, self.settings.remote(), self.settings.connect_port)
    }

    pub(super) fn call_bind(&mut self, call: &SystemCall) -> Prepared {
        let socket = self.socket_argument(&arguments(call, 3, 3)?[0])?;
        let port = self.settings.bind_port;
        let address = self.address_for(socket.is_v6, self.settings.local(), port);
        Ok((Call::Bind { fd: socket.live, address }, Check::Bound { endpoint: socket.endpoint, port }))
    }

    pub(super) fn call_listen(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 2, 2)?;
        let socket = self.socket_argument(&arguments[0])?;
        let backlog = self.integer(&arguments[1])? as i32;
        let check = Check::Listening { endpoint: socket.endpoint, live: socket.live };
        Ok((Call::Listen { fd: socket.live, backlog }, check))
    }

    pub(super) fn call_accept(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 3, 4)?;
        let socket = self.socket_argument(&arguments[0])?;
        let flags = arguments.get(3).map_or(Ok(0), |flags| self.integer(flags))?;
        let call = Call::Accept { fd: socket.live, flags: flags as i32 };
        Ok((call, Check::Accepted { is_v6: socket.is_v6 }))
    }

    pub(super) fn call_connect(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 3, 3)?;
        let socket = self.socket_argument(&arguments[0])?;
        if !matches!(arguments[1].value, Value::Ellipsis | Value::Structure(_)) && self.integer(&arguments[1])? == 0 {
            return Ok((Call::Connect { fd: socket.live, to: None }, Check::Result));
        }
        self.begin_connecting(socket.endpoint);
        let to = self.peer_address(socket.is_v6);
        let check = match socket.is_stream {
            true => Check::Result,
            false => Check::Connected { endpoint: socket.endpoint, live: socket.live },
        };
        Ok((Call::Connect { fd: socket.live, to: Some(to) }, check))
    }

    /// From now on the connection goes to the connect port.
    pub(super) fn begin_connecting(&mut self, endpoint: usize) {
        let port = self.settings.connect_port;
        let endpoint = &mut self.endpoints[endpoint];
        if endpoint.role == Role::Idle {
            endpoint.role = Role::Connecting;
            endpoint.remote.1 = Some(port);
        }
    }

    pub(super) fn call_shutdown(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 2, 2)?;
        let socket = self.socket_argument(&arguments[0])?;
        let how = self.integer(&arguments[1])? as i32;
        Ok((Call::Shutdown { fd: socket.live, how }, Check::Result))
    }

    /// The name is free as soon as the call is made.
    pub(super) fn call_close(&mut self, call: &SystemCall) -> Prepared {
        let (name, descriptor) = self.descriptor_argument(&arguments(call, 1, 1)?[0])?;
        self.descriptors.remove(&name);
        if let Kind::Socket { endpoint, .. } = descriptor.kind {
            self.endpoints[endpoint].socket = None;
        }
        Ok((Call::Close { fd: descriptor.live }, Check::Result))
    }

    pub(super) fn call_fcntl(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 2, 3)?;
        let (_, descriptor) = self.descriptor_argument(&arguments[0])?;
        let command = self.integer(&arguments[1])? as i32;
        if !(1..=4).contains(&command) {
            return Err(Diagnostic::at(call.span, "fcntl() knows F_GETFD, F_SETFD, F_GETFL and F_SETFL here"));
        }
        let argument = arguments.get(2).map_or(Ok(0), |flags| self.integer(flags))? as i32;
        Ok((Call::Fcntl { fd: descriptor.live, command, argument }, Check::Result))
    }

    /// What a call that succeeded changes in the interpreter's picture; the descriptor that it made.
    pub(super) fn take_note(&mut self, check: &Check, result: Result<i64, i32>, output: &Output) -> Option<Descriptor> {
        if let Check::Connected { endpoint, live } = *check {
            self.endpoints[endpoint].local.1 = self.local_port(live);
        }
        let live = Fd::try_from(result.ok()?).ok()?;
        match *check {
            Check::Socket { is_v6, is_stream } => {
                let mut endpoint = Endpoint::new(self.settings.local(), self.settings.remote(), !is_stream);
                endpoint.socket = Some(live);
                self.endpoints.push(endpoint);
                let endpoint = self.endpoints.len() - 1;
                self.current = Some(endpoint);
                Some(Descriptor { live, kind: Kind::Socket { endpoint, is_v6, is_stream } })
            }
            Check::Opened(kind) => Some(Descriptor { live, kind }),
            Check::Pipe((reader, writer)) => {
                if let Output::Pipe(live_reader, live_writer) = *output {
                    self.descriptors.insert(reader, Descriptor { live: live_reader, kind: Kind::File });
                    self.descriptors.insert(writer, Descriptor { live: live_writer, kind: Kind::File });
                }
                None
            }
            Check::Accepted { is_v6 } => {
                let port = match output {
                    Output::Address(peer) => Some(peer.port()),
                    _ => None,
                };
                let child = self.endpoints.iter().rposition(|end| end.role == Role::Passive && end.remote.1 == port);
                let endpoint = child.or(self.current).unwrap_or(0);
                self.endpoints[endpoint].socket = Some(live);
                Some(Descriptor { live, kind: Kind::Socket { endpoint, is_v6, is_stream: true } })
            }
            Check::Keys { endpoint, ref change } => {
                let keys = &mut self.endpoints[endpoint].keys;
                keys.apply(change.clone());
                None
            }
            Check::Bound { endpoint, port } => {
                self.endpoints[endpoint].local.1 = Some(port);
                None
            }
            Check::Listening { endpoint, live } => {
                self.endpoints[endpoint].role = Role::Listening;
                if self.endpoints[endpoint].local.1.is_none() {
                    self.endpoints[endpoint].local.1 = self.local_port(live);
                }
                None
            }
            _ => None,
        }
    }

    fn local_port(&mut self, live: Fd) -> Option<u16> {
        match self.host.ask(Call::LocalAddress { fd: live }).output {
            Output::Address(address) => Some(address.port()),
            _ => None,
        }
    }
}
