//! Ping: one echo request, one answer (RFC 792, RFC 4443 section 4).
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use segue_stack::{Domain, Errno, IcmpComplaint, MsgFlags, SocketOption, SocketType};

use crate::host::Host;
use crate::socket::Socket;

/// What an echo request carries and how long its answer may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PingOptions {
    /// Bytes of payload after the 8 bytes of ICMP header. Default 56, as ping(8) has.
    pub size: usize,
    /// The sequence number, by which several requests to one host are told apart. Default 1.
    pub sequence: u16,
    /// Time to live or hop limit; `None`, the default: the host's (64). A small one asks routers to say who they are.
    pub ttl: Option<u8>,
    /// How long to wait for an answer. Default one second.
    pub timeout: Duration,
}

impl Default for PingOptions {
    fn default() -> PingOptions {
        PingOptions { size: 56, sequence: 1, ttl: None, timeout: Duration::from_secs(1) }
    }
}

/// The answer to a ping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PingReply {
    /// Who answered.
    pub from: IpAddr,
    /// From sending the request to having the answer.
    pub rtt: Duration,
    /// Time to live or hop limit of the answer.
    pub ttl: u8,
    /// Bytes of the answer with its ICMP header.
    pub bytes: usize,
}

/// Why a ping had no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum PingError {
    /// Nobody answered in time.
    TimedOut {
        /// The time that was waited.
        after: Duration,
    },
    /// A router or the destination said that it cannot be reached.
    Unreachable {
        /// Who said so.
        from: IpAddr,
        /// The errno that Linux gives for it: `EHOSTUNREACH`, `ENETUNREACH`, `ECONNREFUSED`, ….
        errno: Errno,
    },
    /// The time to live or hop limit ran out on the way.
    TimeExceeded {
        /// The router where it did.
        from: IpAddr,
    },
    /// The request could not be sent, or the host has ended.
    Io(io::Error),
}

impl fmt::Display for PingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PingError::TimedOut { after } => write!(f, "no answer after {after:?}"),
            PingError::Unreachable { from, errno } => write!(f, "{from} says: {errno}"),
            PingError::TimeExceeded { from } => write!(f, "time to live exceeded at {from}"),
            PingError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            PingError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for PingError {
    fn from(error: io::Error) -> PingError {
        PingError::Io(error)
    }
}

impl Host {
    /// Sends one echo request and waits for its answer.
    ///
    /// # Errors
    /// [`PingError`]: silence, what a router had to say, or why it could not be sent.
    pub async fn ping(&self, to: IpAddr, options: PingOptions) -> Result<PingReply, PingError> {
        let domain = if to.is_ipv4() { Domain::Inet } else { Domain::Inet6 };
        let socket = Socket::new(self, domain, SocketType::Icmp)?;
        if let Some(ttl) = options.ttl {
            socket.set_option(SocketOption::Ttl(ttl))?;
        }
        enable_errors(&socket, to)?;
        socket.start_connect(SocketAddr::new(to, 0))?;
        let request = echo_request(to, options);
        let start = crate::clock::now();
        socket.send(&request, MsgFlags::empty()).await?;
        let mut answer = pin!(answer(&socket, options.sequence, request.len()));
        let mut timeout = pin!(self.sleep_until(start + options.timeout));
        let outcome = poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => timeout.as_mut().poll(cx).map(|()| None),
        });
        match outcome.await {
            None => Err(PingError::TimedOut { after: options.timeout }),
            Some(Err(error)) => Err(error),
            Some(Ok((from, ttl, bytes))) => {
                let rtt = crate::clock::now().saturating_duration_since(start);
                Ok(PingReply { from, rtt, ttl, bytes })
            }
        }
    }
}

/// `IP_RECVERR` or `IPV6_RECVERR`: ICMP errors come to the socket.
fn enable_errors(socket: &Socket, to: IpAddr) -> io::Result<()> {
    let (level, name) = match to {
        IpAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_RECVERR),
        IpAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
    };
    socket.setsockopt(level, name, &1i32.to_ne_bytes())
}

/// Type, code, checksum and identifier (which the stack fills in), sequence number, payload.
fn echo_request(to: IpAddr, options: PingOptions) -> Vec<u8> {
    let kind = if to.is_ipv4() { 8 } else { 128 };
    let [high, low] = options.sequence.to_be_bytes();
    let mut message = vec![kind, 0, 0, 0, 0, 0, high, low];
    message.extend((0..options.size).map(|index| index as u8));
    message
}

/// Waits for the reply with this sequence number.
async fn answer(socket: &Socket, sequence: u16, size: usize) -> Result<(IpAddr, u8, usize), PingError> {
    let mut buffer = vec![0; size];
    loop {
        match socket.recv_from(&mut buffer, MsgFlags::empty()).await {
            Ok(received) if buffer.get(6..8) == Some(&sequence.to_be_bytes()) => {
                return Ok((received.from.ip(), received.ttl, received.full_len));
            }
            // The answer to another request.
            Ok(_) => {}
            Err(error) => return Err(failure(socket, error)),
        }
    }
}

/// What an ICMP error looks like after it came through the socket's error.
fn failure(socket: &Socket, error: io::Error) -> PingError {
    let complaint = socket.host().with_stack(|stack, _| stack.take_complaint(socket.id())).ok().flatten();
    match (complaint, error.raw_os_error().map(Errno)) {
        // RFC 792: 11 is time exceeded; RFC 4443 section 3.3: 3.
        (Some(IcmpComplaint { from: from @ IpAddr::V4(_), kind: 11, .. }), _)
        | (Some(IcmpComplaint { from: from @ IpAddr::V6(_), kind: 3, .. }), _) => PingError::TimeExceeded { from },
        (Some(IcmpComplaint { from, .. }), Some(errno)) => PingError::Unreachable { from, errno },
        _ => PingError::Io(error),
    }
}
