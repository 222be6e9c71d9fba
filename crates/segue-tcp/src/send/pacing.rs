//! How fast data may leave, and how much of them as one.
//!
//! Decides the rate and the size of super-segments; when the next may leave is the pacer's. Linux's
//! rules: algorithms that give a rate are paced; others only when `SO_MAX_PACING_RATE` asks, by their
//! window and round trip. A super-segment is a millisecond's worth, more on short paths.

use core::time::Duration;

use segue_wire::Instant;

use super::Sender;
use crate::config::Config;
use crate::journal::FlowState;
use crate::options::SocketOptions;

/// Largest super-segment, in bytes of payload.
const LARGEST: u64 = 65_536;
/// A super-segment lasts 2^-10 s at the pacing rate (Linux's sk_pacing_shift).
const BURST_SHIFT: u32 = 10;

impl Sender {
    /// Bytes per second at which data leave; `None`: as acknowledgments come.
    pub(crate) fn pacing_rate(&self, config: &Config, options: &SocketOptions) -> Option<u64> {
        match (self.cc.pacing_rate(), options.max_pacing_rate) {
            (Some(rate), most) => Some(rate.min(most.unwrap_or(u64::MAX))),
            (None, Some(most)) => Some(self.window_rate(config).min(most)),
            (None, None) => None,
        }
    }

    /// The rate that `TCP_INFO` shows: the same, and what it would be without pacing.
    pub(crate) fn shown_pacing_rate(&self, config: &Config, options: &SocketOptions) -> u64 {
        self.pacing_rate(config, options).unwrap_or_else(|| self.window_rate(config))
    }

    /// Window and rate as the journal tells them.
    pub(super) fn flow_state(&self, config: &Config) -> FlowState {
        FlowState {
            cwnd: self.cc.cwnd().0,
            ssthresh: self.cc.ssthresh().0,
            pacing_rate: self.cc.pacing_rate().unwrap_or_else(|| self.window_rate(config)),
        }
    }

    /// A window in each round trip, and a little more so that the window can grow: twice as much while
    /// it is far from ssthresh (`tcp_pacing_ss_ratio`), a fifth more later (`tcp_pacing_ca_ratio`).
    fn window_rate(&self, config: &Config) -> u64 {
        let Some(srtt) = self.rtt.smoothed() else { return u64::MAX };
        let cwnd = self.cc.cwnd();
        let early = cwnd.0 < self.cc.ssthresh().0 / 2;
        let percent = if early { config.pacing_ss_ratio } else { config.pacing_ca_ratio };
        let segments = cwnd.max(self.segments_out());
        let bytes = u128::from(self.mss) * u128::from(segments.0) * u128::from(percent) * 10_000_000;
        let srtt = srtt.as_nanos().max(1);
        // Each segment asks: a division of 128 bits only where it is needed.
        match (u64::try_from(bytes), u64::try_from(srtt)) {
            (Ok(bytes), Ok(srtt)) => bytes / srtt,
            _ => u64::try_from(bytes / srtt).unwrap_or(u64::MAX),
        }
    }

    /// Most segments of `size` that leave as one: a millisecond at the pacing rate, more the shorter the path is
    /// (`tcp_tso_rtt_log`), at least `tcp_min_tso_segs` (Linux's tcp_tso_segs).
    pub(super) fn tso_segments(&self, size: u32, config: &Config, options: &SocketOptions) -> u32 {
        let most = options.max_pacing_rate.map_or(u64::MAX, |rate| rate >> BURST_SHIFT);
        let bytes = match self.cc.send_quantum() {
            Some(quantum) => u64::from(quantum).min(most),
            None => (self.shown_pacing_rate(config, options) >> BURST_SHIFT).saturating_add(self.nearness(config)),
        };
        let segments = (bytes.min(LARGEST) / u64::from(size.max(1))).max(u64::from(config.min_tso_segs));
        segments as u32
    }

    /// The same of new data: half of the window at most, so that one is under way while the next is made.
    pub(crate) fn burst(&self, size: u32, config: &Config, options: &SocketOptions) -> u32 {
        self.tso_segments(size, config, options).min(self.half_window())
    }

    pub(super) fn half_window(&self) -> u32 {
        (self.cc.cwnd().0 / 2).max(1)
    }

    /// What a super-segment may be larger by because the path is short: all of 64 KiB below
    /// 2^`tcp_tso_rtt_log` µs, half for each such time more.
    fn nearness(&self, config: &Config) -> u64 {
        if config.tso_rtt_log == 0 {
            return 0;
        }
        let micros = self.rtt.min().map_or(u64::MAX, |rtt| u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX));
        let halvings = micros.checked_shr(u32::from(config.tso_rtt_log)).unwrap_or(0);
        u32::try_from(halvings).ok().and_then(|halvings| LARGEST.checked_shr(halvings)).unwrap_or(0)
    }

    /// Until when pacing holds the next segment back.
    pub(crate) fn held_until(&self, now: Instant, config: &Config, options: &SocketOptions) -> Option<Instant> {
        self.pacing_rate(config, options)?;
        self.cc.flow()?.pacer.hold(now)
    }
}

/// Segments that leave before pacing begins, as on Linux: the initial window is a burst anyway.
const UNPACED: u32 = 10;

impl Sender {
    /// `bytes` have left.
    pub(crate) fn pace(&mut self, now: Instant, bytes: u32, config: &Config, options: &SocketOptions) {
        let Some(rate) = self.pacing_rate(config, options).filter(|_| bytes > 0) else { return };
        let takes = match self.counts.data_segments {
            ..UNPACED => 0,
            _ => u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1)),
        };
        let takes = Duration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX));
        self.cc.flow_mut(now).pacer.on_sent(now, takes);
    }
}
