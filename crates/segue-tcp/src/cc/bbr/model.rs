//! The model of the path: rounds, bandwidth, round trip, aggregation, and what loss says of them.
//!
//! Owns sections 5.5.1 to 5.5.10. States do not decide here; they ask.

use core::time::Duration;

use segue_wire::Instant;

use super::bandwidth::{Bandwidth, Gain, MaxBandwidth, MaxVolume};
use super::{BETA, Bbr, MIN_PIPE_CWND, Sample, State, UNBOUNDED};
use crate::cc::Window;

/// ExtraAckedFilterLen, in rounds; one until the pipe has been full.
const EXTRA_ACKED_ROUNDS: u32 = 10;
/// What is left free of `inflight_longterm` (Headroom, 15 %).
const HEADROOM: Gain = Gain(15);

#[derive(Clone, Debug)]
pub(super) struct Model {
    /// C.delivered, modulo 2^32.
    pub(super) delivered: u32,
    /// A round ends when something is delivered that left when this much had been.
    next_round_delivered: u32,
    pub(super) round_count: u32,
    pub(super) round_start: bool,
    pub(super) max_bw: MaxBandwidth,
    pub(super) bw: Bandwidth,
    pub(super) min_rtt: Option<Duration>,
    pub(super) min_rtt_stamp: Instant,
    /// Bounds that loss outside probing has set; until the next probe.
    pub(super) bw_shortterm: Bandwidth,
    pub(super) inflight_shortterm: u32,
    /// What probing has shown to be safe.
    pub(super) inflight_longterm: u32,
    /// The most of the current loss round.
    bw_latest: Bandwidth,
    pub(super) inflight_latest: u32,
    pub(super) loss_round_delivered: u32,
    pub(super) loss_round_start: bool,
    pub(super) loss_in_round: bool,
    /// The network has marked segments in it.
    pub(super) marks_in_round: bool,
    extra_acked: MaxVolume,
    extra_acked_since: Instant,
    extra_acked_delivered: u32,
}

/// Whether a count modulo 2^32 has reached another.
fn reached(count: u32, mark: u32) -> bool {
    count.wrapping_sub(mark) as i32 >= 0
}

impl Model {
    pub(super) fn new(now: Instant) -> Model {
        Model {
            delivered: 0,
            next_round_delivered: 0,
            round_count: 0,
            round_start: false,
            max_bw: MaxBandwidth::default(),
            bw: Bandwidth::ZERO,
            min_rtt: None,
            min_rtt_stamp: now,
            bw_shortterm: Bandwidth::INFINITE,
            inflight_shortterm: UNBOUNDED,
            inflight_longterm: UNBOUNDED,
            bw_latest: Bandwidth::ZERO,
            inflight_latest: 0,
            loss_round_delivered: 0,
            loss_round_start: false,
            loss_in_round: false,
            marks_in_round: false,
            extra_acked: MaxVolume::default(),
            extra_acked_since: now,
            extra_acked_delivered: 0,
        }
    }

    /// StartRound (section 5.5.1).
    pub(super) fn start_round(&mut self) {
        self.next_round_delivered = self.delivered;
    }

    /// UpdateRound. Whether a round has ended.
    fn update_round(&mut self, sample: &Sample) -> bool {
        self.round_start = reached(sample.prior_delivered, self.next_round_delivered);
        if self.round_start {
            self.start_round();
            self.round_count = self.round_count.wrapping_add(1);
        }
        self.round_start
    }

    /// UpdateMaxBw (section 5.5.5).
    fn update_max_bw(&mut self, sample: &Sample) {
        if sample.rate > Bandwidth::ZERO && (sample.rate >= self.max_bw.get() || !sample.app_limited) {
            self.max_bw.update(sample.rate);
        }
    }

    /// UpdateACKAggregation (section 5.5.9).
    pub(super) fn update_aggregation(&mut self, sample: &Sample, cwnd: u32, full: bool) {
        let mut expected = self.bw.volume(sample.now - self.extra_acked_since);
        if self.extra_acked_delivered <= expected {
            self.restart_aggregation(sample.now);
            expected = 0;
        }
        self.extra_acked_delivered = self.extra_acked_delivered.saturating_add(sample.newly);
        let extra = self.extra_acked_delivered.saturating_sub(expected).min(cwnd);
        let window = if full { EXTRA_ACKED_ROUNDS } else { 1 };
        self.extra_acked.update(self.round_count, window, extra);
    }

    pub(super) fn restart_aggregation(&mut self, now: Instant) {
        self.extra_acked_delivered = 0;
        self.extra_acked_since = now;
    }

    pub(super) fn extra_acked(&self) -> u32 {
        self.extra_acked.get()
    }

    /// ResetShortTermModel.
    pub(super) fn reset_short_term(&mut self) {
        self.bw_shortterm = Bandwidth::INFINITE;
        self.inflight_shortterm = UNBOUNDED;
    }

    /// ResetCongestionSignals.
    pub(super) fn reset_congestion_signals(&mut self) {
        self.loss_in_round = false;
        self.marks_in_round = false;
        self.bw_latest = Bandwidth::ZERO;
        self.inflight_latest = 0;
    }

    /// InitLowerBounds, LossLowerBounds (section 5.5.10.3).
    fn lower_bounds(&mut self, cwnd: u32) {
        if self.bw_shortterm == Bandwidth::INFINITE {
            self.bw_shortterm = self.max_bw.get();
        }
        if self.inflight_shortterm == UNBOUNDED {
            self.inflight_shortterm = cwnd;
        }
        self.bw_shortterm = self.bw_latest.max(self.bw_shortterm.times(BETA));
        self.inflight_shortterm = self.inflight_latest.max(BETA.of_floor(self.inflight_shortterm));
    }

    /// AdvanceLatestDeliverySignals.
    pub(super) fn advance_latest_delivery(&mut self, sample: &Sample) {
        if self.loss_round_start {
            self.bw_latest = sample.rate;
            self.inflight_latest = sample.delivered;
        }
    }

    /// BoundBWForModel.
    pub(super) fn bound_bandwidth(&mut self) {
        self.bw = self.max_bw.get().min(self.bw_shortterm);
    }

    /// BBR.bdp; `None` before the first round trip.
    pub(super) fn bdp(&self) -> Option<u32> {
        self.min_rtt.map(|rtt| self.bw.volume(rtt))
    }

    /// InflightWithHeadroom (section 5.3.3.9).
    pub(super) fn inflight_with_headroom(&self) -> u32 {
        if self.inflight_longterm == UNBOUNDED {
            return UNBOUNDED;
        }
        let headroom = HEADROOM.of(self.inflight_longterm).max(1);
        self.inflight_longterm.saturating_sub(headroom).max(MIN_PIPE_CWND)
    }
}

impl Bbr {
    /// UpdateLatestDeliverySignals.
    pub(super) fn update_latest_delivery(&mut self, sample: &Sample) {
        let model = &mut self.model;
        model.delivered = sample.total_delivered;
        model.bw_latest = model.bw_latest.max(sample.rate);
        model.inflight_latest = model.inflight_latest.max(sample.delivered);
        model.loss_round_start = reached(sample.prior_delivered, model.loss_round_delivered);
        if model.loss_round_start {
            model.loss_round_delivered = sample.total_delivered;
        }
    }

    /// UpdateCongestionSignals: once per round trip, adapt to the loss in it.
    pub(super) fn update_congestion_signals(&mut self, window: &Window, sample: &Sample) {
        if self.model.update_round(sample) {
            self.cycle.rounds_since_probe = self.cycle.rounds_since_probe.saturating_add(1);
        }
        self.model.update_max_bw(sample);
        self.count_startup_loss(sample);
        if !self.model.loss_round_start {
            return;
        }
        // AdaptLowerBoundsFromCongestion; for loss above the threshold only, see `path_loss`.
        let congested = self.model.marks_in_round || (self.model.loss_in_round && self.is_too_high(sample));
        if congested && !self.state.is_probing() {
            self.model.lower_bounds(window.cwnd.0);
        }
        self.model.loss_in_round = false;
        self.model.marks_in_round = false;
    }

    /// TargetInflight (section 5.3.3.8.3): the estimated BDP, unless congestion has cut the window.
    pub(super) fn target_inflight(&self, window: &Window) -> u32 {
        self.model.bdp().unwrap_or(self.initial_cwnd).min(window.cwnd.0)
    }

    /// HandleInflightTooHigh (section 5.5.10.2). `in_flight`: at which volume it became so.
    pub(super) fn handle_inflight_too_high(&mut self, window: &Window, now: Instant, in_flight: u32, app: bool) {
        self.cycle.prev_too_high = true;
        self.cycle.probe_sample = false;
        if !app {
            let floor = BETA.of_floor(self.target_inflight(window));
            self.model.inflight_longterm = in_flight.max(floor);
        }
        if self.state == State::Up {
            self.saved.state = Some(State::Up);
            self.start_down(now);
        }
    }
}
