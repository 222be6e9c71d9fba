//! The table of sysctl names: where each value lives, what it means, its range and unit, or why it cannot be changed.
//!
//! One file per family holds the rows, `rows` says how one is written; here is what it is made of. Ranges
//! are Linux's; where Linux takes any integer, the range here ends where the value still has a meaning.
use core::fmt;
use core::ops::RangeInclusive;
use std::sync::LazyLock;

use segue_tcp::{CongestionName, Timestamping};

use super::Settings;

#[macro_use]
mod rows;

mod core_level;
mod ip;
mod tcp_closing;
mod tcp_opening;
mod tcp_receiving;
mod tcp_recovery;
mod tcp_sending;

/// Every name, sorted.
pub(super) static TABLE: LazyLock<Vec<&'static Entry>> = LazyLock::new(|| {
    let families = [
        core_level::ENTRIES,
        ip::ENTRIES,
        tcp_closing::ENTRIES,
        tcp_opening::ENTRIES,
        tcp_receiving::ENTRIES,
        tcp_recovery::ENTRIES,
        tcp_sending::ENTRIES,
    ];
    let mut all: Vec<_> = families.into_iter().flatten().collect();
    all.sort_by_key(|entry| entry.name);
    all
});

/// One name.
pub(super) struct Entry {
    /// The full name with dots.
    pub(super) name: &'static str,
    /// What it decides, in one line.
    pub(super) meaning: &'static str,
    pub(super) reach: Reach,
    pub(super) value: Value,
}

/// Whom a change of a sysctl reaches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reach {
    /// Everybody from now on, connections that exist too.
    AtOnce,
    /// Sockets that are made from now on; the others keep what they were made with.
    NewSockets,
    /// Connections whose handshake is still to come; it settles the matter for them.
    NewConnections,
    /// Nobody: it cannot be changed.
    Never,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reach::AtOnce => "at once",
            Reach::NewSockets => "new sockets",
            Reach::NewConnections => "new connections",
            Reach::Never => "never",
        })
    }
}

/// What stands behind a name.
pub(super) enum Value {
    /// A number.
    Integer { get: fn(&Settings) -> u64, set: fn(&mut Settings, u64), range: RangeInclusive<u64>, unit: &'static str },
    /// Minimum, default, maximum.
    Triple {
        get: fn(&Settings) -> [u32; 3],
        set: fn(&mut Settings, [u32; 3]),
        range: RangeInclusive<u64>,
        unit: &'static str,
    },
    /// Lowest and highest port.
    Ports { get: fn(&Settings) -> (u16, u16), set: fn(&mut Settings, (u16, u16)) },
    /// Names from a list.
    Names { get: fn(&Settings) -> Vec<CongestionName>, set: fn(&mut Settings, Vec<CongestionName>), single: bool },
    /// Words that have a form of their own; `set` says whether it understood them.
    Text { get: fn(&Settings) -> String, set: fn(&mut Settings, &str) -> bool, expected: &'static str },
    /// What the stack does and cannot do otherwise.
    Fixed { value: &'static str, why: &'static str },
    /// Information that is no setting in Linux either.
    ReadOnly { get: fn() -> String },
    /// A name that is answered with the reason why it is gone.
    Removed { why: &'static str },
}

impl Entry {
    const fn new(name: &'static str, meaning: &'static str, value: Value) -> Entry {
        let reach = match value {
            Value::Fixed { .. } | Value::ReadOnly { .. } | Value::Removed { .. } => Reach::Never,
            _ => Reach::AtOnce,
        };
        Entry { name, meaning, reach, value }
    }

    const fn reaching(self, reach: Reach) -> Entry {
        Entry { reach, ..self }
    }
}

/// Linux counts these in jiffies of a signed 32-bit integer; 24 days are the most that fits at 1000 per second.
const SECONDS: RangeInclusive<u64> = 0..=2_147_483;
const INT: RangeInclusive<u64> = 0..=i32::MAX as u64;
const BUFFER: RangeInclusive<u64> = 1..=1 << 30;
/// Linux's limits for the socket options of the same meaning.
const KEEP_ALIVE: RangeInclusive<u64> = 1..=32_767;

const WHOLE_LIFE: &str = "the least round-trip time is that of the whole connection";
const NO_METRICS: &str = "nothing is remembered per destination yet";
const NO_PLB: &str = "path changes by flow label are not implemented";
const LEGACY: &str = "it has no effect in current Linux kernels either";
const DEVICE: &str = "it tunes a path inside the Linux kernel that this stack does not have";

fn timestamping(settings: &Settings) -> u64 {
    match settings.tcp.timestamps {
        Timestamping::Off => 0,
        Timestamping::RandomOffset => 1,
        Timestamping::NoOffset => 2,
    }
}
