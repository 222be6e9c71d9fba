//! Socket options by Linux's numbers, with Linux's lengths, bounds and errors.
//!
//! Decides which options exist, what a value must look like, and where it is kept. What an option does is decided where it
//! is used. An option nobody knows is `ENOPROTOOPT`, a value of the wrong length `EINVAL`; nothing is taken and ignored
//! except where this file says that it has no meaning without a kernel.
use core::time::Duration;

use segue_tcp::Instant;

use crate::socket::Socket;
use crate::stack::{Result, Stack};
use crate::{Domain, Errno, SocketId};

mod ao;
mod device;
mod fast_open;
mod ip;
mod ipv6;
mod md5;
mod multicast;
mod numbers;
mod socket_level;
pub(crate) mod socket_values;
mod tcp;
pub(crate) mod tcp_info;
mod tcp_rarities;
mod times;
mod udp;

use numbers::{ip as ip_names, ipv6 as ipv6_names, level, sol, tcp as tcp_names};

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
    /// `SO_LINGER`: `None` off, otherwise how long close() may take, whole seconds; zero resets.
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
    /// `IP_TTL`.
    Ttl(u8),
    /// `IPV6_UNICAST_HOPS`; `AF_INET6` sockets only.
    HopLimit(u8),
    /// `IP_TOS`.
    Tos(u8),
    /// `IPV6_TCLASS`; `AF_INET6` sockets only.
    TrafficClass(u8),
}

impl SocketOption {
    /// Level, name and value as setsockopt(2) takes them.
    pub(crate) fn encode(self) -> (i32, i32, Vec<u8>) {
        let flag = |on: bool| i32::from(on).to_ne_bytes().to_vec();
        let number = |n: u128| i32::try_from(n).unwrap_or(i32::MAX).to_ne_bytes().to_vec();
        let seconds = |d: Duration| number(u128::from(d.as_secs()));
        match self {
            SocketOption::ReuseAddress(on) => (level::SOCKET, sol::REUSEADDR, flag(on)),
            SocketOption::ReusePort(on) => (level::SOCKET, sol::REUSEPORT, flag(on)),
            SocketOption::KeepAlive(on) => (level::SOCKET, sol::KEEPALIVE, flag(on)),
            SocketOption::Broadcast(on) => (level::SOCKET, sol::BROADCAST, flag(on)),
            SocketOption::Linger(time) => {
                let mut value = flag(time.is_some());
                value.extend(seconds(time.unwrap_or_default()));
                (level::SOCKET, sol::LINGER, value)
            }
            SocketOption::ReceiveBuffer(bytes) => (level::SOCKET, sol::RCVBUF, number(bytes as u128)),
            SocketOption::SendBuffer(bytes) => (level::SOCKET, sol::SNDBUF, number(bytes as u128)),
            SocketOption::V6Only(on) => (level::IPV6, ipv6_names::V6ONLY, flag(on)),
            SocketOption::NoDelay(on) => (level::TCP, tcp_names::NODELAY, flag(on)),
            SocketOption::Cork(on) => (level::TCP, tcp_names::CORK, flag(on)),
            SocketOption::QuickAck(on) => (level::TCP, tcp_names::QUICKACK, flag(on)),
            SocketOption::KeepIdle(time) => (level::TCP, tcp_names::KEEPIDLE, seconds(time)),
            SocketOption::KeepInterval(time) => (level::TCP, tcp_names::KEEPINTVL, seconds(time)),
            SocketOption::KeepCount(count) => (level::TCP, tcp_names::KEEPCNT, number(count.into())),
            SocketOption::UserTimeout(time) => (level::TCP, tcp_names::USER_TIMEOUT, number(time.as_millis())),
            SocketOption::Ttl(ttl) => (level::IP, ip_names::TTL, number(ttl.into())),
            SocketOption::HopLimit(hops) => (level::IPV6, ipv6_names::UNICAST_HOPS, number(hops.into())),
            SocketOption::Tos(tos) => (level::IP, ip_names::TOS, number(tos.into())),
            SocketOption::TrafficClass(class) => (level::IPV6, ipv6_names::TCLASS, number(class.into())),
        }
    }
}

/// What getsockopt() gives.
pub(crate) enum OptionValue {
    Int(i32),
    Bytes(Vec<u8>),
}

impl From<bool> for OptionValue {
    fn from(on: bool) -> OptionValue {
        OptionValue::Int(i32::from(on))
    }
}

/// An `int`, as most options take it.
fn int(value: &[u8]) -> Result<i32> {
    value.first_chunk::<4>().map(|bytes| i32::from_ne_bytes(*bytes)).ok_or(Errno::EINVAL)
}

fn flag(value: &[u8]) -> Result<bool> {
    int(value).map(|number| number != 0)
}

impl Stack {
    pub(crate) fn set_option_bytes(
        &mut self,
        now: Instant,
        id: SocketId,
        level: i32,
        name: i32,
        value: &[u8],
    ) -> Result<()> {
        let (is_stream, is_v6) = self.kind_of(id)?;
        match level {
            level::SOCKET => self.set_socket_option(now, id, name, value),
            level::IP => self.set_ip_option(id, name, value),
            level::IPV6 if is_v6 => self.set_ipv6_option(id, name, value),
            level::TCP if is_stream => self.set_tcp_option(now, id, name, value),
            level::UDP if self.is_udp(id) => self.set_udp_option(now, id, name, value),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    pub(crate) fn get_option_bytes(
        &mut self,
        now: Instant,
        id: SocketId,
        level: i32,
        name: i32,
        value: &mut [u8],
    ) -> Result<usize> {
        let (is_stream, is_v6) = self.kind_of(id)?;
        let got = match level {
            level::SOCKET => self.get_socket_option(now, id, name, value.len())?,
            level::IP => self.get_ip_option(now, id, name, value)?,
            level::IPV6 if is_v6 => self.get_ipv6_option(now, id, name, value)?,
            level::TCP if is_stream && (tcp_names::AO_ADD_KEY..=tcp_names::AO_REPAIR).contains(&name) => {
                self.get_ao_option(id, name, value)?
            }
            level::TCP if is_stream => self.get_tcp_option(now, id, name, value.len())?,
            level::UDP if self.is_udp(id) => self.get_udp_option(id, name)?,
            // As Linux, which on AF_INET says something else here than setsockopt() does.
            _ if !is_v6 => return Err(Errno::EOPNOTSUPP),
            _ => return Err(Errno::ENOPROTOOPT),
        };
        let bytes = match got {
            // As Linux at the IP level: who has room for one byte only gets one, if the value fits.
            OptionValue::Int(number)
                if level == level::IP && (1..4).contains(&value.len()) && (0..256).contains(&number) =>
            {
                vec![number as u8]
            }
            OptionValue::Int(number) => number.to_ne_bytes().to_vec(),
            OptionValue::Bytes(bytes) => bytes,
        };
        let len = bytes.len().min(value.len());
        value[..len].copy_from_slice(&bytes[..len]);
        Ok(len)
    }

    /// Whether it is a stream socket, and whether it is an `AF_INET6` one.
    fn kind_of(&self, id: SocketId) -> Result<(bool, bool)> {
        let socket = self.live(id)?;
        Ok((matches!(socket, Socket::Stream(_)), socket.common().domain == Domain::Inet6))
    }
}
