//! The table of all flows: which entry a segment belongs to.
//!
//! Decides where connections, half-open connections, TIME-WAIT entries and held SYNs are found by their four-tuple: one
//! keyed hash table for all four. It grows by one bucket at a time (linear hashing, Litwin 1980), so that no segment waits
//! while a million flows are moved; a bucket is a cache line, and the tuples lie with the entries. Invariants: a four-tuple is
//! in the table at most once, and every entry in it exists; only the last bucket of a chain has room, and none but a first
//! one is empty; the number of buckets follows the most flows that there ever were.
use core::hash::BuildHasher;

use crate::chunked::Chunked;
use crate::secrets::KeyedState;
use crate::slab::Slab;
use crate::socket::Socket;
use crate::tuple::FourTuple;

use super::held::HeldSyn;
use super::opening::Opening;
use super::time_wait::TimeWaitEntry;

/// Where a flow's state lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FlowRef {
    Connection(u32),
    Opening(u32),
    TimeWait(u32),
    Held(u32),
}

/// The entries that are no sockets.
#[derive(Debug)]
pub(crate) struct Entries {
    pub(crate) opening: Slab<Opening>,
    pub(crate) time_wait: Slab<TimeWaitEntry>,
    pub(crate) held: Slab<HeldSyn>,
}

/// Flows that lie in one bucket.
const SLOTS: usize = 7;
/// Flows for each bucket on average, beyond which there is one bucket more.
const FILL: usize = 4;
/// Buckets of an empty table; a power of two.
const FIRST_BUCKETS: usize = 2;
/// No flow, and no bucket.
const NONE: u32 = u32::MAX;

/// Some flows with the same hash as far as it counts: one cache line, most often the only one that a search touches.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket {
    /// Kept so that a bucket is split, and searched, without looking at the entries.
    hashes: [u32; SLOTS],
    /// What lies there, in four bytes each; those that are taken come first, `NONE` follows.
    flows: [u32; SLOTS],
    /// Where more of them lie; or the next bucket that is free.
    more: u32,
}

const EMPTY: Bucket = Bucket { hashes: [0; SLOTS], flows: [NONE; SLOTS], more: NONE };

#[derive(Debug)]
pub(crate) struct FlowTable {
    buckets: Chunked<Bucket>,
    /// Where flows lie for which their bucket has no room.
    overflow: Chunked<Bucket>,
    /// First of these that is free.
    free: u32,
    len: usize,
    hasher: KeyedState,
}

/// Where a flow lies: in which bucket, or in which one of the overflow, and at which place there.
#[derive(Clone, Copy, Debug)]
struct Found {
    place: Place,
    slot: usize,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Bucket(usize),
    Overflow(usize),
}

impl FlowRef {
    /// In four bytes: tables of entries have fewer than 2^30 places. Never `NONE`.
    fn pack(self) -> u32 {
        let (kind, index) = match self {
            FlowRef::Connection(index) => (0, index),
            FlowRef::Opening(index) => (1, index),
            FlowRef::TimeWait(index) => (2, index),
            FlowRef::Held(index) => (3, index),
        };
        kind << 30 | index
    }

    fn unpack(packed: u32) -> FlowRef {
        let index = packed & (u32::MAX >> 2);
        match packed >> 30 {
            0 => FlowRef::Connection(index),
            1 => FlowRef::Opening(index),
            2 => FlowRef::TimeWait(index),
            _ => FlowRef::Held(index),
        }
    }
}

impl Bucket {
    fn len(&self) -> usize {
        self.flows.iter().position(|flow| *flow == NONE).unwrap_or(SLOTS)
    }
}

/// The tuple of an entry; `None` only if the table named something that is gone, which its owners prevent.
fn tuple_of(flow: FlowRef, sockets: &Slab<Socket>, entries: &Entries) -> Option<FourTuple> {
    match flow {
        FlowRef::Connection(index) => match sockets.at(index)? {
            Socket::Stream(stream) => Some(stream.flow()?.tuple),
            Socket::Datagram(_) => None,
        },
        FlowRef::Opening(index) => Some(entries.opening.at(index)?.tuple),
        FlowRef::TimeWait(index) => Some(entries.time_wait.at(index)?.tuple()),
        FlowRef::Held(index) => Some(entries.held.at(index)?.tuple),
    }
}

impl FlowTable {
    pub(crate) fn new(hasher: KeyedState) -> FlowTable {
        let mut buckets = Chunked::new();
        (0..FIRST_BUCKETS).for_each(|_| buckets.push(EMPTY));
        FlowTable { buckets, overflow: Chunked::new(), free: NONE, len: 0, hasher }
    }

    fn hash(&self, tuple: &FourTuple) -> u32 {
        self.hasher.hash_one(tuple) as u32
    }

    /// Where flows of this hash lie. Buckets beyond the last power of two were split off those below it.
    fn home(&self, hash: u32) -> usize {
        let whole = self.buckets.len().next_power_of_two();
        let at = hash as usize & (whole - 1);
        if at < self.buckets.len() { at } else { at & (whole / 2 - 1) }
    }

    fn bucket(&self, place: Place) -> &Bucket {
        match place {
            Place::Bucket(at) => &self.buckets[at],
            Place::Overflow(at) => &self.overflow[at],
        }
    }

    fn bucket_mut(&mut self, place: Place) -> &mut Bucket {
        match place {
            Place::Bucket(at) => &mut self.buckets[at],
            Place::Overflow(at) => &mut self.overflow[at],
        }
    }

    /// The bucket behind this one.
    fn after(&self, place: Place) -> Option<Place> {
        let more = self.bucket(place).more;
        (more != NONE).then_some(Place::Overflow(more as usize))
    }

    /// The flow of this hash that is looked for.
    fn search(&self, hash: u32, is_it: impl Fn(FlowRef) -> bool) -> Option<Found> {
        let mut place = Place::Bucket(self.home(hash));
        loop {
            let bucket = self.bucket(place);
            for slot in 0..SLOTS {
                let flow = bucket.flows[slot];
                if flow == NONE {
                    break;
                }
                if bucket.hashes[slot] == hash && is_it(FlowRef::unpack(flow)) {
                    return Some(Found { place, slot });
                }
            }
            place = self.after(place)?;
        }
    }

    fn flow_at(&self, found: Found) -> FlowRef {
        FlowRef::unpack(self.bucket(found.place).flows[found.slot])
    }

    pub(crate) fn find(&self, tuple: &FourTuple, sockets: &Slab<Socket>, entries: &Entries) -> Option<FlowRef> {
        let is_it = |flow| tuple_of(flow, sockets, entries).as_ref() == Some(tuple);
        self.search(self.hash(tuple), is_it).map(|found| self.flow_at(found))
    }

    /// Let segments of `tuple` find `flow`, in the place of whatever they found before. The entry must exist already.
    pub(crate) fn set(&mut self, tuple: &FourTuple, flow: FlowRef, sockets: &Slab<Socket>, entries: &Entries) {
        let hash = self.hash(tuple);
        match self.search(hash, |flow| tuple_of(flow, sockets, entries).as_ref() == Some(tuple)) {
            Some(Found { place, slot }) => self.bucket_mut(place).flows[slot] = flow.pack(),
            None => self.insert(hash, flow),
        }
    }

    /// Let segments of `tuple` find `new` instead of `old`.
    pub(crate) fn replace(&mut self, tuple: &FourTuple, old: FlowRef, new: FlowRef) {
        match self.search(self.hash(tuple), |flow| flow == old) {
            Some(Found { place, slot }) => self.bucket_mut(place).flows[slot] = new.pack(),
            None => debug_assert!(false, "{old:?} is not in the table"),
        }
    }

    /// Take a flow out, if it is the one that segments of `tuple` find.
    pub(crate) fn remove(&mut self, tuple: &FourTuple, flow: FlowRef) {
        let hash = self.hash(tuple);
        let Some(Found { place, slot }) = self.search(hash, |found| found == flow) else { return };
        self.len -= 1;
        // The last one of the last bucket takes its place: no bucket but the last has room.
        let mut last = Place::Bucket(self.home(hash));
        let mut before = last;
        while let Some(next) = self.after(last) {
            (before, last) = (last, next);
        }
        let end = self.bucket(last).len() - 1;
        let moved = self.bucket(last);
        let (hash, flow) = (moved.hashes[end], moved.flows[end]);
        let bucket = self.bucket_mut(place);
        (bucket.hashes[slot], bucket.flows[slot]) = (hash, flow);
        self.bucket_mut(last).flows[end] = NONE;
        if end == 0
            && let Place::Overflow(at) = last
        {
            self.bucket_mut(before).more = NONE;
            self.give_back(at);
        }
    }

    fn insert(&mut self, hash: u32, flow: FlowRef) {
        if self.len >= self.buckets.len() * FILL {
            self.split();
        }
        self.put(hash, flow.pack());
        self.len += 1;
    }

    /// Behind the others of its hash.
    fn put(&mut self, hash: u32, flow: u32) {
        let mut place = Place::Bucket(self.home(hash));
        while let Some(next) = self.after(place) {
            place = next;
        }
        let slot = self.bucket(place).len();
        if slot < SLOTS {
            let bucket = self.bucket_mut(place);
            (bucket.hashes[slot], bucket.flows[slot]) = (hash, flow);
            return;
        }
        let at = self.take_free();
        self.bucket_mut(place).more = at as u32;
        let bucket = &mut self.overflow[at];
        (bucket.hashes[0], bucket.flows[0]) = (hash, flow);
    }

    /// An empty bucket of the overflow.
    fn take_free(&mut self) -> usize {
        if self.free == NONE {
            self.overflow.push(EMPTY);
            return self.overflow.len() - 1;
        }
        let at = self.free as usize;
        self.free = core::mem::replace(&mut self.overflow[at], EMPTY).more;
        at
    }

    fn give_back(&mut self, at: usize) {
        self.overflow[at].more = core::mem::replace(&mut self.free, at as u32);
    }

    /// One more bucket, which takes from another what belongs to it.
    fn split(&mut self) {
        let new = self.buckets.len();
        self.buckets.push(EMPTY);
        // The new bucket's number without its highest bit is where its flows have been.
        let old = new & !(1 << new.ilog2());
        let mut taken = core::mem::replace(&mut self.buckets[old], EMPTY);
        loop {
            for (hash, flow) in taken.hashes.into_iter().zip(taken.flows).filter(|(_, flow)| *flow != NONE) {
                self.put(hash, flow);
            }
            if taken.more == NONE {
                return;
            }
            let at = taken.more as usize;
            taken = self.overflow[at];
            self.overflow[at] = EMPTY;
            self.give_back(at);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of buckets that are held.
    pub(crate) fn room(&self) -> usize {
        self.buckets.room() + self.overflow.room()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secrets;

    #[test]
    fn entries_that_a_stranger_can_make_are_small() {
        assert!(size_of::<FlowRef>() <= 8);
        assert_eq!((size_of::<Bucket>(), align_of::<Bucket>()), (64, 64), "one cache line");
        assert!(size_of::<Opening>() <= 160, "{}", size_of::<Opening>());
        assert!(size_of::<TimeWaitEntry>() <= 88, "{}", size_of::<TimeWaitEntry>());
    }

    #[test]
    fn a_reference_fits_four_bytes() {
        let most = (1 << 30) - 2;
        for index in [0, 1, most] {
            for flow in
                [FlowRef::Connection, FlowRef::Opening, FlowRef::TimeWait, FlowRef::Held].map(|kind| kind(index))
            {
                assert_eq!(FlowRef::unpack(flow.pack()), flow);
                assert_ne!(flow.pack(), NONE);
            }
        }
    }

    fn tuple(number: u32) -> FourTuple {
        let local = core::net::IpAddr::from([10, 0, 0, 1]);
        let peer = core::net::IpAddr::from((0x0b00_0000 + number / 1000).to_be_bytes());
        FourTuple { local, peer, local_port: 80, peer_port: (number % 1000) as u16 }
    }

    /// The number stands for the entry, which nothing here looks at.
    fn has(table: &FlowTable, number: u32) -> bool {
        table.search(table.hash(&tuple(number)), |flow| flow == FlowRef::Connection(number)).is_some()
    }

    #[test]
    fn every_flow_is_found_while_the_table_grows_and_after_others_have_left() {
        let mut table = FlowTable::new(Secrets::from_seed(&[7; 32]).build_hasher());
        for number in 0..5000 {
            table.insert(table.hash(&tuple(number)), FlowRef::Connection(number));
            assert!(has(&table, number) && has(&table, number / 2), "{number}");
        }
        for number in (0..5000).step_by(2) {
            table.remove(&tuple(number), FlowRef::Connection(number));
        }
        assert_eq!(table.len(), 2500);
        for number in 0..5000 {
            assert_eq!(has(&table, number), number % 2 == 1, "{number}");
        }
        let buckets = (table.buckets.len(), table.overflow.len());
        for number in 5000..7500 {
            table.insert(table.hash(&tuple(number)), FlowRef::Connection(number));
        }
        assert_eq!(table.len(), 5000);
        assert_eq!(table.buckets.len(), buckets.0, "places are used again");
        for number in 0..7500 {
            assert_eq!(has(&table, number), number % 2 == 1 || number >= 5000, "{number}");
            table.remove(&tuple(number), FlowRef::Connection(number));
        }
        assert_eq!(table.len(), 0);
        let is_empty = |bucket: &Bucket| bucket.len() == 0 && bucket.more == NONE;
        assert!((0..table.buckets.len()).all(|at| is_empty(&table.buckets[at])), "no chain is left");
        let some = |at: u32| (at != NONE).then_some(at);
        let free = core::iter::successors(some(table.free), |at| some(table.overflow[*at as usize].more));
        assert_eq!(free.count(), table.overflow.len(), "all of the overflow is free");
    }

    #[test]
    fn chains_stay_short_and_one_insertion_moves_few_flows() {
        let mut table = FlowTable::new(Secrets::from_seed(&[7; 32]).build_hasher());
        for number in 0..100_000 {
            let buckets = table.buckets.len();
            table.insert(table.hash(&tuple(number)), FlowRef::Connection(number));
            assert!(table.buckets.len() <= buckets + 1);
        }
        let chain = |at| core::iter::successors(Some(Place::Bucket(at)), |place| table.after(*place)).count();
        let chains = || (0..table.buckets.len()).map(chain);
        assert!(chains().max() <= Some(5), "{:?} buckets in a chain", chains().max());
        let overflowing = chains().filter(|len| *len > 1).count();
        assert!(overflowing * 5 < table.buckets.len(), "{overflowing} of {} buckets overflow", table.buckets.len());
    }

    #[test]
    fn a_flow_that_another_has_replaced_is_not_taken_out() {
        let mut table = FlowTable::new(Secrets::from_seed(&[7; 32]).build_hasher());
        let (tuple, old, new) = (tuple(1), FlowRef::Opening(1), FlowRef::Connection(2));
        table.insert(table.hash(&tuple), old);
        table.replace(&tuple, old, new);
        table.remove(&tuple, old);
        assert_eq!(table.len(), 1);
        table.remove(&tuple, new);
        assert_eq!(table.len(), 0);
    }
}
