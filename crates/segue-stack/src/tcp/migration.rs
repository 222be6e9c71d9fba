//! `tcp_migrate_req`: what a listener leaves behind goes to others of its `SO_REUSEPORT` group.
//!
//! Decides who inherits a half-open connection or one that waits for accept(): the listener that a SYN of the same flow would
//! find now, if it shares its address. Without the setting, or without an heir, both end as they do with any listener.
use crate::socket::Socket;
use crate::stack::Stack;
use crate::tuple::FourTuple;
use crate::{Counter, SocketId};

impl Stack {
    /// Whoever may inherit what belongs to a flow.
    fn heir(&self, tuple: &FourTuple) -> Option<SocketId> {
        let (port, local) = (tuple.local_port, tuple.local);
        if !self.settings.ip.migrate_req || !self.tcp.listeners.is_shared(port, local) {
            return None;
        }
        let hash = || self.secrets.flow_hash(tuple.local_addr(), tuple.peer_addr());
        let index = self.tcp.listeners.find(port, local, None, hash)?;
        Some(SocketId { index, generation: self.sockets.generation(index)? })
    }

    /// A half-open connection whose listener has gone gets another one; `false`: there is none.
    pub(crate) fn migrate_opening(&mut self, entry: u32) -> bool {
        let Some(opening) = self.tcp.entries.opening.at(entry) else { return false };
        let (tuple, is_young) = (opening.tuple, opening.is_young());
        let Some(heir) = self.heir(&tuple) else { return false };
        if let Some(opening) = self.tcp.entries.opening.at_mut(entry) {
            opening.listener = heir;
        }
        if let Some(listener) = self.listener_named(heir) {
            listener.opening += 1;
            listener.young += u32::from(is_young);
        }
        self.counters.inc(Counter::TcpExtTCPMigrateReqSuccess);
        true
    }

    /// A connection that waits for accept() at a listener that ends waits at another one; `false`: there is none.
    pub(crate) fn migrate_child(&mut self, child: u32) -> bool {
        let flow = match self.sockets.at(child) {
            Some(Socket::Stream(stream)) => stream.flow(),
            _ => None,
        };
        let Some(tuple) = flow.filter(|flow| !flow.is_over).map(|flow| flow.tuple) else { return false };
        let Some(heir) = self.heir(&tuple) else { return false };
        let has_room = match self.listener_named(heir) {
            Some(listener) if !listener.is_full() => {
                listener.accept_queue.push_back(child);
                true
            }
            _ => false,
        };
        if has_room
            && let Some(Socket::Stream(stream)) = self.sockets.at_mut(child)
            && let Some(flow) = stream.flow_mut()
        {
            flow.listener = Some(heir.index);
            self.notify(heir.index);
        }
        self.counters.inc(if has_room {
            Counter::TcpExtTCPMigrateReqSuccess
        } else {
            Counter::TcpExtTCPMigrateReqFailure
        });
        has_room
    }
}
