//! A connection under test: its addresses, and the mapping between a script's numbers and live ones.
//!
//! Invariant: own numbers are the stack's, peer numbers are the script's; numbers on SYN segments are literal for the
//! peer, and counted from the script's own initial number for the stack.
use std::collections::HashMap;
use std::net::IpAddr;

use segue_wire::{Instant, TcpFlags, TcpHeader};

use super::keys::Keys;
use crate::host::Fd;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Made by socket(), nothing more.
    Idle,
    Listening,
    /// connect() or sendto() was called.
    Connecting,
    /// Made by a packet that came for a listener, or for nobody.
    Passive,
}

#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) role: Role,
    pub(crate) is_datagram: bool,
    /// `None` until accept().
    pub(crate) socket: Option<Fd>,
    pub(crate) local: (IpAddr, Option<u16>),
    pub(crate) remote: (IpAddr, Option<u16>),
    pub(crate) peer_isn: Option<u32>,
    /// Live and script value of the stack's initial sequence number.
    pub(crate) own_isn: Option<(u32, u32)>,
    /// A SYN that may begin the connection anew.
    pub(crate) reopening: Option<u32>,
    /// Timestamps: script value to live value.
    pub(crate) stamps: HashMap<u32, u32>,
    /// Script value, live value and time of the first timestamp.
    pub(crate) first_stamp: Option<(u32, u32, Instant)>,
    /// Flow labels, script and live.
    pub(crate) flow_labels: Vec<(u32, u32)>,
    /// What the script has given the socket to sign with.
    pub(crate) keys: Keys,
    /// Whose keys count as long as the handshake lasts.
    pub(crate) listener: Option<usize>,
}

impl Endpoint {
    pub(crate) fn new(local: IpAddr, remote: IpAddr, is_datagram: bool) -> Endpoint {
        Endpoint {
            role: Role::Idle,
            is_datagram,
            socket: None,
            local: (local, None),
            remote: (remote, None),
            peer_isn: None,
            own_isn: None,
            reopening: None,
            stamps: HashMap::new(),
            first_stamp: None,
            flow_labels: Vec::new(),
            keys: Keys::default(),
            listener: None,
        }
    }

    /// There is a connection, which keeps its listener's keys as they are now.
    pub(crate) fn inherit(&mut self, keys: &Keys) {
        if self.listener.take().is_some() {
            self.keys = keys.clone();
        }
    }

    fn own_offset(&self) -> u32 {
        self.own_isn.map_or(0, |(live, _)| live)
    }

    /// The live form of one of the stack's numbers.
    pub(crate) fn live_own(&self, script: u32, is_syn: bool) -> u32 {
        match self.own_isn {
            Some((live, first)) if is_syn => script.wrapping_sub(first).wrapping_add(live),
            _ => script.wrapping_add(self.own_offset()),
        }
    }

    /// The live form of one of the peer's numbers.
    pub(crate) fn live_peer(&self, script: u32, is_syn: bool) -> u32 {
        if is_syn { script } else { script.wrapping_add(self.peer_isn.unwrap_or(0)) }
    }

    /// The script's form of the sequence number of a segment of the stack.
    pub(crate) fn script_sequence(&self, header: &TcpHeader) -> u32 {
        match self.own_isn {
            Some((live, first)) if header.flags.contains(TcpFlags::SYN) => {
                header.sequence.wrapping_sub(live).wrapping_add(first)
            }
            _ => header.sequence.wrapping_sub(self.own_offset()),
        }
    }

    /// The script's form of the acknowledgment number of a segment of the stack.
    pub(crate) fn script_acknowledgment(&self, header: &TcpHeader) -> u32 {
        let is_literal = header.flags.contains(TcpFlags::SYN) || !header.flags.contains(TcpFlags::ACK);
        if is_literal { header.acknowledgment } else { header.acknowledgment.wrapping_sub(self.peer_isn.unwrap_or(0)) }
    }

    /// Take note of a SYN of the peer.
    pub(crate) fn on_peer_syn(&mut self, sequence: u32, has_ack: bool) {
        match (self.peer_isn, self.own_isn) {
            (Some(_), Some(_)) if !has_ack => self.reopening = Some(sequence),
            _ => self.peer_isn = Some(sequence),
        }
    }

    /// Take note of a SYN of the stack, which the script numbers `script`.
    pub(crate) fn on_own_syn(&mut self, header: &TcpHeader, script: u32) {
        let is_anew = self.reopening.filter(|sequence| {
            header.flags.contains(TcpFlags::ACK) && header.acknowledgment == sequence.wrapping_add(1)
        });
        if let Some(sequence) = is_anew {
            self.peer_isn = Some(sequence);
            self.own_isn = None;
            self.reopening = None;
        }
        if self.own_isn.is_none() {
            self.own_isn = Some((header.sequence, script));
        }
    }

    /// Whether a packet from these ports belongs here; learns the local port from a connecting SYN.
    pub(crate) fn takes(&mut self, flags: Option<TcpFlags>, ports: (u16, u16)) -> bool {
        if self.remote.1 != Some(ports.1) {
            return false;
        }
        let is_opening = flags.is_none_or(|flags| flags.contains(TcpFlags::SYN) && !flags.contains(TcpFlags::ACK));
        if self.local.1.is_none() && self.role == Role::Connecting && is_opening {
            self.local.1 = Some(ports.0);
        }
        self.local.1 == Some(ports.0)
    }
}
