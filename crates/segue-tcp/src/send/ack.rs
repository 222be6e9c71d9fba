//! What an acceptable acknowledgment does to the sending half.
//!
//! Order, fixed: window, release of bytes, RTT sample, scoreboard, loss detection,
//! congestion control, timers. Owns the SND.WND rule of RFC 9293 section 3.10.7.4 and
//! RFC 6298 5.2 and 5.3.

use core::time::Duration;

use segue_wire::Instant;
use segue_wire::tcp::{AccEcn, TcpFlags};

use super::recovery::{Progress, Recovery};
use super::rtt::is_of_last;
use super::scoreboard::Acked;
use super::timer::SendTimer;
use super::{Sender, buffer};
use crate::cc::{AckSample, LossSample};
use crate::config::Config;
use crate::ecn::{EcnAck, Feedback, Marks};
use crate::journal::Statistic;
use crate::options::SocketOptions;
use crate::state::halves::LocalHalf;
use crate::units::{Deadline, Local, Packets, Peer, Seq};

/// An acknowledgment that is not older than SND.UNA and not beyond SND.NXT.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ack {
    pub(crate) number: Seq<Local>,
    /// SEG.SEQ.
    pub(crate) sequence: Seq<Peer>,
    /// SEG.WND in bytes.
    pub(crate) window: u32,
    /// The segment carries nothing but the acknowledgment.
    pub(crate) bare: bool,
    /// Its flags and AccECN option: what we sent may have met congestion.
    pub(crate) flags: TcpFlags,
    pub(crate) accecn: Option<AccEcn>,
    /// Its timestamp is newer than any before.
    pub(crate) newer: bool,
    /// Round-trip time that its timestamp echo shows.
    pub(crate) echo: Option<Duration>,
}

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct AckEffect {
    /// SND.UNA moved.
    pub(crate) advanced: bool,
    /// Our FIN is acknowledged now.
    pub(crate) fin: bool,
    /// A waiting writer should be told.
    pub(crate) writable: bool,
}

impl Sender {
    pub(crate) fn on_ack(
        &mut self,
        now: Instant,
        ack: &Ack,
        ecn: &mut Feedback,
        config: &Config,
        options: &SocketOptions,
    ) -> AckEffect {
        let old_window = self.wnd;
        self.take_window(ack);
        self.restart_persist(now, old_window == 0 && self.wnd > 0, config, options);
        let mut effect = AckEffect::default();
        if ack.number.after(self.una) {
            effect.advanced = true;
            effect.fin = self.advance(now, ack, ecn, config);
            self.resize_buffer(config, options);
            effect.writable = self.wake_writer(config, options);
            return effect;
        }
        let marks = self.read_marks(ack, ecn, ack.newer, Packets(0), 0);
        if !self.scoreboard.is_empty() {
            if marks.congested {
                self.enter_cwr(now, self.in_flight());
            }
            if ack.bare && ack.window == old_window {
                self.on_duplicate(now, config);
            }
        }
        effect
    }

    /// What the acknowledgment says of congestion. `packets` and `bytes`: what it newly shows to have arrived.
    fn read_marks(&mut self, ack: &Ack, ecn: &mut Feedback, progress: bool, packets: Packets, bytes: u32) -> Marks {
        let about = EcnAck {
            flags: ack.flags,
            option: ack.accecn,
            progress,
            packets: packets.0,
            bytes,
            mss: u32::from(self.mss),
            sent: self.counts.bytes_sent,
            exact: matches!(self.recovery, Recovery::Open | Recovery::Cwr { .. }),
        };
        let marks = ecn.on_ack(&about);
        self.journal.add(Statistic::DeliveredCe, marks.packets);
        marks
    }

    /// Tells a waiting writer once that there is room.
    pub(crate) fn wake_writer(&mut self, config: &Config, options: &SocketOptions) -> bool {
        let lowat = options.notsent_lowat.unwrap_or(config.notsent_lowat);
        let wake = self.writer_waits && buffer::is_writable(self.buffer, self.queue.len(), self.unsent(), lowat);
        if wake {
            self.writer_waits = false;
        }
        wake
    }

    /// SND.WL1 is the number of the SYN itself: the next segment may shrink the window that the SYN-ACK offered.
    pub(crate) fn window_came_with_syn(&mut self, irs: Seq<Peer>) {
        self.wl1 = irs;
    }

    /// RFC 9293 section 3.10.7.4: SND.WND follows the newest segment. As on Linux, a window that
    /// comes with nothing new may open or close wholly, so that a reordered acknowledgment cannot shrink it.
    fn take_window(&mut self, ack: &Ack) {
        if !self.may_take_window(ack.number, ack.sequence, ack.window) {
            return;
        }
        self.wl1 = ack.sequence;
        if self.wnd == 0 && ack.window > 0 {
            self.rtt.collapse_backoff();
        }
        if ack.window > self.wnd && matches!(self.timer, SendTimer::Persist { .. }) {
            // Only room is progress: TCP_USER_TIMEOUT also bounds how long a shut window holds data
            // back, answered probes or not, as on Linux.
            self.trouble_since = Deadline::NEVER;
        }
        self.wnd = ack.window;
        self.max_window = self.max_window.max(ack.window);
    }

    /// Whether the window that comes with these numbers is news.
    pub(crate) fn may_take_window(&self, number: Seq<Local>, sequence: Seq<Peer>, window: u32) -> bool {
        let newer = number.after(self.una) || sequence.after(self.wl1);
        newer || (sequence == self.wl1 && (window > self.wnd || window == 0))
    }

    /// SND.UNA moves to `ack.number`. Whether that acknowledges our FIN.
    fn advance(&mut self, now: Instant, ack: &Ack, ecn: &mut Feedback, config: &Config) -> bool {
        let in_flight = self.in_flight();
        let bytes = ack.number.since(self.una);
        self.una = ack.number;
        self.queue.release(self.una);
        if self.urgent_end.is_some_and(|end| !end.after(self.una)) {
            self.urgent_end = None;
        }
        if self.partial_end.before(self.una) {
            self.partial_end = self.una;
        }
        if self.push_end.before(self.una) {
            self.push_end = self.una;
        }
        let acked = self.scoreboard.acknowledge(self.una);
        let rtt = self.sample_rtt(now, ack, &acked, config);
        let marks = self.read_marks(ack, ecn, true, acked.packets, bytes);
        self.settle_recovery(now, &acked, rtt, in_flight, marks);
        self.retransmits = 0;
        self.trouble_since = Deadline::NEVER;
        // RFC 6298 5.2, 5.3.
        if self.scoreboard.is_empty() {
            self.timer = SendTimer::Idle;
        } else if self.recovery.is_patient() {
            self.timer = SendTimer::Retransmit { at: now + self.rto(config) };
        }
        let fin = matches!(self.half, LocalHalf::FinSent { fin } if self.una == fin + 1);
        if fin {
            self.half = LocalHalf::FinAcked { until: Deadline::NEVER };
        }
        fin
    }

    /// RFC 6298 section 3 (Karn): what was sent twice gives a sample only by its timestamp. The echo is
    /// that of the segment at SND.UNA (RFC 7323 section 4.3), and it must be of its last transmission:
    /// an older echo comes when an earlier one had arrived and its acknowledgment was lost. It measures
    /// the timeout, not the path, and every timeout sampled so would nearly double the next.
    fn sample_rtt(&mut self, now: Instant, ack: &Ack, acked: &Acked, config: &Config) -> Option<Duration> {
        let sample = match acked.first_sent_at {
            Some(first) if acked.resent => ack.echo.filter(|echo| is_of_last(*echo, now - first)),
            _ => acked.clean_sent_at.map(|sent_at| now - sent_at),
        }?;
        self.rtt.sample(sample, config.rto_min, config.rto_max);
        Some(sample)
    }

    fn settle_recovery(
        &mut self,
        now: Instant,
        acked: &Acked,
        rtt: Option<Duration>,
        in_flight: Packets,
        marks: Marks,
    ) {
        let mut sample = AckSample {
            now,
            una: self.una,
            nxt: self.nxt,
            mss: u32::from(self.mss),
            delivered: acked.packets,
            lost: Packets(0),
            credit: acked.packets,
            cwnd_limited: self.cc.is_limiting(),
            prior_in_flight: in_flight,
            in_flight: self.in_flight(),
            rtt,
            srtt: self.rtt.smoothed(),
            min_rtt: self.rtt.min(),
            rate: None,
            marked: Packets(marks.packets),
        };
        match self.recovery.on_advance(self.una) {
            Progress::Normal => {
                self.duplicates.reset();
                self.duplicates.follow(self.una);
                if marks.congested {
                    self.enter_cwr(now, in_flight);
                } else {
                    self.cc.on_ack(&sample);
                }
            }
            Progress::Reduced => {
                self.duplicates.reset();
                self.duplicates.follow(self.una);
            }
            Progress::Partial => {
                self.duplicates.on_partial(acked.packets);
                self.scoreboard.lose_head();
            }
            Progress::Full => {
                self.duplicates.reset();
                self.cc.on_recovered(now);
            }
            Progress::Restarting | Progress::Restarted => {
                self.duplicates.reset();
                sample.cwnd_limited = true;
                // What was not sent again had arrived before the timeout: its acknowledgment takes
                // nothing out of the network now, and must not let a whole window in at once.
                sample.credit = acked.packets.saturating_sub(acked.never_resent);
                self.cc.on_ack(&sample);
            }
        }
    }

    /// RFC 3168 section 6.1.2: congestion that was marked counts as loss does, once per window.
    fn enter_cwr(&mut self, now: Instant, in_flight: Packets) {
        if self.recovery != Recovery::Open {
            return;
        }
        let _ = self.cc.on_ecn(&LossSample { now, in_flight });
        self.cc.set_cwnd(self.cc.ssthresh());
        self.recovery = Recovery::Cwr { recover: self.nxt };
        self.reduced = true;
    }

    /// RFC 5681 section 3.2.
    fn on_duplicate(&mut self, now: Instant, config: &Config) {
        if matches!(self.recovery, Recovery::Timeout { .. }) {
            return;
        }
        let lost = self.duplicates.on_duplicate(self.una, self.scoreboard.sent(), config.reordering);
        if lost && matches!(self.recovery, Recovery::Open | Recovery::Cwr { .. }) {
            // A window that was reduced less than a round trip ago is not reduced again.
            if self.recovery == Recovery::Open {
                let in_flight = self.scoreboard.sent().saturating_sub(self.duplicates.limited());
                let _ = self.cc.on_loss(&LossSample { now, in_flight });
                self.cc.set_cwnd(self.cc.ssthresh());
                self.reduced = true;
            }
            self.scoreboard.lose_head();
            self.duplicates.guard(self.nxt);
            self.recovery = Recovery::fast(self.nxt);
        }
    }
}
