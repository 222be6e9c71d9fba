//! What the way to the peer says and carries: ICMP errors about our segments, and its MTU.

use segue_wire::Instant;

use super::{Connection, Phase};
use crate::event::Outcome;
use crate::icmp::IcmpSignal;
use crate::state::syn_received::SynReceived;
use crate::state::syn_sent::SynSent;
use crate::units::{Local, Seq};

impl Connection {
    /// Whether an ICMP error that quotes this sequence number can be about a segment of ours: RFC 5927
    /// section 4, it must be under way. Whoever cannot see our segments has to guess it.
    pub fn is_under_way(&self, quoted_sequence: u32) -> bool {
        let quoted = Seq::<Local>::new(quoted_sequence);
        match &self.phase {
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                quoted == offer.iss
            }
            Phase::Synced(synced) => !quoted.before(synced.send.una) && quoted.before(synced.send.nxt),
            Phase::TimeWait(_) | Phase::Closed => false,
        }
    }

    /// An ICMP error quoting a segment of ours, with that segment's sequence number.
    ///
    /// RFC 5927 section 4.1: it must quote something that is in flight, or it is ignored.
    pub fn on_icmp(&mut self, now: Instant, signal: IcmpSignal, quoted_sequence: u32) -> Outcome {
        if !self.is_under_way(quoted_sequence) {
            return self.finish(now, None);
        }
        match &mut self.phase {
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                match signal {
                    // As Linux, by default: RFC 5461 section 4.1.
                    IcmpSignal::Unreachable { hard, error } if hard || self.config.syn_soft_errors => {
                        self.fail(now, error);
                    }
                    IcmpSignal::Disrupted { error } if self.config.syn_soft_errors => self.fail(now, error),
                    IcmpSignal::Unreachable { error, .. } | IcmpSignal::Disrupted { error } => {
                        self.soft_error = Some(error);
                    }
                    IcmpSignal::PacketTooBig { mtu_payload } => offer.shrink_path(mtu_payload),
                }
            }
            Phase::Synced(synced) => {
                match signal {
                    // RFC 5927 section 5: no ICMP error ends a synchronised connection.
                    IcmpSignal::Unreachable { error, .. } => self.soft_error = Some(error),
                    IcmpSignal::Disrupted { error } => {
                        self.soft_error = Some(error);
                        synced.send.revert_backoff(now, Seq::new(quoted_sequence), &self.config);
                    }
                    IcmpSignal::PacketTooBig { mtu_payload } => synced.send.shrink_path(mtu_payload, &self.config),
                }
            }
            _ => {}
        }
        self.finish(now, None)
    }

    /// What the way to the peer carries, less the IP header and options, in bytes; `None` when nothing is sent any more.
    pub fn path_mtu(&self) -> Option<u16> {
        match &self.phase {
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                Some(offer.path_mtu())
            }
            Phase::Synced(synced) => Some(synced.send.path.mtu_payload),
            Phase::TimeWait(_) | Phase::Closed => None,
        }
    }

    /// The way to the peer has changed, or what was learned of it is forgotten: it carries `mtu_payload` bytes, the IP
    /// header and options taken off. Segments become smaller or larger; nothing is thought lost. Before the handshake is
    /// over only what is smaller counts. What follows from it `poll_transmit` and `take_events` tell.
    pub fn set_path_mtu(&mut self, now: Instant, mtu_payload: u16) {
        match &mut self.phase {
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                offer.shrink_path(mtu_payload);
            }
            Phase::Synced(synced) => synced.send.set_path_mtu(mtu_payload, &self.config),
            Phase::TimeWait(_) | Phase::Closed => {}
        }
        self.settle(now);
    }
}
