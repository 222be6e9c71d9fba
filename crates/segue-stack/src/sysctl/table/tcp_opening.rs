//! TCP: how connections are opened, what a handshake settles, and the queues before accept().

use segue_tcp::{EcnPolicy, Timestamping};

use super::{DEVICE, INT, SECONDS, Value, timestamping};
use crate::FastOpenKeys;

entries! {
    "net.ipv4.tcp_abort_on_overflow" switch(ip.abort_on_overflow)
        "Reset a client whose handshake completes while the accept queue is full; otherwise it tries again.";
    "net.ipv4.tcp_available_ulp" read_only(String::new)
        "Protocols that TCP_ULP may put on a connection.";
    "net.ipv4.tcp_child_ehash_entries" fixed("0", DEVICE)
        "Size of the connection table of a new network namespace.";
    "net.ipv4.tcp_early_demux" fixed("0", DEVICE)
        "Look for the connection of a packet before its route.";
    "net.ipv4.tcp_ecn"
        integer(|s| s.tcp.ecn.number().into(),
            |s, v| s.tcp.ecn = EcnPolicy::from_number(v as u8).unwrap_or_default(), 0..=5,
            "0 off, 1 granted and asked, 2 granted; accurate ECN granted by 3 to 5, asked by 3, RFC 3168 asked by 4") NewSockets
        "Explicit congestion notification: what is asked for and what is granted.";
    "net.ipv4.tcp_ecn_fallback" switch(tcp.ecn_fallback) NewConnections
        "A SYN that asked for ECN and met silence asks no more (RFC 3168 6.1.1.1).";
    "net.ipv4.tcp_ecn_option"
        number(tcp.ecn_option as u8, 0..=2, "0 never, 1 where it must be, 2 on every segment with room")
        "The AccECN option on segments (RFC 9768).";
    "net.ipv4.tcp_ecn_option_beacon" number(tcp.ecn_option_beacon as u8, 0..=3, "options per round trip")
        "How often the AccECN option goes out at least.";
    "net.ipv4.tcp_ehash_entries" fixed("0", "the table of connections grows with their number")
        "Size of the connection table.";
    "net.ipv4.tcp_fastopen"
        number(ip.fast_open as u32, INT, "sum of 1 client, 2 server, 4 client without cookie, 0x200 server without cookie, 0x400 all listeners")
        "Fast Open (RFC 7413).";
    "net.ipv4.tcp_fastopen_blackhole_timeout_sec" seconds(ip.fast_open_blackhole_timeout, SECONDS, "seconds, 0 off")
        "How long Fast Open pauses at first when the network seems to swallow it.";
    "net.ipv4.tcp_fastopen_key" live(Value::Text {
            get: |s| s.ip.fast_open_key.to_string(),
            set: |s, text| {
                let keys = FastOpenKeys::parse(text);
                s.ip.fast_open_key = keys.unwrap_or(s.ip.fast_open_key);
                keys.is_some()
            },
            expected: "a key of four hexadecimal words, as in \"00112233-44556677-8899aabb-ccddeeff\", or two with a comma between them: primary and backup",
        })
        "Keys of Fast Open cookies: primary, backup.";
    "net.ipv4.tcp_fwmark_accept" fixed("0", "packets have no marks")
        "An accepted connection has the mark of its SYN.";
    "net.ipv4.tcp_l3mdev_accept" fixed("0", "there are no routing domains")
        "Accept across routing domains.";
    "net.ipv4.tcp_max_syn_backlog" number(ip.max_syn_backlog as u32, INT, "connections per listener")
        "Half-open connections of a listener without SYN cookies.";
    "net.ipv4.tcp_migrate_req" switch(ip.migrate_req)
        "Connections that a closing listener has not accepted move to another of its SO_REUSEPORT group.";
    "net.ipv4.tcp_reflect_tos" switch(ip.reflect_tos)
        "A SYN-ACK and the connection that comes of it have the type of service of the SYN.";
    "net.ipv4.tcp_sack" switch(tcp.sack) NewConnections
        "Selective acknowledgments (RFC 2018).";
    "net.ipv4.tcp_syn_linear_timeouts" number(tcp.syn_linear_timeouts as u8, 0..=127, "retransmissions")
        "SYNs sent again at the first interval before it begins to double.";
    "net.ipv4.tcp_syn_retries" number(tcp.syn_retries as u8, 1..=127, "retransmissions")
        "SYNs sent again at doubling intervals before connect() fails.";
    "net.ipv4.tcp_synack_retries" number(tcp.synack_retries as u8, 0..=255, "retransmissions")
        "SYN-ACKs sent again before a half-open connection is dropped.";
    "net.ipv4.tcp_syncookies" number(ip.syncookies as u8, 0..=2, "0 off, 1 when the SYN queue is full, 2 always")
        "SYN cookies.";
    "net.ipv4.tcp_timestamps" integer(timestamping, |s, v| {
            s.tcp.timestamps = match v {
                0 => Timestamping::Off,
                1 => Timestamping::RandomOffset,
                _ => Timestamping::NoOffset,
            };
        }, 0..=2, "0 off, 1 with a random offset, 2 without") NewConnections
        "Timestamps (RFC 7323).";
    "net.ipv4.tcp_window_scaling" switch(tcp.window_scaling) NewConnections
        "Window scaling (RFC 7323).";
    "net.segue.tcp_syn_soft_errors" switch(tcp.syn_soft_errors)
        "An unreachable network or host ends connect() at once, as on Linux; otherwise it goes on trying (RFC 9293 MUST-56).";
}
