//! Whether a segment that has arrived is from whom it says: asked before anything else looks at it.
use segue_tcp::{Covered, Instant, State, TcpFlags, TcpHeader, TcpOptions, md5_matches, reset_for};
use segue_wire::Packet;

use super::ao::Stage;
use super::{LastKeys, Signing, SignsAs};
use crate::ip::input::Arrival;
use crate::socket::Socket;
use crate::stack::Stack;
use crate::tcp::flows::FlowRef;
use crate::tcp::output::Back;
use crate::tuple::FourTuple;
use crate::{Counter, SocketId};

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
        let verdict = match self.verify_ao(who, tuple, arrival, found, arrived) {
            Some(verdict) => verdict,
            None => self.verify_md5(who, tuple, arrival, arrived),
        };
        match verdict {
            Authenticity::Good => {
                self.follow_rollover(now, found, tuple);
                true
            }
            Authenticity::Bad(reason) => {
                self.counters.inc(reason);
                false
            }
        }
    }

    /// RFC 5925 section 7.5; `None`: TCP-AO has nothing to do with the segment.
    fn verify_ao(
        &mut self,
        who: SignsAs,
        tuple: &FourTuple,
        arrival: &Arrival,
        found: Option<FlowRef>,
        arrived: &Arrived<'_>,
    ) -> Option<Authenticity> {
        let (stage, agreed) = self.stage_of(found);
        let option = arrived.options.authentication.as_ref();
        // As Linux: what began signed goes on signed, and the reverse.
        if agreed.is_some_and(|agreed| agreed != option.is_some()) {
            return Some(Authenticity::Bad(Counter::TcpExtTCPAOBad));
        }
        let listener = match who {
            SignsAs::TimeWait(_) if is_new(arrived.header) => self.find_listener(tuple, arrival),
            _ => None,
        };
        let (ao, stage) = match (who, listener) {
            (SignsAs::TimeWait(_), Some(listener)) => (self.ao_at(listener), Stage::Nothing),
            (SignsAs::TimeWait(entry), None) => match self.tcp.last_keys.get_mut(&entry) {
                Some(LastKeys::Ao(ao)) => (Some(&mut **ao), stage),
                _ => (None, stage),
            },
            (SignsAs::Socket(index) | SignsAs::Handshake(index, _), _) => (self.ao_at(index), stage),
            (SignsAs::Nobody, _) => (None, stage),
        };
        match (ao, option) {
            (None, None) => None,
            (None, Some(_)) => Some(Authenticity::Bad(Counter::TcpExtTCPAOKeyNotFound)),
            (Some(ao), None) if ao.required || ao.find(tuple.peer, None, None).is_some() => {
                ao.counters.required += 1;
                Some(Authenticity::Bad(Counter::TcpExtTCPAORequired))
            }
            (Some(_), None) => None,
            (Some(ao), Some(option)) => {
                let verified = ao.verify(tuple, stage, (arrived.header, option), &arrived.covered(tuple));
                Some(match verified {
                    Ok(()) => {
                        self.counters.inc(Counter::TcpExtTCPAOGood);
                        Authenticity::Good
                    }
                    Err(reason) => Authenticity::Bad(reason),
                })
            }
        }
    }

    /// How far a flow has got, and, of a half-open one, whether its SYN was signed with TCP-AO.
    fn stage_of(&self, found: Option<FlowRef>) -> (Stage, Option<bool>) {
        match found {
            Some(FlowRef::Connection(index)) => {
                let opening = match self.sockets.at(index) {
                    Some(Socket::Stream(stream)) => {
                        stream.flow().is_some_and(|flow| flow.connection.state() == State::SynSent)
                    }
                    _ => false,
                };
                (Stage::Connection { opening }, None)
            }
            Some(FlowRef::Opening(entry)) => match self.tcp.entries.opening.at(entry) {
                Some(opening) => {
                    let (iss, irs) = opening.passive.initial_numbers();
                    (Stage::Handshake { iss, irs }, Some(opening.ao().is_some()))
                }
                None => (Stage::Nothing, None),
            },
            Some(FlowRef::TimeWait(_)) => (Stage::Connection { opening: false }, None),
            Some(FlowRef::Held(_)) | None => (Stage::Nothing, None),
        }
    }

    /// The peer may have asked for a key whose MACs are longer or shorter.
    fn follow_rollover(&mut self, now: Instant, found: Option<FlowRef>, tuple: &FourTuple) {
        let Some(FlowRef::Connection(index)) = found else { return };
        let Some(signature) = self.ao_at(index).map(|ao| ao.signature(tuple.peer)) else { return };
        let Some(generation) = self.sockets.generation(index) else { return };
        let Some(Socket::Stream(stream)) = self.sockets.at(index) else { return };
        if stream.options().signature != signature {
            // It exists: only a socket that does not could refuse.
            let _ = self.keys_changed(now, SocketId { index, generation });
        }
    }

    fn verify_md5(&self, who: SignsAs, tuple: &FourTuple, arrival: &Arrival, arrived: &Arrived<'_>) -> Authenticity {
        let secret = match who {
            SignsAs::Nobody => None,
            SignsAs::Socket(index) | SignsAs::Handshake(index, _) => self.md5_secret(index, tuple),
            // A SYN that may open a new connection is the listener's affair.
            SignsAs::TimeWait(entry) => match self.find_listener(tuple, arrival) {
                Some(listener) if is_new(arrived.header) => self.md5_secret(listener, tuple),
                _ => match self.tcp.last_keys.get(&entry) {
                    Some(LastKeys::Md5(secret)) => Some(&**secret),
                    Some(LastKeys::Ao(_)) | None => None,
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
            self.reply_signed(now, tuple, Back::to(arrival), reset, Signing::With(signer));
        }
    }
}

/// A SYN that asks for a new connection.
fn is_new(header: &TcpHeader) -> bool {
    header.flags.contains(TcpFlags::SYN) && !header.flags.contains(TcpFlags::ACK)
}
