//! Back-quoted commands: shell text read as the configuration of the host under test.
//!
//! Decides which programs are known and what they mean. Nothing of it ever reaches a shell or a file of this machine. A program
//! that is not known is an error that names it.
mod evaluate;
mod expand;
mod ip;
mod programs;
mod shell;
#[cfg(test)]
mod tests;

pub(crate) use evaluate::run;

use crate::host::{LinkChange, OffloadChange, RouteChange};

/// What a command does to the host under test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    /// Set a sysctl by its dotted name.
    Sysctl {
        name: String,
        value: String,
    },
    /// Bring back the sysctls of before the script.
    Restore,
    /// Parameters of a route.
    Route(RouteChange),
    /// The device itself.
    Link(LinkChange),
    Offload(OffloadChange),
    /// The arguments of `tc`.
    Qdisc(Vec<String>),
    /// Forget what was remembered of destinations.
    ForgetPeers,
    /// Make a file of zeros.
    File {
        path: String,
        length: u64,
    },
    /// Let time pass, in microseconds.
    Sleep(u64),
}

/// What commands act on.
pub(crate) trait World {
    /// Carry it out.
    ///
    /// # Errors
    /// The host does not take it; the command fails.
    fn apply(&mut self, effect: Effect) -> Result<(), String>;

    /// The value of a sysctl.
    ///
    /// # Errors
    /// There is none of this name.
    fn sysctl(&mut self, name: &str) -> Result<String, String>;

    /// The text of another shell script, when it stands beside the script under test.
    fn script(&self, path: &str) -> Option<String>;

    /// Something for the report.
    fn note(&mut self, text: String);
}

/// The settings that public suites begin with: 540000 bytes of receive buffer (window scale 8), no ECN, cubic, RACK and TLP,
/// Fast Open in both roles. A suite's `defaults.sh` stands for them when the file is not there.
pub(crate) const DEFAULTS: &[(&str, &str)] = &[
    ("net.ipv4.tcp_rmem", "4096 540000 15728640"),
    ("net.ipv4.tcp_wmem", "4096 262144 4194304"),
    ("net.ipv4.tcp_ecn", "0"),
    ("net.ipv4.tcp_congestion_control", "cubic"),
    ("net.ipv4.tcp_timestamps", "1"),
    ("net.ipv4.tcp_sack", "1"),
    ("net.ipv4.tcp_recovery", "1"),
    ("net.ipv4.tcp_early_retrans", "3"),
    ("net.ipv4.tcp_fastopen", "0x70403"),
    ("net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4"),
    ("net.ipv4.tcp_no_metrics_save", "1"),
    ("net.ipv4.tcp_notsent_lowat", "4294967295"),
];
