//! The error queue of a socket: what `MSG_ERRQUEUE` reads.
//!
//! Decides the order of entries, how many bytes of the receive buffer they may take (Linux: none is queued that does not
//! fit), that neighbouring `MSG_ZEROCOPY` completions become one, and what reading one does to the socket's pending error.
use core::net::SocketAddr;
use std::collections::VecDeque;

use bytes::Bytes;
use segue_tcp::Instant;

use crate::message::{ErrorOrigin, ExtendedError};
use crate::socket::datagram::Ancillary;

/// What an entry costs of the receive buffer beyond its bytes.
const OVERHEAD: usize = 768;

/// One entry.
#[derive(Debug)]
pub(crate) struct QueuedError {
    pub(crate) error: ExtendedError,
    /// Where the packet went that it is about (`msg_name`).
    pub(crate) name: Option<SocketAddr>,
    /// What is read as data: the part of the packet that an ICMP message quotes.
    pub(crate) payload: Bytes,
    /// The time that it tells (`SCM_TIMESTAMPING`).
    pub(crate) time: Option<Instant>,
    /// `TCP_NLA_*` attributes.
    pub(crate) stats: Option<Vec<u8>>,
    /// How the ICMP message arrived.
    pub(crate) arrival: Option<Ancillary>,
}

impl QueuedError {
    /// An entry with nothing but the error.
    pub(crate) fn bare(error: ExtendedError) -> QueuedError {
        QueuedError { error, name: None, payload: Bytes::new(), time: None, stats: None, arrival: None }
    }

    fn cost(&self) -> usize {
        OVERHEAD + self.payload.len()
    }

    fn is_icmp(&self) -> bool {
        matches!(self.error.origin, ErrorOrigin::Icmp | ErrorOrigin::Icmp6)
    }
}

#[derive(Debug)]
pub(crate) struct ErrorQueue {
    entries: VecDeque<QueuedError>,
    bytes: usize,
}

/// What reading an entry does to the socket's pending error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pending {
    /// It stays what it is.
    Unchanged,
    /// It becomes this one; `None`: it is gone.
    Becomes(Option<crate::Errno>),
}

/// What was queued for one socket is no other's: a copy is empty.
impl Clone for ErrorQueue {
    fn clone(&self) -> ErrorQueue {
        ErrorQueue::new()
    }
}

impl ErrorQueue {
    pub(crate) const fn new() -> ErrorQueue {
        ErrorQueue { entries: VecDeque::new(), bytes: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of the receive buffer in use.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Queue an entry; `room`: what is left of the receive buffer. `false`: it does not fit.
    #[must_use]
    pub(crate) fn push(&mut self, entry: QueuedError, room: usize) -> bool {
        if self.joins_last(&entry.error) {
            return true;
        }
        if entry.cost() >= room {
            return false;
        }
        self.bytes += entry.cost();
        self.entries.push_back(entry);
        true
    }

    /// Whether a range of `MSG_ZEROCOPY` calls went into the entry before it, whose neighbour it is.
    fn joins_last(&mut self, error: &ExtendedError) -> bool {
        let Some(last) = self.entries.back_mut() else { return false };
        let both = last.error.origin == ErrorOrigin::Zerocopy && error.origin == ErrorOrigin::Zerocopy;
        let calls = |error: &ExtendedError| u64::from(error.data.wrapping_sub(error.info)) + 1;
        let all = calls(error) + calls(&last.error);
        if !both || error.info != last.error.data.wrapping_add(1) || all > u64::from(u32::MAX) {
            return false;
        }
        last.error.data = error.data;
        true
    }

    /// The first entry, and what becomes of the pending error: as Linux, it is that of the ICMP error behind, or none
    /// when this was the last one.
    pub(crate) fn pop(&mut self) -> Option<(QueuedError, Pending)> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.cost();
        let next = self.entries.front().filter(|next| next.is_icmp());
        let pending = match next {
            Some(next) => Pending::Becomes(Some(next.error.errno)),
            None if entry.is_icmp() => Pending::Becomes(None),
            None => Pending::Unchanged,
        };
        Some((entry, pending))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Errno;

    fn zerocopy(info: u32, data: u32) -> QueuedError {
        let (kind, code, offender) = (0, 1, None);
        let origin = ErrorOrigin::Zerocopy;
        QueuedError::bare(ExtendedError { errno: Errno(0), origin, kind, code, info, data, offender })
    }

    fn icmp(errno: Errno) -> QueuedError {
        let (kind, code, info, data, offender) = (3, 3, 0, 0, None);
        QueuedError::bare(ExtendedError { errno, origin: ErrorOrigin::Icmp, kind, code, info, data, offender })
    }

    #[test]
    fn completions_of_neighbours_become_one_range_also_across_the_wrap() {
        let mut queue = ErrorQueue::new();
        for (info, data) in [(u32::MAX, u32::MAX), (0, 1), (2, 2), (9, 9)] {
            assert!(queue.push(zerocopy(info, data), 10_000));
        }
        let range = |queue: &mut ErrorQueue| queue.pop().map(|(entry, _)| (entry.error.info, entry.error.data));
        assert_eq!(range(&mut queue), Some((u32::MAX, 2)));
        assert_eq!(range(&mut queue), Some((9, 9)));
        assert_eq!(range(&mut queue), None);
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn what_does_not_fit_into_the_receive_buffer_is_not_queued() {
        let mut queue = ErrorQueue::new();
        assert!(!queue.push(icmp(Errno::ECONNREFUSED), 768));
        assert!(queue.push(icmp(Errno::ECONNREFUSED), 769));
        assert!(!queue.is_empty());
    }

    #[test]
    fn reading_an_icmp_error_makes_the_next_one_pending_or_leaves_none() {
        let mut queue = ErrorQueue::new();
        for entry in [icmp(Errno::ECONNREFUSED), icmp(Errno::EHOSTUNREACH), zerocopy(0, 0), icmp(Errno::EPROTO)] {
            assert!(queue.push(entry, 10_000));
        }
        let pending: Vec<Pending> = core::iter::from_fn(|| queue.pop()).map(|(_, pending)| pending).collect();
        let becomes = |errno| Pending::Becomes(errno);
        let expected = [becomes(Some(Errno::EHOSTUNREACH)), becomes(None), becomes(Some(Errno::EPROTO)), becomes(None)];
        assert_eq!(pending, expected);
    }
}
