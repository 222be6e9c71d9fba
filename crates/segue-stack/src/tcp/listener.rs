//! A listener's two queues: half-open connections and those that wait for accept().
//!
//! Decides how long the queues may get (`tcp_max_syn_backlog`, `listen(backlog)` capped by `somaxconn`) and what
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

    /// What poll(2) would say: something can be accepted or decided.
    pub(crate) fn readiness(&self) -> Ready {
        if self.accept_queue.is_empty() && self.undecided.is_empty() { Ready::empty() } else { Ready::IN }
    }
}
