//! UDP for threads.
use core::net::SocketAddr;
use core::time::Duration;
use std::io;

use super::wait::Timeout;
use crate::udp::UdpSocket as AsyncSocket;

/// A UDP socket, with the methods of `std::net::UdpSocket`.
#[derive(Debug)]
pub struct UdpSocket {
    socket: AsyncSocket,
    read: Timeout,
    write: Timeout,
}

impl UdpSocket {
    /// Binds to an address.
    ///
    /// # Errors
    /// As [`segue::UdpSocket::bind`](crate::UdpSocket::bind).
    pub fn bind(host: impl AsRef<crate::Host>, address: SocketAddr) -> io::Result<UdpSocket> {
        AsyncSocket::bind_now(host.as_ref(), address).map(UdpSocket::from)
    }

    /// Sets the peer: `send` goes there, and only its datagrams are received.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.socket.socket().start_connect(peer)
    }

    /// Sends to the connected peer.
    pub fn send(&self, data: &[u8]) -> io::Result<usize> {
        self.write.run(self.socket.send(data))
    }

    /// Receives from the connected peer.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read.run(self.socket.recv(buffer))
    }

    /// Sends to an address.
    pub fn send_to(&self, data: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.write.run(self.socket.send_to(data, to))
    }

    /// Receives a datagram and who sent it.
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.read.run(self.socket.recv_from(buffer))
    }

    /// Looks at the next datagram without taking it.
    pub fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.read.run(self.socket.peek_from(buffer))
    }

    /// How long receiving may wait. `None`, the default: for ever. When it passes, it fails with `WouldBlock`.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.read.set(timeout)
    }

    /// How long sending may wait for room. `None`, the default: for ever. When it passes, it fails with `WouldBlock`.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.write.set(timeout)
    }

    /// This side's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The socket underneath: options and more.
    pub fn get_ref(&self) -> &AsyncSocket {
        &self.socket
    }
}

impl From<AsyncSocket> for UdpSocket {
    fn from(socket: AsyncSocket) -> UdpSocket {
        UdpSocket { socket, read: Timeout::default(), write: Timeout::default() }
    }
}
