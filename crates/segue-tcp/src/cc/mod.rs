//! Congestion control: how much may be in the network, and how fast it may go there.
//!
//! Decides cwnd, ssthresh and, for algorithms that pace, a rate. Does not detect loss, does not
//! decide what to send, and does not spread a reduction over recovery (PRR does, by
//! [`Congestion::set_cwnd`]): it is told samples. Integer arithmetic, windows in segments as on
//! Linux. A new algorithm is one file and one variant of `Algorithm`.

mod bbr;
#[cfg(test)]
mod behaviour;
mod controller;
mod cubic;
mod flow;
mod hystart;
#[cfg(test)]
mod path;
mod reno;
pub(crate) mod validation;

use alloc::boxed::Box;
use core::time::Duration;

use segue_wire::Instant;

use crate::info::BbrInfo;
use crate::journal::ControllerPhase;
use crate::options::CongestionName;
use crate::units::Packets;
pub(crate) use controller::LostSegment;
pub(crate) use controller::{AckSample, LossSample, Restart};
use controller::{Controller, Reason};
use flow::Algorithm;
pub(crate) use flow::Flow;
use validation::{Outstanding, Verdict};

/// "Arbitrarily high" (RFC 5681 section 3.1), and what Linux shows for it.
pub(crate) const INFINITE: Packets = Packets(0x7fff_ffff);

/// What every algorithm works on, and recovery beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    /// Segments that may be in the network.
    pub(crate) cwnd: Packets,
    /// Slow start ends here.
    pub(crate) ssthresh: Packets,
}

impl Window {
    pub(crate) fn in_slow_start(&self) -> bool {
        self.cwnd < self.ssthresh
    }

    /// What slow start may return to when the window is given up without a sign of congestion
    /// (RFC 2861: three quarters of it), or when a reduction proves to be needless.
    fn remembered(&self) -> Packets {
        self.ssthresh.max(Packets((self.cwnd.0 >> 1) + (self.cwnd.0 >> 2)))
    }

    /// RFC 5681 section 3.1, equation 2: one segment for each one acknowledged, up to ssthresh. Returns
    /// what is left of `acked` beyond it.
    fn slow_start(&mut self, acked: u32) -> u32 {
        let target = self.cwnd.saturating_add(Packets(acked)).min(self.ssthresh);
        let used = target.saturating_sub(self.cwnd).0;
        self.cwnd = target;
        acked - used
    }
}

/// The window before a reduction, for [`Congestion::undo`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) struct Before(Window);

/// The window, the algorithm that moves it, and what is known of the flow: what the sending half
/// asks and tells.
#[derive(Debug)]
pub(crate) struct Congestion {
    window: Window,
    name: CongestionName,
    /// `None` before data have left.
    flow: Option<Box<Flow>>,
}

impl Congestion {
    pub(crate) fn new(name: CongestionName, initial: Packets) -> Congestion {
        let window = Window { cwnd: Packets(initial.0.max(1)), ssthresh: INFINITE };
        Congestion { window, name, flow: None }
    }

    /// Another algorithm takes over the window as it is.
    pub(crate) fn choose(&mut self, now: Instant, name: CongestionName) {
        if name != self.name {
            self.name = name;
            if let Some(flow) = &mut self.flow {
                flow.algorithm = Algorithm::new(now, name, &self.window);
            }
        }
    }

    pub(crate) fn cwnd(&self) -> Packets {
        self.window.cwnd
    }

    pub(crate) fn ssthresh(&self) -> Packets {
        self.window.ssthresh
    }

    #[cfg(test)]
    fn window(&self) -> Window {
        self.window
    }

    /// What is known of the flow; `None` before data have left.
    pub(crate) fn flow(&self) -> Option<&Flow> {
        self.flow.as_deref()
    }

    /// The same; from now on something is known.
    pub(crate) fn flow_mut(&mut self, now: Instant) -> &mut Flow {
        self.flow.get_or_insert_with(|| Box::new(Flow::new(now, self.name, &self.window)))
    }

    /// The algorithm and the window it moves.
    fn algorithm(&mut self, now: Instant) -> (&mut dyn Controller, &mut Window) {
        let flow = self.flow.get_or_insert_with(|| Box::new(Flow::new(now, self.name, &self.window)));
        (flow.algorithm.get_mut(), &mut self.window)
    }

    /// Bytes per second at which to spread transmissions; `None`: as acknowledgments come.
    pub(crate) fn pacing_rate(&self) -> Option<u64> {
        self.flow()?.algorithm.get().pacing_rate()
    }

    /// Most bytes that may leave as one; `None`: the algorithm does not say.
    pub(crate) fn send_quantum(&self) -> Option<u32> {
        self.flow()?.algorithm.get().send_quantum()
    }

    /// What the algorithm is doing.
    pub(crate) fn phase(&self) -> ControllerPhase {
        match self.flow() {
            Some(flow) => flow.algorithm.get().phase(&self.window),
            None => ControllerPhase::SlowStart,
        }
    }

    /// What BBR knows, when it is the algorithm.
    pub(crate) fn bbr(&self) -> Option<BbrInfo> {
        self.flow()?.algorithm.get().bbr()
    }

    /// Whether cwnd is the algorithm's in recovery, too.
    pub(crate) fn owns_window(&self) -> bool {
        self.flow().is_some_and(|flow| flow.algorithm.get().owns_window())
    }

    /// Whether the window, and nothing else, held the sender back of late.
    pub(crate) fn is_limiting(&self) -> bool {
        self.flow().is_some_and(|flow| flow.usage.is_limited(self.window, flow.algorithm.get().owns_window()))
    }

    /// For PRR, while a reduction goes on. Nothing happens when the algorithm owns the window.
    pub(crate) fn set_cwnd(&mut self, cwnd: Packets) {
        if !self.owns_window() {
            self.window.cwnd = Packets(cwnd.0.max(1));
        }
    }

    /// Segments have become larger: as many bytes are now `cwnd` segments (Linux's tcp_mtup_probe_success).
    pub(crate) fn rescale(&mut self, now: Instant, cwnd: Packets) {
        self.set_cwnd(cwnd);
        self.remember();
        if let Some(flow) = &mut self.flow {
            flow.usage.on_growth(now);
        }
    }

    /// What was in flight is sent again without a sign of congestion: where slow start ends is kept in mind.
    pub(crate) fn remember(&mut self) {
        self.window.ssthresh = self.window.remembered();
    }

    /// Every acknowledgment that delivered something or showed something lost.
    pub(crate) fn on_ack(&mut self, ack: &AckSample) {
        let (algorithm, window) = self.algorithm(ack.now);
        algorithm.on_ack(window, ack);
        let app_limiting = algorithm.is_app_limiting();
        let flow = self.flow_mut(ack.now);
        if app_limiting {
            flow.rate.on_app_limited(ack.in_flight);
        }
        if ack.credit > Packets(0) {
            flow.usage.on_growth(ack.now);
        }
    }

    /// Acknowledgments showed loss, and a reduction begins: ssthresh falls, cwnd follows by `set_cwnd`.
    pub(crate) fn on_loss(&mut self, sample: &LossSample) -> Before {
        self.reduce(sample, Reason::Loss)
    }

    /// RFC 3168 section 6.1.2: the network marked a segment; at most once in a round trip, as for loss.
    pub(crate) fn on_ecn(&mut self, sample: &LossSample) -> Before {
        self.reduce(sample, Reason::Mark)
    }

    /// The reduction has been carried out: cwnd is ssthresh.
    pub(crate) fn on_recovered(&mut self, now: Instant) {
        if !self.owns_window() && self.window.ssthresh < INFINITE {
            self.window.cwnd = self.window.ssthresh;
        }
        let (algorithm, window) = self.algorithm(now);
        algorithm.on_recovered(window, now);
    }

    /// The retransmission timer expired. `first`: not a repetition within the same trouble, so that
    /// ssthresh falls (RFC 5681 section 3.1). cwnd becomes what is thought to be still in the network
    /// and one segment.
    pub(crate) fn on_rto(&mut self, sample: &LossSample, first: bool) -> Option<Before> {
        let before = first.then(|| self.reduce(sample, Reason::Loss));
        self.window.cwnd = sample.in_flight.saturating_add(Packets(1));
        let (algorithm, window) = self.algorithm(sample.now);
        algorithm.on_rto(window, sample);
        before
    }

    /// Every segment that is found lost, when it is found.
    pub(crate) fn on_segment_lost(&mut self, now: Instant, lost: &LostSegment) {
        let (algorithm, window) = self.algorithm(now);
        algorithm.on_segment_lost(window, now, lost);
    }

    /// The reduction that `before` came from was a mistake (RFC 4015, RFC 9438 section 4.9).
    pub(crate) fn undo(&mut self, now: Instant, before: &Before) {
        self.window.cwnd = self.window.cwnd.max(before.0.cwnd);
        self.window.ssthresh = self.window.ssthresh.max(before.0.ssthresh);
        let (algorithm, window) = self.algorithm(now);
        algorithm.on_undo(window, now);
    }

    /// Data leave and nothing was in the network before them.
    pub(crate) fn on_restart(&mut self, restart: &Restart) {
        let (algorithm, window) = self.algorithm(restart.now);
        algorithm.on_restart(window, restart);
    }

    /// Something was sent, or could not be because the window was full. `restart`: the restart window;
    /// `None` while recovery has the window, or when what is not used is kept
    /// (`tcp_slow_start_after_idle`).
    pub(crate) fn on_sent(&mut self, now: Instant, out: &Outstanding, rto: Duration, restart: Option<Packets>) {
        let window = self.window;
        match self.flow_mut(now).usage.on_sent(now, out, window, rto) {
            Verdict::Keep => {}
            Verdict::Unused(used) => {
                if let Some(restart) = restart {
                    self.on_unused(used.max(restart));
                }
            }
        }
    }

    /// RFC 2861 section 3.2: the application has used no more than `used` of the window for an RTO, and
    /// half of the difference is given up.
    fn on_unused(&mut self, used: Packets) {
        if !self.owns_window() && used < self.window.cwnd {
            self.window.ssthresh = self.window.remembered();
            self.window.cwnd = Packets(self.window.cwnd.0.midpoint(used.0));
        }
    }

    /// RFC 2861, RFC 5681 section 4.1: nothing was sent for `idle`, with `rto` in force. Three quarters of
    /// the window are remembered, cwnd is halved once for each RTO, not below the restart window.
    pub(crate) fn on_idle(&mut self, now: Instant, idle: Duration, rto: Duration, restart: Packets) {
        if self.owns_window() {
            return;
        }
        self.window.ssthresh = self.window.remembered();
        let floor = restart.min(self.window.cwnd);
        let halvings = idle.as_nanos().saturating_sub(1) / rto.as_nanos().max(1);
        let cwnd = self.window.cwnd.0.checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX)).unwrap_or(0);
        self.window.cwnd = Packets(cwnd).max(floor);
        if let Some(flow) = &mut self.flow {
            flow.usage.restart(now);
        }
    }

    fn reduce(&mut self, sample: &LossSample, reason: Reason) -> Before {
        let before = Before(Window { cwnd: self.window.cwnd, ssthresh: self.window.remembered() });
        let (algorithm, window) = self.algorithm(sample.now);
        window.ssthresh = algorithm.reduced(window, sample, reason);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seq;

    pub(super) fn congestion(name: CongestionName, cwnd: u32) -> Congestion {
        Congestion::new(name, Packets(cwnd))
    }

    pub(super) fn loss(in_flight: u32) -> LossSample {
        LossSample { now: Instant::from_secs(1), in_flight: Packets(in_flight) }
    }

    /// An acknowledgment of `segments` that all count, when the window is the limit.
    pub(super) fn acked(segments: u32) -> AckSample {
        AckSample {
            now: Instant::from_secs(1),
            una: Seq::new(0),
            nxt: Seq::new(0),
            mss: 1000,
            delivered: Packets(segments),
            lost: Packets(0),
            credit: Packets(segments),
            cwnd_limited: true,
            peer_limited: false,
            in_flight: Packets(0),
            rtt: None,
            srtt: None,
            rate: None,
            selective: true,
        }
    }

    #[test]
    fn idle_time_halves_the_window_once_for_each_rto_down_to_the_restart_window() {
        let rto = Duration::from_millis(300);
        let at = Instant::from_secs(10_000);
        // Linux: while ((idle -= rto) > 0) cwnd /= 2.
        for (idle, expected) in [(301, 32), (600, 32), (601, 16), (901, 10), (9_000_000, 10)] {
            let mut reno = congestion(CongestionName::Reno, 64);
            reno.on_idle(at, Duration::from_millis(idle), rto, Packets(10));
            assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(expected), INFINITE), "{idle} ms");
        }
        let mut small = congestion(CongestionName::Reno, 4);
        small.window.ssthresh = Packets(2);
        small.on_idle(at, Duration::from_secs(9), rto, Packets(10));
        assert_eq!((small.cwnd(), small.ssthresh()), (Packets(4), Packets(3)));
    }

    #[test]
    fn half_of_what_is_not_used_is_given_up_and_three_quarters_remembered() {
        let mut reno = congestion(CongestionName::Reno, 100);
        reno.window.ssthresh = Packets(20);
        reno.on_unused(Packets(10));
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(55), Packets(75)));
        reno.on_unused(Packets(55));
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(55), Packets(75)));
    }

    #[test]
    fn a_reduction_that_was_a_mistake_is_taken_back() {
        let mut reno = congestion(CongestionName::Reno, 100);
        let before = reno.on_loss(&loss(99));
        reno.set_cwnd(Packets(50));
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(50), Packets(50)));
        reno.undo(Instant::from_secs(2), &before);
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(100), INFINITE));
    }
}
