//! A bound on the memory of a whole stack: "live in 50 MB".
//!
//! Decides how a budget is divided and what may be added while it is nearly used up. TCP's queues are bounded by `tcp_mem`,
//! whose default follows from the budget; sockets, half-open connections, TIME-WAIT entries, held SYNs, fragments and
//! datagrams are counted at what they really cost and refused, each with a counter of its own. Who is connected goes on: what
//! is new is refused, and what stands for no application first, so that no crowd of such entries keeps a connection out.
//! An idle connection is charged what it takes; what those need that are at work is kept back for as many as can be at once.
//! A share is kept back for tables and for what is on its way. Without a budget nothing here refuses anything.
use segue_tcp::{Config, Memory, PAGE};

use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::stack::Stack;
use crate::{Counter, IpSettings};

/// What an entry costs, with its share of the tables that name it: measured, and rounded up (`tests/budget.rs` holds the
/// allocator against them).
const SOCKET: u64 = 896;
/// What a connection takes besides while it has something to do, and what one takes besides whose listener hands rarely set
/// options down.
const AT_WORK: u64 = 896;
const RARE: u64 = 384;
const OPENING: u64 = 640;
const TIME_WAIT: u64 = 256;
const HELD: u64 = 2560;
/// A fragment costs its packet and its place among others.
const FRAGMENTS: u64 = 2;
/// A packet that waits for the link, beside what its socket is charged.
const WAITING: u64 = 512;

/// Longer payload fills a good part of any chunk that it can lie in.
const LENT: usize = 32 * 1024;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    /// A socket, or a connection that nobody has accepted yet.
    Socket,
    HalfOpen,
    TimeWait,
    Held,
}

impl Entry {
    fn cost(self) -> u64 {
        match self {
            Entry::Socket => SOCKET,
            Entry::HalfOpen => OPENING,
            Entry::TimeWait => TIME_WAIT,
            Entry::Held => HELD,
        }
    }

    /// Whether an application has it, or may soon.
    fn is_used(self) -> bool {
        self == Entry::Socket
    }

    /// What counts that it was refused.
    fn counter(self) -> Counter {
        match self {
            Entry::Socket => Counter::SegueMemorySockets,
            Entry::HalfOpen => Counter::SegueMemorySyns,
            Entry::TimeWait => Counter::SegueMemoryTimeWait,
            Entry::Held => Counter::SegueMemoryHeldSyns,
        }
    }
}

/// The budget of a stack, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Budget {
    /// What may be counted: an eighth of the whole is kept back.
    ceiling: u64,
    /// What entries, fragments and datagrams may take of it.
    entries: u64,
    /// What half-open connections, TIME-WAIT entries, held SYNs and fragments may take of that.
    unused: u64,
    /// What sockets leave for queues, beside the pages that are kept back.
    queues: u64,
    /// Connections whose first page is kept back, and all that they take at work.
    reserve: u64,
}

impl Budget {
    /// Of so many bytes; parameters that were left as they are by default follow from it.
    pub(crate) fn new(bytes: u64, tcp: &mut Config, ip: &mut IpSettings) -> Budget {
        let pages = bytes / u64::from(PAGE);
        if tcp.mem == Config::default().mem {
            tcp.mem = [pages * 3 / 8, pages / 2, pages * 5 / 8].map(|pages| u32::try_from(pages).unwrap_or(u32::MAX));
        }
        let fragments = u32::try_from(bytes / 64).unwrap_or(u32::MAX);
        ip.ipfrag_high_thresh = ip.ipfrag_high_thresh.min(fragments);
        ip.ip6frag_high_thresh = ip.ip6frag_high_thresh.min(fragments);
        // Orphans are at work, and must not take the pages that are kept back for others.
        let orphans = bytes / 8 / (SOCKET + AT_WORK + u64::from(PAGE));
        ip.max_orphans = ip.max_orphans.min(u32::try_from(orphans).unwrap_or(u32::MAX));
        let eighth = pages / 8;
        Budget { ceiling: pages - eighth, entries: 4 * eighth, unused: eighth, queues: eighth, reserve: 2 * eighth }
    }

    /// Whether so much payload, which lies in memory of the stack that sent it, is copied: it may be the last that keeps a
    /// chunk, and is charged for itself alone.
    pub(crate) fn copies(self, len: usize) -> bool {
        len > 0 && len < LENT
    }

    pub(crate) fn bound(self, memory: &Memory) {
        memory.set_ceiling(self.ceiling);
        memory.set_reserve(self.reserve);
    }
}

fn pages(bytes: u64) -> u64 {
    bytes.div_ceil(u64::from(PAGE))
}

impl Stack {
    /// What stands for no socket, in bytes.
    fn unused_bytes(&self) -> u64 {
        let entries = &self.tcp.entries;
        let counted = [
            (entries.opening.len(), OPENING),
            (entries.time_wait.len(), TIME_WAIT),
            (entries.held.len(), HELD),
            (self.reassembler.memory(), FRAGMENTS),
        ];
        counted.iter().map(|(n, cost)| *n as u64 * cost).sum()
    }

    /// What everything but TCP's queues takes, in bytes.
    fn entry_bytes(&self) -> u64 {
        let sockets = self.sockets.len() as u64;
        let at_work = sockets.min(self.budget.map_or(u64::MAX, |budget| budget.reserve));
        let used = sockets * SOCKET + at_work * AT_WORK + self.tcp.rare_children * RARE;
        self.unused_bytes() + used + self.outbox.len() as u64 * WAITING + self.tcp.config.memory.datagram_bytes()
    }

    /// Tells TCP what is left of the budget for its queues.
    pub(crate) fn note_entries(&mut self) {
        if self.budget.is_some() {
            self.tcp.config.memory.set_others(pages(self.entry_bytes()));
        }
    }

    /// Bytes counted against the memory budget ([`StackConfig::memory`](crate::StackConfig::memory)), whether there is one
    /// or not.
    pub fn counted_bytes(&self) -> u64 {
        self.entry_bytes() + self.tcp.config.memory.allocated() * u64::from(PAGE)
    }

    /// A connection that nobody has accepted yet has rarely set options: that is counted once.
    pub(crate) fn count_rare_child(&mut self, index: u32) {
        let Some(common) = self.sockets.at_mut(index).map(Socket::common_mut) else { return };
        if common.rare.is_some() && !common.has(Flags::RARE_CHILD) {
            common.flags.insert(Flags::RARE_CHILD);
            self.tcp.rare_children += 1;
        }
    }

    /// Whether there is memory for another entry; counted when there is not.
    #[must_use]
    pub(crate) fn has_room_for(&mut self, entry: Entry) -> bool {
        let fits = self.fits(entry);
        if !fits {
            self.counters.inc(entry.counter());
        }
        fits
    }

    /// Whether there is memory for another entry.
    #[must_use]
    pub(crate) fn fits(&self, entry: Entry) -> bool {
        let Some(budget) = self.budget else { return true };
        let others = pages(self.entry_bytes() + entry.cost());
        let is_share = entry.is_used() || pages(self.unused_bytes() + entry.cost()) <= budget.unused;
        let memory = &self.tcp.config.memory;
        let queues = match entry {
            // A connection comes with a page that is kept back for it, as long as there are such.
            Entry::Socket => memory.allocated().max(budget.queues) + memory.kept_with_another(),
            _ => memory.allocated() + memory.kept(),
        };
        is_share && others <= budget.entries && others + queues <= budget.ceiling
    }
}
