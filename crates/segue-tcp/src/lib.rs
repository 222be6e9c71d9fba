//! One TCP connection as a sans-I/O state machine (RFC 9293).
#![no_std]
#![allow(unused_variables, clippy::todo)]

extern crate alloc;

pub mod config;
pub mod conn;
pub mod drop;
pub mod error;
pub mod event;
pub mod icmp;
pub mod info;
pub mod options;
pub mod segment;
pub mod state;

pub use config::{Config, ConfigError, Timestamping};
pub use conn::{Connection, Open, PassiveOpen, PassiveOutcome, SendFlags, TimeWait, TimeWaitOutcome, reset_for};
pub use drop::DropReason;
pub use error::{ConnError, RecvError, SendError};
pub use event::{Events, Outcome, Ready};
pub use icmp::IcmpSignal;
pub use info::Info;
pub use options::{CongestionName, Linger, SocketOptions, UnknownCongestion};
pub use segment::{Segment, Transmit};
pub use segue_wire::tcp::{OptionBytes, TcpFlags, TcpHeader, TcpOptions};
pub use segue_wire::{Chunks, Ecn, Instant};
pub use state::State;

/// Whether selective acknowledgments are spoken. While they are not, `tcp_sack` is kept but not offered.
pub const SELECTIVE_ACKNOWLEDGMENTS: bool = false;
