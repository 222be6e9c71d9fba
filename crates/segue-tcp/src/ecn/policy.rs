//! Which kind of ECN a connection asks for, grants and ends up with.
//!
//! Owns RFC 3168 section 6.1.1 (ECN-setup SYN and SYN-ACK) and 6.1.1.1 (fallback). Nothing is agreed but by the
//! handshake: what arrives marked proves nothing about the peer.

use segue_wire::Ecn;
use segue_wire::tcp::TcpFlags;

use crate::segment::Segment;

/// Which ECN is granted to peers and asked of them (`tcp_ecn`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum EcnPolicy {
    /// 0: neither granted nor asked.
    Off = 0,
    /// 1: granted and asked (RFC 3168).
    On = 1,
    /// 2: granted to peers that ask.
    #[default]
    Grant = 2,
}

/// A kind of ECN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum EcnMode {
    #[default]
    Off,
    /// RFC 3168.
    Classic,
}

impl EcnPolicy {
    /// The policy with this number in `tcp_ecn`.
    pub const fn from_number(number: u8) -> Option<EcnPolicy> {
        Some(match number {
            0 => EcnPolicy::Off,
            1 => EcnPolicy::On,
            2 => EcnPolicy::Grant,
            _ => return None,
        })
    }

    /// The number in `tcp_ecn`.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// This policy towards a destination whose route has the feature `ecn`: RFC 3168 is granted and asked at least.
    pub const fn with_route_feature(self) -> EcnPolicy {
        match self {
            EcnPolicy::Off | EcnPolicy::On | EcnPolicy::Grant => EcnPolicy::On,
        }
    }

    fn granted(self) -> EcnMode {
        match self {
            EcnPolicy::Off => EcnMode::Off,
            EcnPolicy::On | EcnPolicy::Grant => EcnMode::Classic,
        }
    }

    fn asked(self) -> EcnMode {
        match self {
            EcnPolicy::Off | EcnPolicy::Grant => EcnMode::Off,
            EcnPolicy::On => EcnMode::Classic,
        }
    }
}

/// The ECN side of a handshake: what our SYN asks for or our SYN-ACK grants; in the end what was agreed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Handshake {
    pub(crate) mode: EcnMode,
    /// What we send may be ECT.
    pub(crate) may_mark: bool,
    /// `tcp_ecn_fallback`.
    fallback: bool,
}

const SETUP: TcpFlags = TcpFlags::ECE.union(TcpFlags::CWR);
const BITS: TcpFlags = SETUP.union(TcpFlags::AE);

/// RFC 3168 section 6.1.1: an ECN-setup SYN.
fn is_setup(flags: TcpFlags) -> bool {
    flags & BITS == SETUP
}

impl Handshake {
    /// For an active open.
    pub(crate) fn ask(policy: EcnPolicy, fallback: bool) -> Handshake {
        Handshake { mode: policy.asked(), may_mark: true, fallback }
    }

    /// For a SYN that has come to a listener.
    pub(crate) fn grant(policy: EcnPolicy, fallback: bool, syn: &Segment) -> Handshake {
        // As Linux: RFC 3168 forbids ECT on a SYN; one that has it nevertheless was mangled on its way.
        let asked = is_setup(syn.header.flags) && syn.ecn == Ecn::NotEct;
        let mode = if asked { policy.granted() } else { EcnMode::Off };
        Handshake { mode, may_mark: true, fallback }
    }

    /// ECN bits of our SYN, which is sent for the time `sends` (from 0).
    pub(crate) fn syn_flags(&mut self, sends: u8) -> TcpFlags {
        match self.mode {
            EcnMode::Off => TcpFlags::empty(),
            // Section 6.1.1.1: a SYN that asks may be what some box on the way does not let through.
            EcnMode::Classic if sends > 0 && self.fallback => {
                // Section 6.1.1: who has sent a SYN that does not ask must not set ECT.
                self.may_mark = false;
                TcpFlags::empty()
            }
            EcnMode::Classic => SETUP,
        }
    }

    /// ECN bits of our SYN-ACK.
    pub(crate) fn syn_ack_flags(&self) -> TcpFlags {
        match self.mode {
            EcnMode::Off => TcpFlags::empty(),
            EcnMode::Classic => TcpFlags::ECE,
        }
    }

    /// The peer's SYN-ACK has come. A reflection of our own bits grants nothing.
    pub(crate) fn on_syn_ack(&mut self, flags: TcpFlags) {
        if flags & SETUP != TcpFlags::ECE {
            self.mode = EcnMode::Off;
        }
    }

    /// The peer's SYN has come while ours was out (simultaneous open).
    pub(crate) fn on_crossing_syn(&mut self, flags: TcpFlags) {
        if !is_setup(flags) {
            self.mode = EcnMode::Off;
        }
    }

    /// The peer's SYN has come again. Section 6.1.1: one that does not ask says that ECT had better not be set.
    pub(crate) fn on_repeated_syn(&mut self, flags: TcpFlags) {
        self.may_mark &= is_setup(flags);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_has_the_number_that_tcp_ecn_gives_it() {
        for number in 0..=u8::MAX {
            assert!(EcnPolicy::from_number(number).is_none_or(|policy| policy.number() == number));
        }
        assert_eq!(EcnPolicy::default().number(), 2);
    }

    /// RFC 3168 section 6.1.1: ECE without CWR and nothing else.
    #[test]
    fn only_one_of_eight_syn_acks_grants() {
        for ace in 0..8 {
            let mut handshake = Handshake::ask(EcnPolicy::On, true);
            handshake.on_syn_ack(TcpFlags::empty().with_ace(ace));
            let granted = ace & 3 == 1;
            assert_eq!(handshake.mode == EcnMode::Classic, granted, "ACE {ace}");
        }
    }
}
