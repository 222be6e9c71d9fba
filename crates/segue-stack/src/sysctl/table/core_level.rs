//! `net.core.*`: the bounds of queues and buffers.
use core::ops::RangeInclusive;
use core::time::Duration;

use super::{Entry, INT, integer};

/// Of nothing, nothing would ever be served.
const COUNT: RangeInclusive<u64> = 1..=i32::MAX as u64;

pub(super) static ENTRIES: &[Entry] = &[
    integer(
        "net.core.dev_weight",
        "Packets that are taken from one link before the next has its turn.",
        COUNT,
        "packets",
        |s| s.core.dev_weight.into(),
        |s, v| s.core.dev_weight = v as u32,
    ),
    integer(
        "net.core.netdev_budget",
        "Packets, and timers, that are served before everybody else has a turn.",
        COUNT,
        "packets",
        |s| s.core.netdev_budget.into(),
        |s, v| s.core.netdev_budget = v as u32,
    ),
    integer(
        "net.core.netdev_budget_usecs",
        "How long packets are served before everybody else has a turn.",
        COUNT,
        "microseconds",
        |s| s.core.netdev_budget_time.as_micros() as u64,
        |s, v| s.core.netdev_budget_time = Duration::from_micros(v),
    ),
    integer(
        "net.core.netdev_max_backlog",
        "Packets that may wait between the link and the stack.",
        COUNT,
        "packets",
        |s| s.core.netdev_max_backlog.into(),
        |s, v| s.core.netdev_max_backlog = v as u32,
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
