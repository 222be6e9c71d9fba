//! Datagram sockets of this machine: making one that is connected, and waiting
//! on it without missing the errors that come without a datagram.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Receive buffer of a flow's socket: a burst that comes while this process waits for a processor must not be lost here,
/// where a router would only have passed it on. The default of a machine is room for a hundred datagrams.
const ROOM: usize = 4 << 20;

/// A UDP socket that sends to `to` and hears from nobody else.
pub(crate) fn connect(to: SocketAddr) -> io::Result<UdpSocket> {
    // A port of its own for each: one more thing to guess for who would forge
    // an answer (RFC 5452 section 9.2).
    let any = match to.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = std::net::UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect(to)?;
    make_room(&socket);
    UdpSocket::from_std(socket)
}

/// Gives a socket the receive buffer of a flow: with CAP_NET_ADMIN all of it, else what `net.core.rmem_max` allows.
fn make_room(socket: &std::net::UdpSocket) {
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(socket, ROOM).is_err() {
        // The kernel takes any size and cuts it; a socket with less works, too.
        let _ = SockRef::from(socket).set_recv_buffer_size(ROOM);
    }
}

/// Waits until there may be something to receive, or an ICMP error has said
/// something about an earlier datagram: that error, then.
///
/// Such an error makes a socket neither readable nor writable, so that who waits
/// for a datagram alone never hears of it.
///
/// # Errors
/// The socket cannot be waited for any more: the runtime is ending.
pub(crate) async fn arrival(socket: &UdpSocket) -> io::Result<Option<io::Error>> {
    let ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
    if !ready.is_error() {
        return Ok(None);
    }
    // Forget that there was one, before looking: a later one is noticed again.
    let _ = socket.try_io(Interest::ERROR, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
    socket.take_error()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn an_error_that_comes_while_waiting_ends_the_wait_each_time() {
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = free.local_addr().unwrap();
        drop(free);
        let socket = connect(to).unwrap();
        for _ in 0..3 {
            let (waited, ()) = tokio::join!(
                tokio::time::timeout(Duration::from_secs(10), async {
                    loop {
                        if let Some(error) = arrival(&socket).await.unwrap() {
                            break error;
                        }
                        let _ = socket.try_recv(&mut [0]);
                    }
                }),
                async {
                    tokio::task::yield_now().await;
                    SockRef::from(&socket).send(b"x").unwrap();
                }
            );
            assert_eq!(waited.unwrap().kind(), io::ErrorKind::ConnectionRefused);
        }
    }
}
