//! TCP: keep-alive, orphans and TIME-WAIT.
use core::time::Duration;

use super::{Entry, INT, KEEP_ALIVE, SECONDS, integer, removed, switch};

pub(super) static ENTRIES: &[Entry] = &[
    integer(
        "net.ipv4.tcp_fin_timeout",
        "How long a connection that no program holds stays in FIN-WAIT-2.",
        SECONDS,
        "seconds",
        |s| s.tcp.fin_timeout.as_secs(),
        |s, v| s.tcp.fin_timeout = Duration::from_secs(v),
    ),
    integer(
        "net.ipv4.tcp_keepalive_intvl",
        "Time between two keep-alive probes.",
        KEEP_ALIVE,
        "seconds",
        |s| s.tcp.keepalive_intvl.as_secs(),
        |s, v| s.tcp.keepalive_intvl = Duration::from_secs(v),
    ),
    integer(
        "net.ipv4.tcp_keepalive_probes",
        "Keep-alive probes without an answer after which the peer is gone.",
        1..=127,
        "probes",
        |s| s.tcp.keepalive_probes.into(),
        |s, v| s.tcp.keepalive_probes = v as u8,
    ),
    integer(
        "net.ipv4.tcp_keepalive_time",
        "Idle time before the first keep-alive probe.",
        KEEP_ALIVE,
        "seconds",
        |s| s.tcp.keepalive_time.as_secs(),
        |s, v| s.tcp.keepalive_time = Duration::from_secs(v),
    ),
    integer(
        "net.ipv4.tcp_max_orphans",
        "Connections that no program holds; those beyond it are reset.",
        INT,
        "connections",
        |s| s.ip.max_orphans.into(),
        |s, v| s.ip.max_orphans = v as u32,
    ),
    integer(
        "net.ipv4.tcp_max_tw_buckets",
        "TIME-WAIT entries; connections beyond it end without.",
        INT,
        "entries",
        |s| s.ip.max_tw_buckets.into(),
        |s, v| s.ip.max_tw_buckets = v as u32,
    ),
    integer(
        "net.ipv4.tcp_orphan_retries",
        "Timeouts after which a connection that no program holds is given up.",
        0..=255,
        "retransmissions, 0 acts as 8",
        |s| s.tcp.orphan_retries.into(),
        |s, v| s.tcp.orphan_retries = v as u8,
    ),
    switch(
        "net.ipv4.tcp_rfc1337",
        "TIME-WAIT ignores resets (RFC 1337).",
        |s| s.tcp.rfc1337.into(),
        |s, v| s.tcp.rfc1337 = v != 0,
    ),
    removed(
        "net.ipv4.tcp_tw_recycle",
        "Quick reuse of TIME-WAIT.",
        "it compared timestamps of different machines behind one NAT address and so broke their connections; \
                  Linux removed it in 4.12. To open outgoing connections over TIME-WAIT there is tcp_tw_reuse",
    ),
    integer(
        "net.ipv4.tcp_tw_reuse",
        "An outgoing connection may take over a four-tuple in TIME-WAIT (RFC 6191).",
        0..=2,
        "0 never, 1 always, 2 loopback only",
        |s| s.ip.tw_reuse.into(),
        |s, v| s.ip.tw_reuse = v as u8,
    ),
    integer(
        "net.ipv4.tcp_tw_reuse_delay",
        "How long it must have been in TIME-WAIT by then.",
        0..=60_000,
        "milliseconds",
        |s| s.ip.tw_reuse_delay.as_millis() as u64,
        |s, v| s.ip.tw_reuse_delay = Duration::from_millis(v),
    ),
    integer(
        "net.segue.tcp_user_timeout_max",
        "Longest user timeout that is adopted from a peer (RFC 5482).",
        1..=1_966_020,
        "seconds",
        |s| s.tcp.user_timeout_bounds[1].as_secs(),
        |s, v| s.tcp.user_timeout_bounds[1] = Duration::from_secs(v),
    ),
    integer(
        "net.segue.tcp_user_timeout_min",
        "Shortest user timeout that is adopted from a peer (RFC 5482).",
        1..=1_966_020,
        "seconds",
        |s| s.tcp.user_timeout_bounds[0].as_secs(),
        |s, v| s.tcp.user_timeout_bounds[0] = Duration::from_secs(v),
    ),
    switch(
        "net.segue.tcp_user_timeout_option",
        "Tell the peer the user timeout and follow its own (RFC 5482).",
        |s| s.tcp.user_timeout_option.into(),
        |s, v| s.tcp.user_timeout_option = v != 0,
    ),
];
