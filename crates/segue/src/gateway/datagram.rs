//! Datagrams and echo requests to any address, and answers from any address.
use core::net::SocketAddr;
use std::io;

use bytes::Bytes;
use segue_stack::{Domain, Errno, IfaceId, Instant, MsgFlags, Ready, SocketId, SocketType, Stack, Unreachable};

use crate::error::IntoIo;
use crate::host::Host;
use crate::socket::Socket;

/// A datagram on its way through a gateway.
#[derive(Clone, Debug)]
pub struct AnyDatagram {
    /// Its payload.
    pub data: Bytes,
    /// Who sent it.
    pub from: SocketAddr,
    /// Where it was sent to.
    pub to: SocketAddr,
    /// Time to live or hop limit it came with.
    pub ttl: u8,
    /// Type of service or traffic class it came with.
    pub tos: u8,
}

/// An ICMP or ICMPv6 echo request on its way through a gateway.
#[derive(Clone, Debug)]
pub struct EchoRequest {
    /// The whole ICMP message: type, code, checksum, identifier, sequence number, payload.
    pub message: Bytes,
    /// Who sent it (port 0).
    pub from: SocketAddr,
    /// Where it was sent to (port 0).
    pub to: SocketAddr,
    /// Time to live or hop limit it came with.
    pub ttl: u8,
    /// Type of service or traffic class it came with.
    pub tos: u8,
}

/// The socket behind [`AnyUdp`] and [`AnyIcmp`]; it speaks for hosts of both IP versions.
#[derive(Debug)]
struct Any {
    iface: IfaceId,
    socket: Socket,
}

/// All flows of a gateway share its socket, which must not lose what a router would only have passed on: room for some
/// thousand datagrams, where an application's socket takes a hundred.
const ROOM: i32 = 4 << 20;
const SOL_SOCKET: i32 = 1;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;

impl Any {
    fn new(host: &Host, iface: IfaceId, kind: SocketType) -> io::Result<Any> {
        let socket = Socket::new(host, Domain::Inet, kind)?;
        for name in [SO_SNDBUF, SO_RCVBUF] {
            socket.setsockopt(SOL_SOCKET, name, &ROOM.to_ne_bytes())?;
        }
        host.with_stack(|stack, now| stack.bind_any(now, socket.id(), iface)).into_io()?;
        Ok(Any { iface, socket })
    }

    async fn recv(&self) -> io::Result<AnyDatagram> {
        self.socket.until(Ready::IN, take).await
    }

    async fn send(&self, data: &[u8], from: SocketAddr, to: SocketAddr) -> io::Result<()> {
        self.socket.send_to(data, MsgFlags::empty(), to, Some(from)).await.map(drop)
    }

    fn try_send(&self, data: &[u8], from: SocketAddr, to: SocketAddr) -> io::Result<()> {
        self.socket.try_send_to(data, MsgFlags::empty(), to, Some(from)).map(drop)
    }
}

/// Takes a datagram without copying it: its addresses by a look, its bytes as they came.
fn take(stack: &mut Stack, now: Instant, id: SocketId) -> Result<AnyDatagram, Errno> {
    let received = stack.recv_from(now, id, &mut [], MsgFlags::PEEK)?;
    let data = stack.recv_bytes(now, id, usize::MAX)?.into_contiguous();
    Ok(AnyDatagram { data, from: received.from, to: received.to, ttl: received.ttl, tos: received.tos })
}

/// Every UDP datagram that reaches an interface and that no socket of the host takes. Made by [`Host::any_udp`].
#[derive(Debug)]
pub struct AnyUdp {
    any: Any,
}

impl AnyUdp {
    /// The next datagram.
    pub async fn recv(&self) -> io::Result<AnyDatagram> {
        self.any.recv().await
    }

    /// Sends from any address and port to any.
    pub async fn send(&self, data: &[u8], from: SocketAddr, to: SocketAddr) -> io::Result<()> {
        self.any.send(data, from, to).await
    }

    /// Sends if there is room, else `WouldBlock`.
    pub fn try_send(&self, data: &[u8], from: SocketAddr, to: SocketAddr) -> io::Result<()> {
        self.any.try_send(data, from, to)
    }

    /// Tells `from` by an ICMP error that its datagram of `length` payload bytes to `to` went nowhere: its socket sees
    /// `ECONNREFUSED`, `EHOSTUNREACH`, …. Rate-limited like every ICMP error.
    pub fn unreachable(&self, from: SocketAddr, to: SocketAddr, length: usize, why: Unreachable) {
        let iface = self.any.iface;
        self.any.socket.host().with_stack(|stack, now| stack.refuse_datagram(now, iface, from, to, length, why));
    }
}

/// Every echo request that reaches an interface for an address that is not the host's own. Made by [`Host::any_icmp`].
#[derive(Debug)]
pub struct AnyIcmp {
    any: Any,
}

impl AnyIcmp {
    /// The next echo request.
    pub async fn recv(&self) -> io::Result<EchoRequest> {
        let AnyDatagram { data, from, to, ttl, tos } = self.any.recv().await?;
        Ok(EchoRequest { message: data, from, to, ttl, tos })
    }

    /// Sends a whole ICMP message (an echo reply) from any address to any; its checksum is computed on the way.
    pub async fn send(&self, message: &[u8], from: SocketAddr, to: SocketAddr) -> io::Result<()> {
        self.any.send(message, from, to).await
    }

    /// Answers an echo request: the same identifier, sequence number and payload, from the address it was sent to.
    pub async fn reply(&self, request: &EchoRequest) -> io::Result<()> {
        let mut message = request.message.to_vec();
        if let Some(kind) = message.first_mut() {
            // RFC 792: echo reply is type 0; RFC 4443 section 4.2: 129.
            *kind = if request.to.is_ipv4() { 0 } else { 129 };
        }
        self.send(&message, request.to, request.from).await
    }
}

impl Host {
    /// Takes every UDP datagram that reaches the first interface and that no socket of this host takes.
    ///
    /// # Errors
    /// `InvalidInput` unless the interface was built with `accept_any`; `EADDRINUSE` when it has such a socket already.
    pub fn any_udp(&self) -> io::Result<AnyUdp> {
        Ok(AnyUdp { any: Any::new(self, self.gateway_interface(None)?, SocketType::Datagram)? })
    }

    /// Takes every echo request that reaches the first interface for an address that is not this host's own.
    ///
    /// # Errors
    /// As [`any_udp`](Host::any_udp).
    pub fn any_icmp(&self) -> io::Result<AnyIcmp> {
        Ok(AnyIcmp { any: Any::new(self, self.gateway_interface(None)?, SocketType::Icmp)? })
    }
}
