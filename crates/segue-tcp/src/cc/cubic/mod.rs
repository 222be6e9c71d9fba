//! CUBIC: the window follows a cubic curve of the time since the last reduction.
//!
//! Owns RFC 9438 section 4, with HyStart++ (RFC 9406) for the first slow start. Where the RFC leaves
//! room, as Linux: beta is 717/1024, a reduction starts from cwnd (which never exceeds what is used,
//! see `validation`), and no step is faster than half a window in a round trip.
//! Invariant: `stage` is `None` from a reduction until congestion avoidance goes on.

mod curve;

use alloc::boxed::Box;
use segue_wire::Instant;

use super::controller::{AckSample, Controller, LossSample, Reason, Restart};
use super::hystart::HyStart;
use super::{INFINITE, Window};
use crate::units::Packets;
use curve::{Curve, Segments, reno_step, step_towards};

/// RFC 9438 section 4.6, beta = 0.7, in Linux's binary fraction.
const BETA: u64 = 717;
const BETA_PER: u64 = 1024;
/// Section 4.6: never below two segments.
const LEAST_SSTHRESH: u32 = 2;

/// One stage of congestion avoidance.
#[derive(Clone, Copy, Debug)]
struct Stage {
    curve: Curve,
    /// t: when the stage began, moved on by every time in which the application was the limit
    /// (section 4.2).
    epoch: Instant,
    /// Up to when time has been looked at.
    seen: Instant,
    /// W_est: where Reno would be (section 4.3).
    reno: Segments,
    /// Fraction of a segment that the window has beyond cwnd.
    fraction: u32,
}

/// What must come back when a reduction was a mistake (section 4.9).
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    /// W_max: the window before the last reduction, or less by fast convergence; none before the first
    /// reduction and after a timeout.
    plateau: Option<Packets>,
    /// cwnd_prior: the window when ssthresh was last set.
    prior: Packets,
    stage: Option<Stage>,
}

#[derive(Clone, Debug, Default)]
struct Memory {
    /// `None` before the first acknowledgment.
    hystart: Option<HyStart>,
    past: Past,
    /// What was before the last reduction.
    undo: Option<Box<Past>>,
}

/// The algorithm. It needs no memory before the window is used for the first time.
#[derive(Clone, Debug, Default)]
pub(super) struct Cubic(Option<Box<Memory>>);

impl Cubic {
    fn memory(&mut self) -> &mut Memory {
        self.0.get_or_insert_default()
    }
}

impl Memory {
    fn slow_start(&mut self, window: &mut Window, acked: u32) -> u32 {
        // RFC 9406 section 4.3: only the first slow start is watched.
        if window.ssthresh < INFINITE {
            return window.slow_start(acked);
        }
        let growth = self.hystart.as_mut().map_or(acked, |hystart| hystart.growth(acked));
        window.slow_start(growth)
    }

    fn round_ends_slow_start(&mut self, ack: &AckSample) -> bool {
        self.hystart.get_or_insert_with(|| HyStart::new(ack.nxt)).on_ack(ack.una, ack.nxt, ack.rtt)
    }

    /// RFC 9406 section 4.2: slow start is over without loss. RFC 9438 section 4.10: the curve starts
    /// from here.
    fn leave_slow_start(&mut self, window: &mut Window) {
        window.ssthresh = window.cwnd;
        self.past = Past { plateau: None, prior: window.cwnd, stage: None };
    }

    /// Sections 4.2 to 4.5.
    fn avoid_congestion(&mut self, window: &mut Window, ack: &AckSample, acked: u32) {
        let past = &mut self.past;
        let stage = past.stage.get_or_insert_with(|| Stage::new(ack.now, window.cwnd, past.plateau));
        let cwnd = Segments::with_fraction(window.cwnd.0, stage.fraction);
        // Section 4.3: as fast as Reno once Reno is back where it was.
        let whole = stage.reno >= Segments::whole(past.prior.0);
        stage.reno = stage.reno.plus(reno_step(cwnd, acked, whole));
        let fastest = cwnd.plus(step_towards(cwnd, cwnd.and_a_half(), acked));
        let t = ack.now - stage.epoch;
        let next = if stage.curve.at(t) < stage.reno {
            stage.reno.min(fastest).max(cwnd)
        } else {
            // Sections 4.4 and 4.5: one formula for both sides of the plateau.
            let target = stage.curve.at(t + ack.srtt.unwrap_or_default()).min(cwnd.and_a_half());
            cwnd.plus(step_towards(cwnd, target, acked))
        };
        let next = next.min(Segments::whole(INFINITE.0));
        window.cwnd = Packets(next.floor());
        stage.fraction = next.fraction();
    }
}

impl Stage {
    /// Sections 4.2, 4.8, 4.10: a stage that no reduction has led to starts on the plateau.
    fn new(now: Instant, cwnd: Packets, plateau: Option<Packets>) -> Stage {
        let from = Segments::whole(cwnd.0);
        let plateau = plateau.map_or(from, |plateau| Segments::whole(plateau.0));
        Stage { curve: Curve::new(from, plateau), epoch: now, seen: now, reno: from, fraction: 0 }
    }

    /// Time since `seen` is not the curve's.
    fn skip(&mut self, now: Instant) {
        self.epoch += now - self.seen;
        self.seen = now;
    }
}

impl Controller for Cubic {
    fn on_ack(&mut self, window: &mut Window, ack: &AckSample) {
        let first = window.in_slow_start() && window.ssthresh == INFINITE;
        let mut acked = if ack.cwnd_limited { ack.credit.0 } else { 0 };
        if self.0.is_none() && acked == 0 {
            return;
        }
        let memory = self.memory();
        let over = first && memory.round_ends_slow_start(ack);
        if acked > 0 && window.in_slow_start() {
            acked = memory.slow_start(window, acked);
        }
        if over && first {
            memory.leave_slow_start(window);
        } else if acked > 0 && !window.in_slow_start() {
            memory.avoid_congestion(window, ack, acked);
        }
        if let Some(stage) = &mut memory.past.stage {
            // Section 4.2: only what the application leaves unused is not the curve's; time in which acknowledgments
            // tell of reordering alone is.
            if !ack.cwnd_limited {
                stage.skip(ack.now);
            }
            stage.seen = ack.now;
        } else if ack.una == ack.nxt && memory.past.plateau.is_none() && memory.undo.is_none() {
            // All is quiet, and only rounds of slow start are known: those begin anew.
            self.0 = None;
        }
    }

    fn reduced(&mut self, window: &Window, _sample: &LossSample, _reason: Reason) -> Packets {
        let scaled = |numerator: u64, denominator: u64| {
            Packets((u64::from(window.cwnd.0) * numerator / denominator).min(u64::from(INFINITE.0)) as u32)
        };
        let memory = self.memory();
        memory.undo = Some(Box::new(memory.past));
        // Section 4.7: a flow that did not come back to where it was makes room for others.
        let shrinks = memory.past.plateau.is_some_and(|plateau| window.cwnd < plateau);
        let plateau = if shrinks { scaled(BETA_PER + BETA, 2 * BETA_PER) } else { window.cwnd };
        memory.past = Past { plateau: Some(plateau), prior: window.cwnd, stage: None };
        scaled(BETA, BETA_PER).max(Packets(LEAST_SSTHRESH))
    }

    fn on_rto(&mut self, _window: &mut Window, _sample: &LossSample) {
        // Section 4.8: the stage after the timeout starts on its own plateau.
        if let Some(memory) = &mut self.0 {
            memory.past.plateau = None;
            memory.past.stage = None;
        }
    }

    fn on_undo(&mut self, _window: &mut Window, now: Instant) {
        // Section 4.9.
        if let Some(memory) = &mut self.0
            && let Some(past) = memory.undo.take()
        {
            memory.past = *past;
            if let Some(stage) = &mut memory.past.stage {
                stage.skip(now);
            }
        }
    }

    fn on_restart(&mut self, _window: &mut Window, restart: &Restart) {
        // Section 5.8: time in which nothing was sent is not the curve's.
        if let Some(stage) = self.0.as_mut().and_then(|memory| memory.past.stage.as_mut()) {
            stage.skip(restart.now);
        }
    }
}

#[cfg(test)]
mod tests;
