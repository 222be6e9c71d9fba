//! The socket calls of [`Stack`], as its user sees them. Everything here delegates; what a call decides is said where it is
//! decided.
use core::net::SocketAddr;
use core::time::Duration;

use bytes::Bytes;
use segue_tcp::{Chunks, Instant, Linger, Ready, State};

use super::Socket;
use crate::ip::flow_label::named_label;
use crate::stack::{Result, Stack};
use crate::{
    ControlMessage, Domain, Errno, Held, HeldId, IfaceId, MsgFlags, Received, ReceivedMessage, Reject, Shutdown,
    SocketId, SocketOption, SocketType,
};

impl Stack {
    /// socket(2).
    ///
    /// # Errors
    /// `ENFILE`: there are 2^32 sockets.
    pub fn socket(&mut self, domain: Domain, kind: SocketType) -> Result<SocketId> {
        self.create_socket(domain, kind)
    }

    /// As [`socket`](Self::socket), for a user who is not the stack's own ([`StackConfig::uid`](crate::StackConfig::uid)).
    ///
    /// # Errors
    /// As [`socket`](Self::socket).
    pub fn socket_of(&mut self, domain: Domain, kind: SocketType, uid: u32) -> Result<SocketId> {
        let id = self.create_socket(domain, kind)?;
        self.fchown(id, uid)?;
        Ok(id)
    }

    /// fchown(2): the user who owns a socket. Connections that a listener takes are its owner's until this says otherwise.
    /// What has been bound stays bound, as on Linux.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn fchown(&mut self, id: SocketId, uid: u32) -> Result<()> {
        self.own_socket(id, uid)
    }

    /// The user who owns a socket.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn owner(&self, id: SocketId) -> Result<u32> {
        Ok(self.owner_of(self.live(id)?.common()))
    }

    /// bind(2): take a local address and port; port 0 chooses one out of `ip_local_port_range`.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EADDRNOTAVAIL` (not an address of this host), `EAFNOSUPPORT`, `EINVAL` (bound already), `EBADF`.
    pub fn bind(&mut self, _now: Instant, id: SocketId, address: SocketAddr) -> Result<()> {
        self.bind_socket(id, address)
    }

    /// listen(2): take connections. `backlog` is capped by `somaxconn`; called again it changes the backlog.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EINVAL` (connected), `EOPNOTSUPP` (no stream socket), `EBADF`.
    pub fn listen(&mut self, id: SocketId, backlog: i32) -> Result<()> {
        self.listen_stream(id, backlog)
    }

    /// connect(2). A stream socket answers `EINPROGRESS` and is writable when it is connected; `SO_ERROR` tells how it went.
    ///
    /// # Errors
    /// `EINPROGRESS`, `EALREADY`, `EISCONN`, `ENETUNREACH`, `EADDRNOTAVAIL`, `EACCES` (broadcast), `EAFNOSUPPORT`, `EBADF`;
    /// what ended the attempt when it is asked again.
    pub fn connect(&mut self, now: Instant, id: SocketId, address: SocketAddr) -> Result<()> {
        if let Some(label) = named_label(self.live(id)?.common(), address) {
            self.live_mut(id)?.common_mut().rare_mut().flow_label = label;
        }
        match self.live(id)? {
            Socket::Stream(_) => self.connect_stream(now, id, address),
            Socket::Datagram(_) => self.connect_datagram(now, id, address),
        }
    }

    /// connect(2) with `AF_UNSPEC`: dissolve the association. A connection is reset.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn disconnect(&mut self, now: Instant, id: SocketId) -> Result<()> {
        match self.live(id)? {
            Socket::Stream(_) => self.disconnect_stream(now, id),
            Socket::Datagram(_) => self.disconnect_datagram(id),
        }
    }

    /// accept(2): the next connection of a listener, and its peer.
    ///
    /// # Errors
    /// `EAGAIN` (none waits), `EINVAL` (not listening), `EOPNOTSUPP`, `EBADF`.
    pub fn accept(&mut self, _now: Instant, id: SocketId) -> Result<(SocketId, SocketAddr)> {
        self.accept_stream(id)
    }

    /// send(2). A stream takes as much as it has room for, a datagram socket all or nothing.
    ///
    /// # Errors
    /// `EAGAIN`, `EPIPE`, `EDESTADDRREQ`, `EMSGSIZE`, `EBADF`, or the socket's pending error.
    pub fn send(&mut self, now: Instant, id: SocketId, data: &[u8], flags: MsgFlags) -> Result<usize> {
        self.send_slice(now, id, data, flags, None, None)
    }

    /// As [`send`](Self::send), without copying.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_bytes(&mut self, now: Instant, id: SocketId, data: Bytes, flags: MsgFlags) -> Result<usize> {
        self.send_moved(now, id, data, flags)
    }

    /// sendto(2). `from` says which source address to use; for a [`bind_any`](Self::bind_any) socket also which port (0: its
    /// own). A stream ignores both addresses, as Linux does.
    ///
    /// # Errors
    /// As [`send`](Self::send), and `ENETUNREACH`, `EACCES` (broadcast), `EINVAL` (port 0), `EAFNOSUPPORT`.
    pub fn send_to(
        &mut self,
        now: Instant,
        id: SocketId,
        data: &[u8],
        flags: MsgFlags,
        to: SocketAddr,
        from: Option<SocketAddr>,
    ) -> Result<usize> {
        self.send_slice(now, id, data, flags, Some(to), from)
    }

    /// recv(2): bytes of a stream (0: end of file), or one datagram.
    ///
    /// # Errors
    /// `EAGAIN`, `ENOTCONN`, `EINVAL` (no urgent byte), `EBADF`, or the socket's pending error.
    pub fn recv(&mut self, now: Instant, id: SocketId, buffer: &mut [u8], flags: MsgFlags) -> Result<usize> {
        self.recv_slice(now, id, buffer, flags)
    }

    /// As [`recv`](Self::recv), without copying: at most `max` bytes of a stream, or one whole datagram.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_bytes(&mut self, now: Instant, id: SocketId, max: usize) -> Result<Chunks> {
        self.recv_chunks(now, id, max)
    }

    /// recvfrom(2): one datagram, with where it came from and was sent to. On a stream the addresses are the connection's.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_from(&mut self, now: Instant, id: SocketId, buffer: &mut [u8], flags: MsgFlags) -> Result<Received> {
        self.recv_datagram(now, id, buffer, flags)
    }

    /// recvmsg(2): bytes with what control messages tell of them, as the socket's options ask; with `MSG_ERRQUEUE` the next
    /// entry of the error queue.
    ///
    /// # Errors
    /// As [`recv`](Self::recv); `EAGAIN` for an empty error queue.
    pub fn recv_message(
        &mut self,
        now: Instant,
        id: SocketId,
        buffer: &mut [u8],
        flags: MsgFlags,
    ) -> Result<ReceivedMessage> {
        self.receive_message(now, id, buffer, flags)
    }

    /// sendmsg(2): bytes, where to, and control messages that hold for this call alone. A stream ignores `to`, and control
    /// messages of other levels than `SOL_SOCKET`.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to); `EINVAL` for a control message that is unknown, malformed or out of range.
    pub fn send_message(
        &mut self,
        now: Instant,
        id: SocketId,
        data: &[u8],
        flags: MsgFlags,
        to: Option<SocketAddr>,
        control: &[ControlMessage],
    ) -> Result<usize> {
        self.transmit_message(now, id, data, flags, to, control)
    }

    /// shutdown(2).
    ///
    /// # Errors
    /// `ENOTCONN`, `EBADF`.
    pub fn shutdown(&mut self, now: Instant, id: SocketId, how: Shutdown) -> Result<()> {
        self.shutdown_socket(now, id, how)
    }

    /// close(2): the name is void at once; a connection goes on by itself until its bytes are delivered.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close(&mut self, now: Instant, id: SocketId) -> Result<()> {
        match self.live(id)? {
            Socket::Stream(_) => self.close_stream(now, id),
            Socket::Datagram(_) => {
                self.close_datagram(id);
                Ok(())
            }
        }
    }

    /// How long close(2) waits on this socket, as socket(7) says of `SO_LINGER`: until what was sent and the FIN are
    /// acknowledged, but no longer than the time that was set. `None`: not at all, because none was set, because there is
    /// nothing to wait for, or because data that were not read turn the close into a reset.
    ///
    /// A stack does not wait. Who does shuts the sending direction, waits until [`is_closing`](Self::is_closing) is false
    /// or the time is over, and closes.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close_waits(&self, id: SocketId) -> Result<Option<Duration>> {
        let Socket::Stream(stream) = self.live(id)? else { return Ok(None) };
        let flow = stream.flow().filter(|flow| flow.connection.unread() == 0);
        let is_open = flow.is_some_and(|flow| {
            let state = flow.connection.state();
            matches!(state, State::SynReceived | State::Established | State::CloseWait) || is_closing(state)
        });
        Ok(match stream.options().linger {
            Linger::On(time) if is_open && !time.is_zero() => Some(time),
            _ => None,
        })
    }

    /// Whether the sending direction was shut and the peer has not acknowledged the FIN yet: `FIN-WAIT-1`, `CLOSING`,
    /// `LAST-ACK`.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn is_closing(&self, id: SocketId) -> Result<bool> {
        let Socket::Stream(stream) = self.live(id)? else { return Ok(false) };
        Ok(stream.flow().is_some_and(|flow| is_closing(flow.connection.state())))
    }

    /// Close and reset the connection, whatever is unsent.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn abort(&mut self, now: Instant, id: SocketId) -> Result<()> {
        match self.live(id)? {
            Socket::Stream(_) => self.abort_stream(now, id),
            Socket::Datagram(_) => self.close(now, id),
        }
    }

    /// getsockname(2). On `AF_INET6`, IPv4 is v4-mapped.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn local_addr(&self, id: SocketId) -> Result<SocketAddr> {
        self.socket_name(id)
    }

    /// getpeername(2).
    ///
    /// # Errors
    /// `ENOTCONN`, `EBADF`.
    pub fn peer_addr(&self, id: SocketId) -> Result<SocketAddr> {
        self.peer_name(id)
    }

    /// What poll(2) would say now; nothing for a name that is void.
    pub fn readiness(&self, id: SocketId) -> Ready {
        self.live(id).map_or(Ready::empty(), Socket::readiness)
    }

    /// `SIOCATMARK`: the next byte to read from a stream is at the urgent mark. False for whatever has no such mark.
    pub fn at_mark(&self, id: SocketId) -> bool {
        self.stream_at_mark(id)
    }

    /// setsockopt(2) by Linux's numbers and structures.
    ///
    /// # Errors
    /// `ENOPROTOOPT` (unknown), `EINVAL` (length or value), `EDOM`, `EISCONN`, `EBADF`.
    pub fn setsockopt(&mut self, now: Instant, id: SocketId, level: i32, name: i32, value: &[u8]) -> Result<()> {
        self.set_option_bytes(now, id, level, name, value)
    }

    /// getsockopt(2) by Linux's numbers and structures. Gives the length; what does not fit into `value` is left out.
    ///
    /// # Errors
    /// `ENOPROTOOPT`, `EINVAL`, `ENOTCONN`, `EBADF`.
    pub fn getsockopt(&mut self, now: Instant, id: SocketId, level: i32, name: i32, value: &mut [u8]) -> Result<usize> {
        self.get_option_bytes(now, id, level, name, value)
    }

    /// The options that programs set most, with types.
    ///
    /// # Errors
    /// As [`setsockopt`](Self::setsockopt).
    pub fn set_option(&mut self, now: Instant, id: SocketId, option: SocketOption) -> Result<()> {
        let (level, name, value) = option.encode();
        self.set_option_bytes(now, id, level, name, &value)
    }

    /// What `TCP_INFO` is made of.
    ///
    /// # Errors
    /// `ENOTCONN` (no connection), `EOPNOTSUPP` (no stream socket), `EBADF`.
    pub fn tcp_info(&self, now: Instant, id: SocketId) -> Result<segue_tcp::Info> {
        match self.live(id)? {
            Socket::Stream(stream) => stream.info(now).ok_or(Errno::ENOTCONN),
            Socket::Datagram(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    /// `SO_ERROR`: the pending error, once.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn take_error(&mut self, _now: Instant, id: SocketId) -> Result<Option<Errno>> {
        Ok(match self.live_mut(id)? {
            Socket::Stream(stream) => stream.take_error(),
            Socket::Datagram(datagram) => datagram.common.error.take(),
        })
    }

    /// A gateway's listener: every SYN on the interface that no other listener takes is held, unanswered, until
    /// [`held_accept`](Self::held_accept) or [`held_reject`](Self::held_reject) decides. It is readable while SYNs wait to
    /// be looked at ([`take_held`](Self::take_held)) or connections to be accepted.
    ///
    /// # Errors
    /// `ENODEV` (no such interface), `EADDRINUSE` (it has one already).
    pub fn listen_any(&mut self, now: Instant, iface: IfaceId) -> Result<SocketId> {
        let id = self.create_socket(Domain::Inet, SocketType::Stream)?;
        match self.listen_on_any(id, iface) {
            Ok(()) => Ok(id),
            Err(error) => {
                self.close(now, id)?;
                Err(error)
            }
        }
    }

    /// The next SYN that nobody has looked at.
    pub fn take_held(&mut self, listener: SocketId) -> Option<Held> {
        self.next_held(listener)
    }

    /// The next handshake of a held SYN that came to nothing after [`held_accept`](Self::held_accept): reset by the peer, or
    /// never acknowledged. This side's address, then the peer's. The listener has an event when there is one; of many that
    /// nobody asks for, the last `tcp_max_syn_backlog` are kept.
    pub fn take_failed(&mut self, listener: SocketId) -> Option<(SocketAddr, SocketAddr)> {
        self.next_failed(listener)
    }

    /// Answer a held SYN; when the handshake is complete the connection comes out of [`accept`](Self::accept).
    ///
    /// # Errors
    /// `ECONNABORTED`: the peer has given up meanwhile.
    pub fn held_accept(&mut self, now: Instant, held: HeldId) -> Result<()> {
        self.accept_held(now, held)
    }

    /// Refuse a held SYN. Nothing happens if it is gone.
    pub fn held_reject(&mut self, now: Instant, held: HeldId, how: Reject) {
        self.reject_held(now, held, how);
    }

    /// Let a UDP socket have every datagram on the interface that no other socket takes, or a ping socket every echo
    /// request to an address that is not this host's; [`send_to`](Self::send_to) may then use any source.
    ///
    /// # Errors
    /// `ENODEV`, `EADDRINUSE` (the interface has one already), `EOPNOTSUPP` (a stream socket), `EBADF`.
    pub fn bind_any(&mut self, _now: Instant, id: SocketId, iface: IfaceId) -> Result<()> {
        self.bind_datagram_any(id, iface)
    }
}

fn is_closing(state: State) -> bool {
    matches!(state, State::FinWait1 | State::Closing | State::LastAck)
}
