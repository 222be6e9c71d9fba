//! Sockets with Linux's semantics.
//!
//! Decides what a call does in which state and which errno it gives, and what poll(2) says. Protocols decide the rest:
//! `tcp` and `segue-tcp` for streams, `udp` and `ping` for datagrams. `SocketId`s are never reused.
mod address;
mod api;
pub(crate) mod arrived;
mod calls;
pub(crate) mod common;
pub(crate) mod datagram;
pub(crate) mod error_queue;
pub(crate) mod groups;
mod message;
pub(crate) mod rare;
pub(crate) mod send_control;
pub(crate) mod timestamping;
mod told;
mod types;

pub use types::{
    Domain, Held, HeldId, MsgFlags, Received, Reject, Shutdown, SocketEvent, SocketId, SocketType, Unreachable,
};

use segue_tcp::Ready;

use crate::tcp::stream::StreamSocket;
use common::{Common, Flags};
use datagram::DatagramSocket;

/// One socket. It lies in its place of the table itself, which never moves: among a million of them every allocation less is
/// a cache line less to wait for.
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
#[derive(Debug)]
pub(crate) enum Socket {
    Stream(StreamSocket),
    Datagram(DatagramSocket),
}

impl Socket {
    pub(crate) fn common(&self) -> &Common {
        match self {
            Socket::Stream(stream) => &stream.common,
            Socket::Datagram(datagram) => &datagram.common,
        }
    }

    pub(crate) fn common_mut(&mut self) -> &mut Common {
        match self {
            Socket::Stream(stream) => &mut stream.common,
            Socket::Datagram(datagram) => &mut datagram.common,
        }
    }

    pub(crate) fn is_detached(&self) -> bool {
        self.common().has(Flags::DETACHED)
    }

    pub(crate) fn readiness(&self) -> Ready {
        match self {
            Socket::Stream(stream) => stream.readiness(),
            Socket::Datagram(datagram) => datagram.readiness(),
        }
    }
}
