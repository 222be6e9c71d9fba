//! The scoreboard against a model that keeps every segment in a list and looks through all of it.

use core::time::Duration;

use super::*;
use crate::send::rate::{Delivered, Rate};
use crate::send::undo::Undo;

const MSS: u32 = 100;

fn start() -> Seq<Local> {
    Seq::new(u32::MAX - 5_000)
}

fn seq(at: u32) -> Seq<Local> {
    start() + at
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn snapshot() -> Sent {
    Rate::new(Instant::ZERO).on_send(Instant::ZERO, false, Packets(1))
}

fn arrival(now: Instant, una: Seq<Local>) -> Arrival {
    Arrival {
        look: false,
        now,
        una,
        high: start(),
        echo: None,
        min_rtt: None,
        sack: true,
        undo: Undo::default(),
        harvest: Harvest { delivered: Delivered::default(), ..Harvest::default() },
    }
}

fn board(lens: &[u32]) -> Scoreboard {
    board_of(lens, |_| true)
}

/// One segment leaves alone.
fn push(board: &mut Scoreboard, from: u32, len: u32, now: Instant) {
    board.push(&departure(from, len, len), now, snapshot());
}

fn departure(from: u32, len: u32, size: u32) -> Departure {
    Departure { start: seq(from), len, size, fin: false, push: false, ends_record: false }
}

/// `first`: which of them begin what leaves as one.
fn board_of(lens: &[u32], first: impl Fn(usize) -> bool) -> Scoreboard {
    let mut board = Scoreboard::default();
    let mut from = 0;
    for (i, len) in lens.iter().enumerate() {
        push(&mut board, from, *len, at(i as u64));
        from += len;
    }
    if let Some(board) = &mut board.0 {
        board.marks.queue.iter_mut().enumerate().for_each(|(i, mark)| mark.tags.set(Tags::FIRST, first(i)));
    }
    board
}

fn acknowledge(board: &mut Scoreboard, una: u32) -> Harvest {
    let mut arrival = arrival(at(1_000), seq(una));
    board.acknowledge(&mut arrival);
    arrival.harvest
}

fn counts(board: &Scoreboard) -> (u32, u32, u32, u32, u32) {
    (board.sent().0, board.sacked().0, board.lost().0, board.resent().0, board.in_flight().0)
}

/// One segment of the model.
#[derive(Clone, Debug)]
struct Segment {
    start: u32,
    end: u32,
    sent_at: Instant,
    sacked: bool,
    lost: bool,
    resent: bool,
    ever: bool,
    /// Found lost by its age, and not sent again since.
    overdue: bool,
}

#[derive(Default)]
struct Model {
    segments: Vec<Segment>,
    newest: (Instant, u32),
    rtt: Duration,
}

impl Model {
    fn counts(&self) -> (u32, u32, u32, u32, u32) {
        let of = |test: fn(&&Segment) -> bool| self.segments.iter().filter(test).count() as u32;
        let (sacked, lost, resent) = (of(|s| s.sacked), of(|s| s.lost), of(|s| s.resent));
        let sent = self.segments.len() as u32;
        (sent, sacked, lost, resent, sent + resent - sacked - lost)
    }

    /// Segments of `MSS`, and what is left.
    fn send(&mut self, from: u32, len: u32, now: Instant) {
        for start in (from..from + len).step_by(MSS as usize) {
            let end = (start + MSS).min(from + len);
            let (sacked, lost, resent, ever, overdue) = (false, false, false, false, false);
            self.segments.push(Segment { start, end, sent_at: now, sacked, lost, resent, ever, overdue });
        }
    }

    fn deliver(&mut self, now: Instant, segment: &Segment) {
        // In microseconds; none is shorter than one.
        self.rtt = (now - segment.sent_at).max(Duration::from_micros(1));
        self.newest = self.newest.max((segment.sent_at, segment.end));
    }

    fn sack(&mut self, now: Instant, from: u32, to: u32) -> u32 {
        let mut news = 0;
        for i in 0..self.segments.len() {
            let mut segment = self.segments[i].clone();
            if segment.start < from || segment.end > to || segment.sacked {
                continue;
            }
            news += 1;
            if segment.lost {
                (segment.lost, segment.resent) = (false, false);
            }
            segment.sacked = true;
            self.segments[i] = segment.clone();
            self.deliver(now, &segment);
        }
        news
    }

    fn acknowledge(&mut self, now: Instant, una: u32) -> u32 {
        let gone: Vec<Segment> = self.segments.iter().filter(|s| s.end <= una).cloned().collect();
        gone.iter().filter(|s| !s.sacked).for_each(|segment| self.deliver(now, segment));
        self.segments.retain(|s| s.end > una);
        if let Some(first) = self.segments.first_mut() {
            first.start = first.start.max(una);
        }
        gone.len() as u32
    }

    /// RFC 8985 section 6.2 step 5 word for word.
    fn detect(&mut self, now: Instant, window: Duration) -> (Vec<u32>, Option<Duration>) {
        let mut found = Vec::new();
        let mut timeout = Duration::ZERO;
        for segment in &mut self.segments {
            let flying = !segment.sacked && !segment.overdue && (!segment.lost || segment.resent);
            if !flying || (segment.sent_at, segment.end) >= self.newest {
                continue;
            }
            let deadline = segment.sent_at + self.rtt + window;
            if deadline <= now {
                (segment.lost, segment.resent, segment.overdue) = (true, false, true);
                found.push(segment.start);
            } else {
                timeout = timeout.max(deadline - now);
            }
        }
        (found, (!timeout.is_zero()).then_some(timeout))
    }

    /// Everything that waits, in the order of sequence.
    fn waiting(&self) -> Vec<u32> {
        self.segments.iter().filter(|s| s.lost && !s.resent).map(|s| s.start).collect()
    }

    fn resend(&mut self, now: Instant, count: usize) {
        for segment in self.segments.iter_mut().filter(|s| s.lost && !s.resent).take(count) {
            (segment.resent, segment.ever, segment.sent_at) = (true, true, now);
            segment.overdue = false;
        }
    }
}

/// Everything a sender does to its scoreboard, at random, and every answer compared.
#[test]
fn sending_sacks_acknowledgments_losses_and_resends_in_any_order_agree_with_the_model() {
    for seed in 1..150u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |bound: u32| {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((random >> 33) as u32) % bound.max(1)
        };
        let mut board = Scoreboard::default();
        let mut model = Model::default();
        let (mut una, mut nxt, mut now) = (0, 0, 10u64);
        for step in 0..600 {
            let what = format!("seed {seed} step {step}");
            now += u64::from(next(4));
            match next(10) {
                0..=2 => {
                    for _ in 0..=next(3) {
                        let len = 1 + next(MSS) + MSS * next(6);
                        board.push(&departure(nxt, len, MSS), at(now), snapshot());
                        model.send(nxt, len, at(now));
                        nxt += len;
                        now += 1;
                    }
                }
                3..=5 if nxt > una => {
                    let from = una + 1 + next(nxt - una);
                    let to = (from + next(700)).min(nxt);
                    let mut arrival = arrival(at(now), seq(una));
                    board.sack(seq(from), seq(to), &mut arrival);
                    let news = model.sack(at(now), from, to);
                    assert_eq!(arrival.harvest.delivered.segments, news, "{what}");
                }
                6 if nxt > una => {
                    una += next((nxt - una).min(900) + 1);
                    let mut arrival = arrival(at(now), seq(una));
                    board.acknowledge(&mut arrival);
                    assert_eq!(arrival.harvest.acked, model.acknowledge(at(now), una), "{what}");
                }
                7 => {
                    let window = Duration::from_millis(u64::from(next(8)));
                    let mut found = Vec::new();
                    let detected = board.detect(at(now), window, |mark, _| found.push(mark.start().since(start())));
                    found.sort_unstable();
                    let (expected, wait) = model.detect(at(now), window);
                    assert_eq!((found, detected.wait), (expected, wait), "{what}");
                }
                8 => {
                    let most = next(5) * MSS;
                    if let Some(resend) = board.next_resend(MSS, most, true) {
                        let waiting = model.waiting();
                        assert_eq!(resend.start.since(start()), waiting[0], "{what}");
                        board.on_resent(&resend, at(now), |_| snapshot());
                        model.resend(at(now), resend.marks as usize);
                    } else {
                        assert!(model.waiting().is_empty(), "{what}");
                    }
                }
                _ if step % 50 == 49 => {
                    let renege = board.is_reneged();
                    assert_eq!(renege, model.segments.first().is_some_and(|s| s.sacked), "{what}");
                    let keep = at(now.saturating_sub(20));
                    board.lose_on_timeout(renege, |mark| mark.sent_at() > keep, |_, _| {});
                    for (i, segment) in model.segments.iter_mut().enumerate() {
                        segment.sacked &= !renege;
                        if !segment.sacked && (i == 0 || renege || segment.sent_at <= keep) {
                            (segment.lost, segment.resent) = (true, false);
                        }
                    }
                }
                _ if next(20) == 0 => {
                    board.lose_nothing();
                    model.segments.iter_mut().for_each(|s| s.lost = false);
                    // One that is in the network twice is one of both: begin anew, as the sender does rarely.
                    let resent: u32 = board.resent().0;
                    assert_eq!(resent, model.counts().3, "{what}");
                    if resent > 0 {
                        una = nxt;
                        let mut arrival = arrival(at(now), seq(una));
                        board.acknowledge(&mut arrival);
                        model.acknowledge(at(now), una);
                    }
                }
                _ => {}
            }
            assert_eq!(counts(&board), model.counts(), "{what}");
            let fack = model.segments.iter().filter(|s| s.sacked).map(|s| s.end).max().unwrap_or(una);
            assert_eq!(board.highest_sacked(seq(una)), seq(fack.max(una)), "{what}");
            let head = model.segments.first().map(|s| s.sent_at);
            assert_eq!(board.head_sent_at(), head, "{what}");
        }
    }
}

#[test]
fn an_acknowledgment_inside_a_segment_keeps_its_rest() {
    let mut board = board(&[100, 100]);
    let harvest = acknowledge(&mut board, 150);
    assert_eq!((harvest.acked, harvest.clean), (1, Some((at(0), at(0)))));
    assert_eq!(board.sent(), Packets(1));
    assert_eq!(acknowledge(&mut board, 199).acked, 0);
    assert_eq!(acknowledge(&mut board, 200).acked, 1);
    assert!(board.is_empty());
}

#[test]
fn full_segments_are_resent_together_and_small_ones_are_joined() {
    let mut board = board_of(&[10, 20, 30, 100, 100, 40, 100], |i| i == 0);
    board.lose_on_timeout(false, |_| false, |_, _| {});
    let mut runs = Vec::new();
    while let Some(run) = board.next_resend(100, 1_000, true) {
        board.on_resent(&run, at(9), |_| snapshot());
        runs.push((run.start.since(start()), run.len, run.marks));
    }
    assert_eq!(runs, [(0, 60, 3), (60, 240, 3), (300, 100, 1)]);
    assert_eq!(counts(&board), (7, 0, 7, 7, 7));
}

#[test]
fn what_left_as_one_ends_where_it_ended_when_it_is_sent_again() {
    let mut board = board_of(&[100; 6], |i| i % 2 == 0);
    board.lose_on_timeout(false, |_| false, |_, _| {});
    let mut runs = Vec::new();
    for most in [100, 1_000, 1_000, 1_000] {
        let run = board.next_resend(100, most, true).expect("something waits");
        board.on_resent(&run, at(9), |_| snapshot());
        runs.push((run.start.since(start()), run.len));
    }
    assert_eq!(runs, [(0, 100), (100, 100), (200, 200), (400, 200)]);
}

#[test]
fn a_part_of_a_segment_in_a_block_is_not_believed() {
    let mut board = board(&[100; 4]);
    let mut arrival = arrival(at(10), seq(0));
    board.sack(seq(150), seq(350), &mut arrival);
    assert_eq!(arrival.harvest.delivered.segments, 1);
    assert_eq!(board.highest_sacked(seq(0)), seq(300));
}

#[test]
fn a_smaller_mss_cuts_what_is_in_flight_and_the_counts_follow() {
    let mut board = board(&[100, 100, 30]);
    assert!(board.recut(40, true));
    assert_eq!((board.sent(), board.lost()), (Packets(7), Packets(6)));
    assert_eq!(board.next_resend(40, 40, true).map(|run| run.len), Some(40));
    assert!(!board.recut(40, true));
}

#[test]
fn without_sack_duplicates_never_stand_for_more_than_what_is_behind_the_hole() {
    let mut board = board(&[100; 4]);
    assert_eq!(board.suppose(2), 2);
    assert_eq!(board.suppose(9), 3);
    board.lose_head(|_, _| {});
    assert_eq!(counts(&board), (4, 3, 1, 0, 0));
    let run = board.next_resend(100, 100, true).expect("one is lost");
    board.on_resent(&run, at(9), |_| snapshot());
    assert_eq!(board.in_flight(), Packets(1));
}

fn looks(board: &Scoreboard) -> u64 {
    board.0.as_ref().map_or(0, |board| board.marks.looks.get())
}

/// A window of 100 000 segments, and what an acknowledgment is judged with.
fn large() -> (Scoreboard, Arrival, u32) {
    let mut board = Scoreboard::default();
    let count = 100_000u32;
    for i in 0..count {
        push(&mut board, i * 10, 10, at(u64::from(i)));
    }
    (board, arrival(at(1 << 40), seq(0)), count)
}

/// A peer that tells the same of a large window again and again makes nobody walk over it.
#[test]
fn blocks_that_tell_nothing_new_cost_the_same_however_large_they_are() {
    let (mut board, mut arrival, count) = large();
    // Every second segment, then the others: the worst that runs can be.
    for odd in [1, 0] {
        for i in (2 + odd..count).step_by(2) {
            board.sack(seq(i * 10), seq(i * 10 + 10), &mut arrival);
        }
    }
    assert_eq!(board.sacked().0, count - 2);
    let (before, blocks) = (looks(&board), 200_000u32);
    for i in 0..blocks {
        let from = 20 + (i * 7_919) % (count * 10 - 100) / 10 * 10;
        board.sack(seq(from), seq(count * 10), &mut arrival);
    }
    // A walk over half of the window each time would look at 10 000 000 000.
    let spent = looks(&board) - before;
    assert!(spent <= 6 * u64::from(blocks + count), "{spent} looks at marks for {blocks} blocks");
}

/// Sending, sacking, losing, sending again and acknowledging a window costs a few looks at each of its segments.
#[test]
fn every_segment_of_a_large_window_costs_a_few_looks_in_all_its_life() {
    let (mut board, mut arrival, count) = large();
    // One of four is lost; the others are told one by one.
    for i in (0..count).filter(|i| i % 4 != 0) {
        board.sack(seq(i * 10), seq(i * 10 + 10), &mut arrival);
        let _ = board.detect(at(1 << 40), Duration::ZERO, |_, _| {});
        while let Some(resend) = board.next_resend(10, 100, true) {
            board.on_resent(&resend, at(1 << 40), |_| snapshot());
        }
    }
    assert_eq!(board.lost().0, count / 4);
    let spent = looks(&board);
    assert!(spent <= 16 * u64::from(count), "{spent} looks at {count} marks");
    let before = looks(&board);
    arrival.una = seq(count * 10 - 10);
    board.acknowledge(&mut arrival);
    assert!(looks(&board) - before <= u64::from(count));
}
