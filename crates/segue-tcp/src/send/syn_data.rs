//! Data that left with our SYN, and data that leave before our SYN-ACK is acknowledged (RFC 7413).
//!
//! Decides what of the SYN's data is sent again once the handshake is over, and that nothing is repeated in front of an
//! unacknowledged SYN-ACK. Owns the sender's part of RFC 7413 section 4.2.

use bytes::Bytes;
use segue_wire::Instant;

use super::Sender;
use super::plan::SendPlan;
use super::queue::SendQueue;
use super::recovery::Recovery;
use super::timer::SendTimer;
use crate::cc::LossSample;
use crate::config::Config;
use crate::units::{Local, Seq};

impl Sender {
    /// RFC 7413 section 4.2.1: `data` left with our SYN, and everything before `acknowledged` has arrived. What is left is
    /// sent again at once, which is no sign of congestion: the window stays. Whether nothing is left.
    pub(crate) fn adopt_syn_data(
        &mut self,
        now: Instant,
        data: Bytes,
        acknowledged: Seq<Local>,
        config: &Config,
    ) -> bool {
        let len = data.len() as u32;
        let taken = if acknowledged.after(self.una) { acknowledged.since(self.una).min(len) } else { 0 };
        self.counts.bytes_sent += u64::from(taken);
        self.counts.data_segments += u32::from(taken > 0);
        self.una += taken;
        self.nxt = self.una;
        self.queue = SendQueue::new(self.una);
        if taken == len {
            return true;
        }
        self.write_bytes(now, data.slice(taken as usize..), config);
        self.after_write(false, false);
        let _ = self.commit(now, SendPlan::New { len: len - taken, size: self.segment_size(), fin: false }, config);
        self.scoreboard.lose_all();
        self.recovery = Recovery::Timeout { recover: self.nxt };
        false
    }

    /// Nothing of this half is repeated for now: the SYN-ACK in front of it has not been acknowledged.
    pub(crate) fn suspend_timer(&mut self) {
        self.timer = SendTimer::Idle;
    }

    /// It has been: what is in flight is timed from now on.
    pub(crate) fn resume_timer(&mut self, now: Instant, config: &Config) {
        if !self.scoreboard.is_empty() {
            self.timer = SendTimer::Retransmit { at: now + self.rto(config) };
        }
    }

    /// The SYN-ACK timed out twice: as after a timeout, what is in flight counts as lost.
    pub(crate) fn lose_flight(&mut self, now: Instant) {
        self.scoreboard.lose_all();
        // A mistaken timeout is not told from a right one here.
        let _ = self.cc.on_rto(&LossSample { now, in_flight: self.in_flight() }, true);
        self.recovery = Recovery::Timeout { recover: self.nxt };
    }
}
