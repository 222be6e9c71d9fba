//! Runs unmodified programs on Segue's sockets: no root, no preloading.
//!
//! The program is started under a seccomp filter whose notifications this
//! process answers. `socket()` for an internet family gives the program a real
//! descriptor, an AF_UNIX socket; connect, bind, listen and the other calls
//! that name an address are answered here, by the stack; read, write, poll,
//! epoll, dup, fork and exec work natively on the descriptor, and a relay
//! moves the bytes between its other end and the stack.
//!
//! This is a tool for compatibility, not a sandbox.

mod address;
mod caller;
mod calls;
mod config;
mod datagram;
mod engine;
mod error;
mod filter;
mod holder;
mod launch;
mod names;
mod network;
mod publish;
mod route;
mod run;
mod stream;
mod supervisor;
mod sys;
#[doc(hidden)]
pub mod untrusted;
mod wait;

use run::lock;
use segue::link::PathStats;

pub use config::{Closing, Descendants, Network, NetworkConfig, ProcNet, Protocol, Publish, PublishError, RunConfig};
pub use error::{Exit, RunError};
pub use network::{Loss, Place, Refusal, Running, Tail};

/// Counters of a finished run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// TCP connections that were established, both directions.
    pub connections: u64,
    /// Bytes the program wrote into TCP connections.
    pub bytes_out: u64,
    /// Bytes the program was given from TCP connections.
    pub bytes_in: u64,
    /// Datagrams the program sent.
    pub datagrams_out: u64,
    /// Datagrams delivered to the program.
    pub datagrams_in: u64,
    /// TCP segments that were sent again, at both ends of the embedded network
    /// (on a device: by the program's host).
    pub retransmits: u64,
    /// What the emulated path did; up is from the program to the gateway. `None` on a TUN device.
    pub path: Option<PathStats>,
    /// Datagrams that found no room in a socket, on both stacks of the embedded network and on this machine.
    pub losses: Vec<Loss>,
    /// What the program's stack has refused because its memory budget was used up; empty without a budget.
    pub refused: Vec<Refusal>,
    /// System calls that were answered by the supervisor.
    pub calls: u64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How the program ended.
    pub exit: Exit,
    /// What went over its network; `None` when that is the one of an outer run.
    pub summary: Option<Summary>,
}

/// Runs the program and returns when it, and what it started, have ended.
///
/// Owns its runtime and its threads; must be called from the thread that lives
/// as long as the run (the program is killed when that thread ends).
///
/// # Errors
/// Nothing was started, or the program could not be executed; see [`RunError`].
pub fn run(config: RunConfig) -> Result<Exit, RunError> {
    run_with_summary(config).map(|finished| finished.exit)
}

/// As [`run`], with what `-v` shows.
///
/// # Errors
/// As [`run`].
pub fn run_with_summary(config: RunConfig) -> Result<Finished, RunError> {
    run::run(&config)
}
