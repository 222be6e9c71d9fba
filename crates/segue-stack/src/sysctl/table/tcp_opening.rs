//! TCP: how connections are opened, what a handshake settles, and the queues before accept().
use core::time::Duration;

use segue_tcp::{EcnPolicy, Timestamping};

use super::{DEVICE, Entry, INT, SECONDS, Value, fixed, integer, live, read_only, switch, timestamping};
use crate::FastOpenKeys;

pub(super) static ENTRIES: &[Entry] = &[
    switch(
        "net.ipv4.tcp_abort_on_overflow",
        "Reset a client whose handshake completes while the accept queue is full; otherwise it tries again.",
        |s| s.ip.abort_on_overflow.into(),
        |s, v| s.ip.abort_on_overflow = v != 0,
    ),
    read_only("net.ipv4.tcp_available_ulp", "Protocols that TCP_ULP may put on a connection.", String::new),
    fixed("net.ipv4.tcp_child_ehash_entries", "Size of the connection table of a new network namespace.", "0", DEVICE),
    fixed("net.ipv4.tcp_early_demux", "Look for the connection of a packet before its route.", "0", DEVICE),
    integer(
        "net.ipv4.tcp_ecn",
        "Explicit congestion notification: what is asked for and what is granted.",
        0..=5,
        "0 off, 1 granted and asked, 2 granted; accurate ECN granted by 3 to 5, asked by 3, RFC 3168 asked by 4",
        |s| s.tcp.ecn.number().into(),
        |s, v| s.tcp.ecn = EcnPolicy::from_number(v as u8).unwrap_or_default(),
    )
    .for_new_sockets(),
    switch(
        "net.ipv4.tcp_ecn_fallback",
        "A SYN that asked for ECN and met silence asks no more (RFC 3168 6.1.1.1).",
        |s| s.tcp.ecn_fallback.into(),
        |s, v| s.tcp.ecn_fallback = v != 0,
    )
    .for_new_connections(),
    integer(
        "net.ipv4.tcp_ecn_option",
        "The AccECN option on segments (RFC 9768).",
        0..=2,
        "0 never, 1 where it must be, 2 on every segment with room",
        |s| s.tcp.ecn_option.into(),
        |s, v| s.tcp.ecn_option = v as u8,
    ),
    integer(
        "net.ipv4.tcp_ecn_option_beacon",
        "How often the AccECN option goes out at least.",
        0..=3,
        "options per round trip",
        |s| s.tcp.ecn_option_beacon.into(),
        |s, v| s.tcp.ecn_option_beacon = v as u8,
    ),
    fixed(
        "net.ipv4.tcp_ehash_entries",
        "Size of the connection table.",
        "0",
        "the table of connections grows with their number",
    ),
    integer(
        "net.ipv4.tcp_fastopen",
        "Fast Open (RFC 7413).",
        INT,
        "sum of 1 client, 2 server, 4 client without cookie, 0x200 server without cookie, 0x400 all listeners",
        |s| s.ip.fast_open.into(),
        |s, v| s.ip.fast_open = v as u32,
    ),
    integer(
        "net.ipv4.tcp_fastopen_blackhole_timeout_sec",
        "How long Fast Open pauses at first when the network seems to swallow it.",
        SECONDS,
        "seconds, 0 off",
        |s| s.ip.fast_open_blackhole_timeout.as_secs(),
        |s, v| s.ip.fast_open_blackhole_timeout = Duration::from_secs(v),
    ),
    live(
        "net.ipv4.tcp_fastopen_key",
        "Keys of Fast Open cookies: primary, backup.",
        Value::Text {
            get: |s| s.ip.fast_open_key.to_string(),
            set: |s, text| {
                let keys = FastOpenKeys::parse(text);
                s.ip.fast_open_key = keys.unwrap_or(s.ip.fast_open_key);
                keys.is_some()
            },
            expected: "a key of four hexadecimal words, as in \"00112233-44556677-8899aabb-ccddeeff\", \
                       or two with a comma between them: primary and backup",
        },
    ),
    fixed(
        "net.ipv4.tcp_fwmark_accept",
        "An accepted connection has the mark of its SYN.",
        "0",
        "packets have no marks",
    ),
    fixed("net.ipv4.tcp_l3mdev_accept", "Accept across routing domains.", "0", "there are no routing domains"),
    integer(
        "net.ipv4.tcp_max_syn_backlog",
        "Half-open connections of a listener without SYN cookies.",
        INT,
        "connections per listener",
        |s| s.ip.max_syn_backlog.into(),
        |s, v| s.ip.max_syn_backlog = v as u32,
    ),
    switch(
        "net.ipv4.tcp_migrate_req",
        "Connections that a closing listener has not accepted move to another of its SO_REUSEPORT group.",
        |s| s.ip.migrate_req.into(),
        |s, v| s.ip.migrate_req = v != 0,
    ),
    switch(
        "net.ipv4.tcp_reflect_tos",
        "A SYN-ACK and the connection that comes of it have the type of service of the SYN.",
        |s| s.ip.reflect_tos.into(),
        |s, v| s.ip.reflect_tos = v != 0,
    ),
    switch(
        "net.ipv4.tcp_sack",
        "Selective acknowledgments (RFC 2018).",
        |s| s.tcp.sack.into(),
        |s, v| s.tcp.sack = v != 0,
    )
    .for_new_connections(),
    integer(
        "net.ipv4.tcp_syn_linear_timeouts",
        "SYNs sent again at the first interval before it begins to double.",
        0..=127,
        "retransmissions",
        |s| s.tcp.syn_linear_timeouts.into(),
        |s, v| s.tcp.syn_linear_timeouts = v as u8,
    ),
    integer(
        "net.ipv4.tcp_syn_retries",
        "SYNs sent again at doubling intervals before connect() fails.",
        1..=127,
        "retransmissions",
        |s| s.tcp.syn_retries.into(),
        |s, v| s.tcp.syn_retries = v as u8,
    ),
    integer(
        "net.ipv4.tcp_synack_retries",
        "SYN-ACKs sent again before a half-open connection is dropped.",
        0..=255,
        "retransmissions",
        |s| s.tcp.synack_retries.into(),
        |s, v| s.tcp.synack_retries = v as u8,
    ),
    integer(
        "net.ipv4.tcp_syncookies",
        "SYN cookies.",
        0..=2,
        "0 off, 1 when the SYN queue is full, 2 always",
        |s| s.ip.syncookies.into(),
        |s, v| s.ip.syncookies = v as u8,
    ),
    integer(
        "net.ipv4.tcp_timestamps",
        "Timestamps (RFC 7323).",
        0..=2,
        "0 off, 1 with a random offset, 2 without",
        timestamping,
        |s, v| {
            s.tcp.timestamps = match v {
                0 => Timestamping::Off,
                1 => Timestamping::RandomOffset,
                _ => Timestamping::NoOffset,
            };
        },
    )
    .for_new_connections(),
    switch(
        "net.ipv4.tcp_window_scaling",
        "Window scaling (RFC 7323).",
        |s| s.tcp.window_scaling.into(),
        |s, v| s.tcp.window_scaling = v != 0,
    )
    .for_new_connections(),
    switch(
        "net.segue.tcp_syn_soft_errors",
        "An unreachable network or host ends connect() at once, as on Linux; otherwise it goes on trying (RFC 9293 MUST-56).",
        |s| s.tcp.syn_soft_errors.into(),
        |s, v| s.tcp.syn_soft_errors = v != 0,
    ),
];
