//! TCP: keep-alive, orphans and TIME-WAIT.
use core::time::Duration;

use super::{INT, KEEP_ALIVE, SECONDS};

entries! {
    "net.ipv4.tcp_fin_timeout" seconds(tcp.fin_timeout, SECONDS, "seconds")
        "How long a connection that no program holds stays in FIN-WAIT-2.";
    "net.ipv4.tcp_keepalive_intvl" seconds(tcp.keepalive_intvl, KEEP_ALIVE, "seconds")
        "Time between two keep-alive probes.";
    "net.ipv4.tcp_keepalive_probes" number(tcp.keepalive_probes as u8, 1..=127, "probes")
        "Keep-alive probes without an answer after which the peer is gone.";
    "net.ipv4.tcp_keepalive_time" seconds(tcp.keepalive_time, KEEP_ALIVE, "seconds")
        "Idle time before the first keep-alive probe.";
    "net.ipv4.tcp_max_orphans" number(ip.max_orphans as u32, INT, "connections")
        "Connections that no program holds; those beyond it are reset.";
    "net.ipv4.tcp_max_tw_buckets" number(ip.max_tw_buckets as u32, INT, "entries")
        "TIME-WAIT entries; connections beyond it end without.";
    "net.ipv4.tcp_orphan_retries" number(tcp.orphan_retries as u8, 0..=255, "retransmissions, 0 acts as 8")
        "Timeouts after which a connection that no program holds is given up.";
    "net.ipv4.tcp_rfc1337" switch(tcp.rfc1337)
        "TIME-WAIT ignores resets (RFC 1337).";
    "net.ipv4.tcp_tw_recycle"
        removed("it compared timestamps of different machines behind one NAT address and so broke their connections; \
                 Linux removed it in 4.12. To open outgoing connections over TIME-WAIT there is tcp_tw_reuse")
        "Quick reuse of TIME-WAIT.";
    "net.ipv4.tcp_tw_reuse" number(ip.tw_reuse as u8, 0..=2, "0 never, 1 always, 2 loopback only")
        "An outgoing connection may take over a four-tuple in TIME-WAIT (RFC 6191).";
    "net.ipv4.tcp_tw_reuse_delay" millis(ip.tw_reuse_delay, 0..=60_000, "milliseconds")
        "How long it must have been in TIME-WAIT by then.";
    "net.segue.tcp_user_timeout_max"
        integer(|s| s.tcp.user_timeout_bounds[1].as_secs(),
            |s, v| s.tcp.user_timeout_bounds[1] = Duration::from_secs(v), 1..=1_966_020, "seconds")
        "Longest user timeout that is adopted from a peer (RFC 5482).";
    "net.segue.tcp_user_timeout_min"
        integer(|s| s.tcp.user_timeout_bounds[0].as_secs(),
            |s, v| s.tcp.user_timeout_bounds[0] = Duration::from_secs(v), 1..=1_966_020, "seconds")
        "Shortest user timeout that is adopted from a peer (RFC 5482).";
    "net.segue.tcp_user_timeout_option" switch(tcp.user_timeout_option)
        "Tell the peer the user timeout and follow its own (RFC 5482).";
}
