//! How phases follow each other: synchronised, failed, TIME-WAIT, closed.

use alloc::boxed::Box;

use segue_wire::Instant;

use super::{Connection, Phase};
use crate::drop::DropReason;
use crate::error::ConnError;
use crate::event::Events;
use crate::segment::Transmit;
use crate::state::TimeWait;
use crate::state::arrival::Verdict;
use crate::state::halves::LocalHalf;
use crate::state::synced::Synced;
use crate::units::{Deadline, WireWindow};

impl Connection {
    /// Both SYNs are acknowledged.
    pub(super) fn synchronised(&mut self, mut synced: Synced, fin: bool) {
        if fin {
            synced.send.finish();
        }
        self.phase = Phase::Synced(synced);
        self.was_connected = true;
        self.events |= Events::CONNECTED | Events::WRITABLE;
    }

    /// A segment's verdict becomes the phase it leads to.
    pub(super) fn conclude(&mut self, now: Instant, verdict: Verdict) -> Option<DropReason> {
        match verdict {
            Verdict::Taken => {
                self.await_peer_fin(now);
                None
            }
            Verdict::Drop(reason) => {
                self.await_peer_fin(now);
                Some(reason)
            }
            Verdict::Reset(error) => {
                self.fail(error);
                Some(DropReason::Reset)
            }
            Verdict::Abort(reason) => {
                self.say_reset(now);
                self.fail(ConnError::Reset);
                Some(reason)
            }
            Verdict::TimeWait => {
                self.enter_time_wait(now);
                None
            }
            Verdict::Closed => {
                self.close_phase();
                None
            }
        }
    }

    /// An orphan in FIN-WAIT-2 does not wait for the peer's FIN for ever (`tcp_fin_timeout`, `TCP_LINGER2`).
    pub(super) fn await_peer_fin(&mut self, now: Instant) {
        let limit = self.options().fin_timeout;
        let patience = match limit {
            Some(seconds) => core::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0)),
            None => self.config.fin_timeout,
        };
        let Phase::Synced(synced) = &mut self.phase else { return };
        let LocalHalf::FinAcked { until } = &mut synced.send.half else { return };
        if !self.orphan || until.is_set() {
            return;
        }
        *until = Deadline::at(now + patience);
        if limit.is_some_and(|seconds| seconds < 0) {
            self.say_reset(now);
            self.close_phase();
        }
    }

    /// RFC 9293 section 3.6: both FINs are acknowledged, ours first.
    fn enter_time_wait(&mut self, now: Instant) {
        let Phase::Synced(synced) = &mut self.phase else { return };
        let words =
            (synced.recv.ack.owed != crate::recv::ack::Owed::Nothing).then(|| synced.acknowledge(now, &self.inbox));
        let time_wait = TimeWait {
            snd_nxt: synced.send.nxt,
            rcv_nxt: synced.recv.nxt,
            window: WireWindow::of(synced.recv.window.advertised, synced.recv.window.scale),
            clocks: synced.recv.clocks,
            deadline: now + self.config.time_wait,
            since: now,
            quiet_until: Deadline::NEVER,
        };
        if let Some(words) = words {
            self.say(words);
        }
        self.phase = Phase::TimeWait(time_wait);
        self.events |= Events::TIME_WAIT | Events::WRITABLE;
    }

    /// The connection ends with an error.
    pub(super) fn fail(&mut self, error: ConnError) {
        self.error = Some(error);
        self.events |= Events::ERROR | Events::READABLE | Events::WRITABLE;
        self.close_phase();
    }

    /// No protocol state is left. Unread data stay.
    pub(super) fn close_phase(&mut self) {
        self.phase = Phase::Closed;
        self.events |= Events::CLOSED | Events::READABLE | Events::WRITABLE;
    }

    /// The last segment of the phase.
    pub(super) fn say(&mut self, words: Transmit) {
        self.last_words = Some(Box::new(words));
    }

    /// The peer is told that the connection is over.
    pub(super) fn say_reset(&mut self, now: Instant) {
        let reset = match &mut self.phase {
            Phase::Synced(synced) => synced.reset(now, &self.inbox),
            Phase::SynReceived(open) => {
                let mut reset = open.offer.acknowledge(now, &open.peer);
                reset.header.flags = crate::TcpFlags::RST | crate::TcpFlags::ACK;
                reset
            }
            _ => return,
        };
        self.say(reset);
    }
}
