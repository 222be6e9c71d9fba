//! What can go wrong with a connection, and with a call on it.

use core::fmt;

/// How a connection failed. Told once, as `SO_ERROR` does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ConnError {
    /// Nobody listens there (`ECONNREFUSED`).
    Refused,
    /// The peer reset the connection (`ECONNRESET`).
    Reset,
    /// The peer does not answer any more (`ETIMEDOUT`).
    TimedOut,
    /// The host cannot be reached (`EHOSTUNREACH`).
    HostUnreachable,
    /// The network cannot be reached (`ENETUNREACH`).
    NetUnreachable,
    /// The peer reset after it had finished sending (`EPIPE`).
    BrokenPipe,
    /// Aborted from this side (`ECONNABORTED`).
    Aborted,
    /// The protocol is not available there (`ENOPROTOOPT`, ICMP protocol unreachable).
    ProtocolUnreachable,
    /// ICMP said something else that ends a connection (`EPROTO`).
    Protocol,
    /// Administratively prohibited (`EACCES`).
    Prohibited,
    /// The host is not known where the packets go (`EHOSTDOWN`).
    HostDown,
    /// This host is cut off (`ENONET`).
    Isolated,
    /// The source route failed (`EOPNOTSUPP`).
    NoSourceRoute,
    /// Nobody held it any more, and there was no memory for it (`ENOBUFS`).
    OutOfMemory,
}

impl fmt::Display for ConnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConnError::Refused => "connection refused: nobody listens on that port",
            ConnError::Reset => "connection reset by peer",
            ConnError::TimedOut => "connection timed out: the peer does not answer",
            ConnError::HostUnreachable => "host unreachable",
            ConnError::NetUnreachable => "network unreachable",
            ConnError::BrokenPipe => "broken pipe: the peer does not read any more",
            ConnError::Aborted => "connection aborted",
            ConnError::ProtocolUnreachable => "the peer does not speak TCP",
            ConnError::Protocol => "an ICMP error ended the connection",
            ConnError::Prohibited => "communication prohibited on the way",
            ConnError::HostDown => "host unknown where the packets go",
            ConnError::Isolated => "this host is cut off from the network",
            ConnError::NoSourceRoute => "the source route failed",
            ConnError::OutOfMemory => "out of memory for connections that no application holds",
        })
    }
}

impl core::error::Error for ConnError {}

/// Why a write was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SendError {
    /// The send buffer is full, or the handshake is not over (`EAGAIN`).
    WouldBlock,
    /// This side has finished sending, or the connection is gone (`EPIPE`).
    BrokenPipe,
    /// There never was a connection (`ENOTCONN`).
    NotConnected,
    /// The connection has failed; the error is told here and not again by `take_error`.
    Failed(ConnError),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::WouldBlock => f.write_str("no room to send now; wait until the socket is writable"),
            SendError::BrokenPipe => f.write_str("broken pipe: this direction is closed"),
            SendError::NotConnected => f.write_str("not connected"),
            SendError::Failed(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SendError {}

/// Why nothing was read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecvError {
    /// Nothing there yet (`EAGAIN`).
    WouldBlock,
    /// The handshake is not over, or there never was a connection (`ENOTCONN`).
    NotConnected,
    /// No urgent byte, or it is in line, or it was read already (`EINVAL`; urgent reads only).
    NoUrgentData,
    /// The connection has failed; the error is told here and not again by `take_error`.
    Failed(ConnError),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::WouldBlock => f.write_str("nothing to read now; wait until the socket is readable"),
            RecvError::NotConnected => f.write_str("not connected"),
            RecvError::NoUrgentData => f.write_str("no urgent data"),
            RecvError::Failed(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RecvError {}
