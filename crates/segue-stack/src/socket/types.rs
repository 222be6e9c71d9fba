//! The words of the socket calls: names of sockets, kinds, flags, what a call gives back.
use core::net::SocketAddr;

use segue_tcp::Ready;

/// Names a socket of one stack. Never reused: a number that has been closed stays `EBADF`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl SocketId {
    /// The whole name as one number, for tables and messages.
    pub fn as_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The slot; small, dense, reused after close by a socket with another generation.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

impl core::fmt::Debug for SocketId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Socket({}.{})", self.index, self.generation)
    }
}

/// The address family of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Domain {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`; also speaks IPv4 through v4-mapped addresses unless `IPV6_V6ONLY` is set.
    Inet6,
}

/// The kind of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SocketType {
    /// `SOCK_STREAM`: TCP.
    Stream,
    /// `SOCK_DGRAM`: UDP.
    Datagram,
    /// `SOCK_DGRAM` with `IPPROTO_ICMP` or `IPPROTO_ICMPV6`: a ping socket.
    Icmp,
}

/// Which way a connection is shut.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Shutdown {
    /// `SHUT_RD`: the application reads no more; nothing is told to the peer.
    Read,
    /// `SHUT_WR`: the application writes no more; the peer sees the end of the stream after all that was written.
    Write,
    /// `SHUT_RDWR`.
    Both,
}

bitflags::bitflags! {
    /// The `MSG_*` flags with Linux's numbers. Bits that a call does not know are ignored, as Linux does.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct MsgFlags: i32 {
        /// Out-of-band (urgent) data.
        const OOB = 0x1;
        /// Read without taking.
        const PEEK = 0x2;
        /// Send only to hosts on connected networks.
        const DONTROUTE = 0x4;
        /// Return the real length of a datagram; on a stream, throw the bytes away.
        const TRUNC = 0x20;
        /// Received: control messages were left out or cut.
        const CTRUNC = 0x8;
        /// Do not block. Calls on a stack never block, so this changes nothing.
        const DONTWAIT = 0x40;
        /// The end of a record; on a stream, nothing that is written later joins these bytes.
        const EOR = 0x80;
        /// Wait for the whole length. A hint for whoever blocks on top; the stack gives what it has.
        const WAITALL = 0x100;
        /// Read the error queue.
        const ERRQUEUE = 0x2000;
        /// No `SIGPIPE`. The stack sends no signals; whoever does asks for this.
        const NOSIGNAL = 0x4000;
        /// More is coming: hold back a partial segment, or collect one datagram.
        const MORE = 0x8000;
        /// Tell by the error queue when the bytes are no longer needed (`SO_ZEROCOPY`).
        const ZEROCOPY = 0x400_0000;
        /// Connect, with as much of the data in the SYN as a cookie allows (RFC 7413). Streams only.
        const FASTOPEN = 0x2000_0000;
    }
}

/// What [`recv_from`](crate::Stack::recv_from) received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Received {
    /// Bytes put into the buffer.
    pub len: usize,
    /// Bytes the datagram had; more than `len` when it was cut.
    pub full_len: usize,
    /// Who sent it. On an `AF_INET6` socket an IPv4 sender is v4-mapped.
    pub from: SocketAddr,
    /// The address it was sent to, in the same form.
    pub to: SocketAddr,
    /// Time to live or hop limit it came with.
    pub ttl: u8,
    /// Type of service or traffic class it came with.
    pub tos: u8,
}

/// A socket has become ready for something it was not ready for when last told, or more has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SocketEvent {
    /// Whose readiness it is.
    pub socket: SocketId,
    /// All it is ready for now, as poll(2) would say.
    pub ready: Ready,
}

/// A SYN that a gateway keeps, unanswered, until it has decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HeldId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A held SYN and whom it concerns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// Its name in [`held_accept`](crate::Stack::held_accept) and [`held_reject`](crate::Stack::held_reject).
    pub id: HeldId,
    /// The address the SYN was sent to.
    pub local: SocketAddr,
    /// Who sent it.
    pub peer: SocketAddr,
}

/// How a held SYN is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reject {
    /// With a RST: the peer sees `ECONNREFUSED`.
    Reset,
    /// With an ICMP error.
    Unreachable(Unreachable),
    /// With silence: the peer sees `ETIMEDOUT` in the end.
    Drop,
}

/// Why a destination cannot be reached; each stands for its ICMP and its ICMPv6 code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreachable {
    /// ICMP 3/0, ICMPv6 1/0: the peer sees `ENETUNREACH`.
    Network,
    /// ICMP 3/1, ICMPv6 1/3: the peer sees `EHOSTUNREACH`.
    Host,
    /// ICMP 3/3, ICMPv6 1/4: the peer sees `ECONNREFUSED`.
    Port,
    /// ICMP 3/13, ICMPv6 1/1: the peer sees `EHOSTUNREACH` (IPv4) or `EACCES` (IPv6).
    Prohibited,
}
