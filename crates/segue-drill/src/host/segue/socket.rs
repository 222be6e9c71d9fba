//! Making, naming, connecting and ending sockets; options, ioctl, fcntl.
use std::net::SocketAddr;

use segue_stack::{Domain, MsgFlags, Ready, Shutdown, SocketId, SocketType, Stack};

use super::SegueHost;
use super::descriptor::{EAGAIN, EINVAL, ENOTSOCK, Object, Operation, Outcome, SocketObject};
use crate::host::{Fd, Output};

const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;
const NONBLOCK: i32 = 0o4000;
const O_RDWR: i32 = 2;
const EINPROGRESS: i32 = 115;
const ENOTTY: i32 = 25;
const EPROTONOSUPPORT: i32 = 93;
const ESOCKTNOSUPPORT: i32 = 94;
const EAFNOSUPPORT: i32 = 97;

impl SegueHost {
    pub(super) fn call_socket(&mut self, domain: i32, kind: i32, protocol: i32) -> Result<Outcome, i32> {
        let domain = match domain {
            AF_INET => Domain::Inet,
            AF_INET6 => Domain::Inet6,
            _ => return Err(EAFNOSUPPORT),
        };
        let socket_type = match (kind & 0xf, protocol) {
            (1, 0 | 6) => SocketType::Stream,
            (2, 0 | 17) => SocketType::Datagram,
            (2, 1 | 58) => SocketType::Icmp,
            (1 | 2, _) => return Err(EPROTONOSUPPORT),
            _ => return Err(ESOCKTNOSUPPORT),
        };
        let id = self.stack.socket(domain, socket_type).map_err(|errno| errno.0)?;
        let is_stream = socket_type == SocketType::Stream;
        Ok(Outcome::made(Object::Socket(SocketObject { id, is_nonblocking: kind & NONBLOCK != 0, is_stream })))
    }

    pub(super) fn call_bind(&mut self, fd: Fd, address: SocketAddr) -> Result<Outcome, i32> {
        let id = self.socket_at(fd)?.id;
        Ok(Outcome::of(self.stack.bind(self.now, id, address)))
    }

    pub(super) fn call_listen(&mut self, fd: Fd, backlog: i32) -> Result<Outcome, i32> {
        let id = self.socket_at(fd)?.id;
        Ok(Outcome::of(self.stack.listen(id, backlog)))
    }

    pub(super) fn attempt_accept(&mut self, listener: Fd, flags: i32) -> Option<Outcome> {
        let socket = match self.socket_at(listener) {
            Ok(socket) => socket,
            Err(errno) => return Some(errno.into()),
        };
        match self.stack.accept(self.now, socket.id) {
            Ok((id, peer)) => {
                let made = SocketObject { id, is_nonblocking: flags & NONBLOCK != 0, is_stream: true };
                Some(Outcome { output: Output::Address(peer), ..Outcome::made(Object::Socket(made)) })
            }
            Err(errno) if errno.0 == EAGAIN && !socket.is_nonblocking => None,
            Err(errno) => Some(Outcome::error(errno.0)),
        }
    }

    pub(super) fn begin_connect(&mut self, fd: Fd, to: Option<SocketAddr>) -> Result<Operation, i32> {
        let socket = self.socket_at(fd)?;
        let Some(to) = to else {
            return Ok(Operation::Over(Outcome::of(self.stack.disconnect(self.now, socket.id))));
        };
        Ok(match self.stack.connect(self.now, socket.id, to) {
            Err(errno) if errno.0 == EINPROGRESS && !socket.is_nonblocking => Operation::Connecting { fd },
            result => Operation::Over(Outcome::of(result)),
        })
    }

    pub(super) fn attempt_connect(&mut self, fd: Fd) -> Option<Outcome> {
        let socket = match self.socket_at(fd) {
            Ok(socket) => socket,
            Err(errno) => return Some(errno.into()),
        };
        if !self.stack.readiness(socket.id).intersects(Ready::OUT | Ready::ERR | Ready::HUP) {
            return None;
        }
        let error = self.stack.take_error(self.now, socket.id).ok().flatten();
        Some(error.map_or_else(|| Outcome::ok(0), |errno| Outcome::error(errno.0)))
    }

    pub(super) fn call_shutdown(&mut self, fd: Fd, how: i32) -> Result<Outcome, i32> {
        let id = self.socket_at(fd)?.id;
        let how = match how {
            0 => Shutdown::Read,
            1 => Shutdown::Write,
            2 => Shutdown::Both,
            _ => return Err(EINVAL),
        };
        Ok(Outcome::of(self.stack.shutdown(self.now, id, how)))
    }

    pub(super) fn call_close(&mut self, fd: Fd) -> Result<Outcome, i32> {
        let object = self.descriptors.remove(&fd).ok_or(super::descriptor::EBADF)?;
        for other in self.descriptors.values_mut() {
            if let Object::Epoll(epoll) = other {
                epoll.forget(fd);
            }
        }
        Ok(match object {
            Object::Socket(socket) => Outcome::of(self.stack.close(self.now, socket.id)),
            Object::Pipe(end) => {
                self.close_end(end);
                Outcome::ok(0)
            }
            Object::Epoll(_) | Object::File(_) => Outcome::ok(0),
        })
    }

    pub(super) fn call_name(
        &self,
        fd: Fd,
        name: fn(&Stack, SocketId) -> segue_stack::Result<SocketAddr>,
    ) -> Result<Outcome, i32> {
        let id = self.socket_at(fd)?.id;
        let address = name(&self.stack, id).map_err(|errno| errno.0)?;
        Ok(Outcome::with(0, Output::Address(address)))
    }

    pub(super) fn call_setsockopt(&mut self, fd: Fd, level: i32, name: i32, value: &[u8]) -> Result<Outcome, i32> {
        let id = self.socket_at(fd)?.id;
        Ok(Outcome::of(self.stack.setsockopt(self.now, id, level, name, value)))
    }

    pub(super) fn call_getsockopt(
        &mut self,
        fd: Fd,
        level: i32,
        name: i32,
        mut value: Vec<u8>,
    ) -> Result<Operation, i32> {
        let id = self.socket_at(fd)?.id;
        let used = self.stack.getsockopt(self.now, id, level, name, &mut value).map_err(|errno| errno.0)?;
        value.truncate(used);
        Ok(Operation::Over(Outcome::with(0, Output::Bytes(value))))
    }

    pub(super) fn call_ioctl(&mut self, fd: Fd, request: u64, argument: i32) -> Result<Outcome, i32> {
        const FIONREAD: u64 = 0x541b;
        const TIOCOUTQ: u64 = 0x5411;
        const FIONBIO: u64 = 0x5421;
        const SIOCATMARK: u64 = 0x8905;
        let socket = self.socket_at(fd)?;
        let got = match request {
            FIONREAD => {
                let mut buffer = vec![0; 16 << 20];
                match self.stack.recv(self.now, socket.id, &mut buffer, MsgFlags::PEEK) {
                    Ok(count) => count as i32,
                    Err(errno) if errno.0 == EAGAIN => 0,
                    Err(errno) => return Err(errno.0),
                }
            }
            TIOCOUTQ => {
                let id = Some(socket.id);
                let found = self.stack.sockets(self.now).find(|info| info.socket == id);
                found.map_or(0, |info| info.send_queue as i32)
            }
            SIOCATMARK => self.stack.at_mark(socket.id).into(),
            FIONBIO => {
                self.set_nonblocking(fd, argument != 0);
                argument
            }
            _ => return Err(ENOTTY),
        };
        Ok(Outcome::with(0, Output::Integer(got)))
    }

    fn set_nonblocking(&mut self, fd: Fd, is_on: bool) {
        match self.descriptors.get_mut(&fd) {
            Some(Object::Socket(socket)) => socket.is_nonblocking = is_on,
            Some(Object::Pipe(end)) => end.is_nonblocking = is_on,
            _ => {}
        }
    }

    pub(super) fn call_fcntl(&mut self, fd: Fd, command: i32, argument: i32) -> Result<Outcome, i32> {
        const F_GETFD: i32 = 1;
        const F_SETFD: i32 = 2;
        const F_GETFL: i32 = 3;
        const F_SETFL: i32 = 4;
        const FD_CLOEXEC: i64 = 1;
        let socket = match self.socket_at(fd) {
            Err(ENOTSOCK) => None,
            socket => Some(socket?),
        };
        Ok(match command {
            F_GETFD => Outcome::ok(FD_CLOEXEC),
            F_SETFD => Outcome::ok(0),
            F_GETFL => {
                let is_nonblocking = socket.is_some_and(|socket| socket.is_nonblocking);
                Outcome::ok((O_RDWR | if is_nonblocking { NONBLOCK } else { 0 }).into())
            }
            F_SETFL => {
                self.set_nonblocking(fd, argument & NONBLOCK != 0);
                Outcome::ok(0)
            }
            _ => return Err(EINVAL),
        })
    }
}
