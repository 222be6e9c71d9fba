//! Signed segments: whose keys count, what is verified, what is signed (RFC 2385).
//!
//! Decides who answers for a segment: a connection's own socket, a listener for what has no connection yet, an entry in
//! TIME-WAIT for itself. Does not decide what a signature is: that is `segue_tcp::auth`'s. Invariant: once a key applies to a
//! peer, no segment of this flow is taken unsigned and none leaves unsigned.
mod arrival;
mod md5_keys;
mod signing;

use core::net::IpAddr;
use std::sync::Arc;

use segue_tcp::{Signature, SocketOptions};

pub(crate) use arrival::Arrived;
pub(crate) use md5_keys::{Md5Key, Md5Keys};
pub(crate) use signing::{Signer, SignsAs};

use super::flows::FlowRef;
use crate::SocketId;
use crate::ip::input::Arrival;
use crate::stack::Stack;
use crate::tuple::FourTuple;

/// The keys of a socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    pub(crate) md5: Md5Keys,
}

impl Keys {
    pub(crate) fn is_empty(&self) -> bool {
        self.md5.is_empty()
    }

    /// What segments to this peer are signed with.
    pub(crate) fn signature(&self, peer: IpAddr) -> Signature {
        if self.md5.find(peer).is_some() { Signature::Md5 } else { Signature::None }
    }

    /// What a connection with this peer has of its listener's: the key that applies, for this peer alone.
    pub(crate) fn for_peer(&self, peer: IpAddr) -> Option<Box<Keys>> {
        let md5 = Md5Keys::of_one(self.md5.find(peer)?.for_peer(peer));
        Some(Box::new(Keys { md5 }))
    }
}

/// The keys of an entry in TIME-WAIT.
#[derive(Clone, Debug)]
pub(crate) enum LastKeys {
    Md5(Arc<[u8]>),
}

impl Stack {
    /// The keys of the socket at an index.
    pub(crate) fn keys_of(&self, index: u32) -> Option<&Keys> {
        self.sockets.at(index)?.common().rare().keys.as_deref()
    }

    /// The options that a listener gives a connection with this peer, if they are not simply its own.
    pub(crate) fn signed_options(&self, listener: u32, peer: IpAddr) -> Option<SocketOptions> {
        let signature = self.keys_of(listener)?.signature(peer);
        let options = &self.listener_at(listener)?.options;
        (!signature.is_empty()).then(|| SocketOptions { signature, ..options.clone() })
    }

    /// The keys that a connection has in TIME-WAIT.
    pub(crate) fn last_keys(&self, index: u32, peer: IpAddr) -> Option<LastKeys> {
        let key = self.keys_of(index)?.md5.find(peer)?;
        Some(LastKeys::Md5(Arc::clone(&key.secret)))
    }

    /// Who answers for a segment of this flow; `None`: nobody.
    fn who_answers(&self, tuple: &FourTuple, arrival: &Arrival, found: Option<FlowRef>) -> Option<SignsAs> {
        Some(match found {
            Some(FlowRef::Connection(index)) => SignsAs::Socket(index),
            Some(FlowRef::Opening(entry)) => match self.listener_of_opening(entry) {
                Some(listener) => SignsAs::Socket(listener),
                // It ends with this segment, which then is for whoever listens now.
                None => return self.who_answers(tuple, arrival, None),
            },
            Some(FlowRef::TimeWait(entry)) => SignsAs::TimeWait(entry),
            // A gateway speaks for others, whose keys it does not have.
            Some(FlowRef::Held(_)) => SignsAs::Nobody,
            None => match self.find_listener(tuple, arrival) {
                Some(listener) => SignsAs::Socket(listener),
                None => self.tcp.any.get(&arrival.iface).map(|_| SignsAs::Nobody)?,
            },
        })
    }

    fn listener_of_opening(&self, entry: u32) -> Option<u32> {
        let SocketId { index, generation } = self.tcp.entries.opening.at(entry)?.listener;
        (self.sockets.generation(index) == Some(generation) && self.listener_at(index).is_some()).then_some(index)
    }

    /// A socket's keys have changed: an open connection may have to sign from now on.
    pub(crate) fn keys_changed(&mut self, now: segue_tcp::Instant, id: SocketId) -> crate::stack::Result<()> {
        self.tcp.has_keys = true;
        let keys = self.keys_of(id.index);
        let peer = match self.sockets.at(id.index) {
            Some(crate::socket::Socket::Stream(stream)) => stream.flow().map(|flow| flow.tuple.peer),
            _ => None,
        };
        let Some(peer) = peer else { return Ok(()) };
        let signature = keys.map_or(Signature::None, |keys| keys.signature(peer));
        self.change_tcp_options(now, id, |options| options.signature = signature)
    }
}
