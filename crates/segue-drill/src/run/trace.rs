//! The packets of a run, one line each as tcpdump prints them.
use std::collections::VecDeque;

use segue_wire::{Instant, Packet, format};

/// Lines kept.
const KEPT: usize = 400;

pub(crate) struct Trace {
    start: Instant,
    relative: format::Relative,
    lines: VecDeque<String>,
    /// Packets both ways.
    pub(crate) packets: u64,
}

impl Trace {
    pub(super) fn new(start: Instant) -> Trace {
        Trace { start, relative: format::Relative::new(), lines: VecDeque::new(), packets: 0 }
    }

    /// The time that lines count from.
    pub(super) fn set_start(&mut self, start: Instant) {
        self.start = start;
    }

    pub(super) fn note(&mut self, at: Instant, direction: &str, packet: &Packet) {
        self.packets += 1;
        let seconds = at.saturating_duration_since(self.start).as_secs_f64();
        self.lines.push_back(format!("{seconds:12.6} {direction} {}", self.relative.line(packet)));
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
