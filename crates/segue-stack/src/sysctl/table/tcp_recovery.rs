//! TCP: what is taken for lost, and when it is sent again.
use core::time::Duration;

use super::{Entry, LEGACY, fixed, integer, micros, millis, switch};

pub(super) static ENTRIES: &[Entry] = &[
    integer(
        "net.ipv4.tcp_early_retrans",
        "Tail-loss probes (RFC 8985).",
        0..=4,
        "3 and 4: tail-loss probes on",
        |s| s.tcp.early_retrans.into(),
        |s, v| s.tcp.early_retrans = v as u8,
    ),
    fixed("net.ipv4.tcp_fack", "Forward acknowledgment.", "0", LEGACY),
    integer(
        "net.ipv4.tcp_frto",
        "Look whether a timeout was needless (F-RTO, RFC 5682).",
        0..=255,
        "0 off, others on",
        |s| s.tcp.frto.into(),
        |s, v| s.tcp.frto = v as u8,
    ),
    integer(
        "net.ipv4.tcp_max_reordering",
        "The most that the reordering of a path is believed to be.",
        3..=65_535,
        "segments",
        |s| s.tcp.max_reordering.into(),
        |s, v| s.tcp.max_reordering = v as u16,
    ),
    integer(
        "net.ipv4.tcp_recovery",
        "Loss detection by time (RACK, RFC 8985).",
        0..=7,
        "bits: 1 RACK (always on with SACK), 2 static reordering window, 4 no duplicate threshold",
        |s| s.tcp.recovery.into(),
        |s, v| s.tcp.recovery = v as u8,
    ),
    integer(
        "net.ipv4.tcp_reordering",
        "By how many segments one may be overtaken without being lost, at first.",
        3..=255,
        "duplicate acknowledgements",
        |s| s.tcp.reordering.into(),
        |s, v| s.tcp.reordering = v as u8,
    )
    .for_new_sockets(),
    switch(
        "net.ipv4.tcp_retrans_collapse",
        "Join small segments when they are sent again.",
        |s| s.tcp.retrans_collapse.into(),
        |s, v| s.tcp.retrans_collapse = v != 0,
    ),
    integer(
        "net.ipv4.tcp_retries1",
        "Timeouts after which the route and, with tcp_mtu_probing, the path MTU are doubted, as the time that so many would take.",
        1..=255,
        "retransmissions",
        |s| s.tcp.retries1.into(),
        |s, v| s.tcp.retries1 = v as u8,
    ),
    integer(
        "net.ipv4.tcp_retries2",
        "Timeouts after which a connection is given up, as the time that so many would take.",
        0..=255,
        "retransmissions",
        |s| s.tcp.retries2.into(),
        |s, v| s.tcp.retries2 = v as u8,
    ),
    integer(
        "net.ipv4.tcp_rto_max_ms",
        "Largest retransmission timeout.",
        1_000..=120_000,
        "milliseconds",
        |s| millis(s.tcp.rto_max),
        |s, v| s.tcp.rto_max = Duration::from_millis(v),
    )
    .for_new_sockets(),
    integer(
        "net.ipv4.tcp_rto_min_us",
        "Smallest retransmission timeout.",
        1_000..=120_000_000,
        "microseconds",
        |s| micros(s.tcp.rto_min),
        |s, v| s.tcp.rto_min = Duration::from_micros(v),
    )
    .for_new_sockets(),
    switch(
        "net.ipv4.tcp_thin_linear_timeouts",
        "With fewer than four segments in flight the first six timeouts do not double.",
        |s| s.tcp.thin_linear_timeouts.into(),
        |s, v| s.tcp.thin_linear_timeouts = v != 0,
    ),
];
