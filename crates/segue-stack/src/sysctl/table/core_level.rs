//! `net.core.*`: the bounds of queues and buffers.
use super::{Entry, INT, fixed, integer};

pub(super) static ENTRIES: &[Entry] = &[
    fixed(
        "net.core.netdev_max_backlog",
        "Packets that may wait between the link and the stack.",
        "0",
        "packets are taken as they come; there is no ingress queue yet",
    ),
    integer(
        "net.core.rmem_default",
        "Receive buffer of a new datagram socket.",
        256..=i32::MAX as u64,
        "bytes",
        |s| s.core.rmem_default.into(),
        |s, v| s.core.rmem_default = v as u32,
    )
    .for_new_sockets(),
    integer(
        "net.core.rmem_max",
        "The most that SO_RCVBUF may ask for.",
        256..=i32::MAX as u64,
        "bytes",
        |s| s.core.rmem_max.into(),
        |s, v| s.core.rmem_max = v as u32,
    ),
    integer(
        "net.core.somaxconn",
        "The most that listen() may ask for: connections that wait for accept().",
        INT,
        "connections",
        |s| s.core.somaxconn.into(),
        |s, v| s.core.somaxconn = v as u32,
    ),
    integer(
        "net.core.wmem_default",
        "Send buffer of a new datagram socket.",
        256..=i32::MAX as u64,
        "bytes",
        |s| s.core.wmem_default.into(),
        |s, v| s.core.wmem_default = v as u32,
    )
    .for_new_sockets(),
    integer(
        "net.core.wmem_max",
        "The most that SO_SNDBUF may ask for.",
        256..=i32::MAX as u64,
        "bytes",
        |s| s.core.wmem_max.into(),
        |s, v| s.core.wmem_max = v as u32,
    ),
];
