//! Making, naming, connecting and ending sockets.
use std::net::{IpAddr, SocketAddr};

use segue_stack::{Domain, Ready, Shutdown, SocketType};

use super::value::arguments;
use super::{Descriptor, Operation, Outcome};
use crate::ast::{SystemCall, Value};
use crate::run::Interpreter;
use crate::run::endpoint::{Endpoint, Role};
use crate::settings::Family;
use crate::source::Diagnostic;
use crate::symbols;

const AF_INET: i64 = 2;
const AF_INET6: i64 = 10;
const NONBLOCK: i64 = 0o4000;
const EINPROGRESS: i32 = 115;
const EAGAIN: i32 = 11;

impl Interpreter<'_> {
    pub(super) fn call_socket(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let arguments = arguments(call, 3, 3)?;
        let (domain, kind, protocol) = (&arguments[0], &arguments[1], &arguments[2]);
        let family = match domain.value {
            Value::Ellipsis if self.settings.family == Family::V4 => AF_INET,
            Value::Ellipsis => AF_INET6,
            _ => self.integer(domain)?,
        };
        let (kind, protocol) = (self.integer(kind)?, self.integer(protocol)?);
        let domain = match family {
            AF_INET => Domain::Inet,
            AF_INET6 => Domain::Inet6,
            _ => return Ok(Outcome::error(97)),
        };
        let socket_type = match (kind & 0xf, protocol) {
            (1, 0 | 6) => SocketType::Stream,
            (2, 0 | 17) => SocketType::Datagram,
            (2, 1 | 58) => SocketType::Icmp,
            (1 | 2, _) => return Ok(Outcome::error(93)),
            _ => return Ok(Outcome::error(94)),
        };
        let id = match self.machine.stack.socket(domain, socket_type) {
            Ok(id) => id,
            Err(errno) => return Ok(Outcome::error(errno.0)),
        };
        let is_stream = socket_type == SocketType::Stream;
        let mut endpoint = Endpoint::new(self.settings.local(), self.settings.remote(), !is_stream);
        endpoint.socket = Some(id);
        self.endpoints.push(endpoint);
        let endpoint = self.endpoints.len() - 1;
        self.current = Some(endpoint);
        let made = Descriptor::Socket {
            id,
            endpoint,
            is_nonblocking: kind & NONBLOCK != 0,
            is_v6: domain == Domain::Inet6,
            is_stream,
        };
        Ok(Outcome { made: Some(made), ..Outcome::ok(0) })
    }

    /// An address in the form that the socket's family wants.
    pub(super) fn address_for(&self, is_v6: bool, address: IpAddr, port: u16) -> SocketAddr {
        match address {
            IpAddr::V4(v4) if is_v6 => SocketAddr::new(v4.to_ipv6_mapped().into(), port),
            address => SocketAddr::new(address, port),
        }
    }

    pub(super) fn call_bind(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let (_, socket) = self.socket_argument(&arguments(call, 3, 3)?[0])?;
        let port = self.settings.bind_port;
        let address = self.address_for(socket.is_v6, self.settings.local(), port);
        let result = self.machine.stack.bind(self.machine.now, socket.id, address);
        if result.is_ok() {
            self.endpoints[socket.endpoint].local.1 = Some(port);
        }
        Ok(Outcome::of(result, |()| 0))
    }

    pub(super) fn call_listen(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let arguments = arguments(call, 2, 2)?;
        let (_, socket) = self.socket_argument(&arguments[0])?;
        let backlog = self.integer(&arguments[1])? as i32;
        let result = self.machine.stack.listen(socket.id, backlog);
        if result.is_ok() {
            let endpoint = &mut self.endpoints[socket.endpoint];
            endpoint.role = Role::Listening;
            if endpoint.local.1.is_none() {
                endpoint.local.1 = self.machine.stack.local_addr(socket.id).ok().map(|address| address.port());
            }
        }
        Ok(Outcome::of(result, |()| 0))
    }

    pub(super) fn prepare_accept(&mut self, call: &SystemCall) -> Result<Operation, Diagnostic> {
        let arguments = arguments(call, 3, 4)?;
        let (listener, _) = self.socket_argument(&arguments[0])?;
        let flags = arguments.get(3).map_or(Ok(0), |flags| self.integer(flags))?;
        Ok(Operation::Accept { listener, flags })
    }

    pub(super) fn attempt_accept(&mut self, listener: i64, flags: i64) -> Option<Outcome> {
        let socket = self.socket(listener)?;
        match self.machine.stack.accept(self.machine.now, socket.id) {
            Ok((id, peer)) => {
                let port = Some(peer.port());
                let child = self.endpoints.iter().rposition(|end| end.role == Role::Passive && end.remote.1 == port);
                let endpoint = child.or(self.current).unwrap_or(socket.endpoint);
                self.endpoints[endpoint].socket = Some(id);
                let made = Descriptor::Socket {
                    id,
                    endpoint,
                    is_nonblocking: flags & NONBLOCK != 0,
                    is_v6: socket.is_v6,
                    is_stream: true,
                };
                Some(Outcome { made: Some(made), ..Outcome::ok(0) })
            }
            Err(errno) if errno.0 == EAGAIN && !socket.is_nonblocking => None,
            Err(errno) => Some(Outcome::error(errno.0)),
        }
    }

    pub(super) fn prepare_connect(&mut self, call: &SystemCall) -> Result<Operation, Diagnostic> {
        let arguments = arguments(call, 3, 3)?;
        let (fd, socket) = self.socket_argument(&arguments[0])?;
        if !matches!(arguments[1].value, Value::Ellipsis | Value::Structure(_)) && self.integer(&arguments[1])? == 0 {
            let result = self.machine.stack.disconnect(self.machine.now, socket.id);
            return Ok(Operation::Over(Outcome::of(result, |()| 0)));
        }
        Ok(Operation::Connect { fd, started: false })
    }

    pub(super) fn attempt_connect(&mut self, fd: i64, started: &mut bool) -> Option<Outcome> {
        let socket = self.socket(fd)?;
        if *started {
            let ready = self.machine.stack.readiness(socket.id);
            if !ready.intersects(Ready::OUT | Ready::ERR | Ready::HUP) {
                return None;
            }
            let error = self.machine.stack.take_error(self.machine.now, socket.id).ok().flatten();
            return Some(error.map_or_else(|| Outcome::ok(0), |errno| Outcome::error(errno.0)));
        }
        *started = true;
        self.begin_connecting(socket.endpoint);
        let address = self.address_for(socket.is_v6, self.settings.remote(), self.settings.connect_port);
        let result = self.machine.stack.connect(self.machine.now, socket.id, address);
        if !socket.is_stream {
            self.endpoints[socket.endpoint].local.1 =
                self.machine.stack.local_addr(socket.id).ok().map(|address| address.port());
        }
        match result {
            Err(errno) if errno.0 == EINPROGRESS && !socket.is_nonblocking => None,
            result => Some(Outcome::of(result, |()| 0)),
        }
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

    pub(super) fn call_shutdown(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let arguments = arguments(call, 2, 2)?;
        let (_, socket) = self.socket_argument(&arguments[0])?;
        let how = match self.integer(&arguments[1])? {
            0 => Shutdown::Read,
            1 => Shutdown::Write,
            2 => Shutdown::Both,
            _ => return Ok(Outcome::error(22)),
        };
        Ok(Outcome::of(self.machine.stack.shutdown(self.machine.now, socket.id, how), |()| 0))
    }

    pub(super) fn call_close(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let fd = self.descriptor_number(&arguments(call, 1, 1)?[0])?;
        let socket = self.socket(fd);
        self.descriptors.remove(&fd);
        for descriptor in self.descriptors.values_mut() {
            if let Descriptor::Epoll(epoll) = descriptor {
                epoll.forget(fd);
            }
        }
        let Some(socket) = socket else { return Ok(Outcome::ok(0)) };
        self.endpoints[socket.endpoint].socket = None;
        Ok(Outcome::of(self.machine.stack.close(self.machine.now, socket.id), |()| 0))
    }

    pub(super) fn call_fcntl(&mut self, call: &SystemCall) -> Result<Outcome, Diagnostic> {
        let arguments = arguments(call, 2, 3)?;
        let (fd, socket) = self.socket_argument(&arguments[0])?;
        let command = self.integer(&arguments[1])?;
        if Some(command) == symbols::lookup("F_GETFL") {
            return Ok(Outcome::ok(2 | if socket.is_nonblocking { NONBLOCK } else { 0 }));
        }
        if Some(command) == symbols::lookup("F_SETFL") {
            let flags = arguments.get(2).map_or(Ok(0), |flags| self.integer(flags))?;
            if let Some(Descriptor::Socket { is_nonblocking, .. }) = self.descriptors.get_mut(&fd) {
                *is_nonblocking = flags & NONBLOCK != 0;
            }
            return Ok(Outcome::ok(0));
        }
        Err(Diagnostic::at(call.span, "fcntl() knows F_GETFL and F_SETFL here"))
    }
}
