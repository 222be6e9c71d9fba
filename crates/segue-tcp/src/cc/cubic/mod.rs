//! CUBIC: the window follows a cubic curve of the time since the last reduction.
//!
//! Owns RFC 9438 section 4, with HyStart++ (RFC 9406) for the first slow start. Where the RFC leaves
//! room, as Linux, to the segment: beta is 717/1024, a reduction starts from cwnd (which never exceeds what is used,
//! see `validation`), the curve says after how many acknowledged segments the window grows by one and is asked once in a
//! jiffy, a round trip ahead is the least one, and no step is faster than half a window in a round trip.
//! Invariant: `stage` is `None` from a reduction until congestion avoidance goes on.

mod curve;

use alloc::boxed::Box;
use segue_wire::Instant;

use super::controller::{AckSample, Controller, LossSample, Reason, Restart};
use super::hystart::HyStart;
use super::reno::Credit;
use super::{INFINITE, Window};
use crate::units::Packets;
use curve::{Curve, HZ, JIFFY, jiffies, ticks};

/// RFC 9438 section 4.6, beta = 0.7, in Linux's binary fraction.
const BETA: u64 = 717;
const BETA_PER: u64 = 1024;
/// Section 4.6: never below two segments.
const LEAST_SSTHRESH: u32 = 2;

/// Section 4.3: Reno's window grows by a segment for each 15/8 windows acknowledged, alpha = 8/15 for 9/17.
const RENO: u64 = 15;
const RENO_SHIFT: u32 = 3;
/// The window grows by one for each so many segments acknowledged: at least two, at most twenty while nothing is known of
/// the path, a hundred windows beyond the curve (Linux's bounds).
const FASTEST: u32 = 2;
const UNKNOWN: u32 = 20;
const WINDOWS: u32 = 100;
/// How long a window that stays is not looked at again, in jiffies.
const STANDSTILL: u64 = HZ / 32;
/// For so many jiffies after recovery round trips are not those of the path alone.
const UNSETTLED: u64 = HZ;

/// One stage of congestion avoidance.
#[derive(Clone, Copy, Debug)]
struct Stage {
    curve: Curve,
    /// t: when the stage began, moved on by every time in which the application was the limit
    /// (section 4.2).
    epoch: Instant,
    /// Up to when time has been looked at.
    seen: Instant,
    /// W_est: where Reno would be (section 4.3), and segments acknowledged since it last grew.
    reno: Packets,
    reno_acked: u64,
}

/// How fast the window grows. A reduction does not change it; the next stage does.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// Segments acknowledged for each by which the window grows.
    per: u32,
    /// The window for which the curve was asked last, and when, in jiffies: not twice in one, and in the meantime the
    /// window grows no slower than it did.
    asked: Option<(Packets, u64)>,
}

/// What must come back when a reduction was a mistake (section 4.9).
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    /// W_max: the window before the last reduction, or less by fast convergence; none before the first
    /// reduction and after a timeout.
    plateau: Option<Packets>,
    stage: Option<Stage>,
}

#[derive(Clone, Debug, Default)]
struct Memory {
    /// `None` before the first acknowledgment.
    hystart: Option<HyStart>,
    past: Past,
    pace: Pace,
    /// What was before the last reduction.
    undo: Option<Box<Past>>,
    /// Segments acknowledged since the window last grew in congestion avoidance.
    credit: Credit,
    /// Least round trip since the beginning or the last timeout, in microseconds; 0 before it is known.
    least_rtt: u32,
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
        self.past = Past { plateau: None, stage: None };
    }

    /// The path's own round trip, for looking ahead.
    fn note_rtt(&mut self, ack: &AckSample) {
        let unsettled =
            self.past.stage.is_some_and(|stage| jiffies(ack.now).saturating_sub(jiffies(stage.epoch)) < UNSETTLED);
        if let Some(rtt) = ack.rtt.filter(|_| !unsettled) {
            let rtt = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX).max(1);
            self.least_rtt = if self.least_rtt == 0 { rtt } else { self.least_rtt.min(rtt) };
        }
    }

    /// Sections 4.2 to 4.5.
    fn avoid_congestion(&mut self, window: &mut Window, now: Instant, acked: u32) {
        let (past, pace) = (&mut self.past, &mut self.pace);
        if let Some(stage) = &mut past.stage {
            stage.reno_acked += u64::from(acked);
        }
        let at = jiffies(now);
        if !pace.is_standing(window.cwnd, at) {
            let begins = past.stage.is_none();
            let stage = past.stage.get_or_insert_with(|| Stage::new(now, window.cwnd, past.plateau, acked));
            if begins || !pace.was_asked(at) {
                let most = if past.plateau.is_none() { UNKNOWN } else { u32::MAX };
                let target = stage.target(at, u64::from(self.least_rtt).div_ceil(JIFFY));
                *pace = Pace::towards(target, window.cwnd, at, most);
            }
            pace.per = stage.reno_friendly(window.cwnd, pace.per).max(FASTEST);
        }
        self.credit.grow(window, pace.per, acked);
    }
}

impl Pace {
    /// The window stays what it was, and the curve was asked a moment ago.
    fn is_standing(&self, cwnd: Packets, now: u64) -> bool {
        self.asked.is_some_and(|(then, at)| then == cwnd && now.saturating_sub(at) <= STANDSTILL)
    }

    fn was_asked(&self, now: u64) -> bool {
        self.asked.is_some_and(|(_, at)| at == now)
    }

    /// Sections 4.4 and 4.5: one formula for both sides of the plateau. `most`: of `per`.
    fn towards(target: Packets, cwnd: Packets, now: u64, most: u32) -> Pace {
        let gap = target.saturating_sub(cwnd).0;
        let per = cwnd.0.checked_div(gap).unwrap_or(cwnd.0.saturating_mul(WINDOWS)).min(most);
        Pace { per, asked: Some((cwnd, now)) }
    }
}

impl Stage {
    /// Sections 4.2, 4.8, 4.10: a stage that no reduction has led to starts on the plateau.
    fn new(now: Instant, cwnd: Packets, plateau: Option<Packets>, acked: u32) -> Stage {
        let curve = Curve::new(cwnd, plateau.unwrap_or(cwnd));
        Stage { curve, epoch: now, seen: now, reno: cwnd, reno_acked: u64::from(acked) }
    }

    /// Where the curve is `ahead` jiffies from now.
    fn target(&self, now: u64, ahead: u64) -> Packets {
        self.curve.at(ticks(now.saturating_sub(jiffies(self.epoch)) + ahead))
    }

    /// Section 4.3: `per`, or less where Reno's window is the larger one.
    fn reno_friendly(&mut self, cwnd: Packets, per: u32) -> u32 {
        let each = ((u64::from(cwnd.0) * RENO) >> RENO_SHIFT).max(1);
        let grown = self.reno_acked.saturating_sub(1) / each;
        self.reno_acked -= grown * each;
        self.reno = self.reno.saturating_add(Packets(u32::try_from(grown).unwrap_or(u32::MAX)));
        let behind = self.reno.saturating_sub(cwnd).0;
        cwnd.0.checked_div(behind).map_or(per, |reno| reno.min(per))
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
        memory.note_rtt(ack);
        let over = first && memory.round_ends_slow_start(ack);
        if acked > 0 && window.in_slow_start() {
            acked = memory.slow_start(window, acked);
        }
        if over && first {
            memory.leave_slow_start(window);
        } else if acked > 0 && !window.in_slow_start() {
            memory.avoid_congestion(window, ack.now, acked);
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
        memory.credit = Credit::default();
        memory.undo = Some(Box::new(memory.past));
        // Section 4.7: a flow that did not come back to where it was makes room for others.
        let shrinks = memory.past.plateau.is_some_and(|plateau| window.cwnd < plateau);
        let plateau = if shrinks { scaled(BETA_PER + BETA, 2 * BETA_PER) } else { window.cwnd };
        memory.past = Past { plateau: Some(plateau), stage: None };
        scaled(BETA, BETA_PER).max(Packets(LEAST_SSTHRESH))
    }

    fn on_rto(&mut self, _window: &mut Window, _sample: &LossSample) {
        // Section 4.8: the stage after the timeout starts on its own plateau.
        if let Some(memory) = &mut self.0 {
            memory.past.plateau = None;
            memory.past.stage = None;
            memory.pace = Pace::default();
            memory.least_rtt = 0;
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
mod against_linux;
#[cfg(test)]
mod tests;
