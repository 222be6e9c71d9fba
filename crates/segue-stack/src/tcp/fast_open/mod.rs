//! TCP Fast Open (RFC 7413) around the connections: who may use it, cookies, what is remembered of peers.
//!
//! What data in a SYN mean to a connection is `segue-tcp`'s. Here is decided whether a SYN opens a connection at once
//! (`server`), what our own SYNs carry (`client`), and what `net.ipv4.tcp_fastopen` and its socket options mean.
use hashbrown::HashMap;

use crate::SocketId;
use crate::secrets::KeyedState;

use black_hole::BlackHole;
use peers::Peers;

mod black_hole;
mod client;
mod cookie;
mod peers;
mod server;

pub(crate) use client::Wish;
pub use cookie::FastOpenKeys;
pub(crate) use server::{FastAnswer, FastOpenQueue};

/// Bits of `net.ipv4.tcp_fastopen`.
mod bits {
    /// Our connects may use it.
    pub(super) const CLIENT: u32 = 0x1;
    /// Our listeners may.
    pub(super) const SERVER: u32 = 0x2;
    /// Our SYNs carry data whether a cookie is known or not.
    pub(super) const CLIENT_WITHOUT_COOKIE: u32 = 0x4;
    /// Listeners take data of any SYN.
    pub(super) const SERVER_WITHOUT_COOKIE: u32 = 0x200;
    /// Listeners need not ask for it by `TCP_FASTOPEN`.
    pub(super) const ALL_LISTENERS: u32 = 0x400;
}

/// Socket options that have to do with Fast Open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct FastOpenOptions {
    /// `TCP_FASTOPEN`: how many connections that a SYN has opened may wait for their first acknowledgment.
    pub(crate) queue: u32,
    /// `TCP_FASTOPEN_CONNECT`: connect() lets the SYN wait for data.
    pub(crate) connect: bool,
    /// `TCP_FASTOPEN_NO_COOKIE`: neither sent nor asked for.
    pub(crate) no_cookie: bool,
    /// `TCP_FASTOPEN_KEY` of a listener.
    pub(crate) keys: Option<FastOpenKeys>,
}

impl FastOpenOptions {
    pub(crate) const DEFAULT: FastOpenOptions =
        FastOpenOptions { queue: 0, connect: false, no_cookie: false, keys: None };
}

/// What the stack keeps for all its sockets.
#[derive(Debug)]
pub(crate) struct FastOpens {
    /// Connections opened by a SYN and not acknowledged yet, and the listener that counts each.
    opening: HashMap<u32, SocketId, KeyedState>,
    /// There is a key: it was set, or drawn.
    pub(crate) has_key: bool,
    peers: Peers,
    black_hole: BlackHole,
}

impl FastOpens {
    pub(crate) fn new(hasher: KeyedState) -> FastOpens {
        FastOpens {
            opening: HashMap::with_hasher(hasher.clone()),
            has_key: false,
            peers: Peers::new(hasher),
            black_hole: BlackHole::default(),
        }
    }

    /// Servers that something is known of.
    pub(crate) fn peers_len(&self) -> usize {
        self.peers.len()
    }

    /// Bytes of places that are held.
    pub(crate) fn room(&self) -> usize {
        self.peers.room() + self.opening.allocation_size()
    }

    /// Cookies of a server are forgotten, as with what else was learned of it.
    pub(crate) fn forget_peers(&mut self) {
        self.peers.clear();
    }
}
