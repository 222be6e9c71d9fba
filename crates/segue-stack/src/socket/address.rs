//! bind(), getsockname(), getpeername() and what they leave in the port tables.
//!
//! Decides which address and port a socket may take and with which errno it is refused. Who conflicts with whom is
//! decided by `ports`.
use core::net::{IpAddr, SocketAddr};

use segue_tcp::State;

use super::common::{Common, Flags};
use super::datagram::DatagramKind;
use super::{Socket, SocketId};
use crate::net::Destination;
use crate::ports::Claim;
use crate::stack::{Result, Stack};
use crate::tcp::stream::Role;
use crate::{Domain, Errno};

impl Stack {
    pub(crate) fn bind_socket(&mut self, id: SocketId, address: SocketAddr) -> Result<()> {
        let socket = self.live(id)?;
        let common = socket.common();
        let address = common.take_address(address).map_err(|_| Errno::EAFNOSUPPORT)?;
        self.check_bindable(common, address.ip(), matches!(socket, Socket::Stream(_)))?;
        let is_fresh = match socket {
            Socket::Stream(stream) => matches!(stream.role, Role::Idle(_)) && common.port == 0,
            Socket::Datagram(_) => common.port == 0,
        };
        if !is_fresh {
            return Err(Errno::EINVAL);
        }
        match socket {
            Socket::Datagram(datagram) if datagram.kind == DatagramKind::Ping => self.bind_ping(id, address),
            _ => self.bind_port(id, address),
        }
    }

    fn check_bindable(&self, common: &Common, address: IpAddr, is_stream: bool) -> Result<()> {
        if common.domain == Domain::Inet6 && common.has(Flags::V6_ONLY) && address.is_ipv4() {
            return Err(Errno::EINVAL);
        }
        if is_stream && address.is_ipv6() && address.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let ip = &self.settings.ip;
        let is_free = common.flags.intersects(Flags::FREE_BIND | Flags::TRANSPARENT)
            || if address.is_ipv4() { ip.nonlocal_bind } else { ip.nonlocal_bind6 };
        let is_group = matches!(self.net.destination(address), Destination::Broadcast | Destination::Multicast);
        if self.net.may_bind(address) || is_free || is_group {
            return Ok(());
        }
        Err(Errno::EADDRNOTAVAIL)
    }

    /// Take a port for a TCP or UDP socket; port 0: any free one.
    fn bind_port(&mut self, id: SocketId, address: SocketAddr) -> Result<()> {
        let socket = self.sockets.get_mut(id.index, id.generation).ok_or(Errno::EBADF)?;
        let is_stream = matches!(socket, Socket::Stream(_));
        let common = socket.common_mut();
        let old = common.local;
        common.local = address.ip();
        common.flags.insert(Flags::CLAIM_BOUND);
        let claim = common.claim();
        let no_port = common.has(Flags::BIND_ADDRESS_NO_PORT) && address.port() == 0 && is_stream;
        let port = if no_port { Ok(0) } else { self.pick_port(id, is_stream, address.port(), &claim) };
        let socket = self.sockets.get_mut(id.index, id.generation).ok_or(Errno::EBADF)?;
        let common = socket.common_mut();
        let port = match port {
            Ok(port) => port,
            Err(error) => {
                common.local = old;
                common.flags.remove(Flags::CLAIM_BOUND);
                return Err(error);
            }
        };
        common.port = port;
        // As Linux: who is bound to one IPv6 address speaks IPv6 alone, and says so.
        if address.is_ipv6() && !address.ip().is_unspecified() {
            common.flags.insert(Flags::V6_ONLY);
        }
        common.flags.set(Flags::CLAIM_BOUND, port != 0);
        common.flags.set(Flags::ADDRESS_LOCKED, crate::tuple::unspecified_like(address.ip()) != address.ip());
        common.flags.set(Flags::PORT_LOCKED, address.port() != 0);
        if port != 0 {
            self.claim_port(id.index);
            self.note_taken(id.index);
        }
        Ok(())
    }

    fn pick_port(&mut self, id: SocketId, is_stream: bool, wanted: u16, claim: &Claim) -> Result<u16> {
        let Stack { chooser, tcp, datagrams, settings, sockets, .. } = self;
        let ports = if is_stream { &tcp.ports } else { &datagrams.ports };
        if wanted != 0 {
            return if ports.may_bind(wanted, claim) { Ok(wanted) } else { Err(Errno::EADDRINUSE) };
        }
        let all = settings.ip.local_port_range;
        let (range, _) = sockets.at(id.index).map_or((all, false), |socket| socket.common().port_range(all));
        let may_choose = |port: u16| !settings.ip.local_reserved_ports.contains(port);
        // As Linux: only bind() of a stream socket looks at the lower half first.
        let shares = claim.reuse_address && is_stream;
        let free = chooser.for_bind(range, shares, |port| may_choose(port) && ports.is_free_for(port, claim));
        let shared = |chooser: &mut crate::secrets::PortChooser| {
            let may = |port: u16| may_choose(port) && ports.may_share_address(port, claim);
            chooser.for_bind(range, shares, may).filter(|_| shares && settings.ip.autobind_reuse)
        };
        free.or_else(|| shared(chooser)).ok_or(Errno::EADDRINUSE)
    }

    /// Give an unbound socket a port of its own, as listen() and the first datagram do.
    pub(crate) fn bind_ephemeral(&mut self, id: SocketId, is_bound: bool) -> Result<()> {
        let socket = self.live(id)?;
        if socket.common().port != 0 {
            return Ok(());
        }
        let is_stream = matches!(socket, Socket::Stream(_));
        let claim = socket.common().claim();
        let port = self.pick_port(id, is_stream, 0, &claim).map_err(|_| Errno::EAGAIN)?;
        let common = self.live_mut(id)?.common_mut();
        common.port = port;
        common.flags.set(Flags::CLAIM_BOUND, is_bound);
        self.claim_port(id.index);
        self.note_taken(id.index);
        Ok(())
    }

    /// A stream socket has bound itself, or listens.
    pub(crate) fn note_taken(&mut self, index: u32) {
        if let Some(Socket::Stream(stream)) = self.sockets.at(index) {
            self.tcp.ports.note_taken(stream.common.port, &stream.common.claim());
        }
    }

    /// Count what a socket holds of its port, and let a datagram socket be found.
    pub(crate) fn claim_port(&mut self, index: u32) {
        match self.sockets.at(index) {
            Some(Socket::Stream(_)) => self.claim_stream_port(index),
            Some(Socket::Datagram(_)) => self.place_datagram(index),
            None => {}
        }
    }

    pub(crate) fn claim_stream_port(&mut self, index: u32) {
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return };
        if stream.common.port != 0 && !stream.common.has(Flags::CLAIMED) {
            self.tcp.ports.add(stream.common.port, stream.common.claim());
            stream.common.flags.insert(Flags::CLAIMED);
        }
    }

    /// Give up what a stream socket holds of its port; gives what that was.
    pub(crate) fn unclaim_port(&mut self, index: u32) -> Option<Claim> {
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return None };
        let common = &mut stream.common;
        if !common.has(Flags::CLAIMED) {
            return None;
        }
        let claim = common.claim();
        common.flags.remove(Flags::CLAIMED);
        self.tcp.ports.remove(common.port, &claim);
        Some(claim)
    }

    /// Change flags that others' bind() looks at.
    pub(crate) fn change_claim(&mut self, index: u32, change: impl FnOnce(&mut Common)) {
        let Some(socket) = self.sockets.at_mut(index) else { return };
        let ports = match socket {
            Socket::Stream(_) => &mut self.tcp.ports,
            Socket::Datagram(_) => &mut self.datagrams.ports,
        };
        let common = socket.common_mut();
        let is_claimed = common.has(Flags::CLAIMED);
        if is_claimed {
            ports.remove(common.port, &common.claim());
        }
        change(common);
        if is_claimed {
            ports.add(common.port, common.claim());
        }
    }

    pub(crate) fn socket_name(&self, id: SocketId) -> Result<SocketAddr> {
        Ok(self.live(id)?.common().local_addr())
    }

    pub(crate) fn peer_name(&self, id: SocketId) -> Result<SocketAddr> {
        let socket = self.live(id)?;
        let peer = match socket {
            Socket::Datagram(datagram) => datagram.peer,
            Socket::Stream(stream) => match stream.flow() {
                Some(flow) if !matches!(flow.connection.state(), State::SynSent | State::Closed | State::TimeWait) => {
                    Some(flow.tuple.peer_addr())
                }
                _ => None,
            },
        };
        peer.map(|peer| socket.common().show(peer)).ok_or(Errno::ENOTCONN)
    }
}
