//! Changes of a host under test beside its sysctls: routes, the device.
use std::net::IpAddr;
use std::time::Duration;

/// What happens to a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RouteAction {
    /// There is none yet.
    Add,
    /// There is one.
    Change,
    /// Whether or not there is one.
    Replace,
    /// It goes.
    Delete,
}

/// A route and its metrics.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteChange {
    /// What happens to it.
    pub action: RouteAction,
    /// Its destination: an address and the length of the prefix.
    pub destination: (IpAddr, u8),
    /// Its router; the host's own address stands for none.
    pub via: Option<IpAddr>,
    /// All of its metrics.
    pub metrics: Vec<RouteMetric>,
}

/// A metric of a route, by iproute2's names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RouteMetric {
    /// `mtu [lock] N`, in bytes.
    Mtu {
        /// Bytes.
        bytes: u32,
        /// No ICMP error changes it.
        is_locked: bool,
    },
    /// `initcwnd N`, in segments.
    InitialWindow(u32),
    /// `initrwnd N`, in segments.
    InitialReceiveWindow(u32),
    /// `advmss N`, in bytes.
    AdvertisedMss(u32),
    /// `window N`: the largest window that is advertised, in bytes.
    WindowClamp(u32),
    /// `cwnd N`: the largest congestion window, in segments.
    WindowLimit(u32),
    /// `ssthresh N`, in segments.
    SlowStartThreshold(u32),
    /// `reordering N`, in segments.
    Reordering(u32),
    /// `hoplimit N`.
    HopLimit(u32),
    /// `rto_min TIME`.
    MinimumTimeout(Duration),
    /// `rtt TIME`.
    RoundTrip(Duration),
    /// `rttvar TIME`.
    RoundTripVariation(Duration),
    /// `quickack BOOL`.
    QuickAck(bool),
    /// `fastopen_no_cookie BOOL`.
    FastOpenWithoutCookie(bool),
    /// `congctl [lock] NAME`.
    CongestionControl {
        /// The algorithm.
        name: String,
        /// No socket may choose another one.
        is_locked: bool,
    },
    /// `features ecn`.
    Ecn(bool),
    /// `features tcp_usec_ts`.
    MicrosecondTimestamps,
}

impl RouteMetric {
    /// The words of `ip route`.
    pub fn words(&self) -> Vec<String> {
        let number = |name: &str, number: u32| vec![name.to_owned(), number.to_string()];
        let time = |name: &str, time: Duration| vec![name.to_owned(), format!("{}us", time.as_micros())];
        let locked = |name: &str, is_locked: bool, value: String| match is_locked {
            true => vec![name.to_owned(), "lock".into(), value],
            false => vec![name.to_owned(), value],
        };
        match self {
            RouteMetric::Mtu { bytes, is_locked } => locked("mtu", *is_locked, bytes.to_string()),
            RouteMetric::InitialWindow(segments) => number("initcwnd", *segments),
            RouteMetric::InitialReceiveWindow(segments) => number("initrwnd", *segments),
            RouteMetric::AdvertisedMss(bytes) => number("advmss", *bytes),
            RouteMetric::WindowClamp(bytes) => number("window", *bytes),
            RouteMetric::WindowLimit(segments) => number("cwnd", *segments),
            RouteMetric::SlowStartThreshold(segments) => number("ssthresh", *segments),
            RouteMetric::Reordering(segments) => number("reordering", *segments),
            RouteMetric::HopLimit(hops) => number("hoplimit", *hops),
            RouteMetric::MinimumTimeout(least) => time("rto_min", *least),
            RouteMetric::RoundTrip(rtt) => time("rtt", *rtt),
            RouteMetric::RoundTripVariation(variation) => time("rttvar", *variation),
            RouteMetric::QuickAck(is_on) => number("quickack", (*is_on).into()),
            RouteMetric::FastOpenWithoutCookie(is_on) => number("fastopen_no_cookie", (*is_on).into()),
            RouteMetric::CongestionControl { name, is_locked } => locked("congctl", *is_locked, name.clone()),
            RouteMetric::Ecn(true) => vec!["features".into(), "ecn".into()],
            RouteMetric::Ecn(false) => Vec::new(),
            RouteMetric::MicrosecondTimestamps => vec!["features".into(), "tcp_usec_ts".into()],
        }
    }
}

/// Which work is left to the device; what is `None` stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OffloadChange {
    /// Cutting TCP super-segments.
    pub tso: Option<bool>,
    /// Building super-segments at all.
    pub gso: Option<bool>,
}

/// The device; what is `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LinkChange {
    /// Whether it carries packets.
    pub is_up: Option<bool>,
    /// Largest packet, in bytes.
    pub mtu: Option<u32>,
    /// Largest super-segment, in bytes.
    pub gso_max_size: Option<u32>,
    /// Most segments of a super-segment.
    pub gso_max_segs: Option<u32>,
    /// An address with the length of its prefix, and whether it comes (or goes).
    pub address: Option<((IpAddr, u8), bool)>,
}
