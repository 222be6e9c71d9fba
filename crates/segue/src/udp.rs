//! UDP sockets with the methods of tokio's.
use core::net::SocketAddr;
use core::task::{Context, Poll};
use std::io;

use segue_stack::{Domain, MsgFlags, Ready, Received, SocketOption, SocketType, Stack};
use tokio::io::ReadBuf;

use crate::host::{Host, Place};
use crate::socket::Socket;

const NONE: MsgFlags = MsgFlags::empty();

/// A UDP socket, with the methods of tokio's `UdpSocket`.
///
/// A datagram that is longer than the buffer is cut. ICMP errors are reported to connected sockets: `ConnectionRefused`
/// when nobody listens at the peer.
#[derive(Debug)]
pub struct UdpSocket {
    socket: Socket,
}

impl UdpSocket {
    /// Binds to an address. `0.0.0.0` and `::` mean every address of the host; port 0 picks one.
    ///
    /// # Errors
    /// As bind(2): `EADDRINUSE`, `EADDRNOTAVAIL`, ….
    pub async fn bind(host: &Host, address: SocketAddr) -> io::Result<UdpSocket> {
        UdpSocket::bind_now(host, address)
    }

    /// Same; nothing in it waits.
    pub(crate) fn bind_now(host: &Host, address: SocketAddr) -> io::Result<UdpSocket> {
        let domain = if address.is_ipv4() { Domain::Inet } else { Domain::Inet6 };
        let socket = Socket::new(host, domain, SocketType::Datagram)?;
        socket.bind(address)?;
        Ok(UdpSocket { socket })
    }

    /// Takes a low-level datagram socket.
    pub fn from_socket(socket: Socket) -> UdpSocket {
        UdpSocket { socket }
    }

    /// The low-level socket.
    pub fn into_socket(self) -> Socket {
        self.socket
    }

    /// The low-level socket underneath: any option by number, readiness, every flag.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sets the peer: `send` goes there, and only its datagrams are received.
    pub async fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.socket.start_connect(peer)
    }

    /// Sends to the connected peer.
    pub async fn send(&self, data: &[u8]) -> io::Result<usize> {
        self.socket.send(data, NONE).await
    }

    /// Sends to the connected peer if there is room, else `WouldBlock`.
    pub fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        self.socket.try_send(data, NONE)
    }

    /// [`send`](UdpSocket::send) for hand-written futures. Only the task that polled last for writing is woken.
    pub fn poll_send(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_call(cx, Place::Writer, Ready::OUT, |stack, now, id| stack.send(now, id, data, NONE))
    }

    /// Receives from the connected peer.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buffer, NONE).await
    }

    /// Receives from the connected peer if a datagram is there, else `WouldBlock`.
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.try_recv(buffer, NONE)
    }

    /// Sends to an address.
    pub async fn send_to(&self, data: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.socket.send_to(data, NONE, to, None).await
    }

    /// Sends to an address if there is room, else `WouldBlock`.
    pub fn try_send_to(&self, data: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.socket.try_send_to(data, NONE, to, None)
    }

    /// [`send_to`](UdpSocket::send_to) for hand-written futures. Only the task that polled last for writing is woken.
    pub fn poll_send_to(&self, cx: &mut Context<'_>, data: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        let call = |stack: &mut Stack, now, id| stack.send_to(now, id, data, NONE, to, None);
        self.socket.poll_call(cx, Place::Writer, Ready::OUT, call)
    }

    /// Receives a datagram and who sent it.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buffer, NONE).await.map(short)
    }

    /// Receives a datagram if one is there, else `WouldBlock`.
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.try_recv_from(buffer, NONE).map(short)
    }

    /// Receives a datagram with all that is known about it: real length, destination, TTL, type of service.
    pub async fn recv_msg(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.socket.recv_from(buffer, NONE).await
    }

    /// Looks at the next datagram without taking it.
    pub async fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buffer, MsgFlags::PEEK).await.map(short)
    }

    /// [`recv_from`](UdpSocket::recv_from) for hand-written futures. Only the task that polled last for reading is woken.
    pub fn poll_recv_from(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        let room = buffer.initialize_unfilled();
        let call = |stack: &mut Stack, now, id| stack.recv_from(now, id, room, NONE);
        let received = std::task::ready!(self.socket.poll_call(cx, Place::Reader, Ready::IN, call))?;
        buffer.advance(received.len);
        Poll::Ready(Ok(received.from))
    }

    /// Waits until a datagram or an error is there.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.ready(Ready::IN).await.map(drop)
    }

    /// Waits until there is room to send.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.ready(Ready::OUT).await.map(drop)
    }

    /// This side's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The connected peer's address; `ENOTCONN` without one.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// `SO_BROADCAST`: sending to broadcast addresses is allowed. Default off.
    pub fn set_broadcast(&self, yes: bool) -> io::Result<()> {
        self.socket.set_option(SocketOption::Broadcast(yes))
    }

    /// `SO_BROADCAST`.
    pub fn broadcast(&self) -> io::Result<bool> {
        Ok(self.socket.getsockopt_int(libc::SOL_SOCKET, libc::SO_BROADCAST)? != 0)
    }

    /// `IP_TTL` or `IPV6_UNICAST_HOPS`: 1 to 255. Default: 64.
    pub fn set_ttl(&self, ttl: u8) -> io::Result<()> {
        self.socket.set_option(SocketOption::Ttl(ttl))
    }

    /// `IP_TTL` or `IPV6_UNICAST_HOPS`.
    pub fn ttl(&self) -> io::Result<u8> {
        ttl(&self.socket)
    }

    /// `SO_ERROR`: the pending error, which is thereby taken.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }
}

fn short(received: Received) -> (usize, SocketAddr) {
    (received.len, received.from)
}

/// `IP_TTL` or `IPV6_UNICAST_HOPS`, whichever the socket's family has.
pub(crate) fn ttl(socket: &Socket) -> io::Result<u8> {
    let (level, name) = match socket.local_addr()? {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_TTL),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS),
    };
    Ok(u8::try_from(socket.getsockopt_int(level, name)?).unwrap_or(u8::MAX))
}
