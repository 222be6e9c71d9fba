//! The table of sysctl names: where each value lives, its range and unit, or why it cannot be changed.
//!
//! Ranges are Linux's; where Linux takes any integer, the range here ends where the value still has a meaning.
//! The table is sorted by name.
use core::ops::RangeInclusive;
use core::time::Duration;

use segue_tcp::{CongestionName, EcnPolicy, Timestamping};

use super::Settings;
use crate::FastOpenKeys;

/// One name.
pub(super) struct Entry {
    /// The full name with dots.
    pub(super) name: &'static str,
    pub(super) value: Value,
}

/// What stands behind a name.
pub(super) enum Value {
    /// A number.
    Integer { get: fn(&Settings) -> u64, set: fn(&mut Settings, u64), range: RangeInclusive<u64>, unit: &'static str },
    /// Minimum, default, maximum.
    Triple {
        get: fn(&Settings) -> [u32; 3],
        set: fn(&mut Settings, [u32; 3]),
        range: RangeInclusive<u64>,
        unit: &'static str,
    },
    /// Lowest and highest port.
    Ports { get: fn(&Settings) -> (u16, u16), set: fn(&mut Settings, (u16, u16)) },
    /// Names from a list.
    Names { get: fn(&Settings) -> Vec<CongestionName>, set: fn(&mut Settings, Vec<CongestionName>), single: bool },
    /// Words that have a form of their own; `set` says whether it understood them.
    Text { get: fn(&Settings) -> String, set: fn(&mut Settings, &str) -> bool, expected: &'static str },
    /// What the stack does and cannot do otherwise.
    Fixed { value: &'static str, why: &'static str },
    /// Information that is no setting in Linux either.
    ReadOnly { value: &'static str },
    /// A name that is answered with the reason why it is gone.
    Removed { why: &'static str },
}

const fn integer(
    name: &'static str,
    range: RangeInclusive<u64>,
    unit: &'static str,
    get: fn(&Settings) -> u64,
    set: fn(&mut Settings, u64),
) -> Entry {
    Entry { name, value: Value::Integer { get, set, range, unit } }
}

const fn switch(name: &'static str, get: fn(&Settings) -> u64, set: fn(&mut Settings, u64)) -> Entry {
    integer(name, 0..=1, "0 off, 1 on", get, set)
}

const fn triple(
    name: &'static str,
    range: RangeInclusive<u64>,
    unit: &'static str,
    get: fn(&Settings) -> [u32; 3],
    set: fn(&mut Settings, [u32; 3]),
) -> Entry {
    Entry { name, value: Value::Triple { get, set, range, unit } }
}

const fn fixed(name: &'static str, value: &'static str, why: &'static str) -> Entry {
    Entry { name, value: Value::Fixed { value, why } }
}

const fn read_only(name: &'static str, value: &'static str) -> Entry {
    Entry { name, value: Value::ReadOnly { value } }
}

/// Linux counts these in jiffies of a signed 32-bit integer; 24 days are the most that fits at 1000 per second.
const SECONDS: RangeInclusive<u64> = 0..=2_147_483;
const INT: RangeInclusive<u64> = 0..=i32::MAX as u64;
const BUFFER: RangeInclusive<u64> = 1..=1 << 30;
/// Linux's limits for the socket options of the same meaning.
const KEEP_ALIVE: RangeInclusive<u64> = 1..=32_767;

const WHOLE_LIFE: &str = "the least round-trip time is that of the whole connection";
const NO_PROBING: &str = "path MTU probing is not implemented yet";
const NO_BUDGET: &str = "a memory budget for all sockets together is not implemented yet";
const NO_METRICS: &str = "nothing is remembered per destination yet";
const NO_PLB: &str = "path changes by flow label are not implemented";
const LEGACY: &str = "it has no effect in current Linux kernels either";
const DEVICE: &str = "it tunes a path inside the Linux kernel that this stack does not have";

pub(super) static TABLE: &[Entry] = &[
    fixed("net.core.netdev_max_backlog", "0", "packets are taken as they come; there is no ingress queue yet"),
    integer(
        "net.core.rmem_default",
        256..=i32::MAX as u64,
        "bytes",
        |s| s.core.rmem_default.into(),
        |s, v| {
            s.core.rmem_default = v as u32;
        },
    ),
    integer(
        "net.core.rmem_max",
        256..=i32::MAX as u64,
        "bytes",
        |s| s.core.rmem_max.into(),
        |s, v| {
            s.core.rmem_max = v as u32;
        },
    ),
    integer(
        "net.core.somaxconn",
        INT,
        "connections",
        |s| s.core.somaxconn.into(),
        |s, v| {
            s.core.somaxconn = v as u32;
        },
    ),
    integer(
        "net.core.wmem_default",
        256..=i32::MAX as u64,
        "bytes",
        |s| s.core.wmem_default.into(),
        |s, v| {
            s.core.wmem_default = v as u32;
        },
    ),
    integer(
        "net.core.wmem_max",
        256..=i32::MAX as u64,
        "bytes",
        |s| s.core.wmem_max.into(),
        |s, v| {
            s.core.wmem_max = v as u32;
        },
    ),
    switch(
        "net.ipv4.conf.all.accept_source_route",
        |s| s.ip.accept_source_route.into(),
        |s, v| s.ip.accept_source_route = v != 0,
    ),
    switch(
        "net.ipv4.icmp_echo_ignore_all",
        |s| s.ip.icmp_echo_ignore_all.into(),
        |s, v| {
            s.ip.icmp_echo_ignore_all = v != 0;
        },
    ),
    switch(
        "net.ipv4.icmp_echo_ignore_broadcasts",
        |s| s.ip.icmp_echo_ignore_broadcasts.into(),
        |s, v| {
            s.ip.icmp_echo_ignore_broadcasts = v != 0;
        },
    ),
    integer(
        "net.ipv4.icmp_msgs_burst",
        INT,
        "messages",
        |s| s.ip.icmp_msgs_burst.into(),
        |s, v| {
            s.ip.icmp_msgs_burst = v as u32;
        },
    ),
    integer(
        "net.ipv4.icmp_msgs_per_sec",
        INT,
        "messages per second",
        |s| s.ip.icmp_msgs_per_sec.into(),
        |s, v| {
            s.ip.icmp_msgs_per_sec = v as u32;
        },
    ),
    integer(
        "net.ipv4.ip_default_ttl",
        1..=255,
        "hops",
        |s| s.ip.default_ttl.into(),
        |s, v| {
            s.ip.default_ttl = v as u8;
        },
    ),
    fixed("net.ipv4.ip_forward", "0", "this stack is a host and forwards nothing"),
    Entry {
        name: "net.ipv4.ip_local_port_range",
        value: Value::Ports { get: |s| s.ip.local_port_range, set: |s, v| s.ip.local_port_range = v },
    },
    integer(
        "net.ipv4.ipfrag_high_thresh",
        INT,
        "bytes",
        |s| s.ip.ipfrag_high_thresh.into(),
        |s, v| {
            s.ip.ipfrag_high_thresh = v as u32;
        },
    ),
    integer(
        "net.ipv4.ipfrag_time",
        SECONDS,
        "seconds",
        |s| s.ip.ipfrag_time.as_secs(),
        |s, v| {
            s.ip.ipfrag_time = Duration::from_secs(v);
        },
    ),
    switch(
        "net.ipv4.tcp_abort_on_overflow",
        |s| s.ip.abort_on_overflow.into(),
        |s, v| {
            s.ip.abort_on_overflow = v != 0;
        },
    ),
    fixed("net.ipv4.tcp_adv_win_scale", "1", LEGACY),
    Entry {
        name: "net.ipv4.tcp_allowed_congestion_control",
        value: Value::Names {
            get: |s| s.ip.allowed_congestion_control.clone(),
            set: |s, names| s.ip.allowed_congestion_control = names,
            single: false,
        },
    },
    fixed("net.ipv4.tcp_app_win", "31", "the whole receive buffer is the application's"),
    fixed("net.ipv4.tcp_autocorking", "0", "small writes are joined by Nagle's algorithm and TCP_CORK only"),
    read_only("net.ipv4.tcp_available_congestion_control", "reno cubic bbr"),
    read_only("net.ipv4.tcp_available_ulp", ""),
    fixed("net.ipv4.tcp_backlog_ack_defer", "1", DEVICE),
    fixed("net.ipv4.tcp_base_mss", "1024", NO_PROBING),
    integer(
        "net.ipv4.tcp_challenge_ack_limit",
        INT,
        "challenge acknowledgements per second, 2147483647 no limit",
        |s| s.ip.challenge_ack_limit.into(),
        |s, v| s.ip.challenge_ack_limit = v as u32,
    ),
    fixed("net.ipv4.tcp_child_ehash_entries", "0", DEVICE),
    integer(
        "net.ipv4.tcp_comp_sack_delay_ns",
        0..=1_000_000_000,
        "nanoseconds",
        |s| nanos(s.tcp.comp_sack_delay),
        |s, v| s.tcp.comp_sack_delay = Duration::from_nanos(v),
    ),
    integer(
        "net.ipv4.tcp_comp_sack_nr",
        0..=255,
        "acknowledgments, 0 none",
        |s| s.tcp.comp_sack_nr.into(),
        |s, v| s.tcp.comp_sack_nr = v as u8,
    ),
    integer(
        "net.ipv4.tcp_comp_sack_rtt_percent",
        1..=1000,
        "per cent of the round trip",
        |s| s.tcp.comp_sack_rtt_percent.into(),
        |s, v| s.tcp.comp_sack_rtt_percent = v as u16,
    ),
    integer(
        "net.ipv4.tcp_comp_sack_slack_ns",
        0..=1_000_000_000,
        "nanoseconds",
        |s| nanos(s.tcp.comp_sack_slack),
        |s, v| s.tcp.comp_sack_slack = Duration::from_nanos(v),
    ),
    Entry {
        name: "net.ipv4.tcp_congestion_control",
        value: Value::Names {
            get: |s| vec![s.tcp.congestion],
            set: |s, names| {
                s.tcp.congestion = names.first().copied().unwrap_or_default();
            },
            single: true,
        },
    },
    switch("net.ipv4.tcp_dsack", |s| s.tcp.dsack.into(), |s, v| s.tcp.dsack = v != 0),
    fixed("net.ipv4.tcp_early_demux", "0", DEVICE),
    integer(
        "net.ipv4.tcp_early_retrans",
        0..=4,
        "3 and 4: tail-loss probes on",
        |s| s.tcp.early_retrans.into(),
        |s, v| s.tcp.early_retrans = v as u8,
    ),
    integer(
        "net.ipv4.tcp_ecn",
        0..=5,
        "0 off, 1 granted and asked, 2 granted; accurate ECN granted by 3 to 5, asked by 3, RFC 3168 asked by 4",
        |s| s.tcp.ecn.number().into(),
        |s, v| {
            s.tcp.ecn = EcnPolicy::from_number(v as u8).unwrap_or_default();
        },
    ),
    switch("net.ipv4.tcp_ecn_fallback", |s| s.tcp.ecn_fallback.into(), |s, v| s.tcp.ecn_fallback = v != 0),
    integer(
        "net.ipv4.tcp_ecn_option",
        0..=2,
        "0 never, 1 where it must be, 2 on every segment with room",
        |s| s.tcp.ecn_option.into(),
        |s, v| {
            s.tcp.ecn_option = v as u8;
        },
    ),
    integer(
        "net.ipv4.tcp_ecn_option_beacon",
        0..=3,
        "options per round trip",
        |s| s.tcp.ecn_option_beacon.into(),
        |s, v| {
            s.tcp.ecn_option_beacon = v as u8;
        },
    ),
    fixed("net.ipv4.tcp_ehash_entries", "0", "the table of connections grows with their number"),
    fixed("net.ipv4.tcp_fack", "0", LEGACY),
    integer(
        "net.ipv4.tcp_fastopen",
        INT,
        "sum of 1 client, 2 server, 4 client without cookie, 0x200 server without cookie, 0x400 all listeners",
        |s| s.ip.fast_open.into(),
        |s, v| {
            s.ip.fast_open = v as u32;
        },
    ),
    integer(
        "net.ipv4.tcp_fastopen_blackhole_timeout_sec",
        SECONDS,
        "seconds, 0 off",
        |s| s.ip.fast_open_blackhole_timeout.as_secs(),
        |s, v| {
            s.ip.fast_open_blackhole_timeout = Duration::from_secs(v);
        },
    ),
    Entry {
        name: "net.ipv4.tcp_fastopen_key",
        value: Value::Text {
            get: |s| s.ip.fast_open_key.to_string(),
            set: |s, text| {
                let keys = FastOpenKeys::parse(text);
                s.ip.fast_open_key = keys.unwrap_or(s.ip.fast_open_key);
                keys.is_some()
            },
            expected: "a key of four hexadecimal words, as in \"00112233-44556677-8899aabb-ccddeeff\", \
                       or two with a comma between them: primary and backup",
        },
    },
    integer(
        "net.ipv4.tcp_fin_timeout",
        SECONDS,
        "seconds",
        |s| s.tcp.fin_timeout.as_secs(),
        |s, v| {
            s.tcp.fin_timeout = Duration::from_secs(v);
        },
    ),
    integer("net.ipv4.tcp_frto", 0..=255, "0 off, others on", |s| s.tcp.frto.into(), |s, v| s.tcp.frto = v as u8),
    fixed("net.ipv4.tcp_fwmark_accept", "0", "packets have no marks"),
    integer(
        "net.ipv4.tcp_invalid_ratelimit",
        INT,
        "milliseconds, 0 no limit",
        |s| millis(s.tcp.invalid_ratelimit),
        |s, v| {
            s.tcp.invalid_ratelimit = Duration::from_millis(v);
        },
    ),
    integer(
        "net.ipv4.tcp_keepalive_intvl",
        KEEP_ALIVE,
        "seconds",
        |s| s.tcp.keepalive_intvl.as_secs(),
        |s, v| {
            s.tcp.keepalive_intvl = Duration::from_secs(v);
        },
    ),
    integer(
        "net.ipv4.tcp_keepalive_probes",
        1..=127,
        "probes",
        |s| s.tcp.keepalive_probes.into(),
        |s, v| {
            s.tcp.keepalive_probes = v as u8;
        },
    ),
    integer(
        "net.ipv4.tcp_keepalive_time",
        KEEP_ALIVE,
        "seconds",
        |s| s.tcp.keepalive_time.as_secs(),
        |s, v| {
            s.tcp.keepalive_time = Duration::from_secs(v);
        },
    ),
    fixed("net.ipv4.tcp_l3mdev_accept", "0", "there are no routing domains"),
    fixed(
        "net.ipv4.tcp_limit_output_bytes",
        "4194304",
        "the link asks for segments when it has room; nothing queues below the stack",
    ),
    fixed("net.ipv4.tcp_low_latency", "0", LEGACY),
    integer(
        "net.ipv4.tcp_max_orphans",
        INT,
        "connections",
        |s| s.ip.max_orphans.into(),
        |s, v| {
            s.ip.max_orphans = v as u32;
        },
    ),
    integer(
        "net.ipv4.tcp_max_reordering",
        3..=65_535,
        "segments",
        |s| s.tcp.max_reordering.into(),
        |s, v| s.tcp.max_reordering = v as u16,
    ),
    integer(
        "net.ipv4.tcp_max_syn_backlog",
        INT,
        "connections per listener",
        |s| s.ip.max_syn_backlog.into(),
        |s, v| {
            s.ip.max_syn_backlog = v as u32;
        },
    ),
    integer(
        "net.ipv4.tcp_max_tw_buckets",
        INT,
        "entries",
        |s| s.ip.max_tw_buckets.into(),
        |s, v| {
            s.ip.max_tw_buckets = v as u32;
        },
    ),
    fixed("net.ipv4.tcp_mem", "0 0 0", NO_BUDGET),
    switch("net.ipv4.tcp_migrate_req", |s| s.ip.migrate_req.into(), |s, v| s.ip.migrate_req = v != 0),
    fixed("net.ipv4.tcp_min_rtt_wlen", "300", WHOLE_LIFE),
    integer(
        "net.ipv4.tcp_min_snd_mss",
        48..=65_535,
        "bytes",
        |s| s.tcp.min_snd_mss.into(),
        |s, v| {
            s.tcp.min_snd_mss = v as u16;
        },
    ),
    integer(
        "net.ipv4.tcp_min_tso_segs",
        1..=255,
        "segments",
        |s| s.tcp.min_tso_segs.into(),
        |s, v| s.tcp.min_tso_segs = v as u8,
    ),
    switch("net.ipv4.tcp_moderate_rcvbuf", |s| s.tcp.moderate_rcvbuf.into(), |s, v| s.tcp.moderate_rcvbuf = v != 0),
    fixed("net.ipv4.tcp_mtu_probe_floor", "48", NO_PROBING),
    fixed("net.ipv4.tcp_mtu_probing", "0", NO_PROBING),
    fixed("net.ipv4.tcp_no_metrics_save", "1", NO_METRICS),
    fixed("net.ipv4.tcp_no_ssthresh_metrics_save", "1", NO_METRICS),
    integer(
        "net.ipv4.tcp_notsent_lowat",
        0..=u32::MAX as u64,
        "bytes",
        |s| s.tcp.notsent_lowat.into(),
        |s, v| {
            s.tcp.notsent_lowat = v as u32;
        },
    ),
    integer(
        "net.ipv4.tcp_orphan_retries",
        0..=255,
        "retransmissions, 0 acts as 8",
        |s| s.tcp.orphan_retries.into(),
        |s, v| {
            s.tcp.orphan_retries = v as u8;
        },
    ),
    integer(
        "net.ipv4.tcp_pacing_ca_ratio",
        0..=1000,
        "per cent of a window in a round trip",
        |s| s.tcp.pacing_ca_ratio.into(),
        |s, v| s.tcp.pacing_ca_ratio = v as u16,
    ),
    integer(
        "net.ipv4.tcp_pacing_ss_ratio",
        0..=1000,
        "per cent of a window in a round trip",
        |s| s.tcp.pacing_ss_ratio.into(),
        |s, v| s.tcp.pacing_ss_ratio = v as u16,
    ),
    integer(
        "net.ipv4.tcp_pingpong_thresh",
        1..=255,
        "answers",
        |s| s.tcp.pingpong_thresh.into(),
        |s, v| s.tcp.pingpong_thresh = v as u8,
    ),
    fixed("net.ipv4.tcp_plb_cong_thresh", "128", NO_PLB),
    fixed("net.ipv4.tcp_plb_enabled", "0", NO_PLB),
    fixed("net.ipv4.tcp_plb_idle_rehash_rounds", "3", NO_PLB),
    fixed("net.ipv4.tcp_plb_rehash_rounds", "12", NO_PLB),
    fixed("net.ipv4.tcp_plb_suspend_rto_sec", "60", NO_PLB),
    fixed("net.ipv4.tcp_probe_interval", "600", NO_PROBING),
    fixed("net.ipv4.tcp_probe_threshold", "8", NO_PROBING),
    fixed("net.ipv4.tcp_rcvbuf_low_rtt", "1000", "receive buffers grow alike at every round-trip time"),
    integer(
        "net.ipv4.tcp_recovery",
        0..=7,
        "bits: 1 RACK (always on with SACK), 2 static reordering window, 4 no duplicate threshold",
        |s| s.tcp.recovery.into(),
        |s, v| s.tcp.recovery = v as u8,
    ),
    fixed("net.ipv4.tcp_reflect_tos", "0", "an accepted connection has its listener's type of service"),
    integer(
        "net.ipv4.tcp_reordering",
        3..=255,
        "duplicate acknowledgements",
        |s| s.tcp.reordering.into(),
        |s, v| {
            s.tcp.reordering = v as u8;
        },
    ),
    switch("net.ipv4.tcp_retrans_collapse", |s| s.tcp.retrans_collapse.into(), |s, v| s.tcp.retrans_collapse = v != 0),
    fixed("net.ipv4.tcp_retries1", "3", "routes are looked up anew for every segment; there is nothing to ask again"),
    integer(
        "net.ipv4.tcp_retries2",
        0..=255,
        "retransmissions",
        |s| s.tcp.retries2.into(),
        |s, v| {
            s.tcp.retries2 = v as u8;
        },
    ),
    switch("net.ipv4.tcp_rfc1337", |s| s.tcp.rfc1337.into(), |s, v| s.tcp.rfc1337 = v != 0),
    triple("net.ipv4.tcp_rmem", BUFFER, "bytes", |s| s.tcp.rmem, |s, v| s.tcp.rmem = v),
    integer(
        "net.ipv4.tcp_rto_max_ms",
        1_000..=120_000,
        "milliseconds",
        |s| millis(s.tcp.rto_max),
        |s, v| {
            s.tcp.rto_max = Duration::from_millis(v);
        },
    ),
    integer(
        "net.ipv4.tcp_rto_min_us",
        1_000..=120_000_000,
        "microseconds",
        |s| micros(s.tcp.rto_min),
        |s, v| {
            s.tcp.rto_min = Duration::from_micros(v);
        },
    ),
    switch("net.ipv4.tcp_sack", |s| s.tcp.sack.into(), |s, v| s.tcp.sack = v != 0),
    switch("net.ipv4.tcp_shrink_window", |s| s.tcp.shrink_window.into(), |s, v| s.tcp.shrink_window = v != 0),
    switch(
        "net.ipv4.tcp_slow_start_after_idle",
        |s| s.tcp.slow_start_after_idle.into(),
        |s, v| {
            s.tcp.slow_start_after_idle = v != 0;
        },
    ),
    switch("net.ipv4.tcp_stdurg", |s| s.tcp.stdurg.into(), |s, v| s.tcp.stdurg = v != 0),
    integer(
        "net.ipv4.tcp_syn_linear_timeouts",
        0..=127,
        "retransmissions",
        |s| s.tcp.syn_linear_timeouts.into(),
        |s, v| {
            s.tcp.syn_linear_timeouts = v as u8;
        },
    ),
    integer(
        "net.ipv4.tcp_syn_retries",
        1..=127,
        "retransmissions",
        |s| s.tcp.syn_retries.into(),
        |s, v| {
            s.tcp.syn_retries = v as u8;
        },
    ),
    integer(
        "net.ipv4.tcp_synack_retries",
        0..=255,
        "retransmissions",
        |s| s.tcp.synack_retries.into(),
        |s, v| {
            s.tcp.synack_retries = v as u8;
        },
    ),
    integer(
        "net.ipv4.tcp_syncookies",
        0..=2,
        "0 off, 1 when the SYN queue is full, 2 always",
        |s| s.ip.syncookies.into(),
        |s, v| {
            s.ip.syncookies = v as u8;
        },
    ),
    switch(
        "net.ipv4.tcp_thin_linear_timeouts",
        |s| s.tcp.thin_linear_timeouts.into(),
        |s, v| s.tcp.thin_linear_timeouts = v != 0,
    ),
    integer("net.ipv4.tcp_timestamps", 0..=2, "0 off, 1 with a random offset, 2 without", timestamping, |s, v| {
        s.tcp.timestamps = match v {
            0 => Timestamping::Off,
            1 => Timestamping::RandomOffset,
            _ => Timestamping::NoOffset,
        };
    }),
    integer(
        "net.ipv4.tcp_tso_rtt_log",
        0..=31,
        "power of two, in microseconds",
        |s| s.tcp.tso_rtt_log.into(),
        |s, v| s.tcp.tso_rtt_log = v as u8,
    ),
    fixed("net.ipv4.tcp_tso_win_divisor", "0", "a super-segment may be as large as the window"),
    Entry {
        name: "net.ipv4.tcp_tw_recycle",
        value: Value::Removed {
            why: "it compared timestamps of different machines behind one NAT address and so broke their connections; \
                  Linux removed it in 4.12. To open outgoing connections over TIME-WAIT there is tcp_tw_reuse",
        },
    },
    integer(
        "net.ipv4.tcp_tw_reuse",
        0..=2,
        "0 never, 1 always, 2 loopback only",
        |s| s.ip.tw_reuse.into(),
        |s, v| {
            s.ip.tw_reuse = v as u8;
        },
    ),
    integer(
        "net.ipv4.tcp_tw_reuse_delay",
        0..=60_000,
        "milliseconds",
        |s| s.ip.tw_reuse_delay.as_millis() as u64,
        |s, v| {
            s.ip.tw_reuse_delay = Duration::from_millis(v);
        },
    ),
    switch("net.ipv4.tcp_window_scaling", |s| s.tcp.window_scaling.into(), |s, v| s.tcp.window_scaling = v != 0),
    triple("net.ipv4.tcp_wmem", BUFFER, "bytes", |s| s.tcp.wmem, |s, v| s.tcp.wmem = v),
    switch(
        "net.ipv4.tcp_workaround_signed_windows",
        |s| s.tcp.workaround_signed_windows.into(),
        |s, v| s.tcp.workaround_signed_windows = v != 0,
    ),
    integer(
        "net.ipv6.conf.all.hop_limit",
        1..=255,
        "hops",
        |s| s.ip.hop_limit.into(),
        |s, v| {
            s.ip.hop_limit = v as u8;
        },
    ),
    switch(
        "net.ipv6.icmp.echo_ignore_all",
        |s| s.ip.icmpv6_echo_ignore_all.into(),
        |s, v| {
            s.ip.icmpv6_echo_ignore_all = v != 0;
        },
    ),
    integer(
        "net.ipv6.ip6frag_high_thresh",
        INT,
        "bytes",
        |s| s.ip.ip6frag_high_thresh.into(),
        |s, v| {
            s.ip.ip6frag_high_thresh = v as u32;
        },
    ),
    integer(
        "net.ipv6.ip6frag_time",
        SECONDS,
        "seconds",
        |s| s.ip.ip6frag_time.as_secs(),
        |s, v| {
            s.ip.ip6frag_time = Duration::from_secs(v);
        },
    ),
    switch("net.segue.tcp_syn_soft_errors", |s| s.tcp.syn_soft_errors.into(), |s, v| s.tcp.syn_soft_errors = v != 0),
];

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros() as u64
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

fn timestamping(settings: &Settings) -> u64 {
    match settings.tcp.timestamps {
        Timestamping::Off => 0,
        Timestamping::RandomOffset => 1,
        Timestamping::NoOffset => 2,
    }
}
