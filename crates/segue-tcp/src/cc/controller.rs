//! What a congestion control algorithm is told, and what it decides.

use core::time::Duration;

use segue_wire::Instant;

use super::Window;
use crate::info::BbrInfo;
use crate::journal::ControllerPhase;
use crate::send::rate::{RateSample, Sent};
use crate::units::{Local, Packets, Seq};

/// What an acknowledgment tells a controller.
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
    /// The peer's window, and neither cwnd nor the application, held the sender back until it came.
    pub(crate) peer_limited: bool,
    /// Segments in the network after it.
    pub(crate) in_flight: Packets,
    /// Round-trip time that it measured.
    pub(crate) rtt: Option<Duration>,
    /// The smoothed round-trip time, this one included.
    pub(crate) srtt: Option<Duration>,
    /// What it says about the delivery rate.
    pub(crate) rate: Option<RateSample>,
    /// The peer acknowledges selectively.
    pub(crate) selective: bool,
}

/// What a sign of congestion tells a controller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LossSample {
    pub(crate) now: Instant,
    /// Segments in the network, those just found lost taken off.
    pub(crate) in_flight: Packets,
}

/// What is remembered of one segment found lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LostSegment {
    /// Its snapshot.
    pub(crate) sent: Sent,
    /// Segments lost since it left, itself among them.
    pub(crate) lost: Packets,
}

/// Why a window is reduced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    /// Segments were lost.
    Loss,
    /// The network marked segments (ECN).
    Mark,
}

/// Data are about to leave and nothing is in the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restart {
    pub(crate) now: Instant,
    /// The application had let the network run dry.
    pub(crate) app_limited: bool,
    pub(crate) srtt: Option<Duration>,
    /// Payload of a full segment, in bytes.
    pub(crate) mss: u32,
}

/// Congestion control: what an algorithm decides. Defaults are those of an algorithm driven by loss.
pub(crate) trait Controller {
    /// An acknowledgment delivered something, or showed something lost, in whatever state recovery is.
    fn on_ack(&mut self, window: &mut Window, ack: &AckSample);
    /// There is congestion, the first time in a round trip: the ssthresh that it leaves. cwnd stays; PRR
    /// brings it down.
    fn reduced(&mut self, window: &Window, sample: &LossSample, reason: Reason) -> Packets;
    /// Fast recovery, or the reduction for ECN, has ended; cwnd is ssthresh.
    fn on_recovered(&mut self, _window: &mut Window, _now: Instant) {}
    /// The retransmission timer expired: `reduced` was asked before if it is the first time for this
    /// flight; cwnd has become what is in the network and one segment.
    fn on_rto(&mut self, _window: &mut Window, _sample: &LossSample) {}
    /// A segment was found lost.
    fn on_segment_lost(&mut self, _window: &mut Window, _now: Instant, _lost: &LostSegment) {}
    /// The reduction was a mistake; the window is back.
    fn on_undo(&mut self, _window: &mut Window, _now: Instant) {}
    /// Data leave after a time with nothing in the network.
    fn on_restart(&mut self, _window: &mut Window, _restart: &Restart) {}
    /// Bytes per second at which to spread transmissions; `None`: as acknowledgments come.
    fn pacing_rate(&self) -> Option<u64> {
        None
    }
    /// Most bytes that may leave as one; `None`: by the rules for all (`send::quantum`).
    fn send_quantum(&self) -> Option<u32> {
        None
    }
    /// The algorithm keeps the flow small on purpose: rates measured now are not the network's.
    fn is_app_limiting(&self) -> bool {
        false
    }
    /// What it is doing, for the journal.
    fn phase(&self, window: &Window) -> ControllerPhase {
        if window.in_slow_start() { ControllerPhase::SlowStart } else { ControllerPhase::Avoidance }
    }
    /// For `TCP_CC_INFO`.
    fn bbr(&self) -> Option<BbrInfo> {
        None
    }
    /// The algorithm sets cwnd in recovery itself, and after idling; PRR and RFC 2861 leave it alone.
    fn owns_window(&self) -> bool {
        false
    }
}
