//! Data that left with our SYN, and data that leave before our SYN-ACK is acknowledged (RFC 7413).
//!
//! Decides what of the SYN's data is sent again once the handshake is over, and that nothing is repeated in front of an
//! unacknowledged SYN-ACK. Owns the sender's part of RFC 7413 section 4.2.

use bytes::Bytes;
use segue_wire::Instant;

use super::Sender;
use super::plan::SendPlan;
use super::queue::SendQueue;
use super::timer::SendTimer;
use crate::config::Config;
use crate::conn::SendFlags;
use crate::options::SocketOptions;
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
        options: &SocketOptions,
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
        let goal = self.size_goal(self.segment_size());
        self.queue.parcels().fill(len - taken, goal);
        self.write_bytes(now, data.slice(taken as usize..), config);
        self.after_write(SendFlags::empty());
        let size = self.segment_size();
        let most = self.burst(size, config, options).saturating_mul(size);
        let again = SendPlan::New { len: len - taken, fin: false, size, most };
        let _ = self.commit(now, again, config);
        self.scoreboard.lose_on_timeout(false, |_| false, |_, _| ());
        self.resend_without_blame();
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
    pub(crate) fn lose_flight(&mut self, now: Instant, config: &Config) {
        self.enter_loss(now, config);
    }
}
