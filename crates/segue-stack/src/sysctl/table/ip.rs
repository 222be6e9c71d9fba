//! IP, ICMP, ports and reassembly.

use super::{DEVICE, INT, LEGACY, SECONDS, Value};
use crate::Ranges;

entries! {
    "net.ipv4.ip_autobind_reuse" switch(ip.autobind_reuse)
        "A port chosen for a socket with SO_REUSEADDR may be others' with SO_REUSEADDR when no other is free.";
    "net.ipv4.ip_dynaddr" fixed("0", "addresses do not change")
        "Follow a dial-up interface's change of address.";
    "net.ipv4.ip_early_demux" fixed("0", DEVICE)
        "Look for the socket of a packet before its route.";
    "net.ipv4.ip_local_reserved_ports" live(Value::Text {
            get: |s| s.ip.local_reserved_ports.to_string(),
            set: |s, text| Ranges::parse(text, u16::MAX).map(|ports| s.ip.local_reserved_ports = ports).is_some(),
            expected: "ports and ranges of them, as in \"8080,9000-9010\"",
        })
        "Ports that are never chosen, only bound by number.";
    "net.ipv4.ip_no_pmtu_disc"
        number(ip.no_pmtu_disc as u8, 0..=3, "0 on, 1 off for new sockets, 2 ICMP errors change nothing, 3 as 2 except for TCP")
        "Path MTU discovery over IPv4.";
    "net.ipv4.ip_nonlocal_bind" switch(ip.nonlocal_bind)
        "bind() takes IPv4 addresses that are not this host's.";
    "net.ipv4.ip_unprivileged_port_start" fixed("0", "there are no privileges inside this host")
        "The lowest port that needs no privilege.";
    "net.ipv4.ipfrag_low_thresh" fixed("3145728", LEGACY)
        "Memory down to which fragments are given up.";
    "net.ipv4.ipfrag_max_dist" fixed("0", "datagrams are given up for time and memory alone")
        "How many fragments of others may come from one source before a datagram is given up.";
    "net.ipv4.ipfrag_secret_interval" fixed("0", LEGACY)
        "How often the table of fragments changes its hash.";
    "net.ipv6.auto_flowlabels"
        number(ip.auto_flow_labels as u8, 0..=3, "0 never, 1 unless IPV6_AUTOFLOWLABEL is off, 2 if it is on, 3 always")
        "Packets have flow labels that nobody named (RFC 6437).";
    "net.ipv6.bindv6only" switch(ip.bind_v6_only) NewSockets
        "New IPv6 sockets speak IPv6 alone (IPV6_V6ONLY).";
    "net.ipv6.ip6frag_low_thresh" fixed("3145728", LEGACY)
        "Memory down to which fragments are given up.";
    "net.ipv6.ip6frag_secret_interval" fixed("0", LEGACY)
        "How often the table of fragments changes its hash.";
    "net.ipv6.ip_nonlocal_bind" switch(ip.nonlocal_bind6)
        "bind() takes IPv6 addresses that are not this host's.";
    "net.ipv4.icmp_errors_use_inbound_ifaddr" fixed("0", "this stack is a host and forwards nothing")
        "ICMP errors about forwarded packets come from the interface that these came by.";
    "net.ipv4.icmp_ignore_bogus_error_responses" fixed("1", "nothing is logged")
        "Do not log ICMP errors about broadcasts.";
    "net.ipv4.icmp_ratelimit" millis(ip.icmp_ratelimit, INT, "milliseconds, 0 no limit")
        "Least time between two limited ICMP messages to one host; six may follow each other at once.";
    "net.ipv4.icmp_ratemask" number(ip.icmp_ratemask as u32, INT, "sum of 2 to the power of each type")
        "Which ICMP types are limited.";
    "net.ipv6.icmp.echo_ignore_multicast" switch(ip.icmpv6_echo_ignore_multicast)
        "Answer no ping to a group over IPv6.";
    "net.ipv6.icmp.ratelimit" millis(ip.icmpv6_ratelimit, INT, "milliseconds, 0 no limit")
        "Least time between two limited ICMPv6 messages to one host; six may follow each other at once.";
    "net.ipv6.icmp.ratemask" live(Value::Text {
            get: |s| s.ip.icmpv6_ratemask.to_string(),
            set: |s, text| Ranges::parse(text, 255).map(|types| s.ip.icmpv6_ratemask = types).is_some(),
            expected: "types from 0 to 255 and ranges of them, as in \"0-1,3-127\"",
        })
        "Which ICMPv6 types are limited.";
    "net.ipv4.conf.all.accept_source_route" switch(ip.accept_source_route)
        "Take packets that came along a source route, and answer along it.";
    "net.ipv4.icmp_echo_ignore_all" switch(ip.icmp_echo_ignore_all)
        "Answer no ping over IPv4.";
    "net.ipv4.icmp_echo_ignore_broadcasts" switch(ip.icmp_echo_ignore_broadcasts)
        "Answer no ping to a broadcast or multicast address.";
    "net.ipv4.icmp_msgs_burst" number(ip.icmp_msgs_burst as u32, INT, "messages")
        "ICMP errors to all destinations together that may follow each other at once.";
    "net.ipv4.icmp_msgs_per_sec" number(ip.icmp_msgs_per_sec as u32, INT, "messages per second")
        "ICMP errors to all destinations together.";
    "net.ipv4.ip_default_ttl" number(ip.default_ttl as u8, 1..=255, "hops")
        "Time to live of IPv4 packets.";
    "net.ipv4.ip_forward" fixed("0", "this stack is a host and forwards nothing")
        "Pass on packets that are for other hosts.";
    "net.ipv4.ip_local_port_range"
        live(Value::Ports { get: |s| s.ip.local_port_range, set: |s, v| s.ip.local_port_range = v })
        "Ports for sockets that ask for none.";
    "net.ipv4.ipfrag_high_thresh" number(ip.ipfrag_high_thresh as u32, INT, "bytes")
        "Memory that IPv4 fragments may hold while they wait for others.";
    "net.ipv4.ipfrag_time" seconds(ip.ipfrag_time, SECONDS, "seconds")
        "How long an IPv4 fragment waits for the others.";
    "net.ipv6.conf.all.hop_limit" number(ip.hop_limit as u8, 1..=255, "hops")
        "Hop limit of IPv6 packets.";
    "net.ipv6.icmp.echo_ignore_all" switch(ip.icmpv6_echo_ignore_all)
        "Answer no ping over IPv6.";
    "net.ipv6.ip6frag_high_thresh" number(ip.ip6frag_high_thresh as u32, INT, "bytes")
        "Memory that IPv6 fragments may hold while they wait for others.";
    "net.ipv6.ip6frag_time" seconds(ip.ip6frag_time, SECONDS, "seconds")
        "How long an IPv6 fragment waits for the others.";
}
