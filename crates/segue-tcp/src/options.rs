//! Socket options that act on the protocol; they may change while a connection is open.
//!
//! A listener's options are inherited by the connections it accepts.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

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
    /// `reno`: RFC 5681.
    #[default]
    Reno,
}

impl CongestionName {
    /// Every algorithm that can be chosen.
    pub const ALL: &'static [CongestionName] = &[CongestionName::Reno];

    /// Linux's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            CongestionName::Reno => "reno",
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
    /// `SO_LINGER`.
    pub linger: Linger,
    /// Receive buffer in bytes as `getsockopt(SO_RCVBUF)` reports it (twice what was set);
    /// pins it: no autotuning.
    pub rcvbuf: Option<u32>,
    /// Send buffer in bytes as `getsockopt(SO_SNDBUF)` reports it (twice what was set);
    /// pins it: no autotuning.
    pub sndbuf: Option<u32>,
    /// `TCP_QUICKACK`: `Some(true)` acknowledges at once for now, `Some(false)` delays at once.
    /// Not a state: acts when set, then the policy goes on from there.
    pub quickack: Option<bool>,
    /// `TCP_MAXSEG`: upper bound of the MSS, both offered and used.
    pub max_seg: Option<u16>,
    /// `TCP_SYNCNT`.
    pub syn_cnt: Option<u8>,
    /// `SO_OOBINLINE`: urgent data stay in the stream.
    pub oob_inline: bool,
    /// `TCP_DEFER_ACCEPT`: a listener's connection counts as arrived when data have come.
    pub defer_accept: Option<Duration>,
    /// `TCP_WINDOW_CLAMP`: upper bound of the advertised window in bytes.
    pub window_clamp: Option<u32>,
    /// `TCP_LINGER2`: seconds an orphan waits in FIN-WAIT-2; negative: does not wait.
    pub fin_timeout: Option<i32>,
    /// `TCP_NOTSENT_LOWAT`.
    pub notsent_lowat: Option<u32>,
    /// `TCP_CONGESTION`.
    pub congestion: Option<CongestionName>,
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
        linger: Linger::Off,
        rcvbuf: None,
        sndbuf: None,
        quickack: None,
        max_seg: None,
        syn_cnt: None,
        oob_inline: false,
        defer_accept: None,
        window_clamp: None,
        fin_timeout: None,
        notsent_lowat: None,
        congestion: None,
    };
}

impl Default for SocketOptions {
    fn default() -> Self {
        SocketOptions::DEFAULT
    }
}
