//! Packets that are finished and wait for the link: datagrams, resets, SYN-ACKs, ICMP.
//!
//! Decides how many answers to strangers may wait. Datagrams are bounded by the send buffer of their socket instead.
//! Connections do not queue here: they make their segments when the link asks for one.
use std::collections::VecDeque;

use segue_wire::Packet;

use crate::{IfaceId, SocketId};

/// Most answers that wait for the link. A stranger's packets beyond that go unanswered.
const MAX_REPLIES: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Queued>,
    replies: usize,
}

/// A packet that waits, and what it holds of whose send buffer.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) iface: IfaceId,
    pub(crate) packet: Packet,
    /// The socket that is charged, and how many bytes.
    pub(crate) charged: Option<(SocketId, usize)>,
}

impl Outbox {
    /// Bytes of places that are held.
    pub(crate) fn room(&self) -> usize {
        self.queue.capacity() * size_of::<Queued>()
    }

    /// Half of the answers that may wait do: what can be said later must not take the place of what cannot.
    pub(crate) fn is_busy(&self) -> bool {
        self.replies >= MAX_REPLIES / 2
    }

    /// Queue an answer; `false`: there are too many already.
    #[must_use]
    pub(crate) fn push_reply(&mut self, iface: IfaceId, packet: Packet) -> bool {
        if self.replies >= MAX_REPLIES {
            return false;
        }
        self.replies += 1;
        self.queue.push_back(Queued { iface, packet, charged: None });
        true
    }

    /// Queue a socket's packet.
    pub(crate) fn push_queued(&mut self, queued: Queued) {
        self.queue.push_back(queued);
    }

    pub(crate) fn pop(&mut self) -> Option<Queued> {
        let queued = self.queue.pop_front()?;
        if queued.charged.is_none() {
            self.replies -= 1;
        }
        Some(queued)
    }

    /// Packets that wait.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
