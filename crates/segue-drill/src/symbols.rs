//! The words of a script that stand for numbers: Linux's constants on x86_64.

/// The value of a word.
pub(crate) fn lookup(word: &str) -> Option<i64> {
    SYMBOLS.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).or_else(|| errno(word).map(i64::from))
}

/// The number of an errno name.
pub(crate) fn errno(name: &str) -> Option<i32> {
    ERRNOS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// The name of an errno number.
pub(crate) fn errno_name(number: i32) -> String {
    let known = ERRNOS.iter().find(|(_, value)| *value == number);
    known.map_or_else(|| format!("errno {number}"), |(name, _)| (*name).to_owned())
}

#[rustfmt::skip]
const ERRNOS: &[(&str, i32)] = &[
    ("EPERM", 1), ("ENOENT", 2), ("EINTR", 4), ("EIO", 5), ("ENXIO", 6), ("EBADF", 9), ("EAGAIN", 11), ("EWOULDBLOCK", 11),
    ("ENOMEM", 12), ("EACCES", 13), ("EFAULT", 14), ("EBUSY", 16), ("EEXIST", 17), ("ENODEV", 19), ("EINVAL", 22),
    ("ENFILE", 23), ("EMFILE", 24), ("ENOTTY", 25), ("ESPIPE", 29), ("EPIPE", 32), ("EDOM", 33), ("ERANGE", 34),
    ("ENOSYS", 38), ("EPROTO", 71), ("EOVERFLOW", 75), ("ENOTSOCK", 88), ("EDESTADDRREQ", 89), ("EMSGSIZE", 90),
    ("EPROTOTYPE", 91), ("ENOPROTOOPT", 92), ("EPROTONOSUPPORT", 93), ("ESOCKTNOSUPPORT", 94), ("EOPNOTSUPP", 95),
    ("ENOTSUP", 95), ("EPFNOSUPPORT", 96), ("EAFNOSUPPORT", 97), ("EADDRINUSE", 98), ("EADDRNOTAVAIL", 99),
    ("ENETDOWN", 100), ("ENETUNREACH", 101), ("ENETRESET", 102), ("ECONNABORTED", 103), ("ECONNRESET", 104),
    ("ENOBUFS", 105), ("EISCONN", 106), ("ENOTCONN", 107), ("ESHUTDOWN", 108), ("ETOOMANYREFS", 109), ("ETIMEDOUT", 110),
    ("ECONNREFUSED", 111), ("EHOSTDOWN", 112), ("EHOSTUNREACH", 113), ("EALREADY", 114), ("EINPROGRESS", 115),
];

#[rustfmt::skip]
const SYMBOLS: &[(&str, i64)] = &[
    ("NULL", 0), ("AF_UNSPEC", 0), ("AF_INET", 2), ("AF_INET6", 10), ("PF_INET", 2), ("PF_INET6", 10),
    ("SOCK_STREAM", 1), ("SOCK_DGRAM", 2), ("SOCK_RAW", 3), ("SOCK_NONBLOCK", 0o4000), ("SOCK_CLOEXEC", 0o2000000),
    ("IPPROTO_IP", 0), ("IPPROTO_ICMP", 1), ("IPPROTO_TCP", 6), ("IPPROTO_UDP", 17), ("IPPROTO_IPV6", 41),
    ("IPPROTO_ICMPV6", 58), ("IPPROTO_MPTCP", 262),
    ("SOL_IP", 0), ("SOL_SOCKET", 1), ("SOL_TCP", 6), ("SOL_UDP", 17), ("SOL_IPV6", 41),
    ("SO_DEBUG", 1), ("SO_REUSEADDR", 2), ("SO_TYPE", 3), ("SO_ERROR", 4), ("SO_DONTROUTE", 5), ("SO_BROADCAST", 6),
    ("SO_SNDBUF", 7), ("SO_RCVBUF", 8), ("SO_KEEPALIVE", 9), ("SO_OOBINLINE", 10), ("SO_NO_CHECK", 11),
    ("SO_PRIORITY", 12), ("SO_LINGER", 13), ("SO_BSDCOMPAT", 14), ("SO_REUSEPORT", 15), ("SO_PASSCRED", 16),
    ("SO_PEERCRED", 17), ("SO_RCVLOWAT", 18), ("SO_SNDLOWAT", 19), ("SO_RCVTIMEO", 20), ("SO_SNDTIMEO", 21),
    ("SO_BINDTODEVICE", 25), ("SO_TIMESTAMP", 29), ("SO_ACCEPTCONN", 30), ("SO_SNDBUFFORCE", 32),
    ("SO_RCVBUFFORCE", 33), ("SO_TIMESTAMPNS", 35), ("SO_MARK", 36), ("SO_TIMESTAMPING", 37), ("SO_PROTOCOL", 38),
    ("SO_DOMAIN", 39), ("SO_RXQ_OVFL", 40), ("SO_BUSY_POLL", 46), ("SO_MAX_PACING_RATE", 47), ("SO_INCOMING_CPU", 49),
    ("SO_MEMINFO", 55), ("SO_COOKIE", 57), ("SO_ZEROCOPY", 60), ("SO_TXTIME", 61),
    ("IP_TOS", 1), ("IP_TTL", 2), ("IP_HDRINCL", 3), ("IP_OPTIONS", 4), ("IP_RECVOPTS", 6), ("IP_RETOPTS", 7),
    ("IP_PKTINFO", 8), ("IP_MTU_DISCOVER", 10), ("IP_RECVERR", 11), ("IP_RECVTTL", 12), ("IP_RECVTOS", 13),
    ("IP_MTU", 14), ("IP_FREEBIND", 15), ("IP_TRANSPARENT", 19), ("IP_MINTTL", 21),
    ("IP_BIND_ADDRESS_NO_PORT", 24), ("IP_MULTICAST_TTL", 33), ("IP_MULTICAST_LOOP", 34),
    ("IP_PMTUDISC_DONT", 0), ("IP_PMTUDISC_WANT", 1), ("IP_PMTUDISC_DO", 2), ("IP_PMTUDISC_PROBE", 3),
    ("IP_PMTUDISC_INTERFACE", 4), ("IP_PMTUDISC_OMIT", 5),
    ("IPV6_UNICAST_HOPS", 16), ("IPV6_MULTICAST_HOPS", 18), ("IPV6_MULTICAST_LOOP", 19), ("IPV6_MTU_DISCOVER", 23),
    ("IPV6_MTU", 24), ("IPV6_RECVERR", 25), ("IPV6_V6ONLY", 26), ("IPV6_RECVPKTINFO", 49), ("IPV6_PKTINFO", 50),
    ("IPV6_RECVHOPLIMIT", 51), ("IPV6_HOPLIMIT", 52), ("IPV6_RECVTCLASS", 66), ("IPV6_TCLASS", 67),
    ("IPV6_DONTFRAG", 62), ("IPV6_AUTOFLOWLABEL", 70), ("IPV6_TRANSPARENT", 75), ("IPV6_FREEBIND", 78),
    ("IPV6_PMTUDISC_DONT", 0), ("IPV6_PMTUDISC_WANT", 1), ("IPV6_PMTUDISC_DO", 2), ("IPV6_PMTUDISC_PROBE", 3),
    ("TCP_NODELAY", 1), ("TCP_MAXSEG", 2), ("TCP_CORK", 3), ("TCP_KEEPIDLE", 4), ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 6), ("TCP_SYNCNT", 7), ("TCP_LINGER2", 8), ("TCP_DEFER_ACCEPT", 9), ("TCP_WINDOW_CLAMP", 10),
    ("TCP_INFO", 11), ("TCP_QUICKACK", 12), ("TCP_CONGESTION", 13), ("TCP_MD5SIG", 14), ("TCP_THIN_LINEAR_TIMEOUTS", 16),
    ("TCP_THIN_DUPACK", 17), ("TCP_USER_TIMEOUT", 18), ("TCP_REPAIR", 19), ("TCP_FASTOPEN", 23), ("TCP_TIMESTAMP", 24),
    ("TCP_NOTSENT_LOWAT", 25), ("TCP_CC_INFO", 26), ("TCP_SAVE_SYN", 27), ("TCP_SAVED_SYN", 28),
    ("TCP_FASTOPEN_CONNECT", 30), ("TCP_FASTOPEN_KEY", 33), ("TCP_FASTOPEN_NO_COOKIE", 34),
    ("TCP_ZEROCOPY_RECEIVE", 35), ("TCP_INQ", 36), ("TCP_CM_INQ", 36), ("TCP_TX_DELAY", 37), ("TCP_RTO_MAX_MS", 44),
    ("MSG_OOB", 1), ("MSG_PEEK", 2), ("MSG_DONTROUTE", 4), ("MSG_CTRUNC", 8), ("MSG_TRUNC", 0x20),
    ("MSG_DONTWAIT", 0x40), ("MSG_EOR", 0x80), ("MSG_WAITALL", 0x100), ("MSG_ERRQUEUE", 0x2000),
    ("MSG_NOSIGNAL", 0x4000), ("MSG_MORE", 0x8000), ("MSG_ZEROCOPY", 0x400_0000), ("MSG_FASTOPEN", 0x2000_0000),
    ("O_RDONLY", 0), ("O_WRONLY", 1), ("O_RDWR", 2), ("O_NONBLOCK", 0o4000), ("F_GETFD", 1), ("F_SETFD", 2),
    ("F_GETFL", 3), ("F_SETFL", 4), ("FIONREAD", 0x541b), ("SIOCINQ", 0x541b), ("SIOCOUTQ", 0x5411),
    ("TIOCOUTQ", 0x5411), ("SIOCATMARK", 0x8905), ("FIONBIO", 0x5421), ("SIOCOUTQNSD", 0x894b),
    ("POLLIN", 1), ("POLLPRI", 2), ("POLLOUT", 4), ("POLLERR", 8), ("POLLHUP", 0x10), ("POLLNVAL", 0x20),
    ("POLLRDNORM", 0x40), ("POLLRDBAND", 0x80), ("POLLWRNORM", 0x100), ("POLLWRBAND", 0x200), ("POLLRDHUP", 0x2000),
    ("EPOLLIN", 1), ("EPOLLPRI", 2), ("EPOLLOUT", 4), ("EPOLLERR", 8), ("EPOLLHUP", 0x10), ("EPOLLRDNORM", 0x40),
    ("EPOLLRDBAND", 0x80), ("EPOLLWRNORM", 0x100), ("EPOLLWRBAND", 0x200), ("EPOLLRDHUP", 0x2000),
    ("EPOLLONESHOT", 1 << 30), ("EPOLLET", 1 << 31), ("EPOLLEXCLUSIVE", 1 << 28),
    ("EPOLL_CTL_ADD", 1), ("EPOLL_CTL_DEL", 2), ("EPOLL_CTL_MOD", 3),
    ("SHUT_RD", 0), ("SHUT_WR", 1), ("SHUT_RDWR", 2), ("SOMAXCONN", 4096),
    ("SCM_TIMESTAMPING", 37), ("SO_EE_ORIGIN_NONE", 0), ("SO_EE_ORIGIN_LOCAL", 1), ("SO_EE_ORIGIN_ICMP", 2),
    ("SO_EE_ORIGIN_ICMP6", 3), ("SO_EE_ORIGIN_ZEROCOPY", 5), ("SO_EE_CODE_ZEROCOPY_COPIED", 1),
];
