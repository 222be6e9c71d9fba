//! Whether a segment that has arrived is from whom it says: asked before anything else looks at it.
use segue_tcp::{Covered, Instant, TcpFlags, TcpHeader, TcpOptions, md5_matches, reset_for};
use segue_wire::Packet;

use super::{LastKeys, SignsAs};
use crate::Counter;
use crate::ip::input::Arrival;
use crate::stack::Stack;
use crate::tcp::flows::FlowRef;
use crate::tuple::FourTuple;

/// A segment with the bytes that its signature covers.
pub(crate) struct Arrived<'a> {
    pub(crate) header: &'a TcpHeader,
    pub(crate) options: &'a TcpOptions,
    pub(crate) packet: &'a Packet,
    /// Where TCP's header begins in the packet, and its length.
    pub(crate) offset: usize,
    pub(crate) header_len: usize,
}

impl Arrived<'_> {
    pub(crate) fn is_signed(&self) -> bool {
        self.options.md5.is_some() || self.options.authentication.is_some() || self.options.signature_conflict
    }

    fn covered(&self, tuple: &FourTuple) -> Covered<'_> {
        let head = self.packet.head();
        let (header, front) = head[self.offset.min(head.len())..].split_at_checked(self.header_len).unwrap_or_default();
        Covered { source: tuple.peer, destination: tuple.local, header, front, rest: self.packet.body() }
    }
}

/// Whether a segment may go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) enum Authenticity {
    /// It is signed as it must be, or nobody asks for it.
    Good,
    /// It is not, and is dropped for this reason.
    Bad(Counter),
}

impl Stack {
    /// Whether a segment is taken further; one that is not has been counted.
    pub(crate) fn authenticate(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        arrival: &Arrival,
        found: Option<FlowRef>,
        arrived: &Arrived<'_>,
    ) -> bool {
        if arrived.options.signature_conflict {
            // RFC 5925 section 2.2: two signatures are one too many.
            self.counters.inc(Counter::SegueTcpBadSignatureOption);
            return false;
        }
        let Some(who) = self.who_answers(tuple, arrival, found) else {
            if arrived.is_signed() {
                self.answer_lost(now, tuple, arrival, arrived);
            }
            return !arrived.is_signed();
        };
        match self.verify_md5(who, tuple, arrival, arrived) {
            Authenticity::Good => true,
            Authenticity::Bad(reason) => {
                self.counters.inc(reason);
                false
            }
        }
    }

    fn verify_md5(&self, who: SignsAs, tuple: &FourTuple, arrival: &Arrival, arrived: &Arrived<'_>) -> Authenticity {
        let secret = match who {
            SignsAs::Nobody => None,
            SignsAs::Socket(index) => self.md5_secret(index, tuple),
            // A SYN that may open a new connection is the listener's affair.
            SignsAs::TimeWait(entry) => match self.find_listener(tuple, arrival) {
                Some(listener) if is_new(arrived.header) => self.md5_secret(listener, tuple),
                _ => match self.tcp.last_keys.get(&entry) {
                    Some(LastKeys::Md5(secret)) => Some(&**secret),
                    None => None,
                },
            },
        };
        match (secret, &arrived.options.md5) {
            (None, None) => Authenticity::Good,
            (None, Some(_)) => Authenticity::Bad(Counter::TcpExtTCPMD5Unexpected),
            (Some(_), None) => Authenticity::Bad(Counter::TcpExtTCPMD5NotFound),
            (Some(secret), Some(digest)) if md5_matches(&arrived.covered(tuple), secret, digest) => Authenticity::Good,
            (Some(_), Some(_)) => Authenticity::Bad(Counter::TcpExtTCPMD5Failure),
        }
    }

    fn md5_secret(&self, index: u32, tuple: &FourTuple) -> Option<&[u8]> {
        Some(&self.keys_of(index)?.md5.find(tuple.peer)?.secret)
    }

    /// A signed segment for nobody: reset, if that can be signed, too.
    fn answer_lost(&mut self, now: Instant, tuple: &FourTuple, arrival: &Arrival, arrived: &Arrived<'_>) {
        self.counters.inc(Counter::SegueTcpNoConnection);
        let Some(signer) = self.signer_for_lost(tuple, arrived.options, &arrived.covered(tuple)) else { return };
        let segment = segue_tcp::Segment {
            header: *arrived.header,
            options: *arrived.options,
            payload: arrived.packet.clone().into_payload(arrived.offset + arrived.header_len),
            segment_size: 0,
            ecn: segue_tcp::Ecn::NotEct,
            headers: 0,
        };
        if !arrival.is_returning
            && let Some(reset) = reset_for(&segment)
        {
            self.reply_signed(now, tuple, arrival.pinned, reset, Some(signer));
        }
    }
}

/// A SYN that asks for a new connection.
fn is_new(header: &TcpHeader) -> bool {
    header.flags.contains(TcpFlags::SYN) && !header.flags.contains(TcpFlags::ACK)
}
