//! The options that streams, listeners and sockets-to-be have in common: one list of methods for all of them.
use core::time::Duration;

/// How a quiet connection is kept alive (RFC 9293 section 3.8.4, RFC 1122 section 4.2.3.6).
///
/// `None` leaves the host's sysctl in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Keepalive {
    /// `TCP_KEEPIDLE`: quiet time before the first probe, whole seconds from 1 to 32767. Default:
    /// `net.ipv4.tcp_keepalive_time`, 7200 s.
    pub idle: Option<Duration>,
    /// `TCP_KEEPINTVL`: time between probes, whole seconds from 1 to 32767. Default: `net.ipv4.tcp_keepalive_intvl`, 75 s.
    pub interval: Option<Duration>,
    /// `TCP_KEEPCNT`: unanswered probes before the connection is given up, 1 to 127. Default:
    /// `net.ipv4.tcp_keepalive_probes`, 9.
    pub count: Option<u8>,
}

/// Option methods for a type whose `$socket` is a [`Socket`](crate::Socket).
macro_rules! socket_options {
    ($type:ty, $socket:ident) => {
        impl $type {
            /// The low-level socket underneath: any option by number, readiness, every flag.
            pub fn socket(&self) -> &$crate::Socket {
                &self.$socket
            }

            /// `TCP_NODELAY`: send small segments at once instead of waiting for an acknowledgement (Nagle). Default off.
            pub fn set_nodelay(&self, yes: bool) -> std::io::Result<()> {
                self.$socket.set_option($crate::SocketOption::NoDelay(yes))
            }

            /// `TCP_NODELAY`.
            pub fn nodelay(&self) -> std::io::Result<bool> {
                Ok(self.$socket.getsockopt_int(libc::IPPROTO_TCP, libc::TCP_NODELAY)? != 0)
            }

            /// `SO_LINGER`: `None`, the default, finishes the connection in the background after it is dropped; a zero
            /// duration resets it when it is dropped, with no TIME-WAIT. Any other duration finishes in the background,
            /// too: dropping never blocks.
            pub fn set_linger(&self, linger: Option<core::time::Duration>) -> std::io::Result<()> {
                self.$socket.set_option($crate::SocketOption::Linger(linger))
            }

            /// `SO_LINGER`.
            pub fn linger(&self) -> std::io::Result<Option<core::time::Duration>> {
                let mut value = [0; 8];
                self.$socket.getsockopt(libc::SOL_SOCKET, libc::SO_LINGER, &mut value)?;
                let [a, b, c, d, e, f, g, h] = value;
                let (on, seconds) = (i32::from_ne_bytes([a, b, c, d]), i32::from_ne_bytes([e, f, g, h]));
                let duration = core::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
                Ok((on != 0).then_some(duration))
            }

            /// `TCP_MD5SIG` (RFC 2385): segments to and from the peers in `network` are signed with `key`, 1 to 80 bytes, and
            /// none is taken that is not. Set it before connecting; on a listener it counts for connections to come. An
            /// empty key takes the network's key away.
            ///
            /// # Errors
            /// `EINVAL` (the key is too long), `ENOENT` (there is none to be taken away).
            pub fn set_md5_key(&self, network: $crate::Cidr, key: &[u8]) -> std::io::Result<()> {
                self.$socket.set_md5_key(network, key)
            }

            /// `TCP_AO_ADD_KEY` (RFC 5925): segments to and from the peers in `network` are signed, and none is taken that is
            /// not. Set keys before connecting or listening; a signed connection takes more of them, for rollover.
            ///
            /// # Errors
            /// `EEXIST` (one of the numbers is taken), `EKEYREJECTED` (the peers have an MD5 key), `EMSGSIZE` (no room for
            /// the MAC), `EISCONN` (open without TCP-AO), `EINVAL`.
            pub fn add_ao_key(&self, network: $crate::Cidr, key: $crate::AoKey) -> std::io::Result<()> {
                self.$socket.add_ao_key(network, key)
            }

            /// `SO_KEEPALIVE` with its times: `None`, the default, switches it off.
            pub fn set_keepalive(&self, keepalive: Option<$crate::Keepalive>) -> std::io::Result<()> {
                use $crate::SocketOption::{KeepAlive, KeepCount, KeepIdle, KeepInterval};
                if let Some(times) = keepalive {
                    times.idle.map_or(Ok(()), |idle| self.$socket.set_option(KeepIdle(idle)))?;
                    times.interval.map_or(Ok(()), |interval| self.$socket.set_option(KeepInterval(interval)))?;
                    times.count.map_or(Ok(()), |count| self.$socket.set_option(KeepCount(count)))?;
                }
                self.$socket.set_option(KeepAlive(keepalive.is_some()))
            }

            /// `SO_KEEPALIVE`.
            pub fn keepalive(&self) -> std::io::Result<bool> {
                Ok(self.$socket.getsockopt_int(libc::SOL_SOCKET, libc::SO_KEEPALIVE)? != 0)
            }

            /// `TCP_USER_TIMEOUT`: how long data may stay unacknowledged before the connection fails with `ETIMEDOUT`,
            /// whole milliseconds. `None`, the default: `net.ipv4.tcp_retries2` decides.
            pub fn set_user_timeout(&self, timeout: Option<core::time::Duration>) -> std::io::Result<()> {
                self.$socket.set_option($crate::SocketOption::UserTimeout(timeout.unwrap_or_default()))
            }

            /// `IP_TTL` or `IPV6_UNICAST_HOPS`: 1 to 255. Default: 64.
            pub fn set_ttl(&self, ttl: u8) -> std::io::Result<()> {
                self.$socket.set_option($crate::SocketOption::Ttl(ttl))
            }

            /// `IP_TTL` or `IPV6_UNICAST_HOPS`.
            pub fn ttl(&self) -> std::io::Result<u8> {
                let ttl = $crate::udp::ttl(&self.$socket)?;
                Ok(ttl)
            }

            /// `SO_RCVBUF` in bytes, which ends automatic sizing. Linux's rules: doubled, limited by `net.core.rmem_max`.
            pub fn set_recv_buffer_size(&self, bytes: usize) -> std::io::Result<()> {
                self.$socket.set_option($crate::SocketOption::ReceiveBuffer(bytes))
            }

            /// `SO_SNDBUF` in bytes, which ends automatic sizing. Linux's rules: doubled, limited by `net.core.wmem_max`.
            pub fn set_send_buffer_size(&self, bytes: usize) -> std::io::Result<()> {
                self.$socket.set_option($crate::SocketOption::SendBuffer(bytes))
            }

            /// `SO_RCVBUF`, in bytes as Linux reports it: with the doubling.
            pub fn recv_buffer_size(&self) -> std::io::Result<usize> {
                let size = self.$socket.getsockopt_int(libc::SOL_SOCKET, libc::SO_RCVBUF)?;
                Ok(usize::try_from(size).unwrap_or(0))
            }

            /// `SO_SNDBUF`, in bytes as Linux reports it: with the doubling.
            pub fn send_buffer_size(&self) -> std::io::Result<usize> {
                let size = self.$socket.getsockopt_int(libc::SOL_SOCKET, libc::SO_SNDBUF)?;
                Ok(usize::try_from(size).unwrap_or(0))
            }

            /// This side's address.
            pub fn local_addr(&self) -> std::io::Result<core::net::SocketAddr> {
                self.$socket.local_addr()
            }

            /// `SO_ERROR`: the pending error, which is thereby taken.
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.$socket.take_error()
            }
        }
    };
}
pub(crate) use socket_options;
