//! Links: memory pair, emulated path, TUN devices, capture tee.
//!
//! This crate decides what happens to an IP packet between two stacks: nothing
//! ([`memory_pair`]), delay, loss and worse ([`Path`]), the kernel ([`TunLink`]);
//! and how it is written down on the way ([`Capture`]). It does not decide what is
//! inside a packet, and it reads no clock: whoever drives a link passes the time.
//!
//! `unsafe` appears in `tun/sys.rs` only.

// A packet that is not taken is handed back as it is: boxing it would cost an allocation whenever a queue is full.
#![allow(clippy::result_large_err)]

pub mod capture;
mod idle;
mod line_log;
pub mod link;
pub mod memory;
pub mod path;
#[cfg(test)]
mod testing;
pub mod tun;
pub mod units;

pub use capture::{Capture, CaptureEpoch, CaptureOptions, OnError, Tap, Tee};
pub use idle::{ProcessorsAwake, keep_processors_awake};
pub use line_log::LineLog;
pub use link::{Capabilities, Link, SendError, Wait};
pub use memory::{MemoryLink, memory_pair};
pub use path::{
    CodelConfig, DirectionStats, End, FqCodelConfig, GilbertElliott, ImpairedLink, Impairments, JitterShape, LossModel,
    PacketList, Path, PathConfig, PathConfigError, PathEnd, PathMonitor, PathStats, QueueDiscipline, QueueLimit,
    RateTrace, RedConfig, SpecError, TraceError, path_pair,
};
pub use segue_wire::{ChecksumState, Instant, Packet};
pub use tun::{NetNamespace, Prefix, TunConfig, TunLink, run_before_others};
pub use units::{Probability, Rate, UnitError, parse_bytes, parse_duration};
