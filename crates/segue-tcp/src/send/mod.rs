//! The sending half of a synchronised connection.
//!
//! Decides what acknowledgments and timers mean for the send variables of RFC 9293
//! section 3.3.1. What to send next is decided in `plan`. Invariants: SND.UNA ≤ SND.NXT ≤ end of
//! queue (+1 for a FIN); the scoreboard covers exactly SND.UNA..SND.NXT.

pub(crate) mod ack;
pub(crate) mod buffer;
mod defer;
mod frto;
mod ledger;
mod nagle;
mod newreno;
pub(crate) mod pacer;
mod pacing;
pub(crate) mod parcels;
pub(crate) mod path_mtu;
pub(crate) mod plan;
mod prr;
mod queue;
mod rack;
pub(crate) mod rate;
pub(crate) mod recovery;
mod repair;
pub(crate) mod rtt;
mod sack;
mod scoreboard;
mod syn_data;
pub(crate) mod timeout;
pub(crate) mod timer;
mod tlp;
mod undo;

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;
use segue_wire::Instant;

use crate::cc::Congestion;
use crate::config::{Config, MtuProbing};
use crate::conn::SendFlags;
use crate::journal::{CaState, Journal};
use crate::options::SocketOptions;
use crate::state::halves::LocalHalf;
use crate::units::{Deadline, Local, Packets, Peer, Seq, WindowScale};
use frto::Frto;
use path_mtu::{Path, Search};
use plan::SendPlan;
use queue::SendQueue;
use recovery::Recovery;
use repair::{Leave, Repair};
use rtt::Rtt;
use scoreboard::Scoreboard;
use timer::{Nudge, SendTimer};

/// What a handshake hands to the sending half.
#[derive(Debug)]
pub(crate) struct SenderStart {
    pub(crate) iss: Seq<Local>,
    pub(crate) irs: Seq<Peer>,
    /// The peer's window in bytes, already scaled.
    pub(crate) window: u32,
    /// The largest that the peer has offered so far.
    pub(crate) max_window: u32,
    pub(crate) scale: WindowScale,
    pub(crate) path: Path,
    /// Largest payload of the first segments, options taken off.
    pub(crate) mss: u16,
    /// Both sides do selective acknowledgments.
    pub(crate) sack: bool,
    pub(crate) rtt: Rtt,
    /// SYNs that we have sent and the peer has acknowledged; 0 for a passive open.
    pub(crate) syns: u8,
    pub(crate) initial_cwnd: Packets,
}

/// Counts for `TCP_INFO`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SendCounts {
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_resent: u64,
    /// All segments, with and without data.
    pub(crate) segments: u32,
    pub(crate) data_segments: u32,
    pub(crate) resent: u32,
    pub(crate) timeouts: u16,
    /// A SYN of ours was acknowledged: Linux counts it as a byte.
    pub(crate) syn: bool,
}

#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) half: LocalHalf,
    pub(crate) una: Seq<Local>,
    pub(crate) nxt: Seq<Local>,
    /// SND.WND in bytes.
    pub(crate) wnd: u32,
    wl1: Seq<Peer>,
    /// Largest window the peer ever offered.
    max_window: u32,
    pub(crate) scale: WindowScale,
    /// Largest payload of a segment, options taken off.
    pub(crate) mss: u16,
    pub(crate) path: Path,
    /// The search for the path's MTU; `None` while there is none.
    search: Option<Box<Search>>,
    pub(crate) sack: bool,
    queue: SendQueue,
    scoreboard: Scoreboard,
    pub(crate) recovery: Recovery,
    /// `None` as long as nothing went wrong.
    repair: Option<Box<Repair>>,
    pub(crate) cc: Congestion,
    /// The window was reduced, and the peer has not been told (RFC 3168's CWR).
    pub(crate) reduced: bool,
    pub(crate) rtt: Rtt,
    pub(crate) timer: SendTimer,
    nudge: Nudge,
    /// Timeouts since SND.UNA last moved.
    pub(crate) retransmits: u8,
    /// Probes (zero-window or keep-alive) since the peer was last heard.
    pub(crate) probes: u8,
    /// When the first of the current run of retransmissions, or of unanswered probes, left.
    trouble_since: Deadline,
    /// End of the last segment sent that was not full (Minshall).
    partial_end: Seq<Local>,
    /// Where the last write ended that was pushed (Linux's pushed_seq).
    push_end: Seq<Local>,
    /// SND.UP: one past the urgent byte.
    pub(crate) urgent_end: Option<Seq<Local>>,
    /// The last write said that more follows.
    pub(crate) more: bool,
    /// Send buffer size in bytes.
    pub(crate) buffer: u32,
    /// A writer has met a full buffer and waits to be told.
    pub(crate) writer_waits: bool,
    pub(crate) last_sent: Instant,
    /// When anything was last heard from the peer.
    pub(crate) last_heard: Instant,
    pub(crate) counts: SendCounts,
    /// What both halves count.
    pub(crate) journal: Journal,
}

/// Linux's bound on segments for a peer with a small buffer: at least two per window, so
/// that silly-window avoidance on either side cannot stop the flow. `options`: bytes of options that every segment has.
pub(crate) fn bound_to_window(mss: u16, window: u32, options: u8) -> u16 {
    const SMALL: u32 = 536;
    /// What every host takes (RFC 791), less a TCP header.
    const LEAST: u32 = 68 - 20;
    if window == 0 {
        return mss;
    }
    let bound = if window > SMALL { window / 2 } else { window };
    u16::try_from(bound.max(LEAST.saturating_sub(options.into()))).map_or(mss, |bound| mss.min(bound))
}

impl Sender {
    pub(crate) fn new(now: Instant, config: &Config, options: &SocketOptions, start: SenderStart) -> Sender {
        let first = start.iss + 1;
        Sender {
            half: LocalHalf::Open,
            una: first,
            nxt: first,
            wnd: start.window,
            wl1: start.irs,
            max_window: start.max_window,
            scale: start.scale,
            mss: start.mss,
            path: start.path,
            search: (config.mtu_probing == MtuProbing::Always)
                .then(|| Box::new(Search::open(now, &start.path, config))),
            sack: start.sack,
            queue: SendQueue::new(first),
            scoreboard: Scoreboard::default(),
            recovery: Recovery::new(first),
            repair: None,
            cc: Congestion::new(options.congestion.unwrap_or(config.congestion), start.initial_cwnd),
            reduced: false,
            rtt: start.rtt,
            timer: SendTimer::Idle,
            nudge: Nudge::Nothing,
            retransmits: 0,
            probes: 0,
            trouble_since: Deadline::NEVER,
            partial_end: start.iss,
            push_end: first,
            urgent_end: None,
            more: false,
            buffer: buffer::initial(config, options, start.initial_cwnd, start.path.clamp.max(start.mss)),
            writer_waits: false,
            last_sent: now,
            last_heard: now,
            counts: SendCounts { segments: start.syns.into(), syn: start.syns > 0, ..SendCounts::default() },
            journal: Journal::default(),
        }
    }

    /// Bytes queued and not sent.
    pub(crate) fn unsent(&self) -> u32 {
        match self.half {
            LocalHalf::Open | LocalHalf::FinQueued => self.queue.end().since(self.nxt),
            LocalHalf::FinSent { .. } | LocalHalf::FinAcked { .. } => 0,
        }
    }

    /// As `unsent`, up to the end of a record: what may leave in one segment.
    pub(crate) fn unsent_record(&self) -> u32 {
        let unsent = self.unsent();
        self.queue.record().map_or(unsent, |record| unsent.min(record.since(self.nxt)))
    }

    /// As `unsent`, of the buffer that leaves next: what lies behind leaves by itself.
    pub(crate) fn unsent_parcel(&self) -> u32 {
        let record = self.unsent_record();
        self.queue.first_parcel().map_or(record, |len| record.min(len))
    }

    /// The same before a write under way has cut anything off it.
    fn unsent_buffer(&self) -> u32 {
        match self.queue.leaving() {
            0 => self.unsent_parcel(),
            _ => self.unsent_record().min(self.size_goal(self.segment_size())),
        }
    }

    /// Whether bytes or a FIN wait to be sent for the first time.
    fn has_unsent(&self) -> bool {
        self.unsent() > 0 || self.half == LocalHalf::FinQueued
    }

    /// Nothing new, nothing again, no probe: `plan` would find nothing.
    pub(crate) fn has_nothing_to_send(&self) -> bool {
        !self.has_unsent() && self.nudge == Nudge::Nothing && !self.recovery.resends()
    }

    /// Bytes held: sent and unacknowledged, or not sent.
    pub(crate) fn queued(&self) -> u32 {
        self.queue.len()
    }

    pub(crate) fn unacked_bytes(&self) -> u32 {
        self.queue.len() - self.unsent().min(self.queue.len())
    }

    /// Bytes acknowledged since the beginning.
    pub(crate) fn bytes_acked(&self) -> u64 {
        self.counts.bytes_sent - self.counts.bytes_resent - u64::from(self.unacked_bytes())
    }

    pub(crate) fn memory(&self) -> usize {
        self.queue.memory() + self.scoreboard.memory()
    }

    /// Segments that are thought to be in the network.
    pub(crate) fn in_flight(&self) -> Packets {
        self.scoreboard.in_flight()
    }

    /// Nothing is in the network, and the window is shut.
    pub(crate) fn is_shut_out(&self) -> bool {
        self.wnd == 0 && self.scoreboard.is_empty()
    }

    pub(crate) fn segments_out(&self) -> Packets {
        self.scoreboard.sent()
    }

    pub(crate) fn segments_lost(&self) -> Packets {
        self.scoreboard.lost()
    }

    pub(crate) fn segments_resent(&self) -> Packets {
        self.scoreboard.resent()
    }

    pub(crate) fn segments_sacked(&self) -> Packets {
        self.scoreboard.sacked()
    }

    /// Copies into the queue.
    pub(crate) fn write(&mut self, now: Instant, data: &[u8], config: &Config) {
        self.before_write(now, config);
        self.queue.write(data);
    }

    /// Moves into the queue.
    pub(crate) fn write_bytes(&mut self, now: Instant, data: Bytes, config: &Config) {
        self.before_write(now, config);
        self.queue.write_bytes(data);
    }

    /// Draft-ietf-ccwg-bbr section 4.1.2.4: with less than a segment to send, room in the window and nothing
    /// to send again, the application is the limit. A peer's small window is not: then data wait.
    fn check_app_limited(&mut self, now: Instant) {
        let in_flight = self.scoreboard.in_flight();
        let repaired = self.scoreboard.lost() <= self.scoreboard.resent();
        if self.cc.flow().is_some() && self.unsent() < u32::from(self.mss) && in_flight < self.cc.cwnd() && repaired {
            self.cc.flow_mut(now).rate.on_app_limited(in_flight);
        }
    }

    /// RFC 2861, RFC 5681 section 4.1: after more than an RTO of silence the window is stale.
    fn before_write(&mut self, now: Instant, config: &Config) {
        self.check_app_limited(now);
        let idle = now - self.last_sent;
        let rto = self.rtt.rto(config.rto_max);
        if config.slow_start_after_idle && self.scoreboard.is_empty() && self.queue.len() == 0 && idle > rto {
            self.perhaps_idle(now, config, |it| it.cc.on_idle(now, idle, rto, Packets(config.initial_cwnd)));
        }
    }

    /// The write is over; `flags` as they are true of what was taken.
    pub(crate) fn after_write(&mut self, flags: SendFlags) {
        self.on_new_data();
        self.more = flags.contains(SendFlags::MORE);
        // As Linux (forced_push) also what announces more is pushed once half of the peer's largest window is not.
        let push = !self.more || self.queue.end().since(self.push_end) > self.max_window / 2;
        if flags.contains(SendFlags::EOR) {
            self.queue.end_record();
        }
        if push {
            self.queue.push();
            self.push_end = self.queue.end();
        }
        if flags.contains(SendFlags::OOB) {
            self.urgent_end = Some(self.queue.end());
        }
    }

    /// Queues the FIN behind everything written.
    pub(crate) fn finish(&mut self) {
        if self.half.is_open() {
            self.half = LocalHalf::FinQueued;
            self.on_new_data();
        }
    }

    /// What is new leaves if it may, whatever a timer has let out.
    fn on_new_data(&mut self) {
        self.reconsider();
        if !self.may_leave(Leave::New) {
            self.let_anything_leave();
        }
    }

    /// The FIN has left already, before the handshake was over, and nothing was written.
    pub(crate) fn fin_has_left(&mut self, at: Instant, config: &Config) {
        self.finish();
        let size = self.segment_size();
        let _ = self.commit(at, SendPlan::New { len: 0, fin: true, size, most: size }, config);
    }

    /// Changes the algorithm; the window stays.
    pub(crate) fn choose_congestion(&mut self, now: Instant, config: &Config, options: &SocketOptions) {
        self.cc.choose(now, options.congestion.unwrap_or(config.congestion));
    }

    /// What was in flight is sent again, though not because of congestion: the window stays (Linux's
    /// tcp_simple_retransmit).
    fn resend_without_blame(&mut self) {
        if !self.recovery.is_reducing() {
            self.cc.remember();
        }
        self.recovery = Recovery { state: CaState::Loss, high: self.nxt, look: false };
        if let Some(repair) = &mut self.repair {
            repair.undo.end();
            repair.undo.before = None;
            repair.frto = Frto::Off;
        }
    }

    /// The peer has been heard: it is alive.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.last_heard = now;
        self.probes = 0;
        if let SendTimer::KeepAlive { probes, .. } = &mut self.timer {
            *probes = 0;
        }
    }

    pub(crate) fn segment_size(&self) -> u32 {
        u32::from(bound_to_window(self.mss, self.max_window, self.path.options))
    }

    /// Linux's bound on the bytes that are treated as one: what a super-segment carries, at most half of the largest
    /// window the peer ever offered, in whole segments.
    pub(crate) fn size_goal(&self, mss: u32) -> u32 {
        const MOST: u32 = 65_535 - 256;
        let bound = match self.max_window {
            0 => MOST,
            small @ ..=536 => small,
            window => window / 2,
        };
        (MOST.min(bound) / mss.max(1)).max(1) * mss.max(1)
    }

    fn rto(&self, config: &Config) -> Duration {
        self.rtt.rto(config.rto_max)
    }
}
