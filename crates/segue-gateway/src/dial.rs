//! Connecting a socket of this machine, and what the outcome means for the
//! client that waits inside.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::report::Refusal;

/// Connects to `to`, with the kernel's own retries and time-out.
pub(crate) async fn dial(to: SocketAddr) -> Result<TcpStream, Refusal> {
    let stream = TcpStream::connect(to).await.map_err(|error| refusal(&error))?;
    // The inside stack has decided already when to send; a second Nagle would
    // only add its delay. Fails on a connection that is gone, which reading tells.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// What the error of a socket says about its destination.
pub(crate) fn refusal(error: &io::Error) -> Refusal {
    match error.kind() {
        // A reset in the middle of the handshake is a refusal, too.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Refusal::Refused,
        io::ErrorKind::HostUnreachable => Refusal::HostUnreachable,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => Refusal::NetworkUnreachable,
        io::ErrorKind::PermissionDenied => Refusal::Prohibited,
        io::ErrorKind::TimedOut => Refusal::TimedOut,
        io::ErrorKind::InvalidInput => Refusal::NotAnAddress,
        // EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL (no port left), EAGAIN.
        _ => Refusal::NoResources,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_where_nobody_listens_refuses() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        assert_eq!(dial(address).await.unwrap_err(), Refusal::Refused);
    }

    #[test]
    fn errors_of_the_kernel_keep_their_meaning() {
        for (errno, meaning) in [
            (libc::ECONNREFUSED, Refusal::Refused),
            (libc::EHOSTUNREACH, Refusal::HostUnreachable),
            (libc::ENETUNREACH, Refusal::NetworkUnreachable),
            (libc::EACCES, Refusal::Prohibited),
            (libc::EPERM, Refusal::Prohibited),
            (libc::ETIMEDOUT, Refusal::TimedOut),
            (libc::EINVAL, Refusal::NotAnAddress),
            (libc::EMFILE, Refusal::NoResources),
            (libc::EADDRNOTAVAIL, Refusal::NoResources),
        ] {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!(refusal(&error), meaning, "{error}");
        }
    }
}
