//! socket, bind, connect, listen, accept, the names, shutdown.

use std::os::fd::AsFd;
use std::time::Instant;

use segue::{Domain, Socket, SocketType};

use crate::address::{self, Given};
use crate::caller::{Answer, Caller, DONE, Reply, Target};
use crate::config::ProcNet;
use crate::datagram::Datagram;
use crate::holder::{Holder, is_last};
use crate::lock;
use crate::route;
use crate::stream::{AcceptCall, ConnectCall, Started, Stream};
use crate::supervisor::{Sock, State};
use crate::sys::unix::{self, Kind};
use crate::sys::{self, errno};

/// Daemons that would resolve names behind the stack's back, on the host's network.
const HOST_RESOLVERS: [&[u8]; 5] = [
    b"/var/run/nscd/socket",
    b"/run/nscd/socket",
    b"/run/systemd/resolve/io.systemd.Resolve",
    b"/run/systemd/resolve/io.systemd.Resolve.Monitor",
    b"/run/systemd/io.systemd.NameServiceSwitch",
];

fn failed(error: std::io::Error) -> i32 {
    errno(&error)
}

/// What a (domain, type, protocol) triple means to the stack.
fn kind_of(domain: i32, kind: i32, protocol: i32) -> Result<(Domain, SocketType), i32> {
    let (domain, icmp) = match domain {
        libc::AF_INET => (Domain::Inet, libc::IPPROTO_ICMP),
        libc::AF_INET6 => (Domain::Inet6, libc::IPPROTO_ICMPV6),
        _ => return Err(libc::EAFNOSUPPORT),
    };
    let kind = match (kind, protocol) {
        (libc::SOCK_STREAM, 0 | libc::IPPROTO_TCP) => SocketType::Stream,
        (libc::SOCK_DGRAM, 0 | libc::IPPROTO_UDP) => SocketType::Datagram,
        (libc::SOCK_DGRAM, protocol) if protocol == icmp => SocketType::Icmp,
        (libc::SOCK_STREAM | libc::SOCK_DGRAM, _) => return Err(libc::EPROTONOSUPPORT),
        (libc::SOCK_RAW, _) => return Err(libc::EPERM),
        _ => return Err(libc::ESOCKTNOSUPPORT),
    };
    Ok((domain, kind))
}

pub(super) fn create(caller: &mut Caller<'_>) -> Reply {
    const FLAGS: i32 = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    let kind = caller.call.int(1);
    match (caller.call.int(0), caller.call.int(2)) {
        (libc::AF_NETLINK, libc::NETLINK_ROUTE) => return route::create(caller, kind),
        // Who reads the stack's own lists must not find this machine's.
        (libc::AF_NETLINK, _) if caller.sup.proc_net == ProcNet::Host => return route::create(caller, kind),
        (libc::AF_NETLINK, _) => return Ok(Answer::LetThrough),
        _ => {}
    }
    let (domain, socket_type) = kind_of(caller.call.int(0), kind & !FLAGS, caller.call.int(2))?;
    let endpoint = Socket::of_user(&caller.sup.host, domain, socket_type, sys::user(caller.tid())).map_err(failed)?;
    let unix_kind = match socket_type {
        SocketType::Stream => Kind::Stream,
        SocketType::Datagram | SocketType::Icmp => Kind::Datagram,
    };
    let theirs = unix::socket(unix_kind, kind & libc::SOCK_NONBLOCK != 0).map_err(failed)?;
    let cookie = unix::cookie(theirs.as_fd()).map_err(failed)?;
    let state = match unix_kind {
        Kind::Stream => {
            let holder = Holder::unknown(caller.tid());
            State::Stream(Box::new(Stream::new(endpoint, holder)))
        }
        Kind::Datagram => {
            let path = caller.sup.names.bind_privately(theirs.as_fd()).map_err(failed)?;
            State::Datagram(Box::new(Datagram::new(endpoint, path, Holder::unknown(caller.tid()))))
        }
    };
    caller.sup.adopt(cookie, theirs.as_fd(), domain, state).map_err(failed)?;
    let close_on_exec = kind & libc::SOCK_CLOEXEC != 0;
    match caller.sup.listener.answer_with_descriptor(caller.call.id, theirs.as_fd(), close_on_exec) {
        Ok(_) => Ok(Answer::Elsewhere),
        Err(error) => {
            caller.sup.remove(cookie);
            Err(errno(&error))
        }
    }
}

pub(super) fn bind(caller: &mut Caller<'_>) -> Reply {
    let Some(Target { sock: Some(sock), .. }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    let Given::Internet(to) = caller.address(caller.call.word(1), caller.call.int(2), sock.domain)? else {
        return bind_unspecified(caller, &sock);
    };
    bind_to(caller, &sock, to)
}

/// Linux takes AF_UNSPEC with the any-address for AF_INET.
fn bind_unspecified(caller: &mut Caller<'_>, sock: &Sock) -> Reply {
    let raw = caller.raw_address(caller.call.word(1), caller.call.int(2))?;
    match (raw.get(2..4), raw.get(4..8), sock.domain) {
        (Some(&[high, low]), Some([0, 0, 0, 0]), Domain::Inet) => {
            let mut any = address::unspecified(Domain::Inet);
            any.set_port(u16::from_be_bytes([high, low]));
            bind_to(caller, sock, any)
        }
        _ => Err(libc::EAFNOSUPPORT),
    }
}

fn bind_to(caller: &mut Caller<'_>, sock: &Sock, to: std::net::SocketAddr) -> Reply {
    // A port whose last holder has just closed it is free.
    caller.sup.learn_closed(true);
    let result = match &*lock(&sock.state) {
        State::Stream(stream) => stream.endpoint().bind(to),
        State::Datagram(datagram) => datagram.endpoint().bind(to),
    };
    result.map_err(failed)?;
    sock.wake();
    DONE
}

pub(super) fn connect(caller: &mut Caller<'_>) -> Reply {
    let Some(Target { number, fd, sock }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    let (pointer, len) = (caller.call.word(1), caller.call.int(2));
    let Some(sock) = sock else { return foreign_connect(caller, pointer, len) };
    let given = caller.address(pointer, len, sock.domain)?;
    caller.sup.learn_closed(false);
    let parked = if sys::is_nonblocking(fd.as_fd()) {
        None
    } else {
        let limit = unix::timeout(fd.as_fd(), libc::SO_SNDTIMEO);
        Some(caller.park(limit.and_then(|limit| Instant::now().checked_add(limit))))
    };
    let mut state = lock(&sock.state);
    let stream = match (&mut *state, given) {
        (State::Datagram(datagram), given) => {
            let to = match given {
                Given::Internet(to) => Some(to),
                Given::Unspecified => None,
            };
            datagram.set_holder(Holder { tid: caller.tid(), number });
            datagram.connect(caller.sup, &sock, fd.as_fd(), to)?;
            return DONE;
        }
        // Undoing a TCP connection is not part of what programs do with it.
        (State::Stream(stream), Given::Unspecified) => {
            return if stream.is_connected() { Err(libc::EOPNOTSUPP) } else { DONE };
        }
        (State::Stream(stream), Given::Internet(_)) => stream,
    };
    let Given::Internet(to) = given else { return DONE };
    let holder = Holder { tid: caller.tid(), number };
    let call = ConnectCall { id: caller.call.id, holder, theirs: fd, address: to, parked };
    match stream.connect(caller.sup, &sock, call)? {
        Started::Parked => Ok(Answer::Elsewhere),
        Started::InProgress => Err(libc::EINPROGRESS),
        Started::Connected => DONE,
        Started::Replaced => {
            drop(state);
            connect(caller)
        }
    }
}

/// A connect on a socket that is not ours: the kernel's, unless it leads to a
/// resolver on the host's network.
fn foreign_connect(caller: &Caller<'_>, pointer: u64, len: i32) -> Reply {
    let Ok(raw) = caller.raw_address(pointer, len) else { return Ok(Answer::LetThrough) };
    let family = raw.get(..2).and_then(|f| f.try_into().ok()).map(u16::from_ne_bytes);
    let path = raw.get(2..).unwrap_or_default();
    let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
    if family == Some(libc::AF_UNIX as u16) && HOST_RESOLVERS.contains(&path) {
        return Err(libc::ENOENT);
    }
    Ok(Answer::LetThrough)
}

pub(super) fn listen(caller: &mut Caller<'_>) -> Reply {
    let Some(Target { fd, sock: Some(sock), .. }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    caller.sup.learn_closed(true);
    let backlog = caller.call.int(1);
    match &mut *lock(&sock.state) {
        State::Stream(stream) => stream.listen(caller.sup, &sock, fd.as_fd(), backlog)?,
        State::Datagram(_) => return Err(libc::EOPNOTSUPP),
    }
    DONE
}

pub(super) fn accept(caller: &mut Caller<'_>) -> Reply {
    let Some(Target { fd, sock: Some(sock), .. }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    let flags = match i64::from(caller.call.call.nr) {
        libc::SYS_accept4 => caller.call.int(3),
        _ => 0,
    };
    if flags & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) != 0 {
        return Err(libc::EINVAL);
    }
    let limit = unix::timeout(fd.as_fd(), libc::SO_RCVTIMEO);
    let call = AcceptCall {
        parked: caller.park(limit.and_then(|limit| Instant::now().checked_add(limit))),
        address: caller.call.word(1),
        address_len: caller.call.word(2),
        nonblocking: flags & libc::SOCK_NONBLOCK != 0,
        close_on_exec: flags & libc::SOCK_CLOEXEC != 0,
    };
    let may_wait = !sys::is_nonblocking(fd.as_fd());
    match &mut *lock(&sock.state) {
        State::Stream(stream) => stream.accept(caller.sup, &sock, fd.as_fd(), call, may_wait)?,
        State::Datagram(_) => return Err(libc::EOPNOTSUPP),
    };
    Ok(Answer::Elsewhere)
}

pub(super) fn own_name(caller: &mut Caller<'_>) -> Reply {
    let Some(Target { sock: Some(sock), .. }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    let name = match &*lock(&sock.state) {
        State::Stream(stream) => stream.endpoint().local_addr(),
        State::Datagram(datagram) => datagram.endpoint().local_addr(),
    };
    let name = name.unwrap_or_else(|_| address::unspecified(sock.domain));
    let bytes = address::emit(name, sock.domain);
    caller.give_address(caller.call.word(1), caller.call.word(2), &bytes)?;
    DONE
}

pub(super) fn peer_name(caller: &mut Caller<'_>) -> Reply {
    let Some(Target { sock: Some(sock), .. }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    let peer = match &*lock(&sock.state) {
        State::Stream(stream) => stream.peer()?,
        State::Datagram(datagram) => datagram.peer().ok_or(libc::ENOTCONN)?,
    };
    let bytes = address::emit(peer, sock.domain);
    caller.give_address(caller.call.word(1), caller.call.word(2), &bytes)?;
    DONE
}

pub(super) fn shutdown(caller: &mut Caller<'_>) -> Reply {
    let Some(Target { number, fd, sock: Some(sock) }) = caller.target()? else {
        return Ok(Answer::LetThrough);
    };
    let how = caller.call.int(1);
    match &mut *lock(&sock.state) {
        State::Stream(stream) => {
            stream.set_holder(Holder { tid: caller.tid(), number });
            stream.shutdown(caller.sup, fd.as_fd(), how, &sock)?;
            DONE
        }
        State::Datagram(datagram) if datagram.peer().is_some() => Ok(Answer::LetThrough),
        State::Datagram(_) => Err(libc::ENOTCONN),
    }
}

/// close(2) of the last descriptor of a stream that lingers waits; the kernel performs every one.
pub(super) fn close(caller: &mut Caller<'_>) -> Reply {
    if !caller.sup.closes_may_wait() {
        return Ok(Answer::LetThrough);
    }
    // Who cannot be looked into closes as ever.
    let Ok(Some(Target { fd, sock: Some(sock), .. })) = caller.target() else { return Ok(Answer::LetThrough) };
    let mut state = lock(&sock.state);
    let State::Stream(stream) = &mut *state else { return Ok(Answer::LetThrough) };
    match stream.lingers(fd.as_fd()) {
        Some(time) if is_last(fd.as_fd()) => {
            stream.linger(caller.sup, fd.as_fd(), &sock, caller.park(Instant::now().checked_add(time)));
            Ok(Answer::Elsewhere)
        }
        _ => Ok(Answer::LetThrough),
    }
}
