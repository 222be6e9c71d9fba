//! The application's calls: write, read, shut down, close, options.
//!
//! Owns RFC 9293 section 3.9.1 with Linux's semantics for errors, half-close, linger and
//! unread data.

use core::time::Duration;

use alloc::sync::Arc;

use bytes::Bytes;
use segue_wire::{Chunks, Instant};

use super::fast_open::fast_of_mut;
use super::{Connection, DEFAULT_OPTIONS, Phase, SendFlags, boxed};
use crate::config::Config;
use crate::error::{ConnError, RecvError, SendError};
use crate::event::{Events, Outcome};
use crate::fastopen::FastOpen;
use crate::options::{Linger, SocketOptions};
use crate::recv::inbox::UrgentRead;
use crate::send::buffer::Kind;
use crate::state::halves::{LocalHalf, PeerHalf};
use crate::state::syn_received::Ending;
use crate::state::synced::{Rules, Synced};

impl Connection {
    /// Copies data into the send queue; 0 < n ≤ len, or 0 for empty data.
    ///
    /// # Errors
    /// [`SendError::WouldBlock`] when the buffer is full or the handshake is not over,
    /// [`SendError::BrokenPipe`] after this side or the connection has finished,
    /// [`SendError::Failed`] with a pending error, once.
    pub fn send(&mut self, now: Instant, data: &[u8], flags: SendFlags) -> Result<usize, SendError> {
        if let Some(taken) = self.write_into_syn(now, data) {
            return taken;
        }
        let n = self.room_for(now, data.len(), flags)?;
        if let Phase::Synced(synced) = &mut self.phase {
            synced.send.write(now, &data[..n], &self.config);
        }
        self.after_write(now, n, data.len(), flags);
        Ok(n)
    }

    /// Moves data into the send queue; takes as much as there is room for.
    ///
    /// # Errors
    /// As [`send`](Connection::send).
    pub fn send_bytes(&mut self, now: Instant, mut data: Bytes, flags: SendFlags) -> Result<usize, SendError> {
        if let Some(taken) = self.write_into_syn(now, &data) {
            return taken;
        }
        let len = data.len();
        let n = self.room_for(now, len, flags)?;
        data.truncate(n);
        if let Phase::Synced(synced) = &mut self.phase {
            synced.send.write_bytes(now, data, &self.config);
        }
        self.after_write(now, n, len, flags);
        Ok(n)
    }

    /// Linux's order: a handshake under way blocks, then the pending error, then a closed direction.
    fn writer(&mut self) -> Result<&mut Synced, SendError> {
        if let Phase::SynSent(_) | Phase::SynReceived(_) = &self.phase {
            return Err(SendError::WouldBlock);
        }
        if let Some(error) = self.error.take() {
            return Err(SendError::Failed(error));
        }
        match &mut self.phase {
            Phase::Synced(synced) if synced.send.half.is_open() => Ok(synced),
            _ => Err(SendError::BrokenPipe),
        }
    }

    /// How much of `len` bytes can be taken; buffers are ready for them.
    fn room_for(&mut self, now: Instant, len: usize, flags: SendFlags) -> Result<usize, SendError> {
        self.writer()?;
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let rules = Rules { config: &self.config, options, held: self.inbox.held };
        let Phase::Synced(synced) = &mut self.phase else { return Err(SendError::BrokenPipe) };
        let kind = Kind { urgent: flags.contains(SendFlags::OOB), overhead: synced.overhead(now, rules) };
        let received = synced.recv.charge(&self.inbox);
        let taken = synced.send.admit(now, len, kind, received, rules);
        if taken == 0 && len > 0 {
            synced.send.writer_waits = true;
            return Err(SendError::WouldBlock);
        }
        Ok(taken as usize)
    }

    fn after_write(&mut self, now: Instant, taken: usize, len: usize, flags: SendFlags) {
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        let rules = Rules { config: &self.config, options, held: self.inbox.held };
        if let Phase::Synced(synced) = &mut self.phase {
            let send = &mut synced.send;
            // As Linux: of a write that was taken in part, the last byte taken is urgent for now, and no record ends.
            let untrue = match taken {
                0 => SendFlags::OOB | SendFlags::EOR,
                _ if taken < len => SendFlags::EOR,
                _ => SendFlags::empty(),
            };
            send.after_write(flags - untrue);
            send.writer_waits = taken < len || !send.is_writable(rules);
            send.note_full_window(now, rules.config);
        }
        self.settle(now);
    }

    /// Reads; 0 is end of file (or an empty buffer).
    ///
    /// # Errors
    /// [`RecvError::WouldBlock`] when nothing is there yet, [`RecvError::Failed`] with a pending
    /// error, once, [`RecvError::NotConnected`] when there never was a connection.
    pub fn recv(&mut self, now: Instant, buffer: &mut [u8]) -> Result<usize, RecvError> {
        let inline = self.options().oob_inline;
        let n = self.inbox.read(buffer, inline);
        self.after_read(now, n, buffer.is_empty()).map(|()| n)
    }

    /// Reads without copying; empty is end of file.
    ///
    /// # Errors
    /// As [`recv`](Connection::recv).
    pub fn recv_chunks(&mut self, now: Instant, max: usize) -> Result<Chunks, RecvError> {
        let inline = self.options().oob_inline;
        let chunks = self.inbox.take(max, inline);
        self.after_read(now, chunks.len(), max == 0).map(|()| chunks)
    }

    fn after_read(&mut self, now: Instant, n: usize, nothing_asked: bool) -> Result<(), RecvError> {
        if n == 0 {
            if nothing_asked {
                return Ok(());
            }
            self.check_readable()?;
            return Ok(());
        }
        let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
        if let Phase::Synced(synced) = &mut self.phase {
            let rules = Rules { config: &self.config, options, held: self.inbox.held };
            synced.recv.on_read(now, &self.inbox, rules);
        }
        self.settle(now);
        Ok(())
    }

    /// Whether an empty inbox means end of file (`Ok`), wait, or an error.
    fn check_readable(&mut self) -> Result<(), RecvError> {
        if self.inbox.finished {
            return Ok(());
        }
        if let Some(error) = self.error.take() {
            return Err(RecvError::Failed(error));
        }
        self.check_finished()
    }

    fn check_finished(&self) -> Result<(), RecvError> {
        let closed = matches!(self.phase, Phase::Closed | Phase::TimeWait(_));
        match closed {
            _ if self.inbox.finished || self.inbox.shut => Ok(()),
            true if self.was_connected => Ok(()),
            true => Err(RecvError::NotConnected),
            false => Err(RecvError::WouldBlock),
        }
    }

    /// Reads without consuming, from `offset` unread bytes on; 0 is end of file.
    ///
    /// # Errors
    /// As [`recv`](Connection::recv); a pending error is told and stays.
    pub fn peek(&mut self, now: Instant, offset: usize, buffer: &mut [u8]) -> Result<usize, RecvError> {
        let n = self.inbox.peek(offset, buffer, self.options().oob_inline);
        if n > 0 {
            // As on Linux the peer hears what a reader would have had it hear.
            let options = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
            let rules = Rules { config: &self.config, options, held: self.inbox.held };
            if let Phase::Synced(synced) = &mut self.phase {
                synced.recv.on_look(&self.inbox, rules);
            }
            self.settle(now);
        }
        if n > 0 || buffer.is_empty() {
            return Ok(n);
        }
        match self.error {
            Some(error) if !self.inbox.finished => Err(RecvError::Failed(error)),
            _ => self.check_finished().map(|()| 0),
        }
    }

    /// The out-of-band byte (`MSG_OOB`); `consume` is false for `MSG_PEEK`. `None`: it was announced and will not come.
    ///
    /// # Errors
    /// [`RecvError::NoUrgentData`] when there is none, it was read, or urgent data stay in line;
    /// [`RecvError::WouldBlock`] when it is announced and has not come;
    /// [`RecvError::NotConnected`] when the connection ended without the peer's FIN.
    pub fn recv_urgent(&mut self, now: Instant, consume: bool) -> Result<Option<u8>, RecvError> {
        if self.options().oob_inline {
            return Err(RecvError::NoUrgentData);
        }
        let read = self.inbox.take_urgent(consume);
        self.settle(now);
        let gone = matches!(self.phase, Phase::Closed | Phase::TimeWait(_));
        match read {
            UrgentRead::None => Err(RecvError::NoUrgentData),
            _ if gone && !self.inbox.finished => Err(RecvError::NotConnected),
            UrgentRead::Byte(byte) => Ok(Some(byte)),
            UrgentRead::NotYet if gone || self.inbox.finished || self.inbox.shut => Ok(None),
            UrgentRead::NotYet => Err(RecvError::WouldBlock),
        }
    }

    /// `SIOCATMARK`: the next byte to read is at the urgent mark.
    pub fn at_mark(&self) -> bool {
        self.inbox.at_mark()
    }

    /// shutdown(SHUT_WR): queues a FIN behind what was written (RFC 9293 section 3.6).
    pub fn shutdown_write(&mut self, now: Instant) -> Outcome {
        match &mut self.phase {
            // Nothing was agreed yet; as on Linux the attempt is over.
            Phase::SynSent(_) => self.close_phase(now),
            Phase::SynReceived(open) if open.ending == Ending::Open => open.ending = Ending::FinQueued,
            Phase::SynReceived(_) => {}
            Phase::Synced(synced) => match fast_of_mut(&mut self.aside).and_then(FastOpen::opening_mut) {
                Some(pending) => pending.fin_queued = true,
                None => synced.send.finish(),
            },
            Phase::TimeWait(_) | Phase::Closed => {}
        }
        self.events |= Events::WRITABLE;
        self.finish(now, None)
    }

    /// shutdown(SHUT_RD): readers meet end of file once the queue is empty. Nothing is sent.
    pub fn shutdown_read(&mut self, now: Instant) -> Outcome {
        self.inbox.shut = true;
        self.events |= Events::READABLE;
        self.finish(now, None)
    }

    /// The application has gone: the connection ends by itself.
    ///
    /// In order, with a FIN; with a reset when data were not read (RFC 9293 section 3.6.1, SHLD-3) or
    /// linger is on with zero.
    pub fn close(&mut self, now: Instant) -> Outcome {
        if self.orphan {
            return self.finish(now, None);
        }
        self.orphan = true;
        let unread = self.inbox.len() > 0;
        self.inbox.clear();
        self.inbox.shut = true;
        if unread && matches!(self.phase, Phase::Synced(_)) {
            // Whatever the state: the peer must not think that its data were read.
            self.say_reset(now);
            self.close_phase(now);
        } else if self.options().linger == Linger::On(Duration::ZERO) {
            self.reset_locally(now);
        } else {
            self.close_in_order(now);
        }
        self.finish(now, None)
    }

    fn close_in_order(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::SynSent(_) => self.close_phase(now),
            Phase::SynReceived(open) => {
                let fin = open.finish(now);
                self.say(fin);
            }
            Phase::Synced(synced) => {
                let waits = matches!(synced.send.half, LocalHalf::FinAcked { .. });
                synced.send.finish();
                if waits && self.options().fin_timeout.is_some_and(|seconds| seconds < 0) {
                    self.say_reset(now);
                    self.close_phase(now);
                } else {
                    self.let_orphan_go(now);
                }
            }
            Phase::TimeWait(_) | Phase::Closed => {}
        }
    }

    /// Resets at once (RFC 9293 section 3.10.5). The application knows; no error is set.
    pub fn abort(&mut self, now: Instant) -> Outcome {
        self.reset_locally(now);
        self.finish(now, None)
    }

    /// RFC 9293 section 3.10.5: a reset where the peer may still hold the connection.
    fn reset_locally(&mut self, now: Instant) {
        let tell = match &self.phase {
            Phase::SynReceived(_) => true,
            Phase::Synced(synced) => {
                let (local, peer) = (synced.send.half, synced.recv.half);
                // CLOSING and LAST-ACK: only while our data are not all sent.
                peer == PeerHalf::Open || local.is_open() || local == LocalHalf::FinQueued
            }
            Phase::SynSent(_) | Phase::TimeWait(_) | Phase::Closed => false,
        };
        if tell {
            self.say_reset(now);
        }
        if !matches!(self.phase, Phase::Closed | Phase::TimeWait(_)) {
            self.close_phase(now);
        }
    }

    /// Changes options; what they hold back or time is looked at anew.
    pub fn set_options(&mut self, now: Instant, options: SocketOptions) -> Outcome {
        let keep_alive_changed = {
            let old = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
            (old.keepalive, old.keep_idle, old.keep_intvl) != (options.keepalive, options.keep_idle, options.keep_intvl)
        };
        let signature = self.options().signature;
        if let Phase::Synced(synced) = &mut self.phase {
            synced.recv.on_options(&options);
            synced.change_signature(signature, options.signature, &self.config);
            synced.send.on_options(&options);
            let old = self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS);
            let (uncorked, is_quick) = (old.cork && !options.cork, options.nodelay && !old.nodelay);
            if is_quick || (options.push && options.nodelay) {
                // As Linux: what MSG_MORE holds back, and TCP_CORK, leaves when Nagle is switched off.
                synced.send.push_held(&options);
            } else if uncorked || options.push {
                // What MSG_MORE holds back, too, but not what Nagle does.
                synced.send.more = false;
                synced.send.reconsider();
            }
            synced.send.choose_congestion(now, &self.config, &options);
            if keep_alive_changed {
                synced.send.restart_keep_alive();
            }
            if let Some(quick) = options.quickack {
                synced.recv.set_quick(quick, &self.inbox);
            }
            let rules = Rules { config: &self.config, options: &options, held: self.inbox.held };
            if synced.send.wake_writer(rules) {
                self.events |= Events::WRITABLE;
            }
        }
        self.options = boxed(SocketOptions { quickack: None, push: false, ..options });
        self.finish(now, None)
    }

    /// The parameters in force.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Other parameters are in force from the next call on; what was set going by the old ones (a timer) runs out by them.
    pub fn set_config(&mut self, config: Arc<Config>) {
        if let Phase::Synced(synced) = &mut self.phase {
            synced.recv.ack.on_config(&config);
        }
        if self.config.memory != config.memory {
            self.config.memory.leave(self.inbox.held);
            config.memory.join();
            self.inbox.held = config.memory.charge(0, self.charged());
        }
        self.config = config;
    }

    /// Options in force.
    pub fn options(&self) -> &SocketOptions {
        self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS)
    }

    /// The pending error, once (`SO_ERROR`).
    pub fn take_error(&mut self) -> Option<ConnError> {
        self.error.take()
    }

    /// The pending error, left where it is.
    pub fn error(&self) -> Option<ConnError> {
        self.error
    }
}
