//! The receiving half of a synchronised connection.
//!
//! Owns the receive variables of RFC 9293 section 3.3.1. What text means for them is `text`'s, whether there is memory for it
//! `room`'s, how buffer and window grow `growth`'s, and what a segment that leaves says of them `stamp`'s.
//! Invariants: the advertised right edge never moves left; RCV.NXT ≤ edge (+1 for a FIN);
//! `offset` is the stream offset of RCV.NXT.

pub(crate) mod ack;
mod growth;
pub(crate) mod inbox;
mod memory;
mod reassembly;
mod room;
mod sack;
mod slices;
mod stamp;
mod text;
mod tuning;
pub(crate) mod window;

use alloc::boxed::Box;
use core::time::Duration;

use segue_wire::{Chunks, Instant};

use crate::config::Config;
use crate::ecn::Haste;
use crate::options::SocketOptions;
use crate::state::halves::PeerHalf;
use crate::state::syn_sent::Heard;
use crate::timestamps::Clocks;
use crate::units::{Peer, Seq, WindowScale};
use ack::AckPolicy;
use inbox::Inbox;
pub(crate) use memory::Cost;
use reassembly::Reassembly;
use sack::Told;
pub(crate) use stamp::Cargo;
pub(crate) use text::Text;
use tuning::Tuning;
use window::{Space, Window};

/// Headers of a SYN, for what its text is charged.
const SYN_HEADERS: u16 = 60;

/// What a handshake hands to the receiving half.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceiverStart {
    pub(crate) irs: Seq<Peer>,
    /// Window that our SYN offered, in bytes.
    pub(crate) window: u32,
    pub(crate) scale: WindowScale,
    pub(crate) advertised_mss: u16,
    /// How large the peer's segments may be expected to be, before there was one.
    pub(crate) size_hint: u16,
    /// Segments that came before the connection was there.
    pub(crate) segments: u32,
    /// Both sides do selective acknowledgments.
    pub(crate) sack: bool,
    pub(crate) clocks: Option<Clocks>,
}

/// Out-of-order data, where the stream ends, and what is to be told of them, while there is any.
#[derive(Debug, Default)]
struct Waiting {
    runs: Reassembly,
    /// Stream offset of a FIN that came before all data.
    fin: Option<u64>,
    told: Told,
}

impl Waiting {
    fn is_over(&self) -> bool {
        self.runs.is_empty() && self.fin.is_none() && self.told.duplicate.is_none()
    }

    /// What is told must be held.
    fn forget_lost_blocks(&mut self) {
        let (runs, fin) = (&self.runs, self.fin);
        self.told.blocks.retain(|start| runs.has_run_at(start) || fin == Some(start));
    }

    /// A run with the FIN that may stand behind it, and a FIN that came alone with the run in front of it.
    fn with_fin(&self, run: (u64, u64)) -> (u64, u64) {
        let start = if run.0 == run.1 { self.runs.start_of_run_to(run.0).unwrap_or(run.0) } else { run.0 };
        if self.fin == Some(run.1) { (start, run.1 + 1) } else { (start, run.1) }
    }
}

/// What the receiver needs to know of the sending side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) srtt: Option<Duration>,
    pub(crate) rto: Duration,
    /// Memory that it is charged.
    pub(crate) charge: usize,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) half: PeerHalf,
    /// RCV.NXT.
    pub(crate) nxt: Seq<Peer>,
    /// Bytes received in order, which is the stream offset of `nxt`.
    pub(crate) offset: u64,
    pub(crate) window: Window,
    waiting: Option<Box<Waiting>>,
    pub(crate) ack: AckPolicy,
    pub(crate) clocks: Option<Clocks>,
    tuning: Tuning,
    pub(crate) advertised_mss: u16,
    pub(crate) sack: bool,
    pub(crate) data_segments: u32,
    pub(crate) segments: u32,
    pub(crate) out_of_order: u32,
}

impl Receiver {
    /// Nothing waits out of order.
    pub(crate) fn is_in_order(&self) -> bool {
        self.waiting.as_ref().is_none_or(|waiting| waiting.runs.is_empty() && waiting.fin.is_none())
    }

    pub(crate) fn new(now: Instant, config: &Config, options: &SocketOptions, start: &ReceiverStart) -> Receiver {
        let nxt = start.irs + 1;
        let window = Window::new(config, options, nxt, start.window, start.scale, start.advertised_mss);
        Receiver {
            half: PeerHalf::Open,
            nxt,
            offset: 0,
            window,
            waiting: None,
            ack: AckPolicy::new(now, config, start.advertised_mss.min(start.size_hint), start.window),
            clocks: start.clocks,
            tuning: Tuning::new(now, start.window.min(window.limit), start.advertised_mss),
            advertised_mss: start.advertised_mss,
            sack: start.sack,
            data_segments: 0,
            segments: start.segments,
            out_of_order: 0,
        }
    }

    /// What out-of-order data are charged.
    pub(crate) fn waiting_charge(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.runs.charge())
    }

    /// Bytes of memory held for out-of-order data.
    pub(crate) fn memory(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.runs.charge() + size_of::<Waiting>())
    }

    pub(crate) fn holes(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.runs.runs())
    }

    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.tuning.rtt()
    }

    /// What the reader takes in a round trip.
    pub(crate) fn space(&self) -> u32 {
        self.tuning.space
    }

    /// Memory that counts against the buffer.
    pub(crate) fn charge(&self, inbox: &Inbox) -> usize {
        self.waiting_charge() + inbox.charge()
    }

    fn space_for(&self, inbox: &Inbox, config: &Config) -> Space {
        Space {
            nxt: self.nxt,
            charge: self.charge(inbox),
            segment: self.ack.segment_size,
            mss: self.advertised_mss,
            pressed: config.memory.is_pressed(),
            may_shrink: config.shrink_window,
            signed: config.workaround_signed_windows,
        }
    }

    /// Where the furthest block ends that the peer may have been told of.
    pub(crate) fn highest_block_end(&self) -> Option<Seq<Peer>> {
        // What was told stays until the next acknowledgment leaves, though it may have been filled up by then.
        let end = self.waiting.as_ref()?.told.blocks.end().filter(|end| self.sack && *end > self.offset)?;
        Some(self.nxt + (end - self.offset) as u32)
    }

    /// RFC 7413 section 4.2.2: text of the SYN, which its SYN-ACK will acknowledge. Whether there was any.
    pub(crate) fn take_syn_text(&mut self, payload: &Chunks, inbox: &mut Inbox) -> bool {
        if payload.is_empty() {
            return false;
        }
        inbox.push(payload, Cost::of(SYN_HEADERS, payload.len()));
        self.advance(payload.len() as u32);
        self.data_segments = 1;
        self.window.acked = self.nxt;
        true
    }

    /// A FIN came before everything in front of it, and nothing else did.
    pub(crate) fn only_fin_waits(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.fin.is_some() && waiting.runs.is_empty())
    }

    /// Counts what came before the connection was open.
    pub(crate) fn add_heard(&mut self, heard: Heard) {
        self.segments = self.segments.wrapping_add(heard.segments);
        self.data_segments = self.data_segments.wrapping_add(heard.with_text);
    }

    /// Bytes beyond what the last segment that left acknowledged.
    pub(crate) fn unacknowledged(&self) -> u32 {
        self.nxt.since(self.window.acked)
    }

    /// Stream offset of a sequence number that is near RCV.NXT; `None` before the stream's start.
    pub(crate) fn offset_of(&self, sequence: Seq<Peer>) -> Option<u64> {
        if sequence.before(self.nxt) {
            self.offset.checked_sub(u64::from(self.nxt.since(sequence)))
        } else {
            Some(self.offset + u64::from(sequence.since(self.nxt)))
        }
    }

    fn advance(&mut self, len: u32) {
        self.nxt += len;
        self.offset += u64::from(len);
    }

    /// `TCP_QUICKACK`. As on Linux text that is not read holds an acknowledgment back until more than a segment waits for one.
    pub(crate) fn set_quick(&mut self, quick: bool, inbox: &Inbox) {
        let waits = inbox.len() > 0 && self.unacknowledged() <= u32::from(self.ack.segment_size);
        self.ack.set_quick(quick, waits);
    }

    /// What arrived has a bearing on the sender's congestion window: how soon it must hear.
    pub(crate) fn hasten(&mut self, haste: Haste) {
        match haste {
            Haste::None => {}
            Haste::Quick => self.ack.on_mark(self.window.left(self.nxt)),
            Haste::Now => self.ack.owe_now(),
        }
    }

    /// What is left of the window takes no other segment, or memory is short: nothing is gained by waiting for more.
    pub(crate) fn is_full(&self, inbox: &Inbox, config: &Config) -> bool {
        let buffer = self.window.buffer as usize;
        config.memory.is_pressed()
            || self.charge(inbox) > buffer - buffer / 8
            || self.window.left(self.nxt) <= u32::from(self.ack.segment_size)
    }

    /// Options have changed: pinned buffer, clamp.
    pub(crate) fn on_options(&mut self, options: &SocketOptions) {
        self.window.on_options(options);
    }

    /// RFC 9293 section 3.10.7.4, sixth: stream offset of the urgent byte that `pointer` names.
    pub(crate) fn urgent_offset(&self, sequence: Seq<Peer>, pointer: u16, standard: bool) -> Option<u64> {
        // RFC 6093: everybody points behind the urgent byte; `tcp_stdurg` reads it as at the byte.
        let behind = if standard || pointer == 0 { 0 } else { 1 };
        self.offset_of(sequence + u32::from(pointer) - behind)
    }
}
