//! Netlink sockets: through rtnetlink a program lists the interfaces, addresses and routes of the host that it is on, not this machine's.
//!
//! Theirs is one end of a pair of datagram sockets: what the supervisor puts into ours is what they receive, so poll and
//! plain recv are native. Requests that are sent natively are found in ours. Nothing can be changed through them (EPERM),
//! and nobody is told of changes: there are none. What lists sockets (NETLINK_SOCK_DIAG) knows no protocol: whoever is to read
//! the host's own /proc/net turns to that then, as on a kernel without it.

pub(crate) mod messages;

use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use segue_stack::IfaceTraffic;

use crate::caller::{Answer, Caller, DONE, Reply};
use crate::calls::message;
use crate::lock;
use crate::supervisor::Supervisor;
use crate::sys::unix;
use crate::sys::{self, errno};

const SOL_NETLINK: i32 = 270;

/// One of them.
#[derive(Debug)]
pub(crate) struct RouteSocket {
    ours: OwnedFd,
    /// NETLINK_ROUTE or NETLINK_SOCK_DIAG.
    protocol: i32,
    /// The number it is known by among netlink's sockets; the process's, unless bind(2) said another.
    port: AtomicU32,
    /// Held from the taking of a request until it is answered: whoever looks for answers finds them.
    turn: Mutex<()>,
}

/// An interface, as a program sees it.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) mtu: usize,
    pub(crate) is_loopback: bool,
    /// With the lengths of their prefixes.
    pub(crate) addresses: Vec<(IpAddr, u8)>,
    pub(crate) traffic: IfaceTraffic,
}

/// socket(AF_NETLINK, …).
pub(crate) fn create(caller: &mut Caller<'_>, kind: i32) -> Reply {
    let failed = |error: std::io::Error| errno(&error);
    if !matches!(kind & 0xf, libc::SOCK_RAW | libc::SOCK_DGRAM) {
        return Err(libc::ESOCKTNOSUPPORT);
    }
    let (ours, theirs) = unix::pair(unix::Kind::Datagram, kind & libc::SOCK_NONBLOCK != 0).map_err(failed)?;
    let cookie = unix::cookie(theirs.as_fd()).map_err(failed)?;
    let port = sys::thread_group(caller.tid()).unwrap_or(caller.tid());
    caller.sup.watch_end(ours.as_fd(), cookie).map_err(failed)?;
    let socket = Arc::new(RouteSocket {
        ours,
        protocol: caller.call.int(2),
        port: AtomicU32::new(port),
        turn: Mutex::default(),
    });
    caller.sup.adopt_route(cookie, theirs.as_fd(), socket).map_err(failed)?;
    let close_on_exec = kind & libc::SOCK_CLOEXEC != 0;
    match caller.sup.listener.answer_with_descriptor(caller.call.id, theirs.as_fd(), close_on_exec) {
        Ok(_) => Ok(Answer::Elsewhere),
        Err(error) => {
            caller.sup.forget_route(cookie);
            Err(errno(&error))
        }
    }
}

/// A call on such a socket; `None`: it is on another one.
pub(crate) fn call(caller: &mut Caller<'_>) -> Option<Reply> {
    let Ok(Some(target)) = caller.target() else { return None };
    let cookie = unix::cookie(target.fd.as_fd()).ok()?;
    let socket = caller.sup.find_route(cookie)?;
    Some(socket.answer(caller, target.fd.as_fd()))
}

impl RouteSocket {
    fn answer(&self, caller: &mut Caller<'_>, theirs: BorrowedFd<'_>) -> Reply {
        let number = i64::from(caller.call.call.nr);
        match number {
            libc::SYS_bind => {
                let raw = caller.raw_address(caller.call.word(1), caller.call.int(2))?;
                let Some(port) = raw.get(4..8).and_then(|port| port.try_into().ok()).map(u32::from_ne_bytes) else {
                    return Err(libc::EINVAL);
                };
                if port != 0 {
                    self.port.store(port, Ordering::Relaxed);
                }
                DONE
            }
            libc::SYS_connect => DONE,
            libc::SYS_getsockname => {
                let name = address(self.port.load(Ordering::Relaxed));
                caller.give_address(caller.call.word(1), caller.call.word(2), &name)?;
                DONE
            }
            libc::SYS_getpeername => {
                caller.give_address(caller.call.word(1), caller.call.word(2), &address(0))?;
                DONE
            }
            libc::SYS_listen | libc::SYS_accept | libc::SYS_accept4 | libc::SYS_shutdown => Err(libc::EOPNOTSUPP),
            libc::SYS_setsockopt if caller.call.int(1) == SOL_NETLINK => DONE,
            libc::SYS_getsockopt if caller.call.int(1) == SOL_NETLINK => Err(libc::ENOPROTOOPT),
            libc::SYS_sendto | libc::SYS_sendmsg => {
                let request = message::sent_bytes(caller)?;
                self.serve(caller.sup);
                self.reply(caller.sup, &request);
                Ok(Answer::Value(request.len() as i64))
            }
            libc::SYS_recvfrom | libc::SYS_recvmsg => self.receive(caller, theirs),
            libc::SYS_sendmmsg | libc::SYS_recvmmsg => Err(libc::EOPNOTSUPP),
            _ => Ok(Answer::LetThrough),
        }
    }

    fn receive(&self, caller: &Caller<'_>, theirs: BorrowedFd<'_>) -> Reply {
        self.serve(caller.sup);
        let (target, flags) = message::receive_target(caller);
        let may_wait = flags & libc::MSG_DONTWAIT == 0 && !sys::is_nonblocking(theirs);
        match target.receive(caller.tid(), theirs, flags, |_| (address(0).to_vec(), Vec::new())) {
            // Nothing will come by itself: the wait may as well be the kernel's.
            Err(libc::EAGAIN) if may_wait => Ok(Answer::LetThrough),
            result => result.map(Answer::Value),
        }
    }

    /// Answers the requests that were sent natively.
    pub(crate) fn serve(&self, sup: &Supervisor) {
        let _turn = lock(&self.turn);
        let mut request = vec![0; 8192];
        while let Ok(got) = unix::receive_from(self.ours.as_fd(), &mut request, 0) {
            self.reply(sup, request.get(..got.len).unwrap_or_default());
        }
    }

    fn reply(&self, sup: &Supervisor, requests: &[u8]) {
        let port = self.port.load(Ordering::Relaxed);
        let replies = match self.protocol {
            libc::NETLINK_ROUTE => messages::replies(requests, port, &interfaces(sup), &routes(sup)),
            _ => messages::refusals(requests, port, libc::ENOENT),
        };
        for datagram in replies {
            // A program that never reads fills its own queue; netlink drops there, too.
            let _ = unix::send(self.ours.as_fd(), &datagram, 0);
        }
    }
}

/// `struct sockaddr_nl`.
fn address(port: u32) -> [u8; 12] {
    let mut raw = [0; 12];
    raw[..2].copy_from_slice(&(libc::AF_NETLINK as u16).to_ne_bytes());
    raw[4..8].copy_from_slice(&port.to_ne_bytes());
    raw
}

impl Interface {
    pub(crate) fn flags(&self) -> u32 {
        const UP: u32 = (libc::IFF_UP | libc::IFF_RUNNING | libc::IFF_LOWER_UP) as u32;
        const LINK: u32 = (libc::IFF_POINTOPOINT | libc::IFF_NOARP | libc::IFF_MULTICAST) as u32;
        UP | if self.is_loopback { libc::IFF_LOOPBACK as u32 } else { LINK }
    }

    /// ARPHRD_NONE as a TUN device has it: packets, no frames.
    pub(crate) fn hardware(&self) -> u16 {
        if self.is_loopback { libc::ARPHRD_LOOPBACK } else { 0xfffe }
    }
}

/// The interfaces of the program's host.
pub(crate) fn interfaces(sup: &Supervisor) -> Vec<Interface> {
    sup.host.with_stack(|stack, _| {
        let describe = |(id, config): (segue_stack::IfaceId, &segue_stack::IfaceConfig)| Interface {
            number: id.index() as u32 + 1,
            name: config.name.clone(),
            mtu: config.mtu,
            is_loopback: id.index() == 0,
            addresses: config.addresses.iter().map(|cidr| (cidr.address(), cidr.prefix())).collect(),
            traffic: stack.traffic(id),
        };
        stack.interfaces().map(describe).collect()
    })
}

/// A route as a program sees it.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) network: IpAddr,
    pub(crate) prefix: u8,
    pub(crate) via: Option<IpAddr>,
    /// Number of the interface.
    pub(crate) out: u32,
}

fn routes(sup: &Supervisor) -> Vec<Way> {
    sup.host.with_stack(|stack, _| {
        let shown = stack.routes().filter(|route| route.iface.index() != 0);
        let describe = |route: &segue_stack::Route| Way {
            network: route.destination.network().address(),
            prefix: route.destination.prefix(),
            via: route.via,
            out: route.iface.index() as u32 + 1,
        };
        shown.map(describe).collect()
    })
}
