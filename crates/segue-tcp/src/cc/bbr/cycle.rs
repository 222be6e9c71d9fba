//! The cycle of probing for bandwidth: down, cruise, refill, up.
//!
//! Owns section 5.3.3.

use core::time::Duration;

use segue_wire::Instant;

use super::bandwidth::{Bandwidth, Gain};
use super::startup::FullBy;
use super::{Bbr, Sample, State, UNBOUNDED};
use crate::cc::Window;

/// Section 5.3.3.8: never more rounds than this between two probes.
const MOST_ROUNDS: u32 = 63;
const PROBE_WAIT: Duration = Duration::from_secs(2);
/// bw_probe_up_rounds stops here.
const MOST_UP_ROUNDS: u32 = 30;

/// Which part of a probe acknowledgments are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Acks {
    Init,
    Refilling,
    ProbeStarting,
    ProbeFeedback,
    ProbeStopping,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cycle {
    acks: Acks,
    /// cycle_stamp, and how long to wait from it (bw_probe_wait).
    since: Instant,
    wait: Duration,
    pub(super) rounds_since_probe: u32,
    /// is_bw_probe_sample: acknowledgments are about what was sent while probing.
    pub(super) probe_sample: bool,
    /// The last probe met too much loss; and: it stopped short because the one before it had.
    pub(super) prev_too_high: bool,
    prev_precautionary: bool,
    /// How `inflight_longterm` grows: segments acknowledged per segment of growth, and towards the next.
    acked_per_increase: u32,
    acked: u32,
    up_rounds: u32,
    random: u32,
}

impl Cycle {
    pub(super) fn new(now: Instant) -> Cycle {
        Cycle {
            acks: Acks::Init,
            since: now,
            wait: Duration::ZERO,
            rounds_since_probe: 0,
            probe_sample: false,
            prev_too_high: false,
            prev_precautionary: false,
            acked_per_increase: UNBOUNDED,
            acked: 0,
            up_rounds: 0,
            random: 0,
        }
    }

    /// Mixes in what no two connections share: sequence numbers.
    pub(super) fn stir(&mut self, number: u32) {
        self.random = (self.random ^ number).wrapping_mul(0x9e37_79b1).rotate_left(15);
    }

    /// PickProbeWait: so that flows do not probe together.
    fn pick_wait(&mut self) {
        self.rounds_since_probe = self.random & 1;
        let fraction = (u64::from(self.random >> 8) * 1_000_000_000) >> 24;
        self.wait = PROBE_WAIT + Duration::from_nanos(fraction);
    }

    #[cfg(test)]
    pub(super) fn picked(&mut self) -> (Duration, u32) {
        self.pick_wait();
        (self.wait, self.rounds_since_probe)
    }

    pub(super) fn stop_probing(&mut self) {
        self.acks = Acks::ProbeStopping;
    }

    /// RaiseInflightLongtermSlope: one segment of growth in the first round, then two, four, ...
    fn raise_slope(&mut self, cwnd: u32) {
        let growth = 1u32 << self.up_rounds;
        self.up_rounds = (self.up_rounds + 1).min(MOST_UP_ROUNDS);
        self.acked_per_increase = (cwnd / growth).max(1);
    }
}

impl Bbr {
    /// UpdateProbeBWCyclePhase (section 5.3.3.9).
    pub(super) fn update_cycle(&mut self, window: &Window, sample: &Sample) {
        if !self.full.was_reached() || self.adapt_long_term(window, sample) {
            return;
        }
        match self.state {
            State::Down if self.is_time_to_probe(window, sample.now) => self.start_refill(),
            State::Down if self.is_time_to_cruise(sample) => self.enter(State::Cruise),
            State::Cruise if self.is_time_to_probe(window, sample.now) => self.start_refill(),
            State::Refill if self.model.round_start => {
                self.cycle.probe_sample = true;
                self.start_up(window, sample);
            }
            State::Up => self.go_down_when_full(window, sample),
            _ => {}
        }
    }

    /// StartProbeBW_DOWN.
    pub(super) fn start_down(&mut self, now: Instant) {
        if self.state == State::Up {
            // Whatever ended Startup, the rate has been searched for again since.
            self.full.by = Some(FullBy::Rate);
        }
        self.model.reset_congestion_signals();
        self.path_loss.on_cycle();
        self.cycle.acked_per_increase = UNBOUNDED;
        self.cycle.pick_wait();
        self.cycle.since = now;
        self.cycle.stop_probing();
        self.model.start_round();
        self.enter(State::Down);
    }

    pub(super) fn start_cruise(&mut self) {
        self.enter(State::Cruise);
    }

    /// StartProbeBW_REFILL.
    pub(super) fn start_refill(&mut self) {
        self.model.reset_short_term();
        self.cycle.up_rounds = 0;
        self.cycle.acked = 0;
        self.cycle.prev_precautionary = false;
        self.cycle.acks = Acks::Refilling;
        self.model.start_round();
        self.enter(State::Refill);
    }

    /// StartProbeBW_UP.
    fn start_up(&mut self, window: &Window, sample: &Sample) {
        self.cycle.acks = Acks::ProbeStarting;
        self.model.start_round();
        self.full.reset();
        self.full.rate = sample.rate;
        self.enter(State::Up);
        self.cycle.raise_slope(window.cwnd.0);
    }

    /// IsTimeToProbeBW: by the clock, or by rounds, as often as Reno would come back to this window.
    fn is_time_to_probe(&self, window: &Window, now: Instant) -> bool {
        now > self.cycle.since + self.cycle.wait
            || self.cycle.rounds_since_probe >= self.target_inflight(window).min(MOST_ROUNDS)
    }

    /// IsTimeToCruise.
    fn is_time_to_cruise(&self, sample: &Sample) -> bool {
        sample.in_flight <= self.model.inflight_with_headroom()
            && sample.in_flight <= self.inflight_at(self.model.max_bw.get(), Gain::ONE)
    }

    fn go_down_when_full(&mut self, window: &Window, sample: &Sample) {
        if self.is_time_to_go_down(window, sample) {
            self.cycle.prev_too_high = false;
            self.start_down(sample.now);
        }
    }

    /// IsTimeToGoDown.
    fn is_time_to_go_down(&mut self, window: &Window, sample: &Sample) -> bool {
        let bound = self.model.inflight_longterm;
        // Section 5.3.3.6: where the last probe met loss, do not stay for a whole round.
        if self.cycle.prev_too_high && sample.in_flight >= bound {
            self.cycle.prev_precautionary = true;
            return true;
        }
        if sample.cwnd_limited && window.cwnd.0 >= bound {
            // The bound, not the path, limits the rate.
            self.full.reset();
            self.full.rate = sample.rate;
            return false;
        }
        self.full.now
    }

    /// AdaptLongTermModel. Whether it has decided on a state.
    fn adapt_long_term(&mut self, window: &Window, sample: &Sample) -> bool {
        if self.cycle.acks == Acks::ProbeStarting && self.model.round_start {
            self.cycle.acks = Acks::ProbeFeedback;
        }
        if self.cycle.acks == Acks::ProbeStopping && self.model.round_start {
            self.cycle.probe_sample = false;
            self.cycle.acks = Acks::Init;
            if self.state.is_probe_bw() {
                if !sample.app_limited {
                    self.model.max_bw.advance();
                }
                // Section 5.3.3.6: the short probe met no loss: probe in earnest at once.
                if self.cycle.prev_precautionary && !self.cycle.prev_too_high {
                    self.start_refill();
                    return true;
                }
            }
        }
        if !self.is_too_high(sample) && self.model.inflight_longterm != UNBOUNDED {
            self.model.inflight_longterm = self.model.inflight_longterm.max(sample.tx_in_flight);
            if self.state == State::Up {
                self.probe_upward(window, sample);
            }
        }
        false
    }

    /// ProbeInflightLongtermUpward.
    fn probe_upward(&mut self, window: &Window, sample: &Sample) {
        if !sample.cwnd_limited || window.cwnd.0 < self.model.inflight_longterm {
            return;
        }
        self.cycle.acked = self.cycle.acked.saturating_add(sample.newly);
        let increase = self.cycle.acked / self.cycle.acked_per_increase;
        self.cycle.acked -= increase * self.cycle.acked_per_increase;
        self.model.inflight_longterm = self.model.inflight_longterm.saturating_add(increase).min(UNBOUNDED - 1);
        if self.model.round_start {
            self.cycle.raise_slope(window.cwnd.0);
        }
    }

    /// Inflight(gain) of section 5.6.4.2 with the bandwidth in force.
    pub(super) fn inflight(&self, gain: Gain) -> u32 {
        self.inflight_at(self.model.bw, gain)
    }

    fn inflight_at(&self, bandwidth: Bandwidth, gain: Gain) -> u32 {
        self.quantized(self.bdp_multiple(bandwidth, gain))
    }
}
