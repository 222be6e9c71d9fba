//! The scoreboard: what was sent, when, and what is thought to have become of it.
//!
//! One mark per wire segment, in sequence order, from SND.UNA to SND.NXT. Decides
//! nothing; loss detection writes `lost`, recovery asks what to resend. Every mark is
//! pushed once and popped once, the resend cursor only moves forward between two
//! findings of loss, so the cost per acknowledgment is amortised constant whatever the
//! window. Counts are kept, not computed. (RFC 6675's pipe is computed from these counts.)

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use segue_wire::Instant;

use crate::units::{Local, Packets, Seq};

/// One sent segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) start: Seq<Local>,
    /// Sequence numbers it occupies: bytes, and one for a FIN.
    pub(crate) len: u32,
    /// When it was last sent.
    pub(crate) sent_at: Instant,
    fate: Fate,
    /// It was sent more than once; its acknowledgment is ambiguous (Karn).
    pub(crate) resent: bool,
    /// It ended a write.
    pub(crate) push: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// In the network, as far as we know.
    InFlight,
    /// Thought to have left the network without arriving; to be sent again.
    Lost,
    /// Was lost and has been sent again; in the network.
    Resent,
}

impl Mark {
    pub(crate) fn end(&self) -> Seq<Local> {
        self.start + self.len
    }
}

/// What a cumulative acknowledgment released.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Acked {
    /// Segments wholly acknowledged.
    pub(crate) packets: Packets,
    /// Of these, those that were thought lost and not sent again since.
    pub(crate) never_resent: Packets,
    /// When the newest acknowledged segment left that was sent only once and not thought lost.
    pub(crate) clean_sent_at: Option<Instant>,
    /// When the first acknowledged segment was last sent.
    pub(crate) first_sent_at: Option<Instant>,
    /// Some of the segments were sent more than once.
    pub(crate) resent: bool,
}

/// A stretch to send again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Resend {
    pub(crate) start: Seq<Local>,
    pub(crate) len: u32,
    /// Marks it covers.
    pub(crate) marks: u32,
    pub(crate) push: bool,
}

/// What a scoreboard that is not empty owns.
#[derive(Debug, Default)]
struct Board {
    marks: VecDeque<Mark>,
    /// Every lost mark is at this index or behind it.
    cursor: u32,
    lost: u32,
    resent: u32,
}

/// The scoreboard; empty it owns no memory.
#[derive(Debug, Default)]
pub(crate) struct Scoreboard(Option<Box<Board>>);

impl Scoreboard {
    /// Segments sent and not acknowledged.
    pub(crate) fn sent(&self) -> Packets {
        Packets(self.0.as_ref().map_or(0, |board| board.marks.len() as u32))
    }

    /// Segments marked lost and not sent again yet.
    pub(crate) fn lost(&self) -> Packets {
        Packets(self.0.as_ref().map_or(0, |board| board.lost))
    }

    /// Segments sent again and still in the network.
    pub(crate) fn resent(&self) -> Packets {
        Packets(self.0.as_ref().map_or(0, |board| board.resent))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The earliest unacknowledged segment.
    #[cfg(test)]
    fn head(&self) -> Option<&Mark> {
        self.0.as_ref()?.marks.front()
    }

    /// A wire segment was sent for the first time.
    pub(crate) fn push(&mut self, start: Seq<Local>, len: u32, now: Instant, push: bool) {
        let mark = Mark { start, len, sent_at: now, fate: Fate::InFlight, resent: false, push };
        self.0.get_or_insert_default().marks.push_back(mark);
    }

    /// Everything before `una` has arrived.
    pub(crate) fn acknowledge(&mut self, una: Seq<Local>) -> Acked {
        let mut acked = Acked::default();
        let Some(board) = &mut self.0 else { return acked };
        while let Some(mark) = board.marks.front_mut() {
            if mark.end().after(una) {
                if mark.start.before(una) {
                    // Part of a segment: what is left keeps its history.
                    mark.len = mark.end().since(una);
                    mark.start = una;
                }
                break;
            }
            acked.packets.0 += 1;
            acked.first_sent_at.get_or_insert(mark.sent_at);
            acked.resent |= mark.resent;
            if !mark.resent && mark.fate != Fate::Lost {
                acked.clean_sent_at = Some(mark.sent_at);
            }
            match mark.fate {
                Fate::InFlight => {}
                Fate::Lost => {
                    board.lost -= 1;
                    acked.never_resent.0 += 1;
                }
                Fate::Resent => board.resent -= 1,
            }
            board.marks.pop_front();
            board.cursor = board.cursor.saturating_sub(1);
        }
        if board.marks.is_empty() {
            self.0 = None;
        }
        acked
    }

    /// The earliest segment is lost (again). Returns whether that is news.
    pub(crate) fn lose_head(&mut self) -> bool {
        let Some(board) = &mut self.0 else { return false };
        let Some(mark) = board.marks.front_mut() else { return false };
        match mark.fate {
            Fate::Lost => return false,
            Fate::Resent => board.resent -= 1,
            Fate::InFlight => {}
        }
        mark.fate = Fate::Lost;
        board.lost += 1;
        board.cursor = 0;
        true
    }

    /// Everything is lost: the retransmission timer has expired.
    pub(crate) fn lose_all(&mut self) {
        let Some(board) = &mut self.0 else { return };
        for mark in &mut board.marks {
            mark.fate = Fate::Lost;
        }
        board.lost = board.marks.len() as u32;
        board.resent = 0;
        board.cursor = 0;
    }

    /// What to send again next: the first lost segment, joined with lost ones behind it into full
    /// segments of `mss`, or into one segment of at most `mss` when they are smaller.
    /// At most `max` bytes; `join` is `tcp_retrans_collapse`.
    pub(crate) fn next_resend(&self, mss: u32, max: u32, join: bool) -> Option<Resend> {
        let board = self.0.as_ref().filter(|board| board.lost > 0)?;
        let mut lost = board.marks.iter().skip(board.cursor as usize).skip_while(|mark| mark.fate != Fate::Lost);
        let first = lost.next()?;
        let mut resend = Resend { start: first.start, len: first.len, marks: 1, push: first.push };
        let full = first.len == mss;
        if !full && !join {
            return Some(resend);
        }
        for mark in lost {
            let len = resend.len + mark.len;
            let fits = if full { mark.len <= mss && len <= max } else { len <= mss };
            if mark.fate != Fate::Lost || !fits {
                break;
            }
            resend = Resend { len, marks: resend.marks + 1, push: resend.push | mark.push, ..resend };
            if full && mark.len < mss {
                break;
            }
        }
        Some(resend)
    }

    /// `resend` has been sent, up to `len` of its bytes (less when the MSS has shrunk).
    pub(crate) fn on_resent(&mut self, resend: &Resend, now: Instant) {
        let Some(board) = &mut self.0 else { return };
        let mut index = board.cursor as usize;
        while board.marks.get(index).is_some_and(|mark| mark.fate != Fate::Lost) {
            index += 1;
        }
        for mark in board.marks.iter_mut().skip(index).take(resend.marks as usize) {
            mark.fate = Fate::Resent;
            mark.resent = true;
            mark.sent_at = now;
            board.lost -= 1;
            board.resent += 1;
        }
        board.cursor = (index as u32) + resend.marks;
    }

    /// The MSS has become smaller: every segment that is longer is lost and cut. Returns whether
    /// there was one. Rare, so linear.
    pub(crate) fn recut(&mut self, mss: u32) -> bool {
        let Some(board) = &mut self.0 else { return false };
        let old = core::mem::take(&mut board.marks);
        let mut found = false;
        (board.cursor, board.lost, board.resent) = (0, 0, 0);
        for mut mark in old {
            if mark.len > mss {
                mark.fate = Fate::Lost;
                found = true;
            }
            while mark.len > mss {
                board.marks.push_back(Mark { len: mss, push: false, ..mark });
                board.lost += 1;
                mark.start += mss;
                mark.len -= mss;
            }
            board.lost += u32::from(mark.fate == Fate::Lost);
            board.resent += u32::from(mark.fate == Fate::Resent);
            board.marks.push_back(mark);
        }
        found
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, |board| board.marks.capacity() * size_of::<Mark>() + size_of::<Board>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn board(lens: &[u32]) -> Scoreboard {
        let mut board = Scoreboard::default();
        let mut start = Seq::new(u32::MAX - 100);
        for (i, len) in lens.iter().enumerate() {
            board.push(start, *len, at(i as u64), false);
            start += *len;
        }
        board
    }

    const START: Seq<Local> = Seq::new(u32::MAX - 100);

    #[test]
    fn an_acknowledgment_inside_a_segment_keeps_its_rest() {
        let mut board = board(&[100, 100]);
        let acked = board.acknowledge(START + 150);
        assert_eq!(acked.packets, Packets(1));
        assert_eq!(acked.clean_sent_at, Some(at(0)));
        assert_eq!(board.head().map(|mark| (mark.start, mark.len)), Some((START + 150, 50)));
    }

    #[test]
    fn full_segments_are_resent_together_and_small_ones_are_joined() {
        let mut board = board(&[10, 20, 30, 100, 100, 40, 100]);
        board.lose_all();
        let mut runs = Vec::new();
        while let Some(run) = board.next_resend(100, 1_000, true) {
            board.on_resent(&run, at(9));
            runs.push((run.start.since(START), run.len, run.marks));
        }
        assert_eq!(runs, [(0, 60, 3), (60, 240, 3), (300, 100, 1)]);
        assert_eq!((board.lost(), board.resent(), board.sent()), (Packets(0), Packets(7), Packets(7)));
    }

    #[test]
    fn counts_stay_true_through_loss_resending_and_acknowledgment() {
        let mut board = board(&[100; 5]);
        assert!(board.lose_head());
        assert!(!board.lose_head());
        let run = board.next_resend(100, 100, true).expect("one is lost");
        board.on_resent(&run, at(7));
        assert_eq!((board.lost(), board.resent()), (Packets(0), Packets(1)));
        // Lost again.
        assert!(board.lose_head());
        assert_eq!((board.lost(), board.resent()), (Packets(1), Packets(0)));
        let acked = board.acknowledge(START + 200);
        assert!(acked.resent);
        assert_eq!((board.lost(), board.resent(), board.sent()), (Packets(0), Packets(0), Packets(3)));
    }

    #[test]
    fn a_smaller_mss_cuts_what_is_in_flight_and_the_counts_follow() {
        let mut board = board(&[100, 100, 30]);
        board.lose_all();
        board.recut(40);
        assert_eq!((board.sent(), board.lost()), (Packets(7), Packets(7)));
        assert_eq!(board.next_resend(40, 40, true).map(|run| run.len), Some(40));
    }
}
