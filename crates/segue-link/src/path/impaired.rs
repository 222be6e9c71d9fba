//! A link that is reached across an emulated path: a device as if it were far away.
//!
//! Decides how a driver that knows of one link carries both. Whatever it calls this
//! for, what is due on the way to the link goes on; a link without room holds up what comes behind.

use std::collections::VecDeque;
use std::io;
use std::task::Waker;

use segue_wire::{Instant, Packet};

use super::{Path, PathEnd, PathMonitor, path_pair};
use crate::link::{Capabilities, Link, SendError, Wait};
use crate::memory::GSO_MAX;

/// Packets taken from the link at once.
const BATCH: usize = 64;

/// A link with a [`Path`] in front of it; the stack is at end A, the link at B.
pub struct ImpairedLink<L> {
    near: PathEnd,
    far: PathEnd,
    link: L,
    /// Arrived at the link when it had no room.
    waiting: VecDeque<Packet>,
    batch: Vec<Packet>,
    /// When the link was left with packets in it.
    unread: Option<Instant>,
}

impl<L: Link> ImpairedLink<L> {
    /// Puts a path in front of a link.
    pub fn new(path: Path, link: L) -> ImpairedLink<L> {
        let (near, far) = path_pair(path);
        ImpairedLink { near, far, link, waiting: VecDeque::new(), batch: Vec::new(), unread: None }
    }

    /// A view of the path's statistics that stays when the link itself has been given to a host.
    pub fn monitor(&self) -> PathMonitor {
        self.near.monitor()
    }

    /// Lets go on what has arrived at the link. What the link fails to take is lost, as in a network.
    fn let_out(&mut self, now: Instant) -> io::Result<()> {
        loop {
            while let Some(packet) = self.waiting.pop_front() {
                if let Err(SendError::Full(packet)) = self.link.send(now, packet) {
                    self.waiting.push_front(packet);
                    return Ok(());
                }
            }
            if self.far.recv(now, &mut self.batch, BATCH)? == 0 {
                return Ok(());
            }
            self.waiting.extend(self.batch.drain(..));
        }
    }
}

impl<L: Link> Link for ImpairedLink<L> {
    fn capabilities(&self) -> Capabilities {
        let mtu = self.near.capabilities().mtu.min(self.link.capabilities().mtu);
        // What the link cannot carry it cuts when it gets there.
        Capabilities { mtu, gso_max: GSO_MAX, checksum: true }
    }

    fn send(&mut self, now: Instant, packet: Packet) -> Result<(), SendError> {
        self.near.send(now, packet)
    }

    fn flush(&mut self, now: Instant) -> io::Result<()> {
        self.let_out(now)?;
        self.link.flush(now)
    }

    fn recv(&mut self, now: Instant, out: &mut Vec<Packet>, budget: usize) -> io::Result<usize> {
        self.let_out(now)?;
        self.link.flush(now)?;
        let taken = self.link.recv(now, &mut self.batch, budget.max(BATCH))?;
        self.unread = (taken == budget.max(BATCH)).then_some(now);
        for packet in self.batch.drain(..) {
            // A path never refuses.
            let _ = self.far.send(now, packet);
        }
        self.near.recv(now, out, budget)
    }

    fn next_deadline(&self) -> Option<Instant> {
        // With packets waiting for room nothing moves before there is some, and that is told.
        let far = self.far.next_deadline().filter(|_| self.waiting.is_empty());
        [self.near.next_deadline(), far, self.link.next_deadline(), self.unread].into_iter().flatten().min()
    }

    fn wait(&self) -> Wait<'_> {
        self.link.wait()
    }

    fn set_waker(&mut self, waker: Waker) {
        self.link.set_waker(waker);
    }
}
