//! Watching a lab: who sees which packet when, and the hash over all of it.
//!
//! An observer changes nothing: the run is the same with and without.
use std::fmt;

use segue_link::Capture;
use segue_stack::Instant;
use segue_wire::{ChecksumState, Packet};
use sha2::{Digest, Sha256};

use crate::lab::{CableId, HostId, Lab};

/// What happens to the packet at the time it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A host has given it to the cable.
    Sent,
    /// The same, but the path drops it, all or a part of it (of a super-segment).
    Lost,
    /// A host takes it from the cable.
    Arrived,
}

/// One packet at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// Virtual time.
    pub now: Instant,
    /// Which cable.
    pub cable: CableId,
    /// Who sent it.
    pub from: HostId,
    /// Whom the cable takes it to.
    pub to: HostId,
    /// What happens to it.
    pub moment: Moment,
    /// The packet or super-segment.
    pub packet: &'a Packet,
}

/// Whoever wants to see every packet of a lab.
pub trait Observer {
    /// A packet is sent or arrives; `lab` can be looked at as it is at this moment.
    fn on_packet(&mut self, lab: &Lab, sighting: Sighting<'_>);
}

/// A hash over every packet sent and received in a lab: time, cable, direction, bytes.
///
/// Two runs are the same exactly when their traces are.
#[derive(Clone, Default)]
pub struct Trace {
    hash: Sha256,
    packets: u64,
}

impl Trace {
    /// The hash so far, as lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.hash.clone().finalize())
    }

    /// How many sightings went in.
    pub fn packets(&self) -> u64 {
        self.packets
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({}, {} packets)", self.hex(), self.packets)
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Observer for Trace {
    fn on_packet(&mut self, _lab: &Lab, sighting: Sighting<'_>) {
        self.packets += 1;
        let place = [
            sighting.now.as_nanos(),
            sighting.cable.index() as u64,
            sighting.from.index() as u64,
            u64::from(sighting.moment != Moment::Arrived),
            sighting.packet.len() as u64,
            u64::from(sighting.packet.checksum == ChecksumState::Complete),
            sighting.packet.segmentation.map_or(0, |segmentation| segmentation.size.into()),
        ];
        for number in place {
            self.hash.update(number.to_le_bytes());
        }
        for slice in sighting.packet.slices() {
            self.hash.update(slice);
        }
    }
}

/// Writes what every host sends and receives into a capture, one interface per host and cable.
pub(crate) struct CaptureObserver {
    capture: Capture,
    taps: Vec<((HostId, CableId), segue_link::capture::Tap)>,
}

impl CaptureObserver {
    pub(crate) fn new(capture: Capture) -> Self {
        CaptureObserver { capture, taps: Vec::new() }
    }
}

impl Observer for CaptureObserver {
    fn on_packet(&mut self, lab: &Lab, sighting: Sighting<'_>) {
        let arrived = sighting.moment == Moment::Arrived;
        let host = if arrived { sighting.to } else { sighting.from };
        let key = (host, sighting.cable);
        let at = match self.taps.iter().position(|(known, _)| *known == key) {
            Some(at) => at,
            None => {
                let tap = self.capture.tap(lab.name(host), lab.mtu(sighting.cable));
                self.taps.push((key, tap));
                self.taps.len() - 1
            }
        };
        let tap = &mut self.taps[at].1;
        match sighting.moment {
            Moment::Arrived => tap.received(sighting.now, sighting.packet),
            Moment::Sent => tap.sent(sighting.now, sighting.packet),
            Moment::Lost => {
                tap.comment("lost on the path");
                tap.sent(sighting.now, sighting.packet);
            }
        }
    }
}
