//! TIME-WAIT: a few numbers and a deadline.
//!
//! Owns RFC 9293 sections 3.4.2, 3.6.1 and 3.10.7.4 for TIME-WAIT, RFC 6191 (a new SYN), RFC 1337.

use core::time::Duration;

use segue_wire::Instant;
use segue_wire::tcp::{TcpFlags, TcpOptions};

use crate::config::Config;
use crate::drop::DropReason;
use crate::segment::{Segment, Transmit};
use crate::state::reset::bare;
use crate::timestamps::Clocks;
use crate::units::{Deadline, Local, Peer, Seq, WireWindow};

/// How far beyond the old connection's last number a new one starts (Linux's choice).
const ISS_STEP: u32 = 65_535 + 2;

/// TIME-WAIT: a few numbers and a deadline.
#[derive(Clone, Debug)]
pub struct TimeWait {
    pub(crate) snd_nxt: Seq<Local>,
    pub(crate) rcv_nxt: Seq<Peer>,
    pub(crate) window: WireWindow,
    pub(crate) clocks: Option<Clocks>,
    pub(crate) deadline: Instant,
    pub(crate) since: Instant,
    pub(crate) quiet_until: Deadline,
}

/// What a segment did to a TIME-WAIT entry.
#[derive(Debug)]
#[must_use]
pub enum TimeWaitOutcome {
    /// Nothing to do.
    Nothing,
    /// Send this.
    Ack(Transmit),
    /// Send this; the deadline has moved.
    Restarted(Transmit),
    /// A new connection may reuse the 4-tuple (RFC 6191): remove the entry and give the SYN to
    /// the listener, with an initial sequence number above this.
    NewSyn {
        /// Lowest initial sequence number for our side.
        iss_floor: u32,
    },
    /// Remove the entry.
    Remove,
    /// The segment was dropped.
    Drop(DropReason),
}

impl TimeWait {
    /// A segment for this 4-tuple has arrived.
    pub fn on_segment(&mut self, now: Instant, config: &Config, segment: &Segment) -> TimeWaitOutcome {
        let sequence = Seq::<Peer>::new(segment.header.sequence);
        let (syn, ack, rst) = (segment.has(TcpFlags::SYN), segment.has(TcpFlags::ACK), segment.has(TcpFlags::RST));
        let stamp = self.clocks.zip(segment.options.timestamps).map(|(clocks, stamp)| (clocks, stamp.value));
        let old = stamp.is_some_and(|(clocks, value)| clocks.is_old(now, value));
        if rst {
            return self.on_reset(config, sequence, old);
        }
        if syn && !ack && self.is_new_incarnation(sequence, stamp) && !old {
            return TimeWaitOutcome::NewSyn { iss_floor: (self.snd_nxt + ISS_STEP).raw() };
        }
        let end = sequence + segment.sequence_len();
        if segment.has(TcpFlags::FIN) && !syn && !old && !end.after(self.rcv_nxt) {
            // "The only thing that can arrive is a retransmission of the remote FIN.
            // Acknowledge it, and restart the 2 MSL timeout."
            self.deadline = now + config.time_wait;
            self.note_stamp(now, sequence, stamp);
            return TimeWaitOutcome::Restarted(self.acknowledge(now));
        }
        if segment.sequence_len() == 0 && sequence == self.rcv_nxt && !old {
            self.note_stamp(now, sequence, stamp);
            return TimeWaitOutcome::Nothing;
        }
        let reason = if old { DropReason::Paws } else { DropReason::TimeWait };
        if (ack || syn) && self.may_answer(now, config) {
            TimeWaitOutcome::Ack(self.acknowledge(now))
        } else {
            TimeWaitOutcome::Drop(reason)
        }
    }

    /// RFC 1337: a reset may come from an old incarnation; RFC 5961: it must be exact.
    fn on_reset(&self, config: &Config, sequence: Seq<Peer>, old: bool) -> TimeWaitOutcome {
        if config.rfc1337 || old || sequence != self.rcv_nxt {
            TimeWaitOutcome::Drop(DropReason::InvalidReset)
        } else {
            TimeWaitOutcome::Remove
        }
    }

    /// RFC 6191 section 2: newer by timestamp, or by sequence number.
    fn is_new_incarnation(&self, sequence: Seq<Peer>, stamp: Option<(Clocks, u32)>) -> bool {
        sequence.after(self.rcv_nxt)
            || stamp.is_some_and(|(clocks, value)| (value.wrapping_sub(clocks.recent) as i32) > 0)
    }

    fn note_stamp(&mut self, now: Instant, sequence: Seq<Peer>, stamp: Option<(Clocks, u32)>) {
        if let (Some(clocks), Some((_, value)), false) = (&mut self.clocks, stamp, sequence.after(self.rcv_nxt)) {
            clocks.update(now, value);
        }
    }

    fn may_answer(&mut self, now: Instant, config: &Config) -> bool {
        if self.quiet_until.is_set() && !self.quiet_until.is_due(now) {
            return false;
        }
        self.quiet_until = Deadline::at(now + config.invalid_ratelimit);
        true
    }

    fn acknowledge(&self, now: Instant) -> Transmit {
        let options = TcpOptions { timestamps: self.clocks.map(|clocks| clocks.stamp(now)), ..TcpOptions::default() };
        bare(self.snd_nxt, Some(self.rcv_nxt), TcpFlags::ACK, self.window.0, options.emit())
    }

    /// When the entry ends.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether an active open may take the 4-tuple over (`tcp_tw_reuse`, RFC 6191 section 2):
    /// timestamps were in use and at least `age` has passed since the entry was made.
    /// Gives the lowest initial sequence number.
    pub fn reusable(&self, now: Instant, age: Duration) -> Option<u32> {
        let ready = self.clocks.is_some() && now - self.since >= age;
        ready.then(|| (self.snd_nxt + ISS_STEP).raw())
    }
}
