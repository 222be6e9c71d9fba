//! Signed segments: whose keys count, what is verified, what is signed (RFC 2385, RFC 5925).
//!
//! Decides who answers for a segment: a connection's own socket, a listener for what has no connection yet, an entry in
//! TIME-WAIT for itself. Does not decide what a signature is: that is `segue_tcp::auth`'s. Invariant: once a key applies to a
//! peer, no segment of this flow is taken unsigned and none leaves unsigned.
mod ao;
mod arrival;
mod md5_keys;
mod signing;

use core::net::IpAddr;
use std::sync::Arc;

use segue_tcp::{Segment, Signature, SocketOptions};

pub(crate) use ao::{Ao, AoCounters, AoEntry, AoIds};
pub(crate) use arrival::Arrived;
pub(crate) use md5_keys::{Md5Key, Md5Keys};
pub(crate) use signing::{Signer, Signing, SignsAs};

use super::flows::FlowRef;
use crate::ip::input::Arrival;
use crate::stack::Stack;
use crate::tuple::FourTuple;
use crate::{Errno, SocketId};

/// The keys of a socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    pub(crate) md5: Md5Keys,
    pub(crate) ao: Option<Box<Ao>>,
}

/// What a handshake agreed upon: which keys, and the initial numbers, ours and the peer's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Agreed {
    pub(crate) ids: Option<AoIds>,
    pub(crate) iss: u32,
    pub(crate) irs: u32,
}

impl Keys {
    pub(crate) fn is_empty(&self) -> bool {
        self.md5.is_empty() && self.ao.is_none()
    }

    /// What segments to this peer are signed with.
    pub(crate) fn signature(&self, peer: IpAddr) -> Signature {
        match &self.ao {
            Some(ao) if ao.find(peer, None, None).is_some() => ao.signature(peer),
            _ if self.md5.find(peer).is_some() => Signature::Md5,
            _ => Signature::None,
        }
    }

    /// What a connection with this peer has of its listener's: the keys that apply, MD5's for this peer alone.
    pub(crate) fn for_child(&self, tuple: &FourTuple, agreed: Agreed) -> Option<Box<Keys>> {
        if let Some(ids) = agreed.ids {
            let ao = self.ao.as_ref()?.for_child(tuple, ids, agreed.iss, agreed.irs)?;
            return Some(Box::new(Keys { ao: Some(Box::new(ao)), ..Keys::default() }));
        }
        let md5 = Md5Keys::of_one(self.md5.find(tuple.peer)?.for_peer(tuple.peer));
        Some(Box::new(Keys { md5, ao: None }))
    }

    /// connect(): which keys count, and that it is only one kind (RFC 5925 section 1).
    pub(crate) fn connect(&mut self, tuple: &FourTuple, iss: u32) -> crate::stack::Result<Signature> {
        let has_md5 = self.md5.find(tuple.peer).is_some();
        if let Some(ao) = &mut self.ao {
            let has_ao = ao.find(tuple.peer, None, None).is_some();
            // As Linux: with both it is ambiguous, and who has keys but none that fits would be left unsigned.
            if has_md5 == (has_ao || ao.required) {
                return Err(Errno::EKEYREJECTED);
            }
            match has_md5 {
                true => self.ao = None,
                false if !ao.connect(tuple, iss) => return Err(Errno::EKEYREJECTED),
                false => {}
            }
        }
        Ok(self.signature(tuple.peer))
    }
}

/// The keys of an entry in TIME-WAIT.
#[derive(Clone, Debug)]
pub(crate) enum LastKeys {
    Md5(Arc<[u8]>),
    Ao(Box<Ao>),
}

impl Stack {
    /// The keys of the socket at an index.
    pub(crate) fn keys_of(&self, index: u32) -> Option<&Keys> {
        self.sockets.at(index)?.common().rare().keys.as_deref()
    }

    /// Its TCP-AO, to be changed.
    pub(crate) fn ao_at(&mut self, index: u32) -> Option<&mut Ao> {
        self.sockets.at_mut(index)?.common_mut().rare.as_mut()?.keys.as_mut()?.ao.as_deref_mut()
    }

    /// The keys that a SYN for a listener asks to be answered with.
    pub(crate) fn ao_ids(&self, listener: u32, syn: &Segment) -> Option<AoIds> {
        let option = syn.options.authentication?;
        self.keys_of(listener)?.ao.as_ref()?;
        Some(AoIds { send: option.rnext_key_id, recv: option.key_id })
    }

    /// The options that a listener gives a connection with this peer, if they are not simply its own.
    pub(crate) fn signed_options(&self, listener: u32, peer: IpAddr, ids: Option<AoIds>) -> Option<SocketOptions> {
        let keys = self.keys_of(listener)?;
        let signature = match (ids, &keys.ao) {
            (Some(ids), Some(ao)) => ao.signature_of(peer, Some(ids.send)),
            _ if keys.md5.find(peer).is_some() => Signature::Md5,
            _ => Signature::None,
        };
        let options = &self.listener_at(listener)?.options;
        (!signature.is_empty()).then(|| SocketOptions { signature, ..options.clone() })
    }

    /// The keys that a connection has in TIME-WAIT.
    pub(crate) fn last_keys(&self, index: u32, peer: IpAddr) -> Option<LastKeys> {
        let keys = self.keys_of(index)?;
        match &keys.ao {
            Some(ao) if ao.session.is_some() => Some(LastKeys::Ao(ao.clone())),
            _ => Some(LastKeys::Md5(Arc::clone(&keys.md5.find(peer)?.secret))),
        }
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
