//! A listening TCP socket.
use core::net::SocketAddr;
use core::task::{Context, Poll};
use std::io;

use super::options::socket_options;
use super::{TcpSocket, TcpStream};
use crate::host::Host;
use crate::socket::Socket;

/// Accepts connections. Dropping it resets those nobody has accepted, as Linux does.
///
/// Streams inherit its options.
#[derive(Debug)]
pub struct TcpListener {
    socket: Socket,
}

socket_options!(TcpListener, socket);

impl TcpListener {
    /// Listens on an address, with `SO_REUSEADDR` and a backlog of 1024 as tokio does. `0.0.0.0` and `::` mean every
    /// address of the host; port 0 picks one.
    ///
    /// # Errors
    /// As bind(2) and listen(2): `EADDRINUSE`, `EADDRNOTAVAIL`, ….
    pub async fn bind(host: &Host, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind_now(host, address)
    }

    /// Same; nothing in it waits.
    pub(crate) fn bind_now(host: &Host, address: SocketAddr) -> io::Result<TcpListener> {
        let socket = TcpSocket::new_for(host, address)?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(1024)
    }

    /// The next connection and who made it. Several tasks may wait; each connection goes to one of them.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = self.socket.accept().await?;
        Ok((TcpStream::from_socket(socket), peer))
    }

    /// The next connection if there is one.
    pub fn try_accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = self.socket.try_accept()?;
        Ok((TcpStream::from_socket(socket), peer))
    }

    /// [`accept`](TcpListener::accept) for hand-written futures. Only the task that polled last is woken.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.socket.poll_accept(cx).map_ok(|(socket, peer)| (TcpStream::from_socket(socket), peer))
    }

    /// Takes a low-level socket that listens.
    pub fn from_socket(socket: Socket) -> TcpListener {
        TcpListener { socket }
    }

    /// The low-level socket.
    pub fn into_socket(self) -> Socket {
        self.socket
    }
}
