//! How window and buffer grow with what arrives and what is read.
//!
//! Decides what a segment teaches (size, cost, round trip) and when the reader's pace asks for a larger buffer; the rules
//! themselves are `window`'s and `tuning`'s. Nothing grows while the stack's memory is short.

use segue_wire::Instant;

use super::ack::Length;
use super::inbox::Inbox;
use super::{Cost, Pace, Receiver};
use crate::config::Config;
use crate::state::halves::PeerHalf;
use crate::state::synced::Rules;

/// Less text than this lets no window grow.
const LEAST_TO_GROW: u32 = 128;

/// What is learned from text in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) len: u32,
    pub(super) cost: Cost,
    pub(super) length: Length,
}

impl Receiver {
    /// Learns size, pace and round trip from text that was taken in order, and lets the window grow.
    pub(super) fn learn(&mut self, now: Instant, seen: &Seen, inbox: &Inbox, pace: Pace, rules: Rules<'_>) {
        let (len, charge) = (seen.len, seen.cost.charge);
        let advertised = self.window.advertised;
        if self.ack.on_data(now, seen.length, self.advertised_mss, advertised, pace.rto) {
            self.learn_ratio(len, charge, rules);
        }
        self.tuning.on_window(now, self.nxt, advertised);
        if len >= LEAST_TO_GROW {
            self.grow(len, charge, inbox, rules);
        }
    }

    /// A larger segment has come: what memory payload takes.
    pub(super) fn learn_ratio(&mut self, len: u32, charge: u32, rules: Rules<'_>) {
        self.window.learn_ratio(len, charge, rules.options);
        self.tuning.on_clamp(self.window.clamp);
    }

    fn grow(&mut self, len: u32, charge: u32, inbox: &Inbox, rules: Rules<'_>) {
        let (used, segment, mss) = (self.charge(inbox), self.ack.segment_size, self.advertised_mss);
        if rules.config.memory.is_pressed() {
            return self.window.press(mss);
        }
        if self.window.grow(len, charge, used, segment, mss, rules.config.rmem[2]) {
            self.ack.on_growth();
        }
    }

    /// The echo of our clock that came with a full segment, for the receiver's own round trip.
    pub(crate) fn on_echo(&mut self, now: Instant, echo: Option<u32>, size: u16, inbox: &Inbox) {
        if let (Some(clocks), Some(echo)) = (&self.clocks, echo)
            && size >= self.ack.segment_size
            && let Some(age) = clocks.age(now, echo)
        {
            self.tuning.on_echo(echo, age, inbox.len() > 0);
        }
    }

    /// As Linux: text behind a gap lets window and buffer grow, too, or a sender that goes on in spite of loss would meet the
    /// window's end in each recovery. Without SACK the window stays, so that duplicates count as such (RFC 5681 section 2).
    pub(super) fn grow_behind_gap(&mut self, len: u32, charge: u32, inbox: &Inbox, rules: Rules<'_>) {
        if self.sack && len > 0 {
            self.grow(len, charge, inbox, rules);
        }
        if rules.config.moderate_rcvbuf && rules.options.rcvbuf.is_none() {
            let window = 2 * u64::from(self.tuning.space) + self.ahead();
            self.window.grow_buffer(window, rules.config.rmem[2], rules.options);
        }
    }

    /// Bytes from RCV.NXT to the end of what waits out of order.
    fn ahead(&self) -> u64 {
        let end = self.waiting.as_ref().and_then(|waiting| waiting.runs.end());
        end.map_or(0, |end| end.saturating_sub(self.offset))
    }

    /// The application has read: size the buffer, and see whether the peer should hear of the room.
    pub(crate) fn on_read(&mut self, now: Instant, inbox: &Inbox, rules: Rules<'_>) {
        let (config, options) = (rules.config, rules.options);
        // Linux looks after every packet of a read, and takes those that follow in the same read for late; as many come
        // at once here, that would see no more than the first of them in a round trip.
        let read = inbox.read_offset();
        let unread = self.offset.saturating_sub(read);
        if let Some(window) = self.tuning.on_read(now, read, unread)
            && config.moderate_rcvbuf
            && options.rcvbuf.is_none()
        {
            self.window.grow_buffer(window + self.ahead(), config.rmem[2], options);
        }
        self.on_look(inbox, rules);
    }

    /// The application has read or looked at what is there: whether the peer should hear of it.
    pub(crate) fn on_look(&mut self, inbox: &Inbox, rules: Rules<'_>) {
        self.ack.on_read(self.unacknowledged(), self.charge(inbox) == 0);
        self.tell_of_room(inbox, rules.config);
    }

    /// A window update once the window would double, as on Linux: not for every read.
    fn tell_of_room(&mut self, inbox: &Inbox, config: &Config) {
        let left = self.window.left(self.nxt);
        if self.half == PeerHalf::Open && u64::from(left) * 2 <= u64::from(self.window.clamp) {
            let wanted = self.window.wanted(&self.space_for(inbox, config));
            if wanted > 0 && u64::from(wanted) >= 2 * u64::from(left) {
                self.ack.owe_now();
            }
        }
    }
}
