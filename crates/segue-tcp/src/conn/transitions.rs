//! How phases follow each other: synchronised, failed, TIME-WAIT, closed.

use core::time::Duration;

use alloc::boxed::Box;

use segue_wire::Instant;
use segue_wire::tcp::{OptionBytes, TcpFlags};

use super::{Connection, DEFAULT_OPTIONS, Phase};
use crate::config::Config;
use crate::drop::DropReason;
use crate::error::ConnError;
use crate::event::Events;
use crate::options::SocketOptions;
use crate::recv::ack::Owed;
use crate::segment::Transmit;
use crate::state::TimeWait;
use crate::state::arrival::Verdict;
use crate::state::halves::{LocalHalf, PeerHalf};
use crate::state::reset::bare;
use crate::state::syn_received::Ending;
use crate::state::synced::{Rules, Synced};
use crate::units::Deadline;

/// How long an orphan in FIN-WAIT-2 waits for the peer's FIN, as Linux counts: 3.5 timeouts at least, lest
/// a FIN that is sent again finds nobody. `None`: not at all.
pub(crate) fn fin_patience(config: &Config, options: &SocketOptions, rto: Duration) -> Option<Duration> {
    let wanted = match options.fin_timeout {
        Some(seconds) if seconds < 0 => return None,
        Some(seconds) if seconds > 0 => Duration::from_secs(seconds.unsigned_abs().into()),
        _ => config.fin_timeout,
    };
    Some(wanted.max(rto * 7 / 2))
}

impl Connection {
    /// Both SYNs are acknowledged.
    pub(super) fn synchronised(&mut self, mut synced: Synced, ending: Ending) {
        match ending {
            Ending::Open => {}
            Ending::FinQueued => synced.send.finish(),
            Ending::FinSent { at } => synced.send.fin_has_left(at, &self.config),
        }
        self.phase = Phase::Synced(synced);
        self.was_connected = true;
        self.events |= Events::CONNECTED | Events::WRITABLE;
    }

    /// A segment's verdict becomes the phase it leads to.
    pub(super) fn conclude(&mut self, now: Instant, verdict: Verdict) -> Option<DropReason> {
        match verdict {
            Verdict::Taken => {
                self.let_orphan_go(now);
                None
            }
            Verdict::Drop(reason) => {
                self.let_orphan_go(now);
                Some(reason)
            }
            Verdict::Reset(error) => {
                self.fail(now, error);
                Some(DropReason::Reset)
            }
            Verdict::Abort { reason, number } => {
                self.say(bare(number, None, TcpFlags::RST, 0, OptionBytes::EMPTY));
                // As on Linux: whose peer has finished is told what its next write means.
                let finished = reason == DropReason::BehindFin;
                self.fail(now, if finished { ConnError::BrokenPipe } else { ConnError::Reset });
                Some(reason)
            }
            Verdict::TimeWait => {
                self.enter_time_wait(now);
                None
            }
            Verdict::Closed => {
                self.close_phase(now);
                None
            }
        }
    }

    /// An orphan whose FIN is acknowledged needs no connection any more: as on Linux a small entry waits for the
    /// peer's FIN (`tcp_fin_timeout`, `TCP_LINGER2`), not longer than one in TIME-WAIT would; what is beyond
    /// that is waited out before.
    pub(super) fn let_orphan_go(&mut self, now: Instant) {
        if !self.orphan {
            return;
        }
        let Phase::Synced(synced) = &mut self.phase else { return };
        let (LocalHalf::FinAcked { until }, PeerHalf::Open) = (&mut synced.send.half, synced.recv.half) else { return };
        if until.is_set() && !until.is_due(now) {
            return;
        }
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let Some(patience) = fin_patience(&self.config, options, synced.send.rtt.rto(self.config.rto_max)) else {
            // As Linux: the answer to the acknowledgment of our FIN.
            let reset = bare(synced.send.nxt, None, TcpFlags::RST, 0, OptionBytes::EMPTY);
            self.say(reset);
            return self.close_phase(now);
        };
        let before = patience.saturating_sub(self.config.time_wait);
        if !until.is_set() && !before.is_zero() {
            *until = Deadline::at(now + before);
            return;
        }
        self.leave_for(now, |synced| TimeWait::fin_wait_2(now, synced, patience - before));
    }

    /// RFC 9293 section 3.6: both FINs are acknowledged, ours first.
    fn enter_time_wait(&mut self, now: Instant) {
        let time = self.config.time_wait;
        self.leave_for(now, |synced| TimeWait::silent(now, synced, time));
    }

    /// What the connection still owed is said; then it becomes an entry.
    fn leave_for(&mut self, now: Instant, entry: impl FnOnce(&Synced) -> TimeWait) {
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let rules = Rules { config: &self.config, options, held: self.inbox.held };
        let Phase::Synced(synced) = &mut self.phase else { return };
        let owes = synced.recv.ack.owed != Owed::Nothing || synced.recv.ack.challenge;
        let words = owes.then(|| synced.acknowledge(now, &self.inbox, rules));
        let entry = entry(synced);
        if let Some(words) = words {
            self.say(words);
        }
        self.remember(now);
        self.keep_journal();
        self.phase = Phase::TimeWait(entry);
        self.events |= Events::TIME_WAIT | Events::WRITABLE;
    }

    /// Nobody holds the connection, and there is no memory for it. As Linux: its peer is told where it is likely to listen.
    pub(super) fn give_way(&mut self, now: Instant) {
        if let Phase::Synced(synced) = &self.phase
            && (now - synced.send.last_sent <= self.config.time_wait || synced.send.is_shut_out())
        {
            self.say_reset(now);
        }
        self.fail(now, ConnError::OutOfMemory);
    }

    /// The connection ends with an error.
    pub(super) fn fail(&mut self, now: Instant, error: ConnError) {
        self.fast_open_failed(error);
        self.error = Some(error);
        self.events |= Events::ERROR | Events::READABLE | Events::WRITABLE;
        self.close_phase(now);
    }

    /// No protocol state is left. Unread data stay.
    pub(super) fn close_phase(&mut self, now: Instant) {
        self.judge_fast_path();
        self.remember(now);
        self.keep_journal();
        self.phase = Phase::Closed;
        self.events |= Events::CLOSED | Events::READABLE | Events::WRITABLE;
    }

    /// What was counted and decided last is told, too.
    fn keep_journal(&mut self) {
        if let Phase::Synced(synced) = &mut self.phase
            && !synced.send.journal.is_empty()
        {
            self.aside.get_or_insert_default().journal = core::mem::take(&mut synced.send.journal);
        }
    }

    /// `TCP_INFO` stays what it was while the application holds the socket.
    fn remember(&mut self, now: Instant) {
        if !self.orphan && matches!(self.phase, Phase::Synced(_) | Phase::SynSent(_) | Phase::SynReceived(_)) {
            let info = self.info(now);
            self.aside.get_or_insert_default().info = Some(Box::new((now, info)));
        }
    }

    /// The last segment of the phase.
    pub(super) fn say(&mut self, words: Transmit) {
        self.aside.get_or_insert_default().words = Some(Box::new(words));
    }

    /// The peer is told that the connection is over.
    pub(super) fn say_reset(&mut self, now: Instant) {
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let rules = Rules { config: &self.config, options, held: self.inbox.held };
        let reset = match &mut self.phase {
            Phase::Synced(synced) => synced.reset(now, &self.inbox, rules),
            Phase::SynReceived(open) => {
                let mut reset = open.offer.acknowledge(now, &open.peer);
                reset.header.flags = TcpFlags::RST | TcpFlags::ACK;
                reset
            }
            _ => return,
        };
        self.say(reset);
    }
}
