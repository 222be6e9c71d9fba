//! How the ends of a connection agree on ECN, and what the handshake shows of the path.
//!
//! Owns RFC 3168 section 6.1.1 (ECN-setup SYN and SYN-ACK) and 6.1.1.1 (fallback); RFC 9768 sections 3.1 (negotiation,
//! with the forms of its table 2) and 3.2.2.3 (mangling). Nothing is agreed but by the handshake: what arrives marked
//! proves nothing about the peer. No SYN or SYN-ACK of ours is ECT.

use segue_wire::Ecn;
use segue_wire::tcp::{AccEcn, TcpFlags};

use super::EcnMode;
use crate::config::Config;
use crate::segment::Segment;

/// The ECN side of a handshake: what our SYN asks for or our SYN-ACK grants; in the end what was agreed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Handshake {
    pub(crate) mode: EcnMode,
    /// What we send may be ECT.
    pub(crate) may_mark: bool,
    /// IP-ECN of the peer's SYN or SYN-ACK, the latest one: what RFC 9768 feeds back.
    pub(crate) heard: Ecn,
    /// `tcp_ecn_fallback`.
    pub(super) fallback: bool,
    /// `tcp_ecn_option` is not 0.
    offers_option: bool,
    /// How the peer's SYN asked.
    asked: EcnMode,
    /// A SYN of ours left that did not ask.
    silenced: bool,
}

const SETUP: TcpFlags = TcpFlags::ECE.union(TcpFlags::CWR);
const BITS: TcpFlags = SETUP.union(TcpFlags::AE);

/// What a SYN asks for. RFC 9768 section 3.1.3: combinations that nobody uses yet ask for accurate ECN, too.
fn asked_by(flags: TcpFlags) -> EcnMode {
    match flags.ace() {
        0b000 => EcnMode::Off,
        0b011 => EcnMode::Classic,
        _ => EcnMode::Accurate,
    }
}

/// RFC 9768 table 3: the code that tells which IP-ECN a SYN or SYN-ACK arrived with.
pub(crate) fn code_of(heard: Ecn) -> u8 {
    match heard {
        Ecn::NotEct => 0b010,
        Ecn::Ect1 => 0b011,
        Ecn::Ect0 => 0b100,
        Ecn::Ce => 0b110,
    }
}

impl Handshake {
    /// For an active open.
    pub(crate) fn ask(config: &Config) -> Handshake {
        Handshake {
            mode: config.ecn.asked(),
            may_mark: true,
            heard: Ecn::NotEct,
            fallback: config.ecn_fallback,
            offers_option: config.ecn_option > 0,
            asked: EcnMode::Off,
            silenced: false,
        }
    }

    /// For a SYN that has come to a listener.
    pub(crate) fn grant(config: &Config, syn: &Segment) -> Handshake {
        let asked = asked_by(syn.header.flags);
        let mode = match (config.ecn.granted(), asked) {
            (EcnMode::Off, _) | (_, EcnMode::Off) => EcnMode::Off,
            (EcnMode::Accurate, EcnMode::Accurate) => EcnMode::Accurate,
            // RFC 9768 section 3.1.2: to who knows RFC 3168 only, the third flag is none.
            _ if syn.header.flags.contains(SETUP) && may_be_setup(syn) => EcnMode::Classic,
            _ => EcnMode::Off,
        };
        Handshake { mode, heard: syn.ecn, asked, ..Handshake::ask(config) }
    }

    /// For a passive open that only a SYN cookie remembers: ECN was agreed, or not. Which kind shows in the acknowledgment
    /// (RFC 9768 section 3.2.2.1: it tells how our SYN-ACK arrived, by a code above 1). It is not granted when the policy has
    /// changed meanwhile.
    pub(crate) fn recalled(config: &Config, agreed: bool, acknowledgment: TcpFlags) -> Handshake {
        let mode = match config.ecn.granted() {
            _ if !agreed => EcnMode::Off,
            EcnMode::Accurate if acknowledgment.ace() > 1 => EcnMode::Accurate,
            EcnMode::Off => EcnMode::Off,
            EcnMode::Classic | EcnMode::Accurate => EcnMode::Classic,
        };
        Handshake { mode, asked: mode, ..Handshake::ask(config) }
    }

    /// ECN bits of our SYN, which has been sent `sends` times before.
    pub(crate) fn syn_flags(&mut self, sends: u8) -> TcpFlags {
        // RFC 3168 section 6.1.1.1: a SYN that asks may be what some box on the way does not let through.
        // RFC 9768 section 3.1.4.1: it asks once more when it asked for accurate ECN.
        let (flags, patience) = match self.mode {
            EcnMode::Off => return TcpFlags::empty(),
            EcnMode::Classic => (SETUP, 0),
            EcnMode::Accurate => (BITS, 1),
        };
        if self.fallback && sends > patience {
            self.silenced = true;
            return TcpFlags::empty();
        }
        flags
    }

    /// ECN bits of our SYN-ACK, which has timed out `timeouts` times before.
    pub(crate) fn syn_ack_flags(&mut self, timeouts: u8) -> TcpFlags {
        match self.mode {
            EcnMode::Off => TcpFlags::empty(),
            EcnMode::Classic => TcpFlags::ECE,
            // RFC 9768 section 3.1.4.2: the second repetition does without; section 3.1.5: who has sent such a SYN-ACK
            // must not set ECT.
            EcnMode::Accurate if timeouts > 1 => {
                self.may_mark = false;
                TcpFlags::empty()
            }
            EcnMode::Accurate => TcpFlags::empty().with_ace(code_of(self.heard)),
        }
    }

    /// The AccECN option of our SYN-ACK: counters as they begin. Not for a repetition (RFC 9768 section 3.1.4.2).
    /// `room` for options is left; `saving` bytes of padding among the other options could be used.
    pub(crate) fn syn_ack_option(&self, room: usize, saving: usize) -> Option<AccEcn> {
        let offers = self.mode == EcnMode::Accurate && self.offers_option;
        let fit = super::accurate::fit(0, room, saving, 0).filter(|_| offers)?;
        Some(super::accurate::option(fit.fields, [0; 3]))
    }

    /// The peer's SYN-ACK has come; the first one counts.
    pub(crate) fn on_syn_ack(&mut self, syn_ack: &Segment) {
        let flags = syn_ack.header.flags;
        self.heard = syn_ack.ecn;
        self.mode = match (self.mode, flags.ace()) {
            (EcnMode::Off, _) => EcnMode::Off,
            // A reflection of our own bits grants nothing.
            (EcnMode::Classic, _) if flags & SETUP == TcpFlags::ECE => EcnMode::Classic,
            (EcnMode::Classic, _) | (_, 0b000 | 0b111) => EcnMode::Off,
            (EcnMode::Accurate, 0b001) => EcnMode::Classic,
            (EcnMode::Accurate, code) => {
                self.may_mark &= is_intact(code) || !self.fallback;
                EcnMode::Accurate
            }
        };
        // RFC 3168 section 6.1.1: who has sent a SYN that does not ask must not set ECT. RFC 9768 section 3.1.5 lets a
        // client do so.
        if self.silenced && self.mode == EcnMode::Classic {
            self.may_mark = false;
        }
    }

    /// The peer's SYN has come while ours was out (simultaneous open): as a listener would answer it.
    pub(crate) fn on_crossing_syn(&mut self, syn: &Segment) {
        self.heard = syn.ecn;
        self.asked = asked_by(syn.header.flags);
        self.mode = match (self.mode, self.asked) {
            (EcnMode::Off, _) | (_, EcnMode::Off) => EcnMode::Off,
            (EcnMode::Accurate, EcnMode::Accurate) => EcnMode::Accurate,
            _ if syn.header.flags.contains(SETUP) => EcnMode::Classic,
            _ => EcnMode::Off,
        };
    }

    /// The peer's SYN has come again. `false`: RFC 9768 section 3.1.5, it asks for the other kind of ECN, which no peer
    /// does; the connection had better be reset.
    pub(crate) fn on_repeated_syn(&mut self, syn: &Segment) -> bool {
        let asked = asked_by(syn.header.flags);
        if asked == EcnMode::Off {
            // RFC 3168 section 6.1.1, RFC 9768 section 3.1.5.
            self.may_mark = false;
        }
        self.heard = syn.ecn;
        let mixed = asked != self.asked && asked != EcnMode::Off && self.asked != EcnMode::Off;
        !(mixed && self.mode == EcnMode::Accurate)
    }
}

/// RFC 9768 section 3.2.2.3: whether what the peer says of the IP-ECN of our SYN or SYN-ACK is what it left with,
/// which is Not-ECT. Codes without a meaning of their own say nothing.
pub(crate) fn is_intact(code: u8) -> bool {
    matches!(code, 0b000 | 0b001 | 0b010 | 0b101 | 0b111)
}

/// As Linux: RFC 3168 forbids ECT on a SYN; one that has it nevertheless was mangled on its way, unless it comes from
/// something newer.
fn may_be_setup(syn: &Segment) -> bool {
    syn.ecn == Ecn::NotEct || syn.header.flags.contains(TcpFlags::AE) || syn.header.reserved != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecn::EcnPolicy;
    use segue_wire::Chunks;
    use segue_wire::tcp::{TcpHeader, TcpOptions};

    fn syn(ace: u8, ecn: Ecn) -> Segment {
        let header = TcpHeader { flags: TcpFlags::SYN.with_ace(ace), ..TcpHeader::default() };
        Segment { header, options: TcpOptions::default(), headers: 40, payload: Chunks::new(), segment_size: 0, ecn }
    }

    fn asking(policy: EcnPolicy) -> Handshake {
        Handshake::ask(&Config { ecn: policy, ..Config::default() })
    }

    /// RFC 9768 table 2, seen from the client.
    #[test]
    fn a_syn_ack_agrees_as_table_2_has_it() {
        use EcnMode::{Accurate, Classic, Off};
        let table = [Off, Classic, Accurate, Accurate, Accurate, Accurate, Accurate, Off];
        for (ace, expected) in (0..8).zip(table) {
            let mut client = asking(EcnPolicy::Accurate);
            client.on_syn_ack(&syn(ace, Ecn::NotEct));
            assert_eq!(client.mode, expected, "{ace:03b}");
            // 101 is for the future: as if our SYN had arrived as it left.
            let intact = matches!(ace, 0b000 | 0b001 | 0b010 | 0b101 | 0b111);
            assert_eq!(client.may_mark, intact, "{ace:03b}");
            // RFC 3168 section 6.1.1: ECE without CWR, whatever else.
            let mut client = asking(EcnPolicy::On);
            client.on_syn_ack(&syn(ace, Ecn::NotEct));
            assert_eq!(client.mode == Classic, ace & 3 == 1, "{ace:03b}");
            assert!(client.mode != Accurate);
        }
    }

    /// The same table, seen from the server.
    #[test]
    fn a_syn_is_granted_as_table_2_has_it() {
        for (policy, ace, mode, flags) in [
            (EcnPolicy::Accurate, 0b111, EcnMode::Accurate, 0b010),
            (EcnPolicy::AccurateGrant, 0b100, EcnMode::Accurate, 0b010),
            (EcnPolicy::AccurateGrant, 0b011, EcnMode::Classic, 0b001),
            (EcnPolicy::Accurate, 0b000, EcnMode::Off, 0b000),
            (EcnPolicy::Grant, 0b111, EcnMode::Classic, 0b001),
            (EcnPolicy::Grant, 0b100, EcnMode::Off, 0b000),
            (EcnPolicy::Off, 0b111, EcnMode::Off, 0b000),
        ] {
            let config = Config { ecn: policy, ..Config::default() };
            let mut server = Handshake::grant(&config, &syn(ace, Ecn::NotEct));
            assert_eq!((server.mode, server.syn_ack_flags(0).ace()), (mode, flags), "{policy:?} {ace:03b}");
        }
    }

    #[test]
    fn the_syn_ack_tells_how_the_syn_arrived_at_first_and_once_more() {
        for (heard, code) in [(Ecn::NotEct, 0b010), (Ecn::Ect1, 0b011), (Ecn::Ect0, 0b100), (Ecn::Ce, 0b110)] {
            let config = Config { ecn: EcnPolicy::Accurate, ..Config::default() };
            let mut server = Handshake::grant(&config, &syn(0b111, heard));
            let sent = [0, 1, 2].map(|timeouts| server.syn_ack_flags(timeouts).ace());
            assert_eq!(sent, [code, code, 0]);
            assert!(!server.may_mark);
        }
    }

    #[test]
    fn syns_of_both_kinds_in_one_handshake_are_refused() {
        let config = Config { ecn: EcnPolicy::Accurate, ..Config::default() };
        let mut server = Handshake::grant(&config, &syn(0b111, Ecn::NotEct));
        assert!(server.on_repeated_syn(&syn(0b111, Ecn::Ce)));
        assert_eq!((server.heard, server.may_mark), (Ecn::Ce, true));
        assert!(server.on_repeated_syn(&syn(0b000, Ecn::NotEct)));
        assert!(!server.may_mark);
        assert!(!server.on_repeated_syn(&syn(0b011, Ecn::NotEct)));
    }
}
