//! Socket options by Linux's numbers.
use core::time::Duration;

/// The options that programs set most, with types; every other one goes by its number through
/// [`setsockopt`](crate::Stack::setsockopt).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SocketOption {
    /// `SO_REUSEADDR`.
    ReuseAddress(bool),
    /// `SO_REUSEPORT`.
    ReusePort(bool),
    /// `SO_KEEPALIVE`.
    KeepAlive(bool),
    /// `SO_BROADCAST`.
    Broadcast(bool),
    /// `SO_LINGER`: `None` off, otherwise how long close() may take; zero resets.
    Linger(Option<Duration>),
    /// `SO_RCVBUF`, in bytes before Linux's doubling.
    ReceiveBuffer(usize),
    /// `SO_SNDBUF`, in bytes before Linux's doubling.
    SendBuffer(usize),
    /// `IPV6_V6ONLY`.
    V6Only(bool),
    /// `TCP_NODELAY`.
    NoDelay(bool),
    /// `TCP_CORK`.
    Cork(bool),
    /// `TCP_QUICKACK`.
    QuickAck(bool),
    /// `TCP_KEEPIDLE`, whole seconds.
    KeepIdle(Duration),
    /// `TCP_KEEPINTVL`, whole seconds.
    KeepInterval(Duration),
    /// `TCP_KEEPCNT`.
    KeepCount(u8),
    /// `TCP_USER_TIMEOUT`, whole milliseconds; zero: the default.
    UserTimeout(Duration),
    /// `IP_TTL`, or `IPV6_UNICAST_HOPS` on an `AF_INET6` socket.
    Ttl(u8),
    /// `IP_TOS`, or `IPV6_TCLASS` on an `AF_INET6` socket.
    Tos(u8),
}
