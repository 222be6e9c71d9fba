//! The settings of a stack that have a sysctl name, as typed values with Linux's defaults.
use core::time::Duration;

use segue_tcp::CongestionName;

use crate::{FastOpenKeys, Ranges};

/// Every setting of a stack that has a sysctl name.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What every TCP connection shares: most of `net.ipv4.tcp_*`.
    pub tcp: segue_tcp::Config,
    /// IP, ICMP, reassembly, and the stack's tables for TCP.
    pub ip: IpSettings,
    /// `net.core.*`.
    pub core: CoreSettings,
}

/// Settings of IP, ICMP and the tables a stack keeps for TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpSettings {
    /// `net.ipv4.ip_local_port_range`: lowest and highest ephemeral port, both included. Default 32768, 60999.
    pub local_port_range: (u16, u16),
    /// `net.ipv4.ip_local_reserved_ports`: ports that are never chosen, only bound by number. Default none.
    pub local_reserved_ports: Ranges,
    /// `net.ipv4.ip_autobind_reuse`: a port that is chosen for a socket with `SO_REUSEADDR` may be one that others with
    /// `SO_REUSEADDR` have, when there is no other. Default off.
    pub autobind_reuse: bool,
    /// `net.ipv4.ip_nonlocal_bind`: bind() takes addresses that are not this host's. Default off.
    pub nonlocal_bind: bool,
    /// `net.ipv6.ip_nonlocal_bind`: the same over IPv6. Default off.
    pub nonlocal_bind6: bool,
    /// `net.ipv6.bindv6only`: what `IPV6_V6ONLY` of a new socket is. Default off.
    pub bind_v6_only: bool,
    /// `net.ipv4.ip_no_pmtu_disc`: 0: new sockets look for the path's MTU; 1: they do not (`IP_PMTUDISC_DONT`); 2: nor does
    /// an ICMP error change what is known of a path; 3: it does for TCP, which can tell a forged one. Default 0.
    pub no_pmtu_disc: u8,
    /// `net.ipv4.ip_default_ttl`: time to live of IPv4 packets, 1–255. Default 64.
    pub default_ttl: u8,
    /// `net.ipv6.conf.all.hop_limit`: hop limit of IPv6 packets, 1–255. Default 64.
    pub hop_limit: u8,
    /// `net.ipv4.tcp_max_syn_backlog`: without SYN cookies, a listener that has three quarters of so many half-open
    /// connections takes no more, whatever its backlog; also most SYNs that a gateway's listener holds,
    /// with the handshakes that it has begun. Default 2048.
    pub max_syn_backlog: u32,
    /// `net.ipv4.tcp_syncookies`: what becomes of a SYN when a listener's SYN queue is full: 0 dropped, 1 answered with a
    /// cookie; 2: every SYN is answered so. Default 1.
    pub syncookies: u8,
    /// `net.ipv4.tcp_abort_on_overflow`: answer a completed handshake with a reset when the accept queue is full;
    /// otherwise it is dropped and the client tries again. Default off.
    pub abort_on_overflow: bool,
    /// `net.ipv4.tcp_migrate_req`: connections that a listener has not accepted yet move to another one of its
    /// `SO_REUSEPORT` group when it ends. Default off.
    pub migrate_req: bool,
    /// `net.ipv4.tcp_reflect_tos`: a SYN-ACK, and the connection that comes of it, have the type of service or traffic class
    /// of the SYN instead of the listener's. Default off.
    pub reflect_tos: bool,
    /// `net.ipv4.tcp_max_tw_buckets`: most TIME-WAIT entries; connections beyond it end without. Default 131072.
    pub max_tw_buckets: u32,
    /// `net.ipv4.tcp_tw_reuse`: whether connect(), when it chooses a port, may take over a four-tuple that is in TIME-WAIT and used
    /// timestamps (RFC 6191): 0 never, 1 always, 2 on loopback only. Default 2.
    pub tw_reuse: u8,
    /// `net.ipv4.tcp_allowed_congestion_control`: what `TCP_CONGESTION` may choose; another name is answered with EPERM.
    /// The default of the stack may be chosen always. Default: every algorithm there is.
    pub allowed_congestion_control: Vec<CongestionName>,
    /// `net.ipv4.tcp_tw_reuse_delay`: how long it must have been in TIME-WAIT by then. Default 1 s.
    pub tw_reuse_delay: Duration,
    /// `net.ipv4.tcp_max_orphans`: most connections that no application holds any more; those beyond it are reset.
    /// Default 131072.
    pub max_orphans: u32,
    /// `net.ipv4.tcp_challenge_ack_limit`: challenge ACKs (RFC 5961) per second, of all connections together; 2147483647
    /// is no limit, because each connection has its own (`tcp_invalid_ratelimit`). Default 2147483647.
    pub challenge_ack_limit: u32,
    /// `net.ipv4.tcp_fastopen`: Fast Open (RFC 7413), a sum of 1 (connects may use it), 2 (listeners may, with
    /// `TCP_FASTOPEN`), 4 (SYNs carry data without a cookie), 0x200 (listeners take such data), 0x400 (listeners need not
    /// ask for it). Default 1.
    pub fast_open: u32,
    /// `net.ipv4.tcp_fastopen_blackhole_timeout_sec`: how long Fast Open pauses when the network seems to swallow
    /// connections that use it, at first; doubled by every repetition. 0 = it never does. Default 0.
    pub fast_open_blackhole_timeout: Duration,
    /// `net.ipv4.tcp_fastopen_key`: keys of the cookies. Default zero, in whose place a key is drawn when one is needed.
    pub fast_open_key: FastOpenKeys,
    /// `net.ipv4.conf.all.accept_source_route`: take IPv4 packets that came along a source route, and answer along it
    /// (RFC 9293 3.9.2.1). Dropped otherwise, as RFC 7126 4.3 and 4.4 advise. Default off.
    pub accept_source_route: bool,
    /// `net.ipv4.icmp_echo_ignore_all`: do not answer ping over IPv4. Default off.
    pub icmp_echo_ignore_all: bool,
    /// `net.ipv4.icmp_echo_ignore_broadcasts`: do not answer ping to a broadcast or multicast address. Default on.
    pub icmp_echo_ignore_broadcasts: bool,
    /// `net.ipv6.icmp.echo_ignore_all`: do not answer ping over IPv6. Default off.
    pub icmpv6_echo_ignore_all: bool,
    /// `net.ipv4.icmp_ratelimit`: least time between two limited ICMP messages to one host, of which six may follow each
    /// other at once; zero: no such limit. Default 1 s.
    pub icmp_ratelimit: Duration,
    /// `net.ipv4.icmp_ratemask`: which ICMP types are limited, one bit each. Default 6168: destination unreachable, source
    /// quench, time exceeded, parameter problem.
    pub icmp_ratemask: u32,
    /// `net.ipv6.icmp.ratelimit`: as `icmp_ratelimit`. Default 100 ms.
    pub icmpv6_ratelimit: Duration,
    /// `net.ipv6.icmp.ratemask`: which ICMPv6 types are limited. Default 0-1,3-127: every error but packet too big.
    pub icmpv6_ratemask: Ranges,
    /// `net.ipv6.icmp.echo_ignore_multicast`: do not answer ping to a group over IPv6. Default off.
    pub icmpv6_echo_ignore_multicast: bool,
    /// `net.ipv4.icmp_msgs_per_sec`: limited ICMP messages per second, to all hosts together. Default 1000.
    pub icmp_msgs_per_sec: u32,
    /// `net.ipv4.icmp_msgs_burst`: limited ICMP messages to all hosts that may follow each other at once. Default 50.
    pub icmp_msgs_burst: u32,
    /// `net.ipv4.ipfrag_high_thresh`: bytes that IPv4 reassembly may hold. Default 4194304.
    pub ipfrag_high_thresh: u32,
    /// `net.ipv4.ipfrag_time`: how long an IPv4 datagram may wait for its fragments. Default 30 s.
    pub ipfrag_time: Duration,
    /// `net.ipv6.auto_flowlabels`: whether packets have flow labels that nobody named: 0 never, 1 unless a socket says no
    /// (`IPV6_AUTOFLOWLABEL`), 2 if it says yes, 3 always. Default 1.
    pub auto_flow_labels: u8,
    /// `net.ipv6.ip6frag_high_thresh`: bytes that IPv6 reassembly may hold. Default 4194304.
    pub ip6frag_high_thresh: u32,
    /// `net.ipv6.ip6frag_time`: how long an IPv6 datagram may wait for its fragments. Default 60 s.
    pub ip6frag_time: Duration,
}

impl Default for IpSettings {
    fn default() -> Self {
        IpSettings {
            local_port_range: (32768, 60999),
            local_reserved_ports: Ranges::default(),
            autobind_reuse: false,
            nonlocal_bind: false,
            nonlocal_bind6: false,
            bind_v6_only: false,
            no_pmtu_disc: 0,
            default_ttl: 64,
            hop_limit: 64,
            max_syn_backlog: 2048,
            syncookies: 1,
            abort_on_overflow: false,
            migrate_req: false,
            reflect_tos: false,
            max_tw_buckets: 131_072,
            tw_reuse: 2,
            allowed_congestion_control: CongestionName::ALL.to_vec(),
            tw_reuse_delay: Duration::from_secs(1),
            max_orphans: 131_072,
            challenge_ack_limit: i32::MAX as u32,
            fast_open: 1,
            fast_open_blackhole_timeout: Duration::ZERO,
            fast_open_key: FastOpenKeys::default(),
            accept_source_route: false,
            icmp_echo_ignore_all: false,
            icmp_echo_ignore_broadcasts: true,
            icmpv6_echo_ignore_all: false,
            icmp_ratelimit: Duration::from_secs(1),
            icmp_ratemask: 6168,
            icmpv6_ratelimit: Duration::from_millis(100),
            icmpv6_ratemask: Ranges::of(&[(0, 1), (3, 127)]),
            icmpv6_echo_ignore_multicast: false,
            icmp_msgs_per_sec: 1000,
            icmp_msgs_burst: 50,
            ipfrag_high_thresh: 4 << 20,
            ipfrag_time: Duration::from_secs(30),
            auto_flow_labels: 1,
            ip6frag_high_thresh: 4 << 20,
            ip6frag_time: Duration::from_secs(60),
        }
    }
}

/// `net.core.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreSettings {
    /// `net.core.dev_weight`: packets taken from one device before the next has its turn. Default 64.
    pub dev_weight: u32,
    /// `net.core.netdev_budget`: packets, and timers, that are served before everybody else has a turn. Default 300.
    pub netdev_budget: u32,
    /// `net.core.netdev_budget_usecs`: how long packets are served before everybody else has a turn. Default 2 ms.
    pub netdev_budget_time: Duration,
    /// `net.core.netdev_max_backlog`: packets that may wait between devices and the stack. Default 1000.
    pub netdev_max_backlog: u32,
    /// `net.core.somaxconn`: cap of the backlog that `listen` may ask for. Default 4096.
    pub somaxconn: u32,
    /// `net.core.rmem_default`: receive buffer of a datagram socket, in bytes. Default 212992.
    pub rmem_default: u32,
    /// `net.core.rmem_max`: the most that `SO_RCVBUF` may ask for, in bytes. Default 4194304.
    pub rmem_max: u32,
    /// `net.core.wmem_default`: send buffer of a datagram socket, in bytes. Default 212992.
    pub wmem_default: u32,
    /// `net.core.wmem_max`: the most that `SO_SNDBUF` may ask for, in bytes. Default 4194304.
    pub wmem_max: u32,
}

impl Default for CoreSettings {
    fn default() -> Self {
        CoreSettings {
            dev_weight: 64,
            netdev_budget: 300,
            netdev_budget_time: Duration::from_micros(2000),
            netdev_max_backlog: 1000,
            somaxconn: 4096,
            rmem_default: 212_992,
            rmem_max: 4 << 20,
            wmem_default: 212_992,
            wmem_max: 4 << 20,
        }
    }
}
