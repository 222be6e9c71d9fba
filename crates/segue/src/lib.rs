//! TCP/IP in your process: tokio sockets and blocking sockets over the Segue stack.
//!
//! A [`Host`] is one IP host: a [`Stack`] without I/O, the [`link`]s it is attached to, and one driver task on the current
//! tokio runtime. Sockets are made from a host and behave as Linux's do: [`TcpStream`], [`TcpListener`], [`UdpSocket`] have
//! the methods of their namesakes in tokio, errors carry Linux's errno, dropping closes.
//!
//! This crate decides when to sleep, what to wake and who holds the lock; it decides nothing about the protocols.
//!
//! ```no_run
//! use segue::{Host, TcpStream};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # async fn example(tun: impl segue::link::Link + 'static) -> std::io::Result<()> {
//! let host = Host::builder().address("10.0.0.2/24".parse().unwrap()).link(tun).spawn()?;
//! let mut stream = TcpStream::connect(&host, "10.0.0.1:80".parse().unwrap()).await?;
//! stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
//! let mut answer = Vec::new();
//! stream.read_to_end(&mut answer).await?;
//! # Ok(())
//! # }
//! ```
pub mod blocking;
mod bridge;
mod clock;
pub mod control;
mod error;
mod gateway;
mod host;
mod ping;
mod socket;
mod tcp;
mod udp;

pub use bridge::{Bridge, BridgePause, Lateness, stop_signal};
pub use clock::now;
pub use error::io_error;
pub use gateway::{AnyDatagram, AnyIcmp, AnyListener, AnyUdp, EchoRequest, Incoming};
pub use host::{Host, HostBuilder, Interface, Seed};
pub use ping::{PingError, PingOptions, PingReply};
pub use segue_link as link;
pub use segue_stack::{
    AoAlgorithm, AoKey, Chunks, Cidr, ControlError, ControlMessage, Counters, Domain, Errno, ErrorOrigin,
    ExtendedError, IfaceId, Info, Instant, MsgFlags, PacketInfo, Reach, Ready, Received, ReceivedMessage, Reject,
    Settings, Shutdown, SocketId, SocketInfo, SocketOption, SocketType, Stack, SysctlDescription, SysctlError,
    TcpDecision, Unreachable, decode_control, encode_control,
};
pub use socket::Socket;
pub use tcp::{
    Closed, Keepalive, OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, TcpListener, TcpSocket, TcpStream,
    WriteHalf,
};
pub use udp::UdpSocket;

/// The README's example compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
