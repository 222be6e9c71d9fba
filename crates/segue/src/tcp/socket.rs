//! A TCP socket that is neither connected nor listening yet, to be configured first.
use core::net::SocketAddr;
use std::io;

use segue_stack::{Domain, SocketOption, SocketType};

use super::options::socket_options;
use super::{TcpListener, TcpStream};
use crate::host::Host;
use crate::socket::Socket;

/// Like tokio's: make it, set options, then [`connect`](TcpSocket::connect) or [`listen`](TcpSocket::listen).
#[derive(Debug)]
pub struct TcpSocket {
    socket: Socket,
}

socket_options!(TcpSocket, socket);

impl TcpSocket {
    /// A socket for IPv4.
    pub fn new_v4(host: &Host) -> io::Result<TcpSocket> {
        Socket::new(host, Domain::Inet, SocketType::Stream).map(|socket| TcpSocket { socket })
    }

    /// A socket for IPv6, and for IPv4 by v4-mapped addresses unless `IPV6_V6ONLY` is set.
    pub fn new_v6(host: &Host) -> io::Result<TcpSocket> {
        Socket::new(host, Domain::Inet6, SocketType::Stream).map(|socket| TcpSocket { socket })
    }

    /// A socket for the family of an address.
    pub(crate) fn new_for(host: &Host, address: SocketAddr) -> io::Result<TcpSocket> {
        match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(host),
            SocketAddr::V6(_) => TcpSocket::new_v6(host),
        }
    }

    /// `SO_REUSEADDR`: a listener may take a port whose old connections are in TIME-WAIT. Default off.
    pub fn set_reuseaddr(&self, yes: bool) -> io::Result<()> {
        self.socket.set_option(SocketOption::ReuseAddress(yes))
    }

    /// `SO_REUSEPORT`: several listeners share a port. Default off.
    pub fn set_reuseport(&self, yes: bool) -> io::Result<()> {
        self.socket.set_option(SocketOption::ReusePort(yes))
    }

    /// bind(2). Port 0 picks one from `net.ipv4.ip_local_port_range`.
    pub fn bind(&self, address: SocketAddr) -> io::Result<()> {
        self.socket.bind(address)
    }

    /// Connects.
    ///
    /// # Errors
    /// As connect(2): `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH`, `ENETUNREACH`, `EADDRNOTAVAIL`, ….
    pub async fn connect(self, address: SocketAddr) -> io::Result<TcpStream> {
        self.socket.connect(address).await?;
        Ok(TcpStream::from_socket(self.socket))
    }

    /// Listens. The backlog is limited by `net.core.somaxconn`.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        self.socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        Ok(TcpListener::from_socket(self.socket))
    }

    /// The low-level socket.
    pub fn into_socket(self) -> Socket {
        self.socket
    }
}

impl From<Socket> for TcpSocket {
    /// Takes a low-level stream socket as it is.
    fn from(socket: Socket) -> TcpSocket {
        TcpSocket { socket }
    }
}
