//! One TCP connection as a sans-I/O state machine (RFC 9293).
//!
//! This crate decides everything the RFCs say about one connection: what a segment changes,
//! what to send and when to wake. It reads no clock, no random source and no memory but its
//! own; time, initial sequence numbers and segments come in as values, segments go out as
//! values. It knows neither addresses nor ports, and a listener is not a connection:
//! [`PassiveOpen`] is what a listener keeps until a handshake is complete.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod auth;
mod cc;
mod config;
mod conn;
mod drop;
mod ecn;
mod error;
mod event;
mod fastopen;
mod few;
mod icmp;
mod info;
mod journal;
mod memory;
mod options;
mod recv;
mod segment;
mod send;
mod state;
mod timestamps;
mod units;

pub use auth::{
    AoAlgorithm, AoContext, AoKey, AoOutput, AoSession, Covered, Extension, MD5_OPTION_LEN, Signature, find_ao_mac,
    md5_digest, md5_matches, put_md5_option,
};
pub use config::{Config, ConfigError, Kept, MtuProbing, Timestamping};
pub use conn::{Connection, Family, MemoryUse, Open, SendFlags, SendOffsets, SynTime};
pub use drop::DropReason;
pub use ecn::EcnPolicy;
pub use error::{ConnError, RecvError, SendError};
pub use event::{Events, Outcome, Ready};
pub use fastopen::{FastOpenNews, FastOpenSyn, Form};
pub use icmp::IcmpSignal;
pub use info::{BbrInfo, Info, Timer, TimerKind};
pub use journal::{
    CaState, ControllerPhase, Decided, Decision, FlowState, LossReason, ReductionReason, Statistic, UndoReason,
};
pub use memory::{Memory, PAGE};
pub use options::{CongestionName, DeferAccept, Linger, SocketOptions, UnknownCongestion};
pub use segment::{Segment, Transmit};
pub use segue_wire::tcp::{FastOpenCookie, OptionBytes, TcpFlags, TcpHeader, TcpOptions};
pub use segue_wire::{Chunks, Ecn, Instant};
pub use state::{PassiveOpen, PassiveOutcome, State, TimeWait, TimeWaitOutcome, reset_for};
