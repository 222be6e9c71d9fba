//! TCP: congestion control, pacing, segment sizes, the send buffer, and what is remembered of a destination.
use core::time::Duration;

use segue_tcp::{CongestionName, MtuProbing};

use super::{
    BUFFER, Entry, LEGACY, NO_METRICS, NO_PLB, SECONDS, Value, WHOLE_LIFE, fixed, integer, live, read_only, switch,
    triple,
};

pub(super) static ENTRIES: &[Entry] = &[
    live(
        "net.ipv4.tcp_allowed_congestion_control",
        "Algorithms that TCP_CONGESTION may choose.",
        Value::Names {
            get: |s| s.ip.allowed_congestion_control.clone(),
            set: |s, names| s.ip.allowed_congestion_control = names,
            single: false,
        },
    ),
    fixed(
        "net.ipv4.tcp_autocorking",
        "Join small writes while earlier segments of the connection wait below.",
        "0",
        "small writes are joined by Nagle's algorithm and TCP_CORK only",
    ),
    read_only("net.ipv4.tcp_available_congestion_control", "Algorithms that there are.", available),
    integer(
        "net.ipv4.tcp_base_mss",
        "Segment size that path MTU probing begins with.",
        1..=65_535,
        "bytes",
        |s| s.tcp.base_mss.into(),
        |s, v| s.tcp.base_mss = v as u16,
    ),
    live(
        "net.ipv4.tcp_congestion_control",
        "Congestion control of new connections.",
        Value::Names {
            get: |s| vec![s.tcp.congestion],
            set: |s, names| {
                s.tcp.congestion = names.first().copied().unwrap_or_default();
            },
            single: true,
        },
    )
    .for_new_sockets(),
    fixed(
        "net.ipv4.tcp_limit_output_bytes",
        "Bytes of one connection that may wait below the stack.",
        "4194304",
        "the link asks for segments when it has room; nothing queues below the stack",
    ),
    fixed("net.ipv4.tcp_low_latency", "Prefer latency to throughput.", "0", LEGACY),
    fixed("net.ipv4.tcp_min_rtt_wlen", "How long the least round trip is remembered.", "300", WHOLE_LIFE),
    integer(
        "net.ipv4.tcp_min_snd_mss",
        "Smallest segment size, whatever the peer says.",
        48..=65_535,
        "bytes",
        |s| s.tcp.min_snd_mss.into(),
        |s, v| s.tcp.min_snd_mss = v as u16,
    )
    .for_new_connections(),
    integer(
        "net.ipv4.tcp_min_tso_segs",
        "Segments that a super-segment may have whatever the rate.",
        1..=255,
        "segments",
        |s| s.tcp.min_tso_segs.into(),
        |s, v| s.tcp.min_tso_segs = v as u8,
    ),
    integer(
        "net.ipv4.tcp_mtu_probe_floor",
        "Smallest segment size that path MTU probing tries.",
        1..=65_535,
        "bytes",
        |s| s.tcp.mtu_probe_floor.into(),
        |s, v| s.tcp.mtu_probe_floor = v as u16,
    ),
    integer(
        "net.ipv4.tcp_mtu_probing",
        "Path MTU probing (RFC 4821, RFC 8899).",
        0..=2,
        "0 off, 1 after a black hole, 2 always in new connections",
        |s| s.tcp.mtu_probing as u64,
        |s, v| {
            s.tcp.mtu_probing = match v {
                0 => MtuProbing::Off,
                1 => MtuProbing::BlackHole,
                _ => MtuProbing::Always,
            };
        },
    ),
    fixed(
        "net.ipv4.tcp_no_metrics_save",
        "Remember nothing of a destination for the next connection to it.",
        "1",
        NO_METRICS,
    ),
    fixed(
        "net.ipv4.tcp_no_ssthresh_metrics_save",
        "Do not remember the slow start threshold of a destination.",
        "1",
        NO_METRICS,
    ),
    integer(
        "net.ipv4.tcp_notsent_lowat",
        "A socket is writable while fewer unsent bytes than this are queued.",
        0..=u32::MAX as u64,
        "bytes",
        |s| s.tcp.notsent_lowat.into(),
        |s, v| s.tcp.notsent_lowat = v as u32,
    ),
    integer(
        "net.ipv4.tcp_pacing_ca_ratio",
        "Pacing rate in congestion avoidance.",
        0..=1000,
        "per cent of a window in a round trip",
        |s| s.tcp.pacing_ca_ratio.into(),
        |s, v| s.tcp.pacing_ca_ratio = v as u16,
    ),
    integer(
        "net.ipv4.tcp_pacing_ss_ratio",
        "Pacing rate in slow start.",
        0..=1000,
        "per cent of a window in a round trip",
        |s| s.tcp.pacing_ss_ratio.into(),
        |s, v| s.tcp.pacing_ss_ratio = v as u16,
    ),
    fixed(
        "net.ipv4.tcp_plb_cong_thresh",
        "Marked share of a round trip that counts as congested, of 256.",
        "128",
        NO_PLB,
    ),
    fixed("net.ipv4.tcp_plb_enabled", "Change the path by the IPv6 flow label when it is congested.", "0", NO_PLB),
    fixed(
        "net.ipv4.tcp_plb_idle_rehash_rounds",
        "Congested round trips after which an idle connection changes its path.",
        "3",
        NO_PLB,
    ),
    fixed(
        "net.ipv4.tcp_plb_rehash_rounds",
        "Congested round trips after which any connection changes its path.",
        "12",
        NO_PLB,
    ),
    fixed("net.ipv4.tcp_plb_suspend_rto_sec", "Pause of path changes after a timeout.", "60", NO_PLB),
    integer(
        "net.ipv4.tcp_probe_interval",
        "Time after which path MTU probing begins again.",
        SECONDS,
        "seconds",
        |s| s.tcp.probe_interval.as_secs(),
        |s, v| s.tcp.probe_interval = Duration::from_secs(v),
    ),
    integer(
        "net.ipv4.tcp_probe_threshold",
        "Path MTU probing ends when its range is so small.",
        0..=65_535,
        "bytes",
        |s| s.tcp.probe_threshold.into(),
        |s, v| s.tcp.probe_threshold = v as u16,
    ),
    switch(
        "net.ipv4.tcp_slow_start_after_idle",
        "The congestion window shrinks after a pause (RFC 2861).",
        |s| s.tcp.slow_start_after_idle.into(),
        |s, v| s.tcp.slow_start_after_idle = v != 0,
    ),
    integer(
        "net.ipv4.tcp_tso_rtt_log",
        "Super-segments grow on paths whose least round trip is below 2 to this power of microseconds; 0: never.",
        0..=31,
        "power of two, in microseconds",
        |s| s.tcp.tso_rtt_log.into(),
        |s, v| s.tcp.tso_rtt_log = v as u8,
    ),
    integer(
        "net.ipv4.tcp_tso_win_divisor",
        "Data wait for more to leave with while the window lets out less than this part of it; 0: three segments or fewer.",
        0..=255,
        "parts",
        |s| s.tcp.tso_win_divisor.into(),
        |s, v| s.tcp.tso_win_divisor = v as u8,
    ),
    triple("net.ipv4.tcp_wmem", "Send buffer of a connection.", BUFFER, "bytes", |s| s.tcp.wmem, |s, v| s.tcp.wmem = v)
        .for_new_sockets(),
];

fn available() -> String {
    CongestionName::ALL.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
}
