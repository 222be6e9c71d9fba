//! The supervisor's shared state: the listener, the program's host, and every
//! socket the program holds, found by the identity of its open file.
//!
//! Two threads of control work on it: the notify thread answers calls, the
//! engine moves bytes and completes what had to wait. A socket's own lock is
//! taken before the host's, and no two sockets' locks are held at once.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Instant;

use segue::{Domain, Host, Socket};

use crate::config::ProcNet;
use crate::datagram::Datagram;
use crate::lock;
use crate::names::Names;
use crate::route::RouteSocket;
use crate::stream::Stream;
use crate::sys;
use crate::sys::epoll::Epoll;
use crate::sys::liveness::Liveness;
use crate::sys::seccomp::Listener;

/// Counters of the run; see [`crate::Summary`] for their meaning.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) connections: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) datagrams_out: AtomicU64,
    pub(crate) datagrams_in: AtomicU64,
    /// Datagrams that were no questions about names, so that somebody may want the last of them.
    pub(crate) messages_out: AtomicU64,
    pub(crate) calls: AtomicU64,
}

impl Stats {
    /// A datagram has gone to `to`.
    pub(crate) fn note_datagram(&self, to: Option<SocketAddr>) {
        const DOMAIN: u16 = 53;
        Stats::add(&self.datagrams_out, 1);
        Stats::add(&self.messages_out, usize::from(to.is_none_or(|to| to.port() != DOMAIN)));
    }

    pub(crate) fn add(counter: &AtomicU64, amount: usize) {
        counter.fetch_add(amount as u64, Ordering::Relaxed);
    }
}

/// Sockets that have something to do, for the engine.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueue {
    cookies: Mutex<Vec<u64>>,
    notify: tokio::sync::Notify,
}

impl ReadyQueue {
    fn push(&self, cookie: u64) {
        lock(&self.cookies).push(cookie);
        self.notify.notify_one();
    }

    pub(crate) fn take(&self, out: &mut Vec<u64>) {
        out.append(&mut lock(&self.cookies));
    }

    pub(crate) async fn wait(&self) {
        self.notify.notified().await;
    }

    /// Wakes the engine without a socket.
    pub(crate) fn nudge(&self) {
        self.notify.notify_one();
    }
}

#[derive(Debug)]
struct SockWaker {
    cookie: u64,
    queued: AtomicBool,
    queue: Arc<ReadyQueue>,
}

impl Wake for SockWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.queue.push(self.cookie);
        }
    }
}

/// What a socket is to the program.
pub(crate) enum State {
    Stream(Box<Stream>),
    Datagram(Box<Datagram>),
}

impl State {
    pub(crate) fn endpoint(&self) -> &Socket {
        match self {
            State::Stream(stream) => stream.endpoint(),
            State::Datagram(datagram) => datagram.endpoint(),
        }
    }
}

/// One socket of the program.
pub(crate) struct Sock {
    pub(crate) cookie: u64,
    pub(crate) domain: Domain,
    /// The number of the program's file, as /proc/PID/fd tells it.
    pub(crate) inode: u64,
    waker: Arc<SockWaker>,
    pub(crate) state: Mutex<State>,
}

impl Sock {
    /// Wakes the engine for this socket.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(self.waker.clone())
    }

    /// Puts the socket on the engine's list.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// From now on a wake-up queues it again.
    pub(crate) fn begin_turn(&self) {
        self.waker.queued.store(false, Ordering::Release);
    }
}

/// What becomes of a socket after the engine has worked on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Verdict {
    Keep,
    /// There is more to do; others first.
    Again,
    /// Nobody holds it and nothing is left to deliver.
    Remove,
}

/// A call that waits for its answer.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) id: u64,
    pub(crate) tid: u32,
    /// When the socket's own time-out ends the wait.
    pub(crate) deadline: Option<Instant>,
}

impl Parked {
    pub(crate) fn expired(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// Whether it goes on waiting: one whose time is over is answered `timed_out`, one that was interrupted is forgotten.
    pub(crate) fn waits_on(&self, listener: &Listener, now: Instant, timed_out: Result<i64, i32>) -> bool {
        if self.expired(now) {
            let _ = listener.answer(self.id, timed_out);
            return false;
        }
        listener.is_waiting(self.id)
    }
}

pub(crate) struct Supervisor {
    pub(crate) listener: Listener,
    pub(crate) host: Host,
    pub(crate) names: Names,
    pub(crate) epoll: Epoll,
    pub(crate) ready: Arc<ReadyQueue>,
    pub(crate) stats: Stats,
    /// Whose `/proc/net` the program reads.
    pub(crate) proc_net: ProcNet,
    liveness: Mutex<Liveness>,
    /// Held while closes are learned; taken before every other lock.
    learning: Mutex<()>,
    sockets: Mutex<HashMap<u64, Arc<Sock>>>,
    /// Its rtnetlink sockets.
    routes: Mutex<HashMap<u64, Arc<RouteSocket>>>,
    /// Sockets with parked calls.
    parked: Mutex<HashSet<u64>>,
    complained: AtomicBool,
    /// Some socket has been told to linger; before, no close is looked at.
    lingers: AtomicBool,
    /// Some stream has asked when its bytes arrived; before, nobody keeps account of it.
    tells_arrivals: AtomicBool,
    /// Some stream has been told to be readable late (SO_RCVLOWAT); before, nobody asks.
    has_low_marks: AtomicBool,
    /// Descriptors may be on their way between processes, where nobody can count them.
    passes_descriptors: AtomicBool,
}

/// The engine's token for the liveness descriptor; cookies never reach it.
pub(crate) const LIVENESS: u64 = u64::MAX;

impl Supervisor {
    pub(crate) fn new(listener: Listener, host: Host, proc_net: ProcNet, number: u64) -> io::Result<Supervisor> {
        let liveness = Liveness::new()?;
        let epoll = Epoll::new()?;
        if let Some(events) = liveness.events() {
            epoll.add(events, libc::EPOLLIN, LIVENESS)?;
        }
        Ok(Supervisor {
            listener,
            host,
            names: Names::new(number)?,
            epoll,
            ready: Arc::default(),
            stats: Stats::default(),
            proc_net,
            liveness: Mutex::new(liveness),
            learning: Mutex::default(),
            sockets: Mutex::default(),
            routes: Mutex::default(),
            parked: Mutex::default(),
            complained: AtomicBool::new(false),
            lingers: AtomicBool::new(false),
            tells_arrivals: AtomicBool::new(false),
            has_low_marks: AtomicBool::new(false),
            passes_descriptors: AtomicBool::new(false),
        })
    }

    /// Takes up a socket the supervisor has made; `theirs` is the program's end.
    pub(crate) fn adopt(
        &self,
        cookie: u64,
        theirs: BorrowedFd<'_>,
        domain: Domain,
        state: State,
    ) -> io::Result<Arc<Sock>> {
        lock(&self.liveness).watch(theirs, cookie)?;
        let sock = Arc::new(Sock {
            cookie,
            domain,
            inode: sys::inode(theirs)?,
            waker: Arc::new(SockWaker { cookie, queued: AtomicBool::new(false), queue: self.ready.clone() }),
            state: Mutex::new(state),
        });
        lock(&self.sockets).insert(cookie, sock.clone());
        Ok(sock)
    }

    pub(crate) fn find(&self, cookie: u64) -> Option<Arc<Sock>> {
        lock(&self.sockets).get(&cookie).cloned()
    }

    /// Takes up an rtnetlink socket.
    pub(crate) fn adopt_route(&self, cookie: u64, theirs: BorrowedFd<'_>, socket: Arc<RouteSocket>) -> io::Result<()> {
        lock(&self.liveness).watch(theirs, cookie)?;
        lock(&self.routes).insert(cookie, socket);
        Ok(())
    }

    pub(crate) fn find_route(&self, cookie: u64) -> Option<Arc<RouteSocket>> {
        lock(&self.routes).get(&cookie).cloned()
    }

    /// Whether the program has any rtnetlink socket; most have none, and pay nothing.
    pub(crate) fn has_routes(&self) -> bool {
        !lock(&self.routes).is_empty()
    }

    pub(crate) fn forget_route(&self, cookie: u64) {
        lock(&self.routes).remove(&cookie);
    }

    pub(crate) fn remove(&self, cookie: u64) {
        let removed = lock(&self.sockets).remove(&cookie);
        // Closing its descriptors and its stack's socket happens outside the lock.
        drop(removed);
        lock(&self.parked).remove(&cookie);
    }

    /// Every socket, for the end of the run.
    pub(crate) fn all(&self) -> Vec<Arc<Sock>> {
        lock(&self.sockets).values().cloned().collect()
    }

    /// The engine looks after the calls parked on this socket.
    pub(crate) fn note_parked(&self, cookie: u64) {
        if lock(&self.parked).insert(cookie) {
            self.ready.nudge();
        }
    }

    pub(crate) fn parked(&self) -> Vec<u64> {
        lock(&self.parked).iter().copied().collect()
    }

    pub(crate) fn forget_parked(&self, cookie: u64) {
        lock(&self.parked).remove(&cookie);
    }

    pub(crate) fn has_parked(&self) -> bool {
        !lock(&self.parked).is_empty()
    }

    pub(crate) fn needs_sweep(&self) -> bool {
        lock(&self.liveness).needs_sweep()
    }

    /// Learns which sockets the program has closed. Called by the engine, and
    /// before a call whose answer depends on it (bind to a port just closed).
    pub(crate) fn learn_closed(&self, sweep: bool) {
        // Whoever comes second must find the work of the first one done, not
        // only taken: the answer to a call depends on it.
        let _turn = lock(&self.learning);
        let mut closed = Vec::new();
        {
            let mut liveness = lock(&self.liveness);
            liveness.take_closed(&mut closed);
            if sweep {
                liveness.sweep(&mut closed);
            }
        }
        for cookie in closed {
            let Some(sock) = self.find(cookie) else {
                self.forget_route(cookie);
                continue;
            };
            let verdict = match &mut *lock(&sock.state) {
                State::Stream(stream) => stream.on_closed(self, &sock),
                State::Datagram(datagram) => datagram.on_closed(self, &sock),
            };
            match verdict {
                Verdict::Remove => self.remove(cookie),
                Verdict::Again => sock.wake(),
                Verdict::Keep => {}
            }
        }
    }

    pub(crate) fn note_lingering(&self) {
        self.lingers.store(true, Ordering::Relaxed);
    }

    pub(crate) fn note_telling(&self) {
        self.tells_arrivals.store(true, Ordering::Relaxed);
    }

    pub(crate) fn tells_arrivals(&self) -> bool {
        self.tells_arrivals.load(Ordering::Relaxed)
    }

    pub(crate) fn note_low_mark(&self) {
        self.has_low_marks.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_low_marks(&self) -> bool {
        self.has_low_marks.load(Ordering::Relaxed)
    }

    pub(crate) fn note_passing(&self) {
        self.passes_descriptors.store(true, Ordering::Relaxed);
    }

    /// Whether a close may have to wait: sockets linger, and their last descriptors can be told.
    pub(crate) fn closes_may_wait(&self) -> bool {
        self.lingers.load(Ordering::Relaxed) && !self.passes_descriptors.load(Ordering::Relaxed)
    }

    /// One line, once, about programs the kernel does not let us look into.
    pub(crate) fn complain_about_protection(&self, tid: u32) {
        if self.complained.swap(true, Ordering::Relaxed) {
            return;
        }
        let name = std::fs::read_to_string(format!("/proc/{tid}/comm")).unwrap_or_default();
        eprintln!(
            "segue: {} ({tid}) has protected itself from inspection (not dumpable, or not readable); \
             its network calls fail with EACCES. Run it as root, or make its file readable.",
            name.trim()
        );
    }

    /// The engine's watch over the supervisor's end of a socket.
    pub(crate) fn watch_end(&self, fd: BorrowedFd<'_>, cookie: u64) -> io::Result<()> {
        self.epoll.add(fd.as_fd(), libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP, cookie)
    }
}
