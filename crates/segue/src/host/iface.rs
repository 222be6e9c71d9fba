//! One interface: its link, and what waits while the link is full.
//!
//! A host with one interface asks its stack for nothing more while the link is full, so one packet is kept and none is
//! lost. With several, a full link must not hold up the others: up to [`QUEUE`] packets wait as in a device's transmit
//! queue, further ones are dropped and counted.
use std::collections::VecDeque;
use std::io;

use segue_link::{Link, SendError};
use segue_stack::{IfaceId, Instant};
use segue_wire::packet::Packet;

/// Packets that wait for a full link when the host has other links, too. Linux's default `txqueuelen` is 1000.
const QUEUE: usize = 1000;

pub(crate) struct Iface {
    pub(crate) id: IfaceId,
    pub(crate) name: String,
    pub(crate) accept_any: bool,
    pub(crate) link: Box<dyn Link>,
    waiting: VecDeque<Packet>,
    /// Sent packets that the link may still keep to itself until it is flushed.
    unflushed: bool,
    /// The link has become full since the driver was last told.
    news: bool,
    /// Why the link is no longer used. Packets to it are dropped, as on a cable that is pulled out.
    pub(crate) failed: Option<io::Error>,
    pub(crate) dropped: u64,
}

impl Iface {
    pub(crate) fn new(id: IfaceId, name: String, accept_any: bool, link: Box<dyn Link>) -> Iface {
        Iface {
            id,
            name,
            accept_any,
            link,
            waiting: VecDeque::new(),
            unflushed: false,
            news: false,
            failed: None,
            dropped: 0,
        }
    }

    /// The link took less than it was given.
    pub(crate) fn is_full(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Sends a packet, or keeps it when the link is full.
    pub(crate) fn send(&mut self, now: Instant, packet: Packet) {
        if self.failed.is_some() || self.waiting.len() >= QUEUE {
            self.dropped += 1;
        } else if self.is_full() {
            self.waiting.push_back(packet);
        } else if let Some(packet) = self.pass(now, packet) {
            self.waiting.push_back(packet);
            self.news = true;
        }
    }

    /// Whether the link has become full since this was last asked: the driver must then wait for room.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Tries again to send what waits.
    pub(crate) fn resume(&mut self, now: Instant) {
        while let Some(packet) = self.waiting.pop_front() {
            if let Some(packet) = self.pass(now, packet) {
                self.waiting.push_front(packet);
                return;
            }
        }
    }

    /// Ends a round of sends.
    pub(crate) fn flush(&mut self, now: Instant) {
        if std::mem::take(&mut self.unflushed)
            && let Err(error) = self.link.flush(now)
        {
            self.fail(error);
        }
    }

    /// Receives up to `budget` packets. A link that fails is not used again.
    pub(crate) fn recv(&mut self, now: Instant, out: &mut Vec<Packet>, budget: usize) -> usize {
        if self.failed.is_some() {
            return 0;
        }
        match self.link.recv(now, out, budget) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => {
                self.fail(error);
                0
            }
        }
    }

    /// Hands a packet to the link; it comes back when the link is full.
    fn pass(&mut self, now: Instant, packet: Packet) -> Option<Packet> {
        match self.link.send(now, packet) {
            Ok(()) => self.unflushed = true,
            Err(SendError::Full(packet)) => return Some(packet),
            // A packet that the device did not take is a lost packet; the device itself is judged by receiving.
            Err(SendError::Io(_)) => self.dropped += 1,
        }
        None
    }

    fn fail(&mut self, error: io::Error) {
        self.dropped += self.waiting.len() as u64;
        self.waiting.clear();
        self.failed = Some(error);
    }
}
