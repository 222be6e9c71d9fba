//! A listener's two queues: half-open connections and those that wait for accept().
//!
//! Decides how long the queues may get (`listen(backlog)` capped by `somaxconn`), how patient a full one is, and what
//! readiness they make. The half-open entries themselves lie in the stack's table of flows; the listener counts them.
use core::net::SocketAddr;
use std::collections::VecDeque;
use std::sync::Arc;

use segue_tcp::{Config, Kept, Ready, SocketOptions};

use super::fast_open::FastOpenQueue;
use crate::{HeldId, IfaceId};

#[derive(Debug)]
pub(crate) struct Listener {
    /// What accepted connections start with.
    pub(crate) options: SocketOptions,
    /// What was in force when the socket was made; accepted connections keep some of it.
    pub(crate) config: Arc<Config>,
    /// How many connections may wait for accept(), less one, as Linux counts.
    pub(crate) backlog: u32,
    /// Sockets that wait for accept().
    pub(crate) accept_queue: VecDeque<u32>,
    /// Half-open connections.
    pub(crate) opening: u32,
    /// Of these, those whose SYN-ACK has not timed out yet.
    pub(crate) young: u32,
    /// Connections opened by a SYN with a cookie.
    pub(crate) fast_open: FastOpenQueue,
    /// A gateway's listener: every SYN on this interface that nobody else takes.
    pub(crate) any: Option<IfaceId>,
    /// Held SYNs that nobody has looked at yet.
    pub(crate) undecided: VecDeque<HeldId>,
    /// All held SYNs.
    pub(crate) held: u32,
    /// Local and peer's address of handshakes that the gateway began and that came to nothing; nobody has asked yet.
    pub(crate) failed: VecDeque<(SocketAddr, SocketAddr)>,
}

impl Listener {
    pub(crate) fn new(options: SocketOptions, config: Arc<Config>, backlog: u32) -> Listener {
        Listener {
            options,
            config,
            backlog,
            accept_queue: VecDeque::new(),
            opening: 0,
            young: 0,
            fast_open: FastOpenQueue::default(),
            any: None,
            undecided: VecDeque::new(),
            held: 0,
            failed: VecDeque::new(),
        }
    }

    /// What accepted connections keep.
    pub(crate) fn kept(&self) -> Kept {
        self.config.kept().with(&self.options)
    }

    /// Whether one more connection cannot wait for accept(). Linux lets one more wait than the backlog says.
    pub(crate) fn is_full(&self) -> bool {
        self.accept_queue.len() > self.backlog as usize
    }

    /// Whether so many handshakes are under way that no more should be remembered. Linux lets one more be than the backlog
    /// says, here, too.
    pub(crate) fn is_syn_queue_full(&self) -> bool {
        self.opening > self.backlog
    }

    /// How many timeouts a SYN-ACK is given, of `retries` at most. Linux reserves half of the queue for young handshakes: when
    /// more than half is taken, the old ones are given up the sooner the fewer young ones there are.
    pub(crate) fn patience(&self, mut retries: u8) -> u8 {
        const LEAST: u8 = 2;
        if u64::from(self.opening) * 2 <= u64::from(self.backlog.max(8)) {
            return retries;
        }
        let mut young = u64::from(self.young) * 2;
        while retries > LEAST && u64::from(self.opening) >= young {
            retries -= 1;
            young *= 2;
        }
        retries
    }

    /// What poll(2) would say: something can be accepted or decided.
    pub(crate) fn readiness(&self) -> Ready {
        if self.accept_queue.is_empty() && self.undecided.is_empty() { Ready::empty() } else { Ready::IN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_more_than_half_full_of_old_handshakes_gives_them_less_time() {
        let mut listener = Listener::new(SocketOptions::default(), Arc::default(), 100);
        for (opening, young, retries) in [
            (50, 0, 5),   // half full
            (51, 51, 5),  // all of them young
            (51, 26, 5),  // 51 < 52
            (51, 25, 4),  // 51 >= 50, 51 < 100
            (100, 13, 3), // 100 >= 26, 52, 104
            (100, 0, 2),
        ] {
            (listener.opening, listener.young) = (opening, young);
            assert_eq!(listener.patience(5), retries, "{young} of {opening}");
        }
        assert_eq!(listener.patience(1), 1, "what was asked for is not raised");
    }
}
