//! The table of all flows: which entry a segment belongs to.
//!
//! Decides where connections, half-open connections, TIME-WAIT entries and held SYNs are found by their four-tuple. One
//! keyed hash table for all four, eight bytes per flow; the tuples lie with the entries. Invariant: a four-tuple is in the
//! table at most once, and every entry in it exists.
use core::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

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

#[derive(Debug)]
pub(crate) struct FlowTable {
    table: HashTable<FlowRef>,
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
        FlowTable { table: HashTable::new(), hasher }
    }

    pub(crate) fn find(&self, tuple: &FourTuple, sockets: &Slab<Socket>, entries: &Entries) -> Option<FlowRef> {
        let hash = self.hasher.hash_one(tuple);
        self.table.find(hash, |flow| tuple_of(*flow, sockets, entries).as_ref() == Some(tuple)).copied()
    }

    /// Let segments of `tuple` find `flow`, in the place of whatever they found before. The entry must exist already.
    pub(crate) fn set(&mut self, tuple: &FourTuple, flow: FlowRef, sockets: &Slab<Socket>, entries: &Entries) {
        let hash = self.hasher.hash_one(tuple);
        let hasher = &self.hasher;
        let entry = self.table.entry(
            hash,
            |flow| tuple_of(*flow, sockets, entries).as_ref() == Some(tuple),
            |flow| tuple_of(*flow, sockets, entries).map_or(0, |tuple| hasher.hash_one(tuple)),
        );
        match entry {
            Entry::Occupied(mut entry) => *entry.get_mut() = flow,
            Entry::Vacant(entry) => {
                entry.insert(flow);
            }
        }
    }

    /// Let segments of `tuple` find `new` instead of `old`.
    pub(crate) fn replace(&mut self, tuple: &FourTuple, old: FlowRef, new: FlowRef) {
        let hash = self.hasher.hash_one(tuple);
        match self.table.find_mut(hash, |flow| *flow == old) {
            Some(flow) => *flow = new,
            None => debug_assert!(false, "{old:?} is not in the table"),
        }
    }

    /// Take a flow out, if it is the one that segments of `tuple` find.
    pub(crate) fn remove(&mut self, tuple: &FourTuple, flow: FlowRef) {
        let hash = self.hasher.hash_one(tuple);
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == flow) {
            entry.remove();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_a_stranger_can_make_are_small() {
        assert!(size_of::<FlowRef>() <= 8);
        assert!(size_of::<Opening>() <= 160, "{}", size_of::<Opening>());
        assert!(size_of::<TimeWaitEntry>() <= 128, "{}", size_of::<TimeWaitEntry>());
    }
}
