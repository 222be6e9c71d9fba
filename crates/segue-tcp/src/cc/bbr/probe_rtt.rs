//! Measuring the round trip without a queue: now and then less is kept in flight for a while.
//!
//! Owns section 5.3.4.

use core::time::Duration;

use segue_wire::Instant;

use super::{Bbr, MIN_PIPE_CWND, Sample, State};
use crate::cc::Window;
use crate::units::Deadline;

const MIN_RTT_FILTER: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(5);
const DURATION: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
pub(super) struct ProbeRtt {
    /// probe_rtt_min_delay and probe_rtt_min_stamp.
    min: Option<Duration>,
    stamp: Instant,
    expired: bool,
    /// probe_rtt_done_stamp.
    done: Deadline,
    round_done: bool,
}

impl ProbeRtt {
    pub(super) fn new(now: Instant) -> ProbeRtt {
        ProbeRtt { min: None, stamp: now, expired: false, done: Deadline::NEVER, round_done: false }
    }
}

impl Bbr {
    /// UpdateMinRTT (section 5.3.4.3).
    pub(super) fn update_min_rtt(&mut self, sample: &Sample) {
        let probe = &mut self.probe_rtt;
        probe.expired = sample.now > probe.stamp + INTERVAL;
        if let Some(rtt) = sample.rtt
            && (probe.expired || probe.min.is_none_or(|min| rtt < min))
        {
            probe.min = Some(rtt);
            probe.stamp = sample.now;
        }
        let model = &mut self.model;
        let old = sample.now > model.min_rtt_stamp + MIN_RTT_FILTER;
        if let Some(min) = probe.min
            && (old || model.min_rtt.is_none_or(|current| min < current))
        {
            model.min_rtt = Some(min);
            model.min_rtt_stamp = probe.stamp;
        }
    }

    /// CheckProbeRTT.
    pub(super) fn check_probe_rtt(&mut self, window: &mut Window, sample: &Sample) {
        if self.state != State::ProbeRtt && self.probe_rtt.expired && !self.idle_restart {
            self.save_cwnd(window);
            self.enter(State::ProbeRtt);
            self.probe_rtt.done = Deadline::NEVER;
            self.cycle.stop_probing();
            self.model.start_round();
        }
        if self.state == State::ProbeRtt {
            self.stay_in_probe_rtt(window, sample);
        }
        if sample.delivered > 0 {
            self.idle_restart = false;
        }
    }

    /// HandleProbeRTT: for 200 ms and a round trip at least.
    fn stay_in_probe_rtt(&mut self, window: &mut Window, sample: &Sample) {
        if !self.probe_rtt.done.is_set() {
            if sample.in_flight <= self.probe_rtt_cwnd() {
                self.probe_rtt.done = Deadline::at(sample.now + DURATION);
                self.probe_rtt.round_done = false;
                self.model.start_round();
            }
            return;
        }
        self.probe_rtt.round_done |= self.model.round_start;
        if self.probe_rtt.round_done {
            self.check_probe_rtt_done(window, sample.now);
        }
    }

    /// CheckProbeRTTDone, ExitProbeRTT (section 5.3.4.4).
    pub(super) fn check_probe_rtt_done(&mut self, window: &mut Window, now: Instant) {
        if !self.probe_rtt.done.is_due(now) {
            return;
        }
        self.probe_rtt.stamp = now;
        self.restore_cwnd(window);
        self.model.reset_short_term();
        if self.full.was_reached() {
            self.start_down(now);
            self.start_cruise();
        } else {
            self.enter(State::Startup);
        }
    }

    /// ProbeRTTCwnd (section 5.6.4.5).
    pub(super) fn probe_rtt_cwnd(&self) -> u32 {
        self.bdp_multiple(self.model.bw, State::ProbeRtt.cwnd_gain()).max(MIN_PIPE_CWND)
    }
}
