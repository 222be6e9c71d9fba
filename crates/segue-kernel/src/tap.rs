//! What crosses a device, with the time at which the kernel handed it over.
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

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

/// A packet that crossed a device.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// By the wall clock, since 1970: on its way out when the kernel handed it to the device, on its way in when the device
    /// handed it to the kernel. `None`: the kernel did not say.
    pub at: Option<Duration>,
    /// On its way out.
    pub is_leaving: bool,
    /// The packet from its IP header on.
    pub bytes: Bytes,
}

/// Sees every packet of one device of the namespace in which it was opened.
pub struct Tap {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

/// Longer than the longest super-segment.
const ROOM: usize = 1 << 18;

impl Tap {
    /// From now on `device` is watched. 64 MiB wait to be read.
    ///
    /// # Errors
    /// `PermissionDenied` without `CAP_NET_RAW`; there is no such device.
    pub fn open(device: &str) -> io::Result<Tap> {
        Ok(Tap { socket: sys::packet_tap(device)?, buffer: vec![0; ROOM] })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The next packet that left; `None` when there is none now.
    pub(crate) fn next(&mut self, clock: &Clock) -> io::Result<Option<Captured>> {
        while let Some(Sighting { at, is_leaving, bytes }) = self.sighting()? {
            if is_leaving {
                let at = at.map_or_else(|| clock.now(), |wall| clock.at_wall(wall));
                return Ok(Some(Captured { at, bytes }));
            }
        }
        Ok(None)
    }

    /// The next packet either way; `None` when there is none now.
    ///
    /// # Errors
    /// The kernel's.
    pub fn sighting(&mut self) -> io::Result<Option<Sighting>> {
        let Some((length, is_leaving, at)) = sys::stamped_packet(self.socket.as_fd(), &mut self.buffer)? else {
            return Ok(None);
        };
        Ok(Some(Sighting { at, is_leaving, bytes: Bytes::copy_from_slice(&self.buffer[..length.min(ROOM)]) }))
    }
}
