//! What tables keep for the most entries there ever were at once: the memory that an empty stack still holds.
//!
//! Decides nothing. A table's room grows with its record of entries and no further, which is what tells it from a leak.
use crate::stack::Stack;

/// The room of one table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableRoom {
    /// Which table.
    pub name: &'static str,
    /// Entries in it.
    pub entries: usize,
    /// Bytes of places that it holds, taken or not.
    pub bytes: usize,
}

impl Stack {
    /// The room of every table and queue that others fill, in bytes.
    pub fn table_rooms(&self) -> Vec<TableRoom> {
        let entries = &self.tcp.entries;
        let queued = |len: usize, each: usize| len * each;
        let rooms = [
            ("sockets", self.sockets.len(), self.sockets.room()),
            ("half-open connections", entries.opening.len(), entries.opening.room()),
            ("TIME-WAIT", entries.time_wait.len(), entries.time_wait.room()),
            ("held SYNs", entries.held.len(), entries.held.room()),
            ("flows", self.tcp.flows.len(), self.tcp.flows.room()),
            ("timers", self.timers.len(), self.timers.room()),
            ("TCP ports", self.tcp.ports.len(), self.tcp.ports.room()),
            ("UDP ports", self.datagrams.ports.len(), self.datagrams.ports.room()),
            ("connections with something to send", self.tcp.ready.len(), queued(self.tcp.ready.capacity(), 4)),
            ("sockets with news", self.events.len(), queued(self.events.capacity(), 8)),
            ("packets for the link", self.outbox.len(), self.outbox.room()),
            ("packets to be served", self.backlog.len(), self.backlog.room()),
            ("fragments", self.reassembler.len(), self.reassembler.room()),
            ("path MTUs", self.net.pmtu.len(), self.net.pmtu.room()),
            ("hosts told by ICMP", self.icmp_limits.len(), self.icmp_limits.room()),
            ("servers of Fast Open", self.tcp.fast_open.peers_len(), self.tcp.fast_open.room()),
            ("settings of sockets", self.tcp.variants_len(), self.tcp.variants_room()),
        ];
        rooms.map(|(name, entries, bytes)| TableRoom { name, entries, bytes }).to_vec()
    }
}
