//! What every segment that leaves says about the receiving half.
//!
//! Decides acknowledgment, window, timestamp and blocks in one place, so that no two segments disagree.

use segue_wire::Instant;
use segue_wire::tcp::{MAX_OPTIONS_LEN, SackBlocks, Timestamps};

use super::Receiver;
use super::ack::Owed;
use super::inbox::Inbox;
use crate::auth::Signature;
use crate::config::Config;
use crate::journal::{Journal, Statistic};
use crate::state::handshake::TIMESTAMPS_LEN;
use crate::state::synced::Rules;
use crate::units::{Peer, Seq, WireWindow};

/// What the receiver writes into every segment that leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) acknowledgment: Seq<Peer>,
    pub(crate) window: WireWindow,
    pub(crate) timestamps: Option<Timestamps>,
    pub(crate) sack: SackBlocks,
}

/// What a segment that leaves carries beside the stamp, as far as the receiver must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cargo {
    /// Nothing: it is an acknowledgment.
    None,
    /// Text or FIN; there is room for blocks.
    Text,
    /// Text or FIN once more. It was cut before there were blocks to tell: each segment has so many bytes left for them.
    OldText { room: u16 },
}

impl Cargo {
    /// Whether `len` bytes of blocks can be told with it.
    fn has_room(self, len: u16) -> bool {
        !matches!(self, Cargo::OldText { room } if room < len)
    }
}

impl Receiver {
    /// Blocks of selective acknowledgment that fit beside the other options.
    fn most_blocks(&self, signature: Signature) -> usize {
        let stamps = if self.clocks.is_some() { usize::from(TIMESTAMPS_LEN) } else { 0 };
        let room = MAX_OPTIONS_LEN.saturating_sub(stamps + usize::from(signature.len()));
        // RFC 2018 section 3: two bytes of head, aligned.
        (room.saturating_sub(4) / 8).min(SackBlocks::MAX)
    }

    /// Bytes of options that the blocks waiting to be told take, for a segment that carries data, too.
    pub(crate) fn sack_len(&self, signature: Signature) -> u16 {
        let count = match &self.waiting {
            Some(waiting) if self.sack => waiting.told.count(self.most_blocks(signature)),
            _ => 0,
        };
        if count == 0 { 0 } else { 4 + 8 * count as u16 }
    }

    /// Where a duplicate begins that the next segment reports (RFC 2883).
    pub(crate) fn duplicate_to_tell(&self) -> Option<Seq<Peer>> {
        let waiting = self.waiting.as_ref().filter(|_| self.sack)?;
        waiting.told.duplicate.map(|(start, _)| start)
    }

    /// The blocks that leave now. A duplicate is told once (RFC 2883 section 4).
    fn take_blocks(&mut self, cargo: Cargo, signature: Signature, journal: &mut Journal) -> SackBlocks {
        let most = self.most_blocks(signature);
        let has_room = cargo.has_room(self.sack_len(signature));
        let Some(waiting) = &mut self.waiting else { return SackBlocks::new() };
        let held = core::mem::take(&mut waiting.told.compression.held);
        // The one that leaves because the time is up is not one that was saved.
        let due = matches!(self.ack.owed, Owed::Compressed(_)) && cargo == Cargo::None;
        journal.add(Statistic::AckCompressed, u32::from(held).saturating_sub(u32::from(due)));
        if !self.sack || !has_room {
            return SackBlocks::new();
        }
        let blocks = waiting.told.option(self.nxt, self.offset, most);
        waiting.told.duplicate = None;
        if waiting.is_over() {
            self.waiting = None;
        }
        blocks
    }

    /// The window that a segment leaving now offers.
    fn advertise(&mut self, inbox: &Inbox, config: &Config, journal: &mut Journal) -> WireWindow {
        let before = self.window.advertised;
        if core::mem::take(&mut self.ack.no_memory) {
            return self.window.shut(self.nxt);
        }
        let space = self.space_for(inbox, config);
        let wanted = self.window.wanted(&space);
        let (window, tight) = self.window.advertise(&space);
        if tight {
            self.ack.on_tight();
        }
        match (before, window.0) {
            (0, 0) => {}
            (0, _) => journal.count(Statistic::FromZeroWindow),
            (_, 0) => journal.count(Statistic::ToZeroWindow),
            _ if wanted == 0 => journal.count(Statistic::WantZeroWindow),
            _ => {}
        }
        window
    }

    /// A segment leaves: what it says about this half.
    pub(crate) fn stamp(
        &mut self,
        now: Instant,
        inbox: &Inbox,
        cargo: Cargo,
        rules: Rules<'_>,
        journal: &mut Journal,
    ) -> Stamp {
        let signature = rules.options.signature;
        // RFC 5681 section 2 (e): a duplicate has the window of the one before, unless there is no memory for it any more.
        let bare = cargo == Cargo::None;
        let duplicate = bare && matches!(self.ack.owed, Owed::Duplicates(_)) && self.nxt == self.window.acked;
        let duplicate = duplicate && !self.ack.no_memory;
        let window = match duplicate {
            true => self.window.again(),
            false => self.advertise(inbox, rules.config, journal),
        };
        let untold = !cargo.has_room(self.sack_len(signature));
        let sack = self.take_blocks(cargo, signature, journal);
        if !untold {
            self.ack.on_sent();
        }
        Stamp { acknowledgment: self.nxt, window, timestamps: self.clocks.map(|clocks| clocks.stamp(now)), sack }
    }
}
