//! The packets of a run, one line each as tcpdump prints them.
use std::collections::VecDeque;

use segue_wire::{Instant, Packet, format};

/// Lines kept.
const KEPT: usize = 400;
/// Lines kept when all are wanted: more is a run that nobody reads.
const ALL: usize = 200_000;

pub(crate) struct Trace {
    start: Instant,
    relative: format::Relative,
    lines: VecDeque<String>,
    kept: usize,
    /// Packets both ways.
    pub(crate) packets: u64,
}

impl Trace {
    pub(super) fn new(start: Instant, keeps_all: bool) -> Trace {
        let kept = if keeps_all { ALL } else { KEPT };
        Trace { start, relative: format::Relative::new(), lines: VecDeque::new(), kept, packets: 0 }
    }

    /// The time that lines count from.
    pub(super) fn set_start(&mut self, start: Instant) {
        self.start = start;
    }

    pub(super) fn note(&mut self, at: Instant, direction: &str, packet: &Packet) {
        self.packets += 1;
        let seconds = at.saturating_duration_since(self.start).as_secs_f64();
        self.lines.push_back(format!("{seconds:12.6} {direction} {}", self.relative.line(packet)));
        if self.lines.len() > self.kept {
            self.lines.pop_front();
        }
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
