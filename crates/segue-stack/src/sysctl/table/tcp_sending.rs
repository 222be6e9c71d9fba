//! TCP: congestion control, pacing, segment sizes, the send buffer, and what is remembered of a destination.

use segue_tcp::{CongestionName, MtuProbing};

use super::{BUFFER, LEGACY, NO_METRICS, NO_PLB, SECONDS, Value, WHOLE_LIFE};

entries! {
    "net.ipv4.tcp_allowed_congestion_control" live(Value::Names {
            get: |s| s.ip.allowed_congestion_control.clone(),
            set: |s, names| s.ip.allowed_congestion_control = names,
            single: false,
        })
        "Algorithms that TCP_CONGESTION may choose.";
    "net.ipv4.tcp_autocorking" fixed("0", "small writes are joined by Nagle's algorithm and TCP_CORK only")
        "Join small writes while earlier segments of the connection wait below.";
    "net.ipv4.tcp_available_congestion_control" read_only(available)
        "Algorithms that there are.";
    "net.ipv4.tcp_base_mss" number(tcp.base_mss as u16, 1..=65_535, "bytes")
        "Segment size that path MTU probing begins with.";
    "net.ipv4.tcp_congestion_control" live(Value::Names {
            get: |s| vec![s.tcp.congestion],
            set: |s, names| {
                s.tcp.congestion = names.first().copied().unwrap_or_default();
            },
            single: true,
        }) NewSockets
        "Congestion control of new connections.";
    "net.ipv4.tcp_limit_output_bytes"
        fixed("4194304", "the link asks for segments when it has room; nothing queues below the stack")
        "Bytes of one connection that may wait below the stack.";
    "net.ipv4.tcp_low_latency" fixed("0", LEGACY)
        "Prefer latency to throughput.";
    "net.ipv4.tcp_min_rtt_wlen" fixed("300", WHOLE_LIFE)
        "How long the least round trip is remembered.";
    "net.ipv4.tcp_min_snd_mss" number(tcp.min_snd_mss as u16, 48..=65_535, "bytes") NewConnections
        "Smallest segment size, whatever the peer says.";
    "net.ipv4.tcp_min_tso_segs" number(tcp.min_tso_segs as u8, 1..=255, "segments")
        "Segments that a super-segment may have whatever the rate.";
    "net.ipv4.tcp_mtu_probe_floor" number(tcp.mtu_probe_floor as u16, 1..=65_535, "bytes")
        "Smallest segment size that path MTU probing tries.";
    "net.ipv4.tcp_mtu_probing" integer(|s| s.tcp.mtu_probing as u64, |s, v| {
            s.tcp.mtu_probing = match v {
                0 => MtuProbing::Off,
                1 => MtuProbing::BlackHole,
                _ => MtuProbing::Always,
            };
        }, 0..=2, "0 off, 1 after a black hole, 2 always in new connections")
        "Path MTU probing (RFC 4821, RFC 8899).";
    "net.ipv4.tcp_no_metrics_save" fixed("1", NO_METRICS)
        "Remember nothing of a destination for the next connection to it.";
    "net.ipv4.tcp_no_ssthresh_metrics_save" fixed("1", NO_METRICS)
        "Do not remember the slow start threshold of a destination.";
    "net.ipv4.tcp_notsent_lowat" number(tcp.notsent_lowat as u32, 0..=u32::MAX as u64, "bytes")
        "A socket is writable while fewer unsent bytes than this are queued.";
    "net.ipv4.tcp_pacing_ca_ratio"
        number(tcp.pacing_ca_ratio as u16, 0..=1000, "per cent of a window in a round trip")
        "Pacing rate in congestion avoidance.";
    "net.ipv4.tcp_pacing_ss_ratio"
        number(tcp.pacing_ss_ratio as u16, 0..=1000, "per cent of a window in a round trip")
        "Pacing rate in slow start.";
    "net.ipv4.tcp_plb_cong_thresh" fixed("128", NO_PLB)
        "Marked share of a round trip that counts as congested, of 256.";
    "net.ipv4.tcp_plb_enabled" fixed("0", NO_PLB)
        "Change the path by the IPv6 flow label when it is congested.";
    "net.ipv4.tcp_plb_idle_rehash_rounds" fixed("3", NO_PLB)
        "Congested round trips after which an idle connection changes its path.";
    "net.ipv4.tcp_plb_rehash_rounds" fixed("12", NO_PLB)
        "Congested round trips after which any connection changes its path.";
    "net.ipv4.tcp_plb_suspend_rto_sec" fixed("60", NO_PLB)
        "Pause of path changes after a timeout.";
    "net.ipv4.tcp_probe_interval" seconds(tcp.probe_interval, SECONDS, "seconds")
        "Time after which path MTU probing begins again.";
    "net.ipv4.tcp_probe_threshold" number(tcp.probe_threshold as u16, 0..=65_535, "bytes")
        "Path MTU probing ends when its range is so small.";
    "net.ipv4.tcp_slow_start_after_idle" switch(tcp.slow_start_after_idle)
        "The congestion window shrinks after a pause (RFC 2861).";
    "net.ipv4.tcp_tso_rtt_log" number(tcp.tso_rtt_log as u8, 0..=31, "power of two, in microseconds")
        "Super-segments grow on paths whose least round trip is below 2 to this power of microseconds; 0: never.";
    "net.ipv4.tcp_tso_win_divisor" number(tcp.tso_win_divisor as u8, 0..=255, "parts")
        "Data wait for more to leave with while the window lets out less than this part of it; 0: three segments or fewer.";
    "net.ipv4.tcp_wmem" triple(tcp.wmem, BUFFER, "bytes") NewSockets
        "Send buffer of a connection.";
}

fn available() -> String {
    CongestionName::ALL.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
}
