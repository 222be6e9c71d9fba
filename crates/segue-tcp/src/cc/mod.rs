//! Congestion control: how much may be in the network, and how fast it may go there.
//!
//! Decides cwnd, ssthresh and, for algorithms that pace, a rate. Does not detect loss and
//! does not decide what to send: it is told samples. Integer arithmetic, windows in segments
//! as on Linux. A new algorithm is one file and one variant of [`Congestion`].

mod reno;

use core::time::Duration;

use segue_wire::Instant;

use crate::options::CongestionName;
use crate::units::Packets;
pub(crate) use reno::Reno;

/// What an acknowledgment of new data tells a controller.
#[allow(dead_code, reason = "a sample is for every algorithm; each reads its own part")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct AckSample {
    pub(crate) now: Instant,
    /// Segments newly acknowledged.
    pub(crate) acked: Packets,
    /// Round-trip time this acknowledgment measured.
    pub(crate) rtt: Option<Duration>,
    /// Segments in the network before this acknowledgment.
    pub(crate) in_flight: Packets,
    /// The window was what held the sender back; it may grow (RFC 7661's concern).
    pub(crate) cwnd_limited: bool,
}

/// What a finding of loss tells a controller.
#[allow(dead_code, reason = "a sample is for every algorithm; each reads its own part")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct LossSample {
    pub(crate) now: Instant,
    /// Segments in the network when the loss was found (FlightSize).
    pub(crate) in_flight: Packets,
}

/// Congestion control. Everything a sender may ask or tell.
pub(crate) trait Controller {
    /// Segments that may be in the network.
    fn cwnd(&self) -> Packets;
    /// Slow start ends here.
    fn ssthresh(&self) -> Packets;
    /// Bytes per second at which to spread transmissions; `None`: as acknowledgments come.
    fn pacing_rate(&self) -> Option<u64>;
    /// New data were acknowledged outside recovery.
    fn on_ack(&mut self, sample: &AckSample);
    /// Loss was found by acknowledgments; fast recovery begins.
    fn on_loss(&mut self, sample: &LossSample);
    /// Fast recovery has ended.
    fn on_recovered(&mut self, now: Instant);
    /// The retransmission timer expired. `first`: not a repetition for the same data.
    fn on_rto(&mut self, sample: &LossSample, first: bool);
    /// Nothing was sent for `idle`, with `rto` in force: what was learned is stale.
    fn on_idle(&mut self, idle: Duration, rto: Duration, restart: Packets);
}

/// The chosen algorithm.
#[derive(Clone, Debug)]
pub(crate) enum Congestion {
    Reno(Reno),
}

impl Congestion {
    pub(crate) fn new(name: CongestionName, initial: Packets) -> Congestion {
        match name {
            CongestionName::Reno => Congestion::Reno(Reno::new(initial)),
        }
    }

    pub(crate) fn name(&self) -> CongestionName {
        match self {
            Congestion::Reno(_) => CongestionName::Reno,
        }
    }

    fn get(&self) -> &dyn Controller {
        match self {
            Congestion::Reno(reno) => reno,
        }
    }

    fn get_mut(&mut self) -> &mut dyn Controller {
        match self {
            Congestion::Reno(reno) => reno,
        }
    }
}

impl Controller for Congestion {
    fn cwnd(&self) -> Packets {
        self.get().cwnd()
    }
    fn ssthresh(&self) -> Packets {
        self.get().ssthresh()
    }
    fn pacing_rate(&self) -> Option<u64> {
        self.get().pacing_rate()
    }
    fn on_ack(&mut self, sample: &AckSample) {
        self.get_mut().on_ack(sample);
    }
    fn on_loss(&mut self, sample: &LossSample) {
        self.get_mut().on_loss(sample);
    }
    fn on_recovered(&mut self, now: Instant) {
        self.get_mut().on_recovered(now);
    }
    fn on_rto(&mut self, sample: &LossSample, first: bool) {
        self.get_mut().on_rto(sample, first);
    }
    fn on_idle(&mut self, idle: Duration, rto: Duration, restart: Packets) {
        self.get_mut().on_idle(idle, rto, restart);
    }
}
