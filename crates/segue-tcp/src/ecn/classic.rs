//! ECN as RFC 3168 has it: one bit says "congestion", another "I have slowed down".
//!
//! Owns RFC 3168 sections 6.1.2 (sender), 6.1.3 (receiver), 6.1.4 (pure ACKs), 6.1.5 (retransmissions) and 6.1.6
//! (window probes), with Linux's haste: what tells of congestion is acknowledged at once.

use segue_wire::Ecn;
use segue_wire::tcp::TcpFlags;

use super::{EcnAck, Haste, Leaving, Marks};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Classic {
    may_mark: bool,
    /// Packets of the peer have come as ECT or CE.
    pub(super) seen: bool,
    /// CE came, and no CWR since: every segment says so.
    echo: bool,
    /// Packets of ours that an echo covered.
    pub(super) told: u32,
}

impl Classic {
    pub(super) fn new(may_mark: bool) -> Classic {
        Classic { may_mark, seen: false, echo: false, told: 0 }
    }

    /// Section 6.1.2. The echo lasts, and how many packets it is for is not said: Linux counts all that it covers.
    pub(super) fn on_ack(&mut self, ack: &EcnAck) -> Marks {
        if !ack.flags.contains(TcpFlags::ECE) {
            return Marks::NONE;
        }
        self.told = self.told.wrapping_add(ack.packets);
        Marks { congested: true, packets: ack.packets }
    }

    /// Section 6.1.3: CWR ends the echo, until CE comes again.
    pub(super) fn on_flags(&mut self, flags: TcpFlags) -> Haste {
        if !flags.contains(TcpFlags::CWR) {
            return Haste::None;
        }
        self.echo = false;
        // The sender's window may have fallen to one segment: nothing more comes before this is acknowledged.
        Haste::Now
    }

    pub(super) fn on_text(&mut self, codepoint: Ecn) -> Haste {
        match codepoint {
            // Between packets that are ECT, one that is not was probably sent again: its sender is in trouble.
            Ecn::NotEct if self.seen => Haste::Quick,
            Ecn::NotEct => Haste::None,
            Ecn::Ect0 | Ecn::Ect1 => {
                self.seen = true;
                Haste::None
            }
            Ecn::Ce => {
                self.seen = true;
                let first = !core::mem::replace(&mut self.echo, true);
                if first { Haste::Quick } else { Haste::None }
            }
        }
    }

    pub(super) fn mark(&self, leaving: Leaving, reduced: &mut bool, flags: &mut TcpFlags) -> Ecn {
        if self.echo {
            *flags |= TcpFlags::ECE;
        }
        // Sections 6.1.4 to 6.1.6: nothing else is ECT, and nothing else carries CWR.
        if leaving != Leaving::NewData {
            return Ecn::NotEct;
        }
        // Section 6.1.2: the first new data after a reduction.
        if core::mem::take(reduced) {
            *flags |= TcpFlags::CWR;
        }
        if self.may_mark { Ecn::Ect0 } else { Ecn::NotEct }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echoes(classic: &Classic) -> bool {
        let mut flags = TcpFlags::ACK;
        let _ = classic.mark(Leaving::Other, &mut false, &mut flags);
        flags.contains(TcpFlags::ECE)
    }

    #[test]
    fn the_echo_lasts_from_ce_to_cwr_whatever_comes_between() {
        let mut classic = Classic::new(true);
        assert!(!echoes(&classic));
        assert_eq!(classic.on_text(Ecn::Ce), Haste::Quick);
        assert_eq!(classic.on_text(Ecn::Ect0), Haste::None);
        assert_eq!(classic.on_text(Ecn::Ce), Haste::None);
        assert!(echoes(&classic));
        assert_eq!(classic.on_flags(TcpFlags::ACK), Haste::None);
        assert!(echoes(&classic));
        // CWR and CE on the same packet: the mark is news.
        assert_eq!(classic.on_flags(TcpFlags::ACK | TcpFlags::CWR), Haste::Now);
        assert!(!echoes(&classic));
        assert_eq!(classic.on_text(Ecn::Ce), Haste::Quick);
        assert!(echoes(&classic));
    }

    #[test]
    fn cwr_waits_for_new_data_and_is_said_once() {
        let classic = Classic::new(true);
        let mut reduced = true;
        let mut flags = TcpFlags::ACK;
        assert_eq!(classic.mark(Leaving::Other, &mut reduced, &mut flags), Ecn::NotEct);
        assert_eq!((flags, reduced), (TcpFlags::ACK, true));
        assert_eq!(classic.mark(Leaving::NewData, &mut reduced, &mut flags), Ecn::Ect0);
        assert_eq!((flags, reduced), (TcpFlags::ACK | TcpFlags::CWR, false));
        let mut flags = TcpFlags::ACK;
        assert_eq!(classic.mark(Leaving::NewData, &mut reduced, &mut flags), Ecn::Ect0);
        assert_eq!(flags, TcpFlags::ACK);
    }
}
