//! What can be seen of a connection: readiness, queues, `TCP_INFO`.

use alloc::vec::Vec;

use segue_wire::Instant;

use super::{Connection, Phase};
use crate::event::{Events, Ready};
use crate::info::{BbrInfo, Info, Timer, TimerKind};
use crate::journal::{Decided, Journal, Statistic};
use crate::memory::PAGE;
use crate::send::bound_to_window;
use crate::send::timer::SendTimer;
use crate::state::halves::{LocalHalf, PeerHalf};
use crate::state::handshake::TIMESTAMPS_LEN;
use crate::state::handshake::{Offer, PeerSyn};
use crate::state::syn_received::SynReceived;
use crate::state::syn_sent::SynSent;
use crate::state::synced::{Rules, Synced};
use crate::units::{Local, Seq};
use core::time::Duration;

/// How far the stream we send has got, in bytes since its beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendOffsets {
    /// Acknowledged by the peer.
    pub acked: u64,
    /// Sent at least once.
    pub sent: u64,
    /// Written by the application.
    pub written: u64,
}

/// What a connection's queues are charged, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MemoryUse {
    /// What has come and was not read, in order or not (`rmem_alloc`).
    pub received: u32,
    /// What was written and is not acknowledged (`wmem_queued`).
    pub queued: u32,
    /// What more may come without another page (`fwd_alloc`).
    pub ahead: u32,
}

const OPTION_TIMESTAMPS: u8 = 1;
const OPTION_SACK: u8 = 2;
const OPTION_WINDOW_SCALE: u8 = 4;
const OPTION_ECN: u8 = 8;
const OPTION_ECN_SEEN: u8 = 16;
const OPTION_SYN_DATA: u8 = 32;

impl Connection {
    /// What poll(2) would say (Linux's tcp_poll).
    pub fn readiness(&self) -> Ready {
        let mut ready = Ready::empty();
        let opening = matches!(self.phase, Phase::SynSent(_) | Phase::SynReceived(_));
        // As Linux: the write that takes the SYN along does not wait for the handshake.
        ready.set(Ready::OUT, self.syn_waits());
        let gone = matches!(self.phase, Phase::TimeWait(_) | Phase::Closed);
        let (peer_done, local_done) = match &self.phase {
            Phase::Synced(synced) => (synced.recv.half != PeerHalf::Open, !synced.send.half.is_open()),
            _ => (gone, gone),
        };
        let no_more_reads = peer_done || self.inbox.shut;
        ready.set(Ready::HUP, gone || (no_more_reads && local_done));
        ready.set(Ready::IN, no_more_reads);
        ready.set(Ready::RDHUP, no_more_reads);
        if !opening {
            // An urgent byte out of line is skipped, so alone it is nothing to read.
            let skipped = usize::from(self.inbox.at_mark() && !self.options().oob_inline);
            if self.inbox.len() > skipped && self.is_enough_to_read(skipped) {
                ready |= Ready::IN;
            }
            ready.set(Ready::OUT, local_done || self.is_writable());
            ready.set(Ready::PRI, self.inbox.has_urgent());
        }
        if self.error.is_some() {
            ready |= Ready::ERR | Ready::IN | Ready::OUT;
        }
        ready
    }

    /// `SO_RCVLOWAT` is met, or no more will come before something is read.
    pub(crate) fn is_enough_to_read(&self, skipped: usize) -> bool {
        let wanted = self.options().rcvlowat as usize + skipped;
        self.inbox.len() >= wanted
            || match &self.phase {
                Phase::Synced(synced) => synced.recv.is_full(&self.inbox, &self.config),
                _ => true,
            }
    }

    fn is_writable(&self) -> bool {
        let rules = Rules { config: &self.config, options: self.options(), held: self.inbox.held };
        matches!(&self.phase, Phase::Synced(synced) if synced.send.is_writable(rules))
    }

    /// Events since somebody last asked.
    pub fn take_events(&mut self) -> Events {
        core::mem::take(&mut self.events)
    }

    /// Bytes of memory held in queues.
    pub fn memory(&self) -> usize {
        let queues = match &self.phase {
            Phase::Synced(synced) => synced.send.memory() + synced.recv.memory(),
            _ => 0,
        };
        queues + self.inbox.charge()
    }

    /// What the queues are charged, as Linux accounts for them (`SO_MEMINFO`).
    pub fn memory_use(&self) -> MemoryUse {
        let (queued, waiting) = match &self.phase {
            Phase::Synced(synced) => (synced.send.charge(), synced.recv.waiting_charge()),
            _ => (0, 0),
        };
        let received = u32::try_from(waiting + self.inbox.charge()).unwrap_or(u32::MAX);
        let total = u64::from(received) + u64::from(queued);
        let ahead = (total.next_multiple_of(u64::from(PAGE)) - total) as u32;
        MemoryUse { received, queued, ahead }
    }

    /// Bytes that are charged of the stack's memory: as Linux accounts for them, or what they really take where that is
    /// more.
    pub(super) fn charged(&self) -> usize {
        let (sending, waiting) = match &self.phase {
            Phase::Synced(synced) => {
                ((synced.send.charge() as usize).max(synced.send.memory()), synced.recv.waiting_charge())
            }
            _ => (0, 0),
        };
        sending + waiting + self.inbox.charge()
    }

    /// Bytes written by the application and not yet sent.
    pub fn unsent(&self) -> usize {
        match &self.phase {
            Phase::Synced(synced) => synced.send.unsent() as usize,
            _ => 0,
        }
    }

    /// Bytes sent and not yet acknowledged.
    pub fn unacked(&self) -> usize {
        match &self.phase {
            Phase::Synced(synced) => synced.send.unacked_bytes() as usize,
            _ => 0,
        }
    }

    /// Retransmission timeouts so far (`tcpi_total_rto`), the handshake's not counted.
    pub fn timeouts(&self) -> u16 {
        match &self.phase {
            Phase::Synced(synced) => synced.send.counts.timeouts,
            _ => 0,
        }
    }

    /// Bytes that can be read.
    pub fn unread(&self) -> usize {
        self.inbox.len()
    }

    /// How far the stream we send has got; `None` before the handshake and after the end.
    pub fn send_offsets(&self) -> Option<SendOffsets> {
        let Phase::Synced(synced) = &self.phase else { return None };
        let acked = synced.send.bytes_acked();
        let sent = acked + u64::from(synced.send.unacked_bytes());
        Some(SendOffsets { acked, sent, written: acked + u64::from(synced.send.queued()) })
    }

    /// Stream offset of a sequence number of ours that is under way or just left.
    pub fn offset_of_sent(&self, sequence: u32) -> Option<u64> {
        let Phase::Synced(synced) = &self.phase else { return None };
        Some(synced.send.bytes_acked() + u64::from(Seq::<Local>::new(sequence).since(synced.send.una)))
    }

    /// Stream offset of a sequence number of the peer's; `None` before the stream's start and without a connection.
    pub fn offset_of_received(&self, sequence: u32) -> Option<u64> {
        let Phase::Synced(synced) = &self.phase else { return None };
        synced.recv.offset_of(Seq::new(sequence))
    }

    /// Stream offset up to which the application has read.
    pub fn read_offset(&self) -> u64 {
        self.inbox.read_offset()
    }

    /// Linux's size goal: how many bytes of several writes become one buffer, in whole segments.
    pub fn size_goal(&self) -> u32 {
        match &self.phase {
            Phase::Synced(synced) => synced.send.size_goal(synced.send.segment_size()),
            _ => 0,
        }
    }

    /// `TCP_WINDOW_CLAMP` in force; `None` before the handshake and after the end.
    pub fn window_clamp(&self) -> Option<u32> {
        let Phase::Synced(synced) = &self.phase else { return None };
        Some(synced.recv.window.clamp)
    }

    /// `TCP_QUICKACK`: whether acknowledgments are not held back for data to carry; `None` before the handshake and after
    /// the end.
    pub fn is_quick(&self) -> Option<bool> {
        let Phase::Synced(synced) = &self.phase else { return None };
        Some(!synced.recv.ack.is_pingpong())
    }

    /// `TCP_TIMESTAMP`: what the next segment's timestamp would be now; `None` where timestamps were not agreed.
    pub fn timestamp(&self, now: Instant) -> Option<u32> {
        let Phase::Synced(synced) = &self.phase else { return None };
        synced.recv.clocks.as_ref().map(|clocks| clocks.stamp(now).value)
    }

    /// Sizes of the receive and the send buffer in bytes, as they are now; `None` before the handshake and after the end.
    pub fn buffers(&self) -> Option<(u32, u32)> {
        let Phase::Synced(synced) = &self.phase else { return None };
        Some((synced.recv.window.buffer, synced.send.buffer))
    }

    /// What `TCP_INQ` tells: bytes that can be read, and one more when the stream's end stands behind them.
    pub fn in_queue(&self) -> usize {
        self.inbox.len() + usize::from(self.inbox.finished)
    }

    /// Whether no application holds it any more.
    pub fn is_orphan(&self) -> bool {
        self.orphan
    }

    /// What was counted since somebody last asked, each under its Linux name ([`Statistic::counter`]). Told once.
    pub fn take_statistics(&mut self) -> Vec<(Statistic, u32)> {
        self.journal().map(Journal::take_counts).unwrap_or_default()
    }

    /// What BBR knows of the path (`TCP_CC_INFO`); `None` with another algorithm, and before data have left.
    pub fn bbr_info(&self) -> Option<BbrInfo> {
        match &self.phase {
            Phase::Synced(synced) => synced.send.cc.bbr(),
            _ => None,
        }
    }

    /// Whether what loss detection and recovery decide is kept from now on, for
    /// [`take_decisions`](Connection::take_decisions). Off until asked; costs nothing then.
    pub fn trace(&mut self, on: bool) {
        if let Phase::Synced(synced) = &mut self.phase {
            synced.send.journal.trace(on);
        }
    }

    /// What loss detection and recovery have decided since somebody last asked, in order. At most 16384 are
    /// kept; the first ones are.
    pub fn take_decisions(&mut self) -> Vec<Decided> {
        self.journal().map(Journal::take_decisions).unwrap_or_default()
    }

    fn journal(&mut self) -> Option<&mut Journal> {
        match &mut self.phase {
            Phase::Synced(synced) => Some(&mut synced.send.journal),
            _ => self.aside.as_deref_mut().map(|aside| &mut aside.journal),
        }
    }

    /// The timer that `ss -o` shows: of several the one that Linux shows.
    pub fn timer(&self) -> Option<Timer> {
        let timer = |kind, at, expired| Some(Timer { kind, at, expired });
        match &self.phase {
            Phase::SynSent(SynSent { offer, .. }) | Phase::SynReceived(SynReceived { offer, .. }) => {
                timer(TimerKind::Retransmission, offer.timer.instant()?, offer.retransmits)
            }
            Phase::Synced(synced) => match synced.send.timer {
                SendTimer::Retransmit { at } | SendTimer::Probe { at } | SendTimer::Reorder { at } => {
                    timer(TimerKind::Retransmission, at, synced.send.retransmits)
                }
                SendTimer::Persist { at, .. } => timer(TimerKind::Persist, at, synced.send.probes),
                SendTimer::KeepAlive { at, probes } => timer(TimerKind::KeepAlive, at, probes),
                SendTimer::Idle => timer(TimerKind::KeepAlive, synced.orphan_deadline().instant()?, 0),
            },
            Phase::TimeWait(time_wait) => time_wait.timer(),
            Phase::Closed => None,
        }
    }

    /// `TCP_INFO`.
    pub fn info(&self, now: Instant) -> Info {
        let mut info = Info { state: self.state(), max_pacing_rate: u64::MAX, ..Info::default() };
        match &self.phase {
            Phase::Synced(synced) => self.describe(&mut info, synced, now),
            Phase::SynSent(SynSent { offer, heard }) => {
                offer.describe(&mut info, &self.config, self.options());
                (info.segs_in, info.data_segs_in) = (heard.segments, heard.with_text);
            }
            Phase::SynReceived(SynReceived { offer, peer, window, heard, .. }) => {
                offer.describe(&mut info, &self.config, self.options());
                (info.segs_in, info.data_segs_in) = (heard.segments, heard.with_text);
                self.describe_agreed(&mut info, offer, peer, *window);
            }
            Phase::TimeWait(_) | Phase::Closed => self.recall(&mut info, now),
        }
        if let Some(fast) = super::fast_open::fast_of(&self.aside) {
            info.options |= OPTION_SYN_DATA * u8::from(fast.data_taken);
            info.fastopen_client_fail = fast.fail as u8;
        }
        info
    }

    /// What both SYNs of a simultaneous open have agreed on.
    fn describe_agreed(&self, info: &mut Info, offer: &Offer, peer: &PeerSyn, window: u32) {
        let agreed = offer.agreed(&self.config, self.options(), peer);
        info.options = OPTION_TIMESTAMPS * u8::from(agreed.timestamps)
            + OPTION_SACK * u8::from(agreed.sack)
            + OPTION_WINDOW_SCALE * u8::from(agreed.scales.is_some());
        (info.snd_wscale, info.rcv_wscale) = agreed.scales.unwrap_or_default();
        let options = if agreed.timestamps { TIMESTAMPS_LEN as u8 } else { 0 } + self.options().signature.len() as u8;
        let mss = bound_to_window(agreed.mss, window, options);
        (info.snd_mss, info.rcv_mss) = (mss.into(), u32::from(mss).min(536));
        info.snd_wnd = window;
    }

    /// What was true when the connection ended; the clocks go on. Nothing is outstanding any more.
    fn recall(&self, info: &mut Info, now: Instant) {
        let Some((at, last)) = self.aside.as_deref().and_then(|aside| aside.info.as_deref()) else { return };
        let since = millis(now - *at);
        *info = Info {
            state: info.state,
            unacked: 0,
            backoff: 0,
            last_data_sent: last.last_data_sent.saturating_add(since),
            last_data_recv: last.last_data_recv.saturating_add(since),
            last_ack_recv: last.last_ack_recv.saturating_add(since),
            ..*last
        };
    }

    fn describe(&self, info: &mut Info, synced: &Synced, now: Instant) {
        let (send, recv) = (&synced.send, &synced.recv);
        let (delivery_rate, delivery_rate_app_limited) =
            send.cc.flow().map_or((0, true), |flow| flow.rate.shown(u32::from(send.mss)));
        let fin_acked = matches!(send.half, LocalHalf::FinAcked { .. });
        let ecn = synced.ecn.codepoints();
        let (reord_seen, dsack_dups) = send.reordering_and_duplicates();
        let scaled = send.scale.shift() > 0 || recv.window.scale.shift() > 0;
        *info = Info {
            ca_state: send.recovery.state as u8,
            retransmits: send.retransmits,
            probes: send.probes,
            backoff: send.shown_backoff(),
            options: OPTION_TIMESTAMPS * u8::from(recv.clocks.is_some())
                + OPTION_SACK * u8::from(send.sack)
                + OPTION_WINDOW_SCALE * u8::from(scaled)
                + OPTION_ECN * u8::from(synced.ecn.is_on())
                + OPTION_ECN_SEEN * u8::from(synced.ecn.has_seen()),
            snd_wscale: send.scale.shift(),
            rcv_wscale: recv.window.scale.shift(),
            delivery_rate,
            delivery_rate_app_limited,
            rto: micros(send.rtt.rto(self.config.rto_max)),
            ato: micros(recv.ack.delay()),
            snd_mss: send.segment_size(),
            rcv_mss: u32::from(recv.ack.segment_size),
            unacked: send.segments_out().0,
            sacked: send.segments_sacked().0,
            lost: send.segments_lost().0,
            retrans: send.segments_resent().0,
            last_data_sent: millis(now - send.last_sent),
            last_data_recv: millis(now - recv.ack.last_data),
            last_ack_recv: millis(now - send.last_heard),
            pmtu: u32::from(send.path.mtu_payload),
            rcv_ssthresh: recv.window.limit,
            rtt: send.rtt.smoothed().map_or(0, micros),
            rttvar: micros(send.rtt.variation()),
            min_rtt: send.rtt.min().map_or(u32::MAX, micros),
            snd_ssthresh: send.cc.ssthresh().0,
            snd_cwnd: send.cc.cwnd().0,
            advmss: u32::from(recv.advertised_mss),
            reordering: u32::from(send.reordering_degree(&self.config)),
            reord_seen,
            dsack_dups,
            rcv_rtt: recv.rtt().map_or(0, micros),
            rcv_space: recv.space(),
            total_retrans: send.counts.resent,
            pacing_rate: send.shown_pacing_rate(&self.config, self.options()),
            max_pacing_rate: self.options().max_pacing_rate.unwrap_or(u64::MAX),
            // As on Linux, SYN and FIN count as bytes.
            bytes_acked: send.bytes_acked() + u64::from(send.counts.syn) + u64::from(fin_acked),
            bytes_received: recv.offset + u64::from(recv.half != PeerHalf::Open),
            segs_in: recv.segments,
            data_segs_in: recv.data_segments,
            data_segs_out: send.counts.data_segments,
            segs_out: send.counts.segments,
            notsent_bytes: send.unsent() + u32::from(send.half == LocalHalf::FinQueued),
            bytes_sent: send.counts.bytes_sent,
            bytes_retrans: send.counts.bytes_resent,
            rcv_ooopack: recv.out_of_order,
            // As on Linux the SYN was delivered, too.
            delivered: send.cc.flow().map_or(1, |flow| flow.rate.delivered()),
            delivered_ce: ecn.told,
            received_ce: ecn.counted,
            delivered_e1_bytes: ecn.delivered[0],
            delivered_e0_bytes: ecn.delivered[1],
            delivered_ce_bytes: ecn.delivered[2],
            received_e1_bytes: ecn.received[0],
            received_e0_bytes: ecn.received[1],
            received_ce_bytes: ecn.received[2],
            accecn_fail_mode: ecn.failures.into(),
            accecn_opt_seen: ecn.option.into(),
            snd_wnd: send.wnd,
            rcv_wnd: recv.window.advertised,
            total_rto: send.counts.timeouts,
            fastopen_client_fail: 0,
            ..*info
        };
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
