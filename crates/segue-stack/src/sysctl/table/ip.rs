//! IP, ICMP, ports and reassembly.
use core::time::Duration;

use super::{Entry, INT, SECONDS, Value, fixed, integer, live, switch};

pub(super) static ENTRIES: &[Entry] = &[
    switch(
        "net.ipv4.conf.all.accept_source_route",
        "Take packets that came along a source route, and answer along it.",
        |s| s.ip.accept_source_route.into(),
        |s, v| s.ip.accept_source_route = v != 0,
    ),
    switch(
        "net.ipv4.icmp_echo_ignore_all",
        "Answer no ping over IPv4.",
        |s| s.ip.icmp_echo_ignore_all.into(),
        |s, v| s.ip.icmp_echo_ignore_all = v != 0,
    ),
    switch(
        "net.ipv4.icmp_echo_ignore_broadcasts",
        "Answer no ping to a broadcast or multicast address.",
        |s| s.ip.icmp_echo_ignore_broadcasts.into(),
        |s, v| s.ip.icmp_echo_ignore_broadcasts = v != 0,
    ),
    integer(
        "net.ipv4.icmp_msgs_burst",
        "ICMP errors to all destinations together that may follow each other at once.",
        INT,
        "messages",
        |s| s.ip.icmp_msgs_burst.into(),
        |s, v| s.ip.icmp_msgs_burst = v as u32,
    ),
    integer(
        "net.ipv4.icmp_msgs_per_sec",
        "ICMP errors to all destinations together.",
        INT,
        "messages per second",
        |s| s.ip.icmp_msgs_per_sec.into(),
        |s, v| s.ip.icmp_msgs_per_sec = v as u32,
    ),
    integer(
        "net.ipv4.ip_default_ttl",
        "Time to live of IPv4 packets.",
        1..=255,
        "hops",
        |s| s.ip.default_ttl.into(),
        |s, v| s.ip.default_ttl = v as u8,
    ),
    fixed(
        "net.ipv4.ip_forward",
        "Pass on packets that are for other hosts.",
        "0",
        "this stack is a host and forwards nothing",
    ),
    live(
        "net.ipv4.ip_local_port_range",
        "Ports for sockets that ask for none.",
        Value::Ports { get: |s| s.ip.local_port_range, set: |s, v| s.ip.local_port_range = v },
    ),
    integer(
        "net.ipv4.ipfrag_high_thresh",
        "Memory that IPv4 fragments may hold while they wait for others.",
        INT,
        "bytes",
        |s| s.ip.ipfrag_high_thresh.into(),
        |s, v| s.ip.ipfrag_high_thresh = v as u32,
    ),
    integer(
        "net.ipv4.ipfrag_time",
        "How long an IPv4 fragment waits for the others.",
        SECONDS,
        "seconds",
        |s| s.ip.ipfrag_time.as_secs(),
        |s, v| s.ip.ipfrag_time = Duration::from_secs(v),
    ),
    integer(
        "net.ipv6.conf.all.hop_limit",
        "Hop limit of IPv6 packets.",
        1..=255,
        "hops",
        |s| s.ip.hop_limit.into(),
        |s, v| s.ip.hop_limit = v as u8,
    ),
    switch(
        "net.ipv6.icmp.echo_ignore_all",
        "Answer no ping over IPv6.",
        |s| s.ip.icmpv6_echo_ignore_all.into(),
        |s, v| s.ip.icmpv6_echo_ignore_all = v != 0,
    ),
    integer(
        "net.ipv6.ip6frag_high_thresh",
        "Memory that IPv6 fragments may hold while they wait for others.",
        INT,
        "bytes",
        |s| s.ip.ip6frag_high_thresh.into(),
        |s, v| s.ip.ip6frag_high_thresh = v as u32,
    ),
    integer(
        "net.ipv6.ip6frag_time",
        "How long an IPv6 fragment waits for the others.",
        SECONDS,
        "seconds",
        |s| s.ip.ip6frag_time.as_secs(),
        |s, v| s.ip.ip6frag_time = Duration::from_secs(v),
    ),
];
