//! `net.core.*`: the bounds of queues and buffers.
use core::ops::RangeInclusive;

use super::INT;

/// Of nothing, nothing would ever be served.
const COUNT: RangeInclusive<u64> = 1..=i32::MAX as u64;

entries! {
    "net.core.dev_weight" number(core.dev_weight as u32, COUNT, "packets")
        "Packets that are taken from one link before the next has its turn.";
    "net.core.netdev_budget" number(core.netdev_budget as u32, COUNT, "packets")
        "Packets, and timers, that are served before everybody else has a turn.";
    "net.core.netdev_budget_usecs" micros(core.netdev_budget_time, COUNT, "microseconds")
        "How long packets are served before everybody else has a turn.";
    "net.core.netdev_max_backlog" number(core.netdev_max_backlog as u32, COUNT, "packets")
        "Packets that may wait between the link and the stack.";
    "net.core.rmem_default" number(core.rmem_default as u32, 256..=i32::MAX as u64, "bytes") NewSockets
        "Receive buffer of a new datagram socket.";
    "net.core.rmem_max" number(core.rmem_max as u32, 256..=i32::MAX as u64, "bytes")
        "The most that SO_RCVBUF may ask for.";
    "net.core.somaxconn" number(core.somaxconn as u32, INT, "connections")
        "The most that listen() may ask for: connections that wait for accept().";
    "net.core.wmem_default" number(core.wmem_default as u32, 256..=i32::MAX as u64, "bytes") NewSockets
        "Send buffer of a new datagram socket.";
    "net.core.wmem_max" number(core.wmem_max as u32, 256..=i32::MAX as u64, "bytes")
        "The most that SO_SNDBUF may ask for.";
}
