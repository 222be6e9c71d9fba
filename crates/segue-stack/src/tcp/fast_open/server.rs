//! Whether a SYN opens a connection at once, and how many such there may be (RFC 7413 section 4.2.2).
//!
//! Decides, in this order: is it switched on; is there anything to decide; is there room; is a cookie needed, asked for or
//! shown, and is it good. RFC 7413 section 5.1: a connection that was reset before it was acknowledged is counted for a
//! minute, so that forged SYNs whose resets come back switch Fast Open off, not the server.
use core::time::Duration;
use std::collections::VecDeque;

use segue_tcp::{FastOpenCookie, Instant, Outcome, PassiveOpen, Segment};

use super::bits;
use super::cookie::{FastOpenKeys, MadeWith};
use crate::socket::Socket;
use crate::stack::Stack;
use crate::tcp::auth::Agreed;
use crate::tcp::flows::FlowRef;
use crate::tcp::syn::{OfSyn, Syn};
use crate::tuple::FourTuple;
use crate::{Counter, SocketId};

/// How long a reset connection is counted.
const RESET_IS_COUNTED: Duration = Duration::from_secs(60);

/// Connections of a listener that a SYN opened and that are not acknowledged yet.
#[derive(Debug, Default)]
pub(crate) struct FastOpenQueue {
    /// With those that were reset.
    len: u32,
    /// When those that were reset are forgotten, in order.
    resets: VecDeque<Instant>,
}

impl FastOpenQueue {
    /// Whether one more may be opened. Makes room when the oldest reset is forgotten.
    fn has_room(&mut self, now: Instant, limit: u32) -> bool {
        if self.len < limit {
            return true;
        }
        if self.resets.front().is_none_or(|forgotten| *forgotten > now) {
            return false;
        }
        self.resets.pop_front();
        self.len = self.len.saturating_sub(1);
        true
    }

    fn leave(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    fn count_reset(&mut self, now: Instant) {
        self.len += 1;
        self.resets.push_back(now + RESET_IS_COUNTED);
    }
}

/// How a SYN is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FastAnswer {
    /// By a plain handshake.
    Plain,
    /// By a plain handshake that gives the client a cookie for the next time.
    WithCookie(FastOpenCookie),
    /// The connection exists at once; its SYN-ACK may replace the client's cookie.
    AtOnce(Option<FastOpenCookie>),
}

impl Stack {
    /// What Fast Open says to a SYN for a listener.
    pub(crate) fn fast_answer(&mut self, now: Instant, index: u32, tuple: &FourTuple, syn: &Segment) -> FastAnswer {
        let option = syn.options.fast_open;
        if option.is_some_and(|option| option.is_request()) {
            self.counters.inc(Counter::TcpExtTCPFastOpenCookieReqd);
        }
        let enabled = self.settings.ip.fast_open;
        if enabled & bits::SERVER == 0 || (option.is_none() && syn.payload.is_empty()) {
            return FastAnswer::Plain;
        }
        let Some(socket) = self.sockets.at(index) else { return FastAnswer::Plain };
        let options = socket.common().rare().fast_open;
        if !self.has_room_for_fast_open(now, index, options.queue) {
            return FastAnswer::Plain;
        }
        if enabled & bits::SERVER_WITHOUT_COOKIE != 0 || options.no_cookie {
            return FastAnswer::AtOnce(None);
        }
        let Some(option) = option else { return FastAnswer::Plain };
        let keys = options.keys.unwrap_or_else(|| self.fast_open_keys());
        let fresh = keys.make(tuple.peer, tuple.local, option.experimental);
        if option.is_request() {
            return fresh.map_or(FastAnswer::Plain, FastAnswer::WithCookie);
        }
        match keys.check(&option, tuple.peer, tuple.local) {
            Some(MadeWith::Primary) => FastAnswer::AtOnce(None),
            Some(MadeWith::Backup) => FastAnswer::AtOnce(fresh),
            None => {
                self.counters.inc(Counter::TcpExtTCPFastOpenPassiveFail);
                fresh.map_or(FastAnswer::Plain, FastAnswer::WithCookie)
            }
        }
    }

    fn has_room_for_fast_open(&mut self, now: Instant, index: u32, limit: u32) -> bool {
        // Not asked for: that is no overflow.
        if limit == 0 {
            return false;
        }
        let Some(listener) = self.listener_at_mut(index) else { return false };
        let has_room = listener.fast_open.has_room(now, limit);
        if !has_room {
            self.counters.inc(Counter::TcpExtTCPFastOpenListenOverflow);
        }
        has_room
    }

    /// listen(): whether the listener takes Fast Open without having asked for it.
    pub(crate) fn offer_fast_open(&mut self, id: SocketId, backlog: u32) {
        let all = bits::SERVER | bits::ALL_LISTENERS;
        if self.settings.ip.fast_open & all != all {
            return;
        }
        if let Ok(stream) = self.stream_mut(id)
            && stream.common.rare().fast_open.queue == 0
        {
            stream.common.rare_mut().fast_open.queue = backlog;
        }
    }

    /// The stack's own keys, drawn when they are first needed.
    pub(crate) fn fast_open_keys(&mut self) -> FastOpenKeys {
        let has_key = core::mem::replace(&mut self.tcp.fast_open.has_key, true);
        if !has_key && self.settings.ip.fast_open_key == FastOpenKeys::default() {
            let random = [self.secrets.random_u64(), self.secrets.random_u64()];
            self.settings.ip.fast_open_key = FastOpenKeys::from_random(random);
        }
        self.settings.ip.fast_open_key
    }

    /// A SYN opens a connection at once. It waits for accept() before it is acknowledged.
    pub(crate) fn open_at_once(
        &mut self,
        now: Instant,
        listener: SocketId,
        passive: PassiveOpen,
        tuple: FourTuple,
        syn: Syn<'_>,
        cookie: Option<FastOpenCookie>,
    ) -> bool {
        let Some((options, kept)) =
            self.listener_named(listener).map(|listener| (listener.options.clone(), listener.kept()))
        else {
            return false;
        };
        let save = self.sockets.at(listener.index).map_or(0, |socket| socket.common().rare().save_syn);
        let (pinned, of_syn) = (syn.pinned, OfSyn { tos: syn.tos(), saved: syn.saved(save) });
        let config = self.config_towards(now, tuple.peer, pinned, kept);
        // Where a key applies a SYN opens nothing at once.
        let (iss, irs) = passive.initial_numbers();
        let agreed = Agreed { ids: None, iss, irs };
        let mut connection = passive.into_fast_connection(now, config, options, syn.segment, cookie);
        let events = connection.take_events();
        let Some(index) = self.add_child(listener, tuple, pinned, connection, agreed, of_syn) else {
            self.counters.inc(Counter::TcpExtTCPFastOpenPassiveFail);
            return false;
        };
        self.tcp.flows.set(&tuple, FlowRef::Connection(index), &self.sockets, &self.tcp.entries);
        self.counters.inc(Counter::TcpExtTCPFastOpenPassive);
        if cookie.is_some() {
            self.counters.inc(Counter::TcpExtTCPFastOpenPassiveAltKey);
        }
        self.tcp.fast_open.opening.insert(index, listener);
        if let Some(listener) = self.listener_named(listener) {
            listener.fast_open.len += 1;
        }
        self.settle(now, index, Outcome { events, drop: None });
        true
    }

    /// A connection that a SYN opened has been acknowledged, or is over.
    pub(crate) fn leave_fast_open_queue(&mut self, now: Instant, index: u32, was_reset: bool) {
        let Some(listener) = self.tcp.fast_open.opening.remove(&index) else { return };
        let is_accepted = self.sockets.at(index).is_some_and(|socket| match socket {
            Socket::Stream(stream) => stream.flow().is_some_and(|flow| flow.listener.is_none()),
            Socket::Datagram(_) => false,
        });
        if let Some(listener) = self.listener_named(listener) {
            listener.fast_open.leave();
            // As Linux: while it stands in the accept queue, that is what counts it.
            if was_reset && is_accepted {
                listener.fast_open.count_reset(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_takes_its_place_for_a_minute() {
        let at = Instant::from_secs(100);
        let mut queue = FastOpenQueue::default();
        for _ in 0..2 {
            assert!(queue.has_room(at, 2));
            queue.len += 1;
        }
        assert!(!queue.has_room(at, 2));
        queue.leave();
        queue.count_reset(at);
        assert!(!queue.has_room(at + Duration::from_secs(59), 2));
        assert!(queue.has_room(at + Duration::from_secs(60), 2));
        assert_eq!(queue.len, 1);
    }
}
