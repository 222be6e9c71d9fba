//! The TCP-AO keys of a socket (RFC 5925), and which of them a segment is verified or signed with.
//!
//! Decides matching, rollover, what a SYN is answered with and what is counted. What a MAC is, is `segue_tcp::auth`'s.
use core::net::IpAddr;

use segue_tcp::{
    AoContext, AoKey, AoOutput, AoSession, Covered, Extension, Signature, TcpFlags, TcpHeader, find_ao_mac,
};
use segue_wire::tcp::TcpAo;

use crate::tuple::FourTuple;
use crate::{Cidr, Counter, Errno};

/// As many as `net.core.optmem_max` (128 KiB) has room for on Linux.
const MOST_KEYS: usize = 512;

/// A key with the peers that it is for, and how often it was right.
#[derive(Clone, Debug)]
pub(crate) struct AoEntry {
    pub(crate) network: Cidr,
    pub(crate) key: AoKey,
    pub(crate) good: u64,
    pub(crate) bad: u64,
}

/// What `TCP_AO_INFO` counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct AoCounters {
    pub(crate) good: u64,
    pub(crate) bad: u64,
    pub(crate) key_not_found: u64,
    pub(crate) required: u64,
    pub(crate) dropped_icmps: u64,
}

/// The keys by which a SYN asked to be answered: SendID of ours, and RecvID that it was signed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct AoIds {
    pub(crate) send: u8,
    pub(crate) recv: u8,
}

/// How far a flow has got, which says what its traffic keys are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// A connection; `opening` until a SYN of the peer counts.
    Connection { opening: bool },
    /// A half-open one with these initial numbers.
    Handshake { iss: u32, irs: u32 },
    /// Nobody remembers anything: a SYN, or the acknowledgment of a cookie.
    Nothing,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ao {
    /// The newest first, as Linux looks.
    pub(crate) keys: Vec<AoEntry>,
    pub(crate) required: bool,
    pub(crate) accept_icmps: bool,
    pub(crate) counters: AoCounters,
    /// What the application chose before there was a connection.
    pub(crate) current: Option<u8>,
    pub(crate) rnext: Option<u8>,
    pub(crate) session: Option<AoSession>,
}

impl Ao {
    /// The first key for a peer that also has these numbers, where they are given.
    pub(crate) fn find(&self, peer: IpAddr, send: Option<u8>, recv: Option<u8>) -> Option<usize> {
        self.keys.iter().position(|entry| {
            entry.network.contains(peer)
                && send.is_none_or(|id| id == entry.key.send_id)
                && recv.is_none_or(|id| id == entry.key.recv_id)
        })
    }

    /// RFC 5925 section 3.1: numbers of keys whose peers overlap are different.
    pub(crate) fn add(&mut self, entry: AoEntry) -> Result<(), Errno> {
        let overlaps = |known: &AoEntry| {
            let shorter = known.network.prefix().min(entry.network.prefix());
            Cidr::new(known.network.address(), shorter).is_ok_and(|both| both.contains(entry.network.address()))
        };
        let clashes =
            |known: &&AoEntry| known.key.recv_id == entry.key.recv_id || known.key.send_id == entry.key.send_id;
        if self.keys.iter().filter(clashes).any(overlaps) {
            return Err(Errno::EEXIST);
        }
        if self.keys.len() >= MOST_KEYS {
            return Err(Errno::ENOMEM);
        }
        self.keys.insert(0, entry);
        Ok(())
    }

    /// Current_key and RNext_key as they are, or as they were chosen.
    pub(crate) fn in_use(&self) -> (Option<u8>, Option<u8>) {
        match &self.session {
            Some(session) => (Some(session.current), Some(session.rnext)),
            None => (self.current, self.rnext),
        }
    }

    pub(crate) fn choose_current(&mut self, id: u8) {
        match &mut self.session {
            Some(session) => session.current = id,
            None => self.current = Some(id),
        }
    }

    pub(crate) fn choose_rnext(&mut self, id: u8) {
        match &mut self.session {
            Some(session) => session.rnext = id,
            None => self.rnext = Some(id),
        }
    }

    /// A connection to this peer begins: keys for others go, as on Linux. `false`: there is none for it.
    pub(crate) fn connect(&mut self, tuple: &FourTuple, iss: u32) -> bool {
        let Some(first) = self.find(tuple.peer, None, None) else { return false };
        let mut session = AoSession::new(tuple.local_addr(), tuple.peer_addr(), iss, &self.keys[first].key);
        if let Some(id) = self.current.filter(|id| self.find(tuple.peer, Some(*id), None).is_some()) {
            session.current = id;
        }
        if let Some(id) = self.rnext.filter(|id| self.find(tuple.peer, None, Some(*id)).is_some()) {
            session.rnext = id;
        }
        self.keys.retain(|entry| entry.network.contains(tuple.peer));
        self.session = Some(session);
        true
    }

    /// What a connection that a listener accepts has of the listener's keys.
    pub(crate) fn for_child(&self, tuple: &FourTuple, ids: AoIds, iss: u32, irs: u32) -> Option<Ao> {
        let signing = &self.keys[self.find(tuple.peer, Some(ids.send), None)?];
        let mut session = AoSession::new(tuple.local_addr(), tuple.peer_addr(), iss, &signing.key);
        session.rnext = ids.recv;
        session.learn(irs);
        let keys = self.keys.iter().filter(|entry| entry.network.contains(tuple.peer)).cloned().collect();
        let Ao { required, accept_icmps, .. } = *self;
        Some(Ao { keys, required, accept_icmps, session: Some(session), ..Ao::default() })
    }

    /// How much room the signature of what leaves takes.
    pub(crate) fn signature(&self, peer: IpAddr) -> Signature {
        let send = self.session.as_ref().map(|session| session.current);
        self.signature_of(peer, send)
    }

    /// The same for the answer to a SYN that asked for a key.
    pub(crate) fn signature_of(&self, peer: IpAddr, send: Option<u8>) -> Signature {
        let found = self.find(peer, send, None);
        found.map_or(Signature::None, |at| Signature::Ao { option_len: self.keys[at].key.option_len() as u8 })
    }

    /// RFC 5925 section 7.5. `Err`: why it is dropped.
    pub(crate) fn verify(
        &mut self,
        tuple: &FourTuple,
        stage: Stage,
        (header, option): (&TcpHeader, &TcpAo),
        segment: &Covered<'_>,
    ) -> Result<(), Counter> {
        let is_syn = header.flags.contains(TcpFlags::SYN) && !header.flags.contains(TcpFlags::ACK);
        let found = self.find(tuple.peer, None, Some(option.key_id));
        // As Linux: a SYN that asks for an answer with a key that is not there gets none.
        let answers = !is_syn || self.find(tuple.peer, Some(option.rnext_key_id), None).is_some();
        let (Some(at), true) = (found, answers) else {
            self.counters.key_not_found += 1;
            return Err(Counter::TcpExtTCPAOKeyNotFound);
        };
        let entry = &mut self.keys[at];
        let mac_at = find_ao_mac(segment.header).filter(|_| option.mac.len() == usize::from(entry.key.mac_len));
        let is_genuine = mac_at.is_some_and(|mac_at| match (stage, &mut self.session) {
            (Stage::Connection { opening }, Some(session)) => {
                session.verify(&entry.key, header, segment, mac_at, opening)
            }
            (stage, _) => verify_stateless(&entry.key, tuple, stage, header, segment, mac_at),
        });
        if !is_genuine {
            entry.bad += 1;
            self.counters.bad += 1;
            return Err(Counter::TcpExtTCPAOBad);
        }
        entry.good += 1;
        self.counters.good += 1;
        // The peer wants to be sent another key (RFC 5925 section 7.5, step 2 g).
        if !is_syn
            && self.session.as_ref().is_some_and(|session| session.current != option.rnext_key_id)
            && let Some(wanted) = self.find(tuple.peer, Some(option.rnext_key_id), None)
            && let Some(session) = &mut self.session
        {
            session.current = self.keys[wanted].key.send_id;
        }
        Ok(())
    }

    /// What signs the next segment of the connection.
    pub(crate) fn signer(&mut self, tuple: &FourTuple, header: &TcpHeader) -> Option<AoSigner> {
        let current = self.session.as_ref()?.current;
        let at = self.find(tuple.peer, Some(current), None)?;
        let key = self.keys[at].key.clone();
        let session = self.session.as_mut()?;
        let (traffic_key, sne) = session.outgoing(&key, header);
        Some(AoSigner { key, traffic_key, sne, rnext: session.rnext })
    }

    /// What signs an answer of a half-open connection.
    pub(crate) fn signer_for(
        &self,
        tuple: &FourTuple,
        ids: AoIds,
        (iss, irs): (u32, u32),
        header: &TcpHeader,
    ) -> Option<AoSigner> {
        let key = self.keys[self.find(tuple.peer, Some(ids.send), None)?].key.clone();
        let (source, destination) = (tuple.local_addr(), tuple.peer_addr());
        let context = AoContext { source, destination, source_isn: iss, destination_isn: irs };
        let sne = Extension::new(iss).of(header.sequence);
        Some(AoSigner { traffic_key: key.traffic_key(&context), key, sne, rnext: ids.recv })
    }
}

/// A segment of a flow without a connection.
fn verify_stateless(
    key: &AoKey,
    tuple: &FourTuple,
    stage: Stage,
    header: &TcpHeader,
    segment: &Covered<'_>,
    at: usize,
) -> bool {
    let (has_syn, has_ack) = (header.flags.contains(TcpFlags::SYN), header.flags.contains(TcpFlags::ACK));
    let (irs, iss) = match (has_syn, has_ack, stage) {
        (true, false, _) => (header.sequence, 0),
        (_, _, Stage::Handshake { iss, irs }) => (irs, iss),
        (false, true, _) => (header.sequence.wrapping_sub(1), header.acknowledgment.wrapping_sub(1)),
        // Nothing says what its traffic key would be.
        _ => return false,
    };
    let (source, destination) = (tuple.peer_addr(), tuple.local_addr());
    let context = AoContext { source, destination, source_isn: irs, destination_isn: iss };
    key.verify(&key.traffic_key(&context), Extension::new(irs).of(header.sequence), segment, at)
}

/// What signs one segment.
#[derive(Clone, Debug)]
pub(crate) struct AoSigner {
    pub(crate) key: AoKey,
    pub(crate) traffic_key: AoOutput,
    pub(crate) sne: u32,
    pub(crate) rnext: u8,
}
