//! What the model and the state come to: pacing rate, send quantum, window.
//!
//! Owns section 5.6.

use core::time::Duration;

use super::bandwidth::{Bandwidth, Gain};
use super::{Bbr, MIN_PIPE_CWND, Sample, State, UNBOUNDED};
use crate::cc::Window;
use crate::units::Packets;

/// PacingMarginPercent: one below the bandwidth.
const MARGIN: Gain = Gain(99);
/// Round trip assumed when none is known (section 5.6.2).
const NOMINAL_RTT: Duration = Duration::from_millis(1);
/// Section 5.6.3: the volume of a millisecond, 64 KiB at most, two segments at least.
const QUANTA_PER_SECOND: u64 = 1000;
const LARGEST_QUANTUM: u64 = 64 << 10;
/// Section 5.5.8.1: one quantum with the sender, one in the device, one with the receiver.
const OFFLOAD_QUANTA: u32 = 3;

impl Bbr {
    /// InitPacingRate: by the initial window and the handshake's round trip; once more when the first
    /// was not known.
    pub(super) fn begin_pacing(&mut self, srtt: Option<Duration>) {
        if self.pacing_rate.is_some() && !(self.guessed_rate && srtt.is_some()) {
            return;
        }
        self.guessed_rate = srtt.is_none();
        let nominal = Bandwidth::of(self.initial_cwnd, srtt.unwrap_or(NOMINAL_RTT));
        self.pacing_rate = Some(nominal.times(State::Startup.pacing_gain()).bytes(self.mss));
        self.set_send_quantum();
    }

    /// SetPacingRateWithGain (section 5.6.2). Until the pipe has been full, rates that only the
    /// application limited do not slow the flow down.
    pub(super) fn set_pacing_rate(&mut self, gain: Gain) {
        if self.model.bw == Bandwidth::ZERO {
            return;
        }
        let rate = self.model.bw.times(gain).times(MARGIN).bytes(self.mss);
        if self.full.was_reached() || self.pacing_rate.is_none_or(|current| rate > current) {
            self.pacing_rate = Some(rate);
        }
    }

    /// SetSendQuantum.
    pub(super) fn set_send_quantum(&mut self) {
        let quantum = (self.pacing_rate.unwrap_or(0) / QUANTA_PER_SECOND).min(LARGEST_QUANTUM);
        self.send_quantum = (quantum as u32).max(self.mss.saturating_mul(2));
    }

    /// BDPMultiple (section 5.6.4.2).
    pub(super) fn bdp_multiple(&self, bandwidth: Bandwidth, gain: Gain) -> u32 {
        match self.model.min_rtt {
            Some(min_rtt) => gain.of(bandwidth.volume(min_rtt)),
            None => self.initial_cwnd,
        }
    }

    /// QuantizationBudget.
    pub(super) fn quantized(&self, volume: u32) -> u32 {
        let offload = OFFLOAD_QUANTA * self.send_quantum.div_ceil(self.mss);
        let volume = volume.max(offload).max(MIN_PIPE_CWND);
        if self.state == State::Up { volume.saturating_add(2) } else { volume }
    }

    /// SetCwnd (section 5.6.4.6).
    pub(super) fn set_cwnd(&mut self, window: &mut Window, sample: &Sample) {
        let bdp = self.bdp_multiple(self.model.bw, self.state.cwnd_gain());
        let most = self.quantized(bdp.saturating_add(self.model.extra_acked()));
        let grown = window.cwnd.0.saturating_add(sample.newly);
        let cwnd = if self.full.was_reached() {
            grown.min(most)
        } else if window.cwnd.0 < most || sample.total_delivered < self.initial_cwnd {
            grown
        } else {
            window.cwnd.0
        };
        window.cwnd = Packets(cwnd.max(MIN_PIPE_CWND));
        if self.state == State::ProbeRtt {
            window.cwnd = window.cwnd.min(Packets(self.probe_rtt_cwnd()));
        }
        self.bound_cwnd(window);
    }

    /// BoundCwndForModel (section 5.6.4.7).
    pub(super) fn bound_cwnd(&self, window: &mut Window) {
        let cap = match self.state {
            State::Down | State::Refill | State::Up => self.model.inflight_longterm,
            State::Cruise | State::ProbeRtt => self.model.inflight_with_headroom(),
            State::Startup | State::Drain { .. } => UNBOUNDED,
        };
        let cap = cap.min(self.model.inflight_shortterm).max(MIN_PIPE_CWND);
        window.cwnd = window.cwnd.min(Packets(cap));
    }
}
