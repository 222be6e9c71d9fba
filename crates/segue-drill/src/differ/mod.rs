//! The same random story told to two hosts: this machine's kernel and a Segue stack. Where they answer otherwise, one of
//! them is wrong, or Segue differs on purpose.
//!
//! A story is a list of segments, calls and waits that makes sense (`story`). It is played on any [`Host`] step by step
//! (`play`), and what each step brought (packets, results, `TCP_INFO`) is compared (`compare`). A story that shows a
//! difference is cut down to what shows it (`shrink`); what is meant stands in the `catalogue`. Stories that were found are
//! kept with Linux's answers (`kept`), sessions of telling in a log (`session`).
mod answers;
pub mod catalogue;
mod compare;
mod kept;
mod notation;
mod play;
mod random;
mod receiver;
mod recovery;
mod session;
mod shrink;
mod story;
mod teller;

pub use compare::{Difference, compare};
pub use kept::Kept;
pub use play::{Played, StepRecord, play};
pub use recovery::generate_loss;
pub use session::{Class, Log, Session};
pub use shrink::Verdict;
pub use story::{Story, generate};
pub use teller::{Teller, Told};

use crate::host::{Host, HostError, LinuxHost, Network, OffloadChange, SegueHost};

/// The host's own address in every story.
pub const LOCAL: [u8; 4] = [192, 168, 0, 1];
/// The address of its peer.
pub const PEER: [u8; 4] = [192, 0, 2, 1];

fn network() -> Network {
    Network { local: LOCAL.into(), mtu: 1500 }
}

/// Settings of both hosts: what is learned of one connection must not change the next.
const SETTINGS: &[(&str, &str)] = &[
    ("net.ipv4.tcp_no_metrics_save", "1"),
    ("net.ipv4.tcp_invalid_ratelimit", "0"),
    ("net.ipv4.tcp_rmem", "4096 131072 6291456"),
    ("net.ipv4.tcp_wmem", "4096 16384 4194304"),
];

/// A setting by name and value, for both hosts.
pub type Setting = (String, String);

fn prepare(host: &mut dyn Host, more: &[Setting]) -> Result<(), HostError> {
    let always = SETTINGS.iter().copied();
    for (name, value) in always.chain(more.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
        host.set_sysctl(name, value)?;
    }
    host.change_offload(OffloadChange { tso: Some(false), gso: Some(false) })
}

/// This machine's kernel, ready for stories. Needs root or [`crate::prepare_namespaces`].
///
/// # Errors
/// What is missing.
pub fn linux(settings: &[Setting]) -> Result<LinuxHost, HostError> {
    let mut host = LinuxHost::open(&network())?;
    prepare(&mut host, settings)?;
    Ok(host)
}

/// A fresh Segue stack, ready for a story.
///
/// # Errors
/// A setting is missing.
pub fn segue(settings: &[Setting]) -> Result<SegueHost, HostError> {
    let mut host = SegueHost::open(&network(), [7; 32])?;
    prepare(&mut host, settings)?;
    Ok(host)
}
