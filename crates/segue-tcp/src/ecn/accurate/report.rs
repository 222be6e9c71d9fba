//! What we tell the peer: how many packets came marked, and bytes by codepoint.
//!
//! Owns RFC 9768 sections 3.2.1 (r.cep, r.ceb, r.e0b, r.e1b), 3.2.2.5.1 (when an acknowledgment must not wait) and
//! 3.2.3.3 (when the option goes along, and with how many fields).

use segue_wire::{Ecn, Instant};

use super::super::Haste;
use super::super::handshake::code_of;
use super::FIRST_ACE;

/// Section 3.2.2.5.1: marks after which an acknowledgment must not wait (at most 7, lest the three bits wrap).
const MOST_UNTOLD: u8 = 6;
/// Section 3.2.3.3: each counter is told at least once while it grows by so much.
const TELL_EVERY: u32 = 1 << 22;
/// Longest option: kind, length and three counters.
const LONGEST: usize = 11;
const FIELD: usize = 3;
const SACK_BLOCK: usize = 8;
/// SACK blocks that the option leaves in any case.
const BLOCKS_KEPT: usize = 2;

#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// r.cep, counted from 0.
    marked: u32,
    /// Payload bytes, counted from 0: ECT(1), ECT(0), CE.
    bytes: [u32; 3],
    /// Codepoint of the packet before.
    last: Ecn,
    /// Something other than Not-ECT has come.
    seen: bool,
    /// Marks that no segment of ours has told.
    untold: u8,
    /// Fields that the next option must have, because what they count has changed.
    least: u8,
    /// So many segments must carry the option.
    demand: u8,
    option_sent_at: Instant,
    /// The next segment that carries nothing else tells how this SYN-ACK arrived.
    reflect: Option<Ecn>,
}

/// How an option fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fit {
    /// Counters it has.
    pub(crate) fields: u8,
    /// SACK blocks that remain beside it.
    pub(crate) blocks: usize,
    /// Bytes by which all options together grow; less than nothing when blocks make room.
    pub(crate) growth: isize,
}

/// The longest option of at least `required` fields for `room` bytes, `saving` of whose length could take the place of
/// padding; `blocks` SACK blocks stand outside the room and are given up one by one, but for two, rather than a
/// required field (section 3.2.3.3: SACK comes first, with room for two).
pub(crate) fn fit(required: u8, room: usize, saving: usize, blocks: usize) -> Option<Fit> {
    let least_blocks = if required > 0 { blocks.min(BLOCKS_KEPT) } else { blocks };
    for kept in (least_blocks..=blocks).rev() {
        let freed = (blocks - kept) * SACK_BLOCK;
        for fields in (required..=3).rev() {
            let len = LONGEST - usize::from(3 - fields) * FIELD;
            let padded = if len % 4 > saving { len.next_multiple_of(4) } else { len - len % 4 };
            if padded <= room + freed {
                return Some(Fit { fields, blocks: kept, growth: padded as isize - freed as isize });
            }
        }
    }
    None
}

impl Report {
    pub(super) fn new(now: Instant, heard: Ecn) -> Report {
        Report {
            marked: 0,
            bytes: [0; 3],
            last: heard,
            seen: heard != Ecn::NotEct,
            untold: 0,
            least: 0,
            demand: 0,
            option_sent_at: now,
            reflect: None,
        }
    }

    /// A mark on the SYN-ACK: it counts as a packet, it has no payload.
    pub(super) fn count_syn_ack(&mut self) {
        self.marked += 1;
        self.untold += 1;
    }

    /// An acceptable segment.
    pub(super) fn count(&mut self, codepoint: Ecn, len: u32, segments: u32) -> Haste {
        let (index, field) = match codepoint {
            Ecn::NotEct => (None, 0),
            Ecn::Ect1 => (Some(0), 1),
            Ecn::Ect0 => (Some(1), 3),
            Ecn::Ce => (Some(2), 2),
        };
        self.seen |= index.is_some();
        if codepoint == Ecn::Ce {
            self.marked = self.marked.wrapping_add(segments);
            self.untold = u32::from(self.untold).saturating_add(segments).min(15) as u8;
        }
        if let (Some(index), true) = (index, len > 0) {
            let before = self.bytes[index];
            self.bytes[index] = before.wrapping_add(len);
            self.least = self.least.max(field);
            if (before ^ self.bytes[index]) >= TELL_EVERY {
                self.demand = self.demand.max(1);
            }
        }
        let changed = core::mem::replace(&mut self.last, codepoint) != codepoint;
        if changed || codepoint == Ecn::Ce {
            // Two, so that the second shows without doubt what came in between.
            self.demand = 2;
        }
        // Change-triggered for data, which are acknowledged anyhow; else acknowledgments would answer acknowledgments.
        if (changed && len > 0) || self.untold >= MOST_UNTOLD { Haste::Now } else { Haste::None }
    }

    pub(super) fn reflect(&mut self, heard: Ecn) {
        self.reflect = Some(heard);
    }

    /// The three bits for a segment that leaves.
    pub(super) fn ace(&mut self, alone: bool) -> u8 {
        if let Some(heard) = self.reflect.take()
            && alone
        {
            return code_of(heard);
        }
        self.untold = 0;
        FIRST_ACE.wrapping_add(self.marked as u8) & 7
    }

    pub(super) fn demand(&mut self, segments: u8) {
        self.demand = self.demand.max(segments);
    }

    pub(super) fn is_demanded(&self) -> bool {
        self.demand > 0
    }

    pub(super) fn least(&self) -> u8 {
        self.least
    }

    pub(super) fn option_sent(&mut self, now: Instant) {
        self.least = 0;
        self.demand = self.demand.saturating_sub(1);
        self.option_sent_at = now;
    }

    pub(super) fn option_sent_at(&self) -> Instant {
        self.option_sent_at
    }

    pub(super) fn marked(&self) -> u32 {
        self.marked
    }

    pub(super) fn bytes(&self) -> [u32; 3] {
        self.bytes
    }

    pub(super) fn has_seen(&self) -> bool {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report::new(Instant::ZERO, Ecn::NotEct)
    }

    #[test]
    fn the_three_bits_count_marked_packets_from_five_on() {
        let mut report = report();
        let seen: Vec<u8> = (0..10)
            .map(|_| {
                let ace = report.ace(false);
                let _ = report.count(Ecn::Ce, 0, 1);
                ace
            })
            .collect();
        assert_eq!(seen, [5, 6, 7, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(report.count(Ecn::Ce, 3_000, 3), Haste::None);
        assert_eq!((report.ace(false), report.bytes()), ((5 + 13) & 7, [0, 0, 3_000]));
    }

    #[test]
    fn the_code_of_the_handshake_is_told_once_and_only_by_a_segment_that_carries_nothing_else() {
        let mut bare = report();
        bare.reflect(Ecn::Ect0);
        assert_eq!([bare.ace(true), bare.ace(true)], [0b100, 0b101]);
        let mut loaded = report();
        loaded.reflect(Ecn::Ect0);
        assert_eq!([loaded.ace(false), loaded.ace(true)], [0b101, 0b101]);
    }

    #[test]
    fn a_change_of_codepoint_on_data_is_told_at_once_and_so_is_the_sixth_mark() {
        let mut report = report();
        assert_eq!(report.count(Ecn::Ect0, 100, 1), Haste::Now);
        assert_eq!(report.count(Ecn::Ect0, 100, 1), Haste::None);
        assert_eq!(report.count(Ecn::Ce, 0, 1), Haste::None);
        assert_eq!(report.count(Ecn::Ect0, 100, 1), Haste::Now);
        let marks: Vec<Haste> = (0..5).map(|_| report.count(Ecn::Ce, 0, 1)).collect();
        assert_eq!(marks[..4], [Haste::None; 4]);
        assert_eq!(marks[4], Haste::Now);
    }

    #[test]
    fn every_counter_is_demanded_once_in_four_mebibytes() {
        let mut report = report();
        let _ = report.count(Ecn::Ect0, 1, 1);
        report.option_sent(Instant::ZERO);
        report.option_sent(Instant::ZERO);
        let mut demanded = 0;
        for _ in 0..(1 << 25) / 65_536 {
            let _ = report.count(Ecn::Ect0, 65_536, 46);
            if report.is_demanded() {
                demanded += 1;
                report.option_sent(Instant::ZERO);
            }
        }
        assert_eq!(demanded, (1 << 25) / (1 << 22));
    }

    /// Appendix of RFC 9768 section 3.2.3.3 in Linux's form: fields by room, SACK blocks given up but for two.
    #[test]
    fn an_option_takes_the_room_there_is_and_blocks_before_required_fields() {
        let fields = |required, room, blocks: usize| {
            fit(required, room, if blocks > 0 { 2 } else { 0 }, blocks).map(|fit| (fit.fields, fit.blocks, fit.growth))
        };
        assert_eq!(fields(0, 40, 0), Some((3, 0, 12)));
        assert_eq!(fields(0, 11, 0), Some((2, 0, 8)));
        assert_eq!(fields(0, 7, 0), Some((0, 0, 4)));
        assert_eq!(fields(1, 7, 0), None);
        // Timestamps and three blocks leave nothing: the shortest option hides in the padding.
        assert_eq!(fields(0, 0, 3), Some((0, 3, 0)));
        assert_eq!(fields(1, 0, 3), Some((2, 2, 0)));
        assert_eq!(fields(3, 0, 3), None);
        assert_eq!(fields(3, 4, 3), Some((3, 2, 4)));
        assert_eq!(fields(3, 4, 2), None);
        assert_eq!(fields(1, 4, 2), Some((1, 2, 4)));
    }
}
