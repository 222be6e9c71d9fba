//! Whether there is memory for text that has come.
//!
//! Decides as Linux: what is in use must not exceed the buffer, and the stack's memory must grant what comes; what is out of
//! order is joined, then given up from the far end (its sender still has it). An empty queue always takes one packet.

use super::Pace;
use super::Receiver;
use super::inbox::Inbox;
use super::text::Text;
use crate::drop::DropReason;
use crate::journal::{Journal, Statistic};
use crate::memory::Wish;
use crate::state::synced::Rules;
use crate::units::{Peer, Seq};

/// What text needs of memory.
#[derive(Clone, Copy, Debug)]
struct Need {
    cost: usize,
    /// What the sending half is charged.
    others: usize,
    /// Where the text begins.
    at: Seq<Peer>,
}

impl Receiver {
    /// Whether there is memory for text: as on Linux what is in use must not exceed the buffer, and an empty queue always
    /// takes one packet. What the window promised there is room for, but a sender of small packets uses more than that.
    pub(super) fn check_room(
        &mut self,
        text: &Text,
        inbox: &mut Inbox,
        pace: Pace,
        rules: Rules<'_>,
        journal: &mut Journal,
    ) -> Option<DropReason> {
        let in_order = text.sequence == self.nxt;
        let need = Need { cost: text.cost.charge as usize, others: pace.charge, at: text.sequence };
        if self.make_room(&need, inbox, rules, journal) {
            return None;
        }
        if !in_order {
            return Some(DropReason::OutOfMemory);
        }
        let total = self.charge(inbox) + need.others + need.cost;
        if inbox.len() == 0 && rules.config.memory.allows(rules.held, total) {
            // Whoever has nothing would stand still without.
            return None;
        }
        // The peer must not go on sending what cannot be kept.
        self.ack.no_memory = true;
        self.ack.owe_now();
        Some(DropReason::QueueFull)
    }

    /// Makes room for text: in the buffer, then in the stack's memory, for which what is out of order behind it is given
    /// up. Whether there is.
    fn make_room(&mut self, need: &Need, inbox: &mut Inbox, rules: Rules<'_>, journal: &mut Journal) -> bool {
        if self.fits(inbox) && self.is_granted(need, inbox, rules) {
            return true;
        }
        journal.count(Statistic::PruneCalled);
        if !self.fits(inbox) {
            if !self.make_fit(need.at, inbox, rules, journal) {
                return false;
            }
        } else if rules.config.memory.is_pressed() {
            self.window.press(self.advertised_mss);
        }
        while !self.is_granted(need, inbox, rules) {
            if !self.prune(need.at, inbox, rules, journal) {
                return false;
            }
        }
        true
    }

    /// As Linux: what is in use must not exceed the buffer; what comes is not counted.
    fn fits(&self, inbox: &Inbox) -> bool {
        self.charge(inbox) <= self.window.buffer as usize
    }

    /// Whether the stack has memory for text.
    fn is_granted(&self, need: &Need, inbox: &Inbox, rules: Rules<'_>) -> bool {
        let own = self.charge(inbox);
        let total = own + need.others + need.cost;
        rules.config.memory.grants(&Wish { held: rules.held, total, own, least: rules.config.rmem[0] })
    }

    /// Makes what waits fit into the buffer: by a larger buffer, by fewer and fuller packets, by dropping what is out of
    /// order behind `incoming`; its sender still has it. Whether it fits.
    fn make_fit(&mut self, incoming: Seq<Peer>, inbox: &mut Inbox, rules: Rules<'_>, journal: &mut Journal) -> bool {
        self.ack.on_tight();
        let memory = &rules.config.memory;
        let may_grow = rules.options.rcvbuf.is_none() && !memory.is_pressed() && memory.is_plenty();
        self.window.on_overflow(self.charge(inbox), may_grow.then_some(rules.config.rmem[2]), self.advertised_mss);
        if self.fits(inbox) {
            return true;
        }
        let saved = self.waiting.as_mut().map_or(0, |waiting| waiting.runs.collapse()) + inbox.collapse();
        journal.add(Statistic::ReceiveCollapsed, saved as u32);
        if self.fits(inbox) {
            return true;
        }
        self.prune(incoming, inbox, rules, journal);
        let fits = self.fits(inbox);
        if !fits {
            journal.count(Statistic::ReceivePruned);
        }
        fits
    }

    /// Drops what is out of order behind `incoming`, from the far end, an eighth of the buffer or until all is well.
    /// Whether anything was dropped.
    fn prune(&mut self, incoming: Seq<Peer>, inbox: &Inbox, rules: Rules<'_>, journal: &mut Journal) -> bool {
        let (buffer, in_order) = (self.window.buffer as usize, inbox.charge());
        let pressed = rules.config.memory.is_pressed();
        let Some(incoming) = self.offset_of(incoming) else { return false };
        let Some(waiting) = &mut self.waiting else { return false };
        if !waiting.runs.prune(incoming, buffer / 8, |charge| charge + in_order <= buffer && !pressed) {
            return false;
        }
        journal.count(Statistic::OutOfOrderPruned);
        // As Linux: blocks are told anew as more comes; RFC 2018 section 8 lets a receiver take its word back.
        waiting.told.blocks.retain(|_| false);
        true
    }
}
