//! The engine: one task that gives every socket its turn when something has
//! happened to it, on the unix side (its own epoll set, edge-triggered, nested
//! in the runtime's) or on the stack's side (wakers).

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::unix::AsyncFd;

use crate::lock;
use crate::supervisor::{LIVENESS, State, Supervisor, Verdict};

/// How often parked calls are asked whether somebody still waits, and closed
/// sockets are looked for where the kernel does not tell.
const TICK: Duration = Duration::from_millis(50);
/// Rounds of turns before the rest of the runtime gets its own.
const ROUNDS: usize = 8;

/// Runs until it is dropped.
pub(crate) async fn run(sup: Arc<Supervisor>) -> io::Result<()> {
    let set = sup.epoll.as_fd().try_clone_to_owned()?;
    // SAFETY: an OwnedFd keeps its descriptor open, and the same, for as long
    // as the registration lives in the AsyncFd that owns it.
    let epoll = unsafe { AsyncFd::register(set)? };
    let mut engine = Engine {
        sup,
        events: HashMap::new(),
        edges: Vec::new(),
        woken: Vec::new(),
        scratch: BytesMut::new(),
        datagram: vec![0; crate::datagram::LARGEST],
    };
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let ticking = engine.sup.has_parked() || engine.sup.needs_sweep();
        tokio::select! {
            ready = epoll.readable() => {
                // Cleared before it is emptied: an edge in between counts again.
                ready?.clear_ready();
                engine.take_edges()?;
            }
            () = engine.sup.ready.wait() => {}
            _ = tick.tick(), if ticking => engine.tick(),
        }
        // What one socket's turn gives another one (a connection over the
        // loopback) is passed on at once.
        for _ in 0..ROUNDS {
            if !engine.turn() {
                break;
            }
        }
        // Others on this runtime: the drivers, whose packets these turns made.
        tokio::task::yield_now().await;
    }
}

struct Engine {
    sup: Arc<Supervisor>,
    /// What has happened on the unix side since a socket's last turn.
    events: HashMap<u64, u32>,
    edges: Vec<(u64, u32)>,
    woken: Vec<u64>,
    scratch: BytesMut,
    datagram: Vec<u8>,
}

impl Engine {
    fn take_edges(&mut self) -> io::Result<()> {
        loop {
            self.sup.epoll.take(&mut self.edges)?;
            if self.edges.is_empty() {
                return Ok(());
            }
            for (token, events) in self.edges.drain(..) {
                if token == LIVENESS {
                    self.sup.learn_closed(false);
                } else {
                    *self.events.entry(token).or_default() |= events;
                }
            }
        }
    }

    /// One turn for everyone who has something to do; whether anyone had.
    fn turn(&mut self) -> bool {
        self.sup.ready.take(&mut self.woken);
        if self.woken.is_empty() && self.events.is_empty() {
            return false;
        }
        let mut events = std::mem::take(&mut self.events);
        for cookie in std::mem::take(&mut self.woken) {
            let edges = events.remove(&cookie).unwrap_or(0);
            self.pump(cookie, edges);
        }
        for (cookie, edges) in events.drain() {
            self.pump(cookie, edges);
        }
        // Keeps the table's memory.
        self.events = events;
        true
    }

    fn pump(&mut self, cookie: u64, edges: u32) {
        let Some(sock) = self.sup.find(cookie) else {
            if let Some(route) = self.sup.find_route(cookie) {
                route.serve(&self.sup);
            }
            return;
        };
        sock.begin_turn();
        let verdict = match &mut *lock(&sock.state) {
            State::Stream(stream) => stream.pump(&self.sup, &sock, edges, &mut self.scratch),
            State::Datagram(datagram) => datagram.pump(&self.sup, &sock, &mut self.datagram),
        };
        match verdict {
            Verdict::Keep => {}
            Verdict::Again => sock.wake(),
            Verdict::Remove => self.sup.remove(cookie),
        }
    }

    fn tick(&mut self) {
        if self.sup.needs_sweep() {
            self.sup.learn_closed(true);
        }
        let now = Instant::now();
        for cookie in self.sup.parked() {
            let Some(sock) = self.sup.find(cookie) else {
                self.sup.forget_parked(cookie);
                continue;
            };
            let mut state = lock(&sock.state);
            let left = match &mut *state {
                State::Stream(stream) => stream.check_parked(&self.sup, &sock, now),
                State::Datagram(datagram) => datagram.check_parked(&self.sup, now),
            };
            if !left {
                self.sup.forget_parked(cookie);
            }
        }
    }
}
