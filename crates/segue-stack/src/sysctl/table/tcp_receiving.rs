//! TCP: acknowledgments, the receive buffer, and answers to segments that do not fit.
use core::time::Duration;

use super::{BUFFER, DEVICE, Entry, INT, LEGACY, fixed, integer, millis, nanos, switch, triple};

pub(super) static ENTRIES: &[Entry] = &[
    fixed("net.ipv4.tcp_adv_win_scale", "Share of the receive buffer reserved for overhead.", "1", LEGACY),
    fixed(
        "net.ipv4.tcp_app_win",
        "Share of the receive window reserved for the application.",
        "31",
        "the whole receive buffer is the application's",
    ),
    fixed(
        "net.ipv4.tcp_backlog_ack_defer",
        "One acknowledgment for all segments that arrived while the socket was in use.",
        "1",
        DEVICE,
    ),
    integer(
        "net.ipv4.tcp_challenge_ack_limit",
        "Challenge acknowledgments (RFC 5961) of all connections together.",
        INT,
        "challenge acknowledgements per second, 2147483647 no limit",
        |s| s.ip.challenge_ack_limit.into(),
        |s, v| s.ip.challenge_ack_limit = v as u32,
    ),
    integer(
        "net.ipv4.tcp_comp_sack_delay_ns",
        "The longest that a duplicate acknowledgment waits for others.",
        0..=1_000_000_000,
        "nanoseconds",
        |s| nanos(s.tcp.comp_sack_delay),
        |s, v| s.tcp.comp_sack_delay = Duration::from_nanos(v),
    ),
    integer(
        "net.ipv4.tcp_comp_sack_nr",
        "Duplicate acknowledgments that one later may stand for.",
        0..=255,
        "acknowledgments, 0 none",
        |s| s.tcp.comp_sack_nr.into(),
        |s, v| s.tcp.comp_sack_nr = v as u8,
    ),
    integer(
        "net.ipv4.tcp_comp_sack_rtt_percent",
        "Share of the round trip that a duplicate acknowledgment may wait.",
        1..=1000,
        "per cent of the round trip",
        |s| s.tcp.comp_sack_rtt_percent.into(),
        |s, v| s.tcp.comp_sack_rtt_percent = v as u16,
    ),
    integer(
        "net.ipv4.tcp_comp_sack_slack_ns",
        "How much longer it may wait to save a wake-up.",
        0..=1_000_000_000,
        "nanoseconds",
        |s| nanos(s.tcp.comp_sack_slack),
        |s, v| s.tcp.comp_sack_slack = Duration::from_nanos(v),
    ),
    switch(
        "net.ipv4.tcp_dsack",
        "Tell the peer of segments that came twice (RFC 2883).",
        |s| s.tcp.dsack.into(),
        |s, v| s.tcp.dsack = v != 0,
    ),
    integer(
        "net.ipv4.tcp_invalid_ratelimit",
        "Least time between two answers of a connection to segments that are out of window.",
        INT,
        "milliseconds, 0 no limit",
        |s| millis(s.tcp.invalid_ratelimit),
        |s, v| s.tcp.invalid_ratelimit = Duration::from_millis(v),
    ),
    triple(
        "net.ipv4.tcp_mem",
        "Memory of all connections together: no pressure below, pressure, the most. Follows from a memory budget.",
        INT,
        "pages of 4096 bytes",
        |s| s.tcp.mem,
        |s, v| s.tcp.mem = v,
    ),
    switch(
        "net.ipv4.tcp_moderate_rcvbuf",
        "Receive buffers size themselves.",
        |s| s.tcp.moderate_rcvbuf.into(),
        |s, v| s.tcp.moderate_rcvbuf = v != 0,
    ),
    integer(
        "net.ipv4.tcp_pingpong_thresh",
        "Answers to requests after which acknowledgments wait for the next answer.",
        1..=255,
        "answers",
        |s| s.tcp.pingpong_thresh.into(),
        |s, v| s.tcp.pingpong_thresh = v as u8,
    ),
    fixed(
        "net.ipv4.tcp_rcvbuf_low_rtt",
        "Round trip below which receive buffers grow more gently.",
        "1000",
        "receive buffers grow alike at every round-trip time",
    ),
    triple(
        "net.ipv4.tcp_rmem",
        "Receive buffer of a connection.",
        BUFFER,
        "bytes",
        |s| s.tcp.rmem,
        |s, v| s.tcp.rmem = v,
    )
    .for_new_sockets(),
    switch(
        "net.ipv4.tcp_shrink_window",
        "The window may shrink to keep to memory limits.",
        |s| s.tcp.shrink_window.into(),
        |s, v| s.tcp.shrink_window = v != 0,
    ),
    switch(
        "net.ipv4.tcp_stdurg",
        "The urgent pointer points at the urgent byte (RFC 1122), not behind it (RFC 6093).",
        |s| s.tcp.stdurg.into(),
        |s, v| s.tcp.stdurg = v != 0,
    ),
    switch(
        "net.ipv4.tcp_workaround_signed_windows",
        "A window without scaling is never above 32767.",
        |s| s.tcp.workaround_signed_windows.into(),
        |s, v| s.tcp.workaround_signed_windows = v != 0,
    ),
];
