//! What a connection knows for TCP-AO: initial sequence numbers, extensions, traffic keys, which keys are in use.
//!
//! Decides the traffic key of a segment (RFC 5925 section 5.2) and what is learned from a genuine one: where the numbers
//! are (section 6.2) and which key the peer wants to be sent (section 7.5). Does not have the keys: whoever has looks them up.

use alloc::vec::Vec;
use core::net::SocketAddr;

use segue_wire::tcp::{TcpFlags, TcpHeader};

use super::{AoContext, AoKey, AoOutput, Extension};
use crate::auth::Covered;

/// See the module.
#[derive(Clone, Debug)]
pub struct AoSession {
    local: SocketAddr,
    peer: SocketAddr,
    iss: u32,
    /// The peer's, once its SYN has come.
    irs: Option<u32>,
    sent: Extension,
    received: Extension,
    /// SendID of the key that signs what leaves (Current_key).
    pub current: u8,
    /// RecvID of the key that the peer is asked to sign with (RNext_key).
    pub rnext: u8,
    /// Traffic keys that were needed, by SendID and RecvID: what leaves, what arrives.
    cache: Vec<(u8, u8, AoOutput, AoOutput)>,
}

impl AoSession {
    /// A connection that is being opened from here.
    pub fn new(local: SocketAddr, peer: SocketAddr, iss: u32, key: &AoKey) -> AoSession {
        AoSession {
            local,
            peer,
            iss,
            irs: None,
            sent: Extension::new(iss),
            received: Extension::new(0),
            current: key.send_id,
            rnext: key.recv_id,
            cache: Vec::new(),
        }
    }

    /// The peer's initial sequence number is known.
    pub fn learn(&mut self, irs: u32) {
        if self.irs != Some(irs) {
            self.irs = Some(irs);
            self.received = Extension::new(irs);
            self.cache.clear();
        }
    }

    /// A key was changed or taken away: traffic keys are made anew.
    pub fn forget_traffic_keys(&mut self) {
        self.cache.clear();
    }

    fn others(&mut self, key: &AoKey) -> (AoOutput, AoOutput) {
        let known = self.cache.iter().find(|(send, recv, ..)| (*send, *recv) == (key.send_id, key.recv_id));
        if let Some((_, _, sending, receiving)) = known {
            return (*sending, *receiving);
        }
        let irs = self.irs.unwrap_or(0);
        let (local, peer) = (self.local, self.peer);
        let sending = AoContext { source: local, destination: peer, source_isn: self.iss, destination_isn: irs };
        let receiving = AoContext { source: peer, destination: local, source_isn: irs, destination_isn: self.iss };
        let (sending, receiving) = (key.traffic_key(&sending), key.traffic_key(&receiving));
        if self.irs.is_some() {
            self.cache.push((key.send_id, key.recv_id, sending, receiving));
        }
        (sending, receiving)
    }

    /// Traffic key and extension for a segment that leaves with this key.
    pub fn outgoing(&mut self, key: &AoKey, header: &TcpHeader) -> (AoOutput, u32) {
        if is_syn(header) {
            // RFC 5925 section 5.2: Send_SYN_traffic_key.
            let (source, destination) = (self.local, self.peer);
            let context = AoContext { source, destination, source_isn: self.iss, destination_isn: 0 };
            return (key.traffic_key(&context), 0);
        }
        let sne = self.sent.of(header.sequence);
        self.sent.advance(header.sequence);
        (self.others(key).0, sne)
    }

    /// Whether a segment that arrived is genuine; if it is, the session follows it. `opening`: no SYN of the peer counts yet.
    pub fn verify(&mut self, key: &AoKey, header: &TcpHeader, segment: &Covered<'_>, at: usize, opening: bool) -> bool {
        let has_syn = header.flags.contains(TcpFlags::SYN);
        if is_syn(header) {
            let (source, destination) = (self.peer, self.local);
            let context = AoContext { source, destination, source_isn: header.sequence, destination_isn: 0 };
            let is_genuine = key.verify(&key.traffic_key(&context), 0, segment, at);
            if is_genuine && opening {
                self.learn(header.sequence);
            }
            return is_genuine;
        }
        if opening && has_syn {
            // Another traffic key than that of whatever was learned before: it is not ours to keep unless this is genuine.
            let mut other = self.clone();
            other.learn(header.sequence);
            let is_genuine = key.verify(&other.others(key).1, 0, segment, at);
            if is_genuine {
                *self = other;
            }
            return is_genuine;
        }
        let sne = self.received.of(header.sequence);
        let is_genuine = key.verify(&self.others(key).1, sne, segment, at);
        if is_genuine {
            self.received.advance(header.sequence);
        }
        is_genuine
    }
}

/// A SYN that acknowledges nothing.
fn is_syn(header: &TcpHeader) -> bool {
    header.flags.contains(TcpFlags::SYN) && !header.flags.contains(TcpFlags::ACK)
}
