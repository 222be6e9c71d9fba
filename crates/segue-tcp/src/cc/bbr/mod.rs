//! BBR, version 3: a model of the path instead of a reaction to loss.
//!
//! Owns draft-ietf-ccwg-bbr (-06) section 5; section numbers in this folder are the draft's. Volumes are
//! segments. Here: what is remembered, the order of steps for each acknowledgment (5.2), recovery and
//! undo. The model is in `model`, the states in `startup`, `cycle` and `probe_rtt`, what comes of them
//! (pacing, window) in `control`. Loss detection and the delivery rate come from outside.
//! Invariant: `bw` is `max_bw` bounded by `bw_shortterm` after every acknowledgment.

mod bandwidth;
mod control;
mod cycle;
mod model;
mod path_loss;
mod probe_rtt;
mod startup;

use core::time::Duration;

use segue_wire::Instant;

use super::Window;
use super::controller::{AckSample, Controller, LossSample, LostSegment, Reason, Restart};
use crate::info::BbrInfo;
use crate::journal::ControllerPhase;
use crate::units::Packets;
use bandwidth::{Bandwidth, Gain};
use cycle::Cycle;
use model::Model;
use path_loss::PathLoss;
use probe_rtt::ProbeRtt;
use startup::FullPipe;

/// "Infinity" of a volume.
const UNBOUNDED: u32 = u32::MAX;
/// Section 5.6.4.3, MinPipeCwnd.
const MIN_PIPE_CWND: u32 = 4;
/// Section 2, Beta.
const BETA: Gain = Gain(70);

/// The states of section 5.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Startup,
    /// Since this round.
    Drain {
        since: u32,
    },
    Down,
    Cruise,
    Refill,
    Up,
    ProbeRtt,
}

impl State {
    fn is_probe_bw(self) -> bool {
        matches!(self, State::Down | State::Cruise | State::Refill | State::Up)
    }

    /// Accelerating: loss is the price of an answer, not a reason to slow down (IsProbingBW).
    fn is_probing(self) -> bool {
        matches!(self, State::Startup | State::Refill | State::Up)
    }

    /// Section 5.6.1.
    fn pacing_gain(self) -> Gain {
        match self {
            State::Startup => Gain(277),
            State::Drain { .. } => Gain(50),
            State::Down => Gain(90),
            State::Cruise | State::Refill | State::ProbeRtt => Gain(100),
            State::Up => Gain(125),
        }
    }

    /// Section 5.6.1.
    fn cwnd_gain(self) -> Gain {
        match self {
            State::Up => Gain(225),
            State::ProbeRtt => Gain(50),
            _ => Gain(200),
        }
    }
}

/// What an acknowledgment says, as the steps need it.
#[derive(Clone, Copy, Debug)]
struct Sample {
    now: Instant,
    /// C.delivered, and what it was when the newest delivered segment left; modulo 2^32.
    total_delivered: u32,
    prior_delivered: u32,
    /// RS.delivered.
    delivered: u32,
    /// RS.newly_acked.
    newly: u32,
    /// RS.delivery_rate; zero when it cannot be told.
    rate: Bandwidth,
    app_limited: bool,
    /// RS.tx_in_flight and RS.lost.
    tx_in_flight: u32,
    lost: u32,
    /// This acknowledgment found losses.
    finds_loss: bool,
    rtt: Option<Duration>,
    in_flight: u32,
    cwnd_limited: bool,
    /// The peer's window, and neither cwnd nor the application, held the sender back.
    peer_limited: bool,
    /// Fast recovery, or that after a timeout, goes on.
    recovering: bool,
    /// The peer acknowledges selectively.
    sack: bool,
}

/// What recovery may have to bring back (section 5.5.11).
#[derive(Clone, Copy, Debug)]
struct Saved {
    /// The state that loss ended.
    state: Option<State>,
    bw_shortterm: Bandwidth,
    inflight_shortterm: u32,
    inflight_longterm: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Bbr {
    state: State,
    model: Model,
    path_loss: PathLoss,
    full: FullPipe,
    cycle: Cycle,
    probe_rtt: ProbeRtt,
    saved: Saved,
    /// Round in which recovery began.
    recovering: Option<u32>,
    /// prior_cwnd: the last good window.
    prior_cwnd: u32,
    /// C.InitialCwnd.
    initial_cwnd: u32,
    /// A restart from idle has not been answered yet.
    idle_restart: bool,
    /// Bytes per second.
    pacing_rate: Option<u64>,
    /// The pacing rate was set without knowing a round trip.
    guessed_rate: bool,
    /// Bytes.
    send_quantum: u32,
    mss: u32,
}

impl Bbr {
    /// Section 5.2.1. The model begins with the first round trip.
    pub(super) fn new(now: Instant, window: &Window) -> Bbr {
        Bbr {
            state: State::Startup,
            model: Model::new(now),
            path_loss: PathLoss::default(),
            full: FullPipe::default(),
            cycle: Cycle::new(now),
            probe_rtt: ProbeRtt::new(now),
            saved: Saved {
                state: None,
                bw_shortterm: Bandwidth::INFINITE,
                inflight_shortterm: UNBOUNDED,
                inflight_longterm: UNBOUNDED,
            },
            recovering: None,
            prior_cwnd: 0,
            initial_cwnd: window.cwnd.0,
            idle_restart: false,
            pacing_rate: None,
            guessed_rate: true,
            send_quantum: 0,
            mss: 1,
        }
    }

    /// The model follows, then the states, then what they decide (section 5.2.3).
    fn on_sample(&mut self, window: &mut Window, sample: &Sample) {
        self.update_latest_delivery(sample);
        self.update_congestion_signals(window, sample);
        self.model.update_aggregation(sample, window.cwnd.0, self.full.was_reached());
        self.full.check(sample, self.model.round_start, self.path_loss.queue_was_low);
        self.check_startup_done(window, sample);
        self.check_drain_done(sample);
        self.update_cycle(window, sample);
        self.update_path_loss(sample);
        self.update_min_rtt(sample);
        self.check_probe_rtt(window, sample);
        self.model.advance_latest_delivery(sample);
        self.model.bound_bandwidth();
        self.set_pacing_rate(self.state.pacing_gain());
        self.set_send_quantum();
        self.set_cwnd(window, sample);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
    }

    /// SaveCwnd.
    fn save_cwnd(&mut self, window: &Window) {
        let cwnd = window.cwnd.0;
        let undisturbed = self.recovering.is_none() && self.state != State::ProbeRtt;
        self.prior_cwnd = if undisturbed { cwnd } else { self.prior_cwnd.max(cwnd) };
    }

    /// RestoreCwnd.
    fn restore_cwnd(&self, window: &mut Window) {
        window.cwnd = window.cwnd.max(Packets(self.prior_cwnd));
    }

    /// SaveStateUponLoss.
    fn save_state(&mut self, window: &Window) {
        self.save_cwnd(window);
        self.saved = Saved {
            state: None,
            bw_shortterm: self.model.bw_shortterm,
            inflight_shortterm: self.model.inflight_shortterm,
            inflight_longterm: self.model.inflight_longterm,
        };
    }

    /// IsInflightTooHigh (section 5.5.10.2).
    fn is_too_high(&self, sample: &Sample) -> bool {
        self.path_loss.is_too_high(sample.lost, sample.tx_in_flight) || (sample.lost > 0 && !sample.sack)
    }

    /// NoteLoss (section 5.5.10.2).
    fn note_loss(&mut self, window: &Window) {
        if !self.model.loss_in_round {
            self.model.loss_round_delivered = self.model.delivered;
            self.save_state(window);
        }
        self.model.loss_in_round = true;
    }
}

impl Controller for Bbr {
    fn phase(&self, _window: &Window) -> ControllerPhase {
        match self.state {
            State::Startup => ControllerPhase::Startup,
            State::Drain { .. } => ControllerPhase::Drain,
            State::Down => ControllerPhase::ProbeDown,
            State::Cruise => ControllerPhase::ProbeCruise,
            State::Refill => ControllerPhase::ProbeRefill,
            State::Up => ControllerPhase::ProbeUp,
            State::ProbeRtt => ControllerPhase::ProbeRtt,
        }
    }

    fn on_ack(&mut self, window: &mut Window, ack: &AckSample) {
        let Some(rate) = ack.rate else { return };
        self.mss = ack.mss.max(1);
        self.begin_pacing(ack.srtt);
        let sample = Sample {
            now: ack.now,
            total_delivered: rate.prior_delivered.wrapping_add(rate.delivered.0),
            prior_delivered: rate.prior_delivered,
            delivered: rate.delivered.0,
            newly: ack.delivered.0,
            rate: rate.interval.map_or(Bandwidth::ZERO, |interval| Bandwidth::of(rate.delivered.0, interval)),
            app_limited: rate.app_limited,
            tx_in_flight: rate.tx_in_flight.0,
            lost: rate.lost.0,
            finds_loss: ack.lost.0 > 0,
            rtt: ack.rtt,
            in_flight: ack.in_flight.0,
            cwnd_limited: ack.cwnd_limited,
            peer_limited: ack.peer_limited,
            recovering: self.recovering.is_some(),
            sack: ack.selective,
        };
        self.cycle.stir(ack.una.raw());
        self.on_sample(window, &sample);
    }

    /// OnEnterFastRecovery (section 5.6.4.4). The window is the model's: ssthresh stays.
    fn reduced(&mut self, window: &Window, sample: &LossSample, reason: Reason) -> Packets {
        match reason {
            Reason::Loss => {
                self.save_state(window);
                self.recovering = Some(self.model.round_count);
            }
            Reason::Mark => self.on_mark(window, sample),
        }
        window.ssthresh
    }

    fn on_rto(&mut self, window: &mut Window, sample: &LossSample) {
        // OnEnterRTO: cwnd is what is in flight and one segment; SaveCwnd was done by `reduced`.
        self.recovering.get_or_insert(self.model.round_count);
        window.cwnd = Packets(sample.in_flight.0.saturating_add(1));
    }

    fn on_recovered(&mut self, window: &mut Window, _now: Instant) {
        if self.recovering.take().is_some() {
            self.restore_cwnd(window);
            self.bound_cwnd(window);
        }
    }

    /// HandleLostPacket (section 5.5.10.2).
    fn on_segment_lost(&mut self, window: &mut Window, now: Instant, lost: &LostSegment) {
        self.path_loss.on_lost();
        self.note_loss(window);
        let (in_flight, losses) = (lost.sent.in_flight().0, lost.lost.0);
        if !self.cycle.probe_sample || !self.path_loss.is_too_high(losses, in_flight) {
            return;
        }
        let at_loss = self.path_loss.in_flight_at_loss(losses, in_flight);
        self.handle_inflight_too_high(window, now, at_loss, lost.sent.is_app_limited());
    }

    /// HandleSpuriousLossDetection (section 5.5.11.2).
    fn on_undo(&mut self, window: &mut Window, _now: Instant) {
        self.recovering = None;
        self.restore_cwnd(window);
        self.model.loss_in_round = false;
        self.full.reset();
        let saved = self.saved;
        self.model.bw_shortterm = self.model.bw_shortterm.max(saved.bw_shortterm);
        self.model.inflight_shortterm = self.model.inflight_shortterm.max(saved.inflight_shortterm);
        self.model.inflight_longterm = self.model.inflight_longterm.max(saved.inflight_longterm);
        self.saved.state = None;
        match saved.state {
            Some(State::Startup) if self.state != State::Startup => {
                self.resume_startup();
            }
            Some(State::Up) if !matches!(self.state, State::Up | State::ProbeRtt) => self.start_refill(),
            _ => {}
        }
    }

    /// HandleRestartFromIdle (section 5.4.1).
    fn on_restart(&mut self, window: &mut Window, restart: &Restart) {
        self.mss = restart.mss.max(1);
        self.begin_pacing(restart.srtt);
        if !restart.app_limited {
            return;
        }
        self.idle_restart = true;
        self.model.restart_aggregation(restart.now);
        if self.state.is_probe_bw() {
            self.set_pacing_rate(Gain::ONE);
        } else if self.state == State::ProbeRtt {
            self.check_probe_rtt_done(window, restart.now);
        }
    }

    fn pacing_rate(&self) -> Option<u64> {
        self.pacing_rate
    }

    fn send_quantum(&self) -> Option<u32> {
        (self.send_quantum > 0).then_some(self.send_quantum)
    }

    fn owns_window(&self) -> bool {
        true
    }

    fn is_app_limiting(&self) -> bool {
        // Section 5.3.4.3: low rates measured in ProbeRTT are not the path's.
        self.state == State::ProbeRtt
    }

    fn bbr(&self) -> Option<BbrInfo> {
        let per_256 = |gain: Gain| gain.0 * 256 / 100;
        Some(BbrInfo {
            bw: self.model.bw.bytes(self.mss),
            min_rtt: self.model.min_rtt.map_or(u32::MAX, |rtt| u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX)),
            pacing_gain: per_256(self.state.pacing_gain()),
            cwnd_gain: per_256(self.state.cwnd_gain()),
        })
    }
}

#[cfg(test)]
mod tests;
