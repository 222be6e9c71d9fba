//! What an acknowledgment shows to have arrived: the marks it releases and those it sacks.
//!
//! Decides how tags and counts follow; what the acknowledgment means for round trips, reordering and
//! recovery is collected in a [`Harvest`] for those who decide it. Blocks are believed here: `sack`
//! judges them before. Sacked marks are skipped by runs, so a block costs what it adds.

use core::time::Duration;

use segue_wire::Instant;

use super::{Mark, Scoreboard, Tags};
use crate::send::rate::Delivered;
use crate::send::undo::Undo;
use crate::units::{Local, Seq};

/// What an acknowledgment shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Harvest {
    /// Newly acknowledged or sacked.
    pub(crate) delivered: Delivered,
    /// The same in bytes, a FIN among them.
    pub(crate) bytes: u32,
    /// Segments wholly acknowledged.
    pub(crate) acked: u32,
    /// Some of them were sent more than once.
    pub(crate) acked_resent: bool,
    /// When the first of them was last sent.
    pub(crate) first_sent_at: Option<Instant>,
    /// When the first and the last of them left that were sent once and are news.
    pub(crate) clean: Option<(Instant, Instant)>,
    /// The same of the segments sacked.
    pub(crate) clean_sacked: Option<(Instant, Instant)>,
    /// Something was sacked.
    pub(crate) sacked: bool,
    /// Segments that came twice, as a D-SACK says.
    pub(crate) duplicates: u32,
    /// Something arrived that was sent once and before recovery began (RFC 5682's "original").
    pub(crate) original: bool,
    /// The lowest segment that arrived though it was sent once and later ones had arrived before: by a
    /// block, by the number.
    pub(crate) late_sacked: Option<Seq<Local>>,
    pub(crate) late_acked: Option<Seq<Local>>,
}

impl Harvest {
    /// Segments that have arrived, copies included.
    pub(crate) fn newly(&self) -> u32 {
        self.delivered.segments + self.duplicates
    }
}

fn lower(seen: &mut Option<Seq<Local>>, start: Seq<Local>) {
    if seen.is_none_or(|lowest| start.before(lowest)) {
        *seen = Some(start);
    }
}

fn widen(seen: &mut Option<(Instant, Instant)>, sent_at: Instant) {
    *seen = Some((seen.map_or(sent_at, |(first, _)| first), sent_at));
}

/// What the marks of one acknowledgment are judged with.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) now: Instant,
    /// SND.UNA, as this acknowledgment has it.
    pub(crate) una: Seq<Local>,
    /// SND.NXT when the current state of recovery began.
    pub(crate) high: Seq<Local>,
    /// When what the peer's timestamp echoes left, in milliseconds.
    pub(crate) echo: Option<u64>,
    pub(crate) min_rtt: Option<Duration>,
    /// Whether RACK follows it: with SACK only.
    pub(crate) sack: bool,
    /// Something was delivered (RACK): there is reason to look for loss.
    pub(crate) look: bool,
    pub(crate) undo: Undo,
    pub(crate) harvest: Harvest,
}

impl Arrival {
    fn note(&mut self, mark: &Mark) {
        self.harvest.delivered.note(1, mark.sent_at, mark.end(), &mark.sent);
        self.harvest.bytes += mark.len;
    }

    /// Segments that left together once and arrived: what is said of the last of them is what would be said after each.
    fn note_run(&mut self, count: u32, first: &Mark, last: &Mark) {
        let harvest = &mut self.harvest;
        harvest.acked += count;
        harvest.bytes += last.end().since(first.start);
        harvest.delivered.note(count, last.sent_at, last.end(), &last.sent);
        harvest.first_sent_at.get_or_insert(first.sent_at);
        widen(&mut harvest.clean, first.sent_at);
        lower(&mut harvest.late_acked, first.start);
        harvest.original |= !first.end().after(self.high);
    }
}

impl Scoreboard {
    /// Everything before `una` has arrived.
    pub(crate) fn acknowledge(&mut self, arrival: &mut Arrival) {
        let una = arrival.una;
        let Some(board) = &mut self.0 else { return };
        loop {
            board.release_run(arrival);
            // As Linux: what left with others is cut where the acknowledgment ends, what left alone stays whole.
            let first_behind = board.marks.queue.get(1).is_none_or(|next| next.tags.contains(Tags::FIRST));
            let Some(mark) = board.marks.queue.front_mut() else { break };
            if mark.end().after(una) {
                if mark.start.before(una) {
                    let alone = first_behind && (mark.tags.contains(Tags::FIRST) || arrival.harvest.acked == 0);
                    mark.tags.set(Tags::PARTIAL, alone);
                    // Part of a segment: what is left keeps its history.
                    let left = mark.end().since(una);
                    if !mark.tags.contains(Tags::SACKED) {
                        arrival.harvest.bytes += mark.len - left;
                    }
                    (mark.start, mark.len) = (una, left);
                }
                return;
            }
            let mark = *mark;
            let number = board.marks.first;
            let tags = mark.tags;
            arrival.harvest.acked += 1;
            arrival.harvest.first_sent_at.get_or_insert(mark.sent_at);
            if tags.contains(Tags::EVER_RESENT) {
                arrival.harvest.acked_resent = true;
            } else if !tags.contains(Tags::SACKED) {
                widen(&mut arrival.harvest.clean, mark.sent_at);
                // As Linux: it begins before what was acknowledged, which looks late.
                let begins = if tags.contains(Tags::PARTIAL) { mark.start - 1 } else { mark.start };
                lower(&mut arrival.harvest.late_acked, begins);
                arrival.harvest.original |= !mark.end().after(arrival.high);
            }
            if tags.contains(Tags::SACKED) {
                board.sacked -= 1;
            } else {
                arrival.note(&mark);
                // RFC 8985 section 6.2 step 2: an echo from before the retransmission tells that it was needless.
                let needless = tags.contains(Tags::EVER_RESENT)
                    && arrival.echo.is_some_and(|echo| echo < mark.sent_at.as_millis());
                if !needless {
                    board.advance_rack(&mark, arrival);
                }
            }
            board.lost -= u32::from(tags.contains(Tags::LOST));
            board.resent -= u32::from(tags.contains(Tags::RESENT));
            if tags.contains(Tags::LISTED) {
                board.order.remove(&mut board.marks, number);
            } else if tags.contains(Tags::LOST) {
                board.waiting.remove(number);
            }
            board.marks.queue.pop_front();
            board.marks.first += 1;
        }
        self.0 = None;
    }

    /// The peer holds `start..end` out of order.
    pub(crate) fn sack(&mut self, start: Seq<Local>, end: Seq<Local>, arrival: &mut Arrival) {
        let Some(mut number) = self.0.as_ref().map(|board| board.marks.from(start)) else { return };
        loop {
            let Some(board) = &mut self.0 else { return };
            number = board.skip_sacked(number);
            match board.marks.get(number) {
                // A part of a segment is not believed: the rest of it is missing all the same.
                Some(mark) if !mark.end().after(end) => {}
                _ => return,
            }
            board.sack_one(number, false, arrival);
            number += 1;
        }
    }

    /// The peer holds `start..end` and has received it again (RFC 2883). Its sender pays for the walk:
    /// no more segments can be told so than were sent twice.
    pub(crate) fn sack_duplicate(&mut self, start: Seq<Local>, end: Seq<Local>, arrival: &mut Arrival) {
        let Some(board) = &mut self.0 else { return };
        let mut number = board.marks.from(start);
        while board.marks.get(number).is_some_and(|mark| !mark.end().after(end)) {
            board.sack_one(number, true, arrival);
            number += 1;
        }
    }
}

impl super::Board {
    /// The first mark from `number` on that is not sacked. Each mark of a run points at one in the same run, and so at the
    /// mark behind that one; whoever is passed on the way is pointed two such steps ahead (path halving), which makes any
    /// order of questions cost a logarithm each.
    fn skip_sacked(&mut self, number: u64) -> u64 {
        let mut at = number;
        while let Some(mark) = self.marks.get(at).filter(|mark| mark.tags.contains(Tags::SACKED)) {
            let behind = self.marks.number(mark.newer) + 1;
            let Some(next) = self.marks.get(behind).filter(|mark| mark.tags.contains(Tags::SACKED)) else {
                return behind;
            };
            let further = next.newer;
            if let Some(mark) = self.marks.get_mut(at) {
                mark.newer = further;
            }
            at = self.marks.number(further) + 1;
        }
        at
    }

    /// Nearly all that is ever acknowledged: the oldest marks in flight, sent once and together, one behind the other. They go at
    /// once, as far as `arrival` reaches; whatever else is known of a mark stops the run.
    fn release_run(&mut self, arrival: &mut Arrival) {
        const KNOWN: Tags = Tags::PUSH.union(Tags::FIRST).union(Tags::RECORD);
        if self.order.oldest() != Some(self.marks.first) {
            return;
        }
        let Some(&first) = self.marks.queue.front() else { return };
        // The number that the mark before says is next in the order of sending.
        let mut next = self.marks.first as u32;
        let mut count = 0;
        for mark in &self.marks.queue {
            let follows = next == (self.marks.first as u32).wrapping_add(count);
            let plain = mark.tags - KNOWN == Tags::LISTED && mark.sent_at == first.sent_at;
            if !follows || !plain || mark.end().after(arrival.una) {
                break;
            }
            next = mark.newer;
            count += 1;
        }
        let Some(&last) = count.checked_sub(1).and_then(|before| self.marks.queue.get(before as usize)) else { return };
        arrival.note_run(count, &first, &last);
        self.advance_rack(&last, arrival);
        self.order.forget_oldest(&mut self.marks, count, next);
        self.marks.queue.drain(..count as usize);
        self.marks.first += u64::from(count);
    }

    fn advance_rack(&mut self, mark: &Mark, arrival: &mut Arrival) {
        if arrival.sack {
            let resent = mark.tags.contains(Tags::EVER_RESENT);
            arrival.look |= self.rack.on_delivered(arrival.now, mark.sent_at, mark.end(), resent, arrival.min_rtt);
        }
    }

    fn sack_one(&mut self, number: u64, duplicate: bool, arrival: &mut Arrival) {
        let fack = self.fack.filter(|fack| fack.after(arrival.una)).unwrap_or(arrival.una);
        let Some(mark) = self.marks.get_mut(number) else { return };
        let tags = mark.tags;
        if duplicate && tags.contains(Tags::EVER_RESENT) {
            arrival.undo.on_duplicate(1, mark.end());
            if tags.contains(Tags::SACKED) {
                lower(&mut arrival.harvest.late_sacked, mark.start);
            }
        }
        if !mark.end().after(arrival.una) {
            // About to be released by the same acknowledgment.
            return;
        }
        if !tags.contains(Tags::SACKED) {
            if tags.contains(Tags::LOST) {
                mark.tags.remove(Tags::LOST | Tags::RESENT);
                self.lost -= 1;
                self.resent -= u32::from(tags.contains(Tags::RESENT));
            }
            if !tags.contains(Tags::EVER_RESENT) {
                if mark.start.before(fack) {
                    lower(&mut arrival.harvest.late_sacked, mark.start);
                }
                arrival.harvest.original |= !mark.end().after(arrival.high);
                widen(&mut arrival.harvest.clean_sacked, mark.sent_at);
            }
            mark.tags.insert(Tags::SACKED);
            let copy = *mark;
            if tags.contains(Tags::LISTED) {
                self.order.remove(&mut self.marks, number);
            } else if tags.intersection(Tags::LOST | Tags::RESENT) == Tags::LOST {
                self.waiting.remove(number);
            }
            if let Some(mark) = self.marks.get_mut(number) {
                mark.newer = number as u32;
            }
            self.sacked += 1;
            self.fack = Some(if copy.end().after(fack) { copy.end() } else { fack });
            arrival.harvest.sacked = true;
            arrival.note(&copy);
            self.advance_rack(&copy, arrival);
        }
        // A retransmission that came twice is not in the network any more.
        if let Some(mark) = self.marks.get_mut(number)
            && duplicate
            && mark.tags.contains(Tags::RESENT)
        {
            mark.tags.remove(Tags::RESENT);
            self.resent -= 1;
            if !mark.tags.contains(Tags::SACKED) && mark.tags.contains(Tags::LOST) {
                self.waiting.insert(number);
            }
        }
    }
}
