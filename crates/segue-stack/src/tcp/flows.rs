//! The table of all flows: which entry a segment belongs to.
//!
//! Decides where connections, half-open connections, TIME-WAIT entries and held SYNs are found by their four-tuple: one
//! keyed hash table for all four. It grows by one bucket at a time (linear hashing, Litwin 1980), so that no segment waits
//! while a million flows are moved; the tuples lie with the entries. Invariants: a four-tuple is in the table at most once,
//! and every entry in it exists; there are as many buckets as there ever were flows, within a factor that is constant.
use core::hash::BuildHasher;

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

/// No node.
const NONE: u32 = u32::MAX;
/// Buckets of an empty table; a power of two.
const FIRST_BUCKETS: usize = 8;

/// A flow in its bucket's chain, or a node that is free.
#[derive(Clone, Copy, Debug)]
struct Node {
    flow: FlowRef,
    /// Kept so that a bucket is split, and a chain searched, without looking at the entries.
    hash: u32,
    next: u32,
}

#[derive(Debug)]
pub(crate) struct FlowTable {
    /// First node of each chain.
    buckets: Vec<u32>,
    nodes: Vec<Node>,
    /// First free node.
    free: u32,
    len: usize,
    hasher: KeyedState,
}

/// The tuple of an entry; `None` only if the table named something that is gone, which its owners prevent.
fn tuple_of(flow: FlowRef, sockets: &Slab<Socket>, entries: &Entries) -> Option<FourTuple> {
    match flow {
        FlowRef::Connection(index) => match sockets.at(index)? {
            Socket::Stream(stream) => Some(stream.flow()?.tuple),
            Socket::Datagram(_) => None,
        },
        FlowRef::Opening(index) => Some(entries.opening.at(index)?.tuple),
        FlowRef::TimeWait(index) => Some(entries.time_wait.at(index)?.tuple),
        FlowRef::Held(index) => Some(entries.held.at(index)?.tuple),
    }
}

impl FlowTable {
    pub(crate) fn new(hasher: KeyedState) -> FlowTable {
        FlowTable { buckets: vec![NONE; FIRST_BUCKETS], nodes: Vec::new(), free: NONE, len: 0, hasher }
    }

    fn hash(&self, tuple: &FourTuple) -> u32 {
        self.hasher.hash_one(tuple) as u32
    }

    /// Where chains of this hash begin. Buckets beyond the last power of two were split off those below it.
    fn bucket(&self, hash: u32) -> usize {
        let whole = self.buckets.len().next_power_of_two();
        let at = hash as usize & (whole - 1);
        if at < self.buckets.len() { at } else { at & (whole / 2 - 1) }
    }

    /// The node of this hash that is looked for.
    fn node(&self, hash: u32, is_it: impl Fn(FlowRef) -> bool) -> Option<u32> {
        let mut at = self.buckets[self.bucket(hash)];
        while at != NONE {
            let node = &self.nodes[at as usize];
            if node.hash == hash && is_it(node.flow) {
                return Some(at);
            }
            at = node.next;
        }
        None
    }

    pub(crate) fn find(&self, tuple: &FourTuple, sockets: &Slab<Socket>, entries: &Entries) -> Option<FlowRef> {
        let at = self.node(self.hash(tuple), |flow| tuple_of(flow, sockets, entries).as_ref() == Some(tuple))?;
        Some(self.nodes[at as usize].flow)
    }

    /// Let segments of `tuple` find `flow`, in the place of whatever they found before. The entry must exist already.
    pub(crate) fn set(&mut self, tuple: &FourTuple, flow: FlowRef, sockets: &Slab<Socket>, entries: &Entries) {
        let hash = self.hash(tuple);
        match self.node(hash, |flow| tuple_of(flow, sockets, entries).as_ref() == Some(tuple)) {
            Some(at) => self.nodes[at as usize].flow = flow,
            None => self.insert(hash, flow),
        }
    }

    /// Let segments of `tuple` find `new` instead of `old`.
    pub(crate) fn replace(&mut self, tuple: &FourTuple, old: FlowRef, new: FlowRef) {
        match self.node(self.hash(tuple), |flow| flow == old) {
            Some(at) => self.nodes[at as usize].flow = new,
            None => debug_assert!(false, "{old:?} is not in the table"),
        }
    }

    /// Take a flow out, if it is the one that segments of `tuple` find.
    pub(crate) fn remove(&mut self, tuple: &FourTuple, flow: FlowRef) {
        let bucket = self.bucket(self.hash(tuple));
        let (mut before, mut at) = (NONE, self.buckets[bucket]);
        while at != NONE {
            let node = self.nodes[at as usize];
            if node.flow == flow {
                match before {
                    NONE => self.buckets[bucket] = node.next,
                    before => self.nodes[before as usize].next = node.next,
                }
                self.nodes[at as usize].next = core::mem::replace(&mut self.free, at);
                self.len -= 1;
                return;
            }
            (before, at) = (at, node.next);
        }
    }

    fn insert(&mut self, hash: u32, flow: FlowRef) {
        // One flow for each bucket: chains of one or two.
        if self.len >= self.buckets.len() {
            self.split();
        }
        let bucket = self.bucket(hash);
        let node = Node { flow, hash, next: self.buckets[bucket] };
        let at = self.free;
        if at == NONE {
            self.buckets[bucket] = self.nodes.len() as u32;
            self.nodes.push(node);
        } else {
            self.free = self.nodes[at as usize].next;
            self.nodes[at as usize] = node;
            self.buckets[bucket] = at;
        }
        self.len += 1;
    }

    /// One more bucket, which takes from another what belongs to it.
    fn split(&mut self) {
        let new = self.buckets.len();
        self.buckets.push(NONE);
        // The new bucket's number without its highest bit is where its flows have been.
        let old = new & !(1 << new.ilog2());
        let mut at = core::mem::replace(&mut self.buckets[old], NONE);
        while at != NONE {
            let Node { hash, next, .. } = self.nodes[at as usize];
            let bucket = self.bucket(hash);
            self.nodes[at as usize].next = core::mem::replace(&mut self.buckets[bucket], at);
            at = next;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secrets;

    #[test]
    fn entries_that_a_stranger_can_make_are_small() {
        assert!(size_of::<FlowRef>() <= 8);
        assert!(size_of::<Node>() <= 16);
        assert!(size_of::<Opening>() <= 160, "{}", size_of::<Opening>());
        assert!(size_of::<TimeWaitEntry>() <= 128, "{}", size_of::<TimeWaitEntry>());
    }

    fn tuple(number: u32) -> FourTuple {
        let local = core::net::IpAddr::from([10, 0, 0, 1]);
        let peer = core::net::IpAddr::from((0x0b00_0000 + number / 1000).to_be_bytes());
        FourTuple { local, peer, local_port: 80, peer_port: (number % 1000) as u16 }
    }

    /// The number stands for the entry, which nothing here looks at.
    fn has(table: &FlowTable, number: u32) -> bool {
        table.node(table.hash(&tuple(number)), |flow| flow == FlowRef::Connection(number)).is_some()
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
        for number in 5000..7500 {
            table.insert(table.hash(&tuple(number)), FlowRef::Connection(number));
        }
        assert_eq!((table.len(), table.nodes.len()), (5000, 5000), "places are used again");
    }

    #[test]
    fn chains_stay_short_and_one_insertion_moves_few_flows() {
        let mut table = FlowTable::new(Secrets::from_seed(&[7; 32]).build_hasher());
        for number in 0..100_000 {
            let buckets = table.buckets.len();
            table.insert(table.hash(&tuple(number)), FlowRef::Connection(number));
            assert!(table.buckets.len() <= buckets + 1);
        }
        let some = |at: u32| (at != NONE).then_some(at);
        let chain = |head| core::iter::successors(some(head), |at| some(table.nodes[*at as usize].next));
        let longest = table.buckets.iter().map(|head| chain(*head).count()).max();
        assert!(longest.is_some_and(|longest| longest <= 16), "{longest:?} flows in one bucket");
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
