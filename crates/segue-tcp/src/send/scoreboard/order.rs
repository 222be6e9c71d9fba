//! The order in which segments left, and the edge between those that left before the newest delivered
//! one and those after it.
//!
//! A list through the marks (Linux's tsorted_sent_queue): what is sent, first or again, goes to its
//! end; what is sacked, lost or acknowledged leaves it. So what stands in it is in flight, the oldest
//! first; what was found lost by its age and is not thought lost any more is in flight and does not. The edge only moves on, so RACK looks at each sending once.

use alloc::vec::Vec;

use super::{Mark, Marks, Tags};

#[derive(Debug, Default)]
pub(super) struct Order {
    /// Marks in the list.
    len: u32,
    oldest: u64,
    newest: u64,
    /// The newest mark that left before the edge.
    edge: Option<u64>,
}

impl Order {
    pub(super) fn oldest(&self) -> Option<u64> {
        (self.len > 0).then_some(self.oldest)
    }

    pub(super) fn edge(&self) -> Option<u64> {
        self.edge
    }

    /// A mark leaves the network's door.
    pub(super) fn append(&mut self, marks: &mut Marks, number: u64) {
        let last = if self.len > 0 { self.newest } else { number };
        if let Some(mark) = marks.get_mut(last) {
            mark.newer = number as u32;
        }
        if let Some(mark) = marks.get_mut(number) {
            (mark.older, mark.newer) = (last as u32, number as u32);
            mark.tags.insert(Tags::LISTED);
        }
        if self.len == 0 {
            self.oldest = number;
        }
        self.newest = number;
        self.len += 1;
    }

    /// `count` marks from `first` on are about to be made, linked to each other. The mark before them; none: `first` itself.
    pub(super) fn append_run(&mut self, marks: &mut Marks, first: u64, count: u32) -> u64 {
        let before = if self.len > 0 { self.newest } else { first };
        if self.len == 0 {
            self.oldest = first;
        } else if let Some(mark) = marks.get_mut(before) {
            mark.newer = first as u32;
        }
        self.newest = first + u64::from(count) - 1;
        self.len += count;
        before
    }

    /// The first `count` marks are the oldest, and about to be forgotten; `newer` is what the last of them knows of the next.
    pub(super) fn forget_oldest(&mut self, marks: &mut Marks, count: u32, newer: u32) {
        self.len -= count;
        if self.edge.is_some_and(|edge| edge < marks.first + u64::from(count)) {
            self.edge = None;
        }
        if self.len > 0 {
            self.oldest = marks.number(newer);
            if let Some(mark) = marks.get_mut(self.oldest) {
                mark.older = newer;
            }
        }
    }

    /// A mark is not in flight any more, or about to be sent again.
    pub(super) fn remove(&mut self, marks: &mut Marks, number: u64) {
        let Some(mark) = marks.get_mut(number) else { return };
        if !mark.tags.contains(Tags::LISTED) {
            return;
        }
        mark.tags.remove(Tags::LISTED);
        let (older, newer) = (mark.older, mark.newer);
        let (older, newer) = (marks.number(older), marks.number(newer));
        let (is_oldest, is_newest) = (older == number, newer == number);
        if self.edge == Some(number) {
            self.edge = (!is_oldest).then_some(older);
        }
        if is_oldest {
            self.oldest = newer;
        }
        if is_newest {
            self.newest = older;
        }
        if let (false, Some(mark)) = (is_oldest, marks.get_mut(older)) {
            mark.newer = if is_newest { older as u32 } else { newer as u32 };
        }
        if let (false, Some(mark)) = (is_newest, marks.get_mut(newer)) {
            mark.older = if is_oldest { newer as u32 } else { older as u32 };
        }
        self.len -= 1;
    }

    /// Moves the edge over every mark that `before` says left before it.
    pub(super) fn advance_edge(&mut self, marks: &Marks, before: impl Fn(&Mark) -> bool) {
        loop {
            let next = match self.edge {
                None => self.oldest(),
                Some(edge) => {
                    let newer = marks.get(edge).map(|mark| marks.number(mark.newer));
                    newer.filter(|newer| *newer != edge)
                }
            };
            let Some(next) = next.filter(|next| marks.get(*next).is_some_and(&before)) else { return };
            self.edge = Some(next);
        }
    }

    /// Makes the list from the tags and times of all marks.
    pub(super) fn rebuild(&mut self, marks: &mut Marks) {
        *self = Order::default();
        let first = marks.first;
        let mut flying: Vec<u64> = Vec::new();
        for (i, mark) in marks.queue.iter_mut().enumerate() {
            mark.tags.remove(Tags::LISTED);
            let waits = mark.tags.intersection(Tags::LOST | Tags::RESENT) == Tags::LOST;
            if !waits && !mark.tags.intersects(Tags::SACKED | Tags::OVERDUE) {
                flying.push(first + i as u64);
            }
        }
        // Stable: of those that left at the same time the earlier in sequence comes first.
        flying.sort_by_key(|number| marks.get(*number).map(Mark::sent_at));
        flying.into_iter().for_each(|number| self.append(marks, number));
    }
}
