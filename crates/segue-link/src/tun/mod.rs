//! Linux TUN devices: IP packets from and to the kernel of this machine.
//!
//! Decides how packets cross the descriptor: one read or gather write per packet or
//! super-segment, nothing zeroed, large packets not copied, small ones not
//! pinning a large buffer. What the kernel finishes is decided by `offload`, how a device
//! comes to be by `setup`. Invariants: never blocks; the device lives exactly as long as this
//! value unless it was attached to; a device that is gone is an error, each time.

mod config;
mod namespace;
mod netlink;
mod offload;
mod setup;
mod sys;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::task::Waker;

use bytes::{Buf, Bytes};
use segue_wire::{Instant, Packet};

use crate::link::{Capabilities, Link, SendError, Wait};
use crate::memory::GSO_MAX;
use offload::Offload;

pub use config::{Prefix, TunConfig};
pub use namespace::NetNamespace;

/// Lets the calling thread, and those that it starts from then on, run before all ordinary threads of the machine
/// (`SCHED_RR`, the least priority of that kind), so that packets leave in time on a machine that does other things, too. The
/// kernel keeps 5 % of the time for the others (`sched_rt_runtime_us`).
///
/// # Errors
/// `PermissionDenied` without `CAP_SYS_NICE`.
pub fn run_before_others() -> io::Result<()> {
    sys::schedule_first()
}

/// Room for the longest packet and its header.
/// So much room behind a packet is given back.
const SLACK: usize = 2048;
const BUFFER: usize = 65_536 + offload::HEADER;

/// Packets from this length on keep the buffer they were read into, at most four times their size; shorter
/// ones are copied out of it.
const COPY_BREAK: usize = BUFFER / 4;

/// Slices of one gather write. A packet in more pieces is copied together.
const MAX_SLICES: usize = 64;

/// A TUN device of this machine.
///
/// A device that [`create`](TunLink::create) made disappears with this value, however the process ends.
pub struct TunLink {
    file: File,
    name: String,
    mtu: usize,
    offload: Offload,
    /// Read into; its capacity is [`BUFFER`].
    buffer: Vec<u8>,
    /// The rest of a super-segment that was cut here when the device had no more room.
    unsent: VecDeque<Packet>,
}

impl TunLink {
    /// Creates a device, gives it addresses and routes and brings it up.
    ///
    /// # Errors
    /// The message says what to do. By kind: `PermissionDenied` (no `CAP_NET_ADMIN`), `NotFound` (no
    /// `/dev/net/tun`), `InvalidInput` (name, MTU or prefix), `AlreadyExists` (name or route taken),
    /// `AddrInUse`, `Unsupported` (IPv6 switched off).
    pub fn create(config: &TunConfig) -> io::Result<TunLink> {
        setup::create(config).map(TunLink::new)
    }

    /// Attaches to a persistent device that was set up before (`ip tuntap add dev NAME mode tun user USER`).
    ///
    /// Needs no privilege when the device is the user's own. MTU and addresses
    /// stay as they are, and the device outlives this value.
    ///
    /// # Errors
    /// The message says what to do. By kind: `NotFound`, `PermissionDenied` (another user's), `ResourceBusy`
    /// (another process has it), `NetworkDown`, `InvalidInput` (no TUN device).
    pub fn attach(name: &str, offload: bool) -> io::Result<TunLink> {
        setup::attach(name, offload).map(TunLink::new)
    }

    fn new(device: setup::Device) -> TunLink {
        let setup::Device { file, name, mtu, offload } = device;
        TunLink { file, name, mtu, offload, buffer: Vec::with_capacity(BUFFER), unsent: VecDeque::new() }
    }

    /// Name of the device.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes what a packet that was cut here left behind. `false`: still no room.
    fn send_rest(&mut self) -> io::Result<bool> {
        while let Some(packet) = self.unsent.pop_front() {
            match self.write_wire(&packet) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.unsent.push_front(packet);
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Writes a finished wire packet.
    fn write_wire(&self, packet: &Packet) -> io::Result<()> {
        match self.offload {
            Offload::None => self.write(None, packet),
            Offload::Virtio { .. } => self.write(Some(&[0; offload::HEADER]), packet),
        }
    }

    /// One gather write: header, headers, payload.
    fn write(&self, header: Option<&[u8; offload::HEADER]>, packet: &Packet) -> io::Result<()> {
        if packet.body().slices() + 2 > MAX_SLICES {
            return self.write(header, &gathered(packet));
        }
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let parts = header.map(|header| &header[..]).into_iter().chain(packet.slices());
        let mut count = 0;
        for (slot, part) in slices.iter_mut().zip(parts) {
            *slot = IoSlice::new(part);
            count += 1;
        }
        loop {
            match (&self.file).write_vectored(&slices[..count]) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(error)),
            }
        }
    }

    /// Cuts a packet that the kernel would not finish, and writes the pieces.
    fn write_cut(&mut self, packet: Packet) -> Result<(), SendError> {
        let mut segments = packet.clone().segments();
        let Some(first) = segments.next() else { return Ok(()) };
        match self.write_wire(&first) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(SendError::Full(packet)),
            Err(error) => return Err(SendError::Io(error)),
        }
        for segment in segments.by_ref() {
            match self.write_wire(&segment) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.unsent.push_back(segment);
                    break;
                }
                Err(error) => return Err(SendError::Io(error)),
            }
        }
        self.unsent.extend(segments);
        Ok(())
    }

    /// The packet that was just read into the buffer.
    fn take_packet(&mut self) -> Option<Packet> {
        let skip = if self.offload == Offload::None { 0 } else { offload::HEADER };
        let bytes = if self.buffer.len() >= COPY_BREAK {
            let mut full = std::mem::replace(&mut self.buffer, Vec::with_capacity(BUFFER));
            // A packet that waits for its reader holds no more than it is charged for. Allocators cut a block in place.
            if BUFFER - full.len() >= SLACK {
                full.shrink_to_fit();
            }
            let mut bytes = Bytes::from(full);
            let header = bytes.first_chunk().copied();
            bytes.advance(skip);
            (header, bytes)
        } else {
            (self.buffer.first_chunk().copied(), Bytes::copy_from_slice(self.buffer.get(skip..)?))
        };
        let (header, bytes) = bytes;
        let len = bytes.len();
        let mut packet = Packet::from_bytes(bytes);
        if self.offload != Offload::None {
            (packet.checksum, packet.segmentation) = offload::understand(&header?, len);
        }
        Some(packet)
    }

    /// Says which device an error is about, and what became of it.
    fn explain(&self, error: io::Error) -> io::Error {
        let name = &self.name;
        match error.raw_os_error() {
            Some(libc::EAGAIN) => error,
            // Deleted: ip link delete, or its network namespace ended.
            Some(libc::EBADFD | libc::ENODEV | libc::ENXIO) => {
                io::Error::new(io::ErrorKind::NotConnected, format!("TUN device {name} was removed"))
            }
            Some(libc::EIO) => {
                io::Error::new(io::ErrorKind::NetworkDown, format!("TUN device {name} is down (ip link set {name} up)"))
            }
            _ => io::Error::new(error.kind(), format!("TUN device {name}: {error}")),
        }
    }
}

/// The same packet with a body in one piece.
fn gathered(packet: &Packet) -> Packet {
    let body = packet.body().clone().into_contiguous();
    Packet::from_headers(packet.head(), body.into(), packet.checksum, packet.segmentation)
}

impl Link for TunLink {
    fn capabilities(&self) -> Capabilities {
        // A plain device takes super-segments, too: cut here they cost a fraction of what the stack needs to make each piece.
        Capabilities { mtu: self.mtu, gso_max: GSO_MAX, checksum: self.offload != Offload::None }
    }

    fn send(&mut self, _now: Instant, packet: Packet) -> Result<(), SendError> {
        if !self.unsent.is_empty() && !self.send_rest()? {
            return Err(SendError::Full(packet));
        }
        let header = match self.offload {
            Offload::None => None,
            Offload::Virtio { udp } => offload::describe(&packet, udp),
        };
        let Some(header) = header else { return self.write_cut(packet) };
        match self.write(Some(&header), &packet) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(SendError::Full(packet)),
            Err(error) => Err(SendError::Io(error)),
        }
    }

    fn flush(&mut self, _now: Instant) -> io::Result<()> {
        self.send_rest().map(drop)
    }

    fn recv(&mut self, _now: Instant, out: &mut Vec<Packet>, budget: usize) -> io::Result<usize> {
        let mut count = 0;
        while count < budget {
            match sys::read(self.file.as_raw_fd(), &mut self.buffer) {
                // What is no packet at all is skipped; the budget still bounds the call.
                Ok(_) => {
                    out.extend(self.take_packet());
                    count += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What was read before the error is delivered; the next call reports it.
                Err(_) if count > 0 => break,
                Err(error) => return Err(self.explain(error)),
            }
        }
        Ok(count)
    }

    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    fn wait(&self) -> Wait<'_> {
        Wait::Fd(self.file.as_fd())
    }

    fn set_waker(&mut self, _waker: Waker) {}
}
