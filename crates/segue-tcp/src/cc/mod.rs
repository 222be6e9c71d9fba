//! Congestion control: how much may be in the network, and how fast it may go there.
//!
//! Decides cwnd, ssthresh and, for algorithms that pace, a rate. Does not detect loss, does not
//! decide what to send, and does not spread a reduction over recovery (PRR does, by
//! [`Congestion::set_cwnd`]): it is told samples. Integer arithmetic, windows in segments as on
//! Linux. A new algorithm is one file and one variant of [`Algorithm`].

mod reno;
pub(crate) mod validation;

use core::time::Duration;

use segue_wire::Instant;

use crate::options::CongestionName;
use crate::send::rate::{RateSample, Sent};
use crate::units::{Local, Packets, Seq};
use reno::Reno;

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

/// What an acknowledgment tells a controller.
#[allow(dead_code, reason = "a sample is for every algorithm; each reads its own part")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct AckSample {
    pub(crate) now: Instant,
    /// SND.UNA after it, and SND.NXT.
    pub(crate) una: Seq<Local>,
    pub(crate) nxt: Seq<Local>,
    /// Payload of a full segment, in bytes.
    pub(crate) mss: u32,
    /// Segments that it shows to have arrived, acknowledged or sacked.
    pub(crate) delivered: Packets,
    /// Segments found lost because of it.
    pub(crate) lost: Packets,
    /// Of `delivered`, those that the window may grow by: none while PRR has the window, none when the
    /// acknowledgment advances nothing.
    pub(crate) credit: Packets,
    /// The window was what held the sender back; it may grow (RFC 7661's concern).
    pub(crate) cwnd_limited: bool,
    /// Segments in the network before and after it.
    pub(crate) prior_in_flight: Packets,
    pub(crate) in_flight: Packets,
    /// Round-trip time that it measured.
    pub(crate) rtt: Option<Duration>,
    /// The smoothed and the least round-trip time, this one included.
    pub(crate) srtt: Option<Duration>,
    pub(crate) min_rtt: Option<Duration>,
    /// What it says about the delivery rate.
    pub(crate) rate: Option<RateSample>,
    /// Segments that it reports to have been marked by the network (CE).
    pub(crate) marked: Packets,
}

/// What a sign of congestion tells a controller.
#[allow(dead_code, reason = "a sample is for every algorithm; each reads its own part")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct LossSample {
    pub(crate) now: Instant,
    /// Segments in the network, those just found lost taken off.
    pub(crate) in_flight: Packets,
}

/// What is remembered of one segment found lost.
#[allow(dead_code, reason = "for algorithms that model the path")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct LostSegment {
    /// Its snapshot.
    pub(crate) sent: Sent,
    /// Segments lost since it left, itself among them.
    pub(crate) lost: Packets,
}

/// The window before a reduction, for [`Congestion::undo`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) struct Before(Window);

impl Before {
    /// cwnd when the reduction began (PRR's prior_cwnd).
    #[allow(dead_code, reason = "PRR asks")]
    pub(crate) fn cwnd(&self) -> Packets {
        self.0.cwnd
    }
}

/// Congestion control: what an algorithm decides. Defaults are those of an algorithm driven by loss.
pub(crate) trait Controller {
    /// An acknowledgment delivered something, or showed something lost, in whatever state recovery is.
    fn on_ack(&mut self, window: &mut Window, ack: &AckSample);
    /// Acknowledgments or ECN say that there is congestion, the first time in a round trip: the window
    /// that it leaves. cwnd stays; PRR brings it down.
    fn reduced(&mut self, window: &Window, sample: &LossSample) -> Packets;
    /// Fast recovery, or the reduction for ECN, has ended; cwnd is ssthresh.
    fn on_recovered(&mut self, _window: &mut Window, _now: Instant) {}
    /// The retransmission timer expired: `reduced` was asked before if it is the first time for this
    /// flight; cwnd has become what is in the network and one segment.
    fn on_rto(&mut self, _window: &mut Window, _sample: &LossSample) {}
    /// A segment was found lost.
    fn on_segment_lost(&mut self, _window: &mut Window, _now: Instant, _lost: &LostSegment) {}
    /// The reduction was a mistake; the window is back.
    fn on_undo(&mut self, _window: &mut Window) {}
    /// Data leave after a time with nothing in the network.
    fn on_restart(&mut self, _window: &Window, _now: Instant) {}
    /// Bytes per second at which to spread transmissions; `None`: as acknowledgments come.
    fn pacing_rate(&self) -> Option<u64> {
        None
    }
    /// The algorithm sets cwnd in recovery itself, and after idling; PRR and RFC 2861 leave it alone.
    fn owns_window(&self) -> bool {
        false
    }
}

/// The chosen algorithm.
#[derive(Clone, Debug)]
enum Algorithm {
    Reno(Reno),
}

impl Algorithm {
    fn new(name: CongestionName) -> Algorithm {
        match name {
            CongestionName::Reno => Algorithm::Reno(Reno::default()),
        }
    }

    fn get(&self) -> &dyn Controller {
        match self {
            Algorithm::Reno(reno) => reno,
        }
    }

    fn get_mut(&mut self) -> &mut dyn Controller {
        match self {
            Algorithm::Reno(reno) => reno,
        }
    }
}

/// The window and the algorithm that moves it: what the sending half asks and tells.
#[derive(Clone, Debug)]
pub(crate) struct Congestion {
    window: Window,
    algorithm: Algorithm,
}

impl Congestion {
    pub(crate) fn new(name: CongestionName, initial: Packets) -> Congestion {
        let window = Window { cwnd: Packets(initial.0.max(1)), ssthresh: INFINITE };
        Congestion { window, algorithm: Algorithm::new(name) }
    }

    /// Another algorithm takes over the window as it is.
    pub(crate) fn choose(&mut self, name: CongestionName) {
        if name != self.name() {
            self.algorithm = Algorithm::new(name);
        }
    }

    pub(crate) fn name(&self) -> CongestionName {
        match self.algorithm {
            Algorithm::Reno(_) => CongestionName::Reno,
        }
    }

    pub(crate) fn cwnd(&self) -> Packets {
        self.window.cwnd
    }

    pub(crate) fn ssthresh(&self) -> Packets {
        self.window.ssthresh
    }

    pub(crate) fn window(&self) -> Window {
        self.window
    }

    /// Bytes per second at which to spread transmissions; `None`: as acknowledgments come.
    pub(crate) fn pacing_rate(&self) -> Option<u64> {
        self.algorithm.get().pacing_rate()
    }

    /// Whether cwnd is the algorithm's in recovery, too.
    pub(crate) fn owns_window(&self) -> bool {
        self.algorithm.get().owns_window()
    }

    /// For PRR, while a reduction goes on. Nothing happens when the algorithm owns the window.
    pub(crate) fn set_cwnd(&mut self, cwnd: Packets) {
        if !self.owns_window() {
            self.window.cwnd = Packets(cwnd.0.max(1));
        }
    }

    /// Every acknowledgment that delivered something or showed something lost.
    pub(crate) fn on_ack(&mut self, ack: &AckSample) {
        self.algorithm.get_mut().on_ack(&mut self.window, ack);
    }

    /// Acknowledgments showed loss, and a reduction begins: ssthresh falls, cwnd follows by `set_cwnd`.
    pub(crate) fn on_loss(&mut self, sample: &LossSample) -> Before {
        self.reduce(sample)
    }

    /// RFC 3168 section 6.1.2: the network marked a segment; at most once in a round trip, as for loss.
    pub(crate) fn on_ecn(&mut self, sample: &LossSample) -> Before {
        self.reduce(sample)
    }

    /// The reduction has been carried out: cwnd is ssthresh.
    pub(crate) fn on_recovered(&mut self, now: Instant) {
        if !self.owns_window() && self.window.ssthresh < INFINITE {
            self.window.cwnd = self.window.ssthresh;
        }
        self.algorithm.get_mut().on_recovered(&mut self.window, now);
    }

    /// The retransmission timer expired. `first`: not a repetition within the same trouble, so that
    /// ssthresh falls (RFC 5681 section 3.1). cwnd becomes what is thought to be still in the network
    /// and one segment.
    pub(crate) fn on_rto(&mut self, sample: &LossSample, first: bool) -> Option<Before> {
        let before = first.then(|| self.reduce(sample));
        self.window.cwnd = sample.in_flight.saturating_add(Packets(1));
        self.algorithm.get_mut().on_rto(&mut self.window, sample);
        before
    }

    /// Every segment that is found lost, when it is found.
    #[allow(dead_code, reason = "loss detection tells")]
    pub(crate) fn on_segment_lost(&mut self, now: Instant, lost: &LostSegment) {
        self.algorithm.get_mut().on_segment_lost(&mut self.window, now, lost);
    }

    /// The reduction that `before` came from was a mistake (RFC 4015, RFC 9438 section 4.9).
    #[allow(dead_code, reason = "recovery asks")]
    pub(crate) fn undo(&mut self, before: &Before) {
        self.window.cwnd = self.window.cwnd.max(before.0.cwnd);
        self.window.ssthresh = self.window.ssthresh.max(before.0.ssthresh);
        self.algorithm.get_mut().on_undo(&mut self.window);
    }

    /// Data leave and nothing was in the network before them.
    pub(crate) fn on_restart(&mut self, now: Instant) {
        self.algorithm.get_mut().on_restart(&self.window, now);
    }

    /// RFC 2861, RFC 5681 section 4.1: nothing was sent for `idle`, with `rto` in force. Three quarters of
    /// the window are remembered, cwnd is halved once for each RTO, not below the restart window.
    pub(crate) fn on_idle(&mut self, idle: Duration, rto: Duration, restart: Packets) {
        if self.owns_window() {
            return;
        }
        self.window.ssthresh = self.window.remembered();
        let floor = restart.min(self.window.cwnd);
        let halvings = idle.as_nanos().saturating_sub(1) / rto.as_nanos().max(1);
        let cwnd = self.window.cwnd.0.checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX)).unwrap_or(0);
        self.window.cwnd = Packets(cwnd).max(floor);
    }

    /// The application has used no more than `used` of the window for an RTO: half of the difference is
    /// given up (RFC 2861 section 3.2).
    pub(crate) fn on_unused(&mut self, used: Packets) {
        if !self.owns_window() && used < self.window.cwnd {
            self.window.ssthresh = self.window.remembered();
            self.window.cwnd = Packets(self.window.cwnd.0.midpoint(used.0));
        }
    }

    fn reduce(&mut self, sample: &LossSample) -> Before {
        let before = Before(Window { cwnd: self.window.cwnd, ssthresh: self.window.remembered() });
        self.window.ssthresh = self.algorithm.get_mut().reduced(&self.window, sample);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            prior_in_flight: Packets(segments),
            in_flight: Packets(0),
            rtt: None,
            srtt: None,
            min_rtt: None,
            rate: None,
            marked: Packets(0),
        }
    }

    #[test]
    fn idle_time_halves_the_window_once_for_each_rto_down_to_the_restart_window() {
        let rto = Duration::from_millis(300);
        // Linux: while ((idle -= rto) > 0) cwnd /= 2.
        for (idle, expected) in [(301, 32), (600, 32), (601, 16), (901, 10), (9_000_000, 10)] {
            let mut reno = congestion(CongestionName::Reno, 64);
            reno.on_idle(Duration::from_millis(idle), rto, Packets(10));
            assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(expected), INFINITE), "{idle} ms");
        }
        let mut small = congestion(CongestionName::Reno, 4);
        small.window.ssthresh = Packets(2);
        small.on_idle(Duration::from_secs(9), rto, Packets(10));
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
        reno.undo(&before);
        assert_eq!((reno.cwnd(), reno.ssthresh()), (Packets(100), INFINITE));
    }
}
