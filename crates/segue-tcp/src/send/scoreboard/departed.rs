//! What leaves for the first time: a mark for each segment of a transmission.
//!
//! Decides how the marks of one transmission differ: by where they begin, by what was in flight before them, and in what the
//! first, the last and the end of a write are. Everything else is worked out once for all of them.

use segue_wire::Instant;

use super::{Mark, Scoreboard, Tags};
use crate::send::rate::Sent;
use crate::units::{Local, Seq};

/// New data, and perhaps the FIN, that leave together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Departure {
    pub(crate) start: Seq<Local>,
    /// Bytes; none with a FIN alone.
    pub(crate) len: u32,
    /// Bytes of each segment but the last.
    pub(crate) size: u32,
    pub(crate) fin: bool,
    /// The last segment is pushed.
    pub(crate) push: bool,
    /// The last segment ends a record (`MSG_EOR`).
    pub(crate) ends_record: bool,
}

impl Departure {
    /// Segments that it is on the wire.
    pub(crate) fn segments(&self) -> u32 {
        self.len.div_ceil(self.size).max(1)
    }
}

impl Scoreboard {
    /// `departure` leaves now; `sent` is the snapshot of its first segment. A segment that is sent again is pushed as it was.
    pub(crate) fn push(&mut self, departure: &Departure, now: Instant, sent: Sent) {
        let board = self.0.get_or_insert_default();
        let (segments, first) = (departure.segments(), board.marks.end());
        let before = board.order.append_run(&mut board.marks, first, segments);
        board.marks.queue.extend((0..segments).map(|i| {
            let number = (first as u32).wrapping_add(i);
            let mut mark = Mark {
                start: departure.start + i * departure.size,
                len: departure.size,
                sent_at: now,
                sent: sent.behind(i),
                older: if i == 0 { before as u32 } else { number.wrapping_sub(1) },
                newer: number.wrapping_add(1),
                tags: Tags::LISTED,
            };
            mark.tags.set(Tags::FIRST, i == 0);
            if i == segments - 1 {
                mark.len = departure.len - i * departure.size + u32::from(departure.fin);
                mark.newer = number;
                mark.tags.set(Tags::PUSH, departure.push);
                mark.tags.set(Tags::RECORD, departure.ends_record);
            }
            mark
        }));
    }
}
