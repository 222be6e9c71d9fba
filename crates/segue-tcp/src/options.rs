//! Socket options that act on the protocol; they may change while a connection is open.
//!
//! A listener's options are inherited by the connections it accepts.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use crate::auth::Signature;

/// What close does with data that is still to be sent (`SO_LINGER`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Linger {
    /// Close returns at once; the connection goes on by itself and ends in order.
    #[default]
    Off,
    /// Zero: close sends a reset and forgets everything. Otherwise the caller waits that long
    /// for the data to be acknowledged; to the connection it is the same as `Off`.
    On(Duration),
}

/// A congestion control algorithm by its Linux name (`TCP_CONGESTION`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum CongestionName {
    /// `cubic`: RFC 9438, with HyStart++ (RFC 9406). The default, as on Linux.
    #[default]
    Cubic,
    /// `reno`: RFC 5681.
    Reno,
    /// `bbr`: BBR version 3, draft-ietf-ccwg-bbr-06. Paced.
    Bbr,
}

impl CongestionName {
    /// Every algorithm that can be chosen.
    pub const ALL: &'static [CongestionName] = &[CongestionName::Reno, CongestionName::Cubic, CongestionName::Bbr];

    /// Linux's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            CongestionName::Cubic => "cubic",
            CongestionName::Reno => "reno",
            CongestionName::Bbr => "bbr",
        }
    }
}

impl fmt::Display for CongestionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no congestion control algorithm of that name; [`CongestionName::ALL`] has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownCongestion;

impl fmt::Display for UnknownCongestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such congestion control; there is:")?;
        CongestionName::ALL.iter().try_for_each(|name| write!(f, " {name}"))
    }
}

impl core::error::Error for UnknownCongestion {}

impl FromStr for CongestionName {
    type Err = UnknownCongestion;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        CongestionName::ALL.iter().copied().find(|known| known.as_str() == name).ok_or(UnknownCongestion)
    }
}

/// `TCP_DEFER_ACCEPT`: how long a listener waits for the first data, counted in timeouts of its SYN-ACK as on Linux (the
/// first after one second, then doubling up to 120 s).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DeferAccept(u8);

impl DeferAccept {
    /// Connections are accepted without data.
    pub const OFF: DeferAccept = DeferAccept(0);
    /// Linux's `TCP_RTO_MAX`; `tcp_rto_max_ms` does not change what the option means.
    const LONGEST: u32 = 120;

    /// The fewest timeouts that take at least so many seconds; zero and less: off.
    pub const fn from_seconds(seconds: i32) -> DeferAccept {
        if seconds <= 0 {
            return DeferAccept::OFF;
        }
        let (mut timeouts, mut interval, mut period) = (1, 1, 1);
        while (seconds as u32) > period && timeouts < u8::MAX {
            timeouts += 1;
            interval = Self::longer(interval);
            period += interval;
        }
        DeferAccept(timeouts)
    }

    /// How long that is, which is what `getsockopt` tells.
    pub const fn seconds(self) -> u32 {
        let (mut left, mut interval, mut period) = (self.0, 1, 0);
        while left > 0 {
            period += interval;
            interval = Self::longer(interval);
            left -= 1;
        }
        period
    }

    /// Timeouts of the SYN-ACK; 0: off.
    pub const fn timeouts(self) -> u8 {
        self.0
    }

    const fn longer(interval: u32) -> u32 {
        if interval * 2 > Self::LONGEST { Self::LONGEST } else { interval * 2 }
    }
}

/// Options of one socket. `None` means: what [`crate::Config`] says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SocketOptions {
    /// `TCP_NODELAY`: small segments are not held back (no Nagle). Default off.
    pub nodelay: bool,
    /// `TCP_CORK`: partial segments are held back, for at most 200 ms. Default off.
    pub cork: bool,
    /// `SO_KEEPALIVE`. Default off.
    pub keepalive: bool,
    /// `TCP_KEEPIDLE`.
    pub keep_idle: Option<Duration>,
    /// `TCP_KEEPINTVL`.
    pub keep_intvl: Option<Duration>,
    /// `TCP_KEEPCNT`.
    pub keep_cnt: Option<u8>,
    /// `TCP_USER_TIMEOUT`: how long data may stay unacknowledged, or unsent because the peer's window
    /// is shut, before the connection is given up.
    pub user_timeout: Option<Duration>,
    /// Whether the user timeout option is used (RFC 5482); `None`: as [`crate::Config::user_timeout_option`] says.
    pub user_timeout_option: Option<bool>,
    /// What a connection has adopted from its peer by that option, while `user_timeout` is not set. The connection's own.
    pub adopted_user_timeout: Option<Duration>,
    /// `SO_LINGER`.
    pub linger: Linger,
    /// Receive buffer in bytes as `getsockopt(SO_RCVBUF)` reports it (twice what was set);
    /// pins it: no autotuning.
    pub rcvbuf: Option<u32>,
    /// Send buffer in bytes as `getsockopt(SO_SNDBUF)` reports it (twice what was set);
    /// pins it: no autotuning.
    pub sndbuf: Option<u32>,
    /// `SO_RCVLOWAT`: a reader waits for so many bytes. Until they are there every second segment is acknowledged at
    /// once. Default 1.
    pub rcvlowat: u32,
    /// `TCP_QUICKACK`: `Some(true)` acknowledges at once for now, `Some(false)` delays at once.
    /// Not a state: acts when set, then the policy goes on from there.
    pub quickack: Option<bool>,
    /// `TCP_NODELAY` was set, or `TCP_CORK` taken off, as it may have been before: what is held back leaves.
    /// Not a state: acts when set.
    pub push: bool,
    /// `TCP_MAXSEG`: upper bound of the MSS, both offered and used.
    pub max_seg: Option<u16>,
    /// `TCP_SYNCNT`.
    pub syn_cnt: Option<u8>,
    /// `SO_OOBINLINE`: urgent data stay in the stream.
    pub oob_inline: bool,
    /// `TCP_DEFER_ACCEPT`: a listener's connection counts as arrived when data have come. A client's option lets its
    /// third segment wait for data to carry.
    pub defer_accept: DeferAccept,
    /// `TCP_WINDOW_CLAMP`: upper bound of the advertised window in bytes.
    pub window_clamp: Option<u32>,
    /// `TCP_LINGER2`: seconds an orphan waits in FIN-WAIT-2; negative: does not wait.
    pub fin_timeout: Option<i32>,
    /// `TCP_NOTSENT_LOWAT`.
    pub notsent_lowat: Option<u32>,
    /// `TCP_THIN_LINEAR_TIMEOUTS`: a stream of few segments in flight does not back off at first.
    pub thin_linear: bool,
    /// `TCP_RTO_MIN_US`.
    pub rto_min: Option<Duration>,
    /// `TCP_RTO_MAX_MS`.
    pub rto_max: Option<Duration>,
    /// `TCP_DELACK_MAX_US`.
    pub delack_max: Option<Duration>,
    /// `TCP_CONGESTION`.
    pub congestion: Option<CongestionName>,
    /// `SO_MAX_PACING_RATE` in bytes per second. Once set, data are paced, whatever the algorithm;
    /// `u64::MAX`: at the rate of the window.
    pub max_pacing_rate: Option<u64>,
    /// What the stack signs each segment with, from the keys that it has for the peer (`TCP_MD5SIG`, `TCP_AO_ADD_KEY`). Default: nothing.
    pub signature: Signature,
}

impl SocketOptions {
    /// Nothing set.
    pub const DEFAULT: SocketOptions = SocketOptions {
        nodelay: false,
        cork: false,
        keepalive: false,
        keep_idle: None,
        keep_intvl: None,
        keep_cnt: None,
        user_timeout: None,
        user_timeout_option: None,
        adopted_user_timeout: None,
        linger: Linger::Off,
        rcvbuf: None,
        sndbuf: None,
        rcvlowat: 1,
        quickack: None,
        push: false,
        max_seg: None,
        syn_cnt: None,
        oob_inline: false,
        defer_accept: DeferAccept::OFF,
        window_clamp: None,
        fin_timeout: None,
        notsent_lowat: None,
        thin_linear: false,
        rto_min: None,
        rto_max: None,
        delack_max: None,
        congestion: None,
        max_pacing_rate: None,
        signature: Signature::None,
    };

    /// The user timeout in force: the application's, or what was adopted from the peer.
    pub fn user_timeout(&self) -> Option<Duration> {
        self.user_timeout.filter(|time| !time.is_zero()).or(self.adopted_user_timeout)
    }

    /// RFC 5482 section 4.2: keep-alive must not be faster than a user timeout that was adopted.
    pub(crate) fn keep_idle(&self, default: Duration) -> Duration {
        self.keep_idle.unwrap_or(default).max(self.adopted_user_timeout.unwrap_or_default())
    }
}

impl Default for SocketOptions {
    fn default() -> Self {
        SocketOptions::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::DeferAccept;

    #[test]
    fn seconds_of_defer_accept_are_rounded_up_to_whole_timeouts() {
        for (asked, timeouts, told) in [
            (-1, 0, 0),
            (0, 0, 0),
            (1, 1, 1),
            (2, 2, 3),
            (3, 2, 3),
            (4, 3, 7),
            (5, 3, 7),
            (8, 4, 15),
            (128, 8, 247),
            (248, 9, 367),
            (i32::MAX, 255, 29_887),
        ] {
            let defer = DeferAccept::from_seconds(asked);
            assert_eq!((defer.timeouts(), defer.seconds()), (timeouts, told), "{asked} s");
        }
    }
}
