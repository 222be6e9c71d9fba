//! TCP: acknowledgments, the receive buffer, and answers to segments that do not fit.

use super::{BUFFER, DEVICE, INT, LEGACY};

entries! {
    "net.ipv4.tcp_adv_win_scale" fixed("1", LEGACY)
        "Share of the receive buffer reserved for overhead.";
    "net.ipv4.tcp_app_win" fixed("31", "the whole receive buffer is the application's")
        "Share of the receive window reserved for the application.";
    "net.ipv4.tcp_backlog_ack_defer" fixed("1", DEVICE)
        "One acknowledgment for all segments that arrived while the socket was in use.";
    "net.ipv4.tcp_challenge_ack_limit"
        number(ip.challenge_ack_limit as u32, INT, "challenge acknowledgements per second, 2147483647 no limit")
        "Challenge acknowledgments (RFC 5961) of all connections together.";
    "net.ipv4.tcp_comp_sack_delay_ns" nanos(tcp.comp_sack_delay, 0..=1_000_000_000, "nanoseconds")
        "The longest that a duplicate acknowledgment waits for others.";
    "net.ipv4.tcp_comp_sack_nr" number(tcp.comp_sack_nr as u8, 0..=255, "acknowledgments, 0 none")
        "Duplicate acknowledgments that one later may stand for.";
    "net.ipv4.tcp_comp_sack_rtt_percent"
        number(tcp.comp_sack_rtt_percent as u16, 1..=1000, "per cent of the round trip")
        "Share of the round trip that a duplicate acknowledgment may wait.";
    "net.ipv4.tcp_comp_sack_slack_ns" nanos(tcp.comp_sack_slack, 0..=1_000_000_000, "nanoseconds")
        "How much longer it may wait to save a wake-up.";
    "net.ipv4.tcp_dsack" switch(tcp.dsack)
        "Tell the peer of segments that came twice (RFC 2883).";
    "net.ipv4.tcp_invalid_ratelimit" millis(tcp.invalid_ratelimit, INT, "milliseconds, 0 no limit")
        "Least time between two answers of a connection to segments that are out of window.";
    "net.ipv4.tcp_mem" triple(tcp.mem, INT, "pages of 4096 bytes")
        "Memory of all connections together: no pressure below, pressure, the most. Follows from a memory budget.";
    "net.ipv4.tcp_moderate_rcvbuf" switch(tcp.moderate_rcvbuf)
        "Receive buffers size themselves.";
    "net.ipv4.tcp_pingpong_thresh" number(tcp.pingpong_thresh as u8, 1..=255, "answers")
        "Answers to requests after which acknowledgments wait for the next answer.";
    "net.ipv4.tcp_rcvbuf_low_rtt" fixed("1000", "receive buffers grow alike at every round-trip time")
        "Round trip below which receive buffers grow more gently.";
    "net.ipv4.tcp_rmem" triple(tcp.rmem, BUFFER, "bytes") NewSockets
        "Receive buffer of a connection.";
    "net.ipv4.tcp_shrink_window" switch(tcp.shrink_window)
        "The window may shrink to keep to memory limits.";
    "net.ipv4.tcp_stdurg" switch(tcp.stdurg)
        "The urgent pointer points at the urgent byte (RFC 1122), not behind it (RFC 6093).";
    "net.ipv4.tcp_workaround_signed_windows" switch(tcp.workaround_signed_windows)
        "A window without scaling is never above 32767.";
}
