//! What travels through a path: wire packets, alone or in runs that were cut from one super-segment.
//!
//! Decides how a super-segment is taken apart and put together again. A piece is a
//! reference to the whole and a number, so cutting costs no header and no checksum; headers are
//! written when a run leaves the path. Invariant: a run's pieces are neighbours, in order, and
//! share every header field that segmentation does not set.

use std::sync::Arc;

use segue_wire::{ChecksumState, Cuts, Packet};

struct Whole {
    packet: Packet,
    /// Where it is cut; `None`: it is one wire packet.
    cuts: Option<Cuts>,
}

/// One or more wire packets, neighbours in the packet that they were cut from.
#[derive(Clone)]
pub(crate) struct Run {
    whole: Arc<Whole>,
    first: u32,
    count: u32,
    /// Whether the path has marked them as having met congestion (RFC 3168 section 5).
    marked: bool,
}

impl Run {
    /// All wire packets of a packet.
    pub(crate) fn new(packet: Packet) -> Run {
        let cuts = packet.cuts();
        let count = cuts.map_or(1, |cuts| cuts.pieces() as u32);
        Run { whole: Arc::new(Whole { packet, cuts }), first: 0, count, marked: false }
    }

    /// Wire packets.
    pub(crate) fn wire_packets(&self) -> u64 {
        self.count.into()
    }

    /// Bytes on a wire, IP headers included.
    pub(crate) fn len(&self) -> usize {
        match &self.whole.cuts {
            Some(cuts) => cuts.wire_len(self.first as usize, self.count as usize),
            None => self.whole.packet.len(),
        }
    }

    /// Bytes of the longest of its wire packets.
    pub(crate) fn longest(&self) -> usize {
        match &self.whole.cuts {
            Some(cuts) => cuts.wire_len(self.first as usize, 1),
            None => self.whole.packet.len(),
        }
    }

    /// Whether it can be taken apart: a checksum that is not owed cannot be left owed by the pieces.
    pub(crate) fn is_separable(&self) -> bool {
        self.count == 1 || matches!(self.whole.packet.checksum, ChecksumState::Partial { .. })
    }

    /// Its wire packets one by one. Only if it is separable.
    pub(crate) fn pieces(self) -> impl Iterator<Item = Run> {
        (self.first..self.first + self.count).map(move |first| Run { first, count: 1, ..self.clone() })
    }

    /// The packet that it was cut from: its addresses and ports are those of every piece.
    pub(crate) fn whole(&self) -> &Packet {
        &self.whole.packet
    }

    /// Marks every packet as having met congestion, if the sender takes part in ECN. Whether they carry the mark now.
    pub(crate) fn mark_congestion(&mut self) -> bool {
        self.marked = self.whole.packet.ecn().is_some_and(|ecn| ecn.is_capable());
        self.marked
    }

    /// Appends a run if it follows directly; whether it did.
    pub(crate) fn join(&mut self, next: &Run) -> bool {
        let follows = Arc::ptr_eq(&self.whole, &next.whole) && next.first == self.first + self.count;
        let joins = follows && self.marked == next.marked;
        if joins {
            self.count += next.count;
        }
        joins
    }

    /// One packet or super-segment that stands for the run.
    pub(crate) fn into_packet(self) -> Packet {
        let all = self.whole.cuts.is_none_or(|cuts| self.count as usize == cuts.pieces());
        let mut packet = if all {
            Arc::try_unwrap(self.whole).map_or_else(|whole| whole.packet.clone(), |whole| whole.packet)
        } else {
            let part = self.whole.packet.pieces(self.first as usize, self.count as usize);
            part.unwrap_or_else(|| self.whole.packet.clone())
        };
        // Whoever claims to be a super-segment and stands for one wire packet is none.
        if self.count == 1 {
            packet.segmentation = None;
        }
        if self.marked {
            packet.mark_congestion();
        }
        packet
    }

    /// The same with finished checksums, for whoever looks at the bytes.
    pub(crate) fn into_finished(self) -> Packet {
        let mut packet = self.into_packet();
        packet.finish_checksum();
        packet
    }
}
