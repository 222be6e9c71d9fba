//! Protocol parameters of a stack: the `tcp_*` sysctls, validated and shared.
//!
//! Decides ranges and defaults (Linux's). Does not decide what a parameter does;
//! that is said where it is used. A `Config` is frozen once connections share it; changing a
//! sysctl makes a new one, which a connection is given when it is next served. What it keeps of
//! the old one, as Linux does, is [`Kept`].

use core::fmt;
use core::time::Duration;

use crate::ecn::EcnPolicy;
use crate::memory::{DEFAULT_LIMITS, Memory};
use crate::options::{CongestionName, SocketOptions};

/// How the timestamps option is used (`tcp_timestamps`, RFC 7323).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Timestamping {
    /// 0: neither offered nor accepted.
    Off,
    /// 1: offered, each connection's clock shifted by its own secret offset.
    #[default]
    RandomOffset,
    /// 2: offered, the plain millisecond clock.
    NoOffset,
}

/// Whether a connection looks for the path's MTU itself (`tcp_mtu_probing`, RFC 4821).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MtuProbing {
    /// 0: only ICMP tells.
    #[default]
    Off,
    /// 1: when timeouts follow each other, as if ICMP were filtered (a black hole).
    BlackHole,
    /// 2: from the beginning, with segments of `tcp_base_mss`.
    Always,
}

/// Protocol parameters that all connections of a stack share: the `tcp_*` sysctls.
///
/// [`Config::default`] has Linux's values. Change fields, then [`Config::validate`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// `tcp_window_scaling`: offer and accept window scaling (RFC 7323). Default on.
    pub window_scaling: bool,
    /// `tcp_timestamps`: offer and accept timestamps. Default with random offset.
    pub timestamps: Timestamping,
    /// `tcp_sack`: offer and accept selective acknowledgments (RFC 2018). Default on.
    pub sack: bool,
    /// `tcp_ecn`: explicit congestion notification, granted and asked. Default 2: RFC 3168, granted.
    pub ecn: EcnPolicy,
    /// `tcp_ecn_fallback`: a SYN that asked for ECN and met silence does not ask again (RFC 3168
    /// section 6.1.1.1). Default on.
    pub ecn_fallback: bool,
    /// `tcp_ecn_option`: the AccECN option (RFC 9768) on segments. 0 never, 1 where the RFC wants it at least, 2 on every
    /// segment that has room. Default 2.
    pub ecn_option: u8,
    /// `tcp_ecn_option_beacon`: with `ecn_option` 1, the option at least so often in a round trip. 0–3, default 3.
    pub ecn_option_beacon: u8,
    /// `tcp_dsack`: tell the peer of duplicates (RFC 2883). Default on.
    pub dsack: bool,
    /// `tcp_comp_sack_delay_ns`: the longest that a duplicate acknowledgment waits for others. Default 1 ms.
    pub comp_sack_delay: Duration,
    /// `tcp_comp_sack_slack_ns`: how much longer it may wait in order to save a wake-up. Default 100 µs.
    pub comp_sack_slack: Duration,
    /// `tcp_comp_sack_nr`: duplicate acknowledgments that may be told by a later one; 0: each leaves. Default 44.
    pub comp_sack_nr: u8,
    /// `tcp_comp_sack_rtt_percent`: share of the round trip that a duplicate may wait, in per cent. 1–1000,
    /// default 33.
    pub comp_sack_rtt_percent: u16,
    /// `tcp_syn_retries`: SYN retransmissions with doubling intervals. 1–127, default 6.
    pub syn_retries: u8,
    /// `tcp_syn_linear_timeouts`: SYN retransmissions one second apart before doubling begins. Default 4.
    pub syn_linear_timeouts: u8,
    /// `tcp_synack_retries`: SYN-ACK retransmissions. Default 5 (gives up after 63 s).
    pub synack_retries: u8,
    /// `tcp_retries1`: timeouts after which the route is doubted and, with `mtu_probing`, the path's MTU; as the time that
    /// many doubling timeouts from 200 ms would take. Default 3.
    pub retries1: u8,
    /// `tcp_retries2`: timeouts after which the connection is given up, as the time that many
    /// doubling timeouts from 200 ms would take (924.6 s with the default of 15).
    pub retries2: u8,
    /// `tcp_orphan_retries`: the same for a connection that no application holds. 0 means 8.
    pub orphan_retries: u8,
    /// `tcp_fin_timeout`: how long an orphan waits in FIN-WAIT-2. Default 60 s.
    pub fin_timeout: Duration,
    /// Length of TIME-WAIT (2 MSL, RFC 9293 section 3.4.2). Default 60 s.
    pub time_wait: Duration,
    /// `tcp_rto_min_us`: smallest retransmission timeout. Default 200 ms.
    pub rto_min: Duration,
    /// `tcp_rto_max_ms`: largest retransmission timeout. 1–120 s, default 120 s.
    pub rto_max: Duration,
    /// The longest that an acknowledgment may be delayed: `TCP_DELACK_MAX`, which a socket can lower by
    /// `TCP_DELACK_MAX_US`. Default 200 ms.
    pub delack_max: Duration,
    /// `tcp_keepalive_time`: idle time before the first keep-alive probe. Default 7200 s.
    pub keepalive_time: Duration,
    /// `tcp_keepalive_intvl`: time between keep-alive probes. Default 75 s.
    pub keepalive_intvl: Duration,
    /// `tcp_keepalive_probes`: unanswered probes after which the peer is gone. Default 9.
    pub keepalive_probes: u8,
    /// `tcp_rmem`: receive buffer in bytes: least, initial, largest by autotuning.
    /// Default 4096, 131072, 33554432.
    pub rmem: [u32; 3],
    /// `tcp_wmem`: send buffer in bytes: least, initial, largest by autotuning.
    /// Default 4096, 16384, 4194304.
    pub wmem: [u32; 3],
    /// `tcp_mem`, in pages of 4096 bytes: below the first all connections together may take memory freely, above the
    /// second they are held short until it is below the first again, the third is not exceeded. Default 196608, 262144,
    /// 393216, as on a Linux host with 16 GiB.
    pub mem: [u32; 3],
    /// The memory that connections with these parameters share, and what is used of it. Default: one of its own.
    pub memory: Memory,
    /// `tcp_moderate_rcvbuf`: size the receive buffer by itself. Default on.
    pub moderate_rcvbuf: bool,
    /// `tcp_pingpong_thresh`: answers to what was read that make a conversation, in which acknowledgments wait for the
    /// next answer. 1–255, default 1.
    pub pingpong_thresh: u8,
    /// `tcp_shrink_window`: a window may be taken back when memory is short, where it is scaled. Default off.
    pub shrink_window: bool,
    /// `tcp_workaround_signed_windows`: windows without scaling stay below 32768, for peers that take them for signed
    /// numbers. Default off.
    pub workaround_signed_windows: bool,
    /// `tcp_invalid_ratelimit`: least time between two answers to segments that are out of
    /// window, and between two challenge ACKs (RFC 5961), of one connection. 0 = no limit. Default 500 ms.
    pub invalid_ratelimit: Duration,
    /// Initial congestion window in segments (RFC 6928). 1–1024, default 10.
    pub initial_cwnd: u32,
    /// `tcp_min_snd_mss`: smallest MSS used for sending, whatever the peer says. 48–65535, default 48.
    pub min_snd_mss: u16,
    /// `tcp_mtu_probing`: search for the path's MTU (RFC 4821). Default off.
    pub mtu_probing: MtuProbing,
    /// `tcp_base_mss`: MSS that is thought to arrive wherever a search begins, in bytes, options included. Default 1024.
    pub base_mss: u16,
    /// `tcp_mtu_probe_floor`: the MSS below which a search does not go when even small segments do not arrive. Default 48.
    pub mtu_probe_floor: u16,
    /// `tcp_probe_threshold`: a search ends when its range is narrower, in bytes. Default 8.
    pub probe_threshold: u16,
    /// `tcp_probe_interval`: how long after its beginning a search that has ended is opened again. Default 600 s.
    pub probe_interval: Duration,
    /// `tcp_notsent_lowat`: a socket is writable while fewer unsent bytes than this are queued.
    /// Default 4294967295 (no such limit).
    pub notsent_lowat: u32,
    /// `tcp_slow_start_after_idle`: shrink the congestion window after idling (RFC 2861). Default on.
    pub slow_start_after_idle: bool,
    /// `net.segue.tcp_syn_soft_errors`: a soft ICMP error (network or host unreachable, time exceeded) ends an
    /// attempt to connect at once, as on Linux and as RFC 5461 describes; otherwise it is remembered, the attempt goes on,
    /// and the error is what it fails with in the end (RFC 9293 MUST-56). Default on.
    pub syn_soft_errors: bool,
    /// `net.segue.tcp_user_timeout_option`: tell the peer the user timeout and follow its own (RFC 5482). Default off, as Linux
    /// has no such option.
    pub user_timeout_option: bool,
    /// `net.segue.tcp_user_timeout_min`, `net.segue.tcp_user_timeout_max`: what is adopted from a peer at least and at most
    /// (L_LIMIT and U_LIMIT; where they contradict each other U_LIMIT counts). Default 100 s, 3600 s.
    pub user_timeout_bounds: [Duration; 2],
    /// `tcp_rfc1337`: TIME-WAIT ignores resets. Default off.
    pub rfc1337: bool,
    /// `tcp_stdurg`: the urgent pointer points at the urgent byte (RFC 1122), not behind it
    /// (RFC 6093, everybody). Default off.
    pub stdurg: bool,
    /// `tcp_reordering`: by how many segments one may be overtaken without being lost, and duplicate
    /// acknowledgments that mean loss, until more is known of the path. 3–255, default 3.
    pub reordering: u8,
    /// `tcp_max_reordering`: the most that this may grow to. 3–65535, default 300.
    pub max_reordering: u16,
    /// `tcp_recovery`: bits of loss detection by time (RFC 8985): 1 on (there is no other with SACK), 2 the
    /// reordering window stays a quarter of the least round trip, 4 three segments sacked are no reason to
    /// do without it. Default 1.
    pub recovery: u8,
    /// `tcp_early_retrans`: 3 and 4 send tail-loss probes, others do not. 0–4, default 3.
    pub early_retrans: u8,
    /// `tcp_frto`: look whether a timeout was needless (RFC 5682); 0 off. Default 2.
    pub frto: u8,
    /// `tcp_thin_linear_timeouts`: with fewer than four segments in flight the first six timeouts do not
    /// back off. Default off.
    pub thin_linear_timeouts: bool,
    /// `tcp_retrans_collapse`: join small segments when they are sent again. Default on.
    pub retrans_collapse: bool,
    /// `tcp_pacing_ss_ratio`: the pacing rate in slow start, as a percentage of a window in a round trip.
    /// 0–1000, default 200.
    pub pacing_ss_ratio: u16,
    /// `tcp_pacing_ca_ratio`: the same in congestion avoidance. 0–1000, default 120.
    pub pacing_ca_ratio: u16,
    /// `tcp_min_tso_segs`: a super-segment may have this many segments whatever the rate. 1–255, default 2.
    pub min_tso_segs: u8,
    /// `tcp_tso_win_divisor`: what the window lets out waits for more only when it is less than this part of the window.
    /// 0: however much it is. Default 3.
    pub tso_win_divisor: u8,
    /// `tcp_tso_rtt_log`: super-segments may be larger the shorter the path is: 64 KiB more when the least
    /// round trip is below 2^this µs, half for each such time longer. 0: not at all. 0–31, default 9.
    pub tso_rtt_log: u8,
    /// `tcp_congestion_control`: algorithm of new connections. Default cubic.
    pub congestion: CongestionName,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            window_scaling: true,
            timestamps: Timestamping::RandomOffset,
            sack: true,
            ecn: EcnPolicy::Grant,
            ecn_fallback: true,
            ecn_option: 2,
            ecn_option_beacon: 3,
            dsack: true,
            comp_sack_delay: Duration::from_millis(1),
            comp_sack_slack: Duration::from_micros(100),
            comp_sack_nr: 44,
            comp_sack_rtt_percent: 33,
            syn_retries: 6,
            syn_linear_timeouts: 4,
            synack_retries: 5,
            retries1: 3,
            retries2: 15,
            orphan_retries: 0,
            fin_timeout: Duration::from_secs(60),
            time_wait: Duration::from_secs(60),
            rto_min: Duration::from_millis(200),
            rto_max: Duration::from_secs(120),
            delack_max: Duration::from_millis(200),
            keepalive_time: Duration::from_secs(7200),
            keepalive_intvl: Duration::from_secs(75),
            keepalive_probes: 9,
            rmem: [4096, 131_072, 33_554_432],
            wmem: [4096, 16_384, 4_194_304],
            mem: DEFAULT_LIMITS,
            memory: Memory::default(),
            moderate_rcvbuf: true,
            pingpong_thresh: 1,
            shrink_window: false,
            workaround_signed_windows: false,
            invalid_ratelimit: Duration::from_millis(500),
            initial_cwnd: 10,
            min_snd_mss: 48,
            mtu_probing: MtuProbing::Off,
            base_mss: 1024,
            mtu_probe_floor: 48,
            probe_threshold: 8,
            probe_interval: Duration::from_secs(600),
            notsent_lowat: u32::MAX,
            slow_start_after_idle: true,
            syn_soft_errors: true,
            user_timeout_option: false,
            user_timeout_bounds: [Duration::from_secs(100), Duration::from_secs(3600)],
            rfc1337: false,
            stdurg: false,
            reordering: 3,
            max_reordering: 300,
            recovery: 1,
            early_retrans: 3,
            frto: 2,
            thin_linear_timeouts: false,
            retrans_collapse: true,
            pacing_ss_ratio: 200,
            pacing_ca_ratio: 120,
            min_tso_segs: 2,
            tso_win_divisor: 3,
            tso_rtt_log: 9,
            congestion: CongestionName::default(),
        }
    }
}

/// What a socket keeps of the parameters it was made or opened with when they change later. Everything else
/// is read when it is used, also by connections that exist.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Kept {
    /// [`Config::initial_cwnd`]; a route may have its own.
    pub initial_cwnd: u32,
    /// [`Config::ecn`]; a route may ask for it.
    pub ecn: EcnPolicy,
    /// [`Config::reordering`].
    pub reordering: u8,
    /// [`Config::rto_min`]; `TCP_RTO_MIN_US`.
    pub rto_min: Duration,
    /// [`Config::rto_max`]; `TCP_RTO_MAX_MS`.
    pub rto_max: Duration,
    /// [`Config::delack_max`]; `TCP_DELACK_MAX_US`.
    pub delack_max: Duration,
    /// The initial receive buffer, the second of [`Config::rmem`].
    pub receive_buffer: u32,
    /// The initial send buffer, the second of [`Config::wmem`].
    pub send_buffer: u32,
    /// [`Config::congestion`].
    pub congestion: CongestionName,
}

impl Kept {
    /// With what a socket's options say instead.
    #[must_use]
    pub fn with(self, options: &SocketOptions) -> Kept {
        Kept {
            rto_min: options.rto_min.unwrap_or(self.rto_min),
            rto_max: options.rto_max.unwrap_or(self.rto_max),
            delack_max: options.delack_max.unwrap_or(self.delack_max),
            ..self
        }
    }
}

/// A parameter outside its range: which one, and what it may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The sysctl's name, without `net.ipv4.`.
    pub name: &'static str,
    /// What the value must be.
    pub expected: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.name, self.expected)
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    /// What a socket that is made now keeps.
    pub fn kept(&self) -> Kept {
        Kept {
            initial_cwnd: self.initial_cwnd,
            ecn: self.ecn,
            reordering: self.reordering,
            rto_min: self.rto_min,
            rto_max: self.rto_max,
            delack_max: self.delack_max,
            receive_buffer: self.rmem[1],
            send_buffer: self.wmem[1],
            congestion: self.congestion,
        }
    }

    /// These parameters for a socket that keeps older ones.
    #[must_use]
    pub fn keeping(&self, kept: &Kept) -> Config {
        Config {
            initial_cwnd: kept.initial_cwnd,
            ecn: kept.ecn,
            reordering: kept.reordering,
            rto_min: kept.rto_min,
            rto_max: kept.rto_max,
            delack_max: kept.delack_max,
            rmem: [self.rmem[0], kept.receive_buffer, self.rmem[2]],
            wmem: [self.wmem[0], kept.send_buffer, self.wmem[2]],
            congestion: kept.congestion,
            ..self.clone()
        }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first parameter that is outside its range, and the range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rising = |a: &[u32; 3]| a[0] >= 1 && a[0] <= a[1] && a[1] <= a[2] && a[2] <= 1 << 30;
        let checks = [
            ("tcp_syn_retries", "between 1 and 127", (1..=127).contains(&self.syn_retries)),
            ("tcp_retries1", "between 1 and 255", self.retries1 >= 1),
            (
                "tcp_rto_min_us",
                "between 1 ms and tcp_rto_max_ms",
                self.rto_min >= Duration::from_millis(1) && self.rto_min <= self.rto_max,
            ),
            (
                "tcp_rto_max_ms",
                "between 1000 and 120000",
                (1..=120).contains(&self.rto_max.as_secs()) && self.rto_max <= Duration::from_secs(120),
            ),
            ("tcp_keepalive_time", "between 1 s and 32767 s", (1..=32_767).contains(&self.keepalive_time.as_secs())),
            ("tcp_keepalive_intvl", "between 1 s and 32767 s", (1..=32_767).contains(&self.keepalive_intvl.as_secs())),
            ("tcp_keepalive_probes", "between 1 and 127", (1..=127).contains(&self.keepalive_probes)),
            ("tcp_mem", "three rising numbers of pages", self.mem.is_sorted()),
            ("tcp_rmem", "three rising numbers of bytes, the largest at most 1 GiB", rising(&self.rmem)),
            ("tcp_wmem", "three rising numbers of bytes, the largest at most 1 GiB", rising(&self.wmem)),
            ("initcwnd", "between 1 and 1024 segments", (1..=1024).contains(&self.initial_cwnd)),
            ("tcp_min_snd_mss", "between 48 and 65535", self.min_snd_mss >= 48),
            ("tcp_base_mss", "between 1 and 65535", self.base_mss >= 1),
            ("tcp_mtu_probe_floor", "between 1 and 65535", self.mtu_probe_floor >= 1),
            ("tcp_pacing_ss_ratio", "between 0 and 1000", self.pacing_ss_ratio <= 1000),
            ("tcp_pacing_ca_ratio", "between 0 and 1000", self.pacing_ca_ratio <= 1000),
            ("tcp_min_tso_segs", "between 1 and 255", self.min_tso_segs >= 1),
            ("tcp_tso_rtt_log", "between 0 and 31", self.tso_rtt_log <= 31),
            ("tcp_pingpong_thresh", "between 1 and 255", self.pingpong_thresh >= 1),
            ("tcp_ecn_option", "between 0 and 2", self.ecn_option <= 2),
            ("tcp_ecn_option_beacon", "between 0 and 3", self.ecn_option_beacon <= 3),
            ("tcp_reordering", "between 3 and 255", self.reordering >= 3),
            ("tcp_max_reordering", "between 3 and 65535", self.max_reordering >= 3),
            ("tcp_recovery", "between 0 and 7", self.recovery <= 7),
            ("tcp_early_retrans", "between 0 and 4", self.early_retrans <= 4),
            ("tcp_comp_sack_rtt_percent", "between 1 and 1000", (1..=1000).contains(&self.comp_sack_rtt_percent)),
        ];
        match checks.iter().find(|(_, _, ok)| !ok) {
            Some(&(name, expected, _)) => Err(ConfigError { name, expected }),
            None => Ok(()),
        }
    }
}
