//! What leaves the device, with the time at which the kernel handed it over.
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use segue_wire::{Bytes, Instant};

use crate::clock::Clock;
use crate::sys;

/// A packet that the kernel sent: a super-segment stays whole when the device takes it so.
#[derive(Clone, Debug)]
pub struct Captured {
    /// When it was handed to the device.
    pub at: Instant,
    /// The packet from its IP header on; the transport checksum may be unfinished.
    pub bytes: Bytes,
}

pub(crate) struct Tap {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

/// Longer than the longest super-segment.
const ROOM: usize = 1 << 18;

impl Tap {
    pub(crate) fn open(device: &str) -> io::Result<Tap> {
        Ok(Tap { socket: sys::packet_tap(device)?, buffer: vec![0; ROOM] })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The next packet that left; `None` when there is none now.
    pub(crate) fn next(&mut self, clock: &Clock) -> io::Result<Option<Captured>> {
        while let Some((length, is_leaving, wall)) = sys::stamped_packet(self.socket.as_fd(), &mut self.buffer)? {
            if is_leaving {
                let bytes = Bytes::copy_from_slice(&self.buffer[..length.min(ROOM)]);
                return Ok(Some(Captured { at: wall.map_or_else(|| clock.now(), |wall| clock.at_wall(wall)), bytes }));
            }
        }
        Ok(None)
    }
}
