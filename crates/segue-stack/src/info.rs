//! One line of `ss`.
use core::net::SocketAddr;

use crate::{Domain, SocketId, SocketType};

/// A socket, TIME-WAIT entry or half-open connection as `ss` shows it.
#[derive(Clone, Debug)]
pub struct SocketInfo {
    /// Its name; `None` for what no application holds (TIME-WAIT, SYN-RECEIVED, orphans).
    pub socket: Option<SocketId>,
    /// Address family.
    pub domain: Domain,
    /// Kind.
    pub kind: SocketType,
    /// RFC 9293's state; `None` for datagram sockets.
    pub state: Option<State>,
    /// Local address; unspecified and port 0 when not bound.
    pub local: SocketAddr,
    /// Peer; `None` when not connected.
    pub peer: Option<SocketAddr>,
    /// Bytes waiting to be read; for a listener: connections waiting to be accepted.
    pub receive_queue: usize,
    /// Bytes sent or to be sent and not acknowledged; for a listener: the backlog.
    pub send_queue: usize,
    /// What `TCP_INFO` would say, where there is a connection.
    pub info: Option<segue_tcp::Info>,
}

/// The states of RFC 9293 section 3.3.2 (LISTEN belongs to the stack, the others are a connection's).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// Waiting for connections.
    Listen,
    /// A connection's state, as its machine names it.
    Connection(segue_tcp::State),
}
