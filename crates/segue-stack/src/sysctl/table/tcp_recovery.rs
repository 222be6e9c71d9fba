//! TCP: what is taken for lost, and when it is sent again.

use super::LEGACY;

entries! {
    "net.ipv4.tcp_early_retrans" number(tcp.early_retrans as u8, 0..=4, "3 and 4: tail-loss probes on")
        "Tail-loss probes (RFC 8985).";
    "net.ipv4.tcp_fack" fixed("0", LEGACY)
        "Forward acknowledgment.";
    "net.ipv4.tcp_frto" number(tcp.frto as u8, 0..=255, "0 off, others on")
        "Look whether a timeout was needless (F-RTO, RFC 5682).";
    "net.ipv4.tcp_max_reordering" number(tcp.max_reordering as u16, 3..=65_535, "segments")
        "The most that the reordering of a path is believed to be.";
    "net.ipv4.tcp_recovery"
        number(tcp.recovery as u8, 0..=7, "bits: 1 RACK (always on with SACK), 2 static reordering window, 4 no duplicate threshold")
        "Loss detection by time (RACK, RFC 8985).";
    "net.ipv4.tcp_reordering" number(tcp.reordering as u8, 3..=255, "duplicate acknowledgements") NewSockets
        "By how many segments one may be overtaken without being lost, at first.";
    "net.ipv4.tcp_retrans_collapse" switch(tcp.retrans_collapse)
        "Join small segments when they are sent again.";
    "net.ipv4.tcp_retries1" number(tcp.retries1 as u8, 1..=255, "retransmissions")
        "Timeouts after which the route and, with tcp_mtu_probing, the path MTU are doubted, as the time that so many would take.";
    "net.ipv4.tcp_retries2" number(tcp.retries2 as u8, 0..=255, "retransmissions")
        "Timeouts after which a connection is given up, as the time that so many would take.";
    "net.ipv4.tcp_rto_max_ms" millis(tcp.rto_max, 1_000..=120_000, "milliseconds") NewSockets
        "Largest retransmission timeout.";
    "net.ipv4.tcp_rto_min_us" micros(tcp.rto_min, 1_000..=120_000_000, "microseconds") NewSockets
        "Smallest retransmission timeout.";
    "net.ipv4.tcp_thin_linear_timeouts" switch(tcp.thin_linear_timeouts)
        "With fewer than four segments in flight the first six timeouts do not double.";
}
