//! Memory of all connections of a stack together: `tcp_mem`.
//!
//! Decides what may be charged while it is short, as Linux does: freely below the first limit; from the second on, until
//! it is below the first again, only to who has less than his share; beyond the third to nobody. Charged is in pages, for
//! each connection as many as hold what waits in its queues. Below a ceiling (a budget) a page is kept back for each
//! connection that holds none, up to a number of them, so that nobody stands still because of others. What follows for a connection is decided where
//! it happens: windows in `recv`, the send buffer in `send`, orphans in `conn`.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Bytes of a page, the unit of `tcp_mem`.
pub const PAGE: u32 = 4096;

/// `tcp_mem` of a Linux host with 16 GiB of memory.
pub(crate) const DEFAULT_LIMITS: [u32; 3] = [196_608, 262_144, 393_216];
/// `tcp_max_orphans`.
const DEFAULT_ORPHANS: u32 = 131_072;

#[derive(Debug)]
struct Shared {
    /// `tcp_mem`, in pages.
    limits: [AtomicU64; 3],
    /// Pages that everything may take together, and what others than connections take of them.
    ceiling: AtomicU64,
    others: AtomicU64,
    /// Connections whose first page is kept back, those that hold it included.
    reserve: AtomicU64,
    /// Bytes of datagrams that wait.
    datagrams: AtomicU64,
    /// Pages charged.
    allocated: AtomicU64,
    connections: AtomicU64,
    /// Connections that hold pages.
    holders: AtomicU64,
    /// Memory is short.
    pressed: AtomicBool,
    /// Times that it became so.
    pressures: AtomicU64,
    orphans: AtomicU32,
    max_orphans: AtomicU32,
}

/// The memory that the connections of one stack (or of several) share. Clones are the same memory.
#[derive(Clone)]
pub struct Memory(Arc<Shared>);

/// What a connection wants memory for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wish {
    /// Pages it holds.
    pub(crate) held: u32,
    /// Bytes that it would have in its queues.
    pub(crate) total: usize,
    /// Bytes that it has in the queue that is to grow, and what is granted unless there is nothing left at all
    /// (the first of `tcp_rmem` or `tcp_wmem`).
    pub(crate) own: usize,
    pub(crate) least: u32,
}

/// Pages that hold so many bytes.
pub(crate) fn pages(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PAGE as usize)).unwrap_or(u32::MAX)
}

fn get(value: &AtomicU64) -> u64 {
    value.load(Ordering::Relaxed)
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new(DEFAULT_LIMITS)
    }
}

impl PartialEq for Memory {
    fn eq(&self, other: &Memory) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Memory {}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("allocated", &self.allocated()).field("limits", &self.limits()).finish()
    }
}

impl Memory {
    /// With the limits of `tcp_mem`, in pages of 4096 bytes: below the first all is well; above the second memory is
    /// short; the third is not exceeded but for the least that keeps a connection going.
    pub fn new(limits: [u32; 3]) -> Memory {
        Memory(Arc::new(Shared {
            limits: limits.map(|limit| AtomicU64::new(limit.into())),
            ceiling: AtomicU64::new(u64::MAX),
            others: AtomicU64::new(0),
            reserve: AtomicU64::new(u64::MAX),
            datagrams: AtomicU64::new(0),
            allocated: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            holders: AtomicU64::new(0),
            pressed: AtomicBool::new(false),
            pressures: AtomicU64::new(0),
            orphans: AtomicU32::new(0),
            max_orphans: AtomicU32::new(DEFAULT_ORPHANS),
        }))
    }

    /// `tcp_mem`.
    pub fn limits(&self) -> [u64; 3] {
        [0, 1, 2].map(|at| get(&self.0.limits[at]))
    }

    /// Other limits are in force, also for what is charged already.
    pub fn set_limits(&self, limits: [u32; 3]) {
        self.0.limits.iter().zip(limits).for_each(|(old, new)| old.store(new.into(), Ordering::Relaxed));
        self.look();
    }

    /// Bounds, in pages, what connections and `others` take together: a budget. Beyond it nothing is charged at all.
    /// `u64::MAX`: no bound.
    pub fn set_ceiling(&self, pages: u64) {
        self.0.ceiling.store(pages, Ordering::Relaxed);
    }

    /// For so many connections a first page is kept back while there is a ceiling: those that hold pages count among them.
    /// `u64::MAX`: for all.
    pub fn set_reserve(&self, connections: u64) {
        self.0.reserve.store(connections, Ordering::Relaxed);
    }

    /// Pages that others than connections' queues take of the budget.
    pub fn set_others(&self, pages: u64) {
        self.0.others.store(pages, Ordering::Relaxed);
    }

    /// Datagrams that wait to be read or sent take so many bytes more.
    pub fn add_datagram(&self, bytes: usize) {
        self.0.datagrams.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Datagrams take so many bytes less.
    pub fn remove_datagram(&self, bytes: usize) {
        self.0.datagrams.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes of datagrams that wait.
    pub fn datagram_bytes(&self) -> u64 {
        get(&self.0.datagrams)
    }

    /// Pages charged to connections.
    pub fn allocated(&self) -> u64 {
        get(&self.0.allocated)
    }

    /// Pages that are left below the ceiling.
    pub fn left(&self) -> u64 {
        get(&self.0.ceiling).saturating_sub(self.allocated()).saturating_sub(get(&self.0.others))
    }

    /// Pages kept back: one for each connection that holds none, as far as the reserve goes.
    pub fn kept(&self) -> u64 {
        self.kept_for(get(&self.0.connections))
    }

    /// Pages that would be kept back if there were one connection more.
    pub fn kept_with_another(&self) -> u64 {
        self.kept_for(get(&self.0.connections) + 1)
    }

    fn kept_for(&self, connections: u64) -> u64 {
        connections.min(get(&self.0.reserve)).saturating_sub(get(&self.0.holders))
    }

    /// Pages that whoever holds so many may have besides: what is kept back is left, but for its own page.
    fn left_for(&self, held: u32) -> u64 {
        let left = self.left();
        if held > 0 {
            return left.saturating_sub(self.kept());
        }
        left.saturating_add(1).saturating_sub(self.kept()).clamp(left.min(1), left)
    }

    /// Whether memory is short.
    pub fn is_pressed(&self) -> bool {
        self.0.pressed.load(Ordering::Relaxed)
    }

    /// How often it has become short (`TCPMemoryPressures`).
    pub fn pressures(&self) -> u64 {
        get(&self.0.pressures)
    }

    /// Connections that no application holds, and the most there may be (`tcp_max_orphans`).
    pub fn set_orphans(&self, orphans: u32, most: u32) {
        self.0.orphans.store(orphans, Ordering::Relaxed);
        self.0.max_orphans.store(most, Ordering::Relaxed);
    }

    /// Linux's tcp_check_oom: whether a connection that nobody holds, with `queued` bytes to send, is one too many; the
    /// more `doubts` there are about it, the sooner.
    pub fn is_out(&self, queued: usize, doubts: u32) -> bool {
        const LEAST: usize = 4608;
        let orphans = u64::from(self.0.orphans.load(Ordering::Relaxed)) << doubts.min(31);
        let too_many = orphans > u64::from(self.0.max_orphans.load(Ordering::Relaxed));
        too_many || (queued > LEAST && self.allocated() > self.limits()[2])
    }

    /// Not so much is charged that buffers must not grow.
    pub(crate) fn is_plenty(&self) -> bool {
        self.allocated() < get(&self.0.limits[0])
    }

    /// Whether `wish` may be charged.
    pub(crate) fn grants(&self, wish: &Wish) -> bool {
        let wanted = pages(wish.total);
        if wanted <= wish.held {
            return true;
        }
        let more = u64::from(wanted - wish.held);
        let allocated = self.allocated() + more;
        let [low, pressure, high] = self.limits();
        if allocated <= low {
            self.0.pressed.store(false, Ordering::Relaxed);
            return more <= self.left_for(wish.held);
        }
        if allocated > pressure {
            self.press();
        }
        if allocated > high || more > self.left_for(wish.held) {
            return false;
        }
        let share = get(&self.0.connections).saturating_mul(u64::from(wish.held.max(1)));
        wish.own < wish.least as usize || !self.is_pressed() || high > share
    }

    /// Whether one that holds `held` pages may have `total` bytes in its queues as far as the ceiling goes, whatever the limits
    /// say.
    pub fn allows(&self, held: u32, total: usize) -> bool {
        u64::from(pages(total).saturating_sub(held)) <= self.left_for(held)
    }

    /// Whether there is memory below the ceiling for a datagram of so many bytes.
    pub fn allows_datagram(&self, bytes: usize) -> bool {
        u64::from(pages(bytes)) <= self.left().saturating_sub(self.kept())
    }

    /// Another connection shares it.
    pub(crate) fn join(&self) {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection that holds `held` pages does not share it any more.
    pub(crate) fn leave(&self, held: u32) {
        self.charge(held, 0);
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// A connection that holds `held` pages has so many bytes in its queues now. The pages that it holds for them.
    pub(crate) fn charge(&self, held: u32, bytes: usize) -> u32 {
        let wanted = pages(bytes);
        if held == 0 && wanted > 0 {
            self.0.holders.fetch_add(1, Ordering::Relaxed);
        } else if held > 0 && wanted == 0 {
            self.0.holders.fetch_sub(1, Ordering::Relaxed);
        }
        if wanted > held {
            self.0.allocated.fetch_add(u64::from(wanted - held), Ordering::Relaxed);
        } else if wanted < held {
            self.0.allocated.fetch_sub(u64::from(held - wanted), Ordering::Relaxed);
            self.look();
        }
        wanted
    }

    fn press(&self) {
        if !self.0.pressed.swap(true, Ordering::Relaxed) {
            self.0.pressures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Memory is not short any more below the first limit.
    fn look(&self) {
        if self.is_pressed() && self.is_plenty() {
            self.0.pressed.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: usize = 1 << 20;

    fn wish(held: u32, total: usize) -> Wish {
        Wish { held, total, own: total, least: 4096 }
    }

    #[test]
    fn memory_is_short_from_the_second_limit_until_it_is_below_the_first_again() {
        let memory = Memory::new([100, 200, 300]);
        memory.join();
        let mut held = 0;
        let mut hold = |pages: u32| {
            let granted = memory.grants(&wish(held, (pages * PAGE) as usize));
            held = memory.charge(held, (pages * PAGE) as usize);
            (granted, memory.is_pressed())
        };
        assert_eq!(hold(100), (true, false));
        assert_eq!(hold(200), (true, false));
        // One connection alone has all: its share is not exceeded before the last limit.
        assert_eq!(hold(201), (true, true));
        assert_eq!(hold(101), (true, true));
        assert_eq!(hold(100), (true, true));
        assert_eq!(hold(99), (true, false));
        assert_eq!(memory.pressures(), 1);
        assert_eq!(hold(301), (false, true));
        memory.leave(301);
        assert_eq!((memory.allocated(), memory.is_pressed(), memory.pressures()), (0, false, 2));
    }

    #[test]
    fn while_memory_is_short_only_who_has_less_than_his_share_gets_more() {
        let memory = Memory::new([100, 200, 300]);
        memory.join();
        memory.join();
        memory.charge(0, 200 * PAGE as usize);
        memory.charge(0, 10 * PAGE as usize);
        assert!(memory.grants(&wish(10, 11 * PAGE as usize)) && memory.is_pressed());
        assert!(!memory.grants(&wish(200, 201 * PAGE as usize)));
        // The least that everybody is granted.
        assert!(memory.grants(&Wish { own: 100, ..wish(200, 201 * PAGE as usize) }));
        assert!(!memory.grants(&Wish { own: 100, ..wish(200, 291 * PAGE as usize) }));
    }

    #[test]
    fn first_pages_are_kept_back_for_as_many_connections_as_the_reserve_says() {
        let memory = Memory::new([1_000, 2_000, 3_000]);
        memory.set_ceiling(100);
        memory.set_reserve(40);
        (0..1_000).for_each(|_| memory.join());
        assert_eq!((memory.kept(), memory.kept_with_another()), (40, 40));
        // One that holds something already gets all but those.
        let page = PAGE as usize;
        let mut held = memory.charge(0, page);
        assert_eq!(memory.kept(), 39);
        assert!(memory.allows(held, 61 * page) && !memory.allows(held, 62 * page));
        held = memory.charge(held, 61 * page);
        // The others get one each, and no more.
        for taken in 0..39 {
            assert!(memory.allows(0, page) && !memory.allows(1, 2 * page), "{taken} have one");
            assert_eq!(memory.charge(0, page), 1);
        }
        assert!(!memory.allows(0, page) && memory.kept() == 0);
        memory.charge(held, page);
        assert!(memory.allows(0, page));
    }

    #[test]
    fn a_ceiling_holds_whatever_the_limits_say() {
        let memory = Memory::new([1_000, 2_000, 3_000]);
        memory.set_ceiling(300);
        memory.set_others(44);
        assert!(memory.grants(&wish(0, MB)));
        assert!(!memory.grants(&wish(0, MB + 1)));
        assert!(memory.allows(0, MB) && !memory.allows(0, MB + 1));
        assert!(memory.allows_datagram(MB) && !memory.allows_datagram(MB + 1));
        assert_eq!(memory.left(), 256);
    }

    #[test]
    fn below_a_ceiling_a_page_is_kept_back_for_each_connection_that_holds_none() {
        let memory = Memory::new([1_000, 2_000, 3_000]);
        memory.set_ceiling(10);
        (0..4).for_each(|_| memory.join());
        // One takes what it can: a page of its own and what is not kept for the other three.
        let all = 7 * PAGE as usize;
        assert!(memory.allows(0, all) && !memory.allows(0, all + 1));
        let greedy = memory.charge(0, all);
        assert_eq!((memory.left(), memory.kept()), (3, 3));
        assert!(
            !memory.grants(&wish(greedy, all + 1)) && !memory.allows(greedy, all + 1) && !memory.allows_datagram(1)
        );
        let page = PAGE as usize;
        let held = [(); 3].map(|()| {
            assert!(memory.grants(&wish(0, page)) && !memory.grants(&wish(0, page + 1)));
            memory.charge(0, page)
        });
        assert_eq!((memory.left(), memory.kept()), (0, 0));
        held.into_iter().for_each(|held| memory.leave(held));
        assert_eq!((memory.left(), memory.kept()), (3, 0), "what is kept back is for those that are there");
    }

    #[test]
    fn orphans_are_too_many_by_number_or_by_what_they_hold_of_memory_that_is_used_up() {
        let memory = Memory::new([1, 2, 3]);
        memory.set_orphans(4, 4);
        assert!(!memory.is_out(0, 0));
        assert!(memory.is_out(0, 1));
        memory.charge(0, 4 * PAGE as usize);
        assert!(memory.is_out(5_000, 0));
        assert!(!memory.is_out(4_000, 0));
    }
}
