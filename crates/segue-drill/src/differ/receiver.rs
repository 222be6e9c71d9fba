//! A peer that takes what the host sends as a receiver does, for stories about loss.
//!
//! Decides what an arrived segment is acknowledged with: the number, SACK blocks in the order of RFC 2018 section 4, a D-SACK
//! for what comes twice (RFC 2883), the timestamp of RFC 7323 section 4.3. Which packets arrive, and in which order, is
//! the story's.
use std::collections::VecDeque;

use segue_wire::tcp::SackBlocks;

/// A packet of the host that carries text or a FIN, on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Packet {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Its timestamp.
    pub(super) value: Option<u32>,
}

/// What the peer has received.
#[derive(Clone, Debug, Default)]
pub(super) struct Receiver {
    /// Packets on their way, in the order in which they were sent.
    pub(super) pending: VecDeque<Packet>,
    next: u32,
    /// Stretches out of order, the one that grew last in front.
    held: VecDeque<(u32, u32)>,
    /// TS.Recent.
    recent: u32,
}

/// An acknowledgment.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) number: u32,
    pub(super) sack: SackBlocks,
    pub(super) echo: u32,
}

fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

impl Receiver {
    /// The stream begins.
    pub(super) fn begin(&mut self, next: u32, recent: u32) {
        *self = Receiver { next, recent, ..Receiver::default() };
    }

    /// A packet arrives.
    pub(super) fn take(&mut self, packet: Packet) -> Answer {
        let Packet { start, end, value } = packet;
        if let Some(value) = value
            && !before(self.next, start)
        {
            self.recent = value;
        }
        let duplicate = if before(start, self.next) {
            Some((start, if before(end, self.next) { end } else { self.next }))
        } else {
            self.held.iter().find(|held| !before(start, held.0) && !before(held.1, end)).map(|_| (start, end))
        };
        if before(self.next, start) {
            self.hold(start, end);
        } else if before(self.next, end) {
            self.next = end;
            while let Some(at) = self.held.iter().position(|held| !before(self.next, held.0)) {
                let (_, held_end) = self.held.remove(at).unwrap_or_default();
                if before(self.next, held_end) {
                    self.next = held_end;
                }
            }
        }
        let mut sack = SackBlocks::new();
        if let Some((start, end)) = duplicate {
            let _ = sack.push(start, end);
        }
        for (start, end) in &self.held {
            let _ = sack.push(*start, *end);
        }
        Answer { number: self.next, sack, echo: self.recent }
    }

    fn hold(&mut self, start: u32, end: u32) {
        let (mut from, mut to) = (start, end);
        self.held.retain(|&(left, right)| {
            let apart = before(right, from) || before(to, left);
            if !apart {
                if before(left, from) {
                    from = left;
                }
                if before(to, right) {
                    to = right;
                }
            }
            apart
        });
        self.held.push_front((from, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(start: u32, end: u32) -> Packet {
        Packet { start, end, value: Some(start) }
    }

    fn blocks(answer: &Answer) -> Vec<(u32, u32)> {
        answer.sack.iter().map(|(start, end)| (*start, *end)).collect()
    }

    #[test]
    fn what_is_out_of_order_is_told_newest_first_and_what_comes_twice_before_it() {
        let mut receiver = Receiver::default();
        receiver.begin(1, 0);
        assert_eq!(blocks(&receiver.take(packet(11, 21))), [(11, 21)]);
        assert_eq!(blocks(&receiver.take(packet(31, 41))), [(31, 41), (11, 21)]);
        assert_eq!(blocks(&receiver.take(packet(21, 31))), [(11, 41)]);
        assert_eq!(blocks(&receiver.take(packet(21, 31))), [(21, 31), (11, 41)]);
        let all = receiver.take(packet(1, 11));
        assert_eq!((all.number, blocks(&all), all.echo), (41, Vec::new(), 1));
        assert_eq!(blocks(&receiver.take(packet(1, 11))), [(1, 11)]);
    }
}
