//! Segment cutting: super-segments into wire packets, in software.

use crate::packet::Packet;

/// The wire packets of a super-segment, in order. See [`Packet::segments`].
#[derive(Debug)]
pub struct Segments(Option<Packet>);

impl Iterator for Segments {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        self.0.take()
    }
}

pub(crate) fn cut(_packet: Packet) -> Segments {
    todo!()
}

pub(crate) fn count(_packet: &Packet) -> usize {
    todo!()
}
