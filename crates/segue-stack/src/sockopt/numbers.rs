//! Linux's numbers of levels and options (x86_64).

pub(super) mod level {
    pub(crate) const IP: i32 = 0;
    pub(crate) const SOCKET: i32 = 1;
    pub(crate) const TCP: i32 = 6;
    pub(crate) const UDP: i32 = 17;
    pub(crate) const IPV6: i32 = 41;
}

/// `SO_*`.
pub(super) mod sol {
    pub(crate) const DEBUG: i32 = 1;
    pub(crate) const REUSEADDR: i32 = 2;
    pub(crate) const TYPE: i32 = 3;
    pub(crate) const ERROR: i32 = 4;
    pub(crate) const DONTROUTE: i32 = 5;
    pub(crate) const BROADCAST: i32 = 6;
    pub(crate) const SNDBUF: i32 = 7;
    pub(crate) const RCVBUF: i32 = 8;
    pub(crate) const KEEPALIVE: i32 = 9;
    pub(crate) const OOBINLINE: i32 = 10;
    pub(crate) const NO_CHECK: i32 = 11;
    pub(crate) const PRIORITY: i32 = 12;
    pub(crate) const LINGER: i32 = 13;
    pub(crate) const REUSEPORT: i32 = 15;
    pub(crate) const RCVLOWAT: i32 = 18;
    pub(crate) const SNDLOWAT: i32 = 19;
    pub(crate) const RCVTIMEO: i32 = 20;
    pub(crate) const SNDTIMEO: i32 = 21;
    pub(crate) const TIMESTAMP: i32 = 29;
    pub(crate) const TIMESTAMPNS: i32 = 35;
    pub(crate) const TIMESTAMPING: i32 = 37;
    pub(crate) const RXQ_OVFL: i32 = 40;
    pub(crate) const SELECT_ERR_QUEUE: i32 = 45;
    pub(crate) const ZEROCOPY: i32 = 60;
    pub(crate) const TIMESTAMP_NEW: i32 = 63;
    pub(crate) const TIMESTAMPNS_NEW: i32 = 64;
    pub(crate) const TIMESTAMPING_NEW: i32 = 65;
    pub(crate) const RCVMARK: i32 = 75;
    pub(crate) const RCVPRIORITY: i32 = 82;
    pub(crate) const ACCEPTCONN: i32 = 30;
    pub(crate) const SNDBUFFORCE: i32 = 32;
    pub(crate) const RCVBUFFORCE: i32 = 33;
    pub(crate) const MARK: i32 = 36;
    pub(crate) const PROTOCOL: i32 = 38;
    pub(crate) const DOMAIN: i32 = 39;
    pub(crate) const BUSY_POLL: i32 = 46;
    pub(crate) const MAX_PACING_RATE: i32 = 47;
    pub(crate) const INCOMING_CPU: i32 = 49;
    pub(crate) const COOKIE: i32 = 57;
    pub(crate) const RCVTIMEO_NEW: i32 = 66;
    pub(crate) const SNDTIMEO_NEW: i32 = 67;
}

/// `IP_*`.
pub(super) mod ip {
    pub(crate) const TOS: i32 = 1;
    pub(crate) const TTL: i32 = 2;
    pub(crate) const PKTINFO: i32 = 8;
    pub(crate) const MTU_DISCOVER: i32 = 10;
    pub(crate) const RECVERR: i32 = 11;
    pub(crate) const RECVTTL: i32 = 12;
    pub(crate) const RECVTOS: i32 = 13;
    pub(crate) const MTU: i32 = 14;
    pub(crate) const FREEBIND: i32 = 15;
    pub(crate) const TRANSPARENT: i32 = 19;
    pub(crate) const RECVORIGDSTADDR: i32 = 20;
    pub(crate) const BIND_ADDRESS_NO_PORT: i32 = 24;
    pub(crate) const MULTICAST_TTL: i32 = 33;
    pub(crate) const MULTICAST_LOOP: i32 = 34;
}

/// `IPV6_*`.
pub(super) mod ipv6 {
    pub(crate) const UNICAST_HOPS: i32 = 16;
    pub(crate) const MULTICAST_HOPS: i32 = 18;
    pub(crate) const MULTICAST_LOOP: i32 = 19;
    pub(crate) const MTU_DISCOVER: i32 = 23;
    pub(crate) const MTU: i32 = 24;
    pub(crate) const RECVERR: i32 = 25;
    pub(crate) const V6ONLY: i32 = 26;
    pub(crate) const RECVPKTINFO: i32 = 49;
    pub(crate) const RECVHOPLIMIT: i32 = 51;
    pub(crate) const RECVTCLASS: i32 = 66;
    pub(crate) const TCLASS: i32 = 67;
    pub(crate) const RECVORIGDSTADDR: i32 = 74;
    pub(crate) const TRANSPARENT: i32 = 75;
    pub(crate) const FREEBIND: i32 = 78;
}

/// `TCP_*`.
pub(super) mod tcp {
    pub(crate) const NODELAY: i32 = 1;
    pub(crate) const MAXSEG: i32 = 2;
    pub(crate) const CORK: i32 = 3;
    pub(crate) const KEEPIDLE: i32 = 4;
    pub(crate) const KEEPINTVL: i32 = 5;
    pub(crate) const KEEPCNT: i32 = 6;
    pub(crate) const SYNCNT: i32 = 7;
    pub(crate) const LINGER2: i32 = 8;
    pub(crate) const DEFER_ACCEPT: i32 = 9;
    pub(crate) const WINDOW_CLAMP: i32 = 10;
    pub(crate) const INFO: i32 = 11;
    pub(crate) const CC_INFO: i32 = 26;
    pub(crate) const QUICKACK: i32 = 12;
    pub(crate) const CONGESTION: i32 = 13;
    pub(crate) const USER_TIMEOUT: i32 = 18;
    pub(crate) const FASTOPEN: i32 = 23;
    pub(crate) const NOTSENT_LOWAT: i32 = 25;
    pub(crate) const FASTOPEN_CONNECT: i32 = 30;
    pub(crate) const FASTOPEN_KEY: i32 = 33;
    pub(crate) const FASTOPEN_NO_COOKIE: i32 = 34;
    pub(crate) const INQ: i32 = 36;
    pub(crate) const RTO_MAX_MS: i32 = 44;
    pub(crate) const RTO_MIN_US: i32 = 45;
    pub(crate) const DELACK_MAX_US: i32 = 46;
}

/// `UDP_*`.
pub(super) mod udp {
    pub(crate) const CORK: i32 = 1;
    pub(crate) const SEGMENT: i32 = 103;
    pub(crate) const GRO: i32 = 104;
}
