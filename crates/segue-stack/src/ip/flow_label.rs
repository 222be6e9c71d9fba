//! The flow label of what is sent over IPv6 (RFC 6437, RFC 6438).
//!
//! Decides which label a packet has: the one its sender names, or one that is the same for all packets of a flow and tells
//! nobody which flow it is.
use core::net::SocketAddr;

use crate::socket::common::Common;
use crate::socket::rare::RareFlags;
use crate::stack::Stack;

/// The bits of a label.
pub(crate) const FLOW_LABEL: u32 = 0x000f_ffff;
/// Linux's `flowlabel_state_ranges`: labels that nobody has leased have this bit.
const STATELESS: u32 = 0x0008_0000;

/// `net.ipv6.auto_flowlabels`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Automatic {
    Never,
    /// Unless the socket says no.
    Unless,
    /// If the socket says yes.
    If,
    Always,
}

impl Automatic {
    fn from_number(number: u8) -> Automatic {
        match number {
            0 => Automatic::Never,
            1 => Automatic::Unless,
            2 => Automatic::If,
            _ => Automatic::Always,
        }
    }
}

/// `IPV6_AUTOFLOWLABEL` of a socket, whether it was set or not.
pub(crate) fn is_automatic(common: &Common, sysctl: u8) -> bool {
    let flags = common.rare().flags;
    match Automatic::from_number(sysctl) {
        Automatic::Unless | Automatic::Always => !flags.contains(RareFlags::AUTO_FLOW_LABEL_OFF),
        Automatic::If | Automatic::Never => flags.contains(RareFlags::AUTO_FLOW_LABEL_ON),
    }
}

/// The label that a call names beside a destination, if the socket says that it does (`IPV6_FLOWINFO_SEND`).
pub(crate) fn named_label(common: &Common, to: SocketAddr) -> Option<u32> {
    match to {
        SocketAddr::V6(to) if common.rare().flags.contains(RareFlags::FLOW_INFO_SEND) => {
            Some(to.flowinfo() & FLOW_LABEL)
        }
        _ => None,
    }
}

impl Stack {
    /// The label of a socket's packet between two addresses; `named`: by the call itself. Each of `timeouts` takes another
    /// way through the network (RFC 6438), unless `SO_TXREHASH` is off.
    pub(crate) fn flow_label(
        &self,
        index: u32,
        (local, peer): (SocketAddr, SocketAddr),
        named: Option<u32>,
        timeouts: u16,
    ) -> u32 {
        let Some(socket) = self.sockets.at(index).filter(|_| peer.is_ipv6()) else { return 0 };
        let rare = socket.common().rare();
        if let Some(named) = named.or(Some(rare.flow_label)).filter(|label| *label != 0) {
            return named;
        }
        let sysctl = self.settings.ip.auto_flow_labels;
        let is_automatic = match Automatic::from_number(sysctl) {
            Automatic::Never => false,
            Automatic::Always => true,
            Automatic::Unless | Automatic::If => is_automatic(socket.common(), sysctl),
        };
        if !is_automatic {
            return 0;
        }
        let turns = if rare.flags.contains(RareFlags::TX_REHASH_OFF) { 0 } else { timeouts };
        let hash = self.secrets.flow_label(local, peer, turns);
        hash & FLOW_LABEL | STATELESS
    }
}
